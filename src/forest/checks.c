/*
 * checks.c
 *	  What in the data of a training is worth a second look: flags of columns,
 *	  signs that the outcome leaks into the features, and rare classes
 *	  (algorithms J3 to J5).
 *
 * One cause gives one finding: of a feature that is the target it is not said
 * as well that it predicts the target.  Findings come in the order of
 * severity, kind, and column.
 */
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "forest/associate.h"

#define QUASI_CONSTANT 0.995
#define MISSING_MUCH 0.5
#define MANY_CATEGORIES 1000
#define CORRELATED 0.98
#define CORRELATED_FEATURES 64	/* the most important ones */
#define CORRELATED_ROWS 30		/* fewer say nothing */
#define FAR 0.01
#define EXTREME 0.001
#define AUC_ERROR 0.99
#define AUC_WARNING 0.95
#define AUC_AHEAD 0.9			/* if it is AHEAD_BY more than that of any other */
#define AHEAD_BY 0.15
#define RANK_ERROR 0.999
#define RANK_WARNING 0.98
#define TARGET_PURITY 0.999
#define TARGET_GAIN 0.99
#define TARGET_INFORMATION 0.95
#define TWINS 0.001
#define DISTINCT 0.5			/* of the training rows: below, twins are no news */
#define CONFLICTS 0.01
#define FUTURE_ERROR 0.01
#define TOO_GOOD 0.999
#define IMPORTANCE 0.8
#define RARE_INFO 0.1
#define RARE_WARNING 0.01
#define RARE_ROWS 50

static const char *const names[FOREST_CHECK_KINDS] = {
	[FOREST_CHECK_CONSTANT] = "constant",
	[FOREST_CHECK_ALL_MISSING] = "all_missing",
	[FOREST_CHECK_QUASI_CONSTANT] = "quasi_constant",
	[FOREST_CHECK_MISSING] = "missing",
	[FOREST_CHECK_ID_LIKE] = "id_like",
	[FOREST_CHECK_MANY_CATEGORIES] = "many_categories",
	[FOREST_CHECK_DUPLICATE] = "duplicate_feature",
	[FOREST_CHECK_CORRELATED] = "correlated_features",
	[FOREST_CHECK_OUTLIERS] = "outliers",
	[FOREST_CHECK_RAW_TIME] = "raw_time",
	[FOREST_CHECK_NAME] = "name_after_outcome",
	[FOREST_CHECK_TARGET] = "target_in_features",
	[FOREST_CHECK_SINGLE_FEATURE] = "single_feature",
	[FOREST_CHECK_MISSINGNESS] = "missingness",
	[FOREST_CHECK_SPLIT_DUPLICATES] = "duplicates_across_split",
	[FOREST_CHECK_CONFLICTS] = "conflicting_targets",
	[FOREST_CHECK_FUTURE_TIME] = "time_from_future",
	[FOREST_CHECK_TIME_OVERLAP] = "time_overlap",
	[FOREST_CHECK_TOO_GOOD] = "too_good",
	[FOREST_CHECK_IMPORTANCE] = "one_important_feature",
	[FOREST_CHECK_IMBALANCE] = "class_imbalance",
	[FOREST_CHECK_FEW_OF_CLASS] = "few_of_class",
};

const char *
forest_check_name(ForestCheckKind kind)
{
	return names[kind];
}

typedef struct Checks
{
	const Host *host;
	const ForestTraining *t;
	const ForestModel *model;
	AssociateRows rows;
	Association *features;		/* per feature */
	uint32_t   *columns;		/* of the frame, per feature */
	ForestChecks *out;
	Failure    *why;
	Status		status;			/* of adding findings */
} Checks;

/* Add a finding. */
static void
found(Checks *c, ForestCheckKind kind, ForestSeverity severity, int32_t column, int32_t other,
	  double value, double threshold)
{
	if (c->status == STATUS_OK)
		c->status = memory_grow(c->host, &c->out->checks, &c->out->capacity, c->out->n + 1,
								sizeof(ForestCheck), c->why);
	if (c->status != STATUS_OK)
		return;
	c->out->checks[c->out->n++] = (ForestCheck) {
		.kind = kind, .severity = severity, .column = column, .other = other, .value = value,
		.threshold = threshold};
}

