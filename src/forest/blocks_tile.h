/*
 * blocks_tile.h
 *	  Tiles: rows that go down a tree of blocks together.  Private to src/forest.
 *
 * All rows ask the first block of a tree the same 31 questions.  So a question
 * is one comparison of a column, a vector of rows at a time, and which exit
 * they take is 31 selections of bytes.  Behind the first block rows part.
 *
 * In plain C they then walk on as in blocks.h, each down some trees.  With
 * AVX2, where models are even, all of them take the second block of one tree
 * before the next tree comes: what a tree has is fetched once for a tile.
 */
#ifndef CHURNOPS_FOREST_BLOCKS_TILE_H
#define CHURNOPS_FOREST_BLOCKS_TILE_H

#include "forest/blocks.h"

/*
 * Rows of a tile, at most; models of many columns have smaller ones, of whole
 * steps.
 */
#define BLOCK_TILE 256
#define BLOCK_TILE_STEP 32
#define BLOCK_TILE_PORTABLE 64

/* What a row takes, at most: columns, and tables of all slots. */
#define BLOCK_TILE_ROW_BYTES \
	(BLOCK_MAX_PLANES * BLOCK_MAX_SLOTS + (1 + BLOCK_MAX_PLANES) * BLOCK_MAX_SLOTS)

/*
 * Columns, each of `room` rows: the bins of each number; the same with 0 for
 * missing ones, if there are any; of each category the bits of its planes, in
 * order.  Behind them, for AVX2, what shuffles take from each row, as BlockRow
 * has it, without the slots that there are not.  Rows that may have missing
 * numbers are the last ones, since they cost more.
 */
typedef struct BlockTile
{
	uint32_t	n_rows;
	uint32_t	room;
	uint32_t	n_whole;		/* so many of the first rows have no missing number */
	uint32_t	n_numeric;		/* columns of numbers, the first ones */
	uint8_t		order[BLOCK_TILE];	/* the rows, as the caller counts them */
	uint16_t	column_of[2 * BLOCK_MAX_SLOTS]; /* by slot and BLOCK_MISSING */
	uint8_t    *tables;
	_Alignas(32) uint8_t bytes[BLOCK_TILE_STEP * BLOCK_TILE_ROW_BYTES];
} BlockTile;

/* How many rows a tile may have. */
extern uint32_t blocks_tile_room(const ModelBlocks *b, CpuLevel level);

/* n rows of bins, each of row_bytes, into a tile. */
extern void blocks_tile(const ModelBlocks *b, CpuLevel level, const uint8_t *rows,
						size_t row_bytes, uint32_t n, BlockTile *tile);

/*
 * Trees whose first blocks are asked before each row walks on, down all of them:
 * as many as walk together, as a row is made ready anew for each lot.  Words of
 * neighbouring rows are not a power of two apart, or they would share a few
 * sets of the cache.
 */
#define BLOCK_TILE_TREES BLOCK_WALKS
#define BLOCK_TILE_STRIDE (BLOCK_TILE_TREES + 8)

/*
 * In plain C: the words behind the first block of a tree, as
 * blocks_leaves_behind() wants them; that of row i is
 * words[i × BLOCK_TILE_STRIDE].
 */
extern void blocks_tile_words(const ModelBlocks *b, const BlockTile *tile, uint32_t entry,
							  uint32_t *words);

#ifdef CPU_X86

/* Of a shape: slots of the table of bins, and of that of each plane of bits. */
static inline uint32_t
blocks_bins_slots(BlockShape shape)
{
	return shape == BLOCK_16_NUMBERS || shape == BLOCK_16_16 ? 16 :
		shape == BLOCK_64_NUMBERS || shape == BLOCK_64_64 ? 64 : 32;
}

static inline uint32_t
blocks_bits_slots(BlockShape shape)
{
	return shape <= BLOCK_64_NUMBERS ? 0 :
		shape == BLOCK_64_64 ? 64 : shape == BLOCK_32_32 ? 32 : 16;
}

static inline uint32_t
blocks_tables_bytes(BlockShape shape, uint32_t n_planes)
{
	return blocks_bins_slots(shape) + n_planes * blocks_bits_slots(shape);
}

/* The leaves of a tree of an even model; room for BLOCK_TILE of them. */
extern void blocks_tile_leaves_avx2(const ModelBlocks *b, const BlockTile *tile, uint32_t entry,
									uint32_t *leaves);
#endif

#endif
