/*
 * decode.c
 *	  An artifact into a model.  Trusts nothing.
 *
 * An artifact may be damaged, or made to do harm by someone who can write the
 * table it lies in.  The checksum finds damage; everything else is checked as
 * if there were none:
 *
 *	  - every read is bounded by its section (core/bytes.h), every section is
 *		read to its end, and nothing follows the checksum;
 *	  - every count is compared with the bytes that are left, at the least each
 *		item takes, before memory is asked for: what is allocated is at most
 *		about twenty times the artifact;
 *	  - trees are read twice.  The first pass checks each node against the
 *		schema and each tree's shape, and adds up what the model takes; the
 *		second cannot fail for what the bytes say, and fills exactly that;
 *	  - no recursion: open splits are kept in an array.
 *
 * A tree is a list of nodes in preorder.  It is well-formed if the last node,
 * and none before it, closes the root.  Every split must be able to send a
 * bin to either side.  Since a grown split leaves training rows on both sides,
 * a path cannot test a feature more often than it has bins; a deeper tree is
 * refused, which bounds the time of a walk.
 */
#include "core/memory.h"
#include "forest/artifact.h"
#include "forest/decode.h"

#define TREE_MIN_BYTES (4 + 4 + 4 + NODE_MIN_BYTES)

/* Bins of a category that a mask of one slot has bits for, beside missing. */
#define MASK_BINS 63

/*
 * The sum of the numbers of all trees stays below 2^61, so that differences
 * of two such sums stay below 2^62.
 */
#define NUMBERS_LIMIT (UINT64_C(1) << 61)

typedef struct Decoder
{
	const Host *host;
	ForestModel *model;
	Failure    *why;
	OpenSplit  *open;
	size_t		open_capacity;
	uint32_t	level_limit;	/* of a path: the number of bins of all features */
	size_t		n_sets;			/* splits of several arcs, their arcs, the most of one */
	size_t		n_arcs;
	uint32_t	max_arcs;
	bool		large_sets;		/* with more bins than one slot has bits */
	uint64_t	max_cover;
	uint64_t	max_number;		/* largest magnitude */
	ByteReader	sections[ARTIFACT_N_SECTIONS + 1];	/* by id */
} Decoder;

/* ----------------------------------------------- first pass: check, add up -- */

static Status
bad_tree(Decoder *d)
{
	return artifact_damaged(d->why, "a tree is malformed");
}

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

/* Account for a leaf: its cover and its value. */
static bool
count_leaf(Decoder *d, const NodeBytes *node, uint64_t *cover)
{
	ForestModel *model = d->model;
	uint64_t	magnitude = node->number < 0 ? 0 - (uint64_t) node->number :
		(uint64_t) node->number;

	if (node->cover > UINT64_MAX - *cover)
		return false;
	*cover += node->cover;
	if (magnitude > d->max_number)
		d->max_number = magnitude;
	if (node->values != NULL)
		model->n_class_rows++;
	return true;
}

/* The bytes of one tree; *tree gets its size and depth. */
static Status
measure_tree(Decoder *d, ByteReader *r, ModelTree *tree)
{
	ForestModel *model = d->model;
	uint64_t	cover = 0;
	uint32_t	deepest = 0;
	uint32_t	level = 0;
	uint32_t	n_open = 0;
	Status		status;

	tree->n_nodes = bytes_get_u32(r);
	tree->depth = bytes_get_u32(r);
	if (tree->n_nodes < 1 || tree->n_nodes > MODEL_MAX_NODES ||
		tree->n_nodes > bytes_left(r) / NODE_MIN_BYTES ||
		tree->depth > (tree->n_nodes - 1) / 2 || tree->depth > d->level_limit)
		return bad_tree(d);
	status = memory_grow(d->host, &d->open, &d->open_capacity, tree->depth, sizeof(OpenSplit),
						 d->why);
	if (status != STATUS_OK)
		return status;

	for (uint32_t i = 0; i < tree->n_nodes; i++)
	{
		NodeBytes	node;

		if (!node_read(r, &model->schema, &node))
			return bad_tree(d);
		if (!node_is_leaf(&node))
		{
			if (level >= tree->depth)
				return bad_tree(d);
			count_split(d, &node);
			level++;
			d->open[n_open++].level = level;
			continue;
		}
		if (!count_leaf(d, &node, &cover) || (n_open == 0) != (i + 1 == tree->n_nodes))
			return bad_tree(d);
		model->n_slots += 2;
		if (level > deepest)
			deepest = level;
		if (n_open > 0)
			level = d->open[--n_open].level;
	}
	if (n_open != 0 || deepest != tree->depth || bytes_left(r) != 0)
		return bad_tree(d);

	if (cover > d->max_cover)
		d->max_cover = cover;
	if (tree->depth > model->max_depth)
		model->max_depth = tree->depth;
	return STATUS_OK;
}

/* --------------------------------------------------------------- sections -- */

static Status
read_forest(Decoder *d)
{
	ForestModel *model = d->model;
	ByteReader *r = &d->sections[ARTIFACT_FOREST];

	model->algorithm_version = bytes_get_u32(r);
	model->n_trees = bytes_get_u32(r);
	if (r->failed || bytes_left(r) != 0 || model->algorithm_version == 0 ||
		model->n_trees < 1 || model->n_trees > FOREST_MAX_TREES ||
		model->n_trees > bytes_left(&d->sections[ARTIFACT_TREES]) / TREE_MIN_BYTES)
	{
		model->n_trees = 0;
		return artifact_damaged(d->why, "the number of trees is wrong");
	}
	return memory_new(d->host, model->n_trees, sizeof(ModelTree), &model->trees, d->why);
}

