/*
 * drift.h
 *	  Has a distribution moved, has an error rate changed, how good would the
 *	  predictions be: the drift library's only public header.
 *
 * Formulas are those of algorithms G.  Distances are between two vectors of
 * counts over the same bins (p: the reference, q: the current window), so that
 * windows add; two samples give the exact Kolmogorov–Smirnov and Wasserstein
 * distances.  What is undefined (a share of nothing) is NAN.  Every number is
 * made of + − × ÷ and square roots, so that all machines decide alike.
 */
#ifndef CHURNOPS_DRIFT_DRIFT_H
#define CHURNOPS_DRIFT_DRIFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/host.h"
#include "core/status.h"

/* --------------------------------------------------- distances of counts -- */

typedef struct DriftDistance
{
	double		n_reference;
	double		n_current;
	double		n_bins;			/* that are not empty on both sides */
	double		psi;			/* population stability index */
	double		psi_p;			/* P(at least this much) if nothing has changed */
	double		kl;				/* Σ p ln(p/q), empty bins filled as for the PSI */
	double		jensen_shannon; /* distance, base 2: 0 … 1 */
	double		hellinger;
	double		total_variation;
	double		l_infinity;		/* max |p − q| */
	double		chi_square;		/* of homogeneity, 2 × B */
	double		chi_square_degrees;
	double		chi_square_p;
} DriftDistance;

/*
 * All distances of two counts (≥ 0) over n bins.  An empty bin of one side
 * counts as a share of 1e-4 in PSI and KL, or a millionth of the least share
 * if that is below 1e-4.  For chi-square, bins that expect fewer than 5 are
 * one bin.  Fewer than two bins that are used: no distance, p = 1.  Without
 * rows on one side everything but the counts is NAN.
 */
extern DriftDistance drift_distance(const int64_t *reference, const int64_t *current, size_t n);

/*
 * Chi-square of the current counts against those that the reference's shares
 * lead to expect, as if they were exact.  A bin that the reference lacks makes
 * it infinite.
 */
extern double drift_goodness_of_fit(const int64_t *reference, const int64_t *current, size_t n,
									double *p);

/*
 * Two shares, of `hits` among `n`: the z of current − reference with the
 * pooled variance, and its two-sided p; 0 and 1 when all or none are hits.
 */
extern double drift_proportions(int64_t reference_hits, int64_t reference_n,
								int64_t current_hits, int64_t current_n, double *p);

/* -------------------------------------------------- distances of samples -- */

/*
 * The Kolmogorov–Smirnov distance of two samples, ascending, and its
 * two-sided p: exact up to n × m = 1e6 (by the chance that a random path
 * leaves the band), else the limit.  Empty samples give NAN.
 */
extern Status drift_kolmogorov_smirnov(const Host *host, const double *reference, size_t n,
									   const double *current, size_t m, double *distance,
									   double *p, Failure *why);

/* ∫ |F − G| of two samples, ascending. */
extern double drift_wasserstein(const double *reference, size_t n, const double *current,
								size_t m);

/* --------------------------------------------------------- many p values -- */

typedef enum DriftCorrection
{
	DRIFT_BENJAMINI_HOCHBERG,
	DRIFT_BENJAMINI_YEKUTIELI,
	DRIFT_HOLM,
	DRIFT_BONFERRONI
} DriftCorrection;

/* p values adjusted for their number; NAN stays and does not count. */
extern Status drift_adjust(const Host *host, DriftCorrection correction, const double *p,
						   size_t n, double *adjusted, Failure *why);

/* ------------------------------------------------------ change detectors -- */

typedef enum DriftDetectorKind
{
	DRIFT_ADWIN,				/* Bifet, Gavaldà 2007 */
	DRIFT_DDM,					/* Gama et al. 2004; errors only: 0 or 1 */
	DRIFT_EDDM,					/* Baena-García et al. 2006; errors only */
	DRIFT_PAGE_HINKLEY,			/* Page 1954 */
	DRIFT_HDDM_A,				/* Frías-Blanco et al. 2015; values in 0 … 1 */
	DRIFT_HDDM_W
} DriftDetectorKind;

