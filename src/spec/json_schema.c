/*
 * json_schema.c
 *	  The table as JSON Schema, draft 7, which editors read.
 *
 * It refuses nothing that spec_check() allows, but for what vocabularies hide.
 * What it lets through, for JSON Schema cannot say it, is one number above
 * another, the fields of a schedule, 150.0 for an integer, a parameter both
 * fixed and searched, and wrong combinations of hyper-parameters or arguments of
 * expectations.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "spec/check.h"
#include "spec/form.h"

typedef struct Schema
{
	const SpecNames *names;
	ByteWriter	out;
} Schema;

static void put_members(Schema *s, const SpecKey *key);

/* ---------------------------------------------------------------- writing -- */

static void
put(Schema *s, const char *json)
{
	bytes_put(&s->out, json, strlen(json));
}

static void
put_string(Schema *s, const char *text)
{
	spec_put_string(&s->out, text, strlen(text));
}

/* A comma, unless the object or array has just been opened; then the key. */
static void
separate(Schema *s)
{
	uint8_t		last = s->out.n_bytes > 0 ? s->out.bytes[s->out.n_bytes - 1] : '{';

	if (s->out.status == STATUS_OK && last != '{' && last != '[')
		put(s, ",");
}

static void
put_key(Schema *s, const char *key)
{
	separate(s);
	put_string(s, key);
	put(s, ":");
}

static void
put_pair(Schema *s, const char *key, const char *json)
{
	put_key(s, key);
	put(s, json);
}

static void
put_number(Schema *s, const char *key, double number)
{
	char		digits[32];

	snprintf(digits, sizeof(digits), "%.15g", number);
	put_pair(s, key, digits);
}

/* ["a", "b"], and null if wanted. */
static void
put_words(Schema *s, const char *words, bool null)
{
	const char *word;
	size_t		n_bytes;

	put(s, "[");
	for (size_t i = 0; (word = spec_word(words, i, &n_bytes)) != NULL; i++)
	{
		separate(s);
		spec_put_string(&s->out, word, n_bytes);
	}
	if (null)
		put(s, ",null");
	put(s, "]");
}

static void
put_names(Schema *s, const SpecName *names)
{
	put(s, "[");
	for (; names->name != NULL; names++)
	{
		separate(s);
		put_string(s, names->name);
	}
	put(s, "]");
}

/* Where the schema says once what a vocabulary has. */
static const char *const definitions[SPEC_VOCABULARY_COUNT] = {
	[SPEC_HYPERPARAMETERS] = "hyperparameter",
	[SPEC_METRICS] = "metric",
	[SPEC_EXPECTATIONS] = "expectation",
};

/* The member that refers to it. */
static void
put_reference(Schema *s, SpecVocabulary vocabulary)
{
	put_key(s, "$ref");
	put(s, "\"#/definitions/");
	put(s, definitions[vocabulary]);
	put(s, "\"");
}

static void
put_definitions(Schema *s)
{
	put_key(s, "definitions");
	put(s, "{");
	for (int v = SPEC_ANY_NAME + 1; v < SPEC_VOCABULARY_COUNT; v++)
	{
		if (s->names->list[v] == NULL)
			continue;
		put_key(s, definitions[v]);
		put(s, "{\"enum\":");
		put_names(s, s->names->list[v]);
		put(s, "}");
	}
	put(s, "}");
}

/* ------------------------------------------------------------------ rules -- */

/* The members of a schema that holds if the key "a.b" is given, not null and not false. */
static void
put_given(Schema *s, const char *path, size_t n_bytes)
{
	const char *point = memchr(path, '.', n_bytes);
	size_t		n_key = point != NULL ? (size_t) (point - path) : n_bytes;

	put_key(s, "required");
	put(s, "[");
	spec_put_string(&s->out, path, n_key);
	put(s, "]");
	put_key(s, "properties");
	put(s, "{");
	spec_put_string(&s->out, path, n_key);
	put(s, ":{");
	if (point == NULL)
		put(s, "\"not\":{\"enum\":[null,false]}");
	else
	{
		put_pair(s, "type", "\"object\"");
		put_given(s, point + 1, n_bytes - n_key - 1);
	}
	put(s, "}}");
}

