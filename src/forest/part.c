/*
 * part.c
 *	  Parts of a training: some of its rows, with other parameters.
 *
 * A search grows many forests from the same rows.  What is costly is done once,
 * in the training that all start from: order, bins, dictionaries, codes.  A part
 * copies the rows it needs, encoded as they are, and resolves its parameters
 * against them; a part that trains on all rows does not even copy, unless
 * targets are numbers, whose fixed point depends on the parameters.
 *
 * Rows keep their order and their keys, so nothing that is drawn depends on the
 * part's other rows.
 */
#include <string.h>

#include "core/memory.h"
#include "forest/prepare.h"

#define ROWS_PER_POLL 65536

/* ------------------------------------------------------------------ rows -- */

/* The rows of the part, those that train first: into order, as rows of the training. */
static void
list_rows(const ForestTraining *base, const uint8_t *sides, uint32_t *order)
{
	uint32_t	n = 0;

	for (uint8_t side = FOREST_SIDE_TRAIN; side <= FOREST_SIDE_TEST; side++)
		for (uint32_t row = 0; row < base->n_rows; row++)
			if (sides == NULL ? (row < base->n_train) == (side == FOREST_SIDE_TRAIN)
				: sides[row] == side)
				order[n++] = row;
}

/* Count the rows of both sides. */
static void
count_rows(const ForestTraining *base, const uint8_t *sides, ForestTraining *t)
{
	t->n_train = sides == NULL ? base->n_train : 0;
	t->n_rows = sides == NULL ? base->n_rows : 0;
	for (uint32_t row = 0; sides != NULL && row < base->n_rows; row++)
	{
		t->n_train += sides[row] == FOREST_SIDE_TRAIN;
		t->n_rows += sides[row] != FOREST_SIDE_NONE;
	}
}

/* Copy the values of the weight column; are they other than 1 where they train? */
static Status
copy_weights(Prepare *p, const ForestTraining *base, Failure *why)
{
	ForestTraining *t = p->t;
	bool		any = false;
	Status		status;

	if (base->row_weight == NULL)
		return STATUS_OK;
	status = memory_new_raw(p->host, t->n_rows, sizeof(double), &t->row_weight, why);
	if (status != STATUS_OK)
		return status;
	for (uint32_t i = 0; i < t->n_rows; i++)
	{
		t->row_weight[i] = base->row_weight[p->order[i]];
		if (i >= t->n_train)
			continue;
		any |= t->row_weight[i] > 0;
		t->row_weighted |= t->row_weight[i] != 1;
	}
	t->weighted = t->row_weighted;
	return any ? STATUS_OK
		: fail(why, STATUS_INVALID_DATA, "every training row has the weight 0");
}

/* Copy the targets that are numbers. */
static Status
copy_targets(Prepare *p, const ForestTraining *base, Failure *why)
{
	Status		status;

	if (base->target_value == NULL)
		return STATUS_OK;
	status = memory_new_raw(p->host, p->t->n_rows, sizeof(double), &p->t->target_value, why);
	for (uint32_t i = 0; i < p->t->n_rows && status == STATUS_OK; i++)
		p->t->target_value[i] = base->target_value[p->order[i]];
	return status;
}

/* Copy keys, classes and bins. */
static Status
copy_cells(Prepare *p, const ForestTraining *base, Failure *why)
{
	const ForestTraining *t = p->t;

	for (uint32_t i = 0; i < t->n_rows; i++)
	{
		uint32_t	row = p->order[i];
		const TrainingChunk *from = training_chunk(base, row);
		const TrainingChunk *to = training_chunk(t, i);
		uint32_t	at = training_in_chunk(base, row);

		if (i % ROWS_PER_POLL == 0 && host_poll(p->host, why) != STATUS_OK)
			return STATUS_CANCELLED;
		p->keys[i] = from->keys[at];
		if (to->label != NULL)
			((uint32_t *) to->label)[training_in_chunk(t, i)] = from->label[at];
		memcpy((uint8_t *) training_bins(t, i), training_bins(base, row), t->row_bytes);
	}
	return STATUS_OK;
}

/* A matrix of the part's own. */
static Status
copy_rows(Prepare *p, const ForestTraining *base, const uint8_t *sides, Failure *why)
{
	Status		status;

	status = memory_new_raw(p->host, p->n, sizeof(uint32_t), &p->order, why);
	if (status == STATUS_OK)
		status = memory_new_raw(p->host, p->n, sizeof(uint64_t), &p->keys, why);
	if (status != STATUS_OK)
		return status;
	list_rows(base, sides, p->order);
	status = copy_weights(p, base, why);
	if (status == STATUS_OK)
		status = copy_targets(p, base, why);
	if (status == STATUS_OK)
		status = training_chunks_new(p->t, why);
	if (status == STATUS_OK)
		status = copy_cells(p, base, why);
	return status;
}

