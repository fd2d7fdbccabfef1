-- Grants: who may give, take and use which right, and what each right shows
BEGIN;
\ir include/setup.sql
SELECT no_plan();

CREATE ROLE churnops_team;
CREATE ROLE churnops_alice IN ROLE churnops_team;
CREATE ROLE churnops_desk;
CREATE ROLE churnops_dan IN ROLE churnops_desk;
CREATE ROLE churnops_eve;

SELECT is(pg_temp.register('churn', 'churnops_team'), 'churn/1 approved', 'a model of the team');
SELECT is(pg_temp.register('churn', 'churnops_team'), 'churn/2 approved', 'with two versions');
SELECT is(pg_temp.register('other', 'churnops_team'), 'other/1 approved', 'and another one');

-- One implementation decides; here is what it says

CREATE FUNCTION pg_temp.rights(role text, model text DEFAULT 'churn') RETURNS text
LANGUAGE sql
AS $$
	SELECT coalesce(string_agg(r, ' ' ORDER BY n) FILTER (
		WHERE pg_temp.value_as(role, format('SELECT churnops_has_right(%L, %L)', model, r))::boolean), '')
	FROM unnest('{any,owner,predict,train,deploy,approve,read}'::text[]) WITH ORDINALITY AS w(r, n)
$$;
SELECT is(pg_temp.rights('churnops_team'), 'any owner predict train deploy approve read', 'the owner has all');
SELECT is(pg_temp.rights('churnops_alice'), 'any owner predict train deploy approve read', 'so have its members');
SELECT is(pg_temp.rights('churnops_desk'), '', 'others have none');
SELECT is(pg_temp.rights('churnops_team', 'nosuch'), '', 'nobody has any on what is not there');
SELECT is(pg_temp.value_as('churnops_team', $$SELECT churnops_has_right(NULL, 'read')$$), 'false', 'nor on NULL');
SELECT is(pg_temp.error_as('churnops_team', $$SELECT churnops_has_right('churn', 'rule')$$),
	E'22023\nunknown right "rule"\nRights are predict, train, deploy, approve, read and owner; any asks for one of them.');

-- Giving and taking: by the owner's members alone

SELECT is(pg_temp.value_as('churnops_alice', format('SELECT churnops_grant(''churn'', ''churnops_desk'', %L)', r)), 'true',
	'given: ' || r)
FROM unnest('{predict,read}'::text[]) AS r;
SELECT is(pg_temp.value_as('churnops_alice', $$SELECT churnops_grant('churn', 'churnops_desk', 'read')$$), 'false', 'once more is nothing new');
SELECT is(pg_temp.rights('churnops_desk'), 'any predict read');
SELECT is(pg_temp.rights('churnops_dan'), 'any predict read', 'members of the role have it too');
SELECT is(pg_temp.rights('churnops_desk', 'other'), '', 'not on another model');
SELECT is(pg_temp.error_as('churnops_dan', call),
	E'42501\nmust be owner of model "churn"\nRole "churnops_dan" is not a member of role "churnops_team".\nAsk a member of role "churnops_team".', call)
FROM unnest(ARRAY[$$SELECT churnops_grant('churn', 'churnops_eve', 'read')$$, $$SELECT churnops_revoke('churn', 'churnops_desk', 'read')$$,
	$$SELECT churnops_alter_model('churn', owner => 'churnops_dan')$$, $$SELECT churnops_drop_model('churn')$$]) AS call;
SELECT is(pg_temp.error_as('churnops_eve', call),
	E'42704\nmodel "churn" does not exist\nModels you may use are listed in the view churnops.models.', 'a stranger: ' || call)
