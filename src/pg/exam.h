/*
 * exam.h
 *	  The rows that versions are examined on: read once, scored by one version
 *	  or by two, with what is needed to measure parts of them and to resample.
 */
#ifndef CHURNOPS_PG_EXAM_H
#define CHURNOPS_PG_EXAM_H

#include "nodes/pg_list.h"

#include "pg/batch.h"
#include "pg/dataset.h"
#include "pg/host.h"
#include "pg/labels.h"

#define EXAM_VERSIONS 2

/* Of a column to slice by: more texts are refused, more numbers go into quartiles. */
#define EXAM_MAX_TEXTS 100
#define EXAM_MAX_NUMBERS 10

/* A column whose values rows are told apart by. */
typedef struct ExamSlice
{
	const char *name;
	int			column;			/* of the query, from 0 */
	DatumType	type;
	bool		by_number;
	double	   *numbers;		/* per row; NAN for missing ones */
	uint32	   *codes;			/* per row, of a text; filled for numbers by exam_run() too */
	char	  **texts;			/* by code, in the server's encoding; NULL for missing ones */
	int			n_texts;
} ExamSlice;

/* The rows as one training sees them: identity, group and time. */
typedef struct ExamLens
{
	Dataset		columns;		/* with their roles */
	Reader		reader;
	ForestCell *cells;
	HashSum		sum;			/* of all rows of the query */
	Hash128    *identity;		/* per row */
	Hash128    *group;			/* per row, if there is a key */
	double	   *time;			/* per row, if there is a time column */
} ExamLens;

/*
 * What is done with rows of the first version's holdout that the second one
 * was trained on.
 */
typedef enum ExamOverlap
{
	EXAM_EXCLUDE,
	EXAM_REFUSE,
	EXAM_KEEP
} ExamOverlap;

typedef struct Exam
{
	PgHost		host;			/* all that grows with the rows */
	int			n_versions;
	Batch		batch[EXAM_VERSIONS];
	const char *target_name;
	int			target;			/* column of the query, from 0 */
	int			n_columns;		/* of the query's row, that are needed */
	DatumType	target_type;
	Labels		labels;

	Size		n_rows;			/* with a target, in blocks that are scored */
	Size		capacity;
	double	   *outputs[EXAM_VERSIONS]; /* capacity × n_outputs of the version */
	double	   *numbers;		/* regression: the targets */
	uint32	   *classes;		/* classification: class indexes; n_classes is unknown */
	double	   *weight;			/* of the training's weight column, on its holdout; or NULL */

	uint64		n_without_target;
	uint64		n_unknown;		/* rows whose label is no class, of those that are left */
	char	   *unknown_label;	/* one of them */

	ExamLens   *lens[EXAM_VERSIONS];	/* NULL: not needed, or not to be had */
	Datum	   *values;			/* of the row at hand */
	ExamSlice  *slices;
	int			n_slices;
	ExamOverlap overlap;
	uint32	   *cluster;		/* per row: its entity, where one has several rows; or NULL */
	uint32		n_clusters;
} Exam;

/* Resolve a reference and take the model; the first version says what the target is. */
extern void exam_begin(Exam *e, text *reference);
extern void exam_add_version(Exam *e, text *reference);

/*
 * Read and score the rows of a query, or, if it is NULL, of the holdout of the
 * first version's training.  `ordered` puts rows into canonical order and
 * finds clusters; the holdout and slices are always so.  slices names columns.
 * Must be called inside SPI_connect()/SPI_finish().
 */
extern void exam_run(Exam *e, const char *query, List *slices, bool ordered, ExamOverlap overlap);

/* Memory that counts; refused with both figures. */
extern void *exam_memory(Exam *e, void *block, Size old_bytes, Size new_bytes);

/* Raise what a function of a pure library returned; its memory counts too. */
extern void exam_check(const Exam *e, const PgHost *host, Status status, const Failure *why);

#endif
