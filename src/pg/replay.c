/*
 * replay.c
 *	  churnops_replay: logged rows scored by another version, and how far the
 *	  two agree.
 *
 * The log keeps rows as JSON objects, in which training's type policy finds
 * every feature again (row_json.c), so a row is scored as it was.  Which rows
 * the caller may read is asked by the catalogue's own function; the agreement
 * is computed there as well, from four arrays.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "pg/answer.h"
#include "pg/catalog.h"
#include "pg/compat.h"
#include "pg/report.h"
#include "pg/row.h"

PG_FUNCTION_INFO_V1(churnops_replay);

/* Arguments of churnops_replay. */
enum
{
	REPLAY_MODEL,
	REPLAY_VERSION,
	REPLAY_SINCE,
	REPLAY_UNTIL,
	REPLAY_MAX_ROWS,
	REPLAY_ARGUMENTS
};

/* Columns of churnops.replay_rows. */
enum
{
	ROW_FEATURES = 1,
	ROW_PREDICTION,
	ROW_CLASS
};

/* Logged and new answers, side by side. */
typedef struct Replay
{
	int			n_rows;
	Datum	   *numbers[2];
	bool	   *no_number[2];
	Datum	   *classes[2];
	bool	   *no_class[2];
} Replay;

#define LOGGED 0
#define ANEW 1

static void
begin_replay(Replay *replay, int n_rows)
{
	replay->n_rows = n_rows;
	for (int i = 0; i < 2; i++)
	{
		replay->numbers[i] = palloc0(sizeof(Datum) * Max(n_rows, 1));
		replay->no_number[i] = palloc0(sizeof(bool) * Max(n_rows, 1));
		replay->classes[i] = palloc0(sizeof(Datum) * Max(n_rows, 1));
		replay->no_class[i] = palloc0(sizeof(bool) * Max(n_rows, 1));
	}
}

/* Score the logged rows by a version. */
static void
score_rows(Replay *replay, const Resolved *version, SPITupleTable *rows)
{
	CachedModel *model = cache_model(version);
	Answer		answer;
	uint8	   *bins;
	double	   *outputs;

	cache_pin_in_context(model, CurrentMemoryContext);
	answer_init(&answer, model, version);
	bins = palloc0(forest_model_row_bytes(model->forest));
	outputs = palloc(sizeof(double) * answer.n_outputs);
	for (int i = 0; i < replay->n_rows; i++)
	{
		HeapTuple	row = rows->vals[i];
		bool		is_null;
		Datum		features = SPI_getbinval(row, rows->tupdesc, ROW_FEATURES, &is_null);

		CHECK_FOR_INTERRUPTS();
		row_encode_json(row_names(model), model, version, DatumGetJsonbP(features), bins);
		forest_score(model->forest, bins, 1, outputs);
		replay->numbers[LOGGED][i] = SPI_getbinval(row, rows->tupdesc, ROW_PREDICTION,
												   &replay->no_number[LOGGED][i]);
		replay->classes[LOGGED][i] = SPI_getbinval(row, rows->tupdesc, ROW_CLASS,
												   &replay->no_class[LOGGED][i]);
		replay->no_number[ANEW][i] = !answer_has_number(&answer);
		if (answer_has_number(&answer))
			replay->numbers[ANEW][i] = Float8GetDatum(answer_number(&answer, outputs));
		replay->no_class[ANEW][i] = answer.task == FOREST_REGRESSION;
		if (answer.task != FOREST_REGRESSION)
			replay->classes[ANEW][i] = answer_label(&answer, answer_class(&answer, outputs));
	}
}

static Datum
array_of(Datum *values, bool *nulls, int n, Oid type)
{
	int			bounds[] = {1};
	bool		is_text = type == TEXTOID;

	return PointerGetDatum(construct_md_array(values, nulls, 1, &n, bounds, type,
											  is_text ? -1 : sizeof(float8),
											  is_text ? false : FLOAT8PASSBYVAL,
											  is_text ? TYPALIGN_INT : TYPALIGN_DOUBLE));
}

/* The rows of the log that the caller may replay: features, prediction, class. */
static SPITupleTable *
logged_rows(FunctionCallInfo fcinfo)
{
	Oid			types[] = {NAMEOID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, INT4OID};
	NameData	caller;
	Datum		values[lengthof(types)];
	char		nulls[lengthof(types)];

	namestrcpy(&caller, GetUserNameFromId(GetUserId(), false));
	values[0] = NameGetDatum(&caller);
	values[1] = PG_GETARG_DATUM(REPLAY_MODEL);
	values[2] = PG_GETARG_DATUM(REPLAY_SINCE);
	values[3] = PG_GETARG_DATUM(REPLAY_UNTIL);
	values[4] = PG_GETARG_DATUM(REPLAY_MAX_ROWS);
	memset(nulls, ' ', sizeof(nulls));
	nulls[2] = PG_ARGISNULL(REPLAY_SINCE) ? 'n' : ' ';
	nulls[3] = PG_ARGISNULL(REPLAY_UNTIL) ? 'n' : ' ';
	(void) catalog_read("SELECT * FROM churnops.replay_rows($1, $2, $3, $4, $5)",
						lengthof(types), types, values, nulls);
	return SPI_tuptable;
}

Datum
churnops_replay(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"model", "candidate_version", NULL, NULL, "max_rows"};
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Oid			types[] = {FLOAT8ARRAYOID, FLOAT8ARRAYOID, TEXTARRAYOID, TEXTARRAYOID};
	Datum		values[lengthof(types)];
	Resolved	version;
	Replay		replay;
	char	   *reference;
	SPITupleTable *rows;

	for (int i = 0; i < REPLAY_ARGUMENTS; i++)
	{
		if (names[i] != NULL && PG_ARGISNULL(i))
			report_null_argument(names[i]);
	}
	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	rows = logged_rows(fcinfo);
	begin_replay(&replay, (int) SPI_processed);
	reference = psprintf("%s/%d", text_to_cstring(PG_GETARG_TEXT_PP(REPLAY_MODEL)),
						 PG_GETARG_INT32(REPLAY_VERSION));
	version = *reference_resolve(reference, (int) strlen(reference));
	score_rows(&replay, &version, rows);

	values[0] = array_of(replay.numbers[LOGGED], replay.no_number[LOGGED], replay.n_rows,
						 FLOAT8OID);
	values[1] = array_of(replay.numbers[ANEW], replay.no_number[ANEW], replay.n_rows, FLOAT8OID);
	values[2] = array_of(replay.classes[LOGGED], replay.no_class[LOGGED], replay.n_rows, TEXTOID);
	values[3] = array_of(replay.classes[ANEW], replay.no_class[ANEW], replay.n_rows, TEXTOID);
	(void) catalog_read("SELECT * FROM churnops.agreement($1, $2, $3, $4)", lengthof(types),
						types, values, NULL);
	for (uint64 i = 0; i < SPI_processed; i++)
		tuplestore_puttuple(result->setResult, SPI_tuptable->vals[i]);
	SPI_finish();
	fcinfo->isnull = true;
	return (Datum) 0;
}
