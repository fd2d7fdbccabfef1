/*
 * grow_bench.c
 *	  Time of the phases of a training without a server, over the mixed
 *	  generator.
 *
 *	  grow_bench [rows] [trees] [max_depth]
 */
#include <time.h>

#include "mixed.h"

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

static ForestFrame *
make_frame(uint32_t n_rows)
{
	ForestFrame *frame = mixed_frame();
	RngStream	stream;
	MixedRow	row;

	rng_stream_begin(&stream, 1, RNG_METRIC, 0, 0);
	for (uint32_t i = 0; i < n_rows; i++)
	{
		mixed_row(&stream, &row);
		mixed_append(frame, &row, i);
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
	ForestSplit split = {.kind = FOREST_SPLIT_HASH, .test_size = 0.2};
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
