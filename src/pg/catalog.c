/*
 * catalog.c
 *	  Calls into the catalogue as its owner, the probe, and the guard of frozen
 *	  rows.
 *
 * No function of the extension is SECURITY DEFINER.  A function that users
 * call and that needs the owner's rights is declared with the symbol
 * churnops_as_owner; it runs the internal function churnops.<verb> as the
 * extension's owner and hands it the caller's role name first.  Internal
 * functions are executable by the owner alone, so that name cannot be forged,
 * and they check the caller's right themselves.  churnops_as_owner_on_path
 * hands over the caller's search_path too, for what goes back to the caller
 * (pipeline.c).
 *
 * Rows that must never change are guarded by a trigger; churnops_drop_model
 * passes it by a flag of this backend, set around its own DELETE statements
 * and nowhere else, and not by a setting that anybody could set.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/xlog.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

#include "pg/catalog.h"
#include "pg/compat.h"

#define CATALOG_SCHEMA "churnops"
#define EXTENSION_NAME "churnops"
#define PUBLIC_PREFIX "churnops_"
#define DELETE_FROM "DELETE FROM " CATALOG_SCHEMA "."

PG_FUNCTION_INFO_V1(churnops_as_owner);
PG_FUNCTION_INFO_V1(churnops_as_owner_on_path);
PG_FUNCTION_INFO_V1(churnops_refuse_change);
PG_FUNCTION_INFO_V1(churnops_delete_model_rows);
PG_FUNCTION_INFO_V1(churnops_delete_dataset_rows);
PG_FUNCTION_INFO_V1(churnops_delete_pipeline_rows);

/* True only while one of these three runs its own statements. */
static bool deleting = false;

/* Tables whose rows belong to a dataset, not to a model. */
static const char *const dataset_tables[] = {
	"dataset_keys", "dataset_rows", "dataset_version", "named_dataset", "validation",
};

/* Those whose rows belong to a pipeline. */
static const char *const pipeline_tables[] = {
	"pipeline", "pipeline_version",
};

/* A relation of ours; InvalidOid if there is none. */
static Oid
find_relation(const char *name)
{
	Oid			schema = get_namespace_oid(CATALOG_SCHEMA, true);

	return OidIsValid(schema) ? get_relname_relid(name, schema) : InvalidOid;
}

bool
catalog_has(const char *name)
{
	return OidIsValid(find_relation(name));
}

Oid
catalog_relation(const char *name)
{
	Oid			relation = find_relation(name);

	if (!OidIsValid(relation))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation \"%s.%s\" does not exist", CATALOG_SCHEMA, name),
				 errhint("Install the extension with CREATE EXTENSION %s;", EXTENSION_NAME)));
	return relation;
}

/* Find the extension: its owner, and its version as a new string unless NULL is given. */
static Oid
find_extension(char **version)
{
	Relation	extensions = table_open(ExtensionRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	Oid			owner = InvalidOid;

	ScanKeyInit(&key, Anum_pg_extension_extname, BTEqualStrategyNumber, F_NAMEEQ,
				CStringGetDatum(EXTENSION_NAME));
	scan = systable_beginscan(extensions, ExtensionNameIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		bool		is_null;	/* never */

		owner = ((Form_pg_extension) GETSTRUCT(tuple))->extowner;
		if (version != NULL)
			*version = TextDatumGetCString(heap_getattr(tuple, Anum_pg_extension_extversion,
														RelationGetDescr(extensions), &is_null));
	}
	systable_endscan(scan);
	table_close(extensions, AccessShareLock);
	if (!OidIsValid(owner))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("extension \"%s\" does not exist", EXTENSION_NAME),
				 errhint("Install the extension with CREATE EXTENSION %s;", EXTENSION_NAME)));
	return owner;
}

Oid
catalog_owner(void)
{
	return find_extension(NULL);
}

char *
catalog_extension_version(void)
{
	char	   *version = NULL;

	(void) find_extension(&version);
	return version;
}

/*
 * Run a statement as the owner.  After an error the user and the setting are
 * restored by the abort of the (sub)transaction.
 */
