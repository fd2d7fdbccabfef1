/*
 * small.c
 *	  Subtrees of at most 64 rows, on bit masks.
 *
 * A node is a set of the subtree's rows, one bit each, and no row is ever
 * moved.  Of a feature, once it is drawn anywhere in the subtree, the sets of
 * rows up to each of its bins are made; a cut of a node is then one AND, and
 * what it adds to the left side are the few rows that were not in the cut
 * before.  Deep trees consist of such subtrees for the most part.
 *
 * Gini and squared error are searched here, with the candidates, scores and
 * ties of split.c; other criteria, categories of several classes and weighted
 * classes are handed to it bin by bin.
 */
#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "forest/grow.h"

#ifdef CPU_X86
#include <immintrin.h>
#endif

#if defined(__GNUC__)
#define ALWAYS_INLINE inline __attribute__((always_inline))
#else
#define ALWAYS_INLINE inline
#endif

#define ROWS GROW_SMALL_ROWS
/* Bits of a count, which is at most TRAINING_THRESHOLDS − 1. */
#define PLANES 4
/* Of a feature of so few bins every bin is compared with all rows at once. */
#define FEW_BINS 12
/* Bins are looked through one by one where a column has no more, else the rows are. */
#define FEW_PLACES 8

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
	GrowPair	pair[ROWS];		/* of each row; of several classes: weight and class */
	uint64_t	plane[PLANES];	/* two classes without weights: rows by the bits of their counts */
	uint64_t	ones;			/* rows of class 1 */
	uint8_t		counts[ROWS];	/* scratch: what these are made of */
	uint8_t		labels[ROWS];
	uint8_t		of_row[ROWS];	/* scratch: bins of one feature, where rows are wide */
	Column	   *columns;		/* per feature */
	uint8_t    *bins;			/* [feature][row]; NULL: rows are wide, and read one by one */
};

/* A node whose split is looked for. */
typedef struct SmallNode
{
	uint64_t	rows;
	uint32_t	n;
	uint64_t	w;
	int64_t		s;
	uint64_t	min_w;			/* of a side, at least 1 */
	const SplitNode *search;
} SmallNode;

Status
grow_small_new(ForestGrower *g, Failure *why)
{
	Status		status = memory_new(g->host, 1, sizeof(GrowSmall), &g->small, why);

	if (status == STATUS_OK)
		status = memory_new(g->host, g->t->schema.n_features, sizeof(Column),
							&g->small->columns, why);
	if (status == STATUS_OK && !g->wide)
		status = memory_new(g->host, g->t->row_bytes, ROWS, &g->small->bins, why);
	return status;
}

