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
