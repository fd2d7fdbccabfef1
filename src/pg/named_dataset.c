/*
 * named_dataset.c
 *	  churnops_dataset: registering a version of a dataset; and what SQL needs
 *	  of C to compare versions and to look keys up.
 *
 * The query is read once, as the caller (survey.c).  What was found goes to
 * churnops.register_dataset() as the extension's owner, which decides whether
 * it is a new version; then fingerprints and copy are stored with it, in the
 * caller's transaction.
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

#include "pg/catalog.h"
#include "pg/compat.h"
#include "pg/guc.h"
#include "pg/host.h"
#include "pg/json.h"
#include "pg/keys.h"
#include "pg/query.h"
#include "pg/reference.h"
#include "pg/registration.h"
#include "pg/report.h"
#include "pg/row_key.h"
#include "pg/source.h"
#include "pg/survey.h"

PG_FUNCTION_INFO_V1(churnops_dataset);
PG_FUNCTION_INFO_V1(churnops_key_fingerprint);
PG_FUNCTION_INFO_V1(churnops_compare_keys);
PG_FUNCTION_INFO_V1(churnops_find_rows);

/* The arguments of churnops_dataset, and what came of it. */
typedef struct Registration
{
	const char *name;
	const char *query;
	List	   *key;			/* of char * */
	bool		keep;
	const char *description;
	uint8		salt[SOURCE_SALT_BYTES];
	int32		version;
	bool		is_new;
	bool		kept;			/* before */
} Registration;

static const char *
needed_text(FunctionCallInfo fcinfo, int i, const char *name)
{
	if (PG_ARGISNULL(i))
		report_null_argument(name);
	return text_to_cstring(PG_GETARG_TEXT_PP(i));
}

/* Names of columns as a list. */
static List *
name_list(ArrayType *names)
{
	Datum	   *elements;
	bool	   *nulls;
	int			n;
	List	   *list = NIL;

	deconstruct_array(names, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("argument \"key\" must not hold a NULL")));
		list = lappend(list, TextDatumGetCString(elements[i]));
	}
	return list;
}

static void
read_arguments(FunctionCallInfo fcinfo, Registration *r)
{
	r->name = needed_text(fcinfo, 0, "name");
	r->query = needed_text(fcinfo, 1, "query");
	if (!PG_ARGISNULL(2))
		r->key = name_list(PG_GETARG_ARRAYTYPE_P(2));
	if (PG_ARGISNULL(3))
		report_null_argument("keep");
	r->keep = PG_GETARG_BOOL(3);
	r->description = PG_ARGISNULL(4) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(4));
	reference_check_name(r->name, "dataset");
	if (source_is_reference(r->query))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a dataset cannot be registered from a dataset"),
				 errhint("Give the query that reads its rows.")));
}

/* The caller's name as a datum. */
static Datum
caller_name(void)
{
	NameData   *caller = palloc(sizeof(NameData));

	namestrcpy(caller, GetUserNameFromId(GetUserId(), false));
	return NameGetDatum(caller);
}

/* The dataset's salt, a new one if it is not there yet; 42501 if it is another's. */
static void
find_salt(Registration *r)
{
	Oid			types[] = {NAMEOID, TEXTOID};
	Datum		values[2];
	Datum		salt;
	bool		is_null;

	values[0] = caller_name();
	values[1] = CStringGetTextDatum(r->name);
	if (catalog_execute("SELECT churnops.dataset_salt($1, $2)", 2, types, values, NULL) !=
		SPI_OK_SELECT)
		elog(ERROR, "could not look for dataset \"%s\"", r->name);
	salt = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null);
	if (!is_null)
		memcpy(r->salt, VARDATA_ANY(DatumGetByteaPP(salt)), SOURCE_SALT_BYTES);
	else if (!pg_strong_random(r->salt, SOURCE_SALT_BYTES))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate a random salt")));
	SPI_freetuptable(SPI_tuptable);
}

