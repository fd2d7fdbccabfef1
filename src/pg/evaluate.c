/*
 * evaluate.c
 *	  churnops_evaluate: how good a version is on the rows of a query.
 *
 * The query runs as the caller; outputs and targets of all rows are kept until
 * it has ended, within churnops.training_memory, since ranks need all of them.
 * The numbers are those of a training's own report: same functions, same
 * definitions.
 *
 * Rows without a target are left out and counted.  Rows whose target is a
 * label that the model never saw count: whatever is predicted for them is
 * wrong.  They are taken as one more class, which is never predicted and has
 * probability 0:
 *
 *	  several classes	every metric is that of the model's classes and this one
 *	  two classes		what asks for the positive class only (precision, recall
 *						and F1, ROC AUC, average precision, log loss, Brier
 *						score, KS, lift) takes such rows as not positive; what
 *						counts hits or averages over classes (accuracy, balanced
 *						accuracy, macro and weighted forms, MCC) is that of three
 *						classes
 *
 * Without such rows nothing differs from the plain report.
 */
#include "postgres.h"

#include <math.h>

#include "executor/spi.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "metric/metric.h"
#include "pg/batch.h"
#include "pg/budget.h"
#include "pg/catalog.h"
#include "pg/labels.h"
#include "pg/query.h"
#include "pg/report.h"

PG_FUNCTION_INFO_V1(churnops_evaluate);

/* Columns of the result. */
enum
{
	EVALUATE_METRIC,
	EVALUATE_CLASS,
	EVALUATE_VALUE,
	EVALUATE_N,
	EVALUATE_COLUMNS
};

/* Metrics of a two-class model that count classes, not the positive class alone. */
#define BIT(metric) (UINT32_C(1) << (metric))
#define OVER_CLASSES \
	(BIT(METRIC_ACCURACY) | BIT(METRIC_BALANCED_ACCURACY) | BIT(METRIC_MCC) | \
	 BIT(METRIC_PRECISION_MACRO) | BIT(METRIC_PRECISION_WEIGHTED) | \
	 BIT(METRIC_RECALL_MACRO) | BIT(METRIC_RECALL_WEIGHTED) | \
	 BIT(METRIC_F1_MACRO) | BIT(METRIC_F1_WEIGHTED))

typedef struct Evaluation
{
	Batch		batch;
	const char *target_name;
	int			target;			/* column of the query, from 0 */
	int			n_columns;		/* of the query's row, that are needed */
	DatumType	target_type;
	Labels		labels;
	PgHost		host;			/* all that grows with the rows */

	Size		n_rows;			/* with a target, in blocks that are scored */
	Size		capacity;
	double	   *outputs;		/* capacity × answer.n_outputs */
	double	   *numbers;		/* regression: the targets */
	uint32	   *classes;		/* classification: class indexes; n_classes is unknown */

	uint64		n_without_target;
	uint64		n_unknown;		/* rows whose label is no class */
	char	   *unknown_label;	/* one of them */
} Evaluation;

/* ----------------------------------------------------------------- rows -- */

/* Memory that counts; refused with both figures. */
static void *
take_memory(Evaluation *e, void *block, Size old_bytes, Size new_bytes)
{
	void	   *taken = e->host.host.realloc(&e->host, block, old_bytes, new_bytes);

	if (taken == NULL)
		ereport(ERROR,
				(errcode(e->host.refused ? ERRCODE_PROGRAM_LIMIT_EXCEEDED :
						 ERRCODE_OUT_OF_MEMORY),
				 errmsg("evaluation of more than %zu rows needs %s of memory, "
						"churnops.training_memory is %s", e->n_rows,
						budget_text(e->host.used - old_bytes + new_bytes),
						budget_text(budget_bytes())),
				 errhint("Raise churnops.training_memory, or give a sample of the rows.")));
	return taken;
}

