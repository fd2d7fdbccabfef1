/*
 * importance.c
 *	  Permutation importances.
 *
 * The naive way scores all rows again for each feature and repeat.  But a tree
 * answers differently to a permuted value only where the row's path tests the
 * feature, and up to there the paths are the same.  So each row goes down each
 * tree once; each feature on its path gets on its list where the first test of
 * it is, or the block with that; for each repeat the walks of a list are done
 * again, all at once.  What is summed up per (feature, repeat) and row are the
 * differences of leaves: integers, so that the sums are exactly those of
 * scoring again.
 *
 * The first FOREST_PERMUTATION_TREES trees speak for the forest: what permuting
 * a feature costs them is what it costs more of them, and their walks are most
 * of the work.
 *
 * A pair is one feature and one repeat.  Pairs are worked on in groups, each
 * with its own walk of all paths, as many as GROUP_BYTES hold.  Features that
 * no split tests have an importance of exactly 0 and make no pairs.
 *
 * A permutation moves the bins of a feature among the rows, missing values and
 * categories as well as numbers.  Each repeat has one, the same for every
 * feature, as in scikit-learn: no importance depends on what other features
 * there are or how they are grouped.
 */
#include <math.h>

#include "core/memory.h"
#include "forest/scores.h"

#define REPEATS FOREST_PERMUTATION_REPEATS
#define GROUP_BYTES ((size_t) 64 * 1024 * 1024)
#define ROWS_PER_POLL 256

/* Trees that a row goes down before lists are worked off. */
#define LIST_TREES 64

_Static_assert(LIST_TREES <= BLOCK_WALKS, "a list is walked at once");

/*
 * Where the paths of a row first test a feature; and the leaves they end in.
 * Walks of blocks that take one block less have a list of their own.
 */
typedef struct List
{
	uint32_t	n;
	/* one more than can be on it: where the next would be is written always */
	uint32_t	entries[LIST_TREES + 1];
	uint8_t		tree[LIST_TREES + 1];	/* the place of its leaf */
} List;

#define LISTS 2					/* of a feature: walks of all blocks, and of the last alone */

typedef struct Permuter
{
	const Host *host;
	const ForestTraining *training;
	const ForestModel *model;
	Failure    *why;
	ForestMeasure measure;
	void	   *ctx;

	uint32_t	n_trees;		/* the first ones of the model */

	/* the rows */
	bool		out_of_bag;
	uint32_t	n;
	uint32_t   *rows;			/* of the training */
	int64_t    *sums;			/* n × n_outputs, as they are */
	uint32_t   *counts;			/* trees that score each */
	ForestScores scores;		/* outputs are filled anew for each measure */

	/* the pairs: pair q is feature used[q / REPEATS], repeat q % REPEATS */
	uint32_t	n_used;
	uint32_t   *used;
	int32_t    *rank;			/* feature to its place in used, or -1 */
	double	   *measured;		/* per pair */
	uint32_t   *others;			/* per row and repeat: the row whose value it gets */

	/* the group at work */
	uint32_t	first_pair;
	uint32_t	n_pairs;
	uint32_t	capacity;		/* pairs of a group */
	int64_t    *delta;			/* per pair, row and output */
	int64_t		change[FOREST_MAX_CLASSES]; /* scratch: what one bin changes, per output */

	/* the row at work, and its paths down some trees */
	CpuLevel	level;
	ModelRow	row;
	uint8_t    *bins;			/* nodes: a copy of the row, one bin changed */
	const uint8_t *others_bins[REPEATS];	/* of the rows whose values it gets */
	uint64_t   *keys;			/* of all trees */
	List	   *lists;			/* LISTS for each feature used, and for one that is not */
	uint32_t	leaves[LIST_TREES];
	uint64_t   *seen;			/* nodes: per feature, the last path on which it was met */
	uint64_t	path_number;
} Permuter;

/* ----------------------------------------------------------------- rows -- */

