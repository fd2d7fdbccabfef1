/*
 * bins.c
 *	  Cuts and dictionaries.
 *
 * Everything here is a function of the multiset of training values: sets and
 * sorted lists only, so the order of the rows cannot matter.  The one place
 * where rows are picked, the sample behind the cuts of a column with many
 * distinct values, takes the first rows of the canonical order, which is
 * that of the row identities.
 */
#include "forest/bins.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "core/rng.h"
#include "core/sort.h"

#define DISTINCT_SLOTS 1024
#define ID_LIKE_ROWS 20
#define SMALL_DATA_ROWS 10000

/* The distinct values of a column, as long as they are few. */
typedef struct DistinctSet
{
	uint64_t	slots[DISTINCT_SLOTS];	/* sort keys, 0 is empty: no number's key is 0 */
	uint32_t	n;
} DistinctSet;

/* Add a value; false once there are more than FOREST_VALUE_BINS. */
static bool
distinct_add(DistinctSet *set, double value)
{
	uint64_t	key = sort_key_of_double(value);
	uint32_t	slot = (uint32_t) (rng_mix64(key) % DISTINCT_SLOTS);

	while (set->slots[slot] != 0)
	{
		if (set->slots[slot] == key)
			return true;
		slot = (slot + 1) % DISTINCT_SLOTS;
	}
	set->slots[slot] = key;
	return ++set->n <= FOREST_VALUE_BINS;
}

double
bins_cut(double a, double b)
{
	double		middle = a / 2 + b / 2;

	return middle >= b || middle < a || isinf(middle) ? a : middle;
}

/* Cuts between all neighbours of the few distinct values. */
static Status
bins_exact(const Host *host, DistinctSet *set, ForestFeature *out, Failure *why)
{
	uint64_t	scratch[FOREST_VALUE_BINS];
	uint32_t	n = 0;
	Status		status;

	for (uint32_t slot = 0; slot < DISTINCT_SLOTS; slot++)
		if (set->slots[slot] != 0)
			set->slots[n++] = set->slots[slot];
	status = sort_keys(host, set->slots, scratch, n, why);
	if (status == STATUS_OK)
		status = memory_new_raw(host, n - 1, sizeof(double), &out->cuts, why);
	if (status != STATUS_OK)
		return status;
	out->n_bins = n;
	for (uint32_t i = 0; i + 1 < n; i++)
		out->cuts[i] = bins_cut(sort_double_of_key(set->slots[i]),
								sort_double_of_key(set->slots[i + 1]));
	return STATUS_OK;
}

uint32_t
bins_greedy(const double *values, const uint32_t *counts, size_t n, uint32_t max_bins,
			uint32_t min_in_bin, double *cuts)
{
	uint64_t	total = 0;
	uint64_t	rest_rows;
	uint64_t	in_bin = 0;
	uint32_t	rest_bins;
	uint32_t	n_cuts = 0;
	double		big;
	double		mean;

	for (size_t i = 0; i < n; i++)
		total += counts[i];
	if (min_in_bin > 1 && total / min_in_bin < max_bins)
		max_bins = total / min_in_bin > 1 ? (uint32_t) (total / min_in_bin) : 1;
	big = (double) total / max_bins;
	rest_rows = total;
	rest_bins = max_bins;
	for (size_t i = 0; i < n; i++)
	{
		if (counts[i] >= big)
		{
			rest_rows -= counts[i];
			rest_bins--;
		}
	}
	mean = (double) rest_rows / (rest_bins > 0 ? rest_bins : 1);
	for (size_t i = 0; i + 1 < n && n_cuts + 1 < max_bins; i++)
	{
		bool		is_big = counts[i] >= big;

		if (!is_big)
			rest_rows -= counts[i];
		in_bin += counts[i];
		if (in_bin >= min_in_bin &&
			(is_big || (double) in_bin >= mean ||
			 (counts[i + 1] >= big && (double) in_bin >= fmax(1.0, mean / 2))))
		{
			cuts[n_cuts++] = bins_cut(values[i], values[i + 1]);
			in_bin = 0;
			if (!is_big)
			{
				rest_bins -= rest_bins > 0;
				mean = (double) rest_rows / (rest_bins > 0 ? rest_bins : 1);
			}
		}
	}
	return n_cuts;
}

