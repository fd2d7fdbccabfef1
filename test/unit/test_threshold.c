/*
 * test_threshold.c
 *	  Choice of a threshold: by hand on T2, by brute force on random rows.
 */
#include "tap.h"
#include "test_host.h"

#include "ranked_fixture.h"

#define MAX_ROWS 60

static const MetricRule profit = {.kind = RULE_PROFIT,.clv = 200,.d = 10,.f = 1,.alpha = 6,
.beta_shape = 14,.gamma = .3};

static MetricChoice
choose(MetricRanked *r, MetricRule rule)
{
	MetricChoice choice;

	metric_choose_threshold(r, &rule, &choice, NULL);
	return choice;
}

static void
expect(MetricRanked *r, MetricRule rule, double threshold, double value, const char *what)
{
	MetricChoice choice = choose(r, rule);

	tap_ok(choice.found, "%s: found", what);
	tap_is_real(choice.threshold, threshold, 0, "%s: threshold", what);
	tap_is_real(choice.value, value, 1e-10, "%s: value", what);
}

static void
test_t2(const Host *host)
{
	MetricRanked r;
	MetricRule	emp = profit;
	MetricChoice choice;

	emp.kind = RULE_EMP;
	ranked_fill(&r, host, t2_label, t2_score, NULL, T2_ROWS, NULL);
	expect(&r, (MetricRule) {.kind = RULE_FBETA,.beta = 1}, .35, 10. / 13, "F1");
	expect(&r, (MetricRule) {.kind = RULE_FBETA,.beta = 2}, .35, 25. / 28, "F2");
	expect(&r, (MetricRule) {.kind = RULE_MCC}, .7, .6546536707, "MCC");
	expect(&r, (MetricRule) {.kind = RULE_YOUDEN}, .7, .6, "Youden");
	expect(&r, (MetricRule) {.kind = RULE_ACCURACY}, .7, .8, "accuracy");
	expect(&r, (MetricRule) {.kind = RULE_COST,.cost_fp = 1,.cost_fn = 5,.calibrated = true},
		   1. / 6, .4, "costs of right probabilities");
	expect(&r, (MetricRule) {.kind = RULE_COST,.cost_fp = 1,.cost_fn = 5}, .35, .3,
		   "costs of these rows");
	expect(&r, (MetricRule) {.kind = RULE_CAPACITY,.capacity = 4,.share = NAN}, .6, 4, "capacity");
	expect(&r, (MetricRule) {.kind = RULE_CAPACITY,.capacity = 6,.share = NAN}, .6, 4,
		   "a tied block that does not fit is left out");
	expect(&r, (MetricRule) {.kind = RULE_CAPACITY,.capacity = 0,.share = NAN}, INFINITY, 0,
		   "no capacity");
	expect(&r, (MetricRule) {.kind = RULE_CAPACITY,.capacity = NAN,.share = .7}, .4, 7,
		   "capacity as a share");
	expect(&r, (MetricRule) {.kind = RULE_RECALL,.at_least = .8}, .4, .8, "recall");
	expect(&r, (MetricRule) {.kind = RULE_PRECISION,.at_least = .7}, .7, 1, "precision");
	expect(&r, profit, .35, 24.7, "maximum profit");
	expect(&r, emp, .35, 24.7033202269, "expected maximum profit");
	choice = choose(&r, emp);
	tap_is_real(choice.expected_share, .7971203204, 5e-11, "its share");
	tap_ok(choice.tp == 5 && choice.fp == 3 && choice.fn == 0 && choice.tn == 2, "its rows");
	metric_ranked_free(&r);
}

static void
test_undefined(const Host *host)
{
	static const uint8_t none[] = {0, 0};
	static const double score[] = {.2, .4};
	MetricRanked r;
	MetricRule	emp = profit;

	emp.kind = RULE_EMP;
	ranked_fill(&r, host, none, score, NULL, 2, NULL);
	tap_ok(!choose(&r, (MetricRule) {.kind = RULE_FBETA,.beta = 1}).found &&
		   !choose(&r, (MetricRule) {.kind = RULE_MCC}).found &&
		   !choose(&r, (MetricRule) {.kind = RULE_YOUDEN}).found &&
		   !choose(&r, (MetricRule) {.kind = RULE_RECALL,.at_least = .5}).found &&
		   !choose(&r, (MetricRule) {.kind = RULE_PRECISION,.at_least = .5}).found &&
		   !choose(&r, emp).found, "rules that need positives have no answer without");
	expect(&r, profit, INFINITY, 0, "nobody to keep");
	metric_ranked_free(&r);
	metric_ranked_begin(&r, host, false);
	tap_ok(!choose(&r, profit).found, "no rows, no answer");
	metric_ranked_free(&r);
}

