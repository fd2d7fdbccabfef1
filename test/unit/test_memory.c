/*
 * test_memory.c
 *	  Checked allocation, and the test host itself.
 */
#include "tap.h"
#include "test_host.h"

#include "core/memory.h"

static void
test_new(void)
{
	TestHost	t;
	Failure		why;
	uint32_t   *numbers;
	size_t		i;
	size_t		n_wrong = 0;

	test_host_begin(&t);
	tap_is_int(memory_new(&t.host, 100, sizeof(uint32_t), &numbers, &why), STATUS_OK, "allocate");
	for (i = 0; i < 100; i++)
		n_wrong += numbers[i] != 0;
	tap_is_int(n_wrong, 0, "memory_new() clears");
	tap_is_int(t.live_bytes, 400, "as many bytes as asked for");
	memory_free(&t.host, numbers, 100, sizeof(uint32_t));
	tap_is_int(t.live_bytes, 0, "memory_free() frees");

	tap_is_int(memory_new_raw(&t.host, 3, 5, &numbers, &why), STATUS_OK,
			   "allocate without clearing");
	tap_is_int(t.live_bytes, 15, "count times size bytes");
	memory_free(&t.host, numbers, 3, 5);

	tap_is_int(memory_new(&t.host, 0, 8, &numbers, &why), STATUS_OK, "no elements are allowed");
	tap_ok(numbers == NULL, "and give NULL");
	tap_is_int(memory_new_raw(&t.host, 8, 0, &numbers, &why), STATUS_OK, "no size is allowed");
	tap_ok(numbers == NULL, "and gives NULL");
	memory_free(&t.host, NULL, 8, 8);
	tap_is_int(t.n_allocations, 2, "neither asks the host");
	tap_ok(test_host_end(&t), "no leak");
}

static void
test_refusal(void)
{
	TestHost	t;
	Failure		why;
	char		byte;
	char	   *block = &byte;

	test_host_begin(&t);
	tap_is_int(memory_new(&t.host, SIZE_MAX / 2, 3, &block, &why), STATUS_NO_MEMORY,
			   "an overflow of the size is refused");
	tap_ok(block == NULL, "and gives NULL");
	tap_is_text(why.text, "out of memory", "with a text");
	tap_ok(strstr(why.detail, " elements of 3 bytes was refused.") != NULL, "and what was asked");
	tap_is_int(t.n_allocations, 0, "without asking the host");

	t.fail_at = 1;
	block = &byte;
	tap_is_int(memory_new_raw(&t.host, 12, 1, &block, &why), STATUS_NO_MEMORY,
			   "a refusal of the host is passed on");
	tap_ok(block == NULL, "and gives NULL");
	tap_is_text(why.detail, "A request for 12 bytes was refused.", "with the size");
	tap_is_int(memory_new(&t.host, 12, 1, &block, NULL), STATUS_OK, "the next one is granted");
	memory_free(&t.host, block, 12, 1);
	tap_ok(test_host_end(&t), "no leak");
}

static void
test_grow(void)
{
	TestHost	t;
	Failure		why;
	uint16_t   *numbers = NULL;
	size_t		capacity = 0;
	size_t		i;
	size_t		n_wrong = 0;
	uint16_t   *before;

	test_host_begin(&t);
	for (i = 0; i < 1000; i++)
	{
		if (memory_grow(&t.host, &numbers, &capacity, i + 1, 2, &why) != STATUS_OK)
			break;
		numbers[i] = (uint16_t) i;
	}
	for (i = 0; i < 1000; i++)
		n_wrong += numbers[i] != i;
	tap_is_int(n_wrong, 0, "contents are kept while growing");
	tap_ok(capacity >= 1000 && capacity < 1600, "capacity is what is needed, up to half more");
	tap_ok(t.n_allocations < 24, "an array grows by halves");

	before = numbers;
	i = capacity;
	t.fail_at = t.n_allocations + 1;
	tap_is_int(memory_grow(&t.host, &numbers, &capacity, 100000, 2, &why), STATUS_NO_MEMORY,
			   "growing can be refused");
	tap_ok(numbers == before && capacity == i && numbers[999] == 999, "and nothing changes");
	tap_is_int(memory_grow(&t.host, &numbers, &capacity, SIZE_MAX, 2, &why), STATUS_NO_MEMORY,
			   "an overflow is refused");
	tap_ok(numbers == before && capacity == i, "and nothing changes");
	tap_is_int(memory_grow(&t.host, &numbers, &capacity, 5, 2, &why), STATUS_OK,
			   "enough is enough");
	tap_ok(numbers == before, "nothing moves then");
	memory_free(&t.host, numbers, capacity, 2);
	tap_ok(test_host_end(&t), "no leak");
}

