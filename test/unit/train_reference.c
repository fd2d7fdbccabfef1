/*
 * train_reference.c
 *	  The slow way to grow a tree, followed along one that was grown.
 *
 * Every node's rows are known, since they are routed by the tree's own splits
 * from the root on.  For each node all splits are tried, each by going over
 * all its rows; the tree's split must be as good as the best of them, and a
 * leaf must have a reason to be one.
 */
#include "train_reference.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/rng.h"

#define MAX_CLASSES 16
#define MAX_VALUES 1024
#define SMOOTHING 10.0L
#define LUCK 0.63662L

/* The state of one check. */
typedef struct Check
{
	const TrainData *data;
	const ReferenceRules *rules;
	const Tree *tree;
	const char *what;			/* is wrong first */
	uint32_t	wrong_node;
	uint32_t	n_wrong;
	long double *weight;		/* per row: count × weight × class weight */
	long double total;			/* Σ weight */
	long double mean_weight;	/* of a count */
	long double *importance;	/* per feature */
} Check;

/* Some rows of the data. */
typedef struct Rows
{
	uint32_t   *row;
	uint32_t	n;
} Rows;

/* Sums over rows. */
typedef struct Sums
{
	long double w;
	long double y;				/* Σ w × y */
	long double classes[MAX_CLASSES];
	uint32_t	n;
} Sums;

static void
wrong(Check *c, uint32_t node, const char *what)
{
	if (c->n_wrong++ == 0)
	{
		c->what = what;
		c->wrong_node = node;
	}
}

uint32_t
reference_count(uint64_t draw, double mean)
{
	long double u = ldexpl((long double) draw, -64);
	long double term = expl(-(long double) mean);
	long double below = term;
	uint32_t	count = 0;

	while (u >= below && count < 13)
	{
		term *= (long double) mean / ++count;
		below += term;
	}
	return count;
}

/* ------------------------------------------------------------- impurity -- */

long double
reference_impurity(ForestCriterion criterion, const long double *classes, uint32_t n_classes)
{
	long double w = 0;
	long double impurity = criterion == FOREST_GINI ? 1 : 0;

	for (uint32_t k = 0; k < n_classes; k++)
		w += classes[k];
	for (uint32_t k = 0; k < n_classes && w > 0; k++)
	{
		long double share = classes[k] / w;

		if (criterion == FOREST_GINI)
			impurity -= share * share;
		else if (share > 0)
			impurity -= share * logl(share);
	}
	return impurity;
}

/* The impurity of the rows on one side (1 left, 0 right, of side NULL: all). */
static long double
impurity_of(const Check *c, const Rows *rows, const uint8_t *side, uint8_t wanted, Sums *sums)
{
	const TrainData *data = c->data;
	long double mean;
	long double impurity = 0;

	memset(sums, 0, sizeof(*sums));
	for (uint32_t i = 0; i < rows->n; i++)
	{
		uint32_t	row = rows->row[i];

		if (side != NULL && side[i] != wanted)
			continue;
		sums->n++;
		sums->w += c->weight[row];
		sums->y += c->weight[row] * data->y[row];
		if (data->n_classes > 0)
			sums->classes[(uint32_t) data->y[row]] += c->weight[row];
	}
	if (data->n_classes > 0)
		return reference_impurity(c->rules->criterion, sums->classes, data->n_classes);
	mean = sums->w > 0 ? sums->y / sums->w : 0;
	for (uint32_t i = 0; i < rows->n; i++)
	{
		long double y = data->y[rows->row[i]];

		if (side != NULL && side[i] != wanted)
			continue;
		if (c->rules->criterion == FOREST_SQUARED_ERROR)
			impurity += c->weight[rows->row[i]] * (y - mean) * (y - mean);
		else if (y > 0)
			impurity += c->weight[rows->row[i]] * y * logl(y / mean);
	}
	return sums->w > 0 ? impurity / sums->w : 0;
}

