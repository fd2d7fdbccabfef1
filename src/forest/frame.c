/*
 * frame.c
 *	  Raw training rows as they come from the query.
 */
#include "forest/frame.h"
#include "forest/training.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "core/rng.h"

#define ARENA_BLOCK_BYTES ((size_t) 64 * 1024)
#define FIRST_SLOTS 64
#define FRAME_SHORT_BYTES 16

/* Room for n bytes of text that will never move. */
static Status
arena_take(ForestFrame *frame, size_t n_bytes, char **out, Failure *why)
{
	FrameArena *block = frame->arena;

	if (block == NULL || block->n_bytes - block->used < n_bytes)
	{
		size_t		size = sizeof(FrameArena) + n_bytes;
		Status		status;

		if (size < ARENA_BLOCK_BYTES)
			size = ARENA_BLOCK_BYTES;
		status = memory_new_raw(frame->host, 1, size, &block, why);
		if (status != STATUS_OK)
			return status;
		block->next = frame->arena;
		block->n_bytes = size;
		block->used = sizeof(FrameArena);
		frame->arena = block;
		frame->arena_bytes += size;
	}
	*out = (char *) block + block->used;
	block->used += n_bytes;
	return STATUS_OK;
}

/* Up to eight bytes as a word: equal words of equally many bytes are equal bytes. */
static inline uint64_t
word_of(const char *bytes, size_t n_bytes)
{
	uint64_t	word = 0;
	uint32_t	first;
	uint32_t	last;

	if (n_bytes == 8)
		memcpy(&word, bytes, 8);
	else if (n_bytes >= 4)
	{
		memcpy(&first, bytes, 4);
		memcpy(&last, bytes + n_bytes - 4, 4);
		word = (uint64_t) first << 32 | last;
	}
	else if (n_bytes > 0)
		word = (uint64_t) (uint8_t) bytes[0] << 16 | (uint64_t) (uint8_t) bytes[n_bytes / 2] << 8 |
			(uint8_t) bytes[n_bytes - 1];
	return word;
}

static inline FrameTextKey
key_of(const char *bytes, size_t n_bytes)
{
	FrameTextKey key = {.n_bytes = n_bytes};

	if (n_bytes <= 8)
		key.words[0] = word_of(bytes, n_bytes);
	else if (n_bytes <= FRAME_SHORT_BYTES)
	{
		key.words[0] = word_of(bytes, 8);
		key.words[1] = word_of(bytes + n_bytes - 8, 8);
	}
	else
	{
		Hash128		hash = hash_bytes(bytes, n_bytes);

		key.words[0] = hash.lo;
		key.words[1] = hash.hi;
	}
	return key;
}

static inline bool
text_is(const FrameText *text, const FrameTextKey *key, const char *bytes)
{
	return text->words[0] == key->words[0] && text->words[1] == key->words[1] &&
		text->n_bytes == key->n_bytes &&
		(key->n_bytes <= FRAME_SHORT_BYTES || memcmp(text->bytes, bytes, key->n_bytes) == 0);
}

static inline size_t
first_slot(const FrameDictionary *d, const uint64_t words[2])
{
	return rng_mix64(words[0] ^ words[1] * UINT64_C(0x9E3779B97F4A7C15)) & (d->n_slots - 1);
}

/* Put an id into the hash table; there is room. */
static void
dictionary_link(FrameDictionary *d, uint32_t id)
{
	size_t		slot = first_slot(d, d->texts[id].words);

	while (d->slots[slot] != 0)
		slot = (slot + 1) & (d->n_slots - 1);
	d->slots[slot] = id + 1;
}

/* Make room for one more text: the table is at most half full. */
static Status
dictionary_reserve(const Host *host, FrameDictionary *d, Failure *why)
{
	uint32_t   *slots;
	size_t		n_slots = d->n_slots == 0 ? FIRST_SLOTS : d->n_slots * 2;
	Status		status;

	status = memory_grow(host, &d->texts, &d->capacity, d->n_texts + 1, sizeof(FrameText), why);
	if (status != STATUS_OK || (d->n_texts + 1) * 2 <= d->n_slots)
		return status;
	status = memory_new(host, n_slots, sizeof(uint32_t), &slots, why);
	if (status != STATUS_OK)
		return status;
	memory_free(host, d->slots, d->n_slots, sizeof(uint32_t));
	d->slots = slots;
	d->n_slots = n_slots;
	for (size_t id = 0; id < d->n_texts; id++)
		dictionary_link(d, (uint32_t) id);
	return STATUS_OK;
}

