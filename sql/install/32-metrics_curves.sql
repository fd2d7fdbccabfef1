-- Metrics as aggregates: curves, calibration, lift tables, choice of a threshold
--
-- A curve is an array of rows: SELECT * FROM unnest((SELECT churnops_roc_curve(y, p) FROM t)).

CREATE TYPE churnops.roc_point AS (
	threshold double precision,
	fpr double precision,
	tpr double precision
);
COMMENT ON TYPE churnops.roc_point IS
'A point of a ROC curve.';
COMMENT ON COLUMN churnops.roc_point.threshold IS
'Rows with at least this score count as positive; Infinity for none.';
COMMENT ON COLUMN churnops.roc_point.fpr IS
'False positive rate.';
COMMENT ON COLUMN churnops.roc_point.tpr IS
'True positive rate.';

CREATE TYPE churnops.precision_recall_point AS (
	threshold double precision,
	recall double precision,
	precision double precision
);
COMMENT ON TYPE churnops.precision_recall_point IS
'A point of a precision-recall curve.';
COMMENT ON COLUMN churnops.precision_recall_point.threshold IS
'Rows with at least this score count as positive; Infinity for none.';
COMMENT ON COLUMN churnops.precision_recall_point.recall IS
'Share of the positives found.';
COMMENT ON COLUMN churnops.precision_recall_point.precision IS
'Share of positives among those found.';

CREATE TYPE churnops.calibration_bin AS (
	bin integer,
	low double precision,
	high double precision,
	n double precision,
	prob_pred double precision,
	prob_true double precision
);
COMMENT ON TYPE churnops.calibration_bin IS
'A bin of a calibration curve.';
COMMENT ON COLUMN churnops.calibration_bin.bin IS
'Number of the bin, from the lowest scores up; empty bins are left out.';
COMMENT ON COLUMN churnops.calibration_bin.low IS
'Lower edge, which belongs to the bin below, except for the first.';
COMMENT ON COLUMN churnops.calibration_bin.high IS
'Upper edge, which belongs to the bin.';
COMMENT ON COLUMN churnops.calibration_bin.n IS
'Rows in the bin, or the sum of their weights.';
COMMENT ON COLUMN churnops.calibration_bin.prob_pred IS
'Mean score of the bin.';
COMMENT ON COLUMN churnops.calibration_bin.prob_true IS
'Share of positives in the bin.';

CREATE TYPE churnops.lift_group AS (
	grp integer,
	high double precision,
	low double precision,
	n double precision,
	positives double precision,
	rate double precision,
	lift double precision,
	cumulative_gain double precision,
	cumulative_lift double precision
);
COMMENT ON TYPE churnops.lift_group IS
'A group of a lift table.';
COMMENT ON COLUMN churnops.lift_group.grp IS
'Number of the group, from the highest scores down.';
COMMENT ON COLUMN churnops.lift_group.high IS
'Highest score of the group.';
COMMENT ON COLUMN churnops.lift_group.low IS
'Lowest score of the group.';
COMMENT ON COLUMN churnops.lift_group.n IS
'Rows in the group, or the sum of their weights.';
COMMENT ON COLUMN churnops.lift_group.positives IS
'Positives among them; of a tied block at an edge the expected share.';
COMMENT ON COLUMN churnops.lift_group.rate IS
'Share of positives.';
COMMENT ON COLUMN churnops.lift_group.lift IS
'Share of positives over that of all rows.';
COMMENT ON COLUMN churnops.lift_group.cumulative_gain IS
'Share of all positives in this group and those before.';
COMMENT ON COLUMN churnops.lift_group.cumulative_lift IS
'Lift of this group and those before.';

