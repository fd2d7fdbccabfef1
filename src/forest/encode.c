/*
 * encode.c
 *	  Trees and the training's feature contract into an artifact.
 */
#include <string.h>

#include "core/memory.h"
#include "forest/artifact.h"
#include "forest/training.h"

/* Room for the frame, and what a feature takes beyond schema_bytes(). */
#define FRAME_BYTES 256
#define FEATURE_EXTRA_BYTES 32

/*
 * Add one tree's importances, normalised to a sum of 1.  A tree of one node
 * does not count (scikit-learn: trees with node_count > 1).
 */
static Status
add_importances(const ForestBlob *blob, uint32_t n_features, double *scratch, double *sums,
				Failure *why)
{
	ByteReader	r;
	double		total = 0;

	bytes_reader_begin(&r, blob->bytes, blob->n_bytes);
	for (uint32_t f = 0; f < n_features; f++)
	{
		scratch[f] = bytes_get_f64(&r);
		total += scratch[f];
	}
	if (bytes_get_u32(&r) <= 1 || !(total > 0))
		return r.failed ? artifact_damaged(why, "a tree is cut off") : STATUS_OK;
	for (uint32_t f = 0; f < n_features; f++)
		sums[f] += scratch[f] / total;
	return STATUS_OK;
}

/*
 * The forest's importances into the features of a schema: the mean over trees,
 * normalised again, in which the number of trees cancels out.
 */
static Status
fill_importances(const Host *host, const ForestBlob *trees, uint32_t n_trees,
				 ForestSchema *schema, Failure *why)
{
	uint32_t	n = schema->n_features;
	double	   *sums;
	double		total = 0;
	Status		status = memory_new(host, 2 * (size_t) n, sizeof(double), &sums, why);

	if (status != STATUS_OK)
		return status;
	for (uint32_t t = 0; t < n_trees && status == STATUS_OK; t++)
		status = add_importances(&trees[t], n, sums + n, sums, why);
	for (uint32_t f = 0; f < n; f++)
		total += sums[f];
	for (uint32_t f = 0; f < n; f++)
		schema->features[f].importance = total > 0 ? sums[f] / total : 0;
	memory_free(host, sums, 2 * (size_t) n, sizeof(double));
	return status;
}

/* Begin a section; the result goes to end_section(). */
static size_t
begin_section(ByteWriter *w, ArtifactSection id)
{
	bytes_put_u32(w, (uint32_t) id);
	bytes_put_u32(w, 0);
	return w->n_bytes;
}

static void
end_section(ByteWriter *w, size_t begin)
{
	size_t		n_bytes = w->n_bytes - begin;

	if (w->status != STATUS_OK)
		return;
	if (n_bytes > UINT32_MAX)
		w->status = fail(w->why, STATUS_LIMIT,
						 "model has %zu bytes of trees, at most %u are allowed", n_bytes,
						 (unsigned) UINT32_MAX);
	bytes_patch_u32(w, begin - 4, (uint32_t) n_bytes);
}

static void
put_sections(ByteWriter *w, const ForestSchema *schema, const ForestBlob *trees,
			 uint32_t n_trees)
{
	size_t		importance_bytes = schema->n_features * sizeof(double);
	size_t		section;

	bytes_put(w, ARTIFACT_MAGIC, ARTIFACT_MAGIC_BYTES);
	bytes_put_u16(w, FOREST_FORMAT_VERSION);
	bytes_put_u16(w, 0);

	section = begin_section(w, ARTIFACT_FOREST);
	bytes_put_u32(w, FOREST_ALGORITHM_VERSION);
	bytes_put_u32(w, n_trees);
	end_section(w, section);

	section = begin_section(w, ARTIFACT_SCHEMA);
	schema_put(w, schema);
	end_section(w, section);

	section = begin_section(w, ARTIFACT_TREES);
	for (uint32_t t = 0; t < n_trees; t++)
		bytes_put_string(w, (const char *) trees[t].bytes + importance_bytes,
						 trees[t].n_bytes - importance_bytes);
	end_section(w, section);
}

static void
put_crc(ByteWriter *w)
{
	uint32_t	crc;

	if (w->status == STATUS_OK)
		w->status = artifact_crc(w->host, w->bytes, w->n_bytes, &crc, w->why);
	if (w->status == STATUS_OK)
		bytes_put_u32(w, crc);
}

/* Take the memory at once: growing by halves could need 2.5 times as much. */
static Status
reserve(ByteWriter *w, const ForestSchema *schema, const ForestBlob *trees, uint32_t n_trees,
		Failure *why)
{
	size_t		needed = FRAME_BYTES + schema_bytes(schema) +
		schema->n_features * (size_t) FEATURE_EXTRA_BYTES;

	for (uint32_t t = 0; t < n_trees; t++)
		needed += trees[t].n_bytes + sizeof(uint32_t);
	return memory_grow(w->host, &w->bytes, &w->capacity, needed, 1, why);
}

Status
forest_assemble(const Host *host, const ForestTraining *training, const ForestBlob *trees,
				ForestArtifact *out, Failure *why)
{
	uint32_t	n_trees = training->settings.n_estimators;
	ForestSchema schema = training->schema;
	ByteWriter	w;
	Status		status;

	/* the training stays as it is: only the array of features is copied, to hold importances */
	status = memory_new_raw(host, schema.n_features, sizeof(ForestFeature), &schema.features,
							why);
	if (status != STATUS_OK)
		return status;
	memcpy(schema.features, training->schema.features,
		   schema.n_features * sizeof(ForestFeature));

	bytes_writer_begin(&w, host, why);
	status = fill_importances(host, trees, n_trees, &schema, why);
	if (status == STATUS_OK)
		status = reserve(&w, &schema, trees, n_trees, why);
	if (status == STATUS_OK)
	{
		put_sections(&w, &schema, trees, n_trees);
		put_crc(&w);
		status = w.status;
	}
	memory_free(host, schema.features, schema.n_features, sizeof(ForestFeature));

	if (status != STATUS_OK)
	{
		bytes_writer_free(&w);
		return status;
	}
	out->bytes = w.bytes;
	out->n_bytes = w.n_bytes;
	out->capacity = w.capacity;
	return STATUS_OK;
}
