/*
 * decode_nodes.c
 *	  Trees into nodes (model.h), for models that do not fit into blocks.
 *
 * Trees are read twice.  The first pass adds up what the model takes, the
 * second fills exactly that (decode_fill.c).
 */
#include "core/memory.h"
#include "forest/decode.h"

/* Bins of a category that a mask of one slot has bits for, beside missing. */
#define MASK_BINS 63

/* What the splits of several arcs need. */
typedef struct SetCount
{
	size_t		n_sets;
	size_t		n_arcs;
	uint32_t	max_arcs;		/* of one */
	bool		large_sets;		/* with more bins than one slot has bits */
} SetCount;

/* Account for the nodes that a split takes; those of sets are decided upon at the end. */
static void
count_split(ForestModel *model, const NodeBytes *node, SetCount *count)
{
	NodeArc		arcs[NODE_MAX_ARCS];
	uint32_t	n_arcs = node_near_arcs(node, &model->schema, arcs);

	if (n_arcs == 1)
	{
		model->n_slots++;
		return;
	}
	count->n_sets++;
	count->n_arcs += n_arcs;
	if (n_arcs > count->max_arcs)
		count->max_arcs = n_arcs;
	if (model->schema.features[node->feature].n_bins > MASK_BINS)
		count->large_sets = true;
}

/* The first pass. */
static Status
count_slots(ForestModel *model, SetCount *count, Failure *why)
{
	for (uint32_t t = 0; t < model->n_trees; t++)
	{
		const uint8_t *p = model->tree_bytes[t].words;
		Status		status = host_poll(model->host, why);

		if (status != STATUS_OK)
			return status;
		for (uint32_t i = 0; i < model->trees[t].n_nodes; i++)
		{
			NodeBytes	node;

			p = node_read(p, &model->schema, &node);
			if (node.leaf)
				model->n_slots += 2;
			else
				count_split(model, &node, count);
		}
	}
	return STATUS_OK;
}

/* Sets become chains of arcs where all are short, else masks (model.h). */
static void
choose_sets(ForestModel *model, const SetCount *count)
{
	model->mask_slots = 0;
	if (count->max_arcs > MODEL_CHAIN_ARCS)
		model->mask_slots = count->large_sets ? MODEL_MASK_SLOTS : 1;
	model->n_slots += model->mask_slots > 0 ? count->n_sets * (1 + model->mask_slots) :
		count->n_arcs;
}

/* Allocate what the first pass has added up. */
static Status
allocate(ForestModel *model, const SetCount *count, Failure *why)
{
	const Host *host = model->host;
	Status		status;

	if (model->n_slots > UINT32_MAX)
		return fail(why, STATUS_UNSUPPORTED, "model is too large");
	status = memory_new(host, model->n_slots + MODEL_MASK_SLOTS, sizeof(ModelNode),
						&model->nodes, why);
	if (status == STATUS_OK && count->n_sets > 0 && model->mask_slots == 0)
		status = memory_new(host, model->n_slots / 8 + 1, 1, &model->more, why);
	if (status == STATUS_OK)
		status = memory_new(host, model_entries_room(model), sizeof(uint32_t), &model->entries,
							why);
	if (status == STATUS_OK && model->schema.n_classes > 0)
		status = decode_values(model, why);
	return status;
}

/* The second pass. */
static Status
fill_slots(ForestModel *model, Failure *why)
{
	size_t		n_slots = model->n_slots;
	OpenSplit  *open = NULL;
	Status		status = memory_new_raw(model->host, model->max_depth, sizeof(OpenSplit), &open,
										why);

	/* counts up again; if that is cancelled it is the size of blocks of memory */
	model->n_slots = 0;
	for (uint32_t t = 0; t < model->n_trees && status == STATUS_OK; t++)
	{
		status = host_poll(model->host, why);
		if (status != STATUS_OK)
			break;
		model->entries[t] = (uint32_t) model->n_slots;
		decode_fill_tree(model, t, open);
	}
	model->n_slots = n_slots;
	memory_free(model->host, open, model->max_depth, sizeof(OpenSplit));
	return status;
}

Status
decode_nodes(ForestModel *model, Failure *why)
{
	SetCount	count = {0};
	Status		status = count_slots(model, &count, why);

	if (status != STATUS_OK)
		return status;
	choose_sets(model, &count);
	status = allocate(model, &count, why);
	return status == STATUS_OK ? fill_slots(model, why) : status;
}
