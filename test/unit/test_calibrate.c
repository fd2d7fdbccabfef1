/*
 * test_calibrate.c
 *	  Platt's sigmoid and isotonic regression: the minimum of the loss,
 *	  scikit-learn's values, weights as repetitions, refusals.
 */
#include <stdlib.h>

#include "metric_expect.h"
#include "tap.h"
#include "test_host.h"

#include "core/real.h"
#include "core/rng.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* oracle_calibration.py: 60 rows, and what scikit-learn makes of them */
static const double score[] = {
	0.81, 0.81, 0.52, 0.29, 0.05, 0.38, 0.41, 0.05, 0.05, 1.0, 0.65, 0.23, 0.43, 0.97, 0.9,
	0.84, 0.39, 0.49, 0.68, 0.06, 0.56, 0.27, 0.88, 0.06, 0.68, 0.87, 0.23, 0.9, 0.87, 0.02,
	0.71, 0.0, 0.5, 0.44, 0.2, 0.32, 0.81, 0.32, 0.15, 0.7, 0.45, 0.8, 0.24, 0.32, 0.8,
	0.51, 0.51, 0.24, 0.01, 0.93, 0.09, 0.84, 0.37, 0.95, 0.4, 0.94, 0.56, 0.24, 0.74, 0.67,
};
static const uint8_t label[] = {
	0, 1, 1, 0, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 1, 1, 0,
	0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 0, 1, 0, 1, 0, 0, 1, 0, 1, 0, 1, 1, 1, 0, 0, 0, 0, 1, 0,
};
static const double weight[] = {
	2.83, 1.26, 2.63, 1.45, 2.0300000000000002, 2.46, 1.75, 2.32, 2.34, 0.27, 0.37, 0.7, 0.89,
	0.86, 0.4, 0.9, 2.05, 2.91, 1.3, 1.35, 1.5, 2.29, 2.61, 3.07, 1.38, 2.37, 1.27, 2.72, 0.94,
	2.86, 1.77, 2.43, 1.85, 1.2, 1.73, 0.4, 0.38, 1.84, 1.68, 2.75, 0.31, 1.92, 1.72, 2.04, 2.44,
	1.82, 1.94, 1.73, 2.1, 0.99, 1.91, 2.27, 0.82, 3.22, 2.49, 3.12, 1.13, 1.58, 1.03, 0.39,
};
static const double sigmoid[] = {-2.477329929652934, 1.860615125402011};
static const double sigmoid_weighted[] = {-2.7767369384457874, 2.113604974845822};
static const double isotonic_x[] = {
	0.0, 0.02, 0.05, 0.23, 0.24, 0.51, 0.52, 0.56, 0.65, 0.87, 0.88, 0.97, 1.0,
};
static const double isotonic_y[] = {
	0.0, 0.0, 0.1, 0.1, 0.3, 0.3, 0.3333333333333333, 0.3333333333333333, 0.5, 0.5,
	0.7142857142857143, 0.7142857142857143, 1.0,
};
static const double isotonic_weighted_x[] = {
	0.0, 0.02, 0.05, 0.23, 0.24, 0.51, 0.52, 0.67, 0.68, 0.87, 0.88, 0.94, 0.95, 0.97, 1.0,
};
static const double isotonic_weighted_y[] = {
	0.0, 0.0, 0.11032608695652175, 0.11032608695652175, 0.2298747763864043, 0.2298747763864043,
	0.49833887043189373, 0.49833887043189373, 0.5127442650807137, 0.5127442650807137,
	0.6829268292682927, 0.6829268292682927, 0.7892156862745099, 0.7892156862745099, 1.0,
};
/* end of oracle_calibration.py */

