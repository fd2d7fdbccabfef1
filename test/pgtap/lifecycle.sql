-- Registration, aliases with their history, the audit, frozen rows, and the end of a model
BEGIN;
\ir include/setup.sql
SELECT no_plan();

CREATE ROLE churnops_alice;
CREATE ROLE churnops_boss IN ROLE churnops_alice;
-- Names have collation "C", which PostgreSQL does not compare with others inside rows.
CREATE VIEW history AS
SELECT model COLLATE "default" AS model, alias COLLATE "default" AS alias, from_version, to_version, changed_by, reason
FROM churnops.alias_event ORDER BY event;
CREATE VIEW audit_log AS
SELECT actor, action, model COLLATE "default" AS model, owner COLLATE "default" AS owner, version
FROM churnops.audit ORDER BY entry;

-- Registration

SELECT is(pg_temp.register('churn', 'churnops_alice'), 'churn/1 approved', 'the first version');
SELECT is(pg_temp.register('churn', 'churnops_boss', '{"classes": ["no", "yes", "maybe"], "description": "later"}'),
	'churn/2 approved', 'a member of the owner trains the next one, with other classes');
SELECT is(pg_temp.register('spend', 'churnops_alice',
	'{"task": "regression", "target": "euros", "classes": null, "positive_class": null, "positive_class_index": null}'),
	'spend/1 approved', 'versions are counted by model');

SELECT row_eq($$SELECT name COLLATE "default", task, target, classes, owner COLLATE "default", description, n_versions, latest_version, champion_version, aliases
	FROM churnops.models WHERE name = 'churn'$$,
	ROW('churn'::text, 'classification'::text, 'churned'::text, '["no", "yes", "maybe"]'::jsonb, 'churnops_alice'::text,
		'made up'::text, 2::bigint, 2, 1, '{"champion": 1}'::jsonb), 'churnops.models');
SELECT row_eq($$SELECT version, status, aliases::text COLLATE "default", task, target, algorithm, n_rows, n_train, n_test, n_features, params,
		metrics->'holdout', dataset_digest, artifact_digest, artifact_bytes, description, created_by
	FROM churnops.versions WHERE model = 'churn' AND version = 1$$,
	ROW(1, 'approved'::text, '{champion}'::text, 'classification'::text, 'churned'::text, 'random_forest'::text,
		100::bigint, 80::bigint, 20::bigint, 3, '{"max_depth": 3, "n_estimators": 100}'::jsonb, '{"roc_auc": 0.8}'::jsonb,
		repeat('d', 64), encode(sha256('forest'), 'hex'), 6, 'made up'::text, 'churnops_alice'::text),
	'churnops.versions');
SELECT is((SELECT aliases FROM churnops.versions WHERE model = 'churn' AND version = 2), '{}', 'no alias is an empty array');
SELECT row_eq($$SELECT query, fingerprint, dataset_digest, dataset_rows, search_path, snapshot, lsn, params_given, params,
		options->>'split_seed', seed, algorithm_version, format_version, extension_version, postgresql_version, compiler,
		architecture, environment->>'byte_order', code_version, "session_user", created_by, parent_version
	FROM churnops.lineage WHERE model = 'churn' AND version = 2$$,
	ROW('SELECT * FROM customers'::text, repeat('f', 64), repeat('d', 64), 101::bigint, 'public'::text, '10:20:'::text,
		'0/15D6F28'::text, '{"max_depth": 3}'::jsonb, '{"max_depth": 3, "n_estimators": 100}'::jsonb, '0'::text, 42::bigint,
		1, 1, '0.1.0'::text, '15.0'::text, 'gcc'::text, 'x86_64'::text, 'little'::text, NULL::text, pg_temp.me(),
		'churnops_boss'::text, NULL::integer), 'churnops.lineage');
SELECT results_eq(
	$$SELECT relations->0->>'name', columns->0->>'role' FROM churnops.lineage WHERE model = 'spend'$$,
	$$VALUES ('customers', 'feature')$$, 'relations and columns come through');
SELECT is((SELECT classes FROM churnops.version WHERE model = 'spend'), NULL, 'JSON null is stored as NULL');
SELECT is((SELECT created_at FROM churnops.versions WHERE model = 'churn' AND version = 1)
	< (SELECT created_at FROM churnops.versions WHERE model = 'churn' AND version = 2), true,
	'times tell the order within a transaction');

