/*
 * grow.h
 *	  Inside of a ForestGrower.  Private to src/forest.
 */
#ifndef CHURNOPS_FOREST_GROW_H
#define CHURNOPS_FOREST_GROW_H

#include "core/bytes.h"
#include "forest/split.h"

#define GROW_NO_NODE UINT32_MAX

/* How a row's weight and target lie behind its bins. */
typedef enum GrowPayload
{
	GROW_PACKED,				/* uint64: count | class << 32; two classes, no weights */
	GROW_SUMS,					/* uint64 weight, int64 weight × target or × class */
	GROW_CLASSES				/* uint64 weight, uint64 class */
} GrowPayload;

/* A node of the tree that is being grown. */
typedef struct GrowNode
{
	uint32_t	left;			/* GROW_NO_NODE: a leaf */
	uint32_t	right;
	uint32_t	begin;			/* its rows: in buffer[side], from begin, n of them */
	uint32_t	n;
	uint32_t	depth;
	uint8_t		side;
	uint64_t	key;
	SplitSums	sums;			/* n is not used */
	uint32_t	classes;		/* GROW_CLASSES, a leaf: index into class_weights */
	double		lower;			/* monotonic bounds of its value */
	double		upper;
	double		gain;			/* of its split: N × decrease, in units of the score */
	Split		split;
} GrowNode;

struct ForestGrower
{
	const Host *host;
	const ForestTraining *t;

	/* how rows lie in the buffers */
	GrowPayload payload;
	bool		wide;			/* records hold the row's number instead of its bins */
	uint32_t	payload_offset;
	uint32_t	record_bytes;

	/* the tree in work */
	uint32_t	tree;
	uint32_t	n_rows;			/* in the bag */
	uint64_t	weight;			/* of the tree: Σ count × weight */
	double		mean_weight;	/* of a count; 1 without weights */
	bool		is_stump;		/* the bag was empty: all rows, in one leaf */
	uint8_t    *buffer[2];
	size_t		buffer_bytes[2];

	GrowNode   *nodes;
	size_t		n_nodes;
	size_t		nodes_capacity;
	uint32_t   *frontier;		/* nodes to be split: a stack, or a heap by gain */
	size_t		n_frontier;
	size_t		frontier_capacity;
	uint32_t	n_splits;
	uint64_t   *class_weights;	/* GROW_CLASSES: n_classes per leaf that has them */
	size_t		n_class_weights;
	size_t		class_weights_capacity;
	uint64_t   *tree_factor;	/* class weights of this tree, or NULL */

	/* scratch of one node */
	uint32_t   *features;		/* a permutation of all, drawn from the front */
	uint32_t   *swaps;			/* to undo the draws */
	uint32_t   *drawn;			/* the drawn ones, ascending */
	uint64_t   *cells;			/* histograms; all zero between nodes */
	uint32_t   *row_counts;		/* rows per bin; all zero between nodes */
	uint32_t	group;			/* features per pass over the rows */
	size_t		cells_per_bin;	/* uint64 each */
	uint64_t   *node_classes;
	uint64_t   *left_classes;
	SplitBin   *bins;			/* 256 */

	double	   *importance;
	ByteWriter	out;
	bool		out_begun;
};

/* The histograms of up to `group` features over a node's rows. */
extern Status grow_histograms(ForestGrower *g, const GrowNode *node, const uint32_t *features,
							  uint32_t n_features, Failure *why);

/*
 * The occupied bins of the i-th feature of the last grow_histograms() into
 * g->bins.  Returns their number.
 */
extern uint32_t grow_collect(ForestGrower *g, const GrowNode *node, uint32_t i, uint32_t feature,
							 SplitBin *missing);

/* Clear the histogram of the i-th feature, whose bins are in g->bins. */
extern void grow_release(ForestGrower *g, uint32_t i, uint32_t n_bins);

/* The rows of the root: draws the bootstrap sample into buffer[0], sets is_stump. */
extern Status grow_sample(ForestGrower *g, Failure *why);

/* Move a node's rows to its children's places in the other buffer; *n_left rows go left. */
extern Status grow_partition(ForestGrower *g, const GrowNode *node, const uint8_t goes_left[256],
							 bool move, uint32_t *n_left, Failure *why);

/*
 * The impurity decrease of a node's split (algorithms A3), at least 0; fixed:
 * with targets in units of the fixed point, where no square of a huge or tiny
 * target is beyond the range of a double.
 */
extern double grow_decrease(const ForestGrower *g, const GrowNode *node);
extern double grow_fixed_decrease(const ForestGrower *g, const GrowNode *node);

/* Collapse what ccp_alpha prunes. */
extern Status grow_prune(ForestGrower *g, Failure *why);

/* The finished tree as bytes into g->out. */
extern Status grow_emit(ForestGrower *g, Failure *why);

/* The bins of a record. */
static inline const uint8_t *
grow_record_bins(const ForestGrower *g, const uint8_t *record)
{
	return g->wide ? training_bins(g->t, *(const uint32_t *) record) : record;
}

#endif
