/*
 * test_rows.c
 *	  Which rows a tree is grown from, and with which weights.
 */
#include <stdlib.h>

#include "tap.h"
#include "train_reference.h"

#include "core/rng.h"

/* Random rows of small integers; a fifth of the labels is 1, or y a number. */
static void
make_data(TrainData *data, uint32_t n, uint32_t p, uint32_t n_classes, uint64_t seed)
{
	double	   *x = malloc((size_t) n * p * sizeof(double));
	double	   *y = malloc(n * sizeof(double));

	for (uint32_t i = 0; i < n * p; i++)
		x[i] = train_below(&seed, 50);
	for (uint32_t i = 0; i < n; i++)
		y[i] = n_classes == 0 ? floor(train_unit(&seed) * 1000) / 8
			: n_classes == 2 ? train_below(&seed, 5) == 0 : train_below(&seed, n_classes);
	*data = (TrainData) {.n = n,.p = p,.x = x,.y = y,.n_classes = n_classes};
}

static void
free_data(TrainData *data)
{
	free((void *) (uintptr_t) data->x);
	free((void *) (uintptr_t) data->y);
}

/* The value of a tree of one leaf. */
static double
root_value(const Train *t, uint32_t tree_no, uint32_t k)
{
	Tree		tree;
	double		value;

	tree_read(&tree, &t->training->schema, &t->trees[tree_no]);
	value = tree.nodes[0].leaf ? tree.nodes[0].value[k] : NAN;
	tree_free(&tree);
	return value;
}

static uint64_t
root_cover(const Train *t, uint32_t tree_no)
{
	Tree		tree;
	uint64_t	cover;

	tree_read(&tree, &t->training->schema, &t->trees[tree_no]);
	cover = tree.nodes[0].cover;
	tree_free(&tree);
	return cover;
}

/* ------------------------------------------------------------- bootstrap -- */

#define N_COUNTS 6				/* 0 … 4, and more */

/* The shares of counts in a Poisson distribution. */
static void
poisson_shares(double mean, double shares[N_COUNTS])
{
	double		term = exp(-mean);

	shares[N_COUNTS - 1] = 1;
	for (int k = 0; k < N_COUNTS - 1; k++)
	{
		shares[k] = term;
		shares[N_COUNTS - 1] -= term;
		term *= mean / (k + 1);
	}
}

static double
chi_square(const double *counts, const double *shares, int n)
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

/* Draw all rows of a training for some trees; pairs counts rows out of two trees following. */
static void
draw_counts(const ForestTraining *t, uint32_t n_trees, double counts[N_COUNTS], double *pairs)
{
	memset(counts, 0, N_COUNTS * sizeof(double));
	*pairs = 0;
	for (uint32_t tree = 0; tree < n_trees; tree++)
	{
		uint64_t	key = rng_purpose_key(t->settings.seed, RNG_BOOTSTRAP, tree);
		uint64_t	next = rng_purpose_key(t->settings.seed, RNG_BOOTSTRAP, tree + 1);

		for (uint32_t i = 0; i < t->n_train; i++)
		{
			uint64_t	row = training_chunk(t, i)->keys[training_in_chunk(t, i)];
			uint32_t	count = training_count(&t->settings, rng_row_draw(key, row));

			counts[count < N_COUNTS ? count : N_COUNTS - 1]++;
			*pairs += count == 0 && training_count(&t->settings, rng_row_draw(next, row)) == 0;
		}
	}
}

static void
check_bootstrap(const char *name, const TrainData *data, double mean)
{
	double		shares[N_COUNTS];
	double		counts[N_COUNTS];
	double		pairs;
	double		n;
	Train		t;

	train_begin(&t, data);
	poisson_shares(mean, shares);
	draw_counts(t.training, 20, counts, &pairs);
	n = 20.0 * t.training->n_train;
	/* the 0.9999 quantile of chi-square with 5 degrees of freedom is 25.7 */
	tap_ok(chi_square(counts, shares, N_COUNTS) < 25.7, "%s: counts are Poisson", name);
	tap_ok(fabs(counts[0] / n - exp(-mean)) < 4 * sqrt(exp(-mean) / n),
		   "%s: rows out of the bag", name);
	tap_ok(fabs(pairs / n - exp(-2 * mean)) < 4 * sqrt(exp(-2 * mean) / n),
		   "%s: two trees draw apart", name);
	tap_ok(train_end(&t), "no leak");
}

