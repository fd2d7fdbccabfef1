-- Pipelines: definitions, runs and their stages, what is refused and what is kept
BEGIN;
\ir include/setup.sql
SELECT no_plan();

CREATE ROLE churnops_team;
CREATE ROLE churnops_eve;
CREATE TABLE clients AS
SELECT i AS id, hashint4(i) % 100 AS age, (hashint4(i + 7) % 50) / 10.0 AS bill, chr(97 + abs(hashint4(i * 3)) % 3) AS plan,
	CASE WHEN hashint4(i) % 100 + hashint4(i + 1) % 60 > 0 THEN 'yes' ELSE 'no' END AS left_us
FROM generate_series(1, 2000) AS i;
GRANT SELECT ON clients TO PUBLIC;

CREATE FUNCTION pg_temp.yaml(VARIADIC more text[] DEFAULT '{}') RETURNS text
LANGUAGE sql
AS $$SELECT array_to_string(ARRAY['model: clients', 'target: left_us', 'data: {query: SELECT * FROM clients, key: [id]}', 'hyperparameters: {n_estimators: 10}'] || more, E'\n')$$;
CREATE FUNCTION pg_temp.stages(run bigint DEFAULT NULL) RETURNS text
LANGUAGE sql
AS $$SELECT string_agg(stage || ' ' || status, ', ' ORDER BY place) FROM churnops.pipeline_stages
	WHERE pipeline_run = coalesce(run, (SELECT max(pipeline_run) FROM churnops.pipeline_runs))$$;
-- What came of a run: status, stage, message.
CREATE FUNCTION pg_temp.ran(yaml text, model text DEFAULT NULL, target text DEFAULT NULL, role text DEFAULT current_user) RETURNS text
LANGUAGE sql
AS $$SELECT pg_temp.value_as(role, format('SELECT concat_ws('' | '', status, stage, message) FROM churnops_run(%L, %L, %L)', yaml, model, target))$$;

-- A first version that a gate refuses is no champion; one that passes is

SELECT is(pg_temp.ran(pg_temp.yaml('evaluation: {gates: {absolute: {roc_auc: {min: 1.1}}}}')) ~ '^rejected \| gates \| rejected in stage "gates": roc_auc is 0\.\d+, less than 1\.1$', true, 'rejected');
SELECT is(pg_temp.stages(), 'check succeeded, data succeeded, train succeeded, evaluate succeeded, gates rejected, approve skipped, deploy skipped');
SELECT is((SELECT concat_ws(' ', version, status, aliases) FROM churnops.versions WHERE model = 'clients'), '1 rejected {}', 'no champion');
SELECT is((SELECT reason ~ '^pipeline run \d+: roc_auc is 0\.\d+, less than 1\.1$' FROM churnops.version_history WHERE model = 'clients' AND status = 'rejected'), true, 'with the reason');
SELECT is(pg_temp.ran(pg_temp.yaml()), 'succeeded | version 2 of model "clients": passed 1 gates; approved, and champion as the first version; serves as champion already');
SELECT is(pg_temp.stages(), 'check succeeded, data succeeded, train succeeded, evaluate succeeded, gates succeeded, approve succeeded, deploy skipped');
SELECT is((SELECT concat_ws(' ', version, status, aliases) FROM churnops.versions WHERE model = 'clients' AND version = 2), '2 approved {champion}');

-- Against the champion

SELECT is(pg_temp.ran(pg_temp.yaml('evaluation: {gates: {champion: {metric: roc_auc}}}')),
	'succeeded | version 3 of model "clients": passed 2 gates; approved; serves as champion', 'the same is not inferior');
SELECT results_eq($$SELECT champion_version, passed FROM churnops.verdict WHERE version = 3$$, $$VALUES (2, true)$$);
SELECT is(pg_temp.ran(pg_temp.yaml('evaluation: {gates: {champion: {metric: roc_auc, rule: superiority, margin: 0}}}')) ~
	'^rejected \| gates \| .*roc_auc gains 0 over version 3, at least 0, not above 0$', true, 'but not superior');
SELECT is(pg_temp.ran(pg_temp.yaml('split: {test_size: 0}', 'evaluation: {gates: {champion: {metric: roc_auc}}}')),
	'failed | compare | failed in stage "compare": no rows are held out to compare with the champion on', 'without a holdout there is nothing to compare on');
