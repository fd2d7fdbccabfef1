/*
 * decode_check.c
 *	  Whether the bytes of a tree are one.
 *
 * This is most of what the first call of a connection waits for, so a node is
 * checked without a jump that depends on what it is: leaves and splits are as
 * good as random.  What is wrong is added up, and asked for once per node.
 *
 * Splits that are open, those whose near child is being read, are kept in an
 * array: where the far child begins, and the level of the children.  A leaf
 * has to end where the far child of the innermost begins, which closes it; the
 * first entry is the end of the tree.
 */
#include "core/memory.h"
#include "forest/decode.h"

/* What a split by a feature may be. */
typedef struct SplitRule
{
	uint16_t	limit;			/* cut, and one more if missing goes left, is below it */
	uint8_t		n_set_words;	/* 0: no category */
	uint8_t		last_bits;		/* of the last of them, 1 to 32 */
} SplitRule;

/* Covers that are added up at once: one byte each. */
#define COVER_STEP 8

static Status
bad_tree(Failure *why)
{
	return artifact_damaged(why, "a tree is malformed");
}

Status
tree_check_begin(TreeCheck *c, const ForestModel *model, Failure *why)
{
	const ForestSchema *schema = &model->schema;
	Status		status = memory_new(model->host, schema->n_features + 1, sizeof(SplitRule),
									&c->rules, why);

	if (status != STATUS_OK)
		return status;
	for (uint32_t f = 0; f < schema->n_features; f++)
	{
		const ForestFeature *feature = &schema->features[f];
		SplitRule  *rule = &c->rules[f];

		c->level_limit += feature->n_bins;
		rule->limit = (uint16_t) feature->n_bins;
		if (feature->kind != FOREST_CATEGORY)
			continue;
		/* the cut is 0, wherever missing values go */
		rule->limit = 2;
		rule->n_set_words = (uint8_t) tree_set_words(feature->n_bins);
		rule->last_bits = (uint8_t) ((feature->n_bins - 1) % 32 + 1);
	}
	return STATUS_OK;
}

void
tree_check_end(TreeCheck *c, const ForestModel *model)
{
	memory_free(model->host, c->rules, model->schema.n_features + 1, sizeof(SplitRule));
	memory_free(model->host, c->open, c->open_capacity, sizeof(uint64_t));
}

/* ---------------------------------------------------------------- words -- */

/* A set has no bits beyond the bins, and neither side is empty. */
static bool
set_is_bad(const uint8_t *p, const SplitRule *rule, uint32_t split)
{
	bool		missing_left = (split & TREE_MISSING_LEFT) != 0;
	uint32_t	last = UINT32_MAX >> (32 - rule->last_bits);
	uint32_t	any = 0;
	uint32_t	absent = 0;
	uint32_t	word;

	for (uint32_t i = 1; i < rule->n_set_words; i++, p += TREE_WORD_BYTES)
	{
		any |= tree_word(p);
		absent |= ~tree_word(p);
	}
	word = tree_word(p);
	any |= word;
	absent |= ~word & last;
	return (split & TREE_CUT) != 0 || (word & ~last) != 0 ||
		(missing_left ? absent == 0 : any == 0);
}

/* What has been found in a tree so far. */
typedef struct TreeState
{
	uint32_t	n_leaves;
	uint32_t	n_values;
	uint32_t	deepest;
} TreeState;

/* What bits of a leaf's word are wrong for a number of classes; counts the leaves with values. */
static inline uint32_t
leaf_is_bad(uint32_t value, uint32_t leaf, uint32_t n_classes, uint32_t *n_values)
{
	uint32_t	has_values;

	if (n_classes == 2)
		return leaf & (value > TREE_ONE);
	has_values = leaf & (value >= n_classes);
	value ^= n_classes + *n_values;
	*n_values += has_values;
	return has_values & (value != 0);
}

