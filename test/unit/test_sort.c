/*
 * test_sort.c
 *	  Radix sorts against their definition, stability, cancel and memory.
 */
#include <stdlib.h>

#include "tap.h"
#include "test_host.h"

#include "core/rng.h"
#include "core/sort.h"

/* What a test sorts: n elements of one shape. */
typedef enum Shape
{
	SHAPE_RANDOM,				/* all 64 bits */
	SHAPE_DOUBLE,				/* keys of doubles of both signs */
	SHAPE_FEW,					/* many ties */
	SHAPE_EQUAL,
	SHAPE_ASCENDING,
	SHAPE_DESCENDING,
	SHAPE_HIGH_BYTE,			/* only the highest byte varies */
	SHAPE_LIMITS,				/* only 0 and UINT64_MAX */
	SHAPE_RUNS,					/* long runs that agree in all but the low bits */
	SHAPE_COUNT
} Shape;

static const char *const shape_name[SHAPE_COUNT] = {
	"random", "doubles", "few", "equal", "ascending", "descending", "high byte", "limits",
	"runs",
};

static const size_t sizes[] = {0, 1, 2, 3, 63, 64, 65, 255, 256, 1000, 20000};

#define N_SIZES (sizeof(sizes) / sizeof(sizes[0]))

static uint64_t
key_of(Shape shape, size_t i, size_t n)
{
	uint64_t	random = rng_mix64((i + 1) * RNG_GOLDEN + n);

	switch (shape)
	{
		case SHAPE_RANDOM:
			return random;
		case SHAPE_DOUBLE:
			return sort_key_of_double((rng_unit(random) - 0.5) * 1e3);
		case SHAPE_FEW:
			return random % 7;
		case SHAPE_ASCENDING:
			return i;
		case SHAPE_DESCENDING:
			return n - i;
		case SHAPE_HIGH_BYTE:
			return random & UINT64_C(0xFF00000000000000);
		case SHAPE_LIMITS:
			return random & 1 ? UINT64_MAX : 0;
		case SHAPE_RUNS:
			return random >> 60 << 50 | (random & 0x1FFFF);
		default:
			return 42;
	}
}

/* Rows are unique, hence this is the one stable order. */
static int
compare_items(const void *a, const void *b)
{
	const SortItem *x = a;
	const SortItem *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->row < y->row ? -1 : x->row > y->row;
}

static bool
sorts_right(const Host *host, Shape shape, size_t n)
{
	SortItem   *items = malloc((n + 1) * sizeof(SortItem));
	SortItem   *scratch = malloc((n + 1) * sizeof(SortItem));
	SortItem   *expected = malloc((n + 1) * sizeof(SortItem));
	uint64_t   *keys = malloc((n + 1) * sizeof(uint64_t));
	uint64_t   *key_scratch = malloc((n + 1) * sizeof(uint64_t));
	bool		right;
	size_t		i;

	for (i = 0; i < n; i++)
	{
		keys[i] = items[i].key = key_of(shape, i, n);
		items[i].row = (uint32_t) i;
		expected[i] = items[i];
	}
	qsort(expected, n, sizeof(SortItem), compare_items);
	right = sort_keys(host, keys, key_scratch, n, NULL) == STATUS_OK &&
		sort_items(host, items, scratch, n, NULL) == STATUS_OK;
	for (i = 0; right && i < n; i++)
		right = keys[i] == expected[i].key && items[i].key == expected[i].key &&
			items[i].row == expected[i].row;
	free(items);
	free(scratch);
	free(expected);
	free(keys);
	free(key_scratch);
	return right;
}

static void
test_shapes(const Host *host)
{
	int			shape;
	size_t		i;

	for (shape = 0; shape < SHAPE_COUNT; shape++)
	{
		size_t		n_wrong = 0;

		for (i = 0; i < N_SIZES; i++)
			n_wrong += !sorts_right(host, (Shape) shape, sizes[i]);
		tap_is_int(n_wrong, 0, "keys and items, stable: %s", shape_name[shape]);
	}
}

static void
test_key_of_double(void)
{
	static const double ascending[] = {
		-INFINITY, -1.7e308, -1.5, -1.0, -2.3e-308, -5e-324, 0.0, 5e-324, 2.3e-308, 1.0,
		1.0 + 0x1p-52, 1.5, 1.7e308, INFINITY,
	};
	size_t		n_wrong = 0;
	size_t		i;

	for (i = 0; i < sizeof(ascending) / sizeof(ascending[0]); i++)
	{
		uint64_t	key = sort_key_of_double(ascending[i]);

		if (i > 0)
			n_wrong += sort_key_of_double(ascending[i - 1]) >= key;
		n_wrong += sort_double_of_key(key) != ascending[i];
	}
	tap_is_int(n_wrong, 0, "keys have the order of numbers and lead back to them");
	tap_is_hex(sort_key_of_double(-0.0), sort_key_of_double(0.0), "-0 is +0");
	tap_ok(!signbit(sort_double_of_key(sort_key_of_double(-0.0))), "and comes back as +0");
}

