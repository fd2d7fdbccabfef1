/*
 * prepare.c
 *	  The rows of a frame, put in order: canonical order, split, classes,
 *	  features.
 */
#include "forest/prepare.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "core/rng.h"
#include "forest/assign.h"
#include "forest/bins.h"

/* Weights above this are scaled down. */
#define LARGEST_WEIGHT 1e30

static const Hash128 *
identity_block(const void *ctx, size_t chunk)
{
	const ForestFrame *frame = ctx;

	return &FRAME_AT(frame, Hash128, frame->identity_offset, chunk << FRAME_CHUNK_SHIFT);
}

static const Hash128 *
group_block(const void *ctx, size_t chunk)
{
	const ForestFrame *frame = ctx;

	return &FRAME_AT(frame, Hash128, frame->group_offset, chunk << FRAME_CHUNK_SHIFT);
}

static const double *
time_block(const void *ctx, size_t chunk)
{
	const ForestFrame *frame = ctx;

	return &FRAME_AT(frame, double, frame->time_offset, chunk << FRAME_CHUNK_SHIFT);
}

/* What decides about the rows of a frame. */
static AssignRows
assign_rows(const Prepare *p)
{
	return (AssignRows) {
		.host = p->host,
		.n = p->n,
		.chunk_shift = FRAME_CHUNK_SHIFT,
		.ctx = p->frame,
		.identity = identity_block,
		.group = p->frame->has_group ? group_block : NULL,
		.time = time_block,
	};
}

Status
prepare_order(Prepare *p, Failure *why)
{
	AssignRows	rows = assign_rows(p);

	return assign_order(&rows, p->order, p->keys, why);
}

Status
prepare_search(Prepare *p, Failure *why)
{
	ForestTraining *t = p->t;
	ForestFrame *frame = p->frame;
	AssignRows	rows = assign_rows(p);
	double	   *times = NULL;
	Status		status = STATUS_OK;

	if (!p->split->for_search)
		return STATUS_OK;
	if (frame->has_group)
		status = memory_new_raw(p->host, p->n, sizeof(uint64_t), &t->group, why);
	for (size_t i = 0; t->group != NULL && i < p->n; i++)
		t->group[i] = rng_row_key(FRAME_AT(frame, Hash128, frame->group_offset, p->order[i]), 0);
	if (status != STATUS_OK || !frame->has_time)
		return status;
	status = memory_new_raw(p->host, p->n, sizeof(double), &times, why);
	if (status == STATUS_OK)
		status = assign_times(&rows, times, why);
	if (status == STATUS_OK)
		status = memory_new_raw(p->host, p->n, sizeof(double), &t->time, why);
	for (size_t i = 0; i < p->n && status == STATUS_OK; i++)
		t->time[i] = times[p->order[i]];
	memory_free(p->host, times, p->n, sizeof(double));
	return status;
}

Status
prepare_split(Prepare *p, Failure *why)
{
	uint32_t   *test_rows = NULL;
	uint64_t   *test_keys = NULL;
	size_t		n_train = 0;
	size_t		n_test = 0;
	AssignRows	rows = assign_rows(p);
	Status		status;

	status = assign_split(&rows, p->split, p->order, p->keys, p->trains, why);
	if (status == STATUS_OK)
		status = memory_new_raw(p->host, p->n, sizeof(uint32_t), &test_rows, why);
	if (status == STATUS_OK)
		status = memory_new_raw(p->host, p->n, sizeof(uint64_t), &test_keys, why);
	for (size_t i = 0; i < p->n && status == STATUS_OK; i++)
	{
		if (p->trains[p->order[i]])
		{
			p->order[n_train] = p->order[i];
			p->keys[n_train++] = p->keys[i];
		}
		else
		{
			test_rows[n_test] = p->order[i];
			test_keys[n_test++] = p->keys[i];
		}
	}
	if (n_test > 0)
	{
		memcpy(p->order + n_train, test_rows, n_test * sizeof(uint32_t));
		memcpy(p->keys + n_train, test_keys, n_test * sizeof(uint64_t));
	}
	memory_free(p->host, test_rows, p->n, sizeof(uint32_t));
	memory_free(p->host, test_keys, p->n, sizeof(uint64_t));
	if (status != STATUS_OK)
		return status;
	for (size_t i = 0; i < p->n; i++)
		p->position[p->order[i]] = (uint32_t) i;
	p->t->n_rows = (uint32_t) p->n;
	p->t->n_train = (uint32_t) n_train;
	if (n_train == 0)
	{
		status = fail(why, STATUS_INVALID_DATA,
					  "no row is left for training: all %zu rows are in the holdout", p->n);
		fail_hint(why, "Lower test_size, or give it as 0 to train on every row.");
	}
	return status;
}