SELECT is(pg_temp.ran(pg_temp.yaml('evaluation:', '  slices: [plan]', '  threshold: {rule: f1}',
	'  gates: {slices: {metric: accuracy, min: 0.2}, calibration: {max_ece: 0.9}, latency: {max_microseconds_per_row: 1000000}, artifact: {max_bytes: 100000000}}')),
	'succeeded | version 6 of model "clients": passed 7 gates; approved; serves as champion', 'every gate');
SELECT is((SELECT string_agg(gate || CASE WHEN passed THEN '' ELSE '!' END, ' ' ORDER BY place) FROM churnops.gates WHERE model = 'clients' AND version = 6),
	'leakage calibration slices slices slices latency artifact');
SELECT is((SELECT bool_and(value IS NOT NULL AND threshold IS NOT NULL) FROM churnops.gates WHERE version = 6), true, 'with their numbers');
SELECT is((SELECT metrics->'threshold'->'rule' FROM churnops.versions WHERE model = 'clients' AND version = 6), '{"rule": "f1"}', 'the threshold is chosen out of bag');
SELECT is((SELECT message ~ 'threshold 0\.\d+, precision_at_threshold' FROM churnops.pipeline_stages WHERE stage = 'evaluate' ORDER BY pipeline_run DESC LIMIT 1), true, 'and tried on the holdout');
SELECT is(pg_temp.ran(pg_temp.yaml(format('evaluation: {gates: {%s}}', gate))) ~ expected, true, gate)
FROM (VALUES ('calibration: {max_ece: 0}', '^rejected \| gates \| .*: ece is 0\.\d+, more than 0$'),
	('latency: {max_microseconds_per_row: 0.000001}', 'microseconds_per_row is [\d.]+, more than 1.00e-06$'),
	('artifact: {max_bytes: 10}', 'bytes is \d+, more than 10$')) AS g(gate, expected);
SELECT is(pg_temp.ran(pg_temp.yaml('evaluation: {slices: [plan], gates: {slices: {metric: accuracy, min: 1.5}}}')) ~
	'^rejected \| gates \| .*: accuracy of plan = a is 0\.\d+, less than 1.5; accuracy of plan = b', true, 'slices');
SELECT is(pg_temp.ran(pg_temp.yaml('cv: {folds: 3}', 'search: {n_iter: 2, space: {max_depth: [3, 4]}}')) ~ '^succeeded \| ', true, 'tuned and cross-validated');
SELECT is(pg_temp.stages(), 'check succeeded, data succeeded, tune succeeded, cross_validate succeeded, evaluate succeeded, gates succeeded, approve succeeded, deploy succeeded');
SELECT is(pg_temp.ran(pg_temp.yaml('cv: {folds: 3}')) ~ '^succeeded \| ', true, 'cross-validated before training');
SELECT is(pg_temp.stages() ~ 'data succeeded, cross_validate succeeded, train succeeded', true);

-- The data

SELECT is(pg_temp.ran(replace(pg_temp.yaml(), 'key: [id]}', 'key: [id], expectations: [{expectation: expect_column_values_to_be_between, column: age, min_value: 90, severity: critical}]}')) ~
	'^rejected \| validate \| ', true, 'critical expectations stop before training');
SELECT is(pg_temp.stages(), 'check succeeded, data succeeded, validate rejected, train skipped, evaluate skipped, gates skipped, approve skipped, deploy skipped');
SELECT is((SELECT count(*) FROM churnops.gates WHERE gate = 'data_quality' AND NOT passed AND version IS NULL), 1::bigint, 'and say why');
SELECT is(pg_temp.ran(replace(pg_temp.yaml(), 'key: [id]}', 'key: [id], expectations: [{expectation: expect_column_values_to_be_between, column: age, min_value: 90, severity: warning}]}')) ~
	'^succeeded', true, 'warnings do not');
SELECT is(pg_temp.ran(replace(pg_temp.yaml('evaluation: {gates: {data_quality: warning}}'), 'key: [id]}', 'key: [id], expectations: [{expectation: expect_column_values_to_be_between, column: age, min_value: 90, severity: warning}]}')) ~
	'^rejected', true, 'unless they are to');
