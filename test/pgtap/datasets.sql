-- Datasets: versions, kept copies, differences, membership, and who may do what
BEGIN;
\ir include/setup.sql
SELECT no_plan();

CREATE ROLE churnops_alice;
CREATE ROLE churnops_bob;
CREATE ROLE churnops_team;
CREATE ROLE churnops_member;
GRANT churnops_team TO churnops_alice, churnops_member;
GRANT CREATE ON SCHEMA public TO churnops_alice;

CREATE TYPE public.mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN public.months AS smallint CHECK (VALUE >= 0);
CREATE TYPE public.pair AS (i integer, t text);
CREATE TABLE public.customers AS
SELECT i AS id, (i * 7919 % 83)::public.months AS tenure, i % 5 = 0 AS paperless,
	(array['basic', 'plus', 'premium'])[i % 3 + 1]::varchar(10) AS plan, (i * 1.50)::numeric AS charges,
	sqrt(i)::float8 AS usage, sqrt(i)::float4 AS speed, date '2020-01-01' + i AS since,
	timestamptz '2020-01-01 00:00+00' + i * interval '1 hour' AS seen, make_interval(days => i % 30, hours => i) AS paused,
	(array['sad', 'ok', 'happy'])[i % 3 + 1]::public.mood AS mood, md5(i::text)::uuid AS token,
	jsonb_build_object('a', i) AS extra, CASE WHEN i % 7 = 0 THEN NULL ELSE i::bigint END AS points, 'x '::char(5) AS code,
	decode(md5(i::text), 'hex') AS photo, ARRAY[i, NULL] AS visits, row(i, 'x')::public.pair AS pair, hashint4(i) % 3 = 0 AS churn
FROM generate_series(1, 900) AS i;
GRANT SELECT ON public.customers TO churnops_alice, churnops_team;

-- Versions

SET ROLE churnops_alice;
SELECT row_eq($$SELECT ref, dataset, version, n_rows, is_new, kept FROM churnops_dataset('customers', 'SELECT * FROM customers',
		key => '{id}', keep => true, description => 'all of them')$$,
	ROW('datasets:/customers/1'::text, 'customers'::text, 1, 900::bigint, true, true), 'the first version');
SELECT row_eq($$SELECT version, is_new, kept FROM churnops_dataset('customers', 'select  * FROM public.customers ORDER BY usage DESC', '{id}')$$,
	ROW(1, false, true), 'the same rows in another order make no new one');
SELECT row_eq($$SELECT version, is_new, kept FROM churnops_dataset('customers', 'customers', '{id,plan}')$$,
	ROW(2, true, false), 'another key does');
SELECT row_eq($$SELECT version, is_new, kept FROM churnops_dataset('customers', 'SELECT id::bigint AS id, plan FROM customers', '{id}')$$,
	ROW(3, true, false), 'so does another schema');
SELECT row_eq($$SELECT version, is_new FROM churnops_dataset('customers', 'SELECT id, plan FROM customers', '{id}')$$,
	ROW(4, true), 'and another type, though the digest is the same');
SELECT is((SELECT count(DISTINCT digest) FROM churnops.datasets WHERE version IN (3, 4)), 1::bigint, 'as here');
SELECT row_eq($$SELECT version, is_new, kept FROM churnops_dataset('customers', 'SELECT id, plan FROM customers', '{id}', true)$$,
	ROW(4, false, true), 'a copy is added to a version that has none');
SELECT row_eq($$SELECT version, n_rows, is_new, kept FROM churnops_dataset('nobody', 'SELECT * FROM customers WHERE id < 0', '{id}', true)$$,
	ROW(1, 0::bigint, true, true), 'no rows are a version too');
SELECT is((SELECT churnops_forget('datasets:/customers/4', 'not needed')), 'datasets:/customers/4', 'a copy is given up');
SELECT is((SELECT kept FROM churnops.datasets WHERE name = 'customers' AND version = 4), false, 'and gone');
SELECT row_eq($$SELECT name COLLATE "default", version, owner COLLATE "default", n_rows, key, kept, copy_bytes > 10000, n_models, description, created_by
	FROM churnops.datasets WHERE name = 'customers' AND version = 1$$,
	ROW('customers'::text, 1, 'churnops_alice'::text, 900::bigint, '{id}'::text[], true, true, 0::bigint, 'all of them'::text,
		'churnops_alice'::text), 'churnops.datasets');
