-- Metrics as aggregates: means over rows, and ranked rows
--
-- Arguments of aggregates have neither names in a call nor defaults, hence the
-- overloads.  A weight always comes last.  Rows in which an argument is NULL are
-- left out.  States are exact: workers and the order of rows change no bit.
--
-- Transition functions are executed with the rights of the aggregates' owner, so
-- nobody else needs to be allowed to call them.

-- Means over rows

CREATE FUNCTION churnops.loss_merge(internal, internal) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_loss_merge';
COMMENT ON FUNCTION churnops.loss_merge(internal, internal) IS
'Merges two states of a mean over rows.';

CREATE FUNCTION churnops.loss_write(internal) RETURNS bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_loss_write';
COMMENT ON FUNCTION churnops.loss_write(internal) IS
'A state of a mean over rows as bytes, for another process.';

CREATE FUNCTION churnops.loss_read(bytea, internal) RETURNS internal
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_loss_read';
COMMENT ON FUNCTION churnops.loss_read(bytea, internal) IS
'Reads what loss_write wrote.';

CREATE FUNCTION churnops.loss_mean(internal) RETURNS double precision
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_loss_mean';
COMMENT ON FUNCTION churnops.loss_mean(internal) IS
'The mean of a loss.';

CREATE FUNCTION churnops.loss_root(internal) RETURNS double precision
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_loss_root';
COMMENT ON FUNCTION churnops.loss_root(internal) IS
'The square root of the mean of a loss.';

CREATE FUNCTION churnops.loss_brier_skill(internal) RETURNS double precision
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_loss_brier_skill';
COMMENT ON FUNCTION churnops.loss_brier_skill(internal) IS
'Brier skill score from the state of a Brier score.';

CREATE FUNCTION churnops.loss_r2(internal) RETURNS double precision
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_loss_r2';
COMMENT ON FUNCTION churnops.loss_r2(internal) IS
'R² from its sums.';

CREATE FUNCTION churnops.add_log_loss(internal, "any", double precision) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_log_loss';
COMMENT ON FUNCTION churnops.add_log_loss(internal, "any", double precision) IS
'Adds a row to a log loss.';

CREATE FUNCTION churnops.add_log_loss(internal, "any", double precision, text) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_log_loss';
COMMENT ON FUNCTION churnops.add_log_loss(internal, "any", double precision, text) IS
'Adds a row to a log loss.';

CREATE FUNCTION churnops.add_log_loss(internal, "any", double precision, double precision) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_log_loss';
COMMENT ON FUNCTION churnops.add_log_loss(internal, "any", double precision, double precision) IS
'Adds a row to a log loss.';

CREATE FUNCTION churnops.add_log_loss(internal, "any", double precision, text, double precision) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_log_loss';
COMMENT ON FUNCTION churnops.add_log_loss(internal, "any", double precision, text, double precision) IS
'Adds a row to a log loss.';

CREATE FUNCTION churnops.add_brier(internal, "any", double precision) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_brier';
COMMENT ON FUNCTION churnops.add_brier(internal, "any", double precision) IS
'Adds a row to a Brier score.';

CREATE FUNCTION churnops.add_brier(internal, "any", double precision, text) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_brier';
COMMENT ON FUNCTION churnops.add_brier(internal, "any", double precision, text) IS
'Adds a row to a Brier score.';

CREATE FUNCTION churnops.add_brier(internal, "any", double precision, double precision) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_brier';
COMMENT ON FUNCTION churnops.add_brier(internal, "any", double precision, double precision) IS
'Adds a row to a Brier score.';

CREATE FUNCTION churnops.add_brier(internal, "any", double precision, text, double precision) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_brier';
COMMENT ON FUNCTION churnops.add_brier(internal, "any", double precision, text, double precision) IS
'Adds a row to a Brier score.';

CREATE FUNCTION churnops.add_squared(internal, double precision, double precision) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_squared';
COMMENT ON FUNCTION churnops.add_squared(internal, double precision, double precision) IS
'Adds a row to squared errors.';

CREATE FUNCTION churnops.add_squared(internal, double precision, double precision, double precision) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_squared';
COMMENT ON FUNCTION churnops.add_squared(internal, double precision, double precision, double precision) IS
'Adds a row to squared errors.';

CREATE FUNCTION churnops.add_absolute(internal, double precision, double precision) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_absolute';
COMMENT ON FUNCTION churnops.add_absolute(internal, double precision, double precision) IS
'Adds a row to absolute errors.';

CREATE FUNCTION churnops.add_absolute(internal, double precision, double precision, double precision) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_absolute';
COMMENT ON FUNCTION churnops.add_absolute(internal, double precision, double precision, double precision) IS
'Adds a row to absolute errors.';

CREATE FUNCTION churnops.add_r2(internal, double precision, double precision) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_r2';
COMMENT ON FUNCTION churnops.add_r2(internal, double precision, double precision) IS
'Adds a row to the sums of R².';

