/*
 * aggregate_rule.c
 *	  The rules of churnops_threshold, from JSON.
 *
 * One table has every key, which rules know it, and what it is where it is not
 * given.
 */
#include "postgres.h"

#include <math.h>

#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"
#include "utils/varlena.h"

#include "pg/aggregate.h"
#include "pg/report.h"

/* A name is meant if so few edits lead to another. */
#define MAX_EDITS 2

typedef struct RuleName
{
	const char *name;
	MetricRuleKind kind;
} RuleName;

static const RuleName rule_names[] = {
	{"f1", RULE_FBETA}, {"fbeta", RULE_FBETA}, {"mcc", RULE_MCC}, {"youden", RULE_YOUDEN},
	{"accuracy", RULE_ACCURACY}, {"cost", RULE_COST}, {"capacity", RULE_CAPACITY},
	{"precision", RULE_PRECISION}, {"recall", RULE_RECALL}, {"profit", RULE_PROFIT},
	{"emp", RULE_EMP},
};

#define OF(kind) (1U << (kind))
#define OF_PROFIT (OF(RULE_PROFIT) | OF(RULE_EMP))

typedef struct RuleKey
{
	const char *name;
	unsigned	rules;
	size_t		offset;			/* of a double in MetricRule */
	double		value;			/* where it is not given */
	bool		needed;
} RuleKey;

#define AT(field) offsetof(MetricRule, field)

static const RuleKey rule_keys[] = {
	{"tp", OF(RULE_COST), AT(cost_tp), 0, false},
	{"fp", OF(RULE_COST), AT(cost_fp), 0, true},
	{"fn", OF(RULE_COST), AT(cost_fn), 0, true},
	{"tn", OF(RULE_COST), AT(cost_tn), 0, false},
	{"k", OF(RULE_CAPACITY), AT(capacity), NAN, false},
	{"share", OF(RULE_CAPACITY), AT(share), NAN, false},
	{"at_least", OF(RULE_PRECISION) | OF(RULE_RECALL), AT(at_least), 0, true},
	{"clv", OF_PROFIT, AT(clv), 200, false},
	{"d", OF_PROFIT, AT(d), 10, false},
	{"f", OF_PROFIT, AT(f), 1, false},
	{"alpha", OF_PROFIT, AT(alpha), 6, false},
	{"beta", OF_PROFIT, AT(beta_shape), 14, false},
	{"gamma", OF(RULE_PROFIT), AT(gamma), NAN, false},
};

static double *
field_of(MetricRule *rule, const RuleKey *key)
{
	return (double *) ((char *) rule + key->offset);
}

static bool
is_name(const JsonbValue *value, const char *name)
{
	return value->type == jbvString && (size_t) value->val.string.len == strlen(name) &&
		memcmp(value->val.string.val, name, strlen(name)) == 0;
}

static char *
name_of(const JsonbValue *value)
{
	return pnstrdup(value->val.string.val, value->val.string.len);
}

/* Remember a name if it is nearer to what was given than the one before. */
static void
consider(const JsonbValue *given, const char *name, int *edits, const char **nearest)
{
	int			n = varstr_levenshtein_less_equal(given->val.string.val, given->val.string.len,
												  name, (int) strlen(name), 1, 1, 1, MAX_EDITS,
												  true);

	if (n < *edits)
	{
		*edits = n;
		*nearest = name;
	}
}

static const RuleName *
find_rule(const JsonbValue *name)
{
	const char *nearest = NULL;
	int			edits = MAX_EDITS + 1;

	for (size_t i = 0; i < lengthof(rule_names); i++)
	{
		if (is_name(name, rule_names[i].name))
			return &rule_names[i];
		consider(name, rule_names[i].name, &edits, &nearest);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("there is no rule \"%s\" for a threshold", name_of(name)),
			 nearest != NULL ? errhint("Perhaps you meant \"%s\".", nearest) :
			 errhint("There are f1, fbeta, mcc, youden, accuracy, cost, capacity, precision, "
					 "recall, profit and emp.")));
}

