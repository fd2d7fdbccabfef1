/*
 * profile.c
 *	  churnops_profile: what the columns of a query look like; and expectations
 *	  suggested by that.
 *
 * The profile is that of a registered dataset (survey.c, dataset/profile.c),
 * written as rows.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/float.h"
#include "utils/json.h"
#include "utils/timestamp.h"

#include "pg/catalog.h"
#include "pg/json.h"
#include "pg/policy.h"
#include "pg/query.h"
#include "pg/report.h"
#include "pg/survey.h"

PG_FUNCTION_INFO_V1(churnops_profile);
PG_FUNCTION_INFO_V1(churnops_suggest_expectations);

/* Of the values of a column, so many are shown. */
#define TOP_VALUES 10

#define UNIX_EPOCH ((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY)

/* Result columns of churnops_profile. */
enum
{
	OUT_NAME,
	OUT_TYPE,
	OUT_N,
	OUT_N_NULL,
	OUT_NULL_SHARE,
	OUT_N_DISTINCT,
	OUT_DISTINCT_EXACT,
	OUT_MIN,
	OUT_MAX,
	OUT_MEAN,
	OUT_SD,
	OUT_QUANTILES,
	OUT_N_ZERO,
	OUT_N_NEGATIVE,
	OUT_N_INFINITE,
	OUT_MIN_LENGTH,
	OUT_MAX_LENGTH,
	OUT_MEAN_LENGTH,
	OUT_TOP_VALUES,
	OUT_HISTOGRAM,
	OUT_N_SAMPLED,
	OUT_COLUMNS
};

/* Read all rows of a query; inside SPI_connect()/SPI_finish(). */
static Survey *
survey_query(const char *text)
{
	UserQuery  *query = query_prepare_unkept(text);
	Survey	   *survey = survey_new(query_columns(query), NIL, NULL, false);

	query_run(query, survey_row, survey);
	survey_finish(survey);
	if (query_source(query) != NULL)
		query_refuse_other_rows(query, survey_digest(survey));
	return survey;
}

/* ---------------------------------------------------------------- values -- */

/* A point in time, in seconds since 1970, as a JSON string in ISO 8601. */
static char *
time_json(const DatasetColumn *column, double seconds)
{
	char		buffer[MAXDATELEN + 1];
	int			utc = 0;
	double		since = seconds - (double) UNIX_EPOCH;
	Datum		value;
	Oid			type = column->type.base;

	if (isinf(seconds))
		return pstrdup(seconds > 0 ? "\"infinity\"" : "\"-infinity\"");
	if (type == DATEOID)
		value = DateADTGetDatum((DateADT) floor(since / SECS_PER_DAY));
	else
		value = TimestampGetDatum((Timestamp) rint(since * USECS_PER_SEC));
	JsonEncodeDateTime(buffer, value, type, &utc);
	return psprintf("\"%s\"", buffer);
}

/* A number of a column as JSON: of booleans true and false, of times ISO 8601. */
static char *
number_json(const DatasetColumn *column, double number)
{
	if (isnan(number))
		return NULL;
	if (column->type.kind == FOREST_BOOLEAN)
		return pstrdup(number != 0 ? "true" : "false");
	if (column->type.kind == FOREST_TIMESTAMP || column->type.kind == FOREST_TIMESTAMPTZ)
		return time_json(column, number);
	if (isinf(number))
		return pstrdup(number > 0 ? "\"Infinity\"" : "\"-Infinity\"");
	return float8out_internal(number);
}

/* The same of a mean, which is a share of booleans. */
static char *
mean_json(const DatasetColumn *column, double number)
{
	if (column->type.kind == FOREST_BOOLEAN && !isnan(number))
		return float8out_internal(number);
	return number_json(column, number);
}

/* Are there values of this column that can be shown? */
static bool
is_shown(const DatasetColumn *column)
{
	return datum_canonical_tag(&column->type) != TAG_BYTEA;
}

