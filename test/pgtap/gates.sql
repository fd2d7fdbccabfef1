-- Gates: each of them both ways, on what the stages of a run would have found
BEGIN;
\ir include/setup.sql
SELECT no_plan();

-- What a gate says: passed, value, threshold, message.
CREATE FUNCTION pg_temp.said(gate jsonb) RETURNS text
LANGUAGE sql
AS $$SELECT concat_ws(' | ', gate->>'gate', gate->>'metric', gate->>'value', gate->>'threshold', gate->>'passed', gate->>'message')$$;
CREATE FUNCTION pg_temp.measure(metric text, value float8, slice text DEFAULT NULL, slice_value text DEFAULT NULL, n bigint DEFAULT 1000) RETURNS jsonb
LANGUAGE sql
AS $$SELECT jsonb_build_object('metric', metric, 'class', NULL, 'value', value, 'n', n, 'slice', slice, 'slice_value', slice_value,
	'ci_low', value - 0.01, 'ci_high', value + 0.01)$$;

-- Absolute bounds

SELECT is(pg_temp.said(churnops.bound_gate('absolute', 'accuracy', bound, threshold, pg_temp.measure('accuracy', 0.85))), expected, bound)
FROM (VALUES
	('above', 0.85, 'absolute | accuracy | 0.85 | 0.85 | false | accuracy is 0.85, not above 0.85'),
	('above', 0.8499, 'absolute | accuracy | 0.85 | 0.8499 | true | accuracy is 0.85, above 0.8499'),
	('min', 0.85, 'absolute | accuracy | 0.85 | 0.85 | true | accuracy is 0.85, at least 0.85'),
	('min', 0.86, 'absolute | accuracy | 0.85 | 0.86 | false | accuracy is 0.85, less than 0.86'),
	('max', 0.85, 'absolute | accuracy | 0.85 | 0.85 | true | accuracy is 0.85, at most 0.85'),
	('max', 0.84, 'absolute | accuracy | 0.85 | 0.84 | false | accuracy is 0.85, more than 0.84'),
	('below', 0.85, 'absolute | accuracy | 0.85 | 0.85 | false | accuracy is 0.85, not below 0.85'),
	('below', 0.86, 'absolute | accuracy | 0.85 | 0.86 | true | accuracy is 0.85, below 0.86')) AS t(bound, threshold, expected);
SELECT is(pg_temp.said(churnops.bound_gate('absolute', 'roc_auc', 'min', 0.5, pg_temp.measure('roc_auc', value))),
	'absolute | roc_auc | 0.5 | false | roc_auc is undefined', 'what is undefined passes nothing')
FROM (VALUES (NULL::float8), ('NaN')) AS t(value);
SELECT is(pg_temp.said(churnops.bound_gate('absolute', 'roc_auc', 'min', 0.5, NULL)),
	'absolute | roc_auc | 0.5 | false | roc_auc is undefined', 'nor what was not measured');
SELECT results_eq(
	$$SELECT pg_temp.said(g) FROM churnops.absolute_gates('{"roc_auc": {"min": 0.8, "max": null}, "log_loss": {"max": 0.5, "min": 0.1}}',
		jsonb_build_array(pg_temp.measure('log_loss', 0.4), pg_temp.measure('roc_auc', 0.1, 'plan', 'a'), pg_temp.measure('roc_auc', 0.82))) AS g$$,
	ARRAY['absolute | log_loss | 0.4 | 0.1 | true | log_loss is 0.4, at least 0.1',
		'absolute | log_loss | 0.4 | 0.5 | true | log_loss is 0.4, at most 0.5',
		'absolute | roc_auc | 0.82 | 0.8 | true | roc_auc is 0.82, at least 0.8'],
	'a gate for each bound, on the whole and not on slices');
SELECT is(churnops.bound_gate('absolute', 'roc_auc', 'min', 0.5, pg_temp.measure('roc_auc', 0.8)) - 'message',
	'{"gate": "absolute", "metric": "roc_auc", "slice": null, "slice_value": null, "value": 0.8, "ci_low": 0.79, "ci_high": 0.81,
		"threshold": 0.5, "n": 1000, "passed": true}', 'with interval and number of rows');
