/*
 * reproduce.c
 *	  churnops_reproduce: train a version again and compare.
 *
 * Options and parameters of the version are run through the same pipeline as a
 * training, and nothing is stored.  The rows are those of the kept copy of its
 * dataset, if there is one that the caller may read; else the stored query is
 * run as the caller and under the recorded search_path.  The query is
 * somebody's code: it is only run for the role that trained the version, since
 * with another's rights it could do more than it was ever allowed to.
 *
 * What differs from then is no error but the answer: every ingredient is
 * compared, and where the rows changed and the dataset is a registered one,
 * the query is read once more to say how.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"

#include "pg/arguments.h"
#include "pg/catalog.h"
#include "pg/compat.h"
#include "pg/exchange.h"
#include "pg/json.h"
#include "pg/keys.h"
#include "pg/query.h"
#include "pg/reference.h"
#include "pg/registration.h"
#include "pg/report.h"
#include "pg/source.h"
#include "pg/survey.h"
#include "pg/train.h"

#define LISTED_BYTES 200		/* of columns in a message, before it is cut */

PG_FUNCTION_INFO_V1(churnops_reproduce);

/* What the catalogue knows about the training of a version. */
typedef struct Record
{
	TrainRequest request;
	char	   *search_path;
	List	   *columns;		/* of the query, their names */
	char	   *dataset_digest;
	char	   *artifact_digest;
	int32		algorithm_version;
	int32		format_version;
	char	   *created_by;
	char	   *ingredients;	/* JSON: all that went into it */
	int64		n_rows;			/* of the query */
	char	   *source;			/* its registered dataset, if the caller may use it; or NULL */
	bool		kept;			/* of that */
} Record;

/* The stored query as it is now. */
typedef struct QueryNow
{
	List	   *columns;		/* their names; NIL: not looked at */
	char	   *relations;		/* JSON; NULL: not looked at */
	bool		gone;			/* a relation is: the query cannot be run */
} QueryNow;

/* Columns of the statement below. */
enum
{
	FIELD_QUERY = 1,
	FIELD_TARGET,
	FIELD_PARAMS,
	FIELD_OPTIONS,
	FIELD_SEARCH_PATH,
	FIELD_COLUMNS,
	FIELD_DATASET_DIGEST,
	FIELD_ARTIFACT_DIGEST,
	FIELD_ALGORITHM_VERSION,
	FIELD_FORMAT_VERSION,
	FIELD_CREATED_BY,
	FIELD_INGREDIENTS,
	FIELD_N_ROWS,
	FIELD_SOURCE,
	FIELD_KEPT,
};

static const char statement[] =
	"SELECT d.query, m.target, v.params, r.options, d.search_path, c.names, d.digest, "
	"v.artifact_digest, v.algorithm_version, v.format_version, v.created_by, "
	"jsonb_build_object('relations', d.relations, 'columns', to_jsonb(c.names), "
	"'data', d.digest, 'params', v.params, 'algorithm_version', v.algorithm_version, "
	"'format_version', v.format_version, 'environment', r.environment), d.n_rows, n.ref, "
	"coalesce(n.kept, false) "
	"FROM churnops.version AS v "
	"JOIN churnops.model AS m ON m.name = v.model "
	"JOIN churnops.run AS r ON r.run = v.run "
	"JOIN churnops.dataset AS d ON d.dataset = v.dataset "
	"LEFT JOIN LATERAL (SELECT format('datasets:/%s/%s', x.name, d.named_version) AS ref, "
	"churnops.is_kept(x.name, d.named_version) AS kept FROM churnops.named_dataset AS x "
	"WHERE x.name = d.named_dataset AND churnops.may_use($3, x.owner)) AS n ON true, "
	"LATERAL (SELECT array_agg(e.field->>'name' ORDER BY e.place) AS names "
	"FROM jsonb_array_elements(d.columns) WITH ORDINALITY AS e(field, place)) AS c "
	"WHERE v.model = $1 AND v.version = $2";

/* A field of the row found, as a text in a memory context. */
static char *
field_text(MemoryContext context, int field)
{
	char	   *value = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, field);

	return value == NULL ? NULL : MemoryContextStrdup(context, value);
}

/* A field of the row found that is an integer. */
static int32
field_integer(int field)
{
	bool		is_null;

	return DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, field,
									   &is_null));
}

