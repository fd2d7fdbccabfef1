/*
 * fuzz_csv.c
 *	  The reader of CSV, the types of columns and the lines for COPY, fed
 *	  anything.
 *
 * The first bytes choose the dialect and the size of the pieces, the others
 * are a file.  Read in pieces it must give what it gives when read at once.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "csv/csv.h"
#include "test_host.h"

#define MAX_FIELDS 64
#define MAX_BYTES 8192
#define N_CHOICES 2

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const null_texts[] = {"", "NA", "null"};
static const size_t null_lengths[] = {0, 2, 4};

/* What became of a file, to be compared. */
typedef struct Outcome
{
	Status		status;
	uint64_t	hash;			/* of all lines, and of the types at last */
	uint64_t	line;
} Outcome;

/* One way to read a file. */
typedef struct Reading
{
	const Host *host;
	CsvNulls	nulls;
	CsvTypes   *types;
	size_t		n_columns;
	CsvOutput	lines;
	Outcome    *outcome;
} Reading;

/* Take in a record; the first one tells how many columns there are. */
static Status
take(Reading *r, const CsvRecord *record, Failure *why)
{
	bool		is_text[MAX_FIELDS];
	const CsvField *value;
	Status		status = STATUS_OK;

	if (r->types == NULL)
	{
		(void) csv_is_header(record, &r->nulls, &value);
		r->n_columns = record->n_fields;
		status = csv_types_new(r->host, r->n_columns, &r->nulls, &r->types, why);
	}
	if (status == STATUS_OK)
		status = csv_check_width(record, r->n_columns, why);
	if (status != STATUS_OK)
		return status;
	csv_types_add(r->types, record);
	for (size_t i = 0; i < r->n_columns; i++)
		is_text[i] = csv_types_get(r->types, i) == CSV_TEXT;
	r->lines.n_bytes = 0;
	status = csv_output_add(&r->lines, record, &r->nulls, is_text, why);
	if (status != STATUS_OK)
		return status;
	r->outcome->hash = r->outcome->hash * 31 + hash_bytes(r->lines.bytes, r->lines.n_bytes).lo;
	r->outcome->line += record->line;
	return STATUS_OK;
}

static Status
read_pieces(Reading *r, CsvReader *reader, const uint8_t *bytes, size_t n_bytes, size_t piece,
			Failure *why)
{
	const CsvRecord *record;
	Status		status = STATUS_OK;
	bool		ended = false;

	for (;;)
	{
		size_t		n = n_bytes < piece ? n_bytes : piece;

		while ((status = csv_reader_next(reader, &record, why)) == STATUS_OK && record != NULL)
		{
			if (!record->is_blank && (status = take(r, record, why)) != STATUS_OK)
				return status;
		}
		if (status != STATUS_OK || ended)
			return status;
		status = csv_reader_feed(reader, bytes, n, why);
		if (status != STATUS_OK)
			return status;
		bytes += n;
		n_bytes -= n;
		if (n == 0)
		{
			csv_reader_end(reader);
			ended = true;
		}
	}
}

static void
read_file(const Host *host, const CsvDialect *dialect, const uint8_t *bytes, size_t n_bytes,
		  size_t piece, Outcome *outcome)
{
	Reading		r = {.host = host, .outcome = outcome};
	CsvReader  *reader;
	Failure		why;

	memset(outcome, 0, sizeof(*outcome));
	csv_nulls_init(&r.nulls, null_texts, null_lengths, 3);
	csv_output_begin(&r.lines, host);
	if (csv_reader_new(host, dialect, MAX_FIELDS, MAX_BYTES, &reader, &why) != STATUS_OK)
		abort();
	outcome->status = read_pieces(&r, reader, bytes, n_bytes, piece, &why);
	for (size_t i = 0; r.types != NULL && i < r.n_columns; i++)
		outcome->hash = outcome->hash * 31 + (uint64_t) csv_types_get(r.types, i);
	csv_types_free(r.types);
	csv_output_free(&r.lines);
	csv_reader_free(reader);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const CsvDialect dialects[] = {
		{.delimiter = ',', .quote = '"', .escape = '"'},
		{.delimiter = ';', .quote = '"', .escape = '\\'},
		{.delimiter = '\t'},
		{.delimiter = ' ', .quote = '\'', .escape = '\'', .trim = true},
		{.delimiter = ',', .quote = '"', .escape = '"', .trim = true},
	};
	const CsvDialect *dialect;
	TestHost	t;
	Outcome		whole;
	Outcome		pieces;
	Failure		why;
	char		delimiter;

	if (size < N_CHOICES)
		return 0;
	dialect = &dialects[data[0] % (sizeof(dialects) / sizeof(dialects[0]))];
	test_host_begin(&t);
	(void) csv_foreign_format(data + N_CHOICES, size - N_CHOICES);
	if (csv_guess_delimiter(&t.host, dialect, data + N_CHOICES, size - N_CHOICES, data[1] % 2 == 0,
							&delimiter, &why) != STATUS_OK)
		abort();
	read_file(&t.host, dialect, data + N_CHOICES, size - N_CHOICES, size, &whole);
	read_file(&t.host, dialect, data + N_CHOICES, size - N_CHOICES, 1 + data[1] % 16, &pieces);
	/* only how soon a long record is refused depends on the pieces */
	if (whole.status != STATUS_LIMIT && pieces.status != STATUS_LIMIT &&
		(whole.status != pieces.status || whole.hash != pieces.hash || whole.line != pieces.line))
		abort();
	if (!test_host_end(&t))
		abort();
	return 0;
}
