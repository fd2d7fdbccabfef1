/*
 * row_key.h
 *	  The key columns of a row, by which users know it again, as a JSON object.
 */
#ifndef CHURNOPS_PG_ROW_KEY_H
#define CHURNOPS_PG_ROW_KEY_H

#include "access/tupdesc.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/jsonb.h"

typedef struct RowKeyColumn
{
	char	   *name;
	int			column;			/* from 0 */
	Oid			base;			/* type, domains resolved */
	FmgrInfo	to_jsonb;		/* knows the column's type */
} RowKeyColumn;

typedef struct RowKey
{
	int			n_columns;		/* 0: no key */
	int			last_column;	/* the last one needed, counted from 1 */
	RowKeyColumn *columns;		/* of row_key_init(): in the order of jsonb, each once */
	char	   *begin;			/* of every key, where values are put behind it; or NULL */
	Size		begin_bytes;
} RowKey;

/*
 * Find the columns of a text[] (NULL: no key) in a row type: 42703 for one
 * that is not there, 22004 for NULL.  Made in the current memory context.
 */
extern void row_key_init(RowKey *key, ArrayType *names, TupleDesc columns);

/* As row_key_init(), of names, in their order; false, and no key, if one is not there. */
extern bool row_key_try(RowKey *key, char **names, int n_names, TupleDesc columns);

/* A value that is not NULL as JSON: a scalar, or the container of another value. */
extern void row_key_value(RowKeyColumn *key, Datum value, JsonbValue *out);

/* The key of a row as jsonb, in the current memory context. */
extern Datum row_key_jsonb(RowKey *key, const Datum *values, const bool *nulls);

#endif
