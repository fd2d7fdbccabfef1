/*
 * rewrite.c
 *	  The planner's side of scoring: rows of tables become their columns.
 *
 * For churnops_predict(ref, t) the executor builds a composite datum of every
 * row, which costs more than scoring it.  When a query is planned, such a call
 * becomes
 *
 *		churnops_predict_columns(function, ref, names, t.a, t.b, ...)
 *
 * with all columns of the row, so that the plan knows nothing of the model: a
 * promotion needs no new plan.  Answers and errors are those of the row.
 *
 * What the plan would lose is kept.  A call that names the row needs SELECT on
 * all columns: that was noted when the query was parsed.  EXECUTE on the
 * function is asked for here, without it the call stays as it is and fails as
 * it should; and once more when the call runs, by the function's OID, since a
 * cached plan may run under another role.  A change of the function makes a
 * new plan.  The columns of a table can change only with a new plan, too.
 *
 * A row that may be NULL is left alone, since its columns would be a row of
 * NULLs, which has a prediction: the nullable side of an outer join, and
 * grouping sets.  So is ROW(...), whose columns have no names.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pathnodes.h"
#include "nodes/supportnodes.h"
#include "optimizer/planmain.h"
#include "parser/parsetree.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "pg/compat.h"
#include "pg/row.h"

PG_FUNCTION_INFO_V1(churnops_predict_support);

#define COLUMNS_SUFFIX "_columns"
#define MAX_COLUMNS (FUNC_MAX_ARGS - ROW_FIRST_VALUE)

/* The columns of a row, as they are to be given to the function. */
typedef struct RowColumns
{
	int			n;
	Datum		names[MAX_COLUMNS]; /* text */
	List	   *values;			/* expressions */
} RowColumns;

/* False if there are too many. */
static bool
add_column(RowColumns *columns, const char *name, Node *value)
{
	if (columns->n == MAX_COLUMNS)
		return false;
	columns->names[columns->n++] = CStringGetTextDatum(name);
	columns->values = lappend(columns->values, value);
	return true;
}

/* ------------------------------------------------------ rows of a table -- */

typedef enum RowSource
{
	SOURCE_ABSENT,				/* not in this part of the tree */
	SOURCE_NULLABLE,			/* an outer join can make its rows NULL */
	SOURCE_PRESENT
} RowSource;

static RowSource
find_source(Node *tree, Index relation)
{
	RowSource	source = SOURCE_ABSENT;

	if (IsA(tree, RangeTblRef))
		return ((RangeTblRef *) tree)->rtindex == (int) relation ? SOURCE_PRESENT : SOURCE_ABSENT;
	if (IsA(tree, FromExpr))
	{
		ListCell   *item;

		foreach(item, ((FromExpr *) tree)->fromlist)
		{
			source = find_source(lfirst(item), relation);
			if (source != SOURCE_ABSENT)
				return source;
		}
	}
	else if (IsA(tree, JoinExpr))
	{
		JoinExpr   *join = (JoinExpr *) tree;

		source = find_source(join->larg, relation);
		if (source == SOURCE_PRESENT && (join->jointype == JOIN_RIGHT || join->jointype == JOIN_FULL))
			return SOURCE_NULLABLE;
		if (source != SOURCE_ABSENT)
			return source;
		source = find_source(join->rarg, relation);
		if (source == SOURCE_PRESENT && join->jointype != JOIN_INNER && join->jointype != JOIN_SEMI &&
			join->jointype != JOIN_RIGHT)
			return SOURCE_NULLABLE;
	}
	return source;
}

static Var *
column_of(Var *row, AttrNumber number, Form_pg_attribute column)
{
	Var		   *value = copyObject(row);

	value->varattno = number;
	value->varattnosyn = value->varnosyn == 0 ? 0 : number;
	value->vartype = column->atttypid;
	value->vartypmod = column->atttypmod;
	value->varcollid = column->attcollation;
	return value;
}

/* The columns of a whole-row reference to a table. */
static bool
columns_of_table(const PlannerInfo *root, Var *row, RowColumns *columns)
{
	RangeTblEntry *entry;
	Relation	table;
	TupleDesc	description;
	bool		complete = true;

	if (row->varattno != InvalidAttrNumber || row->varlevelsup != 0 || compat_is_old_or_new(row))
		return false;
	entry = rt_fetch(row->varno, root->parse->rtable);
	if (entry->rtekind != RTE_RELATION || entry->relkind == RELKIND_VIEW ||
		find_source((Node *) root->parse->jointree, row->varno) != SOURCE_PRESENT)
		return false;
	table = table_open(entry->relid, NoLock);
	description = RelationGetDescr(table);
	for (int i = 0; complete && i < description->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(description, i);

		if (!column->attisdropped)
			complete = add_column(columns, NameStr(column->attname),
								  (Node *) column_of(row, i + 1, column));
	}
	table_close(table, NoLock);
	return complete;
}

/* ----------------------------------------- rows of views and subqueries -- */

