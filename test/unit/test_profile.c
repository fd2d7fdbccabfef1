/*
 * test_profile.c
 *	  Profiles of columns.
 */
#include "tap.h"
#include "test_host.h"

#include "dataset/dataset.h"

static const bool is_number[] = {true, false, true, false};

#define COLUMNS 4

/* Row i of n: a number that is different in each, a text of a few, few numbers with NULLs, ids. */
static void
make_cells(size_t i, DatasetCell *cells, char *id)
{
	static const char *const plans[] = {"basic", "plus", "", "premium"};

	memset(cells, 0, COLUMNS * sizeof(DatasetCell));
	cells[0].number = (double) i;
	cells[1].text = plans[i % 4];
	cells[1].n_bytes = strlen(cells[1].text);
	cells[2].number = (double) (i % 10);
	cells[2].missing = i % 20 == 0;
	sprintf(id, "customer-%zu", i % 50000);
	cells[3].text = id;
	cells[3].n_bytes = strlen(id);
}

static Hash128
hash_of(size_t i)
{
	return hash_bytes(&i, sizeof(i));
}

/* Add rows first, first + step, …, each so many times. */
static Status
add_rows(DatasetProfile *p, size_t n, size_t first, size_t step, int times, Failure *why)
{
	DatasetCell cells[COLUMNS];
	char		id[32];
	Status		status = STATUS_OK;

	for (size_t k = 0, i = first; k < n && status == STATUS_OK; k++, i = (i + step) % n)
	{
		make_cells(i, cells, id);
		for (int j = 0; j < times && status == STATUS_OK; j++)
			status = dataset_profile_add(p, cells, hash_of(i), why);
	}
	return status;
}

static void
test_small(void)
{
	TestHost	t;
	DatasetProfile *p;
	const DatasetColumnProfile *columns;
	Failure		why;

	test_host_begin(&t);
	(void) dataset_profile_new(&t.host, is_number, COLUMNS, &p, &why);
	tap_is_int(add_rows(p, 1000, 0, 1, 1, &why), STATUS_OK, "1,000 rows");
	tap_is_int(dataset_profile_finish(p, &columns, &why), STATUS_OK, "are profiled");
	tap_is_int(columns[0].n, 1000, "rows");
	tap_is_real(columns[0].min, 0, 0, "minimum");
	tap_is_real(columns[0].max, 999, 0, "maximum");
	tap_is_real(columns[0].mean, 499.5, 1e-9, "mean");
	tap_is_real(columns[0].sd, 288.8194360957494, 1e-9, "standard deviation");
	tap_ok(columns[0].distinct_exact && columns[0].n_distinct == 1000,
		   "different values are counted where the sample is all rows");
	tap_ok(columns[3].distinct_exact && columns[3].n_distinct == 1000, "texts too");
	tap_is_int(columns[0].n_percentiles, 101, "percentiles");
	tap_is_real(columns[0].percentiles[50], 499, 0, "the median is the smallest that half do not exceed");
	tap_is_real(columns[0].percentiles[1], 9, 0, "the first percentile");
	tap_is_real(columns[0].percentiles[100], 999, 0, "the last one");
	tap_is_int(columns[0].n_counts, 0, "values are not counted");

	tap_ok(columns[1].distinct_exact && columns[1].n_distinct == 4, "few texts");
	tap_is_int(columns[1].n_counts, 4, "are counted");
	tap_ok(columns[1].counts_exact && columns[1].counts[0].n == 250 &&
		   columns[1].counts[0].n_bytes == 0, "equal counts are in order of the texts");
	tap_ok(isnan(columns[1].mean), "texts have no mean");

	tap_is_int(columns[2].n_null, 50, "missing values");
	tap_is_int(columns[2].n_sampled, 950, "and the others");
	tap_is_real(columns[2].counts[9].number, 0, 0, "the rarest number is the last");
	tap_is_int(columns[2].counts[9].n, 50, "with its count");

	tap_is_int(columns[3].n_counts, 0, "texts that occur once are not listed");
	tap_is_int(columns[0].n_zero, 1, "zeros");
	tap_is_int(columns[0].n_negative + columns[0].n_infinite, 0, "nothing negative or infinite");
	tap_is_int(columns[0].n_bins, DATASET_BINS, "a histogram");
	tap_ok(columns[0].edges[0] == 0 && columns[0].edges[DATASET_BINS] == 999, "from end to end");
	tap_is_int(columns[0].bins[0], 50, "of equal bins");
	tap_is_int(columns[0].bins[DATASET_BINS - 1], 50, "the last with its end");
	tap_ok(columns[2].n_bins == DATASET_BINS && columns[2].bins[0] == 50 &&
		   columns[2].percentiles[50] == 5, "and percentiles of few numbers");
	tap_is_int(columns[1].min_length, 0, "the shortest text");
	tap_is_int(columns[1].max_length, 7, "the longest");
	tap_is_real(columns[1].mean_length, 4, 0, "and the mean");
	dataset_profile_free(p);
	tap_ok(test_host_end(&t), "no leak");
}

