/*
 * settings.c
 *	  A training's parameters as numbers: shares become rows, class weights
 *	  fixed point, the bootstrap a list of thresholds.
 */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "core/real.h"
#include "forest/prepare.h"

#define MAX_WEIGHT_BITS 20
#define MAX_FACTOR_BITS 40

/*
 * ⌊2^64 × P(count ≤ k)⌋ of a Poisson(1) variable, k = 0 … 12 (algorithms A4).
 */
static const uint64_t poisson_one[TRAINING_THRESHOLDS - 1] = {
	UINT64_C(0x5E2D58D8B3BCDF1A), UINT64_C(0xBC5AB1B16779BE35), UINT64_C(0xEB715E1DC1582DC2),
	UINT64_C(0xFB23979734A252F1), UINT64_C(0xFF1025F59174DC3D), UINT64_C(0xFFD90F3BA4055E19),
	UINT64_C(0xFFFA8B71FC72C913), UINT64_C(0xFFFF540C0914B3C9), UINT64_C(0xFFFFED1F4AA8F120),
	UINT64_C(0xFFFFFE216E641462), UINT64_C(0xFFFFFFD4D85D3183), UINT64_C(0xFFFFFFFC6DA262B4),
	UINT64_C(0xFFFFFFFFBA12D178),
};

/* Thresholds of a Poisson count with the given mean in (0, 1]. */
static void
settings_poisson(GrowSettings *s, double mean)
{
	double		term = real_exp(-mean);
	double		below = 0;

	if (mean == 1)
	{
		memcpy(s->thresholds, poisson_one, sizeof(poisson_one));
		return;
	}
	for (int k = 0; k < TRAINING_THRESHOLDS - 1; k++)
	{
		below += term;
		term = term * mean / (k + 1);
		s->thresholds[k] = below >= 1 ? UINT64_MAX : (uint64_t) (below * 0x1.0p64);
	}
}

/* The mean count of a row: the share of the rows that a tree draws. */
static Status
settings_bootstrap(GrowSettings *s, const ForestParams *params, uint32_t n_rows, Failure *why)
{
	double		mean = 1;

	s->bootstrap = params->bootstrap;
	if (params->max_samples_given)
		mean = params->max_samples.is_fraction ? params->max_samples.value
			: params->max_samples.value / n_rows;
	if (mean > 1)
	{
		fail(why, STATUS_INVALID_PARAMETER,
			 "parameter \"max_samples\" is %.0f, more than the %u training rows",
			 params->max_samples.value, n_rows);
		fail_hint(why, "Give at most the number of rows, a share in (0, 1], or null for all.");
		return STATUS_INVALID_PARAMETER;
	}
	settings_poisson(s, mean);
	return STATUS_OK;
}

/* A number of rows given as count or share, at least `least`. */
static uint32_t
settings_rows(ForestAmount amount, uint32_t n_rows, uint32_t least)
{
	double		rows = amount.is_fraction ? ceil(amount.value * n_rows) : amount.value;

	if (rows < least)
		return least;
	return rows < UINT32_MAX ? (uint32_t) rows : UINT32_MAX;
}

/* Largest m with m² ≤ p. */
static uint32_t
floor_sqrt(uint32_t p)
{
	uint32_t	m = 0;

	while ((m + 1) * (m + 1) <= p)
		m++;
	return m;
}

static uint32_t
floor_log2(uint64_t p)
{
	uint32_t	bits = 0;

	while (p >>= 1)
		bits++;
	return bits;
}

/* How many features a split draws. */
static uint32_t
settings_mtry(const ForestParams *params, uint32_t p)
{
	double		m = p;

	switch (params->max_features)
	{
		case FOREST_MTRY_ALL:
			break;
		case FOREST_MTRY_SQRT:
			m = floor_sqrt(p);
			break;
		case FOREST_MTRY_LOG2:
			m = floor_log2(p);
			break;
		case FOREST_MTRY_COUNT:
			m = params->max_features_value;
			break;
		case FOREST_MTRY_FRACTION:
			m = floor(params->max_features_value * p);
			break;
	}
	if (m < 1)
		return 1;
	return m < p ? (uint32_t) m : p;
}

/* The feature that an entry of monotonic_cst means, or n_features. */
static uint32_t
find_feature(const ForestSchema *schema, const char *name)
{
	uint32_t	f = 0;

	while (f < schema->n_features && strcmp(schema->features[f].name.bytes, name) != 0)
		f++;
	return f;
}

/* Is there a column of this name that was dropped? */
static bool
is_column(const ForestTraining *t, const char *name)
{
	for (uint32_t c = 0; c < t->n_columns; c++)
		if (strcmp(t->columns[c].bytes, name) == 0)
			return true;
	return false;
}

