/*
 * test_yaml.c
 *	  From YAML to a tree: places, limits, aliases, merges, what is refused.
 */
#include <stdlib.h>

#include "spec/spec.h"
#include "tap.h"
#include "test_host.h"

/* A text under test; NULL where it was refused, with why. */
typedef struct Read
{
	TestHost	t;
	SpecDocument *document;
	Status		status;
	Failure		why;
} Read;

static void
read_bytes(Read *r, const char *yaml, size_t n_bytes)
{
	memset(&r->why, 0, sizeof(r->why));
	test_host_begin(&r->t);
	r->status = spec_read(&r->t.host, yaml, n_bytes, &r->document, &r->why);
}

static void
read_text(Read *r, const char *yaml)
{
	read_bytes(r, yaml, strlen(yaml));
}

static bool
end_read(Read *r)
{
	spec_document_free(r->document);
	return test_host_end(&r->t);
}

/* A text has to be refused so. */
static void
refuses(const char *yaml, size_t n_bytes, Status status, const char *text, const char *name)
{
	Read		r;

	read_bytes(&r, yaml, n_bytes);
	tap_is_int(r.status, status, "%s: status", name);
	tap_is_text(r.why.text, text, "%s", name);
	tap_ok(r.document == NULL && end_read(&r), "%s: nothing is left", name);
}

static void
test_tree(void)
{
	Read		r;
	const SpecDocument *d;
	uint32_t	node;

	read_text(&r, "a: 1\nbä: [x, \"1\", {c: ~}]\n");
	d = r.document;
	tap_ok(d != NULL && d->nodes[d->root].kind == SPEC_MAP && d->nodes[d->root].n == 2, "root");
	node = spec_get(d, d->root, "a");
	tap_ok(d->nodes[node].kind == SPEC_INTEGER && d->nodes[node].number == 1, "an integer");
	tap_ok(d->nodes[node].line == 1 && d->nodes[node].column == 4, "and its place");
	node = spec_get(d, d->root, "bä");
	tap_ok(d->nodes[node].kind == SPEC_LIST && d->nodes[node].n == 3 &&
		   d->nodes[node].column == 5 && d->nodes[node].line == 2, "columns are characters");
	tap_is_int(d->nodes[node].n_nodes, 6, "size of a list");
	tap_is_int(d->nodes[node].height, 2, "height of a list");
	tap_ok(d->nodes[spec_item(d, node, 1)].quoted &&
		   d->nodes[spec_item(d, node, 1)].kind == SPEC_TEXT, "quoted is a text");
	tap_is_text(spec_text(d, spec_pair_key(d, spec_item(d, node, 2), 0)), "c", "a key");
	tap_is_int(d->nodes[spec_get(d, spec_item(d, node, 2), "c")].kind, SPEC_NULL, "a null");
	tap_is_int(spec_get(d, node, "x"), SPEC_NONE, "no key of a list");
	tap_is_int(spec_get(d, SPEC_NONE, "x"), SPEC_NONE, "nor of nothing");
	tap_ok(end_read(&r), "freed");

	read_text(&r, "\xEF\xBB\xBFmodel: churn");
	tap_ok(r.status == STATUS_OK && spec_get(r.document, r.document->root, "model") != SPEC_NONE,
		   "a byte order mark");
	tap_ok(end_read(&r), "freed");

	read_text(&r, "a: !!str 12\nb: ! x\nc: !!float 1\nd: !!map {}\ne: !!seq []\nf: !!null ''\n"
			  "g: !!bool 'true'\nh: !!int '7'\n");
	d = r.document;
	tap_is_int(r.status, STATUS_OK, "tags of the core schema");
	tap_is_int(d->nodes[spec_get(d, d->root, "a")].kind, SPEC_TEXT, "!!str");
	tap_is_int(d->nodes[spec_get(d, d->root, "b")].kind, SPEC_TEXT, "!");
	tap_is_int(d->nodes[spec_get(d, d->root, "c")].kind, SPEC_FLOAT, "!!float");
	tap_is_int(d->nodes[spec_get(d, d->root, "f")].kind, SPEC_NULL, "!!null");
	tap_is_int(d->nodes[spec_get(d, d->root, "g")].kind, SPEC_BOOLEAN, "!!bool");
	tap_is_int(d->nodes[spec_get(d, d->root, "h")].kind, SPEC_INTEGER, "!!int");
	tap_ok(end_read(&r), "freed");
}

static void
test_aliases(void)
{
	Read		r;
	const SpecDocument *d;

	read_text(&r, "a: &x [1, 2]\nb: *x\nc: &x 5\nd: *x\n");
	d = r.document;
	tap_ok(spec_get(d, d->root, "a") == spec_get(d, d->root, "b"), "an alias is its node");
	tap_is_int(d->nodes[spec_get(d, d->root, "d")].kind, SPEC_INTEGER, "the latest anchor counts");
	tap_is_int(d->nodes[d->root].n_nodes, 13, "aliases count as what they stand for");
	tap_ok(end_read(&r), "freed");

	read_text(&r, "a: &x {p: 1, q: 2}\nb: &y {q: 3, r: 4}\nc:\n  q: 5\n  <<: [*x, *y]\n  s: 6\n");
	d = r.document;
	if (r.document != NULL)
	{
		uint32_t	c = spec_get(d, d->root, "c");

		tap_is_int(d->nodes[c].n, 4, "merged");
		tap_is_int(d->nodes[spec_get(d, c, "q")].number, 5, "what is there wins");
		tap_is_int(d->nodes[spec_get(d, c, "p")].number, 1, "the first comes");
		tap_is_int(d->nodes[spec_get(d, c, "r")].number, 4, "and the second");
		tap_is_int(spec_get(d, c, "<<"), SPEC_NONE, "the key is gone");
	}
	tap_ok(r.status == STATUS_OK && end_read(&r), "freed");

	read_text(&r, "\"<<\": 1\n");
	tap_ok(r.status == STATUS_OK && spec_get(r.document, r.document->root, "<<") != SPEC_NONE,
		   "a quoted << is a key");
	tap_ok(end_read(&r), "freed");
	refuses("a: 1\n<<: [1]\n", 12, STATUS_SYNTAX,
			"line 2, column 1: key \"<<\" merges what is no mapping", "a list of no mappings");
	refuses("a: &x {b: *x}", 13, STATUS_SYNTAX,
			"line 1, column 11: alias \"*x\" stands inside of what it names", "a cycle");
}

