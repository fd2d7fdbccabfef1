/*
 * test_tails.c
 *	  Tails of distributions against SciPy 1.17.
 */
#include "tap.h"

#include "deploy/deploy.h"

static void
is_tail(double got, double expected, const char *name)
{
	tap_is_real(got, expected, expected * 2e-12, "%s", name);
}

int
main(void)
{
	is_tail(deploy_chi_square_tail(.5, 1), 0.47950012218695337, "chi-square .5, 1");
	is_tail(deploy_chi_square_tail(3.841458820694124, 1), 0.04999999999999989,
			"chi-square 3.84, 1");
	is_tail(deploy_chi_square_tail(19.43, 9), 0.021775048383472172, "chi-square 19.43, 9");
	is_tail(deploy_chi_square_tail(1000, 1000), 0.49405285382923964, "chi-square 1000, 1000");
	is_tail(deploy_chi_square_tail(300, 3), 9.948758346327588e-65, "chi-square 300, 3");
	is_tail(deploy_chi_square_tail(1e-3, 7), 0.9999999999997597, "chi-square .001, 7");
	is_tail(deploy_chi_square_tail(2.5, .7), 0.07177201387203298, "chi-square 2.5, .7");
	is_tail(deploy_chi_square_tail(1400, 1), 2.1010145162644003e-306, "chi-square 1400, 1");
	tap_is_real(deploy_chi_square_tail(0, 4), 1, 0, "chi-square of 0");
	tap_is_real(deploy_chi_square_tail(INFINITY, 4), 0, 0, "chi-square of infinity");
	tap_is_real(deploy_chi_square_tail(3, 0), NAN, 0, "no degrees of freedom");
	tap_is_real(deploy_chi_square_tail(NAN, 3), NAN, 0, "chi-square of NaN");
	is_tail(deploy_normal_tails(.1), 0.920344325445942, "normal .1");
	is_tail(deploy_normal_tails(1.96), 0.04999579029644087, "normal 1.96");
	is_tail(deploy_normal_tails(5), 5.733031437583866e-07, "normal 5");
	is_tail(deploy_normal_tails(-8), 1.244192114854348e-15, "normal -8");
	is_tail(deploy_normal_tails(30), 9.813427854295816e-198, "normal 30");
	return tap_done();
}
