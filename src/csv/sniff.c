/*
 * sniff.c
 *	  What the beginning of a file says of how it is written.
 */
#include <string.h>

#include "csv/csv.h"

#define MIN_BZIP2_BYTES 10

/* The records of a sample under one delimiter. */
typedef struct Trial
{
	size_t		n_fields;		/* of the first record */
	size_t		n_same;			/* records with as many */
} Trial;

static Status
count_records(CsvReader *reader, Trial *trial, Failure *why)
{
	const CsvRecord *record;
	Status		status;

	while ((status = csv_reader_next(reader, &record, why)) == STATUS_OK && record != NULL)
	{
		if (record->is_blank)
			continue;
		if (trial->n_fields == 0)
			trial->n_fields = record->n_fields;
		trial->n_same += record->n_fields == trial->n_fields;
	}
	return status;
}

/* A sample under one delimiter, as far as it can be read. */
static Status
try_delimiter(const Host *host, const CsvDialect *dialect, const void *bytes, size_t n_bytes,
			  bool whole, Trial *trial, Failure *why)
{
	CsvReader  *reader;
	Status		status = csv_reader_new(host, dialect, n_bytes + 1, n_bytes, &reader, why);

	memset(trial, 0, sizeof(*trial));
	if (status != STATUS_OK)
		return status;
	status = csv_reader_feed(reader, bytes, n_bytes, why);
	if (whole)
		csv_reader_end(reader);
	if (status == STATUS_OK)
		status = count_records(reader, trial, why);
	csv_reader_free(reader);
	return status == STATUS_MALFORMED ? STATUS_OK : status;
}

Status
csv_guess_delimiter(const Host *host, const CsvDialect *dialect, const void *bytes, size_t n_bytes,
					bool whole, char *delimiter, Failure *why)
{
	static const char candidates[] = {',', ';', '\t', '|'};
	size_t		most = 0;
	size_t		most_fields = 0;

	*delimiter = candidates[0];
	for (size_t i = 0; i < sizeof(candidates); i++)
	{
		CsvDialect	tried = *dialect;
		Trial		trial;
		Status		status;

		if (candidates[i] == dialect->quote || candidates[i] == dialect->escape)
			continue;
		tried.delimiter = candidates[i];
		status = try_delimiter(host, &tried, bytes, n_bytes, whole, &trial, why);
		if (status != STATUS_OK)
			return status;
		if (trial.n_fields < 2 || trial.n_same < most ||
			(trial.n_same == most && trial.n_fields <= most_fields))
			continue;
		most = trial.n_same;
		most_fields = trial.n_fields;
		*delimiter = candidates[i];
	}
	return STATUS_OK;
}

/* A number, a date, a boolean; but a column may well be called t or f. */
static bool
is_value(const CsvField *field)
{
	bool		exact;
	CsvType		type = csv_type_of(field->text, field->n_bytes, &exact);

	return type != CSV_TEXT && (type != CSV_BOOLEAN || field->n_bytes > 1);
}

bool
csv_is_header(const CsvRecord *record, const CsvNulls *nulls, const CsvField **value)
{
	bool		any_name = false;

	*value = NULL;
	for (size_t i = 0; i < record->n_fields; i++)
	{
		CsvField	field = csv_trimmed(&record->fields[i]);

		if (field.n_bytes == 0)
			continue;
		if (is_value(&field) || csv_is_null(nulls, &field, false))
		{
			*value = &record->fields[i];
			return false;
		}
		any_name = true;
	}
	return any_name;
}

const char *
csv_foreign_format(const void *bytes, size_t n_bytes)
{
	static const struct
	{
		const char *mark;
		size_t		n_bytes;
		const char *name;
	}			formats[] = {
		{"\x1F\x8B", 2, "gzip"},
		{"\x28\xB5\x2F\xFD", 4, "zstd"},
		{"\xFD" "7zXZ", 5, "xz"},
		{"PK\x03\x04", 4, "zip (or a spreadsheet)"},
		{"\xFF\xFE", 2, "UTF-16"},
		{"\xFE\xFF", 2, "UTF-16"},
	};

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
	{
		if (n_bytes >= formats[i].n_bytes &&
			memcmp(bytes, formats[i].mark, formats[i].n_bytes) == 0)
			return formats[i].name;
	}
	/* "BZh" alone could begin a name */
	if (n_bytes >= MIN_BZIP2_BYTES && memcmp(bytes, "BZh", 3) == 0 &&
		memcmp((const char *) bytes + 4, "1AY&SY", 6) == 0)
		return "bzip2";
	return NULL;
}
