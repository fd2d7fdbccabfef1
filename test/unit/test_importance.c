/*
 * test_importance.c
 *	  Permutation importances against scoring everything again.
 */
#include <stdlib.h>

#include "forest_fixture.h"
#include "tap.h"

#include "core/rng.h"
#include "forest/model.h"

#define REPEATS FOREST_PERMUTATION_REPEATS

/* A measure that every bit of every output, label and weight goes into. */
static Status
some_measure(void *ctx, const ForestScores *s, double *out, Failure *why)
{
	double		sum = 0;

	(void) why;
	++*(size_t *) ctx;
	for (size_t i = 0; i < s->n; i++)
		for (uint32_t k = 0; k < s->n_outputs; k++)
		{
			double		label = s->label != NULL ? s->label[i] == k : s->target[i];
			double		off = s->outputs[i * s->n_outputs + k] - label;

			sum -= off * off * (s->weight != NULL ? s->weight[i] : 1);
		}
	*out = sum / (double) s->n;
	return STATUS_OK;
}

static Status
no_measure(void *ctx, const ForestScores *s, double *out, Failure *why)
{
	(void) ctx;
	(void) s;
	(void) why;
	*out = NAN;
	return STATUS_OK;
}

static Status
failing_measure(void *ctx, const ForestScores *s, double *out, Failure *why)
{
	(void) s;
	*out = 0;
	if (--*(size_t *) ctx == 0)
		return fail(why, STATUS_INVALID_DATA, "no such measure");
	return STATUS_OK;
}

/* ------------------------------------------------------------ reference -- */

typedef struct Reference
{
	uint32_t	n;
	uint32_t   *rows;
	bool	   *use;			/* n × n_trees: the trees that score a row */
	uint8_t    *bins;			/* n rows */
	ForestScores scores;
} Reference;

static void
choose(const Fixture *f, Reference *ref)
{
	const ForestTraining *t = &f->training;
	uint32_t	n_trees = t->settings.n_estimators;
	bool		oob = t->n_rows == t->n_train;

	ref->n = 0;
	for (uint32_t row = oob ? 0 : t->n_train; row < t->n_rows; row++)
	{
		bool	   *use = ref->use + (size_t) ref->n * n_trees;
		bool		any = false;

		if (ref->n == forest_permutation_rows(t->n_rows - (oob ? 0 : t->n_train)))
			break;
		for (uint32_t tree = 0; tree < n_trees; tree++)
		{
			const TrainingChunk *chunk = training_chunk(t, row);
			uint32_t	place = training_in_chunk(t, row);
			uint64_t	key = rng_purpose_key(t->settings.seed, RNG_BOOTSTRAP, tree);

			if (tree >= FOREST_PERMUTATION_TREES)
				break;
			use[tree] = !oob ||
				training_count(&t->settings, rng_row_draw(key, chunk->keys[place])) == 0 ||
				(chunk->weight != NULL && chunk->weight[place] == 0);
			any = any || use[tree];
		}
		if (any)
			ref->rows[ref->n++] = row;
	}
}

static double
measure(const Fixture *f, Reference *ref)
{
	size_t		n_calls = 0;
	double		out;

	for (uint32_t i = 0; i < ref->n; i++)
		fixture_reference(f, ref->bins + (size_t) i * f->training.row_bytes,
						  ref->use + (size_t) i * f->training.settings.n_estimators,
						  ref->scores.outputs + (size_t) i * ref->scores.n_outputs);
	(void) some_measure(&n_calls, &ref->scores, &out, NULL);
	return out;
}

/* Put a random order of feature f's bins into ref->bins. */
static void
permute(const Fixture *f, Reference *ref, uint32_t feature, uint32_t repeat)
{
	RngStream	stream;
	uint32_t	n = ref->n;
	size_t		stride = f->training.row_bytes;

	rng_stream_begin(&stream, f->training.settings.seed, RNG_PERMUTATION, repeat, 0);
	for (uint32_t i = n; i > 1; i--)
	{
		uint32_t	j = rng_stream_below(&stream, i);
		uint8_t		bin = ref->bins[j * stride + feature];

		ref->bins[j * stride + feature] = ref->bins[(i - 1) * stride + feature];
		ref->bins[(i - 1) * stride + feature] = bin;
	}
}

static void
reset_bins(const Fixture *f, Reference *ref)
{
	for (uint32_t i = 0; i < ref->n; i++)
		memcpy(ref->bins + (size_t) i * f->training.row_bytes,
			   training_bins(&f->training, ref->rows[i]), f->training.row_bytes);
}

