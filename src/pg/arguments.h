/*
 * arguments.h
 *	  The arguments of a training: from SQL values to a TrainRequest and
 *	  ForestParams.
 */
#ifndef CHURNOPS_PG_ARGUMENTS_H
#define CHURNOPS_PG_ARGUMENTS_H

#include "fmgr.h"
#include "forest/forest.h"
#include "pg/host.h"
#include "pg/train.h"

/* Where a function has the arguments of a training; -1 where it has none. */
typedef struct TrainPlaces
{
	int			model;
	int			query;
	int			target;
	int			params;
	int			key;
	int			exclude;
	int			weight;
	int			task;
	int			positive_class;
	int			test_size;
	int			split_seed;
	int			time_column;
	int			description;
} TrainPlaces;

/* Those of churnops_train. */
extern const TrainPlaces train_places;

/* The arguments of a training, checked as far as they can be alone. */
extern void arguments_read(FunctionCallInfo fcinfo, const TrainPlaces *places,
						   TrainRequest *out);

/*
 * The options of a stored run (the jsonb column options) as arguments; what
 * the object does not hold stays as it is.
 */
extern void arguments_of_options(Jsonb *options, TrainRequest *out);

/* The parameters of a JSON object (NULL: none), each checked alone. */
extern ForestParams *arguments_params(PgHost *host, Jsonb *params);

/*
 * Raise what forest_params_finish() would say of the parameters for this
 * task, so that wrong combinations are refused before any row is read.
 */
extern void arguments_check_params(PgHost *host, Jsonb *params, ForestTask task);

#endif
