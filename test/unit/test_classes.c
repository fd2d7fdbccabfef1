/*
 * test_classes.c
 *	  Measures per class, means over classes that are not all there, and the
 *	  names of metrics.
 */
#include "tap.h"
#include "test_host.h"

#include "metric/metric.h"

static void
test_per_class(void)
{
	static const uint32_t label[] = {0, 0, 0, 1, 1, 70};
	static const uint32_t predicted[] = {0, 0, 1, 1, 70, 70};
	static const double weight[] = {1, 2, 3, 4, 5, 0};
	static const uint32_t too_large[] = {71};
	MetricClass c[71];
	Failure		why;

	tap_is_int(metric_per_class(label, predicted, NULL, 6, 71, c, NULL), STATUS_OK,
			   "per class: 71 classes in two passes");
	tap_is_real(c[0].precision, 1, 0, "per class: precision of 0");
	tap_is_real(c[0].recall, 2.0 / 3, 1e-15, "per class: recall of 0");
	tap_is_real(c[0].f1, .8, 1e-15, "per class: F1 of 0");
	tap_is_real(c[0].support, 3, 0, "per class: support of 0");
	tap_is_real(c[1].f1, .5, 0, "per class: F1 of 1");
	tap_is_real(c[70].precision, .5, 0, "per class: precision of 70");
	tap_is_real(c[70].recall, 1, 0, "per class: recall of 70");
	tap_ok(c[5].precision == 0 && c[5].recall == 0 && c[5].f1 == 0 && c[5].support == 0,
		   "per class: all of an absent class is 0");

	metric_per_class(label, predicted, weight, 6, 71, c, NULL);
	tap_is_real(c[0].recall, .5, 0, "per class, weighted: recall of 0");
	tap_is_real(c[1].precision, 4.0 / 7, 1e-15, "per class, weighted: precision of 1");
	tap_is_real(c[70].support, 0, 0, "per class, weighted: support of 70");
	tap_is_real(c[70].precision, 0, 0, "per class, weighted: precision of 70");
	tap_is_int(metric_per_class(label, too_large, NULL, 1, 71, c, &why), STATUS_INVALID_DATA,
			   "per class: a prediction must be a class");
	tap_is_text(why.text, "label 0 or prediction 71 of row 1 is not a class below 71",
				"per class: and the text says so");
	tap_is_int(metric_per_class(NULL, NULL, NULL, 0, 2, c, NULL), STATUS_OK, "per class: no rows");
	tap_is_real(c[1].f1, 0, 0, "per class: no rows, all is 0");
}

static void
test_missing_classes(const Host *host)
{
	static const uint32_t label[] = {0, 0, 1, 1};
	static const uint32_t one_label[] = {2, 2, 2, 2};
	static const double proba[] = {
		.6, .2, .2, 0,
		.3, .3, .4, 0,			/* predicted as 2, which is not there */
		.2, .7, .1, 0,
		.1, .8, .1, 0,
	};
	MetricReport r;

	metric_multiclass(host, label, proba, 4, NULL, 4, &r, NULL);
	tap_is_real(r.value[METRIC_ACCURACY], .75, 0, "absent classes: accuracy");
	tap_is_real(r.value[METRIC_BALANCED_ACCURACY], .75, 0, "absent classes: balanced accuracy");
	tap_is_real(r.value[METRIC_RECALL_MACRO], .5, 1e-15,
				"absent classes: one that is predicted counts in the macro recall");
	tap_is_real(r.value[METRIC_PRECISION_MACRO], 2.0 / 3, 1e-15,
				"absent classes: and in the macro precision");
	tap_is_real(r.value[METRIC_ROC_AUC_MACRO], 1, 0, "absent classes: AUC of the others");
	tap_is_real(r.value[METRIC_AVERAGE_PRECISION_MACRO], 1, 0,
				"absent classes: average precision of the others");
	tap_is_hex(r.undefined,
			   1u << METRIC_BALANCED_ACCURACY | 1u << METRIC_RECALL_MACRO |
			   1u << METRIC_ROC_AUC_MACRO | 1u << METRIC_AVERAGE_PRECISION_MACRO,
			   "absent classes: warnings");

	metric_multiclass(host, one_label, proba, 4, NULL, 4, &r, NULL);
	tap_is_real(r.value[METRIC_ROC_AUC_MACRO], NAN, 0, "one class of four: no AUC");
	tap_is_real(r.value[METRIC_ROC_AUC_WEIGHTED], NAN, 0, "one class of four: no weighted AUC");
	tap_is_real(r.value[METRIC_AVERAGE_PRECISION_WEIGHTED], NAN, 0,
				"one class of four: no average precision");
}

static void
test_names(void)
{
	int			i;
	int			j;
	int			n_wrong = 0;

	for (i = 0; i < METRIC_COUNT; i++)
		for (j = 0; j <= i; j++)
			n_wrong += (strcmp(metric_name((MetricName) i), metric_name((MetricName) j)) == 0) !=
				(i == j);
	tap_is_int(n_wrong, 0, "every metric has a name of its own");
	tap_is_text(metric_name(METRIC_LIFT_AT_10), "lift_at_10", "a name");
	tap_is_text(metric_name(METRIC_AVERAGE_PRECISION_WEIGHTED), "average_precision_weighted",
				"a long name");
	tap_ok(metric_name(METRIC_COUNT) == NULL, "no name beyond");
}

int
main(void)
{
	TestHost	t;

	test_host_begin(&t);
	test_per_class();
	test_missing_classes(&t.host);
	test_names();
	tap_ok(test_host_end(&t), "no leak");
	return tap_done();
}
