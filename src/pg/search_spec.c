/*
 * search_spec.c
 *	  What a search and a cross-validation are asked for in JSON.
 *
 * Every object is strict: an unknown key is an error that names the nearest
 * known one.  A space is an object of parameters, each a list of values or a
 * range {"low": 1, "high": 100, "log": true}.
 */
#include "postgres.h"

#include <math.h>

#include "common/shortest_dec.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"
#include "utils/varlena.h"

#include "pg/compat.h"
#include "pg/json.h"
#include "pg/search_spec.h"

#define MOST_REPEATS 1000
#define MOST_CHOICES 10000
#define MOST_DIMENSIONS 100

static const char *const method_names[] = {
	[SEARCH_RANDOM] = "random",
	[SEARCH_GRID] = "grid",
	[SEARCH_HALVING] = "halving",
	[SEARCH_TPE] = "tpe",
};

static const char *const fold_names[] = {
	[TUNE_KFOLD] = "kfold",
	[TUNE_STRATIFIED] = "stratified",
	[TUNE_GROUP] = "group",
	[TUNE_STRATIFIED_GROUP] = "stratified_group",
	[TUNE_TIME] = "time",
};

/* ------------------------------------------------------------------ JSON -- */

const char *
search_nearest(const char *name, const char *const *known, int n_known)
{
	const char *nearest = NULL;
	int			n = strlen(name);
	int			least = Max(n / 2, 1);

	if (n == 0 || n > 255)
		return NULL;
	for (int i = 0; i < n_known; i++)
	{
		int			edits = varstr_levenshtein_less_equal(name, n, known[i], strlen(known[i]),
														  1, 1, 1, least, true);

		if (edits < least || (edits == least && nearest == NULL))
		{
			nearest = known[i];
			least = edits;
		}
	}
	return nearest;
}

/* The names of a list, quoted, for a message. */
static char *
list_names(const char *const *names, int n)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < n; i++)
		appendStringInfo(&list, "%s\"%s\"", i > 0 ? ", " : "", names[i]);
	return list.data;
}

/* Raise 22023 for a name that is none of those known. */
pg_noreturn static void
refuse_name(const char *what, const char *name, const char *const *known, int n_known)
{
	const char *nearest = search_nearest(name, known, n_known);

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s \"%s\" is not known", what, name),
			 errdetail("Known are %s.", list_names(known, n_known)),
			 nearest != NULL ? errhint("Perhaps you meant \"%s\".", nearest) : 0));
}

/* The place of a name among those known. */
static int
find_name(const char *what, const char *name, const char *const *known, int n_known)
{
	for (int i = 0; i < n_known; i++)
	{
		if (strcmp(name, known[i]) == 0)
			return i;
	}
	refuse_name(what, name, known, n_known);
}

/* Raise 22023 unless the document is an object. */
static void
require_object(Jsonb *json, const char *argument)
{
	if (!JB_ROOT_IS_OBJECT(json))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must be a JSON object", argument)));
}

/* Raise 22023 if an object has a key that is not known. */
static void
refuse_unknown_keys(JsonbContainer *object, const char *what, const char *const *known,
					int n_known)
{
	JsonbIterator *iterator = JsonbIteratorInit(object);
	JsonbValue	value;
	JsonbIteratorToken token;

	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			(void) find_name(what, pnstrdup(value.val.string.val, value.val.string.len), known,
							 n_known);
	}
}

/* A member of an object; NULL if it is absent or null. */
static JsonbValue *
member(JsonbContainer *object, const char *key)
{
	JsonbValue *value = getKeyJsonValueFromContainer(object, key, strlen(key), NULL);

	return value == NULL || value->type == jbvNull ? NULL : value;
}

/* A JSON value as text. */
static char *
value_text(JsonbValue *value)
{
	Jsonb	   *json = JsonbValueToJsonb(value);

	return JsonbToCString(NULL, &json->root, VARSIZE(json));
}

