/*
 * test_checks.c
 *	  What is worth a second look: measures against brute force, each finding
 *	  with and without its cause, and nothing that depends on the order of rows.
 */
#include <stdlib.h>
#include <time.h>

#include "tap.h"
#include "train_fixture.h"

#include "core/memory.h"
#include "core/rng.h"
#include "forest/associate.h"

#define TOLERANCE 1e-12

/* ------------------------------------------------------------ brute force -- */

/* AUC of n scores by comparing all pairs; NAN scores are left out. */
static double
auc_of_pairs(const double *scores, const bool *positive, uint32_t n)
{
	double		won = 0;
	double		pairs = 0;

	for (uint32_t i = 0; i < n; i++)
	{
		for (uint32_t j = 0; positive[i] && !isnan(scores[i]) && j < n; j++)
		{
			if (positive[j] || isnan(scores[j]))
				continue;
			pairs++;
			won += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0;
		}
	}
	return won / pairs;
}

/* Twice the ranks of n values among those that are not NAN. */
static void
rank_values(const double *values, uint32_t n, double *ranks)
{
	for (uint32_t i = 0; i < n; i++)
	{
		ranks[i] = isnan(values[i]) ? NAN : 0;
		for (uint32_t j = 0; j < n; j++)
			ranks[i] += (values[j] < values[i] ? 2 : 0) + (values[j] == values[i] ? 1 : 0);
	}
}

/* |Pearson| of two columns where both are known. */
static double
correlation_of(const double *x, const double *y, uint32_t n)
{
	double		count = 0;
	double		mx = 0;
	double		my = 0;
	double		xx = 0;
	double		yy = 0;
	double		xy = 0;

	for (uint32_t i = 0; i < n; i++)
	{
		if (isnan(x[i]) || isnan(y[i]))
			continue;
		count++;
		mx += x[i];
		my += y[i];
	}
	mx /= count;
	my /= count;
	for (uint32_t i = 0; i < n; i++)
	{
		if (isnan(x[i]) || isnan(y[i]))
			continue;
		xx += (x[i] - mx) * (x[i] - mx);
		yy += (y[i] - my) * (y[i] - my);
		xy += (x[i] - mx) * (y[i] - my);
	}
	return fabs(xy) / sqrt(xx * yy);
}

/* Mean of y per row over rows of the same bin in other folds, with one row of the mean. */
static void
outside_means(const ForestTraining *t, uint32_t feature, const double *y, double *out)
{
	uint32_t	n = t->n_train;

	for (uint32_t i = 0; i < n; i++)
	{
		double		sum = 0;
		double		count = 0;
		double		all = 0;
		double		all_count = 0;
		uint64_t	fold = rng_mix64(training_chunk(t, i)->keys[training_in_chunk(t, i)] +
									 RNG_GOLDEN) % 5;

		for (uint32_t j = 0; j < n; j++)
		{
			if (rng_mix64(training_chunk(t, j)->keys[training_in_chunk(t, j)] + RNG_GOLDEN) % 5 ==
				fold)
				continue;
			all += y[j];
			all_count++;
			if (training_bins(t, j)[feature] != training_bins(t, i)[feature])
				continue;
			sum += y[j];
			count++;
		}
		out[i] = (sum + all / all_count) / (count + 1);
	}
}

/* The bins of a feature as numbers, NAN for missing. */
static void
bins_of(const ForestTraining *t, uint32_t feature, double *out)
{
	for (uint32_t i = 0; i < t->n_train; i++)
	{
		uint8_t		bin = training_bins(t, i)[feature];

		out[i] = bin == FOREST_MISSING ? NAN : bin;
	}
}

static bool
is_near(double got, double expected)
{
	return (isnan(got) && isnan(expected)) || fabs(got - expected) <= TOLERANCE;
}

/* ------------------------------------------------------------------ data -- */

enum
{
	N = 400,
	P = 6
};

/* Numbers with ties and missing values, and categories that know something of the class. */
static void
random_data(uint64_t seed, uint32_t n_classes, double *x, double *y)
{
	uint64_t	state = seed;

	for (uint32_t i = 0; i < N; i++)
	{
		y[i] = n_classes > 0 ? train_below(&state, n_classes) : floor(train_unit(&state) * 50);
		for (uint32_t c = 0; c < P; c++)
			x[i * P + c] = floor(train_unit(&state) * (c < 2 ? 8 : 40) +
								 (c % 2 == 0 ? 3 * y[i] / (n_classes > 0 ? 1 : 25) : 0));
		if (train_below(&state, 5) == 0)
			x[i * P + 1] = NAN;
		if (train_below(&state, 10) == 0)
			x[i * P + 5] = NAN;
	}
}

