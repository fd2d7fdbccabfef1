-- Differences between versions of a dataset: rows by key, schema, distributions
--
-- Distributions are compared by what the profiles of both versions know, so no
-- row is read again.  Where a column has few values their counts are exact;
-- else percentiles of a sample of 10,000 rows stand for them, which share most
-- rows if the versions do.

-- Since: 0.2.0
CREATE FUNCTION @extschema@.churnops_dataset_diff(
	dataset text,
	a integer,
	b integer,
	max_keys integer DEFAULT 10)
RETURNS TABLE (
	aspect text,
	item text,
	measure text,
	before jsonb,
	after jsonb,
	value double precision,
	note text)
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_as_owner';
COMMENT ON FUNCTION @extschema@.churnops_dataset_diff(text, integer, integer, integer) IS
'What changed from version a of a dataset to version b. aspect rows counts what was added, removed and '
'changed by key; key names up to max_keys (default 10, at most 1000) of each, with their values where a '
'copy is kept; schema lists columns added, removed and retyped; column compares distributions.';

-- Which part of the counted values of a column is not above x.
CREATE FUNCTION churnops.profile_cdf(
	points double precision[],
	cumulative double precision[],
	interpolate boolean,
	x double precision)
RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE
		WHEN i = 0 THEN 0
		WHEN i = cardinality(points) OR NOT interpolate THEN cumulative[i]
		ELSE cumulative[i] + (cumulative[i + 1] - cumulative[i])
			* (x - points[i]) / (points[i + 1] - points[i]) END
	FROM width_bucket(x, points) AS i
$$;
COMMENT ON FUNCTION churnops.profile_cdf(double precision[], double precision[], boolean, double precision) IS
'The distribution function of a profile at a point: steps where values were counted, straight lines '
'between percentiles.';

CREATE FUNCTION churnops.profile_points(
	profile jsonb,
	OUT points double precision[],
	OUT cumulative double precision[],
	OUT interpolate boolean)
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	interpolate := profile ? 'percentiles';
	IF interpolate THEN
		-- Of equal percentiles the last one counts.
		SELECT array_agg(p.x ORDER BY p.x), array_agg(p.share ORDER BY p.x)
		INTO points, cumulative
		FROM (
			SELECT e.x::double precision AS x, max(e.i - 1) / 100.0 AS share
			FROM jsonb_array_elements_text(profile->'percentiles') WITH ORDINALITY AS e(x, i)
			GROUP BY e.x::double precision) AS p;
	ELSE
		SELECT array_agg(p.x ORDER BY p.x), array_agg(p.share ORDER BY p.x)
		INTO points, cumulative
		FROM (
			SELECT (e.v->>'value')::double precision AS x,
				sum((e.v->>'n')::double precision) OVER (ORDER BY (e.v->>'value')::double precision)
					/ sum((e.v->>'n')::double precision) OVER () AS share
			FROM jsonb_array_elements(profile->'values') AS e(v)
			WHERE jsonb_typeof(e.v->'value') = 'number') AS p;
	END IF;
END
$$;
COMMENT ON FUNCTION churnops.profile_points(jsonb) IS
'The distribution function of a numeric column''s profile: values or percentiles in order, and the part '
'of the rows that does not exceed them.';

CREATE FUNCTION churnops.psi(p double precision[], q double precision[])
RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	-- A cell that is empty gets 1e-4, or a millionth of the smallest share if that is not above 1e-4.
	SELECT sum((a - b) * ln(a / b))
	FROM (
		SELECT CASE WHEN x > 0 THEN x WHEN min_x > 1e-4 THEN 1e-4 ELSE min_x / 1e6 END AS a,
			CASE WHEN y > 0 THEN y WHEN min_y > 1e-4 THEN 1e-4 ELSE min_y / 1e6 END AS b
		FROM (
			SELECT x, y, min(x) FILTER (WHERE x > 0) OVER () AS min_x,
				min(y) FILTER (WHERE y > 0) OVER () AS min_y
			FROM unnest(p, q) AS u(x, y)
			WHERE x > 0 OR y > 0) AS cells) AS filled
