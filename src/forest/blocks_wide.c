/*
 * blocks_wide.c
 *	  Exits of blocks where the processor has AVX2.
 *
 * Two loops, each over all walks, so that nothing waits for something just
 * made: answers of the tests as 32 bits; then a walk over the bits, for eight
 * in a register.
 */
#include "forest/blocks_wide.h"

#ifdef CPU_X86

/* Lines whose tests are answered in one turn of the loop. */
#define TURN 4

/*
 * Answers of n blocks.  Where `exits` is not NULL, words are places in it, and
 * what is there goes to `entered`.
 */
static TARGET_INLINE void
answers(const ModelBlocks *b, Kind kind, const BlockRow *row, const uint32_t *words, uint32_t n,
		const uint32_t *exits, uint32_t *entered, uint32_t *out)
{
	bool		wide = kind.shape == BLOCK_64_NUMBERS || kind.shape == BLOCK_64_64;
	Table		bins = load_table(row->as.slots.bins, wide);
	Table		bits[BLOCK_MAX_PLANES];
	const uint8_t *lines = b->lines;

	if (kind.shape > BLOCK_64_NUMBERS)
		for (uint32_t k = 0; k < kind.n_planes; k++)
			bits[k] = load_table(row->as.slots.bits[k], wide);
	for (uint32_t first = 0; first < n; first += TURN)
		for (uint32_t i = first; i < first + TURN; i++)
		{
			uint32_t	word = words[i];

			if (exits != NULL)
			{
				word = exits[word];
				entered[i] = word;
			}
			if (!kind.even)
				word &= ~(BLOCK_GOES_ON | (BLOCK_NODES - 1));
			out[i] = answer(lines + (size_t) word * (kind.n_planes + 1), kind, &bins, bits);
		}
}

/* The exits of one round. */
static TARGET_INLINE void
exits_of(const ModelBlocks *b, Kind kind, const BlockRow *row, const uint32_t *words, uint32_t n,
		 uint32_t *places)
{
	uint32_t	bits[BLOCK_WALKS];

	answers(b, kind, row, words, n, NULL, NULL, bits);
	find_exits(words, bits, n, kind.even, places);
}

/* All rounds of an even model. */
static TARGET_INLINE void
leaves_of(const ModelBlocks *b, Kind kind, const BlockRow *row, const uint32_t *words, uint32_t n,
		  uint32_t n_rounds, uint32_t *leaves)
{
	const uint32_t *exits = b->exits;
	uint32_t	places[BLOCK_WALKS];
	uint32_t	entered[BLOCK_WALKS];
	uint32_t	bits[BLOCK_WALKS];

	answers(b, kind, row, words, n, NULL, NULL, bits);
	find_exits(words, bits, n, true, places);
	if (n_rounds == 2)
	{
		answers(b, kind, row, places, n, exits, entered, bits);
		find_exits(entered, bits, n, true, places);
	}
	for (uint32_t first = 0; first < n; first += TURN)
		for (uint32_t i = first; i < first + TURN; i++)
			leaves[i] = exits[places[i]];
}

/*
 * Work for one kind of model and row: what is known of it is known to the
 * compiler.  n_rounds is 0 where places are wanted.
 */
static TARGET_INLINE void
work(const ModelBlocks *b, BlockShape shape, uint32_t n_planes, const BlockRow *row,
	 const uint32_t *words, uint32_t n, uint32_t n_rounds, uint32_t *out)
{
	if (n_rounds > 0 && row->has_missing)
		leaves_of(b, (Kind) {shape, n_planes, true, true}, row, words, n, n_rounds, out);
	else if (n_rounds > 0)
		leaves_of(b, (Kind) {shape, n_planes, true, false}, row, words, n, n_rounds, out);
	else if (b->even)
		exits_of(b, (Kind) {shape, n_planes, true, true}, row, words, n, out);
	else
		exits_of(b, (Kind) {shape, n_planes, false, true}, row, words, n, out);
}

static TARGET void
work_by_kind(const ModelBlocks *b, const BlockRow *row, const uint32_t *words, uint32_t n,
			 uint32_t n_rounds, uint32_t *out)
{
	switch (b->shape)
	{
		case BLOCK_16_NUMBERS:
			work(b, BLOCK_16_NUMBERS, 1, row, words, n, n_rounds, out);
			break;
		case BLOCK_32_NUMBERS:
			work(b, BLOCK_32_NUMBERS, 1, row, words, n, n_rounds, out);
			break;
		case BLOCK_64_NUMBERS:
			work(b, BLOCK_64_NUMBERS, 1, row, words, n, n_rounds, out);
			break;
		case BLOCK_16_16:
			if (b->n_planes == 1)
				work(b, BLOCK_16_16, 1, row, words, n, n_rounds, out);
			else if (b->n_planes == 2)
				work(b, BLOCK_16_16, 2, row, words, n, n_rounds, out);
			else
				work(b, BLOCK_16_16, b->n_planes, row, words, n, n_rounds, out);
			break;
		case BLOCK_32_16:
			if (b->n_planes == 1)
				work(b, BLOCK_32_16, 1, row, words, n, n_rounds, out);
			else if (b->n_planes == 2)
				work(b, BLOCK_32_16, 2, row, words, n, n_rounds, out);
			else
				work(b, BLOCK_32_16, b->n_planes, row, words, n, n_rounds, out);
			break;
		case BLOCK_32_32:
			work(b, BLOCK_32_32, b->n_planes, row, words, n, n_rounds, out);
			break;
		case BLOCK_64_64:
			work(b, BLOCK_64_64, b->n_planes, row, words, n, n_rounds, out);
			break;
	}
}

void
blocks_exits_avx2(const ModelBlocks *b, const BlockRow *row, const uint32_t *words, uint32_t n,
				  uint32_t *places)
{
	work_by_kind(b, row, words, n, 0, places);
}

void
blocks_leaves_avx2(const ModelBlocks *b, const BlockRow *row, const uint32_t *words, uint32_t n,
				   uint32_t n_rounds, uint32_t *leaves)
{
	work_by_kind(b, row, words, n, n_rounds, leaves);
}

#endif
