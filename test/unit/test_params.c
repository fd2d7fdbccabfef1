/*
 * test_params.c
 *	  Parameters: values, messages, combinations, JSON.
 */
#include "tap.h"
#include "test_host.h"

#include "core/memory.h"
#include "forest/forest.h"

static ForestValue
null(void)
{
	return (ForestValue) {.type = FOREST_VALUE_NULL};
}

static ForestValue
boolean(bool value)
{
	return (ForestValue) {.type = FOREST_VALUE_BOOLEAN, .boolean = value};
}

/* A number as it was written. */
static ForestValue
number(const char *text)
{
	ForestValue value = {.type = FOREST_VALUE_NUMBER, .string = text};

	sscanf(text, "%lf", &value.number);
	value.is_integer = strpbrk(text, ".e") == NULL;
	return value;
}

static ForestValue
string(const char *text)
{
	return (ForestValue) {.type = FOREST_VALUE_STRING, .string = text};
}

static ForestValue
array(const ForestValue *items, size_t n)
{
	return (ForestValue) {.type = FOREST_VALUE_ARRAY, .items = items, .n_items = n};
}

static ForestValue
object(const char *const *names, const ForestValue *items, size_t n)
{
	return (ForestValue) {.type = FOREST_VALUE_OBJECT, .names = names, .items = items,
		.n_items = n};
}

/* One parameter set on defaults. */
typedef struct Set
{
	TestHost	host;
	ForestParams *params;
	Failure		why;
	Status		status;
} Set;

static void
set_begin(Set *s)
{
	test_host_begin(&s->host);
	s->params = NULL;
	memset(&s->why, 0, sizeof(s->why));
	s->status = forest_params_new(&s->host.host, &s->params, &s->why);
}

static void
set(Set *s, const char *name, ForestValue value)
{
	s->status = forest_params_set(&s->host.host, s->params, name, &value, &s->why);
}

static bool
set_end(Set *s)
{
	forest_params_free(&s->host.host, s->params);
	return test_host_end(&s->host);
}

/* The whole JSON, or what was wrong. */
static void
json_of(Set *s, ForestTask task, uint32_t n_classes, char *out, size_t size)
{
	char	   *json;
	size_t		n_bytes;

	s->status = forest_params_finish(s->params, task, n_classes, &s->why);
	if (s->status == STATUS_OK)
		s->status = forest_params_json(&s->host.host, s->params, &json, &n_bytes, &s->why);
	if (s->status != STATUS_OK)
	{
		snprintf(out, size, "%s", s->why.text);
		return;
	}
	snprintf(out, size, "%s", json);
	memory_free(&s->host.host, json, n_bytes, 1);
}

static void
test_defaults(void)
{
	Set			s;
	char		json[2048];

	set_begin(&s);
	json_of(&s, FOREST_CLASSIFICATION, 2, json, sizeof(json));
	tap_is_text(json,
				"{\"bootstrap\": true, \"ccp_alpha\": 0.0, \"class_weight\": null, "
				"\"criterion\": \"gini\", \"max_depth\": null, \"max_features\": \"sqrt\", "
				"\"max_leaf_nodes\": null, \"max_samples\": null, "
				"\"min_impurity_decrease\": 0.0, \"min_samples_leaf\": 1, "
				"\"min_samples_split\": 2, \"min_weight_fraction_leaf\": 0.0, "
				"\"monotonic_cst\": null, \"n_estimators\": 100, \"oob_score\": false, "
				"\"random_state\": 42, \"splitter\": \"best\"}", "defaults of a classification");
	json_of(&s, FOREST_REGRESSION, 0, json, sizeof(json));
	tap_ok(strstr(json, "\"criterion\": \"squared_error\"") != NULL, "criterion of a regression");
	tap_ok(strstr(json, "\"max_features\": 1.0,") != NULL, "max_features of a regression");
	set(&s, "splitter", string("random"));
	json_of(&s, FOREST_CLASSIFICATION, 2, json, sizeof(json));
	tap_ok(strstr(json, "\"bootstrap\": false") != NULL, "random splits: no bootstrap");
	set(&s, "bootstrap", boolean(true));
	json_of(&s, FOREST_CLASSIFICATION, 2, json, sizeof(json));
	tap_ok(strstr(json, "\"bootstrap\": true") != NULL, "unless it is asked for");
	tap_ok(set_end(&s), "no leak");
}

