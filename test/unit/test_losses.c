/*
 * test_losses.c
 *	  Means over rows: values, parts, refusals.
 */
#include "tap.h"
#include "test_host.h"

#include "core/rng.h"
#include "metric/metric.h"

#define MAX_STATE (sizeof(MetricLossState) + 8 * sizeof(ExactSum))

/* Room for a state of any loss. */
typedef union Room
{
	MetricLossState state;
	char		bytes[MAX_STATE];
} Room;

static const double target[] = {1, 2, 3, 4};
static const double predicted[] = {1.5, 2, 2, 5};

static MetricLossState *
state_of(Room *room, MetricLoss loss, const double *y, const double *x, const double *weight,
		 size_t n, double alpha)
{
	metric_loss_begin(&room->state, loss, weight != NULL, alpha);
	for (size_t i = 0; i < n; i++)
		metric_loss_add(&room->state, y[i], x[i], weight != NULL ? weight[i] : NAN, NULL);
	return &room->state;
}

static double
mean_of(MetricLoss loss, const double *weight)
{
	Room		room;

	return metric_loss_mean(state_of(&room, loss, target, predicted, weight, 4, 0.3));
}

static void
test_values(void)
{
	static const double weight[] = {1, 2, 0, 0.5};
	static const double label[] = {1, 0, 1, 0};
	static const double score[] = {.9, .2, 0, 1};
	static const double halves[] = {.5, .5, .5, .5};
	static const double same[] = {7, 7, 7, 7};
	Room		room;

	tap_is_real(mean_of(LOSS_SQUARED, NULL), 2.25 / 4, 1e-16, "squared");
	tap_is_real(mean_of(LOSS_ABSOLUTE, NULL), 2.5 / 4, 1e-16, "absolute");
	tap_is_real(mean_of(LOSS_MAPE, NULL), (.5 + 1. / 3 + .25) / 4, 1e-16, "relative");
	tap_is_real(mean_of(LOSS_SMAPE, NULL), (1 / 2.5 + 2. / 5 + 2. / 9) / 4, 1e-16, "symmetric");
	tap_is_real(mean_of(LOSS_WAPE, NULL), 2.5 / 10, 1e-16, "ratio of sums");
	tap_is_real(mean_of(LOSS_PINBALL, NULL), (.7 * .5 + .3 * 1 + .7 * 1) / 4, 1e-16, "pinball");
	tap_is_real(mean_of(LOSS_LOG_SQUARED, NULL),
				(pow(log(2 / 2.5), 2) + pow(log(4 / 3.), 2) + pow(log(5 / 6.), 2)) / 4, 1e-16,
				"squared logarithm");
	tap_is_real(mean_of(LOSS_POISSON, NULL),
				(2 * (log(1 / 1.5) + .5) + 2 * (3 * log(1.5) - 1) + 2 * (4 * log(.8) + 1)) / 4, 1e-15,
				"Poisson deviance");
	tap_is_real(mean_of(LOSS_SQUARED, weight), (.25 + .5) / 3.5, 1e-16, "with weights");
	tap_is_real(mean_of(LOSS_WAPE, weight), 1. / 7, 1e-16, "ratio of sums with weights");
	tap_is_real(metric_loss_r2(state_of(&room, LOSS_R2, target, predicted, NULL, 4, 0)),
				1 - 2.25 / 5, 1e-16, "R²");
	tap_is_real(metric_loss_r2(state_of(&room, LOSS_R2, target, predicted, weight, 4, 0)),
				1 - .75 / (1 + 8 + 8 - 49 / 3.5), 1e-15, "R² with weights");
	tap_ok(isnan(metric_loss_r2(state_of(&room, LOSS_R2, same, predicted, NULL, 4, 0))),
		   "R² of a constant target is undefined");
	tap_is_real(metric_loss_mean(state_of(&room, LOSS_BRIER, label, score, NULL, 4, 0)),
				(.01 + .04 + 1 + 1) / 4, 1e-16, "Brier score");
	tap_is_real(metric_loss_brier_skill(&room.state), 1 - 2.05 / 4 / .25, 1e-15, "Brier skill");
	tap_is_real(metric_loss_brier_skill(state_of(&room, LOSS_BRIER, label, halves, weight, 4, 0)),
				1 - .25 / (1 / 3.5 * 2.5 / 3.5), 1e-15, "Brier skill with weights");
	tap_is_real(metric_loss_mean(state_of(&room, LOSS_LOG, label, score, NULL, 2, 0)),
				-(log(.9) + log(.8)) / 2, 1e-16, "log loss");
	tap_is_real(metric_loss_mean(state_of(&room, LOSS_LOG, label + 2, score + 2, NULL, 2, 0)),
				36.04365338911715, 1e-13, "log loss of impossible rows is clipped");
	metric_loss_begin(&room.state, LOSS_TERM, false, 0);
	tap_ok(isnan(metric_loss_mean(&room.state)), "of no rows it is undefined");
	metric_loss_add_term(&room.state, 3, 1, NULL);
	metric_loss_add_term(&room.state, 4, 1, NULL);
	tap_is_real(metric_loss_mean(&room.state), 3.5, 0, "terms of the caller's own");
}

