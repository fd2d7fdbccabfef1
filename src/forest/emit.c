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

/* The only class of a leaf of several classes; their number if there is more than one. */
static uint32_t
only_class(const ForestGrower *g, const GrowNode *node)
{
	uint32_t	n_classes = g->t->schema.n_classes;
	const uint64_t *weights = g->class_weights + (size_t) node->classes * n_classes;
	uint32_t	k = 0;

	while (k < n_classes && weights[k] != node->w)
		k++;
	return k;
}

/* What the word of a leaf says; *n_values counts the leaves that have values. */
static uint32_t
leaf_word(const ForestGrower *g, const GrowNode *node, uint32_t *n_values)
{
	uint32_t	n_classes = g->t->schema.n_classes;
	uint32_t	k;

	if (g->t->schema.task == FOREST_REGRESSION)
		return (*n_values)++;
	if (!grow_has_classes(g))
	{
		double		share = (double) node->s / (double) node->w;

		return share_of(fmin(fmax(share, node->lower), node->upper), 1);
	}
	k = only_class(g, node);
	return k < n_classes ? k : n_classes + (*n_values)++;
}

/* The values of a leaf: the mean in the target's fixed point, or shares of all classes. */
static void
put_values(ForestGrower *g, const GrowNode *node)
{
	uint32_t	n_classes = g->t->schema.n_classes;

	if (g->t->schema.task == FOREST_REGRESSION)
	{
		double		mean = (double) node->s / (double) node->w;

		mean = fmin(fmax(mean, node->lower), node->upper);
		bytes_put_u64(&g->out, (uint64_t) llround(mean));
	}
	else if (grow_has_classes(g) && only_class(g, node) == n_classes)
	{
		const uint64_t *weights = g->class_weights + (size_t) node->classes * n_classes;

		for (uint32_t k = 0; k < n_classes; k++)
			bytes_put_u32(&g->out, share_of((double) weights[k], (double) node->w));
	}
}

/* Words of the set of a split. */
static uint32_t
set_words(const ForestGrower *g, const GrowNode *node)
{
	return node->category ? tree_set_words(g->t->schema.features[node->feature].n_bins) : 0;
}

/* A split whose near child takes `skip` words. */
static void
put_split(ForestGrower *g, const GrowNode *node, bool near_right, uint32_t skip)
{
	bool		long_skip = skip > TREE_MAX_SKIP;

	bytes_put_u32(&g->out, (node->category ? 0 : (uint32_t) node->cut << TREE_CUT_SHIFT) |
				  (node->missing_left ? TREE_MISSING_LEFT : 0) |
				  (near_right ? TREE_NEAR_RIGHT : 0) |
				  (uint32_t) node->feature << TREE_FEATURE_SHIFT |
				  (long_skip ? 0 : skip) << TREE_SKIP_SHIFT);
	if (long_skip)
		bytes_put_u32(&g->out, skip);
	for (uint32_t i = 0; i < set_words(g, node); i++)
		bytes_put_u32(&g->out, (uint32_t) (g->sets[node->sets].left[i / 2] >> (i % 2 * 32)));
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

/*
 * The words that each node takes with all below it, from the last node of the
 * preorder to the first; a stack has the subtrees that wait for their parent.
 * Of a split, skips gets what its near child takes.  Returns the root's.
 */
static uint32_t
count_words(const ForestGrower *g, const uint32_t *order, uint32_t n_nodes, uint32_t *skips)
{
	uint32_t   *waiting = g->frontier;
	uint32_t	n = 0;

	for (uint32_t i = n_nodes; i-- > 0;)
	{
		const GrowNode *node = &g->nodes[order[i]];
		uint32_t	n_words = 1;

		if (node->left != GROW_NO_NODE)
		{
			skips[i] = waiting[--n];
			n_words += set_words(g, node) + (skips[i] > TREE_MAX_SKIP) + skips[i] + waiting[--n];
		}
		waiting[n++] = n_words;
	}
	return waiting[0];
}

/* The words, the values and the covers of the nodes, which are in preorder. */
static void
put_nodes(ForestGrower *g, const uint32_t *order, uint32_t n_nodes, const uint32_t *skips)
{
	uint32_t	n_values = 0;

	for (uint32_t i = 0; i < n_nodes; i++)
	{
		const GrowNode *node = &g->nodes[order[i]];

		if (node->left == GROW_NO_NODE)
			bytes_put_u32(&g->out, TREE_LEAF | leaf_word(g, node, &n_values));
		else
			put_split(g, node, near_is_right(g, node), skips[i]);
	}
	for (uint32_t i = 0; i < n_nodes && n_values > 0; i++)
		if (g->nodes[order[i]].left == GROW_NO_NODE)
			put_values(g, &g->nodes[order[i]]);
	for (uint32_t i = 0; i < n_nodes; i++)
		if (g->nodes[order[i]].left == GROW_NO_NODE)
			put_varint(&g->out, g->nodes[order[i]].w);
}

Status
grow_emit(ForestGrower *g, Failure *why)
{
	uint32_t	p = g->t->schema.n_features;
	size_t		capacity = g->n_nodes;	/* of order and of skips */
	uint32_t	n_nodes = 0;
	uint32_t	depth = 0;
	uint32_t   *order;
	Status		status;

	memset(g->importance, 0, p * sizeof(double));
	status = memory_new_raw(g->host, capacity, 2 * sizeof(uint32_t), &order, why);
	if (status != STATUS_OK)
		return status;
	status = list_nodes(g, order, &n_nodes, &depth, why);
	if (status == STATUS_OK)
		status = memory_grow(g->host, &g->frontier, &g->frontier_capacity, n_nodes,
							 sizeof(uint32_t), why);
	if (status == STATUS_OK)
	{
		if (g->out_begun)
			bytes_writer_free(&g->out);
		bytes_writer_begin(&g->out, g->host, why);
		g->out_begun = true;
		for (uint32_t f = 0; f < p; f++)
			bytes_put_f64(&g->out, g->importance[f]);
		bytes_put_u32(&g->out, count_words(g, order, n_nodes, order + capacity));
		bytes_put_u32(&g->out, depth);
		put_nodes(g, order, n_nodes, order + capacity);
		status = g->out.status;
	}
	memory_free(g->host, order, capacity, 2 * sizeof(uint32_t));
	return status;
}
