/*
 * slices.c
 *	  The columns that rows of an exam are told apart by: texts by their values,
 *	  numbers and times too if they have few, else by quartile.
 */
#include "postgres.h"

#include <math.h>

#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "pg/report.h"
#include "pg/slices.h"

void
slices_find(Exam *e, List *names, TupleDesc columns)
{
	ListCell   *cell;

	e->slices = palloc0(sizeof(ExamSlice) * Max(list_length(names), 1));
	foreach(cell, names)
	{
		ExamSlice  *slice = &e->slices[e->n_slices++];

		slice->name = lfirst(cell);
		slice->column = SPI_fnumber(columns, slice->name) - 1;
		if (slice->column < 0)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("the query has no column \"%s\" to slice by", slice->name),
					 errhint("Add the column to the query; it need not be a feature.")));
		datum_type_init(&slice->type, TupleDescAttr(columns, slice->column)->atttypid,
						CurrentMemoryContext);
		slice->by_number = slice->type.supported && slice->type.kind != FOREST_CATEGORY &&
			slice->type.kind != FOREST_BOOLEAN;
		slice->texts = palloc0(sizeof(char *) * (EXAM_MAX_TEXTS + 1));
		e->n_columns = Max(e->n_columns, slice->column + 1);
	}
}

/* The code of a text, which may be new; NULL for a missing value. */
static uint32
text_code(ExamSlice *slice, const char *text, MemoryContext context)
{
	MemoryContext old;

	for (int i = 0; i < slice->n_texts; i++)
	{
		if (text == NULL ? slice->texts[i] == NULL
			: slice->texts[i] != NULL && strcmp(slice->texts[i], text) == 0)
			return (uint32) i;
	}
	if (slice->n_texts > EXAM_MAX_TEXTS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("slice column \"%s\" has more than %d values", slice->name,
						EXAM_MAX_TEXTS),
				 errhint("Group its values in the query, with CASE for example.")));
	old = MemoryContextSwitchTo(context);
	slice->texts[slice->n_texts] = text == NULL ? NULL : pstrdup(text);
	MemoryContextSwitchTo(old);
	return (uint32) slice->n_texts++;
}

void
slices_take(Exam *e, ExamSlice *slice, Size row, TupleTableSlot *slot)
{
	bool		is_null = slot->tts_isnull[slice->column];
	Datum		value = slot->tts_values[slice->column];

	if (slice->by_number)
	{
		ForestCell	cell;

		datum_cell(&slice->type, value, is_null, &cell);
		slice->numbers[row] = cell.missing ? NAN : cell.number;
	}
	else if (is_null)
		slice->codes[row] = text_code(slice, NULL, e->host.context);
	else
	{
		const char *label;
		size_t		n_bytes;
		double		order;

		datum_label(&slice->type, value, &label, &n_bytes, &order);
		slice->codes[row] = text_code(slice, report_text(pnstrdup(label, n_bytes)),
									  e->host.context);
	}
}

/* A number of a column as a text. */
static char *
number_text(const ExamSlice *slice, double number)
{
	if (slice->type.kind == FOREST_TIMESTAMP || slice->type.kind == FOREST_TIMESTAMPTZ)
	{
		Timestamp	at = (Timestamp) rint((number - (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) *
										   (double) SECS_PER_DAY) * USECS_PER_SEC);

		if (isfinite(number) && IS_VALID_TIMESTAMP(at))
			return DatumGetCString(slice->type.kind == FOREST_TIMESTAMP
								   ? DirectFunctionCall1(timestamp_out, TimestampGetDatum(at))
								   : DirectFunctionCall1(timestamptz_out,
														 TimestampTzGetDatum(at)));
	}
	return float8out_internal(number);
}

/* For qsort(): numbers ascending. */
static int
compare_numbers(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

/* The distinct numbers of a sorted array, at most limit + 1 of them. */
static int
distinct_numbers(const double *sorted, Size n, double *out, int limit)
{
	int			n_out = 0;

	for (Size i = 0; i < n && n_out <= limit; i++)
	{
		if (i == 0 || sorted[i] != sorted[i - 1])
			out[n_out++] = sorted[i];
	}
	return n_out;
}

/* Upper ends of quartiles, without those that hold nothing; returns how many. */
static int
quartiles(const double *sorted, Size n, double *ends)
{
	int			n_ends = 0;

	for (int q = 1; q <= 4; q++)
	{
		double		end = sorted[(n * q - 1) / 4];

		if (n_ends == 0 || end > ends[n_ends - 1])
			ends[n_ends++] = end;
	}
	return n_ends;
}

/* Numbers into codes: each its own, or by quartile. */
static void
code_numbers(Exam *e, ExamSlice *slice)
{
	double	   *sorted = exam_memory(e, NULL, 0, Max(e->n_rows, 1) * sizeof(double));
	double		ends[EXAM_MAX_NUMBERS + 1];
	Size		n = 0;
	int			n_ends;
	bool		few;

	for (Size i = 0; i < e->n_rows; i++)
		if (!isnan(slice->numbers[i]))
			sorted[n++] = slice->numbers[i];
	qsort(sorted, n, sizeof(double), compare_numbers);
	n_ends = distinct_numbers(sorted, n, ends, EXAM_MAX_NUMBERS);
	few = n_ends <= EXAM_MAX_NUMBERS;
	if (!few)
		n_ends = quartiles(sorted, n, ends);
	for (int i = 0; i < n_ends; i++)
	{
		char	   *end = number_text(slice, ends[i]);

		slice->texts[slice->n_texts++] = few ? end : i == 0
			? psprintf("[%s, %s]", number_text(slice, sorted[0]), end)
			: psprintf("(%s, %s]", number_text(slice, ends[i - 1]), end);
	}
	slice->codes = exam_memory(e, NULL, 0, Max(e->n_rows, 1) * sizeof(uint32));
	for (Size i = 0; i < e->n_rows; i++)
	{
		uint32		code = 0;

		while (code < (uint32) n_ends && !(slice->numbers[i] <= ends[code]))
			code++;
		slice->codes[i] = code;
		if (code == (uint32) n_ends && slice->n_texts == n_ends)
			slice->texts[slice->n_texts++] = NULL;
	}
	(void) exam_memory(e, sorted, Max(e->n_rows, 1) * sizeof(double), 0);
}

void
slices_finish(Exam *e)
{
	for (int i = 0; i < e->n_slices; i++)
		if (e->slices[i].by_number)
			code_numbers(e, &e->slices[i]);
}
