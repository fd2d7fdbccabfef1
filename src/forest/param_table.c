/*
 * param_table.c
 *	  The parameter table of forests, and what is said of a name that is not
 *	  in it.
 *
 * Names, meanings and defaults are scikit-learn's (RandomForestClassifier and
 * RandomForestRegressor; ExtraTrees through splitter).
 */
#include <string.h>

#include "core/nearest.h"
#include "forest/params.h"

/* Bytes of a name or value that a message shows. */
#define SHOWN_BYTES 64

/* JSON Schemas of more than one parameter. */
#define BOOLEAN_SCHEMA "{\"type\": \"boolean\"}"
#define AMOUNT_SCHEMA "{\"type\": \"number\", \"minimum\": 0}"
#define LIMIT_SCHEMA(least) \
	"{\"type\": [\"integer\", \"null\"], \"minimum\": " least ", \"maximum\": 2147483647}"
#define COUNT_SCHEMA(least) \
	"{\"type\": \"integer\", \"minimum\": " least ", \"maximum\": 2147483647}"
#define SHARE_SCHEMA "{\"type\": \"number\", \"exclusiveMinimum\": 0, \"maximum\": 1}"

static const ForestParamInfo table[PARAM_COUNT + 1] = {
	[PARAM_BOOTSTRAP] = {"bootstrap", "true or false",
		"true; false if splitter is \"random\"",
		"Grow each tree on a random sample of the rows, drawn with replacement.",
		BOOLEAN_SCHEMA},
	[PARAM_CALIBRATION] = {"calibration", "null, \"sigmoid\" or \"isotonic\"", "null",
		"Turn scores into probabilities by Platt's sigmoid or an isotonic regression, fitted on "
		"out-of-bag scores; of a classification with bootstrap.",
		"{\"enum\": [null, \"sigmoid\", \"isotonic\"]}"},
	[PARAM_CCP_ALPHA] = {"ccp_alpha", "a number of at least 0", "0.0",
		"Prune subtrees that gain less than this per leaf (minimal cost-complexity pruning).",
		AMOUNT_SCHEMA},
	[PARAM_CLASS_WEIGHT] = {"class_weight",
		"null, \"balanced\", \"balanced_subsample\", or an object of class labels and weights of "
		"at least 0", "null",
		"Weigh the rows of each class; classes that are not named have weight 1.",
		"{\"anyOf\": [{\"enum\": [null, \"balanced\", \"balanced_subsample\"]}, "
		"{\"type\": \"object\", \"additionalProperties\": {\"type\": \"number\", \"minimum\": 0}}]}"},
	[PARAM_CRITERION] = {"criterion",
		"\"gini\", \"entropy\" or \"log_loss\" for classification, \"squared_error\" or "
		"\"poisson\" for regression", "\"gini\"; \"squared_error\" for regression",
		"The impurity that splits make smaller; log_loss is entropy.",
		"{\"enum\": [\"gini\", \"entropy\", \"log_loss\", \"squared_error\", \"poisson\"]}"},
	[PARAM_MAX_DEPTH] = {"max_depth", "an integer from 1 to 2147483647, or null", "null",
		"The most splits from the root of a tree to a leaf; null for no limit.",
		LIMIT_SCHEMA("1")},
	[PARAM_MAX_FEATURES] = {"max_features",
		"\"sqrt\", \"log2\", an integer from 1, a fraction above 0 and up to 1.0, or null",
		"\"sqrt\"; 1.0 for regression",
		"How many features, drawn at random, a split chooses from; null for all.",
		"{\"anyOf\": [{\"enum\": [null, \"sqrt\", \"log2\"]}, " COUNT_SCHEMA("1") ", "
		SHARE_SCHEMA "]}"},
	[PARAM_MAX_LEAF_NODES] = {"max_leaf_nodes", "an integer from 2 to 2147483647, or null",
		"null", "The most leaves of a tree, the best splits first; null for no limit.",
		LIMIT_SCHEMA("2")},
	[PARAM_MAX_SAMPLES] = {"max_samples",
		"an integer from 1, a fraction above 0 and up to 1.0, or null", "null",
		"The expected size of a tree's sample; null for as many as there are rows.",
		"{\"anyOf\": [{\"type\": \"null\"}, " COUNT_SCHEMA("1") ", " SHARE_SCHEMA "]}"},
	[PARAM_MIN_IMPURITY_DECREASE] = {"min_impurity_decrease", "a number of at least 0", "0.0",
		"Split only where the impurity, weighted by the share of rows, falls this much.",
		AMOUNT_SCHEMA},
	[PARAM_MIN_SAMPLES_LEAF] = {"min_samples_leaf",
		"an integer from 1, or a fraction above 0 and below 1", "1",
		"The fewest rows in a leaf, or their share of the training rows.",
		"{\"anyOf\": [" COUNT_SCHEMA("1") ", {\"type\": \"number\", \"exclusiveMinimum\": 0, "
		"\"exclusiveMaximum\": 1}]}"},
	[PARAM_MIN_SAMPLES_SPLIT] = {"min_samples_split",
		"an integer from 2, or a fraction above 0 and up to 1.0", "2",
		"The fewest rows in a node that is split, or their share of the training rows.",
		"{\"anyOf\": [" COUNT_SCHEMA("2") ", " SHARE_SCHEMA "]}"},
	[PARAM_MIN_WEIGHT_FRACTION_LEAF] = {"min_weight_fraction_leaf", "a number from 0 to 0.5",
		"0.0", "The least weight in a leaf, as a share of the weight of a tree's sample.",
		"{\"type\": \"number\", \"minimum\": 0, \"maximum\": 0.5}"},
	[PARAM_MONOTONIC_CST] = {"monotonic_cst",
		"null, an array of -1, 0 or 1 per feature, or an object of feature names and -1, 0 or 1",
		"null", "Let predictions only rise (1) or only fall (-1) with a feature.",
		"{\"anyOf\": [{\"type\": \"null\"}, {\"type\": \"array\", \"items\": {\"enum\": [-1, 0, 1]}}, "
		"{\"type\": \"object\", \"additionalProperties\": {\"enum\": [-1, 0, 1]}}]}"},
	[PARAM_N_ESTIMATORS] = {"n_estimators", "an integer from 1 to 100000", "100",
		"The number of trees.",
		"{\"type\": \"integer\", \"minimum\": 1, \"maximum\": 100000}"},
	[PARAM_N_JOBS] = {"n_jobs", "an integer or null", "null",
		"Accepted and not used: max_parallel_maintenance_workers bounds the workers.",
		"{\"type\": [\"integer\", \"null\"]}"},
	[PARAM_OOB_SCORE] = {"oob_score", "true or false", "false",
		"Accepted with bootstrap; out-of-bag metrics are then always computed.",
		BOOLEAN_SCHEMA},
	[PARAM_RANDOM_STATE] = {"random_state", "an integer from 0 to 4294967295, or null", "42",
		"The seed of all random draws; null is the default.",
		"{\"type\": [\"integer\", \"null\"], \"minimum\": 0, \"maximum\": 4294967295}"},
	[PARAM_SPLITTER] = {"splitter", "\"best\" or \"random\"", "\"best\"",
		"Search the best cut of a feature, or draw one (extremely randomized trees).",
		"{\"enum\": [\"best\", \"random\"]}"},
	[PARAM_COUNT] = {NULL, NULL, NULL, NULL, NULL}
};

