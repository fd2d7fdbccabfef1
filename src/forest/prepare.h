/*
 * prepare.h
 *	  The steps between a frame and a training, or between a training and a
 *	  part of it, of which there is no frame.  Private to src/forest.
 */
#ifndef CHURNOPS_FOREST_PREPARE_H
#define CHURNOPS_FOREST_PREPARE_H

#include "forest/frame.h"
#include "forest/training.h"

/* Rows on their way into a training: of a frame, or, if that is NULL, of another training. */
typedef struct Prepare
{
	const Host *host;
	ForestFrame *frame;
	const ForestParams *params;
	const ForestSplit *split;
	ForestTraining *t;
	size_t		n;
	uint32_t   *order;			/* frame rows: canonical; later the training rows first */
	uint64_t   *keys;			/* rng_row_key, aligned with order */
	uint8_t    *trains;			/* per frame row: 1 for a training row (and its weight not 0) */
	uint32_t   *position;		/* per frame row: its place in order */
	uint32_t   *kept;			/* per feature: its column of the frame */
} Prepare;

/* Canonical order and row keys: fills order and keys. */
extern Status prepare_order(Prepare *p, Failure *why);

/*
 * Say which rows train, and bring them to the front of the order, stably:
 * fills trains and position, n_rows and n_train of the training.
 */
extern Status prepare_split(Prepare *p, Failure *why);

/* The weight column in the order of the training: fills row_weight and row_weighted. */
extern Status prepare_weights(Prepare *p, Failure *why);

/* Copy the class labels, and see that the training rows have two of them. */
extern Status prepare_classes(Prepare *p, Failure *why);
extern Status prepare_check_classes(Prepare *p, Failure *why);

/* For searches: the group and the time of every row. */
extern Status prepare_search(Prepare *p, Failure *why);

/* Find the bins of every column; keep those that can split: fills kept and the schema. */
extern Status prepare_features(Prepare *p, Failure *why);

/*
 * Parameters as numbers and class factors: fills the settings, monotonic,
 * weighted, class_factor of the training.
 */
extern Status prepare_settings(Prepare *p, Failure *why);

/* The fixed point of regression targets, which are there: fills it in the schema. */
extern Status prepare_target_scale(Prepare *p, Failure *why);

/* Keys, regression targets and weights into the chunks. */
extern Status prepare_sections(Prepare *p, Failure *why);

/*
 * Encode the cells of all rows into the bins of the training's chunks, and
 * their classes; fills its values where splits are, or may be, random.
 */
extern Status prepare_bins(Prepare *p, Failure *why);

/* What the frame's facts need beside the rows; they become the training's. */
extern Status prepare_facts(Prepare *p, Failure *why);

/*
 * Fixed point of weights: a weight w becomes w × 2^scale, rounded, and never 0
 * unless w is.  The bits are those of a mean row weight; they leave room for
 * sums over all rows of count × weight × class factor or target.
 */
extern int	prepare_weight_bits(size_t n_rows);
extern uint64_t prepare_fixed(double weight, int scale);

/* The scale of the row weights of a training; 0 without them. */
extern int	prepare_row_scale(const ForestTraining *t);

/* Does a training row count?  Rows of weight 0 are as if they were not there. */
static inline bool
prepare_weighs(const ForestTraining *t, uint32_t row)
{
	return t->row_weight == NULL || t->row_weight[row] > 0;
}

/* The class of a frame row. */
static inline uint32_t
prepare_class(const ForestFrame *frame, size_t row)
{
	return frame->class_of_label[FRAME_AT(frame, uint64_t, frame->target_offset, row)];
}

/* The class of a row of the training. */
static inline uint32_t
prepare_class_of(const Prepare *p, uint32_t i)
{
	return p->frame != NULL ? prepare_class(p->frame, p->order[i])
		: training_chunk(p->t, i)->label[training_in_chunk(p->t, i)];
}

#endif
