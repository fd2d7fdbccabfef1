-- Evaluation: the metrics of a version on a query.  The models are made so that
-- what they predict is known: plain counts give the right answers.
SET client_min_messages = warning;
-- Says yes for x > 50, with certainty; three classes by thirds; y = 10 x by tens
SELECT ref, metrics->'warnings' <> '[]' AS warned FROM churnops_train('yes',
	$$SELECT x, CASE WHEN x > 50 THEN 'yes' ELSE 'no' END AS answer FROM generate_series(1, 100) AS x$$, 'answer',
	'{"n_estimators": 1, "bootstrap": false}', test_size => 0);
SELECT ref FROM churnops_train('no',
	$$SELECT x, CASE WHEN x > 50 THEN 'yes' ELSE 'no' END AS answer FROM generate_series(1, 100) AS x$$, 'answer',
	'{"n_estimators": 1, "bootstrap": false}', test_size => 0, positive_class => 'no');
SELECT ref FROM churnops_train('thirds',
	$$SELECT x, (ARRAY['low', 'middle', 'high'])[1 + (x - 1) / 30] AS third FROM generate_series(1, 90) AS x$$, 'third',
	'{"n_estimators": 1, "bootstrap": false}', test_size => 0);
SELECT ref FROM churnops_train('tens',
	$$SELECT x, 10.0 * x AS y FROM generate_series(1, 100) AS x$$, 'y',
	'{"n_estimators": 1, "bootstrap": false}', test_size => 0);
SELECT ref FROM churnops_train('flag',
	$$SELECT x, x > 50 AS flag FROM generate_series(1, 100) AS x$$, 'flag',
	'{"n_estimators": 1, "bootstrap": false}', test_size => 0);
SELECT ref FROM churnops_train('bit',
	$$SELECT x, (x > 50)::int::float8 AS bit FROM generate_series(1, 100) AS x$$, 'bit',
	'{"n_estimators": 1, "bootstrap": false}', test_size => 0);
RESET client_min_messages;

-- Two classes: 40 of 50 right negatives, 45 of 50 right positives
CREATE VIEW answers AS
SELECT x, CASE WHEN x > 50 AND x <= 95 OR x BETWEEN 1 AND 10 THEN 'yes' ELSE 'no' END AS answer
FROM generate_series(1, 100) AS x;
SELECT metric, class, round(value::numeric, 6) AS value, n FROM churnops_evaluate('yes', 'answers');
SELECT metric, class, round(value::numeric, 6) AS value, n FROM churnops_evaluate('no', 'answers')
WHERE metric IN ('precision', 'recall', 'f1', 'roc_auc', 'average_precision');

-- The order of the rows is of no account
SELECT bool_and(a = b) AS equal FROM
	(SELECT row_number() OVER () AS i, * FROM churnops_evaluate('yes', 'SELECT * FROM answers ORDER BY x')) AS a JOIN
	(SELECT row_number() OVER () AS i, * FROM churnops_evaluate('yes', 'SELECT * FROM answers ORDER BY -x')) AS b USING (i);

-- A model that is not perfect, on its own data: what can be counted agrees
CREATE TABLE noisy AS
SELECT x, x * 7919 % 13 AS z, CASE WHEN x * 104729 % 100 < 30 + x * 7919 % 13 * 3 THEN 'yes' ELSE 'no' END AS answer
FROM generate_series(1, 500) AS x;
SET client_min_messages = warning;
SELECT ref FROM churnops_train('noisy', 'noisy', 'answer', '{"n_estimators": 5}', key => '{x}', test_size => 0.4);
RESET client_min_messages;
SELECT metric, class, n, abs(value - counted) < 1e-12 AS same FROM churnops_evaluate('noisy', 'noisy') AS e,
	LATERAL (SELECT CASE WHEN metric = 'accuracy' THEN avg((hit)::int)
			WHEN metric = 'precision' THEN avg(hit::int) FILTER (WHERE predicted = coalesce(class, 'yes'))
			WHEN metric = 'recall' THEN avg(hit::int) FILTER (WHERE answer = coalesce(class, 'yes'))
			WHEN metric = 'brier' THEN avg((p - (answer = 'yes')::int) ^ 2)
			WHEN metric = 'support' THEN count(*) FILTER (WHERE answer = class) END AS counted
		FROM (SELECT answer, churnops_predict('noisy', r) AS p, churnops_predict_class('noisy', r) AS predicted,
			answer = churnops_predict_class('noisy', r) AS hit FROM noisy AS r) AS r) AS c
WHERE counted IS NOT NULL;

