/*
 * params.c
 *	  ParamSetting and checking the parameters of a forest.
 *
 * As in scikit-learn an integer and a float mean different things:
 * min_samples_leaf 1 is a row, 0.1 a tenth of the rows; max_features 1 is one
 * feature, 1.0 all.
 */
#include <float.h>
#include <string.h>

#include "core/memory.h"
#include "forest/params.h"

#define MAX_COUNT 2147483647
#define MAX_RANDOM_STATE 4294967295.0
#define DEFAULT_RANDOM_STATE 42

/* ------------------------------------------------------------- messages -- */

static const char *
value_text(const ForestValue *value)
{
	switch (value->type)
	{
		case FOREST_VALUE_NULL:
			return "null";
		case FOREST_VALUE_BOOLEAN:
			return value->boolean ? "true" : "false";
		case FOREST_VALUE_NUMBER:
		case FOREST_VALUE_STRING:
			return value->string;
		case FOREST_VALUE_ARRAY:
			return "an array";
		case FOREST_VALUE_OBJECT:
			return "an object";
	}
	return "unknown";
}

/* The value is not one that the table allows. */
Status
params_refuse(const ParamSetting *s)
{
	const char *quote = s->value->type == FOREST_VALUE_STRING ? "\"" : "";
	const char *text = value_text(s->value);

	fail(s->why, STATUS_INVALID_PARAMETER, "parameter \"%s\" is %s%.*s%s", s->info->name, quote,
		 params_shown(text), text, quote);
	fail_detail(s->why, "Allowed is %s.", s->info->values);
	fail_hint(s->why, "Leave it out for the default, %s; SELECT * FROM churnops_parameters() lists all.",
			  s->info->default_text);
	return STATUS_INVALID_PARAMETER;
}

/* An element of an array or object is not one that the table allows. */
Status
params_refuse_item(const ParamSetting *s, size_t i)
{
	const ForestValue *item = &s->value->items[i];
	const char *quote = item->type == FOREST_VALUE_STRING ? "\"" : "";
	const char *text = value_text(item);

	if (s->value->type == FOREST_VALUE_OBJECT)
		fail(s->why, STATUS_INVALID_PARAMETER, "parameter \"%s\" is %s%.*s%s for \"%.*s\"",
			 s->info->name, quote, params_shown(text), text, quote,
			 params_shown(s->value->names[i]), s->value->names[i]);
	else
		fail(s->why, STATUS_INVALID_PARAMETER, "parameter \"%s\" is %s%.*s%s at position %zu",
			 s->info->name, quote, params_shown(text), text, quote, i + 1);
	fail_detail(s->why, "Allowed is %s.", s->info->values);
	fail_hint(s->why, "Leave it out for the default, %s; SELECT * FROM churnops_parameters() lists all.",
			  s->info->default_text);
	return STATUS_INVALID_PARAMETER;
}

/* --------------------------------------------------------- single values -- */

static Status
set_boolean(const ParamSetting *s, bool *out)
{
	if (s->value->type != FOREST_VALUE_BOOLEAN)
		return params_refuse(s);
	*out = s->value->boolean;
	return STATUS_OK;
}

/* An integer from min on, or null, which is kept as 0. */
static Status
set_limit(const ParamSetting *s, double min, int32_t *out)
{
	if (s->value->type == FOREST_VALUE_NULL)
		*out = 0;
	else if (params_is_integer(s->value, min, MAX_COUNT))
		*out = (int32_t) s->value->number;
	else
		return params_refuse(s);
	return STATUS_OK;
}

static Status
set_number(const ParamSetting *s, double max, double *out)
{
	if (!params_is_number(s->value, 0, max))
		return params_refuse(s);
	*out = s->value->number + 0.0;	/* no negative zero */
	return STATUS_OK;
}

/* A count of at least min, or a fraction. */
static Status
set_amount(const ParamSetting *s, double min, ForestAmount *out)
{
	if (!params_is_integer(s->value, min, MAX_COUNT) && !params_is_fraction(s->value))
		return params_refuse(s);
	out->is_fraction = !s->value->is_integer;
	out->value = s->value->number;
	return STATUS_OK;
}