void
grow_small_free(ForestGrower *g)
{
	if (g->small != NULL)
	{
		memory_free(g->host, g->small->columns, g->t->schema.n_features, sizeof(Column));
		memory_free(g->host, g->small->bins, g->t->row_bytes, ROWS);
	}
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

/* The sums of some rows; not of several classes. */
static ALWAYS_INLINE GrowPair
sum_rows(const GrowSmall *small, uint64_t rows, bool packed, bool popcnt)
{
	GrowPair	sum = {0, 0};

	if (!packed || (rows & (rows - 1)) == 0)
	{
		for (; rows != 0; rows &= rows - 1)
		{
			const GrowPair *pair = &small->pair[__builtin_ctzll(rows)];

			sum.w += pair->w;
			sum.s += pair->s;
		}
		return sum;
	}
	for (uint32_t p = 0; p < PLANES; p++)
	{
		uint64_t	plane = rows & small->plane[p];

		sum.w += (uint64_t) count_bits(plane, popcnt) << p;
		sum.s += (int64_t) count_bits(plane & small->ones, popcnt) << p;
	}
	return sum;
}

/* --------------------------------------------------------------- columns -- */

/* Weight and target of a record that is not packed. */
static GrowPair
read_pair(const ForestGrower *g, const uint8_t *payload)
{
	if (g->payload == GROW_COUNTS)
		return (GrowPair) {((const uint32_t *) payload)[0], ((const uint32_t *) payload)[1]};
	return *(const GrowPair *) payload;
}

/* Turn the bins of eight rows, eight features of each, into those of eight features. */
#ifdef CPU_X86
static void
turn_bytes(const uint8_t *rows, size_t row_bytes, uint8_t *features)
{
	__m128i		pairs[4];
	__m128i		fours[4];
	__m128i		eights[4];

	for (int i = 0; i < 4; i++)
		pairs[i] = _mm_unpacklo_epi8(
			_mm_loadl_epi64((const __m128i *) (rows + (size_t) (2 * i) * row_bytes)),
			_mm_loadl_epi64((const __m128i *) (rows + (size_t) (2 * i + 1) * row_bytes)));
	for (int i = 0; i < 2; i++)
	{
		fours[2 * i] = _mm_unpacklo_epi16(pairs[2 * i], pairs[2 * i + 1]);
		fours[2 * i + 1] = _mm_unpackhi_epi16(pairs[2 * i], pairs[2 * i + 1]);
	}
	for (int i = 0; i < 2; i++)
	{
		eights[2 * i] = _mm_unpacklo_epi32(fours[i], fours[i + 2]);
		eights[2 * i + 1] = _mm_unpackhi_epi32(fours[i], fours[i + 2]);
	}
	for (int i = 0; i < 4; i++)
	{
		_mm_storel_epi64((__m128i *) (features + (size_t) (2 * i) * ROWS), eights[i]);
		_mm_storel_epi64((__m128i *) (features + (size_t) (2 * i + 1) * ROWS),
						 _mm_unpackhi_epi64(eights[i], eights[i]));
	}
}
#else
/* Exchange some bytes of two words: those of `mask` in b with those `shift` bits above in a. */
static ALWAYS_INLINE void
exchange(uint64_t *a, uint64_t *b, int shift, uint64_t mask)
{
	uint64_t	t = (*a >> shift ^ *b) & mask;

	*b ^= t;
	*a ^= t << shift;
}

static void
turn_bytes(const uint8_t *rows, size_t row_bytes, uint8_t *features)
{
	uint64_t	x[8];

	for (int i = 0; i < 8; i++)
		memcpy(&x[i], rows + (size_t) i * row_bytes, sizeof(uint64_t));
	for (int i = 0; i < 4; i++)
		exchange(&x[i], &x[i + 4], 32, UINT64_C(0x00000000FFFFFFFF));
	for (int i = 0; i < 8; i += i % 2 == 1 ? 3 : 1)
		exchange(&x[i], &x[i + 2], 16, UINT64_C(0x0000FFFF0000FFFF));
	for (int i = 0; i < 8; i += 2)
		exchange(&x[i], &x[i + 1], 8, UINT64_C(0x00FF00FF00FF00FF));
	for (int i = 0; i < 8; i++)
		memcpy(features + (size_t) i * ROWS, &x[i], sizeof(uint64_t));
}
#endif

/* The bins of all rows, feature by feature. */
static void
turn_rows(ForestGrower *g, const uint8_t *records, uint32_t n)
{
	size_t		record_bytes = g->record_bytes;
	uint8_t		last[8 * GROW_NARROW_BYTES] = {0};

	for (uint32_t row = 0; row < n; row += 8)
	{
		const uint8_t *eight = records + row * record_bytes;

		if (n - row < 8)
		{
			memcpy(last, eight, (n - row) * record_bytes);
			eight = last;
		}
		for (uint32_t f = 0; f < g->t->schema.n_features; f += 8)
			turn_bytes(eight + f, record_bytes, g->small->bins + (size_t) f * ROWS + row);
	}
}

/* The lowest bit of each of 64 bytes. */
static uint64_t
lowest_bits(const uint64_t bytes[8], uint32_t shift)
{
	uint64_t	bits = 0;

	/* the multiplication brings the bits of eight bytes together in the highest */
	for (uint32_t i = 0; i < 8; i++)
		bits |= ((bytes[i] >> shift & UINT64_C(0x0101010101010101)) *
				 UINT64_C(0x0102040810204080) >> 56) << (8 * i);
	return bits;
}

/* The first word of some memory in the order of its bytes. */
static uint64_t
little_endian(uint64_t word)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	return __builtin_bswap64(word);
#else
	return word;
#endif
}

