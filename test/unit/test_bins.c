/*
 * test_bins.c
 *	  Cuts and dictionaries of columns.
 */
#include <float.h>
#include <stdlib.h>

#include "tap.h"
#include "train_fixture.h"

#include "core/sort.h"
#include "forest/bins.h"

/* ------------------------------------------------------------------ cuts -- */

/* The next double above. */
static double
up(double x)
{
	return nextafter(x, INFINITY);
}

static void
test_cut(void)
{
	static const double below[] = {
		0, -1, 1e308, -DBL_MAX, -DBL_MAX, DBL_MAX / 2, -5e-324, 0, 5e-324, 1e-323, 1.5e-323,
		-1e-323, DBL_MIN, 1, 1e16, -1, 0.1, -DBL_MAX
	};
	static const double above[] = {
		1, 1, 1.7e308, DBL_MAX, 0, DBL_MAX, 5e-324, 5e-324, 1e-323, 1.5e-323, 2e-323,
		-5e-324, 2 * DBL_MIN, 1 + DBL_EPSILON, 1e16 + 2, 0, 0.2, -1.7e308
	};
	uint64_t	state = 1;
	int			n_wrong = 0;

	tap_is_real(bins_cut(1, 2), 1.5, 0, "the midpoint");
	tap_is_real(bins_cut(-DBL_MAX, DBL_MAX), 0, 0, "of the largest numbers");
	tap_is_real(bins_cut(1.6e308, 1.7e308), 1.65e308, 1e294, "without overflow");
	tap_is_real(bins_cut(1, 1 + DBL_EPSILON), 1, 0, "of neighbours the smaller");
	tap_is_real(bins_cut(0, 5e-324), 0, 0, "of zero and the least number too");
	for (size_t i = 0; i < sizeof(below) / sizeof(below[0]); i++)
		n_wrong += !(below[i] <= bins_cut(below[i], above[i]) &&
					 bins_cut(below[i], above[i]) < above[i]);
	for (int i = 0; i < 20000; i++)
	{
		/* subnormals, and neighbours anywhere */
		double		a = sort_double_of_key((uint64_t) (train_unit(&state) * 0x1p20) +
										   (UINT64_C(1) << 63) - (1 << 19));
		double		b = i % 3 == 0 ? up(a) : sort_double_of_key(sort_key_of_double(a) + 1 +
															  train_below(&state, 7));
		double		cut = bins_cut(a, b);

		n_wrong += !(a <= cut && cut < b);
	}
	tap_is_int(n_wrong, 0, "a cut is at least the lower and below the upper number");
}

/* The rows in each of the bins that cuts make. */
static uint32_t
fill_bins(const double *values, const uint32_t *counts, size_t n, const double *cuts,
		  uint32_t n_cuts, uint64_t *rows)
{
	uint32_t	bin = 0;

	memset(rows, 0, (n_cuts + 1) * sizeof(uint64_t));
	for (size_t i = 0; i < n; i++)
	{
		while (bin < n_cuts && cuts[bin] < values[i])
			bin++;
		rows[bin] += counts[i];
	}
	return bin + 1;
}

static void
test_greedy_vector(void)
{
	static const double expected[] = {0.5, 13.5, 26.5, 38.5};
	double		values[51];
	uint32_t	counts[51];
	double		cuts[4];
	int			n_wrong = 0;

	for (int i = 0; i < 51; i++)
	{
		values[i] = i;
		counts[i] = i == 0 ? 50 : 1;
	}
	tap_is_int(bins_greedy(values, counts, 51, 5, 1, cuts), 4, "T1: five bins");
	for (int i = 0; i < 4; i++)
		n_wrong += cuts[i] != expected[i];
	tap_is_int(n_wrong, 0, "T1: cuts");
}