static Status
set_criterion(const ParamSetting *s)
{
	static const struct
	{
		const char *name;
		ForestCriterion criterion;
	}			known[] = {
		{"gini", FOREST_GINI},
		{"entropy", FOREST_ENTROPY},
		{"log_loss", FOREST_ENTROPY},
		{"squared_error", FOREST_SQUARED_ERROR},
		{"poisson", FOREST_POISSON},
	};
	const ParamLeftOut *left_out;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
	{
		if (!params_is_string(s->value, known[i].name))
			continue;
		s->params->criterion = known[i].criterion;
		s->params->criterion_given = true;
		return STATUS_OK;
	}
	left_out = s->value->type == FOREST_VALUE_STRING ?
		params_left_out_criterion(s->value->string) : NULL;
	if (left_out == NULL)
		return params_refuse(s);
	fail(s->why, STATUS_UNSUPPORTED, "criterion \"%s\" is not supported", left_out->name);
	fail_detail(s->why, "%s", left_out->reason);
	fail_hint(s->why, "%s", left_out->hint);
	return STATUS_UNSUPPORTED;
}

static Status
set_max_features(const ParamSetting *s)
{
	ForestParams *params = s->params;

	if (s->value->type == FOREST_VALUE_NULL)
		params->max_features = FOREST_MTRY_ALL;
	else if (params_is_string(s->value, "sqrt"))
		params->max_features = FOREST_MTRY_SQRT;
	else if (params_is_string(s->value, "log2"))
		params->max_features = FOREST_MTRY_LOG2;
	else if (params_is_integer(s->value, 1, MAX_COUNT))
		params->max_features = FOREST_MTRY_COUNT;
	else if (params_is_fraction(s->value))
		params->max_features = FOREST_MTRY_FRACTION;
	else
		return params_refuse(s);
	params->max_features_value = s->value->type == FOREST_VALUE_NUMBER ? s->value->number : 0;
	params->max_features_given = true;
	return STATUS_OK;
}

static Status
set_random_state(const ParamSetting *s)
{
	if (s->value->type == FOREST_VALUE_NULL)
		s->params->random_state = DEFAULT_RANDOM_STATE;
	else if (params_is_integer(s->value, 0, MAX_RANDOM_STATE))
		s->params->random_state = (uint32_t) s->value->number;
	else
		return params_refuse(s);
	return STATUS_OK;
}

static Status
set_splitter(const ParamSetting *s)
{
	bool		random = params_is_string(s->value, "random");

	if (!random && !params_is_string(s->value, "best"))
		return params_refuse(s);
	s->params->random_splitter = random;
	return STATUS_OK;
}

/* ------------------------------------------------------------ parameters -- */

Status
forest_params_new(const Host *host, ForestParams **out, Failure *why)
{
	ForestParams *params;
	Status		status = memory_new(host, 1, sizeof(ForestParams), &params, why);

	if (status != STATUS_OK)
		return status;
	params->n_estimators = 100;
	params->criterion = FOREST_GINI;
	params->min_samples_split.value = 2;
	params->min_samples_leaf.value = 1;
	params->max_features = FOREST_MTRY_SQRT;
	params->bootstrap = true;
	params->random_state = DEFAULT_RANDOM_STATE;
	*out = params;
	return STATUS_OK;
}

void
forest_params_free(const Host *host, ForestParams *params)
{
	if (params == NULL)
		return;
	params_named_free(host, &params->class_weights, &params->n_class_weights);
	params_named_free(host, &params->monotonic, &params->n_monotonic);
	memory_free(host, params, 1, sizeof(ForestParams));
}

static Status
set_max_samples(const ParamSetting *s)
{
	bool		given = s->value->type != FOREST_VALUE_NULL;
	Status		status = given ? set_amount(s, 1, &s->params->max_samples) : STATUS_OK;

	if (status == STATUS_OK)
		s->params->max_samples_given = given;
	return status;
}

static Status
set_min_samples_leaf(const ParamSetting *s)
{
	/* all rows in one leaf would be a tree without a split: not a share that is meant */
	if (params_is_fraction(s->value) && s->value->number == 1)
		return params_refuse(s);
	return set_amount(s, 1, &s->params->min_samples_leaf);
}

