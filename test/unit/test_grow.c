/*
 * test_grow.c
 *	  Trees against a search over everything, and their bytes, which nothing
 *	  may change but the rows, the parameters and the seed.
 */
#include <stdlib.h>

#include "tap.h"
#include "train_reference.h"

#include "core/memory.h"

/* ---------------------------------------------------------------- data -- */

typedef struct Shape
{
	uint32_t	n;
	uint32_t	p;
	const char *kinds;
	uint32_t	n_classes;
	uint32_t	distinct;		/* values of a number; 0: all differ */
	bool		missing;
	bool		weighted;
} Shape;

/* Random rows whose target depends on the first columns, a bit. */
static void
make_data(TrainData *data, const Shape *shape, uint64_t seed)
{
	uint32_t	n = shape->n;
	uint32_t	p = shape->p;
	double	   *x = malloc((size_t) n * p * sizeof(double));
	double	   *y = malloc(n * sizeof(double));
	double	   *weight = malloc(n * sizeof(double));

	for (uint32_t i = 0; i < n; i++)
	{
		double		score = 0;

		for (uint32_t c = 0; c < p; c++)
		{
			double		u = train_unit(&seed);
			double	   *cell = &x[(size_t) i * p + c];

			if (shape->kinds != NULL && shape->kinds[c] == 'c')
				*cell = floor((shape->distinct > 30 ? shape->distinct : 14) * u * u);
			else
				*cell = shape->distinct > 0 ? floor(u * shape->distinct) : u;
			if (c < 3)
				score += u;
			if (shape->missing && train_below(&seed, 7) == 0)
				*cell = NAN;
		}
		score += train_unit(&seed);
		y[i] = shape->n_classes > 0 ? floor(score / 4.001 * shape->n_classes)
			: floor(score * score * 32) / 8;
		weight[i] = train_below(&seed, 8) / 2.0;
	}
	*data = (TrainData) {.n = n,.p = p,.x = x,.kinds = shape->kinds,.y = y,
		.n_classes = shape->n_classes,.weight = weight};
	if (!shape->weighted)
		data->weight = NULL;
	else
		weight = NULL;
	free(weight);
}

static void
free_data(TrainData *data)
{
	free((void *) (uintptr_t) data->x);
	free((void *) (uintptr_t) data->y);
	free((void *) (uintptr_t) data->weight);
}

/* ------------------------------------------------------------------- T1 -- */

static void
test_vector(void)
{
	static const double x[] = {1, 5, 2, 1, 3, 4, 4, 2, 5, 8, 6, 6, 7, 7, 8, 3};
	static const double y[] = {0, 0, 1, 0, 1, 1, 0, 1};
	TrainData	data = {.n = 8,.p = 2,.x = x,.y = y,.n_classes = 2,
		.params = "bootstrap=false max_features=null max_depth=2"};
	const TreeNode *root;
	const TreeNode *right;
	ForestModel *model;
	Train		t;
	Tree		tree;

	train_begin(&t, &data);
	tree_read(&tree, &t.training->schema, &t.trees[0]);
	root = &tree.nodes[0];
	tap_ok(tree.n_nodes == 5 && tree.depth == 2 && !root->leaf, "T1: two splits");
	tap_ok(root->feature == 0 && tree_threshold(&tree, root) == 2.5, "T1: the root, x1 <= 2.5");
	right = &tree.nodes[root->right];
	tap_ok(right->feature == 1 && tree_threshold(&tree, right) == 2.5,
		   "T1: its right child, x2 <= 2.5");
	tap_ok(tree.nodes[root->left].cover == 2 && tree.nodes[root->left].value[1] == 0 &&
		   tree.nodes[root->left].pure, "T1: the left leaf");
	tap_ok(tree.nodes[right->left].cover == 1 && tree.nodes[right->left].value[1] == 0 &&
		   tree.nodes[right->right].cover == 5 &&
		   fabs(tree.nodes[right->right].value[1] - 0.8) < 1e-9, "T1: the right leaves");
	tap_is_real(tree.importance[0], 1 / 6.0, 1e-15, "T1: the root's decrease");
	tap_is_real(tree.importance[1], 2 / 15.0, 1e-15, "T1: the child's decrease");
	model = train_model(&t);
	tap_is_real(forest_model_importance(model, 0), 5 / 9.0, 1e-15, "T1: importance of x1");
	tap_is_real(forest_model_importance(model, 1), 4 / 9.0, 1e-15, "T1: importance of x2");
	forest_model_free(model);
	tree_free(&tree);
	tap_ok(train_end(&t), "no leak");
}

