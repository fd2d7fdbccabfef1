/*
 * samples.c
 *	  Distances of two ordered samples: Kolmogorov–Smirnov and Wasserstein
 *	  (algorithms G2).
 */
#include "drift/drift.h"

#include <math.h>

#include "core/distribution.h"
#include "core/memory.h"
#include "core/real.h"

/* Up to this product of the sizes the p of Kolmogorov–Smirnov is exact. */
#define EXACT_CELLS 1e6
/* Values between two looks at whether to stop. */
#define POLL_ROWS 65536

/*
 * P(at least this distance) by Hodges' recursion: of all paths from (0, 0) to
 * (i, j), equally likely, the share that touches |i/n − j/m| ≥ distance.  The
 * last step to (i, j) came from (i − 1, j) with chance i / (i + j).
 */
static Status
exact_tail(const Host *host, size_t n, size_t m, double limit, double *p, Failure *why)
{
	double	   *outside;
	size_t		i;
	size_t		j;
	Status		status = memory_new_raw(host, m + 1, sizeof(double), &outside, why);

	for (i = 0; i <= n && status == STATUS_OK; i++)
	{
		for (j = 0; j <= m; j++)
		{
			double		off = fabs((double) i * (double) m - (double) j * (double) n);

			if (off >= limit)
				outside[j] = 1;
			else if (i == 0 || j == 0)
				outside[j] = i == 0 ? (j == 0 ? 0 : outside[j - 1]) : outside[0];
			else
				outside[j] = (outside[j] * (double) i + outside[j - 1] * (double) j) /
					(double) (i + j);
		}
		if (i % 64 == 63)
			status = host_poll(host, why);
	}
	if (status == STATUS_OK)
		*p = outside[m];
	memory_free(host, outside, m + 1, sizeof(double));
	return status;
}

Status
drift_kolmogorov_smirnov(const Host *host, const double *reference, size_t n,
						 const double *current, size_t m, double *distance, double *p,
						 Failure *why)
{
	double		largest = 0;	/* of |i m − j n|, a whole number */
	size_t		i = 0;
	size_t		j = 0;
	size_t		next_poll = POLL_ROWS;

	*distance = *p = NAN;
	if (n == 0 || m == 0)
		return STATUS_OK;
	while (i < n && j < m)
	{
		double		x = fmin(reference[i], current[j]);

		while (i < n && reference[i] == x)
			i++;
		while (j < m && current[j] == x)
			j++;
		largest = fmax(largest, fabs((double) i * (double) m - (double) j * (double) n));
		if (i + j >= next_poll)
		{
			Status		status = host_poll(host, why);

			if (status != STATUS_OK)
				return status;
			next_poll = i + j + POLL_ROWS;
		}
	}
	*distance = largest / ((double) n * (double) m);
	if (largest == 0)
	{
		*p = 1;
		return STATUS_OK;
	}
	if ((double) n * (double) m <= EXACT_CELLS)
		return exact_tail(host, n, m, largest, p, why);
	*p = dist_kolmogorov_tail(*distance * sqrt((double) n * (double) m /
											   ((double) n + (double) m)));
	return STATUS_OK;
}

double
drift_wasserstein(const double *reference, size_t n, const double *current, size_t m)
{
	RealSum		area = {0, 0};
	size_t		i = 0;
	size_t		j = 0;
	double		x;

	if (n == 0 || m == 0)
		return NAN;
	x = fmin(reference[0], current[0]);
	while (i < n || j < m)
	{
		double		next = i < n && (j == m || reference[i] <= current[j]) ? reference[i] :
			current[j];

		real_sum_add(&area, fabs((double) i / (double) n - (double) j / (double) m) *
					 (next - x));
		x = next;
		while (i < n && reference[i] == x)
			i++;
		while (j < m && current[j] == x)
			j++;
	}
	return real_sum_value(&area);
}
