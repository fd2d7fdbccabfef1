/*
 * test_regression.c
 *	  Measures of predicted numbers: scikit-learn's values, order, weights,
 *	  and everything that can be undefined.
 */
#include "metric_expect.h"
#include "tap.h"
#include "test_host.h"

#include "core/rng.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* oracle_metrics.py: numbers */
static const double target[] = {
	33.6, 41.4, 68, 42.9, 67.8, 80.3, 40, 49.1, 63.3, 62.2, 34.7, 44.8,
	50.1, 68.5, 52.7, 54.9, 25.8, 33.3, 28.8, 61.8, 48.3, 56.2, 52.6, 27,
	41.6, 69.8, 43, 47.6, 87.3, 37.8, 24.5, 29.2, 20.3, 90.1, 47.4, 31.4,
};
static const double predicted[] = {
	30.3, 43.5, 70.2, 32.2, 54.6, 74, 41.9, 55.9, 63.4, 74.9, 42.3, 41.8,
	44, 67.6, 58.4, 66.3, 24.3, 33, 26.6, 59.2, 47, 57.4, 57.6, 42.6,
	42, 76.4, 49.5, 60, 100.4, 40.6, 14.7, 23.7, 32.3, 81.2, 46.3, 23.1,
};
static const double row_weight[] = {
	0.25, 2, 1.5, 0.75, 0.5, 1.75, 0.25, 0.75, 1.25, 1.25, 1, 1.5,
	0.5, 1.75, 0.5, 1.25, 1.5, 0.5, 2, 1, 1.75, 1.75, 2, 2,
	1.25, 0.75, 1, 1.25, 0.75, 1, 0.25, 1.25, 0.75, 1.75, 0.5, 0.75,
};

static const Expected regression_expected[] = {
	{METRIC_RMSE, 7.3619705997179254},
	{METRIC_MAE, 5.863888888888888},
	{METRIC_R2, 0.8222708729704107},
};

static const Expected regression_weighted_expected[] = {
	{METRIC_RMSE, 7.192365637034182},
	{METRIC_MAE, 5.558024691358025},
	{METRIC_R2, 0.8402416167963728},
};

/* end of oracle_metrics.py */

static void
test_oracle(const Host *host)
{
	MetricReport report;
	size_t		n = LENGTH(target);

	tap_is_int(metric_regression(host, target, predicted, NULL, n, &report, NULL), STATUS_OK,
			   "a report is made");
	expect_values(&report, regression_expected, LENGTH(regression_expected), "numbers");
	tap_is_int(report.n_rows, n, "all rows count");
	tap_is_hex(report.undefined, 0, "no warning");
	tap_is_hex(report.applies, 1u << METRIC_RMSE | 1u << METRIC_MAE | 1u << METRIC_R2,
			   "three metrics apply");
	metric_regression(host, target, predicted, row_weight, n, &report, NULL);
	expect_values(&report, regression_weighted_expected, LENGTH(regression_weighted_expected),
				  "numbers, weighted");
}

/* More rows than a sum without compensation could take, far from zero. */
#define N_ROWS 2000

static void
test_order_and_weights(const Host *host)
{
	static double y[4 * N_ROWS];
	static double p[4 * N_ROWS];
	static double weight[N_ROWS];
	static double repeated_y[4 * N_ROWS];
	static double repeated_p[4 * N_ROWS];
	MetricReport expected;
	MetricReport report;
	RngStream	stream;
	size_t		n_repeated = 0;
	size_t		i;

	rng_stream_begin(&stream, 9, RNG_METRIC, 0, 0);
	for (i = 0; i < N_ROWS; i++)
	{
		uint32_t	repeat = rng_stream_below(&stream, 4);

		y[i] = 1e6 + rng_unit(rng_stream_u64(&stream));
		p[i] = y[i] + rng_unit(rng_stream_u64(&stream)) - 0.5;
		weight[i] = repeat;
		for (; repeat > 0; repeat--)
		{
			repeated_y[n_repeated] = y[i];
			repeated_p[n_repeated++] = p[i];
		}
	}
	metric_regression(host, y, p, weight, N_ROWS, &expected, NULL);
	metric_regression(host, repeated_y, repeated_p, NULL, n_repeated, &report, NULL);
	tap_is_real(report_distance(&report, &expected), 0, 1e-13, "a weight is a repetition");

	metric_regression(host, y, p, NULL, N_ROWS, &expected, NULL);
	for (i = 0; i < N_ROWS; i++)
	{
		repeated_y[i] = y[N_ROWS - 1 - i];
		repeated_p[i] = p[N_ROWS - 1 - i];
	}
	metric_regression(host, repeated_y, repeated_p, NULL, N_ROWS, &report, NULL);
	tap_is_real(report_distance(&report, &expected), 0, 1e-13, "the order of rows does not matter");
}

