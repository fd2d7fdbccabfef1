/*
 * folds.c
 *	  Dividing rows into folds.
 */
#include "tune/tune.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "core/rng.h"
#include "core/sort.h"

#define ROWS_PER_POLL 65536

/* A fold of TUNE_TIME, by places in the order of time. */
typedef struct TimeFold
{
	size_t		train_begin;
	size_t		train_end;
	size_t		test_begin;
	size_t		test_end;
} TimeFold;

struct TunePlan
{
	const Host *host;
	size_t		n;
	uint32_t	n_folds;
	uint32_t   *fold;			/* per row; TUNE_TIME: its place in the order of time */
	TimeFold   *times;			/* TUNE_TIME: per fold */
	size_t		rare;
	uint32_t	rare_class;
};

/* Groups, in order of their keyed hashes. */
typedef struct Groups
{
	uint32_t	n;
	SortItem   *items;			/* rows, those of a group beside each other */
	uint32_t   *begin;			/* n + 1 places in items */
	uint32_t   *order;			/* in which they are given to folds */
} Groups;

/* ----------------------------------------------------------------- order -- */

/* Rows in the order of keyed hashes of the keys given. */
static Status
hash_order(const Host *host, const uint64_t *keys, size_t n, uint64_t purpose_key, SortItem **out,
		   Failure *why)
{
	SortItem   *scratch = NULL;
	Status		status = memory_new_raw(host, n, sizeof(SortItem), out, why);

	if (status == STATUS_OK)
		status = memory_new_raw(host, n, sizeof(SortItem), &scratch, why);
	for (size_t i = 0; i < n && status == STATUS_OK; i++)
		(*out)[i] = (SortItem) {.key = rng_row_draw(purpose_key, keys[i]), .row = (uint32_t) i};
	if (status == STATUS_OK)
		status = sort_items(host, *out, scratch, n, why);
	memory_free(host, scratch, n, sizeof(SortItem));
	if (status != STATUS_OK)
	{
		memory_free(host, *out, n, sizeof(SortItem));
		*out = NULL;
	}
	return status;
}

/* ------------------------------------------------------------ kfold, strata -- */

static Status
refuse_few(size_t n, const char *what, uint32_t n_folds, Failure *why)
{
	fail(why, STATUS_INVALID_DATA, "%zu %s cannot be divided into %u folds", n, what, n_folds);
	fail_hint(why, "Give fewer folds, or more rows.");
	return STATUS_INVALID_DATA;
}

/* Folds of equal size, the first ones one larger: blocks of the order. */
static void
divide_evenly(const SortItem *items, size_t n, uint32_t n_folds, uint32_t *fold)
{
	size_t		i = 0;

	for (uint32_t f = 0; f < n_folds; f++)
	{
		size_t		end = i + n / n_folds + (f < n % n_folds);

		for (; i < end; i++)
			fold[items[i].row] = f;
	}
}

/* Places p of begin ≤ p < end with p modulo n_folds = f. */
static size_t
places_of(size_t begin, size_t end, uint32_t n_folds, uint32_t f)
{
	size_t		before_end = end > f ? (end - f - 1) / n_folds + 1 : 0;
	size_t		before_begin = begin > f ? (begin - f - 1) / n_folds + 1 : 0;

	return before_end - before_begin;
}

/* Rows of each class. */
static Status
count_classes(const Host *host, const TuneRows *rows, size_t **out, Failure *why)
{
	Status		status = memory_new(host, rows->n_classes, sizeof(size_t), out, why);

	for (size_t i = 0; i < rows->n && status == STATUS_OK; i++)
		(*out)[rows->label[i]]++;
	return status;
}

/*
 * StratifiedKFold: the rows sorted by class are dealt out like cards, which says
 * how many of each class a fold gets; these are taken in the order of hashes.
 */
