-- What the functions of the registry tell in notices, on a model that is trained
\set VERBOSITY terse
CREATE TABLE customers AS
SELECT i AS id, i % 17 AS tenure, CASE WHEN i % 3 = 0 THEN 'monthly' ELSE 'yearly' END AS contract,
	(i % 17 < 6) <> (i % 11 = 0) AS churned
FROM generate_series(1, 400) AS i;
CREATE ROLE regress_churnops_app;
SELECT t.ref, t.status FROM generate_series(1, 4) AS n,
	churnops_train('churn', 'customers', 'churned', jsonb_build_object('n_estimators', n), key => '{id}') AS t;
SELECT p.version FROM generate_series(2, 4) AS n, churnops_promote('churn/' || n) AS p;

-- Versions that a rollback skips
SELECT status FROM churnops_reject('churn/3', 'leaks');
SELECT status FROM churnops_archive('churn/2', 'old');
SELECT version, previous_version, reason FROM churnops_rollback('churn', 'complaints');
SELECT version FROM churnops_rollback('churn');
SELECT version FROM churnops_promote('churn/4');
SELECT require_approval FROM churnops_alter_model('churn', require_approval => true);
SELECT version FROM churnops_rollback('churn');

-- Rights that are not there
SELECT churnops_grant('churn', 'regress_churnops_app', 'deploy', 'beta');
SELECT churnops_revoke('churn', 'regress_churnops_app', 'predict');
SELECT churnops_revoke('churn', 'regress_churnops_app', 'deploy', 'gamma');
SELECT churnops_revoke('churn', 'public', 'all');
SELECT churnops_revoke('churn', 'regress_churnops_app', 'all');
SELECT churnops_revoke('churn', 'regress_churnops_app', 'all');

-- A training under the rule, and by a role that may only predict
SELECT ref, status FROM churnops_train('churn', 'customers', 'churned', '{"n_estimators": 5}', key => '{id}');
SELECT churnops_grant('churn', 'regress_churnops_app', 'predict');
GRANT SELECT ON customers TO regress_churnops_app;
SET ROLE regress_churnops_app;
SELECT count(churnops_predict('churn', c)) FROM customers AS c;
SELECT count(*) FROM churnops_score('churn/5', 'customers');
SELECT ref FROM churnops_train('churn', 'customers', 'churned', key => '{id}');
SELECT churnops_promote('churn/5');
RESET ROLE;

-- Rights are asked for anew by the next statement
SELECT churnops_revoke('churn', 'regress_churnops_app', 'predict');
SET ROLE regress_churnops_app;
SELECT count(churnops_predict('churn', c)) FROM customers AS c;
RESET ROLE;

SELECT * FROM churnops_verify();
SELECT churnops_drop_model('churn');
SELECT * FROM churnops_verify();
DROP TABLE customers;
DROP ROLE regress_churnops_app;
