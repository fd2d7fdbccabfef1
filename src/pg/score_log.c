/*
 * score_log.c
 *	  The prediction log, as churnops_score fills it.
 *
 * While the query runs the transaction is read-only, so entries wait in a
 * tuple store, which goes to disk when it outgrows work_mem.  When the query
 * has ended, one INSERT reads the store as if it were a table and writes the
 * log as the extension's owner.
 */
#include "postgres.h"

#include <math.h>

#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/queryenvironment.h"
#include "utils/tuplestore.h"

#include "pg/catalog.h"
#include "pg/guc.h"
#include "pg/score_log.h"

#define STORE_NAME "churnops_scored"

/* Columns of the store. */
enum
{
	LOG_PLACE,
	LOG_ARM,
	LOG_VERSION,
	LOG_DEPLOYMENT,
	LOG_SHARE,
	LOG_KEY,
	LOG_PREDICTION,
	LOG_CLASS,
	LOG_LATENCY,
	LOG_ERROR,
	LOG_FEATURES,
	LOG_COLUMNS
};

static const struct
{
	const char *name;
	Oid			type;
} store_columns[LOG_COLUMNS] = {
	[LOG_PLACE] = {"place", INT4OID},
	[LOG_ARM] = {"arm", TEXTOID},
	[LOG_VERSION] = {"version", INT4OID},
	[LOG_DEPLOYMENT] = {"deployment", INT8OID},
	[LOG_SHARE] = {"share", FLOAT8OID},
	[LOG_KEY] = {"key", JSONBOID},
	[LOG_PREDICTION] = {"prediction", FLOAT8OID},
	[LOG_CLASS] = {"class", TEXTOID},
	[LOG_LATENCY] = {"latency", FLOAT4OID},
	[LOG_ERROR] = {"error", TEXTOID},
	[LOG_FEATURES] = {"features", JSONBOID},
};

struct ScoreLog
{
	Resolved	version;
	TupleDesc	columns;
	Tuplestorestate *entries;
	int32		place;			/* of the row at hand, from 1 */
	RowKey		key;
	RowKey		features;
	MemoryContext per_entry;
};

void
score_log_check(void)
{
	if (RecoveryInProgress())
		ereport(ERROR,
				(errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
				 errmsg("predictions cannot be logged during recovery"),
				 errhint("Call churnops_score() without log here, or with it on the primary.")));
	PreventCommandIfReadOnly("churnops_score(log => true)");
}

int
score_log_shadows(const Resolved *version, ScoreShadow **shadows)
{
	Oid			types[] = {TEXTOID};
	Datum		values[] = {CStringGetTextDatum(version->model)};
	int			n;
	bool		is_null;

	*shadows = NULL;
	if (!version->bare)
		return 0;
	(void) catalog_read("SELECT d.deployment, d.version FROM churnops.deployment AS d "
						"WHERE d.model = $1 AND d.status = 'running' AND d.strategy = 'shadow' "
						"ORDER BY d.deployment", 1, types, values, NULL);
	n = (int) SPI_processed;
	*shadows = palloc(sizeof(ScoreShadow) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];
		int32		number = DatumGetInt32(SPI_getbinval(row, SPI_tuptable->tupdesc, 2, &is_null));

		(*shadows)[i].deployment = DatumGetInt64(SPI_getbinval(row, SPI_tuptable->tupdesc, 1,
															   &is_null));
		reference_version(version->model, number, &(*shadows)[i].version);
	}
	return n;
}

ScoreLog *
score_log_begin(const Resolved *version)
{
	ScoreLog   *log = palloc0(sizeof(ScoreLog));

	log->version = *version;
	log->columns = CreateTemplateTupleDesc(LOG_COLUMNS);
	for (int i = 0; i < LOG_COLUMNS; i++)
		TupleDescInitEntry(log->columns, i + 1, store_columns[i].name, store_columns[i].type, -1,
						   0);
	log->entries = tuplestore_begin_heap(false, false, work_mem);
	log->per_entry = AllocSetContextCreate(CurrentMemoryContext, "churnops log",
										   ALLOCSET_SMALL_SIZES);
	return log;
}

/* The key columns that a version was trained with; their number. */
static int
training_key(const Resolved *version, char ***names)
{
	Oid			types[] = {TEXTOID, INT4OID};
	Datum		values[] = {CStringGetTextDatum(version->model), Int32GetDatum(version->version)};
	int			n;

	(void) catalog_read("SELECT k FROM unnest(churnops.training_key($1, $2)) AS k", 2, types,
						values, NULL);
	n = (int) SPI_processed;
	*names = palloc(sizeof(char *) * Max(n, 1));
	for (int i = 0; i < n; i++)
		(*names)[i] = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1);
	return n;
}

/* Every column of the query as features. */
static void
use_features(ScoreLog *log, TupleDesc columns)
{
	char	  **names = palloc(sizeof(char *) * Max(columns->natts, 1));

	for (int i = 0; i < columns->natts; i++)
		names[i] = NameStr(TupleDescAttr(columns, i)->attname);
	(void) row_key_try(&log->features, names, columns->natts, columns);
}

