-- Training: what it accepts, what it says about the data, what it refuses and how.
-- Learned numbers are not shown: the metrics have tests of their own.
CREATE TYPE train_plan AS ENUM ('basic', 'plus', 'gold');
CREATE DOMAIN train_months AS integer CHECK (VALUE >= 0);
CREATE TABLE train_rows AS
SELECT i AS id, md5(i::text)::uuid AS token,
	(i * 7919 % 72)::train_months AS tenure, (i * 104729 % 1000) / 7.0::float8 AS charges,
	(i * 31 % 1000) / 10.0 AS usage, (ARRAY['fibre', 'dsl', 'none'])[1 + i * 13 % 3] AS line,
	(ARRAY['basic', 'plus', 'gold'])[1 + i * 17 % 3]::train_plan AS plan, i * 19 % 2 = 0 AS senior,
	date '2020-01-01' + i * 37 % 900 AS since, timestamp '2024-01-01' + i * interval '1 hour' AS seen,
	i % 3 + 1 AS weight, 7 AS seven, NULL::text AS nothing,
	CASE WHEN i * 7919 % 72 < 24 AND i * 13 % 3 = 0 OR i % 11 = 0 THEN 'gone' ELSE 'stays' END AS state
FROM generate_series(1, 400) AS i;

-- What an attempt came to: counts, or the error.  Forgotten again, so every one is the first.
CREATE FUNCTION train_attempt(query text, target text DEFAULT 'state', params jsonb DEFAULT '{"n_estimators": 5}',
	key text[] DEFAULT NULL, exclude text[] DEFAULT '{id,token}', weight text DEFAULT NULL, task text DEFAULT NULL,
	positive_class text DEFAULT NULL, test_size float8 DEFAULT 0.2, time_column text DEFAULT NULL,
	model text DEFAULT 'tried') RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	r record;
	state text;
	message text;
	detail text;
	hint text;
BEGIN
	SELECT * INTO r FROM churnops_train(model, query, target, params, key, exclude, weight, task, positive_class,
		test_size, 0, time_column);
	PERFORM churnops_drop_model(model);
	RETURN NEXT format('%s: %s rows, %s features%s', r.status, r.n_rows, r.n_features,
		CASE WHEN r.n_train + r.n_test <> r.n_rows OR (r.n_test > 0) <> (test_size > 0) THEN ', split wrongly' END);
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
		hint = PG_EXCEPTION_HINT;
	RETURN NEXT state || ' ' || message;
	RETURN QUERY SELECT 'detail: ' || detail WHERE detail <> '';
	RETURN QUERY SELECT 'hint: ' || hint WHERE hint <> '';
END
$$;
\pset format unaligned
\pset tuples_only on

-- The row of a training
SELECT ref, version, status, n_rows, n_train + n_test AS n_split, n_features, seconds > 0 FROM churnops_train(
	'first', 'train_rows', 'state', exclude => '{id,token}', description => 'the first one');
SELECT ref, version FROM churnops_train('first', 'TABLE train_rows', 'state', exclude => '{id,token}');
SELECT string_agg(k, ' ' ORDER BY k) FROM churnops.versions, jsonb_object_keys(metrics) AS k WHERE model = 'first' AND version = 1;
SELECT string_agg(k, ' ' ORDER BY k) FROM churnops.versions, jsonb_object_keys(metrics->'holdout') AS k
WHERE model = 'first' AND version = 1;
SELECT version, aliases, description FROM churnops.versions WHERE model = 'first' ORDER BY version;
SELECT count(DISTINCT artifact_digest), count(DISTINCT dataset_digest) FROM churnops.versions WHERE model = 'first';
-- What the lineage knows
SELECT c->>'name', c->>'type', c->>'role', c->>'kind' FROM churnops.lineage, jsonb_array_elements(columns) AS c
WHERE model = 'first' AND version = 1;
SELECT query, dataset_rows, r->>'schema', r->>'name', r->>'kind', options, params_given, seed
FROM churnops.lineage, jsonb_array_elements(relations) AS r WHERE model = 'first' ORDER BY version;
SELECT count(DISTINCT fingerprint), bool_and(snapshot::pg_snapshot IS NOT NULL), bool_and(lsn::pg_lsn > '0/0')
FROM churnops.lineage WHERE model = 'first';
SELECT churnops_drop_model('first');

