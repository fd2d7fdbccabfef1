/*
 * short.c
 *	  The short form of a pipeline, turned into the full one.
 *
 * The nodes that are made stand where the keys of the short form do, so what
 * is said about them later names the right line.
 */
#include <string.h>

#include "spec/check.h"

#define SUFFIX "_threshold"
#define MAX_PAIRS 64			/* of the table's mapping, and thresholds */

/* A mapping that is made. */
typedef struct Made
{
	uint32_t	children[2 * MAX_PAIRS];
	size_t		n;
} Made;

static void
make_node(Checker *c, SpecKind kind, uint32_t at, uint32_t *out)
{
	const SpecNode place = c->document->nodes[at];

	*out = SPEC_NONE;
	if (c->status == STATUS_OK)
		c->status = spec_node_new(c->document, kind, place.line, place.column, out, c->why);
}

/* Add a pair whose key is made at the place of another. */
static void
add_pair(Checker *c, Made *made, const char *key, size_t n_bytes, uint32_t at, uint32_t value)
{
	uint32_t	node;

	make_node(c, SPEC_TEXT, at, &node);
	if (c->status == STATUS_OK)
		c->status = spec_node_text(c->document, node, key, n_bytes, c->why);
	if (c->status != STATUS_OK || made->n == 2 * MAX_PAIRS)
		return;
	made->children[made->n++] = node;
	made->children[made->n++] = value;
}

static uint32_t
make_map(Checker *c, uint32_t at, const Made *made)
{
	uint32_t	node;

	make_node(c, SPEC_MAP, at, &node);
	if (c->status == STATUS_OK)
		c->status = spec_node_children(c->document, node, made->children, made->n, c->why);
	return node;
}

/* {key: value} */
static uint32_t
make_pair(Checker *c, const char *key, uint32_t at, uint32_t value)
{
	Made		made = {.n = 0};

	add_pair(c, &made, key, strlen(key), at, value);
	return make_map(c, at, &made);
}

static void
refuse_threshold(Checker *c, uint32_t key_node, const char *name, size_t n_name)
{
	const char *key = spec_text(c->document, key_node);
	Failure		why;

	if (name == NULL)
	{
		fail(&why, STATUS_INVALID_PARAMETER, "unknown key \"%.*s\" in evaluation_metrics",
			 spec_shown(key), key);
		fail_detail(&why, "A key is the name of a metric and %s, as in accuracy%s.", SUFFIX,
					SUFFIX);
	}
	else
	{
		fail(&why, STATUS_INVALID_PARAMETER,
			 "\"%s\" would pass when the metric is greater, but less is better", key);
		fail_hint(&why, "Write the bound as evaluation: {gates: {absolute: {%.*s: {max: …}}}}.",
				  (int) n_name, name);
	}
	spec_problem_add(c->problems, c->document, key_node, &why);
}

/* Add "accuracy: {above: 0.85}" for "accuracy_threshold: 0.85". */
static void
add_threshold(Checker *c, Made *absolute, uint32_t key_node, uint32_t value)
{
	size_t		n_key = c->document->nodes[key_node].n_bytes;
	size_t		n_suffix = strlen(SUFFIX);
	char		name[64];
	const SpecName *metric;

	if (n_key <= n_suffix || n_key - n_suffix >= sizeof(name) ||
		strcmp(spec_text(c->document, key_node) + n_key - n_suffix, SUFFIX) != 0)
	{
		refuse_threshold(c, key_node, NULL, 0);
		return;
	}
	memcpy(name, spec_text(c->document, key_node), n_key - n_suffix);
	name[n_key - n_suffix] = '\0';
	metric = spec_find_name(c, SPEC_METRICS, name);
	if (metric != NULL && metric->falls)
		refuse_threshold(c, key_node, name, n_key - n_suffix);
	else
		add_pair(c, absolute, name, strlen(name), key_node,
				 make_pair(c, "above", key_node, value));
}

