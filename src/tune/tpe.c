/*
 * tpe.c
 *	  The tree-structured Parzen estimator (Bergstra et al. 2011), in the form
 *	  and with the constants that Optuna has by default: each parameter for
 *	  itself, the best γ(n) = min(⌈0.1 n⌉, 25) trials against the others.
 *
 * A mixture has a kernel for each observation and one for the prior.  Numbers:
 * normal distributions, cut off at the bounds; whole numbers have the weight of
 * the unit around them.  Lists: a share for each choice.
 */
#include <math.h>
#include <string.h>

#include "core/distribution.h"
#include "core/memory.h"
#include "core/real.h"
#include "core/rng.h"
#include "core/sort.h"
#include "tune/tune.h"

#define MOST_BELOW 25
#define FULL_WEIGHTS 25
#define LARGEST_CLIP 100
/* What densities are told apart from 0 by. */
#define EPSILON 1e-12

/* The range that the kernels of a number live on. */
typedef struct Range
{
	bool		log;
	double		half;			/* half a step of a discrete number, else 0 */
	double		low;			/* on the scale of the kernels, half steps included */
	double		high;
} Range;

/* A mixture of n kernels, the last is the prior. */
typedef struct Mixture
{
	const TuneDimension *dimension;
	Range		range;
	size_t		n;
	double	   *weight;
	double	   *mean;			/* numbers */
	double	   *sigma;
	double	   *share;			/* lists: n × n_choices */
} Mixture;

/* --------------------------------------------------------------- kernels -- */

/* P(Z ≤ z). */
static double
normal(double z)
{
	double		tail = dist_normal_tails(z) / 2;

	return z < 0 ? tail : 1 - tail;
}

/* P(a < Z ≤ b), exact in both tails. */
static double
normal_between(double a, double b)
{
	if (a > 0)
		return (dist_normal_tails(a) - dist_normal_tails(b)) / 2;
	return normal(b) - normal(a);
}

static Range
range_of(const TuneDimension *d)
{
	Range		range = {.log = d->log, .half = d->step / 2};

	range.low = d->low - range.half;
	range.high = d->high + range.half;
	if (d->log)
	{
		range.low = real_log(range.low);
		range.high = real_log(range.high);
	}
	return range;
}

/* The weights of n observations, the newest 25 whole, the older the less. */
static void
fill_weights(double *weight, size_t n)
{
	double		total = 1;		/* of the prior */

	for (size_t i = 0; i < n; i++)
	{
		size_t		n_ramp = n - (n < FULL_WEIGHTS ? n : FULL_WEIGHTS);

		weight[i] = i >= n_ramp ? 1
			: n_ramp == 1 ? 1.0 / (double) n
			: 1.0 / (double) n + (1 - 1.0 / (double) n) * (double) i / (double) (n_ramp - 1);
		total += weight[i];
	}
	weight[n] = 1;
	for (size_t i = 0; i <= n; i++)
		weight[i] /= total;
}

/*
 * The widths: the larger gap to a neighbour, of the outermost ones the inner
 * gap, within bounds.  The prior is as wide as the range, and a neighbour.
 */
static Status
fill_sigmas(const Host *host, Mixture *m, Failure *why)
{
	size_t		n = m->n;
	double		width = m->range.high - m->range.low;
	double		least = width / (1 + n < LARGEST_CLIP ? 1 + (double) n : LARGEST_CLIP);
	SortItem   *order = NULL;
	SortItem   *scratch = NULL;
	Status		status;

	status = memory_new_raw(host, n, sizeof(SortItem), &order, why);
	if (status == STATUS_OK)
		status = memory_new_raw(host, n, sizeof(SortItem), &scratch, why);
	for (size_t i = 0; i < n && status == STATUS_OK; i++)
		order[i] = (SortItem) {.key = sort_key_of_double(m->mean[i]), .row = (uint32_t) i};
	if (status == STATUS_OK)
		status = sort_items(host, order, scratch, n, why);
	for (size_t i = 0; i < n && status == STATUS_OK; i++)
	{
		double		at = m->mean[order[i].row];
		double		left = at - (i > 0 ? m->mean[order[i - 1].row] : m->range.low);
		double		right = (i + 1 < n ? m->mean[order[i + 1].row] : m->range.high) - at;
		double		sigma = n >= 2 && i == 0 ? right : n >= 2 && i + 1 == n ? left
			: fmax(left, right);

		m->sigma[order[i].row] = fmin(fmax(sigma, least), width);
	}
	if (status == STATUS_OK)
		m->sigma[n - 1] = width;
	memory_free(host, order, n, sizeof(SortItem));
	memory_free(host, scratch, n, sizeof(SortItem));
	return status;
}

