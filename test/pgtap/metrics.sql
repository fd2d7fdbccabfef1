-- Metric aggregates: values by hand, GROUP BY, FILTER, windows, types of labels,
-- NULLs, nothing, and every refusal
BEGIN;
\ir include/setup.sql
SELECT no_plan();

CREATE DOMAIN score AS float8;
CREATE TYPE answer AS ENUM ('stay', 'leave');
CREATE TABLE t2 (y boolean, s float8);
INSERT INTO t2 SELECT * FROM unnest('{f,f,t,t,f,t,f,t,t,f}'::boolean[], '{.1,.4,.35,.8,.4,.4,.2,.9,.7,.6}'::float8[]);

-- A number in a few digits
CREATE FUNCTION pg_temp.r(x float8) RETURNS numeric LANGUAGE sql RETURN round(x::numeric, 10);

-- Two-class scores

SELECT is(pg_temp.r(churnops_roc_auc(y, s)), 0.8, 'ROC AUC') FROM t2;
SELECT is(pg_temp.r(churnops_gini(y, s)), 0.6, 'Gini') FROM t2;
SELECT is(pg_temp.r(churnops_average_precision(y, s)), 0.8392857143, 'average precision') FROM t2;
SELECT is(pg_temp.r(churnops_ks(y, s)), 0.6, 'KS') FROM t2;
SELECT is(churnops_ks_threshold(y, s), 0.7::float8, 'KS at a score') FROM t2;
SELECT is(pg_temp.r(churnops_log_loss(y, s)), 0.4917737914, 'log loss') FROM t2;
SELECT is(pg_temp.r(churnops_brier(y, s)), 0.16525, 'Brier score') FROM t2;
SELECT is(pg_temp.r(churnops_brier_skill(y, s)), 1 - 0.16525 / 0.25, 'Brier skill') FROM t2;
SELECT is(pg_temp.r(churnops_lift(y, s)), 2.0, 'lift of a tenth') FROM t2;
SELECT is(pg_temp.r(churnops_lift(y, s, 0.5)), 1.3333333333, 'lift of a half, through ties') FROM t2;
SELECT is(pg_temp.r(churnops_ece(y, s, 5, 'uniform')), 0.195, 'ECE of 5 bins of equal width') FROM t2;
SELECT is(pg_temp.r(churnops_mce(y, s, 5, 'uniform')), 0.6, 'MCE of 5 bins of equal width') FROM t2;
SELECT is(pg_temp.r(churnops_ece(y, s)), pg_temp.r(churnops_ece(y, s, 15, 'quantile')), 'ECE: 15 bins of equal numbers of rows') FROM t2;
SELECT is(churnops_ece(y, s, 4), churnops_ece(y, s, 4, 'quantile'), 'of n bins, too') FROM t2;

-- Hard predictions

SELECT is(pg_temp.r(churnops_accuracy(y, s >= 0.5)), 0.7, 'accuracy') FROM t2;
SELECT is(pg_temp.r(churnops_balanced_accuracy(y, s >= 0.5)), 0.7, 'balanced accuracy') FROM t2;
SELECT is(pg_temp.r(churnops_precision(y, s >= 0.5)), 0.75, 'precision') FROM t2;
SELECT is(pg_temp.r(churnops_recall(y, s >= 0.5)), 0.6, 'recall') FROM t2;
SELECT is(pg_temp.r(churnops_specificity(y, s >= 0.5)), 0.8, 'specificity') FROM t2;
SELECT is(pg_temp.r(churnops_f1(y, s >= 0.5)), 0.6666666667, 'F1') FROM t2;
SELECT is(pg_temp.r(churnops_f1(y, s >= 0.5, 'macro')), 0.6969696970, 'macro F1') FROM t2;
SELECT is(pg_temp.r(churnops_f1(y, s >= 0.5, 'binary', 'false')), 0.7272727273, 'F1 of the other class') FROM t2;
SELECT is(pg_temp.r(churnops_fbeta(y, s >= 0.5, 2)), 0.625, 'F2') FROM t2;
SELECT is(pg_temp.r(churnops_mcc(y, s >= 0.5)), 0.4082482905, 'MCC') FROM t2;
SELECT is(pg_temp.r(churnops_cohen_kappa(y, s >= 0.5)), 0.4, 'kappa') FROM t2;
SELECT is(pg_temp.r(churnops_precision(y, s >= 0.5, 'micro')), 0.7, 'micro precision is the accuracy') FROM t2;
SELECT results_eq(
	'SELECT * FROM unnest((SELECT churnops_confusion(y, s >= 0.5) FROM t2))',
	$$VALUES ('false', 'false', 4::float8), ('false', 'true', 1), ('true', 'false', 2), ('true', 'true', 3)$$,
	'confusion matrix');
