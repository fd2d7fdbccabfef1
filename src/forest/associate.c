/*
 * associate.c
 *	  What each feature says about the target on its own (algorithms J4).
 *
 * Everything comes from the bins, in one pass over the rows for as many
 * features as TALLY_COUNTERS allows.  A number is ranked by its bin.  A
 * category is ranked by the mean target of its rows, but of those in other
 * folds than the row's own, else every rare category would seem to know the
 * target.  All sums are integers, so the order of rows does not matter.
 */
#include "forest/associate.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "core/real.h"
#include "core/rng.h"
#include "core/sort.h"

#define CELLS_MAX ((size_t) 4 * 1000 * 1000)
#define ROWS_MAX 50000
#define ROWS_MIN 5000
#define BINS 256
#define FOLDS 5
#define CLASSES_MAX 32			/* with more, features are not compared to the target */
#define TALLY_COUNTERS ((size_t) 1 << 20)
#define CLASS_ROWS_MIN 10		/* of a class and of the others, to speak of an AUC */
#define PAIR_BLOCK 64			/* rows whose products add up in 32 bits */

Status
associate_rows(const Host *host, const ForestTraining *t, AssociateRows *out, Failure *why)
{
	size_t		n = CELLS_MAX / t->schema.n_features;
	Status		status;

	n = n < ROWS_MIN ? ROWS_MIN : n > ROWS_MAX ? ROWS_MAX : n;
	out->capacity = t->n_train < n ? t->n_train : (uint32_t) n;
	status = memory_new_raw(host, out->capacity, sizeof(uint32_t), &out->rows, why);
	for (uint32_t row = 0; status == STATUS_OK && row < t->n_train && out->n < out->capacity;
		 row++)
	{
		if (t->row_weight == NULL || t->row_weight[row] > 0)
			out->rows[out->n++] = row;
	}
	return status;
}

void
associate_rows_free(const Host *host, AssociateRows *rows)
{
	memory_free(host, rows->rows, rows->capacity, sizeof(uint32_t));
}

/* ------------------------------------------------------------ counting -- */

/* The target of a row that is looked at. */
typedef struct RowTarget
{
	uint32_t	label;			/* 0 in regression */
	uint32_t	folded;			/* fold × classes + label */
	int64_t		rank;			/* regression: twice the rank, less that of the middle */
} RowTarget;

/* The counters of a feature: bins × places. */
typedef struct Tally
{
	uint32_t	first;
	uint32_t	places;			/* of a bin: classes, of categories for every fold */
} Tally;

typedef struct Associate
{
	const Host *host;
	const ForestTraining *t;
	const AssociateRows *rows;
	uint32_t	n_classes;		/* 1 in regression, and where classes are too many */
	RowTarget  *targets;
	uint64_t	totals[CLASSES_MAX];
	uint64_t	fold_totals[FOLDS][CLASSES_MAX];
	int64_t		fold_ranks[FOLDS];
	Tally	   *tallies;
	uint32_t   *counts;
	int64_t    *sums;			/* regression: of ranks, aligned with counts */
	int64_t    *absent;			/* regression: of squared ranks where a feature is missing */
	int64_t		squares;		/* of all ranks */
	SortItem   *items;			/* categories: bins × folds, and as many again */
} Associate;

static inline bool
is_category(const ForestTraining *t, uint32_t feature)
{
	return t->schema.features[feature].kind == FOREST_CATEGORY;
}

/* Rank the targets of the rows. */
static Status
rank_targets(Associate *a, Failure *why)
{
	uint32_t	n = a->rows->n;
	SortItem   *items = NULL;
	SortItem   *scratch = NULL;
	uint32_t	end;
	Status		status = memory_new_raw(a->host, n, sizeof(SortItem), &items, why);

	if (status == STATUS_OK)
		status = memory_new_raw(a->host, n, sizeof(SortItem), &scratch, why);
	for (uint32_t i = 0; i < n && status == STATUS_OK; i++)
		items[i] = (SortItem) {
			.key = sort_key_of_double(a->t->target_value[a->rows->rows[i]]), .row = i};
	if (status == STATUS_OK)
		status = sort_items(a->host, items, scratch, n, why);
	for (uint32_t i = 0; i < n && status == STATUS_OK; i = end)
	{
		for (end = i; end < n && items[end].key == items[i].key; end++)
			;
		/* twice the middle of the ranks i to end − 1, less twice that of all */
		for (uint32_t k = i; k < end; k++)
			a->targets[items[k].row].rank = (int64_t) i + end - n;
	}
	memory_free(a->host, items, n, sizeof(SortItem));
	memory_free(a->host, scratch, n, sizeof(SortItem));
	return status;
}

