/*
 * test_share.c
 *	  A training described in bytes, and attached to elsewhere.
 */
#include <stdlib.h>

#include "tap.h"
#include "train_fixture.h"

#include "core/memory.h"

#define N 600

typedef struct Sample
{
	double		x[N * 4];
	double		y[N];
	double		weight[N];
	TrainData	data;
} Sample;

static void
make_sample(Sample *s, uint32_t n_classes, bool weighted, const char *params)
{
	uint64_t	state = 8;

	for (uint32_t i = 0; i < N; i++)
	{
		for (uint32_t c = 0; c < 4; c++)
			s->x[4 * i + c] = train_below(&state, 8) == 0 ? NAN
				: c == 3 ? train_below(&state, 9) : train_below(&state, 300);
		s->y[i] = n_classes > 0 ? train_below(&state, n_classes) : train_unit(&state);
		s->weight[i] = train_below(&state, 3);
	}
	s->data = (TrainData) {.n = N,.p = 4,.x = s->x,.kinds = "nnnc",.y = s->y,
		.n_classes = n_classes,.weight = weighted ? s->weight : NULL,.params = params,
		.split = {.kind = FOREST_SPLIT_HASH, .test_size = 0.25, .split_seed = 0}};
}

/* Copies of the chunks of a training, each in a block of its very size. */
typedef struct Chunks
{
	void	   *blocks[8];
	uint32_t	n;
} Chunks;

static void
copy_chunks(Chunks *c, const ForestTraining *training)
{
	c->n = forest_training_n_chunks(training);
	for (uint32_t i = 0; i < c->n && i < 8; i++)
	{
		size_t		n_bytes;
		void	   *chunk = forest_training_chunk(training, i, &n_bytes);

		c->blocks[i] = malloc(n_bytes);
		memcpy(c->blocks[i], chunk, n_bytes);
	}
}

static void
free_chunks(Chunks *c)
{
	for (uint32_t i = 0; i < c->n; i++)
		free(c->blocks[i]);
}

/* Trees grown over an attached training are those of the training itself. */
static void
check_share(const char *name, uint32_t n_classes, bool weighted, const char *params)
{
	static Sample s;
	Train		t;
	TestHost	worker;
	ForestTraining *attached;
	ForestGrower *grower = NULL;
	Chunks		chunks;
	uint8_t    *bytes;
	size_t		n_bytes;
	size_t		capacity;
	uint8_t    *again;
	size_t		n_again;
	size_t		again_capacity;
	Failure		why = {0};
	int			n_wrong = 0;

	make_sample(&s, n_classes, weighted, params);
	train_begin(&t, &s.data);
	tap_is_int(forest_training_share(t.training, &bytes, &n_bytes, &capacity, &why), STATUS_OK,
			   "%s: share", name);
	copy_chunks(&chunks, t.training);
	test_host_begin(&worker);
	tap_is_int(forest_training_attach(&worker.host, bytes, n_bytes, chunks.blocks, chunks.n,
									  &attached, &why), STATUS_OK, "%s: attach", name);
	if (attached != NULL)
	{
		tap_ok(memcmp(&attached->settings, &t.training->settings, sizeof(GrowSettings)) == 0,
			   "%s: the same settings", name);
		tap_is_int(forest_training_share(attached, &again, &n_again, &again_capacity, &why),
				   STATUS_OK, "%s: share again", name);
		tap_ok(n_again == n_bytes && memcmp(again, bytes, n_bytes) == 0, "%s: the same bytes",
			   name);
		memory_free(&worker.host, again, again_capacity, 1);
	}
	memset(bytes, 0xEE, n_bytes);
	memory_free(&t.host.host, bytes, capacity, 1);
	if (attached != NULL)
		(void) forest_grower_new(&worker.host, attached, &grower, &why);
	for (uint32_t i = t.training->settings.n_estimators; i-- > 0 && grower != NULL;)
	{
		ForestBlob	blob = {0};

		n_wrong += train_grow(grower, &worker.host, i, &blob, &why) != STATUS_OK ||
			blob.n_bytes != t.trees[i].n_bytes ||
			memcmp(blob.bytes, t.trees[i].bytes, blob.n_bytes) != 0;
		train_blob_free(&worker.host, &blob);
	}
	tap_ok(grower != NULL && n_wrong == 0, "%s: the same trees", name);
	forest_grower_free(grower);
	forest_training_free(attached);
	tap_ok(test_host_end(&worker), "no leak");
	free_chunks(&chunks);
	tap_ok(train_end(&t), "no leak");
}

