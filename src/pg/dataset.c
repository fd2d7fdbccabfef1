/*
 * dataset.c
 *	  The rows of a training query on their way into a ForestFrame.
 *
 * Every row is turned into canonical bytes and cells once (reader.c, column
 * by column in the query's order).  Their hash over all columns is added to the
 * dataset's sum, which is the same for any order of the rows; the hash over
 * the columns that are not excluded is the row's identity, from which all
 * draws about the row come; the hash over the key columns is its group.
 * Where nothing is excluded the first two are one.
 *
 * Rows whose target is unknown are part of the digest and of nothing else, so
 * a NULL weight or time is an error in the other rows only.
 */
#include "postgres.h"

#include <math.h>

#include "pg/budget.h"
#include "pg/compat.h"
#include "pg/dataset.h"
#include "pg/digest.h"
#include "pg/report.h"

/* This part of the budget is left to what is not counted per row. */
#define SPARE_SHARE 32

/* The columns of the frame: the features, in the query's order. */
static ForestColumn *
frame_columns(const Dataset *d)
{
	ForestColumn *columns = palloc0(Max(d->n_features, 1) * sizeof(ForestColumn));
	size_t		n_bytes;

	for (int i = 0; i < d->n_columns; i++)
	{
		const DatasetColumn *column = &d->columns[i];

		if (column->feature < 0)
			continue;
		columns[column->feature].name = datum_to_utf8(column->name, strlen(column->name),
													  &n_bytes);
		columns[column->feature].kind = column->type.kind;
		columns[column->feature].integer = column->type.integer;
	}
	return columns;
}

/*
 * What is to be read of each column.  Every column has a cell, those that are
 * no features behind those that are.
 */
static ReaderColumn *
reader_columns(const Dataset *d)
{
	ReaderColumn *columns = palloc0(d->n_columns * sizeof(ReaderColumn));
	int			n_cells = d->n_features;

	for (int i = 0; i < d->n_columns; i++)
	{
		DatasetColumn *from = &d->columns[i];
		ReaderColumn *column = &columns[i];

		column->type = &from->type;
		column->cell = &d->cells[from->feature >= 0 ? from->feature : n_cells++];
		column->varlena = from->varlena;
		column->is_key = from->role == COLUMN_KEY;
		column->is_excluded = from->role == COLUMN_EXCLUDED;
		column->wants_cell = !column->is_key && !column->is_excluded;
	}
	return columns;
}

void
dataset_begin(Dataset *d, PgHost *host, double expected_rows)
{
	ForestFrameOptions options = {
		.columns = frame_columns(d),
		.n_columns = d->n_features,
		.target = d->task == FOREST_CLASSIFICATION ? FOREST_TARGET_LABEL : FOREST_TARGET_NUMBER,
		.integer_labels = d->integer_labels,
		.has_weight = d->weight >= 0,
		.has_group = d->has_key,
		.has_time = d->time >= 0,
		.spill = d->spill,
		.memory = host->budget - host->budget / SPARE_SHARE,
		.wants_facts = d->wants_facts,
	};
	Failure		why;

	d->host = host;
	d->expected_rows = expected_rows;
	d->values = palloc(d->n_columns * sizeof(Datum));
	d->cells = palloc0(d->n_columns * sizeof(ForestCell));
	reader_begin(&d->reader, reader_columns(d), d->n_columns);
	budget_check(host, forest_frame_new(&host->host, &options, &d->frame, &why), &why);
}

/* Raise 22003: training takes no infinite values. */
static void
refuse_infinite(const DatasetColumn *column)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("column \"%s\" has an infinite value", column->name),
			 errhint("Leave such rows out in the query, or give them a finite value.")));
}

/* The label of a target that is known. */
static void
dataset_label(Dataset *d, const ForestCell *cell, Datum value, ForestRow *row)
{
	ReaderColumn *column = &d->reader.columns[d->target];
	DatasetColumn *target = &d->columns[d->target];
	const ReaderLabel *label;

	if (target->by_value)
	{
		label = reader_label(&d->reader, column, value);
		row->target_label = label->text;
		row->target_label_bytes = label->n_bytes;
		row->target_order = label->order;
	}
	else if (target->type.kind == FOREST_CATEGORY)
	{
		row->target_label = cell->text;
		row->target_label_bytes = cell->n_bytes;
		row->target_order = 0;
	}
	else
		datum_label(&target->type, value, &row->target_label, &row->target_label_bytes,
					&row->target_order);
}