static void
reference_begin(const Fixture *f, uint32_t n_outputs, Reference *ref)
{
	const ForestTraining *t = &f->training;

	ref->rows = calloc(t->n_rows + 1, sizeof(uint32_t));
	ref->use = calloc((size_t) (t->n_rows + 1) * t->settings.n_estimators, sizeof(bool));
	ref->bins = calloc(t->n_rows + 1, t->row_bytes);
	choose(f, ref);
	ref->scores = (ForestScores) {.n = ref->n, .n_outputs = n_outputs};
	ref->scores.outputs = calloc((size_t) ref->n * n_outputs + 1, sizeof(double));
	ref->scores.label = t->schema.n_classes > 0 ? calloc(ref->n + 1, sizeof(uint32_t)) : NULL;
	ref->scores.target = t->schema.n_classes > 0 ? NULL : calloc(ref->n + 1, sizeof(double));
	ref->scores.weight = t->weighted ? calloc(ref->n + 1, sizeof(double)) : NULL;
	for (uint32_t i = 0; i < ref->n; i++)
	{
		uint32_t	row = ref->rows[i];

		if (ref->scores.label != NULL)
			ref->scores.label[i] = training_chunk(t, row)->label[training_in_chunk(t, row)];
		else
			ref->scores.target[i] = t->target_value[row];
		if (ref->scores.weight != NULL)
			ref->scores.weight[i] = t->row_weight[row];
	}
}

static void
reference_end(Reference *ref)
{
	free(ref->rows);
	free(ref->use);
	free(ref->bins);
	free(ref->scores.outputs);
	free(ref->scores.label);
	free(ref->scores.target);
	free(ref->scores.weight);
}

/* Mean and deviation of one feature, everything scored again for each repeat. */
static void
importance(const Fixture *f, Reference *ref, uint32_t feature, double *mean, double *sd)
{
	double		lost[REPEATS];
	double		base;
	double		squares = 0;

	*mean = 0;
	reset_bins(f, ref);
	base = measure(f, ref);
	for (uint32_t r = 0; r < REPEATS; r++)
	{
		reset_bins(f, ref);
		permute(f, ref, feature, r);
		lost[r] = base - measure(f, ref);
		*mean += lost[r];
	}
	*mean /= REPEATS;
	for (uint32_t r = 0; r < REPEATS; r++)
		squares += (lost[r] - *mean) * (lost[r] - *mean);
	*sd = sqrt(squares / (REPEATS - 1));
}

/* Features whose importances are not the reference's, bit by bit. */
static size_t
check(const FixtureSpec *spec, size_t *n_calls)
{
	Fixture		f;
	TestHost	t;
	ForestModel *model;
	Reference	ref;
	double		mean[64];
	double		sd[64];
	size_t		n_rows = SIZE_MAX;
	size_t		n_wrong = 0;

	fixture_begin(&f, spec);
	test_host_begin(&t);
	model = fixture_model(&f, &t.host);
	n_wrong += forest_permutation_importance(&t.host, &f.training, model, some_measure, n_calls,
											 mean, sd, &n_rows, NULL) != STATUS_OK;
	reference_begin(&f, model->n_outputs, &ref);
	n_wrong += n_rows != ref.n;
	for (uint32_t i = 0; i < spec->n_features; i += (uint32_t) test_amount(1, 4))
	{
		double		expected_mean;
		double		expected_sd;

		importance(&f, &ref, i, &expected_mean, &expected_sd);
		n_wrong += memcmp(&mean[i], &expected_mean, sizeof(double)) != 0 &&
			!(isnan(mean[i]) && ref.n == 0);
		n_wrong += memcmp(&sd[i], &expected_sd, sizeof(double)) != 0 &&
			!(isnan(sd[i]) && ref.n == 0);
	}
	reference_end(&ref);
	forest_model_free(model);
	n_wrong += !test_host_end(&t) || !fixture_end(&f);
	return n_wrong;
}

static void
test_against_reference(void)
{
	size_t		n_calls = 0;
	size_t		n_wrong = 0;

	for (uint64_t seed = 0; seed < 30; seed++)
	{
		const FixtureSpec spec = {.seed = seed, .n_classes = (uint32_t[]) {2, 0, 4}[seed % 3],
			.n_features = 2 + (uint32_t) (seed % 7), .categories = seed % 2 == 0,
			.n_trees = 1 + (uint32_t) (seed * 3 % 11), .depth = 1 + (uint32_t) (seed % 6),
			.bootstrap = true, .weighted = seed % 4 == 1, .n_train = 60,
			.n_test = seed % 5 < 3 ? 50 : 0};

		n_wrong += check(&spec, &n_calls);
	}
	tap_is_int(n_wrong, 0, "the same bits as scoring all rows again");
}

/* Trees beyond the first ones have no say, with a holdout and out of bag. */
static void
test_many_trees(void)
{
	size_t		n_calls = 0;
	size_t		n_wrong = 0;

	for (uint64_t seed = 0; seed < 4; seed++)
	{
		const FixtureSpec spec = {.seed = 100 + seed, .n_classes = seed < 2 ? 2 : 3,
			.n_features = 4, .n_trees = FOREST_PERMUTATION_TREES + 9, .depth = 3,
			.bootstrap = true, .n_train = 60, .n_test = seed % 2 == 0 ? 50 : 0};

		n_wrong += check(&spec, &n_calls);
	}
	tap_is_int(n_wrong, 0, "the first trees alone are walked");
}

