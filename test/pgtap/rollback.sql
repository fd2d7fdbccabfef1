-- Rollback: back through the past of an alias, never to and fro; and what it was at a time
BEGIN;
\ir include/setup.sql
SELECT no_plan();

CREATE ROLE churnops_alice;
SELECT is(pg_temp.register('churn', 'churnops_alice'), format('churn/%s approved', n)) FROM generate_series(1, 5) AS n;

CREATE FUNCTION pg_temp.back(alias text DEFAULT 'champion') RETURNS text
LANGUAGE sql
AS $$SELECT pg_temp.value_as('churnops_alice', format('SELECT format(''%%s from %%s'', version, previous_version) FROM churnops_rollback(''churn'', ''back'', %L)', alias))$$;
CREATE FUNCTION pg_temp.forth(v integer) RETURNS text
LANGUAGE sql
AS $$SELECT pg_temp.value_as('churnops_alice', format('SELECT format(''%%s from %%s'', version, previous_version) FROM churnops_promote(''churn/%s'')', v))$$;
CREATE FUNCTION pg_temp.nothing() RETURNS text
LANGUAGE sql
AS $$SELECT is(pg_temp.error_as('churnops_alice', $q$SELECT churnops_rollback('churn')$q$),
	E'55000\nalias "champion" of model "churn" has nothing to go back to\nNo version served before version 1 that may serve now.\nPromote a version by its number; its past is in the view churnops.alias_history.',
	'nothing to go back to')$$;

SELECT pg_temp.nothing();
SELECT is(pg_temp.forth(2), '2 from 1');
SELECT is(pg_temp.forth(3), '3 from 2');
SELECT is(pg_temp.back(), '2 from 3', 'back once');
SELECT is(pg_temp.back(), '1 from 2', 'twice goes further back, not forth again');
SELECT pg_temp.nothing();
SELECT pg_temp.nothing();
SELECT is(pg_temp.forth(4), '4 from 1', 'a promotion goes on from there');
SELECT is(pg_temp.back(), '1 from 4', 'and its rollback goes to what it replaced, not to what was rolled back');
SELECT pg_temp.nothing();
SELECT is(pg_temp.forth(4), '4 from 1');
SELECT is(pg_temp.forth(1), '1 from 4');
SELECT is(pg_temp.back(), '4 from 1', 'a promotion of an old version is a promotion');
SELECT is(pg_temp.back(), '1 from 4');

-- Every alias has its own past
SELECT is(pg_temp.error_as('churnops_alice', $$SELECT churnops_rollback('churn', NULL, 'beta')$$),
	E'42704\nmodel "churn" has no alias "beta"\nName a version, or give the alias to one with SELECT churnops_promote(''churn/1'', ''beta'');');
SELECT lives_ok($$SELECT churnops_promote('churn/5', 'beta'), churnops_promote('churn/4', 'beta')$$);
SELECT is(pg_temp.back('beta'), '5 from 4');
SELECT is((SELECT aliases FROM churnops.models), '{"beta": 5, "champion": 1}');

-- A dropped alias comes back
SELECT lives_ok($$SELECT churnops_drop_alias('churn@beta')$$);
SELECT is(pg_temp.back('beta'), '5 from ', 'the drop is undone');
SELECT throws_ok($$SELECT churnops_rollback('churn', NULL, 'beta')$$, '55000', 'alias "beta" of model "churn" has nothing to go back to');

-- Versions that may not serve any more are skipped
SELECT is(pg_temp.forth(2), '2 from 1');
SELECT is(pg_temp.forth(3), '3 from 2');
SELECT is(pg_temp.forth(4), '4 from 3');
SELECT lives_ok($$SELECT churnops_reject('churn/3', 'wrong'), churnops_archive('churn/2')$$);
SAVEPOINT before;
SELECT is(pg_temp.back(), '1 from 4', 'rejected and archived versions are skipped');
ROLLBACK TO before;
SELECT lives_ok($$SELECT churnops_unarchive('churn/2')$$);
SELECT is(pg_temp.back(), '2 from 4', 'what came back is not');
SELECT is(pg_temp.back(), '1 from 2', 'from there on');

-- Under the rule, versions without another's approval are skipped too
SELECT is(pg_temp.forth(2), '2 from 1');
SELECT lives_ok($$SELECT churnops_alter_model('churn', require_approval => true)$$);
SELECT throws_ok($$SELECT churnops_rollback('churn')$$, '55000', 'alias "champion" of model "churn" has nothing to go back to');
SELECT lives_ok($$SELECT churnops_alter_model('churn', require_approval => false)$$);
SELECT is(pg_temp.back(), '1 from 2');

