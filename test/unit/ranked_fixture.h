/*
 * ranked_fixture.h
 *	  Ranked rows for tests.
 */
#ifndef CHURNOPS_TEST_RANKED_FIXTURE_H
#define CHURNOPS_TEST_RANKED_FIXTURE_H

#include "core/rng.h"
#include "metric/metric.h"

/* algorithms T2 */
static const uint8_t t2_label[] = {0, 0, 1, 1, 0, 1, 0, 1, 1, 0};
static const double t2_score[] = {.1, .4, .35, .8, .4, .4, .2, .9, .7, .6};

#define T2_ROWS 10

/* Rows from arrays; weight may be NULL. */
static inline Status
ranked_fill(MetricRanked *r, const Host *host, const uint8_t *label, const double *score,
			const double *weight, size_t n, Failure *why)
{
	Status		status = STATUS_OK;

	metric_ranked_begin(r, host, weight != NULL);
	for (size_t i = 0; i < n && status == STATUS_OK; i++)
		status = metric_ranked_add(r, label[i], score[i], weight != NULL ? weight[i] : 1, why);
	if (status != STATUS_OK)
		metric_ranked_free(r);
	return status;
}

/* Random labels, scores of so many levels, and weights. */
static inline void
ranked_random(RngStream *stream, size_t n, uint32_t levels, uint8_t *label, double *score,
			  double *weight)
{
	for (size_t i = 0; i < n; i++)
	{
		label[i] = rng_stream_below(stream, 3) == 0;
		score[i] = rng_stream_below(stream, levels + 1) / (double) levels;
		weight[i] = (1 + rng_stream_below(stream, 50)) / 7.0;
	}
}

#endif
