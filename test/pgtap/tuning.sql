-- Cross-validation and tuning: every method, folds, resumption, refusals, rights
BEGIN;
\ir include/setup.sql
SELECT no_plan();

CREATE TABLE events AS
SELECT i AS id, i % 150 AS customer, hashint4(i) % 1000 AS a, hashint4(i + 1) % 1000 / 7.0 AS b, abs(hashint4(i + 2)) % 9 AS c,
	chr(97 + abs(hashint4(i + 3)) % 5) AS d, date '2024-01-01' + i % 200 AS day, i AS step,
	hashint4(i) % 1000 + hashint4(i + 1) % 1000 + hashint4(i * 31) % 500 > 0 AS churned,
	hashint4(i) % 1000 + hashint4(i * 7) % 100 + 0.5 AS amount, chr(97 + abs(hashint4(i) % 1000) / 340) AS kind
FROM generate_series(1, 900) AS i;

-- A training with these rows, and what its function is given beside them
CREATE FUNCTION pg_temp.tune(model text, space text, arguments text DEFAULT '', target text DEFAULT 'churned')
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE format($q$SELECT concat_ws(' ', ref, status) FROM churnops_tune(%L, 'SELECT a, b, c, d, %I FROM events', %L, %L,
		params => '{"n_estimators": 10}' %s)$q$, model, target, target, space, arguments) INTO result;
	RETURN result;
END
$$;
CREATE FUNCTION pg_temp.folds(cv text, arguments text DEFAULT '', columns text DEFAULT 'a, b, c, d, churned', target text DEFAULT 'churned')
RETURNS TABLE (repeat int, fold int, metric text, class text, value float8, n_train bigint, n_test bigint, fold_params jsonb)
LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format($q$SELECT * FROM churnops_cross_validate('SELECT %s FROM events', %L,
		'{"n_estimators": 10}', %L %s)$q$, columns, target, cv, arguments);
END
$$;

-- ---------------------------------------------------------------- folds

SELECT results_eq($$SELECT DISTINCT repeat, fold, n_train, n_test FROM pg_temp.folds('{"folds": 4}') ORDER BY 1, 2$$,
	$$VALUES (1, 1, 675::bigint, 225::bigint), (1, 2, 675, 225), (1, 3, 675, 225), (1, 4, 675, 225)$$, 'folds are equally large');
SELECT is((SELECT max(value) - min(value) FROM pg_temp.folds('{"folds": 4}') WHERE metric = 'support' AND class = 'true') <= 1, true,
	'stratified by default: each has its share of a class');
SELECT is((SELECT max(value) - min(value) FROM pg_temp.folds('{"folds": 4, "method": "kfold"}') WHERE metric = 'support' AND class = 'true') > 1, true,
	'kfold has not');
SELECT is((SELECT count(DISTINCT (repeat, fold)) FROM pg_temp.folds('{"folds": 3, "repeats": 2}')), 6::bigint, 'repeats are other folds');
SELECT isnt(
	(SELECT array_agg(value ORDER BY fold) FROM pg_temp.folds('{"folds": 3, "repeats": 2}') WHERE metric = 'roc_auc' AND repeat = 1),
	(SELECT array_agg(value ORDER BY fold) FROM pg_temp.folds('{"folds": 3, "repeats": 2}') WHERE metric = 'roc_auc' AND repeat = 2),
	'of the same rows, divided otherwise');
SELECT cmp_ok((SELECT avg(value) FROM pg_temp.folds('{"folds": 5}') WHERE metric = 'roc_auc'), '>', 0.85::float8, 'and the mean is what it should be');
SELECT set_eq($$SELECT DISTINCT metric FROM pg_temp.folds('{"folds": 2}', '', 'a, b, amount', 'amount')$$,
	ARRAY['rmse', 'mae', 'r2'], 'a regression has its metrics');
SELECT is((SELECT count(*) FROM pg_temp.folds('{"folds": 2}', '', 'a, b, kind', 'kind') WHERE class IS NOT NULL), 24::bigint,
	'several classes: precision, recall, F1 and support of each');

CREATE TABLE shuffled AS SELECT * FROM events ORDER BY hashint4(id * 3);
SELECT results_eq(
	$$SELECT * FROM churnops_cross_validate('SELECT a, b, id, churned FROM events', 'churned', '{"n_estimators": 5}', exclude => '{id}')$$,
	$$SELECT * FROM churnops_cross_validate('SELECT a, b, id, churned FROM shuffled', 'churned', '{"n_estimators": 5}', exclude => '{id}')$$,
	'the order of the rows does not matter');

