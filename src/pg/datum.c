/*
 * datum.c
 *	  The type policy, and values as cells.
 *
 * Everything that is decided by type is decided by one row of the table
 * below: whether a column can be a feature and of which kind, how its bytes
 * are read, and the tag of its canonical bytes.  Enums and domains are found
 * by what they are, not by a row of their own.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/float.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "pg/compat.h"
#include "pg/numeric.h"
#include "pg/policy.h"

#define NOT_A_FEATURE false, FOREST_NUMERIC

static const TypePolicy policies[] = {
	{BOOLOID, READ_BOOL, TAG_BOOL, true, FOREST_BOOLEAN, true},
	{INT2OID, READ_INT2, TAG_INTEGER, true, FOREST_NUMERIC, true},
	{INT4OID, READ_INT4, TAG_INTEGER, true, FOREST_NUMERIC, true},
	{INT8OID, READ_INT8, TAG_INTEGER, true, FOREST_NUMERIC, true},
	{FLOAT4OID, READ_FLOAT4, TAG_FLOAT, true, FOREST_NUMERIC, false},
	{FLOAT8OID, READ_FLOAT8, TAG_FLOAT, true, FOREST_NUMERIC, false},
	{NUMERICOID, READ_NUMERIC, TAG_NUMERIC, true, FOREST_NUMERIC, true},
	{DATEOID, READ_DATE, TAG_DATE, true, FOREST_TIMESTAMP, false},
	{TIMESTAMPOID, READ_TIMESTAMP, TAG_TIMESTAMP, true, FOREST_TIMESTAMP, false},
	{TIMESTAMPTZOID, READ_TIMESTAMP, TAG_TIMESTAMP, true, FOREST_TIMESTAMPTZ, false},
	{INTERVALOID, READ_INTERVAL, TAG_OTHER, true, FOREST_INTERVAL, false},
	{TEXTOID, READ_TEXT, TAG_TEXT, true, FOREST_CATEGORY, true},
	{VARCHAROID, READ_TEXT, TAG_TEXT, true, FOREST_CATEGORY, true},
	{BPCHAROID, READ_BPCHAR, TAG_TEXT, true, FOREST_CATEGORY, true},
	{NAMEOID, READ_NAME, TAG_TEXT, true, FOREST_CATEGORY, true},
	{CHAROID, READ_CHAR, TAG_TEXT, true, FOREST_CATEGORY, true},
	{UNKNOWNOID, READ_CSTRING, TAG_TEXT, true, FOREST_CATEGORY, true},
	{BYTEAOID, READ_BYTEA, TAG_BYTEA, NOT_A_FEATURE, false},
	{BITOID, READ_OTHER, TAG_OTHER, NOT_A_FEATURE, true},
	{CIDROID, READ_OTHER, TAG_OTHER, NOT_A_FEATURE, true},
	{INETOID, READ_OTHER, TAG_OTHER, NOT_A_FEATURE, true},
	{JSONOID, READ_OTHER, TAG_OTHER, NOT_A_FEATURE, true},
	{JSONBOID, READ_OTHER, TAG_OTHER, NOT_A_FEATURE, true},
	{MACADDROID, READ_OTHER, TAG_OTHER, NOT_A_FEATURE, true},
	{OIDOID, READ_OTHER, TAG_OTHER, NOT_A_FEATURE, true},
	{TIMEOID, READ_OTHER, TAG_OTHER, NOT_A_FEATURE, true},
	{UUIDOID, READ_UUID, TAG_OTHER, NOT_A_FEATURE, true},
	{VARBITOID, READ_OTHER, TAG_OTHER, NOT_A_FEATURE, true},
};

static const TypePolicy enum_policy =
{InvalidOid, READ_ENUM, TAG_OTHER, true, FOREST_CATEGORY, true};

/* Whatever is not known better, and arrays of what has a plain output. */
static const TypePolicy other_policy =
{InvalidOid, READ_OTHER, TAG_OTHER, NOT_A_FEATURE, false};
static const TypePolicy plain_array_policy =
{InvalidOid, READ_OTHER, TAG_OTHER, NOT_A_FEATURE, true};

static const TypePolicy *
find_policy(Oid base)
{
	Oid			element;

	for (size_t i = 0; i < lengthof(policies); i++)
	{
		if (policies[i].type == base)
			return &policies[i];
	}
	if (type_is_enum(base))
		return &enum_policy;
	element = get_element_type(base);
	if (OidIsValid(element) && find_policy(getBaseType(element))->plain_output)
		return &plain_array_policy;
	return &other_policy;
}

