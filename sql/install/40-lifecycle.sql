-- Lifecycle: references, aliases, and the end of a model
--
-- A function churnops_x(...) runs churnops.x(caller, ...) as the extension's owner:
-- the C function churnops_as_owner puts the calling role in front.  Nobody else
-- may execute churnops.x, so `caller` is true, and each x checks its rights.
-- Changes of a model take turns on its row: churnops.lock_model.

-- Since: 0.1.0
CREATE FUNCTION @extschema@.churnops_promote(
	model_ref text,
	alias text DEFAULT 'champion',
	reason text DEFAULT NULL)
RETURNS churnops.alias_state
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_as_owner';
COMMENT ON FUNCTION @extschema@.churnops_promote(text, text, text) IS
'Points an alias (default champion, what the bare model name means) to an approved version, as in '
'churnops_promote(''churn/3''), and keeps who, when and why (reason, default NULL). '
'Takes effect with the transaction. Pointing it to where it points already changes nothing. '
'Returns the state of the alias.';

-- Since: 0.1.0
CREATE FUNCTION @extschema@.churnops_drop_alias(
	model_ref text,
	reason text DEFAULT NULL)
RETURNS churnops.alias_state
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_as_owner';
COMMENT ON FUNCTION @extschema@.churnops_drop_alias(text, text) IS
'Drops an alias, written as churn@challenger, and keeps who, when and why (reason, default NULL). '
'Without the alias champion the bare model name means nothing until the next promotion. Returns '
'the state of the alias, its version NULL.';

-- Since: 0.1.0
CREATE FUNCTION @extschema@.churnops_drop_model(model text) RETURNS text
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_as_owner';
COMMENT ON FUNCTION @extschema@.churnops_drop_model(text) IS
'Drops a model with all its versions, datasets, runs, aliases and their history; the audit keeps '
'their digests. Returns the name of the model.';

CREATE FUNCTION churnops.check_name(name text, what text) RETURNS void
LANGUAGE plpgsql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF name IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'null_value_not_allowed',
			MESSAGE = format('argument "%s" must not be null', what);
	END IF;
	IF name !~ '^[a-z][a-z0-9_.-]{0,62}$' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_name',
			MESSAGE = format('invalid %s name "%s"', what, name),
			DETAIL = 'A name is a lower-case letter followed by up to 62 lower-case letters, '
				'digits, underscores, dots or hyphens.',
			HINT = 'Choose a name like churn_2026.';
	END IF;
END
$$;
COMMENT ON FUNCTION churnops.check_name(text, text) IS
'Refuses what cannot be the name of a model or an alias.';

CREATE FUNCTION churnops.parse_reference(
	model_ref text,
	OUT model text,
	OUT version integer,
	OUT alias text)
LANGUAGE plpgsql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	parts text[] := regexp_match(model_ref,
		'^(?:models:/)?([a-z][a-z0-9_.-]{0,62})(?:/([1-9][0-9]{0,9})|@([a-z][a-z0-9_.-]{0,62}))?$');
BEGIN
	IF model_ref IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'null_value_not_allowed',
			MESSAGE = 'argument "model_ref" must not be null';
	END IF;
	IF parts IS NULL OR parts[2]::bigint > 2147483647 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_name',
			MESSAGE = format('invalid model reference "%s"', model_ref),
			DETAIL = 'A reference is churn, churn/3 or churn@alias, with or without the prefix models:/; '
				'names match [a-z][a-z0-9_.-]{0,62}.',
			HINT = 'Models you may use are listed in the view churnops.models.';
	END IF;
	model := parts[1];
	version := parts[2]::integer;
	alias := parts[3];
END
$$;
COMMENT ON FUNCTION churnops.parse_reference(text) IS
'Takes a model reference apart: model, and version or alias, both NULL for a bare model name.';

