/*
 * forest_fixture.h
 *	  Random forests for the tests of what lies behind growing: a training and
 *	  the bytes of its trees, made by hand, and the slowest possible scorer.
 */
#ifndef CHURNOPS_TEST_FOREST_FIXTURE_H
#define CHURNOPS_TEST_FOREST_FIXTURE_H

#include "test_host.h"

#include "forest/training.h"

typedef struct FixtureSpec
{
	uint64_t	seed;
	uint32_t	n_classes;		/* 0: regression */
	uint32_t	n_features;
	bool		categories;		/* every other feature is one, else all are numbers */
	uint32_t	max_categories; /* 0: 254 */
	uint32_t	n_categories;	/* not 0: the first so many are, and no others */
	uint32_t	n_trees;
	uint32_t	depth;			/* the most; all trees are full if `full` */
	bool		full;
	bool		thin;			/* two of five nodes are leaves, so that trees may be deep */
	uint32_t	n_train;
	uint32_t	n_test;
	bool		bootstrap;
	bool		weighted;		/* weights 0, 1, 2, ... */
	int64_t		number_scale;	/* regression: magnitudes of leaves; 0: 2^20 */
	uint32_t	chunk_shift;	/* 0: 6 */
} FixtureSpec;

typedef struct Fixture
{
	TestHost	test_host;
	ForestTraining training;
	ForestBlob *trees;
	uint32_t	max_depth;		/* what was asked for, or what the bins allow */
	uint64_t	state;			/* of its random numbers */
} Fixture;

/* Aborts the test when anything fails. */
extern void fixture_begin(Fixture *f, const FixtureSpec *spec);
/* True when nothing leaked. */
extern bool fixture_end(Fixture *f);

/* A random number below a bound. */
extern uint32_t fixture_below(Fixture *f, uint32_t bound);

/* A random row, missing values included. */
extern void fixture_row(Fixture *f, uint8_t *row);

/* The artifact and the decoded model, on a host; abort when anything fails. */
extern void fixture_assemble(const Fixture *f, const Host *host, ForestArtifact *out);
extern ForestModel *fixture_model(const Fixture *f, const Host *host);

/* The same as nodes, even if it fits into blocks. */
extern ForestModel *fixture_model_of_nodes(const Fixture *f, const Host *host);

/* The same as it is opened; the artifact is the caller's to free, after the model. */
extern ForestModel *fixture_model_of_bytes(const Fixture *f, const Host *host,
										   ForestArtifact *artifact);

/*
 * What forest_score() must say, from the bytes of the trees alone: a walk over
 * every node of each tree that `use` (n_trees, or NULL for all) names.
 * Returns the number of trees used.
 */
extern uint32_t fixture_reference(const Fixture *f, const uint8_t *row, const bool *use,
								  double *out);

#endif