SELECT results_eq(
	$$SELECT * FROM unnest((SELECT churnops_confusion(a, b) FROM (VALUES (10, 10), (9, 10), (-1, 9)) AS v(a, b)))$$,
	$$VALUES ('-1', '-1', 0::float8), ('-1', '9', 1), ('-1', '10', 0), ('9', '-1', 0), ('9', '9', 0), ('9', '10', 1),
		('10', '-1', 0), ('10', '9', 0), ('10', '10', 1)$$,
	'numbers are in the order of numbers');
-- In the order -1, 9, 10 the distances are 1, 0 and 2; by chance (4 + 1 + 2) / 3.
SELECT is(pg_temp.r(churnops_cohen_kappa(a, b, 'linear')), round(1 - 3 / (7 / 3.0), 10), 'kappa weighs the distance in the order of numbers')
FROM (VALUES (10, 9), (9, 9), (-1, 10)) AS v(a, b);

-- Errors of numbers

CREATE TABLE numbers (t float8, x float8, w float8);
INSERT INTO numbers VALUES (1, 1.5, 1), (2, 2, 2), (3, 2, 0), (4, 5, 0.5);
SELECT is(pg_temp.r(churnops_mse(t, x)), 0.5625, 'MSE') FROM numbers;
SELECT is(pg_temp.r(churnops_rmse(t, x)), 0.75, 'RMSE') FROM numbers;
SELECT is(pg_temp.r(churnops_mae(t, x)), 0.625, 'MAE') FROM numbers;
SELECT is(pg_temp.r(churnops_median_ae(t, x)), 0.75, 'median absolute error') FROM numbers;
SELECT is(pg_temp.r(churnops_r2(t, x)), 0.55, 'R²') FROM numbers;
SELECT is(pg_temp.r(churnops_mape(t, x)), 0.2708333333, 'MAPE') FROM numbers;
SELECT is(pg_temp.r(churnops_smape(t, x)), 0.2555555556, 'sMAPE') FROM numbers;
SELECT is(pg_temp.r(churnops_wape(t, x)), 0.25, 'WAPE') FROM numbers;
SELECT is(pg_temp.r(churnops_rmsle(t, x)), round(sqrt((ln(2.5 / 2)^2 + ln(4 / 3.0)^2 + ln(6 / 5.0)^2) / 4), 10), 'RMSLE') FROM numbers;
SELECT is(churnops_msle(t, x), churnops_rmsle(t, x)^2, 'MSLE') FROM numbers WHERE t < 2;
SELECT is(pg_temp.r(churnops_pinball(t, x, 0.3)), 0.3375, 'pinball') FROM numbers;
SELECT is(pg_temp.r(churnops_poisson_deviance(t, x)),
	round((2 * (ln(1 / 1.5) + 0.5) + 2 * (3 * ln(1.5) - 1) + 2 * (4 * ln(0.8) + 1)) / 4, 10), 'Poisson deviance') FROM numbers;
SELECT is(churnops_r2(1e9 + t, 1e9 + x), 0.55::float8, 'R² far from 0 is exact') FROM numbers;

-- Weights: a weight of 2 is two rows

