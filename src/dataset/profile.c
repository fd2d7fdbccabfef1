/*
 * profile.c
 *	  What the columns of a dataset look like, in one pass and little memory.
 *
 * Exact are the counts of rows and of missing values, minimum, maximum, mean
 * and standard deviation, and, for a column of at most DATASET_MAX_VALUES
 * different values, how often each occurs.  Beyond that the number of
 * different values is estimated (HyperLogLog, standard error 1.6 %) unless all
 * rows are in the sample, and
 * percentiles of numbers and frequent texts are those of a sample (sample.c),
 * which is all rows where there are no more than DATASET_SAMPLE_ROWS
 * different ones.  All of it depends on the rows alone, whatever their order:
 * mean and standard deviation come from sums of twice the precision.
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
#define MAX_FREQUENT_NUMBERS 20	/* and numbers */
#define FREQUENT_TIMES 2		/* and occur in it so often */

typedef struct Slot
{
	uint64_t	hash;
	uint64_t	n;				/* 0: free */
	double		number;
	char	   *text;			/* of n_bytes; NULL if empty or a number */
	size_t		n_bytes;
} Slot;

/* A number of twice the precision: the sum of two. */
typedef struct Precise
{
	double		high;
	double		low;
} Precise;

typedef struct Column
{
	uint64_t	n_null;
	uint64_t	n_finite;
	uint64_t	n_zero;
	uint64_t	n_negative;
	uint64_t	n_infinite;
	uint64_t	min_length;		/* of texts */
	uint64_t	max_length;
	uint64_t	sum_length;
	Precise		sum;
	Precise		squares;
	double		min;
	double		max;
	bool		cut;			/* some text is longer than the sample keeps */
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

/* Add x to a sum; what rounding drops goes to its low part (Knuth 1969). */
static inline void
precise_add(Precise *p, double x)
{
	double		sum = p->high + x;
	double		added = sum - p->high;

	p->low += (p->high - (sum - added)) + (x - added);
	p->high = sum;
}

/* x × y, to the last bit unless it is very large or small (Dekker 1971). */
static inline Precise
precise_product(double x, double y)
{
	const double split = 134217729;	/* 2^27 + 1 */
	double		x_high = x * split - (x * split - x);
	double		y_high = y * split - (y * split - y);
	double		x_low = x - x_high;
	double		y_low = y - y_high;
	double		high = x * y;

	return (Precise) {high, ((x_high * y_high - high) + x_high * y_low + x_low * y_high) +
					  x_low * y_low};
}

/* Take in a number. */
static inline void
sum_number(Column *c, double number)
{
	Precise		square;

	c->n_negative += number < 0;
	c->n_zero += number == 0;
	if (!isfinite(number))
	{
		c->n_infinite++;
		return;
	}
	square = precise_product(number, number);
	if (c->n_finite++ == 0)
		c->min = c->max = number;
	precise_add(&c->sum, number);
	precise_add(&c->squares, square.high);
	c->squares.low += square.low;
	if (number < c->min)
		c->min = number;
	if (number > c->max)
		c->max = number;
}

/* Take in the length of a text. */
static inline void
sum_length(Column *c, const char *text, size_t n_bytes)
{
	uint64_t	n = 0;

	for (size_t i = 0; i < n_bytes; i++)
		n += ((uint8_t) text[i] & 0xC0) != 0x80;
	if (n < c->min_length || c->n_values + c->too_many == 0)
		c->min_length = n;
	if (n > c->max_length)
		c->max_length = n;
	c->cut |= n_bytes > DATASET_TEXT_BYTES;
	c->sum_length += n;
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
		if (p->is_number[i])
			sum_number(c, cells[i].number);
		else
			sum_length(c, cells[i].text, cells[i].n_bytes);
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

/* Numbers in ascending order, and how many rows have each. */
typedef struct Steps
{
	double		number;
	uint64_t	n;
} Steps;

/*
 * Percentiles 0 to 100, the smallest value that so many percent of the rows do
 * not exceed, and the histogram, of n steps with out->n_sampled rows.
 */
static Status
describe_steps(DatasetProfile *p, Column *c, const Steps *steps, size_t n,
			   DatasetColumnProfile *out, Failure *why)
{
	double		below = 0;
	size_t		i = 0;
	Status		status = memory_new(p->host, PERCENTILES, sizeof(double), &c->percentiles, why);

	if (status != STATUS_OK)
		return status;
	for (size_t k = 0; k < PERCENTILES; k++)
	{
		while (i + 1 < n && (below + (double) steps[i].n) * (PERCENTILES - 1) <
			   (double) k * (double) out->n_sampled)
			below += (double) steps[i++].n;
		c->percentiles[k] = steps[i].number;
	}
	/* the ends are known exactly */
	c->percentiles[0] = c->min;
	c->percentiles[PERCENTILES - 1] = c->max;
	out->percentiles = c->percentiles;
	out->n_percentiles = PERCENTILES;

	out->n_bins = c->max > c->min ? DATASET_BINS : 1;
	for (size_t bin = 0; bin <= out->n_bins; bin++)
		out->edges[bin] = bin == out->n_bins ? c->max
			: c->min + (c->max / (double) out->n_bins - c->min / (double) out->n_bins) *
			(double) bin;
	for (size_t k = 0, bin = 0; k < n; k++)
	{
		while (bin + 1 < out->n_bins && steps[k].number >= out->edges[bin + 1])
			bin++;
		out->bins[bin] += steps[k].n;
	}
	return STATUS_OK;
}

/* Percentiles and histogram of a column with few numbers. */
static Status
describe_counts(DatasetProfile *p, Column *c, DatasetColumnProfile *out, Failure *why)
{
	Steps		steps[DATASET_MAX_VALUES];
	uint64_t	n_sampled = out->n_sampled;
	size_t		n = 0;
	Status		status;

	for (size_t i = 0; i < out->n_counts; i++)
	{
		size_t		place = n;

		if (!isfinite(out->counts[i].number))
		{
			out->n_sampled -= out->counts[i].n;
			continue;
		}
		for (; place > 0 && steps[place - 1].number > out->counts[i].number; place--)
			steps[place] = steps[place - 1];
		steps[place] = (Steps) {out->counts[i].number, out->counts[i].n};
		n++;
	}
	status = n == 0 ? STATUS_OK : describe_steps(p, c, steps, n, out, why);
	out->n_sampled = n_sampled;
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

/* Percentiles and histogram of a column by the sample. */
static Status
describe_sample(DatasetProfile *p, uint32_t column, const SortItem *items, size_t n,
				DatasetColumnProfile *out, Failure *why)
{
	const Sample *sample = &p->sample;
	Steps	   *steps;
	Status		status = memory_new_raw(p->host, n, sizeof(Steps), &steps, why);

	for (size_t i = 0; i < n && status == STATUS_OK; i++)
		steps[i] = (Steps) {
			.number = sample->cells[items[i].row * sample->n_columns + column].number,
			.n = sample->weights[items[i].row]};
	if (status == STATUS_OK)
		status = describe_steps(p, &p->columns[column], steps, n, out, why);
	memory_free(p->host, steps, n, sizeof(Steps));
	return status;
}

/* The values that occur more than once in the sample. */
static Status
find_frequent(DatasetProfile *p, uint32_t column, const SortItem *items, size_t n,
			  DatasetColumnProfile *out, Failure *why)
{
	const Sample *sample = &p->sample;
	Column	   *c = &p->columns[column];
	bool		is_number = p->is_number[column];
	Status		status = make_counts(p->host, c,
									 is_number ? MAX_FREQUENT_NUMBERS : MAX_FREQUENT, why);
	size_t		next;

	for (size_t i = 0; i < n && status == STATUS_OK; i = next)
	{
		const SampleCell *cell = &sample->cells[items[i].row * sample->n_columns + column];
		DatasetCount count = {.n = 0};

		if (is_number)
			count.number = cell->number;
		else
		{
			count.text = cell->text + 1;
			count.n_bytes = (uint8_t) cell->text[0];
		}
		for (next = i; next < n && items[next].key == items[i].key; next++)
			count.n += sample->weights[items[next].row];
		if (count.n >= FREQUENT_TIMES)
			insert_count(c, &out->n_counts, &count);
	}
	out->counts = c->counts;
	return status;
}

/*
 * How many different values there are: counted, where the sample is all rows
 * and has them whole, and no number is infinite, which it leaves out.
 */
static void
count_distinct(const DatasetProfile *p, const Column *c, const SortItem *items, size_t n,
			   DatasetColumnProfile *out)
{
	double		most = (double) (p->n_rows - c->n_null);
	size_t		n_distinct = 0;

	if (p->sample.highest != UINT64_MAX || c->cut || c->n_infinite > 0)
	{
		out->n_distinct = out->n_distinct < most ? out->n_distinct : most;
		return;
	}
	for (size_t i = 0; i < n; i++)
		n_distinct += i == 0 || items[i].key != items[i - 1].key;
	out->n_distinct = (double) n_distinct;
	out->distinct_exact = true;
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
	if (status == STATUS_OK)
		count_distinct(p, &p->columns[column], items, n, out);
	if (status == STATUS_OK && n > 0 && p->is_number[column])
		status = describe_sample(p, column, items, n, out, why);
	if (status == STATUS_OK && n > 0)
		status = find_frequent(p, column, items, n, out, why);
	memory_free(p->host, items, n_rows, sizeof(SortItem));
	memory_free(p->host, scratch, n_rows, sizeof(SortItem));
	return status;
}

/* Mean and standard deviation from the sums. */
static void
find_moments(const Column *c, DatasetColumnProfile *out)
{
	double		n = (double) c->n_finite;
	Precise		mean;
	Precise		back;
	Precise		square;
	double		variance;

	out->min = out->max = out->mean = out->sd = NAN;
	if (c->n_finite == 0)
		return;
	out->min = c->min;
	out->max = c->max;
	mean.high = (c->sum.high + c->sum.low) / n;
	back = precise_product(mean.high, n);
	mean.low = ((c->sum.high - back.high) - back.low + c->sum.low) / n;
	out->mean = mean.high + mean.low;
	if (c->n_finite < 2)
		return;
	/* the squares, less n times that of the mean */
	square = precise_product(c->sum.high, mean.high);
	variance = ((c->squares.high - square.high) - square.low + c->squares.low -
				(c->sum.high * mean.low + c->sum.low * mean.high)) / (n - 1);
	out->sd = sqrt(variance > 0 ? variance : isnan(variance) ? NAN : 0);
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
	out->n_zero = c->n_zero;
	out->n_negative = c->n_negative;
	out->n_infinite = c->n_infinite;
	out->min_length = c->min_length;
	out->max_length = c->max_length;
	out->mean_length = out->is_number || c->n_null == p->n_rows ? NAN
		: (double) c->sum_length / (double) (p->n_rows - c->n_null);
	if (c->too_many)
		return ask_sample(p, column, out, why);
	status = exact_counts(p->host, c, out->is_number, out, why);
	out->counts = c->counts;
	out->n_sampled = p->n_rows - c->n_null;
	return status == STATUS_OK && out->is_number ? describe_counts(p, c, out, why) : status;
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
