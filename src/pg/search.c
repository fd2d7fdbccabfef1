/*
 * search.c
 *	  Many forests from one training: fits of parts of it, and folds.
 *
 * The rows are read, put in order, binned and encoded once.  A fit copies the
 * encoded rows it needs, grows its trees with the same workers as a training,
 * measures them and gives everything back, so that at any moment there are two
 * matrices at most.  Bins are those of all training rows, never of the holdout.
 */
#include "postgres.h"

#include <math.h>

#include "utils/memutils.h"

#include "pg/arguments.h"
#include "pg/budget.h"
#include "pg/calibration.h"
#include "pg/guc.h"
#include "pg/parallel.h"
#include "pg/search.h"

void
search_begin(Search *search, Training *training)
{
	MemoryContext old = MemoryContextSwitchTo(training->context);
	Failure		why;

	search->training = training;
	search->reported = 0;
	INSTR_TIME_SET_CURRENT(search->started);
	training_prepare(training);
	budget_check(&training->host,
				 forest_fold_rows(&training->host.host, training->forest, &search->rows, &why),
				 &why);
	MemoryContextSwitchTo(old);
}

void
search_end(Search *search)
{
	forest_fold_rows_free(&search->training->host.host, &search->rows);
}

void
search_progress(Search *search, const char *format,...)
{
	instr_time	now;
	StringInfoData text;

	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_SUBTRACT(now, search->started);
	if (!guc_progress || INSTR_TIME_GET_DOUBLE(now) - search->reported < PROGRESS_SECONDS)
		return;
	search->reported = INSTR_TIME_GET_DOUBLE(now);
	initStringInfo(&text);
	for (;;)
	{
		va_list		args;
		int			needed;

		va_start(args, format);
		needed = appendStringInfoVA(&text, format, args);
		va_end(args);
		if (needed == 0)
			break;
		enlargeStringInfo(&text, needed);
	}
	ereport(NOTICE,
			(errmsg("%s, after %.0f s", text.data, search->reported)));
	pfree(text.data);
}

void
search_host(const Search *search, PgHost *out)
{
	const PgHost *owner = &search->training->host;

	pg_host_init(out, AllocSetContextCreate(CurrentMemoryContext, "churnops fit",
											ALLOCSET_DEFAULT_SIZES), owner->budget);
	out->used = out->peak = owner->used;
}

/* ----------------------------------------------------------------- folds -- */

/* The arrays of some of the rows, beside each other. */
static void
gather_rows(const Search *search, SearchFolds *folds)
{
	const ForestFoldRows *from = &search->rows;
	uint64	   *key = MemoryContextAllocHuge(CurrentMemoryContext, folds->n * sizeof(uint64) + 1);
	uint32	   *label = from->label == NULL ? NULL
		: MemoryContextAllocHuge(CurrentMemoryContext, folds->n * sizeof(uint32) + 1);
	uint64	   *group = from->group == NULL ? NULL
		: MemoryContextAllocHuge(CurrentMemoryContext, folds->n * sizeof(uint64) + 1);
	double	   *time = from->time == NULL ? NULL
		: MemoryContextAllocHuge(CurrentMemoryContext, folds->n * sizeof(double) + 1);

	for (size_t i = 0; i < folds->n; i++)
	{
		uint32		row = folds->index[i];

		key[i] = from->key[row];
		if (label != NULL)
			label[i] = from->label[row];
		if (group != NULL)
			group[i] = from->group[row];
		if (time != NULL)
			time[i] = from->time[row];
	}
	folds->rows = (TuneRows) {
		.n = folds->n, .key = key, .label = label, .n_classes = search->training->n_classes,
		.group = group, .time = time,
	};
}

/* Warn of a class that not every fold can have. */
static void
warn_rare(const SearchFolds *folds)
{
	uint32		class_index;
	size_t		n = tune_folds_rare(folds->plans[0], &class_index);

	if (n > 0)
		ereport(WARNING,
				(errmsg("class \"%s\" has %zu rows, fewer than there are folds (%u)",
						folds->search->training->classes[class_index], n,
						folds->cv->folds.n_folds),
				 errhint("Folds without it have no metrics of it: give fewer folds.")));
}

