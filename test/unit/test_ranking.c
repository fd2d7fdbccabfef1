/*
 * test_ranking.c
 *	  ROC AUC, average precision, KS and lift against their definitions.
 */
#include "tap.h"
#include "test_host.h"

#include "core/rng.h"
#include "metric/metric.h"

#define MAX_ROWS 300

/* algorithms T2 */
static const uint8_t t2_label[] = {0, 0, 1, 1, 0, 1, 0, 1, 1, 0};
static const double t2_score[] = {.1, .4, .35, .8, .4, .4, .2, .9, .7, .6};

static double
auc_of(const Host *host, const uint8_t *label, const double *score, const double *weight, size_t n)
{
	double		out;

	metric_roc_auc(host, label, score, weight, n, &out, NULL);
	return out;
}

static double
precision_of(const Host *host, const uint8_t *label, const double *score, const double *weight,
			 size_t n)
{
	double		out;

	metric_average_precision(host, label, score, weight, n, &out, NULL);
	return out;
}

static double
lift_of(const Host *host, const uint8_t *label, const double *score, const double *weight,
		size_t n, double q)
{
	double		out;

	metric_lift(host, label, score, weight, n, q, &out, NULL);
	return out;
}

static void
test_t2(const Host *host)
{
	static const uint8_t alternating[] = {1, 0, 1, 0};
	static const double falling[] = {4, 3, 2, 1};
	double		ks;
	double		threshold;

	tap_is_real(auc_of(host, t2_label, t2_score, NULL, 10), .8, 1e-15, "T2: AUC");
	tap_is_real(precision_of(host, t2_label, t2_score, NULL, 10), .8392857143, 5e-11,
				"T2: average precision");
	tap_is_int(metric_ks(host, t2_label, t2_score, NULL, 10, &ks, &threshold, NULL), STATUS_OK,
			   "T2: KS is computed");
	tap_is_real(ks, .6, 1e-15, "T2: KS");
	tap_is_real(threshold, .7, 0, "T2: at .7");
	metric_ks(host, alternating, falling, NULL, 4, &ks, &threshold, NULL);
	tap_ok(ks == .5 && threshold == 4, "of equal gaps KS takes the one at the highest score");
	tap_is_real(lift_of(host, t2_label, t2_score, NULL, 10, .1), 2, 1e-15, "T2: lift at .1");
	tap_is_real(lift_of(host, t2_label, t2_score, NULL, 10, .2), 2, 1e-15, "T2: lift at .2");
	tap_is_real(lift_of(host, t2_label, t2_score, NULL, 10, .5), 1.3333333333, 5e-11,
				"T2: lift at .5, through tied rows");
	tap_is_real(lift_of(host, t2_label, t2_score, NULL, 10, 1), 1, 1e-15, "T2: lift of all");
}

/* The definition: how often a positive is above a negative, ties counting half. */
static double
auc_by_pairs(const uint8_t *label, const double *score, const double *weight, size_t n)
{
	double		above = 0;
	double		pairs = 0;
	size_t		i;
	size_t		j;

	for (i = 0; i < n; i++)
		for (j = 0; j < n; j++)
			if (label[i] == 1 && label[j] == 0)
			{
				pairs += weight[i] * weight[j];
				if (score[i] > score[j])
					above += weight[i] * weight[j];
				else if (score[i] == score[j])
					above += weight[i] * weight[j] / 2;
			}
	return above / pairs;
}

/* For each threshold the rates from scratch: average precision, and KS. */
static double
precision_by_thresholds(const uint8_t *label, const double *score, const double *weight, size_t n,
						double *ks)
{
	double		all[2] = {0, 0};
	double		sum = 0;
	size_t		i;
	size_t		j;

	for (i = 0; i < n; i++)
		all[label[i]] += weight[i];
	*ks = 0;
	for (i = 0; i < n; i++)
	{
		double		above[2] = {0, 0};

		for (j = 0; j < n; j++)
			if (score[j] >= score[i])
				above[label[j]] += weight[j];
		if (label[i] == 1)		/* each positive brings its share of recall */
			sum += weight[i] * above[1] / (above[0] + above[1]);
		*ks = fmax(*ks, fabs(above[1] / all[1] - above[0] / all[0]));
	}
	return sum / all[1];
}

