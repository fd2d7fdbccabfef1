/*
 * compare.c
 *	  churnops_compare: two versions on the same rows, metric by metric, with
 *	  intervals of the differences, tests, and a verdict on one metric.
 *
 * The query runs once, and both versions score its rows.  AUCs are compared by
 * DeLong's test and hits by McNemar's, so long as rows are independent and of
 * one weight; all else by a paired bootstrap: both versions are measured on the
 * same resamples.
 *
 * The verdict is about how much better the first version is: the difference,
 * with its sign turned where less is better.
 */
#include "postgres.h"

#include <math.h>

#include "executor/spi.h"
#include "funcapi.h"
#include "utils/builtins.h"

#include "pg/compat.h"
#include "pg/exam.h"
#include "pg/report.h"
#include "pg/subset.h"

PG_FUNCTION_INFO_V1(churnops_compare);

/* Arguments. */
enum
{
	ARG_REF_A,
	ARG_REF_B,
	ARG_QUERY,
	ARG_CONFIDENCE,
	ARG_METRIC,
	ARG_MARGIN,
	ARG_N_BOOTSTRAP,
	ARG_SEED,
	ARG_MID_P,
	ARG_OVERLAP,
	ARG_COUNT
};

/* Columns of the result. */
enum
{
	COMPARE_METRIC,
	COMPARE_VALUE_A,
	COMPARE_VALUE_B,
	COMPARE_DIFFERENCE,
	COMPARE_CI_LOW,
	COMPARE_CI_HIGH,
	COMPARE_P_VALUE,
	COMPARE_TEST,
	COMPARE_N,
	COMPARE_N_RESAMPLES,
	COMPARE_MARGIN,
	COMPARE_BOUND,
	COMPARE_VERDICT,
	COMPARE_COLUMNS
};

typedef struct Comparison
{
	Exam		exam;
	Subset	   *rows;
	SubsetOptions options;
	bool		mid_p;
	int			metric;			/* of the verdict */
	double		margin;
	MetricReport report[EXAM_VERSIONS];
} Comparison;

/* One metric of both. */
typedef struct Difference
{
	double		low;
	double		high;
	double		p_value;
	double		bound;			/* what the first is better by, at least, one-sided */
	double		best;			/* and at most */
	const char *test;
	uint32		n_used;
} Difference;

/* Is less of a metric better? */
static bool
less_is_better(int metric)
{
	return metric == METRIC_LOG_LOSS || metric == METRIC_BRIER || metric == METRIC_RMSE ||
		metric == METRIC_MAE;
}

/* MetricCompute: what the first version is better by. */
static Status
compute_gains(void *ctx, const double *weight, double *values, Failure *why)
{
	const Comparison *c = ctx;
	MetricReport report[EXAM_VERSIONS];

	for (int v = 0; v < EXAM_VERSIONS; v++)
	{
		Status		status = subset_view_report(c->rows, v, weight, &report[v], why);

		if (status != STATUS_OK)
			return status;
	}
	for (int i = 0; i < METRIC_COUNT; i++)
		values[i] = less_is_better(i) ? report[1].value[i] - report[0].value[i]
			: report[0].value[i] - report[1].value[i];
	return STATUS_OK;
}

/* The paired bootstrap of one metric. */
static Difference
by_bootstrap(const Comparison *c, int metric, const MetricResampled *gain)
{
	bool		turned = less_is_better(metric);
	Difference	d = {NAN, NAN, NAN, NAN, NAN, NULL, 0};

	if (gain->n_used == 0)
		return d;
	/* 0 - 0 is no -0 */
	d.low = turned ? 0 - gain->high : gain->low;
	d.high = turned ? 0 - gain->low : gain->high;
	d.p_value = gain->p_value;
	d.bound = gain->lower_bound;
	d.best = gain->upper_bound;
	d.test = c->rows->cluster != NULL ? "cluster_bootstrap" : "bootstrap";
	d.n_used = gain->n_used;
	return d;
}

