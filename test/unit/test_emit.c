/*
 * test_emit.c
 *	  Pruning against the definition, the weakest link first, and the bytes of
 *	  trees of odd shapes.
 */
#include <stdlib.h>

#include "tap.h"
#include "train_reference.h"

#include "forest/tree.h"

#define MAX_CLASSES 4

/* Random rows of four columns, the target depending on two of them. */
static void
make_data(TrainData *data, uint32_t n, uint32_t n_classes, uint64_t seed)
{
	double	   *x = malloc((size_t) n * 4 * sizeof(double));
	double	   *y = malloc(n * sizeof(double));

	for (uint32_t i = 0; i < n; i++)
	{
		for (uint32_t c = 0; c < 4; c++)
			x[4 * i + c] = train_below(&seed, 9) == 0 ? NAN : train_below(&seed, 15);
		y[i] = (isnan(x[4 * i]) ? 5 : x[4 * i]) + train_unit(&seed) * 12;
		if (n_classes > 0)
			y[i] = floor(y[i] / 27 * n_classes);
	}
	*data = (TrainData) {.n = n,.p = 4,.x = x,.kinds = "nncn",.y = y,.n_classes = n_classes};
}

static void
free_data(TrainData *data)
{
	free((void *) (uintptr_t) data->x);
	free((void *) (uintptr_t) data->y);
}

/* --------------------------------------------------------------- pruning -- */

/* A whole tree, and what of it is left. */
typedef struct Pruning
{
	const Tree *tree;
	ForestCriterion criterion;
	double	   *risk;			/* per node: cover / N × impurity, but for what all have */
	bool	   *leaf;			/* pruned, or a leaf of the whole tree */
} Pruning;

/* Sums of classes, or of the target, below a node; fills the risks on the way. */
static void
fill_risk(Pruning *p, uint32_t id, long double sums[MAX_CLASSES])
{
	const TreeNode *node = &p->tree->nodes[id];
	uint32_t	n_classes = p->tree->schema->n_classes;
	long double n = p->tree->nodes[0].cover;
	long double cover = node->cover;
	long double risk;

	memset(sums, 0, MAX_CLASSES * sizeof(sums[0]));
	if (node->leaf)
		for (uint32_t k = 0; k < (n_classes > 0 ? n_classes : 1); k++)
			sums[k] = cover * node->value[k];
	else
	{
		long double left[MAX_CLASSES];
		long double right[MAX_CLASSES];

		fill_risk(p, node->left, left);
		fill_risk(p, node->right, right);
		for (int k = 0; k < MAX_CLASSES; k++)
			sums[k] = left[k] + right[k];
	}
	/* a mean's squared error and deviance are Σ y² and Σ y ln y less these */
	if (n_classes > 0)
		risk = cover * reference_impurity(p->criterion, sums, n_classes);
	else if (p->criterion == FOREST_SQUARED_ERROR)
		risk = -sums[0] * sums[0] / cover;
	else
		risk = -sums[0] * logl(sums[0] / cover);
	p->risk[id] = (double) (risk / n);
	p->leaf[id] = node->leaf;
}

/* The leaves below a node, and the sum of their risks. */
static uint32_t
branch(const Pruning *p, uint32_t id, double *risk)
{
	if (p->leaf[id])
	{
		*risk += p->risk[id];
		return 1;
	}
	return branch(p, p->tree->nodes[id].left, risk) + branch(p, p->tree->nodes[id].right, risk);
}

static bool
is_below_leaf(const Pruning *p, uint32_t id, uint32_t at, bool below)
{
	if (id == at)
		return below;
	if (p->tree->nodes[at].leaf)
		return false;
	below |= p->leaf[at];
	return is_below_leaf(p, id, p->tree->nodes[at].left, below) ||
		is_below_leaf(p, id, p->tree->nodes[at].right, below);
}

/* Collapse the weakest link again and again while it is weak enough. */
static void
prune(Pruning *p, double alpha)
{
	for (;;)
	{
		uint32_t	weakest = UINT32_MAX;
		double		least = INFINITY;

		for (uint32_t id = 0; id < p->tree->n_nodes; id++)
		{
			double		below = 0;
			double		link;

			if (p->leaf[id] || is_below_leaf(p, id, 0, false))
				continue;
			link = p->risk[id];
			link = (link - (branch(p, id, &below), below)) / (branch(p, id, &(double) {0}) - 1);
			if (link < least)
			{
				least = link;
				weakest = id;
			}
		}
		if (weakest == UINT32_MAX || least > alpha)
			return;
		p->leaf[weakest] = true;
	}
}

