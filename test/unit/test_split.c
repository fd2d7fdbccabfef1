/*
 * test_split.c
 *	  The split search against a search over everything, by the definitions.
 */
#include "tap.h"
#include "train_split.h"

typedef struct Kind
{
	const char *name;
	ForestCriterion criterion;
	uint32_t	n_classes;
} Kind;

static const Kind kinds[] = {
	{"gini, 2 classes", FOREST_GINI, 2},
	{"gini, 3 classes", FOREST_GINI, 3},
	{"gini, 5 classes", FOREST_GINI, 5},
	{"entropy, 2 classes", FOREST_ENTROPY, 2},
	{"entropy, 3 classes", FOREST_ENTROPY, 3},
	{"entropy, 5 classes", FOREST_ENTROPY, 5},
	{"squared error", FOREST_SQUARED_ERROR, 0},
	{"poisson", FOREST_POISSON, 0},
};

#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))
#define N_CASES 400

static void
test_numbers(void)
{
	for (size_t k = 0; k < N_KINDS; k++)
	{
		uint64_t	state = 100 + k;
		int			n_wrong = 0;

		for (int i = 0; i < N_CASES; i++)
		{
			SplitCase		c;
			Split		best = {0};

			case_begin(&c, kinds[k].criterion, kinds[k].n_classes, FOREST_NUMERIC, 30);
			case_random(&c, &state);
			n_wrong += split_feature(&c.node, 1, c.bins, c.n_bins, &c.missing, &best) !=
				(c.n_items > 1);
			n_wrong += !case_is_best(&c, &best, case_best_number(&c, 0), 0);
			n_wrong += best.found && (best.category || best.feature != 1);
		}
		tap_is_int(n_wrong, 0, "all cuts, missing on both sides: %s", kinds[k].name);
	}
}

static void
test_categories(void)
{
	for (size_t k = 0; k < N_KINDS; k++)
	{
		uint64_t	state = 200 + k;
		int			n_wrong = 0;

		if (kinds[k].n_classes > 2)
			continue;
		for (int i = 0; i < N_CASES; i++)
		{
			SplitCase		c;
			Split		best = {0};

			case_begin(&c, kinds[k].criterion, kinds[k].n_classes, FOREST_CATEGORY, 30);
			case_random(&c, &state);
			/* limits forbid the best of all subsets, not that of the ordered ones */
			c.node.count_rows = false;
			c.node.min_weight = 0;
			n_wrong += split_feature(&c.node, 0, c.bins, c.n_bins, &c.missing, &best) !=
				(c.n_items > 1);
			n_wrong += !case_is_best(&c, &best, case_best_subset(&c), 0);
		}
		tap_is_int(n_wrong, 0, "all subsets of categories: %s", kinds[k].name);
	}
}

/* Of several classes: the best prefix along the share of any class. */
static long double
best_share(const SplitCase *c)
{
	long double best = -1;

	for (uint32_t k = 0; k < c->node.n_classes; k++)
		for (uint32_t last = 0; last < c->n_items; last++)
		{
			bool		left[CASE_BINS + 1];
			long double gain;

			for (uint32_t i = 0; i < c->n_items; i++)
			{
				uint64_t	a = c->items[i]->classes[k] * c->items[last]->sums.w;
				uint64_t	b = c->items[last]->classes[k] * c->items[i]->sums.w;

				left[i] = a < b || (a == b && i <= last);
			}
			gain = case_gain(c, left, 0);
			best = gain > best ? gain : best;
		}
	return best;
}

static void
test_category_classes(void)
{
	for (size_t k = 0; k < N_KINDS; k++)
	{
		uint64_t	state = 300 + k;
		int			n_wrong = 0;
		int			n_worse = 0;

		if (kinds[k].n_classes <= 2)
			continue;
		for (int i = 0; i < N_CASES; i++)
		{
			SplitCase		c;
			Split		best = {0};

			case_begin(&c, kinds[k].criterion, kinds[k].n_classes, FOREST_CATEGORY, 30);
			case_random(&c, &state);
			c.node.count_rows = false;
			c.node.min_weight = 0;
			(void) split_feature(&c.node, 0, c.bins, c.n_bins, &c.missing, &best);
			n_wrong += !case_is_best(&c, &best, best_share(&c), 0);
			n_worse += best.found &&
				case_gain_of_split(&c, &best, 0) < case_best_subset(&c) - 1e-9L;
		}
		tap_is_int(n_wrong, 0, "categories along the share of a class: %s", kinds[k].name);
		tap_ok(n_worse < N_CASES / 4, "which mostly is the best of all subsets: %s",
			   kinds[k].name);
	}
}

