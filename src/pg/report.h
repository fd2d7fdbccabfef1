/*
 * report.h
 *	  From Status to SQLSTATE: the only place where a failure of a pure
 *	  library becomes an ERROR, and argument checks shared by entry points.
 */
#ifndef CHURNOPS_PG_REPORT_H
#define CHURNOPS_PG_REPORT_H

#include "core/status.h"
#include "pg/compat.h"

/*
 * Return if status is STATUS_OK; else raise it.  STATUS_CANCELLED first gives
 * CHECK_FOR_INTERRUPTS() its say (57014 from the server's own text).
 */
extern void report_status(Status status, const Failure *why);

/* The SQLSTATE of a Status that is not STATUS_OK, as errcode() takes it. */
extern int	report_sqlstate(Status status);

/* Raise 22004: this argument must not be NULL. */
pg_noreturn extern void report_null_argument(const char *name);

/* A text of a pure library, UTF-8, for a message: what cannot be converted is cut. */
extern const char *report_text(const char *utf8);

#endif
