/*
 * test_codec.c
 *	  Artifacts: encoding and decoding, and bytes that are none.
 */
#include <stdlib.h>

#include "forest_fixture.h"
#include "tap.h"

#include "core/memory.h"
#include "forest/artifact.h"
#include "forest/decode.h"

/* What decoding may take, per byte of the artifact. */
#define BYTES_PER_BYTE 24

/* Scores of two rows. */
static void
score_two(const ForestModel *model, double out[2][FOREST_MAX_CLASSES])
{
	uint8_t		row[2048] = {0};

	forest_score(model, row, 1, out[0]);
	memset(row, FOREST_MISSING, sizeof(row));
	forest_score(model, row, 1, out[1]);
}

/*
 * Open, decode, score rows if it is a model, and free; the status.  Both forms
 * have to agree.
 */
static Status
try_decode(const uint8_t *bytes, size_t n_bytes, bool *bounded)
{
	static double out[2][2][FOREST_MAX_CLASSES];
	TestHost	t;
	ForestModel *opened = NULL;
	ForestModel *model = NULL;
	Failure		why = {0};
	uint8_t    *exact = malloc(n_bytes > 0 ? n_bytes : 1);
	Status		status;

	/* bytes in a block of their own: reading beyond them is seen */
	memcpy(exact, bytes, n_bytes);
	test_host_begin(&t);
	status = forest_decode(&t.host, exact, n_bytes, &model, &why);
	*bounded = t.peak_bytes <= BYTES_PER_BYTE * n_bytes + 16384;
	if (status != STATUS_OK && (why.status != status || why.text[0] == '\0'))
		status = STATUS_CANCELLED;	/* which no caller expects */
	if (forest_open(&t.host, exact, n_bytes, &opened, &why) != status)
		status = STATUS_CANCELLED;
	if (status == STATUS_OK)
	{
		memset(out, 0, sizeof(out));
		score_two(opened, out[0]);
		score_two(model, out[1]);
		if (memcmp(out[0], out[1], sizeof(out[0])) != 0)
			status = STATUS_CANCELLED;
	}
	forest_model_free(opened);
	forest_model_free(model);
	free(exact);
	return test_host_end(&t) ? status : STATUS_CANCELLED;
}

static void
fix_crc(uint8_t *bytes, size_t n_bytes)
{
	uint32_t	crc = bytes_crc32c(0, bytes, n_bytes - 4);

	for (int i = 0; i < 4; i++)
		bytes[n_bytes - 4 + (size_t) i] = (uint8_t) (crc >> 8 * i);
}

static bool
refused(Status status)
{
	return status == STATUS_CORRUPT || status == STATUS_UNSUPPORTED;
}

/* ----------------------------------------------------------- round trip -- */

static bool
same_contract(const Fixture *f, const ForestModel *model)
{
	const ForestSchema *schema = &f->training.schema;
	bool		same = forest_model_task(model) == schema->task &&
		forest_model_n_features(model) == schema->n_features &&
		forest_model_n_classes(model) == schema->n_classes &&
		forest_model_n_trees(model) == f->training.settings.n_estimators &&
		forest_model_row_bytes(model) == f->training.row_bytes &&
		forest_model_n_outputs(model) == (schema->n_classes > 2 ? schema->n_classes : 1);

	for (uint32_t i = 0; same && i < schema->n_features; i++)
		same = strcmp(forest_model_feature_name(model, i), schema->features[i].name.bytes) == 0 &&
			forest_model_feature_kind(model, i) == schema->features[i].kind;
	for (uint32_t k = 0; same && k < schema->n_classes; k++)
		same = strcmp(forest_model_class_label(model, k), schema->classes[k].bytes) == 0;
	return same;
}

