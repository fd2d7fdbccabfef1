/*
 * calibration.c
 *	  Calibrated probabilities: from a model's outputs to those that its section
 *	  of the artifact says; that section, written and read.
 *
 * Maps are applied to the probability of each class, one by one; of more than
 * two classes the results are divided by their sum then, and where all are 0,
 * every class is as probable as another.  Everything is + − × ÷ of doubles, so
 * every machine and instruction set gives the same bits.
 */
#include "forest/calibration.h"

#include <float.h>
#include <math.h>

#include "core/memory.h"
#include "core/real.h"

/* The least bytes of a map: two numbers, or a count and a point. */
#define MAP_MIN_BYTES 16
#define POINT_BYTES 16

/* ------------------------------------------------------------- applying -- */

/* Between the points on both sides; at and beyond the ends, the end. */
static double
interpolate(const ForestMap *map, double score)
{
	size_t		low = 0;
	size_t		high = map->n - 1;
	double		share;
	double		value;

	if (!(score > map->x[low]))
		return map->y[low];
	if (score >= map->x[high])
		return map->y[high];
	while (high - low > 1)
	{
		size_t		middle = (low + high) / 2;

		if (score >= map->x[middle])
			low = middle;
		else
			high = middle;
	}
	share = (score - map->x[low]) / (map->x[high] - map->x[low]);
	value = map->y[low] + share * (map->y[high] - map->y[low]);
	return value < map->y[high] ? value : map->y[high];
}

static double
map_score(const ForestCalibration *calibration, const ForestMap *map, double score)
{
	if (calibration->kind == FOREST_SIGMOID)
		return 1 / (1 + real_exp(map->a * score + map->b));
	return interpolate(map, score);
}

void
forest_calibrate(const ForestCalibration *calibration, double *outputs, size_t n)
{
	uint32_t	n_outputs = calibration->n_maps;

	for (size_t i = 0; i < n; i++, outputs += n_outputs)
	{
		double		sum = 0;

		for (uint32_t k = 0; k < n_outputs; k++)
		{
			outputs[k] = map_score(calibration, &calibration->maps[k], outputs[k]);
			sum += outputs[k];
		}
		for (uint32_t k = 0; k < n_outputs && n_outputs > 1; k++)
			outputs[k] = sum > 0 ? outputs[k] / sum : 1.0 / n_outputs;
	}
}

ForestCalibrationKind
forest_model_calibration(const ForestModel *model)
{
	return model->calibration == NULL ? FOREST_UNCALIBRATED : model->calibration->kind;
}

/* --------------------------------------------------------------- memory -- */

void
calibration_free(const Host *host, ForestCalibration *calibration)
{
	if (calibration == NULL)
		return;
	for (uint32_t k = 0; calibration->maps != NULL && k < calibration->n_maps; k++)
	{
		ForestMap  *map = &calibration->maps[k];

		memory_free(host, map->x, map->n, sizeof(double));
		memory_free(host, map->y, map->n, sizeof(double));
	}
	memory_free(host, calibration->maps, calibration->n_maps, sizeof(ForestMap));
	memory_free(host, calibration, 1, sizeof(ForestCalibration));
}

size_t
calibration_bytes(const ForestCalibration *calibration)
{
	size_t		total = 0;

	if (calibration == NULL)
		return 0;
	for (uint32_t k = 0; k < calibration->n_maps; k++)
		total += sizeof(ForestMap) + calibration->maps[k].n * 2 * sizeof(double);
	return total + sizeof(ForestCalibration);
}

/* -------------------------------------------------------------- writing -- */

static void
put_section(ByteWriter *w, const ForestCalibration *calibration)
{
	bytes_put_u8(w, (uint8_t) calibration->kind);
	bytes_put_u16(w, (uint16_t) calibration->n_maps);
	for (uint32_t k = 0; k < calibration->n_maps; k++)
	{
		const ForestMap *map = &calibration->maps[k];

		if (calibration->kind == FOREST_SIGMOID)
		{
			bytes_put_f64(w, map->a);
			bytes_put_f64(w, map->b);
			continue;
		}
		bytes_put_u32(w, (uint32_t) map->n);
		for (size_t i = 0; i < map->n; i++)
		{
			bytes_put_f64(w, map->x[i]);
			bytes_put_f64(w, map->y[i]);
		}
	}
}

