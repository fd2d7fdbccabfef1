-- Data quality: profiles of queries, and expectations of their rows
--
-- Names, arguments and results of expectations are those of Great Expectations.
-- What there is stands in one place, churnops.expectation_table() and
-- churnops.expectation_kwargs(): the checks, the documentation and pipelines read
-- them there.
--
-- churnops_validate (src/pg/validate.c) runs the query once, as the caller, and
-- keeps the columns that are looked at in a tuple store.  churnops.plan_validation
-- makes statements over that store, one for all expectations that need no
-- sorting or grouping; churnops.finish_validation turns their results into rows.
-- The store holds built-in types only, and nobody's functions run in them.

-- Since: 0.2.0
CREATE FUNCTION @extschema@.churnops_profile(query text)
RETURNS TABLE (
	column_name text,
	type text,
	n bigint,
	n_null bigint,
	null_share double precision,
	n_distinct bigint,
	n_distinct_exact boolean,
	min jsonb,
	max jsonb,
	mean jsonb,
	sd double precision,
	quantiles jsonb,
	n_zero bigint,
	n_negative bigint,
	n_infinite bigint,
	min_length bigint,
	max_length bigint,
	mean_length double precision,
	top_values jsonb,
	histogram jsonb,
	n_sampled bigint)
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_profile';
COMMENT ON FUNCTION @extschema@.churnops_profile(text) IS
'What the columns of a query look like, one row each, in one pass and bounded memory: missing and '
'different values, range, moments, quantiles, the most frequent values, a histogram. Quantiles, '
'frequent values and the histogram are exact for columns of at most 256 different values, and those '
'of a sample of 10,000 rows otherwise: n_sampled rows are behind them. From 257 on n_distinct is an '
'estimate, within some 2 %, and n_distinct_exact is false.';

-- Since: 0.2.0
CREATE FUNCTION @extschema@.churnops_expectations()
RETURNS TABLE (expectation text, kind text, kwargs jsonb, help text)
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_as_owner';
COMMENT ON FUNCTION @extschema@.churnops_expectations() IS
'The expectations there are: kind (table, column_map, column_aggregate, pair_map, multicolumn_map) and '
'kwargs, {name: {type, required, help}}.';

-- Since: 0.2.0
CREATE FUNCTION @extschema@.churnops_expect(
	dataset text,
	expectation text,
	kwargs jsonb DEFAULT '{}')
RETURNS bigint
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_as_owner';
COMMENT ON FUNCTION @extschema@.churnops_expect(text, text, jsonb) IS
'Stores an expectation of a dataset''s rows; kwargs (default none) as in ''{"column": "age", "mostly": 0.99, '
'"severity": "warning"}''. It takes the place of one of the same name and columns. Returns its number.';

-- Since: 0.2.0
CREATE FUNCTION @extschema@.churnops_drop_expectation(
	dataset text,
	expectation text,
	kwargs jsonb DEFAULT '{}')
RETURNS integer
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_as_owner';
COMMENT ON FUNCTION @extschema@.churnops_drop_expectation(text, text, jsonb) IS
'Drops the expectations of a dataset that have this name and all of these kwargs (default none: any). '
'Returns how many there were; it is an error if there was none.';

-- Since: 0.2.0
CREATE FUNCTION @extschema@.churnops_suggest_expectations(query text)
RETURNS TABLE (expectation text, column_name text, kwargs jsonb, severity text, document jsonb)
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_suggest_expectations';
COMMENT ON FUNCTION @extschema@.churnops_suggest_expectations(text) IS
'Expectations that the rows of a query meet, from their profile: a start, to be read and changed. '
'jsonb_agg(document) is what churnops_validate takes, and a pipeline''s data.expectations.';

-- Since: 0.2.0
CREATE FUNCTION @extschema@.churnops_validate(
	query text,
	expectations jsonb DEFAULT NULL)
