/*
 * route.c
 *	  Which arm of a deployment a key belongs to.
 */
#include "core/rng.h"
#include "deploy/deploy.h"

#define FNV_OFFSET UINT64_C(0xCBF29CE484222325)
#define FNV_PRIME UINT64_C(0x100000001B3)

static uint64_t
fnv_add(uint64_t hash, const char *bytes, size_t n_bytes)
{
	size_t		i;

	for (i = 0; i < n_bytes; i++)
		hash = (hash ^ (uint8_t) bytes[i]) * FNV_PRIME;
	return hash;
}

uint64_t
deploy_route_hash(const char *salt, size_t salt_bytes, const char *key, size_t key_bytes)
{
	uint64_t	hash = fnv_add(FNV_OFFSET, salt, salt_bytes);

	hash = fnv_add(hash, "", 1);
	return rng_mix64(fnv_add(hash, key, key_bytes));
}

double
deploy_route_share(uint64_t hash)
{
	return (double) (hash >> 11) * 0x1p-53;
}
