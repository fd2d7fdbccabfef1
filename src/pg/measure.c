/*
 * measure.c
 *	  What a training is worth.
 *
 * Each part of the training (holdout, out of bag) becomes one JSON object with
 * every metric that belongs to the task; what is undefined is null, and each
 * null, and each value set by convention, has a text in the warnings.
 */
#include "postgres.h"

#include <math.h>

#include "utils/json.h"
#include "utils/memutils.h"

#include "metric/metric.h"
#include "pg/aggregate.h"
#include "pg/budget.h"
#include "pg/calibration.h"
#include "pg/checks.h"
#include "pg/json.h"
#include "pg/measure.h"
#include "pg/pipeline.h"

/* Why a metric can be undefined, or set by convention; %s is the part. */
static const char *const reasons[METRIC_COUNT] = {
	[METRIC_ACCURACY] = "no row of %s has weight",
	[METRIC_BALANCED_ACCURACY] = "a class has no row in %s",
	[METRIC_PRECISION] = "no row of %s is predicted positive",
	[METRIC_PRECISION_MACRO] = "a class is not predicted for any row of %s",
	[METRIC_PRECISION_WEIGHTED] = "a class is not predicted for any row of %s",
	[METRIC_RECALL] = "no row of %s is positive",
	[METRIC_RECALL_MACRO] = "a class has no row in %s",
	[METRIC_RECALL_WEIGHTED] = "a class has no row in %s",
	[METRIC_F1] = "no row of %s is positive or predicted so",
	[METRIC_F1_MACRO] = "a class has no row in %s and is not predicted",
	[METRIC_F1_WEIGHTED] = "a class has no row in %s and is not predicted",
	[METRIC_ROC_AUC] = "%s has one class only",
	[METRIC_ROC_AUC_MACRO] = "a class has no row in %s",
	[METRIC_ROC_AUC_WEIGHTED] = "a class has no row in %s",
	[METRIC_AVERAGE_PRECISION] = "no row of %s is positive",
	[METRIC_AVERAGE_PRECISION_MACRO] = "a class has no row in %s",
	[METRIC_AVERAGE_PRECISION_WEIGHTED] = "a class has no row in %s",
	[METRIC_LOG_LOSS] = "no row of %s has weight",
	[METRIC_BRIER] = "no row of %s has weight",
	[METRIC_KS] = "%s has one class only",
	[METRIC_LIFT_AT_10] = "no row of %s is positive",
	[METRIC_MCC] = "%s has one class only, or one is predicted only",
	[METRIC_RMSE] = "no row of %s has weight",
	[METRIC_MAE] = "no row of %s has weight",
	[METRIC_R2] = "the target is the same in all rows of %s",
};

/* A part of the training. */
typedef struct Part
{
	const char *key;			/* in the JSON document */
	const char *name;			/* in a sentence */
} Part;

static const Part holdout = {"holdout", "the holdout"};
static const Part oob = {"oob", "the out-of-bag rows"};

/* Add a text to the array of warnings. */
static void
warn(StringInfo warnings, const char *text)
{
	json_separate(warnings);
	escape_json(warnings, text);
}

/* Add a warning per metric that is undefined or set by convention. */
static void
warn_undefined(StringInfo warnings, const Part *part, const MetricReport *report)
{
	for (int m = 0; m < METRIC_COUNT; m++)
	{
		const char *state;
		char	   *reason;

		if ((report->applies & report->undefined & (UINT32_C(1) << m)) == 0)
			continue;
		state = isnan(report->value[m]) ? "undefined" : "set to 0";
		reason = psprintf(reasons[m], part->name);
		warn(warnings, psprintf("%s.%s is %s: %s", part->key, metric_name(m), state, reason));
	}
	if (report->n_clipped > 0)
		warn(warnings, psprintf("%s.log_loss clips probabilities of exactly 0 or 1, which "
								UINT64_FORMAT " of " UINT64_FORMAT " rows have",
								part->key, report->n_clipped, report->n_rows));
}

/* 1 per row of the positive class, else 0; scores become those of that class. */
static uint8_t *
positive_labels(const Training *t, ForestScores *scores)
{
	uint8_t    *labels = MemoryContextAllocHuge(CurrentMemoryContext, Max(scores->n, 1));

	for (size_t i = 0; i < scores->n; i++)
		labels[i] = scores->label[i] == (uint32) t->positive;
	if (t->positive == 0)
	{
		for (size_t i = 0; i < scores->n; i++)
			scores->outputs[i] = 1 - scores->outputs[i];
	}
	return labels;
}

