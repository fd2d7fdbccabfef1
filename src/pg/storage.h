/*
 * storage.h
 *	  Memory for the matrix that trees are grown from: shared with parallel
 *	  workers, or this backend's own.
 */
#ifndef CHURNOPS_PG_STORAGE_H
#define CHURNOPS_PG_STORAGE_H

#include "storage/dsm.h"
#include "pg/host.h"

typedef struct Storage Storage;

/*
 * Is there room in shared memory for this many bytes?  False where the
 * system's limit is known and too low; true is no promise.
 */
extern bool storage_has_room(Size n_bytes);

/*
 * Storage for blocks of about `expected` bytes in all, counted against the
 * budget of `owner`.  Lives in the current memory context; shared memory is
 * given back when the transaction ends, if not before.
 */
extern Storage *storage_new(PgHost *owner, Size expected, bool shared);
extern void storage_free(Storage *storage);

extern const Host *storage_host(const Storage *storage);
extern bool storage_is_shared(const Storage *storage);

/*
 * After an allocation failed: raise the server's error, if that was the
 * reason.  True when shared memory has no place for another segment, so that
 * private storage may do.
 */
extern bool storage_exhausted(Storage *storage);

/* Where a block of shared storage lies. */
extern void storage_locate(const Storage *storage, const void *block, dsm_handle *segment,
						   Size *offset);

#endif