static void
test_poll(void)
{
	TestHost	t;
	Failure		why;

	test_host_begin(&t);
	t.cancel_at = 3;
	tap_is_int(host_poll(&t.host, &why), STATUS_OK, "first poll: go on");
	tap_is_int(host_poll(&t.host, &why), STATUS_OK, "second poll: go on");
	tap_is_int(host_poll(&t.host, &why), STATUS_CANCELLED, "third poll: stop");
	tap_ok(why.text[0] != '\0', "with a text");
	tap_is_int(host_poll(&t.host, NULL), STATUS_CANCELLED, "fourth poll: stop");
	tap_ok(test_host_end(&t), "no leak");
}

/* Misdeeds that the test host must notice; its reports are expected output. */
static void
test_the_test_host(void)
{
	TestHost	t;
	void	   *block;

	test_host_begin(&t);
	block = t.host.realloc(t.host.ctx, NULL, 0, 24);
	t.host.realloc(t.host.ctx, block, 23, 0);
	tap_ok(!test_host_end(&t), "test host: a wrong old size is noticed");

	test_host_begin(&t);
	block = t.host.realloc(t.host.ctx, NULL, 0, 24);
	tap_ok(((uintptr_t) block & 7) == 0, "test host: blocks are aligned");
	tap_ok(!test_host_end(&t), "test host: a leak is noticed");

	test_host_begin(&t);
	t.budget_bytes = 100;
	block = t.host.realloc(t.host.ctx, NULL, 0, 60);
	tap_ok(t.host.realloc(t.host.ctx, NULL, 0, 41) == NULL, "test host: the budget holds");
	block = t.host.realloc(t.host.ctx, block, 60, 100);
	tap_ok(block != NULL, "test host: a block may use it up");
	t.host.realloc(t.host.ctx, block, 100, 0);
	tap_is_int(t.peak_bytes, 160, "test host: a move needs both blocks");
	tap_ok(test_host_end(&t), "test host: all is freed");
}

/* Three allocations, two polls; with *careless, the first one leaks when the second is refused. */
static Status
three_blocks(const Host *host, void *arg, Failure *why)
{
	bool		careless = *(bool *) arg;
	char	   *a = NULL;
	char	   *b = NULL;
	size_t		capacity = 4;
	Status		status;

	status = memory_new(host, 4, 1, &a, why);
	if (status != STATUS_OK)
		return status;
	status = memory_new(host, 4, 1, &b, why);
	if (status != STATUS_OK && careless)
		return status;
	if (status == STATUS_OK)
		status = memory_grow(host, &a, &capacity, 10, 1, why);
	if (status == STATUS_OK)
		status = host_poll(host, why);
	if (status == STATUS_OK)
		status = host_poll(host, why);
	memory_free(host, a, capacity, 1);
	memory_free(host, b, 4, 1);
	return status;
}

static Status
deaf(const Host *host, void *arg, Failure *why)
{
	(void) arg;
	(void) why;
	(void) host->cancelled(host->ctx);
	return STATUS_OK;
}

static void
test_sweeps(void)
{
	bool		careless = false;

	tap_ok(test_sweep(three_blocks, &careless, 3, 2), "a clean call passes both sweeps");
	tap_ok(!test_sweep_memory(three_blocks, &careless, 4), "too few refusals are noticed");
	tap_ok(!test_sweep_cancel(three_blocks, &careless, 3), "too few polls are noticed");
	careless = true;
	tap_ok(!test_sweep_memory(three_blocks, &careless, 1), "a leak after a refusal is noticed");
	tap_ok(!test_sweep_cancel(deaf, NULL, 1), "a call that does not stop is noticed");
}

int
main(void)
{
	test_new();
	test_refusal();
	test_grow();
	test_poll();
	test_the_test_host();
	test_sweeps();
	return tap_done();
}