CREATE TABLE weighed AS SELECT y, s, (1 + row_number() OVER () % 3)::float8 AS w FROM t2;
CREATE VIEW repeated AS SELECT y, s FROM weighed, generate_series(1, w::int);
SELECT is((SELECT churnops_roc_auc(y, s, w) FROM weighed), churnops_roc_auc(y, s), 'weights: ROC AUC') FROM repeated;
SELECT is(pg_temp.r((SELECT churnops_log_loss(y, s, w) FROM weighed)), pg_temp.r(churnops_log_loss(y, s)), 'weights: log loss') FROM repeated;
SELECT is((SELECT churnops_brier_skill(y, s, w) FROM weighed), churnops_brier_skill(y, s), 'weights: Brier skill') FROM repeated;
SELECT is((SELECT churnops_lift(y, s, 0.3, w) FROM weighed), churnops_lift(y, s, 0.3), 'weights: lift') FROM repeated;
SELECT is((SELECT churnops_f1(y, s >= 0.5, 'weighted', w) FROM weighed), churnops_f1(y, s >= 0.5, 'weighted'), 'weights: F1') FROM repeated;
SELECT is((SELECT churnops_roc_curve(y, s, w) FROM weighed), churnops_roc_curve(y, s), 'weights: ROC curve') FROM repeated;
SELECT is((SELECT churnops_lift_table(y, s, w) FROM weighed)::text, churnops_lift_table(y, s)::text, 'weights: lift table') FROM repeated;
SELECT is((SELECT churnops_lift_table(y, s, 3, w) FROM weighed)::text, churnops_lift_table(y, s, 3)::text, 'weights: lift table of n groups') FROM repeated;
SELECT is((SELECT churnops_ece(y, s, 4, 'uniform', w) FROM weighed), churnops_ece(y, s, 4, 'uniform'), 'weights: ECE') FROM repeated;
SELECT is((SELECT churnops_calibration_curve(y, s, 3, w) FROM weighed), churnops_calibration_curve(y, s, 3), 'weights: calibration curve') FROM repeated;
SELECT is((SELECT churnops_threshold(y, s, '"emp"', w) FROM weighed), churnops_threshold(y, s, '"emp"'), 'weights: threshold') FROM repeated;
SELECT is((SELECT churnops_mae(s, 0.5, w) FROM weighed), churnops_mae(s, 0.5), 'weights: MAE') FROM repeated;

-- Probabilities of several classes

CREATE TABLE proba (y text, p jsonb);
INSERT INTO proba VALUES ('a', '{"a": 0.5, "b": 0.3, "c": 0.2}'), ('b', '{"a": 0.2, "b": 0.6, "c": 0.2}'),
	('c', '{"a": 0.3, "b": 0.3, "c": 0.4}'), ('a', '{"a": 0.2, "b": 0.3, "c": 0.5}');
SELECT is(pg_temp.r(churnops_log_loss(y, p)), 0.9324253622, 'log loss of three classes') FROM proba;
SELECT is(pg_temp.r(churnops_brier(y, p)), 0.535, 'Brier score of three classes') FROM proba;
SELECT is(pg_temp.r(churnops_roc_auc(y, p)), 0.7638888889, 'macro ROC AUC') FROM proba;
SELECT is(pg_temp.r(churnops_roc_auc(y, p, 'weighted')), 0.7291666667, 'weighted ROC AUC') FROM proba;
SELECT is(pg_temp.r(churnops_average_precision(y, p)), 0.75, 'macro average precision') FROM proba;
SELECT is(churnops_roc_auc(y, p, 2.0), churnops_roc_auc(y, p), 'equal weights change nothing') FROM proba;
SELECT is(pg_temp.r(churnops_brier(y, jsonb_build_object('true', s::numeric, 'false', 1 - s::numeric))), 2 * 0.16525,
	'two classes as probabilities: twice the Brier score') FROM t2;

-- Labels of all types

