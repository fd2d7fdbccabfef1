/*
 * report.c
 *	  Raising what the pure libraries return.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"

#include "pg/report.h"

int
report_sqlstate(Status status)
{
	switch (status)
	{
		case STATUS_INVALID_PARAMETER:
		case STATUS_INVALID_DATA:
			return ERRCODE_INVALID_PARAMETER_VALUE;
		case STATUS_SYNTAX:
			return ERRCODE_SYNTAX_ERROR;
		case STATUS_OUT_OF_RANGE:
			return ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE;
		case STATUS_NULL_VALUE:
			return ERRCODE_NULL_VALUE_NOT_ALLOWED;
		case STATUS_UNSUPPORTED:
			return ERRCODE_FEATURE_NOT_SUPPORTED;
		case STATUS_LIMIT:
			return ERRCODE_PROGRAM_LIMIT_EXCEEDED;
		case STATUS_NO_MEMORY:
			return ERRCODE_OUT_OF_MEMORY;
		case STATUS_CANCELLED:
			return ERRCODE_QUERY_CANCELED;
		case STATUS_CORRUPT:
			return ERRCODE_DATA_CORRUPTED;
		case STATUS_IO:
			return ERRCODE_IO_ERROR;
		case STATUS_MALFORMED:
			return ERRCODE_BAD_COPY_FILE_FORMAT;
		case STATUS_OK:
			break;
	}
	return ERRCODE_INTERNAL_ERROR;
}

const char *
report_text(const char *utf8)
{
	int			encoding = GetDatabaseEncoding();
	int			n_bytes = (int) strlen(utf8);
	int			space;
	char	   *text;
	Oid			conversion;

	if (encoding == PG_UTF8 || encoding == PG_SQL_ASCII)
		return utf8;
	conversion = FindDefaultConversionProc(PG_UTF8, encoding);
	if (!OidIsValid(conversion))
		return utf8;
	space = (n_bytes + 2) * MAX_CONVERSION_GROWTH + 1;
	text = palloc(space);
	text[0] = '\0';
	(void) pg_do_encoding_conversion_buf(conversion, PG_UTF8, encoding,
										 (unsigned char *) unconstify(char *, utf8), n_bytes,
										 (unsigned char *) text, space, true);
	return text;
}

void
report_status(Status status, const Failure *why)
{
	if (status == STATUS_OK)
		return;
	if (status == STATUS_CANCELLED)
	{
		CHECK_FOR_INTERRUPTS();
		ereport(ERROR,
				(errcode(ERRCODE_QUERY_CANCELED),
				 errmsg("canceling statement due to user request")));
	}
	ereport(ERROR,
			(errcode(report_sqlstate(status)),
			 errmsg("%s", report_text(why->text)),
			 why->detail[0] != '\0' ? errdetail("%s", report_text(why->detail)) : 0,
			 why->hint[0] != '\0' ? errhint("%s", report_text(why->hint)) : 0));
}

void
report_null_argument(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
			 errmsg("argument \"%s\" must not be null", name)));
}
