/*
 * histogram.c
 *	  The sums of a node's rows by bin, and the search for a split in them.
 *
 * One pass over the rows fills the histograms of as many features as stay in
 * the nearest cache.  A pass reads the rows in order and adds once per row and
 * feature; it is bound by the ports for loads and stores.
 *
 * Numbers by gini and squared error go to the scans of scan.c, straight from
 * the cells.  Of small nodes only a few bins are occupied: these are put side
 * by side first, so that neither the scan nor the clearing sees the others.
 * Everything else is handed to split.c bin by bin.
 *
 * min_samples_leaf counts rows, which cells do not hold.  A row weighs at
 * least as much as one row and at most `heaviest`, so most splits can be seen
 * to have rows enough on both sides; only where that is in doubt the rows of
 * that feature are counted, and the scan is done again between the bins that
 * leave enough.
 */
#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "forest/grow.h"

/*
 * Bytes of histograms filled by one pass over the rows: with more, cells of
 * many features compete for the same few places of the nearest cache.
 */
#define HISTOGRAM_BYTES ((size_t) 20 * 1024)
/* Features of a pass whose number is a constant in the code: enough to keep the ports busy. */
#define PASS_FEATURES 4
/* Rows between two questions whether to go on. */
#define POLL_ROWS 65536
/* Below this many rows a node's occupied bins are found by looking at the rows. */
#define SMALL_NODE_ROWS 128
/* Rows between asking for a row of the matrix and reading it. */
#define PREFETCH_ROWS 8

#if defined(__GNUC__)
#define ALWAYS_INLINE inline __attribute__((always_inline))
#else
#define ALWAYS_INLINE inline
#endif

/* ---------------------------------------------------------------- memory -- */

/* Cells of a bin: one per class, or one. */
static size_t
cells_per_bin(const ForestGrower *g)
{
	return grow_has_classes(g) ? g->t->schema.n_classes : 1;
}

static size_t
cell_bytes(const ForestGrower *g)
{
	return g->payload == GROW_SUMS ? sizeof(GrowPair)
		: g->payload == GROW_CLASSES ? sizeof(uint64_t) : sizeof(uint32_t);
}

Status
grow_histograms_new(ForestGrower *g, Failure *why)
{
	uint32_t	n_classes = g->t->schema.n_classes;
	size_t		group;
	Status		status;

	g->feature_bytes = cells_per_bin(g) * SCAN_BINS * cell_bytes(g);
	group = HISTOGRAM_BYTES / g->feature_bytes;
	if (group > PASS_FEATURES && !g->wide)
		group = PASS_FEATURES;
	g->group = group < 1 ? 1 : group > g->t->settings.mtry ? g->t->settings.mtry
		: (uint32_t) group;
	status = memory_new(g->host, g->group, g->feature_bytes, &g->cells, why);
	if (status == STATUS_OK && g->payload == GROW_PACKED)
		status = memory_new(g->host, (size_t) g->group * SCAN_BINS, sizeof(uint64_t),
							&g->wide_cells, why);
	if (status == STATUS_OK)
		status = memory_new(g->host, SCAN_BINS, sizeof(uint32_t), &g->row_counts, why);
	if (status == STATUS_OK)
		status = memory_new(g->host, SCAN_BINS, sizeof(SplitBin), &g->bins, why);
	if (status == STATUS_OK && grow_has_classes(g))
		status = memory_new(g->host, n_classes, sizeof(uint64_t), &g->node_classes, why);
	if (status == STATUS_OK && grow_has_classes(g))
		status = memory_new(g->host, n_classes, sizeof(uint64_t), &g->left_classes, why);
	if (status == STATUS_OK && grow_has_classes(g))
		status = memory_new(g->host, (size_t) n_classes * (SCAN_BINS + 1), sizeof(uint64_t),
							&g->bin_classes, why);
	if (status == STATUS_OK && grow_has_classes(g))
		status = memory_new(g->host, (size_t) n_classes * SCAN_BINS, sizeof(uint64_t),
							&g->few_cells, why);
	return status;
}

