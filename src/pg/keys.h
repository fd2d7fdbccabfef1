/*
 * keys.h
 *	  Stored fingerprints of keys, read in order.
 */
#ifndef CHURNOPS_PG_KEYS_H
#define CHURNOPS_PG_KEYS_H

#include "dataset/dataset.h"

/* Entries in a chunk of churnops.dataset_keys. */
#define KEYS_CHUNK_ENTRIES 4096

/*
 * The entries of a version, chunk by chunk; made in the current memory
 * context.  Must be read inside SPI_connect()/SPI_finish().
 */
extern void keys_stored(const char *dataset, int32 version, DatasetKeys *out);

/* Store entries as those of a version, inside SPI_connect()/SPI_finish(). */
extern void keys_store(const char *dataset, int32 version, const DatasetKeys *keys);

#endif
