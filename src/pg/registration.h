/*
 * registration.h
 *	  Handing a finished training to the catalogue, with its lineage.
 */
#ifndef CHURNOPS_PG_REGISTRATION_H
#define CHURNOPS_PG_REGISTRATION_H

#include "pg/train.h"

/*
 * The relations a query reads, for the lineage: a JSON array of schema, name,
 * kind and the digest of the definition, in order of their names.
 */
extern char *registration_relations(List *relations);

/*
 * Store the training as the next version of its model, by churnops.register()
 * as the extension's owner.  status is palloc'd in the current memory context.
 */
extern void registration_store(Training *t, int32 *version, char **status);

#endif
