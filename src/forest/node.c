/*
 * node.c
 *	  Nodes of trees: the arcs of a split.
 */
#include "forest/node.h"

/* Left of a cut is the arc 0 .. cut, or missing .. cut; right of it is the rest. */
static NodeArc
numeric_arc(const NodeBytes *node)
{
	uint32_t	missing_left = node->missing_left;
	uint32_t	left_length = node->cut + 1 + missing_left;
	NodeArc		arc;

	if (!node->near_right)
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
	if (node->category)
		return category_arcs(node, schema->features[node->feature].n_bins, arcs);
	arcs[0] = numeric_arc(node);
	return 1;
}
