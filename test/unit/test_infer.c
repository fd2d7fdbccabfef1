/*
 * test_infer.c
 *	  What is taken for a value of which type, and the types of columns.
 */
#include "csv/csv.h"
#include "tap.h"
#include "test_host.h"

static const char *const null_texts[] = {"", "NA", "nan"};
static const size_t null_lengths[] = {0, 2, 3};

static CsvField
field_of(const char *text, bool quoted)
{
	CsvField	field = {.text = text, .n_bytes = strlen(text), .quoted = quoted};

	return field;
}

/* Texts and their types. */
typedef struct Case
{
	const char *text;
	CsvType		type;
} Case;

static void
check_values(const Case *cases, size_t n, bool exact)
{
	for (size_t i = 0; i < n; i++)
	{
		bool		found;
		CsvType		type = csv_type_of(cases[i].text, strlen(cases[i].text), &found);

		tap_ok(type == cases[i].type && found == exact, "\"%s\" is %s", cases[i].text,
			   csv_type_name(cases[i].type));
	}
}

static void
test_values(void)
{
	static const Case exact[] = {
		{"t", CSV_BOOLEAN}, {"f", CSV_BOOLEAN}, {"true", CSV_BOOLEAN}, {"FALSE", CSV_BOOLEAN},
		{"True", CSV_BOOLEAN}, {"T", CSV_TEXT}, {"F", CSV_TEXT}, {"yes", CSV_TEXT},
		{"tru", CSV_TEXT}, {"truee", CSV_TEXT}, {"0", CSV_BIGINT}, {"-1", CSV_BIGINT},
		{"00", CSV_TEXT}, {"00123", CSV_TEXT}, {"-01", CSV_TEXT}, {"+5", CSV_TEXT},
		{"-", CSV_TEXT}, {"--1", CSV_TEXT}, {"1-", CSV_TEXT}, {"9007199254740992", CSV_BIGINT},
		{"100000000000000000000", CSV_DOUBLE}, {"1.5", CSV_DOUBLE}, {"-0.25", CSV_DOUBLE},
		{".5", CSV_DOUBLE}, {"5.", CSV_DOUBLE}, {"-.5", CSV_DOUBLE}, {".", CSV_TEXT},
		{"-.", CSV_TEXT}, {"01.5", CSV_TEXT}, {"1.2.3", CSV_TEXT}, {"1,5", CSV_TEXT},
		{"1e5", CSV_DOUBLE}, {"1E+05", CSV_DOUBLE}, {"2.5e-3", CSV_DOUBLE}, {"e5", CSV_TEXT},
		{".e5", CSV_TEXT}, {"1e", CSV_TEXT}, {"1e+", CSV_TEXT}, {"1e5x", CSV_TEXT},
		{"1e1.5", CSV_TEXT}, {"0x1F", CSV_TEXT}, {"1e300", CSV_DOUBLE}, {"1e1001", CSV_TEXT},
		{"1e00001", CSV_TEXT}, {"0e999", CSV_DOUBLE}, {"0.000", CSV_DOUBLE},
		{"-0.0", CSV_DOUBLE}, {"0.1", CSV_DOUBLE}, {"123456789.012345", CSV_DOUBLE},
		{"0.30000000000000004", CSV_DOUBLE}, {"0.12345678901234568", CSV_DOUBLE},
		{"13.8166666666667", CSV_DOUBLE}, {"0.1500000000000000000000000000", CSV_DOUBLE},
		{"nan", CSV_TEXT}, {"inf", CSV_TEXT}, {"2024-02-29", CSV_DATE}, {"2023-02-29", CSV_TEXT},
		{"1900-02-29", CSV_TEXT}, {"2000-02-29", CSV_DATE}, {"2024-04-31", CSV_TEXT},
		{"2024-13-01", CSV_TEXT}, {"2024-00-01", CSV_TEXT}, {"2024-01-00", CSV_TEXT},
		{"0000-01-01", CSV_TEXT}, {"0001-01-01", CSV_DATE}, {"9999-12-31", CSV_DATE},
		{"10000-01-01", CSV_TEXT}, {"2024-1-1", CSV_TEXT}, {"01/02/2024", CSV_TEXT},
		{"2024/01/02", CSV_TEXT}, {"20240102", CSV_BIGINT}, {"2024-01-02 ", CSV_TEXT},
		{"2024-01-02T", CSV_TEXT}, {"2024-01-02 03:04", CSV_TIMESTAMP},
		{"2024-01-02T03:04:05", CSV_TIMESTAMP}, {"2024-01-02 03:04:05.123456789", CSV_TIMESTAMP},
		{"2024-01-02 03:04:05.", CSV_TEXT}, {"2024-01-02 03:04:05.1234567890", CSV_TEXT},
		{"2024-01-02 24:00:00", CSV_TEXT}, {"2024-01-02 23:60", CSV_TEXT},
		{"2024-01-02 23:59:60", CSV_TEXT}, {"2024-01-02 3:04", CSV_TEXT},
		{"2024-01-02 03", CSV_TEXT}, {"2024-01-02X03:04", CSV_TEXT},
		{"2024-01-02 03:04Z", CSV_TIMESTAMPTZ}, {"2024-01-02T03:04:05Z", CSV_TIMESTAMPTZ},
		{"2024-01-02 03:04:05.5+02", CSV_TIMESTAMPTZ},
		{"2024-01-02 03:04:05-0530", CSV_TIMESTAMPTZ},
		{"2024-01-02 03:04:05+05:45", CSV_TIMESTAMPTZ},
		{"2024-01-02 03:04:05 UTC", CSV_TIMESTAMPTZ}, {"2024-01-02 03:04:05+5", CSV_TEXT},
		{"2024-01-02 03:04:05+16", CSV_TEXT}, {"2024-01-02 03:04:05+02:60", CSV_TEXT},
		{"2024-01-02 03:04:05+02:6", CSV_TEXT}, {"2024-01-02 03:04:05z", CSV_TEXT},
		{"2024-01-02 03:04:05 CET", CSV_TEXT}, {"", CSV_TEXT}, {"abc", CSV_TEXT},
		{"\xC3\xA9", CSV_TEXT},
	};
	static const Case no_double[] = {
		{"9223372036854775807", CSV_BIGINT}, {"-9223372036854775808", CSV_BIGINT},
		{"9223372036854775808", CSV_DOUBLE}, {"-9223372036854775809", CSV_DOUBLE},
		{"9007199254740993", CSV_BIGINT}, {"123456789012345678901", CSV_DOUBLE},
		{"1e400", CSV_DOUBLE}, {"1e-400", CSV_DOUBLE}, {"1e1000", CSV_DOUBLE},
		{"0.1000000000000000055", CSV_DOUBLE}, {"1.23456789012345678", CSV_DOUBLE},
		{"0.12345678901234567", CSV_DOUBLE}, {"2.2250738585072014e-308", CSV_DOUBLE},
	};

	check_values(exact, sizeof(exact) / sizeof(exact[0]), true);
	check_values(no_double, sizeof(no_double) / sizeof(no_double[0]), false);
}

