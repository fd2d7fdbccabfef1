/*
 * rng.h
 *	  Keyed, counter-based random numbers: a draw is a pure function of what
 *	  it is for, so no result depends on the order of the work.
 *
 * mix64 is the finaliser of splitmix64 (Steele, Lea, Flood 2014) and serves
 * single draws about a row.  Philox4x32-10 (Salmon et al. 2011) serves where
 * a stream is needed.  Test vectors: algorithms T8.
 */
#ifndef CHURNOPS_CORE_RNG_H
#define CHURNOPS_CORE_RNG_H

#include <stdint.h>

#include "core/hash.h"

/* What a draw is for; part of every key, so that purposes never share numbers. */
typedef enum RngPurpose
{
	RNG_BOOTSTRAP = 0,
	RNG_FEATURES = 1,
	RNG_THRESHOLD = 2,
	RNG_CATEGORIES = 3,
	RNG_PERMUTATION = 4,
	RNG_SPLIT = 5,
	RNG_METRIC = 6,
	RNG_FOLD = 7,				/* folds of a cross-validation */
	RNG_SEARCH = 8,				/* points of a search */
	RNG_RESOURCE = 9			/* rows of a rung of successive halving */
} RngPurpose;

#define RNG_GOLDEN UINT64_C(0x9E3779B97F4A7C15)

static inline uint64_t
rng_mix64(uint64_t z)
{
	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	return z ^ (z >> 31);
}

/* Keys of nodes, by path: equal however the tree is walked. */
static inline uint64_t
rng_root_key(uint32_t tree)
{
	return rng_mix64(((uint64_t) tree + 1) * RNG_GOLDEN);
}

static inline uint64_t
rng_left_key(uint64_t key)
{
	return rng_mix64(key + RNG_GOLDEN);
}

static inline uint64_t
rng_right_key(uint64_t key)
{
	return rng_mix64(key + 2 * RNG_GOLDEN);
}

/*
 * The 64 bits from which all draws about one row come: its identity and its
 * ordinal (0, 1, …) among identical rows.
 */
static inline uint64_t
rng_row_key(Hash128 identity, uint64_t ordinal)
{
	return rng_mix64(identity.lo + rng_mix64(identity.hi + ordinal * RNG_GOLDEN));
}

/* The key of one purpose under a seed, for one tree (or repeat, or fold). */
static inline uint64_t
rng_purpose_key(uint64_t seed, RngPurpose purpose, uint32_t tree)
{
	return rng_mix64(rng_mix64(seed + RNG_GOLDEN) ^
					 (((uint64_t) purpose << 32 | tree) * RNG_GOLDEN));
}

/* One uniform 64-bit draw about a row, for one purpose key. */
static inline uint64_t
rng_row_draw(uint64_t purpose_key, uint64_t row_key)
{
	return rng_mix64(row_key ^ purpose_key);
}

/* A uniform double in [0, 1) from 64 random bits. */
static inline double
rng_unit(uint64_t bits)
{
	return (double) (bits >> 11) * 0x1.0p-53;
}

/* One block of Philox4x32-10. */
extern void rng_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/*
 * A stream: key = seed, counter = (block, node key lo, node key hi,
 * purpose << 24 | tree).  tree is below 2^24.
 */
typedef struct RngStream
{
	uint32_t	counter[4];
	uint32_t	key[2];
	uint32_t	out[4];
	int			n_left;			/* words of out not yet used */
} RngStream;

extern void rng_stream_begin(RngStream *stream, uint64_t seed, RngPurpose purpose, uint32_t tree,
							 uint64_t node_key);
extern uint64_t rng_stream_u64(RngStream *stream);

/* The next four words. */
extern void rng_stream_turn(RngStream *stream);

static inline uint32_t
rng_stream_u32(RngStream *stream)
{
	if (stream->n_left == 0)
		rng_stream_turn(stream);
	return stream->out[4 - stream->n_left--];
}

/*
 * Uniform in [0, bound), exact, bound > 0.  Lemire (2019), "Fast random
 * integer generation in an interval": the high word of draw × bound, drawn
 * again while the low word falls into the part that would favour some results.
 */
static inline uint32_t
rng_stream_below(RngStream *stream, uint32_t bound)
{
	uint64_t	product = (uint64_t) rng_stream_u32(stream) * bound;

	if ((uint32_t) product < bound)
	{
		uint32_t	surplus = (0 - bound) % bound;	/* 2^32 modulo bound */

		while ((uint32_t) product < surplus)
			product = (uint64_t) rng_stream_u32(stream) * bound;
	}
	return (uint32_t) (product >> 32);
}

#endif
