/*
 * test_part.c
 *	  Parts of a training: they are what training on those rows alone is, and
 *	  pieces of a forest add up to the whole.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"
#include "train_fixture.h"

#include "core/memory.h"

#define N 400
#define P 4
#define TREES 6

/* Few values, so that most rows have them all, and bins agree. */
typedef struct Rows
{
	double		x[N * P];
	double		y[N];
	double		weight[N];
	double		group[N];
	double		time[N];
} Rows;

static void
fill(Rows *rows, uint32_t n_classes)
{
	uint64_t	state = 17;

	for (uint32_t i = 0; i < N; i++)
	{
		double		sum = 0;

		for (uint32_t c = 0; c < P; c++)
		{
			rows->x[i * P + c] = train_below(&state, 7);
			sum += rows->x[i * P + c] * (c + 1);
			if (c == 1 && train_below(&state, 9) == 0)
				rows->x[i * P + c] = NAN;
		}
		rows->y[i] = n_classes == 0 ? sum + train_unit(&state)
			: (double) ((uint32_t) (sum / 10 + train_unit(&state) * 3) % n_classes);
		rows->weight[i] = 1 + train_below(&state, 4);
		rows->group[i] = i / 4;
		rows->time[i] = (i * 31) % N;
	}
}

static TrainData
data_of(const Rows *rows, uint32_t n_classes, bool weighted, const char *params)
{
	return (TrainData) {.n = N, .p = P, .x = rows->x, .kinds = "nnni", .y = rows->y,
		.n_classes = n_classes, .weight = weighted ? rows->weight : NULL, .params = params,
		/* different in every row, so that none is another's double */
		.time = rows->time,
		.split = {.for_search = true}};
}

/* Grow the trees of a part; how many differ from those of another training. */
static size_t
other_trees(const Host *host, const ForestTraining *part, const Train *expected)
{
	ForestGrower *grower;
	size_t		n_wrong = part->settings.n_estimators != expected->training->settings.n_estimators;

	if (forest_grower_new(host, part, &grower, NULL) != STATUS_OK)
		return SIZE_MAX;
	for (uint32_t i = 0; i < part->settings.n_estimators; i++)
	{
		ForestBlob	blob;

		if (train_grow(grower, host, i, &blob, NULL) != STATUS_OK)
			return SIZE_MAX;
		n_wrong += blob.n_bytes != expected->trees[i].n_bytes ||
			memcmp(blob.bytes, expected->trees[i].bytes, blob.n_bytes) != 0;
		train_blob_free(host, &blob);
	}
	forest_grower_free(grower);
	return n_wrong;
}

/*
 * Is a part, of three rows in four or of all, what training on these rows with
 * its parameters is?  The training it is of has other ones.
 */
static void
check_part(uint32_t n_classes, bool weighted, const char *other, const char *params, bool all,
		   const char *name)
{
	Rows	   *rows = malloc(sizeof(Rows));
	uint32_t   *row_of = malloc(N * sizeof(uint32_t));
	uint8_t		sides[N];
	TrainData	data;
	Train		whole;
	Train		plain;
	ForestParams *wanted;
	ForestTraining *part;
	Failure		why = {0};
	size_t		n_test = 0;

	fill(rows, n_classes);
	data = data_of(rows, n_classes, weighted, other);
	/* the codes of categories follow from how frequent they are */
	data.kinds = all ? "nnnc" : "nnni";
	train_begin(&whole, &data);
	train_rows(&whole, &data, row_of);
	for (uint32_t i = 0; i < N; i++)
	{
		sides[i] = all || row_of[i] % 4 != 1 ? FOREST_SIDE_TRAIN
			: row_of[i] % 8 == 1 ? FOREST_SIDE_TEST : FOREST_SIDE_NONE;
		n_test += sides[i] == FOREST_SIDE_TEST;
	}
	data.params = params;
	for (uint32_t i = 0; i < N; i++)
		if (!all && i % 4 == 1)
			rows->y[i] = NAN;
	data.split.for_search = false;
	train_begin(&plain, &data);
	if (train_params(&whole.host.host, &data, &wanted, &why) != STATUS_OK)
		abort();
	tap_is_int(forest_training_part(&whole.host.host, &whole.storage.host, whole.training,
									all ? NULL : sides, wanted, &part, &why), STATUS_OK,
			   "%s: a part is made", name);
	tap_is_int(other_trees(&whole.host.host, part, &plain), 0, "%s: its trees are those of its rows",
			   name);
	tap_is_int(part->n_rows - part->n_train, n_test, "%s: it has its test rows", name);
	tap_ok(forest_training_owns_rows(part) == (!all || n_classes == 0),
		   "%s: rows are copied where they must be", name);
	forest_training_free(part);
	forest_params_free(&whole.host.host, wanted);
	tap_ok(train_end(&plain), "%s: no leak", name);
	tap_ok(train_end(&whole), "%s: nor of the whole", name);
	free(rows);
	free(row_of);
}

