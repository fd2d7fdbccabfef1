/*
 * registration.c
 *	  Handing a finished training to the catalogue, with its lineage.
 *
 * Everything but the artifact goes as one JSON document, whose keys are those
 * that churnops.register() reads.  The caller's names are in it, so that the
 * statement can run as the extension's owner.
 */
#include "postgres.h"

#include <sys/utsname.h>

#include "access/relation.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "pg/catalog.h"
#include "pg/compat.h"
#include "pg/digest.h"
#include "pg/guc.h"
#include "pg/json.h"
#include "pg/pipeline.h"
#include "pg/registration.h"
#include "pg/report.h"
#include "pg/source.h"

/* What a relation is, in words. */
static const char *
relation_kind(char relkind)
{
	switch (relkind)
	{
		case RELKIND_RELATION:
			return "table";
		case RELKIND_PARTITIONED_TABLE:
			return "partitioned table";
		case RELKIND_VIEW:
			return "view";
		case RELKIND_MATVIEW:
			return "materialized view";
		case RELKIND_FOREIGN_TABLE:
			return "foreign table";
		case RELKIND_SEQUENCE:
			return "sequence";
		default:
			return "relation";
	}
}

/* A digest of a view's query, or of the names and types of a table's columns. */
static char *
definition_digest(Relation relation)
{
	Digest	   *digest = digest_begin();
	TupleDesc	columns = RelationGetDescr(relation);

	for (int i = 0; i < columns->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(columns, i);

		if (attribute->attisdropped)
			continue;
		digest_add_string(digest, NameStr(attribute->attname));
		digest_add_string(digest, format_type_with_typemod(attribute->atttypid,
														   attribute->atttypmod));
	}
	if (relation->rd_rel->relkind == RELKIND_VIEW ||
		relation->rd_rel->relkind == RELKIND_MATVIEW)
	{
		Datum		query = OidFunctionCall1(F_PG_GET_VIEWDEF_OID,
											 ObjectIdGetDatum(RelationGetRelid(relation)));

		digest_add_string(digest, TextDatumGetCString(query));
	}
	return digest_finish(digest);
}

/*
 * May the rows of a relation be counted?  Only as the caller could do it, and
 * where all see the same: not under row-level security.
 */
static bool
is_countable(Relation relation)
{
	char		relkind = relation->rd_rel->relkind;
	uint64		kb;

	if ((relkind != RELKIND_RELATION && relkind != RELKIND_MATVIEW) ||
		relation->rd_rel->relrowsecurity ||
		(relkind == RELKIND_MATVIEW && !RelationIsPopulated(relation)) ||
		pg_class_aclcheck(RelationGetRelid(relation), GetUserId(), ACL_SELECT) != ACLCHECK_OK)
		return false;
	kb = (uint64) RelationGetNumberOfBlocks(relation) * (BLCKSZ / 1024);
	return guc_exact_count_size < 0 || kb <= (uint64) guc_exact_count_size;
}

/* Count the rows of a relation. */
static int64
count_rows(Relation relation)
{
	char	   *statement = psprintf("SELECT pg_catalog.count(*) FROM %s",
									 quote_qualified_identifier(
										 get_namespace_name(RelationGetNamespace(relation)),
										 RelationGetRelationName(relation)));
	MemoryContext context = CurrentMemoryContext;
	bool		is_null;
	int64		n;

	CommandCounterIncrement();
	PushActiveSnapshot(GetTransactionSnapshot());
	if (SPI_execute(statement, true, 0) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "could not count the rows of \"%s\"", RelationGetRelationName(relation));
	PopActiveSnapshot();
	MemoryContextSwitchTo(context);
	n = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null));
	SPI_freetuptable(SPI_tuptable);
	return n;
}

