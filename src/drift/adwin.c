/*
 * adwin.c
 *	  ADWIN (Bifet, Gavaldà 2007): a window that forgets its older part when
 *	  the means of both parts differ by more than chance allows.
 *
 * The window is kept as an exponential histogram: buckets of 2^k values, at
 * most DRIFT_ADWIN_BUCKETS of each size, of which the two oldest become one
 * of twice that size when there are more.
 */
#include "drift/internal.h"

#include <math.h>
#include <string.h>

#include "core/real.h"

#define CLOCK 32				/* values between two scans */
#define LEAST_PART 5			/* values on either side of a cut */
#define GRACE 10				/* width from which there are scans */

#define adwin(d) ((d)->state.adwin)

/* Squared deviations that joining two parts adds. */
static double
between(double n, double sum, double m, double other_sum)
{
	double		off = sum / n - other_sum / m;

	return n * m * off * off / (n + m);
}

static void
push(DriftDetector *d, int size, DriftBucket bucket)
{
	adwin(d).buckets[size][adwin(d).n_buckets[size]++] = bucket;
	if (adwin(d).n_sizes <= size)
		adwin(d).n_sizes = size + 1;
}

/* Drop the oldest n buckets of a size. */
static void
shift(DriftDetector *d, int size, int n)
{
	DriftBucket *row = adwin(d).buckets[size];

	adwin(d).n_buckets[size] -= n;
	memmove(row, row + n, (size_t) adwin(d).n_buckets[size] * sizeof(DriftBucket));
}

static void
insert(DriftDetector *d, double x)
{
	int			size;

	if (adwin(d).width > 0)
		adwin(d).variance += between(1, x, adwin(d).width, adwin(d).sum);
	adwin(d).width++;
	adwin(d).sum += x;
	push(d, 0, (DriftBucket) {x, 0});

	for (size = 0; size < DRIFT_ADWIN_SIZES - 1; size++)
	{
		const DriftBucket *row = adwin(d).buckets[size];
		double		n = ldexp(1, size);

		if (adwin(d).n_buckets[size] <= DRIFT_ADWIN_BUCKETS)
			return;
		push(d, size + 1, (DriftBucket) {row[0].sum + row[1].sum, row[0].variance +
				row[1].variance + between(n, row[0].sum, n, row[1].sum)});
		shift(d, size, 2);
	}
	/* The window holds 2^40 values by now: it forgets the oldest. */
	if (adwin(d).n_buckets[size] > DRIFT_ADWIN_BUCKETS)
		shift(d, size, 1);
}

static void
forget_oldest(DriftDetector *d)
{
	int			size = adwin(d).n_sizes - 1;
	DriftBucket oldest = adwin(d).buckets[size][0];
	double		n = ldexp(1, size);

	adwin(d).width -= n;
	adwin(d).sum -= oldest.sum;
	adwin(d).variance -= oldest.variance;
	if (adwin(d).width > 0)
		adwin(d).variance -= between(n, oldest.sum, adwin(d).width, adwin(d).sum);
	shift(d, size, 1);
	while (adwin(d).n_sizes > 0 && adwin(d).n_buckets[adwin(d).n_sizes - 1] == 0)
		adwin(d).n_sizes--;
}

static bool
differ(const DriftDetector *d, double n, double sum, double m, double other_sum)
{
	double		width = adwin(d).width;
	double		log_term = real_log(2 * real_log(width) / d->options.delta);
	double		parts;

	if (n < LEAST_PART || m < LEAST_PART)
		return false;
	parts = 1 / (n - LEAST_PART + 1) + 1 / (m - LEAST_PART + 1);
	return fabs(sum / n - other_sum / m) >
		sqrt(2 * parts * fmax(0, adwin(d).variance / width) * log_term) +
		2.0 / 3.0 * log_term * parts;
}

/* Is there a cut, from the oldest bucket to the newest, whose parts differ? */
static bool
has_cut(const DriftDetector *d)
{
	double		n = 0;
	double		sum = 0;
	int			size;
	int			k;

	for (size = adwin(d).n_sizes - 1; size >= 0; size--)
		for (k = 0; k < adwin(d).n_buckets[size]; k++)
		{
			n += ldexp(1, size);
			sum += adwin(d).buckets[size][k].sum;
			if (n >= adwin(d).width)
				return false;
			if (differ(d, n, sum, adwin(d).width - n, adwin(d).sum - sum))
				return true;
		}
	return false;
}

void
adwin_reset(DriftDetector *d)
{
	memset(&adwin(d), 0, sizeof(adwin(d)));
}

DriftSignal
adwin_add(DriftDetector *d, double x)
{
	DriftSignal signal = DRIFT_STABLE;

	insert(d, x);
	if (++adwin(d).ticks % CLOCK != 0 || adwin(d).width <= GRACE)
		return signal;
	while (adwin(d).width > 0 && has_cut(d))
	{
		forget_oldest(d);
		signal = DRIFT_CHANGE;
	}
	return signal;
}

double
drift_adwin_mean(const DriftDetector *d, double *width)
{
	*width = adwin(d).width;
	return adwin(d).width > 0 ? adwin(d).sum / adwin(d).width : NAN;
}