void
grow_histograms_free(ForestGrower *g)
{
	uint32_t	n_classes = g->t->schema.n_classes;

	memory_free(g->host, g->cells, g->group, g->feature_bytes);
	memory_free(g->host, g->wide_cells, (size_t) g->group * SCAN_BINS, sizeof(uint64_t));
	memory_free(g->host, g->row_counts, SCAN_BINS, sizeof(uint32_t));
	memory_free(g->host, g->bins, SCAN_BINS, sizeof(SplitBin));
	memory_free(g->host, g->node_classes, n_classes, sizeof(uint64_t));
	memory_free(g->host, g->left_classes, n_classes, sizeof(uint64_t));
	memory_free(g->host, g->bin_classes, (size_t) n_classes * (SCAN_BINS + 1), sizeof(uint64_t));
	memory_free(g->host, g->few_cells, (size_t) n_classes * SCAN_BINS, sizeof(uint64_t));
}

void
grow_histograms_reset(ForestGrower *g)
{
	memset(g->cells, 0, g->group * g->feature_bytes);
	if (g->wide_cells != NULL)
		memset(g->wide_cells, 0, (size_t) g->group * SCAN_BINS * sizeof(uint64_t));
	memset(g->row_counts, 0, SCAN_BINS * sizeof(uint32_t));
}

/* --------------------------------------------------------------- filling -- */

/* Ask for the bins of a row that will be read soon. */
static ALWAYS_INLINE void
prefetch_bins(const ForestGrower *g, const uint8_t *record)
{
#if defined(__GNUC__)
	const uint8_t *bins = grow_record_bins(g, record);

	for (uint32_t at = 0; at < g->t->row_bytes; at += 64)
		__builtin_prefetch(bins + at);
#else
	(void) g;
	(void) record;
#endif
}

/* Both numbers of a pair at once, where there are registers for that. */
static ALWAYS_INLINE void
add_pair(GrowPair *cell, GrowPair pair)
{
#if defined(__GNUC__)
	typedef uint64_t Both __attribute__((vector_size(16)));
	Both		sum;
	Both		added;

	memcpy(&sum, cell, sizeof(sum));
	memcpy(&added, &pair, sizeof(added));
	sum += added;
	memcpy(cell, &sum, sizeof(sum));
#else
	cell->w += pair.w;
	cell->s += pair.s;
#endif
}

/*
 * Add n records to the histograms of k features.  Payload, width and, where it
 * is small, k are constants in every copy that the compiler makes.
 */
static ALWAYS_INLINE void
add_rows(ForestGrower *g, GrowPayload payload, bool wide, const uint8_t *record, uint32_t n,
		 const uint32_t *features, uint32_t k)
{
	size_t		stride = g->record_bytes;
	size_t		offset = g->payload_offset;
	uint8_t    *cells = g->cells;
	size_t		feature_bytes = payload == GROW_PACKED ? SCAN_BINS * sizeof(uint32_t)
		: payload == GROW_SUMS ? SCAN_BINS * sizeof(GrowPair) : g->feature_bytes;

	for (uint32_t row = 0; row < n; row++, record += stride)
	{
		const uint8_t *bins = wide ? training_bins(g->t, *(const uint32_t *) record) : record;
		const uint8_t *load = record + offset;
		uint32_t	count = payload == GROW_PACKED || payload == GROW_COUNTS
			? *(const uint32_t *) load : 0;
		GrowPair	pair = payload == GROW_SUMS ? *(const GrowPair *) load : (GrowPair) {0, 0};
		uint64_t	weight = payload == GROW_CLASSES ? *(const uint64_t *) load : 0;
		size_t		class_cells = payload == GROW_COUNTS ? ((const uint32_t *) load)[1] * SCAN_BINS
			: payload == GROW_CLASSES ? ((const uint64_t *) load)[1] * SCAN_BINS : 0;

		if (wide && row + PREFETCH_ROWS < n)
			prefetch_bins(g, record + PREFETCH_ROWS * stride);
		for (uint32_t i = 0; i < k; i++)
		{
			void	   *of_feature = cells + i * feature_bytes;
			size_t		bin = bins[features[i]];

			if (payload == GROW_PACKED)
				((uint32_t *) of_feature)[bin] += count;
			else if (payload == GROW_SUMS)
				add_pair((GrowPair *) of_feature + bin, pair);
			else if (payload == GROW_COUNTS)
				((uint32_t *) of_feature)[class_cells + bin] += count;
			else
				((uint64_t *) of_feature)[class_cells + bin] += weight;
		}
	}
}

