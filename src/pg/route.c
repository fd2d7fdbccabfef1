/*
 * route.c
 *	  Which rows the candidate of a running deployment answers.
 *
 * A row is known by its key columns.  Their values are taken as to_jsonb() has
 * them, so that a record and a JSON object of the same entity have the same
 * arm, and made into bytes whose form no setting changes: numbers without
 * trailing zeros, times with a zone in UTC, texts in UTF-8, a zero byte
 * between two values.  Where it falls (src/deploy/route.c) is compared with
 * the weight in force, so raising the weight only moves keys to the candidate.
 * Rows without the key, or with NULL in it, are the champion's: a row always
 * gets an answer.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/json.h"
#include "utils/numeric.h"

#include "deploy/deploy.h"
#include "pg/catalog.h"
#include "pg/compat.h"
#include "pg/datum.h"
#include "pg/report.h"
#include "pg/route.h"

PG_FUNCTION_INFO_V1(churnops_route);

#define MAX_INT64_DIGITS 21

Route *
route_load(const Resolved *champion)
{
	ProbeKey	key = {.column = "model", .text = champion->model};
	Route	   *route = palloc0(sizeof(Route));
	Probe		probe;
	Datum	   *names;
	bool		is_null;

	if (!probe_begin(&probe, "deployment", "deployment_routing_idx", &key, 1))
		elog(ERROR, "deployment " INT64_FORMAT " has gone", champion->deployment);
	route->deployment = champion->deployment;
	route->candidate.version = DatumGetInt32(probe_value(&probe, "version", &is_null));
	route->weight = DatumGetFloat8(probe_value(&probe, "weight", &is_null));
	route->salt = probe_text(&probe, "salt");
	deconstruct_array(DatumGetArrayTypeP(probe_value(&probe, "key", &is_null)), TEXTOID, -1, false,
					  TYPALIGN_INT, &names, NULL, &route->n_key);
	route->key = palloc(sizeof(char *) * Max(route->n_key, 1));
	for (int i = 0; i < route->n_key; i++)
		route->key[i] = TextDatumGetCString(names[i]);
	probe_end(&probe);
	reference_version(champion->model, route->candidate.version, &route->candidate);
	return route;
}

bool
route_key_init(RowKey *key, const Route *route, TupleDesc columns)
{
	return route->n_key > 0 && row_key_try(key, route->key, route->n_key, columns);
}

/* A value other than NULL, as the bytes that are hashed. */
static void
append_json_value(StringInfo bytes, const JsonbValue *value)
{
	const char *text;
	size_t		n_bytes;

	switch (value->type)
	{
		case jbvString:
			text = datum_to_utf8(value->val.string.val, value->val.string.len, &n_bytes);
			break;
		case jbvNumeric:
			text = numeric_normalize(value->val.numeric);
			n_bytes = strlen(text);
			break;
		case jbvBool:
			text = value->val.boolean ? "true" : "false";
			n_bytes = strlen(text);
			break;
		default:
			text = JsonbToCString(NULL, value->val.binary.data, value->val.binary.len);
			text = datum_to_utf8(text, strlen(text), &n_bytes);
	}
	appendBinaryStringInfo(bytes, text, (int) n_bytes);
}

static void
append_integer(StringInfo bytes, int64 value)
{
	char		digits[MAX_INT64_DIGITS];

	appendBinaryStringInfo(bytes, digits, pg_lltoa(value, digits));
}

bool
route_append(StringInfo bytes, RowKeyColumn *column, Datum value, bool is_null)
{
	JsonbValue	json;
	char		time[MAXDATELEN + 1];
	int			utc = 0;

	if (is_null)
		return false;
	if (bytes->len > 0)
		appendStringInfoChar(bytes, '\0');
	switch (column->base)
	{
		case INT2OID:
			append_integer(bytes, DatumGetInt16(value));
			break;
		case INT4OID:
			append_integer(bytes, DatumGetInt32(value));
			break;
		case INT8OID:
			append_integer(bytes, DatumGetInt64(value));
			break;
		case TIMESTAMPTZOID:
			(void) JsonEncodeDateTime(time, value, TIMESTAMPTZOID, &utc);
			appendStringInfoString(bytes, time);
			break;
		default:
			row_key_value(column, value, &json);
			append_json_value(bytes, &json);
	}
	return true;
}

bool
route_append_json(StringInfo bytes, const Route *route, Jsonb *row)
{
	if (!JB_ROOT_IS_OBJECT(row))
		return false;
	for (int i = 0; i < route->n_key; i++)
	{
		JsonbValue	value;

		if (getKeyJsonValueFromContainer(&row->root, route->key[i], (int) strlen(route->key[i]),
										 &value) == NULL ||
			value.type == jbvNull)
			return false;
		if (i > 0)
			appendStringInfoChar(bytes, '\0');
		append_json_value(bytes, &value);
	}
	return true;
}

double
route_share(const Route *route, const char *bytes, Size n_bytes)
{
	return deploy_route_share(deploy_route_hash(route->salt, strlen(route->salt), bytes, n_bytes));
}

/* Order names by their bytes. */
static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

/* The member names of a JSON object, in the order of hashing. */
static void
take_names(Route *route, Jsonb *key)
{
	JsonbIterator *members = JsonbIteratorInit(&key->root);
	JsonbIteratorToken token;
	JsonbValue	value;

	route->key = palloc(sizeof(char *) * Max(JB_ROOT_COUNT(key), 1));
	while ((token = JsonbIteratorNext(&members, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			route->key[route->n_key++] = pnstrdup(value.val.string.val, value.val.string.len);
	}
	qsort(route->key, route->n_key, sizeof(char *), compare_names);
}

/* churnops_route(salt, key): where a key, a JSON object, falls. */
Datum
churnops_route(PG_FUNCTION_ARGS)
{
	Route		route = {0};
	StringInfoData bytes;
	Jsonb	   *key;

	if (PG_ARGISNULL(0))
		report_null_argument("salt");
	if (PG_ARGISNULL(1))
		PG_RETURN_NULL();
	route.salt = text_to_cstring(PG_GETARG_TEXT_PP(0));
	key = PG_GETARG_JSONB_P(1);
	if (!JB_ROOT_IS_OBJECT(key) || JB_ROOT_COUNT(key) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the key is not a JSON object with a member"),
				 errhint("Give the key as churnops_score returns it, as in '{\"id\": 42}'.")));
	take_names(&route, key);
	initStringInfo(&bytes);
	if (!route_append_json(&bytes, &route, key))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(route_share(&route, bytes.data, bytes.len));
}
