-- Datasets: registering versions, giving them up, and asking who is in them
--
-- churnops_dataset reads the rows in C, as the caller, and hands what it found
-- to churnops.register_dataset.  Changes of a dataset take turns on its row:
-- churnops.lock_dataset.

-- Since: 0.2.0
CREATE FUNCTION @extschema@.churnops_dataset(
	name text,
	query text,
	key text[] DEFAULT NULL,
	keep boolean DEFAULT false,
	description text DEFAULT NULL,
	OUT ref text,
	OUT dataset text,
	OUT version integer,
	OUT n_rows bigint,
	OUT digest text,
	OUT is_new boolean,
	OUT kept boolean)
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_dataset';
COMMENT ON FUNCTION @extschema@.churnops_dataset(text, text, text[], boolean, text) IS
'Registers the rows of a query, or of a table or view by name, as the next version of a dataset: '
'schema, profile of each column, row count and digest. '
'While schema, key (default none: columns that name a row, whose fingerprints are kept) and digest are those of the latest version, that one is returned '
'and is_new is false. keep (default false) keeps a compressed copy of the rows, also of a version '
'that is there already.';

-- Since: 0.2.0
CREATE FUNCTION @extschema@.churnops_forget(
	dataset_ref text,
	reason text DEFAULT NULL)
RETURNS text
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_as_owner';
COMMENT ON FUNCTION @extschema@.churnops_forget(text, text) IS
'Deletes the kept copy of a version of a dataset, written as customers/3, and keeps who, when and why '
'(reason, default NULL) in the audit. Digest, profile and fingerprints stay. Returns the reference.';

-- Since: 0.2.0
CREATE FUNCTION @extschema@.churnops_drop_dataset(dataset text) RETURNS text
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_as_owner';
COMMENT ON FUNCTION @extschema@.churnops_drop_dataset(text) IS
'Drops a dataset with all its versions and copies; refused while a model version was trained on one of '
'them. The audit keeps their digests. Returns the name.';

-- Since: 0.2.0
CREATE FUNCTION @extschema@.churnops_membership(
	dataset text,
	key jsonb)
RETURNS TABLE (
	ref text,
	version integer,
	held boolean,
	kept boolean,
	models text[],
	n_models bigint,
	created_at timestamp with time zone)
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_as_owner';
COMMENT ON FUNCTION @extschema@.churnops_membership(text, jsonb) IS
'Which versions of a dataset held a key, as in ''{"customer_id": 7}'', and which model versions were '
'trained on them: those the caller may see in models, all counted in n_models. '
'held is NULL for versions without these key columns.';

CREATE FUNCTION churnops.parse_dataset(dataset_ref text, OUT dataset text, OUT version integer)
LANGUAGE plpgsql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	parts text[] := regexp_match(dataset_ref,
		'^\s*(?:datasets:/)?([a-z][a-z0-9_.-]{0,62})(?:/([1-9][0-9]{0,9}))?\s*$');
BEGIN
	IF dataset_ref IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'null_value_not_allowed',
			MESSAGE = 'argument "dataset_ref" must not be null';
	END IF;
	IF parts IS NULL OR parts[2]::bigint > 2147483647 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_name',
			MESSAGE = format('invalid dataset reference "%s"', dataset_ref),
			DETAIL = 'A reference is customers/3 or, for the latest version, customers; in place of a '
				'query it has the prefix datasets:/.',
			HINT = 'Datasets you may use are listed in the view churnops.datasets.';
	END IF;
	dataset := parts[1];
	version := parts[2]::integer;
END
$$;
COMMENT ON FUNCTION churnops.parse_dataset(text) IS
'Takes a dataset reference apart: name and version, NULL for the latest.';

CREATE FUNCTION churnops.require_dataset(caller name, dataset_name text) RETURNS text
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found_owner text;
BEGIN
	SELECT n.owner INTO found_owner FROM churnops.named_dataset AS n
	WHERE n.name = dataset_name AND churnops.may_use(caller, n.owner);
	-- One statement for unknown and forbidden, so that even the context is the same.
	IF NOT FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'undefined_object',
			MESSAGE = format('dataset "%s" does not exist', dataset_name),
			HINT = 'Datasets you may use are listed in the view churnops.datasets.';
	END IF;
	RETURN found_owner;
END
$$;
COMMENT ON FUNCTION churnops.require_dataset(name, text) IS
'The owner of a dataset that a role may use; the error tells unknown from forbidden to nobody.';

