/*
 * calibrate.c
 *	  Maps from scores to probabilities: Platt's sigmoid and isotonic
 *	  regression (algorithms E8).
 */
#include <math.h>

#include "metric/internal.h"

#define NEWTON_STEPS 100
#define NEWTON_RIDGE 1e-12
#define NEWTON_SMALLEST_STEP 1e-10
#define NEWTON_GRADIENT 1e-13	/* of the weight of all rows */

/* Labels, scores and weights are usable? */
static Status
check_rows(const Host *host, const uint8_t *label, const double *score, const double *weight,
		   size_t n, Failure *why)
{
	for (size_t i = 0; i < n; i++)
	{
		double		w;
		Status		status = metric_poll(host, i, why);

		if (status == STATUS_OK)
			status = metric_weight(weight, i, &w, why);
		if (status == STATUS_OK)
			status = metric_check_label(label[i], 2, i, why);
		if (status != STATUS_OK)
			return status;
		if (!(fabs(score[i]) <= DBL_MAX))
			return fail(why, STATUS_INVALID_DATA, "score of row %zu is not a finite number",
						i + 1);
	}
	if (n > UINT32_MAX)
		return fail(why, STATUS_LIMIT, "%zu rows cannot be ranked", n);
	return STATUS_OK;
}

static Status
nothing_to_fit(Failure *why)
{
	return fail(why, STATUS_INVALID_DATA, "no row with a weight to calibrate on");
}

/* -------------------------------------------------------------- sigmoid -- */

typedef struct Sigmoid
{
	const Host *host;
	const uint8_t *label;
	const double *score;
	const double *weight;
	size_t		n;
	double		target[2];		/* by label */
	double		total;			/* weight */
} Sigmoid;

/* Cross-entropy, without overflow. */
static Status
sigmoid_loss(const Sigmoid *s, double a, double b, double *out, Failure *why)
{
	RealSum		sum = {0};

	for (size_t i = 0; i < s->n; i++)
	{
		double		z = a * s->score[i] + b;
		double		t = s->target[s->label[i]];
		double		w = s->weight != NULL ? s->weight[i] : 1;
		Status		status = metric_poll(s->host, i, why);

		if (status != STATUS_OK)
			return status;
		real_sum_add(&sum, w * (z >= 0 ? t * z + real_log(1 + real_exp(-z))
								: (t - 1) * z + real_log(1 + real_exp(z))));
	}
	*out = real_sum_value(&sum);
	return STATUS_OK;
}

/* First and second derivatives: by a, by b, by aa, ab and bb. */
static Status
sigmoid_derivatives(const Sigmoid *s, double a, double b, double out[5], Failure *why)
{
	RealSum		sums[5] = {{0}};

	for (size_t i = 0; i < s->n; i++)
	{
		double		x = s->score[i];
		double		z = a * x + b;
		double		e = real_exp(z >= 0 ? -z : z);
		double		p = (z >= 0 ? e : 1) / (1 + e);
		double		w = s->weight != NULL ? s->weight[i] : 1;
		double		first = w * (s->target[s->label[i]] - p);
		double		second = w * (e / ((1 + e) * (1 + e)));
		Status		status = metric_poll(s->host, i, why);

		if (status != STATUS_OK)
			return status;
		real_sum_add(&sums[0], first * x);
		real_sum_add(&sums[1], first);
		real_sum_add(&sums[2], second * x * x);
		real_sum_add(&sums[3], second * x);
		real_sum_add(&sums[4], second);
	}
	for (int k = 0; k < 5; k++)
		out[k] = real_sum_value(&sums[k]);
	return STATUS_OK;
}

/* Go along a Newton step as far as the loss falls; *moved is false if it does not. */
static Status
sigmoid_search(const Sigmoid *s, const double d[5], double *a, double *b, double *loss,
			   bool *moved, Failure *why)
{
	double		haa = d[2] + NEWTON_RIDGE;
	double		hbb = d[4] + NEWTON_RIDGE;
	double		determinant = haa * hbb - d[3] * d[3];
	double		step_a = -(hbb * d[0] - d[3] * d[1]) / determinant;
	double		step_b = -(haa * d[1] - d[3] * d[0]) / determinant;
	double		slope = d[0] * step_a + d[1] * step_b;

	*moved = false;
	for (double step = 1; step >= NEWTON_SMALLEST_STEP; step /= 2)
	{
		double		next;
		Status		status = sigmoid_loss(s, *a + step * step_a, *b + step * step_b, &next, why);

		if (status != STATUS_OK)
			return status;
		if (next < *loss + 1e-4 * step * slope)
		{
			*a += step * step_a;
			*b += step * step_b;
			*loss = next;
			*moved = true;
			return STATUS_OK;
		}
	}
	/* so near to the minimum the loss is all rounding: the last step is taken on trust */
	if (fabs(slope) <= 1e-12 * (1 + fabs(*loss)))
	{
		*a += step_a;
		*b += step_b;
	}
	return STATUS_OK;
}

