/*
 * cache.h
 *	  The models of this backend, by artifact digest, bounded by
 *	  churnops.cache_size, least recently used out.
 */
#ifndef CHURNOPS_PG_CACHE_H
#define CHURNOPS_PG_CACHE_H

#include "forest/forest.h"
#include "pg/reference.h"

/* A cached model with what the binding needs beside the forest itself. */
typedef struct CachedModel
{
	ForestModel *forest;
	char		digest[65];
	MemoryContext context;		/* lives as long: for what is kept with the model */
	struct RowNames *names;		/* row_json.c's; NULL at first */
	struct KeptMaps *maps;		/* row_columns.c's; NULL at first */
} CachedModel;

/*
 * The model of a resolved version: from the cache, else read and checked.  The pointer is valid until the next call of cache_model() in this
 * backend, or while pinned.  The version must have been resolved under the
 * active snapshot.
 */
extern CachedModel *cache_model(const Resolved *version);

/* Rows are about to be scored: to be called before they are, of a pinned model. */
extern void cache_expect(CachedModel *model, Size n_rows);

/*
 * Keep a model while somebody holds its pointer: pins are counted, whoever
 * pins sees to it that cache_unpin() follows, after errors too.
 */
extern void cache_pin(CachedModel *model);
extern void cache_unpin(CachedModel *model);

/* Pin a model until a memory context is reset or deleted. */
extern void cache_pin_in_context(CachedModel *model, MemoryContext context);

#endif
