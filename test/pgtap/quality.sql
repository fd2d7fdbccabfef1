-- Data quality: every expectation met and not met, refusals, stored expectations, profiles, suggestions
BEGIN;
\ir include/setup.sql
SELECT no_plan();

CREATE ROLE churnops_alice;
CREATE ROLE churnops_bob;

CREATE TYPE public.mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN public.months AS integer CHECK (VALUE >= 0);
CREATE TABLE public.r (id integer, n integer, x double precision, t text, u text, at timestamp, b boolean, m public.mood,
	g public.months, doc text, day text, gone text, up integer, w numeric);
INSERT INTO public.r VALUES
	(1, 1, 1.5, 'apple', 'apple', '2024-01-01', true, 'sad', 3, '{"a": 1}', '2024-01-31', NULL, 1, 10),
	(2, 2, 2.5, 'banana', 'banana', '2024-01-02', false, 'ok', 4, '[1]', '2024-02-29', NULL, 2, 20),
	(3, 2, 'NaN', 'cherry', 'x', '2024-01-03', true, 'ok', 5, 'no', '2023-02-29', NULL, 2, 30),
	(4, 3, 4.5, NULL, NULL, '2024-01-04', NULL, 'happy', 6, NULL, '31.01.2024', NULL, 5, 40),
	(5, NULL, 100, 'date', 'date', NULL, true, NULL, NULL, '"x"', 'x', NULL, 4, NULL);
GRANT SELECT ON public.r TO churnops_alice, churnops_bob;

-- What is found: counts and list, or what was observed; then whether it is as expected.
CREATE FUNCTION pg_temp.v(query text, expectation text, kwargs jsonb) RETURNS text
LANGUAGE sql
AS $$
	SELECT concat_ws(' ', v.success::text, v.element_count || '/' || v.missing_count || '/' || v.unexpected_count,
		v.partial_unexpected_list, v.observed_value, CASE WHEN v.message LIKE 'column%' THEN v.message END)
	FROM churnops_validate(query, jsonb_build_array(kwargs || jsonb_build_object('expectation', expectation))) AS v
$$;