/* The first rows by identity: see forest.h. */
static Status
choose_rows(Permuter *p)
{
	const ForestTraining *t = p->training;
	uint32_t	first = t->n_train;
	uint32_t	end = t->n_rows;
	uint32_t	most;
	Status		status;

	p->out_of_bag = t->n_rows == t->n_train;
	if (p->out_of_bag)
		first = 0;
	most = forest_permutation_rows(end - first);
	status = memory_new_raw(p->host, FOREST_PERMUTATION_ROWS, sizeof(uint32_t), &p->rows, p->why);
	if (status != STATUS_OK || (p->out_of_bag && !t->settings.bootstrap))
		return status;
	for (uint32_t row = first; row < end && p->n < most; row++)
	{
		if (row % ROWS_PER_POLL == 0)
		{
			status = host_poll(p->host, p->why);
			if (status != STATUS_OK)
				return status;
		}
		if (!p->out_of_bag || scores_covered(t, row, p->n_trees))
			p->rows[p->n++] = row;
	}
	return STATUS_OK;
}

/* The measure of sums plus a pair's differences, or of the sums alone. */
static Status
measure_sums(Permuter *p, const int64_t *delta, double *out)
{
	uint32_t	k = p->model->n_outputs;
	int64_t		sums[FOREST_MAX_CLASSES];

	for (size_t i = 0; i < p->n; i++)
	{
		for (uint32_t j = 0; j < k; j++)
			sums[j] = p->sums[i * k + j] + (delta != NULL ? delta[i * k + j] : 0);
		model_outputs(p->model, sums, p->counts[i], p->scores.outputs + i * k);
	}
	return p->measure(p->ctx, &p->scores, out, p->why);
}

/* Sums, counts, labels and the measure of the rows as they are. */
static Status
score_rows(Permuter *p, double *base)
{
	Status		status;

	status = memory_new(p->host, p->n, p->model->n_outputs * sizeof(int64_t), &p->sums, p->why);
	if (status == STATUS_OK)
		status = memory_new(p->host, p->n, sizeof(uint32_t), &p->counts, p->why);
	if (status == STATUS_OK)
		status = scores_new(p->host, p->training, p->model, p->n, &p->scores, p->why);
	if (status == STATUS_OK)
		status = scores_sum(p->host, p->training, p->model, p->n_trees, p->rows, p->n,
							p->out_of_bag, p->sums, p->counts, p->why);
	if (status != STATUS_OK)
		return status;
	for (uint32_t i = 0; i < p->n; i++)
		scores_set_row(p->training, p->rows[i], &p->scores, i);
	return measure_sums(p, NULL, base);
}

/* ---------------------------------------------------------------- pairs -- */

/* Mark, with a rank of 0, the features that the nodes of a tree test. */
static void
mark_nodes(Permuter *p, const ModelTree *tree)
{
	const ModelNode *node = tree->root;

	for (uint32_t i = 0; i < tree->n_nodes; i++)
	{
		if (!model_is_leaf(node))
			p->rank[model_feature(node)] = 0;
		node = model_is_leaf(node) ? node + 2 : model_near(p->model, node);
	}
}

/* The same for the tests of a block. */
static void
mark_block(Permuter *p, uint32_t number)
{
	const ModelBlocks *b = &p->model->blocks;

	for (uint32_t node = 1; node < BLOCK_NODES; node++)
		if (blocks_is_split(b, number, node))
			p->rank[blocks_feature(b, number, node)] = 0;
}

/* Which features any split tests. */
static Status
find_used(Permuter *p)
{
	const ForestModel *model = p->model;
	uint32_t	n_features = model->schema.n_features;
	uint32_t	n_parts = blocks_used(&model->blocks) ? model->blocks.n_blocks : model->n_trees;
	Status		status;

	status = memory_new_raw(p->host, n_features, sizeof(uint32_t), &p->used, p->why);
	if (status == STATUS_OK)
		status = memory_new_raw(p->host, n_features, sizeof(int32_t), &p->rank, p->why);
	if (status != STATUS_OK)
		return status;
	for (uint32_t f = 0; f < n_features; f++)
		p->rank[f] = -1;
	for (uint32_t i = 0; i < n_parts; i++)
	{
		status = i % ROWS_PER_POLL == 0 ? host_poll(p->host, p->why) : STATUS_OK;
		if (status != STATUS_OK)
			return status;
		if (blocks_used(&model->blocks))
			mark_block(p, i);
		else
			mark_nodes(p, &model->trees[i]);
	}
	for (uint32_t f = 0; f < n_features; f++)
		if (p->rank[f] == 0)
		{
			p->rank[f] = (int32_t) p->n_used;
			p->used[p->n_used++] = f;
		}
	return STATUS_OK;
}