/* The id of a text, a new one if it was not there. */
static Status
dictionary_intern(ForestFrame *frame, FrameDictionary *d, const char *bytes, size_t n_bytes,
				  double order, uint32_t *id, Failure *why)
{
	FrameTextKey key = key_of(bytes, n_bytes);
	FrameText  *text;
	char	   *copy;
	Status		status;

	if (d->n_slots > 0)
	{
		for (size_t slot = first_slot(d, key.words); d->slots[slot] != 0;
			 slot = (slot + 1) & (d->n_slots - 1))
		{
			if (text_is(&d->texts[d->slots[slot] - 1], &key, bytes))
			{
				*id = d->slots[slot] - 1;
				return STATUS_OK;
			}
		}
	}
	status = dictionary_reserve(frame->host, d, why);
	if (status != STATUS_OK)
		return status;
	status = arena_take(frame, n_bytes, &copy, why);
	if (status != STATUS_OK)
		return status;
	memcpy(copy, bytes, n_bytes);
	*id = (uint32_t) d->n_texts++;
	text = &d->texts[*id];
	text->bytes = copy;
	text->n_bytes = (uint32_t) n_bytes;
	text->order = order;
	memcpy(text->words, key.words, sizeof(text->words));
	dictionary_link(d, *id);
	return STATUS_OK;
}

static void
dictionary_free(const Host *host, FrameDictionary *d)
{
	memory_free(host, d->texts, d->capacity, sizeof(FrameText));
	memory_free(host, d->slots, d->n_slots, sizeof(uint32_t));
}

static size_t
cell_bytes(const FrameColumn *column)
{
	return column->kind == FOREST_CATEGORY ? sizeof(uint32_t) : sizeof(double);
}

/* Give every section its place in a chunk. */
static void
frame_layout(ForestFrame *frame)
{
	size_t		offset = 0;

	frame->identity_offset = offset;
	offset += sizeof(Hash128) * FRAME_CHUNK_ROWS;
	frame->group_offset = offset;
	if (frame->has_group)
		offset += sizeof(Hash128) * FRAME_CHUNK_ROWS;
	frame->target_offset = offset;
	offset += sizeof(double) * FRAME_CHUNK_ROWS;
	frame->weight_offset = offset;
	if (frame->has_weight)
		offset += sizeof(double) * FRAME_CHUNK_ROWS;
	frame->time_offset = offset;
	if (frame->has_time)
		offset += sizeof(double) * FRAME_CHUNK_ROWS;
	frame->head_bytes = offset;
	offset = 0;
	for (uint32_t c = 0; c < frame->n_columns; c++)
	{
		frame->columns[c].offset = offset;
		offset += FRAME_CHUNK_ROWS * cell_bytes(&frame->columns[c]) + FRAME_STAGGER_BYTES;
	}
	frame->cells_bytes = offset;
}

