/*
 * status.h
 *	  Result codes of the pure libraries, and the one text that explains a
 *	  failure.
 *
 * Every pure function that can fail returns a Status and takes a Failure as
 * its last argument.  The Failure is filled once, at the place where the
 * trouble was found, with the names and numbers a user needs; callers only
 * pass the Status on.  Nothing in a pure library prints, exits or longjmps.
 */
#ifndef CHURNOPS_CORE_STATUS_H
#define CHURNOPS_CORE_STATUS_H

#if defined(__GNUC__)
#define CORE_PRINTF(format_index, first_index) \
	__attribute__((format(printf, format_index, first_index)))
#else
#define CORE_PRINTF(format_index, first_index)
#endif

/* PostgreSQL has a macro of this name, of the same value. */
#undef STATUS_OK

/* The binding maps each code to one SQLSTATE (src/pg/report.c). */
typedef enum Status
{
	STATUS_OK = 0,
	STATUS_INVALID_PARAMETER, /* a value outside what is allowed: 22023 */
	STATUS_INVALID_DATA,	  /* data that cannot be used: 22023 */
	STATUS_SYNTAX,			  /* a text that does not parse: 42601 */
	STATUS_OUT_OF_RANGE,	  /* an infinite or too large number: 22003 */
	STATUS_NULL_VALUE,		  /* NULL where a value is needed: 22004 */
	STATUS_UNSUPPORTED,		  /* known, and left out: 0A000 */
	STATUS_LIMIT,			  /* more than the format or a budget holds: 54000 */
	STATUS_NO_MEMORY,		  /* the host refused an allocation: 53200 */
	STATUS_CANCELLED,		  /* the host asked to stop: 57014 */
	STATUS_CORRUPT,			  /* bytes that are no valid artifact: XX001 */
	STATUS_IO,				  /* a temporary file of the host failed: 58030 */
	STATUS_MALFORMED		  /* a file that breaks the rules of its format: 22P04 */
} Status;

#define FAILURE_TEXT_BYTES 512

/*
 * Why a call failed.  text is one lower-case clause without a full stop, in
 * the form of a PostgreSQL primary message; detail and hint are whole
 * sentences or empty.  All are NUL-terminated and cut, at a character
 * boundary of UTF-8, to fit.
 */
typedef struct Failure
{
	Status		status;
	char		text[FAILURE_TEXT_BYTES];
	char		detail[FAILURE_TEXT_BYTES];
	char		hint[FAILURE_TEXT_BYTES];
} Failure;

/* Fill why (may be NULL) with a formatted text, empty detail and hint; returns status. */
extern Status fail(Failure *why, Status status, const char *format, ...) CORE_PRINTF(3, 4);

/* Add a detail or a hint to a failure just made by fail(); why may be NULL. */
extern void fail_detail(Failure *why, const char *format, ...) CORE_PRINTF(2, 3);
extern void fail_hint(Failure *why, const char *format, ...) CORE_PRINTF(2, 3);

#endif
