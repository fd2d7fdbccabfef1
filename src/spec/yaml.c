/*
 * yaml.c
 *	  From libyaml's events to the tree of a document.
 *
 * libyaml allocates by malloc and cannot be given a Host, so the text is
 * bounded before it sees a byte, events are taken one by one, and nothing
 * here leaves without yaml_parser_delete().
 *
 * An alias is the node that it names once more: nothing is copied, however
 * much it stands for.  Each node knows the size and height of what is below it
 * with all aliases expanded, and is refused as soon as these are too large, so
 * that whoever walks the tree later needs no bound of his own.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "core/bytes.h"
#include "core/memory.h"
#include "spec/document.h"
#include "spec/scalar.h"

#define BOM "\xEF\xBB\xBF"	/* a byte order mark, as editors on Windows write it */
#define MAX_DIRECTIVES 100

/* A list or mapping that is not complete. */
typedef struct OpenNode
{
	uint32_t	node;
	size_t		first_child;	/* among the children */
} OpenNode;

typedef struct Anchor
{
	char	   *name;
	size_t		n_bytes;
	uint32_t	node;
} Anchor;

typedef struct Reader
{
	const Host *host;
	Failure    *why;
	yaml_parser_t parser;
	SpecDocument *document;
	OpenNode	open[SPEC_MAX_DEPTH];
	size_t		n_open;
	uint32_t   *children;		/* of all open nodes, innermost last */
	size_t		n_children;
	size_t		children_capacity;
	Anchor		anchors[SPEC_MAX_ANCHORS];
	size_t		n_anchors;
	size_t		n_values;		/* nodes as written */
} Reader;

/* ------------------------------------------------------------- messages -- */

/* Bytes of a text that a message shows, cut at a character. */
static int
shown(const char *text)
{
	size_t		n = strlen(text);

	if (n <= 64)
		return (int) n;
	n = 64;
	while (n > 0 && ((unsigned char) text[n] & 0xC0) == 0x80)
		n--;
	return (int) n;
}

/* Line and column, as a person counts, of a byte. */
static void
place_of(const char *text, size_t offset, unsigned *line, unsigned *column)
{
	*line = 1;
	*column = 1;
	for (size_t i = 0; i < offset; i++)
	{
		if (text[i] == '\n')
		{
			(*line)++;
			*column = 1;
		}
		else if (((unsigned char) text[i] & 0xC0) != 0x80)
			(*column)++;
	}
}

static unsigned
mark_line(const yaml_mark_t *mark)
{
	return (unsigned) mark->line + 1;
}

static unsigned
mark_column(const yaml_mark_t *mark)
{
	return (unsigned) mark->column + 1;
}

/* True if a tab comes first in a line, but for blanks. */
static bool
begins_with_tab(const char *yaml, size_t n_bytes, unsigned line)
{
	size_t		i = 0;

	for (unsigned at = 1; i < n_bytes && at < line; i++)
		at += yaml[i] == '\n';
	while (i < n_bytes && yaml[i] == ' ')
		i++;
	return i < n_bytes && yaml[i] == '\t';
}

/* libyaml's reason and place for a text that does not parse. */
static Status
refuse_syntax(Reader *r, const char *yaml, size_t n_bytes)
{
	const yaml_parser_t *parser = &r->parser;
	const char *problem = parser->problem != NULL ? parser->problem : "it does not parse";
	unsigned	line;
	unsigned	column;

	if (parser->error == YAML_MEMORY_ERROR)
	{
		fail(r->why, STATUS_NO_MEMORY, "out of memory");
		fail_detail(r->why, "Reading a YAML text of %zu bytes needs more.", n_bytes);
		return STATUS_NO_MEMORY;
	}
	if (parser->error == YAML_READER_ERROR)
	{
		place_of(yaml, parser->problem_offset < n_bytes ? parser->problem_offset : n_bytes, &line,
				 &column);
		fail(r->why, STATUS_SYNTAX, "line %u, column %u: %s", line, column, problem);
		fail_hint(r->why, "Write it as an escape in double quotes, as in \"\\x07\".");
		return STATUS_SYNTAX;
	}
	fail(r->why, STATUS_SYNTAX, "line %u, column %u: %s", mark_line(&parser->problem_mark),
		 mark_column(&parser->problem_mark), problem);
	if (parser->context != NULL)
		fail_detail(r->why, "Found %s, which begins in line %u, column %u.", parser->context,
					mark_line(&parser->context_mark), mark_column(&parser->context_mark));
	if (begins_with_tab(yaml, n_bytes, mark_line(&parser->problem_mark)))
		fail_hint(r->why, "Indent with blanks: YAML does not allow tabs there.");
	else
		fail_hint(r->why, "Look at quotes, colons and indentation there and just before.");
	return STATUS_SYNTAX;
}