/* The same with the number of features as a constant where it is the usual one. */
static ALWAYS_INLINE void
add_rows_of(ForestGrower *g, GrowPayload payload, bool wide, const uint8_t *record, uint32_t n,
			const uint32_t *features, uint32_t k)
{
	/* copies of its own, which no store into a cell can be thought to change */
	const uint32_t one[1] = {features[0]};
	const uint32_t four[PASS_FEATURES] = {features[0], features[k > 1 ? 1 : 0], features[k > 2 ? 2 : 0],
	features[k > 3 ? 3 : 0]};

	if (k == 4)
		add_rows(g, payload, wide, record, n, four, 4);
	else if (k == 3)
		add_rows(g, payload, wide, record, n, four, 3);
	else if (k == 2)
		add_rows(g, payload, wide, record, n, four, 2);
	else if (k == 1)
		add_rows(g, payload, wide, record, n, one, 1);
	else
		add_rows(g, payload, wide, record, n, features, k);
}

/* Some of a node's rows, as many as may go into packed cells at once. */
static void
fill(ForestGrower *g, const uint8_t *record, uint32_t n, const uint32_t *features, uint32_t k)
{
	switch (g->payload)
	{
		case GROW_PACKED:
			if (g->wide)
				add_rows_of(g, GROW_PACKED, true, record, n, features, k);
			else
				add_rows_of(g, GROW_PACKED, false, record, n, features, k);
			break;
		case GROW_SUMS:
			if (g->wide)
				add_rows_of(g, GROW_SUMS, true, record, n, features, k);
			else
				add_rows_of(g, GROW_SUMS, false, record, n, features, k);
			break;
		case GROW_COUNTS:
			if (g->wide)
				add_rows_of(g, GROW_COUNTS, true, record, n, features, k);
			else
				add_rows_of(g, GROW_COUNTS, false, record, n, features, k);
			break;
		case GROW_CLASSES:
			add_rows(g, GROW_CLASSES, g->wide, record, n, features, k);
			break;
	}
}

/* Is the node too large for packed cells alone? */
static bool
uses_wide_cells(const ForestGrower *g, const GrowNode *node)
{
	return g->payload == GROW_PACKED && node->n > SCAN_PACKED_ROWS;
}

/* Empty packed cells into those of 32-bit halves. */
static void
widen(ForestGrower *g, uint32_t k)
{
	uint32_t   *cells = (uint32_t *) g->cells;

	for (size_t i = 0; i < (size_t) k * SCAN_BINS; i++)
	{
		g->wide_cells[i] += (cells[i] & 0xFFFF) | (uint64_t) (cells[i] >> 16) << 32;
		cells[i] = 0;
	}
}

/* The histograms of up to g->group features over a node's rows. */
static Status
fill_histograms(ForestGrower *g, const GrowNode *node, const uint32_t *features, uint32_t k,
				Failure *why)
{
	const uint8_t *record = grow_records(g, node);
	uint32_t	stride = uses_wide_cells(g, node) ? SCAN_PACKED_ROWS : POLL_ROWS;

	for (uint32_t done = 0; done < node->n; done += stride)
	{
		uint32_t	n = node->n - done < stride ? node->n - done : stride;

		if (done % POLL_ROWS == 0 && n == stride && host_poll(g->host, why) != STATUS_OK)
			return STATUS_CANCELLED;
		fill(g, record, n, features, k);
		record += (size_t) n * g->record_bytes;
		if (uses_wide_cells(g, node))
			widen(g, k);
	}
	return STATUS_OK;
}

/* --------------------------------------------------------- occupied bins -- */

/* The histogram of one feature of a node. */
typedef struct NodeFeature
{
	ForestGrower *g;
	const SplitNode *search;
	const GrowNode *node;
	uint32_t	feature;
	uint32_t	n_bins;			/* of the feature */
	uint8_t    *cells;			/* feature_bytes */
	uint64_t   *wide_cells;		/* instead of cells, or NULL */
	bool		listed;			/* occupied holds the bins, else all may be */
	bool		any_missing;
	uint32_t	n;				/* occupied, without the missing one */
	uint8_t		occupied[SCAN_BINS];
} NodeFeature;

/* Weight and sum of a bin; not of several classes. */
static ALWAYS_INLINE GrowPair
cell_pair(const NodeFeature *f, uint32_t bin)
{
	if (f->g->payload == GROW_SUMS)
		return ((const GrowPair *) f->cells)[bin];
	if (f->wide_cells != NULL)
		return (GrowPair) {f->wide_cells[bin] & UINT32_MAX, (int64_t) (f->wide_cells[bin] >> 32)};
	return (GrowPair) {((const uint32_t *) f->cells)[bin] & 0xFFFF,
		(int64_t) (((const uint32_t *) f->cells)[bin] >> 16)};
}