/* The decrease of a split of the rows, or −1 if the rules forbid it. */
static long double
judge(const Check *c, const Rows *rows, const uint8_t *side)
{
	long double least = (long double) c->rules->min_weight_fraction * c->total;
	Sums		all;
	Sums		left;
	Sums		right;
	long double h = impurity_of(c, rows, NULL, 0, &all);
	long double h_left = impurity_of(c, rows, side, 1, &left);
	long double h_right = impurity_of(c, rows, side, 0, &right);
	long double decrease;

	if (left.n == 0 || right.n == 0 || left.n < c->rules->min_rows ||
		right.n < c->rules->min_rows)
		return -1;
	if (left.w < least * (1 - 1e-12L) || right.w < least * (1 - 1e-12L))
		return -1;
	if (c->rules->criterion == FOREST_POISSON && !(left.y > 0 && right.y > 0))
		return -1;
	decrease = all.w / c->total *
		(h - left.w / all.w * h_left - right.w / all.w * h_right);
	return decrease > 0 ? decrease : 0;
}

/* ----------------------------------------------------------- candidates -- */

/* What a split by a feature looks at. */
static double
key_of(const Check *c, uint32_t feature, uint32_t row)
{
	const ForestFeature *f = &c->tree->schema->features[feature];
	double		x = c->data->x[(size_t) row * c->data->p + tree_column(c->tree, feature)];

	if (f->kind != FOREST_CATEGORY && !c->rules->binned)
		return x;
	x = tree_bin(f, x);
	return x == FOREST_MISSING ? NAN : x;
}

