/*
 * aggregate_proba.c
 *	  Aggregates of the probabilities of several classes, as
 *	  churnops_predict_proba() gives them: a JSON object of label and
 *	  probability.
 *
 * Log loss and Brier score are means over rows.  For ROC AUC and average
 * precision the rows are ranked for each class against all others.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#include "pg/aggregate.h"
#include "pg/budget.h"
#include "pg/json.h"
#include "pg/numeric.h"
#include "pg/report.h"

PG_FUNCTION_INFO_V1(churnops_add_proba_log_loss);
PG_FUNCTION_INFO_V1(churnops_add_proba_brier);
PG_FUNCTION_INFO_V1(churnops_add_proba_ranked);
PG_FUNCTION_INFO_V1(churnops_proba_merge);
PG_FUNCTION_INFO_V1(churnops_proba_write);
PG_FUNCTION_INFO_V1(churnops_proba_read);
PG_FUNCTION_INFO_V1(churnops_proba_roc_auc);
PG_FUNCTION_INFO_V1(churnops_proba_average_precision);

/* How far a row's probabilities may be from 1 in sum. */
#define SUM_TOLERANCE 1e-6

/* A class of the ranked rows. */
typedef struct ProbaClass
{
	text	   *label;
	MetricRanked ranked;
} ProbaClass;

typedef struct ProbaState
{
	PgHost		host;
	bool		by_support;		/* average "weighted" */
	int			n_classes;
	ProbaClass *classes;		/* in the order of the keys */
} ProbaState;

typedef struct ProbaCall
{
	LabelReader label;
	int			average;		/* arguments, or 0 */
	int			weight;
	ArgumentMemo memo;
	bool		by_support;
} ProbaCall;

/* A row's label, in the server's encoding. */
typedef struct ProbaRow
{
	const char *label;
	size_t		n_bytes;
	Jsonb	   *probabilities;
	double		weight;
} ProbaRow;

static ProbaCall *
proba_call(FunctionCallInfo fcinfo)
{
	ProbaCall  *call = fcinfo->flinfo->fn_extra;
	int			next = 3;

	if (call != NULL)
		return call;
	call = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(ProbaCall));
	label_reader_init(&call->label, fcinfo, 1);
	if (next < PG_NARGS() && get_fn_expr_argtype(fcinfo->flinfo, next) == TEXTOID)
		call->average = next++;
	if (next < PG_NARGS())
		call->weight = next;
	fcinfo->flinfo->fn_extra = call;
	return call;
}

/* Read a row; false if it is left out. */
static bool
proba_row(FunctionCallInfo fcinfo, ProbaCall *call, ProbaRow *row)
{
	MetricLabel label;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || (call->weight != 0 && PG_ARGISNULL(call->weight)))
		return false;
	row->weight = call->weight != 0 ? PG_GETARG_FLOAT8(call->weight) : 1;
	row->probabilities = PG_GETARG_JSONB_P(2);
	if (!JB_ROOT_IS_OBJECT(row->probabilities))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("probabilities must be a JSON object of labels and numbers"),
				 errhint("For example '{\"No\": 0.73, \"Yes\": 0.27}', as churnops_predict_proba() "
						 "gives it.")));
	label_reader_class(&call->label, PG_GETARG_DATUM(1), &label);
	row->label = datum_from_utf8(label.text, label.n_bytes, &row->n_bytes);
	return true;
}

/* A probability of a JSON object. */
static double
probability_of(const JsonbValue *key, const JsonbValue *value)
{
	double		p = NAN;

	if (value->type == jbvNumeric)
		p = numeric_to_double(NumericGetDatum(value->val.numeric));
	if (!(p >= 0 && p <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" has no probability between 0 and 1",
						pnstrdup(key->val.string.val, key->val.string.len))));
	return p;
}

static void
check_sum(double sum)
{
	if (!(fabs(sum - 1) <= SUM_TOLERANCE))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the sum of the probabilities is %g, 1 is required", sum)));
}

