/*
 * test_scores.c
 *	  Holdout and out-of-bag scores against the slow scorer.
 */
#include <stdlib.h>

#include "forest_fixture.h"
#include "tap.h"

#include "core/rng.h"
#include "forest/model.h"

static FixtureSpec
some_spec(uint64_t seed)
{
	return (FixtureSpec) {.seed = seed, .n_classes = (uint32_t[]) {2, 0, 4, 2}[seed % 4],
		.n_features = 3 + (uint32_t) (seed % 9), .categories = seed % 2 == 0,
		.n_trees = 1 + (uint32_t) (seed * 3 % 13), .depth = 4, .bootstrap = seed % 5 != 4,
		.weighted = seed % 3 == 0, .n_train = (uint32_t) (seed * 37 % 300),
		.n_test = (uint32_t) (seed * 53 % 300), .chunk_shift = 4 + (uint32_t) (seed % 5)};
}

/* Is the i-th of the scores the row's, with these outputs? */
static bool
is_row(const Fixture *f, const ForestScores *s, size_t i, uint32_t row, const double *expected)
{
	const ForestTraining *t = &f->training;
	const TrainingChunk *chunk = training_chunk(t, row);
	uint32_t	place = training_in_chunk(t, row);
	bool		same = memcmp(s->outputs + i * s->n_outputs, expected,
							  s->n_outputs * sizeof(double)) == 0;

	if (t->schema.n_classes > 0)
		same = same && s->label[i] == chunk->label[place] && s->target == NULL;
	else
		same = same && s->target[i] == t->target_value[row] && s->label == NULL;
	return same && (t->weighted ? s->weight[i] == t->row_weight[row] : s->weight == NULL);
}

static size_t
check_holdout(const Fixture *f, const Host *host, const ForestModel *model)
{
	ForestScores s;
	double		expected[8];
	size_t		n_wrong = 0;
	uint32_t	n_test = f->training.n_rows - f->training.n_train;

	n_wrong += forest_holdout_scores(host, &f->training, model, &s, NULL) != STATUS_OK;
	n_wrong += s.n != n_test || s.n_outputs != model->n_outputs || s.n_uncovered != 0;
	for (uint32_t i = 0; i < n_test; i++)
	{
		uint32_t	row = f->training.n_train + i;

		fixture_reference(f, training_bins(&f->training, row), NULL, expected);
		n_wrong += !is_row(f, &s, i, row, expected);
	}
	forest_scores_free(host, &s);
	return n_wrong;
}

/* Which trees left a row out, by the counts that growing uses. */
static void
left_out(const ForestTraining *t, uint32_t row, bool *out)
{
	const TrainingChunk *chunk = training_chunk(t, row);
	uint32_t	place = training_in_chunk(t, row);

	for (uint32_t tree = 0; tree < t->settings.n_estimators; tree++)
	{
		uint64_t	key = rng_purpose_key(t->settings.seed, RNG_BOOTSTRAP, tree);

		out[tree] = training_count(&t->settings, rng_row_draw(key, chunk->keys[place])) == 0 ||
			(chunk->weight != NULL && chunk->weight[place] == 0);
	}
}

static size_t
check_oob(const Fixture *f, const Host *host, const ForestModel *model, size_t *n_uncovered)
{
	ForestScores s;
	double		expected[8];
	bool		use[64];
	size_t		n_wrong = 0;
	size_t		n = 0;

	n_wrong += forest_oob_scores(host, &f->training, model, &s, NULL) != STATUS_OK;
	for (uint32_t row = 0; row < f->training.n_train && f->training.settings.bootstrap; row++)
	{
		left_out(&f->training, row, use);
		if (fixture_reference(f, training_bins(&f->training, row), use, expected) == 0)
			continue;
		n_wrong += n >= s.n || !is_row(f, &s, n, row, expected);
		n++;
	}
	n_wrong += s.n != n || s.n_uncovered != f->training.n_train - n;
	*n_uncovered += s.n_uncovered;
	forest_scores_free(host, &s);
	return n_wrong;
}