SELECT throws_ok($$SELECT pg_temp.register('churn', 'churnops_alice', '{"target": "euros"}')$$, '22023',
	'model "churn" is a classification of "churned", not a classification of "euros"');
SELECT throws_ok($$SELECT pg_temp.register('churn', 'churnops_alice', '{"task": "regression"}')$$, '22023',
	'model "churn" is a classification of "churned", not a regression of "churned"');
SELECT throws_ok($$SELECT pg_temp.register('churn', 'churnops_alice', '{"artifact_digest": "00"}')$$, 'XX001',
	'artifact does not have the digest 00');
SELECT throws_ok($$SELECT pg_temp.register('Churn', 'churnops_alice')$$, '23514', NULL, 'a bad name is refused by the table too');
SELECT is(pg_temp.register('churn', 'churnops_alice'), 'churn/3 approved', 'what was refused took no number');

-- Aliases

SELECT row_eq(
	$$SELECT model, alias, version, previous_version, changed_by, reason FROM churnops_promote('churn/2', reason => 'better')$$,
	ROW('churn'::text, 'champion'::text, 2, 1, pg_temp.me(), 'better'::text), 'promotion returns the new state');
SELECT is((SELECT champion_version FROM churnops.models WHERE name = 'churn'), 2, 'and is in force');
SELECT row_eq(
	$$SELECT model, alias, version, previous_version, changed_by, reason FROM churnops_promote('churn/2', reason => 'again')$$,
	ROW('churn'::text, 'champion'::text, 2, 1, pg_temp.me(), 'better'::text),
	'promoting it again returns the state as it was left');
SELECT is((SELECT count(*) FROM history WHERE model = 'churn'), 2::bigint, 'and leaves no event');
SELECT row_eq($$SELECT alias, version, previous_version, changed_by FROM churnops_promote('churn/1', 'challenger')$$,
	ROW('challenger'::text, 1, NULL::integer, pg_temp.me()), 'another alias');
SELECT lives_ok($$SELECT churnops_promote('churn@challenger', 'champion', 'swap')$$, 'promotion of what an alias means');
SELECT is((SELECT aliases FROM churnops.versions WHERE model = 'churn' AND version = 1), '{challenger,champion}',
	'one version may have several aliases');
SELECT row_eq($$SELECT alias, version, previous_version, reason FROM churnops_drop_alias('churn@challenger', 'over')$$,
	ROW('challenger'::text, NULL::integer, 1, 'over'::text), 'a dropped alias points nowhere');
SELECT throws_ok($$SELECT churnops_drop_alias('churn@challenger')$$, '42704', 'model "churn" has no alias "challenger"');
SELECT lives_ok($$SELECT churnops_drop_alias('models:/churn@champion')$$, 'the champion can be dropped');
SELECT is((SELECT champion_version FROM churnops.models WHERE name = 'churn'), NULL, 'then the name means nothing');
SELECT is(pg_temp.register('churn', 'churnops_alice'), 'churn/4 approved', 'a later training');
SELECT is((SELECT champion_version FROM churnops.models WHERE name = 'churn'), NULL, 'makes no champion');
SELECT lives_ok($$SELECT churnops_promote('churn/4')$$, 'a promotion does');

SELECT results_eq($$SELECT * FROM history WHERE model = 'churn'$$,
	$$VALUES ('churn', 'champion', NULL::integer, 1, 'churnops_alice', 'first version of the model'),
		('churn', 'champion', 1, 2, pg_temp.me(), 'better'),
		('churn', 'challenger', NULL, 1, pg_temp.me(), NULL),
		('churn', 'champion', 2, 1, pg_temp.me(), 'swap'),
		('churn', 'challenger', 1, NULL, pg_temp.me(), 'over'),
		('churn', 'champion', 1, NULL, pg_temp.me(), NULL),
		('churn', 'champion', NULL, 4, pg_temp.me(), NULL)$$ , 'the history of the aliases');
SELECT is_empty($$SELECT event FROM (
		SELECT event, changed_at, lag(changed_at) OVER (ORDER BY event) AS before FROM churnops.alias_event) AS e
	WHERE before > changed_at$$, 'in the order of time');