typedef enum DriftSignal
{
	DRIFT_STABLE,
	DRIFT_WARNING,
	DRIFT_CHANGE
} DriftSignal;

/* What a detector may be told; drift_detector_defaults() has algorithms G7's figures. */
typedef struct DriftDetectorOptions
{
	double		delta;			/* ADWIN: confidence; Page–Hinkley: change that is tolerated */
	double		threshold;		/* Page–Hinkley: λ, in units of the loss */
	double		forgetting;		/* Page–Hinkley: α; HDDM_W: λ */
	double		warning;		/* DDM: deviations; EDDM: share of the best; HDDM: confidence */
	double		change;			/* the same for a change */
	int32_t		warm_up;		/* values (EDDM: errors) before there is any signal */
} DriftDetectorOptions;

extern DriftDetectorOptions drift_detector_defaults(DriftDetectorKind kind);

/* ADWIN: buckets of one size before two of them become one of twice that size. */
#define DRIFT_ADWIN_BUCKETS 5
#define DRIFT_ADWIN_SIZES 40

typedef struct DriftBucket
{
	double		sum;
	double		variance;		/* sum of squared deviations */
} DriftBucket;

/* A running mean, with the bound that HDDM_W needs. */
typedef struct DriftMean
{
	double		n;
	double		mean;
	double		bound;
} DriftMean;

/*
 * A detector is flat: it may be copied, stored and gone on with.  Values come
 * in the order in which they became known.
 */
typedef struct DriftDetector
{
	DriftDetectorKind kind;
	DriftSignal signal;			/* of the last value */
	DriftDetectorOptions options;
	int64_t		n_seen;			/* values since it was made */
	int64_t		n_changes;		/* among them changes */
	union
	{
		struct
		{
			int32_t		n_sizes;
			int32_t		n_buckets[DRIFT_ADWIN_SIZES];
			DriftBucket buckets[DRIFT_ADWIN_SIZES][DRIFT_ADWIN_BUCKETS + 1];	/* oldest first */
			double		width;
			double		sum;
			double		variance;
			int64_t		ticks;
		}			adwin;
		struct
		{
			DriftMean	p;
			int64_t		n_errors;
			double		least_p;
			double		least_s;
			double		least;	/* their sum */
		}			ddm;
		struct
		{
			int64_t		n;
			int64_t		n_errors;
			int64_t		last_error;
			double		mean;	/* of the distances between errors */
			double		squares;
			double		best;
		}			eddm;
		struct
		{
			DriftMean	x;
			double		up;
			double		down;
			double		least_up;
			double		most_down;
		}			page_hinkley;
		struct
		{
			DriftMean	all;
			DriftMean	cut;
		}			hddm_a;
		struct
		{
			DriftMean	all;
			DriftMean	before;
			DriftMean	after;
			double		cut;
		}			hddm_w;
	}			state;
} DriftDetector;

extern void drift_detector_init(DriftDetector *detector, DriftDetectorKind kind,
								const DriftDetectorOptions *options);

/* One more value, finite; after a change the detector begins anew with the next. */
extern DriftSignal drift_detector_add(DriftDetector *detector, double x);

/* The mean of what ADWIN's window holds, and its width. */
extern double drift_adwin_mean(const DriftDetector *detector, double *width);

/* ------------------------------------------- performance without labels -- */

/*
 * Confidence-based performance estimation: what a confusion matrix and the
 * AUC are expected to be if the probabilities are right.
 */
typedef struct DriftEstimate
{
	double		n;
	double		true_positive;
	double		false_positive;
	double		false_negative;
	double		true_negative;
	double		accuracy;
	double		precision;
	double		recall;
	double		f1;
	double		roc_auc;
	double		log_loss;
	double		brier;
	double		accuracy_error;	/* standard error of the accuracy, of the labels alone */
} DriftEstimate;

/*
 * p[i], calibrated, is P(positive) and in 0 … 1 (else STATUS_INVALID_DATA);
 * a row is predicted positive at p ≥ threshold.  Without rows everything but n
 * is NAN, and so are measures with nothing to divide by.
 */
extern Status drift_estimate(const Host *host, const double *p, size_t n, double threshold,
							 DriftEstimate *out, Failure *why);

#endif
