-- The tick: running deployments are judged, and moved on
--
-- Called by hand, by a job, by pg_cron. Everything is judged by what
-- churnops_score logged for the deployment; nothing else is known. Entities
-- count once in what is compared (their latest prediction), requests one by one
-- in what is counted.

-- Since: 0.2.0
CREATE FUNCTION @extschema@.churnops_tick(model text DEFAULT NULL) RETURNS SETOF churnops.tick_row
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_as_owner';
COMMENT ON FUNCTION @extschema@.churnops_tick(text) IS
'Judges the running deployments of a model, or of all models the caller may deploy, by the '
'prediction log and the outcomes: rolls back, blocks, advances or promotes. Looks after the log''s '
'partitions too. A row for each deployment.';

CREATE FUNCTION churnops.arm_numbers(d churnops.deployment, arm_name text) RETURNS jsonb
LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT jsonb_build_object(
		'rows', count(*),
		'keys', count(DISTINCT l.share) FILTER (WHERE l.logged_at >= d.step_at),
		'errors', count(l.error),
		'nulls', count(*) FILTER (WHERE l.error IS NULL AND l.prediction IS NULL AND l.class IS NULL),
		'latency_p50', percentile_cont(0.5) WITHIN GROUP (ORDER BY l.latency) FILTER (WHERE l.error IS NULL),
		'latency_p95', percentile_cont(0.95) WITHIN GROUP (ORDER BY l.latency) FILTER (WHERE l.error IS NULL),
		'latency_p99', percentile_cont(0.99) WITHIN GROUP (ORDER BY l.latency) FILTER (WHERE l.error IS NULL))
	FROM churnops.prediction_log AS l
	WHERE l.model = d.model AND l.logged_at >= d.started_at AND l.deployment = d.deployment
		AND l.arm = arm_name
$$;
COMMENT ON FUNCTION churnops.arm_numbers(churnops.deployment, text) IS
'Counts and latencies (microseconds) of one arm; keys are those since the last step.';

CREATE FUNCTION churnops.shift(champion double precision[], candidate double precision[],
	OUT psi double precision, OUT p double precision)
LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	-- The champion's deciles, inverse of the distribution function, without repeats.
	WITH cuts AS (
		SELECT ARRAY(
			SELECT DISTINCT c FROM unnest((
				SELECT percentile_disc('{0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9}'::double precision[])
					WITHIN GROUP (ORDER BY v)
				FROM unnest(champion) AS v)) AS c
			WHERE c IS NOT NULL ORDER BY c) AS c),
	binned AS (
		-- x is above the cuts below it: a cut belongs to the bin it ends.
		SELECT s.arm, (SELECT count(*) FROM unnest(cuts.c) AS cut WHERE cut < s.v) AS bin
		FROM cuts, (SELECT 0 AS arm, v FROM unnest(champion) AS v UNION ALL
			SELECT 1, v FROM unnest(candidate) AS v) AS s
		WHERE s.v IS NOT NULL),
	counts AS (
		SELECT bin, count(*) FILTER (WHERE arm = 0) AS n_champion,
			count(*) FILTER (WHERE arm = 1) AS n_candidate
		FROM binned GROUP BY bin)
	SELECT s.psi, s.p
	FROM (SELECT array_agg(n_champion ORDER BY bin) AS n_champion,
			array_agg(n_candidate ORDER BY bin) AS n_candidate FROM counts) AS c,
		churnops.shift_of_counts(c.n_champion, c.n_candidate) AS s
$$;
COMMENT ON FUNCTION churnops.shift(double precision[], double precision[]) IS
'Population stability index of two sets of predictions over the deciles of the first, and its p.';

CREATE FUNCTION churnops.class_shift(champion text[], candidate text[],
	OUT psi double precision, OUT p double precision)
LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	WITH counts AS (
		SELECT s.v, count(*) FILTER (WHERE arm = 0) AS n_champion,
			count(*) FILTER (WHERE arm = 1) AS n_candidate
		FROM (SELECT 0 AS arm, v FROM unnest(champion) AS v UNION ALL
			SELECT 1, v FROM unnest(candidate) AS v) AS s
		WHERE s.v IS NOT NULL
		GROUP BY s.v)
	SELECT s.psi, s.p
	FROM (SELECT array_agg(n_champion ORDER BY v) AS n_champion,
			array_agg(n_candidate ORDER BY v) AS n_candidate FROM counts) AS c,
		churnops.shift_of_counts(c.n_champion, c.n_candidate) AS s
$$;
COMMENT ON FUNCTION churnops.class_shift(text[], text[]) IS
'The same of predicted classes, for models without a number.';

CREATE FUNCTION churnops.shift_numbers(d churnops.deployment) RETURNS jsonb
LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	WITH latest AS (
		SELECT DISTINCT ON (l.arm, l.share) l.arm, l.prediction, l.class
		FROM churnops.prediction_log AS l
		WHERE l.model = d.model AND l.logged_at >= d.started_at AND l.deployment = d.deployment
			AND l.error IS NULL AND l.arm IN ('champion', 'candidate')
		ORDER BY l.arm, l.share, l.logged_at DESC, l.batch DESC, l.place DESC),
	arms AS (
		SELECT array_agg(prediction) FILTER (WHERE arm = 'champion') AS champion,
			array_agg(prediction) FILTER (WHERE arm = 'candidate') AS candidate,
			array_agg(class) FILTER (WHERE arm = 'champion') AS champion_class,
			array_agg(class) FILTER (WHERE arm = 'candidate') AS candidate_class,
			count(prediction) > 0 AS has_number
		FROM latest)
	SELECT jsonb_build_object(
		'psi', CASE WHEN a.has_number THEN n.psi ELSE c.psi END,
		'psi_p', CASE WHEN a.has_number THEN n.p ELSE c.p END)
	FROM arms AS a
	LEFT JOIN LATERAL churnops.shift(a.champion, a.candidate) AS n ON a.has_number
	LEFT JOIN LATERAL churnops.class_shift(a.champion_class, a.candidate_class) AS c ON NOT a.has_number
$$;
COMMENT ON FUNCTION churnops.shift_numbers(churnops.deployment) IS
'Shift of the candidate''s predictions against the champion''s, each entity by its latest one.';

CREATE FUNCTION churnops.losses(
	d churnops.deployment,
	OUT arm text,
	OUT n double precision,
	OUT events double precision,
	OUT loss double precision,
	OUT variance double precision)
RETURNS SETOF record
LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	WITH model AS (
		SELECT m.task, (SELECT v.positive_class FROM churnops.version AS v
			WHERE v.model = m.name AND v.version = d.version) AS positive
		FROM churnops.model AS m WHERE m.name = d.model),
	latest AS (
		SELECT DISTINCT ON (l.arm, l.key) l.arm, l.key, l.prediction, l.class
		FROM churnops.prediction_log AS l
		WHERE l.model = d.model AND l.logged_at >= d.started_at AND l.deployment = d.deployment
			AND l.error IS NULL AND l.key IS NOT NULL AND l.arm IN ('champion', 'candidate')
		ORDER BY l.arm, l.key, l.logged_at DESC, l.batch DESC, l.place DESC),
	known AS (
		SELECT l.arm, m.task, m.positive, l.prediction, l.class, o.actual
		FROM latest AS l CROSS JOIN model AS m
		CROSS JOIN LATERAL (
			SELECT o.actual FROM churnops.outcome AS o
			WHERE o.model = d.model AND o.key = l.key ORDER BY o.outcome DESC LIMIT 1) AS o),
	judged AS (
		SELECT k.arm,
			-- An error of 1e70 is as bad as any: the square of the square has to be a number.
			CASE WHEN k.task = 'regression' THEN least(abs(k.prediction - k.actual::double precision), 1e70) ^ 2
				WHEN k.prediction IS NOT NULL AND k.positive IS NOT NULL
					THEN (k.prediction - (k.actual = k.positive)::integer) ^ 2
				ELSE (k.class <> k.actual)::integer END AS loss,
			CASE WHEN k.task = 'regression' THEN true
				WHEN k.positive IS NOT NULL THEN k.actual = k.positive
				ELSE k.class <> k.actual END AS is_event
		FROM known AS k)
	SELECT j.arm, count(*), count(*) FILTER (WHERE j.is_event), avg(j.loss), coalesce(var_samp(j.loss), 0)
	FROM judged AS j GROUP BY j.arm
