/*
 * test_resample.c
 *	  The bootstrap: against one that is written down plainly, for rows,
 *	  clusters and strata; what does not count; quantiles; coverage.
 */
#include <stdlib.h>

#include "metric_expect.h"
#include "tap.h"
#include "test_host.h"

#include "core/rng.h"

#define N_ROWS 40
#define N_RESAMPLES 200

/* The weighted mean of numbers, and NAN where the first row was not drawn. */
typedef struct Means
{
	const double *number;
	size_t		n;
} Means;

static Status
compute_means(void *ctx, const double *weight, double *values, Failure *why)
{
	const Means *m = ctx;
	double		sum = 0;
	double		total = 0;

	(void) why;
	for (size_t i = 0; i < m->n; i++)
	{
		sum += weight[i] * m->number[i];
		total += weight[i];
	}
	values[0] = sum / total;
	values[1] = weight[0] > 0 ? sum / total : NAN;
	return STATUS_OK;
}

static int
compare_numbers(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

/* The same means, resampled by drawing row after row. */
static size_t
plain_bootstrap(const MetricBootstrap *b, const double *number, bool with_first, double *out)
{
	size_t		n_units = b->cluster != NULL ? b->n_clusters : b->n;
	size_t		n_out = 0;

	for (uint32_t r = 0; r < b->n_resamples; r++)
	{
		RngStream	stream;
		double		sum = 0;
		double		total = 0;
		bool		has_first = false;

		rng_stream_begin(&stream, b->seed, RNG_METRIC, r, 0);
		for (size_t i = 0; i < n_units; i++)
		{
			uint32_t	zero = 0;
			uint32_t	drawn;

			for (size_t k = 0; b->stratum != NULL && k < b->n; k++)
				zero += b->stratum[k] == 0;
			if (b->stratum == NULL)
				drawn = rng_stream_below(&stream, (uint32_t) n_units);
			else
			{
				/* the drawn-th row of the stratum */
				int			wanted = i >= zero;
				uint32_t	left = rng_stream_below(&stream, wanted ? (uint32_t) n_units - zero
													: zero);

				for (drawn = 0; b->stratum[drawn] != wanted || left-- > 0;)
					drawn++;
			}
			for (size_t k = 0; k < b->n; k++)
				if ((b->cluster != NULL ? b->cluster[k] : k) == drawn)
				{
					double		w = b->weight != NULL ? b->weight[k] : 1;

					sum += w * number[k];
					total += w;
					has_first |= k == 0;
				}
		}
		if (has_first || !with_first)
			out[n_out++] = sum / total;
	}
	qsort(out, n_out, sizeof(double), compare_numbers);
	return n_out;
}

static void
check(const Host *host, const MetricBootstrap *b, const double *number, const char *what)
{
	Means		means = {number, b->n};
	MetricResampled got[2];
	double		plain[N_RESAMPLES];
	size_t		n;

	tap_is_int(metric_bootstrap(host, b, 2, compute_means, &means, got, NULL), STATUS_OK,
			   "%s: resampled", what);
	for (int k = 0; k < 2; k++)
	{
		n = plain_bootstrap(b, number, k == 1, plain);
		tap_is_int(got[k].n_used, n, "%s: resamples that count, %d", what, k);
		tap_is_real(got[k].low, metric_quantile(plain, n, .05), 1e-12, "%s: low, %d", what, k);
		tap_is_real(got[k].high, metric_quantile(plain, n, .95), 1e-12, "%s: high, %d", what, k);
		tap_is_real(got[k].lower_bound, metric_quantile(plain, n, .1), 1e-12,
					"%s: lower bound, %d", what, k);
	}
}

static void
test_against_plain(const Host *host)
{
	double		number[N_ROWS];
	double		weight[N_ROWS];
	uint32_t	cluster[N_ROWS];
	uint8_t		stratum[N_ROWS];
	MetricBootstrap b = {.n = N_ROWS, .seed = 11, .n_resamples = N_RESAMPLES, .confidence = .9};
	RngStream	stream;

	rng_stream_begin(&stream, 1, RNG_METRIC, 0, 0);
	for (size_t i = 0; i < N_ROWS; i++)
	{
		number[i] = rng_unit(rng_stream_u64(&stream)) - .4;
		weight[i] = rng_stream_below(&stream, 5) + 1;
		cluster[i] = (uint32_t) i % 13;
		stratum[i] = i % 3 == 0;
	}
	check(host, &b, number, "rows");
	b.weight = weight;
	check(host, &b, number, "weights");
	b.cluster = cluster;
	b.n_clusters = 13;
	check(host, &b, number, "clusters");
	b.cluster = NULL;
	b.stratum = stratum;
	check(host, &b, number, "strata");
}

static void
test_edges(const Host *host)
{
	static const double numbers[] = {1, 2, 3, 4};
	static const double one[] = {7};
	MetricBootstrap b = {.n = 4, .seed = 1, .n_resamples = 50, .confidence = .9};
	Means		means = {numbers, 4};
	MetricResampled got[2];
	Failure		why;

	tap_is_real(metric_quantile(numbers, 4, 0), 1, 0, "the least");
	tap_is_real(metric_quantile(numbers, 4, 1), 4, 0, "the largest");
	tap_is_real(metric_quantile(numbers, 4, .25), 1.75, 1e-15, "a quarter");
	tap_is_real(metric_quantile(one, 1, .25), 7, 0, "of one");
	metric_bootstrap(host, &b, 2, compute_means, &means, got, NULL);
	tap_is_real(got[0].p_value, 2.0 / 51, 1e-15, "a number that is never near 0");
	b.n_resamples = 0;
	tap_is_int(metric_bootstrap(host, &b, 2, compute_means, &means, got, &why),
			   STATUS_INVALID_PARAMETER, "no resamples");
	tap_is_text(why.text, "0 resamples, 1 to 100000 are possible", "and why");
	b.n_resamples = 5;
	b.n = 0;
	tap_is_int(metric_bootstrap(host, &b, 2, compute_means, &means, got, &why),
			   STATUS_INVALID_DATA, "no rows");
}

/* Of means of 50 uniform numbers, 90 % intervals should cover 0.5 about nine times in ten. */
static void
test_coverage(const Host *host)
{
	uint64_t	rounds = test_amount(400, 10);
	uint64_t	n_covered = 0;

	for (uint64_t round = 0; round < rounds; round++)
	{
		double		number[50];
		Means		means = {number, 50};
		MetricBootstrap b = {.n = 50, .seed = (uint32_t) round, .n_resamples = 300,
			.confidence = .9};
		MetricResampled got[2];
		RngStream	stream;

		rng_stream_begin(&stream, 1000 + round, RNG_METRIC, 0, 0);
		for (int i = 0; i < 50; i++)
			number[i] = rng_unit(rng_stream_u64(&stream));
		metric_bootstrap(host, &b, 2, compute_means, &means, got, NULL);
		n_covered += got[0].low <= .5 && .5 <= got[0].high;
	}
	tap_ok(n_covered >= rounds * 84 / 100 - 1 && n_covered <= rounds, "intervals cover");
}

static Status
bootstrap_call(const Host *host, void *arg, Failure *why)
{
	static const double numbers[] = {1, 2, 3, 4};
	static const uint8_t strata[] = {0, 1, 0, 1};
	MetricBootstrap b = {.n = 4, .stratum = strata, .n_resamples = 3, .confidence = .9};
	Means		means = {numbers, 4};
	MetricResampled got[2];

	(void) arg;
	return metric_bootstrap(host, &b, 2, compute_means, &means, got, why);
}

int
main(void)
{
	TestHost	t;

	test_host_begin(&t);
	test_against_plain(&t.host);
	test_edges(&t.host);
	test_coverage(&t.host);
	tap_ok(test_host_end(&t), "no leak");
	tap_ok(test_sweep(bootstrap_call, NULL, 7, 6), "survives refusal and cancel");
	return tap_done();
}