static void
test_table(void)
{
	const ForestParamInfo *table = forest_param_table();
	TestHost	host;
	size_t		n = 0;
	size_t		n_wrong = 0;

	test_host_begin(&host);
	for (; table[n].name != NULL; n++)
	{
		n_wrong += n > 0 && strcmp(table[n - 1].name, table[n].name) >= 0;
		n_wrong += table[n].values == NULL || table[n].default_text == NULL;
		n_wrong += table[n].help == NULL || table[n].help[strlen(table[n].help) - 1] != '.';
	}
	tap_is_int(n, 19, "all parameters are in the table");
	tap_is_int(n_wrong, 0, "in order, with words");
	tap_ok(test_host_end(&host), "no leak");
}

/* A value that is allowed, and how the JSON has it. */
typedef struct Allowed
{
	const char *name;
	ForestValue value;
	const char *json;
} Allowed;

static void
test_allowed(void)
{
	const Allowed allowed[] = {
		{"n_estimators", number("1"), "\"n_estimators\": 1,"},
		{"n_estimators", number("100000"), "\"n_estimators\": 100000,"},
		{"criterion", string("entropy"), "\"criterion\": \"entropy\""},
		{"criterion", string("log_loss"), "\"criterion\": \"entropy\""},
		{"max_depth", number("7"), "\"max_depth\": 7,"},
		{"max_depth", null(), "\"max_depth\": null"},
		{"min_samples_split", number("20"), "\"min_samples_split\": 20,"},
		{"min_samples_split", number("0.1"), "\"min_samples_split\": 0.1,"},
		{"min_samples_split", number("1.0"), "\"min_samples_split\": 1.0,"},
		{"min_samples_leaf", number("5"), "\"min_samples_leaf\": 5,"},
		{"min_samples_leaf", number("0.015"), "\"min_samples_leaf\": 0.015,"},
		{"min_weight_fraction_leaf", number("0.5"), "\"min_weight_fraction_leaf\": 0.5,"},
		{"min_weight_fraction_leaf", number("0"), "\"min_weight_fraction_leaf\": 0.0,"},
		{"max_features", string("log2"), "\"max_features\": \"log2\""},
		{"max_features", number("1"), "\"max_features\": 1,"},
		{"max_features", number("1.0"), "\"max_features\": 1.0,"},
		{"max_features", number("0.3333333333333333"), "\"max_features\": 0.3333333333333333,"},
		{"max_features", null(), "\"max_features\": null"},
		{"max_leaf_nodes", number("2"), "\"max_leaf_nodes\": 2,"},
		{"min_impurity_decrease", number("1e-7"), "\"min_impurity_decrease\": 1e-07,"},
		{"max_samples", number("100"), "\"max_samples\": 100,"},
		{"max_samples", number("0.5"), "\"max_samples\": 0.5,"},
		{"class_weight", string("balanced"), "\"class_weight\": \"balanced\""},
		{"class_weight", string("balanced_subsample"),
			"\"class_weight\": \"balanced_subsample\""},
		{"calibration", string("sigmoid"), "\"calibration\": \"sigmoid\""},
		{"calibration", string("isotonic"), "\"calibration\": \"isotonic\""},
		{"calibration", null(), "\"bootstrap\": true, \"ccp_alpha\""},
		{"ccp_alpha", number("0.01"), "\"ccp_alpha\": 0.01,"},
		{"ccp_alpha", number("-0.0"), "\"ccp_alpha\": 0.0,"},
		{"random_state", number("0"), "\"random_state\": 0,"},
		{"random_state", number("4294967295"), "\"random_state\": 4294967295,"},
		{"random_state", null(), "\"random_state\": 42,"},
		{"oob_score", boolean(true), "\"oob_score\": true"},
		{"splitter", string("random"), "\"splitter\": \"random\""},
		{"n_jobs", number("-1"), "\"n_estimators\": 100,"},
		{"n_jobs", null(), "\"n_estimators\": 100,"},
		{"verbose", number("0"), "\"n_estimators\": 100,"},
		{"warm_start", boolean(false), "\"n_estimators\": 100,"},
	};

	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
	{
		Set			s;
		char		json[2048];
		bool		right;

		set_begin(&s);
		set(&s, allowed[i].name, allowed[i].value);
		right = s.status == STATUS_OK;
		json_of(&s, FOREST_CLASSIFICATION, 2, json, sizeof(json));
		right = right && strstr(json, allowed[i].json) != NULL;
		tap_ok(set_end(&s) && right, "%s: %s", allowed[i].name, allowed[i].json);
	}
}

