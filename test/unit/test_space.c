/*
 * test_space.c
 *	  Grids, random points, the schedule of halving, and when trees are enough.
 */
#include <string.h>

#include "tap.h"
#include "test_host.h"

#include "tune/tune.h"

static const TuneDimension lists[] = {
	{.kind = TUNE_LIST, .n_choices = 3},
	{.kind = TUNE_INTEGER, .low = 2, .high = 8, .step = 2},
	{.kind = TUNE_FLOAT, .low = 0.1, .high = 0.5, .step = 0.1},
};

static void
test_grid(void)
{
	TuneSpace	space = {lists, 3};
	TuneDimension open = {.kind = TUNE_FLOAT, .low = 0, .high = 1};
	TuneDimension wide = {.kind = TUNE_INTEGER, .low = 0, .high = 1e12, .step = 1};
	TuneDimension both[] = {wide, wide};
	double		values[3];

	tap_is_int(tune_space_size(&space), 60, "a grid has the product of its lists");
	tune_grid_point(&space, 0, values);
	tap_ok(values[0] == 0 && values[1] == 2 && values[2] == 0.1, "it begins with the first values");
	tune_grid_point(&space, 1, values);
	tap_ok(values[0] == 0 && values[1] == 2 && values[2] == 0.2, "the last runs fastest");
	tune_grid_point(&space, 59, values);
	tap_ok(values[0] == 2 && values[1] == 8 && values[2] == 0.5, "and ends with the last values");
	tap_is_int(tune_space_size(&(TuneSpace) {&open, 1}), 0, "any number has no grid");
	tap_ok(tune_space_size(&(TuneSpace) {both, 2}) == UINT64_MAX, "a grid may be too large");
}

static void
test_random(void)
{
	TuneDimension many[] = {{.kind = TUNE_LIST, .n_choices = 7}, {.kind = TUNE_LIST, .n_choices = 11}};
	TuneDimension mixed[] = {
		{.kind = TUNE_FLOAT, .low = 1e-4, .high = 1, .log = true},
		{.kind = TUNE_INTEGER, .low = 1, .high = 100, .step = 1, .log = true},
		{.kind = TUNE_INTEGER, .low = 5, .high = 9, .step = 1},
		{.kind = TUNE_FLOAT, .low = -1, .high = 3},
		{.kind = TUNE_FLOAT, .low = 0, .high = 1, .step = 0.25},
	};
	bool		seen[77] = {false};
	uint32_t	n_twice = 0;
	uint32_t	n_wrong = 0;
	uint32_t	below[5] = {0};
	uint32_t	integers[5] = {0};
	enum {N = 4000};

	for (uint32_t i = 0; i < 77; i++)
	{
		double		values[2];
		uint32_t	at;

		tune_random_point(&(TuneSpace) {many, 2}, 3, i, values);
		at = (uint32_t) values[0] * 11 + (uint32_t) values[1];
		n_twice += at >= 77 || seen[at];
		seen[at % 77] = true;
	}
	tap_is_int(n_twice, 0, "of lists no point comes twice before all have come");

	for (uint32_t i = 0; i < N; i++)
	{
		double		values[5];
		double		again[5];

		tune_random_point(&(TuneSpace) {mixed, 5}, 1, i, values);
		tune_random_point(&(TuneSpace) {mixed, 5}, 1, i, again);
		n_wrong += memcmp(values, again, sizeof(values)) != 0;
		for (uint32_t d = 0; d < 5; d++)
			n_wrong += values[d] < mixed[d].low || values[d] > mixed[d].high;
		n_wrong += values[1] != floor(values[1]) || values[2] != floor(values[2]) ||
			values[4] * 4 != floor(values[4] * 4);
		below[0] += values[0] < 1e-2;
		below[1] += values[1] <= 10;
		integers[(uint32_t) values[2] - 5]++;
		below[3] += values[3] < 1;
		below[4] += values[4] == 0;
	}
	tap_is_int(n_wrong, 0, "points lie in their ranges, and come again");
	tap_is_real(below[0] / (double) N, 0.5, 0.03, "a logarithmic range is even in the logarithm");
	tap_is_real(below[1] / (double) N, log(10.5 / 0.5) / log(100.5 / 0.5), 0.03,
				"so are whole numbers");
	tap_is_real(integers[0] / (double) N, 0.2, 0.03, "whole numbers are even, the first");
	tap_is_real(integers[4] / (double) N, 0.2, 0.03, "as well as the last");
	tap_is_real(below[3] / (double) N, 0.5, 0.03, "a range is even");
	tap_is_real(below[4] / (double) N, 0.2, 0.03, "and so are its steps");
}