/* The sorted sample of a column: distinct values and how often each occurs. */
typedef struct BinsSample
{
	size_t		capacity;
	uint64_t   *keys;
	uint64_t   *scratch;		/* later the distinct values */
	uint32_t   *counts;
	size_t		n_values;		/* not missing */
	size_t		n_distinct;
} BinsSample;

static void
sample_free(const Host *host, BinsSample *s)
{
	memory_free(host, s->keys, s->capacity, sizeof(uint64_t));
	memory_free(host, s->scratch, s->capacity, sizeof(uint64_t));
	memory_free(host, s->counts, s->capacity, sizeof(uint32_t));
}

/* Gather, sort, and count the sample; the caller frees it, also on failure. */
static Status
sample_take(const Host *host, const ForestFrame *frame, const FrameColumn *column,
			const BinsRows *rows, BinsSample *s, Failure *why)
{
	double	   *values;
	Status		status;

	memset(s, 0, sizeof(*s));
	s->capacity = rows->n_train < BINS_SAMPLE_ROWS ? rows->n_train : BINS_SAMPLE_ROWS;
	status = memory_new_raw(host, s->capacity, sizeof(uint64_t), &s->keys, why);
	if (status == STATUS_OK)
		status = memory_new_raw(host, s->capacity, sizeof(uint64_t), &s->scratch, why);
	if (status == STATUS_OK)
		status = memory_new_raw(host, s->capacity, sizeof(uint32_t), &s->counts, why);
	if (status != STATUS_OK)
		return status;
	for (size_t i = 0, n = 0; n < s->capacity; i++)
	{
		uint32_t	row = rows->canonical[i];
		double		value = FRAME_AT(frame, double, column->offset, row);

		n += rows->trains[row];
		if (rows->trains[row] && !isnan(value))
			s->keys[s->n_values++] = sort_key_of_double(value);
	}
	status = sort_keys(host, s->keys, s->scratch, s->n_values, why);
	if (status != STATUS_OK)
		return status;
	values = (double *) s->scratch;
	for (size_t i = 0; i < s->n_values; i++)
	{
		if (i == 0 || s->keys[i] != s->keys[i - 1])
		{
			values[s->n_distinct] = sort_double_of_key(s->keys[i]);
			s->counts[s->n_distinct++] = 0;
		}
		s->counts[s->n_distinct - 1]++;
	}
	return STATUS_OK;
}

/* Bins of nearly equal counts, for columns of many distinct values. */
static Status
bins_quantile(const Host *host, const ForestFrame *frame, const FrameColumn *column,
			  const BinsRows *rows, ForestFeature *out, ForestColumnFate *fate, Failure *why)
{
	double		cuts[FOREST_VALUE_BINS];
	uint32_t	n_cuts = 0;
	BinsSample	sample;
	Status		status;

	status = sample_take(host, frame, column, rows, &sample, why);
	if (status == STATUS_OK)
	{
		n_cuts = bins_greedy((const double *) sample.scratch, sample.counts, sample.n_distinct,
							 FOREST_VALUE_BINS, rows->n_train < SMALL_DATA_ROWS ? 1 : 3, cuts);
		if (column->integer && sample.n_distinct == sample.n_values)
			*fate = FOREST_KEPT_ID_LIKE;
		status = memory_new_raw(host, n_cuts, sizeof(double), &out->cuts, why);
	}
	if (status == STATUS_OK)
	{
		out->n_bins = n_cuts + 1;
		if (n_cuts > 0)
			memcpy(out->cuts, cuts, n_cuts * sizeof(double));
	}
	sample_free(host, &sample);
	return status;
}

static Status
bins_numeric(const Host *host, const ForestFrame *frame, const FrameColumn *column,
			 const BinsRows *rows, ForestFeature *out, ForestColumnFate *fate, Failure *why)
{
	DistinctSet set;
	size_t		n_missing = 0;
	bool		few = true;

	memset(&set, 0, sizeof(set));
	for (size_t row = 0; row < frame->n_rows && few; row++)
	{
		double		value;

		if (!rows->trains[row])
			continue;
		value = FRAME_AT(frame, double, column->offset, row);
		if (isnan(value))
			n_missing++;
		else
			few = distinct_add(&set, value);
	}
	if (few && set.n == 0)
		*fate = FOREST_DROPPED_MISSING;
	else if (few && set.n == 1 && n_missing == 0)
		*fate = FOREST_DROPPED_CONSTANT;
	if (*fate != FOREST_KEPT)
		return STATUS_OK;
	if (column->integer && few && set.n >= ID_LIKE_ROWS && set.n == rows->n_train)
		*fate = FOREST_KEPT_ID_LIKE;
	return few ? bins_exact(host, &set, out, why)
		: bins_quantile(host, frame, column, rows, out, fate, why);
}

