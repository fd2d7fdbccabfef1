/*
 * pipeline.c
 *	  What a run of a pipeline does as the user who started it.
 *
 * Runs are PL/pgSQL of the catalogue (sql/install/60-pipeline.sql), as the
 * extension's owner like all that writes there.  Their stages call the same
 * public functions that users call, and those have to see the user: the rights
 * on tables and files, the row-level security and the search_path are the
 * caller's.  So these functions go back to the caller around one call
 * (caller.c).  They are the owner's alone to execute, so the caller's name is
 * true.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

#include "pg/caller.h"
#include "pg/compat.h"
#include "pg/json.h"
#include "pg/location.h"
#include "pg/pipeline.h"
#include "pg/query.h"
#include "pg/source.h"
#include "pg/survey.h"

PG_FUNCTION_INFO_V1(churnops_call_as);
PG_FUNCTION_INFO_V1(churnops_survey_as);
PG_FUNCTION_INFO_V1(churnops_check_folder_as);
PG_FUNCTION_INFO_V1(churnops_run_pipeline);

/* A run of a pipeline, as far as the functions that it calls have to know. */
typedef struct Run
{
	int64		number;
	Jsonb	   *threshold;
} Run;

/* Set only while churnops_call_as() runs the caller's function. */
static Run	current_run = {0, NULL};

int64
pipeline_current_run(void)
{
	return current_run.number;
}

Jsonb *
pipeline_threshold_rule(void)
{
	return current_run.threshold;
}

/* ------------------------------------------------------ calling functions -- */

/* A call of a public function with arguments by name. */
typedef struct Call
{
	StringInfoData statement;
	int			n;
	Oid			types[FUNC_MAX_ARGS];
	Datum		values[FUNC_MAX_ARGS];
} Call;

/* The one function of this name, which has its schema in it. */
static Oid
find_function(text *name)
{
	FuncCandidateList found = FuncnameGetCandidates(textToQualifiedNameList(name), -1, NIL, false,
													false, false, false);

	if (found == NULL || found->next != NULL)
		elog(ERROR, "function \"%s\" is not one", text_to_cstring(name));
	return found->oid;
}

/* An array of JSON texts as text[]. */
static Datum
text_array(const JsonbValue *value)
{
	ArrayBuildState *array = initArrayResult(TEXTOID, CurrentMemoryContext, false);
	JsonbIterator *iterator = JsonbIteratorInit(value->val.binary.data);
	JsonbIteratorToken token;
	JsonbValue	element;

	while ((token = JsonbIteratorNext(&iterator, &element, true)) != WJB_DONE)
	{
		if (token != WJB_ELEM)
			continue;
		if (element.type != jbvString)
			elog(ERROR, "an array of texts holds something else");
		accumArrayResult(array, PointerGetDatum(cstring_to_text_with_len(element.val.string.val,
																		 element.val.string.len)),
						 false, TEXTOID, CurrentMemoryContext);
	}
	return makeArrayResult(array, CurrentMemoryContext);
}

/* A JSON scalar as the text that a type's input function reads. */
static char *
scalar_text(const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvString:
			return pnstrdup(value->val.string.val, value->val.string.len);
		case jbvNumeric:
			return DatumGetCString(DirectFunctionCall1(numeric_out,
													   NumericGetDatum(value->val.numeric)));
		case jbvBool:
			return pstrdup(value->val.boolean ? "true" : "false");
		default:
			return JsonbToCString(NULL, value->val.binary.data, value->val.binary.len);
	}
}

/* A JSON value as one of an argument's type. */
static Datum
argument_value(JsonbValue *value, Oid type)
{
	Oid			input;
	Oid			io_param;

	if (type == JSONBOID)
		return JsonbPGetDatum(JsonbValueToJsonb(value));
	if (type == TEXTARRAYOID && value->type == jbvBinary)
		return text_array(value);
	getTypeInputInfo(type, &input, &io_param);
	return OidInputFunctionCall(input, scalar_text(value), io_param, -1);
}

/* Add an argument unless it is null, which is to say its default. */
static void
add_argument(Call *call, const char *name, Oid type, Jsonb *arguments)
{
	JsonbValue *value = getKeyJsonValueFromContainer(&arguments->root, name, strlen(name), NULL);

	if (value == NULL || value->type == jbvNull)
		return;
	call->types[call->n] = type;
	call->values[call->n] = argument_value(value, type);
	appendStringInfo(&call->statement, "%s%s => $%d", call->n > 0 ? ", " : "",
					 quote_identifier(name), call->n + 1);
	call->n++;
}

