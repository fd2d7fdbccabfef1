/*
 * canonical.c
 *	  Values as labels and as canonical bytes: forms that depend on the value
 *	  alone, not on a setting, an encoding or a collation.
 *
 * Canonical bytes (algorithms I1) are a tag, a length of four bytes and a
 * payload, all big-endian, so that no two rows share their bytes:
 *
 *	  bool		one byte, 0 or 1
 *	  integers	eight bytes, two's complement, whatever the width of the type
 *	  floats	eight bytes IEEE; float4 widened, −0 is +0, one NaN
 *	  numeric	its shortest plain text
 *	  texts		UTF-8; the trailing blanks of char(n) dropped
 *	  timestamp	microseconds since 2000-01-01 (UTC if with time zone), eight bytes
 *	  date		days since 2000-01-01, eight bytes
 *	  bytea		as it is
 *	  others	the text of the type's output function under fixed settings, UTF-8
 *
 * The settings are changed only around the one call of an output function
 * whose text may depend on them: around the user's query they would change
 * what the query means.
 */
#include "postgres.h"

#include <math.h>

#include "common/shortest_dec.h"
#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/float.h"
#include "utils/guc.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "pg/compat.h"
#include "pg/numeric.h"
#include "pg/policy.h"

/* Tag and length. */
#define HEADER_BYTES 5

/* 32 digits and four hyphens. */
#define UUID_TEXT_BYTES 36

#define CANONICAL_NAN UINT64CONST(0x7FF8000000000000)

/* The settings under which output functions are called. */
static const char *const fixed_settings[][2] = {
	{"DateStyle", "ISO"},
	{"IntervalStyle", "iso_8601"},
	{"TimeZone", "UTC"},
	{"bytea_output", "hex"},
	{"extra_float_digits", "3"},
	{"lc_monetary", "C"},
	{"search_path", "pg_catalog"},
	{"xmlbinary", "base64"},
};