void
measure_report(const Training *t, PgHost *pg_host, ForestScores *scores, MetricReport *report)
{
	const Host *host = &pg_host->host;
	Status		status;
	Failure		why;

	if (t->task == FOREST_REGRESSION)
		status = metric_regression(host, scores->target, scores->outputs, scores->weight,
								   scores->n, report, &why);
	else if (t->n_classes > 2)
		status = metric_multiclass(host, scores->label, scores->outputs, t->n_classes,
								   scores->weight, scores->n, report, &why);
	else
	{
		uint8_t    *labels = positive_labels(t, scores);

		status = metric_binary(host, labels, scores->outputs, scores->weight, scores->n, report,
							   &why);
		pfree(labels);
	}
	budget_check(pg_host, status, &why);
}

/* The one measure by which a part is judged: ROC AUC, its macro mean, or R². */
static double
score_of(const Training *t, const MetricReport *report)
{
	if (t->task == FOREST_REGRESSION)
		return report->value[METRIC_R2];
	return report->value[t->n_classes > 2 ? METRIC_ROC_AUC_MACRO : METRIC_ROC_AUC];
}

/*
 * The JSON object of a part; null, with a warning, for a part without rows.
 * Returns its score, NAN if it has none.
 */
static double
write_part(Training *t, StringInfo out, StringInfo warnings, const Part *part,
		   ForestScores *scores)
{
	MetricReport report;

	if (scores->n_uncovered > 0)
		warn(warnings, psprintf("%zu of %zu training rows are in the sample of every tree and "
								"have no out-of-bag score", scores->n_uncovered,
								scores->n + scores->n_uncovered));
	if (scores->n == 0)
	{
		json_value(out, part->key, NULL);
		warn(warnings, psprintf("%s is empty: there are no rows", part->key));
		return NAN;
	}
	measure_report(t, &t->host, scores, &report);
	json_key(out, part->key);
	appendStringInfoChar(out, '{');
	for (int m = 0; m < METRIC_COUNT; m++)
	{
		if ((report.applies & (UINT32_C(1) << m)) != 0)
			json_number(out, metric_name(m), report.value[m]);
	}
	appendStringInfoChar(out, '}');
	warn_undefined(warnings, part, &report);
	return score_of(t, &report);
}

/* The holdout's metrics. */
static void
write_holdout(Training *t, StringInfo out, StringInfo warnings)
{
	const Host *host = &t->host.host;
	ForestScores scores = {0};
	Failure		why;

	if (t->request.test_size == 0)
	{
		json_value(out, holdout.key, NULL);
		return;
	}
	if (t->report.n_test > 0)
		budget_check(&t->host, forest_holdout_scores(host, t->forest, t->model, &scores, &why),
					 &why);
	(void) write_part(t, out, warnings, &holdout, &scores);
	forest_scores_free(host, &scores);
}

/* As measure_report(), but log loss and Brier score alone are right, and scores stay as they are. */
static void
losses_report(Training *t, ForestScores *scores, MetricReport *report)
{
	int			positive = t->positive;

	/* of two classes both losses are the same for either class */
	if (t->n_classes == 2)
		t->positive = 1;
	measure_report(t, &t->host, scores, report);
	t->positive = positive;
}

/*
 * What was calibrated, and the metrics of the scores before that depend on it;
 * then the scores become calibrated ones.
 */
static void
write_calibration(Training *t, StringInfo out, StringInfo warnings, ForestScores *scores)
{
	static const MetricName changed[] = {METRIC_LOG_LOSS, METRIC_BRIER};
	bool		isotonic = t->params->calibration == FOREST_ISOTONIC;
	MetricReport report;

	json_key(out, "calibration");
	appendStringInfoChar(out, '{');
	json_text(out, "method", isotonic ? "isotonic" : "sigmoid");
	json_integer(out, "n_rows", (int64) t->n_calibrated);
	losses_report(t, scores, &report);
	json_key(out, "oob_before");
	appendStringInfoChar(out, '{');
	for (int i = 0; i < lengthof(changed); i++)
		json_number(out, metric_name(changed[i]), report.value[changed[i]]);
	appendStringInfoString(out, "}}");
	if (isotonic && t->n_calibrated < CALIBRATION_FEW_ROWS)
		warn(warnings, psprintf("isotonic calibration on %zu rows, fewer than %d: it follows chance",
								t->n_calibrated, CALIBRATION_FEW_ROWS));
	if (!calibrate_scores(&t->host, t->params->calibration, scores))
		warn(warnings, "oob is not calibrated: there are too few rows");
}

/*
 * The threshold that the pipeline's rule chooses on the out-of-bag rows, whose
 * scores have become those of the positive class.
 */
