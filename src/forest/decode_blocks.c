/*
 * decode_blocks.c
 *	  Trees into blocks (blocks.h), in one pass.
 *
 * A tree is first cut into blocks of its own, then these are put behind those
 * of the trees before: as they are, or several small ones into one.
 */
#include <string.h>

#include "core/memory.h"
#include "forest/decode.h"

/* ------------------------------------------------------- blocks of a tree -- */

/* A tree cut into blocks, of which the first is its root's. */
typedef struct BlockTree
{
	size_t		n_blocks;
	size_t		capacity;		/* of all that follow, but for words */
	uint8_t    *lines;
	size_t		lines_capacity;
	uint32_t   *exits;			/* with BLOCK_GOES_ON: the number of a block of the tree */
	size_t		exits_capacity;
	uint8_t    *height;			/* levels with splits */
	size_t		height_capacity;
	uint32_t   *words;			/* what leads to each block, in the model */
	size_t		words_capacity;
} BlockTree;

typedef struct Place
{
	uint32_t	block;
	uint32_t	node;			/* of its heap: 32 and above are exits */
	uint32_t	in_block;		/* level of the node */
} Place;

typedef struct Decoder
{
	const Host *host;
	ForestModel *model;
	Failure    *why;
	BlockTree	tree;
	Place	   *places;			/* of far children not yet read: as many as a tree is deep */
	uint32_t   *pure;			/* per class: the block that is its leaf, or 0 */
	size_t		n_words;		/* of all trees, and of those read */
	size_t		n_words_read;
} Decoder;

/* Lines whose tests all hold, for any row. */
static void
clear_lines(const ModelBlocks *b, uint8_t *lines, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
	{
		memset(lines, b->code[0], BLOCK_NODES);
		lines += BLOCK_NODES;
		for (uint32_t k = 0; k < b->n_planes; k++, lines += BLOCK_NODES)
			memset(lines, 255, BLOCK_NODES);
	}
}

/* A new block of the tree, all of whose tests hold; its number in the tree. */
static Status
new_block(Decoder *d, uint32_t *number)
{
	BlockTree  *t = &d->tree;
	size_t		line_bytes = blocks_line_bytes(&d->model->blocks);
	Status		status;

	if (t->n_blocks == t->capacity)
	{
		size_t		needed = t->n_blocks + 1;

		status = memory_grow(d->host, &t->lines, &t->lines_capacity, needed, line_bytes, d->why);
		if (status == STATUS_OK)
			status = memory_grow(d->host, &t->exits, &t->exits_capacity, needed,
								 BLOCK_NODES * sizeof(uint32_t), d->why);
		if (status == STATUS_OK)
			status = memory_grow(d->host, &t->height, &t->height_capacity, needed, 1, d->why);
		if (status != STATUS_OK)
			return status;
		t->capacity = t->lines_capacity < t->exits_capacity ? t->lines_capacity :
			t->exits_capacity;
		if (t->height_capacity < t->capacity)
			t->capacity = t->height_capacity;
	}
	*number = (uint32_t) t->n_blocks++;
	clear_lines(&d->model->blocks, t->lines + *number * line_bytes, 1);
	memset(t->exits + (size_t) *number * BLOCK_NODES, 0, BLOCK_NODES * sizeof(uint32_t));
	t->height[*number] = 0;
	return STATUS_OK;
}

/* Go on in a block behind an exit. */
static Status
enter_block(Decoder *d, Place *at)
{
	uint32_t	exit = at->block * BLOCK_NODES + at->node % BLOCK_NODES;
	Status		status = new_block(d, &at->block);

	if (status == STATUS_OK)
	{
		d->tree.exits[exit] = BLOCK_GOES_ON | at->block;
		at->node = 1;
		at->in_block = 0;
	}
	return status;
}

/* Bin `bin` of a category goes left; to a code as rows have it. */
static void
set_code(uint8_t *planes, uint32_t code)
{
	planes[code / 8 * BLOCK_NODES] |= (uint8_t) (1 << code % 8);
}

