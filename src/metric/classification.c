/*
 * classification.c
 *	  Reports about predictions of class probabilities.
 */
#include <math.h>

#include "metric/internal.h"

/* Probabilities are kept this far from 0 and 1 in the log loss: 2^-52, as scikit-learn does. */
#define LOG_LOSS_EPSILON 2.220446049250313e-16

static const MetricName binary_metrics[] = {
	METRIC_ACCURACY, METRIC_BALANCED_ACCURACY,
	METRIC_PRECISION, METRIC_PRECISION_MACRO, METRIC_PRECISION_WEIGHTED,
	METRIC_RECALL, METRIC_RECALL_MACRO, METRIC_RECALL_WEIGHTED,
	METRIC_F1, METRIC_F1_MACRO, METRIC_F1_WEIGHTED,
	METRIC_ROC_AUC, METRIC_AVERAGE_PRECISION, METRIC_LOG_LOSS, METRIC_BRIER,
	METRIC_KS, METRIC_LIFT_AT_10, METRIC_MCC,
};

static const MetricName multiclass_metrics[] = {
	METRIC_ACCURACY, METRIC_BALANCED_ACCURACY,
	METRIC_PRECISION_MACRO, METRIC_PRECISION_WEIGHTED,
	METRIC_RECALL_MACRO, METRIC_RECALL_WEIGHTED,
	METRIC_F1_MACRO, METRIC_F1_WEIGHTED,
	METRIC_ROC_AUC_MACRO, METRIC_ROC_AUC_WEIGHTED,
	METRIC_AVERAGE_PRECISION_MACRO, METRIC_AVERAGE_PRECISION_WEIGHTED,
	METRIC_LOG_LOSS, METRIC_BRIER, METRIC_MCC,
};

#define N_BINARY_METRICS (sizeof(binary_metrics) / sizeof(binary_metrics[0]))
#define N_MULTICLASS_METRICS (sizeof(multiclass_metrics) / sizeof(multiclass_metrics[0]))

/* Sums over the rows of a prediction by probabilities. */
typedef struct ProbabilitySums
{
	RealSum		weight;
	RealSum		log_loss;
	RealSum		brier;
} ProbabilitySums;

static Status
check_probability(double p, size_t row, Failure *why)
{
	if (p >= 0 && p <= 1)
		return STATUS_OK;
	return fail(why, STATUS_INVALID_DATA,
				"score of row %zu is %g, a probability between 0 and 1 is required", row + 1, p);
}

/* Count a row of which `p` is the probability given to its true class. */
static void
add_log_loss(ProbabilitySums *sums, double p, double weight, MetricReport *out)
{
	out->n_rows++;
	if (p < LOG_LOSS_EPSILON || p > 1 - LOG_LOSS_EPSILON)
	{
		out->n_clipped++;
		p = p < LOG_LOSS_EPSILON ? LOG_LOSS_EPSILON : 1 - LOG_LOSS_EPSILON;
	}
	real_sum_add(&sums->weight, weight);
	real_sum_add(&sums->log_loss, -weight * real_log(p));
}

static void
report_probabilities(const ProbabilitySums *sums, MetricReport *out)
{
	double		all = real_sum_value(&sums->weight);

	metric_report_set(out, METRIC_LOG_LOSS, real_sum_value(&sums->log_loss) / all, false);
	metric_report_set(out, METRIC_BRIER, real_sum_value(&sums->brier) / all, false);
}