static void
test_bootstrap(void)
{
	TrainData	data;
	uint32_t	i;

	make_data(&data, 3000, 1, 2, 1);
	check_bootstrap("all rows", &data, 1);
	data.params = "max_samples=0.3";
	check_bootstrap("max_samples 0.3", &data, 0.3);
	data.params = "max_samples=1500 random_state=7";
	check_bootstrap("max_samples 1500 of 3000", &data, 0.5);
	/* identical rows are drawn apart, too */
	for (i = 0; i < data.n; i++)
		((double *) (uintptr_t) data.x)[i] = i < 8;
	for (i = 0; i < data.n; i++)
		((double *) (uintptr_t) data.y)[i] = i == 0;
	data.params = NULL;
	check_bootstrap("identical rows", &data, 1);
	free_data(&data);
}

/* The bag is what the draws say, by the distribution function itself. */
static void
test_bag(void)
{
	TrainData	data;
	Train		t;
	int			n_wrong = 0;

	make_data(&data, 500, 2, 2, 2);
	data.params = "n_estimators=30 max_samples=0.7 random_state=3";
	train_begin(&t, &data);
	for (uint32_t tree = 0; tree < 30; tree++)
	{
		uint64_t	key = rng_purpose_key(3, RNG_BOOTSTRAP, tree);
		uint64_t	total = 0;

		for (uint32_t row = 0; row < data.n; row++)
		{
			uint64_t	ordinal = 0;

			for (uint32_t before = 0; before < row; before++)
				ordinal += hash_compare(train_identity(&data, before),
										train_identity(&data, row)) == 0;
			total += reference_count(rng_row_draw(key, rng_row_key(train_identity(&data, row),
																   ordinal)), 0.7);
		}
		n_wrong += root_cover(&t, tree) != total;
	}
	tap_is_int(n_wrong, 0, "a tree's cover is the sum of the counts drawn for its rows");
	tap_ok(train_end(&t), "no leak");
	free_data(&data);
}

/* Of few rows the bag is sometimes empty. */
static void
check_empty_bag(const char *name, TrainData *data, double expected, double tolerance)
{
	int			n_empty = 0;
	int			n_wrong = 0;
	ForestModel *model;
	uint8_t		row[8] = {0};
	double		out[8];
	Train		t;

	data->params = "n_estimators=60";
	train_begin(&t, data);
	for (uint32_t i = 0; i < 60; i++)
	{
		uint64_t	key = rng_purpose_key(42, RNG_BOOTSTRAP, i);
		uint32_t	n = 0;

		for (uint32_t row = 0; row < data->n; row++)
			n += reference_count(rng_row_draw(key, rng_row_key(train_identity(data, row), 0)), 1);
		if (n > 0)
			continue;
		n_empty++;
		n_wrong += !(fabs(root_value(&t, i, data->n_classes > 0 ? 1 : 0) - expected) <=
					 tolerance);
		n_wrong += root_cover(&t, i) == 0;
	}
	tap_ok(n_empty > 0, "%s: bags may be empty", name);
	tap_is_int(n_wrong, 0, "%s: such trees say what all rows together say", name);
	model = train_model(&t);
	forest_score(model, row, 1, out);
	tap_ok(isfinite(out[0]), "%s: and the forest has a value", name);
	forest_model_free(model);
	tap_ok(train_end(&t), "no leak");
}

static void
test_empty_bag(void)
{
	static const double x[] = {0, 0, 1};
	static const double y[] = {0, 1, 1};
	static const double y3[] = {0, 1, 2};
	static const double number[] = {0, 20, 100};
	static const double weight[] = {2, 1, 1};
	TrainData	data = {.n = 3,.p = 1,.x = x,.y = y,.n_classes = 2};

	check_empty_bag("two classes", &data, 2 / 3.0, 1e-9);
	data.y = y3;
	data.n_classes = 3;
	check_empty_bag("three classes", &data, 1 / 3.0, 1e-9);
	data.y = number;
	data.n_classes = 0;
	check_empty_bag("regression", &data, 40, 1e-9);
	data.weight = weight;
	check_empty_bag("weighted regression", &data, 30, 1e-9);
	data.y = y;
	data.n_classes = 2;
	check_empty_bag("weighted classes", &data, 0.5, 1e-9);
}

