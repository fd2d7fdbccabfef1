/*
 * aggregate_ranked.c
 *	  Aggregates that rank their rows: ROC AUC and its kin, lift, median
 *	  errors, curves, calibration, choice of a threshold.
 *
 * All of them have one state, so that the server collects the rows of one
 * (label, score) once for all that a query asks of it.  A state's memory
 * counts against churnops.training_memory.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "pg/aggregate.h"
#include "pg/budget.h"
#include "pg/report.h"

PG_FUNCTION_INFO_V1(churnops_ranked_merge);
PG_FUNCTION_INFO_V1(churnops_ranked_write);
PG_FUNCTION_INFO_V1(churnops_ranked_read);
PG_FUNCTION_INFO_V1(churnops_add_ranked);
PG_FUNCTION_INFO_V1(churnops_add_share);
PG_FUNCTION_INFO_V1(churnops_add_bins);
PG_FUNCTION_INFO_V1(churnops_add_rule);
PG_FUNCTION_INFO_V1(churnops_add_median);
PG_FUNCTION_INFO_V1(churnops_ranked_roc_auc);
PG_FUNCTION_INFO_V1(churnops_ranked_gini);
PG_FUNCTION_INFO_V1(churnops_ranked_average_precision);
PG_FUNCTION_INFO_V1(churnops_ranked_ks);
PG_FUNCTION_INFO_V1(churnops_ranked_ks_threshold);
PG_FUNCTION_INFO_V1(churnops_ranked_lift);
PG_FUNCTION_INFO_V1(churnops_ranked_median);
PG_FUNCTION_INFO_V1(churnops_ranked_ece);
PG_FUNCTION_INFO_V1(churnops_ranked_mce);
PG_FUNCTION_INFO_V1(churnops_ranked_roc_curve);
PG_FUNCTION_INFO_V1(churnops_ranked_precision_recall_curve);
PG_FUNCTION_INFO_V1(churnops_ranked_calibration_curve);
PG_FUNCTION_INFO_V1(churnops_ranked_lift_table);
PG_FUNCTION_INFO_V1(churnops_ranked_threshold);

/* Where the arguments say nothing. */
#define DEFAULT_SHARE 0.1
#define DEFAULT_ERROR_BINS 15		/* of equal numbers of rows */
#define DEFAULT_CURVE_BINS 5		/* of equal width, as scikit-learn has it */
#define DEFAULT_GROUPS 10

typedef enum Strategy
{
	STRATEGY_DEFAULT,
	STRATEGY_UNIFORM,
	STRATEGY_QUANTILE
} Strategy;

/* What was given besides the rows, the same for all of them. */
typedef struct RankedOptions
{
	double		share;
	int			n_bins;			/* 0: not given */
	Strategy	strategy;
	bool		has_rule;
	MetricRule	rule;
} RankedOptions;

typedef struct RankedState
{
	PgHost		host;
	MetricRanked ranked;
	RankedOptions options;
} RankedState;

static RankedState *
new_state(MemoryContext context, bool weighted, const RankedOptions *options)
{
	RankedState *state = MemoryContextAllocZero(context, sizeof(RankedState));

	pg_host_init(&state->host, context, budget_bytes());
	metric_ranked_begin(&state->ranked, &state->host.host, weighted);
	memcpy(&state->options, options, sizeof(RankedOptions));
	return state;
}

/* Cleared throughout, since options are compared byte by byte. */
static void
begin_options(RankedOptions *options)
{
	memset(options, 0, sizeof(*options));
	options->share = DEFAULT_SHARE;
}

static RankedState *
new_plain_state(FunctionCallInfo fcinfo, bool weighted)
{
	RankedOptions options;

	begin_options(&options);
	return new_state(aggregate_context(fcinfo), weighted, &options);
}

static inline void
add_row(RankedState *state, bool positive, double score, double weight)
{
	Failure		why;
	Status		status = metric_ranked_add(&state->ranked, positive, score, weight, &why);

	if (unlikely(status != STATUS_OK))
		aggregate_check(&state->host, status, &why);
}

