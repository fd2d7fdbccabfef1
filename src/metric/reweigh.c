/*
 * reweigh.c
 *	  All metrics of rows, whatever their task, under weights that may change:
 *	  what slices and resamples are measured with.
 */
#include "metric/internal.h"

/* Metrics of a two-class model that count classes, not the positive class alone. */
#define BIT(metric) (UINT32_C(1) << (metric))
#define OVER_CLASSES \
	(BIT(METRIC_ACCURACY) | BIT(METRIC_BALANCED_ACCURACY) | BIT(METRIC_MCC) | \
	 BIT(METRIC_PRECISION_MACRO) | BIT(METRIC_PRECISION_WEIGHTED) | \
	 BIT(METRIC_RECALL_MACRO) | BIT(METRIC_RECALL_WEIGHTED) | \
	 BIT(METRIC_F1_MACRO) | BIT(METRIC_F1_WEIGHTED))

static Status
binary_report(const Host *host, const MetricRows *rows, const double *weight, MetricReport *out,
			  Failure *why)
{
	MetricReport classes;
	Status		status = metric_binary(host, rows->positive, rows->score, weight, rows->n, out,
									   why);

	if (status != STATUS_OK || rows->proba == NULL)
		return status;
	status = metric_multiclass(host, rows->label, rows->proba, rows->n_classes, weight, rows->n,
							   &classes, why);
	for (int i = 0; i < METRIC_COUNT && status == STATUS_OK; i++)
	{
		if ((OVER_CLASSES & BIT(i)) != 0)
			out->value[i] = classes.value[i];
	}
	return status;
}

Status
metric_rows_report(const Host *host, const MetricRows *rows, const double *weight,
				   MetricReport *out, Failure *why)
{
	if (weight == NULL)
		weight = rows->weight;
	switch (rows->task)
	{
		case METRIC_TASK_BINARY:
			return binary_report(host, rows, weight, out, why);
		case METRIC_TASK_MULTICLASS:
			return metric_multiclass(host, rows->label, rows->proba, rows->n_classes, weight,
									 rows->n, out, why);
		case METRIC_TASK_REGRESSION:
			break;
	}
	return metric_regression(host, rows->target, rows->predicted, weight, rows->n, out, why);
}