/* The matrix of the training. */
static Status
share_rows(Prepare *p, const ForestTraining *base, Failure *why)
{
	ForestTraining *t = p->t;
	Status		status;

	t->shares_rows = true;
	t->storage = NULL;
	t->row_weight = base->row_weight;
	t->target_value = base->target_value;
	t->row_weighted = t->weighted = base->row_weighted;
	t->row_bytes = base->row_bytes;
	t->chunk_shift = base->chunk_shift;
	status = memory_new_raw(p->host, base->n_chunks, sizeof(TrainingChunk), &t->chunks, why);
	if (status != STATUS_OK)
		return status;
	t->n_chunks = base->n_chunks;
	memcpy(t->chunks, base->chunks, base->n_chunks * sizeof(TrainingChunk));
	return STATUS_OK;
}

/* ------------------------------------------------------------------ part -- */

/* What the rows and parameters of a part make of it. */
static Status
settle_part(Prepare *p, Failure *why)
{
	ForestTraining *t = p->t;
	Status		status = STATUS_OK;

	if (t->n_train == 0)
		return fail(why, STATUS_INVALID_DATA, "no row is left for training");
	if (t->schema.task == FOREST_CLASSIFICATION)
		status = prepare_check_classes(p, why);
	if (status == STATUS_OK)
		status = prepare_settings(p, why);
	if (status == STATUS_OK && t->schema.task == FOREST_REGRESSION)
		status = prepare_target_scale(p, why);
	if (status == STATUS_OK && !t->shares_rows)
		status = prepare_sections(p, why);
	return status;
}

Status
forest_training_part(const Host *host, const Host *storage, const ForestTraining *training,
					 const uint8_t *sides, const ForestParams *params, ForestTraining **out,
					 Failure *why)
{
	bool		shares = sides == NULL && training->schema.task == FOREST_CLASSIFICATION;
	Prepare		p = {.host = host, .params = params};
	ForestTraining *t;
	Status		status;

	*out = NULL;
	status = memory_new(host, 1, sizeof(ForestTraining), &t, why);
	if (status != STATUS_OK)
		return status;
	t->host = host;
	t->storage = storage;
	t->base = training;
	t->schema = training->schema;
	t->fates = training->fates;
	t->columns = training->columns;
	t->n_columns = training->n_columns;
	count_rows(training, sides, t);
	p.t = t;
	p.n = t->n_rows;
	status = shares ? share_rows(&p, training, why) : copy_rows(&p, training, sides, why);
	if (status == STATUS_OK)
		status = settle_part(&p, why);
	if (status == STATUS_OK && t->settings.random_splitter)
		t->values = training->values;
	memory_free(host, p.order, p.n, sizeof(uint32_t));
	memory_free(host, p.keys, p.n, sizeof(uint64_t));
	if (status == STATUS_OK)
		*out = t;
	else
		forest_training_free(t);
	return status;
}

bool
forest_training_owns_rows(const ForestTraining *part)
{
	return !part->shares_rows;
}

void
forest_training_set_trees(ForestTraining *part, uint32_t first, uint32_t n)
{
	part->settings.first_tree = first;
	part->settings.n_estimators = n;
}

/* ----------------------------------------------------------------- folds -- */

void
forest_fold_rows_free(const Host *host, ForestFoldRows *rows)
{
	memory_free(host, rows->key, rows->n, sizeof(uint64_t));
	memory_free(host, rows->label, rows->n, sizeof(uint32_t));
	memory_free(host, rows->group, rows->n, sizeof(uint64_t));
	memory_free(host, rows->time, rows->n, sizeof(double));
	memset(rows, 0, sizeof(*rows));
}

Status
forest_fold_rows(const Host *host, const ForestTraining *training, ForestFoldRows *out,
				 Failure *why)
{
	ForestFoldRows rows = {.n = training->n_train};
	bool		classes = training->schema.task == FOREST_CLASSIFICATION;
	Status		status;

	status = memory_new_raw(host, rows.n, sizeof(uint64_t), &rows.key, why);
	if (status == STATUS_OK && classes)
		status = memory_new_raw(host, rows.n, sizeof(uint32_t), &rows.label, why);
	if (status == STATUS_OK && training->group != NULL)
		status = memory_new_raw(host, rows.n, sizeof(uint64_t), &rows.group, why);
	if (status == STATUS_OK && training->time != NULL)
		status = memory_new_raw(host, rows.n, sizeof(double), &rows.time, why);
	if (status != STATUS_OK)
	{
		forest_fold_rows_free(host, &rows);
		return status;
	}
	for (uint32_t row = 0; row < rows.n; row++)
	{
		const TrainingChunk *chunk = training_chunk(training, row);

		rows.key[row] = chunk->keys[training_in_chunk(training, row)];
		if (classes)
			rows.label[row] = chunk->label[training_in_chunk(training, row)];
	}
	if (rows.group != NULL)
		memcpy(rows.group, training->group, rows.n * sizeof(uint64_t));
	if (rows.time != NULL)
		memcpy(rows.time, training->time, rows.n * sizeof(double));
	*out = rows;
	return STATUS_OK;
}
