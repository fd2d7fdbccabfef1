/*
 * evaluate.c
 *	  churnops_evaluate: how good a version is on the rows of a query, or of the
 *	  holdout of its training, as a whole and by slices.
 *
 * The numbers are those of a training's own report: same functions, same
 * definitions.  On the holdout they are weighted as the training's are.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "pg/compat.h"
#include "pg/exam.h"
#include "pg/report.h"
#include "pg/subset.h"

PG_FUNCTION_INFO_V1(churnops_evaluate);

/* Arguments. */
enum
{
	ARG_MODEL_REF,
	ARG_QUERY,
	ARG_SLICES,
	ARG_CONFIDENCE,
	ARG_N_BOOTSTRAP,
	ARG_SEED
};

/* Columns of the result. */
enum
{
	EVALUATE_METRIC,
	EVALUATE_CLASS,
	EVALUATE_VALUE,
	EVALUATE_N,
	EVALUATE_SLICE,
	EVALUATE_SLICE_VALUE,
	EVALUATE_CI_LOW,
	EVALUATE_CI_HIGH,
	EVALUATE_FLAGGED,
	EVALUATE_SMALL,
	EVALUATE_METHOD,
	EVALUATE_N_RESAMPLES,
	EVALUATE_COLUMNS
};

/* What a row of the result belongs to: the whole, or a slice of it. */
typedef struct Part
{
	ReturnSetInfo *result;
	const Exam *exam;
	Size		n_rows;
	const ExamSlice *slice;		/* NULL: the whole */
	int			code;			/* of the slice's value */
	const SubsetReport *whole;	/* of a slice: what it is compared with */
} Part;

static void
put_text(Datum *values, bool *nulls, int column, const char *text)
{
	nulls[column] = text == NULL;
	if (text != NULL)
		values[column] = CStringGetTextDatum(text);
}

static void
put_number(Datum *values, bool *nulls, int column, double number)
{
	nulls[column] = isnan(number);
	values[column] = Float8GetDatum(number);
}

/* whole is the value of the whole, NULL in the whole itself. */
static void
put_row(const Part *part, const char *metric, Datum class_label, const SubsetValue *value,
		int64 n, const SubsetValue *whole)
{
	Datum		values[EVALUATE_COLUMNS] = {0};
	bool		nulls[EVALUATE_COLUMNS] = {0};
	bool		is_slice = part->slice != NULL;

	put_text(values, nulls, EVALUATE_METRIC, metric);
	values[EVALUATE_CLASS] = class_label;
	nulls[EVALUATE_CLASS] = class_label == (Datum) 0;
	put_number(values, nulls, EVALUATE_VALUE, value->value);
	values[EVALUATE_N] = Int64GetDatum(n);
	put_text(values, nulls, EVALUATE_SLICE, is_slice ? part->slice->name : NULL);
	put_text(values, nulls, EVALUATE_SLICE_VALUE,
			 is_slice ? part->slice->texts[part->code] : NULL);
	put_number(values, nulls, EVALUATE_CI_LOW, value->low);
	put_number(values, nulls, EVALUATE_CI_HIGH, value->high);
	/* an interval without width says that nothing varied, not that nothing could */
	nulls[EVALUATE_FLAGGED] = whole == NULL || isnan(whole->value) || !(value->low < value->high);
	if (!nulls[EVALUATE_FLAGGED])
		values[EVALUATE_FLAGGED] = BoolGetDatum(whole->value < value->low ||
												whole->value > value->high);
	values[EVALUATE_SMALL] = BoolGetDatum(part->n_rows < SUBSET_SMALL);
	put_text(values, nulls, EVALUATE_METHOD, subset_method_name(value->method));
	nulls[EVALUATE_N_RESAMPLES] = value->n_used == 0;
	values[EVALUATE_N_RESAMPLES] = Int32GetDatum((int32) value->n_used);
	tuplestore_putvalues(part->result->setResult, part->result->setDesc, values, nulls);
}

/* Precision, recall, F1 and support of each class, in class order. */
static void
put_classes(const Part *part, const SubsetReport *report)
{
	static const char *const names[] = {"precision", "recall", "f1"};
	const Answer *answer = &part->exam->batch[0].answer;

	for (int k = 0; k < answer->n_classes; k++)
	{
		Datum		label = answer_label(answer, k);
		SubsetValue support = {.value = report->support[k], .low = NAN, .high = NAN};
		int64		n = (int64) report->support[k];

		for (int i = 0; i < CLASS_VALUES; i++)
			put_row(part, names[i], label, &report->classes[k * CLASS_VALUES + i], n,
					part->whole == NULL ? NULL : &part->whole->classes[k * CLASS_VALUES + i]);
		put_row(part, "support", label, &support, n, NULL);
	}
}

