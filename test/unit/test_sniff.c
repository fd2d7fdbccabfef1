/*
 * test_sniff.c
 *	  Delimiters, headers, and files that are no CSV.
 */
#include "csv/csv.h"
#include "tap.h"
#include "test_host.h"

static const CsvDialect quoted = {.quote = '"', .escape = '"'};
static const CsvDialect bare = {.delimiter = '\0'};
static const CsvDialect barred = {.quote = '|', .escape = '|'};

static const char *const null_texts[] = {"", "NA"};
static const size_t null_lengths[] = {0, 2};

static void
check_delimiter(const CsvDialect *dialect, const char *bytes, bool whole, char expected,
				const char *what)
{
	TestHost	t;
	Failure		why;
	char		delimiter = '\0';

	test_host_begin(&t);
	tap_is_int(csv_guess_delimiter(&t.host, dialect, bytes, strlen(bytes), whole, &delimiter, &why),
			   STATUS_OK, "%s", what);
	tap_is_int(delimiter, expected, "%s: '%c'", what, expected);
	tap_ok(test_host_end(&t), "%s: no leak", what);
}

static void
test_delimiters(void)
{
	check_delimiter(&quoted, "a,b\n1,2\n", true, ',', "comma");
	check_delimiter(&quoted, "a;b\n1,5;2,5\n", true, ';', "semicolon and decimal commas");
	check_delimiter(&quoted, "a\tb\tc\n1\t2\t3\n", true, '\t', "tab");
	check_delimiter(&quoted, "a|b\n1|2", true, '|', "bar");
	check_delimiter(&quoted, "a\n1\n2\n", true, ',', "one column");
	check_delimiter(&quoted, "", true, ',', "nothing");
	check_delimiter(&quoted, "\n\n\n", true, ',', "empty lines");
	check_delimiter(&quoted, "a;b\n\"x,y\";\"1,2,3\"\n", true, ';', "commas in quotes");
	check_delimiter(&bare, "a;b\n\"x;\"\n", true, ';', "quotes without a meaning");
	check_delimiter(&quoted, "a,b,c\n1,2,3\n1,2\n4,5,6\n", true, ',', "one line that is short");
	check_delimiter(&quoted, "a;b;c,d\n1;2;3,4\n1;2;3,4,5\n", true, ';',
					"what most lines agree on");
	check_delimiter(&quoted, "a;b;c\n1;2;3\n\"1;2", false, ';', "cut in quotes");
	check_delimiter(&quoted, "a;b;c\n1;2;3\n\"1\"x;2;3\n", true, ';', "broken at the end");
	check_delimiter(&barred, "a;b\n|x;|;2\n", true, ';', "bars as quotes");
}

static void
check_header(const char *const *texts, size_t n, bool quotes, const char *value, bool expected,
			 const char *what)
{
	CsvField	fields[8] = {{.n_bytes = 0}};
	CsvRecord	record = {.line = 1, .n_fields = n, .fields = fields};
	const CsvField *found;
	CsvNulls	nulls;
	bool		header;

	csv_nulls_init(&nulls, null_texts, null_lengths, 2);
	for (size_t i = 0; i < n; i++)
	{
		fields[i].text = texts[i];
		fields[i].n_bytes = strlen(texts[i]);
		fields[i].quoted = quotes;
	}
	header = csv_is_header(&record, &nulls, &found);
	tap_ok(header == expected, "%s", what);
	tap_ok(value == NULL ? found == NULL : found != NULL && strcmp(found->text, value) == 0,
		   "%s: value %s", what, value != NULL ? value : "none");
}

static void
test_headers(void)
{
	check_header((const char *[]) {"id", "name"}, 2, false, NULL, true, "names");
	check_header((const char *[]) {"", "name"}, 2, true, NULL, true, "one without a name");
	check_header((const char *[]) {"t", "f", "T"}, 3, false, NULL, true, "t and f are names");
	check_header((const char *[]) {"", " "}, 2, false, NULL, false, "none with a name");
	check_header((const char *[]) {"id", "2024"}, 2, true, "2024", false, "a number");
	check_header((const char *[]) {"id", "true"}, 2, false, "true", false, "a boolean");
	check_header((const char *[]) {"id", " 2024-01-01"}, 2, false, " 2024-01-01", false, "a date");
	check_header((const char *[]) {"x", "NA"}, 2, false, "NA", false, "a NULL");
}

static void
test_formats(void)
{
	tap_is_text(csv_foreign_format("\x1F\x8B\x08", 3), "gzip", "gzip");
	tap_is_text(csv_foreign_format("\x28\xB5\x2F\xFD", 4), "zstd", "zstd");
	tap_is_text(csv_foreign_format("\xFD" "7zXZ", 5), "xz", "xz");
	tap_is_text(csv_foreign_format("BZh91AY&SY", 10), "bzip2", "bzip2");
	tap_is_text(csv_foreign_format("PK\x03\x04xx", 6), "zip (or a spreadsheet)", "zip");
	tap_is_text(csv_foreign_format("\xFF\xFE" "a", 3), "UTF-16", "UTF-16");
	tap_is_text(csv_foreign_format("\xFE\xFF" "a", 3), "UTF-16", "UTF-16 of the other kind");
	tap_ok(csv_foreign_format("BZh,a,b,c,d,e", 13) == NULL, "a name that begins like bzip2");
	tap_ok(csv_foreign_format("\x1F", 1) == NULL, "one byte");
	tap_ok(csv_foreign_format("", 0) == NULL, "none");
	tap_ok(csv_foreign_format("\xEF\xBB\xBF" "a,b", 6) == NULL, "a byte order mark");
}

/* TestCall */
static Status
guess(const Host *host, void *arg, Failure *why)
{
	const char *bytes = arg;
	char		delimiter;

	return csv_guess_delimiter(host, &quoted, bytes, strlen(bytes), true, &delimiter, why);
}

int
main(void)
{
	char		bytes[] = "a;b\n1;2\n\"3\";4\n";

	test_delimiters();
	test_headers();
	test_formats();
	tap_ok(test_sweep(guess, bytes, 12, 4), "survives refusal and cancel: guessing");
	return tap_done();
}
