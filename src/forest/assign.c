/*
 * assign.c
 *	  Which rows train and which are the holdout: for rows of a frame, and for
 *	  rows that are read again to be evaluated.
 */
#include "forest/assign.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "core/rng.h"
#include "core/sort.h"

/* Rows that are arrays are looked at in chunks, too. */
#define ARRAY_CHUNK_SHIFT 16

static inline Hash128
group_at(const AssignRows *rows, size_t row)
{
	return rows->group(rows->ctx, row >> rows->chunk_shift)
		[row & (((size_t) 1 << rows->chunk_shift) - 1)];
}

static inline double
time_at(const AssignRows *rows, size_t row)
{
	return rows->time(rows->ctx, row >> rows->chunk_shift)
		[row & (((size_t) 1 << rows->chunk_shift) - 1)];
}

Status
assign_order(const AssignRows *rows, uint32_t *order, uint64_t *keys, Failure *why)
{
	SortSource	source = {.block = rows->identity, .ctx = rows->ctx,
	.block_rows = (size_t) 1 << rows->chunk_shift, .n = rows->n};
	SortHash   *sorted;
	uint64_t	ordinal = 0;
	Status		status;

	status = memory_new_raw(rows->host, rows->n, sizeof(SortHash), &sorted, why);
	if (status == STATUS_OK)
		status = sort_hashes(rows->host, &source, sorted, why);
	for (size_t i = 0; i < rows->n && status == STATUS_OK; i++)
	{
		Hash128		hash = sorted[i].hash;

		ordinal = i > 0 && hash_compare(hash, sorted[i - 1].hash) == 0 ? ordinal + 1 : 0;
		order[i] = sorted[i].row;
		keys[i] = rng_row_key(hash, ordinal);
	}
	memory_free(rows->host, sorted, rows->n, sizeof(SortHash));
	return status;
}

/* Mark the rows that train, by the hash of the row or of its group. */
static void
split_by_hash(const AssignRows *rows, const ForestSplit *split, const uint32_t *order,
			  const uint64_t *keys, uint8_t *trains)
{
	uint64_t	key = rng_purpose_key(split->split_seed, RNG_SPLIT, 0);

	for (size_t i = 0; i < rows->n; i++)
	{
		uint32_t	row = order[i];
		uint64_t	about = rows->group != NULL ? rng_row_key(group_at(rows, row), 0) : keys[i];

		trains[row] = rng_unit(rng_row_draw(key, about)) >= split->test_size;
	}
}

/* Give every row of a group the latest time of the group. */
static Status
group_times(const AssignRows *rows, double *times, Failure *why)
{
	SortSource	source = {.block = rows->group, .ctx = rows->ctx,
	.block_rows = (size_t) 1 << rows->chunk_shift, .n = rows->n};
	SortHash   *sorted;
	Status		status;

	status = memory_new_raw(rows->host, rows->n, sizeof(SortHash), &sorted, why);
	if (status == STATUS_OK)
		status = sort_hashes(rows->host, &source, sorted, why);
	for (size_t i = 0; status == STATUS_OK && i < rows->n;)
	{
		size_t		end = i;
		double		latest = times[sorted[i].row];

		for (; end < rows->n && hash_compare(sorted[end].hash, sorted[i].hash) == 0; end++)
			latest = fmax(latest, times[sorted[end].row]);
		for (; i < end; i++)
			times[sorted[i].row] = latest;
	}
	memory_free(rows->host, sorted, rows->n, sizeof(SortHash));
	return status;
}

Status
assign_times(const AssignRows *rows, double *times, Failure *why)
{
	for (size_t row = 0; row < rows->n; row++)
		times[row] = time_at(rows, row);
	return rows->group != NULL ? group_times(rows, times, why) : STATUS_OK;
}

/*
 * Mark the rows that train, by time: the holdout begins at the time that
 * makes its size come nearest to the wanted share (the smaller holdout where
 * two are equally near), so that equal times stay together.
 */
