/*
 * test_prepare.c
 *	  Canonical order and splits of the rows, and data that cannot be used.
 */
#include <stdlib.h>

#include "tap.h"
#include "train_fixture.h"

#include "core/rng.h"

#define N 3000

/* Rows of one number, with groups of about five and times of about thirty. */
typedef struct Sample
{
	double		x[N];
	double		y[N];
	double		group[N];
	double		time[N];
	TrainData	data;
} Sample;

static void
make_sample(Sample *s, uint64_t seed)
{
	for (uint32_t i = 0; i < N; i++)
	{
		s->x[i] = train_below(&seed, 1000000);
		s->y[i] = train_below(&seed, 2);
		s->group[i] = train_below(&seed, N / 5);
		s->time[i] = train_below(&seed, 100);
	}
	s->data = (TrainData) {.n = N,.p = 1,.x = s->x,.y = s->y,.n_classes = 2,
		.params = "max_depth=1",.split = {.kind = FOREST_SPLIT_HASH, .test_size = 0.2}};
}

/* Which rows of the data are held out. */
static uint32_t
holdout(const TrainData *data, bool out[N])
{
	uint32_t   *rows = malloc(data->n * sizeof(uint32_t));
	uint32_t	n_test;
	Train		t;

	train_begin(&t, data);
	train_rows(&t, data, rows);
	memset(out, 0, N * sizeof(bool));
	for (uint32_t i = t.training->n_train; i < t.training->n_rows; i++)
		out[rows[i]] = true;
	n_test = t.training->n_rows - t.training->n_train;
	if (!train_end(&t))
		n_test = UINT32_MAX;
	free(rows);
	return n_test;
}

static uint32_t
count_different(const bool *a, const bool *b, uint32_t n)
{
	uint32_t	n_different = 0;

	for (uint32_t i = 0; i < n; i++)
		n_different += a[i] != b[i];
	return n_different;
}

/* ----------------------------------------------------------------- order -- */

/* Rows by identity, the training rows first; identical ones by ordinals 0, 1, 2. */
static void
test_order(void)
{
	static Sample s;
	uint32_t   *rows = malloc(N * sizeof(uint32_t));
	int			n_wrong = 0;
	int			n_equal = 0;
	Train		t;

	make_sample(&s, 1);
	for (uint32_t i = 0; i < N; i++)
	{
		s.x[i] = (double) (i % 1000);
		s.y[i] = i % 2;
	}
	train_begin(&t, &s.data);
	train_rows(&t, &s.data, rows);
	for (uint32_t i = 1; i < N; i++)
	{
		int			order = hash_compare(train_identity(&s.data, rows[i - 1]),
										 train_identity(&s.data, rows[i]));

		n_equal += order == 0;
		n_wrong += order > 0 && i != t.training->n_train;
	}
	tap_is_int(n_wrong, 0, "training rows, then holdout rows, are sorted by identity");
	tap_ok(n_equal > 1000, "identical rows are neighbours");
	n_wrong = 0;
	for (uint32_t i = 0; i < N; i++)
		for (uint32_t j = 0; j < i; j++)
			n_wrong += rows[i] == rows[j];
	tap_is_int(n_wrong, 0, "and have keys of their own");
	tap_ok(train_end(&t), "no leak");
	free(rows);
}

/* ------------------------------------------------------------- by hashes -- */

static void
test_hash_split(void)
{
	static Sample s;
	static bool first[N];
	static bool second[N];
	static uint32_t order[N];
	uint32_t	n_test;
	uint64_t	state = 9;

	make_sample(&s, 2);
	n_test = holdout(&s.data, first);
	tap_ok(n_test > 600 - 4 * 22 && n_test < 600 + 4 * 22, "a fifth of the rows is held out");

	for (uint32_t i = 0; i < N; i++)
		order[i] = i;
	for (uint32_t i = N - 1; i > 0; i--)
	{
		uint32_t	other = train_below(&state, i + 1);
		uint32_t	row = order[i];

		order[i] = order[other];
		order[other] = row;
	}
	s.data.order = order;
	(void) holdout(&s.data, second);
	tap_is_int(count_different(first, second, N), 0, "the same ones in any order");
	s.data.order = NULL;
	s.data.n = 2000;
	(void) holdout(&s.data, second);
	tap_is_int(count_different(first, second, 2000), 0, "and of fewer rows");
	s.data.n = N;
	s.data.params = "max_depth=1 random_state=7";
	(void) holdout(&s.data, second);
	tap_is_int(count_different(first, second, N), 0, "and with another seed of the forest");
	s.data.split.test_size = 0.4;
	(void) holdout(&s.data, second);
	tap_is_int(count_different(first, second, N),
			   (int) (holdout(&s.data, second) - n_test), "a larger holdout has all of a smaller");
	s.data.split.test_size = 0.2;
	s.data.split.split_seed = 1;
	n_test = holdout(&s.data, second);
	tap_ok(n_test > 600 - 4 * 22 && n_test < 600 + 4 * 22 &&
		   abs((int) count_different(first, second, N) - 960) < 4 * 26,
		   "another split seed draws anew");
}

