/*
 * model.h
 *	  Inside of a ForestModel: a decoded artifact, laid out for scoring.
 *	  Private to src/forest.
 *
 * A model that is opened is at first the bytes of its artifact (tree.h), which
 * its first rows are scored on: laying trees out for scoring takes as long as
 * scoring some hundred rows.  Most models then become blocks: see blocks.h.
 * What does not fit into them becomes nodes.
 *
 * All trees lie in one array of 8-byte slots, each tree in preorder with the
 * near child (the one with more training rows) right behind its parent, so
 * that the usual path is sequential.
 *
 * A node asks on which side a bin lies.  In the circle of bins
 * 255 (missing), 0, 1, ..., n - 1 the near side of a numeric split is one
 * arc, wherever missing values go and whichever child is near; so is that of
 * most category splits.  An arc takes a subtraction and an addition of bytes:
 * near if (uint8_t) (before - bin) + length > 255.
 *
 * A set of categories that is several arcs has one of two forms, the same in
 * all of a model.  Where no split has more than MODEL_CHAIN_ARCS, it becomes
 * as many nodes, one behind the other: each but the last asks for the
 * complement of an arc, so that a bin in the arc leaves for the near child and
 * others go on to the next node; the last one asks for the last arc.  The near
 * child is behind the last one, the far child is the last one's.  Thus all
 * nodes are alike, and a split is named by the first of its nodes.  Otherwise
 * the set is a mask of bits in the slots behind the node, which makes each
 * step dearer, but there is one.
 *
 * A leaf is written as an arc without bins whose far child is itself, so that
 * many walks can be advanced together without asking which have ended.  Its
 * value is in the slot behind it, on the same line of the cache.
 */
#ifndef CHURNOPS_FOREST_MODEL_H
#define CHURNOPS_FOREST_MODEL_H

#include <string.h>

#include "forest/blocks.h"
#include "forest/schema.h"
#include "forest/tree.h"

/*
 * Arc: before is the bin before the arc's first, length that of the arc, 1 to
 * 255; link + 1 is the distance from the next slot to the far child.
 * Mask: feature has MODEL_MASK; bin b goes near if bit b of the mask is set, or
 * bit b % 64 if masks have one slot, where bit 63 is missing.  before and
 * length are 0, an arc without bins; link + 1 is the distance from the near to
 * the far child.
 * Leaf: length is 0, link MODEL_LEAF_LINK; the next slot is its value as
 * int64_t: for two classes P(class 1) in units of 1 / TREE_ONE; for more, the
 * class of a pure leaf or n_classes + its row of class_values; for regression
 * its number.
 */
typedef struct ModelNode
{
	int32_t		link;
	uint16_t	feature;
	uint8_t		before;
	uint8_t		length;
} ModelNode;

_Static_assert(sizeof(ModelNode) == sizeof(uint64_t), "a slot is 8 bytes");

#define MODEL_FEATURE 0x07FF
#define MODEL_MASK 0x8000
#define MODEL_LEAF_LINK (-2)
#define MODEL_CHAIN_ARCS 4
#define MODEL_MASK_SLOTS 4		/* where a mask needs more than one */
#define MODEL_MAX_WORDS (UINT32_C(1) << 28)	/* of a tree: links then fit */

typedef struct ModelTree
{
	const ModelNode *root;
	uint32_t	n_nodes;		/* leaves and splits */
	uint32_t	depth;			/* splits above the deepest leaf */
	uint32_t	n_steps;		/* nodes above it, on the longest walk */
} ModelTree;

/*
 * A model of bytes is built after as many rows as its trees have nodes, on
 * average, divided by this: about where the time that bytes cost more than
 * blocks equals the building.  If that fails, for want of memory or for a
 * cancellation, it is tried again so many rows later.
 */
#define MODEL_NODES_PER_ROW 16
#define MODEL_RETRY_ROWS 10000

/*
 * Walks that are advanced together: one row down as many trees, or as many
 * rows down one tree.  They are independent and overlap in the machine; as
 * many as have a register each.
 */
#define MODEL_LANES 12

/* A tree of one leaf of value 0, and what is read as its mask. */
extern const ModelNode model_no_tree[1 + MODEL_MASK_SLOTS];

struct ForestModel
{
	const Host *host;
	ForestSchema schema;
	uint32_t	algorithm_version;
	uint32_t	n_outputs;
	uint32_t	row_bytes;

