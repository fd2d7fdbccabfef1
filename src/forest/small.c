/*
 * small.c
 *	  Subtrees of at most 64 rows of two classes, on bit masks.
 *
 * A node is a set of the subtree's rows, one bit each, and no row is ever
 * moved.  Of a feature, once it is drawn anywhere in the subtree, the sets of
 * rows up to each of its bins are made; a cut of a node is then one AND, and
 * what it adds to the left side are the few rows that were not in the cut
 * before.  Deep trees consist of such subtrees for the most part.
 *
 * The splits are those of split.c: the same candidates, scores and ties.
 */
#include <string.h>

#include "core/memory.h"
#include "forest/grow.h"

#if defined(__GNUC__)
#define ALWAYS_INLINE inline __attribute__((always_inline))
#else
#define ALWAYS_INLINE inline
#endif

#define ROWS GROW_SMALL_ROWS
/* Bits of a count, which is at most TRAINING_THRESHOLDS − 1. */
#define PLANES 4

/* A feature's bins in the subtree. */
typedef struct Column
{
	uint64_t	subtree;		/* for which it was made */
	uint64_t	missing;		/* rows */
	uint32_t	n;				/* bins that have rows, missing not among them */
	uint8_t		bin[ROWS];		/* ascending */
	uint64_t	rows[ROWS];		/* of the bins up to this one */
	uint8_t		place[ROWS];	/* of a row that is not missing: its bin among those */
} Column;

struct GrowSmall
{
	uint64_t	subtree;		/* numbers them */
	const uint8_t *records;
	uint32_t	n;
	uint32_t	packed[ROWS];	/* payload of each row */
	uint64_t	plane[PLANES];	/* rows by the bits of their counts */
	uint64_t	ones;			/* rows of class 1 */
	uint64_t	of_bin[SCAN_BINS];	/* scratch: rows per bin, all 0 in between */
	Column	   *columns;		/* per feature */
};

/* A node whose split is looked for. */
typedef struct SmallNode
{
	uint64_t	rows;
	uint32_t	n;
	uint64_t	w;
	int64_t		s;
	const SplitNode *search;
	uint64_t	left;			/* rows on the left of the best split */
} SmallNode;

Status
grow_small_new(ForestGrower *g, Failure *why)
{
	Status		status = memory_new(g->host, 1, sizeof(GrowSmall), &g->small, why);

	if (status == STATUS_OK)
		status = memory_new(g->host, g->t->schema.n_features, sizeof(Column),
							&g->small->columns, why);
	return status;
}

void
grow_small_free(ForestGrower *g)
{
	if (g->small != NULL)
		memory_free(g->host, g->small->columns, g->t->schema.n_features, sizeof(Column));
	memory_free(g->host, g->small, 1, sizeof(GrowSmall));
}

/* ------------------------------------------------------------------ bits -- */

static ALWAYS_INLINE uint32_t
count_bits(uint64_t x, bool popcnt)
{
	if (popcnt)
		return (uint32_t) __builtin_popcountll(x);
	x -= x >> 1 & UINT64_C(0x5555555555555555);
	x = (x & UINT64_C(0x3333333333333333)) + (x >> 2 & UINT64_C(0x3333333333333333));
	x = (x + (x >> 4)) & UINT64_C(0x0F0F0F0F0F0F0F0F);
	return (uint32_t) (x * UINT64_C(0x0101010101010101) >> 56);
}

/* Weight and class-1 weight of some rows, packed. */
static ALWAYS_INLINE uint32_t
sum_rows(const GrowSmall *small, uint64_t rows, bool popcnt)
{
	uint32_t	w = 0;
	uint32_t	s = 0;

	if ((rows & (rows - 1)) == 0)
		return rows == 0 ? 0 : small->packed[__builtin_ctzll(rows)];
	for (uint32_t p = 0; p < PLANES; p++)
	{
		uint64_t	plane = rows & small->plane[p];

		w += count_bits(plane, popcnt) << p;
		s += count_bits(plane & small->ones, popcnt) << p;
	}
	return w | s << 16;
}

/* --------------------------------------------------------------- columns -- */

