/*
 * parallel.h
 *	  Growing the trees of a forest, with parallel workers where it pays.
 */
#ifndef CHURNOPS_PG_PARALLEL_H
#define CHURNOPS_PG_PARALLEL_H

#include "forest/forest.h"
#include "pg/storage.h"

/* Between two notices of progress. */
#define PROGRESS_SECONDS 5.0

/*
 * How many workers a training of this size should have: none if it is small,
 * at most max_parallel_maintenance_workers and one less than there are trees.
 */
extern int	parallel_workers_wanted(size_t n_rows, uint32 n_features, uint32 n_trees);

/*
 * Grow trees 0 .. n_trees - 1 into trees[], with memory from host.  Takes
 * workers only if the storage of the training is shared.  worker_budget
 * bounds the memory of one worker, in bytes; 0 does not.  `report` tells the
 * user of the progress.
 */
extern void parallel_grow(const ForestTraining *training, const Storage *storage, PgHost *host,
						  int n_workers, Size worker_budget, ForestBlob *trees, uint32 n_trees,
						  bool report);

#endif