static Status CORE_PRINTF(4, 5)
refuse(Reader *r, Status status, const yaml_mark_t *mark, const char *format, ...)
{
	char		text[FAILURE_TEXT_BYTES];
	va_list		args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return fail(r->why, status, "line %u, column %u: %s", mark_line(mark), mark_column(mark), text);
}

/* -------------------------------------------------------------- building -- */

/* A node that an event begins; it is a child of the innermost open one. */
static Status
begin_node(Reader *r, SpecKind kind, const yaml_mark_t *mark, uint32_t *out)
{
	if (++r->n_values > SPEC_MAX_NODES)
	{
		refuse(r, STATUS_LIMIT, mark, "more than %d values", SPEC_MAX_NODES);
		fail_hint(r->why, "A pipeline names its data; it does not hold them.");
		return STATUS_LIMIT;
	}
	return spec_node_new(r->document, kind, mark_line(mark), mark_column(mark), out, r->why);
}

static Status
add_child(Reader *r, uint32_t node)
{
	Status		status;

	if (r->n_open == 0)
	{
		r->document->root = node;
		return STATUS_OK;
	}
	status = memory_grow(r->host, &r->children, &r->children_capacity, r->n_children + 1,
						 sizeof(uint32_t), r->why);
	if (status == STATUS_OK)
		r->children[r->n_children++] = node;
	return status;
}

/* Remember which node an anchor names; an anchor that is given again is another. */
static Status
keep_anchor(Reader *r, const yaml_char_t *name, uint32_t node, const yaml_mark_t *mark)
{
	size_t		n_bytes;
	Status		status;

	if (name == NULL)
		return STATUS_OK;
	for (size_t i = 0; i < r->n_anchors; i++)
		if (strcmp(r->anchors[i].name, (const char *) name) == 0)
		{
			r->anchors[i].node = node;
			return STATUS_OK;
		}
	if (r->n_anchors == SPEC_MAX_ANCHORS)
		return refuse(r, STATUS_LIMIT, mark, "more than %d anchors", SPEC_MAX_ANCHORS);
	n_bytes = strlen((const char *) name) + 1;
	status = memory_new_raw(r->host, n_bytes, 1, &r->anchors[r->n_anchors].name, r->why);
	if (status != STATUS_OK)
		return status;
	memcpy(r->anchors[r->n_anchors].name, name, n_bytes);
	r->anchors[r->n_anchors].n_bytes = n_bytes;
	r->anchors[r->n_anchors].node = node;
	r->n_anchors++;
	return STATUS_OK;
}

static bool
is_open(const Reader *r, uint32_t node)
{
	for (size_t i = 0; i < r->n_open; i++)
		if (r->open[i].node == node)
			return true;
	return false;
}

