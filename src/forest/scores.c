/*
 * scores.c
 *	  Scores of a training's own rows: of the holdout, and out of bag.
 *
 * Which trees left a row out is not kept while growing: it is drawn again, as
 * it is a function of (seed, tree, row).
 */
#include "core/memory.h"
#include "forest/scores.h"

/* Sums of a block of rows that are to stay in the cache. */
#define BLOCK_SUMS 65536
#define BLOCK_ROWS 1024
#define ROWS_PER_POLL 256

Status
scores_check(const ForestTraining *training, const ForestModel *model, Failure *why)
{
	if (model->schema.n_features != training->schema.n_features ||
		model->schema.n_classes != training->schema.n_classes ||
		model->n_trees != training->settings.n_estimators)
		return fail(why, STATUS_INVALID_PARAMETER, "model is not of this training");
	return STATUS_OK;
}

bool
scores_covered(const ForestTraining *training, uint32_t row, uint32_t n_trees)
{
	for (uint32_t t = 0; t < n_trees; t++)
		if (scores_left_out(training, row, scores_tree_key(training, t)))
			return true;
	return false;
}

Status
scores_new(const Host *host, const ForestTraining *training, const ForestModel *model, size_t n,
		   ForestScores *out, Failure *why)
{
	ForestScores scores = {.n = n, .n_outputs = model->n_outputs};
	bool		regression = training->schema.task == FOREST_REGRESSION;
	Status		status;

	status = memory_new(host, n, model->n_outputs * sizeof(double), &scores.outputs, why);
	if (status == STATUS_OK && !regression)
		status = memory_new(host, n, sizeof(uint32_t), &scores.label, why);
	if (status == STATUS_OK && regression)
		status = memory_new(host, n, sizeof(double), &scores.target, why);
	if (status == STATUS_OK && training->row_weight != NULL)
		status = memory_new(host, n, sizeof(double), &scores.weight, why);
	if (status != STATUS_OK)
	{
		forest_scores_free(host, &scores);
		return status;
	}
	*out = scores;
	return STATUS_OK;
}

void
forest_scores_free(const Host *host, ForestScores *scores)
{
	memory_free(host, scores->outputs, scores->n, scores->n_outputs * sizeof(double));
	memory_free(host, scores->label, scores->n, sizeof(uint32_t));
	memory_free(host, scores->target, scores->n, sizeof(double));
	memory_free(host, scores->weight, scores->n, sizeof(double));
	scores->outputs = NULL;
	scores->label = NULL;
	scores->target = NULL;
	scores->weight = NULL;
	scores->n = 0;
}

void
scores_set_row(const ForestTraining *training, uint32_t row, ForestScores *out, size_t i)
{
	if (out->label != NULL)
		out->label[i] = training_chunk(training, row)->label[training_in_chunk(training, row)];
	if (out->target != NULL)
		out->target[i] = training->target_value[row];
	if (out->weight != NULL)
		out->weight[i] = training->row_weight[row];
}

/* -------------------------------------------------------------- holdout -- */

Status
forest_holdout_scores(const Host *host, const ForestTraining *training, const ForestModel *model,
					  ForestScores *out, Failure *why)
{
	uint32_t	chunk_rows = UINT32_C(1) << training->chunk_shift;
	uint32_t	first = training->n_train;
	ForestScores scores;
	Status		status = scores_check(training, model, why);

	if (status == STATUS_OK)
		status = scores_new(host, training, model, training->n_rows - first, &scores, why);
	if (status != STATUS_OK)
		return status;

	/* blocks of rows that lie behind each other */
	for (uint32_t row = first; row < training->n_rows;)
	{
		uint32_t	n = chunk_rows - training_in_chunk(training, row);

		if (n > training->n_rows - row)
			n = training->n_rows - row;
		if (n > FOREST_SCORE_BLOCK)
			n = FOREST_SCORE_BLOCK;
		status = host_poll(host, why);
		if (status != STATUS_OK)
		{
			forest_scores_free(host, &scores);
			return status;
		}
		forest_score(model, training_bins(training, row), n,
					 scores.outputs + (size_t) (row - first) * scores.n_outputs);
		for (uint32_t i = 0; i < n; i++)
			scores_set_row(training, row + i, &scores, row + i - first);
		row += n;
	}
	*out = scores;
	return STATUS_OK;
}

/* ----------------------------------------------------------- out of bag -- */

uint32_t
scores_pick_trees(const ForestTraining *training, const ForestModel *model, uint32_t row,
				  const uint64_t *keys, uint32_t first, uint32_t n, uint32_t *entries)
{
	const TrainingChunk *chunk = training_chunk(training, row);
	uint32_t	place = training_in_chunk(training, row);
	uint64_t	row_key = chunk->keys[place];
	uint32_t	n_picked = 0;

	if (chunk->weight != NULL && chunk->weight[place] == 0)
	{
		memcpy(entries, model->entries + first, blocks_walks_room(n) * sizeof(entries[0]));
		return n;
	}
	for (uint32_t i = 0; i < n; i++)
	{
		entries[n_picked] = model->entries[first + i];
		n_picked += rng_row_draw(keys[i], row_key) < training->settings.thresholds[0];
	}
	for (uint32_t i = n_picked; i < blocks_walks_room(n_picked); i++)
		entries[i] = model->entries[0];
	return n_picked;
}

