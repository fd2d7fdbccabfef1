/*
 * tune.c
 *	  churnops_tune: a search for parameters, and a version trained with what it
 *	  found.
 *
 * The rows are read and prepared once.  Trials are fits of the training part, or
 * of its folds; the holdout is seen by the version alone.  Then the training
 * goes on with the winner's parameters, as if churnops_train had been given
 * them, and the version is registered with its study and trials.
 */
#include "postgres.h"

#include <math.h>

#include "access/parallel.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/memutils.h"

#include "pg/arguments.h"
#include "pg/budget.h"
#include "pg/catalog.h"
#include "pg/json.h"
#include "pg/reference.h"
#include "pg/registration.h"
#include "pg/report.h"
#include "pg/search.h"

PG_FUNCTION_INFO_V1(churnops_tune);

/* Arguments of churnops_tune beside those of a training. */
enum
{
	ARG_SPACE = 3,
	ARG_METHOD = 4,
	ARG_N_ITER = 5,
	ARG_CV = 6,
	ARG_OBJECTIVE = 7,
	ARG_SEED = 9,
	ARG_OPTIONS = 10,
	ARG_STUDY = 11,
	ARG_MAX_TRIALS = 12,
	ARG_EARLY_STOP = 13,
};

static const TrainPlaces tune_places = {
	.model = 0, .query = 1, .target = 2, .params = 8, .key = 14, .exclude = 15, .weight = 16,
	.task = 17, .positive_class = 18, .test_size = 19, .split_seed = 20, .time_column = 21,
	.description = 22,
};

/* Columns of churnops.find_study(). */
enum
{
	FIELD_NUMBER = 1,
	FIELD_CANDIDATE,
	FIELD_RUNG,
	FIELD_PARAMS,
	FIELD_STATUS,
	FIELD_SCORES,
	FIELD_OBJECTIVE,
	FIELD_N_TREES,
	FIELD_RESOURCES,
	FIELD_SECONDS,
	FIELD_MESSAGE,
};

/* What churnops_tune was asked for. */
typedef struct TuneRequest
{
	SearchSpace space;
	SearchOptions options;
	SearchCv	cv;
	bool		cv_given;
	const char *objective;
	const char *study;			/* its name, or NULL */
	Jsonb	   *space_json;
	Jsonb	   *options_json;
	Jsonb	   *cv_json;
	int32		n_iter;
	int32		seed;
	int32		max_trials;		/* 0: no limit */
	bool		early_stop;
} TuneRequest;

/* ------------------------------------------------------------- arguments -- */

/* An integer argument within bounds. */
static int32
integer_argument(FunctionCallInfo fcinfo, int i, const char *name, int32 least, int32 most)
{
	int32		value;

	if (PG_ARGISNULL(i))
		report_null_argument(name);
	value = PG_GETARG_INT32(i);
	if (value < least || value > most)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s %d is not in the range from %d to %d", name, value, least, most)));
	return value;
}

/* A JSON argument, NULL if it is NULL or JSON null. */
static Jsonb *
json_argument(FunctionCallInfo fcinfo, int i)
{
	Jsonb	   *json = PG_ARGISNULL(i) ? NULL : PG_GETARG_JSONB_P(i);
	JsonbValue	scalar;

	if (json != NULL && JB_ROOT_IS_SCALAR(json) && JsonbExtractScalar(&json->root, &scalar) &&
		scalar.type == jbvNull)
		return NULL;
	return json;
}