/* (state, label, score [, positive_class] [, weight]) */
Datum
churnops_add_ranked(PG_FUNCTION_ARGS)
{
	ScoreCall  *call = score_call(fcinfo, 0);
	RankedState *state = AGGREGATE_STATE(0);
	ScoreRow	row;

	if (!score_row(fcinfo, call, &row))
		AGGREGATE_RETURN(state);
	if (state == NULL)
		state = new_plain_state(fcinfo, call->weight != 0);
	add_row(state, row.positive, row.score, row.weight);
	PG_RETURN_POINTER(state);
}

/* (state, label, score, share [, positive_class] [, weight]) */
Datum
churnops_add_share(PG_FUNCTION_ARGS)
{
	ScoreCall  *call = score_call(fcinfo, 1);
	RankedState *state = AGGREGATE_STATE(0);
	ScoreRow	row;
	RankedOptions options;

	if (!score_row(fcinfo, call, &row))
		AGGREGATE_RETURN(state);
	begin_options(&options);
	if (PG_ARGISNULL(3))
		report_null_argument("share");
	options.share = PG_GETARG_FLOAT8(3);
	if (!(options.share > 0 && options.share <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("share is %g, a number above 0 and up to 1 is required", options.share)));
	if (state == NULL)
		state = new_state(aggregate_context(fcinfo), call->weight != 0, &options);
	else if (state->options.share != options.share)
		argument_changed("share");
	add_row(state, row.positive, row.score, row.weight);
	PG_RETURN_POINTER(state);
}

static Strategy
read_strategy(FunctionCallInfo fcinfo, int arg)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(arg));

	if (strcmp(name, "uniform") == 0)
		return STRATEGY_UNIFORM;
	if (strcmp(name, "quantile") == 0)
		return STRATEGY_QUANTILE;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("strategy \"%s\" is neither \"uniform\" nor \"quantile\"", name),
			 errhint("Bins are of equal width, or hold equal numbers of rows.")));
}

/* Is there a strategy behind the number of bins? */
static ScoreCall *
bins_call_init(FunctionCallInfo fcinfo)
{
	bool		strategy = PG_NARGS() > 4 && get_fn_expr_argtype(fcinfo->flinfo, 4) == TEXTOID;

	return score_call_init(fcinfo, strategy ? 2 : 1);
}

/* (state, label, score, n_bins [, strategy] [, weight]): also groups of a lift table. */
Datum
churnops_add_bins(PG_FUNCTION_ARGS)
{
	ScoreCall  *call = fcinfo->flinfo->fn_extra;
	RankedState *state = AGGREGATE_STATE(0);
	ScoreRow	row;
	RankedOptions options;

	if (call == NULL)
		call = bins_call_init(fcinfo);
	if (!score_row(fcinfo, call, &row))
		AGGREGATE_RETURN(state);
	begin_options(&options);
	if (PG_ARGISNULL(3))
		report_null_argument("n_bins");
	options.n_bins = PG_GETARG_INT32(3);
	if (options.n_bins < 1 || options.n_bins > METRIC_MAX_BINS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of bins is %d, 1 to %d are allowed", options.n_bins,
						METRIC_MAX_BINS)));
	if (call->n_options > 1)
	{
		if (PG_ARGISNULL(4))
			report_null_argument("strategy");
		if (!argument_same(&call->memo, fcinfo, 4))
			call->choice = read_strategy(fcinfo, 4);
		options.strategy = (Strategy) call->choice;
	}
	if (state == NULL)
		state = new_state(aggregate_context(fcinfo), call->weight != 0, &options);
	else if (state->options.n_bins != options.n_bins)
		argument_changed("n_bins");
	else if (state->options.strategy != options.strategy)
		argument_changed("strategy");
	add_row(state, row.positive, row.score, row.weight);
	PG_RETURN_POINTER(state);
}