static Status
divide_strata(TunePlan *plan, const TuneRows *rows, const SortItem *items, Failure *why)
{
	const Host *host = plan->host;
	uint32_t	n_folds = plan->n_folds;
	size_t	   *counts = NULL;
	size_t	   *begin = NULL;
	uint32_t   *at = NULL;		/* per class: the fold that is being filled, */
	size_t	   *left = NULL;	/* and how many it still gets */
	size_t		largest = 0;
	Status		status;

	status = count_classes(host, rows, &counts, why);
	if (status == STATUS_OK)
		status = memory_new(host, rows->n_classes, sizeof(size_t), &begin, why);
	if (status == STATUS_OK)
		status = memory_new(host, rows->n_classes, sizeof(uint32_t), &at, why);
	if (status == STATUS_OK)
		status = memory_new(host, rows->n_classes, sizeof(size_t), &left, why);
	plan->rare = SIZE_MAX;
	for (uint32_t k = 0; k < rows->n_classes && status == STATUS_OK; k++)
	{
		begin[k] = k == 0 ? 0 : begin[k - 1] + counts[k - 1];
		left[k] = places_of(begin[k], begin[k] + counts[k], n_folds, 0);
		largest = counts[k] > largest ? counts[k] : largest;
		if (counts[k] > 0 && counts[k] < plan->rare)
		{
			plan->rare = counts[k];
			plan->rare_class = k;
		}
	}
	if (plan->rare >= n_folds)
		plan->rare = 0;
	if (status == STATUS_OK && largest < n_folds)
	{
		fail(why, STATUS_INVALID_DATA,
			 "no class has as many rows as there are folds, %u: the largest has %zu", n_folds,
			 largest);
		fail_hint(why, "Give fewer folds, or more rows.");
		status = STATUS_INVALID_DATA;
	}
	for (size_t i = 0; i < rows->n && status == STATUS_OK; i++)
	{
		uint32_t	row = items[i].row;
		uint32_t	k = rows->label[row];

		while (left[k] == 0)
			left[k] = places_of(begin[k], begin[k] + counts[k], n_folds, ++at[k]);
		plan->fold[row] = at[k];
		left[k]--;
	}
	memory_free(host, counts, rows->n_classes, sizeof(size_t));
	memory_free(host, begin, rows->n_classes, sizeof(size_t));
	memory_free(host, at, rows->n_classes, sizeof(uint32_t));
	memory_free(host, left, rows->n_classes, sizeof(size_t));
	return status;
}

/* ---------------------------------------------------------------- groups -- */

static void
groups_free(const Host *host, const TuneRows *rows, Groups *groups)
{
	memory_free(host, groups->items, rows->n, sizeof(SortItem));
	memory_free(host, groups->begin, rows->n + 1, sizeof(uint32_t));
	memory_free(host, groups->order, rows->n, sizeof(uint32_t));
}

/* Find the groups, in the order of hashes. */
static Status
groups_new(const Host *host, const TuneRows *rows, uint64_t purpose_key, Groups *groups,
		   Failure *why)
{
	Status		status;

	memset(groups, 0, sizeof(*groups));
	status = hash_order(host, rows->group, rows->n, purpose_key, &groups->items, why);
	if (status == STATUS_OK)
		status = memory_new_raw(host, rows->n + 1, sizeof(uint32_t), &groups->begin, why);
	if (status == STATUS_OK)
		status = memory_new_raw(host, rows->n, sizeof(uint32_t), &groups->order, why);
	for (size_t i = 0; i < rows->n && status == STATUS_OK; i++)
		if (i == 0 || groups->items[i].key != groups->items[i - 1].key)
			groups->begin[groups->n++] = (uint32_t) i;
	if (status == STATUS_OK)
		groups->begin[groups->n] = (uint32_t) rows->n;
	return status;
}

/* The order of groups by descending keys of their own, equal ones by hash. */
static Status
order_groups(const Host *host, Groups *groups, SortItem *items, Failure *why)
{
	SortItem   *scratch = NULL;
	Status		status = memory_new_raw(host, groups->n, sizeof(SortItem), &scratch, why);

	for (uint32_t g = 0; g < groups->n && status == STATUS_OK; g++)
	{
		items[g].key = ~items[g].key;
		items[g].row = g;
	}
	if (status == STATUS_OK)
		status = sort_items(host, items, scratch, groups->n, why);
	for (uint32_t g = 0; g < groups->n && status == STATUS_OK; g++)
		groups->order[g] = items[g].row;
	memory_free(host, scratch, groups->n, sizeof(SortItem));
	return status;
}