/* A value that is refused, and what is said. */
typedef struct Refused
{
	const char *name;
	ForestValue value;
	Status		status;
	const char *text;
	const char *detail;
	const char *hint;
} Refused;

static void
test_refused(const Refused *refused, size_t n)
{
	for (size_t i = 0; i < n; i++)
	{
		Set			s;
		bool		right;

		set_begin(&s);
		set(&s, refused[i].name, refused[i].value);
		right = s.status == refused[i].status && strcmp(s.why.text, refused[i].text) == 0 &&
			(refused[i].detail == NULL || strcmp(s.why.detail, refused[i].detail) == 0) &&
			(refused[i].hint == NULL || strcmp(s.why.hint, refused[i].hint) == 0);
		if (!right)
			tap_diag("status %d: \"%s\" / \"%s\" / \"%s\"", (int) s.status, s.why.text,
					 s.why.detail, s.why.hint);
		tap_ok(set_end(&s) && right, "refused: %s", refused[i].text);
	}
}

static void
test_refused_values(void)
{
	const ForestValue two[] = {number("1"), number("2")};
	const ForestValue minus[] = {number("1"), number("-1")};
	const ForestValue texts[] = {string("up")};
	const char *const names[] = {"no", "yes"};
	const char *const same[] = {"a", "a"};
	const ForestValue ones[] = {number("1"), number("1")};
	const Refused refused[] = {
		{"max_depth", number("0"), STATUS_INVALID_PARAMETER, "parameter \"max_depth\" is 0",
			"Allowed is an integer from 1 to 2147483647, or null.",
			"Leave it out for the default, null; SELECT * FROM churnops_parameters() lists all."},
		{"max_depth", number("3.0"), STATUS_INVALID_PARAMETER, "parameter \"max_depth\" is 3.0",
			NULL, NULL},
		{"max_depth", number("2147483648"), STATUS_INVALID_PARAMETER,
			"parameter \"max_depth\" is 2147483648", NULL, NULL},
		{"max_depth", string("deep"), STATUS_INVALID_PARAMETER,
			"parameter \"max_depth\" is \"deep\"", NULL, NULL},
		{"n_estimators", number("0"), STATUS_INVALID_PARAMETER, "parameter \"n_estimators\" is 0",
			"Allowed is an integer from 1 to 100000.",
			"Leave it out for the default, 100; SELECT * FROM churnops_parameters() lists all."},
		{"n_estimators", number("100001"), STATUS_INVALID_PARAMETER,
			"parameter \"n_estimators\" is 100001", NULL, NULL},
		{"n_estimators", null(), STATUS_INVALID_PARAMETER, "parameter \"n_estimators\" is null",
			NULL, NULL},
		{"n_estimators", number("1e2"), STATUS_INVALID_PARAMETER,
			"parameter \"n_estimators\" is 1e2", NULL, NULL},
		{"min_samples_leaf", number("0"), STATUS_INVALID_PARAMETER,
			"parameter \"min_samples_leaf\" is 0", NULL, NULL},
		{"min_samples_leaf", number("1.0"), STATUS_INVALID_PARAMETER,
			"parameter \"min_samples_leaf\" is 1.0", NULL, NULL},
		{"min_samples_split", number("1"), STATUS_INVALID_PARAMETER,
			"parameter \"min_samples_split\" is 1", NULL, NULL},
		{"min_samples_split", number("1.5"), STATUS_INVALID_PARAMETER,
			"parameter \"min_samples_split\" is 1.5", NULL, NULL},
		{"min_weight_fraction_leaf", number("0.6"), STATUS_INVALID_PARAMETER,
			"parameter \"min_weight_fraction_leaf\" is 0.6", "Allowed is a number from 0 to 0.5.",
			"Leave it out for the default, 0.0; SELECT * FROM churnops_parameters() lists all."},
		{"max_features", number("0.0"), STATUS_INVALID_PARAMETER,
			"parameter \"max_features\" is 0.0", NULL, NULL},
		{"max_features", string("auto"), STATUS_INVALID_PARAMETER,
			"parameter \"max_features\" is \"auto\"", NULL, NULL},
		{"max_samples", number("1.01"), STATUS_INVALID_PARAMETER,
			"parameter \"max_samples\" is 1.01", NULL, NULL},
		{"max_leaf_nodes", number("1"), STATUS_INVALID_PARAMETER,
			"parameter \"max_leaf_nodes\" is 1", NULL, NULL},
		{"ccp_alpha", number("-0.1"), STATUS_INVALID_PARAMETER, "parameter \"ccp_alpha\" is -0.1",
			NULL, NULL},
		{"ccp_alpha", (ForestValue) {.type = FOREST_VALUE_NUMBER, .number = NAN,
				.string = "nan"}, STATUS_INVALID_PARAMETER, "parameter \"ccp_alpha\" is nan",
			NULL, NULL},
		{"ccp_alpha", (ForestValue) {.type = FOREST_VALUE_NUMBER, .number = INFINITY,
				.string = "inf"}, STATUS_INVALID_PARAMETER, "parameter \"ccp_alpha\" is inf",
			NULL, NULL},
		{"bootstrap", number("1"), STATUS_INVALID_PARAMETER, "parameter \"bootstrap\" is 1",
			"Allowed is true or false.",
			"Leave it out for the default, true; false if splitter is \"random\"; SELECT * FROM churnops_parameters() lists all."},
		{"random_state", number("-1"), STATUS_INVALID_PARAMETER,
			"parameter \"random_state\" is -1", NULL, NULL},
		{"random_state", number("4294967296"), STATUS_INVALID_PARAMETER,
			"parameter \"random_state\" is 4294967296", NULL, NULL},
		{"splitter", string("Best"), STATUS_INVALID_PARAMETER,
			"parameter \"splitter\" is \"Best\"", NULL, NULL},
		{"n_jobs", string("all"), STATUS_INVALID_PARAMETER, "parameter \"n_jobs\" is \"all\"",
			NULL, NULL},
		{"class_weight", array(two, 2), STATUS_INVALID_PARAMETER,
			"parameter \"class_weight\" is an array", NULL, NULL},
		{"class_weight", object(names, minus, 2), STATUS_INVALID_PARAMETER,
			"parameter \"class_weight\" is -1 for \"yes\"", NULL, NULL},
		{"class_weight", object(same, ones, 2), STATUS_INVALID_PARAMETER,
			"parameter \"class_weight\" has \"a\" twice", NULL, NULL},
		{"class_weight", object(names, ones, 1001), STATUS_INVALID_PARAMETER,
			"parameter \"class_weight\" has 1001 entries", "At most 1000 are allowed.", ""},
		{"monotonic_cst", array(two, 2), STATUS_INVALID_PARAMETER,
			"parameter \"monotonic_cst\" is 2 at position 2", NULL, NULL},
		{"monotonic_cst", object(names, two, 2), STATUS_INVALID_PARAMETER,
			"parameter \"monotonic_cst\" is 2 for \"yes\"", NULL, NULL},
		{"monotonic_cst", array(texts, 1), STATUS_INVALID_PARAMETER,
			"parameter \"monotonic_cst\" is \"up\" at position 1", NULL, NULL},
		{"monotonic_cst", number("1"), STATUS_INVALID_PARAMETER,
			"parameter \"monotonic_cst\" is 1", NULL, NULL},
		{"calibration", string("platt"), STATUS_INVALID_PARAMETER,
			"parameter \"calibration\" is \"platt\"",
			"Allowed is null, \"sigmoid\" or \"isotonic\".", NULL},
		{"criterion", string("mse"), STATUS_INVALID_PARAMETER,
			"parameter \"criterion\" is \"mse\"", NULL, NULL},
		{"criterion", string("absolute_error"), STATUS_UNSUPPORTED,
			"criterion \"absolute_error\" is not supported", NULL,
			"Use \"squared_error\" or \"poisson\"."},
		{"criterion", string("friedman_mse"), STATUS_UNSUPPORTED,
			"criterion \"friedman_mse\" is not supported", NULL, "Use \"squared_error\"."},
		{"warm_start", boolean(true), STATUS_UNSUPPORTED,
			"parameter \"warm_start\" is not supported", "A trained model is never changed.",
			NULL},
		{"verbose", number("1"), STATUS_UNSUPPORTED, "parameter \"verbose\" is not supported",
			NULL, "Leave it out."},
		{"max_bins", number("63"), STATUS_UNSUPPORTED, "parameter \"max_bins\" is not supported",
			NULL, NULL},
	};

	test_refused(refused, sizeof(refused) / sizeof(refused[0]));
}

