/*
 * aggregate_class.c
 *	  Aggregates of hard predictions: accuracy, precision, kappa, the confusion
 *	  matrix and their kin, of any number of classes.
 *
 * Labels and predictions may be of different types: what is compared is their
 * text form, as churnops_predict_class() gives it.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "pg/aggregate.h"
#include "pg/budget.h"
#include "pg/json.h"
#include "pg/report.h"

PG_FUNCTION_INFO_V1(churnops_add_class);
PG_FUNCTION_INFO_V1(churnops_add_class_average);
PG_FUNCTION_INFO_V1(churnops_add_class_fbeta);
PG_FUNCTION_INFO_V1(churnops_add_class_kappa);
PG_FUNCTION_INFO_V1(churnops_class_merge);
PG_FUNCTION_INFO_V1(churnops_class_write);
PG_FUNCTION_INFO_V1(churnops_class_read);
PG_FUNCTION_INFO_V1(churnops_class_accuracy);
PG_FUNCTION_INFO_V1(churnops_class_balanced_accuracy);
PG_FUNCTION_INFO_V1(churnops_class_mcc);
PG_FUNCTION_INFO_V1(churnops_class_precision);
PG_FUNCTION_INFO_V1(churnops_class_recall);
PG_FUNCTION_INFO_V1(churnops_class_specificity);
PG_FUNCTION_INFO_V1(churnops_class_fbeta);
PG_FUNCTION_INFO_V1(churnops_class_kappa);
PG_FUNCTION_INFO_V1(churnops_class_confusion);

/* What was given besides the rows, the same for all of them. */
typedef struct ClassOptions
{
	MetricAverage average;
	double		beta;
	int			power;			/* of distances between classes, see metric_confusion_kappa() */
	text	   *positive_class; /* or NULL */
} ClassOptions;

typedef struct ClassState
{
	PgHost		host;
	MetricConfusion confusion;
	ClassOptions options;
} ClassState;

typedef struct ClassCall
{
	LabelReader readers[2];		/* label, prediction */
	int			n_texts;		/* text arguments from first_text on */
	int			first_text;
	int			weight;			/* argument, or 0 */
	ArgumentMemo memo[2];
	ClassOptions options;
} ClassCall;

static const char *const average_names[] = {
	[AVERAGE_BINARY] = "binary",
	[AVERAGE_MACRO] = "macro",
	[AVERAGE_WEIGHTED] = "weighted",
	[AVERAGE_MICRO] = "micro",
};

static const char *const power_names[] = {"none", "linear", "quadratic"};

static ClassCall *
class_call_init(FunctionCallInfo fcinfo, int n_numbers)
{
	ClassCall  *call = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(ClassCall));
	int			next = 3 + n_numbers;

	label_reader_init(&call->readers[0], fcinfo, 1);
	label_reader_init(&call->readers[1], fcinfo, 2);
	call->options.beta = 1;
	call->first_text = next;
	while (next < PG_NARGS() && get_fn_expr_argtype(fcinfo->flinfo, next) == TEXTOID)
	{
		next++;
		call->n_texts++;
	}
	if (next < PG_NARGS())
		call->weight = next;
	fcinfo->flinfo->fn_extra = call;
	return call;
}

static inline ClassCall *
class_call(FunctionCallInfo fcinfo, int n_numbers)
{
	ClassCall  *call = fcinfo->flinfo->fn_extra;

	return call != NULL ? call : class_call_init(fcinfo, n_numbers);
}

static bool
same_positive_class(const text *a, const text *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return VARSIZE_ANY_EXHDR(a) == VARSIZE_ANY_EXHDR(b) &&
		memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) == 0;
}

/* Raise unless the options of a row are those of the state. */
static void
check_options(const ClassOptions *state, const ClassOptions *row)
{
	if (state->average != row->average)
		argument_changed("average");
	if (state->beta != row->beta)
		argument_changed("beta");
	if (state->power != row->power)
		argument_changed("weights");
	if (!same_positive_class(state->positive_class, row->positive_class))
		argument_changed("positive_class");
}

