-- What a role without a right on a model learns of it: nothing, wherever it looks
BEGIN;
\ir include/setup.sql
SELECT no_plan();

CREATE ROLE churnops_alice;
CREATE ROLE churnops_eve;
SELECT is(pg_temp.register('secret', 'churnops_alice'), 'secret/1 approved');
SELECT is(pg_temp.register('secret', 'churnops_alice'), 'secret/2 approved');
SELECT is(pg_temp.register('mine', 'churnops_eve'), 'mine/1 approved');
SELECT lives_ok($$SELECT churnops_grant('secret', 'churnops_alice', 'all')$$);
ANALYZE;

CREATE TEMPORARY VIEW ours AS
SELECT c.oid, c.relname, c.relkind FROM pg_class AS c WHERE c.relnamespace = 'churnops'::regnamespace;

-- Relations and functions

SELECT is_empty($$SELECT relname, p FROM ours, unnest('{SELECT,INSERT,UPDATE,REFERENCES}'::text[]) AS p
	WHERE relkind IN ('r', 'p') AND has_any_column_privilege('churnops_eve', oid, p)$$, 'no privilege on a column of a table');
SELECT is_empty($$SELECT relname, p FROM ours, unnest('{USAGE,SELECT,UPDATE}'::text[]) AS p
	WHERE relkind = 'S' AND has_sequence_privilege('churnops_eve', oid, p)$$, 'none on a sequence');
SELECT is(split_part(pg_temp.error_as('churnops_eve', format(call, relname)), E'\n', 1), '42501', format(call, relname))
FROM ours, unnest(ARRAY['SELECT last_value FROM churnops.%I', $$SELECT nextval('churnops.%I')$$, $$SELECT setval('churnops.%I', 1)$$]) AS call
WHERE relkind = 'S';
SELECT is(pg_temp.value_as('churnops_eve', $$SELECT count(*) FROM pg_sequences WHERE schemaname = 'churnops' AND last_value IS NOT NULL$$), '0',
	'pg_sequences shows no last value');
SELECT is(pg_temp.value_as('churnops_eve', $$SELECT count(*) FROM information_schema.columns WHERE table_schema = 'churnops'
	AND table_name IN (SELECT relname FROM pg_class WHERE relnamespace = 'churnops'::regnamespace AND relkind IN ('r', 'p'))$$), '0',
	'the information schema has no tables');

-- Statistics

SELECT is(pg_temp.value_as('churnops_eve', format('SELECT count(*) FROM pg_%s WHERE schemaname = ''churnops''', v)), '0', 'nothing in pg_' || v)
FROM unnest('{stats,stats_ext,stats_ext_exprs}'::text[]) AS v;
SELECT is(split_part(pg_temp.error_as('churnops_eve', 'SELECT * FROM ' || t), E'\n', 1), '42501', t) FROM unnest('{pg_statistic,pg_statistic_ext_data}'::text[]) AS t;
-- With row-level security on, statistics are hidden from those with a grant too.
SAVEPOINT granted;
GRANT SELECT ON ALL TABLES IN SCHEMA churnops TO churnops_eve;
SELECT is(pg_temp.value_as('churnops_eve', $$SELECT count(*) FROM pg_stats WHERE schemaname = 'churnops' AND tablename IN (
	SELECT relname FROM pg_class WHERE relnamespace = 'churnops'::regnamespace AND relkind = 'r')$$), '0', 'nor for readers of the tables');
SELECT is(pg_temp.value_as('churnops_eve', format('SELECT count(*) FROM churnops.%I WHERE %I = ''secret''', t, c)), '0', 'nor rows: ' || t)
FROM (SELECT c.relname AS t, a.attname AS c FROM ours AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
	WHERE c.relkind IN ('r', 'p') AND (a.attname = 'model' OR c.relname = 'model' AND a.attname = 'name')) AS x;

