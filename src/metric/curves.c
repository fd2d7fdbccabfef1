/*
 * curves.c
 *	  What a ranking shows point by point: ROC and precision-recall curves,
 *	  reliability bins, lift tables.
 */
#include <math.h>

#include "metric/internal.h"

static Status
curve_begin(MetricCurve *curve, const Host *host, size_t capacity, Failure *why)
{
	Status		status;

	*curve = (MetricCurve) {.host = host, .capacity = capacity};
	status = memory_new_raw(host, capacity, sizeof(double), &curve->threshold, why);
	if (status == STATUS_OK)
		status = memory_new_raw(host, capacity, sizeof(double), &curve->x, why);
	if (status == STATUS_OK)
		status = memory_new_raw(host, capacity, sizeof(double), &curve->y, why);
	if (status != STATUS_OK)
		metric_curve_free(curve);
	return status;
}

void
metric_curve_free(MetricCurve *curve)
{
	memory_free(curve->host, curve->y, curve->capacity, sizeof(double));
	memory_free(curve->host, curve->x, curve->capacity, sizeof(double));
	memory_free(curve->host, curve->threshold, curve->capacity, sizeof(double));
	*curve = (MetricCurve) {.host = curve->host};
}

static void
curve_add(MetricCurve *curve, double threshold, double x, double y)
{
	curve->threshold[curve->n] = threshold;
	curve->x[curve->n] = x;
	curve->y[curve->n] = y;
	curve->n++;
}

static size_t
count_blocks(const MetricRanked *r)
{
	size_t		n = 0;

	for (size_t i = 0; i < r->n; i++)
		n += i == 0 || r->items[i].key != r->items[i - 1].key;
	return n;
}

/*
 * Leave out points in the middle between their neighbours, but none of the
 * first two and the last.  What is compared is never written over before,
 * except by itself.
 */
static void
drop_middle_points(MetricCurve *curve)
{
	size_t		kept = 2;

	if (curve->n <= 3)
		return;
	for (size_t i = 2; i < curve->n; i++)
	{
		const double *x = curve->x + i;
		const double *y = curve->y + i;

		if (i < curve->n - 1 && (x[1] - x[0]) - (x[0] - x[-1]) == 0 &&
			(y[1] - y[0]) - (y[0] - y[-1]) == 0)
			continue;
		curve->threshold[kept] = curve->threshold[i];
		curve->x[kept] = *x;
		curve->y[kept] = *y;
		kept++;
	}
	curve->n = kept;
}

Status
metric_roc_curve(MetricRanked *r, MetricCurve *out, Failure *why)
{
	RankTotals	totals;
	RankBlock	block;
	RealSum		positive = {0, 0};
	RealSum		negative = {0, 0};
	size_t		end;
	Status		status = metric_ranked_totals(r, &totals, why);

	*out = (MetricCurve) {.host = r->host};
	if (status != STATUS_OK || totals.positive == 0 || totals.negative == 0)
		return status;
	status = curve_begin(out, r->host, count_blocks(r) + 1, why);
	if (status != STATUS_OK)
		return status;
	curve_add(out, INFINITY, 0, 0);
	end = r->n;
	while (metric_ranked_down(r, &end, &block))
	{
		real_sum_add(&positive, block.positive);
		real_sum_add(&negative, block.negative);
		curve_add(out, block.score, real_sum_value(&negative), real_sum_value(&positive));
	}
	drop_middle_points(out);
	for (size_t i = 0; i < out->n; i++)
	{
		out->x[i] /= totals.negative;
		out->y[i] /= totals.positive;
	}
	return STATUS_OK;
}

