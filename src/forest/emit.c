/*
 * emit.c
 *	  A grown tree: pruned, and written as bytes (tree.h).
 */
#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "forest/grow.h"
#include "forest/tree.h"

/* ---------------------------------------------------------------- pruning -- */

/* The subtree below a node, as far as it is left. */
typedef struct PruneSum
{
	double		decrease;		/* Σ over its splits */
	uint32_t	leaves;
} PruneSum;

/* Make a split a leaf: its class weights are the sum of its children's. */
static Status
collapse(ForestGrower *g, uint32_t id, Failure *why)
{
	uint32_t	n_classes = g->t->schema.n_classes;
	GrowNode   *node = &g->nodes[id];
	const uint64_t *left;
	const uint64_t *right;
	uint64_t   *sum;
	Status		status;

	if (grow_has_classes(g))
	{
		status = memory_grow(g->host, &g->class_weights, &g->class_weights_capacity,
							 g->n_class_weights + n_classes, sizeof(uint64_t), why);
		if (status != STATUS_OK)
			return status;
		left = g->class_weights + (size_t) g->nodes[node->left].classes * n_classes;
		right = g->class_weights + (size_t) g->nodes[node->left + 1].classes * n_classes;
		sum = g->class_weights + g->n_class_weights;
		for (uint32_t k = 0; k < n_classes; k++)
			sum[k] = left[k] + right[k];
		node->classes = (uint32_t) (g->n_class_weights / n_classes);
		g->n_class_weights += n_classes;
	}
	node->left = GROW_NO_NODE;
	return STATUS_OK;
}

/*
 * Minimal cost-complexity pruning (Breiman et al. 1984; algorithms A7): a
 * split goes when the decrease of its subtree is at most ccp_alpha for each
 * leaf that the subtree has beyond one.  Children come after their parents in
 * g->nodes, so one pass from the end prunes bottom-up, which gives the
 * smallest of the optimal subtrees, as collapsing the weakest link again and
 * again does.
 */
Status
grow_prune(ForestGrower *g, Failure *why)
{
	PruneSum   *sums;
	Status		status;

	if (g->t->settings.ccp_alpha == 0)
		return STATUS_OK;
	status = memory_new(g->host, g->n_nodes, sizeof(PruneSum), &sums, why);
	for (uint32_t id = (uint32_t) g->n_nodes; status == STATUS_OK && id-- > 0;)
	{
		GrowNode   *node = &g->nodes[id];

		sums[id].leaves = 1;
		if (node->left == GROW_NO_NODE)
			continue;
		sums[id].leaves = sums[node->left].leaves + sums[node->left + 1].leaves;
		sums[id].decrease = sums[node->left].decrease + sums[node->left + 1].decrease +
			grow_decrease(g, node);
		/* below the split only pruned subtrees are left, or leaves */
		if (sums[id].decrease > g->t->settings.ccp_alpha * (sums[id].leaves - 1))
			continue;
		while (status == STATUS_OK && node->left != GROW_NO_NODE)
		{
			uint32_t	inner = id;

			/* the innermost split first, so that class weights add up */
			for (uint32_t next = id; next != GROW_NO_NODE;)
			{
				inner = next;
				next = g->nodes[g->nodes[inner].left].left != GROW_NO_NODE
					? g->nodes[inner].left
					: g->nodes[g->nodes[inner].left + 1].left != GROW_NO_NODE
					? g->nodes[inner].left + 1 : GROW_NO_NODE;
			}
			status = collapse(g, inner, why);
		}
		sums[id].leaves = 1;
		sums[id].decrease = 0;
	}
	memory_free(g->host, sums, g->n_nodes, sizeof(PruneSum));
	return status;
}

/* ---------------------------------------------------------------- writing -- */

/* LEB128: seven bits a byte, the lowest first. */
static void
put_varint(ByteWriter *w, uint64_t value)
{
	while (value >= 0x80)
	{
		bytes_put_u8(w, (uint8_t) (value | 0x80));
		value >>= 7;
	}
	bytes_put_u8(w, (uint8_t) value);
}

/* A share of a weight in the fixed point of leaf probabilities. */
static uint32_t
share_of(double part, double whole)
{
	return (uint32_t) (part / whole * TREE_ONE + 0.5);
}

/* The leaf of a classification into two classes. */
static void
put_two_classes(ForestGrower *g, const GrowNode *node)
{
	double		share = (double) node->s / (double) node->w;

	if (node->s == 0 || (uint64_t) node->s == node->w)
	{
		if (share >= node->lower && share <= node->upper)
		{
			bytes_put_u8(&g->out, TREE_LEAF | TREE_PURE);
			put_varint(&g->out, node->w);
			bytes_put_u16(&g->out, node->s != 0);
			return;
		}
	}
	share = fmin(fmax(share, node->lower), node->upper);
	bytes_put_u8(&g->out, TREE_LEAF);
	put_varint(&g->out, node->w);
	bytes_put_u32(&g->out, share_of(share, 1));
}

