/*
 * trivial.c
 *	  The least that a C function can do with a row: what calling one costs.
 *
 * bench_row(record) takes the row apart with a cached descriptor, as scoring
 * a whole row has to; bench_scalars(VARIADIC "any") reads its arguments.
 * Both give the number of values that are not null.  Compiled by the
 * benchmark for its own server, never installed.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "fmgr.h"
#include "utils/typcache.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(bench_row);
PG_FUNCTION_INFO_V1(bench_scalars);

typedef struct RowState
{
	TupleDesc	descriptor;
	Datum		values[MaxTupleAttributeNumber];
	bool		nulls[MaxTupleAttributeNumber];
} RowState;

static RowState *
row_state(FunctionCallInfo fcinfo, HeapTupleHeader row)
{
	RowState   *state = fcinfo->flinfo->fn_extra;
	MemoryContext old;

	if (state != NULL)
		return state;
	old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	state = palloc(sizeof(RowState));
	state->descriptor = lookup_rowtype_tupdesc_copy(HeapTupleHeaderGetTypeId(row),
													HeapTupleHeaderGetTypMod(row));
	fcinfo->flinfo->fn_extra = state;
	MemoryContextSwitchTo(old);
	return state;
}

Datum
bench_row(PG_FUNCTION_ARGS)
{
	HeapTupleHeader row = PG_GETARG_HEAPTUPLEHEADER(0);
	RowState   *state = row_state(fcinfo, row);
	HeapTupleData tuple = {.t_len = HeapTupleHeaderGetDatumLength(row),.t_data = row};
	int			n = 0;

	heap_deform_tuple(&tuple, state->descriptor, state->values, state->nulls);
	for (int i = 0; i < state->descriptor->natts; i++)
		n += !state->nulls[i];
	PG_RETURN_FLOAT8(n);
}

Datum
bench_scalars(PG_FUNCTION_ARGS)
{
	int			n = 0;

	for (int i = 0; i < PG_NARGS(); i++)
		n += !PG_ARGISNULL(i);
	PG_RETURN_FLOAT8(n);
}
