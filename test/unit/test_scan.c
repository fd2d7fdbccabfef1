/*
 * test_scan.c
 *	  The scans of whole histograms against split_feature(), bin by bin, on
 *	  every level of instructions.
 */
#include <stdlib.h>

#include "tap.h"
#include "train_fixture.h"

#include "forest/scan.h"
#include "forest/split.h"

#define N_CASES 3000
#define N_CLASSES 4

/* Random sums of a node: some bins empty, some large, some pure. */
typedef struct Node
{
	uint32_t	n_bins;
	uint64_t	w[SCAN_BINS];
	int64_t		s[SCAN_BINS];
	uint64_t	classes[N_CLASSES][SCAN_BINS];
	uint64_t	total_w;
	int64_t		total_s;
	uint64_t	total[N_CLASSES];
} Node;

static void
make_node(Node *node, uint64_t *state, uint32_t largest, bool is_signed)
{
	uint32_t	empty = train_below(state, 4);

	memset(node, 0, sizeof(*node));
	node->n_bins = 1 + train_below(state, FOREST_VALUE_BINS);
	if (train_below(state, 3) == 0)
		node->n_bins = 1 + node->n_bins % 9;
	for (uint32_t bin = 0; bin < SCAN_BINS; bin++)
	{
		if (bin >= node->n_bins && bin != FOREST_MISSING)
			continue;
		if (train_below(state, 4) < empty || (bin == FOREST_MISSING && train_below(state, 2)))
			continue;
		for (uint32_t k = 0; k < N_CLASSES; k++)
			node->classes[k][bin] = train_below(state, 3) == 0 ? 0
				: train_below(state, largest / N_CLASSES);
		for (uint32_t k = 0; k < N_CLASSES; k++)
		{
			node->w[bin] += node->classes[k][bin];
			node->total[k] += node->classes[k][bin];
		}
		node->s[bin] = (int64_t) train_below(state, (uint32_t) node->w[bin] + 1);
		if (is_signed)
			node->s[bin] = (node->s[bin] - (int64_t) node->w[bin] / 3) * 1000003;
		node->total_w += node->w[bin];
		node->total_s += node->s[bin];
	}
}

/* What split.c finds. */
static Split
slow_split(const Node *node, bool by_class, ForestCriterion criterion, double min_weight)
{
	static SplitBin bins[SCAN_BINS];
	static uint64_t classes[SCAN_BINS][N_CLASSES];
	ForestFeature feature = {.kind = FOREST_NUMERIC,.n_bins = node->n_bins};
	ForestTraining training = {.schema = {.features = &feature,.n_features = 1}};
	uint64_t	left[N_CLASSES];
	SplitNode	search = {
		.training = &training,.criterion = criterion,.n_classes = by_class ? N_CLASSES : 2,
		.min_weight = min_weight,.total = {node->total_w, node->total_s, 0},
		.classes = node->total,.lower = -INFINITY,.upper = INFINITY,.left = left
	};
	Split		best = {0};
	SplitBin	missing = {0};
	uint32_t	n = 0;

	for (uint32_t bin = 0; bin < SCAN_BINS; bin++)
	{
		SplitBin   *to = bin == FOREST_MISSING ? &missing : &bins[n];

		for (uint32_t k = 0; k < N_CLASSES; k++)
			classes[bin][k] = node->classes[k][bin];
		*to = (SplitBin) {.sums = {node->w[bin], node->s[bin], 0},.classes = classes[bin],
			.bin = bin};
		n += bin != FOREST_MISSING && node->w[bin] > 0;
	}
	(void) split_feature(&search, 0, bins, n, &missing, &best);
	return best;
}

/* The same cut with the same score and sides? */
static bool
is_same(const Node *node, const ScanBest *fast, bool improved, const Split *slow, bool by_class)
{
	uint32_t	at = fast->at;
	uint32_t	next = at + 1;

	if (improved != slow->found)
		return false;
	if (!improved)
		return true;
	while (next < node->n_bins && node->w[next] == 0)
		next++;
	return fast->score == slow->score && fast->missing_left == slow->missing_left &&
		fast->w == slow->left.w && (by_class || fast->s == slow->left.s) &&
		slow->cut == (next == node->n_bins ? node->n_bins - 1 : at + (next - 1 - at) / 2);
}

static ScanNode
scan_node(const Node *node, CpuLevel level, double min_weight)
{
	return (ScanNode) {
		.level = level,.w = node->total_w,.s = node->total_s,
		.min_weight = min_weight > 1 ? (uint64_t) ceil(min_weight) : 1,
		.last = {SCAN_BINS - 1, SCAN_BINS - 1}
	};
}

static bool
fast_packed(const Node *node, const ScanNode *scan, ScanBest *best)
{
	uint32_t	cells[SCAN_BINS] = {0};
	bool		varies = false;

	for (uint32_t bin = 0; bin < node->n_bins; bin++)
		cells[bin] = (uint32_t) node->w[bin] | (uint32_t) node->s[bin] << 16;
	return scan_packed(scan, cells, node->n_bins, (uint32_t) node->w[FOREST_MISSING] |
					   (uint32_t) node->s[FOREST_MISSING] << 16, best, &varies);
}

