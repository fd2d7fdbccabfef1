/*
 * test_host.c
 *	  The counting Host of the unit tests and its sweeps.
 *
 * A block in memory: TestBlock | guard | bytes given out | guard.  The header
 * is a multiple of the guard's size, so the bytes are aligned to 16.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test_host.h"

#include "core/memory.h"

#define GUARD_BYTES 16
#define GUARD_MARK 0xFB
#define NEW_MARK 0xA5
#define FREED_MARK 0xDD
#define BLOCK_MAGIC UINT64_C(0x6B636F6C42747365)

typedef struct TestBlock
{
	uint64_t	magic;
	size_t		size;
	struct TestBlock *previous;
	struct TestBlock *next;
} TestBlock;

_Static_assert(sizeof(TestBlock) % GUARD_BYTES == 0, "bytes given out must be aligned");

/* What the checkers know of memory, where one is at work. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TEST_HOST_ASAN 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define TEST_HOST_ASAN 1
#endif

#if defined(TEST_HOST_ASAN)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n) ((void) (p), (void) (n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void) (p), (void) (n))
#endif

#if defined(__has_include)
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#endif
#endif
#if !defined(VALGRIND_MAKE_MEM_UNDEFINED)
#define VALGRIND_MAKE_MEM_UNDEFINED(p, n) ((void) (p), (void) (n))
#define VALGRIND_MAKE_MEM_DEFINED(p, n) ((void) (p), (void) (n))
#define VALGRIND_MAKE_MEM_NOACCESS(p, n) ((void) (p), (void) (n))
#endif

static uint8_t *
block_bytes(TestBlock *block)
{
	return (uint8_t *) (block + 1) + GUARD_BYTES;
}

static void
guard_close(uint8_t *guard)
{
	memset(guard, GUARD_MARK, GUARD_BYTES);
	ASAN_POISON_MEMORY_REGION(guard, GUARD_BYTES);
	VALGRIND_MAKE_MEM_NOACCESS(guard, GUARD_BYTES);
}

/* True when nobody wrote to the guard. */
static bool
guard_open(uint8_t *guard)
{
	int			i;

	ASAN_UNPOISON_MEMORY_REGION(guard, GUARD_BYTES);
	VALGRIND_MAKE_MEM_DEFINED(guard, GUARD_BYTES);
	for (i = 0; i < GUARD_BYTES; i++)
		if (guard[i] != GUARD_MARK)
			return false;
	return true;
}

static TestBlock *
block_new(TestHost *t, size_t size)
{
	TestBlock  *block;

	block = malloc(sizeof(TestBlock) + GUARD_BYTES + size + GUARD_BYTES);
	if (block == NULL)
		return NULL;
	block->magic = BLOCK_MAGIC;
	block->size = size;
	block->previous = NULL;
	block->next = t->blocks;
	if (t->blocks != NULL)
		t->blocks->previous = block;
	t->blocks = block;

	guard_close(block_bytes(block) - GUARD_BYTES);
	guard_close(block_bytes(block) + size);
	memset(block_bytes(block), NEW_MARK, size);
	VALGRIND_MAKE_MEM_UNDEFINED(block_bytes(block), size);

	t->n_blocks++;
	t->live_bytes += size;
	if (t->live_bytes > t->peak_bytes)
		t->peak_bytes = t->live_bytes;
	return block;
}

static void
block_free(TestHost *t, TestBlock *block)
{
	if (!guard_open(block_bytes(block) - GUARD_BYTES))
	{
		printf("# test host: bytes before a block of %zu were written\n", block->size);
		t->n_errors++;
	}
	if (!guard_open(block_bytes(block) + block->size))
	{
		printf("# test host: bytes behind a block of %zu were written\n", block->size);
		t->n_errors++;
	}
	if (block->previous != NULL)
		block->previous->next = block->next;
	else
		t->blocks = block->next;
	if (block->next != NULL)
		block->next->previous = block->previous;
	t->n_blocks--;
	t->live_bytes -= block->size;
	memset(block_bytes(block), FREED_MARK, block->size);
	block->magic = 0;
	free(block);
}

/* The block of a pointer handed out earlier; a foreign pointer ends the program. */
static TestBlock *
block_of(TestHost *t, void *p, size_t old_size)
{
	TestBlock  *block = (TestBlock *) (void *) ((uint8_t *) p - GUARD_BYTES) - 1;

	if (block->magic != BLOCK_MAGIC)
	{
		printf("Bail out! test host: a pointer that is no live block\n");
		fflush(stdout);
		abort();
	}
	if (block->size != old_size)
	{
		printf("# test host: a block of %zu bytes was given back as %zu\n", block->size, old_size);
		t->n_errors++;
	}
	return block;
}

/* Count a request for more memory; true when it shall be refused. */
static bool
refuse(TestHost *t, size_t old_size, size_t new_size)
{
	size_t		n = ++t->n_allocations;
	bool		refused;

	refused = t->fail_at != 0 && (n == t->fail_at || (t->fail_on && n > t->fail_at));
	if (t->budget_bytes != 0 && new_size > t->budget_bytes - (t->live_bytes - old_size))
		refused = true;
	if (refused)
		t->n_refused++;
	return refused;
}

