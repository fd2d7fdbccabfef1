/*
 * checks.c
 *	  What in the data of a training is worth a second look, in words.
 *
 * What is looked for, and from which number on, is forest/checks.c's.
 */
#include "postgres.h"

#include <math.h>

#include "utils/json.h"

#include "pg/budget.h"
#include "pg/checks.h"
#include "pg/json.h"

static const char *const severities[] = {
	[FOREST_INFO] = "info",
	[FOREST_WARNING] = "warning",
	[FOREST_ERROR] = "error",
};

/* The name of a column of the frame, in the server's encoding; NULL for none. */
static const char *
column_name(const Training *t, int32 column)
{
	for (int i = 0; i < t->dataset.n_columns && column >= 0; i++)
	{
		if (t->dataset.columns[i].feature == column)
			return t->dataset.columns[i].name;
	}
	return NULL;
}

/* The label of a class, in the server's encoding. */
static const char *
class_name(const Training *t, int32 label)
{
	return label >= 0 ? json_from_utf8(t->classes[label]) : "";
}

/* A share in percent, as short as it can be read. */
static char *
percent(double share)
{
	return psprintf("%.3g %%", 100 * share);
}

/* What a feature that says too much of the target makes one ask. */
#define LEAK_QUESTION "is it known when a prediction is made?"

/* What a feature says alone, of a number or of its absence. */
static char *
alone_message(const Training *t, const ForestCheck *check, const char *what)
{
	if (t->task == FOREST_REGRESSION)
		return psprintf("%s alone orders the target, with a rank correlation of %.4g (from %g "
						"on): " LEAK_QUESTION, what, check->value, check->threshold);
	return psprintf("%s alone tells class \"%s\" from the rest, with an AUC of %.4g (from %g on): "
					LEAK_QUESTION, what, class_name(t, check->other), check->value,
					check->threshold);
}

/* What a finding says of a column's values. */
static char *
column_message(const Training *t, const ForestCheck *check, const char *name)
{
	switch (check->kind)
	{
		case FOREST_CHECK_CONSTANT:
			return psprintf("column \"%s\" has one value only and is no feature", name);
		case FOREST_CHECK_ALL_MISSING:
			return psprintf("column \"%s\" has no value and is no feature", name);
		case FOREST_CHECK_QUASI_CONSTANT:
			return psprintf("%s of the values of \"%s\" are the same (from %s on)",
							percent(check->value), name, percent(check->threshold));
		case FOREST_CHECK_MISSING:
			return psprintf("%s of the values of \"%s\" are missing (from %s on)",
							percent(check->value), name, percent(check->threshold));
		case FOREST_CHECK_ID_LIKE:
			return psprintf("\"%s\" looks like an identifier, nearly every value is different: "
							"name it in key or exclude", name);
		case FOREST_CHECK_MANY_CATEGORIES:
			return psprintf("\"%s\" has %.0f different texts (from %.0f on), of which the most "
							"frequent are told apart", name, check->value, check->threshold);
		case FOREST_CHECK_OUTLIERS:
			return psprintf("%s of the values of \"%s\" are more than %d %s away (from %s on): are "
							"units mixed?", percent(check->value), name, check->other,
							check->other == 3 ? "interquartile ranges" : "standard deviations",
							percent(check->threshold));
		case FOREST_CHECK_RAW_TIME:
			return psprintf("\"%s\" is a point in time, and later rows have values that no training "
							"row had: give a duration up to the time of the prediction", name);
		case FOREST_CHECK_NAME:
			return psprintf("\"%s\" sounds like something that happens with the outcome: "
							LEAK_QUESTION, name);
		case FOREST_CHECK_FUTURE_TIME:
			return psprintf("%s of the values of \"%s\" are later than \"%s\" of their row",
							percent(check->value), name, t->request.time_column);
		case FOREST_CHECK_IMPORTANCE:
			return psprintf("\"%s\" has %s of all importance (from %s on): " LEAK_QUESTION, name,
							percent(check->value), percent(check->threshold));
		default:
			return NULL;
	}
}

