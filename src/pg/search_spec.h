/*
 * search_spec.h
 *	  What a search and a cross-validation are asked for in JSON: folds, spaces,
 *	  options of methods.
 */
#ifndef CHURNOPS_PG_SEARCH_SPEC_H
#define CHURNOPS_PG_SEARCH_SPEC_H

#include "metric/metric.h"
#include "pg/train.h"
#include "tune/tune.h"

#define SEARCH_MAX_TRIALS 100000

/* How rows are left out. */
typedef struct SearchCv
{
	bool		oob;			/* out-of-bag scores instead of folds */
	TuneFolds	folds;
	bool		kind_given;
	uint32		n_repeats;
	char	   *gap_interval;	/* as given, or NULL */
	Jsonb	   *nested;			/* the search within each fold, or NULL */
} SearchCv;

/* A dimension as it was given: its name and, of a list, the choices as JSON. */
typedef struct SearchName
{
	char	   *name;
	char	  **choices;
} SearchName;

typedef struct SearchSpace
{
	TuneSpace	space;
	SearchName *names;			/* sorted by name */
} SearchSpace;

typedef enum SearchMethod
{
	SEARCH_RANDOM,
	SEARCH_GRID,
	SEARCH_HALVING,
	SEARCH_TPE
} SearchMethod;

typedef struct SearchOptions
{
	SearchMethod method;
	bool		prune;			/* give up what is worse than the median, fold by fold */

	/* halving */
	uint32		factor;
	bool		resource_is_trees;
	int64		min_resources;	/* 0: smallest, -1: exhaust */
	int64		max_resources;	/* 0: all */
	bool		aggressive;

	TuneTpe		tpe;
} SearchOptions;

/* NULL: the defaults. */
extern void search_spec_cv(Jsonb *json, const char *argument, SearchCv *out);
extern void search_spec_space(Jsonb *json, SearchSpace *out);
extern SearchMethod search_spec_method(const char *name);
extern const char *search_method_name(SearchMethod method);
extern void search_spec_options(Jsonb *json, SearchMethod method, SearchOptions *out);

/*
 * Settle what depends on the task and the roles of columns: the kind of folds
 * where none was given, and what does not go together.
 */
extern void search_settle_cv(const Training *t, SearchCv *cv);
extern const char *search_fold_name(TuneFoldKind kind);

/* The objective by its name, NULL for the default of the task. */
extern MetricName search_objective(const Training *t, const char *name);
extern bool search_higher_is_better(MetricName metric);
/* Is an improvement of it told by a share of it, rather than by a difference? */
extern bool search_is_relative(MetricName metric);

/* A point as a JSON object. */
extern char *search_point_json(const SearchSpace *space, const double *values);

/* Fixed parameters and a point (JSON objects) in one. */
extern Jsonb *search_merge(Jsonb *fixed, const char *point);

/* The known name that is nearest to another, or NULL if all are far. */
extern const char *search_nearest(const char *name, const char *const *known, int n_known);

#endif