SELECT is(pg_temp.ran(replace(pg_temp.yaml(), 'target: left_us', 'target: gone'), NULL, NULL), 'failed | check | failed in stage "check": model "clients" predicts "left_us", not "gone"');
SELECT is(pg_temp.ran(replace(replace(pg_temp.yaml(), 'target: left_us', 'target: gone'), 'model: clients', 'model: other')), 'failed | data | failed in stage "data": the data has no column "gone", which is a target of the pipeline');
SELECT is(pg_temp.ran(pg_temp.yaml('evaluation: {slices: [nowhere]}')), 'failed | data | failed in stage "data": the data has no column "nowhere", which is a slice of the pipeline');
SELECT is(pg_temp.ran(replace(pg_temp.yaml(), 'FROM clients', 'FROM nowhere')), 'failed | data | failed in stage "data": relation "nowhere" does not exist');
SELECT is((SELECT concat_ws(' ', status, stage, error->>'sqlstate', error->>'message') FROM churnops.pipeline_run ORDER BY pipeline_run DESC LIMIT 1),
	'failed data 42P01 relation "nowhere" does not exist', 'the error is kept');
SELECT is(pg_temp.ran(replace(pg_temp.yaml(), 'FROM clients', 'FROM clients WHERE random() < 0.9')) ~ '^failed \| train \| .*the rows of the query changed while the pipeline ran$', true, 'rows that change between stages');
SELECT lives_ok($$SELECT churnops_dataset('clients', 'SELECT * FROM clients', keep => true)$$);
SELECT is(pg_temp.ran(E'model: kept\ntarget: left_us\ndata: {dataset: clients, exclude: [id]}') ~ '^succeeded', true, 'a dataset');
SELECT is(pg_temp.stages() ~ 'validate skipped', true, 'without expectations');
SELECT is((SELECT dataset_name || '/' || dataset_version FROM churnops.lineage WHERE model = 'kept'), 'clients/1', 'its version');
SELECT lives_ok($$SELECT churnops_expect('clients', 'expect_column_values_to_be_between', '{"column": "age", "min_value": 90, "severity": "critical"}')$$);
SELECT is(pg_temp.ran(E'model: kept\ntarget: left_us\ndata: {dataset: clients, exclude: [id]}') ~ '^rejected \| validate', true, 'what is stored with the dataset counts');

-- Approval, alias, deployment

SELECT is(pg_temp.ran(pg_temp.yaml('approval: {required: true}', 'output: {alias: v9}')) ~
	'passed 1 gates; it waits for SELECT churnops_approve\(''clients/\d+''\); the version is not approved yet; the version is not approved yet$', true, 'a person approves');
SELECT is((SELECT status FROM churnops.versions WHERE model = 'clients' ORDER BY version DESC LIMIT 1), 'pending');
SELECT is(pg_temp.ran(pg_temp.yaml('output: {alias: v9}', 'deployment: {strategy: none}')) ~ 'approved; has the alias v9$', true, 'an alias, and no deployment');
SELECT is(pg_temp.ran(replace(pg_temp.yaml('output: {alias: champion}'), 'model: clients', 'model: crowned')) ~ 'approved; has the alias champion; serves as champion already$', true, 'a first version may be named champion');
SELECT is(pg_temp.ran(pg_temp.yaml('output: {alias: v9}')) ~ '^failed \| check \| failed in stage "check": alias "v9" of model "clients" is taken by version \d+$', true, 'that is taken');
SELECT is(pg_temp.ran(pg_temp.yaml('deployment: {strategy: canary, config: {weight: 0.3}}')) ~ 'approved; canary started$', true, 'a canary');
SELECT is((SELECT status || ' ' || weight FROM churnops.deployments WHERE model = 'clients' ORDER BY deployment DESC LIMIT 1), 'running 0.3');
SELECT is(pg_temp.ran(pg_temp.yaml('deployment: {strategy: canary, config: {weight: 0.3}}')),
	'failed | deploy | failed in stage "deploy": another version of model "clients" is being deployed', 'a second one fails');
SELECT is(pg_temp.stages() ~ 'gates succeeded, approve undone, deploy failed$', true, 'and undoes the approval');
SELECT is((SELECT status FROM churnops.versions WHERE model = 'clients' ORDER BY version DESC LIMIT 1), 'pending', 'the version waits');
SELECT is(pg_temp.ran(pg_temp.yaml('deployment: {alias: challenger}')) ~ 'approved; serves as challenger$', true, 'another alias');

-- Raised, or not

SELECT throws_matching(format($$SELECT churnops_run(%L, on_reject => 'error')$$, pg_temp.yaml('evaluation: {gates: {absolute: {roc_auc: {min: 1.1}}}}')),
	'^pipeline run \d+ rejected in stage "gates": roc_auc is 0\.\d+, less than 1\.1$', 'a rejection raises');
