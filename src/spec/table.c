/*
 * table.c
 *	  The table of all keys of a pipeline.
 *
 * A mapping's keys stand before the row that has it, so the file is read from
 * its end.  docs/pipeline.md and docs/pipeline.schema.json are made of it.
 */
#include <math.h>
#include <string.h>

#include "spec/table.h"

#define SECONDS_MAX 3.2e10		/* a thousand years */
#define INTEGER_MAX 2147483647.0

static const SpecKey any_value = {.name = "*", .types = TYPE_ANY, .flags = KEY_NULL, .help = "Any value."};

static const SpecKey column_name = {.name = "[]", .types = TYPE_TEXT, .help = "Name of a column."};

static const SpecKey metric_item = {.name = "[]", .types = TYPE_TEXT,
	.vocabulary = SPEC_METRICS, .help = "Name of a metric."};

/* ------------------------------------------------------------------ data -- */

static const SpecKey any_text = {.name = "[]", .types = TYPE_TEXT, .format = FORMAT_EMPTY,
	.help = "A text."};

static const SpecKey csv_types[] = {
	{.name = "*", .types = TYPE_TEXT, .help = "Type of the column of this name."},
	{0}
};

/* As churnops_load_csv has them. */
static const SpecKey csv_keys[] = {
	{.name = "header", .types = TYPE_BOOLEAN | TYPE_TEXT, .words = "auto",
		.help = "Whether the first line names the columns; by default it is looked at."},
	{.name = "names", .types = TYPE_LIST, .flags = KEY_UNIQUE, .item = &column_name,
		.help = "Names of all columns, instead of the header's."},
	{.name = "columns", .types = TYPE_MAP, .keys = csv_types,
		.help = "Types of some columns; the file decides for the others."},
	{.name = "delimiter", .types = TYPE_TEXT, .help = "One ASCII character, or auto, the default."},
	{.name = "quote", .types = TYPE_TEXT, .format = FORMAT_EMPTY,
		.help = "One ASCII character; an empty text if quotes have no meaning."},
	{.name = "escape", .types = TYPE_TEXT,
		.help = "Stands before a quote inside of quotes; by default the quote."},
	{.name = "null", .types = TYPE_TEXT | TYPE_LIST, .flags = KEY_EMPTY, .format = FORMAT_EMPTY,
		.item = &any_text, .help = "Text or texts that stand for NULL."},
	{.name = "encoding", .types = TYPE_TEXT, .help = "Of the file; UTF8 if not given."},
	{.name = "trim", .types = TYPE_BOOLEAN, .help = "Drop blanks around texts without quotes."},
	{.name = "if_exists", .types = TYPE_TEXT, .words = "error|append|replace",
		.help = "What becomes of a table that is there; error if not given."},
	{.name = "temporary", .types = TYPE_BOOLEAN, .help = "Make a temporary table."},
	{.name = "unlogged", .types = TYPE_BOOLEAN, .help = "Make an unlogged table."},
	{0}
};

static const SpecKey expectation_keys[] = {
	{.name = "expectation", .types = TYPE_TEXT, .flags = KEY_REQUIRED,
		.vocabulary = SPEC_EXPECTATIONS,
		.help = "Name of the expectation, as in expect_column_values_to_not_be_null."},
	{.name = "column", .types = TYPE_TEXT, .help = "The column that it is about."},
	{.name = "mostly", .types = TYPE_NUMBER, .flags = KEY_ABOVE, .low = 0, .high = 1,
		.help = "Share of the values that is enough."},
	{.name = "severity", .types = TYPE_TEXT, .words = "warning|critical",
		.help = "A critical expectation that fails stops the run before training."},
	{.name = "*", .types = TYPE_ANY, .flags = KEY_NULL, .help = "Further arguments of the expectation."},
	{0}
};

static const SpecKey expectation = {.name = "[]", .types = TYPE_MAP, .flags = KEY_SPARSE | KEY_BY_NAME,
	.keys = expectation_keys,
	.help = "An expectation; also written as one key, its name, with its arguments below."};

static const SpecRule data_rules[] = {
	{RULE_ONE_OF, "query|dataset|file", NULL, NULL, "Name the one place where the rows come from."},
	{RULE_NEEDS, "table|csv", "file", NULL, "They say how a file is read."},
	{RULE_END, NULL, NULL, NULL, NULL}
};

