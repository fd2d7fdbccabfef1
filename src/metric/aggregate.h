/*
 * aggregate.h
 *	  Metrics that take their rows one by one and whose states can be merged:
 *	  what SQL aggregates are made of.  Part of metric.h.
 *
 * Every state is a function of the multiset of its rows, to the last bit: sums
 * are exact until they are rounded once (core/exact.h), and rows that have to
 * be ranked are put in order before anything is summed.  So neither the order
 * of rows nor how they were spread over workers can be seen in a result.
 *
 * As in metric.h, a row of weight 0 does not count, what is undefined is NAN,
 * and values that are no numbers, no probabilities or no weights are failures.
 */
#ifndef CHURNOPS_METRIC_AGGREGATE_H
#define CHURNOPS_METRIC_AGGREGATE_H

#include "core/bytes.h"
#include "core/exact.h"
#include "core/sort.h"
#include "metric/metric.h"

/* ------------------------------------------------------- means of losses -- */

/* What is averaged over rows of a truth y and a prediction x. */
typedef enum MetricLoss
{
	LOSS_TERM,					/* a term that the caller computes, see metric_loss_add_term() */
	LOSS_LOG,					/* of a label 0/1 and a probability */
	LOSS_BRIER,
	LOSS_SQUARED,
	LOSS_ABSOLUTE,
	LOSS_R2,
	LOSS_MAPE,					/* |y - x| / max(|y|, 2^-52) */
	LOSS_SMAPE,					/* 2 |y - x| / (|y| + |x|), 0 of two zeros */
	LOSS_WAPE,					/* Σ |y - x| / Σ |y| */
	LOSS_LOG_SQUARED,			/* (log(1 + y) - log(1 + x))² */
	LOSS_PINBALL,				/* at level alpha */
	LOSS_POISSON,				/* 2 (y log(y / x) - y + x) */
	LOSS_COUNT
} MetricLoss;

/* A state of metric_loss_bytes() bytes, in one piece. */
typedef struct MetricLossState
{
	MetricLoss	loss;
	bool		weighted;
	double		alpha;
	uint64_t	n_rows;			/* that count */
	uint64_t	n_positive;		/* LOSS_BRIER: labels 1 among them */
	ExactSum	sum[];			/* of the loss; where weighted, of weights, and those of positives */
} MetricLossState;

extern size_t metric_loss_bytes(MetricLoss loss, bool weighted);
extern void metric_loss_begin(MetricLossState *s, MetricLoss loss, bool weighted, double alpha);

/* The weight is looked at in a weighted state only. */
extern Status metric_loss_add(MetricLossState *s, double y, double x, double weight, Failure *why);
extern Status metric_loss_add_term(MetricLossState *s, double term, double weight, Failure *why);
extern Status metric_loss_merge(MetricLossState *s, const MetricLossState *other, Failure *why);

extern double metric_loss_mean(const MetricLossState *s);	/* LOSS_WAPE: the ratio; not LOSS_R2 */
extern double metric_loss_r2(const MetricLossState *s);
extern double metric_loss_brier_skill(const MetricLossState *s);

extern void metric_loss_write(const MetricLossState *s, ByteWriter *w);

/* How large the state at the reader's place is; 0 if there is none.  Then the state itself. */
extern size_t metric_loss_stored_bytes(const ByteReader *r);
extern Status metric_loss_read(MetricLossState *s, ByteReader *r, Failure *why);

/* ------------------------------------------------------------ ranked rows -- */

/*
 * Two-class rows that are ranked by score.  Without weights equal scores are
 * kept once, with a count: 16 bytes per different score and class; with
 * weights 24 bytes a row.
 */
typedef struct MetricRanked
{
	const Host *host;
	bool		weighted;
	bool		settled;		/* in order of scores, and equal ones put together */
	SortItem   *items;			/* row: the count, or the index of the weight; lowest bit the label */
	size_t		n;
	size_t		capacity;
	size_t		compress_at;	/* from this many on it is worth looking for equal scores */
	double	   *weights;
	size_t		n_weights;
	size_t		weight_capacity;
} MetricRanked;

extern void metric_ranked_begin(MetricRanked *r, const Host *host, bool weighted);
extern void metric_ranked_free(MetricRanked *r);
extern Status metric_ranked_add(MetricRanked *r, bool positive, double score, double weight,
								Failure *why);