SELECT is(split_part(pg_temp.error_as(current_user, format($$SELECT churnops_run(%L, on_reject => 'error')$$, replace(pg_temp.yaml(), 'FROM clients', 'FROM nowhere'))), E'\n', 1), '42P01', 'a failure has its own SQLSTATE');
SELECT is(split_part(pg_temp.error_as(current_user, format('SELECT churnops_require_success(%s)', pipeline_run)), E'\n', 1),
	CASE status WHEN 'rejected' THEN '23514' WHEN 'failed' THEN error->>'sqlstate' ELSE 'no error' END, format('run %s: %s', pipeline_run, status))
FROM churnops.pipeline_runs ORDER BY pipeline_run;
SELECT throws_ok('SELECT churnops_require_success(0)', '42704', 'pipeline run 0 does not exist');
SELECT throws_ok('SELECT churnops_require_success(NULL)', '22004', 'argument "pipeline_run" must not be null');
SELECT throws_ok(format('CALL churnops_run_pipeline(%L)', pg_temp.yaml()), '25001', 'churnops_run_pipeline() cannot run inside a transaction block or a function');

-- PL/pgSQL's OTHERS leaves out assertions

CREATE FUNCTION pg_temp.assert_age(age integer) RETURNS integer LANGUAGE plpgsql AS $$BEGIN ASSERT age < 50, 'too old'; RETURN age; END$$;
SELECT is(pg_temp.ran(replace(pg_temp.yaml(), 'SELECT * FROM clients', '"SELECT *, pg_temp.assert_age(age) AS asserted FROM clients"')), 'failed | data | failed in stage "data": too old', 'an assertion of a function');

-- Arguments

SELECT throws_ok('SELECT churnops_run()', '22023', 'there is no pipeline to run');
SELECT throws_ok($$SELECT churnops_run('model: a', name => 'b')$$, '22023', 'arguments "yaml" and "name" exclude each other');
SELECT throws_ok($$SELECT churnops_run('model: a', on_reject => 'panic')$$, '22023', 'argument "on_reject" cannot be "panic"');
SELECT throws_ok($$SELECT churnops_run('model: a', on_reject => NULL)$$, '22023', 'argument "on_reject" cannot be null');
SELECT throws_ok($$SELECT churnops_run('data: {query: SELECT 1}')$$, '22023', 'the pipeline names no model');
SELECT throws_ok($$SELECT churnops_run('data: {query: SELECT 1}', 'a')$$, '22023', 'the pipeline names no target');
SELECT throws_ok($$SELECT churnops_run(E'model: b\ndata: {query: SELECT 1}', 'a')$$, '22023', 'the pipeline has the model "b", argument "model" is "a"');
SELECT throws_ok($$SELECT churnops_run('data: {query: SELECT 1}', 'A b', 'c')$$, '42602', 'invalid model name "A b"');
SELECT throws_matching($$SELECT churnops_run(E'model: b\nmodle: c\ndata: {query: SELECT 1}')$$, 'line 2, column 1', 'an error of the text has its line');

-- Definitions

SELECT row_eq($$SELECT name, version, is_new, document->>'model' FROM churnops_pipeline('nightly', pg_temp.yaml())$$, ROW('nightly'::text, 1, true, 'clients'::text), 'defined');
SELECT row_eq($$SELECT name, version, is_new FROM churnops_pipeline('nightly', pg_temp.yaml())$$, ROW('nightly'::text, 1, false), 'the same text is no version');
SELECT row_eq($$SELECT name, version, is_new FROM churnops_pipeline('nightly', pg_temp.yaml('deployment: {strategy: none}'))$$, ROW('nightly'::text, 2, true), 'another is');
SELECT is((SELECT status FROM churnops_run(name => 'nightly')), 'succeeded');
SELECT is((SELECT concat_ws(' ', status, pipeline, pipeline_version) FROM churnops.pipeline_runs ORDER BY pipeline_run DESC LIMIT 1), 'succeeded nightly 2', 'run by name');
SELECT is((SELECT status FROM churnops_run(name => 'nightly/1')), 'succeeded');
SELECT is((SELECT concat_ws(' ', status, pipeline, pipeline_version) FROM churnops.pipeline_runs ORDER BY pipeline_run DESC LIMIT 1), 'succeeded nightly 1', 'an earlier one');
SELECT is((SELECT string_agg(concat_ws(' ', version, is_latest, n_runs, last_status), ', ' ORDER BY version) FROM churnops.pipelines WHERE name = 'nightly'),
	'1 f 1 succeeded, 2 t 1 succeeded', 'the view');