/* DeLong's test of two AUCs. */
static Difference
by_delong(const Comparison *c)
{
	const MetricRows *a = &c->rows->view[0].rows;
	const MetricRows *b = &c->rows->view[1].rows;
	Difference	d = {NAN, NAN, NAN, NAN, NAN, NULL, 0};
	MetricDelong delong;
	double		difference;
	double		error;
	Failure		why;

	subset_check(c->rows, metric_delong(&c->rows->host.host, a->positive, a->score, b->score,
										a->n, &delong, &why), &why);
	d.p_value = metric_delong_p(&delong, &error);
	if (isnan(error))
		return d;
	difference = delong.auc[0] - delong.auc[1];
	d.low = difference - metric_normal_quantile(0.5 + c->options.confidence / 2) * error;
	d.high = difference + metric_normal_quantile(0.5 + c->options.confidence / 2) * error;
	d.bound = difference - metric_normal_quantile(c->options.confidence) * error;
	d.best = difference + metric_normal_quantile(c->options.confidence) * error;
	d.test = "delong";
	return d;
}

/* McNemar's test of who is right, beside the bootstrap's interval. */
static void
test_hits(const Comparison *c, Difference *d)
{
	static const char *const names[] = {
		[MCNEMAR_EXACT] = "mcnemar_exact",
		[MCNEMAR_MID_P] = "mcnemar_mid_p",
		[MCNEMAR_CHI_SQUARE] = "mcnemar_chi_square",
	};
	const Subset *s = c->rows;
	uint64		alone[EXAM_VERSIONS] = {0};
	MetricMcnemar test;

	for (Size i = 0; i < s->n; i++)
	{
		bool		first = s->view[0].predicted[i] == s->labels[i];
		bool		second = s->view[1].predicted[i] == s->labels[i];

		alone[0] += first && !second;
		alone[1] += second && !first;
	}
	d->p_value = metric_mcnemar(alone[0], alone[1], c->mid_p, &test);
	d->test = names[test];
}

/*
 * superior		better, at this confidence
 * non_inferior	worse by less than the margin, at this confidence
 * inferior		worse by more than the margin, at this confidence
 * inconclusive	none of these
 */
static const char *
verdict_of(const Comparison *c, const Difference *d)
{
	if (isnan(d->bound))
		return "inconclusive";
	if (d->bound > 0)
		return "superior";
	if (d->bound > -c->margin)
		return "non_inferior";
	if (d->best < -c->margin)
		return "inferior";
	return "inconclusive";
}

/* --------------------------------------------------------------- result -- */

static void
put_number(Datum *values, bool *nulls, int column, double number)
{
	nulls[column] = isnan(number);
	values[column] = Float8GetDatum(number);
}

static void
put_row(const Comparison *c, ReturnSetInfo *result, int metric, const Difference *d)
{
	Datum		values[COMPARE_COLUMNS] = {0};
	bool		nulls[COMPARE_COLUMNS] = {0};
	double		a = c->report[0].value[metric];
	double		b = c->report[1].value[metric];
	bool		judged = metric == c->metric;

	values[COMPARE_METRIC] = CStringGetTextDatum(metric_name(metric));
	put_number(values, nulls, COMPARE_VALUE_A, a);
	put_number(values, nulls, COMPARE_VALUE_B, b);
	put_number(values, nulls, COMPARE_DIFFERENCE, a - b);
	put_number(values, nulls, COMPARE_CI_LOW, d->low);
	put_number(values, nulls, COMPARE_CI_HIGH, d->high);
	put_number(values, nulls, COMPARE_P_VALUE, d->p_value);
	nulls[COMPARE_TEST] = d->test == NULL;
	if (d->test != NULL)
		values[COMPARE_TEST] = CStringGetTextDatum(d->test);
	values[COMPARE_N] = Int64GetDatum((int64) c->rows->n);
	nulls[COMPARE_N_RESAMPLES] = d->n_used == 0;
	values[COMPARE_N_RESAMPLES] = Int32GetDatum((int32) d->n_used);
	put_number(values, nulls, COMPARE_MARGIN, judged ? c->margin : NAN);
	put_number(values, nulls, COMPARE_BOUND, judged ? d->bound : NAN);
	nulls[COMPARE_VERDICT] = !judged;
	if (judged)
		values[COMPARE_VERDICT] = CStringGetTextDatum(verdict_of(c, d));
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

static void
put_differences(Comparison *c, ReturnSetInfo *result)
{
	const Subset *s = c->rows;
	bool		plain = s->cluster == NULL && s->weight == NULL;
	MetricBootstrap b = subset_bootstrap(s, &c->options);
	MetricResampled gains[METRIC_COUNT];
	Failure		why;

	subset_check(s, metric_bootstrap(&s->host.host, &b, METRIC_COUNT, compute_gains, c, gains,
									 &why), &why);
	for (int i = 0; i < METRIC_COUNT; i++)
	{
		Difference	d;

		if ((c->report[0].applies >> i & 1) == 0)
			continue;
		d = by_bootstrap(c, i, &gains[i]);
		if (plain && i == METRIC_ROC_AUC)
			d = by_delong(c);
		else if (plain && i == METRIC_ACCURACY)
			test_hits(c, &d);
		put_row(c, result, i, &d);
	}
}

/* ------------------------------------------------------------ arguments -- */

/* The metric of the verdict: as given, or by what is predicted. */
static int
find_metric(const Exam *e, char *name, uint32_t applies)
{
	StringInfoData names;

	if (name == NULL)
		return e->batch[0].answer.task == FOREST_REGRESSION ? METRIC_R2
			: e->batch[0].answer.n_outputs == 1 ? METRIC_ROC_AUC : METRIC_ROC_AUC_MACRO;
	initStringInfo(&names);
	for (int i = 0; i < METRIC_COUNT; i++)
	{
		if ((applies >> i & 1) == 0)
			continue;
		if (strcmp(metric_name(i), name) == 0)
			return i;
		appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "", metric_name(i));
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"metric\" is \"%s\", which these versions do not have", name),
			 errhint("Their metrics are %s.", names.data)));
}

