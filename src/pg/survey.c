/*
 * survey.c
 *	  The rows of a query on their way into a version of a dataset.
 *
 * A row is read once (reader.c).  Its canonical bytes give its hash, for the
 * digest, and are what a copy keeps; its cells go into the profile.  Where a
 * key is named, the row gets an entry of 24 bytes: 16 of SHA-256 over the
 * dataset's salt and the key's canonical bytes, which nobody can invert or
 * make collide on purpose, and 8 of a hash over the salt and the row's hash,
 * which only has to tell a changed row from an unchanged one.
 *
 * Nothing can be stored while the query runs, and whether the version is a new
 * one shows only at its end.  So entries stay in memory, or in a sort if
 * they take more than maintenance_work_mem, and chunks go into a temporary
 * file; files obey temp_file_limit.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/cryptohash.h"
#include "common/sha2.h"
#include "miscadmin.h"
#include "storage/buffile.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/typcache.h"

#include "pg/budget.h"
#include "pg/columns.h"
#include "pg/compat.h"
#include "pg/json.h"
#include "pg/keys.h"
#include "pg/policy.h"
#include "pg/report.h"
#include "pg/survey.h"

/* A chunk is closed when its rows take so many bytes, before compression. */
#define CHUNK_BYTES ((Size) 1024 * 1024)
/* More than this in one row would not fit into a line of a dump. */
#define ROW_MAX_BYTES ((Size) 200 * 1024 * 1024)

struct Survey
{
	MemoryContext context;
	ResourceOwner owner;
	PgHost		host;
	Dataset		dataset;		/* its columns and sum alone */
	Reader		reader;
	Datum	   *values;			/* of the row at hand, not toasted */
	DatasetProfile *profile;
	DatasetCell *cells;			/* of the row at hand, for the profile */
	const DatasetColumnProfile *profiles;	/* of the columns, at the end */
	bool		payloads_needed;	/* some column's cell is its canonical payload */

	const uint8 *salt;
	pg_cryptohash_ctx *sha;
	bool		has_key;
	uint8	   *entries;		/* as long as they fit into memory */
	Size		n_entries;
	Size		entry_capacity;
	Size		next_entry;
	Tuplesortstate *keys;		/* else; NULL before */

	DatasetChunk *chunk;		/* NULL if nothing is kept, as the file */
	BufFile    *copy;
};

/* What is to be read of each column. */
static void
prepare_reader(Survey *s)
{
	int			n = s->dataset.n_columns;
	ReaderColumn *columns = palloc0(n * sizeof(ReaderColumn));
	ForestCell *cells = palloc0(n * sizeof(ForestCell));

	for (int i = 0; i < n; i++)
	{
		DatasetColumn *from = &s->dataset.columns[i];

		columns[i].type = &from->type;
		columns[i].cell = &cells[i];
		columns[i].varlena = from->varlena;
		columns[i].is_key = from->role == COLUMN_KEY;
		columns[i].wants_cell = from->type.supported;
	}
	reader_begin(&s->reader, columns, n);
}

/* Is a column profiled by its numbers? */
static bool
is_number(const DatasetColumn *column)
{
	return column->type.supported && column->type.kind != FOREST_CATEGORY;
}

static void
prepare_profile(Survey *s)
{
	int			n = s->dataset.n_columns;
	bool	   *numbers = palloc(n * sizeof(bool));
	Failure		why;

	for (int i = 0; i < n; i++)
	{
		numbers[i] = is_number(&s->dataset.columns[i]);
		s->payloads_needed |= !numbers[i];
	}
	s->cells = palloc0(n * sizeof(DatasetCell));
	budget_check(&s->host, dataset_profile_new(&s->host.host, numbers, (uint32_t) n, &s->profile,
											   &why), &why);
}