Status
metric_fit_sigmoid(const Host *host, const uint8_t *label, const double *score,
				   const double *weight, size_t n, double *a, double *b, Failure *why)
{
	Sigmoid		s = {.host = host, .label = label, .score = score, .weight = weight, .n = n};
	RealSum		sums[2] = {{0}};
	double		of[2];
	double		loss;
	bool		moved = true;
	Status		status = check_rows(host, label, score, weight, n, why);

	if (status != STATUS_OK)
		return status;
	for (size_t i = 0; i < n; i++)
		real_sum_add(&sums[label[i]], weight != NULL ? weight[i] : 1);
	of[0] = real_sum_value(&sums[0]);
	of[1] = real_sum_value(&sums[1]);
	s.total = of[0] + of[1];
	if (!(s.total > 0))
		return nothing_to_fit(why);
	s.target[1] = (of[1] + 1) / (of[1] + 2);
	s.target[0] = 1 / (of[0] + 2);
	*a = 0;
	*b = real_log((of[0] + 1) / (of[1] + 1));
	status = sigmoid_loss(&s, *a, *b, &loss, why);
	for (int i = 0; i < NEWTON_STEPS && moved && status == STATUS_OK; i++)
	{
		double		d[5];

		status = sigmoid_derivatives(&s, *a, *b, d, why);
		if (status != STATUS_OK ||
			(fabs(d[0]) <= NEWTON_GRADIENT * s.total && fabs(d[1]) <= NEWTON_GRADIENT * s.total))
			break;
		status = sigmoid_search(&s, d, a, b, &loss, &moved, why);
	}
	if (status == STATUS_OK && !(fabs(*a) <= DBL_MAX && fabs(*b) <= DBL_MAX))
		return fail(why, STATUS_OUT_OF_RANGE, "no sigmoid fits the scores");
	return status;
}

/* ------------------------------------------------------------- isotonic -- */

/* Neighbours of one mean: scores from first to last. */
typedef struct Pool
{
	double		first;
	double		last;
	double		weight;
	double		hits;			/* weight of rows of class 1 */
} Pool;

static bool
falls(const Pool *before, const Pool *after)
{
	return before->hits * after->weight >= after->hits * before->weight;
}

/* Sorted rows into pools whose means rise; returns how many. */
static size_t
pool_rows(const SortItem *items, size_t n, const uint8_t *label, const double *score,
		  const double *weight, Pool *pools)
{
	size_t		n_pools = 0;

	for (size_t i = 0; i < n;)
	{
		Pool		pool = {.first = score[items[i].row] + 0.0, .last = score[items[i].row] + 0.0};
		uint64_t	key = items[i].key;

		for (; i < n && items[i].key == key; i++)
		{
			double		w = weight != NULL ? weight[items[i].row] : 1;

			pool.weight += w;
			if (label[items[i].row])
				pool.hits += w;
		}
		while (n_pools > 0 && falls(&pools[n_pools - 1], &pool))
		{
			const Pool *before = &pools[--n_pools];

			pool.first = before->first;
			pool.weight += before->weight;
			pool.hits += before->hits;
		}
		pools[n_pools++] = pool;
	}
	return n_pools;
}

/* The ends of the pools. */
static Status
put_points(const Host *host, const Pool *pools, size_t n_pools, MetricIsotonic *out, Failure *why)
{
	MetricIsotonic points = {.capacity = 2 * n_pools};
	double		y = 0;
	Status		status = memory_new_raw(host, points.capacity, sizeof(double), &points.x, why);

	if (status == STATUS_OK)
		status = memory_new_raw(host, points.capacity, sizeof(double), &points.y, why);
	if (status != STATUS_OK)
	{
		metric_isotonic_free(host, &points);
		return status;
	}
	for (size_t i = 0; i < n_pools; i++)
	{
		const Pool *pool = &pools[i];
		double		mean = pool->hits / pool->weight;

		y = mean > y ? mean : y;
		y = y < 1 ? y : 1;
		points.x[points.n] = pool->first;
		points.y[points.n++] = y;
		if (pool->last > pool->first)
		{
			points.x[points.n] = pool->last;
			points.y[points.n++] = y;
		}
	}
	*out = points;
	return STATUS_OK;
}

Status
metric_fit_isotonic(const Host *host, const uint8_t *label, const double *score,
					const double *weight, size_t n, MetricIsotonic *out, Failure *why)
{
	SortItem   *items = NULL;
	SortItem   *scratch = NULL;
	Pool	   *pools = NULL;
	size_t		m = 0;
	Status		status = check_rows(host, label, score, weight, n, why);

	if (status == STATUS_OK)
		status = memory_new_raw(host, n, sizeof(SortItem), &items, why);
	if (status == STATUS_OK)
		status = memory_new_raw(host, n, sizeof(SortItem), &scratch, why);
	if (status == STATUS_OK)
		status = memory_new_raw(host, n, sizeof(Pool), &pools, why);
	for (size_t i = 0; i < n && status == STATUS_OK; i++)
	{
		if (weight != NULL && weight[i] == 0)
			continue;
		items[m].key = sort_key_of_double(score[i]);
		items[m++].row = (uint32_t) i;
	}
	if (status == STATUS_OK && m == 0)
		status = nothing_to_fit(why);
	if (status == STATUS_OK)
		status = sort_items(host, items, scratch, m, why);
	if (status == STATUS_OK)
		status = put_points(host, pools, pool_rows(items, m, label, score, weight, pools), out,
							why);
	memory_free(host, items, n, sizeof(SortItem));
	memory_free(host, scratch, n, sizeof(SortItem));
	memory_free(host, pools, n, sizeof(Pool));
	return status;
}

void
metric_isotonic_free(const Host *host, MetricIsotonic *isotonic)
{
	memory_free(host, isotonic->x, isotonic->capacity, sizeof(double));
	memory_free(host, isotonic->y, isotonic->capacity, sizeof(double));
	*isotonic = (MetricIsotonic) {0};
}
