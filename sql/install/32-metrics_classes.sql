-- Metrics as aggregates: hard predictions, and probabilities of several classes
--
-- Labels and predictions are compared by their text form, so a boolean label and
-- what churnops_predict_class() says of it fit together.

CREATE FUNCTION churnops.class_merge(internal, internal) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_class_merge';
COMMENT ON FUNCTION churnops.class_merge(internal, internal) IS
'Merges two states of a confusion matrix.';

CREATE FUNCTION churnops.class_write(internal) RETURNS bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_class_write';
COMMENT ON FUNCTION churnops.class_write(internal) IS
'A state of a confusion matrix as bytes, for another process.';

CREATE FUNCTION churnops.class_read(bytea, internal) RETURNS internal
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_class_read';
COMMENT ON FUNCTION churnops.class_read(bytea, internal) IS
'Reads what class_write wrote.';

CREATE FUNCTION churnops.add_class(internal, "any", "any") RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_class';
COMMENT ON FUNCTION churnops.add_class(internal, "any", "any") IS
'Adds a row to a confusion matrix.';

CREATE FUNCTION churnops.add_class(internal, "any", "any", double precision) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_class';
COMMENT ON FUNCTION churnops.add_class(internal, "any", "any", double precision) IS
'Adds a row to a confusion matrix.';

CREATE FUNCTION churnops.add_class_average(internal, "any", "any", text) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_class_average';
COMMENT ON FUNCTION churnops.add_class_average(internal, "any", "any", text) IS
'Adds a row to a confusion matrix that an average is taken of.';

CREATE FUNCTION churnops.add_class_average(internal, "any", "any", text, text) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_class_average';
COMMENT ON FUNCTION churnops.add_class_average(internal, "any", "any", text, text) IS
'Adds a row to a confusion matrix that an average is taken of.';

CREATE FUNCTION churnops.add_class_average(internal, "any", "any", text, double precision) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_class_average';
COMMENT ON FUNCTION churnops.add_class_average(internal, "any", "any", text, double precision) IS
'Adds a row to a confusion matrix that an average is taken of.';

CREATE FUNCTION churnops.add_class_average(internal, "any", "any", text, text, double precision) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_class_average';
COMMENT ON FUNCTION churnops.add_class_average(internal, "any", "any", text, text, double precision) IS
'Adds a row to a confusion matrix that an average is taken of.';

CREATE FUNCTION churnops.add_class_fbeta(internal, "any", "any", double precision) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_class_fbeta';
COMMENT ON FUNCTION churnops.add_class_fbeta(internal, "any", "any", double precision) IS
'Adds a row to a confusion matrix for an F score.';

CREATE FUNCTION churnops.add_class_fbeta(internal, "any", "any", double precision, text) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_class_fbeta';
COMMENT ON FUNCTION churnops.add_class_fbeta(internal, "any", "any", double precision, text) IS
'Adds a row to a confusion matrix for an F score.';

CREATE FUNCTION churnops.add_class_fbeta(internal, "any", "any", double precision, text, text) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_class_fbeta';
COMMENT ON FUNCTION churnops.add_class_fbeta(internal, "any", "any", double precision, text, text) IS
'Adds a row to a confusion matrix for an F score.';

CREATE FUNCTION churnops.add_class_fbeta(internal, "any", "any", double precision, double precision) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_class_fbeta';
COMMENT ON FUNCTION churnops.add_class_fbeta(internal, "any", "any", double precision, double precision) IS
'Adds a row to a confusion matrix for an F score.';

CREATE FUNCTION churnops.add_class_fbeta(internal, "any", "any", double precision, text, double precision) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_class_fbeta';
COMMENT ON FUNCTION churnops.add_class_fbeta(internal, "any", "any", double precision, text, double precision) IS
'Adds a row to a confusion matrix for an F score.';

CREATE FUNCTION churnops.add_class_fbeta(internal, "any", "any", double precision, text, text, double precision) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_class_fbeta';
COMMENT ON FUNCTION churnops.add_class_fbeta(internal, "any", "any", double precision, text, text, double precision) IS
'Adds a row to a confusion matrix for an F score.';

CREATE FUNCTION churnops.add_class_kappa(internal, "any", "any", text) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_class_kappa';
COMMENT ON FUNCTION churnops.add_class_kappa(internal, "any", "any", text) IS
'Adds a row to a confusion matrix for a weighted kappa.';

CREATE FUNCTION churnops.add_class_kappa(internal, "any", "any", text, double precision) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_class_kappa';
COMMENT ON FUNCTION churnops.add_class_kappa(internal, "any", "any", text, double precision) IS
'Adds a row to a confusion matrix for a weighted kappa.';