/* ------------------------------------------------------------ reference -- */

typedef struct Run
{
	const char *name;
	Shape		shape;
	const char *params;
	ReferenceRules rules;
} Run;

#define ALL "max_features=null "
#define ONCE "bootstrap=false max_features=null "
#define RULES(c) .rules.criterion = c,.rules.min_split = 2,.rules.min_rows = 1

static const double three_weights[] = {1, 0.5, 3};

static const Run runs[] = {
	/* raw values, one tree of all rows: exact CART */
	{"gini", {150, 3, NULL, 2, 0, false, false}, ONCE, RULES(FOREST_GINI)},
	{"entropy", {150, 3, NULL, 2, 30, false, false}, ONCE "criterion=entropy",
		RULES(FOREST_ENTROPY)},
	{"gini, missing", {200, 3, NULL, 2, 12, true, false}, ONCE, RULES(FOREST_GINI)},
	{"three classes, missing", {200, 3, NULL, 3, 12, true, false}, ONCE, RULES(FOREST_GINI)},
	{"entropy of five classes", {200, 4, NULL, 5, 12, true, false}, ONCE "criterion=entropy",
		RULES(FOREST_ENTROPY)},
	{"squared error", {150, 3, NULL, 0, 0, true, false}, ONCE, RULES(FOREST_SQUARED_ERROR)},
	{"poisson", {150, 3, NULL, 0, 9, true, false}, ONCE "criterion=poisson",
		RULES(FOREST_POISSON)},
	/* categories */
	{"categories", {250, 4, "ccnc", 2, 9, true, false}, ONCE, RULES(FOREST_GINI)},
	{"categories, entropy", {250, 4, "ccnc", 2, 9, true, false}, ONCE "criterion=entropy",
		RULES(FOREST_ENTROPY)},
	{"categories, four classes", {250, 4, "ccnc", 4, 9, true, false}, ONCE, RULES(FOREST_GINI)},
	{"categories, squared error", {250, 4, "ccnc", 0, 9, true, false}, ONCE,
		RULES(FOREST_SQUARED_ERROR)},
	{"categories, poisson", {250, 4, "ccnc", 0, 9, true, false}, ONCE "criterion=poisson",
		RULES(FOREST_POISSON)},
	{"rare categories", {400, 2, "cn", 2, 90, true, false}, ONCE, RULES(FOREST_GINI)},
	{"rare categories, weights", {400, 2, "cc", 0, 90, true, true}, ALL "n_estimators=2",
		RULES(FOREST_SQUARED_ERROR),.rules.bootstrap = 1,.rules.value_tolerance = 1e-8},
	{"rare categories, classes", {300, 2, "cc", 3, 90, true, true}, ALL "n_estimators=2",
		RULES(FOREST_GINI),.rules.bootstrap = 1},
	{"categories, weights", {250, 4, "ccnc", 0, 9, true, true}, ONCE,
		RULES(FOREST_SQUARED_ERROR),.rules.value_tolerance = 1e-8},
	/* bootstrap */
	{"bootstrap", {300, 4, "ncnn", 2, 20, true, false}, ALL "n_estimators=4",
		RULES(FOREST_GINI),.rules.bootstrap = 1},
	{"half samples", {300, 4, "ncnn", 3, 20, true, false}, ALL "n_estimators=4 max_samples=0.5",
		RULES(FOREST_GINI),.rules.bootstrap = 0.5},
	{"some features", {300, 6, "ncnncn", 2, 20, true, false}, "n_estimators=6",
		RULES(FOREST_GINI),.rules.bootstrap = 1,.rules.some_features = true},
	{"one feature", {300, 6, "ncnncn", 0, 20, true, false}, "n_estimators=6 max_features=1",
		RULES(FOREST_SQUARED_ERROR),.rules.bootstrap = 1,.rules.some_features = true},
	{"weights", {300, 4, "ncnn", 2, 20, true, true}, ALL "n_estimators=4",
		RULES(FOREST_GINI),.rules.bootstrap = 1},
	{"class weights", {300, 4, "ncnn", 3, 20, true, true},
		ALL "n_estimators=4 class_weight={k001:0.5,k002:3} criterion=entropy",
		RULES(FOREST_ENTROPY),.rules.bootstrap = 1,.rules.class_weight = three_weights},
	/* many values, many features, many rows */
	{"bins", {500, 2, NULL, 2, 0, true, false}, ONCE, RULES(FOREST_GINI),.rules.binned = true},
	{"bins, regression", {500, 2, NULL, 0, 0, true, false}, "max_depth=5",
		RULES(FOREST_SQUARED_ERROR),.rules.binned = true,.rules.bootstrap = 1,
		.rules.max_depth = 5},
	{"wide rows", {200, 57, NULL, 2, 9, true, false}, "n_estimators=2", RULES(FOREST_GINI),
		.rules.bootstrap = 1,.rules.some_features = true},
	{"wide rows, classes", {200, 60, NULL, 3, 9, true, false}, "n_estimators=2",
		RULES(FOREST_GINI),.rules.bootstrap = 1,.rules.some_features = true},
	{"wide rows, weights", {200, 49, NULL, 0, 9, true, true}, "n_estimators=2 max_features=sqrt",
		RULES(FOREST_SQUARED_ERROR),.rules.bootstrap = 1,.rules.some_features = true,
		.rules.value_tolerance = 1e-8},
	/* limits */
	{"depth", {300, 3, "nnc", 2, 20, true, false}, ONCE "max_depth=3", RULES(FOREST_GINI),
		.rules.max_depth = 3},
	{"depth, classes", {300, 3, "nnc", 3, 20, true, false}, ONCE "max_depth=3",
		RULES(FOREST_GINI),.rules.max_depth = 3},
	{"rows to split", {300, 3, "nnc", 2, 20, true, false}, ONCE "min_samples_split=17",
		.rules = {.criterion = FOREST_GINI,.min_split = 17,.min_rows = 1}},
	{"rows in leaves", {300, 3, "nnc", 2, 20, true, false}, ALL "min_samples_leaf=6",
		.rules = {.criterion = FOREST_GINI,.min_split = 12,.min_rows = 6,.bootstrap = 1}},
	{"rows in leaves, classes", {300, 3, "nnn", 4, 20, true, true}, ALL "min_samples_leaf=0.02",
		.rules = {.criterion = FOREST_GINI,.min_split = 12,.min_rows = 6,.bootstrap = 1}},
	{"rows in leaves, regression", {300, 3, "nnc", 0, 20, true, true}, ALL "min_samples_leaf=6",
		.rules = {.criterion = FOREST_SQUARED_ERROR,.min_split = 12,.min_rows = 6,.bootstrap = 1,
		.value_tolerance = 1e-8}},
	{"rows in leaves, counts", {300, 3, "nnc", 4, 20, true, false}, ALL "min_samples_leaf=6",
		.rules = {.criterion = FOREST_GINI,.min_split = 12,.min_rows = 6,.bootstrap = 1}},
	{"rows in leaves, once", {300, 3, "nnn", 2, 0, true, false}, ONCE "min_samples_leaf=9",
		.rules = {.criterion = FOREST_GINI,.min_split = 18,.min_rows = 9,.binned = true}},
	{"many rows", {6000, 2, "nn", 2, 40, true, false}, ALL "max_depth=2", RULES(FOREST_GINI),
		.rules.bootstrap = 1,.rules.max_depth = 2},
	{"many rows in leaves", {6000, 2, "nn", 2, 40, true, false},
		ALL "max_depth=2 min_samples_leaf=700", .rules = {.criterion = FOREST_GINI,
		.min_split = 1400,.min_rows = 700,.bootstrap = 1,.max_depth = 2}},
	{"weight in leaves", {300, 3, "nnn", 2, 20, true, true},
		ALL "min_weight_fraction_leaf=0.03", RULES(FOREST_GINI),.rules.bootstrap = 1,
		.rules.min_weight_fraction = 0.03},
	{"decrease", {300, 3, "nnc", 2, 20, true, false}, ONCE "min_impurity_decrease=0.004",
		RULES(FOREST_GINI),.rules.min_decrease = 0.004},
	{"decrease, regression", {300, 3, "nnc", 0, 20, true, false}, ONCE
		"min_impurity_decrease=4.0", RULES(FOREST_SQUARED_ERROR),.rules.min_decrease = 4},
	{"decrease, poisson", {300, 3, "nnc", 0, 20, true, false}, ONCE
		"min_impurity_decrease=0.05 criterion=poisson", RULES(FOREST_POISSON),
		.rules.min_decrease = 0.05},
	{"best first", {300, 3, "nnc", 2, 20, true, false}, ALL "max_leaf_nodes=25 n_estimators=3",
		RULES(FOREST_GINI),.rules.bootstrap = 1,.rules.cut_short = true},
	{"best first, classes", {300, 3, "nnc", 3, 20, true, false},
		ALL "max_leaf_nodes=25 n_estimators=3 max_depth=5", RULES(FOREST_GINI),
		.rules.bootstrap = 1,.rules.cut_short = true,.rules.max_depth = 5},
	{"pruned", {300, 3, "nnc", 3, 20, true, false}, ALL "ccp_alpha=0.01 n_estimators=3",
		RULES(FOREST_GINI),.rules.bootstrap = 1,.rules.cut_short = true},
	{"random cuts", {300, 4, "nncn", 2, 20, true, false}, "splitter=random n_estimators=4",
		RULES(FOREST_GINI),.rules.any_cut = true},
	{"random cuts, classes", {300, 4, "nncn", 3, 0, true, true},
		"splitter=random n_estimators=4 bootstrap=true", RULES(FOREST_GINI),
		.rules.any_cut = true,.rules.bootstrap = 1},
	{"random cuts, regression", {300, 4, "nncn", 0, 0, true, false},
		"splitter=random n_estimators=4 min_samples_leaf=4",
		.rules = {.criterion = FOREST_SQUARED_ERROR,.min_split = 8,.min_rows = 4,
		.any_cut = true}},
};