static void
assign_group(const Groups *groups, uint32_t g, uint32_t to, uint32_t *fold)
{
	for (uint32_t i = groups->begin[g]; i < groups->begin[g + 1]; i++)
		fold[groups->items[i].row] = to;
}

/* GroupKFold: the largest group first, each to the fold with the fewest rows. */
static Status
divide_groups(TunePlan *plan, Groups *groups, Failure *why)
{
	const Host *host = plan->host;
	SortItem   *sizes = NULL;
	size_t	   *rows = NULL;
	Status		status = memory_new_raw(host, groups->n, sizeof(SortItem), &sizes, why);

	if (status == STATUS_OK)
		status = memory_new(host, plan->n_folds, sizeof(size_t), &rows, why);
	for (uint32_t g = 0; g < groups->n && status == STATUS_OK; g++)
		sizes[g].key = groups->begin[g + 1] - groups->begin[g];
	if (status == STATUS_OK)
		status = order_groups(host, groups, sizes, why);
	for (uint32_t i = 0; i < groups->n && status == STATUS_OK; i++)
	{
		uint32_t	g = groups->order[i];
		uint32_t	lightest = 0;

		for (uint32_t f = 1; f < plan->n_folds; f++)
			if (rows[f] < rows[lightest])
				lightest = f;
		assign_group(groups, g, lightest, plan->fold);
		rows[lightest] += groups->begin[g + 1] - groups->begin[g];
	}
	memory_free(host, sizes, groups->n, sizeof(SortItem));
	memory_free(host, rows, plan->n_folds, sizeof(size_t));
	return status;
}

/* What dividing groups by classes works on. */
typedef struct Balance
{
	const TuneRows *rows;
	uint32_t	n_folds;
	size_t	   *all;			/* rows of each class */
	size_t	   *in_fold;		/* n_folds × n_classes */
	size_t	   *in_group;		/* n_classes, of the group at hand */
} Balance;

/* Rows of each class in a group. */
static void
count_group(const Balance *b, const Groups *groups, uint32_t g)
{
	memset(b->in_group, 0, b->rows->n_classes * sizeof(size_t));
	for (uint32_t i = groups->begin[g]; i < groups->begin[g + 1]; i++)
		b->in_group[b->rows->label[groups->items[i].row]]++;
}

/*
 * How unequal the folds would be with the group in one of them: the mean over
 * classes of the standard deviation, over folds, of the class's share.
 */
static double
inequality(const Balance *b, uint32_t with)
{
	uint32_t	n_classes = b->rows->n_classes;
	double		total = 0;
	uint32_t	n_present = 0;

	for (uint32_t k = 0; k < n_classes; k++)
	{
		double		mean = 0;
		double		squares = 0;

		if (b->all[k] == 0)
			continue;
		n_present++;
		for (int pass = 0; pass < 2; pass++)
			for (uint32_t f = 0; f < b->n_folds; f++)
			{
				size_t		n = b->in_fold[f * n_classes + k] + (f == with ? b->in_group[k] : 0);
				double		share = (double) n / (double) b->all[k];

				if (pass == 0)
					mean += share / b->n_folds;
				else
					squares += (share - mean) * (share - mean) / b->n_folds;
			}
		total += sqrt(squares);
	}
	return total / n_present;
}