$$;
COMMENT ON FUNCTION churnops.losses(churnops.deployment) IS
'Loss on known outcomes of each arm: squared error of the probability or the value, or else the '
'share of wrong classes; events are rows of the positive class, or else wrong ones.';

CREATE FUNCTION churnops.harm_numbers(d churnops.deployment) RETURNS jsonb
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	a record;
	b record;
	test record;
	tau_squared double precision;
	alpha double precision := (d.config->>'harm_p')::double precision;
	least_rows double precision := (d.config->>'harm_rows')::double precision;
	least_events double precision := (d.config->>'harm_events')::double precision;
	p double precision;
	numbers jsonb;
BEGIN
	SELECT coalesce(max(l.n), 0) AS n, coalesce(max(l.events), 0) AS events, max(l.loss) AS loss,
		max(l.variance) AS variance INTO a FROM churnops.losses(d) AS l WHERE l.arm = 'champion';
	SELECT coalesce(max(l.n), 0) AS n, coalesce(max(l.events), 0) AS events, max(l.loss) AS loss,
		max(l.variance) AS variance INTO b FROM churnops.losses(d) AS l WHERE l.arm = 'candidate';
	numbers := jsonb_build_object('champion_outcomes', a.n, 'candidate_outcomes', b.n,
		'champion_loss', a.loss, 'candidate_loss', b.loss);
	IF alpha IS NULL OR least(a.n, b.n) < least_rows OR least(a.events, b.events) < least_events THEN
		RETURN numbers;
	END IF;

	-- The mixture variance is fixed at the first look: a test that is always
	-- valid must not be tuned to what it has seen.
	tau_squared := coalesce((d.config->>'harm_tau')::double precision ^ 2,
		(d.evidence->>'tau_squared')::double precision,
		churnops.tau_squared(a.variance * 2 / (d.config->>'harm_planned_rows')::double precision, alpha));
	test := churnops.sequential(a.n, a.loss, a.variance, b.n, b.loss, b.variance, tau_squared, alpha);
	p := coalesce((d.evidence->>'harm_p')::double precision, 1);
	IF test.difference > 0 THEN
		p := least(p, test.p);
	END IF;
	UPDATE churnops.deployment AS u
	SET evidence = jsonb_build_object('tau_squared', tau_squared, 'harm_p', p)
	WHERE u.deployment = d.deployment;
	RETURN numbers || jsonb_build_object('harm', test.difference, 'harm_margin', test.margin,
		'harm_p', p, 'tau_squared', tau_squared);
END
$$;
COMMENT ON FUNCTION churnops.harm_numbers(churnops.deployment) IS
'Loss of the candidate beyond the champion''s by the sequential test, from the first look with enough '
'outcomes on; keeps the least p of the looks at which the candidate was worse.';

CREATE FUNCTION churnops.deployment_numbers(d churnops.deployment) RETURNS jsonb
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	a jsonb := churnops.arm_numbers(d, 'champion');
	b jsonb := churnops.arm_numbers(d, 'candidate');
	error_test record;
BEGIN
	error_test := churnops.fisher((a->>'errors')::double precision, (a->>'rows')::double precision,
		(b->>'errors')::double precision, (b->>'rows')::double precision);
	RETURN jsonb_build_object('weight', d.weight, 'champion', a, 'candidate', b,
			'error_p', error_test.greater,
			'sample_ratio_p', churnops.sample_ratio((a->>'keys')::double precision,
				(b->>'keys')::double precision, d.weight))
		|| churnops.shift_numbers(d) || churnops.harm_numbers(d);