/* Raise 22023 for what does not go together. */
static void
check_request(const TuneRequest *r)
{
	const char *problem = NULL;

	if (r->cv.nested != NULL)
		problem = "cv \"nested\" belongs to churnops_cross_validate";
	else if (r->max_trials > 0 && r->study == NULL)
		problem = "max_trials needs the argument \"study\", the name under which it goes on";
	else if (r->early_stop && r->options.resource_is_trees)
		problem = "early_stop does not go with the resource \"n_estimators\"";
	for (uint32 i = 0; r->options.resource_is_trees && i < r->space.space.n; i++)
	{
		if (strcmp(r->space.names[i].name, "n_estimators") == 0)
			problem = "\"n_estimators\" cannot be both the resource and in the space";
	}
	if (problem != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s", problem)));
}

static void
read_request(FunctionCallInfo fcinfo, const TrainRequest *train, TuneRequest *r)
{
	PgHost		host;
	SearchMethod method;

	memset(r, 0, sizeof(*r));
	r->space_json = json_argument(fcinfo, ARG_SPACE);
	if (r->space_json == NULL)
		report_null_argument("space");
	if (PG_ARGISNULL(ARG_METHOD))
		report_null_argument("method");
	if (PG_ARGISNULL(ARG_EARLY_STOP))
		report_null_argument("early_stop");
	search_spec_space(r->space_json, &r->space);
	method = search_spec_method(text_to_cstring(PG_GETARG_TEXT_PP(ARG_METHOD)));
	r->options_json = json_argument(fcinfo, ARG_OPTIONS);
	search_spec_options(r->options_json, method, &r->options);
	r->cv_json = json_argument(fcinfo, ARG_CV);
	r->cv_given = r->cv_json != NULL;
	search_spec_cv(r->cv_json, "cv", &r->cv);
	r->n_iter = integer_argument(fcinfo, ARG_N_ITER, "n_iter", 1, SEARCH_MAX_TRIALS);
	r->seed = integer_argument(fcinfo, ARG_SEED, "seed", 0, PG_INT32_MAX);
	r->early_stop = PG_GETARG_BOOL(ARG_EARLY_STOP);
	if (!PG_ARGISNULL(ARG_OBJECTIVE))
		r->objective = text_to_cstring(PG_GETARG_TEXT_PP(ARG_OBJECTIVE));
	if (!PG_ARGISNULL(ARG_STUDY))
		r->study = text_to_cstring(PG_GETARG_TEXT_PP(ARG_STUDY));
	if (!PG_ARGISNULL(ARG_MAX_TRIALS))
		r->max_trials = integer_argument(fcinfo, ARG_MAX_TRIALS, "max_trials", 1,
										 SEARCH_MAX_TRIALS);
	if (r->study != NULL)
		reference_check_name(r->study, "study");
	check_request(r);
	pg_host_init(&host, CurrentMemoryContext, budget_bytes());
	study_check_space(&host, &r->space, train->params);
}

/* Out of bag by default, where that is honest and possible; else folds. */
static void
settle_cv(const Training *t, TuneRequest *r)
{
	bool		dependent = t->request.key != NIL || t->request.time_column != NULL;

	if (!r->cv_given)
		r->cv.oob = t->params->bootstrap && !dependent;
	else if (r->cv.oob && !t->params->bootstrap)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("without \"bootstrap\" there are no out-of-bag scores"),
				 errhint("Give cv => '{\"folds\": 5}'.")));
	else if (r->cv.oob && dependent)
		ereport(WARNING,
				(errmsg("out-of-bag scores are too good where rows belong together"),
				 errhint("Leave out cv: with key or time_column folds are made of whole entities, "
						 "or in order of time.")));
	search_settle_cv(t, &r->cv);
}

/* ----------------------------------------------------------------- store -- */

