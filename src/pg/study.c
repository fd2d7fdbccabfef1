/*
 * study.c
 *	  The trials of a search, one after the other.
 *
 * What is tried next is a function of the settings and of the results so far,
 * so a search that was begun earlier goes on by taking its stored trials for
 * those it would run, and the rest comes out as if it had never stopped.
 *
 * A trial runs in a subtransaction: where its parameters do not go together, or
 * its trees do not fit into memory, it failed, and the search goes on.
 */
#include "postgres.h"

#include <math.h>

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "pg/arguments.h"
#include "pg/budget.h"
#include "pg/search.h"

/* Trials that the median needs. */
#define PRUNE_AFTER 5

const char *
trial_status_name(TrialStatus status)
{
	static const char *const names[] = {
		[TRIAL_SUCCEEDED] = "succeeded",
		[TRIAL_PRUNED] = "pruned",
		[TRIAL_FAILED] = "failed",
	};

	return names[status];
}

/* Lower is better, whatever the objective. */
static double
loss_of(const Study *s, double objective)
{
	return search_higher_is_better(s->objective) ? -objective : objective;
}

/* The mean of those of the first n scores that are defined. */
static double
mean_score(const Trial *trial, uint32 n)
{
	double		sum = 0;
	uint32		n_defined = 0;

	for (uint32 i = 0; i < n && i < trial->n_scores; i++)
	{
		if (isnan(trial->scores[i]))
			continue;
		sum += trial->scores[i];
		n_defined++;
	}
	return n_defined == 0 ? NAN : sum / n_defined;
}

static int
compare_doubles(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return x < y ? -1 : x > y;
}

/* Is what a trial has so far worse than the median of the others after as many folds? */
static bool
is_hopeless(const Study *s, const Trial *trial)
{
	double	   *losses = palloc((s->n_trials + 1) * sizeof(double));
	uint32		n = 0;
	bool		hopeless;

	for (uint32 i = 0; i < s->n_trials; i++)
	{
		double		mean = mean_score(s->trials[i], trial->n_scores);

		if (s->trials[i]->status == TRIAL_SUCCEEDED && !isnan(mean))
			losses[n++] = loss_of(s, mean);
	}
	qsort(losses, n, sizeof(double), compare_doubles);
	hopeless = n >= PRUNE_AFTER &&
		loss_of(s, mean_score(trial, trial->n_scores)) > (losses[(n - 1) / 2] + losses[n / 2]) / 2;
	pfree(losses);
	return hopeless;
}

/* ------------------------------------------------------------- one trial -- */

/* The parameters of a trial, resolved for the task. */
static ForestParams *
trial_params(const Study *s, PgHost *host, const Trial *trial)
{
	const Training *t = s->search->training;
	ForestParams *params = arguments_params(host, search_merge(s->fixed, trial->params));
	Failure		why;

	budget_check(host, forest_params_finish(params, t->task, t->n_classes, &why), &why);
	if (trial->resources > 0 && s->options->resource_is_trees)
		params->n_estimators = (int32) trial->resources;
	if ((s->cv->oob || s->early_stop) && !params->bootstrap)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("without \"bootstrap\" there are no out-of-bag scores"),
				 errhint("Give cv => '{\"folds\": 5}' and early_stop => false.")));
	return params;
}

/* The rows of one fit; NULL: all as they are. */
static uint8 *
trial_sides(const Study *s, PgHost *host, const Trial *trial, uint32 part)
{
	size_t		n_train = 0;
	uint8	   *sides;
	uint8	   *own;
	Failure		why;

	bool		thin = trial->resources > 0 && !s->options->resource_is_trees &&
		(size_t) trial->resources < s->folds.n;

	if (s->cv->oob && s->within == NULL && !thin)
		return NULL;
	sides = search_folds_sides(&s->folds, part);
	if (!thin)
		return sides;
	own = MemoryContextAllocHuge(CurrentMemoryContext, s->folds.n + 1);
	for (size_t i = 0; i < s->folds.n; i++)
	{
		own[i] = sides[s->folds.index[i]];
		n_train += own[i] == FOREST_SIDE_TRAIN;
	}
	budget_check(host, tune_thin(&host->host, &s->folds.rows, s->cv->folds.seed,
								 (size_t) ((double) n_train * (double) trial->resources /
										   (double) s->folds.n + 0.5), own, &why), &why);
	for (size_t i = 0; i < s->folds.n; i++)
		sides[s->folds.index[i]] = own[i];
	pfree(own);
	return sides;
}