/* What must hold of any greedy bins; returns what does not. */
static int
greedy_faults(const double *values, const uint32_t *counts, size_t n, uint32_t max_bins,
			  uint32_t min_in_bin)
{
	double		cuts[FOREST_VALUE_BINS];
	uint64_t	rows[FOREST_VALUE_BINS];
	uint32_t	n_cuts = bins_greedy(values, counts, n, max_bins, min_in_bin, cuts);
	double		total = 0;
	double		mean;
	size_t		at = 0;
	int			n_wrong = 0;

	if (n_cuts + 1 > max_bins || fill_bins(values, counts, n, cuts, n_cuts, rows) != n_cuts + 1)
		return 1000;
	for (size_t i = 0; i < n; i++)
		total += counts[i];
	mean = fmax(total / max_bins, min_in_bin);
	for (uint32_t bin = 0; bin <= n_cuts; bin++)
	{
		uint64_t	largest = 0;

		if (bin > 0 && bin < n_cuts)
			n_wrong += cuts[bin] <= cuts[bin - 1];
		for (; at < n && (bin == n_cuts || values[at] <= cuts[bin]); at++)
			largest = counts[at] > largest ? counts[at] : largest;
		/* of a mean bin's size at most, but for one value that is larger by itself */
		n_wrong += (double) (rows[bin] - largest) > 2 * mean + 1;
		n_wrong += rows[bin] < min_in_bin && bin < n_cuts;
	}
	return n_wrong;
}

static void
test_greedy(void)
{
	static double values[3000];
	static uint32_t counts[3000];
	uint64_t	state = 7;
	int			n_wrong = 0;

	for (int round = 0; round < 300; round++)
	{
		size_t		n = 2 + train_below(&state, 2998);
		uint32_t	shape = train_below(&state, 4);
		double		value = -5;

		for (size_t i = 0; i < n; i++)
		{
			value += 0.01 + train_unit(&state);
			values[i] = value;
			counts[i] = 1 + (shape == 0 ? 0 : train_below(&state, 4));
			if (shape == 2 && train_below(&state, 50) == 0)
				counts[i] = 1 + train_below(&state, 500);
			if (shape == 3 && i == n / 2)
				counts[i] = 20000;
		}
		n_wrong += greedy_faults(values, counts, n, 2 + train_below(&state, 254),
								 1 + train_below(&state, 5));
	}
	tap_is_int(n_wrong, 0, "greedy bins: not too many, nearly even, none too small");
}

/* --------------------------------------------------------------- columns -- */

/* Train on one column; the feature is that of the training. */
static const ForestFeature *
begin_column(Train *t, TrainData *data, const double *x, uint32_t n, const char *kind)
{
	double	   *y = malloc(n * sizeof(double));
	double	   *two = malloc(2 * (size_t) n * sizeof(double));

	/* a second column that is never dropped, a target that varies */
	for (uint32_t i = 0; i < n; i++)
	{
		y[i] = i % 2;
		two[2 * i] = x[i];
		two[2 * i + 1] = i % 2;
	}
	*data = (TrainData) {.n = n,.p = 2,.x = two,.kinds = kind,.y = y,.n_classes = 2,
		.params = "max_depth=1"};
	train_begin(t, data);
	free(y);
	free(two);
	return &t->training->schema.features[0];
}

static ForestColumnFate
fate(const Train *t)
{
	ForestReport report;

	forest_training_report(t->training, &report);
	return report.fates[0];
}

/* How many of the values a feature puts into another bin than counting does. */
static int
misplaced(const ForestFeature *feature, const double *x, uint32_t n)
{
	int			n_wrong = 0;

	for (uint32_t i = 0; i < n; i++)
		n_wrong += schema_encode_number(feature, x[i]) != tree_bin(feature, x[i]);
	for (uint32_t i = 0; i + 1 < feature->n_bins; i++)
	{
		double		cut = feature->cuts[i];

		n_wrong += schema_encode_number(feature, cut) != i;
		n_wrong += schema_encode_number(feature, up(cut)) != i + 1;
	}
	n_wrong += schema_encode_number(feature, -INFINITY) != 0;
	n_wrong += schema_encode_number(feature, INFINITY) != feature->n_bins - 1;
	return n_wrong;
}

static void
test_exact(void)
{
	double		x[600];
	uint64_t	state = 3;
	int			n_wrong = 0;
	Train		t;
	TrainData	data;
	const ForestFeature *f;

	for (int i = 0; i < 600; i++)
		x[i] = i >= 510 ? NAN : (double) ((i * 7) % 255) * 3;
	f = begin_column(&t, &data, x, 600, "nn");
	tap_is_int(f->n_bins, 255, "255 distinct values, 255 bins");
	for (uint32_t i = 0; i < 254; i++)
		n_wrong += f->cuts[i] != 3 * i + 1.5;
	tap_is_int(n_wrong, 0, "cuts are the midpoints");
	tap_is_int(misplaced(f, x, 600), 0, "and a cut belongs to the bin below");
	tap_ok(train_end(&t), "no leak");

	for (int i = 0; i < 400; i++)
		x[i] = (i * 7) % 256;
	f = begin_column(&t, &data, x, 400, "nn");
	tap_ok(f->n_bins <= 255 && f->n_bins > 120, "256 distinct values are gathered");
	tap_is_int(misplaced(f, x, 400), 0, "in bins");
	tap_ok(train_end(&t), "no leak");

	for (int i = 0; i < 400; i++)
		x[i] = i % 3 == 0 ? 0 : train_unit(&state) * 1e6;
	f = begin_column(&t, &data, x, 400, "nn");
	tap_ok(f->n_bins > 200, "a spike leaves the other values their bins");
	tap_ok(f->cuts[0] > 0 && tree_bin(f, 0) == 0 && tree_bin(f, f->cuts[0] * 2) > 0,
		   "and has one of its own");
	tap_ok(train_end(&t), "no leak");
}

