/*
 * forest_fixture.c
 *	  Random schemas, rows and trees, and a reference scorer.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forest_fixture.h"

#include "core/memory.h"
#include "core/rng.h"
#include "forest/decode.h"
#include "forest/tree.h"

static const uint64_t poisson_thresholds[TRAINING_THRESHOLDS] = {
	UINT64_C(0x5E2D58D8B3BCDF1A), UINT64_C(0xBC5AB1B16779BE35), UINT64_C(0xEB715E1DC1582DC2),
	UINT64_C(0xFB23979734A252F1), UINT64_C(0xFF1025F59174DC3D), UINT64_MAX, UINT64_MAX,
	UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX
};

static void
must(Status status, const char *what)
{
	if (status == STATUS_OK)
		return;
	printf("Bail out! fixture: %s: status %d\n", what, (int) status);
	fflush(stdout);
	abort();
}

static uint64_t
random_bits(Fixture *f)
{
	f->state += RNG_GOLDEN;
	return rng_mix64(f->state);
}

uint32_t
fixture_below(Fixture *f, uint32_t bound)
{
	return (uint32_t) ((random_bits(f) >> 32) * bound >> 32);
}

static double
random_unit(Fixture *f)
{
	return rng_unit(random_bits(f));
}

/* --------------------------------------------------------------- schema -- */

static void
make_text(Fixture *f, const char *prefix, uint32_t number, ForestText *out)
{
	char		text[64];
	int			n = snprintf(text, sizeof(text), "%s%u", prefix, number);

	must(schema_text(&f->test_host.host, text, (size_t) n, out, NULL), "text");
}

/* Sizes at and around the limits of bytes, words and bins are frequent. */
static uint32_t
random_size(Fixture *f, uint32_t max)
{
	static const uint32_t edges[] = {1, 2, 3, 5, 7, 8, 9, 16, 63, 64, 65, 128, 254, 255};
	uint32_t	size = edges[fixture_below(f, sizeof(edges) / sizeof(edges[0]))];

	if (fixture_below(f, 4) == 0)
		size = 1 + fixture_below(f, max);
	return size < max ? size : max;
}

static void
make_category(Fixture *f, const FixtureSpec *spec, ForestFeature *feature)
{
	const Host *host = &f->test_host.host;

	feature->kind = FOREST_CATEGORY;
	feature->n_categories = random_size(f, spec->max_categories > 0 ? spec->max_categories :
										FOREST_MAX_CATEGORIES);
	feature->has_other = fixture_below(f, 2) == 0;
	feature->n_bins = feature->n_categories + feature->has_other;
	must(memory_new(host, feature->n_categories, sizeof(ForestText), &feature->categories, NULL),
		 "categories");
	for (uint32_t i = 0; i < feature->n_categories; i++)
		make_text(f, "category ", i, &feature->categories[i]);
	must(schema_index_categories(host, feature, NULL), "index");
}

static void
make_number(Fixture *f, ForestFeature *feature)
{
	static const ForestKind kinds[] = {FOREST_NUMERIC, FOREST_NUMERIC, FOREST_BOOLEAN,
		FOREST_TIMESTAMP, FOREST_TIMESTAMPTZ, FOREST_INTERVAL};
	double		cut = -50 * random_unit(f);

	feature->kind = kinds[fixture_below(f, 6)];
	feature->n_bins = random_size(f, FOREST_VALUE_BINS);
	must(memory_new(&f->test_host.host, feature->n_bins - 1, sizeof(double), &feature->cuts, NULL),
		 "cuts");
	for (uint32_t i = 0; i + 1 < feature->n_bins; i++)
	{
		cut += 0.001 + random_unit(f);
		feature->cuts[i] = cut;
	}
}

static void
make_schema(Fixture *f, const FixtureSpec *spec)
{
	ForestSchema *schema = &f->training.schema;
	const Host *host = &f->test_host.host;

	schema->task = spec->n_classes > 0 ? FOREST_CLASSIFICATION : FOREST_REGRESSION;
	schema->n_features = spec->n_features;
	must(memory_new(host, spec->n_features, sizeof(ForestFeature), &schema->features, NULL),
		 "features");
	for (uint32_t i = 0; i < spec->n_features; i++)
	{
		ForestFeature *feature = &schema->features[i];

		make_text(f, "feature ", i, &feature->name);
		if (spec->categories && (spec->n_categories == 0 ? i % 2 == 0 : i < spec->n_categories))
			make_category(f, spec, feature);
		else
			make_number(f, feature);
	}
	must(memory_new(host, spec->n_classes, sizeof(ForestText), &schema->classes, NULL), "classes");
	schema->n_classes = spec->n_classes;
	for (uint32_t k = 0; k < spec->n_classes; k++)
		make_text(f, "class ", k, &schema->classes[k]);
	if (schema->task == FOREST_REGRESSION)
	{
		schema->target_offset = 17.25;
		schema->target_shift = 13;
	}
}

