/*
 * grow.c
 *	  Growing one tree.
 *
 * A tree begins with the rows of its bootstrap sample in one buffer and a
 * frontier that holds the root.  Each turn takes a node from the frontier,
 * draws features, searches the best split among them, moves the node's rows
 * to its children's places and puts the children on the frontier.  Without
 * max_leaf_nodes the frontier is a stack (the smaller child on top, so it
 * stays short); with it, a heap, and the node with the largest gain is split
 * first, as in scikit-learn.
 *
 * Every random choice at a node is keyed by (seed, purpose, tree, path to the
 * node), and sums are integers: the order in which nodes are visited changes
 * nothing.  A tree is a function of the training and its number.
 *
 * forest_grower_step() does a bounded amount of work and returns, so that a
 * caller can look after the rest of its world; all state is in ForestGrower.
 * When the frontier is empty the tree is pruned (prune.c) and written as
 * bytes (emit.c).
 */
#include "forest/grow.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "core/real.h"
#include "core/rng.h"

/* Visits of a row's feature in one step: about 20 ms. */
#define STEP_WORK ((uint64_t) 6 * 1000 * 1000)
/* Levels that a small subtree has, more or less. */
#define SMALL_LEVELS 4
/* Drawn rows whose weight pulls a category's mean towards the node's (A10). */
#define CATEGORY_SMOOTHING 10.0
/* What χ² of a cut gains with each category that is ordered by the target: 2 / π (split.c). */
#define CATEGORY_LUCK 0.63662
/* Classes that are counted by so many sets of sums. */
#define FEW_CLASSES 16
#define COUNTERS 4

/* ------------------------------------------------------------ begin, end -- */

/* Can small subtrees be grown on bit masks? */
static bool
small_pays(const ForestGrower *g)
{
	const GrowSettings *s = &g->t->settings;

	return !s->random_splitter && !s->any_monotonic && s->max_leaf_nodes == 0;
}

Status
forest_grower_new(const Host *host, const ForestTraining *training, ForestGrower **out,
				  Failure *why)
{
	uint32_t	p = training->schema.n_features;
	ForestGrower *g;
	Status		status;

	*out = NULL;
	status = memory_new(host, 1, sizeof(ForestGrower), &g, why);
	if (status != STATUS_OK)
		return status;
	g->host = host;
	g->t = training;
	g->level = cpu_level(host->cpu_limit);
	grow_choose_layout(g);
	g->scans = !training->settings.random_splitter && !training->settings.any_monotonic &&
		(training->settings.criterion == FOREST_GINI ||
		 training->settings.criterion == FOREST_SQUARED_ERROR);
	/* counts are Poisson, and none has the chance exp(-rate) */
	g->repeats = !training->settings.bootstrap ? 1
		: 1 - real_log((double) training->settings.thresholds[0] * 0x1.0p-64);
	for (uint32_t f = 0; f < p && training->schema.task == FOREST_REGRESSION; f++)
		g->measures_spread |= training->schema.features[f].kind == FOREST_CATEGORY;
	for (int side = 0; side < 2 && status == STATUS_OK; side++)
	{
		status = memory_new_raw(host, grow_buffer_bytes(g), 1, &g->buffer[side], why);
		if (status == STATUS_OK)
			g->buffer_bytes[side] = grow_buffer_bytes(g);
	}
	if (status == STATUS_OK)
		status = memory_new_raw(host, p, sizeof(uint32_t), &g->features, why);
	if (status == STATUS_OK)
		status = memory_new_raw(host, p, sizeof(uint32_t), &g->swaps, why);
	if (status == STATUS_OK)
		status = memory_new_raw(host, p, sizeof(uint32_t), &g->drawn, why);
	if (status == STATUS_OK)
		status = grow_histograms_new(g, why);
	if (status == STATUS_OK && small_pays(g))
		status = grow_small_new(g, why);
	if (status == STATUS_OK && training->class_factor != NULL)
		status = memory_new(host, training->schema.n_classes, sizeof(uint64_t),
							&g->tree_factor, why);
	if (status == STATUS_OK)
		status = memory_new(host, p, sizeof(double), &g->importance, why);
	if (status != STATUS_OK)
	{
		forest_grower_free(g);
		return status;
	}
	for (uint32_t f = 0; f < p; f++)
		g->features[f] = f;
	*out = g;
	return STATUS_OK;
}

