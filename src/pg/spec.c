/*
 * spec.c
 *	  Pipelines in YAML: the spec library as SQL functions.
 *
 * The library knows no hyper-parameters, metrics or expectations: their names
 * come from the tables of the libraries that do, and the values of
 * hyper-parameters are held against the forest's own table here.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

#include "forest/forest.h"
#include "metric/metric.h"
#include "pg/catalog.h"
#include "pg/compat.h"
#include "pg/datum.h"
#include "pg/host.h"
#include "pg/json.h"
#include "pg/report.h"
#include "spec/spec.h"

PG_FUNCTION_INFO_V1(churnops_check_pipeline);
PG_FUNCTION_INFO_V1(churnops_pipeline_keys);
PG_FUNCTION_INFO_V1(churnops_pipeline_schema);

/* ----------------------------------------------------------------- names -- */

/* Parameters of scikit-learn that are left out, and accepted where they mean nothing. */
static bool
is_left_out(PgHost *host, const char *name)
{
	ForestValue null = {.type = FOREST_VALUE_NULL};
	ForestParams *params;
	Failure		why;
	bool		known;

	report_status(forest_params_new(&host->host, &params, &why), &why);
	known = forest_params_set(&host->host, params, name, &null, &why) == STATUS_OK;
	forest_params_free(&host->host, params);
	return known;
}

/* The forest's table, and what a document (NULL: none) has of parameters that are left out. */
static SpecName *
hyperparameter_names(PgHost *host, const SpecDocument *document)
{
	const ForestParamInfo *info = forest_param_table();
	uint32_t	given = document == NULL ? SPEC_NONE :
		spec_get(document, document->root, "hyperparameters");
	uint32_t	n_given = given == SPEC_NONE || document->nodes[given].kind != SPEC_MAP ? 0 :
		document->nodes[given].n;
	SpecName   *names;
	int			n = 0;

	while (info[n].name != NULL)
		n++;
	names = palloc0((n + n_given + 1) * sizeof(SpecName));
	for (int i = 0; i < n; i++)
	{
		names[i].name = info[i].name;
		names[i].schema = info[i].schema;
		names[i].fallback = info[i].default_text;
		names[i].help = info[i].help;
	}
	for (uint32_t i = 0; i < n_given; i++)
	{
		const char *name = spec_text(document, spec_pair_key(document, given, i));

		names[n].hidden = true;
		if (is_left_out(host, name))
			names[n++].name = name;
	}
	names[n].name = NULL;
	return names;
}

static bool
metric_falls(MetricName metric)
{
	return metric == METRIC_LOG_LOSS || metric == METRIC_BRIER || metric == METRIC_RMSE ||
		metric == METRIC_MAE;
}

static SpecName *
metric_names(void)
{
	SpecName   *names = palloc0((METRIC_COUNT + 1) * sizeof(SpecName));

	for (int i = 0; i < METRIC_COUNT; i++)
	{
		names[i].name = metric_name((MetricName) i);
		names[i].falls = metric_falls((MetricName) i);
	}
	return names;
}

static char *
text_column(HeapTuple tuple, int column)
{
	return SPI_getvalue(tuple, SPI_tuptable->tupdesc, column);
}

/* The catalogue's table of expectations. */
static SpecName *
expectation_names(void)
{
	MemoryContext context = CurrentMemoryContext;
	MemoryContext spi;
	SpecName   *names;

	SPI_connect();
	catalog_read("SELECT expectation, kwargs || CASE WHEN kind LIKE '%\\_map' THEN ' mostly' ELSE '' END "
				 "|| ' severity meta', help FROM churnops.expectation_table()", 0, NULL, NULL, NULL);
	spi = MemoryContextSwitchTo(context);
	names = palloc0((SPI_processed + 1) * sizeof(SpecName));
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[i];

		names[i].name = pstrdup(text_column(tuple, 1));
		names[i].keys = pstrdup(text_column(tuple, 2));
		names[i].help = pstrdup(text_column(tuple, 3));
	}
	MemoryContextSwitchTo(spi);
	SPI_finish();
	return names;
}

static SpecNames
known_names(PgHost *host, const SpecDocument *document)
{
	SpecNames	names = {{NULL}};

	names.list[SPEC_HYPERPARAMETERS] = hyperparameter_names(host, document);
	names.list[SPEC_METRICS] = metric_names();
	names.list[SPEC_EXPECTATIONS] = expectation_names();
	return names;
}

/* ------------------------------------------------------ hyper-parameters -- */

