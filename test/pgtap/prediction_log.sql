-- The prediction log: what churnops_score writes, who reads it, replay, partitions
BEGIN;
\ir include/setup.sql
SELECT no_plan();

CREATE ROLE churnops_alice;
CREATE ROLE churnops_bob;
CREATE ROLE churnops_carol;
GRANT churnops_alice TO CURRENT_USER;
CREATE TABLE customers AS
SELECT id, id % 7 AS x, CASE id % 3 WHEN 0 THEN 'a' WHEN 1 THEN 'b' END AS plan,
	timestamptz '2024-01-01 00:00+00' + id * interval '1 hour' AS since, CASE WHEN id % 7 > 3 THEN 'yes' ELSE 'no' END AS churned
FROM generate_series(1, 1000) AS id;
GRANT SELECT ON customers TO churnops_alice;
SET LOCAL ROLE churnops_alice;
SELECT ref FROM churnops_train('churn', 'customers', 'churned', '{"n_estimators": 5}', key => '{id}', exclude => '{since}');
SELECT ref FROM churnops_train('churn', 'customers', 'churned', '{"n_estimators": 5, "max_depth": 1}', key => '{id}');
SELECT ref FROM churnops_train('churn', 'SELECT *, x + 1 AS more FROM customers', 'churned', '{"n_estimators": 5}', key => '{id}');
RESET ROLE;
CREATE FUNCTION pg_temp.last() RETURNS bigint LANGUAGE sql
AS 'SELECT max(batch) FROM churnops.prediction_log';

-- One champion

SET LOCAL ROLE churnops_alice;
SELECT results_eq($$SELECT count(*), min(version), min(arm) FROM churnops_score('churn', 'customers', '{id}', true)$$,
	$$VALUES (1000::bigint, 1, 'champion'::text)$$, 'scored and logged');
SELECT results_eq($$SELECT (key->>'id')::integer, prediction, class, version, arm COLLATE "default", place FROM churnops.predictions ORDER BY place$$,
	$$SELECT (key->>'id')::integer, prediction, class, version, arm, row_number() OVER ()::integer FROM churnops_score('churn', 'customers', '{id}')$$,
	'the log has what was returned');
SELECT results_eq($$SELECT count(*), count(DISTINCT logged_at), count(DISTINCT batch), count(deployment), count(share), count(error), min(scored_by COLLATE "default"),
		bool_and(latency > 0), bool_and(features ?& '{id,x,plan,since,churned}'), max(model COLLATE "default") FROM churnops.predictions$$,
	$$VALUES (1000::bigint, 1::bigint, 1::bigint, 0::bigint, 0::bigint, 0::bigint, 'churnops_alice'::text, true, true, 'churn'::text)$$,
	'with the call, the row and the time it took');
SELECT is((SELECT count(*) FROM churnops_score('churn/2', 'SELECT * FROM customers LIMIT 10', log => true)), 10::bigint, 'a version by number');
SELECT results_eq($$SELECT DISTINCT version, arm COLLATE "default", deployment FROM churnops.predictions WHERE version = 2$$,
	$$VALUES (2, NULL::text, NULL::bigint)$$, 'has no arm');
SELECT is((SELECT key FROM churnops.predictions WHERE version = 2 AND place = 1), '{"id": 1}', 'without a key, that of the training is logged');
SELECT is((SELECT count(*) FROM churnops_score('churn', 'SELECT x, plan FROM customers LIMIT 10', log => true)), 10::bigint, 'rows without it');
SELECT is((SELECT count(*) FROM churnops.predictions WHERE key IS NULL), 10::bigint, 'have no key in the log');
SELECT is((SELECT count(*) FROM churnops_score('churn', 'SELECT * FROM customers WHERE false', '{id}', true)), 0::bigint, 'no rows');
SET LOCAL churnops.log_features = off;
SELECT is((SELECT count(*) FROM churnops_score('churn', 'SELECT * FROM customers LIMIT 3', '{id,plan}', true)), 3::bigint, 'without features');
SELECT results_eq('SELECT key, features FROM churnops.predictions WHERE batch = (SELECT max(batch) FROM churnops.predictions) ORDER BY place',
	$$VALUES ('{"id": 1, "plan": "b"}'::jsonb, NULL::jsonb), ('{"id": 2, "plan": null}', NULL), ('{"id": 3, "plan": "a"}', NULL)$$,
	'the log keeps the key alone');
