/*
 * sample.c
 *	  A sample of rows that depends on the rows alone.
 *
 * The hash of a row is as good as a random number, so the rows with the k
 * smallest hashes are a uniform sample of the different rows, the same for
 * every order.  A row that stays was taken when it first came, hence its count
 * is exact, and counts make the sample one of all rows.  Two versions of a
 * dataset that share most rows share most of their samples too, which keeps
 * noise out of their comparison.
 *
 * Twice as many rows as wanted are held, and the larger half dropped when that
 * is full: of n rows some k ln(n / k) are ever taken.
 */
#include "core/memory.h"
#include "core/sort.h"
#include "dataset/sample.h"

#include <math.h>
#include <string.h>

/* The cells of a sample shall not take more than this. */
#define CELLS_MAX_BYTES ((size_t) 64 * 1024 * 1024)
#define SLOTS_PER_ROW 2			/* at least, of rows held */

size_t
sample_text_bytes(const char *text, size_t n_bytes)
{
	if (n_bytes <= DATASET_TEXT_BYTES)
		return n_bytes;
	n_bytes = DATASET_TEXT_BYTES;
	while (n_bytes > 0 && ((uint8_t) text[n_bytes] & 0xC0) == 0x80)
		n_bytes--;
	return n_bytes;
}

Status
sample_begin(Sample *sample, const Host *host, const bool *is_number, uint32_t n_columns,
			 Failure *why)
{
	size_t		most = CELLS_MAX_BYTES / (2 * sizeof(SampleCell)) / (n_columns > 0 ? n_columns : 1);

	memset(sample, 0, sizeof(*sample));
	sample->host = host;
	sample->is_number = is_number;
	sample->n_columns = n_columns;
	sample->limit = most < DATASET_SAMPLE_ROWS ? most : DATASET_SAMPLE_ROWS;
	sample->highest = UINT64_MAX;
	for (sample->n_slots = 1; sample->n_slots < 2 * SLOTS_PER_ROW * sample->limit;)
		sample->n_slots *= 2;
	return memory_new(host, sample->n_slots, sizeof(uint32_t), &sample->slots, why);
}

static void
free_text(const Sample *sample, char *text)
{
	if (text != NULL)
		memory_free(sample->host, text, (size_t) (uint8_t) text[0] + 1, 1);
}

/* Forget the texts of a row. */
static void
free_row(const Sample *sample, size_t row)
{
	for (uint32_t i = 0; i < sample->n_columns; i++)
	{
		if (!sample->is_number[i])
			free_text(sample, sample->cells[row * sample->n_columns + i].text);
	}
}

void
sample_free(Sample *sample)
{
	for (size_t row = 0; row < sample->n; row++)
		free_row(sample, row);
	memory_free(sample->host, sample->hashes, sample->hash_capacity, sizeof(Hash128));
	memory_free(sample->host, sample->weights, sample->weight_capacity, sizeof(uint64_t));
	memory_free(sample->host, sample->cells, sample->cell_capacity, sizeof(SampleCell));
	memory_free(sample->host, sample->slots, sample->n_slots, sizeof(uint32_t));
}

/* The slot of a hash: that of its row, or a free one. */
static uint32_t *
find_slot(Sample *sample, Hash128 hash)
{
	size_t		i = (size_t) hash.lo & (sample->n_slots - 1);

	while (sample->slots[i] != 0 &&
		   hash_compare(sample->hashes[sample->slots[i] - 1], hash) != 0)
		i = (i + 1) & (sample->n_slots - 1);
	return &sample->slots[i];
}