/* A document under check. */
typedef struct SpecCheck
{
	PgHost		host;
	SpecDocument *document;
	SpecNames	names;
	SpecProblems problems;
} SpecCheck;

/* A node as a parameter's value. */
static void
forest_value(const SpecDocument *document, uint32_t node, ForestValue *out)
{
	const SpecNode *n = &document->nodes[node];
	ForestValue *items;
	const char **names;

	check_stack_depth();
	memset(out, 0, sizeof(*out));
	switch (n->kind)
	{
		case SPEC_NULL:
			out->type = FOREST_VALUE_NULL;
			return;
		case SPEC_BOOLEAN:
			out->type = FOREST_VALUE_BOOLEAN;
			out->boolean = n->boolean;
			return;
		case SPEC_INTEGER:
		case SPEC_FLOAT:
			out->type = FOREST_VALUE_NUMBER;
			out->number = n->number;
			out->is_integer = n->kind == SPEC_INTEGER;
			out->string = spec_text(document, node);
			return;
		case SPEC_TEXT:
			out->type = FOREST_VALUE_STRING;
			out->string = spec_text(document, node);
			return;
		case SPEC_LIST:
		case SPEC_MAP:
			break;
	}
	items = palloc0(Max(n->n, 1) * sizeof(ForestValue));
	names = palloc0(Max(n->n, 1) * sizeof(char *));
	for (uint32_t i = 0; i < n->n; i++)
	{
		if (n->kind == SPEC_MAP)
			names[i] = spec_text(document, spec_pair_key(document, node, i));
		forest_value(document, n->kind == SPEC_MAP ? spec_pair_value(document, node, i) :
					 spec_item(document, node, i), &items[i]);
	}
	out->type = n->kind == SPEC_MAP ? FOREST_VALUE_OBJECT : FOREST_VALUE_ARRAY;
	out->items = items;
	out->names = n->kind == SPEC_MAP ? names : NULL;
	out->n_items = n->n;
}

/* Set a parameter to a node's value; false, with a problem, if it cannot have it. */
static bool
set_parameter(SpecCheck *check, ForestParams *params, const char *name, uint32_t node)
{
	const SpecName *known = check->names.list[SPEC_HYPERPARAMETERS];
	ForestValue value;
	Failure		why;
	Status		status;

	while (known->name != NULL && strcmp(known->name, name) != 0)
		known++;
	if (known->name == NULL)
		return false;			/* a problem already */
	forest_value(check->document, node, &value);
	status = forest_params_set(&check->host.host, params, name, &value, &why);
	if (status == STATUS_OK)
		return true;
	if (status == STATUS_NO_MEMORY)
		report_status(status, &why);
	spec_problem_add(&check->problems, check->document, node, &why);
	return false;
}

static ForestParams *
new_parameters(SpecCheck *check)
{
	ForestParams *params;
	Failure		why;

	report_status(forest_params_new(&check->host.host, &params, &why), &why);
	return params;
}

/* The given parameters, into new ones; false if a value was refused. */
static bool
set_parameters(SpecCheck *check, uint32_t given, ForestParams **params)
{
	bool		good = true;

	*params = new_parameters(check);
	for (uint32_t i = 0; i < check->document->nodes[given].n; i++)
		good &= set_parameter(check, *params,
							  spec_text(check->document, spec_pair_key(check->document, given, i)),
							  spec_pair_value(check->document, given, i));
	return good;
}

/* Combinations that no task allows, or not the one that is given. */
static void
check_combinations(SpecCheck *check, uint32_t given)
{
	uint32_t	task = spec_get(check->document, check->document->root, "task");
	const char *name = task == SPEC_NONE ? "" : spec_text(check->document, task);
	ForestParams *params;
	Failure		why;

	for (int i = FOREST_CLASSIFICATION; i <= FOREST_REGRESSION; i++)
	{
		if (strcmp(name, i == FOREST_CLASSIFICATION ? "regression" : "classification") == 0)
			continue;
		if (!set_parameters(check, given, &params) ||
			forest_params_finish(params, (ForestTask) i, i == FOREST_CLASSIFICATION ? 2 : 0,
								 &why) == STATUS_OK)
			return;
	}
	spec_problem_add(&check->problems, check->document, given, &why);
}

