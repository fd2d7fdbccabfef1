/*
 * test_classification.c
 *	  Reports about class predictions: known values, scikit-learn's values,
 *	  order, weights, and everything that can be undefined.
 */
#include "metric_expect.h"
#include "tap.h"
#include "test_host.h"

#include "core/rng.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* algorithms T2 */
static const uint8_t t2_label[] = {0, 0, 1, 1, 0, 1, 0, 1, 1, 0};
static const double t2_score[] = {.1, .4, .35, .8, .4, .4, .2, .9, .7, .6};

/* The same values as there, with all digits. */
static const Expected t2_expected[] = {
	{METRIC_ROC_AUC, .8},
	{METRIC_AVERAGE_PRECISION, 47.0 / 56},
	{METRIC_KS, .6},
	{METRIC_LOG_LOSS, 0.4917737913661774},
	{METRIC_BRIER, .16525},
	{METRIC_LIFT_AT_10, 2},
	{METRIC_MCC, 0.4082482904638631},
	{METRIC_BALANCED_ACCURACY, .7},
	{METRIC_ACCURACY, .7},
	{METRIC_F1, 2.0 / 3},
	{METRIC_F1_MACRO, 23.0 / 33},
	{METRIC_PRECISION, .75},
	{METRIC_RECALL, .6},
};

/* oracle_metrics.py: two classes */
static const uint8_t binary_label[] = {
	1, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1,
	1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 0,
	1, 0, 1, 0, 1, 0, 0, 0, 1, 0, 1, 1,
};
static const double binary_score[] = {
	0.8125, 0.1875, 0.5, 0.8125, 0.3125, 0.4375, 0.375, 0.25, 0.1875, 0.5625, 0.25, 0.8125,
	1, 0.125, 0.5, 1, 0.125, 0.8125, 1, 0.625, 1, 0.3125, 0.5625, 0.3125,
	0.6875, 0, 0.6875, 0.1875, 0.6875, 0.4375, 0.1875, 0.375, 0.75, 0.1875, 0.625, 0.625,
};
static const double row_weight[] = {
	0.25, 2, 1.5, 0.75, 0.5, 1.75, 0.25, 0.75, 1.25, 1.25, 1, 1.5,
	0.5, 1.75, 0.5, 1.25, 1.5, 0.5, 2, 1, 1.75, 1.75, 2, 2,
	1.25, 0.75, 1, 1.25, 0.75, 1, 0.25, 1.25, 0.75, 1.75, 0.5, 0.75,
};

static const Expected binary_expected[] = {
	{METRIC_ACCURACY, 0.7777777777777778},
	{METRIC_BALANCED_ACCURACY, 0.7926421404682273},
	{METRIC_PRECISION, 0.8947368421052632},
	{METRIC_RECALL, 0.7391304347826086},
	{METRIC_F1, 0.8095238095238095},
	{METRIC_PRECISION_MACRO, 0.7708978328173375},
	{METRIC_RECALL_MACRO, 0.7926421404682273},
	{METRIC_F1_MACRO, 0.7714285714285715},
	{METRIC_PRECISION_WEIGHTED, 0.8052975576195389},
	{METRIC_RECALL_WEIGHTED, 0.7777777777777778},
	{METRIC_F1_WEIGHTED, 0.782010582010582},
	{METRIC_MCC, 0.5631203127001179},
	{METRIC_ROC_AUC, 0.8377926421404682},
	{METRIC_AVERAGE_PRECISION, 0.9175498504277613},
	{METRIC_LOG_LOSS, 0.5170633452437232},
	{METRIC_BRIER, 0.1726345486111111},
	{METRIC_KS, 0.6187290969899666},
};

static const Expected binary_weighted_expected[] = {
	{METRIC_ACCURACY, 0.7345679012345679},
	{METRIC_BALANCED_ACCURACY, 0.7549019607843137},
	{METRIC_PRECISION, 0.8734177215189873},
	{METRIC_RECALL, 0.6764705882352942},
	{METRIC_F1, 0.7624309392265194},
	{METRIC_PRECISION_MACRO, 0.7379136800366022},
	{METRIC_RECALL_MACRO, 0.7549019607843137},
	{METRIC_F1_MACRO, 0.7308658192636093},
	{METRIC_PRECISION_WEIGHTED, 0.7730443574579612},
	{METRIC_RECALL_WEIGHTED, 0.7345679012345679},
	{METRIC_F1_WEIGHTED, 0.739049368883623},
	{METRIC_MCC, 0.4925227448097873},
	{METRIC_ROC_AUC, 0.798202614379085},
	{METRIC_AVERAGE_PRECISION, 0.8985973079837831},
	{METRIC_LOG_LOSS, 0.5577963389726058},
	{METRIC_BRIER, 0.18950135030864199},
	{METRIC_KS, 0.5901960784313726},
};

