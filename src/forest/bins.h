/*
 * bins.h
 *	  From the raw values of a column to the bins of a feature.  Private to
 *	  src/forest.
 */
#ifndef CHURNOPS_FOREST_BINS_H
#define CHURNOPS_FOREST_BINS_H

#include "forest/frame.h"

/* Cuts of columns with more distinct values come from at most this many rows. */
#define BINS_SAMPLE_ROWS 200000

/* Which rows of a frame train and have a weight, and the sample of them, as frame rows. */
typedef struct BinsRows
{
	const uint8_t *trains;		/* per frame row: 1 for such a row, else 0 */
	size_t		n_train;		/* such rows */
	const uint32_t *sample;		/* the first of them in canonical order, in ascending order */
	size_t		n_sample;		/* BINS_SAMPLE_ROWS, or all there are */
} BinsRows;

/*
 * Find the bins of all columns from their training rows: exact midpoints up
 * to FOREST_VALUE_BINS distinct values, else bins of nearly equal counts; for
 * a category the dictionary.  features and fates have an element per column,
 * zeroed; a feature is filled, but for its name, when its fate says that the
 * column is kept.
 */
extern Status bins_of_columns(const Host *host, const ForestFrame *frame, const BinsRows *rows,
							  ForestFeature *features, ForestColumnFate *fates, Failure *why);

/* Memory that bins_of_columns() takes for a frame of n_rows rows. */
extern size_t bins_work_bytes(const ForestFrame *frame, size_t n_rows);

/* The cut between neighbours a < b: a ≤ cut < b, the midpoint where there is one. */
extern double bins_cut(double a, double b);

/*
 * Cuts of at most max_bins bins over n ascending distinct values with counts
 * (after LightGBM's greedy rule, algorithms A9): a value as frequent as a mean
 * bin gets a bin of its own; the others share what is left.  Bins hold at
 * least min_in_bin rows where that is possible.  cuts has room for
 * max_bins − 1; returns their number.
 */
extern uint32_t bins_greedy(const double *values, const uint32_t *counts, size_t n,
							uint32_t max_bins, uint32_t min_in_bin, double *cuts);

#endif