void
forest_grower_free(ForestGrower *g)
{
	const Host *host;
	uint32_t	p;
	uint32_t	n_classes;

	if (g == NULL)
		return;
	host = g->host;
	p = g->t->schema.n_features;
	n_classes = g->t->schema.n_classes;
	for (int side = 0; side < 2; side++)
		memory_free(host, g->buffer[side], g->buffer_bytes[side], 1);
	memory_free(host, g->nodes, g->nodes_capacity, sizeof(GrowNode));
	memory_free(host, g->sets, g->sets_capacity, sizeof(GrowSets));
	memory_free(host, g->frontier, g->frontier_capacity, sizeof(uint32_t));
	memory_free(host, g->class_weights, g->class_weights_capacity, sizeof(uint64_t));
	memory_free(host, g->tree_factor, n_classes, sizeof(uint64_t));
	memory_free(host, g->features, p, sizeof(uint32_t));
	memory_free(host, g->swaps, p, sizeof(uint32_t));
	memory_free(host, g->drawn, p, sizeof(uint32_t));
	grow_histograms_free(g);
	grow_small_free(g);
	memory_free(host, g->importance, p, sizeof(double));
	if (g->out_begun)
		bytes_writer_free(&g->out);
	memory_free(host, g, 1, sizeof(ForestGrower));
}

/* ------------------------------------------------------- one node's split -- */

/*
 * The same of few classes: rows take turns in several sets of sums, as a sum
 * that was just stored takes long to be read again.
 */
static void
count_few_classes(ForestGrower *g, const GrowNode *node)
{
	const uint8_t *record = grow_records(g, node) + g->payload_offset;
	uint32_t	n_classes = g->t->schema.n_classes;
	uint32_t	sums[COUNTERS][FEW_CLASSES] = {{0}};

	for (uint32_t row = 0; row + COUNTERS <= node->n; row += COUNTERS)
		for (uint32_t i = 0; i < COUNTERS; i++, record += g->record_bytes)
			sums[i][((const uint32_t *) record)[1]] += *(const uint32_t *) record;
	for (uint32_t i = 0; i < node->n % COUNTERS; i++, record += g->record_bytes)
		sums[i][((const uint32_t *) record)[1]] += *(const uint32_t *) record;
	for (uint32_t k = 0; k < n_classes; k++)
		for (uint32_t i = 0; i < COUNTERS; i++)
			g->node_classes[k] += sums[i][k];
}

/* The class weights of a node's rows into node_classes. */
static void
count_classes(ForestGrower *g, const GrowNode *node)
{
	const uint8_t *record = grow_records(g, node);

	memset(g->node_classes, 0, g->t->schema.n_classes * sizeof(uint64_t));
	if (g->payload == GROW_COUNTS && g->t->schema.n_classes <= FEW_CLASSES)
	{
		count_few_classes(g, node);
		return;
	}
	for (uint32_t row = 0; row < node->n; row++, record += g->record_bytes)
	{
		uint64_t	weight;
		uint32_t	k = grow_record_class(g, record, &weight);

		g->node_classes[k] += weight;
	}
}

bool
grow_is_pure(const ForestGrower *g, const GrowNode *node)
{
	const uint8_t *record = grow_records(g, node);
	int64_t		first = 0;

	if (grow_has_classes(g))
	{
		for (uint32_t k = 0; k < g->t->schema.n_classes; k++)
			if (g->node_classes[k] != 0)
				return g->node_classes[k] == node->w;
		return true;
	}
	if (g->t->schema.task == FOREST_CLASSIFICATION)
		return node->s == 0 || (uint64_t) node->s == node->w;
	for (uint32_t row = 0; row < node->n; row++, record += g->record_bytes)
	{
		const GrowPair *pair = (const GrowPair *) (record + g->payload_offset);
		int64_t		target = pair->s / (int64_t) pair->w;

		if (row == 0)
			first = target;
		else if (target != first)
			return false;
	}
	return true;
}