RETURNS TABLE (
	expectation text,
	column_name text,
	kwargs jsonb,
	severity text,
	success boolean,
	element_count bigint,
	missing_count bigint,
	unexpected_count bigint,
	unexpected_percent double precision,
	partial_unexpected_list jsonb,
	observed_value jsonb,
	message text)
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_validate';
COMMENT ON FUNCTION @extschema@.churnops_validate(text, jsonb) IS
'Whether the rows of a query are as expected, a row per expectation: an array such as '
'''[{"expectation": "expect_column_values_to_not_be_null", "column": "age", "mostly": 0.99}]'', or by '
'default those that are stored with the dataset that the query names. The query is run once, as the '
'caller. What was found in a dataset is kept in churnops.validations.';

-- ------------------------------------------------------------ what there is --

CREATE FUNCTION churnops.expectation_kwargs() RETURNS TABLE (kwarg text, type text, help text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	VALUES
	('column', 'text', 'name of a column'),
	('column_A', 'text', 'name of the first column'),
	('column_B', 'text', 'name of the second column'),
	('column_index', 'count', 'its place, from 0'),
	('column_list', 'texts', 'names of columns'),
	('column_set', 'texts', 'names of columns, in any order'),
	('double_sided', 'boolean', 'look at values below the mean too; default true'),
	('exact_match', 'boolean', 'no other columns may be there; default true'),
	('ignore_row_if', 'ignore', 'which rows are left out: of pairs both_values_are_missing (default), '
		'either_value_is_missing or neither; of more columns all_values_are_missing (default), '
		'any_value_is_missing or never'),
	('internal_weight_holdout', 'share', 'weight that is given to the empty parts of the partition; default 0'),
	('like_pattern', 'text', 'a pattern of LIKE'),
	('like_pattern_list', 'texts', 'patterns of LIKE'),
	('match_on', 'any_all', 'match any (default) or all of the list'),
	('max_value', 'value', 'the largest value allowed; null for none'),
	('meta', 'any', 'kept, and not looked at'),
	('min_value', 'value', 'the smallest value allowed; null for none'),
	('mostly', 'mostly', 'share of the values that must be as expected; default 1'),
	('or_equal', 'boolean', 'equal values are allowed; default false'),
	('other_table_name', 'text', 'a table, view, or query'),
	('parse_strings_as_datetimes', 'boolean', 'read texts as points in time; default false'),
	('partition_object', 'partition', '{"values": [...], "weights": [...]}, or bins in place of values'),
	('quantile_ranges', 'quantiles', '{"quantiles": [0.5, ...], "value_ranges": [[min, max], ...]}'),
	('regex', 'text', 'a regular expression of PostgreSQL, matched anywhere in the text'),
	('regex_list', 'texts', 'regular expressions'),
	('severity', 'severity', 'critical (default) or warning'),
	('strict_max', 'boolean', 'max_value itself is not allowed; default false'),
	('strict_min', 'boolean', 'min_value itself is not allowed; default false'),
	('strictly', 'boolean', 'equal neighbours are not allowed; default false'),
	('strftime_format', 'text', 'a format of strftime, such as %Y-%m-%d'),
	('sum_total', 'number', 'what the columns of a row add up to'),
	('tail_weight_holdout', 'share', 'weight that is given to values outside the partition; default 0'),
	('threshold', 'number', 'the value itself is no longer allowed'),
	('ties_okay', 'boolean', 'others may be as frequent; default false'),
	('type_', 'text', 'a type, such as integer'),
	('type_list', 'texts', 'types'),
	('value', 'count', 'the number expected'),
	('value_pairs_set', 'pairs', 'pairs of values: [[1, "a"], ...]'),
	('value_set', 'array', 'the values; null among them is not looked at')
$$;
COMMENT ON FUNCTION churnops.expectation_kwargs() IS
'The arguments that expectations have, with what they may be.';

CREATE FUNCTION churnops.expectation_table()
RETURNS TABLE (expectation text, kind text, kwargs text, help text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	-- Of kwargs those with a ! must be given; mostly, severity and meta go without saying.
	SELECT 'expect_' || e.name, e.kind, e.kwargs, e.help
	FROM (VALUES
	('column_to_exist', 'table', 'column! column_index', 'The column is there.'),
	('table_columns_to_match_ordered_list', 'table', 'column_list!', 'The columns are these, in this order.'),
	('table_columns_to_match_set', 'table', 'column_set! exact_match', 'The columns are these, in any order.'),
	('table_column_count_to_equal', 'table', 'value!', 'There are so many columns.'),
	('table_column_count_to_be_between', 'table', 'min_value max_value strict_min strict_max',
		'The number of columns is in a range.'),
	('table_row_count_to_equal', 'table', 'value!', 'There are so many rows.'),
	('table_row_count_to_be_between', 'table', 'min_value max_value strict_min strict_max',
		'The number of rows is in a range.'),
	('table_row_count_to_equal_other_table', 'table', 'other_table_name!',
		'There are as many rows as in another table.'),
	('column_values_to_be_of_type', 'table', 'column! type_!', 'The column has this type.'),
	('column_values_to_be_in_type_list', 'table', 'column! type_list!', 'The column has one of these types.'),
	('column_values_to_not_be_null', 'column_map', 'column!', 'No value is missing.'),
	('column_values_to_be_null', 'column_map', 'column!', 'All values are missing.'),
	('column_values_to_be_in_set', 'column_map', 'column! value_set!', 'Values are among these.'),
	('column_values_to_not_be_in_set', 'column_map', 'column! value_set!', 'Values are none of these.'),
	('column_values_to_be_between', 'column_map',
		'column! min_value max_value strict_min strict_max parse_strings_as_datetimes', 'Values are in a range.'),
	('column_values_to_be_unique', 'column_map', 'column!', 'No value occurs twice.'),
	('column_values_to_be_increasing', 'column_map', 'column! strictly parse_strings_as_datetimes',
		'No value is below the one before it, in the query''s order.'),
	('column_values_to_be_decreasing', 'column_map', 'column! strictly parse_strings_as_datetimes',
		'No value is above the one before it, in the query''s order.'),
	('column_values_to_match_regex', 'column_map', 'column! regex!', 'Texts match a regular expression.'),
	('column_values_to_not_match_regex', 'column_map', 'column! regex!',
		'Texts do not match a regular expression.'),
	('column_values_to_match_regex_list', 'column_map', 'column! regex_list! match_on',
		'Texts match any, or all, of these regular expressions.'),
	('column_values_to_not_match_regex_list', 'column_map', 'column! regex_list!',
		'Texts match none of these regular expressions.'),
	('column_values_to_match_like_pattern', 'column_map', 'column! like_pattern!', 'Texts are LIKE a pattern.'),
	('column_values_to_not_match_like_pattern', 'column_map', 'column! like_pattern!',
		'Texts are not LIKE a pattern.'),
	('column_values_to_match_like_pattern_list', 'column_map', 'column! like_pattern_list! match_on',
		'Texts are LIKE any, or all, of these patterns.'),
	('column_values_to_not_match_like_pattern_list', 'column_map', 'column! like_pattern_list!',
		'Texts are LIKE none of these patterns.'),
	('column_value_lengths_to_equal', 'column_map', 'column! value!', 'Texts have so many characters.'),
	('column_value_lengths_to_be_between', 'column_map', 'column! min_value max_value strict_min strict_max',
		'The number of characters of texts is in a range.'),
	('column_values_to_match_strftime_format', 'column_map', 'column! strftime_format!',
		'Texts are points in time written like this.'),
	('column_values_to_be_dateutil_parseable', 'column_map', 'column!', 'Texts can be read as points in time.'),
	('column_values_to_be_json_parseable', 'column_map', 'column!', 'Texts are JSON.'),
	('column_value_z_scores_to_be_less_than', 'column_map', 'column! threshold! double_sided',
		'Values are less than so many standard deviations from the mean.'),
	('column_pair_values_to_be_equal', 'pair_map', 'column_A! column_B! ignore_row_if',
		'Two columns have the same value.'),
	('column_pair_values_a_to_be_greater_than_b', 'pair_map',
		'column_A! column_B! or_equal parse_strings_as_datetimes ignore_row_if',
		'The value of one column is above that of another.'),
	('column_pair_values_to_be_in_set', 'pair_map', 'column_A! column_B! value_pairs_set! ignore_row_if',
		'The values of two columns are among these pairs.'),
	('compound_columns_to_be_unique', 'multicolumn_map', 'column_list! ignore_row_if',
		'No combination of values occurs twice.'),
	('select_column_values_to_be_unique_within_record', 'multicolumn_map', 'column_list! ignore_row_if',
		'The columns of a row all differ.'),
	('multicolumn_values_to_be_unique', 'multicolumn_map', 'column_list! ignore_row_if',
		'The columns of a row all differ; the older name.'),
	('multicolumn_sum_to_equal', 'multicolumn_map', 'column_list! sum_total! ignore_row_if',
		'The columns of a row add up to this.'),
	('column_distinct_values_to_be_in_set', 'column_aggregate', 'column! value_set!',
		'The different values are among these.'),
	('column_distinct_values_to_contain_set', 'column_aggregate', 'column! value_set!',
		'All of these values occur.'),
	('column_distinct_values_to_equal_set', 'column_aggregate', 'column! value_set!',
		'The different values are these.'),
	('column_most_common_value_to_be_in_set', 'column_aggregate', 'column! value_set! ties_okay',
		'The most frequent value is among these.'),
	('column_max_to_be_between', 'column_aggregate',
		'column! min_value max_value strict_min strict_max parse_strings_as_datetimes',
		'The largest value is in a range.'),
	('column_min_to_be_between', 'column_aggregate',
		'column! min_value max_value strict_min strict_max parse_strings_as_datetimes',
		'The smallest value is in a range.'),
	('column_mean_to_be_between', 'column_aggregate', 'column! min_value max_value strict_min strict_max',
		'The mean is in a range.'),
	('column_median_to_be_between', 'column_aggregate', 'column! min_value max_value strict_min strict_max',
		'The median is in a range.'),
	('column_stdev_to_be_between', 'column_aggregate', 'column! min_value max_value strict_min strict_max',
		'The standard deviation, of a sample, is in a range.'),
	('column_sum_to_be_between', 'column_aggregate', 'column! min_value max_value strict_min strict_max',
		'The sum is in a range.'),
	('column_quantile_values_to_be_between', 'column_aggregate', 'column! quantile_ranges!',
		'Quantiles, which are values of the column, are in ranges.'),
	('column_proportion_of_unique_values_to_be_between', 'column_aggregate',
		'column! min_value max_value strict_min strict_max',
		'The number of different values, over that of all, is in a range.'),
	('column_unique_value_count_to_be_between', 'column_aggregate',
		'column! min_value max_value strict_min strict_max', 'The number of different values is in a range.'),
	('column_kl_divergence_to_be_less_than', 'column_aggregate',
		'column! partition_object! threshold! tail_weight_holdout internal_weight_holdout',
		'The relative entropy of the values to a partition is below a threshold.')
	) AS e(name, kind, kwargs, help)
$$;
COMMENT ON FUNCTION churnops.expectation_table() IS
'The expectations there are: the one table that checker, documentation and pipelines read.';

CREATE FUNCTION churnops.expectations(caller name)
RETURNS TABLE (expectation text, kind text, kwargs jsonb, help text)
LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT e.expectation, e.kind, (
			SELECT jsonb_object_agg(k.kwarg, jsonb_build_object('type', k.type,
				'required', position(k.kwarg || '!' IN e.kwargs) > 0 AND
					k.kwarg || '!' = ANY (string_to_array(e.kwargs, ' ')), 'help', k.help))
			FROM churnops.expectation_kwargs() AS k
			WHERE k.kwarg = ANY (string_to_array(replace(e.kwargs, '!', ''), ' '))
				OR k.kwarg IN ('severity', 'meta')
				OR k.kwarg = 'mostly' AND e.kind LIKE '%\_map'),
		e.help
	FROM churnops.expectation_table() AS e
$$;
COMMENT ON FUNCTION churnops.expectations(name) IS
'churnops_expectations; the caller''s name is not looked at.';

CREATE FUNCTION churnops.nearest(wanted text, names text[]) RETURNS text
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'churnops_nearest';
COMMENT ON FUNCTION churnops.nearest(text, text[]) IS
'The name that differs from a text in the fewest letters; NULL if none is near.';

-- ---------------------------------------------------------------- the tables --

CREATE TABLE churnops.expectation (
	id bigint GENERATED ALWAYS AS IDENTITY,
	dataset text COLLATE "C" NOT NULL,
	expectation text COLLATE "C" NOT NULL,
	kwargs jsonb NOT NULL,
	severity text NOT NULL,
	created_by text NOT NULL,
	created_at timestamp with time zone NOT NULL,
	CONSTRAINT expectation_pkey PRIMARY KEY (id),
	CONSTRAINT expectation_severity_check CHECK (severity IN ('critical', 'warning'))
);
CREATE INDEX expectation_dataset_idx ON churnops.expectation (dataset);
COMMENT ON TABLE churnops.expectation IS
'What is expected of the rows of datasets.';
COMMENT ON COLUMN churnops.expectation.kwargs IS
'Arguments of the expectation, a JSON object; without severity.';

CREATE TABLE churnops.validation (
	id bigint GENERATED ALWAYS AS IDENTITY,
	dataset text COLLATE "C" NOT NULL,
	version integer NOT NULL,
	digest text NOT NULL,
	n_rows bigint NOT NULL,
	success boolean NOT NULL,
	n_failed integer NOT NULL,
	n_critical integer NOT NULL,
	results jsonb NOT NULL,
	validated_by text NOT NULL,
	"session_user" text NOT NULL,
	validated_at timestamp with time zone NOT NULL,
	CONSTRAINT validation_pkey PRIMARY KEY (id)
);
CREATE INDEX validation_dataset_idx ON churnops.validation (dataset, version);
COMMENT ON TABLE churnops.validation IS
'Validations of versions of datasets: every result. Frozen.';
COMMENT ON COLUMN churnops.validation.success IS
'Whether no critical expectation failed.';
COMMENT ON COLUMN churnops.validation.n_failed IS
'Expectations that failed, whatever their severity.';
COMMENT ON COLUMN churnops.validation.n_critical IS
'Expectations of severity critical that failed.';
COMMENT ON COLUMN churnops.validation.results IS
'The rows of churnops_validate, an array of objects.';
COMMENT ON COLUMN churnops.validation."session_user" IS
'Role that logged in. Quote the name: unquoted, session_user is the function.';

CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON churnops.validation
	FOR EACH ROW EXECUTE FUNCTION churnops.refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON churnops.validation
	FOR EACH STATEMENT EXECUTE FUNCTION churnops.refuse_change();

SELECT pg_catalog.pg_extension_config_dump('churnops.expectation', '');
SELECT pg_catalog.pg_extension_config_dump('churnops.expectation_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('churnops.validation', '');
SELECT pg_catalog.pg_extension_config_dump('churnops.validation_id_seq', '');

-- ----------------------------------------------------------------- checking --

CREATE FUNCTION churnops.refuse_kwarg(expectation text, kwarg text, given jsonb, wanted text) RETURNS void
LANGUAGE plpgsql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RAISE EXCEPTION USING
		ERRCODE = 'invalid_parameter_value',
		MESSAGE = format('%s of %s must be %s, not %s', kwarg, expectation, wanted, left(given::text, 100)),
		HINT = 'SELECT * FROM churnops_expectations(); lists expectations with their arguments.';
END
$$;
COMMENT ON FUNCTION churnops.refuse_kwarg(text, text, jsonb, text) IS
'Raises the error about an argument of an expectation that cannot be.';

CREATE FUNCTION churnops.is_number_array(value jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE WHEN jsonb_typeof(value) = 'array' THEN NOT EXISTS (
		SELECT FROM jsonb_array_elements(value) AS e WHERE jsonb_typeof(e) <> 'number') ELSE false END
$$;
COMMENT ON FUNCTION churnops.is_number_array(jsonb) IS
'Whether a JSON value is an array of numbers.';

CREATE FUNCTION churnops.check_kwarg(expectation text, kind text, kwarg text, type text, value jsonb)
RETURNS void
LANGUAGE plpgsql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	given text := jsonb_typeof(value);
	item text := value #>> '{}';
	wanted text;
	fits boolean;
	part jsonb;
BEGIN
	CASE type
	WHEN 'text' THEN
		wanted := 'a text';
		fits := given = 'string';
	WHEN 'boolean' THEN
		wanted := 'true or false';
		fits := given = 'boolean';
	WHEN 'number' THEN
		wanted := 'a number';
		fits := given = 'number';
	WHEN 'count' THEN
		wanted := 'a whole number from 0 on';
		fits := given = 'number';
		fits := CASE WHEN fits THEN item::numeric >= 0 AND item::numeric = trunc(item::numeric) END;
	WHEN 'share' THEN
		wanted := 'a number from 0 to 1';
		fits := given = 'number';
		fits := CASE WHEN fits THEN item::numeric BETWEEN 0 AND 1 END;
	WHEN 'mostly' THEN
		wanted := 'a number above 0, and at most 1';
		fits := given = 'number';
		fits := CASE WHEN fits THEN item::numeric > 0 AND item::numeric <= 1 END;
	WHEN 'texts' THEN
		wanted := 'a list of texts';
		fits := CASE WHEN given = 'array' THEN jsonb_array_length(value) > 0 AND NOT EXISTS (
			SELECT FROM jsonb_array_elements(value) AS e WHERE jsonb_typeof(e) <> 'string') END;
	WHEN 'array' THEN
		wanted := 'a list of values';
		fits := CASE WHEN given = 'array' THEN NOT EXISTS (
			SELECT FROM jsonb_array_elements(value) AS e WHERE jsonb_typeof(e) IN ('array', 'object')) END;
	WHEN 'pairs' THEN
		wanted := 'a list of pairs of values';
		fits := given = 'array';
		IF fits THEN
			FOR part IN SELECT * FROM jsonb_array_elements(value) LOOP
				fits := fits AND CASE WHEN jsonb_typeof(part) = 'array' THEN jsonb_array_length(part) = 2
					ELSE false END;
			END LOOP;
		END IF;
	WHEN 'value' THEN
		wanted := 'a number, a text or null';
		fits := given IN ('number', 'string', 'null');
	WHEN 'severity' THEN
		wanted := '"critical" or "warning"';
		fits := given = 'string' AND item IN ('critical', 'warning');
	WHEN 'any_all' THEN
		wanted := '"any" or "all"';
		fits := given = 'string' AND item IN ('any', 'all');
	WHEN 'ignore' THEN
		wanted := CASE kind WHEN 'pair_map'
			THEN '"both_values_are_missing", "either_value_is_missing" or "neither"'
			ELSE '"all_values_are_missing", "any_value_is_missing" or "never"' END;
		fits := given = 'string' AND item = ANY (CASE kind WHEN 'pair_map'
			THEN ARRAY['both_values_are_missing', 'either_value_is_missing', 'neither']
			ELSE ARRAY['all_values_are_missing', 'any_value_is_missing', 'never'] END);
	WHEN 'quantiles' THEN
		wanted := '{"quantiles": [numbers from 0 to 1], "value_ranges": [a pair for each]}';
		fits := given = 'object' AND churnops.is_number_array(value->'quantiles')
			AND jsonb_typeof(value->'value_ranges') = 'array';
		IF fits THEN
			fits := jsonb_array_length(value->'quantiles') = jsonb_array_length(value->'value_ranges')
				AND jsonb_array_length(value->'quantiles') > 0
				AND NOT EXISTS (
					SELECT FROM jsonb_array_elements_text(value->'quantiles') AS q
					WHERE q::numeric NOT BETWEEN 0 AND 1);
			FOR part IN SELECT * FROM jsonb_array_elements(value->'value_ranges') LOOP
				fits := fits AND CASE WHEN jsonb_typeof(part) = 'array' THEN jsonb_array_length(part) = 2
					ELSE false END;
			END LOOP;
		END IF;
	WHEN 'partition' THEN
		wanted := '{"values": [...], "weights": [a number for each]} or {"bins": [ascending numbers], '
			'"weights": [one fewer]}, with weights that add up to 1';
		fits := given = 'object' AND churnops.is_number_array(value->'weights')
			AND (jsonb_typeof(value->'values') = 'array' OR churnops.is_number_array(value->'bins'));
		IF fits THEN
			fits := jsonb_array_length(value->'weights') = CASE
					WHEN value ? 'values' THEN jsonb_array_length(value->'values')
					ELSE jsonb_array_length(value->'bins') - 1 END
				AND (SELECT abs(sum(w::numeric) - 1) <= 0.001 AND min(w::numeric) >= 0
					FROM jsonb_array_elements_text(value->'weights') AS w)
				AND NOT EXISTS (
					SELECT FROM (
						SELECT b::numeric AS b, lag(b::numeric) OVER (ORDER BY place) AS before
						FROM jsonb_array_elements_text(CASE WHEN value ? 'values' THEN '[]' ELSE value->'bins' END)
							WITH ORDINALITY AS x(b, place)) AS bins
					WHERE b <= before);
		END IF;
	ELSE
		fits := true;
	END CASE;
	IF fits IS NOT TRUE THEN
		PERFORM churnops.refuse_kwarg(expectation, kwarg, value, wanted);
	END IF;
END
$$;
COMMENT ON FUNCTION churnops.check_kwarg(text, text, text, text, jsonb) IS
'Refuses an argument of an expectation that is not of its type.';

CREATE FUNCTION churnops.check_expectation(given jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	wanted text;
	kwargs jsonb;
	known record;
	one record;
	near text;
BEGIN
	IF jsonb_typeof(given) IS DISTINCT FROM 'object' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('an expectation must be an object, not %s', left(coalesce(given::text, 'null'), 100)),
			HINT = 'For example {"expectation": "expect_column_values_to_not_be_null", "column": "age"}.';
	END IF;
	-- As here; as Great Expectations writes them; or the name as the only key.
	IF given ? 'expectation' THEN
		wanted := given->>'expectation';
		kwargs := given - 'expectation';
	ELSIF given ?| ARRAY['expectation_type', 'type'] AND given ? 'kwargs' THEN
		wanted := coalesce(given->>'expectation_type', given->>'type');
		kwargs := given->'kwargs';
		kwargs := CASE WHEN jsonb_typeof(kwargs) = 'object'
			THEN kwargs || (given - 'expectation_type' - 'type' - 'kwargs' - 'id') ELSE kwargs END;
	ELSIF (SELECT count(*) FROM jsonb_object_keys(given)) = 1 THEN
		SELECT e.key, CASE e.value WHEN 'null' THEN '{}' ELSE e.value END INTO wanted, kwargs
		FROM jsonb_each(given) AS e;
	END IF;
	IF wanted IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('an expectation has no name: %s', left(given::text, 100)),
			HINT = 'For example {"expectation": "expect_column_values_to_not_be_null", "column": "age"}.';
	END IF;
	SELECT * INTO known FROM churnops.expectations(NULL) AS e WHERE e.expectation = wanted;
	IF NOT FOUND THEN
		near := churnops.nearest(wanted, ARRAY(SELECT e.expectation FROM churnops.expectation_table() AS e));
		RAISE EXCEPTION USING
			ERRCODE = 'undefined_object',
			MESSAGE = format('there is no expectation "%s"', wanted),
			HINT = coalesce(format('Perhaps you meant "%s".', near),
				'SELECT * FROM churnops_expectations(); lists them.');
	END IF;
	IF jsonb_typeof(kwargs) <> 'object' THEN
		PERFORM churnops.refuse_kwarg(wanted, 'kwargs', kwargs, 'an object');
	END IF;
	FOR one IN SELECT k.key, k.value FROM jsonb_each(kwargs) AS k LOOP
		IF NOT known.kwargs ? one.key THEN
			near := churnops.nearest(one.key, ARRAY(SELECT jsonb_object_keys(known.kwargs)));
			RAISE EXCEPTION USING
				ERRCODE = 'invalid_parameter_value',
				MESSAGE = format('%s has no argument "%s"', wanted, one.key),
				DETAIL = format('Its arguments are %s.', (
					SELECT string_agg(k, ', ' ORDER BY k) FROM jsonb_object_keys(known.kwargs) AS k)),
				HINT = format('Perhaps you meant "%s".', near);
		END IF;
		PERFORM churnops.check_kwarg(wanted, known.kind, one.key, known.kwargs->one.key->>'type', one.value);
	END LOOP;
	FOR one IN
		SELECT k.key FROM jsonb_each(known.kwargs) AS k
		WHERE (k.value->>'required')::boolean AND NOT kwargs ? k.key ORDER BY k.key
	LOOP
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('%s needs the argument "%s"', wanted, one.key),
			DETAIL = format('It is %s.', known.kwargs->one.key->>'help');
	END LOOP;
	IF known.kwargs ? 'min_value' AND coalesce(kwargs->'min_value', 'null') = 'null'
		AND coalesce(kwargs->'max_value', 'null') = 'null'
	THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('%s needs min_value, max_value, or both', wanted);
	END IF;
	RETURN jsonb_build_object('expectation', wanted, 'kind', known.kind, 'kwargs', kwargs - 'severity',
		'severity', coalesce(kwargs->>'severity', 'critical'));
END
$$;
COMMENT ON FUNCTION churnops.check_expectation(jsonb) IS
'An expectation in its full form: expectation, kind, kwargs, severity; an error if it is none.';

CREATE FUNCTION churnops.check_expectations(given jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF jsonb_typeof(given) IS DISTINCT FROM 'array' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('expectations must be an array, not %s', left(coalesce(given::text, 'null'), 100)),
			HINT = 'For example [{"expectation": "expect_column_values_to_not_be_null", "column": "age"}].';
	END IF;
	RETURN (
		SELECT coalesce(jsonb_agg(churnops.check_expectation(e.given) ORDER BY e.place), '[]')
		FROM jsonb_array_elements(given) WITH ORDINALITY AS e(given, place));
END
$$;
COMMENT ON FUNCTION churnops.check_expectations(jsonb) IS
'An array of expectations in their full form; an error if one is none.';

-- ----------------------------------------------------------------- planning --

-- What statements over the store are made of; C because nothing in SQL does it.

CREATE FUNCTION churnops.first_values_add(state internal, value jsonb) RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_first_values_add';
COMMENT ON FUNCTION churnops.first_values_add(internal, jsonb) IS
'State function of churnops.first_values.';

CREATE FUNCTION churnops.first_values_finish(state internal) RETURNS jsonb
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_first_values_finish';
COMMENT ON FUNCTION churnops.first_values_finish(internal) IS
'Final function of churnops.first_values.';

CREATE AGGREGATE churnops.first_values(jsonb) (
	SFUNC = churnops.first_values_add,
	STYPE = internal,
	FINALFUNC = churnops.first_values_finish
);
COMMENT ON AGGREGATE churnops.first_values(jsonb) IS
'The first 20 values, as a JSON array.';

CREATE FUNCTION churnops.matches_strftime(value text, format text) RETURNS boolean
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_matches_strftime';
COMMENT ON FUNCTION churnops.matches_strftime(text, text) IS
'Whether a text is a point in time written in a format of strftime, with English names.';

CREATE FUNCTION churnops.is_json(value text) RETURNS boolean
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_is_json';
COMMENT ON FUNCTION churnops.is_json(text) IS
'Whether a text is JSON.';

CREATE FUNCTION churnops.to_time(value text) RETURNS timestamp without time zone
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN value::timestamp without time zone;
EXCEPTION WHEN data_exception THEN
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION churnops.to_time(text) IS
'A text as a point in time; NULL if it is none.';

CREATE FUNCTION churnops.column_class(base text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE
		WHEN base IN ('smallint', 'integer', 'bigint', 'real', 'double precision', 'numeric') THEN 'number'
		WHEN base IN ('date', 'timestamp without time zone', 'timestamp with time zone', 'interval',
			'time without time zone') THEN 'time'
		WHEN base = 'boolean' THEN 'boolean'
		ELSE 'text' END
$$;
COMMENT ON FUNCTION churnops.column_class(text) IS
'How values of a type are compared: as number, time, boolean or text.';

CREATE FUNCTION churnops.find_column(columns jsonb, wanted text, OUT name text, OUT expr text, OUT class text,
	OUT base text, OUT place integer)
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT c.name, CASE churnops.column_class(c.base) WHEN 'text' THEN format('c%s::text COLLATE "C"', e.place)
			ELSE format('c%s', e.place) END,
		churnops.column_class(c.base), c.base, e.place::integer
	FROM jsonb_array_elements(columns) WITH ORDINALITY AS e(value, place),
		jsonb_to_record(e.value) AS c(name text, base text)
	WHERE c.name = wanted
$$;
COMMENT ON FUNCTION churnops.find_column(jsonb, text) IS
'A column of the store, with the expression of its values; nothing if it is not there.';

CREATE FUNCTION churnops.value_literal(expectation text, kwarg text, value jsonb, class text, base text)
RETURNS text
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	item text := value #>> '{}';
BEGIN
	IF item IS NULL THEN
		RETURN NULL;
	END IF;
	CASE class
	WHEN 'number' THEN
		PERFORM item::numeric;
		RETURN format('%L::numeric', item);
	WHEN 'boolean' THEN
		PERFORM item::boolean;
		RETURN format('%L::boolean', item);
	WHEN 'time' THEN
		-- one of five types of the server's own
		EXECUTE format('SELECT %L::%s', item, base);
		RETURN format('%L::%s', item, base);
	ELSE
		RETURN format('%L::text COLLATE "C"', item);
	END CASE;
EXCEPTION WHEN data_exception THEN
	RAISE EXCEPTION USING
		ERRCODE = 'invalid_parameter_value',
		MESSAGE = format('%s of %s must be of the column''s type, %s, not %s', kwarg, expectation, base,
			left(value::text, 100));
END
$$;
COMMENT ON FUNCTION churnops.value_literal(text, text, jsonb, text, text) IS
'A value of an argument as SQL, of the class of the column it is compared to.';

CREATE FUNCTION churnops.between_sql(
	expectation text,
	kwargs jsonb,
	expr text,
	class text,
	base text)
RETURNS text
LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	-- without a bound there is no literal, and NULL is left out
	SELECT '(' || concat_ws(' AND ',
		expr || CASE WHEN (kwargs->>'strict_min')::boolean THEN ' > ' ELSE ' >= ' END
			|| churnops.value_literal(expectation, 'min_value', kwargs->'min_value', class, base),
		expr || CASE WHEN (kwargs->>'strict_max')::boolean THEN ' < ' ELSE ' <= ' END
			|| churnops.value_literal(expectation, 'max_value', kwargs->'max_value', class, base)) || ')'
$$;
COMMENT ON FUNCTION churnops.between_sql(text, jsonb, text, text, text) IS
'The condition that an expression is between min_value and max_value.';

CREATE FUNCTION churnops.map_sql(missing text, condition text, value text) RETURNS text
LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format('jsonb_build_object(''n'', count(*), ''missing'', count(*) FILTER (WHERE %1$s), '
		'''unexpected'', count(*) FILTER (WHERE NOT (%1$s) AND (%2$s) IS NOT TRUE), '
		'''list'', churnops.first_values(%3$s) FILTER (WHERE NOT (%1$s) AND (%2$s) IS NOT TRUE))',
		missing, condition, value)
$$;
COMMENT ON FUNCTION churnops.map_sql(text, text, text) IS
'What is counted of an expectation of single values or rows.';

CREATE FUNCTION churnops.aggregate_sql(expr text, observed text, success text) RETURNS text
LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format('jsonb_build_object(''n'', count(*), ''missing'', count(*) - count(%s), '
		'''observed'', to_jsonb(%s), ''success'', coalesce(%s, false))', expr, observed, success)
