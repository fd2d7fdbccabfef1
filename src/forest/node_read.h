/*
 * node_read.h
 *	  Reading a node of a tree.  Private to src/forest.
 *
 * Nodes are many and short: the readers of bytes.h are calls, and these are
 * not, so that a loop over a tree has all of its reader in registers.
 */
#ifndef CHURNOPS_FOREST_NODE_READ_H
#define CHURNOPS_FOREST_NODE_READ_H

#include "forest/node.h"

#define COVER_MAX_BYTES 10		/* of a varint of 64 bits */

/* A byte. */
static inline uint8_t
node_get_byte(ByteReader *r)
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
node_get_number(ByteReader *r, size_t n)
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

/* n bytes inside the input, or NULL. */
static inline const uint8_t *
node_get_bytes(ByteReader *r, size_t n)
{
	const uint8_t *p = r->bytes + r->offset;

	if (r->failed || n > r->n_bytes - r->offset)
	{
		r->failed = true;
		return NULL;
	}
	r->offset += n;
	return p;
}

/* An unsigned LEB128 number in its shortest form, byte by byte. */
static inline uint64_t
node_get_cover_slowly(ByteReader *r)
{
	uint64_t	value = 0;

	for (int i = 0; i < COVER_MAX_BYTES; i++)
	{
		uint8_t		byte = node_get_byte(r);

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

/*
 * The same.  Whether one byte or two is as good as random, so up to four are
 * taken without a jump.
 */
static inline uint64_t
node_get_cover(ByteReader *r)
{
	const uint8_t *p = r->bytes + r->offset;
	uint32_t	word;
	uint32_t	last;			/* the highest bit of the last byte */
	uint32_t	kept;

	if (r->failed || r->n_bytes - r->offset < 4)
		return node_get_cover_slowly(r);
	word = (uint32_t) p[0] | (uint32_t) p[1] << 8 | (uint32_t) p[2] << 16 | (uint32_t) p[3] << 24;
	last = ~word & UINT32_C(0x80808080);
	last &= 0 - last;
	if (last == 0)
		return node_get_cover_slowly(r);
	kept = word & (last | (last - 1)) & UINT32_C(0x7F7F7F7F);

	/* 1, 2, 3 or 4: the sum of a bit for each end that it is at or behind */
	r->offset += 1 + (last > 0x80) + (last > 0x8000) + (last > 0x800000);
	if (last > 0x80 && kept < last / 128)
	{
		r->failed = true;
		return 0;
	}
	return (kept & 0x7F) | (kept >> 1 & 0x3F80) | (kept >> 2 & 0x1FC000) |
		(kept >> 3 & 0xFE00000);
}

/* Probabilities, each rounded on its own, add up to 1. */
static inline bool
node_is_distribution(const NodeBytes *node, uint32_t n_classes)
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

static inline bool
node_read_leaf(ByteReader *r, const ForestSchema *schema, NodeBytes *node)
{
	uint32_t	n_classes = schema->n_classes;

	if ((node->flags & ~(TREE_LEAF | TREE_PURE)) != 0)
		return false;
	node->number = 0;
	node->values = NULL;
	node->cover = node_get_cover(r);
	if ((node->flags & TREE_PURE) != 0)
	{
		node->class_index = (uint16_t) node_get_number(r, 2);
		node->p1 = node->class_index == 1 ? TREE_ONE : 0;
		return node->class_index < n_classes;
	}
	if (n_classes == 2)
	{
		node->p1 = (uint32_t) node_get_number(r, 4);
		return node->p1 <= TREE_ONE;
	}
	if (n_classes == 0)
	{
		node->number = (int64_t) node_get_number(r, 8);
		return true;
	}
	node->values = node_get_bytes(r, (size_t) n_classes * 4);
	return node->values != NULL && node_is_distribution(node, n_classes);
}

/* A mask has no bits beyond the bins, and neither side is empty. */
static inline bool
node_check_mask(const NodeBytes *node, uint32_t n_bins)
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

static inline bool
node_read_split(ByteReader *r, const ForestSchema *schema, NodeBytes *node)
{
	const ForestFeature *feature;
	bool		category = (node->flags & TREE_CATEGORY) != 0;

	if ((node->flags & ~(TREE_CATEGORY | TREE_NEAR_RIGHT | TREE_MISSING_LEFT)) != 0)
		return false;
	node->feature = (uint32_t) node_get_number(r, 2);
	if (node->feature >= schema->n_features)
		return false;
	feature = &schema->features[node->feature];
	if (category != (feature->kind == FOREST_CATEGORY))
		return false;
	if (category)
	{
		node->left = node_get_bytes(r, (feature->n_bins + 7) / 8);
		return node->left != NULL && node_check_mask(node, feature->n_bins);
	}

	/* the last bin as cut: present goes left, so missing must go right */
	node->cut = node_get_byte(r);
	return node->cut < feature->n_bins &&
		(node->cut + 1 < feature->n_bins || (node->flags & TREE_MISSING_LEFT) == 0);
}

/* What node_read() does. */
static inline bool
node_get(ByteReader *r, const ForestSchema *schema, NodeBytes *node)
{
	node->flags = node_get_byte(r);
	if ((node->flags & TREE_LEAF) != 0)
		return node_read_leaf(r, schema, node) && !r->failed;
	return node_read_split(r, schema, node) && !r->failed;
}

#endif
