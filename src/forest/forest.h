/*
 * forest.h
 *	  Random forests: the library's only public header.
 *
 * The life of a model, and the objects it passes through:
 *
 *	  ForestParams	 what the user asked for, checked against one table
 *	  ForestFrame	 the raw training rows, column by column, as they are read
 *	  ForestTraining what trees are grown from: bins, targets, weights and row
 *					 keys in canonical order, split in training and holdout rows
 *	  ForestGrower	 grows one tree at a time, in bounded steps
 *	  artifact		 the bytes of a finished forest (docs/model-format.md)
 *	  ForestModel	 a decoded artifact: scores rows, never changes
 *
 * A training is described by forest_training_share() in one flat block of
 * bytes plus the chunks of its matrix, so a worker process can attach to it.
 * Trees depend only on (training, tree number): any number of growers in any
 * processes give the same bytes.
 *
 * Conventions: counts are n_*; outputs come last but for the Failure; a
 * function that returns Status leaves its outputs NULL or untouched on
 * failure.  Objects are made and freed with the Host they were given.
 */
#ifndef CHURNOPS_FOREST_FOREST_H
#define CHURNOPS_FOREST_FOREST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/hash.h"
#include "core/host.h"
#include "core/status.h"

/* Bump whenever the bytes of a model grown from the same input may change. */
#define FOREST_ALGORITHM_VERSION 3
/* The newest artifact format written, docs/model-format.md. */
#define FOREST_FORMAT_VERSION 1

#define FOREST_MAX_FEATURES 1600
#define FOREST_MAX_CLASSES 1000
#define FOREST_MAX_TREES 100000
#define FOREST_MAX_ROWS ((size_t) 2147483647)
#define FOREST_VALUE_BINS 255		/* bins of values: codes 0 .. 254 */
#define FOREST_MISSING 255			/* the bin of a missing value */
#define FOREST_MAX_CATEGORIES 254	/* kept categories; code 254 is then OTHER */
#define FOREST_MAX_INTEGER_CLASSES 100
#define FOREST_PERMUTATION_ROWS 2000
#define FOREST_PERMUTATION_FEW_ROWS 1000
#define FOREST_PERMUTATION_TREES 64
#define FOREST_PERMUTATION_REPEATS 5

/* ---------------------------------------------------------------- kinds -- */

typedef enum ForestTask
{
	FOREST_CLASSIFICATION,
	FOREST_REGRESSION
} ForestTask;

/*
 * The kind of a feature.  All but FOREST_CATEGORY hold a double: booleans 0
 * or 1, points in time seconds since 1970-01-01 UTC, intervals seconds.
 */
typedef enum ForestKind
{
	FOREST_NUMERIC,
	FOREST_BOOLEAN,
	FOREST_CATEGORY,
	FOREST_TIMESTAMP,			/* date, timestamp */
	FOREST_TIMESTAMPTZ,
	FOREST_INTERVAL
} ForestKind;

/* "numeric", "boolean", "category", "timestamp", "timestamptz", "interval" */
extern const char *forest_kind_name(ForestKind kind);

/* A value of one column of one row. */
typedef struct ForestCell
{
	bool		missing;		/* NULL or NaN */
	double		number;			/* every kind but FOREST_CATEGORY; may be infinite at scoring */
	const char *text;			/* FOREST_CATEGORY: bytes, not NUL-terminated */
	size_t		n_bytes;
} ForestCell;

/* ----------------------------------------------------------- parameters -- */

typedef enum ForestCriterion
{
	FOREST_GINI,
	FOREST_ENTROPY,				/* also spelled log_loss */
	FOREST_SQUARED_ERROR,
	FOREST_POISSON
} ForestCriterion;

/* What a forest's scores go through to become probabilities. */
typedef enum ForestCalibrationKind
{
	FOREST_UNCALIBRATED = 0,
	FOREST_SIGMOID = 1,			/* as in the artifact */
	FOREST_ISOTONIC = 2
} ForestCalibrationKind;

