/*
 * test_folds.c
 *	  Folds: scikit-learn's balance (vectors of oracle_tune.py), and membership
 *	  that depends on rows alone.
 */
#include <stdlib.h>

#include "tap.h"
#include "test_host.h"

#include "core/rng.h"
#include "tune/tune.h"

#define MOST 4000

/* oracle_tune.py, scikit-learn 1.2.1 */
static const uint32_t strata_counts[] = {6, 3, 1, 6, 3, 1, 6, 2, 1, 5, 3, 1};
static const uint32_t group_folds[] = {3, 2, 1, 0, 0, 1, 2, 3, 3, 2, 1, 0};
static const uint32_t stratified_group_folds[] = {0, 0, 0, 1, 3, 2, 2, 3, 2, 3, 0, 1};
static const uint32_t plain_times[][4] = {{0, 5, 5, 10}, {0, 10, 10, 15}, {0, 15, 15, 20}};
static const uint32_t gap_times[][4] = {
	{3, 9, 11, 14}, {6, 12, 14, 17}, {9, 15, 17, 20}, {12, 18, 20, 23},
};
/* end */

static const uint32_t positives[] = {0, 1, 0, 1, 5, 5, 0, 7, 9, 1, 11, 11};

/* Rows to be divided. */
typedef struct Data
{
	uint64_t	key[MOST];
	uint32_t	label[MOST];
	uint64_t	group[MOST];
	double		time[MOST];
	TuneRows	rows;
} Data;

static void
fill(Data *d, size_t n, uint32_t n_classes)
{
	memset(d, 0, sizeof(*d));
	for (size_t i = 0; i < n; i++)
	{
		d->key[i] = rng_mix64(i + 1);
		d->label[i] = n_classes > 0 ? (uint32_t) (rng_mix64(i * 7 + 3) % n_classes) : 0;
		d->group[i] = rng_mix64(i / 3 + 1000);
		d->time[i] = (double) i;
	}
	d->rows = (TuneRows) {.n = n, .key = d->key, .label = d->label, .n_classes = n_classes,
		.group = d->group, .time = d->time};
}

/* The fold in which each row is tested; aborts when anything fails. */
static void
divide(const TuneRows *rows, const TuneFolds *folds, uint32_t *fold)
{
	TestHost	host;
	TunePlan   *plan;
	uint8_t		sides[MOST];

	test_host_begin(&host);
	if (tune_folds_new(&host.host, rows, folds, &plan, NULL) != STATUS_OK)
		abort();
	for (uint32_t f = 0; f < folds->n_folds; f++)
	{
		tune_folds_sides(plan, f, sides);
		for (size_t i = 0; i < rows->n; i++)
			if (sides[i] == TUNE_SIDE_TEST)
				fold[i] = f;
	}
	tune_folds_free(plan);
	if (!test_host_end(&host))
		abort();
}

/* What is said of rows that cannot be divided. */
static Status
refused(const TuneRows *rows, const TuneFolds *folds, Failure *why)
{
	TestHost	host;
	TunePlan   *plan;
	Status		status;

	test_host_begin(&host);
	status = tune_folds_new(&host.host, rows, folds, &plan, why);
	tune_folds_free(plan);
	if (!test_host_end(&host))
		abort();
	return status;
}

static void
test_rows(Data *d)
{
	uint32_t	fold[MOST] = {0};
	uint32_t	other[MOST] = {0};
	uint32_t	sizes[7] = {0};
	size_t		n_same = 0;
	size_t		n_wrong = 0;
	Data	   *turned = malloc(sizeof(Data));

	fill(d, 1003, 0);
	divide(&d->rows, &(TuneFolds) {.kind = TUNE_KFOLD, .n_folds = 7}, fold);
	for (size_t i = 0; i < 1003; i++)
		sizes[fold[i]]++;
	for (uint32_t f = 0; f < 7; f++)
		n_wrong += sizes[f] != 143 + (f < 1003 % 7);
	tap_is_int(n_wrong, 0, "folds have n / k rows, the first ones one more");

	/* another order of the same rows */
	*turned = *d;
	for (size_t i = 0; i < 1003; i++)
		turned->key[i] = d->key[1002 - i];
	turned->rows.key = turned->key;
	divide(&turned->rows, &(TuneFolds) {.kind = TUNE_KFOLD, .n_folds = 7}, other);
	for (size_t i = 0; i < 1003; i++)
		n_wrong += other[i] != fold[1002 - i];
	tap_is_int(n_wrong, 0, "a row's fold does not depend on its place");

	divide(&d->rows, &(TuneFolds) {.kind = TUNE_KFOLD, .n_folds = 7, .repeat = 1}, other);
	for (size_t i = 0; i < 1003; i++)
		n_same += other[i] == fold[i];
	tap_ok(n_same > 60 && n_same < 240, "another repeat is another division");
	divide(&d->rows, &(TuneFolds) {.kind = TUNE_KFOLD, .n_folds = 7, .seed = 9}, other);
	n_same = 0;
	for (size_t i = 0; i < 1003; i++)
		n_same += other[i] == fold[i];
	tap_ok(n_same > 60 && n_same < 240, "and so is another seed");
	free(turned);
}

