/*
 * test_grow_rules.c
 *	  What parameters promise of the trees: monotonic predictions, the best
 *	  splits first, features and cuts drawn evenly.
 */
#include <stdlib.h>

#include "tap.h"
#include "train_reference.h"

/* ------------------------------------------------------------- monotonic -- */

#define N 400
#define P 4

/* A wave along x0, another down x1; x2 is free, x3 a category. */
static void
make_waves(double *x, double *y, uint32_t n_classes, bool missing)
{
	uint64_t	state = 31;

	for (uint32_t i = 0; i < N; i++)
	{
		double	   *row = x + i * P;

		for (uint32_t c = 0; c < P; c++)
			row[c] = c == 3 ? train_below(&state, 5) : train_below(&state, 40);
		y[i] = row[0] / 10 - row[1] / 10 + 2 * sin(row[0]) + 2 * sin(row[1]) + row[3] / 2 +
			train_unit(&state) * 4;
		if (n_classes > 0)
			y[i] = y[i] > 2;
		for (uint32_t c = 0; c < P && missing; c++)
			if (train_below(&state, 6) == 0)
				row[c] = NAN;
	}
}

/* Places where a tree goes down along x0, or up along x1, all else being equal. */
static uint32_t
count_breaks(const Tree *tree, const double *x, uint32_t output)
{
	uint32_t	n_breaks = 0;

	for (uint32_t i = 0; i < N; i += 3)
		for (uint32_t c = 0; c < 2; c++)
		{
			double		row[P];
			double		before = c == 0 ? -INFINITY : INFINITY;

			memcpy(row, x + i * P, sizeof(row));
			for (row[c] = -1; row[c] < 42; row[c] += 0.5)
			{
				double		value = tree_leaf(tree, row)->value[output];

				n_breaks += c == 0 ? value < before : value > before;
				before = value;
			}
		}
	return n_breaks;
}

static uint32_t
breaks_of(const TrainData *data, const ReferenceRules *rules, uint32_t *n_nodes)
{
	uint32_t	n_breaks = 0;
	Train		t;

	*n_nodes = 0;
	train_begin(&t, data);
	/* not by cutting values off: leaves say what their rows say */
	if (rules != NULL)
		n_breaks += reference_check_all(&t, data, rules);
	for (uint32_t i = 0; i < t.training->settings.n_estimators; i++)
	{
		Tree		tree;

		tree_read(&tree, &t.training->schema, &t.trees[i]);
		n_breaks += count_breaks(&tree, data->x, data->n_classes > 0 ? 1 : 0);
		*n_nodes += tree.n_nodes;
		tree_free(&tree);
	}
	if (!train_end(&t))
		n_breaks += 1000000;
	return n_breaks;
}

static void
check_monotonic(const char *name, uint32_t n_classes, bool missing, const char *params)
{
	static double x[N * P];
	static double y[N];
	char		all[200];
	TrainData	data = {.n = N,.p = P,.x = x,.kinds = "nnnc",.y = y,.n_classes = n_classes,
		.params = params};
	ReferenceRules rules = {.criterion = n_classes > 0 ? FOREST_GINI : FOREST_SQUARED_ERROR,
		.bootstrap = strstr(params, "random") == NULL,.min_split = 2,.min_rows = 1,
		.any_cut = true,.cut_short = true};
	bool		plain = strstr(params, "entropy") == NULL && strstr(params, "weight") == NULL;
	uint32_t	n_nodes;

	make_waves(x, y, n_classes, missing);
	tap_ok(breaks_of(&data, NULL, &n_nodes) > 20, "%s: free trees break the order", name);
	snprintf(all, sizeof(all), "%s monotonic_cst=[1,-1,0,0]", params);
	data.params = all;
	tap_is_int(breaks_of(&data, plain ? &rules : NULL, &n_nodes), 0, "%s: bound ones never",
			   name);
	tap_ok(n_nodes > 30, "%s: though they split", name);
}

