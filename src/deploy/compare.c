/*
 * compare.c
 *	  Tests by which the arms of a deployment are compared.
 */
#include <math.h>

#include "core/distribution.h"
#include "core/real.h"
#include "deploy/deploy.h"

/* Tables this much more likely than the given one count as equally likely: rounding. */
#define AS_LIKELY (1 + 1e-7)

DeployInterval
deploy_wilson(DeployCount count, double z)
{
	DeployInterval interval;

	dist_wilson(count.hits, count.n, z, &interval.low, &interval.high);
	return interval;
}

/*
 * The hits of b, k, when all hits are shared out by chance: each probability
 * by its ratio to the one before, from the likeliest on both ways, until they
 * vanish.  `given` is what the table at hand has, 0 at the first walk.
 */
typedef struct Tables
{
	double		n_a;
	double		n_b;
	double		hits;			/* of both */
	double		observed;		/* hits of b */
	double		given;			/* weight of the table at hand */
	double		all;
	double		greater;
	double		as_unlikely;
} Tables;

static void
add_table(Tables *tables, double k, double weight)
{
	tables->all += weight;
	if (k >= tables->observed)
		tables->greater += weight;
	if (k == tables->observed)
		tables->given = weight;
}

/* P(k + 1) / P(k) */
static double
next_ratio(const Tables *tables, double k)
{
	return (tables->hits - k) / (k + 1) * ((tables->n_b - k) /
										   (tables->n_a - tables->hits + k + 1));
}

static void
walk_tables(Tables *tables, bool second)
{
	double		least = fmax(0, tables->hits - tables->n_a);
	double		most = fmin(tables->hits, tables->n_b);
	double		mode = floor((tables->hits + 1) * ((tables->n_b + 1) /
												   (tables->n_a + tables->n_b + 2)));
	double		weight;
	double		k;

	mode = fmin(fmax(mode, least), most);
	for (k = mode, weight = 1; k <= most && weight > 0; weight *= next_ratio(tables, k), k++)
	{
		if (!second)
			add_table(tables, k, weight);
		else if (weight <= tables->given * AS_LIKELY)
			tables->as_unlikely += weight;
	}
	for (k = mode, weight = 1; k > least && weight > 0; k--)
	{
		weight /= next_ratio(tables, k - 1);
		if (!second)
			add_table(tables, k - 1, weight);
		else if (weight <= tables->given * AS_LIKELY)
			tables->as_unlikely += weight;
	}
}

DeployFisher
deploy_fisher(DeployCount a, DeployCount b)
{
	DeployFisher fisher = {1, 1};
	Tables		tables = {.n_a = a.n, .n_b = b.n, .hits = a.hits + b.hits, .observed = b.hits};

	if (!(a.n > 0) || !(b.n > 0))
		return fisher;
	walk_tables(&tables, false);
	walk_tables(&tables, true);
	fisher.greater = fmin(1, tables.greater / tables.all);
	fisher.two_sided = fmin(1, tables.as_unlikely / tables.all);
	return fisher;
}

double
deploy_two_proportions(DeployCount a, DeployCount b)
{
	double		pooled = (a.hits + b.hits) / (a.n + b.n);

	if (!(a.n > 0) || !(b.n > 0))
		return NAN;
	if (pooled <= 0 || pooled >= 1)
		return 0;
	return (b.hits / b.n - a.hits / a.n) / sqrt(pooled * (1 - pooled) * (1 / a.n + 1 / b.n));
}

double
deploy_sample_ratio(double n_a, double n_b, double w)
{
	double		expected_b = (n_a + n_b) * w;
	double		expected_a = (n_a + n_b) * (1 - w);
	double		off = n_b - expected_b;

	if (!(expected_a > 0) || !(expected_b > 0))
		return 1;
	return dist_chi_square_tail(off * off / expected_a + off * off / expected_b, 1);
}

DeploySequential
deploy_sequential(DeploySample a, DeploySample b, double tau_squared, double alpha)
{
	DeploySequential test = {NAN, NAN, NAN, 1, INFINITY};
	double		v;
	double		both;

	if (!(a.n > 0) || !(b.n > 0))
		return test;
	test.difference = b.mean - a.mean;
	test.variance = v = a.variance / a.n + b.variance / b.n;
	if (!(v > 0) || !(tau_squared > 0))
		return test;
	both = v + tau_squared;
	test.lambda = sqrt(v / both) *
		real_exp(tau_squared * test.difference * test.difference / (2 * v * both));
	test.p = fmin(1, 1 / test.lambda);
	test.margin = sqrt(v * both / tau_squared * (2 * real_log(1 / alpha) + real_log(both / v)));
	return test;
}

double
deploy_tau_squared(double planned_variance, double alpha)
{
	double		twice = -2 * real_log(alpha);

	return planned_variance * (twice + real_log(1 + twice));
}
