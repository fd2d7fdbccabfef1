-- Scoring: forms of a row, answers, errors that name what is wrong, and what a
-- reference means while versions change.  Nothing here depends on the trees.
CREATE TYPE plan AS ENUM ('basic', 'plus', 'premium');
CREATE DOMAIN months AS integer CHECK (value >= 0);
CREATE TABLE customers AS
SELECT i AS id,
	(i * 7919 % 72)::months AS tenure,
	(i * 104729 % 1000)::numeric / 10 AS charges,
	i % 3 = 0 AS senior,
	(ARRAY['monthly', 'one year', 'two years'])[1 + i * 13 % 3] AS contract,
	(ARRAY['basic', 'plus', 'premium'])[1 + i % 3]::plan AS plan,
	(ARRAY['a', 'bb'])[1 + i % 2]::char(4) AS code,
	CASE WHEN i % 11 > 0 THEN (i % 29)::real END AS calls,
	date '2020-01-01' + i % 500 AS signup,
	timestamptz '2024-01-01 00:00:00+00' + i % 97 * interval '7 hours' AS seen,
	make_interval(days => i % 31) AS pause,
	CASE WHEN i * 7919 % 72 < 30 AND i * 13 % 3 = 0 OR i % 17 = 0 THEN 'Yes' ELSE 'No' END AS churn
FROM generate_series(1, 400) AS i;
SET client_min_messages = warning;
SELECT ref, status, n_features FROM churnops_train('churn', 'customers', 'churn',
	'{"n_estimators": 10, "max_depth": 6}', key => '{id}');
SELECT ref FROM churnops_train('charges', 'SELECT tenure::int, calls, charges FROM customers', 'charges',
	'{"n_estimators": 5}');
SELECT ref FROM churnops_train('plans', 'SELECT tenure::int, calls, plan FROM customers', 'plan',
	'{"n_estimators": 5}');
SELECT ref FROM churnops_train('premium', 'SELECT tenure::int, calls, plan FROM customers', 'plan',
	'{"n_estimators": 5}', positive_class => 'premium');
SELECT ref FROM churnops_train('stays', 'customers', 'churn', '{"n_estimators": 10, "max_depth": 6}',
	key => '{id}', positive_class => 'No');
RESET client_min_messages;

-- The forms of a row agree to the last bit
SELECT count(*), count(DISTINCT p) > 10 AS varied, bool_and(p BETWEEN 0 AND 1) AS in_range,
	bool_and(p = j) AS jsonb, bool_and(p = js) AS json, bool_and(p = t) AS text, bool_and(p = s) AS subquery,
	bool_and(p = r) AS by_position
FROM customers AS c, LATERAL (SELECT
	churnops_predict('churn', c) AS p,
	churnops_predict('churn', to_jsonb(c)) AS j,
	churnops_predict('churn', to_json(c)) AS js,
	churnops_predict('churn', to_json(c)::text) AS t,
	churnops_predict('churn', (SELECT s FROM (SELECT c.*) AS s)) AS s,
	churnops_predict('churn', ROW(tenure, charges, senior, contract, plan, code, calls, signup, seen, pause)) AS r
) AS p;
SELECT bool_and(churnops_predict('charges', c) = churnops_predict('charges', ARRAY[tenure, calls]::float8[]))
FROM customers AS c;

-- Settings that change how values are written change no prediction
CREATE TABLE expected AS SELECT id, churnops_predict('churn', c) AS p FROM customers AS c;
SET DateStyle = 'German';
SET IntervalStyle = 'sql_standard';
SET TimeZone = 'America/New_York';
SELECT bool_and(p = churnops_predict('churn', c)) AS record, bool_and(p = churnops_predict('churn', to_jsonb(c))) AS jsonb
FROM customers AS c JOIN expected USING (id);
RESET DateStyle;
RESET IntervalStyle;
RESET TimeZone;

-- Answers
SELECT bool_and((proba->>'Yes')::float8 = p) AS positive, bool_and((proba->>'No')::float8 = 1 - p) AS negative,
	bool_and(class = CASE WHEN p >= 0.5 THEN 'Yes' ELSE 'No' END) AS class, count(DISTINCT class) AS classes
FROM customers AS c, LATERAL (SELECT churnops_predict('churn', c) AS p, churnops_predict_class('churn', c) AS class,
	churnops_predict_proba('churn', c) AS proba) AS p;
SELECT bool_and(churnops_predict('stays', c) = 1 - churnops_predict('churn', c)) AS other_class,
	bool_and(churnops_predict_proba('stays', c) = churnops_predict_proba('churn', c)) AS same_proba