CREATE FUNCTION churnops.lock_dataset(caller name, dataset_name text) RETURNS text
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	-- As churnops.lock_model: rights first, and again once we have waited.
	PERFORM churnops.require_dataset(caller, dataset_name);
	UPDATE churnops.named_dataset AS n SET last_version = n.last_version WHERE n.name = dataset_name;
	RETURN churnops.require_dataset(caller, dataset_name);
END
$$;
COMMENT ON FUNCTION churnops.lock_dataset(name, text) IS
'Makes changes of a dataset take turns until the end of the transaction; returns its owner.';

CREATE FUNCTION churnops.is_kept(dataset_name text, version_number integer) RETURNS boolean
LANGUAGE sql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT EXISTS (
			SELECT FROM churnops.dataset_rows AS r
			WHERE r.dataset = dataset_name AND r.version = version_number)
		OR EXISTS (
			SELECT FROM churnops.dataset_version AS v
			WHERE v.dataset = dataset_name AND v.version = version_number AND v.n_rows = 0)
$$;
COMMENT ON FUNCTION churnops.is_kept(text, integer) IS
'Whether a version of a dataset can be read back: it has a kept copy, or no rows.';

CREATE FUNCTION churnops.find_dataset_version(
	caller name,
	dataset_ref text)
RETURNS TABLE (
	dataset text, version integer, query text, fingerprint text, relations jsonb, columns jsonb,
	key text[], n_rows bigint, digest text, profile jsonb, search_path text, snapshot text, lsn text,
	created_by text, kept boolean, salt bytea)
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	ref record := churnops.parse_dataset(dataset_ref);
BEGIN
	PERFORM churnops.require_dataset(caller, ref.dataset);
	RETURN QUERY
	SELECT v.dataset, v.version, v.query, v.fingerprint, v.relations, v.columns, v.key, v.n_rows,
		v.digest, v.profile, v.search_path, v.snapshot, v.lsn, v.created_by,
		churnops.is_kept(v.dataset, v.version), n.salt
	FROM churnops.dataset_version AS v JOIN churnops.named_dataset AS n ON n.name = v.dataset
	WHERE v.dataset = ref.dataset AND (v.version = ref.version OR ref.version IS NULL)
	ORDER BY v.version DESC LIMIT 1;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'undefined_object',
			MESSAGE = format('version %s of dataset "%s" does not exist', ref.version, ref.dataset),
			HINT = format('List its versions with SELECT version, n_rows, created_at FROM churnops.datasets '
				'WHERE name = ''%s'';', ref.dataset);
	END IF;
END
$$;
COMMENT ON FUNCTION churnops.find_dataset_version(name, text) IS
'The version a dataset reference means, with all that is needed to read it again.';

CREATE FUNCTION churnops.audit_dataset(
	caller name,
	action text,
	dataset_name text,
	owner_name text,
	version_number integer,
	detail jsonb)
RETURNS bigint
LANGUAGE sql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
	-- No model can have such a name.
	SELECT churnops.write_audit(caller, action, 'datasets:/' || dataset_name, version_number, detail,
		owner_name => owner_name)
$$;
COMMENT ON FUNCTION churnops.audit_dataset(name, text, text, text, integer, jsonb) IS
'Writes what was done to a dataset into the audit, under the name datasets:/ and its own.';

CREATE FUNCTION churnops.dataset_record(dataset_name text, version_number integer) RETURNS text
LANGUAGE sql STABLE STRICT PARALLEL SAFE
-- Nothing in a digest may depend on the session's settings.
SET search_path = pg_catalog, pg_temp
SET TimeZone = 'UTC'
SET extra_float_digits = 1
AS $$
	-- A column that is NULL counts as if it were not there: later versions may add some.
	SELECT encode(sha256(convert_to((
		SELECT jsonb_object_agg(f.key, f.value) FROM jsonb_each(to_jsonb(v)) AS f
		WHERE f.value <> 'null')::text, 'UTF8')), 'hex')
	FROM churnops.dataset_version AS v
	WHERE v.dataset = dataset_name AND v.version = version_number
$$;
COMMENT ON FUNCTION churnops.dataset_record(text, integer) IS
'SHA-256 of the row of a version of a dataset, which the audit keeps.';