Status
scores_sum(const Host *host, const ForestTraining *training, const ForestModel *model,
		   uint32_t n_trees, const uint32_t *rows, uint32_t n, bool out_of_bag, int64_t *sums,
		   uint32_t *counts, Failure *why)
{
	CpuLevel	level = cpu_level(host->cpu_limit);

	for (uint32_t first = 0; first < n_trees; first += BLOCK_WALKS)
	{
		uint32_t	n_together = n_trees - first < BLOCK_WALKS ? n_trees - first : BLOCK_WALKS;
		uint64_t	keys[BLOCK_WALKS];

		for (uint32_t i = 0; i < n_together; i++)
			keys[i] = scores_tree_key(training, first + i);
		for (uint32_t i = 0; i < n; i++)
		{
			ModelRow	row;
			uint32_t	entries[BLOCK_WALKS + 1];
			uint32_t	leaves[BLOCK_WALKS];
			uint32_t	n_picked = n_together;

			if (i % ROWS_PER_POLL == 0)
			{
				Status		status = host_poll(host, why);

				if (status != STATUS_OK)
					return status;
			}
			if (out_of_bag)
				n_picked = scores_pick_trees(training, model, rows[i], keys, first,
											 n_together, entries);
			model_row(model, level, training_bins(training, rows[i]), &row);
			model_leaves(model, &row, out_of_bag ? entries : model->entries + first, n_picked,
						 leaves);
			model_add_leaves(model, leaves, n_picked, sums + (size_t) i * model->n_outputs);
			counts[i] += n_picked;
		}
	}
	return STATUS_OK;
}

/* Room to work on a block of rows. */
typedef struct OobBlock
{
	uint32_t	n_rows;			/* capacity */
	int64_t    *sums;
	uint32_t   *rows;
	uint32_t   *counts;
} OobBlock;

static void
block_free(const Host *host, OobBlock *block, uint32_t n_outputs)
{
	memory_free(host, block->sums, block->n_rows, n_outputs * sizeof(int64_t));
	memory_free(host, block->rows, block->n_rows, sizeof(uint32_t));
	memory_free(host, block->counts, block->n_rows, sizeof(uint32_t));
}

static Status
block_new(const Host *host, uint32_t n_outputs, OobBlock *out, Failure *why)
{
	OobBlock	block = {.n_rows = BLOCK_SUMS / n_outputs};
	Status		status;

	if (block.n_rows > BLOCK_ROWS)
		block.n_rows = BLOCK_ROWS;
	status = memory_new_raw(host, block.n_rows, n_outputs * sizeof(int64_t), &block.sums, why);
	if (status == STATUS_OK)
		status = memory_new_raw(host, block.n_rows, sizeof(uint32_t), &block.rows, why);
	if (status == STATUS_OK)
		status = memory_new_raw(host, block.n_rows, sizeof(uint32_t), &block.counts, why);
	if (status != STATUS_OK)
	{
		block_free(host, &block, n_outputs);
		return status;
	}
	*out = block;
	return STATUS_OK;
}

/* The training rows from `row` on that go into one block; returns the row to go on with. */
static uint32_t
block_fill(const ForestTraining *training, OobBlock *block, uint32_t row, uint32_t *n)
{
	*n = 0;
	for (; row < training->n_train && *n < block->n_rows; row++)
		block->rows[(*n)++] = row;
	return row;
}

/* Score all training rows into scores, which has room for those that are covered. */
static Status
score_blocks(const Host *host, const ForestTraining *training, const ForestModel *model,
			 OobBlock *block, ForestScores *scores, Failure *why)
{
	uint32_t	n_outputs = model->n_outputs;
	uint32_t	row = 0;
	size_t		n_done = 0;

	while (row < training->n_train)
	{
		uint32_t	n;
		Status		status;

		row = block_fill(training, block, row, &n);
		memset(block->sums, 0, (size_t) n * n_outputs * sizeof(int64_t));
		memset(block->counts, 0, n * sizeof(uint32_t));
		status = scores_sum(host, training, model, model->n_trees, block->rows, n, true,
							block->sums, block->counts, why);
		if (status != STATUS_OK)
			return status;
		for (uint32_t i = 0; i < n; i++)
		{
			if (block->counts[i] == 0)
				continue;
			model_outputs(model, block->sums + (size_t) i * n_outputs, block->counts[i],
						  scores->outputs + n_done * n_outputs);
			scores_set_row(training, block->rows[i], scores, n_done);
			n_done++;
		}
	}
	return STATUS_OK;
}

/* Rows that at least one tree left out; none without a bootstrap. */
static Status
count_covered(const Host *host, const ForestTraining *training, size_t *out, Failure *why)
{
	*out = 0;
	if (!training->settings.bootstrap)
		return STATUS_OK;
	for (uint32_t row = 0; row < training->n_train; row++)
	{
		if (row % BLOCK_ROWS == 0)
		{
			Status		status = host_poll(host, why);

			if (status != STATUS_OK)
				return status;
		}
		*out += scores_covered(training, row, training->settings.n_estimators);
	}
	return STATUS_OK;
}

Status
forest_oob_scores(const Host *host, const ForestTraining *training, const ForestModel *model,
				  ForestScores *out, Failure *why)
{
	ForestScores scores;
	OobBlock	block;
	size_t		n;
	Status		status = scores_check(training, model, why);

	if (status == STATUS_OK)
		status = count_covered(host, training, &n, why);
	if (status == STATUS_OK)
		status = scores_new(host, training, model, n, &scores, why);
	if (status != STATUS_OK)
		return status;

	scores.n_uncovered = training->n_train - n;
	if (n > 0)
	{
		status = block_new(host, model->n_outputs, &block, why);
		if (status == STATUS_OK)
		{
			status = score_blocks(host, training, model, &block, &scores, why);
			block_free(host, &block, model->n_outputs);
		}
	}
	if (status != STATUS_OK)
	{
		forest_scores_free(host, &scores);
		return status;
	}
	*out = scores;
	return STATUS_OK;
}