static void
mixture_free(const Host *host, Mixture *m)
{
	memory_free(host, m->weight, m->n, sizeof(double));
	memory_free(host, m->mean, m->n, sizeof(double));
	memory_free(host, m->sigma, m->n, sizeof(double));
	memory_free(host, m->share, m->n * m->dimension->n_choices, sizeof(double));
}

/* The mixture of n observations, every stride-th number from `observed` on. */
static Status
mixture_new(const Host *host, const TuneDimension *d, const double *observed, size_t n,
			Mixture *out, Failure *why)
{
	Mixture		m = {.dimension = d, .n = n + 1};
	Status		status = memory_new(host, m.n, sizeof(double), &m.weight, why);

	if (status == STATUS_OK)
		fill_weights(m.weight, n);
	if (status == STATUS_OK && d->kind == TUNE_LIST)
	{
		status = memory_new(host, m.n * d->n_choices, sizeof(double), &m.share, why);
		for (size_t i = 0; i < m.n && status == STATUS_OK; i++)
		{
			double		prior = 1.0 / (double) m.n;
			double		total = prior * d->n_choices + (i < n);

			for (uint32_t k = 0; k < d->n_choices; k++)
				m.share[i * d->n_choices + k] =
					(prior + (i < n && (uint32_t) observed[i] == k)) / total;
		}
	}
	else if (status == STATUS_OK)
	{
		m.range = range_of(d);
		status = memory_new(host, m.n, sizeof(double), &m.mean, why);
		if (status == STATUS_OK)
			status = memory_new(host, m.n, sizeof(double), &m.sigma, why);
		for (size_t i = 0; i < n && status == STATUS_OK; i++)
			m.mean[i] = d->log ? real_log(observed[i]) : observed[i];
		if (status == STATUS_OK)
		{
			m.mean[n] = (m.range.low + m.range.high) / 2;
			status = fill_sigmas(host, &m, why);
		}
	}
	if (status == STATUS_OK)
		*out = m;
	else
		mixture_free(host, &m);
	return status;
}

/* The logarithm of the density, or of the weight, of a value. */
static double
mixture_log(const Mixture *m, double x)
{
	const Range *range = &m->range;
	double		sum = 0;

	for (size_t i = 0; i < m->n; i++)
	{
		double		inside;
		double		part;

		if (m->share != NULL)
		{
			sum += m->weight[i] * m->share[i * m->dimension->n_choices + (uint32_t) x];
			continue;
		}
		inside = normal_between((range->low - m->mean[i]) / m->sigma[i],
								(range->high - m->mean[i]) / m->sigma[i]);
		if (range->half > 0)
		{
			double		a = x - range->half;
			double		b = x + range->half;

			if (range->log)
			{
				a = real_log(a);
				b = real_log(b);
			}
			part = normal_between((fmax(a, range->low) - m->mean[i]) / m->sigma[i],
								  (fmin(b, range->high) - m->mean[i]) / m->sigma[i]);
		}
		else
		{
			double		z = ((range->log ? real_log(x) : x) - m->mean[i]) / m->sigma[i];

			/* without 1 / √2π, which cancels out between two mixtures */
			part = real_exp(-z * z / 2) / m->sigma[i];
		}
		if (inside > 0)
			sum += m->weight[i] * part / inside;
	}
	return real_log(sum + EPSILON);
}

/* A value from two uniform numbers in [0, 1). */
static double
mixture_draw(const Mixture *m, double u, double v)
{
	const TuneDimension *d = m->dimension;
	size_t		i = 0;
	double		x;
	double		low;
	double		high;

	for (; i + 1 < m->n && u >= m->weight[i]; i++)
		u -= m->weight[i];
	if (m->share != NULL)
	{
		uint32_t	k = 0;

		for (; k + 1 < d->n_choices && v >= m->share[i * d->n_choices + k]; k++)
			v -= m->share[i * d->n_choices + k];
		return k;
	}
	low = normal((m->range.low - m->mean[i]) / m->sigma[i]);
	high = normal((m->range.high - m->mean[i]) / m->sigma[i]);
	x = m->mean[i] + m->sigma[i] * dist_normal_quantile(low + v * (high - low));
	x = fmin(fmax(x, m->range.low), m->range.high);
	if (m->range.log)
		x = real_exp(x);
	if (d->step > 0)
		x = d->low + floor((x - d->low) / d->step + 0.5) * d->step;
	return fmin(fmax(x, d->low), d->high);
}

/* ------------------------------------------------------------------- TPE -- */

