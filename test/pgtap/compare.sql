-- Comparison of versions: tests, verdicts, rows that one of them has seen, and what is refused
BEGIN;
\ir include/setup.sql
SELECT no_plan();

SET client_min_messages = warning;
CREATE ROLE churnops_alice;
GRANT CREATE ON SCHEMA public TO churnops_alice;
CREATE TABLE public.customers AS
SELECT i AS id, i % 300 AS household, timestamp '2020-01-01' + i * interval '1 hour' AS seen, (i * 7919 % 1000) / 100.0::float8 AS usage,
	(i * 104729 % 997) AS noise, CASE WHEN (i * 104729 % 997) < 100 + (i * 7919 % 1000) / 2 THEN 'yes' ELSE 'no' END AS churn
FROM generate_series(1, 1500) AS i;
GRANT SELECT ON public.customers TO churnops_alice;
SET ROLE churnops_alice;
SELECT ref FROM churnops_train('churn', 'customers', 'churn', '{"n_estimators": 20}', exclude => '{id,household,seen}');
SELECT ref FROM churnops_train('churn', 'customers', 'churn', '{"n_estimators": 20, "max_depth": 1}', exclude => '{id,household,seen}');
SELECT ref FROM churnops_train('churn', 'customers', 'churn', '{"n_estimators": 20}', exclude => '{id,household,seen}', split_seed => 1);
SELECT ref FROM churnops_train('churn', 'SELECT * FROM customers WHERE id > 100', 'churn', '{"n_estimators": 20}', exclude => '{id,household}', time_column => 'seen');
SELECT ref FROM churnops_train('churn', 'customers', 'churn', '{"n_estimators": 20}', exclude => '{id,seen}', key => '{household}');
SELECT ref FROM churnops_train('churn', 'customers', 'churn', '{"n_estimators": 20}', exclude => '{id,household,seen}', test_size => 0);
SELECT ref FROM churnops_train('churn', 'SELECT * FROM customers WHERE id > 100', 'churn', '{"n_estimators": 20}', exclude => '{id,household,seen}');
SELECT ref FROM churnops_train('usage', 'customers', 'usage', '{"n_estimators": 20}', exclude => '{seen}');
SELECT ref FROM churnops_train('usage', 'customers', 'usage', '{"n_estimators": 5, "max_depth": 2}', exclude => '{seen}');
RESET client_min_messages;

SELECT is_empty($$SELECT * FROM churnops_compare('churn/1', 'churn/2') AS c, churnops.versions AS v
	WHERE v.model = 'churn' AND v.version IN (1, 2) AND
		(v.metrics->'holdout'->>c.metric)::float8 IS DISTINCT FROM CASE v.version WHEN 1 THEN c.value_a ELSE c.value_b END$$,
	'without a query the values are those of the first one''s holdout');
SELECT is_empty($$SELECT * FROM churnops_compare('churn/1', 'churn/2', 'customers') WHERE difference IS DISTINCT FROM value_a - value_b
		OR difference NOT BETWEEN ci_low AND ci_high OR n <> 1500 OR p_value NOT BETWEEN 0 AND 1$$, 'differences lie in their intervals');
SELECT results_eq($$SELECT metric, test, margin, verdict FROM churnops_compare('churn/1', 'churn/2') WHERE metric IN ('accuracy', 'roc_auc', 'brier')$$,
	$$VALUES ('accuracy'::text, 'mcnemar_chi_square'::text, NULL::float8, NULL::text), ('roc_auc', 'delong', 0.005, 'superior'), ('brier', 'bootstrap', NULL, NULL)$$,
	'each metric has its test, one a verdict');
SELECT ok((SELECT abs(p_value - 2 * exp(-x * x / 2) / sqrt(2 * pi()) / x) < p_value * 1.5 / x / x FROM churnops_compare('churn/1', 'churn/2', 'customers'), (
		SELECT (abs(b - c) - 1) / sqrt((b + c)::float8) AS x FROM (SELECT
			count(*) FILTER (WHERE churnops_predict_class('churn/1', r) = churn AND churnops_predict_class('churn/2', r) <> churn) AS b,
			count(*) FILTER (WHERE churnops_predict_class('churn/1', r) <> churn AND churnops_predict_class('churn/2', r) = churn) AS c
		FROM customers AS r) AS counts) AS expected WHERE metric = 'accuracy'), 'McNemar counts who is right alone: within Mills'' bounds of the tail');
SELECT results_eq($$SELECT metric, p_value, test FROM churnops_compare('churn/1', 'churn/2', 'SELECT * FROM customers ORDER BY id LIMIT 20') WHERE metric = 'accuracy'$$,
	$$SELECT 'accuracy'::text, least(1, 2 * sum(p)), 'mcnemar_exact'::text FROM (SELECT
			count(*) FILTER (WHERE churnops_predict_class('churn/1', r) = churn AND churnops_predict_class('churn/2', r) <> churn)::int AS b,
			count(*) FILTER (WHERE churnops_predict_class('churn/1', r) <> churn AND churnops_predict_class('churn/2', r) = churn)::int AS c
		FROM customers AS r WHERE id <= 20) AS counts, LATERAL (SELECT (factorial(b + c) / factorial(k) / factorial(b + c - k))::float8 / 2 ^ (b + c) AS p
		FROM generate_series(0, least(b, c)) AS k) AS tail$$, 'and is exact for few of them');
