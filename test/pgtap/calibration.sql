-- Calibration: a training parameter, what it does to every way of scoring, and what is refused
BEGIN;
\ir include/setup.sql
SELECT no_plan();

SET client_min_messages = warning;
CREATE TABLE public.customers AS
SELECT i AS id, (i * 7919 % 1000) / 100.0::float8 AS usage, (i * 31 % 97)::float8 AS a, (i * 57 % 89)::float8 AS b,
	CASE WHEN hashint4(i)::bigint + 2147483648 < 429496729 * (2 + (i * 7919 % 1000) / 250.0) THEN 'yes' ELSE 'no' END AS churn,
	(ARRAY['low', 'middle', 'high'])[1 + ((hashint4(i + 7)::bigint + 2147483648) / 2147483648.0 + (i * 7919 % 1000) / 2000.0)::int] AS rate
FROM generate_series(1, 3000) AS i;

SELECT ref FROM churnops_train('bare', 'SELECT usage, a, b, churn FROM customers', 'churn', '{"n_estimators": 40}');
SELECT ref FROM churnops_train('sigmoid', 'SELECT usage, a, b, churn FROM customers', 'churn', '{"n_estimators": 40, "calibration": "sigmoid"}');
SELECT ref FROM churnops_train('isotonic', 'SELECT usage, a, b, churn FROM customers', 'churn', '{"n_estimators": 40, "calibration": "isotonic"}');
SELECT ref FROM churnops_train('bare3', 'SELECT usage, a, b, rate FROM customers', 'rate', '{"n_estimators": 40}');
SELECT ref FROM churnops_train('sigmoid3', 'SELECT usage, a, b, rate FROM customers', 'rate', '{"n_estimators": 40, "calibration": "sigmoid"}');
SELECT ref FROM churnops_train('isotonic3', 'SELECT usage, a, b, rate FROM customers', 'rate', '{"n_estimators": 40, "calibration": "isotonic"}');
SELECT ref FROM churnops_train('none', 'SELECT usage, a, b, churn FROM customers', 'churn', '{"n_estimators": 40, "calibration": null}');
RESET client_min_messages;

SELECT is((SELECT artifact_digest FROM churnops.versions WHERE model = 'none'), (SELECT artifact_digest FROM churnops.versions WHERE model = 'bare'), 'null is none');
SELECT ok((SELECT NOT params ? 'calibration' FROM churnops.versions WHERE model = 'bare'), 'parameters of others are as they were');
SELECT is((SELECT array_agg(params->>'calibration' ORDER BY model) FROM churnops.versions WHERE params ? 'calibration'), '{isotonic,isotonic,sigmoid,sigmoid}'::text[], 'it is a parameter');
SELECT is_empty($$SELECT * FROM churnops.versions AS v, churnops_reproduce(v.model) AS r WHERE NOT r.reproduced$$, 'every version is reproduced byte for byte');

-- What it does

CREATE TEMPORARY VIEW scored AS
SELECT c.*, churnops_predict('bare', c) AS raw, churnops_predict('sigmoid', c) AS s, churnops_predict('isotonic', c) AS i FROM customers AS c;
SELECT is_empty($$SELECT * FROM (SELECT raw, s, lag(s) OVER w AS before, i, lag(i) OVER w AS i_before, lag(raw) OVER w AS raw_before FROM scored WINDOW w AS (ORDER BY raw)) AS o
	WHERE s < before OR i < i_before OR (raw = raw_before AND (s <> before OR i <> i_before))$$, 'probabilities rise with scores');
SELECT ok((SELECT max(abs(ln(s / (1 - s)) - intercept - slope * raw)) < 1e-9 FROM scored, (SELECT regr_slope(ln(s / (1 - s)), raw) AS slope,
	regr_intercept(ln(s / (1 - s)), raw) AS intercept FROM scored) AS line), 'the sigmoid is one: its log odds are a line of the score');
SELECT ok((SELECT bool_and(i BETWEEN 0 AND 1 AND s BETWEEN 0 AND 1) FROM scored), 'they are probabilities');
SELECT ok((SELECT max((v.metrics->'holdout'->>'log_loss')::float8) < min((b.metrics->'holdout'->>'log_loss')::float8)
	FROM churnops.versions AS v, churnops.versions AS b WHERE v.model IN ('sigmoid', 'isotonic') AND b.model = 'bare'), 'and better ones, on the holdout');
SELECT ok((SELECT max((v.metrics->'holdout'->>'log_loss')::float8) < min((b.metrics->'holdout'->>'log_loss')::float8)
	FROM churnops.versions AS v, churnops.versions AS b WHERE v.model IN ('sigmoid3', 'isotonic3') AND b.model = 'bare3'), 'of three classes too');
SELECT is((SELECT metrics->'holdout'->>'roc_auc' FROM churnops.versions WHERE model = 'sigmoid'), (SELECT metrics->'holdout'->>'roc_auc' FROM churnops.versions WHERE model = 'bare'),
	'a sigmoid does not change the ranking');