static int
by_value(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

/* The distinct keys of a feature, ascending. */
static uint32_t
distinct_keys(const Check *c, const Rows *rows, uint32_t feature, double *keys,
			  bool *any_missing)
{
	uint32_t	n = 0;
	uint32_t	n_distinct = 0;

	*any_missing = false;
	for (uint32_t i = 0; i < rows->n && n < MAX_VALUES; i++)
	{
		double		key = key_of(c, feature, rows->row[i]);

		if (isnan(key))
			*any_missing = true;
		else
			keys[n++] = key;
	}
	qsort(keys, n, sizeof(double), by_value);
	for (uint32_t i = 0; i < n; i++)
		if (n_distinct == 0 || keys[i] != keys[n_distinct - 1])
			keys[n_distinct++] = keys[i];
	return n_distinct;
}

static long double
larger(long double a, long double b)
{
	return a > b ? a : b;
}

static long double
best_number(const Check *c, const Rows *rows, uint32_t feature, uint8_t *side)
{
	static double keys[MAX_VALUES];
	bool		any_missing;
	uint32_t	n = distinct_keys(c, rows, feature, keys, &any_missing);
	long double best = -1;

	for (int missing_left = 0; missing_left <= any_missing; missing_left++)
		/* the last key: all present values against the missing ones */
		for (uint32_t k = 0; k < n; k++)
		{
			for (uint32_t i = 0; i < rows->n; i++)
			{
				double		key = key_of(c, feature, rows->row[i]);

				side[i] = isnan(key) ? missing_left : key <= keys[k];
			}
			best = larger(best, judge(c, rows, side));
		}
	return best;
}

/* The best of some splits of a feature; decrease is −1 where there are none. */
typedef struct Found
{
	long double decrease;
	long double rank;			/* the same without what luck gave it: what features are compared by */
} Found;

typedef struct Category
{
	double		key;			/* NAN: missing */
	long double mean;
} Category;

/* By mean, equal ones by key, missing last. */
static int
by_mean(const void *a, const void *b)
{
	const Category *x = a;
	const Category *y = b;

	if (x->mean != y->mean)
		return x->mean < y->mean ? -1 : 1;
	if (isnan(x->key) || isnan(y->key))
		return isnan(x->key) ? 1 : -1;
	return x->key < y->key ? -1 : 1;
}

/* The mean of the target, or the share of class k, pulled towards the node's. */
static long double
smoothed_mean(const Check *c, const Rows *rows, uint32_t feature, double key, int k)
{
	long double smoothing = SMOOTHING * c->mean_weight;
	long double w = 0;
	long double s = 0;
	long double all_w = 0;
	long double all_s = 0;

	for (uint32_t i = 0; i < rows->n; i++)
	{
		uint32_t	row = rows->row[i];
		double		its = key_of(c, feature, row);
		long double y = k < 0 ? c->data->y[row] : c->data->y[row] == k;

		all_w += c->weight[row];
		all_s += c->weight[row] * y;
		if (its == key || (isnan(its) && isnan(key)))
		{
			w += c->weight[row];
			s += c->weight[row] * y;
		}
	}
	return (s + smoothing * (all_s / all_w)) / (w + smoothing);
}

/*
 * What the best split along an order of n categories by their means decreases
 * when they are random: 2 / π of the categories are then its χ².
 */
static long double
luck_of(const Check *c, const Rows *rows, int k, uint32_t n)
{
	long double chi = n > 2 ? LUCK * (1 + c->rules->bootstrap) * c->mean_weight * (n - 2) : 0;
	long double spread = 0;
	long double others = 0;
	long double mean;
	long double p;
	Sums		all;

	(void) impurity_of(c, rows, NULL, 0, &all);
	mean = all.y / all.w;
	for (uint32_t i = 0; i < rows->n; i++)
		spread += (c->data->y[rows->row[i]] - mean) * (c->data->y[rows->row[i]] - mean) / rows->n;
	if (c->rules->criterion == FOREST_ENTROPY)
		return chi / 2 / c->total;
	if (c->rules->criterion == FOREST_SQUARED_ERROR)
		return chi * spread / c->total;
	if (c->rules->criterion == FOREST_POISSON)
		return chi / 2 * spread / mean / c->total;
	k = k < 0 ? 1 : k;
	p = all.classes[k] / all.w;
	for (int j = 0; j < (int) c->data->n_classes; j++)
		if (j != k)
			others += powl(all.classes[j] / all.w / (1 - p), 2);
	return p < 1 ? chi * p * (1 - p) * (1 + others) / c->total : 0;
}

/* The best of the splits along one order of the categories. */
static Found
best_order(const Check *c, const Rows *rows, uint32_t feature, int k, uint8_t *side)
{
	double		keys[MAX_VALUES + 1];
	Category	categories[FOREST_VALUE_BINS + 1];
	bool		any_missing;
	uint32_t	n = distinct_keys(c, rows, feature, keys, &any_missing);
	long double best = -1;
	long double luck;

	if (any_missing)
		keys[n++] = NAN;
	luck = luck_of(c, rows, k, n);
	for (uint32_t j = 0; j < n; j++)
		categories[j] = (Category) {keys[j], smoothed_mean(c, rows, feature, keys[j], k)};
	qsort(categories, n, sizeof(Category), by_mean);
	memset(side, 0, rows->n);
	for (uint32_t j = 0; j + 1 < n; j++)
	{
		for (uint32_t i = 0; i < rows->n; i++)
		{
			double		key = key_of(c, feature, rows->row[i]);

			side[i] |= key == categories[j].key ||
				(isnan(key) && isnan(categories[j].key));
		}
		best = larger(best, judge(c, rows, side));
	}
	return (Found) {best, best < 0 ? -1 : larger(best - luck, 0)};
}

/* The best splits of a feature, one for each order of its categories; returns their number. */
static uint32_t
best_of(const Check *c, const Rows *rows, uint32_t feature, uint8_t *side,
		Found found[MAX_CLASSES])
{
	uint32_t	n = 0;
	Sums		all;

	if (c->tree->schema->features[feature].kind != FOREST_CATEGORY)
	{
		found[0].decrease = found[0].rank = best_number(c, rows, feature, side);
		return 1;
	}
	if (c->data->n_classes <= 2)
	{
		found[0] = best_order(c, rows, feature, -1, side);
		return 1;
	}
	(void) impurity_of(c, rows, NULL, 0, &all);
	for (uint32_t k = 0; k < c->data->n_classes; k++)
		if (all.classes[k] > 0)
			found[n++] = best_order(c, rows, feature, (int) k, side);
	return n;
}

/* ---------------------------------------------------------------- nodes -- */

static bool
must_be_leaf(const Check *c, const Rows *rows, uint32_t depth)
{
	const ReferenceRules *rules = c->rules;
	Sums		sums;
	bool		pure = true;

	(void) impurity_of(c, rows, NULL, 0, &sums);
	for (uint32_t i = 1; i < rows->n; i++)
		pure &= c->data->y[rows->row[i]] == c->data->y[rows->row[0]];
	return pure || (rules->max_depth > 0 && depth >= rules->max_depth) ||
		rows->n < rules->min_split || rows->n < 2 * rules->min_rows ||
		sums.w < 2 * (long double) rules->min_weight_fraction * c->total * (1 - 1e-12L);
}

static void
check_leaf(Check *c, const Rows *rows, uint32_t id, uint8_t *side)
{
	const TreeNode *node = &c->tree->nodes[id];
	double		tolerance = c->rules->value_tolerance > 0 ? c->rules->value_tolerance : 1e-9;
	uint32_t	n_present = 0;
	Found		best = {-1, -1};
	Found		found[MAX_CLASSES];
	Sums		sums;

	(void) impurity_of(c, rows, NULL, 0, &sums);
	if (c->data->n_classes == 0 && fabsl(sums.y / sums.w - node->value[0]) > tolerance)
		wrong(c, id, "the value of a leaf");
	for (uint32_t k = 0; k < c->data->n_classes; k++)
	{
		n_present += sums.classes[k] > 0;
		if (fabsl(sums.classes[k] / sums.w - node->value[k]) > tolerance)
			wrong(c, id, "the value of a leaf");
	}
	if (c->data->n_classes > 0 && node->pure != (n_present == 1))
		wrong(c, id, "a leaf that is pure and does not say so");
	if (must_be_leaf(c, rows, node->depth) || c->rules->cut_short)
		return;
	/* with fewer features drawn, unlucky ones are a reason only where limits forbid splits */
	if (c->rules->any_cut ||
		(c->rules->some_features && (c->rules->min_rows > 1 || c->rules->min_weight_fraction > 0)))
		return;
	for (uint32_t f = 0; f < c->tree->schema->n_features; f++)
		for (uint32_t i = best_of(c, rows, f, side, found); i > 0; i--)
			if (found[i - 1].rank > best.rank)
				best = found[i - 1];
	if (best.decrease >= 0 && best.decrease >= c->rules->min_decrease)
		wrong(c, id, "a leaf that could be split");
}

/* Values that a split has not seen go with the larger child. */
static void
check_unseen(Check *c, const Rows *rows, uint32_t id, bool left_is_larger)
{
	const TreeNode *node = &c->tree->nodes[id];
	const ForestFeature *feature = &c->tree->schema->features[node->feature];
	bool		seen[FOREST_VALUE_BINS + 1] = {false};

	for (uint32_t i = 0; i < rows->n; i++)
	{
		double		x = c->data->x[(size_t) rows->row[i] * c->data->p +
								   tree_column(c->tree, node->feature)];

		seen[tree_bin(feature, x)] = true;
	}
	if (!seen[FOREST_MISSING] && node->missing_left != left_is_larger)
		wrong(c, id, "the side of unseen missing values");
	for (uint32_t bin = 0; node->category && bin < feature->n_bins; bin++)
		if (!seen[bin] && (node->mask[bin / 8] >> bin % 8 & 1) != left_is_larger)
			wrong(c, id, "the side of an unseen category");
}

static void check_node(Check *c, const Rows *rows, uint32_t id);

static void
check_split(Check *c, const Rows *rows, uint32_t id, uint8_t *side)
{
	const TreeNode *node = &c->tree->nodes[id];
	double		tolerance = c->rules->tolerance > 0 ? c->rules->tolerance : 1e-9;
	long double best = -1;
	long double decrease;
	Found		found[MAX_CLASSES];
	uint32_t	n_found = 0;
	bool		is_best = false;
	Rows		left = {malloc(rows->n * sizeof(uint32_t)), 0};
	Rows		right = {malloc(rows->n * sizeof(uint32_t)), 0};
	Sums		sums;
	long double scale = impurity_of(c, rows, NULL, 0, &sums) * sums.w / c->total;

	for (uint32_t f = 0; f < c->tree->schema->n_features; f++)
		if (!c->rules->any_cut && (!c->rules->some_features || f == node->feature))
			for (uint32_t i = best_of(c, rows, f, side, found); i > 0; i--)
				best = larger(best, found[i - 1].rank);
	if (!c->rules->any_cut)
		n_found = best_of(c, rows, node->feature, side, found);
	for (uint32_t i = 0; i < rows->n; i++)
	{
		const double *x = c->data->x + (size_t) rows->row[i] * c->data->p;

		side[i] = tree_child(c->tree, node, x) == node->left;
		if (side[i])
			left.row[left.n++] = rows->row[i];
		else
			right.row[right.n++] = rows->row[i];
	}
	decrease = judge(c, rows, side);
	if (must_be_leaf(c, rows, node->depth))
		wrong(c, id, "a split where a leaf must be");
	if (decrease < 0 || decrease + scale * tolerance < c->rules->min_decrease)
		wrong(c, id, "a split that the rules forbid");
	for (uint32_t i = 0; i < n_found; i++)
		is_best |= found[i].rank >= best - scale * tolerance &&
			fabsl(decrease - found[i].decrease) <= scale * tolerance;
	if (!is_best && !c->rules->any_cut)
		wrong(c, id, "a split that is not the best");
	if (node->near_right != (right.n > left.n))
		wrong(c, id, "the smaller child is near");
	check_unseen(c, rows, id, left.n > right.n);
	if (decrease > 0)
		c->importance[node->feature] += decrease;
	if (left.n > 0 && right.n > 0)
	{
		check_node(c, &left, node->left);
		check_node(c, &right, node->right);
	}
	free(left.row);
	free(right.row);
}

static void
check_node(Check *c, const Rows *rows, uint32_t id)
{
	const TreeNode *node = &c->tree->nodes[id];
	uint8_t    *side = malloc(rows->n + 1);
	long double share;
	Sums		sums;

	(void) impurity_of(c, rows, NULL, 0, &sums);
	share = (long double) node->cover / c->tree->nodes[0].cover;
	if (fabsl(share - sums.w / c->total) > 1e-5L)
		wrong(c, id, "the cover");
	if (c->rules->class_weight == NULL && c->data->weight == NULL && node->cover != sums.w)
		wrong(c, id, "the cover");
	if (node->leaf)
		check_leaf(c, rows, id, side);
	else
		check_split(c, rows, id, side);
	free(side);
}

/* The weights of the rows in a tree; returns those that are in it. */
static Rows
fill_bag(Check *c, const Train *train, uint32_t tree_no)
{
	const ForestTraining *t = train->training;
	uint64_t	purpose = rng_purpose_key(t->settings.seed, RNG_BOOTSTRAP, tree_no);
	uint32_t   *data_row = malloc(t->n_rows * sizeof(uint32_t));
	Rows		bag = {malloc(t->n_rows * sizeof(uint32_t)), 0};
	long double n_counts = 0;

	train_rows(train, c->data, data_row);
	for (uint32_t i = 0; i < t->n_train; i++)
	{
		uint64_t	key = training_chunk(t, i)->keys[training_in_chunk(t, i)];
		uint32_t	row = data_row[i];
		uint32_t	count = c->rules->bootstrap == 0 ? 1
			: reference_count(rng_row_draw(purpose, key), c->rules->bootstrap);
		long double weight = count;

		if (c->data->weight != NULL)
			weight *= c->data->weight[row];
		if (c->rules->class_weight != NULL)
			weight *= c->rules->class_weight[(uint32_t) c->data->y[row]];
		c->weight[row] = weight;
		if (weight == 0)
			continue;
		n_counts += count;
		c->total += weight;
		bag.row[bag.n++] = row;
	}
	c->mean_weight = c->total / n_counts;
	free(data_row);
	return bag;
}

uint32_t
reference_check(const Train *train, const TrainData *data, const ReferenceRules *rules,
				uint32_t tree_no)
{
	Check		c = {.data = data,.rules = rules};
	long double all = 0;
	Tree		tree;
	Rows		bag;

	tree_read(&tree, &train->training->schema, &train->trees[tree_no]);
	c.tree = &tree;
	c.weight = calloc(data->n, sizeof(long double));
	c.importance = calloc(tree.schema->n_features, sizeof(long double));
	bag = fill_bag(&c, train, tree_no);
	check_node(&c, &bag, 0);
	for (uint32_t f = 0; f < tree.schema->n_features; f++)
		all += c.importance[f];
	for (uint32_t f = 0; f < tree.schema->n_features; f++)
	{
		/* squares of targets in units of the fixed point; deviance is in units itself */
		int			places = data->n_classes > 0 ? 0
			: tree.schema->target_shift * (rules->criterion == FOREST_POISSON ? 1 : 2);
		long double importance = ldexpl((long double) tree.importance[f], -places);

		if (fabsl(c.importance[f] - importance) > 1e-7L * fabsl(c.importance[f]) + 1e-16L * all)
			wrong(&c, f, "the importance of a feature");
	}
	if (c.n_wrong > 0)
		printf("# tree %u: %s (node %u), and %u more\n", tree_no, c.what, c.wrong_node,
			   c.n_wrong - 1);
	free(bag.row);
	free(c.weight);
	free(c.importance);
	tree_free(&tree);
	return c.n_wrong;
}

uint32_t
reference_check_all(const Train *train, const TrainData *data, const ReferenceRules *rules)
{
	uint32_t	n_wrong = 0;

	for (uint32_t i = 0; i < train->training->settings.n_estimators; i++)
		n_wrong += reference_check(train, data, rules, i);
	return n_wrong;
}
