-- The prediction log: outcomes, replay, partitions

-- Since: 0.2.0
CREATE FUNCTION @extschema@.churnops_outcome(
	model text,
	key jsonb,
	actual text,
	at timestamp with time zone DEFAULT NULL)
RETURNS timestamp with time zone
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_as_owner';
COMMENT ON FUNCTION @extschema@.churnops_outcome(text, jsonb, text, timestamp with time zone) IS
'Records what became of an entity: its key as churnops_score logs it, its class or value (actual) '
'as text, and when that became known (at, default now). Returns that time.';

-- Since: 0.2.0
CREATE FUNCTION @extschema@.churnops_replay(
	model text,
	candidate_version integer,
	since timestamp with time zone DEFAULT NULL,
	until timestamp with time zone DEFAULT NULL,
	max_rows integer DEFAULT 10000)
RETURNS TABLE (
	metric text,
	logged text,
	candidate text,
	value double precision,
	n bigint)
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_replay';
COMMENT ON FUNCTION @extschema@.churnops_replay(text, integer, timestamp with time zone,
	timestamp with time zone, integer) IS
'Scores logged rows (the latest max_rows, since and until the given times) with another version and '
'compares: a row a metric, and one for each pair of logged and candidate class.';

CREATE FUNCTION churnops.check_outcome(model_name text, actual_value text) RETURNS void
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	size numeric;
	classes text[];
BEGIN
	IF (SELECT m.task FROM churnops.model AS m WHERE m.name = model_name) <> 'regression' THEN
		-- Another spelling of a class would count as another class, against both arms.
		classes := ARRAY(
			SELECT DISTINCT c COLLATE "C" FROM churnops.version AS v, jsonb_array_elements_text(v.classes) AS c
			WHERE v.model = model_name ORDER BY 1);
		IF actual_value <> ALL (classes) THEN
			RAISE EXCEPTION USING
				ERRCODE = 'invalid_parameter_value',
				MESSAGE = format('outcome "%s" is not a class of model "%s"', actual_value, model_name),
				DETAIL = format('The classes of its versions are %s.', array_to_string(classes, ', ')),
				HINT = 'Give the class as churnops_predict_class returns it.';
		END IF;
		RETURN;
	END IF;
	IF actual_value !~ '^\s*[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]{1,3})?\s*$' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('outcome "%s" is not a number, but model "%s" is a regression', actual_value, model_name);
	END IF;
	size := abs(actual_value::numeric);
	IF size > 1e100 OR size > 0 AND size < 1e-300 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'numeric_value_out_of_range',
			MESSAGE = format('outcome "%s" is out of range', actual_value),
			HINT = 'Give 0, or a number from 1e-300 to 1e100 with either sign.';
	END IF;
END
$$;
COMMENT ON FUNCTION churnops.check_outcome(text, text) IS
'Refuses an outcome that is no class of a model, or no number a deployment can be judged by.';

CREATE FUNCTION churnops.outcome(
	caller name,
	model_name text,
	entity jsonb,
	actual_value text,
	known_at timestamp with time zone)
RETURNS timestamp with time zone
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	recorded_at timestamp with time zone := clock_timestamp();
BEGIN
	PERFORM churnops.check_name(model_name, 'model');
	-- Outcomes decide about deployments.
	PERFORM churnops.require_right(caller, model_name, 'deploy', 'champion');
	IF entity IS NULL OR actual_value IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'null_value_not_allowed',
			MESSAGE = format('argument "%s" must not be null', CASE WHEN entity IS NULL THEN 'key' ELSE 'actual' END);
	END IF;
	IF jsonb_typeof(entity) <> 'object' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = 'the key is not a JSON object',
			HINT = 'Give the key as churnops_score returns it, as in ''{"id": 42}''.';
	END IF;
	PERFORM churnops.check_outcome(model_name, actual_value);
	known_at := coalesce(known_at, recorded_at);
	INSERT INTO churnops.outcome (model, key, actual, at, recorded_by, recorded_at)
	VALUES (model_name, entity, actual_value, known_at, caller, recorded_at);
	RETURN known_at;
END
$$;
COMMENT ON FUNCTION churnops.outcome(name, text, jsonb, text, timestamp with time zone) IS
'churnops_outcome on behalf of a role.';

CREATE FUNCTION churnops.replay_rows(
	caller name,
	model_name text,
	since timestamp with time zone,
	until timestamp with time zone,
	max_rows integer,
	OUT features jsonb,
	OUT prediction double precision,
	OUT class text)
