/*
 * grow.h
 *	  Inside of a ForestGrower.  Private to src/forest.
 */
#ifndef CHURNOPS_FOREST_GROW_H
#define CHURNOPS_FOREST_GROW_H

#include "core/bytes.h"
#include "forest/scan.h"
#include "forest/split.h"

#define GROW_NO_NODE UINT32_MAX

/* Records up to this size hold the row's bins themselves. */
#define GROW_NARROW_BYTES 64

/*
 * How a row's weight and target lie in its record, and what a histogram has
 * for each bin of a feature.
 */
typedef enum GrowPayload
{
	/*
	 * Two classes, no weights.  uint32: count | (count × class) << 16; a cell
	 * is their sum.  Of more than SCAN_PACKED_ROWS rows cells are emptied into
	 * uint64s of two 32-bit halves again and again.
	 */
	GROW_PACKED,
	/* Two numbers, GrowPair: weight, and weight × target or × class; so are cells. */
	GROW_SUMS,
	/* Several classes, no weights.  uint32 count, uint32 class; a uint32 cell per class. */
	GROW_COUNTS,
	/* Several classes.  uint64 weight, uint64 class; a uint64 cell per class. */
	GROW_CLASSES
} GrowPayload;

typedef struct GrowPair
{
	uint64_t	w;
	int64_t		s;
} GrowPair;

/* A node of the tree that is being grown. */
typedef struct GrowNode
{
	uint32_t	left;			/* the right one is the next; GROW_NO_NODE: a leaf */
	uint32_t	begin;			/* its rows: in buffer[side], from begin, n of them */
	uint32_t	n;
	uint32_t	depth;
	uint64_t	key;
	uint64_t	w;				/* sums of its rows */
	int64_t		s;				/* not of several classes */
	uint32_t	classes;		/* several classes, a leaf: index into class_weights */
	uint8_t		side;

	/* its split */
	bool		found;
	bool		category;
	bool		missing_left;
	bool		missing_seen;
	uint8_t		cut;
	uint16_t	feature;
	uint32_t	sets;			/* category: index into g->sets */
	uint64_t	left_w;
	int64_t		left_s;
	double		gain;			/* N × decrease, in units of the score */

	/* monotonic bounds of its value */
	double		lower;
	double		upper;
} GrowNode;

/* The sides of a category split. */
typedef struct GrowSets
{
	uint64_t	left[4];		/* bins that go left */
	uint64_t	present[4];		/* bins that the node had */
} GrowSets;

/* Subtrees of up to so many rows are grown on bit masks (small.c). */
#define GROW_SMALL_ROWS 64
typedef struct GrowSmall GrowSmall;

struct ForestGrower
{
	const Host *host;
	const ForestTraining *t;
	CpuLevel	level;

	/* how rows lie in the buffers */
	GrowPayload payload;
	bool		wide;			/* records hold the row's number instead of its bins */
	uint32_t	payload_offset;
	uint32_t	record_bytes;
	uint64_t	heaviest;		/* the most that a row can weigh; 0: not known */
	bool		scans;			/* gini or squared error, free of constraints: see scan.h */
	bool		measures_spread;	/* of a regression with categories, for SplitNode.spread */
	double		repeats;		/* of a row in the bag: mean square of its count over its mean */

	/* the tree in work */
	uint32_t	tree;
	uint32_t	n_rows;			/* in the bag */
	uint64_t	weight;			/* of the tree: Σ count × weight */
	int64_t		sum;			/* Σ count × weight × target or class */
	double		mean_weight;	/* of a count; 1 without weights */
	bool		is_stump;		/* the bag was empty: all rows, in one leaf */
	uint8_t    *buffer[2];
	size_t		buffer_bytes[2];

	GrowNode   *nodes;
	size_t		n_nodes;
	size_t		nodes_capacity;
	GrowSets   *sets;
	size_t		n_sets;
	size_t		sets_capacity;
	uint32_t   *frontier;		/* nodes to be split: a stack, or a heap by gain */
	size_t		n_frontier;
	size_t		frontier_capacity;
	uint32_t	n_splits;
	uint64_t   *class_weights;	/* several classes: n_classes per leaf that has them */
	size_t		n_class_weights;
	size_t		class_weights_capacity;
	uint64_t   *tree_factor;	/* class weights of this tree, or NULL */

	/* scratch of one node */
	uint32_t   *features;		/* a permutation of all, drawn from the front */
	uint32_t   *swaps;			/* to undo the draws */
	uint32_t   *drawn;			/* the drawn ones, ascending */
	uint32_t	group;			/* features per pass over the rows */
	size_t		feature_bytes;	/* of the histogram of one feature */
	uint8_t    *cells;			/* histograms; all zero between nodes */
	uint64_t   *wide_cells;		/* GROW_PACKED: of large nodes, 256 per feature */
	uint32_t   *row_counts;		/* 256: rows per bin of one feature */
	uint64_t   *node_classes;
	uint64_t   *left_classes;
	uint64_t   *bin_classes;	/* several classes: 257 × n_classes, by place among the bins */
	uint32_t   *few_cells;		/* several classes: those of occupied bins side by side */
	SplitBin   *bins;			/* 256 */

