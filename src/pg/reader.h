/*
 * reader.h
 *	  A row of the training query, read in one pass: each value as canonical
 *	  bytes and as a cell.
 */
#ifndef CHURNOPS_PG_READER_H
#define CHURNOPS_PG_READER_H

#include "pg/canonical.h"

/* Labels of a column that are remembered. */
#define READER_LABELS 64

typedef struct ReaderLabel
{
	const char *text;			/* UTF-8; NULL: nothing is remembered here */
	size_t		n_bytes;
	double		order;
	Datum		value;
} ReaderLabel;

typedef struct ReaderColumn
{
	DatumType  *type;
	ForestCell *cell;			/* filled if the column has the use for one */
	bool		wants_cell;
	bool		varlena;
	bool		is_key;
	bool		is_excluded;
	ReaderLabel *labels;		/* READER_LABELS of them; made when the first is asked for */
} ReaderColumn;

/* All buffers and labels are in the memory context in which the reader began. */
typedef struct Reader
{
	MemoryContext context;
	ReaderColumn *columns;
	int			n_columns;
	Size		narrow_bytes;	/* at most, of a row's headers and values of fixed width */
	bool		texts_are_utf8; /* as the server has them */
	bool		has_excluded;
	CanonicalBytes all;			/* of the row at hand: all columns, */
	CanonicalBytes kept;		/* those not excluded (if any are), */
	CanonicalBytes group;		/* and the key columns */
} Reader;

/* Columns are filled by the caller, all but their labels. */
extern void reader_begin(Reader *r, ReaderColumn *columns, int n_columns);

/* Read a row; what is toasted in values is replaced, in the current memory context. */
extern void reader_row(Reader *r, Datum *values, const bool *nulls);

/* datum_label() of a value that is passed by value, remembered. */
extern const ReaderLabel *reader_label(Reader *r, ReaderColumn *column, Datum value);

#endif
