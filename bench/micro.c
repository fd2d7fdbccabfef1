/*
 * micro.c
 *	  The inner loops without a server, one at a time, on a small fixed
 *	  workload: what scripts/counts.sh counts the instructions of, and what
 *	  `scripts/bench.sh micro` times on every instruction set.
 *
 *	  micro KERNEL [LEVEL [ROWS [TREES]]]
 *
 * Only bench_kernel() is measured; everything else prepares it.  Prints CPU
 * nanoseconds per unit of work.  `micro versions` prints what the counts
 * depend on.
 */
#include <time.h>

#include <gnu/libc-version.h>
#include <xxhash.h>

#include "mixed.h"

#define DEPTH 10

typedef enum Kernel
{
	APPEND,
	BIN,
	GROW,
	ASSEMBLE,
	DECODE,
	ENCODE,
	WALK,
	WALK_ROW,
	N_KERNELS
} Kernel;

static const struct
{
	const char *name;
	const char *unit;
}			kernels[N_KERNELS] = {
	[APPEND] = {"append", "cell"},
	[BIN] = {"bin", "cell"},
	[GROW] = {"grow", "row, tree and level"},
	[ASSEMBLE] = {"assemble", "tree"},
	[DECODE] = {"decode", "tree"},
	[ENCODE] = {"encode", "cell"},
	[WALK] = {"walk", "row and tree"},
	[WALK_ROW] = {"walk-row", "row and tree"},
};

/* What the kernels work on; made as far as the one in question needs it. */
typedef struct Bench
{
	Kernel		kernel;
	uint32_t	n_rows;
	uint32_t	n_trees;
	MixedRow   *rows;
	ForestFrame *frame;
	ForestParams *params;
	ForestTraining *training;
	ForestBlob *trees;
	ForestArtifact artifact;
	ForestModel *model;
	size_t		row_bytes;
	uint8_t    *encoded;
	double	   *out;
} Bench;

static void
append_rows(Bench *b)
{
	b->frame = mixed_frame();
	for (uint32_t i = 0; i < b->n_rows; i++)
		mixed_append(b->frame, &b->rows[i], i);
}

static void
bin_rows(Bench *b)
{
	ForestSplit split = {.kind = FOREST_SPLIT_NONE, .test_size = 0};

	check(forest_training_new(&host, &host, b->frame, b->params, &split, &b->training, &why));
}

static void
grow_trees(Bench *b)
{
	ForestGrower *grower;

	check(forest_grower_new(&host, b->training, &grower, &why));
	for (uint32_t tree = 0; tree < b->n_trees; tree++)
	{
		bool		done = false;
		const uint8_t *bytes;
		uint8_t    *copy;

		check(forest_grower_begin(grower, tree, &why));
		while (!done)
			check(forest_grower_step(grower, &done, &why));
		bytes = forest_grower_result(grower, &b->trees[tree].n_bytes);
		copy = malloc(b->trees[tree].n_bytes);
		b->trees[tree].bytes = memcpy(copy, bytes, b->trees[tree].n_bytes);
	}
	forest_grower_free(grower);
}

static void
assemble(Bench *b)
{
	check(forest_assemble(&host, b->training, b->trees, &b->artifact, &why));
}

static void
decode(Bench *b)
{
	check(forest_decode(&host, b->artifact.bytes, b->artifact.n_bytes, &b->model, &why));
}

static void
encode_rows(Bench *b)
{
	for (uint32_t i = 0; i < b->n_rows; i++)
	{
		for (uint32_t f = 0; f < N_COLUMNS; f++)
			b->encoded[i * b->row_bytes + f] =
				forest_model_encode(b->model, f, &b->rows[i].cells[f]);
	}
}

static void
walk(Bench *b, size_t block)
{
	for (size_t i = 0; i < b->n_rows; i += block)
	{
		size_t		n = b->n_rows - i < block ? b->n_rows - i : block;

		forest_score(b->model, b->encoded + i * b->row_bytes, n, b->out + i);
	}
}

/* Not inlined and not static: callgrind looks for it by name. */
extern void bench_kernel(Bench *b);

