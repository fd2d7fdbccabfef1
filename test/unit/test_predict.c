/*
 * test_predict.c
 *	  Blocks and nodes, with every instruction set, against a walk over the
 *	  bytes of the trees.
 */
#include <stdlib.h>

#include "forest_fixture.h"
#include "tap.h"


#include "core/memory.h"
#include "forest/blocks_tile.h"
#include "forest/model.h"

#define MAX_ROWS 700

/* Forests of every shape. */
static FixtureSpec
some_spec(uint64_t seed)
{
	return (FixtureSpec) {.seed = seed, .n_classes = (uint32_t[]) {2, 0, 3, 2, 11, 40}[seed % 6],
		.n_features = 1 + (uint32_t) (seed * 7 % 23), .categories = seed % 4 != 3,
		.max_categories = (uint32_t[]) {0, 8, 40}[seed % 3],
		.n_trees = 1 + (uint32_t) (seed * 5 % 40), .depth = (uint32_t) (seed % 12),
		.full = seed % 3 == 0 && seed % 12 < 9};
}

/* A forest, its rows, and what they score. */
typedef struct Scored
{
	Fixture		f;
	size_t		n_rows;
	uint8_t    *rows;
	double	   *expected;
} Scored;

static void
scored_begin(Scored *s, const FixtureSpec *spec, size_t n_rows)
{
	size_t		n_outputs = spec->n_classes > 2 ? spec->n_classes : 1;
	size_t		row_bytes;

	fixture_begin(&s->f, spec);
	row_bytes = s->f.training.row_bytes;
	s->n_rows = n_rows;
	s->rows = malloc(n_rows * row_bytes);
	s->expected = malloc(n_rows * n_outputs * sizeof(double));
	for (size_t i = 0; i < n_rows; i++)
	{
		fixture_row(&s->f, s->rows + i * row_bytes);
		fixture_reference(&s->f, s->rows + i * row_bytes, NULL, s->expected + i * n_outputs);
	}
}

static size_t
scored_end(Scored *s)
{
	free(s->rows);
	free(s->expected);
	return !fixture_end(&s->f);
}

/* Calls that score a row otherwise than the reference does, in calls of n rows. */
static size_t
count_wrong(const Scored *s, const ForestModel *model, size_t n)
{
	static double out[MAX_ROWS * 64];
	size_t		n_wrong = 0;

	for (size_t first = 0; first < s->n_rows; first += n)
	{
		size_t		n_now = s->n_rows - first < n ? s->n_rows - first : n;

		forest_score(model, s->rows + first * model->row_bytes, n_now, out);
		n_wrong += memcmp(out, s->expected + first * model->n_outputs,
						  n_now * model->n_outputs * sizeof(double)) != 0;
	}
	return n_wrong;
}

/* An opened model that is told of its rows needs the artifact only at first. */
static size_t
count_wrong_of_opened(const Scored *s, ForestModel *model)
{
	size_t		n_wrong = !forest_model_is_bytes(model);

	for (size_t i = 0; i < 2 * s->n_rows && forest_model_is_bytes(model); i++)
	{
		forest_expect(model, 1);
		n_wrong += count_wrong(s, model, s->n_rows);
	}
	forest_expect(model, SIZE_MAX);
	n_wrong += forest_model_is_bytes(model) + count_wrong(s, model, s->n_rows);
	return n_wrong;
}

/* The same on every level, of all forms. */
static size_t
count_wrong_everywhere(Scored *s, const size_t *calls, size_t n_calls)
{
	const Host *host = s->f.training.host;
	ForestArtifact artifact;
	ForestModel *models[3];
	size_t		n_wrong = 0;

	models[0] = fixture_model(&s->f, host);
	models[1] = fixture_model_of_nodes(&s->f, host);
	models[2] = fixture_model_of_bytes(&s->f, host, &artifact);
	n_wrong += models[0]->row_bytes != s->f.training.row_bytes || blocks_used(&models[1]->blocks);
	for (CpuLevel level = CPU_PORTABLE; level <= cpu_level(CPU_BEST); level++)
		for (int form = 0; form < 3; form++)
			for (size_t i = 0; i < n_calls; i++)
			{
				s->f.test_host.host.cpu_limit = level;
				n_wrong += count_wrong(s, models[form], calls[i]);
			}
	s->f.test_host.host.cpu_limit = CPU_BEST;
	n_wrong += count_wrong_of_opened(s, models[2]);
	memory_free(host, artifact.bytes, artifact.capacity, 1);
	for (int form = 0; form < 3; form++)
		forest_model_free(models[form]);
	return n_wrong;
}

