/*
 * answer.c
 *	  Reading a model's outputs.
 *
 * Two classes have one output, P(class 1); the positive class is class 1
 * unless the training said otherwise.
 */
#include "postgres.h"

#include "common/shortest_dec.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#include "pg/answer.h"
#include "pg/datum.h"

#define THRESHOLD 0.5

void
answer_init(Answer *answer, const CachedModel *model, const Resolved *version)
{
	answer->forest = model->forest;
	answer->task = forest_model_task(model->forest);
	answer->n_outputs = (int) forest_model_n_outputs(model->forest);
	answer->n_classes = (int) forest_model_n_classes(model->forest);
	answer->positive = version->positive < answer->n_classes ? version->positive : -1;
	if (answer->n_classes == 2 && answer->positive < 0)
		answer->positive = 1;
}

bool
answer_has_number(const Answer *answer)
{
	return answer->task == FOREST_REGRESSION || answer->positive >= 0;
}

double
answer_number(const Answer *answer, const double *outputs)
{
	if (answer->task == FOREST_REGRESSION || answer->n_outputs > 1)
		return outputs[Max(answer->positive, 0)];
	return answer->positive == 1 ? outputs[0] : 1 - outputs[0];
}

int
answer_class(const Answer *answer, const double *outputs)
{
	int			largest = 0;

	if (answer->n_outputs == 1)
		return answer_number(answer, outputs) >= THRESHOLD ?
			answer->positive : 1 - answer->positive;
	for (int i = 1; i < answer->n_outputs; i++)
	{
		if (outputs[i] > outputs[largest])
			largest = i;
	}
	return largest;
}

Datum
answer_label(const Answer *answer, int class_index)
{
	const char *label = forest_model_class_label(answer->forest, class_index);
	size_t		n_bytes;

	label = datum_from_utf8(label, strlen(label), &n_bytes);
	return PointerGetDatum(cstring_to_text_with_len(label, (int) n_bytes));
}

/* The number that reads back as the same double. */
static Numeric
shortest_numeric(double number)
{
	char		text[DOUBLE_SHORTEST_DECIMAL_LEN];

	double_to_shortest_decimal_buf(number, text);
	return DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(text),
											   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
}

Datum
answer_probabilities(const Answer *answer, const double *outputs)
{
	double	   *probabilities = palloc(sizeof(double) * answer->n_classes);
	JsonbParseState *state = NULL;

	forest_probabilities(answer->forest, outputs, probabilities);
	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < answer->n_classes; i++)
	{
		const char *label = forest_model_class_label(answer->forest, i);
		JsonbValue	key = {.type = jbvString};
		JsonbValue	value = {.type = jbvNumeric};
		size_t		n_bytes;

		key.val.string.val = unconstify(char *, datum_from_utf8(label, strlen(label), &n_bytes));
		key.val.string.len = (int) n_bytes;
		value.val.numeric = shortest_numeric(probabilities[i]);
		(void) pushJsonbValue(&state, WJB_KEY, &key);
		(void) pushJsonbValue(&state, WJB_VALUE, &value);
	}
	return JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
}