/* (state, label, score, rule [, positive_class] [, weight]) */
Datum
churnops_add_rule(PG_FUNCTION_ARGS)
{
	ScoreCall  *call = score_call(fcinfo, 1);
	RankedState *state = AGGREGATE_STATE(0);
	ScoreRow	row;

	if (!score_row(fcinfo, call, &row))
		AGGREGATE_RETURN(state);
	if (PG_ARGISNULL(3))
		report_null_argument("rule");
	if (!argument_same(&call->memo, fcinfo, 3))
	{
		memset(&call->rule, 0, sizeof(call->rule));
		aggregate_read_rule(PG_GETARG_JSONB_P(3), &call->rule);
	}
	if (state == NULL)
	{
		RankedOptions options;

		begin_options(&options);
		options.has_rule = true;
		memcpy(&options.rule, &call->rule, sizeof(MetricRule));
		state = new_state(aggregate_context(fcinfo), call->weight != 0, &options);
	}
	else if (memcmp(&state->options.rule, &call->rule, sizeof(MetricRule)) != 0)
		argument_changed("rule");
	add_row(state, row.positive, row.score, row.weight);
	PG_RETURN_POINTER(state);
}

/* (state, target, prediction [, weight]): the size of the error is ranked. */
Datum
churnops_add_median(PG_FUNCTION_ARGS)
{
	RankedState *state = AGGREGATE_STATE(0);
	bool		weighted = PG_NARGS() > 3;
	double		numbers[2];

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || (weighted && PG_ARGISNULL(3)))
		AGGREGATE_RETURN(state);
	for (int i = 0; i < 2; i++)
	{
		numbers[i] = PG_GETARG_FLOAT8(i + 1);
		if (!isfinite(numbers[i]))
			ereport(ERROR,
					(errcode(isnan(numbers[i]) ? ERRCODE_INVALID_PARAMETER_VALUE :
							 ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("%s is %s", i == 0 ? "target" : "prediction",
							isnan(numbers[i]) ? "not a number" : "infinite")));
	}
	if (state == NULL)
		state = new_plain_state(fcinfo, weighted);
	add_row(state, false, fabs(numbers[0] - numbers[1]), weighted ? PG_GETARG_FLOAT8(3) : 1);
	PG_RETURN_POINTER(state);
}

/* ---------------------------------------------------------------- merging -- */

Datum
churnops_ranked_merge(PG_FUNCTION_ARGS)
{
	RankedState *state = AGGREGATE_STATE(0);
	RankedState *other = AGGREGATE_STATE(1);
	Failure		why;

	if (other == NULL)
		AGGREGATE_RETURN(state);
	if (state == NULL)
		state = new_state(aggregate_context(fcinfo), other->ranked.weighted, &other->options);
	else if (memcmp(&state->options, &other->options, sizeof(RankedOptions)) != 0)
		argument_changed("share, n_bins, strategy or rule");
	aggregate_check(&state->host, metric_ranked_merge(&state->ranked, &other->ranked, &why), &why);
	PG_RETURN_POINTER(state);
}

Datum
churnops_ranked_write(PG_FUNCTION_ARGS)
{
	RankedState *state = (RankedState *) PG_GETARG_POINTER(0);
	PgHost		host;
	ByteWriter	w;
	Failure		why;

	aggregate_check(&state->host, metric_ranked_settle(&state->ranked, &why), &why);
	aggregate_writer_begin(&w, &host,
						   sizeof(RankedOptions) + metric_ranked_stored_bytes(&state->ranked),
						   &why);
	bytes_put(&w, &state->options, sizeof(RankedOptions));
	metric_ranked_write(&state->ranked, &w);
	PG_RETURN_BYTEA_P(aggregate_writer_end(&w, &why));
}

