/*
 * csv.c
 *	  churnops_load_csv: a CSV file into a table, by the server's own COPY.
 *
 * The file is read twice.  The first time every record is looked at, and the
 * columns get the types that all of their values have; so nothing is wrong
 * with the file by the time the table is made.  The second time the records
 * become lines of COPY's text format, which CopyFrom() asks for by a callback:
 * triggers, constraints, defaults and partitions are served as by COPY.  An
 * existing table that is appended to has its types, and the file is read once.
 *
 * All is done as the caller.  CopyFrom() checks no privileges, so the checks
 * of the COPY command are made here.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_type.h"
#include "commands/copy.h"
#include "commands/copyfrom_internal.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "parser/parse_relation.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"
#include "utils/varlena.h"

#include "pg/catalog.h"
#include "pg/compat.h"
#include "pg/csv_file.h"
#include "pg/json.h"
#include "pg/report.h"

PG_FUNCTION_INFO_V1(churnops_load_csv);

#define LINES_BYTES 32768		/* so many are made ready for COPY at once */

/* ------------------------------------------------------------ the target -- */

/* The table to load into. */
typedef struct Target
{
	const char *text;			/* as it was given */
	RangeVar   *name;
	Oid			schema;			/* where it is, or will be made */
	Oid			relation;		/* InvalidOid: it is to be made */
} Target;

static const char *
target_schema(const Target *target)
{
	return isTempNamespace(target->schema) ? "pg_temp" : get_namespace_name(target->schema);
}

static char *
target_name(const Target *target)
{
	return quote_qualified_identifier(target_schema(target), target->name->relname);
}

/* Where is the table, or where would it be made? */
static void
find_target(const char *text, const CsvOptions *options, Target *out)
{
	memset(out, 0, sizeof(*out));
	out->text = text;
	out->name = makeRangeVarFromNameList(textToQualifiedNameList(cstring_to_text(text)));
	if (options->temporary)
		out->name->relpersistence = RELPERSISTENCE_TEMP;
	if (options->if_exists == CSV_IF_EXISTS_APPEND)
		out->relation = RangeVarGetRelid(out->name, NoLock, true);
	if (OidIsValid(out->relation))
	{
		out->schema = get_rel_namespace(out->relation);
		return;
	}
	out->schema = RangeVarGetCreationNamespace(out->name);
	out->relation = get_relname_relid(out->name->relname, out->schema);
	if (OidIsValid(out->relation) && options->if_exists == CSV_IF_EXISTS_ERROR)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_TABLE),
				 errmsg("relation %s already exists", target_name(out)),
				 errhint("The option \"if_exists\": \"append\" adds the rows to it, \"replace\" "
						 "puts a new table in its place.")));
}

/* A statement of ours, as the caller. */
static void
execute(const char *statement)
{
	int			result = SPI_execute(statement, false, 0);

	if (result < 0)
		elog(ERROR, "could not execute \"%s\": %s", statement, SPI_result_code_string(result));
}

/* Make the table for the columns of the file, in the place of the one that is there. */
static void
make_table(Target *target, const CsvOptions *options, const CsvFile *file)
{
	StringInfoData statement;

	initStringInfo(&statement);
	if (OidIsValid(target->relation))
	{
		appendStringInfo(&statement, "DROP TABLE %s", target_name(target));
		execute(statement.data);
		resetStringInfo(&statement);
	}
	appendStringInfo(&statement, "CREATE %sTABLE %s (", options->unlogged ? "UNLOGGED " : "",
					 target_name(target));
	for (int i = 0; i < file->n_columns; i++)
	{
		const CsvFileColumn *column = &file->columns[i];

		appendStringInfo(&statement, "%s%s %s", i > 0 ? ", " : "", quote_identifier(column->name),
						 format_type_extended(column->type, column->typmod,
											  FORMAT_TYPE_TYPEMOD_GIVEN |
											  FORMAT_TYPE_FORCE_QUALIFY));
	}
	appendStringInfoChar(&statement, ')');
	execute(statement.data);
	target->relation = get_relname_relid(target->name->relname, target->schema);
	if (!OidIsValid(target->relation))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation %s is gone", target_name(target))));
}

/* The table's columns that rows can be loaded into, as a list of names. */
static List *
loadable_columns(TupleDesc columns)
{
	List	   *names = NIL;

	for (int i = 0; i < columns->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(columns, i);

		if (!column->attisdropped && column->attgenerated == '\0')
			names = lappend(names, NameStr(column->attname));
	}
	return names;
}