/* What has to be the same for a study to go on. */
static char *
settings_json(const Training *t, const TuneRequest *r, MetricName objective)
{
	const TrainRequest *train = &t->request;
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoChar(&out, '{');
	json_text(&out, "target", train->target);
	json_text(&out, "query", t->fingerprint);
	json_text(&out, "rows", t->dataset_digest);
	json_value(&out, "space", JsonbToCString(NULL, &r->space_json->root, 0));
	json_text(&out, "method", search_method_name(r->options.method));
	json_value(&out, "options", r->options_json == NULL ? "{}"
			   : JsonbToCString(NULL, &r->options_json->root, 0));
	if (r->options.method == SEARCH_HALVING)
		json_integer(&out, "n_iter", r->n_iter);
	json_value(&out, "cv", r->cv.oob ? "\"oob\"" : r->cv_json == NULL
			   ? psprintf("{\"folds\": %u, \"method\": \"%s\"}", r->cv.folds.n_folds,
						  search_fold_name(r->cv.folds.kind))
			   : JsonbToCString(NULL, &r->cv_json->root, 0));
	json_text(&out, "objective", metric_name(objective));
	json_value(&out, "params", train->params == NULL ? "{}"
			   : JsonbToCString(NULL, &train->params->root, 0));
	json_integer(&out, "seed", r->seed);
	json_value(&out, "early_stop", r->early_stop ? "true" : "false");
	json_list(&out, "key", train->key);
	json_list(&out, "exclude", train->exclude);
	json_text(&out, "weight", train->weight);
	json_text(&out, "task", train->task);
	json_text(&out, "positive_class", train->positive_class);
	json_number(&out, "test_size", train->test_size);
	json_integer(&out, "split_seed", train->split_seed);
	json_text(&out, "time_column", train->time_column);
	json_integer(&out, "algorithm_version", FOREST_ALGORITHM_VERSION);
	appendStringInfoChar(&out, '}');
	return out.data;
}

/* A field of a row found, and whether it is NULL. */
static Datum
field(HeapTuple tuple, int number, bool *is_null)
{
	return SPI_getbinval(tuple, SPI_tuptable->tupdesc, number, is_null);
}

static char *
field_text(MemoryContext context, HeapTuple tuple, int number)
{
	char	   *value = SPI_getvalue(tuple, SPI_tuptable->tupdesc, number);

	return value == NULL ? NULL : MemoryContextStrdup(context, value);
}

/* A stored trial, in a memory context. */
static Trial *
read_trial(MemoryContext context, HeapTuple tuple)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	Trial	   *trial = palloc0(sizeof(Trial));
	bool		is_null;
	Datum		value;
	char	   *status;
	Datum	   *scores;
	bool	   *nulls;
	int			n_scores;

	trial->stored = true;
	trial->number = (uint32) DatumGetInt32(field(tuple, FIELD_NUMBER, &is_null));
	trial->candidate = (uint32) DatumGetInt32(field(tuple, FIELD_CANDIDATE, &is_null));
	trial->rung = (uint32) DatumGetInt32(field(tuple, FIELD_RUNG, &is_null));
	trial->params = field_text(context, tuple, FIELD_PARAMS);
	status = field_text(context, tuple, FIELD_STATUS);
	trial->status = strcmp(status, "succeeded") == 0 ? TRIAL_SUCCEEDED
		: strcmp(status, "pruned") == 0 ? TRIAL_PRUNED : TRIAL_FAILED;
	deconstruct_array(DatumGetArrayTypeP(field(tuple, FIELD_SCORES, &is_null)), FLOAT8OID,
					  sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &scores, &nulls,
					  &n_scores);
	trial->scores = palloc((n_scores + 1) * sizeof(double));
	trial->n_scores = (uint32) n_scores;
	for (int i = 0; i < n_scores; i++)
		trial->scores[i] = nulls[i] ? NAN : DatumGetFloat8(scores[i]);
	value = field(tuple, FIELD_OBJECTIVE, &is_null);
	trial->objective = is_null ? NAN : DatumGetFloat8(value);
	trial->n_trees = (uint32) DatumGetInt32(field(tuple, FIELD_N_TREES, &is_null));
	value = field(tuple, FIELD_RESOURCES, &is_null);
	trial->resources = is_null ? 0 : DatumGetInt64(value);
	trial->seconds = DatumGetFloat8(field(tuple, FIELD_SECONDS, &is_null));
	trial->message = field_text(context, tuple, FIELD_MESSAGE);
	MemoryContextSwitchTo(old);
	return trial;
}

