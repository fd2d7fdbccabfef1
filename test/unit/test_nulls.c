/*
 * test_nulls.c
 *	  Texts that stand for NULL, in columns of text and in others.
 */
#include "csv/csv.h"
#include "tap.h"

static const char *const null_texts[] = {"", "NA", "nan"};
static const size_t null_lengths[] = {0, 2, 3};

static CsvField
field_of(const char *text, bool quoted)
{
	CsvField	field = {.text = text, .n_bytes = strlen(text), .quoted = quoted};

	return field;
}

static void
test_nulls(void)
{
	CsvNulls	nulls;
	CsvField	field;

	csv_nulls_init(&nulls, null_texts, null_lengths, 3);
	field = field_of("", false);
	tap_ok(csv_is_null(&nulls, &field, true), "empty text is NULL");
	field = field_of("", true);
	tap_ok(!csv_is_null(&nulls, &field, true), "but not in quotes");
	tap_ok(csv_is_null(&nulls, &field, false), "among numbers it is");
	field = field_of(" ", false);
	tap_ok(!csv_is_null(&nulls, &field, true), "a blank is a text");
	tap_ok(csv_is_null(&nulls, &field, false), "among numbers it is nothing");
	field = field_of("NA", false);
	tap_ok(csv_is_null(&nulls, &field, true), "NA");
	field = field_of("\tNA ", true);
	tap_ok(csv_is_null(&nulls, &field, false), "NA between blanks, among numbers");
	tap_ok(!csv_is_null(&nulls, &field, true), "and among texts");
	field = field_of("na", false);
	tap_ok(!csv_is_null(&nulls, &field, true), "case counts");
	field = field_of("NAN", false);
	tap_ok(!csv_is_null(&nulls, &field, false), "one that begins like one");
	csv_nulls_init(&nulls, null_texts, null_lengths, 0);
	field = field_of("", false);
	tap_ok(!csv_is_null(&nulls, &field, true), "without NULLs nothing is");
	csv_nulls_init(&nulls, null_texts + 1, null_lengths + 1, 1);
	tap_ok(!csv_is_null(&nulls, &field, false), "the empty text has to be named");
}

int
main(void)
{
	test_nulls();
	return tap_done();
}