static void
test_engines(void)
{
	static const size_t calls[] = {1, 2, 11, 12, 13, 24, 255, 256, 257, 512, 513, MAX_ROWS};
	size_t		n_wrong = 0;

	for (uint64_t seed = 0; seed < test_amount(72, 12); seed++)
	{
		const FixtureSpec spec = some_spec(seed);
		Scored		s;

		scored_begin(&s, &spec, seed % 8 == 0 ? test_amount(MAX_ROWS, 260) : 37);
		n_wrong += count_wrong_everywhere(&s, calls, sizeof(calls) / sizeof(calls[0]));
		n_wrong += scored_end(&s);
	}
	tap_is_int(n_wrong, 0, "equal bits, whatever the forest and the number of rows");
}

/* Tables of every shape: few and many features, numbers and categories, planes of sets. */
static void
test_shapes(void)
{
	static const size_t calls[] = {1, 37};
	size_t		n_of[BLOCK_64_64 + 1] = {0};
	size_t		n_planes[BLOCK_MAX_PLANES + 1] = {0};
	size_t		n_nodes = 0;
	size_t		n_wrong = 0;

	for (uint64_t seed = 2000; seed < 2140; seed += test_amount(1, 5))
	{
		FixtureSpec spec = some_spec(seed);
		Scored		s;
		ForestModel *model;

		spec.n_features = (uint32_t[]) {1, 15, 16, 23, 31, 32, 33, 40, 63, 64, 65, 90}[seed / 3 % 12];
		spec.max_categories = (uint32_t[]) {3, 7, 8, 15, 24, 60, 0}[seed % 7];
		spec.n_categories = (uint32_t[]) {0, 6, 18}[seed % 3];
		spec.n_trees = (uint32_t[]) {16, 17, 100, 128, 129, 300}[seed / 6 % 6];
		spec.depth = (uint32_t) (seed % 8);
		scored_begin(&s, &spec, test_amount(37, 13));
		model = fixture_model(&s.f, s.f.training.host);
		if (blocks_used(&model->blocks))
		{
			n_of[model->blocks.shape]++;
			n_planes[model->blocks.n_planes]++;
		}
		else
			n_nodes++;
		forest_model_free(model);
		n_wrong += count_wrong_everywhere(&s, calls, 2);
		n_wrong += scored_end(&s);
	}
	tap_is_int(n_wrong, 0, "equal bits, whatever the features");
	for (size_t i = 0; i <= BLOCK_64_64; i++)
		tap_ok(n_of[i] > 0, "shape %zu was there", i);
	for (size_t i = 1; i <= 4; i++)
		tap_ok(n_planes[i] > 0, "%zu planes were there", i);
	tap_ok(n_nodes > 1, "and models that do not fit");
}

/* Tiles of every size: many columns, up to eight planes, several classes. */
static void
test_tiles(void)
{
	static const size_t calls[] = {31, 32, 33, 63, 64, 65, 255, 256, 257, MAX_ROWS};
	size_t		n_planes[BLOCK_MAX_PLANES + 1] = {0};
	size_t		n_rooms[BLOCK_TILE / BLOCK_TILE_STEP + 1] = {0};
	size_t		n_wrong = 0;

	for (uint64_t seed = 4000; seed < 4048; seed += test_amount(1, 5))
	{
		FixtureSpec spec = some_spec(seed);
		Scored		s;
		ForestModel *model;

		spec.n_classes = (uint32_t[]) {2, 0, 3, 2, 11, 40}[seed / 8 % 6];
		spec.n_features = (uint32_t[]) {3, 17, 40, 64}[seed % 4];
		spec.max_categories = 7 + 8 * (uint32_t) (seed % BLOCK_MAX_PLANES);
		spec.n_categories = (uint32_t[]) {1, 3, 20, 64}[seed / 2 % 4];
		spec.n_categories = spec.n_categories < spec.n_features ? spec.n_categories : spec.n_features;
		spec.categories = true;
		spec.n_trees = 1 + (uint32_t) (seed % 3) * 40;
		spec.depth = 1 + (uint32_t) (seed % 10);
		scored_begin(&s, &spec, test_amount(MAX_ROWS, 257));
		model = fixture_model(&s.f, s.f.training.host);
		if (model->blocks.even)
		{
			n_planes[model->blocks.n_planes]++;
			n_rooms[blocks_tile_room(&model->blocks, CPU_AVX2) / BLOCK_TILE_STEP]++;
		}
		forest_model_free(model);
		n_wrong += count_wrong_everywhere(&s, calls, sizeof(calls) / sizeof(calls[0]));
		n_wrong += scored_end(&s);
	}
	tap_is_int(n_wrong, 0, "equal bits, whatever a tile has");
	/* one seed in five does not have them all */
	if (test_amount(1, 0) == 0)
		return;
	for (size_t i = 1; i <= BLOCK_MAX_PLANES; i++)
		tap_ok(n_planes[i] > 0, "tiles of %zu planes were there", i);
	tap_ok(n_rooms[1] > 0 && n_rooms[BLOCK_TILE / BLOCK_TILE_STEP] > 0,
		   "the smallest tiles were there, and the largest");
}