static void
test_round_trip(void)
{
	size_t		n_wrong = 0;

	for (uint64_t seed = 0; seed < 60; seed++)
	{
		const FixtureSpec spec = {.seed = seed, .n_classes = (uint32_t[]) {0, 2, 2, 3, 7}[seed % 5],
			.n_features = 1 + seed % 11, .categories = seed % 2 == 0,
			.n_trees = 1 + seed % 30, .depth = seed % 7};
		Fixture		f;
		TestHost	t;
		ForestArtifact first;
		ForestArtifact second;
		ForestModel *model;

		fixture_begin(&f, &spec);
		test_host_begin(&t);
		fixture_assemble(&f, &t.host, &first);
		fixture_assemble(&f, &t.host, &second);
		n_wrong += first.n_bytes != second.n_bytes ||
			memcmp(first.bytes, second.bytes, first.n_bytes) != 0;
		memory_free(&t.host, first.bytes, first.capacity, 1);
		memory_free(&t.host, second.bytes, second.capacity, 1);
		model = fixture_model(&f, &t.host);
		n_wrong += !same_contract(&f, model);
		n_wrong += forest_model_bytes(model) != t.live_bytes;
		forest_model_free(model);

		model = fixture_model_of_nodes(&f, &t.host);
		n_wrong += !same_contract(&f, model);
		n_wrong += forest_model_bytes(model) != t.live_bytes;
		forest_model_free(model);

		model = fixture_model_of_bytes(&f, &t.host, &first);
		n_wrong += !same_contract(&f, model) || !forest_model_is_bytes(model);
		n_wrong += forest_model_bytes(model) + first.capacity != t.live_bytes;
		forest_model_free(model);
		memory_free(&t.host, first.bytes, first.capacity, 1);
		n_wrong += !test_host_end(&t) || !fixture_end(&f);
	}
	tap_is_int(n_wrong, 0, "what was encoded is decoded, and bytes are counted");
}

static void
test_importances(void)
{
	const FixtureSpec spec = {.seed = 5, .n_classes = 2, .n_features = 6, .n_trees = 9,
		.depth = 2};
	const FixtureSpec stumps = {.seed = 5, .n_classes = 2, .n_features = 3, .n_trees = 4};
	double		expected[6] = {0};
	double		sum = 0;
	size_t		n_wrong = 0;
	uint32_t	n_counted = 0;
	Fixture		f;
	ForestModel *model;

	fixture_begin(&f, &spec);
	for (uint32_t t = 0; t < spec.n_trees; t++)
	{
		double		values[6];
		double		total = 0;
		ByteReader	r;

		bytes_reader_begin(&r, f.trees[t].bytes, f.trees[t].n_bytes);
		for (int i = 0; i < 6; i++)
			total += values[i] = bytes_get_f64(&r);
		if (bytes_get_u32(&r) == 1)
			continue;
		n_counted++;
		for (int i = 0; i < 6; i++)
			expected[i] += values[i] / total;
	}
	model = fixture_model(&f, f.training.host);
	for (uint32_t i = 0; i < 6; i++)
	{
		n_wrong += fabs(forest_model_importance(model, i) - expected[i] / n_counted) > 1e-15;
		sum += forest_model_importance(model, i);
	}
	tap_is_int(n_wrong, 0, "importances are the mean over trees");
	tap_is_real(sum, 1, 1e-15, "and add up to 1");
	forest_model_free(model);
	tap_ok(fixture_end(&f), "no leak");

	fixture_begin(&f, &stumps);
	model = fixture_model(&f, f.training.host);
	tap_is_real(forest_model_importance(model, 1), 0, 0, "trees without a split have none");
	forest_model_free(model);
	tap_ok(fixture_end(&f), "no leak");
}

/* --------------------------------------------------------------- damage -- */

