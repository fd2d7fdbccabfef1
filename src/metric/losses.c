/*
 * losses.c
 *	  Metrics that are means over rows, as states that can be merged.
 *
 * Each row's term is rounded by itself; the sum of terms is exact.  R² needs
 * three sums whose difference cancels unless they are exact: there products
 * are added without rounding.
 */
#include <math.h>

#include "metric/internal.h"

/* What keeps logarithms and divisors away from 0: 2^-52, as scikit-learn does. */
#define EPSILON 2.220446049250313e-16

/* Sums of a loss, before those of weights. */
static int
n_sums(MetricLoss loss)
{
	return loss == LOSS_R2 ? 3 : loss == LOSS_WAPE ? 2 : 1;
}

/* Of weights: all, and for the Brier score those of positives. */
static int
n_weight_sums(MetricLoss loss, bool weighted)
{
	return !weighted ? 0 : loss == LOSS_BRIER ? 2 : 1;
}

size_t
metric_loss_bytes(MetricLoss loss, bool weighted)
{
	return sizeof(MetricLossState) +
		sizeof(ExactSum) * (n_sums(loss) + n_weight_sums(loss, weighted));
}

void
metric_loss_begin(MetricLossState *s, MetricLoss loss, bool weighted, double alpha)
{
	memset(s, 0, metric_loss_bytes(loss, weighted));
	s->loss = loss;
	s->weighted = weighted;
	s->alpha = alpha;
}

static Status
check_probability(double x, Failure *why)
{
	if (x >= 0 && x <= 1)
		return STATUS_OK;
	return fail(why, STATUS_INVALID_DATA, "score %g is no probability between 0 and 1", x);
}

/* Is it finite? */
static Status
check_number(const char *what, double x, Failure *why)
{
	if (isnan(x))
		return fail(why, STATUS_INVALID_DATA, "%s is not a number", what);
	if (isinf(x))
		return fail(why, STATUS_OUT_OF_RANGE, "%s is infinite", what);
	return STATUS_OK;
}

/* log(1 + x), also where 1 + x rounds x away (Kahan). */
static double
log_of_one_and(double x)
{
	double		sum = 1 + x;

	return sum == 1 ? x : real_log(sum) * (x / (sum - 1));
}

static Status
log_squared(double y, double x, double *out, Failure *why)
{
	double		difference;

	if (!(y > -1 && x > -1))
		return fail(why, STATUS_INVALID_DATA,
					"logarithmic error of target %g and prediction %g is undefined, numbers above "
					"-1 are required", y, x);
	difference = log_of_one_and(y) - log_of_one_and(x);
	*out = difference * difference;
	return STATUS_OK;
}

static Status
poisson(double y, double x, double *out, Failure *why)
{
	if (!(y >= 0 && x > 0))
		return fail(why, STATUS_INVALID_DATA,
					"Poisson deviance of target %g and prediction %g is undefined, a target of at "
					"least 0 and a prediction above 0 are required", y, x);
	*out = 2 * ((y > 0 ? y * real_log(y / x) : 0) - y + x);
	return STATUS_OK;
}

/* The loss of a row without its weight. */
static Status
term_of(const MetricLossState *s, double y, double x, double *out, Failure *why)
{
	double		error = y - x;
	double		size = fabs(y);
	double		p;

	switch (s->loss)
	{
		case LOSS_LOG:
			p = y != 0 ? x : 1 - x;
			*out = -real_log(p < EPSILON ? EPSILON : p > 1 - EPSILON ? 1 - EPSILON : p);
			break;
		case LOSS_BRIER:
		case LOSS_SQUARED:
		case LOSS_R2:
			*out = error * error;
			break;
		case LOSS_ABSOLUTE:
		case LOSS_WAPE:
			*out = fabs(error);
			break;
		case LOSS_MAPE:
			*out = fabs(error) / (size > EPSILON ? size : EPSILON);
			break;
		case LOSS_SMAPE:
			*out = error == 0 ? 0 : 2 * (fabs(error) / (size + fabs(x)));
			break;
		case LOSS_LOG_SQUARED:
			return log_squared(y, x, out, why);
		case LOSS_PINBALL:
			*out = error >= 0 ? s->alpha * error : (s->alpha - 1) * error;
			break;
		case LOSS_POISSON:
			return poisson(y, x, out, why);
		case LOSS_TERM:
		case LOSS_COUNT:
			*out = NAN;
			break;
	}
	return STATUS_OK;
}

static Status
out_of_range(double y, double x, Failure *why)
{
	return fail(why, STATUS_OUT_OF_RANGE, "loss of target %g and prediction %g is out of range", y,
				x);
}

/* The loss of a row whose numbers are good for it. */
static Status
checked_term(const MetricLossState *s, double y, double x, double *out, Failure *why)
{
	Status		status = STATUS_OK;

	if (s->loss == LOSS_LOG || s->loss == LOSS_BRIER)
		status = check_probability(x, why);
	else if (!isfinite(y - x))
	{
		status = check_number("target", y, why);
		if (status == STATUS_OK)
			status = check_number("prediction", x, why);
		if (status == STATUS_OK)
			status = out_of_range(y, x, why);
	}
	return status == STATUS_OK ? term_of(s, y, x, out, why) : status;
}

/* Σ w y and Σ w y²; false, with nothing added, if they are not finite. */
static bool
add_moments(MetricLossState *s, double y, double w)
{
	if (s->weighted)
		return exact_add_product3(&s->sum[2], w, y, y) && exact_add_product(&s->sum[1], w, y);
	if (!exact_add_product(&s->sum[2], y, y))
		return false;
	exact_add(&s->sum[1], y);
	return true;
}