SET LOCAL churnops.log_features = on;

-- Who reads it

RESET ROLE;
INSERT INTO churnops.privilege VALUES ('churn', 'churnops_carol', 'predict', '', 'churnops_alice', now());
SELECT is(pg_temp.value_as('churnops_bob', 'SELECT count(*) FROM churnops.predictions'), '0', 'a stranger reads nothing');
SELECT is(pg_temp.value_as('churnops_carol', 'SELECT count(*) FROM churnops.predictions'), '0', 'nor does who may only predict');
INSERT INTO churnops.privilege VALUES ('churn', 'churnops_carol', 'read', '', 'churnops_alice', now());
SELECT is(pg_temp.value_as('churnops_carol', 'SELECT count(*) FROM churnops.predictions WHERE version = 2'), '10', 'but who may read');
SELECT matches(pg_temp.error_as('churnops_carol', 'SELECT count(*) FROM churnops.prediction_log'), '^42501\n', 'the table is the owner''s');
SELECT matches(pg_temp.error_as('churnops_carol', 'INSERT INTO churnops.prediction_log_default SELECT * FROM churnops.predictions'), '^42501\n',
	'and cannot be forged');

-- Refusals

SELECT throws_ok($$SELECT set_config('transaction_read_only', 'on', true); SELECT * FROM churnops_score('churn', 'customers', log => true)$$,
	'25006', 'cannot execute churnops_score(log => true) in a read-only transaction', 'a read-only transaction');
SELECT throws_ok($$SELECT * FROM churnops_score('churn', 'SELECT 1 AS x', log => true)$$, '42703',
	'the query has no column "plan", which model "churn" needs', 'rows that the champion cannot score');

-- A candidate and shadows; one of them lacks a column

SELECT churnops_deploy('churn', 3, 'canary', '{"weight": 0.5, "new_columns": true}') AS canary \gset
SELECT churnops_deploy('churn', 2, 'shadow') AS shadow \gset
SELECT throws_ok($$SELECT * FROM churnops_score('churn', 'customers')$$, '42703', 'the query has no column "more", which model "churn" needs',
	'unlogged, a candidate''s missing column is an error');
SELECT results_eq($$SELECT DISTINCT version, arm FROM churnops_score('churn', 'customers', '{id}', true) ORDER BY 1$$,
	$$VALUES (1, 'champion'::text)$$, 'logged, the champion answers for it');
CREATE TEMPORARY VIEW last AS SELECT * FROM churnops.prediction_log WHERE batch = pg_temp.last();
SELECT results_eq($$SELECT arm COLLATE "default", version, deployment = (SELECT d.deployment FROM churnops.deployment AS d WHERE d.strategy = 'canary'), error, count(*) > 400, bool_and((share < weight) = (arm = 'candidate')),
		bool_and(share = churnops_route(salt, key)), bool_and(prediction IS NOT NULL)
	FROM last WHERE arm <> 'shadow' GROUP BY 1, 2, 3, 4 ORDER BY 1$$,
	$$VALUES ('candidate'::text, 1, true, 'Column "more" is missing.'::text, true, true, true, true), ('champion', 1, true, NULL, true, true, true, true)$$,
	'which the log tells; arms follow from it');
SELECT results_eq($$SELECT version, deployment = (SELECT d.deployment FROM churnops.deployment AS d WHERE d.strategy = 'shadow'), count(*), count(features), count(share), count(weight) FROM last WHERE arm = 'shadow' GROUP BY 1, 2$$,
	$$VALUES (2, true, 1000::bigint, 0::bigint, 0::bigint, 0::bigint)$$, 'the shadow scored every row');
SELECT set_eq($$SELECT key->>'id', prediction FROM last WHERE arm = 'shadow'$$,
	$$SELECT id::text, churnops_predict('churn/2', c) FROM customers AS c$$, 'as its version does');
SELECT is((SELECT count(*) FROM churnops_score('churn', 'SELECT *, x + 1 AS more FROM customers', '{id}', true) WHERE arm = 'candidate' AND version = 3),
	(SELECT count(*) FROM customers WHERE churnops_route(:'canary', jsonb_build_object('id', id)) < 0.5), 'with the column, the candidate answers');