/* What churnops.register_dataset() reads. */
static char *
document(const Registration *r, UserQuery *query, const char *relations, const Survey *survey)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoChar(&out, '{');
	json_text(&out, "name", r->name);
	json_text(&out, "description", r->description);
	json_text(&out, "caller", GetUserNameFromId(GetUserId(), false));
	json_text(&out, "session_user", GetUserNameFromId(GetSessionUserId(), false));
	json_text(&out, "query", r->query);
	json_text(&out, "fingerprint", query_fingerprint(query));
	json_value(&out, "relations", relations);
	json_value(&out, "columns", survey_columns(survey));
	json_list(&out, "key", r->key);
	json_integer(&out, "n_rows", (int64) survey_n_rows(survey));
	json_text(&out, "digest", survey_digest(survey));
	json_value(&out, "profile", survey_profile(survey));
	json_text(&out, "search_path", GetConfigOption("search_path", false, false));
	json_text(&out, "snapshot", query_snapshot(query));
	json_text(&out, "lsn", query_lsn(query));
	registration_environment(&out);
	json_text(&out, "code_version",
			  guc_code_version != NULL && guc_code_version[0] != '\0' ? guc_code_version : NULL);
	appendStringInfoChar(&out, '}');
	return out.data;
}

/* Let the catalogue decide. */
static void
register_version(Registration *r, const char *json)
{
	Oid			types[] = {JSONBOID, BYTEAOID};
	Datum		values[2];
	bytea	   *salt = palloc(VARHDRSZ + SOURCE_SALT_BYTES);
	bool		is_null;

	SET_VARSIZE(salt, VARHDRSZ + SOURCE_SALT_BYTES);
	memcpy(VARDATA(salt), r->salt, SOURCE_SALT_BYTES);
	values[0] = JsonbPGetDatum(json_to_jsonb(json));
	values[1] = PointerGetDatum(salt);
	if (catalog_execute("SELECT version, is_new, kept FROM churnops.register_dataset($1, $2)", 2,
						types, values, NULL) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "churnops.register_dataset() returned no row");
	r->version = DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1,
											 &is_null));
	r->is_new = DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2,
										   &is_null));
	r->kept = DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 3,
										 &is_null));
}

/* Store the copy with its version. */
static void
store_copy(const Registration *r, Survey *survey)
{
	Oid			types[] = {NAMEOID, TEXTOID, INT4OID, INT4OID, INT4OID, BYTEAOID};
	Datum		values[6];
	uint32		n_rows;
	bytea	   *bytes;

	values[0] = caller_name();
	values[1] = CStringGetTextDatum(r->name);
	values[2] = Int32GetDatum(r->version);
	for (int32 chunk = 0; (bytes = survey_chunk(survey, &n_rows)) != NULL; chunk++)
	{
		MemoryContext context = CurrentMemoryContext;

		values[3] = Int32GetDatum(chunk);
		values[4] = Int32GetDatum((int32) n_rows);
		values[5] = PointerGetDatum(bytes);
		(void) catalog_execute("SELECT churnops.add_dataset_rows($1, $2, $3, $4, $5, $6)", 6,
							   types, values, NULL);
		SPI_freetuptable(SPI_tuptable);
		MemoryContextSwitchTo(context);
		pfree(bytes);
		CHECK_FOR_INTERRUPTS();
	}
}

/* The result row. */
static Datum
result_row(FunctionCallInfo fcinfo, const Registration *r, int64 n_rows, char *digest)
{
	TupleDesc	columns;
	Datum		values[7];
	bool		nulls[7] = {false};

	if (get_call_result_type(fcinfo, NULL, &columns) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "churnops_dataset() is declared with another result");
	values[0] = CStringGetTextDatum(psprintf("%s%s/%d", SOURCE_PREFIX, r->name, r->version));
	values[1] = CStringGetTextDatum(r->name);
	values[2] = Int32GetDatum(r->version);
	values[3] = Int64GetDatum(n_rows);
	values[4] = CStringGetTextDatum(digest);
	values[5] = BoolGetDatum(r->is_new);
	values[6] = BoolGetDatum(r->kept || r->keep);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(columns), values, nulls));
}