static void
test_against_definitions(const Host *host)
{
	uint8_t		label[MAX_ROWS];
	double		score[MAX_ROWS];
	double		weight[MAX_ROWS];
	double		worst[3] = {0, 0, 0};
	RngStream	stream;
	int			round;

	rng_stream_begin(&stream, 3, RNG_METRIC, 0, 0);
	for (round = 0; round < 200; round++)
	{
		size_t		n = 2 + rng_stream_below(&stream, MAX_ROWS - 1);
		uint32_t	n_scores = 1 + rng_stream_below(&stream, round % 2 ? 6 : 1000);
		bool		weighted = round % 3 != 0;
		double		ks;
		double		expected_ks;
		double		expected;
		size_t		i;

		for (i = 0; i < n; i++)
		{
			label[i] = i < 2 ? (uint8_t) i : (uint8_t) (rng_stream_below(&stream, 4) == 0);
			score[i] = rng_stream_below(&stream, n_scores) * 0.01 - 0.03;
			weight[i] = weighted ? 0.1 * (1 + rng_stream_below(&stream, 30)) : 1;
		}
		expected = auc_by_pairs(label, score, weight, n);
		worst[0] = fmax(worst[0], fabs(expected - auc_of(host, label, score,
														 weighted ? weight : NULL, n)));
		expected = precision_by_thresholds(label, score, weight, n, &expected_ks);
		worst[1] = fmax(worst[1], fabs(expected - precision_of(host, label, score,
															   weighted ? weight : NULL, n)));
		metric_ks(host, label, score, weighted ? weight : NULL, n, &ks, NULL, NULL);
		worst[2] = fmax(worst[2], fabs(expected_ks - ks));
	}
	tap_is_real(worst[0], 0, 1e-13, "AUC is the share of pairs in order");
	tap_is_real(worst[1], 0, 1e-13, "average precision is the mean over positives");
	tap_is_real(worst[2], 0, 1e-13, "KS is the largest gap of the rates");
}

static void
test_exact_under_shuffles(const Host *host)
{
	uint8_t		label[MAX_ROWS];
	double		score[MAX_ROWS];
	double		first[4] = {0};
	RngStream	stream;
	int			n_wrong = 0;
	int			round;
	size_t		i;

	rng_stream_begin(&stream, 4, RNG_METRIC, 0, 0);
	for (i = 0; i < MAX_ROWS; i++)
	{
		label[i] = (uint8_t) rng_stream_below(&stream, 2);
		score[i] = rng_stream_below(&stream, 40) / 7.0;
	}
	for (round = 0; round < 30; round++)
	{
		double		now[4];

		now[0] = auc_of(host, label, score, NULL, MAX_ROWS);
		now[1] = precision_of(host, label, score, NULL, MAX_ROWS);
		now[2] = lift_of(host, label, score, NULL, MAX_ROWS, .13);
		metric_ks(host, label, score, NULL, MAX_ROWS, &now[3], NULL, NULL);
		if (round == 0)
			memcpy(first, now, sizeof(first));
		n_wrong += memcmp(first, now, sizeof(first)) != 0;
		for (i = MAX_ROWS - 1; i > 0; i--)
		{
			size_t		j = rng_stream_below(&stream, (uint32_t) i + 1);
			uint8_t		other_label = label[j];
			double		other_score = score[j];

			label[j] = label[i];
			score[j] = score[i];
			label[i] = other_label;
			score[i] = other_score;
		}
	}
	tap_is_int(n_wrong, 0, "without weights, no bit depends on the order of rows");
}

