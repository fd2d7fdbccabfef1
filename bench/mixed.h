/*
 * mixed.h
 *	  What the benchmarks without a server share: a host, and rows of the mixed
 *	  generator (10 continuous columns, 5 small integers, 3 category codes, 2
 *	  of noise, 5 % missing in two of them, about 25 % positives).
 */
#ifndef CHURNOPS_BENCH_MIXED_H
#define CHURNOPS_BENCH_MIXED_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/rng.h"
#include "forest/forest.h"

#define N_COLUMNS 20

static void *
host_realloc(void *ctx, void *p, size_t old_size, size_t new_size)
{
	(void) ctx;
	(void) old_size;
	if (new_size == 0)
	{
		free(p);
		return NULL;
	}
	return realloc(p, new_size);
}

static bool
host_cancelled(void *ctx)
{
	(void) ctx;
	return false;
}

static Host host = {.realloc = host_realloc,.cancelled = host_cancelled};
static Failure why;

static void
check(Status status)
{
	if (status == STATUS_OK)
		return;
	fprintf(stderr, "%s\n", why.text);
	exit(1);
}

/* A roughly normal number. */
static double
normal(RngStream *stream)
{
	double		sum = -6;

	for (int i = 0; i < 12; i++)
		sum += rng_unit(rng_stream_u64(stream));
	return sum;
}

/* A row; its texts are its own, so it stays where it was made. */
typedef struct MixedRow
{
	ForestCell	cells[N_COLUMNS];
	char		text[3][8];
	bool		label;
} MixedRow;

static void
mixed_row(RngStream *stream, MixedRow *row)
{
	double		x[N_COLUMNS];
	double		logit = -1.4;

	memset(row, 0, sizeof(*row));
	for (int c = 0; c < 10; c++)
		x[c] = normal(stream);
	for (int c = 10; c < 15; c++)
		x[c] = rng_stream_below(stream, 8 * (uint32_t) (c - 8));
	for (int c = 15; c < 18; c++)
		x[c] = rng_stream_below(stream, 12);
	for (int c = 18; c < 20; c++)
		x[c] = normal(stream);
	logit += 0.8 * x[0] - 0.6 * x[1] + 0.5 * x[2] * x[3] + 0.4 * (x[4] > 0.5) +
		0.05 * (x[10] - 8) - 0.3 * (x[11] > 12) + 0.25 * ((int) x[15] % 3 == 0) +
		0.3 * ((int) x[16] % 4 == 1) + 0.3 * sin(x[5] * 2);
	row->label = rng_unit(rng_stream_u64(stream)) < 1 / (1 + exp(-logit));
	for (int c = 0; c < N_COLUMNS; c++)
	{
		ForestCell *cell = &row->cells[c];

		cell->missing = c < 2 && rng_stream_below(stream, 20) == 0;
		cell->number = x[c];
		if (c >= 15 && c < 18)
		{
			cell->n_bytes = (size_t) snprintf(row->text[c - 15], 8, "c%d", (int) x[c]);
			cell->text = row->text[c - 15];
		}
	}
}

/* An empty frame for such rows. */
static ForestFrame *
mixed_frame(void)
{
	ForestColumn columns[N_COLUMNS];
	char		names[N_COLUMNS][8];
	ForestFrameOptions options = {.columns = columns,.n_columns = N_COLUMNS,
	.target = FOREST_TARGET_LABEL};
	ForestFrame *frame;

	for (int c = 0; c < N_COLUMNS; c++)
	{
		snprintf(names[c], sizeof(names[c]), "f%d", c);
		columns[c] = (ForestColumn) {names[c], c >= 15 && c < 18 ? FOREST_CATEGORY
			: FOREST_NUMERIC, c >= 10 && c < 15};
	}
	check(forest_frame_new(&host, &options, &frame, &why));
	return frame;
}

/* Add row number i: its identity need only be different from the others'. */
static void
mixed_append(ForestFrame *frame, const MixedRow *row, uint32_t i)
{
	ForestRow	added = {.cells = row->cells,.weight = 1};

	added.identity = hash_bytes(&i, sizeof(i));
	added.target_label = row->label ? "yes" : "no";
	added.target_label_bytes = row->label ? 3 : 2;
	check(forest_frame_append(frame, &added, &why));
}

#endif
