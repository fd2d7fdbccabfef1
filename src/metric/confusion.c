/*
 * confusion.c
 *	  Confusion matrices whose classes are found as they come, and what
 *	  follows from them.
 *
 * Without weights cells are counts.  With weights each cell that a row falls
 * into has an exact sum; the sums of a matrix' rows and columns are made of
 * these, exactly, too.
 */
#include <math.h>

#include "core/hash.h"
#include "metric/internal.h"

/* Up to so many classes are compared one by one. */
#define FEW_CLASSES 8
#define FIRST_CLASSES 4

void
metric_confusion_begin(MetricConfusion *c, const Host *host, bool weighted)
{
	memset(c, 0, sizeof(*c));
	c->host = host;
	c->weighted = weighted;
}

static size_t
n_cells(uint32_t capacity)
{
	return (size_t) capacity * capacity;
}

void
metric_confusion_free(MetricConfusion *c)
{
	for (size_t i = 0; c->sums != NULL && i < n_cells(c->capacity); i++)
		memory_free(c->host, c->sums[i], 1, sizeof(ExactSum));
	for (uint32_t k = 0; k < c->n_classes; k++)
		memory_free(c->host, c->labels[k].text, c->labels[k].n_bytes, 1);
	memory_free(c->host, c->table, c->table_size, sizeof(uint32_t));
	memory_free(c->host, c->sums, n_cells(c->capacity), sizeof(ExactSum *));
	memory_free(c->host, c->counts, n_cells(c->capacity), sizeof(uint64_t));
	memory_free(c->host, c->labels, c->capacity, sizeof(MetricLabel));
	metric_confusion_begin(c, c->host, c->weighted);
}

/* ---------------------------------------------------------------- classes -- */

static inline bool
same_text(const MetricLabel *label, const char *text, size_t n_bytes)
{
	return label->n_bytes == n_bytes && (n_bytes == 0 || memcmp(label->text, text, n_bytes) == 0);
}

/* Where a text is in the table, or would be. */
static size_t
table_place(const MetricConfusion *c, const char *text, size_t n_bytes)
{
	size_t		place = hash_bytes(text, n_bytes).lo & (c->table_size - 1);

	while (c->table[place] != 0 && !same_text(&c->labels[c->table[place] - 1], text, n_bytes))
		place = (place + 1) & (c->table_size - 1);
	return place;
}

uint32_t
metric_confusion_class(const MetricConfusion *c, const char *text, size_t n_bytes)
{
	if (c->n_classes > FEW_CLASSES && c->table != NULL)
	{
		uint32_t	entry = c->table[table_place(c, text, n_bytes)];

		return entry > 0 ? entry - 1 : c->n_classes;
	}
	for (uint32_t k = 0; k < c->n_classes; k++)
		if (same_text(&c->labels[k], text, n_bytes))
			return k;
	return c->n_classes;
}

/* Make room for more classes: the matrix moves into a larger one. */
static Status
grow(MetricConfusion *c, Failure *why)
{
	uint32_t	capacity = c->capacity > 0 ? 2 * c->capacity : FIRST_CLASSES;
	size_t		table_size = 4 * (size_t) capacity;
	MetricConfusion larger = *c;
	Status		status;

	larger.labels = NULL;
	larger.counts = NULL;
	larger.sums = NULL;
	larger.table = NULL;
	larger.capacity = capacity;
	larger.table_size = table_size;
	status = memory_new(c->host, capacity, sizeof(MetricLabel), &larger.labels, why);
	if (status == STATUS_OK && c->weighted)
		status = memory_new(c->host, n_cells(capacity), sizeof(ExactSum *), &larger.sums, why);
	if (status == STATUS_OK && !c->weighted)
		status = memory_new(c->host, n_cells(capacity), sizeof(uint64_t), &larger.counts, why);
	if (status == STATUS_OK)
		status = memory_new(c->host, table_size, sizeof(uint32_t), &larger.table, why);
	if (status != STATUS_OK)
	{
		memory_free(c->host, larger.counts, n_cells(capacity), sizeof(uint64_t));
		memory_free(c->host, larger.sums, n_cells(capacity), sizeof(ExactSum *));
		memory_free(c->host, larger.labels, capacity, sizeof(MetricLabel));
		return status;
	}
	for (uint32_t i = 0; i < c->n_classes; i++)
	{
		larger.labels[i] = c->labels[i];
		larger.table[table_place(&larger, c->labels[i].text, c->labels[i].n_bytes)] = i + 1;
		for (uint32_t j = 0; j < c->n_classes; j++)
			if (c->weighted)
				larger.sums[(size_t) i * capacity + j] = c->sums[(size_t) i * c->capacity + j];
			else
				larger.counts[(size_t) i * capacity + j] = c->counts[(size_t) i * c->capacity + j];
	}
	memory_free(c->host, c->table, c->table_size, sizeof(uint32_t));
	memory_free(c->host, c->sums, n_cells(c->capacity), sizeof(ExactSum *));
	memory_free(c->host, c->counts, n_cells(c->capacity), sizeof(uint64_t));
	memory_free(c->host, c->labels, c->capacity, sizeof(MetricLabel));
	*c = larger;
	return STATUS_OK;
}