static void
test_classes(uint32_t n_classes)
{
	double		x[N * P];
	double		y[N];
	TrainData	data = {.n = N, .p = P, .x = x, .kinds = "nnnncc", .y = y, .n_classes = n_classes};
	int			n_wrong[4] = {0};

	for (uint64_t seed = 1; seed <= test_amount(20, 2); seed++)
	{
		Train		train;
		AssociateRows rows = {0};
		Association found[P] = {0};
		const ForestTraining *t;
		Failure		why;
		bool		positive[N];
		double		numbers[N];

		random_data(seed * 77, n_classes, x, y);
		train_begin(&train, &data);
		t = train.training;
		(void) associate_rows(&train.host.host, t, &rows, &why);
		(void) associate_features(&train.host.host, t, &rows, found, &why);
		n_wrong[0] += rows.n != N || t->schema.n_features != P;
		for (uint32_t f = 0; f < P; f++)
		{
			double		best = NAN;
			double		best_absence = NAN;

			for (uint32_t k = 0; k < n_classes; k++)
			{
				double		auc;
				double		absent[N];
				bool		any = false;

				bins_of(t, f, numbers);
				for (uint32_t i = 0; i < N; i++)
				{
					positive[i] = training_chunk(t, i)->label[training_in_chunk(t, i)] == k;
					absent[i] = isnan(numbers[i]);
					any |= isnan(numbers[i]);
				}
				if (f >= 4)
				{
					double		own[N];

					for (uint32_t i = 0; i < N; i++)
						own[i] = positive[i];
					outside_means(t, f, own, numbers);
				}
				auc = auc_of_pairs(numbers, positive, N);
				if (f < 4)
					auc = fmax(auc, 1 - auc);
				if (!(best > auc))
					best = auc;
				auc = auc_of_pairs(absent, positive, N);
				auc = fmax(auc, 1 - auc);
				if (any && !(best_absence > auc))
					best_absence = auc;
			}
			n_wrong[1] += !is_near(found[f].alone, best);
			n_wrong[2] += !is_near(found[f].absence, best_absence);
		}
		associate_rows_free(&train.host.host, &rows);
		n_wrong[3] += !train_end(&train);
	}
	tap_is_int(n_wrong[0], 0, "%u classes: all rows are looked at", n_classes);
	tap_is_int(n_wrong[1], 0, "%u classes: AUC alone is that of all pairs", n_classes);
	tap_is_int(n_wrong[2], 0, "%u classes: AUC of being missing too", n_classes);
	tap_is_int(n_wrong[3], 0, "%u classes: no leak", n_classes);
}

static void
test_regression(void)
{
	double		x[N * P];
	double		y[N];
	TrainData	data = {.n = N, .p = P, .x = x, .kinds = "nnnncc", .y = y};
	int			n_wrong[3] = {0};

	for (uint64_t seed = 1; seed <= test_amount(20, 2); seed++)
	{
		Train		train;
		AssociateRows rows = {0};
		Association found[P] = {0};
		uint32_t	numbers[] = {0, 1, 2, 3};
		double		pairs[16];
		double		bins[4][N];
		double		ranks[N];
		double		of_feature[N];
		Failure		why;
		const ForestTraining *t;

		random_data(seed * 99, 0, x, y);
		train_begin(&train, &data);
		t = train.training;
		(void) associate_rows(&train.host.host, t, &rows, &why);
		(void) associate_features(&train.host.host, t, &rows, found, &why);
		(void) associate_pairs(&train.host.host, t, &rows, numbers, 4, pairs, &why);
		rank_values(t->target_value, N, ranks);
		for (uint32_t f = 0; f < P; f++)
		{
			double		values[N];

			bins_of(t, f, values);
			if (f >= 4)
				outside_means(t, f, ranks, of_feature);
			else
				rank_values(values, N, of_feature);
			n_wrong[0] += fabs(found[f].alone - correlation_of(of_feature, ranks, N)) > 1e-9;
			if (f < 4)
				memcpy(bins[f], of_feature, sizeof(of_feature));
		}
		/* without missing values, which count as the middle rank */
		n_wrong[1] += !is_near(pairs[2], correlation_of(bins[0], bins[2], N)) ||
			!is_near(pairs[4 * 2 + 3], correlation_of(bins[2], bins[3], N));
		associate_rows_free(&train.host.host, &rows);
		n_wrong[2] += !train_end(&train);
	}
	tap_is_int(n_wrong[0], 0, "rank correlations with the target");
	tap_is_int(n_wrong[1], 0, "rank correlations of features");
	tap_is_int(n_wrong[2], 0, "no leak");
}

