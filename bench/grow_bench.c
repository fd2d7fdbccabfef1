/*
 * grow_bench.c
 *	  Time of the phases of a training without a server, over the mixed
 *	  generator: 10 continuous columns, 5 small integers, 3 category codes, 2
 *	  of noise, 5 % missing in two of them, about 25 % positives.
 *
 *	  grow_bench [rows] [trees] [max_depth]
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

static const Host host = {.realloc = host_realloc,.cancelled = host_cancelled};
static Failure why;

static void
check(Status status)
{
	if (status == STATUS_OK)
		return;
	fprintf(stderr, "%s\n", why.text);
	exit(1);
}

/* CPU seconds since the last call, printed behind a label. */
static void
lap(const char *label)
{
	static clock_t before;
	clock_t		now = clock();

	if (label != NULL)
		printf("%-12s %8.3f s\n", label, (double) (now - before) / CLOCKS_PER_SEC);
	before = now;
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

static void
make_row(RngStream *stream, ForestCell *cells, char text[3][8], bool *label)
{
	double		x[N_COLUMNS];
	double		logit = -1.4;

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
	*label = rng_unit(rng_stream_u64(stream)) < 1 / (1 + exp(-logit));
	for (int c = 0; c < N_COLUMNS; c++)
	{
		cells[c].missing = c < 2 && rng_stream_below(stream, 20) == 0;
		cells[c].number = x[c];
		if (c >= 15 && c < 18)
		{
			cells[c].n_bytes = (size_t) snprintf(text[c - 15], 8, "c%d", (int) x[c]);
			cells[c].text = text[c - 15];
		}
	}
}

static ForestFrame *
make_frame(uint32_t n_rows)
{
	ForestColumn columns[N_COLUMNS];
	char		names[N_COLUMNS][8];
	ForestFrameOptions options = {.columns = columns,.n_columns = N_COLUMNS,
	.target = FOREST_TARGET_LABEL};
	ForestCell	cells[N_COLUMNS] = {{0}};
	char		text[3][8];
	ForestFrame *frame;
	RngStream	stream;

	for (int c = 0; c < N_COLUMNS; c++)
	{
		snprintf(names[c], sizeof(names[c]), "f%d", c);
		columns[c] = (ForestColumn) {names[c], c >= 15 && c < 18 ? FOREST_CATEGORY
			: FOREST_NUMERIC, c >= 10 && c < 15};
	}
	check(forest_frame_new(&host, &options, &frame, &why));
	rng_stream_begin(&stream, 1, RNG_METRIC, 0, 0);
	for (uint32_t i = 0; i < n_rows; i++)
	{
		bool		label;
		ForestRow	row = {.cells = cells,.weight = 1};

		make_row(&stream, cells, text, &label);
		row.identity = hash_bytes(cells, sizeof(cells));
		row.target_label = label ? "yes" : "no";
		row.target_label_bytes = label ? 3 : 2;
		check(forest_frame_append(frame, &row, &why));
	}
	return frame;
}

static double
log_loss(const ForestScores *scores)
{
	double		sum = 0;

	for (size_t i = 0; i < scores->n; i++)
	{
		double		p = scores->label[i] ? scores->outputs[i] : 1 - scores->outputs[i];

		sum -= log(fmax(p, 1e-15));
	}
	return sum / (double) scores->n;
}

int
main(int argc, char **argv)
{
	uint32_t	n_rows = argc > 1 ? (uint32_t) atoi(argv[1]) : 100000;
	int32_t		n_trees = argc > 2 ? atoi(argv[2]) : 100;
	int32_t		max_depth = argc > 3 ? atoi(argv[3]) : 10;
	ForestSplit split = {FOREST_SPLIT_HASH, 0.2, 0};
	ForestBlob *blobs = calloc((size_t) n_trees, sizeof(ForestBlob));
	ForestParams *params;
	ForestFrame *frame;
	ForestTraining *training;
	ForestGrower *grower;
	ForestArtifact artifact;
	ForestModel *model;
	ForestScores scores;

	check(forest_params_new(&host, &params, &why));
	params->n_estimators = n_trees;
	params->max_depth = max_depth;
	check(forest_params_finish(params, FOREST_CLASSIFICATION, 2, &why));
	lap(NULL);
	frame = make_frame(n_rows);
	lap("generate");
	check(forest_training_new(&host, &host, frame, params, &split, &training, &why));
	lap("prepare");
	check(forest_grower_new(&host, training, &grower, &why));
	for (int32_t tree = 0; tree < n_trees; tree++)
	{
		bool		done = false;
		const uint8_t *bytes;
		uint8_t    *copy;

		check(forest_grower_begin(grower, (uint32_t) tree, &why));
		while (!done)
			check(forest_grower_step(grower, &done, &why));
		bytes = forest_grower_result(grower, &blobs[tree].n_bytes);
		copy = malloc(blobs[tree].n_bytes);
		memcpy(copy, bytes, blobs[tree].n_bytes);
		blobs[tree].bytes = copy;
	}
	lap("grow");
	check(forest_assemble(&host, training, blobs, &artifact, &why));
	check(forest_decode(&host, artifact.bytes, artifact.n_bytes, &model, &why));
	lap("assemble");
	check(forest_holdout_scores(&host, training, model, &scores, &why));
	lap("holdout");
	printf("artifact %zu bytes, holdout %zu rows, log loss %.5f\n", artifact.n_bytes, scores.n,
		   log_loss(&scores));
	lap(NULL);
	check(forest_oob_scores(&host, training, model, &scores, &why));
	lap("out of bag");
	printf("log loss %.5f\n", log_loss(&scores));
	return 0;
}
