-- The planner gives scoring the columns of a table instead of its rows: nobody
-- can tell by answers, errors and rights
BEGIN;
\ir include/setup.sql
SELECT no_plan();

CREATE TYPE mood AS ENUM ('calm', 'angry');
CREATE DOMAIN euros AS numeric(12, 2);
CREATE TABLE customers (
	id int PRIMARY KEY,
	wasted text,
	tenure int,
	charges euros,
	weight real,
	calls smallint,
	bytes bigint,
	score double precision,
	senior boolean,
	contract text,
	branch char(8),
	plan varchar(20),
	short name,
	letter "char",
	mood mood,
	signup date,
	seen timestamp,
	paid timestamptz,
	age interval,
	note bytea,
	churn text);
SELECT setseed(0.5);
CREATE FUNCTION pg_temp.maybe(anyelement) RETURNS anyelement LANGUAGE sql VOLATILE AS $$SELECT CASE WHEN random() < 0.9 THEN $1 END$$;
INSERT INTO customers
SELECT i, 'x', pg_temp.maybe((random() * 72)::int), pg_temp.maybe((random() * 1000)::euros), pg_temp.maybe((random() * 9)::real),
	pg_temp.maybe((random() * 50)::smallint), pg_temp.maybe((random() * 1e12)::bigint),
	pg_temp.maybe(CASE WHEN random() < 0.1 THEN 'NaN' ELSE random() END::float8),
	pg_temp.maybe(random() < 0.3), pg_temp.maybe((ARRAY['monthly', 'one year', 'two years', ''])[1 + (random() * 3)::int]),
	pg_temp.maybe(('b' || (random() * 9)::int)::char(8)), pg_temp.maybe(repeat('p', (random() * 20)::int)::varchar),
	pg_temp.maybe(('n' || (random() * 9)::int)::name), pg_temp.maybe(chr(97 + (random() * 9)::int)::"char"),
	pg_temp.maybe((ARRAY['calm', 'angry'])[1 + random()::int]::mood), pg_temp.maybe(date '2020-01-01' + (random() * 500)::int),
	pg_temp.maybe(timestamp '2021-01-01' + random() * interval '400 days'),
	pg_temp.maybe(timestamptz '2022-01-01' + random() * interval '400 days'), pg_temp.maybe(random() * interval '90 days'),
	'\x00', (ARRAY['Yes', 'No'])[1 + (random() * 1.3)::int % 2]
FROM generate_series(1, 1000) AS i;
ALTER TABLE customers DROP COLUMN wasted;
SELECT is(ref, 'churn/1') FROM churnops_train('churn', 'SELECT * FROM customers', 'churn',
	'{"n_estimators": 20, "max_depth": 8}', exclude => '{id,note}');
SELECT is(ref, 'kinds/1') FROM churnops_train('kinds', 'SELECT tenure, contract, id % 3 AS kind FROM customers', 'kind',
	'{"n_estimators": 5}');
SELECT is(ref, 'amount/1') FROM churnops_train('amount', 'SELECT tenure, contract, charges FROM customers', 'charges',
	'{"n_estimators": 5}');
UPDATE customers SET score = 'Infinity', paid = 'infinity', signup = '-infinity' WHERE id % 50 = 1;
ANALYZE customers;

CREATE FUNCTION pg_temp.plan_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text;
	plan text := '';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (VERBOSE, COSTS OFF) ' || query LOOP
		plan := plan || line || E'\n';
	END LOOP;
	RETURN plan;
END $$;
CREATE FUNCTION pg_temp.columns(query text, name text) RETURNS text LANGUAGE sql
AS $$SELECT matches(pg_temp.plan_of(query), 'churnops_predict\w*_columns\(', 'columns: ' || name)$$;
CREATE FUNCTION pg_temp.a_row(query text, name text) RETURNS text LANGUAGE sql
AS $$SELECT doesnt_match(pg_temp.plan_of(query), 'churnops_predict\w*_columns\(', 'a row: ' || name)$$;