CREATE TYPE churnops.threshold_choice AS (
	threshold double precision,
	value double precision,
	share double precision,
	expected_share double precision,
	precision double precision,
	recall double precision,
	tp double precision,
	fp double precision,
	fn double precision,
	tn double precision
);
COMMENT ON TYPE churnops.threshold_choice IS
'The threshold that a rule chooses, and what it leads to.';
COMMENT ON COLUMN churnops.threshold_choice.threshold IS
'Rows with at least this score count as positive; Infinity for none.';
COMMENT ON COLUMN churnops.threshold_choice.value IS
'What the rule looks at, at this threshold: a score, a cost, a number of rows, a profit per '
'row.';
COMMENT ON COLUMN churnops.threshold_choice.share IS
'Share of rows that count as positive.';
COMMENT ON COLUMN churnops.threshold_choice.expected_share IS
'Rule emp: share to be targeted, expected over the chance of acceptance.';
COMMENT ON COLUMN churnops.threshold_choice.precision IS
'Share of positives among them.';
COMMENT ON COLUMN churnops.threshold_choice.recall IS
'Share of the positives that are among them.';
COMMENT ON COLUMN churnops.threshold_choice.tp IS
'Positives that count as positive: rows, or the sum of their weights.';
COMMENT ON COLUMN churnops.threshold_choice.fp IS
'Negatives that count as positive.';
COMMENT ON COLUMN churnops.threshold_choice.fn IS
'Positives that count as negative.';
COMMENT ON COLUMN churnops.threshold_choice.tn IS
'Negatives that count as negative.';

CREATE FUNCTION churnops.add_bins(internal, "any", double precision, integer) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_bins';
COMMENT ON FUNCTION churnops.add_bins(internal, "any", double precision, integer) IS
'Adds a row to be ranked, for a number of bins.';

CREATE FUNCTION churnops.add_bins(internal, "any", double precision, integer, text) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_bins';
COMMENT ON FUNCTION churnops.add_bins(internal, "any", double precision, integer, text) IS
'Adds a row to be ranked, for a number of bins.';

CREATE FUNCTION churnops.add_bins(internal, "any", double precision, integer, double precision) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_bins';
COMMENT ON FUNCTION churnops.add_bins(internal, "any", double precision, integer, double precision) IS
'Adds a row to be ranked, for a number of bins.';

CREATE FUNCTION churnops.add_bins(internal, "any", double precision, integer, text, double precision) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_bins';
COMMENT ON FUNCTION churnops.add_bins(internal, "any", double precision, integer, text, double precision) IS
'Adds a row to be ranked, for a number of bins.';

CREATE FUNCTION churnops.add_rule(internal, "any", double precision, jsonb) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_rule';
COMMENT ON FUNCTION churnops.add_rule(internal, "any", double precision, jsonb) IS
'Adds a row to be ranked, for the choice of a threshold.';

CREATE FUNCTION churnops.add_rule(internal, "any", double precision, jsonb, text) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_rule';
COMMENT ON FUNCTION churnops.add_rule(internal, "any", double precision, jsonb, text) IS
'Adds a row to be ranked, for the choice of a threshold.';

CREATE FUNCTION churnops.add_rule(internal, "any", double precision, jsonb, double precision) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_rule';
COMMENT ON FUNCTION churnops.add_rule(internal, "any", double precision, jsonb, double precision) IS
'Adds a row to be ranked, for the choice of a threshold.';

CREATE FUNCTION churnops.add_rule(internal, "any", double precision, jsonb, text, double precision) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_rule';
COMMENT ON FUNCTION churnops.add_rule(internal, "any", double precision, jsonb, text, double precision) IS
'Adds a row to be ranked, for the choice of a threshold.';

CREATE FUNCTION churnops.ranked_ece(internal) RETURNS double precision
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_ranked_ece';
COMMENT ON FUNCTION churnops.ranked_ece(internal) IS
'Expected calibration error of ranked rows.';

CREATE FUNCTION churnops.ranked_mce(internal) RETURNS double precision
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_ranked_mce';
COMMENT ON FUNCTION churnops.ranked_mce(internal) IS
'Maximum calibration error of ranked rows.';

