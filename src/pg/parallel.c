/*
 * parallel.c
 *	  Growing the trees of a forest, with parallel workers where it pays.
 *
 * A tree depends on the training and its number alone, so who grows it, and
 * when, changes no byte: processes claim tree numbers from a shared counter,
 * the leader among them, and results are put together by number.  No worker
 * launched is a normal case, and then the leader grows every tree.
 *
 * What is shared, and who may touch it when:
 *
 *	  the matrix		segments of its own (storage.c), made before parallel
 *						mode begins and only read from then on
 *	  the description	forest_training_share(), in the parallel segment, only
 *						read
 *	  GrowShared		in the parallel segment: a head that is only read, three
 *						atomic counters and a condition variable, and a slot per
 *						tree, written by the worker that claimed the tree and
 *						read by the leader once all trees are done
 *	  the results		of workers: in a dsa area inside the parallel segment;
 *						the leader copies them into its own memory and keeps its
 *						own trees there from the start
 *
 * Interrupts: a step of a grower takes about 20 ms, and polls the cancel flags
 * more often; between steps everybody does CHECK_FOR_INTERRUPTS(), so the
 * leader also sees the errors of its workers there.  In parallel mode nothing
 * is written and no setting is changed; an error in the leader ends the
 * workers when the transaction aborts, and releases all segments.
 */
#include "postgres.h"

#include <math.h>

#include "access/parallel.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "port/atomics.h"
#include "portability/instr_time.h"
#include "storage/condition_variable.h"
#include "storage/lwlock.h"
#include "tcop/tcopprot.h"
#include "utils/dsa.h"
#include "utils/memutils.h"
#include "utils/wait_event.h"

#include "pg/budget.h"
#include "pg/guc.h"
#include "pg/parallel.h"
#include "pg/report.h"

/* Below this many cells (rows × features × trees) workers cost more than they save. */
#define CELLS_WORTH_A_WORKER 2e7

/* As module_pathname of the control file says. */
#define WORKER_LIBRARY "$libdir/churnops"
#define WORKER_FUNCTION "churnops_train_worker"

/* Memory of a decoded model, as a multiple of its artifact: measured 3 to 4. */
#define MODEL_PER_ARTIFACT 4

#define WAIT_MS 1000L			/* for workers, between two looks at the clock */

/* Keys of the parallel segment's table of contents. */
#define KEY_SHARED UINT64CONST(0xC400000000000001)
#define KEY_CHUNKS UINT64CONST(0xC400000000000002)
#define KEY_DESCRIPTION UINT64CONST(0xC400000000000003)
#define KEY_AREA UINT64CONST(0xC400000000000004)
#define KEY_QUERY_TEXT UINT64CONST(0xC400000000000005)

/* A chunk of the matrix. */
typedef struct SharedChunk
{
	dsm_handle	segment;
	Size		offset;
} SharedChunk;

/* A tree grown by a worker. */
typedef struct TreeSlot
{
	dsa_pointer bytes;			/* InvalidDsaPointer: not by a worker */
	Size		n_bytes;
} TreeSlot;

typedef struct GrowShared
{
	/* immutable */
	uint32		n_trees;
	uint32		n_chunks;
	Size		description_bytes;
	Size		worker_budget;

	/* atomic */
	pg_atomic_uint32 next_tree;
	pg_atomic_uint32 n_done;
	pg_atomic_uint64 worker_bytes;	/* what the workers had at most, added up */

	ConditionVariable tree_done;

	/* written by whoever claimed the tree, read when all are done */
	TreeSlot	slots[FLEXIBLE_ARRAY_MEMBER];
} GrowShared;

/* The growing of trees, as one process sees it. */
typedef struct Growth
{
	const ForestTraining *training;
	PgHost	   *host;
	ForestGrower *grower;
	uint32		n_trees;
	GrowShared *shared;			/* NULL when growing alone */
	dsa_area   *area;			/* of the workers' results */
	ForestBlob *trees;			/* leader: the result */
	uint32		n_own;			/* leader alone: trees claimed */
	uint32		n_own_done;
	bool		report;			/* leader: send progress notices */
	instr_time	started;
	double		reported;		/* seconds after the start, of the latest notice */
} Growth;

extern PGDLLEXPORT void churnops_train_worker(dsm_segment *segment, shm_toc *toc);

int
parallel_workers_wanted(size_t n_rows, uint32 n_features, uint32 n_trees)
{
	double		cells = (double) n_rows * n_features * n_trees;

	if (cells < CELLS_WORTH_A_WORKER)
		return 0;
	return Min(max_parallel_maintenance_workers, (int) n_trees - 1);
}

