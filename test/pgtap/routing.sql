-- Routing: which rows the candidate of a running deployment answers
BEGIN;
\ir include/setup.sql
SELECT no_plan();
SET LOCAL client_min_messages = warning;

-- Version 1 predicts about 10, version 2 about 20.
CREATE TABLE customers AS
SELECT id, 'c-' || id AS name, id % 7 AS x, id / 3.0 AS y FROM generate_series(1, 5000) AS id;
INSERT INTO customers VALUES (NULL, NULL, 3, 1);
SELECT ref FROM churnops_train('spend', 'SELECT id, x, 10.0 + x % 2 AS z FROM customers WHERE id <= 200', 'z', '{"n_estimators": 3}', key => '{id}');
SELECT ref FROM churnops_train('spend', 'SELECT id, x, 20.0 + x % 2 AS z FROM customers WHERE id <= 200', 'z', '{"n_estimators": 3}', key => '{id}');

CREATE FUNCTION pg_temp.candidates() RETURNS TABLE (id integer)
LANGUAGE sql
AS $$SELECT c.id FROM customers AS c WHERE churnops_predict('spend', c) > 15$$;
CREATE FUNCTION pg_temp.last() RETURNS bigint LANGUAGE sql
AS 'SELECT max(deployment) FROM churnops.deployment';
-- Chi-square with one degree of freedom, above 10.8 one time in a thousand.
CREATE FUNCTION pg_temp.off(n bigint, w float8) RETURNS float8 LANGUAGE sql
AS 'SELECT (n - 5000 * w) ^ 2 / (5000 * w) + (n - 5000 * w) ^ 2 / (5000 * (1 - w))';

SELECT is((SELECT count(*) FROM pg_temp.candidates()), 0::bigint, 'nothing is rolled out');
SELECT churnops_deploy('spend', 2, 'canary', '{"weight": 0.1}') AS first \gset
CREATE TABLE first AS SELECT * FROM pg_temp.candidates();
SELECT cmp_ok(pg_temp.off(count(*), 0.1), '<', 10.8::float8, 'one row in ten is the candidate''s') FROM first;
SELECT set_eq('SELECT id FROM first', format('SELECT id FROM customers WHERE churnops_route(%L, jsonb_build_object(''id'', id)) < 0.1', :first),
	'the arm can be computed from salt and key');
SELECT is((SELECT count(*) FROM first WHERE id IS NULL), 0::bigint, 'rows without a key are the champion''s');

-- Every form of a row has the same arm.
PREPARE whole AS SELECT id, churnops_predict('spend', c) FROM customers AS c WHERE id <= 500;
SELECT results_eq('whole', $$SELECT id, churnops_predict('spend', to_jsonb(c)) FROM customers AS c WHERE id <= 500$$, 'jsonb');
SELECT results_eq('whole', $$SELECT id, churnops_predict('spend', to_json(c)) FROM customers AS c WHERE id <= 500$$, 'json');
SELECT results_eq('whole', $$SELECT id, churnops_predict('spend', to_json(c)::text) FROM customers AS c WHERE id <= 500$$, 'JSON text');
SELECT results_eq('whole', $$SELECT id::integer, churnops_predict('spend', s) FROM (SELECT id::bigint AS id, x FROM customers OFFSET 0) AS s WHERE id <= 500$$,
	'records of a subquery');
SELECT results_eq('whole', $$SELECT id::integer, churnops_predict('spend', s) FROM (SELECT id::numeric(10, 2) AS id, x FROM customers) AS s WHERE id <= 500$$,
	'a number of another type');
SELECT results_eq('whole', $$SELECT (key->>'id')::integer, prediction FROM churnops_score('spend', 'SELECT * FROM customers WHERE id <= 500', '{id}')$$,
	'churnops_score');
SELECT results_eq($$SELECT DISTINCT version, arm, round(prediction / 10) FROM churnops_score('spend', 'customers') ORDER BY 1$$,
	$$VALUES (1, 'champion'::text, 1::float8), (2, 'candidate', 2)$$, 'which names version and arm');
SELECT is((SELECT count(*) FROM (SELECT churnops_predict('spend', s) AS p FROM (SELECT x FROM customers) AS s) AS r WHERE p > 15), 0::bigint,
	'rows that lack the key column are the champion''s');