typedef enum ForestMaxFeatures
{
	FOREST_MTRY_ALL,			/* null */
	FOREST_MTRY_SQRT,
	FOREST_MTRY_LOG2,
	FOREST_MTRY_COUNT,
	FOREST_MTRY_FRACTION
} ForestMaxFeatures;

typedef enum ForestClassWeight
{
	FOREST_WEIGHT_NONE,
	FOREST_WEIGHT_BALANCED,
	FOREST_WEIGHT_BALANCED_SUBSAMPLE,
	FOREST_WEIGHT_DICT
} ForestClassWeight;

/* A number that is a count (≥ 1) or a share of something. */
typedef struct ForestAmount
{
	bool		is_fraction;
	double		value;
} ForestAmount;

/* An entry of class_weight or monotonic_cst given by name. */
typedef struct ForestNamedValue
{
	char	   *name;			/* NUL-terminated, owned by the ForestParams */
	double		value;
} ForestNamedValue;

/*
 * The parameters of a training: scikit-learn's names, meanings and defaults
 * (algorithms A1).  Made by forest_params_new(), changed by
 * forest_params_set().
 */
typedef struct ForestParams
{
	int32_t		n_estimators;
	ForestCriterion criterion;	/* resolved for the task by forest_params_finish() */
	bool		criterion_given;
	int32_t		max_depth;		/* 0: no limit */
	ForestAmount min_samples_split;
	ForestAmount min_samples_leaf;
	double		min_weight_fraction_leaf;
	ForestMaxFeatures max_features;
	double		max_features_value;
	bool		max_features_given;
	int32_t		max_leaf_nodes; /* 0: no limit */
	double		min_impurity_decrease;
	bool		bootstrap;
	bool		bootstrap_given;
	bool		oob_score;
	bool		max_samples_given;
	ForestAmount max_samples;
	ForestClassWeight class_weight;
	ForestNamedValue *class_weights;	/* FOREST_WEIGHT_DICT */
	size_t		n_class_weights;
	double		ccp_alpha;
	ForestNamedValue *monotonic;	/* by feature name; by position: name is NULL */
	size_t		n_monotonic;
	bool		monotonic_by_position;
	uint32_t	random_state;
	bool		random_splitter;	/* splitter: 'random' */
	ForestCalibrationKind calibration;
} ForestParams;

/* A value of a parameter as JSON (or YAML) has it. */
typedef enum ForestValueType
{
	FOREST_VALUE_NULL,
	FOREST_VALUE_BOOLEAN,
	FOREST_VALUE_NUMBER,
	FOREST_VALUE_STRING,
	FOREST_VALUE_ARRAY,
	FOREST_VALUE_OBJECT
} ForestValueType;

typedef struct ForestValue
{
	ForestValueType type;
	bool		boolean;
	double		number;
	bool		is_integer;		/* the number was written without fraction or exponent */
	const char *string;			/* NUL-terminated; also the text of a number, for messages */
	const struct ForestValue *items;	/* array elements, or an object's values */
	const char *const *names;	/* an object's keys */
	size_t		n_items;
} ForestValue;

/* One row of the parameter table: what checks, messages and docs read. */
typedef struct ForestParamInfo
{
	const char *name;
	const char *values;			/* what is allowed, in words: "integer from 1 to 100000" */
	const char *default_text;	/* as JSON */
	const char *help;			/* one sentence */
	const char *schema;			/* `values` as JSON Schema, for editors */
} ForestParamInfo;

/* The table, ended by a row with name NULL. */
extern const ForestParamInfo *forest_param_table(void);

/* Defaults of every parameter. */
extern Status forest_params_new(const Host *host, ForestParams **out, Failure *why);
extern void forest_params_free(const Host *host, ForestParams *params);

/*
 * Set one parameter.  An unknown name, a wrong type or a value out of range
 * is STATUS_INVALID_PARAMETER naming the parameter, the value, what is
 * allowed, and for unknown names the nearest known one; a parameter of
 * scikit-learn that is left out is STATUS_UNSUPPORTED with the reason.
 * n_jobs is checked and ignored.
 */
