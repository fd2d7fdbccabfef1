/*
 * test_sklearn_trees.c
 *	  Whole trees against scikit-learn's: expected_trees.h, made by
 *	  oracle_trees.py.
 */
#include "tap.h"
#include "train_fixture.h"

typedef struct OracleTree
{
	const char *name;
	const double *target;
	uint32_t	n_classes;
	bool		weighted;
	const char *params;
	uint32_t	n_nodes;
	uint32_t	n_leaves;
	uint32_t	depth;
	const double *output;
	const double *importance;
} OracleTree;

#include "expected_trees.h"

#define P 3
#define N (sizeof(oracle_x) / sizeof(oracle_x[0]) / P)

/* The largest difference of the values of a row's leaf, and of the forest, from the oracle's. */
static double
worst_output(const OracleTree *expected, const Tree *tree, const ForestModel *model)
{
	uint32_t	n_outputs = forest_model_n_outputs(model);
	double		worst = 0;

	for (size_t row = 0; row < N; row++)
	{
		const double *x = oracle_x + row * P;
		const TreeNode *leaf = tree_leaf(tree, x);
		uint8_t		bins[8] = {0};
		double		out[3];

		for (uint32_t f = 0; f < P; f++)
		{
			ForestCell	cell = {.number = x[f]};

			bins[f] = forest_model_encode(model, f, &cell);
		}
		forest_score(model, bins, 1, out);
		for (uint32_t k = 0; k < n_outputs; k++)
		{
			double		output = expected->output[row * n_outputs + k];

			worst = fmax(worst, fabs(leaf->value[expected->n_classes == 2 ? 1 : k] - output));
			worst = fmax(worst, fabs(out[k] - output));
		}
	}
	return worst;
}

static void
check_tree(const OracleTree *expected)
{
	char		params[200];
	TrainData	data = {.n = N,.p = P,.x = oracle_x,.y = expected->target,
		.n_classes = expected->n_classes,.params = params,
		.weight = expected->weighted ? oracle_weight : NULL};
	double		worst = 0;
	ForestModel *model;
	Train		t;
	Tree		tree;

	snprintf(params, sizeof(params), "bootstrap=false max_features=null %s", expected->params);
	train_begin(&t, &data);
	model = train_model(&t);
	tree_read(&tree, &t.training->schema, &t.trees[0]);
	tap_is_int(tree.n_nodes, expected->n_nodes, "%s: nodes", expected->name);
	tap_is_int(tree.n_leaves, expected->n_leaves, "%s: leaves", expected->name);
	tap_is_int(tree.depth, expected->depth, "%s: depth", expected->name);
	tap_ok(worst_output(expected, &tree, model) < 5e-9, "%s: values of all rows",
		   expected->name);
	for (uint32_t f = 0; f < P; f++)
		worst = fmax(worst, fabs(forest_model_importance(model, f) - expected->importance[f]));
	tap_ok(worst < 1e-9, "%s: importances", expected->name);
	tree_free(&tree);
	forest_model_free(model);
	tap_ok(train_end(&t), "no leak");
}

int
main(void)
{
	for (size_t i = 0; i < sizeof(oracle_trees) / sizeof(oracle_trees[0]); i++)
		check_tree(&oracle_trees[i]);
	return tap_done();
}