static Status
add_alias(Reader *r, const yaml_event_t *event)
{
	const char *name = (const char *) event->data.alias.anchor;

	for (size_t i = 0; i < r->n_anchors; i++)
	{
		if (strcmp(r->anchors[i].name, name) != 0)
			continue;
		if (is_open(r, r->anchors[i].node))
			return refuse(r, STATUS_SYNTAX, &event->start_mark,
						  "alias \"*%.*s\" stands inside of what it names", shown(name), name);
		if (++r->n_values > SPEC_MAX_NODES)
			return refuse(r, STATUS_LIMIT, &event->start_mark, "more than %d values",
						  SPEC_MAX_NODES);
		return add_child(r, r->anchors[i].node);
	}
	refuse(r, STATUS_SYNTAX, &event->start_mark, "alias \"*%.*s\" names nothing", shown(name),
		   name);
	fail_hint(r->why, "Put the anchor \"&%.*s\" in front of the value that is meant, further up; "
			  "a text that begins with * needs quotes.", shown(name), name);
	return STATUS_SYNTAX;
}

static Status
refuse_tag(Reader *r, const yaml_event_t *event, const char *tag)
{
	refuse(r, STATUS_SYNTAX, &event->start_mark, "tag \"%.*s\" is not known", shown(tag), tag);
	fail_hint(r->why, "Leave tags out; a text that begins with ! needs quotes.");
	return STATUS_SYNTAX;
}

/* The kind that a tag of the core schema gives; false for any other tag. */
static bool
kind_of_tag(const char *tag, SpecKind *kind)
{
	static const struct
	{
		const char *tag;
		SpecKind	kind;
	}			tags[] = {
		{YAML_NULL_TAG, SPEC_NULL}, {YAML_BOOL_TAG, SPEC_BOOLEAN}, {YAML_INT_TAG, SPEC_INTEGER},
		{YAML_FLOAT_TAG, SPEC_FLOAT}, {YAML_STR_TAG, SPEC_TEXT}, {"!", SPEC_TEXT},
		{YAML_SEQ_TAG, SPEC_LIST}, {YAML_MAP_TAG, SPEC_MAP},
	};

	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
		if (strcmp(tags[i].tag, tag) == 0)
		{
			*kind = tags[i].kind;
			return true;
		}
	return false;
}

/* What the scalar of an event is: by its tag, its quotes, or its text. */
static Status
resolve(Reader *r, const yaml_event_t *event, SpecNode *node)
{
	const char *text = (const char *) event->data.scalar.value;
	const char *tag = (const char *) event->data.scalar.tag;
	bool		plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	SpecScalar	scalar = {.kind = SPEC_TEXT};
	SpecKind	wanted;

	node->quoted = !plain;
	if (strlen(text) != event->data.scalar.length)
		return refuse(r, STATUS_SYNTAX, &event->start_mark, "a text holds the character U+0000");
	if (tag != NULL && !kind_of_tag(tag, &wanted))
		return refuse_tag(r, event, tag);
	if (tag != NULL ? wanted != SPEC_TEXT : plain)
		scalar = spec_resolve(text);
	if (tag != NULL && scalar.kind == SPEC_INTEGER && wanted == SPEC_FLOAT)
		scalar.kind = SPEC_FLOAT;
	if (tag != NULL && scalar.kind != wanted)
		return refuse(r, STATUS_SYNTAX, &event->start_mark, "tag \"%.*s\" does not fit \"%.*s\"",
					  shown(tag), tag, shown(text), text);
	if (scalar.kind == SPEC_INTEGER && spec_is_ambiguous(text))
	{
		refuse(r, STATUS_INVALID_DATA, &event->start_mark, "the number %s begins with 0", text);
		fail_detail(r->why, "YAML 1.1 reads it as octal, YAML 1.2 as decimal.");
		fail_hint(r->why, "Leave the 0 out, write 0o in front of an octal number, or put a text in "
				  "quotes.");
		return STATUS_INVALID_DATA;
	}
	node->kind = scalar.kind;
	node->boolean = scalar.boolean;
	node->number = scalar.number;
	return STATUS_OK;
}

static Status
add_scalar(Reader *r, const yaml_event_t *event)
{
	uint32_t	node;
	Status		status = begin_node(r, SPEC_TEXT, &event->start_mark, &node);

	if (status == STATUS_OK)
		status = resolve(r, event, &r->document->nodes[node]);
	if (status == STATUS_OK)
		status = spec_node_text(r->document, node, (const char *) event->data.scalar.value,
								event->data.scalar.length, r->why);
	if (status == STATUS_OK)
		status = keep_anchor(r, event->data.scalar.anchor, node, &event->start_mark);
	if (status == STATUS_OK)
		status = add_child(r, node);
	return status;
}

