/*
 * score_bench.c
 *	  Time of scoring without a server, per instruction set: rows one at a time
 *	  and in blocks, decoding, the training's own scores.
 *
 *	  score_bench [name=value ...]
 *
 * rows, trees, depth (0: no limit), numbers, categories, codes (of each
 * category), classes (0: regression), missing (per cent, in two columns).
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/rng.h"
#include "forest/forest.h"

#define MAX_COLUMNS 1024

typedef struct Options
{
	int			rows;
	int			trees;
	int			depth;
	int			numbers;
	int			categories;
	int			codes;
	int			classes;
	int			missing;
} Options;

static Options options = {100000, 100, 10, 17, 3, 12, 2, 5};

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

static double
seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double) now.tv_sec + 1e-9 * (double) now.tv_nsec;
}

static void
read_options(int argc, char **argv)
{
	struct
	{
		const char *name;
		int		   *value;
	}			known[] = {
		{"rows", &options.rows}, {"trees", &options.trees}, {"depth", &options.depth},
		{"numbers", &options.numbers}, {"categories", &options.categories},
		{"codes", &options.codes}, {"classes", &options.classes}, {"missing", &options.missing}
	};

	for (int i = 1; i < argc; i++)
	{
		const char *value = strchr(argv[i], '=');
		size_t		k = 0;

		while (k < 8 && (value == NULL ||
						 strncmp(argv[i], known[k].name, (size_t) (value - argv[i])) != 0 ||
						 known[k].name[value - argv[i]] != '\0'))
			k++;
		if (k == 8 || options.numbers + options.categories > MAX_COLUMNS)
		{
			fprintf(stderr, "score_bench: what is %s?\n", argv[i]);
			exit(2);
		}
		*known[k].value = atoi(value + 1);
	}
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

/* Every third number is a small integer; the target is the first columns' and noise. */
static double
make_row(RngStream *stream, ForestCell *cells, char (*text)[8])
{
	double		sum = normal(stream);

	for (int c = 0; c < options.numbers; c++)
	{
		cells[c].number = c % 3 == 2 ? rng_stream_below(stream, 20) : normal(stream);
		cells[c].missing = c < 2 && rng_stream_below(stream, 100) < (uint32_t) options.missing;
		if (c < 6)
			sum += cells[c].number * (c % 3 == 2 ? 0.05 : 0.6);
	}
	for (int c = 0; c < options.categories; c++)
	{
		ForestCell *cell = &cells[options.numbers + c];
		uint32_t	code = rng_stream_below(stream, (uint32_t) options.codes);

		cell->n_bytes = (size_t) snprintf(text[c], 8, "c%u", code);
		cell->text = text[c];
		sum += c < 3 && code % 3 == 0 ? 0.7 : 0;
	}
	return sum;
}

static ForestFrame *
make_frame(void)
{
	static ForestColumn columns[MAX_COLUMNS];
	static char names[MAX_COLUMNS][8];
	static ForestCell cells[MAX_COLUMNS];
	static char text[MAX_COLUMNS][8];
	int			n_columns = options.numbers + options.categories;
	ForestFrameOptions frame_options = {.columns = columns,.n_columns = (uint32_t) n_columns,
	.target = options.classes == 0 ? FOREST_TARGET_NUMBER : FOREST_TARGET_LABEL};
	ForestFrame *frame;
	RngStream	stream;

	for (int c = 0; c < n_columns; c++)
	{
		snprintf(names[c], sizeof(names[c]), "f%d", c);
		columns[c] = (ForestColumn) {names[c], c < options.numbers ? FOREST_NUMERIC
			: FOREST_CATEGORY, c < options.numbers && c % 3 == 2};
	}
	check(forest_frame_new(&host, &frame_options, &frame, &why));
	rng_stream_begin(&stream, 1, RNG_METRIC, 0, 0);
	for (int i = 0; i < options.rows; i++)
	{
		char		label[8];
		ForestRow	row = {.cells = cells,.weight = 1};
		double		y = make_row(&stream, cells, text);

		row.identity = (Hash128) {rng_mix64((uint64_t) i), rng_mix64((uint64_t) i + 1)};
		row.target_number = y;
		if (options.classes > 0)
		{
			int			k = (int) floor((y + 1) * options.classes / 4);

			k = k < 0 ? 0 : k >= options.classes ? options.classes - 1 : k;
			row.target_label_bytes = (size_t) snprintf(label, sizeof(label), "l%02d", k);
			row.target_label = label;
		}
		check(forest_frame_append(frame, &row, &why));
	}
	return frame;
}

static ForestTraining *
make_training(void)
{
	ForestSplit split = {.kind = FOREST_SPLIT_HASH, .test_size = 0.2};
	ForestFrame *frame = make_frame();
	ForestParams *params;
	ForestTraining *training;

	check(forest_params_new(&host, &params, &why));
	params->n_estimators = options.trees;
	params->max_depth = options.depth;
	check(forest_params_finish(params, options.classes == 0 ? FOREST_REGRESSION :
							   FOREST_CLASSIFICATION, (uint32_t) options.classes, &why));
	check(forest_training_new(&host, &host, frame, params, &split, &training, &why));
	forest_frame_free(frame);
	return training;
}

