/*
 * importance.c
 *	  Permutation importances.
 *
 * The naive way scores all rows again for each feature and repeat.  But a tree
 * answers differently to a permuted value only where the row's path tests the
 * feature, and up to there the paths are the same.  So each row goes down each
 * tree once; for each feature on its path, and each repeat, the tree is walked
 * again from the first split that tests it, many such walks at a time.  What is
 * summed up per (feature, repeat) and row are the differences of leaves:
 * integers, so that the sums are exactly those of scoring again.
 *
 * A pair is one feature and one repeat.  Pairs are worked on in groups, each
 * with its own walk of all paths, as many as GROUP_BYTES hold.  Features that
 * no split tests have an importance of exactly 0 and make no pairs.
 *
 * A permutation moves the bins of a feature among the rows, missing values and
 * categories as well as numbers; it is drawn for (repeat, feature), so no
 * importance depends on what other features there are or how they are grouped.
 */
#include <math.h>

#include "core/memory.h"
#include "forest/scores.h"

#define REPEATS FOREST_PERMUTATION_REPEATS
#define GROUP_BYTES ((size_t) 64 * 1024 * 1024)
#define ROWS_PER_POLL 256

/* A walk to be done: what a pair makes of a row in one tree. */
typedef struct Rewalk
{
	uint32_t	feature;		/* the one whose bin is changed in the lane's row */
	const ModelNode *was;		/* the leaf without that */
	int64_t    *delta;			/* where the difference goes */
} Rewalk;

typedef struct Permuter
{
	const Host *host;
	const ForestTraining *training;
	const ForestModel *model;
	Failure    *why;
	ForestMeasure measure;
	void	   *ctx;

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

	/* the group at work */
	uint32_t	first_pair;
	uint32_t	n_pairs;
	uint32_t	capacity;		/* pairs of a group */
	uint8_t    *permuted;		/* per row and pair of the group: the bin of the pair's feature */
	int64_t    *delta;			/* per pair, row and output */

	/* the row at work, and its path in a tree */
	uint8_t    *lanes;			/* MODEL_LANES copies of it */
	const ModelNode **path;		/* max_depth splits and a leaf */
	uint64_t   *seen;			/* per feature: the last path on which it was dealt with */
	uint64_t	path_number;

	/* walks to be done together */
	uint32_t	n_rewalks;
	uint32_t	max_steps;
	Rewalk		rewalks[MODEL_LANES];
	const ModelNode *starts[MODEL_LANES];
} Permuter;

/* ----------------------------------------------------------------- rows -- */