static const SpecKey data_keys[] = {
	{.name = "query", .types = TYPE_TEXT,
		.help = "Any SELECT, or the name of a table or view. Runs as the caller of churnops_run."},
	{.name = "dataset", .types = TYPE_TEXT, .format = FORMAT_DATASET,
		.help = "A registered dataset: its latest version, or the one that is named."},
	{.name = "file", .types = TYPE_TEXT,
		.help = "A CSV file that the server reads: a path or a file: URL."},
	{.name = "table", .types = TYPE_TEXT,
		.help = "Keep the rows of the file in this table; else they go into a temporary one."},
	{.name = "csv", .types = TYPE_MAP, .flags = KEY_SPARSE | KEY_EMPTY, .keys = csv_keys,
		.help = "Options of churnops_load_csv for the file."},
	{.name = "key", .types = TYPE_LIST, .flags = KEY_UNIQUE, .item = &column_name,
		.help = "Columns that name the entity. Never features; an entity stays on one side of a split."},
	{.name = "time_column", .types = TYPE_TEXT,
		.help = "Column of time: the latest rows are the holdout. Never a feature."},
	{.name = "exclude", .types = TYPE_LIST, .flags = KEY_UNIQUE | KEY_EMPTY, .item = &column_name,
		.help = "Columns that are no features."},
	{.name = "weight", .types = TYPE_TEXT, .help = "Column of sample weights."},
	{.name = "expectations", .types = TYPE_LIST, .flags = KEY_EMPTY, .fallback = "[]",
		.item = &expectation, .help = "What the rows must fulfil, checked before training."},
	{0}
};

/* ---------------------------------------------------- search, splits, cv -- */

static const SpecRule range_rules[] = {
	{RULE_ORDER, "low", "high", NULL, NULL},
	{RULE_END, NULL, NULL, NULL, NULL}
};

static const SpecKey range_keys[] = {
	{.name = "low", .types = TYPE_NUMBER, .flags = KEY_REQUIRED, .low = -INFINITY,
		.high = INFINITY, .help = "Least value."},
	{.name = "high", .types = TYPE_NUMBER, .flags = KEY_REQUIRED, .low = -INFINITY,
		.high = INFINITY, .help = "Greatest value."},
	{.name = "step", .types = TYPE_NUMBER, .flags = KEY_ABOVE, .low = 0, .high = INFINITY,
		.help = "Only values so far apart, from low on."},
	{.name = "log", .types = TYPE_BOOLEAN, .fallback = "false",
		.help = "Draw the logarithm evenly."},
	{.name = "integer", .types = TYPE_BOOLEAN,
		.help = "Draw integers; by default if both ends are written as integers."},
	{0}
};

static const SpecKey space_keys[] = {
	{.name = "*", .types = TYPE_LIST | TYPE_MAP, .item = &any_value, .keys = range_keys,
		.rules = range_rules, .help = "Values to choose from, or a range."},
	{0}
};

/* Keys of cv and search.cv. */
#define CV_KEYS \
	{.name = "folds", .types = TYPE_INTEGER, .fallback = "5", .low = 2, .high = 100, \
		.help = "Number of folds."}, \
	{.name = "method", .types = TYPE_TEXT, .words = "stratified|kfold|group|stratified_group|time", \
		.help = "How rows are dealt out. By default by time if there is a time column, by group if " \
		"there is a key, else stratified for classification and kfold for regression."}, \
	{.name = "repeats", .types = TYPE_INTEGER, .fallback = "1", .low = 1, .high = 100, \
		.help = "How often the folds are drawn anew."}, \
	{.name = "seed", .types = TYPE_INTEGER, .fallback = "0", .low = 0, .high = INTEGER_MAX, \
		.help = "Draws the folds."}

static const SpecKey search_cv_keys[] = {
	CV_KEYS,
	{0}
};

static const SpecKey cv_keys[] = {
	CV_KEYS,
	{.name = "nested", .types = TYPE_BOOLEAN, .fallback = "false",
		.help = "Search anew within each fold, for an estimate that the search has not seen."},
	{0}
};

static const SpecRule search_rules[] = {
	{RULE_ONLY_IF, "n_iter", "method", "random|halving|tpe",
		"A grid has as many trials as there are combinations."},
	{RULE_ONLY_IF, "factor", "method", "halving", NULL},
	{RULE_END, NULL, NULL, NULL, NULL}
};

static const SpecKey search_keys[] = {
	{.name = "method", .types = TYPE_TEXT, .words = "random|grid|halving|tpe",
		.fallback = "\"random\"", .help = "How trials are chosen."},
	{.name = "n_iter", .types = TYPE_INTEGER, .fallback = "10", .low = 1, .high = 100000,
		.help = "Number of trials."},
	{.name = "space", .types = TYPE_MAP, .flags = KEY_REQUIRED, .keys = space_keys,
		.vocabulary = SPEC_HYPERPARAMETERS,
		.help = "For each hyper-parameter that is searched, a list of values or a range."},
	{.name = "objective", .types = TYPE_TEXT, .vocabulary = SPEC_METRICS,
		.help = "The metric that the best trial has best; by default log_loss, and rmse for "
		"regression."},
	{.name = "cv", .types = TYPE_TEXT | TYPE_MAP, .words = "oob", .fallback = "\"oob\"",
		.keys = search_cv_keys,
		.help = "How trials are measured: on out-of-bag rows, or by cross-validation."},
	{.name = "factor", .types = TYPE_INTEGER, .fallback = "3", .low = 2, .high = 100,
		.help = "Of so many trials one goes on to the next round of halving."},
	{.name = "early_stop", .types = TYPE_BOOLEAN, .fallback = "false",
		.help = "Stop adding trees to a trial when they no longer help."},
	{.name = "seed", .types = TYPE_INTEGER, .fallback = "0", .low = 0, .high = INTEGER_MAX,
		.help = "Draws the trials."},
	{0}
};