static double
value_number(const JsonbValue *value)
{
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8,
											  NumericGetDatum(value->val.numeric)));
}

/* Is a number written without a fraction? */
static bool
value_is_whole(const JsonbValue *value)
{
	char	   *text = DatumGetCString(DirectFunctionCall1(numeric_out,
														   NumericGetDatum(value->val.numeric)));

	return strchr(text, '.') == NULL && strpbrk(text, "NI") == NULL;
}

pg_noreturn static void
refuse_value(const char *what, const char *key, JsonbValue *value, const char *allowed)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s \"%s\" is %s, not %s", what, key, value_text(value), allowed)));
}

/* An integer member within bounds. */
static int64
integer_member(JsonbContainer *object, const char *what, const char *key, int64 least,
			   int64 most, int64 otherwise)
{
	JsonbValue *value = member(object, key);
	double		number;

	if (value == NULL)
		return otherwise;
	number = value->type == jbvNumeric && value_is_whole(value) ? value_number(value) : NAN;
	if (!(number >= least && number <= most))
		refuse_value(what, key, value, psprintf("an integer from " INT64_FORMAT " to "
												INT64_FORMAT, least, most));
	return (int64) number;
}

static bool
boolean_member(JsonbContainer *object, const char *what, const char *key, bool otherwise)
{
	JsonbValue *value = member(object, key);

	if (value == NULL)
		return otherwise;
	if (value->type != jbvBool)
		refuse_value(what, key, value, "true or false");
	return value->val.boolean;
}

/* The place of a string member among names; otherwise if it is not there. */
static int
name_member(JsonbContainer *object, const char *what, const char *key, const char *const *names,
			int n_names, int otherwise)
{
	JsonbValue *value = member(object, key);

	if (value == NULL)
		return otherwise;
	if (value->type != jbvString)
		refuse_value(what, key, value, psprintf("one of %s", list_names(names, n_names)));
	return find_name(psprintf("%s \"%s\":", what, key),
					 pnstrdup(value->val.string.val, value->val.string.len), names, n_names);
}

/* ----------------------------------------------------------------- folds -- */

const char *
search_fold_name(TuneFoldKind kind)
{
	return fold_names[kind];
}

/* Take the gap: rows, or an interval as text. */
static void
read_gap(JsonbContainer *object, SearchCv *out)
{
	JsonbValue *value = member(object, "gap");

	if (value != NULL && value->type == jbvString)
		out->gap_interval = pnstrdup(value->val.string.val, value->val.string.len);
	else
		out->folds.gap_rows = (uint32) integer_member(object, "cv", "gap", 0, PG_INT32_MAX, 0);
}

void
search_spec_cv(Jsonb *json, const char *argument, SearchCv *out)
{
	static const char *const keys[] = {
		"folds", "method", "repeats", "seed", "gap", "test_size", "max_train_size", "nested",
	};
	JsonbValue *value;
	int			kind;

	memset(out, 0, sizeof(*out));
	out->folds.n_folds = 5;
	out->n_repeats = 1;
	if (json == NULL)
		return;
	if (JB_ROOT_IS_SCALAR(json))
	{
		JsonbValue	scalar;

		if (!JsonbExtractScalar(&json->root, &scalar) || scalar.type != jbvString ||
			scalar.val.string.len != 3 || memcmp(scalar.val.string.val, "oob", 3) != 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("argument \"%s\" must be a JSON object or \"oob\"", argument),
					 errhint("For example %s => '{\"folds\": 5}'.", argument)));
		out->oob = true;
		return;
	}
	require_object(json, argument);
	refuse_unknown_keys(&json->root, "cv key", keys, lengthof(keys));
	out->folds.n_folds = (uint32) integer_member(&json->root, "cv", "folds", 2, TUNE_MAX_FOLDS, 5);
	out->n_repeats = (uint32) integer_member(&json->root, "cv", "repeats", 1, MOST_REPEATS, 1);
	out->folds.seed = (uint64) integer_member(&json->root, "cv", "seed", 0, PG_UINT32_MAX, 0);
	kind = name_member(&json->root, "cv", "method", fold_names, lengthof(fold_names), -1);
	out->kind_given = kind >= 0;
	out->folds.kind = kind < 0 ? TUNE_KFOLD : (TuneFoldKind) kind;
	read_gap(&json->root, out);
	out->folds.test_rows = (uint32) integer_member(&json->root, "cv", "test_size", 1,
												   PG_INT32_MAX, 0);
	out->folds.max_train_rows = (uint32) integer_member(&json->root, "cv", "max_train_size", 1,
														PG_INT32_MAX, 0);
	value = member(&json->root, "nested");
	if (value == NULL || (value->type == jbvBool && !value->val.boolean))
		return;
	if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cv \"nested\" is %s, not an object with the search within each fold",
						value_text(value)),
				 errhint("For example {\"folds\": 5, \"nested\": {\"space\": {\"max_depth\": "
						 "[5, 10]}, \"cv\": {\"folds\": 3}}}.")));
	out->nested = JsonbValueToJsonb(value);
}