END
$$;
COMMENT ON FUNCTION churnops.deployment_numbers(churnops.deployment) IS
'Everything that a canary or linear deployment is judged by.';

CREATE FUNCTION churnops.shadow_numbers(d churnops.deployment) RETURNS jsonb
LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	-- Both answers to a row by grouping: no plan of this depends on estimates.
	WITH pairs AS (
		SELECT max(l.prediction) FILTER (WHERE l.arm = 'champion') AS champion,
			max(l.prediction) FILTER (WHERE l.arm = 'shadow') AS candidate,
			max(l.class) FILTER (WHERE l.arm = 'champion') AS champion_class,
			max(l.class) FILTER (WHERE l.arm = 'shadow') AS candidate_class,
			max(l.latency) FILTER (WHERE l.arm = 'champion') AS champion_latency,
			max(l.latency) FILTER (WHERE l.arm = 'shadow') AS candidate_latency,
			max(l.error) AS error
		FROM churnops.prediction_log AS l
		WHERE l.model = d.model AND l.logged_at >= d.started_at
			AND (l.arm = 'champion' OR l.arm = 'shadow' AND l.deployment = d.deployment)
		GROUP BY l.batch, l.place
		HAVING bool_or(l.arm = 'champion') AND bool_or(l.arm = 'shadow')),
	arms AS (
		SELECT count(*) AS n, count(error) AS errors,
			percentile_cont(0.95) WITHIN GROUP (ORDER BY champion_latency) AS champion_p95,
			percentile_cont(0.95) WITHIN GROUP (ORDER BY candidate_latency) AS candidate_p95,
			coalesce(array_agg(champion) FILTER (WHERE error IS NULL), '{}') AS champion,
			coalesce(array_agg(candidate) FILTER (WHERE error IS NULL), '{}') AS candidate,
			coalesce(array_agg(champion_class) FILTER (WHERE error IS NULL), '{}') AS champion_class,
			coalesce(array_agg(candidate_class) FILTER (WHERE error IS NULL), '{}') AS candidate_class
		FROM pairs)
	SELECT jsonb_build_object('rows', a.n, 'errors', a.errors, 'champion_latency_p95', a.champion_p95,
			'candidate_latency_p95', a.candidate_p95)
		|| coalesce((SELECT jsonb_object_agg(g.metric, g.value)
			FROM churnops.agreement(a.champion, a.candidate, a.champion_class, a.candidate_class) AS g
			WHERE g.logged IS NULL), '{}')
	FROM arms AS a
$$;
COMMENT ON FUNCTION churnops.shadow_numbers(churnops.deployment) IS
'How far a shadow agrees with the champion on the same rows.';

CREATE FUNCTION churnops.reason_to_roll_back(d churnops.deployment, numbers jsonb) RETURNS text
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	c record;			-- settings
	a record;			-- champion
	b record;			-- candidate
	error_limit double precision;
	obstacle text := churnops.obstacle(d.model, d.version);
