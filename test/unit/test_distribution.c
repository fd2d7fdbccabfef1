/*
 * test_distribution.c
 *	  Distribution functions against SciPy.
 */
#include "tap.h"

#include "core/distribution.h"

static void
is_tail(double got, double expected, const char *name)
{
	tap_is_real(got, expected, expected * 2e-12, "%s", name);
}

int
main(void)
{
	is_tail(dist_chi_square_tail(.5, 1), 0.47950012218695337, "chi-square .5, 1");
	is_tail(dist_chi_square_tail(3.841458820694124, 1), 0.04999999999999989,
			"chi-square 3.84, 1");
	is_tail(dist_chi_square_tail(19.43, 9), 0.021775048383472172, "chi-square 19.43, 9");
	is_tail(dist_chi_square_tail(1000, 1000), 0.49405285382923964, "chi-square 1000, 1000");
	is_tail(dist_chi_square_tail(300, 3), 9.948758346327588e-65, "chi-square 300, 3");
	is_tail(dist_chi_square_tail(1e-3, 7), 0.9999999999997597, "chi-square .001, 7");
	is_tail(dist_chi_square_tail(2.5, .7), 0.07177201387203298, "chi-square 2.5, .7");
	is_tail(dist_chi_square_tail(1400, 1), 2.1010145162644003e-306, "chi-square 1400, 1");
	tap_is_real(dist_chi_square_tail(0, 4), 1, 0, "chi-square of 0");
	tap_is_real(dist_chi_square_tail(INFINITY, 4), 0, 0, "chi-square of infinity");
	tap_is_real(dist_chi_square_tail(3, 0), NAN, 0, "no degrees of freedom");
	tap_is_real(dist_chi_square_tail(NAN, 3), NAN, 0, "chi-square of NaN");
	is_tail(dist_normal_tails(.1), 0.920344325445942, "normal .1");
	is_tail(dist_normal_tails(1.96), 0.04999579029644087, "normal 1.96");
	is_tail(dist_normal_tails(5), 5.733031437583866e-07, "normal 5");
	is_tail(dist_normal_tails(-8), 1.244192114854348e-15, "normal -8");
	is_tail(dist_normal_tails(30), 9.813427854295816e-198, "normal 30");

	is_tail(dist_normal_quantile(.975), 1.959963984540054, "quantile .975");
	tap_is_real(dist_normal_quantile(.3), -0.5244005127080409, 1e-15, "quantile .3");
	tap_is_real(dist_normal_quantile(1e-10), -6.361340902404056, 1e-14, "quantile 1e-10");
	tap_is_real(dist_normal_quantile(1e-300), -37.0470962993612, 1e-12, "quantile 1e-300");
	is_tail(dist_normal_quantile(.999), 3.090232306167813, "quantile .999");
	tap_is_real(dist_normal_quantile(.5), 0, 0, "quantile of a half");
	tap_is_real(dist_normal_quantile(0), -INFINITY, 0, "quantile 0");
	tap_is_real(dist_normal_quantile(1), INFINITY, 0, "quantile 1");
	tap_is_real(dist_normal_quantile(1.5), NAN, 0, "quantile of no share");

	is_tail(dist_beta(.3, .5, .5), 0.3690101195655454, "beta .3, .5, .5");
	is_tail(dist_beta(.4, 7, 15), 0.7997540077480917, "beta .4, 7, 15");
	is_tail(dist_beta(.01, 6, 14), 2.4262383546679457e-08, "beta .01, 6, 14");
	is_tail(dist_beta(.41, 200, 300), 0.6776281647721865, "beta .41, 200, 300");
	is_tail(dist_beta(.999, 2, 3), 0.999999996003, "beta .999, 2, 3");
	tap_is_real(dist_beta(.333, 1e5, 2e5), 0.34940317171724455, 1e-9, "beta .333, 1e5, 2e5");
	tap_is_real(dist_beta(-1, 2, 3), 0, 0, "beta below 0");
	tap_is_real(dist_beta(2, 2, 3), 1, 0, "beta above 1");
	tap_is_real(dist_beta(.5, 0, 3), NAN, 0, "beta without a parameter");

	is_tail(dist_student_tails(2.5, 7), 0.040992218585752874, "Student 2.5, 7");
	is_tail(dist_student_tails(-.1, 3), 0.9266523488008058, "Student -.1, 3");
	is_tail(dist_student_tails(40, 12), 3.851229580772037e-14, "Student 40, 12");
	tap_is_real(dist_student_tails(INFINITY, 12), 0, 0, "Student infinity");
	tap_is_real(dist_student_tails(0, 12), 1, 0, "Student 0");

	is_tail(dist_binomial(3, 14, .5), 0.0286865234375, "binomial 3 of 14");
	is_tail(dist_binomial(100, 1000, .12), 0.026640533161894644, "binomial 100 of 1000");
	is_tail(dist_binomial(0, 10, .3), 0.028247524900000005, "binomial 0 of 10");
	tap_is_real(dist_binomial(10, 10, .3), 1, 0, "binomial all");
	tap_is_real(dist_binomial(-1, 10, .3), 0, 0, "binomial below 0");

	is_tail(dist_kolmogorov_tail(.2), 0.999999999999495, "Kolmogorov .2");
	is_tail(dist_kolmogorov_tail(.5), 0.9639452436648751, "Kolmogorov .5");
	is_tail(dist_kolmogorov_tail(.9999), 0.2701068819688554, "Kolmogorov .9999");
	is_tail(dist_kolmogorov_tail(1), 0.26999967167735456, "Kolmogorov 1");
	is_tail(dist_kolmogorov_tail(1.36), 0.049485876755377876, "Kolmogorov 1.36");
	is_tail(dist_kolmogorov_tail(3), 3.045995948942526e-08, "Kolmogorov 3");
	tap_is_real(dist_kolmogorov_tail(0), 1, 0, "Kolmogorov 0");
	return tap_done();
}
