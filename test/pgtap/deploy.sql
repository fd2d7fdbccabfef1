-- Deployments: what is refused, what is kept, how they end
BEGIN;
\ir include/setup.sql
SELECT no_plan();

CREATE ROLE churnops_alice;
CREATE ROLE churnops_boss IN ROLE churnops_alice;
CREATE ROLE churnops_bob;
CREATE ROLE churnops_carol;

SELECT pg_temp.register('churn', 'churnops_alice', '{"options": {"key": ["id"]}}');
SELECT pg_temp.register('churn', 'churnops_alice');
SELECT pg_temp.register('churn', 'churnops_alice', '{"features": [
	{"name": "plan", "kind": "category"}, {"name": "calls", "kind": "category"}, {"name": "age", "kind": "number"},
	{"name": "region", "kind": "category"}]}');
SELECT pg_temp.register('churn', 'churnops_alice', '{"positive_class": "no", "positive_class_index": 0}');
SELECT pg_temp.register('churn', 'churnops_alice');
SELECT pg_temp.register('churn', 'churnops_alice');
INSERT INTO churnops.version_event (model, version, status, changed_by, changed_at)
VALUES ('churn', 5, 'rejected', 'churnops_boss', clock_timestamp());

CREATE FUNCTION pg_temp.deploy(version integer, strategy text, config text DEFAULT '{}', role text DEFAULT 'churnops_alice')
RETURNS text LANGUAGE sql
AS $$SELECT pg_temp.error_as(role, format('SELECT churnops_deploy(''churn'', %s, %L, %L)',
	coalesce(version::text, 'NULL'), strategy, config::jsonb))$$;
CREATE FUNCTION pg_temp.last() RETURNS bigint LANGUAGE sql
AS 'SELECT max(deployment) FROM churnops.deployment';
-- Numbers of deployments differ from run to run.
CREATE FUNCTION pg_temp.unnumbered(text) RETURNS text LANGUAGE sql
AS $$SELECT regexp_replace($1, '(deployment |Deployment |cancel_deployment\()[0-9]+', '\1N', 'g')$$;

-- Refusals

SELECT is(pg_temp.error_as('churnops_alice', $$SELECT churnops_deploy('Churn', 2, 'canary')$$),
	E'42602\ninvalid model name "Churn"\nA name is a lower-case letter followed by up to 62 lower-case letters, digits, underscores, dots or hyphens.\nChoose a name like churn_2026.',
	'a bad name');
SELECT is(pg_temp.deploy(NULL, 'canary'), E'22004\nargument "version" must not be null', 'no version');
SELECT is(pg_temp.error_as('churnops_alice', $$SELECT churnops_deploy('churn', 2, NULL)$$),
	E'22004\nargument "strategy" must not be null', 'no strategy');
SELECT is(pg_temp.error_as('churnops_alice', $$SELECT churnops_deploy('churn', 2, 'canary', NULL)$$),
	E'22004\nargument "config" must not be null\nGive settings by name, as in ''{"weight": 0.1}'', or ''{}'' for the defaults.',
	'no settings');
SELECT is(pg_temp.deploy(2, 'canary', '[1]'),
	E'22023\nargument "config" is not a JSON object\nGive settings by name, as in ''{"weight": 0.1}'', or ''{}'' for the defaults.',
	'settings that are none');
SELECT is(pg_temp.deploy(2, 'canarry'),
	E'22023\nstrategy "canarry" does not exist\nStrategies are all_at_once, canary, linear, shadow.\nPerhaps you meant "canary".',
	'an unknown strategy names the nearest one');
SELECT is(pg_temp.deploy(2, 'blue_green'),
	E'22023\nstrategy "blue_green" does not exist\nStrategies are all_at_once, canary, linear, shadow.\nGive one of them.',
	'one that is near to none');
SELECT is(pg_temp.deploy(2, 'all_at_once', '{"wait": 1}'),
	E'22023\nstrategy "all_at_once" has no setting "wait"\nIt has cool_down, new_columns.\nLeave it out.', 'an unknown setting');