/* oracle_metrics.py: three classes */
static const uint32_t class_label[] = {
	0, 1, 1, 0, 1, 1, 0, 0, 1, 0, 2, 2,
	0, 1, 1, 0, 0, 1, 1, 1, 1, 1, 1, 2,
	1, 2, 2, 2, 0, 0, 0, 1, 2, 1, 0, 2,
};
static const double class_proba[] = {
	1, 0, 0, 0, 0.75, 0.25, 0.25, 0.5, 0.25, 0.25, 0.125, 0.625,
	0.25, 0.5, 0.25, 0.375, 0.5, 0.125, 0.5, 0.25, 0.25, 0.75, 0, 0.25,
	0, 0.875, 0.125, 0.375, 0.25, 0.375, 0.375, 0.125, 0.5, 0.125, 0.5, 0.375,
	0.25, 0.75, 0, 0.625, 0.125, 0.25, 0.75, 0.25, 0, 0.625, 0.25, 0.125,
	0.875, 0, 0.125, 0.125, 0.375, 0.5, 0, 0.625, 0.375, 0.125, 0.75, 0.125,
	0.75, 0.125, 0.125, 0.25, 0.125, 0.625, 0.25, 0.75, 0, 0.125, 0.625, 0.25,
	0, 0.625, 0.375, 0.25, 0, 0.75, 0.5, 0.375, 0.125, 0.625, 0, 0.375,
	0.25, 0, 0.75, 0.375, 0.375, 0.25, 0.75, 0.125, 0.125, 0.375, 0.25, 0.375,
	0.25, 0, 0.75, 0.125, 0.5, 0.375, 0.5, 0.125, 0.375, 0, 0.125, 0.875,
};

static const Expected class_expected[] = {
	{METRIC_ACCURACY, 0.6388888888888888},
	{METRIC_BALANCED_ACCURACY, 0.625},
	{METRIC_PRECISION_MACRO, 0.6230769230769231},
	{METRIC_RECALL_MACRO, 0.625},
	{METRIC_F1_MACRO, 0.6187739463601533},
	{METRIC_PRECISION_WEIGHTED, 0.652991452991453},
	{METRIC_RECALL_WEIGHTED, 0.6388888888888888},
	{METRIC_F1_WEIGHTED, 0.6398467432950192},
	{METRIC_MCC, 0.4503023075290231},
	{METRIC_ROC_AUC_MACRO, 0.7868055555555555},
	{METRIC_AVERAGE_PRECISION_MACRO, 0.627910069894202},
	{METRIC_ROC_AUC_WEIGHTED, 0.7909722222222223},
	{METRIC_AVERAGE_PRECISION_WEIGHTED, 0.648565329585022},
	{METRIC_LOG_LOSS, 0.8393357898663937},
	{METRIC_BRIER, 0.5225694444444444},
};

static const Expected class_weighted_expected[] = {
	{METRIC_ACCURACY, 0.6234567901234568},
	{METRIC_BALANCED_ACCURACY, 0.6018518518518519},
	{METRIC_PRECISION_MACRO, 0.5788393397286319},
	{METRIC_RECALL_MACRO, 0.6018518518518519},
	{METRIC_F1_MACRO, 0.5749620823720413},
	{METRIC_PRECISION_WEIGHTED, 0.6490507878892634},
	{METRIC_RECALL_WEIGHTED, 0.6234567901234568},
	{METRIC_F1_WEIGHTED, 0.6242719103363809},
	{METRIC_MCC, 0.40335507000656384},
	{METRIC_ROC_AUC_MACRO, 0.7617283950617284},
	{METRIC_AVERAGE_PRECISION_MACRO, 0.5905562963681207},
	{METRIC_ROC_AUC_WEIGHTED, 0.7638888888888888},
	{METRIC_AVERAGE_PRECISION_WEIGHTED, 0.6565203073790318},
	{METRIC_LOG_LOSS, 0.8920388126356159},
	{METRIC_BRIER, 0.5470679012345679},
};