/* Fit and measure, fold after fold. */
static void
run_folds(Study *s, PgHost *host, Trial *trial)
{
	ForestParams *params = trial_params(s, host, trial);
	uint32		n = search_folds_n(&s->folds);

	trial->status = TRIAL_SUCCEEDED;
	for (uint32 part = 0; part < n; part++)
	{
		SearchFit	fit = {
			.sides = trial_sides(s, host, trial, part),
			.params = params,
			.oob = s->cv->oob,
			.early_stop = s->early_stop,
			.objective = s->objective,
		};
		SearchResult result;

		if (!s->quiet)
			search_progress(s->search, "trial %u of %u, fold %u of %u", trial->number + 1,
							s->n_planned, part + 1, n);
		search_fit(s->search, host, &fit, &result);
		trial->scores[trial->n_scores++] = result.report.value[s->objective];
		trial->n_trees = Max(trial->n_trees, result.n_trees);
		if (fit.sides != NULL)
			pfree(unconstify(uint8 *, fit.sides));
		if (s->options->prune && part + 1 < n && is_hopeless(s, trial))
		{
			trial->status = TRIAL_PRUNED;
			break;
		}
	}
	forest_params_free(&host->host, params);
	trial->objective = mean_score(trial, trial->n_scores);
	if (isnan(trial->objective))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the objective \"%s\" is undefined in every fold",
						metric_name(s->objective))));
}

/* Is an error one of the trial, and not of the search? */
static bool
is_of_trial(int sqlerrcode)
{
	return sqlerrcode == ERRCODE_INVALID_PARAMETER_VALUE ||
		sqlerrcode == ERRCODE_PROGRAM_LIMIT_EXCEEDED ||
		sqlerrcode == ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE;
}

/* Run a trial. */
static void
run_trial(Study *s, Trial *trial)
{
	MemoryContext outer = CurrentMemoryContext;
	MemoryContext context = AllocSetContextCreate(outer, "churnops trial", ALLOCSET_DEFAULT_SIZES);
	ResourceOwner owner = CurrentResourceOwner;
	instr_time	begin;
	instr_time	end;

	INSTR_TIME_SET_CURRENT(begin);
	trial->scores = palloc(search_folds_n(&s->folds) * sizeof(double));
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		PgHost		host;

		search_host(s->search, &host);
		run_folds(s, &host, trial);
		s->search->training->host.peak = Max(s->search->training->host.peak, host.peak);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(outer);
		CurrentResourceOwner = owner;
		if (!is_of_trial(error->sqlerrcode))
			ReThrowError(error);
		trial->status = TRIAL_FAILED;
		trial->objective = NAN;
		trial->message = pstrdup(error->message);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(outer);
	CurrentResourceOwner = owner;
	MemoryContextDelete(context);
	INSTR_TIME_SET_CURRENT(end);
	INSTR_TIME_SUBTRACT(end, begin);
	trial->seconds = INSTR_TIME_GET_DOUBLE(end);
}

/* ------------------------------------------------------------- the study -- */

/* Take the result of an earlier trial of the same point with the same resources; is there one? */
static bool
repeat_trial(const Study *s, Trial *trial)
{
	for (uint32 i = 0; i < s->n_trials; i++)
	{
		const Trial *earlier = s->trials[i];

		if (earlier->resources != trial->resources || strcmp(earlier->params, trial->params) != 0)
			continue;
		trial->status = earlier->status;
		trial->scores = earlier->scores;
		trial->n_scores = earlier->n_scores;
		trial->objective = earlier->objective;
		trial->n_trees = earlier->n_trees;
		trial->message = earlier->message;
		return true;
	}
	return false;
}

/*
 * The next trial, run now or earlier; NULL if no more may be run now.  values
 * are kept.
 */
static Trial *
next_trial(Study *s, uint32 candidate, uint32 rung, int64 resources, double *values)
{
	Trial	   *trial;
	char	   *params = search_point_json(s->space, values);

	if (s->n_trials < s->n_stored)
	{
		trial = s->trials[s->n_trials];
		trial->params = params; /* as it is written here, not as jsonb shows it */
		if (trial->number != s->n_trials || trial->candidate != candidate || trial->rung != rung)
			ereport(ERROR,
					(errcode(ERRCODE_DATA_CORRUPTED),
					 errmsg("stored trial %u is not the one that the search had", s->n_trials)));
	}
	else
	{
		if (s->max_new == 0)
			return NULL;
		s->max_new--;
		if (s->n_trials == s->capacity)
		{
			s->capacity = Max(2 * s->capacity, 64);
			s->trials = s->trials == NULL ? palloc(s->capacity * sizeof(Trial *))
				: repalloc(s->trials, s->capacity * sizeof(Trial *));
		}
		trial = palloc0(sizeof(Trial));
		trial->number = s->n_trials;
		trial->candidate = candidate;
		trial->rung = rung;
		trial->resources = resources;
		trial->params = params;
		CHECK_FOR_INTERRUPTS();
		if (!repeat_trial(s, trial))
			run_trial(s, trial);
		s->trials[s->n_trials] = trial;
	}
	trial->values = values;
	s->n_trials++;
	return trial;
}

