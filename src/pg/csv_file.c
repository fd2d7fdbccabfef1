/*
 * csv_file.c
 *	  A CSV file as records: its dialect, the names and the types of its columns.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "pg/compat.h"
#include "pg/csv_file.h"
#include "pg/report.h"

/* The type of the server for one that was inferred. */
static Oid
server_type(CsvType type)
{
	switch (type)
	{
		case CSV_BOOLEAN:
			return BOOLOID;
		case CSV_BIGINT:
			return INT8OID;
		case CSV_NUMERIC:
			return NUMERICOID;
		case CSV_DOUBLE:
			return FLOAT8OID;
		case CSV_DATE:
			return DATEOID;
		case CSV_TIMESTAMP:
			return TIMESTAMPOID;
		case CSV_TIMESTAMPTZ:
			return TIMESTAMPTZOID;
		case CSV_UNKNOWN:
		case CSV_TEXT:
			break;
	}
	return TEXTOID;
}

/* Start to read from the first byte. */
static void
restart(CsvFile *file)
{
	Failure		why;

	csv_reader_free(file->reader);
	file->reader = NULL;
	csv_source_rewind(file->source);
	report_status(csv_reader_new(&file->host.host, &file->dialect, MaxHeapAttributeNumber,
								 CSV_MAX_RECORD_BYTES, &file->reader, &why), &why);
}

/* The next record that is no empty line, NULL at the end. */
static const CsvRecord *
next_record(CsvFile *file)
{
	const CsvRecord *record;
	const char *bytes;
	size_t		n_bytes;
	bool		ended = false;
	Failure		why;

	for (;;)
	{
		report_status(csv_reader_next(file->reader, &record, &why), &why);
		if (record != NULL && !record->is_blank)
			return record;
		if (record != NULL)
			continue;
		if (ended)
			return NULL;
		CHECK_FOR_INTERRUPTS();
		bytes = csv_source_next(file->source, csv_reader_line(file->reader), &n_bytes);
		if (bytes != NULL)
			report_status(csv_reader_feed(file->reader, bytes, n_bytes, &why), &why);
		else
		{
			csv_reader_end(file->reader);
			ended = true;
		}
	}
}

/* Which character separates the fields? */
static void
find_delimiter(CsvFile *file)
{
	const char *bytes;
	size_t		n_bytes;
	Failure		why;

	file->dialect = file->options->dialect;
	if (file->dialect.delimiter != '\0')
		return;
	file->dialect.delimiter = ',';
	bytes = csv_source_next(file->source, 1, &n_bytes);
	if (bytes != NULL)
		report_status(csv_guess_delimiter(&file->host.host, &file->dialect, bytes, n_bytes,
										  n_bytes < CSV_SAMPLE_BYTES / 2, &file->dialect.delimiter,
										  &why), &why);
}

/* Does the first record name the columns? */
static bool
find_header(const CsvFile *file, const CsvRecord *record)
{
	const CsvField *value;

	if (file->options->header != CSV_HEADER_AUTO)
		return file->options->header == CSV_HEADER_PRESENT;
	if (csv_is_header(record, &file->nulls, &value))
		return true;
	if (value == NULL)
		return false;
	if (file->options->names == NIL)
		ereport(NOTICE,
				(errmsg("the first line of \"%s\" is taken for values, since it holds \"%s\"",
						file->location->path, pnstrdup(value->text, value->n_bytes)),
				 errhint("The options \"header\": true and \"names\" say what the columns are "
						 "called.")));
	return false;
}

/* The name of a column in the header: without the blanks around it. */
static char *
header_name(const CsvFile *file, const CsvRecord *record, int i)
{
	CsvField	field = csv_trimmed(&record->fields[i]);
	char	   *name;

	if (field.n_bytes >= NAMEDATALEN)
		ereport(ERROR,
				(errcode(ERRCODE_NAME_TOO_LONG),
				 errmsg("the name of column %d of \"%s\" is longer than %d bytes", i + 1,
						file->location->path, NAMEDATALEN - 1),
				 errdetail("It begins with \"%s\".",
						   pnstrdup(field.text, pg_mbcliplen(field.text, (int) field.n_bytes,
															 NAMEDATALEN - 1))),
				 errhint("Give all columns shorter names by the option \"names\".")));
	if (field.n_bytes > 0)
		return pnstrdup(field.text, field.n_bytes);
	name = psprintf("column%d", i + 1);
	ereport(NOTICE,
			(errmsg("column %d of \"%s\" has no name, and is called \"%s\"", i + 1,
					file->location->path, name)));
	return name;
}

