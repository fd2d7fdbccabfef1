/*
 * validate.c
 *	  churnops_validate: are the rows of a query as expected?
 *
 * The query runs once, as the caller.  The columns that expectations look at
 * go into a tuple store, which goes to disk when it outgrows work_mem, and
 * statements that churnops.plan_validation() has made read the store as if it
 * were a table, as the extension's owner.  They hold no text of the user's
 * but as quoted literals, and the store no value of a type that is not the
 * server's own: such values were made texts while the query ran.  So nobody's
 * functions run with the owner's rights.
 */
#include "postgres.h"

#include <math.h>

#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/queryenvironment.h"
#include "utils/tuplestore.h"
#include "utils/varlena.h"

#include "pg/catalog.h"
#include "pg/compat.h"
#include "pg/json.h"
#include "pg/query.h"
#include "pg/report.h"
#include "pg/source.h"
#include "pg/survey.h"

PG_FUNCTION_INFO_V1(churnops_validate);
PG_FUNCTION_INFO_V1(churnops_nearest);
PG_FUNCTION_INFO_V1(churnops_is_json);
PG_FUNCTION_INFO_V1(churnops_first_values_add);
PG_FUNCTION_INFO_V1(churnops_first_values_finish);

#define STORE_NAME "churnops_rows"
#define FIRST_VALUES 20

/* Types that are stored as they are, with the names that plans know them by. */
static const struct
{
	Oid			type;
	const char *name;
} stored_types[] = {
	{BOOLOID, "boolean"},
	{INT2OID, "smallint"},
	{INT4OID, "integer"},
	{INT8OID, "bigint"},
	{FLOAT4OID, "real"},
	{FLOAT8OID, "double precision"},
	{NUMERICOID, "numeric"},
	{TEXTOID, "text"},
	{VARCHAROID, "character varying"},
	{BPCHAROID, "character"},
	{DATEOID, "date"},
	{TIMEOID, "time without time zone"},
	{TIMESTAMPOID, "timestamp without time zone"},
	{TIMESTAMPTZOID, "timestamp with time zone"},
	{INTERVALOID, "interval"},
	{JSONOID, "json"},
	{JSONBOID, "jsonb"},
};

/* A column of the query that is stored. */
typedef struct StoreColumn
{
	int			source;			/* its place in the query, from 0 */
	Oid			type;			/* domains resolved */
	bool		as_text;		/* by its output function */
	bool		varlena;
	FmgrInfo	output;
} StoreColumn;

/* The rows on their way into the store. */
typedef struct Store
{
	StoreColumn *columns;
	int			n_columns;
	TupleDesc	row_type;		/* place, then the columns */
	Tuplestorestate *rows;
	Datum	   *values;
	bool	   *nulls;
	int64		n_rows;
	Survey	   *survey;			/* of a dataset without a copy, for its digest; else NULL */
} Store;

/* A validation, and what came of it. */
typedef struct Validation
{
	const char *query;
	Jsonb	   *expectations;
	UserQuery  *prepared;
	Jsonb	   *plan;
	Store		store;
	StringInfoData found;		/* JSON: what was found, by an expectation's place */
} Validation;

/* The plan's name of a type; NULL if its values are stored as texts. */
static const char *
stored_name(Oid type)
{
	for (size_t i = 0; i < lengthof(stored_types); i++)
	{
		if (stored_types[i].type == type)
			return stored_types[i].name;
	}
	return NULL;
}

/* ------------------------------------------------------------------ plan -- */

/* The columns of the query for the plan: [{name, type, base}]. */
static Datum
describe_columns(TupleDesc columns)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoChar(&out, '[');
	for (int i = 0; i < columns->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(columns, i);
		const char *plain = stored_name(column->atttypid);
		const char *base = stored_name(getBaseType(column->atttypid));

		json_separate(&out);
		appendStringInfoChar(&out, '{');
		json_text(&out, "name", NameStr(column->attname));
		json_text(&out, "type", plain != NULL ? plain
				  : format_type_extended(column->atttypid, -1, FORMAT_TYPE_FORCE_QUALIFY));
		json_text(&out, "base", base != NULL ? base
				  : format_type_extended(column->atttypid, -1, FORMAT_TYPE_FORCE_QUALIFY));
		appendStringInfoChar(&out, '}');
	}
	appendStringInfoChar(&out, ']');
	return JsonbPGetDatum(json_to_jsonb(out.data));
}

/* The caller's name as a datum. */
static Datum
role_name(Oid role)
{
	NameData   *name = palloc(sizeof(NameData));

	namestrcpy(name, GetUserNameFromId(role, false));
	return NameGetDatum(name);
}

/* A value of the only row of a result. */
static Datum
result_value(int column)
{
	bool		is_null;
	Datum		value;

	if (SPI_processed != 1)
		elog(ERROR, "a function of the catalogue returned no row");
	value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column, &is_null);
	if (is_null)
		elog(ERROR, "a function of the catalogue returned NULL");
	return value;
}

