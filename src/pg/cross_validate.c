/*
 * cross_validate.c
 *	  churnops_cross_validate: what forests of these parameters are worth, on
 *	  rows that they were not grown from.
 *
 * Nested, each fold's training rows are searched for parameters first, so that
 * the result is that of the search and not of the luckiest trial.
 */
#include "postgres.h"

#include <math.h>

#include "access/parallel.h"
#include "access/xact.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "pg/arguments.h"
#include "pg/budget.h"
#include "pg/compat.h"
#include "pg/json.h"
#include "pg/report.h"
#include "pg/search.h"

PG_FUNCTION_INFO_V1(churnops_cross_validate);

#define ARG_CV 3

static const TrainPlaces places = {
	.model = -1, .query = 0, .target = 1, .params = 2, .key = 4, .exclude = 5, .weight = 6,
	.task = 7, .positive_class = 8, .test_size = -1, .split_seed = -1, .time_column = 9,
	.description = -1,
};

/* Columns of the result. */
enum
{
	COLUMN_REPEAT,
	COLUMN_FOLD,
	COLUMN_METRIC,
	COLUMN_CLASS,
	COLUMN_VALUE,
	COLUMN_N_TRAIN,
	COLUMN_N_TEST,
	COLUMN_PARAMS,
	N_COLUMNS
};

/* The search within each fold. */
typedef struct Nested
{
	SearchSpace space;
	SearchOptions options;
	SearchCv	cv;
	MetricName	objective;
	uint64		seed;
	uint32		n_iter;
	bool		early_stop;
} Nested;

/* ---------------------------------------------------------------- nested -- */

/* A member of the object; NULL if it is absent or null. */
static JsonbValue *
member(Jsonb *object, const char *key)
{
	JsonbValue *value = getKeyJsonValueFromContainer(&object->root, key, strlen(key), NULL);

	return value == NULL || value->type == jbvNull ? NULL : value;
}

static Jsonb *
json_member(Jsonb *object, const char *key)
{
	JsonbValue *value = member(object, key);

	return value == NULL ? NULL : JsonbValueToJsonb(value);
}

/* A string, NULL if it is not there. */
static char *
text_member(Jsonb *object, const char *key)
{
	JsonbValue *value = member(object, key);

	if (value == NULL)
		return NULL;
	if (value->type != jbvString)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" of the nested search is no string", key)));
	return pnstrdup(value->val.string.val, value->val.string.len);
}

static int64
integer_member(Jsonb *object, const char *key, int64 least, int64 most, int64 otherwise)
{
	JsonbValue *value = member(object, key);
	double		number = NAN;

	if (value == NULL)
		return otherwise;
	if (value->type == jbvNumeric)
		number = DatumGetFloat8(DirectFunctionCall1(numeric_float8,
													NumericGetDatum(value->val.numeric)));
	if (!(number >= least && number <= most) || number != floor(number))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" of the nested search is no integer from " INT64_FORMAT " to "
						INT64_FORMAT, key, least, most)));
	return (int64) number;
}

/* Raise 22023 if the search has a key that is not known. */
static void
refuse_unknown_keys(Jsonb *object)
{
	static const char *const known[] = {
		"space", "method", "n_iter", "cv", "objective", "options", "seed", "early_stop",
	};
	JsonbIterator *iterator = JsonbIteratorInit(&object->root);
	JsonbValue	value;
	JsonbIteratorToken token;

	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		bool		found = token != WJB_KEY;
		const char *nearest;
		char	   *key;

		for (int i = 0; i < lengthof(known) && !found; i++)
			found = strlen(known[i]) == (size_t) value.val.string.len &&
				memcmp(known[i], value.val.string.val, value.val.string.len) == 0;
		if (found)
			continue;
		key = pnstrdup(value.val.string.val, value.val.string.len);
		nearest = search_nearest(key, known, lengthof(known));
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("key \"%s\" of the nested search is not known", key),
				 nearest != NULL ? errhint("Perhaps you meant \"%s\".", nearest) : 0));
	}
}

/* Read the nested search as far as it can be without the task. */
static Nested *
read_nested(Jsonb *json, Jsonb *fixed)
{
	Nested	   *nested = palloc0(sizeof(Nested));
	Jsonb	   *space = json_member(json, "space");
	Jsonb	   *cv = json_member(json, "cv");
	char	   *method = text_member(json, "method");
	JsonbValue *early_stop = member(json, "early_stop");
	PgHost		host;

	refuse_unknown_keys(json);
	if (space == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the nested search has no \"space\""),
				 errhint("Name the parameters that are searched for.")));
	search_spec_space(space, &nested->space);
	search_spec_options(json_member(json, "options"),
						search_spec_method(method == NULL ? "random" : method), &nested->options);
	search_spec_cv(cv, "cv", &nested->cv);
	nested->cv.oob |= cv == NULL;
	if (nested->cv.nested != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a nested search cannot be nested again")));
	nested->n_iter = (uint32) integer_member(json, "n_iter", 1, SEARCH_MAX_TRIALS, 10);
	nested->seed = (uint64) integer_member(json, "seed", 0, PG_INT32_MAX, 0);
	nested->early_stop = early_stop != NULL && early_stop->type == jbvBool &&
		early_stop->val.boolean;
	pg_host_init(&host, CurrentMemoryContext, budget_bytes());
	study_check_space(&host, &nested->space, fixed);
	return nested;
}

/* What depends on the task. */
static void
settle_nested(const Training *t, Nested *nested, Jsonb *json)
{
	/* rows that belong together leave no honest out-of-bag scores */
	if (json_member(json, "cv") == NULL &&
		(t->request.key != NIL || t->request.time_column != NULL))
		nested->cv.oob = false;
	search_settle_cv(t, &nested->cv);
	nested->objective = search_objective(t, text_member(json, "objective"));
}

