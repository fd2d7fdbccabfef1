/*
 * test_tpe.c
 *	  The Parzen estimator: densities against SciPy, and that it finds minima.
 */
#include <math.h>

#include "tap.h"
#include "test_host.h"

#include "tune/tune.h"

#define MOST_TRIALS 80

/* log l − log g of a value, with nothing left behind. */
static double
score(const TuneDimension *d, const double *observed, size_t n_below, size_t n, double x)
{
	TestHost	host;
	double		out = NAN;

	test_host_begin(&host);
	if (tune_tpe_score(&host.host, d, observed, n_below, n, x, &out, NULL) != STATUS_OK)
		return NAN;
	return test_host_end(&host) ? out : NAN;
}

static void
test_densities(void)
{
	TuneDimension range = {.kind = TUNE_FLOAT, .low = 0, .high = 1};
	TuneDimension log_integer = {.kind = TUNE_INTEGER, .low = 1, .high = 100, .log = true,
		.step = 1};
	TuneDimension list = {.kind = TUNE_LIST, .n_choices = 3};
	double		reals[] = {0.31, 0.35, 0.12, 0.9, 0.05, 0.55, 0.71, 0.33, 0.48, 0.99, 0.6};
	double		integers[] = {3, 12, 40, 100, 1, 7, 55, 90, 22, 64};
	double		choices[] = {2, 2, 0, 1, 1, 2, 0, 1};
	double		many[40];

	for (int i = 0; i < 40; i++)
		many[i] = i * 37 % 101 / 101.0;
	/* oracle_tune.py, SciPy 1.10.1 */
	tap_is_real(score(&range, reals, 3, 11, 0.3), 0.9440468238039144, 1e-9, "a range, inside");
	tap_is_real(score(&range, reals, 3, 11, 0.02), 0.879223893663375, 1e-9, "at its begin");
	tap_is_real(score(&range, reals, 3, 11, 0.95), -1.6852734233432773, 1e-9, "at its end");
	tap_is_real(score(&log_integer, integers, 2, 10, 1), 0.7157492543017563, 1e-9,
				"whole numbers by logarithm, the first");
	tap_is_real(score(&log_integer, integers, 2, 10, 5), 1.0038217551831674, 1e-9, "another");
	tap_is_real(score(&log_integer, integers, 2, 10, 80), -1.6968699262030382, 1e-9, "a large one");
	tap_is_real(score(&range, many, 4, 40, 0.4), 0.13469433793753557, 1e-9,
				"old observations weigh less");
	tap_is_real(score(&list, choices, 3, 8, 0), 0.2513144282809061, 1e-9, "the first of a list");
	tap_is_real(score(&list, choices, 3, 8, 1), -0.9273405680607401, 1e-9, "the second");
	tap_is_real(score(&list, choices, 3, 8, 2), 0.6079893722196386, 1e-9, "the third");
	/* end */
}

/* A valley: (x − 0.7)², a logarithm, and a list whose second value is best. */
static double
valley(const double *values)
{
	double		a = values[0] - 0.7;
	double		b = log(values[1]) - log(20);

	return a * a + b * b / 10 + (values[2] == 1 ? 0 : 0.3);
}

/* The least loss that n trials find. */
static double
minimise(uint64_t seed, uint32_t n, bool random, uint32_t *n_outside)
{
	static const TuneDimension dimensions[] = {
		{.kind = TUNE_FLOAT, .low = 0, .high = 1},
		{.kind = TUNE_INTEGER, .low = 1, .high = 1000, .log = true, .step = 1},
		{.kind = TUNE_LIST, .n_choices = 4},
	};
	TuneSpace	space = {dimensions, 3};
	TuneTpe		tpe = {.n_startup = 10, .n_candidates = 24};
	double		values[3 * MOST_TRIALS];
	double		losses[MOST_TRIALS];
	double		least = INFINITY;
	TestHost	host;

	test_host_begin(&host);
	for (uint32_t i = 0; i < n; i++)
	{
		TuneHistory history = {.n = i, .values = values, .losses = losses};
		double	   *point = values + 3 * i;

		if (random)
			tune_random_point(&space, seed, i, point);
		else
			tune_tpe_point(&host.host, &space, &tpe, seed, i, &history, point, NULL);
		for (uint32_t d = 0; d < 3; d++)
			*n_outside += point[d] < (d == 2 ? 0 : dimensions[d].low) ||
				point[d] > (d == 2 ? 3 : dimensions[d].high);
		losses[i] = valley(point);
		least = fmin(least, losses[i]);
	}
	return test_host_end(&host) ? least : NAN;
}

static void
test_search(void)
{
	uint32_t	n_outside = 0;
	uint32_t	n_better = 0;
	uint32_t	n_seeds = (uint32_t) test_amount(30, 6);

	for (uint64_t seed = 0; seed < n_seeds; seed++)
		n_better += minimise(seed, MOST_TRIALS, false, &n_outside) <
			minimise(seed, MOST_TRIALS, true, &n_outside);
	tap_is_int(n_outside, 0, "points lie in their ranges");
	tap_ok(n_better * 4 >= n_seeds * 3, "it finds better points than chance, three times of four");
	tap_ok(minimise(4, 30, false, &n_outside) == minimise(4, 30, false, &n_outside),
		   "and the same ones again");
}

/* TestCall */
static Status
suggest(const Host *host, void *arg, Failure *why)
{
	static const TuneDimension dimensions[] = {
		{.kind = TUNE_FLOAT, .low = 0.1, .high = 1, .log = true},
		{.kind = TUNE_LIST, .n_choices = 2},
	};
	double		values[] = {0.1, 0, 0.2, 1, 0.9, 1};
	double		losses[] = {3, 1, 2};
	double		point[2];
	TuneHistory history = {.n = 3, .values = values, .losses = losses};
	TuneTpe		tpe = {.n_startup = 2, .n_candidates = 5};

	(void) arg;
	return tune_tpe_point(host, &(TuneSpace) {dimensions, 2}, &tpe, 1, 3, &history, point, why);
}

int
main(void)
{
	test_densities();
	test_search();
	tap_ok(test_sweep(suggest, NULL, 8, 2), "survives refusal and cancel");
	return tap_done();
}