/* The expectations that are stored with the dataset. */
static void
find_expectations(Validation *v)
{
	const Source *source = query_source(v->prepared);
	Oid			types[] = {NAMEOID, TEXTOID};
	Datum		values[2];

	if (v->expectations != NULL)
		return;
	if (source == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"expectations\" must not be null, unless the query names a "
						"dataset"),
				 errhint("Give an array of expectations, or validate '%scustomers'.",
						 SOURCE_PREFIX)));
	values[0] = role_name(GetUserId());
	values[1] = CStringGetTextDatum(source->dataset);
	(void) catalog_read("SELECT churnops.stored_expectations($1, $2)", 2, types, values, NULL);
	v->expectations = DatumGetJsonbP(result_value(1));
}

/* What the plan asks for. */
typedef struct ValidationPlan
{
	Datum	   *columns;		/* places in the query, from 1 */
	int			n_columns;
	Datum	   *statements;
	int			n_statements;
	Datum	   *places;			/* of expectations that ask for rows of another query */
	Datum	   *others;			/* these queries */
	int			n_others;
} ValidationPlan;

static void
make_plan(Validation *v, ValidationPlan *plan)
{
	Oid			types[] = {JSONBOID, JSONBOID};
	Datum		values[2];

	values[0] = describe_columns(query_columns(v->prepared));
	values[1] = JsonbPGetDatum(v->expectations);
	(void) catalog_read(
		"SELECT p.plan, "
		"ARRAY(SELECT c::integer FROM jsonb_array_elements_text(p.plan->'columns') AS c), "
		"ARRAY(SELECT jsonb_array_elements_text(p.plan->'statements')), "
		"ARRAY(SELECT o.key FROM jsonb_each_text(p.plan->'others') AS o ORDER BY o.key), "
		"ARRAY(SELECT o.value FROM jsonb_each_text(p.plan->'others') AS o ORDER BY o.key) "
		"FROM (SELECT churnops.plan_validation($1, churnops.check_expectations($2)) AS plan "
		"OFFSET 0) AS p", 2, types, values, NULL);
	v->plan = DatumGetJsonbP(result_value(1));
	deconstruct_array(DatumGetArrayTypeP(result_value(2)), INT4OID, sizeof(int32), true,
					  TYPALIGN_INT, &plan->columns, NULL, &plan->n_columns);
	deconstruct_array(DatumGetArrayTypeP(result_value(3)), TEXTOID, -1, false, TYPALIGN_INT,
					  &plan->statements, NULL, &plan->n_statements);
	deconstruct_array(DatumGetArrayTypeP(result_value(4)), TEXTOID, -1, false, TYPALIGN_INT,
					  &plan->places, NULL, &plan->n_others);
	deconstruct_array(DatumGetArrayTypeP(result_value(5)), TEXTOID, -1, false, TYPALIGN_INT,
					  &plan->others, NULL, &plan->n_others);
}

/* ------------------------------------------------------------- the store -- */

/* How a column of the query is stored. */
static void
store_column(Store *store, int i, Form_pg_attribute from)
{
	StoreColumn *column = &store->columns[i];
	AttrNumber	number = (AttrNumber) (i + 2);
	Oid			output;

	column->type = getBaseType(from->atttypid);
	column->as_text = stored_name(column->type) == NULL;
	if (column->as_text)
	{
		getTypeOutputInfo(from->atttypid, &output, &column->varlena);
		fmgr_info(output, &column->output);
	}
	column->varlena = get_typlen(column->type) == -1;
	TupleDescInitEntry(store->row_type, number, psprintf("c%d", column->source + 1),
					   column->as_text ? TEXTOID : column->type, -1, 0);
}

static void
store_begin(Store *store, TupleDesc query, const ValidationPlan *plan)
{
	store->n_columns = plan->n_columns;
	store->columns = palloc0(Max(plan->n_columns, 1) * sizeof(StoreColumn));
	store->row_type = CreateTemplateTupleDesc(plan->n_columns + 1);
	TupleDescInitEntry(store->row_type, 1, "place", INT8OID, -1, 0);
	for (int i = 0; i < plan->n_columns; i++)
	{
		store->columns[i].source = DatumGetInt32(plan->columns[i]) - 1;
		store_column(store, i, TupleDescAttr(query, store->columns[i].source));
	}
	store->values = palloc((plan->n_columns + 1) * sizeof(Datum));
	store->nulls = palloc0((plan->n_columns + 1) * sizeof(bool));
	store->rows = tuplestore_begin_heap(false, false, work_mem);
}

