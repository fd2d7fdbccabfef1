/*
 * threshold.c
 *	  Choosing the score from which on a row counts as positive (algorithms E6).
 *
 * Candidates are +inf (nobody) and every score there is.  They are passed from
 * above, and a later one has to be better, so of equally good ones the highest
 * is taken: it disturbs the fewest customers.
 */
#include <math.h>

#include "core/distribution.h"
#include "metric/internal.h"

/* How far a share may be from what it has to reach by the rounding of sums. */
#define SHARE_TOLERANCE 1e-12

/* Weights on both sides of a threshold. */
typedef struct Split
{
	double		threshold;
	double		tp;
	double		fp;
	double		fn;
	double		tn;
} Split;

static Status
check_range(const char *name, double value, double low, double high, Failure *why)
{
	if (value >= low && value <= high)
		return STATUS_OK;
	if (high > 1)
		return fail(why, STATUS_INVALID_PARAMETER,
					"\"%s\" of the rule is %g, a finite number of at least %g is required", name,
					value, low);
	return fail(why, STATUS_INVALID_PARAMETER,
				"\"%s\" of the rule is %g, a number from %g to %g is required", name, value, low,
				high);
}

static Status
check_above_zero(const char *name, double value, Failure *why)
{
	if (value > 0 && value <= DBL_MAX)
		return STATUS_OK;
	return fail(why, STATUS_INVALID_PARAMETER,
				"\"%s\" of the rule is %g, a finite number above 0 is required", name, value);
}

static Status
check_costs(const MetricRule *rule, Failure *why)
{
	const double costs[] = {rule->cost_tp, rule->cost_fp, rule->cost_fn, rule->cost_tn};

	for (int i = 0; i < 4; i++)
		if (!isfinite(costs[i]))
			return fail(why, STATUS_OUT_OF_RANGE, "a cost of the rule is not finite");
	if (rule->calibrated && !(rule->cost_fp > rule->cost_tn && rule->cost_fn > rule->cost_tp))
		return fail(why, STATUS_INVALID_PARAMETER,
					"a wrong answer must cost more than a right one: fp %g more than tn %g, fn %g "
					"more than tp %g", rule->cost_fp, rule->cost_tn, rule->cost_fn, rule->cost_tp);
	return STATUS_OK;
}

static Status
check_profit(const MetricRule *rule, Failure *why)
{
	Status		status = check_above_zero("clv", rule->clv, why);

	if (status == STATUS_OK)
		status = check_range("d", rule->d, 0, DBL_MAX, why);
	if (status == STATUS_OK)
		status = check_range("f", rule->f, 0, DBL_MAX, why);
	if (status == STATUS_OK)
		status = check_above_zero("alpha", rule->alpha, why);
	if (status == STATUS_OK)
		status = check_above_zero("beta", rule->beta_shape, why);
	if (status == STATUS_OK)
		status = check_range("gamma", rule->gamma, 0, 1, why);
	if (status == STATUS_OK && rule->kind == RULE_EMP && !(rule->d < rule->clv))
		status = fail(why, STATUS_INVALID_PARAMETER,
					  "\"d\" of the rule is %g, less than \"clv\", %g, is required", rule->d,
					  rule->clv);
	return status;
}

Status
metric_rule_check(const MetricRule *rule, Failure *why)
{
	switch (rule->kind)
	{
		case RULE_FBETA:
			return check_above_zero("beta", rule->beta, why);
		case RULE_COST:
			return check_costs(rule, why);
		case RULE_CAPACITY:
			if (isnan(rule->capacity) == isnan(rule->share))
				return fail(why, STATUS_INVALID_PARAMETER,
							"rule \"capacity\" needs either \"k\", a number of rows, or \"share\"");
			if (isnan(rule->share))
				return check_range("k", rule->capacity, 0, DBL_MAX, why);
			return check_range("share", rule->share, 0, 1, why);
		case RULE_PRECISION:
		case RULE_RECALL:
			return check_range("at_least", rule->at_least, 0, 1, why);
		case RULE_PROFIT:
		case RULE_EMP:
			return check_profit(rule, why);
		case RULE_MCC:
		case RULE_YOUDEN:
		case RULE_ACCURACY:
			break;
	}
	return STATUS_OK;
}

static double
average_cost(const MetricRule *rule, const Split *at)
{
	return (rule->cost_tp * at->tp + rule->cost_fp * at->fp + rule->cost_fn * at->fn +
			rule->cost_tn * at->tn) / (at->tp + at->fp + at->fn + at->tn);
}

/*
 * Profit per customer: a churner who accepts, by chance gamma, brings clv and
 * takes the incentive; a customer who would have stayed takes it for nothing.
 */