/* ----------------------------------------------------------------- rows -- */

static uint8_t
random_bin(Fixture *f, const ForestFeature *feature)
{
	if (fixture_below(f, 6) == 0)
		return FOREST_MISSING;
	return (uint8_t) fixture_below(f, feature->n_bins);
}

void
fixture_row(Fixture *f, uint8_t *row)
{
	const ForestSchema *schema = &f->training.schema;

	memset(row, 0, f->training.row_bytes);
	for (uint32_t i = 0; i < schema->n_features; i++)
		row[i] = random_bin(f, &schema->features[i]);
}

static size_t
chunk_bytes(const ForestTraining *t)
{
	size_t		n = (size_t) 1 << t->chunk_shift;

	return n * (8 + 8 + 4 + t->row_bytes) + 8;
}

static void
make_chunk(Fixture *f, TrainingChunk *chunk)
{
	ForestTraining *t = &f->training;
	size_t		n = (size_t) 1 << t->chunk_shift;
	uint64_t   *keys;
	int64_t    *target;
	uint32_t   *label;
	uint32_t   *weight;
	uint8_t    *bins;

	chunk->n_bytes = chunk_bytes(t);
	must(memory_new(t->host, chunk->n_bytes, 1, &chunk->block, NULL), "chunk");
	keys = chunk->block;
	target = (int64_t *) (keys + n);
	label = (uint32_t *) (keys + n);
	weight = (uint32_t *) (target + n);
	bins = (uint8_t *) (weight + n + (n & 1));
	for (size_t i = 0; i < n; i++)
	{
		keys[i] = random_bits(f);
		if (t->schema.n_classes > 0)
			label[i] = fixture_below(f, t->schema.n_classes);
		else
			target[i] = (int64_t) fixture_below(f, 1 << 20) - (1 << 19);
		weight[i] = fixture_below(f, 4);
		fixture_row(f, bins + i * t->row_bytes);
	}
	chunk->keys = keys;
	chunk->target = t->schema.n_classes > 0 ? NULL : target;
	chunk->label = t->schema.n_classes > 0 ? label : NULL;
	chunk->weight = t->weighted ? weight : NULL;
	chunk->bins = bins;
}

static void
make_rows(Fixture *f, const FixtureSpec *spec)
{
	ForestTraining *t = &f->training;

	t->n_train = spec->n_train;
	t->n_rows = spec->n_train + spec->n_test;
	t->row_bytes = (spec->n_features + 7) / 8 * 8;
	t->weighted = spec->weighted;
	t->chunk_shift = spec->chunk_shift > 0 ? spec->chunk_shift : 6;
	t->n_chunks = (t->n_rows >> t->chunk_shift) + 1;
	must(memory_new(t->host, t->n_chunks, sizeof(TrainingChunk), &t->chunks, NULL), "chunks");
	for (uint32_t i = 0; i < t->n_chunks; i++)
		make_chunk(f, &t->chunks[i]);
	if (t->schema.n_classes == 0)
		must(memory_new(t->host, t->n_rows, sizeof(double), &t->target_value, NULL), "targets");
	if (t->weighted)
		must(memory_new(t->host, t->n_rows, sizeof(double), &t->row_weight, NULL), "weights");
	for (uint32_t i = 0; i < t->n_rows; i++)
	{
		const TrainingChunk *chunk = training_chunk(t, i);
		uint32_t	place = training_in_chunk(t, i);

		if (t->target_value != NULL)
			t->target_value[i] = t->schema.target_offset +
				ldexp((double) chunk->target[place], -t->schema.target_shift);
		if (t->row_weight != NULL)
			t->row_weight[i] = chunk->weight[place] / 2.0;
	}
}

/* ---------------------------------------------------------------- trees -- */

static void
put_varint(ByteWriter *w, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		bytes_put_u8(w, (uint8_t) (value | 0x80));
	bytes_put_u8(w, (uint8_t) value);
}

/* The parts of a tree. */
typedef struct TreeWriter
{
	const FixtureSpec *spec;
	ByteWriter	words;
	ByteWriter	values;
	ByteWriter	covers;
	uint32_t	n_values;
	uint32_t	deepest;
} TreeWriter;

