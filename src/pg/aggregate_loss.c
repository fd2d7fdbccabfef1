/*
 * aggregate_loss.c
 *	  Aggregates that are means over rows: log loss, Brier score, errors of
 *	  regressions.
 *
 * One state and one set of functions to merge and to pass it on serve all; the
 * transition functions differ in the loss.
 */
#include "postgres.h"

#include <math.h>

#include "utils/builtins.h"

#include "pg/aggregate.h"
#include "pg/report.h"

PG_FUNCTION_INFO_V1(churnops_loss_merge);
PG_FUNCTION_INFO_V1(churnops_loss_write);
PG_FUNCTION_INFO_V1(churnops_loss_read);
PG_FUNCTION_INFO_V1(churnops_loss_mean);
PG_FUNCTION_INFO_V1(churnops_loss_root);
PG_FUNCTION_INFO_V1(churnops_loss_brier_skill);
PG_FUNCTION_INFO_V1(churnops_loss_r2);
PG_FUNCTION_INFO_V1(churnops_add_log_loss);
PG_FUNCTION_INFO_V1(churnops_add_brier);
PG_FUNCTION_INFO_V1(churnops_add_squared);
PG_FUNCTION_INFO_V1(churnops_add_absolute);
PG_FUNCTION_INFO_V1(churnops_add_r2);
PG_FUNCTION_INFO_V1(churnops_add_mape);
PG_FUNCTION_INFO_V1(churnops_add_smape);
PG_FUNCTION_INFO_V1(churnops_add_wape);
PG_FUNCTION_INFO_V1(churnops_add_log_squared);
PG_FUNCTION_INFO_V1(churnops_add_pinball);
PG_FUNCTION_INFO_V1(churnops_add_poisson);

static MetricLossState *
new_state(FunctionCallInfo fcinfo, MetricLoss loss, bool weighted, double alpha)
{
	MetricLossState *state = MemoryContextAlloc(aggregate_context(fcinfo),
												metric_loss_bytes(loss, weighted));

	metric_loss_begin(state, loss, weighted, alpha);
	return state;
}

/* (state, label, score [, positive_class] [, weight]) */
static Datum
add_score(FunctionCallInfo fcinfo, MetricLoss loss)
{
	ScoreCall  *call = score_call(fcinfo, 0);
	MetricLossState *state = AGGREGATE_STATE(0);
	ScoreRow	row;
	Failure		why;

	if (!score_row(fcinfo, call, &row))
		AGGREGATE_RETURN(state);
	if (state == NULL)
		state = new_state(fcinfo, loss, call->weight != 0, 0);
	report_status(metric_loss_add(state, row.positive, row.score, row.weight, &why), &why);
	PG_RETURN_POINTER(state);
}

Datum
churnops_add_log_loss(PG_FUNCTION_ARGS)
{
	return add_score(fcinfo, LOSS_LOG);
}

Datum
churnops_add_brier(PG_FUNCTION_ARGS)
{
	return add_score(fcinfo, LOSS_BRIER);
}

/* (state, target, prediction, …, and the weight if there are n_args arguments) */
static inline Datum
add_number(FunctionCallInfo fcinfo, MetricLoss loss, double alpha, int n_args)
{
	MetricLossState *state = AGGREGATE_STATE(0);
	bool		weighted = PG_NARGS() == n_args;
	Failure		why;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || (weighted && PG_ARGISNULL(n_args - 1)))
		AGGREGATE_RETURN(state);
	if (state == NULL)
		state = new_state(fcinfo, loss, weighted, alpha);
	else if (state->alpha != alpha)
		argument_changed("alpha");
	report_status(metric_loss_add(state, PG_GETARG_FLOAT8(1), PG_GETARG_FLOAT8(2),
								  weighted ? PG_GETARG_FLOAT8(n_args - 1) : 1, &why), &why);
	PG_RETURN_POINTER(state);
}

Datum
churnops_add_squared(PG_FUNCTION_ARGS)
{
	return add_number(fcinfo, LOSS_SQUARED, 0, 4);
}

