-- Who sees and does what: owners, members of the owner, strangers, granted readers
BEGIN;
\ir include/setup.sql
SELECT no_plan();

CREATE ROLE churnops_team;
CREATE ROLE churnops_alice IN ROLE churnops_team;
CREATE ROLE churnops_bob;
CREATE ROLE churnops_apart NOINHERIT IN ROLE churnops_team;
CREATE ROLE churnops_reader;
CREATE ROLE churnops_gone;

SELECT is(pg_temp.register('shared', 'churnops_team'), 'shared/1 approved', 'a model of the team');
SELECT is(pg_temp.register('churn', 'churnops_alice'), 'churn/1 approved', 'a model of alice');
SELECT is(pg_temp.register('churn', 'churnops_alice'), 'churn/2 approved', 'and its second version');
SELECT is(pg_temp.register('fraud', 'churnops_bob'), 'fraud/1 approved', 'a model of bob');
SELECT is(pg_temp.register('lost', 'churnops_gone'), 'lost/1 approved', 'a model of a role that will go');
DROP ROLE churnops_gone;

-- Views

CREATE FUNCTION pg_temp.seen(role text, relation text, name text DEFAULT 'model') RETURNS text
LANGUAGE sql
AS $$
	SELECT pg_temp.value_as(role, format('SELECT string_agg(DISTINCT %I, '' '' ORDER BY %1$I) FROM churnops.%I', name, relation))
$$;
SELECT is(pg_temp.seen('churnops_alice', 'models', 'name'), 'churn shared', 'alice sees hers and the team''s');
SELECT is(pg_temp.seen('churnops_alice', 'versions'), 'churn shared', 'so in churnops.versions');
SELECT is(pg_temp.seen('churnops_alice', 'lineage'), 'churn shared', 'so in churnops.lineage');
SELECT is(pg_temp.seen('churnops_team', 'models', 'name'), 'shared', 'the team does not see alice''s');
SELECT is(pg_temp.seen('churnops_bob', 'models', 'name'), 'fraud', 'bob sees his own');
SELECT is(pg_temp.seen('churnops_bob', 'versions'), 'fraud', 'so in churnops.versions');
SELECT is(pg_temp.seen('churnops_bob', 'lineage'), 'fraud', 'so in churnops.lineage');
SELECT is(pg_temp.seen('churnops_reader', 'models', 'name'), NULL, 'others see nothing');
SELECT is(pg_temp.seen('churnops_apart', 'models', 'name'), NULL, 'nor a member that does not inherit');
SELECT is(pg_temp.seen(current_user, 'models', 'name'), 'churn fraud shared',
	'a superuser sees the models of all roles');
CREATE ROLE churnops_gone;
SELECT is(pg_temp.seen('churnops_gone', 'models', 'name'), 'lost', 'a role that is made again finds its model');
DROP ROLE churnops_gone;