/* Is a tree what is left of the whole one? */
static bool
is_left(const Pruning *p, uint32_t a, const Tree *tree, uint32_t b)
{
	const TreeNode *x = &p->tree->nodes[a];
	const TreeNode *y = &tree->nodes[b];

	if (x->cover != y->cover || p->leaf[a] != y->leaf)
		return false;
	if (y->leaf)
		return true;
	return x->feature == y->feature && x->cut == y->cut &&
		x->missing_left == y->missing_left && memcmp(x->mask, y->mask, sizeof(x->mask)) == 0 &&
		is_left(p, x->left, tree, y->left) && is_left(p, x->right, tree, y->right);
}

static void
check_pruning(const char *name, ForestCriterion criterion, uint32_t n_classes,
			  const char *params, double largest)
{
	TrainData	data;
	Pruning		p = {.criterion = criterion};
	long double sums[MAX_CLASSES];
	Train		t;
	Tree		whole;
	int			n_wrong = 0;
	uint32_t	sizes = 0;

	make_data(&data, 150, n_classes, 40);
	data.params = params;
	train_begin(&t, &data);
	tree_read(&whole, &t.training->schema, &t.trees[0]);
	p.tree = &whole;
	p.risk = malloc(whole.n_nodes * sizeof(double));
	p.leaf = malloc(whole.n_nodes * sizeof(bool));
	for (int i = 1; i <= 8; i++)
	{
		double		alpha = largest * pow(0.6, 8 - i);
		char		all[200];
		Train		pruned;
		Tree		tree;

		snprintf(all, sizeof(all), "%s ccp_alpha=%.17f", params, alpha);
		data.params = all;
		train_begin(&pruned, &data);
		tree_read(&tree, &pruned.training->schema, &pruned.trees[0]);
		fill_risk(&p, 0, sums);
		prune(&p, alpha);
		n_wrong += !is_left(&p, 0, &tree, 0);
		if (tree.n_nodes < whole.n_nodes && tree.n_nodes > 1)
			sizes++;
		tree_free(&tree);
		n_wrong += !train_end(&pruned);
	}
	tap_is_int(n_wrong, 0, "%s: the weakest links are pruned", name);
	tap_ok(sizes >= 3, "%s: some, not all", name);
	free(p.risk);
	free(p.leaf);
	tree_free(&whole);
	tap_ok(train_end(&t), "no leak");
	free_data(&data);
}

static void
test_pruning(void)
{
	check_pruning("gini", FOREST_GINI, 2, "", 0.05);
	check_pruning("gini, three classes", FOREST_GINI, 3, "", 0.02);
	check_pruning("entropy, four classes", FOREST_ENTROPY, 4, "criterion=entropy", 0.04);
	check_pruning("entropy", FOREST_ENTROPY, 2, "criterion=entropy max_leaf_nodes=30", 0.04);
	check_pruning("squared error", FOREST_SQUARED_ERROR, 0, "", 1.5);
	check_pruning("poisson", FOREST_POISSON, 0, "criterion=poisson", 0.15);
}

static void
test_pruned_to_root(void)
{
	static const uint32_t classes[] = {0, 2, 3};
	TrainData	data;
	Train		t;
	Tree		tree;

	for (int i = 0; i < 3; i++)
	{
		ForestModel *model;
		double		sum = 0;

		make_data(&data, 100, classes[i], 41);
		data.params = "bootstrap=false ccp_alpha=1000.0";
		train_begin(&t, &data);
		tree_read(&tree, &t.training->schema, &t.trees[0]);
		for (uint32_t row = 0; row < 100; row++)
			sum += classes[i] > 0 ? data.y[row] == 1 : data.y[row];
		tap_ok(tree.n_nodes == 1 && tree.depth == 0 && tree.nodes[0].cover == 100,
			   "pruned to the root");
		tap_is_real(tree.nodes[0].value[classes[i] > 0 ? 1 : 0], sum / 100, 1e-9, "its value");
		model = train_model(&t);
		tap_is_real(forest_model_importance(model, 0), 0, 0, "no importances then");
		forest_model_free(model);
		tree_free(&tree);
		tap_ok(train_end(&t), "no leak");
		free_data(&data);
	}
}

