/*
 * ranking.c
 *	  Measures of an order: ROC AUC, average precision, KS, lift.
 *
 * Rows are sorted by score once and walked from the highest score down, one
 * block of equal scores at a time.  With t and f the weights of positives and
 * negatives so far, of P and N in all, a block of p positives and q negatives
 * adds
 *
 *		q (t + p/2)				to the area under the ROC curve, of P N;
 *		p (t + p)/(t + p + f + q)	to the average precision, of P;
 *
 * and KS is the largest |t/P - f/N| after a block.  A block is never taken
 * apart, hence the order of tied rows cannot matter; where the cut of a lift
 * falls into a block, the block's positives count by the share taken.  Sums
 * of weights that are integers are exact.
 *
 * The area alone, of probabilities without weights, is asked for a hundred
 * times in a training, by permutation importances.  There it is a number of
 * pairs, counted in integers, and the rows are spread over buckets by their
 * probability, each of which holds a few.  The result is the same to the bit.
 */
#include <math.h>
#include <string.h>

#include "metric/internal.h"

/*
 * How far q * n may lie from an integer and still mean it: 0.07 * 100 is
 * 7.000000000000001, and seven rows are meant.
 */
#define CUT_TOLERANCE 1e-9

Status
metric_ranking_begin(Ranking *ranking, const Host *host, size_t n, Failure *why)
{
	Status		status;

	ranking->host = host;
	ranking->n = n;
	ranking->scratch = NULL;
	ranking->items = NULL;
	if ((uint64_t) n > UINT32_MAX)
		return fail(why, STATUS_LIMIT, "cannot rank %zu rows, at most %u are allowed", n,
					(unsigned) UINT32_MAX);
	status = memory_new_raw(host, n, sizeof(SortItem), &ranking->items, why);
	if (status == STATUS_OK)
		status = memory_new_raw(host, n, sizeof(SortItem), &ranking->scratch, why);
	if (status != STATUS_OK)
		metric_ranking_free(ranking);
	return status;
}

void
metric_ranking_free(Ranking *ranking)
{
	memory_free(ranking->host, ranking->scratch, ranking->n, sizeof(SortItem));
	memory_free(ranking->host, ranking->items, ranking->n, sizeof(SortItem));
	ranking->scratch = NULL;
	ranking->items = NULL;
}

/* Check the rows and put those that count into items, in their order. */
static Status
collect_items(const Ranking *ranking, const RankInput *input, RankTotals *totals, Failure *why)
{
	RealSum		sums[2] = {0};
	size_t		i;

	totals->n = 0;
	totals->whole = true;
	for (i = 0; i < input->n; i++)
	{
		double		score = input->score[i * input->stride];
		double		weight = 0;
		Status		status = metric_poll(ranking->host, i, why);

		if (status == STATUS_OK)
			status = metric_weight(input->weight, i, &weight, why);
		if (status == STATUS_OK && weight > 0)
			status = metric_check_label(input->label[i], 2, i, why);
		if (status != STATUS_OK)
			return status;
		if (weight == 0)
			continue;
		if (isnan(score))
			return fail(why, STATUS_INVALID_DATA, "score of row %zu is not a number", i + 1);
		real_sum_add(&sums[input->label[i]], weight);
		if (weight != floor(weight))
			totals->whole = false;
		ranking->items[totals->n].key = sort_key_of_double(score);
		ranking->items[totals->n].row = (uint32_t) i;
		totals->n++;
	}
	totals->positive = real_sum_value(&sums[1]);
	totals->negative = real_sum_value(&sums[0]);
	return STATUS_OK;
}

double
metric_weight_at_top(const RankTotals *totals, double top_share)
{
	double		all = totals->positive + totals->negative;
	double		top = top_share * all;

	if (totals->whole)
	{
		double		nearest = floor(top + 0.5);

		top = fabs(top - nearest) <= CUT_TOLERANCE * nearest ? nearest : floor(top) + 1;
	}
	return top < all ? top : all;
}

void
metric_walk_begin(RankWalk *walk, const RankTotals *totals, double top_share)
{
	*walk = (RankWalk) {0};
	walk->all_positive = totals->positive;
	walk->all_negative = totals->negative;
	walk->top = metric_weight_at_top(totals, top_share);
	walk->ks = -1;
}