$$;
COMMENT ON FUNCTION churnops.aggregate_sql(text, text, text) IS
'What is found of an expectation of a whole column.';

CREATE FUNCTION churnops.literal_array(expectation text, kwarg text, items jsonb, class text, base text)
RETURNS text
LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format('ARRAY[%s]::%s[]', string_agg(DISTINCT
			churnops.value_literal(expectation, kwarg, i, class, base), ', '),
		CASE class WHEN 'number' THEN 'numeric' WHEN 'text' THEN 'text' ELSE base END)
	FROM jsonb_array_elements(items) AS i WHERE i <> 'null'
$$;
COMMENT ON FUNCTION churnops.literal_array(text, text, jsonb, text, text) IS
'A list of values as an array in SQL; null among them is left out.';

CREATE FUNCTION churnops.pattern_condition(expectation text, kwargs jsonb, expr text) RETURNS text
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	is_regex boolean := expectation LIKE '%regex%';
	negated boolean := expectation LIKE '%\_not\_%';
	patterns jsonb := CASE WHEN is_regex THEN coalesce(kwargs->'regex_list', jsonb_build_array(kwargs->'regex'))
		ELSE coalesce(kwargs->'like_pattern_list', jsonb_build_array(kwargs->'like_pattern')) END;
	one text;