/* ----------------------------------------------------------------- pieces -- */

/* A model of some trees. */
static ForestModel *
model_of(const Host *host, const ForestTraining *part, const ForestBlob *trees)
{
	ForestArtifact artifact;
	ForestModel *model;

	if (forest_assemble(host, part, trees, &artifact, NULL) != STATUS_OK ||
		forest_decode(host, artifact.bytes, artifact.n_bytes, &model, NULL) != STATUS_OK)
		abort();
	memory_free(host, artifact.bytes, artifact.capacity, 1);
	return model;
}

/* Do two sets of scores agree to the bit? */
static bool
same_scores(const ForestScores *a, const ForestScores *b)
{
	return a->n == b->n && a->n_outputs == b->n_outputs && a->n_uncovered == b->n_uncovered &&
		memcmp(a->outputs, b->outputs, a->n * a->n_outputs * sizeof(double)) == 0;
}

/* Trees in pieces of 1, 3 and 2: the same trees, and the same out-of-bag scores. */
static void
check_pieces(uint32_t n_classes, const char *params, const char *name)
{
	static const uint32_t pieces[] = {1, 3, 2};
	Rows	   *rows = malloc(sizeof(Rows));
	TrainData	data;
	Train		train;
	const Host *host;
	ForestParams *wanted;
	ForestTraining *part;
	ForestTally *tally;
	ForestModel *model;
	ForestScores expected;
	ForestScores scores = {0};
	size_t		n_wrong = 0;
	uint32_t	first = 0;
	ForestGrower *grower;

	fill(rows, n_classes);
	data = data_of(rows, n_classes, n_classes == 3, params);
	train_begin(&train, &data);
	host = &train.host.host;
	model = train_model(&train);
	if (forest_oob_scores(host, train.training, model, &expected, NULL) != STATUS_OK ||
		train_params(host, &data, &wanted, NULL) != STATUS_OK ||
		forest_training_part(host, &train.storage.host, train.training, NULL, wanted, &part,
							 NULL) != STATUS_OK ||
		forest_tally_new(host, part, &tally, NULL) != STATUS_OK)
		abort();
	forest_model_free(model);
	for (int piece = 0; piece < 3; piece++)
	{
		ForestBlob	blobs[3];

		forest_training_set_trees(part, first, pieces[piece]);
		if (forest_grower_new(host, part, &grower, NULL) != STATUS_OK)
			abort();
		for (uint32_t i = 0; i < pieces[piece]; i++)
		{
			if (train_grow(grower, host, i, &blobs[i], NULL) != STATUS_OK)
				abort();
			n_wrong += blobs[i].n_bytes != train.trees[first + i].n_bytes ||
				memcmp(blobs[i].bytes, train.trees[first + i].bytes, blobs[i].n_bytes) != 0;
		}
		forest_grower_free(grower);
		model = model_of(host, part, blobs);
		for (uint32_t i = 0; i < pieces[piece]; i++)
			train_blob_free(host, &blobs[i]);
		forest_scores_free(host, &scores);
		if (forest_tally_add(tally, model, NULL) != STATUS_OK ||
			forest_tally_scores(tally, model, &scores, NULL) != STATUS_OK)
			abort();
		forest_model_free(model);
		first += pieces[piece];
	}
	tap_is_int(n_wrong, 0, "%s: pieces have the trees of the whole", name);
	tap_ok(same_scores(&scores, &expected), "%s: and their scores add up to its own", name);
	forest_scores_free(host, &scores);
	forest_scores_free(host, &expected);
	forest_tally_free(tally);
	forest_training_free(part);
	forest_params_free(host, wanted);
	tap_ok(train_end(&train), "%s: no leak", name);
	free(rows);
}

/* ------------------------------------------------------------------ errors -- */