	uint32_t	n_trees;
	ModelTree  *trees;
	uint32_t	max_depth;		/* of all trees */
	size_t		n_values;		/* of all trees: what leaves have beside their words */

	/* not NULL: the model is the artifact's bytes, and its other forms are not yet there */
	struct TreeBytes *tree_bytes;
	size_t		n_until_built;	/* rows that are still to be scored on bytes */

	/*
	 * Where a walk down each tree begins, as model_leaves() wants it; with
	 * room for model_entries_room().
	 */
	uint32_t   *entries;

	/* one of the two: blocks, if blocks.n_blocks > 0, or nodes */
	ModelBlocks blocks;

	/* n_slots of them are trees; MODEL_MASK_SLOTS more keep blind reads of masks inside */
	size_t		n_slots;
	ModelNode  *nodes;
	uint32_t	max_steps;		/* of all trees */
	uint32_t	mask_slots;		/* of a mask: 1 or MODEL_MASK_SLOTS; 0 where there are none */
	uint8_t    *more;			/* a bit per slot: the next node is of the same split; or NULL */

	/* more than two classes: of each leaf that is not pure, P of each class × TREE_ONE */
	uint32_t   *class_values;

	/* what outputs go through; or NULL */
	ForestCalibration *calibration;

	/*
	 * Regression: a number v stands for target_offset + v × 2^-number_shift.
	 * Less than schema.target_shift where the numbers had to be scaled down
	 * so that those of all trees can be added.
	 */
	int32_t		number_shift;
};

/* What numbers of leaves are divided by. */
static inline int64_t
model_number_scale(const ForestModel *model)
{
	return INT64_C(1) << (model->schema.target_shift - model->number_shift);
}

static inline bool
model_is_leaf(const ModelNode *node)
{
	return node->link < 0;
}

static inline int64_t
model_leaf_value(const ModelNode *leaf)
{
	int64_t		value;

	memcpy(&value, leaf + 1, sizeof(value));
	return value;
}

static inline uint32_t
model_feature(const ModelNode *node)
{
	return node->feature & MODEL_FEATURE;
}

/* Whether the next node asks for another arc of the same split. */
static inline bool
model_has_more(const ForestModel *model, const ModelNode *node)
{
	size_t		slot = (size_t) (node - model->nodes);

	return model->more != NULL && (model->more[slot / 8] >> (slot % 8) & 1) != 0;
}

static inline const ModelNode *
model_near(const ForestModel *model, const ModelNode *split)
{
	while (model_has_more(model, split))
		split++;
	return split + 1 + ((split->feature & MODEL_MASK) != 0 ? model->mask_slots : 0);
}

static inline const ModelNode *
model_far(const ForestModel *model, const ModelNode *split)
{
	const ModelNode *near = model_near(model, split);

	while (model_has_more(model, split))
		split++;
	return near + 1 + split->link;
}

/* 1 if a bin is in the arc of a node, else 0. */
static inline uint32_t
model_arc_has(const ModelNode *node, uint8_t bin)
{
	return ((uint32_t) (uint8_t) (node->before - bin) + node->length) >> 8;
}

/*
 * One step of a walk: to the next node, or the far one.  A leaf stays where it
 * is.  mask_slots is the model's.  Both tests are made, since which nodes have
 * masks is as hard to guess as the way they go; a node has no bin in the one
 * that is not its own.  What is read as the mask of a node without one is other
 * slots.
 */
static inline const ModelNode *
model_step(const ModelNode *node, const uint8_t *row, uint32_t mask_slots)
{
	uint32_t	masked = node->feature / MODEL_MASK;
	uint64_t	word;
	uint32_t	near;
	uint8_t		bin;

	if (mask_slots == 0)
	{
		near = model_arc_has(node, row[node->feature]);
		return node + 2 + (int32_t) ((0 - near) | (uint32_t) node->link);
	}
	bin = row[node->feature & MODEL_FEATURE];
	memcpy(&word, node + 1 + (mask_slots == 1 ? 0 : bin / 64), sizeof(word));
	near = model_arc_has(node, bin) | ((uint32_t) (word >> (bin % 64)) & masked);
	return node + 2 + masked * mask_slots + (int32_t) ((0 - near) | (uint32_t) node->link);
}

