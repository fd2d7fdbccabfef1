/*
 * test_estimate.c
 *	  Performance without labels: vectors of algorithms T6, and brute force
 *	  over all labels.
 */
#include "tap.h"

#include "core/real.h"
#include "drift/drift.h"
#include "test_host.h"

#define N 10

static const double t6[N] = {.1, .4, .35, .8, .4, .4, .2, .9, .7, .6};

static void
test_vectors(void)
{
	TestHost	t;
	DriftEstimate e;

	test_host_begin(&t);
	tap_is_int(drift_estimate(&t.host, t6, N, .5, &e, NULL), STATUS_OK, "T6");
	tap_is_real(e.accuracy, .715, 1e-15, "T6: accuracy");
	tap_is_real(e.roc_auc, .7752477230, 5e-11, "T6: AUC");
	tap_is_real(e.true_positive, 3, 1e-15, "expected true positives");
	tap_is_real(e.false_positive, 1, 1e-15, "expected false positives");
	tap_is_real(e.false_negative, 1.85, 1e-15, "expected false negatives");
	tap_is_real(e.true_negative, 4.15, 1e-15, "expected true negatives");
	tap_is_real(e.precision, .75, 1e-15, "precision of the expected counts");
	tap_is_real(e.recall, 3 / 4.85, 1e-15, "recall of the expected counts");
	tap_is_real(e.f1, 6 / 8.85, 1e-15, "F1 of the expected counts");
	tap_ok(test_host_end(&t), "no leak");
}

/* Means over all 2^N labellings, each as likely as p says. */
static void
test_brute_force(void)
{
	TestHost	t;
	DriftEstimate e;
	double		accuracy = 0;
	double		squares = 0;
	double		log_loss = 0;
	double		brier = 0;
	int			labels;
	int			i;

	for (labels = 0; labels < 1 << N; labels++)
	{
		double		chance = 1;
		double		right = 0;
		double		loss = 0;
		double		off = 0;

		for (i = 0; i < N; i++)
		{
			int			y = labels >> i & 1;

			chance *= y ? t6[i] : 1 - t6[i];
			right += (t6[i] >= .5) == y;
			loss -= log(y ? t6[i] : 1 - t6[i]);
			off += (t6[i] - y) * (t6[i] - y);
		}
		accuracy += chance * right / N;
		squares += chance * right / N * right / N;
		log_loss += chance * loss / N;
		brier += chance * off / N;
	}
	test_host_begin(&t);
	drift_estimate(&t.host, t6, N, .5, &e, NULL);
	tap_is_real(e.accuracy, accuracy, 1e-14, "accuracy, by brute force");
	tap_is_real(e.accuracy_error, sqrt(squares - accuracy * accuracy), 1e-12,
				"its standard error, by brute force");
	tap_is_real(e.log_loss, log_loss, 1e-13, "log loss, by brute force");
	tap_is_real(e.brier, brier, 1e-14, "Brier score, by brute force");
	tap_ok(test_host_end(&t), "no leak");
}

static void
test_edges(void)
{
	static const double sure[] = {0, 1, 1, 0};
	static const double wrong[] = {.5, 1.5};
	static const double unknown[] = {NAN};
	static const double low[] = {.1, .2};
	TestHost	t;
	Failure		why;
	DriftEstimate e;

	test_host_begin(&t);
	drift_estimate(&t.host, sure, 4, .5, &e, NULL);
	tap_ok(e.accuracy == 1 && e.roc_auc == 1 && e.log_loss == 0 && e.brier == 0, "certainty");
	drift_estimate(&t.host, sure, 1, .5, &e, NULL);
	tap_is_real(e.roc_auc, NAN, 0, "one class has no AUC");
	drift_estimate(&t.host, low, 2, .5, &e, NULL);
	tap_is_real(e.precision, NAN, 0, "nothing predicted, no precision");
	tap_is_real(e.recall, 0, 0, "and nothing found");
	tap_is_int(drift_estimate(&t.host, low, 0, .5, &e, NULL), STATUS_OK, "no rows");
	tap_ok(e.n == 0 && isnan(e.accuracy) && isnan(e.log_loss), "no rows, no estimate");
	tap_is_int(drift_estimate(&t.host, wrong, 2, .5, &e, &why), STATUS_INVALID_DATA, "above 1");
	tap_is_text(why.text, "a probability is outside 0 to 1", "and its text");
	tap_is_int(drift_estimate(&t.host, unknown, 1, .5, &e, NULL), STATUS_INVALID_DATA, "NaN");
	tap_ok(test_host_end(&t), "no leak");
}

static Status
estimate(const Host *host, void *arg, Failure *why)
{
	DriftEstimate e;

	(void) arg;
	return drift_estimate(host, t6, N, .5, &e, why);
}

int
main(void)
{
	test_vectors();
	test_brute_force();
	test_edges();
	tap_ok(test_sweep(estimate, NULL, 2, 0), "survives refusal");
	return tap_done();
}