CREATE FUNCTION churnops.dataset_salt(caller name, dataset_name text) RETURNS bytea
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	existing record;
BEGIN
	SELECT n.salt, churnops.may_use(caller, n.owner) AS usable INTO existing
	FROM churnops.named_dataset AS n WHERE n.name = dataset_name;
	IF FOUND AND NOT existing.usable THEN
		-- As of models: one name space serves all roles.
		RAISE EXCEPTION USING
			ERRCODE = 'insufficient_privilege',
			MESSAGE = format('cannot register dataset "%s"', dataset_name),
			HINT = 'Choose another name for the dataset.';
	END IF;
	RETURN existing.salt;
END
$$;
COMMENT ON FUNCTION churnops.dataset_salt(name, text) IS
'The salt of a dataset that a role may register a version of; NULL if there is none yet.';

CREATE FUNCTION churnops.register_dataset(
	registration jsonb,
	new_salt bytea,
	OUT version integer,
	OUT is_new boolean,
	OUT kept boolean)
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	r record;
	latest record;
	owner_name text;
	registered_at timestamp with time zone := clock_timestamp();
BEGIN
	SELECT * INTO STRICT r FROM jsonb_to_record(registration) AS x(
		name text, description text, caller text, "session_user" text, query text, fingerprint text,
		relations jsonb, columns jsonb, key text[], n_rows bigint, digest text, profile jsonb,
		search_path text, snapshot text, lsn text, environment jsonb, code_version text);

	-- Waits for a concurrent first registration of the same name.
	INSERT INTO churnops.named_dataset AS n (name, owner, description, salt, created_at)
	VALUES (r.name, r.caller, r.description, new_salt, registered_at)
	ON CONFLICT (name) DO NOTHING;
	-- The fingerprints were made with the salt that was seen before the rows were read.
	IF churnops.dataset_salt(r.caller::name, r.name) IS DISTINCT FROM new_salt THEN
		RAISE EXCEPTION USING
			ERRCODE = 'serialization_failure',
			MESSAGE = format('dataset "%s" was created or dropped by another session meanwhile', r.name),
			HINT = 'Register it again.';
	END IF;
	owner_name := churnops.lock_dataset(r.caller::name, r.name);

	SELECT v.version, v.columns, v.key, v.digest INTO latest
	FROM churnops.dataset_version AS v WHERE v.dataset = r.name
	ORDER BY v.version DESC LIMIT 1;
	is_new := NOT FOUND OR latest.digest <> r.digest OR latest.columns <> r.columns
		OR latest.key IS DISTINCT FROM r.key;
	IF NOT is_new THEN
		version := latest.version;
		kept := churnops.is_kept(r.name, latest.version);
		RETURN;
	END IF;

	kept := r.n_rows = 0;
	UPDATE churnops.named_dataset AS n SET last_version = n.last_version + 1
	WHERE n.name = r.name
	RETURNING n.last_version INTO STRICT version;
	INSERT INTO churnops.dataset_version (dataset, version, query, fingerprint, relations, columns,
		key, n_rows, digest, profile, search_path, snapshot, lsn, description, environment,
		code_version, created_by, "session_user", created_at)
	VALUES (r.name, register_dataset.version, r.query, r.fingerprint, r.relations, r.columns, r.key,
		r.n_rows, r.digest, r.profile, r.search_path, r.snapshot, r.lsn, r.description, r.environment,
		r.code_version, r.caller, r."session_user", registered_at);
	PERFORM churnops.audit_dataset(r.caller::name, 'register_dataset', r.name, owner_name,
		register_dataset.version, jsonb_build_object('digest', r.digest, 'n_rows', r.n_rows,
			'record', churnops.dataset_record(r.name, register_dataset.version)));
END
$$;
COMMENT ON FUNCTION churnops.register_dataset(jsonb, bytea) IS
'Stores a version of a dataset, or finds that the latest one has the same schema, key and rows. Called '
'by churnops_dataset, which has read the rows.';

CREATE FUNCTION churnops.add_dataset_rows(
	caller name,
	dataset_name text,
	version_number integer,
	chunk_number integer,
	n_chunk_rows integer,
	chunk_bytes bytea)
RETURNS void
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	INSERT INTO churnops.dataset_rows (dataset, version, chunk, n_rows, digest, bytes)
	VALUES (dataset_name, version_number, chunk_number, n_chunk_rows,
		encode(sha256(chunk_bytes), 'hex'), chunk_bytes);
	IF chunk_number = 0 THEN
		PERFORM churnops.audit_dataset(caller, 'keep_dataset', dataset_name, n.owner, version_number, '{}')
		FROM churnops.named_dataset AS n WHERE n.name = dataset_name;
	END IF;
