/*
 * memory.c
 *	  Checked allocation on a Host.
 */
#include "core/memory.h"

#include <string.h>

/* Store a pointer in a variable of any pointer type, which may not alias void *. */
static void
put_pointer(void *out, void *pointer)
{
	memcpy(out, &pointer, sizeof(pointer));
}

static Status
refused(size_t count, size_t size, Failure *why)
{
	fail(why, STATUS_NO_MEMORY, "out of memory");
	if (size == 1)
		fail_detail(why, "A request for %zu bytes was refused.", count);
	else
		fail_detail(why, "A request for %zu elements of %zu bytes was refused.", count, size);
	return STATUS_NO_MEMORY;
}

static bool
product_fits(size_t count, size_t size)
{
	return size == 0 || count <= SIZE_MAX / size;
}

Status
memory_new_raw(const Host *host, size_t count, size_t size, void *out, Failure *why)
{
	void	   *block;

	put_pointer(out, NULL);
	if (!product_fits(count, size))
		return refused(count, size, why);
	if (count * size == 0)
		return STATUS_OK;
	block = host->realloc(host->ctx, NULL, 0, count * size);
	if (block == NULL)
		return refused(count, size, why);
	put_pointer(out, block);
	return STATUS_OK;
}

Status
memory_new(const Host *host, size_t count, size_t size, void *out, Failure *why)
{
	Status		status = memory_new_raw(host, count, size, out, why);
	void	   *block;

	memcpy(&block, out, sizeof(block));
	if (status == STATUS_OK && block != NULL)
		memset(block, 0, count * size);
	return status;
}

Status
memory_grow(const Host *host, void *block, size_t *capacity, size_t needed, size_t size,
			Failure *why)
{
	size_t		enough = needed;
	void	   *old_block;
	void	   *new_block;

	if (needed <= *capacity)
		return STATUS_OK;
	if (!product_fits(needed, size))
		return refused(needed, size, why);
	if (*capacity <= SIZE_MAX - *capacity / 2)
	{
		size_t		half_more = *capacity + *capacity / 2;

		if (half_more > enough && product_fits(half_more, size))
			enough = half_more;
	}
	memcpy(&old_block, block, sizeof(old_block));
	new_block = host->realloc(host->ctx, old_block, *capacity * size, enough * size);
	if (new_block == NULL)
		return refused(enough, size, why);
	put_pointer(block, new_block);
	*capacity = enough;
	return STATUS_OK;
}

void
memory_free(const Host *host, void *block, size_t count, size_t size)
{
	if (block != NULL)
		(void) host->realloc(host->ctx, block, count * size, 0);
}

Status
host_poll(const Host *host, Failure *why)
{
	if (host->cancelled(host->ctx))
		return fail(why, STATUS_CANCELLED, "canceled on request");
	return STATUS_OK;
}
