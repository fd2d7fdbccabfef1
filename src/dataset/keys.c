/*
 * keys.c
 *	  Two versions of a dataset compared by the fingerprints of their keys.
 *
 * Both sides come in order of key and row, so one pass does it and nothing is
 * held, although a key may have several rows.
 */
#include "core/memory.h"
#include "dataset/dataset.h"

#include <string.h>

#define POLL_ENTRIES 65536

/* One side of the comparison, with the entry it stands at. */
typedef struct Side
{
	const DatasetKeys *keys;
	bool		at_end;
	uint8_t		entry[DATASET_ENTRY_BYTES];
} Side;

static void
advance(Side *side)
{
	const uint8_t *entry = side->keys->next(side->keys->ctx);

	side->at_end = entry == NULL;
	if (entry != NULL)
		memcpy(side->entry, entry, DATASET_ENTRY_BYTES);
}

/* Does the side stand at an entry of this key? */
static bool
has_key(const Side *side, const uint8_t *key)
{
	return !side->at_end && memcmp(side->entry, key, DATASET_KEY_BYTES) == 0;
}

/* Which key comes first; a side at its end comes last. */
static int
compare_sides(const Side *before, const Side *after)
{
	if (before->at_end || after->at_end)
		return before->at_end ? 1 : -1;
	return memcmp(before->entry, after->entry, DATASET_KEY_BYTES);
}

static void
count(DatasetCounts *counts, DatasetChange change, uint64_t n, const uint8_t *key,
	  DatasetChanged changed, void *ctx)
{
	counts->changes[change] += n;
	for (uint64_t i = 0; i < n && changed != NULL; i++)
		changed(ctx, change, key);
}

/* The rows of a key that both have: merged, since they are in order as well. */
static void
compare_key(Side *before, Side *after, DatasetCounts *counts, DatasetChanged changed, void *ctx)
{
	uint8_t		key[DATASET_KEY_BYTES];
	uint64_t	only_before = 0;
	uint64_t	only_after = 0;
	uint64_t	both;

	memcpy(key, before->entry, DATASET_KEY_BYTES);
	while (has_key(before, key) || has_key(after, key))
	{
		int			order = !has_key(before, key) ? 1 : !has_key(after, key) ? -1 :
			memcmp(before->entry, after->entry, DATASET_ENTRY_BYTES);

		if (order == 0)
			counts->unchanged++;
		else if (order < 0)
			only_before++;
		else
			only_after++;
		if (order <= 0)
			advance(before);
		if (order >= 0)
			advance(after);
	}
	both = only_before < only_after ? only_before : only_after;
	count(counts, DATASET_CHANGED, both, key, changed, ctx);
	count(counts, DATASET_REMOVED, only_before - both, key, changed, ctx);
	count(counts, DATASET_ADDED, only_after - both, key, changed, ctx);
}

Status
dataset_compare(const Host *host, const DatasetKeys *before, const DatasetKeys *after,
				DatasetChanged changed, void *ctx, DatasetCounts *counts, Failure *why)
{
	Side		a = {.keys = before};
	Side		b = {.keys = after};
	uint64_t	n = 0;
	Status		status = STATUS_OK;

	memset(counts, 0, sizeof(*counts));
	advance(&a);
	advance(&b);
	while ((!a.at_end || !b.at_end) && status == STATUS_OK)
	{
		int			order = compare_sides(&a, &b);

		if (order == 0)
			compare_key(&a, &b, counts, changed, ctx);
		else if (order < 0)
		{
			count(counts, DATASET_REMOVED, 1, a.entry, changed, ctx);
			advance(&a);
		}
		else
		{
			count(counts, DATASET_ADDED, 1, b.entry, changed, ctx);
			advance(&b);
		}
		if (++n % POLL_ENTRIES == 0)
			status = host_poll(host, why);
	}
	return status;
}
