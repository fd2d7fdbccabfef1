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
 *		anything is made of it (decode_check.c);
 *	  - no recursion: open splits are kept in an array.
 *
 * A tree is a list of nodes in preorder.  It is well-formed if the last node,
 * and none before it, closes the root.  Every split must be able to send a
 * bin to either side.  Since a grown split leaves training rows on both sides,
 * a path cannot test a feature more often than it has bins; a deeper tree is
 * refused, which bounds the time of a walk.
 */
#include "core/memory.h"
#include "forest/calibration.h"
#include "forest/decode.h"

/* Its length, its header, a leaf, a cover. */
#define TREE_MIN_BYTES (4 + TREE_HEADER_BYTES + TREE_WORD_BYTES + 1)

/*
 * The sum of the numbers of all trees stays below 2^61, so that differences
 * of two such sums stay below 2^62.
 */
#define NUMBERS_LIMIT (UINT64_C(1) << 61)

typedef struct Decoder
{
	ForestModel *model;
	Failure    *why;
	ByteReader	sections[ARTIFACT_N_SECTIONS + 1];	/* by id */
	TreeCheck	check;
} Decoder;

static Status
read_forest(Decoder *d)
{
	ForestModel *model = d->model;
	ByteReader *r = &d->sections[ARTIFACT_FOREST];
	Status		status;

	model->algorithm_version = bytes_get_u32(r);
	model->n_trees = bytes_get_u32(r);
	if (r->failed || bytes_left(r) != 0 || model->algorithm_version == 0 ||
		model->n_trees < 1 || model->n_trees > FOREST_MAX_TREES ||
		model->n_trees > bytes_left(&d->sections[ARTIFACT_TREES]) / TREE_MIN_BYTES)
	{
		model->n_trees = 0;
		return artifact_damaged(d->why, "the number of trees is wrong");
	}
	status = memory_new(model->host, model->n_trees, sizeof(ModelTree), &model->trees, d->why);
	if (status == STATUS_OK)
		status = memory_new(model->host, model->n_trees, sizeof(TreeBytes), &model->tree_bytes,
							d->why);
	return status;
}

static Status
read_schema(Decoder *d)
{
	ForestModel *model = d->model;
	ByteReader *r = &d->sections[ARTIFACT_SCHEMA];
	Status		status = schema_get(r, model->host, &model->schema, d->why);

	if (status != STATUS_OK)
		return status;
	if (bytes_left(r) != 0)
		return artifact_damaged(d->why, "bytes follow its schema");
	model->n_outputs = model->schema.n_classes > 2 ? model->schema.n_classes : 1;
	model->row_bytes = (model->schema.n_features + 7) / 8 * 8;
	return STATUS_OK;
}

/* Let the sum of all trees' numbers fit: those of leaves are to be scaled down. */
static void
choose_shift(Decoder *d)
{
	ForestModel *model = d->model;
	uint64_t	max_number = d->check.max_number;

	model->number_shift = model->schema.target_shift;
	while (max_number > NUMBERS_LIMIT / model->n_trees)
	{
		max_number /= 2;
		model->number_shift--;
	}
}

static Status
read_trees(Decoder *d)
{
	ForestModel *model = d->model;
	ByteReader *r = &d->sections[ARTIFACT_TREES];
	uint64_t	n_nodes = 0;
	Status		status = tree_check_begin(&d->check, model, d->why);

	for (uint32_t t = 0; t < model->n_trees && status == STATUS_OK; t++)
	{
		ByteReader	tree;
		size_t		n_bytes;
		const char *bytes = bytes_get_string(r, &n_bytes);

		status = host_poll(model->host, d->why);
		if (status == STATUS_OK && r->failed)
			status = artifact_damaged(d->why, "a tree is cut off");
		if (status != STATUS_OK)
			break;
		bytes_reader_begin(&tree, bytes, n_bytes);
		status = tree_check(&d->check, model, &tree, t, d->why);
		n_nodes += model->trees[t].n_nodes;
	}
	tree_check_end(&d->check, model);
	if (status == STATUS_OK && bytes_left(r) != 0)
		return artifact_damaged(d->why, "bytes follow its trees");
	choose_shift(d);
	model->n_until_built = (size_t) (n_nodes / model->n_trees / MODEL_NODES_PER_ROW);
	return status;
}

