/*
 * test_check.c
 *	  Pipelines in their full form, and what is said of several problems.
 */
#include <stdlib.h>

#include "core/memory.h"
#include "spec_fixture.h"
#include "tap.h"
#include "test_host.h"

#define FULL_SHORT \
	"{\"model\":null,\"description\":null,\"target\":null,\"task\":null,\"positive_class\":null," \
	"\"data\":{\"query\":null,\"dataset\":null,\"file\":\"a.csv\",\"table\":null,\"csv\":null," \
	"\"key\":null,\"time_column\":null,\"exclude\":null,\"weight\":null,\"expectations\":[]}," \
	"\"hyperparameters\":{\"n_estimators\":150},\"search\":null," \
	"\"split\":{\"test_size\":0.2,\"split_seed\":0},\"cv\":null," \
	"\"evaluation\":{\"metrics\":null,\"slices\":null,\"confidence\":0.95,\"threshold\":null," \
	"\"gates\":{\"absolute\":{\"accuracy\":{\"min\":null,\"max\":null,\"above\":0.85," \
	"\"below\":null}},\"champion\":null,\"data_quality\":\"critical\",\"leakage\":\"error\"," \
	"\"calibration\":null,\"latency\":null,\"artifact\":null,\"slices\":null}}," \
	"\"output\":{\"path\":\"m\",\"alias\":\"v2\"}," \
	"\"deployment\":{\"strategy\":\"all_at_once\",\"alias\":\"champion\",\"config\":{}}," \
	"\"monitoring\":null,\"retrain\":null,\"approval\":null}"

static char *
json_of(const char *yaml, SpecProblems *problems, Failure *why)
{
	TestHost	t;
	char	   *json;

	test_host_begin(&t);
	json = spec_fixture_json(&t.host, yaml, problems, why);
	tap_ok(test_host_end(&t), "no leak");
	return json;
}

/* A part of the full form. */
static void
holds(const char *yaml, const char *part, const char *name)
{
	SpecProblems problems;
	Failure		why = {.text = ""};
	char	   *json = json_of(yaml, &problems, &why);

	if (!tap_ok(json != NULL && strstr(json, part) != NULL, "%s", name))
		tap_diag("%s %s %s", json, why.text, problems.n > 0 ? problems.list[0].why.text : "");
	free(json);
}

static void
test_full_form(void)
{
	SpecProblems problems;
	Failure		why;
	char	   *json = json_of("data_path: a.csv\nmodel_output_path: m\nmodel_version: v2\n"
							   "hyperparameters: {n_estimators: 150}\n"
							   "evaluation_metrics: {accuracy_threshold: 0.85}\n",
							   &problems, &why);
	char	   *again;

	tap_is_text(json, FULL_SHORT, "the short form");
	again = json_of(FULL_SHORT, &problems, &why);
	tap_is_text(again, FULL_SHORT, "the full form is its own full form");
	free(json);
	free(again);

	holds("data: {query: q}\nsearch: {method: grid, space: {max_depth: [1, null]}}",
		  "\"search\":{\"method\":\"grid\",\"n_iter\":null,\"space\":{\"max_depth\":[1,null]},"
		  "\"objective\":null,\"cv\":\"oob\",\"factor\":null,\"early_stop\":false,\"seed\":0}",
		  "no default where a key does not apply");
	holds("data: {query: q}\nsearch: {space: {max_depth: {low: 1, high: 9}}, cv: {folds: 3}}",
		  "\"space\":{\"max_depth\":{\"low\":1,\"high\":9,\"step\":null,\"log\":false,\"integer\":null}},"
		  "\"objective\":null,\"cv\":{\"folds\":3,\"method\":null,\"repeats\":1,\"seed\":0}",
		  "ranges and folds");
	holds("data: {query: q, expectations: [{expect_a: {column: c, n: 1}}, {expect_b: }, "
		  "{column: d, expectation: expect_c}]}",
		  "\"expectations\":[{\"expectation\":\"expect_a\",\"column\":\"c\",\"n\":1},"
		  "{\"expectation\":\"expect_b\"},{\"expectation\":\"expect_c\",\"column\":\"d\"}]",
		  "expectations by name");
	holds("data: {query: q}\nretrain: {triggers: {age: 2 weeks, drift: {}}, cooldown: 90}",
		  "\"triggers\":{\"drift\":{\"severity\":\"critical\"},\"realised_drop\":null,"
		  "\"estimated_drop\":null,\"new_labels\":null,\"age\":1209600,\"upstream\":false},"
		  "\"cooldown\":90,", "durations are seconds");
	holds("data: {query: \"a\\tb\\\"\\\\\\u00e4\\x7f\"}", "{\"query\":\"a\\u0009b\\\"\\\\\xC3\xA4\x7F\"",
		  "texts are escaped");
	holds("data: {query: q, file: }\npositive_class: 1", "\"positive_class\":\"1\"", "labels are texts");
	holds("data: {query: q}\nhyperparameters: {verbose: {b: [1, {c: .5}], d: yes, e: TRUE, f: }}",
		  "{\"verbose\":{\"b\":[1,{\"c\":0.5}],\"d\":\"yes\",\"e\":true,\"f\":null}}",
		  "any value");
	holds("data: {file: f, csv: {null: [\"\", NA], quote: \"\", header: , columns: {zip: text}}}",
		  "\"csv\":{\"columns\":{\"zip\":\"text\"},\"quote\":\"\",\"null\":[\"\",\"NA\"]}", "options of files, in part");
	holds("data: {query: q}\nhyperparameters: {max_depth: , verbose: 0}",
		  "\"hyperparameters\":{\"max_depth\":null,\"verbose\":0}", "null may mean something");
	holds("data: {query: q}\ndeployment: {strategy: canary, config: {weight: , shift_psi: }}",
		  "\"config\":{\"shift_psi\":null}", "or not");
	holds("x-a: &a {confidence: 0.9}\ndata: {query: q}\nevaluation: *a", "\"confidence\":0.9",
		  "keys for anchors are ignored");
	holds("data: {query: q}\nmonitoring: {}",
		  "\"alerts\":{\"persistence\":2,\"cooldown\":3600,\"notify\":true}", "filled sections");
}