SELECT is(churnops.number_text(v), t) FROM (VALUES (0.123456::float8, '0.1235'), (1, '1'), (0, '0'), (1e-5, '1.00e-05'), (-2.5, '-2.5'),
	(NULL, 'undefined'), ('NaN', 'NaN'), ('-Infinity', '-Infinity'), (123456.75, '123456.75')) AS x(v, t);

-- The champion: better by 0.02, surely by 0.012 to 0.028, of a metric that should be large, and of one that should be small

CREATE FUNCTION pg_temp.compared(metric text, difference float8, low float8, high float8) RETURNS jsonb
LANGUAGE sql
AS $$SELECT jsonb_build_object('metric', metric, 'bound', CASE WHEN metric IN ('log_loss', 'rmse') THEN -high ELSE low END, 'value_a', 0.82, 'value_b', 0.80, 'difference', difference, 'ci_low', low, 'ci_high', high,
	'p_value', 0.001, 'test', 'delong', 'n', 1400)$$;
SELECT is(pg_temp.said(churnops.champion_gate(jsonb_build_object('metric', metric, 'rule', rule, 'margin', margin), 3,
	pg_temp.compared(metric, difference, low, high))), expected, format('%s of %s', rule, metric))
FROM (VALUES
	('roc_auc', 'non_inferiority', 0.005, 0.02, 0.012, 0.028,
		'champion | roc_auc | 0.02 | -0.005 | true | roc_auc gains 0.02 over version 3, at least 0.012, above -0.005'),
	('roc_auc', 'non_inferiority', 0.005, 0.001, -0.004, 0.006,
		'champion | roc_auc | 0.001 | -0.005 | true | roc_auc gains 0.001 over version 3, at least -0.004, above -0.005'),
	('roc_auc', 'non_inferiority', 0.005, 0.001, -0.005, 0.006,
		'champion | roc_auc | 0.001 | -0.005 | false | roc_auc gains 0.001 over version 3, at least -0.005, not above -0.005'),
	('roc_auc', 'superiority', 0, 0.02, 0.012, 0.028,
		'champion | roc_auc | 0.02 | 0 | true | roc_auc gains 0.02 over version 3, at least 0.012, above 0'),
	('roc_auc', 'superiority', 0.015, 0.02, 0.012, 0.028,
		'champion | roc_auc | 0.02 | 0.015 | false | roc_auc gains 0.02 over version 3, at least 0.012, not above 0.015'),
	('log_loss', 'non_inferiority', 0.005, -0.02, -0.028, -0.012,
		'champion | log_loss | 0.02 | -0.005 | true | log_loss gains 0.02 over version 3, at least 0.012, above -0.005'),
	('log_loss', 'non_inferiority', 0.005, 0.02, 0.012, 0.028,
		'champion | log_loss | -0.02 | -0.005 | false | log_loss gains -0.02 over version 3, at least -0.028, not above -0.005'),
	('rmse', 'superiority', 0, -0.02, -0.028, 0.001,
		'champion | rmse | 0.02 | 0 | false | rmse gains 0.02 over version 3, at least -0.001, not above 0'))
	AS t(metric, rule, margin, difference, low, high, expected);
SELECT is(pg_temp.said(churnops.champion_gate('{"metric": "roc_auc"}', NULL, NULL)),
	'champion | roc_auc | true | there is no champion to compare with', 'without a champion it passes, and says so');
SELECT is(pg_temp.said(churnops.champion_gate('{"metric": "roc_auc"}', 3, '{"metric": "roc_auc", "difference": null, "bound": null}')),
	'champion | roc_auc | -0.005 | false | roc_auc cannot be compared with version 3', 'what cannot be compared does not');
SELECT is(pg_temp.said(churnops.champion_gate('{"metric": "roc_auc"}', 3, NULL)),
	'champion | roc_auc | -0.005 | false | roc_auc cannot be compared with version 3', 'nor what was not');