-- A function in the reader's WHERE does not see the others' rows
CREATE FUNCTION public.peek(name text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$
BEGIN
	IF name <> 'fraud' THEN
		RAISE EXCEPTION 'saw %', name;
	END IF;
	RETURN true;
END
$$;
SELECT is(pg_temp.value_as('churnops_bob', 'SELECT count(*) FROM churnops.' || query), '1', 'no leak by churnops.' || query)
FROM unnest('{models WHERE peek(name),versions WHERE peek(model),lineage WHERE peek(model)}'::text[]) AS query;

-- Unknown and forbidden read the same, to the last field

SELECT is(
	pg_temp.error_as('churnops_bob', replace(call, 'MODEL', 'churn')),
	E'42704\nmodel "churn" does not exist\nModels you may use are listed in the view churnops.models.',
	'forbidden: ' || call)
FROM unnest(ARRAY[$$SELECT churnops_promote('MODEL/1')$$, $$SELECT churnops_promote('MODEL')$$,
	$$SELECT churnops_promote('MODEL@nobody')$$, $$SELECT churnops_promote('MODEL/9', 'challenger', 'why')$$,
	$$SELECT churnops_drop_alias('MODEL@champion')$$, $$SELECT churnops_drop_alias('MODEL@nobody')$$,
	$$SELECT churnops_drop_model('MODEL')$$, $$SELECT churnops_importance('MODEL/1')$$,
	$$SELECT churnops_importance('MODEL@nobody')$$, $$SELECT churnops_predict('MODEL', '{}'::jsonb)$$,
	$$SELECT churnops_predict('MODEL/9', NULL::jsonb)$$, $$SELECT churnops_predict_class('MODEL/1', '{}'::text)$$,
	$$SELECT churnops_predict_proba('MODEL@nobody', '{}'::json)$$, $$SELECT churnops_predict('MODEL', '{1}'::float8[])$$,
	$$SELECT churnops_predict('MODEL', r) FROM (SELECT 1 AS a) AS r$$, $$SELECT churnops_score('MODEL', 'SELECT 1 AS a')$$,
	$$SELECT churnops_evaluate('MODEL', 'SELECT 1 AS a')$$, $$SELECT churnops_reproduce('MODEL/1')$$]) AS call;
SELECT is(
	pg_temp.error_as('churnops_bob', replace(call, 'MODEL', 'churn')),
	replace(pg_temp.error_as('churnops_bob', replace(call, 'MODEL', 'nosuch')), 'nosuch', 'churn'),
	'as unknown: ' || call)
FROM unnest(ARRAY[$$SELECT churnops_promote('MODEL/1')$$, $$SELECT churnops_drop_alias('MODEL@champion')$$,
	$$SELECT churnops_drop_model('MODEL')$$, $$SELECT churnops_importance('MODEL/1')$$]) AS call;
SELECT is(
	pg_temp.error_as('churnops_apart', $$SELECT churnops_promote('shared/1')$$),
	E'42704\nmodel "shared" does not exist\nModels you may use are listed in the view churnops.models.',
	'a member that does not inherit is a stranger');
SELECT is(
	pg_temp.error_as('churnops_bob', $$SELECT churnops_importance('lost')$$),
	E'42704\nmodel "lost" does not exist\nModels you may use are listed in the view churnops.models.',
	'a model of a role that is gone is nobody''s');

-- Training under a taken name
SELECT is(
	pg_temp.error_as(current_user, $$SELECT pg_temp.register('churn', 'churnops_bob')$$),
	E'42501\ncannot train model "churn"\nChoose another name for the model.', 'another''s name is refused');
SELECT is(
	pg_temp.error_as(current_user, $$SELECT pg_temp.register('churn', 'churnops_bob', '{"target": "other"}')$$),
	E'42501\ncannot train model "churn"\nChoose another name for the model.', 'whatever the target is');
SELECT is(
	pg_temp.error_as('churnops_bob', $$SELECT churnops_train('churn', 'SELECT 1 AS a, 2 AS b', 'a')$$),
	E'42501\ncannot train model "churn"\nChoose another name for the model.', 'and before any training');
SELECT is(pg_temp.register('shared', 'churnops_alice'), 'shared/2 approved', 'a member trains the team''s model');
SELECT is((SELECT owner FROM churnops.models WHERE name = 'shared'), 'churnops_team', 'which stays the team''s');

-- Owners and members act, by name

SELECT is(pg_temp.value_as('churnops_alice', $$SELECT changed_by FROM churnops_promote('churn/2')$$), 'churnops_alice');
SELECT is(pg_temp.value_as('churnops_alice', $$SELECT changed_by FROM churnops_promote('shared/2')$$), 'churnops_alice');
SELECT is(pg_temp.value_as('churnops_alice', $$SELECT count(*) FROM churnops_importance('shared')$$), '3');
SELECT is(pg_temp.value_as('churnops_team', $$SELECT previous_version FROM churnops_promote('shared/1')$$), '2');
SELECT is(
	(SELECT format('%s %s %s', actor, "session_user" = session_user, owner) FROM churnops.audit ORDER BY entry DESC LIMIT 1),
	'churnops_team t churnops_team', 'the audit has the acting role and the one that logged in');
SELECT is(pg_temp.value_as('churnops_alice', 'SELECT current_user'), 'churnops_alice', 'nobody stays the owner of the extension');
SELECT is(
	pg_temp.value_as('churnops_alice', $$SELECT churnops_drop_model('shared')$$), 'shared', 'a member drops the team''s model');

-- Nothing goes past the functions

SELECT is(split_part(pg_temp.error_as('churnops_alice', format('SELECT count(*) FROM churnops.%I', t)), E'\n', 1),
	'42501', 'reading is refused: ' || t)
FROM unnest('{model,dataset,run,version,version_event,alias,alias_event,audit}'::text[]) AS t;
SELECT is(split_part(pg_temp.error_as('churnops_alice', call), E'\n', 1), '42501', 'refused: ' || call)
FROM unnest(ARRAY[$$SELECT churnops.register('{}', '')$$, $$SELECT churnops.promote('churnops_bob', 'fraud/1', 'champion', NULL)$$,
	$$SELECT churnops.drop_model('churnops_bob', 'fraud')$$, $$SELECT churnops.delete_model_rows('fraud')$$,
	$$SELECT churnops.set_alias('fraud', 'champion', NULL, 'churnops_bob', NULL)$$,
	$$SELECT churnops.importance('churnops_bob', 'fraud')$$, $$SELECT churnops.may_use('churnops_bob', 'churnops_bob')$$,
	$$SELECT nextval('churnops.audit_entry_seq')$$, $$CREATE TABLE churnops.mine (a integer)$$]) AS call;

-- A hostile search_path changes nothing

CREATE SCHEMA hostile;
GRANT USAGE ON SCHEMA hostile TO PUBLIC;
CREATE FUNCTION hostile.octet_length(bytea) RETURNS integer LANGUAGE sql AS 'SELECT 666';
CREATE FUNCTION hostile.clock_timestamp() RETURNS timestamp with time zone LANGUAGE sql AS $$SELECT 'epoch'::timestamptz$$;
CREATE FUNCTION hostile.never(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT false';
CREATE OPERATOR hostile.= (LEFTARG = text, RIGHTARG = text, FUNCTION = hostile.never);
CREATE FUNCTION pg_temp.hostile_as(role text, query text) RETURNS text
LANGUAGE plpgsql SET search_path = hostile, pg_catalog, public
AS $$
BEGIN
	RETURN pg_temp.value_as(role, query);
END
$$;
SELECT is(pg_temp.hostile_as('churnops_alice', $$SELECT 'a'::text = 'a'::text$$), 'false', 'the search_path is hostile');
SELECT is(pg_temp.hostile_as('churnops_alice', $$SELECT i FROM churnops_importance('churn/1') AS i LIMIT 1$$),
	'(age,0.3,0.1,0.01,1)');
SELECT is(pg_temp.hostile_as('churnops_alice', $$SELECT format('%s %s', version, changed_at > 'epoch')
	FROM churnops_promote('churn/1')$$), '1 t');
SELECT is(pg_temp.hostile_as('churnops_alice', $$SELECT min(artifact_bytes) FROM churnops.versions$$), '6');
SELECT is(pg_temp.hostile_as('churnops_alice', $$SELECT count(*) FROM churnops.lineage$$), '2');

-- Readers of the tables see rows by the same right, and write none

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA churnops TO churnops_alice, churnops_bob, churnops_reader;
SELECT is(pg_temp.seen(role, t, c), models, format('%s reads of %s: %s', role, t, coalesce(models, 'nothing')))
FROM (VALUES ('model', 'name'), ('dataset', 'model'), ('run', 'model'), ('version', 'model'), ('version_event', 'model'),
		('alias', 'model'), ('alias_event', 'model')) AS r(t, c),
	(VALUES ('churnops_alice', 'churn'), ('churnops_bob', 'fraud'), ('churnops_reader', NULL)) AS w(role, models);
SELECT is(pg_temp.seen('churnops_alice', 'audit'), 'churn shared', 'alice reads the audit of hers and the team''s models');
SELECT is(pg_temp.seen('churnops_bob', 'audit'), 'fraud', 'bob reads the audit of his');
SELECT is(pg_temp.seen('churnops_reader', 'audit'), NULL, 'others read none of it');
SELECT is(pg_temp.value_as('churnops_bob', $$WITH u AS (UPDATE churnops.alias SET version = 1 RETURNING 1) SELECT count(*) FROM u$$),
	'0', 'row-level security lets no row be changed');
SELECT is(pg_temp.value_as('churnops_bob', $$WITH d AS (DELETE FROM churnops.alias RETURNING 1) SELECT count(*) FROM d$$),
	'0', 'nor deleted');
SELECT is(
	split_part(pg_temp.error_as('churnops_bob',
		$$INSERT INTO churnops.alias VALUES ('churn', 'mine', 1, 'churnops_bob', now())$$), E'\n', 1),
	'42501', 'nor inserted');

-- A name that another takes over brings none of the former owner's past
GRANT SELECT ON churnops.audit TO churnops_bob;
SELECT is(pg_temp.value_as('churnops_alice', $$SELECT churnops_drop_model('churn')$$), 'churn', 'alice drops her model');
SELECT is(pg_temp.register('churn', 'churnops_bob'), 'churn/1 approved', 'bob takes the name');
SELECT is(pg_temp.value_as('churnops_bob', $$SELECT count(*) FROM churnops.audit WHERE model = 'churn'$$), '2',
	'bob reads of his own training and promotion alone');
SELECT is(pg_temp.value_as('churnops_alice', $$SELECT count(*) FROM churnops.versions WHERE model = 'churn'$$), '0',
	'and alice sees nothing of it');

SELECT * FROM finish();
ROLLBACK;