Status
prepare_weights(Prepare *p, Failure *why)
{
	ForestTraining *t = p->t;
	bool		any = false;
	bool		all_one = true;
	double		largest = 0;
	Status		status;

	if (!p->frame->has_weight)
		return STATUS_OK;
	status = memory_new_raw(p->host, t->n_rows, sizeof(double), &t->row_weight, why);
	if (status != STATUS_OK)
		return status;
	for (uint32_t i = 0; i < t->n_rows; i++)
	{
		double		weight = FRAME_AT(p->frame, double, p->frame->weight_offset, p->order[i]);

		t->row_weight[i] = weight;
		largest = fmax(largest, weight);
		if (i >= t->n_train)
			continue;
		all_one &= weight == 1;
		any |= weight > 0;
		p->trains[p->order[i]] = weight > 0;
	}
	if (!any)
	{
		fail(why, STATUS_INVALID_DATA, "every training row has the weight 0");
		fail_hint(why, "Give rows that shall count a weight above 0.");
		return STATUS_INVALID_DATA;
	}
	/* only their ratios count: keep the squares of sums in the range of doubles */
	for (uint32_t i = 0; largest > LARGEST_WEIGHT && i < t->n_rows; i++)
		t->row_weight[i] /= largest;
	t->row_weighted = !all_one;
	t->weighted = t->row_weighted;
	return STATUS_OK;
}

Status
prepare_classes(Prepare *p, Failure *why)
{
	ForestFrame *frame = p->frame;
	ForestSchema *schema = &p->t->schema;
	uint32_t	n_classes;
	Status		status;

	schema->task = frame->target == FOREST_TARGET_LABEL ? FOREST_CLASSIFICATION
		: FOREST_REGRESSION;
	status = forest_frame_classes(frame, &n_classes, why);
	if (status != STATUS_OK || schema->task == FOREST_REGRESSION)
		return status;
	status = memory_new(p->host, n_classes, sizeof(ForestText), &schema->classes, why);
	if (status != STATUS_OK)
		return status;
	schema->n_classes = n_classes;
	for (uint32_t k = 0; k < n_classes && status == STATUS_OK; k++)
	{
		size_t		n_bytes;
		const char *label = forest_frame_class_label(frame, k, &n_bytes);

		status = schema_text(p->host, label, n_bytes, &schema->classes[k], why);
	}
	if (status != STATUS_OK)
		return status;
	return prepare_check_classes(p, why);
}

Status
prepare_check_classes(Prepare *p, Failure *why)
{
	const ForestSchema *schema = &p->t->schema;
	uint32_t	n_classes = schema->n_classes;
	uint32_t	first = n_classes;
	Status		status;

	for (uint32_t i = 0; i < p->t->n_train; i++)
	{
		uint32_t	class_index = prepare_class_of(p, i);

		if (!prepare_weighs(p->t, i))
			continue;
		if (first == n_classes)
			first = class_index;
		if (class_index != first)
			return STATUS_OK;
	}
	status = fail(why, STATUS_INVALID_DATA, "the target has one class only, \"%s\"%s",
				  schema->classes[first].bytes, n_classes > 1 ? ", in the training rows" : "");
	fail_detail(why, "There are %u training rows and %u holdout rows.", p->t->n_train,
				p->t->n_rows - p->t->n_train);
	fail_hint(why, "Give rows of at least two classes.");
	return status;
}

/*
 * The sample that cuts come from: the first training rows of the canonical
 * order, listed as they lie in the frame.
 */
