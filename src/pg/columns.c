/*
 * columns.c
 *	  What each column of a training query is for.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/varlena.h"

#include "pg/columns.h"

#define LISTED_BYTES 400		/* of names in a message, before it is cut */

/* Raise 42701 if two columns of the query have one name. */
static void
refuse_duplicates(const Dataset *d)
{
	for (int i = 1; i < d->n_columns; i++)
	{
		for (int j = 0; j < i; j++)
		{
			if (strcmp(d->columns[i].name, d->columns[j].name) == 0)
				ereport(ERROR,
						(errcode(ERRCODE_DUPLICATE_COLUMN),
						 errmsg("the query has two columns named \"%s\"", d->columns[i].name),
						 errhint("Give one of them another name with AS, or leave it out.")));
		}
	}
}

/* Add a name to a list for a message; false when the list is long enough. */
static bool
list_name(StringInfo list, const char *name, const char *quote)
{
	if (list->len > LISTED_BYTES)
	{
		appendStringInfoString(list, ", ...");
		return false;
	}
	appendStringInfo(list, "%s%s%s%s", list->len > 0 ? ", " : "", quote, name, quote);
	return true;
}

/* The names of all columns, for a message. */
static char *
all_names(const Dataset *d)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < d->n_columns; i++)
	{
		if (!list_name(&list, d->columns[i].name, "\""))
			break;
	}
	return list.data;
}

/* The column whose name is nearest to one that does not exist, or NULL. */
static const char *
nearest_name(const Dataset *d, const char *wanted)
{
	const char *nearest = NULL;
	int			n_wanted = strlen(wanted);
	int			distance = n_wanted / 2;

	if (n_wanted == 0 || n_wanted >= NAMEDATALEN)
		return NULL;
	for (int i = 0; i < d->n_columns; i++)
	{
		const char *name = d->columns[i].name;
		int			edits;

		if (pg_strcasecmp(name, wanted) == 0)
			return name;
		edits = varstr_levenshtein_less_equal(wanted, n_wanted, name, strlen(name), 1, 1, 1,
											  distance, true);
		if (edits < distance || (edits == distance && nearest == NULL))
		{
			nearest = name;
			distance = edits;
		}
	}
	return nearest;
}

/* The number of a column by its name; `argument` names it in the error. */
static int
find_column(const Dataset *d, const char *name, const char *argument)
{
	const char *nearest;

	for (int i = 0; i < d->n_columns; i++)
	{
		if (strcmp(d->columns[i].name, name) == 0)
			return i;
	}
	nearest = nearest_name(d, name);
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("column \"%s\" of argument \"%s\" is not in the query", name, argument),
			 errdetail("The columns of the query are %s.", all_names(d)),
			 nearest != NULL ? errhint("Perhaps you meant \"%s\".", nearest)
			 : errhint("Name a column of the query, or add it to the query.")));
}

/* The argument that gives a role. */
static const char *
role_argument(ColumnRole role)
{
	switch (role)
	{
		case COLUMN_TARGET:
			return "target";
		case COLUMN_KEY:
			return "key";
		case COLUMN_WEIGHT:
			return "weight";
		case COLUMN_TIME:
			return "time_column";
		case COLUMN_EXCLUDED:
			return "exclude";
		case COLUMN_FEATURE:
			break;
	}
	return "query";
}

/* Give a column a role it does not have yet; returns its number. */
static int
assign_role(Dataset *d, const char *name, ColumnRole role)
{
	int			i = find_column(d, name, role_argument(role));
	ColumnRole	old = d->columns[i].role;

	if (old == role)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("column \"%s\" is named twice in argument \"%s\"", name,
						role_argument(role)),
				 errhint("Name it once.")));
	if (old != COLUMN_FEATURE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("column \"%s\" is named in both arguments \"%s\" and \"%s\"", name,
						role_argument(old), role_argument(role)),
				 errhint("A column has one role: leave it out of one of them.")));
	d->columns[i].role = role;
	return i;
}

/* Raise 0A000 if a column that would be a feature cannot be one. */
static void
refuse_unsupported(const Dataset *d)
{
	const DatasetColumn *first = NULL;
	StringInfoData names;
	StringInfoData types;

	initStringInfo(&names);
	initStringInfo(&types);
	for (int i = 0; i < d->n_columns; i++)
	{
		const DatasetColumn *column = &d->columns[i];

		if (column->role != COLUMN_FEATURE || column->type.supported)
			continue;
		if (first == NULL)
			first = column;
		if (!list_name(&names, quote_literal_cstr(column->name), ""))
			break;
		list_name(&types, psprintf("\"%s\" (%s)", column->name, column->type_name), "");
	}
	if (first == NULL)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("column \"%s\" has type %s, which cannot be a feature", first->name,
					first->type_name),
			 errdetail("Columns that cannot be features: %s.", types.data),
			 errhint("Cast them in the query, to text or to a number, or leave them out of "
					 "the features with exclude => ARRAY[%s].", names.data)));
}

