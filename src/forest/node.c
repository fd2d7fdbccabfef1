/*
 * node.c
 *	  Reading the nodes of trees.
 */
#include "forest/node.h"

#define COVER_MAX_BYTES 10		/* of a varint of 64 bits */

/* A byte: the readers of bytes.h are calls, and nodes are many and short. */
static inline uint8_t
get_byte(ByteReader *r)
{
	if (r->failed || r->offset >= r->n_bytes)
	{
		r->failed = true;
		return 0;
	}
	return r->bytes[r->offset++];
}

/* A number of n bytes, n a constant. */
static inline uint64_t
get_number(ByteReader *r, size_t n)
{
	const uint8_t *p = r->bytes + r->offset;
	uint64_t	value = 0;

	if (r->failed || n > r->n_bytes - r->offset)
	{
		r->failed = true;
		return 0;
	}
	r->offset += n;
	for (size_t i = 0; i < n; i++)
		value |= (uint64_t) p[i] << (8 * i);
	return value;
}

/* An unsigned LEB128 number in its shortest form. */
static uint64_t
get_cover(ByteReader *r)
{
	uint64_t	value = 0;

	for (int i = 0; i < COVER_MAX_BYTES; i++)
	{
		uint8_t		byte = get_byte(r);

		if (i > 0 && byte == 0)
			break;
		if (i == COVER_MAX_BYTES - 1 && byte > 1)
			break;
		value |= (uint64_t) (byte & 0x7F) << (7 * i);
		if ((byte & 0x80) == 0)
			return value;
	}
	r->failed = true;
	return 0;
}

/* Probabilities, each rounded on its own, add up to 1. */
static bool
is_distribution(const NodeBytes *node, uint32_t n_classes)
{
	uint64_t	total = 0;

	for (uint32_t k = 0; k < n_classes; k++)
	{
		uint32_t	p = node_value(node, k);

		if (p > TREE_ONE)
			return false;
		total += p;
	}
	return total >= TREE_ONE - n_classes && total <= (uint64_t) TREE_ONE + n_classes;
}

static bool
read_leaf(ByteReader *r, const ForestSchema *schema, NodeBytes *node)
{
	uint32_t	n_classes = schema->n_classes;

	if ((node->flags & ~(TREE_LEAF | TREE_PURE)) != 0)
		return false;
	node->number = 0;
	node->values = NULL;
	node->cover = get_cover(r);
	if ((node->flags & TREE_PURE) != 0)
	{
		node->class_index = (uint16_t) get_number(r, 2);
		node->p1 = node->class_index == 1 ? TREE_ONE : 0;
		return node->class_index < n_classes;
	}
	if (n_classes == 2)
	{
		node->p1 = (uint32_t) get_number(r, 4);
		return node->p1 <= TREE_ONE;
	}
	if (n_classes == 0)
	{
		node->number = (int64_t) get_number(r, 8);
		return true;
	}
	node->values = bytes_get(r, (size_t) n_classes * 4);
	return node->values != NULL && is_distribution(node, n_classes);
}

/* A mask has no bits beyond the bins, and neither side is empty. */
static bool
check_mask(const NodeBytes *node, uint32_t n_bins)
{
	bool		missing_left = (node->flags & TREE_MISSING_LEFT) != 0;
	uint32_t	n_whole = n_bins / 8;
	uint8_t		any = 0;
	uint8_t		all = 255;
	uint8_t		rest = (uint8_t) (255 << n_bins % 8);

	for (uint32_t i = 0; i < n_whole; i++)
	{
		any |= node->left[i];
		all &= node->left[i];
	}
	if (n_bins % 8 != 0)
	{
		if ((node->left[n_whole] & rest) != 0)
			return false;
		any |= node->left[n_whole];
		all &= node->left[n_whole] | rest;
	}
	return (any != 0 || missing_left) && !(all == 255 && missing_left);
}

static bool
read_split(ByteReader *r, const ForestSchema *schema, NodeBytes *node)
{
	const ForestFeature *feature;
	bool		category = (node->flags & TREE_CATEGORY) != 0;

	if ((node->flags & ~(TREE_CATEGORY | TREE_NEAR_RIGHT | TREE_MISSING_LEFT)) != 0)
		return false;
	node->feature = (uint32_t) get_number(r, 2);
	if (node->feature >= schema->n_features)
		return false;
	feature = &schema->features[node->feature];
	if (category != (feature->kind == FOREST_CATEGORY))
		return false;
	if (category)
	{
		node->left = bytes_get(r, (feature->n_bins + 7) / 8);
		return node->left != NULL && check_mask(node, feature->n_bins);
	}

	/* the last bin as cut: present goes left, so missing must go right */
	node->cut = get_byte(r);
	return node->cut < feature->n_bins &&
		(node->cut + 1 < feature->n_bins || (node->flags & TREE_MISSING_LEFT) == 0);
}

bool
node_read(ByteReader *r, const ForestSchema *schema, NodeBytes *node)
{
	node->flags = get_byte(r);
	if ((node->flags & TREE_LEAF) != 0)
		return read_leaf(r, schema, node) && !r->failed;
	return read_split(r, schema, node) && !r->failed;
}

/* Left of a cut is the arc 0 .. cut, or missing .. cut; right of it is the rest. */
static NodeArc
numeric_arc(const NodeBytes *node)
{
	uint32_t	missing_left = (node->flags & TREE_MISSING_LEFT) != 0;
	uint32_t	left_length = node->cut + 1 + missing_left;
	NodeArc		arc;

	if ((node->flags & TREE_NEAR_RIGHT) == 0)
	{
		arc.before = (uint8_t) (FOREST_MISSING - missing_left);
		arc.length = (uint8_t) left_length;
	}
	else
	{
		arc.before = (uint8_t) node->cut;
		arc.length = (uint8_t) (256 - left_length);
	}
	return arc;
}

/*
 * Once around the circle, from missing over 0 back to missing: arcs begin and
 * end where the side changes.  One over missing begins last and ends first.
 */
static uint32_t
category_arcs(const NodeBytes *node, uint32_t n_bins, NodeArc arcs[NODE_MAX_ARCS])
{
	bool		missing_near = node_missing_near(node);
	bool		inside = missing_near;
	uint32_t	begins[NODE_MAX_ARCS];
	uint32_t	ends[NODE_MAX_ARCS + 1];
	uint32_t	n_begins = 0;
	uint32_t	n_ends = 0;

	for (uint32_t bin = 0; bin <= n_bins; bin++)
	{
		uint32_t	place = bin < n_bins ? bin : FOREST_MISSING;
		bool		near = bin < n_bins ? node_category_near(node, bin) : missing_near;

		if (near && !inside)
			begins[n_begins++] = place;
		if (!near && inside)
			ends[n_ends++] = bin;
		inside = near;
	}
	for (uint32_t i = 0; i < n_begins; i++)
	{
		uint32_t	end = ends[missing_near ? (i + 1) % n_ends : i];

		arcs[i].before = (uint8_t) (begins[i] - 1);
		arcs[i].length = (uint8_t) (end - begins[i]);
	}
	return n_begins;
}

uint32_t
node_near_arcs(const NodeBytes *node, const ForestSchema *schema, NodeArc arcs[NODE_MAX_ARCS])
{
	if ((node->flags & TREE_CATEGORY) != 0)
		return category_arcs(node, schema->features[node->feature].n_bins, arcs);
	arcs[0] = numeric_arc(node);
	return 1;
}