extern Status forest_params_set(const Host *host, ForestParams *params, const char *name,
								const ForestValue *value, Failure *why);

/*
 * Resolve what depends on the task (criterion, max_features, bootstrap of
 * random splits) and check combinations: criterion of the other task,
 * oob_score or max_samples without bootstrap, class_weight in regression,
 * monotonic_cst with more than two classes (n_classes; 0 for regression).
 */
extern Status forest_params_finish(ForestParams *params, ForestTask task, uint32_t n_classes,
								   Failure *why);

/*
 * Every resolved parameter as one JSON object with sorted keys, scikit-learn's
 * names and the table's spelling of values, UTF-8, NUL-terminated.  *n_bytes
 * is the allocated size, for memory_free.
 */
extern Status forest_params_json(const Host *host, const ForestParams *params, char **out,
								 size_t *n_bytes, Failure *why);

/* ---------------------------------------------------------------- frame -- */

/* How the target is read. */
typedef enum ForestTargetKind
{
	FOREST_TARGET_LABEL,		/* classes, by label and order */
	FOREST_TARGET_NUMBER		/* a number; see forest_frame_number_classes() */
} ForestTargetKind;

typedef struct ForestColumn
{
	const char *name;			/* NUL-terminated; copied */
	ForestKind	kind;
	bool		integer;		/* holds whole numbers by its type: for the id-like notice */
} ForestColumn;

/* What is known about one row besides its features. */
typedef struct ForestRow
{
	const ForestCell *cells;	/* n_columns */
	Hash128		identity;		/* of all columns that are not excluded */
	Hash128		group;			/* of the key columns; ignored without keys */
	bool		target_missing;
	double		target_number;	/* FOREST_TARGET_NUMBER */
	const char *target_label;	/* FOREST_TARGET_LABEL: the text form of the value */
	size_t		target_label_bytes;
	double		target_order;	/* sorts labels before their bytes do: numbers, enums; else 0 */
	double		weight;			/* 1 without a weight column; ≥ 0, finite */
	double		time;			/* ignored without a time column */
} ForestRow;

typedef struct ForestFrame ForestFrame;

/*
 * A temporary file, for columns that do not fit into memory: bytes are added
 * at its end, and read anywhere.  Neither function raises; false says that
 * it failed, and the library returns STATUS_IO.
 */
typedef struct ForestSpill
{
	bool		(*write) (void *ctx, const void *bytes, size_t n_bytes);
	bool		(*read) (void *ctx, uint64_t offset, void *bytes, size_t n_bytes);
	void	   *ctx;
} ForestSpill;

typedef struct ForestFrameOptions
{
	const ForestColumn *columns;
	uint32_t	n_columns;
	ForestTargetKind target;
	bool		integer_labels; /* more than FOREST_MAX_INTEGER_CLASSES of them is an error */
	bool		has_weight;
	bool		has_group;
	bool		has_time;
	const ForestSpill *spill;	/* copied; NULL: columns stay in memory */
	size_t		memory;			/* columns go to spill when frame, order and matrix of the
								 * training would take more than this together */
	bool		wants_facts;	/* note what only raw rows tell, for forest_checks() */
} ForestFrameOptions;

extern Status forest_frame_new(const Host *host, const ForestFrameOptions *options,
							   ForestFrame **out, Failure *why);
extern void forest_frame_free(ForestFrame *frame);

/*
 * Add one row.  Rows with an unknown target are counted and not kept.  An
 * infinite number is STATUS_OUT_OF_RANGE naming the column, a negative or
 * infinite weight STATUS_INVALID_DATA; too many rows or classes STATUS_LIMIT.
 * Texts are copied; category texts longer than FOREST_CATEGORY_BYTES are
 * shortened as forest_category_key() says.
 */
extern Status forest_frame_append(ForestFrame *frame, const ForestRow *row, Failure *why);

