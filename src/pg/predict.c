/*
 * predict.c
 *	  churnops_predict, churnops_predict_class and churnops_predict_proba.
 *
 * Eighteen entry points: each of three answers over each of six forms of a
 * row.  All go through ready(), which sees to it that the state in fn_extra is
 * that of the model which the reference means now; that costs two comparisons
 * (reference_epoch() says whether anything can have changed).  Then the row is
 * encoded and scored.
 *
 * fn_extra outlives a statement in PL/pgSQL's simple expressions, so nothing
 * in it is trusted without a look: the model by the epoch of the resolved
 * reference, the row type by its identity in the type cache.  The model is
 * pinned in the cache until the state's memory goes.
 *
 * The sixth form, columns, is what the planner makes of a row of a table
 * (rewrite.c).
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/regproc.h"
#include "utils/typcache.h"

#include "pg/answer.h"
#include "pg/compat.h"
#include "pg/report.h"
#include "pg/row.h"

PG_FUNCTION_INFO_V1(churnops_predict_record);
PG_FUNCTION_INFO_V1(churnops_predict_jsonb);
PG_FUNCTION_INFO_V1(churnops_predict_json);
PG_FUNCTION_INFO_V1(churnops_predict_text);
PG_FUNCTION_INFO_V1(churnops_predict_array);
PG_FUNCTION_INFO_V1(churnops_predict_columns);
PG_FUNCTION_INFO_V1(churnops_predict_class_record);
PG_FUNCTION_INFO_V1(churnops_predict_class_jsonb);
PG_FUNCTION_INFO_V1(churnops_predict_class_json);
PG_FUNCTION_INFO_V1(churnops_predict_class_text);
PG_FUNCTION_INFO_V1(churnops_predict_class_array);
PG_FUNCTION_INFO_V1(churnops_predict_class_columns);
PG_FUNCTION_INFO_V1(churnops_predict_proba_record);
PG_FUNCTION_INFO_V1(churnops_predict_proba_jsonb);
PG_FUNCTION_INFO_V1(churnops_predict_proba_json);
PG_FUNCTION_INFO_V1(churnops_predict_proba_text);
PG_FUNCTION_INFO_V1(churnops_predict_proba_array);
PG_FUNCTION_INFO_V1(churnops_predict_proba_columns);

/* A row type and how it maps to the model. */
typedef struct RowShape
{
	MemoryContext context;		/* what is made for one row type; NULL at first */
	Oid			type;			/* InvalidOid: none yet */
	int32		typmod;
	TypeCacheEntry *entry;		/* NULL for RECORD, whose typmods never change */
	uint64		identifier;		/* of the descriptor at that time */
	TupleDesc	columns;
	RowMap		map;
	Datum	   *values;
	bool	   *nulls;
} RowShape;

typedef struct PredictState
{
	MemoryContext context;		/* the function's */
	uint64		epoch;			/* when the reference was resolved; 0: start anew */
	char	   *reference;
	Size		reference_bytes;
	Resolved	version;
	CachedModel *model;			/* pinned; NULL at first */
	Answer		answer;
	uint8	   *bins;
	double	   *outputs;
	const RowMap *columns;		/* of a call with columns; NULL: not yet found */
	RowShape	shape;			/* of a call with a row */
} PredictState;

typedef void (*EncodeRow) (PredictState *state, Datum row);

/* What a function answers with, of which models, and its form for rows. */
typedef struct Question
{
	void		(*check) (const PredictState *state);
	Datum		(*answer) (const PredictState *state);
	PGFunction	of_record;
} Question;

/* ---------------------------------------------------------------- state -- */

static void
release_model(void *arg)
{
	PredictState *state = arg;

	if (state->model != NULL)
		cache_unpin(state->model);
	state->model = NULL;
}

static PredictState *
new_state(FmgrInfo *function)
{
	MemoryContext context = function->fn_mcxt;
	PredictState *state = MemoryContextAllocZero(context, sizeof(PredictState));
	MemoryContextCallback *callback = MemoryContextAlloc(context, sizeof(*callback));

	state->context = context;
	callback->func = release_model;
	callback->arg = state;
	MemoryContextRegisterResetCallback(context, callback);
	function->fn_extra = state;
	return state;
}

static void
use_model(PredictState *state, CachedModel *model)
{
	if (model == state->model)
		return;
	cache_pin(model);
	release_model(state);
	state->model = model;
	state->shape.type = InvalidOid;
	state->columns = NULL;
	if (state->bins != NULL)
	{
		pfree(state->bins);
		pfree(state->outputs);
		state->bins = NULL;
	}
	state->outputs = MemoryContextAlloc(state->context, sizeof(double) *
										forest_model_n_outputs(model->forest));
	state->bins = MemoryContextAllocZero(state->context, forest_model_row_bytes(model->forest));
}