SELECT is(churnops_roc_auc(y::int, s), 0.8::float8, 'labels 0 and 1') FROM t2;
SELECT is(churnops_roc_auc(y::int::smallint, s::real), churnops_roc_auc(y::int::bigint, s::real), 'of any width') FROM t2;
SELECT is(churnops_roc_auc(y::int::numeric, s), 0.8::float8, 'of type numeric') FROM t2;
SELECT is(churnops_roc_auc(y::int::float8, s::score), 0.8::float8, 'of a float type; scores of a domain') FROM t2;
SELECT is(churnops_roc_auc(CASE WHEN y THEN 'Yes' ELSE 'no' END, s), 0.8::float8, 'yes and no') FROM t2;
SELECT is(churnops_roc_auc(CASE WHEN y THEN 'leaves' ELSE 'stays' END, s, 'leaves'), 0.8::float8, 'a named class') FROM t2;
SELECT is(churnops_roc_auc((CASE WHEN y THEN 'leave' ELSE 'stay' END)::answer, s, 'leave'), 0.8::float8, 'of an enum') FROM t2;
SELECT is(churnops_roc_auc((CASE WHEN y THEN 'a' ELSE 'b' END)::char(5), s, 'a'), 0.8::float8, 'of char(n)') FROM t2;
SELECT is(churnops_roc_auc(CASE WHEN y THEN 7 ELSE 8 END, s, '7'), 0.8::float8, 'of numbers') FROM t2;
SELECT is(churnops_roc_auc(y, s, 'true'), 0.8::float8, 'of booleans') FROM t2;
SELECT is(pg_temp.r(churnops_roc_auc(y, s, 'false')), 0.2, 'the other one') FROM t2;
SELECT is(churnops_accuracy(y, CASE WHEN s >= 0.5 THEN 'true' ELSE 'false' END), 0.7::float8, 'a label and its text') FROM t2;
SELECT is(churnops_f1(y::int, (s >= 0.5)::int), churnops_f1(y, s >= 0.5), 'F1 of 0 and 1') FROM t2;
SELECT is(churnops_f1(CASE WHEN y THEN 'y' ELSE 'n' END, CASE WHEN s >= 0.5 THEN 'y' ELSE 'n' END), churnops_f1(y, s >= 0.5), 'F1 of y and n') FROM t2;
SELECT is(churnops_accuracy(i, i % 12), 0.12::float8, 'many classes') FROM generate_series(0, 99) AS i;

-- GROUP BY, FILTER, windows, several at once

SELECT results_eq(
	$$SELECT g, churnops_roc_auc(y, s) FROM (SELECT g, y, s FROM t2, generate_series(1, 3) AS g
		UNION ALL SELECT 4, true, 0.5) AS v GROUP BY g ORDER BY g$$,
	$$VALUES (1, 0.8::float8), (2, 0.8), (3, 0.8), (4, NULL)$$, 'GROUP BY');
SELECT is(churnops_roc_auc(y, s) FILTER (WHERE s < 0.5), 0.625::float8, 'FILTER') FROM t2;
SELECT is(churnops_roc_auc(DISTINCT y, s), (SELECT churnops_roc_auc(y, s) FROM (SELECT DISTINCT y, s FROM t2) AS d), 'DISTINCT') FROM t2;
SELECT results_eq(
	'SELECT churnops_roc_auc(y, s) OVER w, churnops_f1(y, s >= 0.5) OVER w, churnops_rmse(s, 0) OVER w FROM t2 WINDOW w AS (ORDER BY s, y)',
	$$SELECT (SELECT churnops_roc_auc(y, s) FROM t2 WHERE (s, y) <= (o.s, o.y)),
		(SELECT churnops_f1(y, s >= 0.5) FROM t2 WHERE (s, y) <= (o.s, o.y)),
		(SELECT churnops_rmse(s, 0) FROM t2 WHERE (s, y) <= (o.s, o.y)) FROM t2 AS o ORDER BY s, y$$,
	'running windows');
SELECT is(concat_ws(' ', churnops_roc_auc(y, s), round(churnops_lift(y, s)::numeric, 10), round(churnops_ks(y, s)::numeric, 10), cardinality(churnops_roc_curve(y, s))),
	'0.8 2.0000000000 0.6000000000 7', 'several aggregates of the same rows') FROM t2;

-- NULLs are left out; nothing is NULL

SELECT is(churnops_roc_auc(y, s, w), 0.8::float8, 'rows with a NULL are left out')
FROM (SELECT y, s, 1 AS w FROM t2 UNION ALL VALUES (NULL::boolean, 0.5, 1), (true, NULL, 1), (true, 0.1, NULL)) AS v;
SELECT is(churnops_f1(y, h), churnops_f1(y, h) FILTER (WHERE h IS NOT NULL), 'also of hard predictions')
FROM (SELECT y, s >= 0.5 AS h FROM t2 UNION ALL VALUES (true, NULL::boolean)) AS v;
SELECT is(churnops_mae(t, nullif(x, 2)), churnops_mae(t, x) FILTER (WHERE x <> 2), 'and of numbers') FROM numbers;
SELECT is(churnops_roc_auc(y, s, 0), NULL, 'rows of weight 0 do not count') FROM t2;
SELECT is(num_nonnulls(churnops_roc_auc(y, s), churnops_log_loss(y, s), churnops_brier_skill(y, s), churnops_f1(y, y),
	churnops_accuracy(y, y), churnops_cohen_kappa(y, y), churnops_r2(s, s), churnops_median_ae(s, s), churnops_ece(y, s),
	churnops_roc_curve(y, s), churnops_lift_table(y, s), churnops_threshold(y, s, '"f1"'), churnops_confusion(y, y),
	churnops_calibration_curve(y, s), churnops_roc_auc('a'::text, '{}'::jsonb)), 0, 'of no rows all are NULL')