/* The child of a split that a bin of its feature goes to. */
static inline const ModelNode *
model_child(const ForestModel *model, const ModelNode *split, const uint8_t *row)
{
	while (model_has_more(model, split))
	{
		const ModelNode *next = model_step(split, row, 0);

		if (next != split + 1)
			return next;
		split = next;
	}
	return model_step(split, row, model->mask_slots);
}

/* The leaf that a row reaches from a node. */
static inline const ModelNode *
model_leaf(const ForestModel *model, const ModelNode *node, const uint8_t *row)
{
	while (!model_is_leaf(node))
		node = model_step(node, row, model->mask_slots);
	return node;
}

/* What a leaf says: see ModelNode. */
static inline int64_t
model_leaf_number(const ForestModel *model, uint32_t leaf)
{
	if (!blocks_used(&model->blocks))
		return model_leaf_value(model->nodes + leaf);
	return model->schema.n_classes == 0 ? model->blocks.numbers[leaf] : leaf;
}

/* Sums of leaves, n_outputs of them: integers, so that no order of adding matters. */
static inline void
model_add_leaf(const ForestModel *model, uint32_t leaf, int64_t sign, int64_t *sums)
{
	int64_t		value = model_leaf_number(model, leaf);
	uint32_t	n_classes = model->schema.n_classes;

	if (n_classes <= 2)
		sums[0] += sign * value;
	else if (value < n_classes)
		sums[value] += sign * (int64_t) TREE_ONE;
	else
	{
		const uint32_t *row = model->class_values + (size_t) (value - n_classes) * n_classes;

		for (uint32_t k = 0; k < n_classes; k++)
			sums[k] += sign * row[k];
	}
}

/* Elements of entries: walks are done by so many at a time. */
static inline size_t
model_entries_room(const ForestModel *model)
{
	return blocks_walks_room(model->n_trees);
}

/*
 * Make blocks or nodes of a model of bytes, which it then needs no more; when
 * that fails it stays as it is.
 */
extern Status model_build(ForestModel *model, bool as_nodes, Failure *why);

/* A row down trees of bytes: their leaves are added to n_outputs sums. */
extern void model_add_bytes(const ForestModel *model, const uint8_t *row, int64_t *sums);

/* A row made ready to go down trees. */
typedef struct ModelRow
{
	const uint8_t *bins;		/* the row itself, where trees are nodes */
	BlockRow	row;
} ModelRow;

extern void model_row(const ForestModel *model, CpuLevel level, const uint8_t *bins,
					  ModelRow *row);

/* Change one bin of a row, and of the bins that it was made from. */
extern void model_row_set(const ForestModel *model, uint32_t feature, uint8_t bin, uint8_t *bins,
						  ModelRow *row);

/*
 * The leaves that a row reaches from n <= BLOCK_WALKS of the entries (or from
 * some of them, put together): a slot of nodes, or what an exit says.  entries
 * and leaves are as blocks_leaves() wants them.
 */
extern void model_leaves(const ForestModel *model, const ModelRow *row, const uint32_t *entries,
						 uint32_t n, uint32_t *leaves);

/* Add the values of leaves to n_outputs sums. */
extern void model_add_leaves(const ForestModel *model, const uint32_t *leaves, uint32_t n,
							 int64_t *sums);

/*
 * Walk from each of the nodes, with the row of its lane, to a leaf, which takes
 * the node's place.  n_steps is the most that any walk takes.
 */
extern void model_walk(const ForestModel *model, const ModelNode *nodes[MODEL_LANES],
					   const uint8_t *const rows[MODEL_LANES], uint32_t n_steps);

/* The same where all walk with one row. */
extern void model_walk_row(const ForestModel *model, const ModelNode *nodes[MODEL_LANES],
						   const uint8_t *row, uint32_t n_steps);

#ifdef CPU_X86
#define MODEL_AVX512
#define MODEL_AVX512_TREES 16	/* with fewer, most lanes would be idle */

/* Add the leaves of all trees for one row; only where the machine has AVX-512 with VBMI. */
extern void model_add_row_avx512(const ForestModel *model, const uint8_t *row, int64_t *sums);
#endif

/* Outputs from the sums of the leaves of n_trees trees. */
extern void model_outputs(const ForestModel *model, const int64_t *sums, uint32_t n_trees,
						  double *out);

#endif
