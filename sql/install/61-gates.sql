-- Gates: what a version has to pass, in numbers
--
-- A gate is one comparison, and says so in one object with its numbers.  What
-- was measured comes in as the rows of churnops_evaluate, churnops_compare and
-- churnops_validate; nothing is measured here.  A number that is missing passes
-- no gate.

CREATE FUNCTION churnops.number_text(value double precision) RETURNS text
LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	-- Four digits, or the first ones of what is smaller.
	SELECT CASE WHEN value IS NULL THEN 'undefined'
		WHEN value IN ('NaN', 'Infinity', '-Infinity') THEN value::text
		WHEN value <> 0 AND abs(value) < 0.001 THEN btrim(to_char(value, '9.99EEEE'))
		ELSE trim_scale(round(value::numeric, 4))::text END
$$;
COMMENT ON FUNCTION churnops.number_text(double precision) IS
'A number for a message.';

CREATE FUNCTION churnops.lower_is_better(metric text) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT metric ~ '(^|_)(loss|brier|error|ece|mce|rmse|rmsle|mse|mae|mape|smape|wape|deviance|pinball)(_|$)'
$$;
COMMENT ON FUNCTION churnops.lower_is_better(text) IS
'Whether a metric measures what should be small.';

CREATE FUNCTION churnops.gate(
	gate text,
	metric text,
	value double precision,
	threshold double precision,
	passed boolean,
	message text,
	other jsonb DEFAULT '{}')
RETURNS jsonb
LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT jsonb_build_object('gate', gate, 'metric', metric, 'slice', NULL, 'slice_value', NULL, 'value', value,
		'ci_low', NULL, 'ci_high', NULL, 'threshold', threshold, 'n', NULL,
		'passed', coalesce(passed, false), 'message', message) || other
$$;
COMMENT ON FUNCTION churnops.gate(text, text, double precision, double precision, boolean, text, jsonb) IS
'A gate as it is kept: {gate, metric, slice, slice_value, value, ci_low, ci_high, threshold, n, passed, message}.';

CREATE FUNCTION churnops.gates_text(gates jsonb) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT string_agg(format('%s: %s (%s)', g.value->>'gate', g.value->>'message',
		CASE WHEN (g.value->>'passed')::boolean THEN 'passed' ELSE 'refused' END), E'\n' ORDER BY g.place)
	FROM jsonb_array_elements(gates) WITH ORDINALITY AS g(value, place)
$$;
COMMENT ON FUNCTION churnops.gates_text(jsonb) IS
'What the gates say, a line each.';

