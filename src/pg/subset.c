/*
 * subset.c
 *	  Measuring rows of an exam, all or some, with confidence intervals.
 *
 * Rows whose target is a label that the model never saw count: whatever is
 * predicted for them is wrong.  They are taken as one more class, which is
 * never predicted and has probability 0:
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
 *
 * Intervals of shares are Wilson's and that of the AUC is DeLong's, so long as
 * rows are independent and of one weight; all others are percentiles of a
 * bootstrap.  Where entities have several rows, whole entities are drawn.
 */
#include "postgres.h"

#include <math.h>

#include "utils/memutils.h"

#include "pg/budget.h"
#include "pg/report.h"
#include "pg/subset.h"

#define MIN_RESAMPLES 100

void
subset_check_options(const SubsetOptions *options)
{
	if (options->intervals && !(options->confidence > 0 && options->confidence < 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"confidence\" is %g, a number between 0 and 1 is required",
						options->confidence),
				 errhint("0.95 gives intervals that hold 95 of 100 times.")));
	if (options->n_resamples < MIN_RESAMPLES || options->n_resamples > METRIC_MAX_RESAMPLES)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"n_bootstrap\" is %d, an integer from %d to %d is required",
						options->n_resamples, MIN_RESAMPLES, METRIC_MAX_RESAMPLES)));
	if (options->seed < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"seed\" is %d, an integer of at least 0 is required",
						options->seed)));
}

const char *
subset_method_name(SubsetMethod method)
{
	switch (method)
	{
		case SUBSET_NONE:
			break;
		case SUBSET_WILSON:
			return "wilson";
		case SUBSET_DELONG:
			return "delong";
		case SUBSET_BOOTSTRAP:
			return "bootstrap";
		case SUBSET_CLUSTER_BOOTSTRAP:
			return "cluster_bootstrap";
	}
	return NULL;
}

void
subset_check(const Subset *s, Status status, const Failure *why)
{
	exam_check(s->exam, &s->host, status, why);
}

/* Memory of the subset, freed with it. */
static void *
subset_memory(Subset *s, Size n_bytes)
{
	void	   *taken = s->host.host.realloc(&s->host, NULL, 0, Max(n_bytes, 1));
	Failure		why;

	if (taken == NULL)
		subset_check(s, fail(&why, STATUS_NO_MEMORY, "out of memory"), &why);
	return taken;
}

/* ----------------------------------------------------------------- rows -- */

static inline Size
row_of(const uint32 *chosen, Size i)
{
	return chosen != NULL ? chosen[i] : i;
}

/* Probabilities of all classes and of the unknown one; of two the positive one comes first. */
static void
view_with_unknown(Subset *s, int version, const uint32 *chosen)
{
	const Answer *answer = &s->exam->batch[version].answer;
	const double *outputs = s->exam->outputs[version];
	MetricRows *rows = &s->view[version].rows;
	uint32		n_classes = (uint32) answer->n_classes;
	bool		swap = n_classes == 2 && answer->positive == 1;
	double	   *proba = subset_memory(s, s->n * (n_classes + 1) * sizeof(double));
	uint32	   *labels = subset_memory(s, s->n * sizeof(uint32));

	for (Size i = 0; i < s->n; i++)
	{
		double	   *row = proba + i * (n_classes + 1);

		forest_probabilities(answer->forest, outputs + row_of(chosen, i) * answer->n_outputs, row);
		row[n_classes] = 0;
		labels[i] = s->labels[i];
		if (swap)
		{
			/* ties go to the first, and a probability of 0.5 is positive */
			double		first = row[0];

			row[0] = row[1];
			row[1] = first;
			labels[i] = labels[i] < 2 ? 1 - labels[i] : labels[i];
		}
	}
	rows->label = labels;
	rows->proba = proba;
	rows->n_classes = n_classes + 1;
}

static void
view_two_classes(Subset *s, int version, const uint32 *chosen)
{
	const Answer *answer = &s->exam->batch[version].answer;
	const double *outputs = s->exam->outputs[version];
	uint8_t    *positive = subset_memory(s, s->n);
	double	   *score = subset_memory(s, s->n * sizeof(double));

	for (Size i = 0; i < s->n; i++)
	{
		positive[i] = s->labels[i] == (uint32) answer->positive;
		score[i] = answer_number(answer, outputs + row_of(chosen, i));
	}
	s->view[version].rows.task = METRIC_TASK_BINARY;
	s->view[version].rows.positive = positive;
	s->view[version].rows.score = score;
}