static void *
test_realloc(void *ctx, void *p, size_t old_size, size_t new_size)
{
	TestHost   *t = ctx;
	TestBlock  *old_block = NULL;
	TestBlock  *new_block;

	if (p != NULL)
		old_block = block_of(t, p, old_size);
	else if (old_size != 0)
	{
		printf("# test host: NULL was given back as %zu bytes\n", old_size);
		t->n_errors++;
	}
	old_size = old_block != NULL ? old_block->size : 0;

	if (new_size == 0)
	{
		if (old_block != NULL)
			block_free(t, old_block);
		return NULL;
	}
	if (new_size > old_size && refuse(t, old_size, new_size))
		return NULL;
	new_block = block_new(t, new_size);
	if (new_block == NULL)
		return NULL;
	if (old_block != NULL)
	{
		memcpy(block_bytes(new_block), p, old_size < new_size ? old_size : new_size);
		block_free(t, old_block);
	}
	return block_bytes(new_block);
}

static bool
test_cancelled(void *ctx)
{
	TestHost   *t = ctx;

	t->n_polls++;
	return t->cancel_at != 0 && t->n_polls >= t->cancel_at;
}

void
test_host_begin(TestHost *t)
{
	memset(t, 0, sizeof(*t));
	t->host.realloc = test_realloc;
	t->host.cancelled = test_cancelled;
	t->host.ctx = t;
}

bool
test_host_end(TestHost *t)
{
	bool		clean;

	if (t->n_blocks > 0)
		printf("# test host: %zu blocks of together %zu bytes were not freed, the latest of %zu\n",
			   t->n_blocks, t->live_bytes, t->blocks->size);
	clean = t->n_blocks == 0;
	while (t->blocks != NULL)
		block_free(t, t->blocks);
	if (t->n_errors > 0)
		clean = false;
	fflush(stdout);
	return clean;
}

uint64_t
test_amount(uint64_t much, uint64_t little)
{
	return getenv("TEST_SHORT") != NULL ? little : much;
}

/* What a run returned against what it had to return, with its reason. */
static bool
run_is_right(Status status, Status expected, const Failure *why, const char *what, size_t at)
{
	if (status != expected)
	{
		printf("# sweep: %s %zu gave status %d instead of %d (\"%s\")\n", what, at, (int) status,
			   (int) expected, why->text);
		return false;
	}
	if (status != STATUS_OK && (why->status != status || why->text[0] == '\0'))
	{
		printf("# sweep: %s %zu gave status %d without a reason\n", what, at, (int) status);
		return false;
	}
	return true;
}

/* One by one at first, then in growing steps: a call may allocate very often. */
static size_t
next_step(size_t at)
{
	return at + 1 + (at < test_amount(64, 16) ? 0 : at / test_amount(8, 4));
}

typedef enum SweepKind
{
	SWEEP_REFUSE_ONE,
	SWEEP_REFUSE_ALL,
	SWEEP_CANCEL
} SweepKind;

static bool
sweep(TestCall call, void *arg, size_t min_steps, SweepKind kind)
{
	const char *what = kind == SWEEP_CANCEL ? "poll" : "allocation";
	Status		stopped = kind == SWEEP_CANCEL ? STATUS_CANCELLED : STATUS_NO_MEMORY;
	size_t		last = 0;
	size_t		at;

	for (at = 1;; at = next_step(at))
	{
		TestHost	t;
		Failure		why;
		Status		status;
		bool		reached;
		bool		right;

		test_host_begin(&t);
		t.fail_at = kind == SWEEP_CANCEL ? 0 : at;
		t.fail_on = kind == SWEEP_REFUSE_ALL;
		t.cancel_at = kind == SWEEP_CANCEL ? at : 0;
		memset(&why, 0, sizeof(why));
		status = call(&t.host, arg, &why);
		reached = kind == SWEEP_CANCEL ? t.n_polls >= at : t.n_refused > 0;
		right = run_is_right(status, reached ? stopped : STATUS_OK, &why, what, at);
		if (!test_host_end(&t))
		{
			printf("# sweep: after %s %zu\n", what, at);
			right = false;
		}
		if (!right)
			return false;
		if (!reached)
			break;
		last = at;
	}
	if (last < min_steps)
	{
		printf("# sweep: the last %s was number %zu, at least %zu were expected\n", what, last,
			   min_steps);
		return false;
	}
	return true;
}

bool
test_sweep_memory(TestCall call, void *arg, size_t min_steps)
{
	return sweep(call, arg, min_steps, SWEEP_REFUSE_ONE) &&
		sweep(call, arg, min_steps, SWEEP_REFUSE_ALL);
}

bool
test_sweep_cancel(TestCall call, void *arg, size_t min_steps)
{
	return sweep(call, arg, min_steps, SWEEP_CANCEL);
}

bool
test_sweep(TestCall call, void *arg, size_t min_refusals, size_t min_cancels)
{
	return test_sweep_memory(call, arg, min_refusals) && test_sweep_cancel(call, arg, min_cancels);
}
