/*
 * blocks_tile.h
 *	  Tiles: rows that answer the first block of a tree together.  Private to
 *	  src/forest.
 *
 * All rows ask the first block of a tree the same 31 questions.  So a question
 * is one comparison of a column, a vector of rows at a time, and which exit
 * they take is 31 selections of bytes.  Behind the first block rows part, and
 * walk on as in blocks.h.
 *
 * That is for plain C.  With AVX2 it saves nothing: a row's own answers to a
 * block take less than what brings it there from a tile.
 */
#ifndef CHURNOPS_FOREST_BLOCKS_TILE_H
#define CHURNOPS_FOREST_BLOCKS_TILE_H

#include "forest/blocks.h"

#define BLOCK_TILE 128			/* rows, at most */
#define BLOCK_TILE_COLUMNS (BLOCK_MAX_PLANES * BLOCK_MAX_SLOTS)

/*
 * Columns: the bins of each number; the same with 0 for missing ones, if there
 * are any; of each category the bits of its planes, in order.
 */
typedef struct BlockTile
{
	uint32_t	n_rows;
	uint32_t	n_numeric;		/* columns of numbers, the first ones */
	uint16_t	column_of[2 * BLOCK_MAX_SLOTS]; /* by slot and BLOCK_MISSING */
	_Alignas(32) uint8_t columns[BLOCK_TILE_COLUMNS][BLOCK_TILE];
} BlockTile;

/* n <= BLOCK_TILE rows of bins, each of row_bytes. */
extern void blocks_tile(const ModelBlocks *b, const uint8_t *rows, size_t row_bytes, uint32_t n,
						BlockTile *tile);

/* Trees whose first blocks are asked before each row walks on, down all of them. */
#define BLOCK_TILE_TREES 32

/*
 * The words behind the first block of a tree, as blocks_leaves_behind() wants
 * them; that of row i is words[i × BLOCK_TILE_TREES].
 */
extern void blocks_tile_words(const ModelBlocks *b, const BlockTile *tile, uint32_t entry,
							  uint32_t *words);

#endif
