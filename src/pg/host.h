/*
 * host.h
 *	  A Host over a memory context: how the pure libraries see the backend.
 *
 * Memory comes from the context, counted against a budget; neither callback
 * raises.  `cancelled` looks at the flags the signal handlers set; after a
 * STATUS_CANCELLED the caller says CHECK_FOR_INTERRUPTS().
 */
#ifndef CHURNOPS_PG_HOST_H
#define CHURNOPS_PG_HOST_H

#include "core/host.h"

typedef struct PgHost
{
	Host		host;			/* pass &pg_host->host to the libraries */
	MemoryContext context;
	Size		budget;			/* bytes; 0: no limit */
	Size		used;
	Size		peak;			/* of used, with what parallel workers had at most */
	bool		refused;		/* an allocation failed because of the budget */
	struct ErrorData *error;	/* raised by the server in a callback, to be raised again */
} PgHost;

/* Make a host over a context; budget 0 means no limit. */
extern void pg_host_init(PgHost *pg_host, MemoryContext context, Size budget);

#endif
