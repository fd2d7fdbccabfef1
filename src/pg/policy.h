/*
 * policy.h
 *	  The row of the type table, for datum.c, canonical.c and reader.c alone.
 */
#ifndef CHURNOPS_PG_POLICY_H
#define CHURNOPS_PG_POLICY_H

#include "datatype/timestamp.h"
#include "utils/date.h"
#include "utils/float.h"

#include "pg/datum.h"

/* How the bytes of a value are read. */
typedef enum DatumReader
{
	READ_OTHER,					/* by its output function */
	READ_BOOL,
	READ_INT2,
	READ_INT4,
	READ_INT8,
	READ_FLOAT4,
	READ_FLOAT8,
	READ_NUMERIC,
	READ_DATE,
	READ_TIMESTAMP,				/* with and without time zone: microseconds */
	READ_INTERVAL,
	READ_TEXT,					/* text, varchar */
	READ_BPCHAR,
	READ_NAME,
	READ_CHAR,					/* "char", one byte */
	READ_ENUM,
	READ_CSTRING,				/* unknown: a literal in ROW(…) */
	READ_BYTEA,
	READ_UUID
} DatumReader;

/* Tags of canonical bytes (algorithms I1). */
typedef enum CanonicalTag
{
	TAG_NULL = 0,
	TAG_BOOL = 1,
	TAG_INTEGER = 2,
	TAG_FLOAT = 3,
	TAG_NUMERIC = 4,
	TAG_TEXT = 5,
	TAG_TIMESTAMP = 6,
	TAG_DATE = 7,
	TAG_BYTEA = 8,
	TAG_OTHER = 9
} CanonicalTag;

typedef struct TypePolicy
{
	Oid			type;
	DatumReader reader;
	CanonicalTag tag;
	bool		feature;		/* can be a feature, of this kind */
	ForestKind	kind;
	bool		plain_output;	/* the output function's text depends on no setting */
} TypePolicy;

/* An enum value's label (copied) and its place in the order of the type. */
extern char *policy_enum_label(Oid value, double *order);

/* "char" as text::"char" would write it; n_bytes may be 0. */
extern char *policy_char_text(char value, size_t *n_bytes);

/* Seconds since 1970 of microseconds since 2000; whole seconds are exact. */
static inline double
policy_timestamp_seconds(Timestamp value)
{
	int64		seconds;
	int64		rest;

	if (TIMESTAMP_IS_NOBEGIN(value))
		return -get_float8_infinity();
	if (TIMESTAMP_IS_NOEND(value))
		return get_float8_infinity();
	seconds = value / USECS_PER_SEC;
	rest = value % USECS_PER_SEC;
	seconds += (int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY;
	return (double) seconds + (double) rest / USECS_PER_SEC;
}

/* Seconds since 1970. */
static inline double
policy_date_seconds(DateADT value)
{
	if (DATE_IS_NOBEGIN(value))
		return -get_float8_infinity();
	if (DATE_IS_NOEND(value))
		return get_float8_infinity();
	return (double) ((int64) value + POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY;
}

#endif
