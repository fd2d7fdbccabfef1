/*
 * estimate.c
 *	  Performance without labels: expected measures under calibrated
 *	  probabilities (CBPE, algorithms G8).
 */
#include "drift/drift.h"

#include <math.h>

#include "core/memory.h"
#include "core/real.h"
#include "core/sort.h"

/* p ln p + (1 − p) ln(1 − p), 0 at the ends. */
static double
negative_entropy(double p)
{
	return (p > 0 ? p * real_log(p) : 0) + (p < 1 ? (1 - p) * real_log(1 - p) : 0);
}

/* Expected pairs in order over expected pairs, equal probabilities counting half. */
static double
expected_auc(const uint64_t *ascending, size_t n)
{
	RealSum		pairs = {0, 0};
	RealSum		below = {0, 0}; /* expected negatives so far */
	RealSum		positives = {0, 0};
	double		all;
	size_t		i = 0;

	while (i < n)
	{
		double		p = sort_double_of_key(ascending[i]);
		size_t		end = i;
		double		n_equal;

		while (end < n && ascending[end] == ascending[i])
			end++;
		n_equal = (double) (end - i);
		real_sum_add(&pairs, n_equal * p * (real_sum_value(&below) + n_equal * (1 - p) / 2));
		real_sum_add(&positives, n_equal * p);
		real_sum_add(&below, n_equal * (1 - p));
		i = end;
	}
	all = real_sum_value(&positives) * real_sum_value(&below);
	return all > 0 ? real_sum_value(&pairs) / all : NAN;
}

static Status
check(const double *p, size_t n, Failure *why)
{
	size_t		i;

	for (i = 0; i < n; i++)
		if (!(p[i] >= 0 && p[i] <= 1))
			return fail(why, STATUS_INVALID_DATA, "a probability is outside 0 to 1");
	return STATUS_OK;
}

static void
expected_counts(const double *p, size_t n, double threshold, DriftEstimate *out)
{
	RealSum		positive[2] = {{0, 0}, {0, 0}};	/* by what is predicted */
	RealSum		negative[2] = {{0, 0}, {0, 0}};
	RealSum		entropy = {0, 0};
	RealSum		variance = {0, 0};
	size_t		i;

	for (i = 0; i < n; i++)
	{
		int			predicted = p[i] >= threshold;

		real_sum_add(&positive[predicted], p[i]);
		real_sum_add(&negative[predicted], 1 - p[i]);
		real_sum_add(&entropy, negative_entropy(p[i]));
		real_sum_add(&variance, p[i] * (1 - p[i]));
	}
	out->true_positive = real_sum_value(&positive[1]);
	out->false_positive = real_sum_value(&negative[1]);
	out->false_negative = real_sum_value(&positive[0]);
	out->true_negative = real_sum_value(&negative[0]);
	out->log_loss = -real_sum_value(&entropy) / out->n;
	out->brier = real_sum_value(&variance) / out->n;
	out->accuracy_error = sqrt(real_sum_value(&variance)) / out->n;
}

static double
ratio(double part, double whole)
{
	return whole > 0 ? part / whole : NAN;
}

Status
drift_estimate(const Host *host, const double *p, size_t n, double threshold,
			   DriftEstimate *out, Failure *why)
{
	uint64_t   *keys = NULL;
	uint64_t   *scratch = NULL;
	size_t		i;
	Status		status = check(p, n, why);

	*out = (DriftEstimate) {(double) n, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN,
	NAN};
	if (status != STATUS_OK || n == 0)
		return status;
	expected_counts(p, n, threshold, out);
	out->accuracy = (out->true_positive + out->true_negative) / out->n;
	out->precision = ratio(out->true_positive, out->true_positive + out->false_positive);
	out->recall = ratio(out->true_positive, out->true_positive + out->false_negative);
	out->f1 = ratio(2 * out->true_positive,
					2 * out->true_positive + out->false_positive + out->false_negative);

	status = memory_new_raw(host, n, sizeof(uint64_t), &keys, why);
	if (status == STATUS_OK)
		status = memory_new_raw(host, n, sizeof(uint64_t), &scratch, why);
	if (status == STATUS_OK)
	{
		for (i = 0; i < n; i++)
			keys[i] = sort_key_of_double(p[i]);
		status = sort_keys(host, keys, scratch, n, why);
	}
	if (status == STATUS_OK)
		out->roc_auc = expected_auc(keys, n);
	memory_free(host, scratch, n, sizeof(uint64_t));
	memory_free(host, keys, n, sizeof(uint64_t));
	return status;
}