/* Planes of counts, and the rows of class 1. */
static void
make_planes(GrowSmall *small)
{
	uint64_t	counts[8];
	uint64_t	ones[8];

	for (uint32_t i = 0; i < 8; i++)
	{
		memcpy(&counts[i], small->counts + 8 * i, sizeof(uint64_t));
		memcpy(&ones[i], small->labels + 8 * i, sizeof(uint64_t));
		counts[i] = little_endian(counts[i]);
		ones[i] = little_endian(ones[i]);
	}
	for (uint32_t p = 0; p < PLANES; p++)
		small->plane[p] = lowest_bits(counts, p);
	small->ones = lowest_bits(ones, 0);
}

/* Read the rows of a subtree. */
static void
begin_subtree(ForestGrower *g, const GrowNode *node)
{
	GrowSmall  *small = g->small;
	const uint8_t *record = grow_records(g, node);
	const uint8_t *payload = record + g->payload_offset;

	small->subtree++;
	small->records = record;
	small->n = node->n;
	if (small->bins != NULL)
		turn_rows(g, record, node->n);
	if (g->payload != GROW_PACKED)
	{
		for (uint32_t row = 0; row < node->n; row++, payload += g->record_bytes)
			small->pair[row] = read_pair(g, payload);
		return;
	}
	memset(small->counts, 0, sizeof(small->counts));
	memset(small->labels, 0, sizeof(small->labels));
	for (uint32_t row = 0; row < node->n; row++, payload += g->record_bytes)
	{
		uint32_t	both = *(const uint32_t *) payload;

		small->pair[row].w = both & 0xFFFF;
		small->pair[row].s = both >> 16;
		small->counts[row] = (uint8_t) both;
		small->labels[row] = both >> 16 != 0;
	}
	make_planes(small);
}

/*
 * The rows of every bin, one row after the other: a bin's place is the number
 * of marked bins below it.  The missing one comes last.
 */
static ALWAYS_INLINE void
list_rows(ForestGrower *g, uint32_t feature, Column *column, bool popcnt)
{
	const GrowSmall *small = g->small;
	const uint8_t *record = small->records;
	const uint8_t *bins = small->bins != NULL ? small->bins + (size_t) feature * ROWS
		: small->of_row;
	uint64_t	marks[4] = {0, 0, 0, 0};
	uint32_t	before[4];
	uint32_t	n = 0;
	bool		any_missing;

	if (small->bins == NULL)
		for (uint32_t row = 0; row < small->n; row++, record += g->record_bytes)
			g->small->of_row[row] = grow_record_bins(g, record)[feature];
	for (uint32_t row = 0; row < small->n; row++)
		marks[bins[row] >> 6] |= UINT64_C(1) << (bins[row] & 63);
	for (uint32_t word = 0; word < 4; word++)
	{
		before[word] = n;
		n += count_bits(marks[word], popcnt);
	}
	any_missing = marks[3] >> 63 != 0;
	memset(column->rows, 0, n * sizeof(uint64_t));
	for (uint32_t row = 0; row < small->n; row++)
	{
		uint32_t	bin = bins[row];
		uint64_t	below = marks[bin >> 6] & ((UINT64_C(1) << (bin & 63)) - 1);
		uint32_t	place = before[bin >> 6] + count_bits(below, popcnt);

		column->place[row] = (uint8_t) place;
		column->bin[place] = (uint8_t) bin;
		column->rows[place] |= UINT64_C(1) << row;
	}
	column->n = n - any_missing;
	column->missing = any_missing ? column->rows[n - 1] : 0;
	for (uint32_t place = 1; place < column->n; place++)
		column->rows[place] |= column->rows[place - 1];
}

static void
list_rows_portable(ForestGrower *g, uint32_t feature, Column *column)
{
	list_rows(g, feature, column, false);
}

#ifdef CPU_X86
CPU_TARGET_AVX2 static void
list_rows_avx2(ForestGrower *g, uint32_t feature, Column *column)
{
	list_rows(g, feature, column, true);
}

