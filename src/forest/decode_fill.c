/*
 * decode_fill.c
 *	  One tree into the layout of nodes (model.h).
 */
#include "forest/decode.h"

static void
set_more(ForestModel *model, const ModelNode *node)
{
	size_t		slot = (size_t) (node - model->nodes);

	model->more[slot / 8] |= (uint8_t) (1 << (slot % 8));
}

static void
fill_mask(const ForestModel *model, const NodeBytes *node, ModelNode *out)
{
	uint64_t	words[MODEL_MASK_SLOTS] = {0};
	uint32_t	missing = 64 * model->mask_slots - 1;

	for (uint32_t bin = 0; bin < model->schema.features[node->feature].n_bins; bin++)
		if (node_category_near(node, bin))
			words[bin / 64] |= UINT64_C(1) << (bin % 64);
	if (node_missing_near(node))
		words[missing / 64] |= UINT64_C(1) << (missing % 64);
	out->feature = (uint16_t) (node->feature | MODEL_MASK);
	memcpy(out + 1, words, model->mask_slots * sizeof(uint64_t));
}

/* One arc of a split, and n_left behind it. */
static void
fill_arc(ForestModel *model, const NodeBytes *node, NodeArc arc, uint32_t n_left, ModelNode *out)
{
	out->feature = (uint16_t) node->feature;
	out->before = arc.before;
	out->length = arc.length;
	if (n_left == 0)
		return;

	/* the complement; who is not in it goes behind the last node */
	out->before = (uint8_t) (arc.before + arc.length);
	out->length = (uint8_t) (256 - arc.length);
	out->link = (int32_t) n_left - 1;
	set_more(model, out);
}

/* The nodes of a split, but for the far child of the last; returns the slots they take. */
static uint32_t
fill_split(ForestModel *model, const NodeBytes *node, ModelNode *out, uint32_t *n_nodes)
{
	NodeArc		arcs[NODE_MAX_ARCS];
	uint32_t	n_arcs = node_near_arcs(node, &model->schema, arcs);

	if (n_arcs > 1 && model->mask_slots > 0)
	{
		fill_mask(model, node, out);
		*n_nodes = 1;
		return 1 + model->mask_slots;
	}
	for (uint32_t i = 0; i < n_arcs; i++)
		fill_arc(model, node, arcs[i], n_arcs - 1 - i, &out[i]);
	*n_nodes = n_arcs;
	return n_arcs;
}

static uint32_t
fill_leaf(const ForestModel *model, const TreeBytes *tree, uint32_t value, ModelNode *out)
{
	uint32_t	n_classes = model->schema.n_classes;
	int64_t		says = n_classes == 0 ? node_number(tree, value) / model_number_scale(model) :
		node_value_of_all(tree, value, n_classes);

	out->link = MODEL_LEAF_LINK;
	memcpy(out + 1, &says, sizeof(says));
	return 2;
}

void
decode_fill_tree(ForestModel *model, uint32_t t, OpenSplit *open)
{
	const TreeBytes *bytes = &model->tree_bytes[t];
	ModelTree  *tree = &model->trees[t];
	ModelNode  *root = model->nodes + model->n_slots;
	const uint8_t *p = bytes->words;
	uint32_t	n_open = 0;
	uint32_t	n_steps = 0;
	uint32_t	slot = 0;

	for (uint32_t i = 0; i < tree->n_nodes; i++)
	{
		NodeBytes	node;

		p = node_read(p, &model->schema, &node);
		if (!node.leaf)
		{
			uint32_t	first = slot;
			uint32_t	n_nodes;

			slot += fill_split(model, &node, root + slot, &n_nodes);
			n_steps += n_nodes;
			open[n_open++] = (OpenSplit) {first + n_nodes - 1, slot, n_steps};
			continue;
		}
		if (n_steps > tree->n_steps)
			tree->n_steps = n_steps;
		slot += fill_leaf(model, bytes, node.value, root + slot);
		if (n_open > 0)
		{
			const OpenSplit *split = &open[--n_open];

			root[split->last].link = (int32_t) (slot - split->near) - 1;
			n_steps = split->n_steps;
		}
	}
	tree->root = root;
	if (tree->n_steps > model->max_steps)
		model->max_steps = tree->n_steps;
	model->n_slots += slot;
}