/* end of oracle_metrics.py */

static void
test_t2(const Host *host)
{
	MetricReport report;

	tap_is_int(metric_binary(host, t2_label, t2_score, NULL, LENGTH(t2_label), &report, NULL),
			   STATUS_OK, "T2: a report is made");
	expect_values(&report, t2_expected, LENGTH(t2_expected), "T2");
	tap_is_int(report.n_rows, 10, "T2: all rows count");
	tap_is_int(report.n_clipped, 0, "T2: nothing is clipped");
	tap_is_hex(report.undefined, 0, "T2: no warning");
	tap_is_real(report.value[METRIC_RMSE], NAN, 0, "T2: a metric of another task is NAN");
	tap_is_hex(report.applies >> METRIC_RMSE & 1, 0, "T2: and does not apply");
}

static void
test_oracle(const Host *host)
{
	MetricReport report;
	size_t		n = LENGTH(binary_label);

	metric_binary(host, binary_label, binary_score, NULL, n, &report, NULL);
	expect_values(&report, binary_expected, LENGTH(binary_expected), "two classes");
	metric_binary(host, binary_label, binary_score, row_weight, n, &report, NULL);
	expect_values(&report, binary_weighted_expected, LENGTH(binary_weighted_expected),
				  "two classes, weighted");
	metric_multiclass(host, class_label, class_proba, 3, NULL, n, &report, NULL);
	expect_values(&report, class_expected, LENGTH(class_expected), "three classes");
	tap_is_hex(report.undefined, 0, "three classes: no warning");
	tap_is_int(__builtin_popcount(report.applies), LENGTH(class_expected),
			   "three classes: nothing else applies");
	metric_multiclass(host, class_label, class_proba, 3, row_weight, n, &report, NULL);
	expect_values(&report, class_weighted_expected, LENGTH(class_weighted_expected),
				  "three classes, weighted");
}

/* A prediction of N_ROWS rows and N_CLASSES classes, both ways, with many ties. */
#define N_ROWS 500
#define N_CLASSES 4

typedef struct Rows
{
	uint8_t		label[4 * N_ROWS];
	double		score[4 * N_ROWS];
	uint32_t	class_label[4 * N_ROWS];
	double		proba[4 * N_ROWS * N_CLASSES];
	double		weight[4 * N_ROWS];
	size_t		n;
} Rows;

static void
make_rows(Rows *rows)
{
	RngStream	stream;
	size_t		i;
	int			k;

	rng_stream_begin(&stream, 7, RNG_METRIC, 0, 0);
	rows->n = N_ROWS;
	for (i = 0; i < N_ROWS; i++)
	{
		int			left = 16;

		rows->label[i] = (uint8_t) rng_stream_below(&stream, 2);
		rows->score[i] = (rng_stream_below(&stream, 25) + 8.0 * rows->label[i]) / 32;
		rows->class_label[i] = rng_stream_below(&stream, N_CLASSES);
		for (k = 0; k < N_CLASSES - 1; k++)
		{
			int			part = (int) rng_stream_below(&stream, (uint32_t) left + 1);

			rows->proba[i * N_CLASSES + (rows->class_label[i] + k) % N_CLASSES] = part / 16.0;
			left -= part;
		}
		rows->proba[i * N_CLASSES + (rows->class_label[i] + k) % N_CLASSES] = left / 16.0;
		rows->weight[i] = rng_stream_below(&stream, 4);
	}
}

/* Copy row `from` of a to row `to` of b. */
static void
copy_row(Rows *b, size_t to, const Rows *a, size_t from)
{
	b->label[to] = a->label[from];
	b->score[to] = a->score[from];
	b->class_label[to] = a->class_label[from];
	memcpy(&b->proba[to * N_CLASSES], &a->proba[from * N_CLASSES], N_CLASSES * sizeof(double));
	b->weight[to] = a->weight[from];
}

static void
report_both(const Host *host, const Rows *rows, const double *weight, MetricReport reports[2])
{
	metric_binary(host, rows->label, rows->score, weight, rows->n, &reports[0], NULL);
	metric_multiclass(host, rows->class_label, rows->proba, N_CLASSES, weight, rows->n,
					  &reports[1], NULL);
}