/* Values to choose from, each alone. */
static void
check_space(SpecCheck *check)
{
	const SpecDocument *document = check->document;
	uint32_t	space = spec_get(document, spec_get(document, document->root, "search"), "space");

	if (space == SPEC_NONE)
		return;
	for (uint32_t i = 0; i < document->nodes[space].n; i++)
	{
		uint32_t	values = spec_pair_value(document, space, i);

		if (document->nodes[values].kind != SPEC_LIST)
			continue;
		for (uint32_t k = 0; k < document->nodes[values].n; k++)
			set_parameter(check, new_parameters(check),
						  spec_text(document, spec_pair_key(document, space, i)),
						  spec_item(document, values, k));
	}
}

static void
check_hyperparameters(SpecCheck *check)
{
	uint32_t	given = spec_get(check->document, check->document->root, "hyperparameters");
	ForestParams *params;

	if (given != SPEC_NONE && check->document->nodes[given].kind == SPEC_MAP &&
		set_parameters(check, given, &params))
		check_combinations(check, given);
	check_space(check);
}

/* -------------------------------------------------------------- checking -- */

/* Raise the first problem; the others are its detail. */
static void
report_problems(const SpecProblems *problems)
{
	const Failure *first = &problems->list[0].why;
	StringInfoData detail;

	if (problems->n == 0)
		return;
	initStringInfo(&detail);
	appendStringInfoString(&detail, report_text(first->detail));
	for (size_t i = 1; i < problems->n; i++)
		appendStringInfo(&detail, "%s%s", detail.len > 0 ? "\n" : "",
						 report_text(problems->list[i].why.text));
	if (problems->n_all > problems->n)
		appendStringInfo(&detail, "\nand %zu more", problems->n_all - problems->n);
	ereport(ERROR,
			(errcode(report_sqlstate(first->status)),
			 errmsg("%s", report_text(first->text)),
			 detail.len > 0 ? errdetail("%s", detail.data) : 0,
			 first->hint[0] != '\0' ? errhint("%s", report_text(first->hint)) : 0));
}

/* churnops_check_pipeline(yaml) → jsonb */
Datum
churnops_check_pipeline(PG_FUNCTION_ARGS)
{
	SpecCheck	check;
	text	   *yaml;
	const char *utf8;
	size_t		n_bytes;
	char	   *json;
	Failure		why;

	if (PG_ARGISNULL(0))
		report_null_argument("yaml");
	yaml = PG_GETARG_TEXT_PP(0);
	utf8 = datum_to_utf8(VARDATA_ANY(yaml), VARSIZE_ANY_EXHDR(yaml), &n_bytes);
	pg_host_init(&check.host, CurrentMemoryContext, 0);
	report_status(spec_read(&check.host.host, utf8, n_bytes, &check.document, &why), &why);
	check.names = known_names(&check.host, check.document);
	report_status(spec_check(check.document, &check.names, &check.problems, &json, &n_bytes, &why),
				  &why);
	check_hyperparameters(&check);
	report_problems(&check.problems);
	PG_RETURN_JSONB_P(json_to_jsonb(json_from_utf8(json)));
}

/* ----------------------------------------------------------------- table -- */

static Status
put_key_row(void *ctx, const SpecEntry *entry)
{
	ReturnSetInfo *result = ctx;
	Datum		values[5];
	bool		nulls[5] = {false};

	values[0] = CStringGetTextDatum(entry->path);
	values[1] = BoolGetDatum(entry->required);
	nulls[2] = entry->fallback == NULL;
	values[2] = nulls[2] ? (Datum) 0 : JsonbPGetDatum(json_to_jsonb(entry->fallback));
	values[3] = CStringGetTextDatum(entry->allowed);
	values[4] = CStringGetTextDatum(entry->help);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	return STATUS_OK;
}

/* churnops_pipeline_keys() → path, required, default_value, allowed, description */
Datum
churnops_pipeline_keys(PG_FUNCTION_ARGS)
{
	InitMaterializedSRF(fcinfo, 0);
	(void) spec_walk(put_key_row, fcinfo->resultinfo);
	return (Datum) 0;
}

/* churnops_pipeline_schema() → jsonb */
Datum
churnops_pipeline_schema(PG_FUNCTION_ARGS)
{
	PgHost		host;
	SpecNames	names;
	char	   *json;
	size_t		n_bytes;
	Failure		why;

	pg_host_init(&host, CurrentMemoryContext, 0);
	names = known_names(&host, NULL);
	report_status(spec_schema(&host.host, &names, &json, &n_bytes, &why), &why);
	PG_RETURN_JSONB_P(json_to_jsonb(json_from_utf8(json)));
}
