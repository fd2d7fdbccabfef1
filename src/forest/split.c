/*
 * split.c
 *	  The search for the best split of a node by one feature.
 *
 * Scores are the usual proxies: maximising them minimises the weighted
 * impurity of the children (algorithms A2).  They are made of + − × ÷ and our
 * own logarithm, in one fixed order, so every machine picks the same split.
 * Gini of two classes and squared error have one of their own, which says how
 * far the sides' means are apart (split_pair_score).
 *
 * Numbers (A3, A9, A11): one candidate between each two neighbouring occupied
 * bins with missing values on the right, then all present values against the
 * missing ones, then the cuts with missing values on the left.  The cut lies
 * in the middle of the empty bins between the neighbours.
 *
 * Categories (A10): ordered by their mean target (for several classes: by the
 * share of each class in turn), missing being one more category, and cut like
 * numbers.  For two classes and squared error the best of all subsets is
 * among these (Fisher 1958; Breiman et al. 1984, theorem 4.5).  Means are
 * pulled towards the node's by a fixed weight, which keeps rare categories
 * from the ends of the order.
 *
 * An order that is made from the target scores well though the categories mean
 * nothing, the better the more of them there are: n categories of random means
 * are cut into two parts whose χ² is nearly 2 / π × n, where for a number it
 * hardly grows with n.  So much is taken off their scores before features are
 * compared, in the units of the criterion (split_take_ordered).  Otherwise
 * columns of many categories win nodes by chance: three such columns of noise
 * in the benchmarks' mixed data cost 0.014 AUC.
 *
 * The scan is written once.  It is compiled for the pairs of criterion and
 * kind of sums by the switch at the end: `criterion` and `vector` are
 * constants in each copy.
 */
#include "forest/split.h"

#include <math.h>
#include <string.h>

#include "core/real.h"

/* Classes tried as the order of categories, the heaviest first. */
#define MAX_ORDERS 16
#define MAX_ITEMS 256
/* Squares of weights up to this one are exact doubles, and so are their sums. */
#define EXACT_WEIGHT (UINT64_C(1) << 26)
/* Up to this many categories are put in order by counting. */
#define FEW_ITEMS 24
/* Splits no better than luck come behind all others, in the order of score to luck. */
#define UNLIKELY 0x1.0p-30

/* x ln x, 0 at 0. */
static inline double
x_log_x(double x)
{
	return x > 0 ? x * real_log(x) : 0;
}

/* Does the criterion have split_pair_score(), for two classes and regression? */
static inline bool
is_pair(ForestCriterion criterion)
{
	return criterion == FOREST_GINI || criterion == FOREST_SQUARED_ERROR;
}

/* The part of the score that one side of two classes or of a regression has, elsewhere. */
static inline double
side_score(ForestCriterion criterion, uint64_t w, int64_t s)
{
	double		weight = (double) w;
	double		sum = (double) s;

	switch (criterion)
	{
		case FOREST_ENTROPY:
			return x_log_x(sum) + x_log_x((double) (w - (uint64_t) s)) - x_log_x(weight);
		case FOREST_POISSON:
			return sum > 0 ? sum * real_log(sum / weight) : 0;
		default:
			return 0;
	}
}

/* The same of classes: left has the weights themselves, right the total less them. */
static inline double
classes_score(const SplitNode *node, ForestCriterion criterion, const uint64_t *left, bool right,
			  uint64_t w)
{
	double		score = 0;

	for (uint32_t k = 0; k < node->n_classes; k++)
	{
		double		x = (double) (right ? node->classes[k] - left[k] : left[k]);

		score += criterion == FOREST_GINI ? x * x : x_log_x(x);
	}
	return criterion == FOREST_GINI ? score / (double) w : score - x_log_x((double) w);
}