/* A field of the row found that is a jsonb, copied into a memory context. */
static Jsonb *
field_jsonb(MemoryContext context, int field)
{
	bool		is_null;
	Datum		value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, field,
									  &is_null);
	MemoryContext old = MemoryContextSwitchTo(context);
	Jsonb	   *copy = DatumGetJsonbPCopy(value);

	MemoryContextSwitchTo(old);
	return copy;
}

/* A field of the row found that is an array of texts, in a memory context. */
static List *
field_list(MemoryContext context, int field)
{
	bool		is_null;
	Datum		value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, field,
									  &is_null);
	MemoryContext old = MemoryContextSwitchTo(context);
	Datum	   *elements;
	int			n;
	List	   *texts = NIL;

	deconstruct_array(DatumGetArrayTypeP(value), TEXTOID, -1, false, TYPALIGN_INT, &elements,
					  NULL, &n);
	for (int i = 0; i < n; i++)
		texts = lappend(texts, TextDatumGetCString(elements[i]));
	MemoryContextSwitchTo(old);
	return texts;
}

/* Read the record of a version, into the current memory context. */
static void
read_record(const Resolved *version, Record *out)
{
	MemoryContext context = CurrentMemoryContext;
	Oid			types[] = {TEXTOID, INT4OID, NAMEOID};
	NameData	caller;
	Datum		values[3];
	bool		is_null;
	TrainRequest *request = &out->request;

	namestrcpy(&caller, GetUserNameFromId(GetUserId(), false));
	values[0] = CStringGetTextDatum(version->model);
	values[1] = Int32GetDatum(version->version);
	values[2] = NameGetDatum(&caller);
	memset(out, 0, sizeof(*out));
	SPI_connect();
	if (catalog_execute(statement, lengthof(types), types, values, NULL) != SPI_OK_SELECT ||
		SPI_processed != 1)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("version %d of model \"%s\" does not exist", version->version,
						version->model)));
	request->model = MemoryContextStrdup(context, version->model);
	request->query = field_text(context, FIELD_QUERY);
	request->target = field_text(context, FIELD_TARGET);
	request->params = field_jsonb(context, FIELD_PARAMS);
	request->quiet = true;
	out->search_path = field_text(context, FIELD_SEARCH_PATH);
	out->columns = field_list(context, FIELD_COLUMNS);
	out->dataset_digest = field_text(context, FIELD_DATASET_DIGEST);
	out->artifact_digest = field_text(context, FIELD_ARTIFACT_DIGEST);
	out->algorithm_version = field_integer(FIELD_ALGORITHM_VERSION);
	out->format_version = field_integer(FIELD_FORMAT_VERSION);
	out->created_by = field_text(context, FIELD_CREATED_BY);
	out->ingredients = field_text(context, FIELD_INGREDIENTS);
	out->n_rows = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc,
											  FIELD_N_ROWS, &is_null));
	out->source = field_text(context, FIELD_SOURCE);
	out->kept = DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc,
										   FIELD_KEPT, &is_null));
	{
		Jsonb	   *options = field_jsonb(context, FIELD_OPTIONS);
		MemoryContext old = MemoryContextSwitchTo(context);

		arguments_of_options(options, request);
		MemoryContextSwitchTo(old);
	}
	SPI_finish();
}

/*
 * Refuse to run the query of a version that another role trained: functions in
 * it would act with the caller's rights.
 */
static void
check_trainer(const Resolved *version, const Record *record)
{
	const char *caller = GetUserNameFromId(GetUserId(), false);

	if (strcmp(caller, record->created_by) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("version %d of model \"%s\" was trained by role \"%s\"",
						version->version, version->model, record->created_by),
				 errdetail("Its query would run with the rights of role \"%s\".", caller),
				 errhint("Reproduce it as the role that trained it, with SET ROLE %s;, or from the "
						 "kept copy of a registered dataset.",
						 quote_identifier(record->created_by))));
}

/* What the stored query reads and returns now. */
static QueryNow
query_now(const char *text)
{
	MemoryContext context = CurrentMemoryContext;
	QueryNow	now = {NIL, NULL, false};
	UserQuery  *query;
	TupleDesc	columns;

	SPI_connect();
	query = query_prepare(text);
	columns = query_columns(query);
	MemoryContextSwitchTo(context);
	for (int i = 0; i < columns->natts; i++)
		now.columns = lappend(now.columns, pstrdup(NameStr(TupleDescAttr(columns, i)->attname)));
	now.relations = registration_relations(query_relations(query));
	SPI_finish();
	return now;
}

