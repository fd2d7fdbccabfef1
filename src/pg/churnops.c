/*
 * churnops.c
 *	  The module: its magic block, and what is set up when it is loaded.
 */
#include "postgres.h"

#include "fmgr.h"

#include "pg/compat.h"
#include "pg/guc.h"
#include "pg/reference.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

void
_PG_init(void)
{
	guc_init();
	reference_init();
}
