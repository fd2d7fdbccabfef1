/*
 * deploy.h
 *	  What deciding about a deployment needs: which arm a key belongs to, and
 *	  the tests by which arms are compared.  The deploy library's only public
 *	  header.
 *
 * Formulas are those of algorithms E9 and H.  Functions are total: what is
 * undefined (a share of nothing) is NAN.  Every number is made of + − × ÷ and
 * square roots, so that all machines decide alike.
 */
#ifndef CHURNOPS_DEPLOY_DEPLOY_H
#define CHURNOPS_DEPLOY_DEPLOY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The hash of a key under a salt, mix64(FNV-1a(salt, 0, key)), and the number
 * in [0, 1) made of its upper 53 bits.  Never changed: arms must stay where
 * they are, and be found again from the log.
 */
extern uint64_t deploy_route_hash(const char *salt, size_t salt_bytes, const char *key,
								  size_t key_bytes);
extern double deploy_route_share(uint64_t hash);

/* Hits among a number of trials. */
typedef struct DeployCount
{
	double		hits;
	double		n;
} DeployCount;

/* An interval, or a range. */
typedef struct DeployInterval
{
	double		low;
	double		high;
} DeployInterval;

/* Wilson's interval of a share; z is the normal quantile, 1.96 for 95 %. */
extern DeployInterval deploy_wilson(DeployCount count, double z);

/*
 * Fisher's exact test of two shares: how likely at least so many hits of `b`
 * are, and how likely any table as unlikely as this one, if both are equal.
 */
typedef struct DeployFisher
{
	double		greater;
	double		two_sided;
} DeployFisher;

extern DeployFisher deploy_fisher(DeployCount a, DeployCount b);

/* The z of two shares, b − a, with the pooled variance; 0 when both are 0 or both are 1. */
extern double deploy_two_proportions(DeployCount a, DeployCount b);

/* p of a split of n into two when b should get the share w (chi-square, one degree). */
extern double deploy_sample_ratio(double n_a, double n_b, double w);

/* Observations of one arm. */
typedef struct DeploySample
{
	double		n;
	double		mean;
	double		variance;
} DeploySample;

/*
 * The mixture sequential probability ratio test of two means (Johari et al.),
 * which may be looked at after every observation.  The caller keeps the least
 * p of all looks.  difference ± margin is the confidence sequence of b − a.
 */
typedef struct DeploySequential
{
	double		difference;		/* mean of b − mean of a */
	double		variance;		/* of that difference */
	double		lambda;			/* likelihood ratio */
	double		p;				/* of this look: at most 1 */
	double		margin;
} DeploySequential;

extern DeploySequential deploy_sequential(DeploySample a, DeploySample b, double tau_squared,
										  double alpha);

/* The mixture variance whose confidence sequence is narrowest at a planned variance. */
extern double deploy_tau_squared(double planned_variance, double alpha);

#endif
