/*
 * batch.c
 *	  Scoring the rows of a query in blocks.
 *
 * The reference is resolved once, before the query runs, under the snapshot of
 * the calling statement: all rows of a call are scored by one version.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "pg/batch.h"
#include "pg/compat.h"

void
batch_begin(Batch *batch, text *reference)
{
	batch->version = *reference_resolve(VARDATA_ANY(reference), VARSIZE_ANY_EXHDR(reference));
	batch->model = cache_model(&batch->version);
	cache_pin_in_context(batch->model, CurrentMemoryContext);
	answer_init(&batch->answer, batch->model, &batch->version);
	batch->row_bytes = forest_model_row_bytes(batch->model->forest);
	batch->bins = palloc0(batch->row_bytes * FOREST_SCORE_BLOCK);
	batch->n_rows = 0;
}

void
batch_columns(Batch *batch, TupleDesc columns)
{
	row_map_init(&batch->map, columns, ROW_ARRAYS, batch->model, &batch->version, "query",
				 false);
}

bool
batch_add(Batch *batch, TupleTableSlot *slot)
{
	row_encode(&batch->map, slot->tts_values, slot->tts_isnull,
			   batch->bins + batch->row_bytes * batch->n_rows);
	return ++batch->n_rows == FOREST_SCORE_BLOCK;
}

int
batch_score(Batch *batch, double *out)
{
	int			n_rows = batch->n_rows;

	if (n_rows > 0)
	{
		cache_expect(batch->model, n_rows);
		forest_score(batch->model->forest, batch->bins, n_rows, out);
	}
	batch->n_rows = 0;
	return n_rows;
}
