/*
 * train_fixture.h
 *	  Trainings and trees from small arrays, for the tests of what lies before
 *	  and in growing, and a reader of tree bytes that shares nothing with
 *	  decode.c.
 */
#ifndef CHURNOPS_TEST_TRAIN_FIXTURE_H
#define CHURNOPS_TEST_TRAIN_FIXTURE_H

#include "test_host.h"

#include "forest/training.h"

/*
 * A data set and how to train on it.  A category k is the text "c<k>", a class
 * k the label "k00<k>", which sorts as k does.
 */
typedef struct TrainData
{
	uint32_t	n;				/* rows */
	uint32_t	p;				/* columns, named x0, x1, ... */
	const double *x;			/* n × p, row by row; NAN is missing */
	const char *kinds;			/* per column n number, i integer, c category, t time; NULL: numbers */
	const double *y;			/* the number, or the class; NAN: unknown */
	uint32_t	n_classes;		/* 0: regression */
	const double *weight;		/* per row, or NULL */
	const double *group;		/* per row, or NULL */
	const double *time;			/* per row, or NULL */
	const uint32_t *order;		/* in which rows are appended, or NULL */
	/*
	 * "name=value name=value": true, false, null, a number, [1,0,-1],
	 * {k000:1,k001:2.5}, or a string.  One tree unless it says otherwise.
	 */
	const char *params;
	ForestSplit split;			/* nothing: every row trains */
	CpuLevel	level;			/* instructions that may be used; nothing: the best */
	const ForestSpill *spill;	/* for columns, or NULL */
	size_t		memory;			/* of the frame's options */
	bool		wants_facts;
} TrainData;

/* The parts of a training; on failure nothing is left to free. */
extern Status train_frame(const Host *host, const TrainData *data, ForestFrame **out,
						  Failure *why);
extern Status train_params(const Host *host, const TrainData *data, ForestParams **out,
						   Failure *why);
extern Status train_new(const Host *host, const Host *storage, const TrainData *data,
						ForestTraining **out, Failure *why);

/* One more row of the data into a frame. */
extern Status train_append(ForestFrame *frame, const TrainData *data, uint32_t row,
						   Failure *why);

/* The identity that the fixture gives to a row. */
extern Hash128 train_identity(const TrainData *data, uint32_t row);

/* A temporary file in memory, whose n-th call fails; 0: none does. */
typedef struct TrainFile
{
	ForestSpill spill;			/* hand out &file->spill */
	uint8_t    *bytes;
	size_t		n_bytes;
	size_t		n_writes;
	size_t		n_reads;
	size_t		fail_write;
	size_t		fail_read;
} TrainFile;

extern void train_file_begin(TrainFile *file);
extern void train_file_end(TrainFile *file);

/* What forest_training_new() says of data that it must refuse; no leak is left. */
extern Status train_refused(const TrainData *data, Failure *why);

/* A training and its trees. */
typedef struct Train
{
	TestHost	host;
	TestHost	storage;
	ForestTraining *training;
	ForestBlob *trees;			/* n_estimators of them */
} Train;

/* Prepare and grow; end the program when anything fails. */
extern void train_begin(Train *t, const TrainData *data);
/* True when nothing leaked. */
extern bool train_end(Train *t);

/* Grow one tree to its end; the bytes are a copy on the host. */
extern Status train_grow(ForestGrower *grower, const Host *host, uint32_t tree, ForestBlob *out,
						 Failure *why);
extern void train_blob_free(const Host *host, ForestBlob *blob);

extern bool train_same_trees(const Train *a, const Train *b);

/* The artifact and the decoded model, on the host of the training. */
extern ForestModel *train_model(Train *t);

/* Data rows of the training's rows, from their keys: rows[i] of training row i. */
extern void train_rows(const Train *t, const TrainData *data, uint32_t *rows);

/* -------------------------------------------------------------- random -- */

/* A random number in [0, 1), and below a bound; state is any number. */
extern double train_unit(uint64_t *state);
extern uint32_t train_below(uint64_t *state, uint32_t bound);

/* --------------------------------------------------------------- trees -- */

typedef struct TreeNode
{
	bool		leaf;
	uint32_t	depth;
	uint64_t	cover;			/* of a split: of its leaves */
	/* a split */
	uint32_t	left;
	uint32_t	right;
	bool		near_right;
	uint32_t	feature;
	bool		category;
	uint32_t	cut;			/* left are the bins ≤ cut */
	uint8_t		mask[32];		/* categories that go left, a bit each */
	bool		missing_left;
	/* a leaf */
	bool		pure;
	double	   *value;			/* P per class, or the number */
} TreeNode;

typedef struct Tree
{
	const ForestSchema *schema;
	uint32_t	n_nodes;
	uint32_t	n_leaves;
	uint32_t	depth;
	TreeNode   *nodes;			/* the root first, preorder */
	double	   *importance;		/* per feature */
	double	   *values;
} Tree;

/* Read what a grower gave; ends the program when the bytes are malformed. */
extern void tree_read(Tree *tree, const ForestSchema *schema, const ForestBlob *blob);
extern void tree_free(Tree *tree);

/* The child of a split, and the leaf under the root, where a row of data goes. */
extern uint32_t tree_child(const Tree *tree, const TreeNode *node, const double *row);
extern const TreeNode *tree_leaf(const Tree *tree, const double *row);

/* The bin of a value, counted one by one; FOREST_MISSING for missing. */
extern uint32_t tree_bin(const ForestFeature *feature, double value);

/* The threshold of a numeric split; INFINITY when all present values go left. */
extern double tree_threshold(const Tree *tree, const TreeNode *node);

/* The column that a feature comes from. */
extern uint32_t tree_column(const Tree *tree, uint32_t feature);

#endif
