/*
 * training.c
 *	  From a frame to what trees are grown from.
 *
 * The steps: put the rows in canonical order and give every row its key; say
 * which rows train; find the features' bins from the training rows; resolve
 * the parameters against them (prepare.c, settings.c); turn targets and
 * weights into fixed point; and encode everything into chunks (here).  The
 * result depends on the multiset of rows alone: sums of doubles are only
 * taken in canonical order.
 */
#include "forest/training.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "core/real.h"
#include "core/sort.h"
#include "forest/grow.h"
#include "forest/prepare.h"

#define MAX_CHUNK_SHIFT 16

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

/* Take the memory of all chunks. */
static Status
chunks_new(ForestTraining *t, Failure *why)
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
target_scale(Prepare *p, Failure *why)
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

/* Copy regression targets into the training's order, and find their scale. */
static Status
prepare_targets(Prepare *p, Failure *why)
{
	ForestTraining *t = p->t;
	uint32_t	first = UINT32_MAX;
	bool		constant = true;
	Status		status;

	if (t->schema.task == FOREST_CLASSIFICATION)
		return STATUS_OK;
	status = memory_new_raw(t->host, t->n_rows, sizeof(double), &t->target_value, why);
	if (status != STATUS_OK)
		return status;
	for (uint32_t i = 0; i < t->n_rows; i++)
	{
		t->target_value[i] = FRAME_AT(p->frame, double, p->frame->target_offset, p->order[i]);
		if (i >= t->n_train || !prepare_weighs(t, i))
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
	return target_scale(p, why);
}

/* --------------------------------------------------------------- encoding -- */

/* Bins of the dictionary ids of all category features. */
typedef struct EncodeCodes
{
	uint8_t   **of_feature;		/* NULL for numbers */
} EncodeCodes;

static void
codes_free(Prepare *p, EncodeCodes *codes)
{
	for (uint32_t f = 0; codes->of_feature != NULL && f < p->t->schema.n_features; f++)
		memory_free(p->host, codes->of_feature[f],
					p->frame->columns[p->kept[f]].dictionary.n_texts, 1);
	memory_free(p->host, codes->of_feature, p->t->schema.n_features, sizeof(uint8_t *));
}

/* What every dictionary id of a category feature is encoded as. */
static Status
codes_new(Prepare *p, EncodeCodes *codes, Failure *why)
{
	const ForestSchema *schema = &p->t->schema;
	Status		status;

	status = memory_new(p->host, schema->n_features, sizeof(uint8_t *), &codes->of_feature, why);
	for (uint32_t f = 0; f < schema->n_features && status == STATUS_OK; f++)
	{
		const FrameDictionary *d = &p->frame->columns[p->kept[f]].dictionary;

		if (schema->features[f].kind != FOREST_CATEGORY)
			continue;
		status = memory_new_raw(p->host, d->n_texts, 1, &codes->of_feature[f], why);
		for (uint32_t id = 0; id < d->n_texts && status == STATUS_OK; id++)
		{
			ForestCell	cell = {.text = d->texts[id].bytes, .n_bytes = d->texts[id].n_bytes};

			codes->of_feature[f][id] = schema_encode(&schema->features[f], &cell);
		}
	}
	return status;
}

/* One feature of one chunk of the frame into the rows of the matrix. */
static void
encode_feature(Prepare *p, const EncodeCodes *codes, uint32_t f, size_t begin, size_t n,
			   uint8_t **rows)
{
	const FrameColumn *column = &p->frame->columns[p->kept[f]];
	const ForestFeature *feature = &p->t->schema.features[f];

	if (feature->kind == FOREST_CATEGORY)
	{
		const uint32_t *ids = &FRAME_AT(p->frame, uint32_t, column->offset, begin);
		const uint8_t *code = codes->of_feature[f];

		for (size_t i = 0; i < n; i++)
			rows[i][f] = ids[i] == FRAME_MISSING_ID ? FOREST_MISSING : code[ids[i]];
	}
	else
	{
		const double *values = &FRAME_AT(p->frame, double, column->offset, begin);

		for (size_t i = 0; i < n; i++)
			rows[i][f] = schema_encode_number(feature, values[i]);
	}
}

/* All rows, one chunk of the frame after the other. */
static Status
encode_rows(Prepare *p, Failure *why)
{
	ForestTraining *t = p->t;
	EncodeCodes codes;
	uint8_t    *rows[FRAME_CHUNK_ROWS];
	Status		status;

	status = codes_new(p, &codes, why);
	for (size_t begin = 0; begin < p->n && status == STATUS_OK; begin += FRAME_CHUNK_ROWS)
	{
		size_t		n = p->n - begin < FRAME_CHUNK_ROWS ? p->n - begin : FRAME_CHUNK_ROWS;

		for (size_t i = 0; i < n; i++)
			rows[i] = (uint8_t *) training_bins(t, p->position[begin + i]);
		for (uint32_t f = 0; f < t->schema.n_features; f++)
			encode_feature(p, &codes, f, begin, n, rows);
		status = host_poll(p->host, why);
	}
	codes_free(p, &codes);
	return status;
}

/* Keys, targets and weights into the chunks. */
static Status
encode_sections(Prepare *p, Failure *why)
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
		if (chunk->label != NULL)
			((uint32_t *) chunk->label)[at] = prepare_class(p->frame, p->order[i]);
		else if (i < t->n_train && prepare_weighs(t, i))
			((int64_t *) chunk->target)[at] =
				llround(ldexp(t->target_value[i] - t->schema.target_offset, shift));
		/* the holdout's weights are not used in growing, and may be larger */
		if (chunk->weight != NULL && i < t->n_train)
			((uint32_t *) chunk->weight)[at] = (uint32_t) prepare_fixed(t->row_weight[i], scale);
	}
	return STATUS_OK;
}

