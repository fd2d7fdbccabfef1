/*
 * test_schema.c
 *	  Encoding of values, and the bytes of the feature contract.
 */
#include "forest_fixture.h"
#include "tap.h"

#include "core/hash.h"
#include "core/memory.h"

static ForestCell
number_cell(double number)
{
	return (ForestCell) {.number = number};
}

static ForestCell
text_cell(const char *text, size_t n_bytes)
{
	return (ForestCell) {.text = text, .n_bytes = n_bytes};
}

static void
test_names(void)
{
	tap_is_text(forest_kind_name(FOREST_NUMERIC), "numeric", "numeric");
	tap_is_text(forest_kind_name(FOREST_BOOLEAN), "boolean", "boolean");
	tap_is_text(forest_kind_name(FOREST_CATEGORY), "category", "category");
	tap_is_text(forest_kind_name(FOREST_TIMESTAMP), "timestamp", "timestamp");
	tap_is_text(forest_kind_name(FOREST_TIMESTAMPTZ), "timestamptz", "timestamptz");
	tap_is_text(forest_kind_name(FOREST_INTERVAL), "interval", "interval");
}

/* The bin as the header defines it. */
static uint8_t
count_below(const double *cuts, uint32_t n_cuts, double x)
{
	uint8_t		n = 0;

	for (uint32_t i = 0; i < n_cuts; i++)
		n += cuts[i] < x;
	return n;
}

static void
test_numbers(void)
{
	double		cuts[254];
	size_t		n_wrong = 0;
	ForestFeature feature = {.kind = FOREST_NUMERIC, .cuts = cuts};
	ForestCell	missing = {.missing = true, .number = 1};
	ForestCell	nan = number_cell(NAN);

	for (int i = 0; i < 254; i++)
		cuts[i] = -100 + i * 0.75;
	for (uint32_t n_cuts = 0; n_cuts <= 254; n_cuts++)
	{
		feature.n_bins = n_cuts + 1;
		for (double x = -101; x < 92; x += 0.125)
			n_wrong += schema_encode_number(&feature, x) != count_below(cuts, n_cuts, x);
		n_wrong += schema_encode_number(&feature, -INFINITY) != 0;
		n_wrong += schema_encode_number(&feature, INFINITY) != n_cuts;
		n_wrong += schema_encode_number(&feature, NAN) != FOREST_MISSING;
	}
	tap_is_int(n_wrong, 0, "a bin is the number of cuts below, for any number of cuts");
	tap_is_int(schema_encode(&feature, &missing), FOREST_MISSING, "NULL is missing");
	tap_is_int(schema_encode(&feature, &nan), FOREST_MISSING, "NaN is missing");

	cuts[0] = 0.0;
	feature.n_bins = 2;
	tap_is_int(schema_encode_number(&feature, -0.0), 0, "minus zero is zero");
	tap_is_int(schema_encode_number(&feature, 0x1p-1074), 1, "the least number is above zero");
	cuts[0] = -0.0;
	tap_is_int(schema_encode_number(&feature, 0.0), 0, "zero is minus zero");
}

/* Of many features at once, on every level: any number of cuts, and every place between them. */
static void
test_many_numbers(void)
{
	double		cuts[254];
	const uint16_t features[] = {1, 0};
	ForestFeature two[2] = {{.kind = FOREST_NUMERIC, .cuts = cuts}, {.kind = FOREST_NUMERIC, .cuts = cuts}};
	ForestSchema schema = {.n_features = 2, .features = two};
	size_t		n_wrong = 0;
	TestHost	t;

	test_host_begin(&t);
	for (int i = 0; i < 254; i++)
		cuts[i] = (i - 100) * 0.75;
	for (uint32_t n_cuts = 0; n_cuts <= 254; n_cuts++)
	{
		two[0].n_bins = two[1].n_bins = n_cuts + 1;
		(void) search_table(&t.host, &two[0], NULL);
		two[1].table = two[0].table;
		for (CpuLevel level = CPU_PORTABLE; level <= cpu_level(CPU_BEST); level++)
		{
			for (double x = -76; x < 117; x += 0.125)
			{
				const double odd[] = {-0.0, NAN, INFINITY, -INFINITY, 0x1p-1074};
				double		numbers[] = {x, odd[(int) (fabs(x) * 8) % 5]};
				uint8_t		row[2];

				schema_encode_numbers(&schema, features, numbers, 2, level, row);
				n_wrong += row[1] != schema_encode_number(&two[1], numbers[0]);
				n_wrong += row[0] != schema_encode_number(&two[0], numbers[1]);
			}
		}
		search_table_free(&t.host, &two[0]);
	}
	tap_is_int(n_wrong, 0, "numbers of several features have the same bins, on every level");
	test_host_end(&t);
}