Survey *
survey_new(TupleDesc columns, List *key, const uint8 *salt, bool keep)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "churnops survey",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	Survey	   *s = palloc0(sizeof(Survey));
	Failure		why;

	s->context = context;
	s->owner = CurrentResourceOwner;
	s->salt = salt;
	pg_host_init(&s->host, AllocSetContextCreate(context, "churnops survey data",
												 ALLOCSET_DEFAULT_SIZES), budget_bytes());
	columns_survey(columns, key, &s->dataset);
	s->values = palloc(s->dataset.n_columns * sizeof(Datum));
	prepare_reader(s);
	prepare_profile(s);
	if (key != NIL)
	{
		s->sha = pg_cryptohash_create(PG_SHA256);
		if (s->sha == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_OUT_OF_MEMORY),
					 errmsg("out of memory")));
		s->has_key = true;
	}
	if (keep)
	{
		budget_check(&s->host, dataset_chunk_new(&s->host.host, (uint32_t) s->dataset.n_columns,
												 &s->chunk, &why), &why);
		s->copy = BufFileCreateTemp(false);
	}
	MemoryContextSwitchTo(old);
	return s;
}

void
survey_free(Survey *s)
{
	if (s->keys != NULL)
		tuplesort_end(s->keys);
	if (s->copy != NULL)
		BufFileClose(s->copy);
	if (s->sha != NULL)
		pg_cryptohash_free(s->sha);
	dataset_chunk_free(s->chunk);
	dataset_profile_free(s->profile);
	MemoryContextDelete(s->context);
}

/* -------------------------------------------------------------- a row -- */

/* The first bytes of SHA-256 over a salt and more bytes. */
static void
salted_digest(pg_cryptohash_ctx *sha, const uint8 *salt, const void *bytes, Size n_bytes,
			  uint8 out[DATASET_KEY_BYTES])
{
	uint8		digest[PG_SHA256_DIGEST_LENGTH];

	if (pg_cryptohash_init(sha) < 0 ||
		pg_cryptohash_update(sha, salt, SOURCE_SALT_BYTES) < 0 ||
		pg_cryptohash_update(sha, bytes, n_bytes) < 0 ||
		pg_cryptohash_final(sha, digest, sizeof(digest)) < 0)
		elog(ERROR, "could not compute a SHA-256 digest: %s", pg_cryptohash_error(sha));
	memcpy(out, digest, DATASET_KEY_BYTES);
}