static const SpecKey split_keys[] = {
	{.name = "test_size", .types = TYPE_NUMBER, .flags = KEY_BELOW, .fallback = "0.2", .low = 0,
		.high = 1, .help = "Share of the rows that is held out; 0 trains on every row."},
	{.name = "split_seed", .types = TYPE_INTEGER, .fallback = "0", .low = -INTEGER_MAX - 1,
		.high = INTEGER_MAX, .help = "Draws the split."},
	{0}
};

/* ------------------------------------------------------------ evaluation -- */

static const SpecRule threshold_rules[] = {
	{RULE_MUST_IF, "beta", "rule", "fbeta", NULL},
	{RULE_MUST_IF, "fp|fn", "rule", "cost", NULL},
	{RULE_ONE_IF, "k|share", "rule", "capacity", NULL},
	{RULE_MUST_IF, "at_least", "rule", "precision|recall", NULL},
	{RULE_MUST_IF, "value", "rule", "value", NULL},
	{RULE_ONLY_IF, "fp|fn|tp|tn|calibrated", "rule", "cost", NULL},
	{RULE_ONLY_IF, "k|share", "rule", "capacity", NULL},
	{RULE_ONLY_IF, "at_least", "rule", "precision|recall", NULL},
	{RULE_ONLY_IF, "clv|d|f", "rule", "profit|emp", NULL},
	{RULE_ONLY_IF, "gamma", "rule", "profit", NULL},
	{RULE_ONLY_IF, "alpha", "rule", "profit|emp", NULL},
	{RULE_ONLY_IF, "beta", "rule", "fbeta|profit|emp", NULL},
	{RULE_ONLY_IF, "value", "rule", "value", NULL},
	{RULE_END, NULL, NULL, NULL, NULL}
};

#define THRESHOLD_NUMBER(key, bits, least, most, text) \
	{.name = key, .types = TYPE_NUMBER, .flags = bits, .low = least, .high = most, .help = text}

/* As churnops_threshold has them, but for a fixed value. */
static const SpecKey threshold_keys[] = {
	{.name = "rule", .types = TYPE_TEXT, .flags = KEY_REQUIRED,
		.words = "f1|fbeta|mcc|youden|accuracy|cost|capacity|precision|recall|profit|emp|value",
		.help = "What the probability from which on a row is positive makes best, as in "
		"churnops_threshold; or a fixed value."},
	THRESHOLD_NUMBER("beta", KEY_ABOVE, 0, INFINITY,
					 "Of the F score; of the beta distribution, 14 if not given."),
	THRESHOLD_NUMBER("fp", 0, -INFINITY, INFINITY, "Cost of a false positive."),
	THRESHOLD_NUMBER("fn", 0, -INFINITY, INFINITY, "Cost of a false negative."),
	THRESHOLD_NUMBER("tp", 0, -INFINITY, INFINITY, "Cost of a true positive, 0 if not given."),
	THRESHOLD_NUMBER("tn", 0, -INFINITY, INFINITY, "Cost of a true negative, 0 if not given."),
	{.name = "calibrated", .types = TYPE_BOOLEAN,
		.help = "Whether probabilities are taken for right, which they are if not given."},
	{.name = "k", .types = TYPE_INTEGER, .low = 0, .high = 1e15,
		.help = "How many rows may be positive."},
	THRESHOLD_NUMBER("share", 0, 0, 1, "Which share of the rows may be positive."),
	THRESHOLD_NUMBER("at_least", 0, 0, 1, "The precision or recall to keep."),
	THRESHOLD_NUMBER("clv", KEY_ABOVE, 0, INFINITY, "Customer lifetime value, 200 if not given."),
	THRESHOLD_NUMBER("d", 0, 0, INFINITY, "Cost of the incentive, 10 if not given."),
	THRESHOLD_NUMBER("f", 0, 0, INFINITY, "Cost of a contact, 1 if not given."),
	THRESHOLD_NUMBER("gamma", 0, 0, 1,
					 "Chance that a churner accepts, alpha / (alpha + beta) if not given."),
	THRESHOLD_NUMBER("alpha", KEY_ABOVE, 0, INFINITY,
					 "Of the beta distribution of that chance, 6 if not given."),
	THRESHOLD_NUMBER("value", 0, 0, 1, "The threshold itself."),
	{0}
};

static const SpecRule bound_rules[] = {
	{RULE_SOME_OF, "min|max|above|below", NULL, NULL, NULL},
	{RULE_ORDER, "min", "max", NULL, NULL},
	{RULE_ORDER, "above", "below", NULL, NULL},
	{RULE_END, NULL, NULL, NULL, NULL}
};