/* The rows that have a bin. */
CPU_TARGET_AVX2 static ALWAYS_INLINE uint64_t
rows_with(__m256i low, __m256i high, uint32_t bin)
{
	__m256i		wanted = _mm256_set1_epi8((char) bin);

	return (uint32_t) _mm256_movemask_epi8(_mm256_cmpeq_epi8(low, wanted)) |
		(uint64_t) (uint32_t) _mm256_movemask_epi8(_mm256_cmpeq_epi8(high, wanted)) << 32;
}

/* The rows of every bin, one bin after the other. */
CPU_TARGET_AVX2 static void
list_bins_avx2(const GrowSmall *small, uint32_t feature, uint32_t n_bins, Column *column)
{
	const uint8_t *bins = small->bins + (size_t) feature * ROWS;
	__m256i		low = _mm256_loadu_si256((const __m256i *) bins);
	__m256i		high = _mm256_loadu_si256((const __m256i *) (bins + 32));
	uint64_t	all = UINT64_MAX >> (64 - small->n);
	uint64_t	rows = 0;

	column->missing = rows_with(low, high, FOREST_MISSING) & all;
	for (uint32_t bin = 0; bin < n_bins; bin++)
	{
		uint64_t	added = rows_with(low, high, bin) & all;

		rows |= added;
		column->bin[column->n] = (uint8_t) bin;
		column->rows[column->n] = rows;
		column->n += added != 0;
		for (; n_bins > FEW_PLACES && added != 0; added &= added - 1)
			column->place[__builtin_ctzll(added)] = (uint8_t) (column->n - 1);
	}
}
#endif

/* The sets of a feature's rows, made when they are first asked for. */
static const Column *
small_column(ForestGrower *g, uint32_t feature)
{
	Column	   *column = &g->small->columns[feature];

	if (column->subtree == g->small->subtree)
		return column;
	column->subtree = g->small->subtree;
	column->n = 0;
#ifdef CPU_X86
	if (g->level >= CPU_AVX2 && g->small->bins != NULL &&
		g->t->schema.features[feature].n_bins <= FEW_BINS)
	{
		list_bins_avx2(g->small, feature, g->t->schema.features[feature].n_bins, column);
		return column;
	}
	if (g->level >= CPU_AVX2)
	{
		list_rows_avx2(g, feature, column);
		return column;
	}
#endif
	list_rows_portable(g, feature, column);
	return column;
}

