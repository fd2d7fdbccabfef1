/*
 * rng.c
 *	  Philox4x32-10 and streams of it.
 */
#include "core/rng.h"

#define PHILOX_ROUNDS 10
#define PHILOX_MULTIPLIER_0 UINT32_C(0xD2511F53)
#define PHILOX_MULTIPLIER_1 UINT32_C(0xCD9E8D57)
#define PHILOX_WEYL_0 UINT32_C(0x9E3779B9)	/* golden ratio */
#define PHILOX_WEYL_1 UINT32_C(0xBB67AE85)	/* sqrt(3) - 1 */

void
rng_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
	uint32_t	c0 = counter[0];
	uint32_t	c1 = counter[1];
	uint32_t	c2 = counter[2];
	uint32_t	c3 = counter[3];
	uint32_t	k0 = key[0];
	uint32_t	k1 = key[1];
	int			round;

	for (round = 0; round < PHILOX_ROUNDS; round++)
	{
		uint64_t	p0 = (uint64_t) PHILOX_MULTIPLIER_0 * c0;
		uint64_t	p1 = (uint64_t) PHILOX_MULTIPLIER_1 * c2;

		c0 = (uint32_t) (p1 >> 32) ^ c1 ^ k0;
		c1 = (uint32_t) p1;
		c2 = (uint32_t) (p0 >> 32) ^ c3 ^ k1;
		c3 = (uint32_t) p0;
		k0 += PHILOX_WEYL_0;
		k1 += PHILOX_WEYL_1;
	}
	out[0] = c0;
	out[1] = c1;
	out[2] = c2;
	out[3] = c3;
}

void
rng_stream_begin(RngStream *stream, uint64_t seed, RngPurpose purpose, uint32_t tree,
				 uint64_t node_key)
{
	stream->counter[0] = 0;
	stream->counter[1] = (uint32_t) node_key;
	stream->counter[2] = (uint32_t) (node_key >> 32);
	stream->counter[3] = (uint32_t) purpose << 24 | tree;
	stream->key[0] = (uint32_t) seed;
	stream->key[1] = (uint32_t) (seed >> 32);
	stream->n_left = 0;
}

void
rng_stream_turn(RngStream *stream)
{
	rng_philox(stream->counter, stream->key, stream->out);
	stream->counter[0]++;
	stream->n_left = 4;
}

uint64_t
rng_stream_u64(RngStream *stream)
{
	uint64_t	low = rng_stream_u32(stream);

	return low | (uint64_t) rng_stream_u32(stream) << 32;
}