CREATE FUNCTION churnops.ranked_roc_curve(internal) RETURNS churnops.roc_point[]
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_ranked_roc_curve';
COMMENT ON FUNCTION churnops.ranked_roc_curve(internal) IS
'ROC curve of ranked rows.';

CREATE FUNCTION churnops.ranked_precision_recall_curve(internal) RETURNS churnops.precision_recall_point[]
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_ranked_precision_recall_curve';
COMMENT ON FUNCTION churnops.ranked_precision_recall_curve(internal) IS
'Precision-recall curve of ranked rows.';

CREATE FUNCTION churnops.ranked_calibration_curve(internal) RETURNS churnops.calibration_bin[]
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_ranked_calibration_curve';
COMMENT ON FUNCTION churnops.ranked_calibration_curve(internal) IS
'Calibration curve of ranked rows.';

CREATE FUNCTION churnops.ranked_lift_table(internal) RETURNS churnops.lift_group[]
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_ranked_lift_table';
COMMENT ON FUNCTION churnops.ranked_lift_table(internal) IS
'Lift table of ranked rows.';

CREATE FUNCTION churnops.ranked_threshold(internal) RETURNS churnops.threshold_choice
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_ranked_threshold';
COMMENT ON FUNCTION churnops.ranked_threshold(internal) IS
'The threshold that a rule chooses for ranked rows.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_roc_curve(label "any", score double precision) (
	SFUNC = churnops.add_ranked,
	STYPE = internal,
	FINALFUNC = churnops.ranked_roc_curve,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_roc_curve("any", double precision) IS
'ROC curve as an array of (threshold, fpr, tpr), thresholds descending, without points in the '
'middle between their neighbours; NULL for one class.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_roc_curve(label "any", score double precision, positive_class text) (
	SFUNC = churnops.add_ranked,
	STYPE = internal,
	FINALFUNC = churnops.ranked_roc_curve,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_roc_curve("any", double precision, text) IS
'ROC curve as an array of (threshold, fpr, tpr), thresholds descending, without points in the '
'middle between their neighbours; NULL for one class. The label is positive where its text '
'form is positive_class.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_roc_curve(label "any", score double precision, weight double precision) (
	SFUNC = churnops.add_ranked,
	STYPE = internal,
	FINALFUNC = churnops.ranked_roc_curve,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_roc_curve("any", double precision, double precision) IS
'ROC curve as an array of (threshold, fpr, tpr), thresholds descending, without points in the '
'middle between their neighbours; NULL for one class. With a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_roc_curve(label "any", score double precision, positive_class text, weight double precision) (
	SFUNC = churnops.add_ranked,
	STYPE = internal,
	FINALFUNC = churnops.ranked_roc_curve,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_roc_curve("any", double precision, text, double precision) IS
'ROC curve as an array of (threshold, fpr, tpr), thresholds descending, without points in the '
'middle between their neighbours; NULL for one class. The label is positive where its text '
'form is positive_class; with a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_precision_recall_curve(label "any", score double precision) (
	SFUNC = churnops.add_ranked,
	STYPE = internal,
	FINALFUNC = churnops.ranked_precision_recall_curve,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_precision_recall_curve("any", double precision) IS
'Precision-recall curve as an array of (threshold, recall, precision), thresholds ascending; '
'NULL without positives.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_precision_recall_curve(label "any", score double precision, positive_class text) (
	SFUNC = churnops.add_ranked,
	STYPE = internal,
	FINALFUNC = churnops.ranked_precision_recall_curve,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_precision_recall_curve("any", double precision, text) IS
'Precision-recall curve as an array of (threshold, recall, precision), thresholds ascending; '
'NULL without positives. The label is positive where its text form is positive_class.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_precision_recall_curve(label "any", score double precision, weight double precision) (
	SFUNC = churnops.add_ranked,
	STYPE = internal,
	FINALFUNC = churnops.ranked_precision_recall_curve,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_precision_recall_curve("any", double precision, double precision) IS