$$;
COMMENT ON FUNCTION churnops.psi(double precision[], double precision[]) IS
'Population stability index of two lists of shares.';

CREATE FUNCTION churnops.js_distance(p double precision[], q double precision[])
RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT sqrt(greatest(0, sum(
		CASE WHEN x > 0 THEN x * ln(2 * x / (x + y)) ELSE 0 END
		+ CASE WHEN y > 0 THEN y * ln(2 * y / (x + y)) ELSE 0 END) / (2 * ln(2::double precision))))
	FROM unnest(p, q) AS u(x, y)
$$;
COMMENT ON FUNCTION churnops.js_distance(double precision[], double precision[]) IS
'Jensen-Shannon distance of two lists of shares, with logarithms of base 2: from 0 to 1.';

CREATE FUNCTION churnops.compare_numbers(
	before jsonb,
	after jsonb,
	OUT p double precision[],
	OUT q double precision[],
	OUT ks double precision)
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	a record := churnops.profile_points(before);
	b record := churnops.profile_points(after);
	cuts double precision[];
BEGIN
	IF a.points IS NULL OR b.points IS NULL THEN
		RETURN;
	END IF;
	-- Deciles of the version before, each once: the smallest value that so many rows do not exceed.
	SELECT array_agg(DISTINCT a.points[i] ORDER BY a.points[i]) INTO cuts
	FROM (
		SELECT (SELECT min(j) FROM generate_subscripts(a.points, 1) AS j
				WHERE a.cumulative[j] >= k / 10.0 - 1e-9) AS i
		FROM generate_series(1, 9) AS k) AS d
	WHERE a.points[i] < a.points[cardinality(a.points)];
	-- One value: whether it is that, less or more.
	cuts := coalesce(cuts, ARRAY[a.points[1]]);
	SELECT array_agg(fa - lag_a ORDER BY i), array_agg(fb - lag_b ORDER BY i) INTO p, q
	FROM (
		SELECT i, fa, fb, lag(fa, 1, 0::double precision) OVER (ORDER BY i) AS lag_a,
			lag(fb, 1, 0::double precision) OVER (ORDER BY i) AS lag_b
		FROM (
			SELECT i, churnops.profile_cdf(a.points, a.cumulative, a.interpolate, c) AS fa,
				churnops.profile_cdf(b.points, b.cumulative, b.interpolate, c) AS fb
			FROM unnest(cuts) WITH ORDINALITY AS u(c, i)
			UNION ALL
			SELECT cardinality(cuts) + 1, 1, 1) AS f) AS g;
	SELECT max(abs(churnops.profile_cdf(a.points, a.cumulative, a.interpolate, x)
			- churnops.profile_cdf(b.points, b.cumulative, b.interpolate, x))) INTO ks
	FROM unnest(a.points || b.points) AS x;
END
$$;
COMMENT ON FUNCTION churnops.compare_numbers(jsonb, jsonb) IS
'Shares of two profiles of a numeric column in the deciles of the first, and their Kolmogorov-Smirnov '
'distance.';

CREATE FUNCTION churnops.compare_values(
	before jsonb,
	after jsonb,
	OUT p double precision[],
	OUT q double precision[])
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	-- The 50 most frequent values of the version before, and whatever else there is.
	WITH a AS (
		SELECT e.v->>'value' AS value, (e.v->>'n')::double precision / (before->>'n_counted')::double precision AS share
		FROM jsonb_array_elements(before->'values') WITH ORDINALITY AS e(v, i) WHERE e.i <= 50),
	b AS (
		SELECT e.v->>'value' AS value, (e.v->>'n')::double precision / (after->>'n_counted')::double precision AS share
		FROM jsonb_array_elements(after->'values') AS e(v)),
	both_sides AS (
		SELECT a.value, a.share AS x, coalesce(b.share, 0) AS y FROM a LEFT JOIN b USING (value))
	SELECT array_agg(x ORDER BY value) || greatest(0, 1 - coalesce(sum(x), 0)),
		array_agg(y ORDER BY value) || greatest(0, 1 - coalesce(sum(y), 0))
	FROM both_sides
	WHERE (before->>'n_counted')::double precision > 0 AND (after->>'n_counted')::double precision > 0
