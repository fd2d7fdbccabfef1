/*
 * resample.c
 *	  The bootstrap: percentile intervals of any numbers that weights of rows
 *	  decide (algorithms E9).
 *
 * A resample is how often each row was drawn.  Its draws are a stream of their
 * own, keyed by the seed and the resample's number, so that resamples depend on
 * nothing but the order of the rows, which the caller makes canonical.
 */
#include <math.h>

#include "core/rng.h"
#include "metric/internal.h"

typedef struct Resampling
{
	const Host *host;
	const MetricBootstrap *b;
	uint32_t	n_values;
	size_t		n_units;		/* rows or clusters, which are drawn */
	uint32_t   *strata;			/* rows by stratum: those of 0, then those of 1; or NULL */
	size_t		n_zero;			/* rows of stratum 0 */
	uint32_t   *counts;			/* per unit */
	double	   *weight;			/* per row */
	double	   *values;			/* of one resample */
	double	   *all;			/* n_values × n_resamples */
	uint64_t   *sorted;			/* of one number, and room to sort them */
	uint64_t   *scratch;
} Resampling;

static void
resampling_free(Resampling *r)
{
	const MetricBootstrap *b = r->b;

	memory_free(r->host, r->strata, b->n, sizeof(uint32_t));
	memory_free(r->host, r->counts, r->n_units, sizeof(uint32_t));
	memory_free(r->host, r->weight, b->n, sizeof(double));
	memory_free(r->host, r->values, r->n_values, sizeof(double));
	memory_free(r->host, r->all, b->n_resamples, r->n_values * sizeof(double));
	memory_free(r->host, r->sorted, b->n_resamples, sizeof(uint64_t));
	memory_free(r->host, r->scratch, b->n_resamples, sizeof(uint64_t));
}

static Status
order_strata(Resampling *r, Failure *why)
{
	const MetricBootstrap *b = r->b;
	size_t		next[2] = {0};
	Status		status = memory_new_raw(r->host, b->n, sizeof(uint32_t), &r->strata, why);

	if (status != STATUS_OK)
		return status;
	for (size_t i = 0; i < b->n; i++)
		r->n_zero += b->stratum[i] == 0;
	next[1] = r->n_zero;
	for (size_t i = 0; i < b->n; i++)
		r->strata[next[b->stratum[i] != 0]++] = (uint32_t) i;
	return STATUS_OK;
}

static Status
resampling_new(Resampling *r, Failure *why)
{
	const Host *host = r->host;
	const MetricBootstrap *b = r->b;
	Status		status = memory_new_raw(host, r->n_units, sizeof(uint32_t), &r->counts, why);

	if (status == STATUS_OK)
		status = memory_new_raw(host, b->n, sizeof(double), &r->weight, why);
	if (status == STATUS_OK)
		status = memory_new_raw(host, r->n_values, sizeof(double), &r->values, why);
	if (status == STATUS_OK)
		status = memory_new_raw(host, b->n_resamples, r->n_values * sizeof(double), &r->all, why);
	if (status == STATUS_OK)
		status = memory_new_raw(host, b->n_resamples, sizeof(uint64_t), &r->sorted, why);
	if (status == STATUS_OK)
		status = memory_new_raw(host, b->n_resamples, sizeof(uint64_t), &r->scratch, why);
	if (status == STATUS_OK && b->stratum != NULL)
		status = order_strata(r, why);
	return status;
}

/* Draw as many units as there are. */
static Status
draw(Resampling *r, uint32_t resample, Failure *why)
{
	const MetricBootstrap *b = r->b;
	RngStream	stream;

	memset(r->counts, 0, r->n_units * sizeof(uint32_t));
	rng_stream_begin(&stream, b->seed, RNG_METRIC, resample, 0);
	for (size_t i = 0; i < r->n_units; i++)
	{
		Status		status = metric_poll(r->host, i, why);

		if (status != STATUS_OK)
			return status;
		if (r->strata == NULL)
			r->counts[rng_stream_below(&stream, (uint32_t) r->n_units)]++;
		else if (i < r->n_zero)
			r->counts[r->strata[rng_stream_below(&stream, (uint32_t) r->n_zero)]]++;
		else
			r->counts[r->strata[r->n_zero + rng_stream_below(&stream, (uint32_t)
															 (r->n_units - r->n_zero))]]++;
	}
	for (size_t i = 0; i < b->n; i++)
	{
		uint32_t	count = r->counts[b->cluster != NULL ? b->cluster[i] : i];

		r->weight[i] = b->weight != NULL ? b->weight[i] * count : count;
	}
	return STATUS_OK;
}

