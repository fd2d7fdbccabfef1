/*
 * metric_expect.h
 *	  Comparing reports of metrics with expected values.
 */
#ifndef CHURNOPS_TEST_METRIC_EXPECT_H
#define CHURNOPS_TEST_METRIC_EXPECT_H

#include "tap.h"

#include "metric/metric.h"

typedef struct Expected
{
	MetricName	metric;
	double		value;
} Expected;

/* scikit-learn and we round sums differently. */
#define EXPECT_TOLERANCE 1e-12

static inline bool
metric_is_undefined(const MetricReport *report, MetricName metric)
{
	return (report->undefined >> metric & 1) != 0;
}

/* Every metric of the list has its value, without a warning. */
static inline void
expect_values(const MetricReport *report, const Expected *expected, size_t n, const char *what)
{
	size_t		i;

	for (i = 0; i < n; i++)
	{
		MetricName	metric = expected[i].metric;

		tap_is_real(report->value[metric], expected[i].value, EXPECT_TOLERANCE, "%s: %s", what,
					metric_name(metric));
		if (metric_is_undefined(report, metric) || (report->applies >> metric & 1) == 0)
			tap_ok(false, "%s: %s is defined and applies", what, metric_name(metric));
	}
}

/* All that applies is NAN and undefined, all else NAN and not. */
static inline void
expect_nothing(const MetricReport *report, const char *what)
{
	int			i;
	int			n_values = 0;

	for (i = 0; i < METRIC_COUNT; i++)
		n_values += !isnan(report->value[i]);
	tap_is_int(n_values, 0, "%s: no value", what);
	tap_is_hex(report->undefined, report->applies, "%s: all that applies is undefined", what);
	tap_is_int(report->n_rows, 0, "%s: no row counts", what);
}

/* How far two reports are apart at most; infinite when they disagree on what is defined. */
static inline double
report_distance(const MetricReport *a, const MetricReport *b)
{
	double		largest = 0;
	int			i;

	if (a->applies != b->applies || a->undefined != b->undefined)
		return INFINITY;
	for (i = 0; i < METRIC_COUNT; i++)
	{
		double		gap = fabs(a->value[i] - b->value[i]);

		if (isnan(a->value[i]) != isnan(b->value[i]))
			return INFINITY;
		if (gap > largest)
			largest = gap;
	}
	return largest;
}

#endif
