/*
 * score.c
 *	  churnops_score: every row of a query, scored in blocks.
 *
 * The query runs as the caller.  Keys are made when a row is read and wait, in
 * a context of their own, until their block is full and scored.
 *
 * Forming a tuple costs as much as scoring a row, and rows of one class differ
 * in two columns only, the first ones: the key and the prediction.  So a row is
 * formed once per class, without a key, and copied.  What follows a key is put
 * at a multiple of what its first value, the prediction or else the class, is
 * aligned to; it began at such a place when it was formed.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "pg/batch.h"
#include "pg/query.h"
#include "pg/report.h"
#include "pg/row_key.h"

PG_FUNCTION_INFO_V1(churnops_score);

/* Columns of churnops.score_row. */
enum
{
	SCORE_KEY,
	SCORE_PREDICTION,
	SCORE_CLASS,
	SCORE_VERSION,
	SCORE_ARM,
	SCORE_COLUMNS
};

#define FIRST_ROW_BYTES 256

typedef struct Scoring
{
	Batch		batch;
	RowKey		key;
	int			n_columns;		/* of the query's row, that are needed */
	MemoryContext key_context;	/* keys of the rows in the block */
	Datum		keys[FOREST_SCORE_BLOCK];
	double	   *outputs;		/* of a block */
	HeapTuple  *formed;			/* by class; of a regression, one */
	HeapTupleData row;			/* the next one, if it has a key */
	Size		row_capacity;	/* bytes of its data */
	Tuplestorestate *rows;
} Scoring;

/* Form the row of a class, its key NULL and its prediction, if it has one, 0. */
static HeapTuple
form_row(const Scoring *scoring, int class_index, TupleDesc row_type)
{
	const Answer *answer = &scoring->batch.answer;
	const Resolved *version = &scoring->batch.version;
	Datum		values[SCORE_COLUMNS] = {0};
	bool		nulls[SCORE_COLUMNS] = {0};

	nulls[SCORE_KEY] = true;
	nulls[SCORE_PREDICTION] = !answer_has_number(answer);
	values[SCORE_PREDICTION] = Float8GetDatum(0);
	nulls[SCORE_CLASS] = answer->task == FOREST_REGRESSION;
	if (!nulls[SCORE_CLASS])
		values[SCORE_CLASS] = answer_label(answer, class_index);
	values[SCORE_VERSION] = Int32GetDatum(version->version);
	nulls[SCORE_ARM] = version->alias[0] == '\0';
	if (!nulls[SCORE_ARM])
		values[SCORE_ARM] = CStringGetTextDatum(version->alias);
	return heap_form_tuple(row_type, values, nulls);
}

/* The values of a formed row behind its key. */
static inline char *
values_of(HeapTuple row)
{
	return (char *) row->t_data + row->t_data->t_hoff;
}

/* Make scoring->row of a formed row and a key. */
static HeapTuple
put_key(Scoring *scoring, HeapTuple formed, Datum key)
{
	HeapTuple	row = &scoring->row;
	struct varlena *json = (struct varlena *) DatumGetPointer(key);
	Size		key_bytes = VARATT_CAN_MAKE_SHORT(json) ?
		VARATT_CONVERTED_SHORT_SIZE(json) : VARSIZE(json);
	Size		key_space = answer_has_number(&scoring->batch.answer) ?
		DOUBLEALIGN(key_bytes) : INTALIGN(key_bytes);
	Size		header_bytes = formed->t_data->t_hoff;
	char	   *at;

	row->t_len = (uint32) (formed->t_len + key_space);
	if (row->t_len > scoring->row_capacity)
	{
		scoring->row_capacity = (Size) row->t_len * 2;
		row->t_data = repalloc_huge(row->t_data, scoring->row_capacity);
	}
	memcpy(row->t_data, formed->t_data, header_bytes);
	row->t_data->t_infomask |= HEAP_HASVARWIDTH;
	row->t_data->t_bits[0] |= 1 << SCORE_KEY;
	at = values_of(row);
	if (key_bytes < VARSIZE(json))
	{
		SET_VARSIZE_SHORT(at, key_bytes);
		memcpy(at + VARHDRSZ_SHORT, VARDATA(json), key_bytes - VARHDRSZ_SHORT);
	}
	else
		memcpy(at, json, key_bytes);
	memset(at + key_bytes, 0, key_space - key_bytes);
	memcpy(at + key_space, values_of(formed), formed->t_len - header_bytes);
	return row;
}