static Status
set_n_estimators(const ParamSetting *s)
{
	if (!params_is_integer(s->value, 1, FOREST_MAX_TREES))
		return params_refuse(s);
	s->params->n_estimators = (int32_t) s->value->number;
	return STATUS_OK;
}

static Status
set_bootstrap(const ParamSetting *s)
{
	Status		status = set_boolean(s, &s->params->bootstrap);

	if (status == STATUS_OK)
		s->params->bootstrap_given = true;
	return status;
}

static Status
set_calibration(const ParamSetting *s)
{
	if (s->value->type == FOREST_VALUE_NULL)
		s->params->calibration = FOREST_UNCALIBRATED;
	else if (params_is_string(s->value, "sigmoid"))
		s->params->calibration = FOREST_SIGMOID;
	else if (params_is_string(s->value, "isotonic"))
		s->params->calibration = FOREST_ISOTONIC;
	else
		return params_refuse(s);
	return STATUS_OK;
}

static Status
check_n_jobs(const ParamSetting *s)
{
	if (s->value->type != FOREST_VALUE_NULL && !params_is_integer(s->value, -MAX_COUNT, MAX_COUNT))
		return params_refuse(s);
	return STATUS_OK;
}

static Status
set_param(const ParamSetting *s, ParamId id)
{
	ForestParams *params = s->params;

	switch (id)
	{
		case PARAM_BOOTSTRAP:
			return set_bootstrap(s);
		case PARAM_CALIBRATION:
			return set_calibration(s);
		case PARAM_CCP_ALPHA:
			return set_number(s, DBL_MAX, &params->ccp_alpha);
		case PARAM_CLASS_WEIGHT:
			return params_set_class_weight(s);
		case PARAM_CRITERION:
			return set_criterion(s);
		case PARAM_MAX_DEPTH:
			return set_limit(s, 1, &params->max_depth);
		case PARAM_MAX_FEATURES:
			return set_max_features(s);
		case PARAM_MAX_LEAF_NODES:
			return set_limit(s, 2, &params->max_leaf_nodes);
		case PARAM_MAX_SAMPLES:
			return set_max_samples(s);
		case PARAM_MIN_IMPURITY_DECREASE:
			return set_number(s, DBL_MAX, &params->min_impurity_decrease);
		case PARAM_MIN_SAMPLES_LEAF:
			return set_min_samples_leaf(s);
		case PARAM_MIN_SAMPLES_SPLIT:
			return set_amount(s, 2, &params->min_samples_split);
		case PARAM_MIN_WEIGHT_FRACTION_LEAF:
			return set_number(s, 0.5, &params->min_weight_fraction_leaf);
		case PARAM_MONOTONIC_CST:
			return params_set_monotonic(s);
		case PARAM_N_ESTIMATORS:
			return set_n_estimators(s);
		case PARAM_N_JOBS:
			return check_n_jobs(s);
		case PARAM_OOB_SCORE:
			return set_boolean(s, &params->oob_score);
		case PARAM_RANDOM_STATE:
			return set_random_state(s);
		case PARAM_SPLITTER:
			return set_splitter(s);
		case PARAM_COUNT:
			break;
	}
	return params_refuse(s);
}

/* What is left out may still be given scikit-learn's default. */
static bool
means_nothing(const ForestValue *value)
{
	return value->type == FOREST_VALUE_NULL ||
		(value->type == FOREST_VALUE_BOOLEAN && !value->boolean) ||
		(value->type == FOREST_VALUE_NUMBER && value->number == 0);
}

Status
forest_params_set(const Host *host, ForestParams *params, const char *name,
				  const ForestValue *value, Failure *why)
{
	const ForestParamInfo *table = forest_param_table();
	const ParamLeftOut *left_out = params_left_out(name);

	for (int id = 0; id < PARAM_COUNT; id++)
	{
		ParamSetting		s = {host, params, &table[id], value, why};

		if (strcmp(table[id].name, name) == 0)
			return set_param(&s, (ParamId) id);
	}
	if (left_out == NULL)
		return params_unknown(name, why);
	if (means_nothing(value))
		return STATUS_OK;
	fail(why, STATUS_UNSUPPORTED, "parameter \"%s\" is not supported", name);
	fail_detail(why, "%s", left_out->reason);
	fail_hint(why, "%s", left_out->hint);
	return STATUS_UNSUPPORTED;
}
