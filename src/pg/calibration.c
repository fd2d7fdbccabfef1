/*
 * calibration.c
 *	  The parameter "calibration" of a training.
 *
 * Maps are fitted to out-of-bag scores: those of the training rows by trees that
 * did not see them, so no row has to be put aside.  A map that is judged by the
 * rows it was fitted on looks better than it is; so the out-of-bag metrics of a
 * calibrated version are cross-fitted: rows are dealt out to parts in their
 * canonical order, which is that of hashes, and each part is calibrated by
 * maps that were fitted on the others.  The holdout has part in neither.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "metric/metric.h"
#include "pg/budget.h"
#include "pg/calibration.h"
#include "pg/digest.h"

/* Out-of-bag rows that maps are fitted to: all, or all but one part. */
typedef struct Fitting
{
	PgHost	   *host;
	const ForestScores *scores;
	int			left_out;		/* part; -1: none */
	Size		n;
	uint8_t    *label;			/* 1 for rows of the class at hand */
	double	   *score;			/* for that class */
	double	   *weight;			/* or NULL */
} Fitting;

static bool
is_left_out(const Fitting *f, Size row)
{
	return f->left_out >= 0 && row % CALIBRATION_FOLDS == (Size) f->left_out;
}

/* Memory of the host; refused with both figures. */
static void *
take(Fitting *f, Size n_bytes)
{
	PgHost	   *host = f->host;
	void	   *taken = host->host.realloc(host, NULL, 0, Max(n_bytes, 1));
	Failure		why;

	if (taken == NULL)
		budget_check(host, fail(&why, STATUS_NO_MEMORY, "out of memory for %zu rows to calibrate",
								f->scores->n), &why);
	return taken;
}

static void
give_back(Fitting *f, void *block, Size n_bytes)
{
	PgHost	   *host = f->host;

	if (block != NULL)
		(void) host->host.realloc(host, block, Max(n_bytes, 1), 0);
}

static void
fitting_begin(Fitting *f, PgHost *host, const ForestScores *scores, int left_out)
{
	*f = (Fitting) {.host = host, .scores = scores, .left_out = left_out};
	f->label = take(f, scores->n);
	f->score = take(f, scores->n * sizeof(double));
	if (scores->weight != NULL)
		f->weight = take(f, scores->n * sizeof(double));
}

static void
fitting_end(Fitting *f)
{
	give_back(f, f->label, f->scores->n);
	give_back(f, f->score, f->scores->n * sizeof(double));
	give_back(f, f->weight, f->scores->n * sizeof(double));
}

/* The rows as an output has them: is it, and how probable is it? */
static void
fill_rows(Fitting *f, uint32 output)
{
	const ForestScores *scores = f->scores;
	uint32		class_index = scores->n_outputs == 1 ? 1 : output;

	f->n = 0;
	for (Size i = 0; i < scores->n; i++)
	{
		if (is_left_out(f, i))
			continue;
		f->label[f->n] = scores->label[i] == class_index;
		f->score[f->n] = scores->outputs[i * scores->n_outputs + output];
		if (f->weight != NULL)
			f->weight[f->n] = scores->weight[i];
		f->n++;
	}
}

static void
fit_map(Fitting *f, ForestCalibrationKind kind, ForestMap *out)
{
	PgHost	   *host = f->host;
	MetricIsotonic isotonic;
	Failure		why;

	if (kind == FOREST_SIGMOID)
	{
		budget_check(host, metric_fit_sigmoid(&host->host, f->label, f->score, f->weight, f->n,
											  &out->a, &out->b, &why), &why);
		return;
	}
	budget_check(host, metric_fit_isotonic(&host->host, f->label, f->score, f->weight, f->n,
										   &isotonic, &why), &why);
	out->n = isotonic.n;
	out->x = palloc(isotonic.n * sizeof(double));
	out->y = palloc(isotonic.n * sizeof(double));
	memcpy(out->x, isotonic.x, isotonic.n * sizeof(double));
	memcpy(out->y, isotonic.y, isotonic.n * sizeof(double));
	metric_isotonic_free(&host->host, &isotonic);
}