/* The gap in units of the time column. */
static void
settle_gap(const Training *t, SearchCv *cv)
{
	const DatasetColumn *column = t->dataset.time < 0 ? NULL
		: &t->dataset.columns[t->dataset.time];
	Interval   *interval;

	if (cv->gap_interval == NULL)
		return;
	if (column != NULL && column->type.kind != FOREST_TIMESTAMP &&
		column->type.kind != FOREST_TIMESTAMPTZ)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cv \"gap\" is an interval, but time column \"%s\" has type %s",
						column->name, column->type_name),
				 errhint("Give the gap as a number of rows.")));
	interval = DatumGetIntervalP(DirectFunctionCall3(interval_in,
													 CStringGetDatum(cv->gap_interval),
													 ObjectIdGetDatum(InvalidOid),
													 Int32GetDatum(-1)));
	/* a month is 30 days, as in features */
	cv->folds.gap_time = (double) interval->time / USECS_PER_SEC +
		((double) interval->day + 30.0 * interval->month) * SECS_PER_DAY;
	if (cv->folds.gap_time < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cv \"gap\" is negative")));
}

void
search_settle_cv(const Training *t, SearchCv *cv)
{
	bool		classes = t->task == FOREST_CLASSIFICATION;
	bool		has_time = t->request.time_column != NULL;
	bool		has_key = t->request.key != NIL;
	TuneFoldKind kind;
	const char *reason = NULL;
	const char *hint = NULL;

	if (cv->oob)
		return;
	if (!cv->kind_given)
		cv->folds.kind = has_time ? TUNE_TIME : has_key ? TUNE_GROUP
			: classes ? TUNE_STRATIFIED : TUNE_KFOLD;
	kind = cv->folds.kind;
	if ((kind == TUNE_STRATIFIED || kind == TUNE_STRATIFIED_GROUP) && !classes)
	{
		reason = "needs classes";
		hint = "A regression has none: give \"kfold\" or \"group\".";
	}
	else if ((kind == TUNE_GROUP || kind == TUNE_STRATIFIED_GROUP) && !has_key)
	{
		reason = "needs the argument \"key\"";
		hint = "Name the columns whose equal values belong together.";
	}
	else if (kind == TUNE_TIME && !has_time)
	{
		reason = "needs the argument \"time_column\"";
		hint = "Name the column that orders the rows.";
	}
	else if ((kind == TUNE_KFOLD || kind == TUNE_STRATIFIED) && has_key)
	{
		reason = "would put rows of one entity on both sides";
		hint = "Give \"group\" or \"stratified_group\", or exclude the columns of the key instead.";
	}
	else if (kind == TUNE_TIME && cv->n_repeats > 1)
	{
		reason = "has nothing to repeat";
		hint = "Leave out \"repeats\".";
	}
	else if (kind != TUNE_TIME && (cv->gap_interval != NULL || cv->folds.gap_rows > 0 ||
								   cv->folds.test_rows > 0 || cv->folds.max_train_rows > 0))
	{
		reason = "takes no \"gap\", \"test_size\" or \"max_train_size\"";
		hint = "These belong to the method \"time\".";
	}
	if (reason != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cv method \"%s\" %s", fold_names[kind], reason),
				 errhint("%s", hint)));
	settle_gap(t, cv);
}

