/*
 * sort.c
 *	  Radix sorts, least significant byte first.
 *
 * One pass over the elements counts all eight bytes of their keys; a byte in
 * which all keys agree is skipped, so small integers and probabilities with
 * few distinct values need few passes.  Every pass is stable and moves the
 * elements between the caller's array and the scratch array.  After a
 * failure the arrays hold no particular order, and possibly some elements
 * twice.
 */
#include "core/sort.h"

#include <stdbool.h>
#include <string.h>

#include "core/memory.h"

#define N_DIGITS 8
#define RADIX 256

/* Up to this many elements, insertion is faster than counting. */
#define INSERTION_MAX 64

/* Elements between two polls. */
#define POLL_INTERVAL ((size_t) 1 << 20)

#define SIGN_BIT (UINT64_C(1) << 63)

uint64_t
sort_key_of_double(double x)
{
	uint64_t	bits;

	if (x == 0)
		x = 0;					/* -0 */
	memcpy(&bits, &x, sizeof(bits));
	return bits & SIGN_BIT ? ~bits : bits | SIGN_BIT;
}

double
sort_double_of_key(uint64_t key)
{
	uint64_t	bits = key & SIGN_BIT ? key & ~SIGN_BIT : ~key;
	double		x;

	memcpy(&x, &bits, sizeof(x));
	return x;
}

static inline size_t
smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/*
 * How a kind of element is sorted: its size (the key comes first in it), the
 * sort of a few, and one pass by the byte at `shift`, where next[b] is the
 * place of the first element with byte b.
 */
typedef struct ElementKind
{
	size_t		size;
	void		(*insert) (void *elements, size_t n);
	void		(*scatter) (const void *from, void *to, size_t n, int shift, size_t next[RADIX]);
} ElementKind;

static void
insert_keys(void *elements, size_t n)
{
	uint64_t   *keys = elements;
	size_t		i;

	for (i = 1; i < n; i++)
	{
		uint64_t	key = keys[i];
		size_t		j;

		for (j = i; j > 0 && keys[j - 1] > key; j--)
			keys[j] = keys[j - 1];
		keys[j] = key;
	}
}

static void
scatter_keys(const void *from, void *to, size_t n, int shift, size_t next[RADIX])
{
	const uint64_t *source = from;
	uint64_t   *target = to;
	size_t		i;

	for (i = 0; i < n; i++)
		target[next[source[i] >> shift & (RADIX - 1)]++] = source[i];
}

static void
insert_items(void *elements, size_t n)
{
	SortItem   *items = elements;
	size_t		i;

	for (i = 1; i < n; i++)
	{
		SortItem	item = items[i];
		size_t		j;

		for (j = i; j > 0 && items[j - 1].key > item.key; j--)
			items[j] = items[j - 1];
		items[j] = item;
	}
}

static void
scatter_items(const void *from, void *to, size_t n, int shift, size_t next[RADIX])
{
	const SortItem *source = from;
	SortItem   *target = to;
	size_t		i;

	for (i = 0; i < n; i++)
		target[next[source[i].key >> shift & (RADIX - 1)]++] = source[i];
}

static const ElementKind key_kind = {sizeof(uint64_t), insert_keys, scatter_keys};
static const ElementKind item_kind = {sizeof(SortItem), insert_items, scatter_items};

/* Count the bytes from `first` on of all keys. */
static Status
count_digits(const Host *host, const uint8_t *elements, size_t n, size_t size, int first,
			 size_t counts[N_DIGITS][RADIX], Failure *why)
{
	size_t		begin;

	memset(counts, 0, sizeof(size_t) * N_DIGITS * RADIX);
	for (begin = 0; begin < n; begin += POLL_INTERVAL)
	{
		size_t		end = begin + smaller(n - begin, POLL_INTERVAL);
		Status		status = host_poll(host, why);
		size_t		i;

		if (status != STATUS_OK)
			return status;
		for (i = begin; i < end; i++)
		{
			uint64_t	key = *(const uint64_t *) (const void *) (elements + i * size);
			int			digit;

			for (digit = first; digit < N_DIGITS; digit++)
				counts[digit][key >> (8 * digit) & (RADIX - 1)]++;
		}
	}
	return STATUS_OK;
}

/* Turn counts into first places; false when all n elements are in one bucket. */
static bool
counts_to_places(size_t counts[RADIX], size_t n)
{
	size_t		place = 0;
	int			i;

	for (i = 0; i < RADIX; i++)
	{
		size_t		count = counts[i];

		if (count == n)
			return false;
		counts[i] = place;
		place += count;
	}
	return true;
}

