/*
 * report.c
 *	  Names of metrics, filling of reports.
 */
#include <math.h>

#include "metric/internal.h"

static const char *const metric_names[METRIC_COUNT] = {
	[METRIC_ACCURACY] = "accuracy",
	[METRIC_BALANCED_ACCURACY] = "balanced_accuracy",
	[METRIC_PRECISION] = "precision",
	[METRIC_PRECISION_MACRO] = "precision_macro",
	[METRIC_PRECISION_WEIGHTED] = "precision_weighted",
	[METRIC_RECALL] = "recall",
	[METRIC_RECALL_MACRO] = "recall_macro",
	[METRIC_RECALL_WEIGHTED] = "recall_weighted",
	[METRIC_F1] = "f1",
	[METRIC_F1_MACRO] = "f1_macro",
	[METRIC_F1_WEIGHTED] = "f1_weighted",
	[METRIC_ROC_AUC] = "roc_auc",
	[METRIC_ROC_AUC_MACRO] = "roc_auc_macro",
	[METRIC_ROC_AUC_WEIGHTED] = "roc_auc_weighted",
	[METRIC_AVERAGE_PRECISION] = "average_precision",
	[METRIC_AVERAGE_PRECISION_MACRO] = "average_precision_macro",
	[METRIC_AVERAGE_PRECISION_WEIGHTED] = "average_precision_weighted",
	[METRIC_LOG_LOSS] = "log_loss",
	[METRIC_BRIER] = "brier",
	[METRIC_KS] = "ks",
	[METRIC_LIFT_AT_10] = "lift_at_10",
	[METRIC_MCC] = "mcc",
	[METRIC_RMSE] = "rmse",
	[METRIC_MAE] = "mae",
	[METRIC_R2] = "r2",
};

_Static_assert(METRIC_COUNT <= 32, "a report has one bit per metric");

const char *
metric_name(MetricName metric)
{
	return (unsigned) metric < METRIC_COUNT ? metric_names[metric] : NULL;
}

void
metric_report_begin(MetricReport *out, const MetricName *metrics, size_t n_metrics)
{
	size_t		i;

	out->applies = 0;
	out->n_rows = 0;
	out->n_clipped = 0;
	for (i = 0; i < METRIC_COUNT; i++)
		out->value[i] = NAN;
	for (i = 0; i < n_metrics; i++)
		out->applies |= UINT32_C(1) << metrics[i];
	out->undefined = out->applies;
}

void
metric_report_set(MetricReport *out, MetricName metric, double value, bool by_convention)
{
	if (!isfinite(value))
		return;
	out->value[metric] = value;
	if (!by_convention)
		out->undefined &= ~(UINT32_C(1) << metric);
}

void
metric_mean_add(ClassMean *mean, double value, double weight, bool by_convention)
{
	if (weight == 0)
		return;
	if (by_convention || isnan(value))
		mean->by_convention = true;
	if (isnan(value))
		return;
	real_sum_add(&mean->sum, value * weight);
	real_sum_add(&mean->weight, weight);
}

void
metric_report_set_mean(MetricReport *out, MetricName metric, const ClassMean *mean)
{
	/* 0/0 is NAN, which leaves the metric undefined */
	metric_report_set(out, metric, real_sum_value(&mean->sum) / real_sum_value(&mean->weight),
					  mean->by_convention);
}
