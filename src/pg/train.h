/*
 * train.h
 *	  A training from query to artifact, without the registration: shared by
 *	  churnops_train and churnops_reproduce.
 */
#ifndef CHURNOPS_PG_TRAIN_H
#define CHURNOPS_PG_TRAIN_H

#include <time.h>

#include "datatype/timestamp.h"
#include "fmgr.h"
#include "nodes/pg_list.h"
#include "utils/jsonb.h"
#include "forest/forest.h"
#include "pg/dataset.h"
#include "pg/host.h"
#include "pg/spill.h"
#include "pg/storage.h"

/* The arguments of churnops_train; NULL where not given. */
typedef struct TrainRequest
{
	const char *model;
	const char *query;
	const char *target;
	Jsonb	   *params;
	List	   *key;			/* of char * */
	List	   *exclude;		/* of char * */
	const char *weight;
	const char *task;
	const char *positive_class;
	double		test_size;
	int32		split_seed;
	const char *time_column;
	const char *description;
	const char *model_task;		/* of the model, if it exists already */
	const char *model_target;
	bool		quiet;			/* reproduce: no notices about the data, no metrics */
	bool		for_search;		/* parts of the training will be grown */
} TrainRequest;

/* A training and what has come of it; everything lives in `context`. */
typedef struct Training
{
	TrainRequest request;
	MemoryContext context;
	PgHost		host;			/* over a child of context, with the budget */
	TimestampTz started_at;
	clock_t		started_clock;	/* CPU time of the backend */

	/* from the query */
	Dataset		dataset;
	const struct Source *source;	/* the version of a dataset it named, or NULL */
	char	   *fingerprint;
	char	   *relations;		/* JSON */
	char	   *search_path;
	char	   *snapshot;
	char	   *lsn;			/* or NULL */
	char	   *dataset_digest;

	/* from the rows */
	ForestParams *params;
	ForestTask	task;
	uint32		n_classes;		/* 0 for regression */
	char	  **classes;		/* labels in class order, UTF-8 */
	int			positive;		/* class index, -1 without a positive class */
	size_t		n_unknown;		/* rows left out for their unknown target */
	int			n_workers;		/* planned */
	Size		matrix_bytes;	/* of it, estimated */
	Size		estimate;		/* bytes of memory, without the model */
	Size		peak;			/* bytes that were used, with it */
	Spill	   *spill;
	Storage    *storage;
	ForestTraining *forest;
	ForestTraining *whole;		/* of which forest is a part; NULL where it is none */
	Storage    *whole_storage;	/* its matrix, where the part has one of its own */
	ForestReport report;

	/* the result */
	ForestArtifact artifact;
	char	   *artifact_digest;
	ForestModel *model;
	size_t		n_calibrated;	/* rows that it was calibrated on; 0: it was not */
	char	   *metrics;		/* JSON; NULL if quiet, as the next two */
	double	   *permutation;	/* per feature of the model, NAN where unknown */
	double	   *permutation_sd;
	int64		study;			/* the search that found the parameters; 0: none */
} Training;

/*
 * Train as the request says.  The training is made in a new child of the
 * current memory context; training_free() gives everything back.
 */
extern Training *training_run(const TrainRequest *request);

/*
 * Its steps: read the rows and settle task and parameters; then, in the
 * training's context, make the matrix, and grow and decode the forest.
 */
extern Training *training_read(const TrainRequest *request);
extern void training_prepare(Training *t);
extern void training_grow(Training *t);

/* Tell the log what has been done, for whoever asks where time and memory go. */
extern void training_phase(Training *t, const char *phase);

/*
 * Raise what can be refused before the query is looked at, for a function that
 * will store a version; fills what is known of the model.
 */
extern void training_check_right(TrainRequest *request, const char *function);

/* The result row of such a function; version 0: nothing was registered. */
extern Datum training_result(FunctionCallInfo fcinfo, const Training *t, int32 version,
							 const char *status);

extern void training_free(Training *t);

/* How rows are split, as the request says. */
extern ForestSplit training_split(const TrainRequest *request);

/* Seconds since the training began. */
extern double training_seconds(const Training *t);

#endif
