/*
 * test_confusion.c
 *	  Confusion matrices: against metric_per_class() and metric_binary(), in any
 *	  parts, to the bit.
 */
#include "tap.h"
#include "test_host.h"

#include "core/rng.h"
#include "metric/metric.h"

static Status
add(MetricConfusion *c, const char *label, const char *predicted, double weight, Failure *why)
{
	char		texts[2][16];
	MetricLabel labels[2];

	snprintf(texts[0], sizeof(texts[0]), "%s", label);
	snprintf(texts[1], sizeof(texts[1]), "%s", predicted);
	for (int i = 0; i < 2; i++)
		labels[i] = (MetricLabel) {texts[i], strlen(texts[i]), 0};
	return metric_confusion_add(c, &labels[0], &labels[1], weight, why);
}

static double
measure(const MetricConfusion *c, MetricHardName name, MetricAverage average, const char *positive)
{
	double		value;

	metric_confusion_measure(c, name, average,
							 positive != NULL ? metric_confusion_class(c, positive, strlen(positive)) : 0,
							 1, &value, NULL);
	return value;
}

/* T2 at .5: TP 3, FP 1, FN 2, TN 4 */
static void
test_t2(const Host *host)
{
	static const char *const cells[][3] = {{"yes", "yes", "3"}, {"no", "yes", "1"},
	{"yes", "no", "2"}, {"no", "no", "4"}};
	MetricConfusion c;
	MetricReport report;
	double		kappa;

	metric_confusion_begin(&c, host, false);
	for (int i = 0; i < 4; i++)
		for (int k = 0; k < cells[i][2][0] - '0'; k++)
			add(&c, cells[i][0], cells[i][1], 1, NULL);
	metric_confusion_sort(&c, NULL);
	tap_ok(metric_confusion_cell(&c, 0, 0) == 4 && metric_confusion_cell(&c, 0, 1) == 1 &&
		   metric_confusion_cell(&c, 1, 0) == 2 && metric_confusion_cell(&c, 1, 1) == 3,
		   "classes are in order of their bytes");
	metric_confusion_report(&c, &report, NULL);
	tap_is_real(report.value[METRIC_MCC], .4082482905, 5e-11, "T2: MCC");
	tap_is_real(report.value[METRIC_ACCURACY], .7, 1e-16, "T2: accuracy");
	tap_is_real(report.value[METRIC_BALANCED_ACCURACY], .7, 1e-15, "T2: balanced accuracy");
	tap_is_real(measure(&c, HARD_FBETA, AVERAGE_BINARY, "yes"), 2. / 3, 1e-15, "T2: F1");
	tap_is_real(measure(&c, HARD_FBETA, AVERAGE_MACRO, NULL), .6969696970, 5e-11, "T2: macro F1");
	tap_is_real(measure(&c, HARD_PRECISION, AVERAGE_BINARY, "yes"), .75, 0, "T2: precision");
	tap_is_real(measure(&c, HARD_RECALL, AVERAGE_BINARY, "yes"), .6, 0, "T2: recall");
	tap_is_real(measure(&c, HARD_SPECIFICITY, AVERAGE_BINARY, "yes"), .8, 0, "T2: specificity");
	tap_is_real(measure(&c, HARD_RECALL, AVERAGE_BINARY, "maybe"), 0, 0, "a class that is not there");
	tap_is_real(measure(&c, HARD_PRECISION, AVERAGE_MICRO, NULL), .7, 0, "micro is the accuracy");
	metric_confusion_kappa(&c, 0, &kappa, NULL);
	tap_is_real(kappa, .4, 1e-15, "T2: kappa");
	metric_confusion_free(&c);
}

static void
test_edges(const Host *host)
{
	MetricConfusion c;
	MetricReport report;
	Failure		why;
	double		value;

	metric_confusion_begin(&c, host, false);
	metric_confusion_sort(&c, NULL);
	metric_confusion_report(&c, &report, NULL);
	metric_confusion_kappa(&c, 0, &value, NULL);
	tap_ok(isnan(report.value[METRIC_ACCURACY]) && isnan(value) &&
		   isnan(measure(&c, HARD_FBETA, AVERAGE_MACRO, NULL)), "without rows all is undefined");
	add(&c, "a", "a", 1, NULL);
	metric_confusion_kappa(&c, 0, &value, NULL);
	tap_ok(isnan(value), "kappa of one class is undefined");
	metric_confusion_free(&c);

	metric_confusion_begin(&c, host, true);
	tap_is_int(add(&c, "a", "b", 0, NULL), STATUS_OK, "a row of weight 0 does not count");
	tap_is_int(c.n_classes, 0, "nor do its labels");
	tap_is_int(add(&c, "a", "b", NAN, &why), STATUS_INVALID_DATA, "no weight is refused");
	add(&c, "", "", 1.7e308, NULL);
	add(&c, "", "x", 1.7e308, NULL);
	tap_is_int(metric_confusion_report(&c, &report, &why), STATUS_OUT_OF_RANGE,
			   "weights beyond the largest number are refused");
	metric_confusion_free(&c);

	metric_confusion_begin(&c, host, false);
	for (int i = 0; i < METRIC_MAX_CLASSES; i++)
	{
		char		label[16];

		snprintf(label, sizeof(label), "%d", i);
		add(&c, label, label, 1, NULL);
	}
	tap_is_int(c.n_classes, METRIC_MAX_CLASSES, "a thousand classes");
	tap_is_int(add(&c, "one more", "1", 1, &why), STATUS_LIMIT, "are the most");
	tap_is_text(why.text, "more than 1000 different classes", "its text");
	metric_confusion_free(&c);
}