static void
test_monotonic(void)
{
	check_monotonic("classes", 2, false, "n_estimators=4 max_features=null");
	check_monotonic("classes, missing", 2, true, "n_estimators=4");
	check_monotonic("entropy", 2, true, "n_estimators=4 criterion=entropy min_samples_leaf=3");
	check_monotonic("regression", 0, false, "n_estimators=4");
	check_monotonic("regression, missing", 0, true, "n_estimators=4 max_features=2");
	check_monotonic("best first", 0, true, "n_estimators=4 max_leaf_nodes=40");
	check_monotonic("pruned", 2, true, "n_estimators=8 ccp_alpha=0.002");
	check_monotonic("random", 0, true, "n_estimators=4 splitter=random");
	check_monotonic("balanced", 2, true, "n_estimators=4 class_weight=balanced_subsample");
}

/* Of class 0 the order is the other way round. */
static void
test_sign(void)
{
	static const double x[] = {1, 2, 3, 4, 5, 6};
	static const double y[] = {0, 0, 0, 1, 1, 1};
	TrainData	data = {.n = 6,.p = 1,.x = x,.y = y,.n_classes = 2};

	for (int sign = -1; sign <= 1; sign += 2)
	{
		Train		t;
		Tree		tree;

		data.params = sign > 0 ? "bootstrap=false monotonic_cst=[1]"
			: "bootstrap=false monotonic_cst=[-1]";
		train_begin(&t, &data);
		tree_read(&tree, &t.training->schema, &t.trees[0]);
		tap_is_int(tree.n_nodes, sign > 0 ? 3 : 1, "P of class 1 %s with the feature",
				   sign > 0 ? "may rise" : "may not fall");
		tree_free(&tree);
		tap_ok(train_end(&t), "no leak");
	}
}

/* A split of missing from present values binds nothing below it. */
static void
test_missing_unbound(void)
{
	static const double x[] = {1, 1, 2, 2, NAN, NAN};
	static const double y[] = {10, 10, 0, 0, 100, 100};
	TrainData	data = {.n = 6,.p = 1,.x = x,.y = y,
		.params = "bootstrap=false monotonic_cst=[-1]"};
	Train		t;
	Tree		tree;

	train_begin(&t, &data);
	tree_read(&tree, &t.training->schema, &t.trees[0]);
	tap_ok(tree_threshold(&tree, &tree.nodes[0]) == INFINITY, "missing values first");
	tap_is_int(tree.n_leaves, 3, "then present ones, which are far lower");
	tap_is_real(tree_leaf(&tree, &x[0])->value[0], 10, 1e-9, "and keep their values");
	tree_free(&tree);
	tap_ok(train_end(&t), "no leak");
}

