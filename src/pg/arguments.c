/*
 * arguments.c
 *	  The arguments of a training.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#include "pg/arguments.h"
#include "pg/budget.h"
#include "pg/compat.h"
#include "pg/datum.h"
#include "pg/report.h"

/* Arguments of churnops_train, by their place. */
const TrainPlaces train_places = {
	.model = 0, .query = 1, .target = 2, .params = 3, .key = 4, .exclude = 5, .weight = 6,
	.task = 7, .positive_class = 8, .test_size = 9, .split_seed = 10, .time_column = 11,
	.description = 12,
};

/* A text argument, NULL if it is NULL. */
static const char *
optional_text(FunctionCallInfo fcinfo, int i)
{
	return i < 0 || PG_ARGISNULL(i) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(i));
}

/* A text argument that must be given. */
static const char *
needed_text(FunctionCallInfo fcinfo, int i, const char *name)
{
	if (PG_ARGISNULL(i))
		report_null_argument(name);
	return text_to_cstring(PG_GETARG_TEXT_PP(i));
}

/* An array of column names as a list; NIL if it is NULL. */
static List *
name_list(FunctionCallInfo fcinfo, int i, const char *name)
{
	Datum	   *elements;
	bool	   *nulls;
	int			n;
	List	   *names = NIL;

	if (PG_ARGISNULL(i))
		return NIL;
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(i), TEXTOID, -1, false, TYPALIGN_INT, &elements,
					  &nulls, &n);
	for (int k = 0; k < n; k++)
	{
		if (nulls[k])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("argument \"%s\" must not hold a NULL", name)));
		names = lappend(names, TextDatumGetCString(elements[k]));
	}
	return names;
}

/* Checks of single arguments that need no query. */
static void
check_request(const TrainRequest *request)
{
	if (request->params != NULL && !JB_ROOT_IS_OBJECT(request->params))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"params\" must be a JSON object"),
				 errhint("For example params => '{\"n_estimators\": 200}'.")));
	if (!(request->test_size >= 0 && request->test_size < 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("test_size %g is not in the range from 0 to below 1",
						request->test_size),
				 errhint("It is the share of the rows that is held out to measure the model; "
						 "0 trains on every row.")));
	if (request->task != NULL && strcmp(request->task, "classification") != 0 &&
		strcmp(request->task, "regression") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("task \"%s\" is neither \"classification\" nor \"regression\"",
						request->task),
				 errhint("Leave task out to go by the target's type.")));
}

void
arguments_read(FunctionCallInfo fcinfo, const TrainPlaces *places, TrainRequest *out)
{
	memset(out, 0, sizeof(*out));
	if (places->model >= 0)
		out->model = needed_text(fcinfo, places->model, "model");
	out->query = needed_text(fcinfo, places->query, "query");
	out->target = needed_text(fcinfo, places->target, "target");
	if (!PG_ARGISNULL(places->params))
		out->params = PG_GETARG_JSONB_P(places->params);
	out->key = name_list(fcinfo, places->key, "key");
	out->exclude = name_list(fcinfo, places->exclude, "exclude");
	out->weight = optional_text(fcinfo, places->weight);
	out->task = optional_text(fcinfo, places->task);
	out->positive_class = optional_text(fcinfo, places->positive_class);
	if (places->test_size >= 0 && PG_ARGISNULL(places->test_size))
		report_null_argument("test_size");
	out->test_size = places->test_size < 0 ? 0 : PG_GETARG_FLOAT8(places->test_size);
	if (places->split_seed >= 0 && PG_ARGISNULL(places->split_seed))
		report_null_argument("split_seed");
	out->split_seed = places->split_seed < 0 ? 0 : PG_GETARG_INT32(places->split_seed);
	out->time_column = optional_text(fcinfo, places->time_column);
	out->description = optional_text(fcinfo, places->description);
	check_request(out);
}

/* A string of a jsonb value, NUL-terminated. */
static char *
json_string(const JsonbValue *value)
{
	return pnstrdup(value->val.string.val, value->val.string.len);
}

/* The strings of a jsonb array. */
static List *
json_names(const JsonbValue *array)
{
	List	   *names = NIL;
	JsonbIterator *iterator;
	JsonbValue	value;
	JsonbIteratorToken token;

	if (array->type != jbvBinary)
		return NIL;
	iterator = JsonbIteratorInit(array->val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_ELEM && value.type == jbvString)
			names = lappend(names, json_string(&value));
	}
	return names;
}

/* The value of a key of the options, or NULL if it is JSON null or absent. */
static JsonbValue *
option(Jsonb *options, const char *key)
{
	JsonbValue *value = getKeyJsonValueFromContainer(&options->root, key, strlen(key), NULL);

	return value == NULL || value->type == jbvNull ? NULL : value;
}

