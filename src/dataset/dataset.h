/*
 * dataset.h
 *	  Kept rows, fingerprints of keys and profiles of columns: what is stored
 *	  of a registered dataset.
 *
 * A row comes as canonical bytes: for each column a tag, a length of four
 * bytes (big-endian) and a payload.  What the tags mean is the server's
 * business, but for NULL and for payloads of fixed width.
 */
#ifndef CHURNOPS_DATASET_DATASET_H
#define CHURNOPS_DATASET_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/hash.h"
#include "core/host.h"
#include "core/status.h"

/* Tags that are known here. */
#define DATASET_TAG_NULL 0
#define DATASET_TAG_BOOL 1		/* one byte */
#define DATASET_TAG_INTEGER 2	/* this and the next three: eight bytes */
#define DATASET_TAG_FLOAT 3
#define DATASET_TAG_TIMESTAMP 6
#define DATASET_TAG_DATE 7
#define DATASET_MAX_TAG 9

/* One value of a row; bytes point into what it was read from. */
typedef struct DatasetValue
{
	uint8_t		tag;
	uint32_t	n_bytes;
	const uint8_t *bytes;
} DatasetValue;

/* Read the value at `at`; returns where the next one is, NULL if it would end behind `end`. */
extern const uint8_t *dataset_value(const uint8_t *at, const uint8_t *end, DatasetValue *out);

/* ------------------------------------------------------------- chunks -- */

/*
 * Rows being collected, then encoded column by column: values of a column
 * resemble each other, and so compress far better than values of a row.
 */
typedef struct DatasetChunk DatasetChunk;

extern Status dataset_chunk_new(const Host *host, uint32_t n_columns, DatasetChunk **out,
								Failure *why);
extern void dataset_chunk_free(DatasetChunk *chunk);

/* Add a row of n_columns values. */
extern Status dataset_chunk_add(DatasetChunk *chunk, const void *row, size_t n_bytes,
								Failure *why);
extern uint32_t dataset_chunk_rows(const DatasetChunk *chunk);
extern size_t dataset_chunk_bytes(const DatasetChunk *chunk);

/* Encode the rows and forget them; the bytes are the chunk's, until it is next used. */
extern Status dataset_chunk_encode(DatasetChunk *chunk, const uint8_t **bytes, size_t *n_bytes,
								   Failure *why);

/* Reading a chunk, row by row; nothing in its bytes is trusted. */
typedef struct DatasetReader DatasetReader;

/* The bytes must outlive the reader. */
extern Status dataset_reader_new(const Host *host, const void *bytes, size_t n_bytes,
								 uint32_t n_columns, DatasetReader **out, Failure *why);
extern void dataset_reader_free(DatasetReader *reader);
extern uint32_t dataset_reader_rows(const DatasetReader *reader);

/* The next row's n_columns values, valid until the next call; NULL at the end. */
extern const DatasetValue *dataset_reader_next(DatasetReader *reader);

/* --------------------------------------------------------------- keys -- */

#define DATASET_KEY_BYTES 16
#define DATASET_ROW_BYTES 8
#define DATASET_ENTRY_BYTES (DATASET_KEY_BYTES + DATASET_ROW_BYTES)

/*
 * Entries (a key, then its row) of one version in ascending order of their
 * bytes; NULL at the end.  Valid until the next call.
 */
typedef struct DatasetKeys
{
	const uint8_t *(*next) (void *ctx);
	void	   *ctx;
} DatasetKeys;

typedef enum DatasetChange
{
	DATASET_REMOVED,
	DATASET_ADDED,
	DATASET_CHANGED
} DatasetChange;

typedef struct DatasetCounts
{
	uint64_t	changes[3];		/* rows, by DatasetChange */
	uint64_t	unchanged;
} DatasetCounts;

/* Called for every row that is not the same in both; ctx is the caller's. */
typedef void (*DatasetChanged) (void *ctx, DatasetChange change, const uint8_t *key);

/*
 * Compare two versions by key.  Rows of one key that are in both are
 * unchanged; of the others as many as both have are changed, and what one has
 * more was removed or added.  Polls the host.
 */
extern Status dataset_compare(const Host *host, const DatasetKeys *before,
							  const DatasetKeys *after, DatasetChanged changed, void *ctx,
							  DatasetCounts *counts, Failure *why);

/* ----------------------------------------------------------- profiles -- */

/* Up to so many different values of a column are counted one by one. */
#define DATASET_MAX_VALUES 256
/* Texts are cut to so many bytes in a profile, at a character's boundary. */
#define DATASET_TEXT_BYTES 64
/* Bins of a histogram. */
#define DATASET_BINS 20
/* From so many rows percentiles are those of a sample. */
#define DATASET_SAMPLE_ROWS 10000

/* One value and how often it occurs. */
typedef struct DatasetCount
{
	const char *text;			/* UTF-8, n_bytes long; NULL: a number */
	size_t		n_bytes;
	double		number;
	uint64_t	n;
} DatasetCount;

/* What is known of a column. */
typedef struct DatasetColumnProfile
{
	uint64_t	n;				/* rows */
	uint64_t	n_null;			/* NULL, or a number that is none */
	double		n_distinct;
	bool		distinct_exact;
	bool		is_number;
	double		min;			/* of finite numbers; NAN without any, as the next three */
	double		max;
	double		mean;
	double		sd;				/* of a sample: over n − 1 */
	uint64_t	n_zero;			/* numbers */
	uint64_t	n_negative;
	uint64_t	n_infinite;
	uint64_t	min_length;		/* characters of texts, 0 without any */
	uint64_t	max_length;
	double		mean_length;	/* NAN without any */
	bool		counts_exact;	/* of all rows, else of the sample */
	size_t		n_counts;		/* most frequent first; of a sample those that are in it twice */
	const DatasetCount *counts;
	uint64_t	n_sampled;		/* rows behind counts and percentiles that are not NULL */
	size_t		n_percentiles;	/* 101, or 0 where there are no numbers */
	const double *percentiles;
	size_t		n_bins;			/* of equal width from min to max; 0, as percentiles, or 1 */
	double		edges[DATASET_BINS + 1];
	uint64_t	bins[DATASET_BINS];	/* of the rows that are counted; a number at an edge is above it */
} DatasetColumnProfile;

/* A value on its way into a profile. */
typedef struct DatasetCell
{
	bool		missing;
	double		number;			/* of a column of numbers */
	const char *text;			/* of the others: the canonical payload */
	size_t		n_bytes;
} DatasetCell;

typedef struct DatasetProfile DatasetProfile;

/* is_number tells columns of numbers from the others. */
extern Status dataset_profile_new(const Host *host, const bool *is_number, uint32_t n_columns,
								  DatasetProfile **out, Failure *why);
extern void dataset_profile_free(DatasetProfile *profile);

/* Take in a row with its hash, which decides whether it is in the sample. */
extern Status dataset_profile_add(DatasetProfile *profile, const DatasetCell *cells, Hash128 hash,
								  Failure *why);

/* No more rows: what is known of each column, which lives as long as the profile. */
extern Status dataset_profile_finish(DatasetProfile *profile, const DatasetColumnProfile **columns,
									 Failure *why);

#endif
