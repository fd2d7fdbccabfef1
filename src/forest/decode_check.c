/*
 * decode_check.c
 *	  Whether the bytes of a tree are one.
 *
 * This is most of what the first call of a connection waits for, so a node is
 * checked without a jump that depends on what it is: leaves and splits are as
 * good as random.  What is wrong is added up, and asked for at the end.
 *
 * Splits that are open, those whose near child is being read, are kept in an
 * array: where the far child begins, and the level of the children.  A leaf
 * has to end where the far child of the innermost begins, which closes it; the
 * first entry is the end of the tree.
 */
#include "core/memory.h"
#include "forest/decode.h"

/*
 * What a split by a feature may be, in one word: the most that the bits of
 * TREE_TEST are, and, from RULE_SET on, how many words its set has; 0: it is
 * no category.
 */
#define RULE_MOST 0x3FF
#define RULE_SET 0x10000
#define RULE_NOTHING 0x8000		/* not even 0: for features that there are not */


typedef struct OpenNode
{
	uint32_t	far;
	uint32_t	level;
} OpenNode;

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
	Status		status = memory_new_raw(model->host, TREE_FEATURE + 1, sizeof(uint32_t), &c->rules,
										why);

	if (status != STATUS_OK)
		return status;
	for (uint32_t f = schema->n_features; f <= TREE_FEATURE; f++)
		c->rules[f] = RULE_NOTHING;
	for (uint32_t f = 0; f < schema->n_features; f++)
	{
		const ForestFeature *feature = &schema->features[f];

		/* with the last bin as cut all that is present goes left, so missing must go right */
		c->level_limit += feature->n_bins;
		c->rules[f] = 2 * feature->n_bins - 2;
		if (feature->kind == FOREST_CATEGORY)
			c->rules[f] = TREE_MISSING_LEFT + RULE_SET * tree_set_words(feature->n_bins);
	}
	return STATUS_OK;
}

void
tree_check_end(TreeCheck *c, const ForestModel *model)
{
	memory_free(model->host, c->rules, TREE_FEATURE + 1, sizeof(uint32_t));
	memory_free(model->host, c->open, c->open_capacity, sizeof(OpenNode));
}

/* ---------------------------------------------------------------- words -- */

/* A set has no bits beyond the bins, and neither side is empty. */
static bool
set_is_bad(const uint8_t *p, uint32_t n_bins, uint32_t split)
{
	bool		missing_left = (split & TREE_MISSING_LEFT) != 0;
	uint32_t	last = UINT32_MAX >> (0 - n_bins) % 32;
	uint32_t	any = 0;
	uint32_t	absent = 0;
	uint32_t	word;

	for (; n_bins > 32; n_bins -= 32, p += TREE_WORD_BYTES)
	{
		any |= tree_word(p);
		absent |= ~tree_word(p);
	}
	word = tree_word(p);
	any |= word;
	absent |= ~word & last;
	return (word & ~last) != 0 || (missing_left ? absent == 0 : any == 0);
}

/* What has been found in a tree so far. */
typedef struct TreeState
{
	uint32_t	n_leaves;
	uint32_t	n_values;
	uint32_t	deepest;
} TreeState;

/*
 * What is behind a split: at its set, or the length of its near child and the
 * set.  Returns the number of words, 0 if they are wrong.
 */
static uint32_t
check_more(const ForestSchema *schema, uint32_t n_set_words, const uint8_t *words,
		   uint32_t n_words, uint32_t at, uint32_t split, uint32_t *skip)
{
	bool		is_long = *skip == 0;
	uint32_t	n_more = n_set_words + is_long;

	if (n_more >= n_words - at)
		return 0;
	if (is_long)
	{
		*skip = tree_word(words + (size_t) at++ * TREE_WORD_BYTES);
		if (*skip <= TREE_MAX_SKIP || *skip >= n_words)
			return 0;
	}
	if (n_set_words > 0)
	{
		uint32_t	feature = split >> TREE_FEATURE_SHIFT & TREE_FEATURE;

		if (set_is_bad(words + (size_t) at * TREE_WORD_BYTES, schema->features[feature].n_bins,
					   split))
			return 0;
	}
	return n_more;
}

/*
 * The nodes of a tree of n_words; open has room for depth + 3.  n_classes is a
 * constant where speed matters.  Whatever is wrong, no more is read and written
 * than there is: by n_words, and by depth, since what is below the end of the
 * tree in the array is too deep to be used.
 */
static inline bool
check_nodes(const TreeCheck *c, const ForestSchema *schema, const uint8_t *words,
			uint32_t n_words, uint32_t depth, uint32_t n_classes, TreeState *out)
{
	const uint32_t *rules = c->rules;
	OpenNode   *end = c->open;
	uint32_t	n_more = 0;		/* words that are no nodes */
	uint32_t	n_values = 0;
	uint32_t	level = 0;
	uint32_t	deepest = 0;
	uint32_t	bad = 0;
	uint32_t	at = 0;

	*end++ = (OpenNode) {0, UINT32_MAX};
	*end++ = (OpenNode) {n_words, 0};
	while (at < n_words)
	{
		uint32_t	word = tree_word(words + (size_t) at * TREE_WORD_BYTES);
		uint32_t	leaf = 0 - word / TREE_LEAF;	/* all bits, or none */
		uint32_t	skip = word >> TREE_SKIP_SHIFT;	/* of a leaf not 0 */
		uint32_t	rule = rules[word >> TREE_FEATURE_SHIFT & TREE_FEATURE] & ~leaf;
		OpenNode	innermost = end[-1];

		at++;
		if (rule >= RULE_SET || skip == 0)
		{
			uint32_t	n = check_more(schema, rule / RULE_SET, words, n_words, at, word, &skip);

			if (n == 0)
				return false;
			at += n;
			n_more += n;
		}
		bad |= leaf & (innermost.far ^ at);
		/* negative if it is more than the most, or if there is no such feature */
		bad |= ~leaf & (((rule & RULE_MOST) - (word & TREE_TEST)) | rule << 16) & TREE_LEAF;
		if (n_classes == 2)
			bad |= word > (TREE_LEAF | TREE_ONE);
		else if (word >= (TREE_LEAF | n_classes))
			bad |= word ^ (TREE_LEAF | (n_classes + n_values++));

		/* a split opens; a leaf closes one, and what it writes is behind the others */
		level = (innermost.level & leaf) | ((level + 1) & ~leaf);
		if (level > depth)
			return false;
		deepest = level > deepest ? level : deepest;
		*end = (OpenNode) {at + skip, level};
		end += 1 + 2 * (int32_t) leaf;
	}
	out->n_leaves = (n_words - n_more + 1) / 2;
	out->n_values = n_values;
	out->deepest = deepest;
	return bad == 0 && at == n_words && end == c->open + 1;
}

static bool
check_words(const TreeCheck *c, const ForestSchema *schema, const uint8_t *words,
			uint32_t n_words, uint32_t depth, TreeState *state)
{
	if (schema->n_classes == 2)
		return check_nodes(c, schema, words, n_words, depth, 2, state);
	if (schema->n_classes == 0)
		return check_nodes(c, schema, words, n_words, depth, 0, state);
	return check_nodes(c, schema, words, n_words, depth, schema->n_classes, state);
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
	status = memory_grow(model->host, &c->open, &c->open_capacity, depth + 3, sizeof(OpenNode),
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
