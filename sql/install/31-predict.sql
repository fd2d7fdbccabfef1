-- Scoring: what a model says about a row
--
-- Overloads on text and json keep untyped literals and parameters unambiguous.
-- The model is read through the caller's statement, so nothing here may be
-- folded into a plan: STABLE. NULL rows give NULL, but the reference is checked.
--
-- A row of a table becomes its columns when a query is planned: building the row
-- costs more than scoring it. The support function makes a call of
-- churnops_predict(ref, row) one of churnops_predict_columns(…).

-- Since: 0.1.0
CREATE FUNCTION @extschema@.churnops_predict_support(internal) RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_predict_support';
COMMENT ON FUNCTION @extschema@.churnops_predict_support(internal) IS
'Planner support of churnops_predict and its like: gives them the columns of a table instead of '
'its rows.';

-- Since: 0.1.0
CREATE FUNCTION @extschema@.churnops_predict(model_ref text, "row" record) RETURNS double precision
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100
SUPPORT @extschema@.churnops_predict_support
AS 'MODULE_PATHNAME', 'churnops_predict_record';
COMMENT ON FUNCTION @extschema@.churnops_predict(text, record) IS
'Probability of the positive class, or the predicted value of a regression, for one row. The row '
'is given as a record or whole-row reference, its columns matched by name.';

-- Since: 0.1.0
CREATE FUNCTION @extschema@.churnops_predict(model_ref text, "row" jsonb) RETURNS double precision
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100
AS 'MODULE_PATHNAME', 'churnops_predict_jsonb';
COMMENT ON FUNCTION @extschema@.churnops_predict(text, jsonb) IS
'Probability of the positive class, or the predicted value of a regression, for one row. The row '
'is given as a JSON object, its keys matched by name; JSON null is a missing value.';

-- Since: 0.1.0
CREATE FUNCTION @extschema@.churnops_predict(model_ref text, "row" json) RETURNS double precision
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100
AS 'MODULE_PATHNAME', 'churnops_predict_json';
COMMENT ON FUNCTION @extschema@.churnops_predict(text, json) IS
'Probability of the positive class, or the predicted value of a regression, for one row. The row '
'is given as a JSON object, its keys matched by name; JSON null is a missing value.';

-- Since: 0.1.0
CREATE FUNCTION @extschema@.churnops_predict(model_ref text, "row" text) RETURNS double precision
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100
AS 'MODULE_PATHNAME', 'churnops_predict_text';
COMMENT ON FUNCTION @extschema@.churnops_predict(text, text) IS
'Probability of the positive class, or the predicted value of a regression, for one row. The row '
'is given as the text of a JSON object, its keys matched by name; JSON null is a missing value.';

-- Since: 0.1.0
CREATE FUNCTION @extschema@.churnops_predict(model_ref text, "row" double precision[]) RETURNS double precision
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100
AS 'MODULE_PATHNAME', 'churnops_predict_array';
COMMENT ON FUNCTION @extschema@.churnops_predict(text, double precision[]) IS
'Probability of the positive class, or the predicted value of a regression, for one row. The row '
'is given as an array of numbers in the order of the features, for models whose features are all '
'numeric; NULL is a missing value.';

-- Since: 0.1.0
CREATE FUNCTION @extschema@.churnops_predict_class(model_ref text, "row" record) RETURNS text
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100
SUPPORT @extschema@.churnops_predict_support
AS 'MODULE_PATHNAME', 'churnops_predict_class_record';
COMMENT ON FUNCTION @extschema@.churnops_predict_class(text, record) IS
'Predicted class label for one row: with two classes the positive one from a probability of 0.5 '
'on, else the likeliest. The row is given as a record or whole-row reference, its columns matched '
'by name.';

-- Since: 0.1.0
CREATE FUNCTION @extschema@.churnops_predict_class(model_ref text, "row" jsonb) RETURNS text
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100
AS 'MODULE_PATHNAME', 'churnops_predict_class_jsonb';
COMMENT ON FUNCTION @extschema@.churnops_predict_class(text, jsonb) IS
'Predicted class label for one row: with two classes the positive one from a probability of 0.5 '
'on, else the likeliest. The row is given as a JSON object, its keys matched by name; JSON null is '
'a missing value.';

-- Since: 0.1.0
CREATE FUNCTION @extschema@.churnops_predict_class(model_ref text, "row" json) RETURNS text
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100
AS 'MODULE_PATHNAME', 'churnops_predict_class_json';
COMMENT ON FUNCTION @extschema@.churnops_predict_class(text, json) IS
'Predicted class label for one row: with two classes the positive one from a probability of 0.5 '
'on, else the likeliest. The row is given as a JSON object, its keys matched by name; JSON null is '
'a missing value.';

-- Since: 0.1.0
CREATE FUNCTION @extschema@.churnops_predict_class(model_ref text, "row" text) RETURNS text
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100
AS 'MODULE_PATHNAME', 'churnops_predict_class_text';
COMMENT ON FUNCTION @extschema@.churnops_predict_class(text, text) IS
'Predicted class label for one row: with two classes the positive one from a probability of 0.5 '
'on, else the likeliest. The row is given as the text of a JSON object, its keys matched by name; '
'JSON null is a missing value.';

