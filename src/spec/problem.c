/*
 * problem.c
 *	  Saying what is wrong with a document.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/nearest.h"
#include "spec/check.h"
#include "spec/form.h"
#include "spec/scalar.h"

#define SHOWN_BYTES 64

int
spec_shown(const char *text)
{
	size_t		n = strlen(text);

	if (n <= SHOWN_BYTES)
		return (int) n;
	n = SHOWN_BYTES;
	while (n > 0 && ((unsigned char) text[n] & 0xC0) == 0x80)
		n--;
	return (int) n;
}

/* ------------------------------------------------------------------ list -- */

static bool
is_before(const SpecProblem *a, const SpecNode *b)
{
	return a->line < b->line || (a->line == b->line && a->column <= b->column);
}

void
spec_problem_add(SpecProblems *problems, const SpecDocument *document, uint32_t node,
				 const Failure *why)
{
	const SpecNode *at = &document->nodes[node];
	size_t		place = problems->n;
	SpecProblem *problem;
	size_t		n_moved;

	problems->n_all++;
	while (place > 0 && !is_before(&problems->list[place - 1], at))
		place--;
	if (place == SPEC_MAX_PROBLEMS)
		return;
	n_moved = problems->n - place;
	if (problems->n == SPEC_MAX_PROBLEMS)
		n_moved--;
	else
		problems->n++;
	problem = &problems->list[place];
	memmove(problem + 1, problem, n_moved * sizeof(SpecProblem));
	problem->line = at->line;
	problem->column = at->column;
	problem->why = *why;
	fail(&problem->why, why->status, "line %u, column %u: %s", at->line, at->column, why->text);
	memcpy(problem->why.detail, why->detail, sizeof(why->detail));
	memcpy(problem->why.hint, why->hint, sizeof(why->hint));
}

/* ------------------------------------------------------------------ path -- */

const char *
spec_path(const Checker *c)
{
	return c->n_path == 0 ? "the pipeline" : c->path;
}

static size_t
path_add(Checker *c, const char *before, const char *text, int n_text, const char *behind)
{
	size_t		was = c->n_path;
	size_t		space = sizeof(c->path) - was;
	int			n = snprintf(c->path + was, space, "%s%.*s%s", before, n_text, text, behind);

	c->n_path = (size_t) n < space ? was + (size_t) n : sizeof(c->path) - 1;
	return was;
}

size_t
spec_path_key(Checker *c, const char *key)
{
	return path_add(c, c->n_path == 0 ? "" : ".", key, spec_shown(key), "");
}

size_t
spec_path_item(Checker *c, uint32_t i)
{
	char		number[16];

	return path_add(c, "[", number, snprintf(number, sizeof(number), "%u", i + 1), "]");
}

void
spec_path_back(Checker *c, size_t n_path)
{
	c->n_path = n_path;
	c->path[n_path] = '\0';
}

/* ---------------------------------------------------------------- values -- */

/* A hint for a scalar of another type than wanted, that is right but for how it is written. */
static void
hint_at_scalar(const SpecKey *key, const SpecNode *node, const char *text, Failure *why)
{
	bool		number = (key->types & (TYPE_INTEGER | TYPE_NUMBER)) != 0;
	SpecKind	plain = node->quoted ? spec_resolve(text).kind : node->kind;
	const char *part;
	size_t		n_bytes;

	if ((key->types & TYPE_BOOLEAN) && node->kind == SPEC_TEXT &&
		(spec_is_old_boolean(text) || plain == SPEC_BOOLEAN))
		fail_hint(why, "Write true or false, without quotes: in YAML 1.2 \"%.*s\" is a text.",
				  spec_shown(text), text);
	else if (number && node->quoted && (plain == SPEC_INTEGER || plain == SPEC_FLOAT))
		fail_hint(why, "Write %.*s without quotes.", spec_shown(text), text);
	else if ((key->types & TYPE_INTEGER) && node->kind == SPEC_FLOAT &&
			 node->number == floor(node->number) && fabs(node->number) < 1e15)
		fail_hint(why, "Write %.0f, without point and exponent.", node->number);
	else if ((key->types & (TYPE_TEXT | TYPE_LABEL)) && node->kind != SPEC_TEXT && *text != '\0' &&
			 key->words == NULL)
		fail_hint(why, "Put a text in quotes: \"%.*s\".", spec_shown(text), text);
	else if ((key->types & TYPE_LIST) && node->kind != SPEC_NULL)
		fail_hint(why, "Write a list of one: [%.*s].", spec_shown(text), text);
	else if ((key->types & TYPE_TEXT) && key->format == FORMAT_CRON && node->kind == SPEC_TEXT)
	{
		const char *problem = spec_cron_problem(text, &part, &n_bytes);

		if (problem != NULL)
			fail_hint(why, "\"%.*s\" %s.", (int) (n_bytes < SHOWN_BYTES ? n_bytes : SHOWN_BYTES),
					  part, problem);
	}
}