Status
forest_frame_new(const Host *host, const ForestFrameOptions *options, ForestFrame **out,
				 Failure *why)
{
	ForestFrame *frame;
	Status		status;

	*out = NULL;
	if (options->n_columns > FOREST_MAX_FEATURES)
		return fail(why, STATUS_LIMIT, "training takes at most %d features, not %u",
					FOREST_MAX_FEATURES, options->n_columns);
	status = memory_new(host, 1, sizeof(ForestFrame), &frame, why);
	if (status != STATUS_OK)
		return status;
	frame->host = host;
	if (options->spill != NULL)
		frame->spill = *options->spill;
	frame->memory = options->memory;
	frame->target = options->target;
	frame->integer_labels = options->integer_labels;
	frame->has_weight = options->has_weight;
	frame->has_group = options->has_group;
	frame->has_time = options->has_time;
	frame->zero_one = true;
	status = memory_new(host, options->n_columns, sizeof(FrameColumn), &frame->columns, why);
	if (status != STATUS_OK)
		goto failed;
	frame->n_columns = options->n_columns;
	for (uint32_t c = 0; c < options->n_columns; c++)
	{
		const ForestColumn *column = &options->columns[c];

		frame->columns[c].kind = column->kind;
		frame->columns[c].integer = column->integer;
		status = schema_text(host, column->name, strlen(column->name), &frame->columns[c].name,
							 why);
		if (status != STATUS_OK)
			goto failed;
	}
	frame_layout(frame);
	if (options->wants_facts)
	{
		status = facts_new(host, options->n_columns, &frame->facts, why);
		if (status != STATUS_OK)
			goto failed;
	}
	*out = frame;
	return STATUS_OK;

failed:
	forest_frame_free(frame);
	return status;
}

void
forest_frame_free(ForestFrame *frame)
{
	const Host *host;

	if (frame == NULL)
		return;
	host = frame->host;
	for (uint32_t c = 0; c < frame->n_columns; c++)
	{
		FrameColumn *column = &frame->columns[c];

		if (column->name.bytes != NULL)
			memory_free(host, column->name.bytes, column->name.n_bytes + (size_t) 1, 1);
		dictionary_free(host, &column->dictionary);
	}
	memory_free(host, frame->columns, frame->n_columns, sizeof(FrameColumn));
	for (size_t i = 0; i < frame->n_chunks; i++)
	{
		memory_free(host, frame->chunks[i].head, frame->head_bytes, 1);
		memory_free(host, frame->chunks[i].cells, frame->cells_bytes, 1);
	}
	memory_free(host, frame->chunks, frame->chunks_capacity, sizeof(FrameChunk));
	dictionary_free(host, &frame->labels);
	memory_free(host, frame->class_of_label, frame->n_classes, sizeof(uint32_t));
	memory_free(host, frame->label_of_class, frame->n_classes, sizeof(uint32_t));
	while (frame->arena != NULL)
	{
		FrameArena *block = frame->arena;

		frame->arena = block->next;
		memory_free(host, block, block->n_bytes, 1);
	}
	facts_free(host, frame->facts);
	memory_free(host, frame, 1, sizeof(ForestFrame));
}

/* Write the cells of a full chunk to the temporary file, and keep its memory for the next. */
static Status
spill_chunk(ForestFrame *frame, FrameChunk *chunk, uint8_t **spare, Failure *why)
{
	if (!frame->spill.write(frame->spill.ctx, chunk->cells, frame->cells_bytes))
		return fail(why, STATUS_IO, "could not write training rows to a temporary file");
	memory_free(frame->host, *spare, frame->cells_bytes, 1);
	*spare = chunk->cells;
	chunk->cells = NULL;
	return STATUS_OK;
}

/* Is there more than the training may take, with one more chunk of rows in memory? */
static bool
is_over(const ForestFrame *frame)
{
	size_t		n = frame->n_rows + FRAME_CHUNK_ROWS;

	return frame_bytes(frame, n, false) + training_prepare_bytes(frame, n) > frame->memory;
}

/* All chunks are full: take their cells out of memory where they must go; *spare may be one. */
static Status
frame_spill(ForestFrame *frame, uint8_t **spare, Failure *why)
{
	Status		status = STATUS_OK;

	*spare = NULL;
	if (frame->spill.write == NULL || frame->cells_bytes == 0 ||
		(!frame->spilled && !is_over(frame)))
		return STATUS_OK;
	for (size_t i = frame->spilled ? frame->n_chunks - 1 : 0;
		 i < frame->n_chunks && status == STATUS_OK; i++)
	{
		status = spill_chunk(frame, &frame->chunks[i], spare, why);
		if (status == STATUS_OK)
			status = host_poll(frame->host, why);
	}
	frame->spilled = frame->n_chunks > 0;
	return status;
}