static void
test_refusals(void)
{
	MetricRule	bad[] = {
		{.kind = RULE_FBETA},
		{.kind = RULE_COST,.cost_fp = NAN},
		{.kind = RULE_COST,.cost_fp = 1,.cost_fn = 1,.cost_tn = 2,.calibrated = true},
		{.kind = RULE_CAPACITY,.capacity = NAN,.share = NAN},
		{.kind = RULE_CAPACITY,.capacity = -1,.share = NAN},
		{.kind = RULE_CAPACITY,.capacity = NAN,.share = 1.5},
		{.kind = RULE_RECALL,.at_least = -.1},
		profit, profit, profit, profit, profit,
	};
	static const char *const texts[] = {
		"\"beta\" of the rule is 0, a finite number above 0 is required",
		"a cost of the rule is not finite",
		"a wrong answer must cost more than a right one: fp 1 more than tn 2, fn 1 more than tp 0",
		"rule \"capacity\" needs either \"k\", a number of rows, or \"share\"",
		"\"k\" of the rule is -1, a finite number of at least 0 is required",
		"\"share\" of the rule is 1.5, a number from 0 to 1 is required",
		"\"at_least\" of the rule is -0.1, a number from 0 to 1 is required",
		"\"clv\" of the rule is 0, a finite number above 0 is required",
		"\"d\" of the rule is -1, a finite number of at least 0 is required",
		"\"alpha\" of the rule is inf, a finite number above 0 is required",
		"\"gamma\" of the rule is 2, a number from 0 to 1 is required",
		"\"d\" of the rule is 300, less than \"clv\", 200, is required",
	};

	bad[7].clv = 0;
	bad[8].d = -1;
	bad[9].alpha = INFINITY;
	bad[10].gamma = 2;
	bad[11].d = 300;
	bad[11].kind = RULE_EMP;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		Failure		why = {.text = ""};

		(void) metric_rule_check(&bad[i], &why);
		tap_is_text(why.text, texts[i], "a bad rule is refused");
	}
}

/* The best value over all thresholds, from scratch. */
static double
best_by_force(const MetricRule *rule, const uint8_t *label, const double *score, size_t n)
{
	double		best = -INFINITY;

	for (size_t t = 0; t <= n; t++)
	{
		double		tp = 0;
		double		fp = 0;
		double		fn = 0;
		double		tn = 0;
		double		value;

		for (size_t i = 0; i < n; i++)
		{
			bool		chosen = t < n && score[i] >= score[t];

			tp += chosen && label[i];
			fp += chosen && !label[i];
			fn += !chosen && label[i];
			tn += !chosen && !label[i];
		}
		if (rule->kind == RULE_FBETA)
			value = 2 * tp / (2 * tp + fp + fn);
		else if (rule->kind == RULE_YOUDEN)
			value = tp / (tp + fn) - fp / (fp + tn);
		else if (rule->kind == RULE_COST)
			value = -(fp * rule->cost_fp + fn * rule->cost_fn) / n;
		else
			value = (tp * (rule->gamma * (rule->clv - rule->d) - rule->f) -
					 fp * (rule->d + rule->f)) / n;
		best = fmax(best, value);
	}
	return rule->kind == RULE_COST ? -best : best;
}

/*
 * The expected maximum profit as the mean, over many chances, of the best profit
 * at each.
 */
static double
emp_by_force(const uint8_t *label, const double *score, size_t n)
{
	const int	steps = 4000;
	double		sum = 0;
	double		mass = 0;

	for (int k = 0; k < steps; k++)
	{
		MetricRule	rule = profit;
		double		density;

		rule.gamma = (k + .5) / steps;
		density = pow(rule.gamma, 5) * pow(1 - rule.gamma, 13);
		sum += density * best_by_force(&rule, label, score, n);
		mass += density;
	}
	return sum / mass;
}

static void
test_by_force(const Host *host)
{
	RngStream	stream;
	double		worst = 0;
	double		worst_emp = 0;
	uint64_t	n_rounds = test_amount(100, 10);

	rng_stream_begin(&stream, 17, RNG_METRIC, 0, 0);
	for (uint64_t round = 0; round < n_rounds; round++)
	{
		uint8_t		label[MAX_ROWS];
		double		score[MAX_ROWS];
		double		weight[MAX_ROWS];
		size_t		n = 4 + rng_stream_below(&stream, MAX_ROWS - 4);
		MetricRule	rules[] = {{.kind = RULE_FBETA,.beta = 1}, {.kind = RULE_YOUDEN},
		{.kind = RULE_COST,.cost_fp = 1,.cost_fn = 3}, profit};
		MetricRanked r;

		ranked_random(&stream, n, round % 2 ? 8 : 1000, label, score, weight);
		label[0] = 0;
		label[1] = 1;
		ranked_fill(&r, host, label, score, NULL, n, NULL);
		for (int k = 0; k < 4; k++)
			worst = fmax(worst, fabs(choose(&r, rules[k]).value -
									 best_by_force(&rules[k], label, score, n)));
		if (round < test_amount(20, 2))
		{
			MetricRule	emp = profit;

			emp.kind = RULE_EMP;
			worst_emp = fmax(worst_emp, fabs(choose(&r, emp).value - emp_by_force(label, score, n)));
		}
		metric_ranked_free(&r);
	}
	tap_is_real(worst, 0, 1e-12, "the best of all thresholds");
	tap_is_real(worst_emp, 0, 1e-4, "the expectation of the best, integrated");
}

int
main(void)
{
	TestHost	t;

	test_host_begin(&t);
	test_t2(&t.host);
	test_undefined(&t.host);
	test_refusals();
	test_by_force(&t.host);
	tap_ok(test_host_end(&t), "no leak");
	return tap_done();
}