/* The weight of a class in a bin. */
static ALWAYS_INLINE uint64_t
cell_class(const NodeFeature *f, uint32_t k, uint32_t bin)
{
	return f->g->payload == GROW_COUNTS
		? ((const uint32_t *) f->cells)[(size_t) k * SCAN_BINS + bin]
		: ((const uint64_t *) f->cells)[(size_t) k * SCAN_BINS + bin];
}

static bool
is_occupied(const NodeFeature *f, uint32_t bin)
{
	if (!grow_has_classes(f->g))
		return cell_pair(f, bin).w != 0;
	for (uint32_t k = 0; k < f->g->t->schema.n_classes; k++)
		if (cell_class(f, k, bin) != 0)
			return true;
	return false;
}

/* The bins that a small node's rows have. */
static void
mark_bins(const NodeFeature *f, uint8_t marks[SCAN_BINS])
{
	const ForestGrower *g = f->g;
	const uint8_t *record = grow_records(g, f->node);

	for (uint32_t row = 0; row < f->node->n; row++, record += g->record_bytes)
		marks[grow_record_bins(g, record)[f->feature]] = 1;
}

/* List the occupied bins. */
static void
list_bins(NodeFeature *f)
{
	uint64_t	marks[SCAN_BINS / 8] = {0};
	uint32_t	n = 0;

	if (f->node->n < SMALL_NODE_ROWS)
		mark_bins(f, (uint8_t *) marks);
	else
		for (uint32_t bin = 0; bin < f->n_bins; bin++)
			((uint8_t *) marks)[bin] = is_occupied(f, bin);
	((uint8_t *) marks)[FOREST_MISSING] = 0;
	for (uint32_t word = 0; word <= (f->n_bins - 1) / 8; word++)
		for (uint32_t bin = word * 8; marks[word] != 0 && bin < word * 8 + 8; bin++)
		{
			f->occupied[n] = (uint8_t) bin;
			n += ((const uint8_t *) marks)[bin];
		}
	f->n = n;
	f->listed = true;
}

/* Forget a feature's sums. */
static void
clear(NodeFeature *f)
{
	ForestGrower *g = f->g;
	size_t		bytes = cell_bytes(g);

	if (f->wide_cells != NULL)
	{
		memset(f->wide_cells, 0, SCAN_BINS * sizeof(uint64_t));
		return;
	}
	for (size_t k = 0; k < cells_per_bin(g); k++)
	{
		uint8_t    *cells = f->cells + k * SCAN_BINS * bytes;

		if (!f->listed)
			memset(cells, 0, f->n_bins * bytes);
		for (uint32_t i = 0; f->listed && i < f->n; i++)
			memset(cells + f->occupied[i] * bytes, 0, bytes);
		memset(cells + FOREST_MISSING * bytes, 0, bytes);
	}
}

/* ------------------------------------------------------------- bin by bin -- */

/* Count the feature's rows per bin into g->row_counts. */
static void
count_rows(const NodeFeature *f)
{
	ForestGrower *g = f->g;
	const uint8_t *record = grow_records(g, f->node);

	memset(g->row_counts, 0, SCAN_BINS * sizeof(uint32_t));
	for (uint32_t row = 0; row < f->node->n; row++, record += g->record_bytes)
		g->row_counts[grow_record_bins(g, record)[f->feature]]++;
}

/* The sums of a bin, the place-th of the list, for split.c. */
static SplitBin
split_bin(const NodeFeature *f, uint32_t bin, uint32_t place)
{
	uint32_t	n_classes = f->g->t->schema.n_classes;
	SplitBin	out = {.bin = bin};

	if (f->search->count_rows)
		out.sums.n = f->g->row_counts[bin];
	if (!grow_has_classes(f->g))
	{
		GrowPair	pair = cell_pair(f, bin);

		out.sums.w = pair.w;
		out.sums.s = pair.s;
		return out;
	}
	out.classes = f->g->bin_classes + (size_t) place * n_classes;
	for (uint32_t k = 0; k < n_classes; k++)
	{
		uint64_t	weight = cell_class(f, k, bin);

		f->g->bin_classes[(size_t) place * n_classes + k] = weight;
		out.sums.w += weight;
	}
	return out;
}