/* ----------------------------------------------------------------- space -- */

/* A list of values. */
static void
read_list(const char *name, JsonbContainer *list, TuneDimension *d, SearchName *out)
{
	JsonbIterator *iterator = JsonbIteratorInit(list);
	JsonbValue	value;
	JsonbIteratorToken token;
	int			n = JsonContainerSize(list);

	if (n == 0 || n > MOST_CHOICES)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("space of \"%s\" has %d values, from 1 to %d are allowed", name, n,
						MOST_CHOICES)));
	d->kind = TUNE_LIST;
	out->choices = palloc(n * sizeof(char *));
	(void) JsonbIteratorNext(&iterator, &value, true);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_ELEM)
			out->choices[d->n_choices++] = value_text(&value);
	}
}

/* A bound, or the step, of a range. */
static double
range_member(const char *name, JsonbContainer *range, const char *key, bool *is_whole)
{
	JsonbValue *value = member(range, key);

	if (value == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("space of \"%s\" has no \"%s\"", name, key),
				 errhint("Give a list of values, or a range as in {\"low\": 1, \"high\": 100, "
						 "\"log\": true}.")));
	if (value->type != jbvNumeric || !isfinite(value_number(value)))
		refuse_value(psprintf("space of \"%s\":", name), key, value, "a number");
	*is_whole = value_is_whole(value);
	return value_number(value);
}

/* A range of numbers. */
static void
read_range(const char *name, JsonbContainer *range, TuneDimension *d)
{
	static const char *const keys[] = {"low", "high", "log", "int", "step"};
	char	   *what = psprintf("space of \"%s\":", name);
	bool		whole_low;
	bool		whole_high;
	bool		whole_step = true;
	const char *problem = NULL;

	refuse_unknown_keys(range, psprintf("key of the space of \"%s\":", name), keys,
						lengthof(keys));
	d->low = range_member(name, range, "low", &whole_low);
	d->high = range_member(name, range, "high", &whole_high);
	d->log = boolean_member(range, what, "log", false);
	if (member(range, "step") != NULL)
	{
		d->step = range_member(name, range, "step", &whole_step);
		if (!(d->step > 0))
			problem = "\"step\" must be above 0";
	}
	d->kind = boolean_member(range, what, "int", whole_low && whole_high && whole_step)
		? TUNE_INTEGER : TUNE_FLOAT;
	if (d->kind == TUNE_INTEGER && d->step == 0)
		d->step = 1;
	if (!(d->low < d->high))
		problem = "\"low\" must be below \"high\"";
	else if (d->kind == TUNE_INTEGER && !(whole_low && whole_high && whole_step))
		problem = "the bounds and the step of whole numbers must be whole";
	else if (d->log && !(d->low > 0))
		problem = "\"low\" must be above 0 where \"log\" is true";
	else if (d->log && d->step != (d->kind == TUNE_INTEGER ? 1 : 0))
		problem = "\"step\" and \"log\" exclude each other";
	else if (Max(fabs(d->low), fabs(d->high)) > 1e15)
		problem = "bounds are at most 1e15";
	if (problem != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("space of \"%s\": %s", name, problem)));
	/* the last step that is within the range */
	if (d->step > 0)
		d->high = d->low + floor((d->high - d->low) / d->step + 1e-9) * d->step;
}

/* Dimensions by name. */
static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

