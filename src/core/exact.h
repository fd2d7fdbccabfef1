/*
 * exact.h
 *	  Exact sums of doubles: the sum of any numbers in any order, rounded once.
 *
 * A sum is a fixed-point number wide enough for every double, kept in chunks
 * of 32 bits with room above for carries (Neal 2015).  Adding costs a shift
 * and two additions of integers, whatever was added before; two sums are
 * added chunk by chunk.  Hence a sum is a function of the multiset of its
 * terms alone, and parts of it may be made anywhere and merged in any order.
 */
#ifndef CHURNOPS_CORE_EXACT_H
#define CHURNOPS_CORE_EXACT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "core/bytes.h"

/* Bits of 2^1024 down to 2^-1074, and of the carries of 2^63 terms. */
#define EXACT_CHUNKS 68

/* So many terms fit into a chunk's room before carries have to be passed on. */
#define EXACT_PENDING_MAX 2000

/* Value: Σ chunk[i] 2^(32 i - 1074).  All zero is 0. */
typedef struct ExactSum
{
	int64_t		chunk[EXACT_CHUNKS];
	uint32_t	n_pending;		/* terms since carries were passed on */
} ExactSum;

/* Pass carries on: every chunk but the last becomes 0 … 2^32 - 1. */
extern void exact_settle(ExactSum *s);

/* Add a finite number. */
static inline void
exact_add(ExactSum *s, double x)
{
	uint64_t	bits;
	uint64_t	mantissa;
	uint32_t	exponent;
	uint32_t	shift;
	int64_t    *chunk;
	int64_t		low;
	int64_t		high;

	memcpy(&bits, &x, sizeof(bits));
	exponent = (uint32_t) (bits >> 52) & 0x7FF;
	mantissa = bits & ((UINT64_C(1) << 52) - 1);
	if (exponent != 0)
	{
		mantissa |= UINT64_C(1) << 52;
		exponent--;
	}
	shift = exponent & 31;
	chunk = s->chunk + (exponent >> 5);
	low = (int64_t) ((mantissa << shift) & 0xFFFFFFFF);
	high = (int64_t) (mantissa >> (32 - shift));
	if (bits >> 63)
	{
		chunk[0] -= low;
		chunk[1] -= high;
	}
	else
	{
		chunk[0] += low;
		chunk[1] += high;
	}
	if (++s->n_pending >= EXACT_PENDING_MAX)
		exact_settle(s);
}

/* Add the product of two numbers, exactly; false, with nothing added, if it is not finite. */
extern bool exact_add_product(ExactSum *s, double x, double y);

/* Add the product of three. */
extern bool exact_add_product3(ExactSum *s, double x, double y, double z);

/* Add another sum. */
extern void exact_merge(ExactSum *s, const ExactSum *other);

/* A sum as bytes, and back; what was not written so fails the reader. */
extern void exact_write(ByteWriter *w, const ExactSum *s);
extern void exact_read(ByteReader *r, ExactSum *s);

/* The nearest double, of two the even one; ±inf beyond the largest. */
extern double exact_value(const ExactSum *s);

/*
 * (a c - b²) / a, which is Σ w (y - mean)² for a = Σ w, b = Σ w y and
 * c = Σ w y²: the difference is exact, so that nothing cancels.  NAN unless a
 * is above 0.
 */
extern double exact_spread(const ExactSum *a, const ExactSum *b, const ExactSum *c);

#endif