CREATE TEMPORARY TABLE cases (place serial, expectation text, kwargs jsonb, result text);
INSERT INTO cases (expectation, kwargs, result) VALUES
	('column_to_exist', '{"column": "n"}', 'true ["id", "n", "x", "t", "u", "at", "b", "m", "g", "doc", "day", "gone", "up", "w"]'),
	('column_to_exist', '{"column": "n", "column_index": 2}', 'false ["id", "n", "x", "t", "u", "at", "b", "m", "g", "doc", "day", "gone", "up", "w"]'),
	('column_to_exist', '{"column": "none"}', 'false ["id", "n", "x", "t", "u", "at", "b", "m", "g", "doc", "day", "gone", "up", "w"]'),
	('table_column_count_to_equal', '{"value": 14}', 'true 14'),
	('table_column_count_to_equal', '{"value": 13}', 'false 14'),
	('table_column_count_to_be_between', '{"min_value": 14, "max_value": 20}', 'true 14'),
	('table_column_count_to_be_between', '{"min_value": 14, "strict_min": true}', 'false 14'),
	('table_row_count_to_equal', '{"value": 5}', 'true 5'),
	('table_row_count_to_equal', '{"value": 4}', 'false 5'),
	('table_row_count_to_be_between', '{"max_value": 5}', 'true 5'),
	('table_row_count_to_be_between', '{"max_value": 5, "strict_max": true}', 'false 5'),
	('table_row_count_to_equal_other_table', '{"other_table_name": "public.r"}', 'true {"self": 5, "other": 5}'),
	('table_row_count_to_equal_other_table', '{"other_table_name": "SELECT 1"}', 'false {"self": 5, "other": 1}'),
	('column_values_to_be_of_type', '{"column": "n", "type_": "INTEGER"}', 'true "integer"'),
	('column_values_to_be_of_type', '{"column": "x", "type_": "float64"}', 'true "double precision"'),
	('column_values_to_be_of_type', '{"column": "m", "type_": "mood"}', 'true "public.mood"'),
	('column_values_to_be_of_type', '{"column": "n", "type_": "text"}', 'false "integer"'),
	('column_values_to_be_in_type_list', '{"column": "g", "type_list": ["text", "months"]}', 'true "public.months"'),
	('column_values_to_be_in_type_list', '{"column": "g", "type_list": ["text", "bool"]}', 'false "public.months"'),
	('column_values_to_not_be_null', '{"column": "id"}', 'true 5/0/0 []'),
	('column_values_to_not_be_null', '{"column": "t"}', 'false 5/0/1 []'),
	('column_values_to_not_be_null', '{"column": "x", "mostly": 0.8}', 'true 5/0/1 []'),
	('column_values_to_not_be_null', '{"column": "x", "mostly": 0.81}', 'false 5/0/1 []'),
	('column_values_to_be_null', '{"column": "gone"}', 'true 5/0/0 []'),
	('column_values_to_be_null', '{"column": "n"}', 'false 5/0/4 [1, 2, 2, 3]'),
	('column_values_to_be_in_set', '{"column": "n", "value_set": [1, 2, 3, null]}', 'true 5/1/0 []'),
	('column_values_to_be_in_set', '{"column": "n", "value_set": [2]}', 'false 5/1/2 [1, 3]'),
	('column_values_to_be_in_set', '{"column": "n", "value_set": []}', 'false 5/1/4 [1, 2, 2, 3]'),
	('column_values_to_be_in_set', '{"column": "m", "value_set": ["sad", "ok", "happy"]}', 'true 5/1/0 []'),
	('column_values_to_be_in_set', '{"column": "b", "value_set": [true]}', 'false 5/1/1 [false]'),
	('column_values_to_be_in_set', '{"column": "at", "value_set": ["2024-01-01", "2024-01-02T00:00"], "mostly": 0.5}',
		'true 5/1/2 ["2024-01-03T00:00:00", "2024-01-04T00:00:00"]'),
	('column_values_to_not_be_in_set', '{"column": "t", "value_set": ["x"]}', 'true 5/1/0 []'),
	('column_values_to_not_be_in_set', '{"column": "t", "value_set": ["date"]}', 'false 5/1/1 ["date"]'),
	('column_values_to_be_between', '{"column": "n", "min_value": 1, "max_value": 3}', 'true 5/1/0 []'),
	('column_values_to_be_between', '{"column": "n", "min_value": 1.5}', 'false 5/1/1 [1]'),
	('column_values_to_be_between', '{"column": "n", "min_value": 1, "max_value": 3, "strict_min": true, "strict_max": true}', 'false 5/1/2 [1, 3]'),
	('column_values_to_be_between', '{"column": "x", "max_value": 50}', 'false 5/1/1 [100]'),
	('column_values_to_be_between', '{"column": "t", "min_value": "b"}', 'false 5/1/1 ["apple"]'),
	('column_values_to_be_between', '{"column": "at", "min_value": "2024-01-02"}', 'false 5/1/1 ["2024-01-01T00:00:00"]'),
	('column_values_to_be_between', '{"column": "day", "max_value": "2024-02-01", "parse_strings_as_datetimes": true}',
		'false 5/0/4 ["2024-02-29", "2023-02-29", "31.01.2024", "x"]'),
	('column_values_to_be_unique', '{"column": "id"}', 'true 5/0/0 []'),
	('column_values_to_be_unique', '{"column": "n"}', 'false 5/1/2 [2]'),
	('column_values_to_be_increasing', '{"column": "id", "strictly": true}', 'true 5/0/0 []'),
	('column_values_to_be_increasing', '{"column": "n"}', 'true 5/1/0 []'),
	('column_values_to_be_increasing', '{"column": "n", "strictly": true}', 'false 5/1/1 [2]'),
	('column_values_to_be_increasing', '{"column": "up"}', 'false 5/0/1 [4]'),
	('column_values_to_be_decreasing', '{"column": "gone"}', 'true 5/5/0 []'),
	('column_values_to_be_decreasing', '{"column": "n"}', 'false 5/1/2 [2, 3]'),
	('column_values_to_match_regex', '{"column": "t", "regex": "[aeiou]"}', 'true 5/1/0 []'),
	('column_values_to_match_regex', '{"column": "t", "regex": "^[a-c]"}', 'false 5/1/1 ["date"]'),
	('column_values_to_not_match_regex', '{"column": "t", "regex": "z"}', 'true 5/1/0 []'),
	('column_values_to_not_match_regex', '{"column": "t", "regex": "e$"}', 'false 5/1/2 ["apple", "date"]'),
	('column_values_to_match_regex_list', '{"column": "t", "regex_list": ["^[a-c]", "^d"]}', 'true 5/1/0 []'),
	('column_values_to_match_regex_list', '{"column": "t", "regex_list": ["a", "p"], "match_on": "all"}', 'false 5/1/3 ["banana", "cherry", "date"]'),
	('column_values_to_not_match_regex_list', '{"column": "t", "regex_list": ["q", "z"]}', 'true 5/1/0 []'),
	('column_values_to_not_match_regex_list', '{"column": "t", "regex_list": ["q", "rr"]}', 'false 5/1/1 ["cherry"]'),
	('column_values_to_match_like_pattern', '{"column": "t", "like_pattern": "%a%", "mostly": 0.75}', 'true 5/1/1 ["cherry"]'),
	('column_values_to_match_like_pattern', '{"column": "t", "like_pattern": "%a%"}', 'false 5/1/1 ["cherry"]'),
	('column_values_to_not_match_like_pattern', '{"column": "t", "like_pattern": "z%"}', 'true 5/1/0 []'),
	('column_values_to_not_match_like_pattern', '{"column": "t", "like_pattern": "_a%"}', 'false 5/1/2 ["banana", "date"]'),
	('column_values_to_match_like_pattern_list', '{"column": "t", "like_pattern_list": ["%a%", "c%"]}', 'true 5/1/0 []'),
	('column_values_to_match_like_pattern_list', '{"column": "t", "like_pattern_list": ["%a%", "%e"], "match_on": "all"}', 'false 5/1/2 ["banana", "cherry"]'),
	('column_values_to_not_match_like_pattern_list', '{"column": "t", "like_pattern_list": ["z%", "q%"]}', 'true 5/1/0 []'),
	('column_values_to_not_match_like_pattern_list', '{"column": "t", "like_pattern_list": ["z%", "d%"]}', 'false 5/1/1 ["date"]'),
	('column_value_lengths_to_equal', '{"column": "u", "value": 5, "mostly": 0.25}', 'true 5/1/3 ["banana", "x", "date"]'),
	('column_value_lengths_to_equal', '{"column": "t", "value": 5}', 'false 5/1/3 ["banana", "cherry", "date"]'),
	('column_value_lengths_to_be_between', '{"column": "t", "min_value": 4, "max_value": 6}', 'true 5/1/0 []'),
	('column_value_lengths_to_be_between', '{"column": "t", "min_value": 4, "strict_min": true}', 'false 5/1/1 ["date"]'),
	('column_values_to_match_strftime_format', '{"column": "day", "strftime_format": "%Y-%m-%d", "mostly": 0.4}', 'true 5/0/3 ["2023-02-29", "31.01.2024", "x"]'),
	('column_values_to_match_strftime_format', '{"column": "day", "strftime_format": "%d.%m.%Y"}', 'false 5/0/4 ["2024-01-31", "2024-02-29", "2023-02-29", "x"]'),
	('column_values_to_be_dateutil_parseable', '{"column": "at"}', 'true 5/1/0 []'),
	('column_values_to_be_dateutil_parseable', '{"column": "day", "mostly": 0.5}', 'false 5/0/3 ["2023-02-29", "31.01.2024", "x"]'),
	('column_values_to_be_json_parseable', '{"column": "doc", "mostly": 0.75}', 'true 5/1/1 ["no"]'),
	('column_values_to_be_json_parseable', '{"column": "doc"}', 'false 5/1/1 ["no"]'),
	('column_value_z_scores_to_be_less_than', '{"column": "x", "threshold": 1.5}', 'true 5/1/0 []'),
	('column_value_z_scores_to_be_less_than', '{"column": "x", "threshold": 1.4}', 'false 5/1/1 [100]'),
	('column_value_z_scores_to_be_less_than', '{"column": "x", "threshold": 0.4, "double_sided": true}', 'false 5/1/4 [1.5, 2.5, 4.5, 100]'),
	('column_value_z_scores_to_be_less_than', '{"column": "x", "threshold": 0.4, "double_sided": false}', 'false 5/1/1 [100]'),
	('column_pair_values_to_be_equal', '{"column_A": "t", "column_B": "u", "mostly": 0.75}', 'true 5/1/1 [["cherry", "x"]]'),
	('column_pair_values_to_be_equal', '{"column_A": "t", "column_B": "u"}', 'false 5/1/1 [["cherry", "x"]]'),
	('column_pair_values_to_be_equal', '{"column_A": "id", "column_B": "n"}', 'false 5/0/3 [[3, 2], [4, 3], [5, null]]'),
	('column_pair_values_to_be_equal', '{"column_A": "id", "column_B": "n", "ignore_row_if": "either_value_is_missing"}', 'false 5/1/2 [[3, 2], [4, 3]]'),
	('column_pair_values_to_be_equal', '{"column_A": "t", "column_B": "u", "ignore_row_if": "neither"}', 'false 5/0/2 [["cherry", "x"], [null, null]]'),
	('column_pair_values_a_to_be_greater_than_b', '{"column_A": "w", "column_B": "id", "ignore_row_if": "either_value_is_missing"}', 'true 5/1/0 []'),
	('column_pair_values_a_to_be_greater_than_b', '{"column_A": "id", "column_B": "n", "ignore_row_if": "either_value_is_missing"}', 'false 5/1/2 [[1, 1], [2, 2]]'),
	('column_pair_values_a_to_be_greater_than_b', '{"column_A": "id", "column_B": "n", "or_equal": true, "ignore_row_if": "either_value_is_missing"}', 'true 5/1/0 []'),
	('column_pair_values_a_to_be_greater_than_b', '{"column_A": "at", "column_B": "day", "parse_strings_as_datetimes": true, "mostly": 0.1}',
		'false 5/0/5 [["2024-01-01T00:00:00", "2024-01-31"], ["2024-01-02T00:00:00", "2024-02-29"], ["2024-01-03T00:00:00", "2023-02-29"], ["2024-01-04T00:00:00", "31.01.2024"], [null, "x"]]'),
	('column_pair_values_to_be_in_set', '{"column_A": "n", "column_B": "t", "value_pairs_set": [[1, "apple"], [2, "banana"], [2, "cherry"], [3, null], [null, "date"]]}', 'true 5/0/0 []'),
	('column_pair_values_to_be_in_set', '{"column_A": "n", "column_B": "t", "value_pairs_set": [[1, "apple"]], "ignore_row_if": "either_value_is_missing"}', 'false 5/2/2 [[2, "banana"], [2, "cherry"]]'),
	('compound_columns_to_be_unique', '{"column_list": ["n", "t"]}', 'true 5/0/0 []'),
	('compound_columns_to_be_unique', '{"column_list": ["n", "m"]}', 'false 5/1/2 [{"m": "ok", "n": 2}]'),
	('select_column_values_to_be_unique_within_record', '{"column_list": ["id", "w", "x"]}', 'true 5/0/0 []'),
	('select_column_values_to_be_unique_within_record', '{"column_list": ["t", "u"]}', 'false 5/1/3 [{"t": "apple", "u": "apple"}, {"t": "banana", "u": "banana"}, {"t": "date", "u": "date"}]'),
	('multicolumn_values_to_be_unique', '{"column_list": ["id", "w"]}', 'true 5/0/0 []'),
	('multicolumn_values_to_be_unique', '{"column_list": ["id", "n", "w"], "ignore_row_if": "any_value_is_missing"}', 'false 5/1/2 [{"n": 1, "w": 10, "id": 1}, {"n": 2, "w": 20, "id": 2}]'),
	('multicolumn_sum_to_equal', '{"column_list": ["id", "n"], "sum_total": 2, "mostly": 0.2}', 'true 5/0/4 [{"n": 2, "id": 2}, {"n": 2, "id": 3}, {"n": 3, "id": 4}, {"n": null, "id": 5}]'),
	('multicolumn_sum_to_equal', '{"column_list": ["id", "n"], "sum_total": 2, "ignore_row_if": "any_value_is_missing"}', 'false 5/1/3 [{"n": 2, "id": 2}, {"n": 2, "id": 3}, {"n": 3, "id": 4}]'),
	('column_distinct_values_to_be_in_set', '{"column": "n", "value_set": [1, 2, 3, 4]}', 'true [1, 2, 3]'),
	('column_distinct_values_to_be_in_set', '{"column": "n", "value_set": [1, 2]}', 'false [1, 2, 3]'),
	('column_distinct_values_to_contain_set', '{"column": "n", "value_set": [1, 2]}', 'true [1, 2, 3]'),
	('column_distinct_values_to_contain_set', '{"column": "n", "value_set": [1, 4]}', 'false [1, 2, 3]'),
	('column_distinct_values_to_equal_set', '{"column": "n", "value_set": [3, 2, 1]}', 'true [1, 2, 3]'),
	('column_distinct_values_to_equal_set', '{"column": "n", "value_set": [1, 2]}', 'false [1, 2, 3]'),
	('column_most_common_value_to_be_in_set', '{"column": "n", "value_set": [2]}', 'true [2]'),
	('column_most_common_value_to_be_in_set', '{"column": "t", "value_set": ["date"]}', 'false ["apple", "banana", "cherry", "date"]'),
	('column_most_common_value_to_be_in_set', '{"column": "t", "value_set": ["date"], "ties_okay": true}', 'true ["apple", "banana", "cherry", "date"]'),
	('column_max_to_be_between', '{"column": "x", "min_value": 100, "max_value": 100}', 'true 100'),
	('column_max_to_be_between', '{"column": "at", "max_value": "2024-01-03"}', 'false "2024-01-04T00:00:00"'),
	('column_max_to_be_between', '{"column": "gone", "max_value": "z"}', 'false null'),
	('column_min_to_be_between', '{"column": "x", "min_value": 1}', 'true 1.5'),
	('column_min_to_be_between', '{"column": "t", "min_value": "b"}', 'false "apple"'),
	('column_mean_to_be_between', '{"column": "n", "min_value": 2, "max_value": 2}', 'true 2'),
	('column_mean_to_be_between', '{"column": "n", "min_value": 2, "strict_min": true}', 'false 2'),
	('column_median_to_be_between', '{"column": "x", "min_value": 3.5, "max_value": 3.5}', 'true 3.5'),
	('column_median_to_be_between', '{"column": "x", "max_value": 3}', 'false 3.5'),
	('column_stdev_to_be_between', '{"column": "n", "min_value": 0.81, "max_value": 0.82}', 'true 0.816496580927726'),
	('column_stdev_to_be_between', '{"column": "n", "max_value": 0.8}', 'false 0.816496580927726'),
	('column_sum_to_be_between', '{"column": "w", "min_value": 100}', 'true 100'),
	('column_sum_to_be_between', '{"column": "w", "min_value": 101}', 'false 100'),
	('column_quantile_values_to_be_between', '{"column": "n", "quantile_ranges": {"quantiles": [0.25, 0.5], "value_ranges": [[null, 1], [2, 2]]}}',
		'true {"values": [1, 2], "quantiles": [0.25, 0.5]}'),
	('column_quantile_values_to_be_between', '{"column": "n", "quantile_ranges": {"quantiles": [1], "value_ranges": [[4, null]]}}',
		'false {"values": [3], "quantiles": [1]}'),
	('column_proportion_of_unique_values_to_be_between', '{"column": "n", "min_value": 0.75, "max_value": 0.75}', 'true 0.75'),
	('column_proportion_of_unique_values_to_be_between', '{"column": "n", "min_value": 0.8}', 'false 0.75'),
	('column_unique_value_count_to_be_between', '{"column": "n", "min_value": 3, "max_value": 3}', 'true 3'),
	('column_unique_value_count_to_be_between', '{"column": "n", "max_value": 2}', 'false 3'),
	-- 1/4 ln(1/4 / 1/3) + 1/2 ln(1/2 / 1/3) + 1/4 ln(1/4 / 1/3)
	('column_kl_divergence_to_be_less_than', '{"column": "n", "threshold": 0.06, "partition_object": {"values": [1, 2, 3], "weights": [0.25, 0.5, 0.25]}}', 'true 0'),
	('column_kl_divergence_to_be_less_than', '{"column": "n", "threshold": 0.01, "partition_object": {"bins": [0.5, 1.5, 2.5, 3], "weights": [0.5, 0.25, 0.25]}}', 'false 0.17328679513998632'),
	('column_kl_divergence_to_be_less_than', '{"column": "n", "threshold": 1, "partition_object": {"values": [1, 2], "weights": [0.5, 0.5]}}', 'false null');

