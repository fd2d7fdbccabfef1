/*
 * bytes.h
 *	  Strict little-endian writing and bounds-checked reading, with a sticky
 *	  error: after the first failure nothing more is written or read, reads
 *	  give zero, and the status is asked once at the end.
 */
#ifndef CHURNOPS_CORE_BYTES_H
#define CHURNOPS_CORE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/host.h"
#include "core/status.h"

typedef struct ByteWriter
{
	const Host *host;
	uint8_t    *bytes;			/* of `capacity`; taken by the caller or bytes_writer_free() */
	size_t		n_bytes;
	size_t		capacity;
	Status		status;
	Failure    *why;			/* filled at the first failure; may be NULL */
} ByteWriter;

extern void bytes_writer_begin(ByteWriter *w, const Host *host, Failure *why);
extern void bytes_put_u8(ByteWriter *w, uint8_t value);
extern void bytes_put_u16(ByteWriter *w, uint16_t value);
extern void bytes_put_u32(ByteWriter *w, uint32_t value);
extern void bytes_put_u64(ByteWriter *w, uint64_t value);
extern void bytes_put_f64(ByteWriter *w, double value);
extern void bytes_put(ByteWriter *w, const void *bytes, size_t n_bytes);

/* A u32 length, then the bytes. */
extern void bytes_put_string(ByteWriter *w, const char *bytes, size_t n_bytes);

/* Overwrite four bytes written earlier: for lengths known only afterwards. */
extern void bytes_patch_u32(ByteWriter *w, size_t offset, uint32_t value);

/* Free what the writer holds. */
extern void bytes_writer_free(ByteWriter *w);

typedef struct ByteReader
{
	const uint8_t *bytes;
	size_t		n_bytes;
	size_t		offset;
	bool		failed;			/* something was asked that is not there */
} ByteReader;

extern void bytes_reader_begin(ByteReader *r, const void *bytes, size_t n_bytes);
extern uint8_t bytes_get_u8(ByteReader *r);
extern uint16_t bytes_get_u16(ByteReader *r);
extern uint32_t bytes_get_u32(ByteReader *r);
extern uint64_t bytes_get_u64(ByteReader *r);
extern double bytes_get_f64(ByteReader *r);

/* A pointer to the next n bytes inside the input, or NULL (and failed). */
extern const uint8_t *bytes_get(ByteReader *r, size_t n_bytes);

/* A string as put by bytes_put_string; NULL (and failed) if it is cut. */
extern const char *bytes_get_string(ByteReader *r, size_t *n_bytes);

static inline size_t
bytes_left(const ByteReader *r)
{
	return r->failed ? 0 : r->n_bytes - r->offset;
}

/* CRC-32C (Castagnoli), initial value 0. */
extern uint32_t bytes_crc32c(uint32_t crc, const void *bytes, size_t n_bytes);

/* The same without the processor's instruction for it. */
extern uint32_t bytes_crc32c_portable(uint32_t crc, const void *bytes, size_t n_bytes);

/* True when the bytes are well-formed UTF-8 without NUL. */
extern bool bytes_is_utf8(const void *bytes, size_t n_bytes);

#endif
