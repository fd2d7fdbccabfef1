-- Scoring: a row always gets an answer, whatever table it comes from; a column
-- that is missing or of another kind is always an error that names it
BEGIN;
\ir include/setup.sql
SELECT no_plan();

CREATE TYPE mood AS ENUM ('calm', 'angry');
CREATE DOMAIN euros AS numeric(12, 2);
CREATE TABLE customers (
	id int,
	wasted text,
	tenure int,
	charges euros,
	senior boolean,
	contract text,
	mood mood,
	signup date,
	churn text);
INSERT INTO customers
SELECT i, 'x', i * 7919 % 72, i * 104729 % 1000 / 10.0, i % 3 = 0,
	(ARRAY['monthly', 'one year', 'two years'])[1 + i * 13 % 3], (ARRAY['calm', 'angry'])[1 + i % 2]::mood,
	date '2020-01-01' + i % 500,
	CASE WHEN i * 7919 % 72 < 30 AND i * 13 % 3 = 0 OR i % 17 = 0 THEN 'Yes' ELSE 'No' END
FROM generate_series(1, 300) AS i;
ALTER TABLE customers DROP COLUMN wasted;
SELECT is(ref, 'churn/1') FROM churnops_train('churn', 'customers', 'churn',
	'{"n_estimators": 10, "max_depth": 6}', key => '{id}');
CREATE TABLE expected AS SELECT id, churnops_predict('churn', c) AS p FROM customers AS c;
SELECT cmp_ok(count(DISTINCT p)::int, '>', 10, 'predictions differ') FROM expected;