SELECT throws_ok($$SELECT churnops_run(name => 'nightly/3')$$, '42704', 'version 3 of pipeline "nightly" does not exist');
SELECT throws_ok($$SELECT churnops_run(name => 'nowhere')$$, '42704', 'pipeline "nowhere" does not exist');
SELECT throws_ok($$SELECT churnops_run(name => 'No')$$, '42602', 'invalid pipeline reference "No"');
SELECT throws_ok($$SELECT churnops_pipeline('No', 'model: a')$$, '42602', 'invalid pipeline name "No"');
SELECT throws_ok($$SELECT churnops_pipeline(NULL, 'model: a')$$, '22004', 'argument "name" must not be null');
SELECT throws_ok($$SELECT churnops_pipeline('a', NULL)$$, '22004', 'argument "yaml" must not be null');
SELECT throws_ok($$UPDATE churnops.pipeline_version SET yaml = ''$$, '55000', 'rows of churnops.pipeline_version are frozen: UPDATE is refused');
SELECT throws_ok($$DELETE FROM churnops.pipeline$$, '55000', 'rows of churnops.pipeline are frozen: DELETE is refused');
SELECT throws_ok($$UPDATE churnops.verdict SET passed = true$$, '55000', 'rows of churnops.verdict are frozen: UPDATE is refused');
SELECT throws_ok($$DELETE FROM churnops.pipeline_run$$, '55000', 'rows of churnops.pipeline_run are frozen: DELETE is refused');
SELECT throws_ok($$TRUNCATE churnops.pipeline_stage$$, '55000', 'rows of churnops.pipeline_stage are frozen: TRUNCATE is refused');

-- Rights

SELECT is(pg_temp.error_as('churnops_eve', $$SELECT churnops_run(name => 'nightly')$$), E'42704\npipeline "nightly" does not exist\nPipelines you may use are listed in the view churnops.pipelines.');
SELECT is(pg_temp.error_as('churnops_eve', $$SELECT churnops_drop_pipeline('nightly')$$), E'42704\npipeline "nightly" does not exist\nPipelines you may use are listed in the view churnops.pipelines.');
SELECT is(pg_temp.error_as('churnops_eve', format('SELECT churnops_pipeline(''nightly'', %L)', pg_temp.yaml())), E'42501\ncannot define pipeline "nightly"\nChoose another name for the pipeline.');
SELECT is(pg_temp.error_as('churnops_eve', format('SELECT churnops_run(%L)', pg_temp.yaml())), E'42501\ncannot train model "clients"\nChoose another name for the model.');
SELECT is(pg_temp.value_as('churnops_eve', format('SELECT count(*) FROM churnops.%I', v)), '0', v) FROM unnest('{pipelines,pipeline_runs,pipeline_stages,gates}'::text[]) AS v;
SELECT is(pg_temp.error_as('churnops_eve', 'SELECT * FROM churnops.pipeline_run'), E'42501\npermission denied for table pipeline_run');
SELECT is(pg_temp.value_as('churnops_team', $$SELECT version FROM churnops_pipeline('teams', E'model: teams\ntarget: left_us\ndata: {query: SELECT * FROM clients}')$$), '1');
SELECT throws_ok($$SELECT churnops_run(name => 'teams')$$, '42501', 'pipeline "teams" can only be run by role "churnops_team"', 'not even by a superuser: its queries are another''s');
SELECT is(pg_temp.value_as('churnops_team', $$SELECT status FROM churnops_run(name => 'teams')$$), 'succeeded', 'by its author');
SELECT is((SELECT owner || ' ' || champion_version FROM churnops.models WHERE name = 'teams'), 'churnops_team 1', 'whose model it is');
REVOKE SELECT ON clients FROM PUBLIC;
SELECT is(pg_temp.value_as('churnops_team', $$SELECT message FROM churnops_run(name => 'teams')$$), 'failed in stage "data": permission denied for table clients', 'data is read as the caller');
SELECT is(pg_temp.value_as('churnops_team', 'SELECT count(*) FROM churnops.pipeline_runs'), '2', 'one sees one''s own runs');
GRANT SELECT ON clients TO PUBLIC;
SELECT lives_ok($$SELECT churnops_grant('clients', 'churnops_eve', 'train')$$);
SELECT is(pg_temp.ran(pg_temp.yaml('deployment: {strategy: none}'), NULL, NULL, 'churnops_eve'), 'failed | check | failed in stage "check": permission denied for model "clients"', 'measuring needs the right to predict');
SELECT lives_ok($$SELECT churnops_grant('clients', 'churnops_eve', 'predict')$$);
SELECT is(pg_temp.ran(pg_temp.yaml(), NULL, NULL, 'churnops_eve'), 'failed | check | failed in stage "check": permission denied for model "clients"', 'releasing needs the right to deploy');
SELECT matches(pg_temp.ran(pg_temp.yaml('deployment: {strategy: none}'), NULL, NULL, 'churnops_eve'), 'passed 1 gates; approved$', 'registering does not');

