/*
 * row.h
 *	  Rows of any form on their way into a model: columns by name, JSON
 *	  objects, arrays.  Each form becomes the model's bins.
 */
#ifndef CHURNOPS_PG_ROW_H
#define CHURNOPS_PG_ROW_H

#include "access/tupdesc.h"
#include "utils/jsonb.h"

#include "pg/cache.h"
#include "pg/compat.h"
#include "pg/datum.h"

/* How the columns of one row type become the features of one model. */
typedef struct RowMap
{
	const ForestModel *forest;
	int			n_features;
	int			n_columns;		/* the last column that is needed, counted from 1 */
	int		   *columns;		/* per feature, from 0 */
	DatumType  *types;			/* per feature, of its column */
} RowMap;

/*
 * Match columns with features by name; `what` ("row", "query") is for
 * messages.  Columns that are dropped or that the model does not know are
 * ignored.  A missing feature is 42703, a column of another type class 42804,
 * a name that occurs twice 42702.  With `by_position`, columns named f1, f2, …
 * are matched by position if their number and type classes are the model's.
 * Made in the current memory context.
 */
extern void row_map_init(RowMap *map, TupleDesc columns, const CachedModel *model,
						 const Resolved *version, const char *what, bool by_position);

/* Encode one row, its columns deformed up to map->n_columns. */
extern void row_encode(const RowMap *map, const Datum *values, const bool *nulls, uint8 *bins);

/* What is needed to look a feature up in JSON. */
typedef struct RowName
{
	const char *name;			/* in the server's encoding */
	int			length;
	ForestKind	kind;
	DatumType	time;			/* of kinds of time: how a value is read */
} RowName;

typedef struct RowNames
{
	int			n_features;
	RowName    *features;
} RowNames;

/* Made in the current memory context. */
extern void row_names_init(RowNames *names, const ForestModel *forest);

/* Encode a JSON object: absent keys are 42703, values of a wrong JSON type 42804. */
extern void row_encode_json(const RowNames *names, const CachedModel *model,
							const Resolved *version, Jsonb *row, uint8 *bins);

/*
 * Encode a float8[] in feature order: 42804 unless every feature is numeric,
 * 22023 when the number of elements is not the number of features.
 */
extern void row_encode_array(const CachedModel *model, const Resolved *version, Datum array,
							 uint8 *bins);

/* Raise 42703 or 42804 about a feature; given says what was there instead. */
pg_noreturn extern void row_missing_feature(const Resolved *version, const char *feature,
											const char *what);
pg_noreturn extern void row_wrong_type(const Resolved *version, const char *feature,
									   const char *what, ForestKind kind, const char *given);

/* The name of a feature in the server's encoding. */
extern const char *row_feature_name(const ForestModel *forest, int feature);

#endif