/* Make room for one more row. */
static Status
frame_reserve(ForestFrame *frame, Failure *why)
{
	FrameChunk	chunk = {0};
	Status		status;

	if (frame->n_rows < frame->n_chunks << FRAME_CHUNK_SHIFT)
		return STATUS_OK;
	if (frame->n_rows >= FOREST_MAX_ROWS)
		return fail(why, STATUS_LIMIT, "training takes at most %zu rows", FOREST_MAX_ROWS);
	status = memory_grow(frame->host, &frame->chunks, &frame->chunks_capacity,
						 frame->n_chunks + 1, sizeof(FrameChunk), why);
	if (status == STATUS_OK)
		status = frame_spill(frame, &chunk.cells, why);
	if (status == STATUS_OK)
		status = memory_new_raw(frame->host, frame->head_bytes, 1, &chunk.head, why);
	if (status == STATUS_OK && chunk.cells == NULL)
		status = memory_new_raw(frame->host, frame->cells_bytes, 1, &chunk.cells, why);
	if (status == STATUS_OK)
		frame->chunks[frame->n_chunks++] = chunk;
	else
	{
		memory_free(frame->host, chunk.head, frame->head_bytes, 1);
		memory_free(frame->host, chunk.cells, frame->cells_bytes, 1);
	}
	return status;
}

size_t
frame_buffer_bytes(const ForestFrame *frame, uint32_t first, uint32_t n)
{
	size_t		end = first + n < frame->n_columns ? frame->columns[first + n].offset
		: frame->cells_bytes;

	return end - frame->columns[first].offset;
}

Status
frame_cells(const ForestFrame *frame, size_t chunk, uint32_t first, uint32_t n, uint8_t *buffer,
			const uint8_t **out, Failure *why)
{
	size_t		offset = frame->columns[first].offset;

	*out = buffer;
	if (frame->chunks[chunk].cells != NULL)
		*out = frame->chunks[chunk].cells + offset;
	else if (!frame->spill.read(frame->spill.ctx, (uint64_t) chunk * frame->cells_bytes + offset,
								buffer, frame_buffer_bytes(frame, first, n)))
		return fail(why, STATUS_IO, "could not read training rows from a temporary file");
	return STATUS_OK;
}

/* Store the target of the row that is being added. */
static Status
frame_put_target(ForestFrame *frame, const ForestRow *row, Failure *why)
{
	size_t		at = frame->n_rows;
	uint32_t	label;
	Status		status;

	if (frame->target == FOREST_TARGET_NUMBER)
	{
		if (isinf(row->target_number))
			return fail(why, STATUS_OUT_OF_RANGE, "the target is infinite");
		if (row->target_number != 0 && row->target_number != 1)
			frame->zero_one = false;
		FRAME_AT(frame, double, frame->target_offset, at) = row->target_number;
		return STATUS_OK;
	}
	status = dictionary_intern(frame, &frame->labels, row->target_label, row->target_label_bytes,
							   row->target_order, &label, why);
	if (status != STATUS_OK)
		return status;
	FRAME_AT(frame, uint64_t, frame->target_offset, at) = label;
	if (frame->integer_labels && frame->labels.n_texts > FOREST_MAX_INTEGER_CLASSES)
	{
		status = fail(why, STATUS_INVALID_DATA,
					  "the target has more than %d different integers",
					  FOREST_MAX_INTEGER_CLASSES);
		fail_hint(why, "For a numeric target give task => 'regression'; "
				  "for classes cast the target to text.");
	}
	else if (frame->labels.n_texts > FOREST_MAX_CLASSES)
	{
		status = fail(why, STATUS_LIMIT, "the target has more than %d classes",
					  FOREST_MAX_CLASSES);
		fail_hint(why, "Fold the rare classes into one in the query.");
	}
	return status;
}

/* A category's id in the dictionary of its column. */
static Status
frame_category(ForestFrame *frame, FrameColumn *column, const ForestCell *cell, uint32_t *id,
			   Failure *why)
{
	char		buffer[FOREST_CATEGORY_BYTES];
	size_t		key_bytes = cell->n_bytes;
	const char *key = cell->text;

	if (key_bytes > FOREST_CATEGORY_BYTES)
		key = forest_category_key(cell->text, cell->n_bytes, buffer, &key_bytes);
	return dictionary_intern(frame, &column->dictionary, key, key_bytes, 0, id, why);
}