FROM customers AS c;
SELECT bool_and(class = (SELECT key FROM jsonb_each(proba) AS e ORDER BY value::float8 DESC, key LIMIT 1)) AS largest,
	bool_and(abs(1 - (SELECT sum(value::float8) FROM jsonb_each(proba))) < 1e-9) AS sum_is_one
FROM customers AS c, LATERAL (SELECT churnops_predict_class('plans', c) AS class, churnops_predict_proba('plans', c) AS proba) AS p;
SELECT bool_and(churnops_predict('premium', c) = (churnops_predict_proba('premium', c)->>'premium')::float8) FROM customers AS c;
SELECT churnops_predict('plans', c) FROM customers AS c LIMIT 1;
SELECT churnops_predict_class('charges', c) FROM customers AS c LIMIT 1;
SELECT churnops_predict_proba('charges', c) FROM customers AS c LIMIT 1;

-- NULL: the row gives NULL, a value is missing; the reference is looked at in any case
SELECT churnops_predict('churn', NULL::customers) AS record, churnops_predict('churn', NULL::jsonb) AS jsonb,
	churnops_predict('churn', NULL::json) AS json, churnops_predict('churn', NULL) AS text,
	churnops_predict('charges', NULL::float8[]) AS array, churnops_predict_class('churn', NULL) AS class,
	churnops_predict_proba('churn', NULL) AS proba;
SELECT churnops_predict('charges', ROW(NULL::int, NULL::real)) = churnops_predict('charges', '{"tenure": null, "calls": null}')
	AND churnops_predict('charges', ARRAY[NULL, 'NaN']::float8[]) = churnops_predict('charges', '{"tenure": null, "calls": "NaN"}');
SELECT churnops_predict(NULL, c) FROM customers AS c LIMIT 1;
SELECT churnops_predict('nobody', NULL::jsonb);
SELECT churnops_predict_class('charges', NULL::jsonb);

-- Infinity falls into an outer bin
SELECT churnops_predict('charges', ARRAY['Infinity', 3]::float8[]) = churnops_predict('charges', ARRAY[1e300, 3]::float8[]) AS plus,
	churnops_predict('charges', '{"tenure": "-Infinity", "calls": 3}') = churnops_predict('charges', '{"tenure": -1e300, "calls": 3}') AS minus,
	churnops_predict('charges', '{"tenure": 1e400, "calls": 3}') = churnops_predict('charges', ARRAY['Infinity', 3]::float8[]) AS huge;

-- A missing or mistyped column names itself
SELECT churnops_predict('churn', s) FROM (SELECT tenure, charges FROM customers) AS s LIMIT 1;
SELECT churnops_predict('churn', to_jsonb(c) - 'plan') FROM customers AS c LIMIT 1;
SELECT churnops_predict('charges', s) FROM (SELECT tenure::text, calls FROM customers) AS s LIMIT 1;
SELECT churnops_predict('charges', s) FROM (SELECT tenure::int, senior AS calls FROM customers) AS s LIMIT 1;
SELECT churnops_predict('charges', s) FROM (SELECT tenure::int, ARRAY[1] AS calls FROM customers) AS s LIMIT 1;
SELECT churnops_predict('charges', s) FROM (SELECT tenure::int, calls, calls FROM customers) AS s LIMIT 1;
SELECT churnops_predict('churn', to_jsonb(c) || '{"tenure": "12"}') FROM customers AS c LIMIT 1;
SELECT churnops_predict('churn', to_jsonb(c) || '{"senior": 1}') FROM customers AS c LIMIT 1;
SELECT churnops_predict('churn', to_jsonb(c) || '{"contract": 1}') FROM customers AS c LIMIT 1;
SELECT churnops_predict('churn', to_jsonb(c) || '{"contract": ["monthly"]}') FROM customers AS c LIMIT 1;
SELECT churnops_predict('churn', to_jsonb(c) || '{"signup": 20200101}') FROM customers AS c LIMIT 1;
SELECT churnops_predict('churn', to_jsonb(c) || '{"signup": "yesterdayish"}') FROM customers AS c LIMIT 1;
SELECT churnops_predict('churn', to_jsonb(c) || '{"pause": true}') FROM customers AS c LIMIT 1;
SELECT churnops_predict('churn', '[1, 2]'::jsonb);
SELECT churnops_predict('churn', 'null'::json);
\set VERBOSITY sqlstate
SELECT churnops_predict('churn', '{"tenure":');
\set VERBOSITY default
SELECT churnops_predict('churn', ARRAY[1, 2]::float8[]);
SELECT churnops_predict('charges', ARRAY[1, 2, 3]::float8[]);
SELECT churnops_predict('charges', '{}'::float8[]);
SELECT churnops_predict('charges', ARRAY[[1], [2]]::float8[]);

