/*
 * test_real.c
 *	  Logarithm and exponential against libm, sums against exact ones.
 *
 * Distances to libm's doubles are counted in units in the last place: libm
 * itself is off by up to 0.52, hence a distance of 1 may mean less.  Where
 * long double has 64 bits the true error is measured as well.
 */
#include <float.h>

#include "tap.h"
#include "test_host.h"

#include "core/real.h"
#include "core/rng.h"

typedef double (*RealFunction) (double);
typedef long double (*LongFunction) (long double);

typedef struct Accuracy
{
	RealFunction ours;
	RealFunction libm;
	LongFunction long_libm;
	uint64_t	max_distance;	/* to libm's double */
	double		max_error;		/* to libm's long double, in ulp */
	double		worst;			/* where */
	uint64_t	n_points;
} Accuracy;

static double
from_bits(uint64_t bits)
{
	double		x;

	memcpy(&x, &bits, sizeof(x));
	return x;
}

/* Doubles between two doubles. */
static uint64_t
distance(double a, double b)
{
	int64_t		x;
	int64_t		y;

	if (a == b || (isnan(a) && isnan(b)))
		return 0;
	if (isnan(a) || isnan(b))
		return UINT64_MAX;
	memcpy(&x, &a, sizeof(x));
	memcpy(&y, &b, sizeof(y));
	if (x < 0)
		x = INT64_MIN - x;
	if (y < 0)
		y = INT64_MIN - y;
	return x > y ? (uint64_t) x - (uint64_t) y : (uint64_t) y - (uint64_t) x;
}

static void
check(Accuracy *a, double x)
{
	double		ours = a->ours(x);
	uint64_t	far = distance(ours, a->libm(x));

	a->n_points++;
	if (far > a->max_distance)
	{
		a->max_distance = far;
		a->worst = x;
	}
	if (LDBL_MANT_DIG >= 64 && isfinite(ours) && fabs(ours) >= DBL_MIN)
	{
		int			exponent;
		double		error;

		(void) frexp(ours, &exponent);
		error = (double) fabsl(ldexpl((long double) ours - a->long_libm((long double) x),
									  DBL_MANT_DIG - exponent));
		if (error > a->max_error)
			a->max_error = error;
	}
}

/* True when long double really computes with more bits: under valgrind it does not. */
static bool
long_double_is_long(void)
{
	volatile long double one = 1;
	volatile long double sum = one + LDBL_EPSILON;

	return LDBL_MANT_DIG >= 64 && sum != one;
}

static void
report(const Accuracy *a, uint64_t max_distance, double max_error, const char *name)
{
	if (!tap_ok(a->max_distance <= max_distance, "%s is near libm's", name))
		tap_diag("%" PRIu64 " units apart at %.17g", a->max_distance, a->worst);
	if (long_double_is_long() &&
		!tap_ok(a->max_error < max_error, "%s is off by less than %g ulp", name, max_error))
		tap_diag("%g ulp", a->max_error);
}

static void
test_log(void)
{
	Accuracy	a = {real_log, log, logl, 0, 0, 0, 0};
	uint64_t	i;
	int			k;

	for (i = 0; i < test_amount(2000000, 20000); i++)
	{
		uint64_t	random = rng_mix64(i * RNG_GOLDEN);

		check(&a, from_bits(random >> 1));	/* any positive bits, infinities and NaN too */
		check(&a, 0.5 + rng_unit(random) * 1.5);
	}
	report(&a, 1, 1.0, "log of random numbers");

	a = (Accuracy) {real_log, log, logl, 0, 0, 0, 0};
	for (k = -1074; k <= 1023; k += (int) test_amount(1, 9))
	{
		uint64_t	bits;

		check(&a, ldexp(1.0, k));
		memcpy(&bits, &(double) {ldexp(1.0, k)}, sizeof(bits));
		for (i = 1; i < 200; i++)
		{
			check(&a, from_bits(bits + i));
			check(&a, from_bits(bits > i ? bits - i : 1));
			check(&a, ldexp(sqrt(2.0), k) * (1 + ((double) i - 100) * 0x1p-52));
		}
	}
	report(&a, 1, 1.0, "log around powers of 2 and their roots");

	a = (Accuracy) {real_log, log, logl, 0, 0, 0, 0};
	for (i = 0; i < test_amount(500000, 5000); i++)
	{
		check(&a, from_bits(UINT64_C(0x3FF0000000000000) + i));
		check(&a, from_bits(UINT64_C(0x3FF0000000000000) - i));
		check(&a, 1 + (rng_unit(rng_mix64(i)) - 0.5) * 0x1p-8);
		check(&a, from_bits(i + 1));	/* subnormal */
		check(&a, from_bits(rng_mix64(i) >> 12));
	}
	report(&a, 1, 1.0, "log near 1 and of subnormal numbers");
}

