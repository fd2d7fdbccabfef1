-- Pipelines in YAML: what a document may hold, and whether one does

-- Since: 0.2.0
CREATE FUNCTION @extschema@.churnops_check_pipeline(yaml text) RETURNS jsonb
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_check_pipeline';
COMMENT ON FUNCTION @extschema@.churnops_check_pipeline(text) IS
'Checks a pipeline written in YAML, reading no data, and returns it in its full form with defaults '
'filled in; what is wrong is an error with line and column.';
