/*
 * test_host.h
 *	  A Host for unit tests that counts, checks and refuses.
 *
 * Every block lies between guard marks, is filled with rubbish when new, and
 * moves on every realloc; the old size given back is compared with the true
 * one.  Under ASan the guards cannot even be read.  The n-th allocation can
 * be refused and the n-th poll can ask to stop.
 */
#ifndef CHURNOPS_TEST_HOST_H
#define CHURNOPS_TEST_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/host.h"
#include "core/status.h"

typedef struct TestHost
{
	Host		host;			/* hand out &t->host */
	struct TestBlock *blocks;	/* all live blocks */
	size_t		n_blocks;
	size_t		live_bytes;
	size_t		peak_bytes;
	size_t		n_allocations;	/* new blocks and blocks made larger, refused ones included */
	size_t		n_refused;
	size_t		n_polls;
	size_t		n_errors;		/* wrong old size, damaged guard; each is printed */

	/* May be set after test_host_begin(); counts start at 1, 0 means never. */
	size_t		fail_at;		/* refuse this allocation */
	bool		fail_on;		/* … and every later one */
	size_t		cancel_at;		/* say "stop" at this poll and ever after */
	size_t		budget_bytes;	/* refuse what would exceed this; 0: no bound */
} TestHost;

extern void test_host_begin(TestHost *t);

/*
 * True when nothing is left allocated and nothing was found wrong, else
 * prints what is: tap_ok(test_host_end(&t), "no leak").  Frees what leaked; t
 * must be begun again before reuse.
 */
extern bool test_host_end(TestHost *t);

/*
 * How much work a test does: much, or little where TEST_SHORT is set, as
 * check-valgrind does.  Little has to walk every path and level, too.
 */
extern uint64_t test_amount(uint64_t much, uint64_t little);

/*
 * A call under test.  It must free whatever a successful call hands out, and
 * do the same work each time.
 */
typedef Status (*TestCall) (const Host *host, void *arg, Failure *why);

/*
 * Refuse allocation 1, 2, 3, … of the call until it is not reached any more;
 * first only that one, then all from it on.  True when each refused run
 * returned STATUS_NO_MEMORY with a text and no leak, the last run STATUS_OK,
 * and a run met the refusal of number min_steps or a later one.  Shrinking a
 * block is never refused.  From 64 on (16, with little work) the steps become longer.
 */
extern bool test_sweep_memory(TestCall call, void *arg, size_t min_steps);

/* The same for polls and STATUS_CANCELLED. */
extern bool test_sweep_cancel(TestCall call, void *arg, size_t min_steps);

/* Both; use as tap_ok(test_sweep(…), "survives refusal and cancel: …"). */
extern bool test_sweep(TestCall call, void *arg, size_t min_refusals, size_t min_cancels);

#endif
