/*
 * storage.c
 *	  Memory for the matrix that trees are grown from.
 *
 * The forest library asks for the chunks of its matrix one by one, at most
 * FOREST_CHUNK_BYTES each.  Shared storage gives it blocks of dynamic shared
 * memory segments, created as they are needed: creating a segment cannot be
 * interrupted, so segments are as small as the number of places for them in
 * the server's control segment allows.  A matrix gets at most MAX_SEGMENTS of
 * these places.
 *
 * The library's callbacks must not raise, and dsm_create() does when /dev/shm
 * is full.  So an error is caught, the library told that there is no memory,
 * and the error raised once the library has returned (storage_exhausted).
 * Nothing is swallowed: what the failed call left is cleaned up by the abort.
 *
 * Segments belong to the current resource owner, so an error anywhere detaches
 * them.
 */
#include "postgres.h"

#include <sys/statvfs.h>

#include "miscadmin.h"
#include "storage/dsm_impl.h"
#include "utils/memutils.h"

#include "forest/forest.h"
#include "pg/budget.h"
#include "pg/storage.h"

#define MAX_SEGMENTS 96
/* Left free in shared memory for the grown trees and the server itself. */
#define SPARE_BYTES ((Size) 32 * 1024 * 1024)
#define POSIX_SHARED_MEMORY "/dev/shm"

typedef struct Segment
{
	dsm_segment *segment;
	char	   *address;
	Size		n_bytes;
	Size		used;
} Segment;

struct Storage
{
	Host		host;
	PgHost	   *owner;
	bool		shared;
	Size		expected;
	Segment		segments[2 * MAX_SEGMENTS];
	int			n_segments;
	ErrorData  *error;			/* raised by dsm_create(), to be raised again */
	bool		full;			/* no place for another segment */
	MemoryContext context;
};

bool
storage_has_room(Size n_bytes)
{
	struct statvfs system;

	if (dynamic_shared_memory_type != DSM_IMPL_POSIX)
		return true;
	if (statvfs(POSIX_SHARED_MEMORY, &system) != 0)
		return true;
	return (Size) system.f_bavail * system.f_frsize >= n_bytes + SPARE_BYTES;
}

/*
 * The size of the next segment, of which the first block takes n_bytes: as
 * many blocks as are needed to have at most MAX_SEGMENTS segments.
 */
static Size
segment_bytes(const Storage *storage, Size n_bytes)
{
	Size		n_blocks = storage->expected / n_bytes + 1;

	return n_bytes * ((n_blocks + MAX_SEGMENTS - 1) / MAX_SEGMENTS);
}

/* Create a segment in which a block of n_bytes fits; NULL if there is none. */
static Segment *
segment_new(Storage *storage, Size n_bytes)
{
	Segment    *segment = &storage->segments[storage->n_segments];
	Size		size = segment_bytes(storage, n_bytes);
	dsm_segment *volatile created = NULL;

	if (storage->n_segments == lengthof(storage->segments))
		storage->full = true;
	if (storage->full || storage->error != NULL || QueryCancelPending || ProcDiePending)
		return NULL;
	PG_TRY();
	{
		created = dsm_create(size, DSM_CREATE_NULL_IF_MAXSEGMENTS);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(storage->context);
		storage->error = CopyErrorData();
		FlushErrorState();
	}
	PG_END_TRY();
	if (created == NULL)
	{
		storage->full = storage->error == NULL;
		return NULL;
	}
	segment->segment = created;
	segment->address = dsm_segment_address(created);
	segment->n_bytes = size;
	segment->used = 0;
	storage->n_segments++;
	return segment;
}

/* Host.realloc of shared storage: blocks are never resized, and freed all at once. */
static void *
shared_realloc(void *ctx, void *p, size_t old_size, size_t new_size)
{
	Storage    *storage = ctx;
	Segment    *segment = NULL;
	Size		n_bytes = MAXALIGN(new_size);
	void	   *block;

	if (p != NULL)
	{
		if (new_size == 0)
			storage->owner->used -= MAXALIGN(old_size);
		return NULL;
	}
	if (n_bytes == 0)
		return NULL;
	if (storage->owner->budget > 0 && storage->owner->used + n_bytes > storage->owner->budget)
	{
		storage->owner->refused = true;
		return NULL;
	}
	if (storage->n_segments > 0)
		segment = &storage->segments[storage->n_segments - 1];
	if (segment == NULL || segment->n_bytes - segment->used < n_bytes)
		segment = segment_new(storage, n_bytes);
	if (segment == NULL)
		return NULL;
	block = segment->address + segment->used;
	segment->used += n_bytes;
	storage->owner->used += n_bytes;
	storage->owner->peak = Max(storage->owner->peak, storage->owner->used);
	return block;
}

/* Host.cancelled of shared storage. */
static bool
shared_cancelled(void *ctx)
{
	return QueryCancelPending || ProcDiePending;
}

Storage *
storage_new(PgHost *owner, Size expected, bool shared)
{
	Storage    *storage = palloc0(sizeof(Storage));

	storage->owner = owner;
	storage->shared = shared;
	storage->expected = expected;
	storage->context = CurrentMemoryContext;
	storage->host.realloc = shared_realloc;
	storage->host.cancelled = shared_cancelled;
	storage->host.ctx = storage;
	if (!shared)
		storage->host = owner->host;
	return storage;
}

void
storage_free(Storage *storage)
{
	for (int i = 0; i < storage->n_segments; i++)
		dsm_detach(storage->segments[i].segment);
	pfree(storage);
}

const Host *
storage_host(const Storage *storage)
{
	return &storage->host;
}

bool
storage_is_shared(const Storage *storage)
{
	return storage->shared;
}

bool
storage_exhausted(Storage *storage)
{
	CHECK_FOR_INTERRUPTS();
	if (storage->error != NULL)
		ReThrowError(storage->error);
	return storage->full;
}

void
storage_locate(const Storage *storage, const void *block, dsm_handle *segment, Size *offset)
{
	for (int i = 0; i < storage->n_segments; i++)
	{
		const Segment *candidate = &storage->segments[i];

		if ((const char *) block >= candidate->address &&
			(const char *) block < candidate->address + candidate->n_bytes)
		{
			*segment = dsm_segment_handle(candidate->segment);
			*offset = (const char *) block - candidate->address;
			return;
		}
	}
	elog(ERROR, "a block lies in no segment of its storage");
}