/* The next tree to grow, or n_trees if all are claimed. */
static uint32
claim_tree(Growth *g)
{
	uint32		tree;

	/* the shared counter goes on a little for every process that finds nothing */
	if (g->shared == NULL)
		tree = g->n_own++;
	else
		tree = pg_atomic_fetch_add_u32(&g->shared->next_tree, 1);
	return Min(tree, g->n_trees);
}

/* Leader: a notice now and then of how far the training is. */
static void
report_progress(Growth *g)
{
	instr_time	now;
	double		seconds;
	uint32		n_done = g->shared == NULL ? g->n_own_done
		: pg_atomic_read_u32(&g->shared->n_done);

	if (!g->report || !guc_progress)
		return;
	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_SUBTRACT(now, g->started);
	seconds = INSTR_TIME_GET_DOUBLE(now);
	if (seconds - g->reported < PROGRESS_SECONDS)
		return;
	g->reported = seconds;
	if (n_done == 0)
		ereport(NOTICE,
				(errmsg("0 of %u trees grown in %.0f s", g->n_trees, seconds)));
	else
		ereport(NOTICE,
				(errmsg("%u of %u trees grown in %.0f s, about %.0f s left", n_done, g->n_trees,
						seconds, ceil(seconds / n_done * (g->n_trees - n_done)))));
}

/*
 * Leader, with some trees of its own grown: refuse now what will be refused
 * when all are.  Beside the trees the artifact is made, and then the model is
 * decoded from it, which takes about MODEL_PER_ARTIFACT as much; when that
 * happens the memory of growing is free again, so only what is held beside it
 * now is counted.
 */
static void
refuse_projected(const Growth *g, Size own_bytes)
{
	Size		all = (Size) ((double) own_bytes / g->n_own_done * g->n_trees);
	Size		needed = all * (1 + MODEL_PER_ARTIFACT);

	if (all > ARTIFACT_MAX_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("%u trees will take about %s, at most %s can be stored", g->n_trees,
						budget_text(all), budget_text(ARTIFACT_MAX_BYTES)),
				 errdetail("The first %u trees take %s.", g->n_own_done, budget_text(own_bytes)),
				 errhint("Train fewer trees (n_estimators) or smaller ones (max_depth, "
						 "min_samples_leaf).")));
	if (needed > g->host->budget)
		budget_refuse(needed,
					  psprintf("%u trees and the model made of them take this much, judged by the "
							   "first %u, which take %s; give fewer trees (n_estimators) or "
							   "smaller ones (max_depth, min_samples_leaf).", g->n_trees,
							   g->n_own_done, budget_text(own_bytes)));
}

/* Grow one tree; the result is in the grower. */
static void
grow_tree(Growth *g, uint32 tree)
{
	bool		done = false;
	Failure		why;

	budget_check(g->host, forest_grower_begin(g->grower, tree, &why), &why);
	while (!done)
	{
		CHECK_FOR_INTERRUPTS();
		budget_check(g->host, forest_grower_step(g->grower, &done, &why), &why);
		report_progress(g);
	}
}

/* Leader: a copy of a tree, in memory of the host. */
static ForestBlob
copy_tree(const Growth *g, const void *bytes, Size n_bytes)
{
	const Host *host = &g->host->host;
	uint8_t    *copy = host->realloc(host->ctx, NULL, 0, n_bytes);
	Failure		why;

	if (copy == NULL)
		budget_check(g->host, fail(&why, STATUS_NO_MEMORY,
								   "out of memory for a tree of %zu bytes", n_bytes), &why);
	memcpy(copy, bytes, n_bytes);
	return (ForestBlob) {.bytes = copy, .n_bytes = n_bytes};
}

/* Worker: put the tree just grown where the leader finds it. */
static void
publish_tree(const Growth *g, uint32 tree)
{
	Size		n_bytes;
	const uint8_t *bytes = forest_grower_result(g->grower, &n_bytes);
	dsa_pointer copy = dsa_allocate_extended(g->area, n_bytes,
											 DSA_ALLOC_HUGE | DSA_ALLOC_NO_OOM);

	if (!DsaPointerIsValid(copy))
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of shared memory for a tree of %zu bytes", n_bytes),
				 errhint("Train without workers: SET max_parallel_maintenance_workers = 0;")));
	memcpy(dsa_get_address(g->area, copy), bytes, n_bytes);
	g->shared->slots[tree].n_bytes = n_bytes;
	g->shared->slots[tree].bytes = copy;
}

