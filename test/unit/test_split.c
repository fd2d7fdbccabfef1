/*
 * test_split.c
 *	  The split search against a search over everything, by the definitions.
 */
#include <stdlib.h>

#include "tap.h"
#include "train_reference.h"

#include "forest/split.h"

#define MAX_BINS 8
#define MAX_CLASSES 5
#define N_FEATURES 2

/* A node of at most MAX_BINS bins, and missing ones, that split_feature() is asked about. */
typedef struct Case
{
	ForestFeature features[N_FEATURES];
	ForestTraining training;
	SplitNode	node;
	SplitBin	bins[MAX_BINS];
	uint32_t	n_bins;
	SplitBin	missing;
	uint64_t	classes[MAX_BINS + 1][MAX_CLASSES];
	uint64_t	all_classes[MAX_CLASSES];
	uint64_t	left[MAX_CLASSES];
	double		cuts[FOREST_VALUE_BINS];
	double		values[N_FEATURES * 256];
	int8_t		monotonic[N_FEATURES];
	/* of the brute force: items are the bins, and missing as the last */
	const SplitBin *items[MAX_BINS + 1];
	uint32_t	n_items;
} Case;

static void
case_begin(Case *c, ForestCriterion criterion, uint32_t n_classes, ForestKind kind,
		   uint32_t n_feature_bins)
{
	memset(c, 0, sizeof(*c));
	for (uint32_t f = 0; f < N_FEATURES; f++)
	{
		c->features[f].kind = kind;
		c->features[f].n_bins = n_feature_bins;
		c->features[f].cuts = c->cuts;
	}
	for (uint32_t i = 0; i < FOREST_VALUE_BINS; i++)
		c->cuts[i] = i + 0.5;
	for (uint32_t i = 0; i < N_FEATURES * 256; i++)
		c->values[i] = i % 256;
	c->training.schema.features = c->features;
	c->training.schema.n_features = N_FEATURES;
	c->training.schema.n_classes = n_classes;
	c->training.values = c->values;
	c->training.monotonic = c->monotonic;
	c->node.training = &c->training;
	c->node.criterion = criterion;
	c->node.n_classes = n_classes;
	c->node.lower = -INFINITY;
	c->node.upper = INFINITY;
	c->node.left = c->left;
	c->node.classes = n_classes > 2 ? c->all_classes : NULL;
	c->missing.bin = FOREST_MISSING;
}

/* Add the totals up, and list the items. */
static void
case_end(Case *c)
{
	c->n_items = 0;
	memset(&c->node.total, 0, sizeof(c->node.total));
	memset(c->all_classes, 0, sizeof(c->all_classes));
	for (uint32_t i = 0; i <= c->n_bins; i++)
	{
		const SplitBin *bin = i < c->n_bins ? &c->bins[i] : &c->missing;

		if (bin->sums.w == 0)
			continue;
		c->items[c->n_items++] = bin;
		c->node.total.w += bin->sums.w;
		c->node.total.s += bin->sums.s;
		c->node.total.n += bin->sums.n;
		for (uint32_t k = 0; bin->classes != NULL && k < c->node.n_classes; k++)
			c->all_classes[k] += bin->classes[k];
	}
}

static void
case_bin(Case *c, uint32_t bin, uint64_t w, int64_t s)
{
	SplitBin   *b = bin == FOREST_MISSING ? &c->missing : &c->bins[c->n_bins++];

	*b = (SplitBin) {.sums = {w, s, (uint32_t) w},.bin = bin};
}