static void
test_group_split(void)
{
	static Sample s;
	static bool first[N];
	static bool second[N];
	uint32_t	n_test;
	int			n_wrong = 0;

	make_sample(&s, 3);
	s.data.group = s.group;
	n_test = holdout(&s.data, first);
	tap_ok(n_test > 600 - 4 * 55 && n_test < 600 + 4 * 55, "about a fifth of the rows");
	for (uint32_t i = 0; i < N; i++)
		for (uint32_t j = 0; j < i; j++)
			n_wrong += s.group[i] == s.group[j] && first[i] != first[j];
	tap_is_int(n_wrong, 0, "a group stays on one side");
	for (uint32_t i = 0; i < N; i++)
		s.x[i] += 1;
	(void) holdout(&s.data, second);
	tap_is_int(count_different(first, second, N), 0, "by its key, whatever its rows hold");
	s.data.n = 2500;
	(void) holdout(&s.data, second);
	tap_is_int(count_different(first, second, 2500), 0, "and also when it had fewer");
}

/* --------------------------------------------------------------- by time -- */

static void
test_time_split(void)
{
	static Sample s;
	static bool out[N];
	uint32_t	n_test;
	double		begin = INFINITY;
	double		latest_train = -INFINITY;
	double		nearest = N;

	make_sample(&s, 4);
	s.data.time = s.time;
	s.data.split.kind = FOREST_SPLIT_TIME;
	n_test = holdout(&s.data, out);
	for (uint32_t i = 0; i < N; i++)
		if (out[i])
			begin = fmin(begin, s.time[i]);
		else
			latest_train = fmax(latest_train, s.time[i]);
	tap_ok(latest_train < begin, "the latest rows are held out, equal times together");
	for (double time = 0; time <= 100; time++)
	{
		uint32_t	n = 0;

		for (uint32_t i = 0; i < N; i++)
			n += s.time[i] >= time;
		nearest = fmin(nearest, fabs(n - 600.0));
	}
	tap_is_real(fabs(n_test - 600.0), nearest, 0, "as near to the wanted share as can be");
}

static void
test_time_groups(void)
{
	static Sample s;
	static bool out[N];
	static double latest[N];
	int			n_wrong = 0;
	double		begin = INFINITY;

	make_sample(&s, 5);
	s.data.time = s.time;
	s.data.group = s.group;
	s.data.split.kind = FOREST_SPLIT_TIME;
	tap_ok(holdout(&s.data, out) > 300, "a holdout by time with groups");
	for (uint32_t i = 0; i < N; i++)
		latest[i] = -INFINITY;
	for (uint32_t i = 0; i < N; i++)
		latest[(uint32_t) s.group[i]] = fmax(latest[(uint32_t) s.group[i]], s.time[i]);
	for (uint32_t i = 0; i < N; i++)
		if (out[i])
			begin = fmin(begin, latest[(uint32_t) s.group[i]]);
	for (uint32_t i = 0; i < N; i++)
		n_wrong += out[i] != (latest[(uint32_t) s.group[i]] >= begin);
	tap_is_int(n_wrong, 0, "a group goes by its latest time");
}