/* May the children's values stand as they are? */
static inline bool
monotonic_allows(const SplitNode *node, const SplitSums *left, int sign)
{
	double		v_left = (double) left->s / (double) left->w;
	double		v_right = (double) (node->total.s - left->s) / (double) (node->total.w - left->w);

	return v_left >= node->lower && v_left <= node->upper &&
		v_right >= node->lower && v_right <= node->upper &&
		(v_left - v_right) * sign <= 0;
}

/* Are both sides large enough? */
static inline bool
sides_allowed(const SplitNode *node, ForestCriterion criterion, const SplitSums *left)
{
	const SplitSums *total = &node->total;

	if (left->w == 0 || left->w == total->w)
		return false;
	if (node->count_rows &&
		(left->n < node->min_rows || total->n - left->n < node->min_rows))
		return false;
	if ((double) left->w < node->min_weight ||
		(double) (total->w - left->w) < node->min_weight)
		return false;
	/* the deviance from a mean of 0 is infinite */
	if (criterion == FOREST_POISSON)
		return left->s > 0 && total->s > left->s;
	return true;
}

/* Judge one candidate; true when it is the new best. */
static inline bool
consider(const SplitNode *node, ForestCriterion criterion, bool vector, int sign,
		 const SplitSums *left, Split *best)
{
	uint64_t	right_w = node->total.w - left->w;
	double		score;

	if (!sides_allowed(node, criterion, left))
		return false;
	if (vector)
		score = classes_score(node, criterion, node->left, false, left->w) +
			classes_score(node, criterion, node->left, true, right_w);
	else if (is_pair(criterion))
		score = split_pair_score((double) node->total.w, (double) node->total.s,
								 (double) left->w, (double) left->s, (double) right_w);
	else
		score = side_score(criterion, left->w, left->s) +
			side_score(criterion, right_w, node->total.s - left->s);
	if (best->found && !(score > best->score))
		return false;
	if (node->training->settings.any_monotonic && !monotonic_allows(node, left, sign))
		return false;
	best->found = true;
	best->score = score;
	best->left = *left;
	return true;
}

static inline void
sums_add(const SplitNode *node, bool vector, SplitSums *sums, const SplitBin *bin)
{
	sums->w += bin->sums.w;
	sums->s += bin->sums.s;
	sums->n += bin->sums.n;
	if (vector)
		for (uint32_t k = 0; k < node->n_classes; k++)
			node->left[k] += bin->classes[k];
}

static inline void
sums_begin(const SplitNode *node, bool vector, SplitSums *sums)
{
	memset(sums, 0, sizeof(*sums));
	if (vector)
		memset(node->left, 0, node->n_classes * sizeof(uint64_t));
}

/* The rest of a numeric split that is the new best. */
static inline void
take_numeric(Split *best, uint32_t feature, uint32_t cut, bool missing_left, bool missing_seen)
{
	best->feature = feature;
	best->category = false;
	best->cut = (uint8_t) cut;
	best->missing_left = missing_left;
	best->missing_seen = missing_seen;
}

static inline void
scan_numeric(const SplitNode *node, ForestCriterion criterion, bool vector, uint32_t feature,
			 const SplitBin *bins, uint32_t n_bins, const SplitBin *missing, Split *best)
{
	bool		any_missing = missing->sums.w > 0;
	int			sign = node->training->monotonic ? node->training->monotonic[feature] : 0;
	uint32_t	n_feature_bins = node->training->schema.features[feature].n_bins;
	SplitSums	left;

	if (n_bins == 0)
		return;
	for (int missing_left = 0; missing_left <= (any_missing ? 1 : 0); missing_left++)
	{
		/* the last cut, all present values against the missing ones, is tried once */
		uint32_t	n_cuts = any_missing && !missing_left ? n_bins : n_bins - 1;

		sums_begin(node, vector, &left);
		if (missing_left)
			sums_add(node, vector, &left, missing);
		for (uint32_t i = 0; i < n_cuts; i++)
		{
			bool		is_last = i + 1 == n_bins;
			uint32_t	next = is_last ? n_feature_bins : bins[i + 1].bin;

			sums_add(node, vector, &left, &bins[i]);
			if (consider(node, criterion, vector, is_last ? 0 : sign, &left, best))
				take_numeric(best, feature,
							 is_last ? next - 1 : bins[i].bin + (next - 1 - bins[i].bin) / 2,
							 missing_left, any_missing);
		}
	}
}