SELECT matches(pg_temp.deploy(2, 'canary', '{"wieght": 0.5}'),
	E'^22023\nstrategy "canary" has no setting "wieght"\nIt has cool_down, .*, weight\\.\nPerhaps you meant "weight"\\.$',
	'a misspelt setting names the nearest one');
SELECT matches(pg_temp.deploy(2, 'linear', '{"weight": 0.5}'), '^22023\nstrategy "linear" has no setting "weight"\n',
	'a setting of another strategy');
SELECT is(pg_temp.deploy(2, 'shadow', '{"weight": 0.5}'),
	E'22023\nstrategy "shadow" has no setting "weight"\nIt has no settings.\nLeave it out.', 'a shadow has none');
SELECT is(pg_temp.deploy(2, 'canary', '{"weight": 1.5}'),
	E'22023\nsetting "weight" of a deployment cannot be 1.5\nGive a number from 0 to 1.', 'a weight above 1');
SELECT is(pg_temp.deploy(2, 'canary', '{"weight": null}'),
	E'22023\nsetting "weight" of a deployment cannot be null\nGive a number from 0 to 1.', 'no weight');
SELECT is(pg_temp.deploy(2, 'canary', '{"shift_psi": "high"}'),
	E'22023\nsetting "shift_psi" of a deployment cannot be "high"\nGive a number from 0 to 1000000, or null to leave it out.',
	'a text where a number is needed');
SELECT is(pg_temp.deploy(2, 'canary', '{"new_columns": 1}'),
	E'22023\nsetting "new_columns" of a deployment cannot be 1\nGive true or false.', 'a number where a boolean is needed');
SELECT is(pg_temp.deploy(2, 'linear', '{"key": "id"}'),
	E'22023\nsetting "key" of a deployment cannot be "id"\nGive names of columns, as in ["customer_id"].', 'a key that is no array');
SELECT is(pg_temp.deploy(2, 'linear', '{"key": []}'),
	E'22023\nsetting "key" of a deployment cannot be []\nGive names of columns, as in ["customer_id"].', 'an empty key');
SELECT is(pg_temp.deploy(2, 'linear', '{"step": 0}'),
	E'22023\nsetting "step" of a deployment cannot be 0\nGive a number from 0.001 to 1.', 'a step of nothing');
SELECT is(pg_temp.deploy(9, 'canary'),
	E'42704\nversion 9 of model "churn" does not exist\nList its versions with SELECT version, status FROM churnops.versions WHERE model = ''churn'';',
	'an unknown version');
SELECT is(pg_temp.deploy(5, 'canary'),
	E'55000\nversion 5 of model "churn" is rejected, not approved\nPromote an approved version; the view churnops.versions lists them with their status.',
	'a version that is not approved');
SELECT is(pg_temp.deploy(1, 'canary'),
	E'55000\nversion 1 is the champion of model "churn" already\nDeploy another version; to go back to an earlier one, use churnops_rollback.',
	'the champion');
SELECT is(pg_temp.deploy(3, 'canary'),
	E'55000\nversion 3 of model "churn" needs columns that the champion does not\nNew, or of another type than version 1 has them: calls, region.\nA missing column is an error for whoever asks for a prediction. If all callers give these already, deploy with the setting "new_columns": true.',
	'a version that needs more columns');
SELECT is(pg_temp.deploy(4, 'linear'),
	E'55000\nversion 4 of model "churn" predicts another class than the champion\nIts positive class is no, that of version 1 is yes.\nTrain it with the same positive_class.',
	'a version that predicts another class');
SELECT is(pg_temp.deploy(4, 'linear', '{"new_columns": true}'), pg_temp.deploy(4, 'linear'),
	'new columns do not excuse another class');
SELECT is(pg_temp.deploy(2, 'canary', '{}', 'churnops_bob'),
	E'42704\nmodel "churn" does not exist\nModels you may use are listed in the view churnops.models.', 'a stranger');