/* The caller needs the right to call the function that the query named. */
static void
check_named_function(FunctionCallInfo fcinfo, const Question *question)
{
	Oid			function;
	FmgrInfo	named;

	if (PG_ARGISNULL(ROW_FUNCTION))
		report_null_argument("function");
	function = PG_GETARG_OID(ROW_FUNCTION);
	fmgr_info(function, &named);
	if (named.fn_addr != question->of_record)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"function\" must be the function that takes a row, not %s",
						format_procedure(function)),
				 errhint("Give the row, as in SELECT churnops_predict('churn', t) FROM t; the "
						 "planner makes its columns of it.")));
	if (!compat_may_execute(function, GetUserId()))
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_FUNCTION, get_func_name(function));
}

/* Take the version that the reference means now. */
static void
use_reference(PredictState *state, const char *reference, Size n_bytes, const Question *question)
{
	Resolved	version = *reference_resolve(reference, (int) n_bytes);

	use_model(state, cache_model(&version));
	answer_init(&state->answer, state->model, &version);
	state->version = version;
	question->check(state);
	if (state->reference_bytes < n_bytes || state->reference == NULL)
		state->reference = MemoryContextAlloc(state->context, n_bytes);
	state->reference_bytes = n_bytes;
	memcpy(state->reference, reference, n_bytes);
	state->epoch = reference_epoch();
}

/* The state, for the version that an argument refers to. */
static inline PredictState *
ready(FunctionCallInfo fcinfo, int argument, const Question *question)
{
	PredictState *state = fcinfo->flinfo->fn_extra;
	text	   *reference;
	Size		n_bytes;

	if (PG_ARGISNULL(argument))
		report_null_argument("model_ref");
	if (unlikely(state == NULL))
		state = new_state(fcinfo->flinfo);
	reference = PG_GETARG_TEXT_PP(argument);
	n_bytes = VARSIZE_ANY_EXHDR(reference);
	if (unlikely(state->epoch != reference_epoch() || state->reference_bytes != n_bytes ||
				 memcmp(state->reference, VARDATA_ANY(reference), n_bytes) != 0))
	{
		state->epoch = 0;
		if (argument == ROW_REFERENCE)
			check_named_function(fcinfo, question);
		use_reference(state, VARDATA_ANY(reference), n_bytes, question);
	}
	return state;
}

static inline Datum
score(const PredictState *state, const Question *question)
{
	cache_expect(state->model, 1);
	forest_score(state->model->forest, state->bins, 1, state->outputs);
	return question->answer(state);
}

/* ------------------------------------------------------------ row forms -- */

static void
use_row_type(PredictState *state, Oid type, int32 typmod)
{
	RowShape   *shape = &state->shape;
	MemoryContext caller;
	TupleDesc	columns;

	shape->type = InvalidOid;
	if (shape->context == NULL)
		shape->context = AllocSetContextCreate(state->context, "churnops row type",
											   ALLOCSET_SMALL_SIZES);
	MemoryContextReset(shape->context);
	shape->entry = NULL;
	shape->identifier = 0;
	if (type != RECORDOID)
	{
		shape->entry = lookup_type_cache(type, TYPECACHE_TUPDESC);
		shape->identifier = shape->entry->tupDesc_identifier;
	}
	columns = lookup_rowtype_tupdesc(type, typmod);
	caller = MemoryContextSwitchTo(shape->context);
	shape->columns = CreateTupleDescCopyConstr(columns);
	ReleaseTupleDesc(columns);
	shape->values = palloc(sizeof(Datum) * shape->columns->natts);
	shape->nulls = palloc(sizeof(bool) * shape->columns->natts);
	row_map_init(&shape->map, shape->columns, ROW_ARRAYS, state->model, &state->version, "row",
				 type == RECORDOID);
	(void) MemoryContextSwitchTo(caller);
	shape->typmod = typmod;
	shape->type = type;
}

static void
encode_record(PredictState *state, Datum row)
{
	HeapTupleHeader header = DatumGetHeapTupleHeader(row);
	Oid			type = HeapTupleHeaderGetTypeId(header);
	int32		typmod = HeapTupleHeaderGetTypMod(header);
	RowShape   *shape = &state->shape;
	HeapTupleData tuple = {0};

	if (unlikely(shape->type != type || shape->typmod != typmod ||
				 (shape->entry != NULL &&
				  shape->entry->tupDesc_identifier != shape->identifier)))
		use_row_type(state, type, typmod);
	tuple.t_len = HeapTupleHeaderGetDatumLength(header);
	tuple.t_data = header;
	heap_deform_tuple(&tuple, shape->columns, shape->values, shape->nulls);
	row_encode(&shape->map, shape->values, shape->nulls, state->bins);
}

static void
encode_jsonb(PredictState *state, Datum row)
{
	row_encode_json(row_names(state->model), state->model, &state->version, DatumGetJsonbP(row),
					state->bins);
}

/* json and text: JSON text either way. */
static void
encode_json_text(PredictState *state, Datum row)
{
	char	   *json = TextDatumGetCString(row);

	encode_jsonb(state, DirectFunctionCall1(jsonb_in, CStringGetDatum(json)));
}