CREATE TYPE churnops.confusion_cell AS (
	label text,
	predicted text,
	n double precision
);
COMMENT ON TYPE churnops.confusion_cell IS
'A cell of a confusion matrix, as churnops_confusion gives them.';
COMMENT ON COLUMN churnops.confusion_cell.n IS
'Rows with this label and this prediction, or the sum of their weights.';

CREATE FUNCTION churnops.class_accuracy(internal) RETURNS double precision
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_class_accuracy';
COMMENT ON FUNCTION churnops.class_accuracy(internal) IS
'Accuracy from a confusion matrix.';

CREATE FUNCTION churnops.class_balanced_accuracy(internal) RETURNS double precision
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_class_balanced_accuracy';
COMMENT ON FUNCTION churnops.class_balanced_accuracy(internal) IS
'Balanced accuracy from a confusion matrix.';

CREATE FUNCTION churnops.class_mcc(internal) RETURNS double precision
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_class_mcc';
COMMENT ON FUNCTION churnops.class_mcc(internal) IS
'Matthews correlation from a confusion matrix.';

CREATE FUNCTION churnops.class_precision(internal) RETURNS double precision
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_class_precision';
COMMENT ON FUNCTION churnops.class_precision(internal) IS
'Precision from a confusion matrix.';

CREATE FUNCTION churnops.class_recall(internal) RETURNS double precision
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_class_recall';
COMMENT ON FUNCTION churnops.class_recall(internal) IS
'Recall from a confusion matrix.';

CREATE FUNCTION churnops.class_specificity(internal) RETURNS double precision
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_class_specificity';
COMMENT ON FUNCTION churnops.class_specificity(internal) IS
'Specificity from a confusion matrix.';

CREATE FUNCTION churnops.class_fbeta(internal) RETURNS double precision
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_class_fbeta';
COMMENT ON FUNCTION churnops.class_fbeta(internal) IS
'F score from a confusion matrix.';

CREATE FUNCTION churnops.class_kappa(internal) RETURNS double precision
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_class_kappa';
COMMENT ON FUNCTION churnops.class_kappa(internal) IS
'Kappa from a confusion matrix.';

CREATE FUNCTION churnops.class_confusion(internal) RETURNS churnops.confusion_cell[]
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_class_confusion';
COMMENT ON FUNCTION churnops.class_confusion(internal) IS
'The cells of a confusion matrix.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_accuracy(label "any", predicted "any") (
	SFUNC = churnops.add_class,
	STYPE = internal,
	FINALFUNC = churnops.class_accuracy,
	COMBINEFUNC = churnops.class_merge,
	SERIALFUNC = churnops.class_write,
	DESERIALFUNC = churnops.class_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_accuracy("any", "any") IS
'Share of rows whose prediction is the label.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_accuracy(label "any", predicted "any", weight double precision) (
	SFUNC = churnops.add_class,
	STYPE = internal,
	FINALFUNC = churnops.class_accuracy,
	COMBINEFUNC = churnops.class_merge,
	SERIALFUNC = churnops.class_write,
	DESERIALFUNC = churnops.class_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_accuracy("any", "any", double precision) IS
'Share of rows whose prediction is the label. With a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_balanced_accuracy(label "any", predicted "any") (
	SFUNC = churnops.add_class,
	STYPE = internal,
	FINALFUNC = churnops.class_balanced_accuracy,
	COMBINEFUNC = churnops.class_merge,
	SERIALFUNC = churnops.class_write,
	DESERIALFUNC = churnops.class_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_balanced_accuracy("any", "any") IS
'Mean recall of the classes that there are.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_balanced_accuracy(label "any", predicted "any", weight double precision) (
	SFUNC = churnops.add_class,
	STYPE = internal,
	FINALFUNC = churnops.class_balanced_accuracy,
	COMBINEFUNC = churnops.class_merge,
	SERIALFUNC = churnops.class_write,
	DESERIALFUNC = churnops.class_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_balanced_accuracy("any", "any", double precision) IS
'Mean recall of the classes that there are. With a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_mcc(label "any", predicted "any") (
	SFUNC = churnops.add_class,
	STYPE = internal,
	FINALFUNC = churnops.class_mcc,
	COMBINEFUNC = churnops.class_merge,
	SERIALFUNC = churnops.class_write,
	DESERIALFUNC = churnops.class_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_mcc("any", "any") IS