SELECT results_eq($$SELECT k COLLATE "C" FROM jsonb_object_keys(churnops.champion_gate('{"metric": "roc_auc"}', 3, pg_temp.compared('roc_auc', 0, 0, 0))) AS k ORDER BY 1$$,
	$$SELECT unnest('{champion_version,ci_high,ci_low,gate,message,metric,n,p_value,passed,rule,slice,slice_value,test,threshold,value,value_champion,value_version}'::text[]) COLLATE "C"$$,
	'with all numbers');
SELECT is(churnops.lower_is_better(m), lower, m) FROM (VALUES ('roc_auc', false), ('log_loss', true), ('brier', true), ('rmse', true), ('mae', true), ('r2', false),
	('ece', true), ('recall', false), ('precision', false), ('lift_at_10', false), ('poisson_deviance', true), ('max_error', true), ('mcc', false)) AS t(m, lower);

-- Data quality

CREATE FUNCTION pg_temp.expectations(VARIADIC failed text[]) RETURNS jsonb
LANGUAGE sql
AS $$SELECT jsonb_build_array('{"expectation": "a", "severity": "critical", "success": true, "message": "fine"}'::jsonb)
	|| coalesce(jsonb_agg(jsonb_build_object('expectation', 'b', 'severity', f, 'success', false, 'message', 'a ' || f || ' one failed')), '[]')
	FROM unnest(failed) AS f$$;
SELECT is(pg_temp.said(churnops.data_quality_gate(level, pg_temp.expectations(VARIADIC failed))), expected, format('%s: %s', level, failed))
FROM (VALUES
	('critical', '{}'::text[], 'data_quality | failed_expectations | 0 | 0 | true | 1 expectations, none failed'),
	('critical', '{warning}', 'data_quality | failed_expectations | 0 | 0 | true | 2 expectations, none failed that counts (1 did)'),
	('critical', '{warning,critical}', 'data_quality | failed_expectations | 1 | 0 | false | a critical one failed'),
	('warning', '{warning,critical}', 'data_quality | failed_expectations | 2 | 0 | false | a warning one failed; a critical one failed'),
	('none', '{critical}', 'data_quality | failed_expectations | 0 | 0 | true | 2 expectations, none failed that counts (1 did)')) AS t(level, failed, expected);

-- Leakage

SELECT is(pg_temp.said(churnops.leakage_gate(level, checks)), expected, level)
FROM (VALUES
	('error', NULL::jsonb, 'leakage | failed_checks | 0 | 0 | true | no check of the data found anything'),
	('error', '[{"severity": "info", "message": "i"}, {"severity": "warning", "message": "w"}]', 'leakage | failed_checks | 0 | 0 | true | no check of the data found anything'),
	('warning', '[{"severity": "info", "message": "i"}, {"severity": "warning", "message": "w"}]', 'leakage | failed_checks | 1 | 0 | false | w'),
	('error', '[{"severity": "error", "message": "e"}, {"severity": "warning", "message": "w"}]', 'leakage | failed_checks | 1 | 0 | false | e'))
	AS t(level, checks, expected);

-- Slices

CREATE FUNCTION pg_temp.slices() RETURNS jsonb
LANGUAGE sql
AS $$SELECT jsonb_build_array(pg_temp.measure('roc_auc', 0.8), pg_temp.measure('roc_auc', 0.75, 'plan', 'basic'), pg_temp.measure('roc_auc', 0.69, 'plan', 'gold'),
	pg_temp.measure('roc_auc', NULL, 'plan', 'none'), pg_temp.measure('roc_auc', 0.2, 'plan', 'rare', 99),
	pg_temp.measure('log_loss', 0.4), pg_temp.measure('log_loss', 0.45, 'plan', 'basic'), pg_temp.measure('log_loss', 0.6, 'plan', NULL))$$;
