/*
 * params.h
 *	  Inside of the parameters: what params*.c share.  Private to src/forest.
 */
#ifndef CHURNOPS_FOREST_PARAMS_H
#define CHURNOPS_FOREST_PARAMS_H

#include <string.h>

#include "forest/forest.h"

/* Rows of the parameter table, by name. */
typedef enum ParamId
{
	PARAM_BOOTSTRAP,
	PARAM_CALIBRATION,
	PARAM_CCP_ALPHA,
	PARAM_CLASS_WEIGHT,
	PARAM_CRITERION,
	PARAM_MAX_DEPTH,
	PARAM_MAX_FEATURES,
	PARAM_MAX_LEAF_NODES,
	PARAM_MAX_SAMPLES,
	PARAM_MIN_IMPURITY_DECREASE,
	PARAM_MIN_SAMPLES_LEAF,
	PARAM_MIN_SAMPLES_SPLIT,
	PARAM_MIN_WEIGHT_FRACTION_LEAF,
	PARAM_MONOTONIC_CST,
	PARAM_N_ESTIMATORS,
	PARAM_N_JOBS,
	PARAM_OOB_SCORE,
	PARAM_RANDOM_STATE,
	PARAM_SPLITTER,
	PARAM_COUNT
} ParamId;

/* One call of forest_params_set(). */
typedef struct ParamSetting
{
	const Host *host;
	ForestParams *params;
	const ForestParamInfo *info;
	const ForestValue *value;
	Failure    *why;
} ParamSetting;

/* Something of scikit-learn that is left out: a parameter, or a value of one. */
typedef struct ParamLeftOut
{
	const char *name;
	const char *reason;			/* a sentence */
	const char *hint;			/* what to do, a sentence */
} ParamLeftOut;

/* The entry of a name, or NULL. */
extern const ParamLeftOut *params_left_out(const char *name);
extern const ParamLeftOut *params_left_out_criterion(const char *name);

/* STATUS_INVALID_PARAMETER: no such parameter; names the nearest, or all. */
extern Status params_unknown(const char *name, Failure *why);

/* Bytes of a text that a message shows, cut at a character. */
extern int	params_shown(const char *text);

/* STATUS_INVALID_PARAMETER: the value, or its i-th item, is not one that the table allows. */
extern Status params_refuse(const ParamSetting *s);
extern Status params_refuse_item(const ParamSetting *s, size_t i);

extern Status params_set_class_weight(const ParamSetting *s);
extern Status params_set_monotonic(const ParamSetting *s);
extern void params_named_free(const Host *host, ForestNamedValue **values, size_t *n);

/* The spelling of values in the table. */
extern const char *params_criterion_name(ForestCriterion criterion);
extern const char *params_calibration_name(ForestCalibrationKind kind);

static inline bool
params_is_integer(const ForestValue *value, double min, double max)
{
	return value->type == FOREST_VALUE_NUMBER && value->is_integer && value->number >= min &&
		value->number <= max;
}

static inline bool
params_is_number(const ForestValue *value, double min, double max)
{
	return value->type == FOREST_VALUE_NUMBER && value->number >= min && value->number <= max;
}

/* A share, written as a float: above 0 and up to 1.0. */
static inline bool
params_is_fraction(const ForestValue *value)
{
	return value->type == FOREST_VALUE_NUMBER && !value->is_integer && value->number > 0 &&
		value->number <= 1;
}

static inline bool
params_is_string(const ForestValue *value, const char *string)
{
	return value->type == FOREST_VALUE_STRING && strcmp(value->string, string) == 0;
}

#endif
