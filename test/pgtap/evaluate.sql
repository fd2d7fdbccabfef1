-- Evaluation: the holdout by default, slices, confidence intervals, and what is refused
BEGIN;
\ir include/setup.sql
SELECT no_plan();

SET client_min_messages = warning;
CREATE ROLE churnops_alice;
CREATE ROLE churnops_bob;
GRANT CREATE ON SCHEMA public TO churnops_alice;
CREATE TABLE public.customers AS
SELECT i AS id, i % 300 AS household, timestamp '2020-01-01' + i * interval '1 hour' AS seen,
	(i * 7919 % 1000) / 100.0::float8 AS usage, (ARRAY['basic', 'plus', 'premium', NULL])[1 + i % 4] AS plan,
	i % 3 AS children, 1 + i % 2 AS weight, CASE WHEN (i * 104729 % 997) < 100 + (i * 7919 % 1000) / 2 THEN 'yes' ELSE 'no' END AS churn
FROM generate_series(1, 1500) AS i;
GRANT SELECT ON public.customers TO churnops_alice, churnops_bob;

-- The holdout is that of the training, whatever the split

SET ROLE churnops_alice;
SELECT ref FROM churnops_train('churn', 'customers', 'churn', '{"n_estimators": 20, "max_depth": 5}', exclude => '{id,household,seen,weight}');
SELECT ref FROM churnops_train('churn', 'customers', 'churn', '{"n_estimators": 20, "max_depth": 5}', key => '{household}', exclude => '{id,seen,weight}');
SELECT ref FROM churnops_train('churn', 'customers', 'churn', '{"n_estimators": 20, "max_depth": 5}', key => '{household}',
	time_column => 'seen', exclude => '{id}', weight => 'weight', split_seed => 7);
SELECT ref FROM churnops_train('churn', 'customers', 'churn', '{"n_estimators": 20, "max_depth": 5}', time_column => 'seen', exclude => '{id,household}',
	positive_class => 'no', test_size => 0.3);
SELECT ref FROM churnops_train('churn', 'customers', 'churn', '{"n_estimators": 2}', test_size => 0);
SELECT ref FROM churnops_train('usage', 'customers', 'usage', '{"n_estimators": 20, "max_depth": 5}', exclude => '{seen}');
SELECT ref FROM churnops_train('plan', 'SELECT * FROM customers WHERE plan IS NOT NULL', 'plan', '{"n_estimators": 20, "max_depth": 5}', exclude => '{seen}');
SELECT is_empty($$SELECT * FROM churnops.versions AS v, jsonb_each_text(v.metrics->'holdout') AS m,
		LATERAL (SELECT value, n FROM churnops_evaluate(v.model || '/' || v.version) WHERE metric = m.key AND class IS NULL) AS e
	WHERE v.n_test > 0 AND (e.value IS DISTINCT FROM m.value::float8 OR e.n <> v.n_test)$$,
	'without a query the metrics are those of the training''s holdout, to the last bit');
SELECT is((SELECT count(*) FROM churnops.versions AS v, churnops_evaluate(v.model || '/' || v.version) WHERE v.n_test > 0 AND metric = 'roc_auc'),
	4::bigint, 'of every split');

-- Slices

SELECT is((SELECT array_agg(DISTINCT coalesce(slice_value, 'none') ORDER BY coalesce(slice_value, 'none')) FROM churnops_evaluate('churn/1', slices => '{plan}') WHERE slice = 'plan'),
	'{basic,none,plus,premium}'::text[], 'a slice for each text, and one for NULL');
SELECT is((SELECT array_agg(slice_value) FROM churnops_evaluate('churn/1', slices => '{children}') WHERE slice IS NOT NULL AND metric = 'accuracy'),
	'{0,1,2}'::text[], 'few numbers each have one, in order');
SELECT is((SELECT array_agg(slice_value) FROM churnops_evaluate('churn/1', 'SELECT * FROM customers', slices => '{id}') WHERE slice IS NOT NULL AND metric = 'accuracy'),
	'{"[1, 375]","(375, 750]","(750, 1125]","(1125, 1500]"}'::text[], 'many become quartiles');