/* Of ten thousand rows and more a bin has three at least. */
static void
test_small_bins(void)
{
	enum {N = 12000};
	static double x[N];
	uint32_t	rows[FOREST_VALUE_BINS] = {0};
	uint32_t	n_small = 0;
	Train		t;
	TrainData	data;
	const ForestFeature *f;

	for (int i = 0; i < N; i++)
		x[i] = i < N - 300 ? 0 : i;
	f = begin_column(&t, &data, x, N, "nn");
	for (int i = 0; i < N; i++)
		rows[tree_bin(f, x[i])]++;
	for (uint32_t bin = 0; bin + 1 < f->n_bins; bin++)
		n_small += rows[bin] < 3;
	tap_ok(n_small == 0 && f->n_bins > 90, "12000 rows: at least three rows a bin");
	tap_ok(train_end(&t), "no leak");
	f = begin_column(&t, &data, x + 3000, N - 3000, "nn");
	tap_is_int(f->n_bins > 120, true, "9000 rows: also fewer");
	tap_ok(train_end(&t), "no leak");
}

static void
test_extremes(void)
{
	static const double x[] = {
		1e308, -1e308, 5e-324, -5e-324, 0, -0.0, 1e-323, DBL_MAX, -DBL_MAX, DBL_MIN, 1.7e308,
		NAN, 0, -0.0
	};
	Train		t;
	TrainData	data;
	const ForestFeature *f = begin_column(&t, &data, x, 14, "nn");
	int			n_wrong = 0;

	tap_is_int(f->n_bins, 10, "zeros of both signs are one value");
	for (uint32_t i = 0; i + 1 < f->n_bins; i++)
		n_wrong += !isfinite(f->cuts[i]) || (i > 0 && f->cuts[i] <= f->cuts[i - 1]);
	tap_is_int(n_wrong, 0, "cuts of extreme numbers are finite and increase");
	for (int i = 0; i < 14; i++)
		for (int j = 0; j < 14; j++)
			n_wrong += (x[i] < x[j]) != (tree_bin(f, x[i]) < tree_bin(f, x[j])) &&
				!isnan(x[i]) && !isnan(x[j]);
	tap_is_int(n_wrong, 0, "every value has a bin of its own");
	tap_is_int(misplaced(f, x, 14), 0, "also when encoded");
	tap_ok(train_end(&t), "no leak");
}