SELECT throws_ok($$SELECT churnops_rollback(NULL)$$, '22004', 'argument "model" must not be null');
SELECT throws_ok($$SELECT churnops_rollback('churn/1')$$, '42602', 'invalid model name "churn/1"');
SELECT throws_ok($$SELECT churnops_rollback('churn', NULL, 'Beta')$$, '42602', 'invalid alias name "Beta"');
SELECT throws_ok($$SELECT churnops_rollback('churn', NULL, NULL)$$, '22004', 'argument "alias" must not be null');

SELECT results_eq($$SELECT action, version, detail->>'from_version', detail->>'reason' FROM churnops.audit_log ORDER BY entry DESC LIMIT 1$$,
	$$VALUES ('rollback', 1, '2', 'back')$$, 'the audit calls it a rollback');
SELECT results_eq($$SELECT version, previous_version, is_rollback, valid_to IS NULL FROM churnops.alias_history WHERE alias = 'champion' ORDER BY event DESC LIMIT 2$$,
	$$VALUES (1, 2, true, true), (2, 1, false, false)$$, 'so does the history');
SELECT is_empty($$SELECT event FROM churnops.alias_history AS h WHERE valid_to IS DISTINCT FROM (
	SELECT min(n.valid_from) FROM churnops.alias_history AS n WHERE n.model = h.model AND n.alias = h.alias AND n.event > h.event)$$,
	'each state lasts until the next');
SELECT is_empty('SELECT * FROM churnops_verify()');

-- Where rows are routed to another version, a rollback ends that and no more

SAVEPOINT routed;
SELECT is(pg_temp.forth(4), '4 from 1');
CREATE OR REPLACE FUNCTION churnops.end_deployments(model_name text, caller name, why text) RETURNS bigint LANGUAGE sql
AS $$SELECT (model_name = 'churn' AND caller = 'churnops_alice' AND why = 'back')::integer::bigint$$;
SELECT is(pg_temp.back(), '4 from 1', 'the champion stays');
SELECT lives_ok($$SELECT churnops_promote('churn/1', 'beta'), churnops_promote('churn/4', 'beta')$$);
SELECT is(pg_temp.back('beta'), '1 from 4', 'other aliases are not routed');
ROLLBACK TO routed;

-- What an alias meant

CREATE TABLE moment AS SELECT event, alias, version, valid_from, valid_to FROM churnops.alias_history;
SELECT is_empty($$SELECT m.event FROM moment AS m, churnops_alias_at('churn@' || m.alias, m.valid_from) AS s WHERE s.version IS DISTINCT FROM m.version$$,
	'from the moment of a change on, its state');
SELECT is_empty($$SELECT m.event FROM moment AS m, churnops_alias_at('churn@' || m.alias, m.valid_to - interval '1 microsecond') AS s
	WHERE s.version IS DISTINCT FROM m.version AND m.valid_to > m.valid_from$$, 'up to the next');
SELECT is((SELECT version FROM churnops_alias_at('churn', clock_timestamp())), 1, 'the bare name is the champion');
SELECT is((SELECT version FROM churnops_alias_at('models:/churn', 'infinity')), 1);
SELECT is((SELECT a IS NULL FROM churnops_alias_at('churn', '2000-01-01') AS a), true, 'nothing before the first change');
SELECT is((SELECT a IS NULL FROM churnops_alias_at('churn@never', now()) AS a), true, 'nor of an alias that never was');
SELECT is((SELECT a IS NULL FROM churnops_alias_at('churn', NULL) AS a), true, 'nor at no time');
SELECT is(pg_temp.error_as('churnops_alice', $$SELECT churnops_alias_at('churn/1', now())$$),
	E'22023\nmodel reference "churn/1" names no alias\nA version is the same at all times: ask for an alias, or for the model''s name alone.');

-- Which version scored a row, trained on what, promoted by whom, when and why: one join

CREATE TABLE scored (customer text, version integer, scored_at timestamptz);
INSERT INTO scored SELECT 'C1', version, valid_from FROM moment WHERE alias = 'champion' AND version = 3 ORDER BY event LIMIT 1;
SELECT results_eq($$SELECT s.customer, l.query, l.dataset_digest, l.created_by, h.changed_by, h.valid_from = s.scored_at, h.reason
	FROM scored AS s
	JOIN churnops.lineage AS l ON l.model = 'churn' AND l.version = s.version
	LEFT JOIN LATERAL (
		SELECT * FROM churnops.alias_history AS h
		WHERE h.model = l.model AND h.alias = 'champion' AND h.version = s.version AND h.valid_from <= s.scored_at
		ORDER BY h.event DESC LIMIT 1) AS h ON true$$,
	$$VALUES ('C1', 'SELECT * FROM customers', repeat('d', 64), 'churnops_alice', 'churnops_alice', true, NULL::text)$$,
	'where a score came from');

SELECT * FROM finish();
ROLLBACK;
