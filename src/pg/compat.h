/*
 * compat.h
 *	  The only place that knows PostgreSQL's version: 15 to 18.
 *
 * Each shim has the look of the newest version that has the thing.
 */
#ifndef CHURNOPS_PG_COMPAT_H
#define CHURNOPS_PG_COMPAT_H

#if PG_VERSION_NUM < 150000 || PG_VERSION_NUM >= 190000
#error "ChurnOps is made for PostgreSQL 15 to 18"
#endif

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "catalog/pg_proc.h"
#include "common/jsonapi.h"
#include "mb/pg_wchar.h"
#include "nodes/primnodes.h"
#include "parser/parse_type.h"
#include "storage/proc.h"
#include "utils/acl.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/tuplesort.h"

/* 16 moved the macros of variable-length values out of postgres.h. */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* And it has errors that can be looked at instead of caught. */
#if PG_VERSION_NUM >= 160000
#include "nodes/miscnodes.h"
#endif

/* 18 has this before a declaration; what there was before, behind it, is gone. */
#if PG_VERSION_NUM < 180000
#define pg_noreturn _Noreturn
#endif

/* May a role call a function?  16 has one function for objects of all kinds. */
static inline bool
compat_may_execute(Oid function, Oid role)
{
#if PG_VERSION_NUM >= 160000
	return object_aclcheck(ProcedureRelationId, function, role, ACL_EXECUTE) == ACLCHECK_OK;
#else
	return pg_proc_aclcheck(function, role, ACL_EXECUTE) == ACLCHECK_OK;
#endif
}

/* Is this one of the OLD and NEW that RETURNING can name, since 18? */
static inline bool
compat_is_old_or_new(const Var *var)
{
#if PG_VERSION_NUM >= 180000
	return var->varreturningtype != VAR_RETURNING_DEFAULT;
#else
	(void) var;
	return false;
#endif
}

/*
 * Resize a block of palloc, NULL when there is no memory (16 has
 * repalloc_extended; before, only a copy can fail without an error).
 */
static inline void *
compat_repalloc(void *block, Size old_size, Size new_size)
{
#if PG_VERSION_NUM >= 160000
	(void) old_size;
	return repalloc_extended(block, new_size, MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM);
#else
	void	   *copy = MemoryContextAllocExtended(GetMemoryChunkContext(block), new_size,
												  MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM);

	if (copy != NULL)
	{
		memcpy(copy, block, Min(old_size, new_size));
		pfree(block);
	}
	return copy;
#endif
}

/*
 * Give memory that was freed back to the system.  glibc keeps what lies below
 * something still in use, which after the rows of a training can be most of
 * them.
 */
static inline void
compat_trim_memory(void)
{
#ifdef __GLIBC__
	(void) malloc_trim(0);
#endif
}

/* The type of this name, InvalidOid if there is none (16 has soft errors). */
static inline Oid
compat_find_type(const char *name)
{
	Oid			type = InvalidOid;
	int32		typmod;
#if PG_VERSION_NUM >= 160000
	ErrorSaveContext context = {T_ErrorSaveContext};

	if (!parseTypeString(name, &type, &typmod, (Node *) &context))
		return InvalidOid;
#else
	parseTypeString(name, &type, &typmod, true);
#endif
	return type;
}

/* The type of this name; raises if there is none (16 can be told not to). */
static inline void
compat_parse_type(const char *name, Oid *type, int32 *typmod)
{
#if PG_VERSION_NUM >= 160000
	(void) parseTypeString(name, type, typmod, NULL);
#else
	parseTypeString(name, type, typmod, false);
#endif
}

/* The next datum of a sort, valid until the call after (16 has to be told not to copy it). */
static inline bool
compat_tuplesort_getdatum(Tuplesortstate *sort, Datum *value, bool *is_null)
{
#if PG_VERSION_NUM >= 160000
	return tuplesort_getdatum(sort, true, false, value, is_null, NULL);
#else
	return tuplesort_getdatum(sort, true, value, is_null, NULL);
#endif
}

/* Is a text in the server's encoding JSON?  17 lets the caller keep the lexer. */
static inline bool
compat_is_json(char *text, int n_bytes)
{
#if PG_VERSION_NUM >= 170000
	JsonLexContext lex;

	makeJsonLexContextCstringLen(&lex, text, n_bytes, GetDatabaseEncoding(), false);
	return pg_parse_json(&lex, &nullSemAction) == JSON_SUCCESS;
#else
	JsonLexContext *lex = makeJsonLexContextCstringLen(text, n_bytes, GetDatabaseEncoding(),
													   false);

	return pg_parse_json(lex, &nullSemAction) == JSON_SUCCESS;
#endif
}

/* Intervals can be infinite from 17 on: -1, 0 or 1. */
static inline int
compat_interval_infinity(const Interval *interval)
{
#if PG_VERSION_NUM >= 170000
	if (INTERVAL_IS_NOBEGIN(interval))
		return -1;
	if (INTERVAL_IS_NOEND(interval))
		return 1;
#else
	(void) interval;
#endif
	return 0;
}

#endif