static void
test_share(void)
{
	check_share("two classes", 2, false, "n_estimators=4");
	check_share("two classes, limits", 2, false, "n_estimators=3 max_depth=4 min_samples_leaf=3 "
				"min_impurity_decrease=0.001 ccp_alpha=0.004 max_features=2 random_state=9");
	check_share("weights", 2, true, "n_estimators=4 class_weight={k000:2}");
	check_share("monotonic", 2, true, "n_estimators=4 monotonic_cst=[1,-1,0,0]");
	check_share("classes", 5, true, "n_estimators=4 class_weight=balanced_subsample");
	check_share("classes, best first", 5, false, "n_estimators=4 max_leaf_nodes=20");
	check_share("regression", 0, false, "n_estimators=4 max_samples=0.5");
	check_share("regression, random", 0, true, "n_estimators=4 splitter=random");
	check_share("poisson", 0, true, "n_estimators=4 criterion=poisson max_samples=200");
}

/* What is cut off anywhere, or too long, is refused. */
static void
test_damaged(void)
{
	static Sample s;
	Train		t;
	TestHost	worker;
	ForestTraining *attached;
	Chunks		chunks;
	uint8_t    *bytes;
	uint8_t    *cut;
	size_t		n_bytes;
	size_t		capacity;
	Failure		why;
	int			n_wrong = 0;

	make_sample(&s, 3, true, "class_weight=balanced splitter=random");
	train_begin(&t, &s.data);
	(void) forest_training_share(t.training, &bytes, &n_bytes, &capacity, &why);
	copy_chunks(&chunks, t.training);
	test_host_begin(&worker);
	for (size_t n = 0; n < n_bytes; n += n < 400 ? 1 : 37)
	{
		cut = malloc(n + 1);
		memcpy(cut, bytes, n);
		n_wrong += forest_training_attach(&worker.host, cut, n, chunks.blocks, chunks.n,
										  &attached, &why) != STATUS_CORRUPT;
		n_wrong += attached != NULL || worker.n_blocks != 0;
		free(cut);
	}
	tap_is_int(n_wrong, 0, "a description that is cut off");
	cut = calloc(n_bytes + 1, 1);
	memcpy(cut, bytes, n_bytes);
	tap_is_int(forest_training_attach(&worker.host, cut, n_bytes + 1, chunks.blocks, chunks.n,
									  &attached, &why), STATUS_CORRUPT, "and one too long");
	free(cut);
	tap_ok(test_host_end(&worker), "no leak");
	memory_free(&t.host.host, bytes, capacity, 1);
	free_chunks(&chunks);
	tap_ok(train_end(&t), "no leak");
}

/* -------------------------------------------------------------- failures -- */

typedef struct Shared
{
	Train	   *train;
	uint8_t    *bytes;
	size_t		n_bytes;
	Chunks		chunks;
} Shared;

static Status
attach(const Host *host, void *arg, Failure *why)
{
	Shared	   *shared = arg;
	ForestTraining *attached;
	Status		status = forest_training_attach(host, shared->bytes, shared->n_bytes,
												shared->chunks.blocks, shared->chunks.n,
												&attached, why);

	if (status == STATUS_OK)
		forest_training_free(attached);
	return status;
}

/* Sharing allocates on the training's own host: prepare there, too. */
static Status
share(const Host *host, void *arg, Failure *why)
{
	ForestTraining *training;
	uint8_t    *bytes;
	size_t		n_bytes;
	size_t		capacity;
	Status		status = train_new(host, host, arg, &training, why);

	if (status != STATUS_OK)
		return status;
	status = forest_training_share(training, &bytes, &n_bytes, &capacity, why);
	if (status == STATUS_OK)
		memory_free(host, bytes, capacity, 1);
	forest_training_free(training);
	return status;
}

static void
test_failures(void)
{
	static Sample s;
	Train		t;
	Shared		shared = {.train = &t};
	size_t		capacity;
	Failure		why;

	make_sample(&s, 3, true, "class_weight=balanced splitter=random");
	train_begin(&t, &s.data);
	(void) forest_training_share(t.training, &shared.bytes, &shared.n_bytes, &capacity, &why);
	copy_chunks(&shared.chunks, t.training);
	tap_ok(test_sweep_memory(attach, &shared, 15), "survives refusal: attach");
	memory_free(&t.host.host, shared.bytes, capacity, 1);
	free_chunks(&shared.chunks);
	tap_ok(train_end(&t), "no leak");
	tap_ok(test_sweep_memory(share, &s.data, 50), "survives refusal: share");
}

int
main(void)
{
	test_share();
	test_damaged();
	test_failures();
	return tap_done();
}
