/*
 * real.c
 *	  Logarithm, exponential and compensated sums from + - * / alone.
 *
 * IEEE 754 fixes every one of these operations to the bit, and the order in
 * which they are written here fixes the rest, so long as no compiler fuses a
 * multiplication with an addition (-ffp-contract=off) or keeps more precision
 * than a double has (x87: build with SSE2).
 */
#include "core/real.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#if FLT_EVAL_METHOD != 0
#error "doubles must be computed as doubles: add -msse2 -mfpmath=sse"
#endif

/*
 * ln 2 in two parts.  The upper one has 36 significant bits, so that its
 * product with any exponent of a double is exact.
 */
#define LN2_HIGH 0x1.62e42fefap-1
#define LN2_LOW 0x1.cf79abc9e3b3ap-40
#define ONE_BY_LN2 0x1.71547652b82fep+0

#define MANTISSA_BITS 52
#define MANTISSA_MASK ((UINT64_C(1) << MANTISSA_BITS) - 1)
#define MANTISSA_OF_SQRT2 UINT64_C(0x6A09E667F3BCD)
#define EXPONENT_BIAS 1023

/*
 * With x = 2^k m, m between sqrt(1/2) and sqrt(2), f = m - 1, s = f / (2 + f):
 *
 *		log(m) = 2 artanh(s) = 2 s + 2 s^3/3 + 2 s^5/5 + ...
 *			   = f - f^2/2 + s (f^2/2 + R),  R = 2 s^2/3 + 2 s^4/5 + ...
 *
 * The second form keeps the large terms exact: f is, and what rounding drops
 * from f - f^2/2 and from adding k ln 2 is carried along.  |s| < 0.1716, so
 * twelve terms of R leave less than 2^-64.
 */
double
real_log(double x)
{
	uint64_t	bits;
	uint64_t	mantissa;
	int			k = 0;
	double		f,
				s,
				z,
				series,
				half_square,
				high,
				low,
				sum;

	if (!(x > 0))
		return x == 0 ? -INFINITY : x < 0 ? NAN : x;
	if (x > DBL_MAX)
		return x;
	if (x < DBL_MIN)
	{
		x *= 0x1p54;
		k = -54;
	}
	memcpy(&bits, &x, sizeof(bits));
	mantissa = bits & MANTISSA_MASK;
	k += (int) (bits >> MANTISSA_BITS) - EXPONENT_BIAS;
	bits = mantissa | (uint64_t) EXPONENT_BIAS << MANTISSA_BITS;
	if (mantissa >= MANTISSA_OF_SQRT2)
	{
		bits -= UINT64_C(1) << MANTISSA_BITS;
		k++;
	}
	memcpy(&x, &bits, sizeof(x));

	f = x - 1;
	s = f / (2 + f);
	z = s * s;
	series = z * (2.0 / 3 + z * (2.0 / 5 + z * (2.0 / 7 + z * (2.0 / 9 + z * (2.0 / 11 + z *
			 (2.0 / 13 + z * (2.0 / 15 + z * (2.0 / 17 + z * (2.0 / 19 + z * (2.0 / 21 + z *
			 (2.0 / 23 + z * (2.0 / 25))))))))))));
	half_square = 0.5 * f * f;
	high = f - half_square;
	low = ((f - high) - half_square) + s * (half_square + series);
	sum = k * LN2_HIGH + high;
	if (k != 0)
		low += ((k * LN2_HIGH - sum) + high) + k * LN2_LOW;
	return sum + low;
}

/* 2^k for k within the exponents of normal numbers. */
static double
power_of_two(int k)
{
	uint64_t	bits = (uint64_t) (k + EXPONENT_BIAS) << MANTISSA_BITS;
	double		power;

	memcpy(&power, &bits, sizeof(power));
	return power;
}

/*
 * With x = k ln 2 + r, |r| < 0.347: e^x = 2^k e^r, and the Taylor series of
 * e^r up to r^14 leaves less than 2^-62.  The power of two is applied in two
 * halves, since 2^1024 is no double and 2^-1074 would lose bits too early.
 */
double
real_exp(double x)
{
	double		high,
				low,
				r,
				tail,
				series;
	int			k;

	if (isnan(x))
		return x;
	if (x > 710)
		return INFINITY;
	if (x < -746)
		return 0;
	k = (int) (x * ONE_BY_LN2 + (x < 0 ? -0.5 : 0.5));
	high = x - k * LN2_HIGH;	/* exact */
	low = k * LN2_LOW;
	r = high - low;
	tail = (high - r) - low;
	series = 1.0 / 479001600 + r * (1.0 / 6227020800.0 + r * (1.0 / 87178291200.0));
	series = 1.0 / 362880 + r * (1.0 / 3628800 + r * (1.0 / 39916800 + r * series));
	series = 1.0 / 720 + r * (1.0 / 5040 + r * (1.0 / 40320 + r * series));
	series = 1.0 / 6 + r * (1.0 / 24 + r * (1.0 / 120 + r * series));
	series = 0.5 + r * series;
	series = 1 + (r + (r * r * series + tail));
	return series * power_of_two(k / 2) * power_of_two(k - k / 2);
}

void
real_sum_add(RealSum *s, double x)
{
	double		sum = s->sum + x;

	if (fabs(s->sum) >= fabs(x))
		s->lost += (s->sum - sum) + x;
	else
		s->lost += (x - sum) + s->sum;
	s->sum = sum;
}

double
real_sum_value(const RealSum *s)
{
	/* An infinite sum has lost NaN. */
	return isfinite(s->sum) ? s->sum + s->lost : s->sum;
}
