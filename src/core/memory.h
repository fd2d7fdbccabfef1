/*
 * memory.h
 *	  Checked allocation on a Host.  The only user of Host.realloc.
 *
 * Sizes are given as count × size and checked for overflow.  Every block is
 * freed with the count and size it was allocated with: the host may keep no
 * headers of its own.
 */
#ifndef CHURNOPS_CORE_MEMORY_H
#define CHURNOPS_CORE_MEMORY_H

#include <stdint.h>

#include "core/host.h"
#include "core/status.h"

/*
 * Allocate count × size bytes, zeroed, into *out.  count × size == 0 gives
 * NULL and STATUS_OK.  On failure *out is NULL and why says what was asked.
 */
extern Status memory_new(const Host *host, size_t count, size_t size, void *out, Failure *why);

/* As memory_new, without clearing. */
extern Status memory_new_raw(const Host *host, size_t count, size_t size, void *out, Failure *why);

/*
 * Let *block, an array of *capacity elements of the given size, hold at least
 * `needed` elements: grows by at least half.  Contents are kept, new elements
 * are not cleared.  On failure nothing changes.
 */
extern Status memory_grow(const Host *host, void *block, size_t *capacity, size_t needed,
						  size_t size, Failure *why);

/* Free a block of count × size bytes; NULL is allowed. */
extern void memory_free(const Host *host, void *block, size_t count, size_t size);

/* STATUS_CANCELLED if the host wants to stop, else STATUS_OK. */
extern Status host_poll(const Host *host, Failure *why);

#endif