Datum
churnops_ranked_read(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	RankedState *state = palloc0(sizeof(RankedState));
	const uint8 *options;
	ByteReader	r;
	Failure		why;

	pg_host_init(&state->host, CurrentMemoryContext, budget_bytes());
	bytes_reader_begin(&r, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	options = bytes_get(&r, sizeof(RankedOptions));
	if (options != NULL)
		memcpy(&state->options, options, sizeof(RankedOptions));
	aggregate_check(&state->host,
					metric_ranked_read(&state->ranked, &state->host.host, &r, &why), &why);
	PG_RETURN_POINTER(state);
}

/* ---------------------------------------------------------------- numbers -- */

static RankMeasures
measures_of(RankedState *state)
{
	RankMeasures measures = {NAN, NAN, NAN, NAN, NAN};
	Failure		why;

	if (state != NULL)
		aggregate_check(&state->host,
						metric_ranked_measures(&state->ranked, state->options.share, &measures,
											   &why), &why);
	return measures;
}

Datum
churnops_ranked_roc_auc(PG_FUNCTION_ARGS)
{
	AGGREGATE_RETURN_NUMBER(measures_of(AGGREGATE_STATE(0)).roc_auc);
}

Datum
churnops_ranked_gini(PG_FUNCTION_ARGS)
{
	AGGREGATE_RETURN_NUMBER(2 * measures_of(AGGREGATE_STATE(0)).roc_auc - 1);
}

Datum
churnops_ranked_average_precision(PG_FUNCTION_ARGS)
{
	AGGREGATE_RETURN_NUMBER(measures_of(AGGREGATE_STATE(0)).average_precision);
}

Datum
churnops_ranked_ks(PG_FUNCTION_ARGS)
{
	AGGREGATE_RETURN_NUMBER(measures_of(AGGREGATE_STATE(0)).ks);
}

Datum
churnops_ranked_ks_threshold(PG_FUNCTION_ARGS)
{
	AGGREGATE_RETURN_NUMBER(measures_of(AGGREGATE_STATE(0)).ks_threshold);
}

Datum
churnops_ranked_lift(PG_FUNCTION_ARGS)
{
	AGGREGATE_RETURN_NUMBER(measures_of(AGGREGATE_STATE(0)).lift);
}

Datum
churnops_ranked_median(PG_FUNCTION_ARGS)
{
	RankedState *state = AGGREGATE_STATE(0);
	double		median = NAN;
	Failure		why;

	if (state != NULL)
		aggregate_check(&state->host, metric_ranked_median(&state->ranked, &median, &why), &why);
	AGGREGATE_RETURN_NUMBER(median);
}

/* Bins as the options say, or by default. */
static MetricBin *
bins_of(RankedState *state, int default_bins, Strategy default_strategy, int *n_bins)
{
	Strategy	strategy = state->options.strategy;
	MetricBin  *bins;
	Failure		why;

	*n_bins = state->options.n_bins > 0 ? state->options.n_bins : default_bins;
	if (strategy == STRATEGY_DEFAULT)
		strategy = default_strategy;
	bins = palloc(*n_bins * sizeof(MetricBin));
	aggregate_check(&state->host,
					metric_calibration(&state->ranked, *n_bins, strategy == STRATEGY_QUANTILE,
									   bins, &why), &why);
	return bins;
}

static double
calibration_error(RankedState *state, bool want_largest)
{
	double		mean = NAN;
	double		largest = NAN;

	if (state != NULL)
	{
		int			n_bins;
		MetricBin  *bins = bins_of(state, DEFAULT_ERROR_BINS, STRATEGY_QUANTILE, &n_bins);

		metric_calibration_error(bins, n_bins, &mean, &largest);
	}
	return want_largest ? largest : mean;
}

Datum
churnops_ranked_ece(PG_FUNCTION_ARGS)
{
	AGGREGATE_RETURN_NUMBER(calibration_error(AGGREGATE_STATE(0), false));
}

Datum
churnops_ranked_mce(PG_FUNCTION_ARGS)
{
	AGGREGATE_RETURN_NUMBER(calibration_error(AGGREGATE_STATE(0), true));
}

/* ----------------------------------------------------------------- curves -- */

/* A curve as an array of (threshold, first, second); NULL where it is undefined. */
static Datum
curve_datum(FunctionCallInfo fcinfo, MetricCurve *curve)
{
	AggregateRows rows;

	if (curve->n == 0)
		PG_RETURN_NULL();
	aggregate_rows_begin(&rows, fcinfo, curve->n);
	for (size_t i = 0; i < curve->n; i++)
		aggregate_rows_add(&rows, (double[]) {curve->threshold[i], curve->x[i], curve->y[i]});
	metric_curve_free(curve);
	return aggregate_rows_end(&rows);
}

Datum
churnops_ranked_roc_curve(PG_FUNCTION_ARGS)
{
	RankedState *state = AGGREGATE_STATE(0);
	MetricCurve curve;
	Failure		why;

	if (state == NULL)
		PG_RETURN_NULL();
	aggregate_check(&state->host, metric_roc_curve(&state->ranked, &curve, &why), &why);
	return curve_datum(fcinfo, &curve);
}

Datum
churnops_ranked_precision_recall_curve(PG_FUNCTION_ARGS)
{
	RankedState *state = AGGREGATE_STATE(0);
	MetricCurve curve;
	Failure		why;

	if (state == NULL)
		PG_RETURN_NULL();
	aggregate_check(&state->host, metric_precision_recall_curve(&state->ranked, &curve, &why),
					&why);
	return curve_datum(fcinfo, &curve);
}

Datum
churnops_ranked_calibration_curve(PG_FUNCTION_ARGS)
{
	RankedState *state = AGGREGATE_STATE(0);
	AggregateRows rows;
	MetricBin  *bins;
	int			n_bins;

	if (state == NULL)
		PG_RETURN_NULL();
	bins = bins_of(state, DEFAULT_CURVE_BINS, STRATEGY_UNIFORM, &n_bins);
	aggregate_rows_begin(&rows, fcinfo, n_bins);
	for (int k = 0; k < n_bins; k++)
		if (bins[k].weight > 0)
			aggregate_rows_add(&rows, (double[]) {k + 1, bins[k].low, bins[k].high,
				bins[k].weight, bins[k].mean_score, bins[k].positive_share});
	if (rows.n == 0)
		PG_RETURN_NULL();
	return aggregate_rows_end(&rows);
}

/* A quotient, NAN of nothing. */
static double
share_of(double part, double all)
{
	return all > 0 ? part / all : NAN;
}

Datum
churnops_ranked_lift_table(PG_FUNCTION_ARGS)
{
	RankedState *state = AGGREGATE_STATE(0);
	AggregateRows rows;
	MetricLiftGroup *groups;
	int			n_groups;
	double		all;
	double		all_positive;
	Failure		why;

	if (state == NULL)
		PG_RETURN_NULL();
	n_groups = state->options.n_bins > 0 ? state->options.n_bins : DEFAULT_GROUPS;
	groups = palloc(n_groups * sizeof(MetricLiftGroup));
	aggregate_check(&state->host, metric_lift_table(&state->ranked, n_groups, groups, &all,
													&all_positive, &why), &why);
	if (!(all > 0))
		PG_RETURN_NULL();
	aggregate_rows_begin(&rows, fcinfo, n_groups);
	for (int g = 0; g < n_groups; g++)
	{
		const MetricLiftGroup *group = &groups[g];
		double		prior = all_positive / all;
		double		rate = share_of(group->positives, group->n);

		aggregate_rows_add(&rows, (double[]) {g + 1, group->high, group->low, group->n,
			group->positives, rate, share_of(rate, prior),
			share_of(group->cumulative_positives, all_positive),
			share_of(share_of(group->cumulative_positives, group->cumulative_n), prior)});
	}
	return aggregate_rows_end(&rows);
}

Datum
churnops_ranked_threshold(PG_FUNCTION_ARGS)
{
	RankedState *state = AGGREGATE_STATE(0);
	MetricChoice choice;
	double		all;
	double		positive;
	Failure		why;

	if (state == NULL || !state->options.has_rule)
		PG_RETURN_NULL();
	aggregate_check(&state->host, metric_choose_threshold(&state->ranked, &state->options.rule,
														  &choice, &why), &why);
	if (!choice.found)
		PG_RETURN_NULL();
	positive = choice.tp + choice.fp;
	all = positive + choice.fn + choice.tn;
	PG_RETURN_DATUM(aggregate_record(fcinfo, (double[]) {choice.threshold, choice.value,
		positive / all, choice.expected_share, share_of(choice.tp, positive),
		share_of(choice.tp, choice.tp + choice.fn), choice.tp, choice.fp, choice.fn,
		choice.tn}));
}