static Status
sample_rows(Prepare *p, BinsRows *rows, uint32_t **out, Failure *why)
{
	enum {SAMPLED = 2};
	ForestTraining *t = p->t;
	size_t		n = 0;
	uint32_t	last = 0;
	Status		status;

	for (uint32_t i = 0; i < t->n_train; i++)
		rows->n_train += prepare_weighs(t, i);
	rows->n_sample = rows->n_train < BINS_SAMPLE_ROWS ? rows->n_train : BINS_SAMPLE_ROWS;
	status = memory_new_raw(p->host, rows->n_sample, sizeof(uint32_t), out, why);
	if (status != STATUS_OK)
		return status;
	for (uint32_t i = 0; n < rows->n_sample; i++)
	{
		uint32_t	row = p->order[i];

		if (!prepare_weighs(t, i))
			continue;
		p->trains[row] |= SAMPLED;
		n++;
		last = row > last ? row : last;
	}
	n = 0;
	for (uint32_t row = 0; row <= last && rows->n_sample > 0; row++)
	{
		if (!(p->trains[row] & SAMPLED))
			continue;
		(*out)[n++] = row;
		p->trains[row] &= ~SAMPLED;
	}
	rows->trains = p->trains;
	rows->sample = *out;
	return STATUS_OK;
}

/* Give the features that are kept their names, and put them side by side. */
static Status
keep_features(Prepare *p, ForestFeature *features, Failure *why)
{
	ForestFrame *frame = p->frame;
	ForestTraining *t = p->t;
	uint32_t	n = 0;
	Status		status;

	for (uint32_t c = 0; c < frame->n_columns; c++)
		if (t->fates[c] != FOREST_DROPPED_CONSTANT && t->fates[c] != FOREST_DROPPED_MISSING)
			p->kept[n++] = c;
	if (n == 0)
	{
		status = fail(why, STATUS_INVALID_DATA, "no feature is left to train on");
		fail_detail(why, "Of %u columns that could be features, all are constant or all NULL "
					"in the training rows.", frame->n_columns);
		fail_hint(why, "Give columns whose values differ from row to row.");
		return status;
	}
	for (uint32_t f = 0; f < n; f++)
	{
		const ForestText *name = &frame->columns[p->kept[f]].name;

		status = schema_text(p->host, name->bytes, name->n_bytes, &features[p->kept[f]].name, why);
		if (status != STATUS_OK)
			return status;
	}
	status = memory_new_raw(p->host, n, sizeof(ForestFeature), &t->schema.features, why);
	if (status != STATUS_OK)
	{
		t->schema.features = features;
		return status;
	}
	for (uint32_t f = 0; f < n; f++)
		t->schema.features[f] = features[p->kept[f]];
	memory_free(p->host, features, frame->n_columns, sizeof(ForestFeature));
	t->schema.n_features = n;
	return STATUS_OK;
}

Status
prepare_features(Prepare *p, Failure *why)
{
	ForestFrame *frame = p->frame;
	ForestTraining *t = p->t;
	BinsRows	rows = {0};
	uint32_t   *sample = NULL;
	Status		status;

	status = memory_new(p->host, frame->n_columns, sizeof(ForestColumnFate), &t->fates, why);
	if (status != STATUS_OK)
		return status;
	t->n_columns = frame->n_columns;
	status = memory_new(p->host, frame->n_columns, sizeof(ForestText), &t->columns, why);
	for (uint32_t c = 0; c < frame->n_columns && status == STATUS_OK; c++)
		status = schema_text(p->host, frame->columns[c].name.bytes, frame->columns[c].name.n_bytes,
							 &t->columns[c], why);
	if (status != STATUS_OK)
		return status;
	/* room for every column until it is known which are kept */
	status = memory_new(p->host, frame->n_columns, sizeof(ForestFeature), &t->schema.features,
						why);
	if (status != STATUS_OK)
		return status;
	t->schema.n_features = frame->n_columns;
	status = sample_rows(p, &rows, &sample, why);
	if (status == STATUS_OK)
		status = bins_of_columns(p->host, frame, &rows, t->schema.features, t->fates, why);
	memory_free(p->host, sample, rows.n_sample, sizeof(uint32_t));
	return status == STATUS_OK ? keep_features(p, t->schema.features, why) : status;
}