static int
execute_as_owner(const char *statement, int n_args, Oid *types, Datum *values, const char *nulls,
				 bool read_only)
{
	Oid			owner = catalog_owner();
	Oid			user;
	int			security;
	int			level;
	int			result;

	GetUserIdAndSecContext(&user, &security);
	SetUserIdAndSecContext(owner, security | SECURITY_LOCAL_USERID_CHANGE);
	level = NewGUCNestLevel();
	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	result = SPI_execute_with_args(statement, n_args, types, values, nulls, read_only, 0);
	if (result < 0)
		elog(ERROR, "could not execute \"%s\": %s", statement, SPI_result_code_string(result));
	AtEOXact_GUC(true, level);
	SetUserIdAndSecContext(user, security);
	return result;
}

int
catalog_execute(const char *statement, int n_args, Oid *types, Datum *values, const char *nulls)
{
	return execute_as_owner(statement, n_args, types, values, nulls, false);
}

void
catalog_require_writable(const char *function)
{
	if (RecoveryInProgress())
		ereport(ERROR,
				(errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
				 errmsg("%s() cannot run on a standby", function),
				 errdetail("This server replays the changes of its primary: it scores, and sees "
						   "promotions once they are replayed, but changes nothing itself."),
				 errhint("Connect to the primary.")));
	PreventCommandIfReadOnly(psprintf("%s()", function));
}

int
catalog_read(const char *statement, int n_args, Oid *types, Datum *values, const char *nulls)
{
	return execute_as_owner(statement, n_args, types, values, nulls, true);
}

/* ------------------------------------------------------------ the probe -- */

/* The number of a column, by its name. */
static AttrNumber
column_number(Relation relation, const char *column)
{
	int			number = SPI_fnumber(RelationGetDescr(relation), column);

	if (number <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of relation \"%s.%s\" does not exist", column,
						CATALOG_SCHEMA, RelationGetRelationName(relation)),
				 errhint("Bring the extension to the version of its library with ALTER EXTENSION "
						 "%s UPDATE;", EXTENSION_NAME)));
	return (AttrNumber) number;
}

bool
probe_begin(Probe *probe, const char *table, const char *index, const ProbeKey *keys, int n_keys)
{
	ScanKeyData scan_keys[PROBE_MAX_KEYS];

	if (!ActiveSnapshotSet())
		elog(ERROR, "a catalogue table is read without a snapshot");
	probe->relation = table_open(catalog_relation(table), AccessShareLock);
	for (int i = 0; i < n_keys; i++)
	{
		AttrNumber	number = column_number(probe->relation, keys[i].column);
		Form_pg_attribute column = TupleDescAttr(RelationGetDescr(probe->relation), number - 1);
		bool		is_text = keys[i].text != NULL;

		/* The index is walked with the collation of the key: it must be the column's. */
		ScanKeyEntryInitialize(&scan_keys[i], 0, number, BTEqualStrategyNumber, InvalidOid,
							   column->attcollation, is_text ? F_TEXTEQ : F_INT4EQ,
							   is_text ? CStringGetTextDatum(keys[i].text) :
							   Int32GetDatum(keys[i].number));
	}
	probe->scan = systable_beginscan(probe->relation, catalog_relation(index), true,
									 GetActiveSnapshot(), n_keys, scan_keys);
	probe->tuple = systable_getnext(probe->scan);
	return HeapTupleIsValid(probe->tuple);
}

bool
probe_next(Probe *probe)
{
	probe->tuple = systable_getnext(probe->scan);
	return HeapTupleIsValid(probe->tuple);
}

/* The lock stays until the end of the transaction, as after any query. */
void
probe_end(Probe *probe)
{
	systable_endscan(probe->scan);
	table_close(probe->relation, NoLock);
	probe->tuple = NULL;
}

Datum
probe_value(const Probe *probe, const char *column, bool *is_null)
{
	return heap_getattr(probe->tuple, column_number(probe->relation, column),
						RelationGetDescr(probe->relation), is_null);
}

char *
probe_text(const Probe *probe, const char *column)
{
	bool		is_null;
	Datum		value = probe_value(probe, column, &is_null);

	return is_null ? NULL : TextDatumGetCString(value);
}

/* ------------------------------------------------------- the trampoline -- */

/* `SELECT * FROM churnops.verb($1, …)` for the function churnops_verb, which has its own arguments. */
static char *
trampoline_statement(Oid function, int n_args)
{
	char	   *name = get_func_name(function);
	StringInfoData statement;

	if (name == NULL || strncmp(name, PUBLIC_PREFIX, strlen(PUBLIC_PREFIX)) != 0)
		elog(ERROR, "function %u has no internal counterpart", function);
	initStringInfo(&statement);
	appendStringInfo(&statement, "SELECT * FROM %s.%s(", CATALOG_SCHEMA,
					 quote_identifier(name + strlen(PUBLIC_PREFIX)));
	for (int i = 0; i < n_args; i++)
		appendStringInfo(&statement, "%s$%d", i > 0 ? ", " : "", i + 1);
	appendStringInfoChar(&statement, ')');
	return statement.data;
}

