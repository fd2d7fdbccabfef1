/*
 * real.h
 *	  Elementary functions of our own, made of + − × ÷ only, so that every
 *	  machine computes the same bits; tested against libm (within 1 ulp for
 *	  log, 2 ulp for exp).
 */
#ifndef CHURNOPS_CORE_REAL_H
#define CHURNOPS_CORE_REAL_H

/* Natural logarithm; log(0) = −inf, log(x < 0) = NaN. */
extern double real_log(double x);

/* e^x; 0 below −745.2, +inf above 709.8. */
extern double real_exp(double x);

/* A running sum that keeps what rounding drops (Neumaier 1974). */
typedef struct RealSum
{
	double		sum;
	double		lost;
} RealSum;

extern void real_sum_add(RealSum *s, double x);
extern double real_sum_value(const RealSum *s);

#endif