BEGIN
	FOR one IN SELECT * FROM jsonb_array_elements_text(patterns) LOOP
		IF is_regex THEN
			BEGIN
				PERFORM '' ~ one;
			EXCEPTION WHEN invalid_regular_expression THEN
				RAISE EXCEPTION USING
					ERRCODE = 'invalid_parameter_value',
					MESSAGE = format('%s: %s is no regular expression: %s', expectation, to_jsonb(one), SQLERRM);
			END;
		END IF;
	END LOOP;
	RETURN (
		SELECT format(CASE WHEN negated THEN 'NOT (%s)' ELSE '(%s)' END, string_agg(
			format('%s::text COLLATE "default" %s %L', expr, CASE WHEN is_regex THEN '~' ELSE 'LIKE' END, p),
			CASE WHEN kwargs->>'match_on' = 'all' THEN ' AND ' ELSE ' OR ' END))
		FROM jsonb_array_elements_text(patterns) AS p);
END
$$;
COMMENT ON FUNCTION churnops.pattern_condition(text, jsonb, text) IS
'The condition of the expectations of regular expressions and of LIKE.';

-- Expectations of the values of one column.
CREATE FUNCTION churnops.plan_column(
	e jsonb,
	col record,
	OUT sql text,
	OUT own text,
	OUT problem text)
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	name text := e->>'expectation';
	short text := replace(name, 'expect_column_', '');
	kwargs jsonb := e->'kwargs';
	x text := col.expr;
	plain text := format('c%s', col.place);
	shown text := format('to_jsonb(c%s)', col.place);
	class text := col.class;
	base text := col.base;
	missing text := format('c%s IS NULL', col.place);
	condition text;
	low text;
