/*
 * score.c
 *	  churnops_score: every row of a query, scored in blocks.
 *
 * The query runs as the caller.  Keys are made when a row is read and wait, in
 * a context of their own, until their block is full and scored.
 *
 * Forming a tuple costs as much as scoring a row, and rows of one class differ
 * in two columns only, the first ones: the key and the prediction.  So a row is
 * formed once per class, without a key, and copied.  What follows a key is put
 * at a multiple of what its first value, the prediction or else the class, is
 * aligned to; it began at such a place when it was formed.
 *
 * A bare model name has as many arms as it has deployments, and one: rows go
 * to the champion or to the candidate, and, if they are logged, to every shadow
 * as well.  A candidate that cannot score the rows of a logged query leaves
 * them to the champion, and the log says so: that is what it is judged by.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "portability/instr_time.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "pg/batch.h"
#include "pg/catalog.h"
#include "pg/query.h"
#include "pg/report.h"
#include "pg/route.h"
#include "pg/row_key.h"
#include "pg/score_log.h"

PG_FUNCTION_INFO_V1(churnops_score);

/* Columns of churnops.score_row. */
enum
{
	SCORE_KEY,
	SCORE_PREDICTION,
	SCORE_CLASS,
	SCORE_VERSION,
	SCORE_ARM,
	SCORE_COLUMNS
};

#define FIRST_ROW_BYTES 256

/* A version that scores rows. */
typedef struct Arm
{
	Batch		batch;
	const char *name;			/* NULL for a version by number */
	int64		deployment;		/* 0: none */
	char	   *trouble;		/* why it cannot score the query's rows; or NULL */
	double	   *outputs;		/* of a block */
	HeapTuple  *formed;			/* by class; of a regression, one */
	double		micros;			/* that a row of the block took */
} Arm;

/* What is known of a row of the block. */
typedef struct ScoringRow
{
	bool		is_candidates;
	int			slot;			/* in the block of its arm */
	double		share;			/* NAN without a key */
	Datum		key;
	Datum		log_key;
	Datum		features;
} ScoringRow;

typedef struct Scoring
{
	int			n_arms;			/* champion, candidate if there is one, shadows */
	Arm		   *arms;
	Route	   *route;			/* NULL: nothing is being rolled out */
	RowKey		route_key;
	StringInfoData route_bytes;
	RowKey		key;
	ScoreLog   *log;			/* NULL: nothing is logged */
	int			n_columns;		/* of the query's row, that are needed */
	MemoryContext key_context;	/* keys of the rows in the block */
	int			n_rows;			/* in the block */
	ScoringRow	block[FOREST_SCORE_BLOCK];
	HeapTupleData row;			/* the next one, if it has a key */
	Size		row_capacity;	/* bytes of its data */
	Tuplestorestate *rows;
} Scoring;

#define CHAMPION 0
#define CANDIDATE 1

/* Form the row of a class, its key NULL and its prediction, if it has one, 0. */
static HeapTuple
form_row(const Arm *arm, int class_index, TupleDesc row_type)
{
	const Answer *answer = &arm->batch.answer;
	Datum		values[SCORE_COLUMNS] = {0};
	bool		nulls[SCORE_COLUMNS] = {0};

	nulls[SCORE_KEY] = true;
	nulls[SCORE_PREDICTION] = !answer_has_number(answer);
	values[SCORE_PREDICTION] = Float8GetDatum(0);
	nulls[SCORE_CLASS] = answer->task == FOREST_REGRESSION;
	if (!nulls[SCORE_CLASS])
		values[SCORE_CLASS] = answer_label(answer, class_index);
	values[SCORE_VERSION] = Int32GetDatum(arm->batch.version.version);
	nulls[SCORE_ARM] = arm->name == NULL;
	if (!nulls[SCORE_ARM])
		values[SCORE_ARM] = CStringGetTextDatum(arm->name);
	return heap_form_tuple(row_type, values, nulls);
}

/* The values of a formed row behind its key. */
static inline char *
values_of(HeapTuple row)
{
	return (char *) row->t_data + row->t_data->t_hoff;
}

