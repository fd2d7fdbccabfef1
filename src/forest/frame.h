/*
 * frame.h
 *	  Inside of a ForestFrame.  Private to src/forest.
 *
 * Rows lie in chunks of FRAME_CHUNK_ROWS; a chunk is two blocks, the head and
 * the cells, each with a section per field, so it can be filled row by row
 * and read column by column.  A number is a double (NaN: missing), a category
 * the id of its text in the column's dictionary (FRAME_MISSING_ID: missing).
 *
 * Heads stay in memory.  Cells go to a temporary file, all of them, once the
 * training would need more memory with them than it may take; then only the
 * last chunk, which is being filled, has its cells in memory.
 */
#ifndef CHURNOPS_FOREST_FRAME_H
#define CHURNOPS_FOREST_FRAME_H

#include "forest/facts.h"
#include "forest/schema.h"

#define FRAME_CHUNK_SHIFT 10
#define FRAME_CHUNK_ROWS (1 << FRAME_CHUNK_SHIFT)
#define FRAME_MISSING_ID UINT32_MAX

/*
 * Between the sections of two columns.  A row goes into all of them; if they
 * were powers of two apart, its cells would share the same few lines of the
 * cache, at 2 ns a cell with 20 columns and 5 with 200.
 */
#define FRAME_STAGGER_BYTES 64

/* What a text is looked up by: its bytes, if it has up to 16 of them, else their hash. */
typedef struct FrameTextKey
{
	uint64_t	words[2];
	size_t		n_bytes;
} FrameTextKey;

/* A distinct text, and a number that sorts it before its bytes do. */
typedef struct FrameText
{
	const char *bytes;
	uint32_t	n_bytes;
	double		order;
	uint64_t	words[2];		/* of its key */
} FrameText;

/* The distinct texts of a column, numbered as they come. */
typedef struct FrameDictionary
{
	FrameText  *texts;
	size_t		n_texts;
	size_t		capacity;
	uint32_t   *slots;			/* open addressing: id + 1, 0 is empty */
	size_t		n_slots;		/* a power of two, or 0 */
} FrameDictionary;

typedef struct FrameColumn
{
	ForestText	name;
	ForestKind	kind;
	bool		integer;
	size_t		offset;			/* of its section in a chunk's cells */
	FrameDictionary dictionary; /* FOREST_CATEGORY */
} FrameColumn;

/* A block of text bytes; texts never move. */
typedef struct FrameArena
{
	struct FrameArena *next;
	size_t		n_bytes;		/* of the block, this header included */
	size_t		used;
} FrameArena;

typedef struct FrameChunk
{
	uint8_t    *head;
	uint8_t    *cells;			/* NULL: in the temporary file, at its chunk's place */
} FrameChunk;

struct ForestFrame
{
	const Host *host;
	ForestSpill spill;			/* without functions: there is none */
	size_t		memory;			/* that the training may take; see forest_frame_new() */
	bool		spilled;
	uint32_t	n_columns;
	FrameColumn *columns;
	ForestTargetKind target;
	bool		integer_labels;
	bool		has_weight;
	bool		has_group;
	bool		has_time;

	size_t		n_rows;
	size_t		n_unknown;
	bool		zero_one;		/* every number target so far is 0 or 1 */

	FrameChunk *chunks;
	size_t		n_chunks;
	size_t		chunks_capacity;
	size_t		head_bytes;		/* of a chunk */
	size_t		cells_bytes;
	/* offsets of the sections of a head */
	size_t		identity_offset;	/* Hash128 */
	size_t		group_offset;	/* Hash128, if has_group */
	size_t		target_offset;	/* double, or uint64 label id */
	size_t		weight_offset;	/* double, if has_weight */
	size_t		time_offset;	/* double, if has_time */

	FrameDictionary labels;
	uint32_t   *class_of_label; /* by label id; made by forest_frame_classes */
	uint32_t   *label_of_class;
	size_t		n_classes;		/* size of the two */

	FrameArena *arena;
	size_t		arena_bytes;

	Facts	   *facts;			/* to be filled by the training; NULL: nobody asks */
};

/* The value of a head's section at a row. */
#define FRAME_AT(frame, type, section_offset, row) \
	(((type *) ((frame)->chunks[(row) >> FRAME_CHUNK_SHIFT].head + (section_offset))) \
	 [(row) & (FRAME_CHUNK_ROWS - 1)])

/* The number of rows in a chunk. */
static inline size_t
frame_chunk_rows(const ForestFrame *frame, size_t chunk)
{
	size_t		left = frame->n_rows - (chunk << FRAME_CHUNK_SHIFT);

	return left < FRAME_CHUNK_ROWS ? left : FRAME_CHUNK_ROWS;
}

/*
 * The cells of n columns of a chunk, from `first` on: *out is where the
 * section of the first one is, the others have their offsets from there.
 * buffer takes what has to be read, frame_buffer_bytes(); it may be NULL for a
 * frame that is in memory.
 */
extern Status frame_cells(const ForestFrame *frame, size_t chunk, uint32_t first, uint32_t n,
						  uint8_t *buffer, const uint8_t **out, Failure *why);
extern size_t frame_buffer_bytes(const ForestFrame *frame, uint32_t first, uint32_t n);

/* Bytes of a frame of n_rows rows, with its dictionaries as they are now. */
extern size_t frame_bytes(const ForestFrame *frame, size_t n_rows, bool spilled);

#endif
