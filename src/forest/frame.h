/*
 * frame.h
 *	  Inside of a ForestFrame.  Private to src/forest.
 *
 * Rows lie in chunks of FRAME_CHUNK_ROWS; a chunk is one block with a section
 * per field, so it can be filled row by row and read column by column.  A
 * number is a double (NaN: missing), a category the id of its text in the
 * column's dictionary (FRAME_MISSING_ID: missing).
 */
#ifndef CHURNOPS_FOREST_FRAME_H
#define CHURNOPS_FOREST_FRAME_H

#include "forest/schema.h"

#define FRAME_CHUNK_SHIFT 10
#define FRAME_CHUNK_ROWS (1 << FRAME_CHUNK_SHIFT)
#define FRAME_MISSING_ID UINT32_MAX

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
	size_t		offset;			/* of its section in a chunk */
	FrameDictionary dictionary; /* FOREST_CATEGORY */
} FrameColumn;

/* A block of text bytes; texts never move. */
typedef struct FrameArena
{
	struct FrameArena *next;
	size_t		n_bytes;		/* of the block, this header included */
	size_t		used;
} FrameArena;

struct ForestFrame
{
	const Host *host;
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

	uint8_t   **chunks;
	size_t		n_chunks;
	size_t		chunks_capacity;
	size_t		chunk_bytes;
	/* offsets of the sections beside the columns' */
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
};

/* The value of a section at a row. */
#define FRAME_AT(frame, type, section_offset, row) \
	(((type *) ((frame)->chunks[(row) >> FRAME_CHUNK_SHIFT] + (section_offset))) \
	 [(row) & (FRAME_CHUNK_ROWS - 1)])

#endif