/* Claim and grow trees until there is none left. */
static void
grow_trees(Growth *g)
{
	uint32		tree;
	Size		own_bytes = 0;
	Failure		why;

	budget_check(g->host, forest_grower_new(&g->host->host, g->training, &g->grower, &why),
				 &why);
	while ((tree = claim_tree(g)) < g->n_trees)
	{
		grow_tree(g, tree);
		if (g->trees != NULL)
		{
			size_t		n_bytes;
			const uint8_t *bytes = forest_grower_result(g->grower, &n_bytes);

			g->trees[tree] = copy_tree(g, bytes, n_bytes);
			own_bytes += n_bytes;
		}
		else
			publish_tree(g, tree);
		g->n_own_done++;
		if (g->trees != NULL)
			refuse_projected(g, own_bytes);
		if (g->shared != NULL)
		{
			/* a full barrier: who sees the count sees the slot */
			pg_atomic_fetch_add_u32(&g->shared->n_done, 1);
			ConditionVariableBroadcast(&g->shared->tree_done);
		}
	}
	forest_grower_free(g->grower);
	g->grower = NULL;
}

/* Leader: wait until the workers have grown what they claimed. */
static void
wait_for_trees(Growth *g)
{
	ConditionVariablePrepareToSleep(&g->shared->tree_done);
	while (pg_atomic_read_u32(&g->shared->n_done) < g->n_trees)
	{
		/* looks at interrupts, and so at the workers' errors */
		(void) ConditionVariableTimedSleep(&g->shared->tree_done, WAIT_MS, PG_WAIT_EXTENSION);
		report_progress(g);
	}
	ConditionVariableCancelSleep();
}

/* Leader: copy the workers' trees. */
static void
collect_trees(Growth *g)
{
	for (uint32 tree = 0; tree < g->n_trees; tree++)
	{
		const TreeSlot *slot = &g->shared->slots[tree];

		CHECK_FOR_INTERRUPTS();
		if (DsaPointerIsValid(slot->bytes))
			g->trees[tree] = copy_tree(g, dsa_get_address(g->area, slot->bytes), slot->n_bytes);
	}
}

/* Leader: fill the parallel segment. */
static void
fill_segment(Growth *g, ParallelContext *context, const Storage *storage,
			 const uint8_t *description, Size description_bytes, Size worker_budget)
{
	uint32		n_chunks = forest_training_n_chunks(g->training);
	Size		shared_bytes = offsetof(GrowShared, slots) + g->n_trees * sizeof(TreeSlot);
	GrowShared *shared = shm_toc_allocate(context->toc, shared_bytes);
	SharedChunk *chunks = shm_toc_allocate(context->toc, n_chunks * sizeof(SharedChunk));
	void	   *copy = shm_toc_allocate(context->toc, description_bytes);
	void	   *area = shm_toc_allocate(context->toc, dsa_minimum_size());

	memset(shared, 0, shared_bytes);
	shared->n_trees = g->n_trees;
	shared->n_chunks = n_chunks;
	shared->description_bytes = description_bytes;
	shared->worker_budget = worker_budget;
	pg_atomic_init_u32(&shared->next_tree, 0);
	pg_atomic_init_u32(&shared->n_done, 0);
	pg_atomic_init_u64(&shared->worker_bytes, 0);
	ConditionVariableInit(&shared->tree_done);
	shm_toc_insert(context->toc, KEY_SHARED, shared);
	g->shared = shared;

	for (uint32 i = 0; i < n_chunks; i++)
	{
		size_t		n_bytes;

		storage_locate(storage, forest_training_chunk(g->training, i, &n_bytes),
					   &chunks[i].segment, &chunks[i].offset);
	}
	shm_toc_insert(context->toc, KEY_CHUNKS, chunks);

	memcpy(copy, description, description_bytes);
	shm_toc_insert(context->toc, KEY_DESCRIPTION, copy);

	g->area = dsa_create_in_place(area, dsa_minimum_size(), LWTRANCHE_PARALLEL_QUERY_DSA,
								  context->seg);
	shm_toc_insert(context->toc, KEY_AREA, area);

	if (debug_query_string != NULL)
	{
		char	   *text = shm_toc_allocate(context->toc, strlen(debug_query_string) + 1);

		strcpy(text, debug_query_string);
		shm_toc_insert(context->toc, KEY_QUERY_TEXT, text);
	}
}

/* Leader: say what the parallel segment will have to hold. */
static void
estimate_segment(const Growth *g, ParallelContext *context, Size description_bytes)
{
	shm_toc_estimator *estimator = &context->estimator;

	shm_toc_estimate_chunk(estimator, offsetof(GrowShared, slots) +
						   g->n_trees * sizeof(TreeSlot));
	shm_toc_estimate_chunk(estimator,
						   forest_training_n_chunks(g->training) * sizeof(SharedChunk));
	shm_toc_estimate_chunk(estimator, description_bytes);
	shm_toc_estimate_chunk(estimator, dsa_minimum_size());
	shm_toc_estimate_keys(estimator, 4);
	if (debug_query_string != NULL)
	{
		shm_toc_estimate_chunk(estimator, strlen(debug_query_string) + 1);
		shm_toc_estimate_keys(estimator, 1);
	}
}

