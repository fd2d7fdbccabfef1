/*
 * spec_fixture.c
 *	  Checking a pipeline with names as the binding has them.
 */
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "spec_fixture.h"

SpecNames
spec_fixture_names(void)
{
	static const SpecName hyperparameters[] = {
		{.name = "n_estimators", .schema = "{\"type\":\"integer\"}", .fallback = "100",
			.help = "Trees."},
		{.name = "max_depth", .schema = "{}", .fallback = "null", .help = "Depth."},
		{.name = "max_features", .schema = "{}", .fallback = "null", .help = "Features."},
		{.name = "min_samples_leaf", .schema = "{}", .fallback = "1", .help = "Rows."},
		{.name = "class_weight", .schema = "{}", .fallback = "null", .help = "Weights."},
		{.name = "monotonic_cst", .schema = "{}", .fallback = "null", .help = "Constraints."},
		{.name = "splitter", .schema = "{}", .fallback = "best", .help = "Cuts."},
		{.name = "verbose", .hidden = true},
		{0}
	};
	static const SpecName metrics[] = {
		{.name = "accuracy"}, {.name = "roc_auc"}, {.name = "f1"}, {.name = "log_loss", .falls = true},
		{.name = "rmse", .falls = true}, {0}
	};
	static const SpecName expectations[] = {
		{.name = "expect_column_to_exist", .keys = "column! column_index severity meta",
			.help = "The column is there."},
		{.name = "expect_column_values_to_be_between", .help = "Values are in a range.",
			.keys = "column! min_value max_value strict_min strict_max mostly severity meta"},
		{.name = "expect_column_values_to_be_in_set", .keys = "column! value_set! mostly severity meta",
			.help = "Values are among these."},
		{.name = "expect_column_values_to_not_be_null", .keys = "column! mostly severity meta",
			.help = "No value is NULL."},
		{.name = "expect_a"}, {.name = "expect_b"}, {.name = "expect_c"}, {0}
	};
	SpecNames	names = {{NULL}};

	names.list[SPEC_EXPECTATIONS] = expectations;
	names.list[SPEC_HYPERPARAMETERS] = hyperparameters;
	names.list[SPEC_METRICS] = metrics;
	return names;
}

static Status
check(const Host *host, const char *yaml, size_t n_bytes, SpecProblems *problems, char **copy,
	  Failure *why)
{
	SpecNames	names = spec_fixture_names();
	SpecDocument *document;
	char	   *json;
	size_t		n_json;
	Status		status;

	memset(problems, 0, sizeof(*problems));
	status = spec_read(host, yaml, n_bytes, &document, why);
	if (status != STATUS_OK)
		return status;
	status = spec_check(document, &names, problems, &json, &n_json, why);
	if (json != NULL && copy != NULL)
	{
		*copy = malloc(strlen(json) + 1);
		memcpy(*copy, json, strlen(json) + 1);
	}
	memory_free(host, json, n_json, 1);
	spec_document_free(document);
	return status;
}

Status
spec_fixture_check(const Host *host, const char *yaml, size_t n_bytes, SpecProblems *problems,
				   Failure *why)
{
	return check(host, yaml, n_bytes, problems, NULL, why);
}

char *
spec_fixture_json(const Host *host, const char *yaml, SpecProblems *problems, Failure *why)
{
	char	   *json = NULL;

	(void) check(host, yaml, strlen(yaml), problems, &json, why);
	return json;
}