Status
forest_add_calibration(const Host *host, const ForestCalibration *calibration,
					   ForestArtifact *artifact, Failure *why)
{
	ByteWriter	w;
	size_t		length_at;
	uint32_t	crc;

	bytes_writer_begin(&w, host, why);
	bytes_put(&w, artifact->bytes, artifact->n_bytes - ARTIFACT_CRC_BYTES);
	bytes_put_u32(&w, ARTIFACT_CALIBRATION);
	length_at = w.n_bytes;
	bytes_put_u32(&w, 0);
	put_section(&w, calibration);
	if (w.status == STATUS_OK)
	{
		bytes_patch_u32(&w, length_at, (uint32_t) (w.n_bytes - length_at - sizeof(uint32_t)));
		w.status = artifact_crc(host, w.bytes, w.n_bytes, &crc, why);
	}
	if (w.status == STATUS_OK)
		bytes_put_u32(&w, crc);
	if (w.status != STATUS_OK)
	{
		bytes_writer_free(&w);
		return w.status;
	}
	memory_free(host, artifact->bytes, artifact->capacity, 1);
	artifact->bytes = w.bytes;
	artifact->n_bytes = w.n_bytes;
	artifact->capacity = w.capacity;
	return STATUS_OK;
}

/* -------------------------------------------------------------- reading -- */

static Status
get_sigmoid(ByteReader *r, ForestMap *map, Failure *why)
{
	map->a = bytes_get_f64(r);
	map->b = bytes_get_f64(r);
	if (r->failed || !(fabs(map->a) <= DBL_MAX) || !(fabs(map->b) <= DBL_MAX))
		return artifact_damaged(why, "its calibration is wrong");
	return STATUS_OK;
}

static Status
get_points(ByteReader *r, const Host *host, ForestMap *map, Failure *why)
{
	uint32_t	n = bytes_get_u32(r);
	Status		status;

	if (r->failed || n < 1 || n > bytes_left(r) / POINT_BYTES)
		return artifact_damaged(why, "its calibration is cut off");
	status = memory_new(host, n, sizeof(double), &map->x, why);
	if (status != STATUS_OK)
		return status;
	map->n = n;
	status = memory_new(host, n, sizeof(double), &map->y, why);
	if (status != STATUS_OK)
		return status;
	for (uint32_t i = 0; i < n; i++)
	{
		double		x = bytes_get_f64(r);
		double		y = bytes_get_f64(r);

		if (!(x >= 0 && x <= 1 && y >= 0 && y <= 1) ||
			(i > 0 && !(x > map->x[i - 1] && y >= map->y[i - 1])))
			return artifact_damaged(why, "its calibration does not rise");
		map->x[i] = x;
		map->y[i] = y;
	}
	return STATUS_OK;
}

static Status
get_maps(ByteReader *r, const Host *host, ForestCalibration *calibration, Failure *why)
{
	Status		status = memory_new(host, calibration->n_maps, sizeof(ForestMap),
									&calibration->maps, why);

	for (uint32_t k = 0; k < calibration->n_maps && status == STATUS_OK; k++)
		status = calibration->kind == FOREST_SIGMOID
			? get_sigmoid(r, &calibration->maps[k], why)
			: get_points(r, host, &calibration->maps[k], why);
	if (status == STATUS_OK && bytes_left(r) != 0)
		return artifact_damaged(why, "bytes follow its calibration");
	return status;
}

Status
calibration_get(ByteReader *r, ForestModel *model, Failure *why)
{
	uint8_t		kind = bytes_get_u8(r);
	uint16_t	n_maps = bytes_get_u16(r);
	Status		status;

	if (r->failed || (kind != FOREST_SIGMOID && kind != FOREST_ISOTONIC))
		return artifact_damaged(why, "its calibration is of no kind");
	if (model->schema.n_classes == 0 || n_maps != model->n_outputs ||
		n_maps > bytes_left(r) / MAP_MIN_BYTES)
		return artifact_damaged(why, "its calibration is of other classes");
	status = memory_new(model->host, 1, sizeof(ForestCalibration), &model->calibration, why);
	if (status != STATUS_OK)
		return status;
	model->calibration->kind = (ForestCalibrationKind) kind;
	model->calibration->n_maps = n_maps;
	return get_maps(r, model->host, model->calibration, why);
}