static void
unknown_label(const ProbaRow *row)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("label \"%s\" has no probability", pnstrdup(row->label, row->n_bytes)),
			 errdetail("The probabilities are those of other classes.")));
}

/* The next member of an object; false at its end. */
static bool
next_member(JsonbIterator **iterator, JsonbValue *key, JsonbValue *value)
{
	JsonbIteratorToken token;

	while ((token = JsonbIteratorNext(iterator, key, true)) != WJB_DONE)
	{
		if (token != WJB_KEY)
			continue;
		(void) JsonbIteratorNext(iterator, value, true);
		return true;
	}
	return false;
}

static inline bool
is_label(const JsonbValue *key, const ProbaRow *row)
{
	return (size_t) key->val.string.len == row->n_bytes &&
		memcmp(key->val.string.val, row->label, row->n_bytes) == 0;
}

/* ------------------------------------------------------------------ means -- */

/* The probability of the true class, and Σ (p - y)² over all. */
static void
losses_of(const ProbaRow *row, double *p_true, double *squares)
{
	JsonbIterator *iterator = JsonbIteratorInit(&row->probabilities->root);
	JsonbValue	key;
	JsonbValue	value;
	double		sum = 0;
	bool		found = false;

	*squares = 0;
	while (next_member(&iterator, &key, &value))
	{
		double		p = probability_of(&key, &value);
		bool		is_true = is_label(&key, row);

		sum += p;
		*squares += (p - is_true) * (p - is_true);
		if (is_true)
			*p_true = p;
		found |= is_true;
	}
	check_sum(sum);
	if (!found)
		unknown_label(row);
}

static Datum
add_loss(FunctionCallInfo fcinfo, MetricLoss loss)
{
	ProbaCall  *call = proba_call(fcinfo);
	MetricLossState *state = AGGREGATE_STATE(0);
	ProbaRow	row;
	double		p_true = NAN;
	double		squares;
	Failure		why;
	Status		status;

	if (!proba_row(fcinfo, call, &row))
		AGGREGATE_RETURN(state);
	losses_of(&row, &p_true, &squares);
	if (state == NULL)
	{
		state = MemoryContextAlloc(aggregate_context(fcinfo),
								   metric_loss_bytes(loss, call->weight != 0));
		metric_loss_begin(state, loss, call->weight != 0, 0);
	}
	if (loss == LOSS_LOG)
		status = metric_loss_add(state, 1, p_true, row.weight, &why);
	else
		status = metric_loss_add_term(state, squares, row.weight, &why);
	report_status(status, &why);
	PG_RETURN_POINTER(state);
}

/* (state, label, probabilities [, weight]) */
Datum
churnops_add_proba_log_loss(PG_FUNCTION_ARGS)
{
	return add_loss(fcinfo, LOSS_LOG);
}

Datum
churnops_add_proba_brier(PG_FUNCTION_ARGS)
{
	return add_loss(fcinfo, LOSS_TERM);
}

/* ----------------------------------------------------------------- ranked -- */

static void
new_classes(ProbaState *state, int n_classes, bool weighted)
{
	state->n_classes = n_classes;
	state->classes = MemoryContextAllocZero(state->host.context, n_classes * sizeof(ProbaClass));
	for (int k = 0; k < n_classes; k++)
		metric_ranked_begin(&state->classes[k].ranked, &state->host.host, weighted);
}

static text *
copy_label(MemoryContext context, const char *label, Size n_bytes)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	text	   *copy = cstring_to_text_with_len(label, (int) n_bytes);

	MemoryContextSwitchTo(old);
	return copy;
}

