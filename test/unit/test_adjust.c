/*
 * test_adjust.c
 *	  Adjusted p values: vectors of algorithms T3, and what follows by hand.
 */
#include "tap.h"

#include "drift/drift.h"
#include "test_host.h"

#define N 8

static const double p[N] = {.042, .001, .008, .039, .041, .205, .06, .074};

static void
is_adjusted(DriftCorrection correction, const double *expected, double tolerance,
			const char *name)
{
	TestHost	t;
	double		adjusted[N];
	int			i;

	test_host_begin(&t);
	tap_is_int(drift_adjust(&t.host, correction, p, N, adjusted, NULL), STATUS_OK, "%s", name);
	for (i = 0; i < N; i++)
		tap_is_real(adjusted[i], expected[i], tolerance, "%s of %g", name, p[i]);
	tap_ok(test_host_end(&t), "no leak");
}

static Status
adjust(const Host *host, void *arg, Failure *why)
{
	double		adjusted[N];

	(void) arg;
	return drift_adjust(host, DRIFT_HOLM, p, N, adjusted, why);
}

int
main(void)
{
	static const double hochberg[N] = {.0672, .008, .032, .0672, .0672, .205, .08,
	.074 * 8 / 7};
	static const double holm[N] = {.234, .008, .056, .234, .234, .234, .234, .234};
	static const double bonferroni[N] = {.336, .008, .064, .312, .328, 1, .48, .592};
	static const double some[3] = {NAN, .01, .03};
	double		harmonic = 1 + 1 / 2. + 1 / 3. + 1 / 4. + 1 / 5. + 1 / 6. + 1 / 7. + 1 / 8.;
	double		yekutieli[N];
	double		adjusted[3];
	TestHost	t;
	int			i;

	for (i = 0; i < N; i++)
		yekutieli[i] = fmin(1, hochberg[i] * harmonic);
	is_adjusted(DRIFT_BENJAMINI_HOCHBERG, hochberg, 1e-15, "T3: Benjamini-Hochberg");
	is_adjusted(DRIFT_BENJAMINI_YEKUTIELI, yekutieli, 1e-15, "Benjamini-Yekutieli");
	is_adjusted(DRIFT_HOLM, holm, 1e-15, "T3: Holm");
	is_adjusted(DRIFT_BONFERRONI, bonferroni, 1e-15, "Bonferroni");

	test_host_begin(&t);
	drift_adjust(&t.host, DRIFT_BENJAMINI_HOCHBERG, some, 3, adjusted, NULL);
	tap_ok(isnan(adjusted[0]), "an unknown p stays unknown");
	tap_is_real(adjusted[1], .02, 1e-17, "and does not count");
	tap_is_real(adjusted[2], .03, 1e-17, "the largest stays as it is");
	tap_is_int(drift_adjust(&t.host, DRIFT_HOLM, some, 0, adjusted, NULL), STATUS_OK, "none");
	tap_ok(test_host_end(&t), "no leak");
	tap_ok(test_sweep(adjust, NULL, 2, 0), "survives refusal");
	return tap_done();
}