static Status
refuse_infinite(const FrameColumn *column, Failure *why)
{
	fail(why, STATUS_OUT_OF_RANGE, "column \"%s\" has an infinite value", column->name.bytes);
	fail_hint(why, "Turn it into NULL, which training takes as missing, "
			  "or into a large finite number.");
	return STATUS_OUT_OF_RANGE;
}

/* Store one feature value of the row that is being added. */
static inline Status
frame_put_cell(ForestFrame *frame, FrameColumn *column, const ForestCell *cell, Failure *why)
{
	uint8_t    *cells = frame->chunks[frame->n_chunks - 1].cells + column->offset;
	size_t		at = frame->n_rows & (FRAME_CHUNK_ROWS - 1);
	uint32_t	id = FRAME_MISSING_ID;
	Status		status = STATUS_OK;

	if (column->kind != FOREST_CATEGORY)
	{
		double		number = cell->missing ? NAN : cell->number;

		if (isinf(number))
			return refuse_infinite(column, why);
		((double *) cells)[at] = number == 0 ? 0 : number;
		return STATUS_OK;
	}
	if (!cell->missing)
		status = frame_category(frame, column, cell, &id, why);
	((uint32_t *) cells)[at] = id;
	return status;
}

Status
forest_frame_append(ForestFrame *frame, const ForestRow *row, Failure *why)
{
	size_t		at = frame->n_rows;
	Status		status;

	if (row->target_missing ||
		(frame->target == FOREST_TARGET_NUMBER && isnan(row->target_number)))
	{
		frame->n_unknown++;
		return STATUS_OK;
	}
	if (frame->has_weight && !(row->weight >= 0 && isfinite(row->weight)))
		return fail(why, STATUS_INVALID_DATA, "weight %g is not a finite number of at least 0",
					row->weight);
	status = frame_reserve(frame, why);
	if (status == STATUS_OK)
		status = frame_put_target(frame, row, why);
	for (uint32_t c = 0; c < frame->n_columns && status == STATUS_OK; c++)
		status = frame_put_cell(frame, &frame->columns[c], &row->cells[c], why);
	if (status != STATUS_OK)
		return status;
	FRAME_AT(frame, Hash128, frame->identity_offset, at) = row->identity;
	if (frame->has_group)
		FRAME_AT(frame, Hash128, frame->group_offset, at) = row->group;
	if (frame->has_weight)
		FRAME_AT(frame, double, frame->weight_offset, at) = row->weight;
	if (frame->has_time)
		FRAME_AT(frame, double, frame->time_offset, at) = row->time;
	frame->n_rows++;
	return STATUS_OK;
}

size_t
forest_frame_n_rows(const ForestFrame *frame)
{
	return frame->n_rows;
}

size_t
forest_frame_n_unknown(const ForestFrame *frame)
{
	return frame->n_unknown;
}

bool
forest_frame_is_zero_one(const ForestFrame *frame)
{
	return frame->target == FOREST_TARGET_NUMBER && frame->zero_one && frame->n_rows > 0;
}

Status
forest_frame_number_classes(ForestFrame *frame, Failure *why)
{
	bool		seen[2] = {false, false};
	uint32_t	labels[2] = {0, 0};
	Status		status = STATUS_OK;

	/* the labels first, so that a failure leaves the numbers as they are */
	for (size_t row = 0; row < frame->n_rows; row++)
		seen[FRAME_AT(frame, double, frame->target_offset, row) == 1] = true;
	for (int k = 0; k < 2 && status == STATUS_OK; k++)
		if (seen[k])
			status = dictionary_intern(frame, &frame->labels, k == 1 ? "1" : "0", 1, k,
									   &labels[k], why);
	if (status != STATUS_OK)
		return status;
	for (size_t row = 0; row < frame->n_rows; row++)
	{
		double		number = FRAME_AT(frame, double, frame->target_offset, row);

		FRAME_AT(frame, uint64_t, frame->target_offset, row) = labels[number == 1];
	}
	frame->target = FOREST_TARGET_LABEL;
	return STATUS_OK;
}