void
survey_fingerprint(const uint8 *salt, const void *bytes, Size n_bytes,
				   uint8 out[DATASET_KEY_BYTES])
{
	pg_cryptohash_ctx *sha = pg_cryptohash_create(PG_SHA256);

	if (sha == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
	salted_digest(sha, salt, bytes, n_bytes, out);
	pg_cryptohash_free(sha);
}

/* Give an entry to the server's sort, whose files shall live as long as the survey. */
static void
sort_entry(Survey *s, const uint8 *bytes)
{
	struct
	{
		int32		header;
		uint8		bytes[DATASET_ENTRY_BYTES];
	}			entry;
	ResourceOwner owner = CurrentResourceOwner;

	SET_VARSIZE(&entry, sizeof(entry));
	memcpy(entry.bytes, bytes, DATASET_ENTRY_BYTES);
	CurrentResourceOwner = s->owner;
	tuplesort_putdatum(s->keys, PointerGetDatum(&entry), false);
	CurrentResourceOwner = owner;
}

/* There are more entries than maintenance_work_mem holds: sort them by files. */
static void
leave_memory(Survey *s)
{
	MemoryContext old = MemoryContextSwitchTo(s->context);
	ResourceOwner owner = CurrentResourceOwner;

	CurrentResourceOwner = s->owner;
	s->keys = tuplesort_begin_datum(BYTEAOID,
									lookup_type_cache(BYTEAOID, TYPECACHE_LT_OPR)->lt_opr,
									InvalidOid, false, maintenance_work_mem, NULL,
									TUPLESORT_NONE);
	CurrentResourceOwner = owner;
	MemoryContextSwitchTo(old);
	for (Size i = 0; i < s->n_entries; i++)
		sort_entry(s, s->entries + i * DATASET_ENTRY_BYTES);
	pfree(s->entries);
	s->entries = NULL;
}

/* Make room for one more entry in memory; false if there is none. */
static bool
entry_fits(Survey *s)
{
	Size		most = (Size) maintenance_work_mem * 1024 / DATASET_ENTRY_BYTES;

	if (s->n_entries < s->entry_capacity)
		return true;
	if (s->n_entries >= most)
		return false;
	s->entry_capacity = Min(most, Max(2 * s->entry_capacity, KEYS_CHUNK_ENTRIES));
	s->entries = s->entries == NULL ?
		MemoryContextAllocHuge(s->context, s->entry_capacity * DATASET_ENTRY_BYTES) :
		repalloc_huge(s->entries, s->entry_capacity * DATASET_ENTRY_BYTES);
	return true;
}

/* Make the entry of a row. */
static void
add_entry(Survey *s, Hash128 hash)
{
	uint8		row[SOURCE_SALT_BYTES + sizeof(Hash128)];
	uint8		entry[DATASET_ENTRY_BYTES];
	uint64		row_hash;

	salted_digest(s->sha, s->salt, s->reader.group.data,
				  s->reader.group.next - s->reader.group.data, entry);
	hash.lo = pg_hton64(hash.lo);
	hash.hi = pg_hton64(hash.hi);
	memcpy(row, s->salt, SOURCE_SALT_BYTES);
	memcpy(row + SOURCE_SALT_BYTES, &hash, sizeof(hash));
	row_hash = pg_hton64(hash_bytes(row, sizeof(row)).lo);
	memcpy(entry + DATASET_KEY_BYTES, &row_hash, DATASET_ROW_BYTES);
	if (s->keys == NULL && !entry_fits(s))
		leave_memory(s);
	if (s->keys != NULL)
		sort_entry(s, entry);
	else
		memcpy(s->entries + s->n_entries++ * DATASET_ENTRY_BYTES, entry, DATASET_ENTRY_BYTES);
}

/* The cells of the row at hand for the profile. */
static void
make_cells(Survey *s)
{
	const uint8 *at = (const uint8 *) s->reader.all.data;
	const uint8 *end = (const uint8 *) s->reader.all.next;

	for (int i = 0; i < s->dataset.n_columns; i++)
	{
		DatasetValue value;
		DatasetCell *cell = &s->cells[i];

		if (s->payloads_needed)
		{
			at = dataset_value(at, end, &value);
			cell->missing = value.tag == DATASET_TAG_NULL;
			cell->text = (const char *) value.bytes;
			cell->n_bytes = value.n_bytes;
		}
		if (is_number(&s->dataset.columns[i]))
		{
			cell->missing = s->reader.columns[i].cell->missing;
			cell->number = s->reader.columns[i].cell->number;
		}
	}
}

/* Write the chunk at hand to the file: its size, its rows, its bytes. */
static void
flush_chunk(Survey *s)
{
	uint32		header[2];
	const uint8_t *bytes;
	size_t		n_bytes;
	Failure		why;

	if (dataset_chunk_rows(s->chunk) == 0)
		return;
	header[1] = dataset_chunk_rows(s->chunk);
	budget_check(&s->host, dataset_chunk_encode(s->chunk, &bytes, &n_bytes, &why), &why);
	header[0] = (uint32) n_bytes;
	BufFileWrite(s->copy, header, sizeof(header));
	BufFileWrite(s->copy, unconstify(uint8_t *, bytes), n_bytes);
}

/* Keep the row at hand. */
static void
keep_row(Survey *s)
{
	Size		n_bytes = s->reader.all.next - s->reader.all.data;
	Failure		why;

	if (n_bytes > ROW_MAX_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a row takes %s, at most %s can be kept", budget_text(n_bytes),
						budget_text(ROW_MAX_BYTES)),
				 errhint("Leave long texts out of the query, or register it without keep.")));
	budget_check(&s->host, dataset_chunk_add(s->chunk, s->reader.all.data, n_bytes, &why), &why);
	if (dataset_chunk_bytes(s->chunk) >= CHUNK_BYTES)
		flush_chunk(s);
}