static void
put_split(Decoder *d, const Place *at, const NodeBytes *node)
{
	const ModelBlocks *b = &d->model->blocks;
	uint8_t    *line = d->tree.lines + at->block * blocks_line_bytes(b) + at->node;
	uint8_t    *planes = line + BLOCK_NODES;

	if (d->tree.height[at->block] <= at->in_block)
		d->tree.height[at->block] = (uint8_t) (at->in_block + 1);
	line[0] = b->code[node->feature];
	if (!node->category)
	{
		if (node->missing_left)
			line[0] |= BLOCK_MISSING;
		planes[0] = (uint8_t) node->cut;
		return;
	}
	for (uint32_t k = 0; k < b->n_planes; k++)
		planes[k * BLOCK_NODES] = k < (b->n_bins[node->feature] + 7u) / 8 ? node->left[k] : 0;
	if (node->missing_left)
		set_code(planes, b->n_bins[node->feature]);
}

/* The exit that a place leads to where all tests below it hold. */
static uint32_t
exit_below(const Place *at)
{
	uint32_t	exit = ((at->node + 1) << (BLOCK_LEVELS - at->in_block)) - 1;

	return at->block * BLOCK_NODES + exit % BLOCK_NODES;
}

/* The block that is the leaf of a class alone; NULL for other leaves. */
static uint32_t *
pure_block(const Decoder *d, uint32_t value)
{
	uint32_t	n_classes = d->model->schema.n_classes;

	if (n_classes == 2)
		return value == 0 || value == TREE_ONE ? &d->pure[value / TREE_ONE] : NULL;
	return value < n_classes ? &d->pure[value] : NULL;
}

/*
 * Where all walks take two blocks, a leaf that needs less has a block without
 * tests.  Pure ones, which are frequent there, share it.
 */
static Status
put_early_leaf(Decoder *d, Place *at, uint32_t value, uint32_t word)
{
	uint32_t   *pure = pure_block(d, value);
	uint32_t	exit = exit_below(at);
	Status		status;

	if (pure != NULL && *pure != 0)
	{
		d->tree.exits[exit] = *pure * BLOCK_NODES;
		return STATUS_OK;
	}
	status = new_block(d, &at->block);
	if (status != STATUS_OK)
		return status;
	d->tree.exits[exit] = BLOCK_GOES_ON | at->block;
	d->tree.exits[at->block * BLOCK_NODES + BLOCK_NODES - 1] = word;
	if (pure != NULL)
		*pure = d->model->blocks.n_blocks + at->block - 1;
	return STATUS_OK;
}

static Status
put_leaf(Decoder *d, Place *at, const TreeBytes *tree, uint32_t value)
{
	ModelBlocks *b = &d->model->blocks;
	uint32_t	word = node_value_of_all(tree, value, d->model->schema.n_classes);

	if (b->even && b->n_rounds == 2 && at->block == 0)
		return put_early_leaf(d, at, value, word);
	d->tree.exits[exit_below(at)] = word;
	return STATUS_OK;
}

/* --------------------------------------------------- blocks of the model -- */

/* Where lines begin in their memory. */
static uint8_t *
aligned(uint8_t *memory)
{
	return memory + (0 - (uintptr_t) memory) % BLOCK_ALIGNMENT;
}

/* Let the model have room for exactly this many blocks; those it has are kept. */
static Status
set_capacity(Decoder *d, uint32_t capacity)
{
	ModelBlocks *b = &d->model->blocks;
	uint8_t    *memory;
	uint32_t   *exits = NULL;
	Status		status;

	status = memory_new(d->host, blocks_memory_bytes(b, capacity), 1, &memory, d->why);
	if (status == STATUS_OK)
		status = memory_new_raw(d->host, capacity, BLOCK_NODES * sizeof(uint32_t), &exits, d->why);
	if (status != STATUS_OK)
	{
		memory_free(d->host, memory, blocks_memory_bytes(b, capacity), 1);
		return status;
	}
	if (b->memory != NULL)
	{
		memcpy(aligned(memory), b->lines, b->n_blocks * blocks_line_bytes(b));
		memcpy(exits, b->exits, (size_t) b->n_blocks * BLOCK_NODES * sizeof(uint32_t));
	}
	blocks_free(d->host, b);
	b->memory = memory;
	b->lines = aligned(memory);
	b->exits = exits;
	b->capacity = capacity;
	return STATUS_OK;
}