FROM t2 WHERE false;
SELECT is(num_nonnulls(churnops_roc_auc(y, s), churnops_gini(y, s), churnops_ks(y, s), churnops_brier_skill(y, s),
	churnops_cohen_kappa(y, y), churnops_r2(1, s), churnops_roc_curve(y, s), churnops_threshold(y, s, '"mcc"')), 0,
	'of one class what needs two is NULL') FROM t2 WHERE y;
SELECT is(ARRAY[churnops_precision(y, false), churnops_recall(false, y), churnops_f1(false, false), churnops_mcc(y, false)], '{0,0,0,0}'::float8[],
	'what has nothing below its fraction is 0, as in scikit-learn') FROM t2;

-- Curves

SELECT results_eq(
	'SELECT * FROM unnest((SELECT churnops_roc_curve(y, s) FROM t2))',
	$$VALUES ('Infinity'::float8, 0::float8, 0::float8), (0.9, 0, 0.2), (0.7, 0, 0.6), (0.6, 0.2, 0.6), (0.4, 0.6, 0.8), (0.35, 0.6, 1), (0.1, 1, 1)$$,
	'ROC curve');
SELECT results_eq(
	'SELECT threshold, recall, round(precision::numeric, 4) FROM unnest((SELECT churnops_precision_recall_curve(y, s) FROM t2))',
	$$VALUES (0.1::float8, 1::float8, 0.5000), (0.2, 1, 0.5556), (0.35, 1, 0.625), (0.4, 0.8, 0.5714), (0.6, 0.6, 0.75), (0.7, 0.6, 1), (0.8, 0.4, 1), (0.9, 0.2, 1), ('Infinity', 0, 1)$$,
	'precision-recall curve');
SELECT results_eq(
	'SELECT bin, n, round(prob_pred::numeric, 4), prob_true FROM unnest((SELECT churnops_calibration_curve(y, s) FROM t2))',
	$$VALUES (1, 2::float8, 0.1500, 0::float8), (2, 4, 0.3875, 0.5), (3, 1, 0.6, 0), (4, 2, 0.75, 1), (5, 1, 0.9, 1)$$,
	'calibration curve of 5 bins');
SELECT results_eq(
	$$SELECT bin, low, high, n FROM unnest((SELECT churnops_calibration_curve(y, s, 2, 'quantile') FROM t2))$$,
	'VALUES (1, 0.1::float8, 0.4::float8, 6::float8), (2, 0.4, 0.9, 4)', 'calibration curve between quantiles');
SELECT results_eq(
	'SELECT grp, high, low, n, round(positives::numeric, 4), round(rate::numeric, 4), round(cumulative_gain::numeric, 4), round(cumulative_lift::numeric, 4)
	FROM unnest((SELECT churnops_lift_table(y, s, 4) FROM t2))',
	$$VALUES (1, 0.9::float8, 0.7::float8, 3::float8, 3.0000, 1.0000, 0.6000, 2.0000), (2, 0.6, 0.4, 2, 0.3333, 0.1667, 0.6667, 1.3333),
		(3, 0.4, 0.35, 3, 1.6667, 0.5556, 1, 1.25), (4, 0.2, 0.1, 2, 0, 0, 1, 1)$$,
	'lift table');
SELECT is(count(*)::int, 10, 'lift table: ten groups') FROM unnest((SELECT churnops_lift_table(y, s) FROM t2));

-- Choice of a threshold

CREATE FUNCTION pg_temp.chosen(rule jsonb) RETURNS text LANGUAGE sql RETURN
	(SELECT concat_ws(' ', (c).threshold, round((c).value::numeric, 4), (c).tp, (c).fp, (c).fn, (c).tn) FROM (SELECT churnops_threshold(y, s, rule) FROM t2) AS v(c));
