/*
 * bins.c
 *	  Cuts and dictionaries.
 *
 * Everything here is a function of the multiset of training values: sets and
 * sorted lists only, so the order of the rows cannot matter.  The one place
 * where rows are picked, the sample behind the cuts of a column with many
 * distinct values, takes the first rows of the canonical order, which is
 * that of the row identities.
 *
 * A column is collected in one pass over the chunks of the frame: its
 * distinct values as long as they are few, its values in the sample, or how
 * often each text occurs.  Of a frame in a temporary file several columns are
 * collected in one pass.
 */
#include "forest/bins.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "core/sort.h"

#define DISTINCT_SLOT_BITS 10
#define DISTINCT_SLOTS (1 << DISTINCT_SLOT_BITS)
#define ID_LIKE_ROWS 20
#define SMALL_DATA_ROWS 10000

/* Columns read in one pass over a temporary file. */
#define PASS_COLUMNS 8

/* The distinct values of a column, as long as they are few. */
typedef struct DistinctSet
{
	uint64_t	slots[DISTINCT_SLOTS];	/* sort keys, 0 is empty: no number's key is 0 */
	uint64_t	latest;			/* a key that is there; 0 if there is none */
	uint32_t	n;				/* more than FOREST_VALUE_BINS: they are not few */
	bool		any_missing;
} DistinctSet;

/* A column while it is collected. */
typedef struct BinsColumn
{
	ColumnFacts *facts;			/* NULL: nobody asks */
	DistinctSet set;			/* numbers: of all training rows */
	uint64_t   *keys;			/* numbers: sort keys of the sample's values */
	size_t		n_keys;
	uint32_t   *counts;			/* texts: by dictionary id, and one for the missing */
} BinsColumn;

/* Room to work in. */
typedef struct BinsWork
{
	const Host *host;
	const ForestFrame *frame;
	const BinsRows *rows;
	BinsColumn *columns;
	uint32_t	n_columns;		/* of a pass */
	uint64_t   *scratch;		/* of a sample; later its distinct values */
	uint32_t   *counts;			/* how often each of these occurs */
	uint8_t    *buffer;
	size_t		buffer_bytes;
} BinsWork;

static inline uint32_t
distinct_slot(uint64_t key)
{
	return (uint32_t) (key * UINT64_C(0x9E3779B97F4A7C15) >> (64 - DISTINCT_SLOT_BITS));
}

/* Add a value that is not where it is looked for first. */
static void
distinct_add(DistinctSet *set, uint64_t key)
{
	uint32_t	slot = distinct_slot(key);

	while (set->slots[slot] != 0)
	{
		if (set->slots[slot] == key)
			return;
		slot = (slot + 1) % DISTINCT_SLOTS;
	}
	set->slots[slot] = key;
	set->latest = key;
	set->n++;
}

/*
 * Add the values of n rows.  In place of those that do not count goes one
 * that is already there, so that nothing but a new value makes a jump; and
 * the key 0, before there is any, is found in every slot.
 */
static void
distinct_add_rows(DistinctSet *set, const double *values, const uint8_t *trains, size_t n)
{
	for (size_t i = 0; i < n; i++)
	{
		bool		counts = trains[i] & !isnan(values[i]);
		uint64_t	key = sort_key_of_double(values[i]);

		set->any_missing |= counts != trains[i];
		key = counts ? key : set->latest;
		if (set->slots[distinct_slot(key)] == key)
			continue;
		distinct_add(set, key);
		if (set->n > FOREST_VALUE_BINS)
			return;
	}
}

double
bins_cut(double a, double b)
{
	double		middle = a / 2 + b / 2;

	return middle >= b || middle < a || isinf(middle) ? a : middle;
}

