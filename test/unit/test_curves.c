/*
 * test_curves.c
 *	  ROC and precision-recall curves, reliability bins, lift tables.
 */
#include "tap.h"
#include "test_host.h"

#include "ranked_fixture.h"

#define MAX_POINTS 16

static void
expect_curve(const MetricCurve *curve, const double (*expected)[3], size_t n, const char *what)
{
	double		largest = 0;

	tap_is_int(curve->n, n, "%s: points", what);
	for (size_t i = 0; i < n && i < curve->n; i++)
	{
		if (curve->threshold[i] != expected[i][0])
			largest = INFINITY;
		largest = fmax(largest, fabs(curve->x[i] - expected[i][1]));
		largest = fmax(largest, fabs(curve->y[i] - expected[i][2]));
	}
	tap_is_real(largest, 0, 1e-15, "%s: values", what);
}

static void
test_roc(const Host *host)
{
	/* .8 is in the middle between .9 and .7, .2 between .35 and .1 */
	static const double expected[][3] = {{INFINITY, 0, 0}, {.9, 0, .2}, {.7, 0, .6}, {.6, .2, .6},
	{.4, .6, .8}, {.35, .6, 1}, {.1, 1, 1}};
	static const double one[][3] = {{INFINITY, 0, 0}, {.5, 1, 1}};
	static const uint8_t label[] = {0, 1};
	static const double score[] = {.5, .5};
	MetricRanked r;
	MetricCurve curve;

	ranked_fill(&r, host, t2_label, t2_score, NULL, T2_ROWS, NULL);
	metric_roc_curve(&r, &curve, NULL);
	expect_curve(&curve, expected, 7, "ROC");
	metric_curve_free(&curve);
	metric_ranked_free(&r);
	ranked_fill(&r, host, label, score, NULL, 2, NULL);
	metric_roc_curve(&r, &curve, NULL);
	expect_curve(&curve, one, 2, "ROC of one score");
	metric_curve_free(&curve);
	metric_ranked_free(&r);
	ranked_fill(&r, host, label, score, NULL, 1, NULL);
	tap_is_int(metric_roc_curve(&r, &curve, NULL), STATUS_OK, "ROC of one class");
	tap_is_int(curve.n, 0, "is undefined");
	metric_precision_recall_curve(&r, &curve, NULL);
	tap_is_int(curve.n, 0, "so is a precision-recall curve without positives");
	metric_ranked_free(&r);
}

static void
test_precision_recall(const Host *host)
{
	static const double expected[][3] = {{.1, 1, .5}, {.2, 1, 5. / 9}, {.35, 1, .625},
	{.4, .8, 4. / 7}, {.6, .6, .75}, {.7, .6, 1}, {.8, .4, 1}, {.9, .2, 1}, {INFINITY, 0, 1}};
	MetricRanked r;
	MetricCurve curve;

	ranked_fill(&r, host, t2_label, t2_score, NULL, T2_ROWS, NULL);
	metric_precision_recall_curve(&r, &curve, NULL);
	expect_curve(&curve, expected, 9, "precision-recall");
	metric_curve_free(&curve);
	metric_ranked_free(&r);
}

