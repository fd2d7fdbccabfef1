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
#include "pg/record.h"
#include "pg/reference.h"
#include "pg/registration.h"
#include "pg/report.h"
#include "pg/source.h"
#include "pg/survey.h"
#include "pg/train.h"

PG_FUNCTION_INFO_V1(churnops_reproduce);

/* The stored query as it is now. */
typedef struct QueryNow
{
	List	   *columns;		/* their names; NIL: not looked at */
	char	   *relations;		/* JSON; NULL: not looked at */
	bool		gone;			/* a relation is: the query cannot be run */
} QueryNow;

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
		if (!record_has_text(columns, source->columns[i].name))
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
		*message = record_compare_columns(record->columns, now->columns);
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
	record_read(&version, &record);
	if (!record.kept)
		record_check_trainer(&version, &record);

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
