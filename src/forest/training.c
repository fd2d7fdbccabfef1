/*
 * training.c
 *	  From a frame to what trees are grown from.
 *
 * The steps: put the rows in canonical order and give every row its key; say
 * which rows train; find the features' bins from the training rows; resolve
 * the parameters against them (prepare.c, settings.c); turn targets and
 * weights into fixed point (here); and encode the cells (encode_rows.c).  The
 * result depends on the multiset of rows alone: sums of doubles are only
 * taken in canonical order.
 */
#include "forest/training.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "core/real.h"
#include "core/sort.h"
#include "forest/bins.h"
#include "forest/grow.h"
#include "forest/prepare.h"

#define MAX_CHUNK_SHIFT 16

/* Cuts of a column, once as the feature's and once to encode with. */
#define COLUMN_BYTES (2 * 256 * sizeof(double) + sizeof(ForestFeature))

/* A row that is scored has a label, twice, and two places in a sort. */
#define SCORE_BYTES (5 + 2 * sizeof(SortItem))

/* Rows in a leaf of a classification tree grown to the end: 2 where all is noise, else 4 to 8. */
#define LEAF_ROWS 2

/* ----------------------------------------------------------------- chunks -- */

size_t
training_chunk_layout(const ForestTraining *t, uint32_t index, TrainingChunk *chunk, void *block)
{
	bool		regression = t->schema.task == FOREST_REGRESSION;
	uint32_t	begin = index << t->chunk_shift;
	size_t		rows = (size_t) 1 << t->chunk_shift;
	size_t		targets;
	size_t		weights;
	size_t		bins;
	uint8_t    *at = block;

	if (rows > t->n_rows - begin)
		rows = t->n_rows - begin;
	rows = (rows + 1) & ~(size_t) 1;	/* so that 4-byte sections end at 8 */
	targets = rows * sizeof(uint64_t);
	weights = targets + rows * (regression ? sizeof(int64_t) : sizeof(uint32_t));
	bins = weights + (t->row_weighted ? rows * sizeof(uint32_t) : 0);
	memset(chunk, 0, sizeof(*chunk));
	chunk->n_bytes = bins + rows * t->row_bytes;
	if (block == NULL)
		return chunk->n_bytes;
	chunk->block = block;
	chunk->keys = (const uint64_t *) at;
	chunk->target = regression ? (const int64_t *) (at + targets) : NULL;
	chunk->label = regression ? NULL : (const uint32_t *) (at + targets);
	chunk->weight = t->row_weighted ? (const uint32_t *) (at + weights) : NULL;
	chunk->bins = at + bins;
	return chunk->n_bytes;
}

/* Bytes of one row in all sections. */
static size_t
row_total_bytes(const ForestTraining *t)
{
	return sizeof(uint64_t) + t->row_bytes +
		(t->schema.task == FOREST_REGRESSION ? sizeof(int64_t) : sizeof(uint32_t)) +
		(t->row_weighted ? sizeof(uint32_t) : 0);
}

Status
training_chunks_new(ForestTraining *t, Failure *why)
{
	Status		status = STATUS_OK;

	t->row_bytes = (t->schema.n_features + 7) / 8 * 8;
	while (t->chunk_shift < MAX_CHUNK_SHIFT && (UINT32_C(1) << t->chunk_shift) < t->n_rows &&
		   (row_total_bytes(t) << (t->chunk_shift + 1)) <= FOREST_CHUNK_BYTES)
		t->chunk_shift++;
	t->n_chunks = (uint32_t) ((t->n_rows + (UINT64_C(1) << t->chunk_shift) - 1) >>
							  t->chunk_shift);
	status = memory_new(t->host, t->n_chunks, sizeof(TrainingChunk), &t->chunks, why);
	if (status != STATUS_OK)
	{
		t->n_chunks = 0;
		return status;
	}
	for (uint32_t c = 0; c < t->n_chunks && status == STATUS_OK; c++)
	{
		TrainingChunk chunk;
		void	   *block;
		size_t		n_bytes = training_chunk_layout(t, c, &chunk, NULL);

		status = host_poll(t->host, why);
		if (status == STATUS_OK)
			status = memory_new(t->storage, n_bytes, 1, &block, why);
		if (status == STATUS_OK)
			training_chunk_layout(t, c, &t->chunks[c], block);
	}
	return status;
}