static void
test_category_key(void)
{
	char		text[600];
	char		buffer[FOREST_CATEGORY_BYTES];
	char		expected[FOREST_CATEGORY_BYTES + 1];
	size_t		n;
	Hash128		hash;

	memset(text, 'x', sizeof(text));
	tap_ok(forest_category_key(text, 256, buffer, &n) == text && n == 256,
		   "256 bytes are their own key");
	tap_ok(forest_category_key(text, 0, buffer, &n) == text && n == 0, "and so are none");

	hash = hash_bytes(text, 257);
	snprintf(expected, sizeof(expected), "%.192s\xE2\x80\xA6%016" PRIx64 "%016" PRIx64, text,
			 hash.hi, hash.lo);
	tap_ok(forest_category_key(text, 257, buffer, &n) == buffer && n == strlen(expected) &&
		   memcmp(buffer, expected, n) == 0, "257 bytes become 192, an ellipsis and a hash");

	/* a character of three bytes across the cut goes as a whole */
	for (int start = 189; start <= 192; start++)
	{
		memset(text, 'x', sizeof(text));
		memcpy(text + start, "\xE2\x82\xAC", 3);
		forest_category_key(text, 400, buffer, &n);
		tap_is_int(n, (start == 189 || start == 192 ? 192 : start) + 35,
				   "a character at byte %d is not cut", start);
		tap_ok(bytes_is_utf8(buffer, n), "and the key is UTF-8");
	}
	memset(text, 0x80, sizeof(text));
	forest_category_key(text, 400, buffer, &n);
	tap_is_int(n, 189 + 35, "what is no UTF-8 is cut anywhere");
}

static void
test_categories(void)
{
	TestHost	t;
	ForestFeature feature = {.kind = FOREST_CATEGORY, .n_categories = 254, .n_bins = 254};
	char		text[300];
	char		buffer[FOREST_CATEGORY_BYTES];
	size_t		n_wrong = 0;
	size_t		n;
	const char *key;
	ForestCell	missing = {.missing = true};
	ForestCell	unseen = text_cell("unseen", 6);
	ForestCell	empty = text_cell(NULL, 0);

	test_host_begin(&t);
	(void) schema_text(&t.host, "f", 1, &feature.name, NULL);
	(void) memory_new(&t.host, 254, sizeof(ForestText), &feature.categories, NULL);
	memset(text, 'y', sizeof(text));
	for (int i = 0; i < 254; i++)
	{
		/* 0: empty; 1: a shortened text; others: short */
		n = i == 0 ? 0 : i == 1 ? sizeof(text) : (size_t) snprintf(text, 20, "c%d", i);
		key = forest_category_key(text, n, buffer, &n);
		(void) schema_text(&t.host, key, n, &feature.categories[i], NULL);
		if (i == 1)
			memset(text, 'z', sizeof(text));
	}
	tap_is_int(schema_index_categories(&t.host, &feature, NULL), STATUS_OK, "254 categories");
	tap_is_int(feature.n_slots, 512, "in a table at most half full");
	for (int i = 2; i < 254; i++)
	{
		ForestCell	cell;

		n = (size_t) snprintf(text, 20, "c%d", i);
		cell = text_cell(text, n);
		n_wrong += schema_encode(&feature, &cell) != i;
	}
	tap_is_int(n_wrong, 0, "each is found");
	tap_is_int(schema_encode(&feature, &empty), 0, "the empty text is a category");
	memset(text, 'y', sizeof(text));
	{
		ForestCell	long_cell = text_cell(text, sizeof(text));

		tap_is_int(schema_encode(&feature, &long_cell), 1, "a long text is found by its key");
		text[299] = 'x';
		tap_is_int(schema_encode(&feature, &long_cell), FOREST_MISSING, "and no other one");
	}
	tap_is_int(schema_encode(&feature, &missing), FOREST_MISSING, "NULL is missing");
	tap_is_int(schema_encode(&feature, &unseen), FOREST_MISSING, "unseen is missing without OTHER");
	feature.has_other = true;
	tap_is_int(schema_encode(&feature, &unseen), 254, "and OTHER with it");

	{
		ForestSchema schema = {.n_features = 1};

		(void) memory_new(&t.host, 1, sizeof(ForestFeature), &schema.features, NULL);
		schema.features[0] = feature;
		schema_free(&t.host, &schema);
	}
	tap_ok(test_host_end(&t), "no leak");
}

