/*
 * sort.c
 *	  Radix sorts.
 *
 * Keys are sorted by the SIGNIFICANT highest of the bits in which they
 * differ, least significant digit first, in at most three passes.  That
 * leaves few keys that agree so far and are not in order yet; these runs are
 * found by one look at neighbours and sorted by the bits below.  Small
 * integers and probabilities with few distinct values need fewer passes.
 * Every pass is stable and moves the elements between the caller's array and
 * the scratch array.
 *
 * Hashes are evenly spread, so their first bits say nearly where they
 * belong: one pass puts them into buckets that fit into the cache, and each
 * bucket is sorted there.
 *
 * After a failure the arrays hold no particular order, and possibly some
 * elements twice.
 */
#include "core/sort.h"

#include <stdbool.h>
#include <string.h>

#include "core/memory.h"

#define DIGIT_BITS 11
#define RADIX (1 << DIGIT_BITS)
#define N_DIGITS 3
#define SIGNIFICANT (N_DIGITS * DIGIT_BITS)

/* Up to this many elements, insertion is faster than counting. */
#define INSERTION_MAX 64

/* Of a bucket of hashes; and about so many shall be left in each after a pass. */
#define BUCKET_INSERTION_MAX 24
#define BUCKET_SPREAD 4

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

/* The number of bits up to the highest one. */
static inline int
bit_length(uint64_t x)
{
	int			n = 0;

	for (int step = 32; step > 0; step /= 2)
		if (x >> step != 0)
		{
			x >>= step;
			n += step;
		}
	return n + (x != 0);
}

/* ------------------------------------------------------- keys and items -- */

/* Which digits of a key one sort looks at: n of them, of `bits` bits, from bit `low` on. */
typedef struct Digits
{
	int			low;
	int			bits;
	int			n;
} Digits;

/*
 * How a kind of element is sorted: its size (the key comes first in it), the
 * sort of a few, and one pass by the digit at `shift`, where next[d] is the
 * place of the first element with digit d.
 */
typedef struct ElementKind
{
	size_t		size;
	void		(*insert) (void *elements, size_t n);
	void		(*scatter) (const void *from, void *to, size_t n, int shift, uint64_t mask,
							size_t next[RADIX]);
} ElementKind;

static void
insert_keys(void *elements, size_t n)
{
	uint64_t   *keys = elements;

	for (size_t i = 1; i < n; i++)
	{
		uint64_t	key = keys[i];
		size_t		j;

		for (j = i; j > 0 && keys[j - 1] > key; j--)
			keys[j] = keys[j - 1];
		keys[j] = key;
	}
}

static void
scatter_keys(const void *from, void *to, size_t n, int shift, uint64_t mask, size_t next[RADIX])
{
	const uint64_t *source = from;
	uint64_t   *target = to;

	for (size_t i = 0; i < n; i++)
		target[next[source[i] >> shift & mask]++] = source[i];
}

static void
insert_items(void *elements, size_t n)
{
	SortItem   *items = elements;

	for (size_t i = 1; i < n; i++)
	{
		SortItem	item = items[i];
		size_t		j;

		for (j = i; j > 0 && items[j - 1].key > item.key; j--)
			items[j] = items[j - 1];
		items[j] = item;
	}
}

static void
scatter_items(const void *from, void *to, size_t n, int shift, uint64_t mask, size_t next[RADIX])
{
	const SortItem *source = from;
	SortItem   *target = to;

	for (size_t i = 0; i < n; i++)
		target[next[source[i].key >> shift & mask]++] = source[i];
}

static const ElementKind key_kind = {sizeof(uint64_t), insert_keys, scatter_keys};
static const ElementKind item_kind = {sizeof(SortItem), insert_items, scatter_items};

static inline uint64_t
key_at(const uint8_t *elements, size_t size, size_t i)
{
	return *(const uint64_t *) (const void *) (elements + i * size);
}

/* Choose the digits: the highest bits in which the keys differ. */
static Status
choose_digits(const Host *host, const uint8_t *elements, size_t n, size_t size, Digits *out,
			  Failure *why)
{
	uint64_t	first = key_at(elements, size, 0);
	uint64_t	differ = 0;
	int			top;

	for (size_t begin = 0; begin < n; begin += POLL_INTERVAL)
	{
		size_t		end = begin + smaller(n - begin, POLL_INTERVAL);
		Status		status = host_poll(host, why);

		if (status != STATUS_OK)
			return status;
		for (size_t i = begin; i < end; i++)
			differ |= key_at(elements, size, i) ^ first;
	}
	top = bit_length(differ);
	out->low = top > SIGNIFICANT ? top - SIGNIFICANT : 0;
	out->n = (top - out->low + DIGIT_BITS - 1) / DIGIT_BITS;
	out->bits = out->n == 0 ? 0 : (top - out->low + out->n - 1) / out->n;
	return STATUS_OK;
}