/* The places of the bins that some rows have, none of them missing: a bit each. */
static ALWAYS_INLINE uint64_t
places_of(const Column *column, uint64_t rows, uint32_t n_rows)
{
	uint64_t	places = 0;
	uint64_t	before = 0;

	if (column->n > FEW_PLACES && n_rows < column->n)
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

/* Are both sides of a candidate large enough? */
static ALWAYS_INLINE bool
is_allowed(const SmallNode *node, uint64_t left, uint64_t w_left, bool popcnt)
{
	const SplitNode *search = node->search;
	uint32_t	n_left;

	if (w_left < node->min_w || node->w - w_left < node->min_w)
		return false;
	if (!search->count_rows)
		return true;
	n_left = count_bits(left, popcnt);
	return n_left >= search->min_rows && node->n - n_left >= search->min_rows;
}

/* Keep a score if it is the best; true when it is. */
static ALWAYS_INLINE bool
take_score(Split *best, double score, uint64_t w_left, int64_t s_left)
{
	if (best->found && !(score > best->score))
		return false;
	best->found = true;
	best->score = score;
	best->left.w = w_left;
	best->left.s = s_left;
	return true;
}

/*
 * The cuts of a number behind the bins at some places, with missing values on
 * one side; the best one's place into *at.
 */
static ALWAYS_INLINE bool
search_pairs(const ForestGrower *g, SmallNode *node, const Column *column, uint64_t places,
			 uint64_t missing, Split *best, uint32_t *at, bool packed, bool popcnt)
{
	uint64_t	before = missing;
	GrowPair	sum = sum_rows(g->small, missing, packed, popcnt);
	bool		improved = false;

	for (; places != 0; places &= places - 1)
	{
		uint32_t	place = (uint32_t) __builtin_ctzll(places);
		uint64_t	rows = (column->rows[place] & node->rows) | missing;
		GrowPair	added = sum_rows(g->small, rows & ~before, packed, popcnt);

		sum.w += added.w;
		sum.s += added.s;
		before = rows;
		if (!is_allowed(node, rows, sum.w, popcnt) ||
			!take_score(best, split_pair_score((double) node->w, (double) node->s,
											   (double) sum.w, (double) sum.s,
											   (double) (node->w - sum.w)), sum.w, sum.s))
			continue;
		*at = place;
		improved = true;
	}
	return improved;
}

/* The squares of class weights on both sides of a cut, kept up as rows move to the left. */
typedef struct ClassSquares
{
	uint64_t   *left;			/* weight per class */
	const uint64_t *total;
	uint64_t	w;				/* of the left side */
	int64_t		squares_left;
	int64_t		squares_right;
} ClassSquares;

static ALWAYS_INLINE void
move_classes(const GrowSmall *small, uint64_t rows, ClassSquares *c)
{
	for (; rows != 0; rows &= rows - 1)
	{
		const GrowPair *pair = &small->pair[__builtin_ctzll(rows)];
		int64_t		w = (int64_t) pair->w;
		int64_t		on_left = (int64_t) c->left[pair->s];
		int64_t		on_right = (int64_t) c->total[pair->s] - on_left;

		c->squares_left += w * (2 * on_left + w);
		c->squares_right -= w * (2 * on_right - w);
		c->left[pair->s] += pair->w;
		c->w += pair->w;
	}
}

/* search_pairs for several classes. */
static ALWAYS_INLINE bool
search_classes(const ForestGrower *g, SmallNode *node, const Column *column, uint64_t places,
			   uint64_t missing, Split *best, uint32_t *at, bool popcnt)
{
	ClassSquares c = {.left = g->left_classes,.total = g->node_classes};
	uint64_t	before = missing;
	bool		improved = false;

	memset(c.left, 0, g->t->schema.n_classes * sizeof(uint64_t));
	for (uint32_t k = 0; k < g->t->schema.n_classes; k++)
		c.squares_right += (int64_t) (c.total[k] * c.total[k]);
	move_classes(g->small, missing, &c);
	for (; places != 0; places &= places - 1)
	{
		uint32_t	place = (uint32_t) __builtin_ctzll(places);
		uint64_t	rows = (column->rows[place] & node->rows) | missing;

		move_classes(g->small, rows & ~before, &c);
		before = rows;
		if (!is_allowed(node, rows, c.w, popcnt) ||
			!take_score(best, (double) c.squares_left / (double) c.w +
						(double) c.squares_right / (double) (node->w - c.w), c.w, 0))
			continue;
		*at = place;
		improved = true;
	}
	return improved;
}

static ALWAYS_INLINE bool
search_side(const ForestGrower *g, SmallNode *node, const Column *column, uint64_t places,
			uint64_t missing, Split *best, uint32_t *at, bool popcnt)
{
	if (g->payload == GROW_PACKED)
		return search_pairs(g, node, column, places, missing, best, at, true, popcnt);
	if (g->payload == GROW_SUMS)
		return search_pairs(g, node, column, places, missing, best, at, false, popcnt);
	return search_classes(g, node, column, places, missing, best, at, popcnt);
}

static ALWAYS_INLINE void
search_number(const ForestGrower *g, SmallNode *node, uint32_t feature, const Column *column,
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
	right = search_side(g, node, column, missing != 0 ? places : places & ~last, 0, best, &at,
						popcnt);
	if (missing != 0)
		left = search_side(g, node, column, places & ~last, missing, best, &at, popcnt);
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
	GrowPair	sum;
	uint64_t	rows;
	uint8_t		bin;
} Category;

/* The categories of a node by their mean, equal ones by bin; missing is one more. */
static ALWAYS_INLINE uint32_t
order_categories(const GrowSmall *small, const SmallNode *node, const Column *column,
				 uint64_t places, Category *out, bool packed, bool popcnt)
{
	double		smoothing = node->search->smoothing;
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
		c.sum = sum_rows(small, c.rows, packed, popcnt);
		c.mean = ((double) c.sum.s + smoothing * mean) / ((double) c.sum.w + smoothing);
		for (; at > 0 && out[at - 1].mean > c.mean; at--)
			out[at] = out[at - 1];
		out[at] = c;
	}
	return n;
}

