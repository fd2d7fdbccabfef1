/*
 * metric.h
 *	  Measures of predictions: the metric library's only public header.
 *
 * Definitions are scikit-learn's (algorithms E1–E5, E7); ties are exact, so
 * no result depends on the order of the rows beyond the rounding of sums.
 * Weights may be NULL, meaning 1 each; a row of weight 0 does not count.
 * What is undefined (an AUC of one class, R² of one row) is NAN in the
 * result, together with a bit in `undefined`; a value that scikit-learn sets
 * to 0 with a warning (precision without a predicted positive) is 0 with its
 * bit set; so is a mean over classes that had to leave one out.  Without any
 * row that counts, everything is undefined, and the status is STATUS_OK.
 *
 * Missing values are the caller's business: in a row that counts, a score,
 * probability or target that is NaN is STATUS_INVALID_DATA, as is a
 * probability outside 0 … 1, a label that is no class, and a weight that is
 * negative or not finite.  Scores that are only ranked may be infinite;
 * targets may not (STATUS_OUT_OF_RANGE).  At most 2^32 - 1 rows can be ranked.
 */
#ifndef CHURNOPS_METRIC_METRIC_H
#define CHURNOPS_METRIC_METRIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/host.h"
#include "core/status.h"

/* Every metric a report can hold, in the order of a report. */
typedef enum MetricName
{
	METRIC_ACCURACY,
	METRIC_BALANCED_ACCURACY,
	METRIC_PRECISION,
	METRIC_PRECISION_MACRO,
	METRIC_PRECISION_WEIGHTED,
	METRIC_RECALL,
	METRIC_RECALL_MACRO,
	METRIC_RECALL_WEIGHTED,
	METRIC_F1,
	METRIC_F1_MACRO,
	METRIC_F1_WEIGHTED,
	METRIC_ROC_AUC,
	METRIC_ROC_AUC_MACRO,
	METRIC_ROC_AUC_WEIGHTED,
	METRIC_AVERAGE_PRECISION,
	METRIC_AVERAGE_PRECISION_MACRO,
	METRIC_AVERAGE_PRECISION_WEIGHTED,
	METRIC_LOG_LOSS,
	METRIC_BRIER,
	METRIC_KS,
	METRIC_LIFT_AT_10,
	METRIC_MCC,
	METRIC_RMSE,
	METRIC_MAE,
	METRIC_R2,
	METRIC_COUNT
} MetricName;

/* The SQL and JSON key of a metric: "roc_auc", "lift_at_10", … */
extern const char *metric_name(MetricName metric);

typedef struct MetricReport
{
	double		value[METRIC_COUNT];	/* NAN where undefined or not of this task */
	uint32_t	applies;		/* bit per metric: belongs to this task */
	uint32_t	undefined;		/* bit per metric: undefined, or set by convention: a warning */
	uint64_t	n_rows;
	uint64_t	n_clipped;		/* probabilities of exactly 0 or 1 that the log loss clipped */
} MetricReport;

/*
 * All metrics of a two-class prediction.  label[i] is 1 for the positive
 * class, else 0; score[i] is P(positive); a row counts as predicted positive
 * at score ≥ 0.5.  lift_at_10 takes the expected share of a tied block at the
 * cut.  Fills the plain, macro and weighted forms of precision, recall, F1.
 */
extern Status metric_binary(const Host *host, const uint8_t *label, const double *score,
							const double *weight, size_t n, MetricReport *out, Failure *why);

/*
 * All metrics of a prediction of K classes (K ≥ 2).  label[i] in [0, K);
 * proba is row-major n × K; the predicted class is the largest probability,
 * ties to the first.  ROC AUC and average precision are one-versus-rest,
 * macro and weighted by class support, over the classes for which they are
 * defined.  The Brier score is the mean of Σ_k (p_k − y_k)² (range 0–2).
 */