/* Add the rows of another, which is settled thereby. */
extern Status metric_ranked_merge(MetricRanked *r, MetricRanked *other, Failure *why);
extern Status metric_ranked_settle(MetricRanked *r, Failure *why);

/* How many bytes metric_ranked_write() needs; r has to be settled for both. */
extern size_t metric_ranked_stored_bytes(const MetricRanked *r);
extern void metric_ranked_write(const MetricRanked *r, ByteWriter *w);
extern Status metric_ranked_read(MetricRanked *r, const Host *host, ByteReader *reader,
								 Failure *why);

/* What follows settles the rows first. */

/* What one walk down a ranking gives; NAN where undefined. */
typedef struct RankMeasures
{
	double		roc_auc;
	double		average_precision;
	double		ks;
	double		ks_threshold;	/* the largest score at which |TPR - FPR| is ks */
	double		lift;			/* at top_share */
} RankMeasures;

extern Status metric_ranked_measures(MetricRanked *r, double top_share, RankMeasures *out,
									 Failure *why);

/* The weight of the positives. */
extern Status metric_ranked_support(MetricRanked *r, double *out, Failure *why);

/* The median of scores, between two the mean; of weights the lower one. */
extern Status metric_ranked_median(MetricRanked *r, double *out, Failure *why);

/* Points of a curve, in arrays of the rows' host.  n = 0: undefined. */
typedef struct MetricCurve
{
	const Host *host;
	double	   *threshold;
	double	   *x;				/* false positive rate; recall */
	double	   *y;				/* true positive rate; precision */
	size_t		n;
	size_t		capacity;
} MetricCurve;

/*
 * As scikit-learn's roc_curve: thresholds descending from +inf, without points
 * in the middle between their neighbours.
 */
extern Status metric_roc_curve(MetricRanked *r, MetricCurve *out, Failure *why);

/* As its precision_recall_curve: thresholds ascending, then (recall 0, precision 1) at +inf. */
extern Status metric_precision_recall_curve(MetricRanked *r, MetricCurve *out, Failure *why);
extern void metric_curve_free(MetricCurve *curve);

/* Rows whose probability lies in (low, high]; the first bin has its low end too. */
typedef struct MetricBin
{
	double		low;
	double		high;
	double		weight;			/* 0: nothing else is defined */
	double		mean_score;
	double		positive_share;
} MetricBin;

#define METRIC_MAX_BINS 10000

/*
 * Fill bins[n_bins], as scikit-learn's calibration_curve does: of equal width,
 * or between quantiles (with weights, the smallest score below which the share
 * lies).  Scores have to be probabilities.
 */
extern Status metric_calibration(MetricRanked *r, int n_bins, bool quantile, MetricBin *bins,
								 Failure *why);

/* The mean and the largest |mean score - share of positives| of bins; NAN without rows. */
extern void metric_calibration_error(const MetricBin *bins, int n_bins, double *mean,
									 double *largest);

/* One of n groups of as equal size as can be, the highest scores first. */
typedef struct MetricLiftGroup
{
	double		n;
	double		positives;		/* of a tied block at the edge the expected share */
	double		high;			/* scores: NAN in a group without rows */
	double		low;
	double		cumulative_n;
	double		cumulative_positives;
} MetricLiftGroup;

/* Fill groups[n_groups]; all weight and all positives into *all and *all_positive. */
extern Status metric_lift_table(MetricRanked *r, int n_groups, MetricLiftGroup *groups,
								double *all, double *all_positive, Failure *why);

/* ------------------------------------------------------ choice of threshold -- */

typedef enum MetricRuleKind
{
	RULE_FBETA,
	RULE_MCC,
	RULE_YOUDEN,
	RULE_ACCURACY,
	RULE_COST,
	RULE_CAPACITY,
	RULE_PRECISION,
	RULE_RECALL,
	RULE_PROFIT,
	RULE_EMP
} MetricRuleKind;

