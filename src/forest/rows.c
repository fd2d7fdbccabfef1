/*
 * rows.c
 *	  The rows of a tree: drawing them and moving them.
 *
 * A tree's rows are records in one of two buffers: the row's bins and its
 * payload side by side, so that a histogram reads memory in order.  A split
 * moves them to the other buffer, the left child's from the front of the
 * node's range upwards, the right child's from its end downwards; every pass
 * is sequential.  Rows of very many features stay where they are, and the
 * record holds their number instead.
 *
 * All sums are integers, so the order in which rows come never matters.
 */
#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "core/rng.h"
#include "forest/grow.h"

/* Rows between two questions whether to go on. */
#define POLL_ROWS 65536
/* Rows whose counts are drawn together. */
#define DRAW_ROWS 1024
/* Sums of counts below this many rows stay below 2^32. */
#define PACKED_ROWS (UINT32_C(1) << 28)
/* Records between asking for a row of the matrix and reading it. */
#define PREFETCH_ROWS 8

#if defined(__GNUC__)
#define ALWAYS_INLINE inline __attribute__((always_inline))
#else
#define ALWAYS_INLINE inline
#endif

/* ---------------------------------------------------------------- layout -- */

static uint32_t
payload_bytes(GrowPayload payload)
{
	return payload == GROW_PACKED ? sizeof(uint32_t)
		: payload == GROW_COUNTS ? 2 * sizeof(uint32_t) : 2 * sizeof(uint64_t);
}

static uint32_t
round_up(uint32_t n, uint32_t to)
{
	return (n + to - 1) / to * to;
}

void
grow_choose_layout(ForestGrower *g)
{
	const ForestTraining *t = g->t;
	uint32_t	bytes;
	uint32_t	alignment;

	if (t->n_train < PACKED_ROWS && !t->weighted && t->schema.n_classes == 2)
		g->payload = GROW_PACKED;
	else if (t->n_train < PACKED_ROWS && !t->weighted && t->schema.n_classes > 2)
		g->payload = GROW_COUNTS;
	else
		g->payload = t->schema.n_classes > 2 ? GROW_CLASSES : GROW_SUMS;
	g->heaviest = t->weighted ? 0 : t->settings.bootstrap ? TRAINING_THRESHOLDS - 1 : 1;

	bytes = payload_bytes(g->payload);
	alignment = bytes < sizeof(uint64_t) ? bytes : sizeof(uint64_t);
	g->payload_offset = round_up(t->schema.n_features, alignment);
	g->record_bytes = round_up(g->payload_offset + bytes, sizeof(uint64_t));
	g->wide = g->record_bytes > GROW_NARROW_BYTES;
	if (!g->wide)
		return;
	g->payload_offset = round_up(sizeof(uint32_t), alignment);
	g->record_bytes = round_up(g->payload_offset + bytes, sizeof(uint64_t));
}

size_t
grow_buffer_bytes(const ForestGrower *g)
{
	const ForestTraining *t = g->t;
	double		rows = t->n_train;

	if (t->settings.bootstrap)
		rows = rows * (1 - (double) t->settings.thresholds[0] * 0x1.0p-64) + 4 * sqrt(rows) + 16;
	if (rows > t->n_train)
		rows = t->n_train;
	return (size_t) rows * g->record_bytes;
}

/* --------------------------------------------------------------- sampling -- */

/* How often each of n rows is in the bag: #{k: u ≥ thresholds[k]} of its draw u. */
static ALWAYS_INLINE void
draw_counts(const uint64_t *restrict keys, uint32_t n, uint64_t purpose_key,
			const uint64_t *restrict thresholds, uint64_t *restrict draws,
			uint8_t *restrict counts)
{
	for (uint32_t i = 0; i < n; i++)
		draws[i] = rng_row_draw(purpose_key, keys[i]);
	for (uint32_t i = 0; i < n; i++)
		counts[i] = (uint8_t) ((draws[i] >= thresholds[0]) + (draws[i] >= thresholds[1]) +
							   (draws[i] >= thresholds[2]));
	for (uint32_t i = 0; i < n; i++)
		if (counts[i] == 3)
			while (counts[i] < TRAINING_THRESHOLDS - 1 && draws[i] >= thresholds[counts[i]])
				counts[i]++;
}