'Precision-recall curve as an array of (threshold, recall, precision), thresholds ascending; '
'NULL without positives. With a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_precision_recall_curve(label "any", score double precision, positive_class text, weight double precision) (
	SFUNC = churnops.add_ranked,
	STYPE = internal,
	FINALFUNC = churnops.ranked_precision_recall_curve,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_precision_recall_curve("any", double precision, text, double precision) IS
'Precision-recall curve as an array of (threshold, recall, precision), thresholds ascending; '
'NULL without positives. The label is positive where its text form is positive_class; with a '
'weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_calibration_curve(label "any", score double precision) (
	SFUNC = churnops.add_ranked,
	STYPE = internal,
	FINALFUNC = churnops.ranked_calibration_curve,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_calibration_curve("any", double precision) IS
'Calibration curve as an array of (bin, low, high, n, prob_pred, prob_true), of 5 bins of '
'equal width unless said otherwise.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_calibration_curve(label "any", score double precision, n_bins integer) (
	SFUNC = churnops.add_bins,
	STYPE = internal,
	FINALFUNC = churnops.ranked_calibration_curve,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_calibration_curve("any", double precision, integer) IS
'Calibration curve as an array of (bin, low, high, n, prob_pred, prob_true), of 5 bins of '
'equal width unless said otherwise.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_calibration_curve(label "any", score double precision, n_bins integer, strategy text) (
	SFUNC = churnops.add_bins,
	STYPE = internal,
	FINALFUNC = churnops.ranked_calibration_curve,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_calibration_curve("any", double precision, integer, text) IS
'Calibration curve as an array of (bin, low, high, n, prob_pred, prob_true), of 5 bins of '
'equal width unless said otherwise. Strategy uniform makes bins of equal width, quantile of '
'equal numbers of rows.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_calibration_curve(label "any", score double precision, n_bins integer, weight double precision) (
	SFUNC = churnops.add_bins,
	STYPE = internal,
	FINALFUNC = churnops.ranked_calibration_curve,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_calibration_curve("any", double precision, integer, double precision) IS
'Calibration curve as an array of (bin, low, high, n, prob_pred, prob_true), of 5 bins of '
'equal width unless said otherwise. With a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_calibration_curve(label "any", score double precision, n_bins integer, strategy text, weight double precision) (
	SFUNC = churnops.add_bins,
	STYPE = internal,
	FINALFUNC = churnops.ranked_calibration_curve,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_calibration_curve("any", double precision, integer, text, double precision) IS
'Calibration curve as an array of (bin, low, high, n, prob_pred, prob_true), of 5 bins of '
'equal width unless said otherwise. Strategy uniform makes bins of equal width, quantile of '
'equal numbers of rows; with a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_ece(label "any", score double precision) (
	SFUNC = churnops.add_ranked,
	STYPE = internal,
	FINALFUNC = churnops.ranked_ece,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_ece("any", double precision) IS
'Expected calibration error: mean |mean score - share of positives| of bins, 15 of equal '
'numbers of rows unless said otherwise.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_ece(label "any", score double precision, n_bins integer) (
	SFUNC = churnops.add_bins,
	STYPE = internal,
	FINALFUNC = churnops.ranked_ece,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_ece("any", double precision, integer) IS
'Expected calibration error: mean |mean score - share of positives| of bins, 15 of equal '
'numbers of rows unless said otherwise.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_ece(label "any", score double precision, n_bins integer, strategy text) (
	SFUNC = churnops.add_bins,
	STYPE = internal,
	FINALFUNC = churnops.ranked_ece,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_ece("any", double precision, integer, text) IS
'Expected calibration error: mean |mean score - share of positives| of bins, 15 of equal '
'numbers of rows unless said otherwise. Strategy uniform makes bins of equal width, quantile '
'of equal numbers of rows.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_ece(label "any", score double precision, n_bins integer, weight double precision) (
	SFUNC = churnops.add_bins,
	STYPE = internal,
	FINALFUNC = churnops.ranked_ece,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_ece("any", double precision, integer, double precision) IS