extern size_t forest_frame_n_rows(const ForestFrame *frame);			/* with a known target */
extern size_t forest_frame_n_unknown(const ForestFrame *frame);			/* without */

/* True when the target was read as numbers and all of them are 0 or 1. */
extern bool forest_frame_is_zero_one(const ForestFrame *frame);

/* Turn a number target into class labels "0", "1" (only if forest_frame_is_zero_one). */
extern Status forest_frame_number_classes(ForestFrame *frame, Failure *why);

/* Classes in class order; valid while the frame lives. n is 0 for a number target. */
extern Status forest_frame_classes(ForestFrame *frame, uint32_t *n_classes, Failure *why);
extern const char *forest_frame_class_label(const ForestFrame *frame, uint32_t class_index,
											size_t *n_bytes);

/* Bytes the frame holds in memory. */
extern size_t forest_frame_bytes(const ForestFrame *frame);

/* Have its columns gone to a temporary file? */
extern bool forest_frame_is_spilled(const ForestFrame *frame);

#define FOREST_CATEGORY_BYTES 256
/*
 * The key under which a category text is known: the text itself up to
 * FOREST_CATEGORY_BYTES bytes; of a longer one the first 192 bytes (cut at a
 * character), "…" and the XXH3-128 of the whole in hexadecimal, written into
 * buffer (FOREST_CATEGORY_BYTES bytes).  Used alike in training and scoring.
 */
extern const char *forest_category_key(const char *text, size_t n_bytes, char *buffer,
									   size_t *key_bytes);

/* ------------------------------------------------------------- training -- */

typedef enum ForestSplitKind
{
	FOREST_SPLIT_NONE,			/* every row trains */
	FOREST_SPLIT_HASH,			/* by identity, or by group where the frame has groups */
	FOREST_SPLIT_TIME			/* the latest rows are the holdout */
} ForestSplitKind;

typedef struct ForestSplit
{
	ForestSplitKind kind;
	double		test_size;		/* share of rows, in (0, 1) */
	uint32_t	split_seed;
	bool		for_search;		/* parts of the training will be asked for */
} ForestSplit;

/*
 * The split of rows that are in no frame, as a training of them makes it: 1 in
 * trains for each row that trains, else 0.  group is NULL without keys, time
 * without a time column.  order becomes the rows in canonical order, which
 * depends on nothing but what they are.
 */
extern Status forest_split_rows(const Host *host, const ForestSplit *split,
								const Hash128 *identity, const Hash128 *group,
								const double *time, size_t n, uint32_t *order, uint8_t *trains,
								Failure *why);

typedef struct ForestTraining ForestTraining;

/* The memory that a training will need, in bytes. */
typedef struct ForestEstimate
{
	bool		spilled;		/* columns are, or will be, in the temporary file */
	size_t		prepare_bytes;	/* from the rows to the matrix: frame, order, matrix */
	size_t		matrix_bytes;	/* shared once, from then on: bins, targets, weights, keys */
	size_t		values_bytes;	/* from then on: targets and weights as they were given */
	size_t		grower_bytes;	/* each process that grows trees */
	size_t		score_bytes;	/* out-of-bag and holdout scores, and measuring them */
} ForestEstimate;

/*
 * For n_rows rows like those in the frame: at the end those that are there,
 * before as many as are expected.
 */
extern void forest_training_estimate(const ForestFrame *frame, size_t n_rows,
									 const ForestParams *params, const ForestSplit *split,
									 ForestEstimate *out);

/*
 * Put the rows in canonical order, split them, find bins and dictionaries
 * from the training rows alone, drop features that are constant or all
 * missing there, and encode.  `storage` gives the memory of the matrix's
 * chunks, each at most FOREST_CHUNK_BYTES (a worker must be able to see
 * them); `host` gives everything else.  The frame is not needed afterwards.
 * Errors: no rows, one class only, no feature left (STATUS_INVALID_DATA).
 */