/* A category on its way into the order of its mean. */
typedef struct OrderItem
{
	double		mean;
	const SplitBin *bin;
} OrderItem;

/* Merge sort, stable: equal means stay in the order of their codes. */
static void
order_sort(OrderItem *items, OrderItem *scratch, uint32_t n)
{
	for (uint32_t width = 1; width < n; width *= 2)
	{
		for (uint32_t begin = 0; begin < n; begin += 2 * width)
		{
			uint32_t	middle = begin + width < n ? begin + width : n;
			uint32_t	end = begin + 2 * width < n ? begin + 2 * width : n;
			uint32_t	a = begin;
			uint32_t	b = middle;

			for (uint32_t i = begin; i < end; i++)
				scratch[i] = a < middle && (b >= end || items[a].mean <= items[b].mean)
					? items[a++] : items[b++];
		}
		memcpy(items, scratch, n * sizeof(OrderItem));
	}
}

/*
 * The same for a few: each finds its place by comparison with all others,
 * none of which the processor has to guess.
 */
static void
order_few(OrderItem *items, OrderItem *scratch, uint32_t n)
{
	double		means[FEW_ITEMS];

	for (uint32_t i = 0; i < n; i++)
		means[i] = items[i].mean;
	memcpy(scratch, items, n * sizeof(OrderItem));
	for (uint32_t i = 0; i < n; i++)
	{
		double		mean = means[i];
		uint32_t	place = 0;

		for (uint32_t j = 0; j < i; j++)
			place += means[j] <= mean;
		for (uint32_t j = i + 1; j < n; j++)
			place += means[j] < mean;
		items[place] = scratch[i];
	}
}

/* The categories, missing among them, by the mean of s or of class k. */
static uint32_t
order_make(const SplitNode *node, bool vector, uint32_t k, const SplitBin *bins, uint32_t n_bins,
		   const SplitBin *missing, OrderItem *items)
{
	OrderItem	scratch[MAX_ITEMS];
	double		mean = vector ? (double) node->classes[k] / (double) node->total.w
		: (double) node->total.s / (double) node->total.w;
	uint32_t	n = n_bins + (missing->sums.w > 0);

	for (uint32_t i = 0; i < n; i++)
	{
		const SplitBin *bin = i < n_bins ? &bins[i] : missing;
		double		sum = vector ? (double) bin->classes[k] : (double) bin->sums.s;

		items[i].bin = bin;
		items[i].mean = (sum + node->smoothing * mean) /
			((double) bin->sums.w + node->smoothing);
	}
	if (n <= FEW_ITEMS)
		order_few(items, scratch, n);
	else
		order_sort(items, scratch, n);
	return n;
}

static inline void
mask_set(uint64_t mask[4], uint32_t bin)
{
	mask[bin >> 6] |= UINT64_C(1) << (bin & 63);
}

/* The rest of a category split that is the new best: the first n_left items go left. */
static void
take_category(Split *best, uint32_t feature, const OrderItem *items, uint32_t n_left, uint32_t n)
{
	best->feature = feature;
	best->category = true;
	best->missing_left = false;
	best->missing_seen = false;
	memset(best->mask, 0, sizeof(best->mask));
	memset(best->present, 0, sizeof(best->present));
	for (uint32_t i = 0; i < n; i++)
	{
		if (items[i].bin->bin == FOREST_MISSING)
		{
			best->missing_seen = true;
			best->missing_left = i < n_left;
			continue;
		}
		mask_set(best->present, items[i].bin->bin);
		if (i < n_left)
			mask_set(best->mask, items[i].bin->bin);
	}
}