static const SpecKey bound_keys[] = {
	{.name = "min", .types = TYPE_NUMBER, .low = -INFINITY, .high = INFINITY,
		.help = "Passes when the metric is at least this."},
	{.name = "max", .types = TYPE_NUMBER, .low = -INFINITY, .high = INFINITY,
		.help = "Passes when the metric is at most this."},
	{.name = "above", .types = TYPE_NUMBER, .low = -INFINITY, .high = INFINITY,
		.help = "Passes when the metric is greater."},
	{.name = "below", .types = TYPE_NUMBER, .low = -INFINITY, .high = INFINITY,
		.help = "Passes when the metric is less."},
	{0}
};

static const SpecKey absolute_keys[] = {
	{.name = "*", .types = TYPE_MAP, .keys = bound_keys, .rules = bound_rules,
		.help = "Bounds of one metric on the holdout."},
	{0}
};

static const SpecKey champion_keys[] = {
	{.name = "metric", .types = TYPE_TEXT, .vocabulary = SPEC_METRICS,
		.help = "The metric that is compared; by default roc_auc, roc_auc_macro for several classes, "
		"rmse for regression."},
	{.name = "rule", .types = TYPE_TEXT, .words = "non_inferiority|superiority",
		.fallback = "\"non_inferiority\"",
		.help = "What has to be shown with confidence: that the new version is not worse by more than "
		"the margin, or that it is better by more than the margin."},
	{.name = "margin", .types = TYPE_NUMBER, .fallback = "0.005", .low = 0, .high = INFINITY,
		.help = "The difference that does not matter."},
	{.name = "confidence", .types = TYPE_NUMBER, .flags = KEY_ABOVE | KEY_BELOW,
		.fallback = "0.95", .low = 0, .high = 1, .help = "Confidence of the bound, one-sided."},
	{0}
};

static const SpecKey calibration_keys[] = {
	{.name = "max_ece", .types = TYPE_NUMBER, .flags = KEY_REQUIRED, .low = 0, .high = 1,
		.help = "Greatest expected calibration error."},
	{0}
};

static const SpecKey latency_keys[] = {
	{.name = "max_microseconds_per_row", .types = TYPE_NUMBER, .flags = KEY_REQUIRED | KEY_ABOVE,
		.low = 0, .high = INFINITY, .help = "Longest time to score a row, on average."},
	{0}
};

static const SpecKey artifact_keys[] = {
	{.name = "max_bytes", .types = TYPE_INTEGER, .flags = KEY_REQUIRED, .low = 1, .high = 1e15,
		.help = "Greatest size of the model."},
	{0}
};

static const SpecRule slice_rules[] = {
	{RULE_SOME_OF, "min|max|max_drop", NULL, NULL, NULL},
	{RULE_END, NULL, NULL, NULL, NULL}
};

static const SpecKey slice_keys[] = {
	{.name = "metric", .types = TYPE_TEXT, .vocabulary = SPEC_METRICS,
		.help = "The metric, by default as for the champion."},
	{.name = "min", .types = TYPE_NUMBER, .low = -INFINITY, .high = INFINITY,
		.help = "Least value in any slice."},
	{.name = "max", .types = TYPE_NUMBER, .low = -INFINITY, .high = INFINITY,
		.help = "Greatest value in any slice."},
	{.name = "max_drop", .types = TYPE_NUMBER, .low = 0, .high = INFINITY,
		.help = "How much worse than the whole a slice may be."},
	{.name = "min_rows", .types = TYPE_INTEGER, .fallback = "100", .low = 1, .high = 1e15,
		.help = "Smaller slices are not judged."},
	{0}
};

static const SpecKey gate_keys[] = {
	{.name = "absolute", .types = TYPE_MAP, .keys = absolute_keys, .vocabulary = SPEC_METRICS,
		.help = "Bounds of metrics on the holdout."},
	{.name = "champion", .types = TYPE_MAP, .keys = champion_keys, .flags = KEY_EMPTY,
		.help = "Compare with the champion on the same holdout; passes where there is none."},
	{.name = "data_quality", .types = TYPE_TEXT, .words = "critical|warning|none",
		.fallback = "\"critical\"", .help = "The mildest failed expectation that refuses."},
	{.name = "leakage", .types = TYPE_TEXT, .words = "error|warning|none",
		.fallback = "\"error\"",
		.help = "The mildest finding of the checks at training that refuses."},
	{.name = "calibration", .types = TYPE_MAP, .keys = calibration_keys,
		.help = "How far probabilities may be off."},
	{.name = "latency", .types = TYPE_MAP, .keys = latency_keys, .help = "Time of scoring."},
	{.name = "artifact", .types = TYPE_MAP, .keys = artifact_keys, .help = "Size of the model."},
	{.name = "slices", .types = TYPE_MAP, .keys = slice_keys, .rules = slice_rules,
		.help = "Bounds in each slice of evaluation.slices."},
	{0}
};

