/*
 * test_samples.c
 *	  Distances of samples: vectors of algorithms T3, and SciPy's values
 *	  (oracle_drift.py).
 */
#include "tap.h"

#include <stdlib.h>

#include "core/rng.h"
#include "drift/drift.h"
#include "test_host.h"

/* The numbers of oracle_drift.py. */
static double
uniform(uint64_t seed, uint64_t i)
{
	return (double) (rng_mix64(seed * UINT64_C(0x9E3779B97F4A7C15) +
							   i * UINT64_C(0xD1B54A32D192ED03)) >> 11) / 9007199254740992.0;
}

static int
compare(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

static double *
sample(uint64_t seed, size_t first, size_t n, double shift)
{
	double	   *x = malloc(n * sizeof(double));
	size_t		i;

	for (i = 0; i < n; i++)
		x[i] = floor(100 * uniform(seed, first + i)) + shift;
	qsort(x, n, sizeof(double), compare);
	return x;
}

static void
is_as_scipy(uint64_t seed, size_t n, size_t m, double shift, double distance, double p,
			double wasserstein)
{
	TestHost	t;
	double	   *a = sample(seed, 0, n, 0);
	double	   *b = sample(seed, n, m, shift);
	double		got;
	double		got_p;

	test_host_begin(&t);
	tap_is_int(drift_kolmogorov_smirnov(&t.host, a, n, b, m, &got, &got_p, NULL), STATUS_OK,
			   "samples %d", (int) seed);
	tap_is_real(got, distance, 1e-15, "Kolmogorov-Smirnov of samples %d", (int) seed);
	tap_is_real(got_p, p, p * 1e-9, "its p of samples %d", (int) seed);
	tap_is_real(drift_wasserstein(a, n, b, m), wasserstein, 1e-12, "Wasserstein of samples %d",
				(int) seed);
	tap_is_real(drift_wasserstein(b, m, a, n), wasserstein, 1e-12, "and the other way round");
	tap_ok(test_host_end(&t), "no leak");
	free(a);
	free(b);
}

static void
test_vectors(void)
{
	static const double x[] = {1, 2, 3, 4, 5, 6, 7, 8};
	static const double y[] = {2.5, 5.5, 6.5, 8.5, 9, 9.5};
	TestHost	t;
	double		distance;
	double		p;

	test_host_begin(&t);
	drift_kolmogorov_smirnov(&t.host, x, 8, y, 6, &distance, &p, NULL);
	tap_is_real(distance, .5, 1e-15, "T3: Kolmogorov-Smirnov");
	tap_is_real(p, .3016983017, 5e-11, "T3: exact p");
	tap_is_real(drift_wasserstein(x, 8, y, 6), 2.4166666667, 5e-11, "T3: Wasserstein");
	drift_kolmogorov_smirnov(&t.host, x, 8, x, 8, &distance, &p, NULL);
	tap_ok(distance == 0 && p == 1, "a sample against itself");
	tap_is_real(drift_wasserstein(x, 8, x, 8), 0, 0, "no distance");
	drift_kolmogorov_smirnov(&t.host, x, 2, y + 3, 3, &distance, &p, NULL);
	tap_ok(distance == 1, "samples apart");
	tap_is_real(p, .2, 1e-15, "their p: 2 of the 10 orders");
	drift_kolmogorov_smirnov(&t.host, x, 0, y, 6, &distance, &p, NULL);
	tap_ok(isnan(distance) && isnan(p), "of nothing");
	tap_is_real(drift_wasserstein(x, 8, y, 0), NAN, 0, "Wasserstein of nothing");
	tap_is_real(drift_wasserstein(x, 1, y, 1), 1.5, 0, "of a value each");
	tap_ok(test_host_end(&t), "no leak");
}

static Status
exact(const Host *host, void *arg, Failure *why)
{
	double	   *const *samples = arg;
	double		distance;
	double		p;

	return drift_kolmogorov_smirnov(host, samples[0], 300, samples[1], 200, &distance, &p, why);
}

static Status
limit(const Host *host, void *arg, Failure *why)
{
	double	   *const *samples = arg;
	double		distance;
	double		p;

	return drift_kolmogorov_smirnov(host, samples[2], 80000, samples[3], 80000, &distance, &p,
									why);
}

int
main(void)
{
	double	   *samples[] = {sample(2, 0, 300, 0), sample(2, 300, 200, 10),
	sample(5, 0, 80000, 0), sample(6, 0, 80000, 0)};
	size_t		i;

	test_vectors();
	is_as_scipy(1, 40, 25, 0, 0.265, 0.19170969497839088, 8.975);
	is_as_scipy(2, 300, 200, 10, 0.17833333333333334, 0.0008679971342358657, 11.15);
	is_as_scipy(3, 1000, 900, 2, 0.04388888888888889, 0.31039526484972396, 2.4146666666666667);
	is_as_scipy(4, 5000, 3000, 3, 0.059733333333333305, 3.0906798158995855e-06,
				3.7269999999999994);
	tap_ok(test_sweep(exact, samples, 1, 4), "survives refusal and cancel: exact p");
	tap_ok(test_sweep(limit, samples, 0, 2), "survives cancel: the limit");
	for (i = 0; i < 4; i++)
		free(samples[i]);
	return tap_done();
}
