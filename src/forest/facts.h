/*
 * facts.h
 *	  What only the raw rows of a training tell, noted while they are
 *	  prepared, for forest_checks().  Private to src/forest.
 *
 * None of it is needed to train: where there is no memory for it, it is left
 * out.  All of it depends on the rows alone, not on their order.
 */
#ifndef CHURNOPS_FOREST_FACTS_H
#define CHURNOPS_FOREST_FACTS_H

#include "core/sort.h"
#include "forest/forest.h"

/* What is known of a column of the frame. */
typedef struct ColumnFacts
{
	uint32_t	n_values;		/* numbers: different values, if they are few; else 0 */
	double		values[FOREST_VALUE_BINS];	/* these, ascending: one a bin */
	uint32_t	n_categories;	/* texts */
	double		far_share;		/* numbers: beyond 3 interquartile ranges; NAN: unknown */
	double		extreme_share;	/* numbers: beyond 6 standard deviations */
	uint64_t	n_timed;		/* points in time: that were compared to the time column's */
	uint64_t	n_later;		/* and are later */
} ColumnFacts;

typedef struct Facts
{
	uint32_t	n_columns;
	ColumnFacts *columns;

	/*
	 * Rows by a hash of their features.  Of many rows those are looked at
	 * whose hashes end in zeros, so that equal rows stay together.
	 */
	SortItem   *rows;			/* row: its place in the training; NULL in the end */
	size_t		n_rows;
	size_t		capacity;
	uint64_t	mask;			/* bits that are 0 in the hashes of rows */
	bool		rows_lost;		/* there was no memory for them */

	bool		has_keys;		/* rows of an entity are on one side: twins are others' */
	size_t		n_test;			/* holdout rows among them */
	size_t		n_test_twins;	/* whose features a training row has too */
	size_t		n_train;		/* training rows */
	size_t		n_distinct;		/* different features among these */
	double		conflict;		/* error that no model avoids: share of them, or of the variance */
	double		time_overlap;	/* share of the holdout before the last training row; NAN */
} Facts;

extern Status facts_new(const Host *host, uint32_t n_columns, Facts **out, Failure *why);
extern void facts_free(const Host *host, Facts *facts);

/* A column of few different values: their sort keys, in order. */
extern void facts_values(ColumnFacts *facts, const uint64_t *keys, uint32_t n);

/* The sort keys of a column's sample, in order. */
extern void facts_sorted(ColumnFacts *facts, const uint64_t *keys, size_t n);

/* The same of values that occur so often. */
extern void facts_counted(ColumnFacts *facts, const uint64_t *counts);

/* Let a column go into the hashes of n rows. */
extern void facts_hash_numbers(uint64_t *hashes, const double *values, size_t n);
extern void facts_hash_texts(uint64_t *hashes, const uint32_t *ids, size_t n);

/* Compare a column to the times of n rows. */
extern void facts_times(ColumnFacts *facts, const double *values, const double *times, size_t n);

/* Take in n rows: their hashes, and their places in the training. */
extern void facts_rows(const Host *host, Facts *facts, const uint64_t *hashes,
					   const uint32_t *places, size_t n);

#endif