static void
test_problems(void)
{
	SpecProblems problems;
	Failure		why;
	char		yaml[4096] = "data: {query: q}\nsplit: {test_size: 2}\n";

	(void) json_of("split: {test_size: 2, z: 1}\nmodel: 3\ndata: {}\napproval: {required: yes}\n",
				   &problems, &why);
	tap_is_int(problems.n, 5, "all problems");
	tap_is_int(problems.n_all, 5, "are counted");
	tap_is_text(problems.list[0].why.text, "line 1, column 20: split.test_size cannot be 2",
				"in their order");
	tap_is_text(problems.list[0].why.detail, "Allowed is a number from 0 to below 1.",
				"what is allowed");
	tap_is_text(problems.list[0].why.hint, "Leave it out for the default, 0.2.", "the default");
	tap_is_text(problems.list[1].why.text, "line 1, column 23: unknown key \"z\" in split",
				"the second");
	tap_is_text(problems.list[1].why.detail, "Allowed are test_size, split_seed.", "its detail");
	tap_is_text(problems.list[2].why.hint, "Put a text in quotes: \"3\".", "a hint at quotes");
	tap_is_text(problems.list[4].why.hint,
				"Write true or false, without quotes: in YAML 1.2 \"yes\" is a text.",
				"a hint at booleans");

	for (int i = 0; i < 30; i++)
		sprintf(yaml + strlen(yaml), "k%d: 1\n", i);
	(void) json_of(yaml, &problems, &why);
	tap_is_int(problems.n, SPEC_MAX_PROBLEMS, "20 are kept");
	tap_is_int(problems.n_all, 31, "and all are counted");
	tap_is_text(problems.list[19].why.text, "line 21, column 1: unknown key \"k18\"", "the first ones");
}

/* The hint of the first problem. */
static void
hints(const char *yaml, const char *hint)
{
	SpecProblems problems;
	Failure		why;

	free(json_of(yaml, &problems, &why));
	tap_is_text(problems.list[0].why.hint, hint, "%s", yaml);
}

