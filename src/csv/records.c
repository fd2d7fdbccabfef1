/*
 * records.c
 *	  Records of a stream of bytes.
 *
 * A quote opens a quoted field only at the field's beginning; elsewhere it is
 * an ordinary character, as in 5" pipes.  After the closing quote there may be
 * blanks, and nothing else.  LF, CR LF and CR end a line, inside quotes too,
 * where they belong to the field as they are.
 *
 * Fields are unescaped in place: what is written never overtakes what is read.
 * Offsets are those of the record's first byte, so that the buffer may move.
 * All state is kept between bytes: no byte is looked at twice.
 */
#include <string.h>

#include "core/memory.h"
#include "csv/csv.h"

typedef enum State
{
	AT_FIELD,					/* before the first byte of a field */
	IN_FIELD,					/* in one that is not quoted */
	IN_QUOTES,
	AT_ESCAPE,					/* behind an escape inside quotes */
	AT_QUOTE,					/* behind a quote inside quotes, which may be an escape */
	BEHIND_QUOTES				/* behind the closing quote */
} State;

typedef struct Place
{
	size_t		begin;			/* counted from the record's first byte */
	size_t		n_bytes;
	bool		quoted;
} Place;

struct CsvReader
{
	const Host *host;
	CsvDialect	dialect;
	size_t		max_fields;
	size_t		max_bytes;
	bool		ends_field[256];	/* delimiter and line ends */
	bool		stops_quoted[256];	/* what has a meaning inside quotes */

	char	   *bytes;
	size_t		capacity;
	size_t		n_bytes;		/* filled */
	size_t		start;			/* first byte of the record */
	size_t		at;				/* next byte to look at */
	bool		ended;

	State		state;
	bool		after_cr;		/* a LF would belong to the CR before it */
	uint64_t	line;
	uint64_t	record_line;	/* where the record begins */
	uint64_t	quote_line;		/* where the quoted field begins */
	size_t		field;			/* begin of the field */
	size_t		out;			/* end of what was kept of it */

	Place	   *places;
	size_t		place_capacity;
	CsvField   *fields;
	size_t		field_capacity;
	size_t		n_fields;
	CsvRecord	record;
};

Status
csv_reader_new(const Host *host, const CsvDialect *dialect, size_t max_fields, size_t max_bytes,
			   CsvReader **out, Failure *why)
{
	Status		status = memory_new(host, 1, sizeof(CsvReader), out, why);
	CsvReader  *reader = *out;

	if (status != STATUS_OK)
		return status;
	reader->host = host;
	reader->dialect = *dialect;
	reader->max_fields = max_fields;
	reader->max_bytes = max_bytes;
	reader->line = 1;
	reader->ends_field[(uint8_t) dialect->delimiter] = true;
	reader->ends_field['\n'] = true;
	reader->ends_field['\r'] = true;
	reader->stops_quoted['\n'] = true;
	reader->stops_quoted['\r'] = true;
	reader->stops_quoted[(uint8_t) dialect->quote] = true;
	reader->stops_quoted[(uint8_t) dialect->escape] = true;
	return STATUS_OK;
}

void
csv_reader_free(CsvReader *reader)
{
	const Host *host;

	if (reader == NULL)
		return;
	host = reader->host;
	memory_free(host, reader->bytes, reader->capacity, 1);
	memory_free(host, reader->places, reader->place_capacity, sizeof(Place));
	memory_free(host, reader->fields, reader->field_capacity, sizeof(CsvField));
	memory_free(host, reader, 1, sizeof(CsvReader));
}

Status
csv_reader_feed(CsvReader *reader, const void *bytes, size_t n_bytes, Failure *why)
{
	size_t		kept = reader->n_bytes - reader->start;
	Status		status = host_poll(reader->host, why);

	if (status != STATUS_OK)
		return status;
	if (kept > reader->max_bytes)
	{
		status = fail(why, STATUS_LIMIT, "record on line %llu has more than %zu bytes",
					  (unsigned long long) reader->record_line, reader->max_bytes);
		if (reader->state == IN_QUOTES)
			fail_hint(why, "A quote that opens a field on line %llu is not closed.",
					  (unsigned long long) reader->quote_line);
		return status;
	}
	if (reader->start > 0)
	{
		memmove(reader->bytes, reader->bytes + reader->start, kept);
		reader->n_bytes = kept;
		reader->at -= reader->start;
		reader->start = 0;
	}
	status = memory_grow(reader->host, &reader->bytes, &reader->capacity, kept + n_bytes, 1, why);
	if (status != STATUS_OK)
		return status;
	if (n_bytes > 0)
		memcpy(reader->bytes + kept, bytes, n_bytes);
	reader->n_bytes += n_bytes;
	return STATUS_OK;
}

