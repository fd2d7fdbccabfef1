/*
 * intervals.c
 *	  Confidence intervals and tests that need no resampling: Wilson, DeLong,
 *	  McNemar.
 */
#include <math.h>

#include "core/distribution.h"
#include "metric/internal.h"

double
metric_normal_quantile(double p)
{
	return dist_normal_quantile(p);
}

void
metric_wilson(double hits, double n, double confidence, double *low, double *high)
{
	dist_wilson(hits, n, dist_normal_quantile(0.5 + confidence / 2), low, high);
}

/* --------------------------------------------------------------- DeLong -- */

/* Room to rank the rows of a class, or of both. */
typedef struct Ranks
{
	const Host *host;
	size_t		n;				/* capacity */
	SortItem   *items;
	SortItem   *scratch;
} Ranks;

/* Add sign × midrank, within the rows that `only` selects (2: all), to place[row]. */
static Status
add_midranks(Ranks *ranks, const uint8_t *label, uint8_t only, const double *score, size_t n,
			 double sign, double *place, Failure *why)
{
	size_t		m = 0;
	Status		status;

	for (size_t i = 0; i < n; i++)
	{
		if (only != 2 && label[i] != only)
			continue;
		ranks->items[m].key = sort_key_of_double(score[i]);
		ranks->items[m++].row = (uint32_t) i;
	}
	status = sort_items(ranks->host, ranks->items, ranks->scratch, m, why);
	for (size_t i = 0; i < m && status == STATUS_OK;)
	{
		size_t		end = i;
		double		midrank;

		while (end < m && ranks->items[end].key == ranks->items[i].key)
			end++;
		midrank = 0.5 * (double) (i + end + 1);
		for (; i < end; i++)
			place[ranks->items[i].row] += sign * midrank;
	}
	return status;
}

/*
 * The share of the other class that each row beats: of a positive row those
 * negatives that score below it, of a negative one those positives that score
 * above, ties half.
 */
static Status
placements(Ranks *ranks, const uint8_t *label, const double *score, size_t n, double n_positive,
		   double *place, Failure *why)
{
	double		n_negative = (double) n - n_positive;
	Status		status;

	for (size_t i = 0; i < n; i++)
		place[i] = 0;
	status = add_midranks(ranks, label, 2, score, n, 1, place, why);
	if (status == STATUS_OK)
		status = add_midranks(ranks, label, 0, score, n, -1, place, why);
	if (status == STATUS_OK)
		status = add_midranks(ranks, label, 1, score, n, -1, place, why);
	for (size_t i = 0; i < n; i++)
		place[i] = label[i] ? place[i] / n_negative : 1 - place[i] / n_positive;
	return status;
}

static double
mean_placement(const uint8_t *label, const double *place, size_t n, double n_positive)
{
	RealSum		sum = {0};

	for (size_t i = 0; i < n; i++)
		if (label[i])
			real_sum_add(&sum, place[i]);
	return real_sum_value(&sum) / n_positive;
}

/* The (co)variance of two AUCs, from their placements. */
static double
covariance(const uint8_t *label, const double *a, double auc_a, const double *b, double auc_b,
		   size_t n, double n_positive)
{
	double		n_negative = (double) n - n_positive;
	RealSum		sums[2] = {{0}};

	for (size_t i = 0; i < n; i++)
		real_sum_add(&sums[label[i]], (a[i] - auc_a) * (b[i] - auc_b));
	if (n_positive < 2 || n_negative < 2)
		return NAN;
	return real_sum_value(&sums[1]) / (n_positive - 1) / n_positive +
		real_sum_value(&sums[0]) / (n_negative - 1) / n_negative;
}

static Status
check_rows(const Host *host, const uint8_t *label, const double *score, size_t n, Failure *why)
{
	for (size_t i = 0; i < n; i++)
	{
		Status		status = metric_poll(host, i, why);

		if (status == STATUS_OK)
			status = metric_check_label(label[i], 2, i, why);

		if (status != STATUS_OK)
			return status;
		if (isnan(score[i]))
			return fail(why, STATUS_INVALID_DATA, "score of row %zu is NaN", i + 1);
	}
	if (n > UINT32_MAX)
		return fail(why, STATUS_LIMIT, "%zu rows cannot be ranked", n);
	return STATUS_OK;
}