/* --------------------------------------------------------------- weights -- */

/* Are two subtrees equal but for the unit of their covers and the order of their nodes? */
static bool
same_node(const Tree *x, uint32_t a, const Tree *y, uint32_t b)
{
	const TreeNode *p = &x->nodes[a];
	const TreeNode *q = &y->nodes[b];

	if (p->leaf != q->leaf || fabs((double) p->cover / (double) x->nodes[0].cover -
								   (double) q->cover / (double) y->nodes[0].cover) > 1e-12)
		return false;
	if (p->leaf)
		return fabs(p->value[0] - q->value[0]) < 1e-8;
	return p->feature == q->feature && p->cut == q->cut &&
		memcmp(p->mask, q->mask, sizeof(p->mask)) == 0 &&
		same_node(x, p->left, y, q->left) && same_node(x, p->right, y, q->right);
}

static bool
same_shape(const Train *a, const Train *b, uint32_t tree_no)
{
	Tree		x;
	Tree		y;
	bool		same;

	tree_read(&x, &a->training->schema, &a->trees[tree_no]);
	tree_read(&y, &b->training->schema, &b->trees[tree_no]);
	same = x.n_nodes == y.n_nodes && same_node(&x, 0, &y, 0);
	tree_free(&x);
	tree_free(&y);
	return same;
}

/* Without bootstrap a row of weight 3 is three rows. */
static void
check_repeated(const char *name, uint32_t n_classes, const char *params)
{
	TrainData	data;
	TrainData	repeated;
	double	   *weight = malloc(200 * sizeof(double));
	double	   *x = malloc(200 * 4 * 2 * sizeof(double));
	double	   *y = malloc(200 * 4 * sizeof(double));
	uint64_t	state = 5;
	uint32_t	n = 0;
	Train		a;
	Train		b;

	make_data(&data, 200, 2, n_classes, 11);
	for (uint32_t i = 0; i < 200; i++)
	{
		weight[i] = 1 + train_below(&state, 4);
		for (int k = 0; k < weight[i]; k++)
		{
			x[2 * n] = data.x[2 * i];
			x[2 * n + 1] = data.x[2 * i + 1];
			y[n++] = data.y[i];
		}
	}
	data.weight = weight;
	data.params = params;
	repeated = (TrainData) {.n = n,.p = 2,.x = x,.y = y,.n_classes = n_classes,.params = params};
	train_begin(&a, &data);
	train_begin(&b, &repeated);
	tap_ok(same_shape(&a, &b, 0), "integer weights are repeated rows: %s", name);
	tap_ok(train_end(&a) && train_end(&b), "no leak");
	free_data(&data);
	free(weight);
	free(x);
	free(y);
}

static void
test_repeated(void)
{
	check_repeated("two classes", 2, "bootstrap=false max_features=null");
	check_repeated("three classes", 3, "bootstrap=false max_features=null criterion=entropy");
	check_repeated("regression", 0, "bootstrap=false min_weight_fraction_leaf=0.02");
	check_repeated("best first", 2, "bootstrap=false max_features=null max_leaf_nodes=9");
}

/* Rows of weight 0 change nothing, wherever they lie and whatever they hold. */
static void
check_zero_weights(const char *name, uint32_t n_classes, const char *kinds, const char *params)
{
	TrainData	data;
	TrainData	more;
	double	   *weight = malloc(400 * sizeof(double));
	double	   *x = malloc(400 * 3 * sizeof(double));
	double	   *y = malloc(400 * sizeof(double));
	uint64_t	state = 6;
	Train		a;
	Train		b;
	bool		same = true;

	make_data(&data, 200, 3, n_classes, 12);
	data.kinds = kinds;
	data.params = params;
	for (uint32_t i = 0; i < 400; i++)
	{
		uint32_t	from = i < 200 ? i : train_below(&state, 200);

		weight[i] = i < 200 ? 1 + i % 2 : 0;
		memcpy(x + 3 * i, data.x + 3 * from, 3 * sizeof(double));
		y[i] = i < 200 || n_classes == 0 ? data.y[from] : train_below(&state, n_classes);
		if (i >= 200)
			x[3 * i] = 25.25;	/* a value of their own */
	}
	data.weight = weight;
	more = data;
	more.x = x;
	more.y = y;
	more.n = 400;
	train_begin(&a, &data);
	train_begin(&b, &more);
	for (uint32_t i = 0; i < a.training->settings.n_estimators; i++)
		same &= same_shape(&a, &b, i);
	tap_ok(same, "rows of weight 0 change nothing: %s", name);
	tap_ok(train_end(&a) && train_end(&b), "no leak");
	free_data(&data);
	free(weight);
	free(x);
	free(y);
}

