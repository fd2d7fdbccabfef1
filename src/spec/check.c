/*
 * check.c
 *	  Holding a document against the table: keys, and rules about several keys.
 */
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "spec/check.h"

static const SpecNode *
node_of(const Checker *c, uint32_t node)
{
	return &c->document->nodes[node];
}

const SpecKey *
spec_find_key(const SpecKey *map, const char *name)
{
	for (const SpecKey *key = map->keys; key->name != NULL; key++)
		if (strcmp(key->name, name) == 0 || strcmp(key->name, "*") == 0)
			return key;
	return NULL;
}

bool
spec_is_ignored(const char *key)
{
	return strncmp(key, "x-", 2) == 0;
}

uint32_t
spec_find_pair(const SpecDocument *document, uint32_t map, const char *path, size_t n_bytes,
			   uint32_t *key_node)
{
	while (map != SPEC_NONE && document->nodes[map].kind == SPEC_MAP)
	{
		const char *point = memchr(path, '.', n_bytes);
		size_t		n_key = point != NULL ? (size_t) (point - path) : n_bytes;
		uint32_t	value = SPEC_NONE;

		for (uint32_t i = 0; i < document->nodes[map].n && value == SPEC_NONE; i++)
		{
			uint32_t	key = spec_pair_key(document, map, i);

			if (document->nodes[key].n_bytes != n_key ||
				memcmp(spec_text(document, key), path, n_key) != 0)
				continue;
			*key_node = key;
			value = spec_pair_value(document, map, i);
		}
		if (value == SPEC_NONE || document->nodes[value].kind == SPEC_NULL)
			return SPEC_NONE;
		if (point == NULL)
			return value;
		map = value;
		n_bytes -= n_key + 1;
		path += n_key + 1;
	}
	return SPEC_NONE;
}

/* ----------------------------------------------------------------- rules -- */

/* One rule about one mapping. */
typedef struct RuleCheck
{
	Checker    *c;
	const SpecKey *map;
	const SpecRule *rule;
	uint32_t	node;
} RuleCheck;

/* A key of a rule that is given. */
typedef struct Given
{
	const char *word;			/* "a.b", as in the rule */
	int			n_bytes;
	uint32_t	key;
	uint32_t	value;
} Given;

/* The next of the rule's keys from *i on that is given; false if there is none. */
static bool
next_given(const RuleCheck *r, size_t *i, Given *out)
{
	const char *word;
	size_t		n_bytes;

	while ((word = spec_word(r->rule->keys, (*i)++, &n_bytes)) != NULL)
	{
		out->word = word;
		out->n_bytes = (int) n_bytes;
		out->value = spec_find_pair(r->c->document, r->node, word, n_bytes, &out->key);
		if (out->value == SPEC_NONE)
			continue;
		/* what is switched off needs nothing */
		if (r->rule->kind != RULE_NEEDS || node_of(r->c, out->value)->kind != SPEC_BOOLEAN ||
			node_of(r->c, out->value)->boolean)
			return true;
	}
	return false;
}

static void
report_rule(const RuleCheck *r, uint32_t at, Failure *why)
{
	if (r->rule->hint != NULL)
		fail_hint(why, "%s", r->rule->hint);
	spec_problem_add(r->c->problems, r->c->document, at, why);
}

/* "a, b or c" of a list separated by |. */
static void
list_words(const char *words, char *out, size_t size)
{
	size_t		n = 0;
	const char *word;
	size_t		n_bytes;

	out[0] = '\0';
	for (size_t i = 0; (word = spec_word(words, i, &n_bytes)) != NULL && n < size; i++)
		n += (size_t) snprintf(out + n, size - n, "%s%.*s",
							   i == 0 ? "" : word[n_bytes] == '\0' ? " or " : ", ",
							   (int) n_bytes, word);
}

static bool
is_before(const SpecNode *a, const SpecNode *b)
{
	return a->line < b->line || (a->line == b->line && a->column < b->column);
}