void
search_folds_begin(const Search *search, const SearchCv *cv, const uint8 *within,
				   SearchFolds *out)
{
	PgHost	   *host = &search->training->host;
	size_t		n_train = search->rows.n;

	memset(out, 0, sizeof(*out));
	out->search = search;
	out->cv = cv;
	out->index = MemoryContextAllocHuge(CurrentMemoryContext, n_train * sizeof(uint32) + 1);
	for (uint32 row = 0; row < n_train; row++)
	{
		if (within == NULL || within[row] == FOREST_SIDE_TRAIN)
			out->index[out->n++] = row;
	}
	gather_rows(search, out);
	if (cv->oob)
		return;
	out->plans = palloc0(cv->n_repeats * sizeof(TunePlan *));
	for (uint32 i = 0; i < cv->n_repeats; i++)
	{
		TuneFolds	folds = cv->folds;
		Failure		why;

		folds.repeat = i;
		budget_check(host, tune_folds_new(&host->host, &out->rows, &folds, &out->plans[i], &why),
					 &why);
	}
	if (within == NULL)
		warn_rare(out);
}

void
search_folds_end(SearchFolds *folds)
{
	for (uint32 i = 0; folds->plans != NULL && i < folds->cv->n_repeats; i++)
		tune_folds_free(folds->plans[i]);
	pfree(folds->index);
	pfree(unconstify(uint64 *, folds->rows.key));
	if (folds->rows.label != NULL)
		pfree(unconstify(uint32 *, folds->rows.label));
	if (folds->rows.group != NULL)
		pfree(unconstify(uint64 *, folds->rows.group));
	if (folds->rows.time != NULL)
		pfree(unconstify(double *, folds->rows.time));
}

uint32
search_folds_n(const SearchFolds *folds)
{
	return folds->cv->oob ? 1 : folds->cv->n_repeats * folds->cv->folds.n_folds;
}

