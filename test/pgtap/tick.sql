-- The tick: steps, automatic rollback and its numbers, on a made-up log
BEGIN;
\ir include/setup.sql
SELECT no_plan();

CREATE ROLE churnops_alice;
CREATE ROLE churnops_bob;
SELECT pg_temp.register('churn', 'churnops_alice', '{"options": {"key": ["id"]}}');
SELECT pg_temp.register('churn', 'churnops_alice') FROM generate_series(2, 4);

CREATE FUNCTION pg_temp.last() RETURNS bigint LANGUAGE sql
AS 'SELECT max(deployment) FROM churnops.deployment';
-- Deploy anew, whatever runs; returns nothing to see.
CREATE FUNCTION pg_temp.canary(config jsonb DEFAULT '{}') RETURNS void LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM churnops.cancel_deployment('churnops_alice', deployment, NULL) FROM churnops.deployment WHERE status = 'running';
	PERFORM churnops.deploy('churnops_alice', 'churn', 2, 'canary', '{"weight": 0.5, "cool_down": 0}'::jsonb || config, NULL);
END $$;
-- n rows of an arm of the latest deployment, their predictions spread from low to high.
CREATE FUNCTION pg_temp.log(
	arm_name text, n integer, low float8 DEFAULT 0, high float8 DEFAULT 1, slow float8 DEFAULT 10, n_errors integer DEFAULT 0,
	n_nulls integer DEFAULT 0)
RETURNS void LANGUAGE sql
AS $$
	INSERT INTO churnops.prediction_log (logged_at, batch, place, model, version, arm, deployment, weight, salt, share, key, prediction,
		class, latency, error, scored_by)
	SELECT clock_timestamp(), 1, i, 'churn', CASE arm_name WHEN 'champion' THEN 1 ELSE 2 END, arm_name, pg_temp.last(), 0.5, 'x',
		CASE arm_name WHEN 'champion' THEN 0.5 ELSE 0 END + i / (2.0 * n + 2),
		jsonb_build_object('id', format('%s %s', arm_name, i)),
		CASE WHEN i > n_nulls THEN low + (high - low) * i / (n + 1) END, CASE WHEN i > n_nulls THEN 'no' END, slow * 1000 + i % 10,
		CASE WHEN i <= n_errors THEN 'broken' END, 'churnops_alice'
	FROM generate_series(1, n) AS i
$$;
CREATE FUNCTION pg_temp.tick() RETURNS text LANGUAGE sql
AS $$SELECT format('%s: %s', decision, reason) FROM churnops.tick('churnops_alice', 'churn') AS t WHERE t.deployment = pg_temp.last()$$;

-- Who may

SELECT is(pg_temp.error_as('churnops_bob', $$SELECT churnops_tick('churn')$$),
	E'42704\nmodel "churn" does not exist\nModels you may use are listed in the view churnops.models.', 'a stranger''s tick of a model');
SELECT is(pg_temp.error_as('churnops_bob', $$SELECT churnops_tick('Churn')$$),
	E'42602\ninvalid model name "Churn"\nA name is a lower-case letter followed by up to 62 lower-case letters, digits, underscores, dots or hyphens.\nChoose a name like churn_2026.',
	'a bad name');
SELECT is_empty($$SELECT * FROM churnops_tick()$$, 'nothing is running');
SELECT pg_temp.canary();
SELECT is(pg_temp.value_as('churnops_bob', 'SELECT count(*) FROM churnops_tick()'), '0', 'a stranger''s tick decides about nothing');
SELECT is(pg_temp.value_as('churnops_alice', 'SELECT decision FROM churnops_tick()'), 'waiting', 'the owner''s does');

-- Steps

SELECT matches(pg_temp.tick(), '^waiting: the next step is due at ', 'a canary that is not due');
SELECT is((SELECT count(*) FROM churnops.deployment_event WHERE deployment = pg_temp.last()), 1::bigint, 'waiting is no event');
SELECT pg_temp.canary('{"seconds": 0, "min_rows": 10}');
SELECT is(pg_temp.tick(), 'waiting: the candidate has scored 0 logged rows of at least 10', 'one that needs rows');
SELECT pg_temp.log('champion', 100), pg_temp.log('candidate', 100);
SELECT is(pg_temp.tick(), 'promoted: 0 seconds at a share of 0.5 without a reason against it', 'and has them');
SELECT is((SELECT version FROM churnops.alias WHERE model = 'churn' AND alias = 'champion'), 2, 'is champion');
SELECT is((SELECT reason FROM churnops.alias_event ORDER BY event DESC LIMIT 1),
	format('deployment %s: 0 seconds at a share of 0.5 without a reason against it', pg_temp.last()), 'the alias tells why');