'Matthews correlation coefficient of any number of classes; 0 where only one class is there or '
'predicted.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_mcc(label "any", predicted "any", weight double precision) (
	SFUNC = churnops.add_class,
	STYPE = internal,
	FINALFUNC = churnops.class_mcc,
	COMBINEFUNC = churnops.class_merge,
	SERIALFUNC = churnops.class_write,
	DESERIALFUNC = churnops.class_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_mcc("any", "any", double precision) IS
'Matthews correlation coefficient of any number of classes; 0 where only one class is there or '
'predicted. With a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_confusion(label "any", predicted "any") (
	SFUNC = churnops.add_class,
	STYPE = internal,
	FINALFUNC = churnops.class_confusion,
	COMBINEFUNC = churnops.class_merge,
	SERIALFUNC = churnops.class_write,
	DESERIALFUNC = churnops.class_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_confusion("any", "any") IS
'Confusion matrix as an array of (label, predicted, n), zeros included; unnest gives it as '
'rows.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_confusion(label "any", predicted "any", weight double precision) (
	SFUNC = churnops.add_class,
	STYPE = internal,
	FINALFUNC = churnops.class_confusion,
	COMBINEFUNC = churnops.class_merge,
	SERIALFUNC = churnops.class_write,
	DESERIALFUNC = churnops.class_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_confusion("any", "any", double precision) IS
'Confusion matrix as an array of (label, predicted, n), zeros included; unnest gives it as '
'rows. With a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_cohen_kappa(label "any", predicted "any") (
	SFUNC = churnops.add_class,
	STYPE = internal,
	FINALFUNC = churnops.class_kappa,
	COMBINEFUNC = churnops.class_merge,
	SERIALFUNC = churnops.class_write,
	DESERIALFUNC = churnops.class_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_cohen_kappa("any", "any") IS
'Cohen''s kappa; NULL where chance alone agrees always.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_cohen_kappa(label "any", predicted "any", weight double precision) (
	SFUNC = churnops.add_class,
	STYPE = internal,
	FINALFUNC = churnops.class_kappa,
	COMBINEFUNC = churnops.class_merge,
	SERIALFUNC = churnops.class_write,
	DESERIALFUNC = churnops.class_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_cohen_kappa("any", "any", double precision) IS
'Cohen''s kappa; NULL where chance alone agrees always. With a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_cohen_kappa(label "any", predicted "any", weights text) (
	SFUNC = churnops.add_class_kappa,
	STYPE = internal,
	FINALFUNC = churnops.class_kappa,
	COMBINEFUNC = churnops.class_merge,
	SERIALFUNC = churnops.class_write,
	DESERIALFUNC = churnops.class_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_cohen_kappa("any", "any", text) IS
'Cohen''s kappa with disagreements weighted: none, linear or quadratic in the distance of '
'classes.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_cohen_kappa(label "any", predicted "any", weights text, weight double precision) (
	SFUNC = churnops.add_class_kappa,
	STYPE = internal,
	FINALFUNC = churnops.class_kappa,
	COMBINEFUNC = churnops.class_merge,
	SERIALFUNC = churnops.class_write,
	DESERIALFUNC = churnops.class_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_cohen_kappa("any", "any", text, double precision) IS
'Cohen''s kappa with disagreements weighted: none, linear or quadratic in the distance of '
'classes. With a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_precision(label "any", predicted "any") (
	SFUNC = churnops.add_class,
	STYPE = internal,
	FINALFUNC = churnops.class_precision,
	COMBINEFUNC = churnops.class_merge,
	SERIALFUNC = churnops.class_write,
	DESERIALFUNC = churnops.class_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_precision("any", "any") IS
'Share of the predictions of a class that are right; 0 without any. Of the positive class.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_precision(label "any", predicted "any", average text) (
	SFUNC = churnops.add_class_average,
	STYPE = internal,
	FINALFUNC = churnops.class_precision,
	COMBINEFUNC = churnops.class_merge,
	SERIALFUNC = churnops.class_write,
	DESERIALFUNC = churnops.class_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_precision("any", "any", text) IS
'Share of the predictions of a class that are right; 0 without any. Average is binary, macro, '
'weighted or micro.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_precision(label "any", predicted "any", average text, positive_class text) (
	SFUNC = churnops.add_class_average,
	STYPE = internal,
	FINALFUNC = churnops.class_precision,
	COMBINEFUNC = churnops.class_merge,
	SERIALFUNC = churnops.class_write,
	DESERIALFUNC = churnops.class_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_precision("any", "any", text, text) IS