#define FOREST_CHUNK_BYTES ((size_t) 32 * 1024 * 1024)
extern Status forest_training_new(const Host *host, const Host *storage, ForestFrame *frame,
								  const ForestParams *params, const ForestSplit *split,
								  ForestTraining **out, Failure *why);
extern void forest_training_free(ForestTraining *training);

/*
 * A part of a training, with other parameters: its rows train, are held out or
 * left away as sides[] says of each of its rows (FOREST_SIDE_*), or as they are
 * if that is NULL.  Bins, features and classes stay; everything else is as if
 * the rows had been given to forest_training_new().  The training stays as it
 * is, was made for a search, and has to outlive the part; so has its storage.
 * Without sides the trees of a part are those of the training, byte for byte.
 */
#define FOREST_SIDE_NONE 0
#define FOREST_SIDE_TRAIN 1
#define FOREST_SIDE_TEST 2
extern Status forest_training_part(const Host *host, const Host *storage,
								   const ForestTraining *training, const uint8_t *sides,
								   const ForestParams *params, ForestTraining **out,
								   Failure *why);

/* Does a part have a matrix of its own, rather than the training's? */
extern bool forest_training_owns_rows(const ForestTraining *part);

/*
 * Of a part, let the n trees from `first` on be those that are grown, assembled
 * and scored, as trees 0 .. n - 1: a forest grown piece by piece.
 */
extern void forest_training_set_trees(ForestTraining *part, uint32_t first, uint32_t n);

/* What folds are made from, of the training rows in canonical order. */
typedef struct ForestFoldRows
{
	size_t		n;
	uint64_t   *key;			/* all draws about a row come from it */
	uint32_t   *label;			/* classes; NULL for regression */
	uint64_t   *group;			/* the same for rows of one group; NULL without groups */
	double	   *time;			/* the latest of the group; NULL without times */
} ForestFoldRows;

extern Status forest_fold_rows(const Host *host, const ForestTraining *training,
							   ForestFoldRows *out, Failure *why);
extern void forest_fold_rows_free(const Host *host, ForestFoldRows *rows);

/* What preparing found, for notices and the record of the run. */
typedef enum ForestColumnFate
{
	FOREST_KEPT,
	FOREST_DROPPED_CONSTANT,
	FOREST_DROPPED_MISSING,
	FOREST_KEPT_ID_LIKE			/* nearly every value is different */
} ForestColumnFate;

typedef struct ForestReport
{
	size_t		n_rows;			/* with a known target */
	size_t		n_train;
	size_t		n_test;
	uint32_t	n_features;		/* kept */
	uint32_t	n_classes;
	const ForestColumnFate *fates;	/* per column of the frame */
} ForestReport;

extern void forest_training_report(const ForestTraining *training, ForestReport *out);

/*
 * For workers: a flat description (n_bytes of it, in a block of `capacity`
 * bytes that the caller frees), and the chunks of the matrix.
 */
extern Status forest_training_share(const ForestTraining *training, uint8_t **bytes,
									size_t *n_bytes, size_t *capacity, Failure *why);
extern uint32_t forest_training_n_chunks(const ForestTraining *training);
extern void *forest_training_chunk(const ForestTraining *training, uint32_t chunk,
								   size_t *n_bytes);

/* In a worker: the same training over chunks mapped at other addresses. */
extern Status forest_training_attach(const Host *host, const uint8_t *bytes, size_t n_bytes,
									 void *const *chunks, uint32_t n_chunks,
									 ForestTraining **out, Failure *why);

/* -------------------------------------------------------------- growing -- */

typedef struct ForestGrower ForestGrower;

extern Status forest_grower_new(const Host *host, const ForestTraining *training,
								ForestGrower **out, Failure *why);
extern void forest_grower_free(ForestGrower *grower);

/* Start on a tree (0-based). */
extern Status forest_grower_begin(ForestGrower *grower, uint32_t tree, Failure *why);

/*
 * Work for about 20 ms; *done tells that the tree is complete.  Polls the
 * host oftener than that.
 */