/* `n` times a text, then another. */
static char *
repeated(const char *before, const char *text, size_t n, const char *behind, size_t *n_bytes)
{
	size_t		n_text = strlen(text);
	size_t		n_before = strlen(before);
	char	   *all = malloc(n_before + n * n_text + strlen(behind) + 1);

	memcpy(all, before, n_before);
	for (size_t i = 0; i < n; i++)
		memcpy(all + n_before + i * n_text, text, n_text);
	strcpy(all + n_before + n * n_text, behind);
	*n_bytes = strlen(all);
	return all;
}

static void
test_limits(void)
{
	Read		r;
	size_t		n;
	char	   *text;
	char		anchors[8192] = "[";

	text = repeated("a: ", "x", SPEC_MAX_BYTES - 3, "", &n);
	read_bytes(&r, text, n);
	tap_is_int(r.status, STATUS_OK, "1 MB");
	tap_ok(end_read(&r), "freed");
	free(text);
	text = repeated("a: ", "x", SPEC_MAX_BYTES - 2, "", &n);
	refuses(text, n, STATUS_LIMIT, "a YAML text of 1048577 bytes is too long", "a byte more");
	free(text);

	text = repeated("[", "1,", SPEC_MAX_NODES - 1, "]", &n);
	read_bytes(&r, text, n);
	tap_is_int(r.status, STATUS_OK, "20,000 values");
	tap_ok(end_read(&r), "freed");
	free(text);
	text = repeated("[", "1,", SPEC_MAX_NODES, "]", &n);
	refuses(text, n, STATUS_LIMIT, "line 1, column 40000: more than 20000 values", "one more");
	free(text);

	text = repeated("", "- ", SPEC_MAX_DEPTH, "x", &n);
	read_bytes(&r, text, n);
	tap_is_int(r.status, STATUS_OK, "32 levels");
	tap_ok(end_read(&r), "freed");
	free(text);
	text = repeated("", "- ", SPEC_MAX_DEPTH + 1, "x", &n);
	refuses(text, n, STATUS_LIMIT, "line 1, column 65: more than 32 levels", "a level more");
	free(text);
	refuses("a: &a [[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]\n"
			"b: &b [[[[[[[[[[[[[[[[[*a]]]]]]]]]]]]]]]]]\n", 91, STATUS_LIMIT,
			"line 2, column 23: more than 32 levels", "levels by an alias");

	text = repeated("", "%TAG !a! b\n", 101, "", &n);
	refuses(text, n, STATUS_LIMIT, "line 1, column 1: more than 100 lines begin with %",
			"directives");
	free(text);

	for (int i = 0; i <= SPEC_MAX_ANCHORS; i++)
		sprintf(anchors + strlen(anchors), "&a%d x, ", i);
	refuses(anchors, strlen(anchors), STATUS_LIMIT, "line 1, column 2196: more than 256 anchors",
			"anchors");

	/* doubled again and again: 2^40 values in 400 bytes */
	text = calloc(1, 4096);
	strcpy(text, "a0: &a0 [x, x]\n");
	for (int i = 1; i < 20; i++)
		sprintf(text + strlen(text), "a%d: &a%d [*a%d, *a%d]\n", i, i, i - 1, i - 1);
	refuses(text, strlen(text), STATUS_LIMIT,
			"line 14, column 6: more than 20000 values once aliases are expanded",
			"a billion laughs");
	free(text);
}

static void
test_bytes(void)
{
	refuses("a: \xFF", 4, STATUS_INVALID_DATA, "line 1, column 4: the text is not UTF-8",
			"a byte that is no UTF-8");
	refuses("\xC3\xA4: x\nb: \xC3", 10, STATUS_INVALID_DATA,
			"line 2, column 4: the text is not UTF-8", "half a character");
	refuses("a: b\0c", 6, STATUS_INVALID_DATA, "line 1, column 5: the text is not UTF-8", "a NUL");
	refuses("\xFF\xFE" "a\0", 4, STATUS_INVALID_DATA, "line 1, column 1: the text is not UTF-8",
			"UTF-16");
	refuses("a: \"\x07\"", 6, STATUS_SYNTAX, "line 1, column 5: control characters are not allowed",
			"a control character");
	refuses("", 0, STATUS_SYNTAX, "line 1, column 1: the text is empty", "nothing");
	refuses("---\n...\n---\na: 1\n", 17, STATUS_SYNTAX, "line 3, column 1: a second document begins",
			"two documents");
}

static Status
read_and_free(const Host *host, void *arg, Failure *why)
{
	const char *yaml = arg;
	SpecDocument *document;
	Status		status = spec_read(host, yaml, strlen(yaml), &document, why);

	spec_document_free(document);
	return status;
}

int
main(void)
{
	static char all[] = "a: &x {b: [1, 2.5, true, ~, \"text\"]}\nc:\n  <<: *x\n  d: *x\n";

	test_tree();
	test_aliases();
	test_limits();
	test_bytes();
	tap_ok(test_sweep(read_and_free, all, 8, 15), "survives refusal and cancel");
	return tap_done();
}