SELECT is((SELECT array_agg(slice_value) FROM churnops_evaluate('churn/1', 'SELECT * FROM customers WHERE id <= 24', slices => '{seen}') WHERE slice IS NOT NULL AND metric = 'accuracy'),
	(SELECT array_agg(s) FROM (VALUES ('[' || timestamp '2020-01-01 01:00' || ', ' || timestamp '2020-01-01 06:00' || ']'), ('(' || timestamp '2020-01-01 06:00' || ', ' || timestamp '2020-01-01 12:00' || ']'),
	('(' || timestamp '2020-01-01 12:00' || ', ' || timestamp '2020-01-01 18:00' || ']'), ('(' || timestamp '2020-01-01 18:00' || ', ' || timestamp '2020-01-02 00:00' || ']')) AS v(s)), 'and times too');
SELECT is_empty($$SELECT * FROM churnops_evaluate('churn/1', 'customers', slices => '{plan,children}') AS s, LATERAL (
		SELECT value FROM churnops_evaluate('churn/1', format('SELECT * FROM customers WHERE %I::text IS NOT DISTINCT FROM %L', s.slice, s.slice_value))
		WHERE metric = s.metric AND class IS NOT DISTINCT FROM s.class) AS alone
	WHERE s.slice IS NOT NULL AND abs(alone.value - s.value) > 1e-12$$, 'a slice is measured as a query for it is');
SELECT is((SELECT sum(n) FROM churnops_evaluate('churn/1', 'customers', slices => '{plan}') WHERE slice = 'plan' AND metric = 'accuracy'), 1500::numeric,
	'slices cover all rows');
SELECT is((SELECT array_agg(n || CASE WHEN small THEN ' small' ELSE '' END ORDER BY n) FROM churnops_evaluate('churn/1',
		$$SELECT *, id <= 29 AS first FROM customers WHERE id <= 100$$, slices => '{first}', confidence => 0.9) WHERE slice = 'first' AND metric = 'accuracy'),
	'{"29 small",71}'::text[], 'slices of fewer than 30 rows are marked');
SELECT ok((SELECT flagged FROM churnops_evaluate('churn/1', $$SELECT id, usage, plan, children, id <= 500 AS swapped,
		CASE WHEN id > 500 THEN churn WHEN churn = 'yes' THEN 'no' ELSE 'yes' END AS churn FROM customers$$, slices => '{swapped}', confidence => 0.95)
	WHERE metric = 'accuracy' AND slice_value = 'true'), 'a slice that is much worse is flagged');
SELECT ok((SELECT bool_and(flagged IS NULL) FROM churnops_evaluate('churn/1', slices => '{plan}') WHERE slice IS NOT NULL), 'without intervals nothing is flagged');
SELECT is((SELECT count(*) FROM churnops_evaluate('churn/1', slices => '{plan}') WHERE flagged IS NOT NULL AND slice IS NULL), 0::bigint, 'the whole is not flagged');

-- Intervals

SELECT is_empty($$SELECT * FROM churnops_evaluate('churn/1', 'customers', confidence => 0.95) WHERE metric = 'accuracy' AND
		(method, round(ci_low::numeric, 9), round(ci_high::numeric, 9)) IS DISTINCT FROM ROW('wilson'::text,
		round(((value + 1.959963984540054^2 / 3000 - 1.959963984540054 * sqrt(value * (1 - value) / 1500 + 1.959963984540054^2 / 4 / 1500^2)) / (1 + 1.959963984540054^2 / 1500))::numeric, 9),
		round(((value + 1.959963984540054^2 / 3000 + 1.959963984540054 * sqrt(value * (1 - value) / 1500 + 1.959963984540054^2 / 4 / 1500^2)) / (1 + 1.959963984540054^2 / 1500))::numeric, 9))$$,
	'a share has Wilson''s interval');
CREATE TEMPORARY VIEW placed AS
SELECT churn = 'yes' AS y, churnops_predict('churn/1', c) AS s FROM customers AS c;
CREATE TEMPORARY VIEW placements AS
SELECT a.y, avg(CASE WHEN (a.s > b.s) = a.y AND a.s <> b.s THEN 1 WHEN a.s = b.s THEN 0.5 ELSE 0 END)::float8 AS v
FROM (SELECT row_number() OVER () AS i, * FROM placed) AS a JOIN placed AS b ON a.y <> b.y GROUP BY a.i, a.y;
SELECT ok((SELECT abs((ci_high - ci_low) / 2 / 1.959963984540054 - sqrt(p.v + q.v)) < 1e-9 AND method = 'delong'
	FROM churnops_evaluate('churn/1', 'customers', confidence => 0.95),
		(SELECT var_samp(v) / count(*) AS v FROM placements WHERE y) AS p, (SELECT var_samp(v) / count(*) AS v FROM placements WHERE NOT y) AS q
	WHERE metric = 'roc_auc'), 'the AUC has DeLong''s, as its definition gives it');