/* Targets and folds of the rows. */
static Status
find_targets(Associate *a, Failure *why)
{
	const ForestTraining *t = a->t;
	bool		regression = t->schema.task == FOREST_REGRESSION;
	Status		status = memory_new(a->host, a->rows->n, sizeof(RowTarget), &a->targets, why);

	if (status == STATUS_OK && regression)
		status = rank_targets(a, why);
	for (uint32_t i = 0; i < a->rows->n && status == STATUS_OK; i++)
	{
		uint32_t	row = a->rows->rows[i];
		const TrainingChunk *chunk = training_chunk(t, row);
		uint32_t	at = training_in_chunk(t, row);
		uint32_t	fold = (uint32_t) (rng_mix64(chunk->keys[at] + RNG_GOLDEN) % FOLDS);
		RowTarget  *target = &a->targets[i];

		target->label = a->n_classes > 1 ? chunk->label[at] : 0;
		target->folded = fold * a->n_classes + target->label;
		a->totals[target->label]++;
		a->fold_totals[fold][target->label]++;
		a->fold_ranks[fold] += target->rank;
		a->squares += target->rank * target->rank;
	}
	return status;
}

/* Count the rows of n features from `first` on. */
static Status
count_features(Associate *a, uint32_t first, uint32_t n, Failure *why)
{
	const Tally *tallies = a->tallies + first;
	Status		status = STATUS_OK;

	for (uint32_t i = 0; i < a->rows->n && status == STATUS_OK; i++)
	{
		const uint8_t *bins = training_bins(a->t, a->rows->rows[i]) + first;
		RowTarget	target = a->targets[i];

		for (uint32_t f = 0; f < n; f++)
		{
			uint32_t	place = tallies[f].places > a->n_classes ? target.folded : target.label;
			uint32_t	at = tallies[f].first + bins[f] * tallies[f].places + place;

			a->counts[at]++;
			if (a->sums == NULL)
				continue;
			a->sums[at] += target.rank;
			if (bins[f] == FOREST_MISSING)
				a->absent[first + f] += target.rank * target.rank;
		}
		if (i % 4096 == 0)
			status = host_poll(a->host, why);
	}
	return status;
}

/* ------------------------------------------------------------ measures -- */

/* Rows of a class, or of all, in a bin; of a category in all folds. */
static uint64_t
in_bin(const Associate *a, uint32_t feature, uint32_t bin, int32_t label)
{
	const Tally *tally = &a->tallies[feature];
	const uint32_t *counts = a->counts + tally->first + (size_t) bin * tally->places;
	uint64_t	n = 0;

	for (uint32_t place = 0; place < tally->places; place++)
	{
		if (label < 0 || place % a->n_classes == (uint32_t) label)
			n += counts[place];
	}
	return n;
}

/* What the counts of its bins say of a feature, whatever the target. */
static void
describe_bins(const Associate *a, uint32_t feature, Association *out)
{
	uint64_t	hash = 0;
	uint64_t	most = 0;

	for (uint32_t bin = 0; bin < BINS; bin++)
	{
		uint64_t	n = in_bin(a, feature, bin, -1);

		out->counts[bin] = n;
		out->n_occupied += n > 0;
		if (bin != FOREST_MISSING && n > most)
			most = n;
		hash = rng_mix64(hash ^ n) + bin;
	}
	out->histogram = hash;
	out->missing = (double) out->counts[FOREST_MISSING] / a->rows->n;
	out->top = (double) most / a->rows->n;
}

/* x ln x, which is 0 at 0. */
static inline double
x_log_x(double x)
{
	return x > 0 ? x * real_log(x) : 0;
}