static void
test_damage(void)
{
	const FixtureSpec spec = {.seed = 11, .n_classes = 3, .n_features = 5, .categories = true,
		.n_trees = 3, .depth = 3};
	Fixture		f;
	ForestArtifact a;
	size_t		n_flips = 0;
	size_t		n_cuts = 0;
	size_t		n_bounded = 0;
	bool		bounded;

	fixture_begin(&f, &spec);
	fixture_assemble(&f, f.training.host, &a);
	for (size_t i = 0; i < a.n_bytes; i++)
	{
		a.bytes[i] ^= (uint8_t) (1 + i % 255);
		n_flips += try_decode(a.bytes, a.n_bytes, &bounded) != STATUS_CORRUPT;
		n_bounded += !bounded;
		a.bytes[i] ^= (uint8_t) (1 + i % 255);
		n_cuts += try_decode(a.bytes, i, &bounded) != STATUS_CORRUPT;
		n_bounded += !bounded;
	}
	tap_is_int(n_flips, 0, "a changed byte is damage, wherever it is");
	tap_is_int(n_cuts, 0, "so is a cut, wherever it is");
	tap_is_int(n_bounded, 0, "little memory is taken");

	/* the same with a checksum that hides it: any answer but a crash */
	n_flips = n_cuts = n_bounded = 0;
	for (size_t bit = 0; bit < 8 * (a.n_bytes - 4); bit += test_amount(1, 17))
	{
		Status		status;

		a.bytes[bit / 8] ^= (uint8_t) (1 << bit % 8);
		fix_crc(a.bytes, a.n_bytes);
		status = try_decode(a.bytes, a.n_bytes, &bounded);
		n_flips += status != STATUS_OK && !refused(status);
		n_bounded += !bounded;
		a.bytes[bit / 8] ^= (uint8_t) (1 << bit % 8);
	}
	for (size_t n = 4; n < a.n_bytes; n++)
	{
		uint8_t    *copy = malloc(n);

		memcpy(copy, a.bytes, n);
		fix_crc(copy, n);
		n_cuts += !refused(try_decode(copy, n, &bounded));
		n_bounded += !bounded;
		free(copy);
	}
	tap_is_int(n_flips, 0, "a changed bit under a good checksum does no harm");
	tap_is_int(n_cuts, 0, "a cut under a good checksum is refused");
	tap_is_int(n_bounded, 0, "and little memory is taken");
	memory_free(f.training.host, a.bytes, a.capacity, 1);
	tap_ok(fixture_end(&f), "no leak");
}

/* ------------------------------------------------------- crafted bytes -- */

/* An artifact of one numeric feature with 4 bins, one category with 9, and a tree. */
typedef struct Craft
{
	uint16_t	version;
	uint16_t	flags;
	uint32_t	algorithm;
	uint32_t	n_trees;
	uint16_t	n_classes;		/* 0: regression */
	uint32_t	extra_id;		/* an empty section behind the others */
	uint32_t	n_words;
	uint32_t	depth;
	const char *tree;			/* bytes in hexadecimal */
} Craft;

static void
craft_schema(ByteWriter *w, uint16_t n_classes)
{
	bytes_put_u8(w, n_classes > 0 ? FOREST_CLASSIFICATION : FOREST_REGRESSION);
	bytes_put_u16(w, 2);
	bytes_put_string(w, "x", 1);
	bytes_put_u8(w, FOREST_NUMERIC);
	bytes_put_f64(w, 0);
	bytes_put_u16(w, 3);
	for (int i = 0; i < 3; i++)
		bytes_put_f64(w, i);
	bytes_put_string(w, "c", 1);
	bytes_put_u8(w, FOREST_CATEGORY);
	bytes_put_f64(w, 0);
	bytes_put_u8(w, 0);
	bytes_put_u16(w, 9);
	for (int i = 0; i < 9; i++)
		bytes_put_string(w, &"abcdefghi"[i], 1);
	if (n_classes == 0)
	{
		bytes_put_f64(w, 0);
		bytes_put_u32(w, 10);
		return;
	}
	bytes_put_u16(w, n_classes);
	for (int i = 0; i < n_classes; i++)
		bytes_put_string(w, &"ABCDEFG"[i], 1);
}

static uint8_t
hex_digit(char c)
{
	return (uint8_t) (c <= '9' ? c - '0' : c - 'A' + 10);
}

static size_t
craft_section(ByteWriter *w, uint32_t id)
{
	bytes_put_u32(w, id);
	bytes_put_u32(w, 0);
	return w->n_bytes;
}

static void
craft_end(ByteWriter *w, size_t begin)
{
	bytes_patch_u32(w, begin - 4, (uint32_t) (w->n_bytes - begin));
}