/* Make room for a block more. */
static void
grow(Evaluation *e)
{
	Size		old = e->capacity;
	Size		capacity = old + Max(old / 2, FOREST_SCORE_BLOCK * 4);
	Size		output_bytes = sizeof(double) * e->batch.answer.n_outputs;

	e->outputs = take_memory(e, e->outputs, old * output_bytes, capacity * output_bytes);
	if (e->batch.answer.task == FOREST_REGRESSION)
		e->numbers = take_memory(e, e->numbers, old * sizeof(double), capacity * sizeof(double));
	else
		e->classes = take_memory(e, e->classes, old * sizeof(uint32), capacity * sizeof(uint32));
	e->capacity = capacity;
}

static void
flush(Evaluation *e)
{
	e->n_rows += batch_score(&e->batch, e->outputs + e->n_rows * e->batch.answer.n_outputs);
}

/* A number as target; false if it is NaN, which is no target. */
static bool
take_number(Evaluation *e, Size row, Datum value)
{
	ForestCell	cell;

	datum_cell(&e->target_type, value, false, &cell);
	if (cell.missing)
		return false;
	if (isinf(cell.number))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("column \"%s\" has an infinite value", e->target_name)));
	e->numbers[row] = cell.number;
	return true;
}

static void
take_label(Evaluation *e, Size row, Datum value)
{
	const char *label;
	size_t		n_bytes;
	double		order;
	int			class_index;

	datum_label(&e->target_type, value, &label, &n_bytes, &order);
	class_index = labels_find(&e->labels, label, n_bytes);
	if (class_index < 0)
	{
		class_index = e->batch.answer.n_classes;
		if (e->n_unknown++ == 0)
			e->unknown_label = MemoryContextStrdup(e->host.context,
												   report_text(pnstrdup(label, n_bytes)));
	}
	e->classes[row] = (uint32) class_index;
}

/* QueryRow */
static void
take_row(void *ctx, TupleTableSlot *slot)
{
	Evaluation *e = ctx;
	Size		row = e->n_rows + e->batch.n_rows;
	bool		has_target;

	slot_getsomeattrs(slot, e->n_columns);
	has_target = !slot->tts_isnull[e->target];
	if (has_target)
	{
		if (row >= e->capacity)
			grow(e);
		if (e->batch.answer.task == FOREST_REGRESSION)
			has_target = take_number(e, row, slot->tts_values[e->target]);
		else
			take_label(e, row, slot->tts_values[e->target]);
	}
	if (!has_target)
		e->n_without_target++;
	else if (batch_add(&e->batch, slot))
		flush(e);
}

/* -------------------------------------------------------------- columns -- */

static char *
target_of_model(const char *model)
{
	ProbeKey	key = {.column = "name", .text = model};
	Probe		probe;
	char	   *target = NULL;

	if (probe_begin(&probe, "model", "model_pkey", &key, 1))
		target = probe_text(&probe, "target");
	probe_end(&probe);
	if (target == NULL)
		elog(ERROR, "model \"%s\" has gone", model);
	return target;
}

/* Find the target among the columns of the query. */
static void
find_target(Evaluation *e, TupleDesc columns)
{
	Oid			type;

	e->target_name = target_of_model(e->batch.version.model);
	e->target = SPI_fnumber(columns, e->target_name) - 1;
	if (e->target < 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("the query has no column \"%s\", which is the target of model \"%s\"",
						e->target_name, e->batch.version.model),
				 errhint("Add the column to the query: without it there is nothing to compare "
						 "predictions with.")));
	type = TupleDescAttr(columns, e->target)->atttypid;
	datum_type_init(&e->target_type, type, CurrentMemoryContext);
	if (e->batch.answer.task == FOREST_REGRESSION &&
		(!e->target_type.supported || e->target_type.kind != FOREST_NUMERIC))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("target column \"%s\" is of type %s, but model \"%s\" predicts a number",
						e->target_name, format_type_be(type), e->batch.version.model),
				 errhint("Cast it in the query, as in SELECT %s::double precision AS %s.",
						 quote_identifier(e->target_name), quote_identifier(e->target_name))));
	e->n_columns = Max(e->batch.map.n_columns, e->target + 1);
}