/* Run the internal function, whose first argument is the caller; its rows are in SPI_tuptable. */
static void
call_internal(FunctionCallInfo fcinfo, bool with_path)
{
	Oid			function = fcinfo->flinfo->fn_oid;
	NameData	caller;
	Oid		   *declared;
	int			n_declared;
	int			n = 0;
	Oid			types[FUNC_MAX_ARGS + 2];
	Datum		values[FUNC_MAX_ARGS + 2];
	char		nulls[FUNC_MAX_ARGS + 3];
	bool		read_only = func_volatile(function) != PROVOLATILE_VOLATILE;

	if (!read_only)
		catalog_require_writable(get_func_name(function));
	(void) get_func_signature(function, &declared, &n_declared);
	memset(nulls, ' ', sizeof(nulls));
	namestrcpy(&caller, GetUserNameFromId(GetUserId(), false));
	types[n] = NAMEOID;
	values[n++] = NameGetDatum(&caller);
	if (with_path)
	{
		types[n] = TEXTOID;
		values[n++] = CStringGetTextDatum(GetConfigOption("search_path", false, false));
	}
	for (int i = 0; i < n_declared; i++, n++)
	{
		types[n] = declared[i];
		values[n] = PG_GETARG_DATUM(i);
		nulls[n] = PG_ARGISNULL(i) ? 'n' : ' ';
	}
	(void) execute_as_owner(trampoline_statement(function, n), n, types, values, nulls,
							read_only);
}

/* The internal function must return what the public one declares. */
static void
check_columns(Oid function, TupleDesc expected, TupleDesc given)
{
	bool		same = expected->natts == given->natts;

	for (int i = 0; same && i < expected->natts; i++)
		same = TupleDescAttr(expected, i)->atttypid == TupleDescAttr(given, i)->atttypid;
	if (!same)
		elog(ERROR, "function %u does not return what its internal counterpart does", function);
}

static Datum
return_set(FunctionCallInfo fcinfo, bool with_path)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	call_internal(fcinfo, with_path);
	check_columns(fcinfo->flinfo->fn_oid, result->setDesc, SPI_tuptable->tupdesc);
	for (uint64 i = 0; i < SPI_processed; i++)
		tuplestore_puttuple(result->setResult, SPI_tuptable->vals[i]);
	SPI_finish();
	fcinfo->isnull = true;
	return (Datum) 0;
}

static Datum
return_composite(FunctionCallInfo fcinfo, TupleDesc columns, bool with_path)
{
	MemoryContext caller = CurrentMemoryContext;
	Datum	   *values = palloc(sizeof(Datum) * columns->natts);
	bool	   *nulls = palloc(sizeof(bool) * columns->natts);
	HeapTuple	tuple = NULL;

	columns = BlessTupleDesc(columns);
	SPI_connect();
	call_internal(fcinfo, with_path);
	check_columns(fcinfo->flinfo->fn_oid, columns, SPI_tuptable->tupdesc);
	if (SPI_processed > 0)
	{
		heap_deform_tuple(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, values, nulls);
		(void) MemoryContextSwitchTo(caller);
		tuple = heap_form_tuple(columns, values, nulls);
	}
	SPI_finish();
	if (tuple == NULL)
		PG_RETURN_NULL();
	return HeapTupleGetDatum(tuple);
}

static Datum
return_scalar(FunctionCallInfo fcinfo, bool with_path)
{
	MemoryContext caller = CurrentMemoryContext;
	Datum		value = (Datum) 0;
	bool		is_null = true;

	SPI_connect();
	call_internal(fcinfo, with_path);
	if (SPI_processed > 0)
	{
		Form_pg_attribute column = TupleDescAttr(SPI_tuptable->tupdesc, 0);

		value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null);
		(void) MemoryContextSwitchTo(caller);
		if (!is_null)
			value = datumCopy(value, column->attbyval, column->attlen);
	}
	SPI_finish();
	fcinfo->isnull = is_null;
	return value;
}

