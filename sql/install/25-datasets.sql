-- Datasets: named, numbered states of the rows of a query
--
-- A training's own record (churnops.dataset) says what it read; a dataset has
-- a name, an owner and versions of its own, which outlive the trainings on
-- them.  Rows are kept in churnops.dataset_rows, if they are, and fingerprints
-- of keys in churnops.dataset_keys, both in chunks: a dump writes a field as one
-- line, and nobody reads more than a chunk at a time.

CREATE TABLE churnops.named_dataset (
	name text COLLATE "C" NOT NULL,
	owner text COLLATE "C" NOT NULL,
	description text,
	salt bytea NOT NULL,
	last_version integer NOT NULL DEFAULT 0,
	created_at timestamp with time zone NOT NULL,
	CONSTRAINT named_dataset_pkey PRIMARY KEY (name),
	CONSTRAINT named_dataset_name_check CHECK (name ~ '^[a-z][a-z0-9_.-]{0,62}$'),
	CONSTRAINT named_dataset_salt_check CHECK (octet_length(salt) = 16),
	CONSTRAINT named_dataset_last_version_check CHECK (last_version >= 0)
);
COMMENT ON TABLE churnops.named_dataset IS
'Datasets: a name for the changing rows of a query, owned by a role.';
COMMENT ON COLUMN churnops.named_dataset.owner IS
'Role that first registered the dataset; its members may register versions, train on them, compare '
'and drop them. A name, so it does not follow ALTER ROLE ... RENAME.';
COMMENT ON COLUMN churnops.named_dataset.salt IS
'Random bytes that go into the fingerprints of keys and rows: those of two datasets, or two '
'databases, cannot be compared.';
COMMENT ON COLUMN churnops.named_dataset.last_version IS
'Latest version number ever given out.';

CREATE TABLE churnops.dataset_version (
	dataset text COLLATE "C" NOT NULL,
	version integer NOT NULL,
	query text NOT NULL,
	fingerprint text NOT NULL,
	relations jsonb NOT NULL,
	columns jsonb NOT NULL,
	key text[],
	n_rows bigint NOT NULL,
	digest text NOT NULL,
	profile jsonb NOT NULL,
	search_path text NOT NULL,
	snapshot text NOT NULL,
	lsn text,
	description text,
	environment jsonb NOT NULL,
	code_version text,
	created_by text NOT NULL,
	"session_user" text NOT NULL,
	created_at timestamp with time zone NOT NULL,
	CONSTRAINT dataset_version_pkey PRIMARY KEY (dataset, version),
	CONSTRAINT dataset_version_version_check CHECK (version >= 1),
	CONSTRAINT dataset_version_n_rows_check CHECK (n_rows >= 0),
	CONSTRAINT dataset_version_digest_check CHECK (digest ~ '^[0-9a-f]{64}$')
);
CREATE INDEX dataset_version_digest_idx ON churnops.dataset_version (digest);
COMMENT ON TABLE churnops.dataset_version IS
'Versions of datasets: query, schema, profile, row count and digest. Frozen.';
COMMENT ON COLUMN churnops.dataset_version.fingerprint IS
'SHA-256 of the query''s tokens, as in churnops.dataset.';
COMMENT ON COLUMN churnops.dataset_version.relations IS
'Relations the query read, as in churnops.dataset.';
COMMENT ON COLUMN churnops.dataset_version.columns IS
'Columns of the query in its order: [{name, type, base, tag, kind}]; type is spelled with its '
'schema, base is the type below a domain, tag says how the digest writes values.';
COMMENT ON COLUMN churnops.dataset_version.key IS
'Columns that name a row, whose fingerprints are kept; NULL without a key.';
COMMENT ON COLUMN churnops.dataset_version.digest IS
'SHA-256 over the schema and all rows in any order, lower-case hex: that of a training on the same rows.';
COMMENT ON COLUMN churnops.dataset_version.profile IS
'A JSON array, an object for each column: n_null, n_distinct, min, max, mean, sd, percentiles or values.';
COMMENT ON COLUMN churnops.dataset_version.environment IS
'Versions and machine, as in churnops.run.';
COMMENT ON COLUMN churnops.dataset_version."session_user" IS
'Role that logged in. Quote the name: unquoted, session_user is the function.';