/* The classes whose shares order the categories: the heaviest of the node. */
static uint32_t
order_classes(const SplitNode *node, uint32_t *orders)
{
	uint32_t	n = 0;

	for (uint32_t k = 0; k < node->n_classes; k++)
	{
		uint32_t	at;

		if (node->classes[k] == 0 ||
			(n == MAX_ORDERS && node->classes[k] <= node->classes[orders[n - 1]]))
			continue;
		at = n < MAX_ORDERS ? n++ : n - 1;
		for (; at > 0 && node->classes[k] > node->classes[orders[at - 1]]; at--)
			orders[at] = orders[at - 1];
		orders[at] = k;
	}
	return n;
}

/*
 * The prefixes of an order by gini of several classes: squares are kept up as
 * categories move to the left, in integers, which are those of the doubles as
 * long as the node weighs at most EXACT_WEIGHT.
 */
static void
scan_shares(const SplitNode *node, uint32_t feature, const OrderItem *items, uint32_t n,
			Split *best)
{
	int64_t		squares_left = 0;
	int64_t		squares_right = 0;
	SplitSums	left;

	sums_begin(node, true, &left);
	for (uint32_t k = 0; k < node->n_classes; k++)
		squares_right += (int64_t) (node->classes[k] * node->classes[k]);
	for (uint32_t i = 0; i + 1 < n; i++)
	{
		const SplitBin *bin = items[i].bin;
		double		score;

		for (uint32_t k = 0; k < node->n_classes; k++)
		{
			int64_t		moved = (int64_t) bin->classes[k];
			int64_t		on_left = (int64_t) node->left[k];
			int64_t		on_right = (int64_t) node->classes[k] - on_left;

			squares_left += moved * (2 * on_left + moved);
			squares_right -= moved * (2 * on_right - moved);
			node->left[k] = (uint64_t) (on_left + moved);
		}
		left.w += bin->sums.w;
		left.n += bin->sums.n;
		if (!sides_allowed(node, FOREST_GINI, &left))
			continue;
		score = (double) squares_left / (double) left.w +
			(double) squares_right / (double) (node->total.w - left.w);
		if (best->found && !(score > best->score))
			continue;
		best->found = true;
		best->score = score;
		best->left = left;
		take_category(best, feature, items, i + 1, n);
	}
}

/* What a cut of n categories in the order of class k scores by luck. */
static double
luck_score(const SplitNode *node, uint32_t k, uint32_t n)
{
	double		w = (double) node->total.w;
	double		s = (double) node->total.s;
	double		chi = n > 2 ? node->luck * (n - 2) : 0;
	double		others = 0;

	if (node->criterion == FOREST_ENTROPY)
		return chi / 2;
	if (node->criterion == FOREST_SQUARED_ERROR)
		return chi * w * node->spread;
	if (node->criterion == FOREST_POISSON)
		return chi / 2 * node->spread * w / s;
	if (node->n_classes <= 2)
		return chi * (s * (w - s) / w);

	/* when the share of class k differs by x, that of j does by x p_j / (1 − p_k) */
	s = (double) node->classes[k];
	for (uint32_t j = 0; j < node->n_classes; j++)
		if (j != k)
			others += (double) node->classes[j] * (double) node->classes[j];
	return w > s ? chi * (s / w) * ((w - s) / w) * (1 + others / ((w - s) * (w - s))) : 0;
}

void
split_take_ordered(const SplitNode *node, uint32_t k, uint32_t n, Split *split, Split *best)
{
	double		luck;
	double		gain;
	double		likely;

	if (!split->found)
		return;
	luck = luck_score(node, k, n);
	split->full_score = split->score;
	if (luck > 0)
	{
		gain = node->n_classes <= 2 && is_pair(node->criterion) ? split->score
			: split_gain(node, split->score);
		likely = fmax(gain - luck, UNLIKELY * gain / luck);
		split->score += likely - gain;
	}
	if (!best->found || split->score > best->score)
		*best = *split;
}