/*
 * Put the statement together: the rows of the function as one JSON array.
 * Parameters have the types of the arguments, and no operator is used, so the
 * caller's search_path gives it no other meaning.
 */
static void
make_call(Call *call, Oid function, Jsonb *arguments)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Oid		   *types;
	char	  **names;
	char	   *modes;
	int			n_args;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", function);
	n_args = get_func_arg_info(tuple, &types, &names, &modes);
	initStringInfo(&call->statement);
	appendStringInfo(&call->statement,
					 "SELECT pg_catalog.jsonb_agg(pg_catalog.to_jsonb(r)) FROM %s(",
					 quote_qualified_identifier(get_namespace_name(get_func_namespace(function)),
												get_func_name(function)));
	call->n = 0;
	for (int i = 0; i < n_args; i++)
	{
		if (modes == NULL || modes[i] == PROARGMODE_IN || modes[i] == PROARGMODE_INOUT)
			add_argument(call, names[i], types[i], arguments);
	}
	appendStringInfoString(&call->statement, ") AS r");
	ReleaseSysCache(tuple);
}

/* Run it; its rows as a JSON array in the given memory context. */
static Datum
run_call(Call *call, MemoryContext context)
{
	bool		is_null;
	Datum		rows;
	int			result;

	result = SPI_execute_with_args(call->statement.data, call->n, call->types, call->values, NULL,
								   false, 0);
	if (result != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "could not execute \"%s\": %s", call->statement.data,
			 SPI_result_code_string(result));
	rows = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null);
	MemoryContextSwitchTo(context);
	return is_null ? JsonbPGetDatum(json_to_jsonb("[]")) : PointerGetDatum(PG_DETOAST_DATUM_COPY(rows));
}

/*
 * churnops.call_as(caller, search_path, pipeline_run, threshold, function,
 * arguments), owner only: call a public function as the caller on behalf of a
 * run.
 */
Datum
churnops_call_as(PG_FUNCTION_ARGS)
{
	MemoryContext context = CurrentMemoryContext;
	Run			outer = current_run;
	Owner		owner;
	Call	   *call = palloc0(sizeof(Call));
	Datum		rows = (Datum) 0;

	SPI_connect();
	make_call(call, find_function(PG_GETARG_TEXT_PP(4)), PG_GETARG_JSONB_P(5));
	caller_become(PG_GETARG_NAME(0), text_to_cstring(PG_GETARG_TEXT_PP(1)), &owner);
	PG_TRY();
	{
		current_run.number = PG_GETARG_INT64(2);
		current_run.threshold = PG_ARGISNULL(3) ? NULL : PG_GETARG_JSONB_P(3);
		rows = run_call(call, context);
	}
	PG_FINALLY();
	{
		current_run = outer;
	}
	PG_END_TRY();
	caller_leave(&owner);
	SPI_finish();
	return rows;
}

/* --------------------------------------------------------- the data stage -- */

/* The member `columns`: names of a query's columns. */
static void
write_columns(TupleDesc columns, StringInfo out)
{
	List	   *names = NIL;

	for (int i = 0; i < columns->natts; i++)
		names = lappend(names, NameStr(TupleDescAttr(columns, i)->attname));
	json_list(out, "columns", names);
}

/*
 * What the rows of a query are, as JSON.  Of a version of a dataset it is
 * known, any other is read, once.
 */
static char *
survey_query(const char *text)
{
	UserQuery  *query = query_prepare_unkept(text);
	const Source *source = query_source(query);
	Survey	   *survey = NULL;
	StringInfoData out;

	if (source == NULL)
	{
		survey = survey_new(query_columns(query), NIL, NULL, false);
		query_run(query, survey_row, survey);
		survey_finish(survey);
	}
	initStringInfo(&out);
	appendStringInfoChar(&out, '{');
	json_text(&out, "query", source == NULL ? text : psprintf("%s%s/%d", SOURCE_PREFIX,
															  source->dataset, source->version));
	json_integer(&out, "n_rows", source == NULL ? (int64) survey_n_rows(survey) : source->n_rows);
	json_text(&out, "digest", source == NULL ? survey_digest(survey) : source->digest);
	write_columns(query_columns(query), &out);
	appendStringInfoChar(&out, '}');
	if (survey != NULL)
		survey_free(survey);
	return out.data;
}

/*
 * churnops.survey_as(caller, search_path, query), owner only: {query, n_rows,
 * digest, columns} of a query that is run as the caller.
 */
