/*
 * blocks_tile_wide.c
 *	  Rows of a tile down one tree of an even model, where the processor has
 *	  AVX2.
 *
 * The first block takes 32 rows in a register; the second is answered row by
 * row, as blocks_wide.c does it, but the row's tables are in memory and the
 * blocks of the tree are in the nearest cache.
 */
#include "forest/blocks_tile.h"
#include "forest/blocks_wide.h"

#ifdef CPU_X86

#define STEPS (BLOCK_TILE / BLOCK_TILE_STEP)

/* ------------------------------------------------------ the first block -- */

/* Byte r is 255 if a test holds for row r, else 0. */
static TARGET_INLINE void
test_holds(const BlockTile *tile, uint32_t n_planes, const uint8_t *test, uint32_t n_steps,
		   __m256i *holds)
{
	uint32_t	first = tile->column_of[*test & (BLOCK_SLOT | BLOCK_MISSING)];
	const __m256i *bytes = (const __m256i *) (tile->bytes + first * tile->room);
	__m256i		plane = _mm256_set1_epi8((char) test[BLOCK_NODES]);

	if (first < tile->n_numeric)
	{
		for (uint32_t i = 0; i < n_steps; i++)
			holds[i] = _mm256_cmpeq_epi8(_mm256_max_epu8(bytes[i], plane), plane);
		return;
	}
	for (uint32_t i = 0; i < n_steps; i++)
		holds[i] = _mm256_cmpeq_epi8(_mm256_or_si256(bytes[i], plane), plane);
	for (uint32_t k = 2; k <= n_planes; k++)
	{
		bytes += n_steps;
		plane = _mm256_set1_epi8((char) test[k * BLOCK_NODES]);
		for (uint32_t i = 0; i < n_steps; i++)
			holds[i] = _mm256_and_si256(holds[i],
										_mm256_cmpeq_epi8(_mm256_or_si256(bytes[i], plane), plane));
	}
}

/* Which exits: on each level, from the last, of two the one that the node above chooses. */
static TARGET_INLINE __m256i
choose_exits(__m256i (*holds)[STEPS], uint32_t i)
{
	__m256i		chosen[BLOCK_NODES / 2];

	/* what holds is 255, or -1 */
	for (int k = 0; k < BLOCK_NODES / 2; k++)
		chosen[k] = _mm256_sub_epi8(_mm256_set1_epi8((char) (2 * k)), holds[BLOCK_NODES / 2 + k][i]);
	for (int width = BLOCK_NODES / 4; width > 0; width /= 2)
		for (int k = 0; k < width; k++)
			chosen[k] = _mm256_blendv_epi8(chosen[2 * k], chosen[2 * k + 1], holds[width + k][i]);
	return chosen[0];
}

static TARGET_INLINE void
first_exits(const BlockTile *tile, uint32_t n_planes, const uint8_t *line, uint32_t n_steps,
			uint8_t *exits)
{
	__m256i		holds[BLOCK_NODES][STEPS];

	for (uint32_t node = 1; node < BLOCK_NODES; node++)
		test_holds(tile, n_planes, line + node, n_steps, holds[node]);
	for (uint32_t i = 0; i < n_steps; i++)
		_mm256_store_si256((__m256i *) exits + i, choose_exits(holds, i));
}

/* ----------------------------------------------------- the second block -- */

/* A table of a row; that of sixteen slots of bits is the second quarter. */
static TARGET_INLINE Table
load_bins(const uint8_t *bytes, BlockShape shape)
{
	Table		t;

	if (blocks_bins_slots(shape) > 16)
		return load_table(bytes, shape == BLOCK_64_NUMBERS || shape == BLOCK_64_64);
	t.quarter[0] = load16(bytes);
	return t;
}

static TARGET_INLINE Table
load_bits(const uint8_t *bytes, BlockShape shape)
{
	Table		t;

	if (blocks_bits_slots(shape) > 16)
		return load_table(bytes, shape == BLOCK_64_64);
	t.quarter[1] = load16(bytes);
	return t;
}

/* The answers of a row to the tests of a block. */
static TARGET_INLINE uint32_t
row_answer(const ModelBlocks *b, Kind kind, const uint8_t *tables, uint32_t block)
{
	Table		bins = load_bins(tables, kind.shape);
	Table		bits[BLOCK_MAX_PLANES];

	tables += blocks_bins_slots(kind.shape);
	if (kind.shape > BLOCK_64_NUMBERS)
		for (uint32_t k = 0; k < kind.n_planes; k++)
			bits[k] = load_bits(tables + k * blocks_bits_slots(kind.shape), kind.shape);
	return answer(b->lines + (size_t) block * (kind.n_planes + 1), kind, &bins, bits);
}

