/*
 * split.h
 *	  The best split of a node by one feature.  Private to src/forest.
 *
 * A node's rows reach the search as sums per occupied bin.  Two classes and
 * regression need two numbers a bin, the weight w and s: the weight of class
 * 1, or Σ weight × target in fixed point.  More classes need a weight each.
 */
#ifndef CHURNOPS_FOREST_SPLIT_H
#define CHURNOPS_FOREST_SPLIT_H

#include "core/rng.h"
#include "forest/training.h"

/* Sums over some rows of a node. */
typedef struct SplitSums
{
	uint64_t	w;
	int64_t		s;
	uint32_t	n;				/* rows; only where SplitNode.count_rows */
} SplitSums;

/* An occupied bin. */
typedef struct SplitBin
{
	SplitSums	sums;
	const uint64_t *classes;	/* weight per class; NULL unless SplitNode.n_classes > 2 */
	uint32_t	bin;
} SplitBin;

/* What the search knows about a node. */
typedef struct SplitNode
{
	const ForestTraining *training;
	uint32_t	tree;
	uint64_t	key;			/* of the node, for random thresholds */
	ForestCriterion criterion;
	uint32_t	n_classes;		/* > 2: by classes; else by s */
	bool		count_rows;		/* min_samples_leaf needs counts */
	uint32_t	min_rows;
	double		min_weight;
	double		smoothing;		/* weight that pulls a category's mean to the node's */
	double		luck;			/* χ² that an order by the target gains with each category; or 0 */
	double		spread;			/* regression: variance of the target, where there is luck */
	SplitSums	total;
	const uint64_t *classes;	/* of the node, or NULL */
	double		lower;			/* bounds of children's values, s / w */
	double		upper;
	uint64_t   *left;			/* scratch: n_classes weights */
} SplitNode;

/* A split.  Bins absent from the node and missing values absent from it have no side yet. */
typedef struct Split
{
	bool		found;
	double		score;			/* to be maximised; comparable within a node */
	double		full_score;		/* category: the same with what luck gave it */
	uint32_t	feature;
	bool		category;
	bool		missing_left;
	bool		missing_seen;	/* the node had missing values, so their side is learned */
	uint8_t		cut;			/* numeric: left are the bins ≤ cut */
	uint64_t	mask[4];		/* category: bins that go left */
	uint64_t	present[4];		/* category: bins that the node had */
	SplitSums	left;
} Split;

/* N × impurity decrease of a split with this (full) score, N the weight of the tree. */
extern double split_gain(const SplitNode *node, double score);

/*
 * Take a split by n categories that were ordered by the target, of several
 * classes by the share of class k, if its score less what luck gave it is
 * above that of *best.  Its score is the full one.
 */
extern void split_take_ordered(const SplitNode *node, uint32_t k, uint32_t n, Split *split,
							   Split *best);

/*
 * The score of a split of two classes by gini, or of a regression by squared
 * error: D² / (w_left w_right) with D = s_left W − S w_left.  It is 0 where the
 * sides have one mean, and needs no difference of large numbers but D, which
 * is exact while the products stay below 2^53.
 */
static inline double
split_pair_score(double w, double s, double w_left, double s_left, double w_right)
{
	double		d = s_left * w - s * w_left;

	return d * d / (w_left * w_right);
}

/*
 * Improve *best by splits on one feature.  bins are the n_bins occupied bins
 * of values, ascending; missing holds the sums of missing values (w = 0:
 * none).  A split replaces *best only when its score is strictly greater, so
 * the earlier feature and the lower cut win ties.  Returns false when the
 * feature is constant in the node.
 */
extern bool split_feature(const SplitNode *node, uint32_t feature, const SplitBin *bins,
						  uint32_t n_bins, const SplitBin *missing, Split *best);

#endif