/* Random sums; of classes, weights of each. */
static void
random_bin(Case *c, uint32_t bin, uint64_t *state)
{
	uint64_t   *classes = c->classes[bin == FOREST_MISSING ? MAX_BINS : c->n_bins];
	uint64_t	w = 1 + train_below(state, train_below(state, 3) == 0 ? 40 : 6);
	SplitBin   *b;

	case_bin(c, bin, w, 0);
	b = bin == FOREST_MISSING ? &c->missing : &c->bins[c->n_bins - 1];
	b->sums.n = 1 + train_below(state, (uint32_t) w);
	if (c->node.n_classes == 0)
		b->sums.s = c->node.criterion == FOREST_SQUARED_ERROR
			? (int64_t) train_below(state, 2000) - 1000
			/* no category of zeros alone: Poisson forbids sides of such, the best subsets among them */
			: (int64_t) (train_below(state, 4) + (c->features[0].kind == FOREST_CATEGORY)) * (int64_t) w;
	else if (c->node.n_classes == 2)
		b->sums.s = train_below(state, (uint32_t) w + 1);
	else
	{
		memset(classes, 0, sizeof(c->classes[0]));
		for (uint64_t i = 0; i < w; i++)
			classes[train_below(state, c->node.n_classes)]++;
		b->classes = classes;
	}
}

static void
random_case(Case *c, uint64_t *state)
{
	uint32_t	max = 1 + train_below(state, MAX_BINS);

	for (uint32_t bin = 0; bin < 30 && c->n_bins < max; bin++)
		if (train_below(state, 3) == 0)
			random_bin(c, bin, state);
	if (train_below(state, 2) == 0)
		random_bin(c, FOREST_MISSING, state);
	case_end(c);
	c->node.count_rows = train_below(state, 2) == 0;
	c->node.min_rows = 1 + train_below(state, 4);
	c->node.min_weight = train_below(state, 2) * 0.1 * (double) c->node.total.w;
}

/* ---------------------------------------------------------- definitions -- */

/* Weight × impurity of some items, less what all partitions share. */
static long double
loss_of(const Case *c, const bool *left, bool wanted, SplitSums *sums)
{
	long double classes[MAX_CLASSES] = {0};

	memset(sums, 0, sizeof(*sums));
	for (uint32_t i = 0; i < c->n_items; i++)
	{
		const SplitBin *item = c->items[i];

		if (left[i] != wanted)
			continue;
		sums->w += item->sums.w;
		sums->s += item->sums.s;
		sums->n += item->sums.n;
		for (uint32_t k = 0; item->classes != NULL && k < c->node.n_classes; k++)
			classes[k] += item->classes[k];
	}
	if (sums->w == 0)
		return 0;
	if (c->node.n_classes == 2)
	{
		classes[0] = (long double) sums->w - sums->s;
		classes[1] = sums->s;
	}
	if (c->node.n_classes > 0)
		return sums->w * reference_impurity(c->node.criterion, classes, c->node.n_classes);
	/* Σ w (y − mean)² and Σ w y ln(y / mean) without the sums that no partition changes */
	if (c->node.criterion == FOREST_SQUARED_ERROR)
		return -(long double) sums->s * sums->s / sums->w;
	return sums->s == 0 ? 0 : -sums->s * logl((long double) sums->s / sums->w);
}

/* The gain of a partition; −1 if it is not allowed. */
static long double
gain_of(const Case *c, const bool *left, int sign)
{
	bool		all[MAX_BINS + 1] = {false};
	const SplitNode *node = &c->node;
	SplitSums	l;
	SplitSums	r;
	SplitSums	total;
	long double gain = loss_of(c, all, false, &total) - loss_of(c, left, true, &l) -
		loss_of(c, left, false, &r);
	long double v_left;
	long double v_right;

	if (l.w == 0 || r.w == 0)
		return -1;
	if (node->count_rows && (l.n < node->min_rows || r.n < node->min_rows))
		return -1;
	if (l.w < node->min_weight || r.w < node->min_weight)
		return -1;
	if (node->criterion == FOREST_POISSON && (l.s == 0 || r.s == 0))
		return -1;
	v_left = (long double) l.s / l.w;
	v_right = (long double) r.s / r.w;
	if (node->n_classes <= 2 && (v_left < node->lower || v_right < node->lower ||
								 v_left > node->upper || v_right > node->upper))
		return -1;
	if ((v_left - v_right) * sign > 0)
		return -1;
	return gain > 0 ? gain : 0;
}

