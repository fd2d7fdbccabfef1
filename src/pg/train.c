/*
 * train.c
 *	  churnops_train: from a query to a registered version.
 *
 * The steps of a training, in order, and what each holds at its end:
 *
 *	  open_query	the query, prepared and checked; every column has its role
 *	  read_rows		the frame, all rows column by column, in a temporary file
 *					where they do not fit into memory; the query has ended
 *	  settle_task	task, classes, positive class, parameters resolved for them
 *	  plan_memory	the number of workers; what does not fit was refused
 *	  training_prepare	the matrix, in shared memory if there will be workers; the
 *					frame and its file are gone
 *	  training_grow	the artifact, and the model decoded from it, both with a
 *					calibration if it was asked for
 *	  measure_training	metrics and importances
 *
 * Whatever can be refused is refused as early as it can be seen: arguments
 * and rights before the query, columns before the rows, memory before it is
 * taken.  Everything lives in the training's own memory context and, for
 * shared memory, in the current resource owner, so an error at any point
 * leaves nothing behind.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/parallel.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "pg/arguments.h"
#include "pg/budget.h"
#include "pg/calibration.h"
#include "pg/catalog.h"
#include "pg/columns.h"
#include "pg/compat.h"
#include "pg/digest.h"
#include "pg/json.h"
#include "pg/measure.h"
#include "pg/notice.h"
#include "pg/parallel.h"
#include "pg/query.h"
#include "pg/reference.h"
#include "pg/registration.h"
#include "pg/report.h"
#include "pg/source.h"
#include "pg/train.h"

PG_FUNCTION_INFO_V1(churnops_train);

/* So many times the budget is refused on the planner's word alone. */
#define HOPELESS_TIMES 4

/* Refuse more rows than a training takes before any is read. */
static void
refuse_too_many_rows(double expected)
{
	if (expected > (double) FOREST_MAX_ROWS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the query is expected to return %.0f rows, at most %zu can be trained on",
						expected, FOREST_MAX_ROWS),
				 errhint("Train on a sample, for example with TABLESAMPLE or LIMIT; if the "
						 "planner is wrong, run ANALYZE on the tables.")));
}

/* The task's name, as the catalogue has it. */
static const char *
task_name(ForestTask task)
{
	return task == FOREST_CLASSIFICATION ? "classification" : "regression";
}

/* Refuse what the registration would: a version of another kind than its model. */
static void
refuse_other_kind(const Training *t, ForestTask task)
{
	const TrainRequest *request = &t->request;

	if (request->model_task == NULL ||
		(strcmp(request->model_task, task_name(task)) == 0 &&
		 strcmp(request->model_target, request->target) == 0))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("model \"%s\" is a %s of \"%s\", not a %s of \"%s\"", request->model,
					request->model_task, request->model_target, task_name(task),
					request->target),
			 errhint("Versions of a model share task and target: train under another name, or "
					 "drop the model first with churnops_drop_model.")));
}

/* What a version of a dataset was read from is what a training on it was. */
static void
take_lineage(Training *t)
{
	const Source *source = t->source;

	t->request.query = source->query;
	t->relations = source->relations;
	t->search_path = source->search_path;
	for (int i = 0; source->kept && i < t->dataset.n_columns; i++)
		t->dataset.columns[i].type_name = source->columns[i].type_name;
}

/* Prepare the query and give its columns their roles. */
static UserQuery *
open_query(Training *t)
{
	MemoryContext old = MemoryContextSwitchTo(t->context);
	UserQuery  *query = query_prepare_unkept(t->request.query);

	columns_assign(&t->request, query_columns(query), &t->dataset);
	if (!t->dataset.task_open)
	{
		refuse_other_kind(t, t->dataset.task);
		arguments_check_params(&t->host, t->request.params, t->dataset.task);
	}
	if (t->request.positive_class != NULL && t->dataset.task == FOREST_REGRESSION &&
		!t->dataset.task_open)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a regression has no positive_class")));
	refuse_too_many_rows(query_estimated_rows(query));
	t->fingerprint = query_fingerprint(query);
	t->source = query_source(query);
	if (t->source != NULL)
		take_lineage(t);
	else
	{
		t->relations = registration_relations(query_relations(query));
		t->search_path = pstrdup(GetConfigOption("search_path", false, false));
	}
	MemoryContextSwitchTo(old);
	return query;
}

ForestSplit
training_split(const TrainRequest *request)
{
	return (ForestSplit) {
		.kind = request->test_size == 0 ? FOREST_SPLIT_NONE
		: request->time_column != NULL ? FOREST_SPLIT_TIME : FOREST_SPLIT_HASH,
		.test_size = request->test_size,
		.split_seed = (uint32) request->split_seed,
		.for_search = request->for_search,
	};
}

