\echo Use "CREATE EXTENSION churnops" to load this file. \quit

-- Names are resolved in pg_catalog alone, whatever the installing session's
-- search_path holds: every object of ours is created and called qualified.
SET LOCAL search_path TO pg_catalog, pg_temp;

-- Schema churnops is made by this script and belongs to the extension; were it
-- the schema of the functions too, a dump would have to create it before the
-- extension, and the extension could not.
DO $guard$
BEGIN
	IF '@extschema@' = 'churnops' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'feature_not_supported',
			MESSAGE = 'extension "churnops" cannot be installed in schema "churnops"',
			DETAIL = 'The extension creates schema churnops itself, for its tables and views.',
			HINT = 'Drop schema churnops if it is empty, then name the schema of the functions: CREATE EXTENSION churnops SCHEMA public;';
	END IF;
END
$guard$;

CREATE SCHEMA churnops;
COMMENT ON SCHEMA churnops IS
'Models, their versions and their history. Read the views churnops.models, churnops.versions and '
'churnops.lineage; change anything by the functions churnops_*.';
