/*
 * budget.c
 *	  Refusing what needs more than churnops.training_memory.
 */
#include "postgres.h"

#include "pg/budget.h"
#include "pg/guc.h"
#include "pg/report.h"

#define BYTES_PER_KB ((Size) 1024)
#define BYTES_PER_MB ((Size) 1024 * 1024)

Size
budget_bytes(void)
{
	return guc_training_memory * BYTES_PER_KB;
}

/* Megabytes, rounded up. */
static Size
in_mb(Size bytes)
{
	return bytes / BYTES_PER_MB + (bytes % BYTES_PER_MB != 0);
}

char *
budget_text(Size bytes)
{
	return psprintf("%zu MB", in_mb(bytes));
}

void
budget_refuse(Size needed, const char *detail)
{
	/* what to set: a quarter more, in steps of 64 MB */
	Size		enough = (in_mb(needed + needed / 4) + 63) / 64 * 64;

	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("training needs at least %s of memory, churnops.training_memory is %s",
					budget_text(needed), budget_text(budget_bytes())),
			 detail != NULL ? errdetail("%s", detail) : 0,
			 errhint("Raise the setting, for example SET churnops.training_memory = '%zuMB'; "
					 "or give fewer rows or columns.", enough)));
}

void
budget_check(const PgHost *host, Status status, const Failure *why)
{
	if (status != STATUS_OK && host->error != NULL)
		ReThrowError(host->error);
	/* the refused block is not counted in used: the figure is a lower bound */
	if (status == STATUS_NO_MEMORY && host->refused)
		budget_refuse(Max(host->used, host->budget + 1), NULL);
	report_status(status, why);
}