/*
 * Refuse what will not fit even with its columns in a temporary file, before
 * any row is read.  The planner may be wrong, so only what is far too much.
 */
static void
refuse_hopeless(const Training *t, double expected)
{
	ForestParams *params = arguments_params(unconstify(PgHost *, &t->host), t->request.params);
	ForestSplit split = training_split(&t->request);
	ForestEstimate e;
	Size		needed;

	forest_training_estimate(t->dataset.frame, (size_t) expected, params, &split, &e);
	forest_params_free(&t->host.host, params);
	needed = Max(e.prepare_bytes, e.matrix_bytes + e.values_bytes + e.grower_bytes);
	if (needed / HOPELESS_TIMES > t->host.budget)
		budget_refuse(needed,
					  psprintf("The planner expects %.0f rows; if it is wrong, run ANALYZE on the "
							   "tables.", expected));
}

/* Read all rows into the frame. */
static void
read_rows(Training *t, UserQuery *query)
{
	MemoryContext old = MemoryContextSwitchTo(t->context);

	t->spill = spill_new(&t->host);
	t->dataset.spill = spill_file(t->spill);
	t->dataset.wants_facts = !t->request.quiet;
	dataset_begin(&t->dataset, &t->host, query_estimated_rows(query));
	refuse_hopeless(t, query_estimated_rows(query));
	query_run(query, dataset_row, &t->dataset);
	t->snapshot = pstrdup(query_snapshot(query));
	t->lsn = query_lsn(query) == NULL ? NULL : pstrdup(query_lsn(query));
	t->dataset_digest = dataset_digest(&t->dataset);
	query_refuse_other_rows(query, t->dataset_digest);
	t->n_unknown = forest_frame_n_unknown(t->dataset.frame);
	MemoryContextSwitchTo(old);
}

/* Copy the labels of the classes out of the frame. */
static void
copy_classes(Training *t)
{
	ForestFrame *frame = t->dataset.frame;
	Failure		why;

	budget_check(&t->host, forest_frame_classes(frame, &t->n_classes, &why), &why);
	t->classes = MemoryContextAllocZero(t->context, Max(t->n_classes, 1) * sizeof(char *));
	for (uint32 i = 0; i < t->n_classes; i++)
	{
		size_t		n_bytes;
		const char *label = forest_frame_class_label(frame, i, &n_bytes);

		t->classes[i] = MemoryContextAllocZero(t->context, n_bytes + 1);
		memcpy(t->classes[i], label, n_bytes);
	}
}

/* The class that positive_class names. */
static int
find_positive(const Training *t)
{
	StringInfoData labels;

	initStringInfo(&labels);
	for (uint32 i = 0; i < t->n_classes; i++)
	{
		const char *label = json_from_utf8(t->classes[i]);

		if (strcmp(label, t->request.positive_class) == 0)
			return i;
		if (labels.len < 400)
			appendStringInfo(&labels, "%s\"%s\"", i > 0 ? ", " : "", label);
		else if (i + 1 == t->n_classes)
			appendStringInfoString(&labels, ", ...");
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("positive_class \"%s\" is no class of target \"%s\"",
					t->request.positive_class, t->request.target),
			 errdetail("The classes are %s.", labels.data),
			 errhint("Give one of them as it is written here.")));
}

/* Decide task, classes and positive class, and resolve the parameters for them. */
static void
settle_task(Training *t)
{
	Dataset    *d = &t->dataset;
	bool		zero_one = d->task_open && forest_frame_is_zero_one(d->frame);
	Failure		why;

	t->task = d->task;
	if (zero_one)
	{
		budget_check(&t->host, forest_frame_number_classes(d->frame, &why), &why);
		t->task = FOREST_CLASSIFICATION;
	}
	refuse_other_kind(t, t->task);
	copy_classes(t);
	t->positive = t->n_classes == 2 ? 1 : -1;
	if (t->request.positive_class != NULL)
	{
		if (t->task == FOREST_REGRESSION)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("a regression has no positive_class"),
					 errdetail("Target \"%s\" has other values than 0 and 1.",
							   t->request.target)));
		t->positive = find_positive(t);
	}
	t->params = arguments_params(&t->host, t->request.params);
	budget_check(&t->host, forest_params_finish(t->params, t->task, t->n_classes, &why), &why);
	if (!t->request.quiet)
		notice_rows(t, zero_one);
}

/* What a row takes in a search beside the matrix: keys, classes, groups, times, sides, sorting. */
#define SEARCH_ROW_BYTES 64

/*
 * Find how many workers there is memory for; refuse what does not fit even
 * without them.  A search holds a second matrix, of the part being tried.
 */