SELECT is(pg_temp.chosen('"f1"'), '0.35 0.7692 5 3 0 2', 'F1');
SELECT is(pg_temp.chosen('{"rule": "f1"}'), '0.35 0.7692 5 3 0 2', 'a rule as an object');
SELECT is(pg_temp.chosen('{"rule": "fbeta", "beta": 2}'), '0.35 0.8929 5 3 0 2', 'F2');
SELECT is(pg_temp.chosen('"mcc"'), '0.7 0.6547 3 0 2 5', 'MCC');
SELECT is(pg_temp.chosen('"youden"'), '0.7 0.6000 3 0 2 5', 'Youden');
SELECT is(pg_temp.chosen('"accuracy"'), '0.7 0.8000 3 0 2 5', 'accuracy');
SELECT is(pg_temp.chosen('{"rule": "cost", "fp": 1, "fn": 4}'), '0.2 0.4000 5 4 0 1', 'cost, of right probabilities');
SELECT is(pg_temp.chosen('{"rule": "cost", "fp": 1, "fn": 4, "calibrated": false}'), '0.35 0.3000 5 3 0 2', 'cost, on these rows');
SELECT is(pg_temp.chosen('{"rule": "capacity", "k": 6}'), '0.6 4.0000 3 1 2 4', 'capacity: a tied block that does not fit is left out');
SELECT is(pg_temp.chosen('{"rule": "capacity", "share": 0.2}'), '0.8 2.0000 2 0 3 5', 'capacity as a share');
SELECT is(pg_temp.chosen('{"rule": "recall", "at_least": 0.8}'), '0.4 0.8000 4 3 1 2', 'recall');
SELECT is(pg_temp.chosen('{"rule": "precision", "at_least": 0.7}'), '0.7 1.0000 3 0 2 5', 'precision');
SELECT is(pg_temp.chosen('"profit"'), '0.35 24.7000 5 3 0 2', 'maximum profit');
SELECT is(pg_temp.chosen('{"rule": "profit", "clv": 20, "d": 10, "f": 1, "gamma": 0.2}'), '0.7 0.3000 3 0 2 5', 'of customers who are worth less');
SELECT is(pg_temp.chosen('{"rule": "profit", "clv": 12}'), 'Infinity 0.0000 0 0 5 5', 'of customers who are not worth it');
SELECT is(pg_temp.chosen('"emp"'), '0.35 24.7033 5 3 0 2', 'expected maximum profit');
SELECT is(round((churnops_threshold(y, s, '"emp"')).expected_share::numeric, 10), 0.7971203204, 'and its share') FROM t2;
SELECT is(churnops_threshold(y, s, '"f1"', 'false'), churnops_threshold(NOT y, s, '"f1"'), 'of a named class') FROM t2;
SELECT is(churnops_threshold(y, s, '{"rule": "precision", "at_least": 1}'), NULL, 'a rule that cannot be met') FROM t2 WHERE NOT y;

SELECT is(churnops_target_profit(0.5, 200), 22.5::float8, 'profit of a customer');
SELECT is(churnops_target_profit(0.1, 100, d => 5, f => 2, gamma => 0.5), 0.1 * 0.5 * 95 - 0.9 * 5 - 2::float8, 'by other figures');
SELECT is(churnops_target_profit(NULL, 200), NULL, 'of an unknown chance');
SELECT throws_ok('SELECT churnops_target_profit(1.5, 200)', '22023', 'p is 1.5, a number from 0 to 1 is required');
SELECT throws_ok('SELECT churnops_target_profit(0.5, 1e308, gamma => 2)', '22023', 'gamma is 2, a number from 0 to 1 is required');
SELECT throws_ok($$SELECT churnops_target_profit(0.5, 'Infinity')$$, '22003', 'clv Infinity, d 10 and f 1 give no finite profit');

-- Refusals