CREATE FUNCTION churnops.resolve(
	caller name,
	model_ref text,
	wanted text,
	OUT model text,
	OUT version integer)
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	ref record := churnops.parse_reference(model_ref);
BEGIN
	PERFORM churnops.require_right(caller, ref.model, wanted, ref.alias);
	model := ref.model;
	IF ref.version IS NOT NULL THEN
		SELECT v.version INTO resolve.version FROM churnops.version AS v
		WHERE v.model = ref.model AND v.version = ref.version;
		IF NOT FOUND THEN
			RAISE EXCEPTION USING
				ERRCODE = 'undefined_object',
				MESSAGE = format('version %s of model "%s" does not exist', ref.version, ref.model),
				HINT = format('List its versions with SELECT version, status FROM churnops.versions '
					'WHERE model = ''%s'';', ref.model);
		END IF;
	ELSE
		ref.alias := coalesce(ref.alias, 'champion');
		SELECT a.version INTO resolve.version FROM churnops.alias AS a
		WHERE a.model = ref.model AND a.alias = ref.alias;
		IF NOT FOUND THEN
			RAISE EXCEPTION USING
				ERRCODE = 'undefined_object',
				MESSAGE = format('model "%s" has no alias "%s"', ref.model, ref.alias),
				HINT = format('Name a version, or give the alias to one with '
					'SELECT churnops_promote(''%s/1'', ''%s'');', ref.model, ref.alias);
		END IF;
	END IF;
END
$$;
COMMENT ON FUNCTION churnops.resolve(name, text, text) IS
'The version a reference means, for a role that has the wanted right on the model. Scoring has its own way in C '
'with the same texts.';

CREATE FUNCTION churnops.lock_model(
	caller name,
	model text,
	wanted text,
	alias text DEFAULT NULL)
RETURNS text
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	-- Rights first: nobody waits for, or holds, a lock on another's model.
	PERFORM churnops.require_right(caller, model, wanted, alias);
	-- An update that changes nothing rather than a row lock: a transaction with an
	-- older snapshot then gets 40001, instead of acting on rows it cannot see.
	UPDATE churnops.model AS m SET last_version = m.last_version WHERE m.name = model;
	-- It may have been dropped while we waited.
	RETURN churnops.require_right(caller, model, wanted, alias);
END
$$;
COMMENT ON FUNCTION churnops.lock_model(name, text, text, text) IS
'Makes changes of a model take turns until the end of the transaction, for a role that has the '
'wanted right; returns its owner.';

CREATE FUNCTION churnops.set_alias(
	model_name text,
	alias_name text,
	new_version integer,
	caller name,
	why text)
RETURNS churnops.alias_state
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	old_version integer;
	set_at timestamp with time zone := clock_timestamp();
BEGIN
	SELECT a.version INTO old_version FROM churnops.alias AS a
	WHERE a.model = model_name AND a.alias = alias_name;

	IF new_version IS NULL THEN
		DELETE FROM churnops.alias AS a WHERE a.model = model_name AND a.alias = alias_name;
	ELSE
		INSERT INTO churnops.alias AS a (model, alias, version, changed_by, changed_at)
		VALUES (model_name, alias_name, new_version, caller, set_at)
		ON CONFLICT (model, alias) DO UPDATE
		SET version = excluded.version, changed_by = excluded.changed_by,
			changed_at = excluded.changed_at;
	END IF;

	INSERT INTO churnops.alias_event (model, alias, from_version, to_version, changed_by,
		"session_user", reason, changed_at)
	VALUES (model_name, alias_name, old_version, new_version, caller, session_user, why, set_at);

	INSERT INTO churnops.audit (at, actor, "session_user", action, model, owner, version, detail)
	SELECT set_at, caller, session_user,
		CASE WHEN new_version IS NULL THEN 'drop_alias' ELSE 'promote' END,
		m.name, m.owner, coalesce(new_version, old_version),
		jsonb_build_object('alias', alias_name, 'from_version', old_version,
						   'to_version', new_version, 'reason', why)
	FROM churnops.model AS m WHERE m.name = model_name;

	PERFORM churnops.alias_changed(model_name, alias_name, caller, why);
	RETURN (model_name, alias_name, new_version, old_version, caller::text, set_at, why);