/* Make scoring->row of a formed row and a key. */
static HeapTuple
put_key(Scoring *scoring, const Arm *arm, HeapTuple formed, Datum key)
{
	HeapTuple	row = &scoring->row;
	struct varlena *json = (struct varlena *) DatumGetPointer(key);
	Size		key_bytes = VARATT_CAN_MAKE_SHORT(json) ?
		VARATT_CONVERTED_SHORT_SIZE(json) : VARSIZE(json);
	Size		key_space = answer_has_number(&arm->batch.answer) ?
		DOUBLEALIGN(key_bytes) : INTALIGN(key_bytes);
	Size		header_bytes = formed->t_data->t_hoff;
	char	   *at;

	row->t_len = (uint32) (formed->t_len + key_space);
	if (row->t_len > scoring->row_capacity)
	{
		scoring->row_capacity = (Size) row->t_len * 2;
		row->t_data = repalloc_huge(row->t_data, scoring->row_capacity);
	}
	memcpy(row->t_data, formed->t_data, header_bytes);
	row->t_data->t_infomask |= HEAP_HASVARWIDTH;
	row->t_data->t_bits[0] |= 1 << SCORE_KEY;
	at = values_of(row);
	if (key_bytes < VARSIZE(json))
	{
		SET_VARSIZE_SHORT(at, key_bytes);
		memcpy(at + VARHDRSZ_SHORT, VARDATA(json), key_bytes - VARHDRSZ_SHORT);
	}
	else
		memcpy(at, json, key_bytes);
	memset(at + key_bytes, 0, key_space - key_bytes);
	memcpy(at + key_space, values_of(formed), formed->t_len - header_bytes);
	return row;
}

/* Score the rows of the block by every arm. */
static void
score_block(Scoring *scoring)
{
	for (int i = 0; i < scoring->n_arms; i++)
	{
		Arm		   *arm = &scoring->arms[i];
		instr_time	start;
		instr_time	end;
		int			n_rows;

		INSTR_TIME_SET_CURRENT(start);
		n_rows = batch_score(&arm->batch, arm->outputs);
		INSTR_TIME_SET_CURRENT(end);
		INSTR_TIME_SUBTRACT(end, start);
		arm->micros = INSTR_TIME_GET_DOUBLE(end) * 1e6 / Max(n_rows, 1);
	}
}

static void
put_row(Scoring *scoring, const Arm *arm, const ScoringRow *known)
{
	const Answer *answer = &arm->batch.answer;
	const double *outputs = arm->outputs + (Size) known->slot * answer->n_outputs;
	int			class_index = answer->n_classes > 0 ? answer_class(answer, outputs) : 0;
	HeapTuple	row = arm->formed[class_index];

	if (answer_has_number(answer))
	{
		double		number = answer_number(answer, outputs);

		memcpy(values_of(row), &number, sizeof(number));
	}
	if (scoring->key.n_columns > 0)
		row = put_key(scoring, arm, row, known->key);
	tuplestore_puttuple(scoring->rows, row);
}

/* Log one arm's answer, from the given slot of its block. */
static void
log_answer(Scoring *scoring, const Arm *arm, const Arm *scorer, const ScoringRow *known, int slot)
{
	const Answer *answer = &scorer->batch.answer;
	bool		is_scored = arm == scorer ? arm->trouble == NULL : true;
	ScoreLogEntry entry = {
		.arm = arm->name,
		.version = scorer->batch.version.version,
		.deployment = arm->deployment,
		.share = known->share,
		.key = known->log_key,
		.features = known->features,
		.micros = scorer->micros,
		.error = arm->trouble,
	};

	if (is_scored)
	{
		entry.answer = answer;
		entry.outputs = scorer->outputs + (Size) slot * answer->n_outputs;
	}
	score_log_add(scoring->log, &entry);
}

static void
log_row(Scoring *scoring, const ScoringRow *known, int place)
{
	Arm		   *champion = &scoring->arms[CHAMPION];
	Arm		   *arm = known->is_candidates ? &scoring->arms[CANDIDATE] : champion;
	int			first_shadow = scoring->route != NULL ? CANDIDATE + 1 : CHAMPION + 1;
	ScoringRow	of_shadow = *known;

	score_log_next(scoring->log);
	log_answer(scoring, arm, arm->trouble != NULL ? champion : arm, known, known->slot);
	/* the row itself is kept once */
	of_shadow.features = (Datum) 0;
	of_shadow.share = NAN;
	for (int i = first_shadow; i < scoring->n_arms; i++)
		log_answer(scoring, &scoring->arms[i], &scoring->arms[i], &of_shadow, place);
}