static void
test_reference(void)
{
	for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++)
	{
		TrainData	data;
		Train		t;

		make_data(&data, &runs[i].shape, 1000 + i);
		data.params = runs[i].params;
		train_begin(&t, &data);
		if (i % test_amount(1, 4) == 0)
			tap_is_int(reference_check_all(&t, &data, &runs[i].rules), 0, "every node of %s",
					   runs[i].name);
		tap_ok(train_end(&t), "no leak");
		free_data(&data);
	}
}

/* ---------------------------------------------------------- determinism -- */

/* The kinds of rows and sums that growers have. */
typedef struct Layout
{
	const char *name;
	Shape		shape;
	const char *params;
} Layout;

static const Layout layouts[] = {
	{"packed", {400, 5, "nncnc", 2, 20, true, false}, "n_estimators=6"},
	{"sums", {400, 5, "nncnc", 2, 20, true, true}, "n_estimators=6 class_weight=balanced"},
	{"classes", {400, 5, "nncnc", 4, 20, true, true},
		"n_estimators=6 class_weight=balanced_subsample"},
	{"regression", {400, 5, "nncnc", 0, 20, true, true}, "n_estimators=6 max_features=2"},
	{"counts", {400, 5, "nncnc", 4, 300, true, false}, "n_estimators=6 min_samples_leaf=2"},
	{"packed, many rows", {9000, 4, "nncn", 2, 0, true, false}, "n_estimators=6 max_depth=6"},
	{"packed, wide", {300, 70, NULL, 2, 300, true, false}, "n_estimators=6 min_samples_leaf=2"},
	{"classes, wide", {300, 70, NULL, 3, 300, true, false}, "n_estimators=6 max_leaf_nodes=30"},
	{"regression, wide", {300, 70, NULL, 0, 300, true, false},
		"n_estimators=6 max_features=9 ccp_alpha=1.0"},
	{"random", {400, 5, "nncnc", 2, 20, true, false},
		"n_estimators=6 splitter=random monotonic_cst=[1,0,0,-1,0]"},
};