static void
make_artifact(ForestTraining *training, ForestArtifact *artifact)
{
	ForestBlob *blobs = calloc((size_t) options.trees, sizeof(ForestBlob));
	ForestGrower *grower;

	check(forest_grower_new(&host, training, &grower, &why));
	for (int tree = 0; tree < options.trees; tree++)
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
	check(forest_assemble(&host, training, blobs, artifact, &why));
}

/* Encoded rows to score: values drawn again. */
static uint8_t *
make_rows(const ForestModel *model, int n)
{
	static ForestCell cells[MAX_COLUMNS];
	static char text[MAX_COLUMNS][8];
	size_t		row_bytes = forest_model_row_bytes(model);
	uint8_t    *rows = calloc((size_t) n, row_bytes);
	RngStream	stream;

	rng_stream_begin(&stream, 2, RNG_METRIC, 0, 0);
	for (int i = 0; i < n; i++)
	{
		(void) make_row(&stream, cells, text);
		for (uint32_t f = 0; f < forest_model_n_features(model); f++)
		{
			int			c = atoi(forest_model_feature_name(model, f) + 1);

			rows[(size_t) i * row_bytes + f] = forest_model_encode(model, f, &cells[c]);
		}
	}
	return rows;
}

/* The least time of some runs, per row in ns. */
static double
time_scoring(const ForestModel *model, const uint8_t *rows, int n, size_t step, double *out)
{
	size_t		row_bytes = forest_model_row_bytes(model);
	double		best = INFINITY;

	for (int run = 0; run < 7; run++)
	{
		double		before = seconds();

		for (size_t i = 0; i < (size_t) n; i += step)
		{
			size_t		left = (size_t) n - i;

			forest_score(model, rows + i * row_bytes, left < step ? left : step,
						 out + i * forest_model_n_outputs(model));
		}
		best = fmin(best, seconds() - before);
	}
	return best / n * 1e9;
}

static void
bench_levels(const ForestArtifact *artifact)
{
	int			n = options.rows < 20000 ? options.rows : 20000;

	for (CpuLevel level = CPU_PORTABLE; level <= cpu_level(CPU_BEST); level++)
	{
		ForestModel *model;
		uint8_t    *rows;
		double	   *out;
		uint64_t	sum = 0;
		double		one;
		double		block;

		host.cpu_limit = level;
		check(forest_decode(&host, artifact->bytes, artifact->n_bytes, &model, &why));
		rows = make_rows(model, n);
		out = calloc((size_t) n * forest_model_n_outputs(model), sizeof(double));
		one = time_scoring(model, rows, n, 1, out);
		block = time_scoring(model, rows, n, FOREST_SCORE_BLOCK, out);
		for (size_t i = 0; i < (size_t) n * forest_model_n_outputs(model); i++)
		{
			uint64_t	bits;

			memcpy(&bits, &out[i], sizeof(bits));
			sum = rng_mix64(sum + bits);
		}
		printf("%-9s a row %7.1f ns, in blocks %7.1f ns, scores %016llx\n",
			   cpu_level_name(level), one, block, (unsigned long long) sum);
		forest_model_free(model);
		free(rows);
		free(out);
	}
	host.cpu_limit = CPU_BEST;
}

static void
bench_decode(const ForestArtifact *artifact, ForestModel **model)
{
	double		best = INFINITY;

	for (int run = 0; run < 9; run++)
	{
		double		before = seconds();

		check(forest_decode(&host, artifact->bytes, artifact->n_bytes, model, &why));
		best = fmin(best, seconds() - before);
		if (run < 8)
			forest_model_free(*model);
	}
	printf("artifact  %zu bytes, decoded in %.2f ms to %zu bytes\n", artifact->n_bytes,
		   best * 1e3, forest_model_bytes(*model));
}

static Status
mean_output(void *ctx, const ForestScores *scores, double *out, Failure *failure)
{
	(void) ctx;
	(void) failure;
	*out = 0;
	for (size_t i = 0; i < scores->n; i++)
		*out += scores->outputs[i * scores->n_outputs];
	return STATUS_OK;
}

static void
bench_training(const ForestTraining *training, const ForestModel *model)
{
	ForestScores scores;
	double		mean[MAX_COLUMNS];
	double		sd[MAX_COLUMNS];
	size_t		n_rows;
	double		before = seconds();

	check(forest_holdout_scores(&host, training, model, &scores, &why));
	printf("holdout     %7.1f ms, %zu rows\n", (seconds() - before) * 1e3, scores.n);
	before = seconds();
	check(forest_oob_scores(&host, training, model, &scores, &why));
	printf("out of bag  %7.1f ms, %zu rows\n", (seconds() - before) * 1e3, scores.n);
	before = seconds();
	check(forest_permutation_importance(&host, training, model, mean_output, NULL, mean, sd,
										&n_rows, &why));
	printf("permutation %7.1f ms, %zu rows\n", (seconds() - before) * 1e3, n_rows);
}

int
main(int argc, char **argv)
{
	ForestTraining *training;
	ForestArtifact artifact;
	ForestModel *model;

	setvbuf(stdout, NULL, _IOLBF, 0);
	read_options(argc, argv);
	training = make_training();
	make_artifact(training, &artifact);
	bench_decode(&artifact, &model);
	bench_levels(&artifact);
	bench_training(training, model);
	return 0;
}
