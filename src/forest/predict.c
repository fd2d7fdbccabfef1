/*
 * predict.c
 *	  Scores of encoded rows.
 *
 * Sums are of integers: every order of trees and rows gives equal bits.
 * Several rows are scored in tiles, one tree or a few at a time, so that these
 * stay in the nearest cache, and answer first blocks together.
 */
#include <math.h>

#include "forest/blocks_tile.h"
#include "forest/model.h"

void
model_outputs(const ForestModel *model, const int64_t *sums, uint32_t n_trees, double *out)
{
	uint32_t	n_classes = model->schema.n_classes;
	int64_t		total = 0;

	if (n_classes == 0)
	{
		/* divided first: the sum itself may be beyond the range of a double */
		out[0] = model->schema.target_offset +
			ldexp((double) sums[0] / n_trees, -model->number_shift);
		return;
	}
	if (n_classes == 2)
	{
		out[0] = (double) sums[0] / ((double) TREE_ONE * n_trees);
		return;
	}

	/* leaves round each class on its own: what they add up to is near one, not one */
	for (uint32_t k = 0; k < n_classes; k++)
		total += sums[k];
	for (uint32_t k = 0; k < n_classes; k++)
		out[k] = (double) sums[k] / (double) total;
}

/* ----------------------------------------------------------------- rows -- */

void
model_row(const ForestModel *model, CpuLevel level, const uint8_t *bins, ModelRow *row)
{
	row->bins = bins;
	if (blocks_used(&model->blocks))
		blocks_row(&model->blocks, level, bins, &row->row);
}

void
model_row_set(const ForestModel *model, uint32_t feature, uint8_t bin, uint8_t *bins,
			  ModelRow *row)
{
	bins[feature] = bin;
	if (blocks_used(&model->blocks))
		blocks_row_set(&model->blocks, feature, bin, &row->row);
}

/* Leaves of a model of nodes. */
static void
node_leaves(const ForestModel *model, const uint8_t *bins, const uint32_t *entries, uint32_t n,
			uint32_t *leaves)
{
	/* lanes that are idle cost as much as others */
	for (uint32_t i = 0; n < MODEL_LANES / 3 && i < n; i++)
		leaves[i] = (uint32_t) (model_leaf(model, model->nodes + entries[i], bins) - model->nodes);
	if (n < MODEL_LANES / 3)
		return;
	for (uint32_t first = 0; first < n; first += MODEL_LANES)
	{
		const ModelNode *nodes[MODEL_LANES];

		for (uint32_t i = 0; i < MODEL_LANES; i++)
			nodes[i] = first + i < n ? model->nodes + entries[first + i] : model_no_tree;
		model_walk_row(model, nodes, bins, model->max_steps);
		for (uint32_t i = 0; i < MODEL_LANES && first + i < n; i++)
			leaves[first + i] = (uint32_t) (nodes[i] - model->nodes);
	}
}

void
model_leaves(const ForestModel *model, const ModelRow *row, const uint32_t *entries, uint32_t n,
			 uint32_t *leaves)
{
	if (blocks_used(&model->blocks))
		blocks_leaves(&model->blocks, &row->row, entries, n, model->blocks.n_rounds, leaves);
	else
		node_leaves(model, row->bins, entries, n, leaves);
}

void
model_add_leaves(const ForestModel *model, const uint32_t *leaves, uint32_t n, int64_t *sums)
{
	if (blocks_used(&model->blocks) && model->schema.n_classes == 2)
	{
		uint64_t	sum = 0;

		for (uint32_t i = 0; i < n; i++)
			sum += leaves[i];
		sums[0] += (int64_t) sum;
		return;
	}
	if (!blocks_used(&model->blocks) && model->n_outputs == 1)
		for (uint32_t i = 0; i < n; i++)
			sums[0] += model_leaf_value(model->nodes + leaves[i]);
	else
		for (uint32_t i = 0; i < n; i++)
			model_add_leaf(model, leaves[i], 1, sums);
}

/* -------------------------------------------------------------- scoring -- */

/* Rows of a tile of walks, and the trees that a tile goes down at a time. */
#define TILE_ROWS 32
#define TILE_TREES 64

/* Sums that a tile has room for; of more outputs than that, rows come one by one. */
#define TILE_SUMS (8 * TILE_ROWS)