Datum
churnops_dataset(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	Registration r = {0};
	UserQuery  *query;
	Survey	   *survey;
	DatasetKeys keys;
	char	   *relations;
	char	   *digest;
	int64		n_rows;

	if (IsInParallelMode())
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_STATE),
				 errmsg("churnops_dataset() cannot run during a parallel operation")));
	PreventCommandIfReadOnly("churnops_dataset()");
	read_arguments(fcinfo, &r);
	SPI_connect();
	MemoryContextSwitchTo(caller);
	find_salt(&r);
	query = query_prepare(r.query);
	relations = registration_relations(query_relations(query));
	survey = survey_new(query_columns(query), r.key, r.salt, r.keep);
	query_run(query, survey_row, survey);
	survey_finish(survey);
	register_version(&r, document(&r, query, relations, survey));
	if (r.is_new && r.key != NIL)
	{
		survey_keys(survey, &keys);
		keys_store(r.name, r.version, &keys);
	}
	if (r.keep && !r.kept)
		store_copy(&r, survey);
	MemoryContextSwitchTo(caller);
	n_rows = (int64) survey_n_rows(survey);
	digest = survey_digest(survey);
	survey_free(survey);
	SPI_finish();
	return result_row(fcinfo, &r, n_rows, digest);
}

/* ------------------------------------------- what the catalogue asks of C -- */

/* churnops.key_fingerprint(columns, key, salt, value): owner only. */
Datum
churnops_key_fingerprint(PG_FUNCTION_ARGS)
{
	bytea	   *salt = PG_GETARG_BYTEA_PP(2);
	bytea	   *result = palloc(VARHDRSZ + DATASET_KEY_BYTES);
	StringInfoData bytes;
	SourceColumn *columns;
	int			n_columns;

	if (VARSIZE_ANY_EXHDR(salt) != SOURCE_SALT_BYTES)
		elog(ERROR, "a salt has %d bytes", SOURCE_SALT_BYTES);
	columns = source_columns(PG_GETARG_JSONB_P(0), PG_GETARG_ARRAYTYPE_P(1), &n_columns);
	initStringInfo(&bytes);
	source_key_bytes(columns, n_columns, PG_GETARG_JSONB_P(3), &bytes);
	SET_VARSIZE(result, VARHDRSZ + DATASET_KEY_BYTES);
	survey_fingerprint((const uint8 *) VARDATA_ANY(salt), bytes.data, bytes.len,
					   (uint8 *) VARDATA(result));
	PG_RETURN_BYTEA_P(result);
}

/* Rows of churnops.compare_keys(). */
typedef struct Comparison
{
	ReturnSetInfo *result;
	int32		left[3];		/* keys that may still be named, by change */
} Comparison;

static const char *const change_names[] = {"removed", "added", "changed"};

/* A row: a change, a key or NULL, a count. */
static void
put_change(Comparison *comparison, const char *change, const uint8_t *key, int64 n)
{
	Datum		values[3];
	bool		nulls[3] = {false, key == NULL, false};
	bytea	   *bytes;

	values[0] = CStringGetTextDatum(change);
	values[1] = (Datum) 0;
	if (key != NULL)
	{
		bytes = palloc(VARHDRSZ + DATASET_KEY_BYTES);
		SET_VARSIZE(bytes, VARHDRSZ + DATASET_KEY_BYTES);
		memcpy(VARDATA(bytes), key, DATASET_KEY_BYTES);
		values[1] = PointerGetDatum(bytes);
	}
	values[2] = Int64GetDatum(n);
	tuplestore_putvalues(comparison->result->setResult, comparison->result->setDesc, values,
						 nulls);
}

/* DatasetChanged */
static void
name_change(void *ctx, DatasetChange change, const uint8_t *key)
{
	Comparison *comparison = ctx;

	if (comparison->left[change] <= 0)
		return;
	comparison->left[change]--;
	put_change(comparison, change_names[change], key, 1);
}

/*
 * churnops.compare_keys(dataset, before, after, max_keys), owner only: the
 * first changed keys, then a row without a key for each count.
 */
