/*
 * test_intervals.c
 *	  Wilson's interval, DeLong's variances and McNemar's test: published
 *	  values, and DeLong's definition pair by pair.
 */
#include "metric_expect.h"
#include "tap.h"
#include "test_host.h"

#include "core/rng.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static const uint8_t label[] = {0, 0, 1, 1, 0, 1, 0, 1, 1, 0};
static const double score_a[] = {.1, .4, .35, .8, .4, .4, .2, .9, .7, .6};
static const double score_b[] = {.2, .3, .6, .7, .5, .3, .1, .8, .9, .4};

static void
test_wilson(void)
{
	double		low;
	double		high;

	metric_wilson(45, 50, 0.95, &low, &high);
	tap_is_real(low, .7863976857, 1e-10, "45 of 50, low");
	tap_is_real(high, .9565242351, 1e-10, "45 of 50, high");
	metric_wilson(0, 10, 0.95, &low, &high);
	tap_is_real(low, 0, 0, "none of ten, low");
	tap_is_real(high, 0.27753279986288926, 1e-12, "none of ten, high");
	metric_wilson(10, 10, 0.95, &low, &high);
	tap_is_real(low, 0.7224672001371107, 1e-12, "all of ten, low");
	tap_is_real(high, 1, 0, "all of ten, high");
	metric_wilson(0, 0, 0.95, &low, &high);
	tap_ok(isnan(low) && isnan(high), "of none there is no interval");
}

static void
test_delong_vectors(const Host *host)
{
	static const uint8_t ones[] = {1, 1, 1};
	MetricDelong d;
	double		error;

	tap_is_int(metric_delong(host, label, score_a, score_b, LENGTH(label), &d, NULL), STATUS_OK,
			   "DeLong is computed");
	tap_is_real(d.auc[0], .8, 1e-15, "first AUC");
	tap_is_real(d.auc[1], .9, 1e-15, "second AUC");
	tap_is_real(d.variance[0], .023, 1e-15, "first variance");
	tap_is_real(d.variance[1], .012, 1e-15, "second variance");
	tap_is_real(d.covariance, .0085, 1e-15, "covariance");
	tap_is_real(metric_delong_p(&d, &error), .4560565403, 1e-10, "p-value");
	tap_is_real((d.auc[0] - d.auc[1]) / error, -.7453559925, 1e-10, "z");
	metric_delong(host, label, score_a, score_a, LENGTH(label), &d, NULL);
	tap_is_real(metric_delong_p(&d, &error), 1, 0, "a score does not differ from itself");
	metric_delong(host, ones, score_a, score_b, 3, &d, NULL);
	tap_ok(isnan(d.auc[0]) && isnan(d.variance[0]), "one class: nothing is known");
	metric_delong(host, label + 1, score_a, NULL, 2, &d, NULL);
	tap_ok(!isnan(d.auc[0]) && isnan(d.variance[0]), "one row of a class: no variance");
}

/* How far DeLong by pairs is from ours. */
static double
off_by_pairs(const uint8_t *labels, const double *const scores[2], size_t n,
			 const MetricDelong *d)
{
	double		v10[2][64];
	double		v01[2][64];
	double		auc[2] = {0};
	double		s10[3] = {0};
	double		s01[3] = {0};
	double		off = 0;
	size_t		p = 0;
	size_t		q = 0;

	for (int k = 0; k < 2; k++)
	{
		p = q = 0;
		for (size_t i = 0; i < n; i++)
		{
			double		sum = 0;
			double		m = 0;

			for (size_t j = 0; j < n; j++)
			{
				double		up = labels[i] ? scores[k][i] - scores[k][j]
					: scores[k][j] - scores[k][i];

				if (labels[j] == labels[i])
					continue;
				sum += up > 0 ? 1 : up == 0 ? .5 : 0;
				m++;
			}
			if (labels[i])
				v10[k][p++] = sum / m;
			else
				v01[k][q++] = sum / m;
		}
		for (size_t i = 0; i < p; i++)
			auc[k] += v10[k][i] / p;
		off = fmax(off, fabs(auc[k] - d->auc[k]));
	}
	for (int c = 0; c < 3; c++)
	{
		int			a = c == 1;
		int			b = c != 0;

		for (size_t i = 0; i < p; i++)
			s10[c] += (v10[a][i] - auc[a]) * (v10[b][i] - auc[b]) / (p - 1.0) / p;
		for (size_t i = 0; i < q; i++)
			s01[c] += (v01[a][i] - auc[a]) * (v01[b][i] - auc[b]) / (q - 1.0) / q;
	}
	off = fmax(off, fabs(s10[0] + s01[0] - d->variance[0]));
	off = fmax(off, fabs(s10[1] + s01[1] - d->variance[1]));
	return fmax(off, fabs(s10[2] + s01[2] - d->covariance));
}

