/*
 * test_ranked.c
 *	  Ranked rows: the measures of metric_rank(), in any parts, to the bit.
 */
#include "tap.h"
#include "test_host.h"

#include "ranked_fixture.h"

#define MAX_ROWS 5000

typedef struct Rows
{
	uint8_t		label[MAX_ROWS];
	double		score[MAX_ROWS];
	double		weight[MAX_ROWS];
	size_t		n;
} Rows;

static bool
same_bits(const RankMeasures *a, const RankMeasures *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static RankMeasures
measures_of(MetricRanked *r)
{
	RankMeasures measures;

	metric_ranked_measures(r, 0.1, &measures, NULL);
	return measures;
}

static void
test_t2(const Host *host)
{
	MetricRanked r;
	RankMeasures measures;
	double		median;
	double		support;

	ranked_fill(&r, host, t2_label, t2_score, NULL, T2_ROWS, NULL);
	measures = measures_of(&r);
	tap_is_real(measures.roc_auc, .8, 1e-15, "T2: AUC");
	tap_is_real(measures.average_precision, .8392857143, 5e-11, "T2: average precision");
	tap_is_real(measures.ks, .6, 1e-15, "T2: KS");
	tap_is_real(measures.ks_threshold, .7, 0, "T2: at .7");
	tap_is_real(measures.lift, 2, 1e-15, "T2: lift");
	metric_ranked_median(&r, &median, NULL);
	tap_is_real(median, .4, 0, "the median of T2's scores");
	metric_ranked_support(&r, &support, NULL);
	tap_is_real(support, 5, 0, "its positives");
	tap_is_int(metric_ranked_measures(&r, 0, &measures, NULL), STATUS_INVALID_PARAMETER,
			   "a share of 0 is refused");
	metric_ranked_free(&r);
}

static void
test_medians(const Host *host)
{
	static const uint8_t label[] = {0, 0, 0, 0};
	static const double score[] = {4, 1, 2, 8};
	static const double weight[] = {1, 5, 1, 3};
	MetricRanked r;
	double		median;

	ranked_fill(&r, host, label, score, NULL, 4, NULL);
	metric_ranked_median(&r, &median, NULL);
	tap_is_real(median, 3, 0, "an even number of rows: between two");
	metric_ranked_free(&r);
	ranked_fill(&r, host, label, score, NULL, 3, NULL);
	metric_ranked_median(&r, &median, NULL);
	tap_is_real(median, 2, 0, "an odd one: the middle");
	metric_ranked_free(&r);
	ranked_fill(&r, host, label, score, weight, 4, NULL);
	metric_ranked_median(&r, &median, NULL);
	tap_is_real(median, 1, 0, "weights: the lowest that half of the weight reaches");
	metric_ranked_free(&r);
	metric_ranked_begin(&r, host, false);
	metric_ranked_median(&r, &median, NULL);
	tap_ok(isnan(median) && isnan(measures_of(&r).roc_auc), "nothing has no median");
	metric_ranked_free(&r);
}

static void
test_parts(const Host *host)
{
	static Rows rows;
	RngStream	stream;
	uint64_t	wrong = 0;
	uint64_t	far = 0;
	uint64_t	n_rounds = test_amount(100, 6);

	rng_stream_begin(&stream, 11, RNG_METRIC, 0, 0);
	for (uint64_t round = 0; round < n_rounds; round++)
	{
		bool		weighted = round % 2;
		uint32_t	levels = round % 3 == 0 ? 3 : round % 3 == 1 ? 50 : 1000000;
		MetricRanked whole;
		MetricRanked parts[3];
		MetricRanked read;
		RankMeasures expected;
		RankMeasures measures;
		RankMeasures by_rank;
		ByteWriter	w;
		ByteReader	r;

		rows.n = 2 + rng_stream_below(&stream, round % 10 == 0 ? MAX_ROWS - 1 : 90);
		ranked_random(&stream, rows.n, levels, rows.label, rows.score, rows.weight);
		ranked_fill(&whole, host, rows.label, rows.score, weighted ? rows.weight : NULL, rows.n,
					NULL);
		expected = measures_of(&whole);
		for (int k = 0; k < 3; k++)
			metric_ranked_begin(&parts[k], host, weighted);
		for (size_t i = rows.n; i-- > 0;)
			metric_ranked_add(&parts[rng_stream_below(&stream, 3)], rows.label[i], rows.score[i],
							  rows.weight[i], NULL);
		metric_ranked_settle(&parts[2], NULL);
		bytes_writer_begin(&w, host, NULL);
		metric_ranked_write(&parts[2], &w);
		wrong += w.n_bytes != metric_ranked_stored_bytes(&parts[2]);
		bytes_reader_begin(&r, w.bytes, w.n_bytes);
		wrong += metric_ranked_read(&read, host, &r, NULL) != STATUS_OK || bytes_left(&r) > 0;
		metric_ranked_merge(&parts[0], &read, NULL);
		metric_ranked_merge(&parts[0], &parts[1], NULL);
		measures = measures_of(&parts[0]);
		wrong += !same_bits(&measures, &expected);
		/* rows may be added afterwards, and again be measured */
		metric_ranked_add(&parts[0], true, 0.5, 1, NULL);
		metric_ranked_add(&whole, true, 0.5, 1, NULL);
		measures = measures_of(&parts[0]);
		expected = measures_of(&whole);
		wrong += !same_bits(&measures, &expected);
		rows.label[rows.n] = 1;
		rows.score[rows.n] = 0.5;
		rows.weight[rows.n] = 1;
		rows.n++;
		metric_roc_auc(host, rows.label, rows.score, weighted ? rows.weight : NULL, rows.n,
					   &by_rank.roc_auc, NULL);
		metric_average_precision(host, rows.label, rows.score, weighted ? rows.weight : NULL,
								 rows.n, &by_rank.average_precision, NULL);
		far += fabs(by_rank.roc_auc - measures.roc_auc) > (weighted ? 1e-14 : 0);
		far += fabs(by_rank.average_precision - measures.average_precision) > (weighted ? 1e-14 : 0);
		for (size_t cut = 0; cut < w.n_bytes && cut < 200; cut++)
		{
			MetricRanked other;

			bytes_reader_begin(&r, w.bytes, cut);
			wrong += metric_ranked_read(&other, host, &r, NULL) != STATUS_CORRUPT;
		}
		bytes_writer_free(&w);
		metric_ranked_free(&whole);
		metric_ranked_free(&read);
		for (int k = 0; k < 3; k++)
			metric_ranked_free(&parts[k]);
	}
	tap_is_int(wrong, 0, "parts give the bits of the whole, also through bytes; damaged bytes none");
	tap_is_int(far, 0, "they are the measures of metric_rank()");
}

/* Equal scores take room once; where there are none nothing is lost. */
static void
test_room(const Host *host)
{
	MetricRanked r;
	uint32_t	n_rows = (uint32_t) test_amount(200000, 20000);

	metric_ranked_begin(&r, host, false);
	for (uint32_t i = 0; i < n_rows; i++)
		metric_ranked_add(&r, i % 3 == 0, i % 100, 1, NULL);
	tap_ok(r.capacity <= 2048, "100 scores of two classes take room for 2,048 at most");
	metric_ranked_settle(&r, NULL);
	tap_is_int(r.n, 200, "and are 200 in the end");
	metric_ranked_free(&r);
	metric_ranked_begin(&r, host, false);
	for (uint32_t i = 0; i < n_rows; i++)
		metric_ranked_add(&r, i % 3 == 0, i, 1, NULL);
	metric_ranked_settle(&r, NULL);
	tap_is_int(r.n, n_rows, "different scores are all kept");
	metric_ranked_free(&r);
}

static void
test_refusals(const Host *host)
{
	/* not weighted, one item; of count 0 */
	static const uint8_t no_count[] = {0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0};
	MetricRanked r;
	ByteReader	reader;
	Failure		why;

	metric_ranked_begin(&r, host, true);
	tap_is_int(metric_ranked_add(&r, true, NAN, 1, &why), STATUS_INVALID_DATA, "NaN is refused");
	tap_is_text(why.text, "score is not a number", "its text");
	tap_is_int(metric_ranked_add(&r, true, 1, -1, &why), STATUS_INVALID_DATA,
			   "a negative weight is refused");
	tap_is_int(metric_ranked_add(&r, true, NAN, 0, &why), STATUS_OK,
			   "a row of weight 0 is not looked at");
	tap_is_int(r.n, 0, "nothing was added");
	metric_ranked_add(&r, true, 1, 1.7e308, NULL);
	metric_ranked_add(&r, true, 2, 1.7e308, NULL);
	tap_is_int(metric_ranked_measures(&r, 1, &(RankMeasures) {0}, &why), STATUS_OUT_OF_RANGE,
			   "weights beyond the largest number are refused");
	metric_ranked_free(&r);
	bytes_reader_begin(&reader, no_count, sizeof(no_count));
	tap_is_int(metric_ranked_read(&r, host, &reader, NULL), STATUS_CORRUPT, "a count of 0 is refused");
}

static Rows sweep_rows;

/* Everything that takes memory or time. */
static Status
everything(const Host *host, void *arg, Failure *why)
{
	bool		weighted = *(bool *) arg;
	MetricRanked r;
	MetricRanked other;
	MetricCurve curve;
	RankMeasures measures;
	MetricChoice choice;
	MetricRule	rule = {.kind = RULE_EMP,.clv = 200,.d = 10,.f = 1,.alpha = 6,.beta_shape = 14,
	.gamma = .3};
	Status		status = ranked_fill(&r, host, sweep_rows.label, sweep_rows.score,
									 weighted ? sweep_rows.weight : NULL, sweep_rows.n, why);

	if (status != STATUS_OK)
		return status;
	status = ranked_fill(&other, host, sweep_rows.label, sweep_rows.score,
						 weighted ? sweep_rows.weight : NULL, sweep_rows.n / 2, why);
	if (status == STATUS_OK)
		status = metric_ranked_merge(&r, &other, why);
	if (status == STATUS_OK)
		status = metric_ranked_measures(&r, .1, &measures, why);
	if (status == STATUS_OK)
	{
		status = metric_roc_curve(&r, &curve, why);
		metric_curve_free(&curve);
	}
	if (status == STATUS_OK)
	{
		status = metric_precision_recall_curve(&r, &curve, why);
		metric_curve_free(&curve);
	}
	if (status == STATUS_OK)
		status = metric_choose_threshold(&r, &rule, &choice, why);
	metric_ranked_free(&other);
	metric_ranked_free(&r);
	return status;
}

static void
test_sweeps(void)
{
	RngStream	stream;
	bool		weighted = false;

	sweep_rows.n = 500;
	rng_stream_begin(&stream, 13, RNG_METRIC, 0, 0);
	ranked_random(&stream, sweep_rows.n, 40, sweep_rows.label, sweep_rows.score, sweep_rows.weight);
	tap_ok(test_sweep(everything, &weighted, 20, 3), "survives refusal and cancel");
	weighted = true;
	tap_ok(test_sweep(everything, &weighted, 20, 3), "also with weights");
}

int
main(void)
{
	TestHost	t;

	test_host_begin(&t);
	test_t2(&t.host);
	test_medians(&t.host);
	test_parts(&t.host);
	test_room(&t.host);
	test_refusals(&t.host);
	tap_ok(test_host_end(&t), "no leak");
	test_sweeps();
	return tap_done();
}