static void
test_fates(void)
{
	double		x[40];
	Train		t;
	TrainData	data;
	const ForestFeature *f;

	for (int i = 0; i < 40; i++)
		x[i] = NAN;
	(void) begin_column(&t, &data, x, 40, "nn");
	tap_is_int(fate(&t), FOREST_DROPPED_MISSING, "all missing: dropped");
	tap_is_int(t.training->schema.n_features, 1, "and no feature");
	tap_is_text(t.training->schema.features[0].name.bytes, "x1", "the others are kept");
	tap_ok(train_end(&t), "no leak");
	(void) begin_column(&t, &data, x, 40, "cn");
	tap_is_int(fate(&t), FOREST_DROPPED_MISSING, "all missing categories: dropped");
	tap_ok(train_end(&t), "no leak");

	for (int i = 0; i < 40; i++)
		x[i] = 5;
	(void) begin_column(&t, &data, x, 40, "nn");
	tap_is_int(fate(&t), FOREST_DROPPED_CONSTANT, "constant: dropped");
	tap_ok(train_end(&t), "no leak");
	(void) begin_column(&t, &data, x, 40, "cn");
	tap_is_int(fate(&t), FOREST_DROPPED_CONSTANT, "one category: dropped");
	tap_ok(train_end(&t), "no leak");

	x[17] = NAN;
	f = begin_column(&t, &data, x, 40, "nn");
	tap_ok(fate(&t) == FOREST_KEPT && f->n_bins == 1, "constant or missing: kept, one bin");
	tap_is_int(schema_encode_number(f, 77), 0, "for all present values");
	tap_ok(train_end(&t), "no leak");
	f = begin_column(&t, &data, x, 40, "cn");
	tap_ok(fate(&t) == FOREST_KEPT && f->n_bins == 1 && !f->has_other,
		   "one category or missing: kept");
	tap_ok(train_end(&t), "no leak");

	for (int i = 0; i < 40; i++)
		x[i] = i;
	(void) begin_column(&t, &data, x, 40, "nn");
	tap_is_int(fate(&t), FOREST_KEPT, "different numbers: kept");
	tap_ok(train_end(&t), "no leak");
	(void) begin_column(&t, &data, x, 40, "in");
	tap_is_int(fate(&t), FOREST_KEPT_ID_LIKE, "different integers: like an id");
	tap_ok(train_end(&t), "no leak");
	(void) begin_column(&t, &data, x, 40, "cn");
	tap_is_int(fate(&t), FOREST_KEPT_ID_LIKE, "different categories: like an id");
	tap_ok(train_end(&t), "no leak");
}

/* ------------------------------------------------------------ categories -- */

static void
test_categories(void)
{
	double	   *x = malloc(4000 * sizeof(double));
	uint32_t	n = 0;
	Train		t;
	TrainData	data;
	const ForestFeature *f;
	int			n_wrong = 0;

	/* 300 categories, three times 250 … 259, once 260 … 299, twice the others */
	for (int k = 0; k < 300; k++)
		for (int i = k < 250 ? 2 : k < 260 ? 3 : 1; i > 0; i--)
			x[n++] = k;
	x[n++] = NAN;
	f = begin_column(&t, &data, x, n, "cn");
	tap_is_int(f->n_categories, 254, "254 categories are kept");
	tap_ok(f->has_other && f->n_bins == 255, "the others are one");
	for (uint32_t code = 0; code < 10; code++)
	{
		char		text[16];

		snprintf(text, sizeof(text), "c%u", 250 + code);
		n_wrong += strcmp(f->categories[code].bytes, text) != 0;
	}
	tap_is_int(n_wrong, 0, "the most frequent come first");
	for (uint32_t code = 1; code < f->n_categories; code++)
		if (code != 10)
			n_wrong += strcmp(f->categories[code - 1].bytes, f->categories[code].bytes) >= 0;
	tap_is_int(n_wrong, 0, "equally frequent ones are sorted by bytes");
	tap_is_text(f->categories[253].bytes, "c93", "and those with larger bytes fall out");
	tap_ok(train_end(&t), "no leak");

	f = begin_column(&t, &data, x, 2 * 254, "cn");
	tap_is_int(f->n_bins, 250 + 3, "fewer are all kept");
	tap_ok(!f->has_other, "without others");
	tap_ok(train_end(&t), "no leak");
	free(x);
}

/* A frame of one category column, whose texts are given. */
static void
text_feature(TestHost *t, const char *const *texts, const uint8_t *trains, uint32_t n,
			 ForestFeature *out)
{
	ForestColumn column = {"c", FOREST_CATEGORY, false};
	ForestFrameOptions options = {.columns = &column,.n_columns = 1,
		.target = FOREST_TARGET_NUMBER};
	static const uint32_t sample[] = {0};	/* of texts none is taken */
	BinsRows	rows = {.trains = trains,.sample = sample};
	ForestColumnFate column_fate;
	ForestFrame *frame;
	Failure		why;

	(void) forest_frame_new(&t->host, &options, &frame, &why);
	for (uint32_t i = 0; i < n; i++)
	{
		ForestCell	cell = {.text = texts[i],.n_bytes = strlen(texts[i])};
		ForestRow	row = {.cells = &cell,.target_number = i};

		(void) forest_frame_append(frame, &row, &why);
		rows.n_train += trains[i];
	}
	tap_is_int(bins_of_columns(&t->host, frame, &rows, out, &column_fate, &why), STATUS_OK,
			   "bins of a column of texts");
	forest_frame_free(frame);
}

