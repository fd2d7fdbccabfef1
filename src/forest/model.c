/*
 * model.c
 *	  A model as its users see it: what it knows, what it costs, its forms, its
 *	  end.
 */
#include "core/memory.h"
#include "forest/calibration.h"
#include "forest/decode.h"

/* Free what trees have been made into. */
static void
free_form(ForestModel *model)
{
	const Host *host = model->host;

	memory_free(host, model->nodes, model->n_slots + MODEL_MASK_SLOTS, sizeof(ModelNode));
	memory_free(host, model->more, model->n_slots / 8 + 1, 1);
	memory_free(host, model->entries, model_entries_room(model), sizeof(uint32_t));
	memory_free(host, model->class_values, model->n_values,
				model->schema.n_classes * sizeof(uint32_t));
	memory_free(host, model->blocks.numbers, model->n_values, sizeof(int64_t));
	blocks_free(host, &model->blocks);
}

static void
free_bytes(ForestModel *model)
{
	memory_free(model->host, model->tree_bytes, model->n_trees, sizeof(TreeBytes));
	model->tree_bytes = NULL;
}

void
forest_model_free(ForestModel *model)
{
	if (model == NULL)
		return;
	free_bytes(model);
	free_form(model);
	memory_free(model->host, model->trees, model->n_trees, sizeof(ModelTree));
	calibration_free(model->host, model->calibration);
	schema_free(model->host, &model->schema);
	memory_free(model->host, model, 1, sizeof(ForestModel));
}

size_t
forest_model_bytes(const ForestModel *model)
{
	size_t		total = sizeof(*model) + schema_bytes(&model->schema);

	total += model->n_trees * sizeof(ModelTree) + calibration_bytes(model->calibration);
	if (model->tree_bytes != NULL)
		return total + model->n_trees * sizeof(TreeBytes);
	total += model_entries_room(model) * sizeof(uint32_t) + blocks_bytes(&model->blocks);
	if (model->nodes != NULL)
		total += (model->n_slots + MODEL_MASK_SLOTS) * sizeof(ModelNode);
	if (model->more != NULL)
		total += model->n_slots / 8 + 1;
	if (model->class_values != NULL)
		total += model->n_values * model->schema.n_classes * sizeof(uint32_t);
	if (model->blocks.numbers != NULL)
		total += model->n_values * sizeof(int64_t);
	return total;
}

/* ---------------------------------------------------------------- forms -- */

Status
model_build(ForestModel *model, bool as_nodes, Failure *why)
{
	Status		status;

	if (!as_nodes && blocks_layout(&model->blocks, &model->schema))
		status = decode_blocks(model, why);
	else
		status = decode_nodes(model, why);
	if (status == STATUS_OK)
	{
		free_bytes(model);
		return status;
	}
	free_form(model);
	memset(&model->blocks, 0, sizeof(model->blocks));
	model->n_slots = 0;
	model->nodes = NULL;
	model->more = NULL;
	model->entries = NULL;
	model->class_values = NULL;
	return status;
}

bool
forest_model_is_bytes(const ForestModel *model)
{
	return model->tree_bytes != NULL;
}

void
forest_expect(ForestModel *model, size_t n_rows)
{
	Failure		why;

	if (model->tree_bytes == NULL)
		return;
	if (n_rows <= model->n_until_built)
		model->n_until_built -= n_rows;
	else if (model_build(model, false, &why) != STATUS_OK)
		model->n_until_built = MODEL_RETRY_ROWS;
}

/* ------------------------------------------------------------- contract -- */

ForestTask
forest_model_task(const ForestModel *model)
{
	return model->schema.task;
}

uint32_t
forest_model_n_features(const ForestModel *model)
{
	return model->schema.n_features;
}

uint32_t
forest_model_n_trees(const ForestModel *model)
{
	return model->n_trees;
}

const char *
forest_model_feature_name(const ForestModel *model, uint32_t feature)
{
	return model->schema.features[feature].name.bytes;
}

ForestKind
forest_model_feature_kind(const ForestModel *model, uint32_t feature)
{
	return model->schema.features[feature].kind;
}

double
forest_model_importance(const ForestModel *model, uint32_t feature)
{
	return model->schema.features[feature].importance;
}

uint32_t
forest_model_n_classes(const ForestModel *model)
{
	return model->schema.n_classes;
}

const char *
forest_model_class_label(const ForestModel *model, uint32_t class_index)
{
	return model->schema.classes[class_index].bytes;
}

size_t
forest_model_row_bytes(const ForestModel *model)
{
	return model->row_bytes;
}

uint32_t
forest_model_n_outputs(const ForestModel *model)
{
	return model->n_outputs;
}

uint8_t
forest_model_encode(const ForestModel *model, uint32_t feature, const ForestCell *cell)
{
	return schema_encode(&model->schema.features[feature], cell);
}

void
forest_model_encode_numbers(const ForestModel *model, const uint16_t *features,
							const double *numbers, uint32_t n, uint8_t *row)
{
	schema_encode_numbers(&model->schema, features, numbers, n,
						  cpu_level(model->host->cpu_limit), row);
}
