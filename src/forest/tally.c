/*
 * tally.c
 *	  Out-of-bag scores of a forest that is grown piece by piece.
 *
 * Sums of leaves are integers, so those of the pieces add up to what
 * forest_oob_scores() has for the whole, to the bit.
 */
#include <string.h>

#include "core/memory.h"
#include "forest/scores.h"

/* Rows that are summed up together. */
#define BLOCK_ROWS 1024

struct ForestTally
{
	const Host *host;
	const ForestTraining *training;
	uint32_t	n_outputs;		/* 0: no trees yet */
	int64_t    *sums;			/* n_train × n_outputs */
	uint32_t   *counts;			/* trees that left the row out */
};

Status
forest_tally_new(const Host *host, const ForestTraining *training, ForestTally **out, Failure *why)
{
	ForestTally *tally;
	Status		status;

	*out = NULL;
	status = memory_new(host, 1, sizeof(ForestTally), &tally, why);
	if (status != STATUS_OK)
		return status;
	tally->host = host;
	tally->training = training;
	status = memory_new(host, training->n_train, sizeof(uint32_t), &tally->counts, why);
	if (status != STATUS_OK)
	{
		forest_tally_free(tally);
		return status;
	}
	*out = tally;
	return STATUS_OK;
}

void
forest_tally_free(ForestTally *tally)
{
	const Host *host;

	if (tally == NULL)
		return;
	host = tally->host;
	memory_free(host, tally->sums, tally->training->n_train, tally->n_outputs * sizeof(int64_t));
	memory_free(host, tally->counts, tally->training->n_train, sizeof(uint32_t));
	memory_free(host, tally, 1, sizeof(ForestTally));
}

Status
forest_tally_add(ForestTally *tally, const ForestModel *model, Failure *why)
{
	const ForestTraining *t = tally->training;
	uint32_t	rows[BLOCK_ROWS];
	uint32_t	n;
	Status		status = scores_check(t, model, why);

	if (status != STATUS_OK || !t->settings.bootstrap)
		return status;
	if (tally->sums == NULL)
	{
		status = memory_new(tally->host, t->n_train, model->n_outputs * sizeof(int64_t),
							&tally->sums, why);
		if (status != STATUS_OK)
			return status;
		tally->n_outputs = model->n_outputs;
	}
	for (uint32_t first = 0; first < t->n_train && status == STATUS_OK; first += n)
	{
		n = t->n_train - first < BLOCK_ROWS ? t->n_train - first : BLOCK_ROWS;
		for (uint32_t i = 0; i < n; i++)
			rows[i] = first + i;
		status = scores_sum(tally->host, t, model, model->n_trees, rows, n, true,
							tally->sums + (size_t) first * tally->n_outputs,
							tally->counts + first, why);
	}
	return status;
}

Status
forest_tally_scores(const ForestTally *tally, const ForestModel *model, ForestScores *out,
					Failure *why)
{
	const ForestTraining *t = tally->training;
	ForestScores scores;
	size_t		n = 0;
	Status		status;

	for (uint32_t row = 0; row < t->n_train; row++)
		n += tally->counts[row] > 0;
	status = scores_new(tally->host, t, model, n, &scores, why);
	if (status != STATUS_OK)
		return status;
	scores.n_uncovered = t->n_train - n;
	n = 0;
	for (uint32_t row = 0; row < t->n_train; row++)
	{
		if (tally->counts[row] == 0)
			continue;
		model_outputs(model, tally->sums + (size_t) row * tally->n_outputs, tally->counts[row],
					  scores.outputs + n * scores.n_outputs);
		scores_set_row(t, row, &scores, n++);
	}
	*out = scores;
	return STATUS_OK;
}