-- Since: 0.1.0
CREATE FUNCTION @extschema@.churnops_predict_class(model_ref text, "row" double precision[]) RETURNS text
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100
AS 'MODULE_PATHNAME', 'churnops_predict_class_array';
COMMENT ON FUNCTION @extschema@.churnops_predict_class(text, double precision[]) IS
'Predicted class label for one row: with two classes the positive one from a probability of 0.5 '
'on, else the likeliest. The row is given as an array of numbers in the order of the features, for '
'models whose features are all numeric; NULL is a missing value.';

-- Since: 0.1.0
CREATE FUNCTION @extschema@.churnops_predict_proba(model_ref text, "row" record) RETURNS jsonb
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100
SUPPORT @extschema@.churnops_predict_support
AS 'MODULE_PATHNAME', 'churnops_predict_proba_record';
COMMENT ON FUNCTION @extschema@.churnops_predict_proba(text, record) IS
'Probability of every class for one row, as a JSON object of label and probability. The row is '
'given as a record or whole-row reference, its columns matched by name.';

-- Since: 0.1.0
CREATE FUNCTION @extschema@.churnops_predict_proba(model_ref text, "row" jsonb) RETURNS jsonb
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100
AS 'MODULE_PATHNAME', 'churnops_predict_proba_jsonb';
COMMENT ON FUNCTION @extschema@.churnops_predict_proba(text, jsonb) IS
'Probability of every class for one row, as a JSON object of label and probability. The row is '
'given as a JSON object, its keys matched by name; JSON null is a missing value.';

-- Since: 0.1.0
CREATE FUNCTION @extschema@.churnops_predict_proba(model_ref text, "row" json) RETURNS jsonb
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100
AS 'MODULE_PATHNAME', 'churnops_predict_proba_json';
COMMENT ON FUNCTION @extschema@.churnops_predict_proba(text, json) IS
'Probability of every class for one row, as a JSON object of label and probability. The row is '
'given as a JSON object, its keys matched by name; JSON null is a missing value.';

-- Since: 0.1.0
CREATE FUNCTION @extschema@.churnops_predict_proba(model_ref text, "row" text) RETURNS jsonb
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100
AS 'MODULE_PATHNAME', 'churnops_predict_proba_text';
COMMENT ON FUNCTION @extschema@.churnops_predict_proba(text, text) IS
'Probability of every class for one row, as a JSON object of label and probability. The row is '
'given as the text of a JSON object, its keys matched by name; JSON null is a missing value.';

-- Since: 0.1.0
CREATE FUNCTION @extschema@.churnops_predict_proba(model_ref text, "row" double precision[]) RETURNS jsonb
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100
AS 'MODULE_PATHNAME', 'churnops_predict_proba_array';
COMMENT ON FUNCTION @extschema@.churnops_predict_proba(text, double precision[]) IS
'Probability of every class for one row, as a JSON object of label and probability. The row is '
'given as an array of numbers in the order of the features, for models whose features are all '
'numeric; NULL is a missing value.';

-- Since: 0.1.0
CREATE FUNCTION @extschema@.churnops_predict_columns(
	function regprocedure,
	model_ref text,
	names text[],
	VARIADIC "values" "any")
RETURNS double precision
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100
AS 'MODULE_PATHNAME', 'churnops_predict_columns';
COMMENT ON FUNCTION @extschema@.churnops_predict_columns(regprocedure, text, text[], "any") IS
'What churnops_predict(model_ref, row) says about a row of these names and values. Plans have it in '
'place of a call with a row of a table; function is the one that the query called.';

-- Since: 0.1.0
CREATE FUNCTION @extschema@.churnops_predict_class_columns(
	function regprocedure,
	model_ref text,
	names text[],
	VARIADIC "values" "any")
RETURNS text
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100
AS 'MODULE_PATHNAME', 'churnops_predict_class_columns';
COMMENT ON FUNCTION @extschema@.churnops_predict_class_columns(regprocedure, text, text[], "any") IS
'What churnops_predict_class(model_ref, row) says about a row of these names and values. Plans have it in '
'place of a call with a row of a table; function is the one that the query called.';

-- Since: 0.1.0
CREATE FUNCTION @extschema@.churnops_predict_proba_columns(
	function regprocedure,
	model_ref text,
	names text[],
	VARIADIC "values" "any")
RETURNS jsonb
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100
AS 'MODULE_PATHNAME', 'churnops_predict_proba_columns';
COMMENT ON FUNCTION @extschema@.churnops_predict_proba_columns(regprocedure, text, text[], "any") IS
'What churnops_predict_proba(model_ref, row) says about a row of these names and values. Plans have it in '
'place of a call with a row of a table; function is the one that the query called.';

-- Since: 0.1.0
CREATE FUNCTION @extschema@.churnops_score(
	model_ref text,
	query text,
	key text[] DEFAULT NULL,
	log boolean DEFAULT false)
RETURNS SETOF churnops.score_row
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_score';
COMMENT ON FUNCTION @extschema@.churnops_score(text, text, text[], boolean) IS
'Scores every row of a query, or of a table or view by name, read as the caller. '
'key names columns to return with each row as a JSON object. With log (default false) every '
'prediction goes into the prediction log, those of shadows too.';