/* Of few times. */
static void
test_time_edges(void)
{
	static const double x[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
	static const double y[] = {0, 1, 0, 1, 0, 1, 0, 1, 0, 1};
	static const double same[] = {3, 3, 3, 3, 3, 3, 3, 3, 3, 3};
	static const double two[] = {1, 1, 2, 2, 2, 2, 2, 2, 2, 2};
	static const double zeros[] = {-1, -1, -1, -1, -1, -1, -1, 0.0, -0.0, 0.0};
	static const double pairs[] = {1, 1, 2, 2, 3, 3, 4, 4, 5, 5};
	static bool out[N];
	TrainData	data = {.n = 10,.p = 1,.x = x,.y = y,.n_classes = 2,.time = same,
		.split = {.kind = FOREST_SPLIT_TIME, .test_size = 0.2}};

	tap_is_int(holdout(&data, out), 0, "one time only: no holdout");
	data.time = two;
	tap_is_int(holdout(&data, out), 0, "eight of ten at the latest time: none is nearer");
	data.split.test_size = 0.6;
	tap_is_int(holdout(&data, out), 8, "for a share of 0.6 eight are");
	data.time = zeros;
	data.split.test_size = 0.2;
	tap_is_int(holdout(&data, out), 3, "zeros of both signs are one time");
	data.time = pairs;
	data.split.test_size = 0.3;
	tap_is_int(holdout(&data, out), 2, "of two as near the smaller holdout");
	data.split.test_size = 0.31;
	tap_is_int(holdout(&data, out), 4, "else the nearer");
}

/* ---------------------------------------------------------------- errors -- */

static void
test_errors(void)
{
	static const double x[] = {1, 2, 3, 4};
	static const double constant[] = {1, 1, 1, 1};
	static const double missing[] = {NAN, NAN, NAN, NAN};
	static const double late[] = {1, 1, 1, 2};
	static const double one_late[] = {0, 0, 0, 1};
	static const double y[] = {0, 1, 0, 1};
	static const double no_weight[] = {0, 0, 0, 0};
	static const double one_weight[] = {1, 0, 1, 0};
	TrainData	data = {.n = 4,.p = 1,.x = x,.y = y,.n_classes = 2};
	Failure		why;

	tap_is_int(train_refused(&data, &why), STATUS_OK, "four rows are enough");
	data.n = 0;
	tap_is_int(train_refused(&data, &why), STATUS_INVALID_DATA, "no row");
	tap_is_text(why.text, "the query returned no row with a known target", "says so");
	data.n = 4;
	data.y = missing;
	tap_is_int(train_refused(&data, &why), STATUS_INVALID_DATA, "no known target");
	tap_is_text(why.detail, "Rows whose target is NULL: 4.", "says how many");

	data.y = constant;
	tap_is_int(train_refused(&data, &why), STATUS_INVALID_DATA, "one class");
	tap_is_text(why.text, "the target has one class only, \"k001\"", "names it");
	data.y = one_late;
	data.time = late;
	data.split = (ForestSplit) {.kind = FOREST_SPLIT_TIME, .test_size = 0.25};
	tap_is_int(train_refused(&data, &why), STATUS_INVALID_DATA, "one class before the holdout");
	tap_is_text(why.text, "the target has one class only, \"k000\", in the training rows",
				"says where");
	tap_is_text(why.detail, "There are 3 training rows and 1 holdout rows.", "and how many");
	data.split.kind = FOREST_SPLIT_NONE;
	data.y = y;
	data.weight = one_weight;
	tap_is_int(train_refused(&data, &why), STATUS_INVALID_DATA, "one class that has a weight");
	data.weight = no_weight;
	tap_is_int(train_refused(&data, &why), STATUS_INVALID_DATA, "no row has a weight");
	tap_is_text(why.text, "every training row has the weight 0", "says so");
	data.weight = NULL;

	data.n_classes = 0;
	data.y = constant;
	tap_is_int(train_refused(&data, &why), STATUS_INVALID_DATA, "one number as target");
	tap_is_text(why.text, "the target has one value only, 1", "names it");
	data.y = x;
	data.x = constant;
	tap_is_int(train_refused(&data, &why), STATUS_INVALID_DATA, "a constant feature only");
	tap_is_text(why.text, "no feature is left to train on", "says so");
	data.x = missing;
	tap_is_int(train_refused(&data, &why), STATUS_INVALID_DATA, "a missing feature only");
	data.p = 0;
	tap_is_int(train_refused(&data, &why), STATUS_INVALID_DATA, "no feature at all");

	data.p = 1;
	data.x = x;
	data.split = (ForestSplit) {.kind = FOREST_SPLIT_HASH, .test_size = 0.9999999};
	tap_is_int(train_refused(&data, &why), STATUS_INVALID_DATA, "all rows in the holdout");
	tap_is_text(why.text, "no row is left for training: all 4 rows are in the holdout",
				"says so");
}

/* Cuts, categories and fates come from the training rows alone. */
static void
test_holdout_values(void)
{
	static const double x[] = {1, 5, 2, 5, 3, 5, 1, 5, 2, 6, 77, 8};
	static const double y[] = {0, 1, 0, 1, 1, 0};
	static const double time[] = {1, 1, 1, 1, 2, 2};
	static bool out[N];
	TrainData	data = {.n = 6,.p = 2,.x = x,.kinds = "nc",.y = y,.n_classes = 2,.time = time,
		.split = {.kind = FOREST_SPLIT_TIME, .test_size = 0.3}};
	Train		t;
	ForestReport report;

	tap_is_int(holdout(&data, out), 2, "two rows held out");
	train_begin(&t, &data);
	forest_training_report(t.training, &report);
	tap_is_int(report.fates[1], FOREST_DROPPED_CONSTANT,
			   "what varies in the holdout only is constant");
	tap_ok(report.n_features == 1 && report.n_rows == 6 && report.n_train == 4 &&
		   report.n_test == 2 && report.n_classes == 2, "the report");
	tap_ok(t.training->schema.features[0].n_bins == 3 &&
		   t.training->schema.features[0].cuts[1] == 2.5, "cuts are those of training rows");
	tap_ok(train_end(&t), "no leak");
}

int
main(void)
{
	test_order();
	test_hash_split();
	test_group_split();
	test_time_split();
	test_time_groups();
	test_time_edges();
	test_errors();
	test_holdout_values();
	return tap_done();
}
