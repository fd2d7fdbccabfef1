/*
 * form.c
 *	  Names, schedules, durations.
 */
#include <stdlib.h>
#include <string.h>

#include "spec/form.h"

/* ------------------------------------------------------------- schedules -- */

typedef struct CronField
{
	const char *name;
	unsigned	low;
	unsigned	high;
	const char *words;			/* names of the values from low on, or NULL */
} CronField;

static const CronField cron_fields[] = {
	{"minute", 0, 59, NULL},
	{"hour", 0, 23, NULL},
	{"day of the month", 1, 31, NULL},
	{"month", 1, 12, "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"},
	{"day of the week", 0, 7, "sun|mon|tue|wed|thu|fri|sat"},
};

#define N_CRON_FIELDS (sizeof(cron_fields) / sizeof(cron_fields[0]))

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char) (c - 'A' + 'a') : c;
}

/* A name of three letters at *next; moves behind it. */
static bool
cron_name(const CronField *field, const char **next, const char *end, unsigned *value)
{
	const char *word;
	size_t		n_bytes;

	if (field->words == NULL || end - *next < 3)
		return false;
	for (size_t i = 0; (word = spec_word(field->words, i, &n_bytes)) != NULL; i++)
	{
		if (lower((*next)[0]) != word[0] || lower((*next)[1]) != word[1] ||
			lower((*next)[2]) != word[2])
			continue;
		*value = field->low + (unsigned) i;
		*next += 3;
		return true;
	}
	return false;
}

/* A number of at most four digits or a name at *next; moves behind it. */
static bool
cron_value(const CronField *field, const char **next, const char *end, unsigned *value)
{
	const char *begin = *next;

	if (cron_name(field, next, end, value))
		return true;
	*value = 0;
	while (*next < end && **next >= '0' && **next <= '9' && *next - begin < 4)
		*value = *value * 10 + (unsigned) (*(*next)++ - '0');
	return *next > begin;
}

/* One element of a list: *, a, a-b, each with /step or without. */
static const char *
cron_element(const CronField *field, const char *next, const char *end)
{
	unsigned	first = field->low;
	unsigned	last = field->high;
	unsigned	step;
	bool		range = true;

	if (next < end && *next == '*')
		next++;
	else
	{
		if (!cron_value(field, &next, end, &first))
			return "is not a number";
		last = first;
		range = next < end && *next == '-';
		if (range && (next++, !cron_value(field, &next, end, &last)))
			return "is not a range";
	}
	if (first < field->low || last > field->high)
		return "is out of range";
	if (first > last)
		return "is a range that runs backwards";
	if (next < end && *next == '/' && range)
	{
		next++;
		if (next == end || *next < '0' || *next > '9' ||
			!cron_value(&cron_fields[0], &next, end, &step) || step == 0)
			return "has no step";
	}
	return next == end ? NULL : "is not understood";
}

const char *
spec_cron_problem(const char *text, const char **part, size_t *n_bytes)
{
	const char *next = text;

	for (size_t i = 0; i < N_CRON_FIELDS; i++)
	{
		next += strspn(next, " \t");
		*part = next;
		*n_bytes = strcspn(next, " \t");
		if (*n_bytes == 0)
			return "is the end where five fields are wanted";
		for (size_t begin = 0; begin <= *n_bytes;)
		{
			size_t		length = strcspn(next + begin, ", \t");
			const char *problem = cron_element(&cron_fields[i], next + begin,
											   next + begin + length);

			if (problem != NULL)
				return problem;
			begin += length + 1;
		}
		next += *n_bytes;
	}
	next += strspn(next, " \t");
	*part = next;
	*n_bytes = strlen(next);
	return *n_bytes == 0 ? NULL : "follows the five fields";
}

/* ----------------------------------------------------------------- names -- */

static size_t
name_length(const char *text)
{
	if (*text < 'a' || *text > 'z')
		return 0;
	return strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_.-");
}

bool
spec_format_fits(SpecFormat format, const char *text)
{
	size_t		n = name_length(text);
	const char *part;
	size_t		n_bytes;

	switch (format)
	{
		case FORMAT_ANY:
			return *text != '\0';
		case FORMAT_EMPTY:
			return true;
		case FORMAT_NAME:
			return n >= 1 && n <= 63 && text[n] == '\0';
		case FORMAT_DATASET:
			if (n < 1 || n > 63 || text[n] == '\0')
				return n >= 1 && n <= 63;
			n_bytes = strspn(text + n + 1, "0123456789");
			return text[n] == '/' && text[n + 1] != '0' && n_bytes >= 1 && n_bytes <= 9 &&
				text[n + 1 + n_bytes] == '\0';
		case FORMAT_CRON:
			return spec_cron_problem(text, &part, &n_bytes) == NULL;
	}
	return false;
}

const char *
spec_format_pattern(SpecFormat format)
{
	switch (format)
	{
		case FORMAT_ANY:
		case FORMAT_EMPTY:
			return NULL;
		case FORMAT_NAME:
			return "^[a-z][a-z0-9_.-]{0,62}$";
		case FORMAT_DATASET:
			return "^[a-z][a-z0-9_.-]{0,62}(/[1-9][0-9]{0,8})?$";
		case FORMAT_CRON:
			return "^[ \\t]*([-0-9*/,A-Za-z]+[ \\t]+){4}[-0-9*/,A-Za-z]+[ \\t]*$";
	}
	return NULL;
}

/* ------------------------------------------------------------- durations -- */

bool
spec_duration(const char *text, double *seconds)
{
	static const struct
	{
		const char *unit;
		double		seconds;
	}			units[] = {
		{"second", 1}, {"minute", 60}, {"hour", 3600}, {"day", 86400}, {"week", 604800},
	};
	size_t		digits = strspn(text, "0123456789");
	const char *unit = text + digits + strspn(text + digits, " ");

	if (digits == 0 || digits > 12)
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
	{
		size_t		n = strlen(units[i].unit);

		if (strncmp(unit, units[i].unit, n) != 0)
			continue;
		if (unit[n] != '\0' && (unit[n] != 's' || unit[n + 1] != '\0'))
			continue;
		*seconds = strtod(text, NULL) * units[i].seconds;
		return true;
	}
	return false;
}
