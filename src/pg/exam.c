/*
 * exam.c
 *	  The rows that versions are examined on.
 *
 * The query runs as the caller; outputs and targets of all rows are kept until
 * it has ended, within churnops.training_memory, since ranks need all of them.
 *
 * Without a query the rows are those of the first version's training, read
 * again: from the kept copy of its dataset, else by its stored query, which
 * only the role that trained it may run.  They must have the digest of then.
 * The holdout is drawn from the rows as the training drew it (identity, key or
 * time), by the same function.
 *
 * Where the order of the rows could matter, for resampling, they are put into
 * canonical order: by their identity, which is a hash.
 */
#include "postgres.h"

#include <math.h>

#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#include "pg/budget.h"
#include "pg/catalog.h"
#include "pg/columns.h"
#include "pg/compat.h"
#include "pg/exam.h"
#include "pg/exchange.h"
#include "pg/query.h"
#include "pg/record.h"
#include "pg/report.h"
#include "pg/slices.h"

/* --------------------------------------------------------------- memory -- */

void *
exam_memory(Exam *e, void *block, Size old_bytes, Size new_bytes)
{
	void	   *taken = e->host.host.realloc(&e->host, block, old_bytes, new_bytes);

	if (taken == NULL && new_bytes > 0)
		ereport(ERROR,
				(errcode(e->host.refused ? ERRCODE_PROGRAM_LIMIT_EXCEEDED :
						 ERRCODE_OUT_OF_MEMORY),
				 errmsg("evaluation of more than %zu rows needs %s of memory, "
						"churnops.training_memory is %s", e->n_rows,
						budget_text(e->host.used - old_bytes + new_bytes),
						budget_text(budget_bytes())),
				 errhint("Raise churnops.training_memory, or give a sample of the rows.")));
	return taken;
}

void
exam_check(const Exam *e, const PgHost *host, Status status, const Failure *why)
{
	if (status == STATUS_NO_MEMORY && host->refused)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("evaluation of %zu rows needs more than %s of memory, "
						"churnops.training_memory is %s", e->n_rows,
						budget_text(host == &e->host ? host->used : e->host.used + host->used),
						budget_text(budget_bytes())),
				 errhint("Raise churnops.training_memory, or give a sample of the rows.")));
	report_status(status, why);
}

/* An array with an element of `size` bytes per row, and where it is. */
typedef struct RowArray
{
	void	  **array;
	Size		size;
} RowArray;

#define MAX_ROW_ARRAYS (EXAM_VERSIONS * 4 + 3)

/* All arrays that rows have, but those of slices; returns how many. */
static int
row_arrays(Exam *e, RowArray *out)
{
	int			n = 0;

	for (int v = 0; v < e->n_versions; v++)
		out[n++] = (RowArray) {(void **) &e->outputs[v],
			sizeof(double) * e->batch[v].answer.n_outputs};
	if (e->batch[0].answer.task == FOREST_REGRESSION)
		out[n++] = (RowArray) {(void **) &e->numbers, sizeof(double)};
	else
		out[n++] = (RowArray) {(void **) &e->classes, sizeof(uint32)};
	for (int v = 0; v < EXAM_VERSIONS; v++)
	{
		ExamLens   *lens = e->lens[v];

		if (lens == NULL)
			continue;
		out[n++] = (RowArray) {(void **) &lens->identity, sizeof(Hash128)};
		if (lens->columns.has_key)
			out[n++] = (RowArray) {(void **) &lens->group, sizeof(Hash128)};
		if (lens->columns.time >= 0)
			out[n++] = (RowArray) {(void **) &lens->time, sizeof(double)};
	}
	if (e->lens[0] != NULL && e->lens[0]->columns.weight >= 0)
		out[n++] = (RowArray) {(void **) &e->weight, sizeof(double)};
	Assert(n <= MAX_ROW_ARRAYS);
	return n;
}

/* Likewise of one slice. */
static RowArray
slice_array(ExamSlice *slice)
{
	if (slice->by_number)
		return (RowArray) {(void **) &slice->numbers, sizeof(double)};
	return (RowArray) {(void **) &slice->codes, sizeof(uint32)};
}

