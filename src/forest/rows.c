/*
 * rows.c
 *	  The rows of a tree: drawing them, counting them, moving them.
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
#include <string.h>

#include "core/memory.h"
#include "core/rng.h"
#include "forest/grow.h"

/* Rows between two questions whether to go on. */
#define POLL_ROWS 65536
/* Below this many rows a node's occupied bins are found by looking at the rows. */
#define SMALL_NODE_ROWS 128

/* --------------------------------------------------------------- sampling -- */

/* Make sure that buffer[0] has room for one more record. */
static Status
reserve_record(ForestGrower *g, Failure *why)
{
	size_t		needed = ((size_t) g->n_rows + 1) * g->record_bytes;

	if (needed <= g->buffer_bytes[0])
		return STATUS_OK;
	return memory_grow(g->host, &g->buffer[0], &g->buffer_bytes[0], needed, 1, why);
}

/* Append one row that is `count` times in the bag. */
static void
append_record(ForestGrower *g, const TrainingChunk *chunk, uint32_t at, uint32_t row,
			  uint32_t count)
{
	const ForestTraining *t = g->t;
	uint8_t    *record = g->buffer[0] + (size_t) g->n_rows * g->record_bytes;
	uint64_t   *payload = (uint64_t *) (record + g->payload_offset);
	uint64_t	weight = count;
	uint32_t	label = chunk->label != NULL ? chunk->label[at] : 0;

	if (chunk->weight != NULL)
		weight *= chunk->weight[at];
	if (g->tree_factor != NULL)
		weight *= g->tree_factor[label];
	if (weight == 0)
		return;
	if (g->wide)
		*(uint32_t *) record = row;
	else
		memcpy(record, chunk->bins + (size_t) at * t->row_bytes, t->row_bytes);
	payload[0] = weight;
	if (g->payload == GROW_PACKED)
		payload[0] = weight | (weight * label) << 32;
	else if (g->payload == GROW_CLASSES)
		payload[1] = label;
	else if (chunk->label != NULL)
		payload[1] = label * weight;
	else
		((int64_t *) payload)[1] = (int64_t) weight * chunk->target[at];
	g->n_rows++;
	g->weight += weight;
}

/* How often a row is in the bag; without bootstrap once. */
static inline uint32_t
draw_count(const ForestTraining *t, bool bootstrap, uint64_t purpose_key, uint64_t row_key)
{
	return bootstrap ? training_count(&t->settings, rng_row_draw(purpose_key, row_key)) : 1;
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
	uint64_t	key = rng_purpose_key(t->settings.seed, RNG_BOOTSTRAP, g->tree);
	uint32_t	n_classes = t->schema.n_classes;
	uint64_t	rarest = UINT64_MAX;

	memset(g->tree_factor, 0, n_classes * sizeof(uint64_t));
	for (uint32_t row = 0; row < t->n_train; row++)
	{
		const TrainingChunk *chunk = training_chunk(t, row);
		uint32_t	at = training_in_chunk(t, row);

		if (row % POLL_ROWS == 0 && host_poll(g->host, why) != STATUS_OK)
			return STATUS_CANCELLED;
		g->tree_factor[chunk->label[at]] += draw_count(t, bootstrap, key, chunk->keys[at]);
	}
	for (uint32_t k = 0; k < n_classes; k++)
		if (g->tree_factor[k] > 0 && g->tree_factor[k] < rarest)
			rarest = g->tree_factor[k];
	for (uint32_t k = 0; k < n_classes; k++)
	{
		uint64_t	n = g->tree_factor[k];

		if (n > 0)
			g->tree_factor[k] = (rarest * t->class_factor[k] + n / 2) / n;
		if (n > 0 && g->tree_factor[k] == 0)
			g->tree_factor[k] = 1;
	}
	return STATUS_OK;
}