-- A function in the reader's WHERE, cheaper than any of ours, does not see them
CREATE FUNCTION public.peek(value text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$
BEGIN
	IF value = 'secret' THEN
		RAISE EXCEPTION 'saw %', value;
	END IF;
	RETURN true;
END
$$;
SELECT is(pg_temp.error_as('churnops_eve', format('SELECT count(*) FROM churnops.%I WHERE peek(%I)', r, c)), 'no error', 'no peeking into ' || r)
FROM (SELECT c.relname AS r, a.attname AS c FROM ours AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
	WHERE c.relkind IN ('r', 'p', 'v') AND (a.attname = 'model' OR c.relname IN ('model', 'models') AND a.attname = 'name')) AS x;
-- Nor does an error that depends on a value
SELECT is(pg_temp.error_as('churnops_eve', $$SELECT count(*) FROM churnops.models WHERE 1 / (name <> 'secret')::integer > 0$$), 'no error', 'nor by a division');
ROLLBACK TO granted;

-- Plans: what EXPLAIN estimates is the same for names that are there and that are not

SELECT is(count(pg_temp.register('secret', 'churnops_alice')), 50::bigint) FROM generate_series(1, 50);
ANALYZE;
CREATE FUNCTION pg_temp.plan_as(role text, query text) RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
	line text;
	plan text := '';
BEGIN
	PERFORM set_config('role', role, true);
	FOR line IN EXECUTE 'EXPLAIN (VERBOSE) ' || query LOOP
		plan := plan || line || E'\n';
	END LOOP;
	PERFORM set_config('role', 'none', true);
	RETURN plan;
END
$$;
SELECT is(pg_temp.plan_as('churnops_eve', format(query, 'secret')), replace(pg_temp.plan_as('churnops_eve', format(query, 'absent')), 'absent', 'secret'), query)
FROM (SELECT format('SELECT * FROM churnops.%I WHERE %I = %%L', c.relname, a.attname) AS query FROM ours AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
	WHERE c.relkind = 'v' AND a.attnum > 0 AND a.atttypid = 'text'::regtype) AS q;
SELECT is_empty($$SELECT starelid::regclass, staattnum FROM pg_statistic AS s JOIN ours AS o ON o.oid = s.starelid WHERE o.relkind IN ('r', 'p')$$,
	'nothing is known about values in the tables');

-- Views

SELECT is(pg_temp.value_as('churnops_eve', format('SELECT count(*) FROM churnops.%I WHERE %I = ''secret''', v, c)), '0', 'view ' || v)
FROM (SELECT c.relname AS v, a.attname AS c FROM ours AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
	WHERE c.relkind = 'v' AND (a.attname = 'model' OR c.relname = 'models' AND a.attname = 'name')) AS x;

-- Errors, with every field that a client can see; the name alone differs

CREATE FUNCTION pg_temp.all_fields(role text, query text) RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
	state text;
	message text;
	detail text;
	hint text;
	context text;
	c text;
	n text;
	d text;
	t text;
	s text;
BEGIN
	PERFORM pg_temp.value_as(role, query);
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT,
		context = PG_EXCEPTION_CONTEXT, c = COLUMN_NAME, n = CONSTRAINT_NAME, d = PG_DATATYPE_NAME, t = TABLE_NAME, s = SCHEMA_NAME;
	RETURN concat_ws(E'\n', state, message, detail, hint, context, c, n, d, t, s);
END
$$;
CREATE TEMPORARY TABLE call AS
SELECT replace(c, 'REF', r) AS query
FROM unnest(ARRAY['churnops_promote(''REF'')', 'churnops_promote(''REF'', ''beta'', ''why'')', 'churnops_approve(''REF'')', 'churnops_reject(''REF'')',
		'churnops_archive(''REF'')', 'churnops_unarchive(''REF'')', 'churnops_model_card(''REF'')', 'churnops_importance(''REF'')',
		'churnops_predict(''REF'', ''{}''::jsonb)', 'churnops_predict_class(''REF'', NULL::text)', 'churnops_predict_proba(''REF'', ''{1}''::float8[])',
		'churnops_score(''REF'', ''SELECT 1 AS a'')', 'churnops_evaluate(''REF'', ''SELECT 1 AS a'')', 'churnops_reproduce(''REF'')',
		'churnops_alias_at(''REF'', now())', 'churnops_drop_alias(''REF'')']) AS c,
	unnest('{MODEL,MODEL/1,MODEL/9,MODEL@champion,MODEL@nobody,models:/MODEL/1}'::text[]) AS r
UNION ALL
SELECT c FROM unnest(ARRAY['churnops_drop_model(''MODEL'')', 'churnops_rollback(''MODEL'')', 'churnops_rollback(''MODEL'', ''why'', ''nobody'')',
	'churnops_grant(''MODEL'', ''churnops_eve'', ''all'')', 'churnops_grant(''MODEL'', ''nobody'', ''read'')', 'churnops_revoke(''MODEL'', ''churnops_alice'', ''read'')',
	'churnops_alter_model(''MODEL'', owner => ''churnops_eve'')', 'churnops_alter_model(''MODEL'')', 'churnops_verify(''MODEL'')',
	'churnops_has_right(''MODEL'', ''any'')', 'churnops_has_right(''MODEL'', ''deploy'', ''champion'')']) AS c;
-- Contexts of a session's first call have lines more.
SELECT count(pg_temp.all_fields('churnops_eve', 'SELECT ' || replace(query, 'MODEL', m))) > 0 FROM call, unnest('{first,second}'::text[]) AS m;
SELECT is(
	pg_temp.all_fields('churnops_eve', 'SELECT ' || replace(query, 'MODEL', 'secret')),
	replace(pg_temp.all_fields('churnops_eve', 'SELECT ' || replace(query, 'MODEL', 'absent')), 'absent', 'secret'), query)
FROM call;
SELECT is_empty($$SELECT query FROM call WHERE query !~ '(has_right|alias_at|drop_alias|has_right)'
	AND pg_temp.all_fields('churnops_eve', 'SELECT ' || replace(query, 'MODEL', 'secret')) !~ '^42704\nmodel "secret" does not exist\n'$$, 'and says what an unknown model says');
-- The one thing that names in one space cannot hide: a training says the name is taken, and no more.
SELECT is(pg_temp.error_as('churnops_eve', $$SELECT churnops_train('secret', 'SELECT 1 AS a, 2 AS b', 'a')$$),
	E'42501\ncannot train model "secret"\nChoose another name for the model.');

SELECT * FROM finish();
ROLLBACK;
