-- ChurnOps in five minutes: who is going to leave?  Run in the project's root
-- folder, in an empty database: psql -f examples/demo.sql
\set QUIET on
\pset pager off
\pset null '-'
\set ON_ERROR_STOP on
SET client_min_messages = notice;

\echo
\echo '1. A table: 7,043 customers of a telephone company'
\echo '--------------------------------------------------'
CREATE EXTENSION churnops;
\ir customers.sql
\set ECHO queries
\pset footer off
SELECT churn, count(*), round(avg(tenure), 1) AS months, round(avg(monthly_charges), 2) AS monthly_charges
FROM customers GROUP BY churn ORDER BY churn;

\echo
\echo '2. Train: one statement, and version 1 is in the registry'
\echo '---------------------------------------------------------'
SELECT ref, status, n_train, n_test, n_features, round(seconds::numeric, 1) AS seconds
FROM churnops_train('churn', 'SELECT * FROM customers', target => 'churn', key => '{customer_id}',
	params => '{"n_estimators": 200, "min_samples_leaf": 5}', description => 'first try');

\echo
\echo '3. How good is it?  On rows it never saw, and out of the bag'
\echo '------------------------------------------------------------'
SELECT metric, round((metrics -> 'holdout' ->> metric)::numeric, 3) AS holdout,
	round((metrics -> 'oob' ->> metric)::numeric, 3) AS oob
FROM churnops.versions,
	unnest('{roc_auc, average_precision, accuracy, balanced_accuracy, f1, log_loss, lift_at_10}'::text[]) AS metric
WHERE model = 'churn' AND version = 1;

\echo
\echo '4. What does it look at?'
\echo '------------------------'
SELECT rank, feature, round(mdi::numeric, 3) AS mdi, round(permutation::numeric, 4) AS permutation
FROM churnops_importance('churn') ORDER BY rank LIMIT 8;

\echo
\echo '5. Score rows where they are: the ten customers most likely to leave'
\echo '--------------------------------------------------------------------'
SELECT customer_id, contract, tenure AS months, monthly_charges,
	round(churnops_predict('churn', c)::numeric, 3) AS p_leaves
FROM customers AS c WHERE churn = 'No' ORDER BY p_leaves DESC, customer_id LIMIT 10;

\echo
\echo '6. A second version serves only when it is promoted'
\echo '---------------------------------------------------'
SELECT ref, round((metrics -> 'holdout' ->> 'roc_auc')::numeric, 3) AS roc_auc
FROM churnops_train('churn', 'SELECT * FROM customers', target => 'churn', key => '{customer_id}',
	params => '{"n_estimators": 200, "max_depth": 6}', description => 'shallow trees');
SELECT model, alias, version, previous_version, reason
FROM churnops_promote('churn/2', reason => 'shown in the demo');
SELECT model, version, status, aliases, algorithm, n_rows, n_features, description
FROM churnops.versions ORDER BY version;

\echo
\echo '7. The proof: train version 1 again from its lineage, and compare every byte'
\echo '-----------------------------------------------------------------------------'
SELECT ref, reproduced, left(artifact_digest, 16) AS artifact, left(artifact_digest_now, 16) AS artifact_now
FROM churnops_reproduce('churn/1');

\echo
\echo '8. From a YAML file to a gated release, as CI runs it'
\echo '-----------------------------------------------------'
\set yaml `cat examples/ci/churn.yaml`
SELECT status, ref, message FROM churnops_run(:'yaml');
SELECT gate, metric, slice_value AS slice, round(value::numeric, 3) AS value, threshold, passed FROM churnops.gates ORDER BY place;

\set ECHO none
\echo
\echo 'Try more in such a server:  scripts/server.sh'
\echo 'Go back to version 1:       SELECT * FROM churnops_promote(''churn/1'', reason => ''...'');'
