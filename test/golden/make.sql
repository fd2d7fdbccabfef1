-- Models of churnops 0.1.0 as SQL text, and what they predict: see README.md.
-- Run in a private server whose extension is of that version.
\set ON_ERROR_STOP on
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE ROLE churnops_golden;
CREATE TABLE golden AS
SELECT i AS id, CASE WHEN i % 11 > 0 THEN i % 37 END AS months, CASE WHEN i % 13 > 0 THEN (i * 7919 % 1000) / 8.0 END AS bill,
	(ARRAY['basic', 'plus', 'größte', NULL])[1 + i % 4] AS plan, CASE WHEN i % 5 > 0 THEN i % 3 = 1 END AS paperless,
	DATE '2024-01-01' + i % 300 AS since, (i * 31 % 90) * INTERVAL '1 day' AS pause,
	i % 37 + i % 4 * 9 + i * 7919 % 1000 / 60 > 35 AS churned, (ARRAY['low', 'mid', 'top'])[1 + (i % 37 + i % 4 * 6) / 20] AS tier,
	(i % 37) * 2.5 + i % 4 + i * 7919 % 1000 / 100.0 AS value
FROM generate_series(1, 400) AS i;
GRANT SELECT ON golden TO churnops_golden;
SET ROLE churnops_golden;
\o /dev/null
SELECT churnops_train('churn', 'SELECT id, months, bill, plan, paperless, since, pause, churned FROM golden', 'churned',
	'{"n_estimators": 5, "max_depth": 4}', key => '{id}', description => 'two classes');
SELECT churnops_train('churn', 'SELECT id, months, bill, plan, paperless, since, pause, churned FROM golden', 'churned',
	'{"n_estimators": 4, "max_depth": 3, "splitter": "random", "class_weight": "balanced"}', key => '{id}', description => 'random splits');
SELECT churnops_train('tier', 'SELECT months, bill, plan, since, tier FROM golden', 'tier', '{"n_estimators": 4, "max_depth": 4}',
	positive_class => 'top', description => 'three classes');
SELECT churnops_train('value', 'SELECT months, bill, plan, paperless, value FROM golden', 'value', '{"n_estimators": 4, "max_depth": 4}',
	description => 'regression');
SELECT churnops_promote('churn/2', reason => 'to have a history');
SELECT churnops_promote('churn/1', 'challenger');
\o
RESET ROLE;