static void
test_log_limits(void)
{
	tap_is_real(real_log(1), 0, 0, "log 1 = 0");
	tap_ok(!signbit(real_log(1)), "of positive sign");
	tap_is_real(real_log(0.0), -INFINITY, 0, "log 0 = -inf");
	tap_is_real(real_log(-0.0), -INFINITY, 0, "log -0 = -inf");
	tap_is_real(real_log(-1), NAN, 0, "log -1 = NaN");
	tap_is_real(real_log(-INFINITY), NAN, 0, "log -inf = NaN");
	tap_is_real(real_log(INFINITY), INFINITY, 0, "log inf = inf");
	tap_is_real(real_log(NAN), NAN, 0, "log NaN = NaN");
}

static void
test_exp(void)
{
	Accuracy	a = {real_exp, exp, expl, 0, 0, 0, 0};
	uint64_t	i;
	int			k;

	for (i = 0; i < test_amount(2000000, 20000); i++)
	{
		uint64_t	random = rng_mix64(i * RNG_GOLDEN);

		check(&a, (rng_unit(random) - 0.5) * 1416);
		check(&a, (rng_unit(random) - 0.5) * 4);
	}
	report(&a, 2, 2.0, "exp of random numbers");

	a = (Accuracy) {real_exp, exp, expl, 0, 0, 0, 0};
	for (k = -1075; k <= 1024; k += (int) test_amount(1, 9))
		for (i = 0; i < 200; i++)
			check(&a, (k + 0.5) * 0x1.62e42fefa39efp-1 * (1 + ((double) i - 100) * 0x1p-52));
	for (i = 0; i < test_amount(200000, 5000); i++)
	{
		check(&a, (rng_unit(rng_mix64(i)) - 0.5) * 0x1p-20);
		check(&a, from_bits(rng_mix64(i) >> 3));	/* tiny */
		check(&a, -708 - 40 * rng_unit(rng_mix64(i)));	/* subnormal results */
	}
	report(&a, 2, 2.0, "exp at its seams");
}

static void
test_exp_limits(void)
{
	tap_is_real(real_exp(0.0), 1, 0, "exp 0 = 1");
	tap_is_real(real_exp(-0.0), 1, 0, "exp -0 = 1");
	tap_is_real(real_exp(INFINITY), INFINITY, 0, "exp inf = inf");
	tap_is_real(real_exp(-INFINITY), 0, 0, "exp -inf = 0");
	tap_is_real(real_exp(NAN), NAN, 0, "exp NaN = NaN");
	tap_ok(isfinite(real_exp(709.78)), "exp 709.78 is finite");
	tap_is_real(real_exp(709.79), INFINITY, 0, "exp 709.79 = inf");
	tap_is_real(real_exp(1e300), INFINITY, 0, "exp 1e300 = inf");
	tap_is_real(real_exp(-745.1), 0x1p-1074, 0, "exp -745.1 is the smallest number");
	tap_is_real(real_exp(-745.2), 0, 0, "exp -745.2 = 0");
	tap_is_real(real_exp(-1e300), 0, 0, "exp -1e300 = 0");
}

static double
sum_of(const double *x, size_t n)
{
	RealSum		s = {0, 0};
	size_t		i;

	for (i = 0; i < n; i++)
		real_sum_add(&s, x[i]);
	return real_sum_value(&s);
}

static void
test_sum(void)
{
	static const double large_then_small[] = {1e100, 1, -1e100};
	static const double small_then_large[] = {1, 1e100, 1, -1e100};
	static const double with_infinity[] = {1, INFINITY, 2};
	static const double both_infinities[] = {INFINITY, -INFINITY, 1};
	static const double with_nan[] = {1, NAN, 2};
	RealSum		s = {0, 0};
	int			i;

	tap_is_real(sum_of(NULL, 0), 0, 0, "the sum of nothing is 0");
	tap_is_real(sum_of(large_then_small, 3), 1, 0, "a small number survives a large one");
	tap_is_real(sum_of(small_then_large, 4), 2, 0, "in any order");
	tap_is_real(sum_of(with_infinity, 3), INFINITY, 0, "infinity stays infinity");
	tap_is_real(sum_of(both_infinities, 3), NAN, 0, "two opposite ones are NaN");
	tap_is_real(sum_of(with_nan, 3), NAN, 0, "NaN stays NaN");
	for (i = 0; i < 10000000; i++)
		real_sum_add(&s, 0.1);
	tap_is_real(real_sum_value(&s), 1e6, 0, "ten million tenths are a million");
}

int
main(void)
{
	test_log();
	test_log_limits();
	test_exp();
	test_exp_limits();
	test_sum();
	return tap_done();
}