static Status
open_node(Reader *r, const yaml_event_t *event, SpecKind kind, const yaml_char_t *anchor,
		  const yaml_char_t *tag)
{
	SpecKind	wanted;
	uint32_t	node;
	Status		status;

	if (r->n_open == SPEC_MAX_DEPTH)
		return refuse(r, STATUS_LIMIT, &event->start_mark, "more than %d levels", SPEC_MAX_DEPTH);
	if (tag != NULL && strcmp((const char *) tag, "!") != 0 &&
		(!kind_of_tag((const char *) tag, &wanted) || wanted != kind))
		return refuse_tag(r, event, (const char *) tag);
	status = begin_node(r, kind, &event->start_mark, &node);
	if (status == STATUS_OK)
		status = keep_anchor(r, anchor, node, &event->start_mark);
	if (status == STATUS_OK)
		status = add_child(r, node);
	if (status != STATUS_OK)
		return status;
	r->open[r->n_open++] = (OpenNode) {.node = node, .first_child = r->n_children};
	return STATUS_OK;
}

/* -------------------------------------------------------------- mappings -- */

static Status CORE_PRINTF(4, 5)
refuse_node(Reader *r, Status status, uint32_t node, const char *format, ...)
{
	const SpecNode *at = &r->document->nodes[node];
	char		text[FAILURE_TEXT_BYTES];
	va_list		args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return fail(r->why, status, "line %u, column %u: %s", at->line, at->column, text);
}

/* The position of a key among n children, or n. */
static size_t
find_key(const Reader *r, const uint32_t *children, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i += 2)
		if (strcmp(spec_text(r->document, children[i]), key) == 0)
			return i;
	return n;
}

static bool
is_merge(const Reader *r, uint32_t key)
{
	const SpecNode *node = &r->document->nodes[key];

	return !node->quoted && strcmp(spec_text(r->document, key), "<<") == 0;
}

static Status
check_keys(Reader *r, const uint32_t *children, size_t n)
{
	for (size_t i = 0; i < n; i += 2)
	{
		const SpecNode *key = &r->document->nodes[children[i]];
		const char *text;
		size_t		before;

		if (key->kind == SPEC_LIST || key->kind == SPEC_MAP)
			return refuse_node(r, STATUS_SYNTAX, children[i], "a key is %s",
							   key->kind == SPEC_LIST ? "a list" : "a mapping");
		text = spec_text(r->document, children[i]);
		/* a key that is written null is a name as any other */
		if (key->kind == SPEC_NULL && (*text == '\0' || *text == '~'))
			return refuse_node(r, STATUS_SYNTAX, children[i], "a key is empty");
		before = find_key(r, children, i, text);
		if (before < i)
		{
			const SpecNode *first = &r->document->nodes[children[before]];

			refuse_node(r, STATUS_SYNTAX, children[i], "key \"%.*s\" is given twice", shown(text),
						text);
			fail_detail(r->why, "It was given before in line %u, column %u.", first->line,
						first->column);
			return STATUS_SYNTAX;
		}
	}
	return STATUS_OK;
}

/* Add the pairs of a mapping whose keys are not there yet. */
static Status
merge_mapping(Reader *r, size_t first, uint32_t key, uint32_t from)
{
	Status		status = STATUS_OK;

	if (r->document->nodes[from].kind != SPEC_MAP)
	{
		refuse_node(r, STATUS_SYNTAX, key, "key \"<<\" merges what is no mapping");
		fail_hint(r->why, "Write << : *name, where &name marks a mapping, or a list of such.");
		return STATUS_SYNTAX;
	}
	for (uint32_t i = 0; i < r->document->nodes[from].n && status == STATUS_OK; i++)
	{
		uint32_t	other = spec_pair_key(r->document, from, i);
		size_t		n = r->n_children - first;

		if (find_key(r, r->children + first, n, spec_text(r->document, other)) < n)
			continue;
		if (++r->n_values > SPEC_MAX_NODES)
			return refuse_node(r, STATUS_LIMIT, key, "more than %d values", SPEC_MAX_NODES);
		status = add_child(r, other);
		if (status == STATUS_OK)
			status = add_child(r, spec_pair_value(r->document, from, i));
	}
	return status;
}