/* Rows of a random matrix: label, prediction, weight. */
typedef struct Rows
{
	uint32_t	label[400];
	uint32_t	predicted[400];
	double		weight[400];
	size_t		n;
	uint32_t	n_classes;
} Rows;

static void
random_rows(RngStream *stream, Rows *rows)
{
	rows->n = 1 + rng_stream_below(stream, 400);
	rows->n_classes = 2 + rng_stream_below(stream, 20);
	for (size_t i = 0; i < rows->n; i++)
	{
		rows->label[i] = rng_stream_below(stream, rows->n_classes);
		rows->predicted[i] = rng_stream_below(stream, 2) ? rows->label[i] :
			rng_stream_below(stream, rows->n_classes);
		rows->weight[i] = (1 + rng_stream_below(stream, 30)) / 3.0;
	}
}

static Status
add_class(MetricConfusion *c, const Rows *rows, size_t i, Failure *why)
{
	char		label[16];
	char		predicted[16];

	snprintf(label, sizeof(label), "%02u", rows->label[i]);
	snprintf(predicted, sizeof(predicted), "%02u", rows->predicted[i]);
	return add(c, label, predicted, rows->weight[i], why);
}

static void
test_parts(const Host *host)
{
	static Rows rows;
	RngStream	stream;
	uint64_t	wrong = 0;
	double		far = 0;
	uint64_t	n_rounds = test_amount(200, 10);

	rng_stream_begin(&stream, 19, RNG_METRIC, 0, 0);
	for (uint64_t round = 0; round < n_rounds; round++)
	{
		bool		weighted = round % 2;
		MetricConfusion whole;
		MetricConfusion parts[2];
		MetricConfusion read;
		MetricClass by_class[32];
		double		macro[2];
		double		kappa[2];
		double		mean = 0;
		uint32_t	n_there = 0;
		ByteWriter	w;
		ByteReader	r;

		random_rows(&stream, &rows);
		metric_confusion_begin(&whole, host, weighted);
		metric_confusion_begin(&parts[0], host, weighted);
		metric_confusion_begin(&parts[1], host, weighted);
		for (size_t i = 0; i < rows.n; i++)
			add_class(&whole, &rows, i, NULL);
		for (size_t i = rows.n; i-- > 0;)
			add_class(&parts[rng_stream_below(&stream, 2)], &rows, i, NULL);
		bytes_writer_begin(&w, host, NULL);
		metric_confusion_write(&parts[1], &w);
		bytes_reader_begin(&r, w.bytes, w.n_bytes);
		wrong += metric_confusion_read(&read, host, &r, NULL) != STATUS_OK || bytes_left(&r) > 0;
		for (size_t cut = 0; cut < w.n_bytes && cut < 300; cut++)
		{
			MetricConfusion other;

			bytes_reader_begin(&r, w.bytes, cut);
			wrong += metric_confusion_read(&other, host, &r, NULL) != STATUS_CORRUPT;
		}
		bytes_writer_free(&w);
		metric_confusion_merge(&parts[0], &read, NULL);
		metric_confusion_sort(&whole, NULL);
		metric_confusion_sort(&parts[0], NULL);
		wrong += whole.n_classes != parts[0].n_classes;
		for (uint32_t i = 0; i < whole.n_classes; i++)
			for (uint32_t j = 0; j < whole.n_classes; j++)
				wrong += metric_confusion_cell(&whole, i, j) != metric_confusion_cell(&parts[0], i, j);
		metric_confusion_kappa(&whole, 2, &kappa[0], NULL);
		metric_confusion_kappa(&parts[0], 2, &kappa[1], NULL);
		wrong += kappa[0] != kappa[1] && !isnan(kappa[0]);
		macro[0] = measure(&whole, HARD_FBETA, AVERAGE_MACRO, NULL);
		macro[1] = measure(&parts[0], HARD_FBETA, AVERAGE_MACRO, NULL);
		wrong += macro[0] != macro[1];
		metric_per_class(rows.label, rows.predicted, weighted ? rows.weight : NULL, rows.n,
						 rows.n_classes, by_class, NULL);
		for (uint32_t k = 0; k < rows.n_classes; k++)
		{
			char		name[16];
			uint32_t	class;

			snprintf(name, sizeof(name), "%02u", k);
			class = metric_confusion_class(&whole, name, 2);
			if (class == whole.n_classes)
				continue;
			n_there++;
			mean += by_class[k].f1;
			far = fmax(far, fabs(by_class[k].precision -
								 measure(&whole, HARD_PRECISION, AVERAGE_BINARY, name)));
			far = fmax(far, fabs(by_class[k].recall -
								 measure(&whole, HARD_RECALL, AVERAGE_BINARY, name)));
		}
		far = fmax(far, fabs(mean / n_there - macro[0]));
		/* rows may be added to a sorted matrix */
		add_class(&whole, &rows, 0, NULL);
		add_class(&parts[0], &rows, 0, NULL);
		metric_confusion_sort(&whole, NULL);
		wrong += measure(&whole, HARD_FBETA, AVERAGE_WEIGHTED, NULL) !=
			measure(&parts[0], HARD_FBETA, AVERAGE_WEIGHTED, NULL);
		metric_confusion_free(&whole);
		metric_confusion_free(&read);
		metric_confusion_free(&parts[0]);
		metric_confusion_free(&parts[1]);
	}
	tap_is_int(wrong, 0, "parts give the bits of the whole, also through bytes; damaged bytes none");
	tap_is_real(far, 0, 1e-14, "they are the measures of metric_per_class()");
}

