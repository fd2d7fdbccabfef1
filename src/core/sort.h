/*
 * sort.h
 *	  Stable radix sorts for the two things that are sorted by the million:
 *	  numbers with their row, and row identities.
 */
#ifndef CHURNOPS_CORE_SORT_H
#define CHURNOPS_CORE_SORT_H

#include <stddef.h>
#include <stdint.h>

#include "core/hash.h"
#include "core/host.h"
#include "core/status.h"

/* Map a double (not NaN) to bits whose unsigned order is the order of numbers; −0 becomes +0. */
extern uint64_t sort_key_of_double(double x);
extern double sort_double_of_key(uint64_t key);

/*
 * Sort keys ascending in place; scratch is a caller's array of n elements.
 * Polls the host.  After a failure of any sort the arrays are spoilt.
 */
extern Status sort_keys(const Host *host, uint64_t *keys, uint64_t *scratch, size_t n,
						Failure *why);

typedef struct SortItem
{
	uint64_t	key;
	uint32_t	row;
} SortItem;

/* Sort items by key ascending, stable; scratch holds n elements. Polls the host. */
extern Status sort_items(const Host *host, SortItem *items, SortItem *scratch, size_t n,
						 Failure *why);

/* Where hashes to be sorted are: in blocks of block_rows, the last one may be shorter. */
typedef struct SortSource
{
	const Hash128 *(*block) (const void *ctx, size_t index);
	const void *ctx;
	size_t		block_rows;
	size_t		n;
} SortSource;

typedef struct SortHash
{
	Hash128		hash;
	uint32_t	row;
} SortHash;

/*
 * sorted, an array of source->n elements, becomes all hashes in order
 * (hash_compare), each with its row, equal hashes in ascending row order.
 * Polls the host, and takes memory of it for as many elements as begin with
 * the same 11 bits.
 */
extern Status sort_hashes(const Host *host, const SortSource *source, SortHash *sorted,
						  Failure *why);

#endif
