/*
 * distribution.c
 *	  Distribution functions, by the regularised incomplete gamma and beta
 *	  functions: a series where it converges fast, else a continued fraction
 *	  (Lentz).  Relative error below 1e-12 down to 1e-300; the beta function loses a
 *	  digit for each by which its parameters exceed 1,000.
 */
#include "core/distribution.h"

#include <math.h>

#include "core/real.h"

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
dist_chi_square_tail(double x, double degrees)
{
	if (!(degrees > 0))
		return NAN;
	return upper_gamma(degrees / 2, x / 2);
}

double
dist_normal_tails(double z)
{
	return upper_gamma(0.5, z * z / 2);
}

/*
 * Acklam's rational approximation of the quantile (relative error 1.2e-9), of
 * p in (0, 1/2], made exact to rounding by steps of Halley.
 */
static double
lower_quantile(double p)
{
	static const double a[] = {-3.969683028665376e+01, 2.209460984245205e+02,
		-2.759285104469687e+02, 1.383577518672690e+02, -3.066479806614716e+01,
	2.506628277459239e+00};
	static const double b[] = {-5.447609879822406e+01, 1.615858368580409e+02,
	-1.556989798598866e+02, 6.680131188771972e+01, -1.328068155288572e+01};
	static const double c[] = {-7.784894002430293e-03, -3.223964580411365e-01,
		-2.400758277161838e+00, -2.549732539343734e+00, 4.374664141464968e+00,
	2.938163982698783e+00};
	static const double d[] = {7.784695709041462e-03, 3.224671290700398e-01,
	2.445134137142996e+00, 3.754408661907416e+00};
	double		z;
	int			step;

	if (p < 0.02425)
	{
		double		q = sqrt(-2 * real_log(p));

		z = (((((c[0] * q + c[1]) * q + c[2]) * q + c[3]) * q + c[4]) * q + c[5]) /
			((((d[0] * q + d[1]) * q + d[2]) * q + d[3]) * q + 1);
	}
	else
	{
		double		q = p - 0.5;
		double		r = q * q;

		z = (((((a[0] * r + a[1]) * r + a[2]) * r + a[3]) * r + a[4]) * r + a[5]) * q /
			(((((b[0] * r + b[1]) * r + b[2]) * r + b[3]) * r + b[4]) * r + 1);
	}
	for (step = 0; step < 2; step++)
	{
		double		density = real_exp(-z * z / 2 - HALF_LOG_TWO_PI);
		double		change;

		/* z is negative here, so its lower tail is half of both. */
		if (!(density > 0))
			break;
		change = (dist_normal_tails(z) / 2 - p) / density;
		z -= change / (1 + z * change / 2);
	}
	return z;
}

double
dist_normal_quantile(double p)
{
	if (!(p >= 0 && p <= 1))
		return NAN;
	if (p == 0 || p == 1)
		return p == 0 ? -INFINITY : INFINITY;
	if (p == 0.5)
		return 0;
	return p < 0.5 ? lower_quantile(p) : -lower_quantile(1 - p);
}

/* The continued fraction of I_x(a, b), which converges fast for x < (a + 1) / (a + b + 2). */
static double
beta_fraction(double x, double a, double b)
{
	double		c = 1;
	double		d = 1 - (a + b) * x / (a + 1);
	double		fraction;
	int			m;

	d = 1 / (fabs(d) < TINY ? TINY : d);
	fraction = d;
	for (m = 1; m < MAX_TERMS; m++)
	{
		double		even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
		double		odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
		double		change;

		d = 1 + even * d;
		d = 1 / (fabs(d) < TINY ? TINY : d);
		c = 1 + even / c;
		c = fabs(c) < TINY ? TINY : c;
		fraction *= c * d;

		d = 1 + odd * d;
		d = 1 / (fabs(d) < TINY ? TINY : d);
		c = 1 + odd / c;
		c = fabs(c) < TINY ? TINY : c;
		change = c * d;
		fraction *= change;
		if (fabs(change - 1) < ENOUGH)
			break;
	}
	return fraction;
}

/* I_x(a, b), given y = 1 − x to full precision. */
static double
incomplete_beta(double x, double y, double a, double b)
{
	double		factor;

	if (x <= 0)
		return 0;
	if (y <= 0)
		return 1;
	factor = real_exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) +
					  a * real_log(x) + b * real_log(y));
	if (x < (a + 1) / (a + b + 2))
		return factor * beta_fraction(x, a, b) / a;
	return 1 - factor * beta_fraction(y, b, a) / b;
}

double
dist_beta(double x, double a, double b)
{
	if (!(a > 0 && b > 0) || isnan(x))
		return NAN;
	return incomplete_beta(x, 1 - x, a, b);
}

double
dist_student_tails(double t, double degrees)
{
	double		sum = degrees + t * t;

	if (!(degrees > 0) || isnan(t))
		return NAN;
	if (isinf(sum))
		return 0;
	return incomplete_beta(degrees / sum, t * t / sum, degrees / 2, 0.5);
}

double
dist_binomial(double k, double n, double p)
{
	if (!(n >= 0 && p >= 0 && p <= 1) || isnan(k))
		return NAN;
	k = floor(k);
	if (k < 0)
		return 0;
	if (k >= n)
		return 1;
	return incomplete_beta(1 - p, p, n - k, k + 1);
}

/* Two series of the same function: of theta's for small x, alternating for large. */
double
dist_kolmogorov_tail(double x)
{
	double		sum = 0;
	int			k;

	if (isnan(x))
		return NAN;
	if (x <= 0.04)
		return 1;
	if (x < 1)
	{
		const double pi = 3.14159265358979323846;
		double		exponent = pi * pi / (8 * x * x);

		for (k = 1; k < 40; k += 2)
			sum += real_exp(-k * k * exponent);
		return 1 - sqrt(2 * pi) / x * sum;
	}
	for (k = 1; k < 40; k++)
	{
		double		term = real_exp(-2.0 * k * k * x * x);

		sum += k % 2 == 1 ? term : -term;
	}
	return 2 * sum;
}

void
dist_wilson(double hits, double n, double z, double *low, double *high)
{
	double		share = hits / n;
	double		scale = 1 + z * z / n;
	double		middle = (share + z * z / (2 * n)) / scale;
	double		half = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / scale;

	*low = *high = NAN;
	if (!(n > 0))
		return;
	/* at either end the bound is the end itself, but for rounding */
	*low = hits <= 0 ? 0 : fmax(0, middle - half);
	*high = hits >= n ? 1 : fmin(1, middle + half);
}
