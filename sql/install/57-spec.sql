-- Pipelines in YAML: what a document may hold, and whether one does

-- Since: 0.2.0
CREATE FUNCTION @extschema@.churnops_check_pipeline(yaml text) RETURNS jsonb
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_check_pipeline';
COMMENT ON FUNCTION @extschema@.churnops_check_pipeline(text) IS
'Checks a pipeline written in YAML, reading no data, and returns it in its full form with defaults '
'filled in; what is wrong is an error with line and column.';

-- Since: 0.2.0
CREATE FUNCTION @extschema@.churnops_pipeline_keys()
RETURNS TABLE (
	path text,
	required boolean,
	default_value jsonb,
	allowed text,
	description text)
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_pipeline_keys';
COMMENT ON FUNCTION @extschema@.churnops_pipeline_keys() IS
'The keys of a pipeline, from the table that churnops_check_pipeline reads: [] is an item of a list, '
'* any name.';

-- Since: 0.2.0
CREATE FUNCTION @extschema@.churnops_pipeline_schema() RETURNS jsonb
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_pipeline_schema';
COMMENT ON FUNCTION @extschema@.churnops_pipeline_schema() IS
'The same table as a JSON Schema (draft 7), for editors that complete and check YAML.';
