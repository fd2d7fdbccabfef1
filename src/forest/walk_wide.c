/*
 * walk_wide.c
 *	  The row engine's walk, eight trees to a register, where the processor
 *	  has AVX-512.  Only integers are added, so every bit is as in predict.c.
 *
 * Positions are numbers of slots of model->nodes, one per 64-bit lane; a
 * gather fetches the nodes they stand for.  Many such vectors are stepped in
 * turn, since a gather takes long but those of different vectors overlap.
 * Bins come from the row in a register, where it fits, else by another gather.
 *
 * A node in its lane, from the lowest bit: link 32, feature 11, unused 4, a bit
 * for masks, before 8, length 8 (model.h).
 */
#include "forest/model.h"

#ifdef MODEL_AVX512

#include <immintrin.h>

#define TARGET CPU_TARGET_AVX512
#define TARGET_INLINE inline __attribute__((always_inline)) TARGET

#define VECTOR_TREES 8
#define MAX_VECTORS 16			/* of a pass */

/* Steps between two questions whether all walks have ended. */
#define STEPS_PER_CHECK 4

/*
 * A mask of all lanes that the compiler does not see through.  Where it does,
 * GCC gathers into a register it has not cleared, and each gather waits for
 * the one before.
 */
static TARGET_INLINE __mmask8
all_lanes(void)
{
	uint32_t	lanes = 0xFF;

	__asm__("" : "+r"(lanes));
	return (__mmask8) lanes;
}

/* The bins that nodes ask for, each in the low byte of its lane. */
static TARGET_INLINE __m512i
node_bins(__m512i nodes, __m512i row, const uint8_t *bytes)
{
	__m512i		features = _mm512_srli_epi64(nodes, 32);
	__m512i		bins;

	if (bytes == NULL)
		/* the permutation looks at six bits of each byte */
		return _mm512_maskz_permutexvar_epi8(UINT64_C(0x0101010101010101), features, row);
	features = _mm512_and_si512(features, _mm512_set1_epi64(MODEL_FEATURE));
	bins = _mm512_mask_i64gather_epi64(_mm512_setzero_si512(), all_lanes(), features, bytes, 1);
	return _mm512_and_si512(bins, _mm512_set1_epi64(255));
}

/* One step, as model_step(). */
static TARGET_INLINE __m512i
step(const ModelNode *base, __m512i at, __m512i nodes, __m512i row, const uint8_t *bytes,
	 uint32_t mask_slots)
{
	__m512i		bins = node_bins(nodes, row, bytes);
	/* before - bin in the low byte, length in the next; then their sum */
	__m512i		arc = _mm512_sub_epi8(_mm512_srli_epi64(nodes, 48), bins);
	__m512i		sum = _mm512_maddubs_epi16(arc, _mm512_set1_epi8(1));
	__mmask8	near = _mm512_test_epi64_mask(sum, _mm512_set1_epi64(256));
	__m512i		next = _mm512_add_epi64(at, _mm512_set1_epi64(2));
	__m512i		links;

	if (mask_slots > 0)
	{
		__mmask8	masked = _mm512_test_epi64_mask(nodes, _mm512_set1_epi64(INT64_C(1) << 47));
		__m512i		slots = at;
		__m512i		words;

		if (mask_slots > 1)
			slots = _mm512_add_epi64(at, _mm512_srli_epi64(bins, 6));
		words = _mm512_mask_i64gather_epi64(_mm512_setzero_si512(), masked, slots, base + 1, 8);
		words = _mm512_rorv_epi64(words, bins);
		near |= _mm512_test_epi64_mask(words, _mm512_set1_epi64(1));
		next = _mm512_mask_add_epi64(next, masked, next, _mm512_set1_epi64(mask_slots));
	}
	links = _mm512_srai_epi64(_mm512_slli_epi64(nodes, 32), 32);
	links = _mm512_mask_mov_epi64(links, near, _mm512_set1_epi64(-1));
	return _mm512_add_epi64(next, links);
}