static const SpecRule evaluation_rules[] = {
	{RULE_NEEDS, "gates.slices", "slices", NULL, "Name the columns whose values are the slices."},
	{RULE_END, NULL, NULL, NULL, NULL}
};

static const SpecKey evaluation_keys[] = {
	{.name = "metrics", .types = TYPE_LIST, .flags = KEY_UNIQUE, .item = &metric_item,
		.help = "Metrics to report; by default all."},
	{.name = "slices", .types = TYPE_LIST, .flags = KEY_UNIQUE, .item = &column_name,
		.help = "Columns for whose values metrics are reported each."},
	{.name = "confidence", .types = TYPE_NUMBER, .flags = KEY_ABOVE | KEY_BELOW,
		.fallback = "0.95", .low = 0, .high = 1, .help = "Confidence of the intervals."},
	{.name = "threshold", .types = TYPE_MAP, .flags = KEY_SPARSE, .keys = threshold_keys, .rules = threshold_rules,
		.help = "How the threshold of two classes is chosen, on out-of-bag rows; by default 0.5."},
	{.name = "gates", .types = TYPE_MAP, .flags = KEY_FILLED | KEY_EMPTY, .keys = gate_keys,
		.help = "What a version has to pass to be released."},
	{0}
};

/* --------------------------------------------------- output, deployment -- */

static const SpecRule output_rules[] = {
	{RULE_SOME_OF, "path|alias", NULL, NULL, NULL},
	{RULE_END, NULL, NULL, NULL, NULL}
};

static const SpecKey output_keys[] = {
	{.name = "path", .types = TYPE_TEXT,
		.help = "Folder that the server writes to: a path or a file: URL. The version goes into a "
		"folder below it, named as the alias."},
	{.name = "alias", .types = TYPE_TEXT, .format = FORMAT_NAME,
		.help = "Alias of the new version; an error if it is taken."},
	{0}
};

#define SETTING_NUMBER(key, least, most, text) \
	{.name = key, .types = TYPE_NUMBER, .low = least, .high = most, .help = text}
#define RULE_SETTING(key, least, most, text) \
	{.name = key, .types = TYPE_NUMBER, .flags = KEY_NULL, .low = least, .high = most, .help = text}

/* As churnops.deployment_settings() has them. */
static const SpecKey config_keys[] = {
	SETTING_NUMBER("weight", 0, 1, "Share of the candidate in a canary."),
	SETTING_NUMBER("step", 0.001, 1, "First share of a linear rollout, and by how much it grows."),
	SETTING_NUMBER("seconds", 0, 1e9, "Least time at a share."),
	{.name = "key", .types = TYPE_LIST, .flags = KEY_UNIQUE | KEY_NULL, .item = &column_name,
		.help = "Columns that name the entity; by default those of the training."},
	SETTING_NUMBER("min_rows", 0, 1e12, "Logged rows without which it does not go on."),
	{.name = "new_columns", .types = TYPE_BOOLEAN,
		.help = "Whether the version may need columns that the champion does not."},
	SETTING_NUMBER("cool_down", 0, 1e9, "Seconds after a rollback."),
	RULE_SETTING("error_share", 0, 1, "Roll back above this share of errors."),
	SETTING_NUMBER("error_ratio", 0, 1e6, "And above so many times the champion's."),
	SETTING_NUMBER("error_p", 0, 1, "And significant at this level."),
	SETTING_NUMBER("error_rows", 1, 1e12, "From so many rows on."),
	RULE_SETTING("null_share", 0, 1, "Roll back above this share of missing predictions."),
	RULE_SETTING("latency_ratio", 0, 1e6, "Roll back above so many times the champion's time."),
	SETTING_NUMBER("latency_ms", 0, 1e6, "And above this time of a row."),
	RULE_SETTING("shift_psi", 0, 1e6, "Roll back at this shift of the predictions."),
	SETTING_NUMBER("shift_p", 0, 1, "And significant at this level."),
	RULE_SETTING("harm_p", 0, 1, "Roll back at proven harm, at this level."),
	RULE_SETTING("harm_tau", 1e-12, 1e12, "Standard deviation of the mixture of that test."),
	SETTING_NUMBER("harm_planned_rows", 1, 1e12, "Rows per arm that it is best for."),
	SETTING_NUMBER("harm_rows", 2, 1e12, "Outcomes per arm from which on it counts."),
	SETTING_NUMBER("harm_events", 0, 1e12, "Events per arm from which on it counts."),
	RULE_SETTING("srm_p", 0, 1, "Go neither on nor back below this probability of the arms' sizes."),
	{0}
};