SELECT is(pg_temp.v('SELECT * FROM public.r ORDER BY id', 'expect_' || expectation, kwargs),
	CASE WHEN result ~ '^(true|false) \d+/' THEN result ELSE regexp_replace(result, '^(true|false) ', '\1 ') END,
	format('%s %s', expectation, kwargs - 'column'))
FROM cases WHERE expectation NOT LIKE 'table_columns%' ORDER BY place;
SELECT is(pg_temp.v('SELECT 1 AS a, 2 AS b', 'expect_table_columns_to_match_ordered_list', kwargs::jsonb), result, kwargs)
FROM (VALUES ('{"column_list": ["a", "b"]}', 'true ["a", "b"]'), ('{"column_list": ["b", "a"]}', 'false ["a", "b"]')) AS c(kwargs, result);
SELECT is(pg_temp.v('SELECT 1 AS a, 2 AS b', 'expect_table_columns_to_match_set', kwargs::jsonb), result, kwargs)
FROM (VALUES ('{"column_set": ["b", "a"]}', 'true ["a", "b"]'), ('{"column_set": ["a"]}', 'false ["a", "b"]'),
	('{"column_set": ["a"], "exact_match": false}', 'true ["a", "b"]'), ('{"column_set": ["c"], "exact_match": false}', 'false ["a", "b"]')) AS c(kwargs, result);