static const char *
word_name(const void *words, size_t i)
{
	const char *const *list = words;

	return list[i];
}

/* "Did you mean", among the words of a row. */
static void
hint_at_word(const SpecKey *key, const char *text, Failure *why)
{
	char		copy[512];
	const char *list[32];
	size_t		n = 0;
	const char *nearest;

	if (strlen(key->words) >= sizeof(copy))
		return;
	memcpy(copy, key->words, strlen(key->words) + 1);
	for (char *next = copy; next != NULL && n < 31;)
	{
		char	   *bar = strchr(next, '|');

		list[n++] = next;
		if (bar != NULL)
			*bar++ = '\0';
		next = bar;
	}
	list[n] = NULL;
	nearest = nearest_name(text, word_name, list);
	if (nearest != NULL)
		fail_hint(why, "Did you mean \"%s\"?", nearest);
}

void
spec_refuse_value(Checker *c, const SpecKey *key, uint32_t node)
{
	const SpecNode *at = &c->document->nodes[node];
	bool		scalar = at->kind != SPEC_LIST && at->kind != SPEC_MAP;
	const char *text = scalar ? spec_text(c->document, node) : "";
	const char *quote = at->kind == SPEC_TEXT ? "\"" : "";
	const char *shown = at->kind == SPEC_LIST ? "a list" : at->kind == SPEC_MAP ? "a mapping" :
		at->kind == SPEC_NULL ? "null" : text;
	char		allowed[FAILURE_TEXT_BYTES - 64];
	Failure		why;

	spec_allowed(key, allowed, sizeof(allowed));
	fail(&why, STATUS_INVALID_PARAMETER, "%s cannot be %s%.*s%s", spec_path(c), quote,
		 spec_shown(shown), shown, quote);
	fail_detail(&why, "Allowed is %s.", allowed);
	if (scalar && key->words != NULL && at->kind == SPEC_TEXT)
		hint_at_word(key, text, &why);
	else if (scalar)
		hint_at_scalar(key, at, text, &why);
	if (why.hint[0] == '\0' && key->fallback != NULL)
		fail_hint(&why, "Leave it out for the default, %s.", key->fallback);
	spec_problem_add(c->problems, c->document, node, &why);
}

/* ----------------------------------------------------------------- names -- */

/* The names of a mapping: of its rows, then of its vocabulary. */
typedef struct Known
{
	const SpecKey *map;
	const SpecName *names;
} Known;

static const char *
known_name(const void *names, size_t i)
{
	const Known *known = names;
	size_t		n = 0;

	while (known->map != NULL && known->map->keys[n].name != NULL &&
		   strcmp(known->map->keys[n].name, "*") != 0)
	{
		if (n == i)
			return known->map->keys[n].name;
		n++;
	}
	for (size_t k = 0; known->names != NULL && known->names[k].name != NULL; k++)
		if (!known->names[k].hidden && n++ == i)
			return known->names[k].name;
	return NULL;
}

/* "Allowed are a, b, c.", as many as there is room for. */
static void
detail_names(const Known *known, Failure *why)
{
	char		text[FAILURE_TEXT_BYTES - 32];
	size_t		n = 0;
	const char *name;
	size_t		i;

	for (i = 0; (name = known_name(known, i)) != NULL; i++)
	{
		size_t		n_name = strlen(name);

		if (n + n_name + 8 >= sizeof(text))
			break;
		if (i > 0)
		{
			memcpy(text + n, ", ", 2);
			n += 2;
		}
		memcpy(text + n, name, n_name);
		n += n_name;
	}
	if (i > 0)
		fail_detail(why, "Allowed are %.*s%s.", (int) n, text, name != NULL ? ", …" : "");
}

