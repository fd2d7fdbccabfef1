/*
 * json.c
 *	  Writing JSON objects into a StringInfo.
 */
#include "postgres.h"

#include <math.h>

#include "common/shortest_dec.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"

#include "pg/datum.h"
#include "pg/json.h"

void
json_separate(StringInfo out)
{
	char		last = out->len > 0 ? out->data[out->len - 1] : '{';

	if (last != '{' && last != '[')
		appendStringInfoChar(out, ',');
}

void
json_key(StringInfo out, const char *key)
{
	json_separate(out);
	escape_json(out, key);
	appendStringInfoChar(out, ':');
}

void
json_text(StringInfo out, const char *key, const char *value)
{
	json_key(out, key);
	if (value == NULL)
		appendStringInfoString(out, "null");
	else
		escape_json(out, value);
}

void
json_utf8(StringInfo out, const char *key, const char *utf8)
{
	json_text(out, key, utf8 == NULL ? NULL : json_from_utf8(utf8));
}

void
json_integer(StringInfo out, const char *key, int64 value)
{
	json_key(out, key);
	appendStringInfo(out, INT64_FORMAT, value);
}

void
json_number(StringInfo out, const char *key, double value)
{
	char		digits[DOUBLE_SHORTEST_DECIMAL_LEN];

	json_key(out, key);
	if (isnan(value) || isinf(value))
	{
		appendStringInfoString(out, "null");
		return;
	}
	/* the shortest digits that read back as the same number */
	double_to_shortest_decimal_buf(value, digits);
	appendStringInfoString(out, digits);
}

void
json_value(StringInfo out, const char *key, const char *json)
{
	json_key(out, key);
	appendStringInfoString(out, json == NULL ? "null" : json);
}

void
json_list(StringInfo out, const char *key, List *texts)
{
	ListCell   *cell;

	if (texts == NIL)
	{
		json_value(out, key, NULL);
		return;
	}
	json_key(out, key);
	appendStringInfoChar(out, '[');
	foreach(cell, texts)
	{
		json_separate(out);
		escape_json(out, lfirst(cell));
	}
	appendStringInfoChar(out, ']');
}

char *
json_from_utf8(const char *utf8)
{
	size_t		n_bytes;
	const char *text = datum_from_utf8(utf8, strlen(utf8), &n_bytes);

	return pnstrdup(text, n_bytes);
}

Jsonb *
json_to_jsonb(const char *json)
{
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(json)));
}