static void
check_refusals(void)
{
	Rows	   *rows = malloc(sizeof(Rows));
	TrainData	data;
	Train		train;
	ForestParams *params;
	ForestTraining *part;
	uint8_t		sides[N] = {0};
	ForestFoldRows fold_rows;
	Failure		why;

	fill(rows, 2);
	data = data_of(rows, 2, false, "n_estimators=1");
	data.group = rows->group;
	data.time = rows->time;
	train_begin(&train, &data);
	if (train_params(&train.host.host, &data, &params, NULL) != STATUS_OK)
		abort();
	tap_is_int(forest_training_part(&train.host.host, &train.storage.host, train.training, sides,
									params, &part, &why), STATUS_INVALID_DATA,
			   "a part without rows is refused");
	tap_is_text(why.text, "no row is left for training", "with its text");
	for (uint32_t i = 0; i < N; i++)
		if (training_chunk(train.training, i)->label[training_in_chunk(train.training, i)] == 1)
			sides[i] = FOREST_SIDE_TRAIN;
	tap_is_int(forest_training_part(&train.host.host, &train.storage.host, train.training, sides,
									params, &part, &why), STATUS_INVALID_DATA,
			   "and one of one class");
	tap_is_text(why.text, "the target has one class only, \"k001\", in the training rows",
				"which is named");

	tap_is_int(forest_fold_rows(&train.host.host, train.training, &fold_rows, &why), STATUS_OK,
			   "rows to divide have what divides them");
	tap_ok(fold_rows.n == N && fold_rows.label != NULL && fold_rows.group != NULL &&
		   fold_rows.time != NULL, "keys, classes, groups and times");
	{
		uint32_t	n_groups = 0;
		bool		latest = true;

		for (uint32_t i = 0; i < N; i++)
		{
			bool		seen = false;

			for (uint32_t j = 0; j < N; j++)
				if (fold_rows.group[j] == fold_rows.group[i])
				{
					seen |= j < i;
					latest &= fold_rows.time[j] == fold_rows.time[i];
				}
			n_groups += !seen;
		}
		tap_is_int(n_groups, N / 4, "as many groups as there are");
		tap_ok(latest, "all rows of a group have its latest time");
	}
	forest_fold_rows_free(&train.host.host, &fold_rows);
	forest_params_free(&train.host.host, params);
	tap_ok(train_end(&train), "no leak");
	free(rows);
}

/* What the sweep works on. */
typedef struct Sweep
{
	Train		train;
	ForestParams *params;
	uint8_t		sides[N];
} Sweep;

/* TestCall */
static Status
make_part(const Host *host, void *arg, Failure *why)
{
	Sweep	   *s = arg;
	ForestTraining *part;
	ForestFoldRows rows;
	Status		status = forest_training_part(host, host, s->train.training, s->sides, s->params,
											  &part, why);

	if (status == STATUS_OK)
	{
		forest_training_free(part);
		status = forest_fold_rows(host, s->train.training, &rows, why);
	}
	if (status == STATUS_OK)
		forest_fold_rows_free(host, &rows);
	return status;
}

static void
check_sweep(void)
{
	Rows	   *rows = malloc(sizeof(Rows));
	Sweep	   *s = malloc(sizeof(Sweep));
	TrainData	data;

	fill(rows, 2);
	data = data_of(rows, 2, true, "n_estimators=1 class_weight=balanced");
	data.group = rows->group;
	train_begin(&s->train, &data);
	if (train_params(&s->train.host.host, &data, &s->params, NULL) != STATUS_OK)
		abort();
	for (uint32_t i = 0; i < N; i++)
		s->sides[i] = FOREST_SIDE_TRAIN + i % 3 / 2;
	tap_ok(test_sweep(make_part, s, 8, 1), "survives refusal and cancel");
	forest_params_free(&s->train.host.host, s->params);
	tap_ok(train_end(&s->train), "no leak");
	free(rows);
	free(s);
}

int
main(void)
{
	for (int all = 0; all <= 1; all++)
	{
		check_part(2, false, "max_depth=2", "n_estimators=6", all, "two classes");
		check_part(2, false, "", "n_estimators=6 bootstrap=false max_features=0.5", all,
				   "no bootstrap");
		check_part(2, true, "", "n_estimators=6 class_weight=balanced min_samples_leaf=0.02", all,
				   "weights");
		check_part(3, false, "", "n_estimators=6 class_weight=balanced_subsample", all,
				   "three classes");
		check_part(3, true, "criterion=entropy", "n_estimators=6 max_leaf_nodes=9", all,
				   "three weighted classes");
		check_part(0, false, "", "n_estimators=6 max_depth=5", all, "regression");
		check_part(0, true, "criterion=poisson", "n_estimators=6 max_samples=0.5", all,
				   "weighted regression, of a Poisson one");
		check_part(0, false, "", "n_estimators=6 criterion=poisson", all, "Poisson regression");
		check_part(2, false, "", "n_estimators=6 splitter=random monotonic_cst={x0:1}", all,
				   "random splits with a constraint");
	}
	check_pieces(2, "n_estimators=6", "two classes");
	check_pieces(3, "n_estimators=6", "three classes");
	check_pieces(0, "n_estimators=6", "regression");
	check_refusals();
	check_sweep();
	return tap_done();
}
