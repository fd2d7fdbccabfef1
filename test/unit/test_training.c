/*
 * test_training.c
 *	  What a training holds: every row's bins, target, weight and key, in
 *	  chunks, and the fixed point of targets.
 */
#include <float.h>
#include <stdlib.h>

#include "tap.h"
#include "train_reference.h"

#include "core/rng.h"

/* Rows of three numbers and two categories, some missing. */
static void
make_rows(double *x, double *y, uint32_t n, uint64_t seed)
{
	for (uint32_t i = 0; i < n; i++)
	{
		for (uint32_t c = 0; c < 5; c++)
			x[5 * i + c] = train_below(&seed, 10) == 0 ? NAN
				: c < 3 ? train_below(&seed, 100) / 4.0 : train_below(&seed, 8);
		y[i] = train_below(&seed, 1000) / 8.0;
	}
}

/* ------------------------------------------------------------------ rows -- */

static void
check_matrix(const char *name, TrainData *data)
{
	uint32_t   *rows = malloc(data->n * sizeof(uint32_t));
	const ForestSchema *schema;
	int			wrong_bins = 0;
	int			wrong_targets = 0;
	int			wrong_weights = 0;
	int			wrong_padding = 0;
	Train		t;

	train_begin(&t, data);
	train_rows(&t, data, rows);
	schema = &t.training->schema;
	for (uint32_t i = 0; i < t.training->n_rows; i++)
	{
		const TrainingChunk *chunk = training_chunk(t.training, i);
		uint32_t	at = training_in_chunk(t.training, i);
		const uint8_t *bins = training_bins(t.training, i);
		const double *x = data->x + (size_t) rows[i] * data->p;
		double		y = data->y[rows[i]];

		for (uint32_t f = 0; f < schema->n_features; f++)
			wrong_bins += bins[f] != tree_bin(&schema->features[f], x[f]);
		for (uint32_t f = schema->n_features; f < t.training->row_bytes; f++)
			wrong_padding += bins[f] != 0;
		if (data->n_classes > 0)
			wrong_targets += chunk->label[at] != y;
		else
			wrong_targets += t.training->target_value[i] != y;
		if (data->n_classes == 0 && i < t.training->n_train &&
			(data->weight == NULL || data->weight[rows[i]] > 0))
			wrong_targets += fabs(schema->target_offset +
								  ldexp((double) chunk->target[at], -schema->target_shift) - y) >
				1e-6;
		if (data->weight != NULL)
		{
			double		weight = data->weight[rows[i]];

			wrong_weights += t.training->row_weight[i] != weight;
			wrong_weights += i < t.training->n_train && (chunk->weight[at] == 0) != (weight == 0);
		}
	}
	for (uint32_t c = 0; c < t.training->n_chunks; c++)
		wrong_padding += ((uintptr_t) t.training->chunks[c].bins & 7) != 0;
	tap_is_int(wrong_bins, 0, "%s: bins", name);
	tap_is_int(wrong_padding, 0, "%s: padding is clear, sections aligned", name);
	tap_is_int(wrong_targets, 0, "%s: targets", name);
	tap_is_int(wrong_weights, 0, "%s: weights", name);
	tap_is_int(t.training->row_bytes, (schema->n_features + 7) / 8 * 8, "%s: row bytes", name);
	tap_ok(t.storage.n_blocks == t.training->n_chunks, "%s: storage holds chunks only", name);
	tap_ok(train_end(&t), "no leak");
	free(rows);
}

static void
test_matrix(void)
{
	static double x[2500 * 5];
	static double y[2500];
	static double weight[2500];
	TrainData	data = {.n = 2499,.p = 5,.x = x,.kinds = "nnncc",.y = y,
		.params = "max_depth=1",.split = {.kind = FOREST_SPLIT_HASH, .test_size = 0.3, .split_seed = 0}};

	make_rows(x, y, 2500, 1);
	check_matrix("regression", &data);
	for (uint32_t i = 0; i < 2500; i++)
		weight[i] = i % 5;
	data.weight = weight;
	check_matrix("weighted regression", &data);
	for (uint32_t i = 0; i < 2500; i++)
		y[i] = (double) (i % 3);
	data.n_classes = 3;
	check_matrix("weighted classes", &data);
	data.weight = NULL;
	check_matrix("classes", &data);
}

