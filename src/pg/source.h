/*
 * source.h
 *	  References to versions of datasets, `datasets:/customers/3` or, for the
 *	  latest, `datasets:/customers`, wherever a query can be given.
 *
 * No query begins so, and no table can be named so without quotes.
 */
#ifndef CHURNOPS_PG_SOURCE_H
#define CHURNOPS_PG_SOURCE_H

#include "access/tupdesc.h"
#include "executor/tuptable.h"
#include "fmgr.h"
#include "nodes/pg_list.h"
#include "utils/jsonb.h"

#include "dataset/dataset.h"
#include "pg/datum.h"

#define SOURCE_PREFIX "datasets:/"
#define SOURCE_SALT_BYTES 16

/* A column of a dataset version, and how its kept values become datums. */
typedef struct SourceColumn
{
	char	   *name;
	char	   *type_name;		/* as the query had it */
	char	   *base_name;		/* domains resolved */
	int			tag;			/* of canonical bytes */
	bool		is_key;
	Oid			type;			/* in which it is read back */
	DatumType	datum_type;		/* of that */
} SourceColumn;

/* What the catalogue knows of a version. */
typedef struct Source
{
	char	   *dataset;
	int32		version;
	char	   *query;
	char	   *fingerprint;
	char	   *relations;		/* JSON */
	char	   *search_path;
	char	   *snapshot;
	char	   *lsn;			/* or NULL */
	char	   *digest;
	char	   *created_by;
	char	   *profile;		/* JSON */
	int64		n_rows;
	bool		kept;
	bool		has_key;
	uint8		salt[SOURCE_SALT_BYTES];
	SourceColumn *columns;
	int			n_columns;
} Source;

/* Does a text name a dataset, and not a query? */
extern bool source_is_reference(const char *text);

/*
 * What a reference means, in the current memory context.  The role, or the
 * current one if that is NULL, must be a member of the dataset's owner:
 * unknown and forbidden are the same 42704.  Must be called inside
 * SPI_connect()/SPI_finish().
 */
extern Source *source_resolve(const char *role, const char *reference);

/* Its columns from the catalogue's JSON and key, in the current memory context. */
extern SourceColumn *source_columns(Jsonb *columns, ArrayType *key, int *n_columns);

/* The row type of the kept rows. */
extern TupleDesc source_row_type(const Source *source);

/* The name of a version, for messages. */
extern char *source_name(const Source *source);

/*
 * Hand every kept row to a callback, in a memory context that is reset after
 * it: in `slot` (values of source_row_type()) and in canonical form.  55000 if
 * the copy is not there, or went meanwhile.
 */
typedef void (*SourceRow) (void *ctx, TupleTableSlot *slot, const DatasetValue *values);
extern uint64 source_run(const Source *source, SourceRow row, void *ctx);

/* A key given as JSON as the canonical bytes of the key columns. */
extern void source_key_bytes(SourceColumn *columns, int n_columns, Jsonb *key, StringInfo out);

#endif