void
datum_type_init(DatumType *t, Oid type, MemoryContext context)
{
	Oid			output;
	bool		is_varlena;

	memset(t, 0, sizeof(*t));
	t->type = type;
	t->policy = &other_policy;
	if (!OidIsValid(type))
		return;
	t->base = getBaseType(type);
	t->policy = find_policy(t->base);
	t->supported = t->policy->feature;
	t->kind = t->policy->kind;
	t->integer = t->policy->tag == TAG_INTEGER;
	t->is_float = t->policy->tag == TAG_FLOAT || t->policy->tag == TAG_NUMERIC;
	t->is_enum = t->policy->reader == READ_ENUM;
	t->plain_output = t->policy->plain_output;
	getTypeOutputInfo(type, &output, &is_varlena);
	fmgr_info_cxt(output, &t->output, context);
	t->has_output = true;
}

const char *
datum_to_utf8(const char *text, size_t n_bytes, size_t *utf8_bytes)
{
	const char *utf8;
	int			encoding = GetDatabaseEncoding();

	*utf8_bytes = n_bytes;
	if (encoding == PG_UTF8)
		return text;
	if (encoding != PG_SQL_ASCII)
		utf8 = pg_server_to_any(text, (int) n_bytes, PG_UTF8);
	else if (pg_encoding_verifymbstr(PG_UTF8, text, (int) n_bytes) == (int) n_bytes)
		return text;
	else
		utf8 = (char *) pg_do_encoding_conversion((unsigned char *) unconstify(char *, text),
												  (int) n_bytes, PG_LATIN1, PG_UTF8);
	if (utf8 != text)
		*utf8_bytes = strlen(utf8);
	return utf8;
}

const char *
datum_from_utf8(const char *utf8, size_t n_bytes, size_t *text_bytes)
{
	const char *text = utf8;

	if (GetDatabaseEncoding() != PG_UTF8 && GetDatabaseEncoding() != PG_SQL_ASCII)
		text = pg_any_to_server(utf8, (int) n_bytes, PG_UTF8);
	*text_bytes = text == utf8 ? n_bytes : strlen(text);
	return text;
}

char *
policy_enum_label(Oid value, double *order)
{
	HeapTuple	tuple = SearchSysCache1(ENUMOID, ObjectIdGetDatum(value));
	Form_pg_enum form;
	char	   *label;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid internal value for enum: %u", value)));
	form = (Form_pg_enum) GETSTRUCT(tuple);
	label = pstrdup(NameStr(form->enumlabel));
	*order = form->enumsortorder;
	ReleaseSysCache(tuple);
	return label;
}

char *
policy_char_text(char value, size_t *n_bytes)
{
	unsigned char byte = (unsigned char) value;
	char	   *text = palloc(5);

	if (byte >= 0x80)
		snprintf(text, 5, "\\%03o", byte);
	else
	{
		text[0] = value;
		text[1] = '\0';
	}
	*n_bytes = strlen(text);
	return text;
}

/* Months have 30 days and days 24 hours, as in the server's comparison of intervals. */
static inline double
interval_seconds(const Interval *value)
{
	int			infinity = compat_interval_infinity(value);
	int64		days = (int64) value->month * DAYS_PER_MONTH + value->day;
	int64		seconds = days * SECS_PER_DAY + value->time / USECS_PER_SEC;

	if (infinity != 0)
		return infinity * get_float8_infinity();
	return (double) seconds + (double) (value->time % USECS_PER_SEC) / USECS_PER_SEC;
}

/* Set a category; empty texts are categories too. */
static inline void
set_text(ForestCell *cell, const char *text, size_t n_bytes)
{
	cell->text = datum_to_utf8(text, n_bytes, &cell->n_bytes);
}

/* A text-like value's bytes, in the server's encoding. */
static void
read_category(const DatumType *t, Datum value, ForestCell *cell)
{
	struct varlena *packed;
	double		order;
	size_t		n_bytes;
	char	   *text;

	switch (t->policy->reader)
	{
		case READ_TEXT:
			packed = PG_DETOAST_DATUM_PACKED(value);
			set_text(cell, VARDATA_ANY(packed), VARSIZE_ANY_EXHDR(packed));
			break;
		case READ_BPCHAR:
			packed = PG_DETOAST_DATUM_PACKED(value);
			n_bytes = bpchartruelen(VARDATA_ANY(packed), VARSIZE_ANY_EXHDR(packed));
			set_text(cell, VARDATA_ANY(packed), n_bytes);
			break;
		case READ_NAME:
			text = NameStr(*DatumGetName(value));
			set_text(cell, text, strlen(text));
			break;
		case READ_CHAR:
			text = policy_char_text(DatumGetChar(value), &n_bytes);
			set_text(cell, text, n_bytes);
			break;
		case READ_ENUM:
			text = policy_enum_label(DatumGetObjectId(value), &order);
			set_text(cell, text, strlen(text));
			break;
		case READ_CSTRING:
			text = DatumGetCString(value);
			set_text(cell, text, strlen(text));
			break;
		default:
			elog(ERROR, "type %u is no category", t->type);
	}
}