static void
grow_array(Exam *e, RowArray a, Size capacity)
{
	*a.array = exam_memory(e, *a.array, e->capacity * a.size, capacity * a.size);
}

/* Make room for a block more. */
static void
grow(Exam *e)
{
	Size		capacity = e->capacity + Max(e->capacity / 2, FOREST_SCORE_BLOCK * 4);
	RowArray	arrays[MAX_ROW_ARRAYS];
	int			n = row_arrays(e, arrays);

	for (int i = 0; i < n; i++)
		grow_array(e, arrays[i], capacity);
	for (int i = 0; i < e->n_slices; i++)
		grow_array(e, slice_array(&e->slices[i]), capacity);
	e->capacity = capacity;
}

/* ----------------------------------------------------------------- rows -- */

static void
flush(Exam *e)
{
	int			n_rows = 0;

	for (int v = 0; v < e->n_versions; v++)
		n_rows = batch_score(&e->batch[v],
							 e->outputs[v] + e->n_rows * e->batch[v].answer.n_outputs);
	e->n_rows += n_rows;
}

/* A number as target; false if it is NaN, which is no target. */
static bool
take_number(Exam *e, Size row, Datum value)
{
	ForestCell	cell;

	datum_cell(&e->target_type, value, false, &cell);
	if (cell.missing)
		return false;
	if (isinf(cell.number))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("column \"%s\" has an infinite value", e->target_name)));
	e->numbers[row] = cell.number;
	return true;
}

static void
take_label(Exam *e, Size row, Datum value)
{
	const char *label;
	size_t		n_bytes;
	double		order;
	int			class_index;

	datum_label(&e->target_type, value, &label, &n_bytes, &order);
	class_index = labels_find(&e->labels, label, n_bytes);
	if (class_index < 0)
	{
		class_index = e->batch[0].answer.n_classes;
		if (e->unknown_label == NULL)
			e->unknown_label = MemoryContextStrdup(e->host.context,
												   report_text(pnstrdup(label, n_bytes)));
	}
	e->classes[row] = (uint32) class_index;
}

static Hash128
hash_of(const CanonicalBytes *bytes)
{
	return hash_bytes(bytes->data, bytes->next - bytes->data);
}

/* The digest takes every row. */
static void
look(Exam *e, ExamLens *lens, TupleTableSlot *slot)
{
	memcpy(e->values, slot->tts_values, lens->columns.n_columns * sizeof(Datum));
	reader_row(&lens->reader, e->values, slot->tts_isnull);
	hash_sum_add(&lens->sum, hash_of(&lens->reader.all));
}

/* What a lens shows of a row with a target. */
static void
take_identity(ExamLens *lens, Size row)
{
	lens->identity[row] = hash_of(lens->reader.has_excluded ? &lens->reader.kept
								  : &lens->reader.all);
	if (lens->columns.has_key)
		lens->group[row] = hash_of(&lens->reader.group);
	if (lens->columns.time >= 0)
		lens->time[row] = lens->reader.columns[lens->columns.time].cell->number;
}

/* QueryRow */
static void
take_row(void *ctx, TupleTableSlot *slot)
{
	Exam	   *e = ctx;
	Size		row = e->n_rows + e->batch[0].n_rows;
	bool		has_target;

	slot_getsomeattrs(slot, e->n_columns);
	for (int v = 0; v < EXAM_VERSIONS; v++)
		if (e->lens[v] != NULL)
			look(e, e->lens[v], slot);
	has_target = !slot->tts_isnull[e->target];
	if (has_target)
	{
		if (row >= e->capacity)
			grow(e);
		if (e->batch[0].answer.task == FOREST_REGRESSION)
			has_target = take_number(e, row, slot->tts_values[e->target]);
		else
			take_label(e, row, slot->tts_values[e->target]);
	}
	if (!has_target)
	{
		e->n_without_target++;
		return;
	}
	for (int v = 0; v < EXAM_VERSIONS; v++)
		if (e->lens[v] != NULL)
			take_identity(e->lens[v], row);
	if (e->weight != NULL)
		e->weight[row] = e->lens[0]->reader.columns[e->lens[0]->columns.weight].cell->number;
	for (int i = 0; i < e->n_slices; i++)
		slices_take(e, &e->slices[i], row, slot);
	{
		bool		full = false;

		for (int v = 0; v < e->n_versions; v++)
			full = batch_add(&e->batch[v], slot);
		if (full)
			flush(e);
	}
}