-- Other types of the same class
SELECT bool_and(p = q) AS same FROM customers AS c JOIN expected USING (id), LATERAL (
	SELECT churnops_predict('churn', s) AS q
	FROM (SELECT tenure::numeric(10, 3), charges::float8, senior, contract::varchar(20), plan::text, code::text, calls::float8,
		signup::timestamp, seen AT TIME ZONE 'UTC' AS seen, pause) AS s) AS q;

-- ROW(...) has no names: by position, if number and kinds are equal
SELECT churnops_predict('charges', ROW(1, 2)) = churnops_predict('charges', ARRAY[1, 2]::float8[]) AS by_position,
	churnops_predict('charges', ROW(1, NULL)) = churnops_predict('charges', ARRAY[1, NULL]::float8[]) AS untyped_null;
SELECT churnops_predict('charges', ROW(1));
SELECT churnops_predict('charges', ROW(1, 2, 3));
SELECT churnops_predict('charges', ROW(1, true));
SELECT churnops_predict('charges', ROW(1, '2'));

-- References
SELECT churnops_predict(ref, c) = churnops_predict('churn', c) AS same
FROM unnest(ARRAY['churn/1', 'churn@champion', 'models:/churn', 'models:/churn/1', 'models:/churn@champion']) AS ref,
	(SELECT * FROM customers LIMIT 1) AS c;
SELECT churnops_predict('Churn', c) FROM customers AS c LIMIT 1;
SELECT churnops_predict('churn/2', c) FROM customers AS c LIMIT 1;
SELECT churnops_predict('churn@challenger', c) FROM customers AS c LIMIT 1;

-- A model by row, more models than entries in the memo
SELECT count(*), bool_and(p = q) FROM (
	SELECT churnops_predict(CASE WHEN id % 2 = 0 THEN 'churn' ELSE 'stays' END, c) AS p,
		CASE WHEN id % 2 = 0 THEN churnops_predict('churn', c) ELSE churnops_predict('stays', c) END AS q
	FROM customers AS c) AS s;

-- A cache too small for anything serves what is in use
SET churnops.cache_size = '1MB';
SELECT sum(churnops_predict('churn', c)) = sum(1 - churnops_predict('stays', c)) FROM customers AS c;
RESET churnops.cache_size;

-- churnops_score: the same in blocks
SELECT count(*), bool_and(s.prediction = e.p) AS prediction, bool_and(s.class = churnops_predict_class('churn', c)) AS class,
	min(version) AS version, min(arm) AS arm
FROM churnops_score('churn', 'customers', key => '{id}') AS s
	JOIN expected AS e ON e.id = (s.key->>'id')::int JOIN customers AS c ON c.id = e.id;
SELECT key FROM churnops_score('churn/1', 'SELECT * FROM customers ORDER BY id LIMIT 3',
	key => '{id, contract, senior, calls, signup, plan}');
SELECT key, version, arm FROM churnops_score('churn/1', 'SELECT * FROM customers ORDER BY id LIMIT 1');
SELECT count(prediction) AS numbers, count(class) AS classes FROM churnops_score('charges', 'customers');
SELECT count(prediction) AS numbers, count(class) AS classes FROM churnops_score('plans', 'customers');
SELECT count(prediction) AS numbers, count(class) AS classes FROM churnops_score('premium', 'customers');
SELECT count(*) FROM churnops_score('churn', 'SELECT * FROM customers WHERE false');
SELECT * FROM churnops_score('churn', 'SELECT tenure FROM customers');
SELECT * FROM churnops_score('churn', 'customers', key => '{id, nix}');
SELECT * FROM churnops_score('churn', 'customers', key => ARRAY['id', NULL]);
SELECT count(*) FROM churnops_score('churn', 'customers', log => true);
SELECT count(*), min(arm), min(version), count(features) FROM churnops.predictions;
SELECT * FROM churnops_score(NULL, 'customers');
SELECT * FROM churnops_score('churn', NULL);

-- Versions that differ: 1 predicts about 10, 2 about 20
SET client_min_messages = warning;
SELECT ref FROM churnops_train('steps', 'SELECT x, 10.0 + x % 2 AS y FROM generate_series(1, 100) AS x', 'y', '{"n_estimators": 2}');
SELECT ref FROM churnops_train('steps', 'SELECT x, 20.0 + x % 2 AS y FROM generate_series(1, 100) AS x', 'y', '{"n_estimators": 2}');
RESET client_min_messages;
CREATE FUNCTION served(ref text DEFAULT 'steps') RETURNS int LANGUAGE sql STABLE
AS $$ SELECT floor(churnops_predict(ref, '{"x": 7}'::jsonb) / 10) $$;
SELECT served(), served('steps/1') AS first, served('steps/2') AS second;