static Status
split_by_time(const AssignRows *rows, const ForestSplit *split, uint8_t *trains, Failure *why)
{
	size_t		n = rows->n;
	double		wanted = split->test_size * (double) n;
	double	   *times = NULL;
	uint64_t   *sorted = NULL;
	uint64_t   *scratch = NULL;
	double		begin = INFINITY;
	double		nearest = wanted;	/* of the empty holdout */
	Status		status;

	status = memory_new_raw(rows->host, n, sizeof(double), &times, why);
	if (status != STATUS_OK)
		goto done;
	status = assign_times(rows, times, why);
	if (status == STATUS_OK)
		status = memory_new_raw(rows->host, n, sizeof(uint64_t), &sorted, why);
	if (status == STATUS_OK)
		status = memory_new_raw(rows->host, n, sizeof(uint64_t), &scratch, why);
	if (status != STATUS_OK)
		goto done;
	for (size_t row = 0; row < n; row++)
		sorted[row] = sort_key_of_double(times[row]);
	status = sort_keys(rows->host, sorted, scratch, n, why);
	if (status != STATUS_OK)
		goto done;
	for (size_t i = n; i-- > 1;)
	{
		double		miss = fabs((double) (n - i) - wanted);

		if (sorted[i] != sorted[i - 1] && miss < nearest)
		{
			nearest = miss;
			begin = sort_double_of_key(sorted[i]);
		}
	}
	for (size_t row = 0; row < n; row++)
		trains[row] = times[row] < begin;

done:
	memory_free(rows->host, times, n, sizeof(double));
	memory_free(rows->host, sorted, n, sizeof(uint64_t));
	memory_free(rows->host, scratch, n, sizeof(uint64_t));
	return status;
}

Status
assign_split(const AssignRows *rows, const ForestSplit *split, const uint32_t *order,
			 const uint64_t *keys, uint8_t *trains, Failure *why)
{
	memset(trains, 1, rows->n);
	if (split->kind == FOREST_SPLIT_HASH)
		split_by_hash(rows, split, order, keys, trains);
	else if (split->kind == FOREST_SPLIT_TIME)
		return split_by_time(rows, split, trains, why);
	return STATUS_OK;
}

/* --------------------------------------------------------------- arrays -- */

typedef struct Arrays
{
	const Hash128 *identity;
	const Hash128 *group;
	const double *time;
} Arrays;

static const Hash128 *
array_identity(const void *ctx, size_t chunk)
{
	return ((const Arrays *) ctx)->identity + (chunk << ARRAY_CHUNK_SHIFT);
}

static const Hash128 *
array_group(const void *ctx, size_t chunk)
{
	return ((const Arrays *) ctx)->group + (chunk << ARRAY_CHUNK_SHIFT);
}

static const double *
array_time(const void *ctx, size_t chunk)
{
	return ((const Arrays *) ctx)->time + (chunk << ARRAY_CHUNK_SHIFT);
}

Status
forest_split_rows(const Host *host, const ForestSplit *split, const Hash128 *identity,
				  const Hash128 *group, const double *time, size_t n, uint32_t *order,
				  uint8_t *trains, Failure *why)
{
	Arrays		arrays = {identity, group, time};
	AssignRows	rows = {.host = host, .n = n, .chunk_shift = ARRAY_CHUNK_SHIFT, .ctx = &arrays,
	.identity = array_identity, .group = group != NULL ? array_group : NULL,
	.time = array_time};
	uint64_t   *keys;
	Status		status = memory_new_raw(host, n, sizeof(uint64_t), &keys, why);

	if (status == STATUS_OK)
		status = assign_order(&rows, order, keys, why);
	if (status == STATUS_OK)
		status = assign_split(&rows, split, order, keys, trains, why);
	memory_free(host, keys, n, sizeof(uint64_t));
	return status;
}
