/*
 * value.c
 *	  Holding values against the table and writing them as JSON, defaults
 *	  filled in.
 *
 * What is refused is written as null: nobody reads the JSON of a document
 * with problems, and its other values are looked at all the same.  Nodes may
 * be added meanwhile, so they are known by number and not by address.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "spec/check.h"
#include "spec/form.h"
#include "spec/scalar.h"

/* Arguments of an expectation that is written by its name. */
#define SPEC_BY_NAME_PAIRS 64

static const SpecNode *
node_of(const Checker *c, uint32_t node)
{
	return &c->document->nodes[node];
}

static void
put_words(Checker *c, const char *json)
{
	bytes_put(&c->out, json, strlen(json));
}

void
spec_put_string(ByteWriter *out, const char *text, size_t n_bytes)
{
	bytes_put_u8(out, '"');
	for (size_t i = 0; i < n_bytes; i++)
	{
		unsigned char byte = (unsigned char) text[i];
		char		escape[8];

		if (byte == '"' || byte == '\\')
			bytes_put_u8(out, '\\');
		if (byte >= 0x20)
			bytes_put_u8(out, byte);
		else
			bytes_put(out, escape, (size_t) snprintf(escape, sizeof(escape), "\\u%04x", byte));
	}
	bytes_put_u8(out, '"');
}

static void
put_text(Checker *c, uint32_t node)
{
	spec_put_string(&c->out, spec_text(c->document, node), node_of(c, node)->n_bytes);
}

/* The key of a member, and a comma if another stands before it. */
static void
put_key(Checker *c, const char *name)
{
	uint8_t		last = c->out.status == STATUS_OK ? c->out.bytes[c->out.n_bytes - 1] : '{';

	if (last != '{')
		bytes_put_u8(&c->out, ',');
	spec_put_string(&c->out, name, strlen(name));
	bytes_put_u8(&c->out, ':');
}

/* Let the host stop the work; true if it does. */
static bool
stopped(Checker *c)
{
	if (c->status == STATUS_OK)
		c->status = host_poll(c->document->host, c->why);
	return c->status != STATUS_OK || c->out.status != STATUS_OK;
}

/* --------------------------------------------------------------- scalars -- */

static bool
in_range(const SpecKey *key, double number)
{
	return number >= key->low && number <= key->high &&
		!((key->flags & KEY_ABOVE) && number == key->low) &&
		!((key->flags & KEY_BELOW) && number == key->high);
}

/* A number that JSON cannot hold. */
static void
refuse_number(Checker *c, uint32_t node)
{
	const char *text = spec_text(c->document, node);
	Failure		why;

	fail(&why, STATUS_INVALID_PARAMETER, "%s cannot be %.*s", spec_path(c), spec_shown(text),
		 text);
	fail_detail(&why, "It is not finite, or too large or too small for a number.");
	spec_problem_add(c->problems, c->document, node, &why);
}

static void
put_number(Checker *c, const SpecKey *key, uint32_t node)
{
	const char *text = spec_text(c->document, node);
	const SpecNode *number = node_of(c, node);

	if (!spec_number_fits(number, text))
		refuse_number(c, node);
	else if (!in_range(key, number->number))
		spec_refuse_value(c, key, node);
	else
	{
		spec_put_number(&c->out, number, text);
		return;
	}
	put_words(c, "null");
}

static void
put_duration(Checker *c, const SpecKey *key, uint32_t node)
{
	double		seconds = node_of(c, node)->number;
	char		digits[32];

	if (node_of(c, node)->kind == SPEC_TEXT && !spec_duration(spec_text(c->document, node),
															  &seconds))
		seconds = NAN;
	/* whole seconds, and nothing that is no number is in a range */
	if (!in_range(key, seconds) || seconds != floor(seconds))
	{
		spec_refuse_value(c, key, node);
		put_words(c, "null");
		return;
	}
	bytes_put(&c->out, digits, (size_t) snprintf(digits, sizeof(digits), "%.0f", seconds));
}

