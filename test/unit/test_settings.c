/*
 * test_settings.c
 *	  Parameters as numbers: shares of rows, features per split, thresholds of
 *	  the bootstrap, weights, signs.
 */
#include <stdlib.h>

#include "tap.h"
#include "train_fixture.h"

#include "forest/prepare.h"

#define MAX_P 130

/* The settings of a training of n rows, half of them of class 1, and p features. */
static GrowSettings
settings_of(uint32_t n, uint32_t p, uint32_t n_classes, const char *params)
{
	double	   *x = malloc((size_t) n * p * sizeof(double));
	double	   *y = malloc(n * sizeof(double));
	TrainData	data = {.n = n,.p = p,.x = x,.y = y,.n_classes = n_classes,.params = params};
	TestHost	host;
	ForestTraining *training;
	GrowSettings s = {0};
	Failure		why = {0};

	for (uint32_t i = 0; i < n; i++)
	{
		for (uint32_t c = 0; c < p; c++)
			x[i * p + c] = i + c;
		y[i] = i % 2;
	}
	test_host_begin(&host);
	if (train_new(&host.host, &host.host, &data, &training, &why) == STATUS_OK)
		s = training->settings;
	else
		tap_ok(false, "%s: %s", params, why.text);
	forest_training_free(training);
	tap_ok(test_host_end(&host), "no leak");
	free(x);
	free(y);
	return s;
}

static void
test_rows_of_shares(void)
{
	typedef struct Expected
	{
		const char *params;
		uint32_t	split;
		uint32_t	leaf;
	} Expected;
	static const Expected expected[] = {
		{"", 2, 1},
		{"min_samples_leaf=3", 6, 3},
		{"min_samples_leaf=3 min_samples_split=7", 7, 3},
		{"min_samples_leaf=4 min_samples_split=7", 8, 4},
		{"min_samples_leaf=0.1", 20, 10},
		{"min_samples_leaf=0.101", 22, 11},
		{"min_samples_leaf=0.0001", 2, 1},
		{"min_samples_split=0.07", 8, 1},	/* 0.07 × 100 is 7.000000000000001, as in Python */
		{"min_samples_split=0.075", 8, 1},
		{"min_samples_split=0.001", 2, 1},
		{"min_samples_split=1.0", 100, 1},
		{"min_samples_leaf=2147483647", 4294967294, 2147483647},
	};
	char		name[80];

	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
	{
		GrowSettings s = settings_of(100, 1, 2, expected[i].params);

		snprintf(name, sizeof(name), "rows of 100: %s", expected[i].params);
		tap_is_int(s.min_samples_split, expected[i].split, "%s: to be split", name);
		tap_is_int(s.min_samples_leaf, expected[i].leaf, "%s: in a leaf", name);
	}
}

static void
test_features_per_split(void)
{
	typedef struct Expected
	{
		uint32_t	p;
		const char *params;
		uint32_t	mtry;
	} Expected;
	static const Expected expected[] = {
		{1, "max_features=sqrt", 1}, {3, "max_features=sqrt", 1}, {4, "max_features=sqrt", 2},
		{15, "max_features=sqrt", 3}, {16, "max_features=sqrt", 4},
		{99, "max_features=sqrt", 9}, {100, "max_features=sqrt", 10},
		{1, "max_features=log2", 1}, {2, "max_features=log2", 1}, {7, "max_features=log2", 2},
		{8, "max_features=log2", 3}, {127, "max_features=log2", 6},
		{128, "max_features=log2", 7},
		{5, "max_features=null", 5}, {5, "max_features=3", 3}, {5, "max_features=9", 5},
		{5, "max_features=1", 1}, {5, "max_features=1.0", 5}, {5, "max_features=0.39", 1},
		{5, "max_features=0.4", 2}, {5, "max_features=0.1", 1}, {10, "max_features=0.3", 3},
	};

	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		tap_is_int(settings_of(20, expected[i].p, 2, expected[i].params).mtry, expected[i].mtry,
				   "%s of %u", expected[i].params, expected[i].p);
	tap_is_int(settings_of(20, 9, 2, "").mtry, 3, "classification: the root");
	tap_is_int(settings_of(20, 9, 0, "").mtry, 9, "regression: all");
}

/* --------------------------------------------------------------- bootstrap -- */

