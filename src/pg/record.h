/*
 * record.h
 *	  What the catalogue knows of how a version was trained: what reproducing
 *	  it and evaluating it on its holdout begin with.
 */
#ifndef CHURNOPS_PG_RECORD_H
#define CHURNOPS_PG_RECORD_H

#include "pg/reference.h"
#include "pg/train.h"

/* What the catalogue knows about the training of a version. */
typedef struct Record
{
	TrainRequest request;
	char	   *search_path;
	List	   *columns;		/* of the query, their names */
	char	   *dataset_digest;
	char	   *artifact_digest;
	int32		algorithm_version;
	int32		format_version;
	char	   *created_by;
	char	   *ingredients;	/* JSON: all that went into it */
	int64		n_rows;			/* of the query */
	int64		n_test;			/* of the holdout */
	char	   *source;			/* its registered dataset, if the caller may use it; or NULL */
	bool		kept;			/* of that */
} Record;

/* Read the record of a version, into the current memory context. */
extern void record_read(const Resolved *version, Record *out);

/*
 * Refuse to run the query of a version that another role trained: functions in
 * it would act with the caller's rights.
 */
extern void record_check_trainer(const Resolved *version, const Record *record);

/* Is a text in a list of them? */
extern bool record_has_text(List *texts, const char *text);

/* A sentence on how the columns of the query differ from then; NULL if they do not. */
extern char *record_compare_columns(List *before, List *now);

#endif
