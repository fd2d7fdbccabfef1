/*
 * cache.c
 *	  The decoded models of this backend.
 *
 * Reading and decoding an artifact takes milliseconds, scoring a row less than
 * one of them in a thousand; so decoded models are kept.  They are kept by the
 * digest of their bytes: the artifact of a digest can never change, hence an
 * entry can never be stale and nothing is ever invalidated.  Which digest a
 * reference means, and whether the caller may use it, is reference.c's matter
 * and asked for every statement.
 *
 * Each model lives in a memory context of its own, a child of one context of
 * the cache, so that evicting is one MemoryContextDelete() and the views on
 * memory contexts show every model by name and size.  It is decoded in a
 * context that belongs to the running query and is moved below the cache only
 * when it is complete: whatever goes wrong before leaves no trace.
 *
 * A new entry evicts the least recently used until the sum is below
 * churnops.cache_size; a model that is larger alone is decoded by every query,
 * and evicted when its pins end.  Pinned models stay: a query that scores with two large
 * models in turn would otherwise decode them again for every row.  The pins of
 * a call site end with its memory context, so what is kept beyond the setting
 * is bounded by the running queries.
 *
 * The bytes are not trusted.  The digest is compared when they are read, and
 * the decoder checks everything before it uses it.
 */
#include "postgres.h"

#include "lib/ilist.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "pg/cache.h"
#include "pg/catalog.h"
#include "pg/compat.h"
#include "pg/digest.h"
#include "pg/guc.h"
#include "pg/host.h"
#include "pg/report.h"

#define DIGEST_DIGITS 64
#define FIRST_ENTRIES 16

typedef struct CacheEntry
{
	CachedModel model;			/* first: callers see this; its context holds all of the entry */
	dlist_node	node;			/* in recently_used */
	PgHost		host;
	Size		n_bytes;
	int			pins;
} CacheEntry;

/* An element of the hash table, by digest. */
typedef struct CacheSlot
{
	char		digest[DIGEST_DIGITS];
	CacheEntry *entry;
} CacheSlot;

static MemoryContext cache_context = NULL;
static HTAB *slots = NULL;
static dlist_head recently_used = DLIST_STATIC_INIT(recently_used); /* newest first */
static Size total_bytes = 0;

static void
prepare_cache(void)
{
	HASHCTL		control = {.keysize = DIGEST_DIGITS, .entrysize = sizeof(CacheSlot)};

	if (slots != NULL)
		return;
	if (cache_context == NULL)
		cache_context = AllocSetContextCreate(TopMemoryContext, "churnops model cache",
											  ALLOCSET_SMALL_SIZES);
	control.hcxt = cache_context;
	slots = hash_create("churnops models", FIRST_ENTRIES, &control,
						HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

static void
evict(CacheEntry *entry)
{
	(void) hash_search(slots, entry->model.digest, HASH_REMOVE, NULL);
	dlist_delete(&entry->node);
	total_bytes -= entry->n_bytes;
	MemoryContextDelete(entry->model.context);
}

/* Evict from the end of the list until the rest fits, but never `kept`. */
static void
trim(const CacheEntry *kept)
{
	Size		limit = (Size) guc_cache_size * 1024;
	dlist_node *node = dlist_is_empty(&recently_used) ? NULL : dlist_tail_node(&recently_used);

	while (node != NULL && total_bytes > limit)
	{
		CacheEntry *entry = dlist_container(CacheEntry, node, node);

		node = dlist_has_prev(&recently_used, node) ?
			dlist_prev_node(&recently_used, node) : NULL;
		if (entry->pins == 0 && entry != kept)
			evict(entry);
	}
}

static void
report_damage(const Resolved *version, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("artifact of version %d of model \"%s\" is damaged", version->version,
					version->model),
			 errdetail("%s", detail),
			 errhint("Restore table churnops.version from a backup, or promote another version.")));
}

/* The bytes of the artifact, in the current memory context, checked against their digest. */
static struct varlena *
read_artifact(const Resolved *version)
{
	ProbeKey	keys[] = {
		{.column = "model", .text = version->model},
		{.column = "version", .number = version->version},
	};
	char	   *digest;
	struct varlena *artifact = NULL;
	Probe		probe;
	bool		is_null;

	if (probe_begin(&probe, "version", "version_pkey", keys, lengthof(keys)))
		artifact = PG_DETOAST_DATUM_COPY(probe_value(&probe, "artifact", &is_null));
	probe_end(&probe);
	if (artifact == NULL)
		elog(ERROR, "version %d of model \"%s\" has gone", version->version, version->model);
	digest = digest_bytes(VARDATA(artifact), VARSIZE(artifact) - VARHDRSZ);
	if (strcmp(digest, version->digest) != 0)
		report_damage(version, psprintf("Its SHA-256 digest is %s, but %s is on record.", digest,
										version->digest));
	return artifact;
}

/* Decode into a context of its own, a child of the current one. */
static CacheEntry *
load(const Resolved *version)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "churnops model",
												  ALLOCSET_DEFAULT_SIZES);
	CacheEntry *entry = MemoryContextAllocZero(context, sizeof(CacheEntry));
	struct varlena *artifact = read_artifact(version);
	Failure		why;
	Status		status;

	pg_host_init(&entry->host, context, 0);
	status = forest_decode(&entry->host.host, (const uint8_t *) VARDATA(artifact),
						   VARSIZE(artifact) - VARHDRSZ, &entry->model.forest, &why);
	if (status == STATUS_CORRUPT)
		report_damage(version, psprintf("Decoding failed: %s.", report_text(why.text)));
	report_status(status, &why);
	pfree(artifact);
	strlcpy(entry->model.digest, version->digest, sizeof(entry->model.digest));
	entry->model.context = context;
	MemoryContextSetIdentifier(context, MemoryContextStrdup(context, psprintf("%s/%d",
																			   version->model,
																			   version->version)));
	entry->n_bytes = MemoryContextMemAllocated(context, true);
	return entry;
}

static CacheEntry *
find_or_load(const Resolved *version)
{
	CacheSlot  *slot;
	CacheEntry *entry;

	prepare_cache();
	slot = hash_search(slots, version->digest, HASH_FIND, NULL);
	if (slot != NULL)
	{
		dlist_move_head(&recently_used, &slot->entry->node);
		return slot->entry;
	}
	entry = load(version);
	slot = hash_search(slots, version->digest, HASH_ENTER, NULL);
	slot->entry = entry;
	dlist_push_head(&recently_used, &entry->node);
	total_bytes += entry->n_bytes;
	MemoryContextSetParent(entry->model.context, cache_context);
	trim(entry);
	return entry;
}

CachedModel *
cache_model(const Resolved *version)
{
	CacheEntry *entry = find_or_load(version);

	entry->host.host.cpu_limit = (CpuLevel) guc_instruction_set;
	return &entry->model;
}

void
cache_pin(CachedModel *model)
{
	((CacheEntry *) model)->pins++;
}

void
cache_unpin(CachedModel *model)
{
	((CacheEntry *) model)->pins--;
	trim(NULL);
}

static void
unpin_callback(void *model)
{
	cache_unpin(model);
}

void
cache_pin_in_context(CachedModel *model, MemoryContext context)
{
	MemoryContextCallback *callback = MemoryContextAlloc(context, sizeof(*callback));

	callback->func = unpin_callback;
	callback->arg = model;
	cache_pin(model);
	MemoryContextRegisterResetCallback(context, callback);
}