/* Add up all rows of a two-class prediction. */
static Status
sum_binary(const Host *host, const RankInput *rows, ClassTotals totals[2], ProbabilitySums *sums,
		   MetricReport *out, Failure *why)
{
	size_t		i;

	for (i = 0; i < rows->n; i++)
	{
		double		p = rows->score[i];
		uint32_t	label = rows->label[i];
		uint32_t	predicted = p >= 0.5;
		double		weight = 0;
		Status		status = metric_poll(host, i, why);

		if (status == STATUS_OK)
			status = metric_weight(rows->weight, i, &weight, why);
		if (status == STATUS_OK && weight > 0)
			status = metric_check_label(label, 2, i, why);
		if (status == STATUS_OK && weight > 0)
			status = check_probability(p, i, why);
		if (status != STATUS_OK)
			return status;
		if (weight == 0)
			continue;
		metric_class_add(totals, label, predicted, weight);
		add_log_loss(sums, label ? p : 1 - p, weight, out);
		real_sum_add(&sums->brier, weight * ((p - label) * (p - label)));
	}
	return STATUS_OK;
}

/* Precision, recall and F1 of the positive class. */
static void
report_positive_class(const ClassTotals *positive, MetricReport *out)
{
	bool		predicted = real_sum_value(&positive->predicted) > 0;
	MetricClass measures;

	metric_class_measures(positive, &measures);
	metric_report_set(out, METRIC_PRECISION, measures.precision, !predicted);
	metric_report_set(out, METRIC_RECALL, measures.recall, measures.support == 0);
	metric_report_set(out, METRIC_F1, measures.f1, !predicted && measures.support == 0);
}

Status
metric_binary(const Host *host, const uint8_t *label, const double *score, const double *weight,
			  size_t n, MetricReport *out, Failure *why)
{
	RankInput	rows = {.label = label, .score = score, .stride = 1, .weight = weight, .n = n};
	ClassTotals totals[2] = {0};
	ProbabilitySums sums = {0};
	RankMeasures measures;
	Ranking		ranking;
	Status		status;

	metric_report_begin(out, binary_metrics, N_BINARY_METRICS);
	status = sum_binary(host, &rows, totals, &sums, out, why);
	if (status != STATUS_OK || out->n_rows == 0)
		return status;
	status = metric_ranking_begin(&ranking, host, n, why);
	if (status != STATUS_OK)
		return status;
	status = metric_rank(&ranking, &rows, 0.1, &measures, why);
	metric_ranking_free(&ranking);
	if (status != STATUS_OK)
		return status;

	metric_report_classes(totals, 2, real_sum_value(&sums.weight), out);
	report_positive_class(&totals[1], out);
	report_probabilities(&sums, out);
	metric_report_set(out, METRIC_ROC_AUC, measures.roc_auc, false);
	metric_report_set(out, METRIC_AVERAGE_PRECISION, measures.average_precision, false);
	metric_report_set(out, METRIC_KS, measures.ks, false);
	metric_report_set(out, METRIC_LIFT_AT_10, measures.lift, false);
	return STATUS_OK;
}

/* A prediction of K classes, row-major. */
typedef struct ClassRows
{
	const uint32_t *label;
	const double *proba;
	uint32_t	n_classes;
	const double *weight;
	size_t		n;
} ClassRows;

/* Check and add up one row of positive weight. */
static Status
sum_class_row(const ClassRows *rows, size_t i, double weight, ClassTotals *totals,
			  ProbabilitySums *sums, MetricReport *out, Failure *why)
{
	const double *p = rows->proba + i * rows->n_classes;
	uint32_t	label = rows->label[i];
	uint32_t	predicted = 0;
	double		squares = 0;
	Status		status = metric_check_label(label, rows->n_classes, i, why);
	uint32_t	k;

	if (status != STATUS_OK)
		return status;
	for (k = 0; k < rows->n_classes; k++)
	{
		double		error = p[k] - (k == label);

		status = check_probability(p[k], i, why);
		if (status != STATUS_OK)
			return status;
		squares += error * error;
		if (p[k] > p[predicted])
			predicted = k;
	}
	metric_class_add(totals, label, predicted, weight);
	add_log_loss(sums, p[label], weight, out);
	real_sum_add(&sums->brier, weight * squares);
	return STATUS_OK;
}

