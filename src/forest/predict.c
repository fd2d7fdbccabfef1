/*
 * predict.c
 *	  Scores of encoded rows.
 *
 * A walk down a tree is a chain of loads, each waiting for the one before;
 * what can be gained is to have many in flight.  Two engines do the same sums:
 *
 *	  row engine	one row, twelve trees at a time; or up to 128, where there is
 *					AVX-512 (walk_wide.c)
 *	  block engine	tree by tree, twelve rows at a time, so that a tree is in
 *					the cache while up to FOREST_SCORE_BLOCK rows pass
 *
 * A step has no branch that depends on data.  Which child is next is
 * arithmetic: of a choice compilers make a jump, which costs more than all the
 * rest.  A leaf is its own child (model.h), so walks of different length need
 * no test either.  Sums are of integers: every order of trees and
 * rows gives equal bits.
 */
#include <math.h>

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
model_outputs(const ForestModel *model, const int64_t *sums, uint32_t n_trees, double *out)
{
	uint32_t	n_classes = model->schema.n_classes;
	int64_t		total = 0;

	if (n_classes == 0)
	{
		/* divided first: the sum itself may be beyond the range of a double */
		out[0] = model->schema.target_offset +
			ldexp((double) sums[0] / n_trees, -model->number_shift);
		return;
	}
	if (n_classes == 2)
	{
		out[0] = (double) sums[0] / ((double) TREE_ONE * n_trees);
		return;
	}

	/* leaves round each class on its own: what they add up to is near one, not one */
	for (uint32_t k = 0; k < n_classes; k++)
		total += sums[k];
	for (uint32_t k = 0; k < n_classes; k++)
		out[k] = (double) sums[k] / (double) total;
}

/* Add the leaves of all trees for one row. */
static void
add_row(const ForestModel *model, const uint8_t *row, int64_t *sums)
{
#ifdef MODEL_AVX512
	if (model->use_avx512)
	{
		model_add_row_avx512(model, row, sums);
		return;
	}
#endif
	for (uint32_t g = 0; g < model->n_groups; g++)
	{
		const ModelGroup *group = &model->groups[g];
		const ModelNode *leaves[MODEL_LANES];

		memcpy(leaves, group->roots, sizeof(leaves));
		walk_model(model, leaves, &row, true, group->n_steps);
		if (model->n_outputs == 1)
			for (uint32_t i = 0; i < MODEL_LANES; i++)
				sums[0] += model_leaf_value(leaves[i]);
		else
			for (uint32_t i = 0; i < group->n_trees; i++)
				model_add_leaf(model, leaves[i], 1, sums);
	}
}

static void
score_row(const ForestModel *model, const uint8_t *row, double *out)
{
	int64_t		sums[FOREST_MAX_CLASSES];

	for (uint32_t k = 0; k < model->n_outputs; k++)
		sums[k] = 0;
	add_row(model, row, sums);
	model_outputs(model, sums, model->n_trees, out);
}

/* Add the leaves of one tree to the sums of n rows. */
static void
add_tree(const ForestModel *model, const ModelTree *tree, const uint8_t *rows, size_t n,
		 int64_t *sums)
{
	for (size_t first = 0; first < n; first += MODEL_LANES)
	{
		const uint8_t *lanes[MODEL_LANES];
		const ModelNode *leaves[MODEL_LANES];
		size_t		n_lanes = n - first < MODEL_LANES ? n - first : MODEL_LANES;

		for (size_t i = 0; i < MODEL_LANES; i++)
		{
			lanes[i] = rows + (first + (i < n_lanes ? i : 0)) * model->row_bytes;
			leaves[i] = tree->root;
		}
		model_walk(model, leaves, lanes, tree->n_steps);
		if (model->n_outputs == 1)
			for (size_t i = 0; i < n_lanes; i++)
				sums[first + i] += model_leaf_value(leaves[i]);
		else
			for (size_t i = 0; i < n_lanes; i++)
				model_add_leaf(model, leaves[i], 1, sums + (first + i) * model->n_outputs);
	}
}

/* Sums that a block has room for: 256 rows of up to 8 outputs, fewer rows of more. */
#define BLOCK_SUMS (8 * FOREST_SCORE_BLOCK)

static void
score_block(const ForestModel *model, const uint8_t *rows, size_t n, double *out)
{
	int64_t		sums[BLOCK_SUMS];

	for (size_t i = 0; i < n * model->n_outputs; i++)
		sums[i] = 0;
	for (uint32_t t = 0; t < model->n_trees; t++)
		add_tree(model, &model->trees[t], rows, n, sums);
	for (size_t i = 0; i < n; i++)
		model_outputs(model, sums + i * model->n_outputs, model->n_trees,
					  out + i * model->n_outputs);
}

void
forest_score(const ForestModel *model, const uint8_t *rows, size_t n, double *out)
{
	size_t		block = BLOCK_SUMS / model->n_outputs;

	if (block > FOREST_SCORE_BLOCK)
		block = FOREST_SCORE_BLOCK;
	while (n >= MODEL_LANES && block >= MODEL_LANES)
	{
		size_t		step_rows = n < block ? n : block;

		score_block(model, rows, step_rows, out);
		rows += step_rows * model->row_bytes;
		out += step_rows * model->n_outputs;
		n -= step_rows;
	}
	for (; n > 0; n--)
	{
		score_row(model, rows, out);
		rows += model->row_bytes;
		out += model->n_outputs;
	}
}

void
forest_probabilities(const ForestModel *model, const double *outputs, double *proba)
{
	uint32_t	n_classes = model->schema.n_classes;

	if (n_classes == 2)
	{
		proba[0] = 1 - outputs[0];
		proba[1] = outputs[0];
		return;
	}
	for (uint32_t k = 0; k < n_classes; k++)
		proba[k] = outputs[k];
}