-- Forms of a query; equal ones have one fingerprint
SELECT train_attempt('public.train_rows');
SELECT train_attempt('  "train_rows" ; ');
SELECT train_attempt('/* all */ TABLE train_rows -- of them');
CREATE VIEW train_view AS SELECT * FROM train_rows;
SELECT train_attempt('train_view');
SELECT train_attempt('VALUES (1, 2.5, true), (2, 3.5, false), (3, 1.5, true), (4, 4.5, false)', 'column3', exclude => NULL, test_size => 0);
SET client_min_messages = warning;
SELECT ref, query FROM unnest(ARRAY['train_view', 'TABLE train_view', E'table\n"train_view";', 'TABLE /* */ Train_View',
	'SELECT * FROM train_view WHERE line <> ''X''', 'select *from train_view where line<>''X''',
	'SELECT * FROM train_view WHERE line <> ''x''']) AS query,
	churnops_train('forms', query, 'state', '{"n_estimators": 1}', exclude => '{token}');
SELECT string_agg(version::text, ' ' ORDER BY version) FROM churnops.lineage WHERE model = 'forms' GROUP BY fingerprint ORDER BY 1;
SELECT string_agg(r->>'name' || ' ' || (r->>'kind'), ', ') FROM churnops.lineage, jsonb_array_elements(relations) AS r
WHERE model = 'forms' AND version = 1;
SELECT churnops_drop_model('forms');
RESET client_min_messages;

-- No queries
SELECT train_attempt('');
SELECT train_attempt(' -- nothing');
SELECT train_attempt('; ;');
SELECT train_attempt('nosuch');
SELECT train_attempt('nosuch.train_rows');
SELECT train_attempt('train_rows; SELECT 1');
SELECT train_attempt('SELECT 1; DELETE FROM train_rows');
SELECT train_attempt('DELETE FROM train_rows');
SELECT train_attempt('EXPLAIN SELECT 1');
SELECT train_attempt('EXECUTE something');
SELECT train_attempt('commit');
SELECT train_attempt('SELECT * INTO train_copy FROM train_rows');
SELECT train_attempt('CREATE TABLE train_copy AS SELECT 1');
SELECT train_attempt('WITH gone AS (DELETE FROM train_rows RETURNING *) SELECT * FROM gone');
SELECT train_attempt('TABLE train_rows FOR UPDATE');
SELECT train_attempt('SELECT * FROM (SELECT * FROM train_rows FOR SHARE) AS s');
SELECT train_attempt('SELEC * FROM train_rows');
SELECT train_attempt('SELECT $1 AS a, state FROM train_rows');
SELECT train_attempt('SELECT');
CREATE FUNCTION train_writes() RETURNS integer LANGUAGE plpgsql VOLATILE AS $$ BEGIN DELETE FROM train_rows; RETURN 1; END $$;
SELECT train_attempt('SELECT train_writes() AS one, state FROM train_rows', exclude => NULL);
CREATE SEQUENCE train_sequence;
SELECT train_attempt('SELECT nextval(''train_sequence'') AS n, state FROM train_rows', exclude => NULL);
SELECT train_attempt('SELECT set_config(''transaction_read_only'', ''off'', true) AS s, state FROM train_rows', exclude => NULL);
SHOW transaction_read_only;
SELECT count(*) FROM train_rows;

-- Columns and their roles
SELECT train_attempt('train_rows', 'State');
SELECT train_attempt('train_rows', 'status');
SELECT train_attempt('train_rows', key => '{idd}');
SELECT train_attempt('train_rows', exclude => '{id,tokens}');
SELECT train_attempt('train_rows', key => '{state}');
SELECT train_attempt('train_rows', key => '{id}');
SELECT train_attempt('train_rows', exclude => '{id,token,id}');
SELECT train_attempt('train_rows', key => '{tenure}', weight => 'tenure');
SELECT train_attempt('train_rows', key => '{tenure,NULL}');
SELECT train_attempt('SELECT id, id, state FROM train_rows');
SELECT train_attempt('SELECT state FROM train_rows', exclude => NULL);
SELECT train_attempt('SELECT token, ARRAY[id] AS ids, tenure, state FROM train_rows', exclude => NULL);
SELECT train_attempt('train_rows', key => '{id,token}', exclude => NULL, weight => 'weight', time_column => 'seen');
SELECT train_attempt('train_rows', weight => 'line');
SELECT train_attempt('train_rows', time_column => 'line');
SELECT train_attempt('train_rows', time_column => 'id', exclude => '{token}');