SELECT is((SELECT relations->0->>'n_rows' || ' ' || (relations->0->>'n_rows_exact') FROM churnops.datasets WHERE version = 2),
	'900 true', 'a small table is counted');
SET churnops.exact_count_size = 0;
SELECT is((SELECT relations->0->>'n_rows_exact' FROM churnops.lineage WHERE model = 'nobody'), NULL, 'no lineage yet');
SELECT ok((SELECT version = 2 FROM churnops_dataset('nobody', 'SELECT plan FROM customers WHERE id < 0')), 'another version');
SELECT is((SELECT relations->0->>'n_rows_exact' FROM churnops.datasets WHERE name = 'nobody' AND version = 2),
	'false', 'one above the setting is estimated');
RESET churnops.exact_count_size;

-- Profiles

CREATE FUNCTION pg_temp.column_profile(dataset text, dataset_version integer, column_name text) RETURNS jsonb
LANGUAGE sql
AS $$
	SELECT p FROM churnops.datasets AS d, jsonb_array_elements(d.profile) AS p
	WHERE d.name = dataset AND d.version = dataset_version AND p->>'name' = column_name
$$;
SELECT is(pg_temp.column_profile('customers', 1, 'plan'), '{"name": "plan", "n_null": 0, "n_distinct": 3, "n_distinct_exact": true,
	"min_length": 4, "max_length": 7, "mean_length": 5.333333333333333, "n_counted": 900, "values": [{"value": "basic", "n": 300}, {"value": "plus", "n": 300}, {"value": "premium", "n": 300}]}'::jsonb,
	'few values are counted');
SELECT is(pg_temp.column_profile('customers', 1, 'id') ? 'values' OR pg_temp.column_profile('customers', 1, 'id') ? 'min', false,
	'of a key nothing but counts');
SELECT is(pg_temp.column_profile('customers', 1, 'photo') - 'n_distinct', '{"name": "photo", "n_null": 0, "n_distinct_exact": true}',
	'nor of bytes');
SELECT is(pg_temp.column_profile('customers', 1, 'token')->'values', '[]', 'texts that occur once are not shown');
SELECT is((pg_temp.column_profile('customers', 1, 'points')->>'n_null')::integer, 128, 'NULLs are counted');
SELECT is((SELECT array_agg((pg_temp.column_profile('customers', 1, 'charges')->>k)::numeric) FROM unnest('{min,max,mean}'::text[]) AS k),
	'{1.5,1350,675.75}', 'minimum, maximum and mean');
SELECT is(pg_temp.column_profile('customers', 1, 'charges')->'percentiles'->50, '675', 'and the median');

-- Training on a version

SELECT lives_ok($$SELECT churnops_train('live', 'SELECT * FROM customers', 'churn', '{"n_estimators": 5}', '{id}',
	'{token,extra,photo,visits,pair}')$$, 'a training on the query');
SELECT lives_ok($$SELECT churnops_train('copy', 'datasets:/customers/1', 'churn', '{"n_estimators": 5}', '{id}',
	'{token,extra,photo,visits,pair}')$$, 'and one on the copy');
SELECT lives_ok($$SELECT churnops_train('moods', 'SELECT * FROM customers', 'mood', '{"n_estimators": 5}', '{token}',
	'{id,extra,photo,visits,pair}')$$, 'an enum as target, a uuid as key');
SELECT lives_ok($$SELECT churnops_train('moods', 'datasets:/customers/1', 'mood', '{"n_estimators": 5}', '{token}',
	'{id,extra,photo,visits,pair}')$$, 'the same from the copy');
SELECT is((SELECT count(DISTINCT artifact_digest) FROM churnops.lineage WHERE model IN ('live', 'copy')), 1::bigint,
	'copy and query give the same model');
SELECT is((SELECT count(DISTINCT artifact_digest) FROM churnops.lineage WHERE model = 'moods'), 1::bigint, 'for both targets');
SELECT is((SELECT count(DISTINCT (SELECT jsonb_agg(c - 'type') FROM jsonb_array_elements(columns) AS c)) FROM churnops.lineage
	WHERE model IN ('live', 'copy')), 1::bigint, 'and the same columns');
SELECT results_eq($$SELECT model COLLATE "default", version, dataset_name COLLATE "default", dataset_version, dataset_kept, query FROM churnops.lineage ORDER BY 1, 2$$,
	$$VALUES ('copy', 1, 'customers', 1, true, 'SELECT * FROM customers'), ('live', 1, 'customers', 1, true, 'SELECT * FROM customers'),
		('moods', 1, 'customers', 1, true, 'SELECT * FROM customers'), ('moods', 2, 'customers', 1, true, 'SELECT * FROM customers')$$,
	'trainings on the rows of a version are linked to it, however they were read');