/* Outputs of the chosen rows, which may be those of the exam itself. */
static const double *
chosen_outputs(Subset *s, int version, const uint32 *chosen)
{
	Size		n_outputs = s->exam->batch[version].answer.n_outputs;
	const double *outputs = s->exam->outputs[version];
	double	   *out;

	if (chosen == NULL)
		return outputs;
	out = subset_memory(s, s->n * n_outputs * sizeof(double));
	for (Size i = 0; i < s->n; i++)
		memcpy(out + i * n_outputs, outputs + chosen[i] * n_outputs, n_outputs * sizeof(double));
	return out;
}

static void
view_classes(Subset *s, int version, const uint32 *chosen)
{
	const Answer *answer = &s->exam->batch[version].answer;
	const double *outputs = s->exam->outputs[version];
	SubsetView *view = &s->view[version];

	view->predicted = subset_memory(s, s->n * sizeof(uint32));
	for (Size i = 0; i < s->n; i++)
		view->predicted[i] = (uint32) answer_class(answer, outputs +
												   row_of(chosen, i) * answer->n_outputs);
	if (answer->n_outputs == 1)
	{
		view_two_classes(s, version, chosen);
		if (s->exam->n_unknown > 0)
			view_with_unknown(s, version, chosen);
		return;
	}
	view->rows.task = METRIC_TASK_MULTICLASS;
	if (s->exam->n_unknown > 0)
	{
		view_with_unknown(s, version, chosen);
		return;
	}
	view->rows.label = s->labels;
	view->rows.proba = chosen_outputs(s, version, chosen);
	view->rows.n_classes = (uint32) answer->n_classes;
}

/* Clusters of the chosen rows, numbered by their first row; NULL if each has one row. */
static void
choose_clusters(Subset *s, const uint32 *chosen)
{
	const Exam *e = s->exam;
	uint32	   *numbers;

	if (e->cluster == NULL)
		return;
	numbers = subset_memory(s, e->n_clusters * sizeof(uint32));
	memset(numbers, 0, e->n_clusters * sizeof(uint32));
	s->cluster = subset_memory(s, s->n * sizeof(uint32));
	for (Size i = 0; i < s->n; i++)
	{
		uint32	   *number = &numbers[e->cluster[row_of(chosen, i)]];

		if (*number == 0)
			*number = ++s->n_clusters;
		s->cluster[i] = *number - 1;
	}
	if (s->n_clusters == s->n)
		s->cluster = NULL;
}

Subset *
subset_new(Exam *e, const uint32 *chosen, Size n)
{
	Subset	   *s = palloc0(sizeof(Subset));
	Size		budget = e->host.budget > e->host.used ? e->host.budget - e->host.used : 1;

	s->exam = e;
	s->n = n;
	s->context = AllocSetContextCreate(e->host.context, "churnops subset",
									   ALLOCSET_DEFAULT_SIZES);
	pg_host_init(&s->host, s->context, e->host.budget == 0 ? 0 : budget);
	if (e->weight != NULL)
	{
		double	   *weight = subset_memory(s, n * sizeof(double));

		for (Size i = 0; i < n; i++)
			weight[i] = e->weight[row_of(chosen, i)];
		s->weight = weight;
	}
	if (e->classes != NULL)
	{
		s->labels = subset_memory(s, n * sizeof(uint32));
		for (Size i = 0; i < n; i++)
			s->labels[i] = e->classes[row_of(chosen, i)];
	}
	choose_clusters(s, chosen);
	for (int v = 0; v < e->n_versions; v++)
	{
		MetricRows *rows = &s->view[v].rows;

		if (e->classes != NULL)
			view_classes(s, v, chosen);
		else
		{
			double	   *target = subset_memory(s, n * sizeof(double));

			for (Size i = 0; i < n; i++)
				target[i] = e->numbers[row_of(chosen, i)];
			rows->task = METRIC_TASK_REGRESSION;
			rows->target = target;
			rows->predicted = chosen_outputs(s, v, chosen);
		}
		rows->n = n;
		rows->weight = s->weight;
	}
	return s;
}

