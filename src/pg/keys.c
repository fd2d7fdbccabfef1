/*
 * keys.c
 *	  Fingerprints of keys in the catalogue.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "pg/catalog.h"
#include "pg/compat.h"
#include "pg/keys.h"

/* Where in the chunks of a version we are. */
typedef struct StoredKeys
{
	MemoryContext context;		/* of the chunk at hand */
	Datum		dataset;
	int32		version;
	int32		chunk;			/* the next one */
	bytea	   *bytes;
	Size		n;				/* entries of the chunk */
	Size		next;
} StoredKeys;

/* Read the next chunk; false if there is none. */
static bool
next_chunk(StoredKeys *keys)
{
	MemoryContext caller = CurrentMemoryContext;
	Oid			types[] = {TEXTOID, INT4OID, INT4OID};
	Datum		values[3];
	bool		is_null;
	bool		found;

	values[0] = keys->dataset;
	values[1] = Int32GetDatum(keys->version);
	values[2] = Int32GetDatum(keys->chunk++);
	if (catalog_execute("SELECT bytes FROM churnops.dataset_keys "
						"WHERE dataset = $1 AND version = $2 AND chunk = $3", 3, types, values,
						NULL) != SPI_OK_SELECT)
		elog(ERROR, "could not read the fingerprints of a dataset");
	found = SPI_processed > 0;
	if (found)
	{
		MemoryContextReset(keys->context);
		MemoryContextSwitchTo(keys->context);
		keys->bytes = DatumGetByteaPCopy(SPI_getbinval(SPI_tuptable->vals[0],
													   SPI_tuptable->tupdesc, 1, &is_null));
		keys->n = (VARSIZE(keys->bytes) - VARHDRSZ) / DATASET_ENTRY_BYTES;
		keys->next = 0;
	}
	SPI_freetuptable(SPI_tuptable);
	MemoryContextSwitchTo(caller);
	return found;
}

/* DatasetKeys.next */
static const uint8_t *
next_entry(void *ctx)
{
	StoredKeys *keys = ctx;

	while (keys->next >= keys->n)
	{
		if (!next_chunk(keys))
			return NULL;
	}
	return (const uint8_t *) VARDATA(keys->bytes) + keys->next++ * DATASET_ENTRY_BYTES;
}

void
keys_stored(const char *dataset, int32 version, DatasetKeys *out)
{
	StoredKeys *keys = palloc0(sizeof(StoredKeys));

	keys->context = AllocSetContextCreate(CurrentMemoryContext, "churnops fingerprints",
										  ALLOCSET_DEFAULT_SIZES);
	keys->dataset = CStringGetTextDatum(dataset);
	keys->version = version;
	out->next = next_entry;
	out->ctx = keys;
}

/* Store a chunk. */
static void
store_chunk(Datum dataset, int32 version, int32 chunk, bytea *bytes)
{
	Oid			types[] = {TEXTOID, INT4OID, INT4OID, BYTEAOID};
	Datum		values[4];

	values[0] = dataset;
	values[1] = Int32GetDatum(version);
	values[2] = Int32GetDatum(chunk);
	values[3] = PointerGetDatum(bytes);
	(void) catalog_execute("SELECT churnops.add_dataset_keys($1, $2, $3, $4)", 4, types, values,
						   NULL);
	SPI_freetuptable(SPI_tuptable);
}

void
keys_store(const char *dataset, int32 version, const DatasetKeys *keys)
{
	Datum		name = CStringGetTextDatum(dataset);
	bytea	   *bytes = palloc(VARHDRSZ + KEYS_CHUNK_ENTRIES * DATASET_ENTRY_BYTES);
	MemoryContext context = CurrentMemoryContext;
	int32		chunk = 0;
	Size		n;

	do
	{
		const uint8_t *entry;

		for (n = 0; n < KEYS_CHUNK_ENTRIES && (entry = keys->next(keys->ctx)) != NULL; n++)
			memcpy(VARDATA(bytes) + n * DATASET_ENTRY_BYTES, entry, DATASET_ENTRY_BYTES);
		SET_VARSIZE(bytes, VARHDRSZ + n * DATASET_ENTRY_BYTES);
		if (n > 0)
			store_chunk(name, version, chunk++, bytes);
		MemoryContextSwitchTo(context);
		CHECK_FOR_INTERRUPTS();
	} while (n == KEYS_CHUNK_ENTRIES);
}
