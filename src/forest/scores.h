/*
 * scores.h
 *	  What scoring the rows of a training shares.  Private to src/forest.
 */
#ifndef CHURNOPS_FOREST_SCORES_H
#define CHURNOPS_FOREST_SCORES_H

#include "core/rng.h"
#include "forest/model.h"
#include "forest/training.h"

/* The key of the draws that decide which rows a tree was grown from. */
static inline uint64_t
scores_tree_key(const ForestTraining *training, uint32_t tree)
{
	return rng_purpose_key(training->settings.seed, RNG_BOOTSTRAP,
						   training->settings.first_tree + tree);
}

/* Was a training row left out of the sample of a tree?  Rows of weight 0 always are. */
static inline bool
scores_left_out(const ForestTraining *training, uint32_t row, uint64_t tree_key)
{
	const TrainingChunk *chunk = training_chunk(training, row);
	uint32_t	place = training_in_chunk(training, row);

	if (chunk->weight != NULL && chunk->weight[place] == 0)
		return true;
	return rng_row_draw(tree_key, chunk->keys[place]) < training->settings.thresholds[0];
}

/* Is there one of the first n_trees trees that left the row out? */
extern bool scores_covered(const ForestTraining *training, uint32_t row, uint32_t n_trees);

/* STATUS_INVALID_PARAMETER unless the model can be the training's. */
extern Status scores_check(const ForestTraining *training, const ForestModel *model, Failure *why);

/* Room for n rows; label, target or weight of each is to be set by scores_set_row(). */
extern Status scores_new(const Host *host, const ForestTraining *training,
						 const ForestModel *model, size_t n, ForestScores *out, Failure *why);
extern void scores_set_row(const ForestTraining *training, uint32_t row, ForestScores *out,
						   size_t i);

/*
 * Sum up, for n rows of a training, the leaves of those of the first n_trees
 * trees that left them out, or of all of these: sums is n × n_outputs, counts the number of trees per
 * row; both are zero before.
 */
extern Status scores_sum(const Host *host, const ForestTraining *training,
						 const ForestModel *model, uint32_t n_trees, const uint32_t *rows,
						 uint32_t n, bool out_of_bag, int64_t *sums, uint32_t *counts,
						 Failure *why);

/*
 * The entries of those of n <= BLOCK_WALKS trees from `first` on that left a
 * row out; keys are theirs.  Returns their number.
 */
extern uint32_t scores_pick_trees(const ForestTraining *training, const ForestModel *model,
								  uint32_t row, const uint64_t *keys, uint32_t first, uint32_t n,
								  uint32_t *entries);

#endif
