/*
 * aggregate.h
 *	  What the SQL aggregates share: reading of labels, weights and texts,
 *	  states in the aggregate's memory, results of many rows.
 *
 * Rows in which an argument is NULL are left out.  A transition function finds
 * out about its arguments' types once and keeps that in fn_extra.
 */
#ifndef CHURNOPS_PG_AGGREGATE_H
#define CHURNOPS_PG_AGGREGATE_H

#include "fmgr.h"
#include "funcapi.h"

#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "metric/metric.h"
#include "pg/compat.h"
#include "pg/datum.h"
#include "pg/host.h"

/* The state of the aggregate, or NULL; what a transition returns when it adds nothing. */
#define AGGREGATE_STATE(i) (PG_ARGISNULL(i) ? NULL : (void *) PG_GETARG_POINTER(i))
#define AGGREGATE_RETURN(state) \
	do { if ((state) == NULL) PG_RETURN_NULL(); PG_RETURN_POINTER(state); } while (0)

/* NAN, which is undefined, becomes NULL. */
#define AGGREGATE_RETURN_NUMBER(x) \
	do { double x_ = (x); if (isnan(x_)) PG_RETURN_NULL(); PG_RETURN_FLOAT8(x_); } while (0)

/* Memory that lives as long as the group; raises outside an aggregate. */
extern MemoryContext aggregate_context(FunctionCallInfo fcinfo);

/* report_status(), but refused memory is told with both figures. */
extern void aggregate_check(const PgHost *host, Status status, const Failure *why);

/*
 * A writer of a serialised state, begun with room for a bytea's length; and
 * that bytea.  host is set up by the former, to live as long as the writer.
 */
extern void aggregate_writer_begin(ByteWriter *w, PgHost *host, Size n_bytes, Failure *why);
extern bytea *aggregate_writer_end(ByteWriter *w, const Failure *why);

/* How an argument that is a label is read. */
typedef enum LabelMode
{
	LABEL_BOOLEAN,
	LABEL_INTEGER,
	LABEL_TEXT,					/* stored as it is */
	LABEL_OTHER					/* by its text form */
} LabelMode;

typedef struct LabelReader
{
	LabelMode	mode;
	DatumType	type;
	bool		utf8;			/* the server's encoding is UTF-8 */
	char		digits[MAXINT8LEN + 1];
} LabelReader;

/* Raises 42804 for types that are no labels. */
extern void label_reader_init(LabelReader *reader, FunctionCallInfo fcinfo, int arg);

/* The label as a class, in UTF-8; valid until the next row. */
extern void label_reader_class(LabelReader *reader, Datum value, MetricLabel *out);

/* Is it the positive class, which may be given?  Without it labels are boolean, 0/1, or yes/no. */
extern bool label_reader_positive(LabelReader *reader, Datum value, text *positive_class);

/* Of classes with a known positive one, such as no and yes, that: -1 if these are others. */
extern int	label_positive_of(const MetricLabel *labels, uint32 n_labels, uint32 *positive);

/* A text or jsonb argument as it was last time. */
typedef struct ArgumentMemo
{
	struct varlena *value;
	Size		n_bytes;
} ArgumentMemo;

/* Is this what the memo has?  Otherwise it has it now. */
extern bool argument_same(ArgumentMemo *memo, FunctionCallInfo fcinfo, int arg);

/* Raise 22023: this argument has to be the same in all rows of a group. */
pg_noreturn extern void argument_changed(const char *name);

/* What a call of (label, score, …) has where. */
typedef struct ScoreCall
{
	LabelReader label;
	int			n_options;		/* of the aggregate's own, after the score */
	int			positive_class; /* argument, or 0 */
	int			weight;			/* argument, or 0 */
	ArgumentMemo memo;			/* of an option of the aggregate's own */
	int			choice;			/* what that means */
	MetricRule	rule;
} ScoreCall;

typedef struct ScoreRow
{
	bool		positive;
	double		score;
	double		weight;
} ScoreRow;

/* Find out about a call with n_options arguments between score and what all have. */
extern ScoreCall *score_call_init(FunctionCallInfo fcinfo, int n_options);

static inline ScoreCall *
score_call(FunctionCallInfo fcinfo, int n_options)
{
	ScoreCall  *call = fcinfo->flinfo->fn_extra;

	return call != NULL ? call : score_call_init(fcinfo, n_options);
}

/* Read a row; false if it is left out. */
extern bool score_row(FunctionCallInfo fcinfo, ScoreCall *call, ScoreRow *row);

/* Rows of a result that is an array of a composite type. */
typedef struct AggregateRows
{
	TupleDesc	descriptor;
	Oid			type;
	Datum	   *rows;
	Size		n;
	Size		capacity;
} AggregateRows;

extern void aggregate_rows_begin(AggregateRows *out, FunctionCallInfo fcinfo, Size capacity);

/* Add a row of numbers; NAN becomes NULL.  Columns may be integers. */
extern void aggregate_rows_add(AggregateRows *out, const double *values);
extern void aggregate_rows_add_datums(AggregateRows *out, Datum *values, bool *nulls);
extern Datum aggregate_rows_end(AggregateRows *out);

/* One row of numbers as a composite value, the function's result type. */
extern Datum aggregate_record(FunctionCallInfo fcinfo, const double *values);

/* The rule of churnops_threshold. */
extern void aggregate_read_rule(Jsonb *json, MetricRule *out);

#endif
