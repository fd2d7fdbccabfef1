/*
 * predict.c
 *	  churnops_predict, churnops_predict_class and churnops_predict_proba.
 *
 * Fifteen entry points: each of three answers over each of five forms of a
 * row.  All go through predict(), which resolves the reference (remembered for
 * the statement by reference.c, so it costs a comparison), makes sure that the
 * state in fn_extra is that of the model found, encodes the row and scores it.
 *
 * fn_extra outlives a statement in PL/pgSQL's simple expressions, so nothing
 * in it is trusted without a look: the model by the serial number of the
 * resolved reference, the row type by its identity in the type cache.  The
 * model is pinned in the cache until the state's memory goes.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#include "pg/answer.h"
#include "pg/compat.h"
#include "pg/report.h"
#include "pg/row.h"

/* A row type and how it maps to the model. */
typedef struct RowShape
{
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
	Resolved	version;
	CachedModel *model;			/* pinned; NULL at first */
	Answer		answer;
	MemoryContext model_context;	/* what is made for one model */
	MemoryContext shape_context;	/* its child: what is made for one row type */
	uint8	   *bins;
	double	   *outputs;
	RowShape	shape;
	bool		has_names;
	RowNames	names;
} PredictState;

typedef void (*EncodeRow) (PredictState *state, Datum row);
typedef Datum (*GiveAnswer) (const PredictState *state);

/* What a function answers with, and of which models. */
typedef struct Question
{
	void		(*check) (const PredictState *state);
	GiveAnswer	answer;
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

	state->model_context = AllocSetContextCreate(context, "churnops scoring",
												 ALLOCSET_SMALL_SIZES);
	state->shape_context = AllocSetContextCreate(state->model_context, "churnops row type",
												 ALLOCSET_SMALL_SIZES);
	callback->func = release_model;
	callback->arg = state;
	MemoryContextRegisterResetCallback(context, callback);
	function->fn_extra = state;
	return state;
}

/* Take the version that the reference means now. */
static void
use_version(PredictState *state, const Resolved *version, const Question *question)
{
	CachedModel *model;

	state->version.serial = 0;
	model = cache_model(version);
	if (model != state->model)
	{
		cache_pin(model);
		release_model(state);
		state->model = model;
		state->shape.type = InvalidOid;
		state->has_names = false;
		MemoryContextReset(state->shape_context);
		MemoryContextResetOnly(state->model_context);
		state->bins = MemoryContextAllocZero(state->model_context,
											 forest_model_row_bytes(model->forest));
		state->outputs = MemoryContextAlloc(state->model_context, sizeof(double) *
											forest_model_n_outputs(model->forest));
	}
	answer_init(&state->answer, model, version);
	state->version = *version;
	state->version.serial = 0;
	question->check(state);
	state->version.serial = version->serial;
}

/* ------------------------------------------------------------ row forms -- */

static void
use_row_type(PredictState *state, Oid type, int32 typmod)
{
	RowShape   *shape = &state->shape;
	MemoryContext caller;
	TupleDesc	columns;

	shape->type = InvalidOid;
	MemoryContextReset(state->shape_context);
	shape->entry = NULL;
	shape->identifier = 0;
	if (type != RECORDOID)
	{
		shape->entry = lookup_type_cache(type, TYPECACHE_TUPDESC);
		shape->identifier = shape->entry->tupDesc_identifier;
	}
	columns = lookup_rowtype_tupdesc(type, typmod);
	caller = MemoryContextSwitchTo(state->shape_context);
	shape->columns = CreateTupleDescCopyConstr(columns);
	ReleaseTupleDesc(columns);
	shape->values = palloc(sizeof(Datum) * shape->columns->natts);
	shape->nulls = palloc(sizeof(bool) * shape->columns->natts);
	row_map_init(&shape->map, shape->columns, state->model, &state->version, "row",
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
	if (!state->has_names)
	{
		MemoryContext caller = MemoryContextSwitchTo(state->model_context);

		row_names_init(&state->names, state->model->forest);
		(void) MemoryContextSwitchTo(caller);
		state->has_names = true;
	}
	row_encode_json(&state->names, state->model, &state->version, DatumGetJsonbP(row),
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

static const Question ask_number = {require_number, give_number};
static const Question ask_class = {require_classes, give_class};
static const Question ask_probabilities = {require_classes, give_probabilities};

/* --------------------------------------------------------- entry points -- */

static Datum
predict(FunctionCallInfo fcinfo, EncodeRow encode, const Question *question)
{
	PredictState *state = fcinfo->flinfo->fn_extra;
	text	   *reference;
	const Resolved *version;

	if (PG_ARGISNULL(0))
		report_null_argument("model_ref");
	if (unlikely(state == NULL))
		state = new_state(fcinfo->flinfo);
	reference = PG_GETARG_TEXT_PP(0);
	version = reference_resolve(VARDATA_ANY(reference), VARSIZE_ANY_EXHDR(reference));
	if (unlikely(version->serial != state->version.serial))
		use_version(state, version, question);
	if (PG_ARGISNULL(1))
		PG_RETURN_NULL();
	encode(state, PG_GETARG_DATUM(1));
	forest_score(state->model->forest, state->bins, 1, state->outputs);
	return question->answer(state);
}

PG_FUNCTION_INFO_V1(churnops_predict_record);
PG_FUNCTION_INFO_V1(churnops_predict_jsonb);
PG_FUNCTION_INFO_V1(churnops_predict_json);
PG_FUNCTION_INFO_V1(churnops_predict_text);
PG_FUNCTION_INFO_V1(churnops_predict_array);
PG_FUNCTION_INFO_V1(churnops_predict_class_record);
PG_FUNCTION_INFO_V1(churnops_predict_class_jsonb);
PG_FUNCTION_INFO_V1(churnops_predict_class_json);
PG_FUNCTION_INFO_V1(churnops_predict_class_text);
PG_FUNCTION_INFO_V1(churnops_predict_class_array);
PG_FUNCTION_INFO_V1(churnops_predict_proba_record);
PG_FUNCTION_INFO_V1(churnops_predict_proba_jsonb);
PG_FUNCTION_INFO_V1(churnops_predict_proba_json);
PG_FUNCTION_INFO_V1(churnops_predict_proba_text);
PG_FUNCTION_INFO_V1(churnops_predict_proba_array);

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