/* Count the digits of all keys. */
static Status
count_digits(const Host *host, const uint8_t *elements, size_t n, size_t size,
			 const Digits *digits, size_t counts[N_DIGITS][RADIX], Failure *why)
{
	uint64_t	mask = (UINT64_C(1) << digits->bits) - 1;

	memset(counts, 0, sizeof(size_t) * N_DIGITS * RADIX);
	for (size_t begin = 0; begin < n; begin += POLL_INTERVAL)
	{
		size_t		end = begin + smaller(n - begin, POLL_INTERVAL);
		Status		status = host_poll(host, why);

		if (status != STATUS_OK)
			return status;
		for (size_t i = begin; i < end; i++)
		{
			uint64_t	key = key_at(elements, size, i) >> digits->low;

			for (int d = 0; d < digits->n; d++, key >>= digits->bits)
				counts[d][key & mask]++;
		}
	}
	return STATUS_OK;
}

/* Turn counts into first places; false when all n elements are in one bucket. */
static bool
counts_to_places(size_t *counts, size_t n_counts, size_t n)
{
	size_t		place = 0;

	for (size_t i = 0; i < n_counts; i++)
	{
		size_t		count = counts[i];

		if (count == n)
			return false;
		counts[i] = place;
		place += count;
	}
	return true;
}

/* Sort by the digits, stably. */
static Status
sort_digits(const Host *host, const ElementKind *kind, uint8_t *elements, uint8_t *scratch,
			size_t n, const Digits *digits, Failure *why)
{
	size_t		counts[N_DIGITS][RADIX];
	uint64_t	mask = (UINT64_C(1) << digits->bits) - 1;
	uint8_t    *from = elements;
	uint8_t    *to = scratch;
	Status		status;

	status = count_digits(host, elements, n, kind->size, digits, counts, why);
	if (status != STATUS_OK)
		return status;
	for (int d = 0; d < digits->n; d++)
	{
		uint8_t    *other = from;

		if (!counts_to_places(counts[d], (size_t) mask + 1, n))
			continue;
		for (size_t begin = 0; begin < n; begin += POLL_INTERVAL)
		{
			status = host_poll(host, why);
			if (status != STATUS_OK)
				return status;
			kind->scatter(from + begin * kind->size, to, smaller(n - begin, POLL_INTERVAL),
						  digits->low + d * digits->bits, mask, counts[d]);
		}
		from = to;
		to = other;
	}
	if (from != elements)
		memcpy(elements, from, n * kind->size);
	return STATUS_OK;
}

/*
 * Sort elements by their keys, stably.  It calls itself for runs that agree
 * in the digits looked at: twice at most, since the bits below are fewer.
 */
static Status
radix_sort(const Host *host, const ElementKind *kind, void *elements, void *scratch, size_t n,
		   Failure *why)
{
	uint8_t    *at = elements;
	size_t		size = kind->size;
	Digits		digits;
	Status		status;

	if (n <= INSERTION_MAX)
	{
		kind->insert(elements, n);
		return STATUS_OK;
	}
	status = choose_digits(host, at, n, size, &digits, why);
	if (status == STATUS_OK && digits.n > 0)
		status = sort_digits(host, kind, at, scratch, n, &digits, why);
	if (digits.low == 0)
		return status;
	for (size_t begin = 0, end; begin < n && status == STATUS_OK; begin = end)
	{
		uint64_t	key = key_at(at, size, begin) >> digits.low;

		for (end = begin + 1; end < n && key_at(at, size, end) >> digits.low == key; end++)
			;
		if (end - begin > 1)
			status = radix_sort(host, kind, at + begin * size, scratch, end - begin, why);
	}
	return status;
}

Status
sort_keys(const Host *host, uint64_t *keys, uint64_t *scratch, size_t n, Failure *why)
{
	return radix_sort(host, &key_kind, keys, scratch, n, why);
}

Status
sort_items(const Host *host, SortItem *items, SortItem *scratch, size_t n, Failure *why)
{
	return radix_sort(host, &item_kind, items, scratch, n, why);
}

/* --------------------------------------------------------------- hashes -- */

/* Room to sort a bucket in, made when one needs it. */
typedef struct BucketSort
{
	const Host *host;
	SortHash   *scratch;
	size_t		capacity;
} BucketSort;

static inline bool
hash_before(Hash128 a, Hash128 b)
{
	return a.hi != b.hi ? a.hi < b.hi : a.lo < b.lo;
}

static void
insert_hashes(SortHash *hashes, size_t n)
{
	for (size_t i = 1; i < n; i++)
	{
		SortHash	hash = hashes[i];
		size_t		j;

		for (j = i; j > 0 && hash_before(hash.hash, hashes[j - 1].hash); j--)
			hashes[j] = hashes[j - 1];
		hashes[j] = hash;
	}
}

/* The bits of a hash from `used` on, as the highest of a number. */
static inline uint64_t
hash_rest(Hash128 hash, int used)
{
	if (used >= 64)
		return hash.lo << (used - 64);
	return used == 0 ? hash.hi : hash.hi << used | hash.lo >> (64 - used);
}