static inline void
scan_category(const SplitNode *node, ForestCriterion criterion, bool vector, uint32_t feature,
			  const SplitBin *bins, uint32_t n_bins, const SplitBin *missing, Split *best)
{
	OrderItem	items[MAX_ITEMS];
	uint32_t	orders[MAX_ORDERS] = {0};
	uint32_t	n_orders = vector ? order_classes(node, orders) : 1;
	SplitSums	left;

	for (uint32_t o = 0; o < n_orders; o++)
	{
		uint32_t	n = order_make(node, vector, orders[o], bins, n_bins, missing, items);
		Split		found;

		found.found = false;
		if (vector && criterion == FOREST_GINI && !node->training->settings.any_monotonic &&
			node->total.w <= EXACT_WEIGHT)
		{
			scan_shares(node, feature, items, n, &found);
			split_take_ordered(node, orders[o], n, &found, best);
			continue;
		}
		sums_begin(node, vector, &left);
		for (uint32_t i = 0; i + 1 < n; i++)
		{
			sums_add(node, vector, &left, items[i].bin);
			if (consider(node, criterion, vector, 0, &left, &found))
				take_category(&found, feature, items, i + 1, n);
		}
		split_take_ordered(node, orders[o], n, &found, best);
	}
}

/*
 * Extremely randomized trees (Geurts, Ernst, Wehenkel 2006; algorithms A12):
 * one cut, uniform between the least and largest value of the node.
 */
static inline void
random_numeric(const SplitNode *node, ForestCriterion criterion, bool vector, uint32_t feature,
			   const SplitBin *bins, uint32_t n_bins, const SplitBin *missing, RngStream *stream,
			   Split *best)
{
	const ForestFeature *about = &node->training->schema.features[feature];
	const double *values = node->training->values + (size_t) feature * 256;
	int			sign = node->training->monotonic ? node->training->monotonic[feature] : 0;
	bool		any_missing = missing->sums.w > 0;
	bool		missing_left = false;
	uint32_t	cut = about->n_bins - 1;
	SplitSums	left;

	if (n_bins > 1)
	{
		double		u = rng_unit(rng_stream_u64(stream));
		double		low = values[bins[0].bin];
		double		high = values[bins[n_bins - 1].bin];
		double		drawn = low * (1 - u) + high * u;
		uint32_t	i = 0;

		/* bins whose values are up to the drawn one go left, but never all */
		while (i + 2 < n_bins && values[bins[i + 1].bin] <= drawn)
			i++;
		cut = schema_encode_number(about, drawn);
		if (cut < bins[i].bin)
			cut = bins[i].bin;
		if (cut >= bins[i + 1].bin)
			cut = bins[i + 1].bin - 1;
		missing_left = any_missing && (rng_stream_u32(stream) & 1);
	}
	sums_begin(node, vector, &left);
	if (missing_left)
		sums_add(node, vector, &left, missing);
	for (uint32_t i = 0; i < n_bins && bins[i].bin <= cut; i++)
		sums_add(node, vector, &left, &bins[i]);
	if (consider(node, criterion, vector, n_bins > 1 ? sign : 0, &left, best))
		take_numeric(best, feature, cut, missing_left, any_missing);
}