static void
test_sigmoid(const Host *host)
{
	double		a;
	double		b;

	tap_is_int(metric_fit_sigmoid(host, label, score, NULL, LENGTH(score), &a, &b, NULL),
			   STATUS_OK, "a sigmoid is fitted");
	tap_is_real(a, sigmoid[0], 1e-11, "slope");
	tap_is_real(b, sigmoid[1], 1e-11, "offset");
	metric_fit_sigmoid(host, label, score, weight, LENGTH(score), &a, &b, NULL);
	tap_is_real(a, sigmoid_weighted[0], 1e-11, "slope, weighted");
	tap_is_real(b, sigmoid_weighted[1], 1e-11, "offset, weighted");
}

/* With one score for all, the sigmoid is the share of Platt's targets. */
static void
test_sigmoid_targets(const Host *host)
{
	uint8_t		labels[100];
	double		zeros[100] = {0};
	double		a;
	double		b;
	double		mean = (40 * .9761904762 + 60 * .0161290323) / 100;

	for (int i = 0; i < 100; i++)
		labels[i] = i < 40;
	metric_fit_sigmoid(host, labels, zeros, NULL, 100, &a, &b, NULL);
	tap_is_real(1 / (1 + real_exp(b)), mean, 1e-10, "the targets of 40 and 60 rows");
	memset(labels, 1, sizeof(labels));
	tap_is_int(metric_fit_sigmoid(host, labels, zeros, NULL, 100, &a, &b, NULL), STATUS_OK,
			   "one class can be fitted");
	tap_is_real(1 / (1 + real_exp(b)), 101.0 / 102, 1e-10, "and is not certain");
	for (int i = 0; i < 100; i++)
	{
		labels[i] = i >= 50;
		zeros[i] = i / 100.0;
	}
	tap_is_int(metric_fit_sigmoid(host, labels, zeros, NULL, 100, &a, &b, NULL), STATUS_OK,
			   "so can classes that are apart");
	tap_ok(a < -5 && a > -1000, "steep, not endless");
}

static void
expect_points(const MetricIsotonic *isotonic, const double *x, const double *y, size_t n,
			  const char *what)
{
	double		off = 0;

	tap_is_int(isotonic->n, n, "%s: points", what);
	for (size_t i = 0; i < n && i < isotonic->n; i++)
	{
		off = fmax(off, fabs(isotonic->x[i] - x[i]));
		off = fmax(off, fabs(isotonic->y[i] - y[i]));
	}
	tap_is_real(off, 0, 1e-15, "%s: values", what);
}

static void
test_isotonic(const Host *host)
{
	static const uint8_t labels[] = {0, 0, 1, 0, 1, 0, 1, 1};
	static const double scores[] = {1, 2, 3, 4, 5, 6, 7, 8};
	static const double x[] = {1, 2, 3, 6, 7, 8};
	static const double y[] = {0, 0, .5, .5, 1, 1};
	MetricIsotonic isotonic;

	tap_is_int(metric_fit_isotonic(host, labels, scores, NULL, 8, &isotonic, NULL), STATUS_OK,
			   "an isotonic regression is fitted");
	expect_points(&isotonic, x, y, LENGTH(x), "eight rows");
	metric_isotonic_free(host, &isotonic);
	metric_fit_isotonic(host, label, score, NULL, LENGTH(score), &isotonic, NULL);
	expect_points(&isotonic, isotonic_x, isotonic_y, LENGTH(isotonic_x), "sixty rows");
	metric_isotonic_free(host, &isotonic);
	metric_fit_isotonic(host, label, score, weight, LENGTH(score), &isotonic, NULL);
	expect_points(&isotonic, isotonic_weighted_x, isotonic_weighted_y,
				  LENGTH(isotonic_weighted_x), "sixty rows, weighted");
	metric_isotonic_free(host, &isotonic);
}