static bool
text_fits(Checker *c, const SpecKey *key, uint32_t node)
{
	const char *text = spec_text(c->document, node);

	if (key->words != NULL)
		return spec_has_word(key->words, text);
	return spec_format_fits(key->format, text);
}

static void
put_checked_text(Checker *c, const SpecKey *key, uint32_t node)
{
	if (!text_fits(c, key, node))
		spec_refuse_value(c, key, node);
	else if (key->vocabulary != SPEC_ANY_NAME && key->words == NULL &&
			 c->names->list[key->vocabulary] != NULL &&
			 spec_find_name(c, key->vocabulary, spec_text(c->document, node)) == NULL)
		spec_refuse_name(c, key->vocabulary, node);
	put_text(c, node);
}

/* ------------------------------------------------------------ any values -- */

static void put_any(Checker *c, uint32_t node);

static void
put_any_items(Checker *c, uint32_t node)
{
	for (uint32_t i = 0; i < node_of(c, node)->n && !stopped(c); i++)
	{
		size_t		back = spec_path_item(c, i);

		if (i > 0)
			bytes_put_u8(&c->out, ',');
		put_any(c, spec_item(c->document, node, i));
		spec_path_back(c, back);
	}
}

static void
put_any_pairs(Checker *c, uint32_t node)
{
	for (uint32_t i = 0; i < node_of(c, node)->n && !stopped(c); i++)
	{
		const char *name = spec_text(c->document, spec_pair_key(c->document, node, i));
		size_t		back = spec_path_key(c, name);

		put_key(c, name);
		put_any(c, spec_pair_value(c->document, node, i));
		spec_path_back(c, back);
	}
}

static void
put_any(Checker *c, uint32_t node)
{
	switch (node_of(c, node)->kind)
	{
		case SPEC_NULL:
			put_words(c, "null");
			break;
		case SPEC_BOOLEAN:
			put_words(c, node_of(c, node)->boolean ? "true" : "false");
			break;
		case SPEC_INTEGER:
		case SPEC_FLOAT:
			if (spec_number_fits(node_of(c, node), spec_text(c->document, node)))
				spec_put_number(&c->out, node_of(c, node), spec_text(c->document, node));
			else
				refuse_number(c, node);
			break;
		case SPEC_TEXT:
			put_text(c, node);
			break;
		case SPEC_LIST:
			bytes_put_u8(&c->out, '[');
			put_any_items(c, node);
			bytes_put_u8(&c->out, ']');
			break;
		case SPEC_MAP:
			bytes_put_u8(&c->out, '{');
			put_any_pairs(c, node);
			bytes_put_u8(&c->out, '}');
			break;
	}
}

/* ----------------------------------------------------------------- lists -- */

/* An earlier item of a list with the same text. */
static void
check_unique(Checker *c, uint32_t list, uint32_t i)
{
	uint32_t	item = spec_item(c->document, list, i);
	const char *text = node_of(c, item)->kind == SPEC_TEXT ? spec_text(c->document, item) : NULL;

	for (uint32_t k = 0; k < i && text != NULL; k++)
	{
		uint32_t	other = spec_item(c->document, list, k);
		Failure		why;

		if (node_of(c, other)->kind != SPEC_TEXT ||
			strcmp(spec_text(c->document, other), text) != 0)
			continue;
		fail(&why, STATUS_INVALID_PARAMETER, "%s names \"%.*s\" twice", spec_path(c),
			 spec_shown(text), text);
		spec_problem_add(c->problems, c->document, item, &why);
		return;
	}
}

/*
 * A mapping {name: {...}} as {first key: name, ...}, which is what it means;
 * any other node as it is.
 */
