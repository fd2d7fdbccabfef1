/*
 * decode.h
 *	  What the parts of decoding share.  Private to decode*.c and their tests.
 */
#ifndef CHURNOPS_FOREST_DECODE_H
#define CHURNOPS_FOREST_DECODE_H

#include "forest/artifact.h"
#include "forest/model.h"
#include "forest/node.h"

/* A split whose far child has not been reached, or not been finished. */
typedef struct OpenSplit
{
	uint32_t	slot;			/* of its first node */
	uint32_t	last;			/* of its last node, the one with the far child */
	uint32_t	near;			/* of its near child */
	uint32_t	level;			/* of its children; nodes above them in the second pass */
	bool		in_far;
} OpenSplit;

/* A tree cut into blocks, of which the first is its root's. */
typedef struct BlockTree
{
	size_t		n_blocks;
	size_t		capacity;		/* of all that follow, but for words */
	uint8_t    *lines;
	size_t		lines_capacity;
	uint32_t   *exits;			/* with BLOCK_GOES_ON: the number of a block of the tree */
	size_t		exits_capacity;
	uint8_t    *height;			/* levels with splits */
	size_t		height_capacity;
	uint32_t   *words;			/* what leads to each block, in the model */
	size_t		words_capacity;
} BlockTree;

typedef struct Decoder
{
	const Host *host;
	ForestModel *model;
	Failure    *why;
	uint32_t	level_limit;	/* of a path: the number of bins of all features */
	uint64_t	max_cover;		/* of a tree */
	uint64_t	max_number;		/* largest magnitude */
	ByteReader	sections[ARTIFACT_N_SECTIONS + 1];	/* by id */
	size_t		n_tree_bytes;	/* of all trees, and of those begun */
	size_t		n_bytes_read;

	/* as nodes: splits of several arcs, their arcs, the most of one */
	OpenSplit  *open;
	size_t		open_capacity;
	size_t		n_sets;
	size_t		n_arcs;
	uint32_t	max_arcs;
	bool		large_sets;		/* with more bins than one slot has bits */

	/* as blocks */
	BlockTree	tree;
	struct Place *places;		/* of far children not yet read */
	size_t		places_capacity;
	uint32_t   *pure;			/* per class: the block that is its leaf, or 0 */
} Decoder;

/* Fails with STATUS_CORRUPT. */
extern Status decode_bad_tree(Decoder *d);

/* Do something with the bytes of each tree in turn. */
typedef Status (*DecodeTree) (Decoder *d, ByteReader *r, uint32_t t);
extern Status decode_each_tree(Decoder *d, DecodeTree work);

/* The two numbers before a tree's nodes, checked. */
extern Status decode_tree_header(Decoder *d, ByteReader *r, ModelTree *tree);

/* Set model->number_shift by max_number: numbers of leaves are to be scaled down by it. */
extern void decode_number_shift(Decoder *d);

/* Account for a leaf; false if the tree's cover does not fit. */
static inline bool
decode_count_leaf(Decoder *d, const NodeBytes *node, uint64_t *cover)
{
	uint64_t	magnitude = node->number < 0 ? 0 - (uint64_t) node->number :
		(uint64_t) node->number;

	if (node->cover > UINT64_MAX - *cover)
		return false;
	*cover += node->cover;
	if (magnitude > d->max_number)
		d->max_number = magnitude;
	return true;
}

/* All trees into blocks; and the end of what that needed. */
extern Status decode_blocks(Decoder *d);
extern void decode_blocks_end(Decoder *d);

/* All trees into nodes. */
extern Status decode_nodes(Decoder *d);
extern void decode_nodes_end(Decoder *d);

/*
 * The second pass into nodes: the bytes of one tree, checked before, into the
 * slots from model->n_slots on; model->n_slots and model->n_class_rows count up
 * again.  open has room for as many splits as the tree is deep.
 */
extern void decode_fill_tree(ForestModel *model, ByteReader *r, OpenSplit *open,
							 ModelTree *tree);

/* forest_decode(), but into nodes even where the model fits into blocks. */
extern Status decode_as_nodes(const Host *host, const uint8_t *bytes, size_t n_bytes,
							  ForestModel **out, Failure *why);

#endif
