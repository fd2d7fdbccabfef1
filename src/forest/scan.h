/*
 * scan.h
 *	  The best cut of a number by gini or squared error, for the sums of a node
 *	  in arrays: what split.c does bin by bin, many bins at a time.  Private to
 *	  src/forest.
 *
 * The results are those of split_feature() to the last bit, on every level of
 * instructions: the same double scores, the first of equal ones.  Everything
 * that is rare (other criteria, monotonic constraints, random cuts,
 * categories) is left to split.c.
 */
#ifndef CHURNOPS_FOREST_SCAN_H
#define CHURNOPS_FOREST_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/cpu.h"

/* Weight and class-1 weight of a bin, 16 bits each, the weight in the low half. */
#define SCAN_PACKED_ROWS 4096	/* of so many rows, of up to 13 each, no half overflows */
#define SCAN_BINS 256

/* A node and one of its features. */
typedef struct ScanNode
{
	CpuLevel	level;
	uint64_t	w;				/* of the node */
	int64_t		s;
	uint64_t	min_weight;		/* of a side, at least 1 */
	/* for a side of missing values, first right, then left: the bins a cut may be at */
	uint32_t	first[2];
	uint32_t	last[2];
} ScanNode;

/* The best cut: score is below 0 while there is none. */
typedef struct ScanBest
{
	double		score;
	uint32_t	at;				/* the place in the arrays of the last bin on the left */
	bool		missing_left;
	uint64_t	w;				/* of the left side */
	int64_t		s;
} ScanBest;

/* Sums of a node's bins, running: [i] holds those of bins 0 … i, missing values not. */
typedef struct ScanSums
{
	uint32_t	n;
	uint64_t	w[SCAN_BINS];
	int64_t		s[SCAN_BINS];
	uint64_t	missing_w;
	int64_t		missing_s;
} ScanSums;

/*
 * Improve *best by the cuts of a node of at most SCAN_PACKED_ROWS rows; true
 * if it was.  cells are the SCAN_BINS sums by bin, of which those from n_bins on
 * are 0; *varies becomes true unless all rows share a bin.
 */
extern bool scan_packed(const ScanNode *node, const uint32_t *cells, uint32_t n_bins,
						uint32_t missing, ScanBest *best, bool *varies);

/* The same for any node of two classes or of a regression. */
extern bool scan_sums(const ScanNode *node, const ScanSums *sums, ScanBest *best, bool *varies);

/* Class weights of a node's bins: [k][i] at cells + k × stride + i, of 4 or 8 bytes each. */
typedef struct ScanClasses
{
	uint32_t	n;				/* bins */
	uint32_t	n_classes;
	uint32_t	stride;
	bool		heavy;			/* 8 bytes */
	const void *cells;
	const uint64_t *missing;	/* per class, or NULL */
	const uint64_t *total;		/* per class, missing included */
} ScanClasses;

/* The same by gini of more than two classes; best->s is not set. */
extern bool scan_classes(const ScanNode *node, const ScanClasses *classes, ScanBest *best,
						 bool *varies);

#endif