static uint32_t
by_name(Checker *c, const SpecKey *key, uint32_t node)
{
	const char *first = key->keys[0].name;
	SpecDocument *document = c->document;
	uint32_t	children[2 * SPEC_BY_NAME_PAIRS + 2];
	uint32_t	name;
	uint32_t	value;
	uint32_t	made;
	size_t		n = 0;

	if (node_of(c, node)->kind != SPEC_MAP || node_of(c, node)->n != 1)
		return node;
	name = spec_pair_key(document, node, 0);
	value = spec_pair_value(document, node, 0);
	if (strcmp(spec_text(document, name), first) == 0 ||
		(node_of(c, value)->kind != SPEC_MAP && node_of(c, value)->kind != SPEC_NULL) ||
		node_of(c, value)->n > SPEC_BY_NAME_PAIRS || spec_get(document, value, first) != SPEC_NONE)
		return node;
	c->status = spec_node_new(document, SPEC_TEXT, node_of(c, name)->line,
							  node_of(c, name)->column, &children[n++], c->why);
	if (c->status == STATUS_OK)
		c->status = spec_node_text(document, children[0], first, strlen(first), c->why);
	if (c->status != STATUS_OK)
		return node;
	/* a number as a name is refused as what it is */
	children[n++] = name;
	for (uint32_t i = 0; i < node_of(c, value)->n; i++)
	{
		children[n++] = spec_pair_key(document, value, i);
		children[n++] = spec_pair_value(document, value, i);
	}
	c->status = spec_node_new(document, SPEC_MAP, node_of(c, node)->line,
							  node_of(c, node)->column, &made, c->why);
	if (c->status == STATUS_OK)
		c->status = spec_node_children(document, made, children, n, c->why);
	return c->status == STATUS_OK ? made : node;
}

static void
put_list(Checker *c, const SpecKey *key, uint32_t node)
{
	uint32_t	n = node_of(c, node)->n;

	if (n == 0 && (key->flags & KEY_EMPTY) == 0)
	{
		Failure		why;

		fail(&why, STATUS_INVALID_PARAMETER, "%s is an empty list", spec_path(c));
		fail_hint(&why, "Leave it out, or name something.");
		spec_problem_add(c->problems, c->document, node, &why);
	}
	bytes_put_u8(&c->out, '[');
	for (uint32_t i = 0; i < n && !stopped(c); i++)
	{
		size_t		back = spec_path_item(c, i);
		uint32_t	item = spec_item(c->document, node, i);

		if (i > 0)
			bytes_put_u8(&c->out, ',');
		if (key->item->flags & KEY_BY_NAME)
			item = by_name(c, key->item, item);
		spec_put_value(c, key->item, item);
		spec_path_back(c, back);
		if (key->flags & KEY_UNIQUE)
			check_unique(c, node, i);
	}
	bytes_put_u8(&c->out, ']');
}

/* -------------------------------------------------------------- mappings -- */

/* What stands for a key that is not given. */
static void
put_default(Checker *c, const SpecKey *key)
{
	if (key->fallback != NULL)
		put_words(c, key->fallback);
	else if ((key->flags & KEY_FILLED) == 0)
		put_words(c, "null");
	else
	{
		bytes_put_u8(&c->out, '{');
		for (const SpecKey *inner = key->keys;
			 (key->flags & KEY_SPARSE) == 0 && inner->name != NULL; inner++)
		{
			put_key(c, inner->name);
			put_default(c, inner);
		}
		bytes_put_u8(&c->out, '}');
	}
}

/* Whether a key does not go with what another one is: then it has no default. */
static bool
is_idle(Checker *c, const SpecKey *map, const SpecKey *key, uint32_t node)
{
	for (const SpecRule *rule = map->rules; rule != NULL && rule->kind != RULE_END; rule++)
		if (rule->kind == RULE_ONLY_IF && spec_has_word(rule->keys, key->name) &&
			!spec_rule_holds(c, map, rule, node))
			return true;
	return false;
}

