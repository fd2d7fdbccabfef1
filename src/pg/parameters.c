/*
 * parameters.c
 *	  The table of hyper-parameters as rows: what training checks, and what
 *	  docs/reference.md is held against.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

#include "forest/forest.h"
#include "pg/compat.h"

PG_FUNCTION_INFO_V1(churnops_parameters);

/* churnops_parameters() → name, default_value, allowed, description */
Datum
churnops_parameters(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	const ForestParamInfo *info;

	InitMaterializedSRF(fcinfo, 0);
	for (info = forest_param_table(); info->name != NULL; info++)
	{
		Datum		values[4];
		bool		nulls[4] = {false, false, false, false};

		values[0] = CStringGetTextDatum(info->name);
		values[1] = CStringGetTextDatum(info->default_text);
		values[2] = CStringGetTextDatum(info->values);
		values[3] = CStringGetTextDatum(info->help);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