-- Every row of a query (id, row) is answered as the table's own
CREATE FUNCTION pg_temp.same(query text, name text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN results_eq(
		format('SELECT q.id, churnops_predict(''churn'', q."row") FROM (%s) AS q ORDER BY q.id', query),
		'SELECT id, p FROM expected ORDER BY id', name);
END $$;

CREATE VIEW a_view AS SELECT churn, signup, mood, contract, senior, charges, tenure, id FROM customers;
SELECT pg_temp.same('SELECT id, v AS "row" FROM a_view AS v', 'a view with its columns the other way round');
CREATE MATERIALIZED VIEW stored AS SELECT *, 'extra' AS more FROM customers;
SELECT pg_temp.same('SELECT id, s AS "row" FROM stored AS s', 'a materialized view with a column more');
SELECT pg_temp.same('SELECT id, s AS "row" FROM (SELECT 1 AS one, c.*, now() AS two FROM customers AS c OFFSET 0) AS s',
	'a subquery with columns more');
SELECT pg_temp.same('WITH s AS MATERIALIZED (SELECT * FROM customers) SELECT id, s AS "row" FROM s', 'a WITH query');
SELECT pg_temp.same('SELECT c.id, c AS "row" FROM customers AS c JOIN expected AS e ON e.id = c.id', 'one side of a join');
SELECT pg_temp.same('SELECT id, j AS "row" FROM (SELECT * FROM
	(SELECT id, tenure, charges FROM customers) AS a JOIN
	(SELECT id, senior, contract, mood, signup FROM customers) AS b USING (id)) AS j', 'columns from both sides of a join');
SELECT pg_temp.same('SELECT id, s AS "row" FROM (SELECT * FROM customers UNION ALL SELECT * FROM customers WHERE false) AS s',
	'a union');
SELECT pg_temp.same('SELECT id, s AS "row" FROM (SELECT id, max(tenure) AS tenure, max(charges) AS charges,
	bool_or(senior) AS senior, max(contract) AS contract, max(mood) AS mood, max(signup) AS signup
	FROM customers GROUP BY id) AS s', 'groups');
SELECT pg_temp.same('SELECT c.id, l AS "row" FROM customers AS c, LATERAL (SELECT c.*) AS l', 'a lateral subquery');
SELECT pg_temp.same('SELECT id, (SELECT s FROM customers AS s WHERE s.id = c.id) AS "row" FROM customers AS c',
	'a scalar subquery');
SELECT pg_temp.same('SELECT id, (ARRAY[c])[1] AS "row" FROM customers AS c', 'an element of an array of rows');

CREATE TABLE parent (LIKE customers);
CREATE TABLE child (more text) INHERITS (parent);
CREATE TABLE other_order (signup date, mood mood, gone int, contract text, senior boolean, charges euros, tenure int, id int, churn text);
ALTER TABLE other_order DROP COLUMN gone;
ALTER TABLE other_order INHERIT parent;
INSERT INTO parent SELECT * FROM customers WHERE id % 3 = 0;
INSERT INTO child SELECT *, 'more' FROM customers WHERE id % 3 = 1;
INSERT INTO other_order SELECT signup, mood, contract, senior, charges, tenure, id, churn FROM customers WHERE id % 3 = 2;
SELECT pg_temp.same('SELECT id, p AS "row" FROM parent AS p', 'inherited tables');

CREATE TABLE parted (LIKE customers) PARTITION BY RANGE (id);
CREATE TABLE low PARTITION OF parted FOR VALUES FROM (MINVALUE) TO (100);
CREATE TABLE high (churn text, signup date, gone int, mood mood, contract text, senior boolean, charges euros, tenure int, id int);
ALTER TABLE high DROP COLUMN gone;
ALTER TABLE parted ATTACH PARTITION high FOR VALUES FROM (100) TO (MAXVALUE);
INSERT INTO parted SELECT * FROM customers;
SELECT pg_temp.same('SELECT id, p AS "row" FROM parted AS p', 'partitions of other column orders');

-- A column added with a default is not in old rows
ALTER TABLE customers ADD COLUMN bonus int DEFAULT 7;
SELECT pg_temp.same('SELECT id, c AS "row" FROM customers AS c', 'a table with a column added');
SELECT is(ref, 'bonus/1') FROM churnops_train('bonus',
	'SELECT CASE WHEN id % 2 = 0 THEN 7 ELSE id END AS bonus, id % 2 AS y FROM customers', 'y', '{"n_estimators": 5}');
SELECT is(count(DISTINCT churnops_predict('bonus', c))::int, 1, 'all have the default') FROM customers AS c;
SELECT is(churnops_predict('bonus', c), churnops_predict('bonus', '{"bonus": 7}'::jsonb), 'which is 7')
FROM customers AS c LIMIT 1;

-- The type of a table changes between two statements, and between two rows
PREPARE all_of_them AS SELECT count(churnops_predict('churn', c)) FROM customers AS c;
SELECT results_eq('EXECUTE all_of_them', 'SELECT 300::bigint', 'a prepared statement');
ALTER TABLE customers DROP COLUMN bonus, ADD COLUMN bonus text DEFAULT 'no number';
SELECT results_eq('EXECUTE all_of_them', 'SELECT 300::bigint', 'and after the table has changed');
CREATE FUNCTION pg_temp.as_record(c customers) RETURNS record LANGUAGE plpgsql AS $$
DECLARE
	r record;
BEGIN
	IF c.id % 2 = 0 THEN
		SELECT c.* INTO r;
	ELSE
		SELECT c.signup, c.mood, c.contract, c.senior, c.charges, c.tenure INTO r;
	END IF;
	RETURN r;
END $$;
SELECT pg_temp.same('SELECT id, pg_temp.as_record(c) AS "row" FROM customers AS c', 'records of two types in turn');

-- Missing values: each feature alone, and all of them
SELECT ok(churnops_predict('churn', to_jsonb(c) || jsonb_build_object(feature, NULL)) BETWEEN 0 AND 1,
	format('%s is missing', feature))
FROM customers AS c, unnest(ARRAY['tenure', 'charges', 'senior', 'contract', 'mood', 'signup']) AS feature WHERE id = 7;
SELECT ok(churnops_predict('churn', ROW(NULL, NULL, NULL, NULL, NULL, NULL)) BETWEEN 0 AND 1, 'nothing but NULL');
SELECT is(churnops_predict('churn', s), churnops_predict('churn', ROW(NULL, NULL, NULL, NULL, NULL, NULL)), 'by name too')
FROM (SELECT NULL::int AS tenure, NULL::euros AS charges, NULL::boolean AS senior, NULL AS contract, NULL::mood AS mood,
	NULL::date AS signup) AS s;
SELECT is(churnops_predict('churn', NULL::customers), NULL, 'no row');
SELECT is(count(churnops_predict('churn', c))::int, 0, 'the missing side of an outer join')
FROM expected AS e LEFT JOIN customers AS c ON c.id = -e.id;
SELECT is(churnops_predict('churn', s), churnops_predict('churn', ROW(NULL, NULL, NULL, NULL, NULL, NULL)), 'NaN is missing')
FROM (SELECT 'NaN'::float8 AS tenure, 'NaN'::numeric AS charges, NULL::boolean AS senior, NULL AS contract,
	NULL::mood AS mood, NULL::date AS signup) AS s;

-- Values that training never saw
SELECT ok(churnops_predict('churn', to_jsonb(c) || given) BETWEEN 0 AND 1, format('unseen: %s', given))
FROM customers AS c, unnest(ARRAY['{"contract": "weekly"}', '{"contract": ""}', '{"mood": "happy"}',
	jsonb_build_object('contract', repeat('ä', 5000)), '{"tenure": 1e9}', '{"tenure": -1e9}', '{"charges": "Infinity"}',
	'{"charges": "-Infinity"}', '{"signup": "infinity"}', '{"signup": "1000-01-01"}', '{"tenure": 1e400}']::jsonb[]) AS given
WHERE id = 7;
SELECT ok(churnops_predict('churn', s) BETWEEN 0 AND 1, 'an unseen label of an enum type')
FROM (SELECT 1 AS tenure, 1 AS charges, true AS senior, 'monthly' AS contract, 'happy' AS mood, timestamp '-infinity' AS signup) AS s;

-- Errors
SELECT throws_ok(
	format('SELECT churnops_predict(''churn'', to_jsonb(c) - %L) FROM customers AS c', feature),
	'42703', format('the row has no column "%s", which model "churn" needs', feature), format('JSON without %s', feature))
FROM unnest(ARRAY['tenure', 'charges', 'senior', 'contract', 'mood', 'signup']) AS feature;
SELECT throws_ok(
	format('SELECT churnops_predict(''churn'', s) FROM (SELECT %s FROM customers) AS s',
		(SELECT string_agg(f, ', ') FROM unnest(features) AS f WHERE f <> feature)),
	'42703', format('the row has no column "%s", which model "churn" needs', feature), format('a record without %s', feature))
FROM (VALUES (ARRAY['tenure', 'charges', 'senior', 'contract', 'mood', 'signup'])) AS v(features), unnest(features) AS feature;
SELECT throws_ok(
	format('SELECT churnops_predict(''churn'', s) FROM (SELECT %s FROM customers) AS s',
		(SELECT string_agg(CASE WHEN f = feature THEN format('NULL::%s AS %s', wrong, f) ELSE f END, ', ')
		 FROM unnest(features) AS f)),
	'42804', format('column "%s" of the row is of type %s, but model "churn" needs %s', feature, wrong, needs))
FROM (VALUES (ARRAY['tenure', 'charges', 'senior', 'contract', 'mood', 'signup'])) AS v(features),
	(VALUES ('tenure', 'text', 'a number'), ('tenure', 'boolean', 'a number'), ('tenure', 'date', 'a number'),
		('tenure', 'uuid', 'a number'), ('tenure', 'jsonb', 'a number'), ('tenure', 'integer[]', 'a number'),
		('senior', 'integer', 'a boolean'), ('senior', 'text', 'a boolean'), ('contract', 'integer', 'a text'),
		('contract', 'json', 'a text'), ('contract', 'bytea', 'a text'), ('mood', 'boolean', 'a text'),
		('signup', 'text', 'a date or timestamp'), ('signup', 'interval', 'a date or timestamp'),
		('signup', 'bigint', 'a date or timestamp'), ('signup', 'time without time zone', 'a date or timestamp')
	) AS w(feature, wrong, needs);
SELECT lives_ok(
	format('SELECT churnops_predict(''churn'', s) FROM (SELECT %s FROM customers) AS s',
		(SELECT string_agg(CASE WHEN f = feature THEN format('NULL::%s AS %s', fitting, f) ELSE f END, ', ')
		 FROM unnest(features) AS f)), format('%s may be %s', feature, fitting))
FROM (VALUES (ARRAY['tenure', 'charges', 'senior', 'contract', 'mood', 'signup'])) AS v(features),
	(VALUES ('tenure', 'smallint'), ('tenure', 'bigint'), ('tenure', 'real'), ('tenure', 'double precision'), ('tenure', 'numeric'),
		('tenure', 'euros'), ('contract', 'varchar(10)'), ('contract', 'char(10)'), ('contract', 'name'), ('contract', '"char"'),
		('contract', 'mood'), ('mood', 'text'), ('signup', 'timestamp'), ('signup', 'timestamptz')) AS w(feature, fitting);
SELECT throws_ok($$SELECT churnops_predict('churn', s) FROM (SELECT c.*, c.tenure FROM customers AS c) AS s$$,
	'42702', 'the row has two columns "tenure"');
SELECT throws_ok($$SELECT churnops_predict('churn', s) FROM (SELECT tenure AS "Tenure" FROM customers AS c) AS s$$,
	'42703', 'the row has no column "tenure", which model "churn" needs', 'names are compared exactly');
SELECT throws_ok($$SELECT churnops_predict('churn', ROW(1, 2))$$, '42703');
SELECT throws_ok($$SELECT churnops_predict('churn', '{1, 2}'::float8[])$$, '42804');
SELECT throws_ok($$SELECT churnops_predict('bonus', '{1, 2}'::float8[])$$, '22023',
	'the array has length 2, but model "bonus" has 1 features');
SELECT throws_ok($$SELECT churnops_predict('churn', '17'::jsonb)$$, '22023', 'the row is not a JSON object');
SELECT throws_ok($$SELECT churnops_predict('churn', 'no JSON')$$, '22P02');
SELECT throws_ok($$SELECT churnops_predict('Churn', NULL)$$, '42602', 'invalid model reference "Churn"');
SELECT throws_ok($$SELECT churnops_predict('churn/2', NULL)$$, '42704', 'version 2 of model "churn" does not exist');
SELECT throws_ok($$SELECT churnops_predict('churn@second', NULL)$$, '42704', 'model "churn" has no alias "second"');
SELECT throws_ok($$SELECT churnops_predict('other', NULL)$$, '42704', 'model "other" does not exist');
SELECT throws_ok($$SELECT churnops_predict(NULL, NULL)$$, '22004', 'argument "model_ref" must not be null');

-- What is damaged is an error
SET LOCAL session_replication_role = replica;
UPDATE churnops.version SET artifact = set_byte(artifact, 100, get_byte(artifact, 100) # 1) WHERE model = 'bonus';
UPDATE churnops.version SET artifact_digest = encode(sha256(artifact), 'hex') WHERE model = 'bonus';
SELECT throws_ok($$SELECT churnops_predict('bonus', '{"bonus": 7}')$$, 'XX001',
	'artifact of version 1 of model "bonus" is damaged', 'a damaged artifact with a digest that fits');
UPDATE churnops.version SET artifact_digest = repeat('0', 64) WHERE model = 'bonus';
SELECT throws_ok($$SELECT churnops_predict('bonus', '{"bonus": 7}')$$, 'XX001',
	'artifact of version 1 of model "bonus" is damaged', 'nor does a digest that does not fit change that');
UPDATE churnops.version SET artifact = '', artifact_digest = encode(sha256(''), 'hex') WHERE model = 'bonus';
SELECT throws_ok($$SELECT churnops_predict('bonus', '{"bonus": 7}')$$, 'XX001',
	'artifact of version 1 of model "bonus" is damaged', 'an empty artifact');
SET LOCAL session_replication_role = origin;

-- In SQL of all kinds
SELECT is(count(*)::int, (SELECT count(*)::int FROM expected WHERE p > 0.5), 'WHERE')
FROM customers AS c WHERE churnops_predict('churn', c) > 0.5;
SELECT is(array_agg(id), (SELECT array_agg(id) FROM (SELECT id FROM expected ORDER BY p DESC, id LIMIT 20) AS e), 'ORDER BY')
FROM (SELECT id FROM customers AS c ORDER BY churnops_predict('churn', c) DESC, id LIMIT 20) AS s;
CREATE TABLE scored AS SELECT id, churnops_predict('churn', c) AS p FROM customers AS c;
SELECT results_eq('SELECT * FROM scored ORDER BY id', 'SELECT * FROM expected ORDER BY id', 'CREATE TABLE AS');
UPDATE scored SET p = churnops_predict('churn', c) FROM customers AS c WHERE c.id = scored.id;
SELECT results_eq('SELECT * FROM scored ORDER BY id', 'SELECT * FROM expected ORDER BY id', 'UPDATE');
CREATE FUNCTION pg_temp.score_new() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO scored VALUES (NEW.id, churnops_predict('churn', NEW));
	RETURN NEW;
END $$;
CREATE TRIGGER score_new AFTER INSERT ON customers FOR EACH ROW EXECUTE FUNCTION pg_temp.score_new();
TRUNCATE scored;
CREATE TEMPORARY TABLE copies AS TABLE customers;
TRUNCATE customers;
INSERT INTO customers TABLE copies;
SELECT results_eq('SELECT * FROM scored ORDER BY id', 'SELECT * FROM expected ORDER BY id', 'a trigger''s NEW');
SELECT results_eq($$SELECT (key->>'id')::int AS id, prediction FROM churnops_score('churn', 'customers', '{id}') ORDER BY 1$$,
	'SELECT id, p FROM expected ORDER BY id', 'churnops_score');

-- churnops_score stores rows of its own making: keys of every length, in front of each kind of answer
SELECT isnt_empty(format($$SELECT churnops_train('class%s', $q$SELECT tenure, charges,
		CASE (id %% 3) WHEN 0 THEN 'a' WHEN 1 THEN 'bb' ELSE repeat('c', 1 + (%s - 1) * 150) END AS kind
	FROM customers$q$, 'kind', '{"n_estimators": 3}', positive_class => %L)$$, n, n, positive), 'trained')
FROM (VALUES (1, NULL), (2, NULL), (3, 'a')) AS v(n, positive);
SELECT isnt_empty($$SELECT churnops_train('owed', 'SELECT tenure, senior, charges FROM customers', 'charges',
	'{"n_estimators": 3}')$$, 'trained');
CREATE TABLE keyed AS SELECT *, repeat('k', id) AS text FROM customers;
SELECT results_eq(
	format($$SELECT key, prediction, class, version, arm FROM churnops_score(%L, 'keyed', key => '{text}')$$, ref),
	format($$SELECT jsonb_build_object('text', text), %s, %s, 1, %L::text FROM keyed AS k$$,
		CASE WHEN ref ~ 'class[12]' THEN 'NULL::float8' ELSE format('churnops_predict(%L, k)', ref) END,
		CASE WHEN ref ~ 'owed' THEN 'NULL' ELSE format('churnops_predict_class(%L, k)', ref) END,
		CASE WHEN ref !~ '/' THEN 'champion' END),
	format('churnops_score of %s with keys', ref))
FROM unnest('{churn,churn/1,class1,class1/1,class2,class2/1,class3,class3/1,owed,owed/1}'::text[]) AS ref;
SELECT results_eq(
	format($$SELECT key, prediction, class, version, arm FROM churnops_score(%L, 'keyed')$$, ref),
	format($$SELECT NULL::jsonb, prediction, class, version, arm FROM churnops_score(%L, 'keyed', '{id}')$$, ref),
	format('churnops_score of %s without', ref))
FROM unnest('{churn,class1/1,class2,class3/1,owed/1}'::text[]) AS ref;

-- what was encoded before is taken from a memo, which JSON does not use: texts that crowd it, of all lengths
CREATE TABLE worded AS SELECT n, repeat(chr(97 + n % 26), n % 19) || n % 190 AS word, left('x' || n % 37, n % 5) AS few,
	(n % 53)::text::char(12) AS padded, ('n' || n % 41)::name AS named, CASE WHEN n % 7 > 0 THEN repeat('longer ', n % 4) END AS long,
	CASE WHEN n % 190 < 70 OR n % 53 > 40 OR n % 41 < 5 OR n % 37 > 30 THEN 'yes' ELSE 'no' END AS y
FROM generate_series(1, 3000) AS n;
SELECT isnt_empty($$SELECT churnops_train('worded', 'worded', 'y', '{"n_estimators": 20}', exclude => '{n}')$$, 'trained');
SELECT is_empty($$SELECT n FROM worded AS w JOIN churnops_score('worded', 'worded', key => '{n}') AS s ON (key->>'n')::int = n
	WHERE prediction <> churnops_predict('worded', to_jsonb(w) - 'n' - 'y' || jsonb_build_object('padded', rtrim(padded)))
		OR prediction <> churnops_predict('worded', w)$$, 'a memo does not tell');
SELECT cmp_ok((SELECT count(DISTINCT prediction) FROM churnops_score('worded', 'worded')), '>', 20::bigint, 'and there was something to tell');

-- keys as the server makes them, in the same bytes, as far as one can see
CREATE DOMAIN numbered AS int8;
CREATE TABLE many_keys AS SELECT c.*, v.*
FROM (SELECT * FROM customers ORDER BY id LIMIT 1) AS c, (
	SELECT x::int2 AS small, y::int4 AS i, z AS "a long name", z::numbered AS d, z % 2 = 0 AS b,
		repeat('é', n % 300) AS t, 'v' || n AS v, CASE n % 3 WHEN 0 THEN gen_random_uuid() END AS u,
		z::numeric / 4 AS other
	FROM (SELECT n, sign * z % 32768 AS x, sign * z % 2147483648 AS y, sign * z AS z
		FROM generate_series(0, 18) AS n, (VALUES (1), (-1)) AS s(sign),
			LATERAL (VALUES ((10::numeric ^ n)::int8), (n), (n * 1000007), (9223372036854775807 - n)) AS p(z)) AS n
	UNION ALL VALUES (-32768, -2147483648, -9223372036854775808, -9223372036854775808, true, '', '', NULL::uuid, 0.5),
		(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)) AS v;
SELECT results_eq(
	format('SELECT key::text, pg_column_size(key || ''{}''), key FROM churnops_score(''churn'', ''many_keys'', key => %L)', names),
	format('SELECT k::text, pg_column_size(k || ''{}''), k FROM (SELECT jsonb_build_object(%s) AS k FROM many_keys) AS k',
		(SELECT string_agg(format('%L, %1$I', name), ', ') FROM unnest(names) AS name)),
	format('keys of %s', names))
FROM unnest(ARRAY['{small}', '{i}', '{"a long name"}', '{d}', '{b}', '{t}', '{v}', '{u}', '{other}', '{small,i}', '{t,small}', '{v,b,u,d}',
	'{i,i,b,i}', '{b,other}', '{id,contract,senior,tenure,churn,small,i,"a long name",d,b,t,v,u}']) AS n(names_text),
	LATERAL (SELECT names_text::text[] AS names) AS a;

SELECT throws_ok('CREATE INDEX ON customers (churnops_predict(''churn'', customers))', '42P17');

SELECT * FROM finish();
ROLLBACK;