SELECT throws_ok('SELECT churnops_roc_auc(y, ''NaN''::float8) FROM t2', '22023', 'score is not a number');
SELECT throws_ok('SELECT churnops_log_loss(y, s + 1) FROM t2', '22023', 'score 1.1 is no probability between 0 and 1');
SELECT throws_ok('SELECT churnops_brier(y, s - 1) FROM t2', '22023', 'score -0.9 is no probability between 0 and 1');
SELECT throws_ok('SELECT churnops_ece(y, 2 * s) FROM t2', '22023', 'score 1.8 is no probability between 0 and 1');
SELECT throws_ok('SELECT churnops_roc_auc(y, s, -1) FROM t2', '22023', 'weight is -1, a finite number of at least 0 is required');
SELECT throws_ok('SELECT churnops_f1(y, y, ''Infinity''::float8) FROM t2', '22023', 'weight is inf, a finite number of at least 0 is required');
SELECT throws_ok('SELECT churnops_rmse(s, ''Infinity'') FROM t2', '22003', 'prediction is infinite');
SELECT throws_ok('SELECT churnops_median_ae(''NaN'', s) FROM t2', '22023', 'target is not a number');
SELECT throws_ok('SELECT churnops_mse(1e200, s) FROM t2', '22003', 'loss of target 1e+200 and prediction 0.1 is out of range');
SELECT throws_ok('SELECT churnops_rmsle(-1, s) FROM t2', '22023', 'logarithmic error of target -1 and prediction 0.1 is undefined, numbers above -1 are required');
SELECT throws_ok('SELECT churnops_poisson_deviance(1, 0)', '22023', 'Poisson deviance of target 1 and prediction 0 is undefined, a target of at least 0 and a prediction above 0 are required');
SELECT throws_ok('SELECT churnops_pinball(1, 0, 2)', '22023', 'alpha is 2, a number from 0 to 1 is required');
SELECT throws_ok('SELECT churnops_pinball(1, s, s) FROM t2', '22023', 'argument "alpha" must be the same in all rows of a group');
SELECT throws_ok('SELECT churnops_lift(y, s, 0) FROM t2', '22023', 'share is 0, a number above 0 and up to 1 is required');
SELECT throws_ok('SELECT churnops_lift(y, s, s) FROM t2', '22023', 'argument "share" must be the same in all rows of a group');
SELECT throws_ok('SELECT churnops_lift(y, s, NULL::float8) FROM t2', '22004', 'argument "share" must not be null');
SELECT throws_ok('SELECT churnops_ece(y, s, 0) FROM t2', '22023', 'number of bins is 0, 1 to 10000 are allowed');
SELECT throws_ok('SELECT churnops_ece(y, s, 5, ''equal'') FROM t2', '22023', 'strategy "equal" is neither "uniform" nor "quantile"');
SELECT throws_ok('SELECT churnops_ece(y, s, 1 + y::int) FROM t2', '22023', 'argument "n_bins" must be the same in all rows of a group');
SELECT throws_ok('SELECT churnops_f1(y, y, ''mean'') FROM t2', '22023', 'average "mean" is not known');
SELECT throws_ok('SELECT churnops_f1(y, y, CASE WHEN y THEN ''macro'' ELSE ''micro'' END) FROM t2', '22023', 'argument "average" must be the same in all rows of a group');
SELECT throws_ok('SELECT churnops_f1(y, y, NULL::text) FROM t2', '22004', 'argument "average" must not be null');
SELECT throws_ok('SELECT churnops_fbeta(y, y, 0) FROM t2', '22023', 'beta is 0, a finite number above 0 is required');
SELECT throws_ok('SELECT churnops_cohen_kappa(y, y, ''cubic'') FROM t2', '22023', 'weights "cubic" is not known');
SELECT throws_ok('SELECT churnops_f1(i, i) FROM generate_series(1, 3) AS i', '22023', 'average "binary" is for two classes, there are "1", "2", "3"');
SELECT throws_ok('SELECT churnops_f1(x, x, ''binary'', ''c'') FROM unnest(''{a,b}''::text[]) AS x', '22023', 'average "binary" is for two classes, there are "a", "b" beside the positive class');
SELECT throws_ok('SELECT churnops_f1(x, x) FROM unnest(''{a,b}''::text[]) AS x', '22023', 'labels "a", "b" do not tell which is the positive class');
SELECT throws_ok('SELECT churnops_roc_auc(''perhaps''::text, s) FROM t2', '22023', 'label "perhaps" does not tell whether it is the positive class');
SELECT throws_ok('SELECT churnops_roc_auc(2, s) FROM t2', '22023', 'label "2" does not tell whether it is the positive class');
SELECT throws_ok('SELECT churnops_roc_auc(y, s, NULL::text) FROM t2', '22004', 'argument "positive_class" must not be null');
SELECT throws_ok('SELECT churnops_roc_auc(now(), s) FROM t2', '42804', 'type timestamp with time zone cannot be a label');
SELECT throws_ok('SELECT churnops_accuracy(''{}''::jsonb, y) FROM t2', '42804', 'type jsonb cannot be a label');
SELECT throws_ok('SELECT churnops_log_loss(y, ''[1]''::jsonb) FROM t2', '22023', 'probabilities must be a JSON object of labels and numbers');
SELECT throws_ok('SELECT churnops_log_loss(y, ''{"true": 1.5}''::jsonb) FROM t2', '22023', '"true" has no probability between 0 and 1');
SELECT throws_ok('SELECT churnops_log_loss(y, ''{"true": "1"}''::jsonb) FROM t2', '22023', '"true" has no probability between 0 and 1');
SELECT throws_ok('SELECT churnops_roc_auc(y, ''{"true": 0.5, "false": 0.25}''::jsonb) FROM t2', '22023', 'the sum of the probabilities is 0.75, 1 is required');
SELECT throws_ok('SELECT churnops_roc_auc(y, ''{"yes": 0.5, "no": 0.5}''::jsonb) FROM t2', '22023', 'label "false" has no probability');
SELECT throws_ok('SELECT churnops_roc_auc(y, jsonb_build_object(y, 1)) FROM t2', '22023', 'probabilities of a group must all be of the same classes');
SELECT throws_ok('SELECT churnops_roc_auc(y, ''{"true": 0.5, "false": 0.5}''::jsonb, ''micro'') FROM t2', '22023', 'average "micro" is not known');
SELECT throws_ok('SELECT churnops_threshold(y, s, ''{"rule": "cots"}'') FROM t2', '22023', 'there is no rule "cots" for a threshold');
SELECT throws_ok('SELECT churnops_threshold(y, s, ''[1]'') FROM t2', '22023', 'a rule for a threshold must be a JSON object with the key "rule"');
SELECT throws_ok('SELECT churnops_threshold(y, s, ''{"rule": "cost", "fp": 1}'') FROM t2', '22023', 'rule "cost" needs "fn"');
SELECT throws_ok('SELECT churnops_threshold(y, s, ''{"rule": "fbeta"}'') FROM t2', '22023', 'rule "fbeta" needs "beta"');
SELECT throws_ok('SELECT churnops_threshold(y, s, ''{"rule": "f1", "beta": 2}'') FROM t2', '22023', 'rule "f1" has no key "beta"');
SELECT throws_ok('SELECT churnops_threshold(y, s, ''{"rule": "emp", "clb": 2}'') FROM t2', '22023', 'rule "emp" has no key "clb"');
SELECT throws_ok('SELECT churnops_threshold(y, s, ''{"rule": "emp", "clv": "2"}'') FROM t2', '22023', '"clv" of the rule must be a number');
SELECT throws_ok('SELECT churnops_threshold(y, s, ''{"rule": "cost", "fp": 1, "fn": 1, "calibrated": 1}'') FROM t2', '22023', '"calibrated" of the rule must be true or false');
SELECT throws_ok('SELECT churnops_threshold(y, s, ''{"rule": "recall", "at_least": 2}'') FROM t2', '22023', '"at_least" of the rule is 2, a number from 0 to 1 is required');
SELECT throws_ok('SELECT churnops_threshold(y, s, jsonb_build_object(''rule'', ''capacity'', ''k'', s)) FROM t2', '22023', 'argument "rule" must be the same in all rows of a group');
SELECT is(pg_temp.error_as(pg_temp.me(), $$SELECT churnops_threshold(true, 1, '{"rule": "emp", "clb": 2}')$$),
	E'22023\nrule "emp" has no key "clb"\nPerhaps you meant "clv".', 'the nearest key is named');
SELECT is(pg_temp.error_as(pg_temp.me(), $$SELECT churnops_roc_auc('gone'::text, 1)$$),
	E'22023\nlabel "gone" does not tell whether it is the positive class\nName the positive class, for example churnops_roc_auc(label, score, ''gone''); or give a boolean label, (label = ''gone'').',
	'and how to name a class');

-- Nobody calls what the aggregates are made of, everybody the aggregates

CREATE ROLE metric_reader;
GRANT SELECT ON t2 TO metric_reader;
SELECT is(pg_temp.value_as('metric_reader', 'SELECT churnops_roc_auc(y, s) FROM t2'), '0.8', 'a role without rights has the aggregates');

SELECT * FROM finish();
ROLLBACK;