Datum
churnops_add_absolute(PG_FUNCTION_ARGS)
{
	return add_number(fcinfo, LOSS_ABSOLUTE, 0, 4);
}

Datum
churnops_add_r2(PG_FUNCTION_ARGS)
{
	return add_number(fcinfo, LOSS_R2, 0, 4);
}

Datum
churnops_add_mape(PG_FUNCTION_ARGS)
{
	return add_number(fcinfo, LOSS_MAPE, 0, 4);
}

Datum
churnops_add_smape(PG_FUNCTION_ARGS)
{
	return add_number(fcinfo, LOSS_SMAPE, 0, 4);
}

Datum
churnops_add_wape(PG_FUNCTION_ARGS)
{
	return add_number(fcinfo, LOSS_WAPE, 0, 4);
}

Datum
churnops_add_log_squared(PG_FUNCTION_ARGS)
{
	return add_number(fcinfo, LOSS_LOG_SQUARED, 0, 4);
}

Datum
churnops_add_poisson(PG_FUNCTION_ARGS)
{
	return add_number(fcinfo, LOSS_POISSON, 0, 4);
}

Datum
churnops_add_pinball(PG_FUNCTION_ARGS)
{
	double		alpha;

	if (PG_ARGISNULL(3))
		report_null_argument("alpha");
	alpha = PG_GETARG_FLOAT8(3);
	if (!(alpha >= 0 && alpha <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("alpha is %g, a number from 0 to 1 is required", alpha)));
	return add_number(fcinfo, LOSS_PINBALL, alpha, 5);
}

Datum
churnops_loss_merge(PG_FUNCTION_ARGS)
{
	MetricLossState *state = AGGREGATE_STATE(0);
	MetricLossState *other = AGGREGATE_STATE(1);
	Failure		why;

	if (other == NULL)
		AGGREGATE_RETURN(state);
	if (state == NULL)
		state = new_state(fcinfo, other->loss, other->weighted, other->alpha);
	report_status(metric_loss_merge(state, other, &why), &why);
	PG_RETURN_POINTER(state);
}

Datum
churnops_loss_write(PG_FUNCTION_ARGS)
{
	PgHost		host;
	ByteWriter	w;
	Failure		why;

	aggregate_writer_begin(&w, &host, 0, &why);
	metric_loss_write((MetricLossState *) PG_GETARG_POINTER(0), &w);
	PG_RETURN_BYTEA_P(aggregate_writer_end(&w, &why));
}

Datum
churnops_loss_read(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	MetricLossState *state;
	ByteReader	r;
	Failure		why;

	bytes_reader_begin(&r, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	state = palloc(Max(metric_loss_stored_bytes(&r), sizeof(MetricLossState)));
	report_status(metric_loss_read(state, &r, &why), &why);
	PG_RETURN_POINTER(state);
}

Datum
churnops_loss_mean(PG_FUNCTION_ARGS)
{
	const MetricLossState *state = AGGREGATE_STATE(0);

	AGGREGATE_RETURN_NUMBER(state != NULL ? metric_loss_mean(state) : NAN);
}

/* The square root of the mean */
Datum
churnops_loss_root(PG_FUNCTION_ARGS)
{
	const MetricLossState *state = AGGREGATE_STATE(0);

	AGGREGATE_RETURN_NUMBER(state != NULL ? sqrt(metric_loss_mean(state)) : NAN);
}

Datum
churnops_loss_brier_skill(PG_FUNCTION_ARGS)
{
	const MetricLossState *state = AGGREGATE_STATE(0);

	AGGREGATE_RETURN_NUMBER(state != NULL ? metric_loss_brier_skill(state) : NAN);
}

Datum
churnops_loss_r2(PG_FUNCTION_ARGS)
{
	const MetricLossState *state = AGGREGATE_STATE(0);

	AGGREGATE_RETURN_NUMBER(state != NULL ? metric_loss_r2(state) : NAN);
}
