/*
 * form.h
 *	  Texts of a certain form.  Private to src/spec.
 */
#ifndef CHURNOPS_SPEC_FORM_H
#define CHURNOPS_SPEC_FORM_H

#include <stdbool.h>

#include "spec/table.h"

/*
 * NULL if a text is a schedule as cron and pg_cron 1.4 read it: five fields of
 * lists of *, numbers, names, ranges and steps.  Else what is wrong, with the
 * part that is, in *part and *n_bytes.
 */
extern const char *spec_cron_problem(const char *text, const char **part, size_t *n_bytes);

/* Whether a text has the form; as a regular expression for JSON Schema. */
extern bool spec_format_fits(SpecFormat format, const char *text);
extern const char *spec_format_pattern(SpecFormat format);

/* Seconds of "7 days", a number and a unit; false if it is none. */
extern bool spec_duration(const char *text, double *seconds);

#endif