SELECT is((SELECT sum(n_test) FROM (SELECT DISTINCT fold, n_test FROM pg_temp.folds('{"folds": 5}', ', key => ''{customer}''', 'a, b, customer, churned')) AS x),
	900::numeric, 'with a key folds are of whole entities');
SELECT is((SELECT count(*) FROM pg_temp.folds('{"folds": 5, "method": "stratified_group"}', ', key => ''{customer}''', 'a, b, customer, churned')
	WHERE metric = 'roc_auc'), 5::bigint, 'or balanced by class, too');
SELECT results_eq($$SELECT DISTINCT fold, n_train, n_test FROM pg_temp.folds('{"folds": 3}', ', time_column => ''step''', 'a, b, step, churned') ORDER BY 1$$,
	$$VALUES (1, 225::bigint, 225::bigint), (2, 450, 225), (3, 675, 225)$$, 'with a time each is tested by what was before');
SELECT results_eq($$SELECT DISTINCT fold, n_train, n_test FROM pg_temp.folds('{"folds": 2, "gap": 20, "test_size": 100, "max_train_size": 300}',
	', time_column => ''step''', 'a, b, step, churned') ORDER BY 1$$,
	$$VALUES (1, 300::bigint, 100::bigint), (2, 300, 100)$$, 'with a gap and sizes');
SELECT cmp_ok((SELECT max(n_train) FROM pg_temp.folds('{"folds": 2, "gap": "30 days"}', ', time_column => ''day''', 'a, b, day, churned')), '<',
	(SELECT max(n_train) FROM pg_temp.folds('{"folds": 2}', ', time_column => ''day''', 'a, b, day, churned')), 'a gap in time leaves rows out');

SELECT is((SELECT count(*) FROM pg_temp.folds('{"folds": 3, "nested": {"space": {"max_depth": [1, 6]}, "n_iter": 2}}')
	WHERE metric = 'roc_auc' AND fold_params ->> 'max_depth' = '6' AND fold_params ->> 'n_estimators' = '10'), 3::bigint,
	'nested, each fold finds its parameters');
SELECT is((SELECT count(*) FROM pg_temp.folds('{"folds": 3, "nested": {"space": {"max_depth": [1, 6]}, "method": "grid", "cv": {"folds": 3}}}')
	WHERE metric = 'roc_auc' AND fold_params ->> 'max_depth' = '6'), 3::bigint, 'by inner folds as well');
SELECT is((SELECT count(*) FROM churnops.study), 0::bigint, 'nothing of it is stored');

-- ------------------------------------------------------------ refusals

CREATE FUNCTION pg_temp.folds_error(cv text, arguments text DEFAULT '', columns text DEFAULT 'a, b, c, d, churned', target text DEFAULT 'churned')
RETURNS text LANGUAGE sql AS $$
	SELECT pg_temp.error_as(pg_temp.me(), format($q$SELECT max(f) FROM churnops_cross_validate('SELECT %s FROM events', %L,
		'{"n_estimators": 2}', %L %s) AS x(a, f)$q$, columns, target, cv, arguments))
$$;
SELECT is(pg_temp.folds_error('{"fold": 5}'), E'22023\ncv key "fold" is not known\n'
	'Known are "folds", "method", "repeats", "seed", "gap", "test_size", "max_train_size", "nested".\nPerhaps you meant "folds".');
SELECT is(pg_temp.folds_error('{"folds": 1}'), E'22023\ncv "folds" is 1, not an integer from 2 to 1000');
SELECT is(pg_temp.folds_error('{"folds": 2.5}'), E'22023\ncv "folds" is 2.5, not an integer from 2 to 1000');
SELECT is(pg_temp.folds_error('{"method": "strat"}'), E'22023\ncv "method": "strat" is not known\n'
	'Known are "kfold", "stratified", "group", "stratified_group", "time".');
SELECT is(pg_temp.folds_error('[5]'), E'22023\nargument "cv" must be a JSON object');
SELECT is(pg_temp.folds_error('"oob"'), E'22023\na cross-validation has folds, not "oob"\nOut-of-bag metrics are among those of every training.');
SELECT is(pg_temp.folds_error('{"method": "group"}'),
	E'22023\ncv method "group" needs the argument "key"\nName the columns whose equal values belong together.');
SELECT is(pg_temp.folds_error('{"method": "time"}'),
	E'22023\ncv method "time" needs the argument "time_column"\nName the column that orders the rows.');