static Status
add_class(MetricConfusion *c, const MetricLabel *label, Failure *why)
{
	char	   *text;
	Status		status = STATUS_OK;

	if (c->n_classes >= METRIC_MAX_CLASSES)
		return fail(why, STATUS_LIMIT, "more than %d different classes", METRIC_MAX_CLASSES);
	if (c->n_classes == c->capacity)
		status = grow(c, why);
	if (status == STATUS_OK)
		status = memory_new_raw(c->host, label->n_bytes, 1, &text, why);
	if (status != STATUS_OK)
		return status;
	if (label->n_bytes > 0)
		memcpy(text, label->text, label->n_bytes);
	c->table[table_place(c, label->text, label->n_bytes)] = c->n_classes + 1;
	c->labels[c->n_classes++] = (MetricLabel) {text, label->n_bytes, label->order};
	return STATUS_OK;
}

/* The class of a label, a new one if need be. */
static inline Status
find_class(MetricConfusion *c, const MetricLabel *label, uint32_t *last, Failure *why)
{
	uint32_t	k;

	if (*last < c->n_classes && same_text(&c->labels[*last], label->text, label->n_bytes))
		return STATUS_OK;
	k = metric_confusion_class(c, label->text, label->n_bytes);
	if (k == c->n_classes)
	{
		Status		status = add_class(c, label, why);

		if (status != STATUS_OK)
			return status;
	}
	/* a class that only one side can put in order */
	if (c->labels[k].order == 0)
		c->labels[k].order = label->order;
	*last = k;
	return STATUS_OK;
}

/* The exact sum of a cell, made if there is none. */
static Status
cell_sum(MetricConfusion *c, size_t cell, ExactSum **out, Failure *why)
{
	Status		status = STATUS_OK;

	if (c->sums[cell] == NULL)
		status = memory_new(c->host, 1, sizeof(ExactSum), &c->sums[cell], why);
	*out = c->sums[cell];
	return status;
}

Status
metric_confusion_add(MetricConfusion *c, const MetricLabel *label, const MetricLabel *predicted,
					 double weight, Failure *why)
{
	size_t		cell;
	ExactSum   *sum;
	double		w = c->weighted ? weight : 1;
	Status		status = metric_check_weight(w, why);

	if (status != STATUS_OK || w == 0)
		return status;
	status = find_class(c, label, &c->last[0], why);
	if (status == STATUS_OK)
		status = find_class(c, predicted, &c->last[1], why);
	if (status != STATUS_OK)
		return status;
	cell = (size_t) c->last[0] * c->capacity + c->last[1];
	if (!c->weighted)
	{
		c->counts[cell]++;
		return STATUS_OK;
	}
	status = cell_sum(c, cell, &sum, why);
	if (status == STATUS_OK)
		exact_add(sum, w);
	return status;
}

/* Add to cells of one matrix those of another that has the given classes in it. */
static Status
add_cells(MetricConfusion *c, const MetricConfusion *other, const uint32_t *classes, Failure *why)
{
	for (uint32_t i = 0; i < other->n_classes; i++)
		for (uint32_t j = 0; j < other->n_classes; j++)
		{
			size_t		from = (size_t) i * other->capacity + j;
			size_t		to = (size_t) classes[i] * c->capacity + classes[j];

			if (!c->weighted)
				c->counts[to] += other->counts[from];
			else if (other->sums[from] != NULL)
			{
				ExactSum   *sum;
				Status		status = cell_sum(c, to, &sum, why);

				if (status != STATUS_OK)
					return status;
				exact_merge(sum, other->sums[from]);
			}
		}
	return STATUS_OK;
}