/* Parameters that are left out, and criteria. */
static const ParamLeftOut left_out_params[] = {
	{"max_bins", "A feature always has up to 255 bins of values and one for missing values.",
		"Leave it out."},
	{"sample_weight", "Weights of rows are data, not a parameter.",
		"Name the column that holds them in the argument \"weight\"."},
	{"verbose", "Nothing is printed while a forest grows.", "Leave it out."},
	{"warm_start", "A trained model is never changed.",
		"Train again with more \"n_estimators\": the first trees will be the same."},
};

static const ParamLeftOut left_out_criteria[] = {
	{"absolute_error", "Sums over the rows of a bin do not tell their median.",
		"Use \"squared_error\" or \"poisson\"."},
	{"friedman_mse", "It would choose the splits that \"squared_error\" chooses.",
		"Use \"squared_error\"."},
};


const ForestParamInfo *
forest_param_table(void)
{
	return table;
}

static const ParamLeftOut *
find_left_out(const ParamLeftOut *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].name, name) == 0)
			return &list[i];
	return NULL;
}

const ParamLeftOut *
params_left_out(const char *name)
{
	return find_left_out(left_out_params, sizeof(left_out_params) / sizeof(left_out_params[0]),
						 name);
}

const ParamLeftOut *
params_left_out_criterion(const char *name)
{
	return find_left_out(left_out_criteria,
						 sizeof(left_out_criteria) / sizeof(left_out_criteria[0]), name);
}

int
params_shown(const char *text)
{
	size_t		n = strlen(text);

	if (n <= SHOWN_BYTES)
		return (int) n;
	n = SHOWN_BYTES;
	while (n > 0 && ((unsigned char) text[n] & 0xC0) == 0x80)
		n--;
	return (int) n;
}

static const char *
known_name(const void *names, size_t i)
{
	return ((const ForestParamInfo *) names)[i].name;
}

static void
hint_names(Failure *why)
{
	char		names[FAILURE_TEXT_BYTES];
	size_t		n = 0;

	for (int id = 0; id < PARAM_COUNT; id++)
	{
		const char *separator = id > 0 ? ", " : "";
		size_t		n_separator = strlen(separator);
		size_t		n_name = strlen(table[id].name);

		if (n + n_separator + n_name >= sizeof(names))
			break;
		memcpy(names + n, separator, n_separator);
		memcpy(names + n + n_separator, table[id].name, n_name);
		n += n_separator + n_name;
	}
	fail_hint(why, "Parameters are %.*s.", (int) n, names);
}

Status
params_unknown(const char *name, Failure *why)
{
	const char *nearest = nearest_name(name, known_name, table);

	fail(why, STATUS_INVALID_PARAMETER, "unrecognized parameter \"%.*s\"", params_shown(name),
		 name);
	if (nearest != NULL)
		fail_hint(why, "Did you mean \"%s\"?", nearest);
	else
		hint_names(why);
	return STATUS_INVALID_PARAMETER;
}