CREATE FUNCTION churnops.interval_of(measured jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT jsonb_build_object('ci_low', measured->'ci_low', 'ci_high', measured->'ci_high', 'n', measured->'n')
$$;
COMMENT ON FUNCTION churnops.interval_of(jsonb) IS
'The members of a gate about how sure its value is.';

CREATE FUNCTION churnops.measured(measures jsonb, metric text) RETURNS jsonb
LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT m.value FROM jsonb_array_elements(measures) WITH ORDINALITY AS m(value, place)
	WHERE m.value->>'metric' = metric AND m.value->>'class' IS NULL AND m.value->>'slice' IS NULL
	ORDER BY m.place LIMIT 1
$$;
COMMENT ON FUNCTION churnops.measured(jsonb, text) IS
'The row of a metric of the whole holdout; NULL if it was not measured.';

CREATE FUNCTION churnops.bound_gate(gate text, metric text, bound text, threshold double precision, measured jsonb)
RETURNS jsonb
LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT churnops.gate(gate, metric, v.value, threshold, p.passed,
		CASE WHEN v.value IS NULL THEN format('%s is undefined', metric)
			ELSE format('%s is %s, %s %s', metric, churnops.number_text(v.value), CASE
				WHEN p.passed THEN CASE bound WHEN 'above' THEN 'above' WHEN 'below' THEN 'below'
					WHEN 'min' THEN 'at least' ELSE 'at most' END
				ELSE CASE bound WHEN 'above' THEN 'not above' WHEN 'below' THEN 'not below'
					WHEN 'min' THEN 'less than' ELSE 'more than' END END, churnops.number_text(threshold)) END,
		churnops.interval_of(measured))
	FROM (SELECT nullif((measured->>'value')::double precision, 'NaN') AS value) AS v
	CROSS JOIN LATERAL (
		SELECT CASE bound WHEN 'above' THEN v.value > threshold WHEN 'below' THEN v.value < threshold
			WHEN 'min' THEN v.value >= threshold WHEN 'max' THEN v.value <= threshold END AS passed) AS p
$$;
COMMENT ON FUNCTION churnops.bound_gate(text, text, text, double precision, jsonb) IS
'A gate that compares a metric with a bound: above, below, or min and max, which the metric may equal.';

CREATE FUNCTION churnops.absolute_gates(rules jsonb, measures jsonb) RETURNS SETOF jsonb
LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT churnops.bound_gate('absolute', r.key, b.key, (b.value)::double precision,
		churnops.measured(measures, r.key))
	FROM jsonb_each(churnops.object_or_empty(rules)) AS r
	CROSS JOIN LATERAL jsonb_each(r.value) AS b
	WHERE jsonb_typeof(b.value) = 'number'
	ORDER BY r.key COLLATE "C", b.key COLLATE "C" DESC
$$;
COMMENT ON FUNCTION churnops.absolute_gates(jsonb, jsonb) IS
'Gates of metrics on the holdout: {metric: {above, below, min, max}}.';

CREATE FUNCTION churnops.champion_gate(rule jsonb, champion integer, compared jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	metric constant text := coalesce(rule->>'metric', compared->>'metric');
	superior constant boolean := rule->>'rule' = 'superiority';
	lower constant boolean := churnops.lower_is_better(metric);
	margin constant double precision := coalesce((rule->>'margin')::double precision,
		CASE WHEN superior THEN 0 ELSE 0.005 END);
	-- By how much the version is better, and at the least, with one-sided confidence.
	gain double precision := (compared->>'difference')::double precision;
	surely constant double precision := (compared->>'bound')::double precision;
	threshold constant double precision := CASE WHEN superior THEN margin ELSE -margin END;
	passed boolean;
BEGIN
	IF champion IS NULL THEN
		RETURN churnops.gate('champion', metric, NULL, NULL, true,
			'there is no champion to compare with');
	END IF;
	IF lower THEN
		gain := -gain;
	END IF;
	passed := surely > threshold;
	RETURN churnops.gate('champion', metric, gain, threshold, passed,
		CASE WHEN surely IS NULL THEN format('%s cannot be compared with version %s', metric, champion)
			ELSE format('%s gains %s over version %s, at least %s, %s %s', metric,
				churnops.number_text(gain), champion, churnops.number_text(surely),
				CASE WHEN passed THEN 'above' ELSE 'not above' END, churnops.number_text(threshold)) END,
		jsonb_build_object('ci_low', compared->'ci_low', 'ci_high', compared->'ci_high', 'n', compared->'n',
			'rule', CASE WHEN superior THEN 'superiority' ELSE 'non_inferiority' END,
			'value_version', compared->'value_a', 'value_champion', compared->'value_b',
			'p_value', compared->'p_value', 'test', compared->'test', 'champion_version', champion));
END
$$;
COMMENT ON FUNCTION churnops.champion_gate(jsonb, integer, jsonb) IS
'The gate against the champion on the same rows: the lower bound of the gain is above the margin below zero '
'(non-inferiority) or above zero (superiority).';

CREATE FUNCTION churnops.data_quality_gate(level text, results jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT churnops.gate('data_quality', 'failed_expectations', count(*) FILTER (WHERE f.counts)::double precision, 0,
		count(*) FILTER (WHERE f.counts) = 0,
		CASE WHEN count(*) FILTER (WHERE f.counts) = 0
			THEN format('%s expectations, none failed%s', count(*),
				CASE WHEN count(*) FILTER (WHERE f.failed) > 0
					THEN format(' that counts (%s did)', count(*) FILTER (WHERE f.failed)) ELSE '' END)
			ELSE string_agg(f.message, '; ' ORDER BY f.place) FILTER (WHERE f.counts) END,
		jsonb_build_object('n', count(*)))
	FROM (
		SELECT e.place, NOT (e.value->>'success')::boolean AS failed,
			NOT (e.value->>'success')::boolean
				AND (level = 'warning' OR level = 'critical' AND e.value->>'severity' = 'critical') AS counts,
			coalesce(e.value->>'message', format('%s failed', e.value->>'expectation')) AS message
		FROM jsonb_array_elements(results) WITH ORDINALITY AS e(value, place)) AS f
$$;
COMMENT ON FUNCTION churnops.data_quality_gate(text, jsonb) IS
'The gate of expectations: none of the level failed, critical or also warning.';

CREATE FUNCTION churnops.leakage_gate(level text, checks jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT churnops.gate('leakage', 'failed_checks', count(*)::double precision, 0, count(*) = 0,
		coalesce(string_agg(c.value->>'message', '; ' ORDER BY c.place), 'no check of the data found anything'))
	FROM jsonb_array_elements(CASE jsonb_typeof(checks) WHEN 'array' THEN checks ELSE '[]' END)
		WITH ORDINALITY AS c(value, place)
	WHERE c.value->>'severity' = 'error' OR level = 'warning' AND c.value->>'severity' = 'warning'
$$;
COMMENT ON FUNCTION churnops.leakage_gate(text, jsonb) IS
'The gate of the checks that every training makes: none of the level found anything, error or also warning.';

CREATE FUNCTION churnops.slice_gates(rule jsonb, measures jsonb) RETURNS SETOF jsonb
LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT churnops.gate('slices', r.metric, s.value, b.threshold,
		-- A slice of one class only has no value, and says nothing.
		s.value IS NULL OR b.ok,
		CASE WHEN s.value IS NULL THEN format('%s of %s = %s is undefined', r.metric, s.slice, s.slice_value)
			ELSE format('%s of %s = %s is %s, %s %s', r.metric, s.slice, s.slice_value, churnops.number_text(s.value),
				CASE WHEN b.low THEN CASE WHEN b.ok THEN 'at least' ELSE 'less than' END
					ELSE CASE WHEN b.ok THEN 'at most' ELSE 'more than' END END, churnops.number_text(b.threshold)) END,
		churnops.interval_of(s.measure) || jsonb_build_object('slice', s.slice, 'slice_value', s.slice_value,
			'bound', b.name))
	FROM (
		SELECT rule->>'metric' AS metric, churnops.lower_is_better(rule->>'metric') AS lower,
			(churnops.measured(measures, rule->>'metric')->>'value')::double precision AS whole) AS r
	CROSS JOIN LATERAL (
		SELECT m.place, m.value AS measure, m.value->>'slice' AS slice, coalesce(m.value->>'slice_value', 'NULL') AS slice_value,
			nullif((m.value->>'value')::double precision, 'NaN') AS value
		FROM jsonb_array_elements(measures) WITH ORDINALITY AS m(value, place)
		WHERE m.value->>'metric' = r.metric AND m.value->>'class' IS NULL AND m.value->>'slice' IS NOT NULL
			AND coalesce((m.value->>'n')::bigint >= (rule->>'min_rows')::bigint, true)) AS s
	CROSS JOIN LATERAL (
		SELECT x.name, x.low, x.threshold, CASE WHEN x.low THEN s.value >= x.threshold ELSE s.value <= x.threshold END AS ok
		FROM (VALUES
			('min', true, (rule->>'min')::double precision),
			('max', false, (rule->>'max')::double precision),
			('max_drop', NOT r.lower, CASE WHEN r.lower THEN r.whole + (rule->>'max_drop')::double precision
				ELSE r.whole - (rule->>'max_drop')::double precision END)) AS x(name, low, threshold)
		WHERE x.threshold IS NOT NULL) AS b
	ORDER BY s.place, b.name COLLATE "C"
$$;
COMMENT ON FUNCTION churnops.slice_gates(jsonb, jsonb) IS
'Gates of the slices of the holdout, a gate for each slice of enough rows and bound: min, max, and how much worse '
'than the whole it may be (max_drop).';

CREATE FUNCTION churnops.all_gates(gates jsonb, facts jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce(jsonb_agg(g.gate ORDER BY g.kind, g.place), '[]')
	FROM (
		SELECT 1 AS kind, 1 AS place, facts->'data_quality' AS gate WHERE facts ? 'data_quality'
		UNION ALL
		SELECT 2, 1, churnops.leakage_gate(gates->>'leakage', facts->'checks')
		WHERE gates->>'leakage' IN ('error', 'warning')
		UNION ALL
		SELECT 3, a.place::integer, a.gate
		FROM churnops.absolute_gates(gates->'absolute', facts->'measures') WITH ORDINALITY AS a(gate, place)
		UNION ALL
		SELECT 4, 1, churnops.bound_gate('calibration', 'ece', 'max',
			(gates #>> '{calibration,max_ece}')::double precision, churnops.measured(facts->'measures', 'ece'))
		WHERE gates #> '{calibration,max_ece}' IS NOT NULL
		UNION ALL
		SELECT 5, s.place::integer, s.gate
		FROM churnops.slice_gates(jsonb_build_object('metric', facts->'metric') || (gates->'slices'), facts->'measures') WITH ORDINALITY AS s(gate, place)
		WHERE jsonb_typeof(gates->'slices') = 'object'
		UNION ALL
		SELECT 6, 1, churnops.champion_gate(jsonb_build_object('metric', facts->'metric') || (gates->'champion'), (facts->>'champion_version')::integer,
			facts->'compared')
		WHERE jsonb_typeof(gates->'champion') = 'object'
		UNION ALL
		SELECT 7, 1, churnops.bound_gate('latency', 'microseconds_per_row', 'max',
			(gates #>> '{latency,max_microseconds_per_row}')::double precision, facts->'latency')
		WHERE gates #> '{latency,max_microseconds_per_row}' IS NOT NULL
		UNION ALL
		SELECT 8, 1, churnops.bound_gate('artifact', 'bytes', 'max',
			(gates #>> '{artifact,max_bytes}')::double precision, facts->'artifact')
		WHERE gates #> '{artifact,max_bytes}' IS NOT NULL) AS g
$$;
COMMENT ON FUNCTION churnops.all_gates(jsonb, jsonb) IS
'Every gate of a pipeline, on what its stages have found.';

CREATE FUNCTION churnops.refusals(gates jsonb) RETURNS text
LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT string_agg(g.value->>'message', '; ' ORDER BY g.place)
	FROM jsonb_array_elements(gates) WITH ORDINALITY AS g(value, place)
	WHERE NOT (g.value->>'passed')::boolean
$$;
COMMENT ON FUNCTION churnops.refusals(jsonb) IS
'What the gates say that were not passed; NULL if all were.';
