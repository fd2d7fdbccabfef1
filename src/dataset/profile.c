/*
 * profile.c
 *	  What the columns of a dataset look like, in one pass and little memory.
 *
 * Exact are the counts of rows and of missing values, minimum, maximum, mean
 * and standard deviation, and, for a column of at most DATASET_MAX_VALUES
 * different values, how often each occurs.  Beyond that the number of
 * different values is estimated (HyperLogLog, standard error 1.6 %), and
 * percentiles of numbers and frequent texts are those of a sample (sample.c),
 * which is all rows where there are no more than DATASET_SAMPLE_ROWS
 * different ones.  All of it depends on the rows alone, whatever their order,
 * but for the last digits of mean and standard deviation.
 *
 * Values are told apart by hashes of 64 bits.
 */
#include "core/memory.h"
#include "core/real.h"
#include "core/sort.h"
#include "dataset/sample.h"

#include <math.h>
#include <string.h>

#define SLOTS (2 * DATASET_MAX_VALUES)
#define REGISTER_BITS 12
#define REGISTERS (1 << REGISTER_BITS)
#define PERCENTILES 101
#define MAX_FREQUENT 200		/* texts of the sample that are listed */
#define FREQUENT_TIMES 2		/* and occur in it so often */

typedef struct Slot
{
	uint64_t	hash;
	uint64_t	n;				/* 0: free */
	double		number;
	char	   *text;			/* of n_bytes; NULL if empty or a number */
	size_t		n_bytes;
} Slot;

typedef struct Column
{
	uint64_t	n_null;
	uint64_t	n_finite;
	double		shift;			/* the first number: sums of differences lose less */
	double		sum;
	double		sum_squares;
	double		min;
	double		max;
	size_t		n_values;		/* slots in use */
	bool		too_many;		/* more than there may be: registers instead */
	Slot	   *slots;
	uint8_t    *registers;		/* NULL until needed */
	DatasetCount *counts;		/* made at the end */
	size_t		count_capacity;
	double	   *percentiles;
} Column;

struct DatasetProfile
{
	const Host *host;
	bool	   *is_number;
	uint32_t	n_columns;
	uint64_t	n_rows;
	Column	   *columns;
	Sample		sample;
	DatasetColumnProfile *result;
};

Status
dataset_profile_new(const Host *host, const bool *is_number, uint32_t n_columns,
					DatasetProfile **out, Failure *why)
{
	DatasetProfile *p;
	Status		status = memory_new(host, 1, sizeof(DatasetProfile), &p, why);

	*out = NULL;
	if (status != STATUS_OK)
		return status;
	p->host = host;
	p->n_columns = n_columns;
	status = memory_new(host, n_columns, sizeof(bool), &p->is_number, why);
	if (status == STATUS_OK)
	{
		memcpy(p->is_number, is_number, n_columns * sizeof(bool));
		status = sample_begin(&p->sample, host, p->is_number, n_columns, why);
	}
	if (status == STATUS_OK)
		status = memory_new(host, n_columns, sizeof(Column), &p->columns, why);
	for (uint32_t i = 0; i < n_columns && status == STATUS_OK; i++)
		status = memory_new(host, SLOTS, sizeof(Slot), &p->columns[i].slots, why);
	if (status != STATUS_OK)
	{
		dataset_profile_free(p);
		return status;
	}
	*out = p;
	return STATUS_OK;
}

/* Free what a column holds. */
static void
free_column(const Host *host, Column *c)
{
	for (size_t i = 0; i < SLOTS && c->slots != NULL; i++)
		memory_free(host, c->slots[i].text, c->slots[i].n_bytes, 1);
	memory_free(host, c->slots, SLOTS, sizeof(Slot));
	memory_free(host, c->registers, REGISTERS, 1);
	memory_free(host, c->counts, c->count_capacity, sizeof(DatasetCount));
	memory_free(host, c->percentiles, PERCENTILES, sizeof(double));
}

void
dataset_profile_free(DatasetProfile *p)
{
	if (p == NULL)
		return;
	for (uint32_t i = 0; i < p->n_columns && p->columns != NULL; i++)
		free_column(p->host, &p->columns[i]);
	if (p->sample.host != NULL)
		sample_free(&p->sample);
	memory_free(p->host, p->columns, p->n_columns, sizeof(Column));
	memory_free(p->host, p->is_number, p->n_columns, sizeof(bool));
	memory_free(p->host, p->result, p->n_columns, sizeof(DatasetColumnProfile));
	memory_free(p->host, p, 1, sizeof(DatasetProfile));
}