BEGIN
	IF (kwargs->>'parse_strings_as_datetimes')::boolean AND class = 'text' THEN
		x := format('churnops.to_time(%s::text)', plain);
		class := 'time';
		base := 'timestamp without time zone';
	END IF;
	IF short ~ '^(mean|median|stdev|sum|value_z_scores)_' AND class <> 'number' THEN
		problem := format('column "%s" is of type %s, not a number', col.name, base);
		RETURN;
	END IF;

	CASE
	WHEN short = 'values_to_not_be_null' THEN
		sql := churnops.map_sql('false', plain || ' IS NOT NULL', shown);
	WHEN short = 'values_to_be_null' THEN
		sql := churnops.map_sql('false', plain || ' IS NULL', shown);
	WHEN short IN ('values_to_be_in_set', 'values_to_not_be_in_set') THEN
		condition := format('%s = ANY (%s)', x,
			churnops.literal_array(name, 'value_set', kwargs->'value_set', class, base));
		condition := coalesce(condition, 'false');
		sql := churnops.map_sql(missing, CASE WHEN short LIKE '%not%' THEN format('NOT (%s)', condition)
			ELSE condition END, shown);
	WHEN short = 'values_to_be_between' THEN
		sql := churnops.map_sql(missing, churnops.between_sql(name, kwargs, x, class, base), shown);
	WHEN short LIKE '%regex%' OR short LIKE '%like_pattern%' THEN
		sql := churnops.map_sql(missing, churnops.pattern_condition(name, kwargs, plain), shown);
	WHEN short = 'value_lengths_to_equal' THEN
		sql := churnops.map_sql(missing, format('char_length(%s::text) = %s', plain, kwargs->>'value'), shown);
	WHEN short = 'value_lengths_to_be_between' THEN
		sql := churnops.map_sql(missing, churnops.between_sql(name, kwargs,
			format('char_length(%s::text)', plain), 'number', 'integer'), shown);
	WHEN short = 'values_to_match_strftime_format' THEN
		PERFORM churnops.matches_strftime('', kwargs->>'strftime_format');
		sql := churnops.map_sql(missing, format('churnops.matches_strftime(%s::text, %L)', plain,
			kwargs->>'strftime_format'), shown);
	WHEN short = 'values_to_be_dateutil_parseable' THEN
		sql := churnops.map_sql(missing, CASE class WHEN 'time' THEN 'true'
			ELSE format('churnops.to_time(%s::text) IS NOT NULL', plain) END, shown);
	WHEN short = 'values_to_be_json_parseable' THEN
		sql := churnops.map_sql(missing, format('churnops.is_json(%s::text)', plain), shown);
	WHEN short = 'value_z_scores_to_be_less_than' THEN
		condition := format('(%s::double precision - m.mean) / nullif(m.sd, 0)', plain);
		condition := CASE WHEN coalesce((kwargs->>'double_sided')::boolean, true)
			THEN format('abs(%s) < abs(%s)', condition, kwargs->>'threshold')
			ELSE format('%s < %s', condition, kwargs->>'threshold') END;
		-- where nothing varies, nothing is far from the mean
		own := format('SELECT %s FROM churnops_rows CROSS JOIN (SELECT avg(%s::double precision) AS mean, '
			'stddev_samp(%2$s::double precision) AS sd FROM churnops_rows) AS m',
			churnops.map_sql(missing, format('coalesce(m.sd, 0) = 0 OR %s', condition), shown), plain);
	WHEN short = 'values_to_be_unique' THEN
		own := format('SELECT jsonb_build_object(''n'', coalesce(sum(k), 0), '
			'''missing'', coalesce(sum(k) FILTER (WHERE v IS NULL), 0), '
			'''unexpected'', coalesce(sum(k) FILTER (WHERE v IS NOT NULL AND k > 1), 0), '
			'''list'', churnops.first_values(to_jsonb(v) ORDER BY place) FILTER (WHERE v IS NOT NULL AND k > 1)) '
			'FROM (SELECT %s AS v, count(*) AS k, min(place) AS place FROM churnops_rows GROUP BY 1) AS g', x);
	WHEN short IN ('values_to_be_increasing', 'values_to_be_decreasing') THEN
		low := CASE WHEN short LIKE '%increasing' THEN '>' ELSE '<' END
			|| CASE WHEN (kwargs->>'strictly')::boolean THEN '' ELSE '=' END;
		own := format('SELECT %s FROM (SELECT %s AS shown, %s AS v, '
			'lag(%3$s) OVER (PARTITION BY %4$s ORDER BY place) AS before, '
			'row_number() OVER (PARTITION BY %4$s ORDER BY place) AS nth, %4$s AS gone FROM churnops_rows) AS s',
			churnops.map_sql('gone', format('v IS NOT NULL AND (nth = 1 OR v %s before)', low), 'shown'),
			shown, x, missing);
	WHEN short IN ('max_to_be_between', 'min_to_be_between') THEN
		IF class = 'boolean' THEN
			problem := format('column "%s" is of type boolean, which has no range', col.name);
			RETURN;
		END IF;
		condition := format('%s(%s)', left(short, 3), x);
		sql := churnops.aggregate_sql(plain, condition, churnops.between_sql(name, kwargs, condition, class, base));
	WHEN short IN ('mean_to_be_between', 'median_to_be_between', 'stdev_to_be_between', 'sum_to_be_between') THEN
		condition := format(CASE left(short, 3)
			WHEN 'mea' THEN 'avg(%s::double precision)'
			WHEN 'med' THEN 'percentile_cont(0.5) WITHIN GROUP (ORDER BY %s::double precision)'
			WHEN 'std' THEN 'stddev_samp(%s::double precision)'
			ELSE 'sum(%s)' END, plain);
		sql := churnops.aggregate_sql(plain, condition,
			churnops.between_sql(name, kwargs, condition, 'number', 'numeric'));
	WHEN short = 'unique_value_count_to_be_between' THEN
		condition := format('count(DISTINCT %s)', x);
		sql := churnops.aggregate_sql(plain, condition,
			churnops.between_sql(name, kwargs, condition, 'number', 'bigint'));
	WHEN short = 'proportion_of_unique_values_to_be_between' THEN
		condition := format('count(DISTINCT %s)::double precision / nullif(count(%1$s), 0)', x);
		sql := churnops.aggregate_sql(plain, condition,
			churnops.between_sql(name, kwargs, format('(%s)', condition), 'number', 'numeric'));
	WHEN short = 'quantile_values_to_be_between' THEN
		SELECT format('percentile_disc(ARRAY[%s]::double precision[]) WITHIN GROUP (ORDER BY %s)',
			string_agg(q.value, ', ' ORDER BY q.place), x)
		INTO low
		FROM jsonb_array_elements_text(kwargs->'quantile_ranges'->'quantiles') WITH ORDINALITY AS q(value, place);
		SELECT string_agg(churnops.between_sql(name, jsonb_build_object('min_value', r.value->0,
				'max_value', r.value->1), format('(%s)[%s]', low, r.place), class, base), ' AND ')
		INTO condition
		FROM jsonb_array_elements(kwargs->'quantile_ranges'->'value_ranges') WITH ORDINALITY AS r(value, place)
		WHERE r.value->0 <> 'null' OR r.value->1 <> 'null';
		sql := churnops.aggregate_sql(plain, format('jsonb_build_object(''quantiles'', %L::jsonb, ''values'', %s)',
			kwargs->'quantile_ranges'->'quantiles', low), coalesce(condition, format('count(%s) > 0', plain)));
	WHEN short LIKE 'distinct\_values\_%' OR short LIKE 'most\_common\_value\_%' THEN
		low := churnops.literal_array(name, 'value_set', kwargs->'value_set', class, base);
		low := coalesce(low, format('ARRAY[]::%s[]', CASE class WHEN 'number' THEN 'numeric' WHEN 'text' THEN 'text'
			ELSE base END));
		condition := format(CASE short
			WHEN 'distinct_values_to_be_in_set' THEN 'coalesce(bool_and(v = ANY (%1$s)), true)'
			WHEN 'distinct_values_to_contain_set' THEN 'count(*) FILTER (WHERE v = ANY (%1$s)) = cardinality(%1$s)'
			WHEN 'distinct_values_to_equal_set' THEN
				'coalesce(bool_and(v = ANY (%1$s)), true) AND count(v) = cardinality(%1$s)'
			ELSE CASE WHEN (kwargs->>'ties_okay')::boolean
				THEN 'count(*) FILTER (WHERE k = most AND v = ANY (%1$s)) > 0'
				ELSE 'count(*) FILTER (WHERE k = most) = 1 AND bool_or(k = most AND v = ANY (%1$s))' END
			END, low);
		own := format('SELECT jsonb_build_object(''n'', coalesce(sum(k), 0) + max(gone), ''missing'', max(gone), '
			'''observed'', coalesce(churnops.first_values(to_jsonb(v) ORDER BY %s) %s, ''[]''), ''success'', %s) '
			'FROM (SELECT v, k, max(k) OVER () AS most FROM (SELECT %s AS v, count(*) AS k FROM churnops_rows '
			'WHERE NOT (%s) GROUP BY 1) AS g) AS s RIGHT JOIN '
			'(SELECT count(*) FILTER (WHERE %5$s) AS gone FROM churnops_rows) AS m ON true',
			'v', CASE WHEN short LIKE 'most%' THEN 'FILTER (WHERE k = most)' ELSE 'FILTER (WHERE v IS NOT NULL)' END,
			condition, x, missing);
	WHEN short = 'kl_divergence_to_be_less_than' THEN
		own := churnops.divergence_sql(e, col);
		IF own IS NULL THEN
			problem := format('column "%s" is of type %s, not a number', col.name, base);
		END IF;
	END CASE;
END
$$;
COMMENT ON FUNCTION churnops.plan_column(jsonb, record) IS
'SQL for an expectation of one column: an expression for the common statement, or a statement of its own.';

CREATE FUNCTION churnops.divergence_sql(e jsonb, col record) RETURNS text
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	kwargs jsonb := e->'kwargs';
	parts jsonb := kwargs->'partition_object';
	tail double precision := coalesce((kwargs->>'tail_weight_holdout')::double precision, 0);
	inner_weight double precision := coalesce((kwargs->>'internal_weight_holdout')::double precision, 0);
	weights double precision[] := ARRAY(
		SELECT w::double precision FROM jsonb_array_elements_text(parts->'weights') WITH ORDINALITY AS x(w, place)
		ORDER BY place);
	n_empty integer := (SELECT count(*) FROM unnest(weights) AS w WHERE w = 0);
	bucket text;