/* Hand a feature to split.c. */
static bool
search_bins(NodeFeature *f, Split *best)
{
	ForestGrower *g = f->g;
	SplitBin	missing;

	list_bins(f);
	if (f->search->count_rows)
		count_rows(f);
	for (uint32_t i = 0; i < f->n; i++)
		g->bins[i] = split_bin(f, f->occupied[i], i);
	missing = split_bin(f, FOREST_MISSING, SCAN_BINS);
	return split_feature(f->search, f->feature, g->bins, f->n, &missing, best);
}

/* ----------------------------------------------------------------- scans -- */

/* The bin at a place of the arrays that are scanned. */
static ALWAYS_INLINE uint32_t
bin_at(const NodeFeature *f, uint32_t place)
{
	return f->listed ? f->occupied[place] : place;
}

/*
 * The cuts that leave enough rows on both sides, missing values on the right
 * and on the left.
 */
static void
limit_rows(const NodeFeature *f, ScanNode *scan)
{
	uint32_t	n = f->listed ? f->n : f->n_bins;
	uint32_t	min_rows = f->search->min_rows;
	const uint32_t *counts = f->g->row_counts;

	count_rows(f);
	for (int side = 0; side < 2; side++)
	{
		uint32_t	left = side == 0 ? 0 : counts[FOREST_MISSING];

		scan->first[side] = SCAN_BINS;
		scan->last[side] = 0;
		for (uint32_t i = 0; i < n; i++)
		{
			left += counts[bin_at(f, i)];
			if (left < min_rows || f->node->n - left < min_rows)
				continue;
			if (scan->first[side] > i)
				scan->first[side] = i;
			scan->last[side] = i;
		}
	}
}

static bool
scan_pairs(const NodeFeature *f, const ScanNode *scan, ScanBest *best, bool *varies)
{
	GrowPair	missing = cell_pair(f, FOREST_MISSING);
	ScanSums	sums;
	GrowPair	sum = {0, 0};

	sums.n = f->listed ? f->n : f->n_bins;
	sums.missing_w = missing.w;
	sums.missing_s = missing.s;
	for (uint32_t i = 0; f->g->payload == GROW_SUMS && i < sums.n; i++)
	{
		add_pair(&sum, ((const GrowPair *) f->cells)[bin_at(f, i)]);
		sums.w[i] = sum.w;
		sums.s[i] = sum.s;
	}
	for (uint32_t i = 0; f->g->payload != GROW_SUMS && i < sums.n; i++)
	{
		GrowPair	cell = cell_pair(f, bin_at(f, i));

		sums.w[i] = sum.w += cell.w;
		sums.s[i] = sum.s += cell.s;
	}
	return scan_sums(scan, &sums, best, varies);
}

/* Bring the cells of occupied bins together, n of them, with zeros up to a multiple of 8. */
static void
gather_classes(const NodeFeature *f, uint32_t stride)
{
	uint32_t	n_classes = f->g->t->schema.n_classes;

	for (uint32_t k = 0; k < n_classes; k++)
	{
		if (f->g->payload == GROW_COUNTS)
		{
			uint32_t   *to = f->g->few_cells + (size_t) k * stride;

			for (uint32_t i = 0; i < stride; i++)
				to[i] = i < f->n ? (uint32_t) cell_class(f, k, f->occupied[i]) : 0;
		}
		else
		{
			uint64_t   *to = (uint64_t *) f->g->few_cells + (size_t) k * stride;

			for (uint32_t i = 0; i < f->n; i++)
				to[i] = cell_class(f, k, f->occupied[i]);
		}
	}
}

static bool
scan_by_class(const NodeFeature *f, const ScanNode *scan, ScanBest *best, bool *varies)
{
	uint32_t	n_classes = f->g->t->schema.n_classes;
	uint64_t	missing[FOREST_MAX_CLASSES];
	bool		any_missing = false;
	ScanClasses classes = {
		.n = f->listed ? f->n : f->n_bins,.n_classes = n_classes,.stride = SCAN_BINS,
		.heavy = f->g->payload == GROW_CLASSES,.cells = f->cells,
		.total = f->search->classes
	};

	for (uint32_t k = 0; k < n_classes; k++)
	{
		missing[k] = cell_class(f, k, FOREST_MISSING);
		any_missing |= missing[k] > 0;
	}
	if (any_missing)
		classes.missing = missing;
	if (f->listed)
	{
		classes.stride = (f->n + 7) & ~UINT32_C(7);
		classes.cells = f->g->few_cells;
		gather_classes(f, classes.stride);
	}
	return scan_classes(scan, &classes, best, varies);
}