/* How the target is read: by the argument task, else by its type. */
static void
decide_task(const TrainRequest *request, Dataset *d)
{
	const DatasetColumn *target = &d->columns[d->target];
	const DatumType *type = &target->type;
	bool		number = type->supported && type->kind == FOREST_NUMERIC;

	if (!number && !(type->supported &&
					 (type->kind == FOREST_BOOLEAN || type->kind == FOREST_CATEGORY)))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("target \"%s\" has type %s, which can be neither classes nor numbers",
						target->name, target->type_name),
				 errhint("Cast it in the query: to text or boolean for classification, to "
						 "double precision for regression.")));
	d->task = number && type->is_float ? FOREST_REGRESSION : FOREST_CLASSIFICATION;
	d->task_open = d->task == FOREST_REGRESSION && request->task == NULL;
	d->integer_labels = type->integer && request->task == NULL;
	if (request->task == NULL)
		return;
	if (strcmp(request->task, "classification") == 0)
		d->task = FOREST_CLASSIFICATION;
	else if (!number)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("target \"%s\" has type %s, regression needs a number", target->name,
						target->type_name),
				 errhint("Cast it to a number in the query, or leave task out.")));
	else
		d->task = FOREST_REGRESSION;
}

/* Raise 42804 if a weight is no number, or a time nothing that has an order. */
static void
check_types(const Dataset *d)
{
	const DatasetColumn *column;

	if (d->weight >= 0)
	{
		column = &d->columns[d->weight];
		if (!column->type.supported || column->type.kind != FOREST_NUMERIC)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("weight column \"%s\" has type %s, a number is needed",
							column->name, column->type_name),
					 errhint("Cast it in the query, as in %s::double precision AS %s.",
							 quote_identifier(column->name), quote_identifier(column->name))));
	}
	if (d->time >= 0)
	{
		column = &d->columns[d->time];
		if (!column->type.supported || column->type.kind == FOREST_CATEGORY ||
			column->type.kind == FOREST_BOOLEAN)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("time column \"%s\" has type %s, a date, a timestamp or a number is "
							"needed", column->name, column->type_name),
					 errhint("Cast it in the query, as in %s::timestamp AS %s.",
							 quote_identifier(column->name), quote_identifier(column->name))));
	}
}

/* What the query's descriptor says about its columns. */
static void
describe_columns(TupleDesc columns, Dataset *d)
{
	d->n_columns = columns->natts;
	d->columns = palloc0(Max(columns->natts, 1) * sizeof(DatasetColumn));
	for (int i = 0; i < columns->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(columns, i);
		DatasetColumn *column = &d->columns[i];

		column->name = pstrdup(NameStr(attribute->attname));
		column->type_name = format_type_with_typemod(attribute->atttypid, attribute->atttypmod);
		column->varlena = attribute->attlen == -1;
		column->by_value = attribute->attbyval;
		column->role = COLUMN_FEATURE;
		column->feature = -1;
		datum_type_init(&column->type, attribute->atttypid, CurrentMemoryContext);
	}
}

void
columns_assign(const TrainRequest *request, TupleDesc columns, Dataset *out)
{
	ListCell   *cell;

	memset(out, 0, sizeof(*out));
	describe_columns(columns, out);
	if (out->n_columns == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the query has no columns"),
				 errhint("Select the target and the features.")));
	refuse_duplicates(out);
	out->target = assign_role(out, request->target, COLUMN_TARGET);
	foreach(cell, request->key)
		assign_role(out, lfirst(cell), COLUMN_KEY);
	foreach(cell, request->exclude)
		assign_role(out, lfirst(cell), COLUMN_EXCLUDED);
	out->weight = request->weight == NULL ? -1
		: assign_role(out, request->weight, COLUMN_WEIGHT);
	out->time = request->time_column == NULL ? -1
		: assign_role(out, request->time_column, COLUMN_TIME);
	out->has_key = request->key != NIL;

	decide_task(request, out);
	check_types(out);
	refuse_unsupported(out);
	for (int i = 0; i < out->n_columns; i++)
	{
		if (out->columns[i].role == COLUMN_FEATURE)
			out->columns[i].feature = out->n_features++;
	}
	if (out->n_features == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the query has no column that could be a feature"),
				 errdetail("Its columns are %s.", all_names(out)),
				 errhint("Select features beside the target and the columns with another role.")));
}

void
columns_survey(TupleDesc columns, List *key, Dataset *out)
{
	int			nest = NewGUCNestLevel();
	ListCell   *cell;

	memset(out, 0, sizeof(*out));
	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	describe_columns(columns, out);
	AtEOXact_GUC(true, nest);
	if (out->n_columns == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the query has no columns")));
	refuse_duplicates(out);
	foreach(cell, key)
		assign_role(out, lfirst(cell), COLUMN_KEY);
	out->has_key = key != NIL;
}
