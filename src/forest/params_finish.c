/*
 * params_finish.c
 *	  Parameters resolved for a task, and written down as JSON.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "forest/params.h"

/* ------------------------------------------------------------ resolving -- */

const char *
params_criterion_name(ForestCriterion criterion)
{
	switch (criterion)
	{
		case FOREST_GINI:
			return "gini";
		case FOREST_ENTROPY:
			return "entropy";
		case FOREST_SQUARED_ERROR:
			return "squared_error";
		case FOREST_POISSON:
			return "poisson";
	}
	return "unknown";
}

const char *
params_calibration_name(ForestCalibrationKind kind)
{
	return kind == FOREST_SIGMOID ? "sigmoid" : "isotonic";
}

static Status
finish_criterion(ForestParams *params, ForestTask task, Failure *why)
{
	bool		regression = task == FOREST_REGRESSION;
	bool		of_regression = params->criterion == FOREST_SQUARED_ERROR ||
		params->criterion == FOREST_POISSON;

	if (!params->criterion_given)
		params->criterion = regression ? FOREST_SQUARED_ERROR : FOREST_GINI;
	else if (of_regression != regression)
	{
		fail(why, STATUS_INVALID_PARAMETER, "parameter \"criterion\" is \"%s\" in a %s",
			 params_criterion_name(params->criterion),
			 regression ? "regression" : "classification");
		fail_detail(why, "Allowed is %s.", regression ? "\"squared_error\" or \"poisson\"" :
					"\"gini\", \"entropy\" or \"log_loss\"");
		return STATUS_INVALID_PARAMETER;
	}
	return STATUS_OK;
}

/* What needs a bootstrap, and what depends on there being one. */
static Status
finish_bootstrap(ForestParams *params, Failure *why)
{
	const char *needs = NULL;

	if (!params->bootstrap_given)
		params->bootstrap = !params->random_splitter;
	if (params->bootstrap)
		return STATUS_OK;
	if (params->calibration != FOREST_UNCALIBRATED)
		needs = "calibration";
	else if (params->oob_score)
		needs = "oob_score";
	else if (params->max_samples_given)
		needs = "max_samples";
	if (needs != NULL)
	{
		fail(why, STATUS_INVALID_PARAMETER, "parameter \"%s\" needs \"bootstrap\"", needs);
		fail_hint(why, "Set \"bootstrap\" to true, or leave out \"%s\".", needs);
		return STATUS_INVALID_PARAMETER;
	}

	/* without samples of its own every tree has the classes of all rows */
	if (params->class_weight == FOREST_WEIGHT_BALANCED_SUBSAMPLE)
		params->class_weight = FOREST_WEIGHT_BALANCED;
	return STATUS_OK;
}

Status
forest_params_finish(ForestParams *params, ForestTask task, uint32_t n_classes, Failure *why)
{
	bool		regression = task == FOREST_REGRESSION;
	Status		status = finish_criterion(params, task, why);

	if (status == STATUS_OK)
		status = finish_bootstrap(params, why);
	if (status != STATUS_OK)
		return status;
	if (!params->max_features_given)
	{
		params->max_features = regression ? FOREST_MTRY_FRACTION : FOREST_MTRY_SQRT;
		params->max_features_value = regression ? 1 : 0;
	}
	if (regression && params->class_weight != FOREST_WEIGHT_NONE)
	{
		fail(why, STATUS_INVALID_PARAMETER, "parameter \"class_weight\" in a regression");
		fail_hint(why, "Leave it out, or give the rows weights.");
		return STATUS_INVALID_PARAMETER;
	}
	if (regression && params->calibration != FOREST_UNCALIBRATED)
	{
		fail(why, STATUS_INVALID_PARAMETER, "parameter \"calibration\" in a regression");
		fail_detail(why, "Only probabilities of classes are calibrated.");
		fail_hint(why, "Leave it out.");
		return STATUS_INVALID_PARAMETER;
	}
	if (params->n_monotonic > 0 && n_classes > 2)
	{
		fail(why, STATUS_INVALID_PARAMETER,
			 "parameter \"monotonic_cst\" in a classification of %u classes",
			 (unsigned) n_classes);
		fail_detail(why, "Only a regression or two classes have one direction.");
		return STATUS_INVALID_PARAMETER;
	}
	return STATUS_OK;
}

/* ----------------------------------------------------------------- JSON -- */

static void
put_raw(ByteWriter *w, const char *text)
{
	bytes_put(w, text, strlen(text));
}

static void
put_string(ByteWriter *w, const char *text)
{
	static const char digits[] = "0123456789abcdef";

	bytes_put_u8(w, '"');
	for (const char *p = text; *p != '\0'; p++)
	{
		unsigned char c = (unsigned char) *p;

		if (c == '"' || c == '\\')
			bytes_put_u8(w, '\\');
		if (c >= 0x20)
		{
			bytes_put_u8(w, c);
			continue;
		}
		put_raw(w, "\\u00");
		bytes_put_u8(w, (uint8_t) digits[c >> 4]);
		bytes_put_u8(w, (uint8_t) digits[c & 15]);
	}
	bytes_put_u8(w, '"');
}

/* Begin a member of the object; the first one comes after "{". */
static void
put_key(ByteWriter *w, const char *key)
{
	if (w->n_bytes > 1)
		put_raw(w, ", ");
	put_string(w, key);
	put_raw(w, ": ");
}

static void
put_integer(ByteWriter *w, double value)
{
	char		text[32];

	snprintf(text, sizeof(text), "%.0f", value);
	put_raw(w, text);
}

