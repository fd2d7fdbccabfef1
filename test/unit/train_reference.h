/*
 * train_reference.h
 *	  Trees checked against a search that tries everything, in long double and
 *	  by the definitions of impurity.
 */
#ifndef CHURNOPS_TEST_TRAIN_REFERENCE_H
#define CHURNOPS_TEST_TRAIN_REFERENCE_H

#include "train_fixture.h"

/* What the trees were asked to be; nothing is taken from the training. */
typedef struct ReferenceRules
{
	ForestCriterion criterion;
	double		bootstrap;		/* the mean count of a row; 0: every row once */
	uint32_t	max_depth;		/* 0: no limit */
	uint32_t	min_split;
	uint32_t	min_rows;
	double		min_weight_fraction;
	double		min_decrease;
	const double *class_weight; /* per class, or NULL */
	bool		some_features;	/* a split is the best of its own feature only */
	bool		any_cut;		/* random splits: a split need not be the best of anything */
	bool		cut_short;		/* leaves may be there without a reason: pruned, max_leaf_nodes */
	bool		binned;			/* numbers had more than 255 distinct values */
	double		tolerance;		/* of decreases, relative; 0: 1e-9 */
	double		value_tolerance;	/* of leaf values, absolute; 0: 1e-9 */
} ReferenceRules;

/* Check a whole tree; returns how many nodes are wrong, and says of the first what. */
extern uint32_t reference_check(const Train *train, const TrainData *data,
								const ReferenceRules *rules, uint32_t tree_no);

/* The same for all trees of a training. */
extern uint32_t reference_check_all(const Train *train, const TrainData *data,
									const ReferenceRules *rules);

/*
 * How often a row is in a bag: the Poisson distribution function turned
 * around, of the draw that the training makes for it.
 */
extern uint32_t reference_count(uint64_t draw, double mean);

/* The impurity of sums per class, by its definition. */
extern long double reference_impurity(ForestCriterion criterion, const long double *classes,
									  uint32_t n_classes);

#endif