/* A state with the classes of a row. */
static ProbaState *
new_state(MemoryContext context, Jsonb *probabilities, bool by_support, bool weighted)
{
	ProbaState *state = MemoryContextAllocZero(context, sizeof(ProbaState));
	JsonbIterator *iterator = JsonbIteratorInit(&probabilities->root);
	JsonbValue	key;
	JsonbValue	value;
	int			k = 0;

	pg_host_init(&state->host, context, budget_bytes());
	state->by_support = by_support;
	if (JB_ROOT_COUNT(probabilities) > METRIC_MAX_CLASSES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("more than %d different classes", METRIC_MAX_CLASSES)));
	new_classes(state, JB_ROOT_COUNT(probabilities), weighted);
	while (next_member(&iterator, &key, &value))
		state->classes[k++].label = copy_label(context, key.val.string.val, key.val.string.len);
	return state;
}

static void
other_classes(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("probabilities of a group must all be of the same classes")));
}

static inline bool
has_label(const text *label, const char *name, Size n_bytes)
{
	return VARSIZE_ANY_EXHDR(label) == n_bytes && memcmp(VARDATA_ANY(label), name, n_bytes) == 0;
}

/* (state, label, probabilities [, average] [, weight]) */
Datum
churnops_add_proba_ranked(PG_FUNCTION_ARGS)
{
	ProbaCall  *call = proba_call(fcinfo);
	ProbaState *state = AGGREGATE_STATE(0);
	JsonbIterator *iterator;
	JsonbValue	key;
	JsonbValue	value;
	ProbaRow	row;
	bool		found = false;
	double		sum = 0;
	int			k = 0;

	if (!proba_row(fcinfo, call, &row))
		AGGREGATE_RETURN(state);
	if (call->average != 0)
	{
		if (PG_ARGISNULL(call->average))
			report_null_argument("average");
		if (!argument_same(&call->memo, fcinfo, call->average))
		{
			char	   *average = text_to_cstring(PG_GETARG_TEXT_PP(call->average));

			call->by_support = strcmp(average, "weighted") == 0;
			if (!call->by_support && strcmp(average, "macro") != 0)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("average \"%s\" is not known", average),
						 errhint("It is macro or weighted, over each class against all others.")));
		}
	}
	if (state == NULL)
		state = new_state(aggregate_context(fcinfo), row.probabilities, call->by_support,
						  call->weight != 0);
	else if (state->by_support != call->by_support)
		argument_changed("average");
	if ((int) JB_ROOT_COUNT(row.probabilities) != state->n_classes)
		other_classes();
	iterator = JsonbIteratorInit(&row.probabilities->root);
	for (k = 0; next_member(&iterator, &key, &value); k++)
	{
		double		p = probability_of(&key, &value);
		bool		is_true = is_label(&key, &row);
		Failure		why;
		Status		status;

		if (!has_label(state->classes[k].label, key.val.string.val, key.val.string.len))
			other_classes();
		sum += p;
		found |= is_true;
		status = metric_ranked_add(&state->classes[k].ranked, is_true, p, row.weight, &why);
		aggregate_check(&state->host, status, &why);
	}
	check_sum(sum);
	if (!found)
		unknown_label(&row);
	PG_RETURN_POINTER(state);
}

Datum
churnops_proba_merge(PG_FUNCTION_ARGS)
{
	ProbaState *state = AGGREGATE_STATE(0);
	ProbaState *other = AGGREGATE_STATE(1);

	if (other == NULL)
		AGGREGATE_RETURN(state);
	if (state == NULL)
	{
		MemoryContext context = aggregate_context(fcinfo);

		state = MemoryContextAllocZero(context, sizeof(ProbaState));
		pg_host_init(&state->host, context, budget_bytes());
		state->by_support = other->by_support;
		new_classes(state, other->n_classes, other->n_classes > 0 &&
					other->classes[0].ranked.weighted);
		for (int k = 0; k < other->n_classes; k++)
			state->classes[k].label = copy_label(context, VARDATA_ANY(other->classes[k].label),
												 VARSIZE_ANY_EXHDR(other->classes[k].label));
	}
	if (state->by_support != other->by_support)
		argument_changed("average");
	if (state->n_classes != other->n_classes)
		other_classes();
	for (int k = 0; k < state->n_classes; k++)
	{
		ProbaClass *class = &state->classes[k];
		ProbaClass *of_other = &other->classes[k];
		Failure		why;

		if (!has_label(class->label, VARDATA_ANY(of_other->label),
					   VARSIZE_ANY_EXHDR(of_other->label)))
			other_classes();
		aggregate_check(&state->host,
						metric_ranked_merge(&class->ranked, &of_other->ranked, &why), &why);
	}
	PG_RETURN_POINTER(state);
}