/* Bins at the ends of their cuts, by every instruction set. */
static void
test_levels(void)
{
	enum {N = 3001, P = 5};
	static const double ends[] = {0, -0.0, 5e-324, -5e-324, 1.7e308, -1.7e308, 1, -1};
	static double x[N * P];
	static double y[N];
	TrainData	data = {.n = N,.p = P,.x = x,.y = y,.n_classes = 2,.params = "max_depth=1"};
	uint64_t	state = 9;

	for (uint32_t i = 0; i < N; i++)
	{
		x[P * i] = train_unit(&state) - 0.5;
		x[P * i + 1] = (train_unit(&state) - 0.5) * 1e-321;
		x[P * i + 2] = ends[train_below(&state, 8)];
		x[P * i + 3] = train_below(&state, 2) == 0 ? NAN : 7;	/* no cut */
		x[P * i + 4] = train_below(&state, 255);
		y[i] = train_below(&state, 2);
	}
	for (CpuLevel level = CPU_PORTABLE; level <= cpu_level(CPU_BEST); level++)
	{
		data.level = level;
		check_matrix(cpu_level_name(level), &data);
	}
}

/* More rows than a chunk holds. */
static void
test_chunks(void)
{
	enum {N = 140000};
	double	   *x = malloc(N * sizeof(double));
	double	   *y = malloc(N * sizeof(double));
	TrainData	data = {.n = N,.p = 1,.x = x,.y = y,.n_classes = 2,.params = "max_depth=1"};
	size_t		total = 0;
	uint64_t	keys = 0;
	uint64_t	expected = 0;
	int			n_wrong = 0;
	Train		t;

	for (uint32_t i = 0; i < N; i++)
	{
		x[i] = i;
		y[i] = i % 2;
	}
	train_begin(&t, &data);
	tap_is_int(forest_training_n_chunks(t.training), 3, "140000 rows in chunks of 65536");
	for (uint32_t c = 0; c < t.training->n_chunks; c++)
	{
		size_t		n_bytes;

		n_wrong += forest_training_chunk(t.training, c, &n_bytes) != t.training->chunks[c].block;
		n_wrong += n_bytes > FOREST_CHUNK_BYTES || n_bytes == 0;
		total += n_bytes;
	}
	tap_ok(n_wrong == 0 && total == t.storage.live_bytes, "none is too large");
	for (uint32_t i = 0; i < N; i++)
	{
		keys += training_chunk(t.training, i)->keys[training_in_chunk(t.training, i)];
		expected += rng_row_key(train_identity(&data, i), 0);
	}
	tap_is_hex(keys, expected, "every row is there once");
	tap_ok(train_end(&t), "no leak");
	free(x);
	free(y);
}

/* ---------------------------------------------------------------- targets -- */

/* Grow one tree that fits every row, and compare. */
static void
check_targets(const char *name, const double *y, const double *weight, uint32_t n,
			  const char *params)
{
	double	   *x = malloc(n * sizeof(double));
	TrainData	data = {.n = n,.p = 1,.x = x,.y = y,.weight = weight,.params = params};
	double		low = INFINITY;
	double		high = -INFINITY;
	double		worst = 0;
	long double sum = 0;
	Train		t;
	Tree		tree;

	for (uint32_t i = 0; i < n; i++)
	{
		x[i] = i;
		low = fmin(low, y[i]);
		high = fmax(high, y[i]);
	}
	train_begin(&t, &data);
	for (uint32_t i = 0; i < t.training->n_train; i++)
	{
		const TrainingChunk *chunk = training_chunk(t.training, i);
		uint32_t	at = training_in_chunk(t.training, i);

		sum += fabsl((long double) chunk->target[at]) *
			(chunk->weight != NULL ? chunk->weight[at] : 1) * TRAINING_THRESHOLDS;
	}
	tap_ok(sum <= 0x1p62L, "%s: no sum overflows", name);
	tap_ok(sum >= 0x1p56L || weight != NULL, "%s: and no place is wasted", name);
	tree_read(&tree, &t.training->schema, &t.trees[0]);
	for (uint32_t i = 0; i < n; i++)
		worst = fmax(worst, fabs(tree_leaf(&tree, &x[i])->value[0] / 4 - y[i] / 4) /
					 (high / 4 - low / 4));
	tap_ok(worst <= 1e-9, "%s: values are kept within 1e-9 of their range (%s)", name,
		   worst <= 1e-9 ? "yes" : "no");
	tree_free(&tree);
	tap_ok(train_end(&t), "no leak");
	free(x);
}