#define N_LAYOUTS (sizeof(layouts) / sizeof(layouts[0]))

/* Every third row is there twice, in another place. */
static void
duplicate_rows(TrainData *data)
{
	uint32_t	p = data->p;

	for (uint32_t i = 0; i + 2 < data->n; i += 3)
	{
		uint32_t	twin = (i * 7 + 1) % data->n;

		memcpy((double *) (uintptr_t) data->x + (size_t) twin * p,
			   data->x + (size_t) i * p, p * sizeof(double));
		((double *) (uintptr_t) data->y)[twin] = data->y[i];
		if (data->weight != NULL)
			((double *) (uintptr_t) data->weight)[twin] = data->weight[i];
	}
}

static void
test_order_of_rows(void)
{
	static uint32_t order[9000];
	uint64_t	state = 77;

	for (size_t l = 0; l < N_LAYOUTS; l++)
	{
		TrainData	data;
		Train		a;
		bool		same = true;

		make_data(&data, &layouts[l].shape, 50 + l);
		duplicate_rows(&data);
		data.params = layouts[l].params;
		data.split = (ForestSplit) {.kind = FOREST_SPLIT_HASH, .test_size = 0.2};
		train_begin(&a, &data);
		data.order = order;
		for (int round = 0; round < 3; round++)
		{
			Train		b;

			for (uint32_t i = 0; i < data.n; i++)
				order[i] = round == 0 ? data.n - 1 - i : i;
			for (uint32_t i = data.n - 1; i > 0 && round > 0; i--)
			{
				uint32_t	other = train_below(&state, i + 1);
				uint32_t	row = order[i];

				order[i] = order[other];
				order[other] = row;
			}
			train_begin(&b, &data);
			same &= train_same_trees(&a, &b);
			same &= a.training->n_chunks == 1 && b.training->chunks[0].n_bytes ==
				a.training->chunks[0].n_bytes &&
				memcmp(a.training->chunks[0].block, b.training->chunks[0].block,
					   a.training->chunks[0].n_bytes) == 0;
			same &= train_end(&b);
		}
		tap_ok(same, "the order of the rows changes no byte: %s", layouts[l].name);
		tap_ok(train_end(&a), "no leak");
		free_data(&data);
	}
}

