/*
 * blocks_wide.h
 *	  What walks with AVX2 have in common.  Private to blocks_wide.c and
 *	  blocks_tile_wide.c.
 */
#ifndef CHURNOPS_FOREST_BLOCKS_WIDE_H
#define CHURNOPS_FOREST_BLOCKS_WIDE_H

#include "forest/blocks.h"

#ifdef CPU_X86

#include <immintrin.h>
#include <string.h>

#define TARGET CPU_TARGET_AVX2
#define TARGET_INLINE inline __attribute__((always_inline)) TARGET

#define LANES 8

/* A table of the row: up to 64 slots. */
typedef struct Table
{
	__m256i		quarter[4];
} Table;

/* What a walk is compiled for. */
typedef struct Kind
{
	BlockShape	shape;
	uint32_t	n_planes;
	bool		even;
	bool		has_missing;
} Kind;

static TARGET_INLINE __m256i
load16(const uint8_t *bytes)
{
	return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *) bytes));
}

static TARGET_INLINE Table
load_table(const uint8_t *bytes, bool wide)
{
	Table		t;

	t.quarter[0] = load16(bytes);
	t.quarter[1] = load16(bytes + 16);

	if (wide)
	{
		t.quarter[2] = load16(bytes + 32);
		t.quarter[3] = load16(bytes + 48);
	}
	return t;
}

/* A shuffle looks at the lowest four bits of a byte, and gives 0 where the highest is set. */
static TARGET_INLINE __m256i
look_up(const Table *t, __m256i asked, bool first, bool second, bool wide)
{
	__m256i		high = _mm256_xor_si256(asked, _mm256_set1_epi8((char) BLOCK_HIGH));
	__m256i		a;
	__m256i		b;

	if (wide)
	{
		/* bits 4 and 5 of what is asked, where a blend wants to see them */
		__m256i		odd = _mm256_slli_epi16(asked, 3);
		__m256i		upper = _mm256_slli_epi16(asked, 2);

		a = _mm256_blendv_epi8(_mm256_shuffle_epi8(t->quarter[0], asked),
							   _mm256_shuffle_epi8(t->quarter[1], asked), odd);
		b = _mm256_blendv_epi8(_mm256_shuffle_epi8(t->quarter[2], asked),
							   _mm256_shuffle_epi8(t->quarter[3], asked), odd);
		return _mm256_blendv_epi8(a, b, upper);
	}
	if (!second)
		return _mm256_shuffle_epi8(t->quarter[0], asked);
	b = _mm256_shuffle_epi8(t->quarter[1], high);
	return first ? _mm256_or_si256(_mm256_shuffle_epi8(t->quarter[0], asked), b) : b;
}

/* Bit n of the answer: test n of the line holds. */
static TARGET_INLINE uint32_t
answer(const uint8_t *line, Kind kind, const Table *bins, const Table *bits)
{
	bool		wide = kind.shape == BLOCK_64_NUMBERS || kind.shape == BLOCK_64_64;
	bool		categories = kind.shape > BLOCK_64_NUMBERS;
	bool		second = kind.shape != BLOCK_16_NUMBERS && kind.shape != BLOCK_16_16;
	__m256i		asked = _mm256_load_si256((const __m256i *) line);
	__m256i		plane = _mm256_load_si256((const __m256i *) (line + BLOCK_NODES));
	__m256i		bin = look_up(bins, asked, true, second, wide);
	__m256i		most = _mm256_max_epu8(bin, plane);
	__m256i		holds;

	if (categories)
		most = _mm256_or_si256(most, look_up(&bits[0], asked, kind.shape == BLOCK_32_32, true,
											 wide));
	holds = _mm256_cmpeq_epi8(most, plane);
	if (categories)
		for (uint32_t k = 1; k < kind.n_planes; k++)
		{
			__m256i		bit = look_up(&bits[k], asked, kind.shape == BLOCK_32_32, true, wide);

			plane = _mm256_load_si256((const __m256i *) (line + (k + 1) * BLOCK_NODES));
			holds = _mm256_and_si256(holds,
									 _mm256_cmpeq_epi8(_mm256_or_si256(bit, plane), plane));
		}
	if (kind.has_missing)
	{
		/* the highest bit is all that counts: BLOCK_MISSING moves there */
		__m256i		missing = _mm256_cmpeq_epi8(bin, _mm256_set1_epi8((char) FOREST_MISSING));

		holds = _mm256_or_si256(holds,
								_mm256_and_si256(missing, _mm256_add_epi8(asked, asked)));
	}
	return (uint32_t) _mm256_movemask_epi8(holds);
}

/* The exits that answers lead to, as places in exits. */
static TARGET_INLINE void
find_exits(const uint32_t *words, const uint32_t *bits, uint32_t n, bool even, uint32_t *out)
{
	const __m256i one = _mm256_set1_epi32(1);
	const __m256i low = _mm256_set1_epi32(BLOCK_NODES - 1);
	const __m256i block = _mm256_set1_epi32((int) ~(BLOCK_GOES_ON | (BLOCK_NODES - 1)));

	for (uint32_t i = 0; i < n; i += LANES)
	{
		__m256i		word = _mm256_loadu_si256((const __m256i *) (words + i));
		__m256i		bit = _mm256_loadu_si256((const __m256i *) (bits + i));
		__m256i		node = even ? one : _mm256_and_si256(word, low);

		for (int level = 0; level < BLOCK_LEVELS; level++)
		{
			__m256i		holds = _mm256_and_si256(_mm256_srlv_epi32(bit, node), one);
			__m256i		next = _mm256_add_epi32(_mm256_add_epi32(node, node), holds);

			/* who began further down is out before the others */
			node = even ? next : _mm256_blendv_epi8(next, node, _mm256_cmpgt_epi32(node, low));
		}
		if (!even)
			word = _mm256_and_si256(word, block);
		word = _mm256_or_si256(word, _mm256_and_si256(node, low));
		_mm256_storeu_si256((__m256i *) (out + i), word);
	}
}

#endif

#endif