/*
 * Leader: grow with workers.  False if there is no shared memory for them;
 * then nothing has happened.
 */
static bool
grow_with_workers(Growth *g, const Storage *storage, int n_workers, Size worker_budget)
{
	const Host *host = &g->host->host;
	ParallelContext *context;
	uint8_t    *description;
	size_t		n_bytes;
	size_t		capacity;
	Failure		why;

	budget_check(g->host, forest_training_share(g->training, &description, &n_bytes, &capacity,
												&why), &why);
	EnterParallelMode();
	context = CreateParallelContext(WORKER_LIBRARY, WORKER_FUNCTION, n_workers);
	estimate_segment(g, context, n_bytes);
	InitializeParallelDSM(context);
	if (context->seg != NULL)
		fill_segment(g, context, storage, description, n_bytes, worker_budget);
	host->realloc(host->ctx, description, capacity, 0);
	if (context->seg == NULL)
	{
		DestroyParallelContext(context);
		ExitParallelMode();
		return false;
	}
	LaunchParallelWorkers(context);
	ereport(DEBUG1,
			(errmsg_internal("churnops: growing %u trees with %d parallel workers (planned %d)",
							 g->n_trees, context->nworkers_launched, n_workers)));

	grow_trees(g);
	wait_for_trees(g);
	WaitForParallelWorkersToFinish(context);
	collect_trees(g);
	g->host->peak += pg_atomic_read_u64(&g->shared->worker_bytes);

	dsa_detach(g->area);
	g->area = NULL;
	g->shared = NULL;
	DestroyParallelContext(context);
	ExitParallelMode();
	return true;
}

void
parallel_grow(const ForestTraining *training, const Storage *storage, PgHost *host,
			  int n_workers, Size worker_budget, ForestBlob *trees, uint32 n_trees,
			  bool report)
{
	Growth		g = {
		.training = training,
		.host = host,
		.n_trees = n_trees,
		.trees = trees,
		.report = report,
	};

	INSTR_TIME_SET_CURRENT(g.started);
	if (n_workers > 0 && storage_is_shared(storage) &&
		grow_with_workers(&g, storage, n_workers, worker_budget))
		return;
	ereport(DEBUG1,
			(errmsg_internal("churnops: growing %u trees with %d parallel workers (planned %d)",
							 n_trees, 0, n_workers)));
	grow_trees(&g);
}

/* Worker: map the chunks of the matrix; returns the segments, one per new handle. */
static List *
attach_chunks(const SharedChunk *chunks, uint32 n_chunks, void **addresses)
{
	List	   *segments = NIL;
	dsm_segment *segment = NULL;

	for (uint32 i = 0; i < n_chunks; i++)
	{
		/* chunks of one segment follow each other */
		if (segment == NULL || dsm_segment_handle(segment) != chunks[i].segment)
		{
			segment = dsm_attach(chunks[i].segment);
			if (segment == NULL)
				ereport(ERROR,
						(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						 errmsg("could not map the shared memory of the training")));
			segments = lappend(segments, segment);
		}
		addresses[i] = (char *) dsm_segment_address(segment) + chunks[i].offset;
	}
	return segments;
}

/*
 * Entry point of a worker.  What it allocates goes with the process; an error
 * goes to the leader.
 */
void
churnops_train_worker(dsm_segment *segment, shm_toc *toc)
{
	GrowShared *shared = shm_toc_lookup(toc, KEY_SHARED, false);
	void	  **addresses = palloc(Max(shared->n_chunks, 1) * sizeof(void *));
	PgHost		host;
	Growth		g = {.host = &host, .n_trees = shared->n_trees, .shared = shared};
	ForestTraining *training;
	List	   *segments;
	ListCell   *cell;
	Failure		why;

	debug_query_string = shm_toc_lookup(toc, KEY_QUERY_TEXT, true);
	pgstat_report_activity(STATE_RUNNING, debug_query_string);

	segments = attach_chunks(shm_toc_lookup(toc, KEY_CHUNKS, false), shared->n_chunks,
							 addresses);
	g.area = dsa_attach_in_place(shm_toc_lookup(toc, KEY_AREA, false), segment);
	pg_host_init(&host, AllocSetContextCreate(CurrentMemoryContext, "churnops growing",
											  ALLOCSET_DEFAULT_SIZES), shared->worker_budget);
	budget_check(&host, forest_training_attach(&host.host,
											   shm_toc_lookup(toc, KEY_DESCRIPTION, false),
											   shared->description_bytes, addresses,
											   shared->n_chunks, &training, &why), &why);
	g.training = training;
	grow_trees(&g);
	pg_atomic_fetch_add_u64(&shared->worker_bytes, host.peak);

	forest_training_free(training);
	dsa_detach(g.area);
	foreach(cell, segments)
		dsm_detach(lfirst(cell));
}