void
subset_free(Subset *s)
{
	MemoryContextDelete(s->context);
	pfree(s);
}

/* ------------------------------------------------------------ measuring -- */

Status
subset_view_report(const Subset *s, int version, const double *weight, MetricReport *out,
				   Failure *why)
{
	return metric_rows_report(&s->host.host, &s->view[version].rows, weight, out, why);
}

MetricBootstrap
subset_bootstrap(const Subset *s, const SubsetOptions *options)
{
	return (MetricBootstrap) {
		.n = s->n,
		.weight = s->weight,
		.cluster = s->cluster,
		.n_clusters = s->n_clusters,
		.seed = (uint32) options->seed,
		.n_resamples = (uint32) options->n_resamples,
		.confidence = options->confidence,
	};
}

/* What a resample of a subset is measured with. */
typedef struct Measure
{
	const Subset *subset;
	uint32		n_classes;		/* 0 for a regression */
	MetricClass *classes;		/* n_classes + 1 */
} Measure;

/* MetricCompute: every metric, then the values of every class. */
static Status
compute_all(void *ctx, const double *weight, double *values, Failure *why)
{
	const Measure *m = ctx;
	const Subset *s = m->subset;
	const SubsetView *view = &s->view[0];
	MetricReport report;
	Status		status = subset_view_report(s, 0, weight, &report, why);

	if (status != STATUS_OK)
		return status;
	memcpy(values, report.value, sizeof(report.value));
	if (m->n_classes == 0)
		return STATUS_OK;
	status = metric_per_class(s->labels, view->predicted, weight != NULL ? weight : s->weight,
							  s->n, m->n_classes + 1, m->classes, why);
	for (uint32 k = 0; k < m->n_classes && status == STATUS_OK; k++)
	{
		double	   *own = values + METRIC_COUNT + k * CLASS_VALUES;

		own[CLASS_PRECISION] = m->classes[k].precision;
		own[CLASS_RECALL] = m->classes[k].recall;
		own[CLASS_F1] = m->classes[k].f1;
	}
	return status;
}

/* MetricCompute: the AUC alone. */
static Status
compute_auc(void *ctx, const double *weight, double *values, Failure *why)
{
	const Measure *m = ctx;
	const Subset *s = m->subset;
	const MetricRows *rows = &s->view[0].rows;

	return metric_roc_auc(&s->host.host, rows->positive, rows->score, weight, s->n, values, why);
}

static void
set_interval(SubsetValue *value, const MetricResampled *from, const Subset *s)
{
	if (isnan(value->value) || from->n_used == 0)
		return;
	value->low = from->low;
	value->high = from->high;
	value->n_used = from->n_used;
	value->method = s->cluster != NULL ? SUBSET_CLUSTER_BOOTSTRAP : SUBSET_BOOTSTRAP;
}

static void
set_wilson(SubsetValue *value, double hits, double n, double confidence)
{
	value->method = SUBSET_NONE;
	value->low = value->high = NAN;
	value->n_used = 0;
	if (isnan(value->value) || n == 0)
		return;
	metric_wilson(hits, n, confidence, &value->low, &value->high);
	value->method = SUBSET_WILSON;
}

/* Intervals of what is a share of independent rows. */
static void
measure_shares(const Subset *s, uint32 n_classes, double confidence, SubsetReport *out)
{
	const Answer *answer = &s->exam->batch[0].answer;
	double	   *hit = palloc0(sizeof(double) * (n_classes + 1));
	double	   *predicted = palloc0(sizeof(double) * (n_classes + 1));
	double		n_hits = 0;

	for (Size i = 0; i < s->n; i++)
	{
		uint32		p = s->view[0].predicted[i];

		predicted[p]++;
		hit[p] += p == s->labels[i];
		n_hits += p == s->labels[i];
	}
	set_wilson(&out->metric[METRIC_ACCURACY], n_hits, (double) s->n, confidence);
	for (uint32 k = 0; k < n_classes; k++)
	{
		SubsetValue *own = &out->classes[k * CLASS_VALUES];

		set_wilson(&own[CLASS_PRECISION], hit[k], predicted[k], confidence);
		set_wilson(&own[CLASS_RECALL], hit[k], out->support[k], confidence);
	}
	if (n_classes == 2)
	{
		int			k = answer->positive;

		set_wilson(&out->metric[METRIC_PRECISION], hit[k], predicted[k], confidence);
		set_wilson(&out->metric[METRIC_RECALL], hit[k], out->support[k], confidence);
	}
}

