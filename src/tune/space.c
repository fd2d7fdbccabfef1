/*
 * space.c
 *	  Points of a search: grids, random points, and how long to go on.
 */
#include "tune/tune.h"

#include <math.h>

#include "core/real.h"
#include "core/rng.h"

/* Rounds of the permutation of a grid. */
#define ROUNDS 6

/* Values of a dimension, 0 if it is continuous. */
static uint64_t
n_values(const TuneDimension *d)
{
	if (d->kind == TUNE_LIST)
		return d->n_choices;
	if (d->step == 0)
		return 0;
	/* the step need not be a number that doubles have */
	return (uint64_t) floor((d->high - d->low) / d->step + 1e-9) + 1;
}

/* The i-th value. */
static double
value_at(const TuneDimension *d, uint64_t i)
{
	return d->kind == TUNE_LIST ? (double) i : fmin(d->low + (double) i * d->step, d->high);
}

uint64_t
tune_space_size(const TuneSpace *space)
{
	uint64_t	size = 1;

	for (uint32_t i = 0; i < space->n; i++)
	{
		uint64_t	n = n_values(&space->dimensions[i]);

		if (n == 0)
			return 0;
		if (size > (UINT64_C(1) << 62) / n)
			size = UINT64_MAX;
		if (size != UINT64_MAX)
			size *= n;
	}
	return size;
}

void
tune_grid_point(const TuneSpace *space, uint64_t place, double *values)
{
	for (uint32_t i = space->n; i-- > 0;)
	{
		uint64_t	n = n_values(&space->dimensions[i]);

		values[i] = value_at(&space->dimensions[i], place % n);
		place /= n;
	}
}

/*
 * A permutation of 0 .. size - 1: a Feistel network over the next even number
 * of bits, walked until it comes back into the range.
 */
static uint64_t
permute(uint64_t place, uint64_t size, uint64_t key)
{
	uint32_t	half = 1;
	uint64_t	mask;

	while (half < 31 && (UINT64_C(1) << 2 * half) < size)
		half++;
	mask = (UINT64_C(1) << half) - 1;
	do
	{
		uint64_t	left = place >> half;
		uint64_t	right = place & mask;

		for (uint64_t round = 0; round < ROUNDS; round++)
		{
			uint64_t	next = left ^ (rng_mix64(key + round * RNG_GOLDEN + right) & mask);

			left = right;
			right = next;
		}
		place = left << half | right;
	} while (place >= size);
	return place;
}

/* A value of a dimension from a uniform number in [0, 1). */
static double
random_value(const TuneDimension *d, double u)
{
	uint64_t	n = n_values(d);
	double		low = d->low;
	double		high = d->high;
	double		x;

	if (n > 0 && !d->log)
		return value_at(d, (uint64_t) (u * (double) n));
	if (!d->log)
		return low + u * (high - low);
	/* whole numbers have half a step on both sides */
	if (d->kind == TUNE_INTEGER)
	{
		low -= 0.5;
		high += 0.5;
	}
	x = real_exp(real_log(low) + u * (real_log(high) - real_log(low)));
	if (d->kind == TUNE_INTEGER)
		x = d->low + floor((x - d->low) / d->step + 0.5) * d->step;
	return fmin(fmax(x, d->low), d->high);
}

void
tune_random_point(const TuneSpace *space, uint64_t seed, uint32_t number, double *values)
{
	uint64_t	size = tune_space_size(space);
	bool		lists = size != 0 && size != UINT64_MAX;
	uint64_t	key = rng_purpose_key(seed, RNG_SEARCH, number);

	for (uint32_t i = 0; i < space->n; i++)
		lists &= space->dimensions[i].kind == TUNE_LIST;
	if (lists)
	{
		tune_grid_point(space, permute(number % size, size, rng_purpose_key(seed, RNG_SEARCH, 0)),
						values);
		return;
	}
	for (uint32_t i = 0; i < space->n; i++)
		values[i] = random_value(&space->dimensions[i], rng_unit(rng_row_draw(key, i + 1)));
}

/* ---------------------------------------------------------------- halving -- */

/* ⌊log_factor(n)⌋ of n ≥ 1. */
static uint32_t
floor_log(uint64_t n, uint32_t factor)
{
	uint32_t	log = 0;

	while (n >= factor)
	{
		n /= factor;
		log++;
	}
	return log;
}

static uint64_t
power(uint32_t factor, uint32_t exponent, uint64_t largest)
{
	uint64_t	result = 1;

	while (exponent-- > 0)
		result = result > largest / factor ? largest : result * factor;
	return result;
}

uint32_t
tune_halving(const TuneHalving *h, TuneRung rungs[TUNE_MAX_RUNGS])
{
	uint32_t	required = 1 + floor_log(h->n_candidates, h->factor);
	uint64_t	least = h->min_resources < h->max_resources ? h->min_resources : h->max_resources;
	uint32_t	possible;
	uint32_t	n;
	uint32_t	n_candidates = h->n_candidates;

	if (h->exhaust)
	{
		uint64_t	last = h->max_resources / power(h->factor, required - 1, UINT64_MAX);

		least = last > least ? last : least;
	}
	least = least > 0 ? least : 1;
	possible = 1 + floor_log(h->max_resources / least, h->factor);
	n = h->aggressive || required < possible ? required : possible;
	for (uint32_t i = 0; i < n; i++)
	{
		/* aggressive: the first rung again, until what is left can be raised */
		uint32_t	exponent = !h->aggressive || required <= possible ? i
			: i > required - possible ? i - (required - possible) : 0;
		uint64_t	resources = power(h->factor, exponent, h->max_resources);

		rungs[i].resources = resources > h->max_resources / least ? h->max_resources
			: resources * least;
		rungs[i].n_candidates = n_candidates;
		n_candidates = (n_candidates + h->factor - 1) / h->factor;
	}
	return n;
}

/* ----------------------------------------------------------------- trees -- */

bool
tune_trees_enough(const double *objectives, uint32_t n, bool higher_is_better, bool relative,
				  double least)
{
	enum {LAST = 3};
	double		sign = higher_is_better ? 1 : -1;
	double		before = -INFINITY;
	double		since = -INFINITY;

	if (n <= LAST)
		return false;
	for (uint32_t i = 0; i < n; i++)
	{
		double	   *best = i + LAST < n ? &before : &since;

		*best = fmax(*best, sign * objectives[i]);
	}
	return since - before < least * (relative ? fabs(before) : 1);
}