Datum
churnops_proba_write(PG_FUNCTION_ARGS)
{
	ProbaState *state = (ProbaState *) PG_GETARG_POINTER(0);
	Size		n_bytes = 0;
	PgHost		host;
	ByteWriter	w;
	Failure		why;

	for (int k = 0; k < state->n_classes; k++)
	{
		aggregate_check(&state->host, metric_ranked_settle(&state->classes[k].ranked, &why), &why);
		n_bytes += metric_ranked_stored_bytes(&state->classes[k].ranked) +
			VARSIZE_ANY(state->classes[k].label);
	}
	aggregate_writer_begin(&w, &host, n_bytes, &why);
	bytes_put_u8(&w, state->by_support);
	bytes_put_u32(&w, (uint32) state->n_classes);
	for (int k = 0; k < state->n_classes; k++)
	{
		const text *label = state->classes[k].label;

		bytes_put_string(&w, VARDATA_ANY(label), VARSIZE_ANY_EXHDR(label));
		metric_ranked_write(&state->classes[k].ranked, &w);
	}
	PG_RETURN_BYTEA_P(aggregate_writer_end(&w, &why));
}

Datum
churnops_proba_read(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	ProbaState *state = palloc0(sizeof(ProbaState));
	ByteReader	r;
	uint32		n_classes;

	pg_host_init(&state->host, CurrentMemoryContext, budget_bytes());
	bytes_reader_begin(&r, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	state->by_support = bytes_get_u8(&r) != 0;
	n_classes = bytes_get_u32(&r);
	if (n_classes > METRIC_MAX_CLASSES)
		elog(ERROR, "state of an aggregate has %u classes", n_classes);
	new_classes(state, (int) n_classes, false);
	for (int k = 0; k < state->n_classes; k++)
	{
		size_t		n = 0;
		const char *label = bytes_get_string(&r, &n);
		Failure		why;

		state->classes[k].label = copy_label(CurrentMemoryContext, label != NULL ? label : "", n);
		aggregate_check(&state->host,
						metric_ranked_read(&state->classes[k].ranked, &state->host.host, &r, &why),
						&why);
	}
	PG_RETURN_POINTER(state);
}

/*
 * The mean over classes of one against all others, over those for which it is
 * defined; `by_area` says which of the two.
 */
static Datum
mean_datum(FunctionCallInfo fcinfo, bool by_area)
{
	ProbaState *state = AGGREGATE_STATE(0);
	double		sum = 0;
	double		all = 0;

	if (state == NULL)
		PG_RETURN_NULL();
	for (int k = 0; k < state->n_classes; k++)
	{
		MetricRanked *ranked = &state->classes[k].ranked;
		RankMeasures measures;
		double		support;
		double		value;
		Failure		why;

		aggregate_check(&state->host, metric_ranked_measures(ranked, 1, &measures, &why), &why);
		aggregate_check(&state->host, metric_ranked_support(ranked, &support, &why), &why);
		value = by_area ? measures.roc_auc : measures.average_precision;
		if (isnan(value))
			continue;
		if (!state->by_support)
			support = 1;
		sum += support * value;
		all += support;
	}
	AGGREGATE_RETURN_NUMBER(all > 0 ? sum / all : NAN);
}

Datum
churnops_proba_roc_auc(PG_FUNCTION_ARGS)
{
	return mean_datum(fcinfo, true);
}

Datum
churnops_proba_average_precision(PG_FUNCTION_ARGS)
{
	return mean_datum(fcinfo, false);
}
