/*
 * exchange.c
 *	  What the import of a model needs of C: the decoder, asked what a foreign
 *	  artifact is.
 *
 * The document of churnops_export() is read and written in SQL
 * (sql/install/45-exchange.sql).  Its artifact is foreign bytes: before it is
 * stored it is decoded, which checks all of it, and what the document says of
 * the model is compared with what the bytes say.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/memutils.h"

#include "forest/forest.h"
#include "pg/catalog.h"
#include "pg/compat.h"
#include "pg/exchange.h"
#include "pg/host.h"
#include "pg/json.h"
#include "pg/report.h"

PG_FUNCTION_INFO_V1(churnops_describe_artifact);

/* The member `features`: names and kinds in the order of the artifact. */
static void
write_features(const ForestModel *model, StringInfo out)
{
	json_key(out, "features");
	appendStringInfoChar(out, '[');
	for (uint32 i = 0; i < forest_model_n_features(model); i++)
	{
		json_separate(out);
		appendStringInfoChar(out, '{');
		json_utf8(out, "name", forest_model_feature_name(model, i));
		json_text(out, "kind", forest_kind_name(forest_model_feature_kind(model, i)));
		appendStringInfoChar(out, '}');
	}
	appendStringInfoChar(out, ']');
}

/* The member `classes`: labels in class order, null for a regression. */
static void
write_classes(const ForestModel *model, StringInfo out)
{
	if (forest_model_task(model) == FOREST_REGRESSION)
	{
		json_value(out, "classes", NULL);
		return;
	}
	json_key(out, "classes");
	appendStringInfoChar(out, '[');
	for (uint32 i = 0; i < forest_model_n_classes(model); i++)
	{
		json_separate(out);
		escape_json(out, json_from_utf8(forest_model_class_label(model, i)));
	}
	appendStringInfoChar(out, ']');
}

/*
 * churnops.describe_artifact(artifact): task, classes and features as the bytes
 * have them; an error unless they are a sound artifact.
 */
Datum
churnops_describe_artifact(PG_FUNCTION_ARGS)
{
	bytea	   *artifact = PG_GETARG_BYTEA_PP(0);
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context = AllocSetContextCreate(caller, "churnops foreign model",
												  ALLOCSET_DEFAULT_SIZES);
	PgHost		host;
	ForestModel *model;
	StringInfoData out;
	Failure		why;
	Status		status;
	Jsonb	   *result;

	pg_host_init(&host, context, 0);
	status = forest_decode(&host.host, (const uint8_t *) VARDATA_ANY(artifact),
						   VARSIZE_ANY_EXHDR(artifact), &model, &why);
	if (status == STATUS_CORRUPT)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("artifact is damaged"),
				 errdetail("Decoding failed: %s.", report_text(why.text))));
	report_status(status, &why);
	initStringInfo(&out);
	appendStringInfoChar(&out, '{');
	json_text(&out, "task", forest_model_task(model) == FOREST_CLASSIFICATION ?
			  "classification" : "regression");
	write_classes(model, &out);
	write_features(model, &out);
	appendStringInfoChar(&out, '}');
	result = json_to_jsonb(out.data);
	MemoryContextDelete(context);
	PG_RETURN_JSONB_P(result);
}

void
exchange_refuse_imported(const Resolved *version)
{
	Oid			types[] = {TEXTOID, INT4OID};
	Datum		values[] = {CStringGetTextDatum(version->model), Int32GetDatum(version->version)};
	bool		is_imported;

	SPI_connect();
	is_imported = catalog_execute("SELECT FROM churnops.import WHERE model = $1 AND version = $2",
								  lengthof(types), types, values, NULL) == SPI_OK_SELECT &&
		SPI_processed > 0;
	SPI_finish();
	if (is_imported)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("version %d of model \"%s\" was imported, not trained here",
						version->version, version->model),
				 errdetail("Its query came with the document, and would run with your rights."),
				 errhint("Reproduce it where it was trained, or read the query in churnops.lineage "
						 "and train on it.")));
}
