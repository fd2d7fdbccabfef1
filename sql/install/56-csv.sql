-- Files: tables from CSV, versions to folders and back
--
-- Reading and writing the server's files is for members of pg_read_server_files
-- and pg_write_server_files.  What is done with a file is done as the caller.

-- Since: 0.2.0
CREATE FUNCTION @extschema@.churnops_load_csv(
	path text,
	"table" text,
	options jsonb DEFAULT '{}',
	OUT table_name text,
	OUT n_rows bigint,
	OUT columns jsonb)
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_load_csv';
COMMENT ON FUNCTION @extschema@.churnops_load_csv(text, text, jsonb) IS
'Makes a table of a CSV file of the server, with the types that all values of a column have, or adds '
'its rows to a table. The path may be a file: URL. Needs membership in pg_read_server_files.';

-- Since: 0.2.0
CREATE FUNCTION @extschema@.churnops_save(model_ref text, path text) RETURNS text
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_save';
COMMENT ON FUNCTION @extschema@.churnops_save(text, text) IS
'Writes a version of a model to a new folder of the server: model.json, the document of '
'churnops_export; MODEL_CARD.md; metadata.json. Gone again if the transaction is rolled back. Needs '
'the right to read the model and membership in pg_write_server_files; gives the folder''s path.';

-- Since: 0.2.0
CREATE FUNCTION @extschema@.churnops_load(
	path text,
	model text DEFAULT NULL,
	description text DEFAULT NULL,
	OUT ref text,
	OUT version integer,
	OUT status text,
	OUT source_database text,
	OUT source_ref text,
	OUT artifact_digest text)
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_load';
COMMENT ON FUNCTION @extschema@.churnops_load(text, text, text) IS
'Registers the version in a folder of churnops_save, as churnops_import does with its document. Needs '
'membership in pg_read_server_files.';

CREATE FUNCTION churnops.saved_files(
	caller name,
	model_ref text,
	OUT name text,
	OUT content text)
RETURNS SETOF record
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
	target record := churnops.resolve(caller, model_ref, 'read');
	ref text := format('%s/%s', target.model, target.version);
	document text := churnops.export(caller, ref);
	card text := churnops.model_card(caller, ref);
	metadata jsonb;
BEGIN
	metadata := (document::json->'content')::jsonb || jsonb_build_object(
		'ref', ref,
		'files', jsonb_build_object(
			'model.json', encode(sha256(convert_to(document, 'UTF8')), 'hex'),
			'MODEL_CARD.md', encode(sha256(convert_to(card, 'UTF8')), 'hex')));
	RETURN QUERY VALUES
		('model.json', document),
		('MODEL_CARD.md', card),
		('metadata.json', jsonb_pretty(metadata) || E'\n');
END
$$;
COMMENT ON FUNCTION churnops.saved_files(name, text) IS
'The files of churnops_save on behalf of a role: the document of churnops_export, the model card, and '
'what the document says without the artifact, with SHA-256 of the other two.';