/*
 * The shortest decimal that reads back as the same double, with a sign that
 * it is a float.  (The decimal point is C's: a backend's LC_NUMERIC.)
 */
static void
put_real(ByteWriter *w, double value)
{
	char		text[40];

	for (int digits = 15; digits <= 17; digits++)
	{
		snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	put_raw(w, text);
	if (strpbrk(text, ".e") == NULL)
		put_raw(w, ".0");
}

static void
put_boolean(ByteWriter *w, bool value)
{
	put_raw(w, value ? "true" : "false");
}

/* A limit, of which 0 is none. */
static void
put_limit(ByteWriter *w, int32_t value)
{
	if (value == 0)
		put_raw(w, "null");
	else
		put_integer(w, value);
}

static void
put_amount(ByteWriter *w, ForestAmount amount)
{
	if (amount.is_fraction)
		put_real(w, amount.value);
	else
		put_integer(w, amount.value);
}

static void
put_class_weight(ByteWriter *w, const ForestParams *params)
{
	switch (params->class_weight)
	{
		case FOREST_WEIGHT_NONE:
			put_raw(w, "null");
			break;
		case FOREST_WEIGHT_BALANCED:
			put_string(w, "balanced");
			break;
		case FOREST_WEIGHT_BALANCED_SUBSAMPLE:
			put_string(w, "balanced_subsample");
			break;
		case FOREST_WEIGHT_DICT:
			put_raw(w, "{");
			for (size_t i = 0; i < params->n_class_weights; i++)
			{
				put_raw(w, i > 0 ? ", " : "");
				put_string(w, params->class_weights[i].name);
				put_raw(w, ": ");
				put_real(w, params->class_weights[i].value);
			}
			put_raw(w, "}");
			break;
	}
}

static void
put_monotonic(ByteWriter *w, const ForestParams *params)
{
	bool		array = params->monotonic_by_position;

	if (params->monotonic == NULL)
	{
		put_raw(w, "null");
		return;
	}
	put_raw(w, array ? "[" : "{");
	for (size_t i = 0; i < params->n_monotonic; i++)
	{
		put_raw(w, i > 0 ? ", " : "");
		if (!array)
		{
			put_string(w, params->monotonic[i].name);
			put_raw(w, ": ");
		}
		put_integer(w, params->monotonic[i].value);
	}
	put_raw(w, array ? "]" : "}");
}

static void
put_max_features(ByteWriter *w, const ForestParams *params)
{
	switch (params->max_features)
	{
		case FOREST_MTRY_ALL:
			put_raw(w, "null");
			break;
		case FOREST_MTRY_SQRT:
			put_string(w, "sqrt");
			break;
		case FOREST_MTRY_LOG2:
			put_string(w, "log2");
			break;
		case FOREST_MTRY_COUNT:
			put_integer(w, params->max_features_value);
			break;
		case FOREST_MTRY_FRACTION:
			put_real(w, params->max_features_value);
			break;
	}
}

static void
put_max_samples(ByteWriter *w, const ForestParams *params)
{
	if (params->max_samples_given)
		put_amount(w, params->max_samples);
	else
		put_raw(w, "null");
}

/* The members, in the order of their names. */
static void
put_params(ByteWriter *w, const ForestParams *params)
{
	put_key(w, "bootstrap");
	put_boolean(w, params->bootstrap);
	if (params->calibration != FOREST_UNCALIBRATED)
	{
		/* only where it is used: parameters of other trainings stay as they were */
		put_key(w, "calibration");
		put_string(w, params_calibration_name(params->calibration));
	}
	put_key(w, "ccp_alpha");
	put_real(w, params->ccp_alpha);
	put_key(w, "class_weight");
	put_class_weight(w, params);
	put_key(w, "criterion");
	put_string(w, params_criterion_name(params->criterion));
	put_key(w, "max_depth");
	put_limit(w, params->max_depth);
	put_key(w, "max_features");
	put_max_features(w, params);
	put_key(w, "max_leaf_nodes");
	put_limit(w, params->max_leaf_nodes);
	put_key(w, "max_samples");
	put_max_samples(w, params);
	put_key(w, "min_impurity_decrease");
	put_real(w, params->min_impurity_decrease);
	put_key(w, "min_samples_leaf");
	put_amount(w, params->min_samples_leaf);
	put_key(w, "min_samples_split");
	put_amount(w, params->min_samples_split);
	put_key(w, "min_weight_fraction_leaf");
	put_real(w, params->min_weight_fraction_leaf);
	put_key(w, "monotonic_cst");
	put_monotonic(w, params);
	put_key(w, "n_estimators");
	put_integer(w, params->n_estimators);
	put_key(w, "oob_score");
	put_boolean(w, params->oob_score);
	put_key(w, "random_state");
	put_integer(w, params->random_state);
	put_key(w, "splitter");
	put_string(w, params->random_splitter ? "random" : "best");
}

Status
forest_params_json(const Host *host, const ForestParams *params, char **out, size_t *n_bytes,
				   Failure *why)
{
	ByteWriter	w;

	bytes_writer_begin(&w, host, why);
	put_raw(&w, "{");
	put_params(&w, params);
	put_raw(&w, "}");
	bytes_put_u8(&w, '\0');
	if (w.status != STATUS_OK)
	{
		bytes_writer_free(&w);
		return w.status;
	}
	*out = (char *) w.bytes;
	*n_bytes = w.capacity;
	return STATUS_OK;
}