/* Categories by gini of two classes or by squared error. */
static ALWAYS_INLINE void
search_category(const ForestGrower *g, SmallNode *node, uint32_t feature, const Column *column,
				uint64_t places, Split *best, bool packed, bool popcnt)
{
	Category	categories[ROWS];
	uint32_t	n = order_categories(g->small, node, column, places, categories, packed, popcnt);
	uint32_t	n_left = 0;
	uint64_t	left = 0;
	GrowPair	sum = {0, 0};
	Split		found;

	found.found = false;
	for (uint32_t i = 0; i + 1 < n; i++)
	{
		left |= categories[i].rows;
		sum.w += categories[i].sum.w;
		sum.s += categories[i].sum.s;
		if (is_allowed(node, left, sum.w, popcnt) &&
			take_score(&found, split_pair_score((double) node->w, (double) node->s,
												(double) sum.w, (double) sum.s,
												(double) (node->w - sum.w)), sum.w, sum.s))
			n_left = i + 1;
	}
	if (n_left == 0)
		return;
	found.feature = feature;
	found.category = true;
	found.missing_left = false;
	found.missing_seen = (node->rows & column->missing) != 0;
	memset(found.mask, 0, sizeof(found.mask));
	memset(found.present, 0, sizeof(found.present));
	for (uint32_t i = 0; i < n; i++)
	{
		uint32_t	bin = categories[i].bin;
		uint64_t	bit = UINT64_C(1) << (bin & 63);

		if (bin == FOREST_MISSING)
		{
			found.missing_left = i < n_left;
			continue;
		}
		found.present[bin >> 6] |= bit;
		if (i < n_left)
			found.mask[bin >> 6] |= bit;
	}
	split_take_ordered(node->search, 0, n, &found, best);
}

/* Some rows as a bin for split.c, the place-th of its list. */
static SplitBin
split_bin(ForestGrower *g, uint32_t bin, uint32_t place, uint64_t rows, bool popcnt)
{
	uint32_t	n_classes = g->t->schema.n_classes;
	SplitBin	out = {.bin = bin,.sums = {.n = count_bits(rows, popcnt)}};
	uint64_t   *classes;

	if (!grow_has_classes(g))
	{
		GrowPair	sum = sum_rows(g->small, rows, g->payload == GROW_PACKED, popcnt);

		out.sums.w = sum.w;
		out.sums.s = sum.s;
		return out;
	}
	classes = g->bin_classes + (size_t) place * n_classes;
	out.classes = classes;
	memset(classes, 0, n_classes * sizeof(uint64_t));
	for (; rows != 0; rows &= rows - 1)
	{
		const GrowPair *pair = &g->small->pair[__builtin_ctzll(rows)];

		classes[pair->s] += pair->w;
		out.sums.w += pair->w;
	}
	return out;
}