static void
check_count(const RuleCheck *r)
{
	size_t		i = 0;
	Given		first;
	Given		second;
	char		words[256];
	Failure		why;

	if (!next_given(r, &i, &first))
	{
		if (r->rule->kind == RULE_NOT_BOTH)
			return;
		list_words(r->rule->keys, words, sizeof(words));
		fail(&why, STATUS_INVALID_PARAMETER, "%s needs %s", spec_path(r->c), words);
		report_rule(r, r->node, &why);
	}
	else if (r->rule->kind != RULE_SOME_OF && next_given(r, &i, &second))
	{
		bool		in_order = is_before(node_of(r->c, first.key), node_of(r->c, second.key));
		const Given *before = in_order ? &first : &second;
		const SpecNode *other = node_of(r->c, before->key);

		fail(&why, STATUS_INVALID_PARAMETER, "%s has both \"%.*s\" and \"%.*s\"", spec_path(r->c),
			 first.n_bytes, first.word, second.n_bytes, second.word);
		fail_detail(&why, "\"%.*s\" was given in line %u, column %u.", before->n_bytes,
					before->word, other->line, other->column);
		report_rule(r, in_order ? second.key : first.key, &why);
	}
}

static void
check_needs(const RuleCheck *r)
{
	uint32_t	other;
	size_t		i = 0;
	Given		given;
	Failure		why;

	if (!next_given(r, &i, &given) ||
		spec_find_pair(r->c->document, r->node, r->rule->other, strlen(r->rule->other),
					   &other) != SPEC_NONE)
		return;
	fail(&why, STATUS_INVALID_PARAMETER, "%s has \"%.*s\" but no \"%s\"", spec_path(r->c),
		 given.n_bytes, given.word, r->rule->other);
	report_rule(r, given.key, &why);
}

static void
check_order(const RuleCheck *r)
{
	uint32_t	key;
	size_t		i = 0;
	Given		low;
	uint32_t	high = spec_find_pair(r->c->document, r->node, r->rule->other,
									  strlen(r->rule->other), &key);
	Failure		why;

	/* what is no number has been refused as a value, and has the number 0 */
	if (!next_given(r, &i, &low) || high == SPEC_NONE ||
		!(node_of(r->c, low.value)->number > node_of(r->c, high)->number))
		return;
	fail(&why, STATUS_INVALID_PARAMETER, "%s has \"%s\" %s above \"%s\" %s", spec_path(r->c),
		 r->rule->keys, spec_text(r->c->document, low.value), r->rule->other,
		 spec_text(r->c->document, high));
	report_rule(r, low.value, &why);
}

/* The text of the key that a rule depends on, given or its default; NULL if it is no text. */
static const char *
other_text(const RuleCheck *r, char *buffer, size_t size)
{
	const SpecKey *key = spec_find_key(r->map, r->rule->other);
	uint32_t	at;
	uint32_t	value = spec_find_pair(r->c->document, r->node, r->rule->other,
									   strlen(r->rule->other), &at);

	if (value != SPEC_NONE)
		return node_of(r->c, value)->kind == SPEC_TEXT ? spec_text(r->c->document, value) : NULL;
	if (key->fallback == NULL)
		return NULL;
	/* the default is a JSON string of plain letters */
	snprintf(buffer, size, "%.*s", (int) strlen(key->fallback) - 2, key->fallback + 1);
	return buffer;
}

bool
spec_rule_holds(Checker *c, const SpecKey *map, const SpecRule *rule, uint32_t node)
{
	const RuleCheck r = {c, map, rule, node};
	char		buffer[64];
	const char *other = other_text(&r, buffer, sizeof(buffer));

	return other == NULL || spec_has_word(rule->words, other);
}

static void
check_only_if(const RuleCheck *r)
{
	char		buffer[64];
	char		words[256];
	const char *other = other_text(r, buffer, sizeof(buffer));
	size_t		i = 0;
	Given		given;

	if (other == NULL || spec_has_word(r->rule->words, other))
		return;
	list_words(r->rule->words, words, sizeof(words));
	while (next_given(r, &i, &given))
	{
		Failure		why;

		fail(&why, STATUS_INVALID_PARAMETER,
			 "%s has \"%.*s\", which does not go with %s \"%.*s\"", spec_path(r->c),
			 given.n_bytes, given.word, r->rule->other, spec_shown(other), other);
		fail_detail(&why, "It goes with %s.", words);
		report_rule(r, given.key, &why);
	}
}