/* Rows in any order, or each three times, have the same profile. */
static void
test_large(void)
{
	enum
	{
		N = 100003
	};
	TestHost	t;
	DatasetProfile *p[3];
	const DatasetColumnProfile *c[3];
	int			n_wrong = 0;
	int			n_different = 0;
	Failure		why;

	test_host_begin(&t);
	for (int i = 0; i < 3; i++)
	{
		(void) dataset_profile_new(&t.host, is_number, COLUMNS, &p[i], &why);
		(void) add_rows(p[i], N, (size_t) i * 17, i == 1 ? 31337 : 1, i == 2 ? 3 : 1, &why);
		(void) dataset_profile_finish(p[i], &c[i], &why);
	}
	for (int k = 0; k <= 100; k++)
	{
		n_wrong += fabs(c[0][0].percentiles[k] - N * k / 100.0) > 0.02 * N;
		n_different += c[0][0].percentiles[k] != c[1][0].percentiles[k] ||
			c[0][0].percentiles[k] != c[2][0].percentiles[k];
	}
	tap_is_int(n_wrong, 0, "percentiles of a sample are near those of all rows");
	tap_is_int(n_different, 0, "and depend neither on the order nor on repeats");
	tap_ok(fabs(c[0][0].n_distinct - N) < 0.05 * N, "different values within 5 %%");
	tap_ok(c[0][0].n_distinct == c[1][0].n_distinct && c[0][0].n_distinct == c[2][0].n_distinct,
		   "the same in any order");
	tap_ok(c[0][0].n_sampled >= DATASET_SAMPLE_ROWS && c[0][0].n_sampled < DATASET_SAMPLE_ROWS + 10,
		   "the sample has the size that is wanted");
	tap_is_int(c[2][0].n_sampled, 3 * c[0][0].n_sampled, "repeats are counted");
	tap_is_int(c[0][1].counts[3].n, N / 4, "few values are counted exactly");
	tap_ok(c[0][3].n_counts > 0 && !c[0][3].counts_exact, "frequent texts come from the sample");
	for (int i = 0; i < 3; i++)
		dataset_profile_free(p[i]);
	tap_ok(test_host_end(&t), "no leak");
}