/* The rows are passed from the highest score down; the curve goes the other way. */
Status
metric_precision_recall_curve(MetricRanked *r, MetricCurve *out, Failure *why)
{
	RankTotals	totals;
	RankBlock	block;
	RealSum		positive = {0, 0};
	RealSum		negative = {0, 0};
	size_t		place;
	size_t		end;
	Status		status = metric_ranked_totals(r, &totals, why);

	*out = (MetricCurve) {.host = r->host};
	if (status != STATUS_OK || totals.positive == 0)
		return status;
	status = curve_begin(out, r->host, count_blocks(r) + 1, why);
	if (status != STATUS_OK)
		return status;
	out->n = out->capacity;
	place = out->n - 1;
	out->threshold[place] = INFINITY;
	out->x[place] = 0;
	out->y[place] = 1;
	end = r->n;
	while (metric_ranked_down(r, &end, &block))
	{
		double		hits;

		real_sum_add(&positive, block.positive);
		real_sum_add(&negative, block.negative);
		hits = real_sum_value(&positive);
		place--;
		out->threshold[place] = block.score;
		out->x[place] = hits / totals.positive;
		out->y[place] = hits / (hits + real_sum_value(&negative));
	}
	return STATUS_OK;
}

/* ------------------------------------------------------------ reliability -- */

/* Share k / n as NumPy's linspace has it. */
static double
grid_share(int k, int n)
{
	return k == n ? 1 : k * (1.0 / n);
}

/* A place to look up scores by their rank, from the lowest up. */
typedef struct RankScan
{
	const MetricRanked *r;
	size_t		next;			/* item of the block after the current one */
	RankBlock	block;
	double		passed;			/* rows up to and with the current block */
} RankScan;

/* The score of the row of this rank, from 0; ranks may not fall from call to call. */
static double
score_of_rank(RankScan *scan, double rank)
{
	while (scan->passed <= rank && metric_ranked_up(scan->r, &scan->next, &scan->block))
		scan->passed += scan->block.positive + scan->block.negative;
	return scan->block.score;
}

/*
 * The quantile as NumPy's percentile has it: interpolated between two rows, in
 * the same operations, so that a score which is a quantile is on the same side.
 */
static double
interpolated_quantile(RankScan *scan, double share, double n)
{
	double		place = (n - 1) * (share * 100 / 100);
	double		before = floor(place);
	double		part = place - before;
	double		low = score_of_rank(scan, before);
	RankScan	ahead = *scan;
	double		high = score_of_rank(&ahead, before + 1);

	return part >= 0.5 ? high - (high - low) * (1 - part) : low + (high - low) * part;
}

/* The smallest score up to which this share of the weight lies. */
static double
weighted_quantile(RankScan *scan, double share, double all)
{
	while (scan->passed < share * all && metric_ranked_up(scan->r, &scan->next, &scan->block))
		scan->passed += scan->block.positive + scan->block.negative;
	return scan->block.score;
}

static void
set_edges(const MetricRanked *r, const RankTotals *totals, int n_bins, bool quantile,
		  MetricBin *bins)
{
	RankScan	scan = {.r = r};
	double		all = totals->positive + totals->negative;

	for (int k = 0; k <= n_bins; k++)
	{
		double		edge = grid_share(k, n_bins);

		if (quantile && r->weighted)
			edge = weighted_quantile(&scan, k == 0 ? DBL_MIN : edge, all);
		else if (quantile)
			edge = interpolated_quantile(&scan, edge, all);
		if (k < n_bins)
			bins[k].low = edge;
		if (k > 0)
			bins[k - 1].high = edge;
	}
}

