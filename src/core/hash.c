/*
 * hash.c
 *	  XXH3-128 and order-free sums of it.
 *
 * libxxhash is compiled in from its header: there is no run-time library whose
 * version could differ from the one tested.
 */
#include "core/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

Hash128
hash_bytes(const void *bytes, size_t n_bytes)
{
	XXH128_hash_t digest = XXH3_128bits(bytes, n_bytes);
	Hash128		hash;

	hash.lo = digest.low64;
	hash.hi = digest.high64;
	return hash;
}

int
hash_compare(Hash128 a, Hash128 b)
{
	if (a.hi != b.hi)
		return a.hi < b.hi ? -1 : 1;
	if (a.lo != b.lo)
		return a.lo < b.lo ? -1 : 1;
	return 0;
}

/* sum += the 128-bit number (low, high), modulo 2^128. */
static void
add_wide(uint64_t sum[2], uint64_t low, uint64_t high)
{
	sum[0] += low;
	sum[1] += high + (sum[0] < low);
}

void
hash_sum_add(HashSum *sum, Hash128 hash)
{
	sum->count++;
	add_wide(sum->sum_lo, hash.lo, 0);
	add_wide(sum->sum_hi, hash.hi, 0);
}

void
hash_sum_merge(HashSum *sum, const HashSum *other)
{
	sum->count += other->count;
	add_wide(sum->sum_lo, other->sum_lo[0], other->sum_lo[1]);
	add_wide(sum->sum_hi, other->sum_hi[0], other->sum_hi[1]);
}

static void
store_u64(uint8_t *out, uint64_t value)
{
	int			i;

	for (i = 0; i < 8; i++)
		out[i] = (uint8_t) (value >> (8 * i));
}

void
hash_sum_store(const HashSum *sum, uint8_t out[HASH_SUM_BYTES])
{
	store_u64(out, sum->count);
	store_u64(out + 8, sum->sum_lo[0]);
	store_u64(out + 16, sum->sum_lo[1]);
	store_u64(out + 24, sum->sum_hi[0]);
	store_u64(out + 32, sum->sum_hi[1]);
}