'Expected calibration error: mean |mean score - share of positives| of bins, 15 of equal '
'numbers of rows unless said otherwise. With a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_ece(label "any", score double precision, n_bins integer, strategy text, weight double precision) (
	SFUNC = churnops.add_bins,
	STYPE = internal,
	FINALFUNC = churnops.ranked_ece,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_ece("any", double precision, integer, text, double precision) IS
'Expected calibration error: mean |mean score - share of positives| of bins, 15 of equal '
'numbers of rows unless said otherwise. Strategy uniform makes bins of equal width, quantile '
'of equal numbers of rows; with a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_mce(label "any", score double precision) (
	SFUNC = churnops.add_ranked,
	STYPE = internal,
	FINALFUNC = churnops.ranked_mce,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_mce("any", double precision) IS
'Maximum calibration error: largest |mean score - share of positives| of bins, 15 of equal '
'numbers of rows unless said otherwise.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_mce(label "any", score double precision, n_bins integer) (
	SFUNC = churnops.add_bins,
	STYPE = internal,
	FINALFUNC = churnops.ranked_mce,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_mce("any", double precision, integer) IS
'Maximum calibration error: largest |mean score - share of positives| of bins, 15 of equal '
'numbers of rows unless said otherwise.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_mce(label "any", score double precision, n_bins integer, strategy text) (
	SFUNC = churnops.add_bins,
	STYPE = internal,
	FINALFUNC = churnops.ranked_mce,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_mce("any", double precision, integer, text) IS
'Maximum calibration error: largest |mean score - share of positives| of bins, 15 of equal '
'numbers of rows unless said otherwise. Strategy uniform makes bins of equal width, quantile '
'of equal numbers of rows.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_mce(label "any", score double precision, n_bins integer, weight double precision) (
	SFUNC = churnops.add_bins,
	STYPE = internal,
	FINALFUNC = churnops.ranked_mce,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_mce("any", double precision, integer, double precision) IS
'Maximum calibration error: largest |mean score - share of positives| of bins, 15 of equal '
'numbers of rows unless said otherwise. With a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_mce(label "any", score double precision, n_bins integer, strategy text, weight double precision) (
	SFUNC = churnops.add_bins,
	STYPE = internal,
	FINALFUNC = churnops.ranked_mce,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_mce("any", double precision, integer, text, double precision) IS
'Maximum calibration error: largest |mean score - share of positives| of bins, 15 of equal '
'numbers of rows unless said otherwise. Strategy uniform makes bins of equal width, quantile '
'of equal numbers of rows; with a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_lift_table(label "any", score double precision) (
	SFUNC = churnops.add_ranked,
	STYPE = internal,
	FINALFUNC = churnops.ranked_lift_table,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_lift_table("any", double precision) IS
'Lift table as an array of (grp, high, low, n, positives, rate, lift, cumulative_gain, '
'cumulative_lift): groups of equal numbers of rows, 10 unless said otherwise, highest scores '
'first.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_lift_table(label "any", score double precision, positive_class text) (
	SFUNC = churnops.add_ranked,
	STYPE = internal,
	FINALFUNC = churnops.ranked_lift_table,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_lift_table("any", double precision, text) IS
'Lift table as an array of (grp, high, low, n, positives, rate, lift, cumulative_gain, '
'cumulative_lift): groups of equal numbers of rows, 10 unless said otherwise, highest scores '
'first. The label is positive where its text form is positive_class.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_lift_table(label "any", score double precision, weight double precision) (
	SFUNC = churnops.add_ranked,
	STYPE = internal,
	FINALFUNC = churnops.ranked_lift_table,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_lift_table("any", double precision, double precision) IS