static void
test_targets(void)
{
	const char *params = "bootstrap=false";
	double		y[200];
	double		weight[200];
	uint64_t	state = 3;

	for (int i = 0; i < 200; i++)
	{
		y[i] = train_unit(&state) * 100 - 30;
		weight[i] = 1 + train_below(&state, 1000);
	}
	check_targets("ordinary", y, NULL, 200, params);
	check_targets("weights", y, weight, 200, params);
	for (int i = 0; i < 200; i++)
		weight[i] = train_unit(&state);
	check_targets("real weights", y, weight, 200, params);
	check_targets("many trees", y, NULL, 200, "bootstrap=false n_estimators=3");
	for (int i = 0; i < 200; i++)
		y[i] = 1e12 + i % 17;
	check_targets("a large offset", y, NULL, 200, params);
	for (int i = 0; i < 200; i++)
		y[i] = 1e300 * (i % 17 - 8);
	check_targets("huge", y, NULL, 200, params);
	for (int i = 0; i < 200; i++)
		y[i] = 1e-300 * (i % 17 - 8);
	check_targets("tiny", y, NULL, 200, params);
	for (int i = 0; i < 200; i++)
		y[i] = 5e-324 * (i % 17 - 8);
	check_targets("subnormal", y, NULL, 200, params);
	for (int i = 0; i < 200; i++)
		y[i] = i == 77 ? 1e15 : train_unit(&state);
	check_targets("an outlier", y, NULL, 200, params);
	for (int i = 0; i < 200; i++)
		y[i] = i % 2 == 0 ? 8e307 : -8e307;
	check_targets("the largest", y, NULL, 200, params);
	check_targets("the largest, weighted", y, weight, 200, params);
	for (int i = 0; i < 200; i++)
		y[i] = 1 + i % 9;
	check_targets("poisson", y, NULL, 200, "bootstrap=false criterion=poisson");
}

/* Targets whose unit is another power of two: trees are the same to the byte. */
static void
check_unit(const char *name, ForestCriterion criterion, const char *params)
{
	static const int exponents[] = {990, 530, 30, -30, -530, -900};
	static double x[300];
	static double y[300];
	static double far[300];
	TrainData	data = {.n = 300,.p = 1,.x = x,.y = y,.params = params};
	TrainData	scaled = data;
	ReferenceRules rules = {.criterion = criterion,.min_split = 20,.min_rows = 10,
		.value_tolerance = 1e-9 * 30};
	uint64_t	state = 12;
	int			n_wrong = 0;
	Train		t;

	for (int i = 0; i < 300; i++)
	{
		x[i] = train_below(&state, 60);
		y[i] = x[i] / 6 + 20 * train_unit(&state);
	}
	train_begin(&t, &data);
	tap_is_int(reference_check_all(&t, &data, &rules), 0, "%s: every node", name);
	scaled.y = far;
	for (int e = 0; e < 6; e++)
	{
		ForestModel *model;
		Train		u;

		for (int i = 0; i < 300; i++)
			far[i] = ldexp(y[i], exponents[e]);
		train_begin(&u, &scaled);
		model = train_model(&u);
		n_wrong += !train_same_trees(&t, &u);
		n_wrong += u.training->schema.target_shift != t.training->schema.target_shift -
			exponents[e];
		n_wrong += fabs(forest_model_importance(model, 0) - 1) > 1e-12;
		forest_model_free(model);
		n_wrong += !train_end(&u);
	}
	tap_is_int(n_wrong, 0, "%s: the same with targets of 2^990 … 2^−900", name);
	tap_ok(train_end(&t), "no leak");
}

static void
test_units(void)
{
	check_unit("squared error", FOREST_SQUARED_ERROR, "bootstrap=false min_samples_leaf=10");
	check_unit("poisson", FOREST_POISSON,
			   "bootstrap=false min_samples_leaf=10 criterion=poisson");
}

static void
test_refused(void)
{
	static const double x[] = {1, 2, 3, 4};
	double		y[4] = {-DBL_MAX, DBL_MAX, DBL_MAX, DBL_MAX};
	TrainData	data = {.n = 4,.p = 1,.x = x,.y = y};
	Failure		why;

	tap_is_int(train_refused(&data, &why), STATUS_OUT_OF_RANGE, "targets too far apart");
	data.params = "criterion=poisson";
	y[0] = -1e-9;
	tap_is_int(train_refused(&data, &why), STATUS_INVALID_DATA, "poisson: a negative target");
	tap_is_text(why.text, "criterion \"poisson\" needs targets of at least 0", "says so");
	y[0] = 0;
	tap_is_int(train_refused(&data, &why), STATUS_OK, "poisson: zero is allowed");
	memset(y, 0, sizeof(y));
	tap_is_int(train_refused(&data, &why), STATUS_INVALID_DATA, "poisson: all zero");
}

