/*
 * training.h
 *	  Inside of a ForestTraining: what growers and scorers of the training
 *	  read.  Private to src/forest.
 *
 * Rows are in canonical order (by identity, identical rows adjacent), the
 * n_train training rows first, then the holdout.  They lie in chunks of
 * 2^chunk_shift rows; each chunk is one block of memory with the sections
 *
 *	  keys		uint64 per row: rng_row_key of identity and ordinal
 *	  targets	int64 per row, regression: fixed point (schema.target_shift);
 *				uint32 per row, classification: class index
 *	  weights	uint32 per row, fixed point; only when `row_weighted`; of the
 *				holdout rows 0, as their weights are not used in growing
 *	  bins		row_bytes per row, one byte a feature
 *
 * in this order, each starting at a multiple of 8 bytes.  Everything in a
 * chunk is read-only once the training is made.
 */
#ifndef CHURNOPS_FOREST_TRAINING_H
#define CHURNOPS_FOREST_TRAINING_H

#include "forest/facts.h"
#include "forest/schema.h"

#define TRAINING_THRESHOLDS 14	/* counts 0 … 13 */

/* Parameters as numbers, resolved against the training rows. */
typedef struct GrowSettings
{
	ForestCriterion criterion;
	uint32_t	n_estimators;
	uint32_t	first_tree;		/* the number of the first of them, as draws have it; 0 but in parts */
	uint32_t	max_depth;		/* UINT32_MAX: no limit */
	uint32_t	min_samples_split;	/* rows */
	uint32_t	min_samples_leaf;	/* rows */
	double		min_weight_fraction_leaf;
	uint32_t	mtry;			/* features drawn per split */
	uint32_t	max_leaf_nodes; /* 0: no limit */
	double		min_impurity_decrease;
	double		ccp_alpha;
	bool		bootstrap;
	bool		random_splitter;
	bool		balanced_subsample;
	bool		any_monotonic;
	uint64_t	seed;
	/* the count of a draw u in a bootstrap is #{k: u ≥ thresholds[k]} */
	uint64_t	thresholds[TRAINING_THRESHOLDS];
} GrowSettings;

typedef struct TrainingChunk
{
	void	   *block;
	size_t		n_bytes;
	const uint64_t *keys;
	const int64_t *target;		/* regression */
	const uint32_t *label;		/* classification */
	const uint32_t *weight;		/* NULL unless row_weighted */
	const uint8_t *bins;
} TrainingChunk;

struct ForestTraining
{
	const Host *host;
	const Host *storage;		/* owner of the chunks; NULL when attached */

	ForestSchema schema;		/* importance not yet filled */
	GrowSettings settings;
	int8_t	   *monotonic;		/* per feature −1, 0, 1; NULL when none */
	double	   *values;			/* random splitter: n_features × 256, the middle of each bin */

	uint32_t	n_rows;			/* n_train + n_test */
	uint32_t	n_train;
	uint32_t	row_bytes;		/* n_features rounded up to a multiple of 8 */
	bool		weighted;		/* row weights or class weights other than 1 */
	bool		row_weighted;	/* row weights other than 1 */
	uint64_t   *class_factor;	/* weighted classification: fixed point, per class */

	uint32_t	chunk_shift;
	uint32_t	n_chunks;
	TrainingChunk *chunks;

	/* in the leader only, NULL when attached */
	double	   *target_value;	/* regression: the target of each row */
	double	   *row_weight;		/* the weight column's value of each row, or NULL */
	ForestColumnFate *fates;
	ForestText *columns;		/* their names */
	uint32_t	n_columns;
	Facts	   *facts;			/* NULL: the frame was asked for none */

	/* for searches (ForestSplit.for_search), else NULL */
	uint64_t   *group;			/* of each row: what draws about its group come from */
	double	   *time;			/* of each row: the latest of its group */

	/*
	 * Of a part of another training: what is in the schema, fates, columns and
	 * values are that one's; so are chunks and the arrays above if shares_rows.
	 */
	const ForestTraining *base;
	bool		shares_rows;
};

/*
 * Say where the sections of a chunk lie when it is at `block` (NULL: only the
 * size is wanted).  Returns its size in bytes.
 */
extern size_t training_chunk_layout(const ForestTraining *t, uint32_t index,
									TrainingChunk *chunk, void *block);

/* Take the memory of all chunks, of n_rows rows. */
extern Status training_chunks_new(ForestTraining *t, Failure *why);

/* Bytes that preparing n_rows rows of a frame takes beside the frame, the matrix included. */
extern size_t training_prepare_bytes(const ForestFrame *frame, size_t n_rows);

static inline const TrainingChunk *
training_chunk(const ForestTraining *t, uint32_t row)
{
	return &t->chunks[row >> t->chunk_shift];
}

/* A row's index inside its chunk. */
static inline uint32_t
training_in_chunk(const ForestTraining *t, uint32_t row)
{
	return row & ((UINT32_C(1) << t->chunk_shift) - 1);
}

static inline const uint8_t *
training_bins(const ForestTraining *t, uint32_t row)
{
	return training_chunk(t, row)->bins + (size_t) training_in_chunk(t, row) * t->row_bytes;
}

/*
 * How often a row is in the bootstrap sample of a tree, from
 * rng_row_draw(rng_purpose_key(seed, RNG_BOOTSTRAP, tree), row key): Poisson.
 * Without bootstrap every row counts once.
 */
static inline uint32_t
training_count(const GrowSettings *s, uint64_t draw)
{
	uint32_t	count = 0;

	while (count < TRAINING_THRESHOLDS - 1 && draw >= s->thresholds[count])
		count++;
	return count;
}

#endif