static double
average_profit(const MetricRule *rule, double gamma, const Split *at)
{
	return ((gamma * (rule->clv - rule->d) - rule->f) * at->tp -
			(rule->d + rule->f) * at->fp) / (at->tp + at->fp + at->fn + at->tn);
}

static double
correlation(const Split *at)
{
	double		product = sqrt((at->tp + at->fp) * (at->tn + at->fn)) *
		sqrt((at->tp + at->fn) * (at->tn + at->fp));

	return product > 0 ? (at->tp * at->tn - at->fp * at->fn) / product : 0;
}

/*
 * How good a split is, NAN where it is no candidate, and into *value what is
 * told of it.
 */
static double
goodness(const MetricRule *rule, const Split *at, double *value)
{
	double		all = at->tp + at->fp + at->fn + at->tn;
	double		chosen = at->tp + at->fp;
	double		square = rule->beta * rule->beta;

	switch (rule->kind)
	{
		case RULE_FBETA:
			return *value = at->tp + at->fn > 0 ?
				(1 + square) * at->tp / (chosen + square * (at->tp + at->fn)) : NAN;
		case RULE_MCC:
			return *value = at->tp + at->fn > 0 && at->fp + at->tn > 0 ? correlation(at) : NAN;
		case RULE_YOUDEN:
			return *value = at->tp / (at->tp + at->fn) - at->fp / (at->fp + at->tn);
		case RULE_ACCURACY:
			return *value = (at->tp + at->tn) / all;
		case RULE_COST:
			return -(*value = average_cost(rule, at));
		case RULE_CAPACITY:
			*value = chosen;
			if (!isnan(rule->share))
				return chosen <= rule->share * all * (1 + SHARE_TOLERANCE) ? chosen : NAN;
			return chosen <= rule->capacity ? chosen : NAN;
		case RULE_PRECISION:
			*value = at->tp / chosen;
			return *value >= rule->at_least - SHARE_TOLERANCE ? at->tp : NAN;
		case RULE_RECALL:
			*value = at->tp / (at->tp + at->fn);
			return *value >= rule->at_least - SHARE_TOLERANCE ? -chosen : NAN;
		case RULE_PROFIT:
			return *value = average_profit(rule, rule->gamma, at);
		case RULE_EMP:
			break;
	}
	return *value = NAN;
}

static void
choose(MetricChoice *out, const Split *at, double value)
{
	out->found = true;
	out->threshold = at->threshold;
	out->value = value;
	out->tp = at->tp;
	out->fp = at->fp;
	out->fn = at->fn;
	out->tn = at->tn;
}

/* Move below the next block; false when there is none. */
static bool
next_split(const MetricRanked *r, const RankTotals *totals, size_t *end, RealSum sums[2],
		   Split *at)
{
	RankBlock	block;

	if (!metric_ranked_down(r, end, &block))
		return false;
	real_sum_add(&sums[1], block.positive);
	real_sum_add(&sums[0], block.negative);
	at->threshold = block.score;
	at->tp = real_sum_value(&sums[1]);
	at->fp = real_sum_value(&sums[0]);
	at->fn = totals->positive > at->tp ? totals->positive - at->tp : 0;
	at->tn = totals->negative > at->fp ? totals->negative - at->fp : 0;
	return true;
}

static Split
nobody(const RankTotals *totals)
{
	return (Split) {.threshold = INFINITY, .fn = totals->positive, .tn = totals->negative};
}

static void
choose_best(const MetricRanked *r, const RankTotals *totals, const MetricRule *rule,
			MetricChoice *out)
{
	RealSum		sums[2] = {0};
	Split		at = nobody(totals);
	size_t		end = r->n;
	double		best = -INFINITY;

	do
	{
		double		value;
		double		good = goodness(rule, &at, &value);

		if (good > best && !isnan(value))
		{
			best = good;
			choose(out, &at, value);
		}
	} while (next_split(r, totals, &end, sums, &at));
}

/* The threshold that costs alone decide, for probabilities that are right (Elkan 2001). */
static void
choose_by_costs(const MetricRanked *r, const RankTotals *totals, const MetricRule *rule,
				MetricChoice *out)
{
	RealSum		sums[2] = {0};
	Split		at = nobody(totals);
	size_t		end = r->n;
	double		of_fp = rule->cost_fp - rule->cost_tn;
	double		threshold = of_fp / (of_fp + (rule->cost_fn - rule->cost_tp));

	while (end > 0 && sort_double_of_key(r->items[end - 1].key) >= threshold)
		(void) next_split(r, totals, &end, sums, &at);
	at.threshold = threshold;
	choose(out, &at, average_cost(rule, &at));
}

/* ---------------------------------------------------------------- profit -- */