static void
score_row(const ForestModel *model, CpuLevel level, const uint8_t *bins, double *out)
{
	int64_t		sums[FOREST_MAX_CLASSES];
	uint32_t	leaves[BLOCK_WALKS];
	ModelRow	row;

	memset(sums, 0, model->n_outputs * sizeof(sums[0]));
	if (model->tree_bytes != NULL)
	{
		model_add_bytes(model, bins, sums);
		model_outputs(model, sums, model->n_trees, out);
		return;
	}
#ifdef MODEL_AVX512
	if (!blocks_used(&model->blocks) && level == CPU_AVX512 &&
		model->n_trees >= MODEL_AVX512_TREES)
	{
		model_add_row_avx512(model, bins, sums);
		model_outputs(model, sums, model->n_trees, out);
		return;
	}
#endif
	model_row(model, level, bins, &row);
	for (uint32_t t = 0; t < model->n_trees; t += BLOCK_WALKS)
	{
		uint32_t	n = model->n_trees - t < BLOCK_WALKS ? model->n_trees - t : BLOCK_WALKS;

		model_leaves(model, &row, model->entries + t, n, leaves);
		model_add_leaves(model, leaves, n, sums);
	}
	model_outputs(model, sums, model->n_trees, out);
}

/* Up to TILE_ROWS rows down trees of blocks. */
static void
score_tile(const ForestModel *model, CpuLevel level, const uint8_t *rows, size_t n, double *out)
{
	int64_t		sums[TILE_SUMS];
	ModelRow	tile[TILE_ROWS];
	uint32_t	leaves[BLOCK_WALKS];

	memset(sums, 0, n * model->n_outputs * sizeof(sums[0]));
	for (size_t i = 0; i < n; i++)
		model_row(model, level, rows + i * model->row_bytes, &tile[i]);
	for (uint32_t t = 0; t < model->n_trees; t += TILE_TREES)
	{
		uint32_t	n_trees = model->n_trees - t < TILE_TREES ? model->n_trees - t : TILE_TREES;

		for (size_t i = 0; i < n; i++)
		{
			model_leaves(model, &tile[i], model->entries + t, n_trees, leaves);
			model_add_leaves(model, leaves, n_trees, sums + i * model->n_outputs);
		}
	}
	for (size_t i = 0; i < n; i++)
		model_outputs(model, sums + i * model->n_outputs, model->n_trees,
					  out + i * model->n_outputs);
}

/* Sums of rows that answer first blocks together; and with fewer rows they do not. */
#define TOGETHER_SUMS (8 * BLOCK_TILE)
#define TOGETHER_LEAST 32

/* The rows of a tile down all trees, in plain C. */
static void
add_trees_portable(const ForestModel *model, const BlockTile *tile, const uint8_t *rows,
				   int64_t *sums)
{
	uint32_t	words[BLOCK_TILE_PORTABLE][BLOCK_TILE_STRIDE];
	uint32_t	leaves[BLOCK_TILE_TREES];
	BlockRow	row;

	for (uint32_t t = 0; t < model->n_trees; t += BLOCK_TILE_TREES)
	{
		uint32_t	left = model->n_trees - t;
		uint32_t	n_trees = left < BLOCK_TILE_TREES ? left : BLOCK_TILE_TREES;

		for (uint32_t i = 0; i < n_trees; i++)
			blocks_tile_words(&model->blocks, tile, model->entries[t + i], &words[0][i]);
		for (uint32_t i = 0; i < tile->n_rows; i++)
		{
			/* walks are done several at a time, and those that are too many follow a word too */
			for (uint32_t k = n_trees; k < blocks_walks_room(n_trees); k++)
				words[i][k] = 0;
			blocks_row(&model->blocks, CPU_PORTABLE, rows + tile->order[i] * model->row_bytes, &row);
			blocks_leaves_behind(&model->blocks, &row, words[i], n_trees, leaves);
			model_add_leaves(model, leaves, n_trees, sums + i * model->n_outputs);
		}
	}
}

#ifdef CPU_X86
/* The same with AVX2: of one tree the leaves of all rows, then of the next. */
static void
add_trees_avx2(const ForestModel *model, const BlockTile *tile, int64_t *sums)
{
	uint32_t	leaves[BLOCK_TILE];

	for (uint32_t t = 0; t < model->n_trees; t++)
	{
		blocks_tile_leaves_avx2(&model->blocks, tile, model->entries[t], leaves);
		if (model->schema.n_classes == 2)
			for (uint32_t i = 0; i < tile->n_rows; i++)
				sums[i] += leaves[i];
		else
			for (uint32_t i = 0; i < tile->n_rows; i++)
				model_add_leaf(model, leaves[i], 1, sums + i * model->n_outputs);
	}
}
#endif

/* Rows of a tile of blocks that answer first blocks together. */
static void
score_together(const ForestModel *model, CpuLevel level, const uint8_t *rows, uint32_t n,
			   double *out)
{
	int64_t		sums[TOGETHER_SUMS];
	BlockTile	tile;

	memset(sums, 0, n * model->n_outputs * sizeof(sums[0]));
	blocks_tile(&model->blocks, level, rows, model->row_bytes, n, &tile);
#ifdef CPU_X86
	if (level != CPU_PORTABLE)
		add_trees_avx2(model, &tile, sums);
	else
#endif
		add_trees_portable(model, &tile, rows, sums);
	for (uint32_t i = 0; i < n; i++)
		model_outputs(model, sums + i * model->n_outputs, model->n_trees,
					  out + tile.order[i] * model->n_outputs);
}