static void
test_unknown_names(void)
{
	static const char all[] = "Parameters are bootstrap, calibration, ccp_alpha, class_weight, criterion, "
		"max_depth, max_features, max_leaf_nodes, max_samples, min_impurity_decrease, "
		"min_samples_leaf, min_samples_split, min_weight_fraction_leaf, monotonic_cst, "
		"n_estimators, n_jobs, oob_score, random_state, splitter.";
	static const char *const near[][2] = {
		{"n_estimator", "n_estimators"}, {"estimators", "n_estimators"},
		{"maxDepth", "max_depth"}, {"max-depth", "max_depth"}, {"MAX_DEPTH", "max_depth"},
		{"min_sample_leaf", "min_samples_leaf"}, {"randomstate", "random_state"},
		{"monotonic_constraints", ""}, {"seed", ""}, {"depth", ""}, {"", ""}, {"x", ""},
	};
	char		hint[128];
	Set			s;

	set_begin(&s);
	for (size_t i = 0; i < sizeof(near) / sizeof(near[0]); i++)
	{
		set(&s, near[i][0], number("1"));
		snprintf(hint, sizeof(hint), "Did you mean \"%s\"?", near[i][1]);
		tap_is_text(s.why.hint, near[i][1][0] != '\0' ? hint : all, "near \"%s\"", near[i][0]);
	}
	tap_is_int(s.status, STATUS_INVALID_PARAMETER, "an unknown name is refused");
	tap_is_text(s.why.text, "unrecognized parameter \"x\"", "and named");

	set(&s, "caf\xC3\xA9_caf\xC3\xA9_caf\xC3\xA9_caf\xC3\xA9_caf\xC3\xA9_caf\xC3\xA9_caf\xC3\xA9_"
		"caf\xC3\xA9_caf\xC3\xA9_caf\xC3\xA9_caf\xC3\xA9", number("1"));
	tap_is_text(s.why.text, "unrecognized parameter \"caf\xC3\xA9_caf\xC3\xA9_caf\xC3\xA9_"
				"caf\xC3\xA9_caf\xC3\xA9_caf\xC3\xA9_caf\xC3\xA9_caf\xC3\xA9_caf\xC3\xA9_"
				"caf\xC3\xA9_caf\"", "a long name is cut at a character");
	tap_ok(set_end(&s), "no leak");
}