/* The best of all cuts with missing on either side, and of present against missing. */
static long double
best_number(const Case *c, int sign)
{
	bool		left[MAX_BINS + 1];
	bool		any_missing = c->missing.sums.w > 0;
	long double best = -1;

	for (uint32_t cut = 0; cut < c->n_bins; cut++)
		for (int missing_left = 0; missing_left <= any_missing; missing_left++)
		{
			long double gain;

			for (uint32_t i = 0; i < c->n_bins; i++)
				left[i] = i <= cut;
			left[c->n_bins] = missing_left;
			/* all present values say nothing about an order */
			gain = gain_of(c, left, cut + 1 < c->n_bins ? sign : 0);
			best = gain > best ? gain : best;
		}
	return best;
}

/* The best of all subsets. */
static long double
best_subset(const Case *c)
{
	bool		left[MAX_BINS + 1];
	long double best = -1;

	for (uint32_t subset = 0; subset < UINT32_C(1) << c->n_items; subset++)
	{
		long double gain;

		for (uint32_t i = 0; i < c->n_items; i++)
			left[i] = (subset >> i & 1) != 0;
		gain = gain_of(c, left, 0);
		best = gain > best ? gain : best;
	}
	return best;
}

/* The gain that the split itself has. */
static long double
gain_of_split(const Case *c, const Split *split, int sign)
{
	bool		left[MAX_BINS + 1];

	for (uint32_t i = 0; i < c->n_items; i++)
	{
		uint32_t	bin = c->items[i]->bin;

		if (bin == FOREST_MISSING)
			left[i] = split->missing_left;
		else if (split->category)
			left[i] = (split->mask[bin >> 6] >> (bin & 63) & 1) != 0;
		else
			left[i] = bin <= split->cut;
	}
	return gain_of(c, left, !split->category &&
				   split->cut == c->features[0].n_bins - 1 ? 0 : sign);
}

/* Is what split_feature() found as good as `best`, and what it says of itself true? */
static bool
split_is(const Case *c, const Split *split, long double best, int sign)
{
	long double scale = (long double) c->node.total.w + fabsl((long double) c->node.total.s);
	double		gain = split->score - split_parent_score(&c->node);
	bool		present = true;

	if (!split->found)
		return best < 0;
	for (uint32_t i = 0; split->category && i < c->n_bins; i++)
		present &= split->present[c->bins[i].bin >> 6] >> (c->bins[i].bin & 63) & 1;
	return present && split->missing_seen == (c->missing.sums.w > 0) &&
		fabsl(gain_of_split(c, split, sign) - best) <= 1e-9L * scale &&
		fabsl((gain > 0 ? gain : 0) - best) <= 1e-9L * scale;
}

/* ---------------------------------------------------------------- tests -- */

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
			Case		c;
			Split		best = {0};

			case_begin(&c, kinds[k].criterion, kinds[k].n_classes, FOREST_NUMERIC, 30);
			random_case(&c, &state);
			n_wrong += split_feature(&c.node, 1, c.bins, c.n_bins, &c.missing, &best) !=
				(c.n_items > 1);
			n_wrong += !split_is(&c, &best, best_number(&c, 0), 0);
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
			Case		c;
			Split		best = {0};

			case_begin(&c, kinds[k].criterion, kinds[k].n_classes, FOREST_CATEGORY, 30);
			random_case(&c, &state);
			/* limits forbid the best of all subsets, not that of the ordered ones */
			c.node.count_rows = false;
			c.node.min_weight = 0;
			n_wrong += split_feature(&c.node, 0, c.bins, c.n_bins, &c.missing, &best) !=
				(c.n_items > 1);
			n_wrong += !split_is(&c, &best, best_subset(&c), 0);
		}
		tap_is_int(n_wrong, 0, "all subsets of categories: %s", kinds[k].name);
	}
}