/* Is a better than b?  Ties go to the earlier. */
static bool
is_better(const Study *s, const Trial *a, const Trial *b)
{
	double		x = loss_of(s, a->objective);
	double		y = loss_of(s, b->objective);

	return x != y ? x < y : a->candidate < b->candidate;
}

/* The best of the trials from `first` on that succeeded. */
static Trial *
find_best(const Study *s, uint32 first)
{
	Trial	   *best = NULL;

	for (uint32 i = first; i < s->n_trials; i++)
	{
		if (s->trials[i]->status == TRIAL_SUCCEEDED &&
			(best == NULL || is_better(s, s->trials[i], best)))
			best = s->trials[i];
	}
	return best;
}

/* The point of a candidate, before anything is known. */
static double *
plain_point(const Study *s, uint32 candidate)
{
	double	   *values = palloc0(s->space->space.n * sizeof(double));

	if (s->options->method == SEARCH_GRID)
		tune_grid_point(&s->space->space, candidate, values);
	else
		tune_random_point(&s->space->space, s->seed, candidate, values);
	return values;
}

/* The point that the trials so far suggest. */
static double *
suggested_point(const Study *s)
{
	PgHost	   *host = &s->search->training->host;
	uint32		n_dimensions = s->space->space.n;
	double	   *point = palloc0(n_dimensions * sizeof(double));
	double	   *values = palloc((s->n_trials + 1) * n_dimensions * sizeof(double));
	double	   *losses = palloc((s->n_trials + 1) * sizeof(double));
	TuneHistory history = {.values = values, .losses = losses};
	Failure		why;

	for (uint32 i = 0; i < s->n_trials; i++)
	{
		const Trial *trial = s->trials[i];

		if (trial->status == TRIAL_FAILED)
			continue;
		memcpy(values + history.n * n_dimensions, trial->values, n_dimensions * sizeof(double));
		losses[history.n++] = loss_of(s, trial->objective);
	}
	budget_check(host, tune_tpe_point(&host->host, &s->space->space, &s->options->tpe, s->seed,
									  s->n_trials, &history, point, &why), &why);
	pfree(values);
	pfree(losses);
	return point;
}

/* Points of the grid; errors if it has no end. */
static uint32
grid_size(const Study *s)
{
	uint64		size = tune_space_size(&s->space->space);

	if (size == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a grid needs lists of values, or ranges with a \"step\""),
				 errhint("Give method => 'random' for ranges of any number.")));
	if (size > SEARCH_MAX_TRIALS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the grid has more than %d points", SEARCH_MAX_TRIALS),
				 errhint("Give fewer values, or method => 'random'.")));
	return (uint32) size;
}

/* Random, grid and TPE: one point after the other. */
static bool
run_points(Study *s)
{
	uint64		size = tune_space_size(&s->space->space);
	bool		lists = size > 0;

	for (uint32 i = 0; i < s->space->space.n; i++)
		lists = lists && s->space->space.dimensions[i].kind == TUNE_LIST;
	s->n_planned = s->n_iter;
	if (s->options->method == SEARCH_GRID)
		s->n_planned = grid_size(s);
	else if (s->options->method == SEARCH_RANDOM && lists && size < s->n_iter)
	{
		s->n_planned = (uint32) size;
		if (!s->quiet)
			ereport(NOTICE,
					(errmsg("the space has " UINT64_FORMAT " points only, fewer than n_iter (%u)",
							size, s->n_iter)));
	}
	while (s->n_trials < s->n_planned)
	{
		double	   *values = s->options->method == SEARCH_TPE ? suggested_point(s)
			: plain_point(s, s->n_trials);

		if (next_trial(s, s->n_trials, 0, 0, values) == NULL)
			return false;
	}
	s->best = find_best(s, 0);
	return true;
}

