/*
 * numeric.h
 *	  The stored form of numeric without its arithmetic: the nearest double, the
 *	  shortest plain text, and integers.
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

/*
 * Write an integer as int64_to_numeric() has it, with a header of four bytes;
 * returns the end.
 */
#define NUMERIC_INT64_BYTES 16
extern char *numeric_put_int64(int64 value, char *to);

#endif