/* Maps of all outputs, in the current memory context. */
static ForestCalibration *
fit_maps(PgHost *host, ForestCalibrationKind kind, const ForestScores *scores, int left_out)
{
	ForestCalibration *calibration = palloc0(sizeof(ForestCalibration));
	Fitting		f;

	calibration->kind = kind;
	calibration->n_maps = scores->n_outputs;
	calibration->maps = palloc0(scores->n_outputs * sizeof(ForestMap));
	fitting_begin(&f, host, scores, left_out);
	for (uint32 k = 0; k < scores->n_outputs; k++)
	{
		fill_rows(&f, k);
		fit_map(&f, kind, &calibration->maps[k]);
	}
	fitting_end(&f);
	return calibration;
}

ForestCalibration *
calibration_fit(PgHost *host, ForestCalibrationKind kind, const ForestScores *scores)
{
	if (scores->n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there are no out-of-bag scores to calibrate on"),
				 errdetail("Every training row is in the sample of every tree."),
				 errhint("Grow more trees (n_estimators), or leave out \"calibration\".")));
	return fit_maps(host, kind, scores, -1);
}

void
calibrate_training(Training *t)
{
	const Host *host = &t->host.host;
	MemoryContext old;
	ForestScores scores = {0};
	Failure		why;

	if (t->params->calibration == FOREST_UNCALIBRATED)
		return;
	old = MemoryContextSwitchTo(t->context);
	budget_check(&t->host, forest_oob_scores(host, t->forest, t->model, &scores, &why), &why);
	t->n_calibrated = scores.n;
	budget_check(&t->host,
				 forest_add_calibration(host, calibration_fit(&t->host, t->params->calibration,
															  &scores), &t->artifact, &why),
				 &why);
	forest_scores_free(host, &scores);
	t->artifact_digest = digest_bytes(t->artifact.bytes, t->artifact.n_bytes);
	forest_model_free(t->model);
	t->model = NULL;
	budget_check(&t->host, forest_decode(host, t->artifact.bytes, t->artifact.n_bytes, &t->model,
										 &why), &why);
	if (!t->request.quiet && t->params->calibration == FOREST_ISOTONIC &&
		t->n_calibrated < CALIBRATION_FEW_ROWS)
		ereport(NOTICE,
				(errmsg("isotonic calibration on %zu rows", t->n_calibrated),
				 errdetail("With fewer than %d it follows chance.", CALIBRATION_FEW_ROWS),
				 errhint("Use \"sigmoid\" instead.")));
	MemoryContextSwitchTo(old);
}

/* The weights of all parts but one must not be 0. */
static bool
can_cross_fit(const ForestScores *scores)
{
	Size		n_rows[CALIBRATION_FOLDS] = {0};
	Size		n_parts = 0;

	for (Size i = 0; i < scores->n; i++)
		n_rows[i % CALIBRATION_FOLDS] += scores->weight == NULL || scores->weight[i] > 0;
	for (int part = 0; part < CALIBRATION_FOLDS; part++)
		n_parts += n_rows[part] > 0;
	return n_parts > 1;
}

bool
calibrate_scores(PgHost *host, ForestCalibrationKind kind, ForestScores *scores)
{
	ForestCalibration *by_part[CALIBRATION_FOLDS];
	MemoryContext context;
	MemoryContext old;

	if (!can_cross_fit(scores))
		return false;
	context = AllocSetContextCreate(CurrentMemoryContext, "churnops cross-fitted calibration",
									ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	for (int part = 0; part < CALIBRATION_FOLDS; part++)
		by_part[part] = fit_maps(host, kind, scores, part);
	for (Size i = 0; i < scores->n; i++)
		forest_calibrate(by_part[i % CALIBRATION_FOLDS], scores->outputs + i * scores->n_outputs,
						 1);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return true;
}