CREATE TABLE churnops.dataset_rows (
	dataset text COLLATE "C" NOT NULL,
	version integer NOT NULL,
	chunk integer NOT NULL,
	n_rows integer NOT NULL,
	digest text NOT NULL,
	bytes bytea NOT NULL,
	CONSTRAINT dataset_rows_pkey PRIMARY KEY (dataset, version, chunk)
);
COMMENT ON TABLE churnops.dataset_rows IS
'Kept copies of the rows of dataset versions, some thousand rows a chunk, column by column.';
COMMENT ON COLUMN churnops.dataset_rows.bytes IS
'The chunk; src/dataset/chunk.c has its format. The server compresses it.';
COMMENT ON COLUMN churnops.dataset_rows.digest IS
'SHA-256 of the bytes, lower-case hex.';

CREATE TABLE churnops.dataset_keys (
	dataset text COLLATE "C" NOT NULL,
	version integer NOT NULL,
	chunk integer NOT NULL,
	n_keys integer NOT NULL,
	first bytea NOT NULL,
	digest text NOT NULL,
	bytes bytea NOT NULL,
	CONSTRAINT dataset_keys_pkey PRIMARY KEY (dataset, version, chunk)
);
CREATE INDEX dataset_keys_first_idx ON churnops.dataset_keys (dataset, version, first);
-- Hashes do not compress, and a lookup reads a few of a chunk's pages.
ALTER TABLE churnops.dataset_keys ALTER COLUMN bytes SET STORAGE EXTERNAL;
COMMENT ON TABLE churnops.dataset_keys IS
'Fingerprints of the rows of dataset versions that have a key, in order: 16 bytes of a salted '
'SHA-256 of the key, 8 bytes of a salted hash of the row.';
COMMENT ON COLUMN churnops.dataset_keys.first IS
'The first key of the chunk.';
COMMENT ON COLUMN churnops.dataset_keys.digest IS
'SHA-256 of the bytes, lower-case hex.';

-- lz4 reads chunks several times as fast as pglz; a server may be built without.
DO $$
BEGIN
	ALTER TABLE churnops.dataset_rows ALTER COLUMN bytes SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported OR invalid_parameter_value THEN
	NULL;
END
$$;

CREATE FUNCTION churnops.delete_dataset_rows(dataset text, version integer) RETURNS void
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'churnops_delete_dataset_rows';
COMMENT ON FUNCTION churnops.delete_dataset_rows(text, integer) IS
'Deletes the kept copy of a version of a dataset or, if the version is NULL, the whole dataset, past the '
'triggers of the frozen tables.';

CREATE TRIGGER refuse_change BEFORE UPDATE OF name, salt OR DELETE ON churnops.named_dataset
	FOR EACH ROW EXECUTE FUNCTION churnops.refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON churnops.named_dataset
	FOR EACH STATEMENT EXECUTE FUNCTION churnops.refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON churnops.dataset_version
	FOR EACH ROW EXECUTE FUNCTION churnops.refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON churnops.dataset_version
	FOR EACH STATEMENT EXECUTE FUNCTION churnops.refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON churnops.dataset_rows
	FOR EACH ROW EXECUTE FUNCTION churnops.refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON churnops.dataset_rows
	FOR EACH STATEMENT EXECUTE FUNCTION churnops.refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON churnops.dataset_keys
	FOR EACH ROW EXECUTE FUNCTION churnops.refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON churnops.dataset_keys
	FOR EACH STATEMENT EXECUTE FUNCTION churnops.refuse_change();

SELECT pg_catalog.pg_extension_config_dump('churnops.named_dataset', '');
SELECT pg_catalog.pg_extension_config_dump('churnops.dataset_version', '');
SELECT pg_catalog.pg_extension_config_dump('churnops.dataset_rows', '');
SELECT pg_catalog.pg_extension_config_dump('churnops.dataset_keys', '');