FROM unnest(ARRAY[$$SELECT churnops_grant('churn', 'churnops_eve', 'read')$$, $$SELECT churnops_grant('churn', 'nosuch', 'read')$$,
	$$SELECT churnops_revoke('churn', 'churnops_desk', 'read')$$, $$SELECT churnops_alter_model('churn', require_approval => true)$$,
	$$SELECT churnops_approve('churn/1')$$, $$SELECT churnops_reject('churn/9')$$, $$SELECT churnops_archive('churn')$$,
	$$SELECT churnops_unarchive('churn@nobody')$$, $$SELECT churnops_rollback('churn')$$, $$SELECT churnops_rollback('churn', 'why', 'nobody')$$,
	$$SELECT churnops_alias_at('churn', now())$$, $$SELECT churnops_model_card('churn/1')$$, $$SELECT churnops_verify('churn')$$]) AS call;

SELECT is(pg_temp.error_as('churnops_alice', $$SELECT churnops_grant('churn', 'nosuch', 'read')$$),
	E'42704\nrole "nosuch" does not exist\nName a role as pg_roles has it, or public for all of them.');
SELECT is(pg_temp.error_as('churnops_alice', $$SELECT churnops_grant('churn', 'churnops_eve', 'own')$$),
	E'22023\nunknown right "own"\nRights are predict, train, deploy, approve and read, or all of them; a model changes hands by churnops_alter_model.');
SELECT is(pg_temp.error_as('churnops_alice', $$SELECT churnops_grant('churn', 'churnops_eve', 'train', 'challenger')$$),
	E'22023\nthe right "train" cannot be limited to an alias\nOnly the right to deploy can.');
SELECT throws_ok($$SELECT churnops_grant('churn', 'churnops_eve', 'deploy', 'Bad')$$, '42602', 'invalid alias name "Bad"');
SELECT throws_ok($$SELECT churnops_grant(NULL, 'churnops_eve', 'read')$$, '22004', 'argument "model" must not be null');
SELECT throws_ok($$SELECT churnops_grant('churn', NULL, 'read')$$, '22004', 'argument "role" must not be null');
SELECT throws_ok($$SELECT churnops_grant('churn', 'churnops_eve', NULL)$$, '22004', 'argument "right" must not be null');
SELECT throws_ok($$SELECT churnops_revoke('churn', 'nosuch', 'read')$$, '42704', 'role "nosuch" does not exist');

-- What a right that is lacking is called