static ClassState *
new_state(MemoryContext context, bool weighted, const ClassOptions *options)
{
	ClassState *state = MemoryContextAllocZero(context, sizeof(ClassState));

	pg_host_init(&state->host, context, budget_bytes());
	metric_confusion_begin(&state->confusion, &state->host.host, weighted);
	state->options = *options;
	if (options->positive_class != NULL)
	{
		Size		n_bytes = VARSIZE_ANY(options->positive_class);

		state->options.positive_class = MemoryContextAlloc(context, n_bytes);
		memcpy(state->options.positive_class, options->positive_class, n_bytes);
	}
	return state;
}

/* The choice that a text argument makes among names. */
static int
choice_of(FunctionCallInfo fcinfo, int arg, const char *argument, const char *const *names,
		  int n_names, const char *hint)
{
	char	   *given = text_to_cstring(PG_GETARG_TEXT_PP(arg));

	for (int i = 0; i < n_names; i++)
		if (strcmp(given, names[i]) == 0)
			return i;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s \"%s\" is not known", argument, given),
			 errhint("%s", hint)));
}

static Datum
add_row(FunctionCallInfo fcinfo, ClassCall *call)
{
	ClassState *state = AGGREGATE_STATE(0);
	MetricLabel labels[2];
	double		weight = 1;
	Failure		why;
	Status		status;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || (call->weight != 0 && PG_ARGISNULL(call->weight)))
		AGGREGATE_RETURN(state);
	if (call->weight != 0)
		weight = PG_GETARG_FLOAT8(call->weight);
	label_reader_class(&call->readers[0], PG_GETARG_DATUM(1), &labels[0]);
	label_reader_class(&call->readers[1], PG_GETARG_DATUM(2), &labels[1]);
	if (state == NULL)
		state = new_state(aggregate_context(fcinfo), call->weight != 0, &call->options);
	else
		check_options(&state->options, &call->options);
	status = metric_confusion_add(&state->confusion, &labels[0], &labels[1], weight, &why);
	if (unlikely(status != STATUS_OK))
		aggregate_check(&state->host, status, &why);
	PG_RETURN_POINTER(state);
}

/* (state, label, predicted [, weight]) */
Datum
churnops_add_class(PG_FUNCTION_ARGS)
{
	return add_row(fcinfo, class_call(fcinfo, 0));
}

/* Read average and positive_class, as far as they are there. */
static void
read_average(FunctionCallInfo fcinfo, ClassCall *call)
{
	static const char *const names[] = {"average", "positive_class"};

	for (int i = 0; i < call->n_texts; i++)
	{
		int			arg = call->first_text + i;

		if (PG_ARGISNULL(arg))
			report_null_argument(names[i]);
		if (argument_same(&call->memo[i], fcinfo, arg))
			continue;
		if (i == 0)
			call->options.average = choice_of(fcinfo, arg, "average", average_names,
											  lengthof(average_names),
											  "It is binary, macro, weighted or micro.");
		else
			call->options.positive_class = (text *) call->memo[i].value;
	}
}

/* (state, label, predicted [, average [, positive_class]] [, weight]) */
Datum
churnops_add_class_average(PG_FUNCTION_ARGS)
{
	ClassCall  *call = class_call(fcinfo, 0);

	read_average(fcinfo, call);
	return add_row(fcinfo, call);
}

/* (state, label, predicted, beta [, average [, positive_class]] [, weight]) */
Datum
churnops_add_class_fbeta(PG_FUNCTION_ARGS)
{
	ClassCall  *call = class_call(fcinfo, 1);

	if (PG_ARGISNULL(3))
		report_null_argument("beta");
	call->options.beta = PG_GETARG_FLOAT8(3);
	if (!(call->options.beta > 0) || isinf(call->options.beta))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("beta is %g, a finite number above 0 is required", call->options.beta)));
	read_average(fcinfo, call);
	return add_row(fcinfo, call);
}

/* (state, label, predicted, weights [, weight]) */
Datum
churnops_add_class_kappa(PG_FUNCTION_ARGS)
{
	ClassCall  *call = class_call(fcinfo, 0);

	if (PG_ARGISNULL(3))
		report_null_argument("weights");
	if (!argument_same(&call->memo[0], fcinfo, 3))
		call->options.power = choice_of(fcinfo, 3, "weights", power_names, lengthof(power_names),
										"It is none, linear or quadratic.");
	return add_row(fcinfo, call);
}

