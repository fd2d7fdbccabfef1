/*
 * test_rng.c
 *	  Random numbers against the vectors of algorithms T8, and their evenness.
 */
#include "tap.h"

#include "core/rng.h"

static void
test_mix64(void)
{
	tap_is_hex(rng_mix64(RNG_GOLDEN), UINT64_C(0xE220A8397B1DCDAF), "splitmix64, first");
	tap_is_hex(rng_mix64(2 * RNG_GOLDEN), UINT64_C(0x6E789E6AA1B965F4), "splitmix64, second");
	tap_is_hex(rng_mix64(3 * RNG_GOLDEN), UINT64_C(0x06C45D188009454F), "splitmix64, third");
	tap_is_hex(rng_root_key(7), UINT64_C(0xC584133AC916AB3C), "root of tree 7");
	tap_is_hex(rng_left_key(rng_root_key(7)), UINT64_C(0xEA5787965E2C85F2), "its left child");
	tap_is_hex(rng_right_key(rng_root_key(7)), UINT64_C(0x64FB272CC21AD71C), "its right child");
}

static void
is_block(const uint32_t got[4], uint32_t a, uint32_t b, uint32_t c, uint32_t d, const char *name)
{
	tap_ok(got[0] == a && got[1] == b && got[2] == c && got[3] == d, "philox: %s", name);
}

static void
test_philox(void)
{
	static const uint32_t zero[4] = {0, 0, 0, 0};
	static const uint32_t ones[4] = {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX};
	static const uint32_t pi_counter[4] = {0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344};
	static const uint32_t pi_key[2] = {0xA4093822, 0x299F31D0};
	uint32_t	out[4];

	rng_philox(zero, zero, out);
	is_block(out, 0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8, "all zero");
	rng_philox(ones, ones, out);
	is_block(out, 0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD, "all ones");
	rng_philox(pi_counter, pi_key, out);
	is_block(out, 0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1, "digits of pi");
}

static void
test_stream(void)
{
	uint64_t	seed = UINT64_C(0x1122334455667788);
	uint64_t	node = UINT64_C(0x99AABBCCDDEEFF00);
	uint32_t	counter[4] = {0, 0xDDEEFF00, 0x99AABBCC, 4u << 24 | 0xABCDEF};
	uint32_t	key[2] = {0x55667788, 0x11223344};
	uint32_t	words[12];
	RngStream	stream;
	int			i;
	int			n_wrong = 0;

	for (i = 0; i < 3; i++)
	{
		rng_philox(counter, key, words + 4 * i);
		counter[0]++;
	}
	rng_stream_begin(&stream, seed, RNG_PERMUTATION, 0xABCDEF, node);
	for (i = 0; i < 12; i++)
		n_wrong += rng_stream_u32(&stream) != words[i];
	tap_is_int(n_wrong, 0, "a stream gives the words of blocks 0, 1, 2 in order");

	rng_stream_begin(&stream, seed, RNG_PERMUTATION, 0xABCDEF, node);
	tap_is_hex(rng_stream_u64(&stream), (uint64_t) words[1] << 32 | words[0],
			   "u64: low word first");
	(void) rng_stream_u32(&stream);
	tap_is_hex(rng_stream_u64(&stream), (uint64_t) words[4] << 32 | words[3],
			   "u64 across two blocks");
}

/* Chi-square of n_draws below `bound`; its mean is bound − 1. */
static double
chi_square_below(uint32_t bound, int n_draws)
{
	RngStream	stream;
	int			counts[64] = {0};
	double		expected = (double) n_draws / bound;
	double		chi = 0;
	uint32_t	i;

	rng_stream_begin(&stream, 42, RNG_FEATURES, 1, bound);
	for (i = 0; i < (uint32_t) n_draws; i++)
	{
		uint32_t	draw = rng_stream_below(&stream, bound);

		if (draw >= bound)
			return INFINITY;
		counts[draw]++;
	}
	for (i = 0; i < bound; i++)
		chi += (counts[i] - expected) * (counts[i] - expected) / expected;
	return chi;
}