/* So many classes that the pairs do not fit into one group. */
static void
test_groups(void)
{
	const FixtureSpec spec = {.seed = 2, .n_classes = 1000, .n_features = 8, .n_trees = 2,
		.depth = 4, .full = true, .n_train = 1, .n_test = 300, .bootstrap = true};
	size_t		n_calls = 0;

	tap_is_int(check(&spec, &n_calls), 0, "the same bits when worked on in groups");
	tap_is_int(n_calls, 1 + 7 * REPEATS, "of which there were two: 27 pairs fit into one");
}

static void
test_rows(void)
{
	const FixtureSpec large = {.seed = 3, .n_classes = 2, .n_features = 3, .n_trees = 1,
		.depth = 2, .full = true, .n_train = 1, .n_test = 20100, .chunk_shift = 12};
	const FixtureSpec none = {.seed = 4, .n_classes = 2, .n_features = 3, .n_trees = 2,
		.depth = 2, .n_train = 20};
	Fixture		f;
	ForestModel *model;
	double		mean[3] = {0};
	double		sd[3] = {0};
	size_t		n_rows = 0;
	size_t		n_calls = 0;

	tap_is_int(check(&large, &n_calls), 0, "of a large holdout the first rows");
	fixture_begin(&f, &none);
	model = fixture_model(&f, f.training.host);
	tap_is_int(forest_permutation_importance(f.training.host, &f.training, model, some_measure,
											 &n_calls, mean, sd, &n_rows, NULL), STATUS_OK,
			   "neither holdout nor bootstrap");
	tap_ok(n_rows == 0 && isnan(mean[0]) && isnan(sd[2]), "is unknown");
	forest_model_free(model);
	tap_ok(fixture_end(&f), "no leak");
}

static void
test_measures(void)
{
	const FixtureSpec spec = {.seed = 12, .n_classes = 2, .n_features = 40, .n_trees = 2,
		.depth = 2, .full = true, .n_train = 1, .n_test = 30};
	Fixture		f;
	ForestModel *model;
	Failure		why;
	double		mean[40];
	double		sd[40];
	size_t		n_rows;
	size_t		n_calls = 0;
	size_t		n_zero = 0;
	size_t		n_nan = 0;

	fixture_begin(&f, &spec);
	model = fixture_model(&f, f.training.host);
	(void) forest_permutation_importance(f.training.host, &f.training, model, some_measure,
										 &n_calls, mean, sd, &n_rows, &why);
	for (int i = 0; i < 40; i++)
		n_zero += mean[i] == 0 && sd[i] == 0;
	tap_ok(n_zero >= 34, "features of no split have no importance");
	tap_ok(n_calls <= 1 + 6 * REPEATS, "and are not measured");
	(void) forest_permutation_importance(f.training.host, &f.training, model, no_measure, NULL,
										 mean, sd, &n_rows, &why);
	for (int i = 0; i < 40; i++)
		n_nan += isnan(mean[i]) && isnan(sd[i]);
	tap_is_int(n_nan, 40, "without a measure nothing is known of any feature");
	for (size_t at = 1; at <= 3; at++)
	{
		size_t		left = at;

		tap_is_int(forest_permutation_importance(f.training.host, &f.training, model,
												 failing_measure, &left, mean, sd, &n_rows,
												 &why), STATUS_INVALID_DATA,
				   "a measure may fail: %zu", at);
	}
	tap_is_text(why.text, "no such measure", "with its own reason");
	forest_model_free(model);
	tap_ok(fixture_end(&f), "no leak");
}

typedef struct Call
{
	const Fixture *f;
	const ForestModel *model;
} Call;

static Status
permute_it(const Host *host, void *arg, Failure *why)
{
	const Call *call = arg;
	double		mean[4];
	double		sd[4];
	size_t		n_rows;
	size_t		n_calls = 0;

	return forest_permutation_importance(host, &call->f->training, call->model, some_measure,
										 &n_calls, mean, sd, &n_rows, why);
}

static void
test_sweeps(void)
{
	for (uint32_t n_test = 0; n_test <= 40; n_test += 40)
	{
		const FixtureSpec spec = {.seed = 7, .n_classes = 3, .n_features = 4, .n_trees = 4,
			.depth = 3, .bootstrap = true, .weighted = true, .n_train = 40, .n_test = n_test};
		Fixture		f;
		ForestModel *model;
		Call		call = {&f, NULL};

		fixture_begin(&f, &spec);
		call.model = model = fixture_model(&f, f.training.host);
		tap_ok(test_sweep(permute_it, &call, 12, 12), "survives refusal and cancel");
		forest_model_free(model);
		tap_ok(fixture_end(&f), "no leak");
	}
}

int
main(void)
{
	test_against_reference();
	test_many_trees();
	test_groups();
	test_rows();
	test_measures();
	test_sweeps();
	return tap_done();
}
