-- Approval: statuses and their changes, four eyes, and what an alias may point to
BEGIN;
\ir include/setup.sql
SELECT no_plan();

CREATE ROLE churnops_team;
CREATE ROLE churnops_tom IN ROLE churnops_team;
CREATE ROLE churnops_risk;
CREATE ROLE churnops_ann IN ROLE churnops_risk;

CREATE FUNCTION pg_temp.trained(model text, caller text, login text) RETURNS text
LANGUAGE sql
AS $$SELECT pg_temp.register(model, caller, jsonb_build_object('session_user', login))$$;
CREATE FUNCTION pg_temp.status(v integer, m text DEFAULT 'churn') RETURNS text
LANGUAGE sql
AS $$SELECT status FROM churnops.versions WHERE model = m AND version = v$$;
CREATE FUNCTION pg_temp.changes(v integer) RETURNS bigint
LANGUAGE sql
AS $$SELECT count(*) FROM churnops.version_history WHERE model = 'churn' AND version = v$$;

-- Without the rule: born approved

SELECT is(pg_temp.trained('churn', 'churnops_team', 'churnops_tom'), 'churn/1 approved', 'versions are born approved');
SELECT is(pg_temp.trained('churn', 'churnops_team', 'churnops_tom'), 'churn/2 approved');
SELECT is(pg_temp.value_as('churnops_team', $$SELECT churnops_grant('churn', 'churnops_risk', 'approve')$$), 'true');

-- Every transition, from each status by each function

SELECT is(pg_temp.value_as('churnops_ann', format('SELECT status FROM churnops_%s(''churn/2'', %L)', verb, n)), status, format('%s: %s', n, verb))
	|| E'\n' || is(pg_temp.status(2), status, 'as seen')
	|| E'\n' || is(pg_temp.changes(2), events::bigint, 'in so many changes')
FROM (VALUES (1, 'approve', 'approved', 1), (2, 'unarchive', 'approved', 1), (3, 'reject', 'rejected', 2), (4, 'reject', 'rejected', 2),
	(5, 'unarchive', 'rejected', 2), (6, 'archive', 'archived', 3), (7, 'archive', 'archived', 3), (8, 'unarchive', 'rejected', 4),
	(9, 'approve', 'approved', 5), (10, 'archive', 'archived', 6), (11, 'unarchive', 'approved', 7)) AS s(n, verb, status, events);
SELECT row_eq($$SELECT model, version, status, previous_status, changed_by, reason FROM churnops_reject('churn/2', 'leaks the target')$$,
	ROW('churn'::text, 2, 'rejected'::text, 'approved'::text, pg_temp.me(), 'leaks the target'::text), 'the state tells all');
SELECT row_eq($$SELECT model, version, status, previous_status, changed_by, reason FROM churnops_reject('churn/2', 'again')$$,
	ROW('churn'::text, 2, 'rejected'::text, 'approved'::text, pg_temp.me(), 'leaks the target'::text), 'once more leaves it as it was');
SELECT is(pg_temp.status(2), 'rejected');
SELECT is(pg_temp.error_as('churnops_team', $$SELECT churnops_promote('churn/2')$$),
	E'55000\nversion 2 of model "churn" is rejected, not approved\nPromote an approved version; the view churnops.versions lists them with their status.');
SELECT lives_ok($$SELECT churnops_archive('churn/2')$$);
SELECT is(pg_temp.error_as('churnops_team', $$SELECT churnops_promote('churn/2', 'test')$$),
	E'55000\nversion 2 of model "churn" is archived, not approved\nPromote an approved version; the view churnops.versions lists them with their status.');
SELECT is(pg_temp.error_as('churnops_ann', format('SELECT churnops_%s(''churn/2'')', verb)),
	format(E'55000\ncannot %s version 2 of model "churn": it is archived\nBring it back first: SELECT churnops_unarchive(''churn/2'');', verb))
FROM unnest('{approve,reject}'::text[]) AS verb;
SELECT is(split_part(pg_temp.error_as(current_user, $$SELECT churnops_predict('churn/2', '{}'::jsonb)$$), E'\n', 1), 'XX001',
	'its number can still be scored');