/* Room for paths. */
static Status
allocate_paths(Permuter *p)
{
	size_t		n_features = p->model->schema.n_features;
	Status		status;

	p->level = cpu_level(p->host->cpu_limit);
	status = memory_new(p->host, p->n_used + 1, LISTS * sizeof(List), &p->lists, p->why);
	if (status == STATUS_OK)
		status = memory_new_raw(p->host, p->model->row_bytes, 1, &p->bins, p->why);
	if (status == STATUS_OK)
		status = memory_new(p->host, n_features, sizeof(uint64_t), &p->seen, p->why);
	if (status == STATUS_OK)
		status = memory_new_raw(p->host, p->n_trees, sizeof(uint64_t), &p->keys, p->why);
	if (status == STATUS_OK)
		for (uint32_t t = 0; t < p->n_trees; t++)
			p->keys[t] = scores_tree_key(p->training, t);
	return status;
}

/* Room for a group and for results. */
static Status
allocate_group(Permuter *p)
{
	size_t		pair_bytes = p->n * p->model->n_outputs * sizeof(int64_t);
	size_t		capacity = GROUP_BYTES / pair_bytes;
	size_t		n_pairs = (size_t) p->n_used * REPEATS;
	Status		status;

	if (capacity < 1)
		capacity = 1;
	p->capacity = (uint32_t) (capacity < n_pairs ? capacity : n_pairs);
	status = memory_new(p->host, n_pairs, sizeof(double), &p->measured, p->why);
	if (status == STATUS_OK)
		status = memory_new_raw(p->host, p->n, REPEATS * sizeof(uint32_t), &p->others, p->why);
	if (status == STATUS_OK)
		status = memory_new_raw(p->host, p->capacity, pair_bytes, &p->delta, p->why);
	if (status == STATUS_OK)
		status = allocate_paths(p);
	return status;
}

static void
permuter_free(Permuter *p)
{
	const Host *host = p->host;
	size_t		n_features = p->model->schema.n_features;
	size_t		sums_bytes = p->n * p->model->n_outputs * sizeof(int64_t);

	memory_free(host, p->rows, FOREST_PERMUTATION_ROWS, sizeof(uint32_t));
	memory_free(host, p->sums, sums_bytes, 1);
	memory_free(host, p->counts, p->n, sizeof(uint32_t));
	forest_scores_free(host, &p->scores);
	memory_free(host, p->used, n_features, sizeof(uint32_t));
	memory_free(host, p->rank, n_features, sizeof(int32_t));
	memory_free(host, p->measured, (size_t) p->n_used * REPEATS, sizeof(double));
	memory_free(host, p->others, p->n, REPEATS * sizeof(uint32_t));
	memory_free(host, p->delta, p->capacity, sums_bytes);
	memory_free(host, p->lists, p->n_used + 1, LISTS * sizeof(List));
	memory_free(host, p->bins, p->model->row_bytes, 1);
	memory_free(host, p->seen, n_features, sizeof(uint64_t));
	memory_free(host, p->keys, p->n_trees, sizeof(uint64_t));
}

/* A random order of the rows for each repeat (Fisher and Yates). */
static void
permute(Permuter *p)
{
	for (uint32_t repeat = 0; repeat < REPEATS; repeat++)
	{
		uint32_t   *others = p->others + repeat;
		RngStream	stream;

		for (uint32_t i = 0; i < p->n; i++)
			others[i * REPEATS] = p->rows[i];
		rng_stream_begin(&stream, p->training->settings.seed, RNG_PERMUTATION, repeat, 0);
		for (uint32_t i = p->n; i > 1; i--)
		{
			uint32_t	j = rng_stream_below(&stream, i);
			uint32_t	row = others[j * REPEATS];

			others[j * REPEATS] = others[(i - 1) * REPEATS];
			others[(i - 1) * REPEATS] = row;
		}
	}
}