/* What decoding says of a crafted artifact. */
static Status
decode_craft(const Craft *c)
{
	TestHost	t;
	ByteWriter	w;
	size_t		section;
	Status		status;
	bool		bounded;

	test_host_begin(&t);
	bytes_writer_begin(&w, &t.host, NULL);
	bytes_put(&w, ARTIFACT_MAGIC, ARTIFACT_MAGIC_BYTES);
	bytes_put_u16(&w, c->version);
	bytes_put_u16(&w, c->flags);
	section = craft_section(&w, ARTIFACT_FOREST);
	bytes_put_u32(&w, c->algorithm);
	bytes_put_u32(&w, c->n_trees);
	craft_end(&w, section);
	section = craft_section(&w, ARTIFACT_SCHEMA);
	craft_schema(&w, c->n_classes);
	craft_end(&w, section);
	section = craft_section(&w, ARTIFACT_TREES);
	bytes_put_u32(&w, (uint32_t) strlen(c->tree) / 2 + 8);
	bytes_put_u32(&w, c->n_words);
	bytes_put_u32(&w, c->depth);
	for (const char *p = c->tree; *p != '\0'; p += 2)
		bytes_put_u8(&w, (uint8_t) (hex_digit(p[0]) << 4 | hex_digit(p[1])));
	craft_end(&w, section);
	if (c->extra_id != 0)
		(void) craft_section(&w, c->extra_id);
	bytes_put_u32(&w, 0);
	fix_crc(w.bytes, w.n_bytes);
	status = try_decode(w.bytes, w.n_bytes, &bounded);
	bytes_writer_free(&w);
	return test_host_end(&t) && bounded ? status : STATUS_CANCELLED;
}

/* Words in hexadecimal: leaves of class 0, class 1, P = 1/2; splits of x, of c. */
#define L0 "00000080"
#define L1 "000000C0"
#define LP "000000A0"
#define SX "02002000"			/* its near child is one word */
#define SX3 "02006000"			/* three words */
#define SC "00042000"
#define SCM "01042000"			/* missing values go left */

typedef struct CraftCase
{
	const char *what;
	Status		status;
	Craft		craft;
} CraftCase;