/* Copy the cells of a row; what could not be copied is missing, so that it can be freed. */
static Status
copy_cells(Sample *sample, const DatasetCell *from, SampleCell *to, Failure *why)
{
	Status		status = STATUS_OK;

	for (uint32_t i = 0; i < sample->n_columns; i++)
	{
		size_t		n_bytes;

		if (sample->is_number[i])
		{
			to[i].number = from[i].missing ? NAN : from[i].number;
			continue;
		}
		to[i].text = NULL;
		if (from[i].missing || status != STATUS_OK)
			continue;
		n_bytes = sample_text_bytes(from[i].text, from[i].n_bytes);
		status = memory_new_raw(sample->host, n_bytes + 1, 1, &to[i].text, why);
		if (status != STATUS_OK)
			continue;
		to[i].text[0] = (char) n_bytes;
		memcpy(to[i].text + 1, from[i].text, n_bytes);
	}
	return status;
}

/* The largest high half of the hashes that stay. */
static Status
find_highest(Sample *sample, Failure *why)
{
	uint64_t   *keys = NULL;
	uint64_t   *scratch = NULL;
	Status		status = memory_new_raw(sample->host, sample->n, sizeof(uint64_t), &keys, why);

	if (status == STATUS_OK)
		status = memory_new_raw(sample->host, sample->n, sizeof(uint64_t), &scratch, why);
	for (size_t i = 0; i < sample->n && status == STATUS_OK; i++)
		keys[i] = sample->hashes[i].hi;
	if (status == STATUS_OK)
		status = sort_keys(sample->host, keys, scratch, sample->n, why);
	if (status == STATUS_OK)
		sample->highest = keys[sample->limit - 1];
	memory_free(sample->host, keys, sample->n, sizeof(uint64_t));
	memory_free(sample->host, scratch, sample->n, sizeof(uint64_t));
	return status;
}

Status
sample_finish(Sample *sample, Failure *why)
{
	size_t		kept = 0;
	Status		status;

	if (sample->n <= sample->limit)
		return STATUS_OK;
	status = find_highest(sample, why);
	if (status != STATUS_OK)
		return status;
	for (size_t row = 0; row < sample->n; row++)
	{
		if (sample->hashes[row].hi > sample->highest)
		{
			free_row(sample, row);
			continue;
		}
		sample->hashes[kept] = sample->hashes[row];
		sample->weights[kept] = sample->weights[row];
		memmove(sample->cells + kept * sample->n_columns, sample->cells + row * sample->n_columns,
				sample->n_columns * sizeof(SampleCell));
		kept++;
	}
	sample->n = kept;
	memset(sample->slots, 0, sample->n_slots * sizeof(uint32_t));
	for (size_t row = 0; row < kept; row++)
		*find_slot(sample, sample->hashes[row]) = (uint32_t) row + 1;
	return STATUS_OK;
}

/* Take in a row that is not there yet. */
static Status
take_row(Sample *sample, const DatasetCell *cells, Hash128 hash, uint32_t *slot, Failure *why)
{
	size_t		n = sample->n;
	Status		status;

	status = memory_grow(sample->host, &sample->hashes, &sample->hash_capacity, n + 1,
						 sizeof(Hash128), why);
	if (status == STATUS_OK)
		status = memory_grow(sample->host, &sample->weights, &sample->weight_capacity, n + 1,
							 sizeof(uint64_t), why);
	if (status == STATUS_OK)
		status = memory_grow(sample->host, &sample->cells, &sample->cell_capacity,
							 (n + 1) * sample->n_columns, sizeof(SampleCell), why);
	if (status != STATUS_OK)
		return status;
	sample->hashes[n] = hash;
	sample->weights[n] = 1;
	sample->n++;
	*slot = (uint32_t) sample->n;
	return copy_cells(sample, cells, sample->cells + n * sample->n_columns, why);
}

Status
sample_add(Sample *sample, const DatasetCell *cells, Hash128 hash, Failure *why)
{
	uint32_t   *slot;
	Status		status;

	if (hash.hi > sample->highest)
		return STATUS_OK;
	slot = find_slot(sample, hash);
	if (*slot != 0)
	{
		sample->weights[*slot - 1]++;
		return STATUS_OK;
	}
	status = take_row(sample, cells, hash, slot, why);
	if (status == STATUS_OK && sample->n >= 2 * sample->limit)
		status = sample_finish(sample, why);
	return status;
}
