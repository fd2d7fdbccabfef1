/*
 * search.c
 *	  Numbers as bins: how many cuts of its feature are below a number.
 *
 * A search by halving waits for one load after the other, eight times for 254
 * cuts.  Where sixteen comparisons are a few instructions, two rounds are
 * enough: among the last cuts of all blocks of sixteen, then inside of a block.
 * That needs the cuts in a table of their own, which models have and trainings
 * have not.
 */
#include <math.h>

#include "core/memory.h"
#include "forest/schema.h"

#ifdef CPU_X86
#include <immintrin.h>
#endif

#define BLOCK 16

/* At least one, so that a feature without cuts needs no question of its own. */
static uint32_t
n_blocks(uint32_t n_cuts)
{
	return n_cuts == 0 ? 1 : (n_cuts + BLOCK - 1) / BLOCK;
}

/* The doubles of a table: its blocks, and one of their last cuts if they are several. */
static size_t
table_size(uint32_t n_cuts)
{
	return BLOCK * ((size_t) n_blocks(n_cuts) + (n_cuts > BLOCK));
}

Status
search_table(const Host *host, ForestFeature *feature, Failure *why)
{
	uint32_t	n_cuts = feature->n_bins - 1;
	double	   *block;
	Status		status;

	status = memory_new_raw(host, table_size(n_cuts), sizeof(double), &feature->table, why);
	if (status != STATUS_OK)
		return status;
	for (size_t i = 0; i < table_size(n_cuts); i++)
		feature->table[i] = INFINITY;
	block = feature->table;
	if (n_cuts > BLOCK)
	{
		for (uint32_t i = 0; i + 1 < n_blocks(n_cuts); i++)
			block[i] = feature->cuts[BLOCK * i + BLOCK - 1];
		block += BLOCK;
	}
	for (uint32_t i = 0; i < n_cuts; i++)
		block[i] = feature->cuts[i];
	return STATUS_OK;
}

size_t
search_table_bytes(const ForestFeature *feature)
{
	return feature->table == NULL ? 0 : table_size(feature->n_bins - 1) * sizeof(double);
}

void
search_table_free(const Host *host, ForestFeature *feature)
{
	if (feature->table != NULL)
		memory_free(host, feature->table, table_size(feature->n_bins - 1), sizeof(double));
	feature->table = NULL;
}

/*
 * By halving.  Which half is arithmetic, not a condition: compilers make a jump
 * of that, which no processor can guess.  The first question leaves 2^k - 1
 * cuts on either side, where the sides may overlap, so that no later one has to
 * mind the end.
 */
static inline uint32_t
count_below(const double *cuts, uint32_t n_cuts, double number)
{
	uint32_t	step = UINT32_C(1) << (31 - __builtin_clz(n_cuts));
	uint32_t	below = (n_cuts + 1 - step) * (uint32_t) (cuts[step - 1] < number);

	while ((step /= 2) > 0)
		below += step * (uint32_t) (cuts[below + step - 1] < number);
	return below;
}

uint8_t
schema_encode_number(const ForestFeature *feature, double number)
{
	if (isnan(number))
		return FOREST_MISSING;
	if (feature->n_bins == 1)
		return 0;
	return (uint8_t) count_below(feature->cuts, feature->n_bins - 1, number);
}

#ifdef CPU_X86
/* The cuts of a block that are below four copies of a number. */
CPU_TARGET_AVX2 static inline uint32_t
count_in_block(const double *block, __m256d number)
{
	__m256i		a = _mm256_castpd_si256(_mm256_cmp_pd(_mm256_loadu_pd(block), number, _CMP_LT_OQ));
	__m256i		b = _mm256_castpd_si256(_mm256_cmp_pd(_mm256_loadu_pd(block + 4), number, _CMP_LT_OQ));
	__m256i		c = _mm256_castpd_si256(_mm256_cmp_pd(_mm256_loadu_pd(block + 8), number, _CMP_LT_OQ));
	__m256i		d = _mm256_castpd_si256(_mm256_cmp_pd(_mm256_loadu_pd(block + 12), number, _CMP_LT_OQ));
	__m256i		all = _mm256_packs_epi16(_mm256_packs_epi32(a, b), _mm256_packs_epi32(c, d));

	/* two bytes for each of them, in whatever order */
	return (uint32_t) __builtin_popcount((uint32_t) _mm256_movemask_epi8(all)) / 2;
}

CPU_TARGET_AVX2 static void
encode_numbers_avx2(const ForestFeature *all, const uint16_t *features, const double *numbers,
					uint32_t n, uint8_t *row)
{
	for (uint32_t i = 0; i < n; i++)
	{
		const ForestFeature *feature = &all[features[i]];
		const double *block = feature->table;
		__m256d		number = _mm256_set1_pd(numbers[i]);
		uint32_t	below = 0;

		if (feature->n_bins - 1 > BLOCK)
		{
			below = BLOCK * count_in_block(block, number);
			block += BLOCK + below;
		}
		below += count_in_block(block, number);
		row[features[i]] = (uint8_t) (isnan(numbers[i]) ? FOREST_MISSING : below);
	}
}
#endif

void
schema_encode_numbers(const ForestSchema *schema, const uint16_t *features,
					  const double *numbers, uint32_t n, CpuLevel level, uint8_t *row)
{
#ifdef CPU_X86
	if (level >= CPU_AVX2)
	{
		encode_numbers_avx2(schema->features, features, numbers, n, row);
		return;
	}
#else
	(void) level;
#endif
	for (uint32_t i = 0; i < n; i++)
		row[features[i]] = schema_encode_number(&schema->features[features[i]], numbers[i]);
}