/* Write a schema, read it, write it again. */
static bool
round_trip(const Fixture *f)
{
	TestHost	t;
	ByteWriter	first;
	ByteWriter	second;
	ByteReader	r;
	ForestSchema schema;
	Status		status;
	bool		same;

	test_host_begin(&t);
	bytes_writer_begin(&first, &t.host, NULL);
	bytes_writer_begin(&second, &t.host, NULL);
	schema_put(&first, &f->training.schema);
	bytes_reader_begin(&r, first.bytes, first.n_bytes);
	status = schema_get(&r, &t.host, &schema, NULL);
	same = status == STATUS_OK && bytes_left(&r) == 0;
	if (same)
	{
		schema_put(&second, &schema);
		same = second.n_bytes == first.n_bytes &&
			memcmp(second.bytes, first.bytes, first.n_bytes) == 0 &&
			schema.target_shift == f->training.schema.target_shift;
		schema_free(&t.host, &schema);
	}
	bytes_writer_free(&first);
	bytes_writer_free(&second);
	return test_host_end(&t) && same;
}

static void
test_round_trip(void)
{
	size_t		n_wrong = 0;

	for (uint64_t seed = 0; seed < 40; seed++)
	{
		const FixtureSpec spec = {.seed = seed, .n_classes = seed % 4 == 0 ? 0 : 2 + seed % 7,
			.n_features = 1 + (uint32_t) seed, .categories = true, .n_trees = 1};
		Fixture		f;

		fixture_begin(&f, &spec);
		n_wrong += !round_trip(&f);
		n_wrong += !fixture_end(&f);
	}
	tap_is_int(n_wrong, 0, "schemas survive writing and reading");
}

/* ------------------------------------------------------------ bad bytes -- */

typedef struct Draft
{
	uint16_t	n_features;
	const char *name[2];
	uint8_t		kind;
	double		importance;
	uint16_t	n_cuts;
	double		cuts[3];
	uint8_t		has_other;
	uint16_t	n_categories;
	const char *category[2];
	uint16_t	n_classes;
	const char *label[2];
	uint8_t		task;
	double		offset;
	int32_t		shift;
} Draft;

static const Draft good_numbers = {.n_features = 2, .name = {"a", "b"}, .n_cuts = 2,
	.cuts = {1, 2}, .n_classes = 2, .label = {"no", "yes"}};
static const Draft good_categories = {.n_features = 1, .name = {"a"}, .kind = FOREST_CATEGORY,
	.n_categories = 2, .category = {"x", "y"}, .n_classes = 2, .label = {"no", "yes"}};
static const Draft good_regression = {.n_features = 1, .name = {"a"}, .n_cuts = 1, .cuts = {1},
	.task = FOREST_REGRESSION, .offset = 1.5, .shift = 3};

static void
put_text(ByteWriter *w, const char *text)
{
	bytes_put_string(w, text, strlen(text));
}

static void
put_draft(ByteWriter *w, const Draft *d)
{
	bytes_put_u8(w, d->task);
	bytes_put_u16(w, d->n_features);
	for (int i = 0; i < 2 && d->name[i] != NULL; i++)
	{
		put_text(w, d->name[i]);
		bytes_put_u8(w, d->kind);
		bytes_put_f64(w, d->importance);
		if (d->kind == FOREST_CATEGORY)
		{
			bytes_put_u8(w, d->has_other);
			bytes_put_u16(w, d->n_categories);
			for (int j = 0; j < 2; j++)
				put_text(w, d->category[j]);
			continue;
		}
		bytes_put_u16(w, d->n_cuts);
		for (int j = 0; j < d->n_cuts && j < 3; j++)
			bytes_put_f64(w, d->cuts[j]);
	}
	if (d->task == FOREST_REGRESSION)
	{
		bytes_put_f64(w, d->offset);
		bytes_put_u32(w, (uint32_t) d->shift);
		return;
	}
	bytes_put_u16(w, d->n_classes);
	for (int i = 0; i < 2; i++)
		put_text(w, d->label[i]);
}

/* Read a draft; no memory beyond a small multiple of its bytes may be taken. */
static Status
read_draft(const Draft *draft)
{
	TestHost	t;
	ByteWriter	w;
	ByteReader	r;
	ForestSchema schema;
	Failure		why = {0};
	Status		status;
	size_t		before;

	test_host_begin(&t);
	bytes_writer_begin(&w, &t.host, NULL);
	put_draft(&w, draft);
	bytes_reader_begin(&r, w.bytes, w.n_bytes);
	before = t.live_bytes;
	t.peak_bytes = before;
	status = schema_get(&r, &t.host, &schema, &why);
	if (t.peak_bytes - before > 16 * w.n_bytes + 4096)
		tap_diag("took %zu bytes for %zu", t.peak_bytes - before, w.n_bytes);
	if (status == STATUS_OK)
		schema_free(&t.host, &schema);
	else if (why.status != status || why.text[0] == '\0')
		status = STATUS_OK;
	bytes_writer_free(&w);
	return test_host_end(&t) ? status : STATUS_OK;
}

static Draft *
fresh(Draft *draft, const Draft *good)
{
	*draft = *good;
	return draft;
}