/* The leaf of a classification into more classes. */
static void
put_classes(ForestGrower *g, const GrowNode *node)
{
	uint32_t	n_classes = g->t->schema.n_classes;
	const uint64_t *weights = g->class_weights + (size_t) node->classes * n_classes;

	for (uint32_t k = 0; k < n_classes; k++)
	{
		if (weights[k] != node->w)
			continue;
		bytes_put_u8(&g->out, TREE_LEAF | TREE_PURE);
		put_varint(&g->out, node->w);
		bytes_put_u16(&g->out, (uint16_t) k);
		return;
	}
	bytes_put_u8(&g->out, TREE_LEAF);
	put_varint(&g->out, node->w);
	for (uint32_t k = 0; k < n_classes; k++)
		bytes_put_u32(&g->out, share_of((double) weights[k], (double) node->w));
}

/* The leaf of a regression: the mean in the target's fixed point. */
static void
put_mean(ForestGrower *g, const GrowNode *node)
{
	double		mean = (double) node->s / (double) node->w;

	mean = fmin(fmax(mean, node->lower), node->upper);
	bytes_put_u8(&g->out, TREE_LEAF);
	put_varint(&g->out, node->w);
	bytes_put_u64(&g->out, (uint64_t) llround(mean));
}

static void
put_leaf(ForestGrower *g, const GrowNode *node)
{
	if (g->t->schema.task == FOREST_REGRESSION)
		put_mean(g, node);
	else if (grow_has_classes(g))
		put_classes(g, node);
	else
		put_two_classes(g, node);
}

static void
put_split(ForestGrower *g, const GrowNode *node, bool near_right)
{
	uint32_t	n_bins = g->t->schema.features[node->feature].n_bins;
	uint32_t	flags = (node->category ? TREE_CATEGORY : 0) |
		(near_right ? TREE_NEAR_RIGHT : 0) | (node->missing_left ? TREE_MISSING_LEFT : 0);

	bytes_put_u8(&g->out, (uint8_t) flags);
	bytes_put_u16(&g->out, node->feature);
	if (!node->category)
	{
		bytes_put_u8(&g->out, node->cut);
		return;
	}
	for (uint32_t byte = 0; byte < (n_bins + 7) / 8; byte++)
		bytes_put_u8(&g->out, (uint8_t) (g->sets[node->sets].left[byte / 8] >> (byte % 8 * 8)));
}

/* The larger child is near; of two equal ones the left. */
static bool
near_is_right(const ForestGrower *g, const GrowNode *node)
{
	return g->nodes[node->left + 1].n > g->nodes[node->left].n;
}

/*
 * The ids of the nodes that are left in preorder, the near child first, into
 * *order (an array of g->n_nodes); also the depth and the importances.
 */
static Status
list_nodes(ForestGrower *g, uint32_t *order, uint32_t *n_nodes, uint32_t *depth, Failure *why)
{
	/* the frontier is empty now and serves as stack */
	Status		status = memory_grow(g->host, &g->frontier, &g->frontier_capacity, 1,
									 sizeof(uint32_t), why);

	if (status != STATUS_OK)
		return status;
	g->frontier[g->n_frontier++] = 0;
	while (g->n_frontier > 0)
	{
		uint32_t	id = g->frontier[--g->n_frontier];
		const GrowNode *node = &g->nodes[id];
		bool		near_right;

		order[(*n_nodes)++] = id;
		if (node->depth > *depth)
			*depth = node->depth;
		if (node->left == GROW_NO_NODE)
			continue;
		near_right = near_is_right(g, node);
		g->importance[node->feature] += grow_fixed_decrease(g, node);
		status = memory_grow(g->host, &g->frontier, &g->frontier_capacity, g->n_frontier + 2,
							 sizeof(uint32_t), why);
		if (status != STATUS_OK)
			return status;
		g->frontier[g->n_frontier++] = node->left + 1 - near_right;
		g->frontier[g->n_frontier++] = node->left + near_right;
	}
	return STATUS_OK;
}

Status
grow_emit(ForestGrower *g, Failure *why)
{
	uint32_t	p = g->t->schema.n_features;
	uint32_t	n_nodes = 0;
	uint32_t	depth = 0;
	uint32_t   *order;
	Status		status;

	memset(g->importance, 0, p * sizeof(double));
	status = memory_new_raw(g->host, g->n_nodes, sizeof(uint32_t), &order, why);
	if (status != STATUS_OK)
		return status;
	status = list_nodes(g, order, &n_nodes, &depth, why);
	if (status == STATUS_OK)
	{
		if (g->out_begun)
			bytes_writer_free(&g->out);
		bytes_writer_begin(&g->out, g->host, why);
		g->out_begun = true;
		for (uint32_t f = 0; f < p; f++)
			bytes_put_f64(&g->out, g->importance[f]);
		bytes_put_u32(&g->out, n_nodes);
		bytes_put_u32(&g->out, depth);
		for (uint32_t i = 0; i < n_nodes; i++)
		{
			const GrowNode *node = &g->nodes[order[i]];

			if (node->left == GROW_NO_NODE)
				put_leaf(g, node);
			else
				put_split(g, node, near_is_right(g, node));
		}
		status = g->out.status;
	}
	memory_free(g->host, order, g->n_nodes, sizeof(uint32_t));
	return status;
}
