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

/* Features whose values are read in the same way. */
typedef struct RowRun
{
	const DatumType *type;
	int			first;			/* in the order of encoding */
	int			n;
} RowRun;

/*
 * How the columns of one row type become the features of one model.  The
 * features are encoded in an order of their own: those read in the same way
 * side by side, categories last.
 */
typedef struct RowMap
{
	const ForestModel *forest;
	int			n_features;
	int			n_columns;		/* the last column that is needed, counted from 1 */
	int		   *columns;		/* per feature, from 0 */
	DatumType  *types;			/* per feature, of its column */

	uint16	   *features;		/* in the order of encoding */
	DatumPlace *places;			/* of their values, in that order */
	int			n_numbers;		/* so many are no categories */
	int			n_memos;
	struct RowMemo *memos;		/* of the first categories */
	int			n_runs;
	RowRun	   *runs;			/* of numbers */
} RowMap;

/* How the values of a row lie in memory. */
typedef enum RowLayout
{
	ROW_ARRAYS,					/* Datum[] and bool[], as slots have them */
	ROW_ARGUMENTS				/* NullableDatum[], as functions have them */
} RowLayout;

/*
 * Match columns with features by name; `what` ("row", "query") is for
 * messages.  Columns that are dropped or that the model does not know are
 * ignored.  A missing feature is 42703, a column of another type class 42804,
 * a name that occurs twice 42702.  With `by_position`, columns named f1, f2, …
 * are matched by position if their number and type classes are the model's.
 * Made in the current memory context.
 */
extern void row_map_init(RowMap *map, TupleDesc columns, RowLayout layout,
						 const CachedModel *model, const Resolved *version, const char *what,
						 bool by_position);

/*
 * Encode one row, its columns deformed up to map->n_columns: the first value,
 * and the first flag of NULL.
 */
extern void row_encode(const RowMap *map, const Datum *values, const bool *nulls, uint8 *bins);

/*
 * Arguments of churnops_predict_columns() and its like.  The names are those of
 * the values in the order of the arguments.
 */
#define ROW_FUNCTION 0
#define ROW_REFERENCE 1
#define ROW_NAMES 2
#define ROW_FIRST_VALUE 3

/*
 * How the values of such a call become the features of a model.  The map lives
 * as long as the model, or as the call's function where it could not be kept.
 */
extern const RowMap *row_map_of_call(FunctionCallInfo fcinfo, CachedModel *model,
									 const Resolved *version);

/* The columns of such a call, by name and type. */
extern TupleDesc row_columns_of_call(FunctionCallInfo fcinfo);

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

/* Those of a model, kept with it. */
extern const RowNames *row_names(CachedModel *model);

/* Encode a JSON object: absent keys are 42703, values of a wrong JSON type 42804. */
extern void row_encode_json(const RowNames *names, const CachedModel *model,
							const Resolved *version, Jsonb *row, uint8 *bins);

/*
 * Encode a float8[] in feature order: 42804 unless every feature is numeric,
 * 22023 when the number of elements is not the number of features.
 */
extern void row_encode_array(const CachedModel *model, const Resolved *version, Datum array,
							 uint8 *bins);

/*
 * Would row_map_init() match these columns?  Returns what is in the way as a
 * sentence, or NULL.
 */
extern char *row_map_trouble(TupleDesc columns, const ForestModel *forest);

/* Raise 42703 or 42804 about a feature; given says what was there instead. */
pg_noreturn extern void row_missing_feature(const Resolved *version, const char *feature,
											const char *what);
pg_noreturn extern void row_wrong_type(const Resolved *version, const char *feature,
									   const char *what, ForestKind kind, const char *given);

/* The name of a feature in the server's encoding. */
extern const char *row_feature_name(const ForestModel *forest, int feature);

#endif
