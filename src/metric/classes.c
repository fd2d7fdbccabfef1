/*
 * classes.c
 *	  Measures of hard predictions.
 *
 * All of them follow from three sums of weights per class: rows of the class
 * that were hit, rows predicted as the class, rows of the class.  A whole
 * confusion matrix is never needed.
 */
#include <math.h>
#include <string.h>

#include "metric/internal.h"

/* Classes that metric_per_class() adds up in one pass, on the stack. */
#define CLASSES_PER_PASS 64

static double
ratio_or_zero(double numerator, double denominator)
{
	return denominator > 0 ? numerator / denominator : 0;
}

void
metric_class_measures(const ClassTotals *totals, MetricClass *out)
{
	double		hit = real_sum_value(&totals->hit);
	double		predicted = real_sum_value(&totals->predicted);

	out->support = real_sum_value(&totals->support);
	out->precision = ratio_or_zero(hit, predicted);
	out->recall = ratio_or_zero(hit, out->support);
	out->f1 = ratio_or_zero(2 * hit, predicted + out->support);
}

/*
 * Matthews' correlation of K classes (Gorodkin 2004): with c the weight of
 * hits, s of all rows, t and p of a class's rows and predictions,
 * (c s - Σ p t) / sqrt((s² - Σ p²) (s² - Σ t²)).  s² - Σ t² is computed as
 * Σ t (s - t), which does not cancel.
 */
static double
matthews(const ClassTotals *totals, uint32_t n_classes, double all, bool *by_convention)
{
	RealSum		covariance = {0, 0};
	RealSum		spread_true = {0, 0};
	RealSum		spread_predicted = {0, 0};
	double		product;
	double		result;
	uint32_t	k;

	*by_convention = false;
	for (k = 0; k < n_classes; k++)
	{
		double		t = real_sum_value(&totals[k].support);
		double		p = real_sum_value(&totals[k].predicted);

		real_sum_add(&covariance, real_sum_value(&totals[k].hit) * all);
		real_sum_add(&covariance, -p * t);
		real_sum_add(&spread_true, t * (all - t));
		real_sum_add(&spread_predicted, p * (all - p));
	}
	product = sqrt(real_sum_value(&spread_true) * real_sum_value(&spread_predicted));
	if (isinf(product))
		return NAN;				/* weights near the end of double's range */
	*by_convention = !(product > 0);
	if (*by_convention)
		return 0;
	result = real_sum_value(&covariance) / product;
	return result > 1 ? 1 : result < -1 ? -1 : result;
}

/*
 * Everything that hard predictions decide.  As in scikit-learn, a class that
 * is neither there nor predicted does not count in a macro mean, and a class
 * that is not there does not count in the balanced accuracy.
 */
void
metric_report_classes(const ClassTotals *totals, uint32_t n_classes, double all,
					  MetricReport *out)
{
	ClassMean	balanced = {0};
	ClassMean	precision[2] = {0};
	ClassMean	recall[2] = {0};
	ClassMean	f1[2] = {0};
	RealSum		hit = {0, 0};
	bool		by_convention;
	double		mcc = matthews(totals, n_classes, all, &by_convention);
	uint32_t	k;

	for (k = 0; k < n_classes; k++)
	{
		MetricClass of_class;
		bool		there;
		bool		predicted;
		int			weighted;

		metric_class_measures(&totals[k], &of_class);
		there = of_class.support > 0;
		predicted = real_sum_value(&totals[k].predicted) > 0;
		real_sum_add(&hit, real_sum_value(&totals[k].hit));
		metric_mean_add(&balanced, of_class.recall, there, false);
		if (!there)
			balanced.by_convention = true;
		for (weighted = 0; weighted < 2; weighted++)
		{
			double		weight = weighted ? of_class.support : there || predicted;

			metric_mean_add(&precision[weighted], of_class.precision, weight, !predicted);
			metric_mean_add(&recall[weighted], of_class.recall, weight, !there);
			metric_mean_add(&f1[weighted], of_class.f1, weight, false);
		}
	}
	metric_report_set(out, METRIC_ACCURACY, real_sum_value(&hit) / all, false);
	metric_report_set_mean(out, METRIC_BALANCED_ACCURACY, &balanced);
	metric_report_set_mean(out, METRIC_PRECISION_MACRO, &precision[0]);
	metric_report_set_mean(out, METRIC_PRECISION_WEIGHTED, &precision[1]);
	metric_report_set_mean(out, METRIC_RECALL_MACRO, &recall[0]);
	metric_report_set_mean(out, METRIC_RECALL_WEIGHTED, &recall[1]);
	metric_report_set_mean(out, METRIC_F1_MACRO, &f1[0]);
	metric_report_set_mean(out, METRIC_F1_WEIGHTED, &f1[1]);
	metric_report_set(out, METRIC_MCC, mcc, by_convention);
}

/* Sums of the classes first … first + CLASSES_PER_PASS - 1. */
static Status
sum_hard_predictions(const uint32_t *label, const uint32_t *predicted, const double *weight,
					 size_t n, uint32_t n_classes, uint32_t first,
					 ClassTotals totals[CLASSES_PER_PASS], Failure *why)
{
	size_t		i;

	for (i = 0; i < n; i++)
	{
		uint32_t	of_label = label[i] - first;
		uint32_t	of_predicted = predicted[i] - first;
		double		w = 0;
		Status		status = metric_weight(weight, i, &w, why);

		if (status != STATUS_OK)
			return status;
		if (w == 0)
			continue;
		if (label[i] >= n_classes || predicted[i] >= n_classes)
			return fail(why, STATUS_INVALID_DATA,
						"label %u or prediction %u of row %zu is not a class below %u", label[i],
						predicted[i], i + 1, n_classes);
		if (of_label < CLASSES_PER_PASS)
			real_sum_add(&totals[of_label].support, w);
		if (of_predicted < CLASSES_PER_PASS)
			real_sum_add(&totals[of_predicted].predicted, w);
		if (of_label == of_predicted && of_label < CLASSES_PER_PASS)
			real_sum_add(&totals[of_label].hit, w);
	}
	return STATUS_OK;
}

Status
metric_per_class(const uint32_t *label, const uint32_t *predicted, const double *weight, size_t n,
				 uint32_t n_classes, MetricClass *out, Failure *why)
{
	uint32_t	first = 0;

	while (first < n_classes)
	{
		uint32_t	n_here = n_classes - first;
		ClassTotals totals[CLASSES_PER_PASS];
		Status		status;
		uint32_t	k;

		if (n_here > CLASSES_PER_PASS)
			n_here = CLASSES_PER_PASS;
		memset(totals, 0, sizeof(totals));
		status = sum_hard_predictions(label, predicted, weight, n, n_classes, first, totals, why);
		if (status != STATUS_OK)
			return status;
		for (k = 0; k < n_here; k++)
			metric_class_measures(&totals[k], &out[first + k]);
		first += n_here;
	}
	return STATUS_OK;
}
