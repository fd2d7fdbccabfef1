/*
 * notice.c
 *	  What a training tells its user about the data.
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "pg/json.h"
#include "pg/notice.h"

#define LISTED_BYTES 200		/* of names in a message, before it is cut */

/* Is the second of two classes the positive one for everybody? */
static bool
positive_is_plain(const char *first, const char *second)
{
	static const char *const pairs[][2] = {
		{"0", "1"}, {"false", "true"}, {"n", "y"}, {"no", "yes"},
	};

	for (size_t i = 0; i < lengthof(pairs); i++)
	{
		if (pg_strcasecmp(first, pairs[i][0]) == 0 && pg_strcasecmp(second, pairs[i][1]) == 0)
			return true;
	}
	return false;
}

void
notice_rows(const Training *t, bool zero_one)
{
	if (t->n_unknown > 0)
		ereport(NOTICE,
				(errmsg_plural("%zu row with an unknown target is left out",
							   "%zu rows with an unknown target are left out",
							   t->n_unknown, t->n_unknown)));
	if (zero_one)
		ereport(NOTICE,
				(errmsg("target \"%s\" is read as two classes: its only values are 0 and 1",
						t->request.target),
				 errhint("Give task => 'regression' to predict it as a number.")));
	if (t->n_classes == 2 && t->request.positive_class == NULL &&
		!positive_is_plain(t->classes[0], t->classes[1]))
	{
		char	   *first = json_from_utf8(t->classes[0]);
		char	   *second = json_from_utf8(t->classes[1]);

		ereport(NOTICE,
				(errmsg("the positive class is \"%s\"", second),
				 errhint("Give positive_class => %s if it shall be \"%s\".",
						 quote_literal_cstr(first), first)));
	}
}

/* The names of the features of a fate, quoted, for a message; NULL for none. */
static char *
names_of_fate(const Training *t, ForestColumnFate fate, bool literal)
{
	const Dataset *d = &t->dataset;
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; i < d->n_columns; i++)
	{
		const DatasetColumn *column = &d->columns[i];

		if (column->feature < 0 || t->report.fates[column->feature] != fate)
			continue;
		if (names.len > LISTED_BYTES)
		{
			appendStringInfoString(&names, ", ...");
			break;
		}
		appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "",
						 literal ? quote_literal_cstr(column->name)
						 : psprintf("\"%s\"", column->name));
	}
	return names.len > 0 ? names.data : NULL;
}

void
notice_columns(const Training *t)
{
	char	   *names;

	if ((names = names_of_fate(t, FOREST_DROPPED_MISSING, false)) != NULL)
		ereport(NOTICE,
				(errmsg("columns without a value in the training rows are dropped: %s", names)));
	if ((names = names_of_fate(t, FOREST_DROPPED_CONSTANT, false)) != NULL)
		ereport(NOTICE,
				(errmsg("columns with one value only in the training rows are dropped: %s",
						names)));
	if ((names = names_of_fate(t, FOREST_KEPT_ID_LIKE, false)) != NULL)
	{
		char	   *literals = names_of_fate(t, FOREST_KEPT_ID_LIKE, true);

		ereport(NOTICE,
				(errmsg("columns look like identifiers, nearly every value is different: %s",
						names),
				 errhint("If they name the entity give key => ARRAY[%s]; if they say nothing "
						 "about it, exclude => ARRAY[%s].", literals, literals)));
	}
}