/* The nodes of a tree of n_words; open has room for depth + 2.  n_classes is a constant. */
static inline bool
check_nodes(const TreeCheck *c, const uint8_t *words, uint32_t n_words, uint32_t depth,
			uint32_t n_features, uint32_t n_classes, TreeState *out)
{
	uint64_t   *open = c->open;
	uint32_t	n_open = 1;
	uint32_t	level = 0;
	TreeState	state = {0};

	open[0] = n_words;
	for (uint32_t at = 0; at < n_words;)
	{
		uint32_t	word = tree_word(words + (size_t) at * TREE_WORD_BYTES);
		uint32_t	leaf = word / TREE_LEAF;
		uint32_t	feature = word >> TREE_FEATURE_SHIFT & TREE_FEATURE;
		uint32_t	skip = word >> TREE_SKIP_SHIFT & TREE_MAX_SKIP;
		uint64_t	innermost = open[n_open - 1];
		const SplitRule *rule;
		uint32_t	bad;

		feature = feature < n_features ? feature : n_features;
		rule = &c->rules[feature];
		at++;
		if (leaf == 0 && (skip == 0 || rule->n_set_words > 0))
		{
			/* the words behind: that they are there is seen by what is left for children */
			uint32_t	n_more = (skip == 0) + rule->n_set_words;

			if (n_more >= n_words - at)
				return false;
			if (skip == 0)
			{
				skip = tree_word(words + (size_t) at++ * TREE_WORD_BYTES);
				if (skip <= TREE_MAX_SKIP || skip >= n_words)
					return false;
			}
			if (rule->n_set_words > 0 &&
				set_is_bad(words + (size_t) at * TREE_WORD_BYTES, rule, word))
				return false;
			at += rule->n_set_words;
		}
		bad = leaf & ((uint32_t) innermost != at);
		bad |= (leaf ^ 1) & ((word & TREE_CUT) + (word / TREE_MISSING_LEFT & 1) >= rule->limit);
		bad |= leaf_is_bad(word & ~TREE_LEAF, leaf, n_classes, &state.n_values);
		state.n_leaves += leaf;

		/* a split opens; a leaf closes one, and what it writes is behind the others */
		level = leaf != 0 ? (uint32_t) (innermost >> 32) : level + 1;
		open[n_open] = (uint64_t) level << 32 | (at + skip);
		n_open += 1 - 2 * leaf;
		state.deepest = level > state.deepest ? level : state.deepest;
		if (bad != 0 || n_open == 0 || level > depth)
		{
			*out = state;
			return bad == 0 && n_open == 0 && at == n_words;
		}
	}
	return false;
}

/* The words of a tree, with the number of classes as a constant where it is one of the usual. */
static bool
check_words(const TreeCheck *c, const ForestSchema *schema, const uint8_t *words,
			uint32_t n_words, uint32_t depth, TreeState *state)
{
	if (schema->n_classes == 2)
		return check_nodes(c, words, n_words, depth, schema->n_features, 2, state);
	return check_nodes(c, words, n_words, depth, schema->n_features, schema->n_classes, state);
}

/* --------------------------------------------------------------- values -- */

/* Probabilities, each rounded on its own, add up to 1. */
static bool
is_distribution(const uint8_t *p, uint32_t n_classes)
{
	uint64_t	total = 0;

	for (uint32_t k = 0; k < n_classes; k++, p += sizeof(uint32_t))
	{
		uint32_t	share = tree_word(p);

		if (share > TREE_ONE)
			return false;
		total += share;
	}
	return total >= TREE_ONE - n_classes && total <= (uint64_t) TREE_ONE + n_classes;
}

