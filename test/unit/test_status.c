/*
 * test_status.c
 *	  Texts of failures: formatting, cutting, absence.
 */
#include "tap.h"

#include "core/status.h"

/* The length to which a long text made of `unit`s after `shift` letters is cut. */
static size_t
cut_length(const char *unit, size_t shift)
{
	char		text[2 * FAILURE_TEXT_BYTES];
	Failure		why;
	size_t		n = shift;

	memset(text, 'a', shift);
	while (n + strlen(unit) < sizeof(text))
	{
		memcpy(text + n, unit, strlen(unit));
		n += strlen(unit);
	}
	text[n] = '\0';
	fail(&why, STATUS_LIMIT, "%s", text);
	fail_detail(&why, "%s", text);
	fail_hint(&why, "%s", text);
	if (strcmp(why.text, why.detail) != 0 || strcmp(why.text, why.hint) != 0)
		return 0;
	return strncmp(why.text, text, strlen(why.text)) == 0 ? strlen(why.text) : 0;
}

static void
test_fields(void)
{
	Failure		why;
	Status		status;

	memset(&why, 'x', sizeof(why));
	status = fail(&why, STATUS_OUT_OF_RANGE, "column \"%s\" has %d of %d", "tenure", 3, 10);
	tap_is_int(status, STATUS_OUT_OF_RANGE, "fail() returns the status");
	tap_is_int(why.status, STATUS_OUT_OF_RANGE, "and keeps it");
	tap_is_text(why.text, "column \"tenure\" has 3 of 10", "the text is formatted");
	tap_is_text(why.detail, "", "the detail is empty");
	tap_is_text(why.hint, "", "the hint is empty");

	fail_detail(&why, "Row %d is affected.", 7);
	fail_hint(&why, "Exclude column \"%s\".", "tenure");
	tap_is_text(why.detail, "Row 7 is affected.", "a detail is added");
	tap_is_text(why.hint, "Exclude column \"tenure\".", "a hint is added");
	tap_is_text(why.text, "column \"tenure\" has 3 of 10", "the text stays");

	fail(&why, STATUS_CORRUPT, "again");
	tap_is_text(why.detail, "", "a new failure drops the old detail");
	tap_is_text(why.hint, "", "and the old hint");
}

static void
test_nobody_listens(void)
{
	tap_is_int(fail(NULL, STATUS_CORRUPT, "no %s", "one"), STATUS_CORRUPT,
			   "fail() works without a Failure");
	fail_detail(NULL, "Nobody reads %d.", 1);
	fail_hint(NULL, "Nobody reads %d.", 2);
	tap_ok(true, "so do detail and hint");
}

static void
test_cut(void)
{
	size_t		most = FAILURE_TEXT_BYTES - 1;
	size_t		shift;
	size_t		n_wrong = 0;

	tap_is_int(cut_length("b", 0), most, "a long text fills the buffer");
	for (shift = 0; shift < 4; shift++)
	{
		/* two, three and four bytes: é, €, 𝄞 */
		n_wrong += cut_length("\xC3\xA9", shift) != most - (most - shift) % 2;
		n_wrong += cut_length("\xE2\x82\xAC", shift) != most - (most - shift) % 3;
		n_wrong += cut_length("\xF0\x9D\x84\x9E", shift) != most - (most - shift) % 4;
	}
	tap_is_int(n_wrong, 0, "no character of UTF-8 is cut in two");
	tap_is_int(cut_length("\x80", 0), most, "text that is not UTF-8 is cut at the byte");
}

int
main(void)
{
	test_fields();
	test_nobody_listens();
	test_cut();
	return tap_done();
}