/* Trees of many blocks, small ones put together. */
static void
test_deep(void)
{
	static const size_t calls[] = {1, 37};
	size_t		n_wrong = 0;
	uint32_t	deepest = 0;

	for (uint64_t seed = 3000; seed < 3060; seed += test_amount(1, 19))
	{
		FixtureSpec spec = some_spec(seed);
		Scored		s;

		spec.full = false;
		spec.thin = true;
		spec.depth = 9 + (uint32_t) (seed % 22);
		spec.n_features = 3 + (uint32_t) (seed % 9);
		scored_begin(&s, &spec, test_amount(37, 13));
		if (deepest < s.f.max_depth)
			deepest = s.f.max_depth;
		n_wrong += count_wrong_everywhere(&s, calls, 2);
		n_wrong += scored_end(&s);
	}
	tap_is_int(n_wrong, 0, "equal bits, however deep");
	tap_is_int(deepest, 30, "deep ones were there");
}

/* Levels on which a row's score is not the expected one. */
static size_t
count_wrong_bits(Fixture *f, const ForestModel *model, const uint8_t *row, double expected)
{
	size_t		n_wrong = 0;

	for (CpuLevel level = CPU_PORTABLE; level <= cpu_level(CPU_BEST); level++)
	{
		double		out;

		f->test_host.host.cpu_limit = level;
		forest_score(model, row, 1, &out);
		n_wrong += memcmp(&out, &expected, sizeof(out)) != 0;
	}
	f->test_host.host.cpu_limit = CPU_BEST;
	return n_wrong;
}

/* Single splits, on features of all sizes, asked for every bin. */
static void
test_every_bin(void)
{
	size_t		n_wrong = 0;
	size_t		n_forms[3] = {0};

	for (uint64_t seed = 1000; seed < 1200; seed += test_amount(1, 5))
	{
		const FixtureSpec spec = {.seed = seed, .n_classes = 2, .n_features = 2,
			.categories = true, .max_categories = seed % 2 == 0 ? 0 : 6, .n_trees = 8,
			.depth = 1, .full = true};
		Fixture		f;
		ForestModel *model;
		ForestModel *nodes;

		fixture_begin(&f, &spec);
		model = fixture_model(&f, f.training.host);
		nodes = fixture_model_of_nodes(&f, f.training.host);
		for (uint32_t t = 0; t < spec.n_trees; t++)
			if (model_feature(nodes->trees[t].root) == 0)
				n_forms[(nodes->trees[t].root->feature & MODEL_MASK) != 0 ? 1 :
						nodes->trees[t].n_steps > 1 ? 2 : 0]++;
		for (uint32_t i = 0; i < 2; i++)
			for (uint32_t bin = 0; bin < 256; bin++)
			{
				uint8_t		row[8] = {0};
				double		expected;

				if (bin >= f.training.schema.features[i].n_bins && bin != FOREST_MISSING)
					continue;
				row[i] = (uint8_t) bin;
				fixture_reference(&f, row, NULL, &expected);
				n_wrong += count_wrong_bits(&f, model, row, expected);
				n_wrong += count_wrong_bits(&f, nodes, row, expected);
			}
		forest_model_free(model);
		forest_model_free(nodes);
		n_wrong += !fixture_end(&f);
	}
	tap_is_int(n_wrong, 0, "every bin of every split goes where the bytes say");
	tap_ok(n_forms[0] > 10 && n_forms[1] > 10 && n_forms[2] > 4,
		   "sets as arcs, as masks, as chains");
}