static ExamOverlap
find_overlap(const char *name)
{
	if (strcmp(name, "exclude") == 0)
		return EXAM_EXCLUDE;
	if (strcmp(name, "error") == 0)
		return EXAM_REFUSE;
	if (strcmp(name, "keep") == 0)
		return EXAM_KEEP;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"overlap\" is \"%s\"", name),
			 errdetail("Allowed is \"exclude\", \"error\" or \"keep\".")));
}

static void
check_arguments(FunctionCallInfo fcinfo, Comparison *c)
{
	static const char *const required[ARG_COUNT] = {
		[ARG_REF_A] = "ref_a",
		[ARG_REF_B] = "ref_b",
		[ARG_CONFIDENCE] = "confidence",
		[ARG_MARGIN] = "margin",
		[ARG_N_BOOTSTRAP] = "n_bootstrap",
		[ARG_SEED] = "seed",
		[ARG_MID_P] = "mid_p",
		[ARG_OVERLAP] = "overlap",
	};

	for (int i = 0; i < ARG_COUNT; i++)
	{
		if (required[i] != NULL && PG_ARGISNULL(i))
			report_null_argument(required[i]);
	}
	c->options.intervals = true;
	c->options.confidence = PG_GETARG_FLOAT8(ARG_CONFIDENCE);
	c->options.n_resamples = PG_GETARG_INT32(ARG_N_BOOTSTRAP);
	c->options.seed = PG_GETARG_INT32(ARG_SEED);
	subset_check_options(&c->options);
	c->mid_p = PG_GETARG_BOOL(ARG_MID_P);
	c->margin = PG_GETARG_FLOAT8(ARG_MARGIN);
	if (!(c->margin >= 0) || isinf(c->margin))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"margin\" is %g, a number of at least 0 is required",
						c->margin),
				 errhint("It is the loss of the metric that would not matter.")));
}

Datum
churnops_compare(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Comparison *c = palloc0(sizeof(Comparison));
	ExamOverlap overlap;
	char	   *metric = NULL;
	Failure		why;

	check_arguments(fcinfo, c);
	overlap = find_overlap(text_to_cstring(PG_GETARG_TEXT_PP(ARG_OVERLAP)));
	if (!PG_ARGISNULL(ARG_METRIC))
		metric = text_to_cstring(PG_GETARG_TEXT_PP(ARG_METRIC));
	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	exam_begin(&c->exam, PG_GETARG_TEXT_PP(ARG_REF_A));
	exam_add_version(&c->exam, PG_GETARG_TEXT_PP(ARG_REF_B));
	exam_run(&c->exam,
			 PG_ARGISNULL(ARG_QUERY) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(ARG_QUERY)), NIL,
			 true, overlap);
	c->rows = subset_new(&c->exam, NULL, c->exam.n_rows);
	for (int v = 0; v < EXAM_VERSIONS; v++)
		subset_check(c->rows, subset_view_report(c->rows, v, NULL, &c->report[v], &why), &why);
	c->metric = find_metric(&c->exam, metric, c->report[0].applies);
	put_differences(c, result);
	SPI_finish();
	fcinfo->isnull = true;
	return (Datum) 0;
}
