/*
 * distance.c
 *	  Distances between two vectors of counts over the same bins (algorithms
 *	  G1, G2).
 */
#include "drift/drift.h"

#include <math.h>

#include "core/distribution.h"
#include "core/real.h"

/* What an empty bin of one side is taken for in PSI and KL. */
#define EMPTY_SHARE 1e-4
#define EMPTY_PART 1e-6
/* A bin that expects fewer is pooled in the chi-square test (Cochran). */
#define LEAST_EXPECTED 5

typedef struct Totals
{
	double		reference;
	double		current;
	double		n_used;			/* bins that are not empty on both sides */
	double		empty;			/* share that stands for none */
} Totals;

static Totals
add_up(const int64_t *reference, const int64_t *current, size_t n)
{
	Totals		totals = {0, 0, 0, 0};
	double		least = 1;
	size_t		i;

	for (i = 0; i < n; i++)
	{
		totals.reference += (double) reference[i];
		totals.current += (double) current[i];
		totals.n_used += reference[i] > 0 || current[i] > 0;
	}
	for (i = 0; i < n; i++)
	{
		if (reference[i] > 0)
			least = fmin(least, (double) reference[i] / totals.reference);
		if (current[i] > 0)
			least = fmin(least, (double) current[i] / totals.current);
	}
	totals.empty = least > EMPTY_SHARE ? EMPTY_SHARE : least * EMPTY_PART;
	return totals;
}

/* x ln(x / m), which is 0 for x = 0. */
static double
divergence(double x, double m)
{
	return x > 0 ? x * real_log(x / m) : 0;
}

static void
measure_shares(const int64_t *reference, const int64_t *current, size_t n,
			   const Totals *totals, DriftDistance *out)
{
	RealSum		psi = {0, 0};
	RealSum		kl = {0, 0};
	RealSum		js = {0, 0};
	RealSum		overlap = {0, 0};
	RealSum		variation = {0, 0};
	double		largest = 0;
	size_t		i;

	for (i = 0; i < n; i++)
	{
		double		p = (double) reference[i] / totals->reference;
		double		q = (double) current[i] / totals->current;
		double		filled_p = p > 0 ? p : totals->empty;
		double		filled_q = q > 0 ? q : totals->empty;
		double		middle = (p + q) / 2;
		double		log_ratio;

		if (!(middle > 0))
			continue;
		log_ratio = real_log(filled_p) - real_log(filled_q);
		real_sum_add(&psi, (filled_p - filled_q) * log_ratio);
		real_sum_add(&kl, filled_p * log_ratio);
		real_sum_add(&js, divergence(p, middle) + divergence(q, middle));
		real_sum_add(&overlap, sqrt(p * q));
		real_sum_add(&variation, fabs(p - q));
		largest = fmax(largest, fabs(p - q));
	}
	out->psi = real_sum_value(&psi);
	out->psi_p = dist_chi_square_tail(out->psi / (1 / totals->reference + 1 / totals->current),
									  totals->n_used - 1);
	out->kl = real_sum_value(&kl);
	out->jensen_shannon = sqrt(fmax(0, real_sum_value(&js) / (2 * real_log(2))));
	out->hellinger = sqrt(fmax(0, 1 - real_sum_value(&overlap)));
	out->total_variation = real_sum_value(&variation) / 2;
	out->l_infinity = largest;
}

/* (O − E)² / E of both sides of a bin. */
static double
cell(double reference, double current, const Totals *totals)
{
	double		share = (reference + current) / (totals->reference + totals->current);
	double		off = current - share * totals->current;

	return off * off / (share * totals->current) + off * off / (share * totals->reference);
}

static double
least_expected(double reference, double current, const Totals *totals)
{
	return (reference + current) / (totals->reference + totals->current) *
		fmin(totals->reference, totals->current);
}

