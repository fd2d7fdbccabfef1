/*
 * train_split.h
 *	  Nodes of a few bins for split_feature(), and the best of their splits, by
 *	  trying all.
 */
#ifndef CHURNOPS_TEST_TRAIN_SPLIT_H
#define CHURNOPS_TEST_TRAIN_SPLIT_H

#include "train_reference.h"

#include "forest/split.h"

#define CASE_BINS 12
#define CASE_CLASSES 5
#define CASE_FEATURES 2

/* A node of at most CASE_BINS bins, and missing ones, that split_feature() is asked about. */
typedef struct SplitCase
{
	ForestFeature features[CASE_FEATURES];
	ForestTraining training;
	SplitNode	node;
	SplitBin	bins[CASE_BINS];
	uint32_t	n_bins;
	SplitBin	missing;
	uint64_t	classes[CASE_BINS + 1][CASE_CLASSES];
	uint64_t	all_classes[CASE_CLASSES];
	uint64_t	left[CASE_CLASSES];
	double		cuts[FOREST_VALUE_BINS];
	double		values[CASE_FEATURES * 256];
	int8_t		monotonic[CASE_FEATURES];
	/* of the brute force: items are the bins, and missing as the last */
	const SplitBin *items[CASE_BINS + 1];
	uint32_t	n_items;
} SplitCase;

/* A node without bins; the middles of its features' bins are 0, 1, 2, ... */
extern void case_begin(SplitCase *c, ForestCriterion criterion, uint32_t n_classes,
					   ForestKind kind, uint32_t n_feature_bins);
/* A bin of w rows; bins come in ascending order, FOREST_MISSING at any time. */
extern void case_bin(SplitCase *c, uint32_t bin, uint64_t w, int64_t s);
/* The node is complete: add up its totals. */
extern void case_end(SplitCase *c);

/* Random bins, sums and limits, between begin and end. */
extern void case_random(SplitCase *c, uint64_t *state);

/* N × decrease of a partition of the items, 0 at least; −1 if it is not allowed. */
extern long double case_gain(const SplitCase *c, const bool *left, int sign);
extern long double case_gain_of_split(const SplitCase *c, const Split *split, int sign);

/* The gain of the best cut, missing on either side; of the best of all subsets. */
extern long double case_best_number(const SplitCase *c, int sign);
extern long double case_best_subset(const SplitCase *c);

/* Is a split as good as `best`, and what it says of itself true? */
extern bool case_is_best(const SplitCase *c, const Split *split, long double best, int sign);

#endif