/* The positions of n_vectors * VECTOR_TREES walks, down to their leaves. */
static TARGET_INLINE void
walk(const ModelNode *base, __m512i *at, uint32_t n_vectors, __m512i row, const uint8_t *bytes,
	 uint32_t n_steps, uint32_t mask_slots)
{
	for (uint32_t done = 1; done <= n_steps; done++)
	{
		__m512i		links = _mm512_set1_epi64(-1);

		for (uint32_t i = 0; i < n_vectors; i++)
		{
			__mmask8	all = all_lanes();
			__m512i		nodes = _mm512_mask_i64gather_epi64(_mm512_setzero_si512(), all, at[i], base, 8);

			links = _mm512_and_si512(links, nodes);
			at[i] = step(base, at[i], nodes, row, bytes, mask_slots);
		}
		if (done % STEPS_PER_CHECK == 0 &&
			_mm512_test_epi64_mask(links, _mm512_set1_epi64(INT64_C(1) << 31)) == 0xFF)
			break;
	}
}

/* Add the leaves of up to MAX_VECTORS * VECTOR_TREES trees; walks beyond them go nowhere. */
static TARGET_INLINE void
add_trees(const ForestModel *model, const ModelTree *trees, uint32_t n, __m512i row,
		  const uint8_t *bytes, uint32_t mask_slots, int64_t *sums)
{
	const ModelNode *base = model->nodes;
	uint32_t	n_vectors = (n + VECTOR_TREES - 1) / VECTOR_TREES;
	uint32_t	n_steps = 0;
	int64_t		slots[MAX_VECTORS * VECTOR_TREES];
	__m512i		at[MAX_VECTORS];

	for (uint32_t i = 0; i < n_vectors * VECTOR_TREES; i++)
	{
		const ModelTree *tree = &trees[i < n ? i : 0];

		slots[i] = tree->root - base;
		if (tree->n_steps > n_steps)
			n_steps = tree->n_steps;
	}
	memcpy(at, slots, n_vectors * sizeof(at[0]));
	walk(base, at, n_vectors, row, bytes, n_steps, mask_slots);
	memcpy(slots, at, n_vectors * sizeof(at[0]));
	if (model->n_outputs == 1)
		for (uint32_t i = 0; i < n; i++)
			sums[0] += model_leaf_value(base + slots[i]);
	else
		for (uint32_t i = 0; i < n; i++)
			model_add_leaf(model, (uint32_t) slots[i], 1, sums);
}

/* Add the leaves of all trees, in passes of about equal length. */
static TARGET_INLINE void
add_forest(const ForestModel *model, __m512i row, const uint8_t *bytes, uint32_t mask_slots,
		   int64_t *sums)
{
	uint32_t	n_vectors = (model->n_trees + VECTOR_TREES - 1) / VECTOR_TREES;
	uint32_t	n_passes = (n_vectors + MAX_VECTORS - 1) / MAX_VECTORS;
	uint32_t	pass = (n_vectors + n_passes - 1) / n_passes * VECTOR_TREES;

	for (uint32_t first = 0; first < model->n_trees; first += pass)
	{
		uint32_t	left = model->n_trees - first;

		add_trees(model, model->trees + first, left < pass ? left : pass, row, bytes,
				  mask_slots, sums);
	}
}

static TARGET_INLINE void
add_row(const ForestModel *model, __m512i row, const uint8_t *bytes, int64_t *sums)
{
	if (model->mask_slots == 0)
		add_forest(model, row, bytes, 0, sums);
	else if (model->mask_slots == 1)
		add_forest(model, row, bytes, 1, sums);
	else
		add_forest(model, row, bytes, MODEL_MASK_SLOTS, sums);
}

TARGET void
model_add_row_avx512(const ForestModel *model, const uint8_t *row, int64_t *sums)
{
	/* gathers read eight bytes from each bin on */
	uint8_t		bytes[FOREST_MAX_FEATURES + 8];

	if (model->row_bytes <= 64)
	{
		__mmask64	used = UINT64_MAX >> (64 - model->row_bytes);

		add_row(model, _mm512_maskz_loadu_epi8(used, row), NULL, sums);
		return;
	}
	memcpy(bytes, row, model->row_bytes);
	add_row(model, _mm512_setzero_si512(), bytes, sums);
}

#endif