'Share of the predictions of a class that are right; 0 without any. Average is binary, macro, '
'weighted or micro; binary is of positive_class.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_precision(label "any", predicted "any", weight double precision) (
	SFUNC = churnops.add_class,
	STYPE = internal,
	FINALFUNC = churnops.class_precision,
	COMBINEFUNC = churnops.class_merge,
	SERIALFUNC = churnops.class_write,
	DESERIALFUNC = churnops.class_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_precision("any", "any", double precision) IS
'Share of the predictions of a class that are right; 0 without any. Of the positive class, '
'with a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_precision(label "any", predicted "any", average text, weight double precision) (
	SFUNC = churnops.add_class_average,
	STYPE = internal,
	FINALFUNC = churnops.class_precision,
	COMBINEFUNC = churnops.class_merge,
	SERIALFUNC = churnops.class_write,
	DESERIALFUNC = churnops.class_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_precision("any", "any", text, double precision) IS
'Share of the predictions of a class that are right; 0 without any. Average is binary, macro, '
'weighted or micro; with a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_precision(label "any", predicted "any", average text, positive_class text, weight double precision) (
	SFUNC = churnops.add_class_average,
	STYPE = internal,
	FINALFUNC = churnops.class_precision,
	COMBINEFUNC = churnops.class_merge,
	SERIALFUNC = churnops.class_write,
	DESERIALFUNC = churnops.class_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_precision("any", "any", text, text, double precision) IS
'Share of the predictions of a class that are right; 0 without any. Average is binary, macro, '
'weighted or micro; binary is of positive_class; with a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_recall(label "any", predicted "any") (
	SFUNC = churnops.add_class,
	STYPE = internal,
	FINALFUNC = churnops.class_recall,
	COMBINEFUNC = churnops.class_merge,
	SERIALFUNC = churnops.class_write,
	DESERIALFUNC = churnops.class_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_recall("any", "any") IS
'Share of the rows of a class that are predicted so; 0 without any. Of the positive class.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_recall(label "any", predicted "any", average text) (
	SFUNC = churnops.add_class_average,
	STYPE = internal,
	FINALFUNC = churnops.class_recall,
	COMBINEFUNC = churnops.class_merge,
	SERIALFUNC = churnops.class_write,
	DESERIALFUNC = churnops.class_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_recall("any", "any", text) IS
'Share of the rows of a class that are predicted so; 0 without any. Average is binary, macro, '
'weighted or micro.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_recall(label "any", predicted "any", average text, positive_class text) (
	SFUNC = churnops.add_class_average,
	STYPE = internal,
	FINALFUNC = churnops.class_recall,
	COMBINEFUNC = churnops.class_merge,
	SERIALFUNC = churnops.class_write,
	DESERIALFUNC = churnops.class_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_recall("any", "any", text, text) IS
'Share of the rows of a class that are predicted so; 0 without any. Average is binary, macro, '
'weighted or micro; binary is of positive_class.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_recall(label "any", predicted "any", weight double precision) (
	SFUNC = churnops.add_class,
	STYPE = internal,
	FINALFUNC = churnops.class_recall,
	COMBINEFUNC = churnops.class_merge,
	SERIALFUNC = churnops.class_write,
	DESERIALFUNC = churnops.class_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_recall("any", "any", double precision) IS
'Share of the rows of a class that are predicted so; 0 without any. Of the positive class, '
'with a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_recall(label "any", predicted "any", average text, weight double precision) (
	SFUNC = churnops.add_class_average,
	STYPE = internal,
	FINALFUNC = churnops.class_recall,
	COMBINEFUNC = churnops.class_merge,
	SERIALFUNC = churnops.class_write,
	DESERIALFUNC = churnops.class_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_recall("any", "any", text, double precision) IS
'Share of the rows of a class that are predicted so; 0 without any. Average is binary, macro, '
'weighted or micro; with a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_recall(label "any", predicted "any", average text, positive_class text, weight double precision) (
	SFUNC = churnops.add_class_average,
	STYPE = internal,
	FINALFUNC = churnops.class_recall,
	COMBINEFUNC = churnops.class_merge,
	SERIALFUNC = churnops.class_write,
	DESERIALFUNC = churnops.class_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_recall("any", "any", text, text, double precision) IS
'Share of the rows of a class that are predicted so; 0 without any. Average is binary, macro, '
'weighted or micro; binary is of positive_class; with a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_specificity(label "any", predicted "any") (
	SFUNC = churnops.add_class,
	STYPE = internal,
	FINALFUNC = churnops.class_specificity,
	COMBINEFUNC = churnops.class_merge,
	SERIALFUNC = churnops.class_write,
	DESERIALFUNC = churnops.class_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_specificity("any", "any") IS
