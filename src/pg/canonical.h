/*
 * canonical.h
 *	  Canonical bytes, one value behind the other in a buffer.
 *
 * A writer makes room first and then writes without looking at the buffer's
 * end, so a row of many narrow columns is checked once.
 */
#ifndef CHURNOPS_PG_CANONICAL_H
#define CHURNOPS_PG_CANONICAL_H

#include <math.h>

#include "port/pg_bswap.h"
#include "pg/policy.h"

/* Tag and length; payloads of fixed width have at most eight bytes. */
#define CANONICAL_HEADER_BYTES 5
#define CANONICAL_FIXED_BYTES (CANONICAL_HEADER_BYTES + 8)

#define CANONICAL_NAN UINT64CONST(0x7FF8000000000000)

typedef struct CanonicalBytes
{
	char	   *data;
	char	   *next;			/* behind the last byte */
	char	   *limit;
} CanonicalBytes;

/* An empty buffer in the current memory context. */
extern void canonical_begin(CanonicalBytes *out);

/* Let n bytes fit behind `next`, which may move. */
extern void canonical_grow(CanonicalBytes *out, Size n_bytes);

static inline void
canonical_reserve(CanonicalBytes *out, Size n_bytes)
{
	if (unlikely((Size) (out->limit - out->next) < n_bytes))
		canonical_grow(out, n_bytes);
}

static inline void
canonical_append(CanonicalBytes *out, const char *bytes, Size n_bytes)
{
	canonical_reserve(out, n_bytes);
	memcpy(out->next, bytes, n_bytes);
	out->next += n_bytes;
}

/*
 * Append the bytes of a value that is neither NULL nor of a fixed width (see
 * reader.c for those).  The cell is that of datum_cell() for a category, and
 * is not looked at otherwise.
 */
extern void datum_canonical(DatumType *t, Datum value, const ForestCell *cell,
							CanonicalBytes *out);

/* The following return where the next byte goes; there must be room. */

static inline char *
canonical_header(char *to, CanonicalTag tag, Size n_bytes)
{
	uint32		length = pg_hton32((uint32) n_bytes);

	*to = (char) tag;
	memcpy(to + 1, &length, sizeof(length));
	return to + CANONICAL_HEADER_BYTES;
}

static inline char *
canonical_word(char *to, CanonicalTag tag, uint64 word)
{
	uint64		big_endian = pg_hton64(word);

	to = canonical_header(to, tag, sizeof(big_endian));
	memcpy(to, &big_endian, sizeof(big_endian));
	return to + sizeof(big_endian);
}

static inline char *
canonical_float(char *to, double number)
{
	uint64		bits;

	if (number == 0)
		number = 0;				/* −0 too */
	memcpy(&bits, &number, sizeof(bits));
	return canonical_word(to, TAG_FLOAT, isnan(number) ? CANONICAL_NAN : bits);
}

#endif