/* ---------------------------------------------------------------- merging -- */

Datum
churnops_class_merge(PG_FUNCTION_ARGS)
{
	ClassState *state = AGGREGATE_STATE(0);
	ClassState *other = AGGREGATE_STATE(1);
	Failure		why;

	if (other == NULL)
		AGGREGATE_RETURN(state);
	if (state == NULL)
		state = new_state(aggregate_context(fcinfo), other->confusion.weighted, &other->options);
	else
		check_options(&state->options, &other->options);
	aggregate_check(&state->host,
					metric_confusion_merge(&state->confusion, &other->confusion, &why), &why);
	PG_RETURN_POINTER(state);
}

Datum
churnops_class_write(PG_FUNCTION_ARGS)
{
	ClassState *state = (ClassState *) PG_GETARG_POINTER(0);
	const text *positive_class = state->options.positive_class;
	PgHost		host;
	ByteWriter	w;
	Failure		why;

	aggregate_writer_begin(&w, &host, 0, &why);
	bytes_put_u8(&w, state->options.average);
	bytes_put_f64(&w, state->options.beta);
	bytes_put_u8(&w, state->options.power);
	bytes_put_u8(&w, positive_class != NULL);
	if (positive_class != NULL)
		bytes_put_string(&w, VARDATA_ANY(positive_class), VARSIZE_ANY_EXHDR(positive_class));
	metric_confusion_write(&state->confusion, &w);
	PG_RETURN_BYTEA_P(aggregate_writer_end(&w, &why));
}

Datum
churnops_class_read(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	ClassState *state = palloc0(sizeof(ClassState));
	ByteReader	r;
	Failure		why;

	pg_host_init(&state->host, CurrentMemoryContext, budget_bytes());
	bytes_reader_begin(&r, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	state->options.average = bytes_get_u8(&r);
	state->options.beta = bytes_get_f64(&r);
	state->options.power = bytes_get_u8(&r);
	if (bytes_get_u8(&r) != 0)
	{
		size_t		n_bytes = 0;
		const char *name = bytes_get_string(&r, &n_bytes);

		if (name != NULL)
			state->options.positive_class = cstring_to_text_with_len(name, (int) n_bytes);
	}
	aggregate_check(&state->host,
					metric_confusion_read(&state->confusion, &state->host.host, &r, &why), &why);
	PG_RETURN_POINTER(state);
}

/* ----------------------------------------------------------------- values -- */

/* The state with its classes in order; NULL without rows. */
static ClassState *
sorted_state(FunctionCallInfo fcinfo)
{
	ClassState *state = AGGREGATE_STATE(0);
	Failure		why;

	if (state == NULL || state->confusion.n_classes == 0)
		return NULL;
	aggregate_check(&state->host, metric_confusion_sort(&state->confusion, &why), &why);
	return state;
}

static double
report_value(FunctionCallInfo fcinfo, MetricName metric)
{
	ClassState *state = sorted_state(fcinfo);
	MetricReport report;
	Failure		why;

	if (state == NULL)
		return NAN;
	aggregate_check(&state->host, metric_confusion_report(&state->confusion, &report, &why),
					&why);
	return report.value[metric];
}

Datum
churnops_class_accuracy(PG_FUNCTION_ARGS)
{
	AGGREGATE_RETURN_NUMBER(report_value(fcinfo, METRIC_ACCURACY));
}

Datum
churnops_class_balanced_accuracy(PG_FUNCTION_ARGS)
{
	AGGREGATE_RETURN_NUMBER(report_value(fcinfo, METRIC_BALANCED_ACCURACY));
}

Datum
churnops_class_mcc(PG_FUNCTION_ARGS)
{
	AGGREGATE_RETURN_NUMBER(report_value(fcinfo, METRIC_MCC));
}

/* A label in the server's encoding. */
static char *
label_text(const MetricLabel *label)
{
	return json_from_utf8(pnstrdup(label->text, label->n_bytes));
}

/* Labels for a message: the first few, quoted. */
static char *
quoted_labels(const MetricConfusion *c)
{
	StringInfoData out;

	initStringInfo(&out);
	for (uint32 k = 0; k < c->n_classes && k < 5; k++)
		appendStringInfo(&out, "%s\"%s\"", k > 0 ? ", " : "",
						 label_text(&c->labels[k]));
	if (c->n_classes > 5)
		appendStringInfoString(&out, ", …");
	return out.data;
}

/* The positive class for average "binary": n_classes if no row is of it or predicted so. */
static uint32
positive_of(const ClassState *state)
{
	const MetricConfusion *c = &state->confusion;
	const text *name = state->options.positive_class;
	uint32		positive;

	if (name != NULL)
	{
		size_t		n_bytes;
		const char *utf8 = datum_to_utf8(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name), &n_bytes);

		positive = metric_confusion_class(c, utf8, n_bytes);
		if (c->n_classes + (positive == c->n_classes) <= 2)
			return positive;
	}
	else if (label_positive_of(c->labels, c->n_classes, &positive) == 0)
		return positive;
	if (name == NULL && c->n_classes <= 2)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("labels %s do not tell which is the positive class", quoted_labels(c)),
				 errhint("Name it after the average, as in churnops_f1(label, predicted, "
						 "'binary', %s).",
						 quote_literal_cstr(label_text(&c->labels[c->n_classes - 1])))));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("average \"binary\" is for two classes, there are %s%s", quoted_labels(c),
					name != NULL && positive == c->n_classes ? " beside the positive class" : ""),
			 errhint("Give the average 'macro', 'weighted' or 'micro'.")));
}