static void
put_shares(Fixture *f, ByteWriter *w, uint32_t n_classes)
{
	uint32_t	left = TREE_ONE;

	for (uint32_t k = 0; k < n_classes; k++)
	{
		uint32_t	p = k + 1 < n_classes ? fixture_below(f, left + 1) : left;

		bytes_put_u32(w, p);
		left -= p;
	}
}

static void
put_leaf(Fixture *f, TreeWriter *w)
{
	const FixtureSpec *spec = w->spec;
	bool		pure = spec->n_classes > 0 && fixture_below(f, 3) == 0;
	uint32_t	value;

	put_varint(&w->covers, random_bits(f) >> (24 + fixture_below(f, 40)));
	if (spec->n_classes == 2)
		value = pure ? fixture_below(f, 2) * TREE_ONE : fixture_below(f, TREE_ONE + 1);
	else if (pure)
		value = fixture_below(f, spec->n_classes);
	else
		value = spec->n_classes + w->n_values++;
	bytes_put_u32(&w->words, TREE_LEAF | value);
	if (spec->n_classes == 0)
	{
		int64_t		scale = spec->number_scale != 0 ? spec->number_scale : 1 << 20;

		bytes_put_u64(&w->values,
					  (uint64_t) (int64_t) ((2 * random_unit(f) - 1) * (double) scale));
	}
	else if (spec->n_classes > 2 && !pure)
		put_shares(f, &w->values, spec->n_classes);
}

/* A set of categories that leaves at least one bin, or missing, on either side. */
static void
put_set(Fixture *f, ByteWriter *w, uint32_t n_bins, bool missing_left)
{
	uint8_t		set[32] = {0};
	uint32_t	n_left = missing_left;

	for (uint32_t bin = 0; bin < n_bins; bin++)
		if (fixture_below(f, 2) == 0)
		{
			set[bin / 8] |= (uint8_t) (1 << bin % 8);
			n_left++;
		}
	if (n_left == 0 || n_left == n_bins + 1)
		set[0] ^= 1;
	bytes_put(w, set, tree_set_words(n_bins) * TREE_WORD_BYTES);
}

/* A split; the length of its near child is put in later. */
static void
put_split(Fixture *f, ByteWriter *w)
{
	const ForestSchema *schema = &f->training.schema;
	uint32_t	number = fixture_below(f, schema->n_features);
	const ForestFeature *feature = &schema->features[number];
	uint32_t	cut = fixture_below(f, feature->n_bins);
	bool		missing_left = fixture_below(f, 2) == 0;
	bool		right_is_more = cut + 1 < feature->n_bins - cut;
	bool		near_right = fixture_below(f, 4) != 0 ? right_is_more : !right_is_more;
	uint32_t	word = number << TREE_FEATURE_SHIFT | (near_right ? TREE_NEAR_RIGHT : 0);

	if (feature->kind != FOREST_CATEGORY)
	{
		word |= cut << TREE_CUT_SHIFT;
		if (cut + 1 == feature->n_bins)
			missing_left = false;
	}
	bytes_put_u32(w, word | (missing_left ? TREE_MISSING_LEFT : 0));
	if (feature->kind == FOREST_CATEGORY)
		put_set(f, w, feature->n_bins, missing_left);
}

/* Set the skip of the split at `at`, `skip` bytes; a long one moves what is behind the split. */
static void
set_skip(ByteWriter *w, size_t at, size_t skip)
{
	uint32_t	word = tree_word(w->bytes + at);
	uint32_t	n = (uint32_t) (skip / TREE_WORD_BYTES);

	if (n <= TREE_MAX_SKIP)
	{
		bytes_patch_u32(w, at, word | n << TREE_SKIP_SHIFT);
		return;
	}
	bytes_put_u32(w, 0);
	memmove(w->bytes + at + 8, w->bytes + at + 4, w->n_bytes - at - 8);
	bytes_patch_u32(w, at + 4, n);
}

/* A subtree in preorder. */
static void
put_nodes(Fixture *f, TreeWriter *w, uint32_t level)
{
	const FixtureSpec *spec = w->spec;
	size_t		split = w->words.n_bytes;
	size_t		near;

	if (level > w->deepest)
		w->deepest = level;
	if (level >= f->max_depth || (!spec->full && level > 0 && fixture_below(f, 5) < 1u + spec->thin))
	{
		put_leaf(f, w);
		return;
	}
	put_split(f, &w->words);
	near = w->words.n_bytes;
	put_nodes(f, w, level + 1);
	set_skip(&w->words, split, w->words.n_bytes - near);
	put_nodes(f, w, level + 1);
}