/* Is a number none?  NaN counts as missing, as it does in trainings. */
static bool
is_nan(Oid type, Datum value)
{
	switch (type)
	{
		case FLOAT4OID:
			return isnan(DatumGetFloat4(value));
		case FLOAT8OID:
			return isnan(DatumGetFloat8(value));
		case NUMERICOID:
			return numeric_is_nan(DatumGetNumeric(value));
		default:
			return false;
	}
}

/* QueryRow */
static void
store_row(void *ctx, TupleTableSlot *slot)
{
	Store	   *store = ctx;

	store->values[0] = Int64GetDatum(++store->n_rows);
	for (int i = 0; i < store->n_columns; i++)
	{
		StoreColumn *column = &store->columns[i];
		Datum		value = slot->tts_values[column->source];
		bool		is_null = slot->tts_isnull[column->source];

		if (!is_null && column->as_text)
			value = CStringGetTextDatum(OutputFunctionCall(&column->output, value));
		else if (!is_null && column->varlena)
			value = PointerGetDatum(PG_DETOAST_DATUM(value));
		store->values[i + 1] = value;
		store->nulls[i + 1] = is_null || (!column->as_text && is_nan(column->type, value));
	}
	tuplestore_putvalues(store->rows, store->row_type, store->values, store->nulls);
	if (store->survey != NULL)
		survey_row(store->survey, slot);
}

/* Let statements read the store. */
static void
publish_store(const Store *store)
{
	EphemeralNamedRelation relation = palloc0(sizeof(EphemeralNamedRelationData));

	relation->md.name = pstrdup(STORE_NAME);
	relation->md.tupdesc = store->row_type;
	relation->md.enrtype = ENR_NAMED_TUPLESTORE;
	relation->md.enrtuples = (double) store->n_rows;
	relation->reldata = store->rows;
	if (SPI_register_relation(relation) != SPI_OK_REL_REGISTER)
		elog(ERROR, "could not read the tuple store of rows to validate");
}

/* -------------------------------------------------------------- findings -- */

/* QueryRow: it is only counted. */
static void
pass_row(void *ctx, TupleTableSlot *slot)
{
}

/* Count the rows of the other queries. */
static void
count_others(Validation *v, const ValidationPlan *plan)
{
	json_key(&v->found, "others");
	appendStringInfoChar(&v->found, '{');
	for (int i = 0; i < plan->n_others; i++)
		json_integer(&v->found, TextDatumGetCString(plan->places[i]),
					 (int64) query_run(query_prepare(TextDatumGetCString(plan->others[i])),
									   pass_row, NULL));
	appendStringInfoChar(&v->found, '}');
}

/* Run the query into the store. */
static void
fill_store(Validation *v)
{
	const Source *source = query_source(v->prepared);

	if (source != NULL && !source->kept)
		v->store.survey = survey_new(query_columns(v->prepared), NIL, NULL, false);
	query_run(v->prepared, store_row, &v->store);
	if (v->store.survey == NULL)
		return;
	query_refuse_other_rows(v->prepared, survey_digest(v->store.survey));
	survey_free(v->store.survey);
}

/* Run a statement of the plan, whose results are places and findings in turns. */
static void
run_statement(Validation *v, const char *statement)
{
	(void) catalog_read(statement, 0, NULL, NULL, NULL);
	if (SPI_processed != 1)
		elog(ERROR, "a statement of a validation returned no row");
	for (int i = 1; i < SPI_tuptable->tupdesc->natts; i += 2)
		json_value(&v->found, SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, i),
				   SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, i + 1));
	SPI_freetuptable(SPI_tuptable);
	CHECK_FOR_INTERRUPTS();
}

/* Keep what was found in a version of a dataset. */
static void
keep(const Validation *v, Datum found)
{
	const Source *source = query_source(v->prepared);
	Oid			types[] = {NAMEOID, NAMEOID, TEXTOID, INT4OID, TEXTOID, INT8OID, JSONBOID, JSONBOID};
	Datum		values[lengthof(types)];

	if (source == NULL)
		return;
	if (RecoveryInProgress() || XactReadOnly)
	{
		ereport(NOTICE,
				(errmsg("the validation is not kept: nothing can be written here")));
		return;
	}
	values[0] = role_name(GetUserId());
	values[1] = role_name(GetSessionUserId());
	values[2] = CStringGetTextDatum(source->dataset);
	values[3] = Int32GetDatum(source->version);
	values[4] = CStringGetTextDatum(source->digest);
	values[5] = Int64GetDatum(v->store.n_rows);
	values[6] = JsonbPGetDatum(v->plan);
	values[7] = found;
	(void) catalog_execute("SELECT churnops.keep_validation($1, $2, $3, $4, $5, $6, $7, $8)",
						   lengthof(types), types, values, NULL);
}

