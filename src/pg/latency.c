/*
 * latency.c
 *	  How long a row takes to be scored, for the gate of that name.
 *
 * What is timed is what churnops_score does with a row: encoding it, and
 * scoring a block of them.  Reading the rows is the query's business.  The
 * first block is scored once before, so that the model is in memory as it will
 * be in service.
 */
#include "postgres.h"

#include <math.h>

#include "executor/spi.h"
#include "fmgr.h"
#include "portability/instr_time.h"
#include "utils/builtins.h"

#include "pg/batch.h"
#include "pg/caller.h"
#include "pg/json.h"
#include "pg/query.h"

PG_FUNCTION_INFO_V1(churnops_latency_as);

typedef struct Latency
{
	Batch		batch;
	double	   *out;
	bool		warm;			/* the first block is through */
	instr_time	spent;
	int64		n_rows;
} Latency;

/* Score the block that is full, or the last one. */
static void
flush(Latency *l)
{
	instr_time	start;
	instr_time	end;
	int			n_rows = l->batch.n_rows;

	if (!l->warm)
	{
		(void) batch_score(&l->batch, l->out);
		l->batch.n_rows = n_rows;
		l->warm = true;
	}
	INSTR_TIME_SET_CURRENT(start);
	l->n_rows += batch_score(&l->batch, l->out);
	INSTR_TIME_SET_CURRENT(end);
	INSTR_TIME_ACCUM_DIFF(l->spent, end, start);
}

/* QueryRow */
static void
take_row(void *ctx, TupleTableSlot *slot)
{
	Latency    *l = ctx;
	instr_time	start;
	instr_time	end;
	bool		full;

	slot_getsomeattrs(slot, l->batch.map.n_columns);
	INSTR_TIME_SET_CURRENT(start);
	full = batch_add(&l->batch, slot);
	INSTR_TIME_SET_CURRENT(end);
	INSTR_TIME_ACCUM_DIFF(l->spent, end, start);
	if (full)
		flush(l);
}

static void
measure(Latency *l, text *reference, const char *text)
{
	UserQuery  *query;

	batch_begin(&l->batch, reference);
	l->out = palloc(sizeof(double) * l->batch.answer.n_outputs * FOREST_SCORE_BLOCK);
	INSTR_TIME_SET_ZERO(l->spent);
	query = query_prepare_unkept(text);
	batch_columns(&l->batch, query_columns(query));
	(void) query_run(query, take_row, l);
	flush(l);
}

/*
 * churnops.latency_as(caller, search_path, model_ref, query), owner only:
 * {value, n}, microseconds a row and rows of the query, which is run as the
 * caller.
 */
Datum
churnops_latency_as(PG_FUNCTION_ARGS)
{
	MemoryContext context = CurrentMemoryContext;
	char	   *query = text_to_cstring(PG_GETARG_TEXT_PP(3));
	Latency    *l = palloc0(sizeof(Latency));
	Owner		owner;
	StringInfoData out;

	SPI_connect();
	MemoryContextSwitchTo(context);
	caller_become(PG_GETARG_NAME(0), text_to_cstring(PG_GETARG_TEXT_PP(1)), &owner);
	measure(l, PG_GETARG_TEXT_PP(2), query);
	caller_leave(&owner);
	SPI_finish();
	initStringInfo(&out);
	appendStringInfoChar(&out, '{');
	json_number(&out, "value", l->n_rows == 0 ? NAN :
				INSTR_TIME_GET_DOUBLE(l->spent) * 1e6 / l->n_rows);
	json_integer(&out, "n", l->n_rows);
	appendStringInfoChar(&out, '}');
	PG_RETURN_JSONB_P(json_to_jsonb(out.data));
}