__attribute__((noinline)) void
bench_kernel(Bench *b)
{
	switch (b->kernel)
	{
		case APPEND:
			append_rows(b);
			break;
		case BIN:
			bin_rows(b);
			break;
		case GROW:
			grow_trees(b);
			break;
		case ASSEMBLE:
			assemble(b);
			break;
		case DECODE:
			decode(b);
			break;
		case ENCODE:
			encode_rows(b);
			break;
		case WALK:
			walk(b, FOREST_SCORE_BLOCK);
			break;
		case WALK_ROW:
			walk(b, 1);
			break;
		case N_KERNELS:
			break;
	}
}

/* Everything that comes before the kernel. */
static void
prepare(Bench *b)
{
	RngStream	stream;

	b->rows = calloc(b->n_rows, sizeof(MixedRow));
	b->trees = calloc(b->n_trees, sizeof(ForestBlob));
	rng_stream_begin(&stream, 1, RNG_METRIC, 0, 0);
	for (uint32_t i = 0; i < b->n_rows; i++)
		mixed_row(&stream, &b->rows[i]);
	check(forest_params_new(&host, &b->params, &why));
	b->params->n_estimators = (int32_t) b->n_trees;
	b->params->max_depth = DEPTH;
	check(forest_params_finish(b->params, FOREST_CLASSIFICATION, 2, &why));
	if (b->kernel > APPEND)
		append_rows(b);
	if (b->kernel > BIN)
		bin_rows(b);
	if (b->kernel > GROW)
		grow_trees(b);
	if (b->kernel > ASSEMBLE)
		assemble(b);
	if (b->kernel > DECODE)
	{
		decode(b);
		b->row_bytes = forest_model_row_bytes(b->model);
		b->encoded = calloc(b->n_rows, b->row_bytes);
		b->out = calloc(b->n_rows, sizeof(double));
	}
	if (b->kernel > ENCODE)
		encode_rows(b);
}

/* How many units of work the kernel does. */
static double
n_units(const Bench *b)
{
	switch (b->kernel)
	{
		case APPEND:
		case BIN:
		case ENCODE:
			return (double) b->n_rows * N_COLUMNS;
		case GROW:
			return (double) b->n_rows * b->n_trees * DEPTH;
		case ASSEMBLE:
		case DECODE:
			return b->n_trees;
		default:
			return (double) b->n_rows * b->n_trees;
	}
}

static double
cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return 1e9 * (double) now.tv_sec + (double) now.tv_nsec;
}

static Kernel
kernel_named(const char *name)
{
	for (int k = 0; k < N_KERNELS; k++)
	{
		if (strcmp(kernels[k].name, name) == 0)
			return (Kernel) k;
	}
	fprintf(stderr, "micro: there is no kernel %s\n", name);
	exit(2);
}

static CpuLevel
level_named(const char *name)
{
	for (CpuLevel level = CPU_PORTABLE; level <= CPU_AVX512; level++)
	{
		if (strcmp(cpu_level_name(level), name) == 0)
			return level;
	}
	fprintf(stderr, "micro: there is no instruction set %s\n", name);
	exit(2);
}

int
main(int argc, char **argv)
{
	Bench		b = {0};
	double		before;

	if (argc < 2)
	{
		fprintf(stderr, "micro KERNEL [LEVEL [ROWS [TREES]]]\n");
		return 2;
	}
	if (strcmp(argv[1], "versions") == 0)
	{
		printf("%s %s, glibc %s, xxHash %d\n",
#ifdef __clang__
			   "clang", __clang_version__,
#else
			   "gcc", __VERSION__,
#endif
			   gnu_get_libc_version(), XXH_VERSION_NUMBER);
		return 0;
	}
	b.kernel = kernel_named(argv[1]);
	host.cpu_limit = argc > 2 ? level_named(argv[2]) : CPU_BEST;
	b.n_rows = argc > 3 ? (uint32_t) atoi(argv[3]) : 4000;
	b.n_trees = argc > 4 ? (uint32_t) atoi(argv[4]) : 24;
	prepare(&b);
	before = cpu_ns();
	bench_kernel(&b);
	printf("%s\t%s\t%.3f\tns per %s\n", kernels[b.kernel].name,
		   cpu_level_name(cpu_level(host.cpu_limit)), (cpu_ns() - before) / n_units(&b),
		   kernels[b.kernel].unit);
	return 0;
}