/* ---------------------------------------------------------------- targets -- */

/*
 * The fixed point of a regression target: offset and as many binary places as
 * let every sum over rows (count × weight × value) and over trees stay below
 * 2^62.  The offset is the mean, so that sums are small; of Poisson deviance 0,
 * since that asks whether sums of targets are 0.
 */
static Status
find_scale(Prepare *p, Failure *why)
{
	ForestTraining *t = p->t;
	ForestSchema *schema = &t->schema;
	bool		poisson = t->settings.criterion == FOREST_POISSON;
	int			scale = prepare_row_scale(t);
	RealSum		mean = {0, 0};
	RealSum		deviation = {0, 0};
	double		largest = 0;
	double		least = INFINITY;
	uint32_t	n = 0;
	int			unit;
	int			exponent;

	for (uint32_t i = 0; i < t->n_train; i++)
		n += prepare_weighs(t, i);
	for (uint32_t i = 0; i < t->n_train; i++)
	{
		if (!prepare_weighs(t, i))
			continue;
		real_sum_add(&mean, t->target_value[i] / n);
		least = fmin(least, t->target_value[i]);
	}
	if (poisson && least < 0)
		return fail(why, STATUS_INVALID_DATA,
					"criterion \"poisson\" needs targets of at least 0");
	schema->target_offset = poisson ? 0 : real_sum_value(&mean);
	for (uint32_t i = 0; i < t->n_train; i++)
		if (prepare_weighs(t, i))
			largest = fmax(largest, fabs(t->target_value[i] - schema->target_offset));
	if (!isfinite(largest))
		return fail(why, STATUS_OUT_OF_RANGE, "the target's values are too far apart to add up");

	/* in units of the power of two above the largest, so that nothing overflows */
	frexp(largest, &unit);
	for (uint32_t i = 0; i < t->n_train; i++)
		if (prepare_weighs(t, i))
			real_sum_add(&deviation,
						 (t->row_weighted ? (double) prepare_fixed(t->row_weight[i], scale) : 1) *
						 ldexp(fabs(t->target_value[i] - schema->target_offset), -unit));
	frexp(real_sum_value(&deviation) * TRAINING_THRESHOLDS + t->settings.n_estimators, &exponent);
	schema->target_shift = 61 - exponent - unit;
	return STATUS_OK;
}

Status
prepare_target_scale(Prepare *p, Failure *why)
{
	ForestTraining *t = p->t;
	uint32_t	first = UINT32_MAX;
	bool		constant = true;
	Status		status;

	for (uint32_t i = 0; i < t->n_train; i++)
	{
		if (!prepare_weighs(t, i))
			continue;
		if (first == UINT32_MAX)
			first = i;
		constant &= t->target_value[i] == t->target_value[first];
	}
	if (constant)
	{
		status = fail(why, STATUS_INVALID_DATA, "the target has one value only, %.17g",
					  t->target_value[first]);
		fail_hint(why, "Give training rows with different targets.");
		return status;
	}
	return find_scale(p, why);
}

/* Copy regression targets into the training's order, and find their scale. */
static Status
prepare_targets(Prepare *p, Failure *why)
{
	ForestTraining *t = p->t;
	Status		status;

	if (t->schema.task == FOREST_CLASSIFICATION)
		return STATUS_OK;
	status = memory_new_raw(t->host, t->n_rows, sizeof(double), &t->target_value, why);
	if (status != STATUS_OK)
		return status;
	for (uint32_t i = 0; i < t->n_rows; i++)
		t->target_value[i] = FRAME_AT(p->frame, double, p->frame->target_offset, p->order[i]);
	return prepare_target_scale(p, why);
}