/* What a loss sums beside itself; false, with nothing added, if it is not finite. */
static inline bool
add_others(MetricLossState *s, double y, double w)
{
	switch (s->loss)
	{
		case LOSS_R2:
			return add_moments(s, y, w);
		case LOSS_WAPE:
			if (!isfinite(w * y))
				return false;
			exact_add(&s->sum[1], w * fabs(y));
			return true;
		case LOSS_BRIER:
			s->n_positive += y != 0;
			if (s->weighted && y != 0)
				exact_add(&s->sum[2], w);
			return true;
		default:
			return true;
	}
}

Status
metric_loss_add(MetricLossState *s, double y, double x, double weight, Failure *why)
{
	double		term = 0;
	double		w = s->weighted ? weight : 1;
	Status		status = metric_check_weight(w, why);

	if (status != STATUS_OK || w == 0)
		return status;
	status = checked_term(s, y, x, &term, why);
	if (status != STATUS_OK)
		return status;
	if (!isfinite(term * w) || !add_others(s, y, w))
		return out_of_range(y, x, why);
	exact_add(&s->sum[0], term * w);
	s->n_rows++;
	if (s->weighted)
		exact_add(&s->sum[n_sums(s->loss)], w);
	return STATUS_OK;
}

Status
metric_loss_add_term(MetricLossState *s, double term, double weight, Failure *why)
{
	double		w = s->weighted ? weight : 1;
	Status		status = metric_check_weight(w, why);

	if (status != STATUS_OK || w == 0)
		return status;
	if (!isfinite(term * w))
		return fail(why, STATUS_OUT_OF_RANGE, "loss %g is out of range", term);
	exact_add(&s->sum[0], term * w);
	s->n_rows++;
	if (s->weighted)
		exact_add(&s->sum[1], w);
	return STATUS_OK;
}

static bool
same_kind(const MetricLossState *a, const MetricLossState *b)
{
	return a->loss == b->loss && a->weighted == b->weighted && a->alpha == b->alpha;
}

Status
metric_loss_merge(MetricLossState *s, const MetricLossState *other, Failure *why)
{
	int			n = n_sums(s->loss) + n_weight_sums(s->loss, s->weighted);

	if (!same_kind(s, other))
		return fail(why, STATUS_INVALID_PARAMETER, "alpha is not the same in all rows");
	s->n_rows += other->n_rows;
	s->n_positive += other->n_positive;
	for (int i = 0; i < n; i++)
		exact_merge(&s->sum[i], &other->sum[i]);
	return STATUS_OK;
}

/* ----------------------------------------------------------------- values -- */

/* The weight of all rows; of rows without weights their number. */
static double
weight_of_all(const MetricLossState *s)
{
	return s->weighted ? exact_value(&s->sum[n_sums(s->loss)]) : (double) s->n_rows;
}

/* A quotient, NAN unless the divisor is above 0 and the result finite. */
static double
share_of(double part, double all)
{
	double		share = all > 0 ? part / all : NAN;

	return isfinite(share) ? share : NAN;
}

double
metric_loss_mean(const MetricLossState *s)
{
	double		loss = exact_value(&s->sum[0]);

	return share_of(loss, s->loss == LOSS_WAPE ? exact_value(&s->sum[1]) : weight_of_all(s));
}

double
metric_loss_r2(const MetricLossState *s)
{
	ExactSum	weight = {.n_pending = 0};

	if (s->weighted)
		weight = s->sum[3];
	else
		exact_add(&weight, (double) s->n_rows);
	/* of a constant target it is 0, and R² undefined */
	return 1 - share_of(exact_value(&s->sum[0]), exact_spread(&weight, &s->sum[1], &s->sum[2]));
}

double
metric_loss_brier_skill(const MetricLossState *s)
{
	double		all = weight_of_all(s);
	double		positive = s->weighted ? exact_value(&s->sum[2]) : (double) s->n_positive;
	double		prior = share_of(positive, all);

	return 1 - share_of(metric_loss_mean(s), prior * (1 - prior));
}

/* ------------------------------------------------------------------ bytes -- */

void
metric_loss_write(const MetricLossState *s, ByteWriter *w)
{
	int			n = n_sums(s->loss) + n_weight_sums(s->loss, s->weighted);

	bytes_put_u8(w, (uint8_t) s->loss);
	bytes_put_u8(w, s->weighted);
	bytes_put_f64(w, s->alpha);
	bytes_put_u64(w, s->n_rows);
	bytes_put_u64(w, s->n_positive);
	for (int i = 0; i < n; i++)
		exact_write(w, &s->sum[i]);
}

size_t
metric_loss_stored_bytes(const ByteReader *reader)
{
	ByteReader	r = *reader;
	uint8_t		loss = bytes_get_u8(&r);
	uint8_t		weighted = bytes_get_u8(&r);

	if (r.failed || loss >= LOSS_COUNT || weighted > 1)
		return 0;
	return metric_loss_bytes((MetricLoss) loss, weighted != 0);
}

Status
metric_loss_read(MetricLossState *s, ByteReader *r, Failure *why)
{
	bool		there = metric_loss_stored_bytes(r) > 0;

	if (there)
	{
		MetricLoss	loss = (MetricLoss) bytes_get_u8(r);
		bool		weighted = bytes_get_u8(r) != 0;
		int			n = n_sums(loss) + n_weight_sums(loss, weighted);

		metric_loss_begin(s, loss, weighted, bytes_get_f64(r));
		s->n_rows = bytes_get_u64(r);
		s->n_positive = bytes_get_u64(r);
		for (int i = 0; i < n; i++)
			exact_read(r, &s->sum[i]);
	}
	if (!there || r->failed)
		return fail(why, STATUS_CORRUPT, "state of an aggregate is damaged");
	return STATUS_OK;
}