SELECT is((SELECT count(*) FROM customers WHERE churnops_predict('spend', ARRAY[x::float8]) > 15), 0::bigint, 'so are arrays');
SELECT is((SELECT count(*) FROM customers WHERE churnops_predict('spend', ROW(x)) > 15), 0::bigint, 'and rows without names');
SELECT is((SELECT count(*) FROM customers AS c WHERE churnops_predict('spend@champion', c) > 15), 0::bigint, 'an alias never routes');
SELECT is((SELECT count(*) FROM customers AS c WHERE churnops_predict('spend/1', c) > 15), 0::bigint, 'nor does a version');
SELECT is(churnops_predict('spend', NULL::jsonb), NULL, 'a NULL row is NULL');
SELECT throws_ok($$SELECT churnops_predict('spend', '{"id": 1}'::jsonb)$$, '42703', 'the row has no column "x", which model "spend" needs');
SET LOCAL plan_cache_mode = force_generic_plan;
PREPARE one AS SELECT round(churnops_predict('spend', c) / 10) FROM customers AS c WHERE id = $1;
SELECT results_eq(format('EXECUTE one(%s)', (SELECT min(id) FROM first)), 'VALUES (2::float8)', 'a prepared statement');

-- In a loop of PL/pgSQL, where the state of a call outlives statements.
CREATE FUNCTION pg_temp.loop() RETURNS integer LANGUAGE plpgsql
AS $$
DECLARE
	n integer := 0;
	c record;
	p float8;
BEGIN
	FOR c IN SELECT * FROM customers WHERE id <= 500 LOOP
		p := churnops_predict('spend', c);
		n := n + (p > 15)::integer;
		p := churnops_predict('spend', to_jsonb(c));
		n := n + (p > 15)::integer;
	END LOOP;
	RETURN n;
END $$;
SELECT is(pg_temp.loop(), (SELECT 2 * count(*)::integer FROM first WHERE id <= 500), 'a loop');

-- Rows of several types in turn.
CREATE TABLE more (x integer, id text);
INSERT INTO more SELECT x, id FROM customers WHERE id <= 300;
SELECT set_eq($$SELECT r->>'id' FROM (SELECT churnops_predict('spend', c) AS p, to_jsonb(c) AS r FROM customers AS c WHERE id <= 300
		UNION ALL SELECT churnops_predict('spend', m), to_jsonb(m) FROM more AS m) AS s WHERE p > 15$$,
	'SELECT id::text FROM first WHERE id <= 300', 'numbers and texts of the same form have the same arm');

-- Raising the weight only moves keys to the candidate.
SELECT churnops_cancel_deployment(:first);
SELECT is((SELECT count(*) FROM pg_temp.candidates()), 0::bigint, 'cancelled: all rows are the champion''s');
SELECT churnops_deploy('spend', 2, 'linear', '{"step": 0.3, "seconds": 0, "shift_psi": null}') AS second \gset
CREATE TABLE step AS SELECT 1 AS n, id FROM pg_temp.candidates();
SELECT is((SELECT decision FROM churnops_tick('spend')), 'advanced', 'the second step');
INSERT INTO step SELECT 2, id FROM pg_temp.candidates();
SELECT is((SELECT decision FROM churnops_tick('spend')), 'advanced', 'the third step');
INSERT INTO step SELECT 3, id FROM pg_temp.candidates();
SELECT is_empty('SELECT id FROM step WHERE n = 1 EXCEPT SELECT id FROM step WHERE n = 2', 'who was the candidate''s stays');
SELECT is_empty('SELECT id FROM step WHERE n = 2 EXCEPT SELECT id FROM step WHERE n = 3', 'and stays');
SELECT cmp_ok(pg_temp.off(count(*), n * 0.3), '<', 10.8::float8, format('the share at step %s', n)) FROM step GROUP BY n ORDER BY n;
SELECT is((SELECT decision FROM churnops_tick('spend')), 'promoted', 'the last step');
SELECT is((SELECT count(*) FROM customers AS c WHERE churnops_predict('spend', c) > 15), 5001::bigint, 'all rows are the new champion''s');

-- Salts are independent: of the keys of the first canary, three in ten are here.
SELECT cmp_ok(((s.n - f.n * 0.3) ^ 2 / (f.n * 0.3 * 0.7))::float8, '<', 10.8::float8, 'another deployment, other arms')
FROM (SELECT count(*) AS n FROM first) AS f,
	(SELECT count(*) AS n FROM first JOIN step USING (id) WHERE step.n = 1) AS s;

-- Keys of several columns, with texts, booleans and times.
SELECT churnops_deploy('spend', 1, 'canary', '{"weight": 0.5, "key": ["name", "id", "day", "at", "good", "part"]}') AS third \gset
CREATE TABLE keyed AS SELECT id, name, x, date '2024-02-29' + id AS day, timestamptz '2024-02-29 12:00+00' AS at, id % 2 = 0 AS good, id / 7.0::float8 AS part FROM customers;
SET LOCAL TimeZone = 'Asia/Tokyo';
CREATE TABLE tokyo AS SELECT id FROM keyed AS k WHERE churnops_predict('spend', k) < 15;
SET LOCAL TimeZone = 'UTC';
SET LOCAL DateStyle = 'German';
SET LOCAL extra_float_digits = -9;
SELECT set_eq($$SELECT id FROM keyed AS k WHERE churnops_predict('spend', k) < 15$$, 'SELECT id FROM tokyo', 'no setting changes an arm');
RESET extra_float_digits;
SELECT set_eq(format('SELECT id FROM keyed AS k WHERE churnops_route(%L, to_jsonb(k) - ''x''::text) < 0.5', :third), 'SELECT id FROM tokyo',
	'and the JSON object has the same one');