/* Fill buffer[0]: with the rows of the bag, or with every row once. */
static Status
draw_rows(ForestGrower *g, bool bootstrap, Failure *why)
{
	const ForestTraining *t = g->t;
	uint64_t	key = rng_purpose_key(t->settings.seed, RNG_BOOTSTRAP, g->tree);
	uint64_t	n_counts = 0;
	Status		status = STATUS_OK;

	if (t->settings.balanced_subsample)
		status = balance_tree(g, bootstrap, why);
	if (status != STATUS_OK)
		return status;
	g->n_rows = 0;
	g->weight = 0;
	for (uint32_t row = 0; row < t->n_train; row++)
	{
		const TrainingChunk *chunk = training_chunk(t, row);
		uint32_t	at = training_in_chunk(t, row);
		uint32_t	count = draw_count(t, bootstrap, key, chunk->keys[at]);
		uint32_t	n_before = g->n_rows;

		if (row % POLL_ROWS == 0)
			status = host_poll(g->host, why);
		if (count > 0 && status == STATUS_OK)
			status = reserve_record(g, why);
		if (status != STATUS_OK)
			return status;
		if (count > 0)
			append_record(g, chunk, at, row, count);
		if (g->n_rows > n_before)
			n_counts += count;	/* rows of weight 0 are not there */
	}
	g->mean_weight = t->weighted && n_counts > 0 ? (double) g->weight / (double) n_counts : 1;
	return STATUS_OK;
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

/* ------------------------------------------------------------- histograms -- */

/*
 * Add n records to the histograms of k features.  Compiled for each payload:
 * `payload` is a constant in every copy.
 */
static inline void
add_rows(ForestGrower *g, GrowPayload payload, const uint8_t *record, uint32_t n,
		 const uint32_t *features, uint32_t k)
{
	size_t		stride = g->record_bytes;
	size_t		per_bin = g->cells_per_bin;
	size_t		per_feature = per_bin * 256;

	for (uint32_t row = 0; row < n; row++, record += stride)
	{
		const uint8_t *bins = grow_record_bins(g, record);
		const uint64_t *load = (const uint64_t *) (record + g->payload_offset);
		uint64_t   *cells = g->cells;

		for (uint32_t i = 0; i < k; i++, cells += per_feature)
		{
			uint32_t	bin = bins[features[i]];

			if (payload == GROW_PACKED)
				cells[bin] += load[0];
			else if (payload == GROW_SUMS)
			{
				cells[bin * 2] += load[0];
				cells[bin * 2 + 1] += load[1];
			}
			else
			{
				cells[bin * per_bin] += load[0];
				cells[bin * per_bin + 1 + load[1]] += load[0];
			}
		}
	}
}

/* Count rows per bin, for min_samples_leaf. */
static void
count_rows(ForestGrower *g, const uint8_t *record, uint32_t n, const uint32_t *features,
		   uint32_t k)
{
	for (uint32_t row = 0; row < n; row++, record += g->record_bytes)
	{
		const uint8_t *bins = grow_record_bins(g, record);

		for (uint32_t i = 0; i < k; i++)
			g->row_counts[i * 256 + bins[features[i]]]++;
	}
}

Status
grow_histograms(ForestGrower *g, const GrowNode *node, const uint32_t *features,
				uint32_t n_features, Failure *why)
{
	const uint8_t *record = g->buffer[node->side] + (size_t) node->begin * g->record_bytes;
	uint32_t	left = node->n;

	while (left > 0)
	{
		uint32_t	n = left < POLL_ROWS ? left : POLL_ROWS;

		if (n == POLL_ROWS && host_poll(g->host, why) != STATUS_OK)
			return STATUS_CANCELLED;
		switch (g->payload)
		{
			case GROW_PACKED:
				add_rows(g, GROW_PACKED, record, n, features, n_features);
				break;
			case GROW_SUMS:
				add_rows(g, GROW_SUMS, record, n, features, n_features);
				break;
			case GROW_CLASSES:
				add_rows(g, GROW_CLASSES, record, n, features, n_features);
				break;
		}
		if (g->t->settings.min_samples_leaf > 1)
			count_rows(g, record, n, features, n_features);
		record += (size_t) n * g->record_bytes;
		left -= n;
	}
	return STATUS_OK;
}

/* One cell as sums. */
static inline void
take_cell(ForestGrower *g, uint64_t *cell, uint32_t *row_count, SplitBin *out)
{
	out->sums.w = g->payload == GROW_PACKED ? cell[0] & UINT32_MAX : cell[0];
	out->sums.s = 0;
	out->classes = NULL;
	if (g->payload == GROW_PACKED)
		out->sums.s = (int64_t) (cell[0] >> 32);
	else if (g->payload == GROW_SUMS)
		out->sums.s = (int64_t) cell[1];
	else
		out->classes = cell + 1;
	out->sums.n = *row_count;
	*row_count = 0;
}

/* Mark the bins that a small node's rows have. */
static void
mark_bins(const ForestGrower *g, const GrowNode *node, uint32_t feature, uint64_t marks[4])
{
	const uint8_t *record = g->buffer[node->side] + (size_t) node->begin * g->record_bytes;

	for (uint32_t row = 0; row < node->n; row++, record += g->record_bytes)
	{
		uint32_t	bin = grow_record_bins(g, record)[feature];

		marks[bin >> 6] |= UINT64_C(1) << (bin & 63);
	}
}

uint32_t
grow_collect(ForestGrower *g, const GrowNode *node, uint32_t i, uint32_t feature,
			 SplitBin *missing)
{
	size_t		per_bin = g->cells_per_bin;
	uint64_t   *cells = g->cells + i * per_bin * 256;
	uint32_t   *row_counts = g->row_counts + i * 256;
	uint64_t	marks[4] = {0, 0, 0, 0};
	uint32_t	n = 0;

	if (node->n < SMALL_NODE_ROWS)
		mark_bins(g, node, feature, marks);
	else
		for (uint32_t bin = 0; bin < 256; bin++)
			marks[bin >> 6] |= (uint64_t) (cells[bin * per_bin] != 0) << (bin & 63);
	memset(missing, 0, sizeof(*missing));
	missing->bin = FOREST_MISSING;
	for (uint32_t word = 0; word < 4; word++)
	{
		for (; marks[word] != 0; marks[word] &= marks[word] - 1)
		{
			uint32_t	bin = word * 64 + (uint32_t) __builtin_ctzll(marks[word]);
			SplitBin   *out = bin == FOREST_MISSING ? missing : &g->bins[n++];

			take_cell(g, cells + bin * per_bin, row_counts + bin, out);
			out->bin = bin;
		}
	}
	return n;
}

void
grow_release(ForestGrower *g, uint32_t i, uint32_t n_bins)
{
	size_t		per_bin = g->cells_per_bin;
	uint64_t   *cells = g->cells + i * per_bin * 256;

	for (uint32_t b = 0; b < n_bins; b++)
		memset(cells + g->bins[b].bin * per_bin, 0, per_bin * sizeof(uint64_t));
	memset(cells + FOREST_MISSING * per_bin, 0, per_bin * sizeof(uint64_t));
}

/* ----------------------------------------------------------- partitioning -- */

/*
 * Move n records of a constant size.  Where a row goes is arithmetic on its
 * side, without a branch.
 */
static inline uint32_t
move_rows(const ForestGrower *g, const uint8_t *record, uint32_t n, size_t size, uint8_t *begin,
		  uint8_t **end, uint32_t feature, const uint8_t goes_left[256])
{
	uint8_t    *left = begin;
	uint8_t    *right = *end;

	for (uint32_t row = 0; row < n; row++, record += size)
	{
		size_t		is_left = goes_left[grow_record_bins(g, record)[feature]];
		uint8_t    *to = is_left ? left : right - size;

		memcpy(to, record, size);
		left += is_left * size;
		right -= (1 - is_left) * size;
	}
	*end = right;
	return (uint32_t) ((size_t) (left - begin) / size);
}

/* move_rows for the sizes that occur often, with the size as a constant. */
static uint32_t
move_rows_sized(const ForestGrower *g, const uint8_t *record, uint32_t n, uint8_t *begin,
				uint8_t **end, uint32_t feature, const uint8_t goes_left[256])
{
	switch (g->record_bytes)
	{
		case 16:
			return move_rows(g, record, n, 16, begin, end, feature, goes_left);
		case 24:
			return move_rows(g, record, n, 24, begin, end, feature, goes_left);
		case 32:
			return move_rows(g, record, n, 32, begin, end, feature, goes_left);
		case 40:
			return move_rows(g, record, n, 40, begin, end, feature, goes_left);
		case 48:
			return move_rows(g, record, n, 48, begin, end, feature, goes_left);
		default:
			return move_rows(g, record, n, g->record_bytes, begin, end, feature, goes_left);
	}
}

Status
grow_partition(ForestGrower *g, const GrowNode *node, const uint8_t goes_left[256], bool move,
			   uint32_t *n_left, Failure *why)
{
	size_t		offset = (size_t) node->begin * g->record_bytes;
	const uint8_t *record = g->buffer[node->side] + offset;
	uint8_t    *begin = g->buffer[1 - node->side] + offset;
	uint8_t    *end = begin + (size_t) node->n * g->record_bytes;
	uint32_t	todo = node->n;
	uint32_t	feature = node->split.feature;

	*n_left = 0;
	while (todo > 0)
	{
		uint32_t	n = todo < POLL_ROWS ? todo : POLL_ROWS;

		if (n == POLL_ROWS && host_poll(g->host, why) != STATUS_OK)
			return STATUS_CANCELLED;
		if (move)
			*n_left += move_rows_sized(g, record, n, begin + (size_t) *n_left * g->record_bytes,
									   &end, feature, goes_left);
		else
			for (uint32_t row = 0; row < n; row++)
				*n_left += goes_left[grow_record_bins(g, record +
													  (size_t) row * g->record_bytes)[feature]];
		record += (size_t) n * g->record_bytes;
		todo -= n;
	}
	return STATUS_OK;
}
