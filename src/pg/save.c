/*
 * save.c
 *	  churnops_save and churnops_load: a version as a folder of the server.
 *
 * What the files hold is decided in SQL (sql/install/56-csv.sql); here they
 * are written and read, in UTF-8 whatever the encoding of the database.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "pg/catalog.h"
#include "pg/location.h"
#include "pg/report.h"

PG_FUNCTION_INFO_V1(churnops_save);
PG_FUNCTION_INFO_V1(churnops_load);

#define DOCUMENT_NAME "model.json"
#define BLOCK_BYTES 262144

/* The caller's name as a datum. */
static Datum
caller_name(void)
{
	NameData   *caller = palloc(sizeof(NameData));

	namestrcpy(caller, GetUserNameFromId(GetUserId(), false));
	return NameGetDatum(caller);
}

/* A text argument; NULL is refused. */
static char *
needed_text(FunctionCallInfo fcinfo, int i, const char *name)
{
	if (PG_ARGISNULL(i))
		report_null_argument(name);
	return text_to_cstring(PG_GETARG_TEXT_PP(i));
}

/* Write one file in UTF-8. */
static void
write_text(LocationFolder *folder, const char *name, const text *content)
{
	const char *bytes = VARDATA_ANY(content);
	int			n_bytes = VARSIZE_ANY_EXHDR(content);
	char	   *utf8 = pg_server_to_any(bytes, n_bytes, PG_UTF8);

	location_folder_write(folder, name, utf8, utf8 == bytes ? (size_t) n_bytes : strlen(utf8));
}

/* churnops_save(model_ref, path) → the folder's path */
Datum
churnops_save(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	Oid			types[] = {NAMEOID, TEXTOID};
	Datum		values[2];
	char	   *model_ref = needed_text(fcinfo, 0, "model_ref");
	Location   *location = location_resolve(needed_text(fcinfo, 1, "path"), LOCATION_WRITE);
	LocationFolder *folder;

	values[0] = caller_name();
	values[1] = CStringGetTextDatum(model_ref);
	SPI_connect();
	if (catalog_read("SELECT name, content FROM churnops.saved_files($1, $2)", lengthof(types),
					 types, values, NULL) != SPI_OK_SELECT)
		elog(ERROR, "could not read version \"%s\"", model_ref);
	folder = location_folder_new(location);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];
		bool		is_null;
		Datum		content = SPI_getbinval(row, SPI_tuptable->tupdesc, 2, &is_null);

		if (is_null)
			elog(ERROR, "a file of version \"%s\" has no content", model_ref);
		write_text(folder, SPI_getvalue(row, SPI_tuptable->tupdesc, 1), DatumGetTextPP(content));
	}
	location_folder_finish(folder);
	SPI_finish();
	MemoryContextSwitchTo(caller);
	PG_RETURN_TEXT_P(cstring_to_text(location->path));
}

/* All of a file in UTF-8, as a text of the server. */
static text *
read_text(const Location *location)
{
	LocationReader *reader = location_open(location);
	StringInfoData bytes;
	char	   *block = palloc(BLOCK_BYTES);
	size_t		n;

	initStringInfo(&bytes);
	while ((n = location_read(reader, block, BLOCK_BYTES)) > 0)
		appendBinaryStringInfo(&bytes, block, (int) n);
	location_close(reader);
	pfree(block);
	return cstring_to_text(pg_any_to_server(bytes.data, bytes.len, PG_UTF8));
}

/* churnops_load(path, model, description): churnops_import of a folder's document */
Datum
churnops_load(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	Oid			types[] = {NAMEOID, TEXTOID, TEXTOID, TEXTOID};
	Datum		values[4];
	char		nulls[] = "    ";
	TupleDesc	columns;
	Location   *location;
	HeapTuple	row;
	Datum	   *row_values;
	bool	   *row_nulls;

	catalog_require_writable("churnops_load");
	if (get_call_result_type(fcinfo, NULL, &columns) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "churnops_load() is declared with another result");
	location = location_inside(location_resolve(needed_text(fcinfo, 0, "path"), LOCATION_READ),
							   DOCUMENT_NAME);
	values[0] = caller_name();
	values[1] = PointerGetDatum(read_text(location));
	for (int i = 1; i < 3; i++)
	{
		values[i + 1] = PG_GETARG_DATUM(i);
		nulls[i + 1] = PG_ARGISNULL(i) ? 'n' : ' ';
	}
	SPI_connect();
	if (catalog_execute("SELECT * FROM churnops.import($1, $2, $3, $4)", lengthof(types), types,
						values, nulls) != SPI_OK_SELECT ||
		SPI_processed != 1 || SPI_tuptable->tupdesc->natts != columns->natts)
		elog(ERROR, "churnops.import() does not return what churnops_load() does");
	row_values = palloc(sizeof(Datum) * columns->natts);
	row_nulls = palloc(sizeof(bool) * columns->natts);
	heap_deform_tuple(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, row_values, row_nulls);
	MemoryContextSwitchTo(caller);
	row = heap_form_tuple(BlessTupleDesc(columns), row_values, row_nulls);
	SPI_finish();
	return HeapTupleGetDatum(row);
}
