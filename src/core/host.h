/*
 * host.h
 *	  Everything a pure library needs from outside: memory and the question
 *	  whether to go on.
 *
 * Neither callback may longjmp or raise: a pure function holds resources
 * while it calls them, and releases what it took on every path.
 */
#ifndef CHURNOPS_CORE_HOST_H
#define CHURNOPS_CORE_HOST_H

#include <stdbool.h>
#include <stddef.h>

#include "core/cpu.h"

typedef struct Host
{
	/*
	 * One function for all memory.  p == NULL allocates new_size bytes;
	 * new_size == 0 frees p and returns NULL; otherwise the block of old_size
	 * bytes becomes new_size bytes with its contents kept.  Returns NULL when
	 * the memory is refused, and the old block is then untouched.  Blocks are
	 * aligned to at least 8 bytes; new bytes are not cleared.
	 */
	void	   *(*realloc) (void *ctx, void *p, size_t old_size, size_t new_size);

	/* True when the work shall be abandoned with STATUS_CANCELLED. */
	bool		(*cancelled) (void *ctx);

	void	   *ctx;

	/* Instruction sets above this are not used; CPU_BEST, which is 0, is no limit. */
	CpuLevel	cpu_limit;
} Host;

#endif
