/*
 * test_records.c
 *	  Records of CSV: every file is read whole and in pieces of every size, and
 *	  has to give the same.
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/rng.h"
#include "csv/csv.h"
#include "tap.h"
#include "test_host.h"

static const CsvDialect comma = {.delimiter = ',', .quote = '"', .escape = '"'};
static const CsvDialect trimming = {.delimiter = ',', .quote = '"', .escape = '"', .trim = true};
static const CsvDialect backslash = {.delimiter = ';', .quote = '\'', .escape = '\\'};
static const CsvDialect unquoted = {.delimiter = '\t'};

#define OUT_BYTES 4096

/* What is read of a file: "line:field|field* …", where a star marks quoted fields. */
typedef struct Reading
{
	const CsvDialect *dialect;
	const char *bytes;
	size_t		n_bytes;
	size_t		piece;			/* bytes fed at once */
	size_t		max_fields;
	size_t		max_bytes;
	char		out[OUT_BYTES];
} Reading;

static void
note(Reading *r, const CsvRecord *record)
{
	size_t		n = strlen(r->out);

	n += (size_t) snprintf(r->out + n, OUT_BYTES - n, "%s%d:", n > 0 ? " " : "",
						   (int) record->line);
	for (size_t i = 0; i < record->n_fields; i++)
		n += (size_t) snprintf(r->out + n, OUT_BYTES - n, "%s%.*s%s", i > 0 ? "|" : "",
							   (int) record->fields[i].n_bytes, record->fields[i].text,
							   record->fields[i].quoted ? "*" : "");
	if (record->is_blank)
		snprintf(r->out + n, OUT_BYTES - n, "~");
}

/* TestCall */
static Status
read_all(const Host *host, void *arg, Failure *why)
{
	Reading    *r = arg;
	CsvReader  *reader;
	const CsvRecord *record;
	Status		status = csv_reader_new(host, r->dialect, r->max_fields, r->max_bytes, &reader, why);
	size_t		done = 0;
	bool		ended = false;

	r->out[0] = '\0';
	if (status != STATUS_OK)
		return status;
	for (;;)
	{
		size_t		n = r->n_bytes - done < r->piece ? r->n_bytes - done : r->piece;

		while ((status = csv_reader_next(reader, &record, why)) == STATUS_OK && record != NULL)
			note(r, record);
		if (status != STATUS_OK || ended)
			break;
		if (n == 0)
		{
			csv_reader_end(reader);
			ended = true;
			continue;
		}
		/* the bytes are gone once they are fed */
		{
			char	   *copy = malloc(n);

			memcpy(copy, r->bytes + done, n);
			status = csv_reader_feed(reader, copy, n, why);
			memset(copy, 'X', n);
			free(copy);
		}
		if (status != STATUS_OK)
			break;
		done += n;
	}
	csv_reader_free(reader);
	return status;
}

static Reading
reading(const CsvDialect *dialect, const char *bytes, size_t n_bytes, size_t piece)
{
	Reading		r = {.dialect = dialect, .bytes = bytes, .n_bytes = n_bytes, .piece = piece,
		.max_fields = 10, .max_bytes = 1000};

	return r;
}

/* A file gives this, or this error, in pieces of every size. */
static void
check(const CsvDialect *dialect, const char *bytes, const char *expected, const char *what)
{
	size_t		n_wrong = 0;
	TestHost	t;

	test_host_begin(&t);
	for (size_t piece = 1; piece <= strlen(bytes) + 1; piece++)
	{
		Reading		r = reading(dialect, bytes, strlen(bytes), piece);
		Failure		why = {0};
		Status		status = read_all(&t.host, &r, &why);
		const char *got = status == STATUS_OK ? r.out : why.text;

		if (strcmp(got, expected) != 0 && n_wrong++ == 0)
			tap_diag("pieces of %zu: \"%s\" instead of \"%s\"", piece, got, expected);
	}
	tap_ok(n_wrong == 0, "%s", what);
	tap_ok(test_host_end(&t), "%s: no leak", what);
}

static void
test_fields(void)
{
	check(&comma, "a,b\n1,2\n", "1:a|b 2:1|2", "two lines");
	check(&comma, "a,b\n1,2", "1:a|b 2:1|2", "the last line need not end");
	check(&comma, "a,b\r\n1,2\r\n", "1:a|b 2:1|2", "CR LF");
	check(&comma, "a,b\r1,2\r", "1:a|b 2:1|2", "CR");
	check(&comma, "a\r\n\r\nb\n\nc\r\rd", "1:a 2:~ 3:b 4:~ 5:c 6:~ 7:d", "empty lines");
	check(&comma, "a,\n,\n,b", "1:a| 2:| 3:|b", "empty fields");
	check(&comma, "a,", "1:a|", "an empty field at the end");
	check(&comma, "", "", "no bytes");
	check(&comma, "\n", "1:~", "one empty line");
	check(&comma, "  \t\nx", "1:  \t~ 2:x", "a line of blanks");
	check(&comma, " a , b \n", "1: a | b ", "blanks belong to fields");
	check(&trimming, " a , b \n", "1:a|b", "or not");
	check(&trimming, "  \"a,\" , \" b \"\n", "1:a,*| b *", "blanks before quotes");
	check(&trimming, "a,  ", "1:a|", "trimmed to nothing");
	check(&unquoted, "\"a\t\"\"\nb\"\t", "1:\"a|\"\" 2:b\"|", "quotes without a meaning");
}

