/*
 * schema.c
 *	  The feature contract of a forest: bins of values, and its bytes.
 */
#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "forest/artifact.h"
#include "forest/schema.h"

/* The least that a feature, and a string, take in an artifact. */
#define FEATURE_MIN_BYTES 16
#define STRING_MIN_BYTES 4

/* A shortened category: 192 bytes, "…", 32 hexadecimal digits. */
#define CATEGORY_PREFIX_BYTES 192

/* Powers of two outside of this range cannot come from float8 targets. */
#define TARGET_SHIFT_MIN (-1100)
#define TARGET_SHIFT_MAX 1200

const char *
forest_kind_name(ForestKind kind)
{
	switch (kind)
	{
		case FOREST_NUMERIC:
			return "numeric";
		case FOREST_BOOLEAN:
			return "boolean";
		case FOREST_CATEGORY:
			return "category";
		case FOREST_TIMESTAMP:
			return "timestamp";
		case FOREST_TIMESTAMPTZ:
			return "timestamptz";
		case FOREST_INTERVAL:
			return "interval";
	}
	return "unknown";
}

/* --------------------------------------------------------------- memory -- */

static void
text_free(const Host *host, ForestText *text)
{
	memory_free(host, text->bytes, (size_t) text->n_bytes + 1, 1);
	text->bytes = NULL;
	text->n_bytes = 0;
}

static void
texts_free(const Host *host, ForestText *texts, uint32_t n)
{
	if (texts == NULL)
		return;
	for (uint32_t i = 0; i < n; i++)
		text_free(host, &texts[i]);
	memory_free(host, texts, n, sizeof(ForestText));
}

static void
feature_free(const Host *host, ForestFeature *feature)
{
	text_free(host, &feature->name);
	if (feature->cuts != NULL)
		memory_free(host, feature->cuts, feature->n_bins - 1, sizeof(double));
	search_table_free(host, feature);
	texts_free(host, feature->categories, feature->n_categories);
	memory_free(host, feature->slots, feature->n_slots, sizeof(uint16_t));
}

void
schema_free(const Host *host, ForestSchema *schema)
{
	if (schema->features != NULL)
		for (uint32_t i = 0; i < schema->n_features; i++)
			feature_free(host, &schema->features[i]);
	memory_free(host, schema->features, schema->n_features, sizeof(ForestFeature));
	texts_free(host, schema->classes, schema->n_classes);
	memset(schema, 0, sizeof(*schema));
}

static size_t
texts_bytes(const ForestText *texts, uint32_t n)
{
	size_t		total = 0;

	for (uint32_t i = 0; i < n; i++)
		total += sizeof(ForestText) + texts[i].n_bytes + 1;
	return total;
}

size_t
schema_bytes(const ForestSchema *schema)
{
	size_t		total = texts_bytes(schema->classes, schema->n_classes);

	for (uint32_t i = 0; i < schema->n_features; i++)
	{
		const ForestFeature *f = &schema->features[i];

		total += sizeof(*f) + f->name.n_bytes + 1;
		if (f->cuts != NULL)
			total += (f->n_bins - 1) * sizeof(double);
		total += search_table_bytes(f);
		total += texts_bytes(f->categories, f->n_categories);
		total += f->n_slots * sizeof(uint16_t);
	}
	return total;
}

Status
schema_text(const Host *host, const char *bytes, size_t n_bytes, ForestText *out, Failure *why)
{
	char	   *copy;
	Status		status;

	if (n_bytes >= UINT32_MAX)
		return fail(why, STATUS_LIMIT, "text of %zu bytes is too long", n_bytes);
	status = memory_new_raw(host, n_bytes + 1, 1, &copy, why);
	if (status != STATUS_OK)
		return status;
	if (n_bytes > 0)
		memcpy(copy, bytes, n_bytes);
	copy[n_bytes] = '\0';
	out->bytes = copy;
	out->n_bytes = (uint32_t) n_bytes;
	return STATUS_OK;
}

/* ------------------------------------------------------------- encoding -- */

