/*
 * associate.h
 *	  What each feature says about the target on its own, and about the other
 *	  features.  Private to src/forest.
 */
#ifndef CHURNOPS_FOREST_ASSOCIATE_H
#define CHURNOPS_FOREST_ASSOCIATE_H

#include "forest/training.h"

/* What is known of a feature; NAN where it cannot be said. */
typedef struct Association
{
	double		missing;		/* share of the rows */
	double		top;			/* share of the most frequent bin */
	uint32_t	n_occupied;		/* bins, that of missing values too */
	uint64_t	histogram;		/* a hash of the counts of its bins */
	double		alone;			/* AUC of the best class against the rest, or |Spearman| */
	int32_t		alone_class;	/* the class; −1 in regression */
	double		absence;		/* AUC of whether it is missing */
	int32_t		absence_class;
	double		gain;			/* share of the errors of guessing that its bins avoid, */
	double		purity;			/* and of the rows that the most frequent class of the bin has */
	double		information;	/* mutual, over the mean of both entropies */
	uint64_t	counts[256];	/* rows of every bin */
} Association;

/* The training rows that are looked at. */
typedef struct AssociateRows
{
	uint32_t   *rows;
	uint32_t	n;
	uint32_t	capacity;
} AssociateRows;

/* The first rows in canonical order that have a weight, as many as can be afforded. */
extern Status associate_rows(const Host *host, const ForestTraining *t, AssociateRows *out,
							 Failure *why);
extern void associate_rows_free(const Host *host, AssociateRows *rows);

/* Fill out, n_features elements that are zero. */
extern Status associate_features(const Host *host, const ForestTraining *t,
								 const AssociateRows *rows, Association *out, Failure *why);

/* Does a feature have the same bin as another in every row that is looked at? */
extern bool associate_equal(const ForestTraining *t, const AssociateRows *rows, uint32_t a,
							uint32_t b);

/*
 * |Spearman| of n features, which are no categories, in at most
 * ASSOCIATE_PAIR_ROWS rows: out[i × n + j] for i < j.
 */
#define ASSOCIATE_PAIR_ROWS 2000
extern Status associate_pairs(const Host *host, const ForestTraining *t,
							  const AssociateRows *rows, const uint32_t *features, uint32_t n,
							  double *out, Failure *why);

#endif