static bool
fast_sums(const Node *node, const ScanNode *scan, ScanBest *best)
{
	ScanSums	sums = {.n = node->n_bins,.missing_w = node->w[FOREST_MISSING],
		.missing_s = node->s[FOREST_MISSING]};
	bool		varies = false;

	for (uint32_t bin = 0; bin < node->n_bins; bin++)
	{
		sums.w[bin] = node->w[bin] + (bin > 0 ? sums.w[bin - 1] : 0);
		sums.s[bin] = node->s[bin] + (bin > 0 ? sums.s[bin - 1] : 0);
	}
	return scan_sums(scan, &sums, best, &varies);
}

static bool
fast_classes(const Node *node, const ScanNode *scan, bool heavy, ScanBest *best)
{
	static uint32_t narrow[N_CLASSES][SCAN_BINS];
	uint64_t	missing[N_CLASSES];
	ScanClasses classes = {.n = node->n_bins,.n_classes = N_CLASSES,.stride = SCAN_BINS,
		.heavy = heavy,.cells = heavy ? (const void *) node->classes : narrow,
		.total = node->total};
	bool		varies = false;

	for (uint32_t k = 0; k < N_CLASSES; k++)
	{
		missing[k] = node->classes[k][FOREST_MISSING];
		for (uint32_t bin = 0; bin < SCAN_BINS; bin++)
			narrow[k][bin] = (uint32_t) node->classes[k][bin];
	}
	if (node->w[FOREST_MISSING] > 0)
		classes.missing = missing;
	return scan_classes(scan, &classes, best, &varies);
}

typedef enum Kind
{
	PACKED,
	SUMS,
	REGRESSION,
	COUNTS,
	CLASSES
} Kind;

static void
test_kind(Kind kind, const char *name, CpuLevel level)
{
	uint64_t	state = 11;
	uint32_t	n_wrong = 0;
	uint32_t	n_found = 0;
	bool		by_class = kind >= COUNTS;

	for (int i = 0; i < N_CASES; i++)
	{
		Node		node;
		ScanNode	scan;
		ScanBest	best = {.score = -1};
		double		min_weight;
		Split		slow;
		bool		improved;

		make_node(&node, &state, i % 2 ? 250 : 12, kind == REGRESSION);
		min_weight = i % 3 == 0 ? (double) node.total_w / 7 : 0;
		slow = slow_split(&node, by_class, kind == REGRESSION ? FOREST_SQUARED_ERROR
						  : FOREST_GINI, min_weight);
		scan = scan_node(&node, level, min_weight);
		improved = kind == PACKED ? fast_packed(&node, &scan, &best)
			: by_class ? fast_classes(&node, &scan, kind == CLASSES, &best)
			: fast_sums(&node, &scan, &best);
		n_found += improved;
		n_wrong += !is_same(&node, &best, improved, &slow, by_class);
		/* a score that is to be beaten, and is not by itself */
		if (!improved)
			continue;
		improved = kind == PACKED ? fast_packed(&node, &scan, &best)
			: by_class ? fast_classes(&node, &scan, kind == CLASSES, &best)
			: fast_sums(&node, &scan, &best);
		n_wrong += improved;
	}
	tap_is_int(n_wrong, 0, "%s, %s: the split of the slow search", name, cpu_level_name(level));
	tap_ok(n_found > N_CASES / 2, "most nodes can be split");
}

/* Cuts outside of the limits are no candidates. */
static void
test_limits(CpuLevel level)
{
	uint64_t	state = 12;
	uint32_t	n_wrong = 0;

	for (int i = 0; i < N_CASES; i++)
	{
		Node		node;
		ScanNode	scan;
		ScanBest	packed = {.score = -1};
		ScanBest	sums = {.score = -1};
		bool		improved;

		make_node(&node, &state, 60, false);
		scan = scan_node(&node, level, 0);
		for (int side = 0; side < 2; side++)
		{
			scan.first[side] = train_below(&state, node.n_bins);
			scan.last[side] = train_below(&state, node.n_bins);
		}
		improved = fast_packed(&node, &scan, &packed);
		n_wrong += improved != fast_sums(&node, &scan, &sums);
		if (!improved)
			continue;
		n_wrong += packed.score != sums.score || packed.at != sums.at ||
			packed.missing_left != sums.missing_left;
		n_wrong += packed.at < scan.first[packed.missing_left] ||
			packed.at > scan.last[packed.missing_left];
	}
	tap_is_int(n_wrong, 0, "cuts within limits, %s", cpu_level_name(level));
}

int
main(void)
{
	for (CpuLevel level = CPU_PORTABLE; level <= cpu_level(CPU_BEST); level++)
	{
		test_kind(PACKED, "packed", level);
		test_kind(SUMS, "sums", level);
		test_kind(REGRESSION, "squared error", level);
		test_kind(COUNTS, "counts of classes", level);
		test_kind(CLASSES, "weights of classes", level);
		test_limits(level);
	}
	return tap_done();
}