END
$$;
COMMENT ON FUNCTION churnops.add_dataset_rows(name, text, integer, integer, integer, bytea) IS
'Stores a chunk of a kept copy. The caller holds the lock on the dataset.';

CREATE FUNCTION churnops.add_dataset_keys(
	dataset_name text,
	version_number integer,
	chunk_number integer,
	chunk_bytes bytea)
RETURNS void
LANGUAGE sql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
	INSERT INTO churnops.dataset_keys (dataset, version, chunk, n_keys, first, digest, bytes)
	VALUES (dataset_name, version_number, chunk_number, octet_length(chunk_bytes) / 24,
		substring(chunk_bytes FROM 1 FOR 16), encode(sha256(chunk_bytes), 'hex'), chunk_bytes)
$$;
COMMENT ON FUNCTION churnops.add_dataset_keys(text, integer, integer, bytea) IS
'Stores a chunk of fingerprints. The caller holds the lock on the dataset.';

CREATE FUNCTION churnops.forget(caller name, dataset_ref text, reason text) RETURNS text
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	ref record := churnops.parse_dataset(dataset_ref);
	owner_name text;
BEGIN
	IF ref.version IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('dataset reference "%s" names no version', dataset_ref),
			HINT = format('Name the version whose copy shall go, for example: SELECT churnops_forget(''%s/1'');',
						  ref.dataset);
	END IF;
	owner_name := churnops.lock_dataset(caller, ref.dataset);
	PERFORM churnops.find_dataset_version(caller, dataset_ref);
	PERFORM FROM churnops.dataset_rows AS r
	WHERE r.dataset = ref.dataset AND r.version = ref.version;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'object_not_in_prerequisite_state',
			MESSAGE = format('dataset version %s/%s has no kept copy', ref.dataset, ref.version),
			HINT = 'The column kept of churnops.datasets tells which versions have one.';
	END IF;
	PERFORM churnops.delete_dataset_rows(ref.dataset, ref.version);
	PERFORM churnops.audit_dataset(caller, 'forget_dataset', ref.dataset, owner_name, ref.version,
		jsonb_build_object('reason', reason));
	RETURN format('datasets:/%s/%s', ref.dataset, ref.version);
END
$$;
COMMENT ON FUNCTION churnops.forget(name, text, text) IS
'churnops_forget on behalf of a role.';

CREATE FUNCTION churnops.drop_dataset(caller name, dataset_name text) RETURNS text
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	owner_name text;
	trained record;
	gone jsonb;
BEGIN
	PERFORM churnops.check_name(dataset_name, 'dataset');
	owner_name := churnops.lock_dataset(caller, dataset_name);

	-- A version is frozen with its lineage, which names the dataset.
	SELECT count(*) AS n, string_agg(DISTINCT d.model, ', ') FILTER (
		WHERE churnops.has_right(caller, d.model, 'any')) AS models
	INTO trained
	FROM churnops.dataset AS d WHERE d.named_dataset = dataset_name;
	IF trained.n > 0 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'dependent_objects_still_exist',
			MESSAGE = format('dataset "%s" cannot be dropped: %s model version%s trained on it',
							 dataset_name, trained.n, CASE trained.n WHEN 1 THEN ' was' ELSE 's were' END),
			DETAIL = coalesce('Models of these that you may use: ' || trained.models || '.',
				'You may use none of these models.'),
			HINT = 'Drop the models first, or give up kept copies only, with churnops_forget.';
	END IF;

	SELECT coalesce(jsonb_agg(jsonb_build_object('version', v.version, 'digest', v.digest,
		'n_rows', v.n_rows) ORDER BY v.version), '[]')
	INTO gone FROM churnops.dataset_version AS v WHERE v.dataset = dataset_name;
	PERFORM churnops.delete_dataset_rows(dataset_name, NULL);
	PERFORM churnops.audit_dataset(caller, 'drop_dataset', dataset_name, owner_name, NULL,
		jsonb_build_object('versions', gone));
	RETURN dataset_name;
END
$$;
COMMENT ON FUNCTION churnops.drop_dataset(name, text) IS
'churnops_drop_dataset on behalf of a role.';

CREATE FUNCTION churnops.key_fingerprint(columns jsonb, key text[], salt bytea, value jsonb)
RETURNS bytea
LANGUAGE C STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'churnops_key_fingerprint';
COMMENT ON FUNCTION churnops.key_fingerprint(jsonb, text[], bytea, jsonb) IS
'The fingerprint that a key, given as a JSON object, has in a version of a dataset.';