BEGIN
	SELECT * INTO STRICT c FROM jsonb_to_record(d.config) AS r(
		error_share double precision, error_ratio double precision, error_p double precision,
		error_rows double precision, null_share double precision, latency_ratio double precision,
		latency_ms double precision, shift_psi double precision, shift_p double precision,
		harm_p double precision);
	SELECT * INTO STRICT a FROM jsonb_to_record(numbers->'champion') AS r(
		rows double precision, errors double precision, latency_p95 double precision);
	SELECT * INTO STRICT b FROM jsonb_to_record(numbers->'candidate') AS r(
		rows double precision, errors double precision, nulls double precision,
		latency_p95 double precision);
	error_limit := greatest(c.error_share, c.error_ratio * a.errors / nullif(a.rows, 0));

	RETURN CASE
		WHEN obstacle IS NOT NULL
			THEN format('version %s %s', d.version, obstacle)
		WHEN b.rows >= c.error_rows AND c.error_share IS NOT NULL AND b.errors > 0
				AND b.errors / b.rows >= error_limit AND (numbers->>'error_p')::double precision < c.error_p
			THEN format('the candidate cannot score %s of %s rows', b.errors, b.rows)
		WHEN b.rows >= c.error_rows AND b.nulls / b.rows > c.null_share
			THEN format('the candidate has no prediction for %s of %s rows', b.nulls, b.rows)
		WHEN b.rows >= c.error_rows AND b.latency_p95 > c.latency_ratio * a.latency_p95
				AND b.latency_p95 > c.latency_ms * 1000
			THEN format('95 %% of the rows take the candidate up to %s microseconds, the champion %s',
				round(b.latency_p95), round(a.latency_p95))
		WHEN (numbers->>'psi')::double precision >= c.shift_psi
				AND (numbers->>'psi_p')::double precision < c.shift_p
			THEN format('predictions are distributed differently: PSI %s',
				round((numbers->>'psi')::numeric, 3))
		WHEN (numbers->>'harm')::double precision > 0 AND (numbers->>'harm_p')::double precision < c.harm_p
			THEN format('the candidate does worse on known outcomes: loss %s instead of %s',
				round((numbers->>'candidate_loss')::numeric, 4), round((numbers->>'champion_loss')::numeric, 4))
	END;
END
$$;
COMMENT ON FUNCTION churnops.reason_to_roll_back(churnops.deployment, jsonb) IS
'The first rule that the numbers of a deployment break; NULL if they break none.';

CREATE FUNCTION churnops.advance_deployment(d churnops.deployment, numbers jsonb, caller name)
RETURNS churnops.tick_row
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	due timestamp with time zone := d.step_at + make_interval(secs => (d.config->>'seconds')::double precision);
	least_rows double precision := (d.config->>'min_rows')::double precision;
	n_rows double precision := (numbers->'candidate'->>'rows')::double precision;
	-- Steps of 0.2 must end at 1 in spite of rounding.
	next_weight double precision := CASE d.strategy WHEN 'canary' THEN 1
		ELSE round((d.weight + (d.config->>'step')::double precision)::numeric, 9) END;
	why text;
BEGIN
	IF clock_timestamp() < due THEN
		RETURN (d.model, d.deployment, 'waiting'::text, format('the next step is due at %s', due), numbers);
	END IF;
	IF n_rows < least_rows THEN
		RETURN (d.model, d.deployment, 'waiting'::text,
			format('the candidate has scored %s logged rows of at least %s', n_rows, least_rows), numbers);
	END IF;
	IF next_weight >= 1 THEN
		why := format('%s seconds at a share of %s without a reason against it',
			d.config->>'seconds', d.weight);
		PERFORM churnops.make_champion(d.deployment, caller, why, numbers);
		RETURN (d.model, d.deployment, 'promoted'::text, why, numbers);
	END IF;
	why := format('from a share of %s to %s', d.weight, next_weight);
	PERFORM churnops.decide_deployment(d.deployment, 'advanced', 'running', next_weight, caller, why, numbers);
	RETURN (d.model, d.deployment, 'advanced'::text, why, numbers);
END
$$;
COMMENT ON FUNCTION churnops.advance_deployment(churnops.deployment, jsonb, name) IS
'Takes the next step of a deployment that nothing speaks against, one at most, when it is due.';

CREATE FUNCTION churnops.judge_deployment(d churnops.deployment, caller name)
RETURNS churnops.tick_row
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	numbers jsonb;
	why text;
	is_blocked boolean;
