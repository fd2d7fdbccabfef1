/*
 * ranked.c
 *	  Two-class rows collected for ranking.
 *
 * Without weights a row is a key and a count of 1, and rows of equal score and
 * class become one with the sum of their counts: forests give few different
 * scores.  Where that finds little it is not tried again before there are many
 * more rows.  Counts are integers, so nothing depends on the order of rows.
 *
 * With weights every row is kept.  The weights of a block of equal scores are
 * summed exactly, unless there are two, whose sum has no order; sums over
 * blocks go from the highest score down.
 */
#include <math.h>

#include "metric/internal.h"

#define FIRST_ITEMS 32

/* Half of an item's number: a count, or a place. */
#define COUNT_MAX (UINT32_MAX >> 1)

/* Looking for equal scores again makes no sense before the rows are so many times more. */
#define LITTLE_FOUND 8

void
metric_ranked_begin(MetricRanked *r, const Host *host, bool weighted)
{
	memset(r, 0, sizeof(*r));
	r->host = host;
	r->weighted = weighted;
	r->settled = true;
}

void
metric_ranked_free(MetricRanked *r)
{
	memory_free(r->host, r->weights, r->weight_capacity, sizeof(double));
	memory_free(r->host, r->items, r->capacity, sizeof(SortItem));
	r->weights = NULL;
	r->items = NULL;
	r->n = r->capacity = r->n_weights = r->weight_capacity = 0;
}

/* Put sorted items of equal key and class together, in place. */
static void
compress(MetricRanked *r)
{
	size_t		n = 0;
	size_t		i = 0;

	while (i < r->n)
	{
		uint64_t	key = r->items[i].key;
		uint64_t	count[2] = {0, 0};

		for (; i < r->n && r->items[i].key == key; i++)
			count[r->items[i].row & 1] += r->items[i].row >> 1;
		for (uint32_t label = 0; label < 2; label++)
			while (count[label] > 0)
			{
				uint32_t	some = count[label] < COUNT_MAX ? (uint32_t) count[label] : COUNT_MAX;

				r->items[n].key = key;
				r->items[n].row = some << 1 | label;
				n++;
				count[label] -= some;
			}
	}
	r->n = n;
}

static Status
sort_ranked(MetricRanked *r, Failure *why)
{
	SortItem   *scratch;
	Status		status = memory_new_raw(r->host, r->n, sizeof(SortItem), &scratch, why);

	if (status != STATUS_OK)
		return status;
	status = sort_items(r->host, r->items, scratch, r->n, why);
	memory_free(r->host, scratch, r->n, sizeof(SortItem));
	/* a sort that was broken off has spoilt the items */
	if (status != STATUS_OK)
		r->n = 0;
	return status;
}

Status
metric_ranked_settle(MetricRanked *r, Failure *why)
{
	Status		status;

	if (r->settled)
		return STATUS_OK;
	status = sort_ranked(r, why);
	if (status != STATUS_OK)
		return status;
	if (!r->weighted)
		compress(r);
	r->settled = true;
	return STATUS_OK;
}

/* Room for one more item, by putting equal ones together where that pays. */
static Status
make_room(MetricRanked *r, Failure *why)
{
	if (!r->weighted && r->n >= FIRST_ITEMS && r->n >= r->compress_at)
	{
		size_t		before = r->n;
		Status		status;

		r->settled = false;
		status = metric_ranked_settle(r, why);
		if (status != STATUS_OK)
			return status;
		r->compress_at = r->n > before / 2 ? before * LITTLE_FOUND : 0;
		if (r->n <= before / 2)
			return STATUS_OK;
	}
	return memory_grow(r->host, &r->items, &r->capacity,
					   r->capacity > 0 ? 2 * r->capacity : FIRST_ITEMS, sizeof(SortItem), why);
}

/* The place of a new weight. */
static Status
add_weight(MetricRanked *r, double weight, uint32_t *place, Failure *why)
{
	Status		status = STATUS_OK;

	if (r->n_weights >= COUNT_MAX)
		return fail(why, STATUS_LIMIT, "cannot rank more than %u rows with weights",
					(unsigned) COUNT_MAX);
	if (r->n_weights == r->weight_capacity)
		status = memory_grow(r->host, &r->weights, &r->weight_capacity,
							 r->n_weights > 0 ? 2 * r->n_weights : FIRST_ITEMS, sizeof(double),
							 why);
	if (status != STATUS_OK)
		return status;
	*place = (uint32_t) r->n_weights;
	r->weights[r->n_weights++] = weight;
	return STATUS_OK;
}

Status
metric_ranked_add(MetricRanked *r, bool positive, double score, double weight, Failure *why)
{
	uint32_t	number = 1;
	Status		status = STATUS_OK;

	if (r->weighted)
	{
		status = metric_check_weight(weight, why);
		if (status != STATUS_OK || weight == 0)
			return status;
	}
	if (isnan(score))
		return fail(why, STATUS_INVALID_DATA, "score is not a number");
	if (r->n == r->capacity)
		status = make_room(r, why);
	if (status == STATUS_OK && r->weighted)
		status = add_weight(r, weight, &number, why);
	if (status != STATUS_OK)
		return status;
	r->items[r->n].key = sort_key_of_double(score);
	r->items[r->n].row = number << 1 | (uint32_t) positive;
	r->n++;
	r->settled = false;
	return STATUS_OK;
}