/* Nodes of as many rows as it takes are split. */
static void
test_rows_to_split(void)
{
	static const double x[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
	static const double y[] = {0, 0, 0, 0, 0, 1, 1, 1, 1, 1};
	TrainData	data = {.n = 10,.p = 1,.x = x,.y = y,.n_classes = 2};
	static const char *const params[] = {
		"bootstrap=false min_samples_split=10", "bootstrap=false min_samples_split=11",
		"bootstrap=false min_samples_leaf=5", "bootstrap=false min_samples_leaf=6"
	};

	for (int i = 0; i < 4; i++)
	{
		Train		t;
		Tree		tree;

		data.params = params[i];
		train_begin(&t, &data);
		tree_read(&tree, &t.training->schema, &t.trees[0]);
		tap_is_int(tree.n_leaves, i % 2 == 0 ? 2 : 1, "ten rows, %s", params[i]);
		tree_free(&tree);
		tap_ok(train_end(&t), "no leak");
	}
}

/* ------------------------------------------------------------ best first -- */

/* Σ cover × value² of the leaves below, Σ cover × value, Σ cover. */
typedef struct Moments
{
	double		squares;
	double		sum;
	double		weight;
} Moments;

static Moments
moments(const Tree *tree, uint32_t id)
{
	const TreeNode *node = &tree->nodes[id];
	Moments		left;
	Moments		right;

	if (node->leaf)
	{
		double		value = node->value[tree->schema->n_classes > 0 ? 1 : 0];
		double		cover = (double) node->cover;

		return (Moments) {cover * value * value, cover * value, cover};
	}
	left = moments(tree, node->left);
	right = moments(tree, node->right);
	return (Moments) {left.squares + right.squares, left.sum + right.sum,
		left.weight + right.weight};
}

/* What a split takes off the sum of squares: gini and squared error alike. */
static double
gain_of(const Tree *tree, uint32_t id)
{
	Moments		left = moments(tree, tree->nodes[id].left);
	Moments		right = moments(tree, tree->nodes[id].right);
	double		sum = left.sum + right.sum;

	return left.sum * left.sum / left.weight + right.sum * right.sum / right.weight -
		sum * sum / (left.weight + right.weight);
}

/* Does the smaller tree consist of the first splits of the larger, by gain? */
static bool
is_first(const Tree *full, uint32_t a, const Tree *tree, uint32_t b, const bool *split)
{
	const TreeNode *x = &full->nodes[a];
	const TreeNode *y = &tree->nodes[b];

	if (!split[a])
		return y->leaf && x->cover == y->cover;
	return !y->leaf && x->feature == y->feature && x->cut == y->cut &&
		memcmp(x->mask, y->mask, sizeof(x->mask)) == 0 &&
		is_first(full, x->left, tree, y->left, split) &&
		is_first(full, x->right, tree, y->right, split);
}

/* Split, k - 1 times, the leaf of the largest gain. */
static void
choose_first(const Tree *full, uint32_t k, bool *split)
{
	uint32_t   *parent = calloc(full->n_nodes, sizeof(uint32_t));

	memset(split, 0, full->n_nodes * sizeof(bool));
	for (uint32_t id = 0; id < full->n_nodes; id++)
		if (!full->nodes[id].leaf)
			parent[full->nodes[id].left] = parent[full->nodes[id].right] = id;
	for (uint32_t n = 1; n < k; n++)
	{
		uint32_t	best = UINT32_MAX;

		for (uint32_t id = 0; id < full->n_nodes; id++)
			if (!full->nodes[id].leaf && !split[id] && (id == 0 || split[parent[id]]) &&
				(best == UINT32_MAX || gain_of(full, id) > gain_of(full, best)))
				best = id;
		if (best != UINT32_MAX)
			split[best] = true;
	}
	free(parent);
}

static void
check_best_first(const char *name, uint32_t n_classes, const char *params)
{
	static double x[N * P];
	static double y[N];
	static const uint32_t sizes[] = {2, 3, 7, 20, 45, 5000};
	TrainData	data = {.n = N,.p = P,.x = x,.kinds = "nnnc",.y = y,.n_classes = n_classes,
		.params = params};
	int			wrong_size = 0;
	int			wrong_splits = 0;
	bool	   *split;
	Train		t;
	Tree		full;

	make_waves(x, y, n_classes, true);
	train_begin(&t, &data);
	tree_read(&full, &t.training->schema, &t.trees[0]);
	split = malloc(full.n_nodes * sizeof(bool));
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
	{
		char		all[200];
		Train		first;
		Tree		tree;

		snprintf(all, sizeof(all), "%s max_leaf_nodes=%u", params, sizes[i]);
		data.params = all;
		train_begin(&first, &data);
		tree_read(&tree, &first.training->schema, &first.trees[0]);
		wrong_size += tree.n_leaves != (sizes[i] < full.n_leaves ? sizes[i] : full.n_leaves);
		choose_first(&full, sizes[i], split);
		wrong_splits += !is_first(&full, 0, &tree, 0, split);
		tree_free(&tree);
		wrong_size += !train_end(&first);
	}
	tap_is_int(wrong_size, 0, "%s: as many leaves as allowed", name);
	tap_is_int(wrong_splits, 0, "%s: the best splits of the whole tree", name);
	tap_ok(full.n_leaves > 45, "%s: which is larger", name);
	free(split);
	tree_free(&full);
	tap_ok(train_end(&t), "no leak");
}

static void
test_best_first(void)
{
	check_best_first("two classes", 2, "");
	check_best_first("regression", 0, "max_features=2");
	check_best_first("leaves of rows", 0, "min_samples_leaf=3");
}

/* ------------------------------------------------------------- features -- */

#define N_TREES 800

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

/* Six features, each telling less of the target than the one before. */
static void
make_ranked(double *x, double *y)
{
	uint64_t	state = 8;

	for (uint32_t i = 0; i < 200; i++)
	{
		y[i] = i % 2;
		for (uint32_t c = 0; c < 6; c++)
			x[6 * i + c] = train_below(&state, 100) < 95 - 7 * c ? y[i] : 1 - y[i];
	}
}

static void
count_roots(const TrainData *data, int counts[6], int lefts[6])
{
	Train		t;

	memset(counts, 0, 6 * sizeof(int));
	memset(lefts, 0, 6 * sizeof(int));
	train_begin(&t, data);
	for (uint32_t i = 0; i < N_TREES; i++)
	{
		Tree		tree;

		tree_read(&tree, &t.training->schema, &t.trees[i]);
		counts[tree.nodes[0].feature]++;
		if (tree.nodes[0].feature == 0 && !tree.nodes[tree.nodes[0].left].leaf)
			lefts[tree.nodes[tree.nodes[0].left].feature]++;
		tree_free(&tree);
	}
	tap_ok(train_end(&t), "no leak");
}

static void
test_features(void)
{
	static const double even[] = {1 / 6.0, 1 / 6.0, 1 / 6.0, 1 / 6.0, 1 / 6.0, 1 / 6.0};
	static const double even_five[] = {0.2, 0.2, 0.2, 0.2, 0.2};
	/* of three drawn from six the best is the first in 10 of 20 draws, ... */
	static const double best_of_three[] = {0.5, 0.3, 0.15, 0.05};
	double		x[200 * 6];
	double		y[200];
	TrainData	data = {.n = 200,.p = 6,.x = x,.y = y,.n_classes = 2};
	int			counts[6];
	int			lefts[6];

	make_ranked(x, y);
	data.params = "n_estimators=800 bootstrap=false max_features=1 max_depth=2";
	count_roots(&data, counts, lefts);
	tap_ok(chi_square(counts, even, 6) < 25.7, "one feature: each as often");
	tap_is_int(lefts[0], 0, "a feature that is constant in a node is not split again");
	tap_ok(chi_square(lefts + 1, even_five, 5) < 23.5, "the others as often in a child");
	data.params = "n_estimators=800 bootstrap=false max_features=3 max_depth=1";
	count_roots(&data, counts, lefts);
	tap_ok(chi_square(counts, best_of_three, 4) < 21.1 && counts[4] + counts[5] == 0,
		   "three features: the best of each draw");
	data.params = "n_estimators=800 bootstrap=false max_features=6 max_depth=1";
	count_roots(&data, counts, lefts);
	tap_is_int(counts[0], N_TREES, "all features: the best");
	for (uint32_t i = 0; i < 200; i++)
		x[6 * i + 1] = x[6 * i + 4] = x[6 * i];
	data.params = "n_estimators=800 max_features=null max_depth=2";
	count_roots(&data, counts, lefts);
	tap_is_int(counts[1] + counts[4], 0, "of equal features the first");
	for (uint32_t i = 0; i < 200 * 6; i++)
		x[i] = x[i / 6 * 6];
	data.params = "n_estimators=800 max_features=3 max_depth=1";
	count_roots(&data, counts, lefts);
	tap_ok(chi_square(counts, best_of_three, 4) < 21.1 && counts[4] + counts[5] == 0,
		   "and the first of those that are drawn");
}

/* -------------------------------------------------------------- random -- */

/* Cuts of the root along the only feature, of many trees. */
static uint32_t
root_thresholds(const TrainData *data, double *thresholds, uint32_t *n_missing_left)
{
	uint32_t	n = 0;
	Train		t;

	*n_missing_left = 0;
	train_begin(&t, data);
	for (uint32_t i = 0; i < N_TREES; i++)
	{
		Tree		tree;

		tree_read(&tree, &t.training->schema, &t.trees[i]);
		thresholds[n++] = tree_threshold(&tree, &tree.nodes[0]);
		*n_missing_left += tree.nodes[0].missing_left;
		tree_free(&tree);
	}
	tap_ok(train_end(&t), "no leak");
	return n;
}

static int
by_value(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

/* Random cuts lie evenly between the least and the largest value, not between bins. */
static void
test_random(void)
{
	double		x[1000];
	double		y[1000];
	double		thresholds[N_TREES];
	double		distance = 0;
	int			counts[2] = {0, 0};
	static const double shares[] = {0.1, 0.9};
	uint32_t	n_left;
	uint64_t	state = 4;
	TrainData	data = {.n = 1000,.p = 1,.x = x,.y = y,
		.params = "n_estimators=800 max_depth=1 splitter=random"};

	for (int i = 0; i < 1000; i++)
	{
		double		u = train_unit(&state);

		x[i] = i == 0 ? 0 : i == 1 ? 8 : 8 * u * u * u;
		y[i] = train_unit(&state);
	}
	(void) root_thresholds(&data, thresholds, &n_left);
	qsort(thresholds, N_TREES, sizeof(double), by_value);
	for (int i = 0; i < N_TREES; i++)
		distance = fmax(distance, fabs(thresholds[i] / 8 - (i + 0.5) / N_TREES));
	/* the 0.9999 quantile of Kolmogorov's D is 2.23 / sqrt(n); bins are 1/40 wide at the end */
	tap_ok(distance < 2.23 / sqrt(N_TREES) + 0.025, "random cuts are even in value");

	for (int i = 0; i < 1000; i++)
		x[i] = i % 7 == 6 ? NAN : i % 3 == 0 ? 0 : i % 3 == 1 ? 1 : 10;
	(void) root_thresholds(&data, thresholds, &n_left);
	for (int i = 0; i < N_TREES; i++)
		counts[thresholds[i] > 1]++;
	tap_ok(chi_square(counts, shares, 2) < 15.2, "values 0, 1, 10: one cut of ten below 1");
	tap_ok(abs((int) n_left - N_TREES / 2) < 56, "missing values go either way");
}

/* Random trees are as different as their numbers, and have what others have. */
static void
test_different(void)
{
	static double x[N * P];
	static double y[N];
	TrainData	data = {.n = N,.p = P,.x = x,.kinds = "nnnc",.y = y,.n_classes = 2,
		.params = "n_estimators=12 splitter=random max_features=null"};
	int			n_same = 0;
	Train		t;

	make_waves(x, y, 2, true);
	train_begin(&t, &data);
	for (uint32_t i = 0; i < 12; i++)
		for (uint32_t j = 0; j < i; j++)
			n_same += t.trees[i].n_bytes == t.trees[j].n_bytes &&
				memcmp(t.trees[i].bytes, t.trees[j].bytes, t.trees[i].n_bytes) == 0;
	tap_is_int(n_same, 0, "random trees of all rows and features differ");
	tap_ok(train_end(&t), "no leak");
	data.params = "n_estimators=12 bootstrap=false max_features=null";
	train_begin(&t, &data);
	for (uint32_t i = 1; i < 12; i++)
		n_same += t.trees[i].n_bytes == t.trees[0].n_bytes &&
			memcmp(t.trees[i].bytes, t.trees[0].bytes, t.trees[i].n_bytes) == 0;
	tap_is_int(n_same, 11, "the best trees of all rows and features do not");
	tap_ok(train_end(&t), "no leak");
}

/* Three hundred classes of three rows each. */
static void
test_many_classes(void)
{
	enum {ROWS = 900};
	static double x[ROWS * 2];
	static double y[ROWS];
	TrainData	data = {.n = ROWS,.p = 2,.x = x,.kinds = "nc",.y = y,.n_classes = 300,
		.params = "bootstrap=false max_features=null min_samples_leaf=2"};
	int			n_wrong = 0;
	ForestModel *model;
	Train		t;
	Tree		tree;

	for (uint32_t i = 0; i < ROWS; i++)
	{
		y[i] = i / 3;
		x[2 * i] = i / 3 % 20;
		x[2 * i + 1] = floor(i / 60.0);
	}
	train_begin(&t, &data);
	tree_read(&tree, &t.training->schema, &t.trees[0]);
	model = train_model(&t);
	for (uint32_t i = 0; i < ROWS; i++)
		n_wrong += tree_leaf(&tree, x + 2 * i)->value[(uint32_t) y[i]] != 1;
	tap_is_int(n_wrong, 0, "300 classes are told apart");
	tap_is_int(tree.n_leaves, 300, "a leaf each");
	tap_is_int(forest_model_n_outputs(model), 300, "and the model knows them");
	forest_model_free(model);
	tree_free(&tree);
	tap_ok(train_end(&t), "no leak");
}

int
main(void)
{
	test_monotonic();
	test_sign();
	test_missing_unbound();
	test_rows_to_split();
	test_best_first();
	test_features();
	test_random();
	test_different();
	test_many_classes();
	return tap_done();
}