static void
test_crafted(void)
{
	static const CraftCase cases[] = {
		{"a leaf", STATUS_OK, {1, 0, 1, 1, 2, 0, 1, 0, L0 "05"}},
		{"a leaf that is not pure", STATUS_OK, {1, 0, 1, 1, 2, 0, 1, 0, LP "03"}},
		{"a split", STATUS_OK, {1, 0, 1, 1, 2, 0, 3, 1, SX L0 L1 "0505"}},
		{"splits of splits", STATUS_OK, {1, 0, 1, 1, 2, 0, 5, 2, SX3 SX L0 L1 LP "050505"}},
		{"a split of missing from present", STATUS_OK,
			{1, 0, 1, 1, 2, 0, 3, 1, "06002000" L0 L1 "0505"}},
		{"a split of categories", STATUS_OK, {1, 0, 1, 1, 2, 0, 4, 1, SC "55010000" L0 L1 "0505"}},
		{"categories that are an arc", STATUS_OK,
			{1, 0, 1, 1, 2, 0, 4, 1, SCM "07010000" L0 L1 "0505"}},
		{"missing from all categories", STATUS_OK,
			{1, 0, 1, 1, 2, 0, 4, 1, SC "FF010000" L0 L1 "0505"}},
		{"an optional section", STATUS_OK, {1, 0, 1, 1, 2, 0x80000007, 1, 0, L0 "05"}},
		{"three classes", STATUS_OK,
			{1, 0, 1, 1, 3, 0, 3, 1, SX "03000080" "02000080" "000000100000002000000010" "0507"}},
		{"regression", STATUS_OK, {1, 0, 1, 1, 0, 0, 1, 0, L0 "FFFFFFFFFFFFFFFF" "05"}},
		{"covers of many bytes", STATUS_OK,
			{1, 0, 1, 1, 2, 0, 3, 1, SX L0 L1 "FFFFFFFFFFFFFFFF7F" "8001"}},

		{"a later format", STATUS_UNSUPPORTED, {2, 0, 1, 1, 2, 0, 1, 0, L0 "05"}},
		{"format 0", STATUS_CORRUPT, {0, 0, 1, 1, 2, 0, 1, 0, L0 "05"}},
		{"flags", STATUS_UNSUPPORTED, {1, 1, 1, 1, 2, 0, 1, 0, L0 "05"}},
		{"an unknown section", STATUS_UNSUPPORTED, {1, 0, 1, 1, 2, 5, 1, 0, L0 "05"}},
		{"an empty calibration", STATUS_CORRUPT, {1, 0, 1, 1, 2, 4, 1, 0, L0 "05"}},
		{"a section out of order", STATUS_CORRUPT, {1, 0, 1, 1, 2, 2, 1, 0, L0 "05"}},
		{"algorithm version 0", STATUS_CORRUPT, {1, 0, 0, 1, 2, 0, 1, 0, L0 "05"}},
		{"no trees", STATUS_CORRUPT, {1, 0, 1, 0, 2, 0, 1, 0, L0 "05"}},
		{"more trees than there are", STATUS_CORRUPT, {1, 0, 1, 2, 2, 0, 3, 1, SX L0 L1 "0505"}},
		{"more trees than bytes", STATUS_CORRUPT, {1, 0, 1, 99999, 2, 0, 1, 0, L0 "05"}},
		{"no words", STATUS_CORRUPT, {1, 0, 1, 1, 2, 0, 0, 0, L0 "05"}},
		{"more words than bytes", STATUS_CORRUPT,
			{1, 0, 1, 1, 2, 0, 0x0FFFFFFF, 1, SX L0 L1 "0505"}},
		{"a word too few", STATUS_CORRUPT, {1, 0, 1, 1, 2, 0, 2, 0, SX L0 L1 "0505"}},
		{"a node too many", STATUS_CORRUPT, {1, 0, 1, 1, 2, 0, 2, 0, L0 L1 "0505"}},
		{"a tree that does not end", STATUS_CORRUPT, {1, 0, 1, 1, 2, 0, 3, 1, SX SX L0 "05"}},
		{"a tree that ends in a split", STATUS_CORRUPT, {1, 0, 1, 1, 2, 0, 3, 1, SX L0 SX "05"}},
		{"a near child that is shorter", STATUS_CORRUPT,
			{1, 0, 1, 1, 2, 0, 5, 2, SX3 L0 SX L0 L1 "050505"}},
		{"a near child that is longer", STATUS_CORRUPT,
			{1, 0, 1, 1, 2, 0, 5, 2, SX SX L0 L1 LP "050505"}},
		{"a long skip that is short", STATUS_CORRUPT,
			{1, 0, 1, 1, 2, 0, 4, 1, "02000000" "01000000" L0 L1 "0505"}},
		{"a long skip beyond the tree", STATUS_CORRUPT,
			{1, 0, 1, 1, 2, 0, 4, 1, "02000000" "00040000" L0 L1 "0505"}},
		{"a long skip that is cut off", STATUS_CORRUPT, {1, 0, 1, 1, 2, 0, 1, 0, "02000000" "05"}},
		{"bytes behind a tree", STATUS_CORRUPT, {1, 0, 1, 1, 2, 0, 1, 0, L0 "0500"}},
		{"a cover too few", STATUS_CORRUPT, {1, 0, 1, 1, 2, 0, 3, 1, SX L0 L1 "05"}},
		{"a depth too large", STATUS_CORRUPT,
			{1, 0, 1, 1, 2, 0, 7, 3, SX3 SX L0 L1 SX L0 L1 "05050505"}},
		{"a depth too small", STATUS_CORRUPT, {1, 0, 1, 1, 2, 0, 5, 1, SX L0 SX L0 L1 "050505"}},
		{"a depth beyond the words", STATUS_CORRUPT, {1, 0, 1, 1, 2, 0, 3, 2, SX L0 L1 "0505"}},
		{"a probability above 1", STATUS_CORRUPT, {1, 0, 1, 1, 2, 0, 1, 0, "010000C0" "05"}},
		{"values out of order", STATUS_CORRUPT,
			{1, 0, 1, 1, 3, 0, 1, 0, "04000080" "000000100000002000000010" "05"}},
		{"a number out of order", STATUS_CORRUPT,
			{1, 0, 1, 1, 0, 0, 1, 0, "01000080" "FFFFFFFFFFFFFFFF" "05"}},
		{"a number that is cut off", STATUS_CORRUPT, {1, 0, 1, 1, 0, 0, 1, 0, L0 "FFFFFFFFFFFFFF"}},
		{"probabilities that are none", STATUS_CORRUPT,
			{1, 0, 1, 1, 3, 0, 1, 0, "03000080" "000000100000002000000020" "05"}},
		{"a cover that goes on", STATUS_CORRUPT,
			{1, 0, 1, 1, 2, 0, 1, 0, L0 "80808080808080808080" "01"}},
		{"a cover in more bytes than needed", STATUS_CORRUPT, {1, 0, 1, 1, 2, 0, 1, 0, L0 "8500"}},
		{"a cover beyond 64 bits", STATUS_CORRUPT,
			{1, 0, 1, 1, 2, 0, 1, 0, L0 "FFFFFFFFFFFFFFFFFF02"}},
		{"covers that add up beyond 64 bits", STATUS_CORRUPT,
			{1, 0, 1, 1, 2, 0, 3, 1, SX L0 L1 "FFFFFFFFFFFFFFFFFF01" "05"}},
		{"an unknown feature", STATUS_CORRUPT, {1, 0, 1, 1, 2, 0, 3, 1, "02082000" L0 L1 "0505"}},
		{"a cut beyond the bins", STATUS_CORRUPT,
			{1, 0, 1, 1, 2, 0, 3, 1, "08002000" L0 L1 "0505"}},
		{"all to the left", STATUS_CORRUPT, {1, 0, 1, 1, 2, 0, 3, 1, "07002000" L0 L1 "0505"}},
		{"a cut of a category", STATUS_CORRUPT,
			{1, 0, 1, 1, 2, 0, 4, 1, "02042000" "55010000" L0 L1 "0505"}},
		{"a set that is cut off", STATUS_CORRUPT, {1, 0, 1, 1, 2, 0, 1, 0, SC "05"}},
		{"bits beyond the categories", STATUS_CORRUPT,
			{1, 0, 1, 1, 2, 0, 4, 1, SC "55030000" L0 L1 "0505"}},
		{"all categories to the left", STATUS_CORRUPT,
			{1, 0, 1, 1, 2, 0, 4, 1, SCM "FF010000" L0 L1 "0505"}},
		{"all categories to the right", STATUS_CORRUPT,
			{1, 0, 1, 1, 2, 0, 4, 1, SC "00000000" L0 L1 "0505"}},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		tap_is_int(decode_craft(&cases[i].craft), cases[i].status, "%s: %s",
				   cases[i].status == STATUS_OK ? "good" : "bad", cases[i].what);
}

/* The example of docs/model-format.md. */
static void
test_example(void)
{
	static const char hex[] = "436875726E4F70730100000001000000080000000100000001000000"
		"020000002A0000000001000100000078" "00000000000000F03F0100000000000000E03F"
		"0200020000006E6F03000000796573" "030000001A000000160000000300000001000000"
		"0100200000000080000000B00A04" "D2D70AF7";
	const ForestCell cells[] = {{.number = 0.5}, {.number = 0.6}, {.missing = true}};
	const double expected[] = {0, 0.75, 0};
	uint8_t		bytes[sizeof(hex) / 2];
	TestHost	t;
	ForestModel *model;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t) (hex_digit(hex[2 * i]) << 4 | hex_digit(hex[2 * i + 1]));
	test_host_begin(&t);
	if (tap_is_int(forest_decode(&t.host, bytes, sizeof(bytes), &model, NULL), STATUS_OK,
				   "the documented example"))
	{
		for (int i = 0; i < 3; i++)
		{
			uint8_t		row[8] = {forest_model_encode(model, 0, &cells[i])};
			double		out;

			forest_score(model, row, 1, &out);
			tap_is_real(out, expected[i], 0, "scores as it says: %d", i);
		}
		tap_is_text(forest_model_feature_name(model, 0), "x", "has its feature");
		tap_is_text(forest_model_class_label(model, 1), "yes", "and its classes");
		tap_is_real(forest_model_importance(model, 0), 1, 0, "and its importance");
		forest_model_free(model);
	}
	if (tap_is_int(decode_as_nodes(&t.host, bytes, sizeof(bytes), &model, NULL), STATUS_OK,
				   "the same as nodes"))
		forest_model_free(model);
	tap_ok(test_host_end(&t), "no leak");
}