RETURNS SETOF record
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM churnops.check_name(model_name, 'model');
	PERFORM churnops.require_right(caller, model_name, 'read');
	IF max_rows NOT BETWEEN 1 AND 1000000 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('argument "max_rows" cannot be %s', max_rows),
			HINT = 'Give a number from 1 to 1000000.';
	END IF;
	RETURN QUERY
	SELECT l.features, l.prediction, l.class FROM churnops.prediction_log AS l
	WHERE l.model = model_name AND l.features IS NOT NULL AND l.error IS NULL
		-- Without a deployment, candidate and shadow are aliases as any other.
		AND (l.deployment IS NULL OR l.arm = 'champion')
		AND (since IS NULL OR l.logged_at >= since) AND (until IS NULL OR l.logged_at < until)
	ORDER BY l.logged_at DESC, l.batch DESC, l.place DESC LIMIT max_rows;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'no_data_found',
			MESSAGE = format('no logged row of model "%s" can be replayed', model_name),
			HINT = 'Score with churnops_score(..., log => true) and the setting churnops.log_features on.';
	END IF;
END
$$;
COMMENT ON FUNCTION churnops.replay_rows(name, text, timestamp with time zone, timestamp with time zone, integer) IS
'Logged rows that a role may replay, the latest first, with what they were answered.';

CREATE FUNCTION churnops.agreement(
	logged_number double precision[],
	candidate_number double precision[],
	logged_class text[],
	candidate_class text[],
	OUT metric text,
	OUT logged text,
	OUT candidate text,
	OUT value double precision,
	OUT n bigint)
RETURNS SETOF record
LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	WITH pairs AS (
		SELECT r.a, r.b, r.class_a, r.class_b, r.b - r.a AS d
		FROM unnest(logged_number, candidate_number, logged_class, candidate_class)
			AS r(a, b, class_a, class_b)),
	ranked AS (
		-- Equal values share the mean of their ranks.
		SELECT rank() OVER (ORDER BY a) + (count(*) OVER (PARTITION BY a) - 1) / 2.0 AS rank_a,
			rank() OVER (ORDER BY b) + (count(*) OVER (PARTITION BY b) - 1) / 2.0 AS rank_b
		FROM pairs WHERE d IS NOT NULL),
	flips AS (
		SELECT class_a, class_b, count(*) AS n FROM pairs
		WHERE class_a IS NOT NULL AND class_b IS NOT NULL GROUP BY class_a, class_b),
	classes AS (
		SELECT sum(f.n) AS n, coalesce(sum(f.n) FILTER (WHERE f.class_a = f.class_b), 0) AS same
		FROM flips AS f),
	chance AS (
		SELECT sum(x.n::double precision * y.n) AS by_chance
		FROM (SELECT class_a AS class, sum(n) AS n FROM flips GROUP BY class_a) AS x
		JOIN (SELECT class_b AS class, sum(n) AS n FROM flips GROUP BY class_b) AS y USING (class)),
	numbers AS (
		SELECT count(d) AS n, avg(d) AS mean, avg(abs(d)) AS mean_absolute, corr(a, b) AS pearson,
			percentile_cont('{0,0.05,0.25,0.5,0.75,0.95,1}'::double precision[])
				WITHIN GROUP (ORDER BY d) AS quantiles
		FROM pairs),
	metrics AS (
		SELECT 1 AS place, 'rows' AS metric, NULL::text AS logged, NULL::text AS candidate,
			count(*)::double precision AS value, count(*) AS n FROM pairs
		UNION ALL
		SELECT v.place, v.metric, NULL, NULL, v.value, c.n::bigint
		FROM classes AS c LEFT JOIN chance ON true
		CROSS JOIN LATERAL churnops.wilson(c.same::double precision, c.n::double precision) AS w
		CROSS JOIN LATERAL (VALUES
			(2, 'agreement', c.same::double precision / c.n::double precision),
			(3, 'agreement_low', w.low), (4, 'agreement_high', w.high),
			(5, 'kappa', (c.same::double precision / c.n::double precision
					- coalesce(by_chance, 0) / c.n::double precision ^ 2)
				/ nullif(1 - coalesce(by_chance, 0) / c.n::double precision ^ 2, 0)))
			AS v(place, metric, value)
		WHERE c.n > 0
		UNION ALL
		SELECT v.place, v.metric, NULL, NULL, v.value, x.n
		FROM numbers AS x
		CROSS JOIN LATERAL (VALUES
			(6, 'pearson', x.pearson),
			(7, 'spearman', (SELECT corr(r.rank_a, r.rank_b) FROM ranked AS r)),
			(8, 'mean_difference', x.mean), (9, 'mean_absolute_difference', x.mean_absolute),
			(10, 'difference_min', x.quantiles[1]), (11, 'difference_p05', x.quantiles[2]),
			(12, 'difference_p25', x.quantiles[3]), (13, 'difference_p50', x.quantiles[4]),
			(14, 'difference_p75', x.quantiles[5]), (15, 'difference_p95', x.quantiles[6]),
			(16, 'difference_max', x.quantiles[7]))
			AS v(place, metric, value)
		WHERE x.n > 0
		UNION ALL
		SELECT v.place, v.metric, NULL, NULL, v.value, x.n
		FROM numbers AS x
		CROSS JOIN LATERAL churnops.shift(logged_number, candidate_number) AS s
		CROSS JOIN LATERAL (VALUES (17, 'psi', s.psi), (18, 'psi_p', s.p)) AS v(place, metric, value)
		WHERE x.n > 0
		UNION ALL
		SELECT 19, 'classes', f.class_a, f.class_b, f.n / c.n::double precision, f.n
		FROM flips AS f, classes AS c)
	SELECT m.metric, m.logged, m.candidate, m.value, m.n FROM metrics AS m
	ORDER BY m.place, m.logged COLLATE "C", m.candidate COLLATE "C"
