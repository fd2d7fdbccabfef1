/*
 * test_predict.c
 *	  Both engines against a walk over the bytes of the trees.
 */
#include <stdlib.h>

#include "forest_fixture.h"
#include "tap.h"

#include "forest/model.h"

#define MAX_ROWS 700

/* Forests of every shape. */
static FixtureSpec
some_spec(uint64_t seed)
{
	return (FixtureSpec) {.seed = seed, .n_classes = (uint32_t[]) {2, 0, 3, 2, 11, 40}[seed % 6],
		.n_features = 1 + (uint32_t) (seed * 7 % 23), .categories = seed % 4 != 3,
		.max_categories = (uint32_t[]) {0, 8, 40}[seed % 3],
		.n_trees = 1 + (uint32_t) (seed * 5 % 40), .depth = (uint32_t) (seed % 9),
		.full = seed % 3 == 0};
}

/* Rows that forest_score() scores otherwise than the reference does, in calls of n rows. */
static size_t
count_wrong(const ForestModel *model, const uint8_t *rows, const double *expected, size_t n_rows,
			size_t n)
{
	static double out[MAX_ROWS * 64];
	size_t		n_wrong = 0;

	for (size_t first = 0; first < n_rows; first += n)
	{
		size_t		n_now = n_rows - first < n ? n_rows - first : n;

		forest_score(model, rows + first * model->row_bytes, n_now, out);
		n_wrong += memcmp(out, expected + first * model->n_outputs,
						  n_now * model->n_outputs * sizeof(double)) != 0;
	}
	return n_wrong;
}

static void
test_engines(void)
{
	static const size_t calls[] = {1, 2, 11, 12, 13, 24, 255, 256, 257, 512, 513, MAX_ROWS};
	static double expected[MAX_ROWS * 64];
	size_t		n_wrong = 0;
	size_t		n_forms[4] = {0};

	for (uint64_t seed = 0; seed < 72; seed++)
	{
		const FixtureSpec spec = some_spec(seed);
		Fixture		f;
		ForestModel *model;
		uint8_t    *rows;
		size_t		n_rows = seed % 8 == 0 ? MAX_ROWS : 37;

		fixture_begin(&f, &spec);
		model = fixture_model(&f, f.training.host);
		n_forms[model->more != NULL ? 3 : model->mask_slots == MODEL_MASK_SLOTS ? 2 :
				model->mask_slots]++;
		rows = malloc(n_rows * model->row_bytes);
		for (size_t i = 0; i < n_rows; i++)
		{
			fixture_row(&f, rows + i * model->row_bytes);
			fixture_reference(&f, rows + i * model->row_bytes, NULL,
							  expected + i * model->n_outputs);
		}
		for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
			n_wrong += count_wrong(model, rows, expected, n_rows, calls[i]);
		model->use_avx512 = false;
		n_wrong += count_wrong(model, rows, expected, n_rows, 1);
		free(rows);
		forest_model_free(model);
		n_wrong += !fixture_end(&f);
	}
	tap_is_int(n_wrong, 0, "equal bits, whatever the forest and the number of rows");
	tap_ok(n_forms[0] > 9 && n_forms[1] > 9 && n_forms[2] > 5 && n_forms[3] > 5,
		   "sets as arcs, as masks of both sizes, as chains");
}

/* The row engine with and without AVX-512: rows that fit a register and that do not. */
static void
test_avx512(void)
{
	static double expected[37 * 64];
	size_t		n_wrong = 0;
	size_t		n_used = 0;
	bool		has = false;

	for (uint64_t seed = 2000; seed < 2072; seed++)
	{
		FixtureSpec spec = some_spec(seed);
		Fixture		f;
		ForestModel *model;
		uint8_t    *rows;

		spec.n_features = (uint32_t[]) {23, 64, 65, 90}[seed / 3 % 4];
		spec.n_trees = (uint32_t[]) {16, 17, 100, 128, 129, 300}[seed / 6 % 6];
		fixture_begin(&f, &spec);
		model = fixture_model(&f, f.training.host);
		has = has || model->use_avx512;
		n_used += model->use_avx512;
		rows = malloc((size_t) 37 * model->row_bytes);
		for (size_t i = 0; i < 37; i++)
		{
			fixture_row(&f, rows + i * model->row_bytes);
			fixture_reference(&f, rows + i * model->row_bytes, NULL,
							  expected + i * model->n_outputs);
		}
		n_wrong += count_wrong(model, rows, expected, 37, 1);
		model->use_avx512 = false;
		n_wrong += count_wrong(model, rows, expected, 37, 1);
		free(rows);
		forest_model_free(model);
		n_wrong += !fixture_end(&f);
	}
	tap_is_int(n_wrong, 0, "equal bits with AVX-512 and without");
	tap_is_int(n_used, has ? 72 : 0, "AVX-512 is used where the machine has it");
}

/* Single splits, on features of all sizes, asked for every bin. */
static void
test_every_bin(void)
{
	size_t		n_wrong = 0;
	size_t		n_forms[3] = {0};

	for (uint64_t seed = 1000; seed < 1200; seed++)
	{
		const FixtureSpec spec = {.seed = seed, .n_classes = 2, .n_features = 2,
			.categories = true, .max_categories = seed % 2 == 0 ? 0 : 6, .n_trees = 8,
			.depth = 1, .full = true};
		Fixture		f;
		ForestModel *model;

		fixture_begin(&f, &spec);
		model = fixture_model(&f, f.training.host);
		for (uint32_t t = 0; t < spec.n_trees; t++)
			if (model_feature(model->trees[t].root) == 0)
				n_forms[(model->trees[t].root->feature & MODEL_MASK) != 0 ? 1 :
						model->trees[t].n_steps > 1 ? 2 : 0]++;
		for (uint32_t i = 0; i < 2; i++)
			for (uint32_t bin = 0; bin < 256; bin++)
			{
				uint8_t		row[8] = {0};
				double		expected;
				double		out;

				if (bin >= f.training.schema.features[i].n_bins && bin != FOREST_MISSING)
					continue;
				row[i] = (uint8_t) bin;
				fixture_reference(&f, row, NULL, &expected);
				forest_score(model, row, 1, &out);
				n_wrong += memcmp(&out, &expected, sizeof(out)) != 0;
			}
		forest_model_free(model);
		n_wrong += !fixture_end(&f);
	}
	tap_is_int(n_wrong, 0, "every bin of every split goes where the bytes say");
	tap_ok(n_forms[0] > 50 && n_forms[1] > 50 && n_forms[2] > 20,
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
	test_avx512();
	test_every_bin();
	test_no_memory();
	test_probabilities();
	test_encoding();
	return tap_done();
}
