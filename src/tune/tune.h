/*
 * tune.h
 *	  Cross-validation and hyper-parameter search without a model: which rows
 *	  are left out, and which points are tried.  The library's only public header.
 *
 * Nothing here depends on the order of rows or on the clock: rows are known by
 * their keys, points by their numbers.
 */
#ifndef CHURNOPS_TUNE_TUNE_H
#define CHURNOPS_TUNE_TUNE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/host.h"
#include "core/status.h"

/* ----------------------------------------------------------------- folds -- */

typedef enum TuneFoldKind
{
	TUNE_KFOLD,
	TUNE_STRATIFIED,
	TUNE_GROUP,
	TUNE_STRATIFIED_GROUP,
	TUNE_TIME
} TuneFoldKind;

/* The rows that are divided; arrays of n, NULL where the kind does not need them. */
typedef struct TuneRows
{
	size_t		n;
	const uint64_t *key;
	const uint32_t *label;
	uint32_t	n_classes;
	const uint64_t *group;
	const double *time;
} TuneRows;

typedef struct TuneFolds
{
	TuneFoldKind kind;
	uint32_t	n_folds;
	uint64_t	seed;
	uint32_t	repeat;			/* another division of the same seed */

	/* TUNE_TIME */
	uint32_t	gap_rows;		/* left away before the test rows */
	double		gap_time;		/* likewise, in units of time */
	uint32_t	test_rows;		/* 0: n / (n_folds + 1) */
	uint32_t	max_train_rows; /* 0: all that are earlier */
} TuneFolds;

#define TUNE_MAX_FOLDS 1000

#define TUNE_SIDE_NONE 0
#define TUNE_SIDE_TRAIN 1
#define TUNE_SIDE_TEST 2

typedef struct TunePlan TunePlan;

/*
 * Divide rows into folds by scikit-learn's rules of balance, in the order of
 * keyed hashes where scikit-learn shuffles: KFold, StratifiedKFold, GroupKFold,
 * StratifiedGroupKFold and TimeSeriesSplit.  Equal times stay on one side.
 * STATUS_INVALID_DATA where there are too few rows, groups or rows of all
 * classes.
 */
extern Status tune_folds_new(const Host *host, const TuneRows *rows, const TuneFolds *folds,
							 TunePlan **out, Failure *why);
extern void tune_folds_free(TunePlan *plan);

/* TUNE_SIDE_* of every row in one fold. */
extern void tune_folds_sides(const TunePlan *plan, uint32_t fold, uint8_t *sides);

/*
 * Stratified: the rows of the rarest class and which it is, where they are
 * fewer than folds; else 0.
 */
extern size_t tune_folds_rare(const TunePlan *plan, uint32_t *class_index);

/*
 * Of the rows that train, let about n (those of smallest hash) go on training,
 * as many of each class as its share, and at least one; the others are on no
 * side.
 */
extern Status tune_thin(const Host *host, const TuneRows *rows, uint64_t seed, size_t n,
						uint8_t *sides, Failure *why);

/* ----------------------------------------------------------------- space -- */

typedef enum TuneKind
{
	TUNE_LIST,
	TUNE_FLOAT,
	TUNE_INTEGER
} TuneKind;

/* A parameter that is searched for. */
typedef struct TuneDimension
{
	TuneKind	kind;
	uint32_t	n_choices;		/* TUNE_LIST: values are 0 .. n_choices - 1 */
	double		low;			/* both are possible values */
	double		high;
	bool		log;
	double		step;			/* TUNE_FLOAT: 0 for any value; TUNE_INTEGER: at least 1 */
} TuneDimension;

typedef struct TuneSpace
{
	const TuneDimension *dimensions;
	uint32_t	n;
} TuneSpace;

/* Points of the space: 0 if a dimension is continuous, UINT64_MAX if there are too many. */
extern uint64_t tune_space_size(const TuneSpace *space);

/* The point of a place in the grid, the last dimension running fastest. */
extern void tune_grid_point(const TuneSpace *space, uint64_t place, double *values);

/*
 * The number-th random point of a seed.  Where all dimensions are lists no
 * point comes twice among the first tune_space_size().
 */
extern void tune_random_point(const TuneSpace *space, uint64_t seed, uint32_t number,
							  double *values);

/* --------------------------------------------------------------- halving -- */

typedef struct TuneHalving
{
	uint32_t	factor;			/* at least 2 */
	uint32_t	n_candidates;
	uint64_t	min_resources;	/* the first rung's, if not exhaust */
	uint64_t	max_resources;
	bool		exhaust;		/* as much more as lets the last rung have the most */
	bool		aggressive;		/* repeat the first rung until few enough are left */
} TuneHalving;

typedef struct TuneRung
{
	uint32_t	n_candidates;
	uint64_t	resources;
} TuneRung;

#define TUNE_MAX_RUNGS 64

/* The rungs of successive halving (scikit-learn's schedule); returns their number. */
extern uint32_t tune_halving(const TuneHalving *halving, TuneRung rungs[TUNE_MAX_RUNGS]);

/* ------------------------------------------------------------------- TPE -- */

typedef struct TuneHistory
{
	size_t		n;
	const double *values;		/* n × dimensions, in the order of trials */
	const double *losses;		/* lower is better; none is NAN */
} TuneHistory;

typedef struct TuneTpe
{
	uint32_t	n_startup;		/* random points first */
	uint32_t	n_candidates;	/* drawn for each dimension */
} TuneTpe;

/* The next point of the tree-structured Parzen estimator, as Optuna has it by default. */
extern Status tune_tpe_point(const Host *host, const TuneSpace *space, const TuneTpe *tpe,
							 uint64_t seed, uint32_t number, const TuneHistory *history,
							 double *values, Failure *why);

/*
 * For tests: log l(x) − log g(x) of a value of one dimension, of which the
 * first n_below observations belong to l, each list in the order of trials.
 */
extern Status tune_tpe_score(const Host *host, const TuneDimension *dimension,
							 const double *observed, size_t n_below, size_t n, double x,
							 double *out, Failure *why);

/* ----------------------------------------------------------------- trees -- */

#define TUNE_TREES_FIRST 50
#define TUNE_TREES_STEP 10

/*
 * Have enough trees been grown?  objectives are those after TUNE_TREES_FIRST
 * trees and each TUNE_TREES_STEP more; yes if the best of the last three is not
 * better than the best before by `least` (`relative`: by this share of it).
 */
extern bool tune_trees_enough(const double *objectives, uint32_t n, bool higher_is_better,
							  bool relative, double least);

#endif