-- What serves is not taken away

SELECT is(pg_temp.error_as('churnops_ann', format('SELECT churnops_%s(''churn/1'')', verb)),
	E'55006\nversion 1 of model "churn" is in use by alias "champion"\nPromote another version first, or go back with SELECT churnops_rollback(''churn'');', verb)
FROM unnest('{reject,archive}'::text[]) AS verb;
SELECT lives_ok($$SELECT churnops_promote('churn/1', 'beta')$$);
SELECT throws_ok($$SELECT churnops_archive('churn')$$, '55006', 'version 1 of model "churn" is in use by alias "beta", alias "champion"');

SELECT throws_ok(format('SELECT churnops_%s(NULL)', verb), '22004', 'argument "model_ref" must not be null') FROM unnest('{approve,reject,archive,unarchive}'::text[]) AS verb;
SELECT throws_ok(format('SELECT churnops_%s(''churn/9'')', verb), '42704', 'version 9 of model "churn" does not exist') FROM unnest('{approve,reject,archive,unarchive}'::text[]) AS verb;

-- The rule

SELECT is(pg_temp.value_as('churnops_team', $$SELECT require_approval FROM churnops_alter_model('churn', require_approval => true)$$), 'true', 'the rule is set');
SELECT is((SELECT require_approval FROM churnops.models WHERE name = 'churn'), true);
SELECT is((SELECT champion_version FROM churnops.models WHERE name = 'churn'), 1, 'what serves goes on serving');
SELECT is(pg_temp.trained('churn', 'churnops_team', 'churnops_tom'), 'churn/3 pending', 'versions are now born pending');
SELECT is(pg_temp.error_as('churnops_team', $$SELECT churnops_promote('churn/3')$$),
	E'55000\nversion 3 of model "churn" is pending, not approved\nPromote an approved version; the view churnops.versions lists them with their status.');
SELECT is(pg_temp.error_as('churnops_team', $$SELECT churnops_promote('churn/1', 'gamma')$$),
	E'55000\nversion 1 of model "churn" is not approved by another than its trainer\nPromote an approved version; the view churnops.versions lists them with their status.',
	'an approval of the time before the rule is none');

-- Whoever trained it, by whatever name

CREATE FUNCTION pg_temp.approve_as(login text, role text, ref text) RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
	result text;
BEGIN
	EXECUTE format('SET LOCAL SESSION AUTHORIZATION %I', login);
	result := pg_temp.error_as(role, format('SELECT churnops_approve(%L)', ref));
	RESET SESSION AUTHORIZATION;
	RETURN result;
