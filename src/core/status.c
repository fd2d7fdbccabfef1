/*
 * status.c
 *	  Filling a Failure.
 */
#include "core/status.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

/*
 * The end of the last whole character in the first n bytes of UTF-8.  Text
 * that is not UTF-8 is returned as it is: it was not cut by us.
 */
static size_t
whole_characters(const char *text, size_t n)
{
	size_t		start = n;
	unsigned char lead;
	size_t		length;

	while (start > 0 && n - start < 3 && ((unsigned char) text[start - 1] & 0xC0) == 0x80)
		start--;
	if (start == 0)
		return n;
	lead = (unsigned char) text[start - 1];
	if (lead >= 0xF0)
		length = 4;
	else if (lead >= 0xE0)
		length = 3;
	else if (lead >= 0xC0)
		length = 2;
	else
		return n;
	return n - (start - 1) < length ? start - 1 : n;
}

static void CORE_PRINTF(2, 0)
set_text(char out[FAILURE_TEXT_BYTES], const char *format, va_list args)
{
	int			length;

	out[0] = '\0';
	length = vsnprintf(out, FAILURE_TEXT_BYTES, format, args);
	if (length >= FAILURE_TEXT_BYTES)
		out[whole_characters(out, FAILURE_TEXT_BYTES - 1)] = '\0';
}

Status
fail(Failure *why, Status status, const char *format, ...)
{
	va_list		args;

	if (why == NULL)
		return status;
	why->status = status;
	why->detail[0] = '\0';
	why->hint[0] = '\0';
	va_start(args, format);
	set_text(why->text, format, args);
	va_end(args);
	return status;
}

void
fail_detail(Failure *why, const char *format, ...)
{
	va_list		args;

	if (why == NULL)
		return;
	va_start(args, format);
	set_text(why->detail, format, args);
	va_end(args);
}

void
fail_hint(Failure *why, const char *format, ...)
{
	va_list		args;

	if (why == NULL)
		return;
	va_start(args, format);
	set_text(why->hint, format, args);
	va_end(args);
}
