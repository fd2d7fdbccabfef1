/*
 * test_route.c
 *	  Arms of keys: the vectors of algorithms T8, and what stickiness needs.
 */
#include "tap.h"

#include "core/distribution.h"
#include "deploy/deploy.h"

#define N_KEYS 100000
#define N_BINS 100

static uint64_t
hash_of(const char *salt, const char *key)
{
	return deploy_route_hash(salt, strlen(salt), key, strlen(key));
}

static double
share_of(const char *salt, unsigned key)
{
	char		text[16];

	snprintf(text, sizeof(text), "%u", key);
	return deploy_route_share(hash_of(salt, text));
}

static void
test_vectors(void)
{
	tap_is_hex(hash_of("exp1", "42"), UINT64_C(0xB57E6489E1D0CF2C), "T8: key 42");
	tap_is_real(deploy_route_share(hash_of("exp1", "42")), .7089598500, 5e-11, "T8: its share");
	tap_is_hex(hash_of("exp1", "customer-0001"), UINT64_C(0x1532D8E76DA2A20A),
			   "T8: key customer-0001");
	tap_is_real(deploy_route_share(hash_of("exp1", "customer-0001")), .0828071179, 5e-11,
				"T8: its share");
	tap_ok(hash_of("a", "bc") != hash_of("ab", "c"), "salt and key are kept apart");
	tap_is_real(deploy_route_share(0), 0, 0, "the least share is 0");
	tap_ok(deploy_route_share(UINT64_MAX) < 1, "the largest is below 1");
}

/* Chi-square of shares over equal bins, and of the four arms of two salts at 0.5. */
static void
test_uniformity(void)
{
	double		bins[N_BINS] = {0};
	double		arms[2][2] = {{0}};
	double		chi_square = 0;
	unsigned	i;

	for (i = 0; i < N_KEYS; i++)
	{
		double		share = share_of("1", i);

		bins[(int) (share * N_BINS)]++;
		arms[share < .5][share_of("2", i) < .5]++;
	}
	for (i = 0; i < N_BINS; i++)
		chi_square += (bins[i] - N_KEYS / N_BINS) * (bins[i] - N_KEYS / N_BINS) /
			(N_KEYS / N_BINS);
	tap_ok(dist_chi_square_tail(chi_square, N_BINS - 1) > .001, "shares are uniform");
	chi_square = 0;
	for (i = 0; i < 4; i++)
		chi_square += (arms[i / 2][i % 2] - N_KEYS / 4) * (arms[i / 2][i % 2] - N_KEYS / 4) /
			(N_KEYS / 4);
	tap_ok(dist_chi_square_tail(chi_square, 3) > .001, "arms of two salts are independent");
}

int
main(void)
{
	test_vectors();
	test_uniformity();
	return tap_done();
}
