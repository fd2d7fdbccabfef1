/*
 * registration.h
 *	  Handing a finished training to the catalogue, with its lineage.
 */
#ifndef CHURNOPS_PG_REGISTRATION_H
#define CHURNOPS_PG_REGISTRATION_H

#include "lib/stringinfo.h"
#include "pg/train.h"

/*
 * The relations a query reads, for the lineage: a JSON array of schema, name,
 * kind, the digest of the definition and the number of rows, exact if the
 * setting churnops.exact_count_size and the caller's rights allow it, else the
 * planner's; in order of their names.  Must be called inside
 * SPI_connect()/SPI_finish().
 */
extern char *registration_relations(List *relations);

/* The member `environment`: versions and machine. */
extern void registration_environment(StringInfo out);

/*
 * Store the training as the next version of its model, by churnops.register()
 * as the extension's owner.  status is palloc'd in the current memory context.
 */
extern void registration_store(Training *t, int32 *version, char **status);

#endif