/* Add the leaves of one tree of nodes to the sums of n rows. */
static void
add_tree(const ForestModel *model, const ModelTree *tree, const uint8_t *rows, size_t n,
		 int64_t *sums)
{
	for (size_t first = 0; first < n; first += MODEL_LANES)
	{
		const uint8_t *lanes[MODEL_LANES];
		const ModelNode *leaves[MODEL_LANES];
		size_t		n_lanes = n - first < MODEL_LANES ? n - first : MODEL_LANES;

		for (size_t i = 0; i < MODEL_LANES; i++)
		{
			lanes[i] = rows + (first + (i < n_lanes ? i : 0)) * model->row_bytes;
			leaves[i] = tree->root;
		}
		model_walk(model, leaves, lanes, tree->n_steps);
		for (size_t i = 0; i < n_lanes; i++)
			if (model->n_outputs == 1)
				sums[first + i] += model_leaf_value(leaves[i]);
			else
				model_add_leaf(model, (uint32_t) (leaves[i] - model->nodes), 1,
							   sums + (first + i) * model->n_outputs);
	}
}

/* Sums of several rows down trees of nodes: 256 rows of up to 8 outputs, fewer rows of more. */
#define BLOCK_SUMS (8 * FOREST_SCORE_BLOCK)

static void
score_nodes(const ForestModel *model, const uint8_t *rows, size_t n, double *out)
{
	int64_t		sums[BLOCK_SUMS];

	memset(sums, 0, n * model->n_outputs * sizeof(sums[0]));
	for (uint32_t t = 0; t < model->n_trees; t++)
		add_tree(model, &model->trees[t], rows, n, sums);
	for (size_t i = 0; i < n; i++)
		model_outputs(model, sums + i * model->n_outputs, model->n_trees,
					  out + i * model->n_outputs);
}

/* Score some of n rows down trees of blocks; returns how many. */
static size_t
score_blocks(const ForestModel *model, CpuLevel level, const uint8_t *rows, size_t n, double *out)
{
	const ModelBlocks *b = &model->blocks;
	size_t		at_once = blocks_tile_room(b, level);

	if (at_once > TOGETHER_SUMS / model->n_outputs)
		at_once = TOGETHER_SUMS / model->n_outputs;
	if (n < at_once)
		at_once = n;
	if ((level == CPU_PORTABLE || b->even) && at_once >= TOGETHER_LEAST)
	{
		score_together(model, level, rows, (uint32_t) at_once, out);
		return at_once;
	}
	at_once = TILE_SUMS / model->n_outputs;
	at_once = at_once < TILE_ROWS ? at_once : TILE_ROWS;
	at_once = at_once < n ? at_once : n;
	if (level == CPU_PORTABLE || at_once <= 1)
	{
		score_row(model, level, rows, out);
		return 1;
	}
	score_tile(model, level, rows, at_once, out);
	return at_once;
}

/* Score some of n rows; returns how many. */
static size_t
score_some(const ForestModel *model, CpuLevel level, const uint8_t *rows, size_t n, double *out)
{
	size_t		at_once = BLOCK_SUMS / model->n_outputs;

	if (blocks_used(&model->blocks))
		return score_blocks(model, level, rows, n, out);
	at_once = at_once < FOREST_SCORE_BLOCK ? at_once : FOREST_SCORE_BLOCK;
	at_once = at_once < n ? at_once : n;
	if (model->tree_bytes != NULL || at_once < MODEL_LANES)
	{
		score_row(model, level, rows, out);
		return 1;
	}
	score_nodes(model, rows, at_once, out);
	return at_once;
}

void
forest_score(const ForestModel *model, const uint8_t *rows, size_t n, double *out)
{
	CpuLevel	level = cpu_level(model->host->cpu_limit);
	double	   *outputs = out;
	size_t		n_rows = n;

	while (n > 0)
	{
		size_t		now = score_some(model, level, rows, n, out);

		rows += now * model->row_bytes;
		out += now * model->n_outputs;
		n -= now;
	}
	if (model->calibration != NULL)
		forest_calibrate(model->calibration, outputs, n_rows);
}

void
forest_probabilities(const ForestModel *model, const double *outputs, double *proba)
{
	uint32_t	n_classes = model->schema.n_classes;

	if (n_classes == 2)
	{
		proba[0] = 1 - outputs[0];
		proba[1] = outputs[0];
		return;
	}
	for (uint32_t k = 0; k < n_classes; k++)
		proba[k] = outputs[k];
}