static void
test_scores(void)
{
	size_t		n_holdout = 0;
	size_t		n_oob = 0;
	size_t		n_leaks = 0;
	size_t		n_uncovered = 0;

	for (uint64_t seed = 0; seed < test_amount(40, 12); seed++)
	{
		const FixtureSpec spec = some_spec(seed);
		Fixture		f;
		TestHost	t;
		ForestModel *model;

		fixture_begin(&f, &spec);
		test_host_begin(&t);
		model = fixture_model(&f, &t.host);
		n_holdout += check_holdout(&f, &t.host, model);
		n_oob += check_oob(&f, &t.host, model, &n_uncovered);
		forest_model_free(model);
		n_leaks += !test_host_end(&t) || !fixture_end(&f);
	}
	tap_is_int(n_holdout, 0, "the holdout's scores, labels and weights");
	tap_is_int(n_oob, 0, "each training row by the trees that left it out");
	tap_ok(n_uncovered > 0, "rows that no tree left out are counted");
	tap_is_int(n_leaks, 0, "no leak");
}

static void
test_many_blocks(void)
{
	const FixtureSpec spec = {.seed = 6, .n_classes = 2, .n_features = 4, .n_trees = 5,
		.depth = 3, .bootstrap = true, .n_train = 3000, .n_test = 1, .chunk_shift = 10};
	Fixture		f;
	ForestModel *model;
	size_t		n_uncovered = 0;

	fixture_begin(&f, &spec);
	model = fixture_model(&f, f.training.host);
	tap_is_int(check_oob(&f, f.training.host, model, &n_uncovered), 0, "blocks follow each other");
	tap_ok(n_uncovered > 200 && n_uncovered < 400, "a share of (1 - 1/e)^5 is not covered");
	forest_model_free(model);
	tap_ok(fixture_end(&f), "no leak");
}

typedef struct Call
{
	const Fixture *f;
	const ForestModel *model;
} Call;

static Status
holdout_it(const Host *host, void *arg, Failure *why)
{
	const Call *call = arg;
	ForestScores s;
	Status		status = forest_holdout_scores(host, &call->f->training, call->model, &s, why);

	if (status == STATUS_OK)
		forest_scores_free(host, &s);
	return status;
}

static Status
oob_it(const Host *host, void *arg, Failure *why)
{
	const Call *call = arg;
	ForestScores s;
	Status		status = forest_oob_scores(host, &call->f->training, call->model, &s, why);

	if (status == STATUS_OK)
		forest_scores_free(host, &s);
	return status;
}

static void
test_sweeps(void)
{
	const FixtureSpec spec = {.seed = 7, .n_classes = 3, .n_features = 4, .n_trees = 6,
		.depth = 3, .bootstrap = true, .weighted = true, .n_train = 200, .n_test = 100};
	const FixtureSpec other = {.seed = 7, .n_classes = 3, .n_features = 5, .n_trees = 6};
	Fixture		f;
	Fixture		g;
	ForestModel *model;
	ForestScores s;
	Failure		why;
	Call		call = {&f, NULL};

	fixture_begin(&f, &spec);
	fixture_begin(&g, &other);
	call.model = model = fixture_model(&f, f.training.host);
	tap_ok(test_sweep(holdout_it, &call, 3, 2), "holdout scores survive refusal and cancel");
	tap_ok(test_sweep(oob_it, &call, 6, 2), "out-of-bag scores survive refusal and cancel");
	tap_is_int(forest_oob_scores(f.training.host, &g.training, model, &s, &why),
			   STATUS_INVALID_PARAMETER, "a model of another training is refused");
	forest_model_free(model);
	tap_ok(fixture_end(&f) && fixture_end(&g), "no leak");
}

int
main(void)
{
	test_scores();
	test_many_blocks();
	test_sweeps();
	return tap_done();
}
