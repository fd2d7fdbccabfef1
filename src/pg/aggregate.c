/*
 * aggregate.c
 *	  What the SQL aggregates share.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "pg/aggregate.h"
#include "pg/budget.h"
#include "pg/compat.h"
#include "pg/json.h"
#include "pg/report.h"

MemoryContext
aggregate_context(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "function %u was called outside an aggregate", fcinfo->flinfo->fn_oid);
	return context;
}

void
aggregate_check(const PgHost *host, Status status, const Failure *why)
{
	if (status == STATUS_NO_MEMORY && host->refused)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("rows to be ranked need more than %s of memory, "
						"churnops.training_memory is %s", budget_text(host->used),
						budget_text(host->budget)),
				 errhint("Raise the setting, or rank a sample of the rows; without weights equal "
						 "scores take room only once, so rounding them helps.")));
	report_status(status, why);
}

void
aggregate_writer_begin(ByteWriter *w, PgHost *host, Size n_bytes, Failure *why)
{
	if (n_bytes > MaxAllocSize - VARHDRSZ)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("rows of one parallel worker take %s, more than it can hand over",
						budget_text(n_bytes)),
				 errhint("SET max_parallel_workers_per_gather = 0 for this statement.")));
	pg_host_init(host, CurrentMemoryContext, 0);
	bytes_writer_begin(w, &host->host, why);
	bytes_put_u32(w, 0);
}

bytea *
aggregate_writer_end(ByteWriter *w, const Failure *why)
{
	report_status(w->status, why);
	SET_VARSIZE(w->bytes, w->n_bytes);
	return (bytea *) w->bytes;
}

/* ----------------------------------------------------------------- labels -- */

void
label_reader_init(LabelReader *reader, FunctionCallInfo fcinfo, int arg)
{
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, arg);

	datum_type_init(&reader->type, type, fcinfo->flinfo->fn_mcxt);
	reader->utf8 = GetDatabaseEncoding() == PG_UTF8;
	if (!reader->type.supported || reader->type.kind == FOREST_TIMESTAMP ||
		reader->type.kind == FOREST_TIMESTAMPTZ || reader->type.kind == FOREST_INTERVAL)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("type %s cannot be a label", format_type_be(type)),
				 errhint("Labels are of type boolean, text, an enum or a number.")));
	if (reader->type.kind == FOREST_BOOLEAN)
		reader->mode = LABEL_BOOLEAN;
	else if (reader->type.integer)
		reader->mode = LABEL_INTEGER;
	else if (reader->type.kind == FOREST_CATEGORY && !reader->type.is_enum)
		reader->mode = LABEL_TEXT;
	else
		reader->mode = LABEL_OTHER;
}

static int64
integer_of(const LabelReader *reader, Datum value)
{
	switch (reader->type.base)
	{
		case INT2OID:
			return DatumGetInt16(value);
		case INT4OID:
			return DatumGetInt32(value);
		default:
			return DatumGetInt64(value);
	}
}

/* The bytes of a text in the server's encoding, where it is one that is stored as such. */
static inline const char *
stored_text(const LabelReader *reader, Datum value, size_t *n_bytes)
{
	return reader->mode == LABEL_TEXT ? datum_stored_text(&reader->type, value, n_bytes) : NULL;
}

void
label_reader_class(LabelReader *reader, Datum value, MetricLabel *out)
{
	const char *text;

	out->order = 0;
	switch (reader->mode)
	{
		case LABEL_BOOLEAN:
			text = DatumGetBool(value) ? "true" : "false";
			out->n_bytes = DatumGetBool(value) ? 4 : 5;
			out->order = DatumGetBool(value);
			break;
		case LABEL_INTEGER:
			out->order = (double) integer_of(reader, value);
			out->n_bytes = pg_lltoa(integer_of(reader, value), reader->digits);
			text = reader->digits;
			break;
		default:
			text = reader->utf8 ? stored_text(reader, value, &out->n_bytes) : NULL;
			if (text == NULL)
				datum_label(&reader->type, value, &text, &out->n_bytes, &out->order);
			break;
	}
	out->text = unconstify(char *, text);
}