SELECT set_eq($$SELECT expectation FROM churnops_expectations()$$,
	$$SELECT 'expect_' || expectation FROM cases UNION VALUES ('expect_table_columns_to_match_set'), ('expect_table_columns_to_match_ordered_list')$$,
	'every expectation is tried');
SELECT is((SELECT array_agg(expectation) FROM (
	SELECT expectation FROM cases GROUP BY 1 HAVING count(DISTINCT split_part(result, ' ', 1)) < 2) AS c), NULL, 'both ways');

-- Empty columns, tables, and columns that are not there

SELECT is(pg_temp.v('SELECT * FROM public.r WHERE false', 'expect_column_values_to_be_between', '{"column": "n", "min_value": 1}'), 'true 0/0/0 []', 'no rows');
SELECT is(pg_temp.v('SELECT * FROM public.r WHERE false', 'expect_column_values_to_be_unique', '{"column": "n"}'), 'true 0/0/0 []', 'none to be unique');
SELECT is(pg_temp.v('SELECT * FROM public.r WHERE false', 'expect_column_distinct_values_to_be_in_set', '{"column": "n", "value_set": [1]}'), 'true []', 'none to be in a set');
SELECT is((SELECT message FROM churnops_validate('SELECT gone FROM public.r', '[{"expectation": "expect_column_values_to_match_regex", "column": "gone", "regex": "x"}]')),
	'there is no value to look at', 'the message says so');