/* Columns that came to be no features, or to look like no good ones. */
static void
check_fates(Checks *c)
{
	for (uint32_t i = 0; i < c->t->n_columns; i++)
	{
		if (c->t->fates[i] == FOREST_DROPPED_CONSTANT)
			found(c, FOREST_CHECK_CONSTANT, FOREST_INFO, (int32_t) i, -1, 1, 1);
		else if (c->t->fates[i] == FOREST_DROPPED_MISSING)
			found(c, FOREST_CHECK_ALL_MISSING, FOREST_INFO, (int32_t) i, -1, 1, 1);
		else if (c->t->fates[i] == FOREST_KEPT_ID_LIKE)
			found(c, FOREST_CHECK_ID_LIKE, FOREST_WARNING, (int32_t) i, -1, NAN, NAN);
	}
}

/* What the values of a feature show. */
static void
check_values(Checks *c, uint32_t feature)
{
	const Association *a = &c->features[feature];
	ForestKind	kind = c->t->schema.features[feature].kind;
	int32_t		column = (int32_t) c->columns[feature];
	ColumnFacts *facts = c->t->facts == NULL ? NULL : &c->t->facts->columns[column];

	if (a->missing >= MISSING_MUCH)
		found(c, FOREST_CHECK_MISSING, FOREST_WARNING, column, -1, a->missing, MISSING_MUCH);
	if (a->top >= QUASI_CONSTANT)
		found(c, FOREST_CHECK_QUASI_CONSTANT, FOREST_WARNING, column, -1, a->top,
			  QUASI_CONSTANT);
	if (kind == FOREST_TIMESTAMP || kind == FOREST_TIMESTAMPTZ)
		found(c, FOREST_CHECK_RAW_TIME, FOREST_INFO, column, -1, NAN, NAN);
	if (facts == NULL)
		return;
	if (facts->n_categories > MANY_CATEGORIES)
		found(c, FOREST_CHECK_MANY_CATEGORIES, FOREST_WARNING, column, -1, facts->n_categories,
			  MANY_CATEGORIES);
	if (facts->n_values > 2)
		facts_counted(facts, a->counts);
	if (facts->far_share >= FAR)
		found(c, FOREST_CHECK_OUTLIERS, FOREST_INFO, column, 3, facts->far_share, FAR);
	else if (facts->extreme_share >= EXTREME)
		found(c, FOREST_CHECK_OUTLIERS, FOREST_INFO, column, 6, facts->extreme_share, EXTREME);
	if (facts->n_later > 0)
	{
		double		share = (double) facts->n_later / (double) facts->n_timed;

		found(c, FOREST_CHECK_FUTURE_TIME, share >= FUTURE_ERROR ? FOREST_ERROR : FOREST_WARNING,
			  column, -1, share, share >= FUTURE_ERROR ? FUTURE_ERROR : 0);
	}
}

/* Does a text hold a word, in lower case, whatever its own? */
static bool
holds_word(const ForestText *text, const char *word)
{
	size_t		n = strlen(word);

	for (size_t i = 0; i + n <= text->n_bytes; i++)
	{
		size_t		k = 0;

		while (k < n && tolower((unsigned char) text->bytes[i + k]) == word[k])
			k++;
		if (k == n)
			return true;
	}
	return false;
}