/* By the number that sorts a label, then by its bytes. */
static bool
label_before(const FrameText *a, const FrameText *b)
{
	size_t		shared = a->n_bytes < b->n_bytes ? a->n_bytes : b->n_bytes;
	int			order;

	if (a->order != b->order)
		return a->order < b->order;
	order = memcmp(a->bytes, b->bytes, shared);
	return order != 0 ? order < 0 : a->n_bytes < b->n_bytes;
}

Status
forest_frame_classes(ForestFrame *frame, uint32_t *n_classes, Failure *why)
{
	const Host *host = frame->host;
	const FrameText *texts = frame->labels.texts;
	size_t		n = frame->target == FOREST_TARGET_LABEL ? frame->labels.n_texts : 0;
	Status		status;

	*n_classes = (uint32_t) n;
	if (n == frame->n_classes)
		return STATUS_OK;
	memory_free(host, frame->class_of_label, frame->n_classes, sizeof(uint32_t));
	memory_free(host, frame->label_of_class, frame->n_classes, sizeof(uint32_t));
	frame->class_of_label = frame->label_of_class = NULL;
	frame->n_classes = 0;
	status = memory_new_raw(host, n, sizeof(uint32_t), &frame->class_of_label, why);
	if (status != STATUS_OK)
		return status;
	status = memory_new_raw(host, n, sizeof(uint32_t), &frame->label_of_class, why);
	if (status != STATUS_OK)
	{
		memory_free(host, frame->class_of_label, n, sizeof(uint32_t));
		frame->class_of_label = NULL;
		return status;
	}
	frame->n_classes = n;
	/* at most FOREST_MAX_CLASSES: insertion sort */
	for (uint32_t id = 0; id < n; id++)
	{
		uint32_t	at = id;

		for (; at > 0 && label_before(&texts[id], &texts[frame->label_of_class[at - 1]]); at--)
			frame->label_of_class[at] = frame->label_of_class[at - 1];
		frame->label_of_class[at] = id;
	}
	for (uint32_t k = 0; k < n; k++)
		frame->class_of_label[frame->label_of_class[k]] = k;
	return STATUS_OK;
}

const char *
forest_frame_class_label(const ForestFrame *frame, uint32_t class_index, size_t *n_bytes)
{
	const FrameText *text = &frame->labels.texts[frame->label_of_class[class_index]];

	*n_bytes = text->n_bytes;
	return text->bytes;
}

static size_t
dictionary_bytes(const FrameDictionary *d)
{
	return d->capacity * sizeof(FrameText) + d->n_slots * sizeof(uint32_t);
}

size_t
frame_bytes(const ForestFrame *frame, size_t n_rows, bool spilled)
{
	size_t		n_chunks = (n_rows + FRAME_CHUNK_ROWS - 1) >> FRAME_CHUNK_SHIFT;
	size_t		bytes = sizeof(ForestFrame) + frame->n_columns * sizeof(FrameColumn);

	bytes += n_chunks * (frame->head_bytes + sizeof(FrameChunk) * 3 / 2) +
		(spilled && n_chunks > 0 ? 1 : n_chunks) * frame->cells_bytes;
	bytes += frame->arena_bytes + dictionary_bytes(&frame->labels);
	bytes += frame->n_classes * 2 * sizeof(uint32_t);
	for (uint32_t c = 0; c < frame->n_columns; c++)
		bytes += dictionary_bytes(&frame->columns[c].dictionary) +
			frame->columns[c].name.n_bytes + 1;
	return bytes;
}

bool
forest_frame_is_spilled(const ForestFrame *frame)
{
	return frame->spilled;
}

size_t
forest_frame_bytes(const ForestFrame *frame)
{
	size_t		list = frame->n_chunks * (sizeof(FrameChunk) * 3 / 2);

	return frame_bytes(frame, frame->n_rows, frame->spilled) - list +
		frame->chunks_capacity * sizeof(FrameChunk);
}
