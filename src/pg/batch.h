/*
 * batch.h
 *	  Scoring the rows of a query in blocks: what churnops_score and
 *	  churnops_evaluate share.
 */
#ifndef CHURNOPS_PG_BATCH_H
#define CHURNOPS_PG_BATCH_H

#include "executor/tuptable.h"

#include "pg/answer.h"
#include "pg/row.h"

/* Up to FOREST_SCORE_BLOCK encoded rows of one query for one version. */
typedef struct Batch
{
	Resolved	version;
	CachedModel *model;			/* pinned in the context of batch_begin() */
	Answer		answer;
	RowMap		map;			/* filled by batch_columns() */
	Size		row_bytes;
	uint8	   *bins;			/* FOREST_SCORE_BLOCK rows */
	int			n_rows;
} Batch;

/* As batch_begin(), of a version that is resolved. */
extern void batch_begin_version(Batch *batch, const Resolved *version);

/* Resolve the reference and take the model; everything is made in the current context. */
extern void batch_begin(Batch *batch, text *reference);

/* Match the columns of the query with the features; errors as row_map_init(). */
extern void batch_columns(Batch *batch, TupleDesc columns);

/* Take the row that was added last out again. */
static inline void
batch_take_back(Batch *batch)
{
	batch->n_rows--;
}

/* Encode a row, deformed up to batch->map.n_columns; true when the block is full. */
extern bool batch_add(Batch *batch, TupleTableSlot *slot);

/* Score the block into out, n_rows × answer.n_outputs, and empty it; returns n_rows. */
extern int	batch_score(Batch *batch, double *out);

#endif