-- Targets
SELECT train_attempt('SELECT tenure, senior FROM train_rows', 'senior', exclude => NULL);
SELECT train_attempt('SELECT tenure, plan FROM train_rows', 'plan', exclude => NULL);
SELECT train_attempt('SELECT tenure, id % 3 AS class FROM train_rows', 'class', exclude => NULL);
SELECT train_attempt('SELECT tenure, id FROM train_rows', 'id', exclude => NULL);
SELECT train_attempt('SELECT tenure, id % 150 AS class FROM train_rows', 'class', exclude => NULL, task => 'classification');
SELECT train_attempt('SELECT tenure, id FROM train_rows', 'id', exclude => NULL, task => 'regression');
SELECT train_attempt('SELECT tenure, charges FROM train_rows', 'charges', exclude => NULL);
SELECT train_attempt('SELECT tenure, (id % 2)::numeric AS bit FROM train_rows', 'bit', exclude => NULL);
SELECT train_attempt('SELECT tenure, (id % 2)::numeric AS bit FROM train_rows', 'bit', exclude => NULL, task => 'regression');
SELECT train_attempt('train_rows', task => 'regression');
SELECT train_attempt('train_rows', task => 'regresion');
SELECT train_attempt('train_rows', 'since');
SELECT train_attempt('train_rows', 'token', exclude => '{id}');
SELECT train_attempt('train_rows', positive_class => 'gone');
SELECT train_attempt('train_rows', positive_class => 'Gone');
SELECT train_attempt('SELECT tenure, plan FROM train_rows', 'plan', exclude => NULL, positive_class => 'gold');
SELECT train_attempt('SELECT tenure, charges FROM train_rows', 'charges', exclude => NULL, positive_class => '1');
SELECT train_attempt('SELECT tenure, id FROM train_rows', 'id', exclude => NULL, task => 'regression', positive_class => '1');
SELECT train_attempt('SELECT tenure, CASE WHEN state = ''gone'' THEN ''Yes'' ELSE ''No'' END AS state FROM train_rows', exclude => NULL);