/* Of several classes: the best prefix along the share of any class. */
static long double
best_share(const Case *c)
{
	long double best = -1;

	for (uint32_t k = 0; k < c->node.n_classes; k++)
		for (uint32_t last = 0; last < c->n_items; last++)
		{
			bool		left[MAX_BINS + 1];
			long double gain;

			for (uint32_t i = 0; i < c->n_items; i++)
			{
				uint64_t	a = c->items[i]->classes[k] * c->items[last]->sums.w;
				uint64_t	b = c->items[last]->classes[k] * c->items[i]->sums.w;

				left[i] = a < b || (a == b && i <= last);
			}
			gain = gain_of(c, left, 0);
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
			Case		c;
			Split		best = {0};

			case_begin(&c, kinds[k].criterion, kinds[k].n_classes, FOREST_CATEGORY, 30);
			random_case(&c, &state);
			c.node.count_rows = false;
			c.node.min_weight = 0;
			(void) split_feature(&c.node, 0, c.bins, c.n_bins, &c.missing, &best);
			n_wrong += !split_is(&c, &best, best_share(&c), 0);
			n_worse += best.found && gain_of_split(&c, &best, 0) < best_subset(&c) - 1e-9L;
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
			Case		c;
			Split		best = {0};
			int			sign = (int) train_below(&state, 3) - 1;

			case_begin(&c, kinds[k].criterion, kinds[k].n_classes, FOREST_NUMERIC, 30);
			random_case(&c, &state);
			c.training.settings.any_monotonic = true;
			c.monotonic[1] = (int8_t) sign;
			if (train_below(&state, 2) == 0)
			{
				double		mean = (double) c.node.total.s / (double) c.node.total.w;

				c.node.lower = mean - fabs(mean) * train_unit(&state);
				c.node.upper = mean + fabs(mean) * train_unit(&state);
			}
			(void) split_feature(&c.node, 1, c.bins, c.n_bins, &c.missing, &best);
			n_wrong += !split_is(&c, &best, best_number(&c, sign), sign);
			c.node.lower = -INFINITY;
			c.node.upper = INFINITY;
			n_changed += best_number(&c, 0) != (best.found ? gain_of_split(&c, &best, 0) : -1);
		}
		tap_is_int(n_wrong, 0, "the best monotonic cut within bounds: %s", kinds[k].name);
		tap_ok(n_changed > N_CASES / 10, "which differs from the best cut: %s", kinds[k].name);
	}
}

