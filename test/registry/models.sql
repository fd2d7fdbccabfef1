-- Models on the table customers, with history, rights, an import, a dataset, a canary
-- with logged predictions, and a pipeline with a run that succeeded and one that failed.
CREATE ROLE churnops_alice;
CREATE ROLE churnops_bob;
GRANT SELECT ON customers TO churnops_alice;
GRANT SELECT ON churnops.audit TO churnops_alice;
SET ROLE churnops_alice;
SELECT churnops_train('churn', 'SELECT * FROM customers', 'churn', '{"n_estimators": 5}', key => '{customer_id}');
SELECT churnops_train('churn', 'SELECT * FROM customers', 'churn', '{"n_estimators": 10}', key => '{customer_id}');
SELECT churnops_train('charges', 'SELECT tenure, contract, monthly_charges FROM customers', 'monthly_charges',
	'{"n_estimators": 5, "max_depth": 4}');
SELECT churnops_train('contract', 'SELECT tenure, monthly_charges, contract FROM customers', 'contract',
	'{"n_estimators": 3, "max_depth": 4, "splitter": "random"}', positive_class => 'Two year');
SELECT churnops_train('gone', 'SELECT tenure, contract, churn FROM customers', 'churn', '{"n_estimators": 1}');
SELECT churnops_promote('churn/1', 'challenger', 'to compare');
SELECT churnops_promote('churn/2', reason => 'better');
SELECT churnops_promote('churn/2', 'shadow');
SELECT churnops_drop_alias('churn@shadow');
SELECT churnops_drop_model('gone');
SELECT churnops_import(churnops_export('churn/2'), 'taken');
SELECT churnops_grant('churn', 'churnops_bob', 'predict');
SELECT churnops_rollback('churn', 'it was not');
SELECT churnops_promote('churn/2', reason => 'it was');
SELECT churnops_dataset('clients', 'SELECT * FROM customers', key => '{customer_id}', keep => true);
SELECT churnops_train('charges', 'SELECT tenure, contract, monthly_charges FROM customers', 'monthly_charges',
	'{"n_estimators": 3, "max_depth": 3}');
SELECT churnops_deploy('charges', 2, 'canary', '{"weight": 0.3, "key": ["contract"]}', 'to see');
SELECT churnops_tick('charges');
SELECT count(*) FROM churnops_score('charges', 'SELECT * FROM customers LIMIT 50', '{contract}', log => true);
SELECT churnops_pipeline('nightly', E'model: nightly\ntarget: churn\ndata: {query: SELECT * FROM customers, key: [customer_id]}\nhyperparameters: {n_estimators: 3}\n');
SELECT churnops_run(name => 'nightly');
SELECT churnops_run(E'data: {query: SELECT * FROM nowhere}', 'nightly', 'churn');
RESET ROLE;
