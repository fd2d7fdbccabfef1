/*
 * decode.h
 *	  What the two passes of decoding share.  Private to decode*.c.
 */
#ifndef CHURNOPS_FOREST_DECODE_H
#define CHURNOPS_FOREST_DECODE_H

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

/*
 * The second pass: the bytes of one tree, checked before, into the slots from
 * model->n_slots on; model->n_slots and model->n_class_rows count up again.
 * open has room for as many splits as the tree is deep.
 */
extern void decode_fill_tree(ForestModel *model, ByteReader *r, OpenSplit *open,
							 ModelTree *tree);

/* Put the trees, filled, into groups. */
extern void decode_fill_groups(ForestModel *model);

#endif