static void
test_ties(void)
{
	Case		c;
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
	Case		c;
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
	Case		c;
	Split		best = {0};

	/* ten rows (6, 4) of a tree of 20 */
	case_begin(&c, FOREST_GINI, 2, FOREST_NUMERIC, 2);
	case_bin(&c, 0, 6, 1);
	case_bin(&c, 1, 4, 3);
	case_end(&c);
	(void) split_feature(&c.node, 0, c.bins, c.n_bins, &c.missing, &best);
	tap_is_real((best.score - split_parent_score(&c.node)) / 20, 0.0816666667, 1e-10,
				"T1: gini decrease");
	memset(&best, 0, sizeof(best));
	c.node.criterion = FOREST_ENTROPY;
	(void) split_feature(&c.node, 0, c.bins, c.n_bins, &c.missing, &best);
	tap_is_real((best.score - split_parent_score(&c.node)) / 20, 0.0888704419, 1e-10,
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
	tap_is_real((best.score - split_parent_score(&c.node)) / 14, 0.1781076067, 1e-10,
				"T1: its decrease");
	c.node.count_rows = true;
	c.node.min_rows = 4;
	memset(&best, 0, sizeof(best));
	(void) split_feature(&c.node, 0, c.bins, c.n_bins, &c.missing, &best);
	tap_is_hex(best.mask[0], 0x0A, "T1: with at least 4 rows in each, D and A");
	tap_is_real((best.score - split_parent_score(&c.node)) / 14, 0.1028911565, 1e-10,
				"T1: its decrease");
}

/* Smoothing moves a rare category to the middle of the order. */
static void
test_smoothing(void)
{
	Case		c;
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

/* -------------------------------------------------------------- random -- */

#define N_DRAWS 6000

/* Chi-square of counts against shares. */
static double
chi_square(const int *counts, const double *shares, int n)
{
	double		total = 0;
	double		chi = 0;

	for (int i = 0; i < n; i++)
		total += counts[i];
	for (int i = 0; i < n; i++)
		chi += (counts[i] - total * shares[i]) * (counts[i] - total * shares[i]) /
			(total * shares[i]);
	return chi;
}

/* One random split of a node with another key each time. */
static Split
random_split(Case *c, int i)
{
	Split		best = {0};

	c->training.settings.random_splitter = true;
	c->training.settings.seed = 42;
	c->node.key = rng_root_key((uint32_t) i);
	(void) split_feature(&c->node, 0, c->bins, c->n_bins, &c->missing, &best);
	return best;
}

/* Uniform between the least and largest value: a gap is cut as often as it is wide. */
static void
test_random_numbers(void)
{
	static const double even[] = {1 / 7.0, 1 / 7.0, 1 / 7.0, 1 / 7.0, 1 / 7.0, 1 / 7.0, 1 / 7.0};
	static const double uneven[] = {0.1, 0.9};
	Case		c;
	int			counts[10] = {0};
	int			n_left = 0;

	case_begin(&c, FOREST_SQUARED_ERROR, 0, FOREST_NUMERIC, 30);
	for (uint32_t bin = 0; bin < 8; bin++)
		case_bin(&c, bin + 5, 1, bin);
	case_end(&c);
	for (int i = 0; i < N_DRAWS; i++)
		counts[random_split(&c, i).cut - 5]++;
	tap_ok(chi_square(counts, even, 7) < 24, "random cuts of even values are even");

	case_begin(&c, FOREST_SQUARED_ERROR, 0, FOREST_NUMERIC, 3);
	case_bin(&c, 0, 1, 1);
	case_bin(&c, 1, 1, 2);
	case_bin(&c, 2, 1, 3);
	case_bin(&c, FOREST_MISSING, 1, 4);
	case_end(&c);
	c.cuts[0] = 0.5;
	c.cuts[1] = 5.5;
	c.values[2] = 10;
	memset(counts, 0, sizeof(counts));
	for (int i = 0; i < N_DRAWS; i++)
	{
		Split		split = random_split(&c, i);

		counts[split.cut]++;
		n_left += split.missing_left;
	}
	tap_is_int(counts[2], 0, "there are values on both sides");
	tap_ok(chi_square(counts, uneven, 2) < 12, "values 0, 1, 10: one cut of ten lies below 1");
	tap_ok(abs(n_left - N_DRAWS / 2) < 160, "missing values go either way");
}

static void
test_random_categories(void)
{
	static const double even[] = {1 / 6.0, 1 / 6.0, 1 / 6.0, 1 / 6.0, 1 / 6.0, 1 / 6.0};
	Case		c;
	int			counts[8] = {0};
	int			n_wrong = 0;

	case_begin(&c, FOREST_GINI, 2, FOREST_CATEGORY, 9);
	case_bin(&c, 3, 4, 1);
	case_bin(&c, 6, 4, 2);
	case_bin(&c, FOREST_MISSING, 4, 3);
	case_end(&c);
	for (int i = 0; i < N_DRAWS; i++)
	{
		Split		split = random_split(&c, i);

		counts[(split.mask[0] >> 3 & 1) | (split.mask[0] >> 6 & 1) << 1 |
			   (uint64_t) split.missing_left << 2]++;
		n_wrong += !split_is(&c, &split, gain_of_split(&c, &split, 0), 0);
	}
	tap_ok(counts[0] == 0 && counts[7] == 0, "no side of a random set is empty");
	tap_ok(chi_square(counts + 1, even, 6) < 21, "all other sets are as frequent");
	tap_is_int(n_wrong, 0, "scores and sums are those of the set");
}

int
main(void)
{
	test_numbers();
	test_categories();
	test_category_classes();
	test_monotonic();
	test_ties();
	test_empty_sides();
	test_vectors();
	test_smoothing();
	test_random_numbers();
	test_random_categories();
	return tap_done();
}