/* A path cannot be longer than the features have bins: 4 + 9 here. */
static void
test_depth_limit(void)
{
	char		tree[1024];
	Craft		craft = {1, 0, 1, 1, 2, 0, 0, 0, tree};

	for (uint32_t depth = 12; depth <= 14; depth++)
	{
		size_t		n = 0;

		for (uint32_t i = 0; i < depth; i++)
			n += (size_t) snprintf(tree + n, sizeof(tree) - n, "%s%s", SX, L0);
		n += (size_t) snprintf(tree + n, sizeof(tree) - n, "%s", L1);
		for (uint32_t i = 0; i <= depth; i++)
			n += (size_t) snprintf(tree + n, sizeof(tree) - n, "05");
		craft.n_words = 2 * depth + 1;
		craft.depth = depth;
		tap_is_int(decode_craft(&craft), depth <= 13 ? STATUS_OK : STATUS_CORRUPT,
				   "a depth of %u", (unsigned) depth);
	}
}

/* Numbers whose sum over all trees does not fit are scaled down. */
static void
test_large_numbers(void)
{
	const int64_t scales[] = {0, INT64_C(1) << 55, INT64_C(1) << 58, INT64_MAX};
	size_t		n_scaled = 0;

	for (int i = 0; i < 4; i++)
	{
		const FixtureSpec spec = {.seed = 8, .n_features = 3, .n_trees = 50, .depth = 3,
			.number_scale = scales[i]};
		Fixture		f;
		ForestModel *model;
		uint8_t		row[8];
		double		out;
		double		bound;
		size_t		n_wrong = 0;

		fixture_begin(&f, &spec);
		model = fixture_model(&f, f.training.host);
		n_scaled += model->number_shift != f.training.schema.target_shift;
		bound = ldexp((double) (scales[i] != 0 ? scales[i] : 1 << 20), -13);
		for (int j = 0; j < 100; j++)
		{
			fixture_row(&f, row);
			forest_score(model, row, 1, &out);
			n_wrong += !(fabs(out - f.training.schema.target_offset) <= bound);
		}
		tap_is_int(n_wrong, 0, "sums of numbers of scale %d do not overflow", i);
		forest_model_free(model);
		tap_ok(fixture_end(&f), "no leak");
	}
	tap_is_int(n_scaled, 2, "only those are scaled that need it");
}