extern Status forest_grower_step(ForestGrower *grower, bool *done, Failure *why);

/* The encoded tree; valid until the next begin. */
extern const uint8_t *forest_grower_result(const ForestGrower *grower, size_t *n_bytes);

/*
 * Put n_estimators encoded trees, in order of their numbers, and the
 * training's feature contract into an artifact.  *bytes is allocated with
 * `capacity` bytes, of which n_bytes are used.
 */
typedef struct ForestBlob
{
	const uint8_t *bytes;
	size_t		n_bytes;
} ForestBlob;

typedef struct ForestArtifact
{
	uint8_t    *bytes;
	size_t		n_bytes;
	size_t		capacity;
} ForestArtifact;

extern Status forest_assemble(const Host *host, const ForestTraining *training,
							  const ForestBlob *trees, ForestArtifact *out, Failure *why);

/* ---------------------------------------------------------------- model -- */

typedef struct ForestModel ForestModel;

/* Decode an artifact; everything is checked, the bytes are not kept. */
extern Status forest_decode(const Host *host, const uint8_t *bytes, size_t n_bytes,
							ForestModel **out, Failure *why);
extern void forest_model_free(ForestModel *model);

/*
 * The same as far as the first rows need it: everything is checked, and the
 * model is the bytes themselves, which have to stay as they are until
 * forest_model_is_bytes() is false.  forest_expect() says that rows are about to
 * be scored: when those of all calls are worth it, the model is made faster,
 * with equal results.  If that cannot be done it stays as it is.
 */
extern Status forest_open(const Host *host, const uint8_t *bytes, size_t n_bytes,
						  ForestModel **out, Failure *why);
extern bool forest_model_is_bytes(const ForestModel *model);
extern void forest_expect(ForestModel *model, size_t n_rows);

/* Bytes a model holds, without those of an artifact that it was opened on. */
extern size_t forest_model_bytes(const ForestModel *model);

extern ForestTask forest_model_task(const ForestModel *model);
extern uint32_t forest_model_n_features(const ForestModel *model);
extern uint32_t forest_model_n_trees(const ForestModel *model);
extern const char *forest_model_feature_name(const ForestModel *model, uint32_t feature);
extern ForestKind forest_model_feature_kind(const ForestModel *model, uint32_t feature);
extern double forest_model_importance(const ForestModel *model, uint32_t feature);	/* MDI */

/* Classes in class order: 0 for regression. Labels are NUL-terminated. */
extern uint32_t forest_model_n_classes(const ForestModel *model);
extern const char *forest_model_class_label(const ForestModel *model, uint32_t class_index);

/* Bytes of an encoded row: one per feature, rounded up to a multiple of 8. */
extern size_t forest_model_row_bytes(const ForestModel *model);

/* The bin of one value of one feature.  Never fails: unseen categories fold. */
extern uint8_t forest_model_encode(const ForestModel *model, uint32_t feature,
								   const ForestCell *cell);

/*
 * The bins of n numbers of one row, NaN for missing ones: of numbers[i] into
 * row[features[i]].  The features are none of categories.
 */
extern void forest_model_encode_numbers(const ForestModel *model, const uint16_t *features,
										const double *numbers, uint32_t n, uint8_t *row);

/*
 * Outputs of a prediction per row: 1 for regression (the value) and for two
 * classes (P of the class with index 1), else one probability per class.
 */
extern uint32_t forest_model_n_outputs(const ForestModel *model);

/*
 * Score n encoded rows of forest_model_row_bytes each: out is row-major
 * n × n_outputs.  No allocation; equal bits for one row at a time and blocks.
 * Blocks of up to FOREST_SCORE_BLOCK rows are scored fastest.
 */
#define FOREST_SCORE_BLOCK 256
extern void forest_score(const ForestModel *model, const uint8_t *rows, size_t n, double *out);

/*
 * Maps from a forest's scores to probabilities: Platt's sigmoid
 * 1 / (1 + exp(a s + b)), or points that are interpolated linearly (x ascends
 * strictly, y does not fall, all in 0 … 1).
 */
