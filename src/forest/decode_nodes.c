/*
 * decode_nodes.c
 *	  Trees into nodes (model.h), for models that do not fit into blocks.
 *
 * Trees are read twice.  The first pass checks each node and adds up what the
 * model takes; the second cannot fail for what the bytes say, and fills
 * exactly that (decode_fill.c).
 */
#include "core/memory.h"
#include "forest/decode.h"

/* Bins of a category that a mask of one slot has bits for, beside missing. */
#define MASK_BINS 63

/* Account for the nodes that a split takes; those of sets are decided upon at the end. */
static void
count_split(Decoder *d, const NodeBytes *node)
{
	NodeArc		arcs[NODE_MAX_ARCS];
	uint32_t	n_arcs = node_near_arcs(node, &d->model->schema, arcs);

	if (n_arcs == 1)
	{
		d->model->n_slots++;
		return;
	}
	d->n_sets++;
	d->n_arcs += n_arcs;
	if (n_arcs > d->max_arcs)
		d->max_arcs = n_arcs;
	if (d->model->schema.features[node->feature].n_bins > MASK_BINS)
		d->large_sets = true;
}

/* The first pass over a tree. */
static Status
measure_tree(Decoder *d, ByteReader *r, uint32_t t)
{
	ForestModel *model = d->model;
	ModelTree  *tree = &model->trees[t];
	uint64_t	cover = 0;
	uint32_t	deepest = 0;
	uint32_t	level = 0;
	uint32_t	n_open = 0;
	Status		status = decode_tree_header(d, r, tree);

	if (status == STATUS_OK)
		status = memory_grow(d->host, &d->open, &d->open_capacity, tree->depth,
							 sizeof(OpenSplit), d->why);
	if (status != STATUS_OK)
		return status;

	for (uint32_t i = 0; i < tree->n_nodes; i++)
	{
		NodeBytes	node;

		if (!node_read(r, &model->schema, &node))
			return decode_bad_tree(d);
		if (!node_is_leaf(&node))
		{
			if (level >= tree->depth)
				return decode_bad_tree(d);
			count_split(d, &node);
			level++;
			d->open[n_open++].level = level;
			continue;
		}
		if (!decode_count_leaf(d, &node, &cover) || (n_open == 0) != (i + 1 == tree->n_nodes))
			return decode_bad_tree(d);
		if (node.values != NULL)
			model->n_class_rows++;
		model->n_slots += 2;
		if (level > deepest)
			deepest = level;
		if (n_open > 0)
			level = d->open[--n_open].level;
	}
	if (n_open != 0 || deepest != tree->depth || bytes_left(r) != 0)
		return decode_bad_tree(d);
	if (cover > d->max_cover)
		d->max_cover = cover;
	return STATUS_OK;
}

/* Sets become chains of arcs where all are short, else masks (model.h). */
static void
choose_sets(Decoder *d)
{
	ForestModel *model = d->model;

	if (d->max_arcs > MODEL_CHAIN_ARCS)
		model->mask_slots = d->large_sets ? MODEL_MASK_SLOTS : 1;
	model->n_slots += model->mask_slots > 0 ? d->n_sets * (1 + model->mask_slots) : d->n_arcs;
}

/* Allocate what the first pass has added up. */
static Status
allocate(Decoder *d)
{
	ForestModel *model = d->model;
	uint32_t	n_classes = model->schema.n_classes;
	Status		status;

	if (model->n_slots > UINT32_MAX)
		return fail(d->why, STATUS_UNSUPPORTED, "model is too large");
	status = memory_new(d->host, model->n_slots + MODEL_MASK_SLOTS, sizeof(ModelNode),
						&model->nodes, d->why);
	if (status == STATUS_OK && d->n_sets > 0 && model->mask_slots == 0)
		status = memory_new(d->host, model->n_slots / 8 + 1, 1, &model->more, d->why);
	if (status == STATUS_OK && d->max_cover <= UINT32_MAX)
		status = memory_new(d->host, model->n_slots, sizeof(uint32_t), &model->cover32, d->why);
	else if (status == STATUS_OK)
		status = memory_new(d->host, model->n_slots, sizeof(uint64_t), &model->cover64, d->why);
	model->class_capacity = model->n_class_rows;
	if (status == STATUS_OK && n_classes > 2)
		status = memory_new_raw(d->host, model->class_capacity, n_classes * sizeof(uint32_t),
								&model->class_values, d->why);
	if (status == STATUS_OK)
		status = memory_new(d->host, model_entries_room(model), sizeof(uint32_t),
							&model->entries, d->why);
	return status;
}

static Status
fill_tree(Decoder *d, ByteReader *r, uint32_t t)
{
	d->model->entries[t] = (uint32_t) d->model->n_slots;
	decode_fill_tree(d->model, r, d->open, &d->model->trees[t]);
	return STATUS_OK;
}

Status
decode_nodes(Decoder *d)
{
	ForestModel *model = d->model;
	Status		status = decode_each_tree(d, measure_tree);
	size_t		n_slots;

	if (status != STATUS_OK)
		return status;
	choose_sets(d);
	decode_number_shift(d);
	status = allocate(d);
	if (status != STATUS_OK)
		return status;

	/* both count up again while filling; if that is cancelled they are sizes of blocks */
	n_slots = model->n_slots;
	model->n_slots = 0;
	model->n_class_rows = 0;
	status = decode_each_tree(d, fill_tree);
	model->n_slots = n_slots;
	return status;
}

void
decode_nodes_end(Decoder *d)
{
	memory_free(d->host, d->open, d->open_capacity, sizeof(OpenSplit));
}