/* The trials of the study of this name that earlier calls left; errors if it is another one. */
static void
find_study(const Training *t, const TuneRequest *r, const char *settings, Study *study)
{
	MemoryContext context = CurrentMemoryContext;
	Oid			types[] = {NAMEOID, TEXTOID, TEXTOID, JSONBOID};
	NameData	caller;
	Datum		values[4];

	if (r->study == NULL)
		return;
	namestrcpy(&caller, GetUserNameFromId(GetUserId(), false));
	values[0] = NameGetDatum(&caller);
	values[1] = CStringGetTextDatum(t->request.model);
	values[2] = CStringGetTextDatum(r->study);
	values[3] = JsonbPGetDatum(json_to_jsonb(settings));
	SPI_connect();
	if (catalog_execute("SELECT number, candidate, rung, params, status, fold_scores, objective, "
						"n_trees, resources, seconds, message "
						"FROM churnops.find_study($1, $2, $3, $4)", lengthof(types), types,
						values, NULL) != SPI_OK_SELECT)
		elog(ERROR, "churnops.find_study() returned no rows");
	study->n_stored = (uint32) SPI_processed;
	study->capacity = study->n_stored + 64;
	study->trials = MemoryContextAlloc(context, study->capacity * sizeof(Trial *));
	for (uint32 i = 0; i < study->n_stored; i++)
		study->trials[i] = read_trial(context, SPI_tuptable->vals[i]);
	SPI_finish();
}

/* A trial as a JSON object. */
static void
write_trial(StringInfo out, const Trial *trial)
{
	json_separate(out);
	appendStringInfoChar(out, '{');
	json_integer(out, "number", trial->number);
	json_integer(out, "candidate", trial->candidate);
	json_integer(out, "rung", trial->rung);
	json_value(out, "params", trial->params);
	json_text(out, "status", trial_status_name(trial->status));
	json_key(out, "fold_scores");
	appendStringInfoChar(out, '[');
	for (uint32 i = 0; i < trial->n_scores; i++)
	{
		StringInfoData one;

		/* json_number writes members: its value alone */
		initStringInfo(&one);
		json_number(&one, "", trial->scores[i]);
		appendStringInfo(out, "%s%s", i > 0 ? "," : "", strchr(one.data, ':') + 1);
		pfree(one.data);
	}
	appendStringInfoChar(out, ']');
	json_number(out, "objective", trial->objective);
	json_integer(out, "n_trees", trial->n_trees);
	if (trial->resources > 0)
		json_integer(out, "resources", trial->resources);
	json_number(out, "seconds", trial->seconds);
	json_text(out, "message", trial->message);
	appendStringInfoChar(out, '}');
}

/* Store the study, if it is new, and the trials of this call; its number. */
static int64
record_study(const Training *t, const TuneRequest *r, const Study *study, const char *settings)
{
	Oid			types[] = {JSONBOID};
	Datum		values[1];
	StringInfoData out;
	bool		is_null;
	int64		number;

	initStringInfo(&out);
	appendStringInfoChar(&out, '{');
	json_text(&out, "model", t->request.model);
	json_text(&out, "task", t->task == FOREST_CLASSIFICATION ? "classification" : "regression");
	json_text(&out, "target", t->request.target);
	json_text(&out, "description", t->request.description);
	json_text(&out, "caller", GetUserNameFromId(GetUserId(), false));
	json_text(&out, "session_user", GetUserNameFromId(GetSessionUserId(), false));
	json_text(&out, "name", r->study);
	json_text(&out, "method", search_method_name(r->options.method));
	json_text(&out, "objective", metric_name(study->objective));
	json_value(&out, "higher_is_better", search_higher_is_better(study->objective) ? "true" : "false");
	json_value(&out, "settings", settings);
	json_integer(&out, "seed", t->params->random_state);
	json_integer(&out, "n_stored", study->n_stored);
	json_key(&out, "trials");
	appendStringInfoChar(&out, '[');
	for (uint32 i = study->n_stored; i < study->n_trials; i++)
		write_trial(&out, study->trials[i]);
	appendStringInfoString(&out, "]}");

	SPI_connect();
	values[0] = JsonbPGetDatum(json_to_jsonb(out.data));
	if (catalog_execute("SELECT churnops.record_study($1)", 1, types, values, NULL) !=
		SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "churnops.record_study() returned no row");
	number = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1,
										 &is_null));
	SPI_finish();
	return number;
}

