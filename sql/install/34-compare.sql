-- Comparison of two versions on the same rows

-- Since: 0.2.0
CREATE FUNCTION @extschema@.churnops_compare(
	ref_a text,
	ref_b text,
	query text DEFAULT NULL,
	confidence double precision DEFAULT 0.95,
	metric text DEFAULT NULL,
	margin double precision DEFAULT 0.005,
	n_bootstrap integer DEFAULT 1000,
	seed integer DEFAULT 0,
	mid_p boolean DEFAULT false,
	overlap text DEFAULT 'exclude')
RETURNS TABLE (
	metric text,
	value_a double precision,
	value_b double precision,
	difference double precision,
	ci_low double precision,
	ci_high double precision,
	p_value double precision,
	test text,
	n bigint,
	n_resamples integer,
	margin double precision,
	bound double precision,
	verdict text)
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_compare';
COMMENT ON FUNCTION @extschema@.churnops_compare(text, text, text, double precision, text,
	double precision, integer, integer, boolean, text) IS
'Two versions on the rows of a query, or, without one, on the holdout of the first one''s training: '
'each metric of both, their difference (the first less the second) with its interval, and a test. '
'In the row of one metric a verdict: superior, non_inferior, inferior or inconclusive.';
