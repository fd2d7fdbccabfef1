/*
 * decode_fill.c
 *	  The second pass of decoding: trees, known to be well-formed, into the
 *	  layout of model.h.
 */
#include "forest/decode.h"

static void
set_cover(ForestModel *model, size_t slot, uint64_t cover)
{
	if (model->cover32 != NULL)
		model->cover32[slot] = (uint32_t) cover;
	else
		model->cover64[slot] = cover;
}

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

/* A row of class values; model->n_class_rows counts up again. */
static int64_t
fill_class_row(ForestModel *model, const NodeBytes *node)
{
	uint32_t	n_classes = model->schema.n_classes;
	uint32_t   *row = model->class_values + model->n_class_rows * n_classes;

	for (uint32_t k = 0; k < n_classes; k++)
		row[k] = node_value(node, k);
	return n_classes + (int64_t) model->n_class_rows++;
}

static uint32_t
fill_leaf(ForestModel *model, const NodeBytes *node, ModelNode *out)
{
	uint32_t	n_classes = model->schema.n_classes;
	int64_t		value = node->class_index;

	if (n_classes == 2)
		value = node->p1;
	else if (n_classes == 0)
		value = node->number / (INT64_C(1) << (model->schema.target_shift - model->number_shift));
	else if (node->values != NULL)
		value = fill_class_row(model, node);
	out->link = MODEL_LEAF_LINK;
	memcpy(out + 1, &value, sizeof(value));
	return 2;
}

/*
 * A subtree of the given cover has ended in front of the slot `next`: splits of
 * which it was the far child end with it, and the one above goes on with its
 * far child there.
 */
static uint32_t
close_splits(ForestModel *model, ModelNode *root, OpenSplit *open, uint32_t n_open,
			 uint32_t next, uint64_t cover)
{
	size_t		base = (size_t) (root - model->nodes);

	while (n_open > 0)
	{
		OpenSplit  *split = &open[n_open - 1];

		if (!split->in_far)
		{
			split->in_far = true;
			set_cover(model, base + split->slot, cover);
			root[split->last].link = (int32_t) (next - split->near) - 1;
			break;
		}
		cover += model_cover(model, root + split->slot);
		set_cover(model, base + split->slot, cover);
		n_open--;
	}
	return n_open;
}

void
decode_fill_tree(ForestModel *model, ByteReader *r, OpenSplit *open, ModelTree *tree)
{
	ModelNode  *root = model->nodes + model->n_slots;
	uint32_t	n_open = 0;
	uint32_t	n_steps = 0;
	uint32_t	slot = 0;

	(void) bytes_get(r, 2 * sizeof(uint32_t));
	for (uint32_t i = 0; i < tree->n_nodes; i++)
	{
		NodeBytes	node;

		(void) node_read(r, &model->schema, &node);
		if (!node_is_leaf(&node))
		{
			OpenSplit  *split = &open[n_open++];
			uint32_t	n_nodes;

			split->slot = slot;
			slot += fill_split(model, &node, root + slot, &n_nodes);
			split->last = split->slot + n_nodes - 1;
			split->near = slot;
			n_steps += n_nodes;
			split->level = n_steps;
			split->in_far = false;
			continue;
		}
		if (n_steps > tree->n_steps)
			tree->n_steps = n_steps;
		set_cover(model, model->n_slots + slot, node.cover);
		slot += fill_leaf(model, &node, root + slot);
		n_open = close_splits(model, root, open, n_open, slot, node.cover);
		if (n_open > 0)
			n_steps = open[n_open - 1].level;
	}
	tree->root = root;
	if (tree->n_steps > model->max_steps)
		model->max_steps = tree->n_steps;
	model->n_slots += slot;
}
