/*
 * node.h
 *	  Trees as tree.h writes them, once they are known to be well-formed.
 *	  Private to src/forest.
 */
#ifndef CHURNOPS_FOREST_NODE_H
#define CHURNOPS_FOREST_NODE_H

#include <stdbool.h>

#include "forest/schema.h"
#include "forest/tree.h"

/* Where a tree lies in an artifact. */
typedef struct TreeBytes
{
	const uint8_t *words;
	const uint8_t *values;
	uint32_t	n_words;
	uint32_t	n_values;
	size_t		first_value;	/* how many the trees before it have */
} TreeBytes;

typedef struct NodeBytes
{
	bool		leaf;
	bool		category;
	bool		missing_left;
	bool		near_right;
	uint32_t	value;			/* of a leaf: its 31 bits */
	uint32_t	feature;
	uint32_t	cut;
	const uint8_t *left;		/* category: bit b set, bin b goes left */
	uint32_t	skip;
} NodeBytes;

/* Read the node at p; returns what is behind it. */
static inline const uint8_t *
node_read(const uint8_t *p, const ForestSchema *schema, NodeBytes *node)
{
	uint32_t	word = tree_word(p);
	const ForestFeature *feature;

	p += TREE_WORD_BYTES;
	node->leaf = (word & TREE_LEAF) != 0;
	node->value = word & ~TREE_LEAF;
	if (node->leaf)
		return p;
	node->feature = word >> TREE_FEATURE_SHIFT & TREE_FEATURE;
	node->cut = word >> TREE_CUT_SHIFT & TREE_CUT;
	node->missing_left = (word & TREE_MISSING_LEFT) != 0;
	node->near_right = (word & TREE_NEAR_RIGHT) != 0;
	node->skip = word >> TREE_SKIP_SHIFT;
	if (node->skip == 0)
	{
		node->skip = tree_word(p);
		p += TREE_WORD_BYTES;
	}
	feature = &schema->features[node->feature];
	node->category = feature->kind == FOREST_CATEGORY;
	node->left = p;
	return node->category ? p + tree_set_words(feature->n_bins) * TREE_WORD_BYTES : p;
}

/* Whether a bin goes left. */
static inline bool
node_goes_left(const NodeBytes *node, uint32_t bin, uint32_t n_bins)
{
	if (!node->category)
		return bin == FOREST_MISSING ? node->missing_left : bin <= node->cut;
	return bin < n_bins ? (node->left[bin / 8] >> bin % 8 & 1) != 0 : node->missing_left;
}

/* What a leaf says where the values of all trees are counted as one. */
static inline uint32_t
node_value_of_all(const TreeBytes *tree, uint32_t value, uint32_t n_classes)
{
	return n_classes == 2 || value < n_classes ? value : value + (uint32_t) tree->first_value;
}

/* Among the values of a tree: P × 2^30 of a class in a row, and a number of regression. */
static inline uint32_t
node_share(const TreeBytes *tree, size_t row, uint32_t k, uint32_t n_classes)
{
	return tree_word(tree->values + (row * n_classes + k) * sizeof(uint32_t));
}

static inline int64_t
node_number(const TreeBytes *tree, size_t value)
{
	const uint8_t *p = tree->values + value * sizeof(uint64_t);

	return (int64_t) ((uint64_t) tree_word(p) | (uint64_t) tree_word(p + 4) << 32);
}

/* Which child a missing value, and a bin of a category, go to. */
static inline bool
node_missing_near(const NodeBytes *node)
{
	return node->missing_left != node->near_right;
}

static inline bool
node_category_near(const NodeBytes *node, uint32_t bin)
{
	return ((node->left[bin / 8] >> (bin % 8) & 1) != 0) != node->near_right;
}

/*
 * The near side of a split as arcs of the circle of bins (model.h): the bin
 * before the first of each, and the length.  A numeric split has one arc.
 */
#define NODE_MAX_ARCS 128

typedef struct NodeArc
{
	uint8_t		before;
	uint8_t		length;
} NodeArc;

/* Returns how many there are. */
extern uint32_t node_near_arcs(const NodeBytes *node, const ForestSchema *schema,
							   NodeArc arcs[NODE_MAX_ARCS]);

#endif
