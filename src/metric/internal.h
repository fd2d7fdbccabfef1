/*
 * internal.h
 *	  What the files of the metric library share.
 */
#ifndef CHURNOPS_METRIC_INTERNAL_H
#define CHURNOPS_METRIC_INTERNAL_H

#include <float.h>

#include "core/memory.h"
#include "core/real.h"
#include "core/sort.h"
#include "metric/metric.h"

/* Rows between two polls. */
#define METRIC_POLL_MASK (((size_t) 1 << 20) - 1)

static inline Status
metric_poll(const Host *host, size_t row, Failure *why)
{
	return (row & METRIC_POLL_MASK) == 0 ? host_poll(host, why) : STATUS_OK;
}

/* The weight of a row into *out; it must be finite and not negative. */
static inline Status
metric_weight(const double *weight, size_t row, double *out, Failure *why)
{
	*out = weight != NULL ? weight[row] : 1;
	if (*out >= 0 && *out <= DBL_MAX)
		return STATUS_OK;
	return fail(why, STATUS_INVALID_DATA,
				"weight of row %zu is %g, a finite number of at least 0 is required", row + 1,
				*out);
}

/* The same of a row that has no number. */
static inline Status
metric_check_weight(double weight, Failure *why)
{
	if (weight >= 0 && weight <= DBL_MAX)
		return STATUS_OK;
	return fail(why, STATUS_INVALID_DATA,
				"weight is %g, a finite number of at least 0 is required", weight);
}

static inline Status
metric_check_label(uint32_t label, uint32_t n_classes, size_t row, Failure *why)
{
	if (label < n_classes)
		return STATUS_OK;
	return fail(why, STATUS_INVALID_DATA, "label of row %zu is %u, a class below %u is required",
				row + 1, label, n_classes);
}

/* All values NAN, every metric of the list applicable and still undefined. */
extern void metric_report_begin(MetricReport *out, const MetricName *metrics, size_t n_metrics);

/*
 * Set one value.  It stays undefined when it is not finite; by_convention
 * keeps the warning beside a value.
 */
extern void metric_report_set(MetricReport *out, MetricName metric, double value,
							  bool by_convention);

/* A mean over classes, plain or weighted, that may hold values set by convention. */
typedef struct ClassMean
{
	RealSum		sum;
	RealSum		weight;
	bool		by_convention;
} ClassMean;

/* A value of weight 0 does not count; one that is NAN is left out, by convention. */
extern void metric_mean_add(ClassMean *mean, double value, double weight, bool by_convention);

/* A mean of nothing leaves the metric undefined. */
extern void metric_report_set_mean(MetricReport *out, MetricName metric, const ClassMean *mean);

/* Weights of one class: rows hit, rows predicted as it, rows of it. */
typedef struct ClassTotals
{
	RealSum		hit;
	RealSum		predicted;
	RealSum		support;
} ClassTotals;

static inline void
metric_class_add(ClassTotals *totals, uint32_t label, uint32_t predicted, double weight)
{
	real_sum_add(&totals[label].support, weight);
	real_sum_add(&totals[predicted].predicted, weight);
	if (label == predicted)
		real_sum_add(&totals[label].hit, weight);
}

extern void metric_class_measures(const ClassTotals *totals, MetricClass *out);

/* Everything that hard predictions decide; `all` is the weight of all rows. */
extern void metric_report_classes(const ClassTotals *totals, uint32_t n_classes, double all,
								  MetricReport *out);

/* Two-class rows to be ranked by score; score[i * stride] is the score of row i. */
typedef struct RankInput
{
	const uint8_t *label;		/* 0 or 1 */
	const double *score;
	size_t		stride;
	const double *weight;		/* may be NULL */
	size_t		n;
} RankInput;

/* Room to sort up to n rows, usable again and again. */
typedef struct Ranking
{
	const Host *host;
	SortItem   *items;
	SortItem   *scratch;
	size_t		n;
} Ranking;

/* Weights of the rows that count, by class. */
typedef struct RankTotals
{
	size_t		n;				/* rows of weight above 0 */
	double		positive;
	double		negative;
	bool		whole;			/* all weights are integers: they count rows */
} RankTotals;

/*
 * The weight of the top share of all rows.  Where weights count rows it is a
 * whole number of rows, rounded up; otherwise there is no row to round to.
 */
extern double metric_weight_at_top(const RankTotals *totals, double top_share);

/* State of a walk over a ranking, from the highest score down. */
typedef struct RankWalk
{
	double		all_positive;
	double		all_negative;
	double		top;			/* weight at which the lift is cut */
	RealSum		positive;		/* so far */
	RealSum		negative;
	RealSum		area;			/* of all_positive × all_negative */
	RealSum		precision;		/* Σ precision × weight of positives */
	double		hits;			/* expected weight of positives above the cut */
	double		ks;
	double		ks_threshold;
} RankWalk;

/* Begin a walk; pass each block of equal scores, with its weights; and what it gave. */
extern void metric_walk_begin(RankWalk *walk, const RankTotals *totals, double top_share);
extern void metric_walk_block(RankWalk *walk, double score, double positive, double negative);
extern void metric_walk_end(const RankWalk *walk, RankMeasures *out);

extern Status metric_ranking_begin(Ranking *ranking, const Host *host, size_t n, Failure *why);
extern void metric_ranking_free(Ranking *ranking);
extern Status metric_rank(Ranking *ranking, const RankInput *input, double top_share,
						  RankMeasures *out, Failure *why);

/* Settled rows of equal score, with their weights. */
typedef struct RankBlock
{
	double		score;
	double		positive;
	double		negative;
} RankBlock;

/*
 * Of a settled ranking the block that ends before item *end, or that begins at
 * item *begin; *end or *begin moves past it.  False when there is none.
 */
extern bool metric_ranked_down(const MetricRanked *r, size_t *end, RankBlock *out);
extern bool metric_ranked_up(const MetricRanked *r, size_t *begin, RankBlock *out);

/* Settle, and add up. */
extern Status metric_ranked_totals(MetricRanked *r, RankTotals *out, Failure *why);

#endif