static void
test_levels(void)
{
	for (size_t l = 0; l < N_LAYOUTS; l++)
	{
		TrainData	data;
		Train		best;

		make_data(&data, &layouts[l].shape, 450 + l);
		data.params = layouts[l].params;
		train_begin(&best, &data);
		for (data.level = CPU_PORTABLE; data.level <= CPU_AVX512; data.level++)
		{
			Train		other;

			train_begin(&other, &data);
			tap_ok(train_same_trees(&best, &other), "instructions change no byte: %s, %s",
				   layouts[l].name, cpu_level_name(cpu_level(data.level)));
			tap_ok(train_end(&other), "no leak");
		}
		tap_ok(train_end(&best), "no leak");
		free_data(&data);
	}
}

static void
must_be(Status status)
{
	if (status != STATUS_OK)
		abort();
}

/* Two growers take turns, in another order of trees; one leaves trees half done. */
static void
test_interleaved(void)
{
	for (size_t l = 0; l < N_LAYOUTS; l++)
	{
		TestHost	host;
		TrainData	data;
		ForestGrower *growers[2];
		bool		done[2] = {true, true};
		uint32_t	n_wrong = 0;
		Train		t;

		make_data(&data, &layouts[l].shape, 150 + l);
		data.params = layouts[l].params;
		train_begin(&t, &data);
		test_host_begin(&host);
		must_be(forest_grower_new(&host.host, t.training, &growers[0], NULL));
		must_be(forest_grower_new(&host.host, t.training, &growers[1], NULL));
		for (uint32_t i = t.training->settings.n_estimators; i-- > 0;)
			for (int g = 0; g < 2; g++)
			{
				const uint8_t *bytes;
				size_t		n_bytes;

				/* cancelled somewhere in the middle of another tree */
				must_be(forest_grower_begin(growers[g], (i + 3) % 6, NULL));
				host.cancel_at = host.n_polls + 1;
				n_wrong += g == 0 &&
					forest_grower_step(growers[g], &done[g], NULL) != STATUS_CANCELLED;
				host.cancel_at = 0;
				must_be(forest_grower_begin(growers[g], i, NULL));
				must_be(forest_grower_begin(growers[1 - g], (i + 1) % 6, NULL));
				for (done[g] = false; !done[g];)
					must_be(forest_grower_step(growers[g], &done[g], NULL));
				bytes = forest_grower_result(growers[g], &n_bytes);
				n_wrong += n_bytes != t.trees[i].n_bytes ||
					memcmp(bytes, t.trees[i].bytes, n_bytes) != 0;
			}
		tap_is_int(n_wrong, 0, "growers that take turns, cancelled and reused: %s",
				   layouts[l].name);
		forest_grower_free(growers[0]);
		forest_grower_free(growers[1]);
		tap_ok(test_host_end(&host), "no leak");
		tap_ok(train_end(&t), "no leak");
		free_data(&data);
	}
}

