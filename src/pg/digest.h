/*
 * digest.h
 *	  SHA-256 in hexadecimal, by the server's own implementation.
 */
#ifndef CHURNOPS_PG_DIGEST_H
#define CHURNOPS_PG_DIGEST_H

#define DIGEST_HEX_BYTES 65		/* 64 lower-case digits and a NUL */

typedef struct Digest Digest;

/* Digests live in the current memory context until digest_finish(). */
extern Digest *digest_begin(void);
extern void digest_add(Digest *digest, const void *bytes, Size n_bytes);
/* A length, then the bytes: what follows cannot be mistaken for them. */
extern void digest_add_string(Digest *digest, const char *string);
/* The digest as a palloc'd string; frees the Digest. */
extern char *digest_finish(Digest *digest);

/* The digest of one block of bytes. */
extern char *digest_bytes(const void *bytes, Size n_bytes);

#endif