double
metric_quantile(const double *sorted, size_t n, double q)
{
	double		place = q * (double) (n - 1);
	size_t		below = (size_t) place;

	if (below + 1 >= n)
		return sorted[n - 1];
	if (sorted[below] == sorted[below + 1])
		return sorted[below];
	return sorted[below] + (place - (double) below) * (sorted[below + 1] - sorted[below]);
}

/* The percentiles of one number; its resamples are overwritten by those that count, in order. */
static Status
summarize(Resampling *r, uint32_t value, MetricResampled *out, Failure *why)
{
	const MetricBootstrap *b = r->b;
	double	   *own = r->all + (size_t) value * b->n_resamples;
	size_t		n = 0;
	size_t		n_low = 0;
	size_t		n_high = 0;
	Status		status;

	*out = (MetricResampled) {NAN, NAN, NAN, NAN, NAN, 0};
	for (size_t i = 0; i < b->n_resamples; i++)
	{
		if (isnan(own[i]))
			continue;
		n_low += own[i] <= 0;
		n_high += own[i] >= 0;
		r->sorted[n++] = sort_key_of_double(own[i]);
	}
	if (n == 0)
		return STATUS_OK;
	status = sort_keys(r->host, r->sorted, r->scratch, n, why);
	if (status != STATUS_OK)
		return status;
	for (size_t i = 0; i < n; i++)
		own[i] = sort_double_of_key(r->sorted[i]);
	out->n_used = (uint32_t) n;
	out->low = metric_quantile(own, n, (1 - b->confidence) / 2);
	out->high = metric_quantile(own, n, (1 + b->confidence) / 2);
	out->lower_bound = metric_quantile(own, n, 1 - b->confidence);
	out->upper_bound = metric_quantile(own, n, b->confidence);
	out->p_value = 2 * ((double) (n_low < n_high ? n_low : n_high) + 1) / ((double) n + 1);
	if (out->p_value > 1)
		out->p_value = 1;
	return STATUS_OK;
}

static Status
run(Resampling *r, MetricCompute compute, void *ctx, MetricResampled *out, Failure *why)
{
	const MetricBootstrap *b = r->b;

	for (uint32_t i = 0; i < b->n_resamples; i++)
	{
		Status		status = host_poll(r->host, why);

		if (status == STATUS_OK)
			status = draw(r, i, why);
		if (status == STATUS_OK)
			status = compute(ctx, r->weight, r->values, why);
		if (status != STATUS_OK)
			return status;
		for (uint32_t k = 0; k < r->n_values; k++)
			r->all[(size_t) k * b->n_resamples + i] = r->values[k];
	}
	for (uint32_t k = 0; k < r->n_values; k++)
	{
		Status		status = summarize(r, k, &out[k], why);

		if (status != STATUS_OK)
			return status;
	}
	return STATUS_OK;
}

Status
metric_bootstrap(const Host *host, const MetricBootstrap *b, uint32_t n_values,
				 MetricCompute compute, void *ctx, MetricResampled *out, Failure *why)
{
	Resampling	r = {.host = host, .b = b, .n_values = n_values};
	Status		status;

	r.n_units = b->cluster != NULL ? b->n_clusters : b->n;
	if (b->n_resamples < 1 || b->n_resamples > METRIC_MAX_RESAMPLES)
		return fail(why, STATUS_INVALID_PARAMETER, "%u resamples, 1 to %d are possible",
					(unsigned) b->n_resamples, METRIC_MAX_RESAMPLES);
	if (r.n_units < 1 || b->n > UINT32_MAX)
		return fail(why, STATUS_INVALID_DATA, "%zu rows cannot be resampled", b->n);
	status = resampling_new(&r, why);
	if (status == STATUS_OK)
		status = run(&r, compute, ctx, out, why);
	resampling_free(&r);
	return status;
}