/* The rungs, as the options say. */
static uint32
plan_rungs(const Study *s, TuneRung rungs[TUNE_MAX_RUNGS])
{
	const Training *t = s->search->training;
	const SearchOptions *o = s->options;
	PgHost	   *host = &s->search->training->host;
	ForestParams *params = arguments_params(host, s->fixed);
	int64		all = o->resource_is_trees ? params->n_estimators : (int64) s->folds.n;
	int64		smallest = o->resource_is_trees ? 1
		: 2 * (int64) Max(search_folds_n(&s->folds), 2) *
		(t->task == FOREST_CLASSIFICATION ? t->n_classes : 1);
	TuneHalving halving = {
		.factor = o->factor,
		.n_candidates = s->n_iter,
		.aggressive = o->aggressive,
		.exhaust = o->min_resources < 0,
		.max_resources = o->max_resources > 0 ? o->max_resources : all,
		.min_resources = o->min_resources > 0 ? o->min_resources : smallest,
	};

	forest_params_free(&host->host, params);
	if (o->max_resources > all)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"max_resources\" is " INT64_FORMAT ", more than the " INT64_FORMAT
						" %s there are", o->max_resources, all,
						o->resource_is_trees ? "trees" : "training rows")));
	if (halving.min_resources > halving.max_resources && o->min_resources > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"min_resources\" is " INT64_FORMAT ", more than the most, "
						INT64_FORMAT, o->min_resources, (int64) halving.max_resources)));
	return tune_halving(&halving, rungs);
}

/* Trials of the rung before, the best first; those that failed are last. */
static void
order_trials(const Study *s, Trial **trials, uint32 n)
{
	for (uint32 i = 1; i < n; i++)
	{
		Trial	   *trial = trials[i];
		uint32		at = i;

		for (; at > 0 && (trial->status == TRIAL_SUCCEEDED &&
						  (trials[at - 1]->status != TRIAL_SUCCEEDED ||
						   is_better(s, trial, trials[at - 1]))); at--)
			trials[at] = trials[at - 1];
		trials[at] = trial;
	}
}

static int
compare_candidates(const void *a, const void *b)
{
	const Trial *x = *(Trial *const *) a;
	const Trial *y = *(Trial *const *) b;

	return x->candidate < y->candidate ? -1 : x->candidate > y->candidate;
}

/* Successive halving: rung after rung, the best go on. */
static bool
run_rungs(Study *s)
{
	TuneRung	rungs[TUNE_MAX_RUNGS];
	uint32		n_rungs = plan_rungs(s, rungs);
	Trial	  **staying = palloc((rungs[0].n_candidates + 1) * sizeof(Trial *));
	uint32		first = 0;

	for (uint32 r = 0; r < n_rungs; r++)
		s->n_planned += rungs[r].n_candidates;
	for (uint32 r = 0; r < n_rungs; r++)
	{
		first = s->n_trials;
		for (uint32 i = 0; i < rungs[r].n_candidates; i++)
		{
			uint32		candidate = r == 0 ? i : staying[i]->candidate;
			Trial	   *trial;

			trial = next_trial(s, candidate, r, (int64) rungs[r].resources,
							   plain_point(s, candidate));
			if (trial == NULL)
				return false;
			staying[i] = trial;
		}
		order_trials(s, staying, rungs[r].n_candidates);
		if (r + 1 < n_rungs)
			qsort(staying, rungs[r + 1].n_candidates, sizeof(Trial *), compare_candidates);
	}
	s->best = find_best(s, first);
	return true;
}

bool
study_run(Study *s)
{
	bool		complete;

	search_folds_begin(s->search, s->cv, s->within, &s->folds);
	complete = s->options->method == SEARCH_HALVING ? run_rungs(s) : run_points(s);
	search_folds_end(&s->folds);
	return complete;
}

Jsonb *
study_winner(const Study *s)
{
	const Trial *best = s->best;
	StringInfoData point;

	if (best == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("none of %u trials succeeded", s->n_trials),
				 s->n_trials > 0 && s->trials[0]->message != NULL
				 ? errdetail("The first failed: %s.", s->trials[0]->message) : 0,
				 errhint("Give a space whose parameters go together.")));
	if (!s->early_stop)
		return search_merge(s->fixed, best->params);
	initStringInfo(&point);
	appendStringInfo(&point, "{\"n_estimators\": %u}", best->n_trees);
	return search_merge(search_merge(s->fixed, best->params), point.data);
}

void
study_check_space(PgHost *host, const SearchSpace *space, Jsonb *fixed)
{
	for (uint32 i = 0; i < space->space.n; i++)
	{
		const TuneDimension *d = &space->space.dimensions[i];
		const char *name = space->names[i].name;
		SearchSpace one = {.space = {.dimensions = d, .n = 1}, .names = &space->names[i]};

		if (fixed != NULL &&
			getKeyJsonValueFromContainer(&fixed->root, name, strlen(name), NULL) != NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("parameter \"%s\" is both in params and in space", name),
					 errhint("A parameter is either fixed or searched for.")));
		for (uint32 k = 0; k < (d->kind == TUNE_LIST ? d->n_choices : 2); k++)
		{
			double		value = d->kind == TUNE_LIST ? k : k == 0 ? d->low : d->high;

			forest_params_free(&host->host,
							   arguments_params(host, search_merge(NULL, search_point_json(&one, &value))));
		}
	}
}