/* Is the schedule what scikit-learn has (oracle_tune.py)? */
static void
check_halving(TuneHalving halving, uint32_t n, const TuneRung *expected, const char *name)
{
	TuneRung	rungs[TUNE_MAX_RUNGS];
	uint32_t	n_rungs;
	bool		same;

	halving.max_resources = 1000;
	n_rungs = tune_halving(&halving, rungs);
	same = n_rungs == n;
	for (uint32_t i = 0; i < n && same; i++)
		same = rungs[i].n_candidates == expected[i].n_candidates &&
			rungs[i].resources == expected[i].resources;
	tap_ok(same, "halving: %s", name);
}

static void
test_halving(void)
{
	check_halving((TuneHalving) {.factor = 3, .n_candidates = 9, .min_resources = 20,
				  .exhaust = true}, 3, (TuneRung[]) {{9, 111}, {3, 333}, {1, 999}}, "exhaust");
	check_halving((TuneHalving) {.factor = 3, .n_candidates = 20, .min_resources = 20}, 3,
				  (TuneRung[]) {{20, 20}, {7, 60}, {3, 180}}, "smallest");
	check_halving((TuneHalving) {.factor = 2, .n_candidates = 20, .min_resources = 100}, 4,
				  (TuneRung[]) {{20, 100}, {10, 200}, {5, 400}, {3, 800}}, "a number");
	check_halving((TuneHalving) {.factor = 3, .n_candidates = 40, .min_resources = 60,
				  .aggressive = true}, 4,
				  (TuneRung[]) {{40, 60}, {14, 60}, {5, 180}, {2, 540}}, "aggressive");
	check_halving((TuneHalving) {.factor = 3, .n_candidates = 1, .min_resources = 20,
				  .exhaust = true}, 1, (TuneRung[]) {{1, 1000}}, "one candidate");
	check_halving((TuneHalving) {.factor = 4, .n_candidates = 100, .min_resources = 20,
				  .exhaust = true}, 3, (TuneRung[]) {{100, 20}, {25, 80}, {7, 320}},
				  "more candidates than resources");
	check_halving((TuneHalving) {.factor = 3, .n_candidates = 5, .min_resources = 5000}, 1,
				  (TuneRung[]) {{5, 1000}}, "a first rung of all");
}

static void
test_trees(void)
{
	double		rising[] = {0.70, 0.75, 0.78, 0.80, 0.81};
	double		flat[] = {0.70, 0.75, 0.75, 0.75, 0.75005};
	double		losses[] = {0.5, 0.4, 0.3999, 0.3998, 0.3997};

	tap_ok(!tune_trees_enough(rising, 3, true, false, 1e-4), "three looks are too few");
	tap_ok(!tune_trees_enough(rising, 5, true, false, 1e-4), "what rises goes on");
	tap_ok(tune_trees_enough(flat, 5, true, false, 1e-4), "what does not has enough");
	tap_ok(!tune_trees_enough(flat, 4, true, false, 1e-4), "after three looks, not two");
	tap_ok(tune_trees_enough(losses, 5, false, true, 1e-3), "losses fall, by a share");
	tap_ok(!tune_trees_enough(losses, 5, false, true, 1e-4), "of themselves");
}

int
main(void)
{
	test_grid();
	test_random();
	test_halving();
	test_trees();
	return tap_done();
}