Datum
churnops_survey_as(PG_FUNCTION_ARGS)
{
	MemoryContext context = CurrentMemoryContext;
	char	   *query = text_to_cstring(PG_GETARG_TEXT_PP(2));
	Owner		owner;
	char	   *found;

	SPI_connect();
	MemoryContextSwitchTo(context);
	caller_become(PG_GETARG_NAME(0), text_to_cstring(PG_GETARG_TEXT_PP(1)), &owner);
	found = survey_query(query);
	caller_leave(&owner);
	SPI_finish();
	PG_RETURN_JSONB_P(json_to_jsonb(found));
}

/* --------------------------------------------------------- the check stage -- */

/*
 * churnops.check_folder_as(caller, folder, name), owner only: raises what
 * writing to the folder would, as far as it can be seen, and if a name is given
 * what making one of this name in there would.
 */
Datum
churnops_check_folder_as(PG_FUNCTION_ARGS)
{
	char	   *folder = text_to_cstring(PG_GETARG_TEXT_PP(1));
	Location   *location;
	Owner		owner;

	caller_become(PG_GETARG_NAME(0), GetConfigOption("search_path", false, false), &owner);
	location = location_resolve(folder, LOCATION_WRITE);
	if (!PG_ARGISNULL(2))
		location_refuse_existing(location_inside(location,
												 text_to_cstring(PG_GETARG_TEXT_PP(2))));
	caller_leave(&owner);
	PG_RETURN_VOID();
}

/* --------------------------------------------------------- the procedure -- */

/* Arguments of churnops_run_pipeline: what is run, and its results. */
enum
{
	N_GIVEN = 4,
	N_RESULTS = 4
};

/* 25001 where a procedure cannot commit. */
static void
refuse_transaction_block(FunctionCallInfo fcinfo)
{
	if (fcinfo->context == NULL || !IsA(fcinfo->context, CallContext) ||
		castNode(CallContext, fcinfo->context)->atomic)
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("churnops_run_pipeline() cannot run inside a transaction block or a function"),
				 errdetail("It commits, so that a run that fails is kept."),
				 errhint("Call it as a statement of its own, or SELECT churnops_run(...) instead.")));
}

/* SELECT churnops_run(...): its row, in a memory context that outlives the transaction. */
static void
run_and_keep(FunctionCallInfo fcinfo, const char *schema, MemoryContext context, Datum *values,
			 bool *nulls)
{
	char	   *statement = psprintf("SELECT r.pipeline_run, r.status, r.ref, r.message "
									 "FROM %s.churnops_run($1, $2, $3, $4) AS r", schema);
	Oid			types[N_GIVEN];
	Datum		given[N_GIVEN];
	char		given_nulls[N_GIVEN + 1] = "";

	for (int i = 0; i < N_GIVEN; i++)
	{
		types[i] = TEXTOID;
		given[i] = PG_GETARG_DATUM(i);
		given_nulls[i] = PG_ARGISNULL(i) ? 'n' : ' ';
	}
	if (SPI_execute_with_args(statement, N_GIVEN, types, given, given_nulls, false, 0) !=
		SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "could not execute \"%s\"", statement);
	for (int i = 0; i < N_RESULTS; i++)
	{
		MemoryContext old = MemoryContextSwitchTo(context);

		values[i] = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, i + 1, &nulls[i]);
		if (!nulls[i] && i > 0)
			values[i] = PointerGetDatum(PG_DETOAST_DATUM_COPY(values[i]));
		MemoryContextSwitchTo(old);
	}
	SPI_freetuptable(SPI_tuptable);
}

/*
 * The procedure: churnops_run, commit, and then an error unless it succeeded.
 * It begins with a commit too: the run has a transaction of its own.
 */
Datum
churnops_run_pipeline(PG_FUNCTION_ARGS)
{
	MemoryContext context = CurrentMemoryContext;
	const char *schema;
	TupleDesc	columns;
	Datum		values[N_RESULTS];
	bool		nulls[N_RESULTS];
	Oid			types[] = {INT8OID};
	char	   *statement;

	refuse_transaction_block(fcinfo);
	if (get_call_result_type(fcinfo, NULL, &columns) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "churnops_run_pipeline() is declared with other results");
	schema = quote_identifier(get_namespace_name(get_func_namespace(fcinfo->flinfo->fn_oid)));
	statement = psprintf("SELECT %s.churnops_require_success($1)", schema);

	SPI_connect_ext(SPI_OPT_NONATOMIC);
	SPI_commit();
	run_and_keep(fcinfo, schema, context, values, nulls);
	SPI_commit();
	if (SPI_execute_with_args(statement, 1, types, values, NULL, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not execute \"%s\"", statement);
	SPI_finish();
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(columns), values, nulls));
}