static void
test_strata(Data *d)
{
	TuneFolds	folds = {.kind = TUNE_STRATIFIED, .n_folds = 4};
	uint32_t	fold[MOST] = {0};
	uint32_t	counts[12] = {0};
	size_t		n_wrong = 0;
	TestHost	host;
	TunePlan   *plan;
	uint32_t	rare;
	Failure		why;

	fill(d, 38, 3);
	for (size_t i = 0; i < 38; i++)
		d->label[i] = i < 23 ? 0 : i < 34 ? 1 : 2;
	divide(&d->rows, &folds, fold);
	for (size_t i = 0; i < 38; i++)
		counts[fold[i] * 3 + d->label[i]]++;
	for (size_t i = 0; i < 12; i++)
		n_wrong += counts[i] != strata_counts[i];
	tap_is_int(n_wrong, 0, "as many of each class as scikit-learn has");

	for (uint64_t seed = 0; seed < test_amount(200, 20); seed++)
	{
		uint32_t	n_classes = 2 + (uint32_t) (seed % 4);
		uint32_t	in_fold[10 * 5] = {0};
		uint32_t	all[5] = {0};

		fill(d, 60 + seed * 3 % 500, n_classes);
		folds = (TuneFolds) {.kind = TUNE_STRATIFIED, .n_folds = 2 + (uint32_t) (seed % 9),
			.seed = seed};
		divide(&d->rows, &folds, fold);
		for (size_t i = 0; i < d->rows.n; i++)
		{
			in_fold[fold[i] * 5 + d->label[i]]++;
			all[d->label[i]]++;
		}
		for (uint32_t f = 0; f < folds.n_folds; f++)
			for (uint32_t k = 0; k < n_classes; k++)
				n_wrong += in_fold[f * 5 + k] < all[k] / folds.n_folds ||
					in_fold[f * 5 + k] > all[k] / folds.n_folds + 1;
	}
	tap_is_int(n_wrong, 0, "of any classes, each fold has its share, up to a row");

	fill(d, 10, 2);
	for (size_t i = 0; i < 10; i++)
		d->label[i] = i < 7;
	folds = (TuneFolds) {.kind = TUNE_STRATIFIED, .n_folds = 5};
	test_host_begin(&host);
	tap_is_int(tune_folds_new(&host.host, &d->rows, &folds, &plan, NULL), STATUS_OK,
			   "a class may be rarer than folds");
	tap_is_int(tune_folds_rare(plan, &rare), 3, "and is told");
	tap_is_int(rare, 0, "by its index");
	tune_folds_free(plan);
	tap_ok(test_host_end(&host), "no leak");
	folds.n_folds = 8;
	tap_is_int(refused(&d->rows, &folds, &why), STATUS_INVALID_DATA, "but not all of them");
	tap_is_text(why.text, "no class has as many rows as there are folds, 8: the largest has 7",
				"with the numbers");
	folds.n_folds = 11;
	tap_is_int(refused(&d->rows, &folds, &why), STATUS_INVALID_DATA, "nor fewer rows than folds");
	tap_is_text(why.text, "10 rows cannot be divided into 11 folds", "which has its text");
}