/* The best parameters for the rows that train. */
static Jsonb *
search_within(Search *search, Nested *nested, Jsonb *fixed, const uint8 *sides)
{
	Study		study = {
		.search = search,
		.space = &nested->space,
		.options = &nested->options,
		.cv = &nested->cv,
		.within = sides,
		.objective = nested->objective,
		.fixed = fixed,
		.seed = nested->seed,
		.early_stop = nested->early_stop,
		.n_iter = nested->n_iter,
		.max_new = PG_UINT32_MAX,
		.quiet = true,
	};

	(void) study_run(&study);
	return study_winner(&study);
}

/* ---------------------------------------------------------------- result -- */

/* One row of the result. */
static void
put_row(ReturnSetInfo *result, const Datum *common, const char *metric, const char *label,
		double value, Jsonb *params)
{
	Datum		values[N_COLUMNS];
	bool		nulls[N_COLUMNS] = {false};

	memcpy(values, common, sizeof(values));
	values[COLUMN_METRIC] = CStringGetTextDatum(metric);
	values[COLUMN_CLASS] = label == NULL ? (Datum) 0 : CStringGetTextDatum(label);
	values[COLUMN_VALUE] = Float8GetDatum(value);
	values[COLUMN_PARAMS] = params == NULL ? (Datum) 0 : JsonbPGetDatum(params);
	nulls[COLUMN_CLASS] = label == NULL;
	nulls[COLUMN_VALUE] = isnan(value);
	nulls[COLUMN_PARAMS] = params == NULL;
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* The rows of one fold. */
static void
put_fold(ReturnSetInfo *result, const Training *t, uint32 repeat, uint32 fold,
		 const SearchResult *found, const MetricClass *classes, Jsonb *params)
{
	Datum		common[N_COLUMNS] = {0};

	common[COLUMN_REPEAT] = Int32GetDatum((int32) repeat + 1);
	common[COLUMN_FOLD] = Int32GetDatum((int32) fold + 1);
	common[COLUMN_N_TRAIN] = Int64GetDatum((int64) found->n_train);
	common[COLUMN_N_TEST] = Int64GetDatum((int64) found->n_test);
	for (int m = 0; m < METRIC_COUNT; m++)
	{
		if ((found->report.applies & (UINT32_C(1) << m)) != 0)
			put_row(result, common, metric_name(m), NULL, found->report.value[m], params);
	}
	for (uint32 k = 0; k < t->n_classes; k++)
	{
		char	   *label = json_from_utf8(t->classes[k]);

		put_row(result, common, "precision", label, classes[k].precision, params);
		put_row(result, common, "recall", label, classes[k].recall, params);
		put_row(result, common, "f1", label, classes[k].f1, params);
		put_row(result, common, "support", label, classes[k].support, params);
	}
}

/* Fit and measure one fold. */
static void
run_fold(Search *search, const SearchFolds *folds, Nested *nested, Jsonb *fixed, uint32 part,
		 ReturnSetInfo *result)
{
	const Training *t = search->training;
	uint32		n_folds = folds->cv->folds.n_folds;
	uint8	   *sides = search_folds_sides(folds, part);
	MetricClass *classes = palloc0((t->n_classes + 1) * sizeof(MetricClass));
	Jsonb	   *params = nested == NULL ? NULL : search_within(search, nested, fixed, sides);
	PgHost		host;
	ForestParams *forest_params;
	SearchResult found;
	Failure		why;

	search_host(search, &host);
	forest_params = arguments_params(&host, nested == NULL ? fixed : params);
	budget_check(&host, forest_params_finish(forest_params, t->task, t->n_classes, &why), &why);
	search_fit(search, &host, &(SearchFit) {
		.sides = sides,
		.params = forest_params,
		.classes = t->n_classes > 0 ? classes : NULL,
	}, &found);
	put_fold(result, t, part / n_folds, part % n_folds, &found, classes, params);
}

Datum
churnops_cross_validate(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	TrainRequest request;
	SearchCv	cv;
	Nested	   *nested = NULL;
	Training   *t;
	Search		search;
	SearchFolds folds;
	uint32		n;

	if (IsInParallelMode())
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_STATE),
				 errmsg("churnops_cross_validate() cannot run during a parallel operation")));
	arguments_read(fcinfo, &places, &request);
	request.for_search = true;
	search_spec_cv(PG_ARGISNULL(ARG_CV) ? NULL : PG_GETARG_JSONB_P(ARG_CV), "cv", &cv);
	if (cv.oob)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a cross-validation has folds, not \"oob\""),
				 errhint("Out-of-bag metrics are among those of every training.")));
	if (cv.nested != NULL)
		nested = read_nested(cv.nested, request.params);
	InitMaterializedSRF(fcinfo, 0);
	t = training_read(&request);
	search_settle_cv(t, &cv);
	if (nested != NULL)
		settle_nested(t, nested, cv.nested);
	search_begin(&search, t);
	search_folds_begin(&search, &cv, NULL, &folds);
	n = search_folds_n(&folds);
	for (uint32 part = 0; part < n; part++)
	{
		MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "churnops fold",
													  ALLOCSET_DEFAULT_SIZES);
		MemoryContext old = MemoryContextSwitchTo(context);

		CHECK_FOR_INTERRUPTS();
		search_progress(&search, "fold %u of %u", part + 1, n);
		run_fold(&search, &folds, nested, request.params, part, result);
		MemoryContextSwitchTo(old);
		MemoryContextDelete(context);
	}
	search_folds_end(&folds);
	search_end(&search);
	training_free(t);
	fcinfo->isnull = true;
	return (Datum) 0;
}