/* The hash of row i: `mode` decides where hashes agree. */
static Hash128
hash_of(int mode, size_t i)
{
	Hash128		hash;

	hash.hi = rng_mix64((i + 1) * RNG_GOLDEN);
	hash.lo = rng_mix64(hash.hi + RNG_GOLDEN);
	switch (mode)
	{
		case 1:					/* duplicates */
			return hash_of(0, i % 5);
		case 2:					/* equal upper half of hi, long runs */
			hash.hi = (hash.hi & 3) << 32 | (hash.hi >> 32 & 1);
			break;
		case 3:					/* equal hi, short runs */
			hash.hi = (i * 7919 % 1000) << 40;
			break;
		case 4:					/* all of hi equal, lo with duplicates */
			hash.hi = 7;
			hash.lo %= 1000;
			break;
	}
	return hash;
}

#define N_HASH_MODES 5

/* Odd, so that blocks end anywhere. */
#define BLOCK_ROWS 37

static const Hash128 *
block_of(const void *ctx, size_t index)
{
	return (const Hash128 *) ctx + index * BLOCK_ROWS;
}

static bool
sorts_hashes_right(const Host *host, int mode, size_t n)
{
	Hash128    *hashes = malloc((n + 1) * sizeof(Hash128));
	SortHash   *sorted = malloc((n + 1) * sizeof(SortHash));
	uint8_t    *seen = calloc(n + 1, 1);
	SortSource	source = {.block = block_of,.ctx = hashes,.block_rows = BLOCK_ROWS,.n = n};
	bool		right;

	for (size_t i = 0; i < n; i++)
		hashes[i] = hash_of(mode, i);
	right = sort_hashes(host, &source, sorted, NULL) == STATUS_OK;
	for (size_t i = 0; right && i < n; i++)
	{
		right = sorted[i].row < n && !seen[sorted[i].row] &&
			hash_compare(sorted[i].hash, hashes[sorted[i].row]) == 0;
		if (right && i > 0)
		{
			int			step = hash_compare(sorted[i - 1].hash, sorted[i].hash);

			right = step < 0 || (step == 0 && sorted[i - 1].row < sorted[i].row);
		}
		if (right)
			seen[sorted[i].row] = 1;
	}
	free(hashes);
	free(sorted);
	free(seen);
	return right;
}

static void
test_hash_order(const Host *host)
{
	static const char *const name[N_HASH_MODES] = {
		"random", "duplicates", "long runs", "short runs", "equal high half",
	};
	int			mode;
	size_t		i;

	for (mode = 0; mode < N_HASH_MODES; mode++)
	{
		size_t		n_wrong = 0;

		for (i = 0; i < N_SIZES; i++)
			n_wrong += !sorts_hashes_right(host, mode, sizes[i]);
		tap_is_int(n_wrong, 0, "order of hashes: %s", name[mode]);
	}
}

static Status
sort_some_hashes(const Host *host, void *arg, Failure *why)
{
	Hash128		hashes[500];
	SortHash	sorted[500];
	SortSource	source = {.block = block_of,.ctx = hashes,.block_rows = BLOCK_ROWS,.n = 500};

	for (size_t i = 0; i < 500; i++)
		hashes[i] = hash_of(*(int *) arg, i);
	return sort_hashes(host, &source, sorted, why);
}

static Status
sort_some_keys(const Host *host, void *arg, Failure *why)
{
	uint64_t	keys[500];
	uint64_t	scratch[500];
	size_t		i;

	(void) arg;
	for (i = 0; i < 500; i++)
		keys[i] = key_of(SHAPE_RANDOM, i, 500);
	return sort_keys(host, keys, scratch, 500, why);
}

static void
test_polls(void)
{
	static const size_t n = (size_t) 3 << 20;
	uint64_t   *keys = malloc(n * sizeof(uint64_t));
	uint64_t   *scratch = malloc(n * sizeof(uint64_t));
	TestHost	t;
	size_t		i;
	size_t		n_wrong = 0;

	test_host_begin(&t);
	for (i = 0; i < n; i++)
		keys[i] = rng_mix64(i) >> 48;
	tap_is_int(sort_keys(&t.host, keys, scratch, n, NULL), STATUS_OK, "sort three million keys");
	for (i = 1; i < n; i++)
		n_wrong += keys[i - 1] > keys[i];
	tap_is_int(n_wrong, 0, "they are in order");
	tap_is_int(t.n_polls, 12, "a poll per million for each look and the two digits");
	tap_is_int(t.n_allocations, 0, "no memory is asked for");
	tap_ok(test_host_end(&t), "no damage");
	free(keys);
	free(scratch);
}

static void
test_limits(const Host *host)
{
#if SIZE_MAX > UINT32_MAX
	SortSource	source = {.n = (size_t) UINT32_MAX + 1};
	Failure		why;

	tap_is_int(sort_hashes(host, &source, NULL, &why), STATUS_LIMIT,
			   "rows must have 32-bit numbers");
	tap_is_text(why.text, "cannot sort 4294967296 rows, at most 4294967295 are allowed",
				"and the text says so");
#else
	(void) host;
#endif
}

int
main(void)
{
	TestHost	t;
	int			long_runs = 2;

	test_host_begin(&t);
	test_key_of_double();
	test_shapes(&t.host);
	test_hash_order(&t.host);
	test_limits(&t.host);
	tap_ok(test_host_end(&t), "no leak");
	tap_ok(test_sweep(sort_some_hashes, &long_runs, 1, 2), "hashes survive refusals and cancels");
	tap_ok(test_sweep(sort_some_keys, NULL, 0, 5), "keys survive cancels");
	test_polls();
	return tap_done();
}
