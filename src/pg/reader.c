/*
 * reader.c
 *	  A row of the training query, read in one pass.
 *
 * Values of fixed width and texts in UTF-8 are dealt with here, in one switch
 * per value without a call; canonical.c and datum.c do the others.  Room for
 * the headers of all columns and all payloads of fixed width is made once a
 * row; whoever writes more makes it anew.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/date.h"

#include "pg/compat.h"
#include "pg/reader.h"

void
reader_begin(Reader *r, ReaderColumn *columns, int n_columns)
{
	memset(r, 0, sizeof(*r));
	r->context = CurrentMemoryContext;
	r->columns = columns;
	r->n_columns = n_columns;
	r->narrow_bytes = (Size) n_columns * CANONICAL_FIXED_BYTES;
	r->texts_are_utf8 = GetDatabaseEncoding() == PG_UTF8;
	for (int i = 0; i < n_columns; i++)
		r->has_excluded |= columns[i].is_excluded;
	canonical_begin(&r->all);
	canonical_begin(&r->kept);
	canonical_begin(&r->group);
}

const ReaderLabel *
reader_label(Reader *r, ReaderColumn *column, Datum value)
{
	ReaderLabel *label;
	const char *text;

	if (column->labels == NULL)
		column->labels = MemoryContextAllocZero(r->context, READER_LABELS * sizeof(ReaderLabel));
	label = &column->labels[(value ^ value >> 6) % READER_LABELS];
	if (label->text != NULL && label->value == value)
		return label;
	datum_label(column->type, value, &text, &label->n_bytes, &label->order);
	if (label->text != NULL)
		pfree(unconstify(char *, label->text));
	label->text = MemoryContextAlloc(r->context, label->n_bytes + 1);
	memcpy(unconstify(char *, label->text), text, label->n_bytes);
	label->value = value;
	return label;
}

static inline void
set_number(const ReaderColumn *column, double number)
{
	column->cell->number = number;
	column->cell->missing = isnan(number);
}

/* A text, or the label of an enum. */
static inline char *
put_text(Reader *r, const ReaderColumn *column, CanonicalTag tag, const char *text, Size n_bytes,
		 char *to)
{
	r->all.next = to;
	canonical_reserve(&r->all, r->narrow_bytes + n_bytes);
	to = canonical_header(r->all.next, tag, n_bytes);
	memcpy(to, text, n_bytes);
	column->cell->text = text;
	column->cell->n_bytes = n_bytes;
	column->cell->missing = false;
	return to + n_bytes;
}

/* A value of any other type. */
static char *
put_other(Reader *r, const ReaderColumn *column, Datum value, char *to)
{
	if (column->wants_cell || column->type->kind == FOREST_CATEGORY)
		datum_cell(column->type, value, false, column->cell);
	r->all.next = to;
	datum_canonical(column->type, value, column->cell, &r->all);
	canonical_reserve(&r->all, r->narrow_bytes);
	return r->all.next;
}

/* Put one value, not NULL, into its cell and to the end of all. */
static inline char *
read_value(Reader *r, ReaderColumn *column, Datum value, char *to)
{
	const ReaderLabel *label;
	struct varlena *packed;

	switch (column->type->policy->reader)
	{
		case READ_BOOL:
			to = canonical_header(to, TAG_BOOL, 1);
			*to++ = DatumGetBool(value) ? 1 : 0;
			set_number(column, DatumGetBool(value) ? 1 : 0);
			return to;
		case READ_INT2:
			set_number(column, DatumGetInt16(value));
			return canonical_word(to, TAG_INTEGER, (uint64) (int64) DatumGetInt16(value));
		case READ_INT4:
			set_number(column, DatumGetInt32(value));
			return canonical_word(to, TAG_INTEGER, (uint64) (int64) DatumGetInt32(value));
		case READ_INT8:
			set_number(column, (double) DatumGetInt64(value));
			return canonical_word(to, TAG_INTEGER, (uint64) DatumGetInt64(value));
		case READ_FLOAT4:
			set_number(column, DatumGetFloat4(value));
			return canonical_float(to, DatumGetFloat4(value));
		case READ_FLOAT8:
			set_number(column, DatumGetFloat8(value));
			return canonical_float(to, DatumGetFloat8(value));
		case READ_DATE:
			set_number(column, policy_date_seconds(DatumGetDateADT(value)));
			return canonical_word(to, TAG_DATE, (uint64) (int64) DatumGetDateADT(value));
		case READ_TIMESTAMP:
			set_number(column, policy_timestamp_seconds(DatumGetTimestamp(value)));
			return canonical_word(to, TAG_TIMESTAMP, (uint64) DatumGetTimestamp(value));
		case READ_TEXT:
			if (!r->texts_are_utf8)
				return put_other(r, column, value, to);
			packed = (struct varlena *) DatumGetPointer(value);
			return put_text(r, column, TAG_TEXT, VARDATA_ANY(packed), VARSIZE_ANY_EXHDR(packed),
							to);
		case READ_ENUM:
			label = reader_label(r, column, value);
			return put_text(r, column, TAG_OTHER, label->text, label->n_bytes, to);
		default:
			return put_other(r, column, value, to);
	}
}

void
reader_row(Reader *r, Datum *values, const bool *nulls)
{
	Size		run = 0;		/* where the columns not yet copied to kept begin */
	char	   *to;

	r->all.next = r->all.data;
	r->kept.next = r->kept.data;
	r->group.next = r->group.data;
	canonical_reserve(&r->all, r->narrow_bytes);
	to = r->all.next;
	for (int i = 0; i < r->n_columns; i++)
	{
		ReaderColumn *column = &r->columns[i];
		Size		start = to - r->all.data;

		if (nulls[i])
		{
			to = canonical_header(to, TAG_NULL, 0);
			column->cell->missing = true;
		}
		else
		{
			if (column->varlena && (VARATT_IS_COMPRESSED(DatumGetPointer(values[i])) ||
									VARATT_IS_EXTERNAL(DatumGetPointer(values[i]))))
				values[i] = PointerGetDatum(PG_DETOAST_DATUM_PACKED(values[i]));
			to = read_value(r, column, values[i], to);
		}
		if (column->is_key)
			canonical_append(&r->group, r->all.data + start, to - r->all.data - start);
		else if (column->is_excluded)
		{
			canonical_append(&r->kept, r->all.data + run, start - run);
			run = to - r->all.data;
		}
	}
	r->all.next = to;
	if (r->has_excluded)
		canonical_append(&r->kept, r->all.data + run, to - r->all.data - run);
}