/* The target of a row; as a number it may turn out to be unknown. */
static void
dataset_target(Dataset *d, Datum value, ForestRow *row)
{
	const DatasetColumn *column = &d->columns[d->target];
	const ForestCell *cell = d->reader.columns[d->target].cell;

	row->target_missing = cell->missing;
	if (cell->missing)
		return;
	if (column->type.kind == FOREST_NUMERIC && isinf(cell->number))
		refuse_infinite(column);
	if (d->task == FOREST_REGRESSION)
		row->target_number = cell->number;
	else
		dataset_label(d, cell, value, row);
}

/* The number of a weight or time column. */
static double
dataset_number(const Dataset *d, int i, const char *what)
{
	const ForestCell *cell = d->reader.columns[i].cell;

	if (cell->missing)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s column \"%s\" has a NULL", what, d->columns[i].name),
				 errhint("Leave such rows out in the query, or give them a value with "
						 "coalesce().")));
	if (isinf(cell->number))
		refuse_infinite(&d->columns[i]);
	return cell->number;
}

/* Weight and time of a row with a known target. */
static void
dataset_weight_and_time(const Dataset *d, ForestRow *row)
{
	row->weight = 1;
	if (d->weight >= 0)
	{
		row->weight = dataset_number(d, d->weight, "weight");
		if (row->weight < 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("weight column \"%s\" has the negative value %g",
							d->columns[d->weight].name, row->weight),
					 errhint("Weights are finite numbers of at least 0.")));
	}
	if (d->time >= 0)
		row->time = dataset_number(d, d->time, "time");
}

/* Refuse a frame that has outgrown its budget, with what it would take in all. */
static void
dataset_refuse(const Dataset *d)
{
	Size		needed = Max(d->host->used, d->host->budget + 1);
	double		all = (double) needed * Max(d->expected_rows, 1) / Max((double) d->n_rows, 1);

	if (all > needed && all < (double) PG_INT64_MAX / 2)
		needed = (Size) all;
	budget_refuse(needed,
				  psprintf("%s were taken by the first " UINT64_FORMAT " rows; the planner expects "
						   "%.0f.", budget_text(d->host->used), d->n_rows, d->expected_rows));
}

static Hash128
hash_of(const CanonicalBytes *bytes)
{
	return hash_bytes(bytes->data, bytes->next - bytes->data);
}

void
dataset_row(void *ctx, TupleTableSlot *slot)
{
	Dataset    *d = ctx;
	ForestRow	row = {.cells = d->cells};
	Hash128		hash;
	Status		status;
	Failure		why;

	memcpy(d->values, slot->tts_values, d->n_columns * sizeof(Datum));
	reader_row(&d->reader, d->values, slot->tts_isnull);
	hash = hash_of(&d->reader.all);
	hash_sum_add(&d->sum, hash);
	d->n_rows++;
	row.identity = d->reader.has_excluded ? hash_of(&d->reader.kept) : hash;
	if (d->has_key)
		row.group = hash_of(&d->reader.group);

	dataset_target(d, d->values[d->target], &row);
	if (!row.target_missing)
		dataset_weight_and_time(d, &row);
	status = forest_frame_append(d->frame, &row, &why);
	if (status == STATUS_NO_MEMORY && d->host->refused)
		dataset_refuse(d);
	budget_check(d->host, status, &why);
}

char *
dataset_digest(const Dataset *d)
{
	Digest	   *digest = digest_begin();
	uint8_t		sum[HASH_SUM_BYTES];

	for (int i = 0; i < d->n_columns; i++)
	{
		const DatasetColumn *column = &d->columns[i];
		uint8		tag = datum_canonical_tag(&column->type);
		size_t		n_bytes;

		digest_add_string(digest, datum_to_utf8(column->name, strlen(column->name), &n_bytes));
		digest_add(digest, &tag, sizeof(tag));
	}
	hash_sum_store(&d->sum, sum);
	digest_add(digest, sum, sizeof(sum));
	return digest_finish(digest);
}
