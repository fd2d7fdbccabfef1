/*
 * row_key.c
 *	  Keys of rows as JSON objects.
 *
 * The server's way to a jsonb takes as long as the rest of a row.  Of all keys
 * of a call everything but the values is the same; so, for the usual types,
 * that is copied, and the values are put behind it.  The stored form of jsonb
 * is on disk, so it cannot change between versions: utils/jsonb.h has it.
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
#include "utils/uuid.h"

#include "pg/compat.h"
#include "pg/numeric.h"
#include "pg/row_key.h"

/*
 * Columns of a key that is put together here: of so many, only the first name
 * has its place noted, and others their lengths.
 */
#define MAX_DIRECT (JB_OFFSET_STRIDE / 2)

/* What values of a key may take in all; longer ones leave what is too long to the server. */
#define MAX_DIRECT_BYTES (1024 * 1024)

#define UUID_TEXT_BYTES 36

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

/* Is a value of this type put into a key by put_value()? */
static bool
is_direct(const RowKeyColumn *column)
{
	switch (column->base)
	{
		case BOOLOID:
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case TEXTOID:
		case VARCHAROID:
		case UUIDOID:
			return true;
		default:
			return false;
	}
}

/* The order of names in jsonb. */
static int
compare_names(const void *a, const void *b)
{
	const char *left = ((const RowKeyColumn *) a)->name;
	const char *right = ((const RowKeyColumn *) b)->name;
	size_t		n_left = strlen(left);
	size_t		n_right = strlen(right);

	if (n_left != n_right)
		return n_left < n_right ? -1 : 1;
	return memcmp(left, right, n_left);
}

/* A column that is named twice is in a key once. */
static void
order_columns(RowKey *key)
{
	int			n = 0;

	qsort(key->columns, key->n_columns, sizeof(RowKeyColumn), compare_names);
	for (int i = 0; i < key->n_columns; i++)
		if (n == 0 || compare_names(&key->columns[n - 1], &key->columns[i]) != 0)
			key->columns[n++] = key->columns[i];
	key->n_columns = n;
}

/* What all keys begin with: how many there are, room for what the values are, the names. */
static void
make_begin(RowKey *key)
{
	Jsonb	   *json;
	char	   *at;

	if (key->n_columns == 0 || key->n_columns > MAX_DIRECT)
		return;
	key->begin_bytes = offsetof(Jsonb, root.children) + 2 * key->n_columns * sizeof(JEntry);
	for (int i = 0; i < key->n_columns; i++)
	{
		if (!is_direct(&key->columns[i]))
			return;
		key->begin_bytes += strlen(key->columns[i].name);
	}
	json = palloc0(key->begin_bytes);
	json->root.header = (uint32) key->n_columns | JB_FOBJECT;
	at = (char *) &json->root.children[2 * key->n_columns];
	for (int i = 0; i < key->n_columns; i++)
	{
		size_t		n_bytes = strlen(key->columns[i].name);

		json->root.children[i] = (JEntry) n_bytes | (i == 0 ? JENTRY_HAS_OFF : 0);
		memcpy(at, key->columns[i].name, n_bytes);
		at += n_bytes;
	}
	key->begin = (char *) json;
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
	order_columns(key);
	make_begin(key);
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

/* Any key, by the server. */
static Datum
build_jsonb(RowKey *key, const Datum *values, const bool *nulls)
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

/* What a value takes at most; a text is detoasted. */
static inline Size
value_room(const RowKeyColumn *column, Datum *value)
{
	switch (column->base)
	{
		case BOOLOID:
			return 0;
		case TEXTOID:
		case VARCHAROID:
			*value = PointerGetDatum(PG_DETOAST_DATUM_PACKED(*value));
			return VARSIZE_ANY_EXHDR(DatumGetPointer(*value));
		case UUIDOID:
			return UUID_TEXT_BYTES;
		default:
			return sizeof(int32) + NUMERIC_INT64_BYTES;
	}
}

/* As uuid_out() has it. */
static char *
put_uuid(const pg_uuid_t *uuid, char *to)
{
	static const char digits[] = "0123456789abcdef";

	for (int i = 0; i < UUID_LEN; i++)
	{
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*to++ = '-';
		*to++ = digits[uuid->data[i] >> 4];
		*to++ = digits[uuid->data[i] & 15];
	}
	return to;
}

/* Numbers are aligned, and what that takes is theirs. */
static inline char *
put_integer(int64 value, char *to)
{
	char	   *aligned = (char *) INTALIGN(to);

	memset(to, 0, aligned - to);
	return numeric_put_int64(value, aligned);
}

/* Put a value behind what is there, and set what kind it is; returns the end. */
static inline char *
put_value(const RowKeyColumn *column, Datum value, char *to, JEntry *kind)
{
	const char *text;
	Size		n_bytes;

	*kind = JENTRY_ISNUMERIC;
	switch (column->base)
	{
		case BOOLOID:
			*kind = DatumGetBool(value) ? JENTRY_ISBOOL_TRUE : JENTRY_ISBOOL_FALSE;
			return to;
		case INT2OID:
			return put_integer(DatumGetInt16(value), to);
		case INT4OID:
			return put_integer(DatumGetInt32(value), to);
		case INT8OID:
			return put_integer(DatumGetInt64(value), to);
		case UUIDOID:
			*kind = JENTRY_ISSTRING;
			return put_uuid(DatumGetUUIDP(value), to);
		default:
			*kind = JENTRY_ISSTRING;
			text = VARDATA_ANY(DatumGetPointer(value));
			n_bytes = VARSIZE_ANY_EXHDR(DatumGetPointer(value));
			memcpy(to, text, n_bytes);
			return to + n_bytes;
	}
}

Datum
row_key_jsonb(RowKey *key, const Datum *values, const bool *nulls)
{
	Datum		of_key[MAX_DIRECT];
	Size		room = key->begin_bytes;
	Jsonb	   *json;
	char	   *at;

	if (key->begin == NULL)
		return build_jsonb(key, values, nulls);
	for (int i = 0; i < key->n_columns; i++)
	{
		const RowKeyColumn *column = &key->columns[i];

		of_key[i] = values[column->column];
		if (!nulls[column->column])
			room += value_room(column, &of_key[i]);
	}
	if (room > MAX_DIRECT_BYTES)
		return build_jsonb(key, values, nulls);
	json = palloc(room);
	memcpy(json, key->begin, key->begin_bytes);
	at = (char *) json + key->begin_bytes;
	for (int i = 0; i < key->n_columns; i++)
	{
		JEntry	   *kind = &json->root.children[key->n_columns + i];
		char	   *begin = at;

		if (nulls[key->columns[i].column])
			*kind = JENTRY_ISNULL;
		else
			at = put_value(&key->columns[i], of_key[i], at, kind);
		*kind |= (JEntry) (at - begin);
	}
	SET_VARSIZE(json, at - (char *) json);
	return JsonbPGetDatum(json);
}