/* A random subset of the categories, neither empty nor all. */
static inline void
random_category(const SplitNode *node, ForestCriterion criterion, bool vector, uint32_t feature,
				const SplitBin *bins, uint32_t n_bins, const SplitBin *missing,
				RngStream *stream, Split *best)
{
	OrderItem	items[MAX_ITEMS];
	uint32_t	n = n_bins + (missing->sums.w > 0);
	uint32_t	n_left;
	SplitSums	left;

	do
	{
		uint32_t	n_right = 0;

		/* left ones from the front, right ones from the back */
		n_left = 0;
		for (uint32_t i = 0; i < n; i++)
		{
			const SplitBin *bin = i < n_bins ? &bins[i] : missing;

			items[rng_stream_u32(stream) & 1 ? n_left++ : n - ++n_right].bin = bin;
		}
	} while (n_left == 0 || n_left == n);
	sums_begin(node, vector, &left);
	for (uint32_t i = 0; i < n_left; i++)
		sums_add(node, vector, &left, items[i].bin);
	if (!consider(node, criterion, vector, 0, &left, best))
		return;
	best->full_score = best->score;
	take_category(best, feature, items, n_left, n);
}

static inline void
scan_random(const SplitNode *node, ForestCriterion criterion, bool vector, uint32_t feature,
			const SplitBin *bins, uint32_t n_bins, const SplitBin *missing, Split *best)
{
	RngStream	stream;
	RngPurpose	purpose = node->training->schema.features[feature].kind == FOREST_CATEGORY
		? RNG_CATEGORIES : RNG_THRESHOLD;

	rng_stream_begin(&stream, node->training->settings.seed, purpose, node->tree,
					 rng_mix64(node->key + feature * RNG_GOLDEN));
	if (purpose == RNG_CATEGORIES)
		random_category(node, criterion, vector, feature, bins, n_bins, missing, &stream, best);
	else
		random_numeric(node, criterion, vector, feature, bins, n_bins, missing, &stream, best);
}

static inline void
scan(const SplitNode *node, ForestCriterion criterion, bool vector, uint32_t feature,
	 const SplitBin *bins, uint32_t n_bins, const SplitBin *missing, Split *best)
{
	if (node->training->settings.random_splitter)
		scan_random(node, criterion, vector, feature, bins, n_bins, missing, best);
	else if (node->training->schema.features[feature].kind == FOREST_CATEGORY)
		scan_category(node, criterion, vector, feature, bins, n_bins, missing, best);
	else
		scan_numeric(node, criterion, vector, feature, bins, n_bins, missing, best);
}

bool
split_feature(const SplitNode *node, uint32_t feature, const SplitBin *bins, uint32_t n_bins,
			  const SplitBin *missing, Split *best)
{
	if (n_bins + (missing->sums.w > 0) < 2)
		return false;
	switch (node->criterion)
	{
		case FOREST_GINI:
			if (node->n_classes > 2)
				scan(node, FOREST_GINI, true, feature, bins, n_bins, missing, best);
			else
				scan(node, FOREST_GINI, false, feature, bins, n_bins, missing, best);
			break;
		case FOREST_ENTROPY:
			if (node->n_classes > 2)
				scan(node, FOREST_ENTROPY, true, feature, bins, n_bins, missing, best);
			else
				scan(node, FOREST_ENTROPY, false, feature, bins, n_bins, missing, best);
			break;
		case FOREST_SQUARED_ERROR:
			scan(node, FOREST_SQUARED_ERROR, false, feature, bins, n_bins, missing, best);
			break;
		case FOREST_POISSON:
			scan(node, FOREST_POISSON, false, feature, bins, n_bins, missing, best);
			break;
	}
	return true;
}

double
split_gain(const SplitNode *node, double score)
{
	double		w = (double) node->total.w;
	double		parent = 0;

	if (node->n_classes <= 2 && is_pair(node->criterion))
		return (node->criterion == FOREST_GINI ? 2 : 1) * score / w;
	if (node->n_classes <= 2)
		return score - side_score(node->criterion, node->total.w, node->total.s);
	for (uint32_t k = 0; k < node->n_classes; k++)
	{
		double		x = (double) node->classes[k];

		parent += node->criterion == FOREST_GINI ? x * x : x_log_x(x);
	}
	return score - (node->criterion == FOREST_GINI ? parent / w : parent - x_log_x(w));
}