void
csv_reader_end(CsvReader *reader)
{
	reader->ended = true;
}

uint64_t
csv_reader_line(const CsvReader *reader)
{
	return reader->line;
}

/* Count the end of a line; CR LF is one. */
static inline void
count_line(CsvReader *reader, char byte)
{
	if (byte == '\r' || !reader->after_cr)
		reader->line++;
	reader->after_cr = byte == '\r';
}

static Status
refuse_after_quote(CsvReader *reader, Failure *why)
{
	fail(why, STATUS_MALFORMED, "line %llu has text behind a closing quote",
		 (unsigned long long) reader->line);
	fail_hint(why, "A quote inside a quoted field is written twice, or behind the escape "
			  "character if the options name one.");
	return STATUS_MALFORMED;
}

/* Room for one more field, if it is allowed. */
static Status
more_places(CsvReader *reader, Failure *why)
{
	if (reader->n_fields < reader->max_fields)
		return memory_grow(reader->host, &reader->places, &reader->place_capacity,
						   reader->n_fields + 1, sizeof(Place), why);
	return fail(why, STATUS_LIMIT, "line %llu has more than %zu fields",
				(unsigned long long) reader->record_line, reader->max_fields);
}

/* The field from reader->field to reader->out is whole. */
static Status
end_field(CsvReader *reader, bool quoted, Failure *why)
{
	size_t		begin = reader->field;
	size_t		end = reader->out;

	if (reader->n_fields == reader->place_capacity || reader->n_fields == reader->max_fields)
	{
		Status		status = more_places(reader, why);

		if (status != STATUS_OK)
			return status;
	}
	reader->places[reader->n_fields].begin = begin;
	reader->places[reader->n_fields].n_bytes = end - begin;
	reader->places[reader->n_fields].quoted = quoted;
	reader->n_fields++;
	reader->state = AT_FIELD;
	return STATUS_OK;
}

static bool
is_blank_text(const CsvField *field)
{
	for (size_t i = 0; i < field->n_bytes; i++)
	{
		if (field->text[i] != ' ' && field->text[i] != '\t')
			return false;
	}
	return !field->quoted;
}

/* The record whose fields are in reader->places; it begins at reader->start. */
static Status
make_record(CsvReader *reader, const CsvRecord **record, Failure *why)
{
	Status		status = memory_grow(reader->host, &reader->fields, &reader->field_capacity,
									 reader->n_fields, sizeof(CsvField), why);

	if (status != STATUS_OK)
		return status;
	for (size_t i = 0; i < reader->n_fields; i++)
	{
		CsvField   *field = &reader->fields[i];

		field->text = reader->bytes + reader->start + reader->places[i].begin;
		field->n_bytes = reader->places[i].n_bytes;
		field->quoted = reader->places[i].quoted;
		if (reader->dialect.trim && !field->quoted)
			*field = csv_trimmed(field);
	}
	reader->record.line = reader->record_line;
	reader->record.n_fields = reader->n_fields;
	reader->record.fields = reader->fields;
	reader->record.is_blank = reader->n_fields == 1 && is_blank_text(&reader->fields[0]);
	reader->n_fields = 0;
	reader->start = reader->at;
	*record = &reader->record;
	return STATUS_OK;
}

/* A byte that ends a field: behind it is the next one, or the record is whole. */
static Status
end_field_at(CsvReader *reader, char byte, bool quoted, const CsvRecord **record, Failure *why)
{
	Status		status = end_field(reader, quoted, why);

	reader->at++;
	if (status != STATUS_OK || byte == reader->dialect.delimiter)
		return status;
	count_line(reader, byte);
	return make_record(reader, record, why);
}

/* Keep the bytes from `from` to reader->at. */
static inline void
keep(CsvReader *reader, size_t from)
{
	char	   *to = reader->bytes + reader->start + reader->out;
	size_t		n = reader->at - from;

	if (to != reader->bytes + from)
		memmove(to, reader->bytes + from, n);
	reader->out += n;
}

/* Go on in a field that is not quoted, up to the byte that ends it. */
static inline void
skip_field(CsvReader *reader)
{
	size_t		at = reader->at;

	while (at < reader->n_bytes && !reader->ends_field[(uint8_t) reader->bytes[at]])
		at++;
	reader->at = at;
	reader->out = at - reader->start;
}

/* Go on inside quotes, up to a byte that has a meaning there. */
static void
skip_quoted(CsvReader *reader)
{
	size_t		from = reader->at;

	while (reader->at < reader->n_bytes)
	{
		char		byte = reader->bytes[reader->at];

		if (!reader->stops_quoted[(uint8_t) byte])
		{
			reader->after_cr = false;
			reader->at++;
		}
		else if (byte == '\n' || byte == '\r')
		{
			count_line(reader, byte);
			reader->at++;
		}
		else
			break;
	}
	keep(reader, from);
}