/* -------------------------------------------------------------- columns -- */

static char *
target_of_model(const char *model)
{
	ProbeKey	key = {.column = "name", .text = model};
	Probe		probe;
	char	   *target = NULL;

	if (probe_begin(&probe, "model", "model_pkey", &key, 1))
		target = probe_text(&probe, "target");
	probe_end(&probe);
	if (target == NULL)
		elog(ERROR, "model \"%s\" has gone", model);
	return target;
}

/* Find the target among the columns of the query. */
static void
find_target(Exam *e, TupleDesc columns)
{
	const Batch *batch = &e->batch[0];
	Oid			type;

	e->target_name = target_of_model(batch->version.model);
	e->target = SPI_fnumber(columns, e->target_name) - 1;
	if (e->target < 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("the query has no column \"%s\", which is the target of model \"%s\"",
						e->target_name, batch->version.model),
				 errhint("Add the column to the query: without it there is nothing to compare "
						 "predictions with.")));
	type = TupleDescAttr(columns, e->target)->atttypid;
	datum_type_init(&e->target_type, type, CurrentMemoryContext);
	if (batch->answer.task == FOREST_REGRESSION &&
		(!e->target_type.supported || e->target_type.kind != FOREST_NUMERIC))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("target column \"%s\" is of type %s, but model \"%s\" predicts a number",
						e->target_name, format_type_be(type), batch->version.model),
				 errhint("Cast it in the query, as in SELECT %s::double precision AS %s.",
						 quote_identifier(e->target_name), quote_identifier(e->target_name))));
	e->n_columns = e->target + 1;
	for (int v = 0; v < e->n_versions; v++)
		e->n_columns = Max(e->n_columns, e->batch[v].map.n_columns);
}

/* ---------------------------------------------------------------- lenses -- */

/* Begin to look at rows: the columns have their roles. */
static void
lens_begin(ExamLens *lens)
{
	Dataset    *d = &lens->columns;
	ReaderColumn *columns = palloc0(d->n_columns * sizeof(ReaderColumn));

	lens->cells = palloc0(d->n_columns * sizeof(ForestCell));
	for (int i = 0; i < d->n_columns; i++)
	{
		columns[i].type = &d->columns[i].type;
		columns[i].cell = &lens->cells[i];
		columns[i].varlena = d->columns[i].varlena;
		columns[i].is_key = d->columns[i].role == COLUMN_KEY;
		columns[i].is_excluded = d->columns[i].role == COLUMN_EXCLUDED;
		columns[i].wants_cell = i == d->weight || i == d->time;
	}
	reader_begin(&lens->reader, columns, d->n_columns);
}

/* Rows as the training of a record saw them; NULL if the columns are others. */
static ExamLens *
lens_of_record(const Record *record, List *names, TupleDesc columns)
{
	ExamLens   *lens;

	if (record_compare_columns(record->columns, names) != NULL)
		return NULL;
	lens = palloc0(sizeof(ExamLens));
	columns_assign(&record->request, columns, &lens->columns);
	lens_begin(lens);
	return lens;
}

/* Rows of any query: all of their columns; clusters by the key, if the query has all of it. */
static ExamLens *
lens_of_query(const Exam *e, List *key, List *names, TupleDesc columns)
{
	ExamLens   *lens = palloc0(sizeof(ExamLens));
	ListCell   *cell;

	foreach(cell, key)
	{
		if (record_has_text(names, lfirst(cell)))
			continue;
		ereport(NOTICE,
				(errmsg("the query has no column \"%s\", part of the key of model \"%s\": each row "
						"is taken to be independent of the others", (char *) lfirst(cell),
						e->batch[0].version.model)));
		key = NIL;
		break;
	}
	columns_survey(columns, key, &lens->columns);
	lens->columns.weight = lens->columns.time = -1;
	lens_begin(lens);
	return lens;
}

