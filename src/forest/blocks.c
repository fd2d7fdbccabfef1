/*
 * blocks.c
 *	  What a row looks like to blocks, and walks over them in plain C.
 */
#include <string.h>

#include "core/memory.h"
#include "forest/blocks.h"

#if defined(__GNUC__)
#define ALWAYS_INLINE inline __attribute__((always_inline))
#else
#define ALWAYS_INLINE inline
#endif

void
blocks_free(const Host *host, ModelBlocks *b)
{
	memory_free(host, b->memory, blocks_memory_bytes(b, b->capacity), 1);
	memory_free(host, b->exits, b->capacity, BLOCK_NODES * sizeof(uint32_t));
}

size_t
blocks_bytes(const ModelBlocks *b)
{
	if (b->capacity == 0)
		return 0;
	return blocks_memory_bytes(b, b->capacity) +
		(size_t) b->capacity * BLOCK_NODES * sizeof(uint32_t);
}

/* -------------------------------------------------------------- slots -- */

static BlockShape
choose_shape(const ModelBlocks *b)
{
	bool		wide = b->first_category + b->n_categories > 32;

	if (b->n_categories == 0)
		return b->n_numbers > 32 ? BLOCK_64_NUMBERS :
			b->n_numbers > 16 ? BLOCK_32_NUMBERS : BLOCK_16_NUMBERS;
	if (wide)
		return BLOCK_64_64;
	if (b->first_category < 16)
		return BLOCK_32_32;
	return b->n_numbers <= 16 ? BLOCK_16_16 : BLOCK_32_16;
}

bool
blocks_layout(ModelBlocks *b, const ForestSchema *schema)
{
	uint32_t	most_codes = 0;
	uint32_t	n = 0;

	if (schema->n_features > BLOCK_MAX_SLOTS)
		return false;
	for (uint32_t f = 0; f < schema->n_features; f++)
	{
		const ForestFeature *feature = &schema->features[f];

		b->n_bins[f] = (uint8_t) feature->n_bins;
		if (feature->kind != FOREST_CATEGORY)
			b->feature[n++] = (uint16_t) f;
		else if (feature->n_bins + 1 > most_codes)
			most_codes = feature->n_bins + 1;
	}
	b->n_numbers = n;
	for (uint32_t f = 0; f < schema->n_features; f++)
		if (schema->features[f].kind == FOREST_CATEGORY)
			b->feature[n++] = (uint16_t) f;
	b->n_categories = n - b->n_numbers;
	b->n_planes = most_codes > 8 ? (most_codes + 7) / 8 : 1;
	if (b->n_planes > BLOCK_MAX_PLANES)
		return false;

	/* categories want the second table of 16 for themselves */
	b->first_category = b->n_numbers <= 16 && b->n_categories <= 16 ? 16 : b->n_numbers;
	b->shape = choose_shape(b);
	for (uint32_t i = 0; i < n; i++)
	{
		uint32_t	slot = i < b->n_numbers ? i : b->first_category + i - b->n_numbers;
		bool		high = (slot & 16) != 0 && b->shape != BLOCK_64_NUMBERS &&
			b->shape != BLOCK_64_64;

		b->code[b->feature[i]] = (uint8_t) (slot | (high ? BLOCK_HIGH : 0));
	}
	return true;
}

/* --------------------------------------------------------------- rows -- */

static void
set_slot(const ModelBlocks *b, uint32_t feature, uint8_t bin, BlockRow *row)
{
	uint32_t	slot = b->code[feature] & BLOCK_SLOT;
	uint32_t	code;
	uint8_t    *bits;

	if (slot < b->n_numbers)
	{
		row->as.slots.bins[slot] = bin;
		row->has_missing |= bin == FOREST_MISSING;
		return;
	}
	code = blocks_code(b, feature, bin);
	bits = row->as.slots.bits[0] + slot;
	for (uint32_t k = 0; k < b->n_planes; k++)
		bits[k * BLOCK_MAX_SLOTS] = 0;
	bits[code / 8 * BLOCK_MAX_SLOTS] = (uint8_t) (1 << code % 8);
}

static void
set_bin(const ModelBlocks *b, uint32_t feature, uint8_t bin, BlockRow *row)
{
	row->as.bins[b->code[feature]] = bin;
	row->as.bins[b->code[feature] | BLOCK_MISSING] = bin == FOREST_MISSING ? 0 : bin;
}