/* Pairs of which everybody knows the positive one. */
static const char *const plain_pairs[][2] = {
	{"0", "1"}, {"false", "true"}, {"n", "y"}, {"no", "yes"},
};

/* 0 or 1 for one of the given pair, else -1. */
static int
place_in_pair(const char *text, size_t n_bytes, size_t pair)
{
	for (int i = 0; i < 2; i++)
	{
		const char *word = plain_pairs[pair][i];

		if (strlen(word) == n_bytes && pg_strncasecmp(text, word, n_bytes) == 0)
			return i;
	}
	return -1;
}

int
label_positive_of(const MetricLabel *labels, uint32 n_labels, uint32 *positive)
{
	for (size_t pair = 0; pair < lengthof(plain_pairs); pair++)
	{
		uint32		k;

		*positive = n_labels;
		for (k = 0; k < n_labels; k++)
		{
			int			place = place_in_pair(labels[k].text, labels[k].n_bytes, pair);

			if (place < 0)
				break;
			if (place == 1)
				*positive = k;
		}
		if (k == n_labels)
			return 0;
	}
	return -1;
}

static void
not_binary(const LabelReader *reader, const MetricLabel *label)
{
	char	   *text = json_from_utf8(pnstrdup(label->text, label->n_bytes));

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("label \"%s\" does not tell whether it is the positive class", text),
			 errhint("Name the positive class, for example churnops_roc_auc(label, score, %s); or "
					 "give a boolean label, (label = %s).", quote_literal_cstr(text),
					 quote_literal_cstr(text))));
}

/* By its text form, without a positive class. */
static bool
plainly_positive(LabelReader *reader, Datum value)
{
	MetricLabel label;

	label_reader_class(reader, value, &label);
	for (size_t pair = 0; pair < lengthof(plain_pairs); pair++)
	{
		int			place = place_in_pair(label.text, label.n_bytes, pair);

		if (place >= 0)
			return place == 1;
	}
	not_binary(reader, &label);
	return false;
}

bool
label_reader_positive(LabelReader *reader, Datum value, text *positive_class)
{
	MetricLabel label;
	const char *text;
	size_t		n_bytes;

	if (positive_class == NULL)
	{
		int64		number;

		if (reader->mode == LABEL_BOOLEAN)
			return DatumGetBool(value);
		if (reader->mode != LABEL_INTEGER)
			return plainly_positive(reader, value);
		number = integer_of(reader, value);
		return number == 0 || number == 1 ? number == 1 : plainly_positive(reader, value);
	}
	text = stored_text(reader, value, &n_bytes);
	if (text != NULL)
		return n_bytes == VARSIZE_ANY_EXHDR(positive_class) &&
			memcmp(text, VARDATA_ANY(positive_class), n_bytes) == 0;
	label_reader_class(reader, value, &label);
	text = datum_to_utf8(VARDATA_ANY(positive_class), VARSIZE_ANY_EXHDR(positive_class), &n_bytes);
	return n_bytes == label.n_bytes && memcmp(text, label.text, n_bytes) == 0;
}

/* -------------------------------------------------------------- arguments -- */

bool
argument_same(ArgumentMemo *memo, FunctionCallInfo fcinfo, int arg)
{
	struct varlena *value = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(arg));
	Size		n_bytes = VARSIZE_ANY(value);

	if (memo->value != NULL && memo->n_bytes == n_bytes &&
		memcmp(memo->value, value, n_bytes) == 0)
		return true;
	if (memo->value != NULL)
		pfree(memo->value);
	memo->value = NULL;
	memo->value = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, n_bytes);
	memcpy(memo->value, value, n_bytes);
	memo->n_bytes = n_bytes;
	return false;
}

void
argument_changed(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"%s\" must be the same in all rows of a group", name)));
}

