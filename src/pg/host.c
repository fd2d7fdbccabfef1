/*
 * host.c
 *	  A Host over a memory context.
 *
 * The server's allocator raises for sizes it thinks absurd, so these are
 * refused here first: no callback may longjmp out of a pure library.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "pg/compat.h"
#include "pg/guc.h"
#include "pg/host.h"

/* Would the budget still hold with `old_size` bytes given back and `new_size` taken? */
static bool
fits(PgHost *pg_host, Size old_size, Size new_size)
{
	Size		kept = pg_host->used - old_size;

	if (pg_host->budget == 0)
		return true;
	if (new_size <= pg_host->budget && kept <= pg_host->budget - new_size)
		return true;
	pg_host->refused = true;
	return false;
}

static void *
host_realloc(void *ctx, void *p, size_t old_size, size_t new_size)
{
	PgHost	   *pg_host = ctx;
	void	   *block;

	if (p == NULL)
		old_size = 0;
	if (new_size == 0)
	{
		if (p != NULL)
			pfree(p);
		pg_host->used -= old_size;
		return NULL;
	}
	if (!AllocHugeSizeIsValid(new_size))
		return NULL;
	if (new_size > old_size && !fits(pg_host, old_size, new_size))
		return NULL;
	if (p == NULL)
		block = MemoryContextAllocExtended(pg_host->context, new_size,
										   MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM);
	else
		block = compat_repalloc(p, old_size, new_size);
	if (block == NULL)
		return NULL;
	pg_host->used = pg_host->used - old_size + new_size;
	pg_host->peak = Max(pg_host->peak, pg_host->used);
	return block;
}

static bool
host_cancelled(void *ctx)
{
	(void) ctx;
	return QueryCancelPending || ProcDiePending;
}

void
pg_host_init(PgHost *pg_host, MemoryContext context, Size budget)
{
	memset(pg_host, 0, sizeof(*pg_host));
	pg_host->host.realloc = host_realloc;
	pg_host->host.cancelled = host_cancelled;
	pg_host->host.ctx = pg_host;
	pg_host->host.cpu_limit = (CpuLevel) guc_instruction_set;
	pg_host->context = context;
	pg_host->budget = budget;
}
