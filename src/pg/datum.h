/*
 * datum.h
 *	  The type policy: which PostgreSQL types can be features, targets, times
 *	  and weights, how their values become numbers or texts, and the canonical
 *	  bytes from which row identities and dataset digests are made.  One table
 *	  in datum.c decides it all.
 */
#ifndef CHURNOPS_PG_DATUM_H
#define CHURNOPS_PG_DATUM_H

#include "fmgr.h"
#include "forest/forest.h"

struct TypePolicy;

/* What a column's type means to us; found once per column. */
typedef struct DatumType
{
	Oid			type;			/* as declared */
	Oid			base;			/* domains resolved */
	const struct TypePolicy *policy;	/* the row of the table; private to datum, canonical, reader */
	bool		supported;		/* can be a feature */
	ForestKind	kind;			/* if supported */
	bool		integer;		/* int2, int4, int8 */
	bool		is_float;		/* float4, float8, numeric: a regression target by default */
	bool		is_enum;
	bool		plain_output;	/* the output function's text depends on no setting */
	FmgrInfo	output;			/* for labels, and canonical bytes of other types */
	bool		has_output;
} DatumType;

/* Look a type up.  Never fails: an unknown type is supported == false. */
extern void datum_type_init(DatumType *t, Oid type, MemoryContext context);

/*
 * The value as a cell.  Texts are UTF-8 and point into the datum (detoasted or
 * converted into the current memory context when needed); the trailing blanks
 * of char(n) are no part of a category.  NULL and NaN are missing.  Infinity
 * (of float, numeric, date, timestamp) comes through as an infinite number.
 */
extern void datum_cell(const DatumType *t, Datum value, bool is_null, ForestCell *cell);

/*
 * The bytes of a text as it is stored, in the server's encoding, or NULL where
 * the value has to be made a text first or be detoasted.
 */
extern const char *datum_stored_text(const DatumType *t, Datum value, size_t *n_bytes);

/* Where a value of a row is, and whether it is NULL: bytes from where the row's begin. */
typedef struct DatumPlace
{
	uint32		value;			/* of a Datum */
	uint32		null;			/* of a bool */
} DatumPlace;

/*
 * n values of one type that is no category as numbers, as datum_cell() has
 * them; NaN for missing ones.
 */
extern void datum_numbers(const DatumType *t, const char *values, const char *nulls,
						  const DatumPlace *places, int n, double *numbers);

/* Are values of two types read in the same way? */
extern bool datum_same_reader(const DatumType *a, const DatumType *b);

/*
 * A target value (not NULL) as class label, in UTF-8: its text form
 * (value::text), where equal values have one form (numerics without trailing
 * zeros, floats by their shortest digits, times in ISO form), and a number
 * that orders labels before their bytes do (the value of numbers and
 * booleans, the sort order of enums, 0 for texts).
 */
extern void datum_label(DatumType *t, Datum value, const char **text, size_t *n_bytes,
						double *order);

/* The tag of the canonical bytes (canonical.c) of this type's values. */
extern uint8 datum_canonical_tag(const DatumType *t);

/*
 * Text between the server's encoding and UTF-8, the encoding of artifacts,
 * labels and canonical bytes.  Returns the argument itself where both are the
 * same.  In a database of encoding SQL_ASCII, bytes that are no UTF-8 are
 * taken as LATIN1.
 */
extern const char *datum_to_utf8(const char *text, size_t n_bytes, size_t *utf8_bytes);
extern const char *datum_from_utf8(const char *utf8, size_t n_bytes, size_t *text_bytes);

#endif