/* --------------------------------------------------------------- encoding -- */

Status
prepare_sections(Prepare *p, Failure *why)
{
	ForestTraining *t = p->t;
	int			shift = t->schema.target_shift;
	int			scale = prepare_row_scale(t);

	for (uint32_t i = 0; i < t->n_rows; i++)
	{
		const TrainingChunk *chunk = training_chunk(t, i);
		uint32_t	at = training_in_chunk(t, i);

		if (at == 0 && host_poll(p->host, why) != STATUS_OK)
			return STATUS_CANCELLED;
		((uint64_t *) chunk->keys)[at] = p->keys[i];
		if (chunk->target != NULL && i < t->n_train && prepare_weighs(t, i))
			((int64_t *) chunk->target)[at] =
				llround(ldexp(t->target_value[i] - t->schema.target_offset, shift));
		/* the holdout's weights are not used in growing, and may be larger */
		if (chunk->weight != NULL && i < t->n_train)
			((uint32_t *) chunk->weight)[at] = (uint32_t) prepare_fixed(t->row_weight[i], scale);
	}
	return STATUS_OK;
}

/* ------------------------------------------------------------ the whole -- */

static void
prepare_free(Prepare *p)
{
	memory_free(p->host, p->order, p->n, sizeof(uint32_t));
	memory_free(p->host, p->keys, p->n, sizeof(uint64_t));
	memory_free(p->host, p->trains, p->n, 1);
	memory_free(p->host, p->position, p->n, sizeof(uint32_t));
	memory_free(p->host, p->kept, p->frame->n_columns, sizeof(uint32_t));
}

static Status
prepare_memory(Prepare *p, Failure *why)
{
	Status		status;

	status = memory_new_raw(p->host, p->n, sizeof(uint32_t), &p->order, why);
	if (status == STATUS_OK)
		status = memory_new_raw(p->host, p->n, sizeof(uint64_t), &p->keys, why);
	if (status == STATUS_OK)
		status = memory_new_raw(p->host, p->n, 1, &p->trains, why);
	if (status == STATUS_OK)
		status = memory_new_raw(p->host, p->n, sizeof(uint32_t), &p->position, why);
	if (status == STATUS_OK)
		status = memory_new_raw(p->host, p->frame->n_columns, sizeof(uint32_t), &p->kept, why);
	return status;
}

Status
forest_training_new(const Host *host, const Host *storage, ForestFrame *frame,
					const ForestParams *params, const ForestSplit *split, ForestTraining **out,
					Failure *why)
{
	static Status (*const steps[]) (Prepare *p, Failure *why) = {
		prepare_memory, prepare_order, prepare_split, prepare_weights, prepare_classes,
		prepare_features, prepare_search, prepare_settings, prepare_targets
	};
	Prepare		p = {.host = host, .frame = frame, .params = params, .split = split,
	.n = frame->n_rows};
	Status		status;

	*out = NULL;
	if (frame->n_rows == 0)
	{
		status = fail(why, STATUS_INVALID_DATA, "the query returned no row with a known target");
		fail_detail(why, "Rows whose target is NULL: %zu.", frame->n_unknown);
		fail_hint(why, "Look at the WHERE of the query and at the target column.");
		return status;
	}
	status = memory_new(host, 1, sizeof(ForestTraining), &p.t, why);
	if (status != STATUS_OK)
		return status;
	p.t->host = host;
	p.t->storage = storage;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && status == STATUS_OK; i++)
	{
		status = host_poll(host, why);
		if (status == STATUS_OK)
			status = steps[i] (&p, why);
	}
	if (status == STATUS_OK)
		status = training_chunks_new(p.t, why);
	if (status == STATUS_OK)
		status = prepare_sections(&p, why);
	if (status == STATUS_OK)
		status = prepare_bins(&p, why);
	if (status == STATUS_OK && frame->facts != NULL)
		status = prepare_facts(&p, why);
	prepare_free(&p);
	if (status == STATUS_OK)
		*out = p.t;
	else
		forest_training_free(p.t);
	return status;
}