static void
check_poisson(const char *params, double mean, uint32_t n)
{
	GrowSettings s = settings_of(n, 1, 2, params);
	long double term = expl(-(long double) mean);
	long double below = 0;
	int			n_wrong = 0;

	for (int k = 0; k < TRAINING_THRESHOLDS - 1; k++)
	{
		below += term;
		term *= (long double) mean / (k + 1);
		n_wrong += fabsl((long double) s.thresholds[k] - ldexpl(below, 64)) > 0x1p13L;
		n_wrong += k > 0 && s.thresholds[k] < s.thresholds[k - 1];
	}
	tap_is_int(n_wrong, 0, "thresholds of a Poisson count: %s of %u", params, n);
	tap_is_int(training_count(&s, UINT64_MAX) < TRAINING_THRESHOLDS, true,
			   "the largest draw has a count");
	tap_is_int(training_count(&s, 0), 0, "the least draw is out");
	tap_ok(training_count(&s, s.thresholds[0]) >= 1 &&
		   training_count(&s, s.thresholds[0] - 1) == 0, "a draw at a threshold is above it");
}

static void
test_thresholds(void)
{
	/* algorithms A4 */
	static const uint64_t one[] = {
		UINT64_C(0x5E2D58D8B3BCDF1A), UINT64_C(0xBC5AB1B16779BE35), UINT64_C(0xEB715E1DC1582DC2),
		UINT64_C(0xFB23979734A252F1), UINT64_C(0xFF1025F59174DC3D), UINT64_C(0xFFD90F3BA4055E19)
	};
	GrowSettings s = settings_of(50, 1, 2, "");

	tap_ok(memcmp(s.thresholds, one, sizeof(one)) == 0, "the published thresholds");
	check_poisson("", 1, 50);
	check_poisson("max_samples=1.0", 1, 50);
	check_poisson("max_samples=50", 1, 50);
	check_poisson("max_samples=0.5", 0.5, 50);
	check_poisson("max_samples=49", 0.98, 50);
	check_poisson("max_samples=1", 0.001, 1000);
	check_poisson("max_samples=0.00001", 0.00001, 50);
	tap_ok(!settings_of(50, 1, 2, "bootstrap=false").bootstrap, "no bootstrap");
	tap_ok(!settings_of(50, 1, 2, "splitter=random").bootstrap, "none of random splits");
	tap_ok(settings_of(50, 1, 2, "splitter=random bootstrap=true").bootstrap,
		   "unless it is asked for");
}

static void
test_others(void)
{
	GrowSettings s = settings_of(50, 2, 2, "n_estimators=7 random_state=4294967295 max_depth=3 "
								 "max_leaf_nodes=9 min_impurity_decrease=0.25 ccp_alpha=0.5 "
								 "min_weight_fraction_leaf=0.125 criterion=entropy");

	tap_ok(s.n_estimators == 7 && s.max_depth == 3 && s.max_leaf_nodes == 9, "limits");
	tap_ok(s.min_impurity_decrease == 0.25 && s.ccp_alpha == 0.5 &&
		   s.min_weight_fraction_leaf == 0.125, "shares");
	tap_ok(s.seed == 4294967295 && s.criterion == FOREST_ENTROPY && !s.any_monotonic &&
		   !s.random_splitter && !s.balanced_subsample, "seed and criterion");
	tap_is_int(settings_of(50, 1, 2, "").max_depth, UINT32_MAX, "no limit of depth");
	tap_is_int(settings_of(50, 1, 0, "").criterion, FOREST_SQUARED_ERROR, "regression");
}

/* ----------------------------------------------------------------- weights -- */

/* n rows of which the first k are of class 1, the rest 0. */
static ForestTraining *
two_classes(TestHost *host, uint32_t n, uint32_t k, const double *weight, const char *params)
{
	double	   *x = malloc(n * sizeof(double));
	double	   *y = malloc(n * sizeof(double));
	TrainData	data = {.n = n,.p = 1,.x = x,.y = y,.n_classes = 2,.weight = weight,
		.params = params};
	ForestTraining *training = NULL;
	Failure		why = {0};

	for (uint32_t i = 0; i < n; i++)
	{
		x[i] = i;
		y[i] = i < k;
	}
	if (train_new(&host->host, &host->host, &data, &training, &why) != STATUS_OK)
		tap_ok(false, "%s", why.text);
	free(x);
	free(y);
	return training;
}