CREATE FUNCTION churnops.add_r2(internal, double precision, double precision, double precision) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_r2';
COMMENT ON FUNCTION churnops.add_r2(internal, double precision, double precision, double precision) IS
'Adds a row to the sums of R².';

CREATE FUNCTION churnops.add_mape(internal, double precision, double precision) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_mape';
COMMENT ON FUNCTION churnops.add_mape(internal, double precision, double precision) IS
'Adds a row to relative errors.';

CREATE FUNCTION churnops.add_mape(internal, double precision, double precision, double precision) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_mape';
COMMENT ON FUNCTION churnops.add_mape(internal, double precision, double precision, double precision) IS
'Adds a row to relative errors.';

CREATE FUNCTION churnops.add_smape(internal, double precision, double precision) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_smape';
COMMENT ON FUNCTION churnops.add_smape(internal, double precision, double precision) IS
'Adds a row to symmetric relative errors.';

CREATE FUNCTION churnops.add_smape(internal, double precision, double precision, double precision) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_smape';
COMMENT ON FUNCTION churnops.add_smape(internal, double precision, double precision, double precision) IS
'Adds a row to symmetric relative errors.';

CREATE FUNCTION churnops.add_wape(internal, double precision, double precision) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_wape';
COMMENT ON FUNCTION churnops.add_wape(internal, double precision, double precision) IS
'Adds a row to absolute errors and targets.';

CREATE FUNCTION churnops.add_wape(internal, double precision, double precision, double precision) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_wape';
COMMENT ON FUNCTION churnops.add_wape(internal, double precision, double precision, double precision) IS
'Adds a row to absolute errors and targets.';

CREATE FUNCTION churnops.add_log_squared(internal, double precision, double precision) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_log_squared';
COMMENT ON FUNCTION churnops.add_log_squared(internal, double precision, double precision) IS
'Adds a row to squared errors of logarithms.';

CREATE FUNCTION churnops.add_log_squared(internal, double precision, double precision, double precision) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_log_squared';
COMMENT ON FUNCTION churnops.add_log_squared(internal, double precision, double precision, double precision) IS
'Adds a row to squared errors of logarithms.';

CREATE FUNCTION churnops.add_poisson(internal, double precision, double precision) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_poisson';
COMMENT ON FUNCTION churnops.add_poisson(internal, double precision, double precision) IS
'Adds a row to Poisson deviances.';

CREATE FUNCTION churnops.add_poisson(internal, double precision, double precision, double precision) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_poisson';
COMMENT ON FUNCTION churnops.add_poisson(internal, double precision, double precision, double precision) IS
'Adds a row to Poisson deviances.';

CREATE FUNCTION churnops.add_pinball(internal, double precision, double precision, double precision) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_pinball';
COMMENT ON FUNCTION churnops.add_pinball(internal, double precision, double precision, double precision) IS
'Adds a row to pinball losses.';

CREATE FUNCTION churnops.add_pinball(internal, double precision, double precision, double precision, double precision) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_pinball';
COMMENT ON FUNCTION churnops.add_pinball(internal, double precision, double precision, double precision, double precision) IS
'Adds a row to pinball losses.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_log_loss(label "any", score double precision) (
	SFUNC = churnops.add_log_loss,
	STYPE = internal,
	SSPACE = 700,
	FINALFUNC = churnops.loss_mean,
	COMBINEFUNC = churnops.loss_merge,
	SERIALFUNC = churnops.loss_write,
	DESERIALFUNC = churnops.loss_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_log_loss("any", double precision) IS
'Mean negative logarithm of the probability given to the true class; probabilities are clipped '
'to 2.2e-16 from 0 and 1.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_log_loss(label "any", score double precision, positive_class text) (
	SFUNC = churnops.add_log_loss,
	STYPE = internal,
	SSPACE = 700,
	FINALFUNC = churnops.loss_mean,
	COMBINEFUNC = churnops.loss_merge,
	SERIALFUNC = churnops.loss_write,
	DESERIALFUNC = churnops.loss_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_log_loss("any", double precision, text) IS
'Mean negative logarithm of the probability given to the true class; probabilities are clipped '
'to 2.2e-16 from 0 and 1. The label is positive where its text form is positive_class.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_log_loss(label "any", score double precision, weight double precision) (
	SFUNC = churnops.add_log_loss,
	STYPE = internal,
	SSPACE = 1300,
	FINALFUNC = churnops.loss_mean,
	COMBINEFUNC = churnops.loss_merge,
	SERIALFUNC = churnops.loss_write,
	DESERIALFUNC = churnops.loss_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_log_loss("any", double precision, double precision) IS
