/*
 * decode.h
 *	  What the parts of decoding share.  Private to decode*.c and their tests.
 */
#ifndef CHURNOPS_FOREST_DECODE_H
#define CHURNOPS_FOREST_DECODE_H

#include "forest/artifact.h"
#include "forest/model.h"
#include "forest/node.h"

/* What trees are checked with, once for all of them. */
typedef struct TreeCheck
{
	uint32_t	level_limit;	/* of a path: the number of bins of all features */
	uint64_t	max_number;		/* largest magnitude */
	uint32_t   *rules;			/* by feature, for all that a word can name */
	struct OpenNode *open;		/* splits whose far child has not been reached */
	size_t		open_capacity;
} TreeCheck;

/* Begin, of a model that has its schema; and end, after errors too. */
extern Status tree_check_begin(TreeCheck *c, const ForestModel *model, Failure *why);
extern void tree_check_end(TreeCheck *c, const ForestModel *model);

/*
 * Check the bytes of tree t, and set what the model knows of it: tree_bytes,
 * n_nodes, depth; n_values counts up.  Fails with STATUS_CORRUPT.
 */
extern Status tree_check(TreeCheck *c, ForestModel *model, ByteReader *r, uint32_t t,
						 Failure *why);

/*
 * The values of all trees, scaled: into class_values or, of regression, into
 * the numbers of blocks.
 */
extern Status decode_values(ForestModel *model, Failure *why);

/* Blocks, or nodes, of tree_bytes.  What they leave when they fail is freed by the caller. */
extern Status decode_blocks(ForestModel *model, Failure *why);
extern Status decode_nodes(ForestModel *model, Failure *why);

/* A split whose far child has not been reached, or not been finished. */
typedef struct OpenSplit
{
	uint32_t	last;			/* the last of its slots, the one with the far child */
	uint32_t	near;			/* slot of its near child */
	uint32_t	n_steps;		/* nodes above its children */
} OpenSplit;

/*
 * One tree into the slots from model->n_slots on, which counts up.  open has
 * room for as many splits as the tree is deep.
 */
extern void decode_fill_tree(ForestModel *model, uint32_t t, OpenSplit *open);

/* forest_decode(), but into nodes even where the model fits into blocks. */
extern Status decode_as_nodes(const Host *host, const uint8_t *bytes, size_t n_bytes,
							  ForestModel **out, Failure *why);

#endif