/* ----------------------------------------------------------------- bytes -- */

/* The bytes of the smallest trees, one by one. */
static void
test_bytes(void)
{
	static const double x[] = {1, NAN, 3, 4};
	static const double y[] = {0, 1, 1, 1};
	/* words, depth; a split: skip 1, feature 0, near right, missing right, cut 0; leaves; covers */
	static const uint8_t expected[] = {
		3, 0, 0, 0, 1, 0, 0, 0, 0, 2, 0x20, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0x80, 3, 1
	};
	TrainData	data = {.n = 4,.p = 1,.x = x,.y = y,.n_classes = 2,
		.params = "bootstrap=false"};
	Train		t;

	train_begin(&t, &data);
	tap_ok(t.trees[0].n_bytes == 8 + sizeof(expected) &&
		   memcmp(t.trees[0].bytes + 8, expected, sizeof(expected)) == 0,
		   "a tree of one split, byte by byte");
	tap_ok(train_end(&t), "no leak");
}

/* Shares are rounded to the nearest. */
static void
test_rounding(void)
{
	static const double x[] = {1, 2, 3, 4, 5, 6};
	static const double y[] = {1, 0, 1, 1, 1, 0};
	static const double three[] = {1, 2, 1, 1, 1, 0};
	TrainData	data = {.n = 6,.p = 1,.x = x,.y = y,
		.params = "bootstrap=false min_samples_split=7"};

	for (uint32_t n_classes = 2; n_classes <= 3; n_classes++)
	{
		Train		t;
		Tree		tree;

		data.n_classes = n_classes;
		data.y = n_classes == 2 ? y : three;
		train_begin(&t, &data);
		tree_read(&tree, &t.training->schema, &t.trees[0]);
		tap_is_real(tree.nodes[0].value[1] * TREE_ONE, 715827883, 0,
					"two thirds of 2^30, %u classes", n_classes);
		tree_free(&tree);
		tap_ok(train_end(&t), "no leak");
	}
}

/* Shares of several classes add up to one, but for what rounding each takes. */
static void
test_shares(void)
{
	TrainData	data;
	Train		t;
	Tree		tree;
	int			n_wrong = 0;

	make_data(&data, 300, 4, 42);
	data.params = "min_samples_leaf=7 n_estimators=3";
	train_begin(&t, &data);
	for (uint32_t i = 0; i < 3; i++)
	{
		tree_read(&tree, &t.training->schema, &t.trees[i]);
		for (uint32_t id = 0; id < tree.n_nodes; id++)
		{
			double		sum = 0;

			for (int k = 0; k < 4; k++)
				sum += tree.nodes[id].value[k];
			n_wrong += tree.nodes[id].leaf && fabs(sum - 1) > 4.0 / TREE_ONE;
		}
		tree_free(&tree);
	}
	tap_is_int(n_wrong, 0, "shares add up to one");
	tap_ok(train_end(&t), "no leak");
	free_data(&data);
}

/* A tree that is a chain, deeper than any stack should need. */
static void
test_chain(void)
{
	enum {N = 1500};
	double	   *x = malloc(N * sizeof(double));
	double	   *y = malloc(N * sizeof(double));
	TrainData	data = {.n = N,.p = 1,.x = x,.kinds = "n",.y = y,.n_classes = 2,
		.params = "bootstrap=false"};
	Train		t;
	Tree		tree;

	/* alternating labels among few values each: every split takes one end off */
	for (int i = 0; i < N; i++)
	{
		x[i] = i % 250;
		y[i] = i % 250 % 2;
	}
	train_begin(&t, &data);
	tree_read(&tree, &t.training->schema, &t.trees[0]);
	tap_ok(tree.n_leaves == 250 && tree.depth >= 60, "a deep tree");
	tap_is_int(tree.nodes[0].cover, N, "holds every row");
	tree_free(&tree);
	tap_ok(train_end(&t), "no leak");
	free(x);
	free(y);
}

int
main(void)
{
	test_pruning();
	test_pruned_to_root();
	test_bytes();
	test_rounding();
	test_shares();
	test_chain();
	return tap_done();
}
