/*
 * exchange.h
 *	  Versions that came from another database.
 */
#ifndef CHURNOPS_PG_EXCHANGE_H
#define CHURNOPS_PG_EXCHANGE_H

#include "pg/reference.h"

/* Refuse to run the query of an imported version: nobody here has written it. */
extern void exchange_refuse_imported(const Resolved *version);

#endif
