/*
 * score.c
 *	  churnops_score: every row of a query, scored in blocks.
 *
 * The query runs as the caller.  Keys are made when a row is read and wait, in
 * a context of their own, until their block is full and scored.
 */
#include "postgres.h"

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

typedef struct Scoring
{
	Batch		batch;
	RowKey		key;
	int			n_columns;		/* of the query's row, that are needed */
	MemoryContext key_context;	/* keys of the rows in the block */
	Datum		keys[FOREST_SCORE_BLOCK];
	double	   *outputs;		/* of a block */
	Datum	   *labels;			/* by class */
	Datum		arm;			/* the alias, if there is one */
	Tuplestorestate *rows;
	TupleDesc	row_type;
} Scoring;

/* Score the rows read so far, and store them. */
static void
flush(Scoring *scoring)
{
	const Answer *answer = &scoring->batch.answer;
	int			n_rows = batch_score(&scoring->batch, scoring->outputs);
	Datum		values[SCORE_COLUMNS] = {0};
	bool		nulls[SCORE_COLUMNS] = {0};

	nulls[SCORE_KEY] = scoring->key.n_columns == 0;
	nulls[SCORE_PREDICTION] = !answer_has_number(answer);
	nulls[SCORE_CLASS] = answer->task == FOREST_REGRESSION;
	nulls[SCORE_ARM] = scoring->arm == (Datum) 0;
	values[SCORE_VERSION] = Int32GetDatum(scoring->batch.version.version);
	values[SCORE_ARM] = scoring->arm;
	for (int i = 0; i < n_rows; i++)
	{
		const double *outputs = scoring->outputs + (Size) i * answer->n_outputs;

		values[SCORE_KEY] = scoring->keys[i];
		if (!nulls[SCORE_PREDICTION])
			values[SCORE_PREDICTION] = Float8GetDatum(answer_number(answer, outputs));
		if (!nulls[SCORE_CLASS])
			values[SCORE_CLASS] = scoring->labels[answer_class(answer, outputs)];
		tuplestore_putvalues(scoring->rows, scoring->row_type, values, nulls);
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
begin_scoring(Scoring *scoring, text *reference)
{
	Answer	   *answer = &scoring->batch.answer;

	batch_begin(&scoring->batch, reference);
	scoring->outputs = palloc(sizeof(double) * FOREST_SCORE_BLOCK * answer->n_outputs);
	scoring->key_context = AllocSetContextCreate(CurrentMemoryContext, "churnops keys",
												 ALLOCSET_DEFAULT_SIZES);
	scoring->labels = palloc(sizeof(Datum) * Max(answer->n_classes, 1));
	for (int i = 0; i < answer->n_classes; i++)
		scoring->labels[i] = answer_label(answer, i);
	if (scoring->batch.version.alias[0] != '\0')
		scoring->arm = CStringGetTextDatum(scoring->batch.version.alias);
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
	scoring->rows = result->setResult;
	scoring->row_type = result->setDesc;
	begin_scoring(scoring, PG_GETARG_TEXT_PP(0));
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