/* Are these the names that ROW(...) gives, f1, f2, ...? */
static bool
is_nameless(const List *names)
{
	char		nameless[NAMEDATALEN];
	ListCell   *name;

	foreach(name, names)
	{
		snprintf(nameless, sizeof(nameless), "f%d", foreach_current_index(name) + 1);
		if (strcmp(strVal(lfirst(name)), nameless) != 0)
			return false;
	}
	return true;
}

/* A row of a subquery that was pulled up: its names are in the expression. */
static bool
columns_of_record(const RowExpr *row, RowColumns *columns)
{
	ListCell   *value;
	ListCell   *name;

	if (list_length(row->colnames) != list_length(row->args) || is_nameless(row->colnames))
		return false;
	forboth(value, row->args, name, row->colnames)
	{
		if (!add_column(columns, strVal(lfirst(name)), lfirst(value)))
			return false;
	}
	return true;
}

/* A row of a view that was pulled up: its names are those of its type. */
static bool
columns_of_view(const RowExpr *row, RowColumns *columns)
{
	TupleDesc	description = lookup_rowtype_tupdesc(row->row_typeid, -1);
	bool		complete = list_length(row->args) == description->natts;

	for (int i = 0; complete && i < description->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(description, i);
		Node	   *value = list_nth(row->args, i);

		if (!column->attisdropped)
			complete = exprType(value) == column->atttypid &&
				add_column(columns, NameStr(column->attname), value);
	}
	ReleaseTupleDesc(description);
	return complete;
}

static bool
columns_of(const PlannerInfo *root, Node *row, RowColumns *columns)
{
	if (IsA(row, Var))
		return columns_of_table(root, (Var *) row, columns);
	if (!IsA(row, RowExpr) || ((RowExpr *) row)->row_format != COERCE_IMPLICIT_CAST)
		return false;
	if (((RowExpr *) row)->row_typeid == RECORDOID)
		return columns_of_record((RowExpr *) row, columns);
	return columns_of_view((RowExpr *) row, columns);
}

/* ------------------------------------------------------------- the call -- */

/* May the caller execute the function, and is nothing changed that a call would show? */
static bool
is_as_installed(Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Form_pg_proc form;
	bool		same;

	if (!HeapTupleIsValid(tuple))
		return false;
	form = (Form_pg_proc) GETSTRUCT(tuple);
	same = !form->prosecdef && !form->proisstrict && form->provolatile == PROVOLATILE_STABLE &&
		form->proparallel == PROPARALLEL_SAFE &&
		heap_attisnull(tuple, Anum_pg_proc_proconfig, NULL) && !FmgrHookIsNeeded(function);
	ReleaseSysCache(tuple);
	return same && compat_may_execute(function, GetUserId());
}

/* The function that takes columns where this one takes a row; InvalidOid if there is none. */
static Oid
columns_function(Oid function)
{
	Oid			types[] = {REGPROCEDUREOID, TEXTOID, TEXTARRAYOID, ANYOID};
	char	   *name = psprintf("%s" COLUMNS_SUFFIX, get_func_name(function));
	Oid			found = GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid, CStringGetDatum(name),
										PointerGetDatum(buildoidvector(types, lengthof(types))),
										ObjectIdGetDatum(get_func_namespace(function)));

	return OidIsValid(found) && is_as_installed(found) ? found : InvalidOid;
}

static Node *
call_with_columns(const FuncExpr *call, Oid function, RowColumns *columns)
{
	FuncExpr   *result = makeFuncExpr(function, call->funcresulttype, NIL, call->funccollid,
									  call->inputcollid, COERCE_EXPLICIT_CALL);
	ArrayType  *names = construct_array(columns->names, columns->n, TEXTOID, -1, false,
										TYPALIGN_INT);

	result->args = list_make3(makeConst(REGPROCEDUREOID, -1, InvalidOid, sizeof(Oid),
										ObjectIdGetDatum(call->funcid), false, true),
							  linitial(call->args),
							  makeConst(TEXTARRAYOID, -1, DEFAULT_COLLATION_OID, -1,
										PointerGetDatum(names), false, false));
	result->args = list_concat(result->args, columns->values);
	result->location = call->location;
	return (Node *) result;
}

/* The call with columns in place of the row; NULL where it has to stay. */
static Node *
rewrite_call(const SupportRequestSimplify *request)
{
	FuncExpr   *call = request->fcall;
	RowColumns	columns = {0};
	Oid			function;

	if (request->root == NULL || request->root->parse->groupingSets != NIL ||
		list_length(call->args) != 2)
		return NULL;
	if (!columns_of(request->root, lsecond(call->args), &columns) || columns.n == 0 ||
		!is_as_installed(call->funcid))
		return NULL;
	function = columns_function(call->funcid);
	if (!OidIsValid(function))
		return NULL;
	record_plan_function_dependency(request->root, call->funcid);
	return call_with_columns(call, function, &columns);
}

Datum
churnops_predict_support(PG_FUNCTION_ARGS)
{
	Node	   *request = (Node *) PG_GETARG_POINTER(0);

	if (!IsA(request, SupportRequestSimplify))
		PG_RETURN_POINTER(NULL);
	PG_RETURN_POINTER(rewrite_call((SupportRequestSimplify *) request));
}