const char *
forest_category_key(const char *text, size_t n_bytes, char *buffer, size_t *key_bytes)
{
	static const char digits[] = "0123456789abcdef";
	size_t		n = CATEGORY_PREFIX_BYTES;
	Hash128		hash;

	if (n_bytes <= FOREST_CATEGORY_BYTES)
	{
		*key_bytes = n_bytes;
		return text;
	}

	/* back to the start of a character, which is at most three bytes away */
	while (n > CATEGORY_PREFIX_BYTES - 3 && ((unsigned char) text[n] & 0xC0) == 0x80)
		n--;
	memcpy(buffer, text, n);
	memcpy(buffer + n, "\xE2\x80\xA6", 3);
	n += 3;

	hash = hash_bytes(text, n_bytes);
	for (int shift = 60; shift >= 0; shift -= 4)
		buffer[n++] = digits[hash.hi >> shift & 15];
	for (int shift = 60; shift >= 0; shift -= 4)
		buffer[n++] = digits[hash.lo >> shift & 15];
	*key_bytes = n;
	return buffer;
}

/* Up to eight bytes as a number; with their count, it says which they are. */
static inline uint64_t
short_word(const unsigned char *bytes, size_t n_bytes)
{
	uint32_t	first;
	uint32_t	last;

	if (n_bytes >= sizeof(first))
	{
		memcpy(&first, bytes, sizeof(first));
		memcpy(&last, bytes + n_bytes - sizeof(last), sizeof(last));
		return (uint64_t) last << 32 | first;
	}
	if (n_bytes == 0)
		return 0;
	return bytes[0] | (uint64_t) bytes[n_bytes / 2] << 8 | (uint64_t) bytes[n_bytes - 1] << 16;
}

/* Of keys in memory only: no artifact has it, so machines may differ. */
static inline uint64_t
category_hash(const char *key, size_t n_bytes)
{
	const uint64_t multiplier = UINT64_C(0x9E3779B97F4A7C15);
	const unsigned char *bytes = (const unsigned char *) key;
	uint64_t	hash = n_bytes;
	uint64_t	word;

	for (; n_bytes > sizeof(word); bytes += sizeof(word), n_bytes -= sizeof(word))
	{
		memcpy(&word, bytes, sizeof(word));
		hash = (hash ^ word) * multiplier;
		hash ^= hash >> 32;
	}
	hash = (hash ^ short_word(bytes, n_bytes)) * multiplier;
	return hash ^ hash >> 32;
}

/*
 * The slot where a key is, or the free one where it belongs.  At least half of
 * the slots are free.
 */
static uint32_t
category_slot(const ForestFeature *feature, const char *key, size_t key_bytes)
{
	uint32_t	mask = feature->n_slots - 1;
	uint32_t	slot = (uint32_t) category_hash(key, key_bytes) & mask;

	while (feature->slots[slot] != 0)
	{
		const ForestText *known = &feature->categories[feature->slots[slot] - 1];

		if (known->n_bytes == key_bytes &&
			(key_bytes == 0 || memcmp(known->bytes, key, key_bytes) == 0))
			break;
		slot = (slot + 1) & mask;
	}
	return slot;
}

Status
schema_index_categories(const Host *host, ForestFeature *feature, Failure *why)
{
	uint32_t	n_slots = 4;
	Status		status;

	while (n_slots < 2 * feature->n_categories)
		n_slots *= 2;
	status = memory_new(host, n_slots, sizeof(uint16_t), &feature->slots, why);
	if (status != STATUS_OK)
		return status;
	feature->n_slots = n_slots;

	for (uint32_t code = 0; code < feature->n_categories; code++)
	{
		const ForestText *key = &feature->categories[code];
		uint32_t	slot = category_slot(feature, key->bytes, key->n_bytes);

		if (feature->slots[slot] != 0)
			return artifact_damaged(why, "a feature has one category twice");
		feature->slots[slot] = (uint16_t) (code + 1);
	}
	return STATUS_OK;
}

static uint8_t
encode_category(const ForestFeature *feature, const ForestCell *cell)
{
	char		buffer[FOREST_CATEGORY_BYTES];
	size_t		key_bytes;
	const char *key = forest_category_key(cell->text, cell->n_bytes, buffer, &key_bytes);
	uint16_t	found = feature->slots[category_slot(feature, key, key_bytes)];

	if (found != 0)
		return (uint8_t) (found - 1);
	return feature->has_other ? (uint8_t) feature->n_categories : FOREST_MISSING;
}

