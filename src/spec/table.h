/*
 * table.h
 *	  The table of all keys of a pipeline.  Private to src/spec.
 *
 * A row is a key of a mapping, and all that is known of its value; rows of
 * one mapping stand together, ended by a row without a name.  What checks,
 * fills in defaults, documents and describes for editors reads these rows and
 * knows no key by itself, but for the short form.
 */
#ifndef CHURNOPS_SPEC_TABLE_H
#define CHURNOPS_SPEC_TABLE_H

#include "spec/spec.h"

/* What a value may be; several bits are alternatives. */
typedef enum SpecType
{
	TYPE_BOOLEAN = 1,
	TYPE_INTEGER = 2,
	TYPE_NUMBER = 4,			/* integers too */
	TYPE_TEXT = 8,
	TYPE_LABEL = 16,			/* a text, integer or boolean, kept as text */
	TYPE_DURATION = 32,			/* seconds, or a text as "7 days"; kept as seconds */
	TYPE_LIST = 64,
	TYPE_MAP = 128,
	TYPE_ANY = 256
} SpecType;

typedef enum SpecFlag
{
	KEY_REQUIRED = 1,
	KEY_ABOVE = 2,				/* the range has no lower end: above low */
	KEY_BELOW = 4,				/* nor an upper one: below high */
	KEY_FILLED = 8,				/* a mapping that is not given is filled with defaults */
	KEY_SPARSE = 16,			/* of a mapping only what is given is kept */
	KEY_UNIQUE = 32,			/* a list whose items differ */
	KEY_EMPTY = 64,				/* a list or mapping may be empty */
	KEY_SHORT = 128,			/* of the short form: becomes keys of the full form */
	KEY_NULL = 256,				/* null means something, and is kept */
	KEY_BY_NAME = 512			/* a mapping also written {name: {...}}, name being its first key */
} SpecFlag;

/* The form of a text. */
typedef enum SpecFormat
{
	FORMAT_ANY,					/* not empty */
	FORMAT_EMPTY,				/* may be empty */
	FORMAT_NAME,				/* of a model, an alias */
	FORMAT_DATASET,				/* name or name/version */
	FORMAT_CRON
} SpecFormat;

typedef enum SpecRuleKind
{
	RULE_END,
	RULE_ONE_OF,				/* exactly one of `keys` */
	RULE_SOME_OF,				/* at least one */
	RULE_NOT_BOTH,				/* at most one of two */
	RULE_NEEDS,					/* any of `keys` needs `other` */
	RULE_ORDER,					/* keys[0] is not above `other` */
	RULE_ONLY_IF,				/* `keys` only if `other` is one of `words` */
	RULE_MUST_IF,				/* `keys` have to be given if `other` is one of `words` */
	RULE_ONE_IF					/* exactly one of them has to be */
} SpecRuleKind;

/* A rule about several keys of a mapping; a key of a mapping inside is "a.b". */
typedef struct SpecRule
{
	SpecRuleKind kind;
	const char *keys;			/* separated by | */
	const char *other;
	const char *words;			/* separated by | */
	const char *hint;			/* a sentence, or NULL */
} SpecRule;

typedef struct SpecKey SpecKey;

struct SpecKey
{
	const char *name;			/* "*": any */
	unsigned	types;			/* bits of SpecType */
	unsigned	flags;			/* bits of SpecFlag */
	const char *fallback;		/* as JSON; NULL: none */
	const char *words;			/* of a text: what it may be, separated by | */
	SpecFormat	format;
	double		low;
	double		high;
	SpecVocabulary vocabulary;	/* of a text, or of the keys of a mapping */
	const SpecKey *keys;		/* of a mapping */
	const SpecKey *item;		/* of a list */
	const SpecRule *rules;		/* of a mapping */
	const char *help;			/* sentences */
};

/* The mapping that a document is. */
extern const SpecKey *spec_table(void);

/* What a row allows, in words: "a number from 0 to below 1". */
extern void spec_allowed(const SpecKey *key, char *out, size_t n_bytes);

/* The i-th word of a list separated by |, and its length; NULL behind the last. */
extern const char *spec_word(const char *words, size_t i, size_t *n_bytes);
extern bool spec_has_word(const char *words, const char *word);

#endif