SELECT is(pg_temp.folds_error('{"method": "kfold"}', ', key => ''{customer}''', 'a, customer, churned'),
	E'22023\ncv method "kfold" would put rows of one entity on both sides\n'
	'Give "group" or "stratified_group", or exclude the columns of the key instead.');
SELECT is(pg_temp.folds_error('{"method": "stratified"}', '', 'a, amount', 'amount'),
	E'22023\ncv method "stratified" needs classes\nA regression has none: give "kfold" or "group".');
SELECT is(pg_temp.folds_error('{"repeats": 2}', ', time_column => ''day''', 'a, day, churned'),
	E'22023\ncv method "time" has nothing to repeat\nLeave out "repeats".');
SELECT is(pg_temp.folds_error('{"gap": 5}'),
	E'22023\ncv method "stratified" takes no "gap", "test_size" or "max_train_size"\nThese belong to the method "time".');
SELECT is(pg_temp.folds_error('{"gap": "1 day"}', ', time_column => ''step''', 'a, step, churned'),
	E'22023\ncv "gap" is an interval, but time column "step" has type integer\nGive the gap as a number of rows.');
SELECT is(pg_temp.folds_error('{"folds": 200}', ', key => ''{customer}''', 'a, customer, churned'),
	E'22023\n150 entities cannot be divided into 200 folds\nGive fewer folds, or more rows.');
SELECT is(pg_temp.folds_error('{"folds": 800}'),
	E'22023\nno class has as many rows as there are folds, 800: the largest has '
	|| (SELECT max(n) FROM (SELECT count(*) AS n FROM events GROUP BY churned) AS x) || E'\nGive fewer folds, or more rows.');
SELECT is(pg_temp.folds_error('{"nested": true}'), E'22023\ncv "nested" is true, not an object with the search within each fold\n'
	'For example {"folds": 5, "nested": {"space": {"max_depth": [5, 10]}, "cv": {"folds": 3}}}.');
SELECT is(pg_temp.folds_error('{"nested": {"n_iter": 3}}'),
	E'22023\nthe nested search has no "space"\nName the parameters that are searched for.');
SELECT is(pg_temp.folds_error('{"nested": {"space": {"max_depth": [1]}, "niter": 3}}'),
	E'22023\nkey "niter" of the nested search is not known\nPerhaps you meant "n_iter".');

CREATE FUNCTION pg_temp.tune_error(space text, arguments text DEFAULT '', target text DEFAULT 'churned')
RETURNS text LANGUAGE sql AS $$
	SELECT pg_temp.error_as(pg_temp.me(), format($q$SELECT ref FROM churnops_tune('wrong', 'SELECT a, b, c, %I FROM events', %L, %L,
		params => '{"n_estimators": 2}' %s)$q$, target, target, space, arguments))
$$;
SELECT is(pg_temp.tune_error('{"max_dept": [1]}'), E'22023\nunrecognized parameter "max_dept"\nDid you mean "max_depth"?', 'unknown parameter');
SELECT is(pg_temp.tune_error('{}'), E'22023\nargument "space" has 0 parameters, from 1 to 100 are allowed\n'
	'For example space => ''{"max_depth": [5, 10, null], "min_samples_leaf": {"low": 1, "high": 100, "log": true}}''.');
SELECT is(pg_temp.tune_error('[1]'), E'22023\nargument "space" must be a JSON object');
SELECT is(pg_temp.tune_error('{"max_depth": 5}'), E'22023\nspace of "max_depth" is 5, neither a list nor a range\n'
	'Give a list of values, or a range as in {"low": 1, "high": 100, "log": true}; what is fixed belongs in params.');
SELECT is(pg_temp.tune_error('{"max_depth": []}'), E'22023\nspace of "max_depth" has 0 values, from 1 to 10000 are allowed');
SELECT is(split_part(pg_temp.tune_error('{"max_depth": [5, "deep"]}'), E'\n', 1), '22023', 'a value that the parameter cannot have');
SELECT is(pg_temp.tune_error('{"max_depth": {"low": 1}}'), E'22023\nspace of "max_depth" has no "high"\n'
	'Give a list of values, or a range as in {"low": 1, "high": 100, "log": true}.');
SELECT is(pg_temp.tune_error('{"max_depth": {"low": 1, "hihg": 3}}'),
	E'22023\nkey of the space of "max_depth": "hihg" is not known\nKnown are "low", "high", "log", "int", "step".\nPerhaps you meant "high".');