SELECT results_eq(
	$$SELECT concat_ws(' ', g->>'slice', g->>'slice_value', pg_temp.said(g)) FROM churnops.slice_gates('{"metric": "roc_auc", "min": 0.7, "max_drop": 0.3, "min_rows": 100}', pg_temp.slices()) AS g$$,
	ARRAY['plan basic slices | roc_auc | 0.75 | 0.5 | true | roc_auc of plan = basic is 0.75, at least 0.5',
		'plan basic slices | roc_auc | 0.75 | 0.7 | true | roc_auc of plan = basic is 0.75, at least 0.7',
		'plan gold slices | roc_auc | 0.69 | 0.5 | true | roc_auc of plan = gold is 0.69, at least 0.5',
		'plan gold slices | roc_auc | 0.69 | 0.7 | false | roc_auc of plan = gold is 0.69, less than 0.7',
		'plan none slices | roc_auc | 0.5 | true | roc_auc of plan = none is undefined',
		'plan none slices | roc_auc | 0.7 | true | roc_auc of plan = none is undefined'],
	'a gate for each slice and bound; small slices are not judged');
SELECT results_eq(
	$$SELECT pg_temp.said(g) FROM churnops.slice_gates('{"metric": "log_loss", "max_drop": 0.1}', pg_temp.slices()) AS g$$,
	ARRAY['slices | log_loss | 0.45 | 0.5 | true | log_loss of plan = basic is 0.45, at most 0.5',
		'slices | log_loss | 0.6 | 0.5 | false | log_loss of plan = NULL is 0.6, more than 0.5'],
	'worse is larger for a loss');
SELECT results_eq(
	$$SELECT pg_temp.said(g) FROM churnops.slice_gates('{"metric": "log_loss", "max": 0.5}', pg_temp.slices()) AS g$$,
	ARRAY['slices | log_loss | 0.45 | 0.5 | true | log_loss of plan = basic is 0.45, at most 0.5',
		'slices | log_loss | 0.6 | 0.5 | false | log_loss of plan = NULL is 0.6, more than 0.5'], 'an upper bound');

-- All together, in their order

SELECT results_eq(
	$$SELECT concat_ws(' ', g->>'gate', g->>'passed', g->>'message') FROM jsonb_array_elements(churnops.all_gates(
		'{"absolute": {"roc_auc": {"min": 0.7}}, "champion": {"metric": "roc_auc", "rule": "non_inferiority", "margin": 0.005}, "leakage": "error",
			"calibration": {"max_ece": 0.05}, "latency": {"max_microseconds_per_row": 50}, "artifact": {"max_bytes": 1000}, "slices": {"metric": "roc_auc", "min": 0.9}}',
		jsonb_build_object('measures', pg_temp.slices() || pg_temp.measure('ece', 0.06), 'checks', '[]'::jsonb, 'champion_version', 3,
			'compared', pg_temp.compared('roc_auc', 0.02, 0.01, 0.03), 'latency', '{"value": 3.25, "n": 1000}'::jsonb, 'artifact', '{"value": 1001}'::jsonb,
			'data_quality', churnops.data_quality_gate('critical', pg_temp.expectations(VARIADIC '{}'))))) AS g$$,
	ARRAY['data_quality true 1 expectations, none failed', 'leakage true no check of the data found anything', 'absolute true roc_auc is 0.8, at least 0.7',
		'calibration false ece is 0.06, more than 0.05', 'slices false roc_auc of plan = basic is 0.75, less than 0.9', 'slices false roc_auc of plan = gold is 0.69, less than 0.9',
		'slices true roc_auc of plan = none is undefined', 'slices false roc_auc of plan = rare is 0.2, less than 0.9',
		'champion true roc_auc gains 0.02 over version 3, at least 0.01, above -0.005',
		'latency true microseconds_per_row is 3.25, at most 50', 'artifact false bytes is 1001, more than 1000'],
	'all gates');
SELECT is(churnops.all_gates('{}', '{}'), '[]', 'no gates');
SELECT is(churnops.refusals('[{"passed": true, "message": "a"}, {"passed": false, "message": "b"}, {"passed": false, "message": "c"}]'), 'b; c', 'what refuses');
SELECT is(churnops.refusals('[{"passed": true, "message": "a"}]'), NULL, 'nothing');

SELECT * FROM finish();
ROLLBACK;