static void
check_must_if(const RuleCheck *r)
{
	char		buffer[64];
	const char *other = other_text(r, buffer, sizeof(buffer));
	const char *word;
	size_t		n_bytes;

	if (other == NULL || !spec_has_word(r->rule->words, other))
		return;
	for (size_t i = 0; (word = spec_word(r->rule->keys, i, &n_bytes)) != NULL; i++)
	{
		uint32_t	key;
		Failure		why;

		if (spec_find_pair(r->c->document, r->node, word, n_bytes, &key) != SPEC_NONE)
			continue;
		fail(&why, STATUS_INVALID_PARAMETER, "%s needs \"%.*s\" for %s \"%s\"", spec_path(r->c),
			 (int) n_bytes, word, r->rule->other, other);
		report_rule(r, r->node, &why);
	}
}

static void
check_one_if(const RuleCheck *r)
{
	char		buffer[64];
	const char *other = other_text(r, buffer, sizeof(buffer));

	if (other != NULL && spec_has_word(r->rule->words, other))
		check_count(r);
}

static void
check_rule(const RuleCheck *r)
{
	switch (r->rule->kind)
	{
		case RULE_ONE_OF:
		case RULE_SOME_OF:
		case RULE_NOT_BOTH:
			check_count(r);
			break;
		case RULE_NEEDS:
			check_needs(r);
			break;
		case RULE_ORDER:
			check_order(r);
			break;
		case RULE_ONLY_IF:
			check_only_if(r);
			break;
		case RULE_MUST_IF:
			check_must_if(r);
			break;
		case RULE_ONE_IF:
			check_one_if(r);
			break;
		case RULE_END:
			break;
	}
}

/* ------------------------------------------------------------------ keys -- */

static void
check_known(Checker *c, const SpecKey *map, uint32_t node)
{
	for (uint32_t i = 0; i < node_of(c, node)->n; i++)
	{
		uint32_t	key_node = spec_pair_key(c->document, node, i);
		const char *name = spec_text(c->document, key_node);
		const SpecKey *key = spec_find_key(map, name);

		if (map == spec_table() && spec_is_ignored(name))
			continue;
		if (key == NULL || (strcmp(key->name, "*") == 0 && map->vocabulary != SPEC_ANY_NAME &&
							c->names->list[map->vocabulary] != NULL &&
							spec_find_name(c, map->vocabulary, name) == NULL))
			spec_refuse_key(c, map, key_node);
	}
}

static void
check_required(Checker *c, const SpecKey *map, uint32_t node)
{
	for (const SpecKey *key = map->keys; key->name != NULL; key++)
	{
		uint32_t	at = node;
		Failure		why;

		if ((key->flags & KEY_REQUIRED) == 0 ||
			spec_find_pair(c->document, node, key->name, strlen(key->name), &at) != SPEC_NONE)
			continue;
		fail(&why, STATUS_INVALID_PARAMETER, "%s needs \"%s\"", spec_path(c), key->name);
		fail_detail(&why, "%s", key->help);
		spec_problem_add(c->problems, c->document, at, &why);
	}
}

void
spec_check_keys(Checker *c, const SpecKey *map, uint32_t node)
{
	size_t		n_before = c->problems->n_all;
	RuleCheck	r = {c, map, NULL, node};

	check_known(c, map, node);
	check_required(c, map, node);
	for (r.rule = map->rules; r.rule != NULL && r.rule->kind != RULE_END; r.rule++)
		check_rule(&r);
	if (node_of(c, node)->n == 0 && (map->flags & KEY_EMPTY) == 0 &&
		c->problems->n_all == n_before)
	{
		Failure		why;

		fail(&why, STATUS_INVALID_PARAMETER, "%s is empty", spec_path(c));
		fail_hint(&why, "Leave it out, or give it a key.");
		spec_problem_add(c->problems, c->document, node, &why);
	}
}

/* --------------------------------------------------------------- arguments -- */

/* Finds a name in a list separated by blanks, where a ! may follow. */
static bool
has_argument(const char *keys, const char *name)
{
	size_t		n = strlen(name);

	for (const char *next = keys; *next != '\0'; next += strspn(next, " !"))
	{
		size_t		length = strcspn(next, " !");

		if (length == n && memcmp(next, name, n) == 0)
			return true;
		next += length;
	}
	return false;
}