/* Without a header the columns are the table's, in their order. */
static void
take_table_names(CsvFile *file, List *names, const Target *target)
{
	if (list_length(names) != file->n_columns)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" has %d columns and no header, but table %s has %d columns",
						file->location->path, file->n_columns, target_name(target),
						list_length(names)),
				 errhint("Say by the option \"names\" which columns they are.")));
	for (int i = 0; i < file->n_columns; i++)
		file->columns[i].name = pstrdup(list_nth(names, i));
}

/* The columns of the file get the types of those of an existing table. */
static void
match_table(CsvFile *file, Relation relation, const Target *target)
{
	TupleDesc	columns = RelationGetDescr(relation);
	List	   *names = loadable_columns(columns);

	if (!file->has_header && file->options->names == NIL)
		take_table_names(file, names, target);
	for (int i = 0; i < file->n_columns; i++)
	{
		int			number = SPI_fnumber(columns, file->columns[i].name);
		const char *nearest;

		if (number > 0)
		{
			Form_pg_attribute column = TupleDescAttr(columns, number - 1);

			csv_file_set_type(&file->columns[i], column->atttypid, column->atttypmod);
			continue;
		}
		nearest = csv_options_nearest(file->columns[i].name, names);
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of \"%s\" is not in table %s", file->columns[i].name,
						file->location->path, target_name(target)),
				 nearest != NULL ? errhint("Perhaps it is \"%s\"; the option \"names\" gives the "
										   "columns of the file their names.", nearest) :
				 errhint("The option \"names\" gives the columns of the file their names.")));
	}
}

/* May the caller insert into these columns?  What the COPY command checks. */
static void
check_privileges(Relation relation, const CsvFile *file)
{
	Oid			oid = RelationGetRelid(relation);
	Oid			user = GetUserId();

	if (pg_class_aclcheck(oid, user, ACL_INSERT) != ACLCHECK_OK)
	{
		for (int i = 0; i < file->n_columns; i++)
		{
			AttrNumber	number = get_attnum(oid, file->columns[i].name);

			if (pg_attribute_aclcheck(oid, number, user, ACL_INSERT) != ACLCHECK_OK)
				aclcheck_error(ACLCHECK_NO_PRIV,
							   get_relkind_objtype(RelationGetForm(relation)->relkind),
							   RelationGetRelationName(relation));
		}
	}
	if (check_enable_rls(oid, InvalidOid, false) == RLS_ENABLED)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("table \"%s\" has row-level security, which COPY does not support",
						RelationGetRelationName(relation)),
				 errhint("Load into a table of your own, and use INSERT … SELECT from there.")));
}

/* ------------------------------------------------------------------ COPY -- */

/* What COPY reads: the lines of a file. */
typedef struct Feed
{
	CsvFile    *file;
	CopyFromState copy;
	bool	   *is_text;
	CsvOutput	lines;
	size_t		n_sent;			/* bytes of them that COPY has */
	const CsvRecord *held;		/* read, but not made into a line */
	uint64		next_line;		/* of the file, where COPY takes the next record to begin */
} Feed;

/* COPY's callback has no argument; loads may be nested, by triggers. */
static Feed *feed = NULL;

/*
 * Make lines ready.  COPY counts them, to say in errors where it was; where
 * the file has empty lines or records of several lines, its count is put
 * right, which can be done only when it has taken all lines before.
 */
static void
fill_feed(Feed *f)
{
	Failure		why;

	f->lines.n_bytes = f->n_sent = 0;
	while (f->lines.n_bytes < LINES_BYTES)
	{
		const CsvRecord *record = f->held != NULL ? f->held : csv_file_next(f->file);

		f->held = NULL;
		if (record == NULL)
			return;
		if (record->line != f->next_line)
		{
			if (f->lines.n_bytes > 0)
			{
				f->held = record;
				return;
			}
			f->copy->cur_lineno = record->line;
		}
		f->next_line = record->line + 1;
		report_status(csv_output_add(&f->lines, record, &f->file->nulls, f->is_text, &why), &why);
	}
}

/* copy_data_source_cb */
static int
send_lines(void *buffer, int min_bytes, int max_bytes)
{
	Feed	   *f = feed;
	size_t		n;

	(void) min_bytes;
	if (f->n_sent == f->lines.n_bytes)
		fill_feed(f);
	n = Min(f->lines.n_bytes - f->n_sent, (size_t) max_bytes);
	memcpy(buffer, f->lines.bytes + f->n_sent, n);
	f->n_sent += n;
	return (int) n;
}