/* Purity and mutual information of the bins and the classes. */
static void
compare_classes(const Associate *a, uint32_t feature, Association *out)
{
	double		n = a->rows->n;
	double		joint = 0;
	double		of_bins = 0;
	double		of_classes = 0;
	uint64_t	pure = 0;
	uint64_t	majority = 0;

	for (uint32_t k = 0; k < a->n_classes; k++)
	{
		of_classes -= x_log_x((double) a->totals[k] / n);
		majority = a->totals[k] > majority ? a->totals[k] : majority;
	}
	for (uint32_t bin = 0; bin < BINS; bin++)
	{
		uint64_t	most = 0;

		if (out->counts[bin] == 0)
			continue;
		of_bins -= x_log_x((double) out->counts[bin] / n);
		for (uint32_t k = 0; k < a->n_classes; k++)
		{
			uint64_t	count = in_bin(a, feature, bin, (int32_t) k);

			joint -= x_log_x((double) count / n);
			most = count > most ? count : most;
		}
		pure += most;
	}
	out->purity = (double) pure / n;
	out->gain = majority == a->rows->n ? NAN
		: (double) (pure - majority) / (n - (double) majority);
	out->information = of_bins + of_classes > 0
		? 2 * (of_bins + of_classes - joint) / (of_bins + of_classes) : NAN;
}

/* Twice the area that a group of rows adds under a curve of n_below rows of the others. */
static inline double
area_of(uint64_t positive, uint64_t negative, uint64_t n_below)
{
	return (double) positive * (2 * (double) n_below + (double) negative);
}

/* AUC of a number for a class against the rest, the better of both directions. */
static double
auc_of_number(const Associate *a, uint32_t feature, uint32_t label, const Association *of)
{
	uint64_t	n_positive = 0;
	uint64_t	n_negative = 0;
	double		area = 0;

	for (uint32_t bin = 0; bin < FOREST_MISSING; bin++)
	{
		uint64_t	positive;
		uint64_t	negative;

		if (of->counts[bin] == 0)
			continue;
		positive = in_bin(a, feature, bin, (int32_t) label);
		negative = of->counts[bin] - positive;
		area += area_of(positive, negative, n_negative);
		n_positive += positive;
		n_negative += negative;
	}
	if (n_positive < CLASS_ROWS_MIN || n_negative < CLASS_ROWS_MIN)
		return NAN;
	area /= 2 * (double) n_positive * (double) n_negative;
	return fmax(area, 1 - area);
}

/* A sort key for the mean that a bin has in the other folds, with one row of the overall mean. */
static uint64_t
outside_key(double sum, double n, double all_sum, double all_n)
{
	return sort_key_of_double((sum + (all_n > 0 ? all_sum / all_n : 0)) / (n + 1));
}

/* AUC of a category for a class against the rest, by out-of-fold means. */
static Status
auc_of_category(const Associate *a, uint32_t feature, uint32_t label, const Association *of,
				double *out, Failure *why)
{
	const Tally *tally = &a->tallies[feature];
	uint64_t	n_positive = a->totals[label];
	uint64_t	n_negative = a->rows->n - n_positive;
	uint64_t	below = 0;
	double		area = 0;
	uint32_t	n = 0;
	uint32_t	end;
	Status		status;

	*out = NAN;
	if (n_positive < CLASS_ROWS_MIN || n_negative < CLASS_ROWS_MIN)
		return STATUS_OK;
	for (uint32_t bin = 0; bin < BINS; bin++)
	{
		uint64_t	positive = of->counts[bin] == 0 ? 0 : in_bin(a, feature, bin, (int32_t) label);

		for (uint32_t fold = 0; of->counts[bin] > 0 && fold < FOLDS; fold++)
		{
			const uint32_t *counts = a->counts + tally->first + (size_t) bin * tally->places +
				fold * a->n_classes;
			uint64_t	here = 0;
			uint64_t	fold_rows = 0;

			for (uint32_t k = 0; k < a->n_classes; k++)
			{
				here += counts[k];
				fold_rows += a->fold_totals[fold][k];
			}
			if (here == 0)
				continue;
			a->items[n++] = (SortItem) {
				.key = outside_key((double) (positive - counts[label]),
								   (double) (of->counts[bin] - here),
								   (double) (n_positive - a->fold_totals[fold][label]),
								   (double) (a->rows->n - fold_rows)),
				.row = bin * FOLDS + fold};
		}
	}
	status = sort_items(a->host, a->items, a->items + BINS * FOLDS, n, why);
	for (uint32_t i = 0; i < n && status == STATUS_OK; i = end)
	{
		uint64_t	positive = 0;
		uint64_t	negative = 0;

		for (end = i; end < n && a->items[end].key == a->items[i].key; end++)
		{
			const uint32_t *counts = a->counts + tally->first +
				(size_t) (a->items[end].row / FOLDS) * tally->places +
				a->items[end].row % FOLDS * a->n_classes;

			for (uint32_t k = 0; k < a->n_classes; k++)
				*(k == label ? &positive : &negative) += counts[k];
		}
		area += area_of(positive, negative, below);
		below += negative;
	}
	if (status == STATUS_OK)
		*out = area / (2 * (double) n_positive * (double) n_negative);
	return status;
}