/* Rows that are answered in one turn of the loop. */
#define TURN 4

/*
 * Rows from one on, up to another, both multiples of TURN: the blocks that they
 * enter, and their answers.
 */
static TARGET_INLINE void
answer_rows(const ModelBlocks *b, Kind kind, const BlockTile *tile, const uint32_t *behind,
			const uint8_t *exits, uint32_t from, uint32_t to, uint32_t *entered,
			uint32_t *answers)
{
	uint32_t	stride = blocks_tables_bytes(kind.shape, kind.n_planes);
	const uint8_t *tables = tile->tables + from * stride;

	for (uint32_t first = from; first < to; first += TURN)
		for (uint32_t i = first; i < first + TURN; i++)
		{
			entered[i] = behind[exits[i]];
			answers[i] = row_answer(b, kind, tables, entered[i]);
			tables += stride;
		}
}

static TARGET_INLINE void
second_leaves(const ModelBlocks *b, BlockShape shape, uint32_t n_planes, const BlockTile *tile,
			  const uint32_t *behind, const uint8_t *exits, uint32_t *leaves)
{
	uint32_t	n = blocks_walks_room(tile->n_rows);
	uint32_t	n_whole = tile->n_whole / TURN * TURN;
	uint32_t	entered[BLOCK_TILE];

	answer_rows(b, (Kind) {shape, n_planes, true, false}, tile, behind, exits, 0, n_whole, entered,
				leaves);
	answer_rows(b, (Kind) {shape, n_planes, true, true}, tile, behind, exits, n_whole, n, entered,
				leaves);
	find_exits(entered, leaves, n, true, leaves);
	for (uint32_t first = 0; first < n; first += TURN)
		for (uint32_t i = first; i < first + TURN; i++)
			leaves[i] = b->exits[leaves[i]];
}

/* ------------------------------------------------------------- dispatch -- */

/* What is known of the model is known to the compiler. */
static TARGET_INLINE void
work(const ModelBlocks *b, BlockShape shape, uint32_t n_planes, const BlockTile *tile,
	 uint32_t entry, uint32_t *leaves)
{
	const uint8_t *line = b->lines + (size_t) entry * (n_planes + 1);
	const uint32_t *behind = b->exits + entry;
	_Alignas(32) uint8_t exits[BLOCK_TILE];

	if (tile->room == BLOCK_TILE)
		first_exits(tile, n_planes, line, STEPS, exits);
	else
		first_exits(tile, n_planes, line, tile->room / BLOCK_TILE_STEP, exits);
	if (b->n_rounds > 1)
		second_leaves(b, shape, n_planes, tile, behind, exits, leaves);
	else
		for (uint32_t i = 0; i < tile->n_rows; i++)
			leaves[i] = behind[exits[i]];
}

CPU_TARGET_AVX2 void
blocks_tile_leaves_avx2(const ModelBlocks *b, const BlockTile *tile, uint32_t entry,
						uint32_t *leaves)
{
	switch (b->shape)
	{
		case BLOCK_16_NUMBERS:
			work(b, BLOCK_16_NUMBERS, 1, tile, entry, leaves);
			break;
		case BLOCK_32_NUMBERS:
			work(b, BLOCK_32_NUMBERS, 1, tile, entry, leaves);
			break;
		case BLOCK_64_NUMBERS:
			work(b, BLOCK_64_NUMBERS, 1, tile, entry, leaves);
			break;
		case BLOCK_16_16:
			if (b->n_planes == 1)
				work(b, BLOCK_16_16, 1, tile, entry, leaves);
			else if (b->n_planes == 2)
				work(b, BLOCK_16_16, 2, tile, entry, leaves);
			else
				work(b, BLOCK_16_16, b->n_planes, tile, entry, leaves);
			break;
		case BLOCK_32_16:
			if (b->n_planes == 1)
				work(b, BLOCK_32_16, 1, tile, entry, leaves);
			else if (b->n_planes == 2)
				work(b, BLOCK_32_16, 2, tile, entry, leaves);
			else
				work(b, BLOCK_32_16, b->n_planes, tile, entry, leaves);
			break;
		case BLOCK_32_32:
			work(b, BLOCK_32_32, b->n_planes, tile, entry, leaves);
			break;
		case BLOCK_64_64:
			work(b, BLOCK_64_64, b->n_planes, tile, entry, leaves);
			break;
	}
}

#endif