static void
write_threshold(const Training *t, const ForestScores *scores, StringInfo out)
{
	Jsonb	   *given = pipeline_threshold_rule();
	const Host *host = &t->host.host;
	MetricRanked ranked;
	MetricRule	rule;
	MetricChoice choice;
	Failure		why;

	if (given == NULL || t->n_classes != 2 || scores->n == 0)
		return;
	aggregate_read_rule(given, &rule);
	metric_ranked_begin(&ranked, host, scores->weight != NULL);
	for (size_t i = 0; i < scores->n; i++)
		budget_check(&t->host, metric_ranked_add(&ranked, scores->label[i] == (uint32) t->positive,
												 scores->outputs[i], scores->weight == NULL ? 1 :
												 scores->weight[i], &why), &why);
	budget_check(&t->host, metric_ranked_settle(&ranked, &why), &why);
	budget_check(&t->host, metric_choose_threshold(&ranked, &rule, &choice, &why), &why);
	metric_ranked_free(&ranked);
	json_key(out, "threshold");
	appendStringInfoChar(out, '{');
	json_number(out, "threshold", choice.found ? choice.threshold : NAN);
	json_number(out, "value", choice.found ? choice.value : NAN);
	json_value(out, "rule", JsonbToCString(NULL, &given->root, VARSIZE(given)));
	appendStringInfoChar(out, '}');
}

/* The out-of-bag metrics; returns the score, NAN if there is none. */
static double
write_oob(Training *t, StringInfo out, StringInfo warnings)
{
	const Host *host = &t->host.host;
	ForestScores scores = {0};
	double		score;
	Failure		why;

	if (!t->params->bootstrap)
	{
		json_value(out, oob.key, NULL);
		return NAN;
	}
	budget_check(&t->host, forest_oob_scores(host, t->forest, t->model, &scores, &why), &why);
	if (t->n_calibrated > 0)
		write_calibration(t, out, warnings, &scores);
	score = write_part(t, out, warnings, &oob, &scores);
	write_threshold(t, &scores, out);
	forest_scores_free(host, &scores);
	return score;
}

/* What permutation importances are measured with. */
typedef struct Measure
{
	const Training *training;
	uint8_t    *labels;			/* of two classes: the same rows come each time */
} Measure;

/*
 * ForestMeasure: ROC AUC of two classes (the same for either as the positive
 * one), macro one-versus-rest AUC of several, R² of a regression.  Does not
 * raise.
 */
static Status
measure_scores(void *ctx, const ForestScores *scores, double *out, Failure *why)
{
	Measure    *m = ctx;
	const Training *t = m->training;
	const Host *host = &t->host.host;
	MetricReport report;
	Status		status;

	if (t->task == FOREST_REGRESSION)
	{
		status = metric_regression(host, scores->target, scores->outputs, scores->weight,
								   scores->n, &report, why);
		*out = status == STATUS_OK ? report.value[METRIC_R2] : NAN;
		return status;
	}
	if (t->n_classes > 2)
		return metric_roc_auc_macro(host, scores->label, scores->outputs, t->n_classes,
									scores->weight, scores->n, out, why);
	if (m->labels == NULL)
	{
		m->labels = host->realloc(host->ctx, NULL, 0, Max(scores->n, 1));
		if (m->labels == NULL)
			return fail(why, STATUS_NO_MEMORY, "out of memory for %zu labels", scores->n);
		for (size_t i = 0; i < scores->n; i++)
			m->labels[i] = scores->label[i] == 1;
	}
	return metric_roc_auc(host, m->labels, scores->outputs, scores->weight, scores->n, out, why);
}

void
measure_training(Training *t)
{
	MemoryContext old = MemoryContextSwitchTo(t->context);
	uint32		n_features = forest_model_n_features(t->model);
	Measure		measure = {.training = t};
	StringInfoData out;
	StringInfoData warnings;
	size_t		n_rows;
	Failure		why;

	initStringInfo(&out);
	initStringInfo(&warnings);
	appendStringInfoChar(&out, '{');
	appendStringInfoChar(&warnings, '[');
	write_holdout(t, &out, &warnings);
	checks_write(t, write_oob(t, &out, &warnings), &out, &warnings);
	appendStringInfoChar(&warnings, ']');
	json_value(&out, "warnings", warnings.data);
	appendStringInfoChar(&out, '}');
	t->metrics = out.data;

	t->permutation = palloc(n_features * sizeof(double));
	t->permutation_sd = palloc(n_features * sizeof(double));
	budget_check(&t->host,
				 forest_permutation_importance(&t->host.host, t->forest, t->model,
											   measure_scores, &measure, t->permutation,
											   t->permutation_sd, &n_rows, &why), &why);
	if (measure.labels != NULL)
		t->host.host.realloc(t->host.host.ctx, measure.labels, Max(n_rows, 1), 0);
	MemoryContextSwitchTo(old);
}