'Share of the rows of other classes that are not predicted as the class; 0 without any. Of the '
'positive class.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_specificity(label "any", predicted "any", average text) (
	SFUNC = churnops.add_class_average,
	STYPE = internal,
	FINALFUNC = churnops.class_specificity,
	COMBINEFUNC = churnops.class_merge,
	SERIALFUNC = churnops.class_write,
	DESERIALFUNC = churnops.class_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_specificity("any", "any", text) IS
'Share of the rows of other classes that are not predicted as the class; 0 without any. '
'Average is binary, macro, weighted or micro.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_specificity(label "any", predicted "any", average text, positive_class text) (
	SFUNC = churnops.add_class_average,
	STYPE = internal,
	FINALFUNC = churnops.class_specificity,
	COMBINEFUNC = churnops.class_merge,
	SERIALFUNC = churnops.class_write,
	DESERIALFUNC = churnops.class_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_specificity("any", "any", text, text) IS
'Share of the rows of other classes that are not predicted as the class; 0 without any. '
'Average is binary, macro, weighted or micro; binary is of positive_class.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_specificity(label "any", predicted "any", weight double precision) (
	SFUNC = churnops.add_class,
	STYPE = internal,
	FINALFUNC = churnops.class_specificity,
	COMBINEFUNC = churnops.class_merge,
	SERIALFUNC = churnops.class_write,
	DESERIALFUNC = churnops.class_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_specificity("any", "any", double precision) IS
'Share of the rows of other classes that are not predicted as the class; 0 without any. Of the '
'positive class, with a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_specificity(label "any", predicted "any", average text, weight double precision) (
	SFUNC = churnops.add_class_average,
	STYPE = internal,
	FINALFUNC = churnops.class_specificity,
	COMBINEFUNC = churnops.class_merge,
	SERIALFUNC = churnops.class_write,
	DESERIALFUNC = churnops.class_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_specificity("any", "any", text, double precision) IS
'Share of the rows of other classes that are not predicted as the class; 0 without any. '
'Average is binary, macro, weighted or micro; with a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_specificity(label "any", predicted "any", average text, positive_class text, weight double precision) (
	SFUNC = churnops.add_class_average,
	STYPE = internal,
	FINALFUNC = churnops.class_specificity,
	COMBINEFUNC = churnops.class_merge,
	SERIALFUNC = churnops.class_write,
	DESERIALFUNC = churnops.class_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_specificity("any", "any", text, text, double precision) IS
'Share of the rows of other classes that are not predicted as the class; 0 without any. '
'Average is binary, macro, weighted or micro; binary is of positive_class; with a weight per '
'row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_f1(label "any", predicted "any") (
	SFUNC = churnops.add_class,
	STYPE = internal,
	FINALFUNC = churnops.class_fbeta,
	COMBINEFUNC = churnops.class_merge,
	SERIALFUNC = churnops.class_write,
	DESERIALFUNC = churnops.class_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_f1("any", "any") IS
'F1: harmonic mean of precision and recall; 0 without any. Of the positive class.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_f1(label "any", predicted "any", average text) (
	SFUNC = churnops.add_class_average,
	STYPE = internal,
	FINALFUNC = churnops.class_fbeta,
	COMBINEFUNC = churnops.class_merge,
	SERIALFUNC = churnops.class_write,
	DESERIALFUNC = churnops.class_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_f1("any", "any", text) IS
'F1: harmonic mean of precision and recall; 0 without any. Average is binary, macro, weighted '
'or micro.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_f1(label "any", predicted "any", average text, positive_class text) (
	SFUNC = churnops.add_class_average,
	STYPE = internal,
	FINALFUNC = churnops.class_fbeta,
	COMBINEFUNC = churnops.class_merge,
	SERIALFUNC = churnops.class_write,
	DESERIALFUNC = churnops.class_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_f1("any", "any", text, text) IS
'F1: harmonic mean of precision and recall; 0 without any. Average is binary, macro, weighted '
'or micro; binary is of positive_class.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_f1(label "any", predicted "any", weight double precision) (
	SFUNC = churnops.add_class,
	STYPE = internal,
	FINALFUNC = churnops.class_fbeta,
	COMBINEFUNC = churnops.class_merge,
	SERIALFUNC = churnops.class_write,
	DESERIALFUNC = churnops.class_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_f1("any", "any", double precision) IS