static void
plan_memory(Training *t)
{
	size_t		n_rows = forest_frame_n_rows(t->dataset.frame);
	ForestSplit split = training_split(&t->request);
	ForestEstimate e;
	Size		kept;			/* while growing and measuring */
	Size		needed;

	forest_training_estimate(t->dataset.frame, n_rows, t->params, &split, &e);
	kept = e.matrix_bytes + e.values_bytes;
	if (t->request.for_search)
		kept += kept + n_rows * SEARCH_ROW_BYTES;
	needed = Max(e.prepare_bytes, kept + Max(e.grower_bytes, e.score_bytes));
	if (needed > t->host.budget)
		budget_refuse(needed,
					  psprintf("%zu rows of %d features take %s to prepare%s; then %s as a matrix, "
							   "%s to grow trees from and %s to score.",
							   n_rows, t->dataset.n_features, budget_text(e.prepare_bytes),
							   e.spilled ? ", with their columns in a temporary file" : "",
							   budget_text(kept), budget_text(e.grower_bytes),
							   budget_text(e.score_bytes)));

	t->n_workers = parallel_workers_wanted(n_rows, t->dataset.n_features,
										   t->params->n_estimators);
	if (!storage_has_room(e.matrix_bytes))
		t->n_workers = 0;
	while (t->n_workers > 0 &&
		   kept + (t->n_workers + 1) * e.grower_bytes > t->host.budget)
		t->n_workers--;
	t->estimate = Max(needed, kept + (t->n_workers + 1) * e.grower_bytes);
	t->matrix_bytes = e.matrix_bytes;
}

void
training_phase(Training *t, const char *phase)
{
	ereport(DEBUG1,
			(errmsg_internal("churnops: %s after %.4f s, %zu kB at most, %.4f s of CPU", phase,
							 training_seconds(t), t->host.peak / 1024,
							 (double) (clock() - t->started_clock) / CLOCKS_PER_SEC)));
	t->peak = Max(t->peak, t->host.peak);
	t->host.peak = t->host.used;
}

void
training_prepare(Training *t)
{
	ForestSplit split = training_split(&t->request);
	Status		status;
	Failure		why;

	plan_memory(t);
	for (;;)
	{
		t->storage = storage_new(&t->host, t->matrix_bytes, t->n_workers > 0);
		status = forest_training_new(&t->host.host, storage_host(t->storage), t->dataset.frame,
									 t->params, &split, &t->forest, &why);
		if (status != STATUS_NO_MEMORY || !storage_exhausted(t->storage))
			break;
		/* no place for a segment: the workers' memory, but our own may do */
		storage_free(t->storage);
		t->n_workers = 0;
	}
	budget_check(&t->host, status, &why);
	forest_frame_free(t->dataset.frame);
	t->dataset.frame = NULL;
	spill_free(t->spill);
	t->spill = NULL;
	compat_trim_memory();
	forest_training_report(t->forest, &t->report);
	if (!t->request.quiet)
		notice_columns(t);
	training_phase(t, "rows prepared");
}

/* Raise 54000 if an artifact has become too large to be stored and dumped. */
static void
refuse_artifact(Size n_bytes)
{
	if (n_bytes > ARTIFACT_MAX_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("trained model takes %s, at most %s can be stored",
						budget_text(n_bytes), budget_text(ARTIFACT_MAX_BYTES)),
				 errhint("Train fewer trees (n_estimators) or smaller ones (max_depth, "
						 "min_samples_leaf).")));
}

void
training_grow(Training *t)
{
	const Host *host = &t->host.host;
	uint32		n_trees = t->params->n_estimators;
	ForestBlob *trees = palloc0(n_trees * sizeof(ForestBlob));
	Size		worker_budget = (t->host.budget - Min(t->matrix_bytes, t->host.budget)) /
		(t->n_workers + 1);
	Size		n_bytes = 0;
	Failure		why;

	parallel_grow(t->forest, t->storage, &t->host, t->n_workers, worker_budget, trees, n_trees,
				  true);
	for (uint32 i = 0; i < n_trees; i++)
		n_bytes += trees[i].n_bytes;
	refuse_artifact(n_bytes);
	budget_check(&t->host, forest_assemble(host, t->forest, trees, &t->artifact, &why), &why);
	for (uint32 i = 0; i < n_trees; i++)
		host->realloc(host->ctx, unconstify(uint8_t *, trees[i].bytes), trees[i].n_bytes, 0);
	pfree(trees);
	refuse_artifact(t->artifact.n_bytes);
	t->artifact_digest = digest_bytes(t->artifact.bytes, t->artifact.n_bytes);
	budget_check(&t->host, forest_decode(host, t->artifact.bytes, t->artifact.n_bytes,
										 &t->model, &why), &why);
	training_phase(t, "trees grown");
	calibrate_training(t);
}