	GrowSmall  *small;			/* NULL: small subtrees are grown as large ones */

	double	   *importance;
	ByteWriter	out;
	bool		out_begun;
};

/* Is a row's target one of several classes? */
static inline bool
grow_has_classes(const ForestGrower *g)
{
	return g->payload == GROW_COUNTS || g->payload == GROW_CLASSES;
}

/* The bins of a record. */
static inline const uint8_t *
grow_record_bins(const ForestGrower *g, const uint8_t *record)
{
	return g->wide ? training_bins(g->t, *(const uint32_t *) record) : record;
}

/* The records of a node. */
static inline const uint8_t *
grow_records(const ForestGrower *g, const GrowNode *node)
{
	return g->buffer[node->side] + (size_t) node->begin * g->record_bytes;
}

/* Class and weight of a record; several classes only. */
static inline uint32_t
grow_record_class(const ForestGrower *g, const uint8_t *record, uint64_t *weight)
{
	const uint8_t *payload = record + g->payload_offset;

	if (g->payload == GROW_COUNTS)
	{
		*weight = ((const uint32_t *) payload)[0];
		return ((const uint32_t *) payload)[1];
	}
	*weight = ((const uint64_t *) payload)[0];
	return (uint32_t) ((const uint64_t *) payload)[1];
}

/* The square of how far a row's target is from a mean. */
static inline double
grow_square(const GrowPair *pair, double mean)
{
	double		distance = (double) pair->s / (double) pair->w - mean;

	return distance * distance;
}

/* ------------------------------------------------------------- grow.c -- */

/* Search some features; *varies is set when one of them is not constant in the node. */
typedef Status (*GrowSearch) (ForestGrower *g, void *ctx, const uint32_t *features, uint32_t n,
							  Split *best, bool *varies, Failure *why);

/* May a node be split, if it is not pure? */
extern bool grow_may_split(const ForestGrower *g, const GrowNode *node);

/* Do all rows have the same target?  Of several classes node_classes is up to date. */
extern bool grow_is_pure(const ForestGrower *g, const GrowNode *node);

/* Keep the class weights of a leaf of several classes; node_classes is up to date. */
extern Status grow_keep_classes(ForestGrower *g, GrowNode *node, Failure *why);

/* What a search has to know about a node. */
extern void grow_describe(ForestGrower *g, const GrowNode *node, SplitNode *out);

/* Draw features, search them, and keep the best split in the node: its `found` says whether. */
extern Status grow_find_split(ForestGrower *g, GrowNode *node, const SplitNode *about,
							  GrowSearch search, void *ctx, Failure *why);

/* Give bins and missing values that the node did not have a side. */
extern void grow_settle_absent(ForestGrower *g, GrowNode *node, bool left_is_larger);

/* Room for n more nodes. */
extern Status grow_add_nodes(ForestGrower *g, uint32_t n, Failure *why);

/* The next node, for which there is room: a leaf so far; rows and sums are to be set. */
extern GrowNode *grow_begin_node(ForestGrower *g, uint64_t key, uint32_t depth);

/* Add the children of a node that is split; where their rows lie is to be set. */
extern Status grow_add_children(ForestGrower *g, uint32_t id, uint32_t n_left, Failure *why);

/* ------------------------------------------------------------ small.c -- */

extern Status grow_small_new(ForestGrower *g, Failure *why);
extern void grow_small_free(ForestGrower *g);

/* Grow the whole subtree of a node of at most GROW_SMALL_ROWS rows. */
extern Status grow_small(ForestGrower *g, uint32_t id, Failure *why);

/* ------------------------------------------------------------- rows.c -- */

/* Choose how rows lie in the buffers. */
extern void grow_choose_layout(ForestGrower *g);

/* Bytes of a buffer that nearly always holds a tree's rows. */
extern size_t grow_buffer_bytes(const ForestGrower *g);

/* The rows of the root: draws the bootstrap sample into buffer[0], sets is_stump. */
extern Status grow_sample(ForestGrower *g, Failure *why);

/* Move a node's rows to its children's places in the other buffer; *n_left rows go left. */
extern Status grow_partition(ForestGrower *g, const GrowNode *node, const uint8_t goes_left[256],
							 bool move, uint32_t *n_left, Failure *why);

/* -------------------------------------------------------- histogram.c -- */

/* Memory for the histograms of a grower; its layout is chosen. */
extern Status grow_histograms_new(ForestGrower *g, Failure *why);
extern void grow_histograms_free(ForestGrower *g);

/* Clear what an abandoned tree may have left. */
extern void grow_histograms_reset(ForestGrower *g);

/* A node and what the search knows about it: the context of grow_search(). */
typedef struct GrowSearched
{
	const GrowNode *node;
	const SplitNode *about;
} GrowSearched;

/* GrowSearch over the histograms of the node's rows. */
extern Status grow_search(ForestGrower *g, void *ctx, const uint32_t *features, uint32_t n,
						  Split *best, bool *varies, Failure *why);

/* ------------------------------------------------------------- emit.c -- */

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

#endif
