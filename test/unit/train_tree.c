/*
 * train_tree.c
 *	  Trees read from their bytes, after the words of tree.h alone.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train_fixture.h"

#include "forest/tree.h"

typedef struct Reader
{
	const uint8_t *bytes;
	size_t		n_bytes;
	size_t		at;				/* of the words */
	size_t		values;			/* where they begin, and where the next are */
	size_t		next_value;
	Tree	   *tree;
	uint32_t	n_nodes;		/* read so far */
} Reader;

static void
malformed(const char *what)
{
	printf("Bail out! tree: %s\n", what);
	fflush(stdout);
	abort();
}

/* A little-endian number of n bytes at an offset, which moves behind it. */
static uint64_t
get(Reader *r, size_t *at, size_t n)
{
	uint64_t	value = 0;

	if (*at > r->n_bytes || r->n_bytes - *at < n)
		malformed("cut off");
	for (size_t i = 0; i < n; i++)
		value |= (uint64_t) r->bytes[(*at)++] << (8 * i);
	return value;
}

static double
get_double(Reader *r)
{
	uint64_t	bits = get(r, &r->at, 8);
	double		value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

static uint64_t
get_varint(Reader *r)
{
	uint64_t	value = 0;

	for (int shift = 0; shift < 64; shift += 7)
	{
		uint64_t	byte = get(r, &r->at, 1);

		value |= (byte & 0x7F) << shift;
		if (byte < 0x80)
			return value;
	}
	malformed("varint without end");
	return 0;
}

static void
read_leaf(Reader *r, TreeNode *node, uint32_t value)
{
	const ForestSchema *schema = r->tree->schema;
	uint32_t	n = schema->n_classes;

	r->tree->n_leaves++;
	node->pure = n == 2 ? value == 0 || value == TREE_ONE : value < n;
	if (n == 2)
	{
		node->value[1] = (double) value / TREE_ONE;
		node->value[0] = 1 - node->value[1];
		return;
	}
	if (node->pure)
	{
		node->value[value] = 1;
		return;
	}
	if (r->values + (size_t) (value - n) * (n == 0 ? 8 : 4 * n) != r->next_value)
		malformed("values out of order");
	if (n == 0)
		node->value[0] = schema->target_offset +
			ldexp((double) (int64_t) get(r, &r->next_value, 8), -schema->target_shift);
	for (uint32_t k = 0; k < n; k++)
		node->value[k] = (double) get(r, &r->next_value, 4) / TREE_ONE;
}

/* Returns how many words the near child takes. */
static uint32_t
read_split(Reader *r, TreeNode *node, uint32_t word)
{
	const ForestFeature *feature;
	uint32_t	skip = word >> TREE_SKIP_SHIFT;

	node->feature = word >> TREE_FEATURE_SHIFT & TREE_FEATURE;
	if (node->feature >= r->tree->schema->n_features)
		malformed("a split by no feature");
	feature = &r->tree->schema->features[node->feature];
	node->category = feature->kind == FOREST_CATEGORY;
	node->near_right = (word & TREE_NEAR_RIGHT) != 0;
	node->missing_left = (word & TREE_MISSING_LEFT) != 0;
	node->cut = word >> TREE_CUT_SHIFT & TREE_CUT;
	if (skip == 0)
	{
		skip = (uint32_t) get(r, &r->at, 4);
		if (skip <= TREE_MAX_SKIP)
			malformed("a long skip that is none");
	}
	if (node->category)
		for (uint32_t byte = 0; byte < (feature->n_bins + 31) / 32 * 4; byte++)
			node->mask[byte] = (uint8_t) get(r, &r->at, 1);
	if (node->category ? node->cut != 0 : node->cut >= feature->n_bins)
		malformed("a cut beyond the bins");
	return skip;
}

/* A subtree; returns its root's place. */
static uint32_t
read_node(Reader *r, uint32_t depth)
{
	uint32_t	id = r->n_nodes++;
	uint32_t	width = r->tree->schema->n_classes > 0 ? r->tree->schema->n_classes : 1;
	TreeNode   *node;
	uint32_t	word = (uint32_t) get(r, &r->at, 4);
	uint32_t	near;
	uint32_t	far;
	size_t		far_at;

	if (id >= r->tree->n_nodes)
		malformed("more nodes than words");
	node = &r->tree->nodes[id];
	node->depth = depth;
	node->leaf = (word & TREE_LEAF) != 0;
	node->value = r->tree->values + (size_t) id * width;
	if (depth > r->tree->depth)
		r->tree->depth = depth;
	if (node->leaf)
	{
		read_leaf(r, node, word & ~TREE_LEAF);
		return id;
	}
	far_at = 4 * (size_t) read_split(r, node, word);
	far_at += r->at;
	near = read_node(r, depth + 1);
	if (r->at != far_at)
		malformed("a near child of another length");
	far = read_node(r, depth + 1);
	node->left = node->near_right ? far : near;
	node->right = node->near_right ? near : far;
	return id;
}

/* Covers of leaves, and of splits: children come behind their parents. */
static void
read_covers(Reader *r)
{
	TreeNode   *nodes = r->tree->nodes;

	for (uint32_t i = 0; i < r->n_nodes; i++)
		if (nodes[i].leaf)
			nodes[i].cover = get_varint(r);
	for (uint32_t i = r->n_nodes; i-- > 0;)
		if (!nodes[i].leaf)
			nodes[i].cover = nodes[nodes[i].left].cover + nodes[nodes[i].right].cover;
}

void
tree_read(Tree *tree, const ForestSchema *schema, const ForestBlob *blob)
{
	Reader		r = {.bytes = blob->bytes,.n_bytes = blob->n_bytes,.tree = tree};
	uint32_t	width = schema->n_classes > 0 ? schema->n_classes : 1;
	uint32_t	n_words;
	uint32_t	depth;

	memset(tree, 0, sizeof(*tree));
	tree->schema = schema;
	tree->importance = calloc(schema->n_features, sizeof(double));
	for (uint32_t f = 0; f < schema->n_features; f++)
		tree->importance[f] = get_double(&r);
	n_words = (uint32_t) get(&r, &r.at, 4);
	depth = (uint32_t) get(&r, &r.at, 4);
	if (n_words == 0 || n_words > blob->n_bytes / 4)
		malformed("the number of words is wrong");
	r.values = r.next_value = r.at + 4 * (size_t) n_words;
	tree->n_nodes = n_words;	/* at the most */
	tree->nodes = calloc(n_words, sizeof(TreeNode));
	tree->values = calloc((size_t) n_words * width, sizeof(double));
	(void) read_node(&r, 0);
	if (r.at != r.values)
		malformed("fewer nodes than it says");
	tree->n_nodes = r.n_nodes;
	r.at = r.next_value;
	read_covers(&r);
	if (r.at != r.n_bytes)
		malformed("bytes behind its covers");
	if (depth != tree->depth)
		malformed("the depth is wrong");
}

void
tree_free(Tree *tree)
{
	free(tree->importance);
	free(tree->nodes);
	free(tree->values);
}

/* -------------------------------------------------------------- walking -- */

uint32_t
tree_column(const Tree *tree, uint32_t feature)
{
	return (uint32_t) strtoul(tree->schema->features[feature].name.bytes + 1, NULL, 10);
}

uint32_t
tree_bin(const ForestFeature *feature, double value)
{
	uint32_t	bin = 0;
	char		text[24];

	if (isnan(value))
		return FOREST_MISSING;
	if (feature->kind != FOREST_CATEGORY)
	{
		for (uint32_t i = 0; i + 1 < feature->n_bins; i++)
			bin += feature->cuts[i] < value;
		return bin;
	}
	snprintf(text, sizeof(text), "c%.0f", value);
	while (bin < feature->n_categories && strcmp(feature->categories[bin].bytes, text) != 0)
		bin++;
	return bin < feature->n_categories || feature->has_other ? bin : FOREST_MISSING;
}

double
tree_threshold(const Tree *tree, const TreeNode *node)
{
	const ForestFeature *feature = &tree->schema->features[node->feature];

	return node->cut + 1 < feature->n_bins ? feature->cuts[node->cut] : INFINITY;
}

uint32_t
tree_child(const Tree *tree, const TreeNode *node, const double *row)
{
	const ForestFeature *feature = &tree->schema->features[node->feature];
	double		value = row[tree_column(tree, node->feature)];
	bool		left;

	if (node->category)
	{
		uint32_t	bin = tree_bin(feature, value);

		left = bin == FOREST_MISSING ? node->missing_left
			: (node->mask[bin / 8] >> bin % 8 & 1) != 0;
	}
	else
		left = isnan(value) ? node->missing_left : value <= tree_threshold(tree, node);
	return left ? node->left : node->right;
}

const TreeNode *
tree_leaf(const Tree *tree, const double *row)
{
	const TreeNode *node = &tree->nodes[0];

	while (!node->leaf)
		node = &tree->nodes[tree_child(tree, node, row)];
	return node;
}