/* Score the rows read so far, and store them. */
static void
flush(Scoring *scoring)
{
	const Answer *answer = &scoring->batch.answer;
	int			n_rows = batch_score(&scoring->batch, scoring->outputs);
	bool		has_number = answer_has_number(answer);

	for (int i = 0; i < n_rows; i++)
	{
		const double *outputs = scoring->outputs + (Size) i * answer->n_outputs;
		int			class_index = answer->n_classes > 0 ? answer_class(answer, outputs) : 0;
		HeapTuple	row = scoring->formed[class_index];

		if (has_number)
		{
			double		number = answer_number(answer, outputs);

			memcpy(values_of(row), &number, sizeof(number));
		}
		if (scoring->key.n_columns > 0)
			row = put_key(scoring, row, scoring->keys[i]);
		tuplestore_puttuple(scoring->rows, row);
	}
	MemoryContextReset(scoring->key_context);
}

/* QueryRow */
static void
take_row(void *ctx, TupleTableSlot *slot)
{
	Scoring    *scoring = ctx;

	slot_getsomeattrs(slot, scoring->n_columns);
	if (scoring->key.n_columns > 0)
	{
		MemoryContext row_context = MemoryContextSwitchTo(scoring->key_context);

		scoring->keys[scoring->batch.n_rows] =
			row_key_jsonb(&scoring->key, slot->tts_values, slot->tts_isnull);
		(void) MemoryContextSwitchTo(row_context);
	}
	if (batch_add(&scoring->batch, slot))
		flush(scoring);
}

/* What stays the same for all rows. */
static void
begin_scoring(Scoring *scoring, text *reference, ReturnSetInfo *result)
{
	Answer	   *answer = &scoring->batch.answer;
	int			n_formed;

	batch_begin(&scoring->batch, reference);
	scoring->outputs = palloc(sizeof(double) * FOREST_SCORE_BLOCK * answer->n_outputs);
	scoring->key_context = AllocSetContextCreate(CurrentMemoryContext, "churnops keys",
												 ALLOCSET_DEFAULT_SIZES);
	n_formed = Max(answer->n_classes, 1);
	scoring->formed = palloc(sizeof(HeapTuple) * n_formed);
	for (int i = 0; i < n_formed; i++)
		scoring->formed[i] = form_row(scoring, i, result->setDesc);
	scoring->row = *scoring->formed[0];
	scoring->row_capacity = FIRST_ROW_BYTES;
	scoring->row.t_data = palloc(scoring->row_capacity);
	scoring->rows = result->setResult;
}

static void
check_arguments(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		report_null_argument("model_ref");
	if (PG_ARGISNULL(1))
		report_null_argument("query");
	if (!PG_ARGISNULL(3) && PG_GETARG_BOOL(3))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("predictions cannot be logged yet"),
				 errdetail("The prediction log comes with the release that has deployments."),
				 errhint("Leave out log, and store the rows with "
						 "CREATE TABLE ... AS SELECT * FROM churnops_score(...).")));
}

Datum
churnops_score(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Scoring    *scoring;
	UserQuery  *query;

	check_arguments(fcinfo);
	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	scoring = palloc0(sizeof(Scoring));
	begin_scoring(scoring, PG_GETARG_TEXT_PP(0), result);
	query = query_prepare(text_to_cstring(PG_GETARG_TEXT_PP(1)));
	batch_columns(&scoring->batch, query_columns(query));
	row_key_init(&scoring->key, PG_ARGISNULL(2) ? NULL : PG_GETARG_ARRAYTYPE_P(2),
				 query_columns(query));
	scoring->n_columns = Max(scoring->batch.map.n_columns, scoring->key.last_column);
	(void) query_run(query, take_row, scoring);
	flush(scoring);
	SPI_finish();
	fcinfo->isnull = true;
	return (Datum) 0;
}