SELECT results_eq($$SELECT arm COLLATE "default", version, count(error) FROM last GROUP BY 1, 2 ORDER BY 1$$,
	$$VALUES ('candidate'::text, 3, 0::bigint), ('champion', 1, 0), ('shadow', 2, 0)$$, 'without an error');
SELECT set_eq($$SELECT key->>'id', prediction FROM last WHERE arm <> 'shadow'$$,
	$$SELECT id::text, churnops_predict('churn', c) FROM (SELECT *, x + 1 AS more FROM customers) AS c$$, 'predict has the same arms');
SELECT is((SELECT count(*) FROM churnops_score('churn', 'SELECT id, x, plan, x + 1 AS more FROM customers', '{id}', true)), 1000::bigint,
	'a shadow that lacks a column');
SELECT results_eq($$SELECT error, count(*), count(prediction), count(latency) FROM last WHERE arm = 'shadow' GROUP BY 1$$,
	$$VALUES ('Column "since" is missing.'::text, 1000::bigint, 0::bigint, 0::bigint)$$, 'disturbs nobody');
SELECT churnops_cancel_deployment(:canary), churnops_cancel_deployment(:shadow);

-- Replay

SELECT results_eq($$SELECT value, n FROM churnops_replay('churn', 1, max_rows => 500) WHERE metric IN ('rows', 'agreement', 'kappa', 'pearson', 'mean_absolute_difference', 'psi')$$,
	$$VALUES (500::float8, 500::bigint), (1, 500), (1, 500), (1, 500), (0, 500), (0, 500)$$, 'the champion agrees with itself, to the last bit');
CREATE TABLE first AS SELECT * FROM churnops.prediction_log WHERE batch = (SELECT min(batch) FROM churnops.prediction_log);
CREATE TABLE replayed AS SELECT * FROM churnops_replay('churn', 2, until => (SELECT max(logged_at) + interval '1 microsecond' FROM first));
SELECT results_eq($$SELECT round(value::numeric, 10), n FROM replayed WHERE metric IN ('agreement', 'mean_absolute_difference')$$,
	$$SELECT round(v::numeric, 10), 1000::bigint FROM (SELECT avg((churnops_predict_class('churn/2', c) = l.class)::integer) AS a,
			avg(abs(churnops_predict('churn/2', c) - l.prediction)) AS d
		FROM first AS l JOIN customers AS c ON c.id = (l.key->>'id')::integer) AS s, unnest(ARRAY[a, d::numeric]) AS v$$,
	'rows are scored as they were');
SELECT throws_ok($$SELECT * FROM churnops_replay('churn', 3, until => now() - interval '1 day')$$, 'P0002', 'no logged row of model "churn" can be replayed');
SELECT throws_ok($$SELECT * FROM churnops_replay('churn', 3)$$, '42703', 'the row has no column "since", which model "churn" needs',
	'rows that were logged without a column');
SELECT throws_ok($$SELECT * FROM churnops_replay('churn', 9, max_rows => 1)$$, '42704', 'version 9 of model "churn" does not exist');
SELECT throws_ok($$SELECT * FROM churnops_replay('churn', 2, max_rows => 0)$$, '22023', 'argument "max_rows" cannot be 0');
SELECT throws_ok($$SELECT * FROM churnops_replay(NULL, 2)$$, '22004', 'argument "model" must not be null');
SELECT throws_ok($$SELECT * FROM churnops_replay('churn', NULL)$$, '22004', 'argument "candidate_version" must not be null');
SELECT is(pg_temp.error_as('churnops_bob', $$SELECT count(*) FROM churnops_replay('churn', 2)$$),
	E'42704\nmodel "churn" does not exist\nModels you may use are listed in the view churnops.models.', 'a stranger');

-- Where a score came from: the alias or the deployment that exposed the version, never another one's

SELECT churnops_promote('churn/2', 'candidate', 'an alias as any other');
SELECT is((SELECT count(*) FROM churnops_score('churn@candidate', 'SELECT * FROM customers LIMIT 10', '{id}', true)), 10::bigint, 'by the alias candidate');
SELECT is((SELECT n FROM churnops_replay('churn', 1, since => (SELECT min(logged_at) FROM last)) WHERE metric = 'rows'), 10::bigint,
	'which can be replayed');