/* --------------------------------------------------------------- sweeps -- */

static Status
assemble_it(const Host *host, void *arg, Failure *why)
{
	const Fixture *f = arg;
	ForestArtifact a;
	Status		status = forest_assemble(host, &f->training, f->trees, &a, why);

	if (status == STATUS_OK)
		memory_free(host, a.bytes, a.capacity, 1);
	return status;
}

static Status
decode_it(const Host *host, void *arg, Failure *why)
{
	const ForestArtifact *a = arg;
	ForestModel *model;
	Status		status = forest_decode(host, a->bytes, a->n_bytes, &model, why);

	if (status == STATUS_OK)
		forest_model_free(model);
	return status;
}

static Status
decode_nodes_it(const Host *host, void *arg, Failure *why)
{
	const ForestArtifact *a = arg;
	ForestModel *model;
	Status		status = decode_as_nodes(host, a->bytes, a->n_bytes, &model, why);

	if (status == STATUS_OK)
		forest_model_free(model);
	return status;
}

static void
test_sweeps(void)
{
	for (uint32_t n_classes = 0; n_classes <= 3; n_classes++)
	{
		const FixtureSpec spec = {.seed = 9, .n_classes = n_classes == 1 ? 2 : n_classes,
			.n_features = 4, .categories = true, .n_trees = 5, .depth = 4};
		Fixture		f;
		ForestArtifact a;

		fixture_begin(&f, &spec);
		fixture_assemble(&f, f.training.host, &a);
		tap_ok(test_sweep(assemble_it, &f, 3, 1), "assembling survives refusal and cancel");
		tap_ok(test_sweep(decode_it, &a, 10, 10), "decoding survives refusal and cancel");
		tap_ok(test_sweep(decode_nodes_it, &a, 10, 10), "into nodes, too");
		memory_free(f.training.host, a.bytes, a.capacity, 1);
		tap_ok(fixture_end(&f), "no leak");
	}
}

int
main(void)
{
	test_round_trip();
	test_importances();
	test_damage();
	test_crafted();
	test_example();
	test_depth_limit();
	test_large_numbers();
	test_sweeps();
	return tap_done();
}