static void
set_test(const ModelBlocks *b, uint32_t feature, uint8_t bin, BlockRow *row)
{
	uint32_t   *test = &row->as.tests[b->code[feature]];
	uint32_t	code;
	uint32_t	bit;

	if ((b->code[feature] & BLOCK_SLOT) < b->n_numbers)
	{
		test[0] = BLOCK_TEST(255, 256 - bin, BLOCK_NODES);
		test[BLOCK_MISSING] = BLOCK_TEST(255, 256 - (bin == FOREST_MISSING ? 0 : bin), BLOCK_NODES);
		return;
	}
	code = blocks_code(b, feature, bin);
	bit = UINT32_C(1) << code % 8;
	test[0] = BLOCK_TEST(bit, 256 - bit, (1 + code / 8) * BLOCK_NODES);
}

void
blocks_row_set(const ModelBlocks *b, uint32_t feature, uint8_t bin, BlockRow *row)
{
	if (row->level != CPU_PORTABLE)
		set_slot(b, feature, bin, row);
	else if (b->n_categories == 0)
		set_bin(b, feature, bin, row);
	else
		set_test(b, feature, bin, row);
}

/* All slots at once: those of numbers are the first, in order. */
static void
fill_slots(const ModelBlocks *b, const uint8_t *bins, BlockRow *row)
{
	uint32_t	missing = 0;
	uint32_t	n = b->n_numbers + b->n_categories;

	memset(row->as.slots.bins, 0, sizeof(row->as.slots.bins));
	for (uint32_t i = 0; i < b->n_numbers; i++)
	{
		uint8_t		bin = bins[b->feature[i]];

		row->as.slots.bins[i] = bin;
		missing |= bin == FOREST_MISSING;
	}
	row->has_missing = missing != 0;
	if (b->n_categories == 0)
		return;
	memset(row->as.slots.bits, 0, b->n_planes * sizeof(row->as.slots.bits[0]));
	for (uint32_t i = b->n_numbers; i < n; i++)
	{
		uint32_t	code = blocks_code(b, b->feature[i], bins[b->feature[i]]);
		uint8_t    *bits = row->as.slots.bits[code / 8];

		bits[b->first_category + i - b->n_numbers] = (uint8_t) (1 << code % 8);
	}
}

void
blocks_row(const ModelBlocks *b, CpuLevel level, const uint8_t *bins, BlockRow *row)
{
	row->level = level;
	row->has_missing = false;
	if (level != CPU_PORTABLE)
	{
		fill_slots(b, bins, row);
		return;
	}
	/* walks that have ended, or wait to be many enough, ask what no split does */
	memset(&row->as, 0, b->n_categories > 0 ? sizeof(row->as.tests) : sizeof(row->as.bins));
	for (uint32_t f = 0; f < b->n_numbers + b->n_categories; f++)
		blocks_row_set(b, f, bins[f], row);
}

/* -------------------------------------------------------------- walks -- */

/* Walks that are advanced together: independent, so that they overlap. */
#define LANES 4

/* 1 if a test of a line holds, else 0. */
static ALWAYS_INLINE uint32_t
holds(const uint8_t *line, uint32_t node, const BlockRow *row, bool categories)
{
	uint8_t		asked = line[node];
	uint32_t	test;

	if (!categories)
		return row->as.bins[asked] <= line[BLOCK_NODES + node];
	test = row->as.tests[asked];
	return ((line[(test >> 17) + node] & (test & 255)) + (test >> 8 & 511)) >> 8;
}

/*
 * Exits of LANES blocks, as places in exits.  In uneven models, who began
 * further down is out before the others, and stays.
 */
static ALWAYS_INLINE void
find_exits(const ModelBlocks *b, const uint32_t *words, const BlockRow *row, bool categories,
		   bool even, uint32_t *places)
{
	const uint8_t *line[LANES];
	uint32_t	first[LANES];
	uint32_t	node[LANES];

	for (int i = 0; i < LANES; i++)
	{
		first[i] = even ? words[i] : words[i] & ~(BLOCK_GOES_ON | (BLOCK_NODES - 1));
		node[i] = even ? 1 : words[i] % BLOCK_NODES;
		line[i] = b->lines + (size_t) first[i] * (b->n_planes + 1);
	}
	for (int level = 0; level < BLOCK_LEVELS; level++)
		for (int i = 0; i < LANES; i++)
		{
			uint32_t	next = 2 * node[i] + holds(line[i], node[i] % BLOCK_NODES, row, categories);

			node[i] = even || node[i] < BLOCK_NODES ? next : node[i];
		}
	for (int i = 0; i < LANES; i++)
		places[i] = first[i] + node[i] % BLOCK_NODES;
}