static void
draw_counts_portable(const uint64_t *keys, uint32_t n, uint64_t purpose_key,
					 const uint64_t *thresholds, uint8_t *counts)
{
	uint64_t	draws[DRAW_ROWS];

	draw_counts(keys, n, purpose_key, thresholds, draws, counts);
}

#ifdef CPU_X86
CPU_TARGET_AVX512 static void
draw_counts_avx512(const uint64_t *keys, uint32_t n, uint64_t purpose_key,
				   const uint64_t *thresholds, uint8_t *counts)
{
	uint64_t	draws[DRAW_ROWS];

	draw_counts(keys, n, purpose_key, thresholds, draws, counts);
}
#endif

/* The counts of n ≤ DRAW_ROWS rows of a chunk from the at-th on. */
static void
count_rows(const ForestGrower *g, bool bootstrap, const TrainingChunk *chunk, uint32_t at,
		   uint32_t n, uint8_t *counts)
{
	const GrowSettings *s = &g->t->settings;
	uint64_t	key = rng_purpose_key(s->seed, RNG_BOOTSTRAP, g->tree);

	if (!bootstrap)
	{
		memset(counts, 1, n);
		return;
	}
#ifdef CPU_X86
	/* it has a multiplication of 64-bit numbers */
	if (g->level >= CPU_AVX512)
	{
		draw_counts_avx512(chunk->keys + at, n, key, s->thresholds, counts);
		return;
	}
#endif
	draw_counts_portable(chunk->keys + at, n, key, s->thresholds, counts);
}

/* Make sure that buffer[0] has room for n more records. */
static Status
reserve_records(ForestGrower *g, uint32_t n, Failure *why)
{
	size_t		needed = ((size_t) g->n_rows + n) * g->record_bytes;

	if (needed <= g->buffer_bytes[0])
		return STATUS_OK;
	return memory_grow(g->host, &g->buffer[0], &g->buffer_bytes[0], needed, 1, why);
}

/* The weight of a row that is `count` times in the bag. */
static ALWAYS_INLINE uint64_t
row_weight(const ForestGrower *g, const TrainingChunk *chunk, uint32_t at, uint32_t label,
		   uint64_t count)
{
	if (chunk->weight != NULL)
		count *= chunk->weight[at];
	if (g->tree_factor != NULL)
		count *= g->tree_factor[label];
	return count;
}

/* Write a record's payload; returns the row's weight. */
static ALWAYS_INLINE uint64_t
put_payload(ForestGrower *g, GrowPayload payload, const TrainingChunk *chunk, uint32_t at,
			uint32_t count, uint8_t *to)
{
	uint32_t	label = chunk->label != NULL ? chunk->label[at] : 0;
	uint64_t	weight = payload == GROW_PACKED || payload == GROW_COUNTS ? count
		: row_weight(g, chunk, at, label, count);
	GrowPair	pair = {weight, 0};

	switch (payload)
	{
		case GROW_PACKED:
			*(uint32_t *) to = count | (count * label) << 16;
			g->sum += count * label;
			break;
		case GROW_COUNTS:
			((uint32_t *) to)[0] = count;
			((uint32_t *) to)[1] = label;
			break;
		case GROW_CLASSES:
			((uint64_t *) to)[0] = weight;
			((uint64_t *) to)[1] = label;
			break;
		case GROW_SUMS:
			pair.s = (int64_t) weight * (chunk->target != NULL ? chunk->target[at] : label);
			*(GrowPair *) to = pair;
			g->sum += pair.s;
			break;
	}
	return weight;
}

