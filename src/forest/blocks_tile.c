/*
 * blocks_tile.c
 *	  Tiles of rows: their columns, and the first block of a tree by vectors of
 *	  sixteen bytes, which compilers find instructions for on every platform.
 */
#include <string.h>

#include "forest/blocks_tile.h"

_Static_assert(BLOCK_TILE % BLOCK_TILE_STEP == 0 && BLOCK_TILE_STEP % 32 == 0,
			   "a tile is whole vectors");

/* -------------------------------------------------------------- columns -- */

/* Columns that a tile has room for: of numbers, twice. */
static uint32_t
count_columns(const ModelBlocks *b)
{
	return 2 * b->n_numbers + b->n_categories * b->n_planes;
}

#ifdef CPU_X86
static uint32_t
tables_bytes(const ModelBlocks *b)
{
	return b->even && b->n_rounds > 1 ? blocks_tables_bytes(b->shape, b->n_planes) : 0;
}
#endif

uint32_t
blocks_tile_room(const ModelBlocks *b, CpuLevel level)
{
	uint32_t	room = BLOCK_TILE_PORTABLE;

#ifdef CPU_X86
	if (level != CPU_PORTABLE)
	{
		room = BLOCK_TILE_STEP * BLOCK_TILE_ROW_BYTES / (count_columns(b) + tables_bytes(b));
		room = room < BLOCK_TILE ? room / BLOCK_TILE_STEP * BLOCK_TILE_STEP : BLOCK_TILE;
	}
#endif
	return room;
}

static uint8_t *
column(BlockTile *tile, uint32_t i)
{
	return tile->bytes + i * tile->room;
}

/* Is a bin of the row FOREST_MISSING, 255? */
static bool
may_have_missing(const ModelBlocks *b, const uint8_t *row)
{
	uint32_t	n = b->n_numbers + b->n_categories;
	uint64_t	found = 0;

	for (uint32_t i = 0; i + sizeof(uint64_t) <= n; i += sizeof(uint64_t))
	{
		uint64_t	bins;

		memcpy(&bins, row + i, sizeof(bins));
		/* the lowest such byte, and none but by one, turns its highest bit on */
		found |= (~bins - UINT64_C(0x0101010101010101)) & bins & UINT64_C(0x8080808080808080);
	}
	for (uint32_t i = n / sizeof(uint64_t) * sizeof(uint64_t); i < n; i++)
		found |= row[i] == FOREST_MISSING;
	return found != 0;
}

static void
order_rows(const ModelBlocks *b, const uint8_t *rows, size_t row_bytes,
		   BlockTile *tile)
{
	uint32_t	first = 0;
	uint32_t	last = tile->n_rows;

	for (uint32_t r = 0; r < tile->n_rows; r++)
	{
		bool		behind = may_have_missing(b, rows + r * row_bytes);

		last -= behind;
		tile->order[behind ? last : first] = (uint8_t) r;
		first += !behind;
	}
	tile->n_whole = first;
}

/* Byte j of word i and byte i of word j change places, counted from the lowest. */
static inline void
transpose(uint64_t w[8])
{
	static const uint64_t masks[] = {
		UINT64_C(0x00000000FFFFFFFF), UINT64_C(0x0000FFFF0000FFFF), UINT64_C(0x00FF00FF00FF00FF)
	};

	for (uint32_t m = 0; m < 3; m++)
	{
		uint32_t	apart = 4 >> m;

		for (uint32_t i = 0; i < 8; i++)
		{
			uint64_t	t;

			if ((i & apart) != 0)
				continue;
			t = (w[i] >> (8 * apart) ^ w[i + apart]) & masks[m];
			w[i] ^= t << (8 * apart);
			w[i + apart] ^= t;
		}
	}
}

/* In memory the lowest byte of a word is the first one, or the last one. */
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define WORD(i) (7 - (i))
#else
#define WORD(i) (i)
#endif

/*
 * Eight rows and eight features at a time; a row's bytes are a multiple of
 * that.  What is no number goes where nobody looks, or others write later.
 */
static void
fill_numbers(const ModelBlocks *b, const uint8_t *rows, size_t row_bytes, BlockTile *tile)
{
	uint8_t    *columns[BLOCK_MAX_SLOTS];
	uint8_t		nobody[BLOCK_TILE];
	uint32_t	n_features = b->n_numbers + b->n_categories;

	for (uint32_t f = 0; f < BLOCK_MAX_SLOTS; f++)
		columns[f] = nobody;
	for (uint32_t i = 0; i < b->n_numbers; i++)
		columns[b->feature[i]] = column(tile, i);
	for (uint32_t r = 0; r < tile->n_rows; r += 8)
		for (uint32_t f = 0; f < n_features; f += 8)
		{
			uint64_t	w[8];

			for (uint32_t i = 0; i < 8; i++)
			{
				uint32_t	row = tile->order[r + i < tile->n_rows ? r + i : r];

				memcpy(&w[WORD(i)], rows + row * row_bytes + f, sizeof(w[0]));
			}
			transpose(w);
			for (uint32_t i = 0; i < 8; i++)
				memcpy(columns[f + i] + r, &w[WORD(i)], sizeof(w[0]));
		}
}

