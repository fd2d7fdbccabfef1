/*
 * assign.h
 *	  Which rows train and which are the holdout.  Private to src/forest.
 */
#ifndef CHURNOPS_FOREST_ASSIGN_H
#define CHURNOPS_FOREST_ASSIGN_H

#include "forest/forest.h"

/* What decides about rows: in chunks of 2^chunk_shift rows, as a frame has it. */
typedef struct AssignRows
{
	const Host *host;
	size_t		n;
	int			chunk_shift;
	const void *ctx;
	const Hash128 *(*identity) (const void *ctx, size_t chunk);
	const Hash128 *(*group) (const void *ctx, size_t chunk);	/* NULL without keys */
	const double *(*time) (const void *ctx, size_t chunk);		/* for a split by time */
} AssignRows;

/* Canonical order: order is rows by identity, keys their rng_row_key. */
extern Status assign_order(const AssignRows *rows, uint32_t *order, uint64_t *keys, Failure *why);

/* The time of each row, or the latest one of its group. */
extern Status assign_times(const AssignRows *rows, double *times, Failure *why);

/* 1 in trains for each row that trains, else 0. */
extern Status assign_split(const AssignRows *rows, const ForestSplit *split,
						   const uint32_t *order, const uint64_t *keys, uint8_t *trains,
						   Failure *why);

/* Give every row of a group the latest time of the group. */
extern Status assign_group_times(const AssignRows *rows, double *times, Failure *why);

#endif