ScoreCall *
score_call_init(FunctionCallInfo fcinfo, int n_options)
{
	ScoreCall  *call = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(ScoreCall));
	int			next = 3 + n_options;

	label_reader_init(&call->label, fcinfo, 1);
	call->n_options = n_options;
	if (next < PG_NARGS() && get_fn_expr_argtype(fcinfo->flinfo, next) == TEXTOID)
		call->positive_class = next++;
	if (next < PG_NARGS())
		call->weight = next;
	fcinfo->flinfo->fn_extra = call;
	return call;
}

bool
score_row(FunctionCallInfo fcinfo, ScoreCall *call, ScoreRow *row)
{
	text	   *positive_class = NULL;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return false;
	row->weight = 1;
	if (call->weight != 0)
	{
		if (PG_ARGISNULL(call->weight))
			return false;
		row->weight = PG_GETARG_FLOAT8(call->weight);
	}
	if (call->positive_class != 0)
	{
		if (PG_ARGISNULL(call->positive_class))
			report_null_argument("positive_class");
		positive_class = PG_GETARG_TEXT_PP(call->positive_class);
	}
	row->positive = label_reader_positive(&call->label, PG_GETARG_DATUM(1), positive_class);
	row->score = PG_GETARG_FLOAT8(2);
	return true;
}

/* ---------------------------------------------------------------- results -- */

void
aggregate_rows_begin(AggregateRows *out, FunctionCallInfo fcinfo, Size capacity)
{
	out->type = get_element_type(get_func_rettype(fcinfo->flinfo->fn_oid));
	out->descriptor = lookup_rowtype_tupdesc_copy(out->type, -1);
	out->rows = MemoryContextAllocHuge(CurrentMemoryContext, Max(capacity, 1) * sizeof(Datum));
	out->capacity = capacity;
	out->n = 0;
}

void
aggregate_rows_add_datums(AggregateRows *out, Datum *values, bool *nulls)
{
	Assert(out->n < out->capacity);
	if ((out->n & 0xFFF) == 0)
		CHECK_FOR_INTERRUPTS();
	out->rows[out->n++] = HeapTupleGetDatum(heap_form_tuple(out->descriptor, values, nulls));
}

/* Numbers as the values of a row. */
static void
number_datums(TupleDesc descriptor, const double *numbers, Datum *values, bool *nulls)
{
	for (int i = 0; i < descriptor->natts; i++)
	{
		nulls[i] = isnan(numbers[i]);
		if (nulls[i])
			values[i] = (Datum) 0;
		else if (TupleDescAttr(descriptor, i)->atttypid == INT4OID)
			values[i] = Int32GetDatum((int32) numbers[i]);
		else
			values[i] = Float8GetDatum(numbers[i]);
	}
}

#define MAX_NUMBERS 16

void
aggregate_rows_add(AggregateRows *out, const double *numbers)
{
	Datum		values[MAX_NUMBERS];
	bool		nulls[MAX_NUMBERS];

	Assert(out->descriptor->natts <= MAX_NUMBERS);
	number_datums(out->descriptor, numbers, values, nulls);
	aggregate_rows_add_datums(out, values, nulls);
}

Datum
aggregate_rows_end(AggregateRows *out)
{
	if (out->n > INT_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("result has %zu rows, too many for an array", out->n)));
	return PointerGetDatum(construct_array(out->rows, (int) out->n, out->type, -1, false,
										   TYPALIGN_DOUBLE));
}

Datum
aggregate_record(FunctionCallInfo fcinfo, const double *numbers)
{
	TupleDesc	descriptor = lookup_rowtype_tupdesc_copy(get_func_rettype(fcinfo->flinfo->fn_oid),
														 -1);
	Datum		values[MAX_NUMBERS];
	bool		nulls[MAX_NUMBERS];

	Assert(descriptor->natts <= MAX_NUMBERS);
	number_datums(descriptor, numbers, values, nulls);
	return HeapTupleGetDatum(heap_form_tuple(descriptor, values, nulls));
}