/* An argument that has to be given, and is not. */
static void
check_needed(Checker *c, const SpecName *named, uint32_t node)
{
	for (const char *next = named->keys; *next != '\0'; next += strspn(next, " !"))
	{
		size_t		length = strcspn(next, " !");
		uint32_t	key;
		Failure		why;

		if (next[length] == '!' &&
			spec_find_pair(c->document, node, next, length, &key) == SPEC_NONE)
		{
			fail(&why, STATUS_INVALID_PARAMETER, "%s needs \"%.*s\" for %s", spec_path(c),
				 (int) length, next, named->name);
			fail_detail(&why, "%s", named->help);
			spec_problem_add(c->problems, c->document, node, &why);
		}
		next += length;
	}
}

void
spec_check_arguments(Checker *c, const SpecKey *map, uint32_t node)
{
	uint32_t	name = spec_get(c->document, node, map->keys[0].name);
	const SpecName *named = name == SPEC_NONE || node_of(c, name)->kind != SPEC_TEXT ? NULL :
		spec_find_name(c, map->keys[0].vocabulary, spec_text(c->document, name));

	if (named == NULL || named->keys == NULL)
		return;
	for (uint32_t i = 0; i < node_of(c, node)->n; i++)
	{
		uint32_t	key = spec_pair_key(c->document, node, i);

		if (strcmp(spec_text(c->document, key), map->keys[0].name) != 0 &&
			!has_argument(named->keys, spec_text(c->document, key)))
			spec_refuse_argument(c, named, key);
	}
	check_needed(c, named, node);
}

/* -------------------------------------------------------------- document -- */

/* A parameter that is given and searched. */
static void
check_searched(Checker *c)
{
	uint32_t	given = spec_get(c->document, c->document->root, "hyperparameters");
	uint32_t	space = spec_get(c->document,
								 spec_get(c->document, c->document->root, "search"), "space");

	if (space == SPEC_NONE || node_of(c, space)->kind != SPEC_MAP)
		return;
	for (uint32_t i = 0; i < node_of(c, space)->n; i++)
	{
		uint32_t	key = spec_pair_key(c->document, space, i);
		const char *name = spec_text(c->document, key);
		Failure		why;

		if (spec_get(c->document, given, name) == SPEC_NONE)
			continue;
		fail(&why, STATUS_INVALID_PARAMETER, "\"%.*s\" is in hyperparameters and in search.space",
			 spec_shown(name), name);
		fail_hint(&why, "Keep one: a parameter is either fixed or searched.");
		spec_problem_add(c->problems, c->document, key, &why);
	}
}

static void
check_document(Checker *c)
{
	const SpecNode *root = node_of(c, c->document->root);

	if (root->kind != SPEC_MAP)
	{
		Failure		why;

		fail(&why, STATUS_INVALID_PARAMETER, "the pipeline is no mapping of keys");
		fail_hint(&why, "Begin with a key, as in data_path: customers.csv");
		spec_problem_add(c->problems, c->document, c->document->root, &why);
		return;
	}
	spec_check_keys(c, spec_table(), c->document->root);
	check_searched(c);
	spec_expand_short(c);
	spec_put_value(c, spec_table(), c->document->root);
	bytes_put_u8(&c->out, '\0');
}

Status
spec_check(SpecDocument *document, const SpecNames *names, SpecProblems *problems, char **out,
		   size_t *n_bytes, Failure *why)
{
	Checker		c = {.document = document, .names = names, .problems = problems, .why = why};

	*out = NULL;
	*n_bytes = 0;
	memset(problems, 0, sizeof(*problems));
	bytes_writer_begin(&c.out, document->host, why);
	check_document(&c);
	if (c.status == STATUS_OK)
		c.status = c.out.status;
	if (c.status == STATUS_OK && problems->n == 0)
	{
		*out = (char *) c.out.bytes;
		*n_bytes = c.out.capacity;
		return STATUS_OK;
	}
	bytes_writer_free(&c.out);
	return c.status;
}