/* The interval of the AUC of two classes, where rows are independent. */
static void
measure_auc(const Subset *s, const SubsetOptions *options, Measure *m, SubsetValue *value)
{
	const MetricRows *rows = &s->view[0].rows;
	MetricBootstrap b = subset_bootstrap(s, options);
	MetricResampled resampled;
	MetricDelong delong;
	double		half;
	Failure		why;

	if (s->weight != NULL)
	{
		/* a weight is not a number of rows: DeLong's variance would be wrong */
		b.stratum = rows->positive;
		subset_check(s, metric_bootstrap(&s->host.host, &b, 1, compute_auc, m, &resampled, &why),
					 &why);
		set_interval(value, &resampled, s);
		return;
	}
	subset_check(s, metric_delong(&s->host.host, rows->positive, rows->score, NULL, s->n, &delong,
								  &why), &why);
	value->method = SUBSET_NONE;
	value->low = value->high = NAN;
	value->n_used = 0;
	if (isnan(delong.variance[0]))
		return;
	half = metric_normal_quantile(0.5 + options->confidence / 2) * sqrt(delong.variance[0]);
	value->low = Max(value->value - half, 0);
	value->high = Min(value->value + half, 1);
	value->method = SUBSET_DELONG;
}

static void
measure_intervals(Subset *s, const SubsetOptions *options, Measure *m, SubsetReport *out)
{
	uint32		n_values = METRIC_COUNT + m->n_classes * CLASS_VALUES;
	MetricResampled *resampled = palloc(sizeof(MetricResampled) * n_values);
	MetricBootstrap b = subset_bootstrap(s, options);
	bool		independent = s->cluster == NULL;
	Failure		why;

	subset_check(s, metric_bootstrap(&s->host.host, &b, n_values, compute_all, m, resampled,
									 &why), &why);
	for (int i = 0; i < METRIC_COUNT; i++)
		set_interval(&out->metric[i], &resampled[i], s);
	for (uint32 i = 0; i < m->n_classes * CLASS_VALUES; i++)
		set_interval(&out->classes[i], &resampled[METRIC_COUNT + i], s);
	pfree(resampled);
	if (independent && s->weight == NULL && m->n_classes > 0)
		measure_shares(s, m->n_classes, options->confidence, out);
	if (independent && m->n_classes == 2)
		measure_auc(s, options, m, &out->metric[METRIC_ROC_AUC]);
}

void
subset_measure(Subset *s, const SubsetOptions *options, SubsetReport *out)
{
	uint32		n_classes = s->labels == NULL ? 0 : (uint32) s->exam->batch[0].answer.n_classes;
	Measure		m = {.subset = s, .n_classes = n_classes};
	MetricReport report;
	double	   *values = palloc(sizeof(double) * (METRIC_COUNT + n_classes * CLASS_VALUES));
	Failure		why;

	memset(out, 0, sizeof(*out));
	m.classes = palloc0(sizeof(MetricClass) * (n_classes + 1));
	out->classes = palloc0(sizeof(SubsetValue) * Max(n_classes * CLASS_VALUES, 1));
	out->support = palloc0(sizeof(double) * Max(n_classes, 1));
	subset_check(s, subset_view_report(s, 0, NULL, &report, &why), &why);
	out->applies = report.applies;
	subset_check(s, compute_all(&m, NULL, values, &why), &why);
	for (uint32 i = 0; i < METRIC_COUNT + n_classes * CLASS_VALUES; i++)
	{
		SubsetValue *value = i < METRIC_COUNT ? &out->metric[i] : &out->classes[i - METRIC_COUNT];

		*value = (SubsetValue) {.value = values[i], .low = NAN, .high = NAN};
	}
	for (uint32 k = 0; k < n_classes; k++)
		out->support[k] = m.classes[k].support;
	if (options->intervals && s->n > 1)
		measure_intervals(s, options, &m, out);
	pfree(values);
	pfree(m.classes);
}