/* Room for n more blocks; how many there will be is judged by the words read so far. */
static Status
reserve(Decoder *d, size_t n)
{
	ModelBlocks *b = &d->model->blocks;
	size_t		needed = b->n_blocks + n;
	size_t		expected = needed + needed / 32;

	if (needed <= b->capacity)
		return STATUS_OK;
	if (needed > BLOCK_MAX_BLOCKS)
		return fail(d->why, STATUS_UNSUPPORTED, "model is too large");
	if (d->n_words_read < d->n_words / 8)
		expected = 2 * needed;
	else if (d->n_words_read < d->n_words)
		expected = (size_t) ((double) expected * (double) d->n_words /
							 (double) d->n_words_read);
	if (expected > BLOCK_MAX_BLOCKS)
		expected = BLOCK_MAX_BLOCKS;
	return set_capacity(d, (uint32_t) expected);
}

/* Blocks as they are; the first one is tree number t, others follow. */
static Status
place_even(Decoder *d, uint32_t t)
{
	ModelBlocks *b = &d->model->blocks;
	const BlockTree *tree = &d->tree;
	size_t		line_bytes = blocks_line_bytes(b);
	Status		status = reserve(d, tree->n_blocks - 1);
	uint32_t   *root;

	if (status != STATUS_OK)
		return status;
	memcpy(b->lines + t * line_bytes, tree->lines, line_bytes);
	memcpy(b->lines + b->n_blocks * line_bytes, tree->lines + line_bytes,
		   (tree->n_blocks - 1) * line_bytes);
	memcpy(b->exits + (size_t) b->n_blocks * BLOCK_NODES, tree->exits + BLOCK_NODES,
		   (tree->n_blocks - 1) * BLOCK_NODES * sizeof(uint32_t));
	root = b->exits + (size_t) t * BLOCK_NODES;
	for (int i = 0; i < BLOCK_NODES; i++)
	{
		uint32_t	word = tree->exits[i];

		if ((word & BLOCK_GOES_ON) != 0)
			word = (b->n_blocks + (word & ~BLOCK_GOES_ON) - 1) * BLOCK_NODES;
		root[i] = word;
	}
	b->n_blocks += (uint32_t) tree->n_blocks - 1;
	return STATUS_OK;
}

/*
 * Where the blocks of a tree go: by height, so that the rooms they take, which
 * are powers of two, fill blocks without a gap.  words gets for each the word
 * that leads to it; returns the number of blocks that they take.
 */
static uint32_t
find_rooms(Decoder *d, uint32_t t, uint32_t *words)
{
	const BlockTree *tree = &d->tree;
	uint32_t	first = d->model->blocks.n_blocks * BLOCK_NODES;
	uint32_t	n_of_height[BLOCK_LEVELS + 1] = {0};
	uint32_t	place[BLOCK_LEVELS + 1];	/* of the next block of a height */
	uint32_t	n = 0;

	for (size_t i = 1; i < tree->n_blocks; i++)
		n_of_height[tree->height[i]]++;
	for (uint32_t height = BLOCK_LEVELS; height > 0; height--)
	{
		place[height] = n;
		n += n_of_height[height] << height;
	}
	words[0] = BLOCK_GOES_ON | (t * BLOCK_NODES + 1);
	for (size_t i = 1; i < tree->n_blocks; i++)
	{
		uint32_t	height = tree->height[i];
		uint32_t	at = place[height];

		words[i] = BLOCK_GOES_ON | (first + (at & ~(BLOCK_NODES - 1))) |
			(BLOCK_NODES + at % BLOCK_NODES) >> height;
		place[height] += UINT32_C(1) << height;
	}
	return (n + BLOCK_NODES - 1) / BLOCK_NODES;
}

