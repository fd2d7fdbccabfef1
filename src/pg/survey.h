/*
 * survey.h
 *	  The rows of a query on their way into a version of a dataset: digest,
 *	  profile, fingerprints of keys and, if wanted, a copy, in one pass and
 *	  bounded memory.
 */
#ifndef CHURNOPS_PG_SURVEY_H
#define CHURNOPS_PG_SURVEY_H

#include "access/tupdesc.h"
#include "executor/tuptable.h"
#include "nodes/pg_list.h"

#include "dataset/dataset.h"
#include "pg/dataset.h"
#include "pg/source.h"

typedef struct Survey Survey;

/*
 * A survey of rows of this type, in the current memory context and under the
 * current resource owner.  key names columns (42703 if one is not there);
 * with NIL no fingerprints are made.
 */
extern Survey *survey_new(TupleDesc columns, List *key, const uint8 *salt, bool keep);
extern void survey_free(Survey *survey);

/* Take in one row: a QueryRow, with the Survey as its context. */
extern void survey_row(void *ctx, TupleTableSlot *slot);

/* After the last row. */
extern void survey_finish(Survey *survey);

extern uint64 survey_n_rows(const Survey *survey);
extern char *survey_digest(const Survey *survey);
/* JSON arrays, an object for each column. */
extern char *survey_columns(const Survey *survey);
extern char *survey_profile(const Survey *survey);

/* A column and, after survey_finish(), what is known of it. */
extern int	survey_n_columns(const Survey *survey);
extern const DatasetColumn *survey_column(const Survey *survey, int i,
										  const DatasetColumnProfile **profile);

/* The entries of the rows in order: once. */
extern void survey_keys(Survey *survey, DatasetKeys *out);

/* The next chunk of the copy: its bytes and rows; NULL at the end. */
extern bytea *survey_chunk(Survey *survey, uint32 *n_rows);

/* The fingerprint of a key's canonical bytes. */
extern void survey_fingerprint(const uint8 *salt, const void *bytes, Size n_bytes,
							   uint8 out[DATASET_KEY_BYTES]);

#endif
