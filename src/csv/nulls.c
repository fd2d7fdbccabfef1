/*
 * nulls.c
 *	  Texts that stand for NULL.
 */
#include <string.h>

#include "csv/csv.h"

void
csv_nulls_init(CsvNulls *nulls, const char *const *texts, const size_t *lengths, size_t n)
{
	memset(nulls, 0, sizeof(*nulls));
	nulls->texts = texts;
	nulls->lengths = lengths;
	nulls->n = n;
	for (size_t i = 0; i < n; i++)
	{
		if (lengths[i] == 0)
			nulls->empty = true;
		else
			nulls->first[(uint8_t) texts[i][0]] = true;
		if (lengths[i] > nulls->longest)
			nulls->longest = lengths[i];
	}
}

bool
csv_is_listed(const CsvNulls *nulls, const char *text, size_t n_bytes)
{
	for (size_t i = 0; i < nulls->n; i++)
	{
		if (nulls->lengths[i] == n_bytes && memcmp(nulls->texts[i], text, n_bytes) == 0)
			return true;
	}
	return false;
}

bool
csv_is_null(const CsvNulls *nulls, const CsvField *field, bool is_text)
{
	CsvField	trimmed;

	if (is_text)
		return !field->quoted && csv_is_null_text(nulls, field->text, field->n_bytes);
	trimmed = csv_trimmed(field);
	return csv_is_null_text(nulls, trimmed.text, trimmed.n_bytes);
}
