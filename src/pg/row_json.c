/*
 * row_json.c
 *	  JSON objects as bins of a model.
 *
 * A feature is the value of the key of its name; JSON null is a missing value,
 * an absent key an error: a typing error must not silently become a missing
 * value.  What to_jsonb() makes of a column is understood again: numbers (and
 * the strings "NaN", "Infinity", "-Infinity" that stand for what JSON has no
 * numbers for), strings, booleans, and times as strings.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/float.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "pg/numeric.h"
#include "pg/row.h"

/* The type whose input function reads a kind of time; none for other kinds. */
static Oid
time_type(ForestKind kind)
{
	switch (kind)
	{
		case FOREST_TIMESTAMP:
			return TIMESTAMPOID;
		case FOREST_TIMESTAMPTZ:
			return TIMESTAMPTZOID;
		case FOREST_INTERVAL:
			return INTERVALOID;
		default:
			return InvalidOid;
	}
}

static RowNames *
make_names(const ForestModel *forest)
{
	RowNames   *names = palloc(sizeof(RowNames));

	names->n_features = (int) forest_model_n_features(forest);
	names->features = palloc(sizeof(RowName) * names->n_features);
	for (int i = 0; i < names->n_features; i++)
	{
		RowName    *feature = &names->features[i];

		feature->name = row_feature_name(forest, i);
		feature->length = (int) strlen(feature->name);
		feature->kind = forest_model_feature_kind(forest, i);
		datum_type_init(&feature->time, time_type(feature->kind), CurrentMemoryContext);
	}
	return names;
}

const RowNames *
row_names(CachedModel *model)
{
	MemoryContext caller;

	if (model->names == NULL)
	{
		caller = MemoryContextSwitchTo(model->context);
		model->names = make_names(model->forest);
		(void) MemoryContextSwitchTo(caller);
	}
	return model->names;
}

/* Which key's value is being read, for the context of errors of input functions. */
static void
value_context(void *name)
{
	errcontext("value of key \"%s\" of the row", (const char *) name);
}

/* Read a time by the input function of the feature's kind; infinity stays infinite. */
static void
read_time(const RowName *feature, const JsonbValue *value, ForestCell *cell)
{
	ErrorContextCallback context = {
		.previous = error_context_stack,
		.callback = value_context,
		.arg = unconstify(char *, feature->name),
	};
	Datum		text = CStringGetDatum(pnstrdup(value->val.string.val, value->val.string.len));
	PGFunction	input = feature->kind == FOREST_INTERVAL ? interval_in :
		feature->kind == FOREST_TIMESTAMPTZ ? timestamptz_in : timestamp_in;
	Datum		time;

	error_context_stack = &context;
	time = DirectFunctionCall3(input, text, ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	error_context_stack = context.previous;
	datum_cell(&feature->time, time, false, cell);
}

/* The numbers that JSON has no form for; false if the string is none of them. */
static bool
read_special_number(const JsonbValue *value, ForestCell *cell)
{
	char	   *text = pnstrdup(value->val.string.val, value->val.string.len);

	if (strcmp(text, "NaN") == 0)
		cell->missing = true;
	else if (strcmp(text, "Infinity") == 0)
		cell->number = get_float8_infinity();
	else if (strcmp(text, "-Infinity") == 0)
		cell->number = -get_float8_infinity();
	else
		return false;
	return true;
}

/* Fill the cell; false if the value's JSON type is not that of the kind. */
static bool
read_value(const RowName *feature, const JsonbValue *value, ForestCell *cell)
{
	memset(cell, 0, sizeof(*cell));
	if (value->type == jbvNull)
	{
		cell->missing = true;
		return true;
	}
	switch (feature->kind)
	{
		case FOREST_NUMERIC:
			if (value->type == jbvString)
				return read_special_number(value, cell);
			if (value->type != jbvNumeric)
				return false;
			cell->number = numeric_to_double(NumericGetDatum(value->val.numeric));
			cell->missing = isnan(cell->number);
			return true;
		case FOREST_BOOLEAN:
			cell->number = value->type == jbvBool && value->val.boolean ? 1 : 0;
			return value->type == jbvBool;
		case FOREST_CATEGORY:
			if (value->type == jbvString)
				cell->text = datum_to_utf8(value->val.string.val, value->val.string.len,
										   &cell->n_bytes);
			return value->type == jbvString;
		case FOREST_TIMESTAMP:
		case FOREST_TIMESTAMPTZ:
		case FOREST_INTERVAL:
			if (value->type == jbvString)
				read_time(feature, value, cell);
			return value->type == jbvString;
	}
	return false;
}

/*
 * The bin of a category.  to_jsonb() keeps the trailing blanks of char(n),
 * which are no part of a category: a text that training did not know is looked
 * up again without them.  No text that training knew has an invalid byte.
 */
static uint8
encode_category(const ForestModel *forest, uint32 feature, ForestCell *cell)
{
	static const ForestCell unknown = {.text = "\xFF", .n_bytes = 1};
	uint8		bin = forest_model_encode(forest, feature, cell);

	if (cell->missing || cell->n_bytes == 0 || cell->text[cell->n_bytes - 1] != ' ' ||
		bin != forest_model_encode(forest, feature, &unknown))
		return bin;
	while (cell->n_bytes > 0 && cell->text[cell->n_bytes - 1] == ' ')
		cell->n_bytes--;
	return forest_model_encode(forest, feature, cell);
}

/* What a JSON value is, for a message. */
static const char *
json_noun(const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvString:
			return "a JSON string";
		case jbvNumeric:
			return "a JSON number";
		case jbvBool:
			return "a JSON boolean";
		default:
			return "a JSON array or object";
	}
}

void
row_encode_json(const RowNames *names, const CachedModel *model, const Resolved *version,
				Jsonb *row, uint8 *bins)
{
	if (!JB_ROOT_IS_OBJECT(row))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the row is not a JSON object"),
				 errhint("Give one value per feature, as in '{\"%s\": ...}'.",
						 names->features[0].name)));
	for (int i = 0; i < names->n_features; i++)
	{
		const RowName *feature = &names->features[i];
		JsonbValue	value;
		ForestCell	cell;

		if (getKeyJsonValueFromContainer(&row->root, feature->name, feature->length,
										 &value) == NULL)
			row_missing_feature(version, feature->name, "row");
		if (!read_value(feature, &value, &cell))
			row_wrong_type(version, feature->name, "row", feature->kind, json_noun(&value));
		bins[i] = feature->kind == FOREST_CATEGORY ? encode_category(model->forest, i, &cell) :
			forest_model_encode(model->forest, i, &cell);
	}
}