static Datum
run_as_owner(FunctionCallInfo fcinfo, bool with_path)
{
	TupleDesc	columns;

	if (fcinfo->flinfo->fn_retset)
		return return_set(fcinfo, with_path);
	if (get_call_result_type(fcinfo, NULL, &columns) == TYPEFUNC_COMPOSITE)
		return return_composite(fcinfo, columns, with_path);
	return return_scalar(fcinfo, with_path);
}

/* churnops_<verb>(args): churnops.<verb>(caller, args) as the extension's owner. */
Datum
churnops_as_owner(PG_FUNCTION_ARGS)
{
	return run_as_owner(fcinfo, false);
}

/* The same as churnops.<verb>(caller, search_path, args). */
Datum
churnops_as_owner_on_path(PG_FUNCTION_ARGS)
{
	return run_as_owner(fcinfo, true);
}

/* --------------------------------------------------------- frozen rows -- */

static const char *
operation_name(TriggerEvent event)
{
	if (TRIGGER_FIRED_BY_UPDATE(event))
		return "UPDATE";
	if (TRIGGER_FIRED_BY_DELETE(event))
		return "DELETE";
	return "TRUNCATE";
}

/*
 * The name of the model or dataset that a row belongs to, as a literal; a
 * placeholder without a row.
 */
static char *
name_literal(const TriggerData *trigger, const char *column)
{
	TupleDesc	columns = RelationGetDescr(trigger->tg_relation);
	int			number = SPI_fnumber(columns, column);
	char	   *name = NULL;

	if (TRIGGER_FIRED_FOR_ROW(trigger->tg_event) && number > 0)
		name = SPI_getvalue(trigger->tg_trigtuple, columns, number);
	return quote_literal_cstr(name != NULL ? name : column);
}

static bool
is_one_of(const char *table, const char *const *tables, size_t n_tables)
{
	for (size_t i = 0; i < n_tables; i++)
	{
		if (strcmp(table, tables[i]) == 0)
			return true;
	}
	return false;
}

/* Refuse a change of a dataset's rows. */
static void
refuse_dataset_change(const TriggerData *trigger)
{
	const char *table = RelationGetRelationName(trigger->tg_relation);
	const char *column = strcmp(table, "named_dataset") == 0 ? "name" : "dataset";

	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("rows of %s.%s are frozen: %s is refused", CATALOG_SCHEMA, table,
					operation_name(trigger->tg_event)),
			 errdetail("What was recorded of a dataset is kept as long as the dataset exists."),
			 errhint("To give up a kept copy use churnops_forget, to remove a dataset "
					 "SELECT churnops_drop_dataset(%s);", name_literal(trigger, column))));
}

/* Refuse a change of a pipeline's rows. */
static void
refuse_pipeline_change(const TriggerData *trigger)
{
	const char *table = RelationGetRelationName(trigger->tg_relation);
	const char *column = strcmp(table, "pipeline") == 0 ? "name" : "pipeline";

	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("rows of %s.%s are frozen: %s is refused", CATALOG_SCHEMA, table,
					operation_name(trigger->tg_event)),
			 errdetail("The definitions of a pipeline are kept as long as the pipeline exists."),
			 errhint("To change a pipeline give churnops_pipeline its new text, to remove one "
					 "SELECT churnops_drop_pipeline(%s);", name_literal(trigger, column))));
}

/* Trigger: no row of this table is ever changed or lost, except with its whole model. */
Datum
churnops_refuse_change(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	const char *table;
	bool		is_audit;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function is not called by a trigger")));
	table = RelationGetRelationName(trigger->tg_relation);
	is_audit = strcmp(table, "audit") == 0;
	if (deleting && !is_audit && TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
		return PointerGetDatum(trigger->tg_trigtuple);
	if (is_one_of(table, dataset_tables, lengthof(dataset_tables)))
		refuse_dataset_change(trigger);
	if (is_one_of(table, pipeline_tables, lengthof(pipeline_tables)))
		refuse_pipeline_change(trigger);
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("rows of %s.%s are frozen: %s is refused", CATALOG_SCHEMA, table,
					operation_name(trigger->tg_event)),
			 is_audit ? errdetail("The audit log is kept as it was written.") :
			 errdetail("What was recorded of a model is kept as long as the model exists."),
			 is_audit ? 0 :
			 errhint("To remove a model with its versions and history, use "
					 "SELECT churnops_drop_model(%s);", name_literal(trigger, "model"))));
	return PointerGetDatum(NULL);
}