/* A tree whose allocations are refused one after the other, by one grower. */
static void
test_refused_and_reused(void)
{
	for (size_t l = 0; l < N_LAYOUTS; l++)
	{
		TestHost	host;
		TrainData	data;
		ForestGrower *grower;
		ForestBlob	blob = {0};
		Status		status = STATUS_NO_MEMORY;
		int			n_wrong = 0;
		Train		t;

		make_data(&data, &layouts[l].shape, 250 + l);
		data.params = layouts[l].params;
		train_begin(&t, &data);
		test_host_begin(&host);
		must_be(forest_grower_new(&host.host, t.training, &grower, NULL));
		for (size_t at = 1; status != STATUS_OK; at++)
		{
			host.fail_at = host.n_allocations + at;
			status = train_grow(grower, &host.host, 2, &blob, NULL);
			n_wrong += status != STATUS_OK && status != STATUS_NO_MEMORY;
		}
		n_wrong += blob.n_bytes != t.trees[2].n_bytes ||
			memcmp(blob.bytes, t.trees[2].bytes, blob.n_bytes) != 0;
		tap_is_int(n_wrong, 0, "a grower goes on after refusals: %s", layouts[l].name);
		train_blob_free(&host.host, &blob);
		forest_grower_free(grower);
		tap_ok(test_host_end(&host), "no leak");
		tap_ok(train_end(&t), "no leak");
		free_data(&data);
	}
}

/* -------------------------------------------------------------- failures -- */

static Status
grow_two(const Host *host, void *arg, Failure *why)
{
	const ForestTraining *training = arg;
	ForestGrower *grower;
	ForestBlob	blob = {0};
	Status		status = forest_grower_new(host, training, &grower, why);

	for (uint32_t i = 0; i < 2 && status == STATUS_OK; i++)
	{
		status = train_grow(grower, host, i, &blob, why);
		train_blob_free(host, &blob);
	}
	forest_grower_free(grower);
	return status;
}