/* Score the rows read so far, and store them. */
static void
flush(Scoring *scoring)
{
	score_block(scoring);
	for (int i = 0; i < scoring->n_rows; i++)
	{
		const ScoringRow *known = &scoring->block[i];
		const Arm  *arm = &scoring->arms[known->is_candidates ? CANDIDATE : CHAMPION];

		put_row(scoring, arm->trouble != NULL ? &scoring->arms[CHAMPION] : arm, known);
		if (scoring->log != NULL)
			log_row(scoring, known, i);
	}
	scoring->n_rows = 0;
	MemoryContextReset(scoring->key_context);
}

/* Where the key of a row falls; NAN if it has none. */
static double
share_of(Scoring *scoring, TupleTableSlot *slot)
{
	Batch	   *champion = &scoring->arms[CHAMPION].batch;
	const Route *route = scoring->route;
	bool		complete = scoring->route_key.n_columns > 0;

	if (route->n_key == 0)
		return route_share(route, (const char *) champion->bins +
						   champion->row_bytes * (champion->n_rows - 1),
						   forest_model_n_features(champion->model->forest));
	resetStringInfo(&scoring->route_bytes);
	for (int i = 0; complete && i < scoring->route_key.n_columns; i++)
	{
		RowKeyColumn *column = &scoring->route_key.columns[i];

		complete = route_append(&scoring->route_bytes, column,
								slot->tts_values[column->column],
								slot->tts_isnull[column->column]);
	}
	return complete ? route_share(route, scoring->route_bytes.data, scoring->route_bytes.len) :
		NAN;
}

/* Put the row, which is in the champion's block, into that of its arm. */
static void
choose_arm(Scoring *scoring, TupleTableSlot *slot, ScoringRow *known)
{
	Arm		   *candidate = &scoring->arms[CANDIDATE];

	known->share = share_of(scoring, slot);
	known->is_candidates = known->share < scoring->route->weight;
	if (!known->is_candidates || candidate->trouble != NULL)
		return;
	batch_take_back(&scoring->arms[CHAMPION].batch);
	(void) batch_add(&candidate->batch, slot);
	known->slot = candidate->batch.n_rows - 1;
}

/* Keys and the row itself as JSON. */
static void
keep_values(Scoring *scoring, TupleTableSlot *slot, ScoringRow *known)
{
	MemoryContext row_context = MemoryContextSwitchTo(scoring->key_context);

	if (scoring->key.n_columns > 0)
		known->key = row_key_jsonb(&scoring->key, slot->tts_values, slot->tts_isnull);
	if (scoring->log != NULL)
	{
		RowKey	   *log_key = score_log_key(scoring->log);
		RowKey	   *features = score_log_features(scoring->log);

		known->log_key = scoring->key.n_columns > 0 ? known->key :
			log_key == NULL ? (Datum) 0 :
			row_key_jsonb(log_key, slot->tts_values, slot->tts_isnull);
		known->features = features == NULL ? (Datum) 0 :
			row_key_jsonb(features, slot->tts_values, slot->tts_isnull);
	}
	(void) MemoryContextSwitchTo(row_context);
}

/* QueryRow */
static void
take_row(void *ctx, TupleTableSlot *slot)
{
	Scoring    *scoring = ctx;
	ScoringRow *known = &scoring->block[scoring->n_rows];
	Batch	   *champion = &scoring->arms[CHAMPION].batch;

	slot_getsomeattrs(slot, scoring->n_columns);
	if (scoring->key.n_columns > 0 || scoring->log != NULL)
		keep_values(scoring, slot, known);
	(void) batch_add(champion, slot);
	known->slot = champion->n_rows - 1;
	if (scoring->route != NULL)
		choose_arm(scoring, slot, known);
	for (int i = scoring->route != NULL ? CANDIDATE + 1 : CHAMPION + 1; i < scoring->n_arms; i++)
	{
		if (scoring->arms[i].trouble == NULL)
			(void) batch_add(&scoring->arms[i].batch, slot);
	}
	if (++scoring->n_rows == FOREST_SCORE_BLOCK)
		flush(scoring);
}

/* ---------------------------------------------------------------- begin -- */

static Arm *
add_arm(Scoring *scoring, const Resolved *version, const char *name, int64 deployment,
		TupleDesc row_type)
{
	Arm		   *arm = &scoring->arms[scoring->n_arms++];
	int			n_formed;

	memset(arm, 0, sizeof(*arm));
	arm->name = name;
	arm->deployment = deployment;
	batch_begin_version(&arm->batch, version);
	arm->outputs = palloc(sizeof(double) * FOREST_SCORE_BLOCK * arm->batch.answer.n_outputs);
	n_formed = Max(arm->batch.answer.n_classes, 1);
	arm->formed = palloc(sizeof(HeapTuple) * n_formed);
	for (int i = 0; i < n_formed; i++)
		arm->formed[i] = form_row(arm, i, row_type);
	return arm;
}