SELECT cmp_ok(pg_temp.off(count(*), 0.5), '<', 10.8::float8, 'one half') FROM tokyo;
SELECT churnops_cancel_deployment(:third);

-- Without any key: the encoded row.
SELECT ref FROM churnops_train('plain', 'SELECT y, 10.0 + id % 2 AS z FROM customers', 'z', '{"n_estimators": 3}', exclude => '{}');
SELECT ref FROM churnops_train('plain', 'SELECT y, 20.0 + id % 2 AS z FROM customers', 'z', '{"n_estimators": 3}');
SELECT churnops_deploy('plain', 2, 'canary', '{"weight": 0.5}');
SELECT results_eq($$SELECT id, churnops_predict('plain', c) FROM customers AS c ORDER BY id$$,
	$$SELECT id, churnops_predict('plain', ARRAY[y::float8]) FROM customers AS c ORDER BY id$$, 'equal rows have equal arms in any form');
SELECT ok(count(*) FILTER (WHERE p > 15) BETWEEN 1500 AND 3500, 'about one half of them')
FROM (SELECT churnops_predict('plain', c) AS p FROM customers AS c) AS r;

-- Classes and probabilities route alike.
SELECT ref FROM churnops_train('class', $$SELECT id, x, CASE WHEN x > 3 THEN 'b' ELSE 'a' END AS z FROM customers$$, 'z', '{"n_estimators": 3}', key => '{id}', positive_class => 'b');
SELECT ref FROM churnops_train('class', $$SELECT id, x, CASE WHEN x > 3 THEN 'a' ELSE 'b' END AS z FROM customers$$, 'z', '{"n_estimators": 3}', key => '{id}', positive_class => 'b');
SELECT churnops_deploy('class', 2, 'canary', '{"weight": 0.5}') AS class \gset
SELECT is_empty($$SELECT id FROM customers AS c
	WHERE (churnops_predict('class', c) >= 0.5) <> (churnops_predict_class('class', c) = 'b')
		OR (churnops_predict('class', c) >= 0.5) <> ((churnops_predict_proba('class', c)->>'b')::float8 >= 0.5)$$,
	'number, class and probabilities come from the same version');
SELECT set_eq($$SELECT id FROM customers AS c WHERE (churnops_predict_class('class', c) = 'b') <> (x > 3)$$,
	format('SELECT id FROM customers WHERE churnops_route(%L, jsonb_build_object(''id'', id)) < 0.5', :class), 'that of their arm');

-- churnops_route by itself
SELECT is(round(churnops_route('exp1', '{"id": 42}')::numeric, 10), 0.7089598500, 'T8: key 42');
SELECT is(round(churnops_route('exp1', '{"id": "customer-0001"}')::numeric, 10), 0.0828071179, 'T8: key customer-0001');
SELECT is(churnops_route('exp1', '{"id": 42.00}'), churnops_route('exp1', '{"id": 42}'), 'zeros at the end do not count');
SELECT is(churnops_route('exp1', to_jsonb(k)), churnops_route('exp1', '{"f": 0.1, "g": 0.3}'), 'numbers by their shortest digits')
FROM (SELECT 0.1::float4 AS f, 0.3::float8 AS g) AS k;
SELECT is(churnops_route('exp1', '{"id": null}'), NULL, 'NULL has no arm');
SELECT is(churnops_route('exp1', NULL), NULL, 'no key, no arm');
SELECT throws_ok($$SELECT churnops_route(NULL, '{"id": 42}')$$, '22004', 'argument "salt" must not be null');
SELECT throws_ok($$SELECT churnops_route('exp1', '42')$$, '22023', 'the key is not a JSON object with a member');
SELECT throws_ok($$SELECT churnops_route('exp1', '{}')$$, '22023', 'the key is not a JSON object with a member');

-- Subtransactions
SAVEPOINT before;
SELECT churnops_cancel_deployment(:class);
SELECT is((SELECT count(*) FROM customers AS c WHERE (churnops_predict_class('class', c) = 'b') <> (x > 3)), 0::bigint, 'cancelled');
ROLLBACK TO before;
SELECT ok((SELECT count(*) FROM customers AS c WHERE (churnops_predict_class('class', c) = 'b') <> (x > 3)) > 2000, 'and not');

SELECT * FROM finish();
ROLLBACK;