/* Tell the log what memory was estimated and used. */
static void
memory_done(const Training *t)
{
	ereport(DEBUG1,
			(errmsg_internal("churnops: %zu kB of memory used, %zu kB estimated, %zu kB the model",
							 t->peak / 1024, t->estimate / 1024,
							 t->artifact.n_bytes / 1024)));
}

Training *
training_read(const TrainRequest *request)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "churnops training",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	Training   *t = palloc0(sizeof(Training));
	UserQuery  *query;

	t->request = *request;
	t->context = context;
	t->started_at = GetCurrentTimestamp();
	t->started_clock = clock();
	pg_host_init(&t->host, AllocSetContextCreate(context, "churnops training data",
												 ALLOCSET_DEFAULT_SIZES), budget_bytes());
	forest_params_free(&t->host.host, arguments_params(&t->host, t->request.params));

	SPI_connect();
	query = open_query(t);
	read_rows(t, query);
	SPI_finish();
	MemoryContextSwitchTo(context);
	training_phase(t, "rows read");
	settle_task(t);
	MemoryContextSwitchTo(old);
	return t;
}

Training *
training_run(const TrainRequest *request)
{
	Training   *t = training_read(request);
	MemoryContext old = MemoryContextSwitchTo(t->context);

	training_prepare(t);
	training_grow(t);
	if (!t->request.quiet)
	{
		measure_training(t);
		training_phase(t, "model measured");
	}
	memory_done(t);
	MemoryContextSwitchTo(old);
	return t;
}

void
training_free(Training *t)
{
	forest_model_free(t->model);
	forest_training_free(t->forest);
	forest_training_free(t->whole);
	storage_free(t->storage);
	if (t->whole_storage != NULL)
		storage_free(t->whole_storage);
	MemoryContextDelete(t->context);
}

double
training_seconds(const Training *t)
{
	return (GetCurrentTimestamp() - t->started_at) / (double) USECS_PER_SEC;
}

/* Look up task and target of the model, which the caller may use. */
static void
find_model(TrainRequest *request)
{
	ProbeKey	key = {.column = "name", .text = request->model};
	Probe		probe;

	if (probe_begin(&probe, "model", "model_pkey", &key, 1))
	{
		request->model_task = probe_text(&probe, "task");
		request->model_target = probe_text(&probe, "target");
	}
	probe_end(&probe);
}

void
training_check_right(TrainRequest *request, const char *function)
{
	catalog_require_writable(function);
	reference_check_name(request->model, "model");
	switch (reference_access(request->model, RIGHT_TRAIN))
	{
		case MODEL_UNKNOWN:
			break;
		case MODEL_FORBIDDEN:
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("cannot train model \"%s\"", request->model),
					 errhint("Choose another name for the model.")));
			break;
		case MODEL_LACKING:
			reference_deny(request->model, RIGHT_TRAIN);
			break;
		case MODEL_ALLOWED:
			find_model(request);
			break;
	}
}

Datum
training_result(FunctionCallInfo fcinfo, const Training *t, int32 version, const char *status)
{
	TupleDesc	columns;
	Datum		values[9];
	bool		nulls[9] = {false};
	bool		registered = version > 0;

	if (get_call_result_type(fcinfo, NULL, &columns) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "the training is declared with another result");
	nulls[0] = nulls[1] = !registered;
	values[0] = CStringGetTextDatum(psprintf("%s/%d", t->request.model, version));
	values[1] = Int32GetDatum(version);
	values[2] = CStringGetTextDatum(status);
	values[3] = Int64GetDatum((int64) t->report.n_rows);
	values[4] = Int64GetDatum((int64) t->report.n_train);
	values[5] = Int64GetDatum((int64) t->report.n_test);
	values[6] = Int32GetDatum((int32) t->report.n_features);
	values[7] = JsonbPGetDatum(json_to_jsonb(t->metrics));
	values[8] = Float8GetDatum(training_seconds(t));
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(columns), values, nulls));
}

Datum
churnops_train(PG_FUNCTION_ARGS)
{
	TrainRequest request;
	Training   *t;
	int32		version;
	char	   *status;
	Datum		result;

	if (IsInParallelMode())
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_STATE),
				 errmsg("churnops_train() cannot run during a parallel operation")));
	arguments_read(fcinfo, &train_places, &request);
	training_check_right(&request, "churnops_train");
	t = training_run(&request);
	registration_store(t, &version, &status);
	training_phase(t, "version registered");
	result = training_result(fcinfo, t, version, status);
	training_free(t);
	return result;
}