/* A value as the text of its output function, whatever the session's settings. */
static char *
output_text(DatumType *t, Datum value)
{
	int			level;
	char	   *text;

	if (t->plain_output)
		return OutputFunctionCall(&t->output, value);
	level = NewGUCNestLevel();
	for (size_t i = 0; i < lengthof(fixed_settings); i++)
		(void) set_config_option(fixed_settings[i][0], fixed_settings[i][1], PGC_USERSET,
								 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	text = OutputFunctionCall(&t->output, value);
	AtEOXact_GUC(true, level);
	return text;
}

/* ISO 8601 as interval_out writes it under IntervalStyle iso_8601. */
static char *
interval_text(DatumType *t, Datum value)
{
	struct pg_itm fields;
	char	   *text;

	if (compat_interval_infinity(DatumGetIntervalP(value)) != 0)
		return output_text(t, value);
	text = palloc(MAXDATELEN + 1);
	interval2itm(*DatumGetIntervalP(value), &fields);
	EncodeInterval(&fields, INTSTYLE_ISO_8601, text);
	return text;
}

static char *
float_text(const DatumType *t, Datum value)
{
	char	   *text;

	if (t->policy->reader == READ_FLOAT4)
	{
		float4		number = DatumGetFloat4(value);

		text = palloc(FLOAT_SHORTEST_DECIMAL_LEN);
		float_to_shortest_decimal_buf(number == 0 ? 0.0f : number, text);
	}
	else
	{
		float8		number = DatumGetFloat8(value);

		text = palloc(DOUBLE_SHORTEST_DECIMAL_LEN);
		double_to_shortest_decimal_buf(number == 0 ? 0.0 : number, text);
	}
	return text;
}

/* The label of a value that is neither text nor enum; ASCII, or in the server's encoding. */
static char *
label_text(DatumType *t, Datum value)
{
	char	   *text;
	StringInfoData digits;

	switch (t->policy->reader)
	{
		case READ_BOOL:
			return pstrdup(DatumGetBool(value) ? "true" : "false");
		case READ_INT2:
		case READ_INT4:
		case READ_INT8:
			text = palloc(MAXINT8LEN + 1);
			pg_lltoa(t->policy->reader == READ_INT8 ? DatumGetInt64(value) :
					 t->policy->reader == READ_INT4 ? DatumGetInt32(value) :
					 DatumGetInt16(value), text);
			return text;
		case READ_FLOAT4:
		case READ_FLOAT8:
			return float_text(t, value);
		case READ_NUMERIC:
			initStringInfo(&digits);
			numeric_append_text(value, &digits);
			return digits.data;
		case READ_INTERVAL:
			return interval_text(t, value);
		default:
			return output_text(t, value);
	}
}

void
datum_label(DatumType *t, Datum value, const char **text, size_t *n_bytes, double *order)
{
	ForestCell	cell;
	char	   *label;

	if (t->is_enum)
	{
		label = policy_enum_label(DatumGetObjectId(value), order);
		*text = datum_to_utf8(label, strlen(label), n_bytes);
		return;
	}
	*order = 0;
	if (t->supported)
	{
		datum_cell(t, value, false, &cell);
		if (t->kind == FOREST_CATEGORY)
		{
			*text = cell.text;
			*n_bytes = cell.n_bytes;
			return;
		}
		*order = cell.missing ? get_float8_infinity() : cell.number;
	}
	label = label_text(t, value);
	*text = datum_to_utf8(label, strlen(label), n_bytes);
}

/* Room for tag, length and payload; returns where the payload goes. */
static inline char *
begin_value(StringInfo out, CanonicalTag tag, size_t n_bytes)
{
	uint32		length = pg_hton32((uint32) n_bytes);
	char	   *to;

	enlargeStringInfo(out, (int) n_bytes + HEADER_BYTES);
	to = out->data + out->len;
	to[0] = (char) tag;
	memcpy(to + 1, &length, sizeof(length));
	out->len += HEADER_BYTES + (int) n_bytes;
	out->data[out->len] = '\0';
	return to + HEADER_BYTES;
}

static inline void
put_bytes(StringInfo out, CanonicalTag tag, const char *bytes, size_t n_bytes)
{
	memcpy(begin_value(out, tag, n_bytes), bytes, n_bytes);
}

static inline void
put_word(StringInfo out, CanonicalTag tag, uint64 word)
{
	uint64		big_endian = pg_hton64(word);

	memcpy(begin_value(out, tag, sizeof(big_endian)), &big_endian, sizeof(big_endian));
}

static inline void
put_float(StringInfo out, double number)
{
	uint64		bits;

	if (number == 0)
		number = 0;				/* −0 too */
	memcpy(&bits, &number, sizeof(bits));
	put_word(out, TAG_FLOAT, isnan(number) ? CANONICAL_NAN : bits);
}

/* A numeric's text goes straight behind its header, whose length is filled in afterwards. */
static void
put_numeric(StringInfo out, Datum value)
{
	int			start = out->len;
	uint32		length;

	(void) begin_value(out, TAG_NUMERIC, 0);
	numeric_append_text(value, out);
	length = pg_hton32((uint32) (out->len - start - HEADER_BYTES));
	memcpy(out->data + start + 1, &length, sizeof(length));
}

static void
put_text(StringInfo out, Datum value)
{
	struct varlena *packed = PG_DETOAST_DATUM_PACKED(value);
	size_t		n_bytes;
	const char *text = datum_to_utf8(VARDATA_ANY(packed), VARSIZE_ANY_EXHDR(packed), &n_bytes);

	put_bytes(out, TAG_TEXT, text, n_bytes);
}

/* As uuid_out() writes it, which takes a microsecond: uuids are common as keys. */
static void
put_uuid(StringInfo out, const pg_uuid_t *uuid)
{
	static const char digits[] = "0123456789abcdef";
	char	   *to = begin_value(out, TAG_OTHER, UUID_TEXT_BYTES);

	for (int i = 0; i < UUID_LEN; i++)
	{
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*to++ = '-';
		*to++ = digits[uuid->data[i] >> 4];
		*to++ = digits[uuid->data[i] & 15];
	}
}

/* Texts, bytea, and everything that goes by its output function. */
static void
put_other(DatumType *t, Datum value, StringInfo out)
{
	struct varlena *packed;
	ForestCell	cell;
	const char *text;
	size_t		n_bytes;
	double		order;

	switch (t->policy->reader)
	{
		case READ_BPCHAR:
		case READ_NAME:
		case READ_CHAR:
		case READ_CSTRING:
			datum_cell(t, value, false, &cell);
			put_bytes(out, TAG_TEXT, cell.text, cell.n_bytes);
			break;
		case READ_BYTEA:
			packed = PG_DETOAST_DATUM_PACKED(value);
			put_bytes(out, TAG_BYTEA, VARDATA_ANY(packed), VARSIZE_ANY_EXHDR(packed));
			break;
		case READ_INTERVAL:
			text = interval_text(t, value);
			put_bytes(out, TAG_OTHER, text, strlen(text));
			break;
		case READ_ENUM:
			datum_label(t, value, &text, &n_bytes, &order);
			put_bytes(out, TAG_OTHER, text, n_bytes);
			break;
		default:
			text = output_text(t, value);
			text = datum_to_utf8(text, strlen(text), &n_bytes);
			put_bytes(out, TAG_OTHER, text, n_bytes);
	}
}

void
datum_canonical(DatumType *t, Datum value, bool is_null, StringInfo out)
{
	if (is_null)
	{
		(void) begin_value(out, TAG_NULL, 0);
		return;
	}
	switch (t->policy->reader)
	{
		case READ_BOOL:
			*begin_value(out, TAG_BOOL, 1) = DatumGetBool(value) ? 1 : 0;
			break;
		case READ_INT2:
			put_word(out, TAG_INTEGER, (uint64) (int64) DatumGetInt16(value));
			break;
		case READ_INT4:
			put_word(out, TAG_INTEGER, (uint64) (int64) DatumGetInt32(value));
			break;
		case READ_INT8:
			put_word(out, TAG_INTEGER, (uint64) DatumGetInt64(value));
			break;
		case READ_FLOAT4:
			put_float(out, DatumGetFloat4(value));
			break;
		case READ_FLOAT8:
			put_float(out, DatumGetFloat8(value));
			break;
		case READ_NUMERIC:
			put_numeric(out, value);
			break;
		case READ_DATE:
			put_word(out, TAG_DATE, (uint64) (int64) DatumGetDateADT(value));
			break;
		case READ_TIMESTAMP:
			put_word(out, TAG_TIMESTAMP, (uint64) DatumGetTimestamp(value));
			break;
		case READ_TEXT:
			put_text(out, value);
			break;
		case READ_UUID:
			put_uuid(out, DatumGetUUIDP(value));
			break;
		default:
			put_other(t, value, out);
	}
}

uint8
datum_canonical_tag(const DatumType *t)
{
	return (uint8) t->policy->tag;
}