void
survey_row(void *ctx, TupleTableSlot *slot)
{
	Survey	   *s = ctx;
	Dataset    *d = &s->dataset;
	Hash128		hash;
	Failure		why;

	memcpy(s->values, slot->tts_values, d->n_columns * sizeof(Datum));
	reader_row(&s->reader, s->values, slot->tts_isnull);
	hash = hash_bytes(s->reader.all.data, s->reader.all.next - s->reader.all.data);
	hash_sum_add(&d->sum, hash);
	d->n_rows++;
	make_cells(s);
	budget_check(&s->host, dataset_profile_add(s->profile, s->cells, hash, &why), &why);
	if (s->has_key)
		add_entry(s, hash);
	if (s->copy != NULL)
		keep_row(s);
}

/* ------------------------------------------------------------ the result -- */

/* For qsort() */
static int
compare_entries(const void *a, const void *b)
{
	return memcmp(a, b, DATASET_ENTRY_BYTES);
}

void
survey_finish(Survey *s)
{
	Failure		why;

	budget_check(&s->host, dataset_profile_finish(s->profile, &s->profiles, &why), &why);
	if (s->keys != NULL)
		tuplesort_performsort(s->keys);
	else if (s->n_entries > 0)
		qsort(s->entries, s->n_entries, DATASET_ENTRY_BYTES, compare_entries);
	if (s->copy == NULL)
		return;
	flush_chunk(s);
	if (BufFileSeek(s->copy, 0, 0, SEEK_SET) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not rewind a temporary file: %m")));
}

uint64
survey_n_rows(const Survey *s)
{
	return s->dataset.n_rows;
}

char *
survey_digest(const Survey *s)
{
	return dataset_digest(&s->dataset);
}

int
survey_n_columns(const Survey *s)
{
	return s->dataset.n_columns;
}

const DatasetColumn *
survey_column(const Survey *s, int i, const DatasetColumnProfile **profile)
{
	*profile = &s->profiles[i];
	return &s->dataset.columns[i];
}

/* Names of types shall not depend on the caller's search_path. */
static char *
qualified_type(Oid type)
{
	return format_type_extended(type, -1, FORMAT_TYPE_FORCE_QUALIFY);
}

char *
survey_columns(const Survey *s)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoChar(&out, '[');
	for (int i = 0; i < s->dataset.n_columns; i++)
	{
		const DatasetColumn *column = &s->dataset.columns[i];

		json_separate(&out);
		appendStringInfoChar(&out, '{');
		json_text(&out, "name", column->name);
		json_text(&out, "type", column->type_name);
		json_text(&out, "base", qualified_type(column->type.base));
		json_integer(&out, "tag", datum_canonical_tag(&column->type));
		json_text(&out, "kind", column->type.supported ? forest_kind_name(column->type.kind)
				  : NULL);
		appendStringInfoChar(&out, '}');
	}
	appendStringInfoChar(&out, ']');
	return out.data;
}

/* The member `values`: [{value, n}], most frequent first. */
static void
write_values(StringInfo out, const DatasetColumnProfile *profile)
{
	json_key(out, "values");
	appendStringInfoChar(out, '[');
	for (size_t i = 0; i < profile->n_counts; i++)
	{
		const DatasetCount *count = &profile->counts[i];

		json_separate(out);
		appendStringInfoChar(out, '{');
		if (profile->is_number)
			json_number(out, "value", count->number);
		else
			json_utf8(out, "value", pnstrdup(count->text, count->n_bytes));
		json_integer(out, "n", (int64) count->n);
		appendStringInfoChar(out, '}');
	}
	appendStringInfoChar(out, ']');
}

