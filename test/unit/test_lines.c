/*
 * test_lines.c
 *	  Lines for COPY.
 */
#include "csv/csv.h"
#include "tap.h"
#include "test_host.h"

static const char *const null_texts[] = {"", "NA"};
static const size_t null_lengths[] = {0, 2};

static CsvRecord
record_of(CsvField *fields, const char *const *texts, size_t n, bool quoted)
{
	CsvRecord	record = {.line = 1, .n_fields = n, .fields = fields};

	for (size_t i = 0; i < n; i++)
	{
		fields[i].text = texts[i];
		fields[i].n_bytes = strlen(texts[i]);
		fields[i].quoted = quoted;
	}
	return record;
}

/* TestCall: three records, compared with the lines that they should be. */
static Status
write_lines(const Host *host, void *arg, Failure *why)
{
	static const bool is_text[] = {true, false, true};
	static const char expected[] =
		"a b\t12\tx\n"
		"\\N\t\\N\t NA\n"
		"\t\\N\tNA\n"
		"a\\\\N\t\\\\.\t1\\t2\\n3\\r4\n";
	bool	   *right = arg;
	CsvNulls	nulls;
	CsvField	fields[3];
	CsvRecord	record;
	CsvOutput	output;
	Status		status;

	csv_nulls_init(&nulls, null_texts, null_lengths, 2);
	csv_output_begin(&output, host);
	record = record_of(fields, (const char *[]) {"a b", " 12\t", "x"}, 3, false);
	status = csv_output_add(&output, &record, &nulls, is_text, why);
	if (status == STATUS_OK)
	{
		record = record_of(fields, (const char *[]) {"NA", " NA ", " NA"}, 3, false);
		status = csv_output_add(&output, &record, &nulls, is_text, why);
	}
	if (status == STATUS_OK)
	{
		record = record_of(fields, (const char *[]) {"", "", "NA"}, 3, true);
		status = csv_output_add(&output, &record, &nulls, is_text, why);
	}
	if (status == STATUS_OK)
	{
		record = record_of(fields, (const char *[]) {"a\\N", "\\.", "1\t2\n3\r4"}, 3, true);
		status = csv_output_add(&output, &record, &nulls, is_text, why);
	}
	*right = status == STATUS_OK && output.n_bytes == strlen(expected) &&
		memcmp(output.bytes, expected, output.n_bytes) == 0;
	if (status == STATUS_OK && !*right)
		tap_diag("%.*s", (int) output.n_bytes, output.bytes);
	csv_output_free(&output);
	return status;
}

int
main(void)
{
	TestHost	t;
	Failure		why;
	bool		right;

	test_host_begin(&t);
	tap_is_int(write_lines(&t.host, &right, &why), STATUS_OK, "lines are written");
	tap_ok(right, "and are those that COPY reads");
	tap_ok(test_host_end(&t), "no leak");
	tap_ok(test_sweep_memory(write_lines, &right, 2), "survives refusal: lines");
	return tap_done();
}