uint8 *
search_folds_sides(const SearchFolds *folds, uint32 part)
{
	const Training *t = folds->search->training;
	uint8	   *sides = MemoryContextAllocExtended(CurrentMemoryContext, t->report.n_rows,
												   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	uint8	   *own = MemoryContextAllocHuge(CurrentMemoryContext, folds->n + 1);

	if (folds->cv->oob)
		memset(own, FOREST_SIDE_TRAIN, folds->n);
	else
		tune_folds_sides(folds->plans[part / folds->cv->folds.n_folds],
						 part % folds->cv->folds.n_folds, own);
	for (size_t i = 0; i < folds->n; i++)
		sides[folds->index[i]] = own[i];
	pfree(own);
	return sides;
}

/* ------------------------------------------------------------------ fits -- */

/* A fit while it lasts. */
typedef struct Fit
{
	const Search *search;
	const SearchFit *asked;
	PgHost	   *host;
	Storage    *storage;
	int			n_workers;
	ForestTraining *part;
	ForestBlob *trees;
	uint32		n_trees;
} Fit;

/* Make the part; without shared memory for it there are no workers. */
static void
make_part(Fit *fit)
{
	const Training *t = fit->search->training;
	uint32		n_trees = fit->asked->params->n_estimators;
	Status		status;
	Failure		why;

	fit->n_workers = Min(t->n_workers, parallel_workers_wanted(t->report.n_rows,
															   t->report.n_features, n_trees));
	for (;;)
	{
		fit->storage = storage_new(fit->host, t->matrix_bytes, fit->n_workers > 0);
		status = forest_training_part(&fit->host->host, storage_host(fit->storage), t->forest,
									  fit->asked->sides, fit->asked->params, &fit->part, &why);
		if (status != STATUS_NO_MEMORY || !storage_exhausted(fit->storage))
			break;
		storage_free(fit->storage);
		fit->n_workers = 0;
	}
	budget_check(fit->host, status, &why);
}

/* Grow n trees more. */
static void
grow_more(Fit *fit, uint32 n)
{
	const Training *t = fit->search->training;
	const Storage *storage = forest_training_owns_rows(fit->part) ? fit->storage : t->storage;
	Size		left = fit->host->budget - Min(fit->host->used, fit->host->budget);
	int			n_workers = Min(fit->n_workers, (int) n - 1);

	forest_training_set_trees(fit->part, fit->n_trees, n);
	parallel_grow(fit->part, storage, fit->host, n_workers, left / (n_workers + 1),
				  fit->trees + fit->n_trees, n, false);
	fit->n_trees += n;
}

/* A model of the trees from `first` on. */
static ForestModel *
make_model(Fit *fit, uint32 first)
{
	const Host *host = &fit->host->host;
	ForestArtifact artifact;
	ForestModel *model;
	Status		status;
	Failure		why;

	forest_training_set_trees(fit->part, first, fit->n_trees - first);
	budget_check(fit->host, forest_assemble(host, fit->part, fit->trees + first, &artifact, &why),
				 &why);
	status = forest_decode(host, artifact.bytes, artifact.n_bytes, &model, &why);
	host->realloc(host->ctx, artifact.bytes, artifact.capacity, 0);
	budget_check(fit->host, status, &why);
	return model;
}

/* Grow as many trees as help; returns out-of-bag scores if it is measured by them. */
static void
grow_stepwise(Fit *fit, ForestScores *scores)
{
	const SearchFit *asked = fit->asked;
	const Host *host = &fit->host->host;
	uint32		most = asked->params->n_estimators;
	double	   *objectives = palloc((most / TUNE_TREES_STEP + 2) * sizeof(double));
	uint32		n = 0;
	bool		enough = false;
	ForestModel *model = NULL;
	ForestTally *tally;
	Failure		why;

	budget_check(fit->host, forest_tally_new(host, fit->part, &tally, &why), &why);
	while (!enough && fit->n_trees < most)
	{
		uint32		first = fit->n_trees;
		ForestScores so_far = {0};
		MetricReport report;

		if (model != NULL)
			forest_model_free(model);
		grow_more(fit, Min(first == 0 ? TUNE_TREES_FIRST : TUNE_TREES_STEP, most - first));
		model = make_model(fit, first);
		budget_check(fit->host, forest_tally_add(tally, model, &why), &why);
		budget_check(fit->host, forest_tally_scores(tally, model, &so_far, &why), &why);
		measure_report(fit->search->training, fit->host, &so_far, &report);
		forest_scores_free(host, &so_far);
		objectives[n++] = report.value[asked->objective];
		enough = tune_trees_enough(objectives, n, search_higher_is_better(asked->objective),
								   search_is_relative(asked->objective),
								   search_is_relative(asked->objective) ? 1e-3 : 1e-4);
	}
	/* anew: measuring turned those to the positive class */
	if (asked->oob)
		budget_check(fit->host, forest_tally_scores(tally, model, scores, &why), &why);
	forest_model_free(model);
	forest_tally_free(tally);
	pfree(objectives);
}

/* Precision, recall and F1 of the classes; outputs are P of the positive class. */
static void
measure_classes(const Training *t, PgHost *host, const ForestScores *scores, MetricClass *out)
{
	uint32	   *predicted = MemoryContextAllocHuge(host->context,
												   scores->n * sizeof(uint32) + 1);
	Failure		why;

	for (size_t i = 0; i < scores->n; i++)
	{
		const double *outputs = scores->outputs + i * scores->n_outputs;
		uint32		best = 0;

		for (uint32 k = 1; k < scores->n_outputs; k++)
			best = outputs[k] > outputs[best] ? k : best;
		predicted[i] = t->n_classes > 2 ? best
			: outputs[0] >= 0.5 ? (uint32) t->positive : 1 - (uint32) t->positive;
	}
	budget_check(host, metric_per_class(scores->label, predicted, scores->weight, scores->n,
										t->n_classes, out, &why), &why);
	pfree(predicted);
}

/* Scores of the rows held out become those of a version with this calibration. */
static void
calibrate_holdout(Fit *fit, const ForestModel *model, ForestScores *scores)
{
	const Host *host = &fit->host->host;
	ForestScores oob = {0};
	MemoryContext context;
	MemoryContext old;
	Failure		why;

	context = AllocSetContextCreate(CurrentMemoryContext, "churnops calibration of a fit",
									ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	budget_check(fit->host, forest_oob_scores(host, fit->part, model, &oob, &why), &why);
	forest_calibrate(calibration_fit(fit->host, fit->asked->params->calibration, &oob),
					 scores->outputs, scores->n);
	forest_scores_free(host, &oob);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

/* The scores that the fit is measured by, before calibration if they are out of bag. */
static void
score_fit(Fit *fit, ForestScores *scores)
{
	const Host *host = &fit->host->host;
	ForestModel *model;
	Failure		why;

	model = make_model(fit, 0);
	if (fit->asked->oob)
		budget_check(fit->host, forest_oob_scores(host, fit->part, model, scores, &why), &why);
	else
		budget_check(fit->host, forest_holdout_scores(host, fit->part, model, scores, &why),
					 &why);
	if (!fit->asked->oob && fit->asked->params->calibration != FOREST_UNCALIBRATED)
		calibrate_holdout(fit, model, scores);
	forest_model_free(model);
}

void
search_fit(const Search *search, PgHost *host, const SearchFit *asked, SearchResult *out)
{
	const Training *t = search->training;
	Fit			fit = {.search = search, .asked = asked, .host = host};
	ForestScores scores = {0};
	ForestReport report;

	make_part(&fit);
	fit.trees = palloc0(asked->params->n_estimators * sizeof(ForestBlob));
	if (asked->early_stop)
		grow_stepwise(&fit, &scores);
	else
		grow_more(&fit, asked->params->n_estimators);
	if (!asked->early_stop || !asked->oob)
		score_fit(&fit, &scores);
	if (asked->oob && asked->params->calibration != FOREST_UNCALIBRATED)
		(void) calibrate_scores(host, asked->params->calibration, &scores);
	forest_training_report(fit.part, &report);
	out->n_train = report.n_train;
	out->n_test = scores.n;
	out->n_trees = fit.n_trees;
	measure_report(t, host, &scores, &out->report);
	if (asked->classes != NULL)
		measure_classes(t, host, &scores, asked->classes);

	forest_scores_free(&host->host, &scores);
	for (uint32 i = 0; i < fit.n_trees; i++)
		host->host.realloc(host->host.ctx, unconstify(uint8_t *, fit.trees[i].bytes),
						   fit.trees[i].n_bytes, 0);
	pfree(fit.trees);
	forest_training_free(fit.part);
	storage_free(fit.storage);
}

void
search_adopt(Training *t, Jsonb *params)
{
	const Host *host = &t->host.host;
	Storage    *storage;
	ForestTraining *part;
	Status		status;
	Failure		why;

	forest_params_free(host, t->params);
	t->request.params = params;
	t->params = arguments_params(&t->host, params);
	budget_check(&t->host, forest_params_finish(t->params, t->task, t->n_classes, &why), &why);
	t->n_workers = Min(t->n_workers, parallel_workers_wanted(t->report.n_rows, t->report.n_features,
															 t->params->n_estimators));
	for (;;)
	{
		storage = storage_new(&t->host, t->matrix_bytes, t->n_workers > 0);
		status = forest_training_part(host, storage_host(storage), t->forest, NULL, t->params,
									  &part, &why);
		if (status != STATUS_NO_MEMORY || !storage_exhausted(storage))
			break;
		storage_free(storage);
		t->n_workers = 0;
	}
	budget_check(&t->host, status, &why);
	t->whole = t->forest;
	t->forest = part;
	if (forest_training_owns_rows(part))
	{
		t->whole_storage = t->storage;
		t->storage = storage;
	}
	else
		storage_free(storage);
	forest_training_report(t->forest, &t->report);
}