SELECT is((SELECT count(*) FROM churnops_evaluate('churn/1', confidence => 0.9) WHERE value IS NOT NULL AND metric <> 'support' AND (ci_low IS NULL OR value NOT BETWEEN ci_low AND ci_high)),
	0::bigint, 'every value lies in its interval');
SELECT is((SELECT array_agg(DISTINCT method ORDER BY method) FILTER (WHERE metric <> 'support') FROM churnops_evaluate('churn/1', confidence => 0.9)), '{bootstrap,delong,wilson}'::text[], 'three methods');
SELECT is((SELECT array_agg(DISTINCT method ORDER BY method) FILTER (WHERE metric <> 'support') FROM churnops_evaluate('churn/2', confidence => 0.9)), '{cluster_bootstrap}'::text[],
	'rows of one household are drawn together');
SELECT is((SELECT array_agg(DISTINCT method ORDER BY method) FILTER (WHERE metric <> 'support') FROM churnops_evaluate('churn/3', confidence => 0.9)), '{cluster_bootstrap}'::text[], 'and with weights');
SELECT is((SELECT array_agg(DISTINCT method ORDER BY method) FILTER (WHERE metric <> 'support') FROM churnops_evaluate('churn/2', 'SELECT DISTINCT ON (household) * FROM customers', confidence => 0.9)),
	'{bootstrap,delong,wilson}'::text[], 'one row of each household is as rows without a key');
SELECT is((SELECT array_agg(DISTINCT method ORDER BY method) FILTER (WHERE metric <> 'support') FROM churnops_evaluate('usage', confidence => 0.9)), '{bootstrap}'::text[], 'a regression');
SELECT is((SELECT count(*) FROM churnops_evaluate('plan', confidence => 0.9) WHERE ci_low IS NULL AND metric <> 'support'), 0::bigint, 'three classes');
SELECT ok((SELECT n_resamples < 200 AND n_resamples > 50 FROM churnops_evaluate('churn/1', 'SELECT * FROM customers WHERE churn = ''no'' AND id < 20 OR id = (SELECT min(id) FROM customers WHERE churn = ''yes'')',
	confidence => 0.9, n_bootstrap => 200) WHERE metric = 'ks'), 'resamples of one class do not count');
SELECT set_eq($$SELECT e::text FROM churnops_evaluate('churn/2', 'SELECT * FROM customers ORDER BY id', confidence => 0.9, slices => '{plan,children}', n_bootstrap => 100) AS e$$,
	$$SELECT e::text FROM churnops_evaluate('churn/2', 'SELECT * FROM customers ORDER BY usage DESC, id', confidence => 0.9, slices => '{plan,children}', n_bootstrap => 100) AS e$$,
	'the order of the rows is of no account');
SELECT isnt((SELECT ci_low FROM churnops_evaluate('churn/1', confidence => 0.9, seed => 1) WHERE metric = 'f1' AND class IS NULL),
	(SELECT ci_low FROM churnops_evaluate('churn/1', confidence => 0.9, seed => 2) WHERE metric = 'f1' AND class IS NULL), 'the seed is');
SELECT is((SELECT count(ci_low) FROM churnops_evaluate('churn/1', 'SELECT * FROM customers LIMIT 1', confidence => 0.9)), 0::bigint, 'one row has no intervals');
SELECT is((SELECT count(*) FROM churnops_evaluate('churn/1', $$SELECT 1 AS usage, 'plus' AS plan, 1 AS children, x AS churn FROM unnest('{yes,no,maybe,no}'::text[]) AS x$$, confidence => 0.9) WHERE metric = 'accuracy' AND ci_high < 1),
	1::bigint, 'labels that the model does not know count in intervals too');
RESET client_min_messages;

-- Refusals

