/*
 * walk.c
 *	  Walks down trees of nodes, in plain C.
 *
 * A walk down a tree is a chain of loads, each waiting for the one before;
 * what can be gained is to have many in flight.  A step has no branch that
 * depends on data.  Which child is next is arithmetic: of a choice compilers
 * make a jump, which costs more than all the rest.  A leaf is its own child
 * (model.h), so walks of different length need no test either.
 */
#include "forest/model.h"

/* The walk is compiled three times: without masks, and with masks of either size. */
#if defined(__GNUC__)
#define ALWAYS_INLINE inline __attribute__((always_inline))
#else
#define ALWAYS_INLINE inline
#endif

/* Steps between two questions whether all walks have ended. */
#define STEPS_PER_CHECK 4

const ModelNode model_no_tree[1 + MODEL_MASK_SLOTS] = {{MODEL_LEAF_LINK, 0, 0, 0}};

/*
 * Walks from the given nodes to their leaves: down from each with the row of
 * its lane, or, where `one_row`, all with the first.  Named variables, not an
 * array: they stay in registers.
 */
static ALWAYS_INLINE void
walk(const ModelNode *nodes[MODEL_LANES], const uint8_t *const *rows, bool one_row,
	 uint32_t n_steps, uint32_t mask_slots)
{
	const uint8_t *row = rows[0];
	const ModelNode *n0 = nodes[0];
	const ModelNode *n1 = nodes[1];
	const ModelNode *n2 = nodes[2];
	const ModelNode *n3 = nodes[3];
	const ModelNode *n4 = nodes[4];
	const ModelNode *n5 = nodes[5];
	const ModelNode *n6 = nodes[6];
	const ModelNode *n7 = nodes[7];
	const ModelNode *n8 = nodes[8];
	const ModelNode *n9 = nodes[9];
	const ModelNode *n10 = nodes[10];
	const ModelNode *n11 = nodes[11];

	for (uint32_t done = 1; done <= n_steps; done++)
	{
		n0 = model_step(n0, row, mask_slots);
		n1 = model_step(n1, one_row ? row : rows[1], mask_slots);
		n2 = model_step(n2, one_row ? row : rows[2], mask_slots);
		n3 = model_step(n3, one_row ? row : rows[3], mask_slots);
		n4 = model_step(n4, one_row ? row : rows[4], mask_slots);
		n5 = model_step(n5, one_row ? row : rows[5], mask_slots);
		n6 = model_step(n6, one_row ? row : rows[6], mask_slots);
		n7 = model_step(n7, one_row ? row : rows[7], mask_slots);
		n8 = model_step(n8, one_row ? row : rows[8], mask_slots);
		n9 = model_step(n9, one_row ? row : rows[9], mask_slots);
		n10 = model_step(n10, one_row ? row : rows[10], mask_slots);
		n11 = model_step(n11, one_row ? row : rows[11], mask_slots);
		if (done % STEPS_PER_CHECK == 0 &&
			(n0->link & n1->link & n2->link & n3->link & n4->link & n5->link & n6->link &
			 n7->link & n8->link & n9->link & n10->link & n11->link) < 0)
			break;
	}
	nodes[0] = n0;
	nodes[1] = n1;
	nodes[2] = n2;
	nodes[3] = n3;
	nodes[4] = n4;
	nodes[5] = n5;
	nodes[6] = n6;
	nodes[7] = n7;
	nodes[8] = n8;
	nodes[9] = n9;
	nodes[10] = n10;
	nodes[11] = n11;
}

/* The walk with the masks of the model as a constant. */
static ALWAYS_INLINE void
walk_model(const ForestModel *model, const ModelNode *nodes[MODEL_LANES],
		   const uint8_t *const *rows, bool one_row, uint32_t n_steps)
{
	if (model->mask_slots == 0)
		walk(nodes, rows, one_row, n_steps, 0);
	else if (model->mask_slots == 1)
		walk(nodes, rows, one_row, n_steps, 1);
	else
		walk(nodes, rows, one_row, n_steps, MODEL_MASK_SLOTS);
}

void
model_walk(const ForestModel *model, const ModelNode *nodes[MODEL_LANES],
		   const uint8_t *const rows[MODEL_LANES], uint32_t n_steps)
{
	walk_model(model, nodes, rows, false, n_steps);
}

void
model_walk_row(const ForestModel *model, const ModelNode *nodes[MODEL_LANES],
			   const uint8_t *row, uint32_t n_steps)
{
	walk_model(model, nodes, &row, true, n_steps);
}