/* Is a text in a list? */
static bool
list_has(List *texts, const char *text)
{
	ListCell   *cell;

	foreach(cell, texts)
	{
		if (strcmp(lfirst(cell), text) == 0)
			return true;
	}
	return false;
}

/* The texts that are in one list and not in the other, for a message. */
static char *
list_missing(List *texts, List *others)
{
	StringInfoData out;
	ListCell   *cell;

	initStringInfo(&out);
	foreach(cell, texts)
	{
		if (list_has(others, lfirst(cell)))
			continue;
		if (out.len > LISTED_BYTES)
		{
			appendStringInfoString(&out, ", ...");
			break;
		}
		appendStringInfo(&out, "%s\"%s\"", out.len > 0 ? ", " : "", (char *) lfirst(cell));
	}
	return out.len > 0 ? out.data : "none";
}

/* A sentence on how the columns differ; NULL if they do not. */
static char *
compare_columns(List *before, List *now)
{
	ListCell   *a;
	ListCell   *b;
	bool		same = list_length(before) == list_length(now);

	forboth(a, before, b, now)
		same = same && strcmp(lfirst(a), lfirst(b)) == 0;
	if (same)
		return NULL;
	return psprintf("The columns of the query, or their order, changed. Gone: %s; new: %s.",
					list_missing(before, now), list_missing(now, before));
}

/* What came of it, as a sentence. */
static char *
compare(const Record *record, const Training *t)
{
	bool		same_rows = strcmp(record->dataset_digest, t->dataset_digest) == 0;
	bool		same_model = strcmp(record->artifact_digest, t->artifact_digest) == 0;

	if (!same_rows)
		return psprintf("The data changed: the dataset digest was %s and is %s now. The model "
						"trained on it is %s.", record->dataset_digest, t->dataset_digest,
						same_model ? "the same nevertheless" : "another one");
	if (same_model)
		return "The same rows give the same model, byte for byte.";
	if (record->algorithm_version != FOREST_ALGORITHM_VERSION)
		return psprintf("The rows are the same; the model was grown by version %d of the "
						"algorithm, this library has version %d.", record->algorithm_version,
						FOREST_ALGORITHM_VERSION);
	if (record->format_version != FOREST_FORMAT_VERSION)
		return psprintf("The rows are the same; the artifact was written in format %d, this "
						"library writes format %d.", record->format_version,
						FOREST_FORMAT_VERSION);
	return "The rows, the parameters and the versions of algorithm and format are the same, the "
		"model is not. Please report this as a bug.";
}

/* All that a training would have gone into now; what was not looked at is left out. */
static char *
ingredients_now(const QueryNow *now, const Training *t)
{
	StringInfoData out;
	char	   *params;
	size_t		n_bytes;
	Failure		why;

	initStringInfo(&out);
	appendStringInfoChar(&out, '{');
	if (now->relations != NULL)
	{
		json_value(&out, "relations", now->relations);
		if (now->columns != NIL)
			json_list(&out, "columns", now->columns);
	}
	if (t != NULL)
	{
		json_text(&out, "data", t->dataset_digest);
		report_status(forest_params_json(&t->host.host, t->params, &params, &n_bytes, &why), &why);
		json_value(&out, "params", json_from_utf8(params));
	}
	json_integer(&out, "algorithm_version", FOREST_ALGORITHM_VERSION);
	json_integer(&out, "format_version", FOREST_FORMAT_VERSION);
	registration_environment(&out);
	appendStringInfoChar(&out, '}');
	return out.data;
}

/* One JSON value of a statement of ours, run as the extension's owner; in the current context. */
static Jsonb *
ask_catalog(const char *query, int n_args, Oid *types, Datum *values, const char *nulls)
{
	MemoryContext context = CurrentMemoryContext;
	Jsonb	   *result;
	bool		is_null;

	SPI_connect();
	if (catalog_execute(query, n_args, types, values, nulls) != SPI_OK_SELECT ||
		SPI_processed != 1)
		elog(ERROR, "could not compare what a version was trained from");
	MemoryContextSwitchTo(context);
	result = DatumGetJsonbPCopy(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1,
											  &is_null));
	SPI_finish();
	return result;
}