-- Rows without a target do not count, unknown labels are wrong
SELECT metric, class, round(value::numeric, 6) AS value, n FROM churnops_evaluate('yes', $$
	SELECT x, answer FROM answers UNION ALL SELECT x, NULL FROM answers WHERE x <= 7 UNION ALL
	SELECT x, 'maybe' FROM answers WHERE x > 98 UNION ALL SELECT x, 'perhaps' FROM answers WHERE x < 3$$);
SELECT metric, class, round(value::numeric, 6) AS value, n FROM churnops_evaluate('thirds', $$
	SELECT x, 'low' AS third FROM generate_series(1, 40) AS x UNION ALL
	SELECT x, 'high' FROM generate_series(61, 90) AS x UNION ALL
	SELECT x, 'sky' FROM generate_series(1, 10) AS x$$);
SELECT metric, value FROM churnops_evaluate('yes', $$SELECT 1 AS x, 'maybe' AS answer$$)
WHERE metric IN ('accuracy', 'roc_auc', 'precision', 'recall') ORDER BY metric, class NULLS FIRST;

-- One class only: what is undefined is NULL
SELECT metric, value, n FROM churnops_evaluate('yes', $$SELECT x, 'no' AS answer FROM generate_series(1, 20) AS x$$)
WHERE class IS NULL AND metric IN ('accuracy', 'recall', 'roc_auc', 'ks', 'average_precision') ORDER BY metric;

-- Regression
SELECT metric, class, round(value::numeric, 6) AS value, n
FROM churnops_evaluate('tens', 'SELECT x, 10 * x + CASE WHEN x % 2 = 0 THEN 3 ELSE -3 END AS y FROM generate_series(1, 100) AS x');
SELECT metric, round(value::numeric, 6) AS value, n FROM churnops_evaluate('tens', 'SELECT 7 AS x, 70::numeric AS y');
SELECT metric, round(value::numeric, 6) AS value, n
FROM churnops_evaluate('tens', $$SELECT 7 AS x, y FROM unnest('{NaN, NULL, 70}'::float8[]) AS y$$);

-- Labels are the text form of values, whatever their type
SELECT metric, value FROM churnops_evaluate('flag', 'SELECT x, x > 50 AS flag FROM generate_series(1, 100) AS x') WHERE metric = 'accuracy';
SELECT metric, value FROM churnops_evaluate('flag', 'SELECT x, (x > 50)::text AS flag FROM generate_series(1, 100) AS x') WHERE metric = 'accuracy';
SELECT metric, value FROM churnops_evaluate('bit', 'SELECT x, (x > 50)::int::float8 AS bit FROM generate_series(1, 100) AS x') WHERE metric = 'accuracy';
SELECT metric, value FROM churnops_evaluate('bit', 'SELECT x, (x > 50)::int AS bit FROM generate_series(1, 100) AS x') WHERE metric = 'accuracy';
SELECT metric, value FROM churnops_evaluate('bit', 'SELECT x, (x > 50)::int::numeric(3, 2) AS bit FROM generate_series(1, 100) AS x') WHERE metric = 'accuracy';

-- Refused
SELECT * FROM churnops_evaluate('yes', 'SELECT 1 AS x');
SELECT * FROM churnops_evaluate('yes', $$SELECT 'yes' AS answer$$);
SELECT * FROM churnops_evaluate('yes', $$SELECT 'one' AS x, 'yes' AS answer$$);
SELECT * FROM churnops_evaluate('yes', $$SELECT x, answer FROM answers WHERE false$$);
SELECT * FROM churnops_evaluate('yes', $$SELECT 1 AS x, NULL AS answer$$);
SELECT * FROM churnops_evaluate('tens', $$SELECT 1 AS x, 'ten' AS y$$);
SELECT * FROM churnops_evaluate('tens', $$SELECT 1 AS x, 'Infinity'::float8 AS y$$);
SELECT * FROM churnops_evaluate('yes/2', 'answers');
SELECT * FROM churnops_evaluate('nobody', 'answers');
SELECT * FROM churnops_evaluate(NULL, 'answers');
SELECT * FROM churnops_evaluate('yes', NULL);
SELECT * FROM churnops_evaluate('yes', 'DELETE FROM noisy');

-- More than the setting allows
SET churnops.training_memory = '16MB';
SELECT metric FROM churnops_evaluate('tens', 'SELECT x, x AS y FROM generate_series(1, 3000000) AS x');
RESET churnops.training_memory;

SELECT churnops_drop_model(name) FROM churnops.models WHERE name IN ('yes', 'no', 'thirds', 'tens', 'flag', 'bit', 'noisy') ORDER BY name;
DROP TABLE noisy;
DROP VIEW answers;
