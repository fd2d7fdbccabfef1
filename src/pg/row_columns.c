/*
 * row_columns.c
 *	  Rows given column by column, as arguments of churnops_predict_columns()
 *	  and its like.
 *
 * Matching names with features takes longer than scoring a row, and a point
 * query has one row; so the maps are kept with the model.  A map is found again
 * by the names and types of the values.  Types that users have made are not
 * trusted over statements, since an OID can come to mean another type: with
 * one of them the map is made for the call alone.
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/tupdesc.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "nodes/primnodes.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "pg/report.h"
#include "pg/row.h"

#define MAX_KEPT_MAPS 8

typedef struct KeptMap
{
	ArrayType  *names;
	int			n_values;
	Oid		   *types;
	RowMap		map;
} KeptMap;

/* Those of one model: as many row types as there are, up to a bound. */
typedef struct KeptMaps
{
	int			n;
	const KeptMap *maps[MAX_KEPT_MAPS];
} KeptMaps;

/* Is an argument the same in every call, whoever evaluates the expression, and when? */
static bool
is_constant(const FmgrInfo *function, int argument)
{
	const Node *call = (const Node *) function->fn_expr;

	return call != NULL && IsA(call, FuncExpr) &&
		IsA(list_nth(((const FuncExpr *) call)->args, argument), Const);
}

/* The names of the values. */
static ArrayType *
names_of_call(FunctionCallInfo fcinfo)
{
	ArrayType  *names;

	if (PG_ARGISNULL(ROW_NAMES))
		report_null_argument("names");
	names = PG_GETARG_ARRAYTYPE_P(ROW_NAMES);
	if (get_fn_expr_variadic(fcinfo->flinfo) ||
		!is_constant(fcinfo->flinfo, ROW_NAMES) ||
		array_contains_nulls(names) ||
		ArrayGetNItems(ARR_NDIM(names), ARR_DIMS(names)) != PG_NARGS() - ROW_FIRST_VALUE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"names\" must be a constant array with a name for each of the "
						"%d values", PG_NARGS() - ROW_FIRST_VALUE),
				 errhint("Give the row, as in SELECT churnops_predict('churn', t) FROM t; the "
						 "planner makes its columns of it.")));
	return names;
}

/* The types of the values; false if one of them is not the server's own. */
static bool
types_of_call(FunctionCallInfo fcinfo, Oid *types)
{
	bool		all_built_in = true;

	for (int i = 0; i < PG_NARGS() - ROW_FIRST_VALUE; i++)
	{
		types[i] = get_fn_expr_argtype(fcinfo->flinfo, ROW_FIRST_VALUE + i);
		if (!OidIsValid(types[i]))
			elog(ERROR, "could not determine the type of value %d of a row", i + 1);
		all_built_in = all_built_in && types[i] < FirstNormalObjectId;
	}
	return all_built_in;
}

static const RowMap *
find_map(const KeptMaps *kept, const ArrayType *names, const Oid *types, int n_values)
{
	for (int i = 0; kept != NULL && i < kept->n; i++)
	{
		const KeptMap *known = kept->maps[i];

		if (known->n_values == n_values &&
			memcmp(known->types, types, sizeof(Oid) * n_values) == 0 &&
			VARSIZE(known->names) == VARSIZE(names) &&
			memcmp(known->names, names, VARSIZE(names)) == 0)
			return &known->map;
	}
	return NULL;
}

static TupleDesc
describe_values(ArrayType *names, const Oid *types, int n_values)
{
	TupleDesc	columns = CreateTemplateTupleDesc(n_values);
	Datum	   *texts;
	int			n;

	deconstruct_array(names, TEXTOID, -1, false, TYPALIGN_INT, &texts, NULL, &n);
	Assert(n == n_values);
	for (int i = 0; i < n_values; i++)
		TupleDescInitEntry(columns, i + 1, TextDatumGetCString(texts[i]), types[i], -1, 0);
	return columns;
}

/* A map in a context of its own, which goes below the given one. */
static KeptMap *
make_map(MemoryContext parent, ArrayType *names, const Oid *types, int n_values,
		 const CachedModel *model, const Resolved *version)
{
	TupleDesc	columns = describe_values(names, types, n_values);
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "churnops row",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	KeptMap    *made = palloc(sizeof(KeptMap));

	made->n_values = n_values;
	made->names = (ArrayType *) PG_DETOAST_DATUM_COPY(PointerGetDatum(names));
	made->types = palloc(sizeof(Oid) * n_values);
	memcpy(made->types, types, sizeof(Oid) * n_values);
	row_map_init(&made->map, columns, ROW_ARGUMENTS, model, version, "row", false);
	(void) MemoryContextSwitchTo(caller);
	MemoryContextSetParent(context, parent);
	return made;
}

const RowMap *
row_map_of_call(FunctionCallInfo fcinfo, CachedModel *model, const Resolved *version)
{
	ArrayType  *names = names_of_call(fcinfo);
	int			n_values = PG_NARGS() - ROW_FIRST_VALUE;
	Oid			types[FUNC_MAX_ARGS];
	bool		keep = types_of_call(fcinfo, types);
	const RowMap *known = keep ? find_map(model->maps, names, types, n_values) : NULL;
	KeptMap    *made;

	if (known != NULL)
		return known;
	if (model->maps == NULL)
		model->maps = MemoryContextAllocZero(model->context, sizeof(KeptMaps));
	keep = keep && model->maps->n < MAX_KEPT_MAPS;
	made = make_map(keep ? model->context : fcinfo->flinfo->fn_mcxt, names, types, n_values,
					model, version);
	if (keep)
		model->maps->maps[model->maps->n++] = made;
	return &made->map;
}

TupleDesc
row_columns_of_call(FunctionCallInfo fcinfo)
{
	Oid			types[FUNC_MAX_ARGS];

	(void) types_of_call(fcinfo, types);
	return describe_values(names_of_call(fcinfo), types, PG_NARGS() - ROW_FIRST_VALUE);
}