/* The more frequent text first, then the one whose bytes are smaller. */
static bool
category_before(const FrameDictionary *d, const uint32_t *counts, uint32_t a, uint32_t b)
{
	const FrameText *x = &d->texts[a];
	const FrameText *y = &d->texts[b];
	size_t		shared = x->n_bytes < y->n_bytes ? x->n_bytes : y->n_bytes;
	int			order;

	if (counts[a] != counts[b])
		return counts[a] > counts[b];
	order = memcmp(x->bytes, y->bytes, shared);
	return order != 0 ? order < 0 : x->n_bytes < y->n_bytes;
}

/* Put a text into the ids of the most frequent ones, best first; may push the last out. */
static void
category_insert(const FrameDictionary *d, const uint32_t *counts, uint32_t id, uint32_t *top,
				uint32_t *n_top)
{
	uint32_t	at;

	if (*n_top == FOREST_MAX_CATEGORIES &&
		!category_before(d, counts, id, top[FOREST_MAX_CATEGORIES - 1]))
		return;
	at = *n_top < FOREST_MAX_CATEGORIES ? (*n_top)++ : FOREST_MAX_CATEGORIES - 1;
	for (; at > 0 && category_before(d, counts, id, top[at - 1]); at--)
		top[at] = top[at - 1];
	top[at] = id;
}

static Status
bins_category(const Host *host, const ForestFrame *frame, const FrameColumn *column,
			  const BinsRows *rows, ForestFeature *out, ForestColumnFate *fate, Failure *why)
{
	const FrameDictionary *d = &column->dictionary;
	uint32_t	top[FOREST_MAX_CATEGORIES];
	uint32_t	n_top = 0;
	uint32_t   *counts;
	size_t		n_values = 0;
	size_t		n_distinct = 0;
	Status		status;

	status = memory_new(host, d->n_texts, sizeof(uint32_t), &counts, why);
	if (status != STATUS_OK)
		return status;
	for (size_t row = 0; row < frame->n_rows; row++)
	{
		uint32_t	id = FRAME_AT(frame, uint32_t, column->offset, row);

		if (rows->trains[row] && id != FRAME_MISSING_ID)
		{
			counts[id]++;
			n_values++;
		}
	}
	for (uint32_t id = 0; id < d->n_texts; id++)
	{
		if (counts[id] == 0)
			continue;
		n_distinct++;
		category_insert(d, counts, id, top, &n_top);
	}
	memory_free(host, counts, d->n_texts, sizeof(uint32_t));
	if (n_distinct == 0)
		*fate = FOREST_DROPPED_MISSING;
	else if (n_distinct == 1 && n_values == rows->n_train)
		*fate = FOREST_DROPPED_CONSTANT;
	else if (n_values >= ID_LIKE_ROWS && (double) n_distinct >= 0.95 * (double) n_values)
		*fate = FOREST_KEPT_ID_LIKE;
	if (*fate == FOREST_DROPPED_MISSING || *fate == FOREST_DROPPED_CONSTANT)
		return STATUS_OK;

	out->has_other = n_distinct > n_top;
	out->n_bins = n_top + out->has_other;
	status = memory_new(host, n_top, sizeof(ForestText), &out->categories, why);
	if (status != STATUS_OK)
		return status;
	out->n_categories = n_top;
	for (uint32_t code = 0; code < n_top && status == STATUS_OK; code++)
		status = schema_text(host, d->texts[top[code]].bytes, d->texts[top[code]].n_bytes,
							 &out->categories[code], why);
	return status == STATUS_OK ? schema_index_categories(host, out, why) : status;
}

Status
bins_of_column(const Host *host, const ForestFrame *frame, uint32_t column, const BinsRows *rows,
			   ForestFeature *out, ForestColumnFate *fate, Failure *why)
{
	const FrameColumn *c = &frame->columns[column];
	Status		status;

	status = host_poll(host, why);
	if (status != STATUS_OK)
		return status;
	*fate = FOREST_KEPT;
	out->kind = c->kind;
	return c->kind == FOREST_CATEGORY
		? bins_category(host, frame, c, rows, out, fate, why)
		: bins_numeric(host, frame, c, rows, out, fate, why);
}