$$;
COMMENT ON FUNCTION churnops.compare_values(jsonb, jsonb) IS
'Shares of the values of a column in two profiles: the most frequent of the first, and all others.';

CREATE FUNCTION churnops.compare_profiles(before jsonb, after jsonb, n_before bigint, n_after bigint)
RETURNS TABLE (
	item text,
	measure text,
	value_before jsonb,
	value_after jsonb,
	distance double precision)
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	c record;
	shares record;
	null_before double precision;
	null_after double precision;
	p double precision[];
	q double precision[];
BEGIN
	FOR c IN
		SELECT x.a->>'name' AS name, x.a, y.b
		FROM jsonb_array_elements(before) WITH ORDINALITY AS x(a, i)
		JOIN jsonb_array_elements(after) AS y(b) ON y.b->>'name' = x.a->>'name'
		ORDER BY x.i
	LOOP
		item := c.name;
		null_before := (c.a->>'n_null')::double precision / nullif(n_before, 0);
		null_after := (c.b->>'n_null')::double precision / nullif(n_after, 0);
		measure := 'null_share';
		value_before := to_jsonb(null_before);
		value_after := to_jsonb(null_after);
		distance := null_after - null_before;
		RETURN NEXT;
		FOREACH measure IN ARRAY ARRAY['n_distinct', 'min', 'max', 'mean', 'sd'] LOOP
			CONTINUE WHEN NOT (c.a ? measure AND c.b ? measure);
			value_before := nullif(c.a->measure, 'null');
			value_after := nullif(c.b->measure, 'null');
			distance := (value_after#>>'{}')::double precision - (value_before#>>'{}')::double precision;
			RETURN NEXT;
		END LOOP;

		CONTINUE WHEN NOT (c.a ? 'n_counted' AND c.b ? 'n_counted')
			OR (c.a ? 'mean') <> (c.b ? 'mean');
		value_before := NULL;
		value_after := NULL;
		IF c.a ? 'mean' THEN
			SELECT n.p, n.q, n.ks INTO shares FROM churnops.compare_numbers(c.a, c.b) AS n;
			measure := 'ks';
			distance := shares.ks;
			RETURN NEXT;
		ELSE
			SELECT v.p, v.q INTO shares FROM churnops.compare_values(c.a, c.b) AS v;
		END IF;
		-- Missing values are a cell of their own.
		p := ARRAY(SELECT x * (1 - null_before) FROM unnest(shares.p) WITH ORDINALITY AS u(x, i) ORDER BY i)
			|| null_before;
		q := ARRAY(SELECT x * (1 - null_after) FROM unnest(shares.q) WITH ORDINALITY AS u(x, i) ORDER BY i)
			|| null_after;
		measure := 'psi';
		distance := CASE WHEN shares.p IS NOT NULL AND shares.q IS NOT NULL THEN churnops.psi(p, q) END;
		RETURN NEXT;
		measure := 'js';
		distance := CASE WHEN shares.p IS NOT NULL AND shares.q IS NOT NULL THEN churnops.js_distance(p, q) END;
		RETURN NEXT;
	END LOOP;
END
$$;
COMMENT ON FUNCTION churnops.compare_profiles(jsonb, jsonb, bigint, bigint) IS
'Measures of each column that two profiles have, before and after: share of NULLs, different values, '
'minimum, maximum, mean, standard deviation, and distances of the distributions.';

CREATE FUNCTION churnops.compare_columns(before jsonb, after jsonb)
RETURNS TABLE (item text, measure text, type_before jsonb, type_after jsonb)
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce(a.c->>'name', b.c->>'name'),
		CASE WHEN b.c IS NULL THEN 'removed' WHEN a.c IS NULL THEN 'added'
			WHEN a.c->'type' <> b.c->'type' THEN 'retyped' ELSE 'moved' END,
		a.c->'type', b.c->'type'
	FROM jsonb_array_elements(before) WITH ORDINALITY AS a(c, i)
	FULL JOIN jsonb_array_elements(after) WITH ORDINALITY AS b(c, i) ON a.c->>'name' = b.c->>'name'
	WHERE a.c IS NULL OR b.c IS NULL OR a.c->'type' <> b.c->'type' OR a.i <> b.i
	ORDER BY coalesce(a.i, b.i), a.i IS NULL
$$;
COMMENT ON FUNCTION churnops.compare_columns(jsonb, jsonb) IS
'Columns that were removed, added, retyped or moved.';

CREATE FUNCTION churnops.compare_keys(
	dataset_name text,
	version_before integer,
	version_after integer,
	max_keys integer)
RETURNS TABLE (change text, fingerprint bytea, n bigint)
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'churnops_compare_keys';
COMMENT ON FUNCTION churnops.compare_keys(text, integer, integer, integer) IS
'Rows of two versions compared by their fingerprints: counts (fingerprint is NULL), and the first keys '
'of each change.';

CREATE FUNCTION churnops.find_rows(caller name, dataset_ref text, fingerprints bytea[])
RETURNS TABLE (fingerprint bytea, kept_row jsonb)
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'churnops_find_rows';
COMMENT ON FUNCTION churnops.find_rows(name, text, bytea[]) IS
'Kept rows that have these fingerprints.';

CREATE FUNCTION churnops.name_keys(
	caller name,
	dataset_name text,
	version_before integer,
	version_after integer,
	key text[],
	changes text[],
	fingerprints bytea[])
RETURNS TABLE (item text, measure text, row_before jsonb, row_after jsonb, note text)
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	kept_before boolean := churnops.is_kept(dataset_name, version_before);
	kept_after boolean := churnops.is_kept(dataset_name, version_after);
BEGIN
	RETURN QUERY
	WITH wanted AS (
		SELECT c.change, c.fingerprint, min(c.i) AS i
		FROM unnest(changes, fingerprints) WITH ORDINALITY AS c(change, fingerprint, i)
		GROUP BY c.change, c.fingerprint),
	a AS (
		SELECT DISTINCT ON (f.fingerprint) f.fingerprint, f.kept_row
		FROM churnops.find_rows(caller, format('%s/%s', dataset_name, version_before),
			CASE WHEN kept_before THEN fingerprints END) AS f),
	b AS (
		SELECT DISTINCT ON (f.fingerprint) f.fingerprint, f.kept_row
		FROM churnops.find_rows(caller, format('%s/%s', dataset_name, version_after),
			CASE WHEN kept_after THEN fingerprints END) AS f)
	SELECT
		CASE WHEN a.kept_row IS NULL AND b.kept_row IS NULL THEN encode(w.fingerprint, 'hex')
			ELSE (SELECT jsonb_object_agg(k, coalesce(a.kept_row, b.kept_row)->k) FROM unnest(key) AS k)::text
		END,
		w.change,
		CASE WHEN w.change = 'changed' AND a.kept_row IS NOT NULL AND b.kept_row IS NOT NULL
			THEN (SELECT jsonb_object_agg(e.k, e.v) FROM jsonb_each(a.kept_row) AS e(k, v)
				  WHERE b.kept_row->e.k IS DISTINCT FROM e.v)
			WHEN w.change <> 'added' THEN a.kept_row - key END,
		CASE WHEN w.change = 'changed' AND a.kept_row IS NOT NULL AND b.kept_row IS NOT NULL
			THEN (SELECT jsonb_object_agg(e.k, e.v) FROM jsonb_each(b.kept_row) AS e(k, v)
				  WHERE a.kept_row->e.k IS DISTINCT FROM e.v)
			WHEN w.change <> 'removed' THEN b.kept_row - key END,
		CASE WHEN a.kept_row IS NULL AND b.kept_row IS NULL
			THEN 'fingerprint: no copy of the row is kept' END
	FROM wanted AS w LEFT JOIN a USING (fingerprint) LEFT JOIN b USING (fingerprint)
	ORDER BY w.i;
END
$$;
COMMENT ON FUNCTION churnops.name_keys(name, text, integer, integer, text[], text[], bytea[]) IS
'Changed keys by their values where a copy is kept, else by their fingerprints.';

CREATE FUNCTION churnops.dataset_diff(
	caller name,
	dataset_name text,
	a integer,
	b integer,
	max_keys integer)
RETURNS TABLE (
	aspect text,
	item text,
	measure text,
	before jsonb,
	after jsonb,
	value double precision,
	note text)
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v record;
	w record;
	found_changes text[];
	found_keys bytea[];
	same boolean;
BEGIN
	PERFORM churnops.check_name(dataset_name, 'dataset');
	IF a IS NULL OR b IS NULL OR max_keys IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'null_value_not_allowed',
			MESSAGE = 'arguments "a", "b" and "max_keys" must not be null';
	END IF;
	IF max_keys NOT BETWEEN 0 AND 1000 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('max_keys %s is not in the range from 0 to 1000', max_keys);
	END IF;
	SELECT * INTO STRICT v FROM churnops.find_dataset_version(caller, format('%s/%s', dataset_name, a));
	SELECT * INTO STRICT w FROM churnops.find_dataset_version(caller, format('%s/%s', dataset_name, b));
	same := v.digest = w.digest;

	RETURN QUERY SELECT 'rows', NULL::text, 'count', to_jsonb(v.n_rows), to_jsonb(w.n_rows),
		(w.n_rows - v.n_rows)::double precision,
		CASE WHEN same THEN 'the digests are equal: the same rows and columns' END;
	IF v.key = w.key THEN
		RETURN QUERY
		SELECT 'rows', NULL::text, c.change, NULL::jsonb, NULL::jsonb, c.n::double precision,
			CASE WHEN v.columns <> w.columns AND c.change = 'changed'
				THEN 'the schema changed, and with it every row' END
		FROM churnops.compare_keys(dataset_name, a, b, 0) AS c
		WHERE c.fingerprint IS NULL
		ORDER BY array_position(ARRAY['added', 'removed', 'changed', 'unchanged'], c.change);
	ELSIF NOT same THEN
		RETURN QUERY SELECT 'rows', NULL::text, 'differ', NULL::jsonb, NULL::jsonb,
			NULL::double precision, 'the versions have no key in common, so rows can only be counted';
	END IF;

	RETURN QUERY SELECT 'schema', s.item, s.measure, s.type_before, s.type_after,
		NULL::double precision, NULL::text
	FROM churnops.compare_columns(v.columns, w.columns) AS s;

	RETURN QUERY SELECT 'column', p.item, p.measure, p.value_before, p.value_after, p.distance, NULL::text
	FROM churnops.compare_profiles(v.profile, w.profile, v.n_rows, w.n_rows) AS p;

	IF v.key = w.key AND max_keys > 0 THEN
		SELECT array_agg(c.change), array_agg(c.fingerprint) INTO found_changes, found_keys
		FROM churnops.compare_keys(dataset_name, a, b, max_keys) AS c
		WHERE c.fingerprint IS NOT NULL;
		IF found_keys IS NOT NULL THEN
			RETURN QUERY SELECT 'key', k.item, k.measure, k.row_before, k.row_after,
				NULL::double precision, k.note
			FROM churnops.name_keys(caller, dataset_name, a, b, v.key, found_changes, found_keys) AS k;
		END IF;
	END IF;
END
$$;
COMMENT ON FUNCTION churnops.dataset_diff(name, text, integer, integer, integer) IS
'churnops_dataset_diff on behalf of a role.';

CREATE FUNCTION churnops.find_relations(ingredients jsonb) RETURNS jsonb
LANGUAGE sql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT jsonb_build_object(
		'gone', string_agg(format('%s %I.%I', r->>'kind', r->>'schema', r->>'name'), ', ')
			FILTER (WHERE found IS NULL),
		'left', coalesce(jsonb_agg(r) FILTER (WHERE found IS NOT NULL), '[]'))
	FROM jsonb_array_elements(ingredients->'relations') AS r,
		to_regclass(format('%I.%I', r->>'schema', r->>'name')) AS found
$$;
COMMENT ON FUNCTION churnops.find_relations(jsonb) IS
'Which relations of a training are gone, as a text or NULL, and those that are left: {gone, left}.';

CREATE FUNCTION churnops.compare_ingredients(before jsonb, after jsonb) RETURNS jsonb
LANGUAGE sql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	WITH relations AS (
		SELECT coalesce(a.name, b.name) AS name, a.digest AS digest_before, b.digest AS digest_after
		FROM (SELECT format('%s.%s', r->>'schema', r->>'name') AS name, r->>'definition_digest' AS digest
			  FROM jsonb_array_elements(before->'relations') AS r) AS a
		FULL JOIN (
			  SELECT format('%s.%s', r->>'schema', r->>'name') AS name, r->>'definition_digest' AS digest
			  FROM jsonb_array_elements(after->'relations') AS r) AS b USING (name)
		WHERE after ? 'relations' AND a.digest IS DISTINCT FROM b.digest),
	changes AS (
		SELECT 1 AS place, format('relation %s', r.name) AS ingredient,
			to_jsonb(r.digest_before) AS value_before, to_jsonb(r.digest_after) AS value_after
		FROM relations AS r
		UNION ALL
		SELECT 2, 'columns', before->'columns', after->'columns'
		WHERE after ? 'columns' AND after->'columns' <> before->'columns'
		UNION ALL
		SELECT 3, 'data', before->'data', after->'data'
		WHERE after ? 'data' AND after->'data' <> before->'data'
		UNION ALL
		SELECT 4, format('parameter %s', coalesce(a.name, b.name)), a.v, b.v
		FROM jsonb_each(before->'params') AS a(name, v)
		FULL JOIN jsonb_each(after->'params') AS b(name, v) USING (name)
		WHERE after ? 'params' AND a.v IS DISTINCT FROM b.v
		UNION ALL
		SELECT 5, replace(k, '_', ' '), before->k, after->k
		FROM unnest(ARRAY['algorithm_version', 'format_version']) AS k
		WHERE before->k IS DISTINCT FROM after->k
		UNION ALL
		SELECT 6, coalesce(a.name, b.name), a.v, b.v
		FROM jsonb_each(before->'environment') AS a(name, v)
		FULL JOIN jsonb_each(after->'environment') AS b(name, v) USING (name)
		WHERE a.v IS DISTINCT FROM b.v)
	SELECT coalesce(jsonb_agg(jsonb_build_object('ingredient', c.ingredient, 'before', c.value_before,
		'after', c.value_after) ORDER BY c.place, c.ingredient), '[]')
	FROM changes AS c
$$;
COMMENT ON FUNCTION churnops.compare_ingredients(jsonb, jsonb) IS
'What of a training is not as it was: relations, columns, data, parameters, versions, environment, as '
'[{ingredient, before, after}].';

CREATE FUNCTION churnops.describe_difference(
	caller name,
	dataset_ref text,
	counts jsonb,
	columns_now jsonb,
	profile_now jsonb)
RETURNS jsonb
LANGUAGE sql STABLE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT counts || jsonb_build_object(
		'dataset', format('datasets:/%s/%s', v.dataset, v.version),
		'schema', (
			SELECT coalesce(jsonb_agg(jsonb_build_object('column', s.item, 'change', s.measure,
				'before', s.type_before, 'after', s.type_after)), '[]')
			FROM churnops.compare_columns(v.columns, columns_now) AS s),
		'columns', (
			SELECT coalesce(jsonb_object_agg(p.item, p.measures), '{}')
			FROM (
				SELECT c.item, jsonb_object_agg(c.measure, CASE
					WHEN c.measure IN ('psi', 'js', 'ks') THEN to_jsonb(c.distance)
					ELSE jsonb_build_array(c.value_before, c.value_after) END) AS measures
				FROM churnops.compare_profiles(v.profile, profile_now, v.n_rows,
					(counts->>'rows_after')::bigint) AS c
				WHERE c.distance <> 0
				GROUP BY c.item) AS p))
	FROM churnops.find_dataset_version(caller, dataset_ref) AS v
$$;
COMMENT ON FUNCTION churnops.describe_difference(name, text, jsonb, jsonb, jsonb) IS
'How the rows that a query has now differ from those of a version of a dataset: counts as given, '
'changes of the schema, and measures of the columns that are not as they were.';

CREATE VIEW churnops.datasets WITH (security_barrier) AS
SELECT
	n.name,
	v.version,
	n.owner,
	v.n_rows,
	v.key,
	v.digest,
	v.n_rows = 0 OR EXISTS (
		SELECT FROM churnops.dataset_rows AS r
		WHERE r.dataset = v.dataset AND r.version = v.version) AS kept,
	coalesce((SELECT sum(pg_catalog.pg_column_size(r.bytes)) FROM churnops.dataset_rows AS r
	 WHERE r.dataset = v.dataset AND r.version = v.version), 0)::bigint AS copy_bytes,
	(SELECT count(*) FROM churnops.dataset AS d
	 WHERE d.named_dataset = v.dataset AND d.named_version = v.version) AS n_models,
	v.query,
	v.fingerprint,
	v.relations,
	v.columns,
	v.profile,
	v.search_path,
	v.snapshot,
	v.lsn,
	coalesce(v.description, n.description) AS description,
	v.environment,
	v.code_version,
	v."session_user",
	v.created_by,
	v.created_at
FROM churnops.named_dataset AS n
JOIN churnops.dataset_version AS v ON v.dataset = n.name
WHERE EXISTS (
	SELECT FROM pg_catalog.pg_roles AS r
	WHERE r.rolname = n.owner AND pg_catalog.pg_has_role(r.oid, 'USAGE'));
COMMENT ON VIEW churnops.datasets IS
'Versions of the datasets the current role may use, one row each.';
COMMENT ON COLUMN churnops.datasets.name IS 'Name of the dataset.';
COMMENT ON COLUMN churnops.datasets.version IS 'Number of the version, from 1.';
COMMENT ON COLUMN churnops.datasets.owner IS
'Role that first registered the dataset; its members may use and drop it.';
COMMENT ON COLUMN churnops.datasets.n_rows IS 'Rows of the query.';
COMMENT ON COLUMN churnops.datasets.key IS 'Columns that name a row; NULL without a key.';
COMMENT ON COLUMN churnops.datasets.digest IS
'SHA-256 over all rows and columns of the query, lower-case hex.';
COMMENT ON COLUMN churnops.datasets.kept IS 'Whether the rows can be read back.';
COMMENT ON COLUMN churnops.datasets.copy_bytes IS 'Size of the kept copy as it is stored.';
COMMENT ON COLUMN churnops.datasets.n_models IS 'Model versions trained on these rows.';
COMMENT ON COLUMN churnops.datasets.query IS 'Query as the caller gave it.';
COMMENT ON COLUMN churnops.datasets.fingerprint IS
'SHA-256 of the query''s tokens, independent of layout, comments and letter case of keywords, lower-case hex.';
COMMENT ON COLUMN churnops.datasets.relations IS
'Relations the query read, views walked through: [{schema, name, kind, definition_digest, n_rows, '
'n_rows_exact}].';
COMMENT ON COLUMN churnops.datasets.columns IS
'Columns of the query: [{name, type, base, tag, kind}].';
COMMENT ON COLUMN churnops.datasets.profile IS
'An object for each column: n_null, n_distinct, min, max, mean, sd, percentiles or values.';
COMMENT ON COLUMN churnops.datasets.search_path IS 'search_path under which the query was read.';
COMMENT ON COLUMN churnops.datasets.snapshot IS
'Snapshot of the query as pg_current_snapshot() writes it.';
COMMENT ON COLUMN churnops.datasets.lsn IS
'Position in the write-ahead log when the query was read; NULL where unknown.';
COMMENT ON COLUMN churnops.datasets.description IS
'As given to the registration of the version, else of the dataset.';
COMMENT ON COLUMN churnops.datasets.environment IS
'Versions and machine: churnops, postgresql, compiler, architecture, byte_order, server_encoding.';
COMMENT ON COLUMN churnops.datasets.code_version IS
'The setting churnops.code_version at the registration; NULL if empty.';
COMMENT ON COLUMN churnops.datasets."session_user" IS
'Role that logged in. Quote the name: unquoted, session_user is the function.';
COMMENT ON COLUMN churnops.datasets.created_by IS 'Role that registered the version.';
COMMENT ON COLUMN churnops.datasets.created_at IS 'Time the version was stored.';