typedef struct MetricRule
{
	MetricRuleKind kind;
	double		beta;			/* RULE_FBETA: recall weighs so much more than precision */
	double		cost_tp;		/* RULE_COST */
	double		cost_fp;
	double		cost_fn;
	double		cost_tn;
	bool		calibrated;		/* threshold from the costs alone (Elkan), not from the rows */
	double		capacity;		/* RULE_CAPACITY: rows, or NAN */
	double		share;			/* … or their share */
	double		at_least;		/* RULE_PRECISION, RULE_RECALL */
	double		clv;			/* RULE_PROFIT, RULE_EMP: customer lifetime value */
	double		d;				/* cost of the incentive */
	double		f;				/* cost of the contact */
	double		alpha;			/* chance of accepting ~ Beta(alpha, beta_shape) */
	double		beta_shape;
	double		gamma;			/* RULE_PROFIT: that chance */
} MetricRule;

/* Rows with a score ≥ threshold are positive; +inf: none is. */
typedef struct MetricChoice
{
	bool		found;			/* else the rule cannot be met, or is undefined for these rows */
	double		threshold;
	double		value;			/* of what the rule looks at */
	double		expected_share;	/* RULE_EMP: share to be targeted, over the chances; else NAN */
	double		tp;
	double		fp;
	double		fn;
	double		tn;
} MetricChoice;

/* Check numbers of a rule. */
extern Status metric_rule_check(const MetricRule *rule, Failure *why);

/* Of thresholds that are equally good the highest. */
extern Status metric_choose_threshold(MetricRanked *r, const MetricRule *rule, MetricChoice *out,
									  Failure *why);

/* -------------------------------------------------------- hard predictions -- */

#define METRIC_MAX_CLASSES 1000

typedef struct MetricLabel
{
	char	   *text;
	size_t		n_bytes;
	double		order;			/* before the bytes */
} MetricLabel;

/* A confusion matrix whose classes are found as they come. */
typedef struct MetricConfusion
{
	const Host *host;
	bool		weighted;
	uint32_t	n_classes;
	uint32_t	capacity;		/* classes that there is room for */
	MetricLabel *labels;
	uint64_t   *counts;			/* capacity × capacity, rows are true classes; or … */
	ExactSum  **sums;			/* NULL where no row is */
	uint32_t	last[2];		/* class found last: true, predicted */
	uint32_t   *table;			/* of class + 1, by hash of the text; for many classes */
	size_t		table_size;
} MetricConfusion;

extern void metric_confusion_begin(MetricConfusion *c, const Host *host, bool weighted);
extern void metric_confusion_free(MetricConfusion *c);
extern Status metric_confusion_add(MetricConfusion *c, const MetricLabel *label,
								   const MetricLabel *predicted, double weight, Failure *why);
extern Status metric_confusion_merge(MetricConfusion *c, const MetricConfusion *other,
									 Failure *why);
extern void metric_confusion_write(const MetricConfusion *c, ByteWriter *w);
extern Status metric_confusion_read(MetricConfusion *c, const Host *host, ByteReader *r,
									Failure *why);

/* Number classes in their order: by `order`, then by bytes. */
extern Status metric_confusion_sort(MetricConfusion *c, Failure *why);
extern double metric_confusion_cell(const MetricConfusion *c, uint32_t label, uint32_t predicted);

/* The class of a text, or n_classes. */
extern uint32_t metric_confusion_class(const MetricConfusion *c, const char *text, size_t n_bytes);

typedef enum MetricHardName
{
	HARD_PRECISION,
	HARD_RECALL,
	HARD_SPECIFICITY,
	HARD_FBETA
} MetricHardName;

typedef enum MetricAverage
{
	AVERAGE_BINARY,
	AVERAGE_MACRO,
	AVERAGE_WEIGHTED,
	AVERAGE_MICRO
} MetricAverage;

/*
 * What follows wants sorted classes.  What has nothing below its fraction is 0,
 * as in scikit-learn; without rows all is NAN.  `positive` is the class of
 * AVERAGE_BINARY; n_classes stands for one that no row has.
 */
extern Status metric_confusion_measure(const MetricConfusion *c, MetricHardName name,
									   MetricAverage average, uint32_t positive, double beta,
									   double *out, Failure *why);
extern Status metric_confusion_report(const MetricConfusion *c, MetricReport *out, Failure *why);

/* Weights of disagreement: 0, 1 everywhere; 1, the distance of classes; 2, its square. */
extern Status metric_confusion_kappa(const MetricConfusion *c, int power, double *out,
									 Failure *why);

#endif
