/*
 * record.c
 *	  What the catalogue knows of how a version was trained.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "pg/arguments.h"
#include "pg/catalog.h"
#include "pg/record.h"

#define LISTED_BYTES 200		/* of columns in a message, before it is cut */

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
	FIELD_N_TEST,
	FIELD_SOURCE,
	FIELD_KEPT,
};

static const char statement[] =
	"SELECT d.query, m.target, v.params, r.options, d.search_path, c.names, d.digest, "
	"v.artifact_digest, v.algorithm_version, v.format_version, v.created_by, "
	"jsonb_build_object('relations', d.relations, 'columns', to_jsonb(c.names), "
	"'data', d.digest, 'params', v.params, 'algorithm_version', v.algorithm_version, "
	"'format_version', v.format_version, 'environment', r.environment), d.n_rows, v.n_test, n.ref, "
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

void
record_read(const Resolved *version, Record *out)
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
	out->n_test = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc,
											  FIELD_N_TEST, &is_null));
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

void
record_check_trainer(const Resolved *version, const Record *record)
{
	const char *caller = GetUserNameFromId(GetUserId(), false);

	if (strcmp(caller, record->created_by) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("version %d of model \"%s\" was trained by role \"%s\"",
						version->version, version->model, record->created_by),
				 errdetail("Its query would run with the rights of role \"%s\".", caller),
				 errhint("Act as the role that trained it, with SET ROLE %s;, or train on a "
						 "registered dataset that keeps a copy.",
						 quote_identifier(record->created_by))));
}

bool
record_has_text(List *texts, const char *text)
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
		if (record_has_text(others, lfirst(cell)))
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

char *
record_compare_columns(List *before, List *now)
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