-- A prepared statement with a cached plan follows promotions
PREPARE predict AS SELECT floor(churnops_predict('steps', ROW(7)) / 10) AS served;
EXECUTE predict;
SELECT version FROM churnops_promote('steps/2');
EXECUTE predict;

-- A loop of simple expressions, whose fn_extra outlives the statement
CREATE FUNCTION served_in_turn() RETURNS TABLE (promoted int, served int) LANGUAGE plpgsql AS $$
DECLARE
	r record;
BEGIN
	FOR v IN 1..4 LOOP
		promoted := 1 + v % 2;
		PERFORM churnops_promote('steps/' || promoted);
		served := churnops_predict('steps', '{"x": 7}'::jsonb) / 10;
		RETURN NEXT;
	END LOOP;
END $$;
SELECT * FROM served_in_turn();

-- A cursor keeps the version of its snapshot
BEGIN;
DECLARE scores CURSOR FOR SELECT floor(churnops_predict('steps', t) / 10) AS served FROM (VALUES (1), (2), (3)) AS t(x);
FETCH 1 FROM scores;
SELECT version FROM churnops_promote('steps/2');
SELECT served();
FETCH 1 FROM scores;
SELECT served();
FETCH 1 FROM scores;
COMMIT;

-- What is rolled back was never served afterwards
BEGIN;
SELECT served();
SAVEPOINT before;
SELECT version FROM churnops_promote('steps/1');
SELECT served();
ROLLBACK TO before;
SELECT served();
SELECT version FROM churnops_promote('steps/1');
SELECT served();
ROLLBACK;
SELECT served();
DO $$
BEGIN
	BEGIN
		PERFORM churnops_promote('steps/1');
		RAISE NOTICE 'promoted: %', served();
		RAISE EXCEPTION 'undo';
	EXCEPTION WHEN raise_exception THEN
		RAISE NOTICE 'undone: %', served();
	END;
END $$;

-- Rights are asked for with every user, in the middle of a transaction too
CREATE ROLE churnops_stranger;
CREATE ROLE churnops_scorer;
GRANT SELECT ON customers TO churnops_stranger;
BEGIN;
SELECT served();
SET LOCAL ROLE churnops_stranger;
SELECT served();
ROLLBACK;
BEGIN;
SET LOCAL ROLE churnops_stranger;
SELECT * FROM churnops_score('steps', 'customers');
ROLLBACK;
BEGIN;
SET LOCAL ROLE churnops_stranger;
SELECT churnops_predict('steps/7', '{"x": 7}'::jsonb);
ROLLBACK;
CREATE FUNCTION served_for_strangers() RETURNS int LANGUAGE sql STABLE SECURITY DEFINER
AS $$ SELECT public.served() $$;
BEGIN;
SET LOCAL ROLE churnops_stranger;
SELECT served_for_strangers();
SELECT served();
ROLLBACK;

-- A query is read with the caller's rights
CREATE TABLE secrets AS SELECT 7 AS x;
SET client_min_messages = warning;
GRANT CREATE ON SCHEMA public TO churnops_scorer;
SET ROLE churnops_scorer;
SELECT ref FROM churnops_train('own', 'SELECT x, 10.0 + x % 2 AS y FROM generate_series(1, 100) AS x', 'y', '{"n_estimators": 2}');
RESET client_min_messages;
SELECT count(*) FROM churnops_score('own', 'VALUES (1)');
SELECT count(*) FROM churnops_score('own', 'SELECT 1 AS x');
SELECT count(*) FROM churnops_score('own', 'secrets');
RESET ROLE;

-- A role that is gone owns nothing
REVOKE CREATE ON SCHEMA public FROM churnops_scorer;
DROP ROLE churnops_scorer;
SELECT churnops_predict('own', '{"x": 7}'::jsonb);

-- The extension can go and come back in one session
PREPARE again AS SELECT count(*) FROM churnops.models;
DROP EXTENSION churnops CASCADE;
CREATE EXTENSION churnops;
EXECUTE again;
SELECT churnops_predict('churn', '{}'::jsonb);
SET client_min_messages = warning;
SELECT ref FROM churnops_train('steps', 'SELECT x, 30.0 + x % 2 AS y FROM generate_series(1, 100) AS x', 'y', '{"n_estimators": 2}');
RESET client_min_messages;
SELECT floor(churnops_predict('steps', '{"x": 7}'::jsonb) / 10) AS served;

DROP TABLE customers, expected, secrets;
DROP FUNCTION served_in_turn, served, served_for_strangers;
DROP TYPE plan;
DROP DOMAIN months;
DROP ROLE churnops_stranger;