/* -------------------------------------------------------------- metrics -- */

/* Raise what a metric function returned; its memory counts too. */
static void
check_metric(const Evaluation *e, Status status, const Failure *why)
{
	if (status == STATUS_NO_MEMORY && e->host.refused)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("evaluation of %zu rows needs more than %s of memory, "
						"churnops.training_memory is %s", e->n_rows, budget_text(e->host.used),
						budget_text(budget_bytes())),
				 errhint("Raise churnops.training_memory, or give a sample of the rows.")));
	report_status(status, why);
}

/*
 * Outputs and labels with the unknown class as one more.  Of two classes the
 * positive one comes first, since ties go to the first and a probability of
 * 0.5 is positive.
 */
static void
report_with_unknown(Evaluation *e, MetricReport *report)
{
	const Answer *answer = &e->batch.answer;
	uint32		n_classes = (uint32) answer->n_classes;
	bool		swap = n_classes == 2 && answer->positive == 1;
	double	   *rows = take_memory(e, NULL, 0, e->n_rows * (n_classes + 1) * sizeof(double));
	uint32	   *labels = take_memory(e, NULL, 0, e->n_rows * sizeof(uint32));
	Failure		why;

	for (Size i = 0; i < e->n_rows; i++)
	{
		double	   *row = rows + i * (n_classes + 1);

		forest_probabilities(answer->forest, e->outputs + i * answer->n_outputs, row);
		row[n_classes] = 0;
		labels[i] = e->classes[i];
		if (swap)
		{
			double		first = row[0];

			row[0] = row[1];
			row[1] = first;
			labels[i] = labels[i] < 2 ? 1 - labels[i] : labels[i];
		}
	}
	check_metric(e, metric_multiclass(&e->host.host, labels, rows, n_classes + 1, NULL, e->n_rows,
									  report, &why), &why);
}

static void
report_two_classes(Evaluation *e, MetricReport *report)
{
	const Answer *answer = &e->batch.answer;
	uint8_t    *labels = take_memory(e, NULL, 0, e->n_rows);
	double	   *scores = take_memory(e, NULL, 0, e->n_rows * sizeof(double));
	MetricReport three;
	Failure		why;

	for (Size i = 0; i < e->n_rows; i++)
	{
		labels[i] = e->classes[i] == (uint32) answer->positive;
		scores[i] = answer_number(answer, e->outputs + i);
	}
	check_metric(e, metric_binary(&e->host.host, labels, scores, NULL, e->n_rows, report, &why),
				 &why);
	if (e->n_unknown == 0)
		return;
	report_with_unknown(e, &three);
	for (int i = 0; i < METRIC_COUNT; i++)
	{
		if ((OVER_CLASSES & BIT(i)) != 0)
			report->value[i] = three.value[i];
	}
}

static void
make_report(Evaluation *e, MetricReport *report)
{
	const Answer *answer = &e->batch.answer;
	Status		status = STATUS_OK;
	Failure		why;

	if (answer->task == FOREST_REGRESSION)
		status = metric_regression(&e->host.host, e->numbers, e->outputs, NULL, e->n_rows, report,
								   &why);
	else if (answer->n_outputs == 1)
		report_two_classes(e, report);
	else if (e->n_unknown > 0)
		report_with_unknown(e, report);
	else
		status = metric_multiclass(&e->host.host, e->classes, e->outputs, answer->n_outputs, NULL,
								   e->n_rows, report, &why);
	check_metric(e, status, &why);
}

/* --------------------------------------------------------------- result -- */