SELECT matches(pg_temp.ran(replace(pg_temp.yaml('evaluation: {gates: {artifact: {max_bytes: 1}}}'), 'model: clients', 'model: fresh')), '^rejected', 'a model that never had a champion');
SELECT lives_ok($$SELECT churnops_grant('fresh', 'churnops_eve', 'train'), churnops_grant('fresh', 'churnops_eve', 'predict')$$);
SELECT matches(pg_temp.ran(replace(pg_temp.yaml('deployment: {strategy: none}'), 'model: clients', 'model: fresh'), NULL, NULL, 'churnops_eve'), 'passed 1 gates; approved$', 'has none by who may not deploy');
SELECT is((SELECT champion_version FROM churnops.models WHERE name = 'fresh'), NULL);
SELECT matches(pg_temp.ran(replace(pg_temp.yaml('deployment: {strategy: none}'), 'model: clients', 'model: fresh')), 'approved, and champion as the first version$', 'but by who may');

-- Settings that a query changes do not reach what runs as the owner

CREATE SCHEMA hostile;
GRANT USAGE ON SCHEMA hostile TO PUBLIC;
CREATE TABLE hostile.ran_as (role name);
GRANT INSERT ON hostile.ran_as TO PUBLIC;
CREATE FUNCTION hostile.jsonb_array_length(jsonb) RETURNS integer LANGUAGE plpgsql
AS $$BEGIN INSERT INTO hostile.ran_as VALUES (current_user); RETURN 1; END$$;
CREATE FUNCTION hostile.take_path() RETURNS integer LANGUAGE plpgsql
AS $$BEGIN SET search_path = hostile, pg_catalog, public; SET DateStyle = German; RETURN 1; END$$;
SELECT is(pg_temp.ran(E'model: eves\ntarget: left_us\ndata: {query: "SELECT *, hostile.take_path() AS one FROM clients"}\nhyperparameters: {n_estimators: 5}',
	NULL, NULL, 'churnops_eve') ~ '^succeeded', true, 'a query that sets the search_path');
SELECT is_empty('SELECT role FROM hostile.ran_as', 'gives functions of its owner no call');
SELECT is(current_setting('search_path') || current_setting('DateStyle') ~* 'hostile|german', false, 'and what it has set ends with it');

-- The end

SELECT is((SELECT count(*) FROM churnops_verify()), 0::bigint, 'the registry is sound');
SET LOCAL session_replication_role = replica;
UPDATE churnops.verdict SET passed = NOT passed WHERE model = 'clients' AND version = 1;
UPDATE churnops.pipeline_version SET yaml = 'model: b' WHERE pipeline = 'nightly' AND version = 1;
SET LOCAL session_replication_role = origin;
SELECT is((SELECT string_agg(concat_ws(' ', name, "table", problem), ', ' ORDER BY name COLLATE "C") FROM churnops_verify()),
	'clients verdict the row was altered, pipelines:/nightly pipeline_version the row was altered', 'what a superuser does is found');
SELECT is(churnops_model_card('clients/6') ~ E'## Gates\n\nPipeline run \\d+, .*: passed\\.\n', true, 'the card has the gates');
SELECT is(churnops_drop_pipeline('nightly'), 'nightly', 'dropped');
SELECT is((SELECT count(*) FROM churnops.pipeline_runs WHERE pipeline = 'nightly'), 2::bigint, 'its runs stay');
SELECT is(churnops_drop_model('clients'), 'clients', 'the model goes');
SELECT is_empty($$SELECT FROM churnops.pipeline_run WHERE model = 'clients' UNION ALL SELECT FROM churnops.pipeline_stage WHERE model = 'clients'
	UNION ALL SELECT FROM churnops.verdict WHERE model = 'clients'$$, 'with its runs and verdicts');

SELECT * FROM finish();
ROLLBACK;