/* A row of weight 0 may hold any target. */
static void
test_ignored_target(void)
{
	static const double x[] = {1, 2, 3, 4};
	static const double y[] = {1, 2, 1e300, 3};
	static const double weight[] = {1, 2, 0, 1};
	TrainData	data = {.n = 4,.p = 1,.x = x,.y = y,.weight = weight,
		.params = "bootstrap=false"};
	Train		t;
	Tree		tree;

	train_begin(&t, &data);
	tree_read(&tree, &t.training->schema, &t.trees[0]);
	tap_is_real(tree_leaf(&tree, &x[1])->value[0], 2, 1e-12,
				"a huge target of weight 0 costs no place");
	tap_is_int(tree.n_leaves, 3, "and makes no leaf");
	tree_free(&tree);
	tap_ok(train_end(&t), "no leak");
}

/* -------------------------------------------------------------- estimate -- */

/* Is a number of bytes within some percent, or little enough not to matter? */
static bool
is_near(size_t bytes, size_t estimate, size_t percent)
{
	size_t		slack = estimate / 100 * percent + 131072;

	return bytes <= estimate + slack && bytes + slack >= estimate;
}

static void
check_estimate(const char *name, uint32_t n, uint32_t p, uint32_t n_classes, const char *params)
{
	double	   *x = malloc((size_t) n * p * sizeof(double));
	double	   *y = malloc(n * sizeof(double));
	TrainData	data = {.n = n,.p = p,.x = x,.y = y,.n_classes = n_classes,.params = params};
	TestHost	host;
	TestHost	grower_host;
	ForestFrame *frame;
	ForestParams *p_params;
	ForestTraining *t;
	ForestGrower *grower;
	ForestEstimate estimate;
	ForestBlob	blob = {0};
	uint64_t	state = 5;
	Failure		why;

	for (size_t i = 0; i < (size_t) n * p; i++)
		x[i] = train_unit(&state);
	for (uint32_t i = 0; i < n; i++)
		y[i] = n_classes == 0 ? train_unit(&state)
			: train_below(&state, 4) == 0 ? train_below(&state, n_classes)	/* some are noise */
			: floor(x[(size_t) i * p] * n_classes);
	test_host_begin(&host);
	test_host_begin(&grower_host);
	(void) train_frame(&host.host, &data, &frame, &why);
	(void) train_params(&host.host, &data, &p_params, &why);
	forest_training_estimate(frame, n, p_params, &data.split, &estimate);
	tap_ok(!estimate.spilled, "%s: stays in memory", name);
	(void) forest_training_new(&host.host, &host.host, frame, p_params, &data.split, &t, &why);
	tap_ok(is_near(host.peak_bytes, estimate.prepare_bytes, 20), "%s: preparing, %zu of %zu", name,
		   host.peak_bytes, estimate.prepare_bytes);
	forest_frame_free(frame);
	forest_params_free(&host.host, p_params);
	tap_ok(is_near(host.live_bytes, estimate.matrix_bytes + p * 255 * sizeof(double), 20),
		   "%s: matrix", name);
	(void) forest_grower_new(&grower_host.host, t, &grower, &why);
	(void) train_grow(grower, &grower_host.host, 0, &blob, &why);
	/* the test host moves what grows: for a moment it holds an array of 1 and one of 1.5 */
	tap_ok(strstr(params, "max_depth") != NULL
		   ? is_near(grower_host.peak_bytes, estimate.grower_bytes, 20) : grower_host.peak_bytes <= estimate.grower_bytes / 3 * 5 + 262144 &&
		   grower_host.peak_bytes >= estimate.grower_bytes / 2, "%s: growing, %zu of %zu", name,
		   grower_host.peak_bytes, estimate.grower_bytes);
	train_blob_free(&grower_host.host, &blob);
	forest_grower_free(grower);
	forest_training_free(t);
	tap_ok(test_host_end(&host) && test_host_end(&grower_host), "no leak");
	free(x);
	free(y);
}

static void
test_estimate(void)
{
	check_estimate("two classes", 30000, 5, 2, "");
	check_estimate("ten classes", 10000, 5, 10, "");
	check_estimate("regression", 30000, 5, 0, "");
	check_estimate("many features", 3000, 150, 2, "min_samples_leaf=5");
	check_estimate("shallow", 30000, 5, 2, "max_depth=3");
}

/* ------------------------------------------------------- temporary files -- */

