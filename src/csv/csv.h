/*
 * csv.h
 *	  Comma-separated values: records of a stream of bytes, the types that all
 *	  values of a column allow, and the lines that COPY reads.
 *
 * The bytes are in an encoding whose characters hold no ASCII byte but as
 * themselves, as every encoding of the server is; what they mean beyond ASCII
 * does not matter here.  Nothing is kept of a record once the next one is
 * read, so memory is bounded by the longest record.
 */
#ifndef CHURNOPS_CSV_CSV_H
#define CHURNOPS_CSV_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/host.h"
#include "core/status.h"

/* -------------------------------------------------------------- dialect -- */

/* How a file is written. */
typedef struct CsvDialect
{
	char		delimiter;
	char		quote;			/* '\0': quotes have no meaning */
	char		escape;			/* before a quote inside quotes; usually the quote itself */
	bool		trim;			/* blanks around a field that is not quoted do not count */
} CsvDialect;

/* A record may hold so many bytes: what is longer has a quote that is not closed. */
#define CSV_MAX_RECORD_BYTES ((size_t) 64 << 20)

/* ------------------------------------------------------------- records -- */

/* One field; the bytes are the reader's, without quotes and escapes. */
typedef struct CsvField
{
	const char *text;			/* not terminated */
	size_t		n_bytes;
	bool		quoted;
} CsvField;

/* One record, valid until the reader is used again. */
typedef struct CsvRecord
{
	uint64_t	line;			/* of the file, on which it begins; the first is 1 */
	size_t		n_fields;
	const CsvField *fields;
	bool		is_blank;		/* one field of blanks at most: an empty line */
} CsvRecord;

typedef struct CsvReader CsvReader;

/* Records of more than max_fields fields, or max_bytes bytes, are refused. */
extern Status csv_reader_new(const Host *host, const CsvDialect *dialect, size_t max_fields,
							 size_t max_bytes, CsvReader **out, Failure *why);
extern void csv_reader_free(CsvReader *reader);

/* More of the file: the bytes are copied.  Polls the host. */
extern Status csv_reader_feed(CsvReader *reader, const void *bytes, size_t n_bytes, Failure *why);

/* There are no more bytes. */
extern void csv_reader_end(CsvReader *reader);

/*
 * The next whole record; NULL if there is none without more bytes, or, after
 * csv_reader_end(), none at all.  STATUS_MALFORMED says what is wrong with
 * the file, and on which line.
 */
extern Status csv_reader_next(CsvReader *reader, const CsvRecord **record, Failure *why);

/* The line on which the bytes that were read last end. */
extern uint64_t csv_reader_line(const CsvReader *reader);

/* STATUS_MALFORMED unless the record has so many fields. */
extern Status csv_check_width(const CsvRecord *record, size_t n_columns, Failure *why);

/* ---------------------------------------------------------------- nulls -- */

/* Texts that stand for NULL. */
typedef struct CsvNulls
{
	const char *const *texts;
	const size_t *lengths;
	size_t		n;
	size_t		longest;
	bool		first[256];		/* by the first byte of those that are not empty */
	bool		empty;			/* the empty text is one */
} CsvNulls;

/* The arrays must live as long as the result. */
extern void csv_nulls_init(CsvNulls *nulls, const char *const *texts, const size_t *lengths,
						   size_t n);

/*
 * Is a field NULL?  In a column of text it is if it is one of the texts as it
 * stands and not quoted.  In all others blanks around it and quotes do not
 * count.
 */
extern bool csv_is_null(const CsvNulls *nulls, const CsvField *field, bool is_text);

/* ---------------------------------------------------------------- types -- */

typedef enum CsvType
{
	CSV_UNKNOWN,				/* no value yet */
	CSV_BOOLEAN,
	CSV_BIGINT,
	CSV_NUMERIC,
	CSV_DOUBLE,
	CSV_DATE,
	CSV_TIMESTAMP,
	CSV_TIMESTAMPTZ,
	CSV_TEXT
} CsvType;

/* The server's name of a type; that of CSV_UNKNOWN is text. */
extern const char *csv_type_name(CsvType type);

/* The types of columns, from all values that were added. */
typedef struct CsvTypes CsvTypes;

/* The nulls must live as long as the result. */
extern Status csv_types_new(const Host *host, size_t n_columns, const CsvNulls *nulls,
							CsvTypes **out, Failure *why);
extern void csv_types_free(CsvTypes *types);

/* Do not look at a column's values: its type is given. */
extern void csv_types_skip(CsvTypes *types, size_t column);

/* Take in a record of n_columns fields. */
extern void csv_types_add(CsvTypes *types, const CsvRecord *record);

/* The narrowest type that every value of a column has. */
extern CsvType csv_types_get(const CsvTypes *types, size_t column);

/* ------------------------------------------------------------ guessing -- */

/* Bytes at the beginning of a file that show what it is. */
#define CSV_SAMPLE_BYTES ((size_t) 65536)

/*
 * The delimiter of the beginning of a file, of comma, semicolon, tab and bar:
 * that which gives most records as many fields as the first one.  `whole`
 * tells that the sample is all of the file.
 */
extern Status csv_guess_delimiter(const Host *host, const CsvDialect *dialect, const void *bytes,
								  size_t n_bytes, bool whole, char *delimiter, Failure *why);

/*
 * Does the first record name columns?  Not if a field of it is a value: a
 * number, a date, a boolean, or NULL other than the empty text.  `value` is
 * then the first such field.
 */
extern bool csv_is_header(const CsvRecord *record, const CsvNulls *nulls, const CsvField **value);

/* What a file seems to be that is no text: "gzip", say; NULL if nothing is seen. */
extern const char *csv_foreign_format(const void *bytes, size_t n_bytes);

/* -------------------------------------------------------------- output -- */

/* Lines in the text format of COPY: tab, backslash, \N. */
typedef struct CsvOutput
{
	const Host *host;
	char	   *bytes;
	size_t		n_bytes;
	size_t		capacity;
} CsvOutput;

extern void csv_output_begin(CsvOutput *output, const Host *host);
extern void csv_output_free(CsvOutput *output);

/* Add a record as one line; is_text tells columns of text from the others. */
extern Status csv_output_add(CsvOutput *output, const CsvRecord *record, const CsvNulls *nulls,
							 const bool *is_text, Failure *why);

/* ---------------------------------------------------- inside the library -- */

/* A field without the blanks around it. */
static inline CsvField
csv_trimmed(const CsvField *field)
{
	CsvField	trimmed = *field;

	while (trimmed.n_bytes > 0 && (*trimmed.text == ' ' || *trimmed.text == '\t'))
	{
		trimmed.text++;
		trimmed.n_bytes--;
	}
	while (trimmed.n_bytes > 0 && (trimmed.text[trimmed.n_bytes - 1] == ' ' ||
								   trimmed.text[trimmed.n_bytes - 1] == '\t'))
		trimmed.n_bytes--;
	return trimmed;
}

/* Is a text, as it stands, one of the NULLs? */
extern bool csv_is_listed(const CsvNulls *nulls, const char *text, size_t n_bytes);

static inline bool
csv_is_null_text(const CsvNulls *nulls, const char *text, size_t n_bytes)
{
	if (n_bytes == 0)
		return nulls->empty;
	return nulls->first[(uint8_t) text[0]] && n_bytes <= nulls->longest &&
		csv_is_listed(nulls, text, n_bytes);
}

/* What a text may be: CSV_TEXT if nothing else.  `exact` is false for numbers no double has. */
extern CsvType csv_type_of(const char *text, size_t n_bytes, bool *exact);

#endif