static void
check_factors(const char *name, uint32_t n, uint32_t k, const double *weight, const char *params,
			  double ratio, double tolerance)
{
	TestHost	host;
	ForestTraining *t;
	double		total = 0;

	test_host_begin(&host);
	t = two_classes(&host, n, k, weight, params);
	tap_ok(t->weighted && t->class_factor != NULL, "%s: weighted", name);
	tap_is_real((double) t->class_factor[1] / (double) t->class_factor[0], ratio,
				ratio * tolerance, "%s: the ratio of the weights", name);
	for (uint32_t i = 0; i < n; i++)
	{
		const TrainingChunk *chunk = training_chunk(t, i);

		total += chunk->weight != NULL ? chunk->weight[training_in_chunk(t, i)] : 1;
	}
	total *= fmax((double) t->class_factor[0], (double) t->class_factor[1]);
	tap_ok(total * TRAINING_THRESHOLDS <= 0x1p62, "%s: sums do not overflow", name);
	forest_training_free(t);
	tap_ok(test_host_end(&host), "no leak");
}

static void
test_class_factors(void)
{
	double		weight[1000];

	for (int i = 0; i < 1000; i++)
		weight[i] = 0.1 * (i % 7);
	check_factors("T1", 1000, 100, NULL, "class_weight=balanced", 5 / (5 / 9.0), 1e-9);
	check_factors("T1 and row weights", 1000, 100, weight, "class_weight=balanced", 9, 1e-7);
	check_factors("by name", 10, 5, NULL, "class_weight={k000:0.7,k001:2.1}", 3, 1e-9);
	check_factors("one of two", 10, 5, NULL, "class_weight={k001:0.5}", 0.5, 0);
	check_factors("none", 10, 5, NULL, "class_weight={k001:0}", 0, 0);
	check_factors("few of many", 200000, 1, NULL, "class_weight=balanced", 199999, 1e-5);
	check_factors("many of few", 200000, 199999, NULL, "class_weight=balanced", 1 / 199999.0,
				  1e-5);
	check_factors("far apart", 10, 5, NULL, "class_weight={k000:1e-300,k001:1e300}", 0x1p40, 1);
	check_factors("in each sample", 1000, 100, NULL, "class_weight=balanced_subsample", 1, 0);
	check_factors("in each sample of all", 1000, 100, NULL,
				  "class_weight=balanced_subsample bootstrap=false", 9, 1e-9);
}

/* The fixed point of row weights, and what it leaves. */
static void
check_row_weights(const char *name, const double *weight, uint32_t n, double tolerance)
{
	TestHost	host;
	ForestTraining *t;
	const uint32_t *fixed;
	double		largest = 0;	/* the sum of weights may be out of range */
	double		sum = 0;
	double		fixed_sum = 0;
	int			n_wrong = 0;

	test_host_begin(&host);
	t = two_classes(&host, n, n / 2, weight, NULL);
	fixed = t->chunks[0].weight;
	tap_ok(t->row_weighted && t->weighted && fixed != NULL, "%s: weighted", name);
	for (uint32_t i = 0; i < n; i++)
		largest = fmax(largest, t->row_weight[i]);
	for (uint32_t i = 0; i < n; i++)
	{
		sum += t->row_weight[i] / largest;
		fixed_sum += fixed[i];
		n_wrong += (fixed[i] == 0) != (t->row_weight[i] == 0);
	}
	for (uint32_t i = 0; i < n; i++)
	{
		double		share = t->row_weight[i] / largest / sum;

		n_wrong += fabs(fixed[i] / fixed_sum - share) > tolerance * (share + 1.0 / n);
	}
	tap_is_int(n_wrong, 0, "%s: shares are kept", name);
	tap_ok(fixed_sum <= n * ldexp(1, prepare_weight_bits(n)), "%s: the sum is bounded", name);
	forest_training_free(t);
	tap_ok(test_host_end(&host), "no leak");
}

static void
test_row_weights(void)
{
	double		weight[500];
	uint64_t	state = 17;
	TestHost	host;
	ForestTraining *t;

	for (int i = 0; i < 500; i++)
		weight[i] = train_unit(&state);
	check_row_weights("even", weight, 500, 2e-6);
	for (int i = 0; i < 500; i++)
		weight[i] = i % 5 == 0 ? 0 : exp(10 * train_unit(&state));
	check_row_weights("with zeros, skewed", weight, 500, 2e-6);
	weight[1] = 1e7;
	check_row_weights("one of half the weight", weight, 500, 1e-5);
	for (int i = 0; i < 500; i++)
		weight[i] = 1e-310 * (1 + i % 3);
	check_row_weights("subnormal", weight, 500, 2e-6);
	for (int i = 0; i < 500; i++)
		weight[i] = i % 2 == 0 ? 1e308 : 1e-308;
	check_row_weights("far apart", weight, 500, 1e-5);
	for (int i = 0; i < 500; i++)
		weight[i] = 1 + i % 3;
	check_row_weights("whole", weight, 500, 1e-15);

	for (int i = 0; i < 500; i++)
		weight[i] = 1;
	test_host_begin(&host);
	t = two_classes(&host, 500, 250, weight, NULL);
	tap_ok(!t->row_weighted && !t->weighted && t->row_weight != NULL &&
		   t->chunks[0].weight == NULL, "weights of 1 are none");
	forest_training_free(t);
	tap_ok(test_host_end(&host), "no leak");
}

