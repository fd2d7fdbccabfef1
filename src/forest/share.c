/*
 * share.c
 *	  A training described in one flat block, for processes that grow its
 *	  trees over the same chunks.
 *
 * The block goes from a backend to its own workers and is never stored, so it
 * has no version; numbers are little-endian all the same, as the byte reader
 * has it.
 */
#include <string.h>

#include "core/memory.h"
#include "forest/training.h"

static void
put_settings(ByteWriter *w, const GrowSettings *s)
{
	bytes_put_u8(w, (uint8_t) s->criterion);
	bytes_put_u32(w, s->n_estimators);
	bytes_put_u32(w, s->first_tree);
	bytes_put_u32(w, s->max_depth);
	bytes_put_u32(w, s->min_samples_split);
	bytes_put_u32(w, s->min_samples_leaf);
	bytes_put_f64(w, s->min_weight_fraction_leaf);
	bytes_put_u32(w, s->mtry);
	bytes_put_u32(w, s->max_leaf_nodes);
	bytes_put_f64(w, s->min_impurity_decrease);
	bytes_put_f64(w, s->ccp_alpha);
	bytes_put_u8(w, s->bootstrap);
	bytes_put_u8(w, s->random_splitter);
	bytes_put_u8(w, s->balanced_subsample);
	bytes_put_u8(w, s->any_monotonic);
	bytes_put_u64(w, s->seed);
	for (int k = 0; k < TRAINING_THRESHOLDS; k++)
		bytes_put_u64(w, s->thresholds[k]);
}

static void
get_settings(ByteReader *r, GrowSettings *s)
{
	s->criterion = (ForestCriterion) bytes_get_u8(r);
	s->n_estimators = bytes_get_u32(r);
	s->first_tree = bytes_get_u32(r);
	s->max_depth = bytes_get_u32(r);
	s->min_samples_split = bytes_get_u32(r);
	s->min_samples_leaf = bytes_get_u32(r);
	s->min_weight_fraction_leaf = bytes_get_f64(r);
	s->mtry = bytes_get_u32(r);
	s->max_leaf_nodes = bytes_get_u32(r);
	s->min_impurity_decrease = bytes_get_f64(r);
	s->ccp_alpha = bytes_get_f64(r);
	s->bootstrap = bytes_get_u8(r);
	s->random_splitter = bytes_get_u8(r);
	s->balanced_subsample = bytes_get_u8(r);
	s->any_monotonic = bytes_get_u8(r);
	s->seed = bytes_get_u64(r);
	for (int k = 0; k < TRAINING_THRESHOLDS; k++)
		s->thresholds[k] = bytes_get_u64(r);
}

Status
forest_training_share(const ForestTraining *t, uint8_t **bytes, size_t *n_bytes,
					  size_t *capacity, Failure *why)
{
	ByteWriter	w;

	bytes_writer_begin(&w, t->host, why);
	put_settings(&w, &t->settings);
	bytes_put_u32(&w, t->n_rows);
	bytes_put_u32(&w, t->n_train);
	bytes_put_u32(&w, t->row_bytes);
	bytes_put_u32(&w, t->chunk_shift);
	bytes_put_u8(&w, t->weighted);
	bytes_put_u8(&w, t->row_weighted);
	schema_put(&w, &t->schema);
	bytes_put_u8(&w, t->class_factor != NULL);
	for (uint32_t k = 0; t->class_factor != NULL && k < t->schema.n_classes; k++)
		bytes_put_u64(&w, t->class_factor[k]);
	bytes_put_u8(&w, t->monotonic != NULL);
	for (uint32_t f = 0; t->monotonic != NULL && f < t->schema.n_features; f++)
		bytes_put_u8(&w, (uint8_t) t->monotonic[f]);
	bytes_put_u8(&w, t->values != NULL);
	for (size_t i = 0; t->values != NULL && i < (size_t) t->schema.n_features * 256; i++)
		bytes_put_f64(&w, t->values[i]);
	if (w.status != STATUS_OK)
	{
		bytes_writer_free(&w);
		return w.status;
	}
	*bytes = w.bytes;
	*n_bytes = w.n_bytes;
	*capacity = w.capacity;
	return STATUS_OK;
}

/* The arrays behind the schema. */
static Status
get_arrays(ByteReader *r, ForestTraining *t, Failure *why)
{
	const Host *host = t->host;
	size_t		n_values = (size_t) t->schema.n_features * 256;
	Status		status = STATUS_OK;

	if (bytes_get_u8(r))
		status = memory_new(host, t->schema.n_classes, sizeof(uint64_t), &t->class_factor, why);
	for (uint32_t k = 0; t->class_factor != NULL && k < t->schema.n_classes; k++)
		t->class_factor[k] = bytes_get_u64(r);
	if (status == STATUS_OK && bytes_get_u8(r))
		status = memory_new(host, t->schema.n_features, 1, &t->monotonic, why);
	for (uint32_t f = 0; t->monotonic != NULL && f < t->schema.n_features; f++)
		t->monotonic[f] = (int8_t) bytes_get_u8(r);
	if (status == STATUS_OK && bytes_get_u8(r))
		status = memory_new(host, n_values, sizeof(double), &t->values, why);
	for (size_t i = 0; t->values != NULL && i < n_values; i++)
		t->values[i] = bytes_get_f64(r);
	return status;
}

Status
forest_training_attach(const Host *host, const uint8_t *bytes, size_t n_bytes,
					   void *const *chunks, uint32_t n_chunks, ForestTraining **out, Failure *why)
{
	ForestTraining *t;
	ByteReader	r;
	Status		status;

	*out = NULL;
	status = memory_new(host, 1, sizeof(ForestTraining), &t, why);
	if (status != STATUS_OK)
		return status;
	t->host = host;
	bytes_reader_begin(&r, bytes, n_bytes);
	get_settings(&r, &t->settings);
	t->n_rows = bytes_get_u32(&r);
	t->n_train = bytes_get_u32(&r);
	t->row_bytes = bytes_get_u32(&r);
	t->chunk_shift = bytes_get_u32(&r);
	t->weighted = bytes_get_u8(&r);
	t->row_weighted = bytes_get_u8(&r);
	status = schema_get(&r, host, &t->schema, why);
	if (status == STATUS_OK)
		status = get_arrays(&r, t, why);
	if (status == STATUS_OK && (r.failed || bytes_left(&r) != 0))
		status = fail(why, STATUS_CORRUPT, "the description of a training is damaged");
	if (status == STATUS_OK)
		status = memory_new(host, n_chunks, sizeof(TrainingChunk), &t->chunks, why);
	if (status != STATUS_OK)
	{
		forest_training_free(t);
		return status;
	}
	t->n_chunks = n_chunks;
	for (uint32_t c = 0; c < n_chunks; c++)
		training_chunk_layout(t, c, &t->chunks[c], chunks[c]);
	*out = t;
	return STATUS_OK;
}

uint32_t
forest_training_n_chunks(const ForestTraining *t)
{
	return t->n_chunks;
}

void *
forest_training_chunk(const ForestTraining *t, uint32_t chunk, size_t *n_bytes)
{
	*n_bytes = t->chunks[chunk].n_bytes;
	return t->chunks[chunk].block;
}