SELECT is((SELECT n_models FROM churnops.datasets WHERE name = 'customers' AND version = 1), 4::bigint, 'and counted there');
SELECT is((SELECT count(*) FROM churnops_score('copy', 'datasets:/customers/1', '{id}')), 900::bigint, 'a copy can be scored');
SELECT is((SELECT count(DISTINCT (key, prediction)) FROM (
	SELECT * FROM churnops_score('copy', 'datasets:/customers/1', '{id}')
	UNION SELECT * FROM churnops_score('copy', 'SELECT * FROM customers', '{id}')) AS s), 900::bigint, 'as the query');
SELECT ok((SELECT count(*) > 0 FROM churnops_evaluate('copy', 'datasets:/customers/1')), 'and evaluated');

SELECT throws_ok($$SELECT * FROM churnops_score('copy', 'datasets:/customers/2')$$, '55000',
	'dataset version customers/2 has no kept copy', 'what is not kept cannot be scored');
SELECT lives_ok($$SELECT churnops_train('unkept', 'datasets:/customers/4', 'plan', '{"n_estimators": 2}')$$,
	'but trained on, while its query has the same rows');
SELECT throws_ok($$SELECT churnops_train('x', 'datasets:/customers/9', 'plan')$$, '42704',
	'version 9 of dataset "customers" does not exist', 'an unknown version');
SELECT throws_ok($$SELECT churnops_train('x', 'datasets:/unknown', 'plan')$$, '42704',
	'dataset "unknown" does not exist', 'an unknown dataset');
SELECT throws_ok($$SELECT churnops_train('x', 'datasets:/Customers/1', 'plan')$$, '42602',
	'invalid dataset reference "datasets:/Customers/1"', 'a malformed reference');

-- Differences and membership

RESET ROLE;
UPDATE public.customers SET usage = usage * 2, plan = 'gold' WHERE id <= 90;
DELETE FROM public.customers WHERE id > 895;
INSERT INTO public.customers (id, plan) VALUES (1001, 'new'), (1002, NULL);
SET ROLE churnops_alice;
SELECT throws_ok($$SELECT churnops_train('unkept', 'datasets:/customers/4', 'plan', '{"n_estimators": 2}')$$, '55000',
	'the rows of dataset version customers/4 are not there any more', 'a query that has other rows now');
SELECT row_eq($$SELECT version, is_new FROM churnops_dataset('customers', 'SELECT * FROM customers', '{id}')$$,
	ROW(5, true), 'the rows changed');

CREATE TEMPORARY TABLE diff AS SELECT row_number() OVER () AS i, d.* FROM churnops_dataset_diff('customers', 1, 5, 3) AS d;
SELECT results_eq($$SELECT measure, before::integer, after::integer, value FROM diff WHERE aspect = 'rows' ORDER BY i$$,
	$$VALUES ('count', 900, 897, -3::float8), ('added', NULL, NULL, 2), ('removed', NULL, NULL, 5), ('changed', NULL, NULL, 90),
		('unchanged', NULL, NULL, 805)$$, 'rows by key');
SELECT is((SELECT count(*) FROM diff WHERE aspect = 'key'), 8::bigint, 'at most three keys a change');
SELECT is((SELECT count(*) FROM diff WHERE aspect = 'key' AND measure = 'changed' AND before ? 'usage' AND after IS NULL
	AND (item::jsonb->>'id')::integer <= 90), 3::bigint, 'named from the copy, the version after has none');
SELECT is((SELECT count(*) FROM diff WHERE aspect = 'key' AND measure = 'added' AND item ~ '^[0-9a-f]{32}$'
	AND note = 'fingerprint: no copy of the row is kept'), 2::bigint, 'or by their fingerprints');
SELECT is((SELECT count(*) FROM diff WHERE aspect = 'schema'), 0::bigint, 'the schema is the same');
SELECT row_eq($$SELECT before::float8, round(after::numeric, 6) FROM diff WHERE item = 'tenure' AND measure = 'null_share'$$,
	ROW(0::float8, 0.00223::numeric), 'shares of NULLs');
SELECT is((SELECT count(*) FROM diff WHERE item = 'usage' AND measure IN ('psi', 'js', 'ks') AND value > 0.05), 3::bigint,
	'a column that moved');