/* AUC of whether a feature is missing, for a class against the rest. */
static double
auc_of_absence(const Associate *a, uint32_t feature, uint32_t label, const Association *of)
{
	double		positive = (double) a->totals[label];
	double		negative = a->rows->n - positive;
	double		absent = (double) in_bin(a, feature, FOREST_MISSING, (int32_t) label);

	if (of->counts[FOREST_MISSING] == 0 || positive < CLASS_ROWS_MIN ||
		negative < CLASS_ROWS_MIN)
		return NAN;
	return 0.5 + 0.5 * fabs(absent / positive -
							((double) of->counts[FOREST_MISSING] - absent) / negative);
}

/* Compare a feature to every class. */
static Status
compare_to_classes(const Associate *a, uint32_t feature, Association *out, Failure *why)
{
	Status		status = STATUS_OK;

	compare_classes(a, feature, out);
	for (uint32_t k = 0; k < a->n_classes && status == STATUS_OK; k++)
	{
		double		auc = NAN;
		double		absence = auc_of_absence(a, feature, k, out);

		if (is_category(a->t, feature))
			status = auc_of_category(a, feature, k, out, &auc, why);
		else
			auc = auc_of_number(a, feature, k, out);
		/* of two classes both say the same: name the second */
		if (!isnan(auc) && !(out->alone > auc))
		{
			out->alone = auc;
			out->alone_class = (int32_t) k;
		}
		if (!isnan(absence) && !(out->absence > absence))
		{
			out->absence = absence;
			out->absence_class = (int32_t) k;
		}
	}
	return status;
}

/* |correlation| from sums over n rows; NAN if one does not vary. */
static double
correlation(double n, double x, double y, double xx, double yy, double xy)
{
	double		across = xx - x * x / n;
	double		along = yy - y * y / n;

	return across > 0 && along > 0 ? fmin(fabs(xy - x * y / n) / sqrt(across * along), 1) : NAN;
}

/* |Spearman| of a number and the target, where it is not missing. */
static double
rank_number(const Associate *a, uint32_t feature)
{
	const uint32_t *counts = a->counts + a->tallies[feature].first;
	const int64_t *sums = a->sums + a->tallies[feature].first;
	double		n = 0;
	double		x = 0;
	double		y = 0;
	double		xx = 0;
	double		xy = 0;

	for (uint32_t bin = 0; bin < FOREST_MISSING; bin++)
	{
		double		count = counts[bin];
		double		rank = 2 * n + count - a->rows->n;

		n += count;
		x += rank * count;
		xx += rank * rank * count;
		y += (double) sums[bin];
		xy += rank * (double) sums[bin];
	}
	return n < 2 * CLASS_ROWS_MIN ? NAN
		: correlation(n, x, y, xx, (double) (a->squares - a->absent[feature]), xy);
}