static List *
column_names(TupleDesc columns)
{
	List	   *names = NIL;

	for (int i = 0; i < columns->natts; i++)
		names = lappend(names, pstrdup(NameStr(TupleDescAttr(columns, i)->attname)));
	return names;
}

/* -------------------------------------------------------------- holdout -- */

/* Refuse a version whose holdout there is none of. */
static void
check_holdout(const Resolved *version, const Record *record)
{
	if (record->request.test_size == 0 || record->n_test == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("version %d of model \"%s\" has no holdout", version->version,
						version->model),
				 errdetail("It was trained on every row."),
				 errhint("Give a query with rows that it was not trained on.")));
	if (!record->kept)
		record_check_trainer(version, record);
}

static void
refuse_changed(const Resolved *version, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("the rows that version %d of model \"%s\" was trained on are not there any more",
					version->version, version->model),
			 errdetail("%s", detail),
			 errhint("Give a query with the rows to evaluate on. To keep the rows of a training, "
					 "register them first with churnops_dataset(..., keep => true).")));
}

static void
check_digest(const Exam *e, const Record *record)
{
	const char *digest;

	e->lens[0]->columns.sum = e->lens[0]->sum;
	digest = dataset_digest(&e->lens[0]->columns);
	if (strcmp(digest, record->dataset_digest) != 0)
		refuse_changed(&e->batch[0].version,
					   psprintf("The query of its training returns other rows now: the digest was %s "
								"and is %s.", record->dataset_digest, digest));
}

/* The split of the rows by a training; kind none only gives their order. */
static void
split_rows(Exam *e, const ExamLens *lens, const ForestSplit *split, uint32 *order, uint8 *trains)
{
	Failure		why;

	exam_check(e, &e->host,
			   forest_split_rows(&e->host.host, split, lens->identity, lens->group, lens->time,
								 e->n_rows, order, trains, &why), &why);
}

/*
 * Mark rows of the holdout that the second version's training put on the side
 * of its training rows.  Where the data was another, that is where they would
 * have gone; by time nothing can be said then.
 */
static void
mark_seen(Exam *e, const Record *first, const Record *second, uint8 *trains, ExamOverlap overlap)
{
	const Resolved *version = &e->batch[1].version;
	ForestSplit split = training_split(&second->request);
	bool		same_data = strcmp(first->dataset_digest, second->dataset_digest) == 0;
	uint32	   *order;
	uint8	   *other;
	Size		n_seen = 0;
	Size		n_holdout = 0;

	if (e->lens[1] == NULL || (!same_data && split.kind != FOREST_SPLIT_HASH))
	{
		ereport(NOTICE,
				(errmsg("version %d of model \"%s\" was trained on other data: it cannot be told "
						"whether rows of this holdout were part of it", version->version,
						version->model)));
		return;
	}
	order = exam_memory(e, NULL, 0, e->n_rows * sizeof(uint32));
	other = exam_memory(e, NULL, 0, e->n_rows);
	split_rows(e, e->lens[1], &split, order, other);
	for (Size i = 0; i < e->n_rows; i++)
	{
		if (trains[i])
			continue;
		n_holdout++;
		n_seen += other[i];
		trains[i] = overlap != EXAM_KEEP && other[i];
	}
	(void) exam_memory(e, order, e->n_rows * sizeof(uint32), 0);
	(void) exam_memory(e, other, e->n_rows, 0);
	if (n_seen == 0)
		return;
	if (overlap == EXAM_REFUSE || (overlap == EXAM_EXCLUDE && n_seen == n_holdout))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("version %d of model \"%s\" was trained on %zu of the %zu rows of this "
						"holdout", version->version, version->model, n_seen, n_holdout),
				 errhint("Train both with the same key and split_seed, or give a query with rows "
						 "that neither has seen.")));
	ereport(NOTICE,
			(errmsg("version %d of model \"%s\" was trained on %zu of the %zu rows of this holdout",
					version->version, version->model, n_seen, n_holdout),
			 overlap == EXAM_KEEP
			 ? errdetail("They are part of the comparison, which favours that version.")
			 : errdetail("They are left out of the comparison.")));
}