/* The value of a key that is given, or what stands for it. */
static void
put_member(Checker *c, const SpecKey *map, const SpecKey *key, uint32_t node)
{
	uint32_t	value = spec_get(c->document, node, key->name);
	bool		given = value != SPEC_NONE &&
		(node_of(c, value)->kind != SPEC_NULL || (key->flags & KEY_NULL) != 0);
	size_t		back;

	if (!given && ((map->flags & KEY_SPARSE) || (key->flags & KEY_SHORT)))
		return;
	put_key(c, key->name);
	if (!given && is_idle(c, map, key, node))
		put_words(c, "null");
	else if (!given)
		put_default(c, key);
	if (!given)
		return;
	back = spec_path_key(c, key->name);
	if (node_of(c, value)->kind == SPEC_NULL)
		put_words(c, "null");
	else
		spec_put_value(c, key, value);
	spec_path_back(c, back);
}

/* The pairs whose key has no row of its own. */
static void
put_others(Checker *c, const SpecKey *map, const SpecKey *key, uint32_t node)
{
	for (uint32_t i = 0; i < node_of(c, node)->n && !stopped(c); i++)
	{
		const char *name = spec_text(c->document, spec_pair_key(c->document, node, i));
		size_t		back;

		if (spec_find_key(map, name) != key)
			continue;
		put_key(c, name);
		back = spec_path_key(c, name);
		spec_put_value(c, key, spec_pair_value(c->document, node, i));
		spec_path_back(c, back);
	}
}

static void
put_map(Checker *c, const SpecKey *map, uint32_t node)
{
	bytes_put_u8(&c->out, '{');
	for (const SpecKey *key = map->keys; key->name != NULL && !stopped(c); key++)
	{
		if (strcmp(key->name, "*") == 0)
			put_others(c, map, key, node);
		else
			put_member(c, map, key, node);
	}
	bytes_put_u8(&c->out, '}');
}

/* ---------------------------------------------------------------- values -- */

/* Bits of the types that a kind of node may be. */
static unsigned
types_of(SpecKind kind)
{
	switch (kind)
	{
		case SPEC_NULL:
			return TYPE_ANY;
		case SPEC_BOOLEAN:
			return TYPE_ANY | TYPE_BOOLEAN | TYPE_LABEL;
		case SPEC_INTEGER:
			return TYPE_ANY | TYPE_INTEGER | TYPE_NUMBER | TYPE_LABEL | TYPE_DURATION;
		case SPEC_FLOAT:
			return TYPE_ANY | TYPE_NUMBER | TYPE_DURATION;
		case SPEC_TEXT:
			return TYPE_ANY | TYPE_TEXT | TYPE_LABEL | TYPE_DURATION;
		case SPEC_LIST:
			return TYPE_ANY | TYPE_LIST;
		case SPEC_MAP:
			return TYPE_ANY | TYPE_MAP;
	}
	return 0;
}

void
spec_put_value(Checker *c, const SpecKey *key, uint32_t node)
{
	unsigned	types = key->types & types_of(node_of(c, node)->kind);

	if (stopped(c))
		return;
	if (types & TYPE_ANY)
		put_any(c, node);
	else if (types & TYPE_BOOLEAN)
		put_words(c, node_of(c, node)->boolean ? "true" : "false");
	else if (types & (TYPE_INTEGER | TYPE_NUMBER))
		put_number(c, key, node);
	else if (types & TYPE_DURATION)
		put_duration(c, key, node);
	else if (types & TYPE_TEXT)
		put_checked_text(c, key, node);
	else if ((types & TYPE_LABEL) && node_of(c, node)->n_bytes > 0)
		put_text(c, node);
	else if (types & TYPE_LIST)
		put_list(c, key, node);
	else if (types & TYPE_MAP)
	{
		/* those of the whole were checked before the short form was expanded */
		if (key != spec_table())
			spec_check_keys(c, key, node);
		if (key->flags & KEY_BY_NAME)
			spec_check_arguments(c, key, node);
		put_map(c, key, node);
	}
	else
	{
		spec_refuse_value(c, key, node);
		put_words(c, "null");
	}
}