/* Append the rows of a chunk that are in the bag; rows of weight 0 are not. */
static ALWAYS_INLINE void
append_records(ForestGrower *g, GrowPayload payload, size_t copied, const TrainingChunk *chunk,
			   uint32_t at, uint32_t first_row, const uint8_t *counts, const uint16_t *picked,
			   uint32_t n, uint64_t *n_counts)
{
	size_t		row_bytes = g->t->row_bytes;
	size_t		record_bytes = g->record_bytes;
	size_t		payload_offset = g->payload_offset;
	uint64_t	weights = 0;
	uint64_t	all_counts = 0;
	uint32_t	n_rows = 0;
	uint8_t    *record = g->buffer[0] + (size_t) g->n_rows * g->record_bytes;
	const uint8_t *bins = chunk->bins + (size_t) at * row_bytes;

	for (uint32_t i = 0; i < n; i++)
	{
		uint32_t	row = picked[i];
		uint64_t	weight;

		if (copied == 0)
			*(uint32_t *) record = first_row + row;
		else
			for (size_t b = 0; b < copied; b += sizeof(uint64_t))
				memcpy(record + b, bins + row * row_bytes + b, sizeof(uint64_t));
		weight = put_payload(g, payload, chunk, at + row, counts[row],
							 record + payload_offset);
		if (weight == 0)
			continue;
		record += record_bytes;
		n_rows++;
		weights += weight;
		all_counts += counts[row];
	}
	g->n_rows += n_rows;
	g->weight += weights;
	*n_counts += all_counts;
}

/* The same with the bytes of a row's bins as a constant, where they are usual. */
static ALWAYS_INLINE void
append_sized(ForestGrower *g, GrowPayload payload, const TrainingChunk *chunk, uint32_t at,
			 uint32_t first_row, const uint8_t *counts, const uint16_t *picked, uint32_t n,
			 uint64_t *n_counts)
{
	size_t		row_bytes = g->t->row_bytes;
	size_t		copied = g->wide ? 0 : row_bytes < g->record_bytes ? row_bytes : g->record_bytes;

	if (copied == 16)
		append_records(g, payload, 16, chunk, at, first_row, counts, picked, n, n_counts);
	else if (copied == 24)
		append_records(g, payload, 24, chunk, at, first_row, counts, picked, n, n_counts);
	else if (copied == 32)
		append_records(g, payload, 32, chunk, at, first_row, counts, picked, n, n_counts);
	else
		append_records(g, payload, copied, chunk, at, first_row, counts, picked, n, n_counts);
}

/* Append what is in the bag of n rows that have been counted. */
static Status
append_rows(ForestGrower *g, const TrainingChunk *chunk, uint32_t at, uint32_t first_row,
			const uint8_t *counts, uint32_t n, uint64_t *n_counts, Failure *why)
{
	uint16_t	picked[DRAW_ROWS];
	uint32_t	n_picked = 0;
	Status		status;

	for (uint32_t i = 0; i < n; i++)
	{
		picked[n_picked] = (uint16_t) i;
		n_picked += counts[i] > 0;
	}
	status = reserve_records(g, n_picked, why);
	if (status != STATUS_OK)
		return status;
	switch (g->payload)
	{
		case GROW_PACKED:
			append_sized(g, GROW_PACKED, chunk, at, first_row, counts, picked, n_picked, n_counts);
			break;
		case GROW_SUMS:
			append_sized(g, GROW_SUMS, chunk, at, first_row, counts, picked, n_picked, n_counts);
			break;
		case GROW_COUNTS:
			append_sized(g, GROW_COUNTS, chunk, at, first_row, counts, picked, n_picked, n_counts);
			break;
		case GROW_CLASSES:
			append_sized(g, GROW_CLASSES, chunk, at, first_row, counts, picked, n_picked, n_counts);
			break;
	}
	return STATUS_OK;
}

