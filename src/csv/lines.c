/*
 * lines.c
 *	  Records as lines in the text format of COPY.
 */
#include <string.h>

#include "core/memory.h"
#include "csv/csv.h"

/* The letter behind a backslash for bytes that have a meaning in COPY's lines. */
static const char letters[256] = {['\\'] = '\\', ['\t'] = 't', ['\n'] = 'n', ['\r'] = 'r'};

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
		char		letter = letters[(uint8_t) byte];

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

		/* as csv_is_null() */
		if ((!is_text[i] || !field.quoted) && csv_is_null_text(nulls, field.text, field.n_bytes))
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