/* An option that is a text, NULL if it is not given. */
static const char *
option_text(Jsonb *options, const char *key)
{
	JsonbValue *value = option(options, key);

	return value == NULL || value->type != jbvString ? NULL : json_string(value);
}

/* An option that is a number. */
static double
option_number(Jsonb *options, const char *key, double otherwise)
{
	JsonbValue *value = option(options, key);

	if (value == NULL || value->type != jbvNumeric)
		return otherwise;
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8,
											  NumericGetDatum(value->val.numeric)));
}

void
arguments_of_options(Jsonb *options, TrainRequest *out)
{
	JsonbValue *value;

	if ((value = option(options, "key")) != NULL)
		out->key = json_names(value);
	if ((value = option(options, "exclude")) != NULL)
		out->exclude = json_names(value);
	out->weight = option_text(options, "weight");
	out->task = option_text(options, "task");
	out->positive_class = option_text(options, "positive_class");
	out->test_size = option_number(options, "test_size", out->test_size);
	out->split_seed = (int32) option_number(options, "split_seed", out->split_seed);
	out->time_column = option_text(options, "time_column");
}

static void forest_value(JsonbIterator **iterator, JsonbIteratorToken token, JsonbValue *value,
						 ForestValue *out);

/* A text of a JSON document in UTF-8, NUL-terminated. */
static char *
utf8_string(const JsonbValue *value)
{
	size_t		n_bytes;
	const char *text = datum_to_utf8(value->val.string.val, value->val.string.len, &n_bytes);

	return pnstrdup(text, n_bytes);
}

/* The elements of an array, or the pairs of an object, whose begin was just read. */
static void
forest_items(JsonbIterator **iterator, JsonbValue *container, bool object, ForestValue *out)
{
	int			capacity = object ? container->val.object.nPairs : container->val.array.nElems;
	ForestValue *items = palloc0(Max(capacity, 1) * sizeof(ForestValue));
	const char **names = palloc0(Max(capacity, 1) * sizeof(char *));
	JsonbValue	value;
	JsonbIteratorToken token;

	check_stack_depth();
	out->type = object ? FOREST_VALUE_OBJECT : FOREST_VALUE_ARRAY;
	out->items = items;
	out->names = object ? names : NULL;
	while ((token = JsonbIteratorNext(iterator, &value, false)) != WJB_END_ARRAY &&
		   token != WJB_END_OBJECT)
	{
		if (token == WJB_KEY)
		{
			names[out->n_items] = utf8_string(&value);
			token = JsonbIteratorNext(iterator, &value, false);
		}
		forest_value(iterator, token, &value, &items[out->n_items++]);
	}
}

/* A JSON value, of which `token` and `value` were just read, as a parameter's value. */
static void
forest_value(JsonbIterator **iterator, JsonbIteratorToken token, JsonbValue *value,
			 ForestValue *out)
{
	char	   *text;

	memset(out, 0, sizeof(*out));
	if (token == WJB_BEGIN_ARRAY || token == WJB_BEGIN_OBJECT)
	{
		forest_items(iterator, value, token == WJB_BEGIN_OBJECT, out);
		return;
	}
	switch (value->type)
	{
		case jbvBool:
			out->type = FOREST_VALUE_BOOLEAN;
			out->boolean = value->val.boolean;
			break;
		case jbvNumeric:
			text = DatumGetCString(DirectFunctionCall1(numeric_out,
													   NumericGetDatum(value->val.numeric)));
			out->type = FOREST_VALUE_NUMBER;
			out->number = strtod(text, NULL);
			out->is_integer = strchr(text, '.') == NULL;
			out->string = text;
			break;
		case jbvString:
			out->type = FOREST_VALUE_STRING;
			out->string = utf8_string(value);
			break;
		default:
			out->type = FOREST_VALUE_NULL;
			break;
	}
}

ForestParams *
arguments_params(PgHost *host, Jsonb *params)
{
	ForestParams *result;
	ForestValue all;
	JsonbIterator *iterator;
	JsonbValue	value;
	JsonbIteratorToken token;
	Failure		why;

	budget_check(host, forest_params_new(&host->host, &result, &why), &why);
	if (params == NULL)
		return result;
	iterator = JsonbIteratorInit(&params->root);
	token = JsonbIteratorNext(&iterator, &value, false);
	forest_value(&iterator, token, &value, &all);
	for (size_t i = 0; i < all.n_items; i++)
		budget_check(host, forest_params_set(&host->host, result, all.names[i], &all.items[i],
											 &why), &why);
	return result;
}

void
arguments_check_params(PgHost *host, Jsonb *params, ForestTask task)
{
	ForestParams *scratch = arguments_params(host, params);
	Failure		why;

	budget_check(host, forest_params_finish(scratch, task,
											task == FOREST_CLASSIFICATION ? 2 : 0, &why), &why);
	forest_params_free(&host->host, scratch);
}