static void
test_quotes(void)
{
	check(&comma, "\"a\",\"b,c\"\n", "1:a*|b,c*", "a delimiter in quotes");
	check(&comma, "\"a\"\"b\",\"\"\"\"\n", "1:a\"b*|\"*", "doubled quotes");
	check(&comma, "\"\",\n", "1:*|", "empty in quotes");
	check(&comma, "\"\"", "1:*", "empty in quotes is no empty line");
	check(&comma, "\"a\" \t,b\n", "1:a*|b", "blanks behind quotes");
	check(&comma, "5\" pipe,a\"b\"\n", "1:5\" pipe|a\"b\"", "quotes inside a field");
	check(&comma, "\"a\nb\",c\nd,e\n", "1:a\nb*|c 3:d|e", "a line end in quotes");
	check(&comma, "\"a\r\nb\rc\r\n\",d\r\ne", "1:a\r\nb\rc\r\n*|d 5:e", "line ends of all kinds");
	check(&comma, "\"\r\n\r\"\ne", "1:\r\n\r* 4:e", "CR before a closing quote");
	check(&comma, "\"a\r\"\n\"\nb\"", "1:a\r* 3:\nb*", "a LF that does not belong to the CR");
	check(&backslash, "'a\\'b';'\\\\';'\\n'\n", "1:a'b*|\\*|\\n*", "an escape of its own");
	check(&backslash, "a\\'b;\\\n", "1:a\\'b|\\", "no escapes without quotes");
}

static void
test_refusals(void)
{
	check(&comma, "a\n\"b\nc", "the quote that opens a field on line 2 is not closed",
		  "a quote that is not closed");
	check(&backslash, "'a\\", "the quote that opens a field on line 1 is not closed",
		  "cut behind an escape");
	check(&comma, "a\n\"b\"c\n", "line 2 has text behind a closing quote", "text behind a quote");
	check(&backslash, "'a''b'", "line 1 has text behind a closing quote",
		  "doubled quotes are no escape where there is another");
	check(&comma, "1,2,3,4,5,6,7,8,9,10\n1,2,3,4,5,6,7,8,9,10,11", "line 2 has more than 10 fields",
		  "too many fields");
}

static void
test_long_record(void)
{
	TestHost	t;
	Failure		why = {0};
	char		bytes[2000];
	Reading		r;

	memset(bytes, 'a', sizeof(bytes));
	bytes[0] = '\n';
	bytes[1] = '"';
	test_host_begin(&t);
	r = reading(&comma, bytes, sizeof(bytes), 100);
	tap_is_int(read_all(&t.host, &r, &why), STATUS_LIMIT, "a record that is too long");
	tap_is_text(why.text, "record on line 2 has more than 1000 bytes", "and its text");
	tap_is_text(why.hint, "A quote that opens a field on line 2 is not closed.", "and hint");
	tap_ok(test_host_end(&t), "no leak");
}

static void
test_width(void)
{
	CsvField	fields[3] = {{.n_bytes = 0}};
	CsvRecord	record = {.line = 7, .n_fields = 3, .fields = fields};
	Failure		why = {0};

	tap_is_int(csv_check_width(&record, 3, &why), STATUS_OK, "as many fields as columns");
	tap_is_int(csv_check_width(&record, 5, &why), STATUS_MALFORMED, "too few fields");
	tap_is_text(why.text, "line 7 has 3 fields where 5 are expected", "and the text");
	record.n_fields = 1;
	(void) csv_check_width(&record, 2, &why);
	tap_is_text(why.text, "line 7 has 1 field where 2 are expected", "one field");
	record.n_fields = 2;
	(void) csv_check_width(&record, 1, &why);
	tap_is_text(why.text, "line 7 has 2 fields where 1 is expected", "one column");
}

static size_t
random_below(uint64_t *draw, size_t n)
{
	return (size_t) (rng_mix64((*draw)++) % n);
}

/* Random texts, written with random quotes, come back as they were. */
static void
test_round_trip(void)
{
	static const char alphabet[] = {'a', ',', '"', '\n', '\r', ' ', '\t', '\\'};
	uint64_t	draw = 7;
	size_t		n_wrong = 0;
	TestHost	t;

	test_host_begin(&t);
	for (uint64_t round = 0; round < test_amount(3000, 100); round++)
	{
		char		file[200];
		char		expected[400];
		size_t		n = 0;
		size_t		n_expected = 2;
		Reading		r;
		Failure		why = {0};

		strcpy(expected, "1:");
		for (size_t field = 0; field < 3; field++)
		{
			size_t		length = random_below(&draw, 6);

			n_expected += (size_t) sprintf(expected + n_expected, "%s", field > 0 ? "|" : "");
			n += (size_t) sprintf(file + n, "%s\"", field > 0 ? "," : "");
			for (size_t i = 0; i < length; i++)
			{
				char		c = alphabet[random_below(&draw, sizeof(alphabet))];

				expected[n_expected++] = c;
				file[n++] = c;
				if (c == '"')
					file[n++] = c;
			}
			file[n++] = '"';
			expected[n_expected++] = '*';
		}
		expected[n_expected] = '\0';
		r = reading(&comma, file, n, 1 + random_below(&draw, 8));
		if (read_all(&t.host, &r, &why) != STATUS_OK || strcmp(r.out, expected) != 0)
			n_wrong++;
	}
	tap_is_int(n_wrong, 0, "random texts come back");
	tap_ok(test_host_end(&t), "no leak");
}

int
main(void)
{
	Reading		r = reading(&comma, "a,b,c\n\"1\n2\",\"3\"\"\",4\n,,\n", 24, 5);

	test_fields();
	test_quotes();
	test_refusals();
	test_long_record();
	test_width();
	test_round_trip();
	tap_ok(test_sweep(read_all, &r, 4, 3), "survives refusal and cancel: reading");
	return tap_done();
}