-- For each row of x, which a query of x.id and x has as x, all three answers are those of the row, (SELECT x)
CREATE FUNCTION pg_temp.same(source text, name text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answers text := $q$SELECT x.id, churnops_predict('churn', %1$s), churnops_predict_class('churn', %1$s),
		churnops_predict_proba('churn', %1$s), churnops_predict('amount', %1$s), churnops_predict_class('kinds', %1$s),
		churnops_predict_proba('kinds', %1$s) FROM %2$s ORDER BY id$q$;
BEGIN
	RETURN pg_temp.columns(format(answers, 'x', source), name) || E'\n'
		|| pg_temp.a_row(format(answers, '(SELECT x)', source), name) || E'\n'
		|| results_eq(format(answers, 'x', source), format(answers, '(SELECT x)', source), 'equal: ' || name);
END $$;

-- What becomes columns, and says what the row says

SELECT pg_temp.same('customers AS x', 'a table with a dropped column');
SELECT cmp_ok(count(DISTINCT churnops_predict('churn', c))::int, '>', 100, 'predictions differ') FROM customers AS c;
SELECT pg_temp.same('ONLY customers AS x', 'ONLY');
SELECT pg_temp.same('customers AS x JOIN customers AS y ON x.id = y.id + 1', 'one side of a join');
SELECT pg_temp.same('customers AS x LEFT JOIN customers AS y ON y.id = -x.id', 'the side of an outer join that has all rows');
SELECT pg_temp.same('customers AS y RIGHT JOIN customers AS x ON y.id = -x.id', 'of a right one too');
SELECT pg_temp.same('customers AS x WHERE EXISTS (SELECT FROM customers AS y WHERE y.id = x.id + 1)', 'a semijoin');
CREATE VIEW a_view AS SELECT note, age, paid, seen, signup, mood, letter, short, plan, branch, contract, senior, score, bytes,
	calls, weight, charges, tenure, id FROM customers;
SELECT pg_temp.same('a_view AS x', 'a view with its columns the other way round');
SELECT pg_temp.same('(SELECT 1 AS one, c.*, now() AS two FROM customers AS c) AS x', 'a subquery with columns more');
SELECT pg_temp.same('(SELECT * FROM (SELECT * FROM (SELECT * FROM customers) AS a) AS b) AS x', 'a subquery in a subquery');
SELECT pg_temp.same('(customers AS a JOIN (SELECT id, 1 AS more FROM customers) AS b USING (id)) AS x', 'an alias of a join');
SELECT pg_temp.same('customers AS c, LATERAL (SELECT c.*) AS x', 'a lateral subquery');
SELECT pg_temp.columns($$WITH c AS (SELECT * FROM customers) SELECT churnops_predict('churn', c) FROM c$$, 'an inlined WITH query');
SELECT pg_temp.a_row($$WITH c AS MATERIALIZED (SELECT * FROM customers) SELECT churnops_predict('churn', c) FROM c$$,
	'one that is not inlined');
CREATE TABLE parent (LIKE customers);
CREATE TABLE child (more text) INHERITS (parent);
CREATE TABLE other (churn text, gone int, LIKE a_view);
ALTER TABLE other DROP COLUMN gone;
ALTER TABLE other ALTER id SET NOT NULL;
ALTER TABLE other INHERIT parent;
INSERT INTO parent SELECT * FROM customers WHERE id % 3 = 0;
INSERT INTO child SELECT *, 'more' FROM customers WHERE id % 3 = 1;
INSERT INTO other SELECT churn, v.* FROM customers AS c JOIN a_view AS v USING (id) WHERE id % 3 = 2;
SELECT pg_temp.same('parent AS x', 'inherited tables');
CREATE TABLE parted (LIKE customers) PARTITION BY RANGE (id);
CREATE TABLE low PARTITION OF parted FOR VALUES FROM (MINVALUE) TO (100);
CREATE TABLE high (churn text, gone int, LIKE a_view);
ALTER TABLE high DROP COLUMN gone;
ALTER TABLE high ALTER id SET NOT NULL;
ALTER TABLE parted ATTACH PARTITION high FOR VALUES FROM (100) TO (MAXVALUE);
INSERT INTO parted SELECT * FROM customers;
SELECT pg_temp.same('parted AS x', 'partitions of other column orders');
CREATE TABLE grown AS SELECT id, tenure FROM customers;
ALTER TABLE grown ADD COLUMN charges euros DEFAULT 7, ADD COLUMN contract text DEFAULT 'monthly';
SELECT results_eq(
	$$SELECT churnops_predict_class('kinds', g) FROM grown AS g ORDER BY id$$,
	$$SELECT churnops_predict_class('kinds', (SELECT g)) FROM grown AS g ORDER BY id$$, 'columns added with a default');
CREATE FUNCTION pg_temp.scorer(c customers) RETURNS float8 LANGUAGE sql STABLE AS $$SELECT churnops_predict('churn', c)$$;
SELECT pg_temp.columns('SELECT pg_temp.scorer(c) FROM customers AS c', 'an inlined function');
SELECT results_eq('SELECT pg_temp.scorer(c) FROM customers AS c ORDER BY id',
	$$SELECT churnops_predict('churn', (SELECT c)) FROM customers AS c ORDER BY id$$, 'says the same');

-- In all places of a query

CREATE FUNCTION pg_temp.equal(query text, name text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN pg_temp.columns(replace(query, '@', 'c'), name) || E'\n'
		|| results_eq(replace(query, '@', 'c'), replace(query, '@', '(SELECT c)'), 'equal: ' || name);
END $$;
SELECT pg_temp.equal($$SELECT id FROM customers AS c WHERE churnops_predict('churn', @) > 0.5 ORDER BY id$$, 'WHERE');
SELECT pg_temp.equal($$SELECT id FROM customers AS c ORDER BY churnops_predict('churn', @), id$$, 'ORDER BY');
SELECT pg_temp.equal($$SELECT count(*), churnops_predict_class('kinds', @) AS k FROM customers AS c GROUP BY k ORDER BY k$$,
	'GROUP BY the answer');
SELECT pg_temp.equal($$SELECT churnops_predict('churn', @), count(*) FROM customers AS c GROUP BY c.id ORDER BY c.id$$,
	'a group by the primary key');
SELECT pg_temp.equal($$SELECT sum(churnops_predict('churn', @)) FILTER (WHERE churnops_predict('amount', @) > 400) FROM customers AS c$$,
	'an aggregate');
SELECT pg_temp.equal($$SELECT lag(churnops_predict('churn', @)) OVER (ORDER BY id) FROM customers AS c ORDER BY id$$, 'a window');
SELECT pg_temp.equal($$SELECT DISTINCT ON (id) id, churnops_predict('churn', @) FROM customers AS c ORDER BY id$$, 'DISTINCT ON');
SELECT pg_temp.equal($$SELECT a.id FROM customers AS c JOIN customers AS a ON churnops_predict('churn', @) > 0.9 AND a.id = c.id
	ORDER BY 1$$, 'a join condition');
SELECT pg_temp.equal($$SELECT (SELECT max(churnops_predict('churn', @)) FROM customers AS c WHERE c.id < a.id) FROM customers AS a
	WHERE a.id < 9 ORDER BY a.id$$, 'a sublink');
SELECT results_eq(
	$$SELECT churnops_predict(CASE WHEN id % 2 = 0 THEN 'churn/1' ELSE 'amount' END, c) FROM customers AS c ORDER BY id$$,
	$$SELECT CASE WHEN id % 2 = 0 THEN churnops_predict('churn/1', (SELECT c)) ELSE churnops_predict('amount', (SELECT c)) END
	FROM customers AS c ORDER BY id$$, 'a reference that changes from row to row');
CREATE TABLE target AS SELECT *, NULL::float8 AS p FROM customers;
SELECT pg_temp.columns($$UPDATE target SET p = churnops_predict('churn', target)$$, 'UPDATE');
UPDATE target SET p = churnops_predict('churn', target);
SELECT results_eq('SELECT p FROM target ORDER BY id',
	$$SELECT churnops_predict('churn', (SELECT c)) FROM customers AS c ORDER BY id$$, 'UPDATE stores what the row says');
SELECT results_eq(
	$$UPDATE target SET tenure = 99 WHERE id = 1 RETURNING churnops_predict('churn', target)$$,
	$$SELECT churnops_predict('churn', (SELECT s)) FROM
		(SELECT 99 AS tenure, charges, weight, calls, bytes, score, senior, contract, branch, plan, short, letter, mood,
			signup, seen, paid, age FROM customers WHERE id = 1) AS s$$,
	'RETURNING sees the new row');
SELECT isnt_empty($$INSERT INTO target SELECT * FROM target WHERE id = 1
	RETURNING churnops_predict('churn', target)$$, 'of an INSERT too');
MERGE INTO target AS t USING customers AS c ON t.id = c.id
WHEN MATCHED AND churnops_predict('churn', t) > churnops_predict('churn', c) THEN UPDATE SET p = churnops_predict('amount', c)
WHEN MATCHED THEN UPDATE SET p = churnops_predict('churn', t)
WHEN NOT MATCHED THEN INSERT (id, p) VALUES (c.id, churnops_predict('churn', c));
SELECT results_eq('SELECT p FROM target WHERE id > 1 ORDER BY id',
	$$SELECT churnops_predict('churn', (SELECT c)) FROM customers AS c WHERE id > 1 ORDER BY id$$, 'MERGE');

-- What stays a row

SELECT pg_temp.a_row($$SELECT churnops_predict('churn', c) FROM generate_series(1, 2) AS i LEFT JOIN customers AS c ON c.id = i$$,
	'the missing side of an outer join');
SELECT is(count(churnops_predict('churn', c))::int, 0, 'has no answer')
FROM generate_series(1, 2) AS i LEFT JOIN customers AS c ON c.id = -i;
SELECT is(count(churnops_predict('churn', c))::int, 0, 'nor has that of a right one')
FROM customers AS c RIGHT JOIN generate_series(1, 2) AS i ON c.id = -i;
SELECT is(count(churnops_predict('churn', c))::int, 1000, 'nor those of a full one')
FROM customers AS c FULL JOIN generate_series(1, 2) AS i ON c.id = -i;
SELECT is(count(churnops_predict('churn', v))::int, 0, 'nor has a view there')
FROM generate_series(1, 2) AS i LEFT JOIN a_view AS v ON v.id = -i;
SELECT is(count(churnops_predict('churn', s))::int, 0, 'nor a subquery')
FROM generate_series(1, 2) AS i LEFT JOIN (SELECT * FROM customers) AS s ON s.id = -i;
SELECT is(count(churnops_predict('churn', p))::int, 0, 'nor a partitioned table')
FROM generate_series(1, 2) AS i LEFT JOIN parted AS p ON p.id = -i;
SELECT is(count(churnops_predict('churn', c))::int, 0, 'nor one below two joins')
FROM generate_series(1, 2) AS i LEFT JOIN (customers AS c JOIN customers AS d USING (id)) ON c.id = -i;
SELECT is(count(*)::int, 2, 'nor in WHERE')
FROM generate_series(1, 2) AS i LEFT JOIN customers AS c ON c.id = -i WHERE churnops_predict('churn', c) IS NULL;
SELECT results_eq(
	$$SELECT count(*), churnops_predict_class('kinds', g) IS NULL FROM grown AS g WHERE id < 9
	GROUP BY GROUPING SETS ((g), ()) ORDER BY 1 DESC LIMIT 1$$,
	$$SELECT 8::bigint, true$$, 'grouping sets: NULL in the total');
SELECT results_eq(
	$$SELECT count(*), churnops_predict_class('kinds', s) IS NULL FROM (SELECT * FROM grown WHERE id < 9) AS s
	GROUP BY GROUPING SETS ((s), ()) ORDER BY 1 DESC LIMIT 1$$,
	$$SELECT 8::bigint, true$$, 'of a subquery too');
SELECT results_eq(
	$$SELECT churnops_predict_class('kinds', g) FROM grown AS g GROUP BY g ORDER BY 1$$,
	$$SELECT churnops_predict_class('kinds', (SELECT g)) FROM grown AS g ORDER BY 1$$, 'a group by the row');
SELECT results_eq(
	$$SELECT churnops_predict_class('kinds', s) FROM (SELECT * FROM grown) AS s GROUP BY s ORDER BY 1$$,
	$$SELECT churnops_predict_class('kinds', (SELECT g)) FROM grown AS g ORDER BY 1$$, 'of a subquery too');
SELECT pg_temp.a_row($$SELECT (SELECT churnops_predict('churn', c)) FROM customers AS c$$, 'of an outer query');
SELECT is(count(p)::int, 0, 'nor of one that has it missing')
FROM (SELECT (SELECT churnops_predict('churn', c) FROM generate_series(1, 1) AS one JOIN customers AS d ON d.id = one) AS p
	FROM generate_series(1, 2) AS i LEFT JOIN customers AS c ON c.id = -i) AS s;
CREATE TABLE nested AS SELECT id, g AS c FROM grown AS g;
SELECT pg_temp.a_row($$SELECT churnops_predict_class('kinds', n.c) FROM nested AS n$$, 'a column that is a row');
SELECT results_eq($$SELECT churnops_predict_class('kinds', n.c) FROM nested AS n ORDER BY id$$,
	$$SELECT churnops_predict_class('kinds', g) FROM grown AS g ORDER BY id$$, 'says the same');
DROP TABLE nested;
SELECT pg_temp.a_row($$SELECT churnops_predict('churn', s) FROM (SELECT * FROM customers OFFSET 0) AS s$$, 'of a subquery on its own');
SELECT pg_temp.a_row($$SELECT churnops_predict('kinds', ROW(tenure, contract)) FROM customers$$, 'ROW(...)');
SELECT pg_temp.a_row($$SELECT churnops_predict('kinds', (tenure, contract)) FROM customers$$, 'a row in brackets');
SELECT pg_temp.a_row($$SELECT churnops_predict('kinds', ROW(id, tenure, charges, contract)::grown) FROM customers$$, 'a cast row');
SELECT pg_temp.a_row($$SELECT churnops_predict('kinds', s) FROM (SELECT tenure AS f1, contract AS f2 FROM customers) AS s$$,
	'a subquery with the names of ROW(...)');
SELECT pg_temp.a_row($$SELECT churnops_predict('churn', to_jsonb(c)) FROM customers AS c$$, 'JSON');
SELECT pg_temp.a_row($$INSERT INTO grown AS g SELECT * FROM grown RETURNING churnops_predict_class('kinds', g)$$, 'a row to be inserted');
ALTER TABLE grown ADD PRIMARY KEY (id);
SELECT results_eq(
	$$INSERT INTO grown AS g VALUES (1, 5, 1, 'monthly') ON CONFLICT (id) DO UPDATE SET
		tenure = 100 * churnops_predict_class('kinds', EXCLUDED)::int + churnops_predict_class('kinds', g)::int
	RETURNING tenure$$,
	$$SELECT 100 * churnops_predict_class('kinds', '{"tenure": 5, "contract": "monthly"}'::jsonb)::int +
		churnops_predict_class('kinds', (SELECT g))::int FROM grown AS g WHERE id = 1$$, 'EXCLUDED');
DO $$
BEGIN
	EXECUTE (SELECT format('CREATE TABLE wide97 AS SELECT id, %s, tenure, contract FROM customers', string_agg(format('%s AS a%s', i, i), ', '))
		FROM generate_series(1, 94) AS i);
	EXECUTE (SELECT format('CREATE TABLE wide98 AS SELECT id, %s, tenure, contract FROM customers', string_agg(format('%s AS a%s', i, i), ', '))
		FROM generate_series(1, 95) AS i);
	CREATE TABLE no_columns ();
END $$;
SELECT pg_temp.columns($$SELECT churnops_predict_class('kinds', w) FROM wide97 AS w$$, '97 columns');
SELECT pg_temp.a_row($$SELECT churnops_predict_class('kinds', w) FROM wide98 AS w$$, '98 columns');
SELECT results_eq(format($$SELECT churnops_predict_class('kinds', w) FROM %s AS w ORDER BY id$$, t),
	$$SELECT churnops_predict_class('kinds', (SELECT c)) FROM customers AS c ORDER BY id$$, t || ' says the same')
FROM unnest('{wide97,wide98}'::text[]) AS t;
INSERT INTO no_columns DEFAULT VALUES;
SELECT throws_ok($$SELECT churnops_predict('churn', n) FROM no_columns AS n$$, '42703', NULL, 'a table without columns');

-- Errors are those of the row

CREATE FUNCTION pg_temp.same_error(query text, name text) RETURNS text LANGUAGE sql AS $$
	SELECT is(pg_temp.error_as(current_user, replace(query, '@', 'x')), pg_temp.error_as(current_user, replace(query, '@', '(SELECT x)')), name)
	|| E'\n' || pg_temp.columns(replace(query, '@', 'x'), name)
	|| E'\n' || isnt(pg_temp.error_as(current_user, replace(query, '@', 'x')), NULL)
$$;
SELECT pg_temp.same_error($$SELECT churnops_predict('churn', @) FROM (SELECT id, tenure FROM customers) AS x$$, 'a missing column');
SELECT pg_temp.same_error($$SELECT churnops_predict_class('kinds', @) FROM (SELECT tenure, id AS contract FROM customers) AS x$$,
	'a column of another type');
SELECT pg_temp.same_error($$SELECT churnops_predict_class('kinds', @) FROM (SELECT tenure, contract, 1 AS tenure FROM customers) AS x$$,
	'two columns of one name');
SELECT pg_temp.same_error($$SELECT churnops_predict('nobody', @) FROM customers AS x$$, 'no such model');
SELECT pg_temp.same_error($$SELECT churnops_predict('No Name', @) FROM customers AS x$$, 'no reference');
SELECT pg_temp.same_error($$SELECT churnops_predict(NULL, @) FROM customers AS x$$, 'no reference at all');
SELECT pg_temp.same_error($$SELECT churnops_predict('kinds', @) FROM customers AS x$$, 'three classes have no number');
SELECT pg_temp.same_error($$SELECT churnops_predict_class('amount', @) FROM customers AS x$$, 'a regression has no classes');
CREATE TABLE f_names AS SELECT tenure AS f1, contract AS f2 FROM customers;
SELECT pg_temp.same_error($$SELECT churnops_predict_class('kinds', @) FROM f_names AS x$$, 'columns f1 and f2 of a table have names');

-- Rights

CREATE ROLE churnops_reader;
CREATE FUNCTION pg_temp.predict_as(role text) RETURNS text LANGUAGE sql AS $$
	SELECT pg_temp.error_as(role, $q$SELECT churnops_predict('churn', c) FROM customers AS c$q$)
$$;
SELECT is(split_part(pg_temp.predict_as('churnops_reader'), E'\n', 1), '42501', 'a row needs SELECT');
GRANT SELECT (id, tenure, charges, weight, calls, bytes, score, senior, contract, branch, plan, short, letter, mood, signup,
	seen, paid, age) ON customers TO churnops_reader;
SELECT is(split_part(pg_temp.predict_as('churnops_reader'), E'\n', 2), 'permission denied for table customers',
	'on all columns, the model''s own are not enough');
GRANT SELECT ON customers TO churnops_reader;
SELECT is(split_part(pg_temp.predict_as('churnops_reader'), E'\n', 2), 'model "churn" does not exist', 'and the right to the model');

CREATE ROLE churnops_caller;
GRANT SELECT ON customers TO churnops_caller;
REVOKE EXECUTE ON FUNCTION churnops_predict(text, record) FROM PUBLIC;
SELECT is(pg_temp.predict_as('churnops_caller'), E'42501\npermission denied for function churnops_predict', 'EXECUTE is asked for');
PREPARE of_all AS SELECT count(churnops_predict('churn', c)) FROM customers AS c;
SELECT results_eq('EXECUTE of_all', 'SELECT 1000::bigint', 'which the owner has');
SELECT is(pg_temp.error_as('churnops_caller', 'EXECUTE of_all'), E'42501\npermission denied for function churnops_predict',
	'of the role that runs a cached plan');
GRANT EXECUTE ON FUNCTION churnops_predict(text, record) TO churnops_caller;
SELECT is(split_part(pg_temp.error_as('churnops_caller', 'EXECUTE of_all'), E'\n', 2), 'model "churn" does not exist', 'granted again');
SELECT is(
	split_part(pg_temp.error_as('churnops_caller', $$SELECT churnops_predict_columns('abs(integer)', 'churn', '{a}', 1)$$), E'\n', 1),
	'22023', 'the function cannot be lied about');
REVOKE EXECUTE ON FUNCTION churnops_predict_columns(regprocedure, text, text[], "any") FROM PUBLIC;
SELECT is(split_part(pg_temp.predict_as('churnops_caller'), E'\n', 2), 'model "churn" does not exist',
	'without the right to the function for columns, the call stays as it is');
GRANT EXECUTE ON FUNCTION churnops_predict_columns(regprocedure, text, text[], "any"), churnops_predict(text, record) TO PUBLIC;

CREATE VIEW guarded WITH (security_barrier) AS SELECT * FROM customers WHERE id <= 10;
SELECT pg_temp.a_row($$SELECT churnops_predict('churn', g) FROM guarded AS g$$, 'a security barrier');
SELECT is(count(churnops_predict('churn', g))::int, 10, 'has its rows') FROM guarded AS g;
SELECT is(pg_temp.value_as('churnops_caller', $$SELECT ref FROM churnops_train('mine', 'SELECT tenure, contract, churn FROM customers',
	'churn', '{"n_estimators": 3}')$$), 'mine/1');
ALTER TABLE customers ENABLE ROW LEVEL SECURITY;
CREATE POLICY up_to_7 ON customers USING (id <= 7);
CREATE FUNCTION pg_temp.tell(id int, p float8) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$
BEGIN
	IF id > 7 THEN
		RAISE 'seen %', id;
	END IF;
	RETURN true;
END $$;
SELECT is(pg_temp.value_as('churnops_caller',
	$$SELECT count(*) FROM customers AS c WHERE pg_temp.tell(id, churnops_predict('mine', c))$$), '7', 'row-level security comes first');
ALTER TABLE customers DISABLE ROW LEVEL SECURITY;

-- A function that was changed is called as it is
SELECT pg_temp.columns('EXECUTE of_all', 'a cached plan');
ALTER FUNCTION churnops_predict(text, record) STRICT;
SELECT pg_temp.a_row($$SELECT churnops_predict('churn', c) FROM customers AS c$$, 'STRICT');
SELECT pg_temp.a_row('EXECUTE of_all', 'in a cached plan too');
ALTER FUNCTION churnops_predict(text, record) CALLED ON NULL INPUT;
ALTER FUNCTION churnops_predict(text, record) SET search_path = public;
SELECT pg_temp.a_row($$SELECT churnops_predict('churn', c) FROM customers AS c$$, 'a setting');
ALTER FUNCTION churnops_predict(text, record) RESET search_path;
ALTER FUNCTION churnops_predict(text, record) PARALLEL UNSAFE;
SELECT pg_temp.a_row($$SELECT churnops_predict('churn', c) FROM customers AS c$$, 'PARALLEL UNSAFE');
ALTER FUNCTION churnops_predict(text, record) PARALLEL SAFE;

-- Plans that are kept

SET LOCAL plan_cache_mode = force_generic_plan;
PREPARE by_id(int) AS SELECT churnops_predict('amount', c) FROM customers AS c WHERE id = $1;
CREATE TABLE before AS EXECUTE by_id(7);
SELECT isnt_empty($$SELECT churnops_train('amount', 'SELECT contract, tenure, charges + 10000 AS charges FROM customers', 'charges',
	'{"n_estimators": 5}')$$, 'a second version');
SELECT results_eq('EXECUTE by_id(7)', 'SELECT * FROM before', 'a cached plan serves the champion');
SELECT isnt_empty($$SELECT churnops_promote('amount/2')$$, 'promoted');
SELECT ok(churnops_predict('amount', c) > 9000) FROM customers AS c WHERE id = 7;
CREATE TABLE after AS EXECUTE by_id(7);
SELECT results_eq('SELECT churnops_predict > 9000 FROM after', 'SELECT true', 'and the new one after a promotion');
SAVEPOINT back;
SELECT isnt_empty($$SELECT churnops_promote('amount/1')$$, 'promoted back');
SELECT results_eq('EXECUTE by_id(7)', 'SELECT * FROM before', 'served');
ROLLBACK TO back;
SELECT results_eq('EXECUTE by_id(7)', 'SELECT * FROM after', 'and not after its rollback');
PREPARE named AS SELECT churnops_predict_class('kinds', g) FROM grown AS g WHERE id = 2;
CREATE TABLE named_before AS EXECUTE named;
ALTER TABLE grown RENAME COLUMN tenure TO months;
SELECT throws_ok('EXECUTE named', '42703', 'the row has no column "tenure", which model "kinds" needs', 'a renamed column');
ALTER TABLE grown RENAME COLUMN months TO tenure;
SELECT results_eq('EXECUTE named', 'SELECT * FROM named_before', 'and named back');
ALTER TABLE grown ALTER tenure TYPE text;
SELECT throws_ok('EXECUTE named', '42804', NULL, 'a column of another type');
ALTER TABLE grown ALTER tenure TYPE numeric USING tenure::numeric;
SELECT results_eq('EXECUTE named', 'SELECT * FROM named_before', 'and of a third');
CREATE FUNCTION pg_temp.loop_over(refs text[]) RETURNS SETOF float8 LANGUAGE plpgsql AS $$
DECLARE
	ref text;
BEGIN
	FOREACH ref IN ARRAY refs LOOP
		RETURN QUERY SELECT churnops_predict(ref, c) FROM customers AS c WHERE id = 7;
	END LOOP;
END $$;
SELECT results_eq($$SELECT * FROM pg_temp.loop_over('{amount/1,amount/2,amount/1}')$$,
	'SELECT * FROM before UNION ALL SELECT * FROM after UNION ALL SELECT * FROM before', 'a plan in a loop');

-- The functions for columns, called by hand

SELECT is(churnops_predict_class_columns('churnops_predict_class(text,record)', 'kinds', '{contract,tenure}', 'monthly', 7),
	churnops_predict_class('kinds', '{"tenure": 7, "contract": "monthly"}'::jsonb), 'a literal is a text');
SELECT throws_ok($$SELECT churnops_predict_class_columns('churnops_predict_class(text,record)', 'kinds', '{contract,tenure}', 'monthly', '7')$$,
	'42804', NULL, 'and no number');
SELECT throws_ok(format('SELECT churnops_predict_class_columns(%s) FROM grown', arguments), code, NULL, arguments)
FROM (VALUES ($$'churnops_predict_class(text,record)', 'kinds', '{contract}', 'monthly', 7$$, '22023'),
	($$'churnops_predict_class(text,record)', 'kinds', '{contract,NULL}', 'monthly', 7$$, '22023'),
	($$'churnops_predict_class(text,record)', 'kinds', ARRAY['contract', contract], 'monthly', 7$$, '22023'),
	($$'churnops_predict_class(text,record)', 'kinds', '{contract,tenure}', VARIADIC '{1,2}'::int[]$$, '22023'),
	($$'churnops_predict_class(text,record)', 'kinds', NULL, 'monthly', 7$$, '22004'),
	($$'churnops_predict_class(text,record)', NULL, '{contract,tenure}', 'monthly', 7$$, '22004'),
	($$NULL, 'kinds', '{contract,tenure}', 'monthly', 7$$, '22004'),
	($$0, 'kinds', '{contract,tenure}', 'monthly', 7$$, 'XX000'),
	($$'churnops_predict(text,record)', 'kinds', '{contract,tenure}', 'monthly', 7$$, '22023')) AS v(arguments, code);

SELECT * FROM finish();
ROLLBACK;
