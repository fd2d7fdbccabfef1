-- Evaluation: how good a version is, and what it looks at

-- Since: 0.1.0
CREATE FUNCTION @extschema@.churnops_evaluate(
	model_ref text,
	query text DEFAULT NULL,
	slices text[] DEFAULT NULL,
	confidence double precision DEFAULT NULL,
	n_bootstrap integer DEFAULT 1000,
	seed integer DEFAULT 0)
RETURNS TABLE (
	metric text,
	class text,
	value double precision,
	n bigint,
	slice text,
	slice_value text,
	ci_low double precision,
	ci_high double precision,
	flagged boolean,
	small boolean,
	method text,
	n_resamples integer)
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_evaluate';
COMMENT ON FUNCTION @extschema@.churnops_evaluate(text, text, text[], double precision, integer, integer) IS
'Metrics of a version on the rows of a query, or of a table or view by name, that holds the '
'features and the target; without a query, on the holdout of its training. '
'One row a metric: class is NULL for metrics of the whole, value is NULL where the metric is '
'undefined, n counts the rows it was taken over. '
'With slices the same for each value of these columns; with a confidence an interval of each value, '
'and flagged where that of a slice excludes the value of the whole.';

-- Since: 0.1.0
CREATE FUNCTION @extschema@.churnops_importance(model_ref text)
RETURNS TABLE (
	feature text,
	mdi double precision,
	permutation double precision,
	permutation_sd double precision,
	rank integer)
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_as_owner';
COMMENT ON FUNCTION @extschema@.churnops_importance(text) IS
'Importances of a version''s features, best first. mdi is the mean decrease of impurity (the sum '
'over the features is 1); '
'permutation is the loss of score when the column is shuffled, with its standard deviation over '
'the repeats, NULL where it was not measured. '
'rank is by permutation, then by mdi.';

CREATE FUNCTION churnops.importance(caller name, model_ref text)
RETURNS TABLE (
	feature text,
	mdi double precision,
	permutation double precision,
	permutation_sd double precision,
	rank integer)
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	resolved record := churnops.resolve(caller, model_ref, 'read');
BEGIN
	RETURN QUERY
	SELECT f.name, f.mdi, f.permutation, f.permutation_sd, f.rank::integer
	FROM (
		SELECT (e.feature->>'name') AS name,
			(e.feature->>'mdi')::double precision AS mdi,
			(e.feature->>'permutation')::double precision AS permutation,
			(e.feature->>'permutation_sd')::double precision AS permutation_sd,
			row_number() OVER (
				ORDER BY (e.feature->>'permutation')::double precision DESC NULLS LAST,
					(e.feature->>'mdi')::double precision DESC NULLS LAST,
					e.place) AS rank
		FROM churnops.version AS v,
			jsonb_array_elements(v.features) WITH ORDINALITY AS e(feature, place)
		WHERE v.model = resolved.model AND v.version = resolved.version) AS f
	ORDER BY f.rank;
END
$$;
COMMENT ON FUNCTION churnops.importance(name, text) IS
'churnops_importance on behalf of a role.';