'F1: harmonic mean of precision and recall; 0 without any. Of the positive class, with a '
'weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_f1(label "any", predicted "any", average text, weight double precision) (
	SFUNC = churnops.add_class_average,
	STYPE = internal,
	FINALFUNC = churnops.class_fbeta,
	COMBINEFUNC = churnops.class_merge,
	SERIALFUNC = churnops.class_write,
	DESERIALFUNC = churnops.class_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_f1("any", "any", text, double precision) IS
'F1: harmonic mean of precision and recall; 0 without any. Average is binary, macro, weighted '
'or micro; with a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_f1(label "any", predicted "any", average text, positive_class text, weight double precision) (
	SFUNC = churnops.add_class_average,
	STYPE = internal,
	FINALFUNC = churnops.class_fbeta,
	COMBINEFUNC = churnops.class_merge,
	SERIALFUNC = churnops.class_write,
	DESERIALFUNC = churnops.class_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_f1("any", "any", text, text, double precision) IS
'F1: harmonic mean of precision and recall; 0 without any. Average is binary, macro, weighted '
'or micro; binary is of positive_class; with a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_fbeta(label "any", predicted "any", beta double precision) (
	SFUNC = churnops.add_class_fbeta,
	STYPE = internal,
	FINALFUNC = churnops.class_fbeta,
	COMBINEFUNC = churnops.class_merge,
	SERIALFUNC = churnops.class_write,
	DESERIALFUNC = churnops.class_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_fbeta("any", "any", double precision) IS
'F score in which recall weighs beta times as much as precision; 0 without any. Of the '
'positive class.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_fbeta(label "any", predicted "any", beta double precision, average text) (
	SFUNC = churnops.add_class_fbeta,
	STYPE = internal,
	FINALFUNC = churnops.class_fbeta,
	COMBINEFUNC = churnops.class_merge,
	SERIALFUNC = churnops.class_write,
	DESERIALFUNC = churnops.class_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_fbeta("any", "any", double precision, text) IS
'F score in which recall weighs beta times as much as precision; 0 without any. Average is '
'binary, macro, weighted or micro.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_fbeta(label "any", predicted "any", beta double precision, average text, positive_class text) (
	SFUNC = churnops.add_class_fbeta,
	STYPE = internal,
	FINALFUNC = churnops.class_fbeta,
	COMBINEFUNC = churnops.class_merge,
	SERIALFUNC = churnops.class_write,
	DESERIALFUNC = churnops.class_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_fbeta("any", "any", double precision, text, text) IS
'F score in which recall weighs beta times as much as precision; 0 without any. Average is '
'binary, macro, weighted or micro; binary is of positive_class.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_fbeta(label "any", predicted "any", beta double precision, weight double precision) (
	SFUNC = churnops.add_class_fbeta,
	STYPE = internal,
	FINALFUNC = churnops.class_fbeta,
	COMBINEFUNC = churnops.class_merge,
	SERIALFUNC = churnops.class_write,
	DESERIALFUNC = churnops.class_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_fbeta("any", "any", double precision, double precision) IS
'F score in which recall weighs beta times as much as precision; 0 without any. Of the '
'positive class, with a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_fbeta(label "any", predicted "any", beta double precision, average text, weight double precision) (
	SFUNC = churnops.add_class_fbeta,
	STYPE = internal,
	FINALFUNC = churnops.class_fbeta,
	COMBINEFUNC = churnops.class_merge,
	SERIALFUNC = churnops.class_write,
	DESERIALFUNC = churnops.class_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_fbeta("any", "any", double precision, text, double precision) IS
'F score in which recall weighs beta times as much as precision; 0 without any. Average is '
'binary, macro, weighted or micro; with a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_fbeta(label "any", predicted "any", beta double precision, average text, positive_class text, weight double precision) (
	SFUNC = churnops.add_class_fbeta,
	STYPE = internal,
	FINALFUNC = churnops.class_fbeta,
	COMBINEFUNC = churnops.class_merge,
	SERIALFUNC = churnops.class_write,
	DESERIALFUNC = churnops.class_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_fbeta("any", "any", double precision, text, text, double precision) IS
'F score in which recall weighs beta times as much as precision; 0 without any. Average is '
'binary, macro, weighted or micro; binary is of positive_class; with a weight per row.';

-- Probabilities of several classes, as churnops_predict_proba() gives them

CREATE FUNCTION churnops.proba_merge(internal, internal) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_proba_merge';
COMMENT ON FUNCTION churnops.proba_merge(internal, internal) IS
'Merges two states of ranked rows of several classes.';