/* ------------------------------------------------------------------- signs -- */

/* Three columns, the second is constant, the third a category. */
static Status
monotonic(const char *params, int8_t signs[2], Failure *why)
{
	static const double x[] = {1, 7, 0, 2, 7, 1, 3, 7, 2, 4, 7, 0};
	static const double y[] = {0, 1, 0, 1};
	TrainData	data = {.n = 4,.p = 3,.x = x,.kinds = "nnc",.y = y,.n_classes = 2,
		.params = params};
	TestHost	host;
	ForestTraining *t;
	Status		status;

	test_host_begin(&host);
	status = train_new(&host.host, &host.host, &data, &t, why);
	signs[0] = signs[1] = 0;
	if (status == STATUS_OK)
	{
		for (int f = 0; t->monotonic != NULL && f < 2; f++)
			signs[f] = t->monotonic[f];
		tap_is_int(t->settings.any_monotonic, signs[0] != 0 || signs[1] != 0,
				   "any sign is known");
	}
	forest_training_free(t);
	tap_ok(test_host_end(&host), "no leak");
	return status;
}

static void
test_monotonic(void)
{
	int8_t		signs[2];
	Failure		why;

	tap_is_int(monotonic("monotonic_cst=[-1,1,0]", signs, &why), STATUS_OK, "by position");
	tap_ok(signs[0] == -1 && signs[1] == 0, "that of a dropped column is dropped");
	tap_is_int(monotonic("monotonic_cst={x0:1,x1:-1}", signs, &why), STATUS_OK, "by name");
	tap_is_int(signs[0], 1, "has the sign");
	tap_is_int(monotonic("monotonic_cst={x2:0}", signs, &why), STATUS_OK, "0 of a category");
	tap_is_int(monotonic("monotonic_cst={x9:1}", signs, &why), STATUS_INVALID_PARAMETER,
			   "of no column");
	tap_is_text(why.text, "parameter \"monotonic_cst\" names \"x9\", which is no feature",
				"names it");
	tap_is_int(monotonic("monotonic_cst=[0,0,1]", signs, &why), STATUS_INVALID_PARAMETER,
			   "of a category");
	tap_is_text(why.text, "parameter \"monotonic_cst\" constrains \"x2\", which is a category",
				"names it");
	tap_is_int(monotonic("monotonic_cst=[1,0]", signs, &why), STATUS_INVALID_PARAMETER,
			   "of too few");
	tap_is_text(why.text, "parameter \"monotonic_cst\" has 2 elements, but there are 3 features",
				"says how many");
}

static void
test_refused(void)
{
	static const double x[] = {1, 2, 3, 4};
	static const double y[] = {0, 1, 0, 1};
	static const double weight[] = {1, 0, 1, 0.5};
	TrainData	data = {.n = 4,.p = 1,.x = x,.y = y,.n_classes = 2};
	Failure		why;

	data.params = "max_samples=5";
	tap_is_int(train_refused(&data, &why), STATUS_INVALID_PARAMETER, "too many samples");
	tap_is_text(why.text, "parameter \"max_samples\" is 5, more than the 4 training rows",
				"says so");
	data.params = "class_weight={k007:1}";
	tap_is_int(train_refused(&data, &why), STATUS_INVALID_PARAMETER, "weight of no class");
	tap_is_text(why.text, "parameter \"class_weight\" names \"k007\", which is no class",
				"names it");
	data.params = "class_weight={k000:0,k001:0}";
	tap_is_int(train_refused(&data, &why), STATUS_INVALID_DATA, "no class has a weight");
	data.params = "class_weight={k001:0}";
	tap_is_int(train_refused(&data, &why), STATUS_OK, "one class has");
	data.weight = weight;
	data.params = "class_weight={k000:0}";
	tap_is_int(train_refused(&data, &why), STATUS_OK, "a row of the other class has");
	data.params = "class_weight={k000:0}";
	data.weight = (const double[]) {1, 0, 1, 0};
	tap_is_int(train_refused(&data, &why), STATUS_INVALID_DATA, "no row has both weights");
}

int
main(void)
{
	test_rows_of_shares();
	test_features_per_split();
	test_thresholds();
	test_others();
	test_class_factors();
	test_row_weights();
	test_monotonic();
	test_refused();
	return tap_done();
}