SELECT is(pg_temp.deploy(2, 'nonsense', '{"a": 1}', 'churnops_bob'), pg_temp.deploy(2, 'canary', '{}', 'churnops_bob'),
	'who learns nothing');
INSERT INTO churnops.privilege VALUES ('churn', 'churnops_carol', 'predict', '', 'churnops_alice', now());
SELECT matches(pg_temp.deploy(2, 'canary', '{}', 'churnops_carol'), E'^42501\npermission denied for model "churn"\n',
	'a role that may only predict');
INSERT INTO churnops.privilege VALUES ('churn', 'churnops_carol', 'deploy', 'challenger', 'churnops_alice', now());
SELECT matches(pg_temp.deploy(2, 'canary', '{}', 'churnops_carol'), E'^42501\npermission denied for model "churn"\n',
	'or deploy to another alias');
SELECT is_empty('SELECT * FROM churnops.deployment', 'refused deployments leave nothing');

-- Canary

SELECT ok(pg_temp.value_as('churnops_boss',
	$$SELECT churnops_deploy('churn', 2, 'canary', '{"seconds": 60}', 'looks good')$$) IS NOT NULL, 'a canary');
SELECT row_eq($$SELECT model COLLATE "default", version, strategy COLLATE "default", status COLLATE "default", champion_version, weight, key,
		config->>'seconds', config->>'weight', config->>'shift_psi', reason, created_by, ended_at, last_decision COLLATE "default"
	FROM churnops.deployments$$,
	ROW('churn'::text, 2, 'canary'::text, 'running'::text, 1, 0.1::float8, '{id}'::text[], '60'::text, '0.1'::text, '0.25'::text,
		'looks good'::text, 'churnops_boss'::text, NULL::timestamptz, 'started'::text), 'churnops.deployments');
SELECT is((SELECT salt COLLATE "default" FROM churnops.deployments), pg_temp.last()::text, 'the salt is its number');
SELECT is(pg_temp.unnumbered(pg_temp.deploy(2, 'shadow')),
	E'55000\nversion 2 of model "churn" is being deployed already\nDeployment N, canary of version 2, is running.\nWait until it has ended, or end it with SELECT churnops_cancel_deployment(N);',
	'a version is deployed once at a time');
SELECT is(pg_temp.unnumbered(pg_temp.deploy(6, 'linear')),
	E'55000\nanother version of model "churn" is being deployed\nDeployment N, canary of version 2, is running.\nWait until it has ended, or end it with SELECT churnops_cancel_deployment(N);',
	'and one canary or linear deployment is running');
SELECT is(pg_temp.deploy(6, 'shadow'), 'no error', 'a shadow beside it');
SELECT is(pg_temp.deploy(3, 'shadow'), 'no error', 'and one more, which may need other columns');
SELECT is(pg_temp.value_as('churnops_bob', 'SELECT count(*) FROM churnops.deployments'), '0', 'a stranger sees none');
SELECT is(pg_temp.value_as('churnops_bob', 'SELECT count(*) FROM churnops.deployment_events'), '0', 'and no event');

SELECT is(pg_temp.unnumbered(pg_temp.error_as('churnops_alice', $$SELECT churnops_archive('churn/2')$$)),
	E'55006\nversion 2 of model "churn" is in use by deployment N\nPromote another version first, or go back with SELECT churnops_rollback(''churn'');',
	'what is being deployed cannot be archived');
SELECT is(pg_temp.error_as('churnops_bob', 'SELECT churnops_cancel_deployment(' || pg_temp.last() || ')'),
	replace(pg_temp.error_as('churnops_bob', 'SELECT churnops_cancel_deployment(0)'), ' 0 ', ' ' || pg_temp.last() || ' '),
	'unknown and forbidden deployments read the same');
