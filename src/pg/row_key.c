/*
 * row_key.c
 *	  Keys of rows as JSON objects.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "nodes/makefuncs.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"

#include "pg/compat.h"
#include "pg/row_key.h"

/* The column of a name, from 0; -1 if there is none. */
static int
find_column(TupleDesc columns, const char *name)
{
	for (int i = 0; i < columns->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(columns, i);

		if (!column->attisdropped && strcmp(NameStr(column->attname), name) == 0)
			return i;
	}
	return -1;
}

/* to_jsonb(anyelement) takes the type of its argument from the call's expression. */
static void
prepare_to_jsonb(RowKeyColumn *key, Form_pg_attribute column)
{
	Const	   *argument = makeNullConst(column->atttypid, column->atttypmod,
										 column->attcollation);
	FuncExpr   *call = makeFuncExpr(F_TO_JSONB, JSONBOID, list_make1(argument), InvalidOid,
									InvalidOid, COERCE_EXPLICIT_CALL);

	fmgr_info(F_TO_JSONB, &key->to_jsonb);
	fmgr_info_set_expr((Node *) call, &key->to_jsonb);
}

static void
use_column(RowKey *key, int i, char *name, int found, TupleDesc columns)
{
	RowKeyColumn *column = &key->columns[i];

	column->name = name;
	column->column = found;
	column->base = getBaseType(TupleDescAttr(columns, found)->atttypid);
	prepare_to_jsonb(column, TupleDescAttr(columns, found));
	key->last_column = Max(key->last_column, found + 1);
}

bool
row_key_try(RowKey *key, char **names, int n_names, TupleDesc columns)
{
	memset(key, 0, sizeof(*key));
	key->columns = palloc0(sizeof(RowKeyColumn) * Max(n_names, 1));
	for (int i = 0; i < n_names; i++)
	{
		int			found = find_column(columns, names[i]);

		if (found < 0)
		{
			key->last_column = 0;
			return false;
		}
		use_column(key, i, names[i], found, columns);
	}
	key->n_columns = n_names;
	return true;
}

void
row_key_init(RowKey *key, ArrayType *names, TupleDesc columns)
{
	Datum	   *elements;
	bool	   *nulls;

	memset(key, 0, sizeof(*key));
	if (names == NULL)
		return;
	deconstruct_array(names, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls,
					  &key->n_columns);
	key->columns = palloc0(sizeof(RowKeyColumn) * Max(key->n_columns, 1));
	for (int i = 0; i < key->n_columns; i++)
	{
		char	   *name;
		int			found;

		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("argument \"key\" must not contain nulls")));
		name = TextDatumGetCString(elements[i]);
		found = find_column(columns, name);
		if (found < 0)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("key column \"%s\" is not in the query", name),
					 errhint("Name columns of the query, as in key => ARRAY['id'].")));
		use_column(key, i, name, found, columns);
	}
}

/* The number of the shortest digits that read back as the same one; false if JSON has none. */
static bool
shortest_number(Oid base, Datum value, JsonbValue *out)
{
	char		digits[DOUBLE_SHORTEST_DECIMAL_LEN];
	double		number = base == FLOAT4OID ? DatumGetFloat4(value) : DatumGetFloat8(value);

	if (isnan(number) || isinf(number))
		return false;
	if (base == FLOAT4OID)
		float_to_shortest_decimal_buf(DatumGetFloat4(value), digits);
	else
		double_to_shortest_decimal_buf(number, digits);
	out->type = jbvNumeric;
	out->val.numeric = DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(digits),
														   ObjectIdGetDatum(InvalidOid),
														   Int32GetDatum(-1)));
	return true;
}

static void
other_value(RowKeyColumn *key, Datum value, JsonbValue *out)
{
	Jsonb	   *json = DatumGetJsonbP(FunctionCall1(&key->to_jsonb, value));

	if (JsonbExtractScalar(&json->root, out))
		return;
	out->type = jbvBinary;
	out->val.binary.data = &json->root;
	out->val.binary.len = VARSIZE(json) - VARHDRSZ;
}

/*
 * The usual types directly, others as to_jsonb() has them: so floating-point
 * numbers keep all digits, whatever extra_float_digits says.
 */
void
row_key_value(RowKeyColumn *key, Datum value, JsonbValue *out)
{
	struct varlena *packed;

	switch (key->base)
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
			out->type = jbvNumeric;
			out->val.numeric = int64_to_numeric(key->base == INT8OID ? DatumGetInt64(value) :
												key->base == INT4OID ? DatumGetInt32(value) :
												DatumGetInt16(value));
			return;
		case TEXTOID:
		case VARCHAROID:
			packed = PG_DETOAST_DATUM_PACKED(value);
			out->type = jbvString;
			out->val.string.val = VARDATA_ANY(packed);
			out->val.string.len = VARSIZE_ANY_EXHDR(packed);
			return;
		case BOOLOID:
			out->type = jbvBool;
			out->val.boolean = DatumGetBool(value);
			return;
		case FLOAT4OID:
		case FLOAT8OID:
			if (!shortest_number(key->base, value, out))
				other_value(key, value, out);
			return;
		default:
			other_value(key, value, out);
	}
}

Datum
row_key_jsonb(RowKey *key, const Datum *values, const bool *nulls)
{
	JsonbParseState *state = NULL;

	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < key->n_columns; i++)
	{
		RowKeyColumn *column = &key->columns[i];
		JsonbValue	name = {.type = jbvString};
		JsonbValue	value = {.type = jbvNull};

		name.val.string.val = column->name;
		name.val.string.len = (int) strlen(column->name);
		if (!nulls[column->column])
			row_key_value(column, values[column->column], &value);
		(void) pushJsonbValue(&state, WJB_KEY, &name);
		(void) pushJsonbValue(&state, WJB_VALUE, &value);
	}
	return JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
}