static void
test_lists(void)
{
	const ForestValue weights[] = {number("2"), number("0.5"), number("0")};
	const char *const labels[] = {"yes", "a \"b\"\n", "no"};
	const ForestValue signs[] = {number("1"), number("0"), number("-1")};
	const char *const features[] = {"tenure", "x", "age"};
	char		json[2048];
	Set			s;

	set_begin(&s);
	set(&s, "class_weight", object(labels, weights, 3));
	set(&s, "monotonic_cst", array(signs, 3));
	json_of(&s, FOREST_CLASSIFICATION, 2, json, sizeof(json));
	tap_ok(strstr(json, "\"class_weight\": {\"a \\\"b\\\"\\u000a\": 0.5, \"no\": 0.0, "
				  "\"yes\": 2.0}") != NULL, "labels are sorted and escaped");
	tap_ok(strstr(json, "\"monotonic_cst\": [1, 0, -1]") != NULL, "by position");

	/* each replaces what was there */
	set(&s, "class_weight", object(labels, weights, 1));
	set(&s, "monotonic_cst", object(features, signs, 3));
	json_of(&s, FOREST_CLASSIFICATION, 2, json, sizeof(json));
	tap_ok(strstr(json, "\"class_weight\": {\"yes\": 2.0}") != NULL, "replaced");
	tap_ok(strstr(json, "\"monotonic_cst\": {\"age\": -1, \"tenure\": 1, \"x\": 0}") != NULL,
		   "by name");
	set(&s, "class_weight", null());
	set(&s, "monotonic_cst", null());
	json_of(&s, FOREST_CLASSIFICATION, 2, json, sizeof(json));
	tap_ok(strstr(json, "\"class_weight\": null") != NULL &&
		   strstr(json, "\"monotonic_cst\": null") != NULL, "taken away");
	tap_ok(set_end(&s), "no leak");
}