static void
test_homogeneity(const int64_t *reference, const int64_t *current, size_t n,
				 const Totals *totals, DriftDistance *out)
{
	RealSum		sum = {0, 0};
	double		pooled_reference = 0;
	double		pooled_current = 0;
	double		n_cells = 0;
	size_t		least = n;
	size_t		i;

	for (i = 0; i < n; i++)
	{
		if (least_expected((double) reference[i], (double) current[i], totals) < LEAST_EXPECTED)
		{
			pooled_reference += (double) reference[i];
			pooled_current += (double) current[i];
		}
		else if (least == n || reference[i] + current[i] < reference[least] + current[least])
			least = i;
	}
	/* A pool that is too small itself takes the smallest of the others in. */
	if (pooled_reference + pooled_current == 0 || least == n ||
		least_expected(pooled_reference, pooled_current, totals) >= LEAST_EXPECTED)
		least = n;
	if (least < n)
	{
		pooled_reference += (double) reference[least];
		pooled_current += (double) current[least];
	}

	for (i = 0; i < n; i++)
		if (i != least && least_expected((double) reference[i], (double) current[i], totals) >=
			LEAST_EXPECTED)
		{
			real_sum_add(&sum, cell((double) reference[i], (double) current[i], totals));
			n_cells++;
		}
	if (pooled_reference + pooled_current > 0)
	{
		real_sum_add(&sum, cell(pooled_reference, pooled_current, totals));
		n_cells++;
	}
	if (n_cells < 2)
		return;
	out->chi_square = real_sum_value(&sum);
	out->chi_square_degrees = n_cells - 1;
	out->chi_square_p = dist_chi_square_tail(out->chi_square, n_cells - 1);
}

DriftDistance
drift_distance(const int64_t *reference, const int64_t *current, size_t n)
{
	DriftDistance out = {0, 0, 0, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};
	Totals		totals = add_up(reference, current, n);

	out.n_reference = totals.reference;
	out.n_current = totals.current;
	out.n_bins = totals.n_used;
	if (totals.reference == 0 || totals.current == 0)
		return out;
	out.chi_square = 0;
	out.chi_square_degrees = 0;
	out.chi_square_p = 1;
	if (totals.n_used < 2)
	{
		out.psi = out.kl = out.jensen_shannon = out.hellinger = 0;
		out.total_variation = out.l_infinity = 0;
		out.psi_p = 1;
		return out;
	}
	measure_shares(reference, current, n, &totals, &out);
	test_homogeneity(reference, current, n, &totals, &out);
	return out;
}

double
drift_goodness_of_fit(const int64_t *reference, const int64_t *current, size_t n, double *p)
{
	Totals		totals = add_up(reference, current, n);
	RealSum		sum = {0, 0};
	size_t		i;

	*p = NAN;
	if (totals.reference == 0 || totals.current == 0)
		return NAN;
	for (i = 0; i < n; i++)
	{
		double		expected = (double) reference[i] * totals.current / totals.reference;
		double		off = (double) current[i] - expected;

		if (reference[i] == 0 && current[i] > 0)
		{
			*p = 0;
			return INFINITY;
		}
		if (reference[i] > 0)
			real_sum_add(&sum, off * off / expected);
	}
	*p = totals.n_used < 2 ? 1 : dist_chi_square_tail(real_sum_value(&sum), totals.n_used - 1);
	return real_sum_value(&sum);
}

double
drift_proportions(int64_t reference_hits, int64_t reference_n, int64_t current_hits,
				  int64_t current_n, double *p)
{
	double		n = (double) reference_n;
	double		m = (double) current_n;
	double		pooled = ((double) reference_hits + (double) current_hits) / (n + m);
	double		z;

	*p = NAN;
	if (!(n > 0 && m > 0))
		return NAN;
	*p = 1;
	if (!(pooled > 0 && pooled < 1))
		return 0;
	z = ((double) current_hits / m - (double) reference_hits / n) /
		sqrt(pooled * (1 - pooled) * (1 / n + 1 / m));
	*p = dist_normal_tails(z);
	return z;
}
