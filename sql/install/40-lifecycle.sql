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

-- Since: 0.2.0
CREATE FUNCTION @extschema@.churnops_rollback(
	model text,
	reason text DEFAULT NULL,
	alias text DEFAULT 'champion')
RETURNS churnops.alias_state
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_as_owner';
COMMENT ON FUNCTION @extschema@.churnops_rollback(text, text, text) IS
'Points an alias (default champion) to what it pointed to before, and keeps who, when and why. Once '
'more goes one further back, never forth again; at the beginning it is refused. Versions that '
'are no longer approved are skipped with a notice. Where a deployment gives rows to another version, '
'it ends that instead. Returns the state of the alias.';

-- Since: 0.2.0
CREATE FUNCTION @extschema@.churnops_alias_at(
	model_ref text,
	at timestamp with time zone)
RETURNS churnops.alias_state
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_as_owner';
COMMENT ON FUNCTION @extschema@.churnops_alias_at(text, timestamp with time zone) IS
'What an alias meant at a time in the past: the state that the latest change before it had left. The '
'version is NULL if it had been dropped, all is NULL if it had never been set.';

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
	why text,
	restored_event bigint DEFAULT NULL)
RETURNS churnops.alias_state
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	old_version integer;
	set_at timestamp with time zone := clock_timestamp();
	event_id bigint;
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
		"session_user", reason, changed_at, restores)
	VALUES (model_name, alias_name, old_version, new_version, caller, session_user, why, set_at,
		restored_event)
	RETURNING event INTO STRICT event_id;

	PERFORM churnops.write_audit(caller,
		CASE WHEN new_version IS NULL THEN 'drop_alias' WHEN restored_event IS NULL THEN 'promote'
			ELSE 'rollback' END,
		model_name, coalesce(new_version, old_version),
		jsonb_build_object('alias', alias_name, 'from_version', old_version,
						   'to_version', new_version, 'reason', why),
		jsonb_build_object('alias_event', event_id));
	PERFORM churnops.alias_changed(model_name, alias_name, caller, why);

	RETURN (model_name, alias_name, new_version, old_version, caller::text, set_at, why);
END
$$;
COMMENT ON FUNCTION churnops.set_alias(text, text, integer, name, text, bigint) IS
'Points an alias to a version, or drops it if the version is NULL, with history and audit. A '
'rollback names the event whose state it restores. The caller holds the lock on the model.';

CREATE FUNCTION churnops.alias_state_of(model_name text, alias_name text)
RETURNS churnops.alias_state
LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT e.model, e.alias, e.to_version, e.from_version, e.changed_by, e.changed_at, e.reason
	FROM churnops.alias_event AS e
	WHERE e.model = model_name AND e.alias = alias_name
	ORDER BY e.event DESC LIMIT 1
$$;
COMMENT ON FUNCTION churnops.alias_state_of(text, text) IS
'The state that the latest change of an alias left.';

CREATE FUNCTION churnops.promote(caller name, model_ref text, alias_name text, reason text)
RETURNS churnops.alias_state
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	target record;
BEGIN
	PERFORM churnops.check_name(alias_name, 'alias');
	SELECT r.model INTO STRICT target FROM churnops.parse_reference(model_ref) AS r;
	PERFORM churnops.lock_model(caller, target.model, 'deploy', alias_name);
	SELECT r.model, r.version INTO STRICT target FROM churnops.resolve(caller, model_ref, 'any') AS r;

	PERFORM churnops.require_approved(target.model, target.version);
	-- Already so: the state is the one its latest change left.
	PERFORM FROM churnops.alias AS a
	WHERE a.model = target.model AND a.alias = alias_name AND a.version = target.version;
	IF FOUND THEN
		RETURN churnops.alias_state_of(target.model, alias_name);
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

CREATE FUNCTION churnops.rollback(caller name, model_name text, reason text, alias_name text)
RETURNS churnops.alias_state
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	current_version integer;
	place record;		-- what the alias was set to, and the event that says since when
	obstacle text;