SELECT is(pg_temp.error_as('churnops_alice', 'SELECT churnops_cancel_deployment(0)'),
	E'42704\ndeployment 0 does not exist\nDeployments of your models are listed in the view churnops.deployments.',
	'an unknown deployment');
SELECT is(pg_temp.error_as('churnops_alice', 'SELECT churnops_cancel_deployment(NULL)'),
	E'22004\nargument "deployment" must not be null', 'no deployment');
SELECT is(pg_temp.value_as('churnops_alice', format('SELECT churnops_cancel_deployment(%s, ''enough'')', pg_temp.last())),
	'cancelled', 'a shadow is cancelled');
SELECT is(pg_temp.unnumbered(pg_temp.error_as('churnops_alice', 'SELECT churnops_cancel_deployment(' || pg_temp.last() || ')')),
	E'55000\ndeployment N is not running\nIts status is cancelled.\nWhat runs is in the view churnops.deployments.', 'once');
SELECT row_eq($$SELECT status COLLATE "default", ended_at IS NOT NULL, last_decision COLLATE "default", last_reason
	FROM churnops.deployments WHERE version = 3$$, ROW('cancelled'::text, true, 'cancelled'::text, 'enough'::text), 'and so it is kept');

-- Whatever changes the champion ends what runs

SELECT is(pg_temp.value_as('churnops_alice', $$SELECT version FROM churnops_promote('churn/6', 'challenger')$$), '6', 'another alias');
SELECT is((SELECT count(*) FROM churnops.deployments WHERE status = 'running'), 2::bigint, 'ends none');
SELECT is(pg_temp.value_as('churnops_alice', $$SELECT version FROM churnops_promote('churn/6', 'champion', 'in a hurry')$$), '6', 'a promotion');
SELECT results_eq($$SELECT version, status COLLATE "default", weight, last_reason, last_numbers->>'champion_version'
	FROM churnops.deployments WHERE version IN (2, 6) ORDER BY 1$$,
	$$VALUES (2, 'superseded'::text, 0::float8, 'in a hurry'::text, '6'::text), (6, 'superseded', 0, 'in a hurry', '6')$$,
	'supersedes them');
SELECT is(pg_temp.deploy(2, 'canary'), 'no error', 'a canary again');
SELECT is(pg_temp.deploy(3, 'shadow'), 'no error', 'and a shadow');
SELECT is(pg_temp.value_as('churnops_alice', $$SELECT version FROM churnops_rollback('churn', 'complaints')$$), '6', 'a rollback leaves the champion');
SELECT results_eq($$SELECT version, status COLLATE "default", last_reason FROM churnops.deployments ORDER BY deployment DESC LIMIT 2$$,
	$$VALUES (3, 'running'::text, NULL::text), (2, 'rolled_back', 'complaints')$$, 'and ends the canary alone');
SELECT matches(pg_temp.deploy(2, 'canary'), E'^55000\nversion 2 of model "churn" was rolled back by deployment [0-9]+\n', 'which has to cool down');
SELECT is(pg_temp.value_as('churnops_alice', $$SELECT version FROM churnops_rollback('churn', 'more complaints')$$), '1', 'the next one goes back');
SELECT is((SELECT status COLLATE "default" FROM churnops.deployments WHERE deployment = pg_temp.last()), 'superseded', 'which ends the shadow too');
SELECT is(pg_temp.value_as('churnops_alice', $$SELECT version FROM churnops_promote('churn/6')$$), '6', 'and forth');
SELECT is(pg_temp.deploy(1, 'canary'), 'no error', 'a canary back');
SELECT is(pg_temp.value_as('churnops_alice', $$SELECT churnops_deploy('churn', 2, 'all_at_once', '{"cool_down": 0}', 'now') IS NOT NULL$$), 'true',
	'all at once, while it runs');
SELECT results_eq($$SELECT version, status COLLATE "default", weight FROM churnops.deployments WHERE last_numbers IS NOT NULL
	ORDER BY deployment DESC LIMIT 2$$, $$VALUES (2, 'promoted'::text, 1::float8), (1, 'superseded', 0)$$, 'it is over at once');