SELECT throws_ok($$SELECT churnops_evaluate('churn/5')$$, '55000', 'version 5 of model "churn" has no holdout');
SELECT throws_ok($$SELECT churnops_evaluate('churn/1', confidence => 1)$$, '22023', 'argument "confidence" is 1, a number between 0 and 1 is required');
SELECT throws_ok($$SELECT churnops_evaluate('churn/1', confidence => 'NaN')$$, '22023', 'argument "confidence" is NaN, a number between 0 and 1 is required');
SELECT throws_ok($$SELECT churnops_evaluate('churn/1', n_bootstrap => 99)$$, '22023', 'argument "n_bootstrap" is 99, an integer from 100 to 100000 is required');
SELECT throws_ok($$SELECT churnops_evaluate('churn/1', seed => -1)$$, '22023', 'argument "seed" is -1, an integer of at least 0 is required');
SELECT throws_ok($$SELECT churnops_evaluate('churn/1', seed => NULL)$$, '22004', 'argument "seed" must not be null');
SELECT throws_ok($$SELECT churnops_evaluate('churn/1', n_bootstrap => NULL)$$, '22004', 'argument "n_bootstrap" must not be null');
SELECT throws_ok($$SELECT churnops_evaluate('churn/1', slices => '{colour}')$$, '42703', 'the query has no column "colour" to slice by');
SELECT throws_ok($$SELECT churnops_evaluate('churn/1', slices => ARRAY[NULL]::text[])$$, '22004', 'argument "slices" must not have a NULL in it');
SELECT throws_ok($$SELECT churnops_evaluate('churn/1', 'SELECT *, md5(id::text) AS token FROM customers', slices => '{token}')$$, '22023', 'slice column "token" has more than 100 values');
SELECT throws_ok($$SELECT churnops_evaluate('churn/1', 'SELECT *, 1 AS id FROM customers', confidence => 0.9)$$, '42701', 'the query has two columns named "id"');
RESET ROLE;
GRANT churnops_alice TO CURRENT_USER;
SET ROLE churnops_alice;
SELECT churnops_grant('churn', 'churnops_bob', 'predict');
SET ROLE churnops_bob;
SELECT throws_ok($$SELECT churnops_evaluate('churn/1')$$, '42501', 'version 1 of model "churn" was trained by role "churnops_alice"');
SELECT lives_ok($$SELECT churnops_evaluate('churn/1', 'customers', confidence => 0.9, n_bootstrap => 100)$$, 'who may predict may evaluate on rows of their own');
SELECT throws_ok($$SELECT churnops_evaluate('usage')$$, '42704', NULL, 'a model of others is unknown');

-- A kept copy outlives its table; a query does not

SET ROLE churnops_alice;
SET client_min_messages = warning;
SELECT churnops_dataset('customers', 'SELECT * FROM customers', key => '{id}', keep => true);
SELECT ref FROM churnops_train('kept', 'datasets:/customers', 'churn', '{"n_estimators": 5}', exclude => '{id,seen}');
RESET ROLE;
UPDATE public.customers SET usage = usage + 1 WHERE id = 1;
SET ROLE churnops_alice;
SELECT throws_ok($$SELECT churnops_evaluate('churn/1')$$, '55000', 'the rows that version 1 of model "churn" was trained on are not there any more',
	'other rows are refused');
RESET ROLE;
ALTER TABLE public.customers RENAME usage TO used;
SET ROLE churnops_alice;
SELECT throws_ok($$SELECT churnops_evaluate('churn/1')$$, '42703', NULL, 'so are other columns');
RESET ROLE;
ALTER TABLE public.customers RENAME used TO usage;
ALTER TABLE public.customers ADD COLUMN more integer;
SET ROLE churnops_alice;
SELECT throws_ok($$SELECT churnops_evaluate('churn/1')$$, '55000', 'the rows that version 1 of model "churn" was trained on are not there any more',
	'and more of them');
RESET ROLE;
DROP TABLE public.customers CASCADE;
SET ROLE churnops_alice;
SELECT throws_ok($$SELECT churnops_evaluate('churn/1')$$, '42P01', NULL, 'a table that is gone');
SELECT is((SELECT value FROM churnops_evaluate('kept') WHERE metric = 'roc_auc'),
	(SELECT (metrics->'holdout'->>'roc_auc')::float8 FROM churnops.versions WHERE model = 'kept'), 'the kept copy is still there');

SELECT * FROM finish();
ROLLBACK;