typedef struct ForestMap
{
	double		a;				/* sigmoid */
	double		b;
	double	   *x;				/* isotonic */
	double	   *y;
	size_t		n;
} ForestMap;

typedef struct ForestCalibration
{
	ForestCalibrationKind kind;
	uint32_t	n_maps;			/* one per output: of two classes that of class 1 */
	ForestMap  *maps;
} ForestCalibration;

/* The outputs of n rows, n × n_maps, become calibrated ones. */
extern void forest_calibrate(const ForestCalibration *calibration, double *outputs, size_t n);

/*
 * Add a calibration to an artifact that has none; its bytes move.  A model of
 * it answers with calibrated outputs; out-of-bag scores and permutation
 * importances stay those of the trees.
 */
extern Status forest_add_calibration(const Host *host, const ForestCalibration *calibration,
									 ForestArtifact *artifact, Failure *why);
extern ForestCalibrationKind forest_model_calibration(const ForestModel *model);

/* P of every class (n_classes values) from the outputs of one row. */
extern void forest_probabilities(const ForestModel *model, const double *outputs, double *proba);

/* ----------------------------------------------- scores of the training -- */

/*
 * The labelled scores of one part of a training, in canonical row order.
 * For classification label[i] is the class index, for regression target[i]
 * the value; outputs are n × n_outputs.  Weights are those of the weight
 * column, NULL without one.
 */
typedef struct ForestScores
{
	size_t		n;
	uint32_t	n_outputs;
	double	   *outputs;
	uint32_t   *label;
	double	   *target;
	double	   *weight;
	size_t		n_uncovered;	/* out-of-bag: rows that no tree left out; they are not in here */
} ForestScores;

extern Status forest_holdout_scores(const Host *host, const ForestTraining *training,
									const ForestModel *model, ForestScores *out, Failure *why);
/* Out-of-bag scores of the training rows (bootstrap only). */
extern Status forest_oob_scores(const Host *host, const ForestTraining *training,
								const ForestModel *model, ForestScores *out, Failure *why);
extern void forest_scores_free(const Host *host, ForestScores *scores);

/*
 * The same, piece by piece: what the trees grown so far say out of bag of the
 * training rows.  Each add() takes the trees of forest_training_set_trees(), as
 * a model; scores() may be asked for after any of them.
 */
typedef struct ForestTally ForestTally;
extern Status forest_tally_new(const Host *host, const ForestTraining *training,
							   ForestTally **out, Failure *why);
extern Status forest_tally_add(ForestTally *tally, const ForestModel *model, Failure *why);
extern Status forest_tally_scores(const ForestTally *tally, const ForestModel *model,
								  ForestScores *out, Failure *why);
extern void forest_tally_free(ForestTally *tally);

/*
 * A measure of scores for permutation importances: higher is better.  NAN
 * makes the importance NAN.
 */
typedef Status (*ForestMeasure) (void *ctx, const ForestScores *scores, double *out,
								 Failure *why);

/*
 * Permutation importances (Breiman 2001; scikit-learn's permutation_importance
 * with n_repeats = FOREST_PERMUTATION_REPEATS): the mean and sample standard
 * deviation, over repeats, of the measure lost when one feature's values are
 * permuted among the rows.  Rows: of the holdout the
 * forest_permutation_rows() of smallest identity; without a holdout the
 * training rows, each scored by the trees that left it out.  Trees: the first
 * FOREST_PERMUTATION_TREES.  NAN where there are no rows.  mean and sd have
 * n_features elements.
 *
 * Why no more of them: of 100,000 rows of the benchmarks' mixed data and 100
 * trees, 64 trees move no importance by more than 0.0009 AUC, and 2,000 rows
 * in place of 10,000 by 0.006 at most (of one of 0.13), while the features
 * that matter keep their order; the walks cost a tenth.  Small forests are
 * grown so fast that even these would be a quarter of the time.
 */