SELECT is((SELECT metrics->'calibration' FROM churnops.versions WHERE model = 'bare'), NULL, 'nothing is said where there is none');
SELECT results_eq($$SELECT v.metrics->'calibration'->>'method', v.metrics->'calibration'->>'n_rows', v.metrics->'calibration'->'oob_before'->>'log_loss', v.metrics->'calibration'->'oob_before'->>'brier'
	FROM churnops.versions AS v WHERE v.model = 'sigmoid'$$, $$SELECT 'sigmoid', n_train::text, metrics->'oob'->>'log_loss', metrics->'oob'->>'brier' FROM churnops.versions WHERE model = 'bare'$$,
	'what was calibrated, and how good it was before');
SELECT ok((SELECT bool_and(abs(e.value - (v.metrics->'holdout'->>e.metric)::float8) < 1e-15) FROM churnops.versions AS v, churnops_evaluate(v.model) AS e
	WHERE v.params ? 'calibration' AND e.class IS NULL), 'evaluation is of calibrated probabilities');

-- Every way of scoring gives the same

SELECT is_empty($$SELECT * FROM customers AS c, LATERAL (SELECT churnops_predict('isotonic', c) AS p) AS one
	WHERE p IS DISTINCT FROM (churnops_predict_proba('isotonic', c)->>'yes')::float8 OR p IS DISTINCT FROM churnops_predict('isotonic', to_jsonb(c))
		OR p IS DISTINCT FROM churnops_predict('isotonic', ARRAY[usage, a, b]) OR (p >= 0.5) IS DISTINCT FROM (churnops_predict_class('isotonic', c) = 'yes')$$, 'for one row');
SELECT is_empty($$SELECT churnops_predict('isotonic', c) FROM customers AS c EXCEPT SELECT prediction FROM churnops_score('isotonic', 'customers')$$, 'in blocks');
SELECT is_empty($$SELECT * FROM customers AS c, LATERAL (SELECT sum(value::float8) AS total, (array_agg(key ORDER BY value::float8 DESC))[1] AS largest
		FROM jsonb_each_text(churnops_predict_proba('isotonic3', c))) AS p WHERE abs(total - 1) > 1e-12 OR largest <> churnops_predict_class('isotonic3', c)$$,
	'three classes add up to 1');
CREATE TEMPORARY TABLE serial AS SELECT id, churnops_predict('sigmoid', c) AS s, churnops_predict('isotonic', c) AS i FROM customers AS c;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SELECT ok((SELECT bool_and(p.s = serial.s AND p.i = serial.i) FROM (SELECT id, churnops_predict('sigmoid', c) AS s, churnops_predict('isotonic', c) AS i FROM customers AS c) AS p JOIN serial USING (id)),
	'and in parallel');

-- Refusals and warnings

SELECT throws_ok($$SELECT churnops_train('bare', 'SELECT usage, a, b, churn FROM customers', 'churn', '{"calibration": "platt"}')$$, '22023', 'parameter "calibration" is "platt"');
SELECT throws_ok($$SELECT churnops_train('bare', 'SELECT usage, a, b, churn FROM customers', 'churn', '{"calibration": "sigmoid", "bootstrap": false}')$$, '22023',
	'parameter "calibration" needs "bootstrap"');
SELECT throws_ok($$SELECT churnops_train('bare', 'SELECT usage, a, b, churn FROM customers', 'churn', '{"calibration": "sigmoid", "splitter": "random"}')$$, '22023',
	'parameter "calibration" needs "bootstrap"', 'which random splits do without');
SELECT throws_ok($$SELECT churnops_train('number', 'SELECT usage, a, b FROM customers', 'b', '{"calibration": "sigmoid"}')$$, '22023', 'parameter "calibration" in a regression');
SELECT throws_ok($$SELECT churnops_train('bare', 'SELECT usage, a, b, churn FROM customers', 'churn', '{"calibrations": "sigmoid"}')$$, '22023', 'unrecognized parameter "calibrations"');
SET client_min_messages = warning;
SELECT ok((SELECT metrics->'warnings' ? 'isotonic calibration on 500 rows, fewer than 1000: it follows chance'
	FROM churnops_train('few', 'SELECT usage, a, b, churn FROM customers LIMIT 500', 'churn', '{"n_estimators": 40, "calibration": "isotonic"}', test_size => 0)),
	'few rows for an isotonic regression are a warning');
SELECT is((SELECT metrics->'warnings' FROM churnops_train('few', 'SELECT usage, a, b, churn FROM customers LIMIT 500', 'churn', '{"n_estimators": 40, "calibration": "sigmoid"}', test_size => 0)),
	'[]', 'not for a sigmoid');
SELECT ok((SELECT (metrics->'holdout'->>'log_loss')::float8 < 1 FROM churnops_train('weighted', 'SELECT usage, a, b, churn, id % 3 AS w FROM customers', 'churn',
	'{"n_estimators": 40, "calibration": "isotonic", "class_weight": "balanced"}', weight => 'w', positive_class => 'no')), 'weights, and the other positive class');

SELECT * FROM finish();
ROLLBACK;
