/*
 * score_log.h
 *	  The prediction log, as churnops_score fills it.
 */
#ifndef CHURNOPS_PG_SCORE_LOG_H
#define CHURNOPS_PG_SCORE_LOG_H

#include "access/tupdesc.h"

#include "pg/answer.h"
#include "pg/route.h"

typedef struct ScoreLog ScoreLog;

/* Raise 25006 where nothing can be logged: on a standby, in a read-only transaction. */
extern void score_log_check(void);

/* A version that runs as a shadow of a model. */
typedef struct ScoreShadow
{
	int64		deployment;
	Resolved	version;
} ScoreShadow;

/* The shadows of a bare model name; none for other references. */
extern int	score_log_shadows(const Resolved *version, ScoreShadow **shadows);

/* In the current memory context, by SPI, which the caller has connected. */
extern ScoreLog *score_log_begin(const Resolved *version);

/*
 * Which columns of the query are logged: all of them as features, unless the
 * setting says otherwise, and, unless the caller names a key, the key of the
 * deployment or else the training's, if the query has it.  Returns the last
 * column that is needed, counted from 1.
 */
extern int	score_log_columns(ScoreLog *log, const Route *route, bool has_key, TupleDesc columns);
extern RowKey *score_log_key(ScoreLog *log);
extern RowKey *score_log_features(ScoreLog *log);

typedef struct ScoreLogEntry
{
	const char *arm;			/* NULL: none */
	int32		version;
	int64		deployment;		/* 0: none */
	double		share;			/* NAN: none */
	Datum		key;			/* jsonb; 0: none */
	Datum		features;
	const Answer *answer;		/* NULL: not scored */
	const double *outputs;
	double		micros;
	const char *error;			/* NULL: none */
} ScoreLogEntry;

/* Begin the next row, and add an entry of it. */
extern void score_log_next(ScoreLog *log);
extern void score_log_add(ScoreLog *log, const ScoreLogEntry *entry);

/* Write all entries into the table, after the query has ended. */
extern void score_log_write(ScoreLog *log, const Route *route);

#endif