/* Names that speak of what is known only when the outcome is. */
static void
check_name(Checks *c, uint32_t feature)
{
	static const char *const words[] = {
		"cancel", "closed", "churn", "terminat", "refund", "end_date", "enddate",
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
	{
		if (!holds_word(&c->t->schema.features[feature].name, words[i]))
			continue;
		found(c, FOREST_CHECK_NAME, FOREST_INFO, (int32_t) c->columns[feature], -1, NAN, NAN);
		return;
	}
}

/* Is a feature the target, by other names of its values maybe? */
static bool
is_target(const Checks *c, const Association *a, double *value, double *threshold)
{
	if (c->t->schema.task == FOREST_REGRESSION)
	{
		*value = a->alone;
		*threshold = RANK_ERROR;
		return a->alone >= RANK_ERROR;
	}
	/* as few values as there are classes, and some for none of them */
	if (a->purity >= TARGET_PURITY && a->gain >= TARGET_GAIN &&
		a->n_occupied <= c->t->schema.n_classes + 2)
	{
		*value = a->purity;
		*threshold = TARGET_PURITY;
		return true;
	}
	*value = a->information;
	*threshold = TARGET_INFORMATION;
	return a->information >= TARGET_INFORMATION;
}

/* The most that another feature than this one says alone. */
static double
best_other(const Checks *c, uint32_t feature)
{
	double		best = 0.5;

	for (uint32_t f = 0; f < c->t->schema.n_features; f++)
	{
		if (f != feature && c->features[f].alone > best)
			best = c->features[f].alone;
	}
	return best;
}

/* Judge an AUC: is it too high to be honest? */
static void
judge_auc(Checks *c, ForestCheckKind kind, uint32_t feature, double auc, int32_t label)
{
	int32_t		column = (int32_t) c->columns[feature];

	if (auc >= AUC_ERROR)
		found(c, kind, FOREST_ERROR, column, label, auc, AUC_ERROR);
	else if (auc >= AUC_WARNING)
		found(c, kind, FOREST_WARNING, column, label, auc, AUC_WARNING);
	else if (kind == FOREST_CHECK_SINGLE_FEATURE && auc >= AUC_AHEAD &&
			 c->t->schema.n_features > 1 && auc >= best_other(c, feature) + AHEAD_BY)
		found(c, kind, FOREST_WARNING, column, label, auc, AUC_AHEAD);
}

/* What a feature says of the target alone. */
static void
check_target(Checks *c, uint32_t feature)
{
	const Association *a = &c->features[feature];
	int32_t		column = (int32_t) c->columns[feature];
	double		value;
	double		threshold;

	if (is_target(c, a, &value, &threshold))
		found(c, FOREST_CHECK_TARGET, FOREST_ERROR, column, -1, value, threshold);
	else if (c->t->schema.task == FOREST_CLASSIFICATION)
		judge_auc(c, FOREST_CHECK_SINGLE_FEATURE, feature, a->alone, a->alone_class);
	else if (a->alone >= RANK_WARNING)
		found(c, FOREST_CHECK_SINGLE_FEATURE, FOREST_WARNING, column, -1, a->alone,
			  RANK_WARNING);
	judge_auc(c, FOREST_CHECK_MISSINGNESS, feature, a->absence, a->absence_class);
}

/* Features that the forest cannot tell apart: marks them. */
static void
check_duplicates(Checks *c, bool *duplicate)
{
	for (uint32_t f = 1; f < c->t->schema.n_features; f++)
	{
		for (uint32_t other = 0; other < f && !duplicate[f]; other++)
		{
			if (duplicate[other] || c->features[f].histogram != c->features[other].histogram ||
				!associate_equal(c->t, &c->rows, f, other))
				continue;
			duplicate[f] = true;
			found(c, FOREST_CHECK_DUPLICATE, FOREST_WARNING, (int32_t) c->columns[f],
				  (int32_t) c->columns[other], 1, 1);
		}
	}
}

/* The most important numbers, in the order of the columns; returns how many. */
static uint32_t
important_numbers(const Checks *c, const bool *duplicate, uint32_t *out)
{
	uint32_t	n = 0;

	for (uint32_t f = 0; f < c->t->schema.n_features; f++)
	{
		double		importance = forest_model_importance(c->model, f);
		uint32_t	least = 0;

		if (duplicate[f] || c->t->schema.features[f].kind == FOREST_CATEGORY ||
			c->features[f].n_occupied < 3)
			continue;
		if (n < CORRELATED_FEATURES)
		{
			out[n++] = f;
			continue;
		}
		for (uint32_t i = 1; i < n; i++)
		{
			if (forest_model_importance(c->model, out[i]) <
				forest_model_importance(c->model, out[least]))
				least = i;
		}
		if (importance <= forest_model_importance(c->model, out[least]))
			continue;
		memmove(out + least, out + least + 1, (n - 1 - least) * sizeof(uint32_t));
		out[n - 1] = f;
	}
	return n;
}

/* Features that nearly go with each other. */
static Status
check_pairs(Checks *c, const bool *duplicate)
{
	uint32_t	features[CORRELATED_FEATURES];
	uint32_t	n = important_numbers(c, duplicate, features);
	double	   *rho;
	Status		status;

	if (n < 2 || c->rows.n < CORRELATED_ROWS)
		return STATUS_OK;
	status = memory_new(c->host, (size_t) n * n, sizeof(double), &rho, c->why);
	if (status == STATUS_OK)
		status = associate_pairs(c->host, c->t, &c->rows, features, n, rho, c->why);
	for (uint32_t i = 0; i < n && status == STATUS_OK; i++)
	{
		for (uint32_t j = i + 1; j < n; j++)
		{
			if (rho[(size_t) i * n + j] >= CORRELATED)
				found(c, FOREST_CHECK_CORRELATED, FOREST_WARNING,
					  (int32_t) c->columns[features[j]], (int32_t) c->columns[features[i]],
					  rho[(size_t) i * n + j], CORRELATED);
		}
	}
	memory_free(c->host, rho, (size_t) n * n, sizeof(double));
	return status;
}

/* Rows that occur twice, or before their time. */
static void
check_rows(Checks *c)
{
	const Facts *facts = c->t->facts;
	double		twins;
	bool		telling;

	if (facts == NULL)
		return;
	twins = facts->n_test > 0 ? (double) facts->n_test_twins / (double) facts->n_test : 0;
	telling = !facts->has_keys &&
		(double) facts->n_distinct >= DISTINCT * (double) facts->n_train;
	if (twins >= TWINS)
		found(c, FOREST_CHECK_SPLIT_DUPLICATES, telling ? FOREST_WARNING : FOREST_INFO, -1, -1,
			  twins, TWINS);
	if (facts->conflict >= CONFLICTS)
		found(c, FOREST_CHECK_CONFLICTS, FOREST_INFO, -1, -1, facts->conflict, CONFLICTS);
	if (facts->time_overlap > 0)
		found(c, FOREST_CHECK_TIME_OVERLAP, FOREST_WARNING, -1, -1, facts->time_overlap, 0);
}

/* Classes that are rare in the training rows. */
static Status
check_classes(Checks *c)
{
	const ForestTraining *t = c->t;
	uint64_t   *counts;
	uint64_t	rarest = UINT64_MAX;
	int32_t		label = -1;
	double		share;
	Status		status;

	if (t->schema.task == FOREST_REGRESSION)
		return STATUS_OK;
	status = memory_new(c->host, t->schema.n_classes, sizeof(uint64_t), &counts, c->why);
	if (status != STATUS_OK)
		return status;
	for (uint32_t row = 0; row < t->n_train; row++)
		counts[training_chunk(t, row)->label[training_in_chunk(t, row)]]++;
	for (uint32_t k = 0; k < t->schema.n_classes; k++)
	{
		if (counts[k] >= rarest)
			continue;
		rarest = counts[k];
		label = (int32_t) k;
	}
	memory_free(c->host, counts, t->schema.n_classes, sizeof(uint64_t));
	share = (double) rarest / t->n_train;
	if (share < RARE_WARNING)
		found(c, FOREST_CHECK_IMBALANCE, FOREST_WARNING, -1, label, share, RARE_WARNING);
	else if (share < RARE_INFO)
		found(c, FOREST_CHECK_IMBALANCE, FOREST_INFO, -1, label, share, RARE_INFO);
	if (rarest < RARE_ROWS)
		found(c, FOREST_CHECK_FEW_OF_CLASS, FOREST_ERROR, -1, label, (double) rarest, RARE_ROWS);
	return STATUS_OK;
}

/* What the forest shows. */
static void
check_forest(Checks *c, double oob_score)
{
	uint32_t	n = c->t->schema.n_features;

	if (oob_score >= TOO_GOOD)
		found(c, FOREST_CHECK_TOO_GOOD, FOREST_WARNING, -1, -1, oob_score, TOO_GOOD);
	for (uint32_t f = 0; f < n && n > 1; f++)
	{
		double		importance = forest_model_importance(c->model, f);

		if (importance >= IMPORTANCE)
			found(c, FOREST_CHECK_IMPORTANCE, FOREST_WARNING, (int32_t) c->columns[f], -1,
				  importance, IMPORTANCE);
	}
}

/* Does a come before b: the more severe first, then by kind and columns? */
static bool
comes_first(const ForestCheck *a, const ForestCheck *b)
{
	if (a->severity != b->severity)
		return a->severity > b->severity;
	if (a->kind != b->kind)
		return a->kind < b->kind;
	if (a->column != b->column)
		return a->column < b->column;
	return a->other < b->other;
}

/* Put the findings in order. */
static void
sort_checks(ForestChecks *checks)
{
	for (size_t i = 1; i < checks->n; i++)
	{
		ForestCheck check = checks->checks[i];
		size_t		place = i;

		for (; place > 0 && comes_first(&check, &checks->checks[place - 1]); place--)
			checks->checks[place] = checks->checks[place - 1];
		checks->checks[place] = check;
	}
}

/* The columns of the features: those that were not dropped. */
static void
find_columns(Checks *c)
{
	uint32_t	n = 0;

	for (uint32_t i = 0; i < c->t->n_columns; i++)
	{
		if (c->t->fates[i] == FOREST_KEPT || c->t->fates[i] == FOREST_KEPT_ID_LIKE)
			c->columns[n++] = i;
	}
}

/* All checks that look at features. */
static Status
check_features(Checks *c)
{
	uint32_t	n = c->t->schema.n_features;
	bool	   *duplicate;
	Status		status = memory_new(c->host, n, sizeof(bool), &duplicate, c->why);

	if (status == STATUS_OK)
		status = associate_rows(c->host, c->t, &c->rows, c->why);
	if (status == STATUS_OK)
		status = associate_features(c->host, c->t, &c->rows, c->features, c->why);
	for (uint32_t f = 0; f < n && status == STATUS_OK; f++)
	{
		check_values(c, f);
		check_name(c, f);
		check_target(c, f);
	}
	if (status == STATUS_OK)
	{
		check_duplicates(c, duplicate);
		status = check_pairs(c, duplicate);
	}
	associate_rows_free(c->host, &c->rows);
	memory_free(c->host, duplicate, n, sizeof(bool));
	return status;
}

Status
forest_checks(const Host *host, const ForestTraining *t, const ForestModel *model,
			  double oob_score, ForestChecks *out, Failure *why)
{
	Checks		c = {.host = host, .t = t, .model = model, .out = out, .why = why,
	.status = STATUS_OK};
	uint32_t	n = t->schema.n_features;
	Status		status;

	memset(out, 0, sizeof(*out));
	status = memory_new(host, n, sizeof(Association), &c.features, why);
	if (status == STATUS_OK)
		status = memory_new(host, n, sizeof(uint32_t), &c.columns, why);
	if (status == STATUS_OK)
	{
		find_columns(&c);
		check_fates(&c);
		status = check_features(&c);
	}
	if (status == STATUS_OK)
	{
		check_rows(&c);
		check_forest(&c, oob_score);
		status = check_classes(&c);
	}
	if (status == STATUS_OK)
		status = c.status;
	memory_free(host, c.features, n, sizeof(Association));
	memory_free(host, c.columns, n, sizeof(uint32_t));
	if (status != STATUS_OK)
		forest_checks_free(host, out);
	else
		sort_checks(out);
	return status;
}

void
forest_checks_free(const Host *host, ForestChecks *checks)
{
	memory_free(host, checks->checks, checks->capacity, sizeof(ForestCheck));
	memset(checks, 0, sizeof(*checks));
}
