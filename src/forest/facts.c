/*
 * facts.c
 *	  What only the raw rows of a training tell.
 *
 * Rows are compared by hashes of their features' values, of 64 bits.  At most
 * ROWS_MAX are held: when there are more, half of all hashes are no longer
 * looked at.  How many bits that takes in the end depends on the rows alone,
 * since a bit is only added when more rows than ROWS_MAX have hashes without
 * it.
 */
#include "forest/facts.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "core/rng.h"
#include "forest/prepare.h"

#define ROWS_MAX 65536
#define FAR_RANGES 3			/* interquartile ranges beyond the quartiles */
#define EXTREME_DEVIATIONS 6

Status
facts_new(const Host *host, uint32_t n_columns, Facts **out, Failure *why)
{
	Facts	   *facts;
	Status		status = memory_new(host, 1, sizeof(Facts), &facts, why);

	*out = NULL;
	if (status != STATUS_OK)
		return status;
	status = memory_new(host, n_columns, sizeof(ColumnFacts), &facts->columns, why);
	if (status != STATUS_OK)
	{
		memory_free(host, facts, 1, sizeof(Facts));
		return status;
	}
	facts->n_columns = n_columns;
	facts->time_overlap = NAN;
	for (uint32_t i = 0; i < n_columns; i++)
		facts->columns[i].far_share = facts->columns[i].extreme_share = NAN;
	*out = facts;
	return STATUS_OK;
}

/* Forget the rows. */
static void
free_rows(const Host *host, Facts *facts)
{
	memory_free(host, facts->rows, facts->capacity, sizeof(SortItem));
	facts->rows = NULL;
	facts->n_rows = 0;
	facts->capacity = 0;
}

void
facts_free(const Host *host, Facts *facts)
{
	if (facts == NULL)
		return;
	free_rows(host, facts);
	memory_free(host, facts->columns, facts->n_columns, sizeof(ColumnFacts));
	memory_free(host, facts, 1, sizeof(Facts));
}

/* -------------------------------------------------------------- columns -- */

void
facts_values(ColumnFacts *facts, const uint64_t *keys, uint32_t n)
{
	facts->n_values = n;
	for (uint32_t i = 0; i < n; i++)
		facts->values[i] = sort_double_of_key(keys[i]);
}

/* Is a number beyond what the quartiles, or mean and standard deviation, make one expect? */
static inline bool
is_beyond(double x, double low, double high)
{
	return x < low || x > high;
}

/* How many of n sorted keys are beyond. */
static size_t
count_beyond(const uint64_t *keys, size_t n, double low, double high)
{
	size_t		below = 0;
	size_t		above = n;

	while (below < n && sort_double_of_key(keys[below]) < low)
		below++;
	while (above > below && sort_double_of_key(keys[above - 1]) > high)
		above--;
	return below + n - above;
}

void
facts_sorted(ColumnFacts *facts, const uint64_t *keys, size_t n)
{
	double		origin = sort_double_of_key(keys[n / 2]);
	double		q1 = sort_double_of_key(keys[n / 4]);
	double		q3 = sort_double_of_key(keys[n - 1 - n / 4]);
	double		sum = 0;
	double		squares = 0;
	double		mean;
	double		sd;

	for (size_t i = 0; i < n; i++)
	{
		double		x = sort_double_of_key(keys[i]) - origin;

		sum += x;
		squares += x * x;
	}
	mean = sum / (double) n;
	sd = sqrt(fmax(squares / (double) n - mean * mean, 0));
	mean += origin;
	if (q3 > q1)
		facts->far_share = (double) count_beyond(keys, n, q1 - FAR_RANGES * (q3 - q1),
												 q3 + FAR_RANGES * (q3 - q1)) / (double) n;
	if (isfinite(sd))
		facts->extreme_share = (double) count_beyond(keys, n, mean - EXTREME_DEVIATIONS * sd,
													 mean + EXTREME_DEVIATIONS * sd) / (double) n;
}

/* The value at a place among all of them. */
static double
value_at(const ColumnFacts *facts, const uint64_t *counts, uint64_t place)
{
	uint32_t	i = 0;

	for (; i + 1 < facts->n_values && place >= counts[i]; i++)
		place -= counts[i];
	return facts->values[i];
}

