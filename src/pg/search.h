/*
 * search.h
 *	  Many forests from one training: fits of parts of it, folds, and the trials
 *	  of a search.
 */
#ifndef CHURNOPS_PG_SEARCH_H
#define CHURNOPS_PG_SEARCH_H

#include "portability/instr_time.h"

#include "pg/measure.h"
#include "pg/search_spec.h"

/* A training whose parts are grown. */
typedef struct Search
{
	Training   *training;
	ForestFoldRows rows;		/* those that train */
	instr_time	started;
	double		reported;		/* seconds after the start, of the latest notice */
} Search;

/* Read and prepare what all parts come from. */
extern void search_begin(Search *search, Training *training);
extern void search_end(Search *search);

/* Tell the user now and then how far it is: a printf format. */
extern void search_progress(Search *search, const char *format,...) pg_attribute_printf(2, 3);

/* The divisions of the training rows, or of those that train by `within` (NULL: all). */
typedef struct SearchFolds
{
	const Search *search;
	const SearchCv *cv;
	size_t		n;				/* rows that are divided */
	uint32	   *index;			/* of each, its row */
	TuneRows	rows;
	TunePlan  **plans;			/* one a repeat */
} SearchFolds;

extern void search_folds_begin(const Search *search, const SearchCv *cv, const uint8 *within,
							   SearchFolds *out);
extern void search_folds_end(SearchFolds *folds);

/* The number of parts: folds of all repeats. */
extern uint32 search_folds_n(const SearchFolds *folds);

/* The sides of all rows of the training in one of them; palloc'd. */
extern uint8 *search_folds_sides(const SearchFolds *folds, uint32 part);

/* A forest that is to be grown and measured. */
typedef struct SearchFit
{
	const uint8 *sides;			/* NULL: as in the training */
	const ForestParams *params;
	bool		oob;			/* measure it out of bag, not on the rows held out */
	bool		early_stop;		/* grow trees only as long as it helps */
	MetricName	objective;		/* for that */
	MetricClass *classes;		/* NULL, or n_classes to be filled */
} SearchFit;

typedef struct SearchResult
{
	MetricReport report;
	size_t		n_train;
	size_t		n_test;
	uint32		n_trees;
} SearchResult;

/* Memory comes from host, which counts what the training has too. */
extern void search_fit(const Search *search, PgHost *host, const SearchFit *fit,
					   SearchResult *out);

/* Let the training go on as the part with all its rows and these parameters. */
extern void search_adopt(Training *t, Jsonb *params);

/* A host for fits, over a new child of the current memory context. */
extern void search_host(const Search *search, PgHost *out);

/* ---------------------------------------------------------------- trials -- */

typedef enum TrialStatus
{
	TRIAL_SUCCEEDED,
	TRIAL_PRUNED,
	TRIAL_FAILED
} TrialStatus;

extern const char *trial_status_name(TrialStatus status);

typedef struct Trial
{
	uint32		number;			/* from 0 */
	uint32		candidate;		/* the number of its point */
	uint32		rung;			/* of halving, from 0 */
	double	   *values;
	char	   *params;			/* JSON: the point */
	TrialStatus status;
	double	   *scores;			/* of the folds, NAN where undefined */
	uint32		n_scores;
	double		objective;		/* their mean; NAN if it failed */
	uint32		n_trees;		/* the most that a fold needed */
	int64		resources;		/* of halving; 0: all */
	double		seconds;
	char	   *message;		/* of a failure */
	bool		stored;			/* by an earlier call */
} Trial;

/* A search, with what it has found. */
typedef struct Study
{
	Search	   *search;
	SearchSpace *space;
	SearchOptions *options;
	SearchCv   *cv;
	SearchFolds folds;			/* if not out of bag */
	const uint8 *within;		/* rows that it may use; NULL: all that train */
	MetricName	objective;
	Jsonb	   *fixed;			/* parameters, or NULL */
	uint64		seed;
	bool		early_stop;
	uint32		n_iter;
	uint32		max_new;		/* trials that may be run now */
	bool		quiet;

	Trial	  **trials;			/* in order of numbers */
	uint32		n_trials;
	uint32		n_stored;		/* of them, from earlier calls */
	uint32		capacity;
	uint32		n_planned;
	Trial	   *best;			/* NULL until complete, or if all failed */
} Study;

/* Run it, or go on with it; true when it is complete. */
extern bool study_run(Study *study);

/* The parameters of the best trial, fixed ones included; errors if all failed. */
extern Jsonb *study_winner(const Study *study);

/* Refuse values of a space that no trial could have. */
extern void study_check_space(PgHost *host, const SearchSpace *space, Jsonb *fixed);

#endif
