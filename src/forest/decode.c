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
 *		about fifty times the artifact;
 *	  - each node is checked against the schema, and each tree's shape, before
 *		it is used: while reading into blocks, in a first pass into nodes;
 *	  - no recursion: open splits are kept in an array.
 *
 * A tree is a list of nodes in preorder.  It is well-formed if the last node,
 * and none before it, closes the root.  Every split must be able to send a
 * bin to either side.  Since a grown split leaves training rows on both sides,
 * a path cannot test a feature more often than it has bins; a deeper tree is
 * refused, which bounds the time of a walk.
 */
#include "core/memory.h"
#include "forest/decode.h"

#define TREE_MIN_BYTES (4 + 4 + 4 + NODE_MIN_BYTES)

/*
 * The sum of the numbers of all trees stays below 2^61, so that differences
 * of two such sums stay below 2^62.
 */
#define NUMBERS_LIMIT (UINT64_C(1) << 61)

Status
decode_bad_tree(Decoder *d)
{
	return artifact_damaged(d->why, "a tree is malformed");
}

Status
decode_each_tree(Decoder *d, DecodeTree work)
{
	ByteReader	r = d->sections[ARTIFACT_TREES];

	d->n_tree_bytes = bytes_left(&r);
	for (uint32_t t = 0; t < d->model->n_trees; t++)
	{
		ByteReader	tree;
		size_t		n_bytes;
		const char *bytes = bytes_get_string(&r, &n_bytes);
		Status		status = host_poll(d->host, d->why);

		if (status == STATUS_OK && r.failed)
			status = decode_bad_tree(d);
		if (status != STATUS_OK)
			return status;
		d->n_bytes_read = r.offset;
		bytes_reader_begin(&tree, bytes, n_bytes);
		status = work(d, &tree, t);
		if (status != STATUS_OK)
			return status;
	}
	return bytes_left(&r) == 0 ? STATUS_OK : decode_bad_tree(d);
}

Status
decode_tree_header(Decoder *d, ByteReader *r, ModelTree *tree)
{
	tree->n_nodes = bytes_get_u32(r);
	tree->depth = bytes_get_u32(r);
	if (tree->n_nodes < 1 || tree->n_nodes > MODEL_MAX_NODES ||
		tree->n_nodes > bytes_left(r) / NODE_MIN_BYTES ||
		tree->depth > (tree->n_nodes - 1) / 2 || tree->depth > d->level_limit)
		return decode_bad_tree(d);
	return STATUS_OK;
}

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

/* What a tree says of its depth; it is checked with its nodes. */
static Status
read_depth(Decoder *d, ByteReader *r, uint32_t t)
{
	ModelTree  *tree = &d->model->trees[t];
	Status		status = decode_tree_header(d, r, tree);

	if (status == STATUS_OK && tree->depth > d->model->max_depth)
		d->model->max_depth = tree->depth;
	return status;
}

void
decode_number_shift(Decoder *d)
{
	ForestModel *model = d->model;

	model->number_shift = model->schema.target_shift;
	while (d->max_number > NUMBERS_LIMIT / model->n_trees)
	{
		d->max_number /= 2;
		model->number_shift--;
	}
}

static Status
decode(Decoder *d, bool as_nodes)
{
	ForestModel *model = d->model;
	Status		status;

	status = read_forest(d);
	if (status == STATUS_OK)
		status = read_schema(d);
	if (status == STATUS_OK)
		status = decode_each_tree(d, read_depth);
	if (status != STATUS_OK)
		return status;
	if (!as_nodes && blocks_layout(&model->blocks, &model->schema))
		return decode_blocks(d);
	return decode_nodes(d);
}

static Status
decode_artifact(const Host *host, const uint8_t *bytes, size_t n_bytes, bool as_nodes,
				ForestModel **out, Failure *why)
{
	Decoder		d = {.host = host, .why = why};
	Status		status;

	status = artifact_open(host, bytes, n_bytes, d.sections, why);
	if (status == STATUS_OK)
		status = memory_new(host, 1, sizeof(ForestModel), &d.model, why);
	if (status != STATUS_OK)
		return status;

	d.model->host = host;
	status = decode(&d, as_nodes);
	decode_blocks_end(&d);
	decode_nodes_end(&d);
	if (status != STATUS_OK)
	{
		forest_model_free(d.model);
		return status;
	}
	*out = d.model;
	return STATUS_OK;
}

Status
forest_decode(const Host *host, const uint8_t *bytes, size_t n_bytes, ForestModel **out,
			  Failure *why)
{
	return decode_artifact(host, bytes, n_bytes, false, out, why);
}

Status
decode_as_nodes(const Host *host, const uint8_t *bytes, size_t n_bytes, ForestModel **out,
				Failure *why)
{
	return decode_artifact(host, bytes, n_bytes, true, out, why);
}