/* -------------------------------------------------------------- arranging -- */

/* Let an array have the rows of `order`, in that order. */
static void
arrange_array(Exam *e, RowArray a, const uint32 *order, Size n)
{
	char	   *from = *a.array;
	char	   *to = exam_memory(e, NULL, 0, Max(n, 1) * a.size);

	for (Size i = 0; i < n; i++)
		memcpy(to + i * a.size, from + order[i] * a.size, a.size);
	(void) exam_memory(e, from, e->capacity * a.size, 0);
	*a.array = to;
}

/* Number the entities that have rows; leave it where each has one. */
static void
find_clusters(Exam *e)
{
	const Hash128 *group = e->lens[0]->group;
	ForestSplit none = {.kind = FOREST_SPLIT_NONE};
	uint32	   *order;
	uint8	   *trains;
	Failure		why;

	if (group == NULL || e->n_rows == 0)
		return;
	order = exam_memory(e, NULL, 0, e->n_rows * sizeof(uint32));
	trains = exam_memory(e, NULL, 0, e->n_rows);
	e->cluster = exam_memory(e, NULL, 0, e->n_rows * sizeof(uint32));
	exam_check(e, &e->host,
			   forest_split_rows(&e->host.host, &none, group, NULL, NULL, e->n_rows, order, trains,
								 &why), &why);
	for (Size i = 0; i < e->n_rows; i++)
	{
		e->n_clusters += i == 0 || hash_compare(group[order[i]], group[order[i - 1]]) != 0;
		e->cluster[order[i]] = e->n_clusters - 1;
	}
	(void) exam_memory(e, order, e->n_rows * sizeof(uint32), 0);
	(void) exam_memory(e, trains, e->n_rows, 0);
	if (e->n_clusters == e->n_rows)
	{
		(void) exam_memory(e, e->cluster, e->n_rows * sizeof(uint32), 0);
		e->cluster = NULL;
	}
}

/* Put the rows that are wanted into canonical order, and drop the others. */
static void
arrange(Exam *e, const Record *records)
{
	ForestSplit split = {.kind = FOREST_SPLIT_NONE};
	uint32	   *order = exam_memory(e, NULL, 0, Max(e->n_rows, 1) * sizeof(uint32));
	uint8	   *trains = exam_memory(e, NULL, 0, Max(e->n_rows, 1));
	RowArray	arrays[MAX_ROW_ARRAYS];
	int			n_arrays = row_arrays(e, arrays);
	Size		n_all = e->n_rows;
	Size		n = 0;

	if (records != NULL)
		split = training_split(&records[0].request);
	split_rows(e, e->lens[0], &split, order, trains);
	if (records != NULL)
	{
		for (Size i = 0; i < n_all; i++)
			n += !trains[i];
		if ((int64) n != records[0].n_test)
			refuse_changed(&e->batch[0].version,
						   psprintf("Its holdout had " INT64_FORMAT " rows and has %zu now.",
									records[0].n_test, n));
	}
	else
		memset(trains, 0, n_all);
	if (records != NULL && e->n_versions > 1)
		mark_seen(e, &records[0], &records[1], trains, e->overlap);
	n = 0;
	for (Size i = 0; i < n_all; i++)
		if (!trains[order[i]])
			order[n++] = order[i];
	for (int i = 0; i < n_arrays; i++)
		arrange_array(e, arrays[i], order, n);
	for (int i = 0; i < e->n_slices; i++)
		arrange_array(e, slice_array(&e->slices[i]), order, n);
	(void) exam_memory(e, order, Max(n_all, 1) * sizeof(uint32), 0);
	(void) exam_memory(e, trains, Max(n_all, 1), 0);
	e->n_rows = n;
	e->capacity = Max(n, 1);
	find_clusters(e);
}

/* ------------------------------------------------------------------ run -- */

void
exam_begin(Exam *e, text *reference)
{
	pg_host_init(&e->host, AllocSetContextCreate(CurrentMemoryContext, "churnops evaluation",
												 ALLOCSET_DEFAULT_SIZES), budget_bytes());
	batch_begin(&e->batch[0], reference);
	labels_init(&e->labels, e->batch[0].model->forest);
	e->n_versions = 1;
}