static void
test_no_memory(void)
{
	const FixtureSpec spec = {.seed = 4, .n_classes = 5, .n_features = 9, .categories = true,
		.n_trees = 30, .depth = 6};
	static uint8_t rows[600 * 16];
	static double out[600 * 5];
	Fixture		f;
	TestHost	t;
	ForestModel *model;
	size_t		n_before;

	fixture_begin(&f, &spec);
	test_host_begin(&t);
	model = fixture_model(&f, &t.host);
	for (size_t i = 0; i < 600; i++)
		fixture_row(&f, rows + i * 16);
	n_before = t.n_allocations;
	forest_score(model, rows, 600, out);
	forest_score(model, rows, 1, out);
	forest_probabilities(model, out, out + 5);
	tap_is_int(t.n_allocations, n_before, "scoring allocates nothing");
	forest_score(model, rows, 0, NULL);
	tap_ok(true, "no rows are allowed");
	forest_model_free(model);
	tap_ok(test_host_end(&t), "no leak");
	tap_ok(fixture_end(&f), "no leak");
}

static void
test_probabilities(void)
{
	double		proba[40];
	double		out[40];
	uint8_t		row[32];
	size_t		n_wrong = 0;
	double		one = 0.3;

	for (uint64_t seed = 0; seed < 24; seed++)
	{
		const FixtureSpec spec = some_spec(seed);
		Fixture		f;
		ForestModel *model;
		double		sum = 0;

		if (spec.n_classes == 0)
			continue;
		fixture_begin(&f, &spec);
		model = fixture_model(&f, f.training.host);
		fixture_row(&f, row);
		forest_score(model, row, 1, out);
		forest_probabilities(model, out, proba);
		for (uint32_t k = 0; k < spec.n_classes; k++)
		{
			n_wrong += !(proba[k] >= 0 && proba[k] <= 1);
			sum += proba[k];
		}
		n_wrong += fabs(sum - 1) > 1e-12;
		if (spec.n_classes == 2)
		{
			forest_probabilities(model, &one, proba);
			n_wrong += proba[0] != 1 - 0.3 || proba[1] != 0.3;
		}
		forest_model_free(model);
		n_wrong += !fixture_end(&f);
	}
	tap_is_int(n_wrong, 0, "probabilities lie in [0, 1] and add up to 1");
}

/* From values to a score, through the model's own encoding. */
static void
test_encoding(void)
{
	const FixtureSpec spec = {.seed = 21, .n_classes = 2, .n_features = 2, .categories = true,
		.n_trees = 1};
	Fixture		f;
	ForestModel *model;
	const ForestFeature *category;
	const ForestFeature *number;
	size_t		n_wrong = 0;

	fixture_begin(&f, &spec);
	model = fixture_model(&f, f.training.host);
	category = &f.training.schema.features[0];
	number = &f.training.schema.features[1];
	for (uint32_t i = 0; i < category->n_categories; i++)
	{
		ForestCell	cell = {.text = category->categories[i].bytes,
			.n_bytes = category->categories[i].n_bytes};

		n_wrong += forest_model_encode(model, 0, &cell) != i;
	}
	for (uint32_t i = 0; i + 1 < number->n_bins; i++)
	{
		ForestCell	cell = {.number = number->cuts[i]};

		n_wrong += forest_model_encode(model, 1, &cell) != i;
		cell.number = nextafter(cell.number, INFINITY);
		n_wrong += forest_model_encode(model, 1, &cell) != i + 1;
	}
	tap_is_int(n_wrong, 0, "a model encodes as its training did");
	forest_model_free(model);
	tap_ok(fixture_end(&f), "no leak");
}

int
main(void)
{
	test_engines();
	test_shapes();
	test_tiles();
	test_deep();
	test_every_bin();
	test_no_memory();
	test_probabilities();
	test_encoding();
	return tap_done();
}
