/*
 * walk_bytes.c
 *	  Rows down trees as they lie in the artifact (tree.h): what the first rows
 *	  of a connection are scored on.
 *
 * Whatever is behind a split, its set and the length of its near child, is
 * skipped without a jump; some walks are taken in turn, since each waits for
 * memory most of the time.
 */
#include "forest/decode.h"

/* Trees that are walked together. */
#define LANES 8

/* Add what a leaf says. */
static void
add_value(const ForestModel *model, const TreeBytes *tree, uint32_t value, int64_t *sums)
{
	uint32_t	n_classes = model->schema.n_classes;

	if (n_classes == 2)
		sums[0] += value;
	else if (n_classes == 0)
		sums[0] += node_number(tree, value) / model_number_scale(model);
	else if (value < n_classes)
		sums[value] += TREE_ONE;
	else
		for (uint32_t k = 0; k < n_classes; k++)
			sums[k] += node_share(tree, value - n_classes, k, n_classes);
}

/* From the node at p, which is a split, to the child that a row goes to. */
static inline const uint8_t *
next_node(const ForestModel *model, const uint8_t *p, const uint8_t *row)
{
	NodeBytes	node;
	const uint8_t *near = node_read(p, &model->schema, &node);
	bool		left = node_goes_left(&node, row[node.feature],
									  model->schema.features[node.feature].n_bins);

	return left != node.near_right ? near : near + (size_t) node.skip * TREE_WORD_BYTES;
}

void
model_add_bytes(const ForestModel *model, const uint8_t *row, int64_t *sums)
{
	for (uint32_t first = 0; first < model->n_trees; first += LANES)
	{
		const TreeBytes *trees = model->tree_bytes + first;
		uint32_t	n = model->n_trees - first < LANES ? model->n_trees - first : LANES;
		const uint8_t *at[LANES];
		uint32_t	n_open = n;

		for (uint32_t i = 0; i < n; i++)
			at[i] = trees[i].words;
		while (n_open > 0)
		{
			n_open = 0;
			for (uint32_t i = 0; i < n; i++)
				if ((tree_word(at[i]) & TREE_LEAF) == 0)
				{
					at[i] = next_node(model, at[i], row);
					n_open++;
				}
		}
		for (uint32_t i = 0; i < n; i++)
			add_value(model, &trees[i], tree_word(at[i]) & ~TREE_LEAF, sums);
	}
}
