/*
 * test_split_random.c
 *	  Random splits: how often each cut and each set of categories is drawn.
 */
#include <stdlib.h>

#include "tap.h"
#include "train_split.h"

#define N_DRAWS 6000

/* Chi-square of counts against shares. */
static double
chi_square(const int *counts, const double *shares, int n)
{
	double		total = 0;
	double		chi = 0;

	for (int i = 0; i < n; i++)
		total += counts[i];
	for (int i = 0; i < n; i++)
		chi += (counts[i] - total * shares[i]) * (counts[i] - total * shares[i]) /
			(total * shares[i]);
	return chi;
}

/* One random split of a node with another key each time. */
static Split
random_split(SplitCase *c, int i)
{
	Split		best = {0};

	c->training.settings.random_splitter = true;
	c->training.settings.seed = 42;
	c->node.key = rng_root_key((uint32_t) i);
	(void) split_feature(&c->node, 0, c->bins, c->n_bins, &c->missing, &best);
	return best;
}

/* Uniform between the least and largest value: a gap is cut as often as it is wide. */
static void
test_random_numbers(void)
{
	static const double even[] = {1 / 7.0, 1 / 7.0, 1 / 7.0, 1 / 7.0, 1 / 7.0, 1 / 7.0, 1 / 7.0};
	static const double uneven[] = {0.1, 0.9};
	SplitCase		c;
	int			counts[10] = {0};
	int			n_left = 0;

	case_begin(&c, FOREST_SQUARED_ERROR, 0, FOREST_NUMERIC, 30);
	for (uint32_t bin = 0; bin < 8; bin++)
		case_bin(&c, bin + 5, 1, bin);
	case_end(&c);
	for (int i = 0; i < N_DRAWS; i++)
		counts[random_split(&c, i).cut - 5]++;
	tap_ok(chi_square(counts, even, 7) < 24, "random cuts of even values are even");

	case_begin(&c, FOREST_SQUARED_ERROR, 0, FOREST_NUMERIC, 3);
	case_bin(&c, 0, 1, 1);
	case_bin(&c, 1, 1, 2);
	case_bin(&c, 2, 1, 3);
	case_bin(&c, FOREST_MISSING, 1, 4);
	case_end(&c);
	c.cuts[0] = 0.5;
	c.cuts[1] = 5.5;
	c.values[2] = 10;
	memset(counts, 0, sizeof(counts));
	for (int i = 0; i < N_DRAWS; i++)
	{
		Split		split = random_split(&c, i);

		counts[split.cut]++;
		n_left += split.missing_left;
	}
	tap_is_int(counts[2], 0, "there are values on both sides");
	tap_ok(chi_square(counts, uneven, 2) < 12, "values 0, 1, 10: one cut of ten lies below 1");
	tap_ok(abs(n_left - N_DRAWS / 2) < 160, "missing values go either way");
}

/* Features of one node draw apart. */
static void
test_random_features(void)
{
	SplitCase	c;
	int			n_same = 0;

	case_begin(&c, FOREST_SQUARED_ERROR, 0, FOREST_NUMERIC, 30);
	for (uint32_t bin = 0; bin < 11; bin++)
		case_bin(&c, bin, 1, bin == 0);
	case_end(&c);
	for (int i = 0; i < N_DRAWS; i++)
	{
		Split		first = random_split(&c, i);
		Split		second = {0};

		(void) split_feature(&c.node, 1, c.bins, c.n_bins, &c.missing, &second);
		n_same += first.cut == second.cut;
	}
	tap_ok(abs(n_same - N_DRAWS / 10) < 120, "two features are cut alike as often as by chance");
}

static void
test_random_categories(void)
{
	static const double even[] = {1 / 6.0, 1 / 6.0, 1 / 6.0, 1 / 6.0, 1 / 6.0, 1 / 6.0};
	SplitCase		c;
	int			counts[8] = {0};
	int			n_wrong = 0;

	case_begin(&c, FOREST_GINI, 2, FOREST_CATEGORY, 9);
	case_bin(&c, 3, 4, 1);
	case_bin(&c, 6, 4, 2);
	case_bin(&c, FOREST_MISSING, 4, 3);
	case_end(&c);
	for (int i = 0; i < N_DRAWS; i++)
	{
		Split		split = random_split(&c, i);

		counts[(split.mask[0] >> 3 & 1) | (split.mask[0] >> 6 & 1) << 1 |
			   (uint64_t) split.missing_left << 2]++;
		n_wrong += !case_is_best(&c, &split, case_gain_of_split(&c, &split, 0), 0);
	}
	tap_ok(counts[0] == 0 && counts[7] == 0, "no side of a random set is empty");
	tap_ok(chi_square(counts + 1, even, 6) < 21, "all other sets are as frequent");
	tap_is_int(n_wrong, 0, "scores and sums are those of the set");
}

int
main(void)
{
	test_random_numbers();
	test_random_features();
	test_random_categories();
	return tap_done();
}