/* Hand a feature to split.c. */
static ALWAYS_INLINE void
search_bins(ForestGrower *g, SmallNode *node, uint32_t feature, const Column *column,
			uint64_t places, Split *best, bool popcnt)
{
	SplitBin	missing = split_bin(g, FOREST_MISSING, SCAN_BINS, node->rows & column->missing,
									popcnt);
	uint64_t	before = 0;
	uint32_t	n = 0;

	for (; places != 0; places &= places - 1)
	{
		uint32_t	place = (uint32_t) __builtin_ctzll(places);
		uint64_t	rows = column->rows[place] & node->rows;

		g->bins[n] = split_bin(g, column->bin[place], n, rows & ~before, popcnt);
		before = rows;
		n++;
	}
	(void) split_feature(node->search, feature, g->bins, n, &missing, best);
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
		if (!g->scans || g->payload == GROW_CLASSES)
			search_bins(g, node, features[i], column, places, best, popcnt);
		else if (g->t->schema.features[features[i]].kind != FOREST_CATEGORY)
			search_number(g, node, features[i], column, places, best, popcnt);
		else if (g->payload == GROW_PACKED)
			search_category(g, node, features[i], column, places, best, true, popcnt);
		else if (g->payload == GROW_SUMS)
			search_category(g, node, features[i], column, places, best, false, popcnt);
		else
			search_bins(g, node, features[i], column, places, best, popcnt);
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

/* Class weights of a node's rows. */
static void
count_classes(ForestGrower *g, uint64_t rows)
{
	memset(g->node_classes, 0, g->t->schema.n_classes * sizeof(uint64_t));
	for (; rows != 0; rows &= rows - 1)
	{
		const GrowPair *pair = &g->small->pair[__builtin_ctzll(rows)];

		g->node_classes[pair->s] += pair->w;
	}
}

/* Do the rows have one target?  Of several classes node_classes says so. */
static bool
is_pure(const ForestGrower *g, const GrowNode *node, uint64_t rows)
{
	const GrowPair *first = &g->small->pair[__builtin_ctzll(rows)];

	if (g->t->schema.task != FOREST_REGRESSION)
		return grow_is_pure(g, node);
	for (; rows != 0; rows &= rows - 1)
	{
		const GrowPair *pair = &g->small->pair[__builtin_ctzll(rows)];

		/* equal where it does not overflow, and then also as quotients */
		if (pair->s / (int64_t) pair->w != first->s / (int64_t) first->w)
			return false;
	}
	return true;
}

/* The variance of the target of some rows, those of a node. */
static double
spread_of(const ForestGrower *g, const GrowNode *node, uint64_t rows)
{
	double		mean = (double) node->s / (double) node->w;
	double		sum = 0;

	for (; rows != 0; rows &= rows - 1)
		sum += grow_square(&g->small->pair[__builtin_ctzll(rows)], mean);
	return sum / node->n;
}

/* The rows on the left of a node's split. */
static uint64_t
left_of(ForestGrower *g, const GrowNode *node, uint64_t rows)
{
	const Column *column = small_column(g, node->feature);
	uint64_t	before = 0;
	uint64_t	left = node->missing_left ? column->missing : 0;

	for (uint32_t i = 0; i < column->n; i++)
	{
		uint32_t	bin = column->bin[i];

		if (node->category ? g->sets[node->sets].left[bin >> 6] >> (bin & 63) & 1
			: bin <= node->cut)
			left |= column->rows[i] & ~before;
		before = column->rows[i];
	}
	return left & rows;
}

/* Look for a node's split; a leaf of several classes keeps their weights. */
static Status
find_split(ForestGrower *g, const Pending *pending, Failure *why)
{
	GrowNode   *node = &g->nodes[pending->id];
	SplitNode	about;
	SmallNode	small = {.rows = pending->rows,.n = node->n,.w = node->w,.s = node->s,
	.search = &about};
	Status		status = STATUS_OK;

	if (grow_has_classes(g))
		count_classes(g, pending->rows);
	if (grow_may_split(g, node) && !is_pure(g, node, pending->rows))
	{
		grow_describe(g, node, &about);
		if (g->measures_spread)
			about.spread = spread_of(g, node, pending->rows);
		small.min_w = about.min_weight > 1 ? (uint64_t) ceil(about.min_weight) : 1;
		status = grow_find_split(g, node, &about, search, &small, why);
	}
	if (status == STATUS_OK && !node->found && grow_has_classes(g))
		status = grow_keep_classes(g, node, why);
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
	pending[0].rows = UINT64_MAX >> (64 - g->nodes[id].n);
	while (n_pending > 0 && status == STATUS_OK)
	{
		Pending		at = pending[--n_pending];
		uint32_t	n_left;
		uint64_t	left;

		status = find_split(g, &at, why);
		if (status != STATUS_OK || !g->nodes[at.id].found)
			continue;
		left = left_of(g, &g->nodes[at.id], at.rows);
		n_left = count_bits(left, false);
		grow_settle_absent(g, &g->nodes[at.id], n_left > g->nodes[at.id].n - n_left);
		status = grow_add_children(g, at.id, n_left, why);
		if (status != STATUS_OK)
			break;
		pending[n_pending++] = (Pending) {g->nodes[at.id].left, left};
		pending[n_pending++] = (Pending) {g->nodes[at.id].left + 1, at.rows & ~left};
	}
	return status;
}