void
facts_counted(ColumnFacts *facts, const uint64_t *counts)
{
	uint64_t	n = 0;
	uint64_t	n_far = 0;
	uint64_t	n_extreme = 0;
	double		sum = 0;
	double		squares = 0;
	double		origin;
	double		q1;
	double		q3;
	double		sd;

	for (uint32_t i = 0; i < facts->n_values; i++)
		n += counts[i];
	if (n == 0)
		return;
	origin = value_at(facts, counts, n / 2);
	q1 = value_at(facts, counts, n / 4);
	q3 = value_at(facts, counts, n - 1 - n / 4);
	for (uint32_t i = 0; i < facts->n_values; i++)
	{
		double		x = facts->values[i] - origin;

		sum += x * (double) counts[i];
		squares += x * x * (double) counts[i];
	}
	sum /= (double) n;
	sd = sqrt(fmax(squares / (double) n - sum * sum, 0));
	for (uint32_t i = 0; i < facts->n_values; i++)
	{
		double		x = facts->values[i];

		if (is_beyond(x, q1 - FAR_RANGES * (q3 - q1), q3 + FAR_RANGES * (q3 - q1)))
			n_far += counts[i];
		if (is_beyond(x - origin, sum - EXTREME_DEVIATIONS * sd, sum + EXTREME_DEVIATIONS * sd))
			n_extreme += counts[i];
	}
	if (q3 > q1)
		facts->far_share = (double) n_far / (double) n;
	if (isfinite(sd))
		facts->extreme_share = (double) n_extreme / (double) n;
}

void
facts_times(ColumnFacts *facts, const double *values, const double *times, size_t n)
{
	for (size_t i = 0; i < n; i++)
	{
		facts->n_timed += !isnan(values[i]);
		facts->n_later += values[i] > times[i];
	}
}

/* ----------------------------------------------------------------- rows -- */

/* Let a word go into a hash: every bit of it reaches the low ones by the next multiplication. */
static inline uint64_t
hash_word(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * RNG_GOLDEN;
	return hash ^ hash >> 29;
}

void
facts_hash_numbers(uint64_t *hashes, const double *values, size_t n)
{
	for (size_t i = 0; i < n; i++)
	{
		double		x = values[i] + 0.0;	/* −0 is +0 */
		uint64_t	word;

		memcpy(&word, &x, sizeof(word));
		hashes[i] = hash_word(hashes[i], isnan(x) ? UINT64_MAX : word);
	}
}

void
facts_hash_texts(uint64_t *hashes, const uint32_t *ids, size_t n)
{
	for (size_t i = 0; i < n; i++)
		hashes[i] = hash_word(hashes[i], ids[i]);
}

/* Look at half of the hashes from now on. */
static void
look_at_fewer(Facts *facts)
{
	size_t		n = 0;

	facts->mask = facts->mask << 1 | 1;
	for (size_t i = 0; i < facts->n_rows; i++)
	{
		if ((facts->rows[i].key & facts->mask) == 0)
			facts->rows[n++] = facts->rows[i];
	}
	facts->n_rows = n;
}

void
facts_rows(const Host *host, Facts *facts, const uint64_t *hashes, const uint32_t *places,
		   size_t n)
{
	for (size_t i = 0; i < n && !facts->rows_lost; i++)
	{
		uint64_t	key = rng_mix64(hashes[i]);

		if ((key & facts->mask) != 0)
			continue;
		if (facts->n_rows == facts->capacity &&
			memory_grow(host, &facts->rows, &facts->capacity, facts->n_rows + 1,
						sizeof(SortItem), NULL) != STATUS_OK)
		{
			free_rows(host, facts);
			facts->rows_lost = true;
			return;
		}
		facts->rows[facts->n_rows++] = (SortItem) {.key = key, .row = places[i]};
		while (facts->n_rows > ROWS_MAX)
			look_at_fewer(facts);
	}
}

/* ---------------------------------------------------------- all of them -- */

__extension__ typedef __int128 Wide;

/* Sums of regression targets in fixed point, which no order changes. */
typedef struct TargetSums
{
	Wide		n;
	Wide		sum;			/* below 2^62, as target_scale() sees to */
	Wide		squares;
} TargetSums;

static inline void
add_target(TargetSums *sums, const ForestTraining *t, uint32_t row)
{
	int64_t		x = training_chunk(t, row)->target[training_in_chunk(t, row)];

	sums->n++;
	sums->sum += x;
	sums->squares += (Wide) x * x;
}

/* The squared error about the mean. */
static double
squared_error(const TargetSums *sums)
{
	return sums->n == 0 ? 0
		: (double) (sums->n * sums->squares - sums->sum * sums->sum) / (double) sums->n;
}