/* The tests and exits of a block of that height, to where its word says. */
static inline void
copy_block(const BlockTree *tree, uint32_t i, size_t line_bytes, uint32_t height,
		   const uint32_t *words, uint8_t *lines, uint32_t *all_exits)
{
	uint32_t	start = words[i] % BLOCK_NODES;
	size_t		first = (words[i] & ~BLOCK_GOES_ON) - start;
	const uint8_t *from = tree->lines + i * line_bytes;
	uint8_t    *to = lines + first / BLOCK_NODES * line_bytes;
	uint32_t   *exits = all_exits + first + (start << height) % BLOCK_NODES;

	for (size_t plane = 0; plane < line_bytes; plane += BLOCK_NODES)
		for (uint32_t level = 0; level < height; level++)
			memcpy(to + plane + (start << level), from + plane + (1 << level), (size_t) 1 << level);
	for (uint32_t k = 0; k < UINT32_C(1) << height; k++)
	{
		/* below its height all tests hold; a choice without a jump, for it is as good as random */
		uint32_t	word = tree->exits[i * BLOCK_NODES + ((k + 1) << (BLOCK_LEVELS - height)) - 1];
		uint32_t	goes_on = 0 - word / BLOCK_GOES_ON;

		exits[k] = (words[word & goes_on & ~BLOCK_GOES_ON] & goes_on) | (word & ~goes_on);
	}
}

/* Put one block of the tree where its word says: with its height as a constant. */
static void
place_block(Decoder *d, uint32_t i, const uint32_t *words)
{
	const ModelBlocks *b = &d->model->blocks;
	const BlockTree *tree = &d->tree;
	size_t		line_bytes = blocks_line_bytes(b);

	switch (i == 0 ? BLOCK_LEVELS : tree->height[i])
	{
		case 1:
			copy_block(tree, i, line_bytes, 1, words, b->lines, b->exits);
			break;
		case 2:
			copy_block(tree, i, line_bytes, 2, words, b->lines, b->exits);
			break;
		case 3:
			copy_block(tree, i, line_bytes, 3, words, b->lines, b->exits);
			break;
		case 4:
			copy_block(tree, i, line_bytes, 4, words, b->lines, b->exits);
			break;
		default:
			copy_block(tree, i, line_bytes, BLOCK_LEVELS, words, b->lines, b->exits);
			break;
	}
}

/* Small blocks of a tree together. */
static Status
place_uneven(Decoder *d, uint32_t t)
{
	ModelBlocks *b = &d->model->blocks;
	BlockTree  *tree = &d->tree;
	uint32_t	n;
	Status		status;

	status = memory_grow(d->host, &tree->words, &tree->words_capacity, tree->n_blocks,
						 sizeof(uint32_t), d->why);
	if (status != STATUS_OK)
		return status;
	n = find_rooms(d, t, tree->words);
	status = reserve(d, n);
	if (status != STATUS_OK)
		return status;
	clear_lines(b, b->lines + b->n_blocks * blocks_line_bytes(b), n);
	memset(b->exits + (size_t) b->n_blocks * BLOCK_NODES, 0, n * BLOCK_NODES * sizeof(uint32_t));
	for (uint32_t i = 0; i < tree->n_blocks; i++)
		place_block(d, i, tree->words);
	b->n_blocks += n;
	return STATUS_OK;
}

/* ------------------------------------------------------------------ trees -- */