static void
test_refusals(void)
{
	static const struct
	{
		MetricLoss	loss;
		double		y;
		double		x;
		double		weight;
		Status		status;
		const char *text;
	}			bad[] = {
		{LOSS_LOG, 1, 1.5, 1, STATUS_INVALID_DATA, "score 1.5 is no probability between 0 and 1"},
		{LOSS_BRIER, 0, NAN, 1, STATUS_INVALID_DATA, "score nan is no probability between 0 and 1"},
		{LOSS_SQUARED, NAN, 1, 1, STATUS_INVALID_DATA, "target is not a number"},
		{LOSS_SQUARED, 1, NAN, 1, STATUS_INVALID_DATA, "prediction is not a number"},
		{LOSS_ABSOLUTE, INFINITY, 1, 1, STATUS_OUT_OF_RANGE, "target is infinite"},
		{LOSS_ABSOLUTE, 1, -INFINITY, 1, STATUS_OUT_OF_RANGE, "prediction is infinite"},
		{LOSS_ABSOLUTE, 1.7e308, -1.7e308, 1, STATUS_OUT_OF_RANGE,
		"loss of target 1.7e+308 and prediction -1.7e+308 is out of range"},
		{LOSS_SQUARED, 1e200, 0, 1, STATUS_OUT_OF_RANGE,
		"loss of target 1e+200 and prediction 0 is out of range"},
		{LOSS_R2, 1e200, 1e200, 1, STATUS_OUT_OF_RANGE,
		"loss of target 1e+200 and prediction 1e+200 is out of range"},
		{LOSS_WAPE, 1e300, 1e300, 1e300, STATUS_OUT_OF_RANGE,
		"loss of target 1e+300 and prediction 1e+300 is out of range"},
		{LOSS_LOG_SQUARED, -1, 0, 1, STATUS_INVALID_DATA,
		"logarithmic error of target -1 and prediction 0 is undefined, numbers above -1 are required"},
		{LOSS_POISSON, 1, 0, 1, STATUS_INVALID_DATA,
			"Poisson deviance of target 1 and prediction 0 is undefined, a target of at least 0 and a "
		"prediction above 0 are required"},
		{LOSS_MAPE, 1, 0, -1, STATUS_INVALID_DATA,
		"weight is -1, a finite number of at least 0 is required"},
	};
	Room		room;
	Failure		why;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		Status		status;

		metric_loss_begin(&room.state, bad[i].loss, true, 0);
		status = metric_loss_add(&room.state, bad[i].y, bad[i].x, bad[i].weight, &why);
		tap_is_int(status, bad[i].status, "refused: case %zu", i + 1);
		tap_is_text(why.text, bad[i].text, "its text");
		tap_ok(isnan(metric_loss_mean(&room.state)), "nothing was added");
	}
	metric_loss_begin(&room.state, LOSS_SQUARED, true, 0);
	tap_is_int(metric_loss_add(&room.state, NAN, NAN, 0, NULL), STATUS_OK,
			   "a row of weight 0 is not looked at");
	tap_is_int(metric_loss_add_term(&room.state, INFINITY, 1, &why), STATUS_OUT_OF_RANGE,
			   "an infinite term is refused");
}

static void
test_parts(const Host *host)
{
	RngStream	stream;
	uint64_t	wrong = 0;
	uint64_t	n_rounds = test_amount(200, 20);

	rng_stream_begin(&stream, 7, RNG_METRIC, 0, 0);
	for (uint64_t round = 0; round < n_rounds; round++)
		for (int loss = LOSS_LOG; loss < LOSS_COUNT; loss++)
		{
			Room		whole;
			Room		first;
			Room		second;
			Room		read;
			ByteWriter	w;
			ByteReader	r;
			bool		weighted = round % 2;

			metric_loss_begin(&whole.state, loss, weighted, 0.2);
			metric_loss_begin(&first.state, loss, weighted, 0.2);
			metric_loss_begin(&second.state, loss, weighted, 0.2);
			for (int i = 0; i < 50; i++)
			{
				double		y = loss <= LOSS_BRIER ? i % 3 == 0 : rng_stream_below(&stream, 1000) / 7.0;
				double		x = (1 + rng_stream_below(&stream, 99)) / 100.0;
				double		weight = rng_stream_below(&stream, 10) / 3.0;
				int			part = rng_stream_below(&stream, 2);

				metric_loss_add(&whole.state, y, x, weight, NULL);
				metric_loss_add(part ? &second.state : &first.state, y, x, weight, NULL);
			}
			bytes_writer_begin(&w, host, NULL);
			metric_loss_write(&second.state, &w);
			bytes_reader_begin(&r, w.bytes, w.n_bytes);
			wrong += metric_loss_stored_bytes(&r) != metric_loss_bytes(loss, weighted);
			wrong += metric_loss_read(&read.state, &r, NULL) != STATUS_OK || bytes_left(&r) > 0;
			for (size_t cut = 0; cut < w.n_bytes; cut++)
			{
				Room		other;

				bytes_reader_begin(&r, w.bytes, cut);
				wrong += metric_loss_read(&other.state, &r, NULL) != STATUS_CORRUPT;
			}
			bytes_writer_free(&w);
			wrong += metric_loss_merge(&first.state, &read.state, NULL) != STATUS_OK;
			if (loss == LOSS_R2)
				wrong += metric_loss_r2(&first.state) != metric_loss_r2(&whole.state);
			else
				wrong += metric_loss_mean(&first.state) != metric_loss_mean(&whole.state);
			if (loss == LOSS_BRIER)
				wrong += metric_loss_brier_skill(&first.state) !=
					metric_loss_brier_skill(&whole.state);
			metric_loss_begin(&read.state, loss, weighted, 0.3);
			wrong += metric_loss_merge(&first.state, &read.state, NULL) !=
				STATUS_INVALID_PARAMETER;
		}
	tap_is_int(wrong, 0, "parts give the bits of the whole, also through bytes; damaged bytes none");
}

int
main(void)
{
	TestHost	t;

	test_host_begin(&t);
	test_values();
	test_refusals();
	test_parts(&t.host);
	tap_ok(test_host_end(&t), "no leak");
	return tap_done();
}