static double
number_of(const JsonbValue *key, const JsonbValue *value)
{
	if (value->type != jbvNumeric)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" of the rule must be a number", name_of(key))));
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8,
											  NumericGetDatum(value->val.numeric)));
}

/* One key of a rule; given has a bit per key of the table. */
static void
read_key(const RuleName *name, const JsonbValue *key, const JsonbValue *value, MetricRule *out,
		 uint32 *given)
{
	const char *nearest = NULL;
	int			edits = MAX_EDITS + 1;

	if (is_name(key, "rule"))
		return;
	if (name->kind == RULE_COST && is_name(key, "calibrated"))
	{
		if (value->type != jbvBool)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("\"calibrated\" of the rule must be true or false")));
		out->calibrated = value->val.boolean;
		return;
	}
	if (strcmp(name->name, "fbeta") == 0 && is_name(key, "beta"))
	{
		out->beta = number_of(key, value);
		return;
	}
	for (size_t i = 0; i < lengthof(rule_keys); i++)
	{
		if ((rule_keys[i].rules & OF(name->kind)) == 0)
			continue;
		if (is_name(key, rule_keys[i].name))
		{
			*field_of(out, &rule_keys[i]) = number_of(key, value);
			*given |= 1U << i;
			return;
		}
		consider(key, rule_keys[i].name, &edits, &nearest);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("rule \"%s\" has no key \"%s\"", name->name, name_of(key)),
			 nearest != NULL ? errhint("Perhaps you meant \"%s\".", nearest) : 0));
}

static void
read_keys(Jsonb *json, const RuleName *name, MetricRule *out)
{
	JsonbIterator *iterator = JsonbIteratorInit(&json->root);
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	value;
	uint32		given = 0;
	bool		beta_given = strcmp(name->name, "fbeta") != 0;

	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		if (token != WJB_KEY)
			continue;
		(void) JsonbIteratorNext(&iterator, &value, true);
		read_key(name, &key, &value, out, &given);
		beta_given |= is_name(&key, "beta");
	}
	for (size_t i = 0; i < lengthof(rule_keys); i++)
		if (rule_keys[i].needed && (rule_keys[i].rules & OF(name->kind)) != 0 &&
			(given & 1U << i) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("rule \"%s\" needs \"%s\"", name->name, rule_keys[i].name)));
	if (!beta_given)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("rule \"fbeta\" needs \"beta\"")));
}

/* The name of the rule: the JSON itself, or its key "rule". */
static JsonbValue *
rule_name(Jsonb *json)
{
	JsonbValue *name = NULL;

	if (JB_ROOT_IS_OBJECT(json))
		name = getKeyJsonValueFromContainer(&json->root, "rule", 4, NULL);
	else if (JB_ROOT_IS_SCALAR(json))
		name = getIthJsonbValueFromContainer(&json->root, 0);
	if (name == NULL || name->type != jbvString)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a rule for a threshold must be a JSON object with the key \"rule\""),
				 errhint("For example '{\"rule\": \"cost\", \"fp\": 1, \"fn\": 5}'.")));
	return name;
}

void
aggregate_read_rule(Jsonb *json, MetricRule *out)
{
	const RuleName *name = find_rule(rule_name(json));
	Failure		why;

	out->kind = name->kind;
	out->beta = 1;
	out->calibrated = true;
	for (size_t i = 0; i < lengthof(rule_keys); i++)
		*field_of(out, &rule_keys[i]) = rule_keys[i].value;
	if (JB_ROOT_IS_OBJECT(json))
		read_keys(json, name, out);
	if (isnan(out->gamma))
		out->gamma = out->alpha / (out->alpha + out->beta_shape);
	report_status(metric_rule_check(out, &why), &why);
}
