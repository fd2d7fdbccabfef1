-- Audit: what was done to models, as a chain of hashes for each name
--
-- An entry's hash is that of the entry before and of all it says, and an entry
-- says the digests of the rows that it is about.  So who changes an entry or a
-- frozen row past the triggers, as a superuser can, has to write anew every
-- entry after it, and churnops_verify() tells.  Each name has a chain of its
-- own: changes of a model take turns anyway, those of different models do not
-- wait for each other.  The chain outlives the model, and a later model of
-- that name goes on with it.

CREATE FUNCTION churnops.audited_tables() RETURNS text[]
LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT ARRAY['dataset', 'run', 'version', 'version_event', 'alias_event', 'import',
		'deployment_event', 'study', 'trial', 'verdict']
$$;
COMMENT ON FUNCTION churnops.audited_tables() IS
'Tables of which every row has to be covered by an entry of the audit.';

CREATE FUNCTION churnops.row_digests(
	relation text,
	model_name text,
	only_key bigint DEFAULT NULL)
RETURNS TABLE (key bigint, digest text)
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE
-- Nothing in a digest may depend on the session's settings.
SET search_path = pg_catalog, pg_temp
SET TimeZone = 'UTC'
SET extra_float_digits = 1
SET bytea_output = 'hex'
SET IntervalStyle = 'postgres'
AS $$
DECLARE
	key_column name;
	columns text;
BEGIN
	-- The artifact is a matter of its own digest, which is a column.
	SELECT max(a.attname) FILTER (WHERE a.attidentity <> '' OR c.relname IN ('version', 'import') AND a.attname = 'version'),
		string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FILTER (WHERE a.attname <> 'artifact')
	INTO key_column, columns
	FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid
	WHERE c.relnamespace = 'churnops'::regnamespace AND c.relname = relation AND c.relkind = 'r'
		AND a.attnum > 0 AND NOT a.attisdropped;
	IF key_column IS NULL THEN
		RETURN;
	END IF;
	-- A column that is NULL counts as if it were not there: later versions add some.
	RETURN QUERY EXECUTE format($query$
		SELECT r.%1$I::bigint, encode(sha256(convert_to((
			SELECT jsonb_object_agg(f.key, f.value) FROM jsonb_each(to_jsonb(r)) AS f
			WHERE f.value <> 'null')::text, 'UTF8')), 'hex')
		FROM (SELECT %2$s FROM churnops.%3$I WHERE model = $1 %4$s) AS r
		$query$, key_column, columns, relation,
		CASE WHEN only_key IS NOT NULL THEN format('AND %I = $2', key_column) ELSE '' END)
	USING model_name, only_key;
END
$$;
COMMENT ON FUNCTION churnops.row_digests(text, text, bigint) IS
'SHA-256 of the rows of a model in a table of the catalogue, of all or of one, by their number.';

CREATE FUNCTION churnops.set_digest(
	relation text,
	model_name text,
	last_key bigint,
	OUT count bigint,
	OUT digest text)
LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT count(*),
		encode(sha256(convert_to(coalesce(string_agg(d.key || ' ' || d.digest, E'\n' ORDER BY d.key), ''),
								 'UTF8')), 'hex')
	FROM churnops.row_digests(relation, model_name) AS d
	WHERE d.key <= last_key
$$;
COMMENT ON FUNCTION churnops.set_digest(text, text, bigint) IS
'Number and common SHA-256 of the rows of a model in a table of the catalogue, up to a number.';

CREATE FUNCTION churnops.entry_hash(previous text, e churnops.audit) RETURNS text
LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT encode(sha256(decode(coalesce(previous, ''), 'hex') || convert_to(jsonb_build_array(
		e.model, e.link, (extract(epoch FROM e.at) * 1000000)::bigint, e.actor, e."session_user",
		e.action, e.owner, e.version, e.detail, e.covered)::text, 'UTF8')), 'hex')
$$;
COMMENT ON FUNCTION churnops.entry_hash(text, churnops.audit) IS
'SHA-256 of the hash of the entry before, NULL for the first, and of what an entry says.';

CREATE FUNCTION churnops.append_entry(e churnops.audit) RETURNS bigint
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	last record;
	appended bigint;