/* The same trees with columns in memory and in a file, whenever it was begun. */
static void
check_spill(const char *name, TrainData data)
{
	TrainFile	file;
	Train		t;
	Train		u;

	train_begin(&t, &data);
	for (int share = 0; share < 2; share++)
	{
		train_file_begin(&file);
		data.spill = &file.spill;
		data.memory = share == 0 ? 0 : (size_t) data.n * 60;
		train_begin(&u, &data);
		tap_ok(file.n_writes > 0 && file.n_reads > 0 && train_same_trees(&t, &u),
			   "%s: the same trees from a file%s", name, share == 0 ? "" : " begun late");
		tap_ok(train_end(&u), "no leak");
		train_file_end(&file);
	}
	tap_ok(train_end(&t), "no leak");
}

static Status
spill(const Host *host, void *arg, Failure *why)
{
	const TrainData *data = arg;
	TrainFile  *file = data->spill->ctx;
	ForestTraining *t;
	Status		status;

	file->n_bytes = file->n_writes = file->n_reads = 0;
	status = train_new(host, host, data, &t, why);
	if (status == STATUS_OK)
		forest_training_free(t);
	return status;
}

/* A call of the file that fails ends the training. */
static void
check_file_failures(TrainData *data, TrainFile *file)
{
	int			n_wrong = 0;
	size_t		n_writes;
	size_t		n_reads;
	TestHost	host;
	Failure		why;

	test_host_begin(&host);
	(void) spill(&host.host, data, &why);
	n_writes = file->n_writes;
	n_reads = file->n_reads;
	for (size_t i = 1; i <= n_writes; i++)
	{
		file->fail_write = i;
		n_wrong += spill(&host.host, data, &why) != STATUS_IO;
	}
	file->fail_write = 0;
	for (size_t i = 1; i <= n_reads; i++)
	{
		file->fail_read = i;
		n_wrong += spill(&host.host, data, &why) != STATUS_IO;
	}
	file->fail_read = 0;
	tap_is_int(n_wrong, 0, "every one of %zu writes and %zu reads may fail", n_writes, n_reads);
	tap_ok(test_host_end(&host), "no leak");
}

static void
test_spill(void)
{
	enum {N = 5000};
	static double x[N * 5];
	static double y[N];
	static double weight[N];
	TrainFile	file;
	TrainData	data = {.n = N,.p = 5,.x = x,.kinds = "nnncc",.y = y,
		.split = {.kind = FOREST_SPLIT_HASH, .test_size = 0.3, .split_seed = 0},.params = "n_estimators=3 max_depth=8"};

	make_rows(x, y, N, 6);
	for (uint32_t i = 0; i < N; i++)
	{
		weight[i] = i % 5;
		x[5 * i] = i;
	}
	check_spill("regression", data);
	data.weight = weight;
	data.group = y;
	data.time = weight;
	data.split.kind = FOREST_SPLIT_TIME;
	data.params = "n_estimators=3 max_depth=8 splitter=random";
	check_spill("everything", data);

	train_file_begin(&file);
	data.spill = &file.spill;
	check_file_failures(&data, &file);
	tap_ok(test_sweep(spill, &data, 40, 10), "survives refusal and cancel");
	train_file_end(&file);
}

/* -------------------------------------------------------------- failures -- */

static Status
prepare(const Host *host, void *arg, Failure *why)
{
	ForestTraining *t;
	Status		status = train_new(host, host, arg, &t, why);

	if (status == STATUS_OK)
		forest_training_free(t);
	return status;
}

static void
test_failures(void)
{
	static double x[400 * 5];
	static double y[400];
	static double weight[400];
	TrainData	data = {.n = 400,.p = 5,.x = x,.kinds = "nnncc",.y = y,
		.split = {.kind = FOREST_SPLIT_HASH, .test_size = 0.3, .split_seed = 0}};

	make_rows(x, y, 400, 4);
	for (uint32_t i = 0; i < 400; i++)
	{
		weight[i] = i % 5;
		x[5 * i] = i;			/* more than 255 distinct values */
	}
	tap_ok(test_sweep(prepare, &data, 30, 10), "survives refusal and cancel: regression");
	data.weight = weight;
	data.time = weight;
	data.group = y;
	data.split.kind = FOREST_SPLIT_TIME;
	data.params = "splitter=random monotonic_cst=[1,0,-1,0,0]";
	tap_ok(test_sweep(prepare, &data, 40, 10), "survives refusal and cancel: everything");
	for (uint32_t i = 0; i < 400; i++)
		y[i] = (double) (i % 3);
	data.n_classes = 3;
	data.params = "class_weight=balanced";
	tap_ok(test_sweep(prepare, &data, 40, 10), "survives refusal and cancel: classes");
}

int
main(void)
{
	test_matrix();
	test_levels();
	test_chunks();
	test_targets();
	test_units();
	test_refused();
	test_ignored_target();
	test_estimate();
	test_spill();
	test_failures();
	return tap_done();
}