/* Twelve groups of 1 … 12 rows. */
static void
fill_groups(Data *d)
{
	size_t		i = 0;

	fill(d, 78, 2);
	for (uint32_t g = 0; g < 12; g++)
		for (uint32_t k = 0; k <= g; k++, i++)
		{
			d->group[i] = rng_mix64(g + 50);
			d->label[i] = k < positives[g];
		}
}

static void
test_groups(Data *d)
{
	TuneFolds	folds = {.kind = TUNE_GROUP, .n_folds = 4};
	uint32_t	fold[MOST] = {0};
	size_t		n_wrong = 0;
	size_t		n_apart = 0;
	size_t		row = 0;
	Failure		why;

	fill_groups(d);
	divide(&d->rows, &folds, fold);
	for (uint32_t g = 0; g < 12; row += ++g)
		n_wrong += fold[row] != group_folds[g];
	tap_is_int(n_wrong, 0, "groups are where GroupKFold has them");

	folds.kind = TUNE_STRATIFIED_GROUP;
	divide(&d->rows, &folds, fold);
	row = 0;
	for (uint32_t g = 0; g < 12; row += ++g)
		n_wrong += fold[row] != stratified_group_folds[g];
	tap_is_int(n_wrong, 0, "and where StratifiedGroupKFold has them");

	for (uint64_t seed = 0; seed < test_amount(60, 6); seed++)
	{
		fill(d, 300 + seed, 3);
		folds = (TuneFolds) {.kind = seed % 2 ? TUNE_GROUP : TUNE_STRATIFIED_GROUP,
			.n_folds = 5, .seed = seed};
		divide(&d->rows, &folds, fold);
		for (size_t i = 1; i < d->rows.n; i++)
			n_apart += d->group[i] == d->group[i - 1] && fold[i] != fold[i - 1];
	}
	tap_is_int(n_apart, 0, "no group is on two sides");

	fill(d, 9, 2);
	folds = (TuneFolds) {.kind = TUNE_GROUP, .n_folds = 4};
	tap_is_int(refused(&d->rows, &folds, &why), STATUS_INVALID_DATA,
			   "fewer groups than folds are refused");
	tap_is_text(why.text, "3 entities cannot be divided into 4 folds", "with the numbers");
}

/* Rows whose sides in a fold are not the places given: train from, to, test from, to. */
static size_t
wrong_sides(const TunePlan *plan, uint32_t fold, size_t n, const uint32_t at[4])
{
	uint8_t		sides[MOST];
	size_t		n_wrong = 0;

	tune_folds_sides(plan, fold, sides);
	for (uint32_t i = 0; i < n; i++)
		n_wrong += sides[i] != (i >= at[2] && i < at[3] ? TUNE_SIDE_TEST
								: i >= at[0] && i < at[1] ? TUNE_SIDE_TRAIN : TUNE_SIDE_NONE);
	return n_wrong;
}