static void
test_monotonic(void)
{
	for (size_t k = 0; k < N_KINDS; k++)
	{
		uint64_t	state = 400 + k;
		int			n_wrong = 0;
		int			n_changed = 0;

		if (kinds[k].n_classes > 2)
			continue;
		for (int i = 0; i < N_CASES; i++)
		{
			SplitCase		c;
			Split		best = {0};
			int			sign = (int) train_below(&state, 3) - 1;

			case_begin(&c, kinds[k].criterion, kinds[k].n_classes, FOREST_NUMERIC, 30);
			case_random(&c, &state);
			c.training.settings.any_monotonic = true;
			c.monotonic[1] = (int8_t) sign;
			if (train_below(&state, 2) == 0)
			{
				double		mean = (double) c.node.total.s / (double) c.node.total.w;

				c.node.lower = mean - fabs(mean) * train_unit(&state);
				c.node.upper = mean + fabs(mean) * train_unit(&state);
			}
			(void) split_feature(&c.node, 1, c.bins, c.n_bins, &c.missing, &best);
			n_wrong += !case_is_best(&c, &best, case_best_number(&c, sign), sign);
			c.node.lower = -INFINITY;
			c.node.upper = INFINITY;
			n_changed += case_best_number(&c, 0) !=
				(best.found ? case_gain_of_split(&c, &best, 0) : -1);
		}
		tap_is_int(n_wrong, 0, "the best monotonic cut within bounds: %s", kinds[k].name);
		tap_ok(n_changed > N_CASES / 10, "which differs from the best cut: %s", kinds[k].name);
	}
}

static void
test_ties(void)
{
	SplitCase		c;
	Split		best = {0};
	double		score;

	case_begin(&c, FOREST_GINI, 2, FOREST_NUMERIC, 30);
	case_bin(&c, 2, 2, 0);
	case_bin(&c, 9, 2, 2);
	case_bin(&c, 10, 2, 0);
	case_end(&c);
	tap_ok(split_feature(&c.node, 0, c.bins, c.n_bins, &c.missing, &best), "a feature varies");
	tap_is_int(best.cut, 5, "the lower of two equal cuts, in the middle of the empty bins");
	tap_ok(!best.missing_left && !best.missing_seen, "no missing values were seen");
	score = best.score;
	(void) split_feature(&c.node, 1, c.bins, c.n_bins, &c.missing, &best);
	tap_ok(best.feature == 0 && best.score == score, "the earlier of two equal features");

	case_begin(&c, FOREST_GINI, 2, FOREST_NUMERIC, 30);
	case_bin(&c, 0, 2, 0);
	case_bin(&c, 1, 2, 2);
	case_bin(&c, FOREST_MISSING, 2, 1);
	case_end(&c);
	memset(&best, 0, sizeof(best));
	(void) split_feature(&c.node, 0, c.bins, c.n_bins, &c.missing, &best);
	tap_ok(best.cut == 0 && !best.missing_left && best.missing_seen,
		   "missing on the right where both sides are as good");

	case_begin(&c, FOREST_SQUARED_ERROR, 0, FOREST_CATEGORY, 5);
	case_bin(&c, 1, 2, 4);
	case_bin(&c, 3, 2, 4);
	case_bin(&c, 4, 2, 4);
	case_end(&c);
	memset(&best, 0, sizeof(best));
	(void) split_feature(&c.node, 0, c.bins, c.n_bins, &c.missing, &best);
	tap_ok(best.found && best.mask[0] == 2, "equal categories stay in the order of their codes");
	tap_is_hex(best.present[0], 0x1A, "and are remembered as present");
}

/* Neither side of a split is ever empty. */
static void
test_empty_sides(void)
{
	SplitCase		c;
	Split		best = {0};

	for (int kind = 0; kind < 2; kind++)
	{
		case_begin(&c, FOREST_GINI, 2, kind == 0 ? FOREST_NUMERIC : FOREST_CATEGORY, 30);
		case_bin(&c, 7, 4, 2);
		case_end(&c);
		tap_ok(!split_feature(&c.node, 0, c.bins, c.n_bins, &c.missing, &best) && !best.found,
			   "one bin is constant");
		case_begin(&c, FOREST_GINI, 2, kind == 0 ? FOREST_NUMERIC : FOREST_CATEGORY, 30);
		case_bin(&c, FOREST_MISSING, 4, 2);
		case_end(&c);
		tap_ok(!split_feature(&c.node, 0, c.bins, c.n_bins, &c.missing, &best) && !best.found,
			   "missing values alone are constant");
	}
	case_begin(&c, FOREST_GINI, 2, FOREST_NUMERIC, 30);
	case_bin(&c, 7, 4, 1);
	case_bin(&c, FOREST_MISSING, 4, 2);
	case_end(&c);
	tap_ok(split_feature(&c.node, 0, c.bins, c.n_bins, &c.missing, &best), "present and missing");
	tap_ok(best.found && best.cut == 29 && !best.missing_left && best.missing_seen,
		   "all present values left, missing right");
	tap_ok(best.left.w == 4 && best.left.s == 1, "the sums of the left side");
}