/* Draw the next feature of the node: the i-th of a random permutation. */
static uint32_t
draw_feature(ForestGrower *g, RngStream *stream, uint32_t i)
{
	uint32_t	at = i + rng_stream_below(stream, g->t->schema.n_features - i);
	uint32_t	feature = g->features[at];

	g->features[at] = g->features[i];
	g->features[i] = feature;
	g->swaps[i] = at;
	return feature;
}

/* Undo n draws: the next node starts from the same order. */
static void
undo_draws(ForestGrower *g, uint32_t n)
{
	while (n-- > 0)
	{
		uint32_t	at = g->swaps[n];
		uint32_t	feature = g->features[n];

		g->features[n] = g->features[at];
		g->features[at] = feature;
	}
}

/* The first n features into g->drawn, ascending, so that ties go to the earlier one. */
static void
sort_drawn(ForestGrower *g, uint32_t n)
{
	uint32_t   *sorted = g->drawn;
	uint64_t	marks = 0;

	if (g->t->schema.n_features <= 64)
	{
		/* no comparison that the processor would have to guess */
		for (uint32_t i = 0; i < n; i++)
			marks |= UINT64_C(1) << g->features[i];
		for (; marks != 0; marks &= marks - 1)
			*sorted++ = (uint32_t) __builtin_ctzll(marks);
		return;
	}
	for (uint32_t i = 0; i < n; i++)
	{
		uint32_t	feature = g->features[i];
		uint32_t	at = i;

		for (; at > 0 && sorted[at - 1] > feature; at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = feature;
	}
}

/*
 * Search mtry drawn features; if all of them are constant in the node, go on
 * one by one until one is not, as scikit-learn does (A3).
 */
static Status
search_drawn(ForestGrower *g, const GrowNode *node, GrowSearch search, void *ctx, Split *best,
			 Failure *why)
{
	const GrowSettings *s = &g->t->settings;
	uint32_t	p = g->t->schema.n_features;
	uint32_t	drawn = 0;
	bool		varies = false;
	RngStream	stream;
	Status		status;

	if (s->mtry == p)
		return search(g, ctx, g->features, p, best, &varies, why);
	rng_stream_begin(&stream, s->seed, RNG_FEATURES, g->tree, node->key);
	while (drawn < s->mtry)
	{
		draw_feature(g, &stream, drawn);
		drawn++;
	}
	sort_drawn(g, drawn);
	status = search(g, ctx, g->drawn, drawn, best, &varies, why);
	while (status == STATUS_OK && !varies && drawn < p)
	{
		uint32_t	feature = draw_feature(g, &stream, drawn++);

		status = search(g, ctx, &feature, 1, best, &varies, why);
	}
	undo_draws(g, drawn);
	return status;
}

double
grow_fixed_decrease(const ForestGrower *g, const GrowNode *node)
{
	return node->gain > 0 ? node->gain / (double) g->weight : 0;
}

double
grow_decrease(const ForestGrower *g, const GrowNode *node)
{
	const ForestSchema *schema = &g->t->schema;
	double		decrease = grow_fixed_decrease(g, node);

	if (schema->task == FOREST_CLASSIFICATION)
		return decrease;
	return ldexp(decrease, g->t->settings.criterion == FOREST_POISSON ? -schema->target_shift
				 : -2 * schema->target_shift);
}

/* Keep a split that was found in its node. */
static Status
keep_split(ForestGrower *g, GrowNode *node, const Split *split, Failure *why)
{
	GrowSets   *sets;
	Status		status;

	node->found = true;
	node->feature = (uint16_t) split->feature;
	node->cut = split->category ? 0 : split->cut;
	node->category = split->category;
	node->missing_left = split->missing_left;
	node->missing_seen = split->missing_seen;
	node->left_w = split->left.w;
	node->left_s = split->left.s;
	if (!split->category)
		return STATUS_OK;
	status = memory_grow(g->host, &g->sets, &g->sets_capacity, g->n_sets + 1, sizeof(GrowSets),
						 why);
	if (status != STATUS_OK)
		return status;
	sets = &g->sets[g->n_sets];
	memcpy(sets->left, split->mask, sizeof(sets->left));
	memcpy(sets->present, split->present, sizeof(sets->present));
	node->sets = (uint32_t) g->n_sets++;
	return STATUS_OK;
}

bool
grow_may_split(const ForestGrower *g, const GrowNode *node)
{
	const GrowSettings *s = &g->t->settings;

	return node->depth < s->max_depth && node->n >= s->min_samples_split &&
		(double) node->w >= 2 * s->min_weight_fraction_leaf * (double) g->weight;
}

void
grow_describe(ForestGrower *g, const GrowNode *node, SplitNode *out)
{
	const ForestTraining *t = g->t;
	const GrowSettings *s = &t->settings;

	out->training = t;
	out->tree = g->tree;
	out->key = node->key;
	out->criterion = s->criterion;
	out->n_classes = t->schema.n_classes;
	out->count_rows = s->min_samples_leaf > 1;
	out->min_rows = s->min_samples_leaf;
	out->min_weight = s->min_weight_fraction_leaf * (double) g->weight;
	out->smoothing = CATEGORY_SMOOTHING * g->mean_weight;
	out->luck = CATEGORY_LUCK * g->repeats * g->mean_weight;
	out->spread = 0;
	out->total.w = node->w;
	out->total.s = node->s;
	out->total.n = node->n;
	out->classes = g->node_classes;
	out->lower = node->lower;
	out->upper = node->upper;
	out->left = g->left_classes;
}

Status
grow_find_split(ForestGrower *g, GrowNode *node, const SplitNode *about, GrowSearch search,
				void *ctx, Failure *why)
{
	Split		split;
	Status		status;

	split.found = false;
	status = search_drawn(g, node, search, ctx, &split, why);
	if (status != STATUS_OK || !split.found)
		return status;
	node->gain = split_gain(about, split.category ? split.full_score : split.score);
	if (grow_decrease(g, node) + 0x1.0p-52 < g->t->settings.min_impurity_decrease)
		return STATUS_OK;
	return keep_split(g, node, &split, why);
}

/* The variance of the target in a node; rows are in one order, so the sum is always the same. */
static double
spread_of(const ForestGrower *g, const GrowNode *node)
{
	const uint8_t *payload = grow_records(g, node) + g->payload_offset;
	double		mean = (double) node->s / (double) node->w;
	double		sum = 0;

	for (uint32_t row = 0; row < node->n; row++, payload += g->record_bytes)
		sum += grow_square((const GrowPair *) payload, mean);
	return sum / node->n;
}

/* The best split of a node; found is false where it is a leaf. */
static Status
find_split(ForestGrower *g, uint32_t id, Failure *why)
{
	GrowNode   *node = &g->nodes[id];
	SplitNode	about;
	GrowSearched searched = {node, &about};

	if (node->depth >= g->t->settings.max_depth && !grow_has_classes(g))
		return STATUS_OK;
	if (grow_has_classes(g))
		count_classes(g, node);
	if (!grow_may_split(g, node) || grow_is_pure(g, node))
		return STATUS_OK;
	grow_describe(g, node, &about);
	if (g->measures_spread)
		about.spread = spread_of(g, node);
	return grow_find_split(g, node, &about, grow_search, &searched, why);
}

/* ------------------------------------------------------- making the tree -- */

Status
grow_keep_classes(ForestGrower *g, GrowNode *node, Failure *why)
{
	uint32_t	n_classes = g->t->schema.n_classes;
	Status		status;

	status = memory_grow(g->host, &g->class_weights, &g->class_weights_capacity,
						 g->n_class_weights + n_classes, sizeof(uint64_t), why);
	if (status != STATUS_OK)
		return status;
	node->classes = (uint32_t) (g->n_class_weights / n_classes);
	memcpy(g->class_weights + g->n_class_weights, g->node_classes, n_classes * sizeof(uint64_t));
	g->n_class_weights += n_classes;
	return STATUS_OK;
}

Status
grow_add_nodes(ForestGrower *g, uint32_t n, Failure *why)
{
	return memory_grow(g->host, &g->nodes, &g->nodes_capacity, g->n_nodes + n, sizeof(GrowNode),
					   why);
}

GrowNode *
grow_begin_node(ForestGrower *g, uint64_t key, uint32_t depth)
{
	GrowNode   *node = &g->nodes[g->n_nodes++];

	/* one by one: the compiler clears a whole one by an instruction that takes long to begin */
	node->left = GROW_NO_NODE;
	node->begin = 0;
	node->depth = depth;
	node->key = key;
	node->classes = GROW_NO_NODE;
	node->side = 0;
	node->found = false;
	node->lower = -INFINITY;
	node->upper = INFINITY;
	return node;
}

Status
grow_add_children(ForestGrower *g, uint32_t id, uint32_t n_left, Failure *why)
{
	Status		status = grow_add_nodes(g, 2, why);
	GrowNode   *node;
	GrowNode   *left;
	GrowNode   *right;

	if (status != STATUS_OK)
		return status;
	node = &g->nodes[id];
	node->left = (uint32_t) g->n_nodes;
	left = grow_begin_node(g, rng_left_key(node->key), node->depth + 1);
	right = grow_begin_node(g, rng_right_key(node->key), node->depth + 1);
	left->n = n_left;
	left->w = node->left_w;
	left->s = node->left_s;
	right->n = node->n - n_left;
	right->w = node->w - node->left_w;
	right->s = node->s - node->left_s;
	g->n_splits++;
	return STATUS_OK;
}

/* Which bins go left; those the node did not have go with the larger child, once it is known. */
static void
sides_of_bins(const ForestGrower *g, const GrowNode *node, uint8_t goes_left[256])
{
	if (node->category)
	{
		const uint64_t *left = g->sets[node->sets].left;

		for (uint32_t bin = 0; bin < g->t->schema.features[node->feature].n_bins; bin++)
			goes_left[bin] = left[bin >> 6] >> (bin & 63) & 1;
	}
	else
	{
		memset(goes_left, 1, (size_t) node->cut + 1);
		memset(goes_left + node->cut + 1, 0, 255 - (size_t) node->cut);
	}
	goes_left[FOREST_MISSING] = node->missing_left;
}

void
grow_settle_absent(ForestGrower *g, GrowNode *node, bool left_is_larger)
{
	uint32_t	n_bins = g->t->schema.features[node->feature].n_bins;
	GrowSets   *sets = node->category ? &g->sets[node->sets] : NULL;

	if (!node->missing_seen)
		node->missing_left = left_is_larger;
	for (uint32_t bin = 0; node->category && left_is_larger && bin < n_bins; bin++)
		if (!(sets->present[bin >> 6] >> (bin & 63) & 1))
			sets->left[bin >> 6] |= UINT64_C(1) << (bin & 63);
}

/* The bounds that a monotonic split hands to its children (A6). */
static void
bound_children(const ForestGrower *g, const GrowNode *node, GrowNode *left, GrowNode *right)
{
	const ForestTraining *t = g->t;
	int			sign = t->monotonic[node->feature];
	double		middle = ((double) left->s / (double) left->w +
						  (double) right->s / (double) right->w) / 2;

	/* a split of missing from present values says nothing about the order */
	if (node->cut == t->schema.features[node->feature].n_bins - 1)
		return;
	if (sign > 0)
		left->upper = right->lower = middle;
	else if (sign < 0)
		left->lower = right->upper = middle;
}

/* Carry out the split of a node: its children are the last two nodes. */
static Status
split_node(ForestGrower *g, uint32_t id, Failure *why)
{
	GrowNode   *node = &g->nodes[id];
	GrowNode   *left;
	GrowNode   *right;
	uint8_t		goes_left[256];
	uint32_t	n_left;
	bool		move = node->depth + 1 < g->t->settings.max_depth || grow_has_classes(g);
	Status		status;

	sides_of_bins(g, node, goes_left);
	status = grow_partition(g, node, goes_left, move, &n_left, why);
	if (status != STATUS_OK)
		return status;
	grow_settle_absent(g, node, n_left > node->n - n_left);
	status = grow_add_children(g, id, n_left, why);
	if (status != STATUS_OK)
		return status;
	node = &g->nodes[id];
	left = &g->nodes[node->left];
	right = left + 1;
	left->begin = node->begin;
	right->begin = node->begin + n_left;
	left->side = right->side = 1 - node->side;
	left->lower = right->lower = node->lower;
	left->upper = right->upper = node->upper;
	if (g->t->settings.any_monotonic)
		bound_children(g, node, left, right);
	return STATUS_OK;
}

/* --------------------------------------------------------------- frontier -- */

/* Is node a to be split before b?  The larger gain, then the earlier node. */
static bool
splits_before(const ForestGrower *g, uint32_t a, uint32_t b)
{
	if (g->nodes[a].gain != g->nodes[b].gain)
		return g->nodes[a].gain > g->nodes[b].gain;
	return a < b;
}

/* Put a node on the frontier: on top of the stack, or into the heap. */
static Status
frontier_push(ForestGrower *g, uint32_t id, Failure *why)
{
	size_t		at = g->n_frontier;
	Status		status;

	status = memory_grow(g->host, &g->frontier, &g->frontier_capacity, at + 1, sizeof(uint32_t),
						 why);
	if (status != STATUS_OK)
		return status;
	g->n_frontier++;
	if (g->t->settings.max_leaf_nodes > 0)
	{
		for (; at > 0 && splits_before(g, id, g->frontier[(at - 1) / 2]); at = (at - 1) / 2)
			g->frontier[at] = g->frontier[(at - 1) / 2];
	}
	g->frontier[at] = id;
	return STATUS_OK;
}

static uint32_t
frontier_pop(ForestGrower *g)
{
	uint32_t	top = g->frontier[0];
	uint32_t	last = g->frontier[--g->n_frontier];
	size_t		at = 0;

	if (g->t->settings.max_leaf_nodes == 0)
		return last;
	for (size_t child = 1; child < g->n_frontier; child = 2 * at + 1)
	{
		if (child + 1 < g->n_frontier &&
			splits_before(g, g->frontier[child + 1], g->frontier[child]))
			child++;
		if (!splits_before(g, g->frontier[child], last))
			break;
		g->frontier[at] = g->frontier[child];
		at = child;
	}
	g->frontier[at] = last;
	return top;
}

/* Look for a node's split; a leaf keeps what it needs for its value. */
static Status
visit_node(ForestGrower *g, uint32_t id, Failure *why)
{
	Status		status;

	status = find_split(g, id, why);
	if (status == STATUS_OK && grow_has_classes(g) && !g->nodes[id].found)
		status = grow_keep_classes(g, &g->nodes[id], why);
	return status;
}

/* One turn without max_leaf_nodes: the top of the stack. */
static Status
turn_depth_first(ForestGrower *g, uint32_t id, Failure *why)
{
	uint32_t	larger;
	Status		status;

	if (g->small != NULL && g->nodes[id].n <= GROW_SMALL_ROWS)
		return grow_small(g, id, why);
	status = visit_node(g, id, why);
	if (status != STATUS_OK || !g->nodes[id].found)
		return status;
	status = split_node(g, id, why);
	if (status != STATUS_OK)
		return status;
	larger = g->nodes[g->nodes[id].left].n >= g->nodes[g->nodes[id].left + 1].n ? 0 : 1;
	status = frontier_push(g, g->nodes[id].left + larger, why);
	if (status == STATUS_OK)
		status = frontier_push(g, g->nodes[id].left + 1 - larger, why);
	return status;
}

/* Look for the split of a new node, and queue it if there is one. */
static Status
queue_best_first(ForestGrower *g, uint32_t id, Failure *why)
{
	Status		status;

	status = find_split(g, id, why);
	if (status == STATUS_OK && g->nodes[id].found)
		return frontier_push(g, id, why);
	if (status == STATUS_OK && grow_has_classes(g))
		status = grow_keep_classes(g, &g->nodes[id], why);
	return status;
}

/* One turn with max_leaf_nodes: the node of the largest gain, whose split is known. */
static Status
turn_best_first(ForestGrower *g, uint32_t id, Failure *why)
{
	Status		status;

	if (g->n_splits + 1 >= g->t->settings.max_leaf_nodes)
	{
		/* enough leaves: what is left on the frontier stays one */
		g->nodes[id].found = false;
		if (!grow_has_classes(g))
			return STATUS_OK;
		count_classes(g, &g->nodes[id]);
		return grow_keep_classes(g, &g->nodes[id], why);
	}
	status = split_node(g, id, why);
	if (status == STATUS_OK)
		status = queue_best_first(g, g->nodes[id].left, why);
	if (status == STATUS_OK)
		status = queue_best_first(g, g->nodes[id].left + 1, why);
	return status;
}

/* ------------------------------------------------------------- the public -- */

Status
forest_grower_begin(ForestGrower *g, uint32_t tree, Failure *why)
{
	GrowNode   *root;
	Status		status;

	tree += g->t->settings.first_tree;
	g->tree = tree;
	g->n_nodes = g->n_frontier = g->n_class_weights = g->n_sets = 0;
	g->n_splits = 0;
	grow_histograms_reset(g);
	if (g->out_begun)
		bytes_writer_free(&g->out);
	g->out_begun = false;
	if (g->tree_factor != NULL)
		memcpy(g->tree_factor, g->t->class_factor, g->t->schema.n_classes * sizeof(uint64_t));
	status = grow_sample(g, why);
	if (status != STATUS_OK)
		return status;
	status = grow_add_nodes(g, 1, why);
	if (status != STATUS_OK)
		return status;
	root = grow_begin_node(g, rng_root_key(tree), 0);
	root->n = g->n_rows;
	root->w = g->weight;
	root->s = g->sum;
	if (g->is_stump && !grow_has_classes(g))
		return STATUS_OK;
	if (g->is_stump)
	{
		count_classes(g, &g->nodes[0]);
		return grow_keep_classes(g, &g->nodes[0], why);
	}
	return g->t->settings.max_leaf_nodes > 0 ? queue_best_first(g, 0, why)
		: frontier_push(g, 0, why);
}

Status
forest_grower_step(ForestGrower *g, bool *done, Failure *why)
{
	uint64_t	work = 0;
	Status		status = STATUS_OK;

	*done = false;
	while (g->n_frontier > 0 && work < STEP_WORK && status == STATUS_OK)
	{
		uint32_t	id = frontier_pop(g);

		work += (256 + (uint64_t) g->nodes[id].n * (g->t->settings.mtry + 2)) *
			(g->small != NULL && g->nodes[id].n <= GROW_SMALL_ROWS ? SMALL_LEVELS : 1);
		status = g->t->settings.max_leaf_nodes > 0 ? turn_best_first(g, id, why)
			: turn_depth_first(g, id, why);
	}
	if (status == STATUS_OK)
		status = host_poll(g->host, why);
	if (status != STATUS_OK || g->n_frontier > 0)
		return status;
	status = grow_prune(g, why);
	if (status == STATUS_OK)
		status = grow_emit(g, why);
	*done = status == STATUS_OK;
	return status;
}

const uint8_t *
forest_grower_result(const ForestGrower *g, size_t *n_bytes)
{
	*n_bytes = g->out.n_bytes;
	return g->out.bytes;
}