END
$$;
COMMENT ON FUNCTION churnops.set_alias(text, text, integer, name, text) IS
'Points an alias to a version, or drops it if the version is NULL, with history and audit. The '
'caller holds the lock on the model.';

CREATE FUNCTION churnops.promote(caller name, model_ref text, alias_name text, reason text)
RETURNS churnops.alias_state
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	target record;
	current_status text;
	state churnops.alias_state;
BEGIN
	PERFORM churnops.check_name(alias_name, 'alias');
	SELECT r.model INTO STRICT target FROM churnops.parse_reference(model_ref) AS r;
	PERFORM churnops.lock_model(caller, target.model, 'deploy', alias_name);
	SELECT r.model, r.version INTO STRICT target FROM churnops.resolve(caller, model_ref, 'any') AS r;

	SELECT e.status INTO STRICT current_status FROM churnops.version_event AS e
	WHERE e.model = target.model AND e.version = target.version
	ORDER BY e.event DESC LIMIT 1;
	IF current_status <> 'approved' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'object_not_in_prerequisite_state',
			MESSAGE = format('version %s of model "%s" is %s, not approved',
							 target.version, target.model, current_status),
			HINT = 'Promote an approved version; the view churnops.versions lists them with their status.';
	END IF;

	-- Already so: the state is the one its latest change left.
	PERFORM FROM churnops.alias AS a
	WHERE a.model = target.model AND a.alias = alias_name AND a.version = target.version;
	IF FOUND THEN
		SELECT e.model, e.alias, e.to_version, e.from_version, e.changed_by, e.changed_at, e.reason
		INTO state
		FROM churnops.alias_event AS e
		WHERE e.model = target.model AND e.alias = alias_name
		ORDER BY e.event DESC LIMIT 1;
		RETURN state;
	END IF;

	RETURN churnops.set_alias(target.model, alias_name, target.version, caller, reason);
END
$$;
COMMENT ON FUNCTION churnops.promote(name, text, text, text) IS
'churnops_promote on behalf of a role.';

CREATE FUNCTION churnops.drop_alias(caller name, model_ref text, reason text)
RETURNS churnops.alias_state
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	ref record := churnops.parse_reference(model_ref);
BEGIN
	IF ref.alias IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('model reference "%s" names no alias', model_ref),
			HINT = format('Name the alias to drop, for example: SELECT churnops_drop_alias(''%s@challenger'');',
						  ref.model);
	END IF;
	PERFORM churnops.lock_model(caller, ref.model, 'deploy', ref.alias);
	-- An alias that is not there is refused here.
	PERFORM churnops.resolve(caller, model_ref, 'any');
	RETURN churnops.set_alias(ref.model, ref.alias, NULL, caller, reason);
END
$$;
COMMENT ON FUNCTION churnops.drop_alias(name, text, text) IS
'churnops_drop_alias on behalf of a role.';

CREATE FUNCTION churnops.drop_model(caller name, model_name text) RETURNS text
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	owner_name text;
	kept jsonb;
BEGIN
	PERFORM churnops.check_name(model_name, 'model');
	owner_name := churnops.lock_model(caller, model_name, 'owner');

	SELECT coalesce(jsonb_agg(jsonb_build_object('version', v.version,
		'artifact_digest', v.artifact_digest, 'dataset_digest', d.digest) ORDER BY v.version), '[]')
	INTO kept
	FROM churnops.version AS v JOIN churnops.dataset AS d USING (dataset)
	WHERE v.model = model_name;

	PERFORM churnops.delete_model_rows(model_name);

	INSERT INTO churnops.audit (at, actor, "session_user", action, model, owner, detail)
	VALUES (clock_timestamp(), caller, session_user, 'drop_model', model_name, owner_name,
		jsonb_build_object('owner', owner_name, 'n_versions', jsonb_array_length(kept),
						   'versions', kept));
	RETURN model_name;
END
$$;
COMMENT ON FUNCTION churnops.drop_model(name, text) IS
'churnops_drop_model on behalf of a role.';
