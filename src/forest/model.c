/*
 * model.c
 *	  A decoded model as its users see it: what it knows, what it costs, its end.
 */
#include "core/memory.h"
#include "forest/model.h"

void
forest_model_free(ForestModel *model)
{
	const Host *host;

	if (model == NULL)
		return;
	host = model->host;
	memory_free(host, model->trees, model->n_trees, sizeof(ModelTree));
	memory_free(host, model->nodes, model->n_slots + MODEL_MASK_SLOTS, sizeof(ModelNode));
	memory_free(host, model->more, model->n_slots / 8 + 1, 1);
	memory_free(host, model->cover32, model->n_slots, sizeof(uint32_t));
	memory_free(host, model->cover64, model->n_slots, sizeof(uint64_t));
	memory_free(host, model->entries, model_entries_room(model), sizeof(uint32_t));
	blocks_free(host, &model->blocks);
	memory_free(host, model->blocks.numbers, model->blocks.numbers_capacity, sizeof(int64_t));
	memory_free(host, model->class_values, model->class_capacity,
				model->schema.n_classes * sizeof(uint32_t));
	schema_free(host, &model->schema);
	memory_free(host, model, 1, sizeof(ForestModel));
}

size_t
forest_model_bytes(const ForestModel *model)
{
	size_t		total = sizeof(*model) + schema_bytes(&model->schema);

	total += model->n_trees * sizeof(ModelTree);
	total += model_entries_room(model) * sizeof(uint32_t) + blocks_bytes(&model->blocks);
	if (model->nodes != NULL)
		total += (model->n_slots + MODEL_MASK_SLOTS) * sizeof(ModelNode);
	if (model->more != NULL)
		total += model->n_slots / 8 + 1;
	if (model->cover32 != NULL)
		total += model->n_slots * sizeof(*model->cover32);
	if (model->cover64 != NULL)
		total += model->n_slots * sizeof(*model->cover64);
	total += model->class_capacity * model->schema.n_classes * sizeof(uint32_t);
	return total;
}

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