SELECT is(pg_temp.tune_error('{"max_depth": {"low": 9, "high": 3}}'), E'22023\nspace of "max_depth": "low" must be below "high"');
SELECT is(pg_temp.tune_error('{"ccp_alpha": {"low": 0, "high": 0.1, "log": true}}'),
	E'22023\nspace of "ccp_alpha": "low" must be above 0 where "log" is true');
SELECT is(pg_temp.tune_error('{"max_samples": {"low": 0.1, "high": 0.9, "log": true, "step": 0.1}}'),
	E'22023\nspace of "max_samples": "step" and "log" exclude each other');
SELECT is(pg_temp.tune_error('{"max_depth": {"low": 1.5, "high": 3, "int": true}}'),
	E'22023\nspace of "max_depth": the bounds and the step of whole numbers must be whole');
SELECT is(pg_temp.tune_error('{"n_estimators": [1, 2]}'),
	E'22023\nparameter "n_estimators" is both in params and in space\nA parameter is either fixed or searched for.');
SELECT is(pg_temp.tune_error('{"max_depth": [1]}', ', method => ''radom'''), E'22023\nsearch method "radom" is not known\n'
	'Known are "random", "grid", "halving", "tpe".\nPerhaps you meant "random".');
SELECT is(pg_temp.tune_error('{"max_depth": [1]}', ', objective => ''rocauc'''),
	E'22023\nobjective of two classes "rocauc" is not known\n'
	'Known are "accuracy", "balanced_accuracy", "precision", "precision_macro", "precision_weighted", "recall", "recall_macro", '
	'"recall_weighted", "f1", "f1_macro", "f1_weighted", "roc_auc", "average_precision", "log_loss", "brier", "ks", "lift_at_10", "mcc".\n'
	'Perhaps you meant "roc_auc".');
SELECT is(pg_temp.tune_error('{"max_depth": [1]}', ', objective => ''roc_auc''', 'amount'),
	E'22023\nobjective of a regression "roc_auc" is not known\nKnown are "rmse", "mae", "r2".');
SELECT is(pg_temp.tune_error('{"max_depth": [1]}', ', options => ''{"factor": 3}'''),
	E'22023\noption of method "random": "factor" is not known\nKnown are "prune".');
SELECT is(pg_temp.tune_error('{"max_samples": {"low": 0.1, "high": 0.9}}', ', method => ''grid'''),
	E'22023\na grid needs lists of values, or ranges with a "step"\nGive method => ''random'' for ranges of any number.');
SELECT is(split_part(pg_temp.tune_error('{"max_depth": {"low": 1, "high": 1000}, "min_samples_leaf": {"low": 1, "high": 1000}}', ', method => ''grid'''),
	E'\n', 2), 'the grid has more than 100000 points');
SELECT is(pg_temp.tune_error('{"max_depth": [1]}', ', n_iter => 0'), E'22023\nn_iter 0 is not in the range from 1 to 100000');
SELECT is(pg_temp.tune_error('{"max_depth": [1]}', ', max_trials => 1'),
	E'22023\nmax_trials needs the argument "study", the name under which it goes on');
SELECT is(pg_temp.tune_error('{"max_depth": [1]}', ', cv => ''{"nested": {"space": {"max_depth": [1]}}}'''),
	E'22023\ncv "nested" belongs to churnops_cross_validate');
SELECT matches(pg_temp.tune_error('{"max_depth": [1]}', ', study => ''No name'''), '42602\ninvalid study name "No name"', 'a study has a name like a model''s');
SELECT is(pg_temp.tune_error('{"bootstrap": [false]}'), E'22023\nnone of 1 trials succeeded\n'
	'The first failed: without "bootstrap" there are no out-of-bag scores.\nGive a space whose parameters go together.');
SELECT is(pg_temp.error_as(pg_temp.me(), $$SELECT ref FROM churnops_tune('wrong', 'SELECT a, churned FROM events', 'churned', '{"max_depth": [1]}',
	cv => '"oob"', params => '{"bootstrap": false}')$$), E'22023\nwithout "bootstrap" there are no out-of-bag scores\nGive cv => ''{"folds": 5}''.');
SELECT is(pg_temp.tune_error('{"max_depth": [1]}', ', method => ''halving'', options => ''{"max_resources": 5000}'''),
	E'22023\noption "max_resources" is 5000, more than the '
	|| (SELECT n_train FROM churnops_train('sized', 'SELECT a, b, c, churned FROM events', 'churned', '{"n_estimators": 1}')) || ' training rows there are');