const char *
datum_stored_text(const DatumType *t, Datum value, size_t *n_bytes)
{
	const struct varlena *stored = (const struct varlena *) DatumGetPointer(value);

	switch (t->policy->reader)
	{
		case READ_TEXT:
		case READ_BPCHAR:
			if (VARATT_IS_COMPRESSED(stored) || VARATT_IS_EXTERNAL(stored))
				return NULL;
			*n_bytes = VARSIZE_ANY_EXHDR(stored);
			if (t->policy->reader == READ_BPCHAR)
				*n_bytes = bpchartruelen(VARDATA_ANY(stored), (int) *n_bytes);
			return VARDATA_ANY(stored);
		case READ_NAME:
			*n_bytes = strlen(NameStr(*DatumGetName(value)));
			return NameStr(*DatumGetName(value));
		default:
			return NULL;
	}
}

/* The number of a value whose type is no category. */
static inline double
read_number(DatumReader reader, Datum value)
{
	switch (reader)
	{
		case READ_BOOL:
			return DatumGetBool(value) ? 1 : 0;
		case READ_INT2:
			return DatumGetInt16(value);
		case READ_INT4:
			return DatumGetInt32(value);
		case READ_INT8:
			return (double) DatumGetInt64(value);
		case READ_FLOAT4:
			return DatumGetFloat4(value);
		case READ_FLOAT8:
			return DatumGetFloat8(value);
		case READ_NUMERIC:
			return numeric_to_double(value);
		case READ_DATE:
			return policy_date_seconds(DatumGetDateADT(value));
		case READ_TIMESTAMP:
			return policy_timestamp_seconds(DatumGetTimestamp(value));
		case READ_INTERVAL:
			return interval_seconds(DatumGetIntervalP(value));
		default:
			elog(ERROR, "a value of reader %d is no number", (int) reader);
			return 0;
	}
}

void
datum_cell(const DatumType *t, Datum value, bool is_null, ForestCell *cell)
{
	cell->missing = is_null;
	cell->text = NULL;
	cell->n_bytes = 0;
	cell->number = 0;
	if (is_null)
		return;
	if (t->policy->kind == FOREST_CATEGORY || !t->policy->feature)
	{
		read_category(t, value, cell);
		return;
	}
	cell->number = read_number(t->policy->reader, value);
	cell->missing = isnan(cell->number);
}

/* With the reader as a constant, so that its choice is made outside of the loop. */
static inline void
read_numbers(DatumReader reader, const char *values, const char *nulls, const DatumPlace *places,
			 int n, double *numbers)
{
	for (int i = 0; i < n; i++)
		numbers[i] = *(const bool *) (nulls + places[i].null) ? get_float8_nan() :
			read_number(reader, *(const Datum *) (values + places[i].value));
}

void
datum_numbers(const DatumType *t, const char *values, const char *nulls,
			  const DatumPlace *places, int n, double *numbers)
{
	switch (t->policy->reader)
	{
		case READ_FLOAT8:
			read_numbers(READ_FLOAT8, values, nulls, places, n, numbers);
			return;
		case READ_FLOAT4:
			read_numbers(READ_FLOAT4, values, nulls, places, n, numbers);
			return;
		case READ_INT2:
			read_numbers(READ_INT2, values, nulls, places, n, numbers);
			return;
		case READ_INT4:
			read_numbers(READ_INT4, values, nulls, places, n, numbers);
			return;
		case READ_INT8:
			read_numbers(READ_INT8, values, nulls, places, n, numbers);
			return;
		case READ_BOOL:
			read_numbers(READ_BOOL, values, nulls, places, n, numbers);
			return;
		default:
			read_numbers(t->policy->reader, values, nulls, places, n, numbers);
	}
}

bool
datum_same_reader(const DatumType *a, const DatumType *b)
{
	return a->policy->reader == b->policy->reader;
}
