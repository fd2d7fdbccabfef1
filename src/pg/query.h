/*
 * query.h
 *	  Running a user's query as the user and looking at every row: checked to
 *	  be one read-only SELECT, parallel plans allowed, nothing stored.
 */
#ifndef CHURNOPS_PG_QUERY_H
#define CHURNOPS_PG_QUERY_H

#include "access/tupdesc.h"
#include "executor/tuptable.h"
#include "nodes/pg_list.h"

typedef struct UserQuery UserQuery;

/*
 * Parse, analyse and check a query text: any SELECT, VALUES or TABLE, or the
 * name of a table, view or materialized view.  Refused with their own texts:
 * empty, several statements, no SELECT, data-modifying WITH, FOR UPDATE,
 * SELECT INTO.  Must be called inside SPI_connect()/SPI_finish().
 */
extern UserQuery *query_prepare(const char *text);

/*
 * The same for a version of a dataset, `datasets:/customers/3`, which is read
 * from its kept copy.  Without a copy query_prepare() refuses it; this one
 * takes the stored query, which only the role that registered it may run, and
 * leaves it to the caller to compare digests (query_refuse_other_rows).
 */
extern UserQuery *query_prepare_unkept(const char *text);

/* The version of a dataset that was asked for; NULL if it was a query. */
extern const struct Source *query_source(const UserQuery *q);

/* Raise 55000 if the rows that were read are not those of the version. */
extern void query_refuse_other_rows(const UserQuery *q, const char *digest);

extern TupleDesc query_columns(const UserQuery *q);
/* OIDs of the relations the query reads, views walked through. */
extern List *query_relations(const UserQuery *q);
/* The planner's estimate of the rows. */
extern double query_estimated_rows(UserQuery *q);

/*
 * SHA-256, hex, of the query's tokens: equal whatever the white space, the
 * comments and the case of words, different for other constants; the same in
 * every session, database and PostgreSQL version.
 */
extern char *query_fingerprint(const UserQuery *q);

/* Called for every row, in a memory context that is reset after it; may raise. */
typedef void (*QueryRow) (void *ctx, TupleTableSlot *slot);

/*
 * Run it as the current user, read-only, under a snapshot that sees all the
 * caller's own writes so far; returns the number of rows.
 */
extern uint64 query_run(UserQuery *q, QueryRow row, void *ctx);

/*
 * The snapshot that query_run() used, in the form of pg_current_snapshot(),
 * and the position of the write-ahead log then (NULL during recovery).
 */
extern const char *query_snapshot(const UserQuery *q);
extern const char *query_lsn(const UserQuery *q);

#endif