/* A well mixed hash of a number's bits (the finaliser of MurmurHash3). */
static uint64_t
hash_number(double number)
{
	uint64_t	bits;

	number += 0.0;				/* −0 is +0 */
	memcpy(&bits, &number, sizeof(bits));
	bits ^= bits >> 33;
	bits *= UINT64_C(0xFF51AFD7ED558CCD);
	bits ^= bits >> 33;
	bits *= UINT64_C(0xC4CEB9FE1A85EC53);
	return bits ^ bits >> 33;
}

/* Let the registers know a value. */
static inline void
see_value(Column *c, uint64_t hash)
{
	uint8_t    *reg = &c->registers[hash >> (64 - REGISTER_BITS)];
	uint64_t	rest = hash << REGISTER_BITS;
	uint8_t		rank = rest == 0 ? 64 - REGISTER_BITS + 1 : (uint8_t) (__builtin_clzll(rest) + 1);

	if (rank > *reg)
		*reg = rank;
}

/* There are more values than slots for them. */
static Status
give_up_counting(const Host *host, Column *c, Failure *why)
{
	Status		status = memory_new(host, REGISTERS, 1, &c->registers, why);

	if (status != STATUS_OK)
		return status;
	c->too_many = true;
	for (size_t i = 0; i < SLOTS; i++)
	{
		if (c->slots[i].n > 0)
			see_value(c, c->slots[i].hash);
	}
	return STATUS_OK;
}

/* Count a value that is not there yet. */
static Status
new_value(const Host *host, Column *c, Slot *slot, uint64_t hash, const DatasetCell *cell,
		  bool is_number, Failure *why)
{
	Status		status = STATUS_OK;

	if (c->n_values == DATASET_MAX_VALUES)
	{
		status = give_up_counting(host, c, why);
		if (status == STATUS_OK)
			see_value(c, hash);
		return status;
	}
	if (is_number)
		slot->number = cell->number;
	else
	{
		size_t		n_bytes = sample_text_bytes(cell->text, cell->n_bytes);

		status = memory_new_raw(host, n_bytes, 1, &slot->text, why);
		if (status != STATUS_OK)
			return status;
		if (n_bytes > 0)
			memcpy(slot->text, cell->text, n_bytes);
		slot->n_bytes = n_bytes;
	}
	slot->hash = hash;
	slot->n = 1;
	c->n_values++;
	return STATUS_OK;
}

/* Count a value. */
static inline Status
count_value(const Host *host, Column *c, const DatasetCell *cell, bool is_number, Failure *why)
{
	uint64_t	hash = is_number ? hash_number(cell->number) :
		hash_bytes(cell->text, cell->n_bytes).lo;
	size_t		i = (size_t) hash % SLOTS;

	if (c->too_many)
	{
		see_value(c, hash);
		return STATUS_OK;
	}
	while (c->slots[i].n > 0 && c->slots[i].hash != hash)
		i = (i + 1) % SLOTS;
	if (c->slots[i].n == 0)
		return new_value(host, c, &c->slots[i], hash, cell, is_number, why);
	c->slots[i].n++;
	return STATUS_OK;
}

/* Add a finite number to the sums. */
static inline void
sum_number(Column *c, double number)
{
	double		difference;

	if (c->n_finite == 0)
		c->shift = c->min = c->max = number;
	difference = number - c->shift;
	c->n_finite++;
	c->sum += difference;
	c->sum_squares += difference * difference;
	if (number < c->min)
		c->min = number;
	if (number > c->max)
		c->max = number;
}

Status
dataset_profile_add(DatasetProfile *p, const DatasetCell *cells, Hash128 hash, Failure *why)
{
	Status		status = STATUS_OK;

	p->n_rows++;
	for (uint32_t i = 0; i < p->n_columns && status == STATUS_OK; i++)
	{
		Column	   *c = &p->columns[i];

		if (cells[i].missing)
		{
			c->n_null++;
			continue;
		}
		if (p->is_number[i] && isfinite(cells[i].number))
			sum_number(c, cells[i].number);
		status = count_value(p->host, c, &cells[i], p->is_number[i], why);
	}
	return status == STATUS_OK ? sample_add(&p->sample, cells, hash, why) : status;
}