/* Both settled: their items in order, in an array that has room for them. */
static void
merge_items(const MetricRanked *a, const MetricRanked *b, SortItem *out)
{
	uint32_t	shift = (uint32_t) a->n_weights << 1;	/* b's weights come behind a's */
	size_t		i = 0;
	size_t		j = 0;

	for (size_t n = 0; n < a->n + b->n; n++)
	{
		if (j == b->n || (i < a->n && a->items[i].key <= b->items[j].key))
			out[n] = a->items[i++];
		else
		{
			out[n].key = b->items[j].key;
			out[n].row = b->items[j].row + shift;
			j++;
		}
	}
}

static Status
append_weights(MetricRanked *r, const MetricRanked *other, Failure *why)
{
	Status		status;

	if (other->n_weights > COUNT_MAX - r->n_weights)
		return fail(why, STATUS_LIMIT, "cannot rank more than %u rows with weights",
					(unsigned) COUNT_MAX);
	status = memory_grow(r->host, &r->weights, &r->weight_capacity,
						 r->n_weights + other->n_weights, sizeof(double), why);
	if (status != STATUS_OK)
		return status;
	if (other->n_weights > 0)
		memcpy(r->weights + r->n_weights, other->weights, other->n_weights * sizeof(double));
	r->n_weights += other->n_weights;
	return STATUS_OK;
}

Status
metric_ranked_merge(MetricRanked *r, MetricRanked *other, Failure *why)
{
	SortItem   *merged = NULL;
	size_t		n = 0;
	Status		status = metric_ranked_settle(r, why);

	if (status == STATUS_OK)
		status = metric_ranked_settle(other, why);
	if (status == STATUS_OK)
	{
		n = r->n + other->n;
		status = memory_new_raw(r->host, n, sizeof(SortItem), &merged, why);
	}
	if (status != STATUS_OK)
		return status;
	merge_items(r, other, merged);
	status = append_weights(r, other, why);
	if (status != STATUS_OK)
	{
		memory_free(r->host, merged, n, sizeof(SortItem));
		return status;
	}
	memory_free(r->host, r->items, r->capacity, sizeof(SortItem));
	r->items = merged;
	r->n = r->capacity = n;
	if (!r->weighted)
		compress(r);
	return STATUS_OK;
}

/* ------------------------------------------------------------------ bytes -- */

/* Of an item: key, and number and label. */
#define ITEM_BYTES 12

size_t
metric_ranked_stored_bytes(const MetricRanked *r)
{
	return 1 + 8 + r->n * (ITEM_BYTES + (r->weighted ? sizeof(double) : 0));
}

void
metric_ranked_write(const MetricRanked *r, ByteWriter *w)
{
	bytes_put_u8(w, r->weighted);
	bytes_put_u64(w, r->n);
	for (size_t i = 0; i < r->n; i++)
	{
		uint32_t	row = r->items[i].row;

		bytes_put_u64(w, r->items[i].key);
		bytes_put_u32(w, r->weighted ? (uint32_t) i << 1 | (row & 1) : row);
		if (r->weighted)
			bytes_put_f64(w, r->weights[row >> 1]);
	}
}

/* Is this the weight of a row that counts? */
static bool
is_weight(double weight)
{
	return weight > 0 && weight <= DBL_MAX;
}

Status
metric_ranked_read(MetricRanked *r, const Host *host, ByteReader *reader, Failure *why)
{
	uint8_t		weighted = bytes_get_u8(reader);
	uint64_t	n = bytes_get_u64(reader);
	size_t		item_bytes = ITEM_BYTES + (weighted ? sizeof(double) : 0);
	bool		damaged = reader->failed || weighted > 1 || n > bytes_left(reader) / item_bytes;
	Status		status = STATUS_OK;

	metric_ranked_begin(r, host, weighted != 0);
	if (!damaged)
		status = memory_grow(host, &r->items, &r->capacity, n, sizeof(SortItem), why);
	if (!damaged && status == STATUS_OK && weighted)
		status = memory_grow(host, &r->weights, &r->weight_capacity, n, sizeof(double), why);
	for (size_t i = 0; !damaged && status == STATUS_OK && i < n; i++)
	{
		SortItem   *item = &r->items[i];

		item->key = bytes_get_u64(reader);
		item->row = bytes_get_u32(reader);
		if (weighted)
		{
			r->weights[i] = bytes_get_f64(reader);
			damaged = item->row >> 1 != i || !is_weight(r->weights[i]);
		}
		else
			damaged = item->row >> 1 == 0;
		damaged |= i > 0 && item->key < r->items[i - 1].key;
	}
	if (damaged)
		status = fail(why, STATUS_CORRUPT, "state of an aggregate is damaged");
	if (status != STATUS_OK)
	{
		metric_ranked_free(r);
		return status;
	}
	r->n = n;
	r->n_weights = weighted ? n : 0;
	return STATUS_OK;
}