SELECT is((SELECT champion_version FROM churnops.models WHERE name = 'churn'), 2, 'and the champion is another one');
SELECT is((SELECT pg_temp.unnumbered(reason) FROM churnops.alias_event ORDER BY event DESC LIMIT 1), 'deployment N: now',
	'the history of the alias names the deployment');
SELECT results_eq($$SELECT decision COLLATE "default" FROM churnops.deployment_events WHERE deployment = pg_temp.last() ORDER BY event$$,
	$$VALUES ('started'::text), ('promoted')$$, 'with its events');
SELECT results_eq($$SELECT actor, action, version FROM churnops.audit WHERE detail->>'deployment' = pg_temp.last()::text ORDER BY entry$$,
	$$VALUES ('churnops_alice'::text, 'deployment_started'::text, 2), ('churnops_alice', 'deployment_promoted', 2)$$, 'and the audit has both');
SELECT is(pg_temp.value_as('churnops_alice', $$SELECT version FROM churnops_drop_alias('churn@champion')$$), NULL, 'without a champion');
SELECT is(pg_temp.deploy(1, 'canary'),
	E'55000\nmodel "churn" has no champion to compare version 1 with\nDeploy it with the strategy all_at_once.', 'there is nothing to compare with');
SELECT is(pg_temp.deploy(3, 'all_at_once'), 'no error', 'but a version can be put there, whatever it needs');

-- The audit covers every decision.

SELECT is_empty($$SELECT * FROM churnops_verify('churn') WHERE "table" = 'deployment_event' OR problem ~ 'altered'$$, 'churnops_verify finds nothing');

-- Frozen

SELECT throws_ok('UPDATE churnops.deployment SET version = 1', '55000', 'rows of churnops.deployment are frozen: UPDATE is refused');
SELECT throws_ok('DELETE FROM churnops.deployment', '55000', 'rows of churnops.deployment are frozen: DELETE is refused');
SELECT throws_ok('TRUNCATE churnops.deployment', '55000', 'rows of churnops.deployment are frozen: TRUNCATE is refused');
SELECT throws_ok('UPDATE churnops.deployment_event SET reason = NULL', '55000',
	'rows of churnops.deployment_event are frozen: UPDATE is refused');
SELECT throws_ok('TRUNCATE churnops.deployment_event', '55000', 'rows of churnops.deployment_event are frozen: TRUNCATE is refused');

-- Without a key of the training: the setting, or the encoded row

SELECT pg_temp.register('plain', 'churnops_alice');
SELECT pg_temp.register('plain', 'churnops_alice', '{"options": {"key": ["tenant", "id"]}}');
SELECT pg_temp.value_as('churnops_alice', $$SELECT churnops_deploy('plain', 2, 'linear')$$);
SELECT results_eq('SELECT key, weight FROM churnops.deployments WHERE deployment = pg_temp.last()',
	$$VALUES ('{id,tenant}'::text[], 0.2::float8)$$, 'the candidate''s key, where the champion has none, in the order of names');
SELECT pg_temp.value_as('churnops_alice', 'SELECT churnops_cancel_deployment(' || pg_temp.last() || ')');
SELECT pg_temp.value_as('churnops_alice', $$SELECT churnops_deploy('plain', 2, 'canary', '{"key": ["b", "a", "b"]}')$$);
SELECT is((SELECT key FROM churnops.deployments WHERE deployment = pg_temp.last()), '{a,b}', 'the key of the setting');

SELECT is(pg_temp.value_as('churnops_alice', $$SELECT churnops_drop_model('churn')$$), 'churn', 'the model is dropped');
SELECT is_empty($$SELECT FROM churnops.deployment WHERE model = 'churn'
	UNION ALL SELECT FROM churnops.deployment_event WHERE model = 'churn'$$, 'with its deployments');

SELECT * FROM finish();
ROLLBACK;