/* Some rows of the training that lie behind each other in one chunk. */
static uint32_t
rows_together(const ForestTraining *t, uint32_t row)
{
	uint32_t	n = (UINT32_C(1) << t->chunk_shift) - training_in_chunk(t, row);

	if (n > DRAW_ROWS)
		n = DRAW_ROWS;
	return n < t->n_train - row ? n : t->n_train - row;
}

/*
 * The class weights of balanced_subsample, by the frequencies in this tree's
 * draw: n / (classes × n_k), as fixed point with that of the rarest class at
 * the largest factor, since only their ratios matter.
 */
static Status
balance_tree(ForestGrower *g, bool bootstrap, Failure *why)
{
	const ForestTraining *t = g->t;
	uint32_t	n_classes = t->schema.n_classes;
	uint64_t	rarest = UINT64_MAX;
	uint8_t		counts[DRAW_ROWS];
	uint32_t	n;

	memset(g->tree_factor, 0, n_classes * sizeof(uint64_t));
	for (uint32_t row = 0; row < t->n_train; row += n)
	{
		const TrainingChunk *chunk = training_chunk(t, row);
		uint32_t	at = training_in_chunk(t, row);

		if (row % POLL_ROWS == 0 && host_poll(g->host, why) != STATUS_OK)
			return STATUS_CANCELLED;
		n = rows_together(t, row);
		count_rows(g, bootstrap, chunk, at, n, counts);
		for (uint32_t i = 0; i < n; i++)
			g->tree_factor[chunk->label[at + i]] += counts[i];
	}
	for (uint32_t k = 0; k < n_classes; k++)
		if (g->tree_factor[k] > 0 && g->tree_factor[k] < rarest)
			rarest = g->tree_factor[k];
	for (uint32_t k = 0; k < n_classes; k++)
	{
		uint64_t	n_k = g->tree_factor[k];

		if (n_k > 0)
			g->tree_factor[k] = (rarest * t->class_factor[k] + n_k / 2) / n_k;
		if (n_k > 0 && g->tree_factor[k] == 0)
			g->tree_factor[k] = 1;
	}
	return STATUS_OK;
}

/* Fill buffer[0]: with the rows of the bag, or with every row once. */
static Status
draw_rows(ForestGrower *g, bool bootstrap, Failure *why)
{
	const ForestTraining *t = g->t;
	uint64_t	n_counts = 0;
	uint8_t		counts[DRAW_ROWS];
	uint32_t	n;
	Status		status = STATUS_OK;

	if (t->settings.balanced_subsample)
		status = balance_tree(g, bootstrap, why);
	g->n_rows = 0;
	g->weight = 0;
	g->sum = 0;
	for (uint32_t row = 0; row < t->n_train && status == STATUS_OK; row += n)
	{
		const TrainingChunk *chunk = training_chunk(t, row);
		uint32_t	at = training_in_chunk(t, row);

		n = rows_together(t, row);
		if (row % POLL_ROWS == 0)
			status = host_poll(g->host, why);
		if (status != STATUS_OK)
			break;
		count_rows(g, bootstrap, chunk, at, n, counts);
		status = append_rows(g, chunk, at, row, counts, n, &n_counts, why);
	}
	g->mean_weight = t->weighted && n_counts > 0 ? (double) g->weight / (double) n_counts : 1;
	return status;
}

Status
grow_sample(ForestGrower *g, Failure *why)
{
	Status		status = draw_rows(g, g->t->settings.bootstrap, why);

	/* of few rows sometimes none is drawn: the tree is then one leaf, of all rows */
	g->is_stump = g->n_rows == 0;
	if (status == STATUS_OK && g->is_stump)
		status = draw_rows(g, false, why);
	if (status == STATUS_OK && g->buffer_bytes[1] < g->buffer_bytes[0])
		status = memory_grow(g->host, &g->buffer[1], &g->buffer_bytes[1], g->buffer_bytes[0], 1,
							 why);
	return status;
}