/* What no model can get right among n training rows of equal features: rows, or squared error. */
static double
conflict_of(const ForestTraining *t, const SortItem *rows, size_t n, uint32_t *counts)
{
	TargetSums	sums = {0, 0, 0};
	uint32_t	most = 0;

	for (size_t i = 0; i < n; i++)
	{
		uint32_t	row = rows[i].row;

		if (row >= t->n_train || !prepare_weighs(t, row))
			continue;
		if (t->schema.task == FOREST_REGRESSION)
			add_target(&sums, t, row);
		else
		{
			uint32_t	count = ++counts[training_chunk(t, row)->label[training_in_chunk(t, row)]];

			most = count > most ? count : most;
			sums.n++;
		}
	}
	if (t->schema.task == FOREST_REGRESSION)
		return squared_error(&sums);
	for (size_t i = 0; i < n; i++)
	{
		uint32_t	row = rows[i].row;

		counts[training_chunk(t, row)->label[training_in_chunk(t, row)]] = 0;
	}
	return (double) sums.n - most;
}

/* What conflicts are a share of: the training rows that were looked at, or their squared error. */
static double
whole_error(const ForestTraining *t, const Facts *facts)
{
	TargetSums	sums = {0, 0, 0};

	if (t->schema.task == FOREST_CLASSIFICATION)
		return (double) facts->n_train;
	for (uint32_t row = 0; row < t->n_train; row++)
	{
		if (prepare_weighs(t, row))
			add_target(&sums, t, row);
	}
	return squared_error(&sums) / (double) sums.n * (double) facts->n_train;
}

/* Count twins and conflicts among the rows, which are sorted; counts are 0, one a class. */
static void
count_rows(const ForestTraining *t, Facts *facts, uint32_t *counts)
{
	const SortItem *rows = facts->rows;
	double		conflict = 0;
	size_t		end;

	for (size_t i = 0; i < facts->n_rows; i = end)
	{
		size_t		n_train = 0;

		for (end = i; end < facts->n_rows && rows[end].key == rows[i].key; end++)
			n_train += rows[end].row < t->n_train && prepare_weighs(t, rows[end].row);
		facts->n_train += n_train;
		facts->n_distinct += n_train > 0;
		for (size_t k = i; k < end; k++)
		{
			facts->n_test += rows[k].row >= t->n_train;
			facts->n_test_twins += rows[k].row >= t->n_train && n_train > 0;
		}
		if (n_train > 1)
			conflict += conflict_of(t, rows + i, end - i, counts);
	}
	facts->conflict = conflict > 0 ? conflict / whole_error(t, facts) : 0;
}

/* The share of the holdout that is before the last training row. */
static double
overlap_of_times(const Prepare *p)
{
	const ForestTraining *t = p->t;
	double		last = -INFINITY;
	uint32_t	n = 0;

	if (!p->frame->has_time || p->split->kind != FOREST_SPLIT_TIME || t->n_train == t->n_rows)
		return NAN;
	for (uint32_t i = 0; i < t->n_train; i++)
		last = fmax(last, FRAME_AT(p->frame, double, p->frame->time_offset, p->order[i]));
	for (uint32_t i = t->n_train; i < t->n_rows; i++)
		n += FRAME_AT(p->frame, double, p->frame->time_offset, p->order[i]) < last;
	return (double) n / (t->n_rows - t->n_train);
}

Status
prepare_facts(Prepare *p, Failure *why)
{
	Facts	   *facts = p->frame->facts;
	SortItem   *scratch = NULL;
	uint32_t   *counts = NULL;
	Status		status;

	facts->has_keys = p->frame->has_group;
	facts->time_overlap = overlap_of_times(p);
	status = memory_new_raw(p->host, facts->n_rows, sizeof(SortItem), &scratch, NULL);
	if (status == STATUS_OK)
		status = memory_new(p->host, p->t->schema.n_classes, sizeof(uint32_t), &counts, NULL);
	facts->rows_lost |= status != STATUS_OK;
	status = STATUS_OK;
	if (!facts->rows_lost)
		status = sort_items(p->host, facts->rows, scratch, facts->n_rows, why);
	if (!facts->rows_lost && status == STATUS_OK)
		count_rows(p->t, facts, counts);
	memory_free(p->host, scratch, facts->n_rows, sizeof(SortItem));
	memory_free(p->host, counts, p->t->schema.n_classes, sizeof(uint32_t));
	free_rows(p->host, facts);
	p->t->facts = facts;
	p->frame->facts = NULL;
	return status;
}