SELECT row_eq($$SELECT numbers->'candidate'->>'rows', numbers->'champion'->>'keys', (numbers->>'sample_ratio_p')::float8,
		(numbers->>'psi')::float8, (numbers->>'error_p')::float8 FROM churnops.deployment_event WHERE decision = 'promoted' AND deployment = pg_temp.last()$$,
	ROW('100'::text, '100'::text, 1::float8, 0::float8, 1::float8), 'and the event its numbers');
SELECT churnops.promote('churnops_alice', 'churn/1', 'champion', NULL);

SELECT churnops.deploy('churnops_alice', 'churn', 2, 'linear', '{"step": 0.4, "seconds": 0}', NULL);
SELECT is(pg_temp.tick(), 'advanced: from a share of 0.4 to 0.8', 'a linear deployment advances');
SELECT is((SELECT weight FROM churnops.deployments WHERE deployment = pg_temp.last()), 0.8::float8, 'by its step');
SELECT is(pg_temp.tick(), 'promoted: 0 seconds at a share of 0.8 without a reason against it', 'until it is champion');
SELECT results_eq($$SELECT decision COLLATE "default", weight FROM churnops.deployment_event WHERE deployment = pg_temp.last() ORDER BY event$$,
	$$VALUES ('started'::text, 0.4::float8), ('advanced', 0.8), ('promoted', 1)$$, 'with an event for each');
SELECT churnops.promote('churnops_alice', 'churn/1', 'champion', NULL);

-- Rules of rollback

SELECT pg_temp.canary('{"seconds": 0}');
SELECT pg_temp.log('champion', 1000), pg_temp.log('candidate', 200, n_errors => 10);
SELECT is(pg_temp.tick(), 'rolled_back: the candidate cannot score 10 of 200 rows', 'errors');
SELECT results_eq($$SELECT status COLLATE "default", weight, last_decision COLLATE "default", (last_numbers->>'error_p')::float8 < 0.01 FROM churnops.deployments WHERE deployment = pg_temp.last()$$,
	$$VALUES ('rolled_back'::text, 0::float8, 'rolled_back'::text, true)$$, 'it is over');
SELECT is(regexp_replace(pg_temp.error_as('churnops_alice', $$SELECT churnops_deploy('churn', 2, 'linear')$$), 'deployment [0-9]+', 'deployment N'),
	E'55000\nversion 2 of model "churn" was rolled back by deployment N\nThe view churnops.deployments says why. It can be deployed again 86400 seconds later.\nTo deploy it all the same, give the setting "cool_down": 0.',
	'and is not tried again at once');
SELECT is((SELECT version FROM churnops.alias WHERE model = 'churn' AND alias = 'champion'), 1, 'the champion has stayed');
SELECT pg_temp.canary();
SELECT pg_temp.log('champion', 1000, n_errors => 20), pg_temp.log('candidate', 1000, n_errors => 45);
SELECT matches(pg_temp.tick(), '^waiting', 'errors that the champion has too');
SELECT pg_temp.canary();
SELECT pg_temp.log('champion', 49), pg_temp.log('candidate', 49, n_errors => 9);
SELECT matches(pg_temp.tick(), '^waiting', 'too few rows');
SELECT pg_temp.canary('{"error_share": null, "shift_psi": null}');
SELECT pg_temp.log('champion', 1000), pg_temp.log('candidate', 1000, n_errors => 500);
SELECT matches(pg_temp.tick(), '^waiting', 'a rule that is off');

SELECT pg_temp.canary();
SELECT pg_temp.log('champion', 400), pg_temp.log('candidate', 400, n_nulls => 3);
SELECT is(pg_temp.tick(), 'rolled_back: the candidate has no prediction for 3 of 400 rows', 'missing predictions');

SELECT pg_temp.canary();
SELECT pg_temp.log('champion', 400), pg_temp.log('candidate', 400, slow => 25);
SELECT is(pg_temp.tick(), 'rolled_back: 95 % of the rows take the candidate up to 25009 microseconds, the champion 10009', 'latency');
SELECT pg_temp.canary();
SELECT pg_temp.log('champion', 400, slow => 1), pg_temp.log('candidate', 400, slow => 19);
SELECT matches(pg_temp.tick(), '^waiting', 'a latency that hurts nobody');