/* A sentence on the relations that the query read and that are gone; NULL if none is. */
static char *
find_gone(const Record *record, QueryNow *now)
{
	Oid			types[] = {JSONBOID};
	Datum		values[] = {JsonbPGetDatum(json_to_jsonb(record->ingredients))};
	Jsonb	   *found = ask_catalog("SELECT churnops.find_relations($1)", 1, types, values, NULL);
	JsonbValue	gone;
	JsonbValue	left;

	if (getKeyJsonValueFromContainer(&found->root, "gone", 4, &gone) == NULL ||
		gone.type != jbvString ||
		getKeyJsonValueFromContainer(&found->root, "left", 4, &left) == NULL)
		return NULL;
	now->gone = true;
	now->relations = JsonbToCString(NULL, left.val.binary.data, left.val.binary.len);
	return psprintf("The query reads what is gone: %s.",
					pnstrdup(gone.val.string.val, gone.val.string.len));
}

/* The ingredients that are not as they were. */
static Jsonb *
find_changes(const Record *record, const QueryNow *now, const Training *t)
{
	Oid			types[] = {JSONBOID, JSONBOID};
	Datum		values[2];

	values[0] = JsonbPGetDatum(json_to_jsonb(record->ingredients));
	values[1] = JsonbPGetDatum(json_to_jsonb(ingredients_now(now, t)));
	return ask_catalog("SELECT churnops.compare_ingredients($1, $2)", 2, types, values, NULL);
}

/* The names of a version's key, if the query still has them all; else NIL. */
static List *
key_now(const Source *source, List *columns)
{
	List	   *key = NIL;

	for (int i = 0; i < source->n_columns; i++)
	{
		if (!source->columns[i].is_key)
			continue;
		if (!list_has(columns, source->columns[i].name))
			return NIL;
		key = lappend(key, source->columns[i].name);
	}
	return key;
}

/* The members with the counts of rows by key. */
static void
write_key_counts(const Source *source, Survey *survey, StringInfo out)
{
	DatasetKeys before;
	DatasetKeys after;
	DatasetCounts counts;
	PgHost		host;
	Failure		why;

	pg_host_init(&host, CurrentMemoryContext, 0);
	keys_stored(source->dataset, source->version, &before);
	survey_keys(survey, &after);
	report_status(dataset_compare(&host.host, &before, &after, NULL, NULL, &counts, &why), &why);
	json_integer(out, "added", (int64) counts.changes[DATASET_ADDED]);
	json_integer(out, "removed", (int64) counts.changes[DATASET_REMOVED]);
	json_integer(out, "changed", (int64) counts.changes[DATASET_CHANGED]);
	json_integer(out, "unchanged", (int64) counts.unchanged);
}

/* Read the stored query once more to say how its rows differ from those of its dataset. */
static Jsonb *
find_difference(const Record *record, const QueryNow *now)
{
	MemoryContext context = CurrentMemoryContext;
	Oid			types[] = {NAMEOID, TEXTOID, JSONBOID, JSONBOID, JSONBOID};
	NameData	caller;
	Datum		values[5];
	StringInfoData counts;
	UserQuery  *query;
	Source	   *source;
	Survey	   *survey;
	List	   *key;

	SPI_connect();
	MemoryContextSwitchTo(context);
	source = source_resolve(NULL, record->source);
	key = key_now(source, now->columns);
	query = query_prepare(record->request.query);
	survey = survey_new(query_columns(query), key, source->salt, false);
	query_run(query, survey_row, survey);
	survey_finish(survey);
	initStringInfo(&counts);
	appendStringInfoChar(&counts, '{');
	json_integer(&counts, "rows_before", source->n_rows);
	json_integer(&counts, "rows_after", (int64) survey_n_rows(survey));
	if (key != NIL)
		write_key_counts(source, survey, &counts);
	appendStringInfoChar(&counts, '}');
	namestrcpy(&caller, GetUserNameFromId(GetUserId(), false));
	values[0] = NameGetDatum(&caller);
	values[1] = CStringGetTextDatum(record->source);
	values[2] = JsonbPGetDatum(json_to_jsonb(counts.data));
	values[3] = JsonbPGetDatum(json_to_jsonb(survey_columns(survey)));
	values[4] = JsonbPGetDatum(json_to_jsonb(survey_profile(survey)));
	survey_free(survey);
	SPI_finish();
	return ask_catalog("SELECT churnops.describe_difference($1, $2, $3, $4, $5)", 5, types, values,
					   NULL);
}