SELECT is(pg_temp.error_as('churnops_dan', call), format(
	E'42501\npermission denied for model "churn"\nRole "churnops_dan" lacks the right to %s.\nA member of role "churnops_team" can give it: SELECT churnops_grant(''churn'', ''churnops_dan'', ''%s''%s);',
	wanted, split_part(wanted, ' ', 1), replace(', ' || substring(wanted FROM ' alias (.*)'), '"', '''')), call)
FROM (VALUES ($$SELECT churnops_train('churn', 'SELECT 1 AS a, 2 AS churned', 'churned')$$, 'train'),
	($$SELECT churnops_promote('churn/2')$$, 'deploy to alias "champion"'),
	($$SELECT churnops_promote('churn/2', 'test')$$, 'deploy to alias "test"'),
	($$SELECT churnops_drop_alias('churn@test')$$, 'deploy to alias "test"'),
	($$SELECT churnops_rollback('churn')$$, 'deploy to alias "champion"'),
	($$SELECT churnops_approve('churn/2')$$, 'approve'), ($$SELECT churnops_reject('churn/2')$$, 'approve'),
	($$SELECT churnops_archive('churn/2')$$, 'approve'), ($$SELECT churnops_unarchive('churn/2')$$, 'approve')) AS c(call, wanted);
SELECT is(pg_temp.error_as(current_user, $$SELECT pg_temp.register('churn', 'churnops_dan')$$),
	E'42501\npermission denied for model "churn"\nRole "churnops_dan" lacks the right to train.\nA member of role "churnops_team" can give it: SELECT churnops_grant(''churn'', ''churnops_dan'', ''train'');',
	'a registration says the same');

SELECT is(pg_temp.value_as('churnops_alice', $$SELECT churnops_revoke('churn', 'churnops_desk', 'predict')$$), 'true', 'taken back');
SELECT is(pg_temp.rights('churnops_dan'), 'any read');
SELECT is(pg_temp.error_as('churnops_dan', call),
	E'42501\npermission denied for model "churn"\nRole "churnops_dan" lacks the right to predict.\nA member of role "churnops_team" can give it: SELECT churnops_grant(''churn'', ''churnops_dan'', ''predict'');', call)
FROM unnest(ARRAY[$$SELECT churnops_predict('churn', '{}'::jsonb)$$, $$SELECT churnops_predict_class('churn/1', '{}'::jsonb)$$,
	$$SELECT churnops_score('churn', 'SELECT 1 AS a')$$, $$SELECT churnops_evaluate('churn', 'SELECT 1 AS a')$$,
	$$SELECT churnops_predict('churn/9', '{}'::jsonb)$$]) AS call;

-- To predict shows the model, and nothing of its versions

SELECT is(pg_temp.value_as('churnops_alice', $$SELECT churnops_revoke('churn', 'churnops_desk', 'all')$$), 'true', 'all taken back');
SELECT is(pg_temp.rights('churnops_dan'), '');
SELECT is(pg_temp.value_as('churnops_alice', $$SELECT churnops_grant('churn', 'churnops_desk', 'predict')$$), 'true', 'to predict');
CREATE FUNCTION pg_temp.count_as(role text, relation text) RETURNS text
LANGUAGE sql
AS $$SELECT pg_temp.value_as(role, 'SELECT count(*) FROM churnops.' || relation)$$;
SELECT is(pg_temp.count_as('churnops_dan', v), n, 'with predict: ' || v)
FROM (VALUES ('models', '1'), ('versions', '0'), ('lineage', '0'), ('alias_history', '0'), ('version_history', '0'),
	('audit_log', '0'), ('privileges', '1')) AS c(v, n);
SELECT is(split_part(pg_temp.error_as('churnops_dan', call), E'\n', 3), 'Role "churnops_dan" lacks the right to read.', call)
FROM unnest(ARRAY[$$SELECT churnops_importance('churn')$$, $$SELECT churnops_model_card('churn')$$, $$SELECT churnops_alias_at('churn', now())$$,
	$$SELECT churnops_verify('churn')$$, $$SELECT churnops_reproduce('churn/1')$$]) AS call;
-- XX001 is the made-up artifact: the right is there.
SELECT is(split_part(pg_temp.error_as('churnops_dan', $$SELECT churnops_predict('churn', '{}'::jsonb)$$), E'\n', 1), 'XX001', 'it may score');

-- To read shows all of this model; train, deploy and approve include it

SELECT is(pg_temp.value_as('churnops_alice', format('SELECT churnops_revoke(''churn'', ''churnops_desk'', ''all'') AND churnops_grant(''churn'', ''churnops_desk'', %L)', r)), 'true', r)
	|| E'\n' || is(pg_temp.rights('churnops_dan'), concat_ws(' ', 'any', nullif(r, 'read'), 'read'), 'includes to read: ' || r)
	|| E'\n' || is((SELECT string_agg(pg_temp.count_as('churnops_dan', v), ' ' ORDER BY n)
		FROM unnest('{models,versions,lineage,alias_history,version_history,privileges}'::text[]) WITH ORDINALITY AS w(v, n)),
		'1 2 2 1 2 1', 'shows all: ' || r)
FROM unnest('{read,train,deploy,approve}'::text[]) AS r;
SELECT is(pg_temp.value_as('churnops_dan', $$SELECT count(*) FROM churnops_importance('churn')$$), '3', 'approvers read importances');
SELECT is(pg_temp.value_as('churnops_dan', $$SELECT string_agg(DISTINCT model, ' ') FROM churnops.audit_log$$), 'churn', 'and the audit');

-- To deploy, for one alias

SELECT is(pg_temp.value_as('churnops_alice', $$SELECT churnops_revoke('churn', 'churnops_desk', 'all')$$), 'true');
SELECT is(pg_temp.value_as('churnops_alice', $$SELECT churnops_grant('churn', 'churnops_desk', 'deploy', 'challenger')$$), 'true', 'for challenger');
SELECT is(pg_temp.rights('churnops_dan'), 'any read', 'that is no right to deploy anywhere, and one to read');
SELECT is(pg_temp.value_as('churnops_dan', $$SELECT churnops_has_right('churn', 'deploy', 'challenger')$$), 'true', 'but there');
SELECT is(pg_temp.value_as('churnops_dan', $$SELECT version FROM churnops_promote('churn/2', 'challenger')$$), '2', 'it sets that alias');
SELECT is(pg_temp.value_as('churnops_dan', $$SELECT version FROM churnops_promote('churn/1', 'challenger')$$), '1');
SELECT is(pg_temp.value_as('churnops_dan', $$SELECT version FROM churnops_rollback('churn', 'no', 'challenger')$$), '2', 'rolls it back');
SELECT is(split_part(pg_temp.error_as('churnops_dan', $$SELECT churnops_promote('churn/2')$$), E'\n', 1), '42501', 'and no other');
SELECT is(pg_temp.value_as('churnops_dan', $$SELECT version IS NULL FROM churnops_drop_alias('churn@challenger')$$), 'true', 'and drops it');
SELECT is(pg_temp.value_as('churnops_alice', $$SELECT churnops_revoke('churn', 'churnops_desk', 'deploy')$$), 'true',
	'to take the right to deploy takes it for aliases too');
SELECT is(pg_temp.rights('churnops_dan'), '');

-- To train: versions, of the owner

SELECT is(pg_temp.value_as('churnops_alice', $$SELECT churnops_grant('churn', 'churnops_dan', 'train')$$), 'true');
SELECT is(pg_temp.register('churn', 'churnops_dan'), 'churn/3 approved', 'a trainer makes the next version');
SELECT is((SELECT owner FROM churnops.models WHERE name = 'churn'), 'churnops_team', 'of a model that stays the team''s');
SELECT is(split_part(pg_temp.error_as('churnops_dan', $$SELECT churnops_promote('churn/3')$$), E'\n', 1), '42501', 'which it does not promote');
SELECT is(pg_temp.rights('churnops_desk'), '', 'a member''s right is not the role''s');

-- Public

SELECT is(pg_temp.value_as('churnops_alice', $$SELECT churnops_grant('churn', 'public', 'predict')$$), 'true');
SELECT is(pg_temp.rights('churnops_eve'), 'any predict', 'what public has, everybody has');
SELECT is(pg_temp.value_as('churnops_eve', $$SELECT format('%s %s %s', role, "right", alias) FROM churnops.privileges$$), 'public predict ',
	'and sees, but not what others have');
SELECT is(pg_temp.value_as('churnops_alice', $$SELECT string_agg(format('%s %s by %s', role, "right", granted_by), ', ' ORDER BY role) FROM churnops.privileges$$),
	'churnops_dan train by churnops_alice, public predict by churnops_alice', 'the owner sees all');
SELECT is(pg_temp.value_as('churnops_alice', $$SELECT churnops_revoke('churn', 'public', 'predict')$$), 'true');
SELECT is(pg_temp.rights('churnops_eve'), '');

-- A role that is gone

CREATE ROLE churnops_gone;
SELECT is(pg_temp.value_as('churnops_alice', $$SELECT churnops_grant('churn', 'churnops_gone', 'read')$$), 'true');
DROP ROLE churnops_gone;
SELECT is(pg_temp.value_as('churnops_alice', $$SELECT churnops_revoke('churn', 'churnops_gone', 'read')$$), 'true', 'what it had can be taken');
SELECT is(pg_temp.error_as('churnops_alice', $$SELECT churnops_revoke('churn', 'churnops_gone', 'read')$$),
	E'42704\nrole "churnops_gone" does not exist\nName a role as pg_roles has it, or public for all of them.', 'once');

-- The audit has each

SELECT results_eq(
	$$SELECT action, detail->>'role', detail->>'right', detail->>'alias' FROM churnops.audit WHERE action IN ('grant', 'revoke') ORDER BY entry DESC LIMIT 3$$,
	$$VALUES ('revoke', 'churnops_gone', 'read', NULL), ('grant', 'churnops_gone', 'read', NULL), ('revoke', 'public', 'predict', NULL)$$,
	'grants and revocations are in the audit');
SELECT is_empty('SELECT * FROM churnops_verify()', 'and all is consistent');

-- Ownership

SELECT is(pg_temp.error_as('churnops_alice', $$SELECT churnops_alter_model('churn', owner => 'churnops_eve')$$),
	E'42501\nmust be member of role "churnops_eve"\nA model can be given to a role of which one is a member, or by a superuser.');
SELECT is(pg_temp.error_as('churnops_alice', $$SELECT churnops_alter_model('churn', owner => 'nosuch')$$),
	E'42704\nrole "nosuch" does not exist\nName a role as pg_roles has it, or public for all of them.');
SELECT row_eq($$SELECT * FROM churnops_alter_model('churn')$$, ROW('churn', 'churnops_team', 'made up', false)::churnops.model_state, 'nothing to change');
SELECT is(pg_temp.value_as('churnops_alice', $$SELECT a FROM churnops_alter_model('churn', owner => 'churnops_alice', description => 'who leaves') AS a$$),
	'(churn,churnops_alice,"who leaves",f)', 'from the team to alice');
SELECT is(pg_temp.rights('churnops_team'), '', 'the team has nothing any more');
SELECT row_eq($$SELECT detail FROM churnops.audit ORDER BY entry DESC LIMIT 1$$,
	ROW('{"set": {"owner": "churnops_alice", "description": "who leaves"}, "was": {"owner": "churnops_team", "description": "made up"}}'::jsonb), 'in the audit with before and after');
SELECT is(pg_temp.value_as('churnops_alice', $$SELECT description IS NULL FROM churnops_alter_model('churn', description => '')$$), 'true', 'an empty description is none');
SELECT is(pg_temp.value_as(current_user, $$SELECT owner FROM churnops_alter_model('churn', owner => 'churnops_eve')$$), 'churnops_eve', 'a superuser gives to anybody');
SELECT is(pg_temp.value_as('churnops_team', $$SELECT count(*) > 0 FROM churnops.audit_log$$), 'true', 'who owned it reads of that time');
SELECT is(pg_temp.value_as('churnops_team', $$SELECT count(*) FROM churnops.audit_log WHERE owner IN ('churnops_alice', 'churnops_eve')$$), '0', 'and of no later one');
SELECT throws_ok($$SELECT churnops_alter_model(NULL)$$, '22004', 'argument "model" must not be null');

-- Granted readers of the tables see by the same rights

GRANT SELECT ON ALL TABLES IN SCHEMA churnops TO churnops_desk;
SELECT is(pg_temp.value_as('churnops_eve', $$SELECT churnops_grant('churn', 'churnops_desk', 'predict')$$), 'true');
SELECT is(pg_temp.value_as('churnops_desk', format('SELECT count(*) FROM churnops.%I', t)), n, 'with predict: table ' || t)
FROM (VALUES ('model', '1'), ('dataset', '0'), ('run', '0'), ('version', '0'), ('version_event', '0'), ('alias', '0'),
	('alias_event', '0'), ('audit', '0'), ('privilege', '1')) AS c(t, n);
SELECT is(pg_temp.value_as('churnops_eve', $$SELECT churnops_grant('churn', 'churnops_desk', 'read')$$), 'true');
SELECT is(pg_temp.value_as('churnops_desk', format('SELECT count(*) > 0 AND bool_and(%I = ''churn'') FROM churnops.%I', c, t)), 'true', 'with read: table ' || t)
FROM (VALUES ('model', 'name'), ('dataset', 'model'), ('run', 'model'), ('version', 'model'), ('version_event', 'model'), ('alias', 'model'),
	('alias_event', 'model'), ('audit', 'model'), ('privilege', 'model')) AS c(t, c);

SELECT is_empty('SELECT * FROM churnops_verify()', 'still consistent');
SELECT * FROM finish();
ROLLBACK;