/* "how": [each key of a list given] */
static void
put_each_given(Schema *s, const char *how, const char *keys)
{
	const char *word;
	size_t		n_bytes;

	put_key(s, how);
	put(s, "[");
	for (size_t i = 0; (word = spec_word(keys, i, &n_bytes)) != NULL; i++)
	{
		separate(s);
		put(s, "{");
		put_given(s, word, n_bytes);
		put(s, "}");
	}
	put(s, "]");
}

/* Members that hold if a key has one of some words, its default among them or not. */
static void
put_has_word(Schema *s, const SpecKey *map, const SpecRule *rule)
{
	const SpecKey *key = spec_find_key(map, rule->other);
	char		word[64] = "";
	bool		by_default;

	if (key->fallback != NULL)
		snprintf(word, sizeof(word), "%.*s", (int) strlen(key->fallback) - 2, key->fallback + 1);
	by_default = spec_has_word(rule->words, word);
	put_key(s, "properties");
	put(s, "{");
	put_key(s, rule->other);
	put(s, "{\"enum\":");
	put_words(s, rule->words, by_default);
	put(s, "}}");
	if (by_default)
		return;
	put_key(s, "required");
	put(s, "[");
	put_string(s, rule->other);
	put(s, "]");
}

static void
put_rule(Schema *s, const SpecKey *map, const SpecRule *rule)
{
	put(s, "{");
	switch (rule->kind)
	{
		case RULE_ONE_OF:
			put_each_given(s, "oneOf", rule->keys);
			break;
		case RULE_SOME_OF:
			put_each_given(s, "anyOf", rule->keys);
			break;
		case RULE_NOT_BOTH:
			put(s, "\"not\":{");
			put_each_given(s, "allOf", rule->keys);
			put(s, "}");
			break;
		case RULE_NEEDS:
			put(s, "\"if\":{");
			put_each_given(s, "anyOf", rule->keys);
			put(s, "},\"then\":{");
			put_given(s, rule->other, strlen(rule->other));
			put(s, "}");
			break;
		case RULE_ONLY_IF:
			put(s, "\"if\":{");
			put_each_given(s, "anyOf", rule->keys);
			put(s, "},\"then\":{");
			put_has_word(s, map, rule);
			put(s, "}");
			break;
		case RULE_MUST_IF:
			put(s, "\"if\":{");
			put_has_word(s, map, rule);
			put(s, "},\"then\":{");
			put_each_given(s, "allOf", rule->keys);
			put(s, "}");
			break;
		case RULE_ONE_IF:
			put(s, "\"if\":{");
			put_has_word(s, map, rule);
			put(s, "},\"then\":{");
			put_each_given(s, "oneOf", rule->keys);
			put(s, "}");
			break;
		case RULE_ORDER:
		case RULE_END:
			break;
	}
	put(s, "}");
}

static void
put_rules(Schema *s, const SpecKey *map)
{
	const SpecRule *first = map->rules;

	while (first != NULL && first->kind == RULE_ORDER)
		first++;
	if (first == NULL || first->kind == RULE_END)
		return;
	put_key(s, "allOf");
	put(s, "[");
	for (const SpecRule *rule = first; rule->kind != RULE_END; rule++)
	{
		if (rule->kind == RULE_ORDER)
			continue;
		separate(s);
		put_rule(s, map, rule);
	}
	put(s, "]");
}

/* --------------------------------------------------------------- mappings -- */

static void
put_schema(Schema *s, const SpecKey *key)
{
	put(s, "{");
	put_members(s, key);
	put(s, "}");
}

/* A hyper-parameter, as its own library describes it. */
static void
put_name_schema(Schema *s, const SpecName *name)
{
	char		text[FAILURE_TEXT_BYTES];

	snprintf(text, sizeof(text), "%s Default: %s.", name->help, name->fallback);
	put(s, "{");
	put_key(s, "description");
	put_string(s, text);
	put(s, ",");
	/* the members of its schema, with the brace that closes them */
	put(s, name->schema + 1);
}

static void
put_required(Schema *s, const SpecKey *map)
{
	bool		any = false;

	for (const SpecKey *key = map->keys; key->name != NULL; key++)
	{
		if ((key->flags & KEY_REQUIRED) == 0)
			continue;
		if (!any)
		{
			put_key(s, "required");
			put(s, "[");
		}
		separate(s);
		put_string(s, key->name);
		any = true;
	}
	if (any)
		put(s, "]");
	else if (map->rules == NULL && (map->flags & KEY_EMPTY) == 0)
		put_number(s, "minProperties", 1);
}