/* Sort by the bytes of the key from `first` (0 is the lowest) on. */
static Status
radix_sort(const Host *host, const ElementKind *kind, void *elements, void *scratch, size_t n,
		   int first, Failure *why)
{
	size_t		counts[N_DIGITS][RADIX];
	uint8_t    *from = elements;
	uint8_t    *to = scratch;
	Status		status;
	int			digit;

	if (n <= INSERTION_MAX)
	{
		kind->insert(elements, n);
		return STATUS_OK;
	}
	status = count_digits(host, elements, n, kind->size, first, counts, why);
	if (status != STATUS_OK)
		return status;
	for (digit = first; digit < N_DIGITS; digit++)
	{
		uint8_t    *other = from;
		size_t		begin;

		if (!counts_to_places(counts[digit], n))
			continue;
		for (begin = 0; begin < n; begin += POLL_INTERVAL)
		{
			status = host_poll(host, why);
			if (status != STATUS_OK)
				return status;
			kind->scatter(from + begin * kind->size, to, smaller(n - begin, POLL_INTERVAL),
						  8 * digit, counts[digit]);
		}
		from = to;
		to = other;
	}
	if (from != elements)
		memcpy(elements, from, n * kind->size);
	return STATUS_OK;
}

Status
sort_keys(const Host *host, uint64_t *keys, uint64_t *scratch, size_t n, Failure *why)
{
	return radix_sort(host, &key_kind, keys, scratch, n, 0, why);
}

Status
sort_items(const Host *host, SortItem *items, SortItem *scratch, size_t n, Failure *why)
{
	return radix_sort(host, &item_kind, items, scratch, n, 0, why);
}

/* Sort few items with keys `hi` by the rest of their hashes. */
static void
insert_hashes(const Hash128 *hashes, SortItem *items, size_t n)
{
	size_t		i;

	for (i = 1; i < n; i++)
	{
		SortItem	item = items[i];
		size_t		j;

		for (j = i; j > 0; j--)
		{
			if (items[j - 1].key < item.key)
				break;
			if (items[j - 1].key == item.key &&
				hashes[items[j - 1].row].lo <= hashes[item.row].lo)
				break;
			items[j] = items[j - 1];
		}
		items[j] = item;
	}
}

/* Sort items whose keys `hi` agree in their upper half, completely and stably. */
static Status
sort_run(const Host *host, const Hash128 *hashes, SortItem *items, SortItem *scratch, size_t n,
		 Failure *why)
{
	Status		status;
	size_t		i;

	if (n <= INSERTION_MAX)
	{
		insert_hashes(hashes, items, n);
		return STATUS_OK;
	}
	for (i = 1; i < n; i++)
		if (hash_compare(hashes[items[i].row], hashes[items[0].row]) != 0)
			break;
	if (i == n)
		return STATUS_OK;		/* identical rows, the usual reason for a long run */

	for (i = 0; i < n; i++)
		items[i].key = hashes[items[i].row].lo;
	status = sort_items(host, items, scratch, n, why);
	if (status != STATUS_OK)
		return status;
	for (i = 0; i < n; i++)
		items[i].key = hashes[items[i].row].hi;
	return sort_items(host, items, scratch, n, why);
}

/*
 * Hashes are evenly spread, so the upper 32 bits already separate almost all
 * rows: four passes sort by those, and only runs that agree in them are
 * looked at again.
 */
static Status
sort_hash_items(const Host *host, const Hash128 *hashes, SortItem *items, SortItem *scratch,
				size_t n, Failure *why)
{
	Status		status = radix_sort(host, &item_kind, items, scratch, n, N_DIGITS / 2, why);
	size_t		begin;
	size_t		end;
	size_t		n_since_poll = 0;

	for (begin = 0; status == STATUS_OK && begin < n; begin = end)
	{
		for (end = begin + 1; end < n; end++)
			if (items[end].key >> 32 != items[begin].key >> 32)
				break;
		if (end - begin > 1)
			status = sort_run(host, hashes, items + begin, scratch, end - begin, why);
		n_since_poll += end - begin;
		if (status == STATUS_OK && n_since_poll >= POLL_INTERVAL)
		{
			status = host_poll(host, why);
			n_since_poll = 0;
		}
	}
	return status;
}

Status
sort_hashes(const Host *host, const Hash128 *hashes, uint32_t *order, size_t n, Failure *why)
{
	SortItem   *items = NULL;
	SortItem   *scratch = NULL;
	Status		status;
	size_t		i;

	if ((uint64_t) n > UINT32_MAX)
		return fail(why, STATUS_LIMIT, "cannot sort %zu rows, at most %u are allowed", n,
					(unsigned) UINT32_MAX);
	status = memory_new_raw(host, n, sizeof(SortItem), &items, why);
	if (status == STATUS_OK)
		status = memory_new_raw(host, n, sizeof(SortItem), &scratch, why);
	if (status != STATUS_OK)
		goto done;
	for (i = 0; i < n; i++)
	{
		items[i].key = hashes[i].hi;
		items[i].row = (uint32_t) i;
	}
	status = sort_hash_items(host, hashes, items, scratch, n, why);
	if (status != STATUS_OK)
		goto done;
	for (i = 0; i < n; i++)
		order[i] = items[i].row;

done:
	memory_free(host, scratch, n, sizeof(SortItem));
	memory_free(host, items, n, sizeof(SortItem));
	return status;
}