SELECT churnops_deploy('churn', 2, 'canary', '{"weight": 0.5, "new_columns": true}', 'smaller') AS canary \gset
SELECT is((SELECT count(*) FROM churnops_score('churn', 'customers', '{id}', true)), 1000::bigint, 'by a canary');
SELECT results_eq($$SELECT p.arm COLLATE "default", p.version, coalesce(d.created_by, a.changed_by) COLLATE "default", coalesce(d.reason, a.reason)
	FROM churnops.predictions AS p JOIN churnops.lineage AS l USING (model, version)
	LEFT JOIN churnops.deployments AS d ON d.deployment = p.deployment AND p.arm <> 'champion'
	LEFT JOIN LATERAL (
		SELECT h.changed_by, h.valid_from, h.reason FROM churnops.alias_history AS h
		WHERE h.model = p.model AND h.alias = p.arm AND h.version = p.version AND h.valid_from <= p.logged_at
		ORDER BY h.event DESC LIMIT 1) AS a ON d.deployment IS NULL
	WHERE p.batch >= pg_temp.last() - 1 GROUP BY 1, 2, 3, 4 ORDER BY 1, 4$$,
	format($$VALUES ('candidate'::text, 2, %L, 'an alias as any other'::text), ('candidate', 2, %1$L, 'smaller'),
		('champion', 1, 'churnops_alice', 'first version of the model')$$, current_user), 'who exposed the version, and why');
SELECT churnops_cancel_deployment(:canary);

-- Agreement, by hand: SciPy's spearmanr and pearsonr, scikit-learn's kappa

SELECT results_eq($$SELECT metric, round(value::numeric, 6), n FROM churnops.agreement('{0.1,0.4,0.35,0.8,0.4,0.4,0.2,0.9,0.7,0.6}',
		'{0.2,0.3,0.6,0.7,0.5,0.3,0.1,0.8,0.9,0.4}', '{n,n,n,y,n,n,n,y,y,y}', '{n,n,y,y,y,n,n,y,y,n}')
	WHERE metric IN ('agreement', 'agreement_low', 'agreement_high', 'kappa', 'pearson', 'spearman', 'mean_difference', 'mean_absolute_difference', 'difference_p50')$$,
	$$VALUES ('agreement', 0.700000, 10::bigint), ('agreement_low', 0.396778, 10), ('agreement_high', 0.892209, 10), ('kappa', 0.400000, 10),
		('pearson', 0.828658, 10), ('spearman', 0.793880, 10), ('mean_difference', -0.005000, 10), ('mean_absolute_difference', 0.135000, 10),
		('difference_p50', -0.100000, 10)$$, 'measures of agreement');
SELECT results_eq($$SELECT logged, candidate, value, n FROM churnops.agreement('{}', '{}', '{a,a,b,b}', '{a,b,b,c}') WHERE metric = 'classes'$$,
	$$VALUES ('a'::text, 'a'::text, 0.25::float8, 1::bigint), ('a', 'b', 0.25, 1), ('b', 'b', 0.25, 1), ('b', 'c', 0.25, 1)$$, 'flips');
SELECT results_eq($$SELECT metric, value FROM churnops.agreement('{}', '{}', '{}', '{}')$$, $$VALUES ('rows', 0::float8)$$, 'of nothing');

-- Outcomes

SELECT is(pg_temp.value_as('churnops_alice', $$SELECT churnops_outcome('churn', '{"id": 1}', 'yes', '2024-05-06 07:08:09+00') = '2024-05-06 07:08:09+00'$$),
	'true', 'an outcome');
SELECT row_eq($$SELECT model COLLATE "default", key, actual, recorded_by FROM churnops.outcome$$,
	ROW('churn'::text, '{"id": 1}'::jsonb, 'yes'::text, 'churnops_alice'::text), 'is kept');
SELECT is(pg_temp.error_as('churnops_bob', $$SELECT churnops_outcome('churn', '{"id": 1}', 'yes')$$),
	E'42704\nmodel "churn" does not exist\nModels you may use are listed in the view churnops.models.', 'not from a stranger');
SELECT matches(pg_temp.error_as('churnops_carol', $$SELECT churnops_outcome('churn', '{"id": 1}', 'yes')$$), '^42501\npermission denied for model "churn"\n',
	'nor from who may not deploy');
