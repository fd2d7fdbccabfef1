/*
 * cache.c
 *	  The decoded models of this backend.
 *
 * Reading and checking an artifact takes milliseconds, scoring a row less than
 * one of them in a hundred; so models are kept.  They are kept by the
 * digest of their bytes: the artifact of a digest can never change, hence an
 * entry can never be stale and nothing is ever invalidated.  Which digest a
 * reference means, and whether the caller may use it, is reference.c's matter
 * and asked for every statement.
 *
 * Each model lives in a memory context of its own, a child of one context of
 * the cache, so that evicting is one MemoryContextDelete() and the views on
 * memory contexts show every model by name and size.  It is opened in a
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
 * An entry is at first the artifact itself, on which the first rows are scored.
 * When these are many enough the library makes the form of the model that is
 * scored faster (forest_expect()), and the artifact is let go.
 *
 * The bytes are not trusted.  Their checksum is compared, and the library checks
 * everything before it uses it.  Whether they are those of the digest is not
 * asked, which would take as long: whoever can write the one can write the
 * other.
 */
#include "postgres.h"

#include <sys/mman.h>
#include <unistd.h>

#include "access/detoast.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/toast_internals.h"
#include "lib/ilist.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "pg/cache.h"
#include "pg/catalog.h"
#include "pg/compat.h"
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
	struct varlena *artifact;	/* while the model is its bytes, else NULL */
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

/*
 * Have the pages of a block at once: writing to each for the first time takes
 * longer than reading an artifact.  Systems that cannot, need not.
 */
static void
populate(void *block, Size n_bytes)
{
#ifdef MADV_POPULATE_WRITE
	uintptr_t	page = (uintptr_t) sysconf(_SC_PAGESIZE);
	uintptr_t	begin = ((uintptr_t) block + page - 1) & ~(page - 1);
	uintptr_t	end = ((uintptr_t) block + n_bytes) & ~(page - 1);

	if (begin < end)
		(void) madvise((void *) begin, end - begin, MADV_POPULATE_WRITE);
#endif
}

/*
 * A value, in the current memory context.  One that is stored apart and as it
 * is, as artifacts of any size are, goes straight into memory prepared for it.
 */
static struct varlena *
read_value(Datum value)
{
	struct varlena *stored = (struct varlena *) DatumGetPointer(value);
	struct varatt_external where;
	struct varlena *result;
	Relation	table;
	Size		n_bytes;

	if (!VARATT_IS_EXTERNAL_ONDISK(stored))
		return PG_DETOAST_DATUM_COPY(value);
	VARATT_EXTERNAL_GET_POINTER(where, stored);
	if (VARATT_EXTERNAL_IS_COMPRESSED(where))
		return PG_DETOAST_DATUM_COPY(value);
	n_bytes = VARATT_EXTERNAL_GET_EXTSIZE(where);
	result = palloc(n_bytes + VARHDRSZ);
	populate(result, n_bytes + VARHDRSZ);
	SET_VARSIZE(result, n_bytes + VARHDRSZ);
	table = table_open(where.va_toastrelid, AccessShareLock);
	table_relation_fetch_toast_slice(table, where.va_valueid, n_bytes, 0, n_bytes, result);
	table_close(table, AccessShareLock);
	return result;
}

/* The bytes of the artifact, in the current memory context. */
static struct varlena *
read_artifact(const Resolved *version)
{
	ProbeKey	keys[] = {
		{.column = "model", .text = version->model},
		{.column = "version", .number = version->version},
	};
	struct varlena *artifact = NULL;
	Probe		probe;
	bool		is_null;

	if (probe_begin(&probe, "version", "version_pkey", keys, lengthof(keys)))
		artifact = read_value(probe_value(&probe, "artifact", &is_null));
	probe_end(&probe);
	if (artifact == NULL)
		elog(ERROR, "version %d of model \"%s\" has gone", version->version, version->model);
	return artifact;
}

/* Into a context of its own, a child of the current one. */
static CacheEntry *
load(const Resolved *version)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "churnops model",
												  ALLOCSET_DEFAULT_SIZES);
	CacheEntry *entry = MemoryContextAllocZero(context, sizeof(CacheEntry));
	MemoryContext caller;
	Failure		why;
	Status		status;

	pg_host_init(&entry->host, context, 0);
	caller = MemoryContextSwitchTo(context);
	entry->artifact = read_artifact(version);
	(void) MemoryContextSwitchTo(caller);
	status = forest_open(&entry->host.host, (const uint8_t *) VARDATA(entry->artifact),
						 VARSIZE(entry->artifact) - VARHDRSZ, &entry->model.forest, &why);
	if (status == STATUS_CORRUPT)
		report_damage(version, psprintf("Decoding failed: %s.", report_text(why.text)));
	report_status(status, &why);
	strlcpy(entry->model.digest, version->digest, sizeof(entry->model.digest));
	entry->model.context = context;
	MemoryContextSetIdentifier(context, MemoryContextStrdup(context, psprintf("%s/%d",
																			   version->model,
																			   version->version)));
	return entry;
}

/* Count what an entry takes now. */
static void
account(CacheEntry *entry)
{
	total_bytes -= entry->n_bytes;
	entry->n_bytes = MemoryContextMemAllocated(entry->model.context, true);
	total_bytes += entry->n_bytes;
}

void
cache_expect(CachedModel *model, Size n_rows)
{
	CacheEntry *entry = (CacheEntry *) model;

	if (likely(entry->artifact == NULL))
		return;
	forest_expect(model->forest, n_rows);
	if (forest_model_is_bytes(model->forest))
		return;
	pfree(entry->artifact);
	entry->artifact = NULL;
	account(entry);
	trim(entry);
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
	MemoryContextSetParent(entry->model.context, cache_context);
	account(entry);
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
