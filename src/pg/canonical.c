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
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/float.h"
#include "utils/guc.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "pg/canonical.h"
#include "pg/compat.h"
#include "pg/numeric.h"

/* 32 digits and four hyphens. */
#define UUID_TEXT_BYTES 36

/* Of a buffer, before it grows. */
#define CANONICAL_FIRST_BYTES 1024

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
	struct varlena *packed;
	char	   *text;

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
			packed = PG_DETOAST_DATUM_PACKED(value);
			text = palloc(numeric_text_room(packed) + 1);
			*numeric_put_text(packed, text) = '\0';
			return text;
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

void
canonical_begin(CanonicalBytes *out)
{
	out->data = palloc(CANONICAL_FIRST_BYTES);
	out->next = out->data;
	out->limit = out->data + CANONICAL_FIRST_BYTES;
}

void
canonical_grow(CanonicalBytes *out, Size n_bytes)
{
	Size		used = out->next - out->data;
	Size		size = Max(2 * (Size) (out->limit - out->data), used + n_bytes);

	out->data = repalloc_huge(out->data, size);
	out->next = out->data + used;
	out->limit = out->data + size;
}

static inline void
put_bytes(CanonicalBytes *out, CanonicalTag tag, const char *bytes, Size n_bytes)
{
	canonical_reserve(out, CANONICAL_HEADER_BYTES + n_bytes);
	out->next = canonical_header(out->next, tag, n_bytes);
	memcpy(out->next, bytes, n_bytes);
	out->next += n_bytes;
}

/* A numeric's text goes straight behind its header, which is written when its length is known. */
static void
put_numeric(CanonicalBytes *out, Datum value)
{
	struct varlena *packed = PG_DETOAST_DATUM_PACKED(value);
	char	   *text;
	char	   *end;

	canonical_reserve(out, CANONICAL_HEADER_BYTES + numeric_text_room(packed));
	text = out->next + CANONICAL_HEADER_BYTES;
	end = numeric_put_text(packed, text);
	(void) canonical_header(out->next, TAG_NUMERIC, end - text);
	out->next = end;
}

/* As uuid_out() writes it, which takes a microsecond: uuids are common as keys. */
static void
put_uuid(CanonicalBytes *out, const pg_uuid_t *uuid)
{
	static const char digits[] = "0123456789abcdef";
	char	   *to;

	canonical_reserve(out, CANONICAL_HEADER_BYTES + UUID_TEXT_BYTES);
	to = canonical_header(out->next, TAG_OTHER, UUID_TEXT_BYTES);
	for (int i = 0; i < UUID_LEN; i++)
	{
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*to++ = '-';
		*to++ = digits[uuid->data[i] >> 4];
		*to++ = digits[uuid->data[i] & 15];
	}
	out->next = to;
}

void
datum_canonical(DatumType *t, Datum value, const ForestCell *cell, CanonicalBytes *out)
{
	struct varlena *packed;
	const char *text;
	size_t		n_bytes;

	switch (t->policy->reader)
	{
		case READ_TEXT:
		case READ_BPCHAR:
		case READ_NAME:
		case READ_CHAR:
		case READ_CSTRING:
			put_bytes(out, TAG_TEXT, cell->text, cell->n_bytes);
			break;
		case READ_NUMERIC:
			put_numeric(out, value);
			break;
		case READ_UUID:
			put_uuid(out, DatumGetUUIDP(value));
			break;
		case READ_BYTEA:
			packed = PG_DETOAST_DATUM_PACKED(value);
			put_bytes(out, TAG_BYTEA, VARDATA_ANY(packed), VARSIZE_ANY_EXHDR(packed));
			break;
		case READ_INTERVAL:
			text = interval_text(t, value);
			put_bytes(out, TAG_OTHER, text, strlen(text));
			break;
		default:
			text = output_text(t, value);
			text = datum_to_utf8(text, strlen(text), &n_bytes);
			put_bytes(out, TAG_OTHER, text, n_bytes);
	}
}

uint8
datum_canonical_tag(const DatumType *t)
{
	return (uint8) t->policy->tag;
}
