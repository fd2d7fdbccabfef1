/*
 * numeric.h
 *	  Reading the stored form of numeric without its arithmetic: the nearest
 *	  double, and the shortest plain text.
 */
#ifndef CHURNOPS_PG_NUMERIC_H
#define CHURNOPS_PG_NUMERIC_H

/* The nearest double of a numeric Datum; NaN and infinities are kept. */
extern double numeric_to_double(Datum value);

/*
 * Write the value, detoasted, as decimal digits without an exponent, leading
 * or trailing zeros: equal numbers give equal texts.  Also "NaN", "Infinity",
 * "-Infinity".  Returns the end, where no NUL is put; there must be room for
 * as many bytes as numeric_text_room() says, which may be more than are used.
 */
extern char *numeric_put_text(struct varlena *packed, char *to);
extern Size numeric_text_room(struct varlena *packed);

#endif
