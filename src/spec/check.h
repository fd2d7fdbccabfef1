/*
 * check.h
 *	  What checking a document shares.  Private to src/spec.
 */
#ifndef CHURNOPS_SPEC_CHECK_H
#define CHURNOPS_SPEC_CHECK_H

#include "core/bytes.h"
#include "spec/document.h"
#include "spec/table.h"

#define SPEC_PATH_BYTES 256

/* One call of spec_check(). */
typedef struct Checker
{
	SpecDocument *document;
	const SpecNames *names;
	SpecProblems *problems;
	ByteWriter	out;
	char		path[SPEC_PATH_BYTES];	/* of the node at work: "data.key[2]" */
	size_t		n_path;
	Status		status;			/* first failure that is no problem of the document */
	Failure    *why;
} Checker;

/* ------------------------------------------------------ problems (problem.c) -- */

/* Bytes of a text that a message shows, cut at a character. */
extern int	spec_shown(const char *text);

/* The path, or "the pipeline" for the whole. */
extern const char *spec_path(const Checker *c);

/* Go down to a key or an item, and back to what *n_path was. */
extern size_t spec_path_key(Checker *c, const char *key);
extern size_t spec_path_item(Checker *c, uint32_t i);
extern void spec_path_back(Checker *c, size_t n_path);

/* The value cannot be this: what is allowed, and how to write it. */
extern void spec_refuse_value(Checker *c, const SpecKey *key, uint32_t node);

/* A key that the mapping does not have; known are those of the row. */
extern void spec_refuse_key(Checker *c, const SpecKey *map, uint32_t key_node);

/* A name that is not in the vocabulary. */
extern void spec_refuse_name(Checker *c, SpecVocabulary vocabulary, uint32_t node);

/* An argument that what is named does not have. */
extern void spec_refuse_argument(Checker *c, const SpecName *named, uint32_t key_node);

/* The entry of a name in a vocabulary; NULL if it has none. */
extern const SpecName *spec_find_name(const Checker *c, SpecVocabulary vocabulary,
									  const char *name);

/* -------------------------------------------------------- mappings (check.c) -- */

/* The row of a key; that of "*" where there is no other; NULL if there is none. */
extern const SpecKey *spec_find_key(const SpecKey *map, const char *name);

/* Known keys, required keys and rules of a mapping, not the values. */
extern void spec_check_keys(Checker *c, const SpecKey *map, uint32_t node);

/* Arguments of what a mapping names by its first key: known ones, and all that it needs. */
extern void spec_check_arguments(Checker *c, const SpecKey *map, uint32_t node);

/*
 * Whether the key that a rule of a mapping depends on, given or by default, has
 * one of the rule's words.  What is no text has all of them: it is refused itself.
 */
extern bool spec_rule_holds(Checker *c, const SpecKey *map, const SpecRule *rule, uint32_t node);

/* Key and value of "a.b" below a mapping, SPEC_NONE if it is not given or null. */
extern uint32_t spec_find_pair(const SpecDocument *document, uint32_t map, const char *path,
							   size_t n_bytes, uint32_t *key_node);

/* A key that the whole document may have, for anchors: "x-…". */
extern bool spec_is_ignored(const char *key);

/* ---------------------------------------------------------- values (value.c) -- */

/* Check a value and write it, defaults filled in. */
extern void spec_put_value(Checker *c, const SpecKey *key, uint32_t node);

/* Write a text as a JSON string. */
extern void spec_put_string(ByteWriter *out, const char *text, size_t n_bytes);

/* ------------------------------------------------------ short form (short.c) -- */

/* Replace the keys of the short form by those that they stand for. */
extern void spec_expand_short(Checker *c);

#endif
