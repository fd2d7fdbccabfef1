/*
 * lines.c
 *	  Records as lines in the text format of COPY.
 */
#include <string.h>

#include "core/memory.h"
#include "csv/csv.h"

/* The letter behind a backslash for a byte that has a meaning in COPY's lines, or '\0'. */
static inline char
escape_of(char byte)
{
	switch (byte)
	{
		case '\\':
			return '\\';
		case '\t':
			return 't';
		case '\n':
			return 'n';
		case '\r':
			return 'r';
		default:
			return '\0';
	}
}

void
csv_output_begin(CsvOutput *output, const Host *host)
{
	memset(output, 0, sizeof(*output));
	output->host = host;
}

void
csv_output_free(CsvOutput *output)
{
	memory_free(output->host, output->bytes, output->capacity, 1);
	output->bytes = NULL;
	output->n_bytes = output->capacity = 0;
}

/* Write a field's bytes; there is room for two for each. */
static char *
write_field(char *to, const CsvField *field)
{
	for (size_t i = 0; i < field->n_bytes; i++)
	{
		char		byte = field->text[i];
		char		letter = escape_of(byte);

		if (letter != '\0')
		{
			*to++ = '\\';
			byte = letter;
		}
		*to++ = byte;
	}
	return to;
}

Status
csv_output_add(CsvOutput *output, const CsvRecord *record, const CsvNulls *nulls,
			   const bool *is_text, Failure *why)
{
	size_t		needed = output->n_bytes;
	Status		status;
	char	   *to;

	for (size_t i = 0; i < record->n_fields; i++)
		needed += 2 * record->fields[i].n_bytes + 3;
	status = memory_grow(output->host, &output->bytes, &output->capacity, needed, 1, why);
	if (status != STATUS_OK)
		return status;
	to = output->bytes + output->n_bytes;
	for (size_t i = 0; i < record->n_fields; i++)
	{
		CsvField	field = is_text[i] ? record->fields[i] : csv_trimmed(&record->fields[i]);

		if (csv_is_null(nulls, &record->fields[i], is_text[i]))
		{
			*to++ = '\\';
			*to++ = 'N';
		}
		else
			to = write_field(to, &field);
		*to++ = i + 1 < record->n_fields ? '\t' : '\n';
	}
	output->n_bytes = (size_t) (to - output->bytes);
	return STATUS_OK;
}