uint8_t
schema_encode(const ForestFeature *feature, const ForestCell *cell)
{
	if (cell->missing)
		return FOREST_MISSING;
	if (feature->kind == FOREST_CATEGORY)
		return encode_category(feature, cell);
	return schema_encode_number(feature, cell->number);
}

/* ---------------------------------------------------------------- bytes -- */

static void
put_text(ByteWriter *w, const ForestText *text)
{
	bytes_put_string(w, text->bytes, text->n_bytes);
}

static void
put_feature(ByteWriter *w, const ForestFeature *feature)
{
	put_text(w, &feature->name);
	bytes_put_u8(w, (uint8_t) feature->kind);
	bytes_put_f64(w, feature->importance);
	if (feature->kind == FOREST_CATEGORY)
	{
		bytes_put_u8(w, feature->has_other ? 1 : 0);
		bytes_put_u16(w, (uint16_t) feature->n_categories);
		for (uint32_t i = 0; i < feature->n_categories; i++)
			put_text(w, &feature->categories[i]);
	}
	else
	{
		bytes_put_u16(w, (uint16_t) (feature->n_bins - 1));
		for (uint32_t i = 0; i + 1 < feature->n_bins; i++)
			bytes_put_f64(w, feature->cuts[i]);
	}
}

void
schema_put(ByteWriter *w, const ForestSchema *schema)
{
	bytes_put_u8(w, (uint8_t) schema->task);
	bytes_put_u16(w, (uint16_t) schema->n_features);
	for (uint32_t i = 0; i < schema->n_features; i++)
		put_feature(w, &schema->features[i]);
	if (schema->task == FOREST_CLASSIFICATION)
	{
		bytes_put_u16(w, (uint16_t) schema->n_classes);
		for (uint32_t i = 0; i < schema->n_classes; i++)
			put_text(w, &schema->classes[i]);
	}
	else
	{
		bytes_put_f64(w, schema->target_offset);
		bytes_put_u32(w, (uint32_t) schema->target_shift);
	}
}

static Status
get_text(ByteReader *r, const Host *host, ForestText *out, Failure *why)
{
	size_t		n_bytes;
	const char *bytes = bytes_get_string(r, &n_bytes);

	if (r->failed)
		return artifact_damaged(why, "a text is cut off");
	if (!bytes_is_utf8(bytes, n_bytes))
		return artifact_damaged(why, "a text is not UTF-8");
	return schema_text(host, bytes, n_bytes, out, why);
}

/* n texts into a new array; n is bounded by what is left before anything is allocated. */
static Status
get_texts(ByteReader *r, const Host *host, uint32_t n, ForestText **out, uint32_t *n_out,
		  Failure *why)
{
	Status		status;

	if (n > bytes_left(r) / STRING_MIN_BYTES)
		return artifact_damaged(why, "a list of texts is cut off");
	status = memory_new(host, n, sizeof(ForestText), out, why);
	if (status != STATUS_OK)
		return status;
	*n_out = n;
	for (uint32_t i = 0; i < n && status == STATUS_OK; i++)
		status = get_text(r, host, &(*out)[i], why);
	return status;
}

static Status
get_cuts(ByteReader *r, const Host *host, ForestFeature *feature, Failure *why)
{
	uint32_t	n_cuts = bytes_get_u16(r);
	Status		status;

	if (n_cuts >= FOREST_VALUE_BINS || n_cuts > bytes_left(r) / sizeof(double))
		return artifact_damaged(why, "the number of cuts is wrong");
	feature->n_bins = n_cuts + 1;
	status = memory_new_raw(host, n_cuts, sizeof(double), &feature->cuts, why);
	if (status != STATUS_OK)
		return status;
	for (uint32_t i = 0; i < n_cuts; i++)
	{
		double		cut = bytes_get_f64(r);

		if (!isfinite(cut) || (i > 0 && cut <= feature->cuts[i - 1]))
			return artifact_damaged(why, "cuts are not finite and increasing");
		feature->cuts[i] = cut;
	}
	return search_table(host, feature, why);
}