/* ---------------------------------------------------------------- paths -- */

/* Put the i-th walk on a list, if this is the first test of its feature. */
static inline void
put_on_list(List *list, uint32_t entry, uint32_t i, bool first)
{
	list->entries[list->n] = entry;
	list->tree[list->n] = (uint8_t) i;
	list->n += first;
}

/* The features that one block asked a row on its way to an exit, for the i-th walk. */
static inline void
list_block(Permuter *p, const uint32_t *list_of, uint32_t word, uint32_t place, uint32_t i,
		   uint64_t *seen)
{
	const ModelBlocks *b = &p->model->blocks;
	const uint8_t *line = b->lines + place / BLOCK_NODES * blocks_line_bytes(b);
	uint32_t	start = b->even ? 1 : word % BLOCK_NODES;

	for (uint32_t node = (BLOCK_NODES + place % BLOCK_NODES) / 2; node >= start; node /= 2)
	{
		uint32_t	slot = line[node] & BLOCK_SLOT;

		put_on_list(&p->lists[list_of[slot]], word, i, (*seen >> slot & 1) == 0);
		*seen |= UINT64_C(1) << slot;
	}
}

/* Walk down n trees of blocks, and fill the lists. */
static void
list_blocks(Permuter *p, const uint32_t *entries, uint32_t n)
{
	const ModelBlocks *b = &p->model->blocks;
	uint32_t	words[LIST_TREES];
	uint32_t	places[LIST_TREES];
	uint64_t	seen[LIST_TREES] = {0};
	uint8_t		who[LIST_TREES];
	uint32_t	list_of[BLOCK_MAX_SLOTS] = {0};

	for (uint32_t f = 0; f < p->model->schema.n_features; f++)
		list_of[b->code[f] & BLOCK_SLOT] =
			LISTS * (p->rank[f] >= 0 ? (uint32_t) p->rank[f] : p->n_used);
	for (uint32_t i = 0; i < n; i++)
		who[i] = (uint8_t) i;
	memcpy(words, entries, n * sizeof(words[0]));
	for (uint32_t round = 0; n > 0; round++)
	{
		uint32_t	left = 0;
		bool		last = b->even && round + 1 == b->n_rounds;

		for (uint32_t i = n; i < blocks_walks_room(n); i++)
			words[i] = p->model->entries[0];
		blocks_exits(b, &p->row.row, words, n, places);
		if (round == 1 && b->even)
			for (uint32_t slot = 0; slot < BLOCK_MAX_SLOTS; slot++)
				list_of[slot]++;
		for (uint32_t i = 0; i < n; i++)
		{
			uint32_t	next = b->exits[places[i]];

			list_block(p, list_of, words[i], places[i], who[i], &seen[who[i]]);
			p->leaves[who[i]] = next;
			who[left] = who[i];
			words[left] = next;
			left += b->even ? !last : next / BLOCK_GOES_ON;
		}
		n = left;
	}
}

/* The same for trees of nodes. */
static void
list_nodes(Permuter *p, const uint32_t *entries, uint32_t n)
{
	const ModelNode *nodes = p->model->nodes;

	for (uint32_t i = 0; i < n; i++)
	{
		const ModelNode *node = nodes + entries[i];

		p->path_number++;
		for (; !model_is_leaf(node); node = model_child(p->model, node, p->row.bins))
		{
			uint32_t	f = model_feature(node);

			put_on_list(&p->lists[LISTS * p->rank[f]], (uint32_t) (node - nodes), i,
						p->seen[f] != p->path_number);
			p->seen[f] = p->path_number;
		}
		p->leaves[i] = (uint32_t) (node - nodes);
	}
}

