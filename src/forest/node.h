/*
 * node.h
 *	  One node of a tree as tree.h writes it.  Private to src/forest.
 */
#ifndef CHURNOPS_FOREST_NODE_H
#define CHURNOPS_FOREST_NODE_H

#include "forest/schema.h"
#include "forest/tree.h"

/* The least that a node takes: a pure leaf, a split of up to 8 categories. */
#define NODE_MIN_BYTES 4

typedef struct NodeBytes
{
	uint8_t		flags;
	uint32_t	feature;
	uint32_t	cut;
	const uint8_t *left;		/* category: bit b set, bin b goes left */
	uint64_t	cover;
	uint32_t	class_index;	/* a pure leaf's */
	uint32_t	p1;				/* two classes */
	int64_t		number;			/* regression */
	const uint8_t *values;		/* several classes, not pure: u32 each */
} NodeBytes;

/*
 * Read a node and check it against the schema: false if it is cut off, or not
 * one that a grower can have written.  Pointers are into the reader's bytes.
 */
extern bool node_read(ByteReader *r, const ForestSchema *schema, NodeBytes *node);

/* P of class k in units of 1 / TREE_ONE, from a node's values. */
static inline uint32_t
node_value(const NodeBytes *node, uint32_t k)
{
	const uint8_t *p = node->values + (size_t) k * 4;

	return (uint32_t) p[0] | (uint32_t) p[1] << 8 | (uint32_t) p[2] << 16 | (uint32_t) p[3] << 24;
}

static inline bool
node_is_leaf(const NodeBytes *node)
{
	return (node->flags & TREE_LEAF) != 0;
}

/* Which child a missing value, and a bin of a category, go to. */
static inline bool
node_missing_near(const NodeBytes *node)
{
	return ((node->flags & TREE_MISSING_LEFT) != 0) == ((node->flags & TREE_NEAR_RIGHT) == 0);
}

static inline bool
node_category_near(const NodeBytes *node, uint32_t bin)
{
	return (node->left[bin / 8] >> (bin % 8) & 1) == ((node->flags & TREE_NEAR_RIGHT) == 0);
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