static Status
sum_multiclass(const Host *host, const ClassRows *rows, ClassTotals *totals, ProbabilitySums *sums,
			   MetricReport *out, Failure *why)
{
	size_t		i;

	for (i = 0; i < rows->n; i++)
	{
		double		weight = 0;
		Status		status = metric_poll(host, i, why);

		if (status == STATUS_OK)
			status = metric_weight(rows->weight, i, &weight, why);
		if (status == STATUS_OK && weight > 0)
			status = sum_class_row(rows, i, weight, totals, sums, out, why);
		if (status != STATUS_OK)
			return status;
	}
	return STATUS_OK;
}

/*
 * Rank the rows once for each class against all others.  A class that is not
 * there, or that all rows are of, has no area and is left out of both means.
 */
static Status
rank_classes(Ranking *ranking, const ClassRows *rows, const ClassTotals *totals, uint8_t *positive,
			 MetricReport *out, Failure *why)
{
	ClassMean	auc[2] = {0};
	ClassMean	precision[2] = {0};
	uint32_t	k;

	for (k = 0; k < rows->n_classes; k++)
	{
		RankInput	input = {.label = positive, .score = rows->proba + k,
			.stride = rows->n_classes, .weight = rows->weight, .n = rows->n};
		double		support = real_sum_value(&totals[k].support);
		RankMeasures of_class;
		Status		status;
		size_t		i;
		int			weighted;

		for (i = 0; i < rows->n; i++)
			positive[i] = rows->label[i] == k;
		status = metric_rank(ranking, &input, 1, &of_class, why);
		if (status != STATUS_OK)
			return status;
		for (weighted = 0; weighted < 2; weighted++)
		{
			double		weight = weighted ? support : 1;

			metric_mean_add(&auc[weighted], of_class.roc_auc, weight, false);
			/* without a negative every ranking has precision 1: that says nothing */
			metric_mean_add(&precision[weighted], isnan(of_class.roc_auc) ? NAN
							: of_class.average_precision, weight, false);
		}
	}
	metric_report_set_mean(out, METRIC_ROC_AUC_MACRO, &auc[0]);
	metric_report_set_mean(out, METRIC_ROC_AUC_WEIGHTED, &auc[1]);
	metric_report_set_mean(out, METRIC_AVERAGE_PRECISION_MACRO, &precision[0]);
	metric_report_set_mean(out, METRIC_AVERAGE_PRECISION_WEIGHTED, &precision[1]);
	return STATUS_OK;
}

Status
metric_multiclass(const Host *host, const uint32_t *label, const double *proba, uint32_t n_classes,
				  const double *weight, size_t n, MetricReport *out, Failure *why)
{
	ClassRows	rows = {.label = label, .proba = proba, .n_classes = n_classes,
		.weight = weight, .n = n};
	ProbabilitySums sums = {0};
	ClassTotals *totals = NULL;
	uint8_t    *positive = NULL;
	Ranking		ranking = {.host = host};
	Status		status;

	metric_report_begin(out, multiclass_metrics, N_MULTICLASS_METRICS);
	if (n_classes < 2)
		return fail(why, STATUS_INVALID_PARAMETER,
					"number of classes is %u, at least 2 are required", n_classes);
	status = memory_new(host, n_classes, sizeof(ClassTotals), &totals, why);
	if (status == STATUS_OK)
		status = sum_multiclass(host, &rows, totals, &sums, out, why);
	if (status != STATUS_OK || out->n_rows == 0)
		goto done;
	status = memory_new_raw(host, n, 1, &positive, why);
	if (status == STATUS_OK)
		status = metric_ranking_begin(&ranking, host, n, why);
	if (status == STATUS_OK)
		status = rank_classes(&ranking, &rows, totals, positive, out, why);
	if (status != STATUS_OK)
		goto done;
	metric_report_classes(totals, n_classes, real_sum_value(&sums.weight), out);
	report_probabilities(&sums, out);

done:
	metric_ranking_free(&ranking);
	memory_free(host, positive, n, 1);
	memory_free(host, totals, n_classes, sizeof(ClassTotals));
	return status;
}