/* Cuts between all neighbours of the few distinct values. */
static Status
bins_exact(const Host *host, BinsColumn *c, ForestFeature *out, Failure *why)
{
	DistinctSet *set = &c->set;
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
	if (c->facts != NULL)
		facts_values(c->facts, set->slots, n);
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

/* Sort the sample of a column; its distinct values and their counts go into the work. */
static Status
sample_count(BinsWork *work, BinsColumn *c, size_t *n_distinct, Failure *why)
{
	Status		status = sort_keys(work->host, c->keys, work->scratch, c->n_keys, why);
	double	   *values = (double *) work->scratch;
	size_t		n = 0;

	for (size_t i = 0; i < c->n_keys && status == STATUS_OK; i++)
	{
		if (i == 0 || c->keys[i] != c->keys[i - 1])
		{
			values[n] = sort_double_of_key(c->keys[i]);
			work->counts[n++] = 0;
		}
		work->counts[n - 1]++;
	}
	*n_distinct = n;
	return status;
}

/* Bins of nearly equal counts, for columns of many distinct values. */
static Status
bins_quantile(BinsWork *work, BinsColumn *c, bool integer, ForestFeature *out,
			  ForestColumnFate *fate, Failure *why)
{
	double		cuts[FOREST_VALUE_BINS];
	uint32_t	n_cuts;
	size_t		n_distinct;
	Status		status;

	status = sample_count(work, c, &n_distinct, why);
	if (status != STATUS_OK)
		return status;
	n_cuts = bins_greedy((const double *) work->scratch, work->counts, n_distinct,
						 FOREST_VALUE_BINS, work->rows->n_train < SMALL_DATA_ROWS ? 1 : 3, cuts);
	if (integer && n_distinct == c->n_keys)
		*fate = FOREST_KEPT_ID_LIKE;
	if (c->facts != NULL)
		facts_sorted(c->facts, c->keys, c->n_keys);
	status = memory_new_raw(work->host, n_cuts, sizeof(double), &out->cuts, why);
	if (status != STATUS_OK)
		return status;
	out->n_bins = n_cuts + 1;
	if (n_cuts > 0)
		memcpy(out->cuts, cuts, n_cuts * sizeof(double));
	return STATUS_OK;
}

static Status
bins_numeric(BinsWork *work, BinsColumn *c, bool integer, ForestFeature *out,
			 ForestColumnFate *fate, Failure *why)
{
	DistinctSet *set = &c->set;
	bool		few = set->n <= FOREST_VALUE_BINS;

	if (set->n == 0)
		*fate = FOREST_DROPPED_MISSING;
	else if (set->n == 1 && !set->any_missing)
		*fate = FOREST_DROPPED_CONSTANT;
	if (*fate != FOREST_KEPT)
		return STATUS_OK;
	if (integer && few && set->n >= ID_LIKE_ROWS && set->n == work->rows->n_train)
		*fate = FOREST_KEPT_ID_LIKE;
	return few ? bins_exact(work->host, c, out, why)
		: bins_quantile(work, c, integer, out, fate, why);
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
bins_category(BinsWork *work, const FrameDictionary *d, const uint32_t *counts,
			  ColumnFacts *facts, ForestFeature *out, ForestColumnFate *fate, Failure *why)
{
	uint32_t	top[FOREST_MAX_CATEGORIES];
	uint32_t	n_top = 0;
	size_t		n_values = 0;
	size_t		n_distinct = 0;
	Status		status;

	for (uint32_t id = 0; id < d->n_texts; id++)
	{
		if (counts[id] == 0)
			continue;
		n_values += counts[id];
		n_distinct++;
		category_insert(d, counts, id, top, &n_top);
	}
	if (facts != NULL)
		facts->n_categories = (uint32_t) n_distinct;
	if (n_distinct == 0)
		*fate = FOREST_DROPPED_MISSING;
	else if (n_distinct == 1 && n_values == work->rows->n_train)
		*fate = FOREST_DROPPED_CONSTANT;
	else if (n_values >= ID_LIKE_ROWS && (double) n_distinct >= 0.95 * (double) n_values)
		*fate = FOREST_KEPT_ID_LIKE;
	if (*fate == FOREST_DROPPED_MISSING || *fate == FOREST_DROPPED_CONSTANT)
		return STATUS_OK;

	out->has_other = n_distinct > n_top;
	out->n_bins = n_top + out->has_other;
	status = memory_new(work->host, n_top, sizeof(ForestText), &out->categories, why);
	if (status != STATUS_OK)
		return status;
	out->n_categories = n_top;
	for (uint32_t code = 0; code < n_top && status == STATUS_OK; code++)
		status = schema_text(work->host, d->texts[top[code]].bytes, d->texts[top[code]].n_bytes,
							 &out->categories[code], why);
	return status == STATUS_OK ? schema_index_categories(work->host, out, why) : status;
}

/* --------------------------------------------------------------- passes -- */

/* Make room for the columns of a pass. */
static Status
work_begin(BinsWork *work, Failure *why)
{
	const Host *host = work->host;
	size_t		n_sample = work->rows->n_sample;
	Status		status;

	work->n_columns = work->frame->spilled ? PASS_COLUMNS : 1;
	if (work->n_columns > work->frame->n_columns)
		work->n_columns = work->frame->n_columns;
	if (work->frame->spilled)
		work->buffer_bytes = work->n_columns *
			(FRAME_CHUNK_ROWS * sizeof(double) + FRAME_STAGGER_BYTES);
	status = memory_new_raw(host, work->buffer_bytes, 1, &work->buffer, why);
	if (status == STATUS_OK)
		status = memory_new_raw(host, n_sample, sizeof(uint64_t), &work->scratch, why);
	if (status == STATUS_OK)
		status = memory_new_raw(host, n_sample, sizeof(uint32_t), &work->counts, why);
	if (status == STATUS_OK)
		status = memory_new(host, work->n_columns, sizeof(BinsColumn), &work->columns, why);
	for (uint32_t i = 0; i < work->n_columns && status == STATUS_OK; i++)
		status = memory_new_raw(host, n_sample, sizeof(uint64_t), &work->columns[i].keys, why);
	return status;
}

size_t
bins_work_bytes(const ForestFrame *frame, size_t n_rows)
{
	size_t		n_sample = n_rows < BINS_SAMPLE_ROWS ? n_rows : BINS_SAMPLE_ROWS;
	size_t		n_columns = frame->spilled ? PASS_COLUMNS : 1;

	return n_columns * (sizeof(BinsColumn) + n_sample * sizeof(uint64_t)) +
		n_sample * (sizeof(uint64_t) + 2 * sizeof(uint32_t)) +
		(frame->spilled ? frame->cells_bytes : 0);
}

static void
work_end(BinsWork *work)
{
	const Host *host = work->host;

	for (uint32_t i = 0; work->columns != NULL && i < work->n_columns; i++)
		memory_free(host, work->columns[i].keys, work->rows->n_sample, sizeof(uint64_t));
	memory_free(host, work->columns, work->n_columns, sizeof(BinsColumn));
	memory_free(host, work->counts, work->rows->n_sample, sizeof(uint32_t));
	memory_free(host, work->scratch, work->rows->n_sample, sizeof(uint64_t));
	memory_free(host, work->buffer, work->buffer_bytes, 1);
}

/* Add the values of a column in a chunk; sample are the n_sample of its rows that are in it. */
static void
collect_numbers(BinsColumn *c, const double *values, const uint8_t *trains, size_t n,
				const uint32_t *sample, size_t n_sample)
{
	size_t		n_keys = c->n_keys;

	if (c->set.n <= FOREST_VALUE_BINS)
		distinct_add_rows(&c->set, values, trains, n);
	for (size_t i = 0; i < n_sample; i++)
	{
		double		value = values[sample[i] & (FRAME_CHUNK_ROWS - 1)];

		c->keys[n_keys] = sort_key_of_double(value);
		n_keys += !isnan(value);
	}
	c->n_keys = n_keys;
}

/* Count the texts of a column in a chunk. */
static void
collect_texts(BinsColumn *c, size_t n_texts, const uint32_t *ids, const uint8_t *trains,
			  size_t n)
{
	for (size_t i = 0; i < n; i++)
		c->counts[ids[i] == FRAME_MISSING_ID ? n_texts : ids[i]] += trains[i];
}

/* One pass over the chunks for n columns from `first` on. */
static Status
collect_columns(BinsWork *work, uint32_t first, uint32_t n, Failure *why)
{
	const ForestFrame *frame = work->frame;
	const BinsRows *rows = work->rows;
	size_t		sampled = 0;	/* rows of the sample in the chunks before */

	for (size_t chunk = 0; chunk < frame->n_chunks; chunk++)
	{
		size_t		begin = chunk << FRAME_CHUNK_SHIFT;
		size_t		n_rows = frame_chunk_rows(frame, chunk);
		const uint32_t *sample = rows->sample + sampled;
		const uint8_t *cells;
		Status		status = STATUS_OK;

		if (frame->spilled || chunk % 256 == 0)
			status = host_poll(work->host, why);
		if (status == STATUS_OK)
			status = frame_cells(frame, chunk, first, n, work->buffer, &cells, why);
		if (status != STATUS_OK)
			return status;
		while (sampled < rows->n_sample && rows->sample[sampled] < begin + n_rows)
			sampled++;
		for (uint32_t i = 0; i < n; i++)
		{
			const FrameColumn *column = &frame->columns[first + i];
			const void *section = cells + column->offset - frame->columns[first].offset;

			if (column->kind == FOREST_CATEGORY)
				collect_texts(&work->columns[i], column->dictionary.n_texts, section,
							  rows->trains + begin, n_rows);
			else
				collect_numbers(&work->columns[i], section, rows->trains + begin, n_rows, sample,
								(size_t) (rows->sample + sampled - sample));
		}
	}
	return STATUS_OK;
}

/* Collect n columns and find their bins. */
static Status
bins_of_pass(BinsWork *work, uint32_t first, uint32_t n, ForestFeature *features,
			 ForestColumnFate *fates, Failure *why)
{
	Status		status = STATUS_OK;

	for (uint32_t i = 0; i < n; i++)
	{
		const FrameColumn *column = &work->frame->columns[first + i];
		BinsColumn *c = &work->columns[i];

		memset(&c->set, 0, sizeof(c->set));
		c->n_keys = 0;
		c->facts = work->frame->facts == NULL ? NULL : &work->frame->facts->columns[first + i];
		features[first + i].kind = column->kind;
		fates[first + i] = FOREST_KEPT;
		if (column->kind == FOREST_CATEGORY && status == STATUS_OK)
			status = memory_new(work->host, column->dictionary.n_texts + 1, sizeof(uint32_t),
								&c->counts, why);
	}
	if (status == STATUS_OK)
		status = collect_columns(work, first, n, why);
	for (uint32_t i = 0; i < n; i++)
	{
		const FrameColumn *column = &work->frame->columns[first + i];
		BinsColumn *c = &work->columns[i];

		if (status == STATUS_OK && column->kind != FOREST_CATEGORY)
			status = bins_numeric(work, c, column->integer, &features[first + i],
								  &fates[first + i], why);
		else if (status == STATUS_OK)
			status = bins_category(work, &column->dictionary, c->counts, c->facts,
								   &features[first + i], &fates[first + i], why);
		memory_free(work->host, c->counts, column->dictionary.n_texts + 1, sizeof(uint32_t));
		c->counts = NULL;
	}
	return status;
}

Status
bins_of_columns(const Host *host, const ForestFrame *frame, const BinsRows *rows,
				ForestFeature *features, ForestColumnFate *fates, Failure *why)
{
	BinsWork	work = {.host = host, .frame = frame, .rows = rows};
	Status		status = work_begin(&work, why);

	for (uint32_t first = 0; first < frame->n_columns && status == STATUS_OK;
		 first += work.n_columns)
	{
		uint32_t	left = frame->n_columns - first;

		status = bins_of_pass(&work, first, left < work.n_columns ? left : work.n_columns,
							  features, fates, why);
	}
	work_end(&work);
	return status;
}