/* Read the rows of a subtree. */
static void
begin_subtree(ForestGrower *g, const GrowNode *node)
{
	GrowSmall  *small = g->small;
	const uint8_t *record = grow_records(g, node);

	small->subtree++;
	small->records = record;
	small->n = node->n;
	small->ones = 0;
	memset(small->plane, 0, sizeof(small->plane));
	for (uint32_t row = 0; row < node->n; row++, record += g->record_bytes)
	{
		uint32_t	packed = *(const uint32_t *) (record + g->payload_offset);

		small->packed[row] = packed;
		small->ones |= (uint64_t) (packed >> 16 != 0) << row;
		for (uint32_t p = 0; p < PLANES; p++)
			small->plane[p] |= (uint64_t) (packed >> p & 1) << row;
	}
}

/* The sets of a feature's rows, made when they are first asked for. */
static const Column *
small_column(ForestGrower *g, uint32_t feature)
{
	GrowSmall  *small = g->small;
	Column	   *column = &small->columns[feature];
	const uint8_t *record = small->records;
	uint64_t	marks[4] = {0, 0, 0, 0};
	uint64_t	rows = 0;

	if (column->subtree == small->subtree)
		return column;
	for (uint32_t row = 0; row < small->n; row++, record += g->record_bytes)
	{
		uint32_t	bin = grow_record_bins(g, record)[feature];

		small->of_bin[bin] |= UINT64_C(1) << row;
		marks[bin >> 6] |= UINT64_C(1) << (bin & 63);
	}
	column->subtree = small->subtree;
	column->n = 0;
	column->missing = small->of_bin[FOREST_MISSING];
	small->of_bin[FOREST_MISSING] = 0;
	marks[3] &= ~(UINT64_C(1) << 63);
	for (uint32_t word = 0; word < 4; word++)
		for (; marks[word] != 0; marks[word] &= marks[word] - 1)
		{
			uint32_t	bin = word * 64 + (uint32_t) __builtin_ctzll(marks[word]);

			rows |= small->of_bin[bin];
			for (uint64_t left = small->of_bin[bin]; left != 0; left &= left - 1)
				column->place[__builtin_ctzll(left)] = (uint8_t) column->n;
			small->of_bin[bin] = 0;
			column->bin[column->n] = (uint8_t) bin;
			column->rows[column->n++] = rows;
		}
	return column;
}

/* The places of the bins that some rows have, none of them missing: a bit each. */
static ALWAYS_INLINE uint64_t
places_of(const Column *column, uint64_t rows, uint32_t n_rows)
{
	uint64_t	places = 0;
	uint64_t	before = 0;

	if (n_rows < column->n)
	{
		for (; rows != 0; rows &= rows - 1)
			places |= UINT64_C(1) << column->place[__builtin_ctzll(rows)];
		return places;
	}
	for (uint32_t i = 0; i < column->n; i++)
	{
		uint64_t	up_to = column->rows[i] & rows;

		places |= (uint64_t) (up_to != before) << i;
		before = up_to;
	}
	return places;
}

/* ---------------------------------------------------------------- search -- */

/* Judge one candidate: the rows on its left and their packed sums; true when it is the new best. */
static ALWAYS_INLINE bool
consider(SmallNode *node, uint64_t left, uint32_t sum, Split *best, bool popcnt)
{
	const SplitNode *search = node->search;
	uint64_t	w_left = sum & 0xFFFF;
	uint64_t	w_right = node->w - w_left;
	double		score;

	if ((double) w_left < search->min_weight || (double) w_right < search->min_weight)
		return false;
	if (search->count_rows)
	{
		uint32_t	n_left = count_bits(left, popcnt);

		if (n_left < search->min_rows || node->n - n_left < search->min_rows)
			return false;
	}
	score = split_pair_score((double) node->w, (double) node->s, (double) w_left,
							 (double) (sum >> 16), (double) w_right);
	if (best->found && !(score > best->score))
		return false;
	best->found = true;
	best->score = score;
	best->left.w = w_left;
	best->left.s = sum >> 16;
	node->left = left;
	return true;
}

/*
 * The cuts of a number behind the bins at some places, with missing values on
 * one side; the best one's place into *at.
 */
static ALWAYS_INLINE bool
search_side(const GrowSmall *small, SmallNode *node, const Column *column, uint64_t places,
			uint64_t missing, Split *best, uint32_t *at, bool popcnt)
{
	uint64_t	before = missing;
	uint32_t	sum = sum_rows(small, missing, popcnt);
	bool		improved = false;

	for (; places != 0; places &= places - 1)
	{
		uint32_t	place = (uint32_t) __builtin_ctzll(places);
		uint64_t	rows = (column->rows[place] & node->rows) | missing;

		sum += sum_rows(small, rows & ~before, popcnt);
		before = rows;
		if (!consider(node, rows, sum, best, popcnt))
			continue;
		*at = place;
		improved = true;
	}
	return improved;
}