void
search_spec_space(Jsonb *json, SearchSpace *out)
{
	JsonbIterator *iterator;
	JsonbValue	value;
	JsonbIteratorToken token;
	TuneDimension *dimensions;
	char	  **names;
	int			n = 0;

	require_object(json, "space");
	if (JB_ROOT_COUNT(json) == 0 || JB_ROOT_COUNT(json) > MOST_DIMENSIONS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"space\" has %d parameters, from 1 to %d are allowed",
						(int) JB_ROOT_COUNT(json), MOST_DIMENSIONS),
				 errhint("For example space => '{\"max_depth\": [5, 10, null], "
						 "\"min_samples_leaf\": {\"low\": 1, \"high\": 100, \"log\": true}}'.")));
	names = palloc(JB_ROOT_COUNT(json) * sizeof(char *));
	iterator = JsonbIteratorInit(&json->root);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			names[n++] = pnstrdup(value.val.string.val, value.val.string.len);
	}
	qsort(names, n, sizeof(char *), compare_names);
	dimensions = palloc0(n * sizeof(TuneDimension));
	out->names = palloc0(n * sizeof(SearchName));
	out->space = (TuneSpace) {.dimensions = dimensions, .n = n};
	for (int i = 0; i < n; i++)
	{
		JsonbValue *given = getKeyJsonValueFromContainer(&json->root, names[i], strlen(names[i]),
														 NULL);

		out->names[i].name = names[i];
		if (given->type == jbvBinary && JsonContainerIsArray(given->val.binary.data))
			read_list(names[i], given->val.binary.data, &dimensions[i], &out->names[i]);
		else if (given->type == jbvBinary && JsonContainerIsObject(given->val.binary.data))
			read_range(names[i], given->val.binary.data, &dimensions[i]);
		else
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("space of \"%s\" is %s, neither a list nor a range", names[i],
							value_text(given)),
					 errhint("Give a list of values, or a range as in {\"low\": 1, \"high\": 100, "
							 "\"log\": true}; what is fixed belongs in params.")));
	}
}

char *
search_point_json(const SearchSpace *space, const double *values)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoChar(&out, '{');
	for (uint32 i = 0; i < space->space.n; i++)
	{
		const TuneDimension *d = &space->space.dimensions[i];
		char		digits[DOUBLE_SHORTEST_DECIMAL_LEN];

		if (d->kind == TUNE_LIST)
		{
			json_value(&out, space->names[i].name, space->names[i].choices[(int) values[i]]);
			continue;
		}
		if (d->kind == TUNE_INTEGER)
		{
			json_integer(&out, space->names[i].name, (int64) values[i]);
			continue;
		}
		/* a whole number would be a count, where both are allowed */
		double_to_shortest_decimal_buf(values[i], digits);
		json_value(&out, space->names[i].name,
				   strpbrk(digits, ".e") == NULL ? psprintf("%s.0", digits) : pstrdup(digits));
	}
	appendStringInfoChar(&out, '}');
	return out.data;
}

Jsonb *
search_merge(Jsonb *fixed, const char *point)
{
	Jsonb	   *searched = json_to_jsonb(point);

	if (fixed == NULL)
		return searched;
	return DatumGetJsonbP(DirectFunctionCall2(jsonb_concat, JsonbPGetDatum(fixed),
											  JsonbPGetDatum(searched)));
}

/* --------------------------------------------------------------- methods -- */

SearchMethod
search_spec_method(const char *name)
{
	return (SearchMethod) find_name("search method", name, method_names, lengthof(method_names));
}

const char *
search_method_name(SearchMethod method)
{
	return method_names[method];
}

/* min_resources: a number, "smallest" or "exhaust". */
static int64
read_min_resources(JsonbContainer *object)
{
	static const char *const names[] = {"smallest", "exhaust"};
	JsonbValue *value = member(object, "min_resources");

	if (value == NULL)
		return -1;
	if (value->type == jbvString)
		return -name_member(object, "option", "min_resources", names, lengthof(names), 1);
	return integer_member(object, "option", "min_resources", 1, PG_INT32_MAX, -1);
}