/* Mean and standard deviation have the same bits in any order, and lose nothing to large numbers. */
static void
test_moments(void)
{
	enum
	{
		N = 5000
	};
	TestHost	t;
	bool		number = true;
	const DatasetColumnProfile *c[2];
	DatasetProfile *p[2];
	int			n_different = 0;
	Failure		why;

	test_host_begin(&t);
	for (int round = 0; round < 20; round++)
	{
		for (size_t k = 0; k < 2; k++)
		{
			(void) dataset_profile_new(&t.host, &number, 1, &p[k], &why);
			for (size_t i = 0; i < N; i++)
			{
				size_t		row = k == 0 ? i : (i * 1237 + 11) % N;
				DatasetCell cell = {.number = ldexp((double) (hash_of(row + N * (size_t) round).lo >> 11), -40) - 4e3};

				(void) dataset_profile_add(p[k], &cell, hash_of(row), &why);
			}
			(void) dataset_profile_finish(p[k], &c[k], &why);
		}
		n_different += c[0]->mean != c[1]->mean || c[0]->sd != c[1]->sd;
		dataset_profile_free(p[0]);
		dataset_profile_free(p[1]);
	}
	tap_is_int(n_different, 0, "mean and standard deviation do not depend on the order");
	(void) dataset_profile_new(&t.host, &number, 1, &p[0], &why);
	for (int i = 0; i < 1000; i++)
	{
		DatasetCell cell = {.number = 1e9 + i % 2};

		(void) dataset_profile_add(p[0], &cell, hash_of((size_t) i % 2), &why);
	}
	(void) dataset_profile_finish(p[0], &c[0], &why);
	tap_is_real(c[0]->mean, 1e9 + 0.5, 0, "the mean of large numbers");
	tap_is_real(c[0]->sd, sqrt(250.0 / 999), 1e-15, "and how little they differ");
	dataset_profile_free(p[0]);
	tap_ok(test_host_end(&t), "no leak");
}

static void
test_odd_values(void)
{
	TestHost	t;
	DatasetProfile *p;
	const DatasetColumnProfile *c;
	DatasetCell cell = {.number = INFINITY};
	DatasetCell text = {0};
	char		letters[100];
	bool		number = true;
	bool		no_number = false;
	Failure		why;

	test_host_begin(&t);
	(void) dataset_profile_new(&t.host, &number, 1, &p, &why);
	(void) dataset_profile_add(p, &cell, hash_of(1), &why);
	(void) dataset_profile_finish(p, &c, &why);
	tap_ok(isnan(c[0].min) && isnan(c[0].mean), "nothing but infinity has no mean");
	dataset_profile_free(p);

	(void) dataset_profile_new(&t.host, &number, 1, &p, &why);
	(void) dataset_profile_finish(p, &c, &why);
	tap_ok(c[0].n == 0 && c[0].n_counts == 0, "no rows");
	dataset_profile_free(p);

	/* 31 characters of two bytes and a letter before: the 64th byte begins one */
	letters[0] = 'x';
	for (int i = 1; i + 1 < 100; i += 2)
		memcpy(letters + i, "\xC3\xA4", 2);
	(void) dataset_profile_new(&t.host, &no_number, 1, &p, &why);
	text.text = letters;
	text.n_bytes = 99;
	(void) dataset_profile_add(p, &text, hash_of(1), &why);
	(void) dataset_profile_finish(p, &c, &why);
	tap_is_int(c[0].counts[0].n_bytes, 63, "texts are cut between characters");
	dataset_profile_free(p);
	tap_ok(test_host_end(&t), "no leak");
}

/* A profile of more rows than a sample holds. */
static Status
profile_rows(const Host *host, void *arg, Failure *why)
{
	size_t		n_rows = *(size_t *) arg;
	DatasetProfile *p;
	const DatasetColumnProfile *columns;
	Status		status = dataset_profile_new(host, is_number, COLUMNS, &p, why);

	if (status != STATUS_OK)
		return status;
	status = add_rows(p, n_rows, 0, 1, 1, why);
	if (status == STATUS_OK)
		status = dataset_profile_finish(p, &columns, why);
	dataset_profile_free(p);
	return status;
}

int
main(void)
{
	size_t		few = 400;

	test_small();
	test_large();
	test_moments();
	test_odd_values();
	tap_ok(test_sweep_memory(profile_rows, &few, 30), "survives refusal");
	return tap_done();
}