/* -------------------------------------------------------------- findings -- */

/* What is found; the caller frees it with the train. */
static ForestChecks
checks_of(Train *train, const TrainData *data, double oob_score)
{
	ForestChecks checks;
	ForestModel *model;
	Failure		why;

	train_begin(train, data);
	model = train_model(train);
	if (forest_checks(&train->host.host, train->training, model, oob_score, &checks, &why) !=
		STATUS_OK)
	{
		printf("Bail out! %s\n", why.text);
		abort();
	}
	forest_model_free(model);
	return checks;
}

/* A finding of a kind about a column; NULL if there is none. */
static const ForestCheck *
find(const ForestChecks *checks, ForestCheckKind kind, int32_t column)
{
	for (size_t i = 0; i < checks->n; i++)
	{
		if (checks->checks[i].kind == kind && checks->checks[i].column == column)
			return &checks->checks[i];
	}
	return NULL;
}

enum
{
	ROWS = 1200,
	COLUMNS = 14
};

/* Every column has one thing the matter, but for the last two. */
static void
leaky_data(double *x, double *y, double *time)
{
	uint64_t	state = 5;

	for (uint32_t i = 0; i < ROWS; i++)
	{
		double	   *row = x + i * COLUMNS;
		double		u = train_unit(&state);

		y[i] = train_below(&state, 4) == 0;
		time[i] = 1000 + i;
		row[0] = 7;								/* constant */
		row[1] = NAN;							/* all missing */
		row[2] = i % 600 == 0;					/* quasi-constant */
		row[3] = u < 0.4 ? u : NAN;				/* missing */
		row[4] = i * 7 + 100000;				/* id */
		row[5] = i < 1150 ? i : i - 1150;		/* category, many */
		row[6] = u;								/* fine, in itself */
		row[7] = u * 2 + 1;						/* the same */
		row[8] = u + 0.01 * train_unit(&state);	/* nearly the same */
		row[9] = train_unit(&state) + (train_below(&state, 50) == 0 ? 1000 : 0);	/* outliers */
		row[10] = time[i] + (i % 100 == 0 ? 5 : -5);	/* time, some of it later */
		row[11] = y[i] == 1 ? 3 : 5;			/* category: the target */
		row[12] = y[i] + 0.9 * train_unit(&state) + (train_below(&state, 100) == 0);	/* separates */
		row[13] = y[i] == 1 ? train_below(&state, 10) : NAN;	/* missing for a class */
	}
}