static void
test_texts(void)
{
	static char long_a[401];
	static char long_b[401];
	const char *texts[] = {"x", "y", "test only", long_a, long_b, long_a, "", "y"};
	static const uint8_t trains[] = {1, 1, 0, 1, 1, 1, 1, 1};
	ForestSchema schema = {0};
	ForestCell	cell = {0};
	TestHost	t;

	memset(long_a, 'a', 400);
	memset(long_b, 'a', 400);
	long_b[399] = 'b';
	test_host_begin(&t);
	schema.n_features = 1;
	schema.features = t.host.realloc(t.host.ctx, NULL, 0, sizeof(ForestFeature));
	memset(schema.features, 0, sizeof(ForestFeature));
	text_feature(&t, texts, trains, 8, &schema.features[0]);
	tap_is_int(schema.features[0].n_categories, 5, "a category of the holdout alone is none");
	tap_ok(schema.features[0].categories[1].bytes[0] == 'y' &&
		   schema.features[0].categories[0].n_bytes > 200, "two long texts are two categories");
	cell.text = "test only";
	cell.n_bytes = 9;
	tap_is_int(schema_encode(&schema.features[0], &cell), FOREST_MISSING,
			   "and missing where nothing else is other");
	cell.text = long_b;
	cell.n_bytes = 400;
	tap_ok(schema_encode(&schema.features[0], &cell) > 1, "a long text is found again");
	cell.text = "";
	cell.n_bytes = 0;
	tap_is_int(schema_encode(&schema.features[0], &cell), 2, "the empty text is a category");
	schema_free(&t.host, &schema);
	tap_ok(test_host_end(&t), "no leak");
}

/* ---------------------------------------------------------------- sample -- */

/* Of very many rows the cuts come from the sample. */
static void
test_sample(void)
{
	enum {N = BINS_SAMPLE_ROWS + 30000, DISTINCT = 4001};
	ForestColumn column = {"c", FOREST_NUMERIC, false};
	ForestFrameOptions options = {.columns = &column,.n_columns = 1,
		.target = FOREST_TARGET_NUMBER};
	static uint8_t trains[N];
	static uint32_t sample[BINS_SAMPLE_ROWS];
	static double values[DISTINCT];
	static uint32_t counts[DISTINCT];
	BinsRows	rows = {.trains = trains,.n_sample = BINS_SAMPLE_ROWS};
	uint32_t	n_sampled = 0;
	ForestSchema schema = {.n_features = 1};
	ForestColumnFate column_fate;
	ForestFrame *frame;
	double		cuts[FOREST_VALUE_BINS];
	uint32_t	n_cuts;
	TestHost	t;
	Failure		why;

	test_host_begin(&t);
	(void) forest_frame_new(&t.host, &options, &frame, &why);
	for (uint32_t i = 0; i < N; i++)
	{
		ForestCell	cell = {.number = i * UINT32_C(7919) % DISTINCT};
		ForestRow	row = {.cells = &cell,.target_number = i};

		(void) forest_frame_append(frame, &row, &why);
		trains[i] = i % 11 != 0;
		rows.n_train += trains[i];
	}
	for (uint32_t v = 0; v < DISTINCT; v++)
		values[v] = v;
	/* the last rows are the sample */
	for (uint32_t i = N; i-- > 0 && n_sampled < BINS_SAMPLE_ROWS;)
	{
		if (!trains[i])
			continue;
		sample[BINS_SAMPLE_ROWS - ++n_sampled] = i;
		counts[i * UINT32_C(7919) % DISTINCT]++;
	}
	rows.sample = sample;
	schema.features = t.host.realloc(t.host.ctx, NULL, 0, sizeof(ForestFeature));
	memset(schema.features, 0, sizeof(ForestFeature));
	tap_is_int(bins_of_columns(&t.host, frame, &rows, schema.features, &column_fate, &why),
			   STATUS_OK, "bins of many rows");
	n_cuts = bins_greedy(values, counts, DISTINCT, FOREST_VALUE_BINS, 3, cuts);
	tap_is_int(schema.features[0].n_bins, n_cuts + 1, "as many as the sample gives");
	tap_ok(memcmp(schema.features[0].cuts, cuts, n_cuts * sizeof(double)) == 0,
		   "cuts are those of the sample");
	schema_free(&t.host, &schema);
	forest_frame_free(frame);
	tap_ok(test_host_end(&t), "no leak");
}

int
main(void)
{
	test_cut();
	test_greedy_vector();
	test_greedy();
	test_exact();
	test_small_bins();
	test_extremes();
	test_fates();
	test_categories();
	test_texts();
	test_sample();
	return tap_done();
}