SELECT is((SELECT count(*) FROM churnops.model WHERE name = 'wrong'), 0::bigint, 'what is refused leaves nothing');

-- ------------------------------------------------------------- methods

SELECT is(pg_temp.tune('random', '{"max_depth": [1, 3, 6, null], "min_samples_leaf": {"low": 1, "high": 60, "log": true}}', ', n_iter => 6'),
	'random/1 approved', 'random search stores the best as a version');
SELECT is((SELECT count(*) FROM churnops.trial WHERE model = 'random'), 6::bigint, 'and its trials');
SELECT is((SELECT kind FROM churnops.run WHERE model = 'random'), 'tune', 'whose run is a search');
SELECT is((SELECT run_kind || ' ' || (study = (SELECT study FROM churnops.study WHERE model = 'random')) FROM churnops.lineage WHERE model = 'random'),
	'tune true', 'as the lineage says');
SELECT ok((SELECT v.params @> t.params FROM churnops.versions AS v JOIN churnops.leaderboard AS t USING (model, version)
	WHERE model = 'random' AND t.kind = 'trial' AND t.rank = 1), 'it has the parameters of the best trial');
SELECT is((SELECT (v.metrics -> 'tuning' ->> 'value')::float8 FROM churnops.versions AS v WHERE model = 'random'),
	(SELECT max(objective) FROM churnops.trial WHERE model = 'random'), 'whose objective is kept in its metrics');
SELECT is((SELECT (metrics -> 'oob' ->> 'roc_auc')::float8 FROM churnops.versions WHERE model = 'random'),
	(SELECT max(objective) FROM churnops.trial WHERE model = 'random'), 'an out-of-bag score is that of the version itself');
SELECT is((SELECT reproduced FROM churnops_reproduce('random/1')), true, 'the version can be reproduced');
SELECT is((SELECT ref FROM churnops_train('plain', 'SELECT a, b, c, d, churned FROM events', 'churned',
	(SELECT params FROM churnops.versions WHERE model = 'random'))), 'plain/1', 'the same by hand');
SELECT is((SELECT count(DISTINCT artifact_digest) FROM churnops.versions WHERE model IN ('random', 'plain')), 1::bigint,
	'the version what a training with these parameters is');

SELECT is(pg_temp.tune('grid', '{"max_depth": [2, 6], "criterion": ["gini", "entropy"], "min_samples_leaf": {"low": 5, "high": 15, "step": 10}}',
	', method => ''grid'', cv => ''{"folds": 3}'''), 'grid/1 approved', 'a grid');
SELECT results_eq($$SELECT number, params, cardinality(fold_scores) FROM churnops.trial WHERE model = 'grid' ORDER BY number LIMIT 3$$,
	$$VALUES (0, '{"criterion": "gini", "max_depth": 2, "min_samples_leaf": 5}'::jsonb, 3),
		(1, '{"criterion": "gini", "max_depth": 2, "min_samples_leaf": 15}', 3),
		(2, '{"criterion": "gini", "max_depth": 6, "min_samples_leaf": 5}', 3)$$, 'in order, with a score a fold');
SELECT is((SELECT count(*) FROM churnops.trial WHERE model = 'grid'), 8::bigint, 'all of it');
SELECT is((SELECT objective FROM churnops.trial WHERE model = 'grid' AND number = 0),
	(SELECT avg(s) FROM churnops.trial AS t, unnest(t.fold_scores) AS s WHERE model = 'grid' AND number = 0), 'the objective is their mean');
SELECT is(pg_temp.tune('halving', '{"max_depth": {"low": 1, "high": 12}}', ', method => ''halving'', n_iter => 9, cv => ''{"folds": 3}'''),
	'halving/1 approved', 'successive halving');
SELECT results_eq($$SELECT rung, count(*), min(resources) = max(resources) FROM churnops.trial WHERE model = 'halving' GROUP BY 1 ORDER BY 1$$,
	$$VALUES (0, 9::bigint, true), (1, 3::bigint, true), (2, 1::bigint, true)$$, 'has rungs');
SELECT set_eq($$SELECT candidate FROM churnops.trial WHERE model = 'halving' AND rung = 1$$,
	$$SELECT candidate FROM churnops.trial WHERE model = 'halving' AND rung = 0 ORDER BY objective DESC, candidate LIMIT 3$$, 'of the best');