static Status
get_categories(ByteReader *r, const Host *host, ForestFeature *feature, Failure *why)
{
	uint8_t		has_other = bytes_get_u8(r);
	uint32_t	n_categories = bytes_get_u16(r);
	Status		status;

	if (r->failed || has_other > 1 || n_categories < 1 || n_categories > FOREST_MAX_CATEGORIES)
		return artifact_damaged(why, "the number of categories is wrong");
	feature->has_other = has_other != 0;
	feature->n_bins = n_categories + has_other;
	status = get_texts(r, host, n_categories, &feature->categories, &feature->n_categories, why);
	if (status != STATUS_OK)
		return status;
	for (uint32_t i = 0; i < n_categories; i++)
		if (feature->categories[i].n_bytes > FOREST_CATEGORY_BYTES)
			return artifact_damaged(why, "a category is too long");
	return schema_index_categories(host, feature, why);
}

static Status
get_feature(ByteReader *r, const Host *host, ForestFeature *feature, Failure *why)
{
	Status		status = get_text(r, host, &feature->name, why);
	uint8_t		kind;

	if (status != STATUS_OK)
		return status;
	kind = bytes_get_u8(r);
	feature->importance = bytes_get_f64(r);
	if (r->failed || feature->name.n_bytes == 0 || kind > FOREST_INTERVAL)
		return artifact_damaged(why, "a feature is malformed");
	if (!(feature->importance >= 0 && feature->importance <= 1))
		return artifact_damaged(why, "an importance is not between 0 and 1");
	feature->kind = (ForestKind) kind;
	if (feature->kind == FOREST_CATEGORY)
		return get_categories(r, host, feature, why);
	return get_cuts(r, host, feature, why);
}

static bool
same_text(const ForestText *a, const ForestText *b)
{
	return a->n_bytes == b->n_bytes && memcmp(a->bytes, b->bytes, a->n_bytes) == 0;
}

static Status
get_features(ByteReader *r, const Host *host, ForestSchema *schema, Failure *why)
{
	uint32_t	n = bytes_get_u16(r);
	Status		status;

	if (n < 1 || n > FOREST_MAX_FEATURES || n > bytes_left(r) / FEATURE_MIN_BYTES)
		return artifact_damaged(why, "the number of features is wrong");
	status = memory_new(host, n, sizeof(ForestFeature), &schema->features, why);
	if (status != STATUS_OK)
		return status;
	schema->n_features = n;
	for (uint32_t i = 0; i < n; i++)
	{
		status = get_feature(r, host, &schema->features[i], why);
		if (status != STATUS_OK)
			return status;
		for (uint32_t j = 0; j < i; j++)
			if (same_text(&schema->features[i].name, &schema->features[j].name))
				return artifact_damaged(why, "two features have one name");
	}
	return STATUS_OK;
}

static Status
get_target(ByteReader *r, const Host *host, ForestSchema *schema, Failure *why)
{
	uint32_t	n;
	Status		status;

	if (schema->task == FOREST_REGRESSION)
	{
		schema->target_offset = bytes_get_f64(r);
		schema->target_shift = (int32_t) bytes_get_u32(r);
		if (r->failed || !isfinite(schema->target_offset) ||
			schema->target_shift < TARGET_SHIFT_MIN || schema->target_shift > TARGET_SHIFT_MAX)
			return artifact_damaged(why, "the scale of the target is wrong");
		return STATUS_OK;
	}

	n = bytes_get_u16(r);
	if (n < 2 || n > FOREST_MAX_CLASSES)
		return artifact_damaged(why, "the number of classes is wrong");
	status = get_texts(r, host, n, &schema->classes, &schema->n_classes, why);
	if (status != STATUS_OK)
		return status;
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t j = 0; j < i; j++)
			if (same_text(&schema->classes[i], &schema->classes[j]))
				return artifact_damaged(why, "two classes have one label");
	return STATUS_OK;
}

Status
schema_get(ByteReader *r, const Host *host, ForestSchema *out, Failure *why)
{
	ForestSchema schema = {0};
	uint8_t		task = bytes_get_u8(r);
	Status		status;

	if (r->failed || task > FOREST_REGRESSION)
		return artifact_damaged(why, "the task is unknown");
	schema.task = (ForestTask) task;
	status = get_features(r, host, &schema, why);
	if (status == STATUS_OK)
		status = get_target(r, host, &schema, why);
	if (status != STATUS_OK)
	{
		schema_free(host, &schema);
		return status;
	}
	*out = schema;
	return STATUS_OK;
}
