/*
 * spill.c
 *	  A temporary file for training rows that do not fit into memory.
 *
 * It is a BufFile: it lies in temp_tablespaces, counts against
 * temp_file_limit, and is removed when the transaction ends, however it does.
 *
 * The library's callbacks must not raise, and writing does when a limit or
 * the disk is reached.  So an error is caught, the library told that the file
 * failed, and the error raised again once the library has returned
 * (budget_check).  What the failed call left is cleaned up by the abort.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/buffile.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "pg/spill.h"

struct Spill
{
	ForestSpill file;
	PgHost	   *host;
	MemoryContext context;
	ResourceOwner owner;
	BufFile    *bytes;			/* NULL: nothing was written yet */
	uint64		n_bytes;
};

/* Keep the error that was caught, to be raised later. */
static void
keep_error(Spill *spill)
{
	MemoryContextSwitchTo(spill->context);
	spill->host->error = CopyErrorData();
	FlushErrorState();
}

/* Make the file. */
static void
make_file(Spill *spill)
{
	MemoryContext old_context = MemoryContextSwitchTo(spill->context);
	ResourceOwner old_owner = CurrentResourceOwner;

	CurrentResourceOwner = spill->owner;
	spill->bytes = BufFileCreateTemp(false);
	CurrentResourceOwner = old_owner;
	MemoryContextSwitchTo(old_context);
}

/* ForestSpill.write */
static bool
spill_write(void *ctx, const void *bytes, size_t n_bytes)
{
	Spill	   *spill = ctx;
	ResourceOwner owner = CurrentResourceOwner;
	MemoryContext context = CurrentMemoryContext;

	if (spill->host->error != NULL)
		return false;
	PG_TRY();
	{
		if (spill->bytes == NULL)
			make_file(spill);
		BufFileWrite(spill->bytes, unconstify(void *, bytes), n_bytes);
		spill->n_bytes += n_bytes;
	}
	PG_CATCH();
	{
		CurrentResourceOwner = owner;
		keep_error(spill);
		MemoryContextSwitchTo(context);
	}
	PG_END_TRY();
	return spill->host->error == NULL;
}

/* ForestSpill.read */
static bool
spill_read(void *ctx, uint64_t offset, void *bytes, size_t n_bytes)
{
	Spill	   *spill = ctx;
	MemoryContext context = CurrentMemoryContext;

	if (spill->host->error != NULL)
		return false;
	PG_TRY();
	{
		if (BufFileSeek(spill->bytes, 0, (off_t) offset, SEEK_SET) != 0 ||
			BufFileRead(spill->bytes, bytes, n_bytes) != n_bytes)
			ereport(ERROR,
					(errcode_for_file_access(),
					 errmsg("could not read training rows from a temporary file: %m")));
	}
	PG_CATCH();
	{
		keep_error(spill);
		MemoryContextSwitchTo(context);
	}
	PG_END_TRY();
	return spill->host->error == NULL;
}

Spill *
spill_new(PgHost *host)
{
	Spill	   *spill = palloc0(sizeof(Spill));

	spill->file.write = spill_write;
	spill->file.read = spill_read;
	spill->file.ctx = spill;
	spill->host = host;
	spill->context = CurrentMemoryContext;
	spill->owner = CurrentResourceOwner;
	return spill;
}

void
spill_free(Spill *spill)
{
	if (spill->bytes != NULL)
		BufFileClose(spill->bytes);
	pfree(spill);
}

const ForestSpill *
spill_file(const Spill *spill)
{
	return &spill->file;
}

uint64
spill_bytes(const Spill *spill)
{
	return spill->n_bytes;
}
