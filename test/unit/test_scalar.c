/*
 * test_scalar.c
 *	  What scalars are, and numbers as JSON.
 */
#include <math.h>

#include "spec/scalar.h"
#include "tap.h"
#include "test_host.h"

static void
test_kinds(void)
{
	static const struct
	{
		const char *text;
		SpecKind	kind;
		double		number;		/* or 1 for true */
	}			cases[] = {
		{"", SPEC_NULL, 0}, {"~", SPEC_NULL, 0}, {"null", SPEC_NULL, 0}, {"Null", SPEC_NULL, 0},
		{"NULL", SPEC_NULL, 0}, {"nULL", SPEC_TEXT, 0},
		{"true", SPEC_BOOLEAN, 1}, {"True", SPEC_BOOLEAN, 1}, {"TRUE", SPEC_BOOLEAN, 1},
		{"false", SPEC_BOOLEAN, 0}, {"False", SPEC_BOOLEAN, 0}, {"FALSE", SPEC_BOOLEAN, 0},
		{"tRUE", SPEC_TEXT, 0}, {"yes", SPEC_TEXT, 0}, {"No", SPEC_TEXT, 0}, {"on", SPEC_TEXT, 0},
		{"0", SPEC_INTEGER, 0}, {"-0", SPEC_INTEGER, 0}, {"12", SPEC_INTEGER, 12},
		{"+12", SPEC_INTEGER, 12}, {"-12", SPEC_INTEGER, -12}, {"007", SPEC_INTEGER, 7},
		{"0x1F", SPEC_INTEGER, 31}, {"0xff", SPEC_INTEGER, 255}, {"0o17", SPEC_INTEGER, 15},
		{"0x", SPEC_TEXT, 0}, {"0o8", SPEC_TEXT, 0}, {"0xG", SPEC_TEXT, 0}, {"-0x1", SPEC_TEXT, 0},
		{"0b11", SPEC_TEXT, 0}, {"1_000", SPEC_TEXT, 0}, {"12:30", SPEC_TEXT, 0},
		{"0.5", SPEC_FLOAT, 0.5}, {".5", SPEC_FLOAT, 0.5}, {"5.", SPEC_FLOAT, 5},
		{"-.5e1", SPEC_FLOAT, -5}, {"1e3", SPEC_FLOAT, 1000}, {"1E+3", SPEC_FLOAT, 1000},
		{"1e-3", SPEC_FLOAT, 0.001}, {".", SPEC_TEXT, 0}, {"-", SPEC_TEXT, 0}, {"+", SPEC_TEXT, 0},
		{"1e", SPEC_TEXT, 0}, {"e1", SPEC_TEXT, 0}, {"1.2.3", SPEC_TEXT, 0}, {"1e1.5", SPEC_TEXT, 0},
		{".inf", SPEC_FLOAT, INFINITY}, {"-.INF", SPEC_FLOAT, -INFINITY},
		{"+.Inf", SPEC_FLOAT, INFINITY}, {".nan", SPEC_FLOAT, NAN}, {"nan", SPEC_TEXT, 0},
		{"inf", SPEC_TEXT, 0}, {"2026-01-01", SPEC_TEXT, 0}, {"v2", SPEC_TEXT, 0},
		{" 1", SPEC_TEXT, 0}, {"1 ", SPEC_TEXT, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		SpecScalar	s = spec_resolve(cases[i].text);

		tap_is_int(s.kind, cases[i].kind, "kind of \"%s\"", cases[i].text);
		tap_is_real(s.kind == SPEC_BOOLEAN ? s.boolean : s.number, cases[i].number, 0,
					"value of \"%s\"", cases[i].text);
	}
}

static void
test_words(void)
{
	tap_ok(spec_is_ambiguous("0777") && spec_is_ambiguous("-00"), "octal in YAML 1.1");
	tap_ok(!spec_is_ambiguous("0") && !spec_is_ambiguous("10") && !spec_is_ambiguous("0x1"),
		   "not ambiguous");
	tap_ok(spec_is_old_boolean("yes") && spec_is_old_boolean("OFF") && spec_is_old_boolean("n"),
		   "booleans of YAML 1.1");
	tap_ok(!spec_is_old_boolean("true") && !spec_is_old_boolean("yEs"), "and others");
}

/* A number as JSON; "-" if it does not fit. */
static const char *
as_json(const char *text)
{
	static char out[128];
	SpecScalar	s = spec_resolve(text);
	SpecNode	node = {.kind = s.kind, .number = s.number};
	TestHost	t;
	ByteWriter	w;

	if (!spec_number_fits(&node, text))
		return "-";
	test_host_begin(&t);
	bytes_writer_begin(&w, &t.host, NULL);
	spec_put_number(&w, &node, text);
	memcpy(out, w.bytes, w.n_bytes);
	out[w.n_bytes] = '\0';
	bytes_writer_free(&w);
	test_host_end(&t);
	return out;
}

static void
test_json(void)
{
	static const char *const cases[][2] = {
		{"0", "0"}, {"-0", "-0"}, {"+12", "12"}, {"-12", "-12"}, {"0x1F", "31"}, {"0o17", "15"},
		{"0.50", "0.50"}, {".5", "0.5"}, {"-.5", "-0.5"}, {"5.", "5.0"}, {"5.e2", "5.0e2"},
		{"00.5", "0.5"}, {"1e3", "1e3"}, {"1E+3", "1E+3"}, {"0e9", "0e9"}, {"0.0", "0.0"},
		{"123456789012345678901234567890", "123456789012345678901234567890"},
		{"0.1234567890123456789", "0.1234567890123456789"},
		{".inf", "-"}, {".nan", "-"}, {"1e999", "-"}, {"1e-999", "-"}, {"0xFFFFFFFFFFFFFFFF", "-"},
		{"-1e999", "-"}, {"1e-320", "1e-320"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		tap_is_text(as_json(cases[i][0]), cases[i][1], "%s as JSON", cases[i][0]);
}

int
main(void)
{
	test_kinds();
	test_words();
	test_json();
	return tap_done();
}