static uint32_t
make_evaluation(Checker *c, uint32_t at, uint32_t metrics)
{
	Made		absolute = {.n = 0};

	if (c->document->nodes[metrics].n > MAX_PAIRS)
	{
		Failure		why;

		fail(&why, STATUS_INVALID_PARAMETER, "evaluation_metrics has more than %d thresholds",
			 MAX_PAIRS);
		spec_problem_add(c->problems, c->document, at, &why);
		return metrics;
	}
	for (uint32_t i = 0; i < c->document->nodes[metrics].n && c->status == STATUS_OK; i++)
		add_threshold(c, &absolute, spec_pair_key(c->document, metrics, i),
					  spec_pair_value(c->document, metrics, i));
	return make_pair(c, "gates", at,
					 make_pair(c, "absolute", at, make_map(c, at, &absolute)));
}

/* Check the values of the keys of the short form, writing nothing; true if there are any. */
static bool
check_short(Checker *c)
{
	bool		any = false;

	for (const SpecKey *key = spec_table()->keys; key->name != NULL; key++)
	{
		uint32_t	at;
		uint32_t	value;
		size_t		back;

		if ((key->flags & KEY_SHORT) == 0)
			continue;
		value = spec_find_pair(c->document, c->document->root, key->name, strlen(key->name), &at);
		if (value == SPEC_NONE)
			continue;
		any = true;
		back = spec_path_key(c, key->name);
		spec_put_value(c, key, value);
		spec_path_back(c, back);
		c->out.n_bytes = 0;
	}
	return any;
}

/* The value of a key of the short form, and its key; SPEC_NONE if it is not given. */
static uint32_t
find_short(const Checker *c, const char *key, uint32_t *at)
{
	return spec_find_pair(c->document, c->document->root, key, strlen(key), at);
}

static void
add_output(Checker *c, Made *root)
{
	Made		output = {.n = 0};
	uint32_t	at_path = SPEC_NONE;
	uint32_t	at_alias = SPEC_NONE;
	uint32_t	path = find_short(c, "model_output_path", &at_path);
	uint32_t	alias = find_short(c, "model_version", &at_alias);
	uint32_t	at = path != SPEC_NONE ? at_path : at_alias;

	if (path != SPEC_NONE)
		add_pair(c, &output, "path", strlen("path"), at_path, path);
	if (alias != SPEC_NONE)
		add_pair(c, &output, "alias", strlen("alias"), at_alias, alias);
	if (output.n > 0)
		add_pair(c, root, "output", strlen("output"), at, make_map(c, at, &output));
}

void
spec_expand_short(Checker *c)
{
	uint32_t	old = c->document->root;
	Made		root = {.n = 0};
	uint32_t	at;
	uint32_t	value;

	/* with a problem it may not be what it seems, and nobody will see the result */
	if (c->problems->n > 0 || !check_short(c))
		return;
	if (c->problems->n > 0)
	{
		/* what is not expanded is checked as it is, and they are found again */
		c->problems->n = c->problems->n_all = 0;
		return;
	}
	for (uint32_t i = 0; i < c->document->nodes[old].n && root.n < 2 * MAX_PAIRS; i++)
	{
		uint32_t	key = spec_pair_key(c->document, old, i);
		const SpecKey *row = spec_find_key(spec_table(), spec_text(c->document, key));

		if (row == NULL || (row->flags & KEY_SHORT) != 0)
			continue;
		root.children[root.n++] = key;
		root.children[root.n++] = spec_pair_value(c->document, old, i);
	}
	value = find_short(c, "data_path", &at);
	if (value != SPEC_NONE)
		add_pair(c, &root, "data", strlen("data"), at, make_pair(c, "file", at, value));
	value = find_short(c, "evaluation_metrics", &at);
	if (value != SPEC_NONE)
		add_pair(c, &root, "evaluation", strlen("evaluation"), at,
				 make_evaluation(c, at, value));
	add_output(c, &root);
	at = make_map(c, old, &root);
	if (c->status == STATUS_OK && c->problems->n == 0)
		c->document->root = at;
}
