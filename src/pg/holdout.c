/*
 * holdout.c
 *	  The holdout of a version, row by row, for what a run of a pipeline asks
 *	  beyond the metrics of churnops_evaluate.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"

#include "pg/caller.h"
#include "pg/compat.h"
#include "pg/exam.h"
#include "pg/subset.h"

PG_FUNCTION_INFO_V1(churnops_holdout_as);

/* Columns of the result. */
enum
{
	HOLDOUT_LABEL,
	HOLDOUT_SCORE,
	HOLDOUT_WEIGHT,
	HOLDOUT_COLUMNS
};

static void
put_rows(const MetricRows *rows, ReturnSetInfo *result)
{
	for (size_t i = 0; i < rows->n; i++)
	{
		Datum		values[HOLDOUT_COLUMNS];
		bool		nulls[HOLDOUT_COLUMNS] = {false};

		values[HOLDOUT_LABEL] = BoolGetDatum(rows->positive[i] != 0);
		values[HOLDOUT_SCORE] = Float8GetDatum(rows->score[i]);
		values[HOLDOUT_WEIGHT] = Float8GetDatum(rows->weight == NULL ? 1 : rows->weight[i]);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

/* churnops.holdout_as(caller, search_path, model_ref), owner only. */
Datum
churnops_holdout_as(PG_FUNCTION_ARGS)
{
	Owner		owner;
	Exam	   *e;
	Subset	   *subset;

	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	caller_become(PG_GETARG_NAME(0), text_to_cstring(PG_GETARG_TEXT_PP(1)), &owner);
	e = palloc0(sizeof(Exam));
	exam_begin(e, PG_GETARG_TEXT_PP(2));
	exam_run(e, NULL, NIL, false, EXAM_KEEP);
	subset = subset_new(e, NULL, e->n_rows);
	if (subset->view[0].rows.task == METRIC_TASK_BINARY)
		put_rows(&subset->view[0].rows, (ReturnSetInfo *) fcinfo->resultinfo);
	subset_free(subset);
	caller_leave(&owner);
	SPI_finish();
	fcinfo->isnull = true;
	return (Datum) 0;
}