SELECT is((SELECT test FROM churnops_compare('churn/1', 'churn/2', mid_p => true) WHERE metric = 'accuracy'), 'mcnemar_mid_p', 'or by mid-p');
SELECT results_eq($$SELECT metric, verdict, bound > 0 FROM churnops_compare('churn/1', 'churn/2', metric => 'log_loss') WHERE verdict IS NOT NULL$$,
	$$VALUES ('log_loss'::text, 'superior'::text, true)$$, 'less log loss is better');
SELECT is((SELECT verdict FROM churnops_compare('churn/2', 'churn/1') WHERE verdict IS NOT NULL), 'inferior', 'the other way round it is worse');
SELECT is((SELECT verdict FROM churnops_compare('churn/2', 'churn/1', margin => 0.9) WHERE verdict IS NOT NULL), 'non_inferior', 'by less than a large margin');
SELECT results_eq($$SELECT difference, ci_low, ci_high, p_value, bound, verdict FROM churnops_compare('churn/1', 'churn/1') WHERE metric = 'roc_auc'$$,
	$$VALUES (0::float8, 0::float8, 0::float8, 1::float8, 0::float8, 'non_inferior'::text)$$, 'a version is as good as itself');
SELECT results_eq($$SELECT metric, test, verdict FROM churnops_compare('usage/1', 'usage/2')$$,
	$$VALUES ('rmse'::text, 'bootstrap'::text, NULL::text), ('mae', 'bootstrap', NULL), ('r2', 'bootstrap', 'superior')$$, 'numbers');
SELECT set_eq($$SELECT c::text FROM churnops_compare('churn/1', 'churn/2', 'SELECT * FROM customers ORDER BY id') AS c$$,
	$$SELECT c::text FROM churnops_compare('churn/1', 'churn/2', 'SELECT * FROM customers ORDER BY noise, id') AS c$$, 'the order of the rows is of no account');
SELECT is((SELECT array_agg(DISTINCT test) FROM churnops_compare('churn/5', 'churn/1', 'customers')), '{cluster_bootstrap}'::text[], 'households are drawn as a whole');

-- Rows that the second version was trained on

SELECT ok((SELECT n BETWEEN 30 AND 100 FROM churnops_compare('churn/1', 'churn/3') WHERE metric = 'accuracy'), 'are left out, since another seed split them');
SELECT is((SELECT n FROM churnops_compare('churn/1', 'churn/3') WHERE metric = 'accuracy'), (SELECT n FROM churnops_compare('churn/3', 'churn/1') WHERE metric = 'accuracy'),
	'what neither has seen is the same from both sides');
SELECT is((SELECT n FROM churnops_compare('churn/1', 'churn/3', overlap => 'keep') WHERE metric = 'accuracy'),
	(SELECT n_test FROM churnops.versions WHERE model = 'churn' AND version = 1), 'or are kept');
SELECT throws_like($$SELECT churnops_compare('churn/1', 'churn/3', overlap => 'error')$$, 'version 3 of model "churn" was trained on % of the % rows of this holdout');
SELECT throws_like($$SELECT churnops_compare('churn/1', 'churn/6')$$, 'version 6 of model "churn" was trained on % of the % rows of this holdout', 'all of them: an error');
SELECT is((SELECT n FROM churnops_compare('churn/7', 'churn/1') WHERE metric = 'accuracy'), (SELECT n_test FROM churnops.versions WHERE model = 'churn' AND version = 7),
	'rows of a grown table stay on their side');
SELECT is((SELECT n FROM churnops_compare('churn/1', 'churn/4') WHERE metric = 'accuracy'), (SELECT n_test FROM churnops.versions WHERE model = 'churn' AND version = 1),
	'of other data split by time nothing is known');
SELECT is((SELECT string_agg(DISTINCT ci_low || ' to ' || ci_high, ', ') FROM churnops_compare('churn/1', 'churn/1')), '0 to 0',
	'a version differs from itself by 0, not by -0');

-- Refusals

SELECT throws_ok($$SELECT churnops_compare('churn/1', 'usage/1')$$, '22023', 'version 1 of model "churn" and version 1 of model "usage" cannot be compared');
SELECT throws_ok($$SELECT churnops_compare('churn/1', 'churn/2', metric => 'rmse')$$, '22023', 'argument "metric" is "rmse", which these versions do not have');
SELECT throws_ok($$SELECT churnops_compare('churn/1', 'churn/2', margin => -1)$$, '22023', 'argument "margin" is -1, a number of at least 0 is required');
SELECT throws_ok($$SELECT churnops_compare('churn/1', 'churn/2', margin => 'NaN')$$, '22023', 'argument "margin" is NaN, a number of at least 0 is required');
SELECT throws_ok($$SELECT churnops_compare('churn/1', 'churn/2', overlap => 'drop')$$, '22023', 'argument "overlap" is "drop"');
SELECT throws_ok($$SELECT churnops_compare('churn/1', 'churn/2', confidence => 1.5)$$, '22023', 'argument "confidence" is 1.5, a number between 0 and 1 is required');
SELECT throws_ok($$SELECT churnops_compare('churn/1', NULL)$$, '22004', 'argument "ref_b" must not be null');
SELECT throws_ok($$SELECT churnops_compare('churn/1', 'churn/2', confidence => NULL)$$, '22004', 'argument "confidence" must not be null');
SELECT throws_ok($$SELECT churnops_compare('churn/6', 'churn/2')$$, '55000', 'version 6 of model "churn" has no holdout');
SELECT throws_ok($$SELECT churnops_compare('churn/1', 'churn/20')$$, '42704', NULL, 'a version that is not there');

SELECT * FROM finish();
ROLLBACK;