/* place holds n placements for each score. */
static Status
delong_rows(Ranks *ranks, const uint8_t *label, const double *const scores[2], size_t n,
			double n_positive, double *place, MetricDelong *out, Failure *why)
{
	int			n_scores = scores[1] == NULL ? 1 : 2;

	for (int k = 0; k < n_scores; k++)
	{
		double	   *own = place + (size_t) k * n;
		Status		status = placements(ranks, label, scores[k], n, n_positive, own, why);

		if (status != STATUS_OK)
			return status;
		out->auc[k] = mean_placement(label, own, n, n_positive);
		out->variance[k] = covariance(label, own, out->auc[k], own, out->auc[k], n, n_positive);
	}
	if (n_scores == 2)
		out->covariance = covariance(label, place, out->auc[0], place + n, out->auc[1], n,
									 n_positive);
	return STATUS_OK;
}

Status
metric_delong(const Host *host, const uint8_t *label, const double *score_a,
			  const double *score_b, size_t n, MetricDelong *out, Failure *why)
{
	const double *scores[2] = {score_a, score_b};
	size_t		n_scores = score_b == NULL ? 1 : 2;
	Ranks		ranks = {.host = host, .n = n};
	double	   *place = NULL;
	double		n_positive = 0;
	Status		status = check_rows(host, label, score_a, n, why);

	if (status == STATUS_OK && score_b != NULL)
		status = check_rows(host, label, score_b, n, why);
	if (status != STATUS_OK)
		return status;
	*out = (MetricDelong) {{NAN, NAN}, {NAN, NAN}, NAN};
	for (size_t i = 0; i < n; i++)
		n_positive += label[i];
	if (n_positive == 0 || n_positive == (double) n)
		return STATUS_OK;

	status = memory_new_raw(host, n, sizeof(SortItem), &ranks.items, why);
	if (status == STATUS_OK)
		status = memory_new_raw(host, n, sizeof(SortItem), &ranks.scratch, why);
	if (status == STATUS_OK)
		status = memory_new_raw(host, n, n_scores * sizeof(double), &place, why);
	if (status == STATUS_OK)
		status = delong_rows(&ranks, label, scores, n, n_positive, place, out, why);
	memory_free(host, ranks.items, n, sizeof(SortItem));
	memory_free(host, ranks.scratch, n, sizeof(SortItem));
	memory_free(host, place, n, n_scores * sizeof(double));
	return status;
}

double
metric_delong_p(const MetricDelong *delong, double *standard_error)
{
	double		difference = delong->auc[0] - delong->auc[1];
	double		variance = delong->variance[0] + delong->variance[1] - 2 * delong->covariance;

	/* what is left of equal rankings is rounding */
	if (variance < DBL_EPSILON * (delong->variance[0] + delong->variance[1]))
		variance = 0;
	*standard_error = sqrt(variance);
	if (variance == 0)
		return difference == 0 ? 1 : NAN;
	return dist_normal_tails(difference / *standard_error);
}

/* -------------------------------------------------------------- McNemar -- */

double
metric_mcnemar(uint64_t b, uint64_t c, bool mid_p, MetricMcnemar *test)
{
	uint64_t	n = b + c;
	double		fewer = (double) (b < c ? b : c);
	double		difference = fabs((double) b - (double) c);
	double		below;

	*test = mid_p ? MCNEMAR_MID_P : n <= METRIC_MCNEMAR_EXACT ? MCNEMAR_EXACT
		: MCNEMAR_CHI_SQUARE;
	if (n == 0)
		return 1;
	if (*test == MCNEMAR_CHI_SQUARE)
	{
		double		over = difference > 1 ? difference - 1 : 0;

		return dist_chi_square_tail(over * over / (double) n, 1);
	}
	below = dist_binomial(fewer, (double) n, 0.5);
	if (*test == MCNEMAR_MID_P)
	{
		double		before = fewer > 0 ? dist_binomial(fewer - 1, (double) n, 0.5) : 0;

		/* one outcome in the middle is on both sides */
		return difference == 0 ? 1 : 2 * before + (below - before);
	}
	return 2 * below < 1 ? 2 * below : 1;
}
