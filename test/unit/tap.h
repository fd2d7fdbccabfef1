/*
 * tap.h
 *	  Assertions of the unit tests, reported in the Test Anything Protocol.
 *
 * A test program calls tap_ok() and its kin and ends with
 * `return tap_done();`.  A failed assertion prints where it stands, goes on,
 * and makes the exit status 1.  Names must not vary from run to run.  For
 * loops over many inputs, count what is wrong and assert once.
 */
#ifndef CHURNOPS_TEST_TAP_H
#define CHURNOPS_TEST_TAP_H

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define tap_ok(condition, ...) tap_ok_at(condition, __FILE__, __LINE__, __VA_ARGS__)

/* Equal integers, signed or unsigned up to 64 bits. */
#define tap_is_int(got, expected, ...) \
	tap_is_int_at((int64_t) (got), (int64_t) (expected), __FILE__, __LINE__, __VA_ARGS__)
#define tap_is_hex(got, expected, ...) \
	tap_is_hex_at((uint64_t) (got), (uint64_t) (expected), __FILE__, __LINE__, __VA_ARGS__)

/* Equal within an absolute tolerance; NAN equals NAN, and an infinity itself. */
#define tap_is_real(got, expected, tolerance, ...) \
	tap_is_real_at(got, expected, tolerance, __FILE__, __LINE__, __VA_ARGS__)

#define tap_is_text(got, expected, ...) \
	tap_is_text_at(got, expected, __FILE__, __LINE__, __VA_ARGS__)

static int	tap_n_run = 0;
static int	tap_n_failed = 0;

/* A line of comment in the output. */
__attribute__((format(printf, 1, 2), unused)) static void
tap_diag(const char *format, ...)
{
	va_list		args;

	fputs("# ", stdout);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

/* Report one assertion; all others come here. */
__attribute__((format(printf, 4, 0))) static void
tap_report(bool passed, const char *file, int line, const char *format, va_list args)
{
	tap_n_run++;
	printf("%sok %d - ", passed ? "" : "not ", tap_n_run);
	vprintf(format, args);
	putchar('\n');
	if (!passed)
	{
		tap_n_failed++;
		tap_diag("at %s:%d", file, line);
	}
	fflush(stdout);
}

__attribute__((format(printf, 4, 5), unused)) static bool
tap_ok_at(bool passed, const char *file, int line, const char *format, ...)
{
	va_list		args;

	va_start(args, format);
	tap_report(passed, file, line, format, args);
	va_end(args);
	return passed;
}

__attribute__((format(printf, 5, 6), unused)) static bool
tap_is_int_at(int64_t got, int64_t expected, const char *file, int line, const char *format, ...)
{
	va_list		args;

	va_start(args, format);
	tap_report(got == expected, file, line, format, args);
	va_end(args);
	if (got != expected)
		tap_diag("got %" PRId64 ", expected %" PRId64, got, expected);
	return got == expected;
}

__attribute__((format(printf, 5, 6), unused)) static bool
tap_is_hex_at(uint64_t got, uint64_t expected, const char *file, int line, const char *format, ...)
{
	va_list		args;

	va_start(args, format);
	tap_report(got == expected, file, line, format, args);
	va_end(args);
	if (got != expected)
		tap_diag("got %016" PRIX64 ", expected %016" PRIX64, got, expected);
	return got == expected;
}

__attribute__((format(printf, 6, 7), unused)) static bool
tap_is_real_at(double got, double expected, double tolerance, const char *file, int line,
			   const char *format, ...)
{
	bool		passed;
	va_list		args;

	passed = (isnan(got) && isnan(expected)) || got == expected ||
		fabs(got - expected) <= tolerance;
	va_start(args, format);
	tap_report(passed, file, line, format, args);
	va_end(args);
	if (!passed)
		tap_diag("got %.17g, expected %.17g within %g", got, expected, tolerance);
	return passed;
}

/* NULL equals only NULL. */
__attribute__((format(printf, 5, 6), unused)) static bool
tap_is_text_at(const char *got, const char *expected, const char *file, int line,
			   const char *format, ...)
{
	bool		passed;
	va_list		args;

	passed = got == expected || (got != NULL && expected != NULL && strcmp(got, expected) == 0);
	va_start(args, format);
	tap_report(passed, file, line, format, args);
	va_end(args);
	if (!passed)
		tap_diag("got \"%s\", expected \"%s\"", got != NULL ? got : "(null)",
				 expected != NULL ? expected : "(null)");
	return passed;
}

/* Print the plan; the exit status of main(). */
__attribute__((unused)) static int
tap_done(void)
{
	printf("1..%d\n", tap_n_run);
	if (tap_n_failed > 0)
		tap_diag("%d of %d failed", tap_n_failed, tap_n_run);
	fflush(stdout);
	return tap_n_failed > 0 ? 1 : 0;
}

#endif