$$;
COMMENT ON FUNCTION churnops.agreement(double precision[], double precision[], text[], text[]) IS
'How far two sets of answers to the same rows agree, a row a metric; classes have a row for each pair.';

-- Partitions. Never made while scoring: that would keep everybody else from
-- logging until the caller's transaction ends.

CREATE FUNCTION churnops.make_log_partition(month timestamp without time zone) RETURNS void
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	name text := 'prediction_log_' || to_char(month, 'YYYYMM');
	first timestamp with time zone := month AT TIME ZONE 'UTC';
	after timestamp with time zone := (month + interval '1 month') AT TIME ZONE 'UTC';
BEGIN
	-- Rows of the month that are in the default partition already stay there, and
	-- so does the month.
	IF to_regclass('churnops.' || name) IS NOT NULL OR EXISTS (
		SELECT FROM churnops.prediction_log_default AS l WHERE l.logged_at >= first AND l.logged_at < after)
	THEN
		RETURN;
	END IF;
	EXECUTE format('CREATE TABLE churnops.%I (LIKE churnops.prediction_log)', name);
	EXECUTE format('COMMENT ON TABLE churnops.%I IS %L', name,
		format('Logged predictions of %s, UTC.', to_char(month, 'YYYY-MM')));
	EXECUTE format('CREATE INDEX %I ON churnops.%I (model, logged_at)', name || '_model_idx', name);
	EXECUTE format('REVOKE ALL ON churnops.%I FROM PUBLIC', name);
	-- As for every table (90-privileges.sql): EXPLAIN shows estimates to everybody.
	EXECUTE format('ALTER TABLE churnops.%I ', name) || (
		SELECT string_agg(format('ALTER COLUMN %I SET STATISTICS 0', a.attname), ', ' ORDER BY a.attnum)
		FROM pg_attribute AS a
		WHERE a.attrelid = 'churnops.prediction_log'::regclass AND a.attnum > 0 AND NOT a.attisdropped);
	EXECUTE format('ALTER TABLE churnops.%I ENABLE ROW LEVEL SECURITY', name);
	EXECUTE format('ALTER TABLE churnops.prediction_log ATTACH PARTITION churnops.%I FOR VALUES FROM (%L) TO (%L)',
		name, first, after);
END
$$;
COMMENT ON FUNCTION churnops.make_log_partition(timestamp without time zone) IS
'Makes the partition of the prediction log for a month, unless it is there or the default partition '
'has rows of it.';

CREATE FUNCTION churnops.maintain_prediction_log() RETURNS void
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	this_month timestamp without time zone := date_trunc('month', clock_timestamp() AT TIME ZONE 'UTC');
	kept_minutes integer := (SELECT s.setting FROM pg_settings AS s WHERE s.name = 'churnops.log_retention');
	oldest timestamp with time zone := clock_timestamp() - make_interval(mins => kept_minutes);
	lock_timeout text := current_setting('lock_timeout');
	expired text;
BEGIN
	-- Another tick may be at it; and whoever scores and logs now holds locks for
	-- as long as its transaction lasts. Try for a moment, and again at the next tick.
	PERFORM set_config('lock_timeout', '200ms', true);
	BEGIN
		LOCK TABLE ONLY churnops.prediction_log IN SHARE UPDATE EXCLUSIVE MODE NOWAIT;
		PERFORM churnops.make_log_partition(this_month);
		PERFORM churnops.make_log_partition(this_month + interval '1 month');
		IF kept_minutes >= 0 THEN
			FOR expired IN
				SELECT c.relname FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
				WHERE i.inhparent = 'churnops.prediction_log'::regclass
					AND c.relname ~ '^prediction_log_[0-9]{6}$'
					AND (to_date(right(c.relname::text, 6), 'YYYYMM') + interval '1 month') AT TIME ZONE 'UTC' <= oldest
				ORDER BY c.relname
			LOOP
				EXECUTE format('DROP TABLE churnops.%I', expired);
			END LOOP;
			DELETE FROM churnops.prediction_log_default AS l WHERE l.logged_at < oldest;
		END IF;
	EXCEPTION WHEN lock_not_available THEN
		RAISE DEBUG 'the partitions of churnops.prediction_log are left for the next tick';
	END;
	PERFORM set_config('lock_timeout', lock_timeout, true);
END
$$;
COMMENT ON FUNCTION churnops.maintain_prediction_log() IS
'Makes the partitions of this and the next month, and removes what is older than churnops.log_retention.';
