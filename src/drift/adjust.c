/*
 * adjust.c
 *	  p values adjusted for their number (algorithms G9).
 */
#include "drift/drift.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "core/sort.h"

/* Step up from the largest p: the least of p × m / rank, harmonic or not. */
static void
step_up(const SortItem *items, const double *p, size_t m, double factor, double *adjusted)
{
	double		least = 1;
	size_t		rank;

	for (rank = m; rank > 0; rank--)
	{
		uint32_t	row = items[rank - 1].row;

		least = fmin(least, p[row] * (double) m * factor / (double) rank);
		adjusted[row] = least;
	}
}

/* Step down from the smallest: the largest of p × (m − rank + 1). */
static void
step_down(const SortItem *items, const double *p, size_t m, double *adjusted)
{
	double		largest = 0;
	size_t		rank;

	for (rank = 1; rank <= m; rank++)
	{
		uint32_t	row = items[rank - 1].row;

		largest = fmax(largest, fmin(1, p[row] * (double) (m - rank + 1)));
		adjusted[row] = largest;
	}
}

static double
harmonic(size_t m)
{
	double		sum = 0;
	size_t		i;

	for (i = m; i > 0; i--)
		sum += 1 / (double) i;
	return sum;
}

Status
drift_adjust(const Host *host, DriftCorrection correction, const double *p, size_t n,
			 double *adjusted, Failure *why)
{
	SortItem   *items;
	SortItem   *scratch;
	size_t		m = 0;
	size_t		i;
	Status		status = memory_new_raw(host, n, sizeof(SortItem), &items, why);

	if (status != STATUS_OK)
		return status;
	status = memory_new_raw(host, n, sizeof(SortItem), &scratch, why);
	for (i = 0; i < n && status == STATUS_OK; i++)
	{
		adjusted[i] = NAN;
		if (!isnan(p[i]))
			items[m++] = (SortItem) {sort_key_of_double(p[i]), (uint32_t) i};
	}
	if (status == STATUS_OK)
		status = sort_items(host, items, scratch, m, why);
	if (status == STATUS_OK)
		switch (correction)
		{
			case DRIFT_BENJAMINI_HOCHBERG:
				step_up(items, p, m, 1, adjusted);
				break;
			case DRIFT_BENJAMINI_YEKUTIELI:
				step_up(items, p, m, harmonic(m), adjusted);
				break;
			case DRIFT_HOLM:
				step_down(items, p, m, adjusted);
				break;
			case DRIFT_BONFERRONI:
				for (i = 0; i < m; i++)
					adjusted[items[i].row] = fmin(1, p[items[i].row] * (double) m);
				break;
		}
	memory_free(host, scratch, n, sizeof(SortItem));
	memory_free(host, items, n, sizeof(SortItem));
	return status;
}