static void
test_delong_by_pairs(const Host *host)
{
	RngStream	stream;
	double		off = 0;

	rng_stream_begin(&stream, 3, RNG_METRIC, 0, 0);
	for (uint64_t round = 0; round < test_amount(500, 20); round++)
	{
		size_t		n = 8 + rng_stream_below(&stream, 56);
		uint32_t	steps = 2 + rng_stream_below(&stream, 30);
		uint8_t		labels[64];
		double		a[64];
		double		b[64];
		const double *const scores[2] = {a, b};
		MetricDelong d;

		for (size_t i = 0; i < n; i++)
		{
			labels[i] = i < 2 ? 0 : i < 4 ? 1 : rng_stream_below(&stream, 2);
			a[i] = rng_stream_below(&stream, steps);
			b[i] = a[i] + rng_stream_below(&stream, steps);
		}
		metric_delong(host, labels, a, b, n, &d, NULL);
		off = fmax(off, off_by_pairs(labels, scores, n, &d));
	}
	tap_is_real(off, 0, 1e-12, "DeLong agrees with its definition, ties included");
}

static void
test_mcnemar(void)
{
	MetricMcnemar test;

	tap_is_real(metric_mcnemar(3, 11, false, &test), .0573730469, 1e-10, "exact");
	tap_is_int(test, MCNEMAR_EXACT, "is exact");
	tap_is_real(metric_mcnemar(11, 3, true, &test), .03515625, 1e-15, "mid-p");
	tap_is_int(test, MCNEMAR_MID_P, "is mid-p");
	tap_is_real(metric_mcnemar(0, 0, false, &test), 1, 0, "no difference");
	tap_is_real(metric_mcnemar(7, 7, false, &test), 1, 0, "balanced");
	tap_is_real(metric_mcnemar(7, 7, true, &test), 1, 0, "balanced, mid-p");
	tap_is_real(metric_mcnemar(0, 1, true, &test), .5, 1e-14, "one row, mid-p");
	tap_is_real(metric_mcnemar(12, 13, false, &test), 1, 1e-12, "25 rows, exact");
	tap_is_int(test, MCNEMAR_EXACT, "up to 25");
	/* (|30 - 12| - 1)^2 / 42 = 6.880952380952381 */
	tap_is_real(metric_mcnemar(30, 12, false, &test), 0.008711912962379598, 1e-12, "42 rows");
	tap_is_int(test, MCNEMAR_CHI_SQUARE, "by chi-square");
	tap_is_real(metric_mcnemar(20, 20, false, &test), 1, 0, "40 rows, balanced");
}

static Status
delong_call(const Host *host, void *arg, Failure *why)
{
	MetricDelong d;

	(void) arg;
	return metric_delong(host, label, score_a, score_b, LENGTH(label), &d, why);
}

int
main(void)
{
	TestHost	t;
	const uint8_t labels[] = {0, 3};
	const double scores[] = {1, NAN};
	MetricDelong d;
	Failure		why;

	test_host_begin(&t);
	test_wilson();
	test_delong_vectors(&t.host);
	test_delong_by_pairs(&t.host);
	test_mcnemar();
	tap_is_int(metric_delong(&t.host, labels, score_a, NULL, 2, &d, &why), STATUS_INVALID_DATA,
			   "a label of no class");
	tap_is_int(metric_delong(&t.host, label, score_a, scores, 2, &d, &why), STATUS_INVALID_DATA,
			   "a score that is no number");
	tap_is_text(why.text, "score of row 2 is NaN", "and which");
	tap_ok(test_host_end(&t), "no leak");
	tap_ok(test_sweep(delong_call, NULL, 3, 2), "DeLong survives refusal and cancel");
	return tap_done();
}