static bool
scan_once(const NodeFeature *f, const ScanNode *scan, ScanBest *best, bool *varies)
{
	uint32_t   *cells = (uint32_t *) f->cells;
	uint32_t	missing;
	bool		improved;

	if (grow_has_classes(f->g))
		return scan_by_class(f, scan, best, varies);
	if (f->g->payload != GROW_PACKED || f->wide_cells != NULL)
		return scan_pairs(f, scan, best, varies);
	missing = cells[FOREST_MISSING];
	cells[FOREST_MISSING] = 0;
	improved = scan_packed(scan, cells, f->n_bins, missing, best, varies);
	cells[FOREST_MISSING] = missing;
	return improved;
}

/* The cut in the middle of the empty bins behind a place; all present values are left of the last. */
static uint8_t
cut_behind(const NodeFeature *f, uint32_t place)
{
	uint32_t	bin = bin_at(f, place);
	uint32_t	next = place + 1;

	if (f->listed)
		next = next < f->n ? f->occupied[next] : f->n_bins;
	else
		while (next < f->n_bins && !is_occupied(f, next))
			next++;
	return (uint8_t) (next == f->n_bins ? f->n_bins - 1 : bin + (next - 1 - bin) / 2);
}

/* Has a side so little weight that it may have too few rows? */
static bool
doubts_rows(const NodeFeature *f, const ScanBest *best)
{
	uint64_t	w = best->w < f->node->w - best->w ? best->w : f->node->w - best->w;

	return f->search->count_rows &&
		(f->g->heaviest == 0 || w < f->g->heaviest * f->search->min_rows);
}

static bool
search_number(NodeFeature *f, Split *best)
{
	const SplitNode *search = f->search;
	ScanNode	scan = {
		.level = f->g->level,.w = f->node->w,.s = f->node->s,
		.min_weight = search->min_weight > 1 ? (uint64_t) ceil(search->min_weight) : 1,
		.last = {SCAN_BINS - 1, SCAN_BINS - 1}
	};
	ScanBest	before = {.score = best->found ? best->score : -1};
	ScanBest	found = before;
	bool		varies = false;
	bool		improved;

	if (f->node->n < SMALL_NODE_ROWS && f->g->payload != GROW_PACKED)
		list_bins(f);
	f->any_missing = is_occupied(f, FOREST_MISSING);
	improved = scan_once(f, &scan, &found, &varies);
	if (improved && doubts_rows(f, &found))
	{
		limit_rows(f, &scan);
		found = before;
		improved = scan_once(f, &scan, &found, &varies);
	}
	if (!improved)
		return varies;
	best->found = true;
	best->score = found.score;
	best->feature = f->feature;
	best->category = false;
	best->missing_left = found.missing_left;
	best->missing_seen = f->any_missing;
	best->cut = cut_behind(f, found.at);
	best->left.w = found.w;
	best->left.s = found.s;
	return varies;
}

/* ---------------------------------------------------------------- search -- */

Status
grow_search(ForestGrower *g, void *ctx, const uint32_t *features, uint32_t n, Split *best,
			bool *varies, Failure *why)
{
	const GrowSearched *searched = ctx;
	const GrowNode *node = searched->node;

	for (uint32_t begin = 0; begin < n; begin += g->group)
	{
		uint32_t	k = n - begin < g->group ? n - begin : g->group;
		Status		status;

		status = fill_histograms(g, node, features + begin, k, why);
		if (status != STATUS_OK)
			return status;
		for (uint32_t i = 0; i < k; i++)
		{
			NodeFeature f;

			f.g = g;
			f.search = searched->about;
			f.node = node;
			f.feature = features[begin + i];
			f.n_bins = g->t->schema.features[f.feature].n_bins;
			f.cells = g->cells + i * g->feature_bytes;
			f.wide_cells = uses_wide_cells(g, node)
				? g->wide_cells + (size_t) i * SCAN_BINS : NULL;
			f.listed = false;
			*varies |= g->scans && g->t->schema.features[f.feature].kind != FOREST_CATEGORY
				? search_number(&f, best) : search_bins(&f, best);
			clear(&f);
		}
	}
	return STATUS_OK;
}
