/*
 * params_named.c
 *	  The two parameters that are lists: class_weight and monotonic_cst.
 */
#include <float.h>
#include <string.h>

#include "core/memory.h"
#include "forest/params.h"

void
params_named_free(const Host *host, ForestNamedValue **values, size_t *n)
{
	if (*values != NULL)
		for (size_t i = 0; i < *n; i++)
			if ((*values)[i].name != NULL)
				memory_free(host, (*values)[i].name, strlen((*values)[i].name) + 1, 1);
	memory_free(host, *values, *n, sizeof(ForestNamedValue));
	*values = NULL;
	*n = 0;
}

/* Put (name, value) in its place among the n values before, sorted by the bytes of names. */
static Status
named_insert(const ParamSetting *s, size_t i, ForestNamedValue *values)
{
	const char *name = s->value->names[i];
	size_t		n_bytes = strlen(name) + 1;
	size_t		place = i;
	char	   *copy;
	Status		status = memory_new_raw(s->host, n_bytes, 1, &copy, s->why);

	if (status != STATUS_OK)
		return status;
	memcpy(copy, name, n_bytes);
	while (place > 0 && strcmp(values[place - 1].name, name) > 0)
		place--;
	memmove(&values[place + 1], &values[place], (i - place) * sizeof(ForestNamedValue));
	values[place].name = copy;
	values[place].value = s->value->items[i].number + 0.0;	/* no negative zero */
	if (place > 0 && strcmp(values[place - 1].name, name) == 0)
	{
		fail(s->why, STATUS_INVALID_PARAMETER, "parameter \"%s\" has \"%.*s\" twice",
			 s->info->name, params_shown(name), name);
		return STATUS_INVALID_PARAMETER;
	}
	return STATUS_OK;
}

/* The array or object of a setting, its items checked before, in place of *out. */
static Status
set_named(const ParamSetting *s, ForestNamedValue **out, size_t *n_out)
{
	size_t		n = s->value->n_items;
	ForestNamedValue *values;
	Status		status = memory_new(s->host, n, sizeof(ForestNamedValue), &values, s->why);

	for (size_t i = 0; i < n && status == STATUS_OK; i++)
	{
		if (s->value->type == FOREST_VALUE_OBJECT)
			status = named_insert(s, i, values);
		else
			values[i].value = s->value->items[i].number + 0.0;
	}
	if (status != STATUS_OK)
	{
		params_named_free(s->host, &values, &n);
		return status;
	}
	params_named_free(s->host, out, n_out);
	*out = values;
	*n_out = n;
	return STATUS_OK;
}

static Status
refuse_length(const ParamSetting *s, int max)
{
	fail(s->why, STATUS_INVALID_PARAMETER, "parameter \"%s\" has %zu entries", s->info->name,
		 s->value->n_items);
	fail_detail(s->why, "At most %d are allowed.", max);
	return STATUS_INVALID_PARAMETER;
}

Status
params_set_class_weight(const ParamSetting *s)
{
	ForestParams *params = s->params;
	ForestClassWeight kind;

	if (s->value->type == FOREST_VALUE_NULL)
		kind = FOREST_WEIGHT_NONE;
	else if (params_is_string(s->value, "balanced"))
		kind = FOREST_WEIGHT_BALANCED;
	else if (params_is_string(s->value, "balanced_subsample"))
		kind = FOREST_WEIGHT_BALANCED_SUBSAMPLE;
	else if (s->value->type == FOREST_VALUE_OBJECT)
		kind = FOREST_WEIGHT_DICT;
	else
		return params_refuse(s);

	if (kind == FOREST_WEIGHT_DICT)
	{
		Status		status;

		if (s->value->n_items > FOREST_MAX_CLASSES)
			return refuse_length(s, FOREST_MAX_CLASSES);
		for (size_t i = 0; i < s->value->n_items; i++)
			if (!params_is_number(&s->value->items[i], 0, DBL_MAX))
				return params_refuse_item(s, i);
		status = set_named(s, &params->class_weights, &params->n_class_weights);
		if (status != STATUS_OK)
			return status;
	}
	else
		params_named_free(s->host, &params->class_weights, &params->n_class_weights);
	params->class_weight = kind;
	return STATUS_OK;
}

Status
params_set_monotonic(const ParamSetting *s)
{
	ForestParams *params = s->params;
	Status		status;

	if (s->value->type == FOREST_VALUE_NULL)
	{
		params_named_free(s->host, &params->monotonic, &params->n_monotonic);
		return STATUS_OK;
	}
	if (s->value->type != FOREST_VALUE_ARRAY && s->value->type != FOREST_VALUE_OBJECT)
		return params_refuse(s);
	if (s->value->n_items > FOREST_MAX_FEATURES)
		return refuse_length(s, FOREST_MAX_FEATURES);
	for (size_t i = 0; i < s->value->n_items; i++)
		if (!params_is_integer(&s->value->items[i], -1, 1))
			return params_refuse_item(s, i);
	status = set_named(s, &params->monotonic, &params->n_monotonic);
	if (status == STATUS_OK)
		params->monotonic_by_position = s->value->type == FOREST_VALUE_ARRAY;
	return status;
}
