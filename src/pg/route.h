/*
 * route.h
 *	  Which rows the candidate of a running deployment answers.
 */
#ifndef CHURNOPS_PG_ROUTE_H
#define CHURNOPS_PG_ROUTE_H

#include "lib/stringinfo.h"
#include "utils/jsonb.h"

#include "pg/reference.h"
#include "pg/row_key.h"

/* What is being rolled out. */
typedef struct Route
{
	int64		deployment;
	double		weight;			/* share of the keys that is the candidate's */
	char	   *salt;
	int			n_key;			/* 0: the encoded row is the key */
	char	  **key;			/* names of columns, in the order of hashing */
	Resolved	candidate;
} Route;

/*
 * The deployment that resolving a bare model name has found, under the same
 * snapshot; made in the current memory context.
 */
extern Route *route_load(const Resolved *champion);

/* Find the key columns in a row type; false, and no key, if one is not there. */
extern bool route_key_init(RowKey *key, const Route *route, TupleDesc columns);

/*
 * Append one key column's value, or all of a JSON object's; false if it is
 * NULL or not there: such rows are the champion's.
 */
extern bool route_append(StringInfo bytes, RowKeyColumn *column, Datum value, bool is_null);
extern bool route_append_json(StringInfo bytes, const Route *route, Jsonb *row);

/* Where a key falls between 0 and 1; below the weight it is the candidate's. */
extern double route_share(const Route *route, const char *bytes, Size n_bytes);

#endif