static void
test_order_and_weights(const Host *host)
{
	static Rows rows;
	static Rows other;
	MetricReport expected[2];
	MetricReport reports[2];
	RngStream	stream;
	double		largest = 0;
	size_t		i;
	int			round;

	make_rows(&rows);
	report_both(host, &rows, NULL, expected);
	tap_is_hex(expected[0].undefined | expected[1].undefined, 0, "random rows: all is defined");
	tap_ok(expected[1].n_clipped > 0, "random rows: some probabilities are 0 or 1");

	rng_stream_begin(&stream, 8, RNG_METRIC, 0, 0);
	for (round = 0; round < 20; round++)
	{
		other.n = rows.n;
		for (i = 0; i < rows.n; i++)
		{
			size_t		j = rng_stream_below(&stream, (uint32_t) i + 1);

			copy_row(&other, i, &other, j);
			copy_row(&other, j, &rows, i);
		}
		report_both(host, &other, NULL, reports);
		largest = fmax(largest, report_distance(&reports[0], &expected[0]));
		largest = fmax(largest, report_distance(&reports[1], &expected[1]));
	}
	tap_is_real(largest, 0, 1e-15, "the order of rows does not matter");

	other.n = 0;
	for (i = 0; i < rows.n; i++)
		for (round = 0; round < (int) rows.weight[i]; round++)
			copy_row(&other, other.n++, &rows, i);
	report_both(host, &rows, rows.weight, expected);
	report_both(host, &other, NULL, reports);
	tap_is_real(report_distance(&reports[0], &expected[0]), 0, 1e-14,
				"two classes: a weight is a repetition");
	tap_is_real(report_distance(&reports[1], &expected[1]), 0, 1e-14,
				"four classes: a weight is a repetition");
	tap_ok(expected[0].n_rows < rows.n && expected[0].n_rows > rows.n / 2,
		   "rows of weight 0 are not counted");
}

/* Two classes: of a positive class that is absent, alone, never or always predicted. */
static void
test_one_class(const Host *host)
{
	static const uint8_t negatives[] = {0, 0, 0};
	static const uint8_t positives[] = {1, 1, 1};
	static const double low[] = {.1, .2, .3};
	static const double high[] = {.7, .8, .9};
	MetricReport r;

	metric_binary(host, negatives, low, NULL, 3, &r, NULL);
	tap_is_real(r.value[METRIC_ACCURACY], 1, 0, "only negatives: accuracy");
	tap_is_real(r.value[METRIC_ROC_AUC], NAN, 0, "only negatives: no AUC");
	tap_is_real(r.value[METRIC_AVERAGE_PRECISION], NAN, 0, "only negatives: no average precision");
	tap_is_real(r.value[METRIC_KS], NAN, 0, "only negatives: no KS");
	tap_is_real(r.value[METRIC_LIFT_AT_10], NAN, 0, "only negatives: no lift");
	tap_is_real(r.value[METRIC_PRECISION], 0, 0, "only negatives: precision is 0");
	tap_is_real(r.value[METRIC_RECALL], 0, 0, "only negatives: recall is 0");
	tap_is_real(r.value[METRIC_F1], 0, 0, "only negatives: F1 is 0");
	tap_is_real(r.value[METRIC_F1_MACRO], 1, 0, "only negatives: macro F1 is of one class");
	tap_is_real(r.value[METRIC_MCC], 0, 0, "only negatives: MCC is 0");
	tap_is_hex(r.undefined,
			   1u << METRIC_ROC_AUC | 1u << METRIC_AVERAGE_PRECISION | 1u << METRIC_KS |
			   1u << METRIC_LIFT_AT_10 | 1u << METRIC_PRECISION | 1u << METRIC_RECALL |
			   1u << METRIC_F1 | 1u << METRIC_MCC | 1u << METRIC_BALANCED_ACCURACY,
			   "only negatives: warnings");

	metric_binary(host, positives, low, NULL, 3, &r, NULL);
	tap_is_real(r.value[METRIC_ACCURACY], 0, 0, "only positives, all missed: accuracy");
	tap_is_real(r.value[METRIC_RECALL], 0, 0, "only positives, all missed: recall");
	tap_is_real(r.value[METRIC_LIFT_AT_10], 1, 0, "only positives, all missed: lift");
	tap_is_real(r.value[METRIC_AVERAGE_PRECISION], 1, 0, "only positives: average precision");
	tap_is_hex(r.undefined,
			   1u << METRIC_ROC_AUC | 1u << METRIC_KS | 1u << METRIC_MCC |
			   1u << METRIC_BALANCED_ACCURACY | 1u << METRIC_PRECISION |
			   1u << METRIC_PRECISION_MACRO | 1u << METRIC_PRECISION_WEIGHTED |
			   1u << METRIC_RECALL_MACRO,
			   "only positives, all missed: warnings");

	metric_binary(host, negatives, high, NULL, 3, &r, NULL);
	tap_is_real(r.value[METRIC_PRECISION], 0, 0, "only false alarms: precision");
	tap_ok(!metric_is_undefined(&r, METRIC_PRECISION), "only false alarms: it is defined");
	tap_is_real(r.value[METRIC_F1], 0, 0, "only false alarms: F1");
	tap_ok(!metric_is_undefined(&r, METRIC_F1), "only false alarms: it is defined");
}

