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
	size_t		at;
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

/* A little-endian number of n bytes. */
static uint64_t
get(Reader *r, int n)
{
	uint64_t	value = 0;

	if (r->n_bytes - r->at < (size_t) n)
		malformed("cut off");
	for (int i = 0; i < n; i++)
		value |= (uint64_t) r->bytes[r->at++] << (8 * i);
	return value;
}

static double
get_double(Reader *r)
{
	uint64_t	bits = get(r, 8);
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
		uint64_t	byte = get(r, 1);

		value |= (byte & 0x7F) << shift;
		if (byte < 0x80)
			return value;
	}
	malformed("varint without end");
	return 0;
}

static void
read_leaf(Reader *r, TreeNode *node, uint32_t flags)
{
	const ForestSchema *schema = r->tree->schema;
	uint32_t	n = schema->n_classes;

	node->cover = get_varint(r);
	node->pure = (flags & TREE_PURE) != 0;
	r->tree->n_leaves++;
	if (node->pure)
	{
		uint64_t	k = get(r, 2);

		if (k >= n)
			malformed("a pure leaf of no class");
		node->value[k] = 1;
	}
	else if (n == 0)
		node->value[0] = schema->target_offset +
			ldexp((double) (int64_t) get(r, 8), -schema->target_shift);
	else if (n == 2)
	{
		node->value[1] = (double) get(r, 4) / TREE_ONE;
		node->value[0] = 1 - node->value[1];
	}
	else
		for (uint32_t k = 0; k < n; k++)
			node->value[k] = (double) get(r, 4) / TREE_ONE;
}

static void
read_split(Reader *r, TreeNode *node, uint32_t flags)
{
	const ForestFeature *feature;

	node->feature = (uint32_t) get(r, 2);
	if (node->feature >= r->tree->schema->n_features)
		malformed("a split by no feature");
	feature = &r->tree->schema->features[node->feature];
	node->category = (flags & TREE_CATEGORY) != 0;
	node->near_right = (flags & TREE_NEAR_RIGHT) != 0;
	node->missing_left = (flags & TREE_MISSING_LEFT) != 0;
	if (node->category != (feature->kind == FOREST_CATEGORY))
		malformed("a split of another kind than its feature");
	if (node->category)
		for (uint32_t byte = 0; byte < (feature->n_bins + 7) / 8; byte++)
			node->mask[byte] = (uint8_t) get(r, 1);
	else
		node->cut = (uint32_t) get(r, 1);
	if (!node->category && node->cut >= feature->n_bins)
		malformed("a cut beyond the bins");
}

/* A subtree; returns its root's place. */
static uint32_t
read_node(Reader *r, uint32_t depth)
{
	uint32_t	id = r->n_nodes++;
	uint32_t	width = r->tree->schema->n_classes > 0 ? r->tree->schema->n_classes : 1;
	TreeNode   *node;
	uint32_t	flags = (uint32_t) get(r, 1);
	uint32_t	near;
	uint32_t	far;

	if (id >= r->tree->n_nodes)
		malformed("more nodes than it says");
	node = &r->tree->nodes[id];
	node->depth = depth;
	node->leaf = (flags & TREE_LEAF) != 0;
	node->value = r->tree->values + (size_t) id * width;
	if (depth > r->tree->depth)
		r->tree->depth = depth;
	if (node->leaf)
	{
		read_leaf(r, node, flags);
		return id;
	}
	read_split(r, node, flags);
	near = read_node(r, depth + 1);
	far = read_node(r, depth + 1);
	node->left = node->near_right ? far : near;
	node->right = node->near_right ? near : far;
	node->cover = r->tree->nodes[near].cover + r->tree->nodes[far].cover;
	return id;
}

void
tree_read(Tree *tree, const ForestSchema *schema, const ForestBlob *blob)
{
	Reader		r = {.bytes = blob->bytes,.n_bytes = blob->n_bytes,.tree = tree};
	uint32_t	width = schema->n_classes > 0 ? schema->n_classes : 1;
	uint32_t	depth;

	memset(tree, 0, sizeof(*tree));
	tree->schema = schema;
	tree->importance = calloc(schema->n_features, sizeof(double));
	for (uint32_t f = 0; f < schema->n_features; f++)
		tree->importance[f] = get_double(&r);
	tree->n_nodes = (uint32_t) get(&r, 4);
	depth = (uint32_t) get(&r, 4);
	if (tree->n_nodes == 0 || tree->n_nodes > blob->n_bytes)
		malformed("the number of nodes is wrong");
	tree->nodes = calloc(tree->n_nodes, sizeof(TreeNode));
	tree->values = calloc((size_t) tree->n_nodes * width, sizeof(double));
	(void) read_node(&r, 0);
	if (r.n_nodes != tree->n_nodes || r.at != r.n_bytes)
		malformed("fewer nodes than it says");
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