static Datum
measure_datum(FunctionCallInfo fcinfo, MetricHardName name)
{
	ClassState *state = sorted_state(fcinfo);
	uint32		positive = 0;
	double		value;
	Failure		why;

	if (state == NULL)
		PG_RETURN_NULL();
	if (state->options.average == AVERAGE_BINARY)
		positive = positive_of(state);
	aggregate_check(&state->host,
					metric_confusion_measure(&state->confusion, name, state->options.average,
											 positive, state->options.beta, &value, &why), &why);
	AGGREGATE_RETURN_NUMBER(value);
}

Datum
churnops_class_precision(PG_FUNCTION_ARGS)
{
	return measure_datum(fcinfo, HARD_PRECISION);
}

Datum
churnops_class_recall(PG_FUNCTION_ARGS)
{
	return measure_datum(fcinfo, HARD_RECALL);
}

Datum
churnops_class_specificity(PG_FUNCTION_ARGS)
{
	return measure_datum(fcinfo, HARD_SPECIFICITY);
}

Datum
churnops_class_fbeta(PG_FUNCTION_ARGS)
{
	return measure_datum(fcinfo, HARD_FBETA);
}

Datum
churnops_class_kappa(PG_FUNCTION_ARGS)
{
	ClassState *state = sorted_state(fcinfo);
	double		value;
	Failure		why;

	if (state == NULL)
		PG_RETURN_NULL();
	aggregate_check(&state->host, metric_confusion_kappa(&state->confusion, state->options.power,
														 &value, &why), &why);
	AGGREGATE_RETURN_NUMBER(value);
}

/* Every cell of the matrix, as an array of (label, predicted, n) */
Datum
churnops_class_confusion(PG_FUNCTION_ARGS)
{
	ClassState *state = sorted_state(fcinfo);
	const MetricConfusion *c;
	AggregateRows rows;
	Datum	   *labels;

	if (state == NULL)
		PG_RETURN_NULL();
	c = &state->confusion;
	labels = palloc(c->n_classes * sizeof(Datum));
	for (uint32 k = 0; k < c->n_classes; k++)
		labels[k] = CStringGetTextDatum(label_text(&c->labels[k]));
	aggregate_rows_begin(&rows, fcinfo, (Size) c->n_classes * c->n_classes);
	for (uint32 i = 0; i < c->n_classes; i++)
		for (uint32 j = 0; j < c->n_classes; j++)
		{
			Datum		values[] = {labels[i], labels[j],
			Float8GetDatum(metric_confusion_cell(c, i, j))};
			bool		nulls[] = {false, false, false};

			aggregate_rows_add_datums(&rows, values, nulls);
		}
	return aggregate_rows_end(&rows);
}
