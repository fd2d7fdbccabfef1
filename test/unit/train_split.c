/*
 * train_split.c
 *	  Nodes for split_feature(), and splits by the definitions.
 */
#include "train_split.h"

#include <math.h>
#include <string.h>

void
case_begin(SplitCase *c, ForestCriterion criterion, uint32_t n_classes, ForestKind kind,
		   uint32_t n_feature_bins)
{
	memset(c, 0, sizeof(*c));
	for (uint32_t f = 0; f < CASE_FEATURES; f++)
	{
		c->features[f].kind = kind;
		c->features[f].n_bins = n_feature_bins;
		c->features[f].cuts = c->cuts;
	}
	for (uint32_t i = 0; i < FOREST_VALUE_BINS; i++)
		c->cuts[i] = i + 0.5;
	for (uint32_t i = 0; i < CASE_FEATURES * 256; i++)
		c->values[i] = i % 256;
	c->training.schema.features = c->features;
	c->training.schema.n_features = CASE_FEATURES;
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
void
case_end(SplitCase *c)
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

void
case_bin(SplitCase *c, uint32_t bin, uint64_t w, int64_t s)
{
	SplitBin   *b = bin == FOREST_MISSING ? &c->missing : &c->bins[c->n_bins++];

	*b = (SplitBin) {.sums = {w, s, (uint32_t) w},.bin = bin};
}

/* Random sums; of classes, weights of each. */
static void
random_bin(SplitCase *c, uint32_t bin, uint64_t *state)
{
	uint64_t   *classes = c->classes[bin == FOREST_MISSING ? CASE_BINS : c->n_bins];
	uint64_t	w = 1 + train_below(state, train_below(state, 3) == 0 ? 40 : 6);
	/* no category of zeros alone: poisson forbids such sides, and so the best subsets */
	uint32_t	least = c->features[0].kind == FOREST_CATEGORY;
	SplitBin   *b;

	case_bin(c, bin, w, 0);
	b = bin == FOREST_MISSING ? &c->missing : &c->bins[c->n_bins - 1];
	b->sums.n = 1 + train_below(state, (uint32_t) w);
	if (c->node.n_classes == 0)
		b->sums.s = c->node.criterion == FOREST_SQUARED_ERROR
			? (int64_t) train_below(state, 2000) - 1000
			: (int64_t) (least + train_below(state, 4)) * (int64_t) w;
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

void
case_random(SplitCase *c, uint64_t *state)
{
	uint32_t	max = 1 + train_below(state, 8);	/* subsets of them are tried */

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
loss_of(const SplitCase *c, const bool *left, bool wanted, SplitSums *sums)
{
	long double classes[CASE_CLASSES] = {0};

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
long double
case_gain(const SplitCase *c, const bool *left, int sign)
{
	bool		all[CASE_BINS + 1] = {false};
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
long double
case_best_number(const SplitCase *c, int sign)
{
	bool		left[CASE_BINS + 1];
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
			gain = case_gain(c, left, cut + 1 < c->n_bins ? sign : 0);
			best = gain > best ? gain : best;
		}
	return best;
}

/* The best of all subsets. */
long double
case_best_subset(const SplitCase *c)
{
	bool		left[CASE_BINS + 1];
	long double best = -1;

	for (uint32_t subset = 0; subset < UINT32_C(1) << c->n_items; subset++)
	{
		long double gain;

		for (uint32_t i = 0; i < c->n_items; i++)
			left[i] = (subset >> i & 1) != 0;
		gain = case_gain(c, left, 0);
		best = gain > best ? gain : best;
	}
	return best;
}

/* The gain that the split itself has. */
long double
case_gain_of_split(const SplitCase *c, const Split *split, int sign)
{
	bool		left[CASE_BINS + 1];

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
	return case_gain(c, left, !split->category &&
				   split->cut == c->features[0].n_bins - 1 ? 0 : sign);
}

/* Is what split_feature() found as good as `best`, and what it says of itself true? */
bool
case_is_best(const SplitCase *c, const Split *split, long double best, int sign)
{
	long double scale = (long double) c->node.total.w + fabsl((long double) c->node.total.s);
	double		gain = split_gain(&c->node, split->score);
	bool		present = true;

	if (!split->found)
		return best < 0;
	for (uint32_t i = 0; split->category && i < c->n_bins; i++)
		present &= split->present[c->bins[i].bin >> 6] >> (c->bins[i].bin & 63) & 1;
	return present && split->missing_seen == (c->missing.sums.w > 0) &&
		fabsl(case_gain_of_split(c, split, sign) - best) <= 1e-9L * scale &&
		fabsl((gain > 0 ? gain : 0) - best) <= 1e-9L * scale;
}
