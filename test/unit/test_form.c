/*
 * test_form.c
 *	  Names, schedules, durations.
 */
#include "spec/form.h"
#include "tap.h"

static void
test_cron(void)
{
	static const char *const good[] = {
		"0 3 * * *", "*/15 0-6,22 1 jan-mar mon", "59 23 31 12 7", "0-59/5 * * * sun,Tue",
		"\t0  3 *\t* * ", "5,10,15-20/2 * * */3 *", "0 0 1 1 0",
	};
	static const struct
	{
		const char *text;
		const char *part;
		const char *problem;
	}			bad[] = {
		{"", "", "is the end where five fields are wanted"},
		{"* * * *", "", "is the end where five fields are wanted"},
		{"* * * * * *", "*", "follows the five fields"},
		{"60 * * * *", "60", "is out of range"},
		{"* 24 * * *", "24", "is out of range"},
		{"* * 0 * *", "0", "is out of range"},
		{"* * * 13 *", "13", "is out of range"},
		{"* * * * 8", "8", "is out of range"},
		{"5-3 * * * *", "5-3", "is a range that runs backwards"},
		{"5- * * * *", "5-", "is not a range"},
		{"*/0 * * * *", "*/0", "has no step"},
		{"*/ * * * *", "*/", "has no step"},
		{"5/2 * * * *", "5/2", "is not understood"},
		{"1,,2 * * * *", "1,,2", "is not a number"},
		{"1, * * * *", "1,", "is not a number"},
		{"@hourly", "@hourly", "is not a number"},
		{"* * * foo *", "foo", "is not a number"},
		{"10000 * * * *", "10000", "is out of range"},
		{"30 seconds", "seconds", "is not a number"},
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
	{
		const char *part;
		size_t		n_bytes;

		tap_is_text(spec_cron_problem(good[i], &part, &n_bytes), NULL, "%s", good[i]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		const char *part;
		size_t		n_bytes;
		char		copy[32] = "";

		tap_is_text(spec_cron_problem(bad[i].text, &part, &n_bytes), bad[i].problem,
					"\"%s\"", bad[i].text);
		memcpy(copy, part, n_bytes);
		tap_is_text(copy, bad[i].part, "and where");
	}
}

static void
test_names(void)
{
	char		name[80];

	tap_ok(spec_format_fits(FORMAT_NAME, "a") && spec_format_fits(FORMAT_NAME, "churn_v2.1-x"),
		   "names");
	tap_ok(!spec_format_fits(FORMAT_NAME, "") && !spec_format_fits(FORMAT_NAME, "2a") &&
		   !spec_format_fits(FORMAT_NAME, "A") && !spec_format_fits(FORMAT_NAME, "a b") &&
		   !spec_format_fits(FORMAT_NAME, "a/1"), "no names");
	memset(name, 'a', sizeof(name));
	name[63] = '\0';
	tap_ok(spec_format_fits(FORMAT_NAME, name), "63 letters");
	name[63] = 'a';
	name[64] = '\0';
	tap_ok(!spec_format_fits(FORMAT_NAME, name), "64 are too many");
	tap_ok(spec_format_fits(FORMAT_DATASET, "customers") &&
		   spec_format_fits(FORMAT_DATASET, "customers/12"), "datasets");
	tap_ok(!spec_format_fits(FORMAT_DATASET, "customers/") &&
		   !spec_format_fits(FORMAT_DATASET, "customers/0") &&
		   !spec_format_fits(FORMAT_DATASET, "customers/1x") &&
		   !spec_format_fits(FORMAT_DATASET, "customers/1234567890") &&
		   !spec_format_fits(FORMAT_DATASET, "/1"), "no datasets");
	tap_ok(spec_format_fits(FORMAT_ANY, " ") && !spec_format_fits(FORMAT_ANY, ""), "any text");
	tap_ok(spec_format_fits(FORMAT_CRON, "0 3 * * *") && !spec_format_fits(FORMAT_CRON, "x"),
		   "schedules");
	tap_ok(spec_format_pattern(FORMAT_ANY) == NULL && spec_format_pattern(FORMAT_NAME) != NULL &&
		   spec_format_pattern(FORMAT_DATASET) != NULL && spec_format_pattern(FORMAT_CRON) != NULL,
		   "patterns");
}

static void
test_durations(void)
{
	static const struct
	{
		const char *text;
		double		seconds;	/* -1: none */
	}			cases[] = {
		{"1 second", 1}, {"15 minutes", 900}, {"1hour", 3600}, {"30 days", 2592000},
		{"2  weeks", 1209600}, {"0 days", 0}, {"", -1}, {"days", -1}, {"1 month", -1},
		{"1 day ", -1}, {"1 dayss", -1}, {"1.5 days", -1}, {"-1 day", -1},
		{"1234567890123 days", -1},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		double		seconds = -1;

		tap_is_int(spec_duration(cases[i].text, &seconds), cases[i].seconds >= 0, "\"%s\"",
				   cases[i].text);
		tap_is_real(seconds, cases[i].seconds, 0, "its seconds");
	}
}

int
main(void)
{
	test_cron();
	test_names();
	test_durations();
	return tap_done();
}