static void
encode_array(PredictState *state, Datum row)
{
	row_encode_array(state->model, &state->version, row, state->bins);
}

/* -------------------------------------------------------------- answers -- */

static void
require_number(const PredictState *state)
{
	if (!answer_has_number(&state->answer))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("model \"%s\" predicts %d classes, none of which is the positive one",
						state->version.model, state->answer.n_classes),
				 errhint("Use churnops_predict_class() or churnops_predict_proba(), or train with "
						 "positive_class.")));
}

static void
require_classes(const PredictState *state)
{
	if (state->answer.task == FOREST_REGRESSION)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("model \"%s\" is a regression and has no classes", state->version.model),
				 errhint("Use churnops_predict().")));
}

static Datum
give_number(const PredictState *state)
{
	return Float8GetDatum(answer_number(&state->answer, state->outputs));
}

static Datum
give_class(const PredictState *state)
{
	return answer_label(&state->answer, answer_class(&state->answer, state->outputs));
}

static Datum
give_probabilities(const PredictState *state)
{
	return answer_probabilities(&state->answer, state->outputs);
}

static const Question ask_number = {require_number, give_number, churnops_predict_record};
static const Question ask_class = {require_classes, give_class, churnops_predict_class_record};
static const Question ask_probabilities =
{require_classes, give_probabilities, churnops_predict_proba_record};

/* --------------------------------------------------------- entry points -- */

static Datum
predict(FunctionCallInfo fcinfo, EncodeRow encode, const Question *question)
{
	PredictState *state = ready(fcinfo, 0, question);

	if (PG_ARGISNULL(1))
		PG_RETURN_NULL();
	encode(state, PG_GETARG_DATUM(1));
	return score(state, question);
}

static Datum
predict_columns(FunctionCallInfo fcinfo, const Question *question)
{
	PredictState *state = ready(fcinfo, ROW_REFERENCE, question);

	if (unlikely(state->columns == NULL))
		state->columns = row_map_of_call(fcinfo, state->model, &state->version);
	row_encode(state->columns, &fcinfo->args[ROW_FIRST_VALUE].value,
			   &fcinfo->args[ROW_FIRST_VALUE].isnull, state->bins);
	return score(state, question);
}

Datum
churnops_predict_record(PG_FUNCTION_ARGS)
{
	return predict(fcinfo, encode_record, &ask_number);
}

Datum
churnops_predict_jsonb(PG_FUNCTION_ARGS)
{
	return predict(fcinfo, encode_jsonb, &ask_number);
}

Datum
churnops_predict_json(PG_FUNCTION_ARGS)
{
	return predict(fcinfo, encode_json_text, &ask_number);
}

Datum
churnops_predict_text(PG_FUNCTION_ARGS)
{
	return predict(fcinfo, encode_json_text, &ask_number);
}

Datum
churnops_predict_array(PG_FUNCTION_ARGS)
{
	return predict(fcinfo, encode_array, &ask_number);
}

Datum
churnops_predict_columns(PG_FUNCTION_ARGS)
{
	return predict_columns(fcinfo, &ask_number);
}

Datum
churnops_predict_class_record(PG_FUNCTION_ARGS)
{
	return predict(fcinfo, encode_record, &ask_class);
}

Datum
churnops_predict_class_jsonb(PG_FUNCTION_ARGS)
{
	return predict(fcinfo, encode_jsonb, &ask_class);
}

Datum
churnops_predict_class_json(PG_FUNCTION_ARGS)
{
	return predict(fcinfo, encode_json_text, &ask_class);
}

Datum
churnops_predict_class_text(PG_FUNCTION_ARGS)
{
	return predict(fcinfo, encode_json_text, &ask_class);
}

Datum
churnops_predict_class_array(PG_FUNCTION_ARGS)
{
	return predict(fcinfo, encode_array, &ask_class);
}

Datum
churnops_predict_class_columns(PG_FUNCTION_ARGS)
{
	return predict_columns(fcinfo, &ask_class);
}

Datum
churnops_predict_proba_record(PG_FUNCTION_ARGS)
{
	return predict(fcinfo, encode_record, &ask_probabilities);
}

Datum
churnops_predict_proba_jsonb(PG_FUNCTION_ARGS)
{
	return predict(fcinfo, encode_jsonb, &ask_probabilities);
}

Datum
churnops_predict_proba_json(PG_FUNCTION_ARGS)
{
	return predict(fcinfo, encode_json_text, &ask_probabilities);
}

Datum
churnops_predict_proba_text(PG_FUNCTION_ARGS)
{
	return predict(fcinfo, encode_json_text, &ask_probabilities);
}

Datum
churnops_predict_proba_array(PG_FUNCTION_ARGS)
{
	return predict(fcinfo, encode_array, &ask_probabilities);
}

Datum
churnops_predict_proba_columns(PG_FUNCTION_ARGS)
{
	return predict_columns(fcinfo, &ask_probabilities);
}