/* How the rows differ, as far as it can be known: NULL if they do not. */
static Jsonb *
difference(const Record *record, const QueryNow *now, const Training *t)
{
	if (record->kept || now->gone || (t != NULL && strcmp(record->dataset_digest, t->dataset_digest) == 0))
		return NULL;
	if (record->source != NULL)
		return find_difference(record, now);
	if (t == NULL)
		return NULL;
	return json_to_jsonb(psprintf("{\"rows_before\": " INT64_FORMAT ", \"rows_after\": "
								  UINT64_FORMAT "}", record->n_rows, t->dataset.n_rows));
}

/* What was found. */
typedef struct Reproduction
{
	bool		same;
	const char *message;
	Jsonb	   *changes;
	Jsonb	   *difference;		/* or NULL */
} Reproduction;

/* The result row; digests of now are NULL where nothing was trained. */
static Datum
result_row(FunctionCallInfo fcinfo, const Record *record, int32 version, const Training *t,
		   const Reproduction *r)
{
	TupleDesc	columns;
	Datum		values[10] = {0};
	bool		nulls[10] = {false};

	if (get_call_result_type(fcinfo, NULL, &columns) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "churnops_reproduce() is declared with another result");
	values[0] = CStringGetTextDatum(psprintf("%s/%d", record->request.model, version));
	values[1] = BoolGetDatum(r->same);
	values[2] = CStringGetTextDatum(record->dataset_digest);
	values[4] = CStringGetTextDatum(record->artifact_digest);
	values[6] = CStringGetTextDatum(r->message);
	values[7] = CStringGetTextDatum(record->kept ? "copy" : "query");
	values[8] = JsonbPGetDatum(r->changes);
	if (t != NULL)
	{
		values[3] = CStringGetTextDatum(t->dataset_digest);
		values[5] = CStringGetTextDatum(t->artifact_digest);
	}
	else
		nulls[3] = nulls[5] = true;
	if (r->difference != NULL)
		values[9] = JsonbPGetDatum(r->difference);
	else
		nulls[9] = true;
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(columns), values, nulls));
}

/* Train again from the kept copy, or from the query if that still has the same columns. */
static Training *
train_again(Record *record, QueryNow *now, const char **message)
{
	Training   *t;

	if (record->kept)
		record->request.query = record->source;
	else
	{
		*message = find_gone(record, now);
		if (*message != NULL)
			return NULL;
		*now = query_now(record->request.query);
		*message = compare_columns(record->columns, now->columns);
		if (*message != NULL)
			return NULL;
	}
	t = training_run(&record->request);
	*message = compare(record, t);
	return t;
}

Datum
churnops_reproduce(PG_FUNCTION_ARGS)
{
	Resolved	version;
	Record		record;
	QueryNow	now = {NIL, NULL, false};
	Reproduction r = {0};
	Training   *t;
	Datum		result;
	int			nest;

	if (IsInParallelMode())
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_STATE),
				 errmsg("churnops_reproduce() cannot run during a parallel operation")));
	if (PG_ARGISNULL(0))
		report_null_argument("model_ref");
	reference_find(VARDATA_ANY(PG_GETARG_TEXT_PP(0)), VARSIZE_ANY_EXHDR(PG_GETARG_TEXT_PP(0)),
				   RIGHT_READ, &version);
	exchange_refuse_imported(&version);
	read_record(&version, &record);
	if (!record.kept)
		check_trainer(&version, &record);

	/* names in the query shall mean what they meant then */
	nest = NewGUCNestLevel();
	(void) set_config_option("search_path", record.search_path, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	t = train_again(&record, &now, &r.message);
	r.same = t != NULL && strcmp(record.dataset_digest, t->dataset_digest) == 0 &&
		strcmp(record.artifact_digest, t->artifact_digest) == 0;
	r.changes = find_changes(&record, &now, t);
	r.difference = difference(&record, &now, t);
	AtEOXact_GUC(true, nest);

	result = result_row(fcinfo, &record, version.version, t, &r);
	if (t != NULL)
		training_free(t);
	return result;
}