/* [{value, n, share}], the most frequent first; the share is one of the rows that were counted. */
static char *
top_json(const DatasetColumn *column, const DatasetColumnProfile *p, size_t most)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoChar(&out, '[');
	for (size_t i = 0; i < p->n_counts && i < most; i++)
	{
		const DatasetCount *count = &p->counts[i];

		json_separate(&out);
		appendStringInfoChar(&out, '{');
		if (p->is_number)
			json_value(&out, "value", number_json(column, count->number));
		else
			json_utf8(&out, "value", pnstrdup(count->text, count->n_bytes));
		json_integer(&out, "n", (int64) count->n);
		json_number(&out, "share", (double) count->n / (double) p->n_sampled);
		appendStringInfoChar(&out, '}');
	}
	appendStringInfoChar(&out, ']');
	return out.data;
}

/* {"0.01": ..., "0.5": ..., "0.99": ...} */
static char *
quantiles_json(const DatasetColumn *column, const DatasetColumnProfile *p)
{
	static const int percents[] = {1, 5, 10, 25, 50, 75, 90, 95, 99};
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoChar(&out, '{');
	for (size_t i = 0; i < lengthof(percents); i++)
		json_value(&out, psprintf("%g", percents[i] / 100.0),
				   number_json(column, p->percentiles[percents[i]]));
	appendStringInfoChar(&out, '}');
	return out.data;
}

/* {"edges": [...], "counts": [...]}, one edge more than counts. */
static char *
histogram_json(const DatasetColumn *column, const DatasetColumnProfile *p)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoString(&out, "{\"edges\": [");
	for (size_t i = 0; i <= p->n_bins; i++)
		appendStringInfo(&out, "%s%s", i > 0 ? ", " : "", number_json(column, p->edges[i]));
	appendStringInfoString(&out, "], \"counts\": [");
	for (size_t i = 0; i < p->n_bins; i++)
		appendStringInfo(&out, "%s" UINT64_FORMAT, i > 0 ? ", " : "", p->bins[i]);
	appendStringInfoString(&out, "]}");
	return out.data;
}

/* ------------------------------------------------------------------ rows -- */

/* A JSON text as a result; NULL for none. */
static void
put_json(Datum *values, bool *nulls, int i, const char *json)
{
	nulls[i] = json == NULL;
	if (json != NULL)
		values[i] = JsonbPGetDatum(json_to_jsonb(json));
}

/* A number as a result; NULL for NAN. */
static void
put_number(Datum *values, bool *nulls, int i, double number)
{
	nulls[i] = isnan(number);
	values[i] = Float8GetDatum(number);
}

/* A count as a result, if it has a meaning for the column. */
static void
put_count(Datum *values, bool *nulls, int i, uint64 count, bool applies)
{
	nulls[i] = !applies;
	values[i] = Int64GetDatum((int64) count);
}

/* The row of a column. */
static void
put_column(const DatasetColumn *column, const DatasetColumnProfile *p, Datum *values,
		   bool *nulls)
{
	bool		ordered = p->is_number && column->type.kind != FOREST_BOOLEAN;
	bool		measured = ordered && column->type.kind != FOREST_TIMESTAMP &&
		column->type.kind != FOREST_TIMESTAMPTZ;
	bool		text = !p->is_number && is_shown(column) && !isnan(p->mean_length);

	values[OUT_NAME] = CStringGetTextDatum(column->name);
	values[OUT_TYPE] = CStringGetTextDatum(column->type_name);
	nulls[OUT_NAME] = nulls[OUT_TYPE] = false;
	put_count(values, nulls, OUT_N, p->n, true);
	put_count(values, nulls, OUT_N_NULL, p->n_null, true);
	put_number(values, nulls, OUT_NULL_SHARE,
			   p->n > 0 ? (double) p->n_null / (double) p->n : NAN);
	put_count(values, nulls, OUT_N_DISTINCT, (uint64) p->n_distinct, true);
	values[OUT_DISTINCT_EXACT] = BoolGetDatum(p->distinct_exact);
	nulls[OUT_DISTINCT_EXACT] = false;
	put_json(values, nulls, OUT_MIN, p->is_number ? number_json(column, p->min) : NULL);
	put_json(values, nulls, OUT_MAX, p->is_number ? number_json(column, p->max) : NULL);
	put_json(values, nulls, OUT_MEAN, p->is_number ? mean_json(column, p->mean) : NULL);
	put_number(values, nulls, OUT_SD, p->is_number ? p->sd : NAN);
	put_json(values, nulls, OUT_QUANTILES,
			 ordered && p->n_percentiles > 0 ? quantiles_json(column, p) : NULL);
	put_count(values, nulls, OUT_N_ZERO, p->n_zero, measured);
	put_count(values, nulls, OUT_N_NEGATIVE, p->n_negative, measured);
	put_count(values, nulls, OUT_N_INFINITE, p->n_infinite, ordered);
	put_count(values, nulls, OUT_MIN_LENGTH, p->min_length, text);
	put_count(values, nulls, OUT_MAX_LENGTH, p->max_length, text);
	put_number(values, nulls, OUT_MEAN_LENGTH, text ? p->mean_length : NAN);
	put_json(values, nulls, OUT_TOP_VALUES,
			 is_shown(column) ? top_json(column, p, TOP_VALUES) : NULL);
	put_json(values, nulls, OUT_HISTOGRAM,
			 ordered && p->n_bins > 0 ? histogram_json(column, p) : NULL);
	put_count(values, nulls, OUT_N_SAMPLED, p->n_sampled, true);
}