static void
test_failures(void)
{
	for (size_t l = 0; l < N_LAYOUTS; l++)
	{
		TrainData	data;
		Train		t;

		make_data(&data, &layouts[l].shape, 350 + l);
		data.params = layouts[l].params;
		train_begin(&t, &data);
		tap_ok(test_sweep(grow_two, t.training, 20, 4), "survives refusal and cancel: %s",
			   layouts[l].name);
		tap_ok(train_end(&t), "no leak");
		free_data(&data);
	}
}

/* Work comes in steps, and asks whether to go on. */
static void
test_steps(void)
{
	Shape		shape = {120000, 8, NULL, 0, 50, false, false};
	TrainData	data;
	ForestTraining *training;
	ForestGrower *grower;
	TestHost	host;
	bool		done = false;
	int			n_steps = 0;
	size_t		n_polls;
	const uint8_t *bytes;
	uint8_t		first[1000];
	size_t		n_bytes;
	size_t		n_again;

	make_data(&data, &shape, 5);
	data.params = "max_depth=8";
	test_host_begin(&host);
	must_be(train_new(&host.host, &host.host, &data, &training, NULL));
	must_be(forest_grower_new(&host.host, training, &grower, NULL));
	must_be(forest_grower_begin(grower, 0, NULL));
	n_polls = host.n_polls;
	for (; !done; n_steps++)
		must_be(forest_grower_step(grower, &done, NULL));
	bytes = forest_grower_result(grower, &n_bytes);
	memcpy(first, bytes, sizeof(first));
	must_be(forest_grower_step(grower, &done, NULL));
	bytes = forest_grower_result(grower, &n_again);
	tap_ok(done && n_again == n_bytes && memcmp(first, bytes, sizeof(first)) == 0,
		   "a step too many changes nothing");
	tap_ok(n_steps > 1 && n_steps < 200, "a tree of 120000 rows takes more than one step");
	tap_ok(host.n_polls - n_polls >= (size_t) n_steps, "each asks whether to go on");
	forest_grower_free(grower);
	forest_training_free(training);
	tap_ok(test_host_end(&host), "no leak");
	free_data(&data);
}

/* A grower stopped in the middle of a pass over very many rows. */
static void
test_stopped_pass(void)
{
	Shape		shape = {140000, 2, NULL, 2, 50, false, false};
	TrainData	data;
	ForestGrower *grower;
	ForestBlob	blob = {0};
	TestHost	host;
	int			n_wrong = 0;
	Train		t;

	make_data(&data, &shape, 5);
	data.params = "bootstrap=false max_depth=2 max_features=null min_samples_leaf=2";
	train_begin(&t, &data);
	test_host_begin(&host);
	must_be(forest_grower_new(&host.host, t.training, &grower, NULL));
	for (size_t polls = 1; polls < 6; polls++)
	{
		bool		done;

		must_be(forest_grower_begin(grower, 0, NULL));
		host.cancel_at = host.n_polls + polls;
		(void) forest_grower_step(grower, &done, NULL);
		host.cancel_at = 0;
		must_be(train_grow(grower, &host.host, 0, &blob, NULL));
		n_wrong += blob.n_bytes != t.trees[0].n_bytes ||
			memcmp(blob.bytes, t.trees[0].bytes, blob.n_bytes) != 0;
		train_blob_free(&host.host, &blob);
	}
	tap_is_int(n_wrong, 0, "a grower stopped while it counts goes on as new");
	forest_grower_free(grower);
	tap_ok(test_host_end(&host), "no leak");
	tap_ok(train_end(&t), "no leak");
	free_data(&data);
}

int
main(void)
{
	test_vector();
	test_reference();
	test_order_of_rows();
	test_levels();
	test_interleaved();
	test_refused_and_reused();
	test_failures();
	test_steps();
	test_stopped_pass();
	return tap_done();
}