-- Rows
SELECT train_attempt('SELECT * FROM train_rows WHERE false');
SELECT train_attempt('SELECT * FROM train_rows WHERE state = ''gone''');
SELECT train_attempt('SELECT tenure, NULL::text AS state FROM train_rows', exclude => NULL);
SELECT train_attempt('SELECT tenure, nullif(state, ''gone'') AS state FROM train_rows', exclude => NULL);
SELECT train_attempt('SELECT tenure, charges, CASE WHEN id % 8 > 0 THEN state END AS state FROM train_rows', exclude => NULL);
SELECT train_attempt('SELECT seven, nothing, state FROM train_rows', exclude => NULL);
SELECT train_attempt('SELECT id, charges, state FROM train_rows', exclude => NULL);
SELECT train_attempt('SELECT tenure, CASE id WHEN 9 THEN ''Infinity'' ELSE charges END AS charges, state FROM train_rows', exclude => NULL);
SELECT train_attempt('SELECT tenure, CASE id WHEN 9 THEN ''-infinity'' ELSE seen END AS seen, state FROM train_rows', exclude => NULL);
SELECT train_attempt('SELECT tenure, CASE id WHEN 9 THEN ''Infinity'' ELSE charges END AS charges FROM train_rows', 'charges', exclude => NULL);
SELECT train_attempt('SELECT tenure, CASE id WHEN 9 THEN ''NaN'' ELSE charges END AS charges FROM train_rows', 'charges', exclude => NULL);
SELECT train_attempt('SELECT tenure, CASE id WHEN 9 THEN -1 ELSE 1 END AS w, state FROM train_rows', exclude => NULL, weight => 'w');
SELECT train_attempt('SELECT tenure, CASE id WHEN 9 THEN NULL ELSE 1 END AS w, state FROM train_rows', exclude => NULL, weight => 'w');
SELECT train_attempt('SELECT tenure, CASE id WHEN 9 THEN ''Infinity'' ELSE 1.5 END AS w, state FROM train_rows', exclude => NULL, weight => 'w');
SELECT train_attempt('SELECT tenure, CASE id WHEN 9 THEN NULL ELSE seen END AS t, state FROM train_rows', exclude => NULL, time_column => 't');
-- what is NULL in a row with an unknown target does not matter
SELECT train_attempt('SELECT tenure, CASE id WHEN 9 THEN NULL ELSE seen END AS t, CASE id WHEN 9 THEN NULL ELSE 1 END AS w,
	CASE id WHEN 9 THEN NULL ELSE state END AS state FROM train_rows', exclude => NULL, time_column => 't', weight => 'w');
-- a text of a megabyte
SELECT train_attempt('SELECT tenure, repeat(md5(id::text), 32768) AS essay, state FROM train_rows WHERE id <= 60', exclude => NULL);

-- Parameters and other arguments
SELECT train_attempt('train_rows', params => '{"n_estimator": 5}');
SELECT train_attempt('train_rows', params => '{"n_estimators": 0}');
SELECT train_attempt('train_rows', params => '{"n_estimators": "many"}');
SELECT train_attempt('train_rows', params => '[1]');
SELECT train_attempt('train_rows', params => NULL);
SELECT train_attempt('train_rows', params => '{"oob_score": true, "bootstrap": false}');
SELECT train_attempt('train_rows', params => '{"criterion": "squared_error"}');
SELECT train_attempt('train_rows', params => '{"warm_start": true}');
SELECT train_attempt('train_rows', params => '{"n_estimators": 5, "class_weight": {"gone": 2, "lost": 1}}');
SELECT train_attempt('train_rows', params => '{"n_estimators": 5, "class_weight": {"gone": 2, "stays": 0.5}, "n_jobs": -1, "max_features": null}');
SELECT train_attempt('train_rows', test_size => 0);
SELECT train_attempt('train_rows', test_size => 1);
SELECT train_attempt('train_rows', test_size => -0.5);
SELECT train_attempt('train_rows', test_size => 'NaN');
SELECT train_attempt('train_rows', test_size => NULL);
SELECT train_attempt('train_rows', model => 'Churn!');
SELECT train_attempt('train_rows', model => NULL);
SELECT train_attempt(NULL);
SELECT train_attempt('train_rows', NULL);

-- What is undefined is null, and warned of
SET client_min_messages = warning;
SELECT metrics->'holdout', metrics->'oob', metrics->'warnings' FROM churnops_train('bare', 'train_rows', 'state',
	'{"n_estimators": 1, "bootstrap": false}', exclude => '{id,token}', test_size => 0);
SELECT metrics->'holdout'->'roc_auc', metrics->'holdout'->'ks', w FROM churnops_train('bare',
	'SELECT tenure, seen, id < 390 AND id % 2 = 0 AS state FROM train_rows', 'state', '{"bootstrap": false}',
	time_column => 'seen', test_size => 0.02), jsonb_array_elements(metrics->'warnings') AS w;
SELECT churnops_drop_model('bare');
RESET client_min_messages;

-- A model has one task and one target
SELECT ref FROM churnops_train('kind', 'SELECT tenure, senior FROM train_rows', 'senior', '{"n_estimators": 1}');
SELECT train_attempt('SELECT tenure, state FROM train_rows', exclude => NULL, model => 'kind');
SELECT train_attempt('SELECT tenure, id AS senior FROM train_rows', 'senior', exclude => NULL, task => 'regression', model => 'kind');
SELECT train_attempt('SELECT tenure, charges AS senior FROM train_rows', 'senior', exclude => NULL, model => 'kind');
SELECT churnops_drop_model('kind');

-- Too much
SELECT train_attempt('SELECT i, i % 2 = 0 AS state FROM generate_series(1, 3000000000) AS i', exclude => NULL);
SET churnops.training_memory = '16MB';
SELECT regexp_replace(train_attempt('SELECT i, i * 7 AS j, i % 2 = 0 AS state FROM generate_series(1, 1000000) AS i', exclude => NULL),
	'[0-9]{2,}(?= |MB)', '(n)', 'g');
RESET churnops.training_memory;
SET client_min_messages = warning;
SELECT train_attempt('SELECT ' || string_agg(format('(id * %s %% 1009) AS c%s', i, i), ', ') || ', state FROM train_rows',
	exclude => NULL, params => '{"n_estimators": 1}') FROM generate_series(1, 1600) AS i;
RESET client_min_messages;

-- The caller's own writes are seen; a function that fails leaves no trace
BEGIN;
SET LOCAL client_min_messages = warning;
DELETE FROM train_rows WHERE id > 300;
SELECT n_rows FROM churnops_train('own', 'train_rows', 'state', '{"n_estimators": 1}', exclude => '{token}');
SAVEPOINT before;
DELETE FROM train_rows WHERE id > 200;
SELECT n_rows FROM churnops_train('own', 'train_rows', 'state', '{"n_estimators": 1}', exclude => '{token}');
ROLLBACK TO before;
SELECT n_rows FROM churnops_train('own', 'train_rows', 'state', '{"n_estimators": 1}', exclude => '{token}');
SELECT version, n_rows FROM churnops.versions WHERE model = 'own' ORDER BY version;
ROLLBACK;
CREATE FUNCTION train_adds() RETURNS integer LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	INSERT INTO train_rows (id, tenure, state) VALUES (401, 5, 'gone'), (402, 50, 'stays');
	RETURN 2;
END $$;
SELECT train_adds(), (churnops_train('own', 'SELECT id, tenure, state FROM train_rows', 'state', '{"n_estimators": 1}')).n_rows;
DELETE FROM train_rows WHERE id > 400;
SELECT churnops_drop_model('own');
BEGIN READ ONLY;
SELECT ref FROM churnops_train('own', 'train_rows', 'state');
ROLLBACK;
SELECT count(*) FROM churnops.models WHERE name IN ('own', 'tried');

-- Reproducing
SET client_min_messages = warning;
CREATE SCHEMA train_schema;
SET search_path = train_schema, public;
CREATE TABLE reproduced AS SELECT id, tenure, line, plan, charges, state FROM train_rows;
SELECT ref FROM churnops_train('again', 'reproduced', 'state', '{"n_estimators": 5, "max_depth": 4}', key => '{id}',
	positive_class => 'gone', test_size => 0.3);
SELECT ref FROM churnops_train('again', 'SELECT * FROM reproduced', 'state', '{"n_estimators": 5, "splitter": "random", "min_samples_leaf": 0.01,
	"bootstrap": true, "class_weight": {"gone": 3}, "monotonic_cst": {"tenure": -1}, "max_samples": 0.5}', exclude => '{id}', test_size => 0);
RESET search_path;
SELECT ref, reproduced, dataset_digest = dataset_digest_now, artifact_digest = artifact_digest_now, message
FROM churnops_reproduce('again');
SELECT ref, reproduced, message FROM churnops_reproduce('again/2');
UPDATE train_schema.reproduced SET charges = charges + 1 WHERE id = 7;
SELECT ref, reproduced, dataset_digest = dataset_digest_now, artifact_digest_now IS NULL,
	replace(replace(message, dataset_digest, '(digest)'), dataset_digest_now, '(digest now)') FROM churnops_reproduce('again/1');
UPDATE train_schema.reproduced SET charges = charges - 1 WHERE id = 7;
ALTER TABLE train_schema.reproduced ADD COLUMN more integer;
SELECT ref, reproduced, dataset_digest_now, artifact_digest_now, message FROM churnops_reproduce('again/1');
-- a wider type is the same data, another type is not
ALTER TABLE train_schema.reproduced DROP COLUMN more, ALTER COLUMN id TYPE bigint;
SELECT ref, reproduced, message FROM churnops_reproduce('again/1');
ALTER TABLE train_schema.reproduced ALTER COLUMN tenure TYPE numeric;
SELECT ref, reproduced, dataset_digest = dataset_digest_now FROM churnops_reproduce('again/1');
SELECT ref FROM churnops_reproduce('again/3');
SELECT ref FROM churnops_reproduce('nosuch');
SELECT ref FROM churnops_reproduce(NULL);
SELECT count(*) FROM churnops.versions WHERE model = 'again';
SELECT churnops_drop_model('again');

DROP SCHEMA train_schema CASCADE;
DROP FUNCTION train_attempt, train_writes, train_adds;
DROP VIEW train_view;
DROP TABLE train_rows;
DROP SEQUENCE train_sequence;
DROP TYPE train_plan;
DROP DOMAIN train_months;