/* Numbers of very many digits are texts, and nothing is read behind them. */
static void
test_long_numbers(void)
{
	char		digits[1002];
	bool		exact;

	memset(digits, '7', sizeof(digits));
	tap_is_int(csv_type_of(digits, 1000, &exact), CSV_DOUBLE, "1000 digits");
	tap_is_int(csv_type_of(digits, 1001, &exact), CSV_TEXT, "1001 digits");
	digits[500] = '.';
	tap_is_int(csv_type_of(digits, 1001, &exact), CSV_DOUBLE, "1000 digits and a point");
	tap_is_int(csv_type_of(digits, 1002, &exact), CSV_TEXT, "1001 digits and a point");
}

/* The type of a column with these values, divided by blanks; _ is a blank. */
static CsvType
type_of_column(const Host *host, const char *values, Failure *why)
{
	CsvNulls	nulls;
	CsvTypes   *types;
	CsvType		type;
	char		copy[200];

	csv_nulls_init(&nulls, null_texts, null_lengths, 3);
	if (csv_types_new(host, 1, &nulls, &types, why) != STATUS_OK)
		return CSV_UNKNOWN;
	strcpy(copy, values);
	for (char *value = strtok(copy, " "); value != NULL; value = strtok(NULL, " "))
	{
		CsvField	field;
		CsvRecord	record = {.n_fields = 1, .fields = &field};

		for (char *at = value; *at != '\0'; at++)
			*at = *at == '_' ? ' ' : *at;
		field = field_of(value, false);
		csv_types_add(types, &record);
	}
	type = csv_types_get(types, 0);
	csv_types_free(types);
	return type;
}