void
forest_training_free(ForestTraining *t)
{
	const Host *host;

	if (t == NULL)
		return;
	host = t->host;
	for (uint32_t c = 0; t->storage != NULL && c < t->n_chunks; c++)
		memory_free(t->storage, t->chunks[c].block, t->chunks[c].n_bytes, 1);
	memory_free(host, t->chunks, t->n_chunks, sizeof(TrainingChunk));
	memory_free(host, t->monotonic, t->schema.n_features, 1);
	memory_free(host, t->class_factor, t->schema.n_classes, sizeof(uint64_t));
	facts_free(host, t->facts);
	if (!t->shares_rows)
	{
		memory_free(host, t->target_value, t->n_rows, sizeof(double));
		memory_free(host, t->row_weight, t->n_rows, sizeof(double));
	}
	if (t->base == NULL)
	{
		memory_free(host, t->values, (size_t) t->schema.n_features * 256, sizeof(double));
		memory_free(host, t->fates, t->n_columns, sizeof(ForestColumnFate));
		for (uint32_t c = 0; t->columns != NULL && c < t->n_columns; c++)
			memory_free(host, t->columns[c].bytes, t->columns[c].n_bytes + 1, 1);
		memory_free(host, t->columns, t->n_columns, sizeof(ForestText));
		memory_free(host, t->group, t->n_rows, sizeof(uint64_t));
		memory_free(host, t->time, t->n_rows, sizeof(double));
		schema_free(host, &t->schema);
	}
	memory_free(host, t, 1, sizeof(ForestTraining));
}

void
forest_training_report(const ForestTraining *t, ForestReport *out)
{
	out->n_rows = t->n_rows;
	out->n_train = t->n_train;
	out->n_test = t->n_rows - t->n_train;
	out->n_features = t->schema.n_features;
	out->n_classes = t->schema.n_classes;
	out->fates = t->fates;
}

/* ------------------------------------------------------------- estimates -- */

/* Bytes of a row in the matrix, and beside it. */
typedef struct RowBytes
{
	size_t		bins;
	size_t		matrix;			/* bins, key, target, weight: shared */
	size_t		values;			/* targets and weights as they were given: the leader's own */
} RowBytes;

static RowBytes
row_bytes_of(const ForestFrame *frame)
{
	bool		regression = frame->target == FOREST_TARGET_NUMBER;
	RowBytes	bytes = {.bins = (frame->n_columns + (size_t) 7) / 8 * 8};

	bytes.matrix = bytes.bins + sizeof(uint64_t) +
		(regression ? sizeof(int64_t) : sizeof(uint32_t)) +
		(frame->has_weight ? sizeof(uint32_t) : 0);
	bytes.values = (regression ? sizeof(double) : 0) + (frame->has_weight ? sizeof(double) : 0);
	return bytes;
}

size_t
training_prepare_bytes(const ForestFrame *frame, size_t n_rows)
{
	RowBytes	row = row_bytes_of(frame);
	size_t		order = n_rows * (2 * sizeof(uint32_t) + sizeof(uint64_t) + 1);
	size_t		sorting = n_rows * sizeof(SortHash);
	size_t		binning = bins_work_bytes(frame, n_rows);
	size_t		encoding = n_rows * (row.matrix + row.values);

	/* beside the times, whose sort takes less */
	if (frame->has_time && frame->has_group)
		sorting += n_rows * sizeof(double);
	if (sorting > encoding)
		encoding = sorting;
	return order + (binning > encoding ? binning : encoding) + frame->n_columns * COLUMN_BYTES;
}

/*
 * The leaves of a tree: as many as depth and leaf size allow; grown to the
 * end, a tree of n rows has some n / LEAF_ROWS leaves, or, of a number, many
 * more.
 */