/* Run COPY over all records; returns how many rows were loaded. */
static uint64
copy_records(CsvFile *file, Relation relation)
{
	ParseState *parse = make_parsestate(NULL);
	List	   *options = list_make1(makeDefElem("encoding", (Node *)
												 makeString(pstrdup(GetDatabaseEncodingName())),
												 -1));
	List	   *names = NIL;
	Feed		f = {.file = file, .next_line = 1};
	Feed	   *outer = feed;
	uint64		n_rows = 0;

	f.is_text = palloc(sizeof(bool) * file->n_columns);
	for (int i = 0; i < file->n_columns; i++)
	{
		f.is_text[i] = file->columns[i].is_text;
		names = lappend(names, makeString(file->columns[i].name));
	}
	csv_output_begin(&f.lines, &file->host.host);
	csv_file_begin(file);
	(void) addRangeTableEntryForRelation(parse, relation, RowExclusiveLock, NULL, false, false);
	PG_TRY();
	{
		feed = &f;
		f.copy = BeginCopyFrom(parse, relation, NULL, NULL, false, send_lines, names, options);
		n_rows = CopyFrom(f.copy);
		EndCopyFrom(f.copy);
	}
	PG_FINALLY();
	{
		feed = outer;
	}
	PG_END_TRY();
	csv_output_free(&f.lines);
	free_parsestate(parse);
	return n_rows;
}

/* ------------------------------------------------------------ the function -- */

static const char *
needed_text(FunctionCallInfo fcinfo, int i, const char *name)
{
	if (PG_ARGISNULL(i))
		report_null_argument(name);
	return text_to_cstring(PG_GETARG_TEXT_PP(i));
}

/* The columns as [{"name": …, "type": …}, …]. */
static Jsonb *
columns_json(const CsvFile *file)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoChar(&out, '[');
	for (int i = 0; i < file->n_columns; i++)
	{
		json_separate(&out);
		appendStringInfoChar(&out, '{');
		json_text(&out, "name", file->columns[i].name);
		json_text(&out, "type", format_type_with_typemod(file->columns[i].type,
														 file->columns[i].typmod));
		appendStringInfoChar(&out, '}');
	}
	appendStringInfoChar(&out, ']');
	return json_to_jsonb(out.data);
}

/* Load the file; returns the number of rows. */
static uint64
load(CsvFile *file, const CsvOptions *options, Target *target)
{
	Relation	relation;
	uint64		n_rows;
	bool		append = OidIsValid(target->relation) &&
		options->if_exists == CSV_IF_EXISTS_APPEND;

	if (!append)
	{
		csv_file_infer(file);
		make_table(target, options, file);
	}
	relation = table_open(target->relation, RowExclusiveLock);
	if (append)
		match_table(file, relation, target);
	check_privileges(relation, file);
	PushActiveSnapshot(GetTransactionSnapshot());
	n_rows = copy_records(file, relation);
	PopActiveSnapshot();
	table_close(relation, NoLock);
	CommandCounterIncrement();
	return n_rows;
}

/* churnops_load_csv(path, table, options) → table_name, n_rows, columns */
Datum
churnops_load_csv(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	TupleDesc	columns;
	Datum		values[3];
	bool		nulls[3] = {false};
	CsvOptions	options;
	Target		target;
	Location   *location;
	CsvFile    *file;
	uint64		n_rows;

	catalog_require_writable("churnops_load_csv");
	if (get_call_result_type(fcinfo, NULL, &columns) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "churnops_load_csv() is declared with another result");
	csv_options_read(PG_ARGISNULL(2) ? NULL : PG_GETARG_JSONB_P(2), &options);
	location = location_resolve(needed_text(fcinfo, 0, "path"), LOCATION_READ);
	find_target(needed_text(fcinfo, 1, "table"), &options, &target);
	SPI_connect();
	MemoryContextSwitchTo(caller);
	file = csv_file_open(location, &options);
	n_rows = load(file, &options, &target);
	MemoryContextSwitchTo(caller);
	values[0] = CStringGetTextDatum(target_name(&target));
	values[1] = Int64GetDatum((int64) n_rows);
	values[2] = JsonbPGetDatum(columns_json(file));
	csv_file_close(file);
	SPI_finish();
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(columns), values, nulls));
}