BEGIN
	LOOP
		SELECT a.link, a.hash INTO last FROM churnops.audit AS a
		WHERE a.model = e.model AND a.link IS NOT NULL
		ORDER BY a.link DESC LIMIT 1;
		e.link := coalesce(last.link, 0) + 1;
		e.hash := churnops.entry_hash(last.hash, e);
		-- A transaction with an older snapshot than the last entry's gets 40001 here.
		INSERT INTO churnops.audit (at, actor, "session_user", action, model, owner, version, detail,
			link, covered, hash)
		VALUES (e.at, e.actor, e."session_user", e.action, e.model, e.owner, e.version, e.detail,
			e.link, e.covered, e.hash)
		ON CONFLICT (model, link) DO NOTHING
		RETURNING entry INTO appended;
		EXIT WHEN FOUND;
	END LOOP;
	RETURN appended;
END
$$;
COMMENT ON FUNCTION churnops.append_entry(churnops.audit) IS
'Appends an entry to the chain of its model''s name.';

CREATE FUNCTION churnops.start_chain(caller name, model_name text) RETURNS void
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	e churnops.audit;
BEGIN
	SELECT a.owner INTO e.owner FROM churnops.audit AS a
	WHERE a.model = model_name ORDER BY a.entry DESC LIMIT 1;
	IF NOT FOUND OR EXISTS (
		SELECT FROM churnops.audit AS a WHERE a.model = model_name AND a.link IS NOT NULL) THEN
		RETURN;
	END IF;
	SELECT jsonb_agg(jsonb_build_object('table', t.name, 'last', k.last, 'count', s.count,
										'digest', s.digest) ORDER BY t.name)
	INTO e.covered
	FROM unnest(churnops.audited_tables() || 'audit'::text) AS t(name)
	CROSS JOIN LATERAL (
		SELECT coalesce(max(d.key), 0) AS last FROM churnops.row_digests(t.name, model_name) AS d) AS k
	CROSS JOIN LATERAL churnops.set_digest(t.name, model_name, k.last) AS s;
	e.at := clock_timestamp();
	e.actor := caller;
	e."session_user" := session_user;
	e.action := 'chain';
	e.model := model_name;
	e.detail := '{}';
	PERFORM churnops.append_entry(e);
END
$$;
COMMENT ON FUNCTION churnops.start_chain(name, text) IS
'Begins the chain of a model that 0.1.0 has left entries of: its first link covers all there is.';

CREATE FUNCTION churnops.write_audit(
	caller name,
	action text,
	model_name text,
	version integer,
	detail jsonb,
	rows jsonb DEFAULT '{}',
	owner_name text DEFAULT NULL)
RETURNS bigint
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	e churnops.audit;
BEGIN
	PERFORM churnops.start_chain(caller, model_name);
	e.at := clock_timestamp();
	e.actor := caller;
	e."session_user" := session_user;
	e.action := action;
	e.model := model_name;
	e.owner := coalesce(owner_name, (SELECT m.owner FROM churnops.model AS m WHERE m.name = model_name));
	e.version := version;
	e.detail := detail;
	SELECT coalesce(jsonb_agg(jsonb_build_object('table', r.key, 'key', d.key, 'digest', d.digest)
							  ORDER BY r.key, d.key), '[]')
	INTO e.covered
	FROM jsonb_each(rows) AS r
	CROSS JOIN LATERAL jsonb_array_elements_text(
		CASE WHEN jsonb_typeof(r.value) = 'array' THEN r.value ELSE jsonb_build_array(r.value) END) AS k(key)
	CROSS JOIN LATERAL churnops.row_digests(r.key, model_name, k.key::bigint) AS d;
	RETURN churnops.append_entry(e);
END
$$;
COMMENT ON FUNCTION churnops.write_audit(name, text, text, integer, jsonb, jsonb, text) IS
'Appends to the audit what a role did to a model, with digests of the rows it made: rows is '
'{table: number}, or {table: [numbers]}. The caller holds the lock on the model. Returns the number of the entry.';

-- Nothing at an installation: what 0.1.0 left, at an update.
SELECT churnops.start_chain(current_user, m.model)
FROM (SELECT DISTINCT a.model FROM churnops.audit AS a) AS m;
