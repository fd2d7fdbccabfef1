/*
 * digest.c
 *	  SHA-256 in hexadecimal.
 */
#include "postgres.h"

#include "common/cryptohash.h"
#include "common/sha2.h"
#include "miscadmin.h"
#include "port/pg_bswap.h"

#include "pg/digest.h"

/* Bytes hashed between two looks at the interrupt flags: about 30 ms. */
#define DIGEST_STRIDE ((Size) 16 * 1024 * 1024)

struct Digest
{
	pg_cryptohash_ctx *context;
};

/* Raise what the hash implementation complains about. */
static void
digest_check(const Digest *digest, int result)
{
	if (result < 0)
		elog(ERROR, "could not compute a SHA-256 digest: %s",
			 pg_cryptohash_error(digest->context));
}

Digest *
digest_begin(void)
{
	Digest	   *digest = palloc(sizeof(Digest));

	digest->context = pg_cryptohash_create(PG_SHA256);
	if (digest->context == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
	digest_check(digest, pg_cryptohash_init(digest->context));
	return digest;
}

void
digest_add(Digest *digest, const void *bytes, Size n_bytes)
{
	const uint8 *next = bytes;

	while (n_bytes > 0)
	{
		Size		n = Min(n_bytes, DIGEST_STRIDE);

		CHECK_FOR_INTERRUPTS();
		digest_check(digest, pg_cryptohash_update(digest->context, next, n));
		next += n;
		n_bytes -= n;
	}
}

void
digest_add_string(Digest *digest, const char *string)
{
	Size		n_bytes = strlen(string);
	uint32		length = pg_hton32((uint32) n_bytes);

	digest_add(digest, &length, sizeof(length));
	digest_add(digest, string, n_bytes);
}

char *
digest_finish(Digest *digest)
{
	static const char digits[] = "0123456789abcdef";
	uint8		result[PG_SHA256_DIGEST_LENGTH];
	char	   *hex = palloc(DIGEST_HEX_BYTES);

	digest_check(digest, pg_cryptohash_final(digest->context, result, sizeof(result)));
	pg_cryptohash_free(digest->context);
	pfree(digest);

	for (int i = 0; i < PG_SHA256_DIGEST_LENGTH; i++)
	{
		hex[2 * i] = digits[result[i] >> 4];
		hex[2 * i + 1] = digits[result[i] & 15];
	}
	hex[DIGEST_HEX_BYTES - 1] = '\0';
	return hex;
}

char *
digest_bytes(const void *bytes, Size n_bytes)
{
	Digest	   *digest = digest_begin();

	digest_add(digest, bytes, n_bytes);
	return digest_finish(digest);
}