'Mean negative logarithm of the probability given to the true class; probabilities are clipped '
'to 2.2e-16 from 0 and 1. With a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_log_loss(label "any", score double precision, positive_class text, weight double precision) (
	SFUNC = churnops.add_log_loss,
	STYPE = internal,
	SSPACE = 1300,
	FINALFUNC = churnops.loss_mean,
	COMBINEFUNC = churnops.loss_merge,
	SERIALFUNC = churnops.loss_write,
	DESERIALFUNC = churnops.loss_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_log_loss("any", double precision, text, double precision) IS
'Mean negative logarithm of the probability given to the true class; probabilities are clipped '
'to 2.2e-16 from 0 and 1. The label is positive where its text form is positive_class; with a '
'weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_brier(label "any", score double precision) (
	SFUNC = churnops.add_brier,
	STYPE = internal,
	SSPACE = 700,
	FINALFUNC = churnops.loss_mean,
	COMBINEFUNC = churnops.loss_merge,
	SERIALFUNC = churnops.loss_write,
	DESERIALFUNC = churnops.loss_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_brier("any", double precision) IS
'Brier score: mean squared difference of label (0 or 1) and probability.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_brier(label "any", score double precision, positive_class text) (
	SFUNC = churnops.add_brier,
	STYPE = internal,
	SSPACE = 700,
	FINALFUNC = churnops.loss_mean,
	COMBINEFUNC = churnops.loss_merge,
	SERIALFUNC = churnops.loss_write,
	DESERIALFUNC = churnops.loss_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_brier("any", double precision, text) IS
'Brier score: mean squared difference of label (0 or 1) and probability. The label is positive '
'where its text form is positive_class.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_brier(label "any", score double precision, weight double precision) (
	SFUNC = churnops.add_brier,
	STYPE = internal,
	SSPACE = 1800,
	FINALFUNC = churnops.loss_mean,
	COMBINEFUNC = churnops.loss_merge,
	SERIALFUNC = churnops.loss_write,
	DESERIALFUNC = churnops.loss_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_brier("any", double precision, double precision) IS
'Brier score: mean squared difference of label (0 or 1) and probability. With a weight per '
'row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_brier(label "any", score double precision, positive_class text, weight double precision) (
	SFUNC = churnops.add_brier,
	STYPE = internal,
	SSPACE = 1800,
	FINALFUNC = churnops.loss_mean,
	COMBINEFUNC = churnops.loss_merge,
	SERIALFUNC = churnops.loss_write,
	DESERIALFUNC = churnops.loss_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_brier("any", double precision, text, double precision) IS
'Brier score: mean squared difference of label (0 or 1) and probability. The label is positive '
'where its text form is positive_class; with a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_brier_skill(label "any", score double precision) (
	SFUNC = churnops.add_brier,
	STYPE = internal,
	SSPACE = 700,
	FINALFUNC = churnops.loss_brier_skill,
	COMBINEFUNC = churnops.loss_merge,
	SERIALFUNC = churnops.loss_write,
	DESERIALFUNC = churnops.loss_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_brier_skill("any", double precision) IS
'Brier skill score: 1 minus the Brier score over that of the share of positives; NULL for one '
'class.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_brier_skill(label "any", score double precision, positive_class text) (
	SFUNC = churnops.add_brier,
	STYPE = internal,
	SSPACE = 700,
	FINALFUNC = churnops.loss_brier_skill,
	COMBINEFUNC = churnops.loss_merge,
	SERIALFUNC = churnops.loss_write,
	DESERIALFUNC = churnops.loss_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_brier_skill("any", double precision, text) IS
'Brier skill score: 1 minus the Brier score over that of the share of positives; NULL for one '
'class. The label is positive where its text form is positive_class.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_brier_skill(label "any", score double precision, weight double precision) (
	SFUNC = churnops.add_brier,
	STYPE = internal,
	SSPACE = 1800,
	FINALFUNC = churnops.loss_brier_skill,
	COMBINEFUNC = churnops.loss_merge,
	SERIALFUNC = churnops.loss_write,
	DESERIALFUNC = churnops.loss_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_brier_skill("any", double precision, double precision) IS
'Brier skill score: 1 minus the Brier score over that of the share of positives; NULL for one '
'class. With a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_brier_skill(label "any", score double precision, positive_class text, weight double precision) (
	SFUNC = churnops.add_brier,
	STYPE = internal,
	SSPACE = 1800,
	FINALFUNC = churnops.loss_brier_skill,
	COMBINEFUNC = churnops.loss_merge,
	SERIALFUNC = churnops.loss_write,
	DESERIALFUNC = churnops.loss_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_brier_skill("any", double precision, text, double precision) IS
'Brier skill score: 1 minus the Brier score over that of the share of positives; NULL for one '
'class. The label is positive where its text form is positive_class; with a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_mse(target double precision, prediction double precision) (
	SFUNC = churnops.add_squared,
	STYPE = internal,
	SSPACE = 700,
	FINALFUNC = churnops.loss_mean,
	COMBINEFUNC = churnops.loss_merge,
	SERIALFUNC = churnops.loss_write,
	DESERIALFUNC = churnops.loss_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_mse(double precision, double precision) IS
