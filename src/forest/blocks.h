/*
 * blocks.h
 *	  Trees cut into blocks of five levels: the form of a model that is scored
 *	  fastest.  Private to src/forest.
 *
 * The 31 tests of a block are the nodes 1 … 31 of a heap, its 32 exits the
 * nodes 32 … 63.  A row answers all 31 tests at once: the bins they ask for
 * come from a table of the row, in registers, and 31 comparisons of bytes are
 * one instruction.  What is left is a walk over bits, from node n to node
 * 2n + 1 where the test holds, else to 2n: arithmetic in registers, for many
 * trees at once, and no load waits for one before it but at the ends of blocks.
 *
 * A line of n_planes + 1 times 32 bytes holds the tests.  Byte n of the first
 * 32 says what node n asks: its slot in the row, and whether a missing number
 * makes the test hold.  Byte n of a plane says which bins do:
 *
 *	  number	 bins <= plane 0; the other planes are 255
 *	  category	 codes of which bit c % 8 in plane c / 8 is set; a missing value
 *				 has the code behind the last bin
 *
 * A row has a bin for each slot of a number and for each slot of a category
 * one bit in one of the planes; all else is 0.  So numbers and categories need
 * not be told apart: a test holds if max(bin, plane 0) = plane 0 and, in each
 * plane, bits | plane = plane.  A leaf above the last level has tests that
 * always hold below it (all planes 255).
 *
 * Each exit is a word.  Two kinds of model:
 *
 *	  even		no tree is deeper than two blocks.  All walks take n_rounds
 *				blocks; an exit of the first is the number of the next × 32, an
 *				exit of the last is a leaf.  A leaf before that has a block of
 *				its own; pure ones share one per class.
 *	  uneven	an exit with BLOCK_GOES_ON leads to a block × 32 + the node of
 *				its heap to begin with.  Subtrees of fewer levels lie together
 *				in a block, so that memory grows with the splits.
 *
 * A leaf is 31 bits: for two classes P(class 1) in units of 1 / TREE_ONE; for
 * more, the class of a pure leaf or n_classes + its row of class_values; for
 * regression its place in numbers.
 */
#ifndef CHURNOPS_FOREST_BLOCKS_H
#define CHURNOPS_FOREST_BLOCKS_H

#include "core/cpu.h"
#include "forest/schema.h"

#define BLOCK_LEVELS 5
#define BLOCK_NODES 32			/* exits of a block; and its tests, of which number 0 is unused */
#define BLOCK_GOES_ON UINT32_C(0x80000000)
#define BLOCK_EVEN_LEVELS (2 * BLOCK_LEVELS)
#define BLOCK_MAX_SLOTS 64
#define BLOCK_MAX_PLANES 8
#define BLOCK_MAX_BLOCKS (UINT32_C(1) << 26)

/* What a test asks.  Where there are more than 32 slots, BLOCK_HIGH is unused. */
#define BLOCK_SLOT 0x3F
#define BLOCK_MISSING 0x40		/* a missing number makes it hold */
#define BLOCK_HIGH 0x80			/* the slot is 16 or above, which byte shuffles want to know */

/* Which tables of 16 slots have bins of numbers, and which have bits of categories. */
typedef enum BlockShape
{
	BLOCK_16_NUMBERS,			/* bins in the first; no categories */
	BLOCK_32_NUMBERS,			/* bins in two */
	BLOCK_64_NUMBERS,			/* bins in four */
	BLOCK_16_16,				/* bins in the first, bits in the second */
	BLOCK_32_16,				/* bins in both, bits in the second */
	BLOCK_32_32,				/* bins and bits in both */
	BLOCK_64_64					/* bins and bits in four */
} BlockShape;

typedef struct ModelBlocks
{
	uint32_t	n_blocks;		/* 0: the model has no such form */
	uint32_t	capacity;
	uint32_t	n_planes;
	bool		even;
	uint32_t	n_rounds;		/* even: 1 or 2 */

	/* per feature, categories last: its slot as tests write it */
	BlockShape	shape;
	uint32_t	n_numbers;
	uint32_t	n_categories;
	uint32_t	first_category; /* its slot */
	uint16_t	feature[BLOCK_MAX_SLOTS];	/* the numbers, then the categories */
	uint8_t		code[BLOCK_MAX_SLOTS];	/* by feature */
	uint8_t		n_bins[BLOCK_MAX_SLOTS];	/* by feature */

	uint8_t    *memory;			/* lines, from its first multiple of 64 on */
	uint8_t    *lines;
	uint32_t   *exits;			/* BLOCK_NODES per block */

	int64_t    *numbers;		/* regression: the leaves */
} ModelBlocks;