/* Replace the key "<<" of the innermost mapping by the pairs that it stands for. */
static Status
merge(Reader *r, size_t first)
{
	Status		status = STATUS_OK;

	for (size_t i = first; i < r->n_children; i += 2)
	{
		uint32_t	key = r->children[i];
		uint32_t	from = r->children[i + 1];

		if (!is_merge(r, key))
			continue;
		memmove(r->children + i, r->children + i + 2,
				(r->n_children - i - 2) * sizeof(uint32_t));
		r->n_children -= 2;
		if (r->document->nodes[from].kind != SPEC_LIST)
			return merge_mapping(r, first, key, from);
		for (uint32_t k = 0; k < r->document->nodes[from].n && status == STATUS_OK; k++)
			status = merge_mapping(r, first, key, spec_item(r->document, from, k));
		return status;
	}
	return STATUS_OK;
}

static Status
close_node(Reader *r)
{
	OpenNode	open = r->open[r->n_open - 1];
	bool		is_map = r->document->nodes[open.node].kind == SPEC_MAP;
	Status		status = STATUS_OK;
	const SpecNode *node;

	if (is_map)
		status = check_keys(r, r->children + open.first_child, r->n_children - open.first_child);
	if (status == STATUS_OK && is_map)
		status = merge(r, open.first_child);
	if (status == STATUS_OK)
		status = spec_node_children(r->document, open.node, r->children + open.first_child,
									r->n_children - open.first_child, r->why);
	if (status != STATUS_OK)
		return status;
	r->n_children = open.first_child;
	r->n_open--;
	node = &r->document->nodes[open.node];
	if (node->n_nodes > SPEC_MAX_NODES)
	{
		refuse_node(r, STATUS_LIMIT, open.node, "more than %d values once aliases are expanded",
					SPEC_MAX_NODES);
		return STATUS_LIMIT;
	}
	if (node->height + r->n_open > SPEC_MAX_DEPTH)
		return refuse_node(r, STATUS_LIMIT, open.node, "more than %d levels", SPEC_MAX_DEPTH);
	return STATUS_OK;
}

/* ---------------------------------------------------------------- events -- */

static Status
take_event(Reader *r, const yaml_event_t *event)
{
	switch (event->type)
	{
		case YAML_DOCUMENT_START_EVENT:
			if (r->document->root == SPEC_NONE)
				return STATUS_OK;
			refuse(r, STATUS_SYNTAX, &event->start_mark, "a second document begins");
			fail_hint(r->why, "Write one pipeline a text, without --- between.");
			return STATUS_SYNTAX;
		case YAML_ALIAS_EVENT:
			return add_alias(r, event);
		case YAML_SCALAR_EVENT:
			return add_scalar(r, event);
		case YAML_SEQUENCE_START_EVENT:
			return open_node(r, event, SPEC_LIST, event->data.sequence_start.anchor,
							 event->data.sequence_start.tag);
		case YAML_MAPPING_START_EVENT:
			return open_node(r, event, SPEC_MAP, event->data.mapping_start.anchor,
							 event->data.mapping_start.tag);
		case YAML_SEQUENCE_END_EVENT:
		case YAML_MAPPING_END_EVENT:
			return close_node(r);
		default:
			return STATUS_OK;
	}
}