SELECT pg_temp.canary();
SELECT pg_temp.log('champion', 400), pg_temp.log('candidate', 400, low => 0.3, high => 1.2);
SELECT matches(pg_temp.tick(), '^rolled_back: predictions are distributed differently: PSI [0-9.]+$', 'shift');
SELECT pg_temp.canary();
SELECT pg_temp.log('champion', 20), pg_temp.log('candidate', 20, low => 0.3, high => 1);
SELECT matches(pg_temp.tick(), '^waiting', 'a shift that chance explains');

SELECT pg_temp.canary();
SELECT churnops.decide_deployment(pg_temp.last(), 'advanced', 'running', 0.5, 'churnops_alice', NULL, '{}');
INSERT INTO churnops.version_event (model, version, status, changed_by, changed_at) VALUES ('churn', 2, 'rejected', 'churnops_alice', clock_timestamp());
SELECT is(pg_temp.tick(), 'rolled_back: version 2 is rejected, not approved', 'a version that lost its approval');
INSERT INTO churnops.version_event (model, version, status, changed_by, changed_at) VALUES ('churn', 2, 'approved', 'churnops_alice', clock_timestamp());

-- Sample ratio: blocked, neither on nor back

SELECT pg_temp.canary('{"seconds": 0}');
SELECT pg_temp.log('champion', 1000), pg_temp.log('candidate', 800);
SELECT is(pg_temp.tick(), 'blocked: 800 keys of the candidate and 1000 of the champion do not fit a share of 0.5: the log is not complete', 'sample ratio');
SELECT matches(pg_temp.tick(), '^blocked', 'and still');
SELECT results_eq($$SELECT decision COLLATE "default", round((numbers->>'sample_ratio_p')::numeric, 8) FROM churnops.deployment_event
	WHERE deployment = pg_temp.last() ORDER BY event$$, $$VALUES ('started'::text, NULL::numeric), ('blocked', 0.00000243)$$, 'is one event');
INSERT INTO churnops.prediction_log (logged_at, batch, place, model, version, arm, deployment, share, prediction, scored_by)
SELECT clock_timestamp(), 2, i, 'churn', 2, 'candidate', pg_temp.last(), -i, i / 180.0, 'churnops_alice' FROM generate_series(1, 180) AS i;
SELECT matches(pg_temp.tick(), '^promoted', 'the missing rows come');
SELECT is((SELECT array_agg(decision ORDER BY event) FROM churnops.deployment_event WHERE deployment = pg_temp.last())::text,
	'{started,blocked,unblocked,promoted}', 'and it goes on');
SELECT churnops.promote('churnops_alice', 'churn/1', 'champion', NULL);

-- Harm on known outcomes: the candidate says yes where the champion says no, and nobody leaves

CREATE FUNCTION pg_temp.outcomes(arm_name text, n integer, n_yes integer) RETURNS void LANGUAGE sql
AS $$
	INSERT INTO churnops.outcome (model, key, actual, at, recorded_by, recorded_at)
	SELECT 'churn', jsonb_build_object('id', format('%s %s', arm_name, i)), CASE WHEN i <= n_yes THEN 'yes' ELSE 'no' END, now(), 'x', now()
	FROM generate_series(1, n) AS i
$$;
SELECT pg_temp.canary('{"shift_psi": null}');
SELECT pg_temp.log('champion', 400, 0.2, 0.3), pg_temp.log('candidate', 400, 0.6, 0.7);
SELECT pg_temp.outcomes('champion', 99, 20), pg_temp.outcomes('candidate', 99, 20);
SELECT matches(pg_temp.tick(), '^waiting', 'too few outcomes');
SELECT is((SELECT evidence FROM churnops.deployment WHERE deployment = pg_temp.last()), '{}', 'are not looked at');
SELECT pg_temp.outcomes('champion', 400, 80), pg_temp.outcomes('candidate', 400, 80);
SELECT is(pg_temp.tick(), 'rolled_back: the candidate does worse on known outcomes: loss 0.3793 instead of 0.1793', 'harm');
SELECT ok((last_numbers->>'harm_p')::float8 < 0.01 AND (last_numbers->>'harm')::float8 BETWEEN 0.19 AND 0.21
	AND last_numbers ? 'harm_margin' AND last_numbers ? 'tau_squared', 'with its numbers') FROM churnops.deployments WHERE deployment = pg_temp.last();