static void
make_tree(Fixture *f, const FixtureSpec *spec, ForestBlob *out)
{
	TreeWriter	w = {.spec = spec};
	ByteWriter	all;
	uint8_t    *exact;

	bytes_writer_begin(&all, f->training.host, NULL);
	bytes_writer_begin(&w.words, f->training.host, NULL);
	bytes_writer_begin(&w.values, f->training.host, NULL);
	bytes_writer_begin(&w.covers, f->training.host, NULL);
	for (uint32_t i = 0; i < spec->n_features; i++)
		bytes_put_f64(&all, random_unit(f));
	put_nodes(f, &w, 0);
	bytes_put_u32(&all, (uint32_t) (w.words.n_bytes / TREE_WORD_BYTES));
	bytes_put_u32(&all, w.deepest);
	bytes_put(&all, w.words.bytes, w.words.n_bytes);
	if (w.values.n_bytes > 0)
		bytes_put(&all, w.values.bytes, w.values.n_bytes);
	bytes_put(&all, w.covers.bytes, w.covers.n_bytes);
	must(w.words.status, "words");
	must(all.status, "tree");

	/* a copy of the very size, so that reading beyond it is seen */
	must(memory_new_raw(f->training.host, all.n_bytes, 1, &exact, NULL), "tree");
	memcpy(exact, all.bytes, all.n_bytes);
	out->bytes = exact;
	out->n_bytes = all.n_bytes;
	bytes_writer_free(&w.words);
	bytes_writer_free(&w.values);
	bytes_writer_free(&w.covers);
	bytes_writer_free(&all);
}

void
fixture_begin(Fixture *f, const FixtureSpec *spec)
{
	ForestTraining *t = &f->training;

	memset(f, 0, sizeof(*f));
	test_host_begin(&f->test_host);
	f->state = spec->seed;
	t->host = &f->test_host.host;
	t->settings.n_estimators = spec->n_trees;
	t->settings.bootstrap = spec->bootstrap;
	t->settings.seed = 42;
	memcpy(t->settings.thresholds, poisson_thresholds, sizeof(poisson_thresholds));
	make_schema(f, spec);
	for (uint32_t i = 0; i < spec->n_features; i++)
		f->max_depth += t->schema.features[i].n_bins;
	if (f->max_depth > spec->depth)
		f->max_depth = spec->depth;
	make_rows(f, spec);
	must(memory_new(t->host, spec->n_trees, sizeof(ForestBlob), &f->trees, NULL), "trees");
	for (uint32_t i = 0; i < spec->n_trees; i++)
		make_tree(f, spec, &f->trees[i]);
}

bool
fixture_end(Fixture *f)
{
	ForestTraining *t = &f->training;
	const Host *host = t->host;

	for (uint32_t i = 0; i < t->settings.n_estimators; i++)
		memory_free(host, (void *) f->trees[i].bytes, f->trees[i].n_bytes, 1);
	memory_free(host, f->trees, t->settings.n_estimators, sizeof(ForestBlob));
	for (uint32_t i = 0; i < t->n_chunks; i++)
		memory_free(host, t->chunks[i].block, t->chunks[i].n_bytes, 1);
	memory_free(host, t->chunks, t->n_chunks, sizeof(TrainingChunk));
	memory_free(host, t->target_value, t->n_rows, sizeof(double));
	memory_free(host, t->row_weight, t->n_rows, sizeof(double));
	schema_free(host, &t->schema);
	return test_host_end(&f->test_host);
}

void
fixture_assemble(const Fixture *f, const Host *host, ForestArtifact *out)
{
	must(forest_assemble(host, &f->training, f->trees, out, NULL), "assemble");
}

typedef Status (*Decode) (const Host *host, const uint8_t *bytes, size_t n_bytes,
						  ForestModel **out, Failure *why);

static ForestModel *
make_model(const Fixture *f, const Host *host, Decode decode)
{
	ForestArtifact artifact;
	ForestModel *model;
	Failure		why = {0};
	Status		status;

	fixture_assemble(f, host, &artifact);
	status = decode(host, artifact.bytes, artifact.n_bytes, &model, &why);
	must(status, why.text);
	memory_free(host, artifact.bytes, artifact.capacity, 1);
	return model;
}

ForestModel *
fixture_model(const Fixture *f, const Host *host)
{
	return make_model(f, host, forest_decode);
}