static Status
take_events(Reader *r, const char *yaml, size_t n_bytes)
{
	bool		ended = false;

	while (!ended)
	{
		yaml_event_t event;
		Status		status = host_poll(r->host, r->why);

		if (status != STATUS_OK)
			return status;
		if (!yaml_parser_parse(&r->parser, &event))
			return refuse_syntax(r, yaml, n_bytes);
		ended = event.type == YAML_STREAM_END_EVENT || event.type == YAML_NO_EVENT;
		status = take_event(r, &event);
		yaml_event_delete(&event);
		if (status != STATUS_OK)
			return status;
	}
	if (r->document->root == SPEC_NONE)
	{
		fail(r->why, STATUS_SYNTAX, "line 1, column 1: the text is empty");
		return STATUS_SYNTAX;
	}
	return STATUS_OK;
}

/* Lines that begin with %, which at the beginning of a text are directives. */
static size_t
count_directives(const char *yaml, size_t n_bytes)
{
	size_t		n = 0;

	for (size_t i = 0; i < n_bytes; i++)
		n += yaml[i] == '%' && (i == 0 || yaml[i - 1] == '\n' || yaml[i - 1] == '\r');
	return n;
}

static Status
check_bytes(const char *yaml, size_t n_bytes, Failure *why)
{
	size_t		good = 0;
	unsigned	line;
	unsigned	column;

	if (n_bytes > SPEC_MAX_BYTES)
	{
		fail(why, STATUS_LIMIT, "a YAML text of %zu bytes is too long", n_bytes);
		fail_detail(why, "At most %zu bytes are read.", SPEC_MAX_BYTES);
		return STATUS_LIMIT;
	}
	/* libyaml compares each directive with all others, and cannot be stopped meanwhile */
	if (count_directives(yaml, n_bytes) > MAX_DIRECTIVES)
		return fail(why, STATUS_LIMIT, "line 1, column 1: more than %d lines begin with %%",
					MAX_DIRECTIVES);
	if (bytes_is_utf8(yaml, n_bytes))
		return STATUS_OK;
	while (good < n_bytes)
	{
		unsigned char lead = (unsigned char) yaml[good];
		size_t		length = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;

		if (length > n_bytes - good || !bytes_is_utf8(yaml + good, length))
			break;
		good += length;
	}
	place_of(yaml, good, &line, &column);
	fail(why, STATUS_INVALID_DATA, "line %u, column %u: the text is not UTF-8", line, column);
	fail_hint(why, "Save the file as UTF-8.");
	return STATUS_INVALID_DATA;
}

static void
reader_end(Reader *r)
{
	yaml_parser_delete(&r->parser);
	memory_free(r->host, r->children, r->children_capacity, sizeof(uint32_t));
	for (size_t i = 0; i < r->n_anchors; i++)
		memory_free(r->host, r->anchors[i].name, r->anchors[i].n_bytes, 1);
	memory_free(r->host, r, 1, sizeof(Reader));
}

Status
spec_read(const Host *host, const char *yaml, size_t n_bytes, SpecDocument **out, Failure *why)
{
	Reader	   *r;
	Status		status = check_bytes(yaml, n_bytes, why);

	/* libyaml would count it as a column: the first key would be further in than the next. */
	if (n_bytes >= strlen(BOM) && memcmp(yaml, BOM, strlen(BOM)) == 0)
	{
		yaml += strlen(BOM);
		n_bytes -= strlen(BOM);
	}
	*out = NULL;
	if (status != STATUS_OK)
		return status;
	status = memory_new(host, 1, sizeof(Reader), &r, why);
	if (status != STATUS_OK)
		return status;
	r->host = host;
	r->why = why;
	status = spec_document_new(host, &r->document, why);
	if (status == STATUS_OK)
		status = memory_grow(host, &r->children, &r->children_capacity, 16, sizeof(uint32_t), why);
	if (status == STATUS_OK && !yaml_parser_initialize(&r->parser))
		status = fail(why, STATUS_NO_MEMORY, "out of memory");
	if (status == STATUS_OK)
	{
		yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
		yaml_parser_set_input_string(&r->parser, (const unsigned char *) yaml, n_bytes);
		status = take_events(r, yaml, n_bytes);
	}
	if (status == STATUS_OK)
		*out = r->document;
	else
		spec_document_free(r->document);
	reader_end(r);
	return status;
}