static ALWAYS_INLINE void
exits_portable(const ModelBlocks *b, const BlockRow *row, const uint32_t *words, uint32_t n,
			   bool categories, bool even, uint32_t *places)
{
	for (uint32_t i = 0; i < n; i += LANES)
		find_exits(b, words + i, row, categories, even, places + i);
}

void
blocks_exits(const ModelBlocks *b, const BlockRow *row, const uint32_t *words, uint32_t n,
			 uint32_t *places)
{
#ifdef CPU_X86
	if (row->level != CPU_PORTABLE)
	{
		blocks_exits_avx2(b, row, words, n, places);
		return;
	}
#endif
	if (b->n_categories == 0 && b->even)
		exits_portable(b, row, words, n, false, true, places);
	else if (b->n_categories == 0)
		exits_portable(b, row, words, n, false, false, places);
	else if (b->even)
		exits_portable(b, row, words, n, true, true, places);
	else
		exits_portable(b, row, words, n, true, false, places);
}

/*
 * Of n words, write down those that are leaves, as of walks; the others close
 * ranks, and there may be some more to walk.  Returns how many they are.
 */
static uint32_t
close_ranks(uint32_t *words, uint8_t *walks, uint32_t n, uint32_t *leaves)
{
	uint32_t	left = 0;

	for (uint32_t i = 0; i < n; i++)
	{
		uint32_t	word = words[i];

		leaves[walks[i]] = word;
		walks[left] = walks[i];
		words[left] = word;
		left += word / BLOCK_GOES_ON;
	}
	for (uint32_t i = left; i < blocks_walks_room(left); i++)
		words[i] = 0;
	return left;
}

/* Where walks end after different numbers of blocks; ended: some may have already. */
static void
uneven_leaves(const ModelBlocks *b, const BlockRow *row, const uint32_t *entries, uint32_t n,
			  bool ended, uint32_t *leaves)
{
	const uint32_t *exits = b->exits;
	uint32_t	words[BLOCK_WALKS];
	uint32_t	places[BLOCK_WALKS];
	uint8_t		walks[BLOCK_WALKS];

	for (uint32_t i = 0; i < n; i++)
		walks[i] = (uint8_t) i;
	memcpy(words, entries, n * sizeof(words[0]));
	for (uint32_t i = n; i < blocks_walks_room(n); i++)
		words[i] = 0;
	if (ended)
		n = close_ranks(words, walks, n, leaves);
	while (n > 0)
	{
		blocks_exits(b, row, words, n, places);
		for (uint32_t i = 0; i < n; i++)
			words[i] = exits[places[i]];
		n = close_ranks(words, walks, n, leaves);
	}
}

void
blocks_leaves(const ModelBlocks *b, const BlockRow *row, const uint32_t *words, uint32_t n,
			  uint32_t n_rounds, uint32_t *leaves)
{
	const uint32_t *exits = b->exits;
	uint32_t	places[BLOCK_WALKS];

	if (!b->even)
	{
		uneven_leaves(b, row, words, n, false, leaves);
		return;
	}
#ifdef CPU_X86
	if (row->level != CPU_PORTABLE)
	{
		blocks_leaves_avx2(b, row, words, n, n_rounds, leaves);
		return;
	}
#endif
	for (uint32_t round = 0; round < n_rounds; round++)
	{
		blocks_exits(b, row, words, blocks_walks_room(n), places);
		for (uint32_t i = 0; i < blocks_walks_room(n); i++)
			leaves[i] = exits[places[i]];
		words = leaves;
	}
}

void
blocks_leaves_behind(const ModelBlocks *b, const BlockRow *row, const uint32_t *words, uint32_t n,
					 uint32_t *leaves)
{
	if (!b->even)
		uneven_leaves(b, row, words, n, true, leaves);
	else if (b->n_rounds > 1)
		blocks_leaves(b, row, words, n, b->n_rounds - 1, leaves);
	else
		memcpy(leaves, words, n * sizeof(leaves[0]));
}