/* One byte, or a run of bytes that mean the same. */
static Status
step(CsvReader *reader, const CsvRecord **record, Failure *why)
{
	const CsvDialect *dialect = &reader->dialect;
	char		byte = reader->bytes[reader->at];

	switch (reader->state)
	{
		case AT_FIELD:
			reader->field = reader->out = reader->at - reader->start;
			if (reader->n_fields == 0)
				reader->record_line = reader->line;
			if (byte == dialect->quote && dialect->quote != '\0')
			{
				reader->quote_line = reader->line;
				reader->state = IN_QUOTES;
				reader->field = ++reader->out;
				reader->at++;
				return STATUS_OK;
			}
			if (dialect->trim && (byte == ' ' || byte == '\t') && byte != dialect->delimiter)
			{
				reader->at++;
				return STATUS_OK;
			}
			reader->state = IN_FIELD;
			/* FALLTHROUGH */
		case IN_FIELD:
			skip_field(reader);
			if (reader->at == reader->n_bytes)
				return STATUS_OK;
			return end_field_at(reader, reader->bytes[reader->at], false, record, why);
		case IN_QUOTES:
			skip_quoted(reader);
			if (reader->at == reader->n_bytes)
				return STATUS_OK;
			reader->after_cr = false;
			byte = reader->bytes[reader->at];
			if (byte != dialect->quote)
				reader->state = AT_ESCAPE;
			else
				reader->state = dialect->escape == dialect->quote ? AT_QUOTE : BEHIND_QUOTES;
			reader->at++;
			return STATUS_OK;
		case AT_ESCAPE:
			/* before other characters an escape means itself */
			if (byte == dialect->quote || byte == dialect->escape)
				reader->at++;
			keep(reader, reader->at - 1);
			reader->state = IN_QUOTES;
			return STATUS_OK;
		case AT_QUOTE:
			if (byte == dialect->quote)
			{
				reader->at++;
				keep(reader, reader->at - 1);
				reader->state = IN_QUOTES;
				return STATUS_OK;
			}
			reader->state = BEHIND_QUOTES;
			return STATUS_OK;
		case BEHIND_QUOTES:
			if (reader->ends_field[(uint8_t) byte])
				return end_field_at(reader, byte, true, record, why);
			if (byte != ' ' && byte != '\t')
				return refuse_after_quote(reader, why);
			reader->at++;
			return STATUS_OK;
	}
	return STATUS_OK;
}

/* What the end of the file makes of the record it cuts off. */
static Status
last_record(CsvReader *reader, const CsvRecord **record, Failure *why)
{
	Status		status;

	if (reader->state == AT_FIELD && reader->n_fields == 0)
		return STATUS_OK;
	if (reader->state == IN_QUOTES || reader->state == AT_ESCAPE)
	{
		fail(why, STATUS_MALFORMED, "the quote that opens a field on line %llu is not closed",
			 (unsigned long long) reader->quote_line);
		fail_hint(why, "If quotes have no meaning in this file, give the option \"quote\": \"\".");
		return STATUS_MALFORMED;
	}
	if (reader->state == AT_FIELD)	/* behind a delimiter */
		reader->field = reader->out = reader->at - reader->start;
	status = end_field(reader, reader->state == AT_QUOTE || reader->state == BEHIND_QUOTES, why);
	return status == STATUS_OK ? make_record(reader, record, why) : status;
}

Status
csv_reader_next(CsvReader *reader, const CsvRecord **record, Failure *why)
{
	Status		status = STATUS_OK;

	*record = NULL;
	while (status == STATUS_OK && *record == NULL && reader->at < reader->n_bytes)
	{
		/* the LF of a CR LF that ended the record before */
		if (reader->state == AT_FIELD && reader->after_cr)
		{
			reader->after_cr = false;
			if (reader->bytes[reader->at] == '\n')
			{
				reader->start = ++reader->at;
				continue;
			}
		}
		status = step(reader, record, why);
	}
	if (status == STATUS_OK && *record == NULL && reader->ended)
		status = last_record(reader, record, why);
	return status;
}

Status
csv_check_width(const CsvRecord *record, size_t n_columns, Failure *why)
{
	if (record->n_fields == n_columns)
		return STATUS_OK;
	fail(why, STATUS_MALFORMED, "line %llu has %zu field%s where %zu %s expected",
		 (unsigned long long) record->line, record->n_fields, record->n_fields == 1 ? "" : "s",
		 n_columns, n_columns == 1 ? "is" : "are");
	fail_hint(why, "A field that holds the delimiter or a line end has to be quoted; the options "
			  "delimiter, quote and escape say how the file is written.");
	return STATUS_MALFORMED;
}
