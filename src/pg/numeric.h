/*
 * numeric.h
 *	  Reading the stored form of numeric without its arithmetic: the nearest
 *	  double, and the shortest plain text.
 */
#ifndef CHURNOPS_PG_NUMERIC_H
#define CHURNOPS_PG_NUMERIC_H

#include "lib/stringinfo.h"

/* The nearest double of a numeric Datum; NaN and infinities are kept. */
extern double numeric_to_double(Datum value);

/*
 * Append the value as decimal digits without an exponent, leading or trailing
 * zeros: equal numbers give equal texts.  Also "NaN", "Infinity", "-Infinity".
 */
extern void numeric_append_text(Datum value, StringInfo out);

#endif