/*
 * A row as walks want it.  Vectors: by slot, the bins of numbers, and for each
 * plane the bits of categories.  Portable, by what tests say: the bin, 0 for a
 * missing one that makes a test hold; or, with categories, mask, add and offset
 * of BLOCK_TEST: a test holds if (byte & mask) + add > 255, where byte is its
 * own at the offset in its line.
 */
typedef struct BlockRow
{
	CpuLevel	level;
	bool		has_missing;	/* a number may be */
	union
	{
		struct
		{
			uint8_t		bins[BLOCK_MAX_SLOTS];
			uint8_t		bits[BLOCK_MAX_PLANES][BLOCK_MAX_SLOTS];
		}			slots;
		uint8_t		bins[256];
		uint32_t	tests[256];
	}			as;
} BlockRow;

#define BLOCK_TEST(mask, add, offset) \
	((uint32_t) (mask) | (uint32_t) (add) << 8 | (uint32_t) (offset) << 17)

static inline size_t
blocks_line_bytes(const ModelBlocks *b)
{
	return (size_t) (b->n_planes + 1) * BLOCK_NODES;
}

/* Bytes of room for lines: they begin at its first multiple of a cache line. */
#define BLOCK_ALIGNMENT 64

static inline size_t
blocks_memory_bytes(const ModelBlocks *b, uint32_t capacity)
{
	return capacity * blocks_line_bytes(b) + BLOCK_ALIGNMENT;
}

static inline bool
blocks_used(const ModelBlocks *b)
{
	return b->n_blocks > 0;
}

/* Give each feature its slot; false if the features do not fit into blocks. */
extern bool blocks_layout(ModelBlocks *b, const ForestSchema *schema);

/* Free lines and exits, and the bytes that these take. */
extern void blocks_free(const Host *host, ModelBlocks *b);
extern size_t blocks_bytes(const ModelBlocks *b);

/* The code of a category's bin: missing, and what is no bin of it, is behind the others. */
static inline uint32_t
blocks_code(const ModelBlocks *b, uint32_t feature, uint8_t bin)
{
	return bin < b->n_bins[feature] ? bin : b->n_bins[feature];
}

/* A row of bins; and another bin for one of its features. */
extern void blocks_row(const ModelBlocks *b, CpuLevel level, const uint8_t *bins, BlockRow *row);
extern void blocks_row_set(const ModelBlocks *b, uint32_t feature, uint8_t bin, BlockRow *row);

/* What a node of a block asks; false for one that is there only to always hold. */
static inline bool
blocks_is_split(const ModelBlocks *b, uint32_t number, uint32_t node)
{
	const uint8_t *byte = b->lines + number * blocks_line_bytes(b) + node;

	for (uint32_t k = 1; k <= b->n_planes; k++)
		if (byte[k * BLOCK_NODES] != 255)
			return true;
	return false;
}

static inline uint32_t
blocks_feature(const ModelBlocks *b, uint32_t number, uint32_t node)
{
	uint32_t	slot = b->lines[number * blocks_line_bytes(b) + node] & BLOCK_SLOT;

	return b->feature[slot < b->n_numbers ? slot : slot - b->first_category + b->n_numbers];
}

/*
 * Walks that a call does at most.  They are done by so many at a time: what a
 * call is given beyond n up to a multiple of that must be words, too, of blocks
 * that there are; what it gives has room for as many.
 */
#define BLOCK_WALKS 128
#define BLOCK_WALKS_STEP 8

static inline uint32_t
blocks_walks_room(uint32_t n)
{
	return (n + BLOCK_WALKS_STEP - 1) / BLOCK_WALKS_STEP * BLOCK_WALKS_STEP;
}

/* The exits, as places in exits, of the n blocks that words lead to. */
extern void blocks_exits(const ModelBlocks *b, const BlockRow *row, const uint32_t *words,
						 uint32_t n, uint32_t *places);

/*
 * The leaves that n walks end in.  In even models all of them take n_rounds
 * blocks; in others this is ignored.
 */
extern void blocks_leaves(const ModelBlocks *b, const BlockRow *row, const uint32_t *words,
						  uint32_t n, uint32_t n_rounds, uint32_t *leaves);

/* The same from words that exits of first blocks are: in uneven models, some are leaves. */
extern void blocks_leaves_behind(const ModelBlocks *b, const BlockRow *row,
								 const uint32_t *words, uint32_t n, uint32_t *leaves);

#ifdef CPU_X86
extern void blocks_exits_avx2(const ModelBlocks *b, const BlockRow *row, const uint32_t *words,
							  uint32_t n, uint32_t *places);
extern void blocks_leaves_avx2(const ModelBlocks *b, const BlockRow *row, const uint32_t *words,
							   uint32_t n, uint32_t n_rounds, uint32_t *leaves);
#endif

#endif