int
score_log_columns(ScoreLog *log, const Route *route, bool has_key, TupleDesc columns)
{
	char	  **names;
	int			n_names;

	if (!has_key)
	{
		names = route != NULL ? route->key : NULL;
		n_names = route != NULL ? route->n_key : 0;
		if (n_names == 0)
			n_names = training_key(&log->version, &names);
		(void) row_key_try(&log->key, names, n_names, columns);
	}
	if (guc_log_features)
		use_features(log, columns);
	return Max(log->key.last_column, log->features.last_column);
}

RowKey *
score_log_key(ScoreLog *log)
{
	return log->key.n_columns > 0 ? &log->key : NULL;
}

RowKey *
score_log_features(ScoreLog *log)
{
	return log->features.n_columns > 0 ? &log->features : NULL;
}

void
score_log_next(ScoreLog *log)
{
	log->place++;
}

void
score_log_add(ScoreLog *log, const ScoreLogEntry *entry)
{
	const Answer *answer = entry->answer;
	MemoryContext caller = MemoryContextSwitchTo(log->per_entry);
	Datum		values[LOG_COLUMNS] = {0};
	bool		nulls[LOG_COLUMNS];

	memset(nulls, true, sizeof(nulls));
#define SET(column, datum) (values[column] = (datum), nulls[column] = false)
	SET(LOG_PLACE, Int32GetDatum(log->place));
	SET(LOG_VERSION, Int32GetDatum(entry->version));
	if (entry->arm != NULL)
		SET(LOG_ARM, CStringGetTextDatum(entry->arm));
	if (entry->deployment != 0)
		SET(LOG_DEPLOYMENT, Int64GetDatum(entry->deployment));
	if (!isnan(entry->share))
		SET(LOG_SHARE, Float8GetDatum(entry->share));
	if (entry->key != (Datum) 0)
		SET(LOG_KEY, entry->key);
	if (entry->features != (Datum) 0)
		SET(LOG_FEATURES, entry->features);
	if (entry->error != NULL)
		SET(LOG_ERROR, CStringGetTextDatum(entry->error));
	if (answer != NULL)
	{
		SET(LOG_LATENCY, Float4GetDatum((float4) entry->micros));
		if (answer_has_number(answer))
			SET(LOG_PREDICTION, Float8GetDatum(answer_number(answer, entry->outputs)));
		if (answer->task == FOREST_CLASSIFICATION)
			SET(LOG_CLASS, answer_label(answer, answer_class(answer, entry->outputs)));
	}
#undef SET
	tuplestore_putvalues(log->entries, log->columns, values, nulls);
	(void) MemoryContextSwitchTo(caller);
	MemoryContextReset(log->per_entry);
}

void
score_log_write(ScoreLog *log, const Route *route)
{
	Oid			types[] = {TEXTOID, FLOAT8OID, TEXTOID, TEXTOID};
	Datum		values[] = {
		CStringGetTextDatum(log->version.model),
		Float8GetDatum(route != NULL ? route->weight : 0),
		route != NULL ? CStringGetTextDatum(route->salt) : (Datum) 0,
		CStringGetTextDatum(GetUserNameFromId(GetUserId(), false)),
	};
	const char	nulls[] = {' ', route != NULL ? ' ' : 'n', route != NULL ? ' ' : 'n', ' '};
	EphemeralNamedRelation store = palloc0(sizeof(EphemeralNamedRelationData));

	if (log->place == 0)
		return;
	store->md.name = pstrdup(STORE_NAME);
	store->md.tupdesc = log->columns;
	store->md.enrtype = ENR_NAMED_TUPLESTORE;
	store->md.enrtuples = (double) tuplestore_tuple_count(log->entries);
	store->reldata = log->entries;
	if (SPI_register_relation(store) != SPI_OK_REL_REGISTER)
		elog(ERROR, "could not read the tuple store of predictions");
	(void) catalog_execute("INSERT INTO churnops.prediction_log (logged_at, batch, place, model, "
						   "version, arm, deployment, weight, salt, share, key, prediction, "
						   "class, latency, error, features, scored_by) "
						   "SELECT b.at, b.batch, s.place, $1, s.version, s.arm, s.deployment, "
						   "CASE WHEN s.arm <> 'shadow' THEN $2 END, "
						   "CASE WHEN s.arm <> 'shadow' THEN $3 END, s.share, s.key, "
						   "s.prediction, s.class, s.latency, s.error, s.features, $4 "
						   "FROM (SELECT clock_timestamp() AS at, "
						   "nextval('churnops.prediction_batch_seq') AS batch OFFSET 0) AS b, "
						   STORE_NAME " AS s", 4, types, values, nulls);
	(void) SPI_unregister_relation(STORE_NAME);
	tuplestore_end(log->entries);
}
