/*
 * catalog.h
 *	  The catalogue as C sees it: calls into the catalogue's own SQL functions
 *	  as the extension's owner, and the probe, the one way in which C reads a
 *	  catalogue table itself.
 *
 * C checks the caller's rights, then switches to the extension's owner around
 * one fixed statement of ours.  No text of a user is ever part of it.
 */
#ifndef CHURNOPS_PG_CATALOG_H
#define CHURNOPS_PG_CATALOG_H

#include "access/genam.h"
#include "utils/rel.h"

/* OID of a relation or index of schema churnops; errors if it is not there. */
extern Oid	catalog_relation(const char *name);

/* Is it there?  Not, if the extension in this database is older than the library. */
extern bool catalog_has(const char *name);

/* The extension's owner. */
extern Oid	catalog_owner(void);

/* The version of the extension that is installed in this database. */
extern char *catalog_extension_version(void);

/*
 * Run `statement` (a constant of ours, parameters $1…) by SPI as the
 * extension's owner, with read-write access and search_path pg_catalog.  The
 * caller has called SPI_connect(); results are in SPI_tuptable.
 */
extern int	catalog_execute(const char *statement, int n_args, Oid *types, Datum *values,
							const char *nulls);

/* A column and the value it must have: a text (text != NULL), or an int4. */
typedef struct ProbeKey
{
	const char *column;
	const char *text;
	int32		number;
} ProbeKey;

#define PROBE_MAX_KEYS 2

/*
 * Rows of a catalogue table, looked up by its primary key or the first columns
 * of it, under GetActiveSnapshot(), without a check of privileges: what may be
 * shown of them is decided by the caller of the probe.
 */
typedef struct Probe
{
	Relation	relation;
	SysScanDesc scan;
	HeapTuple	tuple;			/* NULL after the last; else until the next or probe_end() */
} Probe;

/* Returns whether there is a row; probe_end() follows in any case. */
extern bool probe_begin(Probe *probe, const char *table, const char *index,
						const ProbeKey *keys, int n_keys);
/* Goes on to the next row of a part of the key; returns whether there is one. */
extern bool probe_next(Probe *probe);
extern void probe_end(Probe *probe);

/* A column's value by its name, which must exist. */
extern Datum probe_value(const Probe *probe, const char *column, bool *is_null);

/* A text column as a new C string; NULL when it is NULL. */
extern char *probe_text(const Probe *probe, const char *column);

#endif
