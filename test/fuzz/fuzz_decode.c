/*
 * fuzz_decode.c
 *	  libFuzzer: any bytes as an artifact.
 *
 * The checksum is made right first, else nothing would get past it.  What
 * decodes is scored; decoding may neither crash nor take much more memory than
 * the artifact has bytes, and every score is a probability or finite.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "forest/forest.h"

#define BYTES_PER_BYTE 24
#define N_ROWS 13

/* A host that counts. */
typedef struct Meter
{
	size_t		live;
	size_t		limit;
} Meter;

static void *
meter_realloc(void *ctx, void *p, size_t old_size, size_t new_size)
{
	Meter	   *meter = ctx;
	void	   *block;

	meter->live = meter->live - old_size + new_size;
	if (meter->live > meter->limit)
		abort();
	if (new_size == 0)
	{
		free(p);
		return NULL;
	}
	block = realloc(p, new_size);
	if (block == NULL)
		abort();
	return block;
}

static bool
meter_cancelled(void *ctx)
{
	(void) ctx;
	return false;
}

/* Rows of every bin that the features have, and of bins that they have not. */
static void
score_rows(const ForestModel *model)
{
	size_t		row_bytes = forest_model_row_bytes(model);
	uint32_t	n_outputs = forest_model_n_outputs(model);
	uint8_t    *rows = malloc(N_ROWS * row_bytes);
	double	   *out = malloc(N_ROWS * n_outputs * sizeof(double));
	double	   *again = malloc(n_outputs * sizeof(double));

	for (size_t i = 0; i < N_ROWS * row_bytes; i++)
		rows[i] = (uint8_t) (i * 41 % 256);
	forest_score(model, rows, N_ROWS, out);
	forest_score(model, rows + row_bytes, 1, again);
	if (memcmp(again, out + n_outputs, n_outputs * sizeof(double)) != 0)
		abort();
	for (size_t i = 0; i < N_ROWS * n_outputs; i++)
		if (forest_model_task(model) == FOREST_CLASSIFICATION && !(out[i] >= 0 && out[i] <= 1))
			abort();
	free(rows);
	free(out);
	free(again);
}

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Meter		meter = {0, BYTES_PER_BYTE * size + 16384};
	Host		host = {.realloc = meter_realloc, .cancelled = meter_cancelled, .ctx = &meter};
	ForestModel *model;
	Failure		why;
	uint8_t    *bytes = malloc(size > 0 ? size : 1);

	memcpy(bytes, data, size);
	if (size >= 4)
	{
		uint32_t	crc = bytes_crc32c(0, bytes, size - 4);

		for (int i = 0; i < 4; i++)
			bytes[size - 4 + (size_t) i] = (uint8_t) (crc >> 8 * i);
	}
	if (forest_decode(&host, bytes, size, &model, &why) == STATUS_OK)
	{
		free(bytes);
		bytes = NULL;			/* which a model does not need */
		score_rows(model);
		forest_model_free(model);
	}
	else if (why.text[0] == '\0')
		abort();
	if (meter.live != 0)
		abort();
	free(bytes);
	return 0;
}