static const SpecRule deployment_rules[] = {
	{RULE_ONLY_IF, "config.weight", "strategy", "canary", NULL},
	{RULE_ONLY_IF, "config.step", "strategy", "linear", NULL},
	{RULE_ONLY_IF, "config.new_columns|config.cool_down", "strategy", "all_at_once|canary|linear",
		NULL},
	{RULE_ONLY_IF, "config.seconds|config.key|config.min_rows|config.error_share|"
		"config.error_ratio|config.error_p|config.error_rows|config.null_share|"
		"config.latency_ratio|config.latency_ms|config.shift_psi|config.shift_p|config.harm_p|"
		"config.harm_tau|config.harm_planned_rows|config.harm_rows|config.harm_events|config.srm_p",
		"strategy", "canary|linear", NULL},
	{RULE_END, NULL, NULL, NULL, NULL}
};

static const SpecKey deployment_keys[] = {
	{.name = "strategy", .types = TYPE_TEXT, .words = "none|all_at_once|canary|linear|shadow",
		.fallback = "\"all_at_once\"",
		.help = "What becomes of a version that passes: see churnops_deploy; none only registers it."},
	{.name = "alias", .types = TYPE_TEXT, .format = FORMAT_NAME, .fallback = "\"champion\"",
		.help = "The alias that is moved."},
	{.name = "config", .types = TYPE_MAP, .flags = KEY_FILLED | KEY_SPARSE | KEY_EMPTY,
		.keys = config_keys, .help = "Settings of the strategy; null turns a rule off."},
	{0}
};

/* -------------------------------------------------- monitoring, retrain -- */

static const SpecRule drift_rules[] = {
	{RULE_ORDER, "psi_warning", "psi_critical", NULL, NULL},
	{RULE_END, NULL, NULL, NULL, NULL}
};

static const SpecKey drift_keys[] = {
	{.name = "method", .types = TYPE_TEXT, .words = "churnops|evidently",
		.fallback = "\"churnops\"", .help = "Whose choice of tests and thresholds."},
	{.name = "features", .types = TYPE_LIST, .flags = KEY_UNIQUE, .item = &column_name,
		.help = "Features to watch; by default all."},
	{.name = "psi_warning", .types = TYPE_NUMBER, .flags = KEY_ABOVE, .fallback = "0.1", .low = 0,
		.high = INFINITY, .help = "Population stability index that warns."},
	{.name = "psi_critical", .types = TYPE_NUMBER, .flags = KEY_ABOVE, .fallback = "0.25",
		.low = 0, .high = INFINITY, .help = "Population stability index that is critical."},
	{.name = "false_discovery_rate", .types = TYPE_NUMBER, .flags = KEY_ABOVE | KEY_BELOW,
		.fallback = "0.05", .low = 0, .high = 1, .help = "Of the p-values over all features."},
	{.name = "missing_share", .types = TYPE_NUMBER, .fallback = "0.05", .low = 0, .high = 1,
		.help = "Change of the share of missing values that warns."},
	{.name = "unseen_share", .types = TYPE_NUMBER, .fallback = "0.01", .low = 0, .high = 1,
		.help = "Share of unseen categories that warns."},
	{.name = "feature_share", .types = TYPE_NUMBER, .flags = KEY_ABOVE, .fallback = "0.5",
		.low = 0, .high = 1, .help = "Share of drifted features at which the model counts as drifted."},
	{.name = "importance_share", .types = TYPE_NUMBER, .flags = KEY_ABOVE, .fallback = "0.3",
		.low = 0, .high = 1, .help = "The same, features weighted by importance."},
	{.name = "domain_classifier", .types = TYPE_BOOLEAN, .fallback = "false",
		.help = "Also train a forest to tell the windows apart."},
	{.name = "min_rows", .types = TYPE_INTEGER, .fallback = "200", .low = 1, .high = 1e15,
		.help = "Smaller windows are not judged."},
	{0}
};

static const SpecKey outcome_keys[] = {
	{.name = "query", .types = TYPE_TEXT, .flags = KEY_REQUIRED,
		.help = "Query of the true values: the key columns, the target, and when it was known."},
	{.name = "horizon", .types = TYPE_DURATION, .flags = KEY_REQUIRED, .low = 0,
		.high = SECONDS_MAX, .help = "How long after a prediction its outcome is known."},
	{0}
};

static const SpecKey performance_keys[] = {
	{.name = "metric", .types = TYPE_TEXT, .vocabulary = SPEC_METRICS,
		.help = "The metric, by default as for the champion."},
	{.name = "max_drop", .types = TYPE_NUMBER, .flags = KEY_ABOVE, .fallback = "0.05", .low = 0,
		.high = INFINITY, .help = "How much worse than at training is critical."},
	{.name = "estimated", .types = TYPE_BOOLEAN, .fallback = "true",
		.help = "Also estimate it before outcomes are known."},
	{0}
};