/* |Correlation| of the ranks of the target and their out-of-fold means by category. */
static double
rank_category(const Associate *a, uint32_t feature, const Association *of)
{
	const uint32_t *counts = a->counts + a->tallies[feature].first;
	const int64_t *sums = a->sums + a->tallies[feature].first;
	double		x = 0;
	double		xx = 0;
	double		xy = 0;
	int64_t		all = 0;

	if (a->rows->n < 2 * CLASS_ROWS_MIN)
		return NAN;
	for (uint32_t fold = 0; fold < FOLDS; fold++)
		all += a->fold_ranks[fold];
	for (uint32_t bin = 0; bin < BINS; bin++, counts += FOLDS, sums += FOLDS)
	{
		int64_t		in_all = 0;

		for (uint32_t fold = 0; fold < FOLDS; fold++)
			in_all += sums[fold];
		for (uint32_t fold = 0; fold < FOLDS && of->counts[bin] > 0; fold++)
		{
			double		outside = a->rows->n - (double) a->fold_totals[fold][0];
			double		prior = outside > 0 ? (double) (all - a->fold_ranks[fold]) / outside : 0;
			double		mean = ((double) (in_all - sums[fold]) + prior) /
				((double) of->counts[bin] - counts[fold] + 1);

			x += mean * counts[fold];
			xx += mean * mean * counts[fold];
			xy += mean * (double) sums[fold];
		}
	}
	return correlation(a->rows->n, x, (double) all, xx, (double) a->squares, xy);
}

/* ---------------------------------------------------------- all of them -- */

/* Measure a feature that has been counted. */
static Status
measure_feature(const Associate *a, uint32_t feature, Association *out, Failure *why)
{
	out->alone = out->absence = out->gain = out->purity = out->information = NAN;
	out->alone_class = out->absence_class = -1;
	describe_bins(a, feature, out);
	if (a->t->schema.task == FOREST_REGRESSION)
		out->alone = is_category(a->t, feature) ? rank_category(a, feature, out)
			: rank_number(a, feature);
	else if (a->n_classes > 1)
		return compare_to_classes(a, feature, out, why);
	return STATUS_OK;
}

/* Count and measure as many features from `first` on as there is room for; *next is the one behind. */
static Status
measure_some(Associate *a, uint32_t first, uint32_t *next, Association *out, Failure *why)
{
	size_t		used = 0;
	uint32_t	n = 0;
	Status		status;

	for (; first + n < a->t->schema.n_features; n++)
	{
		Tally	   *tally = &a->tallies[first + n];

		tally->places = a->n_classes * (is_category(a->t, first + n) ? FOLDS : 1);
		if (used + (size_t) BINS * tally->places > TALLY_COUNTERS)
			break;
		tally->first = (uint32_t) used;
		used += (size_t) BINS * tally->places;
	}
	memset(a->counts, 0, used * sizeof(uint32_t));
	if (a->sums != NULL)
		memset(a->sums, 0, used * sizeof(int64_t));
	status = count_features(a, first, n, why);
	for (uint32_t f = 0; f < n && status == STATUS_OK; f++)
		status = measure_feature(a, first + f, &out[first + f], why);
	*next = first + n;
	return status;
}

/* Counters that all features would need, or as many as there may be. */
static size_t
counters_of(const Associate *a)
{
	size_t		n = 0;

	for (uint32_t f = 0; f < a->t->schema.n_features && n < TALLY_COUNTERS; f++)
		n += (size_t) BINS * a->n_classes * (is_category(a->t, f) ? FOLDS : 1);
	return n < TALLY_COUNTERS ? n : TALLY_COUNTERS;
}

Status
associate_features(const Host *host, const ForestTraining *t, const AssociateRows *rows,
				   Association *out, Failure *why)
{
	bool		regression = t->schema.task == FOREST_REGRESSION;
	Associate	a = {.host = host, .t = t, .rows = rows};
	uint32_t	n_features = t->schema.n_features;
	size_t		n_counters;
	Status		status;

	a.n_classes = regression || t->schema.n_classes > CLASSES_MAX ? 1 : t->schema.n_classes;
	n_counters = counters_of(&a);
	status = find_targets(&a, why);
	if (status == STATUS_OK)
		status = memory_new(host, n_features, sizeof(Tally), &a.tallies, why);
	if (status == STATUS_OK)
		status = memory_new_raw(host, n_counters, sizeof(uint32_t), &a.counts, why);
	if (status == STATUS_OK)
		status = memory_new_raw(host, 2 * BINS * FOLDS, sizeof(SortItem), &a.items, why);
	if (status == STATUS_OK && regression)
		status = memory_new_raw(host, n_counters, sizeof(int64_t), &a.sums, why);
	if (status == STATUS_OK && regression)
		status = memory_new(host, n_features, sizeof(int64_t), &a.absent, why);
	for (uint32_t f = 0; f < n_features && status == STATUS_OK;)
		status = measure_some(&a, f, &f, out, why);
	memory_free(host, a.targets, rows->n, sizeof(RowTarget));
	memory_free(host, a.tallies, n_features, sizeof(Tally));
	memory_free(host, a.counts, n_counters, sizeof(uint32_t));
	memory_free(host, a.items, 2 * BINS * FOLDS, sizeof(SortItem));
	memory_free(host, a.sums, n_counters, sizeof(int64_t));
	memory_free(host, a.absent, n_features, sizeof(int64_t));
	return status;
}