static void
bad(const Draft *draft, const char *what)
{
	tap_is_int(read_draft(draft), STATUS_CORRUPT, "bad: %s", what);
}

static void
test_bad_bytes(void)
{
	Draft		d;

	tap_is_int(read_draft(&good_numbers), STATUS_OK, "good: numbers");
	tap_is_int(read_draft(&good_categories), STATUS_OK, "good: categories");
	tap_is_int(read_draft(&good_regression), STATUS_OK, "good: regression");

	fresh(&d, &good_numbers)->task = 2;
	bad(&d, "task");
	fresh(&d, &good_numbers)->n_features = 0;
	bad(&d, "no features");
	fresh(&d, &good_numbers)->n_features = 3;
	bad(&d, "too few features");
	fresh(&d, &good_numbers)->n_features = 1600;
	bad(&d, "features for which there are no bytes");
	fresh(&d, &good_numbers)->n_features = 1601;
	bad(&d, "too many features");
	fresh(&d, &good_numbers)->name[0] = "";
	bad(&d, "an empty name");
	fresh(&d, &good_numbers)->name[1] = "a";
	bad(&d, "a name twice");
	fresh(&d, &good_numbers)->name[0] = "\xC3";
	bad(&d, "a name that is no UTF-8");
	fresh(&d, &good_numbers)->kind = 6;
	bad(&d, "kind");
	fresh(&d, &good_numbers)->importance = -0.1;
	bad(&d, "a negative importance");
	fresh(&d, &good_numbers)->importance = 1.1;
	bad(&d, "an importance above 1");
	fresh(&d, &good_numbers)->importance = NAN;
	bad(&d, "an importance that is no number");
	fresh(&d, &good_numbers)->cuts[1] = 1;
	bad(&d, "cuts that do not increase");
	fresh(&d, &good_numbers)->cuts[1] = INFINITY;
	bad(&d, "an infinite cut");
	fresh(&d, &good_numbers)->cuts[0] = NAN;
	bad(&d, "a cut that is no number");
	fresh(&d, &good_numbers)->n_cuts = 255;
	bad(&d, "too many cuts");
	fresh(&d, &good_numbers)->n_cuts = 254;
	bad(&d, "cuts for which there are no bytes");
	fresh(&d, &good_numbers)->n_classes = 1;
	bad(&d, "one class");
	fresh(&d, &good_numbers)->n_classes = 3;
	bad(&d, "too few classes");
	fresh(&d, &good_numbers)->n_classes = 1001;
	bad(&d, "too many classes");
	fresh(&d, &good_numbers)->label[1] = "no";
	bad(&d, "a label twice");
	fresh(&d, &good_categories)->has_other = 2;
	bad(&d, "a flag that is none");
	fresh(&d, &good_categories)->n_categories = 0;
	bad(&d, "no categories");
	fresh(&d, &good_categories)->n_categories = 255;
	bad(&d, "too many categories");
	fresh(&d, &good_categories)->n_categories = 254;
	bad(&d, "categories for which there are no bytes");
	fresh(&d, &good_categories)->category[1] = "x";
	bad(&d, "a category twice");
	fresh(&d, &good_categories)->category[0] = "\x80";
	bad(&d, "a category that is no UTF-8");
	fresh(&d, &good_regression)->offset = NAN;
	bad(&d, "an offset that is no number");
	fresh(&d, &good_regression)->shift = 1201;
	bad(&d, "a scale beyond float8");
	fresh(&d, &good_regression)->shift = -1101;
	bad(&d, "a scale beyond float8, upwards");
}

static Status
read_it(const Host *host, void *arg, Failure *why)
{
	const ByteWriter *w = arg;
	ByteReader	r;
	ForestSchema schema;
	Status		status;

	bytes_reader_begin(&r, w->bytes, w->n_bytes);
	status = schema_get(&r, host, &schema, why);
	if (status == STATUS_OK)
		schema_free(host, &schema);
	return status;
}

static void
test_refusals(void)
{
	const FixtureSpec spec = {.seed = 3, .n_classes = 3, .n_features = 4, .categories = true,
		.n_trees = 1};
	Fixture		f;
	ByteWriter	w;

	fixture_begin(&f, &spec);
	bytes_writer_begin(&w, f.training.host, NULL);
	schema_put(&w, &f.training.schema);
	tap_ok(test_sweep_memory(read_it, &w, 10), "reading survives refusal of memory");
	bytes_writer_free(&w);
	tap_ok(fixture_end(&f), "no leak");
}

int
main(void)
{
	test_names();
	test_numbers();
	test_many_numbers();
	test_category_key();
	test_categories();
	test_round_trip();
	test_bad_bytes();
	test_refusals();
	return tap_done();
}