static void
test_findings(void)
{
	static double x[ROWS * COLUMNS];
	static double y[ROWS];
	static double time[ROWS];
	uint32_t	order[ROWS];
	TrainData	data = {.n = ROWS, .p = COLUMNS, .x = x, .kinds = "nnnnicnnnntcnn", .y = y, .n_classes = 2,
	.time = time, .params = "n_estimators=3", .wants_facts = true};
	Train		train;
	Train		other;
	ForestChecks checks;
	ForestChecks again;
	const ForestCheck *c;

	leaky_data(x, y, time);
	checks = checks_of(&train, &data, 0.9995);
	tap_ok(find(&checks, FOREST_CHECK_CONSTANT, 0) != NULL, "constant");
	tap_ok(find(&checks, FOREST_CHECK_ALL_MISSING, 1) != NULL, "all missing");
	c = find(&checks, FOREST_CHECK_QUASI_CONSTANT, 2);
	tap_ok(c != NULL && is_near(c->value, 1198.0 / 1200) && c->severity == FOREST_WARNING,
		   "quasi-constant");
	c = find(&checks, FOREST_CHECK_MISSING, 3);
	tap_ok(c != NULL && c->value > 0.55 && c->value < 0.65, "missing");
	tap_ok(find(&checks, FOREST_CHECK_ID_LIKE, 4) != NULL, "id-like");
	c = find(&checks, FOREST_CHECK_MANY_CATEGORIES, 5);
	tap_ok(c != NULL && c->value == 1150, "many categories");
	c = find(&checks, FOREST_CHECK_DUPLICATE, 7);
	tap_ok(c != NULL && c->other == 6, "a duplicate");
	c = find(&checks, FOREST_CHECK_CORRELATED, 8);
	tap_ok(c != NULL && c->other == 6 && c->value > 0.99, "correlated features");
	tap_ok(find(&checks, FOREST_CHECK_CORRELATED, 7) == NULL, "a duplicate is not correlated too");
	c = find(&checks, FOREST_CHECK_OUTLIERS, 9);
	tap_ok(c != NULL && c->value > 0.01 && c->value < 0.03, "outliers");
	tap_ok(find(&checks, FOREST_CHECK_OUTLIERS, 6) == NULL, "none where there are none");
	tap_ok(find(&checks, FOREST_CHECK_RAW_TIME, 10) != NULL, "a point in time");
	c = find(&checks, FOREST_CHECK_FUTURE_TIME, 10);
	tap_ok(c != NULL && is_near(c->value, 0.01) && c->severity == FOREST_ERROR,
		   "later than its row");
	c = find(&checks, FOREST_CHECK_TARGET, 11);
	tap_ok(c != NULL && c->value == 1 && c->severity == FOREST_ERROR, "the target");
	tap_ok(find(&checks, FOREST_CHECK_SINGLE_FEATURE, 11) == NULL, "which is said once");
	c = find(&checks, FOREST_CHECK_SINGLE_FEATURE, 12);
	tap_ok(c != NULL && c->value > 0.95 && c->severity >= FOREST_WARNING, "a single feature");
	c = find(&checks, FOREST_CHECK_MISSINGNESS, 13);
	tap_ok(c != NULL && c->value == 1 && c->severity == FOREST_ERROR, "missing for a class");
	tap_ok(find(&checks, FOREST_CHECK_TOO_GOOD, -1) != NULL, "too good");
	tap_ok(find(&checks, FOREST_CHECK_IMBALANCE, -1) == NULL, "no rare class");
	tap_ok(checks.checks[0].severity == FOREST_ERROR &&
		   checks.checks[checks.n - 1].severity == FOREST_INFO, "the most severe come first");

	for (uint32_t i = 0; i < ROWS; i++)
		order[i] = (i * 7 + 13) % ROWS;
	data.order = order;
	again = checks_of(&other, &data, 0.9995);
	tap_ok(again.n == checks.n &&
		   memcmp(again.checks, checks.checks, checks.n * sizeof(ForestCheck)) == 0,
		   "rows in another order have the same findings");
	tap_ok(train_same_trees(&train, &other), "and the same trees");
	forest_checks_free(&other.host.host, &again);
	tap_ok(train_end(&other), "no leak");

	data.order = NULL;
	data.wants_facts = false;
	again = checks_of(&other, &data, 0.5);
	tap_ok(train_same_trees(&train, &other), "facts change no tree");
	tap_ok(find(&again, FOREST_CHECK_FUTURE_TIME, 10) == NULL &&
		   find(&again, FOREST_CHECK_TARGET, 11) != NULL, "without facts there is less to say");
	forest_checks_free(&other.host.host, &again);
	tap_ok(train_end(&other), "no leak");
	forest_checks_free(&train.host.host, &checks);
	tap_ok(train_end(&train), "no leak");
}

/* Clean data gives no finding. */
static void
test_clean(void)
{
	static double x[2000 * 5];
	static double y[2000];
	TrainData	data = {.n = 2000, .p = 5, .x = x, .kinds = "nnncc", .y = y, .n_classes = 2,
	.params = "n_estimators=5", .split = {.kind = FOREST_SPLIT_HASH, .test_size = 0.2}, .wants_facts = true};
	uint64_t	state = 9;
	Train		train;
	ForestChecks checks;

	for (uint32_t i = 0; i < 2000; i++)
	{
		y[i] = train_below(&state, 2);
		for (uint32_t c = 0; c < 5; c++)
			x[i * 5 + c] = c < 3 ? train_unit(&state) + 0.3 * y[i] : train_below(&state, 20);
	}
	checks = checks_of(&train, &data, 0.8);
	tap_is_int(checks.n, 0, "clean data has no finding");
	forest_checks_free(&train.host.host, &checks);
	data.n_classes = 0;
	for (uint32_t i = 0; i < 2000; i++)
		y[i] = x[i * 5] + train_unit(&state);
	tap_ok(train_end(&train), "no leak");
	checks = checks_of(&train, &data, 0.8);
	tap_is_int(checks.n, 0, "nor has a regression");
	forest_checks_free(&train.host.host, &checks);
	tap_ok(train_end(&train), "no leak");
}

