/*
 * allowed.c
 *	  What a row of the table allows, in words.
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "spec/table.h"

/* A text that grows up to a size. */
typedef struct Words
{
	char	   *text;
	size_t		n;
	size_t		size;
} Words;

static void CORE_PRINTF(2, 3)
add(Words *w, const char *format, ...)
{
	va_list		args;
	int			n;

	va_start(args, format);
	n = vsnprintf(w->text + w->n, w->size - w->n, format, args);
	va_end(args);
	w->n = (size_t) n < w->size - w->n ? w->n + (size_t) n : w->size - 1;
}

static void
add_range(Words *w, const SpecKey *key)
{
	bool		above = (key->flags & KEY_ABOVE) != 0;
	bool		below = (key->flags & KEY_BELOW) != 0;

	if (isfinite(key->low) && isfinite(key->high) && above)
		add(w, " above %.15g and %s %.15g", key->low, below ? "below" : "up to", key->high);
	else if (isfinite(key->low) && isfinite(key->high))
		add(w, " from %.15g to %s%.15g", key->low, below ? "below " : "", key->high);
	else if (isfinite(key->low))
		add(w, above ? " above %.15g" : " of at least %.15g", key->low);
}

static void
add_words(Words *w, const char *words)
{
	const char *word;
	size_t		n_bytes;

	for (size_t i = 0; (word = spec_word(words, i, &n_bytes)) != NULL; i++)
		add(w, "%s\"%.*s\"", i == 0 ? "" : word[n_bytes] == '\0' ? " or " : ", ", (int) n_bytes,
			word);
}

static void
add_text(Words *w, const SpecKey *key)
{
	static const char *const vocabularies[SPEC_VOCABULARY_COUNT] = {
		[SPEC_HYPERPARAMETERS] = "the name of a hyper-parameter",
		[SPEC_METRICS] = "the name of a metric",
		[SPEC_EXPECTATIONS] = "the name of an expectation",
	};
	static const char *const formats[] = {
		[FORMAT_ANY] = "a text that is not empty",
		[FORMAT_EMPTY] = "a text",
		[FORMAT_NAME] = "a name of at most 63 of a-z, 0-9, _, . and -, a letter first",
		[FORMAT_DATASET] = "the name of a dataset, or name/version",
		[FORMAT_CRON] = "a cron schedule of five fields",
	};

	if (key->words != NULL)
		add_words(w, key->words);
	else if (key->vocabulary != SPEC_ANY_NAME)
		add(w, "%s", vocabularies[key->vocabulary]);
	else
		add(w, "%s", formats[key->format]);
}

static void
add_list(Words *w, const SpecKey *key)
{
	add(w, "a list%s of %s", (key->flags & KEY_EMPTY) == 0 ? " (not empty)" : "",
		key->item->types == TYPE_ANY ? "values" :
		key->item->types == TYPE_MAP ? "mappings" :
		key->item->vocabulary == SPEC_METRICS ? "names of metrics" :
		key->item->format == FORMAT_EMPTY ? "texts" : "names of columns");
	if (key->flags & KEY_UNIQUE)
		add(w, ", none twice");
}

static void
add_map(Words *w, const SpecKey *key)
{
	add(w, "a mapping");
	for (size_t i = 0; key->keys[i].name != NULL; i++)
	{
		if (strcmp(key->keys[i].name, "*") == 0)
			break;
		add(w, "%s%s", i == 0 ? " of " : ", ", key->keys[i].name);
	}
}

/* One of the alternatives. */
static void
add_type(Words *w, const SpecKey *key, SpecType type)
{
	if (w->n > 0)
		add(w, ", or ");
	switch (type)
	{
		case TYPE_BOOLEAN:
			add(w, "true or false");
			break;
		case TYPE_INTEGER:
			add(w, "an integer");
			add_range(w, key);
			break;
		case TYPE_NUMBER:
			add(w, "a number");
			add_range(w, key);
			break;
		case TYPE_TEXT:
			add_text(w, key);
			break;
		case TYPE_LABEL:
			add(w, "a text, an integer, true or false");
			break;
		case TYPE_DURATION:
			add(w, "a number of seconds, or a text as in \"7 days\" (seconds, minutes, hours, days, "
				"weeks)");
			break;
		case TYPE_LIST:
			add_list(w, key);
			break;
		case TYPE_MAP:
			add_map(w, key);
			break;
		case TYPE_ANY:
			add(w, "any value");
			break;
	}
}

void
spec_allowed(const SpecKey *key, char *out, size_t n_bytes)
{
	Words		w = {out, 0, n_bytes};

	out[0] = '\0';
	for (unsigned type = 1; type <= TYPE_ANY; type <<= 1)
		if (key->types & type)
			add_type(&w, key, (SpecType) type);
}