static inline uint32_t
forest_permutation_rows(uint32_t n_rows)
{
	uint32_t	n = n_rows / 16;

	return n < FOREST_PERMUTATION_FEW_ROWS ? FOREST_PERMUTATION_FEW_ROWS
		: n > FOREST_PERMUTATION_ROWS ? FOREST_PERMUTATION_ROWS : n;
}

extern Status forest_permutation_importance(const Host *host, const ForestTraining *training,
											const ForestModel *model, ForestMeasure measure,
											void *ctx, double *mean, double *sd, size_t *n_rows,
											Failure *why);

/* --------------------------------------------------------------- checks -- */

/* What is looked for in the data of a training, and in the forest that came of it. */
typedef enum ForestCheckKind
{
	FOREST_CHECK_CONSTANT,		/* a column with one value, dropped */
	FOREST_CHECK_ALL_MISSING,	/* a column without a value, dropped */
	FOREST_CHECK_QUASI_CONSTANT,	/* the share of the most frequent value */
	FOREST_CHECK_MISSING,		/* the share of missing values */
	FOREST_CHECK_ID_LIKE,		/* nearly every value is different */
	FOREST_CHECK_MANY_CATEGORIES,	/* the number of them */
	FOREST_CHECK_DUPLICATE,		/* a column equal to another for the forest */
	FOREST_CHECK_CORRELATED,	/* |Spearman| of two features */
	FOREST_CHECK_OUTLIERS,		/* the share beyond three interquartile ranges, or 6 sd */
	FOREST_CHECK_RAW_TIME,		/* a point in time as a feature */
	FOREST_CHECK_NAME,			/* a name that sounds like what happens after the outcome */
	FOREST_CHECK_TARGET,		/* a feature that is the target */
	FOREST_CHECK_SINGLE_FEATURE,	/* AUC, or |Spearman|, of a feature alone */
	FOREST_CHECK_MISSINGNESS,	/* AUC of whether a feature is missing */
	FOREST_CHECK_SPLIT_DUPLICATES,	/* the share of holdout rows that are in training too */
	FOREST_CHECK_CONFLICTS,		/* error that no model can avoid: equal features, other targets */
	FOREST_CHECK_FUTURE_TIME,	/* the share of rows whose feature is later than the time column */
	FOREST_CHECK_TIME_OVERLAP,	/* the share of holdout rows before the last training row */
	FOREST_CHECK_TOO_GOOD,		/* the out-of-bag score */
	FOREST_CHECK_IMPORTANCE,	/* the share of one feature */
	FOREST_CHECK_IMBALANCE,		/* the share of the rarest class */
	FOREST_CHECK_FEW_OF_CLASS,	/* the rows of the rarest class */
	FOREST_CHECK_KINDS
} ForestCheckKind;

/* "constant", "all_missing", … */
extern const char *forest_check_name(ForestCheckKind kind);

typedef enum ForestSeverity
{
	FOREST_INFO,
	FOREST_WARNING,
	FOREST_ERROR
} ForestSeverity;

typedef struct ForestCheck
{
	ForestCheckKind kind;
	ForestSeverity severity;
	int32_t		column;			/* of the frame; -1: none */
	int32_t		other;			/* a second one, or the class; -1: none */
	double		value;			/* NAN: none */
	double		threshold;		/* that the value has reached; NAN: none */
} ForestCheck;

typedef struct ForestChecks
{
	ForestCheck *checks;
	size_t		n;
	size_t		capacity;
} ForestChecks;

/*
 * What is worth a second look (algorithms J3 to J5), most severe first.
 * oob_score is the ROC AUC, or R², out of bag, NAN where there is none.  Looks
 * at no more than some 50,000 training rows, and four million cells, the first
 * in canonical order.
 */
extern Status forest_checks(const Host *host, const ForestTraining *training,
							const ForestModel *model, double oob_score, ForestChecks *out,
							Failure *why);
extern void forest_checks_free(const Host *host, ForestChecks *checks);

#endif
