/*
 * dataset.h
 *	  The rows of a training query on their way into a ForestFrame, and the
 *	  digest of them all.
 */
#ifndef CHURNOPS_PG_DATASET_H
#define CHURNOPS_PG_DATASET_H

#include "executor/tuptable.h"
#include "forest/forest.h"
#include "pg/datum.h"
#include "pg/host.h"
#include "pg/reader.h"

/* What a column of the query is for. */
typedef enum ColumnRole
{
	COLUMN_FEATURE,
	COLUMN_TARGET,
	COLUMN_KEY,
	COLUMN_WEIGHT,
	COLUMN_TIME,
	COLUMN_EXCLUDED,
} ColumnRole;

typedef struct DatasetColumn
{
	const char *name;			/* in the server's encoding */
	const char *type_name;		/* as format_type() shows it */
	DatumType	type;
	bool		varlena;		/* values may be toasted */
	bool		by_value;
	ColumnRole	role;
	int			feature;		/* its column of the frame; -1 if it is no feature */
} DatasetColumn;

/*
 * Columns and roles are filled by arguments_columns(), the rest by
 * dataset_begin() and dataset_row().
 */
typedef struct Dataset
{
	DatasetColumn *columns;		/* in the query's order */
	int			n_columns;
	int			n_features;
	int			target;			/* columns; -1 where there is none */
	int			weight;
	int			time;
	bool		has_key;

	ForestTask	task;			/* FOREST_REGRESSION where task_open may change it */
	bool		task_open;		/* by its type a number, unless only 0 and 1 come */
	bool		integer_labels;

	PgHost	   *host;
	const ForestSpill *spill;	/* set before dataset_begin(); NULL: rows stay in memory */
	bool		wants_facts;	/* set before dataset_begin(): the training will be checked */
	ForestFrame *frame;
	double		expected_rows;	/* the planner's estimate */
	uint64		n_rows;			/* of the query, unknown targets included */
	HashSum		sum;			/* of all rows, all columns */
	Reader		reader;
	Datum	   *values;			/* of the row at hand, not toasted */
	ForestCell *cells;			/* of its features, then of its other columns */
} Dataset;

/* Make an empty frame; memory comes from host and the current context. */
extern void dataset_begin(Dataset *d, PgHost *host, double expected_rows);

/* Take in one row: a QueryRow, with the Dataset as its context. */
extern void dataset_row(void *ctx, TupleTableSlot *slot);

/* SHA-256, hex, over the names and tags of the columns, and all rows in any order. */
extern char *dataset_digest(const Dataset *d);

#endif