/* Are all hashes the same?  Then they are in order: every pass is stable. */
static bool
all_equal(const SortHash *hashes, size_t n)
{
	size_t		i = 1;

	while (i < n && hashes[i].hash.hi == hashes[0].hash.hi &&
		   hashes[i].hash.lo == hashes[0].hash.lo)
		i++;
	return i == n;
}

static Status
bucket_reserve(BucketSort *sort, size_t n, Failure *why)
{
	if (n <= sort->capacity)
		return STATUS_OK;
	memory_free(sort->host, sort->scratch, sort->capacity, sizeof(SortHash));
	sort->scratch = NULL;
	sort->capacity = n;
	return memory_new_raw(sort->host, n, sizeof(SortHash), &sort->scratch, why);
}

/*
 * Sort hashes that agree in their first `used` bits: by the next bits into
 * buckets, and each of these likewise.
 */
static Status
sort_bucket(BucketSort *sort, SortHash *hashes, size_t n, int used, Failure *why)
{
	uint32_t	counts[RADIX / 2 + 1] = {0};
	int			bits = bit_length(n / BUCKET_SPREAD);
	size_t		begin = 0;
	Status		status;

	if (n <= BUCKET_INSERTION_MAX)
	{
		insert_hashes(hashes, n);
		return STATUS_OK;
	}
	if (all_equal(hashes, n))
		return STATUS_OK;
	if (bits > DIGIT_BITS - 1)
		bits = DIGIT_BITS - 1;
	if (bits > 128 - used)
		bits = 128 - used;
	status = bucket_reserve(sort, n, why);
	if (status != STATUS_OK)
		return status;
	for (size_t i = 0; i < n; i++)
		counts[(hash_rest(hashes[i].hash, used) >> (64 - bits)) + 1]++;
	for (size_t d = 1; d <= (size_t) 1 << bits; d++)
		counts[d] += counts[d - 1];
	for (size_t i = 0; i < n; i++)
		sort->scratch[counts[hash_rest(hashes[i].hash, used) >> (64 - bits)]++] = hashes[i];
	memcpy(hashes, sort->scratch, n * sizeof(SortHash));

	/* counts[d] is now where bucket d ends */
	for (size_t d = 0; d < (size_t) 1 << bits && status == STATUS_OK; d++)
	{
		if (counts[d] - begin > 1)
			status = sort_bucket(sort, hashes + begin, counts[d] - begin, used + bits, why);
		begin = counts[d];
	}
	return status;
}

/* Put all hashes into buckets by their first bits; next[d] becomes the end of bucket d. */
static Status
spread_hashes(const Host *host, const SortSource *source, SortHash *sorted, size_t next[RADIX],
			  Failure *why)
{
	memset(next, 0, sizeof(size_t) * RADIX);
	for (int pass = 0; pass < 2; pass++)
	{
		size_t		n_since_poll = POLL_INTERVAL;

		for (size_t begin = 0; begin < source->n; begin += source->block_rows)
		{
			const Hash128 *block = source->block(source->ctx, begin / source->block_rows);
			size_t		n = smaller(source->n - begin, source->block_rows);

			if (n_since_poll >= POLL_INTERVAL)
			{
				Status		status = host_poll(host, why);

				if (status != STATUS_OK)
					return status;
				n_since_poll = 0;
			}
			n_since_poll += n;
			for (size_t i = 0; pass == 0 && i < n; i++)
				next[block[i].hi >> (64 - DIGIT_BITS)]++;
			for (size_t i = 0; pass == 1 && i < n; i++)
				sorted[next[block[i].hi >> (64 - DIGIT_BITS)]++] =
					(SortHash) {block[i], (uint32_t) (begin + i)};
		}
		for (size_t d = 0, place = 0; pass == 0 && d < RADIX; d++)
		{
			size_t		count = next[d];

			next[d] = place;
			place += count;
		}
	}
	return STATUS_OK;
}

Status
sort_hashes(const Host *host, const SortSource *source, SortHash *sorted, Failure *why)
{
	BucketSort	sort = {.host = host};
	size_t		ends[RADIX];
	size_t		begin = 0;
	size_t		polled = 0;
	Status		status;

	if ((uint64_t) source->n > UINT32_MAX)
		return fail(why, STATUS_LIMIT, "cannot sort %zu rows, at most %u are allowed", source->n,
					(unsigned) UINT32_MAX);
	status = spread_hashes(host, source, sorted, ends, why);
	for (size_t d = 0; d < RADIX && status == STATUS_OK; d++)
	{
		if (ends[d] - begin > 1)
			status = sort_bucket(&sort, sorted + begin, ends[d] - begin, DIGIT_BITS, why);
		begin = ends[d];
		if (status == STATUS_OK && begin - polled >= POLL_INTERVAL)
		{
			status = host_poll(host, why);
			polled = begin;
		}
	}
	memory_free(host, sort.scratch, sort.capacity, sizeof(SortHash));
	return status;
}