/* Metrics in the order of a report, then those of classes. */
static void
put_report(const Part *part, const SubsetReport *report)
{
	for (int i = 0; i < METRIC_COUNT; i++)
	{
		if ((report->applies >> i & 1) != 0)
			put_row(part, metric_name(i), (Datum) 0, &report->metric[i], (int64) part->n_rows,
					part->whole == NULL ? NULL : &part->whole->metric[i]);
	}
	if (part->exam->batch[0].answer.task == FOREST_CLASSIFICATION)
		put_classes(part, report);
}

/* Slices in order: numbers as they are found, texts by their bytes, NULL last. */
static int
compare_codes(const void *a, const void *b, void *arg)
{
	const ExamSlice *slice = arg;
	const char *x = slice->texts[*(const int *) a];
	const char *y = slice->texts[*(const int *) b];

	if (x == NULL || y == NULL)
		return (x == NULL) - (y == NULL);
	return strcmp(x, y);
}

static void
put_slice(Exam *e, const ExamSlice *slice, const SubsetOptions *options, Part *part)
{
	int		   *codes = palloc(sizeof(int) * Max(slice->n_texts, 1));
	uint32	   *chosen = exam_memory(e, NULL, 0, Max(e->n_rows, 1) * sizeof(uint32));

	for (int i = 0; i < slice->n_texts; i++)
		codes[i] = i;
	if (!slice->by_number)
		qsort_arg(codes, slice->n_texts, sizeof(int), compare_codes, unconstify(ExamSlice *, slice));
	for (int i = 0; i < slice->n_texts; i++)
	{
		SubsetReport report;
		Subset	   *subset;
		Size		n = 0;

		CHECK_FOR_INTERRUPTS();
		for (Size row = 0; row < e->n_rows; row++)
			if (slice->codes[row] == (uint32) codes[i])
				chosen[n++] = (uint32) row;
		if (n == 0)
			continue;
		subset = subset_new(e, chosen, n);
		subset_measure(subset, options, &report);
		part->slice = slice;
		part->code = codes[i];
		part->n_rows = n;
		put_report(part, &report);
		subset_free(subset);
	}
	(void) exam_memory(e, chosen, Max(e->n_rows, 1) * sizeof(uint32), 0);
}

/* The names of an array of texts; NIL if it is NULL. */
static List *
names_of(FunctionCallInfo fcinfo, int argument, const char *name)
{
	Datum	   *elements;
	bool	   *nulls;
	int			n;
	List	   *names = NIL;

	if (PG_ARGISNULL(argument))
		return NIL;
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(argument), TEXTOID, -1, false, TYPALIGN_INT, &elements,
					  &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("argument \"%s\" must not have a NULL in it", name)));
		names = lappend(names, TextDatumGetCString(elements[i]));
	}
	return names;
}

Datum
churnops_evaluate(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	SubsetOptions options = {.intervals = !PG_ARGISNULL(ARG_CONFIDENCE)};
	SubsetReport whole;
	Subset	   *subset;
	Exam	   *e;
	List	   *slices;
	Part		part = {.result = result};

	if (PG_ARGISNULL(ARG_MODEL_REF))
		report_null_argument("model_ref");
	if (PG_ARGISNULL(ARG_N_BOOTSTRAP))
		report_null_argument("n_bootstrap");
	if (PG_ARGISNULL(ARG_SEED))
		report_null_argument("seed");
	if (options.intervals)
		options.confidence = PG_GETARG_FLOAT8(ARG_CONFIDENCE);
	options.n_resamples = PG_GETARG_INT32(ARG_N_BOOTSTRAP);
	options.seed = PG_GETARG_INT32(ARG_SEED);
	subset_check_options(&options);
	slices = names_of(fcinfo, ARG_SLICES, "slices");

	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	e = palloc0(sizeof(Exam));
	exam_begin(e, PG_GETARG_TEXT_PP(ARG_MODEL_REF));
	exam_run(e, PG_ARGISNULL(ARG_QUERY) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(ARG_QUERY)),
			 slices, options.intervals, EXAM_KEEP);
	part.exam = e;
	part.n_rows = e->n_rows;
	subset = subset_new(e, NULL, e->n_rows);
	subset_measure(subset, &options, &whole);
	subset_free(subset);
	put_report(&part, &whole);
	part.whole = &whole;
	for (int i = 0; i < e->n_slices; i++)
		put_slice(e, &e->slices[i], &options, &part);
	SPI_finish();
	fcinfo->isnull = true;
	return (Datum) 0;
}