SELECT ok((SELECT value < 0.01 FROM diff WHERE item = 'seen' AND measure = 'ks'), 'and one that did not');

SELECT ok((SELECT kept AND NOT is_new FROM churnops_dataset('customers', 'SELECT * FROM customers', '{id}', true)), 'the new rows are kept');
SELECT results_eq($$SELECT before, after FROM churnops_dataset_diff('customers', 1, 5, 1000)
	WHERE aspect = 'key' AND item = '{"id": 4}'$$,
	$$VALUES ('{"usage": 2, "plan": "plus"}'::jsonb, '{"usage": 4, "plan": "gold"}'::jsonb)$$,
	'with both copies only the columns that changed');
SELECT results_eq($$SELECT measure, item, before#>>'{}', after#>>'{}' FROM churnops_dataset_diff('customers', 3, 4) WHERE aspect = 'schema'$$,
	$$VALUES ('retyped', 'id', 'bigint', 'integer')$$, 'a column of another type');
SELECT is((SELECT note FROM churnops_dataset_diff('customers', 3, 4) WHERE measure = 'changed' AND aspect = 'rows'),
	'the schema changed, and with it every row', 'is said');
SELECT is((SELECT array_agg(measure || ' ' || item ORDER BY item) FROM churnops_dataset_diff('customers', 4, 5) WHERE aspect = 'schema'
	AND item IN ('charges', 'churn')), '{added charges,added churn}', 'new columns');
SELECT is((SELECT count(*) FROM churnops_dataset_diff('customers', 5, 4) WHERE aspect = 'schema' AND measure = 'removed'), 17::bigint,
	'columns that are gone');
SELECT is((SELECT note FROM churnops_dataset_diff('customers', 2, 5) WHERE measure = 'differ'),
	'the versions have no key in common, so rows can only be counted', 'without a common key');
SELECT is((SELECT note FROM churnops_dataset_diff('customers', 1, 1) WHERE measure = 'count'),
	'the digests are equal: the same rows and columns', 'a version with itself');
SELECT is((SELECT sum(value) FROM churnops_dataset_diff('customers', 1, 1) WHERE measure IN ('psi', 'js', 'ks')), 0::float8,
	'has no distance');
SELECT throws_ok($$SELECT churnops_dataset_diff('customers', 1, 9)$$, '42704', 'version 9 of dataset "customers" does not exist');
SELECT throws_ok($$SELECT churnops_dataset_diff('customers', 1, NULL)$$, '22004',
	'arguments "a", "b" and "max_keys" must not be null');
SELECT throws_ok($$SELECT churnops_dataset_diff('customers', 1, 5, 1001)$$, '22023',
	'max_keys 1001 is not in the range from 0 to 1000');

SELECT results_eq($$SELECT version, held, models::text, n_models FROM churnops_membership('customers', '{"id": 900}')$$,
	$$VALUES (1, true, '{copy/1,live/1,moods/1,moods/2}', 4::bigint), (2, NULL, '{}', 0), (3, true, '{}', 0), (4, true, '{unkept/1}', 1),
		(5, false, '{}', 0)$$, 'who was trained on a customer');
SELECT results_eq($$SELECT version FROM churnops_membership('customers', '{"id": "1002"}') WHERE held$$, $$VALUES (5)$$,
	'a value may be a text');
SELECT is((SELECT count(*) FROM generate_series(1, 900) AS i, churnops_membership('customers', jsonb_build_object('id', i)) AS m
	WHERE m.version = 1 AND m.held), 900::bigint, 'every key is found');
SELECT is((SELECT count(*) FROM generate_series(901, 1000) AS i, churnops_membership('customers', jsonb_build_object('id', i)) AS m
	WHERE m.version = 1 AND m.held), 0::bigint, 'and no other');
SELECT results_eq($$SELECT held FROM churnops_membership('customers', '{"plan": "plus", "id": 100}') WHERE version = 2$$, $$VALUES (true)$$,
	'a key of two columns, in any order');
SELECT results_eq($$SELECT held FROM churnops_membership('customers', '{"plan": "gold", "id": 100}') WHERE version = 2$$, $$VALUES (false)$$,
	'all of which count');
SELECT throws_ok($$SELECT churnops_membership('customers', '{"name": 1}')$$, '22023',
	'argument "key" does not name the key columns of dataset "customers"');
SELECT throws_ok($$SELECT churnops_membership('customers', '7')$$, '22023',
	'argument "key" does not name the key columns of dataset "customers"');