static void
test_zero_weights(void)
{
	check_zero_weights("two classes", 2, NULL, "n_estimators=4 max_features=null");
	check_zero_weights("three classes", 3, NULL, "n_estimators=4");
	check_zero_weights("regression", 0, NULL, "n_estimators=4 min_samples_leaf=3");
	check_zero_weights("categories", 2, "ccn", "n_estimators=4 max_features=null");
	check_zero_weights("random splits", 0, "ncn", "n_estimators=4 splitter=random");
}

/* ---------------------------------------------------------- class weights -- */

/* The share of class 1 in every tree, which are single leaves. */
static int
wrong_roots(const TrainData *data, double expected, double tolerance)
{
	int			n_wrong = 0;
	Train		t;

	train_begin(&t, data);
	for (uint32_t i = 0; i < t.training->settings.n_estimators; i++)
		n_wrong += !(fabs(root_value(&t, i, 1) - expected) <= tolerance);
	if (!train_end(&t))
		n_wrong += 1000;
	return n_wrong;
}

static void
test_class_weights(void)
{
	TrainData	data;
	double	   *y;

	make_data(&data, 1000, 1, 2, 21);
	y = (double *) (uintptr_t) data.y;
	for (uint32_t i = 0; i < 1000; i++)
		y[i] = i % 10 == 0;
	data.params = "bootstrap=false min_samples_split=5000";
	tap_is_int(wrong_roots(&data, 0.1, 1e-9), 0, "no class weights: the share");
	data.params = "bootstrap=false min_samples_split=5000 class_weight=balanced";
	tap_is_int(wrong_roots(&data, 0.5, 1e-9), 0, "balanced: one half");
	data.params = "bootstrap=false min_samples_split=5000 class_weight={k001:3}";
	tap_is_int(wrong_roots(&data, 0.25, 1e-9), 0, "a weight of 3: 300 of 1200");
	data.params = "bootstrap=false min_samples_split=5000 class_weight={k000:0.3,k001:0}";
	tap_is_int(wrong_roots(&data, 0, 0), 0, "a weight of 0: never");
	data.params = "n_estimators=20 min_samples_split=5000 class_weight=balanced_subsample";
	tap_is_int(wrong_roots(&data, 0.5, 1e-6), 0, "balanced in each sample: always one half");
	data.params = "n_estimators=20 min_samples_split=5000 class_weight=balanced";
	tap_is_int(wrong_roots(&data, 0.5, 1e-6), 20, "balanced over all rows: about one half");
	tap_is_int(wrong_roots(&data, 0.5, 0.15), 0, "within what 100 rows vary");
	free_data(&data);
}

/* Five rows in a hundred thousand. */
static void
test_rare_class(void)
{
	TrainData	data;
	double	   *y;

	make_data(&data, 100000, 1, 2, 22);
	y = (double *) (uintptr_t) data.y;
	for (uint32_t i = 0; i < data.n; i++)
		y[i] = i < 5;
	data.params = "bootstrap=false min_samples_split=500000 class_weight=balanced";
	tap_is_int(wrong_roots(&data, 0.5, 1e-5), 0, "balanced: one half also of a rare class");
	data.params = "n_estimators=3 min_samples_split=500000 class_weight=balanced_subsample";
	tap_is_int(wrong_roots(&data, 0.5, 1e-5), 0, "and in each sample");
	y[5] = 2;
	data.n_classes = 3;
	data.params = "bootstrap=false min_samples_split=500000 class_weight=balanced";
	tap_is_int(wrong_roots(&data, 1 / 3.0, 1e-5), 0, "a third of three");
	free_data(&data);
}

int
main(void)
{
	test_bootstrap();
	test_bag();
	test_empty_bag();
	test_repeated();
	test_zero_weights();
	test_class_weights();
	test_rare_class();
	return tap_done();
}