/* The nodes of a tree, into d->tree. */
static Status
read_nodes(Decoder *d, const TreeBytes *tree, uint32_t n_nodes)
{
	const ForestSchema *schema = &d->model->schema;
	const uint8_t *p = tree->words;
	Place	   *open = d->places;
	Place		at = {0, 1, 0};
	uint32_t	n_open = 0;
	Status		status;

	d->tree.n_blocks = 0;
	status = new_block(d, &at.block);
	for (uint32_t i = 0; i < n_nodes && status == STATUS_OK; i++)
	{
		NodeBytes	node;

		p = node_read(p, schema, &node);
		if (node.leaf)
		{
			status = put_leaf(d, &at, tree, node.value);
			if (n_open > 0)
				at = open[--n_open];
			continue;
		}
		if (at.node >= BLOCK_NODES)
		{
			status = enter_block(d, &at);
			if (status != STATUS_OK)
				return status;
		}
		put_split(d, &at, &node);
		at.in_block++;
		at.node = 2 * at.node + !node.near_right;
		open[n_open++] = (Place) {at.block, at.node ^ 1, at.in_block};
	}
	return status;
}

static Status
read_trees(Decoder *d)
{
	const ForestModel *model = d->model;
	Status		status = STATUS_OK;

	for (uint32_t t = 0; t < model->n_trees; t++)
		d->n_words += model->tree_bytes[t].n_words;
	for (uint32_t t = 0; t < model->n_trees && status == STATUS_OK; t++)
	{
		status = host_poll(d->host, d->why);
		d->n_words_read += model->tree_bytes[t].n_words;
		if (status == STATUS_OK)
			status = read_nodes(d, &model->tree_bytes[t], model->trees[t].n_nodes);
		if (status == STATUS_OK)
			status = model->blocks.even ? place_even(d, t) : place_uneven(d, t);
	}
	return status;
}

/* Entries of the trees: their first blocks are the first of all. */
static Status
make_entries(Decoder *d)
{
	ForestModel *model = d->model;
	Status		status;

	status = memory_new(d->host, model_entries_room(model), sizeof(uint32_t), &model->entries,
						d->why);

	if (status == STATUS_OK)
		for (uint32_t t = 0; t < model->n_trees; t++)
			model->entries[t] = t * BLOCK_NODES + (model->blocks.even ? 0 : 1);
	return status;
}

static Status
make_blocks(Decoder *d)
{
	ForestModel *model = d->model;
	ModelBlocks *b = &model->blocks;
	Status		status;

	b->even = model->max_depth <= BLOCK_EVEN_LEVELS;
	b->n_rounds = model->max_depth <= BLOCK_LEVELS ? 1 : 2;
	status = make_entries(d);
	if (status == STATUS_OK)
		status = decode_values(model, d->why);
	if (status == STATUS_OK)
		status = memory_new(d->host, model->schema.n_classes, sizeof(uint32_t), &d->pure, d->why);
	if (status == STATUS_OK)
		status = memory_new_raw(d->host, model->max_depth, sizeof(Place), &d->places, d->why);
	if (status == STATUS_OK)
		status = set_capacity(d, model->n_trees);
	if (status == STATUS_OK)
	{
		b->n_blocks = model->n_trees;
		status = read_trees(d);
	}
	if (status == STATUS_OK && b->capacity - b->n_blocks > b->n_blocks / 8)
		status = set_capacity(d, b->n_blocks);
	return status;
}

Status
decode_blocks(ForestModel *model, Failure *why)
{
	Decoder		d = {.host = model->host, .model = model, .why = why};
	BlockTree  *t = &d.tree;
	Status		status = make_blocks(&d);

	memory_free(d.host, t->lines, t->lines_capacity, blocks_line_bytes(&model->blocks));
	memory_free(d.host, t->exits, t->exits_capacity, BLOCK_NODES * sizeof(uint32_t));
	memory_free(d.host, t->height, t->height_capacity, 1);
	memory_free(d.host, t->words, t->words_capacity, sizeof(uint32_t));
	memory_free(d.host, d.places, model->max_depth, sizeof(Place));
	memory_free(d.host, d.pure, model->schema.n_classes, sizeof(uint32_t));
	return status;
}