/* Do the walks of a list again, and add the differences. */
static void
walk_list(Permuter *p, const List *list, bool last_block, int64_t *delta)
{
	const ForestModel *model = p->model;
	uint32_t	leaves[LIST_TREES];

	if (list->n == 0)
		return;
	if (last_block)
		blocks_leaves(&model->blocks, &p->row.row, list->entries, list->n, 1, leaves);
	else
		model_leaves(model, &p->row, list->entries, list->n, leaves);
	if (blocks_used(&model->blocks) && model->schema.n_classes == 2)
	{
		int64_t		sum = 0;

		for (uint32_t i = 0; i < list->n; i++)
			sum += (int64_t) leaves[i] - p->leaves[list->tree[i]];
		delta[0] += sum;
		return;
	}
	for (uint32_t i = 0; i < list->n; i++)
	{
		uint32_t	was = p->leaves[list->tree[i]];

		if (leaves[i] == was)
			continue;
		model_add_leaf(model, leaves[i], 1, delta);
		model_add_leaf(model, was, -1, delta);
	}
}

/* Is a bin among the first n? */
static bool
is_among(const uint8_t *bins, uint32_t n, uint8_t bin)
{
	for (uint32_t i = 0; i < n; i++)
		if (bins[i] == bin)
			return true;
	return false;
}

/*
 * The i-th row with other bins of a feature, for its repeats that are in the
 * group: each bin once, since features of a few bins often draw one again.
 */
static void
walk_lists(Permuter *p, uint32_t used, uint32_t i)
{
	List	   *lists = &p->lists[LISTS * used];
	uint32_t	feature = p->used[used];
	uint32_t	n_outputs = p->model->n_outputs;
	uint32_t	first = used * REPEATS < p->first_pair ? p->first_pair : used * REPEATS;
	uint32_t	end = (used + 1) * REPEATS;
	uint32_t	n;
	uint8_t		was = p->bins[feature];
	uint8_t		drawn[REPEATS];

	if (end > p->first_pair + p->n_pairs)
		end = p->first_pair + p->n_pairs;
	if (first >= end || lists[0].n + lists[1].n == 0)
		return;
	/* the second bound always holds: compilers want to see it */
	n = end - first < REPEATS ? end - first : REPEATS;
	for (int k = 0; k < LISTS; k++)
		for (uint32_t j = lists[k].n; j < blocks_walks_room(lists[k].n); j++)
			lists[k].entries[j] = p->model->entries[0];
	for (uint32_t r = 0; r < n; r++)
		drawn[r] = p->others_bins[first % REPEATS + r][feature];
	for (uint32_t r = 0; r < n; r++)
	{
		if (drawn[r] == was || is_among(drawn, r, drawn[r]))
			continue;
		memset(p->change, 0, n_outputs * sizeof(int64_t));
		model_row_set(p->model, feature, drawn[r], p->bins, &p->row);
		walk_list(p, &lists[0], false, p->change);
		walk_list(p, &lists[1], true, p->change);
		for (uint32_t same = r; same < n; same++)
		{
			size_t		q = first - p->first_pair + same;
			int64_t    *delta = p->delta + (q * p->n + i) * n_outputs;

			for (uint32_t j = 0; drawn[same] == drawn[r] && j < n_outputs; j++)
				delta[j] += p->change[j];
		}
	}
	model_row_set(p->model, feature, was, p->bins, &p->row);
}

/* One row down all trees that score it. */
static void
add_row(Permuter *p, uint32_t i)
{
	const ForestModel *model = p->model;
	uint32_t	entries[LIST_TREES + 1];

	memcpy(p->bins, training_bins(p->training, p->rows[i]), model->row_bytes);
	for (uint32_t r = 0; r < REPEATS; r++)
		p->others_bins[r] = training_bins(p->training, p->others[i * REPEATS + r]);
	model_row(model, p->level, p->bins, &p->row);
	for (uint32_t first = 0; first < p->n_trees; first += LIST_TREES)
	{
		uint32_t	left = p->n_trees - first;
		uint32_t	n = left < LIST_TREES ? left : LIST_TREES;

		if (p->out_of_bag)
			n = scores_pick_trees(p->training, model, p->rows[i], p->keys + first, first, n,
								  entries);
		else
			memcpy(entries, model->entries + first, blocks_walks_room(n) * sizeof(entries[0]));
		for (uint32_t k = 0; k < LISTS * (p->n_used + 1); k++)
			p->lists[k].n = 0;
		if (blocks_used(&model->blocks))
			list_blocks(p, entries, n);
		else
			list_nodes(p, entries, n);
		for (uint32_t used = 0; used < p->n_used; used++)
			walk_lists(p, used, i);
	}
}