SELECT throws_ok($$SELECT churnops_outcome('churn', NULL, 'yes')$$, '22004', 'argument "key" must not be null');
SELECT throws_ok($$SELECT churnops_outcome('churn', '{"id": 1}', NULL)$$, '22004', 'argument "actual" must not be null');
SELECT throws_ok($$SELECT churnops_outcome('churn', '1', 'yes')$$, '22023', 'the key is not a JSON object');
SELECT pg_temp.register('spend', 'churnops_alice', '{"task": "regression", "target": "euros", "classes": null, "positive_class": null, "positive_class_index": null}');
SELECT throws_ok($$SELECT churnops_outcome('spend', '{"id": 1}', 'much')$$, '22023', 'outcome "much" is not a number, but model "spend" is a regression');
SELECT throws_ok(format($$SELECT churnops_outcome('spend', '{"id": 1}', %L)$$, v), '22003', format('outcome "%s" is out of range', v),
	'no outcome of which a tick cannot take the square')
FROM unnest('{1e999,1e-999,1e200,-1e101}'::text[]) AS v;
SELECT lives_ok(format($$SELECT churnops_outcome('spend', '{"id": 1}', %L)$$, v)) FROM unnest('{1e70,-1e-300,0e-999," 12.5 "}'::text[]) AS v;
SELECT throws_ok($$SELECT churnops_outcome('churn', '{"id": 1}', 'Yes')$$, '22023', 'outcome "Yes" is not a class of model "churn"');

-- Partitions and retention

SELECT churnops.make_log_partition('2024-02-01');
SELECT churnops.make_log_partition('2024-02-01');
INSERT INTO churnops.prediction_log (logged_at, batch, place, model, version, scored_by)
SELECT t, 0, 1, 'churn', 1, 'churnops_alice' FROM unnest('{2024-01-31 23:59:59+00,2024-02-01 00:00+00,2024-02-29 23:59:59+00,2024-03-01 00:00+00}'::timestamptz[]) AS t;
SELECT results_eq($$SELECT tableoid::regclass::text, logged_at FROM churnops.prediction_log WHERE batch = 0 ORDER BY logged_at$$,
	$$VALUES ('churnops.prediction_log_default', timestamptz '2024-01-31 23:59:59+00'), ('churnops.prediction_log_202402', '2024-02-01 00:00+00'),
		('churnops.prediction_log_202402', '2024-02-29 23:59:59+00'), ('churnops.prediction_log_default', '2024-03-01 00:00+00')$$, 'months are UTC''s');
SELECT lives_ok($$SELECT churnops.make_log_partition('2024-03-01')$$, 'a month whose rows are in the default partition');
SELECT is(to_regclass('churnops.prediction_log_202403'), NULL, 'stays there');
SELECT is((SELECT relrowsecurity FROM pg_class WHERE oid = 'churnops.prediction_log_202402'::regclass), true, 'partitions are closed');
SELECT is_empty($$SELECT attname FROM pg_attribute WHERE attrelid = 'churnops.prediction_log_202402'::regclass AND attnum > 0 AND attstattarget <> 0$$,
	'and nothing is known of their values');
SELECT lives_ok('SELECT churnops.maintain_prediction_log()', 'upkeep');
SELECT is((SELECT count(*) FROM churnops.prediction_log WHERE batch = 0), 0::bigint, 'removes what is older than 90 days');
SELECT is(to_regclass('churnops.prediction_log_202402'), NULL, 'months and all');
SELECT ok(to_regclass('churnops.prediction_log_' || to_char(now() AT TIME ZONE 'UTC' + interval '1 month', 'YYYYMM')) IS NOT NULL, 'and makes the next month');
SET LOCAL churnops.log_retention = -1;
INSERT INTO churnops.prediction_log (logged_at, batch, place, model, version, scored_by) VALUES ('2000-01-01', 0, 1, 'churn', 1, 'churnops_alice');
SELECT churnops.maintain_prediction_log();
SELECT is((SELECT count(*) FROM churnops.prediction_log WHERE batch = 0), 1::bigint, 'a retention of -1 keeps everything');
SELECT matches(pg_temp.error_as('churnops_alice', 'SET churnops.log_retention = 0'), '^42501\n', 'and is a superuser''s');

SELECT churnops_drop_model('churn');
SELECT is_empty($$SELECT FROM churnops.prediction_log WHERE model = 'churn' UNION ALL SELECT FROM churnops.outcome WHERE model = 'churn'$$,
	'a dropped model takes log and outcomes along');

SELECT * FROM finish();
ROLLBACK;
