/*
 * spec.h
 *	  Pipelines written in YAML: the spec library's only public header.
 *
 *	  SpecDocument	a YAML text as a tree, each node with its line and column
 *	  SpecKey		one table of all keys: types, ranges, defaults, help
 *	  SpecProblems	what the table does not allow, at most SPEC_MAX_PROBLEMS
 *
 * spec_read() makes the tree, spec_check() holds it against the table and
 * writes the whole pipeline, defaults filled in, as JSON; spec_schema() writes
 * the same table as a JSON Schema.  The library is the only user of libyaml.
 */
#ifndef CHURNOPS_SPEC_SPEC_H
#define CHURNOPS_SPEC_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/host.h"
#include "core/status.h"

#define SPEC_MAX_BYTES ((size_t) 1048576)	/* of a text */
#define SPEC_MAX_DEPTH 32		/* mappings and lists inside each other */
#define SPEC_MAX_NODES 20000	/* aliases counted as what they stand for */
#define SPEC_MAX_ANCHORS 256
#define SPEC_MAX_PROBLEMS 20
#define SPEC_NONE UINT32_MAX	/* no node */

/* ------------------------------------------------------------- documents -- */

typedef enum SpecKind
{
	SPEC_NULL,
	SPEC_BOOLEAN,
	SPEC_INTEGER,
	SPEC_FLOAT,
	SPEC_TEXT,
	SPEC_LIST,
	SPEC_MAP
} SpecKind;

/*
 * A value.  Scalars that are not quoted are what YAML 1.2's core schema says:
 * yes and no are texts.  Nodes are known by their number; an anchored node may
 * be the child of several.
 */
typedef struct SpecNode
{
	SpecKind	kind;
	bool		quoted;			/* in quotes, or a block */
	bool		boolean;
	uint32_t	line;			/* from 1 */
	uint32_t	column;			/* from 1, in characters */
	uint32_t	first;			/* of the children's places */
	uint32_t	n;				/* items of a list, pairs of a mapping */
	uint32_t	n_nodes;		/* with all below, aliases expanded */
	uint32_t	height;			/* levels below */
	double		number;			/* of an integer or a float; may be infinite or NaN */
	size_t		text;			/* where the scalar's text begins */
	size_t		n_bytes;
} SpecNode;

typedef struct SpecDocument
{
	const Host *host;
	SpecNode   *nodes;
	size_t		n_nodes;
	size_t		nodes_capacity;
	uint32_t   *places;			/* children: items, or keys and values in turn */
	size_t		n_places;
	size_t		places_capacity;
	char	   *texts;			/* of all scalars, each NUL-terminated */
	size_t		n_texts;
	size_t		texts_capacity;
	uint32_t	root;
} SpecDocument;

/*
 * The tree of a YAML text, UTF-8.  STATUS_SYNTAX: not YAML, more than one
 * document, a key given twice, an alias of nothing, a tag that is not of the
 * core schema; STATUS_LIMIT: more bytes, levels, values or anchors than the
 * constants above; STATUS_INVALID_DATA: not UTF-8.  The text of a failure
 * begins with "line 3, column 7: ".
 */
extern Status spec_read(const Host *host, const char *yaml, size_t n_bytes, SpecDocument **out,
						Failure *why);
extern void spec_document_free(SpecDocument *document);

/* The text of a scalar, as written without quotes; NUL-terminated. */
extern const char *spec_text(const SpecDocument *document, uint32_t node);

/* The i-th item of a list; key and value of the i-th pair of a mapping. */
extern uint32_t spec_item(const SpecDocument *document, uint32_t node, uint32_t i);
extern uint32_t spec_pair_key(const SpecDocument *document, uint32_t node, uint32_t i);
extern uint32_t spec_pair_value(const SpecDocument *document, uint32_t node, uint32_t i);

/* The value of a key, SPEC_NONE if there is none; node may be SPEC_NONE or no mapping. */
extern uint32_t spec_get(const SpecDocument *document, uint32_t node, const char *key);

/* ----------------------------------------------------------------- names -- */

/* Names that other libraries know. */
typedef enum SpecVocabulary
{
	SPEC_ANY_NAME,
	SPEC_HYPERPARAMETERS,
	SPEC_METRICS,
	SPEC_EXPECTATIONS,
	SPEC_VOCABULARY_COUNT
} SpecVocabulary;

typedef struct SpecName
{
	const char *name;
	const char *schema;			/* what is allowed, as JSON Schema; NULL: anything */
	const char *fallback;		/* the default in words, or NULL */
	const char *help;			/* a sentence, or NULL */
	const char *keys;			/* of an expectation: its arguments, "column! mostly", those with a !
								 * needed; NULL: any */
	bool		falls;			/* of a metric: less is better */
	bool		hidden;			/* allowed, and not mentioned */
} SpecName;

/* Lists ended by a row with name NULL; a list that is NULL allows any name. */
typedef struct SpecNames
{
	const SpecName *list[SPEC_VOCABULARY_COUNT];
} SpecNames;

/* -------------------------------------------------------------- problems -- */

typedef struct SpecProblem
{
	uint32_t	line;
	uint32_t	column;
	Failure		why;			/* its text begins with line and column */
} SpecProblem;

/* The first ones by place, and how many there were. */
typedef struct SpecProblems
{
	size_t		n;
	size_t		n_all;
	SpecProblem list[SPEC_MAX_PROBLEMS];
} SpecProblems;

/* Add what is wrong with a node of the document; why's text gets its place in front. */
extern void spec_problem_add(SpecProblems *problems, const SpecDocument *document, uint32_t node,
							 const Failure *why);

/* -------------------------------------------------------------- checking -- */

/*
 * Hold a document against the table.  What is wrong is added to *problems; if
 * there is nothing, *out is the pipeline in its full form as JSON, UTF-8, NUL-
 * terminated, of *n_bytes for memory_free.  Else *out is NULL.  The short form
 * is turned into the full one, in the document too.  Values of hyper-parameters
 * are the caller's to check.
 */
extern Status spec_check(SpecDocument *document, const SpecNames *names, SpecProblems *problems,
						 char **out, size_t *n_bytes, Failure *why);

/* ----------------------------------------------------------------- table -- */

/* One key as the documentation shows it. */
typedef struct SpecEntry
{
	const char *path;			/* "search.n_iter"; "[]" is an item, "*" any name */
	const char *allowed;		/* in words */
	const char *fallback;		/* as JSON; NULL if there is none */
	const char *help;			/* sentences */
	bool		required;
	bool		short_form;
} SpecEntry;

typedef Status (*SpecVisit) (void *ctx, const SpecEntry *entry);

/* Visit every key, in the order of the table, until a visit is not STATUS_OK. */
extern Status spec_walk(SpecVisit visit, void *ctx);

/* The table as JSON Schema (draft 7), as spec_check() gives its result: to be freed alike. */
extern Status spec_schema(const Host *host, const SpecNames *names, char **out, size_t *n_bytes,
						  Failure *why);

#endif