Status
metric_confusion_merge(MetricConfusion *c, const MetricConfusion *other, Failure *why)
{
	uint32_t   *classes;
	Status		status = memory_new_raw(c->host, other->n_classes, sizeof(uint32_t), &classes, why);

	for (uint32_t k = 0; status == STATUS_OK && k < other->n_classes; k++)
	{
		classes[k] = c->n_classes;
		status = find_class(c, &other->labels[k], &classes[k], why);
	}
	if (status == STATUS_OK)
		status = add_cells(c, other, classes, why);
	memory_free(c->host, classes, other->n_classes, sizeof(uint32_t));
	return status;
}

/* ------------------------------------------------------------------ bytes -- */

void
metric_confusion_write(const MetricConfusion *c, ByteWriter *w)
{
	bytes_put_u8(w, c->weighted);
	bytes_put_u32(w, c->n_classes);
	for (uint32_t k = 0; k < c->n_classes; k++)
	{
		bytes_put_string(w, c->labels[k].text, c->labels[k].n_bytes);
		bytes_put_f64(w, c->labels[k].order);
	}
	for (uint32_t i = 0; i < c->n_classes; i++)
		for (uint32_t j = 0; j < c->n_classes; j++)
		{
			size_t		cell = (size_t) i * c->capacity + j;

			if (!c->weighted)
			{
				bytes_put_u64(w, c->counts[cell]);
				continue;
			}
			bytes_put_u8(w, c->sums[cell] != NULL);
			if (c->sums[cell] != NULL)
				exact_write(w, c->sums[cell]);
		}
}

/* Cells of a matrix whose classes are read. */
static Status
read_cells(MetricConfusion *c, ByteReader *r, Failure *why)
{
	for (uint32_t i = 0; i < c->n_classes; i++)
		for (uint32_t j = 0; j < c->n_classes && !r->failed; j++)
		{
			size_t		cell = (size_t) i * c->capacity + j;

			if (!c->weighted)
				c->counts[cell] = bytes_get_u64(r);
			else if (bytes_get_u8(r) != 0)
			{
				ExactSum   *sum;
				Status		status = cell_sum(c, cell, &sum, why);

				if (status != STATUS_OK)
					return status;
				exact_read(r, sum);
			}
		}
	return STATUS_OK;
}

Status
metric_confusion_read(MetricConfusion *c, const Host *host, ByteReader *r, Failure *why)
{
	bool		weighted = bytes_get_u8(r) != 0;
	uint32_t	n_classes = bytes_get_u32(r);
	Status		status = STATUS_OK;

	metric_confusion_begin(c, host, weighted);
	for (uint32_t k = 0; k < n_classes && status == STATUS_OK && !r->failed; k++)
	{
		size_t		n_bytes = 0;
		const char *text = bytes_get_string(r, &n_bytes);
		double		order = bytes_get_f64(r);

		if (!r->failed && metric_confusion_class(c, text, n_bytes) < c->n_classes)
			r->failed = true;
		if (!r->failed)
		{
			char	   *shared;
			MetricLabel label = {.n_bytes = n_bytes, .order = order};

			memcpy(&shared, &text, sizeof(shared));
			label.text = shared;
			status = add_class(c, &label, why);
		}
	}
	if (status == STATUS_OK && !r->failed)
		status = read_cells(c, r, why);
	if (status == STATUS_OK && r->failed)
		status = fail(why, STATUS_CORRUPT, "state of an aggregate is damaged");
	if (status != STATUS_OK)
		metric_confusion_free(c);
	return status;
}

/* ----------------------------------------------------------------- values -- */

static bool
is_before(const MetricLabel *a, const MetricLabel *b)
{
	size_t		n = a->n_bytes < b->n_bytes ? a->n_bytes : b->n_bytes;
	int			order;

	if (a->order != b->order)
		return a->order < b->order;
	order = n > 0 ? memcmp(a->text, b->text, n) : 0;
	return order != 0 ? order < 0 : a->n_bytes < b->n_bytes;
}