BEGIN
	IF NOT parts ? 'values' AND col.class <> 'number' THEN
		RETURN NULL;
	END IF;
	-- Empty parts share what is held out for them; what is outside gets the tails' weight.
	IF n_empty > 0 AND inner_weight > 0 THEN
		weights := ARRAY(
			SELECT CASE w WHEN 0 THEN inner_weight / n_empty ELSE w * (1 - inner_weight) END
			FROM unnest(weights) WITH ORDINALITY AS x(w, place) ORDER BY place);
	END IF;
	weights := ARRAY(
		SELECT w * (1 - tail) FROM unnest(weights) WITH ORDINALITY AS x(w, place) ORDER BY place);
	IF parts ? 'values' THEN
		-- 0 is what is none of the values
		SELECT format('coalesce((CASE %s END), 0)', string_agg(format('WHEN %s = %s THEN %s', col.expr,
			churnops.value_literal(e->>'expectation', 'values', v.value, col.class, col.base), v.place), ' '))
		INTO bucket FROM jsonb_array_elements(parts->'values') WITH ORDINALITY AS v(value, place);
	ELSE
		-- the last bin has both its ends
		bucket := format('CASE WHEN c%1$s::double precision = %2$s THEN %3$s '
			'ELSE width_bucket(c%1$s::double precision, %4$L::double precision[]) END',
			col.place, parts->'bins'->>-1, cardinality(weights),
			ARRAY(SELECT b::double precision FROM jsonb_array_elements_text(parts->'bins')
				WITH ORDINALITY AS x(b, place) ORDER BY place));
	END IF;
	RETURN format('SELECT jsonb_build_object(''n'', max(n), ''missing'', max(gone), '
		'''observed'', to_jsonb(nullif(sum(part), ''Infinity'')), ''success'', coalesce(sum(part) < %1$s, false)) FROM ('
		'SELECT m.n, m.gone, CASE WHEN k = 0 THEN 0 WHEN coalesce(w, 0) <= 0 THEN ''Infinity'' '
		'ELSE k / nullif(m.n - m.gone, 0)::double precision * ln(k / (m.n - m.gone)::double precision / w) END AS part '
		'FROM (SELECT count(*) AS n, count(*) FILTER (WHERE c%2$s IS NULL) AS gone FROM churnops_rows) AS m '
		'LEFT JOIN (SELECT %3$s AS bucket, count(*) AS k FROM churnops_rows WHERE c%2$s IS NOT NULL GROUP BY 1) AS g '
		'ON true LEFT JOIN (SELECT w, place FROM unnest(%4$L::double precision[]) WITH ORDINALITY AS x(w, place) '
		'UNION ALL VALUES (%5$s::double precision, 0), (%6$s, %7$s)) AS e ON e.place = g.bucket) AS d',
		kwargs->>'threshold', col.place, bucket, weights,
		CASE WHEN parts ? 'values' THEN tail ELSE tail / 2 END, tail / 2, cardinality(weights) + 1);
END
$$;
COMMENT ON FUNCTION churnops.divergence_sql(jsonb, record) IS
'The statement of the relative entropy of a column to a partition; NULL if the column is no number.';

-- Expectations of several columns of a row.
CREATE FUNCTION churnops.plan_columns(e jsonb, columns jsonb, names text[], OUT sql text, OUT own text,
	OUT problem text)
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	name text := e->>'expectation';
	kwargs jsonb := e->'kwargs';
	cols record;
	a record;
	b record;
	as_text text;
	ignored text;
	condition text;
BEGIN
	SELECT array_agg(c.expr ORDER BY n.place) AS exprs, array_agg(c.place ORDER BY n.place) AS places,
		array_agg(DISTINCT c.class) AS classes, string_agg(format('%L, c%s', n.name, c.place), ', ' ORDER BY n.place) AS shown,
		string_agg(format('c%s IS NULL', c.place), ' AND ' ORDER BY n.place) AS all_missing,
		string_agg(format('c%s IS NULL', c.place), ' OR ' ORDER BY n.place) AS any_missing
	INTO cols
	FROM unnest(names) WITH ORDINALITY AS n(name, place), churnops.find_column(columns, n.name) AS c;
	ignored := CASE coalesce(kwargs->>'ignore_row_if', 'all_values_are_missing')
		WHEN 'all_values_are_missing' THEN cols.all_missing
		WHEN 'both_values_are_missing' THEN cols.all_missing
		WHEN 'any_value_is_missing' THEN cols.any_missing
		WHEN 'either_value_is_missing' THEN cols.any_missing
		ELSE 'false' END;
	-- numbers, or texts: else both as texts
	as_text := CASE WHEN cardinality(cols.classes) > 1 THEN '::text COLLATE "C"' ELSE '' END;

	IF e->>'kind' = 'pair_map' THEN
		SELECT * INTO a FROM churnops.find_column(columns, names[1]);
		SELECT * INTO b FROM churnops.find_column(columns, names[2]);
		IF (kwargs->>'parse_strings_as_datetimes')::boolean THEN
			IF a.class = 'text' THEN
				a.expr := format('churnops.to_time(c%s::text)', a.place);
				a.class := 'time';
			END IF;
			IF b.class = 'text' THEN
				b.expr := format('churnops.to_time(c%s::text)', b.place);
				b.class := 'time';
			END IF;
			as_text := CASE WHEN a.class = b.class THEN '' ELSE as_text END;
		END IF;
		CASE name
		WHEN 'expect_column_pair_values_to_be_equal' THEN
			condition := format('%s%s = %s%2$s', a.expr, as_text, b.expr);
		WHEN 'expect_column_pair_values_a_to_be_greater_than_b' THEN
			IF a.class <> b.class THEN
				problem := format('columns "%s" and "%s" are of types %s and %s, which have no order', a.name,
					b.name, a.base, b.base);
				RETURN;
			END IF;
			condition := format('%s %s %s', a.expr, CASE WHEN (kwargs->>'or_equal')::boolean THEN '>=' ELSE '>' END,
				b.expr);
		ELSE
			SELECT string_agg(format('(%s AND %s)',
				coalesce(format('%s = %s', a.expr, churnops.value_literal(name, 'value_pairs_set', p->0, a.class, a.base))
					|| CASE WHEN p->0 = 'null' THEN NULL ELSE '' END, format('c%s IS NULL', a.place)),
				coalesce(format('%s = %s', b.expr, churnops.value_literal(name, 'value_pairs_set', p->1, b.class, b.base))
					|| CASE WHEN p->1 = 'null' THEN NULL ELSE '' END, format('c%s IS NULL', b.place))), ' OR ')
			INTO condition FROM jsonb_array_elements(kwargs->'value_pairs_set') AS p;
			condition := coalesce(condition, 'false');
		END CASE;
		sql := churnops.map_sql(ignored, condition, format('jsonb_build_array(c%s, c%s)', a.place, b.place));
		RETURN;
	END IF;

	CASE name
	WHEN 'expect_multicolumn_sum_to_equal' THEN
		IF cols.classes <> ARRAY['number'] THEN
			problem := 'not all of the columns are numbers';
			RETURN;
		END IF;
		condition := format('(%s) = %s', (
			SELECT string_agg(format('c%s', p), ' + ') FROM unnest(cols.places) AS p), kwargs->>'sum_total');
		sql := churnops.map_sql(ignored, condition, format('jsonb_build_object(%s)', cols.shown));
	WHEN 'expect_compound_columns_to_be_unique' THEN
		own := format('SELECT jsonb_build_object(''n'', coalesce(sum(k), 0), '
			'''missing'', coalesce(sum(k) FILTER (WHERE gone), 0), '
			'''unexpected'', coalesce(sum(k) FILTER (WHERE NOT gone AND k > 1), 0), '
			'''list'', churnops.first_values(shown ORDER BY place) FILTER (WHERE NOT gone AND k > 1)) '
			'FROM (SELECT count(*) AS k, min(place) AS place, %s AS gone, jsonb_build_object(%s) AS shown '
			'FROM (SELECT place, %s FROM churnops_rows) AS r GROUP BY %s) AS g', ignored, cols.shown, (
				SELECT string_agg(format('%s AS c%s', x, p), ', ') FROM unnest(cols.exprs, cols.places) AS u(x, p)), (
				SELECT string_agg(format('c%s', p), ', ') FROM unnest(cols.places) AS p));
	ELSE
		-- each column differs from those behind it
		SELECT coalesce(string_agg(format('%s%s IS DISTINCT FROM %s%2$s', x.expr, as_text, y.expr), ' AND '), 'true')
		INTO condition
		FROM unnest(cols.exprs) WITH ORDINALITY AS x(expr, place),
			unnest(cols.exprs) WITH ORDINALITY AS y(expr, place)
		WHERE x.place < y.place;
		sql := churnops.map_sql(ignored, condition, format('jsonb_build_object(%s)', cols.shown));
	END CASE;
END
$$;
COMMENT ON FUNCTION churnops.plan_columns(jsonb, jsonb, text[]) IS
'SQL for an expectation of several columns.';