/* Refuse two columns of one name. */
static void
check_names(const CsvFile *file)
{
	for (int i = 0; i < file->n_columns; i++)
	{
		for (int j = 0; j < i; j++)
		{
			if (strcmp(file->columns[i].name, file->columns[j].name) == 0)
				ereport(ERROR,
						(errcode(ERRCODE_DUPLICATE_COLUMN),
						 errmsg("columns %d and %d of \"%s\" are both called \"%s\"", j + 1, i + 1,
								file->location->path, file->columns[i].name),
						 errhint("Give all columns names by the option \"names\"; if the first "
								 "line holds values, \"header\": false.")));
		}
	}
}

/* The given names, which must be as many as there are columns. */
static void
take_names(CsvFile *file)
{
	const List *names = file->options->names;

	if (list_length(names) != file->n_columns)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"names\" has %d names, but \"%s\" has %d columns",
						list_length(names), file->location->path, file->n_columns)));
	for (int i = 0; i < file->n_columns; i++)
	{
		char	   *name = list_nth(names, i);

		if (name[0] == '\0' || strlen(name) >= NAMEDATALEN)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_NAME),
					 errmsg("option \"names\": \"%s\" cannot be the name of a column", name),
					 errhint("A name has from 1 to %d bytes.", NAMEDATALEN - 1)));
		file->columns[i].name = name;
	}
}

/* Number of columns and their names, from the first record. */
static void
find_columns(CsvFile *file)
{
	const CsvRecord *record;

	restart(file);
	record = next_record(file);
	if (record == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_BAD_COPY_FILE_FORMAT),
				 errmsg("file \"%s\" has no lines but empty ones", file->location->path)));
	file->has_header = find_header(file, record);
	file->n_columns = (int) record->n_fields;
	file->columns = palloc0(sizeof(CsvFileColumn) * file->n_columns);
	if (file->options->names != NIL)
		take_names(file);
	for (int i = 0; i < file->n_columns && file->options->names == NIL; i++)
		file->columns[i].name = file->has_header ? header_name(file, record, i) :
			psprintf("column%d", i + 1);
	check_names(file);
}

CsvFile *
csv_file_open(const Location *location, const CsvOptions *options)
{
	CsvFile    *file = palloc0(sizeof(CsvFile));

	file->location = location;
	file->options = options;
	csv_options_nulls(options->nulls, &file->nulls);
	pg_host_init(&file->host, CurrentMemoryContext, 0);
	file->source = csv_source_open(location, options->encoding);
	find_delimiter(file);
	find_columns(file);
	return file;
}

void
csv_file_close(CsvFile *file)
{
	csv_reader_free(file->reader);
	csv_source_close(file->source);
	pfree(file);
}

void
csv_file_begin(CsvFile *file)
{
	restart(file);
	if (file->has_header)
		(void) csv_file_next(file);
}

const CsvRecord *
csv_file_next(CsvFile *file)
{
	const CsvRecord *record = next_record(file);
	Failure		why;

	if (record != NULL)
		report_status(csv_check_width(record, (size_t) file->n_columns, &why), &why);
	return record;
}

void
csv_file_set_type(CsvFileColumn *column, Oid type, int32 typmod)
{
	char		category;
	bool		preferred;

	get_type_category_preferred(type, &category, &preferred);
	column->type = type;
	column->typmod = typmod;
	column->is_text = category == TYPCATEGORY_STRING;
}

/* The columns' types of the option; the others have none yet. */
static void
take_types(CsvFile *file)
{
	ListCell   *cell;

	foreach(cell, file->options->types)
	{
		const CsvGivenType *given = lfirst(cell);
		List	   *names = NIL;
		const char *nearest;
		int			i;

		for (i = 0; i < file->n_columns; i++)
		{
			if (strcmp(file->columns[i].name, given->column) == 0)
				break;
			names = lappend(names, file->columns[i].name);
		}
		if (i < file->n_columns)
		{
			csv_file_set_type(&file->columns[i], given->type, given->typmod);
			continue;
		}
		nearest = csv_options_nearest(given->column, names);
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of option \"columns\" is not in \"%s\"", given->column,
						file->location->path),
				 nearest != NULL ? errhint("Perhaps you meant \"%s\".", nearest) : 0));
	}
}

void
csv_file_infer(CsvFile *file)
{
	const CsvRecord *record;
	CsvTypes   *types;
	Failure		why;

	take_types(file);
	report_status(csv_types_new(&file->host.host, (size_t) file->n_columns, &file->nulls, &types,
								&why), &why);
	for (int i = 0; i < file->n_columns; i++)
	{
		if (OidIsValid(file->columns[i].type))
			csv_types_skip(types, (size_t) i);
	}
	csv_file_begin(file);
	while ((record = csv_file_next(file)) != NULL)
		csv_types_add(types, record);
	for (int i = 0; i < file->n_columns; i++)
	{
		if (!OidIsValid(file->columns[i].type))
			csv_file_set_type(&file->columns[i],
							  server_type(csv_types_get(types, (size_t) i)), -1);
	}
	csv_types_free(types);
}