/* Keys of the short form: thresholds of metrics that may be above one. */
static void
put_threshold_names(Schema *s)
{
	put(s, "{\"enum\":[");
	for (const SpecName *names = s->names->list[SPEC_METRICS]; names->name != NULL; names++)
	{
		char		name[128];

		if (names->falls)
			continue;
		snprintf(name, sizeof(name), "%s_threshold", names->name);
		separate(s);
		put_string(s, name);
	}
	put(s, "]}");
}

/* Names that keys may have beside those of rows. */
static void
put_property_names(Schema *s, const SpecKey *map)
{
	if ((map->flags & KEY_SHORT) && s->names->list[SPEC_METRICS] != NULL)
	{
		put_key(s, "propertyNames");
		put_threshold_names(s);
	}
	else if (map->vocabulary != SPEC_ANY_NAME && s->names->list[map->vocabulary] != NULL)
	{
		put_key(s, "propertyNames");
		put(s, "{");
		put_reference(s, map->vocabulary);
		put(s, "}");
	}
}

static void
put_properties(Schema *s, const SpecKey *map)
{
	const SpecName *names = s->names->list[map->vocabulary];
	const SpecKey *key;

	put_key(s, "properties");
	put(s, "{");
	for (key = map->keys; key->name != NULL && strcmp(key->name, "*") != 0; key++)
	{
		put_key(s, key->name);
		put_schema(s, key);
	}
	if (key->name != NULL && key->types == TYPE_ANY)
		for (; names != NULL && names->name != NULL; names++)
		{
			if (names->schema == NULL)
				continue;
			put_key(s, names->name);
			put_name_schema(s, names);
		}
	put(s, "}");
	put_key(s, "additionalProperties");
	if (key->name == NULL || (names != NULL && names[0].name == NULL))
		put(s, "false");
	else
		put_schema(s, key);
	put_property_names(s, map);
}

static void
put_map(Schema *s, const SpecKey *map)
{
	put_pair(s, "type", "\"object\"");
	put_properties(s, map);
	put_required(s, map);
	put_rules(s, map);
}

/* {name: {...}}, where name is that of the first key. */
static void
put_by_name(Schema *s, const SpecKey *map)
{
	const SpecName *names = s->names->list[map->keys[0].vocabulary];
	const SpecKey rest = {.types = TYPE_MAP, .flags = KEY_EMPTY, .keys = map->keys + 1};

	put_pair(s, "type", "\"object\"");
	put_number(s, "minProperties", 1);
	put_number(s, "maxProperties", 1);
	put_key(s, "propertyNames");
	if (names != NULL)
	{
		put(s, "{");
		put_reference(s, map->keys[0].vocabulary);
		put(s, "}");
	}
	else
	{
		put(s, "{\"not\":{\"const\":");
		put_string(s, map->keys[0].name);
		put(s, "}}");
	}
	put_key(s, "additionalProperties");
	put(s, "{\"anyOf\":[{\"type\":\"null\"},{");
	put_map(s, &rest);
	put_key(s, "not");
	put(s, "{\"required\":[");
	put_string(s, map->keys[0].name);
	put(s, "]}}]}");
}

/* ----------------------------------------------------------------- values -- */

static void
put_range(Schema *s, const SpecKey *key)
{
	if (isfinite(key->low))
		put_number(s, key->flags & KEY_ABOVE ? "exclusiveMinimum" : "minimum", key->low);
	if (isfinite(key->high))
		put_number(s, key->flags & KEY_BELOW ? "exclusiveMaximum" : "maximum", key->high);
}

static void
put_text(Schema *s, const SpecKey *key)
{
	const SpecName *names = s->names->list[key->vocabulary];

	if (key->words != NULL)
	{
		put_key(s, "enum");
		put_words(s, key->words, false);
	}
	else if (key->vocabulary != SPEC_ANY_NAME && names != NULL)
	{
		put_key(s, "allOf");
		put(s, "[{");
		put_reference(s, key->vocabulary);
		put(s, "}]");
	}
	else
	{
		put_pair(s, "type", "\"string\"");
		if (key->format != FORMAT_EMPTY)
			put_number(s, "minLength", 1);
		if (spec_format_pattern(key->format) != NULL)
		{
			put_key(s, "pattern");
			put_string(s, spec_format_pattern(key->format));
		}
	}
}