/* The arms of a reference; shadows only if they are asked for. */
static void
begin_arms(Scoring *scoring, text *reference, bool with_shadows, TupleDesc row_type)
{
	Resolved	version = *reference_resolve(VARDATA_ANY(reference), VARSIZE_ANY_EXHDR(reference));
	ScoreShadow *shadows = NULL;
	int			n_shadows = 0;

	if (with_shadows)
		n_shadows = score_log_shadows(&version, &shadows);
	scoring->arms = palloc(sizeof(Arm) * (CANDIDATE + 1 + n_shadows));
	(void) add_arm(scoring, &version, version.alias[0] == '\0' ? NULL : pstrdup(version.alias),
				   version.deployment, row_type);
	if (version.deployment != 0)
	{
		scoring->route = route_load(&version);
		(void) add_arm(scoring, &scoring->route->candidate, "candidate", version.deployment,
					   row_type);
	}
	for (int i = 0; i < n_shadows; i++)
		(void) add_arm(scoring, &shadows[i].version, "shadow", shadows[i].deployment, row_type);
}

/* What stays the same for all rows. */
static void
begin_scoring(Scoring *scoring, text *reference, bool with_log, ReturnSetInfo *result)
{
	begin_arms(scoring, reference, with_log, result->setDesc);
	scoring->key_context = AllocSetContextCreate(CurrentMemoryContext, "churnops keys",
												 ALLOCSET_DEFAULT_SIZES);
	initStringInfo(&scoring->route_bytes);
	for (int i = 0; i < FOREST_SCORE_BLOCK; i++)
		scoring->block[i].share = NAN;
	scoring->row = *scoring->arms[CHAMPION].formed[0];
	scoring->row_capacity = FIRST_ROW_BYTES;
	scoring->row.t_data = palloc(scoring->row_capacity);
	scoring->rows = result->setResult;
}

/* Match the query's columns with all that reads them. */
static void
use_columns(Scoring *scoring, ArrayType *key, TupleDesc columns)
{
	for (int i = 0; i < scoring->n_arms; i++)
	{
		Arm		   *arm = &scoring->arms[i];

		if (i > CHAMPION && scoring->log != NULL)
			arm->trouble = row_map_trouble(columns, arm->batch.model->forest);
		if (arm->trouble != NULL)
			continue;
		batch_columns(&arm->batch, columns);
		scoring->n_columns = Max(scoring->n_columns, arm->batch.map.n_columns);
	}
	row_key_init(&scoring->key, key, columns);
	scoring->n_columns = Max(scoring->n_columns, scoring->key.last_column);
	if (scoring->route != NULL)
	{
		(void) route_key_init(&scoring->route_key, scoring->route, columns);
		scoring->n_columns = Max(scoring->n_columns, scoring->route_key.last_column);
	}
	if (scoring->log != NULL)
		scoring->n_columns = Max(scoring->n_columns,
								 score_log_columns(scoring->log, scoring->route,
												   scoring->key.n_columns > 0, columns));
}

static void
check_arguments(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		report_null_argument("model_ref");
	if (PG_ARGISNULL(1))
		report_null_argument("query");
}

Datum
churnops_score(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	bool		with_log = !PG_ARGISNULL(3) && PG_GETARG_BOOL(3);
	Scoring    *scoring;
	UserQuery  *query;

	check_arguments(fcinfo);
	if (with_log)
		score_log_check();
	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	scoring = palloc0(sizeof(Scoring));
	begin_scoring(scoring, PG_GETARG_TEXT_PP(0), with_log, result);
	if (with_log)
		scoring->log = score_log_begin(&scoring->arms[CHAMPION].batch.version);
	query = query_prepare(text_to_cstring(PG_GETARG_TEXT_PP(1)));
	use_columns(scoring, PG_ARGISNULL(2) ? NULL : PG_GETARG_ARRAYTYPE_P(2), query_columns(query));
	(void) query_run(query, take_row, scoring);
	flush(scoring);
	if (scoring->log != NULL)
		score_log_write(scoring->log, scoring->route);
	SPI_finish();
	fcinfo->isnull = true;
	return (Datum) 0;
}