SELECT pg_temp.canary('{"shift_psi": null}');
SELECT pg_temp.log('champion', 400, 0.6, 0.7), pg_temp.log('candidate', 400, 0.2, 0.3);
SELECT matches(pg_temp.tick(), '^waiting', 'the other way round it is no harm');
SELECT is((SELECT (evidence->>'harm_p')::float8 FROM churnops.deployment WHERE deployment = pg_temp.last()), 1::float8, 'whatever the difference');
SELECT pg_temp.canary('{"shift_psi": null, "harm_p": null}');
SELECT pg_temp.log('champion', 400, 0.2, 0.3), pg_temp.log('candidate', 400, 0.6, 0.7);
SELECT matches(pg_temp.tick(), '^waiting', 'the rule is off');

-- Shadows are observed

SELECT churnops.deploy('churnops_alice', 'churn', 3, 'shadow', '{}', NULL);
INSERT INTO churnops.prediction_log (logged_at, batch, place, model, version, arm, deployment, prediction, class, latency, error, scored_by)
SELECT now() + interval '1 hour', 7, i, 'churn', v, a, d, i / 100.0 + (v = 3 AND i <> 9)::integer / 100.0, CASE WHEN i > 50 + v THEN 'yes' ELSE 'no' END, v,
	CASE WHEN v = 3 AND i = 9 THEN 'broken' END, 'x'
FROM generate_series(1, 100) AS i, (VALUES (1, 'champion', NULL), (3, 'shadow', pg_temp.last())) AS t(v, a, d);
SELECT row_eq($$SELECT decision, numbers->>'rows', numbers->>'errors', round((numbers->>'mean_difference')::numeric, 6), numbers->>'champion_latency_p95',
		numbers->>'candidate_latency_p95', round((numbers->>'agreement')::numeric, 6), round((numbers->>'pearson')::numeric, 6)
	FROM churnops.tick('churnops_alice', 'churn') WHERE deployment = pg_temp.last()$$,
	ROW('observed'::text, '99'::text, '1'::text, 0.01::numeric, '1'::text, '3'::text, 0.979798::numeric, 1::numeric), 'a shadow is compared row by row');
SELECT is((SELECT count(*) FROM churnops.tick('churnops_alice', 'churn')), 2::bigint, 'beside a canary');
SELECT is((SELECT count(*) FROM churnops.deployment_event WHERE deployment = pg_temp.last()), 1::bigint, 'and nothing is decided');

UPDATE churnops.prediction_log SET prediction = prediction * 1e300 WHERE batch = 7;
SET LOCAL client_min_messages = error;
SELECT results_eq($$SELECT decision, CASE decision WHEN 'failed' THEN reason END FROM churnops.tick('churnops_alice', 'churn') ORDER BY deployment DESC$$,
	$$VALUES ('failed'::text, 'value out of range: overflow'::text), ('waiting', NULL)$$, 'what cannot be counted stops no other');
RESET client_min_messages;
SET LOCAL session_replication_role = replica;
UPDATE churnops.model SET task = 'regression' WHERE name = 'churn';
SET LOCAL session_replication_role = origin;
UPDATE churnops.prediction_log SET prediction = prediction * 1e300 WHERE model = 'churn' AND batch <> 7;
UPDATE churnops.outcome SET actual = '1' WHERE model = 'churn';
SELECT results_eq($$SELECT arm COLLATE "default", loss BETWEEN 0.99e140 AND 1.01e140 FROM churnops.deployment AS d, churnops.losses(d) WHERE d.status = 'running' AND d.strategy = 'canary' ORDER BY 1$$,
	$$VALUES ('candidate'::text, true), ('champion', true)$$, 'a canary''s losses have a limit');

-- The library's tests, as the catalogue calls them

SELECT is(round(psi::numeric, 10), 0.0393730638, 'T3: PSI') FROM churnops.shift_of_counts('{100,100,100,100,100,100,100,100,100,100}', '{60,80,90,100,110,120,130,110,100,100}');
SELECT is(round(p::numeric, 8), 0.06486027, 'T7: sequential test') FROM churnops.sequential(2000, 0.1, 0.09, 2000, 0.13, 0.1131, 0.0004, 0.05);
SELECT is(round(greater::numeric, 10), 0.0281613349, 'Fisher') FROM churnops.fisher(3, 100, 9, 80);
SELECT is(round(low::numeric, 10), 0.7863976856, 'T2: Wilson') FROM churnops.wilson(45, 50);
SELECT is(churnops.nearest_name('wieght', '{seconds,weight}'), 'weight', 'the nearest name');
SELECT is(churnops.nearest_name('colour', '{seconds,weight}'), NULL, 'none is near');

SELECT * FROM finish();
ROLLBACK;