/* The member `percentiles`: 101 numbers. */
static void
write_percentiles(StringInfo out, const DatasetColumnProfile *profile)
{
	json_key(out, "percentiles");
	appendStringInfoChar(out, '[');
	for (size_t i = 0; i < profile->n_percentiles; i++)
	{
		json_separate(out);
		appendStringInfoString(out, float8out_internal(profile->percentiles[i]));
	}
	appendStringInfoChar(out, ']');
}

/* The profile of a column; of a key, or what is no text, counts alone. */
static void
write_profile(const DatasetColumn *column, const DatasetColumnProfile *profile, StringInfo out)
{
	bool		countable = column->role != COLUMN_KEY &&
		datum_canonical_tag(&column->type) != TAG_BYTEA;

	appendStringInfoChar(out, '{');
	json_text(out, "name", column->name);
	json_integer(out, "n_null", (int64) profile->n_null);
	json_number(out, "n_distinct", profile->n_distinct);
	json_value(out, "n_distinct_exact", profile->distinct_exact ? "true" : "false");
	if (countable && profile->is_number)
	{
		json_number(out, "min", profile->min);
		json_number(out, "max", profile->max);
		json_number(out, "mean", profile->mean);
		json_number(out, "sd", profile->sd);
		json_integer(out, "n_zero", (int64) profile->n_zero);
		json_integer(out, "n_negative", (int64) profile->n_negative);
		json_integer(out, "n_infinite", (int64) profile->n_infinite);
	}
	else if (countable && !isnan(profile->mean_length))
	{
		json_integer(out, "min_length", (int64) profile->min_length);
		json_integer(out, "max_length", (int64) profile->max_length);
		json_number(out, "mean_length", profile->mean_length);
	}
	if (countable)
	{
		json_integer(out, "n_counted", (int64) profile->n_sampled);
		if (profile->n_percentiles > 0 && !profile->counts_exact)
			write_percentiles(out, profile);
		else
			write_values(out, profile);
	}
	appendStringInfoChar(out, '}');
}

char *
survey_profile(const Survey *s)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoChar(&out, '[');
	for (int i = 0; i < s->dataset.n_columns; i++)
	{
		json_separate(&out);
		write_profile(&s->dataset.columns[i], &s->profiles[i], &out);
	}
	appendStringInfoChar(&out, ']');
	return out.data;
}

/* DatasetKeys.next */
static const uint8_t *
next_entry(void *ctx)
{
	Survey	   *s = ctx;
	Datum		value;
	bool		is_null;

	if (s->keys == NULL)
		return s->next_entry >= s->n_entries ? NULL :
			s->entries + s->next_entry++ * DATASET_ENTRY_BYTES;
	if (!compat_tuplesort_getdatum(s->keys, &value, &is_null))
		return NULL;
	return (const uint8_t *) VARDATA_ANY(DatumGetPointer(value));
}

void
survey_keys(Survey *s, DatasetKeys *out)
{
	out->next = next_entry;
	out->ctx = s;
}

bytea *
survey_chunk(Survey *s, uint32 *n_rows)
{
	uint32		header[2];
	size_t		n_read = BufFileRead(s->copy, header, sizeof(header));
	bytea	   *bytes;

	if (n_read == 0)
		return NULL;
	if (n_read == sizeof(header))
	{
		bytes = palloc(VARHDRSZ + header[0]);
		SET_VARSIZE(bytes, VARHDRSZ + header[0]);
		*n_rows = header[1];
		if (BufFileRead(s->copy, VARDATA(bytes), header[0]) == header[0])
			return bytes;
	}
	ereport(ERROR,
			(errcode_for_file_access(),
			 errmsg("could not read kept rows from a temporary file: %m")));
	return NULL;
}