SELECT throws_ok($$SELECT churnops_membership('customers', NULL)$$, '22004', 'argument "key" must not be null');
SELECT throws_ok($$SELECT churnops_membership('customers', '{"id": [1]}')$$, '22023',
	'value of key column "id" must be a JSON string, number, boolean or null');
SELECT throws_ok($$SELECT churnops_membership('customers', '{"id": "seven"}')$$, '22P02',
	'invalid input syntax for type integer: "seven"');

-- Every type of key is found again.
SELECT ok((SELECT version = 1 FROM churnops_dataset('keys', 'SELECT * FROM customers WHERE id <= 50',
	'{id,tenure,paperless,plan,charges,usage,speed,since,seen,mood,token,code,points}')), 'a key of many types');
SET DateStyle = 'German';
SELECT is((SELECT count(*) FROM public.customers AS c, churnops_membership('keys', jsonb_build_object('id', id, 'tenure', tenure,
	'paperless', paperless, 'plan', plan, 'charges', charges || '00', 'usage', usage, 'speed', speed, 'since', since, 'seen', seen, 'mood', mood,
	'token', upper(token::text), 'code', code, 'points', points)) AS m WHERE c.id <= 60 AND m.held), 50::bigint, 'is found for each of its rows');
RESET DateStyle;

-- More fingerprints than maintenance_work_mem holds
SET maintenance_work_mem = '1MB';
SELECT ok((SELECT is_new FROM churnops_dataset('many', 'SELECT i FROM generate_series(1, 50000) AS i', '{i}')), 'many keys');
RESET maintenance_work_mem;
SELECT ok((SELECT is_new FROM churnops_dataset('many', 'SELECT i FROM generate_series(2, 50001) AS i', '{i}')), 'in memory');
SELECT results_eq($$SELECT measure, value FROM churnops_dataset_diff('many', 1, 2, 0) WHERE aspect = 'rows' AND measure <> 'count'$$,
	$$VALUES ('added', 1::float8), ('removed', 1), ('changed', 0), ('unchanged', 49999)$$, 'are sorted the same way');

-- Reproducing

SELECT row_eq($$SELECT reproduced, source, changes, difference IS NULL FROM churnops_reproduce('live/1')$$,
	ROW(true, 'copy'::text, '[]'::jsonb, true), 'from the copy, though the rows are others now');
SELECT is((SELECT churnops_forget('customers/1')), 'datasets:/customers/1', 'without the copy');
SELECT row_eq($$SELECT reproduced, source, changes->0->>'ingredient', jsonb_array_length(changes), difference->>'dataset',
		difference->>'rows_before', difference->>'rows_after', difference->>'added', difference->>'removed', difference->>'changed',
		difference->'columns'->'usage' ? 'ks', difference->'columns' ? 'id'
	FROM churnops_reproduce('live/1')$$,
	ROW(false, 'query'::text, 'data'::text, 1, 'datasets:/customers/1'::text, '900'::text, '897'::text, '2'::text, '5'::text, '90'::text, true, true),
	'the query, and how its rows differ');
RESET ROLE;
ALTER TABLE public.customers DROP COLUMN speed;
SET ROLE churnops_alice;
SELECT row_eq($$SELECT reproduced, dataset_digest_now, (SELECT array_agg(c->>'ingredient') FROM jsonb_array_elements(changes) AS c),
		difference->'schema'->0->>'change', difference->>'added'
	FROM churnops_reproduce('live/1')$$,
	ROW(false, NULL::text, '{"relation public.customers",columns}'::text[], 'removed'::text, '2'::text), 'a column that is gone');
SELECT lives_ok($$SELECT churnops_train('plain', 'SELECT plan, churn FROM customers WHERE churn IS NOT NULL', 'churn', '{"n_estimators": 2}')$$,
	'a training that belongs to no dataset');
RESET ROLE;
DELETE FROM public.customers WHERE id = 1;
SET ROLE churnops_alice;
SELECT row_eq($$SELECT reproduced, difference FROM churnops_reproduce('plain/1')$$,
	ROW(false, '{"rows_before": 895, "rows_after": 894}'::jsonb), 'has only its rows counted');
