/*
 * test_hash.c
 *	  XXH3-128 and its sums.
 */
#include "tap.h"

#include "core/hash.h"

typedef struct KnownHash
{
	size_t		n_bytes;
	uint64_t	hi;
	uint64_t	lo;
} KnownHash;

/* Of the bytes (7 i + 3) mod 256, by the shared library libxxhash 0.8.1; one per code path. */
static const KnownHash known_hashes[] = {
	{0, UINT64_C(0x99AA06D3014798D8), UINT64_C(0x6001C324468D497F)},
	{1, UINT64_C(0x22BBB76B211A39BA), UINT64_C(0x13E608BC156DEFED)},
	{4, UINT64_C(0x47197970590746B1), UINT64_C(0x788A609154B0FE20)},
	{9, UINT64_C(0xC72C88247A9A56D7), UINT64_C(0xEAFAB1C7F123109F)},
	{17, UINT64_C(0xBFD327EDCC2FBD12), UINT64_C(0xEEED7654312A26D7)},
	{129, UINT64_C(0x293E4968C4619023), UINT64_C(0xBD91CE7ACE4D385B)},
	{241, UINT64_C(0xAC6C3492C3D6B45D), UINT64_C(0x8BEADD3A8874FE17)},
	{1000, UINT64_C(0x6BCC7EFF62DA44C2), UINT64_C(0x6C4F14BD97BD9E82)},
};

static void
test_known_hashes(void)
{
	uint8_t		bytes[1001];
	size_t		i;

	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t) (7 * i + 3);
	for (i = 0; i < sizeof(known_hashes) / sizeof(known_hashes[0]); i++)
	{
		const KnownHash *known = &known_hashes[i];
		Hash128		hash = hash_bytes(bytes, known->n_bytes);

		tap_is_hex(hash.hi, known->hi, "high half of the hash of %zu bytes", known->n_bytes);
		tap_is_hex(hash.lo, known->lo, "low half of the hash of %zu bytes", known->n_bytes);
	}
	memmove(bytes + 1, bytes, 1000);
	tap_is_hex(hash_bytes(bytes + 1, 1000).lo, known_hashes[7].lo, "alignment does not matter");
	tap_is_hex(hash_bytes(NULL, 0).hi, known_hashes[0].hi, "nothing may be NULL");
}

static Hash128
hash_of(uint64_t hi, uint64_t lo)
{
	Hash128		hash;

	hash.hi = hi;
	hash.lo = lo;
	return hash;
}

static void
test_compare(void)
{
	tap_is_int(hash_compare(hash_of(1, 2), hash_of(1, 2)), 0, "equal");
	tap_is_int(hash_compare(hash_of(1, 9), hash_of(2, 0)), -1, "the high half comes first");
	tap_is_int(hash_compare(hash_of(2, 0), hash_of(1, 9)), 1, "in both directions");
	tap_is_int(hash_compare(hash_of(1, 1), hash_of(1, 2)), -1, "then the low half");
	tap_is_int(hash_compare(hash_of(1, UINT64_MAX), hash_of(1, 2)), 1, "unsigned");
}

static void
test_sum(void)
{
	HashSum		all = {0};
	HashSum		reversed = {0};
	HashSum		parts[3] = {{0}};
	HashSum		merged = {0};
	uint8_t		a[HASH_SUM_BYTES];
	uint8_t		b[HASH_SUM_BYTES];
	uint32_t	i;

	for (i = 0; i < 1000; i++)
	{
		uint32_t	other = 999 - i;

		hash_sum_add(&all, hash_bytes(&i, sizeof(i)));
		hash_sum_add(&reversed, hash_bytes(&other, sizeof(other)));
		hash_sum_add(&parts[i % 3], hash_bytes(&i, sizeof(i)));
	}
	for (i = 0; i < 3; i++)
		hash_sum_merge(&merged, &parts[i]);
	hash_sum_store(&all, a);
	hash_sum_store(&reversed, b);
	tap_ok(memcmp(a, b, sizeof(a)) == 0, "the order of rows does not matter");
	hash_sum_store(&merged, b);
	tap_ok(memcmp(a, b, sizeof(a)) == 0, "sums of parts add up");
	hash_sum_add(&all, hash_bytes("x", 1));
	hash_sum_add(&all, hash_bytes("x", 1));
	hash_sum_store(&all, b);
	tap_ok(memcmp(a, b, sizeof(a)) != 0, "two equal rows do not cancel");
}

static void
test_carry(void)
{
	static const uint8_t expected[HASH_SUM_BYTES] = {
		3, 0, 0, 0, 0, 0, 0, 0,							/* count */
		0xFD, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, /* sum of lo: 3 (2^64 - 1) */
		2, 0, 0, 0, 0, 0, 0, 0,
		5, 0, 0, 0, 0, 0, 0, 0,							/* sum of hi */
		0, 0, 0, 0, 0, 0, 0, 0,
	};
	HashSum		sum = {0};
	HashSum		two = {0};
	uint8_t		bytes[HASH_SUM_BYTES];

	hash_sum_add(&sum, hash_of(1, UINT64_MAX));
	hash_sum_add(&two, hash_of(2, UINT64_MAX));
	hash_sum_add(&two, hash_of(2, UINT64_MAX));
	hash_sum_merge(&sum, &two);
	hash_sum_store(&sum, bytes);
	tap_ok(memcmp(bytes, expected, sizeof(bytes)) == 0, "halves carry, and the bytes are as told");
}

int
main(void)
{
	test_known_hashes();
	test_compare();
	test_sum();
	test_carry();
	return tap_done();
}