SELECT is((SELECT rank FROM churnops.leaderboard WHERE model = 'halving' AND rung = 2), 1::bigint, 'the last rung leads');
SELECT is(pg_temp.tune('halving', '{"max_depth": [2, 5, 9]}', ', method => ''halving'', n_iter => 3,
	options => ''{"resource": "n_estimators", "min_resources": 2, "max_resources": 8, "factor": 2}'''), 'halving/2 approved', 'by trees');
SELECT results_eq($$SELECT rung, n_trees, count(*) FROM churnops.trial AS t JOIN churnops.study AS s USING (study)
	WHERE t.model = 'halving' AND settings -> 'options' ? 'resource' GROUP BY 1, 2 ORDER BY 1$$,
	$$VALUES (0, 2, 3::bigint), (1, 4, 2::bigint)$$, 'as many as the rung has');
SELECT is((SELECT (params ->> 'n_estimators')::int FROM churnops.versions WHERE model = 'halving' AND version = 2), 10, 'the version has all');

SELECT is(pg_temp.tune('tpe', '{"max_depth": {"low": 1, "high": 12}, "max_features": {"low": 0.2, "high": 1}, "criterion": ["gini", "entropy"]}',
	', method => ''tpe'', n_iter => 14, cv => ''{"folds": 2}'', options => ''{"prune": true}'''), 'tpe/1 approved', 'TPE');
SELECT is((SELECT count(*) FROM churnops.trial WHERE model = 'tpe'), 14::bigint, 'has its trials');
SELECT cmp_ok((SELECT count(*) FROM churnops.trial WHERE model = 'tpe' AND status = 'pruned'), '>', 0::bigint, 'hopeless ones are given up');
SELECT is((SELECT max(cardinality(fold_scores)) FROM churnops.trial WHERE model = 'tpe' AND status = 'pruned'), 1, 'after a fold');

SELECT is((SELECT status FROM churnops_tune('stop', 'SELECT a, b, c, churned FROM events', 'churned', '{"max_depth": [1, 4]}', 'grid',
	params => '{"n_estimators": 400}', early_stop => true)), 'approved', 'trees are grown as long as they help');
SELECT cmp_ok((SELECT min(n_trees) FROM churnops.trial WHERE model = 'stop'), '<', 400, 'which is not to the end');
SELECT is((SELECT (params ->> 'n_estimators')::int FROM churnops.versions WHERE model = 'stop'),
	(SELECT n_trees FROM churnops.leaderboard AS l JOIN churnops.trial AS t USING (model, study, number) WHERE model = 'stop' AND l.rank = 1),
	'and the version has as many');

SELECT is(pg_temp.tune('number', '{"max_depth": [1, 6]}', ', cv => ''{"folds": 3}''', 'amount'), 'number/1 approved', 'a regression');
SELECT is((SELECT params ->> 'max_depth' FROM churnops.versions WHERE model = 'number'), '6', 'has the least error');
SELECT is(pg_temp.tune('several', '{"max_depth": [1, 6]}', '', 'kind'), 'several/1 approved', 'several classes');
SELECT is((SELECT objective FROM churnops.study WHERE model = 'several'), 'log_loss', 'by log loss');
SELECT is((SELECT metrics -> 'tuning' ->> 'cv' FROM churnops_tune('grouped', 'SELECT a, b, customer, churned FROM events', 'churned',
	'{"max_depth": [1, 6]}', params => '{"n_estimators": 5}', key => '{customer}')), 'group', 'with a key folds are of entities');
SELECT is((SELECT metrics -> 'tuning' ->> 'cv' FROM churnops_tune('timed', 'SELECT a, b, day, churned FROM events', 'churned',
	'{"max_depth": [1, 6]}', params => '{"n_estimators": 5}', time_column => 'day')), 'time', 'and with a time of time');
SELECT is((SELECT metrics #>> '{tuning,params,splitter}' FROM churnops_tune('split', 'SELECT a, b, c, churned FROM events', 'churned',
	'{"splitter": ["random"]}', params => '{"n_estimators": 5, "bootstrap": true}')), 'random', 'random splits can be tried');
SELECT is((SELECT reproduced FROM churnops_reproduce('split/1')), true, 'and reproduced');
SELECT is(pg_temp.tune('failing', '{"bootstrap": [true, false]}'), 'failing/1 approved', 'a trial may fail');
SELECT is((SELECT message FROM churnops.trial WHERE model = 'failing' AND status = 'failed'), 'without "bootstrap" there are no out-of-bag scores',
	'and says why');
SELECT is((SELECT rank FROM churnops.leaderboard WHERE model = 'failing' AND status = 'failed'), NULL, 'and has no rank');