/* Draws below a bound that differ from the method's definition in 64-bit arithmetic. */
static int
count_wrong_below(uint32_t bound)
{
	uint64_t	surplus = (UINT64_C(1) << 32) % bound;
	RngStream	stream;
	RngStream	other;
	int			n_wrong = 0;
	int			i;

	rng_stream_begin(&stream, 5, RNG_FEATURES, 0, bound);
	other = stream;
	for (i = 0; i < 10000; i++)
	{
		uint64_t	product;

		do
			product = (uint64_t) rng_stream_u32(&other) * bound;
		while ((product & UINT32_MAX) < surplus);
		n_wrong += rng_stream_below(&stream, bound) != product >> 32;
	}
	return n_wrong;
}

static void
test_below(void)
{
	RngStream	stream;
	uint32_t	bound = UINT32_C(3) << 30;	/* a quarter of all draws must be rejected */
	int			thirds[3] = {0};
	int			i;

	tap_is_int(count_wrong_below((UINT32_C(1) << 31) + 1), 0, "half of the draws are rejected");
	tap_is_int(count_wrong_below(UINT32_MAX), 0, "one draw in 2^32 is rejected");
	tap_is_int(count_wrong_below(UINT32_C(1) << 20), 0, "no draw is rejected");

	/* 99.99 % points of chi-square with 5 and 36 degrees of freedom */
	tap_ok(chi_square_below(6, 100000) < 25.7, "draws below 6 are even");
	tap_ok(chi_square_below(37, 100000) < 76.4, "draws below 37 are even");
	tap_is_real(chi_square_below(1, 100), 0.0, 0.0, "below 1 is 0");

	rng_stream_begin(&stream, 1, RNG_FEATURES, 0, 0);
	for (i = 0; i < 90000; i++)
		thirds[rng_stream_below(&stream, bound) >> 30]++;
	tap_ok(thirds[0] > 29400 && thirds[0] < 30600 && thirds[1] > 29400 && thirds[1] < 30600,
		   "a bound of 3 * 2^30 favours nobody");
}

static void
test_row_draws(void)
{
	Hash128		row = {UINT64_C(0x0123456789ABCDEF), UINT64_C(0xFEDCBA9876543210)};
	uint64_t	key = rng_row_key(row, 0);
	uint64_t	purpose = rng_purpose_key(42, RNG_BOOTSTRAP, 0);
	double		sum = 0;
	double		smallest = 1;
	double		largest = 0;
	uint64_t	i;

	tap_ok(rng_row_key(row, 1) != key, "identical rows have keys of their own");
	tap_ok(rng_purpose_key(42, RNG_BOOTSTRAP, 1) != purpose, "trees differ");
	tap_ok(rng_purpose_key(42, RNG_SPLIT, 0) != purpose, "purposes differ");
	tap_ok(rng_purpose_key(43, RNG_BOOTSTRAP, 0) != purpose, "seeds differ");
	for (i = 0; i < 100000; i++)
	{
		double		u = rng_unit(rng_row_draw(purpose, rng_row_key(row, i)));

		sum += u;
		smallest = u < smallest ? u : smallest;
		largest = u > largest ? u : largest;
	}
	/* five standard errors of the mean */
	tap_is_real(sum / 100000, 0.5, 5 * 0.2887 / 316.2, "draws about rows have mean 1/2");
	tap_ok(smallest >= 0 && smallest < 1e-3 && largest > 0.999 && largest < 1, "and fill [0, 1)");
	tap_is_real(rng_unit(UINT64_MAX), 1 - 0x1p-53, 0, "the largest unit is below 1");
	tap_is_real(rng_unit(0), 0, 0, "the smallest is 0");
}

int
main(void)
{
	test_mix64();
	test_philox();
	test_stream();
	test_below();
	test_row_draws();
	return tap_done();
}