CREATE FUNCTION churnops.proba_write(internal) RETURNS bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_proba_write';
COMMENT ON FUNCTION churnops.proba_write(internal) IS
'A state of ranked rows of several classes as bytes, for another process.';

CREATE FUNCTION churnops.proba_read(bytea, internal) RETURNS internal
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_proba_read';
COMMENT ON FUNCTION churnops.proba_read(bytea, internal) IS
'Reads what proba_write wrote.';

CREATE FUNCTION churnops.add_proba_log_loss(internal, "any", jsonb) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_proba_log_loss';
COMMENT ON FUNCTION churnops.add_proba_log_loss(internal, "any", jsonb) IS
'Adds a row to a log loss of several classes.';

CREATE FUNCTION churnops.add_proba_log_loss(internal, "any", jsonb, double precision) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_proba_log_loss';
COMMENT ON FUNCTION churnops.add_proba_log_loss(internal, "any", jsonb, double precision) IS
'Adds a row to a log loss of several classes.';

CREATE FUNCTION churnops.add_proba_brier(internal, "any", jsonb) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_proba_brier';
COMMENT ON FUNCTION churnops.add_proba_brier(internal, "any", jsonb) IS
'Adds a row to a Brier score of several classes.';

CREATE FUNCTION churnops.add_proba_brier(internal, "any", jsonb, double precision) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_proba_brier';
COMMENT ON FUNCTION churnops.add_proba_brier(internal, "any", jsonb, double precision) IS
'Adds a row to a Brier score of several classes.';

CREATE FUNCTION churnops.add_proba_ranked(internal, "any", jsonb) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_proba_ranked';
COMMENT ON FUNCTION churnops.add_proba_ranked(internal, "any", jsonb) IS
'Adds a row to be ranked for every class.';

CREATE FUNCTION churnops.add_proba_ranked(internal, "any", jsonb, text) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_proba_ranked';
COMMENT ON FUNCTION churnops.add_proba_ranked(internal, "any", jsonb, text) IS
'Adds a row to be ranked for every class.';

CREATE FUNCTION churnops.add_proba_ranked(internal, "any", jsonb, double precision) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_proba_ranked';
COMMENT ON FUNCTION churnops.add_proba_ranked(internal, "any", jsonb, double precision) IS
'Adds a row to be ranked for every class.';

CREATE FUNCTION churnops.add_proba_ranked(internal, "any", jsonb, text, double precision) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_proba_ranked';
COMMENT ON FUNCTION churnops.add_proba_ranked(internal, "any", jsonb, text, double precision) IS
'Adds a row to be ranked for every class.';

CREATE FUNCTION churnops.proba_roc_auc(internal) RETURNS double precision
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_proba_roc_auc';
COMMENT ON FUNCTION churnops.proba_roc_auc(internal) IS
'Mean ROC AUC of classes against all others.';

CREATE FUNCTION churnops.proba_average_precision(internal) RETURNS double precision
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_proba_average_precision';
COMMENT ON FUNCTION churnops.proba_average_precision(internal) IS
'Mean average precision of classes against all others.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_log_loss(label "any", probabilities jsonb) (
	SFUNC = churnops.add_proba_log_loss,
	STYPE = internal,
	SSPACE = 700,
	FINALFUNC = churnops.loss_mean,
	COMBINEFUNC = churnops.loss_merge,
	SERIALFUNC = churnops.loss_write,
	DESERIALFUNC = churnops.loss_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_log_loss("any", jsonb) IS
'Log loss of any number of classes: probabilities is an object of label and probability.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_log_loss(label "any", probabilities jsonb, weight double precision) (
	SFUNC = churnops.add_proba_log_loss,
	STYPE = internal,
	SSPACE = 1300,
	FINALFUNC = churnops.loss_mean,
	COMBINEFUNC = churnops.loss_merge,
	SERIALFUNC = churnops.loss_write,
	DESERIALFUNC = churnops.loss_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_log_loss("any", jsonb, double precision) IS
'Log loss of any number of classes: probabilities is an object of label and probability. With '
'a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_brier(label "any", probabilities jsonb) (
	SFUNC = churnops.add_proba_brier,
	STYPE = internal,
	SSPACE = 700,
	FINALFUNC = churnops.loss_mean,
	COMBINEFUNC = churnops.loss_merge,
	SERIALFUNC = churnops.loss_write,
	DESERIALFUNC = churnops.loss_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_brier("any", jsonb) IS