'Lift table as an array of (grp, high, low, n, positives, rate, lift, cumulative_gain, '
'cumulative_lift): groups of equal numbers of rows, 10 unless said otherwise, highest scores '
'first. With a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_lift_table(label "any", score double precision, positive_class text, weight double precision) (
	SFUNC = churnops.add_ranked,
	STYPE = internal,
	FINALFUNC = churnops.ranked_lift_table,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_lift_table("any", double precision, text, double precision) IS
'Lift table as an array of (grp, high, low, n, positives, rate, lift, cumulative_gain, '
'cumulative_lift): groups of equal numbers of rows, 10 unless said otherwise, highest scores '
'first. The label is positive where its text form is positive_class; with a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_lift_table(label "any", score double precision, n_groups integer) (
	SFUNC = churnops.add_bins,
	STYPE = internal,
	FINALFUNC = churnops.ranked_lift_table,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_lift_table("any", double precision, integer) IS
'Lift table as an array of (grp, high, low, n, positives, rate, lift, cumulative_gain, '
'cumulative_lift): groups of equal numbers of rows, 10 unless said otherwise, highest scores '
'first.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_lift_table(label "any", score double precision, n_groups integer, weight double precision) (
	SFUNC = churnops.add_bins,
	STYPE = internal,
	FINALFUNC = churnops.ranked_lift_table,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_lift_table("any", double precision, integer, double precision) IS
'Lift table as an array of (grp, high, low, n, positives, rate, lift, cumulative_gain, '
'cumulative_lift): groups of equal numbers of rows, 10 unless said otherwise, highest scores '
'first. With a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_threshold(label "any", score double precision, rule jsonb) (
	SFUNC = churnops.add_rule,
	STYPE = internal,
	FINALFUNC = churnops.ranked_threshold,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_threshold("any", double precision, jsonb) IS
'The threshold that a rule chooses, such as {"rule": "cost", "fp": 1, "fn": 5}, and what it '
'leads to; of equally good ones the highest.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_threshold(label "any", score double precision, rule jsonb, positive_class text) (
	SFUNC = churnops.add_rule,
	STYPE = internal,
	FINALFUNC = churnops.ranked_threshold,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_threshold("any", double precision, jsonb, text) IS
'The threshold that a rule chooses, such as {"rule": "cost", "fp": 1, "fn": 5}, and what it '
'leads to; of equally good ones the highest. The label is positive where its text form is '
'positive_class.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_threshold(label "any", score double precision, rule jsonb, weight double precision) (
	SFUNC = churnops.add_rule,
	STYPE = internal,
	FINALFUNC = churnops.ranked_threshold,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_threshold("any", double precision, jsonb, double precision) IS
'The threshold that a rule chooses, such as {"rule": "cost", "fp": 1, "fn": 5}, and what it '
'leads to; of equally good ones the highest. With a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_threshold(label "any", score double precision, rule jsonb, positive_class text, weight double precision) (
	SFUNC = churnops.add_rule,
	STYPE = internal,
	FINALFUNC = churnops.ranked_threshold,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_threshold("any", double precision, jsonb, text, double precision) IS
'The threshold that a rule chooses, such as {"rule": "cost", "fp": 1, "fn": 5}, and what it '
'leads to; of equally good ones the highest. The label is positive where its text form is '
'positive_class; with a weight per row.';

-- Since: 0.2.0
CREATE FUNCTION @extschema@.churnops_target_profit(
	p double precision,
	clv double precision,
	d double precision DEFAULT 10,
	f double precision DEFAULT 1,
	gamma double precision DEFAULT 0.3)
RETURNS double precision
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_target_profit';
COMMENT ON FUNCTION @extschema@.churnops_target_profit(double precision, double precision, double precision, double precision, double precision) IS
'Expected profit of targeting a customer who churns by chance p: p gamma (clv - d) - (1 - p) d '
'- f. d is the cost of the incentive, f that of the contact, gamma the chance that a churner '
'accepts. Target where it is above 0.';