/* The members `n_rows`, null where nothing is known, and `n_rows_exact`. */
static void
write_row_count(Relation relation, StringInfo out)
{
	if (is_countable(relation))
	{
		json_integer(out, "n_rows", count_rows(relation));
		json_value(out, "n_rows_exact", "true");
	}
	else if (RELKIND_HAS_STORAGE(relation->rd_rel->relkind) ||
			 relation->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
	{
		/* below zero: never counted */
		if (relation->rd_rel->reltuples < 0)
			json_value(out, "n_rows", NULL);
		else
			json_integer(out, "n_rows", (int64) relation->rd_rel->reltuples);
		json_value(out, "n_rows_exact", "false");
	}
}

/* Relations in order of schema and name. */
static int
compare_relations(const ListCell *a, const ListCell *b)
{
	Oid			first = lfirst_oid(a);
	Oid			second = lfirst_oid(b);
	int			order = strcmp(get_namespace_name(get_rel_namespace(first)),
							   get_namespace_name(get_rel_namespace(second)));

	return order != 0 ? order : strcmp(get_rel_name(first), get_rel_name(second));
}

char *
registration_relations(List *relations)
{
	StringInfoData out;
	ListCell   *cell;
	int			nest = NewGUCNestLevel();

	/* definitions shall not depend on the caller's settings */
	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	(void) set_config_option("quote_all_identifiers", "off", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	relations = list_copy(relations);
	list_sort(relations, compare_relations);
	initStringInfo(&out);
	appendStringInfoChar(&out, '[');
	foreach(cell, relations)
	{
		Relation	relation = relation_open(lfirst_oid(cell), AccessShareLock);

		json_separate(&out);
		appendStringInfoChar(&out, '{');
		json_text(&out, "schema", get_namespace_name(RelationGetNamespace(relation)));
		json_text(&out, "name", RelationGetRelationName(relation));
		json_text(&out, "kind", relation_kind(relation->rd_rel->relkind));
		json_text(&out, "definition_digest", definition_digest(relation));
		write_row_count(relation, &out);
		appendStringInfoChar(&out, '}');
		relation_close(relation, NoLock);
	}
	appendStringInfoChar(&out, ']');
	AtEOXact_GUC(true, nest);
	return out.data;
}

/* The role of a column, after the training has dropped some features. */
static const char *
column_role(const Training *t, const DatasetColumn *column)
{
	switch (column->role)
	{
		case COLUMN_TARGET:
			return "target";
		case COLUMN_KEY:
			return "key";
		case COLUMN_WEIGHT:
			return "weight";
		case COLUMN_TIME:
			return "time";
		case COLUMN_EXCLUDED:
			return "excluded";
		case COLUMN_FEATURE:
			break;
	}
	switch (t->report.fates[column->feature])
	{
		case FOREST_DROPPED_CONSTANT:
			return "dropped_constant";
		case FOREST_DROPPED_MISSING:
			return "dropped_missing";
		default:
			return "feature";
	}
}

/* The member `dataset`. */
static void
write_dataset(const Training *t, StringInfo out)
{
	const Dataset *d = &t->dataset;

	json_key(out, "dataset");
	appendStringInfoChar(out, '{');
	json_text(out, "query", t->request.query);
	json_text(out, "fingerprint", t->fingerprint);
	json_value(out, "relations", t->relations);
	json_key(out, "columns");
	appendStringInfoChar(out, '[');
	for (int i = 0; i < d->n_columns; i++)
	{
		const DatasetColumn *column = &d->columns[i];

		json_separate(out);
		appendStringInfoChar(out, '{');
		json_text(out, "name", column->name);
		json_text(out, "type", column->type_name);
		json_text(out, "role", column_role(t, column));
		json_text(out, "kind", column->feature < 0 ? NULL : forest_kind_name(column->type.kind));
		appendStringInfoChar(out, '}');
	}
	appendStringInfoChar(out, ']');
	json_integer(out, "n_rows", d->n_rows);
	json_text(out, "digest", t->dataset_digest);
	json_text(out, "search_path", t->search_path);
	json_text(out, "snapshot", t->snapshot);
	json_text(out, "lsn", t->lsn);
	if (t->source != NULL)
	{
		json_text(out, "named_dataset", t->source->dataset);
		json_integer(out, "named_version", t->source->version);
	}
	appendStringInfoChar(out, '}');
}

/* The members `params_given`, `params`, `options` and `seed`. */
static void
write_parameters(Training *t, StringInfo out)
{
	const TrainRequest *request = &t->request;
	char	   *params;
	size_t		n_bytes;
	Failure		why;

	json_value(out, "params_given", request->params == NULL ? "{}"
			   : JsonbToCString(NULL, &request->params->root, VARSIZE(request->params)));
	report_status(forest_params_json(&t->host.host, t->params, &params, &n_bytes, &why), &why);
	json_value(out, "params", json_from_utf8(params));
	json_integer(out, "seed", t->params->random_state);
	json_key(out, "options");
	appendStringInfoChar(out, '{');
	json_list(out, "key", request->key);
	json_list(out, "exclude", request->exclude);
	json_text(out, "weight", request->weight);
	json_text(out, "task", request->task);
	json_text(out, "positive_class", request->positive_class);
	json_number(out, "test_size", request->test_size);
	json_integer(out, "split_seed", request->split_seed);
	json_text(out, "time_column", request->time_column);
	appendStringInfoChar(out, '}');
}

/* The member `features`. */
static void
write_features(const Training *t, StringInfo out)
{
	json_key(out, "features");
	appendStringInfoChar(out, '[');
	for (uint32 i = 0; i < t->report.n_features; i++)
	{
		json_separate(out);
		appendStringInfoChar(out, '{');
		json_utf8(out, "name", forest_model_feature_name(t->model, i));
		json_text(out, "kind", forest_kind_name(forest_model_feature_kind(t->model, i)));
		json_number(out, "mdi", forest_model_importance(t->model, i));
		json_number(out, "permutation", t->permutation[i]);
		json_number(out, "permutation_sd", t->permutation_sd[i]);
		appendStringInfoChar(out, '}');
	}
	appendStringInfoChar(out, ']');
}

void
registration_environment(StringInfo out)
{
	struct utsname system;

	json_key(out, "environment");
	appendStringInfoChar(out, '{');
	json_text(out, "churnops", catalog_extension_version());
	json_text(out, "postgresql", GetConfigOption("server_version", false, false));
#if defined(__clang__)
	json_text(out, "compiler", __VERSION__);
#else
	json_text(out, "compiler", "gcc " __VERSION__);
#endif
	json_text(out, "architecture", uname(&system) == 0 ? system.machine : NULL);
#ifdef WORDS_BIGENDIAN
	json_text(out, "byte_order", "big");
#else
	json_text(out, "byte_order", "little");
#endif
	json_text(out, "server_encoding", GetDatabaseEncodingName());
	appendStringInfoChar(out, '}');
}

/* The members about the target's classes. */
static void
write_classes(const Training *t, StringInfo out)
{
	json_text(out, "task", t->task == FOREST_CLASSIFICATION ? "classification" : "regression");
	json_text(out, "target", t->request.target);
	if (t->task == FOREST_REGRESSION)
		json_value(out, "classes", NULL);
	else
	{
		json_key(out, "classes");
		appendStringInfoChar(out, '[');
		for (uint32 i = 0; i < t->n_classes; i++)
		{
			json_separate(out);
			escape_json(out, json_from_utf8(t->classes[i]));
		}
		appendStringInfoChar(out, ']');
	}
	json_utf8(out, "positive_class", t->positive < 0 ? NULL : t->classes[t->positive]);
	if (t->positive < 0)
		json_value(out, "positive_class_index", NULL);
	else
		json_integer(out, "positive_class_index", t->positive);
}

/* The whole document. */
static char *
registration_document(Training *t)
{
	char		started_at[MAXDATELEN + 1];
	StringInfoData out;

	JsonEncodeDateTime(started_at, TimestampTzGetDatum(t->started_at), TIMESTAMPTZOID, NULL);
	initStringInfo(&out);
	appendStringInfoChar(&out, '{');
	json_text(&out, "model", t->request.model);
	json_text(&out, "description", t->request.description);
	json_text(&out, "caller", GetUserNameFromId(GetUserId(), false));
	json_text(&out, "session_user", GetUserNameFromId(GetSessionUserId(), false));
	write_classes(t, &out);
	write_dataset(t, &out);
	json_integer(&out, "n_rows", t->report.n_rows);
	json_integer(&out, "n_train", t->report.n_train);
	json_integer(&out, "n_test", t->report.n_test);
	json_integer(&out, "n_features", t->report.n_features);
	json_integer(&out, "n_unknown_target", t->n_unknown);
	write_parameters(t, &out);
	if (t->study > 0)
	{
		json_text(&out, "kind", "tune");
		json_integer(&out, "study", t->study);
	}
	json_text(&out, "algorithm", t->params->random_splitter ? "extra_trees" : "random_forest");
	json_integer(&out, "algorithm_version", FOREST_ALGORITHM_VERSION);
	json_integer(&out, "format_version", FOREST_FORMAT_VERSION);
	write_features(t, &out);
	json_value(&out, "metrics", t->metrics);
	registration_environment(&out);
	json_text(&out, "code_version",
			  guc_code_version != NULL && guc_code_version[0] != '\0' ? guc_code_version : NULL);
	json_text(&out, "artifact_digest", t->artifact_digest);
	json_text(&out, "started_at", started_at);
	json_number(&out, "seconds", training_seconds(t));
	if (pipeline_current_run() != 0)
		json_integer(&out, "pipeline_run", pipeline_current_run());
	appendStringInfoChar(&out, '}');
	return out.data;
}

/* The artifact as a bytea. */
static bytea *
artifact_bytea(const Training *t)
{
	bytea	   *result = palloc(VARHDRSZ + t->artifact.n_bytes);

	SET_VARSIZE(result, VARHDRSZ + t->artifact.n_bytes);
	memcpy(VARDATA(result), t->artifact.bytes, t->artifact.n_bytes);
	return result;
}

void
registration_store(Training *t, int32 *version, char **status)
{
	MemoryContext caller = CurrentMemoryContext;
	Oid			types[] = {JSONBOID, BYTEAOID};
	Datum		values[2];
	bool		is_null;
	char	   *text;

	SPI_connect();
	values[0] = JsonbPGetDatum(json_to_jsonb(registration_document(t)));
	values[1] = PointerGetDatum(artifact_bytea(t));
	if (catalog_execute("SELECT version, status FROM churnops.register($1, $2)", 2, types,
						values, NULL) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "churnops.register() returned no row");
	*version = DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1,
										   &is_null));
	text = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2);
	*status = MemoryContextStrdup(caller, text);
	SPI_finish();
}