/* ------------------------------------------------------ between features -- */

bool
associate_equal(const ForestTraining *t, const AssociateRows *rows, uint32_t a, uint32_t b)
{
	for (uint32_t i = 0; i < rows->n; i++)
	{
		const uint8_t *bins = training_bins(t, rows->rows[i]);

		if (bins[a] != bins[b])
			return false;
	}
	return true;
}

/* Twice the rank of each of n rows by a feature, less that of the middle; 0 where it is missing. */
static void
rank_feature(const ForestTraining *t, const uint32_t *rows, uint32_t n, uint32_t feature,
			 int16_t *out)
{
	uint32_t	counts[BINS] = {0};
	int32_t		ranks[BINS];
	uint32_t	below = 0;

	for (uint32_t i = 0; i < n; i++)
		counts[training_bins(t, rows[i])[feature]]++;
	for (uint32_t bin = 0; bin < FOREST_MISSING; bin++)
	{
		ranks[bin] = (int32_t) (2 * below + counts[bin]) -
			(int32_t) (n - counts[FOREST_MISSING]);
		below += counts[bin];
	}
	ranks[FOREST_MISSING] = 0;
	for (uint32_t i = 0; i < n; i++)
		out[i] = (int16_t) ranks[training_bins(t, rows[i])[feature]];
}

/* Σ x y of n ranks; n is a multiple of PAIR_BLOCK, and a rank below ASSOCIATE_PAIR_ROWS. */
static int64_t
product_of(const int16_t *x, const int16_t *y, uint32_t n)
{
	int64_t		sum = 0;

	for (uint32_t i = 0; i < n; i += PAIR_BLOCK)
	{
		int32_t		part = 0;

		for (uint32_t k = 0; k < PAIR_BLOCK; k++)
			part += x[i + k] * y[i + k];
		sum += part;
	}
	return sum;
}

Status
associate_pairs(const Host *host, const ForestTraining *t, const AssociateRows *rows,
				const uint32_t *features, uint32_t n, double *out, Failure *why)
{
	uint32_t	n_rows = rows->n < ASSOCIATE_PAIR_ROWS ? rows->n : ASSOCIATE_PAIR_ROWS;
	uint32_t	stride = (n_rows + PAIR_BLOCK - 1) / PAIR_BLOCK * PAIR_BLOCK;
	int16_t    *ranks;
	Status		status = memory_new(host, (size_t) n * stride, sizeof(int16_t), &ranks, why);

	for (uint32_t i = 0; i < n && status == STATUS_OK; i++)
		rank_feature(t, rows->rows, n_rows, features[i], ranks + (size_t) i * stride);
	for (uint32_t i = 0; i < n && status == STATUS_OK; i++)
	{
		const int16_t *x = ranks + (size_t) i * stride;
		double		xx = (double) product_of(x, x, stride);

		for (uint32_t j = i + 1; j < n; j++)
		{
			const int16_t *y = ranks + (size_t) j * stride;
			double		yy = (double) product_of(y, y, stride);

			/* ranks add up to 0 */
			out[(size_t) i * n + j] = xx > 0 && yy > 0
				? fabs((double) product_of(x, y, stride)) / sqrt(xx * yy) : NAN;
		}
		status = host_poll(host, why);
	}
	memory_free(host, ranks, (size_t) n * stride, sizeof(int16_t));
	return status;
}