/* Columns of all numbers, and without missing ones if there are any. */
static void
make_numbers(const ModelBlocks *b, const uint8_t *rows, size_t row_bytes, BlockTile *tile)
{
	fill_numbers(b, rows, row_bytes, tile);
	tile->n_numeric = tile->n_whole < tile->n_rows ? 2 * b->n_numbers : b->n_numbers;
	for (uint32_t i = 0; i < b->n_numbers; i++)
	{
		tile->column_of[i] = (uint16_t) i;
		tile->column_of[i | BLOCK_MISSING] = (uint16_t) i;
	}
	for (uint32_t i = b->n_numbers; i < tile->n_numeric; i++)
	{
		const uint8_t *bins = column(tile, i - b->n_numbers);
		uint8_t    *without = column(tile, i);
		uint32_t	room = tile->room;

		for (uint32_t r = 0; r < room; r++)
			without[r] = bins[r] == FOREST_MISSING ? 0 : bins[r];
		tile->column_of[(i - b->n_numbers) | BLOCK_MISSING] = (uint16_t) i;
	}
}

static void
fill_categories(const ModelBlocks *b, const uint8_t *rows, size_t row_bytes, BlockTile *tile)
{
	for (uint32_t i = 0; i < b->n_categories; i++)
	{
		uint32_t	first = tile->n_numeric + i * b->n_planes;
		uint32_t	feature = b->feature[b->n_numbers + i];

		tile->column_of[b->first_category + i] = (uint16_t) first;
		for (uint32_t r = 0; r < tile->n_rows; r++)
		{
			uint32_t	code = blocks_code(b, feature, rows[tile->order[r] * row_bytes + feature]);

			column(tile, first + code / 8)[r] = (uint8_t) (1 << code % 8);
		}
	}
}

#ifdef CPU_X86
static void
fill_tables(const ModelBlocks *b, const uint8_t *rows, size_t row_bytes, BlockTile *tile)
{
	uint32_t	bits_slots = blocks_bits_slots(b->shape);
	/* of sixteen slots of bits, the first is slot 16 */
	uint32_t	bits = blocks_bins_slots(b->shape) + b->first_category - (bits_slots == 16 ? 16 : 0);
	uint8_t    *tables = tile->tables;

	for (uint32_t r = 0; r < tile->n_rows; r++)
	{
		const uint8_t *row = rows + tile->order[r] * row_bytes;

		for (uint32_t i = 0; i < b->n_numbers; i++)
			tables[i] = row[b->feature[i]];
		for (uint32_t i = 0; i < b->n_categories; i++)
		{
			uint32_t	feature = b->feature[b->n_numbers + i];
			uint32_t	code = blocks_code(b, feature, row[feature]);

			tables[bits + code / 8 * bits_slots + i] = (uint8_t) (1 << code % 8);
		}
		tables += tables_bytes(b);
	}
}
#endif

void
blocks_tile(const ModelBlocks *b, CpuLevel level, const uint8_t *rows, size_t row_bytes,
			uint32_t n, BlockTile *tile)
{
	size_t		n_bytes;

	tile->n_rows = n;
	tile->room = level == CPU_PORTABLE ? BLOCK_TILE_PORTABLE :
		(n + BLOCK_TILE_STEP - 1) / BLOCK_TILE_STEP * BLOCK_TILE_STEP;
	n_bytes = (size_t) count_columns(b) * tile->room;
	tile->tables = tile->bytes + n_bytes;
#ifdef CPU_X86
	if (level != CPU_PORTABLE)
		n_bytes += (size_t) tables_bytes(b) * tile->room;
#endif
	/* a test that always holds may ask for a slot that there is not */
	memset(tile->column_of, 0, sizeof(tile->column_of));
	memset(tile->bytes, 0, n_bytes);
	order_rows(b, rows, row_bytes, tile);
	make_numbers(b, rows, row_bytes, tile);
	fill_categories(b, rows, row_bytes, tile);
#ifdef CPU_X86
	if (level != CPU_PORTABLE && tables_bytes(b) > 0)
		fill_tables(b, rows, row_bytes, tile);
#endif
}

/* ------------------------------------------------------ the first block -- */

typedef uint8_t Vector __attribute__((vector_size(16)));
typedef uint64_t Words __attribute__((vector_size(16)));

#define VECTORS (BLOCK_TILE_PORTABLE / 16)

/* A byte sixteen times; by words, since that is what compilers do well. */
#define ALL_OF(byte) ((Vector) ((Words) {0} + (byte) * UINT64_C(0x0101010101010101)))

/* Bytes of yes where holds is 255, of no where it is 0. */
#define CHOOSE(holds, yes, no) ((((yes) ^ (no)) & (holds)) ^ (no))

/* 255 for each row for which a test of a line holds, else 0. */
static void
test_holds(const ModelBlocks *b, const BlockTile *tile, const uint8_t *test, Vector *holds)
{
	uint32_t	first = tile->column_of[*test & (BLOCK_SLOT | BLOCK_MISSING)];
	const Vector *bytes = (const Vector *) (tile->bytes + first * BLOCK_TILE_PORTABLE);
	Vector		plane = ALL_OF(test[BLOCK_NODES]);

	if (first < tile->n_numeric)
	{
		for (uint32_t i = 0; i < VECTORS; i++)
			holds[i] = (Vector) (bytes[i] <= plane);
		return;
	}
	for (uint32_t i = 0; i < VECTORS; i++)
		holds[i] = (Vector) ((bytes[i] | plane) == plane);
	for (uint32_t k = 2; k <= b->n_planes; k++)
	{
		bytes += VECTORS;
		plane = ALL_OF(test[k * BLOCK_NODES]);
		for (uint32_t i = 0; i < VECTORS; i++)
			holds[i] &= (Vector) ((bytes[i] | plane) == plane);
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
	uint8_t		exits[BLOCK_TILE_PORTABLE];

	find_exits(b, tile, line, exits);
	for (uint32_t r = 0; r < tile->n_rows; r++)
		words[r * BLOCK_TILE_STRIDE] = behind[exits[r]];
}
