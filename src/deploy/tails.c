/*
 * tails.c
 *	  Tails of the chi-square and the normal distribution, by the regularised
 *	  incomplete gamma function: a series where it converges fast, else a
 *	  continued fraction (Lentz).  Relative error below 1e-12 down to 1e-300.
 */
#include <math.h>

#include "core/real.h"
#include "deploy/deploy.h"

#define MAX_TERMS 100000
#define ENOUGH 4e-16
#define TINY 1e-300
#define HALF_LOG_TWO_PI 0.91893853320467274178

/* Stirling's series, from 15 on; below, by the recurrence from there. */
static double
log_gamma(double x)
{
	double		product = 1;
	double		inverse;
	double		square;
	double		series;

	while (x < 15)
	{
		product *= x;
		x += 1;
	}
	inverse = 1 / x;
	square = inverse * inverse;
	series = inverse * (1.0 / 12 - square * (1.0 / 360 - square * (1.0 / 1260 -
			square * (1.0 / 1680 - square * (1.0 / 1188 - square * (691.0 / 360360))))));
	return (x - 0.5) * real_log(x) - x + HALF_LOG_TWO_PI + series - real_log(product);
}

/* 1 − Q(a, x) without its factor x^a e^−x / Γ(a). */
static double
lower_series(double a, double x)
{
	double		term = 1 / a;
	double		sum = term;
	int			n;

	for (n = 1; n < MAX_TERMS && term > sum * ENOUGH; n++)
	{
		term *= x / (a + n);
		sum += term;
	}
	return sum;
}

/* Q(a, x) without the same factor. */
static double
upper_fraction(double a, double x)
{
	double		b = x + 1 - a;
	double		c = 1 / TINY;
	double		d = 1 / b;
	double		fraction = d;
	double		change = 0;
	int			n;

	for (n = 1; n < MAX_TERMS && !(fabs(change - 1) < ENOUGH); n++)
	{
		double		numerator = -n * (n - a);

		b += 2;
		d = numerator * d + b;
		d = 1 / (d > -TINY && d < TINY ? TINY : d);
		c = b + numerator / c;
		c = c > -TINY && c < TINY ? TINY : c;
		change = c * d;
		fraction *= change;
	}
	return fraction;
}

/* The regularised upper incomplete gamma function. */
static double
upper_gamma(double a, double x)
{
	double		factor;

	if (!(x > 0))
		return x <= 0 ? 1 : NAN;
	if (isinf(x))
		return 0;
	factor = real_exp(a * real_log(x) - x - log_gamma(a));
	if (x < a + 1)
		return 1 - factor * lower_series(a, x);
	return factor * upper_fraction(a, x);
}

double
deploy_chi_square_tail(double x, double degrees)
{
	if (!(degrees > 0))
		return NAN;
	return upper_gamma(degrees / 2, x / 2);
}

double
deploy_normal_tails(double z)
{
	return upper_gamma(0.5, z * z / 2);
}