/* The path of the mapping below `map` that has a key, found anywhere in the table. */
static bool
find_elsewhere(const SpecKey *map, const char *name, char *path, size_t n_path, size_t size)
{
	for (const SpecKey *key = map->keys; key->name != NULL; key++)
	{
		size_t		n = n_path;

		if (strcmp(key->name, "*") == 0)
			continue;
		if (strcmp(key->name, name) == 0)
			return true;
		if (key->keys == NULL)
			continue;
		n += (size_t) snprintf(path + n_path, size - n_path, "%s%s", n_path == 0 ? "" : ".",
							   key->name);
		if (find_elsewhere(key, name, path, n, size))
			return true;
		path[n_path] = '\0';
	}
	return false;
}

void
spec_refuse_key(Checker *c, const SpecKey *map, uint32_t key_node)
{
	const char *name = spec_text(c->document, key_node);
	Known		known = {map, c->names->list[map->vocabulary]};
	const char *nearest = nearest_name(name, known_name, &known);
	char		path[SPEC_PATH_BYTES] = "";
	Failure		why;

	if (c->n_path == 0)
		fail(&why, STATUS_INVALID_PARAMETER, "unknown key \"%.*s\"", spec_shown(name), name);
	else
		fail(&why, STATUS_INVALID_PARAMETER, "unknown key \"%.*s\" in %s", spec_shown(name), name,
			 c->path);
	detail_names(&known, &why);
	if (nearest != NULL)
		fail_hint(&why, "Did you mean \"%s\"?", nearest);
	else if (spec_find_name(c, SPEC_HYPERPARAMETERS, name) != NULL)
		fail_hint(&why, "It is a key of hyperparameters.");
	else if (find_elsewhere(spec_table(), name, path, 0, sizeof(path)) && path[0] != '\0')
		fail_hint(&why, "It is a key of %s.", path);
	spec_problem_add(c->problems, c->document, key_node, &why);
}

void
spec_refuse_name(Checker *c, SpecVocabulary vocabulary, uint32_t node)
{
	static const char *const what[SPEC_VOCABULARY_COUNT] = {
		[SPEC_ANY_NAME] = "name",
		[SPEC_HYPERPARAMETERS] = "hyper-parameter",
		[SPEC_METRICS] = "metric",
		[SPEC_EXPECTATIONS] = "expectation",
	};
	const char *name = spec_text(c->document, node);
	Known		known = {NULL, c->names->list[vocabulary]};
	const char *nearest = nearest_name(name, known_name, &known);
	Failure		why;

	fail(&why, STATUS_INVALID_PARAMETER, "unknown %s \"%.*s\" in %s", what[vocabulary],
		 spec_shown(name), name, spec_path(c));
	detail_names(&known, &why);
	if (nearest != NULL)
		fail_hint(&why, "Did you mean \"%s\"?", nearest);
	spec_problem_add(c->problems, c->document, node, &why);
}

void
spec_refuse_argument(Checker *c, const SpecName *named, uint32_t key_node)
{
	const char *name = spec_text(c->document, key_node);
	char		copy[512];
	const char *list[64];
	size_t		n = 0;
	const char *nearest;
	Failure		why;

	fail(&why, STATUS_INVALID_PARAMETER, "unknown argument \"%.*s\" of %s in %s",
		 spec_shown(name), name, named->name, spec_path(c));
	fail_detail(&why, "It has %s; those with a ! must be given.", named->keys);
	snprintf(copy, sizeof(copy), "%s", named->keys);
	for (char *next = copy; *next != '\0' && n < 63; n++)
	{
		list[n] = next;
		next += strcspn(next, " !");
		while (*next == ' ' || *next == '!')
			*next++ = '\0';
	}
	list[n] = NULL;
	nearest = nearest_name(name, word_name, list);
	if (nearest != NULL)
		fail_hint(&why, "Did you mean \"%s\"?", nearest);
	spec_problem_add(c->problems, c->document, key_node, &why);
}

const SpecName *
spec_find_name(const Checker *c, SpecVocabulary vocabulary, const char *name)
{
	const SpecName *list = c->names->list[vocabulary];

	for (; list != NULL && list->name != NULL; list++)
		if (strcmp(list->name, name) == 0)
			return list;
	return NULL;
}