Datum
churnops_compare_keys(PG_FUNCTION_ARGS)
{
	char	   *dataset = text_to_cstring(PG_GETARG_TEXT_PP(0));
	int32		max_keys = PG_GETARG_INT32(3);
	Comparison	comparison;
	DatasetKeys before;
	DatasetKeys after;
	DatasetCounts counts;
	PgHost		host;
	Failure		why;

	InitMaterializedSRF(fcinfo, 0);
	comparison.result = (ReturnSetInfo *) fcinfo->resultinfo;
	for (int i = 0; i < 3; i++)
		comparison.left[i] = max_keys;
	SPI_connect();
	pg_host_init(&host, CurrentMemoryContext, 0);
	keys_stored(dataset, PG_GETARG_INT32(1), &before);
	keys_stored(dataset, PG_GETARG_INT32(2), &after);
	report_status(dataset_compare(&host.host, &before, &after, name_change, &comparison, &counts,
								  &why), &why);
	for (int i = 0; i < 3; i++)
		put_change(&comparison, change_names[i], NULL, (int64) counts.changes[i]);
	put_change(&comparison, "unchanged", NULL, (int64) counts.unchanged);
	SPI_finish();
	fcinfo->isnull = true;
	return (Datum) 0;
}

/* Kept rows of some keys. */
typedef struct Finding
{
	const Source *source;
	ReturnSetInfo *result;
	RowKey		all;			/* every column: the row as JSON */
	StringInfoData bytes;		/* of a row's key */
	Datum	   *keys;			/* wanted */
	int			n_keys;
} Finding;

/* SourceRow */
static void
find_row(void *ctx, TupleTableSlot *slot, const DatasetValue *values)
{
	Finding    *f = ctx;
	uint8		fingerprint[DATASET_KEY_BYTES];
	Datum		row[2];
	bool		nulls[2] = {false};

	resetStringInfo(&f->bytes);
	for (int i = 0; i < f->source->n_columns; i++)
	{
		uint32		length = pg_hton32(values[i].n_bytes);

		if (!f->source->columns[i].is_key)
			continue;
		appendStringInfoChar(&f->bytes, (char) values[i].tag);
		appendBinaryStringInfo(&f->bytes, (const char *) &length, sizeof(length));
		appendBinaryStringInfo(&f->bytes, (const char *) values[i].bytes, (int) values[i].n_bytes);
	}
	survey_fingerprint(f->source->salt, f->bytes.data, f->bytes.len, fingerprint);
	for (int i = 0; i < f->n_keys; i++)
	{
		if (memcmp(VARDATA_ANY(DatumGetPointer(f->keys[i])), fingerprint, DATASET_KEY_BYTES) != 0)
			continue;
		row[0] = f->keys[i];
		row[1] = row_key_jsonb(&f->all, slot->tts_values, slot->tts_isnull);
		tuplestore_putvalues(f->result->setResult, f->result->setDesc, row, nulls);
		return;
	}
}

/* The names of all columns. */
static ArrayType *
column_names(const Source *source)
{
	Datum	   *names = palloc(source->n_columns * sizeof(Datum));

	for (int i = 0; i < source->n_columns; i++)
		names[i] = CStringGetTextDatum(source->columns[i].name);
	return construct_array(names, source->n_columns, TEXTOID, -1, false, TYPALIGN_INT);
}

/*
 * churnops.find_rows(caller, dataset_ref, keys), owner only: the kept rows of
 * these keys as JSON.
 */
Datum
churnops_find_rows(PG_FUNCTION_ARGS)
{
	char	   *reference = text_to_cstring(PG_GETARG_TEXT_PP(1));
	Finding		f = {0};
	Source	   *source;

	InitMaterializedSRF(fcinfo, 0);
	f.result = (ReturnSetInfo *) fcinfo->resultinfo;
	SPI_connect();
	f.source = source = source_resolve(NameStr(*PG_GETARG_NAME(0)), reference);
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(2), BYTEAOID, -1, false, TYPALIGN_INT, &f.keys, NULL,
					  &f.n_keys);
	for (int i = 0; i < f.n_keys; i++)
	{
		if (VARSIZE_ANY_EXHDR(DatumGetPointer(f.keys[i])) != DATASET_KEY_BYTES)
			elog(ERROR, "a fingerprint has %d bytes", DATASET_KEY_BYTES);
	}
	row_key_init(&f.all, column_names(source), source_row_type(source));
	initStringInfo(&f.bytes);
	(void) source_run(source, find_row, &f);
	SPI_finish();
	fcinfo->isnull = true;
	return (Datum) 0;
}
