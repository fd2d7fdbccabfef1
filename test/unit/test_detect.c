/*
 * test_detect.c
 *	  Change detectors: the stream of algorithms T5, and river's signals on
 *	  random streams (oracle_drift.py).
 */
#include "tap.h"

#include "core/rng.h"
#include "drift/drift.h"

static const char *const names[] = {"ADWIN", "DDM", "EDDM", "Page-Hinkley", "HDDM_A", "HDDM_W"};

static DriftDetector
detector(DriftDetectorKind kind, double threshold)
{
	DriftDetectorOptions options = drift_detector_defaults(kind);
	DriftDetector d;

	if (kind == DRIFT_PAGE_HINKLEY)
		options.threshold = threshold;
	drift_detector_init(&d, kind, &options);
	return d;
}

/* The numbers of oracle_drift.py. */
static double
uniform(uint64_t seed, uint64_t i)
{
	return (double) (rng_mix64(seed * UINT64_C(0x9E3779B97F4A7C15) +
							   i * UINT64_C(0xD1B54A32D192ED03)) >> 11) / 9007199254740992.0;
}

/* ---------------------------------------------------------------- T5 -- */

static double
t5(int i)
{
	return i < 300 ? i % 10 == 9 : i % 2 == 1;
}

static void
is_t5(DriftDetectorKind kind, double threshold, int warning, int change)
{
	DriftDetector d = detector(kind, threshold);
	int			first_warning = -1;
	int			first_change = -1;
	int			i;

	for (i = 0; i < 600 && first_change < 0; i++)
	{
		DriftSignal signal = drift_detector_add(&d, t5(i));

		if (signal == DRIFT_WARNING && first_warning < 0)
			first_warning = i;
		if (signal == DRIFT_CHANGE)
			first_change = i;
	}
	tap_is_int(first_warning, warning, "T5: first warning of %s, %g", names[kind], threshold);
	tap_is_int(first_change, change, "T5: change found by %s, %g", names[kind], threshold);
	if (kind == DRIFT_ADWIN)
	{
		double		width;

		drift_adwin_mean(&d, &width);
		tap_is_int(width, 256, "T5: ADWIN's window after it has shrunk");
	}
}

/* ------------------------------------------------------------- river -- */

typedef struct Stream
{
	uint64_t	seed;
	int			n;
	int			change;
	double		before;
	double		after;
} Stream;

#define MAX_CHANGES 20

static void
is_as_river(const Stream *stream, DriftDetectorKind kind, const int *changes, int n_changes,
			int n_warnings)
{
	DriftDetector d = detector(kind, 10);
	int			n_wrong = 0;
	int			got_changes = 0;
	int			got_warnings = 0;
	int			i;

	for (i = 0; i < stream->n; i++)
	{
		double		rate = i < stream->change ? stream->before : stream->after;
		DriftSignal signal = drift_detector_add(&d, uniform(stream->seed, (uint64_t) i) < rate);

		if (signal == DRIFT_CHANGE)
		{
			n_wrong += got_changes >= n_changes || changes[got_changes] != i;
			got_changes++;
		}
		got_warnings += signal == DRIFT_WARNING;
	}
	tap_ok(n_wrong == 0 && got_changes == n_changes, "%s finds river's changes in stream %d",
		   names[kind], (int) stream->seed);
	tap_is_int(got_warnings, n_warnings, "%s warns as often in stream %d", names[kind],
			   (int) stream->seed);
	tap_is_int(d.n_changes, got_changes, "and counts them");
	tap_is_int(d.n_seen, stream->n, "and the values");
}

#define CHANGES(...) (const int[]) {__VA_ARGS__}, \
	(int) (sizeof((const int[]) {__VA_ARGS__}) / sizeof(int))
#define NO_CHANGES NULL, 0