/* For random splits: the middle of the least and largest training value of each bin. */
static Status
prepare_values(Prepare *p, Failure *why)
{
	ForestTraining *t = p->t;
	size_t		n = (size_t) t->schema.n_features * 256;
	double	   *least = NULL;
	Status		status;

	if (!t->settings.random_splitter)
		return STATUS_OK;
	status = memory_new_raw(p->host, n, sizeof(double), &t->values, why);
	if (status == STATUS_OK)
		status = memory_new_raw(p->host, n, sizeof(double), &least, why);
	for (size_t i = 0; i < n && status == STATUS_OK; i++)
	{
		least[i] = INFINITY;
		t->values[i] = -INFINITY;
	}
	for (uint32_t i = 0; i < t->n_train && status == STATUS_OK; i++)
	{
		const uint8_t *bins = training_bins(t, i);

		if ((i & 0xFFFF) == 0)
			status = host_poll(p->host, why);
		if (!prepare_weighs(t, i))
			continue;
		for (uint32_t f = 0; f < t->schema.n_features; f++)
		{
			const FrameColumn *column = &p->frame->columns[p->kept[f]];
			size_t		cell = (size_t) f * 256 + bins[f];
			double		value;

			if (column->kind == FOREST_CATEGORY || bins[f] == FOREST_MISSING)
				continue;
			value = FRAME_AT(p->frame, double, column->offset, p->order[i]);
			least[cell] = fmin(least[cell], value);
			t->values[cell] = fmax(t->values[cell], value);
		}
	}
	for (size_t i = 0; i < n && status == STATUS_OK; i++)
		t->values[i] = least[i] > t->values[i] ? 0 : least[i] / 2 + t->values[i] / 2;
	memory_free(p->host, least, n, sizeof(double));
	return status;
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
		prepare_features, prepare_settings, prepare_targets
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
		status = chunks_new(p.t, why);
	if (status == STATUS_OK)
		status = encode_sections(&p, why);
	if (status == STATUS_OK)
		status = encode_rows(&p, why);
	if (status == STATUS_OK)
		status = prepare_values(&p, why);
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
	memory_free(host, t->values, (size_t) t->schema.n_features * 256, sizeof(double));
	memory_free(host, t->class_factor, t->schema.n_classes, sizeof(uint64_t));
	memory_free(host, t->target_value, t->n_rows, sizeof(double));
	memory_free(host, t->row_weight, t->n_rows, sizeof(double));
	memory_free(host, t->fates, t->n_columns, sizeof(ForestColumnFate));
	schema_free(host, &t->schema);
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

/* Bytes of a grower at the end of the largest tree there can be. */
static size_t
estimate_grower(const ForestFrame *frame, const ForestParams *params, size_t row_bytes)
{
	size_t		n = frame->n_rows;
	size_t		n_classes = frame->labels.n_texts > 2 ? frame->labels.n_texts : 0;
	size_t		in_bag = params->bootstrap ? n / 3 * 2 : n;
	size_t		record = (row_bytes > 48 ? 8 : row_bytes) + 16;
	size_t		leaf_rows = params->min_samples_leaf.is_fraction
		? (size_t) (params->min_samples_leaf.value * (double) n)
		: (size_t) params->min_samples_leaf.value;
	size_t		leaves = in_bag / (leaf_rows > 0 ? leaf_rows : 1);

	if (params->max_depth > 0 && params->max_depth < 30 &&
		leaves > (size_t) 1 << params->max_depth)
		leaves = (size_t) 1 << params->max_depth;
	if (params->max_leaf_nodes > 0 && leaves > (size_t) params->max_leaf_nodes)
		leaves = (size_t) params->max_leaf_nodes;
	/* arrays grow by halves; a node takes some 20 bytes more as it is written */
	return 2 * in_bag * record + 2 * leaves * (sizeof(GrowNode) * 3 / 2 + 32) +
		leaves * n_classes * 20 + (n_classes + 1) * 256 * sizeof(uint64_t);
}

void
forest_training_estimate(const ForestFrame *frame, const ForestParams *params,
						 ForestEstimate *out)
{
	size_t		n = frame->n_rows;
	size_t		row_bytes = (frame->n_columns + (size_t) 7) / 8 * 8;
	size_t		target_bytes = frame->target == FOREST_TARGET_NUMBER ? 16 : 4;
	size_t		weight_bytes = frame->has_weight ? sizeof(double) + sizeof(uint32_t) : 0;
	size_t		outputs = frame->labels.n_texts > 2 ? frame->labels.n_texts : 1;
	size_t		sorting = sizeof(Hash128) + 2 * sizeof(SortItem);

	/* sorting groups, beside times and their keys, takes more than sorting rows */
	if (frame->has_time && frame->has_group)
		sorting += 3 * sizeof(double) + sizeof(uint32_t);
	out->matrix_bytes = n * (row_bytes + target_bytes + weight_bytes + sizeof(uint64_t));
	out->prepare_bytes = n * (sizeof(uint32_t) * 2 + sizeof(uint64_t) + 1 + sorting) +
		frame->n_columns * (params->random_splitter ? 3 : 1) * 256 * sizeof(double);
	out->grower_bytes = estimate_grower(frame, params, row_bytes);
	out->score_bytes = n * (outputs * 16 + 24);
}