/* Are the answers of two versions of one kind? */
static bool
same_kind(const Answer *a, const Answer *b)
{
	bool		same = a->task == b->task && a->n_classes == b->n_classes;

	for (int i = 0; i < a->n_classes && same; i++)
		same = strcmp(forest_model_class_label(a->forest, i),
					  forest_model_class_label(b->forest, i)) == 0;
	return same;
}

void
exam_add_version(Exam *e, text *reference)
{
	Batch	   *batch = &e->batch[e->n_versions++];
	const Resolved *first = &e->batch[0].version;

	batch_begin(batch, reference);
	if (!same_kind(&e->batch[0].answer, &batch->answer))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("version %d of model \"%s\" and version %d of model \"%s\" cannot be "
						"compared", first->version, first->model, batch->version.version,
						batch->version.model),
				 errdetail("They do not predict the same classes, or one of them predicts a "
						   "number.")));
	/* one class is positive for both */
	batch->answer.positive = e->batch[0].answer.positive;
}

static void
give_notices(Exam *e)
{
	if (e->n_rows == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the query has no row with a target"),
				 e->n_without_target == 0 ? errdetail("It has no rows at all.") :
				 errdetail("Column \"%s\" is NULL in every row.", e->target_name)));
	if (e->n_without_target > 0)
		ereport(NOTICE,
				(errmsg("rows left out because they have no target: " UINT64_FORMAT,
						e->n_without_target)));
	for (Size i = 0; e->classes != NULL && i < e->n_rows; i++)
		e->n_unknown += e->classes[i] == (uint32) e->batch[0].answer.n_classes;
	if (e->n_unknown > 0)
		ereport(NOTICE,
				(errmsg("rows whose target is no class of model \"%s\": " UINT64_FORMAT
						", for example \"%s\"", e->batch[0].version.model, e->n_unknown,
						e->unknown_label),
				 errdetail("Every prediction for them counts as wrong.")));
}

/* The lenses through which rows are looked at. */
static void
make_lenses(Exam *e, const char *query, const Record *records, TupleDesc columns)
{
	List	   *names = column_names(columns);

	e->values = palloc(columns->natts * sizeof(Datum));
	e->n_columns = columns->natts;
	if (query != NULL)
	{
		e->lens[0] = lens_of_query(e, records[0].request.key, names, columns);
		return;
	}
	e->lens[0] = lens_of_record(&records[0], names, columns);
	if (e->lens[0] == NULL)
		refuse_changed(&e->batch[0].version,
					   record_compare_columns(records[0].columns, names));
	if (e->n_versions > 1)
		e->lens[1] = lens_of_record(&records[1], names, columns);
}

void
exam_run(Exam *e, const char *query, List *slices, bool ordered, ExamOverlap overlap)
{
	Record		records[EXAM_VERSIONS];
	const char *text = query;
	UserQuery  *q;
	int			nest = NewGUCNestLevel();

	ordered |= query == NULL || slices != NIL;
	e->overlap = overlap;
	for (int v = 0; ordered && v < e->n_versions; v++)
		record_read(&e->batch[v].version, &records[v]);
	if (query == NULL)
	{
		exchange_refuse_imported(&e->batch[0].version);
		check_holdout(&e->batch[0].version, &records[0]);
		text = records[0].kept ? records[0].source : records[0].request.query;
		/* names in the query shall mean what they meant then */
		(void) set_config_option("search_path", records[0].search_path, PGC_USERSET,
								 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	}
	q = query_prepare(text);
	for (int v = 0; v < e->n_versions; v++)
		batch_columns(&e->batch[v], query_columns(q));
	find_target(e, query_columns(q));
	slices_find(e, slices, query_columns(q));
	if (ordered)
		make_lenses(e, query, records, query_columns(q));
	(void) query_run(q, take_row, e);
	AtEOXact_GUC(true, nest);
	flush(e);
	if (query == NULL)
		check_digest(e, &records[0]);
	if (ordered && e->n_rows > 0)
		arrange(e, query == NULL ? records : NULL);
	give_notices(e);
	slices_finish(e);
}