static ALWAYS_INLINE void
search_number(ForestGrower *g, SmallNode *node, uint32_t feature, const Column *column,
			  uint64_t places, Split *best, bool popcnt)
{
	uint64_t	missing = node->rows & column->missing;
	uint64_t	last = places == 0 ? 0 : UINT64_C(1) << (63 - __builtin_clzll(places));
	uint32_t	n_bins = g->t->schema.features[feature].n_bins;
	uint64_t	behind;
	uint32_t	at = 0;
	uint32_t	cut;
	bool		right;
	bool		left = false;

	/* all present values against the missing ones are tried once */
	right = search_side(g->small, node, column, missing != 0 ? places : places & ~last, 0, best,
						&at, popcnt);
	if (missing != 0)
		left = search_side(g->small, node, column, places & ~last, missing, best, &at, popcnt);
	if (!right && !left)
		return;
	best->feature = feature;
	best->category = false;
	best->missing_left = left;
	best->missing_seen = missing != 0;
	behind = places & ~(UINT64_MAX >> (63 - at));
	cut = column->bin[at];
	best->cut = (uint8_t) (behind == 0 ? n_bins - 1
						   : cut + (column->bin[__builtin_ctzll(behind)] - 1 - cut) / 2);
}

/* A category of a node. */
typedef struct Category
{
	double		mean;
	uint64_t	rows;
	uint32_t	sum;
	uint8_t		bin;
} Category;

/* The categories of a node by their mean, equal ones by bin; missing is one more. */
static ALWAYS_INLINE uint32_t
order_categories(const GrowSmall *small, const SmallNode *node, const Column *column,
				 uint64_t places, Category *out, bool popcnt)
{
	const SplitNode *search = node->search;
	double		mean = (double) node->s / (double) node->w;
	uint64_t	missing = node->rows & column->missing;
	uint64_t	before = 0;
	uint32_t	n = 0;

	while (places != 0 || missing != 0)
	{
		Category	c = {.rows = missing,.bin = FOREST_MISSING};
		uint32_t	at = n++;

		if (places != 0)
		{
			uint32_t	place = (uint32_t) __builtin_ctzll(places);

			c.bin = column->bin[place];
			c.rows = column->rows[place] & node->rows & ~before;
			before |= c.rows;
			places &= places - 1;
		}
		else
			missing = 0;
		c.sum = sum_rows(small, c.rows, popcnt);
		c.mean = ((double) (c.sum >> 16) + search->smoothing * mean) /
			((double) (c.sum & 0xFFFF) + search->smoothing);
		for (; at > 0 && out[at - 1].mean > c.mean; at--)
			out[at] = out[at - 1];
		out[at] = c;
	}
	return n;
}

static ALWAYS_INLINE void
search_category(ForestGrower *g, SmallNode *node, uint32_t feature, const Column *column,
				uint64_t places, Split *best, bool popcnt)
{
	Category	categories[ROWS];
	uint32_t	n = order_categories(g->small, node, column, places, categories, popcnt);
	uint32_t	n_left = 0;
	uint64_t	left = 0;
	uint32_t	sum = 0;

	for (uint32_t i = 0; i + 1 < n; i++)
	{
		left |= categories[i].rows;
		sum += categories[i].sum;
		if (consider(node, left, sum, best, popcnt))
			n_left = i + 1;
	}
	if (n_left == 0)
		return;
	best->feature = feature;
	best->category = true;
	best->missing_left = false;
	best->missing_seen = (node->rows & column->missing) != 0;
	memset(best->mask, 0, sizeof(best->mask));
	memset(best->present, 0, sizeof(best->present));
	for (uint32_t i = 0; i < n; i++)
	{
		uint32_t	bin = categories[i].bin;
		uint64_t	bit = UINT64_C(1) << (bin & 63);

		if (bin == FOREST_MISSING)
		{
			best->missing_left = i < n_left;
			continue;
		}
		best->present[bin >> 6] |= bit;
		if (i < n_left)
			best->mask[bin >> 6] |= bit;
	}
}