void
metric_walk_block(RankWalk *walk, double score, double positive, double negative)
{
	double		positive_before = real_sum_value(&walk->positive);
	double		room = walk->top - (positive_before + real_sum_value(&walk->negative));
	double		block = positive + negative;
	double		positive_after;
	double		negative_after;
	double		gap;

	real_sum_add(&walk->area, negative * (positive_before + positive / 2));
	real_sum_add(&walk->positive, positive);
	real_sum_add(&walk->negative, negative);
	positive_after = real_sum_value(&walk->positive);
	negative_after = real_sum_value(&walk->negative);
	real_sum_add(&walk->precision, positive * (positive_after / (positive_after + negative_after)));
	if (room >= block)
		walk->hits = positive_after;
	else if (room > 0)
		walk->hits += positive * (room / block);
	gap = fabs(positive_after / walk->all_positive - negative_after / walk->all_negative);
	if (gap > walk->ks)
	{
		walk->ks = gap;
		walk->ks_threshold = score;
	}
}

/* Pass all blocks of the sorted items. */
static Status
walk_items(const Ranking *ranking, const RankInput *input, size_t n, RankWalk *walk, Failure *why)
{
	size_t		n_left = n;

	while (n_left > 0)
	{
		uint64_t	key = ranking->items[n_left - 1].key;
		RealSum		sums[2] = {0};

		while (n_left > 0 && ranking->items[n_left - 1].key == key)
		{
			uint32_t	row = ranking->items[n_left - 1].row;
			Status		status = metric_poll(ranking->host, n_left, why);

			if (status != STATUS_OK)
				return status;
			real_sum_add(&sums[input->label[row]],
						 input->weight != NULL ? input->weight[row] : 1);
			n_left--;
		}
		metric_walk_block(walk, sort_double_of_key(key), real_sum_value(&sums[1]),
						  real_sum_value(&sums[0]));
	}
	return STATUS_OK;
}

/* The rounding of weighted sums may lift a share above all of it. */
static double
at_most_one(double share)
{
	return share > 1 ? 1 : share;
}

void
metric_walk_end(const RankWalk *walk, RankMeasures *out)
{
	double		all = walk->all_positive + walk->all_negative;

	*out = (RankMeasures) {NAN, NAN, NAN, NAN, NAN};
	if (!(walk->all_positive > 0))
		return;
	out->average_precision = at_most_one(real_sum_value(&walk->precision) / walk->all_positive);
	out->lift = walk->hits / walk->top / (walk->all_positive / all);
	if (walk->all_negative > 0)
	{
		out->roc_auc = at_most_one(real_sum_value(&walk->area) /
								   (walk->all_positive * walk->all_negative));
		out->ks = at_most_one(walk->ks);
		out->ks_threshold = walk->ks_threshold;
	}
}

Status
metric_rank(Ranking *ranking, const RankInput *input, double top_share, RankMeasures *out,
			Failure *why)
{
	RankTotals	totals = {0};
	RankWalk	walk = {0};
	Status		status;

	metric_walk_end(&walk, out);
	status = collect_items(ranking, input, &totals, why);
	if (status != STATUS_OK || totals.positive == 0)
		return status;

	status = sort_items(ranking->host, ranking->items, ranking->scratch, totals.n, why);
	if (status != STATUS_OK)
		return status;
	metric_walk_begin(&walk, &totals, top_share);
	status = walk_items(ranking, input, totals.n, &walk, why);
	if (status == STATUS_OK)
		metric_walk_end(&walk, out);
	return status;
}

/* metric_rank() with room of its own. */
static Status
rank_rows(const Host *host, const RankInput *input, double top_share, RankMeasures *out,
		  Failure *why)
{
	Ranking		ranking;
	Status		status;

	status = metric_ranking_begin(&ranking, host, input->n, why);
	if (status == STATUS_OK)
	{
		status = metric_rank(&ranking, input, top_share, out, why);
		metric_ranking_free(&ranking);
	}
	return status;
}

/* The same of two arrays. */
static Status
rank_once(const Host *host, const uint8_t *label, const double *score, const double *weight,
		  size_t n, double top_share, RankMeasures *out, Failure *why)
{
	RankInput	input = {.label = label, .score = score, .stride = 1, .weight = weight, .n = n};

	return rank_rows(host, &input, top_share, out, why);
}