static void
test_combinations(void)
{
	const ForestValue signs[] = {number("1")};
	char		json[2048];
	Set			s;

	set_begin(&s);
	set(&s, "criterion", string("poisson"));
	json_of(&s, FOREST_CLASSIFICATION, 2, json, sizeof(json));
	tap_is_text(json, "parameter \"criterion\" is \"poisson\" in a classification",
				"a criterion of regression");
	tap_is_text(s.why.detail, "Allowed is \"gini\", \"entropy\" or \"log_loss\".", "says which");
	set(&s, "criterion", string("gini"));
	json_of(&s, FOREST_REGRESSION, 0, json, sizeof(json));
	tap_is_text(json, "parameter \"criterion\" is \"gini\" in a regression",
				"a criterion of classification");
	tap_ok(set_end(&s), "no leak");

	set_begin(&s);
	set(&s, "bootstrap", boolean(false));
	set(&s, "max_samples", number("0.5"));
	json_of(&s, FOREST_CLASSIFICATION, 2, json, sizeof(json));
	tap_is_text(json, "parameter \"max_samples\" needs \"bootstrap\"", "max_samples");
	set(&s, "calibration", string("sigmoid"));
	json_of(&s, FOREST_CLASSIFICATION, 2, json, sizeof(json));
	tap_is_text(json, "parameter \"calibration\" needs \"bootstrap\"", "calibration");
	set(&s, "calibration", null());
	set(&s, "oob_score", boolean(true));
	json_of(&s, FOREST_CLASSIFICATION, 2, json, sizeof(json));
	tap_is_text(json, "parameter \"oob_score\" needs \"bootstrap\"", "oob_score");
	tap_is_text(s.why.hint, "Set \"bootstrap\" to true, or leave out \"oob_score\".", "a hint");
	set(&s, "oob_score", boolean(false));
	set(&s, "max_samples", null());
	set(&s, "class_weight", string("balanced_subsample"));
	json_of(&s, FOREST_CLASSIFICATION, 2, json, sizeof(json));
	tap_ok(strstr(json, "\"class_weight\": \"balanced\"") != NULL,
		   "balanced_subsample without samples is balanced");
	json_of(&s, FOREST_REGRESSION, 0, json, sizeof(json));
	tap_is_text(json, "parameter \"class_weight\" in a regression", "class_weight");
	set(&s, "class_weight", null());
	set(&s, "bootstrap", boolean(true));
	set(&s, "calibration", string("isotonic"));
	json_of(&s, FOREST_REGRESSION, 0, json, sizeof(json));
	tap_is_text(json, "parameter \"calibration\" in a regression", "calibration");
	set(&s, "calibration", null());
	set(&s, "class_weight", null());
	set(&s, "monotonic_cst", array(signs, 1));
	json_of(&s, FOREST_CLASSIFICATION, 3, json, sizeof(json));
	tap_is_text(json, "parameter \"monotonic_cst\" in a classification of 3 classes",
				"monotonic_cst");
	json_of(&s, FOREST_REGRESSION, 0, json, sizeof(json));
	tap_is_int(s.status, STATUS_OK, "monotonic_cst in a regression");
	tap_ok(set_end(&s), "no leak");
}

static Status
all_of_it(const Host *host, void *arg, Failure *why)
{
	const ForestValue numbers[] = {number("1"), number("0"), number("0")};
	const char *const names[] = {"b", "a", "c"};
	const ForestValue value = object(names, numbers, 3);
	ForestParams *params;
	char	   *json;
	size_t		n_bytes;
	Status		status = forest_params_new(host, &params, why);

	(void) arg;
	if (status != STATUS_OK)
		return status;
	status = forest_params_set(host, params, "class_weight", &value, why);
	if (status == STATUS_OK)
		status = forest_params_set(host, params, "class_weight", &value, why);
	if (status == STATUS_OK)
		status = forest_params_set(host, params, "monotonic_cst", &value, why);
	if (status == STATUS_OK)
		status = forest_params_finish(params, FOREST_CLASSIFICATION, 2, why);
	if (status == STATUS_OK)
		status = forest_params_json(host, params, &json, &n_bytes, why);
	if (status == STATUS_OK)
		memory_free(host, json, n_bytes, 1);
	forest_params_free(host, params);
	return status;
}

int
main(void)
{
	test_defaults();
	test_table();
	test_allowed();
	test_refused_values();
	test_unknown_names();
	test_lists();
	test_combinations();
	tap_ok(test_sweep_memory(all_of_it, NULL, 14), "survives refusal of memory");
	return tap_done();
}