/* Move the cells of a matrix to where the classes were moved: new class k was from[k]. */
static Status
permute(MetricConfusion *c, const uint32_t *from, Failure *why)
{
	size_t		cells = n_cells(c->capacity);
	size_t		size = c->weighted ? sizeof(ExactSum *) : sizeof(uint64_t);
	void	   *old;
	Status		status = memory_new_raw(c->host, cells, size, &old, why);

	if (status != STATUS_OK)
		return status;
	memcpy(old, c->weighted ? (void *) c->sums : (void *) c->counts, cells * size);
	for (uint32_t i = 0; i < c->n_classes; i++)
		for (uint32_t j = 0; j < c->n_classes; j++)
		{
			size_t		to = (size_t) i * c->capacity + j;
			size_t		old_cell = (size_t) from[i] * c->capacity + from[j];

			if (c->weighted)
				c->sums[to] = ((ExactSum **) old)[old_cell];
			else
				c->counts[to] = ((uint64_t *) old)[old_cell];
		}
	memory_free(c->host, old, cells, size);
	return STATUS_OK;
}

Status
metric_confusion_sort(MetricConfusion *c, Failure *why)
{
	uint32_t   *from;
	bool		moved = false;
	Status		status = memory_new_raw(c->host, c->n_classes, sizeof(uint32_t), &from, why);

	for (uint32_t k = 0; status == STATUS_OK && k < c->n_classes; k++)
	{
		uint32_t	place = k;

		for (; place > 0 && is_before(&c->labels[k], &c->labels[from[place - 1]]); place--)
			from[place] = from[place - 1];
		from[place] = k;
		moved |= place != k;
	}
	if (status == STATUS_OK && moved)
	{
		MetricLabel *sorted;

		status = memory_new(c->host, c->capacity, sizeof(MetricLabel), &sorted, why);
		if (status == STATUS_OK)
		{
			status = permute(c, from, why);
			if (status != STATUS_OK)
				memory_free(c->host, sorted, c->capacity, sizeof(MetricLabel));
		}
		if (status == STATUS_OK)
		{
			for (uint32_t k = 0; k < c->n_classes; k++)
				sorted[k] = c->labels[from[k]];
			memory_free(c->host, c->labels, c->capacity, sizeof(MetricLabel));
			c->labels = sorted;
			memset(c->table, 0, c->table_size * sizeof(uint32_t));
			for (uint32_t k = 0; k < c->n_classes; k++)
				c->table[table_place(c, sorted[k].text, sorted[k].n_bytes)] = k + 1;
		}
	}
	memory_free(c->host, from, c->n_classes, sizeof(uint32_t));
	return status;
}

double
metric_confusion_cell(const MetricConfusion *c, uint32_t label, uint32_t predicted)
{
	size_t		cell = (size_t) label * c->capacity + predicted;

	if (!c->weighted)
		return (double) c->counts[cell];
	return c->sums[cell] != NULL ? exact_value(c->sums[cell]) : 0;
}

/* Add n cells, each `step` after the other, to one of two sums. */
static void
add_up(const MetricConfusion *c, size_t first, size_t step, uint32_t n, ExactSum *sum,
	   uint64_t *count)
{
	for (uint32_t k = 0; k < n; k++)
	{
		size_t		cell = first + k * step;

		if (!c->weighted)
			*count += c->counts[cell];
		else if (c->sums[cell] != NULL)
			exact_merge(sum, c->sums[cell]);
	}
}

static double
sum_cells(const MetricConfusion *c, size_t first, size_t step, uint32_t n)
{
	ExactSum	sum = {.n_pending = 0};
	uint64_t	count = 0;

	add_up(c, first, step, n, &sum, &count);
	return c->weighted ? exact_value(&sum) : (double) count;
}

/*
 * Weights of each class, in an array of n_classes, and of all rows.  All is
 * rounded once, too: where one class has every row, its weight is exactly that.
 */
static Status
class_totals(const MetricConfusion *c, ClassTotals **out, double *all, Failure *why)
{
	ExactSum	sum = {.n_pending = 0};
	uint64_t	count = 0;
	Status		status = memory_new(c->host, c->n_classes, sizeof(ClassTotals), out, why);

	if (status != STATUS_OK)
		return status;
	for (uint32_t k = 0; k < c->n_classes; k++)
	{
		ClassTotals *totals = *out + k;

		totals->hit.sum = metric_confusion_cell(c, k, k);
		totals->support.sum = sum_cells(c, (size_t) k * c->capacity, 1, c->n_classes);
		totals->predicted.sum = sum_cells(c, k, c->capacity, c->n_classes);
		add_up(c, (size_t) k * c->capacity, 1, c->n_classes, &sum, &count);
	}
	*all = c->weighted ? exact_value(&sum) : (double) count;
	if (*all > DBL_MAX)
		status = fail(why, STATUS_OUT_OF_RANGE, "sum of weights is out of range");
	if (status != STATUS_OK)
		memory_free(c->host, *out, c->n_classes, sizeof(ClassTotals));
	return status;
}