/* --------------------------------------------------- the area, by counts -- */

#define BUCKETS 2048

/* Up to this many keys of a bucket are sorted by insertion. */
#define FEW_KEYS 64

/* Up to this many rows no loop over them is long, and twice the pairs are an exact double. */
#define COUNTED_ROWS (METRIC_POLL_MASK + 1)

/* A probability and a label as one number that sorts by the probability. */
static inline uint64_t
probability_key(double p, uint8_t label)
{
	uint64_t	bits;

	p += 0.0;					/* not -0 */
	memcpy(&bits, &p, sizeof(bits));
	return bits << 1 | label;
}

static inline double
key_probability(uint64_t key)
{
	double		p;

	key >>= 1;
	memcpy(&p, &key, sizeof(p));
	return p;
}

/* Put the keys of two-class rows into keys; false if there are any but probabilities. */
static bool
collect_probabilities(const RankInput *input, uint64_t *keys, double *low, double *high)
{
	bool		plain = true;

	*low = 1;
	*high = 0;
	for (size_t i = 0; i < input->n; i++)
	{
		double		p = input->score[i * input->stride];

		plain &= (p >= 0) & (p <= 1) & (input->label[i] <= 1);
		*low = p < *low ? p : *low;
		*high = p > *high ? p : *high;
		keys[i] = probability_key(p, input->label[i]);
	}
	return plain;
}

/* Do keys have one probability, whatever their labels are? */
static bool
all_tied(const uint64_t *keys, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if ((keys[i] ^ keys[0]) > 1)
			return false;
	return true;
}

/* Sort the keys of one bucket; the order of tied ones does not matter. */
static Status
sort_bucket(const Host *host, uint64_t *keys, uint64_t *scratch, size_t n, Failure *why)
{
	if (n > FEW_KEYS)
		return all_tied(keys, n) ? STATUS_OK : sort_keys(host, keys, scratch, n, why);
	for (size_t i = 1; i < n; i++)
	{
		uint64_t	key = keys[i];
		size_t		j = i;

		for (; j > 0 && keys[j - 1] > key; j--)
			keys[j] = keys[j - 1];
		keys[j] = key;
	}
	return STATUS_OK;
}

/*
 * Sort keys, of probabilities from low to high, into sorted.  Subtraction and
 * multiplication keep the order, so the buckets are in order too.
 */
static Status
sort_probabilities(const Host *host, uint64_t *keys, uint64_t *sorted, size_t n, double low,
				   double high, Failure *why)
{
	double		scale = (BUCKETS - 1) / (high - low);
	uint32_t	ends[BUCKETS] = {0};
	uint32_t	place = 0;
	Status		status = STATUS_OK;

	if (n == 0)
		return STATUS_OK;
	if (!(scale <= DBL_MAX))
		scale = 0;				/* all the same, or as good as that */
	for (size_t i = 0; i < n; i++)
		ends[(uint32_t) ((key_probability(keys[i]) - low) * scale)]++;
	for (size_t b = 0; b < BUCKETS; b++)
	{
		uint32_t	count = ends[b];

		ends[b] = place;
		place += count;
	}
	for (size_t i = 0; i < n; i++)
		sorted[ends[(uint32_t) ((key_probability(keys[i]) - low) * scale)]++] = keys[i];
	for (size_t b = 0; b < BUCKETS && status == STATUS_OK; b++)
	{
		uint32_t	begin = b > 0 ? ends[b - 1] : 0;

		status = sort_bucket(host, sorted + begin, keys, ends[b] - begin, why);
	}
	return status;
}

/* The area under the curve of sorted keys: the share of pairs in the right order. */
static double
counted_area(const uint64_t *keys, size_t n)
{
	uint64_t	negative = 0;
	uint64_t	positive = 0;
	uint64_t	twice = 0;		/* pairs in the right order, tied ones half */

	for (size_t i = 0; i < n;)
	{
		uint64_t	first = keys[i] & ~UINT64_C(1);
		uint64_t	block[2] = {0, 0};

		for (; i < n && (keys[i] & ~UINT64_C(1)) == first; i++)
			block[keys[i] & 1]++;
		twice += block[1] * (2 * negative + block[0]);
		negative += block[0];
		positive += block[1];
	}
	if (negative == 0 || positive == 0)
		return NAN;
	return (double) twice / 2 / ((double) positive * (double) negative);
}