static void
test_calibration(const Host *host)
{
	static const double weight[] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 3};
	MetricRanked r;
	MetricBin	bins[MAX_POINTS];
	double		mean;
	double		largest;
	Failure		why;

	ranked_fill(&r, host, t2_label, t2_score, NULL, T2_ROWS, NULL);
	metric_calibration(&r, 5, false, bins, NULL);
	metric_calibration_error(bins, 5, &mean, &largest);
	tap_is_real(mean, .195, 1e-15, "T2: ECE of 5 bins of equal width");
	tap_is_real(largest, .6, 1e-15, "its largest error");
	tap_ok(bins[0].weight == 2 && bins[1].weight == 4 && bins[2].weight == 1, "edges belong to the bin below");
	tap_is_real(bins[1].mean_score, 1.55 / 4, 1e-15, "mean score");
	tap_is_real(bins[1].positive_share, .5, 0, "share of positives");

	metric_calibration(&r, 2, true, bins, NULL);
	tap_ok(bins[0].low == .1 && bins[0].high == .4 && bins[1].low == .4 && bins[1].high == .9,
		   "quantiles are those of the rows");
	tap_ok(bins[0].weight == 6 && bins[1].weight == 4, "equal scores are in one bin");
	/* NumPy's: 9 * (1/3 * 100 / 100) is a little below 3 */
	metric_calibration(&r, 3, true, bins, NULL);
	tap_ok(bins[0].high == .39999999999999997 && bins[1].high == .5999999999999996,
		   "between two rows they are NumPy's to the bit");
	tap_is_int(metric_calibration(&r, 0, true, bins, &why), STATUS_INVALID_PARAMETER,
			   "no bins are refused");
	tap_is_text(why.text, "number of bins is 0, 1 to 10000 are allowed", "its text");
	metric_ranked_add(&r, true, 1.5, 1, NULL);
	tap_is_int(metric_calibration(&r, 2, true, bins, &why), STATUS_INVALID_DATA,
			   "what is no probability is refused");
	tap_is_text(why.text, "score 1.5 is no probability between 0 and 1", "its text");
	metric_ranked_free(&r);

	ranked_fill(&r, host, t2_label, t2_score, weight, T2_ROWS, NULL);
	metric_calibration(&r, 2, true, bins, NULL);
	tap_ok(bins[0].high == .4 && bins[0].weight == 6 && bins[1].weight == 6,
		   "with weights half of the weight is below the median");
	metric_ranked_free(&r);

	metric_ranked_begin(&r, host, false);
	metric_calibration(&r, 2, true, bins, NULL);
	metric_calibration_error(bins, 2, &mean, &largest);
	tap_ok(isnan(mean) && isnan(largest), "without rows there is no error");
	metric_ranked_free(&r);
}

static void
test_lift(const Host *host)
{
	MetricRanked r;
	MetricLiftGroup groups[MAX_POINTS];
	double		all;
	double		positive;
	double		sum = 0;
	RankMeasures measures;

	ranked_fill(&r, host, t2_label, t2_score, NULL, T2_ROWS, NULL);
	metric_lift_table(&r, 10, groups, &all, &positive, NULL);
	tap_ok(all == 10 && positive == 5, "T2: rows and positives");
	tap_ok(groups[0].n == 1 && groups[0].positives == 1 && groups[0].high == .9, "first tenth");
	/* rows 5 to 7 are tied: a third of the one positive each */
	tap_is_real(groups[4].positives, 1. / 3, 1e-15, "a tied block counts in proportion");
	tap_is_real(groups[4].cumulative_positives / 5 * 2, 1.3333333333, 5e-11, "lift of the first half");
	for (int g = 0; g < 10; g++)
		sum += groups[g].positives;
	tap_is_real(sum, 5, 1e-14, "all positives are in a group");
	metric_lift_table(&r, 4, groups, &all, &positive, NULL);
	tap_ok(groups[0].n == 3 && groups[1].n == 2 && groups[2].n == 3 && groups[3].n == 2,
		   "groups are as equal as can be");
	metric_ranked_measures(&r, .25, &measures, NULL);
	tap_is_real(measures.lift, groups[0].positives / groups[0].n * 2, 1e-15, "as the lift has them");
	metric_lift_table(&r, 16, groups, &all, &positive, NULL);
	tap_ok(groups[2].n == 0 && isnan(groups[2].high) && groups[15].cumulative_n == 10,
		   "more groups than rows: some are empty");
	tap_is_int(metric_lift_table(&r, 0, groups, &all, &positive, NULL), STATUS_INVALID_PARAMETER,
			   "no groups are refused");
	metric_ranked_free(&r);
}

int
main(void)
{
	TestHost	t;

	test_host_begin(&t);
	test_roc(&t.host);
	test_precision_recall(&t.host);
	test_calibration(&t.host);
	test_lift(&t.host);
	tap_ok(test_host_end(&t), "no leak");
	return tap_done();
}