/* The fold that gets the group at hand: the most equal division, then the fewest rows. */
static uint32_t
find_fold(const Balance *b)
{
	uint32_t	n_classes = b->rows->n_classes;
	uint32_t	best = 0;
	double		least = INFINITY;
	size_t		fewest = SIZE_MAX;

	for (uint32_t f = 0; f < b->n_folds; f++)
	{
		double		value = inequality(b, f);
		size_t		n = 0;

		for (uint32_t k = 0; k < n_classes; k++)
			n += b->in_fold[f * n_classes + k];
		if (!(value < least || (fabs(value - least) <= 1e-8 + 1e-5 * least && n < fewest)))
			continue;
		best = f;
		least = value;
		fewest = n;
	}
	return best;
}

/* StratifiedGroupKFold: the most lopsided group first, each where it does least harm. */
static Status
divide_group_strata(TunePlan *plan, const TuneRows *rows, Groups *groups, Failure *why)
{
	const Host *host = plan->host;
	uint32_t	n_classes = rows->n_classes;
	Balance		b = {.rows = rows, .n_folds = plan->n_folds};
	SortItem   *spreads = NULL;
	Status		status;

	status = count_classes(host, rows, &b.all, why);
	if (status == STATUS_OK)
		status = memory_new(host, (size_t) plan->n_folds * n_classes, sizeof(size_t), &b.in_fold,
							why);
	if (status == STATUS_OK)
		status = memory_new(host, n_classes, sizeof(size_t), &b.in_group, why);
	if (status == STATUS_OK)
		status = memory_new_raw(host, groups->n, sizeof(SortItem), &spreads, why);
	for (uint32_t g = 0; g < groups->n && status == STATUS_OK; g++)
	{
		double		n = groups->begin[g + 1] - groups->begin[g];
		double		squares = 0;

		count_group(&b, groups, g);
		for (uint32_t k = 0; k < n_classes; k++)
		{
			double		apart = (double) b.in_group[k] - n / n_classes;

			squares += apart * apart;
		}
		spreads[g].key = sort_key_of_double(sqrt(squares / n_classes));
	}
	if (status == STATUS_OK)
		status = order_groups(host, groups, spreads, why);
	for (uint32_t i = 0; i < groups->n && status == STATUS_OK; i++)
	{
		uint32_t	fold;

		if (i % 1024 == 0)
			status = host_poll(host, why);
		count_group(&b, groups, groups->order[i]);
		fold = find_fold(&b);
		assign_group(groups, groups->order[i], fold, plan->fold);
		for (uint32_t k = 0; k < n_classes; k++)
			b.in_fold[fold * n_classes + k] += b.in_group[k];
	}
	memory_free(host, b.all, n_classes, sizeof(size_t));
	memory_free(host, b.in_fold, (size_t) plan->n_folds * n_classes, sizeof(size_t));
	memory_free(host, b.in_group, n_classes, sizeof(size_t));
	memory_free(host, spreads, groups->n, sizeof(SortItem));
	return status;
}

/* ------------------------------------------------------------------ time -- */

/* The first place whose time is that of a place, or at least a time. */
static size_t
first_of_time(const SortItem *items, size_t place)
{
	while (place > 0 && items[place - 1].key == items[place].key)
		place--;
	return place;
}

static size_t
first_from_time(const SortItem *items, size_t end, uint64_t key)
{
	size_t		low = 0;

	while (low < end)
	{
		size_t		middle = low + (end - low) / 2;

		if (items[middle].key < key)
			low = middle + 1;
		else
			end = middle;
	}
	return low;
}

/*
 * TimeSeriesSplit: the last n_folds × test_rows rows are tested, block after
 * block, by what was before; blocks begin where a time does.
 */