/* --------------------------------------------------------------- the end -- */

/* What the metrics say of the search, as the member `tuning`. */
static char *
tuning_json(const Study *study, int64 number)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoChar(&out, '{');
	json_integer(&out, "study", number);
	json_text(&out, "method", search_method_name(study->options->method));
	json_text(&out, "objective", metric_name(study->objective));
	json_text(&out, "cv", study->cv->oob ? "oob" : search_fold_name(study->cv->folds.kind));
	json_integer(&out, "n_trials", study->n_trials);
	json_integer(&out, "n_planned", study->n_planned);
	if (study->best != NULL)
	{
		json_integer(&out, "trial", study->best->number);
		json_number(&out, "value", study->best->objective);
		json_value(&out, "params", study->best->params);
	}
	appendStringInfoChar(&out, '}');
	return out.data;
}

/* Train the winner on the whole training part, measure and register it. */
static Datum
finish(FunctionCallInfo fcinfo, Training *t, const Study *study)
{
	MemoryContext old = MemoryContextSwitchTo(t->context);
	StringInfoData metrics;
	int32		version;
	char	   *status;

	search_adopt(t, study_winner(study));
	training_grow(t);
	measure_training(t);
	training_phase(t, "model measured");
	initStringInfo(&metrics);
	appendBinaryStringInfo(&metrics, t->metrics, strlen(t->metrics) - 1);
	json_value(&metrics, "tuning", tuning_json(study, t->study));
	appendStringInfoChar(&metrics, '}');
	t->metrics = metrics.data;
	registration_store(t, &version, &status);
	training_phase(t, "version registered");
	MemoryContextSwitchTo(old);
	return training_result(fcinfo, t, version, status);
}

Datum
churnops_tune(PG_FUNCTION_ARGS)
{
	TrainRequest request;
	TuneRequest tune;
	Training   *t;
	Search		search;
	Study		study = {0};
	const char *settings;
	bool		complete;
	Datum		result;

	if (IsInParallelMode())
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_STATE),
				 errmsg("churnops_tune() cannot run during a parallel operation")));
	arguments_read(fcinfo, &tune_places, &request);
	request.for_search = true;
	training_check_right(&request, "churnops_tune");
	read_request(fcinfo, &request, &tune);
	t = training_read(&request);
	settle_cv(t, &tune);

	study.search = &search;
	study.space = &tune.space;
	study.options = &tune.options;
	study.cv = &tune.cv;
	study.objective = search_objective(t, tune.objective);
	study.fixed = request.params;
	study.seed = (uint64) tune.seed;
	study.early_stop = tune.early_stop;
	study.n_iter = (uint32) tune.n_iter;
	study.max_new = tune.max_trials > 0 ? (uint32) tune.max_trials : PG_UINT32_MAX;
	settings = settings_json(t, &tune, study.objective);
	find_study(t, &tune, settings, &study);
	search_begin(&search, t);
	complete = study_run(&study);
	search_end(&search);
	training_phase(t, "trials run");
	if (complete && study.best == NULL)
		(void) study_winner(&study);

	t->study = record_study(t, &tune, &study, settings);
	if (complete)
		result = finish(fcinfo, t, &study);
	else
	{
		t->metrics = psprintf("{\"tuning\":%s}", tuning_json(&study, t->study));
		result = training_result(fcinfo, t, 0, "incomplete");
	}
	training_free(t);
	return result;
}