static ALWAYS_INLINE void
search_features(ForestGrower *g, SmallNode *node, const uint32_t *features, uint32_t n,
				Split *best, bool *varies, bool popcnt)
{
	for (uint32_t i = 0; i < n; i++)
	{
		const Column *column = small_column(g, features[i]);
		uint64_t	missing = node->rows & column->missing;
		uint64_t	places = places_of(column, node->rows & ~missing, node->n);

		/* all rows in one bin, or all missing */
		if ((places & (places - 1)) == 0 && (places == 0 || missing == 0))
			continue;
		*varies = true;
		if (g->t->schema.features[features[i]].kind == FOREST_CATEGORY)
			search_category(g, node, features[i], column, places, best, popcnt);
		else
			search_number(g, node, features[i], column, places, best, popcnt);
	}
}

static void
search_portable(ForestGrower *g, SmallNode *node, const uint32_t *features, uint32_t n,
				Split *best, bool *varies)
{
	search_features(g, node, features, n, best, varies, false);
}

#ifdef CPU_X86
CPU_TARGET_AVX2 static void
search_avx2(ForestGrower *g, SmallNode *node, const uint32_t *features, uint32_t n,
			Split *best, bool *varies)
{
	search_features(g, node, features, n, best, varies, true);
}
#endif

/* GrowSearch */
static Status
search(ForestGrower *g, void *ctx, const uint32_t *features, uint32_t n, Split *best,
	   bool *varies, Failure *why)
{
	(void) why;
#ifdef CPU_X86
	if (g->level >= CPU_AVX2)
		search_avx2(g, ctx, features, n, best, varies);
	else
#endif
		search_portable(g, ctx, features, n, best, varies);
	return STATUS_OK;
}

/* ------------------------------------------------------------ the subtree -- */

/* A node that is still to be split, and its rows. */
typedef struct Pending
{
	uint32_t	id;
	uint64_t	rows;
} Pending;

/* Add the children of a node that is split. */
static Status
add_children(ForestGrower *g, uint32_t id, uint64_t rows, uint64_t left_rows, Failure *why)
{
	GrowNode   *node = &g->nodes[id];
	uint32_t	n_left = count_bits(left_rows, false);
	GrowNode	left = {.n = n_left,.depth = node->depth + 1,.w = node->left_w,
		.s = node->left_s,.key = rng_left_key(node->key)};
	GrowNode	right = {.n = count_bits(rows, false) - n_left,.depth = node->depth + 1,
		.w = node->w - node->left_w,.s = node->s - node->left_s,
	.key = rng_right_key(node->key)};
	Status		status;

	left.lower = right.lower = node->lower;
	left.upper = right.upper = node->upper;
	grow_settle_absent(g, node, left.n > right.n);
	status = grow_add_node(g, &left, why);
	if (status == STATUS_OK)
		status = grow_add_node(g, &right, why);
	if (status != STATUS_OK)
		return status;
	g->nodes[id].left = (uint32_t) g->n_nodes - 2;
	g->n_splits++;
	return STATUS_OK;
}

/* Look for a node's split; *left are the rows on its left. */
static Status
find_split(ForestGrower *g, const Pending *pending, uint64_t *left, Failure *why)
{
	GrowNode   *node = &g->nodes[pending->id];
	SplitNode	about;
	SmallNode	small = {.rows = pending->rows,.n = node->n,.w = node->w,.s = node->s,
	.search = &about};
	Status		status;

	if (!grow_may_split(g, node))
		return STATUS_OK;
	grow_describe(g, node, &about);
	status = grow_find_split(g, node, &about, search, &small, why);
	*left = small.left;
	return status;
}

Status
grow_small(ForestGrower *g, uint32_t id, Failure *why)
{
	Pending		pending[ROWS];
	uint32_t	n_pending = 1;
	Status		status = STATUS_OK;

	begin_subtree(g, &g->nodes[id]);
	pending[0].id = id;
	pending[0].rows = g->nodes[id].n == 64 ? UINT64_MAX : (UINT64_C(1) << g->nodes[id].n) - 1;
	while (n_pending > 0 && status == STATUS_OK)
	{
		Pending		at = pending[--n_pending];
		uint64_t	left = 0;

		status = find_split(g, &at, &left, why);
		if (status != STATUS_OK || !g->nodes[at.id].found)
			continue;
		status = add_children(g, at.id, at.rows, left, why);
		if (status != STATUS_OK)
			break;
		pending[n_pending++] = (Pending) {g->nodes[at.id].left, left};
		pending[n_pending++] = (Pending) {g->nodes[at.id].left + 1, at.rows & ~left};
	}
	return status;
}