/* Twins and conflicts, counted by comparing all rows. */
static void
test_rows(bool regression)
{
	static double x[N * 2];
	static double y[N];
	TrainData	data = {.n = N, .p = 2, .x = x, .kinds = "nc", .y = y, .n_classes = regression ? 0 : 3,
	.split = {.kind = FOREST_SPLIT_HASH, .test_size = 0.3}, .wants_facts = true};
	uint64_t	state = 21;
	uint32_t	rows[N];
	uint32_t	n_twins = 0;
	uint32_t	n_test = 0;
	double		conflict = 0;
	double		whole = 0;
	double		mean = 0;
	const Facts *facts;
	Train		train;

	for (uint32_t i = 0; i < N; i++)
	{
		x[i * 2] = train_below(&state, 10) == 0 ? NAN : train_below(&state, 20);
		x[i * 2 + 1] = train_below(&state, 15);
		y[i] = train_below(&state, 3);
	}
	train_begin(&train, &data);
	facts = train.training->facts;
	train_rows(&train, &data, rows);
	for (uint32_t i = 0; i < train.training->n_train; i++)
		mean += y[rows[i]] / train.training->n_train;
	for (uint32_t i = 0; i < N; i++)
	{
		bool		trains = i < train.training->n_train;
		double		counts[3] = {0};
		double		n = 0;
		double		sum = 0;
		bool		first = true;

		n_test += !trains;
		if (trains)
			whole += regression ? (y[rows[i]] - mean) * (y[rows[i]] - mean) : 1;
		for (uint32_t j = 0; j < train.training->n_train; j++)
		{
			const double *a = x + rows[i] * 2;
			const double *b = x + rows[j] * 2;

			if ((a[0] != b[0] && !(isnan(a[0]) && isnan(b[0]))) || a[1] != b[1])
				continue;
			first &= j >= i;
			n++;
			sum += y[rows[j]];
			counts[(int) y[rows[j]]]++;
		}
		n_twins += !trains && n > 0;
		if (!trains || !first)
			continue;
		for (int k = 0; regression && k < 3; k++)
			conflict += counts[k] * (k - sum / n) * (k - sum / n);
		if (!regression)
			conflict += n - fmax(counts[0], fmax(counts[1], counts[2]));
	}
	tap_is_int(facts->n_test, n_test, "%s: rows of the holdout", regression ? "numbers" : "classes");
	tap_is_int(facts->n_test_twins, n_twins, "%s: those that train too", regression ? "numbers" : "classes");
	tap_is_real(facts->conflict, conflict / whole, 1e-12, "%s: what no model avoids",
				regression ? "numbers" : "classes");
	tap_ok(train_end(&train), "no leak");
}

/* Of many rows those of some hashes are looked at. */
static void
test_many_rows(void)
{
	enum
	{
		MANY = 200000
	};
	double	   *x = malloc(MANY * sizeof(double));
	double	   *y = malloc(MANY * sizeof(double));
	uint32_t   *order = malloc(MANY * sizeof(uint32_t));
	TrainData	data = {.n = MANY, .p = 1, .x = x, .y = y, .n_classes = 2, .params = "n_estimators=1 max_depth=1",
	.split = {.kind = FOREST_SPLIT_HASH, .test_size = 0.5}, .wants_facts = true};
	Train		a;
	Train		b;

	/* three quarters are there twice, in rows that differ in their target; the others once */
	for (uint32_t i = 0; i < MANY; i++)
	{
		x[i] = i < MANY / 4 ? 1e6 + i : i / 2;
		y[i] = i % 2;
		order[i] = (uint32_t) ((uint64_t) i * 77777 % MANY);
	}
	train_begin(&a, &data);
	data.order = order;
	train_begin(&b, &data);
	tap_ok(a.training->facts->mask > 0, "not all rows are looked at");
	/* a twin trains with a probability of a half */
	tap_is_real((double) a.training->facts->n_test_twins / (double) a.training->facts->n_test, 0.375,
				0.01, "their share is that of all");
	tap_is_int(a.training->facts->n_test_twins, b.training->facts->n_test_twins, "in any order");
	tap_is_int(a.training->facts->n_train, b.training->facts->n_train, "the same rows");
	tap_ok(train_end(&a) && train_end(&b), "no leak");
	free(x);
	free(y);
	free(order);
}