Status
metric_calibration(MetricRanked *r, int n_bins, bool quantile, MetricBin *bins, Failure *why)
{
	RankTotals	totals;
	RankBlock	block;
	size_t		begin = 0;
	Status		status;

	if (n_bins < 1 || n_bins > METRIC_MAX_BINS)
		return fail(why, STATUS_INVALID_PARAMETER, "number of bins is %d, 1 to %d are allowed",
					n_bins, METRIC_MAX_BINS);
	memset(bins, 0, n_bins * sizeof(*bins));
	status = metric_ranked_totals(r, &totals, why);
	if (status != STATUS_OK || r->n == 0)
		return status;
	for (size_t i = 0; i < r->n; i += r->n > 1 ? r->n - 1 : 1)
	{
		double		score = sort_double_of_key(r->items[i].key);

		if (!(score >= 0 && score <= 1))
			return fail(why, STATUS_INVALID_DATA, "score %g is no probability between 0 and 1",
						score);
	}
	set_edges(r, &totals, n_bins, quantile, bins);
	for (int k = 0; k < n_bins; k++)
	{
		RealSum		weight = {0, 0};
		RealSum		score = {0, 0};
		RealSum		positive = {0, 0};

		while (begin < r->n &&
			   (k == n_bins - 1 || sort_double_of_key(r->items[begin].key) <= bins[k].high))
		{
			double		of_block;

			(void) metric_ranked_up(r, &begin, &block);
			of_block = block.positive + block.negative;
			real_sum_add(&weight, of_block);
			real_sum_add(&score, of_block * block.score);
			real_sum_add(&positive, block.positive);
		}
		bins[k].weight = real_sum_value(&weight);
		if (bins[k].weight == 0)
			continue;
		bins[k].mean_score = real_sum_value(&score) / bins[k].weight;
		bins[k].positive_share = real_sum_value(&positive) / bins[k].weight;
	}
	return STATUS_OK;
}

void
metric_calibration_error(const MetricBin *bins, int n_bins, double *mean, double *largest)
{
	RealSum		weight = {0, 0};
	RealSum		sum = {0, 0};

	*mean = NAN;
	*largest = NAN;
	for (int k = 0; k < n_bins; k++)
	{
		double		error = fabs(bins[k].mean_score - bins[k].positive_share);

		if (bins[k].weight == 0)
			continue;
		real_sum_add(&weight, bins[k].weight);
		real_sum_add(&sum, bins[k].weight * error);
		if (!(error <= *largest))
			*largest = error;
	}
	if (real_sum_value(&weight) > 0)
		*mean = real_sum_value(&sum) / real_sum_value(&weight);
}

/* ------------------------------------------------------------------- lift -- */

Status
metric_lift_table(MetricRanked *r, int n_groups, MetricLiftGroup *groups, double *all,
				  double *all_positive, Failure *why)
{
	RankTotals	totals;
	RankBlock	block = {0, 0, 0};
	RealSum		passed = {0, 0};
	RealSum		hits = {0, 0};
	double		left = 0;		/* of the block's weight */
	size_t		end;
	Status		status;

	if (n_groups < 1 || n_groups > METRIC_MAX_BINS)
		return fail(why, STATUS_INVALID_PARAMETER, "number of groups is %d, 1 to %d are allowed",
					n_groups, METRIC_MAX_BINS);
	status = metric_ranked_totals(r, &totals, why);
	if (status != STATUS_OK)
		return status;
	*all = totals.positive + totals.negative;
	*all_positive = totals.positive;
	end = r->n;
	for (int g = 0; g < n_groups; g++)
	{
		MetricLiftGroup *group = &groups[g];
		double		cut = metric_weight_at_top(&totals, (double) (g + 1) / n_groups);
		double		hits_before = real_sum_value(&hits);

		*group = (MetricLiftGroup) {.n = cut - (g > 0 ? groups[g - 1].cumulative_n : 0),
			.high = NAN, .low = NAN, .cumulative_n = cut};
		for (;;)
		{
			double		room = cut - real_sum_value(&passed);
			double		block_weight;
			double		taken;

			if (left <= 0)
			{
				if (room <= 0 || !metric_ranked_down(r, &end, &block))
					break;
				left = block.positive + block.negative;
			}
			block_weight = block.positive + block.negative;
			taken = left <= room ? left : room;
			if (taken <= 0)
				break;
			if (isnan(group->high))
				group->high = block.score;
			group->low = block.score;
			real_sum_add(&passed, taken);
			real_sum_add(&hits, block.positive * (taken / block_weight));
			left -= taken;
		}
		group->cumulative_positives = real_sum_value(&hits);
		if (g == n_groups - 1)
			group->cumulative_positives = totals.positive;
		group->positives = group->cumulative_positives - hits_before;
	}
	return STATUS_OK;
}