/* The mixtures of the n_below first observations and of the others. */
static Status
mixtures_new(const Host *host, const TuneDimension *d, const double *observed, size_t n_below,
			 size_t n, Mixture *below, Mixture *above, Failure *why)
{
	Status		status = mixture_new(host, d, observed, n_below, below, why);

	if (status != STATUS_OK)
		return status;
	status = mixture_new(host, d, observed + n_below, n - n_below, above, why);
	if (status != STATUS_OK)
		mixture_free(host, below);
	return status;
}

Status
tune_tpe_score(const Host *host, const TuneDimension *d, const double *observed, size_t n_below,
			   size_t n, double x, double *out, Failure *why)
{
	Mixture		below;
	Mixture		above;
	Status		status = mixtures_new(host, d, observed, n_below, n, &below, &above, why);

	if (status != STATUS_OK)
		return status;
	*out = mixture_log(&below, x) - mixture_log(&above, x);
	mixture_free(host, &below);
	mixture_free(host, &above);
	return STATUS_OK;
}

/* The best of some values drawn from l. */
static Status
suggest(const Host *host, const TuneDimension *d, const TuneTpe *tpe, uint64_t key,
		const double *observed, size_t n_below, size_t n, double *out, Failure *why)
{
	Mixture		below;
	Mixture		above;
	double		best = -INFINITY;
	Status		status = mixtures_new(host, d, observed, n_below, n, &below, &above, why);

	if (status != STATUS_OK)
		return status;
	for (uint32_t c = 0; c < tpe->n_candidates; c++)
	{
		double		x = mixture_draw(&below, rng_unit(rng_row_draw(key, 2 * c + 1)),
									 rng_unit(rng_row_draw(key, 2 * c + 2)));
		double		score = mixture_log(&below, x) - mixture_log(&above, x);

		if (c > 0 && !(score > best))
			continue;
		best = score;
		*out = x;
	}
	mixture_free(host, &below);
	mixture_free(host, &above);
	return host_poll(host, why);
}

/* Mark the best trials, ties to the earlier: their number. */
static Status
mark_best(const Host *host, const TuneHistory *history, uint8_t *is_best, size_t *n_best,
		  Failure *why)
{
	size_t		n = history->n;
	SortItem   *order = NULL;
	SortItem   *scratch = NULL;
	Status		status;

	*n_best = (n + 9) / 10 < MOST_BELOW ? (n + 9) / 10 : MOST_BELOW;
	status = memory_new_raw(host, n, sizeof(SortItem), &order, why);
	if (status == STATUS_OK)
		status = memory_new_raw(host, n, sizeof(SortItem), &scratch, why);
	for (size_t i = 0; i < n && status == STATUS_OK; i++)
		order[i] = (SortItem) {.key = sort_key_of_double(history->losses[i]), .row = (uint32_t) i};
	if (status == STATUS_OK)
		status = sort_items(host, order, scratch, n, why);
	for (size_t i = 0; i < *n_best && status == STATUS_OK; i++)
		is_best[order[i].row] = 1;
	memory_free(host, order, n, sizeof(SortItem));
	memory_free(host, scratch, n, sizeof(SortItem));
	return status;
}

Status
tune_tpe_point(const Host *host, const TuneSpace *space, const TuneTpe *tpe, uint64_t seed,
			   uint32_t number, const TuneHistory *history, double *values, Failure *why)
{
	size_t		n = history->n;
	uint64_t	key = rng_purpose_key(seed, RNG_SEARCH, number);
	uint8_t    *is_best = NULL;
	double	   *observed = NULL;
	size_t		n_best = 0;
	Status		status;

	if (n < tpe->n_startup || n == 0)
	{
		tune_random_point(space, seed, number, values);
		return STATUS_OK;
	}
	status = memory_new(host, n, 1, &is_best, why);
	if (status == STATUS_OK)
		status = memory_new_raw(host, n, sizeof(double), &observed, why);
	if (status == STATUS_OK)
		status = mark_best(host, history, is_best, &n_best, why);
	for (uint32_t i = 0; i < space->n && status == STATUS_OK; i++)
	{
		size_t		n_below = 0;
		size_t		n_above = n_best;

		for (size_t trial = 0; trial < n; trial++)
			observed[is_best[trial] ? n_below++ : n_above++] =
				history->values[trial * space->n + i];
		status = suggest(host, &space->dimensions[i], tpe, rng_row_draw(key, UINT64_MAX - i),
						 observed, n_best, n, &values[i], why);
	}
	memory_free(host, is_best, n, 1);
	memory_free(host, observed, n, sizeof(double));
	return status;
}
