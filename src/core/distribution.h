/*
 * distribution.h
 *	  Distribution functions of statistics, made of + − × ÷ and square roots,
 *	  so that every machine decides alike; tested against SciPy.
 *
 * Functions are total: arguments outside the domain give NAN.
 */
#ifndef CHURNOPS_CORE_DISTRIBUTION_H
#define CHURNOPS_CORE_DISTRIBUTION_H

/* P(X > x) of the chi-square distribution; degrees > 0. */
extern double dist_chi_square_tail(double x, double degrees);

/* P(|Z| > |z|) of the standard normal distribution. */
extern double dist_normal_tails(double z);

/* The z below which a share p of the standard normal distribution lies; ±inf at 0 and 1. */
extern double dist_normal_quantile(double p);

/* The regularised incomplete beta function I_x(a, b): P(X ≤ x) of Beta(a, b); a, b > 0. */
extern double dist_beta(double x, double a, double b);

/* P(|T| > |t|) of Student's distribution; degrees > 0. */
extern double dist_student_tails(double t, double degrees);

/* P(X ≤ k) of the binomial distribution of n trials of chance p. */
extern double dist_binomial(double k, double n, double p);

/* P(K > x) of Kolmogorov's distribution, the limit of √n D. */
extern double dist_kolmogorov_tail(double x);

/* Wilson's interval of a share; z is the normal quantile, 1.96 for 95 %. NAN for n = 0. */
extern void dist_wilson(double hits, double n, double z, double *low, double *high);

#endif
