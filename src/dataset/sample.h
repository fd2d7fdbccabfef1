/*
 * sample.h
 *	  A sample of rows that depends on the rows alone: those whose hashes are
 *	  the smallest, each with the number of times it occurs.
 */
#ifndef CHURNOPS_DATASET_SAMPLE_H
#define CHURNOPS_DATASET_SAMPLE_H

#include "dataset/dataset.h"

/* A cell of the sample: a number (NAN if missing), or a text (NULL if missing). */
typedef union SampleCell
{
	double		number;
	char	   *text;			/* its length in one byte, then its bytes */
} SampleCell;

typedef struct Sample
{
	const Host *host;
	const bool *is_number;
	uint32_t	n_columns;
	size_t		limit;			/* rows that are wanted */
	size_t		n;				/* rows that are held, less than twice as many */
	Hash128    *hashes;
	uint64_t   *weights;		/* times that a row occurs */
	SampleCell *cells;			/* row by row */
	size_t		hash_capacity;
	size_t		weight_capacity;
	size_t		cell_capacity;
	uint64_t	highest;		/* high halves of hashes above are not taken */
	uint32_t   *slots;			/* open addressing by hash: a row, counted from 1; 0: free */
	size_t		n_slots;
} Sample;

extern Status sample_begin(Sample *sample, const Host *host, const bool *is_number,
						   uint32_t n_columns, Failure *why);
extern void sample_free(Sample *sample);
extern Status sample_add(Sample *sample, const DatasetCell *cells, Hash128 hash, Failure *why);

/* Drop what is more than wanted. */
extern Status sample_finish(Sample *sample, Failure *why);

/* The bytes of a text that a profile keeps: no more than DATASET_TEXT_BYTES, whole characters. */
extern size_t sample_text_bytes(const char *text, size_t n_bytes);

#endif