static Status
read_schema(Decoder *d)
{
	ForestModel *model = d->model;
	ByteReader *r = &d->sections[ARTIFACT_SCHEMA];
	Status		status = schema_get(r, d->host, &model->schema, d->why);

	if (status != STATUS_OK)
		return status;
	if (bytes_left(r) != 0)
		return artifact_damaged(d->why, "bytes follow its schema");
	for (uint32_t f = 0; f < model->schema.n_features; f++)
		d->level_limit += model->schema.features[f].n_bins;
	model->n_outputs = model->schema.n_classes > 2 ? model->schema.n_classes : 1;
	model->row_bytes = (model->schema.n_features + 7) / 8 * 8;
	return STATUS_OK;
}

/* Each tree in turn: once to measure, once to fill. */
static Status
read_trees(Decoder *d, bool fill)
{
	ByteReader	r = d->sections[ARTIFACT_TREES];

	for (uint32_t t = 0; t < d->model->n_trees; t++)
	{
		ByteReader	tree;
		size_t		n_bytes;
		const char *bytes = bytes_get_string(&r, &n_bytes);
		Status		status = host_poll(d->host, d->why);

		if (status == STATUS_OK && r.failed)
			status = bad_tree(d);
		if (status != STATUS_OK)
			return status;
		bytes_reader_begin(&tree, bytes, n_bytes);
		if (fill)
			decode_fill_tree(d->model, &tree, d->open, &d->model->trees[t]);
		else
			status = measure_tree(d, &tree, &d->model->trees[t]);
		if (status != STATUS_OK)
			return status;
	}
	return bytes_left(&r) == 0 ? STATUS_OK : bad_tree(d);
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

	status = memory_new(d->host, model->n_slots + MODEL_MASK_SLOTS, sizeof(ModelNode),
						&model->nodes, d->why);
	if (status == STATUS_OK && d->n_sets > 0 && model->mask_slots == 0)
		status = memory_new(d->host, model->n_slots / 8 + 1, 1, &model->more, d->why);
	if (status == STATUS_OK && d->max_cover <= UINT32_MAX)
		status = memory_new(d->host, model->n_slots, sizeof(uint32_t), &model->cover32, d->why);
	else if (status == STATUS_OK)
		status = memory_new(d->host, model->n_slots, sizeof(uint64_t), &model->cover64, d->why);
	if (status == STATUS_OK && n_classes > 2)
		status = memory_new_raw(d->host, model->n_class_rows, n_classes * sizeof(uint32_t),
								&model->class_values, d->why);

	model->n_groups = (model->n_trees + MODEL_LANES - 1) / MODEL_LANES;
	if (status == STATUS_OK)
		status = memory_new(d->host, model->n_groups, sizeof(ModelGroup), &model->groups, d->why);

	model->number_shift = model->schema.target_shift;
	while (d->max_number > NUMBERS_LIMIT / model->n_trees)
	{
		d->max_number /= 2;
		model->number_shift--;
	}
	return status;
}

/* Whether the row engine is to use AVX-512: this machine has it, and it pays. */
static bool
choose_avx512(const ForestModel *model)
{
#ifdef MODEL_AVX512
	return model->n_trees >= MODEL_AVX512_TREES &&
		cpu_level(model->host->cpu_limit) >= CPU_AVX512;
#else
	(void) model;
	return false;
#endif
}

static Status
decode(Decoder *d)
{
	ForestModel *model = d->model;
	size_t		n_slots;
	size_t		n_class_rows;
	Status		status;

	status = read_forest(d);
	if (status == STATUS_OK)
		status = read_schema(d);
	if (status == STATUS_OK)
		status = read_trees(d, false);
	if (status == STATUS_OK)
	{
		choose_sets(d);
		status = allocate(d);
	}
	if (status != STATUS_OK)
		return status;

	/* both count up again while filling; if that is cancelled they are sizes of blocks */
	n_slots = model->n_slots;
	n_class_rows = model->n_class_rows;
	model->n_slots = 0;
	model->n_class_rows = 0;
	status = read_trees(d, true);
	model->n_slots = n_slots;
	model->n_class_rows = n_class_rows;
	decode_fill_groups(model);
	model->use_avx512 = choose_avx512(model);
	return status;
}

Status
forest_decode(const Host *host, const uint8_t *bytes, size_t n_bytes, ForestModel **out,
			  Failure *why)
{
	Decoder		d = {.host = host, .why = why};
	Status		status;

	status = artifact_open(host, bytes, n_bytes, d.sections, why);
	if (status == STATUS_OK)
		status = memory_new(host, 1, sizeof(ForestModel), &d.model, why);
	if (status != STATUS_OK)
		return status;

	d.model->host = host;
	status = decode(&d);
	memory_free(host, d.open, d.open_capacity, sizeof(OpenSplit));
	if (status != STATUS_OK)
	{
		forest_model_free(d.model);
		return status;
	}
	*out = d.model;
	return STATUS_OK;
}