CREATE FUNCTION churnops.plain_type(type text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	-- The names that other systems, and Great Expectations' examples, give to ours.
	SELECT coalesce((
		SELECT a.ours FROM (VALUES
			('int', 'integer'), ('int4', 'integer'), ('int32', 'integer'), ('int2', 'smallint'),
			('int16', 'smallint'), ('int8', 'bigint'), ('int64', 'bigint'), ('biginteger', 'bigint'),
			('smallinteger', 'smallint'), ('float', 'double precision'), ('float8', 'double precision'),
			('float64', 'double precision'), ('double', 'double precision'), ('double_precision', 'double precision'),
			('float4', 'real'), ('float32', 'real'), ('decimal', 'numeric'), ('bool', 'boolean'), ('str', 'text'),
			('string', 'text'), ('varchar', 'character varying'), ('char', 'character'), ('bpchar', 'character'),
			('timestamp', 'timestamp without time zone'), ('datetime', 'timestamp without time zone'),
			('timestamptz', 'timestamp with time zone'), ('time', 'time without time zone')) AS a(theirs, ours)
		WHERE a.theirs = plain.type), plain.type)
	FROM (SELECT lower(trim(regexp_replace(plain_type.type, '\s*\([^)]*\)', '', 'g'))) AS type) AS plain
$$;
COMMENT ON FUNCTION churnops.plain_type(text) IS
'The name of a type as the server spells it, without length and precision.';

-- Expectations of the table: of its columns now, of its rows by the common statement.
CREATE FUNCTION churnops.plan_table(e jsonb, columns jsonb, OUT sql text, OUT own text, OUT problem text,
	OUT success boolean, OUT observed jsonb)
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	name text := e->>'expectation';
	kwargs jsonb := e->'kwargs';
	there text[] := ARRAY(
		SELECT c->>'name' FROM jsonb_array_elements(columns) WITH ORDINALITY AS x(c, place) ORDER BY place);
	wanted text[];
	type text;
BEGIN
	CASE
	WHEN name = 'expect_column_to_exist' THEN
		success := CASE WHEN kwargs ? 'column_index' THEN there[(kwargs->>'column_index')::numeric + 1] = kwargs->>'column'
			ELSE kwargs->>'column' = ANY (there) END;
		success := coalesce(success, false);
		observed := to_jsonb(there);
	WHEN name = 'expect_table_columns_to_match_ordered_list' THEN
		wanted := ARRAY(SELECT jsonb_array_elements_text(kwargs->'column_list'));
		success := there = wanted;
		observed := to_jsonb(there);
	WHEN name = 'expect_table_columns_to_match_set' THEN
		wanted := ARRAY(SELECT jsonb_array_elements_text(kwargs->'column_set'));
		success := there @> wanted AND (wanted @> there OR NOT coalesce((kwargs->>'exact_match')::boolean, true));
		observed := to_jsonb(there);
	WHEN name = 'expect_table_column_count_to_equal' THEN
		success := cardinality(there) = (kwargs->>'value')::numeric;
		observed := to_jsonb(cardinality(there));
	WHEN name = 'expect_table_column_count_to_be_between' THEN
		EXECUTE 'SELECT ' || churnops.between_sql(name, kwargs, cardinality(there)::text, 'number', 'integer')
		INTO success;
		observed := to_jsonb(cardinality(there));
	WHEN name = 'expect_table_row_count_to_equal' THEN
		sql := churnops.aggregate_sql('1', 'count(*)', format('count(*) = %s', kwargs->>'value'));
	WHEN name = 'expect_table_row_count_to_be_between' THEN
		sql := churnops.aggregate_sql('1', 'count(*)', churnops.between_sql(name, kwargs, 'count(*)', 'number', 'bigint'));
	WHEN name = 'expect_table_row_count_to_equal_other_table' THEN
		-- The caller's query: C counts its rows, and finish_validation compares.
		own := kwargs->>'other_table_name';
	ELSE
		type := (SELECT c->>'type' FROM jsonb_array_elements(columns) AS c WHERE c->>'name' = kwargs->>'column');
		success := EXISTS (
			SELECT FROM jsonb_array_elements_text(coalesce(kwargs->'type_list', jsonb_build_array(kwargs->'type_'))) AS t
			WHERE churnops.plain_type(t) IN (churnops.plain_type(type),
				regexp_replace(churnops.plain_type(type), '^.*\.', '')));
		observed := to_jsonb(type);
	END CASE;
END
$$;
COMMENT ON FUNCTION churnops.plan_table(jsonb, jsonb) IS
'What there is to find out, or is known already, of an expectation of the table.';

CREATE FUNCTION churnops.plan_validation(columns jsonb, checked jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	-- expressions in a statement: the server allows 1664 results
	n_together CONSTANT integer := 200;
	e record;
	names text[];
	lacking text;
	p record;
	known jsonb := '{}';
	others jsonb := '{}';
	statements jsonb := '[]';
	parts text[] := '{}';
	places integer[] := '{}';
BEGIN
	FOR e IN
		SELECT x.value, x.place, x.value->>'kind' AS kind, x.value->'kwargs' AS kwargs
		FROM jsonb_array_elements(checked) WITH ORDINALITY AS x(value, place) ORDER BY x.place
	LOOP
		names := CASE
			WHEN e.value->>'expectation' = 'expect_column_to_exist' THEN '{}'
			WHEN e.kwargs ? 'column' THEN ARRAY[e.kwargs->>'column']
			WHEN e.kwargs ? 'column_A' THEN ARRAY[e.kwargs->>'column_A', e.kwargs->>'column_B']
			WHEN e.kind = 'multicolumn_map' THEN ARRAY(SELECT jsonb_array_elements_text(e.kwargs->'column_list'))
			ELSE '{}' END;
		SELECT string_agg(format('"%s"', n), ', ') INTO lacking
		FROM unnest(names) AS n
		WHERE NOT EXISTS (SELECT FROM jsonb_array_elements(columns) AS c WHERE c->>'name' = n);
		IF lacking IS NOT NULL THEN
			known := known || jsonb_build_object(e.place, jsonb_build_object('success', false,
				'message', format('column %s does not exist', lacking), 'lacking', true));
			CONTINUE;
		END IF;
		IF e.kind = 'table' THEN
			SELECT t.sql, t.own, t.problem, t.success, t.observed INTO p FROM churnops.plan_table(e.value, columns) AS t;
			IF p.success IS NOT NULL THEN
				known := known || jsonb_build_object(e.place, jsonb_build_object('success', p.success,
					'observed', p.observed));
				CONTINUE;
			ELSIF p.own IS NOT NULL THEN
				others := others || jsonb_build_object(e.place, p.own);
				p.own := NULL;
				p.sql := churnops.aggregate_sql('1', 'count(*)', 'true');
			END IF;
		ELSIF e.kind IN ('column_map', 'column_aggregate') THEN
			SELECT t.sql, t.own, t.problem INTO p
			FROM churnops.find_column(columns, names[1]) AS c, churnops.plan_column(e.value, c) AS t;
		ELSE
			SELECT t.sql, t.own, t.problem INTO p FROM churnops.plan_columns(e.value, columns, names) AS t;
		END IF;
		IF p.problem IS NOT NULL THEN
			known := known || jsonb_build_object(e.place, jsonb_build_object('success', false, 'message', p.problem));
			CONTINUE;
		END IF;
		places := places || ARRAY(
			SELECT c.place FROM unnest(names) AS n, churnops.find_column(columns, n) AS c);
		IF p.own IS NOT NULL THEN
			statements := statements || to_jsonb(regexp_replace(p.own, '^SELECT ', 'SELECT ''' || e.place || ''', '));
			CONTINUE;
		END IF;
		parts := parts || format('%s, %s', quote_literal(e.place), p.sql);
		IF cardinality(parts) = n_together THEN
			statements := statements || to_jsonb('SELECT ' || array_to_string(parts, ', ') || ' FROM churnops_rows');
			parts := '{}';
		END IF;
	END LOOP;
	IF cardinality(parts) > 0 THEN
		statements := statements || to_jsonb('SELECT ' || array_to_string(parts, ', ') || ' FROM churnops_rows');
	END IF;
	RETURN jsonb_build_object('checked', checked, 'known', known, 'others', others, 'statements', statements,
		'columns', (SELECT coalesce(jsonb_agg(DISTINCT x ORDER BY x), '[]') FROM unnest(places) AS x));
END
$$;
COMMENT ON FUNCTION churnops.plan_validation(jsonb, jsonb) IS
'The statements that validate expectations over a store of the columns that are needed; their results '
'are pairs of an expectation''s place and what was found.';

-- ------------------------------------------------------------------ results --

CREATE FUNCTION churnops.validation_rows(plan jsonb, findings jsonb)
RETURNS TABLE (
	expectation text,
	column_name text,
	kwargs jsonb,
	severity text,
	success boolean,
	element_count bigint,
	missing_count bigint,
	unexpected_count bigint,
	unexpected_percent double precision,
	partial_unexpected_list jsonb,
	observed_value jsonb,
	message text)
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	e record;
	r jsonb;
	n_present bigint;
	mostly double precision;
BEGIN
	FOR e IN
		SELECT x.value, x.place, x.value->>'kind' AS kind, x.value->'kwargs' AS kwargs
		FROM jsonb_array_elements(plan->'checked') WITH ORDINALITY AS x(value, place) ORDER BY x.place
	LOOP
		r := coalesce(plan->'known'->(e.place::text), findings->(e.place::text));
		expectation := e.value->>'expectation';
		column_name := coalesce(e.kwargs->>'column', (
			SELECT string_agg(n, ', ') FROM unnest(ARRAY[e.kwargs->>'column_A', e.kwargs->>'column_B']) AS n), (
			SELECT string_agg(n, ', ') FROM jsonb_array_elements_text(
				CASE WHEN e.kind = 'multicolumn_map' THEN e.kwargs->'column_list' ELSE '[]' END) AS n));
		kwargs := e.kwargs;
		severity := e.value->>'severity';
		element_count := (r->>'n')::bigint;
		missing_count := (r->>'missing')::bigint;
		unexpected_count := (r->>'unexpected')::bigint;
		unexpected_percent := NULL;
		partial_unexpected_list := NULL;
		observed_value := r->'observed';
		message := r->>'message';
		success := (r->>'success')::boolean;
		IF unexpected_count IS NOT NULL THEN
			partial_unexpected_list := CASE WHEN expectation = 'expect_column_values_to_not_be_null' THEN '[]'
				ELSE coalesce(nullif(r->'list', 'null'), '[]') END;
			n_present := element_count - missing_count;
			mostly := coalesce((e.kwargs->>'mostly')::double precision, 1);
			success := n_present = 0 OR unexpected_count = 0
				OR (n_present - unexpected_count)::double precision / n_present >= mostly;
			unexpected_percent := CASE WHEN n_present > 0 THEN 100.0 * unexpected_count / n_present END;
			message := CASE
				WHEN n_present = 0 THEN 'there is no value to look at'
				WHEN unexpected_count = 0 THEN format('as expected: %s of %1$s', n_present)
				ELSE format('not as expected: %s of %s, %s %%; %s %% may be', unexpected_count, n_present,
					trim_scale(round(unexpected_percent::numeric, 2)),
					trim_scale(round((100 * (1 - mostly))::numeric, 4))) END;
		ELSIF plan->'others' ? (e.place::text) THEN
			observed_value := jsonb_build_object('self', element_count, 'other', findings->'others'->(e.place::text));
			success := element_count = (findings->'others'->>(e.place::text))::bigint;
		END IF;
		IF message IS NULL THEN
			message := CASE WHEN coalesce(observed_value, 'null') = 'null' THEN 'there is no value to look at'
				ELSE format('observed %s', left(observed_value::text, 200)) END;
		END IF;
		RETURN NEXT;
	END LOOP;
END
$$;
COMMENT ON FUNCTION churnops.validation_rows(jsonb, jsonb) IS
'The rows of churnops_validate from the plan and what its statements have found.';

CREATE FUNCTION churnops.keep_validation(
	caller name,
	login name,
	dataset_name text,
	version_number integer,
	digest text,
	n_rows bigint,
	plan jsonb,
	findings jsonb)
RETURNS bigint
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	kept_id bigint;
BEGIN
	PERFORM churnops.require_dataset(caller, dataset_name);
	INSERT INTO churnops.validation AS v (dataset, version, digest, n_rows, success, n_failed, n_critical, results,
		validated_by, "session_user", validated_at)
	SELECT dataset_name, version_number, keep_validation.digest, keep_validation.n_rows,
		coalesce(bool_and(r.success OR r.severity <> 'critical'), true),
		count(*) FILTER (WHERE NOT r.success),
		count(*) FILTER (WHERE NOT r.success AND r.severity = 'critical'),
		coalesce(jsonb_agg(to_jsonb(r) ORDER BY r.place), '[]'), caller, login, clock_timestamp()
	FROM (
		SELECT x.*, row_number() OVER () AS place FROM churnops.validation_rows(plan, findings) AS x) AS r
	RETURNING v.id INTO kept_id;
	RETURN kept_id;
END
$$;
COMMENT ON FUNCTION churnops.keep_validation(name, name, text, integer, text, bigint, jsonb, jsonb) IS
'Keeps what was found in a version of a dataset.';

-- ------------------------------------------------------------- of datasets --

CREATE FUNCTION churnops.stored_expectations(caller name, dataset_name text) RETURNS jsonb
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	stored jsonb;
BEGIN
	PERFORM churnops.require_dataset(caller, dataset_name);
	SELECT jsonb_agg(x.kwargs || jsonb_build_object('expectation', x.expectation, 'severity', x.severity) ORDER BY x.id)
	INTO stored FROM churnops.expectation AS x WHERE x.dataset = dataset_name;
	IF stored IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'undefined_object',
			MESSAGE = format('dataset "%s" has no expectations', dataset_name),
			HINT = format('Add some with SELECT churnops_expect(''%s'', ...), or give expectations.', dataset_name);
	END IF;
	RETURN stored;
END
$$;
COMMENT ON FUNCTION churnops.stored_expectations(name, text) IS
'The expectations of a dataset, as churnops_validate takes them.';

CREATE FUNCTION churnops.expectation_columns(kwargs jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce(jsonb_object_agg(k.key, k.value), '{}') FROM jsonb_each(kwargs) AS k
	WHERE k.key IN ('column', 'column_A', 'column_B', 'column_list')
$$;
COMMENT ON FUNCTION churnops.expectation_columns(jsonb) IS
'The columns that an expectation is about, by which one takes the place of another.';

CREATE FUNCTION churnops.expect(caller name, dataset_name text, expectation text, kwargs jsonb) RETURNS bigint
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	checked jsonb;
	owner_name text;
	columns jsonb;
	lacking text;
	stored_id bigint;
BEGIN
	IF expectation IS NULL OR kwargs IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'null_value_not_allowed',
			MESSAGE = format('argument "%s" must not be null',
				CASE WHEN expectation IS NULL THEN 'expectation' ELSE 'kwargs' END);
	END IF;
	PERFORM churnops.check_name(dataset_name, 'dataset');
	owner_name := churnops.lock_dataset(caller, dataset_name);
	IF jsonb_typeof(kwargs) <> 'object' THEN
		PERFORM churnops.refuse_kwarg(expectation, 'kwargs', kwargs, 'an object');
	END IF;
	checked := churnops.check_expectation(kwargs || jsonb_build_object('expectation', expectation));
	-- Versions spell the server's own types with their schema.
	SELECT (
		SELECT jsonb_agg(c || jsonb_build_object('base', regexp_replace(c->>'base', '^pg_catalog\.', '')) ORDER BY place)
		FROM jsonb_array_elements(v.columns) WITH ORDINALITY AS x(c, place))
	INTO columns FROM churnops.dataset_version AS v
	WHERE v.dataset = dataset_name ORDER BY v.version DESC LIMIT 1;
	lacking := churnops.plan_validation(columns, jsonb_build_array(checked)) #>> '{known,1,message}';
	IF lacking IS NOT NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = CASE WHEN lacking LIKE '%does not exist' THEN 'undefined_column' ELSE 'datatype_mismatch' END,
			MESSAGE = format('%s: %s', expectation, lacking),
			DETAIL = format('Columns of the latest version of dataset "%s": %s.', dataset_name, (
				SELECT string_agg(c->>'name', ', ') FROM jsonb_array_elements(columns) AS c));
	END IF;

	DELETE FROM churnops.expectation AS x
	WHERE x.dataset = dataset_name AND x.expectation = expect.expectation
		AND churnops.expectation_columns(x.kwargs) = churnops.expectation_columns(checked->'kwargs');
	INSERT INTO churnops.expectation AS x (dataset, expectation, kwargs, severity, created_by, created_at)
	VALUES (dataset_name, expect.expectation, checked->'kwargs', checked->>'severity', caller, clock_timestamp())
	RETURNING x.id INTO stored_id;
	PERFORM churnops.audit_dataset(caller, 'expect', dataset_name, owner_name, NULL, jsonb_build_object(
		'expectation', expectation, 'kwargs', checked->'kwargs', 'severity', checked->'severity'));
	RETURN stored_id;
END
$$;
COMMENT ON FUNCTION churnops.expect(name, text, text, jsonb) IS
'churnops_expect on behalf of a role.';

CREATE FUNCTION churnops.drop_expectation(caller name, dataset_name text, expectation text, kwargs jsonb)
RETURNS integer
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	owner_name text;
	gone jsonb;
BEGIN
	PERFORM churnops.check_name(dataset_name, 'dataset');
	owner_name := churnops.lock_dataset(caller, dataset_name);
	WITH dropped AS (
		DELETE FROM churnops.expectation AS x
		WHERE x.dataset = dataset_name AND x.expectation = drop_expectation.expectation
			AND x.kwargs || jsonb_build_object('severity', x.severity) @> drop_expectation.kwargs
		RETURNING x.id, x.kwargs, x.severity
	)
	SELECT jsonb_agg(jsonb_build_object('kwargs', d.kwargs, 'severity', d.severity) ORDER BY d.id) INTO gone
	FROM dropped AS d;
	IF gone IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'undefined_object',
			MESSAGE = format('dataset "%s" has no expectation "%s"%s', dataset_name, expectation,
				CASE WHEN kwargs = '{}' THEN '' ELSE format(' with %s', kwargs) END),
			HINT = format('SELECT * FROM churnops.expectations WHERE dataset = ''%s''; lists them.', dataset_name);
	END IF;
	PERFORM churnops.audit_dataset(caller, 'drop_expectation', dataset_name, owner_name, NULL,
		jsonb_build_object('expectation', expectation, 'dropped', gone));
	RETURN jsonb_array_length(gone);
END
$$;
COMMENT ON FUNCTION churnops.drop_expectation(name, text, text, jsonb) IS
'churnops_drop_expectation on behalf of a role.';

-- --------------------------------------------------------------- suggesting --

CREATE FUNCTION churnops.suggest_expectations(profile jsonb)
RETURNS TABLE (expectation text, column_name text, kwargs jsonb, severity text, document jsonb)
LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	WITH c AS (
		SELECT x.place, p.*, p.n - p.n_null AS n_known
		FROM jsonb_array_elements(profile) WITH ORDINALITY AS x(value, place),
			jsonb_to_record(x.value) AS p(column_name text, type text, kind text, n bigint, n_null bigint,
				n_distinct bigint, n_distinct_exact boolean, min jsonb, max jsonb, min_length bigint,
				max_length bigint, top_values jsonb)
	), suggested AS (
		SELECT 0 AS place, 0 AS rank, 'expect_table_columns_to_match_set' AS expectation, NULL AS column_name,
			jsonb_build_object('column_set', (SELECT jsonb_agg(c.column_name ORDER BY c.place) FROM c)) AS kwargs,
			'critical' AS severity
		UNION ALL
		SELECT 0, 1, 'expect_table_row_count_to_be_between', NULL,
			jsonb_build_object('min_value', max(c.n) / 2, 'max_value', max(c.n) * 2), 'warning'
		FROM c HAVING max(c.n) > 0
		UNION ALL
		SELECT c.place, 2, 'expect_column_values_to_be_of_type', c.column_name,
			jsonb_build_object('type_', c.type), 'critical'
		FROM c
		UNION ALL
		-- missing values: as few as there are, with some room
		SELECT c.place, 3, 'expect_column_values_to_not_be_null', c.column_name, CASE WHEN c.n_null = 0 THEN '{}'
			ELSE jsonb_build_object('mostly', trim_scale(floor(90.0 * c.n_known / c.n) / 100)) END,
			CASE WHEN c.n_null = 0 THEN 'critical' ELSE 'warning' END
		FROM c WHERE c.n_known > 0 AND (c.n_null = 0 OR 90.0 * c.n_known / c.n >= 1)
		UNION ALL
		SELECT c.place, 4, 'expect_column_values_to_be_null', c.column_name, '{}', 'warning'
		FROM c WHERE c.n_known = 0 AND c.n > 0
		UNION ALL
		-- few texts: these
		SELECT c.place, 5, 'expect_column_values_to_be_in_set', c.column_name, jsonb_build_object('value_set', (
			SELECT jsonb_agg(v->'value' ORDER BY v->>'value' COLLATE "C") FROM jsonb_array_elements(c.top_values) AS v)),
			'critical'
		FROM c
		WHERE c.kind = 'category' AND c.n_distinct_exact AND c.n_distinct BETWEEN 1 AND 50 AND c.n_known >= 10 * c.n_distinct
			AND c.max_length <= 64
		UNION ALL
		SELECT c.place, 6, 'expect_column_values_to_be_between', c.column_name,
			jsonb_build_object('min_value', c.min, 'max_value', c.max, 'mostly', 0.99), 'warning'
		FROM c WHERE c.kind IN ('numeric', 'timestamp', 'timestamptz') AND c.min <> c.max
		UNION ALL
		-- nearly every value is different, and so it shall stay
		SELECT c.place, 7, 'expect_column_proportion_of_unique_values_to_be_between', c.column_name,
			jsonb_build_object('min_value', 0.9), 'warning'
		FROM c WHERE c.n_known >= 100 AND c.n_distinct >= 0.97 * c.n_known AND c.kind <> 'boolean'
		UNION ALL
		SELECT c.place, 8, 'expect_column_value_lengths_to_be_between', c.column_name,
			jsonb_build_object('min_value', c.min_length, 'max_value', c.max_length, 'mostly', 0.99), 'warning'
		FROM c WHERE c.kind = 'category' AND c.n_known > 0 AND NOT (c.n_distinct_exact AND c.n_distinct <= 50)
	)
	SELECT s.expectation, s.column_name, s.kwargs, s.severity,
		jsonb_build_object('expectation', s.expectation, 'severity', s.severity)
			|| coalesce(jsonb_build_object('column', s.column_name) || s.kwargs, s.kwargs)
			- CASE WHEN s.column_name IS NULL THEN 'column' ELSE '' END
	FROM suggested AS s ORDER BY s.place, s.rank
$$;
COMMENT ON FUNCTION churnops.suggest_expectations(jsonb) IS
'Expectations that rows with this profile meet.';

-- -------------------------------------------------------------------- views --

CREATE VIEW churnops.expectations WITH (security_barrier) AS
SELECT
	x.dataset,
	x.id,
	x.expectation,
	coalesce(x.kwargs->>'column', concat_ws(', ', x.kwargs->>'column_A', x.kwargs->>'column_B')) AS column_name,
	x.kwargs,
	x.severity,
	x.created_by,
	x.created_at
FROM churnops.expectation AS x
WHERE x.dataset IN (SELECT d.name FROM churnops.datasets AS d);
COMMENT ON VIEW churnops.expectations IS
'What is expected of datasets that the current role may use, one row each.';
COMMENT ON COLUMN churnops.expectations.dataset IS 'Name of the dataset.';
COMMENT ON COLUMN churnops.expectations.id IS 'Number of the expectation.';
COMMENT ON COLUMN churnops.expectations.expectation IS 'Its name, one of churnops_expectations().';
COMMENT ON COLUMN churnops.expectations.column_name IS 'The column, or the two, it is about; empty if none.';
COMMENT ON COLUMN churnops.expectations.kwargs IS 'Its arguments, a JSON object.';
COMMENT ON COLUMN churnops.expectations.severity IS 'critical or warning.';
COMMENT ON COLUMN churnops.expectations.created_by IS 'Role that added it.';
COMMENT ON COLUMN churnops.expectations.created_at IS 'Time it was added.';

CREATE VIEW churnops.validations WITH (security_barrier) AS
SELECT
	v.id,
	v.dataset,
	v.version,
	v.success,
	v.n_failed,
	v.n_critical,
	v.n_rows,
	v.digest,
	v.results,
	v.validated_by,
	v."session_user",
	v.validated_at
FROM churnops.validation AS v
WHERE v.dataset IN (SELECT d.name FROM churnops.datasets AS d);
COMMENT ON VIEW churnops.validations IS
'Validations of datasets that the current role may use, one row each.';
COMMENT ON COLUMN churnops.validations.id IS 'Number of the validation.';
COMMENT ON COLUMN churnops.validations.dataset IS 'Name of the dataset.';
COMMENT ON COLUMN churnops.validations.version IS 'Its version.';
COMMENT ON COLUMN churnops.validations.success IS 'Whether no critical expectation failed.';
COMMENT ON COLUMN churnops.validations.n_failed IS 'Expectations that failed.';
COMMENT ON COLUMN churnops.validations.n_critical IS 'Critical ones among them.';
COMMENT ON COLUMN churnops.validations.n_rows IS 'Rows that were read.';
COMMENT ON COLUMN churnops.validations.digest IS 'Digest of the version.';
COMMENT ON COLUMN churnops.validations.results IS 'The rows of churnops_validate, an array of objects.';
COMMENT ON COLUMN churnops.validations.validated_by IS 'Role that validated.';
COMMENT ON COLUMN churnops.validations."session_user" IS
'Role that logged in. Quote the name: unquoted, session_user is the function.';
COMMENT ON COLUMN churnops.validations.validated_at IS 'Time of the validation.';
