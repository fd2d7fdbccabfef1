/*
 * deploy.c
 *	  The deploy library's tests as SQL functions of the catalogue, for the
 *	  extension's owner, and the nearest of known names for messages.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/varlena.h"

#include "deploy/deploy.h"
#include "drift/drift.h"
#include "pg/compat.h"

PG_FUNCTION_INFO_V1(churnops_nearest_name);
PG_FUNCTION_INFO_V1(churnops_shift_of_counts);
PG_FUNCTION_INFO_V1(churnops_fisher);
PG_FUNCTION_INFO_V1(churnops_wilson);
PG_FUNCTION_INFO_V1(churnops_sample_ratio);
PG_FUNCTION_INFO_V1(churnops_sequential);
PG_FUNCTION_INFO_V1(churnops_tau_squared);

#define Z95 1.959963984540054
#define MAX_EDITS 255			/* bytes that the server compares */

/* One row of doubles; NAN and infinities become NULL. */
static Datum
row_of_numbers(FunctionCallInfo fcinfo, const double *numbers, int n)
{
	TupleDesc	columns;
	Datum	   *values = palloc(sizeof(Datum) * n);
	bool	   *nulls = palloc(sizeof(bool) * n);

	if (get_call_result_type(fcinfo, NULL, &columns) != TYPEFUNC_COMPOSITE || columns->natts != n)
		elog(ERROR, "function %u does not return %d numbers", fcinfo->flinfo->fn_oid, n);
	for (int i = 0; i < n; i++)
	{
		values[i] = Float8GetDatum(numbers[i]);
		nulls[i] = isnan(numbers[i]) || isinf(numbers[i]);
	}
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(columns), values, nulls));
}

/* churnops.nearest_name(name, known): the known name with the fewest edits, NULL if all are far. */
Datum
churnops_nearest_name(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	int			least = Max((int) strlen(name) / 2, 2);
	char	   *nearest = NULL;
	Datum	   *known;
	int			n;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), TEXTOID, -1, false, TYPALIGN_INT, &known, NULL,
					  &n);
	for (int i = 0; i < n && strlen(name) <= MAX_EDITS; i++)
	{
		char	   *other = TextDatumGetCString(known[i]);
		int			edits = varstr_levenshtein(name, (int) strlen(name), other,
											   (int) strlen(other), 1, 1, 1, true);

		if (edits < least || (edits == least && nearest == NULL))
		{
			least = edits;
			nearest = other;
		}
	}
	if (nearest == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(nearest));
}

/* The counts of an int8[] without NULLs. */
static const int64_t *
counts_of(ArrayType *array, int *n)
{
	if (array_contains_nulls(array))
		elog(ERROR, "counts must not be null");
	*n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	return (const int64_t *) ARR_DATA_PTR(array);
}

Datum
churnops_shift_of_counts(PG_FUNCTION_ARGS)
{
	int			n_reference;
	int			n_current;
	const int64_t *reference = counts_of(PG_GETARG_ARRAYTYPE_P(0), &n_reference);
	const int64_t *current = counts_of(PG_GETARG_ARRAYTYPE_P(1), &n_current);
	DriftDistance distance;

	if (n_reference != n_current)
		elog(ERROR, "%d bins are compared with %d", n_reference, n_current);
	distance = drift_distance(reference, current, n_reference);
	/* Arms without rows have not moved yet. */
	if (isnan(distance.psi))
		return row_of_numbers(fcinfo, (double[]) {0, 1}, 2);
	return row_of_numbers(fcinfo, (double[]) {distance.psi, distance.psi_p}, 2);
}

static DeployCount
count_of(FunctionCallInfo fcinfo, int argument)
{
	DeployCount count = {PG_GETARG_FLOAT8(argument), PG_GETARG_FLOAT8(argument + 1)};

	return count;
}

Datum
churnops_fisher(PG_FUNCTION_ARGS)
{
	DeployFisher fisher = deploy_fisher(count_of(fcinfo, 0), count_of(fcinfo, 2));

	return row_of_numbers(fcinfo, (double[]) {fisher.greater, fisher.two_sided}, 2);
}

Datum
churnops_wilson(PG_FUNCTION_ARGS)
{
	DeployInterval interval = deploy_wilson(count_of(fcinfo, 0), Z95);

	return row_of_numbers(fcinfo, (double[]) {interval.low, interval.high}, 2);
}

Datum
churnops_sample_ratio(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(deploy_sample_ratio(PG_GETARG_FLOAT8(0), PG_GETARG_FLOAT8(1),
										 PG_GETARG_FLOAT8(2)));
}

Datum
churnops_sequential(PG_FUNCTION_ARGS)
{
	DeploySample a = {PG_GETARG_FLOAT8(0), PG_GETARG_FLOAT8(1), PG_GETARG_FLOAT8(2)};
	DeploySample b = {PG_GETARG_FLOAT8(3), PG_GETARG_FLOAT8(4), PG_GETARG_FLOAT8(5)};
	DeploySequential test = deploy_sequential(a, b, PG_GETARG_FLOAT8(6), PG_GETARG_FLOAT8(7));

	return row_of_numbers(fcinfo, (double[]) {test.difference, test.p, test.margin}, 3);
}

Datum
churnops_tau_squared(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(deploy_tau_squared(PG_GETARG_FLOAT8(0), PG_GETARG_FLOAT8(1)));
}