static void
test_columns(void)
{
	static const struct
	{
		const char *values;
		CsvType		type;
	}			cases[] = {
		{"", CSV_TEXT}, {"NA nan _", CSV_TEXT}, {"1 2 NA 3", CSV_BIGINT}, {"_ 1_ _2", CSV_BIGINT},
		{"1 2.5", CSV_DOUBLE}, {"2.5 1", CSV_DOUBLE}, {"1 x", CSV_TEXT}, {"x 1", CSV_TEXT},
		{"1 00123", CSV_TEXT}, {"1 true", CSV_TEXT}, {"true f TRUE", CSV_BOOLEAN},
		{"t T", CSV_TEXT}, {"t 0", CSV_TEXT}, {"1 9223372036854775808", CSV_NUMERIC},
		{"9007199254740993 1", CSV_BIGINT}, {"9007199254740993 1.5", CSV_NUMERIC},
		{"0.1 1.23456789012345678", CSV_NUMERIC}, {"1e400 1", CSV_NUMERIC},
		{"inf 1", CSV_DOUBLE}, {"1 -Infinity", CSV_DOUBLE}, {"inf", CSV_TEXT}, {"inf NaN", CSV_TEXT},
		{"NaN 1", CSV_DOUBLE}, {"-nan 1", CSV_TEXT}, {"x inf", CSV_TEXT}, {"true inf", CSV_TEXT},
		{"inf 1.23456789012345678", CSV_NUMERIC},
		{"2024-01-01 2024-01-02", CSV_DATE}, {"2024-01-01 2024-01-02_03:04", CSV_TIMESTAMP},
		{"2024-01-02_03:04 2024-01-01", CSV_TIMESTAMP}, {"2024-01-02_03:04Z", CSV_TIMESTAMPTZ},
		{"2024-01-02_03:04Z 2024-01-02_03:04+02", CSV_TIMESTAMPTZ},
		{"2024-01-02_03:04Z 2024-01-02_03:04", CSV_TEXT}, {"2024-01-02_03:04Z 2024-01-02", CSV_TEXT},
		{"2024-01-01 20240101", CSV_TEXT}, {"2024-01-01 never", CSV_TEXT},
	};
	TestHost	t;
	Failure		why;

	test_host_begin(&t);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		tap_is_text(csv_type_name(type_of_column(&t.host, cases[i].values, &why)),
					csv_type_name(cases[i].type), "column of %s", cases[i].values);
	tap_ok(test_host_end(&t), "no leak");
}

/* TestCall */
static Status
infer(const Host *host, void *arg, Failure *why)
{
	CsvNulls   *nulls = arg;
	CsvTypes   *types;
	CsvField	fields[2] = {{.text = "1", .n_bytes = 1}, {.text = "x", .n_bytes = 1}};
	CsvRecord	record = {.n_fields = 2, .fields = fields};
	Status		status = csv_types_new(host, 2, nulls, &types, why);

	if (status != STATUS_OK)
		return status;
	csv_types_skip(types, 1);
	csv_types_add(types, &record);
	tap_ok(csv_types_get(types, 0) == CSV_BIGINT && csv_types_get(types, 1) == CSV_TEXT,
		   "a column whose type is given");
	csv_types_free(types);
	return status;
}

int
main(void)
{
	CsvNulls	nulls;

	csv_nulls_init(&nulls, null_texts, null_lengths, 3);
	test_values();
	test_long_numbers();
	test_columns();
	tap_ok(test_sweep_memory(infer, &nulls, 1), "survives refusal: types");
	return tap_done();
}