SELECT throws_ok($$SELECT churnops_promote('churn/9')$$, '42704', 'version 9 of model "churn" does not exist');
SELECT throws_ok($$SELECT churnops_promote('churn/1', 'Champion')$$, '42602', 'invalid alias name "Champion"');
SELECT throws_ok($$SELECT churnops_promote('churn/1', '')$$, '42602', 'invalid alias name ""');
SELECT throws_ok($$SELECT churnops_promote('churn/1', NULL)$$, '22004', 'argument "alias" must not be null');
SELECT throws_ok($$SELECT churnops_promote(NULL)$$, '22004', 'argument "model_ref" must not be null');
SELECT throws_ok($$SELECT churnops_drop_alias('churn')$$, '22023', 'model reference "churn" names no alias');
SELECT throws_ok($$SELECT churnops_drop_alias('churn/1')$$, '22023', 'model reference "churn/1" names no alias');
SELECT throws_ok($$SELECT churnops_drop_alias('churn@')$$, '42602', 'invalid model reference "churn@"');

INSERT INTO churnops.version_event (model, version, status, changed_by, changed_at)
VALUES ('churn', 3, 'rejected', current_user, clock_timestamp());
SELECT is((SELECT status FROM churnops.versions WHERE model = 'churn' AND version = 3), 'rejected',
	'the status of a version is its latest event');
SELECT is(pg_temp.error_as(current_user, $$SELECT churnops_promote('churn/3')$$),
	'55000
version 3 of model "churn" is rejected, not approved
Promote an approved version; the view churnops.versions lists them with their status.',
	'only approved versions get an alias');
INSERT INTO churnops.version_event (model, version, status, changed_by, changed_at)
VALUES ('churn', 3, 'approved', current_user, clock_timestamp());
SELECT lives_ok($$SELECT churnops_promote('churn/3')$$, 'approved after all');

-- A promotion is part of the transaction

SAVEPOINT before_promotion;
SELECT lives_ok($$SELECT churnops_promote('churn/1')$$);
ROLLBACK TO before_promotion;
SELECT is((SELECT champion_version FROM churnops.models WHERE name = 'churn'), 3, 'a promotion is rolled back');
SELECT is((SELECT max(to_version) FROM churnops.alias_event WHERE event = (SELECT max(event) FROM churnops.alias_event)), 3,
	'with its history');

-- Importances

SELECT results_eq($$SELECT feature, mdi, permutation, permutation_sd, rank FROM churnops_importance('churn/1')$$,
	$$VALUES ('age', 0.3::float8, 0.1::float8, 0.01::float8, 1), ('plan', 0.2, 0.01, 0.001, 2),
		('calls', 0.5, NULL, NULL, 3)$$, 'by permutation, then by impurity');