'Mean squared error.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_mse(target double precision, prediction double precision, weight double precision) (
	SFUNC = churnops.add_squared,
	STYPE = internal,
	SSPACE = 1300,
	FINALFUNC = churnops.loss_mean,
	COMBINEFUNC = churnops.loss_merge,
	SERIALFUNC = churnops.loss_write,
	DESERIALFUNC = churnops.loss_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_mse(double precision, double precision, double precision) IS
'Mean squared error. With a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_rmse(target double precision, prediction double precision) (
	SFUNC = churnops.add_squared,
	STYPE = internal,
	SSPACE = 700,
	FINALFUNC = churnops.loss_root,
	COMBINEFUNC = churnops.loss_merge,
	SERIALFUNC = churnops.loss_write,
	DESERIALFUNC = churnops.loss_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_rmse(double precision, double precision) IS
'Root of the mean squared error.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_rmse(target double precision, prediction double precision, weight double precision) (
	SFUNC = churnops.add_squared,
	STYPE = internal,
	SSPACE = 1300,
	FINALFUNC = churnops.loss_root,
	COMBINEFUNC = churnops.loss_merge,
	SERIALFUNC = churnops.loss_write,
	DESERIALFUNC = churnops.loss_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_rmse(double precision, double precision, double precision) IS
'Root of the mean squared error. With a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_mae(target double precision, prediction double precision) (
	SFUNC = churnops.add_absolute,
	STYPE = internal,
	SSPACE = 700,
	FINALFUNC = churnops.loss_mean,
	COMBINEFUNC = churnops.loss_merge,
	SERIALFUNC = churnops.loss_write,
	DESERIALFUNC = churnops.loss_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_mae(double precision, double precision) IS
'Mean absolute error.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_mae(target double precision, prediction double precision, weight double precision) (
	SFUNC = churnops.add_absolute,
	STYPE = internal,
	SSPACE = 1300,
	FINALFUNC = churnops.loss_mean,
	COMBINEFUNC = churnops.loss_merge,
	SERIALFUNC = churnops.loss_write,
	DESERIALFUNC = churnops.loss_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_mae(double precision, double precision, double precision) IS
'Mean absolute error. With a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_r2(target double precision, prediction double precision) (
	SFUNC = churnops.add_r2,
	STYPE = internal,
	SSPACE = 1800,
	FINALFUNC = churnops.loss_r2,
	COMBINEFUNC = churnops.loss_merge,
	SERIALFUNC = churnops.loss_write,
	DESERIALFUNC = churnops.loss_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_r2(double precision, double precision) IS
'Coefficient of determination, R²; NULL for a constant target.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_r2(target double precision, prediction double precision, weight double precision) (
	SFUNC = churnops.add_r2,
	STYPE = internal,
	SSPACE = 2400,
	FINALFUNC = churnops.loss_r2,
	COMBINEFUNC = churnops.loss_merge,
	SERIALFUNC = churnops.loss_write,
	DESERIALFUNC = churnops.loss_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_r2(double precision, double precision, double precision) IS
'Coefficient of determination, R²; NULL for a constant target. With a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_mape(target double precision, prediction double precision) (
	SFUNC = churnops.add_mape,
	STYPE = internal,
	SSPACE = 700,
	FINALFUNC = churnops.loss_mean,
	COMBINEFUNC = churnops.loss_merge,
	SERIALFUNC = churnops.loss_write,
	DESERIALFUNC = churnops.loss_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_mape(double precision, double precision) IS