static void
put_list(Schema *s, const SpecKey *key)
{
	put_pair(s, "type", "\"array\"");
	put_key(s, "items");
	put_schema(s, key->item);
	if ((key->flags & KEY_EMPTY) == 0)
		put_number(s, "minItems", 1);
	if (key->flags & KEY_UNIQUE)
		put_pair(s, "uniqueItems", "true");
}

/* The members that say what a value of one type is. */
static void
put_type(Schema *s, const SpecKey *key, unsigned type)
{
	switch (type)
	{
		case TYPE_BOOLEAN:
			put_pair(s, "type", "\"boolean\"");
			break;
		case TYPE_INTEGER:
		case TYPE_NUMBER:
			put_pair(s, "type", type == TYPE_INTEGER ? "\"integer\"" : "\"number\"");
			put_range(s, key);
			break;
		case TYPE_TEXT:
			put_text(s, key);
			break;
		case TYPE_LABEL:
			put_pair(s, "type", "[\"string\",\"integer\",\"boolean\"]");
			put_number(s, "minLength", 1);
			break;
		case TYPE_DURATION:
			put_key(s, "anyOf");
			put(s, "[{\"type\":\"integer\"");
			put_range(s, key);
			put(s, "},{\"type\":\"string\",\"pattern\":"
				"\"^[0-9]{1,12} *(second|minute|hour|day|week)s?$\"}]");
			break;
		case TYPE_LIST:
			put_list(s, key);
			break;
		case TYPE_MAP:
			put_map(s, key);
			break;
		default:
			break;
	}
}

/* Whether null may stand for "not given". */
static bool
takes_null(const SpecKey *key)
{
	if (key->flags & KEY_NULL)
		return true;
	return (key->flags & KEY_REQUIRED) == 0 && key->name != NULL && strcmp(key->name, "*") != 0 &&
		strcmp(key->name, "[]") != 0 && key != spec_table();
}

/* Alternatives of a value. */
static void
put_types(Schema *s, const SpecKey *key)
{
	bool		null = takes_null(key);
	bool		one = (key->types & (key->types - 1)) == 0 && !null &&
		(key->flags & KEY_BY_NAME) == 0;

	if (key->types & TYPE_ANY)
		return;
	if (!one)
	{
		put_key(s, "anyOf");
		put(s, "[");
	}
	for (unsigned type = 1; type < TYPE_ANY; type <<= 1)
	{
		if ((key->types & type) == 0)
			continue;
		if (!one)
		{
			separate(s);
			put(s, "{");
		}
		put_type(s, key, type);
		if (!one)
			put(s, "}");
	}
	if (one)
		return;
	if (key->flags & KEY_BY_NAME)
	{
		put(s, ",{");
		put_by_name(s, key);
		put(s, "}");
	}
	put(s, null ? ",{\"type\":\"null\"}]" : "]");
}

static void
put_members(Schema *s, const SpecKey *key)
{
	if (key->help != NULL)
	{
		put_key(s, "description");
		put_string(s, key->help);
	}
	if (key->fallback != NULL)
		put_pair(s, "default", key->fallback);
	put_types(s, key);
}

Status
spec_schema(const Host *host, const SpecNames *names, char **out, size_t *n_bytes, Failure *why)
{
	Schema		s = {.names = names};

	*out = NULL;
	*n_bytes = 0;
	bytes_writer_begin(&s.out, host, why);
	put(&s, "{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"title\":\"ChurnOps pipeline\"");
	put(&s, ",\"patternProperties\":{\"^x-\":{\"description\":\"Ignored: a place for anchors.\"}}");
	put_definitions(&s);
	put_members(&s, spec_table());
	put(&s, "}");
	bytes_put_u8(&s.out, '\0');
	if (s.out.status != STATUS_OK)
	{
		Status		status = s.out.status;

		bytes_writer_free(&s.out);
		return status;
	}
	*out = (char *) s.out.bytes;
	*n_bytes = s.out.capacity;
	return STATUS_OK;
}