/* The query that a function was given. */
static char *
query_argument(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		report_null_argument("query");
	return text_to_cstring(PG_GETARG_TEXT_PP(0));
}

Datum
churnops_profile(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	char	   *query = query_argument(fcinfo);
	Survey	   *survey;

	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	survey = survey_query(query);
	for (int i = 0; i < survey_n_columns(survey); i++)
	{
		const DatasetColumnProfile *profile;
		const DatasetColumn *column = survey_column(survey, i, &profile);
		Datum		values[OUT_COLUMNS];
		bool		nulls[OUT_COLUMNS];

		put_column(column, profile, values, nulls);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	survey_free(survey);
	SPI_finish();
	fcinfo->isnull = true;
	return (Datum) 0;
}

/* ---------------------------------------------------------- suggestions -- */

/* What churnops.suggest_expectations() reads of a column. */
static void
describe_column(StringInfo out, const DatasetColumn *column, const DatasetColumnProfile *p)
{
	json_separate(out);
	appendStringInfoChar(out, '{');
	json_text(out, "column_name", column->name);
	json_text(out, "type", column->type_name);
	json_text(out, "kind", column->type.supported ? forest_kind_name(column->type.kind) : NULL);
	json_integer(out, "n", (int64) p->n);
	json_integer(out, "n_null", (int64) p->n_null);
	json_integer(out, "n_distinct", (int64) p->n_distinct);
	json_value(out, "n_distinct_exact", p->distinct_exact ? "true" : "false");
	if (p->is_number)
	{
		json_value(out, "min", number_json(column, p->min));
		json_value(out, "max", number_json(column, p->max));
	}
	json_integer(out, "min_length", (int64) p->min_length);
	json_integer(out, "max_length", (int64) p->max_length);
	if (p->counts_exact && is_shown(column))
		json_value(out, "top_values", top_json(column, p, p->n_counts));
	appendStringInfoChar(out, '}');
}

Datum
churnops_suggest_expectations(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	char	   *query = query_argument(fcinfo);
	Oid			types[] = {JSONBOID};
	Datum		values[1];
	StringInfoData out;
	Survey	   *survey;

	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	survey = survey_query(query);
	initStringInfo(&out);
	appendStringInfoChar(&out, '[');
	for (int i = 0; i < survey_n_columns(survey); i++)
	{
		const DatasetColumnProfile *profile;
		const DatasetColumn *column = survey_column(survey, i, &profile);

		describe_column(&out, column, profile);
	}
	appendStringInfoChar(&out, ']');
	survey_free(survey);
	values[0] = JsonbPGetDatum(json_to_jsonb(out.data));
	if (catalog_read("SELECT * FROM churnops.suggest_expectations($1)", 1, types, values, NULL) !=
		SPI_OK_SELECT)
		elog(ERROR, "could not suggest expectations");
	for (uint64 i = 0; i < SPI_processed; i++)
		tuplestore_puttuple(result->setResult, SPI_tuptable->vals[i]);
	SPI_finish();
	fcinfo->isnull = true;
	return (Datum) 0;
}