static void
test_hints(void)
{
	hints("data: {query: q}\nhyperparameters: {n_estimatorz: 1}", "Did you mean \"n_estimators\"?");
	hints("data: {query: q}\nn_estimators: 1", "It is a key of hyperparameters.");
	hints("data: {query: q}\ntest_size: 0.1", "It is a key of split.");
	hints("data: {query: q}\nfolds: 3", "It is a key of search.cv.");
	hints("data: {query: q}\ntask: clasification", "Did you mean \"classification\"?");
	hints("data: {query: q}\nsplit: {test_size: \"0.2\"}", "Write 0.2 without quotes.");
	hints("data: {query: q}\ncv: {folds: 5.0}", "Write 5, without point and exponent.");
	hints("data: {query: q}\ncv: {folds: 1e1}", "Write 10, without point and exponent.");
	hints("data: {query: q, key: a}", "Write a list of one: [a].");
	hints("data: {query: q}\nsearch: {objective: auc, space: {max_depth: [1]}}", "");
	hints("data: {query: q}\nsearch: {objective: rocauc, space: {max_depth: [1]}}",
		  "Did you mean \"roc_auc\"?");
	hints("data: {query: q}\nretrain: {schedule: \"0 25 * * *\"}", "\"25\" is out of range.");
	hints("data_path: a\nevaluation_metrics: {rmse_threshold: 1}",
		  "Write the bound as evaluation: {gates: {absolute: {rmse: {max: …}}}}.");
	hints("data: {query: q}\ndata_path: a", "data_path is the short form of data.file.");
}

static Status
checked(const Host *host, void *arg, Failure *why)
{
	SpecProblems problems;

	return spec_fixture_check(host, arg, strlen(arg), &problems, why);
}

static Status
schema_made(const Host *host, void *arg, Failure *why)
{
	const SpecNames *names = arg;
	char	   *json;
	size_t		n_bytes;
	Status		status = spec_schema(host, names, &json, &n_bytes, why);

	memory_free(host, json, n_bytes, 1);
	return status;
}

/* JSON is YAML: the schema can be read. */
static void
test_schema(void)
{
	SpecNames	names = spec_fixture_names();
	SpecNames	none = {{NULL}};
	SpecDocument *document;
	TestHost	t;
	char	   *json;
	size_t		n_bytes;
	Failure		why;
	Status		status;

	for (int i = 0; i < 2; i++)
	{
		test_host_begin(&t);
		tap_is_int(spec_schema(&t.host, i == 0 ? &names : &none, &json, &n_bytes, &why), STATUS_OK,
				   "a schema");
		status = spec_read(&t.host, json, strlen(json), &document, &why);
		tap_is_int(status, STATUS_OK, "is read");
		tap_ok(document != NULL &&
			   spec_get(document, spec_get(document, document->root, "properties"),
						"hyperparameters") != SPEC_NONE, "and has its keys");
		spec_document_free(document);
		memory_free(&t.host, json, n_bytes, 1);
		tap_ok(test_host_end(&t), "no leak");
	}
	tap_ok(test_sweep_memory(schema_made, &names, 10), "survives refusal");
}

/* The n-th visit is refused. */
typedef struct Visits
{
	int			n;
	int			stop_at;
	bool		seen;			/* a path with an item and a name */
} Visits;

static Status
visit(void *ctx, const SpecEntry *entry)
{
	Visits	   *v = ctx;

	if (strcmp(entry->path, "data.expectations[].mostly") == 0 &&
		strcmp(entry->allowed, "a number above 0 and up to 1") == 0)
		v->seen = true;
	return ++v->n == v->stop_at ? STATUS_CANCELLED : STATUS_OK;
}

static void
test_walk(void)
{
	Visits		v = {0, 0, false};

	tap_is_int(spec_walk(visit, &v), STATUS_OK, "a walk");
	tap_ok(v.n > 150 && v.seen, "over all keys");
	v = (Visits) {0, 20, false};
	tap_is_int(spec_walk(visit, &v), STATUS_CANCELLED, "that stops");
	tap_is_int(v.n, 20, "when it is told");
}

int
main(void)
{
	static char whole[] =
		"data_path: a.csv\nmodel_version: v2\nevaluation_metrics: {f1_threshold: 0.5}\n"
		"search: {space: {max_depth: [1, 2]}}\nretrain: {triggers: {drift: {}}}\n";
	static char by_name[] =
		"data: {query: q, expectations: [{expect_a: {column: c}}, {expect_b: {column: d}}]}\n";

	test_full_form();
	test_problems();
	test_hints();
	test_schema();
	test_walk();
	tap_ok(test_sweep(checked, whole, 20, 40), "survives refusal and cancel: the short form");
	tap_ok(test_sweep(checked, by_name, 15, 25), "survives refusal and cancel: expectations");
	return tap_done();
}