/* ---------------------------------------------------------- the result -- */

/* The estimate of the registers, with counting of empty ones where they are many. */
static double
estimate_distinct(const Column *c)
{
	double		inverse = 0;
	double		estimate;
	int			n_empty = 0;

	for (size_t i = 0; i < REGISTERS; i++)
	{
		inverse += ldexp(1, -c->registers[i]);
		n_empty += c->registers[i] == 0;
	}
	estimate = 0.7213 / (1 + 1.079 / REGISTERS) * REGISTERS * REGISTERS / inverse;
	if (estimate <= 2.5 * REGISTERS && n_empty > 0)
		estimate = REGISTERS * real_log((double) REGISTERS / n_empty);
	return floor(estimate + 0.5);
}

/* Does a come before b: more frequent, else the smaller value? */
static bool
comes_first(const DatasetCount *a, const DatasetCount *b)
{
	size_t		n_bytes = a->n_bytes < b->n_bytes ? a->n_bytes : b->n_bytes;
	int			order;

	if (a->n != b->n)
		return a->n > b->n;
	if (a->text == NULL || b->text == NULL)
		return a->number < b->number;
	order = memcmp(a->text, b->text, n_bytes);
	return order != 0 ? order < 0 : a->n_bytes < b->n_bytes;
}

/* Put a count in its place among those of a column; the last goes if there are too many. */
static void
insert_count(Column *c, size_t *n_counts, const DatasetCount *count)
{
	size_t		place = *n_counts;

	if (*n_counts == c->count_capacity)
	{
		if (!comes_first(count, &c->counts[*n_counts - 1]))
			return;
		place--;
	}
	else
		(*n_counts)++;
	for (; place > 0 && comes_first(count, &c->counts[place - 1]); place--)
		c->counts[place] = c->counts[place - 1];
	c->counts[place] = *count;
}

/* Room for the counts of a column. */
static Status
make_counts(const Host *host, Column *c, size_t n, Failure *why)
{
	Status		status = memory_new(host, n, sizeof(DatasetCount), &c->counts, why);

	if (status == STATUS_OK)
		c->count_capacity = n;
	return status;
}

/* The counts of a column with few values. */
static Status
exact_counts(const Host *host, Column *c, bool is_number, DatasetColumnProfile *out, Failure *why)
{
	Status		status = make_counts(host, c, c->n_values, why);

	for (size_t i = 0; i < SLOTS && status == STATUS_OK; i++)
	{
		const Slot *slot = &c->slots[i];
		DatasetCount count = {
			.text = is_number ? NULL : slot->text != NULL ? slot->text : "",
			.n_bytes = slot->n_bytes,
			.number = slot->number,
			.n = slot->n,
		};

		if (slot->n > 0)
			insert_count(c, &out->n_counts, &count);
	}
	out->counts_exact = true;
	return status;
}

/* The rows of the sample in the order of a column's values; n of them have one. */
static Status
sort_sample(DatasetProfile *p, uint32_t column, SortItem *items, SortItem *scratch, size_t *n,
			Failure *why)
{
	const Sample *sample = &p->sample;

	*n = 0;
	for (size_t row = 0; row < sample->n; row++)
	{
		const SampleCell *cell = &sample->cells[row * sample->n_columns + column];

		if (p->is_number[column] ? !isfinite(cell->number) : cell->text == NULL)
			continue;
		items[*n].key = p->is_number[column] ? sort_key_of_double(cell->number) :
			hash_bytes(cell->text + 1, (uint8_t) cell->text[0]).lo;
		items[(*n)++].row = (uint32_t) row;
	}
	return sort_items(p->host, items, scratch, *n, why);
}

/* Percentiles 0 to 100: the smallest value that so many percent of the rows do not exceed. */
static Status
find_percentiles(DatasetProfile *p, uint32_t column, const SortItem *items, size_t n,
				 DatasetColumnProfile *out, Failure *why)
{
	const Sample *sample = &p->sample;
	Column	   *c = &p->columns[column];
	double		below = 0;
	size_t		i = 0;
	Status		status = memory_new(p->host, PERCENTILES, sizeof(double), &c->percentiles, why);

	if (status != STATUS_OK)
		return status;
	for (size_t k = 0; k < PERCENTILES; k++)
	{
		while (i + 1 < n &&
			   (below + (double) sample->weights[items[i].row]) * (PERCENTILES - 1) <
			   (double) k * (double) out->n_sampled)
			below += (double) sample->weights[items[i++].row];
		c->percentiles[k] =
			sample->cells[items[i].row * sample->n_columns + column].number;
	}
	/* the ends are known exactly */
	c->percentiles[0] = c->min;
	c->percentiles[PERCENTILES - 1] = c->max;
	out->percentiles = c->percentiles;
	out->n_percentiles = PERCENTILES;
	return STATUS_OK;
}