/* The area of rows without weights; *done is false where it takes the long way. */
static Status
count_area(const Host *host, const RankInput *input, double *out, bool *done, Failure *why)
{
	uint64_t   *keys = NULL;
	uint64_t   *sorted = NULL;
	double		low;
	double		high;
	Status		status = host_poll(host, why);

	*done = false;
	if (status == STATUS_OK)
		status = memory_new_raw(host, input->n, sizeof(uint64_t), &keys, why);
	if (status == STATUS_OK)
		status = memory_new_raw(host, input->n, sizeof(uint64_t), &sorted, why);
	if (status == STATUS_OK && collect_probabilities(input, keys, &low, &high))
	{
		status = sort_probabilities(host, keys, sorted, input->n, low, high, why);
		*out = status == STATUS_OK ? counted_area(sorted, input->n) : NAN;
		*done = true;
	}
	memory_free(host, sorted, input->n, sizeof(uint64_t));
	memory_free(host, keys, input->n, sizeof(uint64_t));
	return status;
}

/* The area under the curve of some rows. */
static Status
area_of(const Host *host, const RankInput *input, double *out, Failure *why)
{
	RankMeasures measures;
	bool		done = false;
	Status		status = STATUS_OK;

	*out = NAN;
	if (input->weight == NULL && input->n <= COUNTED_ROWS)
		status = count_area(host, input, out, &done, why);
	if (status != STATUS_OK || done)
		return status;
	status = rank_rows(host, input, 1, &measures, why);
	if (status == STATUS_OK)
		*out = measures.roc_auc;
	return status;
}

Status
metric_roc_auc(const Host *host, const uint8_t *label, const double *score, const double *weight,
			   size_t n, double *out, Failure *why)
{
	RankInput	input = {.label = label, .score = score, .stride = 1, .weight = weight, .n = n};

	return area_of(host, &input, out, why);
}

Status
metric_roc_auc_macro(const Host *host, const uint32_t *label, const double *proba,
					 uint32_t n_classes, const double *weight, size_t n, double *out,
					 Failure *why)
{
	ClassMean	mean = {0};
	uint8_t    *positive;
	Status		status = memory_new_raw(host, n, 1, &positive, why);

	*out = NAN;
	if (status != STATUS_OK)
		return status;
	for (uint32_t k = 0; k < n_classes && status == STATUS_OK; k++)
	{
		RankInput	input = {.label = positive, .score = proba + k, .stride = n_classes,
			.weight = weight, .n = n};
		double		area;

		for (size_t i = 0; i < n; i++)
			positive[i] = label[i] == k;
		status = area_of(host, &input, &area, why);
		metric_mean_add(&mean, area, 1, false);
	}
	memory_free(host, positive, n, 1);
	if (status == STATUS_OK)
		*out = real_sum_value(&mean.sum) / real_sum_value(&mean.weight);
	return status;
}

Status
metric_average_precision(const Host *host, const uint8_t *label, const double *score,
						 const double *weight, size_t n, double *out, Failure *why)
{
	RankMeasures measures;
	Status		status = rank_once(host, label, score, weight, n, 1, &measures, why);

	*out = status == STATUS_OK ? measures.average_precision : NAN;
	return status;
}

Status
metric_ks(const Host *host, const uint8_t *label, const double *score, const double *weight,
		  size_t n, double *out, double *threshold, Failure *why)
{
	RankMeasures measures;
	Status		status = rank_once(host, label, score, weight, n, 1, &measures, why);

	*out = status == STATUS_OK ? measures.ks : NAN;
	if (threshold != NULL)
		*threshold = status == STATUS_OK ? measures.ks_threshold : NAN;
	return status;
}

Status
metric_lift(const Host *host, const uint8_t *label, const double *score, const double *weight,
			size_t n, double q, double *out, Failure *why)
{
	RankMeasures measures;
	Status		status;

	*out = NAN;
	if (!(q > 0 && q <= 1))
		return fail(why, STATUS_INVALID_PARAMETER,
					"share of rows is %g, a number above 0 and up to 1 is required", q);
	status = rank_once(host, label, score, weight, n, q, &measures, why);
	if (status == STATUS_OK)
		*out = measures.lift;
	return status;
}