/* Nothing is left over of weights where only one class is predicted. */
static void
test_one_prediction(const Host *host)
{
	RngStream	stream;
	uint64_t	wrong = 0;

	rng_stream_begin(&stream, 29, RNG_METRIC, 0, 0);
	for (int round = 0; round < 1000; round++)
	{
		MetricConfusion c;
		MetricReport report;

		metric_confusion_begin(&c, host, true);
		for (int i = 0; i < 9; i++)
			add(&c, i % 3 == 0 ? "a" : "b", "a", rng_stream_below(&stream, 1000003) / 333331.0, NULL);
		metric_confusion_report(&c, &report, NULL);
		wrong += report.value[METRIC_MCC] != 0;
		metric_confusion_free(&c);
	}
	tap_is_int(wrong, 0, "MCC of one predicted class is 0, whatever the weights are");
}

static Rows sweep_rows;

static Status
everything(const Host *host, void *arg, Failure *why)
{
	bool		weighted = *(bool *) arg;
	MetricConfusion c;
	MetricConfusion other;
	MetricReport report;
	double		value;
	Status		status = STATUS_OK;

	metric_confusion_begin(&c, host, weighted);
	metric_confusion_begin(&other, host, weighted);
	for (size_t i = 0; i < sweep_rows.n && status == STATUS_OK; i++)
		status = add_class(i % 2 ? &c : &other, &sweep_rows, i, why);
	if (status == STATUS_OK)
		status = metric_confusion_merge(&c, &other, why);
	if (status == STATUS_OK)
		status = metric_confusion_sort(&c, why);
	if (status == STATUS_OK)
		status = metric_confusion_report(&c, &report, why);
	if (status == STATUS_OK)
		status = metric_confusion_measure(&c, HARD_RECALL, AVERAGE_MACRO, 0, 1, &value, why);
	if (status == STATUS_OK)
		status = metric_confusion_kappa(&c, 1, &value, why);
	metric_confusion_free(&c);
	metric_confusion_free(&other);
	return status;
}

static void
test_sweeps(void)
{
	RngStream	stream;
	bool		weighted = false;

	rng_stream_begin(&stream, 23, RNG_METRIC, 0, 0);
	random_rows(&stream, &sweep_rows);
	sweep_rows.n = 60;
	tap_ok(test_sweep_memory(everything, &weighted, 30), "survives refusal");
	weighted = true;
	tap_ok(test_sweep_memory(everything, &weighted, 30), "also with weights");
}

int
main(void)
{
	TestHost	t;

	test_host_begin(&t);
	test_t2(&t.host);
	test_edges(&t.host);
	test_parts(&t.host);
	test_one_prediction(&t.host);
	tap_ok(test_host_end(&t), "no leak");
	test_sweeps();
	return tap_done();
}
