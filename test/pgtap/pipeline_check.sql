-- churnops_check_pipeline: the errors that users see, whole; the table of keys
-- against the tables that it stands for
BEGIN;
\ir include/setup.sql
SELECT no_plan();

CREATE FUNCTION pg_temp.answer(yaml text) RETURNS text LANGUAGE sql
AS $$ SELECT pg_temp.error_as(current_user, format('SELECT churnops_check_pipeline(%L)', yaml)) $$;

-- What is refused

SELECT is(pg_temp.answer(E'data: {query: q}\nhyperparameters:\n  max_depth: 3\n  n_estimatorz: 150\n'),
	'22023
line 4, column 3: unknown key "n_estimatorz" in hyperparameters
Allowed are bootstrap, calibration, ccp_alpha, class_weight, criterion, max_depth, max_features, max_leaf_nodes, max_samples, min_impurity_decrease, min_samples_leaf, min_samples_split, min_weight_fraction_leaf, monotonic_cst, n_estimators, n_jobs, oob_score, random_state, splitter.
Did you mean "n_estimators"?', 'an unknown key, and the nearest');
SELECT is(pg_temp.answer(E'model: a\ndata_path: a.csv\nmodel: b\n'),
	'42601
line 3, column 1: key "model" is given twice
It was given before in line 1, column 1.', 'a duplicate');
SELECT is(pg_temp.answer(E'data_path: a.csv\nhyperparameters: {n_estimators: many}'),
	'22023
line 2, column 33: parameter "n_estimators" is "many"
Allowed is an integer from 1 to 100000.
Leave it out for the default, 100; SELECT * FROM churnops_parameters() lists all.', 'a wrong type');
SELECT is(pg_temp.answer(E'data_path: a.csv\nsplit: {test_size: 1.5}'),
	'22023
line 2, column 20: split.test_size cannot be 1.5
Allowed is a number from 0 to below 1.
Leave it out for the default, 0.2.', 'out of range');
SELECT is(pg_temp.answer(E'data: {query: q\n'),
	'42601
line 2, column 1: did not find expected '','' or ''}''
Found while parsing a flow mapping, which begins in line 1, column 7.
Look at quotes, colons and indentation there and just before.', 'no YAML');
SELECT is(pg_temp.answer(E'data:\n\tquery: q\n'),
	'42601
line 2, column 1: found character that cannot start any token
Found while scanning for the next token, which begins in line 2, column 1.
Indent with blanks: YAML does not allow tabs there.', 'a tab');
SELECT is(pg_temp.answer(E'a: &a [*a]'),
	'42601
line 1, column 8: alias "*a" stands inside of what it names', 'an alias in a circle');
SELECT is(pg_temp.answer(E'a: &a [x, x]\n' || (SELECT string_agg(format(E'b%s: &b%s [%s, %s]\n', i, i,
		CASE i WHEN 1 THEN '*a' ELSE '*b' || i - 1 END, CASE i WHEN 1 THEN '*a' ELSE '*b' || i - 1 END), '' ORDER BY i)
	FROM generate_series(1, 40) AS i)),
	'54000
line 14, column 6: more than 20000 values once aliases are expanded', 'aliases that stand for 2^41 values');
SELECT is(pg_temp.answer('model: ' || repeat('a', 1048570)),
	'54000
a YAML text of 1048577 bytes is too long
At most 1048576 bytes are read.', 'more than 1 MB');
SELECT is(pg_temp.answer(repeat('[', 33) || repeat(']', 33)),
	'54000
line 1, column 33: more than 32 levels', 'too deep');
SELECT is(pg_temp.answer(E'---\ndata_path: a\n---\ndata_path: b\n'),
	'42601
line 3, column 1: a second document begins
Write one pipeline a text, without --- between.', 'two documents');
SELECT is(pg_temp.answer(E'data_path: a\nmodel: !!python/object:os.system x\n'),
	'42601
line 2, column 8: tag "tag:yaml.org,2002:python/object:os.system" is not known
Leave tags out; a text that begins with ! needs quotes.', 'a tag');
SELECT is(pg_temp.answer(E'data_path: a\ndata: {query: q}\n'),
	'22023
line 2, column 1: the pipeline has both "data" and "data_path"
"data_path" was given in line 1, column 1.
data_path is the short form of data.file.', 'the short form and the full one');
SELECT is(pg_temp.answer(E'data_path: a\nevaluation_metrics: {log_loss_threshold: 0.5}\n'),
	'22023
line 2, column 22: "log_loss_threshold" would pass when the metric is greater, but less is better
Write the bound as evaluation: {gates: {absolute: {log_loss: {max: …}}}}.', 'a threshold that would be the wrong way');
SELECT is(pg_temp.answer(E'data_path: a\nevaluation_metrics: {accuracy_threshold: "0.85"}\n'),
	'22023
line 2, column 42: evaluation_metrics.accuracy_threshold cannot be "0.85"
Allowed is a number.
Write 0.85 without quotes.', 'a problem of the short form is told once');
SELECT is(pg_temp.answer(E'data: {query: q, expectations: [{expect_column_values_to_be_btween: {column: a}}]}\n'),
	'22023
line 1, column 34: unknown expectation "expect_column_values_to_be_btween" in data.expectations[1].expectation
' || (SELECT detail FROM (SELECT split_part(pg_temp.answer(
		E'data: {query: q, expectations: [{expect_column_values_to_be_btween: {column: a}}]}\n'), E'\n', 3) AS detail) AS d) || '
Did you mean "expect_column_values_to_be_between"?', 'an unknown expectation');
SELECT is(pg_temp.answer(E'modle: a\nsplit: {test_size: 2}\ncv: {folds: 1}\n'),
	'22023
line 1, column 1: unknown key "modle"
Allowed are model, description, target, task, positive_class, data, hyperparameters, search, split, cv, evaluation, output, deployment, monitoring, retrain, approval, data_path, model_output_path, model_version, evaluation_metrics.
line 1, column 1: the pipeline needs data or data_path
line 2, column 20: split.test_size cannot be 2
line 3, column 13: cv.folds cannot be 1', 'all problems, the first one first');
SELECT is(pg_temp.answer((SELECT string_agg(format('k%s: 1', i), E'\n' ORDER BY i) FROM generate_series(1, 30) AS i))
	LIKE '%and 11 more%', true, 'but not too many');
SELECT is(pg_temp.answer(NULL), '22004
argument "yaml" must not be null', 'NULL');

-- What is allowed, and comes back

SELECT is(churnops_check_pipeline($$
data_path: "s3://my-ml-bucket/customer_data_v2.csv"
model_output_path: "s3://my-ml-bucket/models/churn_model"
model_version: "v2"
hyperparameters:
  n_estimators: 150
  max_depth: 12
evaluation_metrics:
  accuracy_threshold: 0.85
$$) - '{model,description,target,task,positive_class,search,split,cv,deployment,monitoring,retrain,approval}'::text[],
	'{"data": {"query": null, "dataset": null, "file": "s3://my-ml-bucket/customer_data_v2.csv", "table": null, "csv": null,
		"key": null, "time_column": null, "exclude": null, "weight": null, "expectations": []},
	"hyperparameters": {"n_estimators": 150, "max_depth": 12},
	"output": {"path": "s3://my-ml-bucket/models/churn_model", "alias": "v2"},
	"evaluation": {"metrics": null, "slices": null, "confidence": 0.95, "threshold": null, "gates": {
		"absolute": {"accuracy": {"above": 0.85, "below": null, "min": null, "max": null}}, "champion": null,
		"data_quality": "critical", "leakage": "error", "calibration": null, "latency": null, "artifact": null, "slices": null}}}'::jsonb,
	'the short form');
SELECT is(churnops_check_pipeline(churnops_check_pipeline(yaml)::text), churnops_check_pipeline(yaml), 'the full form of a full form')
FROM (VALUES ($$data: {query: q, expectations: [{expect_column_values_to_not_be_null: {column: a}}]}
search: {method: grid, space: {max_depth: [1, null]}}
retrain: {triggers: {age: 7 days}}
monitoring: {}$$)) AS v(yaml);
SELECT is(churnops_check_pipeline(E'data: {query: "SELECT 1 AS ä"}') #>> '{data,query}', 'SELECT 1 AS ä', 'texts of other letters');

-- The table of keys against those that it stands for

SELECT set_eq(
	$$SELECT substr(path, 19), allowed FROM churnops_pipeline_keys() WHERE path LIKE 'deployment.config.%'$$,
	$$SELECT DISTINCT name, CASE kind WHEN 'boolean' THEN 'true or false'
		WHEN 'names' THEN 'a list (not empty) of names of columns, none twice'
		ELSE format('a number from %s to %s', lowest, highest) END
	FROM unnest('{all_at_once,canary,linear,shadow}'::text[]) AS s(strategy), churnops.deployment_settings(s.strategy)$$,
	'settings of deployments and their ranges');
SELECT is_empty(
	$$SELECT s.strategy, d.name, pg_temp.answer(format('{data_path: a, deployment: {strategy: %s, config: {%s: %s}}}',
		s.strategy, d.name, d.example))
	FROM unnest('{all_at_once,canary,linear,shadow}'::text[]) AS s(strategy), (
		SELECT DISTINCT d.name, CASE d.kind WHEN 'boolean' THEN 'true' WHEN 'names' THEN '[a]' ELSE d.lowest::text END AS example
		FROM unnest('{all_at_once,canary,linear,shadow}'::text[]) AS t(strategy), churnops.deployment_settings(t.strategy) AS d) AS d
	WHERE (pg_temp.answer(format('{data_path: a, deployment: {strategy: %s, config: {%s: %s}}}', s.strategy, d.name, d.example))
			LIKE '22023%does not go with strategy%')
		IS DISTINCT FROM NOT EXISTS (SELECT FROM churnops.deployment_settings(s.strategy) AS e WHERE e.name = d.name)$$,
	'and which strategy has which');
SELECT set_eq(
	$$SELECT name FROM churnops_parameters()$$,
	$$SELECT k FROM jsonb_object_keys(churnops_pipeline_schema() #> '{properties,hyperparameters,anyOf,0,properties}') AS k$$,
	'hyper-parameters in the schema');
SELECT set_eq(
	$$SELECT expectation FROM churnops_expectations()$$,
	$$SELECT e FROM jsonb_array_elements_text(churnops_pipeline_schema() #> '{definitions,expectation,enum}') AS e$$,
	'expectations in the schema');
SELECT is_empty(
	$$SELECT path FROM churnops_pipeline_keys() WHERE description !~ '\.$' OR allowed = ''$$,
	'every key has its sentence');
SELECT is_empty(
	$$SELECT path, count(*) FROM churnops_pipeline_keys() GROUP BY path HAVING count(*) > 1$$,
	'and is there once');

SELECT * FROM finish();
ROLLBACK;