extern Status metric_multiclass(const Host *host, const uint32_t *label, const double *proba,
								uint32_t n_classes, const double *weight, size_t n,
								MetricReport *out, Failure *why);

/* RMSE, MAE and R² (R² of a constant target: undefined). */
extern Status metric_regression(const Host *host, const double *target, const double *predicted,
								const double *weight, size_t n, MetricReport *out, Failure *why);

/* ---------------------------------------------------- rows to be resampled -- */

typedef enum MetricTask
{
	METRIC_TASK_BINARY,
	METRIC_TASK_MULTICLASS,
	METRIC_TASK_REGRESSION
} MetricTask;

/*
 * Rows that are measured as a whole, in parts, or under other weights.
 *
 * Binary: positive and score; where labels exist that are no class of the
 * model, label and proba too, of n_classes (three) with the unknown one last:
 * metrics that count hits or average over classes are then those of these.
 * Multiclass: label and proba, n_classes.  Regression: target and predicted.
 */
typedef struct MetricRows
{
	MetricTask	task;
	size_t		n;
	const uint8_t *positive;
	const double *score;
	const uint32_t *label;
	const double *proba;
	uint32_t	n_classes;
	const double *target;
	const double *predicted;
	const double *weight;		/* NULL: 1 each */
} MetricRows;

/* All metrics of the rows' task; `weight`, if not NULL, takes the place of theirs. */
extern Status metric_rows_report(const Host *host, const MetricRows *rows, const double *weight,
								 MetricReport *out, Failure *why);

/* ------------------------------------------------------------- intervals -- */

/* The z below which a share p of the standard normal distribution lies. */
extern double metric_normal_quantile(double p);

/* Wilson's interval of a share of `hits` in n; NAN when n is 0. */
extern void metric_wilson(double hits, double n, double confidence, double *low, double *high);

/*
 * AUCs of one or two scores over the same rows, with DeLong's variances (1988)
 * by midranks (Sun and Xu 2014).  AUCs are NAN without a row of either class,
 * variances with fewer than two of one.
 */
typedef struct MetricDelong
{
	double		auc[2];
	double		variance[2];
	double		covariance;
} MetricDelong;

extern Status metric_delong(const Host *host, const uint8_t *label, const double *score_a,
							const double *score_b, size_t n, MetricDelong *out, Failure *why);

/* The two-sided p-value of equal AUCs: 1 if they are equal without variance, NAN if unknown. */
extern double metric_delong_p(const MetricDelong *delong, double *standard_error);

/*
 * McNemar's test of two classifiers that are right alone b and c times: exact
 * for up to METRIC_MCNEMAR_EXACT such rows, else chi-square with correction for
 * continuity; mid-p (exact, less half of the observed outcome on either side)
 * if asked for.
 */
#define METRIC_MCNEMAR_EXACT 25
typedef enum MetricMcnemar
{
	MCNEMAR_EXACT,
	MCNEMAR_MID_P,
	MCNEMAR_CHI_SQUARE
} MetricMcnemar;

extern double metric_mcnemar(uint64_t b, uint64_t c, bool mid_p, MetricMcnemar *test);

/*
 * Bootstrap.  `compute` fills n_values numbers from weights of the rows: how
 * often each was drawn, times its own weight.  Resamples in which a number is
 * NAN (an AUC of one class) are left out for it, and counted.  What is drawn
 * are rows; with clusters, whole clusters; with strata, rows of each stratum
 * by themselves.  The draws depend on the seed and the order of the rows alone.
 */
typedef Status (*MetricCompute) (void *ctx, const double *weight, double *values, Failure *why);

typedef struct MetricBootstrap
{
	size_t		n;
	const double *weight;		/* NULL: 1 each */
	const uint32_t *cluster;	/* below n_clusters; NULL: every row is one */
	uint32_t	n_clusters;
	const uint8_t *stratum;		/* 0 or 1; NULL: one stratum.  Not with clusters */
	uint32_t	seed;
	uint32_t	n_resamples;	/* at most METRIC_MAX_RESAMPLES */
	double		confidence;
} MetricBootstrap;