static void
test_nothing(const Host *host)
{
	static const double zeros[] = {0, 0, 0};
	static const double nans[] = {NAN, NAN, NAN};
	static const uint32_t classes[] = {0, 1, 9};
	static const uint8_t labels[] = {0, 1, 9};
	MetricReport r;

	tap_is_int(metric_binary(host, NULL, NULL, NULL, 0, &r, NULL), STATUS_OK, "no rows: OK");
	expect_nothing(&r, "no rows, two classes");
	tap_is_int(__builtin_popcount(r.applies), 18, "no rows: eighteen metrics apply");
	tap_is_int(metric_multiclass(host, NULL, NULL, 3, NULL, 0, &r, NULL), STATUS_OK,
			   "no rows, three classes: OK");
	expect_nothing(&r, "no rows, three classes");
	tap_is_int(metric_binary(host, labels, nans, zeros, 3, &r, NULL), STATUS_OK,
			   "rows of weight 0 are not even looked at");
	expect_nothing(&r, "all weights 0, two classes");
	tap_is_int(metric_multiclass(host, classes, nans, 1 + 1, zeros, 1, &r, NULL), STATUS_OK,
			   "nor are those of more classes");
	expect_nothing(&r, "all weights 0, more classes");
}

static void
test_log_loss_limits(const Host *host)
{
	static const uint8_t label[] = {1, 0};
	static const uint32_t class_label_2[] = {1, 0};
	static const double right[] = {1, 0};
	static const double wrong[] = {0, 1};
	static const double wrong_proba[] = {1, 0, 0, 1};
	MetricReport r;

	metric_binary(host, label, right, NULL, 2, &r, NULL);
	tap_is_real(r.value[METRIC_LOG_LOSS], 0x1p-52, 1e-30, "log loss of certainties: 2^-52");
	tap_is_int(r.n_clipped, 2, "both are clipped");
	tap_is_real(r.value[METRIC_BRIER], 0, 0, "their Brier score is 0");
	metric_binary(host, label, wrong, NULL, 2, &r, NULL);
	tap_is_real(r.value[METRIC_LOG_LOSS], 36.04365338911715, 1e-13,
				"log loss of certain errors: 52 log 2");
	tap_is_real(r.value[METRIC_BRIER], 1, 0, "their Brier score is 1");
	tap_is_real(r.value[METRIC_MCC], -1, 0, "their MCC is -1");
	metric_multiclass(host, class_label_2, wrong_proba, 2, NULL, 2, &r, NULL);
	tap_is_real(r.value[METRIC_LOG_LOSS], 36.04365338911715, 1e-13, "the same as two of K classes");
	tap_is_real(r.value[METRIC_BRIER], 2, 0, "where the Brier score is 2");
	tap_is_int(r.n_clipped, 2, "two rows are clipped");
}

