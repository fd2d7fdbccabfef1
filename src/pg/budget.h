/*
 * budget.h
 *	  churnops.training_memory: refusing what needs more, with both figures.
 */
#ifndef CHURNOPS_PG_BUDGET_H
#define CHURNOPS_PG_BUDGET_H

#include "core/status.h"
#include "pg/compat.h"
#include "pg/host.h"

/* A dump writes an artifact as one line of two digits a byte: less than 1 GB. */
#define ARTIFACT_MAX_BYTES ((Size) 500 * 1024 * 1024)

/* The setting, in bytes. */
extern Size budget_bytes(void);

/* A size for a message: "12 MB", rounded up; palloc'd. */
extern char *budget_text(Size bytes);

/*
 * Raise 54000: `needed` bytes are more than the setting.  detail is a whole
 * sentence or NULL.
 */
pg_noreturn extern void budget_refuse(Size needed, const char *detail);

/*
 * As report_status(); but where the host refused memory because of its
 * budget, the error is that of budget_refuse(), and where a callback of the
 * host met an error of the server, that one.
 */
extern void budget_check(const PgHost *host, Status status, const Failure *why);

#endif