static size_t
estimate_leaves(const ForestFrame *frame, size_t in_bag, const ForestParams *params)
{
	size_t		n = in_bag / (frame->target == FOREST_TARGET_NUMBER ? 1 : LEAF_ROWS);
	size_t		leaf_rows = params->min_samples_leaf.is_fraction
		? (size_t) (params->min_samples_leaf.value * (double) in_bag)
		: (size_t) params->min_samples_leaf.value;

	if (leaf_rows > 1 && n > in_bag / leaf_rows)
		n = in_bag / leaf_rows;
	if (params->max_depth > 0 && params->max_depth < 30 && n > (size_t) 1 << params->max_depth)
		n = (size_t) 1 << params->max_depth;
	if (params->max_leaf_nodes > 0 && n > (size_t) params->max_leaf_nodes)
		n = (size_t) params->max_leaf_nodes;
	return n > 0 ? n : 1;
}

/* The rows that a tree draws at least once. */
static size_t
estimate_bag(size_t n_train, const ForestParams *params)
{
	double		mean = 1;		/* of a row's count */

	if (!params->bootstrap)
		return n_train;
	if (params->max_samples_given)
		mean = params->max_samples.is_fraction ? params->max_samples.value
			: params->max_samples.value / (double) (n_train > 0 ? n_train : 1);
	return (size_t) ((double) n_train * (1 - real_exp(mean < 1 ? -mean : -1)));
}

/* Bytes of a record of a row in the bag (grow_choose_layout). */
static size_t
estimate_record(const ForestFrame *frame, const ForestParams *params)
{
	bool		sums = frame->target == FOREST_TARGET_NUMBER || frame->has_weight ||
		params->class_weight != FOREST_WEIGHT_NONE;
	size_t		payload = sums ? 16 : frame->labels.n_texts > 2 ? 8 : 4;
	size_t		record = (frame->n_columns + payload + 7) / 8 * 8;

	return record <= GROW_NARROW_BYTES ? record : payload == 4 ? 8 : 8 + payload;
}

/*
 * Bytes of a grower: two buffers of the rows in the bag, the nodes of a tree,
 * in arrays that grow by halves, and histograms.
 */
static size_t
estimate_grower(const ForestFrame *frame, const ForestParams *params, size_t in_bag,
				size_t leaves)
{
	size_t		n_classes = frame->labels.n_texts > 2 ? frame->labels.n_texts : 0;

	return 2 * in_bag * estimate_record(frame, params) +
		2 * leaves * (sizeof(GrowNode) * 5 / 4 + 16) + leaves * n_classes * 10 +
		(n_classes + 1) * 512 * sizeof(uint64_t);
}

void
forest_training_estimate(const ForestFrame *frame, size_t n_rows, const ForestParams *params,
						 const ForestSplit *split, ForestEstimate *out)
{
	RowBytes	row = row_bytes_of(frame);
	size_t		n_outputs = frame->labels.n_texts > 2 ? frame->labels.n_texts : 1;
	double		share = split->kind == FOREST_SPLIT_NONE ? 1 : 1 - split->test_size;
	size_t		n_train = (size_t) ((double) n_rows * share);
	size_t		n_scored = n_train > n_rows - n_train ? n_train : n_rows - n_train;
	size_t		in_bag = estimate_bag(n_train, params);
	size_t		leaves = estimate_leaves(frame, in_bag, params);
	size_t		preparing = training_prepare_bytes(frame, n_rows);

	out->spilled = frame->spilled ||
		(frame->spill.write != NULL &&
		 frame_bytes(frame, n_rows, false) + preparing > frame->memory);
	out->prepare_bytes = frame_bytes(frame, n_rows, out->spilled) + preparing;
	out->matrix_bytes = n_rows * row.matrix;
	out->values_bytes = n_rows * row.values;
	out->grower_bytes = estimate_grower(frame, params, in_bag, leaves);
	out->score_bytes = n_scored * (row.values + n_outputs * sizeof(double) + SCORE_BYTES);
}