/* Keys that have rows on both sides of a split by time; classes that are rare. */
static void
test_time_and_classes(void)
{
	static double x[1000];
	static double y[1000];
	static double time[1000];
	static double group[1000];
	TrainData	data = {.n = 1000, .p = 1, .x = x, .y = y, .n_classes = 2, .time = time,
	.split = {.kind = FOREST_SPLIT_TIME, .test_size = 0.2}, .wants_facts = true};
	uint64_t	state = 3;
	Train		train;
	ForestChecks checks;
	const ForestCheck *c;

	for (uint32_t i = 0; i < 1000; i++)
	{
		x[i] = train_unit(&state);
		y[i] = i % 125 == 0;
		time[i] = i;
		group[i] = i % 100;
	}
	checks = checks_of(&train, &data, NAN);
	tap_ok(find(&checks, FOREST_CHECK_TIME_OVERLAP, -1) == NULL, "a clean split by time");
	c = find(&checks, FOREST_CHECK_IMBALANCE, -1);
	tap_ok(c != NULL && c->severity == FOREST_WARNING && c->other == 1 && is_near(c->value, 7.0 / 800),
		   "a rare class");
	c = find(&checks, FOREST_CHECK_FEW_OF_CLASS, -1);
	tap_ok(c != NULL && c->severity == FOREST_ERROR && c->value == 7, "of few rows");
	forest_checks_free(&train.host.host, &checks);
	tap_ok(train_end(&train), "no leak");
	data.group = group;
	checks = checks_of(&train, &data, NAN);
	c = find(&checks, FOREST_CHECK_TIME_OVERLAP, -1);
	tap_ok(c != NULL && c->value > 0.5, "keys make times overlap");
	forest_checks_free(&train.host.host, &checks);
	tap_ok(train_end(&train), "no leak");
}

/* ---------------------------------------------------------------- sweeps -- */

typedef struct Sweep
{
	const ForestTraining *training;
	const ForestModel *model;
} Sweep;

static Status
check_again(const Host *host, void *arg, Failure *why)
{
	const Sweep *sweep = arg;
	ForestChecks checks;
	Status		status = forest_checks(host, sweep->training, sweep->model, 0.9, &checks, why);

	if (status == STATUS_OK)
		forest_checks_free(host, &checks);
	return status;
}

static void
test_refusals(void)
{
	static double x[ROWS * COLUMNS];
	static double y[ROWS];
	static double time[ROWS];
	TrainData	data = {.n = ROWS, .p = COLUMNS, .x = x, .kinds = "nnnnicnnnntcnn", .y = y, .n_classes = 2,
	.time = time, .wants_facts = true};
	Train		train;
	Sweep		sweep;
	ForestModel *model;
	int			n_lost = 0;
	int			n_wrong = 0;

	leaky_data(x, y, time);
	train_begin(&train, &data);
	model = train_model(&train);
	sweep.training = train.training;
	sweep.model = model;
	tap_ok(test_sweep(check_again, &sweep, 10, 2), "survives refusal and cancel");
	forest_model_free(model);
	tap_ok(train_end(&train), "no leak");

	/* a training is not refused for its facts */
	for (size_t n = 1;; n++)
	{
		TestHost	host;
		TestHost	storage;
		ForestTraining *t;
		Failure		why;
		Status		status;
		bool		reached;

		test_host_begin(&host);
		test_host_begin(&storage);
		host.fail_at = n;
		status = train_new(&host.host, &storage.host, &data, &t, &why);
		reached = host.n_allocations >= n;
		if (status == STATUS_OK)
		{
			n_lost += t->facts->rows_lost;
			n_wrong += t->facts->rows_lost && t->facts->n_test + t->facts->n_train > 0;
			forest_training_free(t);
		}
		else
			n_wrong += status != STATUS_NO_MEMORY;
		n_wrong += !test_host_end(&host) + !test_host_end(&storage);
		if (!reached)
			break;
	}
	tap_ok(n_lost > 5, "facts are left out where memory is short");
	tap_is_int(n_wrong, 0, "and nothing else is");
}

int
main(void)
{
	test_classes(2);
	test_classes(3);
	test_regression();
	test_findings();
	test_clean();
	test_rows(false);
	test_rows(true);
	test_many_rows();
	test_time_and_classes();
	test_refusals();
	return tap_done();
}