/* One row is spoilt; the report must be refused with this text. */
static void
refuses(const Host *host, uint8_t label, double score, double weight, const char *text)
{
	uint8_t		labels[] = {0, 1, 1};
	double		scores[] = {.2, .7, .5};
	double		weights[] = {1, 1, 1};
	uint32_t	classes[] = {0, 1, 1};
	double		probas[] = {.8, .2, .3, .7, .5, .5};
	MetricReport r;
	Failure		why;

	labels[1] = label;
	classes[1] = label;
	scores[1] = score;
	probas[3] = score;
	weights[1] = weight;
	memset(&why, 0, sizeof(why));
	tap_is_int(metric_binary(host, labels, scores, weights, 3, &r, &why), STATUS_INVALID_DATA,
			   "two classes: refused");
	tap_is_text(why.text, text, "two classes: the text");
	memset(&why, 0, sizeof(why));
	tap_is_int(metric_multiclass(host, classes, probas, 2, weights, 3, &r, &why),
			   STATUS_INVALID_DATA, "K classes: refused");
	tap_is_text(why.text, text, "K classes: the text");
}

static void
test_refusals(const Host *host)
{
	MetricReport r;
	Failure		why;

	refuses(host, 2, .5, 1, "label of row 2 is 2, a class below 2 is required");
	refuses(host, 1, NAN, 1, "score of row 2 is nan, a probability between 0 and 1 is required");
	refuses(host, 1, 1.5, 1, "score of row 2 is 1.5, a probability between 0 and 1 is required");
	refuses(host, 1, -.5, 1, "score of row 2 is -0.5, a probability between 0 and 1 is required");
	refuses(host, 1, .5, -1, "weight of row 2 is -1, a finite number of at least 0 is required");
	refuses(host, 1, .5, NAN, "weight of row 2 is nan, a finite number of at least 0 is required");
	refuses(host, 1, .5, INFINITY,
			"weight of row 2 is inf, a finite number of at least 0 is required");
	tap_is_int(metric_multiclass(host, NULL, NULL, 1, NULL, 0, &r, &why), STATUS_INVALID_PARAMETER,
			   "one class is no classification");
	tap_is_text(why.text, "number of classes is 1, at least 2 are required",
				"and the text says so");
}

static Status
binary_call(const Host *host, void *arg, Failure *why)
{
	const Rows *rows = arg;
	MetricReport r;

	return metric_binary(host, rows->label, rows->score, rows->weight, rows->n, &r, why);
}

static Status
multiclass_call(const Host *host, void *arg, Failure *why)
{
	const Rows *rows = arg;
	MetricReport r;

	return metric_multiclass(host, rows->class_label, rows->proba, N_CLASSES, rows->weight,
							 rows->n, &r, why);
}

static Status
macro_call(const Host *host, void *arg, Failure *why)
{
	const Rows *rows = arg;
	double		area;

	return metric_roc_auc_macro(host, rows->class_label, rows->proba, N_CLASSES, rows->weight,
								rows->n, &area, why);
}

/* The area alone is that of the report; of one class there is none. */
static void
test_macro(const Host *host, Rows *rows)
{
	for (int kind = 0; kind < 3; kind++)
	{
		const double *weight = kind == 1 ? rows->weight : NULL;
		MetricReport r;
		double		area = 0;

		for (size_t i = 0; kind == 2 && i < rows->n; i++)
			rows->class_label[i] = 1;
		metric_multiclass(host, rows->class_label, rows->proba, N_CLASSES, weight, rows->n, &r,
						  NULL);
		metric_roc_auc_macro(host, rows->class_label, rows->proba, N_CLASSES, weight, rows->n,
							 &area, NULL);
		tap_ok(kind == 2 ? isnan(area) && isnan(r.value[METRIC_ROC_AUC_MACRO])
			   : area == r.value[METRIC_ROC_AUC_MACRO],
			   "the macro area alone, %s", kind == 0 ? "no weights" : kind == 1 ? "weights"
			   : "one class");
	}
}

int
main(void)
{
	static Rows rows;
	TestHost	t;

	test_host_begin(&t);
	test_t2(&t.host);
	test_oracle(&t.host);
	test_order_and_weights(&t.host);
	test_one_class(&t.host);
	test_nothing(&t.host);
	test_log_loss_limits(&t.host);
	test_refusals(&t.host);
	make_rows(&rows);
	test_macro(&t.host, &rows);
	tap_ok(test_host_end(&t), "no leak");
	make_rows(&rows);
	tap_ok(test_sweep(macro_call, &rows, 3, 3), "the area alone survives refusals and cancels");
	tap_ok(test_sweep(binary_call, &rows, 2, 3), "two classes survive refusals and cancels");
	tap_ok(test_sweep(multiclass_call, &rows, 4, 9), "K classes survive refusals and cancels");
	return tap_done();
}