/* The first rows by identity, at most FOREST_PERMUTATION_ROWS: see forest.h. */
static Status
choose_rows(Permuter *p)
{
	const ForestTraining *t = p->training;
	uint32_t	first = t->n_train;
	uint32_t	end = t->n_rows;
	Status		status;

	p->out_of_bag = t->n_rows == t->n_train;
	if (p->out_of_bag)
		first = 0;
	status = memory_new_raw(p->host, FOREST_PERMUTATION_ROWS, sizeof(uint32_t), &p->rows, p->why);
	if (status != STATUS_OK || (p->out_of_bag && !t->settings.bootstrap))
		return status;
	for (uint32_t row = first; row < end && p->n < FOREST_PERMUTATION_ROWS; row++)
	{
		if (row % ROWS_PER_POLL == 0)
		{
			status = host_poll(p->host, p->why);
			if (status != STATUS_OK)
				return status;
		}
		if (!p->out_of_bag || scores_covered(t, row))
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
	uint32_t   *scratch = NULL;
	Status		status;

	status = memory_new(p->host, p->n, p->model->n_outputs * sizeof(int64_t), &p->sums, p->why);
	if (status == STATUS_OK)
		status = memory_new(p->host, p->n, sizeof(uint32_t), &p->counts, p->why);
	if (status == STATUS_OK)
		status = memory_new_raw(p->host, p->n, sizeof(uint32_t), &scratch, p->why);
	if (status == STATUS_OK)
		status = scores_new(p->host, p->training, p->model, p->n, &p->scores, p->why);
	if (status == STATUS_OK)
		status = scores_sum(p->host, p->training, p->model, p->rows, p->n, p->out_of_bag,
							p->sums, p->counts, scratch, p->why);
	memory_free(p->host, scratch, p->n, sizeof(uint32_t));
	if (status != STATUS_OK)
		return status;
	for (uint32_t i = 0; i < p->n; i++)
		scores_set_row(p->training, p->rows[i], &p->scores, i);
	return measure_sums(p, NULL, base);
}

/* ---------------------------------------------------------------- pairs -- */

/* Which features any split tests. */
static Status
find_used(Permuter *p)
{
	uint32_t	n_features = p->model->schema.n_features;
	Status		status;

	status = memory_new_raw(p->host, n_features, sizeof(uint32_t), &p->used, p->why);
	if (status == STATUS_OK)
		status = memory_new_raw(p->host, n_features, sizeof(int32_t), &p->rank, p->why);
	if (status != STATUS_OK)
		return status;
	for (uint32_t f = 0; f < n_features; f++)
		p->rank[f] = -1;
	for (uint32_t t = 0; t < p->model->n_trees; t++)
	{
		const ModelNode *node = p->model->trees[t].root;

		status = host_poll(p->host, p->why);
		if (status != STATUS_OK)
			return status;
		for (uint32_t i = 0; i < p->model->trees[t].n_nodes; i++)
		{
			if (!model_is_leaf(node))
				p->rank[model_feature(node)] = 0;
			node = model_is_leaf(node) ? node + 2 : model_near(p->model, node);
		}
	}
	for (uint32_t f = 0; f < n_features; f++)
		if (p->rank[f] == 0)
		{
			p->rank[f] = (int32_t) p->n_used;
			p->used[p->n_used++] = f;
		}
	return STATUS_OK;
}

/* Room for a path. */
static Status
allocate_path(Permuter *p)
{
	size_t		n_path = (size_t) p->model->max_depth + 1;
	size_t		n_features = p->model->schema.n_features;
	Status		status;

	status = memory_new_raw(p->host, MODEL_LANES, p->model->row_bytes, &p->lanes, p->why);
	if (status == STATUS_OK)
		status = memory_new_raw(p->host, n_path, sizeof(ModelNode *), &p->path, p->why);
	if (status == STATUS_OK)
		status = memory_new(p->host, n_features, sizeof(uint64_t), &p->seen, p->why);
	for (uint32_t t = 0; t < p->model->n_trees; t++)
		if (p->model->trees[t].n_steps > p->max_steps)
			p->max_steps = p->model->trees[t].n_steps;
	return status;
}

/* Room for a group and for results. */
static Status
allocate_group(Permuter *p)
{
	size_t		pair_bytes = p->n * (1 + p->model->n_outputs * sizeof(int64_t));
	size_t		capacity = GROUP_BYTES / pair_bytes;
	size_t		n_pairs = (size_t) p->n_used * REPEATS;
	Status		status;

	if (capacity < 1)
		capacity = 1;
	p->capacity = (uint32_t) (capacity < n_pairs ? capacity : n_pairs);
	status = memory_new(p->host, n_pairs, sizeof(double), &p->measured, p->why);
	if (status == STATUS_OK)
		status = memory_new_raw(p->host, p->capacity, p->n, &p->permuted, p->why);
	if (status == STATUS_OK)
		status = memory_new_raw(p->host, p->capacity,
								p->n * p->model->n_outputs * sizeof(int64_t), &p->delta, p->why);
	if (status == STATUS_OK)
		status = allocate_path(p);
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
	memory_free(host, p->permuted, p->capacity, p->n);
	memory_free(host, p->delta, p->capacity, sums_bytes);
	memory_free(host, p->lanes, MODEL_LANES, p->model->row_bytes);
	memory_free(host, p->path, (size_t) p->model->max_depth + 1, sizeof(ModelNode *));
	memory_free(host, p->seen, n_features, sizeof(uint64_t));
}

/*
 * The bins of the feature of the group's pair q in a random order (Fisher and
 * Yates).
 */
static void
permute(Permuter *p, uint32_t q)
{
	uint32_t	pair = p->first_pair + q;
	uint32_t	feature = p->used[pair / REPEATS];
	uint8_t    *out = p->permuted + q;
	size_t		stride = p->n_pairs;
	RngStream	stream;

	for (uint32_t i = 0; i < p->n; i++)
		out[i * stride] = training_bins(p->training, p->rows[i])[feature];
	rng_stream_begin(&stream, p->training->settings.seed, RNG_PERMUTATION, pair % REPEATS,
					 feature);
	for (uint32_t i = p->n; i > 1; i--)
	{
		uint32_t	j = rng_stream_below(&stream, i);
		uint8_t		bin = out[j * stride];

		out[j * stride] = out[(i - 1) * stride];
		out[(i - 1) * stride] = bin;
	}
}

/* ---------------------------------------------------------------- paths -- */

/* The splits and the leaf on a row's way down a tree; returns the number of splits. */
static uint32_t
record_path(Permuter *p, const ModelNode *node, const uint8_t *row)
{
	uint32_t	n = 0;

	for (; !model_is_leaf(node); node = model_child(p->model, node, row))
		p->path[n++] = node;
	p->path[n] = node;
	p->path_number++;
	return n;
}

/* Do the walks that wait, and make their lanes copies of the row again. */
static void
finish_walks(Permuter *p, const uint8_t *row)
{
	const uint8_t *rows[MODEL_LANES];
	size_t		row_bytes = p->model->row_bytes;

	for (uint32_t i = 0; i < MODEL_LANES; i++)
	{
		rows[i] = p->lanes + i * row_bytes;
		if (i >= p->n_rewalks)
			p->starts[i] = model_no_tree;
	}
	model_walk(p->model, p->starts, rows, p->max_steps);
	for (uint32_t i = 0; i < p->n_rewalks; i++)
	{
		const Rewalk *w = &p->rewalks[i];

		if (p->starts[i] != w->was)
		{
			model_add_leaf(p->model, p->starts[i], 1, w->delta);
			model_add_leaf(p->model, w->was, -1, w->delta);
		}
		p->lanes[i * row_bytes + w->feature] = row[w->feature];
	}
	p->n_rewalks = 0;
}

/* Let a row wait for a walk from a split on, with another bin of its feature. */
static void
divert(Permuter *p, const ModelNode *split, uint8_t bin, const ModelNode *was, int64_t *delta)
{
	Rewalk	   *w = &p->rewalks[p->n_rewalks];

	w->feature = model_feature(split);
	w->was = was;
	w->delta = delta;
	p->lanes[p->n_rewalks * p->model->row_bytes + w->feature] = bin;
	p->starts[p->n_rewalks] = split;
	p->n_rewalks++;
}

/* Add the differences of the i-th row in one tree, for the group's pairs on its path. */
static void
add_path(Permuter *p, const ModelNode *root, const uint8_t *row, size_t i)
{
	uint32_t	n_splits = record_path(p, root, row);
	const uint8_t *permuted = p->permuted + i * p->n_pairs;

	for (uint32_t from = 0; from < n_splits; from++)
	{
		uint32_t	feature = model_feature(p->path[from]);
		uint32_t	pair = (uint32_t) p->rank[feature] * REPEATS;

		if (p->seen[feature] == p->path_number)
			continue;
		p->seen[feature] = p->path_number;
		for (uint32_t end = pair + REPEATS; pair < end; pair++)
		{
			size_t		q = pair - p->first_pair;

			if (pair < p->first_pair || q >= p->n_pairs || permuted[q] == row[feature])
				continue;
			divert(p, p->path[from], permuted[q], p->path[n_splits],
				   p->delta + (q * p->n + i) * p->model->n_outputs);
			if (p->n_rewalks == MODEL_LANES)
				finish_walks(p, row);
		}
	}
}

/* One row down all trees that score it. */
static void
add_row(Permuter *p, uint32_t i)
{
	const uint8_t *row = training_bins(p->training, p->rows[i]);

	for (uint32_t lane = 0; lane < MODEL_LANES; lane++)
		memcpy(p->lanes + lane * p->model->row_bytes, row, p->model->row_bytes);
	for (uint32_t t = 0; t < p->model->n_trees; t++)
		if (!p->out_of_bag ||
			scores_left_out(p->training, p->rows[i], scores_tree_key(p->training, t)))
			add_path(p, p->model->trees[t].root, row, i);
	finish_walks(p, row);
}

/* The measures of the pairs from first_pair on. */
static Status
measure_group(Permuter *p)
{
	size_t		n_sums = (size_t) p->n * p->model->n_outputs;
	Status		status = STATUS_OK;

	for (uint32_t q = 0; q < p->n_pairs; q++)
		permute(p, q);
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
	.measure = measure, .ctx = ctx};
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