Status
forest_open(const Host *host, const uint8_t *bytes, size_t n_bytes, ForestModel **out,
			Failure *why)
{
	Decoder		d = {.why = why};
	Status		status;

	status = artifact_open(host, bytes, n_bytes, d.sections, why);
	if (status == STATUS_OK)
		status = memory_new(host, 1, sizeof(ForestModel), &d.model, why);
	if (status != STATUS_OK)
		return status;

	d.model->host = host;
	status = read_forest(&d);
	if (status == STATUS_OK)
		status = read_schema(&d);
	if (status == STATUS_OK)
		status = read_trees(&d);
	if (status == STATUS_OK && d.sections[ARTIFACT_CALIBRATION].bytes != NULL)
		status = calibration_get(&d.sections[ARTIFACT_CALIBRATION], d.model, why);
	if (status != STATUS_OK)
	{
		forest_model_free(d.model);
		return status;
	}
	*out = d.model;
	return STATUS_OK;
}

static Status
decode(const Host *host, const uint8_t *bytes, size_t n_bytes, bool as_nodes, ForestModel **out,
	   Failure *why)
{
	ForestModel *model;
	Status		status = forest_open(host, bytes, n_bytes, &model, why);

	if (status != STATUS_OK)
		return status;
	status = model_build(model, as_nodes, why);
	if (status != STATUS_OK)
	{
		forest_model_free(model);
		return status;
	}
	*out = model;
	return STATUS_OK;
}

Status
forest_decode(const Host *host, const uint8_t *bytes, size_t n_bytes, ForestModel **out,
			  Failure *why)
{
	return decode(host, bytes, n_bytes, false, out, why);
}

Status
decode_as_nodes(const Host *host, const uint8_t *bytes, size_t n_bytes, ForestModel **out,
				Failure *why)
{
	return decode(host, bytes, n_bytes, true, out, why);
}

/* --------------------------------------------------------------- values -- */

static void
copy_rows(ForestModel *model, const TreeBytes *tree)
{
	uint32_t	n_classes = model->schema.n_classes;
	uint32_t   *out = model->class_values + tree->first_value * n_classes;

	for (uint32_t i = 0; i < tree->n_values; i++)
		for (uint32_t k = 0; k < n_classes; k++)
			*out++ = node_share(tree, i, k, n_classes);
}

static void
copy_numbers(ForestModel *model, const TreeBytes *tree)
{
	int64_t    *out = model->blocks.numbers + tree->first_value;

	for (uint32_t i = 0; i < tree->n_values; i++)
		*out++ = node_number(tree, i) / model_number_scale(model);
}

Status
decode_values(ForestModel *model, Failure *why)
{
	uint32_t	n_classes = model->schema.n_classes;
	Status		status = STATUS_OK;

	if (n_classes == 2 || model->n_values == 0)
		return STATUS_OK;
	if (n_classes == 0)
		status = memory_new_raw(model->host, model->n_values, sizeof(int64_t),
								&model->blocks.numbers, why);
	else
		status = memory_new_raw(model->host, model->n_values, n_classes * sizeof(uint32_t),
								&model->class_values, why);
	for (uint32_t t = 0; t < model->n_trees && status == STATUS_OK; t++)
	{
		status = host_poll(model->host, why);
		if (status == STATUS_OK && n_classes == 0)
			copy_numbers(model, &model->tree_bytes[t]);
		else if (status == STATUS_OK)
			copy_rows(model, &model->tree_bytes[t]);
	}
	return status;
}
