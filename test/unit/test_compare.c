/*
 * test_compare.c
 *	  Tests of arms: vectors of algorithms T2 and T7, SciPy 1.17, and what
 *	  an always-valid test promises.
 */
#include "tap.h"

#include "core/distribution.h"
#include "core/rng.h"
#include "deploy/deploy.h"

#define Z95 1.959963984540054

static void
test_wilson(void)
{
	DeployInterval interval = deploy_wilson((DeployCount) {45, 50}, Z95);

	tap_is_real(interval.low, 0.7863976856252034, 1e-14, "T2: Wilson 45/50, low");
	tap_is_real(interval.high, 0.9565242350681095, 1e-14, "T2: Wilson 45/50, high");
	interval = deploy_wilson((DeployCount) {0, 20}, Z95);
	tap_is_real(interval.low, 0, 0, "Wilson 0/20, low");
	tap_is_real(interval.high, 0.16112515805281935, 1e-14, "Wilson 0/20, high");
	interval = deploy_wilson((DeployCount) {20, 20}, Z95);
	tap_is_real(interval.low, 0.8388748419471808, 1e-14, "Wilson 20/20, low");
	tap_is_real(interval.high, 1, 0, "Wilson 20/20, high");
	interval = deploy_wilson((DeployCount) {3, 1000}, Z95);
	tap_is_real(interval.low, 0.0010207838811386186, 1e-15, "Wilson 3/1000, low");
	tap_is_real(interval.high, 0.008783014053503173, 1e-15, "Wilson 3/1000, high");
	tap_is_real(deploy_wilson((DeployCount) {0, 0}, Z95).low, NAN, 0, "Wilson of nothing");
}

static void
is_fisher(DeployCount a, DeployCount b, double greater, double two_sided, const char *name)
{
	DeployFisher fisher = deploy_fisher(a, b);

	tap_is_real(fisher.greater, greater, greater * 1e-10, "Fisher %s, greater", name);
	tap_is_real(fisher.two_sided, two_sided, two_sided * 1e-10, "Fisher %s, two-sided", name);
}

static void
test_fisher(void)
{
	is_fisher((DeployCount) {3, 100}, (DeployCount) {9, 80}, 0.02816133486744299,
			  0.035618277575091395, "3/100, 9/80");
	is_fisher((DeployCount) {0, 50}, (DeployCount) {5, 50}, 0.028142247214412164,
			  0.05628449442882433, "0/50, 5/50");
	is_fisher((DeployCount) {10, 1000}, (DeployCount) {2, 200}, 0.6199075491117215, 1,
			  "10/1000, 2/200");
	is_fisher((DeployCount) {500, 100000}, (DeployCount) {60, 8000}, 0.0027857777292265217,
			  0.00446470773989152, "500/100000, 60/8000");
	is_fisher((DeployCount) {1, 2000}, (DeployCount) {0, 10}, 1, 1, "1/2000, 0/10");
	is_fisher((DeployCount) {20000, 1000000}, (DeployCount) {300, 10000}, 2.0969955495109065e-11,
			  3.032553587827856e-11, "20000/1000000, 300/10000");
	is_fisher((DeployCount) {0, 10}, (DeployCount) {10, 10}, 1 / 184756.0, 2 / 184756.0,
			  "0/10, 10/10");
	is_fisher((DeployCount) {0, 0}, (DeployCount) {1, 1}, 1, 1, "of an empty arm");
	is_fisher((DeployCount) {7, 7}, (DeployCount) {3, 3}, 1, 1, "of hits alone");
}

static void
test_shares(void)
{
	double		z = deploy_two_proportions((DeployCount) {200, 2000}, (DeployCount) {260, 2000});

	tap_is_real(z, 2.973724282623409, 1e-14, "two proportions: z");
	tap_is_real(dist_normal_tails(z), 0.002942093070459276, 1e-14, "two proportions: p");
	tap_is_real(deploy_two_proportions((DeployCount) {0, 9}, (DeployCount) {0, 5}), 0, 0,
				"two proportions of no hits");
	tap_is_real(deploy_two_proportions((DeployCount) {0, 0}, (DeployCount) {0, 5}), NAN, 0,
				"two proportions of an empty arm");
	tap_is_real(deploy_sample_ratio(900, 100, .1), 1, 1e-14, "sample ratio as planned");
	tap_is_real(deploy_sample_ratio(8800, 1200, .1), 2.6167849372106072e-11, 1e-22,
				"sample ratio 8800 to 1200");
	tap_is_real(deploy_sample_ratio(5000, 5120, .5), 0.23292257804168084, 1e-12,
				"sample ratio 5000 to 5120");
	tap_is_real(deploy_sample_ratio(0, 0, .5), 1, 0, "sample ratio of nothing");
	tap_is_real(deploy_sample_ratio(5, 5, 1), 1, 0, "sample ratio of one arm");
}

static void
test_sequential_vector(void)
{
	DeploySample a = {2000, .1, .09};
	DeploySample b = {2000, .13, .13 * .87};
	DeploySequential test = deploy_sequential(a, b, .02 * .02, .05);

	tap_is_real(test.variance, 1.0155e-4, 1e-18, "T7: V");
	tap_is_real(test.lambda, 15.4177584848, 5e-10, "T7: likelihood ratio");
	tap_is_real(test.p, 1 / 15.4177584848, 5e-11, "T7: p");
	tap_is_real(test.difference, .03, 1e-16, "T7: difference");
	tap_is_real(test.margin, .0310848224, 5e-11, "T7: margin");
	test = deploy_sequential((DeploySample) {0, 0, 0}, b, 4e-4, .05);
	tap_ok(test.p == 1 && isnan(test.difference), "no observations, no evidence");
	test = deploy_sequential((DeploySample) {9, 1, 0}, (DeploySample) {9, 2, 0}, 4e-4, .05);
	tap_ok(test.p == 1 && test.difference == 1, "no variance, no evidence");
	tap_ok(deploy_sequential(a, (DeploySample) {2000, 99, .1}, 4e-4, .05).p == 0,
		   "a huge difference has p 0");
	tap_is_real(deploy_tau_squared(2e-4, .05), 2e-4 * (5.991464547107982 + log(6.991464547107982)),
				1e-17, "the best mixture variance");
}

/* Equal arms, looked at after every pair: false alarms stay below alpha. */
static void
test_sequential_is_always_valid(void)
{
	int			n_alarms = 0;
	uint64_t	draw = 1;
	int			run;

	for (run = 0; run < 400; run++)
	{
		double		sum[2] = {0, 0};
		double		p = 1;
		int			n;

		for (n = 1; n <= 2000; n++)
		{
			int			arm;

			for (arm = 0; arm < 2; arm++)
				sum[arm] += rng_mix64(draw++ * RNG_GOLDEN) < UINT64_MAX / 5;
			if (n >= 100 && n % 10 == 0)
			{
				double		mean_a = sum[0] / n;
				double		mean_b = sum[1] / n;

				p = fmin(p, deploy_sequential(
						(DeploySample) {n, mean_a, mean_a * (1 - mean_a)},
						(DeploySample) {n, mean_b, mean_b * (1 - mean_b)}, 1e-3, .05).p);
			}
		}
		n_alarms += p < .05;
	}
	tap_ok(n_alarms <= 24, "equal arms are told apart in 6 %% of the runs at most");
}

int
main(void)
{
	test_wilson();
	test_fisher();
	test_shares();
	test_sequential_vector();
	test_sequential_is_always_valid();
	return tap_done();
}