static const SpecKey alert_keys[] = {
	{.name = "persistence", .types = TYPE_INTEGER, .fallback = "2", .low = 1, .high = 100,
		.help = "Windows in a row before an alert."},
	{.name = "cooldown", .types = TYPE_DURATION, .fallback = "3600", .low = 0, .high = SECONDS_MAX,
		.help = "Time before the same alert is raised again."},
	{.name = "notify", .types = TYPE_BOOLEAN, .fallback = "true",
		.help = "Send alerts by NOTIFY as well."},
	{0}
};

static const SpecKey monitoring_keys[] = {
	{.name = "window", .types = TYPE_TEXT, .words = "hour|day|week", .fallback = "\"day\"",
		.help = "Length of the windows that are judged."},
	{.name = "drift", .types = TYPE_MAP, .flags = KEY_FILLED | KEY_EMPTY, .keys = drift_keys,
		.rules = drift_rules, .help = "When features and scores count as drifted."},
	{.name = "outcome", .types = TYPE_MAP, .keys = outcome_keys,
		.help = "Where the true values come from."},
	{.name = "performance", .types = TYPE_MAP, .flags = KEY_FILLED | KEY_EMPTY,
		.keys = performance_keys, .help = "When the model counts as worse."},
	{.name = "alerts", .types = TYPE_MAP, .flags = KEY_FILLED | KEY_EMPTY, .keys = alert_keys,
		.help = "How alerts are raised."},
	{0}
};

static const SpecKey drift_trigger_keys[] = {
	{.name = "severity", .types = TYPE_TEXT, .words = "warning|critical",
		.fallback = "\"critical\"", .help = "The mildest drift that retrains."},
	{0}
};

static const SpecKey drop_trigger_keys[] = {
	{.name = "metric", .types = TYPE_TEXT, .vocabulary = SPEC_METRICS,
		.help = "The metric, by default that of monitoring.performance."},
	{.name = "max_drop", .types = TYPE_NUMBER, .flags = KEY_REQUIRED | KEY_ABOVE, .low = 0,
		.high = INFINITY, .help = "How much worse than at training retrains."},
	{.name = "min_rows", .types = TYPE_INTEGER, .fallback = "100", .low = 1, .high = 1e15,
		.help = "Rows without which it is not judged."},
	{0}
};

static const SpecKey trigger_keys[] = {
	{.name = "drift", .types = TYPE_MAP, .flags = KEY_EMPTY, .keys = drift_trigger_keys,
		.help = "Retrain when the model has drifted."},
	{.name = "realised_drop", .types = TYPE_MAP, .keys = drop_trigger_keys,
		.help = "Retrain when known outcomes show it to be worse."},
	{.name = "estimated_drop", .types = TYPE_MAP, .keys = drop_trigger_keys,
		.help = "Retrain when it is estimated to be worse."},
	{.name = "new_labels", .types = TYPE_INTEGER, .low = 1, .high = 1e15,
		.help = "Retrain after so many new outcomes."},
	{.name = "age", .types = TYPE_DURATION, .flags = KEY_ABOVE, .low = 0, .high = SECONDS_MAX,
		.help = "Retrain when the champion is older."},
	{.name = "upstream", .types = TYPE_BOOLEAN, .fallback = "false",
		.help = "Retrain when the definition of a relation or function that it read has changed."},
	{0}
};

static const SpecRule retrain_rules[] = {
	{RULE_SOME_OF, "schedule|triggers", NULL, NULL, NULL},
	{RULE_END, NULL, NULL, NULL, NULL}
};

static const SpecKey retrain_keys[] = {
	{.name = "schedule", .types = TYPE_TEXT, .format = FORMAT_CRON,
		.help = "When to retrain whatever happened: minute, hour, day of the month, month, day of the "
		"week."},
	{.name = "triggers", .types = TYPE_MAP, .keys = trigger_keys,
		.help = "What retrains as soon as a tick sees it."},
	{.name = "cooldown", .types = TYPE_DURATION, .fallback = "86400", .low = 0,
		.high = SECONDS_MAX, .help = "Least time between two trainings."},
	{.name = "max_attempts", .types = TYPE_INTEGER, .fallback = "3", .low = 1, .high = 100,
		.help = "Trainings without a release after which a person has to look."},
	{.name = "freeze", .types = TYPE_BOOLEAN, .fallback = "false",
		.help = "Retrain nothing, but say what would have."},
	{0}
};

static const SpecKey approval_keys[] = {
	{.name = "required", .types = TYPE_BOOLEAN, .flags = KEY_REQUIRED,
		.help = "Whether another than the trainer has to approve a version before it serves."},
	{0}
};

/* --------------------------------------------------------------- document -- */

static const SpecKey threshold_value_keys[] = {
	{.name = "*", .types = TYPE_NUMBER, .low = -INFINITY, .high = INFINITY,
		.help = "A threshold; the key is the name of a metric and _threshold."},
	{0}
};

static const SpecKey hyperparameter_keys[] = {
	{.name = "*", .types = TYPE_ANY, .flags = KEY_NULL, .help = "A hyper-parameter."},
	{0}
};

