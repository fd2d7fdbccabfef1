/*
 * profit.c
 *	  What it brings to target one customer.
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"

#include "pg/compat.h"

PG_FUNCTION_INFO_V1(churnops_target_profit);

/* Raise unless a number is in its range. */
static void
check_range(const char *name, double value, double low, double high)
{
	if (value >= low && value <= high)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s is %g, a number from %g to %g is required", name, value, low, high)));
}

/*
 * churnops_target_profit(p, clv, d, f, gamma): a churner accepts by chance
 * gamma, then brings clv and takes the incentive d; who would have stayed
 * takes it for nothing; the contact costs f in any case.
 */
Datum
churnops_target_profit(PG_FUNCTION_ARGS)
{
	double		p;
	double		clv;
	double		d;
	double		f;
	double		gamma;
	double		profit;

	for (int i = 0; i < PG_NARGS(); i++)
		if (PG_ARGISNULL(i))
			PG_RETURN_NULL();
	p = PG_GETARG_FLOAT8(0);
	clv = PG_GETARG_FLOAT8(1);
	d = PG_GETARG_FLOAT8(2);
	f = PG_GETARG_FLOAT8(3);
	gamma = PG_GETARG_FLOAT8(4);
	check_range("p", p, 0, 1);
	check_range("gamma", gamma, 0, 1);
	profit = p * gamma * (clv - d) - (1 - p) * d - f;
	if (!isfinite(profit))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("clv %g, d %g and f %g give no finite profit", clv, d, f)));
	PG_RETURN_FLOAT8(profit);
}