RESET ROLE;
ALTER TABLE public.customers RENAME TO clients;
SET ROLE churnops_alice;
SELECT row_eq($$SELECT r.reproduced, r.ref, r.artifact_digest_now, r.message, r.difference, r.changes->0->>'ingredient', r.changes->0->'after',
		jsonb_array_length(r.changes)
	FROM unnest('{plain/1,live/1}'::text[]) AS v, churnops_reproduce(v) AS r WHERE v = $$ || quote_literal(v),
	ROW(false, v, NULL::text, 'The query reads what is gone: table public.customers.'::text, NULL::jsonb, 'relation public.customers'::text,
		'null'::jsonb, 1), 'a table that is gone, of ' || v)
FROM unnest('{plain/1,live/1}'::text[]) AS v;
RESET ROLE;
ALTER TABLE public.clients RENAME TO customers;
SET ROLE churnops_alice;

-- Rights

RESET ROLE;
SELECT is(pg_temp.value_as('churnops_bob', 'SELECT count(*) FROM churnops.datasets'), '0', 'nothing is seen of another''s datasets');
SELECT is(pg_temp.error_as('churnops_bob', $$SELECT churnops_train('m', 'datasets:/customers/1', 'churn')$$),
	replace(pg_temp.error_as('churnops_bob', $$SELECT churnops_train('m', 'datasets:/unknown/1', 'churn')$$), 'unknown', 'customers'),
	'training on it fails as on an unknown one');
SELECT is(pg_temp.error_as('churnops_bob', replace(q, '?', 'customers')),
	replace(pg_temp.error_as('churnops_bob', replace(q, '?', 'unknown')), 'unknown', 'customers'), q)
FROM unnest(ARRAY[$$SELECT churnops_dataset_diff('?', 1, 5)$$, $$SELECT churnops_membership('?', '{"id": 7}')$$,
	$$SELECT churnops_forget('?/1')$$, $$SELECT churnops_drop_dataset('?')$$]) AS q;
SELECT is(split_part(pg_temp.error_as('churnops_bob', $$SELECT churnops_drop_dataset('customers')$$), E'\n', 1), '42704', 'with 42704');
SELECT is(pg_temp.error_as('churnops_bob', $$SELECT churnops_dataset('customers', 'SELECT 1 AS x')$$),
	E'42501\ncannot register dataset "customers"\nChoose another name for the dataset.', 'a name that is taken');
SELECT is(split_part(pg_temp.error_as('churnops_bob', 'SELECT * FROM churnops.' || t), E'\n', 1), '42501', t || ' cannot be read')
FROM unnest('{named_dataset,dataset_version,dataset_rows,dataset_keys}'::text[]) AS t;
GRANT SELECT ON churnops.dataset_rows, churnops.named_dataset TO churnops_bob, churnops_alice;
SELECT is(pg_temp.value_as('churnops_bob', 'SELECT count(*) FROM churnops.dataset_rows'), '0', 'nor what is granted');
SELECT isnt(pg_temp.value_as('churnops_alice', 'SELECT count(*) FROM churnops.named_dataset'), '0', 'but by the owner');
SELECT is(split_part(pg_temp.error_as('churnops_bob', $$SELECT churnops.register_dataset('{}', '')$$), E'\n', 1), '42501',
	'nobody registers past the reading');

-- A copy runs nobody's code; without one the stored query is its author's alone.
SET ROLE churnops_team;
SELECT ok((SELECT is_new FROM churnops_dataset('shared', 'SELECT * FROM customers', '{id}', true)), 'a team''s dataset');
SET ROLE churnops_member;
SELECT lives_ok($$SELECT churnops_train('theirs', 'datasets:/shared/1', 'churn', '{"n_estimators": 2}', '{id}',
	'{token,extra,photo,visits,pair}')$$, 'a member trains on the copy without a right on the table');
SELECT is((SELECT count(*) FROM churnops_membership('shared', '{"id": 7}') WHERE held AND models = '{theirs/1}'), 1::bigint,
	'and looks customers up');
SELECT is((SELECT churnops_forget('shared/1')), 'datasets:/shared/1', 'and gives the copy up');
SELECT throws_ok($$SELECT churnops_train('theirs', 'datasets:/shared/1', 'churn')$$, '42501',
	'dataset version shared/1 has no kept copy and was registered by role "churnops_team"');
SET ROLE churnops_alice;
SELECT is((SELECT models::text || n_models FROM churnops_membership('shared', '{"id": 7}')), '{}1',
	'models of others are counted, not named');
SELECT throws_ok($$SELECT churnops_drop_dataset('shared')$$, '2BP01',
	'dataset "shared" cannot be dropped: 1 model version was trained on it');