static void
test_time(Data *d)
{
	TuneFolds	folds = {.kind = TUNE_TIME, .n_folds = 3};
	TestHost	host;
	TunePlan   *plan;
	size_t		n_wrong = 0;
	Failure		why;

	test_host_begin(&host);
	fill(d, 20, 0);
	tune_folds_new(&host.host, &d->rows, &folds, &plan, NULL);
	for (uint32_t f = 0; f < 3; f++)
		n_wrong += wrong_sides(plan, f, 20, plain_times[f]);
	tune_folds_free(plan);
	tap_is_int(n_wrong, 0, "blocks of time are those of TimeSeriesSplit");

	fill(d, 23, 0);
	folds = (TuneFolds) {.kind = TUNE_TIME, .n_folds = 4, .gap_rows = 2, .test_rows = 3,
		.max_train_rows = 6};
	tune_folds_new(&host.host, &d->rows, &folds, &plan, NULL);
	for (uint32_t f = 0; f < 4; f++)
		n_wrong += wrong_sides(plan, f, 23, gap_times[f]);
	tune_folds_free(plan);
	tap_is_int(n_wrong, 0, "with a gap, a size of tests and a limit, too");

	/* three rows a day: blocks begin where a day does */
	fill(d, 30, 0);
	for (size_t i = 0; i < 30; i++)
		d->time[i] = (double) (i / 3);
	folds = (TuneFolds) {.kind = TUNE_TIME, .n_folds = 3, .test_rows = 5};
	tune_folds_new(&host.host, &d->rows, &folds, &plan, NULL);
	n_wrong += wrong_sides(plan, 0, 30, (uint32_t[]) {0, 15, 15, 18});
	n_wrong += wrong_sides(plan, 1, 30, (uint32_t[]) {0, 18, 18, 24});
	n_wrong += wrong_sides(plan, 2, 30, (uint32_t[]) {0, 24, 24, 30});
	tune_folds_free(plan);
	tap_is_int(n_wrong, 0, "equal times stay on one side");

	folds.gap_time = 2;
	tune_folds_new(&host.host, &d->rows, &folds, &plan, NULL);
	n_wrong += wrong_sides(plan, 0, 30, (uint32_t[]) {0, 9, 15, 18});
	n_wrong += wrong_sides(plan, 2, 30, (uint32_t[]) {0, 18, 24, 30});
	tune_folds_free(plan);
	tap_is_int(n_wrong, 0, "a gap in time leaves out what is nearer");
	tap_ok(test_host_end(&host), "no leak");

	folds = (TuneFolds) {.kind = TUNE_TIME, .n_folds = 4, .gap_rows = 10, .test_rows = 5};
	tap_is_int(refused(&d->rows, &folds, &why), STATUS_INVALID_DATA, "a gap may be too wide");
	tap_is_text(why.text, "30 rows are too few for 4 folds of 5 test rows and a gap of 10",
				"which has its text");
	folds = (TuneFolds) {.kind = TUNE_TIME, .n_folds = 3, .test_rows = 5, .gap_time = 100};
	tap_is_int(refused(&d->rows, &folds, &why), STATUS_INVALID_DATA, "in time as well");
	tap_is_text(why.text, "fold 1 has no rows to train on", "which has its text, too");
}

static void
test_thin(Data *d)
{
	TestHost	host;
	uint8_t		sides[MOST];
	uint8_t		more[MOST];
	uint32_t	counts[2] = {0};
	size_t		n_lost = 0;

	test_host_begin(&host);
	fill(d, 1000, 2);
	for (size_t i = 0; i < 1000; i++)
	{
		d->label[i] = i % 100 == 0;
		sides[i] = more[i] = i < 800 ? TUNE_SIDE_TRAIN : TUNE_SIDE_TEST;
	}
	tune_thin(&host.host, &d->rows, 0, 100, sides, NULL);
	tune_thin(&host.host, &d->rows, 0, 300, more, NULL);
	for (size_t i = 0; i < 1000; i++)
	{
		if (sides[i] == TUNE_SIDE_TRAIN)
			counts[d->label[i]]++;
		n_lost += sides[i] == TUNE_SIDE_TRAIN && more[i] != TUNE_SIDE_TRAIN;
		n_lost += (sides[i] == TUNE_SIDE_TEST) != (i >= 800);
	}
	tap_is_int(counts[0], 99, "thinning keeps a share of each class");
	tap_is_int(counts[1], 1, "and of the rare one at least a row");
	tap_is_int(n_lost, 0, "more rows are those and others, test rows stay");
	tap_ok(test_host_end(&host), "no leak");
}

/* TestCall: all of it. */
static Status
everything(const Host *host, void *arg, Failure *why)
{
	Data	   *d = arg;
	Status		status = STATUS_OK;

	for (TuneFoldKind kind = TUNE_KFOLD; kind <= TUNE_TIME && status == STATUS_OK; kind++)
	{
		TuneFolds	folds = {.kind = kind, .n_folds = 3, .seed = 5};
		TunePlan   *plan;
		uint8_t		sides[MOST];

		status = tune_folds_new(host, &d->rows, &folds, &plan, why);
		if (status != STATUS_OK)
			break;
		tune_folds_sides(plan, 1, sides);
		status = tune_thin(host, &d->rows, 1, 50, sides, why);
		tune_folds_free(plan);
	}
	return status;
}

int
main(void)
{
	Data	   *d = malloc(sizeof(Data));

	test_rows(d);
	test_strata(d);
	test_groups(d);
	test_time(d);
	test_thin(d);
	fill(d, 200, 3);
	tap_ok(test_sweep(everything, d, 10, 3), "survives refusal and cancel");
	free(d);
	return tap_done();
}
