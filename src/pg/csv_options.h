/*
 * csv_options.h
 *	  The options of churnops_load_csv.
 */
#ifndef CHURNOPS_PG_CSV_OPTIONS_H
#define CHURNOPS_PG_CSV_OPTIONS_H

#include "nodes/pg_list.h"
#include "utils/jsonb.h"

#include "csv/csv.h"

typedef enum CsvHeader
{
	CSV_HEADER_AUTO,
	CSV_HEADER_PRESENT,
	CSV_HEADER_ABSENT
} CsvHeader;

typedef enum CsvIfExists
{
	CSV_IF_EXISTS_ERROR,
	CSV_IF_EXISTS_APPEND,
	CSV_IF_EXISTS_REPLACE
} CsvIfExists;

/* A column whose type is given. */
typedef struct CsvGivenType
{
	char	   *column;
	Oid			type;
	int32		typmod;
} CsvGivenType;

typedef struct CsvOptions
{
	CsvHeader	header;
	CsvDialect	dialect;		/* delimiter '\0': to be found out */
	List	   *nulls;			/* of char * */
	int			encoding;
	List	   *names;			/* of char *, of all columns; NIL: by the header */
	List	   *types;			/* of CsvGivenType * */
	CsvIfExists if_exists;
	bool		temporary;
	bool		unlogged;
} CsvOptions;

/* The options of a JSON object, each checked; NULL is that without members. */
extern void csv_options_read(Jsonb *json, CsvOptions *out);

/* The texts of a list as NULLs; lives in the current memory context. */
extern void csv_options_nulls(const List *texts, CsvNulls *out);

/* The name of a list (of char *) that is nearest to another, NULL if none is near. */
extern const char *csv_options_nearest(const char *name, const List *known);

#endif