static void
put_row(ReturnSetInfo *result, const char *metric, Datum class_label, double value, int64 n)
{
	Datum		values[EVALUATE_COLUMNS];
	bool		nulls[EVALUATE_COLUMNS] = {0};

	values[EVALUATE_METRIC] = CStringGetTextDatum(metric);
	values[EVALUATE_CLASS] = class_label;
	values[EVALUATE_VALUE] = Float8GetDatum(value);
	values[EVALUATE_N] = Int64GetDatum(n);
	nulls[EVALUATE_CLASS] = class_label == (Datum) 0;
	nulls[EVALUATE_VALUE] = isnan(value);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* Metrics in the order of a report. */
static void
put_report(Evaluation *e, ReturnSetInfo *result)
{
	MetricReport report;

	make_report(e, &report);
	for (int i = 0; i < METRIC_COUNT; i++)
	{
		if ((report.applies & BIT(i)) != 0)
			put_row(result, metric_name(i), (Datum) 0, report.value[i], (int64) e->n_rows);
	}
}

/* Precision, recall, F1 and support of each class, in class order. */
static void
put_classes(Evaluation *e, ReturnSetInfo *result)
{
	const Answer *answer = &e->batch.answer;
	uint32		n_classes = (uint32) answer->n_classes;
	uint32	   *predicted = take_memory(e, NULL, 0, e->n_rows * sizeof(uint32));
	MetricClass *classes = palloc0(sizeof(MetricClass) * (n_classes + 1));
	Failure		why;

	for (Size i = 0; i < e->n_rows; i++)
		predicted[i] = (uint32) answer_class(answer, e->outputs + i * answer->n_outputs);
	check_metric(e, metric_per_class(e->classes, predicted, NULL, e->n_rows, n_classes + 1,
									 classes, &why), &why);
	for (uint32 i = 0; i < n_classes; i++)
	{
		Datum		label = answer_label(answer, (int) i);
		int64		n = (int64) classes[i].support;

		put_row(result, "precision", label, classes[i].precision, n);
		put_row(result, "recall", label, classes[i].recall, n);
		put_row(result, "f1", label, classes[i].f1, n);
		put_row(result, "support", label, classes[i].support, n);
	}
}

static void
give_notices(const Evaluation *e)
{
	if (e->n_rows == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the query has no row with a target"),
				 e->n_without_target == 0 ? errdetail("It has no rows at all.") :
				 errdetail("Column \"%s\" is NULL in every row.", e->target_name)));
	if (e->n_without_target > 0)
		ereport(NOTICE,
				(errmsg("rows left out because they have no target: " UINT64_FORMAT,
						e->n_without_target)));
	if (e->n_unknown > 0)
		ereport(NOTICE,
				(errmsg("rows whose target is no class of model \"%s\": " UINT64_FORMAT
						", for example \"%s\"", e->batch.version.model, e->n_unknown,
						e->unknown_label),
				 errdetail("Every prediction for them counts as wrong.")));
}

Datum
churnops_evaluate(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Evaluation *e;
	UserQuery  *query;

	if (PG_ARGISNULL(0))
		report_null_argument("model_ref");
	if (PG_ARGISNULL(1))
		report_null_argument("query");
	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	e = palloc0(sizeof(Evaluation));
	pg_host_init(&e->host, AllocSetContextCreate(CurrentMemoryContext, "churnops evaluation",
												 ALLOCSET_DEFAULT_SIZES), budget_bytes());
	batch_begin(&e->batch, PG_GETARG_TEXT_PP(0));
	labels_init(&e->labels, e->batch.model->forest);
	query = query_prepare(text_to_cstring(PG_GETARG_TEXT_PP(1)));
	batch_columns(&e->batch, query_columns(query));
	find_target(e, query_columns(query));
	(void) query_run(query, take_row, e);
	flush(e);
	give_notices(e);
	put_report(e, result);
	if (e->batch.answer.task == FOREST_CLASSIFICATION)
		put_classes(e, result);
	SPI_finish();
	fcinfo->isnull = true;
	return (Datum) 0;
}