/* monotonic_cst, by name or by the position of the column in the query's features. */
static Status
settings_monotonic(Prepare *p, Failure *why)
{
	const ForestParams *params = p->params;
	ForestSchema *schema = &p->t->schema;
	Status		status;

	if (params->n_monotonic == 0)
		return STATUS_OK;
	if (params->monotonic_by_position && params->n_monotonic != p->t->n_columns)
	{
		status = fail(why, STATUS_INVALID_PARAMETER,
					  "parameter \"monotonic_cst\" has %zu elements, but there are %u features",
					  params->n_monotonic, p->t->n_columns);
		fail_hint(why, "Name the features instead, as in {\"%s\": 1}.",
				  p->t->columns[0].bytes);
		return status;
	}
	status = memory_new(p->host, schema->n_features, 1, &p->t->monotonic, why);
	for (size_t i = 0; i < params->n_monotonic && status == STATUS_OK; i++)
	{
		const char *name = params->monotonic_by_position ? p->t->columns[i].bytes
			: params->monotonic[i].name;
		double		sign = params->monotonic[i].value;
		uint32_t	f = find_feature(schema, name);

		if (f == schema->n_features && !is_column(p->t, name))
			status = fail(why, STATUS_INVALID_PARAMETER,
						  "parameter \"monotonic_cst\" names \"%s\", which is no feature", name);
		else if (f < schema->n_features && sign != 0 &&
				 schema->features[f].kind == FOREST_CATEGORY)
			status = fail(why, STATUS_INVALID_PARAMETER,
						  "parameter \"monotonic_cst\" constrains \"%s\", which is a category",
						  name);
		if (status != STATUS_OK)
			fail_hint(why, "Constrain numeric features of the query.");
		else if (f < schema->n_features)
		{
			p->t->monotonic[f] = (int8_t) sign;
			p->t->settings.any_monotonic |= sign != 0;
		}
	}
	return status;
}

int
prepare_weight_bits(size_t n_rows)
{
	int			bits = (62 - (int) floor_log2((uint64_t) n_rows * TRAINING_THRESHOLDS) - 1) / 2;

	return bits < MAX_WEIGHT_BITS ? bits : MAX_WEIGHT_BITS;
}

uint64_t
prepare_fixed(double weight, int scale)
{
	double		fixed = ldexp(weight, scale) + 0.5;

	return weight > 0 && fixed < 1 ? 1 : (uint64_t) fixed;
}

/* The exponent of the power of two above x > 0. */
static int
exponent_of(double x)
{
	int			exponent;

	frexp(x, &exponent);
	return exponent;
}

/* The least scale at which a weight above 0 is a whole number. */
static int
exact_scale(double weight)
{
	int			exponent;
	uint64_t	mantissa = (uint64_t) (frexp(weight, &exponent) * 0x1p53);

	return 53 - exponent - __builtin_ctzll(mantissa);
}

int
prepare_row_scale(const ForestTraining *t)
{
	double		largest = 0;
	double		mean = 0;
	int			exact = INT_MIN;
	int			scale;
	int			fits;

	for (uint32_t i = 0; t->row_weighted && i < t->n_train; i++)
	{
		double		weight = t->row_weight[i];

		if (weight == 0)
			continue;
		largest = fmax(largest, weight);
		mean += weight / t->n_train;
		if (exact_scale(weight) > exact)
			exact = exact_scale(weight);
	}
	if (largest == 0)
		return 0;
	scale = prepare_weight_bits(t->n_train) - exponent_of(mean);
	fits = 32 - 1 - exponent_of(largest);
	if (fits < scale)
		scale = fits;
	/* whole numbers need no places: what they leave, targets use */
	return exact < scale ? exact : scale;
}

/* Refuse a weight for a class that is not there; list those that are, as far as they fit. */
static Status
refuse_class(const ForestSchema *schema, const char *name, Failure *why)
{
	char		list[256] = "";
	size_t		used = 0;
	uint32_t	k = 0;

	for (; k < schema->n_classes && used + schema->classes[k].n_bytes + 5 < sizeof(list); k++)
		used += (size_t) snprintf(list + used, sizeof(list) - used, "%s\"%s\"",
								  k > 0 ? ", " : "", schema->classes[k].bytes);
	fail(why, STATUS_INVALID_PARAMETER,
		 "parameter \"class_weight\" names \"%s\", which is no class", name);
	fail_detail(why, "The classes are %s%s.", list, k < schema->n_classes ? ", ..." : "");
	fail_hint(why, "Name classes as they are written in the target; those left out have weight 1.");
	return STATUS_INVALID_PARAMETER;
}

