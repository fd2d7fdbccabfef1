/*
 * hash.h
 *	  Row identities: XXH3-128 of canonical bytes (libxxhash).
 */
#ifndef CHURNOPS_CORE_HASH_H
#define CHURNOPS_CORE_HASH_H

#include <stddef.h>
#include <stdint.h>

typedef struct Hash128
{
	uint64_t	lo;
	uint64_t	hi;
} Hash128;

/* XXH3-128 with seed 0; equal on every platform. */
extern Hash128 hash_bytes(const void *bytes, size_t n_bytes);

/* Order by hi, then lo: -1, 0 or 1. */
extern int	hash_compare(Hash128 a, Hash128 b);

/*
 * An order-free sum of row hashes: equal for every order of the same rows,
 * and what was added can be taken away again.  Each half of a hash adds up
 * modulo 2^128 on its own, so that duplicates never cancel.
 */
typedef struct HashSum
{
	uint64_t	count;
	uint64_t	sum_lo[2];		/* Σ lo, low word first */
	uint64_t	sum_hi[2];		/* Σ hi, low word first */
} HashSum;

extern void hash_sum_add(HashSum *sum, Hash128 hash);
extern void hash_sum_merge(HashSum *sum, const HashSum *other);

/* The sum as 40 little-endian bytes: count, sum_lo, sum_hi. */
#define HASH_SUM_BYTES 40
extern void hash_sum_store(const HashSum *sum, uint8_t out[HASH_SUM_BYTES]);

#endif