'Mean absolute error relative to the target, as a share: |y - x| / max(|y|, 2.2e-16).';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_mape(target double precision, prediction double precision, weight double precision) (
	SFUNC = churnops.add_mape,
	STYPE = internal,
	SSPACE = 1300,
	FINALFUNC = churnops.loss_mean,
	COMBINEFUNC = churnops.loss_merge,
	SERIALFUNC = churnops.loss_write,
	DESERIALFUNC = churnops.loss_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_mape(double precision, double precision, double precision) IS
'Mean absolute error relative to the target, as a share: |y - x| / max(|y|, 2.2e-16). With a '
'weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_smape(target double precision, prediction double precision) (
	SFUNC = churnops.add_smape,
	STYPE = internal,
	SSPACE = 700,
	FINALFUNC = churnops.loss_mean,
	COMBINEFUNC = churnops.loss_merge,
	SERIALFUNC = churnops.loss_write,
	DESERIALFUNC = churnops.loss_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_smape(double precision, double precision) IS
'Symmetric relative error, from 0 to 2: 2 |y - x| / (|y| + |x|), 0 where both are 0.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_smape(target double precision, prediction double precision, weight double precision) (
	SFUNC = churnops.add_smape,
	STYPE = internal,
	SSPACE = 1300,
	FINALFUNC = churnops.loss_mean,
	COMBINEFUNC = churnops.loss_merge,
	SERIALFUNC = churnops.loss_write,
	DESERIALFUNC = churnops.loss_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_smape(double precision, double precision, double precision) IS
'Symmetric relative error, from 0 to 2: 2 |y - x| / (|y| + |x|), 0 where both are 0. With a '
'weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_wape(target double precision, prediction double precision) (
	SFUNC = churnops.add_wape,
	STYPE = internal,
	SSPACE = 1300,
	FINALFUNC = churnops.loss_mean,
	COMBINEFUNC = churnops.loss_merge,
	SERIALFUNC = churnops.loss_write,
	DESERIALFUNC = churnops.loss_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_wape(double precision, double precision) IS
'Sum of absolute errors over the sum of absolute targets.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_wape(target double precision, prediction double precision, weight double precision) (
	SFUNC = churnops.add_wape,
	STYPE = internal,
	SSPACE = 1800,
	FINALFUNC = churnops.loss_mean,
	COMBINEFUNC = churnops.loss_merge,
	SERIALFUNC = churnops.loss_write,
	DESERIALFUNC = churnops.loss_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_wape(double precision, double precision, double precision) IS
'Sum of absolute errors over the sum of absolute targets. With a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_msle(target double precision, prediction double precision) (
	SFUNC = churnops.add_log_squared,
	STYPE = internal,
	SSPACE = 700,
	FINALFUNC = churnops.loss_mean,
	COMBINEFUNC = churnops.loss_merge,
	SERIALFUNC = churnops.loss_write,
	DESERIALFUNC = churnops.loss_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_msle(double precision, double precision) IS
'Mean squared difference of log(1 + target) and log(1 + prediction), both above -1.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_msle(target double precision, prediction double precision, weight double precision) (
	SFUNC = churnops.add_log_squared,
	STYPE = internal,
	SSPACE = 1300,
	FINALFUNC = churnops.loss_mean,
	COMBINEFUNC = churnops.loss_merge,
	SERIALFUNC = churnops.loss_write,
	DESERIALFUNC = churnops.loss_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_msle(double precision, double precision, double precision) IS
'Mean squared difference of log(1 + target) and log(1 + prediction), both above -1. With a '
'weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_rmsle(target double precision, prediction double precision) (
	SFUNC = churnops.add_log_squared,
	STYPE = internal,
	SSPACE = 700,
	FINALFUNC = churnops.loss_root,
	COMBINEFUNC = churnops.loss_merge,
	SERIALFUNC = churnops.loss_write,
	DESERIALFUNC = churnops.loss_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_rmsle(double precision, double precision) IS
'Root of the mean squared difference of log(1 + target) and log(1 + prediction), both above '
'-1.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_rmsle(target double precision, prediction double precision, weight double precision) (
	SFUNC = churnops.add_log_squared,
	STYPE = internal,
	SSPACE = 1300,
	FINALFUNC = churnops.loss_root,
	COMBINEFUNC = churnops.loss_merge,
	SERIALFUNC = churnops.loss_write,
	DESERIALFUNC = churnops.loss_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_rmsle(double precision, double precision, double precision) IS
'Root of the mean squared difference of log(1 + target) and log(1 + prediction), both above '
'-1. With a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_poisson_deviance(target double precision, prediction double precision) (
	SFUNC = churnops.add_poisson,
	STYPE = internal,
	SSPACE = 700,
	FINALFUNC = churnops.loss_mean,
	COMBINEFUNC = churnops.loss_merge,
	SERIALFUNC = churnops.loss_write,
	DESERIALFUNC = churnops.loss_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_poisson_deviance(double precision, double precision) IS
'Mean Poisson deviance of targets of at least 0 and predictions above 0.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_poisson_deviance(target double precision, prediction double precision, weight double precision) (
	SFUNC = churnops.add_poisson,
	STYPE = internal,
	SSPACE = 1300,
	FINALFUNC = churnops.loss_mean,
	COMBINEFUNC = churnops.loss_merge,
	SERIALFUNC = churnops.loss_write,
	DESERIALFUNC = churnops.loss_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_poisson_deviance(double precision, double precision, double precision) IS
'Mean Poisson deviance of targets of at least 0 and predictions above 0. With a weight per '
'row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_pinball(target double precision, prediction double precision, alpha double precision) (
	SFUNC = churnops.add_pinball,
	STYPE = internal,
	SSPACE = 700,
	FINALFUNC = churnops.loss_mean,
	COMBINEFUNC = churnops.loss_merge,
	SERIALFUNC = churnops.loss_write,
	DESERIALFUNC = churnops.loss_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_pinball(double precision, double precision, double precision) IS
'Mean pinball loss of predicted quantiles at level alpha.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_pinball(target double precision, prediction double precision, alpha double precision, weight double precision) (
	SFUNC = churnops.add_pinball,
	STYPE = internal,
	SSPACE = 1300,
	FINALFUNC = churnops.loss_mean,
	COMBINEFUNC = churnops.loss_merge,
	SERIALFUNC = churnops.loss_write,
	DESERIALFUNC = churnops.loss_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_pinball(double precision, double precision, double precision, double precision) IS
'Mean pinball loss of predicted quantiles at level alpha. With a weight per row.';

-- Ranked rows

CREATE FUNCTION churnops.ranked_merge(internal, internal) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_ranked_merge';
COMMENT ON FUNCTION churnops.ranked_merge(internal, internal) IS
'Merges two states of ranked rows.';

CREATE FUNCTION churnops.ranked_write(internal) RETURNS bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_ranked_write';
COMMENT ON FUNCTION churnops.ranked_write(internal) IS
'A state of ranked rows as bytes, for another process.';

CREATE FUNCTION churnops.ranked_read(bytea, internal) RETURNS internal
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_ranked_read';
COMMENT ON FUNCTION churnops.ranked_read(bytea, internal) IS
'Reads what ranked_write wrote.';

CREATE FUNCTION churnops.add_ranked(internal, "any", double precision) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_ranked';
COMMENT ON FUNCTION churnops.add_ranked(internal, "any", double precision) IS
'Adds a row to be ranked.';

CREATE FUNCTION churnops.add_ranked(internal, "any", double precision, text) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_ranked';
COMMENT ON FUNCTION churnops.add_ranked(internal, "any", double precision, text) IS
'Adds a row to be ranked.';

CREATE FUNCTION churnops.add_ranked(internal, "any", double precision, double precision) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_ranked';
COMMENT ON FUNCTION churnops.add_ranked(internal, "any", double precision, double precision) IS
'Adds a row to be ranked.';

CREATE FUNCTION churnops.add_ranked(internal, "any", double precision, text, double precision) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_ranked';
COMMENT ON FUNCTION churnops.add_ranked(internal, "any", double precision, text, double precision) IS
'Adds a row to be ranked.';

CREATE FUNCTION churnops.add_share(internal, "any", double precision, double precision) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_share';
COMMENT ON FUNCTION churnops.add_share(internal, "any", double precision, double precision) IS
'Adds a row to be ranked, for the lift of a share.';

CREATE FUNCTION churnops.add_share(internal, "any", double precision, double precision, text) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_share';
COMMENT ON FUNCTION churnops.add_share(internal, "any", double precision, double precision, text) IS
'Adds a row to be ranked, for the lift of a share.';

CREATE FUNCTION churnops.add_share(internal, "any", double precision, double precision, double precision) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_share';
COMMENT ON FUNCTION churnops.add_share(internal, "any", double precision, double precision, double precision) IS
'Adds a row to be ranked, for the lift of a share.';

CREATE FUNCTION churnops.add_share(internal, "any", double precision, double precision, text, double precision) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_share';
COMMENT ON FUNCTION churnops.add_share(internal, "any", double precision, double precision, text, double precision) IS
'Adds a row to be ranked, for the lift of a share.';

CREATE FUNCTION churnops.add_median(internal, double precision, double precision) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_median';
COMMENT ON FUNCTION churnops.add_median(internal, double precision, double precision) IS
'Adds a row whose absolute error is ranked.';

CREATE FUNCTION churnops.add_median(internal, double precision, double precision, double precision) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_add_median';
COMMENT ON FUNCTION churnops.add_median(internal, double precision, double precision, double precision) IS
'Adds a row whose absolute error is ranked.';

CREATE FUNCTION churnops.ranked_roc_auc(internal) RETURNS double precision
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_ranked_roc_auc';
COMMENT ON FUNCTION churnops.ranked_roc_auc(internal) IS
'ROC AUC of ranked rows.';

CREATE FUNCTION churnops.ranked_gini(internal) RETURNS double precision
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_ranked_gini';
COMMENT ON FUNCTION churnops.ranked_gini(internal) IS
'Gini coefficient of ranked rows.';

CREATE FUNCTION churnops.ranked_average_precision(internal) RETURNS double precision
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_ranked_average_precision';
COMMENT ON FUNCTION churnops.ranked_average_precision(internal) IS
'Average precision of ranked rows.';

CREATE FUNCTION churnops.ranked_ks(internal) RETURNS double precision
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_ranked_ks';
COMMENT ON FUNCTION churnops.ranked_ks(internal) IS
'Kolmogorov-Smirnov distance of ranked rows.';

CREATE FUNCTION churnops.ranked_ks_threshold(internal) RETURNS double precision
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_ranked_ks_threshold';
COMMENT ON FUNCTION churnops.ranked_ks_threshold(internal) IS
'Score at the Kolmogorov-Smirnov distance of ranked rows.';

CREATE FUNCTION churnops.ranked_lift(internal) RETURNS double precision
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_ranked_lift';
COMMENT ON FUNCTION churnops.ranked_lift(internal) IS
'Lift of ranked rows.';

CREATE FUNCTION churnops.ranked_median(internal) RETURNS double precision
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_ranked_median';
COMMENT ON FUNCTION churnops.ranked_median(internal) IS
'Median of ranked rows.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_roc_auc(label "any", score double precision) (
	SFUNC = churnops.add_ranked,
	STYPE = internal,
	FINALFUNC = churnops.ranked_roc_auc,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_roc_auc("any", double precision) IS
'Area under the ROC curve, ties counting half; NULL for one class.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_roc_auc(label "any", score double precision, positive_class text) (
	SFUNC = churnops.add_ranked,
	STYPE = internal,
	FINALFUNC = churnops.ranked_roc_auc,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_roc_auc("any", double precision, text) IS
'Area under the ROC curve, ties counting half; NULL for one class. The label is positive where '
'its text form is positive_class.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_roc_auc(label "any", score double precision, weight double precision) (
	SFUNC = churnops.add_ranked,
	STYPE = internal,
	FINALFUNC = churnops.ranked_roc_auc,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_roc_auc("any", double precision, double precision) IS
'Area under the ROC curve, ties counting half; NULL for one class. With a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_roc_auc(label "any", score double precision, positive_class text, weight double precision) (
	SFUNC = churnops.add_ranked,
	STYPE = internal,
	FINALFUNC = churnops.ranked_roc_auc,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_roc_auc("any", double precision, text, double precision) IS
'Area under the ROC curve, ties counting half; NULL for one class. The label is positive where '
'its text form is positive_class; with a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_average_precision(label "any", score double precision) (
	SFUNC = churnops.add_ranked,
	STYPE = internal,
	FINALFUNC = churnops.ranked_average_precision,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_average_precision("any", double precision) IS
'Average precision over the distinct scores, without interpolation; NULL without positives.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_average_precision(label "any", score double precision, positive_class text) (
	SFUNC = churnops.add_ranked,
	STYPE = internal,
	FINALFUNC = churnops.ranked_average_precision,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_average_precision("any", double precision, text) IS
'Average precision over the distinct scores, without interpolation; NULL without positives. '
'The label is positive where its text form is positive_class.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_average_precision(label "any", score double precision, weight double precision) (
	SFUNC = churnops.add_ranked,
	STYPE = internal,
	FINALFUNC = churnops.ranked_average_precision,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_average_precision("any", double precision, double precision) IS
'Average precision over the distinct scores, without interpolation; NULL without positives. '
'With a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_average_precision(label "any", score double precision, positive_class text, weight double precision) (
	SFUNC = churnops.add_ranked,
	STYPE = internal,
	FINALFUNC = churnops.ranked_average_precision,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_average_precision("any", double precision, text, double precision) IS
'Average precision over the distinct scores, without interpolation; NULL without positives. '
'The label is positive where its text form is positive_class; with a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_gini(label "any", score double precision) (
	SFUNC = churnops.add_ranked,
	STYPE = internal,
	FINALFUNC = churnops.ranked_gini,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_gini("any", double precision) IS
'Gini coefficient, 2 AUC - 1; NULL for one class.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_gini(label "any", score double precision, positive_class text) (
	SFUNC = churnops.add_ranked,
	STYPE = internal,
	FINALFUNC = churnops.ranked_gini,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_gini("any", double precision, text) IS
'Gini coefficient, 2 AUC - 1; NULL for one class. The label is positive where its text form is '
'positive_class.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_gini(label "any", score double precision, weight double precision) (
	SFUNC = churnops.add_ranked,
	STYPE = internal,
	FINALFUNC = churnops.ranked_gini,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_gini("any", double precision, double precision) IS
'Gini coefficient, 2 AUC - 1; NULL for one class. With a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_gini(label "any", score double precision, positive_class text, weight double precision) (
	SFUNC = churnops.add_ranked,
	STYPE = internal,
	FINALFUNC = churnops.ranked_gini,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_gini("any", double precision, text, double precision) IS
'Gini coefficient, 2 AUC - 1; NULL for one class. The label is positive where its text form is '
'positive_class; with a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_ks(label "any", score double precision) (
	SFUNC = churnops.add_ranked,
	STYPE = internal,
	FINALFUNC = churnops.ranked_ks,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_ks("any", double precision) IS
'Kolmogorov-Smirnov distance: largest difference of true and false positive rate; NULL for one '
'class.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_ks(label "any", score double precision, positive_class text) (
	SFUNC = churnops.add_ranked,
	STYPE = internal,
	FINALFUNC = churnops.ranked_ks,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_ks("any", double precision, text) IS
'Kolmogorov-Smirnov distance: largest difference of true and false positive rate; NULL for one '
'class. The label is positive where its text form is positive_class.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_ks(label "any", score double precision, weight double precision) (
	SFUNC = churnops.add_ranked,
	STYPE = internal,
	FINALFUNC = churnops.ranked_ks,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_ks("any", double precision, double precision) IS
'Kolmogorov-Smirnov distance: largest difference of true and false positive rate; NULL for one '
'class. With a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_ks(label "any", score double precision, positive_class text, weight double precision) (
	SFUNC = churnops.add_ranked,
	STYPE = internal,
	FINALFUNC = churnops.ranked_ks,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_ks("any", double precision, text, double precision) IS
'Kolmogorov-Smirnov distance: largest difference of true and false positive rate; NULL for one '
'class. The label is positive where its text form is positive_class; with a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_ks_threshold(label "any", score double precision) (
	SFUNC = churnops.add_ranked,
	STYPE = internal,
	FINALFUNC = churnops.ranked_ks_threshold,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_ks_threshold("any", double precision) IS
'Score at which true and false positive rate differ most, of equals the highest; NULL for one '
'class.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_ks_threshold(label "any", score double precision, positive_class text) (
	SFUNC = churnops.add_ranked,
	STYPE = internal,
	FINALFUNC = churnops.ranked_ks_threshold,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_ks_threshold("any", double precision, text) IS
'Score at which true and false positive rate differ most, of equals the highest; NULL for one '
'class. The label is positive where its text form is positive_class.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_ks_threshold(label "any", score double precision, weight double precision) (
	SFUNC = churnops.add_ranked,
	STYPE = internal,
	FINALFUNC = churnops.ranked_ks_threshold,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_ks_threshold("any", double precision, double precision) IS
'Score at which true and false positive rate differ most, of equals the highest; NULL for one '
'class. With a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_ks_threshold(label "any", score double precision, positive_class text, weight double precision) (
	SFUNC = churnops.add_ranked,
	STYPE = internal,
	FINALFUNC = churnops.ranked_ks_threshold,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_ks_threshold("any", double precision, text, double precision) IS
'Score at which true and false positive rate differ most, of equals the highest; NULL for one '
'class. The label is positive where its text form is positive_class; with a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_lift(label "any", score double precision) (
	SFUNC = churnops.add_ranked,
	STYPE = internal,
	FINALFUNC = churnops.ranked_lift,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_lift("any", double precision) IS
'Lift of the tenth of rows with the highest scores: their share of positives over that of all; '
'a tied block counts in proportion.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_lift(label "any", score double precision, positive_class text) (
	SFUNC = churnops.add_ranked,
	STYPE = internal,
	FINALFUNC = churnops.ranked_lift,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_lift("any", double precision, text) IS
'Lift of the tenth of rows with the highest scores: their share of positives over that of all; '
'a tied block counts in proportion. The label is positive where its text form is '
'positive_class.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_lift(label "any", score double precision, share double precision) (
	SFUNC = churnops.add_share,
	STYPE = internal,
	FINALFUNC = churnops.ranked_lift,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_lift("any", double precision, double precision) IS
'Lift of the given share of rows with the highest scores: their share of positives over that '
'of all; a tied block counts in proportion.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_lift(label "any", score double precision, share double precision, positive_class text) (
	SFUNC = churnops.add_share,
	STYPE = internal,
	FINALFUNC = churnops.ranked_lift,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_lift("any", double precision, double precision, text) IS
'Lift of the given share of rows with the highest scores: their share of positives over that '
'of all; a tied block counts in proportion. The label is positive where its text form is '
'positive_class.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_lift(label "any", score double precision, share double precision, weight double precision) (
	SFUNC = churnops.add_share,
	STYPE = internal,
	FINALFUNC = churnops.ranked_lift,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_lift("any", double precision, double precision, double precision) IS
'Lift of the given share of rows with the highest scores: their share of positives over that '
'of all; a tied block counts in proportion. With a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_lift(label "any", score double precision, share double precision, positive_class text, weight double precision) (
	SFUNC = churnops.add_share,
	STYPE = internal,
	FINALFUNC = churnops.ranked_lift,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_lift("any", double precision, double precision, text, double precision) IS
'Lift of the given share of rows with the highest scores: their share of positives over that '
'of all; a tied block counts in proportion. The label is positive where its text form is '
'positive_class; with a weight per row.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_median_ae(target double precision, prediction double precision) (
	SFUNC = churnops.add_median,
	STYPE = internal,
	FINALFUNC = churnops.ranked_median,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_median_ae(double precision, double precision) IS
'Median absolute error; with weights the lower weighted median.';

-- Since: 0.2.0
CREATE AGGREGATE @extschema@.churnops_median_ae(target double precision, prediction double precision, weight double precision) (
	SFUNC = churnops.add_median,
	STYPE = internal,
	FINALFUNC = churnops.ranked_median,
	COMBINEFUNC = churnops.ranked_merge,
	SERIALFUNC = churnops.ranked_write,
	DESERIALFUNC = churnops.ranked_read,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.churnops_median_ae(double precision, double precision, double precision) IS
'Median absolute error; with weights the lower weighted median. With a weight per row.';