Status
metric_confusion_report(const MetricConfusion *c, MetricReport *out, Failure *why)
{
	ClassTotals *totals;
	double		all;
	Status		status = class_totals(c, &totals, &all, why);

	metric_report_begin(out, NULL, 0);
	if (status != STATUS_OK)
		return status;
	if (all > 0)
		metric_report_classes(totals, c->n_classes, all, out);
	memory_free(c->host, totals, c->n_classes, sizeof(ClassTotals));
	return STATUS_OK;
}

/* What a measure is made of: numerator, and denominator. */
typedef struct Fraction
{
	double		part;
	double		all;
} Fraction;

static Fraction
measure_fraction(MetricHardName name, double beta, double hit, double predicted, double support,
				 double all)
{
	double		square = beta * beta;

	switch (name)
	{
		case HARD_PRECISION:
			return (Fraction) {hit, predicted};
		case HARD_RECALL:
			return (Fraction) {hit, support};
		case HARD_SPECIFICITY:
			return (Fraction) {all - support - predicted + hit, all - support};
		case HARD_FBETA:
			return (Fraction) {(1 + square) * hit, predicted + square * support};
	}
	return (Fraction) {NAN, NAN};
}

static double
fraction_value(Fraction fraction)
{
	return fraction.all > 0 ? fraction.part / fraction.all : 0;
}

Status
metric_confusion_measure(const MetricConfusion *c, MetricHardName name, MetricAverage average,
						 uint32_t positive, double beta, double *out, Failure *why)
{
	ClassTotals *totals;
	RealSum		part = {0, 0};
	RealSum		whole = {0, 0};
	double		all;
	Status		status = class_totals(c, &totals, &all, why);

	*out = NAN;
	if (status != STATUS_OK)
		return status;
	for (uint32_t k = 0; k < c->n_classes; k++)
	{
		double		support = totals[k].support.sum;
		Fraction	fraction = measure_fraction(name, beta, totals[k].hit.sum,
												totals[k].predicted.sum, support, all);
		double		weight = average == AVERAGE_WEIGHTED ? support : 1;

		if (average == AVERAGE_BINARY && k == positive)
			*out = fraction_value(fraction);
		real_sum_add(&part, average == AVERAGE_MICRO ? fraction.part :
					 weight * fraction_value(fraction));
		real_sum_add(&whole, average == AVERAGE_MICRO ? fraction.all : weight);
	}
	memory_free(c->host, totals, c->n_classes, sizeof(ClassTotals));
	if (!(all > 0))
		return STATUS_OK;
	if (average != AVERAGE_BINARY)
		*out = fraction_value((Fraction) {real_sum_value(&part), real_sum_value(&whole)});
	else if (positive >= c->n_classes)
		*out = fraction_value(measure_fraction(name, beta, 0, 0, 0, all));
	return STATUS_OK;
}

Status
metric_confusion_kappa(const MetricConfusion *c, int power, double *out, Failure *why)
{
	ClassTotals *totals;
	RealSum		seen = {0, 0};
	RealSum		expected = {0, 0};
	double		all;
	Status		status = class_totals(c, &totals, &all, why);

	*out = NAN;
	if (status != STATUS_OK)
		return status;
	for (uint32_t i = 0; i < c->n_classes; i++)
		for (uint32_t j = 0; j < c->n_classes; j++)
		{
			double		distance = i > j ? i - j : j - i;
			double		weight = power == 0 ? i != j : power == 1 ? distance : distance * distance;

			if (weight == 0)
				continue;
			real_sum_add(&seen, weight * metric_confusion_cell(c, i, j));
			real_sum_add(&expected,
						 weight * (totals[i].support.sum * totals[j].predicted.sum / all));
		}
	memory_free(c->host, totals, c->n_classes, sizeof(ClassTotals));
	if (real_sum_value(&expected) > 0)
		*out = 1 - real_sum_value(&seen) / real_sum_value(&expected);
	return STATUS_OK;
}
