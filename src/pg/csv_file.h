/*
 * csv_file.h
 *	  A CSV file as records: source, dialect and reader together.
 */
#ifndef CHURNOPS_PG_CSV_FILE_H
#define CHURNOPS_PG_CSV_FILE_H

#include "nodes/pg_list.h"

#include "csv/csv.h"
#include "pg/csv_options.h"
#include "pg/csv_source.h"
#include "pg/host.h"

/* What an existing table's column, or the file itself, makes of a column of the file. */
typedef struct CsvFileColumn
{
	char	   *name;
	Oid			type;
	int32		typmod;
	bool		is_text;		/* blanks belong to its values, and quotes tell "" from NULL */
} CsvFileColumn;

typedef struct CsvFile
{
	const Location *location;
	const CsvOptions *options;
	CsvNulls	nulls;
	CsvDialect	dialect;
	PgHost		host;
	CsvSource  *source;
	CsvReader  *reader;
	bool		has_header;
	int			n_columns;
	CsvFileColumn *columns;
} CsvFile;

/* Open a file and find out how it is written, and what its columns are called. */
extern CsvFile *csv_file_open(const Location *location, const CsvOptions *options);
extern void csv_file_close(CsvFile *file);

/*
 * Go to the first record of values, from wherever the file is; then read them
 * one by one, NULL at the end.  Every one has as many fields as the first;
 * empty lines are none.
 */
extern void csv_file_begin(CsvFile *file);
extern const CsvRecord *csv_file_next(CsvFile *file);

/* Read the whole file to give the columns their types. */
extern void csv_file_infer(CsvFile *file);

/* Give a column its type. */
extern void csv_file_set_type(CsvFileColumn *column, Oid type, int32 typmod);

#endif