static void
test_lift_cuts(const Host *host)
{
	static const double halves[] = {.5, .5, .5, .5, .5, .5, .5, .5, .5, .5};
	static const double twos[] = {2, 2, 2, 2, 2, 2, 2, 2, 2, 2};
	uint8_t		label[100];
	double		score[100];
	Failure		why;
	double		out;
	size_t		i;

	for (i = 0; i < 100; i++)
	{
		label[i] = i < 7 || i >= 97;
		score[i] = -(double) i;
	}
	/* .07 * 100 is 7.000000000000001; an eighth row would give 8.75 */
	tap_is_real(lift_of(host, label, score, NULL, 100, .07), 10, 1e-14, "7%% of 100 are 7 rows");
	tap_is_real(lift_of(host, label, score, NULL, 100, .071), 8.75, 1e-14, "7.1%% are 8 rows");
	tap_is_real(lift_of(host, label, score, NULL, 100, 1e-12), 10, 1e-14, "at least one row");
	tap_is_real(lift_of(host, t2_label, t2_score, halves, 10, .25), 2, 1e-14,
				"fractional weights are cut where they are");
	tap_is_real(lift_of(host, t2_label, t2_score, twos, 10, .33), 12.0 / 7, 1e-14,
				"whole weights are cut at whole rows");
	for (i = 0; i < 100; i++)
		score[i] = 0;
	tap_is_real(lift_of(host, label, score, NULL, 100, .1), 1, 1e-14, "all tied: no lift");

	tap_is_int(metric_lift(host, label, score, NULL, 100, 0, &out, &why), STATUS_INVALID_PARAMETER,
			   "a share of 0 is refused");
	tap_is_text(why.text, "share of rows is 0, a number above 0 and up to 1 is required",
				"and the text says so");
	tap_is_real(out, NAN, 0, "with NAN");
	tap_is_int(metric_lift(host, label, score, NULL, 100, 1.01, &out, NULL),
			   STATUS_INVALID_PARAMETER, "a share above 1 is refused");
	tap_is_int(metric_lift(host, label, score, NULL, 100, NAN, &out, NULL),
			   STATUS_INVALID_PARAMETER, "a share of NaN is refused");
}

static void
test_undefined(const Host *host)
{
	static const uint8_t negatives[] = {0, 0};
	static const uint8_t positives[] = {1, 1};
	static const double score[] = {1, 2};
	static const double one_weight[] = {1, 0};
	static const uint8_t both[] = {0, 1};
	double		ks;
	double		threshold;

	tap_is_real(auc_of(host, negatives, score, NULL, 2), NAN, 0, "no positives: no AUC");
	tap_is_real(precision_of(host, negatives, score, NULL, 2), NAN, 0,
				"no positives: no average precision");
	tap_is_real(lift_of(host, negatives, score, NULL, 2, .5), NAN, 0, "no positives: no lift");
	tap_is_real(auc_of(host, positives, score, NULL, 2), NAN, 0, "no negatives: no AUC");
	tap_is_real(precision_of(host, positives, score, NULL, 2), 1, 0,
				"no negatives: average precision is 1");
	metric_ks(host, positives, score, NULL, 2, &ks, &threshold, NULL);
	tap_ok(isnan(ks) && isnan(threshold), "no negatives: no KS");
	tap_is_real(auc_of(host, NULL, NULL, NULL, 0), NAN, 0, "no rows: no AUC");
	tap_is_real(lift_of(host, NULL, NULL, NULL, 0, .5), NAN, 0, "no rows: no lift");
	tap_is_real(auc_of(host, both, score, one_weight, 2), NAN, 0,
				"positives of weight 0 are none");
}