/* ------------------------------------------------------------------ walks -- */

/* The weights of one class in items begin … end - 1. */
static double
block_weight(const MetricRanked *r, size_t begin, size_t end, uint32_t label)
{
	ExactSum	sum;
	double		first[2] = {0, 0};
	double		count = 0;
	size_t		n = 0;

	for (size_t i = begin; i < end; i++)
	{
		uint32_t	row = r->items[i].row;

		if ((row & 1) != label)
			continue;
		if (!r->weighted)
		{
			count += row >> 1;
			continue;
		}
		if (n < 2)
			first[n] = r->weights[row >> 1];
		else
		{
			if (n == 2)
			{
				memset(&sum, 0, sizeof(sum));
				exact_add(&sum, first[0]);
				exact_add(&sum, first[1]);
			}
			exact_add(&sum, r->weights[row >> 1]);
		}
		n++;
	}
	return !r->weighted ? count : n > 2 ? exact_value(&sum) : first[0] + first[1];
}

static void
read_block(const MetricRanked *r, size_t begin, size_t end, RankBlock *out)
{
	out->score = sort_double_of_key(r->items[begin].key);
	out->positive = block_weight(r, begin, end, 1);
	out->negative = block_weight(r, begin, end, 0);
}

bool
metric_ranked_down(const MetricRanked *r, size_t *end, RankBlock *out)
{
	size_t		begin = *end;

	if (begin == 0)
		return false;
	do
		begin--;
	while (begin > 0 && r->items[begin - 1].key == r->items[begin].key);
	read_block(r, begin, *end, out);
	*end = begin;
	return true;
}

bool
metric_ranked_up(const MetricRanked *r, size_t *begin, RankBlock *out)
{
	size_t		end = *begin;

	if (end == r->n)
		return false;
	do
		end++;
	while (end < r->n && r->items[end].key == r->items[end - 1].key);
	read_block(r, *begin, end, out);
	*begin = end;
	return true;
}

Status
metric_ranked_totals(MetricRanked *r, RankTotals *out, Failure *why)
{
	RealSum		sums[2] = {0};
	RankBlock	block;
	size_t		end;
	Status		status = metric_ranked_settle(r, why);

	*out = (RankTotals) {.whole = true};
	if (status != STATUS_OK)
		return status;
	end = r->n;
	while (status == STATUS_OK && metric_ranked_down(r, &end, &block))
	{
		real_sum_add(&sums[1], block.positive);
		real_sum_add(&sums[0], block.negative);
		status = metric_poll(r->host, end, why);
	}
	for (size_t i = 0; i < r->n_weights && out->whole; i++)
		out->whole = r->weights[i] == floor(r->weights[i]);
	out->n = r->n;
	out->positive = real_sum_value(&sums[1]);
	out->negative = real_sum_value(&sums[0]);
	if (status == STATUS_OK && !(out->positive <= DBL_MAX && out->negative <= DBL_MAX))
		status = fail(why, STATUS_OUT_OF_RANGE, "sum of weights is out of range");
	return status;
}

Status
metric_ranked_measures(MetricRanked *r, double top_share, RankMeasures *out, Failure *why)
{
	RankTotals	totals;
	RankWalk	walk = {0};
	RankBlock	block;
	size_t		end;
	Status		status;

	metric_walk_end(&walk, out);
	if (!(top_share > 0 && top_share <= 1))
		return fail(why, STATUS_INVALID_PARAMETER,
					"share of rows is %g, a number above 0 and up to 1 is required", top_share);
	status = metric_ranked_totals(r, &totals, why);
	if (status != STATUS_OK)
		return status;
	metric_walk_begin(&walk, &totals, top_share);
	end = r->n;
	while (status == STATUS_OK && metric_ranked_down(r, &end, &block))
	{
		metric_walk_block(&walk, block.score, block.positive, block.negative);
		status = metric_poll(r->host, end, why);
	}
	if (status == STATUS_OK)
		metric_walk_end(&walk, out);
	return status;
}

Status
metric_ranked_support(MetricRanked *r, double *out, Failure *why)
{
	RankTotals	totals;
	Status		status = metric_ranked_totals(r, &totals, why);

	*out = totals.positive;
	return status;
}

Status
metric_ranked_median(MetricRanked *r, double *out, Failure *why)
{
	RankTotals	totals;
	RankBlock	block;
	RealSum		sum = {0, 0};
	size_t		begin = 0;
	double		half;
	Status		status = metric_ranked_totals(r, &totals, why);

	*out = NAN;
	if (status != STATUS_OK)
		return status;
	half = (totals.positive + totals.negative) / 2;
	while (metric_ranked_up(r, &begin, &block))
	{
		double		below;

		real_sum_add(&sum, block.positive + block.negative);
		below = real_sum_value(&sum);
		if (below < half)
			continue;
		*out = block.score;
		if (below == half && !r->weighted && metric_ranked_up(r, &begin, &block))
			*out = (*out + block.score) / 2;
		break;
	}
	return STATUS_OK;
}