/* Weights of the classes as the user gave them or as their frequencies say. */
static Status
class_weights(Prepare *p, double *weights, Failure *why)
{
	const ForestParams *params = p->params;
	const ForestSchema *schema = &p->t->schema;
	uint32_t	n_present = 0;

	if (params->class_weight == FOREST_WEIGHT_DICT)
	{
		for (uint32_t k = 0; k < schema->n_classes; k++)
			weights[k] = 1;
		for (size_t i = 0; i < params->n_class_weights; i++)
		{
			uint32_t	k = 0;

			while (k < schema->n_classes &&
				   strcmp(schema->classes[k].bytes, params->class_weights[i].name) != 0)
				k++;
			if (k == schema->n_classes)
				return refuse_class(schema, params->class_weights[i].name, why);
			weights[k] = params->class_weights[i].value;
		}
		return STATUS_OK;
	}
	for (uint32_t k = 0; k < schema->n_classes; k++)
		weights[k] = 0;
	for (uint32_t i = 0; i < p->t->n_train; i++)
	{
		double	   *weight = &weights[prepare_class_of(p, i)];

		n_present += *weight == 0;
		*weight += 1;
	}
	for (uint32_t k = 0; k < schema->n_classes; k++)
		if (weights[k] > 0)
			weights[k] = p->t->n_train / (n_present * weights[k]);
	return STATUS_OK;
}

/* Does any training row have a weight? */
static Status
check_weights(Prepare *p, Failure *why)
{
	const ForestTraining *t = p->t;

	for (uint32_t i = 0; i < t->n_train; i++)
		if ((t->row_weight == NULL || t->row_weight[i] > 0) &&
			(t->class_factor == NULL || t->class_factor[prepare_class_of(p, i)] > 0))
			return STATUS_OK;
	fail(why, STATUS_INVALID_DATA, "every training row has the weight 0");
	if (t->class_factor != NULL)
		fail_hint(why, "Give a weight above 0 to a class of the training rows "
				  "in parameter \"class_weight\".");
	return STATUS_INVALID_DATA;
}

/* The bits of the largest class factor: what the sum of the row weights leaves. */
static int
factor_bits(const ForestTraining *t)
{
	int			scale = prepare_row_scale(t);
	double		total = t->n_train;
	int			bits;

	for (uint32_t i = 0; t->row_weighted && i < t->n_train; i++)
		total += (double) prepare_fixed(t->row_weight[i], scale);
	bits = 61 - exponent_of(total * TRAINING_THRESHOLDS);
	return bits < MAX_FACTOR_BITS ? bits : MAX_FACTOR_BITS;
}

/*
 * class_weight as fixed point; of balanced_subsample, which each tree weighs
 * for itself, the largest factor there is.
 */
static Status
settings_class_factors(Prepare *p, Failure *why)
{
	ForestTraining *t = p->t;
	uint32_t	n = t->schema.n_classes;
	int			bits = factor_bits(t);
	double		largest = 0;
	double	   *weights;
	Status		status;

	if (p->params->class_weight == FOREST_WEIGHT_NONE)
		return STATUS_OK;
	t->weighted = true;
	t->settings.balanced_subsample =
		p->params->class_weight == FOREST_WEIGHT_BALANCED_SUBSAMPLE && p->params->bootstrap;
	status = memory_new_raw(p->host, n, sizeof(uint64_t), &t->class_factor, why);
	if (status != STATUS_OK)
		return status;
	status = memory_new_raw(p->host, n, sizeof(double), &weights, why);
	if (status != STATUS_OK)
		return status;
	status = class_weights(p, weights, why);
	for (uint32_t k = 0; k < n && status == STATUS_OK; k++)
	{
		if (t->settings.balanced_subsample)
			weights[k] = 1;
		largest = fmax(largest, weights[k]);
	}
	for (uint32_t k = 0; k < n && status == STATUS_OK; k++)
		t->class_factor[k] = largest == 0 ? 0
			: prepare_fixed(weights[k], bits - exponent_of(largest));
	memory_free(p->host, weights, n, sizeof(double));
	return status;
}

Status
prepare_settings(Prepare *p, Failure *why)
{
	const ForestParams *params = p->params;
	ForestTraining *t = p->t;
	GrowSettings *s = &t->settings;
	Status		status;

	s->criterion = params->criterion;
	s->n_estimators = (uint32_t) params->n_estimators;
	s->max_depth = params->max_depth == 0 ? UINT32_MAX : (uint32_t) params->max_depth;
	s->min_samples_leaf = settings_rows(params->min_samples_leaf, t->n_train, 1);
	s->min_samples_split = settings_rows(params->min_samples_split, t->n_train, 2);
	if (s->min_samples_split / 2 < s->min_samples_leaf)
		s->min_samples_split = s->min_samples_leaf > UINT32_MAX / 2 ? UINT32_MAX
			: 2 * s->min_samples_leaf;
	s->min_weight_fraction_leaf = params->min_weight_fraction_leaf;
	s->mtry = settings_mtry(params, t->schema.n_features);
	s->max_leaf_nodes = (uint32_t) params->max_leaf_nodes;
	s->min_impurity_decrease = params->min_impurity_decrease;
	s->ccp_alpha = params->ccp_alpha;
	s->random_splitter = params->random_splitter;
	s->seed = params->random_state;
	status = settings_bootstrap(s, params, t->n_train, why);
	if (status == STATUS_OK)
		status = settings_monotonic(p, why);
	if (status == STATUS_OK && t->schema.task == FOREST_CLASSIFICATION)
		status = settings_class_factors(p, why);
	if (status == STATUS_OK)
		status = check_weights(p, why);
	return status;
}