static void
test_odd_scores(const Host *host)
{
	static const uint8_t label[] = {0, 1, 0, 1};
	static const double infinite[] = {-INFINITY, INFINITY, 0, 5};
	static const double zeros[] = {-0.0, 0.0, 0.0, -0.0};
	static const double nans[] = {0, 1, NAN, 2};
	static const double weight[] = {1, 1, 0, 1};
	Failure		why;
	double		out;

	tap_is_real(auc_of(host, label, infinite, NULL, 4), 1, 0, "infinite scores are ranked");
	tap_is_real(auc_of(host, label, zeros, NULL, 4), .5, 0, "-0 and +0 are tied");
	tap_is_int(metric_roc_auc(host, label, nans, NULL, 4, &out, &why), STATUS_INVALID_DATA,
			   "NaN is refused");
	tap_is_text(why.text, "score of row 3 is not a number", "and the text says so");
	tap_is_real(out, NAN, 0, "with NAN");
	tap_is_real(auc_of(host, label, nans, weight, 4), 1, 0, "but not in a row of weight 0");
#if SIZE_MAX > UINT32_MAX
	tap_is_int(metric_roc_auc(host, NULL, NULL, NULL, (size_t) UINT32_MAX + 1, &out, &why),
			   STATUS_LIMIT, "too many rows are refused");
#endif
}

/* A probability of a kind: spread, few values, near 0 with ones far off, all but the same. */
static double
probability_of_kind(int kind, RngStream *stream)
{
	uint32_t	draw = rng_stream_below(stream, 1000000);

	switch (kind)
	{
		case 0:
			return draw / 1000000.0;
		case 1:
			return draw % 7 / 6.0;
		case 2:
			return draw % 100 == 0 ? 1 : ldexp(draw, -60);
		case 3:
			return draw % 3 == 0 ? -0.0 : draw * 0x1p-1074;
		case 4:
			return 0.5 + draw % 500 * 0x1p-53;
		default:
			return 0.25;
	}
}

/* The area that is counted is the one of the walk down a ranking, to the bit. */
static void
test_counted_area(const Host *host)
{
	static uint8_t label[3000];
	static double score[3000];
	static const size_t sizes[] = {2, 3, 65, 300, 3000};
	RngStream	stream;
	MetricReport report;
	bool		same = true;

	rng_stream_begin(&stream, 1, 2, 3, 4);
	for (int kind = 0; kind < 6; kind++)
		for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
			for (uint32_t rare = 1; rare <= 100; rare *= 10)
			{
				size_t		n = sizes[s];

				for (size_t i = 0; i < n; i++)
				{
					label[i] = i == 0 || (i > 1 && rng_stream_below(&stream, 2 * rare) == 0);
					score[i] = probability_of_kind(kind, &stream);
				}
				if (metric_binary(host, label, score, NULL, n, &report, NULL) != STATUS_OK ||
					report.value[METRIC_ROC_AUC] != auc_of(host, label, score, NULL, n))
					same = false;
			}
	tap_ok(same, "the counted area is that of the ranking, to the bit");
}

typedef struct ManyRows
{
	uint8_t		label[MAX_ROWS];
	double		score[MAX_ROWS];
} ManyRows;

static Status
auc_call(const Host *host, void *arg, Failure *why)
{
	const ManyRows *rows = arg;
	double		out;

	return metric_roc_auc(host, rows->label, rows->score, NULL, MAX_ROWS, &out, why);
}

int
main(void)
{
	TestHost	t;
	ManyRows	rows;
	size_t		i;

	test_host_begin(&t);
	test_t2(&t.host);
	test_against_definitions(&t.host);
	test_exact_under_shuffles(&t.host);
	test_lift_cuts(&t.host);
	test_undefined(&t.host);
	test_odd_scores(&t.host);
	test_counted_area(&t.host);
	tap_ok(test_host_end(&t), "no leak");
	for (i = 0; i < MAX_ROWS; i++)
	{
		rows.label[i] = i % 3 == 0;
		rows.score[i] = (double) (i * 7919 % 1009);
	}
	tap_ok(test_sweep(auc_call, &rows, 4, 4), "AUC survives refusals and cancels");
	for (i = 0; i < MAX_ROWS; i++)
		rows.score[i] = rows.score[i] / 1009;
	tap_ok(test_sweep(auc_call, &rows, 2, 1), "AUC of probabilities survives them too");
	return tap_done();
}
