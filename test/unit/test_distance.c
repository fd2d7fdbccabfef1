/*
 * test_distance.c
 *	  Distances of counts: vectors of algorithms T3, and SciPy's values
 *	  (oracle_drift.py), of chi-square in T3, too: a digit of the vector is wrong.
 */
#include "tap.h"

#include "drift/drift.h"

static const int64_t t3_reference[] = {100, 100, 100, 100, 100, 100, 100, 100, 100, 100};
static const int64_t t3_current[] = {60, 80, 90, 100, 110, 120, 130, 110, 100, 100};
static const int64_t filled[] = {500, 300, 200, 0};
static const int64_t current[] = {400, 350, 200, 50};
static const int64_t uneven_reference[] = {120, 80, 300, 41, 9, 50};
static const int64_t uneven_current[] = {60, 61, 200, 30, 0, 49};
static const int64_t nothing[] = {0, 0, 0, 0};

static void
test_vectors(void)
{
	DriftDistance d = drift_distance(t3_reference, t3_current, 10);

	tap_is_real(d.n_reference, 1000, 0, "T3: reference rows");
	tap_is_real(d.n_current, 1000, 0, "T3: current rows");
	tap_is_real(d.psi, .0393730638, 5e-11, "T3: PSI");
	tap_is_real(d.psi_p, .0199486029, 5e-11, "T3: its p");
	tap_is_real(d.kl, .0204023510, 5e-11, "T3: KL");
	tap_is_real(d.jensen_shannon, .0839881979, 5e-11, "T3: Jensen-Shannon, base 2");
	tap_is_real(d.hellinger, .0700389929, 5e-11, "T3: Hellinger");
	tap_is_real(d.total_variation, .07, 1e-15, "T3: total variation");
	tap_is_real(d.l_infinity, .04, 1e-15, "T3: L infinity");
	tap_is_real(d.chi_square, 19.432144260519546, 1e-13, "T3: chi-square");
	tap_is_real(d.chi_square_degrees, 9, 0, "T3: degrees of freedom");
	tap_is_real(d.chi_square_p, .0217591507, 5e-11, "T3: its p");
	tap_is_real(drift_distance(filled, current, 4).psi, .3401308332, 5e-11,
				"T3: PSI with an empty bin");
}

static void
test_scipy(void)
{
	DriftDistance d = drift_distance(uneven_reference, uneven_current, 6);
	double		p;

	tap_is_real(d.jensen_shannon, 0.11560851028884259, 1e-15, "Jensen-Shannon as SciPy's");
	tap_is_real(d.hellinger, 0.10758493967014991, 1e-15, "Hellinger");
	tap_is_real(d.kl, 0.0763212532453896, 1e-15, "KL with an empty bin");
	tap_is_real(d.chi_square, 7.885817393796115, 1e-13, "chi-square, small bins pooled");
	tap_is_real(d.chi_square_degrees, 4, 0, "degrees of freedom, small bins pooled");
	tap_is_real(d.chi_square_p, 0.09585154085430078, 1e-13, "its p");
	tap_is_real(drift_goodness_of_fit(t3_reference, t3_current, 10, &p), 36, 1e-12,
				"goodness of fit");
	tap_is_real(p, 3.9646587980428424e-05, 1e-16, "its p");
	tap_is_real(drift_proportions(30, 1000, 60, 1200, &p), 2.358139411695607, 1e-13,
				"two proportions");
	tap_is_real(p, 0.018366793839213923, 1e-14, "their p");
}

static void
test_edges(void)
{
	DriftDistance d = drift_distance(filled, filled, 4);
	double		p;

	tap_ok(d.psi == 0 && d.psi_p == 1 && d.jensen_shannon == 0 && d.chi_square == 0 &&
		   d.chi_square_p == 1, "no difference");
	d = drift_distance(nothing, current, 4);
	tap_ok(isnan(d.psi) && isnan(d.psi_p) && isnan(d.chi_square_p) && d.n_current == 1000,
		   "without a reference there is no distance");
	d = drift_distance(current, nothing, 4);
	tap_ok(isnan(d.psi) && isnan(d.l_infinity), "without current rows neither");
	d = drift_distance(current, filled, 1);
	tap_ok(d.psi == 0 && d.psi_p == 1 && d.chi_square_p == 1 && d.l_infinity == 0,
		   "one bin cannot move");
	d = drift_distance((int64_t[]) {1, 1}, (int64_t[]) {1, 0}, 2);
	tap_ok(d.chi_square_degrees == 0 && d.chi_square_p == 1,
		   "everything pooled: chi-square has nothing to say");
	tap_ok(isinf(drift_goodness_of_fit(filled, current, 4, &p)) && p == 0,
		   "goodness of fit of what the reference lacks");
	tap_is_real(drift_goodness_of_fit(nothing, current, 4, &p), NAN, 0,
				"goodness of fit to nothing");
	tap_is_real(drift_proportions(0, 10, 0, 20, &p), 0, 0, "no hits: z");
	tap_is_real(p, 1, 0, "no hits: p");
	tap_is_real(drift_proportions(0, 0, 0, 20, &p), NAN, 0, "a share of nothing");
	tap_is_real(p, NAN, 0, "a share of nothing: p");
}

/* Each distance is the same when bins change places, and grows with the shift. */
static void
test_order(void)
{
	const int64_t a[] = {10, 400, 3000, 200, 5};
	const int64_t b[] = {20, 390, 2900, 250, 1};
	const int64_t a_turned[] = {5, 200, 3000, 400, 10};
	const int64_t b_turned[] = {1, 250, 2900, 390, 20};
	const int64_t further[] = {40, 370, 2700, 350, 1};
	DriftDistance one = drift_distance(a, b, 5);
	DriftDistance turned = drift_distance(a_turned, b_turned, 5);
	DriftDistance more = drift_distance(a, further, 5);

	tap_is_real(one.psi, turned.psi, 1e-16, "PSI does not depend on the order of bins");
	tap_is_real(one.chi_square, turned.chi_square, 1e-13, "nor does chi-square");
	tap_ok(more.psi > one.psi && more.jensen_shannon > one.jensen_shannon &&
		   more.hellinger > one.hellinger && more.chi_square > one.chi_square &&
		   more.psi_p < one.psi_p, "a larger shift is further away");
}

int
main(void)
{
	test_vectors();
	test_scipy();
	test_edges();
	test_order();
	return tap_done();
}