BEGIN
	IF d.strategy = 'shadow' THEN
		RETURN (d.model, d.deployment, 'observed'::text, 'a shadow answers nobody'::text, churnops.shadow_numbers(d));
	END IF;
	numbers := churnops.deployment_numbers(d);
	why := churnops.reason_to_roll_back(d, numbers);
	IF why IS NOT NULL THEN
		PERFORM churnops.decide_deployment(d.deployment, 'rolled_back', 'rolled_back', 0, caller, why, numbers);
		RETURN (d.model, d.deployment, 'rolled_back'::text, why, numbers);
	END IF;

	SELECT e.decision = 'blocked' INTO is_blocked FROM churnops.deployment_event AS e
	WHERE e.deployment = d.deployment ORDER BY e.event DESC LIMIT 1;
	IF (numbers->>'sample_ratio_p')::double precision < (d.config->>'srm_p')::double precision THEN
		why := format('%s keys of the candidate and %s of the champion do not fit a share of %s: the log is not complete',
			numbers->'candidate'->>'keys', numbers->'champion'->>'keys', d.weight);
		IF NOT is_blocked THEN
			PERFORM churnops.decide_deployment(d.deployment, 'blocked', 'running', d.weight, caller, why, numbers);
		END IF;
		RETURN (d.model, d.deployment, 'blocked'::text, why, numbers);
	END IF;
	IF is_blocked THEN
		PERFORM churnops.decide_deployment(d.deployment, 'unblocked', 'running', d.weight, caller,
			'the keys of both arms fit the share again', numbers);
	END IF;
	RETURN churnops.advance_deployment(d, numbers, caller);
END
$$;
COMMENT ON FUNCTION churnops.judge_deployment(churnops.deployment, name) IS
'Decides about one running deployment: roll back, block, or go on. The caller holds the lock on the model.';

CREATE FUNCTION churnops.tick(caller name, model_name text) RETURNS SETOF churnops.tick_row
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	m record;
	id bigint;
	d churnops.deployment;
	judged churnops.tick_row;
BEGIN
	IF model_name IS NOT NULL THEN
		PERFORM churnops.check_name(model_name, 'model');
		PERFORM churnops.require_right(caller, model_name, 'deploy', 'champion');
	END IF;
	FOR m IN
		SELECT r.model FROM (SELECT DISTINCT x.model FROM churnops.deployment AS x
			WHERE x.status = 'running' AND (model_name IS NULL OR x.model = model_name)) AS r
		WHERE churnops.has_right(caller, r.model, 'deploy', 'champion') ORDER BY r.model
	LOOP
		-- Two ticks at once: the second one has nothing to decide.
		PERFORM FROM churnops.model AS l WHERE l.name = m.model FOR NO KEY UPDATE SKIP LOCKED;
		IF NOT FOUND THEN
			RETURN NEXT (m.model, NULL, 'busy', 'another transaction is changing the model', '{}')::churnops.tick_row;
			CONTINUE;
		END IF;
		FOR id IN
			SELECT r.deployment FROM churnops.deployment AS r
			WHERE r.model = m.model AND r.status = 'running' ORDER BY r.deployment
		LOOP
			-- One that became champion has ended those after it.
			SELECT * INTO d FROM churnops.deployment AS r WHERE r.deployment = id AND r.status = 'running';
			CONTINUE WHEN NOT FOUND;
			-- What cannot be counted for one must not keep the others from a rollback.
			BEGIN
				judged := churnops.judge_deployment(d, caller);
			EXCEPTION WHEN data_exception THEN
				judged := (m.model, id, 'failed', SQLERRM, '{}')::churnops.tick_row;
				RAISE WARNING 'deployment % of model "%" cannot be judged: %', id, m.model, SQLERRM;
			END;
			RETURN NEXT judged;
		END LOOP;
	END LOOP;
	IF model_name IS NOT NULL OR EXISTS (
		SELECT FROM churnops.model AS o WHERE churnops.has_right(caller, o.name, 'deploy', 'champion'))
	THEN
		PERFORM churnops.maintain_prediction_log();
	END IF;
END
$$;
COMMENT ON FUNCTION churnops.tick(name, text) IS
'churnops_tick on behalf of a role.';