-- ---------------------------------------------------------- resumption

SELECT is(pg_temp.tune('whole', '{"max_depth": {"low": 1, "high": 12}}', ', method => ''tpe'', n_iter => 14'), 'whole/1 approved', 'in one call');
SELECT is(pg_temp.tune('parts', '{"max_depth": {"low": 1, "high": 12}}', ', method => ''tpe'', n_iter => 14, study => ''s'', max_trials => 5'),
	'incomplete', 'in several calls: not yet');
SELECT is((SELECT count(*) FROM churnops.trial WHERE model = 'parts'), 5::bigint, 'trials are kept');
SELECT is((SELECT n_versions FROM churnops.models WHERE name = 'parts'), 0::bigint, 'there is a model without a version');
SELECT is_empty($$SELECT * FROM churnops_verify('parts')$$, 'which is as it should be');
SELECT throws_ok($$SELECT churnops_predict('parts', '{"a": 1}'::jsonb)$$, '42704', NULL, 'and does not serve');
SELECT is(pg_temp.tune('parts', '{"max_depth": {"low": 1, "high": 12}}', ', method => ''tpe'', n_iter => 14, study => ''s'', max_trials => 5'),
	'incomplete', 'still not');
SELECT is(pg_temp.tune('parts', '{"max_depth": {"low": 1, "high": 12}}', ', method => ''tpe'', n_iter => 14, study => ''s'''),
	'parts/1 approved', 'now it is');
SELECT results_eq($$SELECT number, params, fold_scores, objective FROM churnops.trial WHERE model = 'parts' ORDER BY 1$$,
	$$SELECT number, params, fold_scores, objective FROM churnops.trial WHERE model = 'whole' ORDER BY 1$$, 'the same trials');
SELECT is((SELECT artifact_digest FROM churnops.versions WHERE model = 'parts'),
	(SELECT artifact_digest FROM churnops.versions WHERE model = 'whole'), 'and the same version');
SELECT is(pg_temp.tune('parts', '{"max_depth": {"low": 1, "high": 12}}', ', method => ''tpe'', n_iter => 16, study => ''s'''),
	'parts/2 approved', 'n_iter may be more later');
SELECT is((SELECT count(*) FROM churnops.trial WHERE model = 'parts'), 16::bigint, 'and only the new ones are run');
SELECT is((SELECT string_agg(n_trials::text, ',' ORDER BY entry) FROM (SELECT entry, detail ->> 'n_trials' AS n_trials FROM churnops.audit
	WHERE model = 'parts' AND action = 'tune') AS x), '5,5,4,2', 'the audit has every call');
SELECT is(pg_temp.error_as(pg_temp.me(), $$SELECT pg_temp.tune('parts', '{"max_depth": {"low": 1, "high": 13}}', ', method => ''tpe'', n_iter => 16, study => ''s''')$$),
	E'22023\nstudy "s" of model "parts" was begun with other settings\n'
	'Different: "space" was {"max_depth": {"low": 1, "high": 12}} and is {"max_depth": {"low": 1, "high": 13}}.\n'
	'Go on with the same rows and arguments, or give the study another name.');
UPDATE events SET a = a + 1 WHERE id = 7;
SELECT matches(pg_temp.error_as(pg_temp.me(), $$SELECT pg_temp.tune('parts', '{"max_depth": {"low": 1, "high": 12}}', ', method => ''tpe'', n_iter => 16, study => ''s''')$$),
	'Different: "rows" was "[0-9a-f]{64}" and is "[0-9a-f]{64}"\.', 'other rows are another study');
SELECT is(pg_temp.tune('hp', '{"max_depth": {"low": 1, "high": 12}}', ', method => ''halving'', n_iter => 9, cv => ''{"folds": 2}'', study => ''h'', max_trials => 10'),
	'incomplete', 'halving may stop within a rung');
SELECT is(pg_temp.tune('hp', '{"max_depth": {"low": 1, "high": 12}}', ', method => ''halving'', n_iter => 9, cv => ''{"folds": 2}'', study => ''h'''),
	'hp/1 approved', 'and go on there');
SELECT is((SELECT count(*) FROM churnops.trial WHERE model = 'hp'), 13::bigint, 'with the trials that were left');

-- -------------------------------------------------------- calibration, side

CREATE FUNCTION pg_temp.loss(calibration text, class text DEFAULT NULL) RETURNS float8 LANGUAGE sql AS $$
	SELECT avg(value) FROM churnops_cross_validate('SELECT a, b, c, d, churned FROM events', 'churned',
		jsonb_build_object('n_estimators', 10, 'calibration', calibration), '{"folds": 3}', positive_class => class)
	WHERE metric = 'log_loss' $$;