-- The type of a copy's column
RESET ROLE;
SELECT ok((SELECT is_new FROM churnops_dataset('moods', 'SELECT mood, churn FROM customers', keep => true)), 'a copy with an enum');
ALTER TYPE public.mood RENAME TO temper;
SELECT throws_ok($$SELECT churnops_train('m', 'datasets:/moods', 'churn')$$, '42704',
	'type public.mood of column "mood" does not exist any more');
ALTER TYPE public.temper RENAME TO mood;

-- Refusals of the registration

SELECT throws_ok($$SELECT churnops_dataset(NULL, 'SELECT 1')$$, '22004', 'argument "name" must not be null');
SELECT throws_ok($$SELECT churnops_dataset('d', NULL)$$, '22004', 'argument "query" must not be null');
SELECT throws_ok($$SELECT churnops_dataset('d', 'SELECT 1 AS x', keep => NULL)$$, '22004', 'argument "keep" must not be null');
SELECT throws_ok($$SELECT churnops_dataset('d', 'SELECT 1 AS x', '{NULL}')$$, '22004', 'argument "key" must not hold a NULL');
SELECT throws_ok($$SELECT churnops_dataset('D', 'SELECT 1 AS x')$$, '42602', 'invalid dataset name "D"');
SELECT throws_ok($$SELECT churnops_dataset('d', 'SELECT 1 AS x', '{y}')$$, '42703', 'column "y" of argument "key" is not in the query');
SELECT throws_ok($$SELECT churnops_dataset('d', 'SELECT 1 AS x', '{x,x}')$$, '22023', 'column "x" is named twice in argument "key"');
SELECT throws_ok($$SELECT churnops_dataset('d', 'SELECT 1 AS x, 2 AS x')$$, '42701', 'the query has two columns named "x"');
SELECT throws_ok($$SELECT churnops_dataset('d', 'SELECT FROM customers')$$, '22023', 'the query has no columns');
SELECT throws_ok($$SELECT churnops_dataset('d', 'DELETE FROM customers')$$, '22023', NULL, 'a query that writes');
SELECT throws_ok($$SELECT churnops_dataset('d', 'datasets:/customers/1')$$, '22023', 'a dataset cannot be registered from a dataset');
SELECT is((SELECT count(*) FROM churnops.datasets WHERE name = 'd'), 0::bigint, 'leave nothing');
SELECT throws_ok($$SELECT churnops_forget('customers')$$, '22023', 'dataset reference "customers" names no version');
SELECT throws_ok($$SELECT churnops_forget('customers/2')$$, '55000', 'dataset version customers/2 has no kept copy');
SELECT throws_ok($$SELECT churnops_forget('customers/99')$$, '42704', 'version 99 of dataset "customers" does not exist');
SELECT throws_ok($$SELECT churnops_forget(NULL)$$, '22004', 'argument "dataset_ref" must not be null');
SELECT throws_ok($$SELECT churnops_drop_dataset(NULL)$$, '22004', 'argument "dataset" must not be null');
SELECT throws_ok($$SELECT churnops_membership('nobody', '{"plan": 1}')$$, '22023',
	'argument "key" does not name the key columns of dataset "nobody"');
SELECT throws_ok($$SELECT churnops_membership('moods', '{"mood": 1}')$$, '22023', 'no version of dataset "moods" has a key');

-- Frozen, and damaged

SELECT throws_ok(format('%s churnops.%s', c, t), '55000',
	format('rows of churnops.%s are frozen: %s is refused', t, split_part(c, ' ', 1)), c || ' ' || t)
FROM unnest('{named_dataset,dataset_version,dataset_rows,dataset_keys}'::text[]) AS t, unnest('{DELETE FROM,TRUNCATE}'::text[]) AS c;
SELECT throws_ok('UPDATE churnops.dataset_version SET n_rows = 1', '55000',
	'rows of churnops.dataset_version are frozen: UPDATE is refused');
SELECT throws_ok('UPDATE churnops.named_dataset SET salt = salt', '55000',
	'rows of churnops.named_dataset are frozen: UPDATE is refused');
SELECT lives_ok('UPDATE churnops.named_dataset SET owner = owner', 'an owner may be renamed');
SELECT is((SELECT count(*) FROM churnops_verify()), 0::bigint, 'all is as the audit has it');
SET session_replication_role = replica;
UPDATE churnops.dataset_version SET n_rows = n_rows + 1 WHERE dataset = 'shared';
DELETE FROM churnops.dataset_version WHERE dataset = 'keys';
UPDATE churnops.dataset_rows SET bytes = overlay(bytes PLACING '\xff' FROM 14 + 7 * 896 + 10) WHERE dataset = 'customers' AND version = 5;
SELECT throws_ok($$SELECT churnops_train('m', 'datasets:/customers/5', 'churn', '{"n_estimators": 1}', exclude => '{token,extra,photo,visits,pair}')$$,
	'XX001', NULL, 'a changed copy is found out');