/* The texts that occur more than once in the sample. */
static Status
find_frequent(DatasetProfile *p, uint32_t column, const SortItem *items, size_t n,
			  DatasetColumnProfile *out, Failure *why)
{
	const Sample *sample = &p->sample;
	Column	   *c = &p->columns[column];
	Status		status = make_counts(p->host, c, MAX_FREQUENT, why);
	size_t		next;

	for (size_t i = 0; i < n && status == STATUS_OK; i = next)
	{
		const char *text = sample->cells[items[i].row * sample->n_columns + column].text;
		DatasetCount count = {.text = text + 1, .n_bytes = (uint8_t) text[0]};

		for (next = i; next < n && items[next].key == items[i].key; next++)
			count.n += sample->weights[items[next].row];
		if (count.n >= FREQUENT_TIMES)
			insert_count(c, &out->n_counts, &count);
	}
	out->counts = c->counts;
	return status;
}

/* What the sample says about a column with many values. */
static Status
ask_sample(DatasetProfile *p, uint32_t column, DatasetColumnProfile *out, Failure *why)
{
	size_t		n_rows = p->sample.n;
	SortItem   *items = NULL;
	SortItem   *scratch = NULL;
	size_t		n;
	Status		status = memory_new_raw(p->host, n_rows, sizeof(SortItem), &items, why);

	if (status == STATUS_OK)
		status = memory_new_raw(p->host, n_rows, sizeof(SortItem), &scratch, why);
	if (status == STATUS_OK)
		status = sort_sample(p, column, items, scratch, &n, why);
	for (size_t i = 0; status == STATUS_OK && i < n; i++)
		out->n_sampled += p->sample.weights[items[i].row];
	if (status == STATUS_OK && n > 0)
		status = p->is_number[column] ? find_percentiles(p, column, items, n, out, why) :
			find_frequent(p, column, items, n, out, why);
	memory_free(p->host, items, n_rows, sizeof(SortItem));
	memory_free(p->host, scratch, n_rows, sizeof(SortItem));
	return status;
}

/* Mean and standard deviation from the sums. */
static void
find_moments(const Column *c, DatasetColumnProfile *out)
{
	double		n = (double) c->n_finite;
	double		variance;

	out->min = out->max = out->mean = out->sd = NAN;
	if (c->n_finite == 0)
		return;
	out->min = c->min;
	out->max = c->max;
	out->mean = c->shift + c->sum / n;
	if (c->n_finite < 2)
		return;
	variance = (c->sum_squares - c->sum * c->sum / n) / (n - 1);
	out->sd = sqrt(variance > 0 ? variance : 0);
}

static Status
finish_column(DatasetProfile *p, uint32_t column, Failure *why)
{
	Column	   *c = &p->columns[column];
	DatasetColumnProfile *out = &p->result[column];
	Status		status;

	out->n = p->n_rows;
	out->n_null = c->n_null;
	out->is_number = p->is_number[column];
	out->distinct_exact = !c->too_many;
	out->n_distinct = c->too_many ? estimate_distinct(c) : (double) c->n_values;
	find_moments(c, out);
	if (c->too_many)
		return ask_sample(p, column, out, why);
	status = exact_counts(p->host, c, out->is_number, out, why);
	out->counts = c->counts;
	out->n_sampled = p->n_rows - c->n_null;
	return status;
}

Status
dataset_profile_finish(DatasetProfile *p, const DatasetColumnProfile **columns, Failure *why)
{
	Status		status = sample_finish(&p->sample, why);

	if (status == STATUS_OK)
		status = memory_new(p->host, p->n_columns, sizeof(DatasetColumnProfile), &p->result, why);
	for (uint32_t i = 0; i < p->n_columns && status == STATUS_OK; i++)
		status = finish_column(p, i, why);
	*columns = p->result;
	return status;
}