SELECT ok(pg_temp.loss('sigmoid') < pg_temp.loss(NULL) - 0.01, 'folds are calibrated as a version would be');
SELECT ok(abs(pg_temp.loss('isotonic') - pg_temp.loss('sigmoid')) > 1e-6, 'each in its way');
SELECT ok(abs(pg_temp.loss('sigmoid', 'false') - pg_temp.loss('sigmoid', 'true')) < 1e-12, 'for either class');
SELECT is(round((metrics->'tuning'->>'value')::numeric, 12), round((metrics->'oob'->>'log_loss')::numeric, 12), 'out of bag a trial has the value of its version')
FROM unnest('{false,true}'::boolean[]) AS early, churnops_tune('calibrated_' || early, 'SELECT a, b, c, d, churned FROM events', 'churned',
	'{"calibration": [null, "sigmoid"]}', 'grid', objective => 'log_loss', params => '{"n_estimators": 60, "max_depth": 8}', early_stop => early);
SELECT is((SELECT count(DISTINCT value) FROM churnops.leaderboard WHERE model = 'calibrated_false' AND kind = 'trial'), 2::bigint, 'so calibration can be searched for');
SELECT is(round((metrics->'tuning'->>'value')::numeric, 12), round((metrics->'oob'->>'roc_auc')::numeric, 12), 'early stop with either class as the positive one')
FROM unnest('{false,true}'::text[]) AS class, churnops_tune('side_' || class, 'SELECT a, b, c, d, churned FROM events',
	'churned', '{"max_depth": [4]}', 'grid', params => '{"n_estimators": 60}', early_stop => true, positive_class => class);

-- -------------------------------------------------------------- rights

CREATE ROLE churnops_tuner;
CREATE ROLE churnops_stranger;
GRANT SELECT ON events TO churnops_tuner, churnops_stranger;
SELECT is(pg_temp.value_as('churnops_tuner', $$SELECT ref FROM churnops_tune('theirs', 'SELECT a, b, churned FROM public.events', 'churned',
	'{"max_depth": [2, 3]}', params => '{"n_estimators": 3}', study => 's')$$), 'theirs/1', 'any role tunes a model of its own');
SELECT is(pg_temp.value_as('churnops_tuner', $$SELECT count(*) FROM churnops.leaderboard$$), '3', 'and sees its trials and version');
SELECT is(pg_temp.value_as('churnops_stranger', $$SELECT count(*) FROM churnops.leaderboard$$), '0', 'which others do not');
SELECT is(split_part(pg_temp.error_as('churnops_stranger', 'SELECT * FROM churnops.' || t), E'\n', 1), '42501', t || ' is closed')
FROM unnest('{study,trial}'::text[]) AS t;
SELECT is(pg_temp.error_as('churnops_stranger', $$SELECT churnops_tune('theirs', 'SELECT a, b, churned FROM public.events', 'churned',
	'{"max_depth": [2, 3]}', params => '{"n_estimators": 3}', study => 's')$$),
	E'42501\ncannot train model "theirs"\nChoose another name for the model.', 'nor go on with');
SELECT throws_ok($$UPDATE churnops.trial SET objective = 1$$, '55000', NULL, 'trials are frozen');
SELECT throws_ok($$DELETE FROM churnops.study$$, '55000', NULL, 'and studies');
SELECT throws_ok($$TRUNCATE churnops.trial$$, '55000', NULL, 'as a whole, too');
SELECT is_empty($$SELECT * FROM churnops_verify()$$, 'all is as the functions left it');
ALTER TABLE churnops.trial DISABLE TRIGGER USER;
UPDATE churnops.trial SET objective = 0.99 WHERE model = 'theirs' AND number = 0;
ALTER TABLE churnops.trial ENABLE TRIGGER USER;
SELECT results_eq($$SELECT name, "table", problem FROM churnops_verify('theirs')$$,
	$$VALUES ('theirs', 'trial', 'the row was altered')$$, 'what a superuser alters shows');
SELECT churnops_drop_model('parts');
SELECT is((SELECT count(*) FROM churnops.trial WHERE model = 'parts'), 0::bigint, 'trials go with their model');
SELECT is((SELECT count(*) FROM churnops.study WHERE model = 'parts'), 0::bigint, 'and so do studies');

SELECT * FROM finish();
ROLLBACK;