/* The values of a tree, n of them. */
static bool
check_values(TreeCheck *c, const ForestSchema *schema, ByteReader *r, uint32_t n)
{
	TreeBytes	tree = {0};

	if (schema->n_classes == 2)
		return true;
	for (uint32_t i = 0; schema->n_classes > 0 && i < n; i++)
	{
		const uint8_t *row = bytes_get(r, schema->n_classes * sizeof(uint32_t));

		if (row == NULL || !is_distribution(row, schema->n_classes))
			return false;
	}
	if (schema->n_classes > 0)
		return true;
	tree.values = bytes_get(r, (size_t) n * sizeof(uint64_t));
	for (uint32_t i = 0; tree.values != NULL && i < n; i++)
	{
		int64_t		number = node_number(&tree, i);
		uint64_t	magnitude = number < 0 ? 0 - (uint64_t) number : (uint64_t) number;

		if (magnitude > c->max_number)
			c->max_number = magnitude;
	}
	return tree.values != NULL;
}

/* --------------------------------------------------------------- covers -- */

/* An unsigned LEB128 number of 64 bits in its shortest form; false if there is none. */
static bool
read_cover(ByteReader *r, uint64_t *value)
{
	*value = 0;
	for (uint32_t shift = 0; shift < 64; shift += 7)
	{
		uint8_t		byte = bytes_get_u8(r);

		if (r->failed || (shift > 0 && byte == 0) || (shift == 63 && byte > 1))
			return false;
		*value |= (uint64_t) (byte & 0x7F) << shift;
		if (byte < 0x80)
			return true;
	}
	return false;
}

/* The covers of n leaves, to the end of the tree: their sum fits. */
static bool
check_covers(ByteReader *r, uint32_t n)
{
	uint64_t	total = 0;

	while (n > 0)
	{
		uint64_t	cover;

		if (n >= COVER_STEP && bytes_left(r) >= COVER_STEP)
		{
			uint64_t	small;

			/* all are one byte, as most are: any order of the bytes will do */
			memcpy(&small, r->bytes + r->offset, COVER_STEP);
			if ((small & UINT64_C(0x8080808080808080)) == 0 &&
				total <= UINT64_MAX - COVER_STEP * 0x7F)
			{
				small = (small & UINT64_C(0x00FF00FF00FF00FF)) +
					(small >> 8 & UINT64_C(0x00FF00FF00FF00FF));
				total += small * UINT64_C(0x0001000100010001) >> 48;
				r->offset += COVER_STEP;
				n -= COVER_STEP;
				continue;
			}
		}
		if (!read_cover(r, &cover) || cover > UINT64_MAX - total)
			return false;
		total += cover;
		n--;
	}
	return bytes_left(r) == 0;
}

/* ----------------------------------------------------------------- tree -- */

Status
tree_check(TreeCheck *c, ForestModel *model, ByteReader *r, uint32_t t, Failure *why)
{
	const ForestSchema *schema = &model->schema;
	TreeBytes  *tree = &model->tree_bytes[t];
	TreeState	state;
	uint32_t	n_words = bytes_get_u32(r);
	uint32_t	depth = bytes_get_u32(r);
	Status		status;

	/* as many words as leaves need, and splits */
	if (n_words < 1 || n_words > MODEL_MAX_WORDS || n_words > bytes_left(r) / TREE_WORD_BYTES ||
		depth > (n_words - 1) / 2 || depth > c->level_limit)
		return bad_tree(why);
	status = memory_grow(model->host, &c->open, &c->open_capacity, depth + 2, sizeof(uint64_t),
						 why);
	if (status != STATUS_OK)
		return status;
	tree->n_words = n_words;
	tree->words = bytes_get(r, (size_t) n_words * TREE_WORD_BYTES);
	tree->values = tree->words + (size_t) n_words * TREE_WORD_BYTES;
	if (!check_words(c, schema, tree->words, n_words, depth, &state) || state.deepest != depth ||
		!check_values(c, schema, r, state.n_values) || !check_covers(r, state.n_leaves))
		return bad_tree(why);

	tree->n_values = state.n_values;
	tree->first_value = model->n_values;
	model->n_values += state.n_values;
	model->trees[t].n_nodes = 2 * state.n_leaves - 1;
	model->trees[t].depth = depth;
	if (depth > model->max_depth)
		model->max_depth = depth;
	return STATUS_OK;
}
