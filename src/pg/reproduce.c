/*
 * reproduce.c
 *	  churnops_reproduce: train a version again and compare.
 *
 * The stored query, options and parameters are run through the same pipeline
 * as a training, as the caller and under the recorded search_path, and nothing
 * is stored.  The query is somebody's code: it is only run for the role that
 * trained the version, since with another's rights it could do more than it was
 * ever allowed to.  What differs from then is no error but the answer: other columns
 * of the query, other rows or types (the dataset digest), another model (the
 * artifact digest).
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
#include "pg/query.h"
#include "pg/reference.h"
#include "pg/report.h"
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
} Record;

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
};

static const char statement[] =
	"SELECT d.query, m.target, v.params, r.options, d.search_path, "
	"(SELECT array_agg(c.field->>'name' ORDER BY c.place) "
	"FROM jsonb_array_elements(d.columns) WITH ORDINALITY AS c(field, place)), "
	"d.digest, v.artifact_digest, v.algorithm_version, v.format_version, v.created_by "
	"FROM churnops.version AS v "
	"JOIN churnops.model AS m ON m.name = v.model "
	"JOIN churnops.run AS r ON r.run = v.run "
	"JOIN churnops.dataset AS d ON d.dataset = v.dataset "
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
	Oid			types[] = {TEXTOID, INT4OID};
	Datum		values[] = {CStringGetTextDatum(version->model), Int32GetDatum(version->version)};
	TrainRequest *request = &out->request;

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
				 errhint("Reproduce it as the role that trained it: SET ROLE %s;",
						 quote_identifier(record->created_by))));
}

/* The names of the columns that the stored query has now. */
static List *
columns_now(const char *query)
{
	MemoryContext context = CurrentMemoryContext;
	List	   *texts = NIL;
	TupleDesc	columns;

	SPI_connect();
	columns = query_columns(query_prepare(query));
	MemoryContextSwitchTo(context);
	for (int i = 0; i < columns->natts; i++)
		texts = lappend(texts, pstrdup(NameStr(TupleDescAttr(columns, i)->attname)));
	SPI_finish();
	return texts;
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

/* The result row; digests of now are NULL where nothing was trained. */
static Datum
result_row(FunctionCallInfo fcinfo, const Record *record, int32 version, const Training *t,
		   const char *message)
{
	TupleDesc	columns;
	Datum		values[7];
	bool		nulls[7] = {false};
	bool		same = t != NULL &&
		strcmp(record->dataset_digest, t->dataset_digest) == 0 &&
		strcmp(record->artifact_digest, t->artifact_digest) == 0;

	if (get_call_result_type(fcinfo, NULL, &columns) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "churnops_reproduce() is declared with another result");
	memset(values, 0, sizeof(values));
	values[0] = CStringGetTextDatum(psprintf("%s/%d", record->request.model, version));
	values[1] = BoolGetDatum(same);
	values[2] = CStringGetTextDatum(record->dataset_digest);
	values[4] = CStringGetTextDatum(record->artifact_digest);
	values[6] = CStringGetTextDatum(message);
	if (t != NULL)
	{
		values[3] = CStringGetTextDatum(t->dataset_digest);
		values[5] = CStringGetTextDatum(t->artifact_digest);
	}
	else
		nulls[3] = nulls[5] = true;
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(columns), values, nulls));
}

Datum
churnops_reproduce(PG_FUNCTION_ARGS)
{
	Resolved	version;
	Record		record;
	Training   *t = NULL;
	const char *message;
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
	read_record(&version, &record);
	check_trainer(&version, &record);

	/* names in the query shall mean what they meant then */
	nest = NewGUCNestLevel();
	(void) set_config_option("search_path", record.search_path, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	message = compare_columns(record.columns, columns_now(record.request.query));
	if (message == NULL)
	{
		t = training_run(&record.request);
		message = compare(&record, t);
	}
	AtEOXact_GUC(true, nest);

	result = result_row(fcinfo, &record, version.version, t, message);
	if (t != NULL)
		training_free(t);
	return result;
}