/* ----------------------------------------------------------- partitioning -- */

/*
 * Move n records of a constant size.  Where a row goes is arithmetic on its
 * side, without a branch.
 */
static ALWAYS_INLINE uint32_t
move_rows(const ForestGrower *g, bool wide, const uint8_t *record, uint32_t n, size_t size,
		  uint8_t *begin, uint8_t **end, uint32_t feature, const uint8_t goes_left[256])
{
	uint8_t    *left = begin;
	uint8_t    *right = *end - size;

	for (uint32_t row = 0; row < n; row++, record += size)
	{
		const uint8_t *bins = wide ? training_bins(g->t, *(const uint32_t *) record) : record;
		ptrdiff_t	is_left = -(ptrdiff_t) goes_left[bins[feature]];	/* all bits, or none */
		size_t		step = size & (size_t) is_left;
		uint8_t    *to = right + ((left - right) & is_left);

#if defined(__GNUC__)
		if (wide && row + PREFETCH_ROWS < n)
			__builtin_prefetch(grow_record_bins(g, record + PREFETCH_ROWS * size) + feature);
#endif
		memcpy(to, record, size);
		left += step;
		right -= size - step;
	}
	*end = right + size;
	return (uint32_t) ((size_t) (left - begin) / size);
}

/* move_rows with the size as a constant. */
static uint32_t
move_rows_sized(const ForestGrower *g, const uint8_t *record, uint32_t n, uint8_t *begin,
				uint8_t **end, uint32_t feature, const uint8_t goes_left[256])
{
	if (g->wide)
		return move_rows(g, true, record, n, g->record_bytes, begin, end, feature, goes_left);
	switch (g->record_bytes)
	{
		case 8:
			return move_rows(g, false, record, n, 8, begin, end, feature, goes_left);
		case 16:
			return move_rows(g, false, record, n, 16, begin, end, feature, goes_left);
		case 24:
			return move_rows(g, false, record, n, 24, begin, end, feature, goes_left);
		case 32:
			return move_rows(g, false, record, n, 32, begin, end, feature, goes_left);
		case 40:
			return move_rows(g, false, record, n, 40, begin, end, feature, goes_left);
		case 48:
			return move_rows(g, false, record, n, 48, begin, end, feature, goes_left);
		case 56:
			return move_rows(g, false, record, n, 56, begin, end, feature, goes_left);
		default:
			return move_rows(g, false, record, n, g->record_bytes, begin, end, feature,
							 goes_left);
	}
}

/* How many of n records go left. */
static uint32_t
count_left(const ForestGrower *g, const uint8_t *record, uint32_t n, uint32_t feature,
		   const uint8_t goes_left[256])
{
	uint32_t	n_left = 0;

	for (uint32_t row = 0; row < n; row++, record += g->record_bytes)
		n_left += goes_left[grow_record_bins(g, record)[feature]];
	return n_left;
}

Status
grow_partition(ForestGrower *g, const GrowNode *node, const uint8_t goes_left[256], bool move,
			   uint32_t *n_left, Failure *why)
{
	const uint8_t *record = grow_records(g, node);
	uint8_t    *begin = g->buffer[1 - node->side] + (size_t) node->begin * g->record_bytes;
	uint8_t    *end = begin + (size_t) node->n * g->record_bytes;
	uint32_t	todo = node->n;

	*n_left = 0;
	while (todo > 0)
	{
		uint32_t	n = todo < POLL_ROWS ? todo : POLL_ROWS;

		if (n == POLL_ROWS && host_poll(g->host, why) != STATUS_OK)
			return STATUS_CANCELLED;
		*n_left += move
			? move_rows_sized(g, record, n, begin + (size_t) *n_left * g->record_bytes, &end,
							  node->feature, goes_left)
			: count_left(g, record, n, node->feature, goes_left);
		record += (size_t) n * g->record_bytes;
		todo -= n;
	}
	return STATUS_OK;
}