UPDATE churnops.dataset_rows SET bytes = substring(bytes FROM 1 FOR 100) WHERE dataset = 'customers' AND version = 5;
SELECT throws_ok($$SELECT churnops_train('m', 'datasets:/customers/5', 'churn', exclude => '{token,extra,photo,visits,pair}')$$,
	'XX001', 'kept rows are damaged');
SET session_replication_role = origin;
SELECT results_eq($$SELECT name, "table", key, problem FROM churnops_verify() ORDER BY 1, 2$$,
	$$VALUES ('datasets:/customers', 'dataset_rows', '5, chunk 0', 'the chunk does not have its digest'),
		('datasets:/keys', 'dataset_version', '1', 'the row is missing'), ('datasets:/shared', 'dataset_version', '1', 'the row was altered')$$,
	'what was changed past the guards is found');

-- The end of a dataset

SELECT throws_ok($$SELECT churnops_drop_dataset('customers')$$, '2BP01',
	'dataset "customers" cannot be dropped: 5 model versions were trained on it');
SELECT is(pg_temp.error_as('churnops_alice', $$SELECT churnops_drop_dataset('customers')$$),
	E'2BP01\ndataset "customers" cannot be dropped: 5 model versions were trained on it\nModels of these that you may use: '
	'copy, live, moods, unkept.\nDrop the models first, or give up kept copies only, with churnops_forget.', 'with the models');
SELECT lives_ok(format('SELECT churnops_drop_model(%L)', m), 'drop model ' || m) FROM unnest('{copy,live,moods,unkept}'::text[]) AS m;
SELECT is(pg_temp.value_as('churnops_alice', $$SELECT churnops_drop_dataset('customers')$$), 'customers', 'then it goes');
SELECT is((SELECT count(*) FROM churnops.dataset_keys WHERE dataset = 'customers'), 0::bigint, 'with its fingerprints');
SELECT results_eq($$SELECT action, version FROM churnops.audit WHERE model = 'datasets:/customers' AND action <> 'keep_dataset' ORDER BY entry$$,
	$$VALUES ('register_dataset', 1), ('register_dataset', 2), ('register_dataset', 3), ('register_dataset', 4), ('forget_dataset', 4),
		('register_dataset', 5), ('forget_dataset', 1), ('drop_dataset', NULL)$$, 'the audit keeps what was done');
SELECT is((SELECT jsonb_array_length(detail->'versions') FROM churnops.audit WHERE action = 'drop_dataset'), 5, 'and the digests');
SELECT ok((SELECT version = 1 FROM churnops_dataset('customers', 'SELECT 1 AS x')), 'the name is free again');

-- Distances, against algorithms' vectors

SELECT is((SELECT round(churnops.psi(array_agg(0.1::float8), array_agg(c / 1000))::numeric, 10)
	FROM unnest('{60,80,90,100,110,120,130,110,100,100}'::float8[]) AS c), 0.0393730638, 'population stability index');
SELECT is((SELECT round(churnops.js_distance(array_agg(0.1::float8), array_agg(c / 1000))::numeric, 10)
	FROM unnest('{60,80,90,100,110,120,130,110,100,100}'::float8[]) AS c), 0.0839881979, 'Jensen-Shannon distance');
SELECT is(round(churnops.psi('{0.5,0.3,0.2,0}', '{0.4,0.35,0.2,0.05}')::numeric, 10), 0.3401308332, 'an empty cell is filled');
CREATE TEMPORARY TABLE ks AS SELECT (churnops.compare_numbers(
	(SELECT jsonb_build_object('n_counted', 8, 'values', jsonb_agg(jsonb_build_object('value', x, 'n', 1))) FROM generate_series(1, 8) AS x),
	(SELECT jsonb_build_object('n_counted', 6, 'values', jsonb_agg(jsonb_build_object('value', x, 'n', 1)))
	 FROM unnest('{2.5,5.5,6.5,8.5,9,9.5}'::float8[]) AS x))).ks;
SELECT is((SELECT ks FROM ks), 0.5::float8, 'Kolmogorov-Smirnov distance');

SELECT * FROM finish();
ROLLBACK;