#define METRIC_MAX_RESAMPLES 100000

/* Percentiles (type 7) of the resampled numbers; NAN without a resample that counts. */
typedef struct MetricResampled
{
	double		low;
	double		high;
	double		lower_bound;	/* one-sided: a share `confidence` of the resamples is above */
	double		upper_bound;	/* likewise, below */
	double		p_value;		/* two-sided, of the number being 0 */
	uint32_t	n_used;
} MetricResampled;

extern Status metric_bootstrap(const Host *host, const MetricBootstrap *b, uint32_t n_values,
							   MetricCompute compute, void *ctx, MetricResampled *out,
							   Failure *why);

/* The type-7 quantile of n > 0 ascending numbers. */
extern double metric_quantile(const double *sorted, size_t n, double q);

/* ----------------------------------------------------------- calibration -- */

/*
 * Platt's sigmoid P(1) = 1 / (1 + exp(a s + b)): cross-entropy against targets
 * that are drawn in as Platt (1999) has it, by the Newton method of Lin, Lin
 * and Weng (2007), with exp and log of our own.
 */
extern Status metric_fit_sigmoid(const Host *host, const uint8_t *label, const double *score,
								 const double *weight, size_t n, double *a, double *b,
								 Failure *why);

/*
 * The isotonic regression of labels on scores (pool adjacent violators, equal
 * scores pooled first), as points that are interpolated linearly; outside of
 * them the nearest holds.  x ascends strictly, y does not fall.
 */
typedef struct MetricIsotonic
{
	double	   *x;
	double	   *y;
	size_t		n;				/* points */
	size_t		capacity;		/* allocated, of each */
} MetricIsotonic;

extern Status metric_fit_isotonic(const Host *host, const uint8_t *label, const double *score,
								  const double *weight, size_t n, MetricIsotonic *out,
								  Failure *why);
extern void metric_isotonic_free(const Host *host, MetricIsotonic *isotonic);

/* --------------------------------------------------------- single measures -- */

/* Per-class precision, recall, F1 and support of hard predictions in [0, K). */
typedef struct MetricClass
{
	double		precision;
	double		recall;
	double		f1;
	double		support;		/* Σ weight of rows of the class */
} MetricClass;

extern Status metric_per_class(const uint32_t *label, const uint32_t *predicted,
							   const double *weight, size_t n, uint32_t n_classes,
							   MetricClass *out, Failure *why);

/*
 * Single measures, for permutation importances and tests.  NAN when
 * undefined.  metric_roc_auc: label 0/1.  metric_roc_auc_macro is
 * METRIC_ROC_AUC_MACRO of metric_multiclass(), to the bit.
 */
extern Status metric_roc_auc(const Host *host, const uint8_t *label, const double *score,
							 const double *weight, size_t n, double *out, Failure *why);
extern Status metric_roc_auc_macro(const Host *host, const uint32_t *label, const double *proba,
								   uint32_t n_classes, const double *weight, size_t n,
								   double *out, Failure *why);
extern Status metric_average_precision(const Host *host, const uint8_t *label, const double *score,
									   const double *weight, size_t n, double *out, Failure *why);
extern Status metric_ks(const Host *host, const uint8_t *label, const double *score,
						const double *weight, size_t n, double *out, double *threshold,
						Failure *why);

/*
 * Lift at the top share q of rows (0 < q ≤ 1), ties at the cut by expectation.
 * The top is ⌈q n⌉ rows; with weights ⌈q Σw⌉ if all are integers, else q Σw.
 */
extern Status metric_lift(const Host *host, const uint8_t *label, const double *score,
						  const double *weight, size_t n, double q, double *out, Failure *why);

#include "metric/aggregate.h"

#endif