/* The vectors of algorithms T1. */
static void
test_vectors(void)
{
	SplitCase		c;
	Split		best = {0};

	/* ten rows (6, 4) of a tree of 20 */
	case_begin(&c, FOREST_GINI, 2, FOREST_NUMERIC, 2);
	case_bin(&c, 0, 6, 1);
	case_bin(&c, 1, 4, 3);
	case_end(&c);
	(void) split_feature(&c.node, 0, c.bins, c.n_bins, &c.missing, &best);
	tap_is_real(split_gain(&c.node, best.score) / 20, 0.0816666667, 1e-10,
				"T1: gini decrease");
	memset(&best, 0, sizeof(best));
	c.node.criterion = FOREST_ENTROPY;
	(void) split_feature(&c.node, 0, c.bins, c.n_bins, &c.missing, &best);
	tap_is_real(split_gain(&c.node, best.score) / 20, 0.0888704419, 1e-10,
				"T1: entropy decrease");

	/* categories by frequency: C (5 rows, 2), A (4, 1), B (3, 3), D (2, 0) */
	case_begin(&c, FOREST_GINI, 2, FOREST_CATEGORY, 4);
	case_bin(&c, 0, 5, 2);
	case_bin(&c, 1, 4, 1);
	case_bin(&c, 2, 3, 3);
	case_bin(&c, 3, 2, 0);
	case_end(&c);
	memset(&best, 0, sizeof(best));
	(void) split_feature(&c.node, 0, c.bins, c.n_bins, &c.missing, &best);
	tap_is_hex(best.mask[0], 0x0B, "T1: the best set is D, A, C");
	tap_is_real(split_gain(&c.node, best.score) / 14, 0.1781076067, 1e-10,
				"T1: its decrease");
	c.node.count_rows = true;
	c.node.min_rows = 4;
	memset(&best, 0, sizeof(best));
	(void) split_feature(&c.node, 0, c.bins, c.n_bins, &c.missing, &best);
	tap_is_hex(best.mask[0], 0x0A, "T1: with at least 4 rows in each, D and A");
	tap_is_real(split_gain(&c.node, best.score) / 14, 0.1028911565, 1e-10,
				"T1: its decrease");
}

/* Smoothing moves a rare category to the middle of the order. */
static void
test_smoothing(void)
{
	SplitCase		c;
	Split		best = {0};

	case_begin(&c, FOREST_SQUARED_ERROR, 0, FOREST_CATEGORY, 3);
	case_bin(&c, 0, 50, 0);
	case_bin(&c, 1, 50, 500);
	case_bin(&c, 2, 1, 100);
	case_end(&c);
	(void) split_feature(&c.node, 0, c.bins, c.n_bins, &c.missing, &best);
	tap_is_hex(best.mask[0], 3, "without smoothing the extreme category is split off");
	c.node.smoothing = 100;
	memset(&best, 0, sizeof(best));
	(void) split_feature(&c.node, 0, c.bins, c.n_bins, &c.missing, &best);
	tap_is_hex(best.mask[0], 1, "with it, it is not");
}

/* A category of `n` bins, 10 rows each, of which 5 have class 1, and one more or less in turn. */
static void
make_noise(SplitCase *c, uint32_t n)
{
	case_begin(c, FOREST_GINI, 2, FOREST_CATEGORY, 30);
	for (uint32_t bin = 0; bin < n; bin++)
		case_bin(c, bin, 10, bin % 2 == 0 ? 4 : 6);
	case_end(c);
}

/* What an order by the target gains by luck is not counted, but a split is no worse for it. */
static void
test_luck(void)
{
	const SplitSums half = {60, 33, 60};
	SplitCase	c;
	Split		best = {0};
	Split		other = {0};

	/* χ² is 4.8 of 120 rows; by luck it is 2 / π × (12 − 2) = 6.4 */
	make_noise(&c, 12);
	(void) split_feature(&c.node, 1, c.bins, c.n_bins, &c.missing, &best);
	tap_is_hex(best.mask[0], 0x555, "categories of noise are cut where the order says");
	tap_is_real(best.full_score, 4.8 * 120 / 4, 1e-9, "their score is that of the criterion");
	tap_is_real(best.score, best.full_score, 1e-9, "all of it where luck is not counted");
	c.node.luck = 2 / 3.14159265358979;
	memset(&best, 0, sizeof(best));
	(void) split_feature(&c.node, 1, c.bins, c.n_bins, &c.missing, &best);
	tap_ok(best.found && best.score > 0 && best.score < 1e-6, "next to nothing where it is");
	tap_is_real(best.full_score, 4.8 * 120 / 4, 1e-9, "while the whole score is kept");
	other.found = true;
	other.score = split_pair_score(120, 60, (double) half.w, (double) half.s, 60);
	other.feature = 0;
	(void) split_feature(&c.node, 1, c.bins, c.n_bins, &c.missing, &other);
	tap_ok(!other.category, "a number that says a little wins over them");

	/* two categories have no order to choose */
	make_noise(&c, 2);
	c.node.luck = 10;
	memset(&best, 0, sizeof(best));
	(void) split_feature(&c.node, 1, c.bins, c.n_bins, &c.missing, &best);
	tap_is_real(best.score, best.full_score, 1e-12, "two categories are not lucky");
}

int
main(void)
{
	test_luck();
	test_numbers();
	test_categories();
	test_category_classes();
	test_monotonic();
	test_ties();
	test_empty_sides();
	test_vectors();
	test_smoothing();
	return tap_done();
}