/* Is the table of such a statement there?  Not, if the extension is older than the library. */
static bool
deletes_from_known_table(const char *statement)
{
	const char *table = statement + strlen(DELETE_FROM);

	return catalog_has(pnstrdup(table, strcspn(table, " ")));
}

/* Run statements of our own past the guard. */
static void
execute_deletes(const char *const *statements, int n_statements, int n_args, Oid *types,
				Datum *values)
{
	SPI_connect();
	deleting = true;
	PG_TRY();
	{
		for (int i = 0; i < n_statements; i++)
		{
			if (deletes_from_known_table(statements[i]))
				(void) catalog_execute(statements[i], n_args, types, values, NULL);
		}
	}
	PG_FINALLY();
	{
		deleting = false;
	}
	PG_END_TRY();
	SPI_finish();
}

/* Everything of one model but the audit log: churnops.delete_model_rows(model), owner only. */
Datum
churnops_delete_model_rows(PG_FUNCTION_ARGS)
{
	static const char *const statements[] = {
		"DELETE FROM churnops.alert WHERE model = $1",
		"DELETE FROM churnops.alert_mute WHERE model = $1",
		"DELETE FROM churnops.prediction_log WHERE model = $1",
		"DELETE FROM churnops.outcome WHERE model = $1",
		"DELETE FROM churnops.deployment_event WHERE model = $1",
		"DELETE FROM churnops.deployment WHERE model = $1",
		"DELETE FROM churnops.privilege WHERE model = $1",
		"DELETE FROM churnops.pipeline_stage WHERE model = $1",
		"DELETE FROM churnops.pipeline_run WHERE model = $1",
		"DELETE FROM churnops.verdict WHERE model = $1",
		"DELETE FROM churnops.import WHERE model = $1",
		"DELETE FROM churnops.alias WHERE model = $1",
		"DELETE FROM churnops.alias_event WHERE model = $1",
		"DELETE FROM churnops.version_event WHERE model = $1",
		"DELETE FROM churnops.version WHERE model = $1",
		"DELETE FROM churnops.run WHERE model = $1",
		"DELETE FROM churnops.trial WHERE model = $1",
		"DELETE FROM churnops.study WHERE model = $1",
		"DELETE FROM churnops.dataset WHERE model = $1",
		"DELETE FROM churnops.model WHERE name = $1",
	};
	Oid			types[] = {TEXTOID};
	Datum		values[] = {PG_GETARG_DATUM(0)};

	if (PG_ARGISNULL(0))
		PG_RETURN_VOID();
	execute_deletes(statements, lengthof(statements), 1, types, values);
	PG_RETURN_VOID();
}

/*
 * The kept copy of one version, or all of a dataset if the version is NULL:
 * churnops.delete_dataset_rows(dataset, version), owner only.
 */
Datum
churnops_delete_dataset_rows(PG_FUNCTION_ARGS)
{
	static const char *const copy[] = {
		"DELETE FROM churnops.dataset_rows WHERE dataset = $1 AND version = $2",
	};
	static const char *const all[] = {
		"DELETE FROM churnops.expectation WHERE dataset = $1",
		"DELETE FROM churnops.validation WHERE dataset = $1",
		"DELETE FROM churnops.dataset_rows WHERE dataset = $1",
		"DELETE FROM churnops.dataset_keys WHERE dataset = $1",
		"DELETE FROM churnops.dataset_version WHERE dataset = $1",
		"DELETE FROM churnops.named_dataset WHERE name = $1",
	};
	Oid			types[] = {TEXTOID, INT4OID};
	Datum		values[] = {PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)};

	if (PG_ARGISNULL(0))
		PG_RETURN_VOID();
	if (PG_ARGISNULL(1))
		execute_deletes(all, lengthof(all), 1, types, values);
	else
		execute_deletes(copy, lengthof(copy), 2, types, values);
	PG_RETURN_VOID();
}

/* A pipeline and its definitions: churnops.delete_pipeline_rows(pipeline), owner only. */
Datum
churnops_delete_pipeline_rows(PG_FUNCTION_ARGS)
{
	static const char *const statements[] = {
		"DELETE FROM churnops.pipeline_version WHERE pipeline = $1",
		"DELETE FROM churnops.pipeline WHERE name = $1",
	};
	Oid			types[] = {TEXTOID};
	Datum		values[] = {PG_GETARG_DATUM(0)};

	execute_deletes(statements, lengthof(statements), 1, types, values);
	PG_RETURN_VOID();
}