static Status
divide_time(TunePlan *plan, const TuneRows *rows, const TuneFolds *folds, Failure *why)
{
	const Host *host = plan->host;
	size_t		n = rows->n;
	size_t		test = folds->test_rows > 0 ? folds->test_rows : n / (folds->n_folds + 1);
	SortItem   *items = NULL;
	SortItem   *scratch = NULL;
	Status		status;

	if (test == 0)
		return refuse_few(n, "rows", folds->n_folds, why);
	if (folds->n_folds > n / test || n - folds->n_folds * test <= folds->gap_rows)
	{
		fail(why, STATUS_INVALID_DATA,
			 "%zu rows are too few for %u folds of %zu test rows and a gap of %u", n,
			 folds->n_folds, test, folds->gap_rows);
		fail_hint(why, "Give fewer folds, a smaller test_size or a smaller gap.");
		return STATUS_INVALID_DATA;
	}
	status = memory_new(host, folds->n_folds, sizeof(TimeFold), &plan->times, why);
	if (status == STATUS_OK)
		status = memory_new_raw(host, n, sizeof(SortItem), &items, why);
	if (status == STATUS_OK)
		status = memory_new_raw(host, n, sizeof(SortItem), &scratch, why);
	for (size_t i = 0; i < n && status == STATUS_OK; i++)
		items[i] = (SortItem) {.key = sort_key_of_double(rows->time[i]), .row = (uint32_t) i};
	if (status == STATUS_OK)
		status = sort_items(host, items, scratch, n, why);
	for (uint32_t f = 0; f < folds->n_folds && status == STATUS_OK; f++)
	{
		TimeFold   *fold = &plan->times[f];
		size_t		begin = n - (folds->n_folds - f) * test;
		double		start;

		fold->test_begin = first_of_time(items, begin);
		fold->test_end = f + 1 == folds->n_folds ? n : first_of_time(items, begin + test);
		start = sort_double_of_key(items[fold->test_begin].key);
		fold->train_end = fold->test_begin - (fold->test_begin < folds->gap_rows
											  ? fold->test_begin : folds->gap_rows);
		if (folds->gap_time > 0)
			fold->train_end = first_from_time(items, fold->train_end,
											  sort_key_of_double(start - folds->gap_time));
		if (folds->max_train_rows > 0 && fold->train_end > folds->max_train_rows)
			fold->train_begin = fold->train_end - folds->max_train_rows;
		if (fold->train_end == 0 || fold->test_end == fold->test_begin)
		{
			status = fail(why, STATUS_INVALID_DATA, "fold %u has no rows to %s", f + 1,
						  fold->train_end == 0 ? "train on" : "test with");
			fail_hint(why, "Equal times stay on one side: give fewer folds, or a smaller gap.");
		}
	}
	for (size_t i = 0; i < n && status == STATUS_OK; i++)
		plan->fold[items[i].row] = (uint32_t) i;
	memory_free(host, items, n, sizeof(SortItem));
	memory_free(host, scratch, n, sizeof(SortItem));
	return status;
}

/* ------------------------------------------------------------------ plan -- */

void
tune_folds_free(TunePlan *plan)
{
	const Host *host;

	if (plan == NULL)
		return;
	host = plan->host;
	memory_free(host, plan->fold, plan->n, sizeof(uint32_t));
	memory_free(host, plan->times, plan->n_folds, sizeof(TimeFold));
	memory_free(host, plan, 1, sizeof(TunePlan));
}

/* By the order of rows. */
static Status
divide_rows(TunePlan *plan, const TuneRows *rows, const TuneFolds *folds, uint64_t purpose_key,
			Failure *why)
{
	SortItem   *items;
	Status		status = hash_order(plan->host, rows->key, rows->n, purpose_key, &items, why);

	if (status != STATUS_OK)
		return status;
	if (folds->kind == TUNE_STRATIFIED)
		status = divide_strata(plan, rows, items, why);
	else
		divide_evenly(items, rows->n, folds->n_folds, plan->fold);
	memory_free(plan->host, items, rows->n, sizeof(SortItem));
	return status;
}

/* By groups. */
static Status
divide_by_group(TunePlan *plan, const TuneRows *rows, const TuneFolds *folds,
				uint64_t purpose_key, Failure *why)
{
	Groups		groups;
	Status		status = groups_new(plan->host, rows, purpose_key, &groups, why);

	if (status == STATUS_OK && groups.n < folds->n_folds)
		status = refuse_few(groups.n, "entities", folds->n_folds, why);
	if (status == STATUS_OK)
		status = folds->kind == TUNE_GROUP ? divide_groups(plan, &groups, why)
			: divide_group_strata(plan, rows, &groups, why);
	groups_free(plan->host, rows, &groups);
	return status;
}