CREATE FUNCTION churnops.holds_key(dataset_name text, version_number integer, fingerprint bytea)
RETURNS boolean
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	part record;
	low integer := 0;
	high integer;
	middle integer;
	found_key bytea;
BEGIN
	SELECT k.chunk, k.n_keys, k.first INTO part
	FROM churnops.dataset_keys AS k
	WHERE k.dataset = dataset_name AND k.version = version_number AND k.first <= fingerprint
	ORDER BY k.first DESC LIMIT 1;
	IF NOT FOUND OR part.first = fingerprint THEN
		RETURN FOUND;
	END IF;
	-- The first place of the chunk whose key is not below.
	high := part.n_keys;
	WHILE low < high LOOP
		middle := (low + high) / 2;
		SELECT substring(k.bytes FROM middle * 24 + 1 FOR 16) INTO STRICT found_key
		FROM churnops.dataset_keys AS k
		WHERE k.dataset = dataset_name AND k.version = version_number AND k.chunk = part.chunk;
		IF found_key = fingerprint THEN
			RETURN true;
		ELSIF found_key < fingerprint THEN
			low := middle + 1;
		ELSE
			high := middle;
		END IF;
	END LOOP;
	RETURN false;
END
$$;
COMMENT ON FUNCTION churnops.holds_key(text, integer, bytea) IS
'Whether a version of a dataset has a key with this fingerprint.';

CREATE FUNCTION churnops.membership(caller name, dataset_name text, key jsonb)
RETURNS TABLE (
	ref text,
	version integer,
	held boolean,
	kept boolean,
	models text[],
	n_models bigint,
	created_at timestamp with time zone)
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	given text[];
	keys text;
BEGIN
	PERFORM churnops.check_name(dataset_name, 'dataset');
	PERFORM churnops.require_dataset(caller, dataset_name);
	IF key IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'null_value_not_allowed',
			MESSAGE = 'argument "key" must not be null';
	END IF;
	IF jsonb_typeof(key) = 'object' THEN
		given := ARRAY(SELECT k COLLATE "C" FROM jsonb_object_keys(key) AS k ORDER BY 1);
	END IF;
	SELECT string_agg(DISTINCT array_to_string(v.key, ', '), '; ') INTO keys
	FROM churnops.dataset_version AS v WHERE v.dataset = dataset_name;
	IF given IS NULL OR NOT EXISTS (
		SELECT FROM churnops.dataset_version AS v
		WHERE v.dataset = dataset_name
			AND ARRAY(SELECT k COLLATE "C" FROM unnest(v.key) AS k ORDER BY 1) = given AND v.key IS NOT NULL)
	THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = CASE WHEN keys IS NULL
				THEN format('no version of dataset "%s" has a key', dataset_name)
				ELSE format('argument "key" does not name the key columns of dataset "%s"', dataset_name) END,
			DETAIL = format('Key columns: %s.', coalesce(keys, 'none')),
			HINT = CASE WHEN keys IS NULL
				THEN 'Register it with key => ARRAY[...]: fingerprints are made when rows are read.'
				ELSE 'Give a JSON object such as {"customer_id": 7}.' END;
	END IF;
	RETURN QUERY
	SELECT format('datasets:/%s/%s', v.dataset, v.version), v.version,
		CASE WHEN ARRAY(SELECT k COLLATE "C" FROM unnest(v.key) AS k ORDER BY 1) = given
			AND v.key IS NOT NULL
			THEN churnops.holds_key(v.dataset, v.version,
				churnops.key_fingerprint(v.columns, v.key, n.salt, membership.key)) END,
		churnops.is_kept(v.dataset, v.version),
		ARRAY(
			SELECT format('%s/%s', m.model, m.version)
			FROM churnops.dataset AS d JOIN churnops.version AS m ON m.dataset = d.dataset
			WHERE d.named_dataset = v.dataset AND d.named_version = v.version
				AND churnops.has_right(caller, m.model, 'any')
			ORDER BY m.model, m.version),
		(SELECT count(*)
		 FROM churnops.dataset AS d JOIN churnops.version AS m ON m.dataset = d.dataset
		 WHERE d.named_dataset = v.dataset AND d.named_version = v.version),
		v.created_at
	FROM churnops.dataset_version AS v JOIN churnops.named_dataset AS n ON n.name = v.dataset
	WHERE v.dataset = dataset_name
	ORDER BY v.version;
END
$$;
COMMENT ON FUNCTION churnops.membership(name, text, jsonb) IS
'churnops_membership on behalf of a role.';