'Brier score of any number of classes, from 0 to 2: mean of the sum of (p - y)² over the '
'classes.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_brier(label "any", probabilities jsonb, weight double precision) (
	SFUNC = churnops.add_proba_brier,
	STYPE = internal,
	SSPACE = 1300,
	FINALFUNC = churnops.loss_mean,
	COMBINEFUNC = churnops.loss_merge,
	SERIALFUNC = churnops.loss_write,
	DESERIALFUNC = churnops.loss_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_brier("any", jsonb, double precision) IS
'Brier score of any number of classes, from 0 to 2: mean of the sum of (p - y)² over the '
'classes. With a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_roc_auc(label "any", probabilities jsonb) (
	SFUNC = churnops.add_proba_ranked,
	STYPE = internal,
	FINALFUNC = churnops.proba_roc_auc,
	COMBINEFUNC = churnops.proba_merge,
	SERIALFUNC = churnops.proba_write,
	DESERIALFUNC = churnops.proba_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_roc_auc("any", jsonb) IS
'Mean ROC AUC of each class against all others, over the classes that there are.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_roc_auc(label "any", probabilities jsonb, average text) (
	SFUNC = churnops.add_proba_ranked,
	STYPE = internal,
	FINALFUNC = churnops.proba_roc_auc,
	COMBINEFUNC = churnops.proba_merge,
	SERIALFUNC = churnops.proba_write,
	DESERIALFUNC = churnops.proba_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_roc_auc("any", jsonb, text) IS
'Mean ROC AUC of each class against all others, over the classes that there are. Average is '
'macro or weighted, by the rows of a class.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_roc_auc(label "any", probabilities jsonb, weight double precision) (
	SFUNC = churnops.add_proba_ranked,
	STYPE = internal,
	FINALFUNC = churnops.proba_roc_auc,
	COMBINEFUNC = churnops.proba_merge,
	SERIALFUNC = churnops.proba_write,
	DESERIALFUNC = churnops.proba_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_roc_auc("any", jsonb, double precision) IS
'Mean ROC AUC of each class against all others, over the classes that there are. With a weight '
'per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_roc_auc(label "any", probabilities jsonb, average text, weight double precision) (
	SFUNC = churnops.add_proba_ranked,
	STYPE = internal,
	FINALFUNC = churnops.proba_roc_auc,
	COMBINEFUNC = churnops.proba_merge,
	SERIALFUNC = churnops.proba_write,
	DESERIALFUNC = churnops.proba_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_roc_auc("any", jsonb, text, double precision) IS
'Mean ROC AUC of each class against all others, over the classes that there are. Average is '
'macro or weighted, by the rows of a class; with a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_average_precision(label "any", probabilities jsonb) (
	SFUNC = churnops.add_proba_ranked,
	STYPE = internal,
	FINALFUNC = churnops.proba_average_precision,
	COMBINEFUNC = churnops.proba_merge,
	SERIALFUNC = churnops.proba_write,
	DESERIALFUNC = churnops.proba_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_average_precision("any", jsonb) IS
'Mean average precision of each class against all others, over the classes that there are.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_average_precision(label "any", probabilities jsonb, average text) (
	SFUNC = churnops.add_proba_ranked,
	STYPE = internal,
	FINALFUNC = churnops.proba_average_precision,
	COMBINEFUNC = churnops.proba_merge,
	SERIALFUNC = churnops.proba_write,
	DESERIALFUNC = churnops.proba_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_average_precision("any", jsonb, text) IS
'Mean average precision of each class against all others, over the classes that there are. '
'Average is macro or weighted, by the rows of a class.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_average_precision(label "any", probabilities jsonb, weight double precision) (
	SFUNC = churnops.add_proba_ranked,
	STYPE = internal,
	FINALFUNC = churnops.proba_average_precision,
	COMBINEFUNC = churnops.proba_merge,
	SERIALFUNC = churnops.proba_write,
	DESERIALFUNC = churnops.proba_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_average_precision("any", jsonb, double precision) IS
'Mean average precision of each class against all others, over the classes that there are. '
'With a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_average_precision(label "any", probabilities jsonb, average text, weight double precision) (
	SFUNC = churnops.add_proba_ranked,
	STYPE = internal,
	FINALFUNC = churnops.proba_average_precision,
	COMBINEFUNC = churnops.proba_merge,
	SERIALFUNC = churnops.proba_write,
	DESERIALFUNC = churnops.proba_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_average_precision("any", jsonb, text, double precision) IS
'Mean average precision of each class against all others, over the classes that there are. '
'Average is macro or weighted, by the rows of a class; with a weight per row.';