/* Random rows: the order is of no account, and a weight is a repetition. */
static void
test_random(const Host *host)
{
	RngStream	stream;
	int			n_wrong = 0;
	double		off = 0;

	rng_stream_begin(&stream, 77, RNG_METRIC, 0, 0);
	for (uint64_t round = 0; round < test_amount(300, 20); round++)
	{
		enum {N = 80};
		double		s[N];
		double		w[N];
		uint8_t		l[N];
		double		many_s[4 * N];
		uint8_t		many_l[4 * N];
		size_t		n_many = 0;
		MetricIsotonic one;
		MetricIsotonic other;
		double		ab[4];

		for (size_t i = 0; i < N; i++)
		{
			s[i] = rng_stream_below(&stream, 20) / 20.0;
			l[i] = rng_stream_below(&stream, 20) < 20 * s[i];
			w[i] = i == 0 ? 1 : rng_stream_below(&stream, 4);
		}
		for (size_t i = N; i-- > 0;)
			for (int k = 0; k < w[i]; k++)
			{
				many_s[n_many] = s[i];
				many_l[n_many++] = l[i];
			}
		metric_fit_isotonic(host, l, s, w, N, &one, NULL);
		metric_fit_isotonic(host, many_l, many_s, NULL, n_many, &other, NULL);
		n_wrong += one.n != other.n ||
			memcmp(one.x, other.x, one.n * sizeof(double)) != 0 ||
			memcmp(one.y, other.y, one.n * sizeof(double)) != 0;
		for (size_t i = 1; i < one.n; i++)
			n_wrong += one.x[i] <= one.x[i - 1] || one.y[i] < one.y[i - 1];
		metric_isotonic_free(host, &one);
		metric_isotonic_free(host, &other);
		metric_fit_sigmoid(host, l, s, w, N, &ab[0], &ab[1], NULL);
		metric_fit_sigmoid(host, many_l, many_s, NULL, n_many, &ab[2], &ab[3], NULL);
		off = fmax(off, fmax(fabs(ab[0] - ab[2]), fabs(ab[1] - ab[3])));
	}
	tap_is_int(n_wrong, 0, "isotonic: neither order nor repetition matters, and it never falls");
	tap_is_real(off, 0, 1e-9, "sigmoid: likewise");
}

static void
test_refusals(const Host *host)
{
	const uint8_t labels[] = {0, 2};
	const double scores[] = {0.5, NAN};
	const double zeros[] = {0, 0};
	MetricIsotonic isotonic;
	double		a;
	double		b;
	Failure		why;

	tap_is_int(metric_fit_sigmoid(host, label, score, zeros, 2, &a, &b, &why),
			   STATUS_INVALID_DATA, "no weight");
	tap_is_text(why.text, "no row with a weight to calibrate on", "and why");
	tap_is_int(metric_fit_isotonic(host, label, score, zeros, 2, &isotonic, &why),
			   STATUS_INVALID_DATA, "nor for isotonic");
	tap_is_int(metric_fit_isotonic(host, labels, score, NULL, 2, &isotonic, &why),
			   STATUS_INVALID_DATA, "a label of no class");
	tap_is_int(metric_fit_isotonic(host, label, scores, NULL, 2, &isotonic, &why),
			   STATUS_INVALID_DATA, "a score that is no number");
	tap_is_text(why.text, "score of row 2 is not a finite number", "and why");
}

static Status
isotonic_call(const Host *host, void *arg, Failure *why)
{
	MetricIsotonic isotonic;
	Status		status = metric_fit_isotonic(host, label, score, weight, LENGTH(score), &isotonic,
											 why);

	(void) arg;
	if (status == STATUS_OK)
		metric_isotonic_free(host, &isotonic);
	return status;
}

static Status
sigmoid_call(const Host *host, void *arg, Failure *why)
{
	double		a;
	double		b;

	(void) arg;
	return metric_fit_sigmoid(host, label, score, weight, LENGTH(score), &a, &b, why);
}

int
main(void)
{
	TestHost	t;

	test_host_begin(&t);
	test_sigmoid(&t.host);
	test_sigmoid_targets(&t.host);
	test_isotonic(&t.host);
	test_random(&t.host);
	test_refusals(&t.host);
	tap_ok(test_host_end(&t), "no leak");
	tap_ok(test_sweep(isotonic_call, NULL, 5, 1), "isotonic survives refusal and cancel");
	tap_ok(test_sweep(sigmoid_call, NULL, 0, 5), "sigmoid survives refusal and cancel");
	return tap_done();
}
