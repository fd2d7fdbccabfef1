/*
 * regression.c
 *	  Measures of predicted numbers.
 */
#include <math.h>

#include "metric/internal.h"

static const MetricName regression_metrics[] = {METRIC_RMSE, METRIC_MAE, METRIC_R2};

typedef struct RegressionSums
{
	RealSum		weight;
	RealSum		target;			/* Σ w y */
	RealSum		squares;		/* Σ w (y - ŷ)² */
	RealSum		absolutes;		/* Σ w |y - ŷ| */
	double		smallest;		/* target */
	double		largest;
} RegressionSums;

static Status
check_number(const char *what, double value, size_t row, Failure *why)
{
	if (isnan(value))
		return fail(why, STATUS_INVALID_DATA, "%s of row %zu is not a number", what, row + 1);
	if (isinf(value))
		return fail(why, STATUS_OUT_OF_RANGE, "%s of row %zu is infinite", what, row + 1);
	return STATUS_OK;
}

static Status
sum_errors(const Host *host, const double *target, const double *predicted, const double *weight,
		   size_t n, RegressionSums *sums, MetricReport *out, Failure *why)
{
	size_t		i;

	for (i = 0; i < n; i++)
	{
		double		error = target[i] - predicted[i];
		double		w = 0;
		Status		status = metric_poll(host, i, why);

		if (status == STATUS_OK)
			status = metric_weight(weight, i, &w, why);
		if (status == STATUS_OK && w > 0)
			status = check_number("target", target[i], i, why);
		if (status == STATUS_OK && w > 0)
			status = check_number("prediction", predicted[i], i, why);
		if (status != STATUS_OK)
			return status;
		if (w == 0)
			continue;
		if (out->n_rows == 0 || target[i] < sums->smallest)
			sums->smallest = target[i];
		if (out->n_rows == 0 || target[i] > sums->largest)
			sums->largest = target[i];
		out->n_rows++;
		real_sum_add(&sums->weight, w);
		real_sum_add(&sums->target, w * target[i]);
		real_sum_add(&sums->squares, w * (error * error));
		real_sum_add(&sums->absolutes, w * fabs(error));
	}
	return STATUS_OK;
}

/* Σ w (y - mean)² */
static Status
sum_spread(const Host *host, const double *target, const double *weight, size_t n, double mean,
		   double *out, Failure *why)
{
	RealSum		spread = {0, 0};
	size_t		i;

	for (i = 0; i < n; i++)
	{
		double		w = weight != NULL ? weight[i] : 1;
		Status		status = metric_poll(host, i, why);

		if (status != STATUS_OK)
			return status;
		if (w > 0)
			real_sum_add(&spread, w * ((target[i] - mean) * (target[i] - mean)));
	}
	*out = real_sum_value(&spread);
	return STATUS_OK;
}

Status
metric_regression(const Host *host, const double *target, const double *predicted,
				  const double *weight, size_t n, MetricReport *out, Failure *why)
{
	RegressionSums sums = {0};
	double		all;
	double		squares;
	double		spread;
	Status		status;

	metric_report_begin(out, regression_metrics,
						sizeof(regression_metrics) / sizeof(regression_metrics[0]));
	status = sum_errors(host, target, predicted, weight, n, &sums, out, why);
	if (status != STATUS_OK || out->n_rows == 0)
		return status;

	all = real_sum_value(&sums.weight);
	squares = real_sum_value(&sums.squares);
	metric_report_set(out, METRIC_RMSE, sqrt(squares / all), false);
	metric_report_set(out, METRIC_MAE, real_sum_value(&sums.absolutes) / all, false);

	/* Asked of the extremes, not of the spread: a mean is rounded. */
	if (sums.smallest == sums.largest)
		return STATUS_OK;
	status = sum_spread(host, target, weight, n, real_sum_value(&sums.target) / all, &spread, why);
	if (status == STATUS_OK)
		metric_report_set(out, METRIC_R2, 1 - squares / spread, false);
	return status;
}