ForestModel *
fixture_model_of_bytes(const Fixture *f, const Host *host, ForestArtifact *artifact)
{
	ForestModel *model;
	Failure		why = {0};

	fixture_assemble(f, host, artifact);
	must(forest_open(host, artifact->bytes, artifact->n_bytes, &model, &why), why.text);
	return model;
}

ForestModel *
fixture_model_of_nodes(const Fixture *f, const Host *host)
{
	return make_model(f, host, decode_as_nodes);
}

/* ------------------------------------------------------------ reference -- */

/* The value of one leaf: of each class, or the number. */
typedef struct LeafValue
{
	int64_t		of_class[FOREST_MAX_CLASSES];
	int64_t		number;
} LeafValue;

/* The tree that is read, and what has been read of it. */
typedef struct TreeReader
{
	const ForestSchema *schema;
	const uint8_t *row;
	const uint8_t *next;		/* word */
	const uint8_t *values;
} TreeReader;

static void
read_leaf(const TreeReader *r, uint32_t value, LeafValue *leaf)
{
	uint32_t	n_classes = r->schema->n_classes;

	memset(leaf, 0, sizeof(*leaf));
	if (n_classes == 0)
		leaf->number = (int64_t) ((uint64_t) tree_word(r->values + value * 8) |
								  (uint64_t) tree_word(r->values + value * 8 + 4) << 32);
	else if (n_classes == 2)
	{
		leaf->of_class[1] = value;
		leaf->of_class[0] = TREE_ONE - leaf->of_class[1];
	}
	else if (value < n_classes)
		leaf->of_class[value] = TREE_ONE;
	else
		for (uint32_t k = 0; k < n_classes; k++)
			leaf->of_class[k] = tree_word(r->values + ((value - n_classes) * n_classes + k) * 4);
}

/* Read a whole subtree; the leaf is the row's if it goes here. */
static void
read_subtree(TreeReader *r, bool here, LeafValue *leaf)
{
	uint32_t	word = tree_word(r->next);
	const ForestFeature *feature;
	uint8_t		bin;
	bool		left;
	bool		near;

	r->next += 4;
	if ((word & TREE_LEAF) != 0)
	{
		if (here)
			read_leaf(r, word & ~TREE_LEAF, leaf);
		return;
	}
	if (word >> TREE_SKIP_SHIFT == 0)
		r->next += 4;
	feature = &r->schema->features[word >> TREE_FEATURE_SHIFT & TREE_FEATURE];
	bin = r->row[word >> TREE_FEATURE_SHIFT & TREE_FEATURE];
	left = bin <= (word >> TREE_CUT_SHIFT & TREE_CUT);
	if (feature->kind == FOREST_CATEGORY)
	{
		left = bin < feature->n_bins && (r->next[bin / 8] >> bin % 8 & 1) != 0;
		r->next += (feature->n_bins + 31) / 32 * 4;
	}
	if (bin == FOREST_MISSING)
		left = (word & TREE_MISSING_LEFT) != 0;
	near = left != ((word & TREE_NEAR_RIGHT) != 0);
	read_subtree(r, here && near, leaf);
	read_subtree(r, here && !near, leaf);
}

uint32_t
fixture_reference(const Fixture *f, const uint8_t *row, const bool *use, double *out)
{
	const ForestSchema *schema = &f->training.schema;
	uint32_t	n_classes = schema->n_classes;
	uint32_t	n_used = 0;
	LeafValue	sum = {{0}, 0};
	int64_t		total = 0;

	for (uint32_t t = 0; t < f->training.settings.n_estimators; t++)
	{
		const uint8_t *tree = f->trees[t].bytes + schema->n_features * sizeof(double);
		TreeReader	r = {schema, row, tree + TREE_HEADER_BYTES, NULL};
		LeafValue	leaf;

		if (use != NULL && !use[t])
			continue;
		r.values = r.next + (size_t) tree_word(tree) * 4;
		read_subtree(&r, true, &leaf);
		for (uint32_t k = 0; k < n_classes; k++)
			sum.of_class[k] += leaf.of_class[k];
		sum.number += leaf.number;
		n_used++;
	}
	for (uint32_t k = 0; k < n_classes; k++)
		total += sum.of_class[k];
	if (n_classes == 0)
		out[0] = schema->target_offset +
			ldexp((double) sum.number / n_used, -schema->target_shift);
	else if (n_classes == 2)
		out[0] = (double) sum.of_class[1] / ((double) TREE_ONE * n_used);
	else
		for (uint32_t k = 0; k < n_classes; k++)
			out[k] = (double) sum.of_class[k] / (double) total;
	return n_used;
}