BEGIN
	PERFORM churnops.check_name(model_name, 'model');
	PERFORM churnops.check_name(alias_name, 'alias');
	PERFORM churnops.lock_model(caller, model_name, 'deploy', alias_name);

	-- Where rows are being routed elsewhere, what served before is the champion.
	IF alias_name = 'champion' AND churnops.end_deployments(model_name, caller, reason) > 0 THEN
		RETURN churnops.alias_state_of(model_name, alias_name);
	END IF;

	SELECT a.version INTO current_version FROM churnops.alias AS a
	WHERE a.model = model_name AND a.alias = alias_name;
	SELECT coalesce(e.restores, e.event) AS event INTO place FROM churnops.alias_event AS e
	WHERE e.model = model_name AND e.alias = alias_name ORDER BY e.event DESC LIMIT 1;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'undefined_object',
			MESSAGE = format('model "%s" has no alias "%s"', model_name, alias_name),
			HINT = format('Name a version, or give the alias to one with '
				'SELECT churnops_promote(''%s/1'', ''%s'');', model_name, alias_name);
	END IF;

	-- Back through the past; a rollback in it counts as the event that it restored.
	LOOP
		SELECT coalesce(e.restores, e.event) AS event, e.to_version AS version INTO place
		FROM churnops.alias_event AS e
		WHERE e.model = model_name AND e.alias = alias_name AND e.event < place.event
		ORDER BY e.event DESC LIMIT 1;
		IF NOT FOUND THEN
			RAISE EXCEPTION USING
				ERRCODE = 'object_not_in_prerequisite_state',
				MESSAGE = format('alias "%s" of model "%s" has nothing to go back to', alias_name,
								 model_name),
				DETAIL = CASE WHEN current_version IS NOT NULL
					THEN format('No version served before version %s that may serve now.', current_version) END,
				HINT = 'Promote a version by its number; its past is in the view churnops.alias_history.';
		END IF;
		CONTINUE WHEN place.version IS NULL OR place.version = current_version;
		obstacle := churnops.obstacle(model_name, place.version);
		EXIT WHEN obstacle IS NULL;
		RAISE NOTICE 'version % of model "%" is skipped: it %', place.version, model_name, obstacle;
	END LOOP;
	RETURN churnops.set_alias(model_name, alias_name, place.version, caller, reason, place.event);
END
$$;
COMMENT ON FUNCTION churnops.rollback(name, text, text, text) IS
'churnops_rollback on behalf of a role.';

CREATE FUNCTION churnops.alias_at(caller name, model_ref text, at timestamp with time zone)
RETURNS churnops.alias_state
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	ref record := churnops.parse_reference(model_ref);
	state churnops.alias_state;
BEGIN
	IF ref.version IS NOT NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('model reference "%s" names no alias', model_ref),
			HINT = 'A version is the same at all times: ask for an alias, or for the model''s name alone.';
	END IF;
	PERFORM churnops.require_right(caller, ref.model, 'read');
	SELECT e.model, e.alias, e.to_version, e.from_version, e.changed_by, e.changed_at, e.reason
	INTO state
	FROM churnops.alias_event AS e
	WHERE e.model = ref.model AND e.alias = coalesce(ref.alias, 'champion') AND e.changed_at <= alias_at.at
	ORDER BY e.changed_at DESC, e.event DESC LIMIT 1;
	RETURN CASE WHEN FOUND THEN state END;
END
$$;
COMMENT ON FUNCTION churnops.alias_at(name, text, timestamp with time zone) IS
'churnops_alias_at on behalf of a role.';

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

	PERFORM churnops.write_audit(caller, 'drop_model', model_name, NULL,
		jsonb_build_object('owner', owner_name, 'n_versions', jsonb_array_length(kept),
						   'versions', kept),
		owner_name => owner_name);
	RETURN model_name;
END
$$;
COMMENT ON FUNCTION churnops.drop_model(name, text) IS
'churnops_drop_model on behalf of a role.';