SELECT is(pg_temp.register('spend', 'churnops_alice', '{"task": "regression", "target": "euros", "classes": null,
	"features": [{"name": "b", "kind": "number", "mdi": 0.1, "permutation": null, "permutation_sd": null},
		{"name": "a", "kind": "number", "mdi": 0.1, "permutation": null, "permutation_sd": null},
		{"name": "c", "kind": "number", "mdi": 0.8, "permutation": null, "permutation_sd": null}]}'), 'spend/2 approved');
SELECT results_eq($$SELECT feature, rank FROM churnops_importance('spend/2')$$,
	$$VALUES ('c', 1), ('b', 2), ('a', 3)$$, 'by impurity, then in the order of the features');
SELECT throws_ok($$SELECT churnops_importance('spend/3')$$, '42704', 'version 3 of model "spend" does not exist');

-- Frozen rows: not even the owner of the tables, a superuser, changes them

SELECT throws_ok(format('UPDATE churnops.%I SET model = model', t), '55000',
	format('rows of churnops.%s are frozen: UPDATE is refused', t))
FROM unnest('{version,version_event,dataset,run,alias_event,audit}'::text[]) AS t;
SELECT throws_ok(format('DELETE FROM churnops.%I', t), '55000',
	format('rows of churnops.%s are frozen: DELETE is refused', t))
FROM unnest('{version,version_event,dataset,run,alias_event,audit}'::text[]) AS t;
SELECT throws_ok(format('TRUNCATE churnops.%I', t), '55000',
	format('rows of churnops.%s are frozen: TRUNCATE is refused', t))
FROM unnest('{version,version_event,dataset,run,alias_event,audit}'::text[]) AS t;
SELECT throws_ok($$UPDATE churnops.model SET $$ || change, '55000', 'rows of churnops.model are frozen: UPDATE is refused',
	'nor does a model change its meaning: ' || change)
FROM unnest(ARRAY[$$name = 'other'$$, $$target = 'other'$$, $$task = 'regression'$$]) AS change;
SELECT throws_ok('DELETE FROM churnops.model', '55000', 'rows of churnops.model are frozen: DELETE is refused');
SELECT throws_ok('TRUNCATE churnops.model', '55000', 'rows of churnops.model are frozen: TRUNCATE is refused');
SELECT throws_ok($$INSERT INTO churnops.version SELECT * FROM churnops.version WHERE model = 'churn' AND version = 1
	ON CONFLICT (model, version) DO UPDATE SET artifact = excluded.artifact$$, '55000',
	'rows of churnops.version are frozen: UPDATE is refused', 'nor by an upsert');
SELECT throws_ok($$MERGE INTO churnops.version AS v USING (SELECT 1) AS s ON v.model = 'churn' AND v.version = 1
	WHEN MATCHED THEN DELETE$$, '55000', 'rows of churnops.version are frozen: DELETE is refused', 'nor by MERGE');

-- The end of a model

SELECT throws_ok($$SELECT churnops_drop_model('churn/1')$$, '42602', 'invalid model name "churn/1"');
SELECT throws_ok($$SELECT churnops_drop_model(NULL)$$, '22004', 'argument "model" must not be null');
SELECT throws_ok($$SELECT churnops_drop_model('fraud')$$, '42704', 'model "fraud" does not exist');
SELECT is(churnops_drop_model('churn'), 'churn', 'dropping returns the name');
SELECT is((SELECT count(*) FROM churnops.models WHERE name = 'churn'), 0::bigint, 'the model is gone');
SELECT is_empty(format('SELECT model FROM churnops.%I WHERE model = ''churn''', t), format('so are its rows of %s', t))
FROM unnest('{version,version_event,dataset,run,alias,alias_event}'::text[]) AS t;
SELECT is((SELECT count(*) FROM churnops.versions WHERE model = 'spend'), 2::bigint, 'the other model is not');
SELECT throws_ok('DELETE FROM churnops.version', '55000', NULL, 'what is left is as frozen as before');
SELECT results_eq($$SELECT actor, owner COLLATE "default", detail->>'n_versions', detail->>'owner', jsonb_array_length(detail->'versions'),
		detail->'versions'->3->>'version', detail->'versions'->3->>'artifact_digest', detail->'versions'->3->>'dataset_digest'
	FROM churnops.audit WHERE action = 'drop_model'$$,
	$$VALUES (pg_temp.me(), 'churnops_alice', '4', 'churnops_alice', 4, '4', encode(sha256('forest'), 'hex'),
		repeat('d', 64))$$, 'the audit keeps the digests of its versions');
SELECT results_eq($$SELECT * FROM audit_log WHERE model = 'churn'$$,
	$$VALUES ('churnops_alice', 'train', 'churn', 'churnops_alice', 1),
		('churnops_alice', 'promote', 'churn', 'churnops_alice', 1),
		('churnops_boss', 'train', 'churn', 'churnops_alice', 2),
		('churnops_alice', 'train', 'churn', 'churnops_alice', 3),
		(pg_temp.me(), 'promote', 'churn', 'churnops_alice', 2),
		(pg_temp.me(), 'promote', 'churn', 'churnops_alice', 1),
		(pg_temp.me(), 'promote', 'churn', 'churnops_alice', 1),
		(pg_temp.me(), 'drop_alias', 'churn', 'churnops_alice', 1),
		(pg_temp.me(), 'drop_alias', 'churn', 'churnops_alice', 1),
		('churnops_alice', 'train', 'churn', 'churnops_alice', 4),
		(pg_temp.me(), 'promote', 'churn', 'churnops_alice', 4),
		(pg_temp.me(), 'promote', 'churn', 'churnops_alice', 3),
		(pg_temp.me(), 'drop_model', 'churn', 'churnops_alice', NULL)$$, 'and everything that was done');

SELECT is(pg_temp.register('churn', 'churnops_boss'), 'churn/1 approved', 'a new model may take the name');
SELECT is((SELECT owner FROM churnops.models WHERE name = 'churn'), 'churnops_boss', 'with another owner');

SELECT * FROM finish();
ROLLBACK;