void
search_spec_options(Jsonb *json, SearchMethod method, SearchOptions *out)
{
	static const char *const others[] = {"prune"};
	static const char *const halving[] = {
		"factor", "resource", "min_resources", "max_resources", "aggressive_elimination",
	};
	static const char *const tpe[] = {"n_startup_trials", "n_ei_candidates", "prune"};
	static const char *const resources[] = {"n_samples", "n_estimators"};
	JsonbContainer *object;
	char	   *what = psprintf("option of method \"%s\":", method_names[method]);

	memset(out, 0, sizeof(*out));
	out->method = method;
	out->factor = 3;
	out->min_resources = -1;
	out->tpe = (TuneTpe) {.n_startup = 10, .n_candidates = 24};
	if (json == NULL)
		return;
	require_object(json, "options");
	object = &json->root;
	if (method == SEARCH_HALVING)
		refuse_unknown_keys(object, what, halving, lengthof(halving));
	else if (method == SEARCH_TPE)
		refuse_unknown_keys(object, what, tpe, lengthof(tpe));
	else
		refuse_unknown_keys(object, what, others, lengthof(others));
	out->prune = boolean_member(object, "option", "prune", false);
	out->factor = (uint32) integer_member(object, "option", "factor", 2, 100, 3);
	out->resource_is_trees = name_member(object, "option", "resource", resources,
										 lengthof(resources), 0) == 1;
	out->min_resources = read_min_resources(object);
	out->max_resources = integer_member(object, "option", "max_resources", 1, PG_INT32_MAX, 0);
	out->aggressive = boolean_member(object, "option", "aggressive_elimination", false);
	out->tpe.n_startup = (uint32) integer_member(object, "option", "n_startup_trials", 1,
												 SEARCH_MAX_TRIALS, 10);
	out->tpe.n_candidates = (uint32) integer_member(object, "option", "n_ei_candidates", 1, 10000,
													24);
}

/* ------------------------------------------------------------- objective -- */

/* Does a training of this kind have the metric? */
static bool
has_metric(const Training *t, MetricName metric)
{
	switch (metric)
	{
		case METRIC_RMSE:
		case METRIC_MAE:
		case METRIC_R2:
			return t->task == FOREST_REGRESSION;
		case METRIC_PRECISION:
		case METRIC_RECALL:
		case METRIC_F1:
		case METRIC_ROC_AUC:
		case METRIC_AVERAGE_PRECISION:
		case METRIC_KS:
		case METRIC_LIFT_AT_10:
			return t->task == FOREST_CLASSIFICATION && t->n_classes == 2;
		case METRIC_ROC_AUC_MACRO:
		case METRIC_ROC_AUC_WEIGHTED:
		case METRIC_AVERAGE_PRECISION_MACRO:
		case METRIC_AVERAGE_PRECISION_WEIGHTED:
			return t->task == FOREST_CLASSIFICATION && t->n_classes > 2;
		default:
			return t->task == FOREST_CLASSIFICATION;
	}
}

MetricName
search_objective(const Training *t, const char *name)
{
	const char *known[METRIC_COUNT];
	MetricName	metrics[METRIC_COUNT];
	int			n = 0;

	if (name == NULL)
		return t->task == FOREST_REGRESSION ? METRIC_RMSE
			: t->n_classes == 2 ? METRIC_ROC_AUC : METRIC_LOG_LOSS;
	for (int m = 0; m < METRIC_COUNT; m++)
	{
		if (!has_metric(t, m))
			continue;
		metrics[n] = m;
		known[n++] = metric_name(m);
	}
	return metrics[find_name(t->task == FOREST_REGRESSION ? "objective of a regression"
							 : t->n_classes == 2 ? "objective of two classes"
							 : "objective of several classes", name, known, n)];
}

bool
search_higher_is_better(MetricName metric)
{
	return metric != METRIC_LOG_LOSS && metric != METRIC_BRIER && metric != METRIC_RMSE &&
		metric != METRIC_MAE;
}

bool
search_is_relative(MetricName metric)
{
	return !search_higher_is_better(metric);
}