END
$$;
GRANT churnops_risk TO churnops_tom;
GRANT churnops_team TO churnops_ann;
DO $$ BEGIN EXECUTE format('GRANT ALL ON SCHEMA %I TO PUBLIC', (SELECT nspname FROM pg_namespace WHERE oid = pg_my_temp_schema())); END $$;
SELECT is(pg_temp.approve_as('churnops_tom', role, 'churn/3'), format(E'42501\nversion 3 of model "churn" needs the approval of another than its trainer
It was trained by role "churnops_team", logged in as "churnops_tom"; this is role "%s", logged in as "churnops_tom".
Ask another role with the right to approve, in a login of its own.', role), 'the login that trained it, as ' || role)
FROM unnest('{churnops_tom,churnops_team,churnops_risk}'::text[]) AS role;
SELECT is(split_part(pg_temp.approve_as('churnops_ann', 'churnops_team', 'churn/3'), E'\n', 1), '42501', 'another login in the role that trained it');
SELECT is(pg_temp.status(3), 'pending');
SELECT is(pg_temp.approve_as('churnops_ann', 'churnops_risk', 'churn/3'), 'no error', 'another login in another role');
SELECT is(pg_temp.status(3), 'approved');
SELECT row_eq($$SELECT changed_by, "session_user" FROM churnops.version_history WHERE model = 'churn' AND version = 3 AND valid_to IS NULL$$,
	ROW('churnops_risk'::text, 'churnops_ann'::text), 'both are kept');
SELECT is((SELECT champion_version FROM churnops.models WHERE name = 'churn'), 1, 'an approval moves no champion');
SELECT is(pg_temp.value_as('churnops_team', $$SELECT version FROM churnops_promote('churn/3')$$), '3', 'its trainers may promote it');

-- What ends an archiving is no approval

SELECT is(pg_temp.trained('churn', 'churnops_team', 'churnops_tom'), 'churn/4 pending');
SELECT lives_ok($$SELECT churnops_alter_model('churn', require_approval => false)$$);
SELECT is(pg_temp.approve_as('churnops_tom', 'churnops_team', 'churn/4'), 'no error', 'without the rule the trainer approves');
SELECT lives_ok($$SELECT churnops_alter_model('churn', require_approval => true)$$);
SELECT lives_ok($$SELECT churnops_archive('churn/4')$$);
SELECT is((SELECT status FROM churnops_unarchive('churn/4')), 'approved', 'another brings it back');
SELECT throws_ok($$SELECT churnops_promote('churn/4')$$, '55000', 'version 4 of model "churn" is not approved by another than its trainer');
SELECT lives_ok($$SELECT churnops_archive('churn/4')$$);
SELECT lives_ok($$SELECT churnops_unarchive('churn/4')$$, 'twice');
SELECT throws_ok($$SELECT churnops_promote('churn/4')$$, '55000', 'version 4 of model "churn" is not approved by another than its trainer');
SELECT lives_ok($$SELECT churnops_approve('churn/4')$$, 'a real approval is needed, and possible');
SELECT lives_ok($$SELECT churnops_archive('churn/4'), churnops_unarchive('churn/4')$$);
SELECT lives_ok($$SELECT churnops_promote('churn/4')$$, 'and lasts');

-- A first version under the rule, by the setting for new models

SET LOCAL churnops.require_approval = on;
SELECT is(pg_temp.trained('fresh', 'churnops_team', 'churnops_tom'), 'fresh/1 pending', 'the first version is pending');
SELECT is(pg_temp.trained('fresh', 'churnops_team', 'churnops_tom'), 'fresh/2 pending');
SET LOCAL churnops.require_approval = off;
SELECT is((SELECT require_approval FROM churnops.models WHERE name = 'fresh'), true, 'the rule stays with the model');
SELECT throws_ok($$SELECT churnops_predict('fresh', '{}'::jsonb)$$, '42704', 'model "fresh" has no alias "champion"');
SELECT lives_ok($$SELECT churnops_approve('fresh/2')$$);
SELECT is((SELECT champion_version FROM churnops.models WHERE name = 'fresh'), 2, 'the first approved version is its first champion');
SELECT is((SELECT reason FROM churnops.alias_history WHERE model = 'fresh'), 'first approved version of the model');
SELECT lives_ok($$SELECT churnops_drop_alias('fresh@champion')$$);
SELECT lives_ok($$SELECT churnops_approve('fresh/1')$$);
SELECT is((SELECT champion_version FROM churnops.models WHERE name = 'fresh'), NULL, 'one that was dropped does not come back by an approval');
SELECT is(split_part(pg_temp.error_as('churnops_team', 'SET LOCAL churnops.require_approval = on'), E'\n', 1), '42501', 'users do not change the setting');

SELECT results_eq($$SELECT action, detail->>'from_status', detail->>'to_status' FROM churnops.audit_log WHERE model = 'churn' AND version = 2 AND action <> 'train' ORDER BY entry LIMIT 4$$,
	$$VALUES ('reject', 'approved', 'rejected'), ('archive', 'rejected', 'archived'), ('unarchive', 'archived', 'rejected'), ('approve', 'rejected', 'approved')$$,
	'the audit has every change');
SELECT is_empty('SELECT * FROM churnops_verify()', 'and agrees');

SELECT * FROM finish();
ROLLBACK;
