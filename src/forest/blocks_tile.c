/*
 * blocks_tile.c
 *	  Tiles of rows: their columns, and the first block of a tree by vectors of
 *	  sixteen bytes, which compilers find instructions for on every platform.
 */
#include <string.h>

#include "forest/blocks_tile.h"

_Static_assert(BLOCK_TILE % 32 == 0, "a tile is whole vectors");

/* -------------------------------------------------------------- columns -- */

static void
fill_numbers(const ModelBlocks *b, const uint8_t *rows, size_t row_bytes, BlockTile *tile)
{
	uint8_t		any_missing = 0;

	for (uint32_t i = 0; i < b->n_numbers; i++)
	{
		const uint8_t *bins = rows + b->feature[i];

		for (uint32_t r = 0; r < tile->n_rows; r++)
		{
			uint8_t		bin = bins[r * row_bytes];

			tile->columns[i][r] = bin;
			any_missing |= bin == FOREST_MISSING;
		}
		tile->column_of[i] = (uint16_t) i;
		tile->column_of[i | BLOCK_MISSING] = (uint16_t) i;
	}
	tile->n_numeric = any_missing ? 2 * b->n_numbers : b->n_numbers;
	for (uint32_t i = b->n_numbers; i < tile->n_numeric; i++)
	{
		const uint8_t *bins = tile->columns[i - b->n_numbers];

		for (uint32_t r = 0; r < BLOCK_TILE; r++)
			tile->columns[i][r] = bins[r] == FOREST_MISSING ? 0 : bins[r];
		tile->column_of[(i - b->n_numbers) | BLOCK_MISSING] = (uint16_t) i;
	}
}

static void
fill_categories(const ModelBlocks *b, const uint8_t *rows, size_t row_bytes, BlockTile *tile)
{
	for (uint32_t i = 0; i < b->n_categories; i++)
	{
		uint32_t	column = tile->n_numeric + i * b->n_planes;
		uint32_t	feature = b->feature[b->n_numbers + i];

		tile->column_of[b->first_category + i] = (uint16_t) column;
		for (uint32_t r = 0; r < tile->n_rows; r++)
		{
			uint32_t	code = blocks_code(b, feature, rows[r * row_bytes + feature]);

			tile->columns[column + code / 8][r] = (uint8_t) (1 << code % 8);
		}
	}
}

void
blocks_tile(const ModelBlocks *b, const uint8_t *rows, size_t row_bytes, uint32_t n,
			BlockTile *tile)
{
	tile->n_rows = n;
	/* a test that always holds may ask for a slot that there is not */
	memset(tile->column_of, 0, sizeof(tile->column_of));
	memset(tile->columns, 0,
		   (2 * b->n_numbers + b->n_categories * b->n_planes) * sizeof(tile->columns[0]));
	fill_numbers(b, rows, row_bytes, tile);
	fill_categories(b, rows, row_bytes, tile);
}

/* ------------------------------------------------------ the first block -- */

typedef uint8_t Vector __attribute__((vector_size(16)));
typedef uint64_t Words __attribute__((vector_size(16)));

#define VECTORS (BLOCK_TILE / 16)

/* A byte sixteen times; by words, since that is what compilers do well. */
#define ALL_OF(byte) ((Vector) ((Words) {0} + (byte) * UINT64_C(0x0101010101010101)))

/* Bytes of yes where holds is 255, of no where it is 0. */
#define CHOOSE(holds, yes, no) ((((yes) ^ (no)) & (holds)) ^ (no))

/* 255 for each row for which a test of a line holds, else 0. */
static void
test_holds(const ModelBlocks *b, const BlockTile *tile, const uint8_t *test, Vector *holds)
{
	uint32_t	first = tile->column_of[*test & (BLOCK_SLOT | BLOCK_MISSING)];
	const Vector *column = (const Vector *) tile->columns[first];
	Vector		plane = ALL_OF(test[BLOCK_NODES]);

	if (first < tile->n_numeric)
	{
		for (uint32_t i = 0; i < VECTORS; i++)
			holds[i] = (Vector) (column[i] <= plane);
		return;
	}
	for (uint32_t i = 0; i < VECTORS; i++)
		holds[i] = (Vector) ((column[i] | plane) == plane);
	for (uint32_t k = 2; k <= b->n_planes; k++)
	{
		column += VECTORS;
		plane = ALL_OF(test[k * BLOCK_NODES]);
		for (uint32_t i = 0; i < VECTORS; i++)
			holds[i] &= (Vector) ((column[i] | plane) == plane);
	}
}

/* Which exits: on each level, from the last, of two the one that the node above chooses. */
static void
find_exits(const ModelBlocks *b, const BlockTile *tile, const uint8_t *line, uint8_t *exits)
{
	Vector		holds[BLOCK_NODES][VECTORS];

	for (uint32_t node = 1; node < BLOCK_NODES; node++)
		test_holds(b, tile, line + node, holds[node]);
	for (uint32_t i = 0; i < VECTORS; i++)
	{
		Vector		chosen[BLOCK_NODES / 2];

		/* what holds is 255, or -1 */
		for (uint32_t k = 0; k < BLOCK_NODES / 2; k++)
			chosen[k] = ALL_OF(2 * k) - holds[BLOCK_NODES / 2 + k][i];
		for (uint32_t width = BLOCK_NODES / 4; width > 0; width /= 2)
			for (uint32_t k = 0; k < width; k++)
				chosen[k] = CHOOSE(holds[width + k][i], chosen[2 * k + 1], chosen[2 * k]);
		memcpy(exits + 16 * i, &chosen[0], 16);
	}
}

void
blocks_tile_words(const ModelBlocks *b, const BlockTile *tile, uint32_t entry, uint32_t *words)
{
	/* a tree's root is the first node of its block */
	uint32_t	block = entry & ~(uint32_t) (BLOCK_NODES - 1);
	const uint8_t *line = b->lines + (size_t) block * (b->n_planes + 1);
	const uint32_t *behind = b->exits + block;
	uint8_t		exits[BLOCK_TILE];

	find_exits(b, tile, line, exits);
	for (uint32_t r = 0; r < tile->n_rows; r++)
		words[r * BLOCK_TILE_TREES] = behind[exits[r]];
}