Status
tune_folds_new(const Host *host, const TuneRows *rows, const TuneFolds *folds, TunePlan **out,
			   Failure *why)
{
	uint64_t	purpose_key = rng_purpose_key(folds->seed, RNG_FOLD, folds->repeat);
	TunePlan   *plan;
	Status		status;

	*out = NULL;
	if (rows->n < folds->n_folds)
		return refuse_few(rows->n, "rows", folds->n_folds, why);
	status = memory_new(host, 1, sizeof(TunePlan), &plan, why);
	if (status != STATUS_OK)
		return status;
	plan->host = host;
	plan->n = rows->n;
	plan->n_folds = folds->n_folds;
	status = memory_new(host, rows->n, sizeof(uint32_t), &plan->fold, why);
	if (status == STATUS_OK)
	{
		if (folds->kind == TUNE_TIME)
			status = divide_time(plan, rows, folds, why);
		else if (folds->kind == TUNE_GROUP || folds->kind == TUNE_STRATIFIED_GROUP)
			status = divide_by_group(plan, rows, folds, purpose_key, why);
		else
			status = divide_rows(plan, rows, folds, purpose_key, why);
	}
	if (status == STATUS_OK)
		*out = plan;
	else
		tune_folds_free(plan);
	return status;
}

void
tune_folds_sides(const TunePlan *plan, uint32_t fold, uint8_t *sides)
{
	const TimeFold *time = plan->times != NULL ? &plan->times[fold] : NULL;

	for (size_t i = 0; i < plan->n; i++)
	{
		uint32_t	at = plan->fold[i];

		if (time == NULL)
			sides[i] = at == fold ? TUNE_SIDE_TEST : TUNE_SIDE_TRAIN;
		else if (at >= time->test_begin && at < time->test_end)
			sides[i] = TUNE_SIDE_TEST;
		else
			sides[i] = at >= time->train_begin && at < time->train_end ? TUNE_SIDE_TRAIN
				: TUNE_SIDE_NONE;
	}
}

size_t
tune_folds_rare(const TunePlan *plan, uint32_t *class_index)
{
	*class_index = plan->rare_class;
	return plan->rare;
}

/* -------------------------------------------------------------- thinning -- */

Status
tune_thin(const Host *host, const TuneRows *rows, uint64_t seed, size_t n, uint8_t *sides,
		  Failure *why)
{
	uint32_t	n_classes = rows->label != NULL ? rows->n_classes : 1;
	size_t	   *quota = NULL;
	size_t		n_train = 0;
	SortItem   *items;
	Status		status;

	status = hash_order(host, rows->key, rows->n, rng_purpose_key(seed, RNG_RESOURCE, 0), &items,
						why);
	if (status != STATUS_OK)
		return status;
	status = memory_new(host, n_classes, sizeof(size_t), &quota, why);
	for (size_t i = 0; i < rows->n && status == STATUS_OK; i++)
		if (sides[i] == TUNE_SIDE_TRAIN)
		{
			quota[rows->label != NULL ? rows->label[i] : 0]++;
			n_train++;
		}
	for (uint32_t k = 0; k < n_classes && status == STATUS_OK && n < n_train; k++)
		if (quota[k] > 0)
		{
			double		share = (double) quota[k] * (double) n / (double) n_train;

			quota[k] = share < 1 ? 1 : (size_t) (share + 0.5);
		}
	for (size_t i = 0; i < rows->n && status == STATUS_OK; i++)
	{
		uint32_t	row = items[i].row;
		size_t	   *left = &quota[rows->label != NULL ? rows->label[row] : 0];

		if (sides[row] != TUNE_SIDE_TRAIN)
			continue;
		if (*left == 0)
			sides[row] = TUNE_SIDE_NONE;
		else
			(*left)--;
	}
	memory_free(host, quota, n_classes, sizeof(size_t));
	memory_free(host, items, rows->n, sizeof(SortItem));
	return status;
}