/* What a finding says of the target, of rows, or of two columns. */
static char *
other_message(const Training *t, const ForestCheck *check, const char *name)
{
	switch (check->kind)
	{
		case FOREST_CHECK_DUPLICATE:
			return psprintf("\"%s\" says the same as \"%s\" in every row", name,
							column_name(t, check->other));
		case FOREST_CHECK_CORRELATED:
			return psprintf("\"%s\" and \"%s\" have a rank correlation of %.4g (from %g on)",
							name, column_name(t, check->other), check->value, check->threshold);
		case FOREST_CHECK_TARGET:
			return psprintf("\"%s\" is as good as the target: %s of %.4g (from %g on)", name,
							t->task == FOREST_REGRESSION ? "a rank correlation"
							: check->threshold == 0.95 ? "mutual information" : "agreement",
							check->value, check->threshold);
		case FOREST_CHECK_SINGLE_FEATURE:
			return alone_message(t, check, psprintf("\"%s\"", name));
		case FOREST_CHECK_MISSINGNESS:
			return alone_message(t, check, psprintf("whether \"%s\" is missing", name));
		case FOREST_CHECK_SPLIT_DUPLICATES:
			return psprintf("%s of the holdout rows have the features of a training row (from %s "
							"on)%s", percent(check->value), percent(check->threshold),
							t->request.key != NIL ? ", of another key"
							: ": if they are of one entity, name it in key");
		case FOREST_CHECK_CONFLICTS:
			return psprintf("training rows of equal features have different targets: %s of the %s "
							"cannot be avoided (from %s on)", percent(check->value),
							t->task == FOREST_REGRESSION ? "variance" : "rows",
							percent(check->threshold));
		case FOREST_CHECK_TIME_OVERLAP:
			return psprintf("%s of the holdout rows are earlier than the last training row, since "
							"their key has later rows", percent(check->value));
		case FOREST_CHECK_TOO_GOOD:
			return psprintf("the out-of-bag score is %.4g (from %g on), which is too good to be "
							"true: does a feature know the outcome?", check->value,
							check->threshold);
		case FOREST_CHECK_IMBALANCE:
			return psprintf("%s of the training rows are of class \"%s\" (below %s): judge by "
							"average precision and lift, and choose the threshold by costs",
							percent(check->value), class_name(t, check->other),
							percent(check->threshold));
		case FOREST_CHECK_FEW_OF_CLASS:
			return psprintf("class \"%s\" has %.0f training rows (below %.0f)",
							class_name(t, check->other), check->value, check->threshold);
		default:
			return column_message(t, check, name);
	}
}

/* Write a finding. */
static void
write_check(const Training *t, const ForestCheck *check, StringInfo out, StringInfo warnings)
{
	const char *name = column_name(t, check->column);
	char	   *message = other_message(t, check, name);

	json_separate(out);
	appendStringInfoChar(out, '{');
	json_text(out, "check", forest_check_name(check->kind));
	json_text(out, "feature", name);
	json_number(out, "value", check->value);
	json_number(out, "threshold", check->threshold);
	json_text(out, "severity", severities[check->severity]);
	json_text(out, "message", message);
	appendStringInfoChar(out, '}');
	if (check->severity == FOREST_INFO)
		return;
	json_separate(warnings);
	escape_json(warnings, message);
}

void
checks_write(Training *t, double oob_score, StringInfo out, StringInfo warnings)
{
	ForestChecks checks;
	Failure		why;
	Status		status = forest_checks(&t->host.host, t->forest, t->model, oob_score, &checks,
									   &why);

	/* a training that fits into memory is not refused for them */
	if (status != STATUS_NO_MEMORY)
		budget_check(&t->host, status, &why);
	json_key(out, "checks");
	appendStringInfoChar(out, '[');
	for (size_t i = 0; i < checks.n; i++)
		write_check(t, &checks.checks[i], out, warnings);
	appendStringInfoChar(out, ']');
	forest_checks_free(&t->host.host, &checks);
}
