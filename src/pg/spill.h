/*
 * spill.h
 *	  A temporary file for training rows that do not fit into memory.
 */
#ifndef CHURNOPS_PG_SPILL_H
#define CHURNOPS_PG_SPILL_H

#include "forest/forest.h"
#include "pg/host.h"

typedef struct Spill Spill;

/*
 * A file that is made when something is written to it.  It lives in the
 * current memory context and, once made, under the resource owner that is
 * current now.  An error of the server becomes host->error, and
 * budget_check() raises it again.
 */
extern Spill *spill_new(PgHost *host);
extern void spill_free(Spill *spill);

/* The file as the forest library sees it; lives as long as the spill. */
extern const ForestSpill *spill_file(const Spill *spill);

/* Bytes written. */
extern uint64 spill_bytes(const Spill *spill);

#endif