/* The measures of the pairs from first_pair on. */
static Status
measure_group(Permuter *p)
{
	size_t		n_sums = (size_t) p->n * p->model->n_outputs;
	Status		status = STATUS_OK;

	memset(p->delta, 0, p->n_pairs * n_sums * sizeof(int64_t));
	for (uint32_t i = 0; i < p->n && status == STATUS_OK; i++)
	{
		status = host_poll(p->host, p->why);
		if (status == STATUS_OK)
			add_row(p, i);
	}
	for (uint32_t q = 0; q < p->n_pairs && status == STATUS_OK; q++)
	{
		status = host_poll(p->host, p->why);
		if (status == STATUS_OK)
			status = measure_sums(p, p->delta + q * n_sums, &p->measured[p->first_pair + q]);
	}
	return status;
}

/* -------------------------------------------------------------- results -- */

/* Mean and sample standard deviation of what a feature's repeats lost. */
static void
summarise(const double *measured, double base, double *mean, double *sd)
{
	double		sum = 0;
	double		squares = 0;

	for (int r = 0; r < REPEATS; r++)
		sum += base - measured[r];
	*mean = sum / REPEATS;
	for (int r = 0; r < REPEATS; r++)
	{
		double		off = base - measured[r] - *mean;

		squares += off * off;
	}
	*sd = sqrt(squares / (REPEATS - 1));
}

static Status
permute_all(Permuter *p, double *mean, double *sd)
{
	uint32_t	n_pairs;
	double		base;
	Status		status = score_rows(p, &base);

	if (status == STATUS_OK)
		status = find_used(p);
	if (status == STATUS_OK)
		status = allocate_group(p);
	if (status != STATUS_OK)
		return status;

	permute(p);
	n_pairs = p->n_used * REPEATS;
	for (p->first_pair = 0; p->first_pair < n_pairs; p->first_pair += p->n_pairs)
	{
		p->n_pairs = n_pairs - p->first_pair;
		if (p->n_pairs > p->capacity)
			p->n_pairs = p->capacity;
		status = measure_group(p);
		if (status != STATUS_OK)
			return status;
	}

	for (uint32_t f = 0; f < p->model->schema.n_features; f++)
	{
		mean[f] = sd[f] = isnan(base) ? NAN : 0;
		if (p->rank[f] >= 0)
			summarise(p->measured + p->rank[f] * REPEATS, base, &mean[f], &sd[f]);
	}
	return STATUS_OK;
}

Status
forest_permutation_importance(const Host *host, const ForestTraining *training,
							  const ForestModel *model, ForestMeasure measure, void *ctx,
							  double *mean, double *sd, size_t *n_rows, Failure *why)
{
	Permuter	p = {.host = host, .training = training, .model = model, .why = why,
	.measure = measure, .ctx = ctx,
	.n_trees = model->n_trees < FOREST_PERMUTATION_TREES ? model->n_trees
	: FOREST_PERMUTATION_TREES};
	Status		status = scores_check(training, model, why);

	if (status != STATUS_OK)
		return status;
	status = choose_rows(&p);
	if (status == STATUS_OK && p.n > 0)
		status = permute_all(&p, mean, sd);
	if (status == STATUS_OK && p.n == 0)
		for (uint32_t f = 0; f < model->schema.n_features; f++)
			mean[f] = sd[f] = NAN;
	if (status == STATUS_OK)
		*n_rows = p.n;
	permuter_free(&p);
	return status;
}