/* Corners of the convex hull over the ROC curve, from (0, 0) on: the useful thresholds. */
static Status
find_hull(const MetricRanked *r, const RankTotals *totals, Split **hull, size_t *n,
		  size_t *capacity, Failure *why)
{
	RealSum		sums[2] = {0};
	Split		at = nobody(totals);
	size_t		end = r->n;

	*hull = NULL;
	*n = *capacity = 0;
	do
	{
		Status		status;

		while (*n >= 2)
		{
			const Split *a = *hull + *n - 2;
			const Split *b = *hull + *n - 1;

			/* b stays if it lies above the line from a to here */
			if ((b->tp - a->tp) * (at.fp - a->fp) > (at.tp - a->tp) * (b->fp - a->fp))
				break;
			(*n)--;
		}
		status = memory_grow(r->host, hull, capacity, *n + 1, sizeof(Split), why);
		if (status != STATUS_OK)
			return status;
		(*hull)[(*n)++] = at;
	} while (next_split(r, totals, &end, sums, &at));
	return STATUS_OK;
}

/*
 * The expected maximum profit (Verbraken, Verbeke, Baesens 2013): the chance
 * gamma that a churner accepts is Beta distributed, and between two chances
 * each corner of the hull is best for a part of it.
 */
static void
expect_profit(const MetricRule *rule, const Split *hull, size_t n, MetricChoice *out)
{
	double		all = hull[0].fn + hull[0].tn;
	double		mean = rule->alpha / (rule->alpha + rule->beta_shape);
	double		below = 0;		/* P(gamma ≤ where this corner begins) */
	double		below_of_mean = 0;	/* the same with one more success */
	RealSum		profit = {0, 0};
	RealSum		share = {0, 0};

	for (size_t i = 0; i < n; i++)
	{
		double		upper = 1;
		double		part;
		double		part_of_mean;

		if (i + 1 < n)
		{
			double		tp = hull[i + 1].tp - hull[i].tp;
			double		fp = hull[i + 1].fp - hull[i].fp;

			upper = tp > 0 ? ((rule->d + rule->f) * fp + rule->f * tp) /
				((rule->clv - rule->d) * tp) : 1;
			upper = upper < 1 ? upper : 1;
		}
		part = dist_beta(upper, rule->alpha, rule->beta_shape);
		part_of_mean = dist_beta(upper, rule->alpha + 1, rule->beta_shape);
		real_sum_add(&profit, (rule->clv - rule->d) * hull[i].tp / all * mean *
					 (part_of_mean - below_of_mean));
		real_sum_add(&profit, -(rule->f * hull[i].tp + (rule->d + rule->f) * hull[i].fp) / all *
					 (part - below));
		real_sum_add(&share, (hull[i].tp + hull[i].fp) / all * (part - below));
		below = part;
		below_of_mean = part_of_mean;
	}
	out->value = real_sum_value(&profit);
	out->expected_share = real_sum_value(&share);
}

/* The threshold is the highest that reaches the expected share. */
static Status
choose_by_expected_profit(const MetricRanked *r, const RankTotals *totals, const MetricRule *rule,
						  MetricChoice *out, Failure *why)
{
	RealSum		sums[2] = {0};
	Split		at = nobody(totals);
	size_t		end = r->n;
	Split	   *hull;
	size_t		n;
	size_t		capacity;
	double		enough;
	Status		status = find_hull(r, totals, &hull, &n, &capacity, why);

	if (status == STATUS_OK)
		expect_profit(rule, hull, n, out);
	memory_free(r->host, hull, capacity, sizeof(Split));
	if (status != STATUS_OK)
		return status;
	enough = out->expected_share * (1 - SHARE_TOLERANCE) * (totals->positive + totals->negative);
	while (at.tp + at.fp < enough && next_split(r, totals, &end, sums, &at))
		;
	choose(out, &at, out->value);
	return STATUS_OK;
}

Status
metric_choose_threshold(MetricRanked *r, const MetricRule *rule, MetricChoice *out, Failure *why)
{
	RankTotals	totals;
	Status		status = metric_rule_check(rule, why);

	*out = (MetricChoice) {.threshold = NAN, .value = NAN, .expected_share = NAN};
	if (status == STATUS_OK)
		status = metric_ranked_totals(r, &totals, why);
	if (status != STATUS_OK || !(totals.positive + totals.negative > 0))
		return status;
	if (rule->kind == RULE_EMP)
	{
		if (totals.positive == 0 || totals.negative == 0)
			return STATUS_OK;
		return choose_by_expected_profit(r, &totals, rule, out, why);
	}
	if (rule->kind == RULE_COST && rule->calibrated)
		choose_by_costs(r, &totals, rule, out);
	else
		choose_best(r, &totals, rule, out);
	return STATUS_OK;
}