SELECT is(pg_temp.v('public.r', 'expect_column_values_to_be_unique', '{"column": "none"}'), 'false column "none" does not exist', 'a column that is not there fails');
SELECT is(pg_temp.v('public.r', 'expect_column_mean_to_be_between', '{"column": "t", "min_value": 1}'), 'false column "t" is of type text, not a number', 'so does a mean of texts');
SELECT is((SELECT array_agg(message) FROM churnops_validate('public.r', '[{"expectation": "expect_column_values_to_be_in_set", "column": "n", "value_set": [1, 2], "mostly": 0.9},
	{"expectation": "expect_column_values_to_be_in_set", "column": "n", "value_set": [1, 2, 3]}, {"expectation": "expect_column_min_to_be_between", "column": "n", "min_value": 1}]')),
	ARRAY['not as expected: 1 of 4, 25 %; 10 % may be', 'as expected: 4 of 4', 'observed 1'], 'messages');
SELECT is((SELECT jsonb_array_length(partial_unexpected_list) FROM churnops_validate('SELECT i FROM generate_series(1, 100) AS i',
	'[{"expect_column_values_to_be_null": {"column": "i"}}]')), 20, 'up to 20 values are listed');
SELECT is((SELECT count(*) FROM churnops_validate('public.r', (SELECT jsonb_agg(jsonb_build_object('expectation', 'expect_column_values_to_be_between', 'column', 'n', 'max_value', i)) FROM generate_series(1, 500) AS i))
	WHERE success), 498::bigint, 'many expectations at once');
SELECT is((SELECT count(*) FROM churnops_validate('public.r', '[]')), 0::bigint, 'and none');
SELECT is((SELECT array_agg(severity || success::text) FROM churnops_validate('public.r', '[{"type": "expect_column_values_to_be_unique", "kwargs": {"column": "n"}, "severity": "warning", "meta": {"why": 1}},
	{"expectation_type": "expect_column_values_to_be_unique", "kwargs": {"column": "id"}}]')), ARRAY['warningfalse', 'criticaltrue'], 'Great Expectations'' own form');
SELECT is(pg_temp.v('SELECT ''a"b''''\c'' AS "we ird""name"', 'expect_column_values_to_be_in_set', '{"column": "we ird\"name", "value_set": ["a\"b''\\c"]}'), 'true 1/0/0 []', 'odd names and values');
SET LOCAL search_path = pg_temp, public;
CREATE FUNCTION public.count(integer) RETURNS bigint LANGUAGE sql AS 'SELECT 7::bigint';
SELECT is(pg_temp.v('public.r', 'expect_column_unique_value_count_to_be_between', '{"column": "n", "max_value": 3}'), 'true 3', 'whatever the search_path');
RESET search_path;

-- Refusals

SELECT throws_ok(format('SELECT churnops_validate(''public.r'', %L)', e), state, message, message)
FROM (VALUES
	('{}', '22023', 'expectations must be an array, not {}'),
	('[7]', '22023', 'an expectation must be an object, not 7'),
	('[{"column": "n", "min_value": 1}]', '22023', 'an expectation has no name: {"column": "n", "min_value": 1}'),
	('[{"expectation": "expect_column_values_to_be_nul"}]', '42704', 'there is no expectation "expect_column_values_to_be_nul"'),
	('[{"expectation": "expect_column_values_to_be_null", "colum": "n"}]', '22023', 'expect_column_values_to_be_null has no argument "colum"'),
	('[{"expectation": "expect_column_values_to_be_null"}]', '22023', 'expect_column_values_to_be_null needs the argument "column"'),
	('[{"expect_column_values_to_be_null": [1]}]', '22023', 'kwargs of expect_column_values_to_be_null must be an object, not [1]'),
	('[{"expectation": "expect_column_values_to_be_null", "column": 1}]', '22023', 'column of expect_column_values_to_be_null must be a text, not 1'),
	('[{"expectation": "expect_column_values_to_be_null", "column": "n", "mostly": 0}]', '22023', 'mostly of expect_column_values_to_be_null must be a number above 0, and at most 1, not 0'),
	('[{"expectation": "expect_column_values_to_be_null", "column": "n", "severity": "bad"}]', '22023', 'severity of expect_column_values_to_be_null must be "critical" or "warning", not "bad"'),
	('[{"expectation": "expect_column_values_to_be_between", "column": "n"}]', '22023', 'expect_column_values_to_be_between needs min_value, max_value, or both'),
	('[{"expectation": "expect_column_values_to_be_between", "column": "n", "min_value": [1]}]', '22023', 'min_value of expect_column_values_to_be_between must be a number, a text or null, not [1]'),
	('[{"expectation": "expect_column_values_to_be_between", "column": "n", "min_value": "x"}]', '22023', 'min_value of expect_column_values_to_be_between must be of the column''s type, integer, not "x"'),
	('[{"expectation": "expect_column_values_to_be_between", "column": "at", "min_value": "x"}]', '22023', 'min_value of expect_column_values_to_be_between must be of the column''s type, timestamp without time zone, not "x"'),
	('[{"expectation": "expect_column_values_to_be_between", "column": "n", "min_value": 1, "strict_min": 1}]', '22023', 'strict_min of expect_column_values_to_be_between must be true or false, not 1'),
	('[{"expectation": "expect_column_values_to_be_in_set", "column": "n", "value_set": 1}]', '22023', 'value_set of expect_column_values_to_be_in_set must be a list of values, not 1'),
	('[{"expectation": "expect_column_values_to_match_regex_list", "column": "t", "regex_list": []}]', '22023', 'regex_list of expect_column_values_to_match_regex_list must be a list of texts, not []'),
	('[{"expectation": "expect_column_values_to_match_regex_list", "column": "t", "regex_list": ["a"], "match_on": "some"}]', '22023', 'match_on of expect_column_values_to_match_regex_list must be "any" or "all", not "some"'),
	('[{"expectation": "expect_column_values_to_match_regex", "column": "t", "regex": "("}]', '22023', 'expect_column_values_to_match_regex: "(" is no regular expression: invalid regular expression: parentheses () not balanced'),
	('[{"expectation": "expect_column_value_lengths_to_equal", "column": "t", "value": 1.5}]', '22023', 'value of expect_column_value_lengths_to_equal must be a whole number from 0 on, not 1.5'),
	('[{"expectation": "expect_column_values_to_match_strftime_format", "column": "t", "strftime_format": "%Q"}]', '22023', 'strftime_format "%Q" has an unknown directive, "%Q"'),
	('[{"expectation": "expect_column_value_z_scores_to_be_less_than", "column": "x", "threshold": "x"}]', '22023', 'threshold of expect_column_value_z_scores_to_be_less_than must be a number, not "x"'),
	('[{"expectation": "expect_column_pair_values_to_be_in_set", "column_A": "n", "column_B": "t", "value_pairs_set": [[1]]}]', '22023', 'value_pairs_set of expect_column_pair_values_to_be_in_set must be a list of pairs of values, not [[1]]'),
	('[{"expectation": "expect_column_pair_values_to_be_equal", "column_A": "n", "column_B": "t", "ignore_row_if": "never"}]', '22023', 'ignore_row_if of expect_column_pair_values_to_be_equal must be "both_values_are_missing", "either_value_is_missing" or "neither", not "never"'),
	('[{"expectation": "expect_compound_columns_to_be_unique", "column_list": ["n", "t"], "ignore_row_if": "neither"}]', '22023', 'ignore_row_if of expect_compound_columns_to_be_unique must be "all_values_are_missing", "any_value_is_missing" or "never", not "neither"'),
	('[{"expectation": "expect_column_quantile_values_to_be_between", "column": "n", "quantile_ranges": {"quantiles": [2], "value_ranges": [[1, 2]]}}]', '22023', 'quantile_ranges of expect_column_quantile_values_to_be_between must be {"quantiles": [numbers from 0 to 1], "value_ranges": [a pair for each]}, not {"quantiles": [2], "value_ranges": [[1, 2]]}'),
	('[{"expectation": "expect_column_kl_divergence_to_be_less_than", "column": "n", "threshold": 1, "partition_object": {"values": [1], "weights": [0.5]}}]', '22023', 'partition_object of expect_column_kl_divergence_to_be_less_than must be {"values": [...], "weights": [a number for each]} or {"bins": [ascending numbers], "weights": [one fewer]}, with weights that add up to 1, not {"values": [1], "weights": [0.5]}'),
	('[{"expectation": "expect_column_kl_divergence_to_be_less_than", "column": "n", "threshold": 1, "tail_weight_holdout": 2, "partition_object": {"values": [1], "weights": [1]}}]', '22023', 'tail_weight_holdout of expect_column_kl_divergence_to_be_less_than must be a number from 0 to 1, not 2')
) AS c(e, state, message);
SELECT throws_ok($$SELECT churnops_validate('public.r')$$, '22004', 'argument "expectations" must not be null, unless the query names a dataset', 'no expectations');
SELECT throws_ok($$SELECT churnops_validate(NULL, '[]')$$, '22004', 'argument "query" must not be null', 'no query');
SELECT throws_ok($$SELECT churnops_profile(NULL)$$, '22004', 'argument "query" must not be null', 'no query to profile');
SELECT throws_ok($$SELECT churnops_profile('DELETE FROM public.r')$$, '22023', NULL, 'only reading');
SELECT throws_ok($$SELECT churnops_validate('SELECT 1; DROP TABLE public.r', '[]')$$, '22023', NULL, 'one statement');

-- What is stored with a dataset

SET ROLE churnops_alice;
SELECT ok((SELECT is_new FROM churnops_dataset('rows', 'SELECT * FROM public.r')), 'a dataset');
SELECT throws_ok($$SELECT churnops_validate('datasets:/rows')$$, '42704', 'dataset "rows" has no expectations', 'nothing is expected');
SELECT ok(churnops_expect('rows', 'expect_column_values_to_be_unique', '{"column": "id"}') > 0, 'an expectation');
SELECT ok(churnops_expect('rows', 'expect_column_values_to_be_between', '{"column": "n", "min_value": 2, "severity": "warning"}') > 0, 'another');
SELECT results_eq($$SELECT expectation, success, severity FROM churnops_validate('datasets:/rows')$$,
	$$VALUES ('expect_column_values_to_be_unique', true, 'critical'), ('expect_column_values_to_be_between', false, 'warning')$$, 'are validated');
SELECT row_eq($$SELECT dataset, version, success, n_failed, n_critical, n_rows, jsonb_array_length(results), validated_by FROM churnops.validations$$,
	ROW('rows'::text COLLATE "C", 1, true, 1, 0, 5::bigint, 2, 'churnops_alice'::text), 'what was found is kept');
SELECT ok((SELECT v.digest = d.digest FROM churnops.validations AS v JOIN churnops.datasets AS d ON d.name = v.dataset), 'with the digest');
SELECT ok(churnops_expect('rows', 'expect_column_values_to_be_between', '{"column": "n", "min_value": 2}') > 0, 'one takes the place');
SELECT results_eq($$SELECT expectation, column_name, severity, created_by FROM churnops.expectations ORDER BY id$$,
	$$VALUES ('expect_column_values_to_be_unique' COLLATE "C", 'id', 'critical', 'churnops_alice'), ('expect_column_values_to_be_between', 'n', 'critical', 'churnops_alice')$$, 'of the other');
SELECT ok((SELECT bool_or(NOT success) FROM churnops_validate('datasets:/rows/1')), 'now it is critical');
SELECT is((SELECT array_agg(n_critical ORDER BY id) FROM churnops.validations), ARRAY[0, 1], 'each validation is kept');
SELECT is((SELECT array_agg(action ORDER BY entry) FROM churnops.audit_log WHERE model = 'datasets:/rows'), ARRAY['register_dataset', 'expect', 'expect', 'expect'], 'the audit knows');
SELECT throws_ok($$SELECT churnops_expect('rows', 'expect_column_values_to_be_null', '{"column": "none"}')$$, '42703', 'expect_column_values_to_be_null: column "none" does not exist', 'unknown column');
SELECT throws_ok($$SELECT churnops_expect('rows', 'expect_column_mean_to_be_between', '{"column": "t", "min_value": 1}')$$, '42804', 'expect_column_mean_to_be_between: column "t" is of type text, not a number', 'wrong type');
SELECT throws_ok($$SELECT churnops_expect('rows', 'expect_column_values_to_be_null', '[]')$$, '22023', 'kwargs of expect_column_values_to_be_null must be an object, not []', 'no object');
SELECT throws_ok($$SELECT churnops_expect('rows', NULL)$$, '22004', 'argument "expectation" must not be null', 'no name');
SELECT throws_ok($$SELECT churnops_expect('Rows', 'x')$$, '42602', NULL, 'no name of a dataset');
SELECT throws_ok($$SELECT churnops_drop_expectation('rows', 'expect_column_values_to_be_unique', '{"column": "n"}')$$, '42704', 'dataset "rows" has no expectation "expect_column_values_to_be_unique" with {"column": "n"}', 'none to drop');
SELECT is(churnops_drop_expectation('rows', 'expect_column_values_to_be_unique', '{"column": "id"}'), 1, 'dropped');
SELECT throws_ok($$UPDATE churnops.validation SET success = true$$, '42501', NULL, 'not writable');
RESET ROLE;
SELECT throws_ok($$UPDATE churnops.validation SET success = true$$, '55000', 'rows of churnops.validation are frozen: UPDATE is refused', 'frozen');
SELECT throws_ok($$TRUNCATE churnops.validation$$, '55000', NULL, 'not to be emptied');

SET ROLE churnops_bob;
SELECT is((SELECT count(*) FROM churnops.validations), 0::bigint, 'others see no validation');
SELECT is((SELECT count(*) FROM churnops.expectations), 0::bigint, 'and no expectation');
SELECT throws_ok(q, '42704', 'dataset "rows" does not exist', q) FROM unnest(ARRAY[
	$$SELECT churnops_validate('datasets:/rows')$$, $$SELECT churnops_profile('datasets:/rows')$$, $$SELECT churnops_suggest_expectations('datasets:/rows')$$,
	$$SELECT churnops_expect('rows', 'expect_column_values_to_be_null', '{"column": "id"}')$$, $$SELECT churnops_drop_expectation('rows', 'expect_column_values_to_be_between')$$]) AS q;
RESET ROLE;
REVOKE SELECT ON public.r FROM churnops_bob;
SET ROLE churnops_bob;
SELECT throws_ok($$SELECT churnops_validate('public.r', '[]')$$, '42501', NULL, 'queries run as the caller');
SELECT throws_ok($$SELECT churnops_validate('SELECT 1 AS a', '[{"expectation": "expect_table_row_count_to_equal_other_table", "other_table_name": "public.r"}]')$$, '42501', NULL, 'other tables too');
RESET ROLE;
INSERT INTO public.r (id) VALUES (6);
SET ROLE churnops_alice;
SELECT throws_ok($$SELECT churnops_validate('datasets:/rows')$$, '55000', 'the rows of dataset version rows/1 are not there any more', 'other rows are not those of the version');
SELECT is(churnops_drop_dataset('rows'), 'rows', 'a dataset is dropped');
RESET ROLE;
SELECT is((SELECT count(*) FROM churnops.validation) + (SELECT count(*) FROM churnops.expectation), 0::bigint, 'with all that was expected and found');

-- Profiles

SELECT row_eq($$SELECT type, n, n_null, null_share, n_distinct, n_distinct_exact, min, max, mean, round(sd::numeric, 6), n_zero, n_negative, n_sampled FROM churnops_profile('SELECT x::numeric(4,1) AS x FROM (VALUES (-1), (0), (2), (3), (NULL)) AS v(x)')$$,
	ROW('numeric(4,1)'::text, 5::bigint, 1::bigint, 0.2::float8, 4::bigint, true, '-1'::jsonb, '3'::jsonb, '1'::jsonb, 1.825742, 1::bigint, 1::bigint, 4::bigint), 'a number');
SELECT is((SELECT quantiles->>'0.5' || ' ' || (histogram->'edges'->>20) || ' ' || (histogram->'counts')::text FROM churnops_profile('SELECT i FROM generate_series(1, 40) AS i')),
	'20 40 [2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2]', 'median and histogram');
SELECT row_eq($$SELECT n_distinct, min, min_length, max_length, mean_length, top_values->0 FROM churnops_profile('SELECT t FROM (VALUES (''ä''), (''bcd''), (''bcd'')) AS v(t)')$$,
	ROW(2::bigint, NULL::jsonb, 1::bigint, 3::bigint, 7 / 3.0::float8, '{"value": "bcd", "n": 2, "share": 0.6666666666666666}'::jsonb), 'a text');
SELECT row_eq($$SELECT min, max, mean, quantiles->'0.5' FROM churnops_profile('SELECT date ''2024-01-01'' + i AS d FROM generate_series(0, 2) AS i')$$,
	ROW('"2024-01-01"'::jsonb, '"2024-01-03"'::jsonb, '"2024-01-02"'::jsonb, '"2024-01-02"'::jsonb), 'a date');
SELECT row_eq($$SELECT min, mean, quantiles, top_values->0->'value' FROM churnops_profile('SELECT i > 1 AS b FROM generate_series(1, 4) AS i')$$,
	ROW('false'::jsonb, '0.75'::jsonb, NULL::jsonb, 'true'::jsonb), 'a boolean');
SELECT row_eq($$SELECT n_infinite, max, n_distinct FROM churnops_profile('SELECT x FROM (VALUES (1::float8), (''infinity''), (''nan'')) AS v(x)')$$,
	ROW(1::bigint, '1'::jsonb, 2::bigint), 'infinity');
SELECT is((SELECT array_agg(top_values) FROM churnops_profile('SELECT ''\x01''::bytea AS a')), ARRAY[NULL::jsonb], 'bytes are not shown');
SELECT is((SELECT count(*) FROM churnops_profile('SELECT 1 AS a, NULL::text AS b WHERE false')), 2::bigint, 'no rows');
SELECT ok((SELECT NOT n_distinct_exact AND abs(n_distinct - 100000) < 5000 AND n_sampled BETWEEN 10000 AND 10010 AND abs((quantiles->>'0.5')::float8 - 50000) < 2000
	FROM churnops_profile('SELECT i FROM generate_series(1, 100000) AS i')), 'many rows are sampled');
SELECT ok((SELECT bool_and(a::text = b::text) FROM churnops_profile('SELECT i, sqrt(i) AS x FROM generate_series(1, 30000) AS i') AS a
	JOIN churnops_profile('SELECT i, sqrt(i) AS x FROM generate_series(1, 30000) AS i ORDER BY i % 97, i DESC') AS b USING (column_name)), 'in any order');

-- Suggestions are met by the rows they come from, and are what validations, datasets and checks take

CREATE TABLE public.shop AS SELECT i AS id, chr(65 + i % 4) AS plan, CASE WHEN i % 10 > 0 THEN i * 1.5 END AS fee, now() - i * interval '1 day' AS seen,
	i % 3 = 0 AS left_us, md5(i::text) AS name, NULL::text AS nothing, date '2024-01-01' + i % 300 AS day, 1.5::float8 AS same FROM generate_series(1, 500) AS i;
SELECT is((SELECT count(*) FROM churnops_validate('public.shop', (SELECT jsonb_agg(document) FROM churnops_suggest_expectations('public.shop'))) WHERE NOT success), 0::bigint, 'suggestions hold');
SELECT ok((SELECT count(*) > 25 FROM churnops_suggest_expectations('public.shop')), 'many of them');
SELECT is((SELECT kwargs FROM churnops_suggest_expectations('public.shop') WHERE column_name = 'plan' AND expectation LIKE '%in_set'), '{"value_set": ["A", "B", "C", "D"]}'::jsonb, 'few texts');
SELECT is((SELECT kwargs FROM churnops_suggest_expectations('public.shop') WHERE column_name = 'fee' AND expectation LIKE '%not_be_null'), '{"mostly": 0.81}'::jsonb, 'some missing');
SELECT is((SELECT count(*) FROM churnops_suggest_expectations('SELECT 1 AS a WHERE false')), 2::bigint, 'of no rows the columns');

-- Checks at training

SET LOCAL client_min_messages = error;
CREATE TABLE public.leaky AS SELECT i % 4 = 0 AS churned, CASE WHEN i % 4 = 0 THEN 'gone' ELSE 'here' END AS state, (i * 7919) % 1009 AS usage, CASE WHEN i % 4 = 0 THEN i END AS cancelled, 5 AS five,
	hashint4(i) AS noise FROM generate_series(1, 1000) AS i;
SELECT results_eq($$SELECT c->>'check', c->>'feature', c->>'severity', c->>'value' FROM churnops_train('leaky', 'public.leaky', 'churned', '{"n_estimators": 10}'),
		jsonb_array_elements(metrics->'checks') AS c WHERE c->>'check' IN ('target_in_features', 'missingness', 'constant', 'name_after_outcome')$$,
	$$VALUES ('target_in_features', 'state', 'error', '1'), ('missingness', 'cancelled', 'error', '1'), ('constant', 'five', 'info', '1'), ('name_after_outcome', 'cancelled', 'info', NULL)$$, 'leaks are found');
SELECT ok((SELECT count(*) > 0 FROM churnops.versions, jsonb_array_elements_text(metrics->'warnings') AS w WHERE model = 'leaky' AND w LIKE '"state" is as good as the target%'), 'and stand in the warnings');
SELECT ok((SELECT reproduced FROM churnops_reproduce('leaky/1')), 'the model is none the wiser');

SELECT * FROM finish();
ROLLBACK;