static void
test_undefined(const Host *host)
{
	static const double tenths[] = {.1, .1, .1, .1, .1, .1, .1};
	static const double weight[] = {.7, .7, .7, .7, .7, 0, 0};	/* their mean is not .1 */
	static const double guesses[] = {.1, .2, .3, .1, .2, .3, .1};
	static const double zeros[] = {0, 0, 0, 0, 0, 0, 0};
	static const double huge[] = {1e300, -1e300};
	static const double infinite[] = {INFINITY, NAN};
	MetricReport r;

	metric_regression(host, tenths, guesses, NULL, 7, &r, NULL);
	tap_is_real(r.value[METRIC_R2], NAN, 0, "constant target: no R2");
	tap_is_hex(r.undefined, 1u << METRIC_R2, "constant target: a warning");
	tap_is_real(r.value[METRIC_MAE], .6 / 7, 1e-16, "constant target: MAE");
	metric_regression(host, tenths, guesses, weight, 7, &r, NULL);
	tap_is_real(r.value[METRIC_R2], NAN, 0, "constant target: nor where its mean is rounded");
	metric_regression(host, tenths, tenths, NULL, 7, &r, NULL);
	tap_is_real(r.value[METRIC_R2], NAN, 0, "constant target, all right: no R2");
	tap_is_real(r.value[METRIC_RMSE], 0, 0, "constant target, all right: RMSE is 0");
	metric_regression(host, guesses, tenths, NULL, 1, &r, NULL);
	tap_is_real(r.value[METRIC_R2], NAN, 0, "one row: no R2");
	metric_regression(host, guesses, guesses, NULL, 7, &r, NULL);
	tap_is_real(r.value[METRIC_R2], 1, 0, "all right: R2 is 1");

	tap_is_int(metric_regression(host, NULL, NULL, NULL, 0, &r, NULL), STATUS_OK, "no rows: OK");
	expect_nothing(&r, "no rows");
	tap_is_int(metric_regression(host, infinite, infinite, zeros, 2, &r, NULL), STATUS_OK,
			   "rows of weight 0 are not looked at");
	expect_nothing(&r, "all weights 0");

	tap_is_int(metric_regression(host, huge, zeros, NULL, 2, &r, NULL), STATUS_OK,
			   "squares may be too large");
	tap_is_real(r.value[METRIC_RMSE], NAN, 0, "too large: no RMSE");
	tap_is_real(r.value[METRIC_R2], NAN, 0, "too large: no R2");
	tap_is_real(r.value[METRIC_MAE], 1e300, 0, "too large: but MAE");
	tap_is_hex(r.undefined, 1u << METRIC_RMSE | 1u << METRIC_R2, "too large: warnings");
}

/* One row is spoilt; the report must be refused with this status and text. */
static void
refuses(const Host *host, double y, double p, double w, Status status, const char *text)
{
	double		ys[] = {1, 2, 3};
	double		ps[] = {1, 2, 3};
	double		ws[] = {1, 1, 1};
	MetricReport r;
	Failure		why;

	ys[1] = y;
	ps[1] = p;
	ws[1] = w;
	memset(&why, 0, sizeof(why));
	tap_is_int(metric_regression(host, ys, ps, ws, 3, &r, &why), status, "refused");
	tap_is_text(why.text, text, "the text");
}

static void
test_refusals(const Host *host)
{
	refuses(host, NAN, 1, 1, STATUS_INVALID_DATA, "target of row 2 is not a number");
	refuses(host, 1, NAN, 1, STATUS_INVALID_DATA, "prediction of row 2 is not a number");
	refuses(host, INFINITY, 1, 1, STATUS_OUT_OF_RANGE, "target of row 2 is infinite");
	refuses(host, 1, -INFINITY, 1, STATUS_OUT_OF_RANGE, "prediction of row 2 is infinite");
	refuses(host, 1, 1, -2, STATUS_INVALID_DATA,
			"weight of row 2 is -2, a finite number of at least 0 is required");
}

static Status
regression_call(const Host *host, void *arg, Failure *why)
{
	MetricReport r;

	(void) arg;
	return metric_regression(host, target, predicted, NULL, LENGTH(target), &r, why);
}

int
main(void)
{
	TestHost	t;

	test_host_begin(&t);
	test_oracle(&t.host);
	test_order_and_weights(&t.host);
	test_undefined(&t.host);
	test_refusals(&t.host);
	tap_is_int(t.n_allocations, 0, "no memory is asked for");
	tap_ok(test_host_end(&t), "no leak");
	tap_ok(test_sweep(regression_call, NULL, 0, 2), "it can be cancelled");
	return tap_done();
}