/* Return the rows. */
static void
return_rows(ReturnSetInfo *result, const Validation *v, Datum found)
{
	Oid			types[] = {JSONBOID, JSONBOID};
	Datum		values[] = {JsonbPGetDatum(v->plan), found};

	(void) catalog_read("SELECT * FROM churnops.validation_rows($1, $2)", 2, types, values, NULL);
	for (uint64 i = 0; i < SPI_processed; i++)
		tuplestore_puttuple(result->setResult, SPI_tuptable->vals[i]);
}

Datum
churnops_validate(PG_FUNCTION_ARGS)
{
	Validation	v = {0};
	ValidationPlan plan;
	Datum		found;

	if (PG_ARGISNULL(0))
		report_null_argument("query");
	if (IsInParallelMode())
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_STATE),
				 errmsg("churnops_validate() cannot run during a parallel operation")));
	v.query = text_to_cstring(PG_GETARG_TEXT_PP(0));
	v.expectations = PG_ARGISNULL(1) ? NULL : PG_GETARG_JSONB_P(1);
	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	v.prepared = query_prepare_unkept(v.query);
	find_expectations(&v);
	make_plan(&v, &plan);
	initStringInfo(&v.found);
	appendStringInfoChar(&v.found, '{');
	count_others(&v, &plan);
	store_begin(&v.store, query_columns(v.prepared), &plan);
	fill_store(&v);
	publish_store(&v.store);
	for (int i = 0; i < plan.n_statements; i++)
		run_statement(&v, TextDatumGetCString(plan.statements[i]));
	(void) SPI_unregister_relation(STORE_NAME);
	tuplestore_end(v.store.rows);
	appendStringInfoChar(&v.found, '}');
	found = JsonbPGetDatum(json_to_jsonb(v.found.data));
	keep(&v, found);
	return_rows((ReturnSetInfo *) fcinfo->resultinfo, &v, found);
	SPI_finish();
	fcinfo->isnull = true;
	return (Datum) 0;
}

/* -------------------------------------------- what statements and checks need -- */

/* churnops.first_values(jsonb): the first values are kept, the others passed over. */
Datum
churnops_first_values_add(PG_FUNCTION_ARGS)
{
	MemoryContext context;
	ArrayBuildState *state = PG_ARGISNULL(0) ? NULL : (ArrayBuildState *) PG_GETARG_POINTER(0);

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "churnops.first_values_add() is called by an aggregate only");
	if (state == NULL || state->nelems < FIRST_VALUES)
		state = accumArrayResult(state, PG_ARGISNULL(1) ? (Datum) 0 : PG_GETARG_DATUM(1),
								 PG_ARGISNULL(1), JSONBOID, context);
	PG_RETURN_POINTER(state);
}

Datum
churnops_first_values_finish(PG_FUNCTION_ARGS)
{
	ArrayBuildState *state = PG_ARGISNULL(0) ? NULL : (ArrayBuildState *) PG_GETARG_POINTER(0);
	StringInfoData out;

	if (state == NULL)
		PG_RETURN_NULL();
	initStringInfo(&out);
	appendStringInfoChar(&out, '[');
	for (int i = 0; i < state->nelems; i++)
	{
		Jsonb	   *value = state->dnulls[i] ? NULL : DatumGetJsonbP(state->dvalues[i]);

		if (i > 0)
			appendStringInfoString(&out, ", ");
		if (value == NULL)
			appendStringInfoString(&out, "null");
		else
			(void) JsonbToCString(&out, &value->root, VARSIZE(value));
	}
	appendStringInfoChar(&out, ']');
	PG_RETURN_JSONB_P(json_to_jsonb(out.data));
}

/* churnops.is_json(text) */
Datum
churnops_is_json(PG_FUNCTION_ARGS)
{
	text	   *value = PG_GETARG_TEXT_PP(0);

	PG_RETURN_BOOL(compat_is_json(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)));
}

/* churnops.nearest(wanted, names): at most half of the letters differ. */
Datum
churnops_nearest(PG_FUNCTION_ARGS)
{
	char	   *wanted = text_to_cstring(PG_GETARG_TEXT_PP(0));
	int			n_wanted = (int) strlen(wanted);
	int			distance = n_wanted / 2 + 1;
	char	   *nearest = NULL;
	Datum	   *names;
	bool	   *nulls;
	int			n;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), TEXTOID, -1, false, TYPALIGN_INT, &names, &nulls,
					  &n);
	for (int i = 0; i < n && n_wanted <= 255; i++)
	{
		char	   *name = nulls[i] ? NULL : TextDatumGetCString(names[i]);
		int			edits;

		if (name == NULL || strlen(name) > 255)
			continue;
		edits = varstr_levenshtein_less_equal(wanted, n_wanted, name, (int) strlen(name), 1, 1, 1,
											  distance, true);
		if (edits >= distance)
			continue;
		nearest = name;
		distance = edits;
	}
	if (nearest == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(nearest));
}