static const SpecRule document_rules[] = {
	{RULE_ONE_OF, "data|data_path", NULL, NULL, "data_path is the short form of data.file."},
	{RULE_NOT_BOTH, "output|model_output_path", NULL, NULL,
		"model_output_path is the short form of output.path."},
	{RULE_NOT_BOTH, "output|model_version", NULL, NULL,
		"model_version is the short form of output.alias."},
	{RULE_NOT_BOTH, "evaluation|evaluation_metrics", NULL, NULL,
		"evaluation_metrics is the short form of evaluation.gates.absolute."},
	{RULE_NEEDS, "cv.nested", "search", NULL, "Without a search there is nothing to nest."},
	{RULE_END, NULL, NULL, NULL, NULL}
};

static const SpecKey document_keys[] = {
	{.name = "model", .types = TYPE_TEXT, .format = FORMAT_NAME,
		.help = "Name of the model; else an argument of churnops_run."},
	{.name = "description", .types = TYPE_TEXT, .help = "Kept with the version."},
	{.name = "target", .types = TYPE_TEXT,
		.help = "Column to predict; else an argument of churnops_run."},
	{.name = "task", .types = TYPE_TEXT, .words = "classification|regression",
		.help = "By default the target's type decides."},
	{.name = "positive_class", .types = TYPE_LABEL,
		.help = "The class whose probability is predicted; by default the last of two."},
	{.name = "data", .types = TYPE_MAP, .keys = data_keys, .rules = data_rules,
		.help = "Where the rows come from."},
	{.name = "hyperparameters", .types = TYPE_MAP, .fallback = "{}",
		.flags = KEY_SPARSE | KEY_EMPTY, .keys = hyperparameter_keys,
		.vocabulary = SPEC_HYPERPARAMETERS,
		.help = "Parameters of the forest, as churnops_train takes them."},
	{.name = "search", .types = TYPE_MAP, .keys = search_keys, .rules = search_rules,
		.help = "Search hyper-parameters, as churnops_tune does."},
	{.name = "split", .types = TYPE_MAP, .flags = KEY_FILLED | KEY_EMPTY, .keys = split_keys,
		.help = "The holdout."},
	{.name = "cv", .types = TYPE_MAP, .flags = KEY_EMPTY, .keys = cv_keys,
		.help = "A cross-validated estimate before the training."},
	{.name = "evaluation", .types = TYPE_MAP, .flags = KEY_FILLED | KEY_EMPTY,
		.keys = evaluation_keys, .rules = evaluation_rules,
		.help = "What is measured, and what has to be passed."},
	{.name = "output", .types = TYPE_MAP, .keys = output_keys, .rules = output_rules,
		.help = "Where the version goes besides the registry."},
	{.name = "deployment", .types = TYPE_MAP, .flags = KEY_FILLED | KEY_EMPTY,
		.keys = deployment_keys, .rules = deployment_rules,
		.help = "How a version that passes comes to serve."},
	{.name = "monitoring", .types = TYPE_MAP, .flags = KEY_EMPTY, .keys = monitoring_keys,
		.help = "What is watched while it serves."},
	{.name = "retrain", .types = TYPE_MAP, .keys = retrain_keys, .rules = retrain_rules,
		.help = "When it is trained again."},
	{.name = "approval", .types = TYPE_MAP, .keys = approval_keys,
		.help = "Whether a person decides; by default as the model demands."},
	{.name = "data_path", .types = TYPE_TEXT, .flags = KEY_SHORT, .help = "data.file."},
	{.name = "model_output_path", .types = TYPE_TEXT, .flags = KEY_SHORT, .help = "output.path."},
	{.name = "model_version", .types = TYPE_TEXT, .flags = KEY_SHORT, .format = FORMAT_NAME,
		.help = "output.alias."},
	{.name = "evaluation_metrics", .types = TYPE_MAP, .flags = KEY_SHORT | KEY_SPARSE,
		.keys = threshold_value_keys,
		.help = "evaluation.gates.absolute: a threshold is passed when the metric is greater."},
	{0}
};

static const SpecKey document = {.name = "", .types = TYPE_MAP, .keys = document_keys,
	.rules = document_rules, .help = "A pipeline of ChurnOps."};

const SpecKey *
spec_table(void)
{
	return &document;
}

const char *
spec_word(const char *words, size_t i, size_t *n_bytes)
{
	for (;; i--)
	{
		*n_bytes = strcspn(words, "|");
		if (i == 0)
			return words;
		if (words[*n_bytes] == '\0')
			return NULL;
		words += *n_bytes + 1;
	}
}

bool
spec_has_word(const char *words, const char *word)
{
	const char *found;
	size_t		n_bytes;

	for (size_t i = 0; (found = spec_word(words, i, &n_bytes)) != NULL; i++)
		if (strlen(word) == n_bytes && memcmp(found, word, n_bytes) == 0)
			return true;
	return false;
}
