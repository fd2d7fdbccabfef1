-- Many versions and events: everything about one model is found by an index, and
-- the list of models counts nothing
BEGIN;
\ir include/setup.sql
SELECT no_plan();

SELECT is(pg_temp.register('churn', current_user), 'churn/1 approved');
SELECT is(pg_temp.register('small', current_user), 'small/1 approved');
INSERT INTO churnops.run (model, kind, status, dataset, params_given, params, options, seed, n_unknown_target, metrics, environment,
	started_at, seconds, created_by, "session_user", created_at)
SELECT r.model, r.kind, r.status, r.dataset, r.params_given, r.params, r.options, r.seed, r.n_unknown_target, r.metrics, r.environment,
	r.started_at, r.seconds, r.created_by, r."session_user", r.created_at
FROM churnops.run AS r, generate_series(2, 3000) WHERE r.model = 'churn';
INSERT INTO churnops.version (model, version, run, dataset, algorithm, algorithm_version, format_version, n_rows, n_train, n_test, n_features,
	features, params, metrics, artifact_digest, artifact, created_by, created_at)
SELECT v.model, r.n, r.run, v.dataset, v.algorithm, v.algorithm_version, v.format_version, v.n_rows, v.n_train, v.n_test, v.n_features,
	v.features, v.params, v.metrics, v.artifact_digest, v.artifact, v.created_by, v.created_at
FROM churnops.version AS v, (SELECT run, row_number() OVER (ORDER BY run) AS n FROM churnops.run WHERE model = 'churn') AS r
WHERE v.model = 'churn' AND r.n > 1;
INSERT INTO churnops.version_event (model, version, status, changed_by, reason, changed_at, "session_user")
SELECT 'churn', n, 'approved', 'x', 'trained', now(), 'x' FROM generate_series(2, 3000) AS n;
INSERT INTO churnops.alias_event (model, alias, from_version, to_version, changed_by, "session_user", changed_at)
SELECT 'churn', 'champion', n % 3000 + 1, (n + 1) % 3000 + 1, 'x', 'x', now() + n * interval '1 microsecond' FROM generate_series(1, 30000) AS n;
INSERT INTO churnops.audit (at, actor, "session_user", action, model, owner, detail, link, covered, hash)
SELECT now(), 'x', 'x', 'promote', 'churn', current_user, '{}', n, '[]', repeat('0', 64) FROM generate_series(10, 30000) AS n;
UPDATE churnops.model SET last_version = 3000 WHERE name = 'churn';
ANALYZE;

CREATE FUNCTION pg_temp.scanned(query text) RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
	line text;
	relations text[] := '{}';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (VERBOSE, COSTS OFF) ' || query LOOP
		relations := relations || (regexp_match(line, 'Seq Scan on churnops\.(run|version|version_event|alias_event|audit)( |$)'))[1];
	END LOOP;
	RETURN (SELECT string_agg(DISTINCT r, ' ') FROM unnest(relations) AS r);
END
$$;
SELECT isnt(pg_temp.scanned('SELECT * FROM churnops.version'), NULL, 'a scan is seen');
SELECT is(pg_temp.scanned(query), NULL, query)
FROM unnest(ARRAY['SELECT * FROM churnops.models', $$SELECT * FROM churnops.models WHERE name = 'churn'$$,
	$$SELECT * FROM churnops.versions WHERE model = 'churn' AND version = 77$$, $$SELECT * FROM churnops.lineage WHERE model = 'churn' AND version = 77$$,
	$$SELECT * FROM churnops.version_history WHERE model = 'churn' AND version = 77$$,
	$$SELECT * FROM churnops.alias_history WHERE model = 'churn' AND version = 77$$,
	$$SELECT * FROM churnops.alias_history WHERE model = 'small' AND alias = 'champion' AND valid_from <= now()$$,
	$$SELECT * FROM churnops.audit_log WHERE model = 'small'$$, $$SELECT * FROM churnops.audit_log WHERE model = 'churn' AND link = 77$$]) AS query;
SELECT is((SELECT n_versions FROM churnops.models WHERE name = 'churn'), 3000::bigint, 'they are known');

-- What changes or asks for one thing reads a few rows of the past
CREATE FUNCTION pg_temp.reads(query text) RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
	tables regclass[] := '{churnops.alias_event,churnops.audit,churnops.version,churnops.version_event}';
	before bigint;
	after bigint;
BEGIN
	SELECT sum(pg_stat_get_xact_tuples_fetched(t) + pg_stat_get_xact_tuples_returned(t)) INTO before FROM unnest(tables) AS t;
	EXECUTE query;
	SELECT sum(pg_stat_get_xact_tuples_fetched(t) + pg_stat_get_xact_tuples_returned(t)) INTO after FROM unnest(tables) AS t;
	RETURN after - before;
END
$$;
SELECT cmp_ok(pg_temp.reads(query), '<', 50::bigint, query)
FROM unnest(ARRAY[$$SELECT churnops_promote('churn/77')$$, $$SELECT churnops_rollback('churn')$$, $$SELECT churnops_alias_at('churn', now())$$,
	$$SELECT churnops_reject('churn/99')$$, $$SELECT churnops_approve('churn/99')$$, $$SELECT churnops_archive('churn/99')$$, $$SELECT churnops_unarchive('churn/99')$$,
	$$SELECT churnops_grant('churn', 'public', 'read')$$, $$SELECT churnops_model_card('churn/99')$$,
	$$SELECT churnops.write_audit(current_user, 'x', 'churn', 1, '{}')$$]) AS query;

SELECT * FROM finish();
ROLLBACK;