static void
test_river(void)
{
	const Stream rises = {11, 3000, 1500, .1, .3};
	const Stream creeps = {12, 4000, 1000, .2, .25};
	const Stream falls = {13, 3000, 1500, .5, .1};
	const Stream breaks = {14, 2000, 500, .02, .5};

	is_as_river(&rises, DRIFT_ADWIN, CHANGES(1599), 0);
	is_as_river(&rises, DRIFT_EDDM, CHANGES(455, 751, 1042, 1369, 1579, 1648, 1787, 1881, 1987,
				2128, 2235, 2350, 2450, 2591, 2692, 2781, 2913), 205);
	is_as_river(&rises, DRIFT_PAGE_HINKLEY, CHANGES(1552, 1710, 1820, 2595, 2782), 0);
	is_as_river(&rises, DRIFT_HDDM_A, CHANGES(1584), 4);
	is_as_river(&rises, DRIFT_HDDM_W, CHANGES(1584), 13);
	is_as_river(&creeps, DRIFT_ADWIN, NO_CHANGES, 0);
	is_as_river(&creeps, DRIFT_DDM, CHANGES(165), 3022);
	is_as_river(&creeps, DRIFT_EDDM, CHANGES(184, 328, 467, 1047, 1180, 1401, 1535, 1672, 2660,
				2857, 2948, 3148, 3367, 3524, 3638, 3754), 959);
	is_as_river(&creeps, DRIFT_PAGE_HINKLEY, CHANGES(260, 806, 1003, 1435, 1624, 2111, 2426, 2923,
				3055, 3904), 0);
	is_as_river(&creeps, DRIFT_HDDM_A, NO_CHANGES, 0);
	is_as_river(&creeps, DRIFT_HDDM_W, CHANGES(1708), 17);
	is_as_river(&falls, DRIFT_ADWIN, CHANGES(1567), 0);
	is_as_river(&falls, DRIFT_DDM, NO_CHANGES, 164);
	is_as_river(&falls, DRIFT_EDDM, CHANGES(73, 155, 211, 286, 391, 753, 1275), 665);
	is_as_river(&falls, DRIFT_PAGE_HINKLEY, CHANGES(235, 531, 707, 1304, 1511, 2566), 0);
	is_as_river(&falls, DRIFT_HDDM_A, NO_CHANGES, 0);
	is_as_river(&falls, DRIFT_HDDM_W, CHANGES(408), 22);
	is_as_river(&breaks, DRIFT_ADWIN, CHANGES(543), 0);
	is_as_river(&breaks, DRIFT_EDDM, CHANGES(556, 612, 677, 749, 812, 920, 985, 1041, 1129, 1197,
				1265, 1330, 1445), 267);
	is_as_river(&breaks, DRIFT_PAGE_HINKLEY, CHANGES(518, 602, 853, 1208, 1641, 1818, 1927), 0);
	is_as_river(&breaks, DRIFT_HDDM_A, CHANGES(511), 4);
	is_as_river(&breaks, DRIFT_HDDM_W, CHANGES(576), 23);
}

/* ------------------------------------------------------------- others -- */

/* DDM's first error is no change: river's is, as it has a deviation of 0 before. */
static void
test_first_error(void)
{
	DriftDetector d = detector(DRIFT_DDM, 0);
	int			n_changes = 0;
	int			i;

	for (i = 0; i < 200; i++)
		n_changes += drift_detector_add(&d, i == 100 || i == 150) == DRIFT_CHANGE;
	tap_is_int(n_changes, 0, "an error after none is no change to DDM");
}

/* What ADWIN's buckets hold is the window. */
static void
test_adwin(void)
{
	DriftDetector d = detector(DRIFT_ADWIN, 0);
	double		sum = 0;
	double		width;
	double		mean;
	int			i;

	tap_is_real(drift_adwin_mean(&d, &width), NAN, 0, "ADWIN of nothing");
	for (i = 0; i < 100000; i++)
	{
		double		x = uniform(21, (uint64_t) i);

		sum += x;
		drift_detector_add(&d, x);
	}
	mean = drift_adwin_mean(&d, &width);
	tap_is_int(width, 100000, "ADWIN keeps what does not change");
	tap_is_real(mean, sum / 100000, 1e-12, "and its mean");
	tap_is_real(d.state.adwin.variance / width, 1 / 12., .001, "and its variance");
	for (i = 0; i < 300 && drift_detector_add(&d, 1) != DRIFT_CHANGE; i++)
		;
	tap_ok(i < 100, "ADWIN finds a loss that becomes 1");
	mean = drift_adwin_mean(&d, &width);
	tap_ok(width < 60000 && mean > .5, "and forgets the older part");
}

/* A copy goes on as the original does. */
static void
test_copy(void)
{
	int			kind;

	for (kind = 0; kind <= DRIFT_HDDM_W; kind++)
	{
		DriftDetector d = detector((DriftDetectorKind) kind, 10);
		DriftDetector copy;
		int			n_wrong = 0;
		int			i;

		for (i = 0; i < 1000; i++)
			drift_detector_add(&d, uniform(31, (uint64_t) i) < .1);
		copy = d;
		for (; i < 3000; i++)
		{
			double		x = uniform(31, (uint64_t) i) < (i < 1500 ? .1 : .6);

			n_wrong += drift_detector_add(&d, x) != drift_detector_add(&copy, x);
		}
		tap_is_int(n_wrong, 0, "a copy of %s goes on alike", names[kind]);
		tap_ok(d.n_changes > 0, "and %s has found the change", names[kind]);
	}
}

int
main(void)
{
	is_t5(DRIFT_DDM, 0, 311, 325);
	is_t5(DRIFT_EDDM, 0, 353, 377);
	is_t5(DRIFT_PAGE_HINKLEY, 50, -1, 457);
	is_t5(DRIFT_PAGE_HINKLEY, 10, -1, 323);
	is_t5(DRIFT_HDDM_A, 0, 315, 321);
	is_t5(DRIFT_ADWIN, 0, -1, 351);
	test_river();
	test_first_error();
	test_adwin();
	test_copy();
	return tap_done();
}
