-- Approval: statuses of versions, and who may change them
--
--	from		approve		reject		archive		unarchive
--	pending		approved	rejected	archived	-
--	approved	(1)			rejected	archived	-
--	rejected	approved	-			archived	-
--	archived	refused		refused		-			what it was before
--
-- "-" changes nothing.  (1) Nothing either, unless the model demands an approval
-- by another than the trainer and there is none yet.  What an alias points to
-- is neither rejected nor archived.

CREATE TYPE churnops.version_state AS (
	model text,
	version integer,
	status text,
	previous_status text,
	changed_by text,
	changed_at timestamp with time zone,
	reason text
);
COMMENT ON TYPE churnops.version_state IS
'The status of a version and how it came to: the state after its latest change.';
COMMENT ON COLUMN churnops.version_state.status IS
'pending, approved, rejected or archived.';
COMMENT ON COLUMN churnops.version_state.previous_status IS
'Status before the latest change; NULL if it was born so.';
COMMENT ON COLUMN churnops.version_state.changed_by IS
'Role that made the latest change.';
COMMENT ON COLUMN churnops.version_state.changed_at IS
'Time of the latest change by the wall clock, not the start of its transaction.';

-- Since: 0.2.0
CREATE FUNCTION @extschema@.churnops_approve(
	model_ref text,
	reason text DEFAULT NULL)
RETURNS churnops.version_state
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_as_owner';
COMMENT ON FUNCTION @extschema@.churnops_approve(text, text) IS
'Approves a version that is pending or rejected, and keeps who, when and why (reason, default NULL). '
'Where the model demands it, nobody approves what they trained themselves, under whatever role. '
'The first version that is approved becomes champion of a model that never had one. Returns the '
'state of the version.';

-- Since: 0.2.0
CREATE FUNCTION @extschema@.churnops_reject(
	model_ref text,
	reason text DEFAULT NULL)
RETURNS churnops.version_state
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_as_owner';
COMMENT ON FUNCTION @extschema@.churnops_reject(text, text) IS
'Rejects a version to which no alias points, and keeps who, when and why (reason, default NULL). It '
'cannot be promoted or deployed any more unless it is approved later. Returns the state of the version.';

-- Since: 0.2.0
CREATE FUNCTION @extschema@.churnops_archive(
	model_ref text,
	reason text DEFAULT NULL)
RETURNS churnops.version_state
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_as_owner';
COMMENT ON FUNCTION @extschema@.churnops_archive(text, text) IS
'Puts away a version to which no alias points, and keeps who, when and why (reason, default NULL). It '
'cannot be promoted or deployed any more, but still be scored by its number. Returns the state of '
'the version.';

-- Since: 0.2.0
CREATE FUNCTION @extschema@.churnops_unarchive(
	model_ref text,
	reason text DEFAULT NULL)
RETURNS churnops.version_state
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_as_owner';
COMMENT ON FUNCTION @extschema@.churnops_unarchive(text, text) IS
'Gives an archived version the status back that it had before, and keeps who, when and why (reason, '
'default NULL). Returns the state of the version.';

CREATE FUNCTION churnops.is_trainer(
	model_name text,
	version_number integer,
	role_name text,
	login_name text)
RETURNS boolean
LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT EXISTS (
		SELECT FROM churnops.version AS v JOIN churnops.run AS r ON r.run = v.run
		WHERE v.model = model_name AND v.version = version_number
			AND (role_name IN (v.created_by, r."session_user")
				OR login_name IN (v.created_by, r."session_user")))
$$;
COMMENT ON FUNCTION churnops.is_trainer(text, integer, text, text) IS
'Whether a role, or the one it is logged in as, trained a version or was logged in as its trainer.';

CREATE FUNCTION churnops.status_event(
	model_name text,
	version_number integer,
	before bigint DEFAULT NULL)
RETURNS churnops.version_event
LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT e.* FROM churnops.version_event AS e
	WHERE e.model = model_name AND e.version = version_number AND e.event < coalesce(before, 9223372036854775807)
	ORDER BY e.event DESC LIMIT 1
$$;
COMMENT ON FUNCTION churnops.status_event(text, integer, bigint) IS
'The latest change of a version''s status, or the latest before another one.';

CREATE FUNCTION churnops.obstacle(model_name text, version_number integer) RETURNS text
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	latest churnops.version_event := churnops.status_event(model_name, version_number);
BEGIN
	IF latest.status <> 'approved' THEN
		RETURN format('is %s, not approved', latest.status);
	END IF;
	IF latest.restores IS NOT NULL THEN
		SELECT e.* INTO STRICT latest FROM churnops.version_event AS e WHERE e.event = latest.restores;
	END IF;
	IF (SELECT m.require_approval FROM churnops.model AS m WHERE m.name = model_name)
			AND churnops.is_trainer(model_name, version_number, latest.changed_by, latest."session_user") THEN
		RETURN 'is not approved by another than its trainer';
	END IF;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION churnops.obstacle(text, integer) IS
'Why no alias may point to a version, as the end of a sentence; NULL if one may.';

CREATE FUNCTION churnops.require_approved(model_name text, version_number integer) RETURNS void
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	why text := churnops.obstacle(model_name, version_number);
BEGIN
	IF why IS NOT NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'object_not_in_prerequisite_state',
			MESSAGE = format('version %s of model "%s" %s', version_number, model_name, why),
			HINT = 'Promote an approved version; the view churnops.versions lists them with their status.';
	END IF;
END
$$;
COMMENT ON FUNCTION churnops.require_approved(text, integer) IS
'Refuses a version to which no alias may point, and that must not be deployed.';

CREATE FUNCTION churnops.uses(model_name text, version_number integer) RETURNS text[]
LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT ARRAY(
		SELECT format('alias "%s"', a.alias) FROM churnops.alias AS a
		WHERE a.model = model_name AND a.version = version_number ORDER BY a.alias)
$$;
COMMENT ON FUNCTION churnops.uses(text, integer) IS
'What makes a version serve now, in words.';

CREATE FUNCTION churnops.require_unused(model_name text, version_number integer) RETURNS void
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	uses text[] := churnops.uses(model_name, version_number);
BEGIN
	IF uses <> '{}' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'object_in_use',
			MESSAGE = format('version %s of model "%s" is in use by %s', version_number, model_name,
							 array_to_string(uses, ', ')),
			HINT = format('Promote another version first, or go back with SELECT churnops_rollback(''%s'');',
						  model_name);
	END IF;
END
$$;
COMMENT ON FUNCTION churnops.require_unused(text, integer) IS
'Refuses to take a version away while it serves.';

CREATE FUNCTION churnops.lock_version(
	caller name,
	model_ref text,
	OUT model text,
	OUT version integer)
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	SELECT r.model INTO STRICT model FROM churnops.parse_reference(model_ref) AS r;
	PERFORM churnops.lock_model(caller, model, 'approve');
	SELECT r.version INTO STRICT version FROM churnops.resolve(caller, model_ref, 'any') AS r;
END
$$;
COMMENT ON FUNCTION churnops.lock_version(name, text) IS
'The version whose status a role with the right to approve changes, its model locked.';

CREATE FUNCTION churnops.set_status(
	caller name,
	action text,
	model_name text,
	version_number integer,
	new_status text,
	why text,
	restored_event bigint DEFAULT NULL)
RETURNS churnops.version_state
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	old churnops.version_event := churnops.status_event(model_name, version_number);
	set_at timestamp with time zone := clock_timestamp();
	event_id bigint;
BEGIN
	INSERT INTO churnops.version_event (model, version, status, changed_by, reason, changed_at,
		"session_user", restores)
	VALUES (model_name, version_number, new_status, caller, why, set_at, session_user, restored_event)
	RETURNING event INTO STRICT event_id;
	PERFORM churnops.write_audit(caller, action, model_name, version_number,
		jsonb_build_object('from_status', old.status, 'to_status', new_status, 'reason', why),
		jsonb_build_object('version_event', event_id));
	RETURN (model_name, version_number, new_status, old.status, caller::text, set_at, why);
END
$$;
COMMENT ON FUNCTION churnops.set_status(name, text, text, integer, text, text, bigint) IS
'Gives a version a status, with history and audit. What ends an archiving names the event whose '
'status it restores. The caller holds the lock on the model.';

CREATE FUNCTION churnops.version_state_of(model_name text, version_number integer)
RETURNS churnops.version_state
LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT e.model, e.version, e.status,
		(churnops.status_event(e.model, e.version, e.event)).status, e.changed_by, e.changed_at, e.reason
	FROM churnops.status_event(model_name, version_number) AS e
$$;
COMMENT ON FUNCTION churnops.version_state_of(text, integer) IS
'The state that the latest change of a version''s status left.';

CREATE FUNCTION churnops.refuse_archived(model_name text, version_number integer, verb text)
RETURNS void
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF (churnops.status_event(model_name, version_number)).status = 'archived' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'object_not_in_prerequisite_state',
			MESSAGE = format('cannot %s version %s of model "%s": it is archived', verb, version_number,
							 model_name),
			HINT = format('Bring it back first: SELECT churnops_unarchive(''%s/%s'');', model_name,
						  version_number);
	END IF;
END
$$;
COMMENT ON FUNCTION churnops.refuse_archived(text, integer, text) IS
'Refuses to approve or reject a version that is archived.';

CREATE FUNCTION churnops.approve(caller name, model_ref text, reason text)
RETURNS churnops.version_state
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	target record := churnops.lock_version(caller, model_ref);
	rule boolean;
	state churnops.version_state;
BEGIN
	PERFORM churnops.refuse_archived(target.model, target.version, 'approve');
	IF churnops.obstacle(target.model, target.version) IS NULL THEN
		RETURN churnops.version_state_of(target.model, target.version);
	END IF;

	SELECT m.require_approval INTO STRICT rule FROM churnops.model AS m WHERE m.name = target.model;
	IF rule AND churnops.is_trainer(target.model, target.version, caller, session_user) THEN
		RAISE EXCEPTION USING
			ERRCODE = 'insufficient_privilege',
			MESSAGE = format('version %s of model "%s" needs the approval of another than its trainer',
							 target.version, target.model),
			DETAIL = (
				SELECT format('It was trained by role "%s", logged in as "%s"; this is role "%s", logged in as "%s".',
							  v.created_by, r."session_user", caller, session_user)
				FROM churnops.version AS v JOIN churnops.run AS r ON r.run = v.run
				WHERE v.model = target.model AND v.version = target.version),
			HINT = 'Ask another role with the right to approve, in a login of its own.';
	END IF;

	state := churnops.set_status(caller, 'approve', target.model, target.version, 'approved', reason);
	PERFORM FROM churnops.alias_event AS e
	WHERE e.model = target.model AND e.alias = 'champion' LIMIT 1;
	IF NOT FOUND THEN
		PERFORM churnops.set_alias(target.model, 'champion', target.version, caller,
								   'first approved version of the model');
	END IF;
	RETURN state;
END
$$;
COMMENT ON FUNCTION churnops.approve(name, text, text) IS
'churnops_approve on behalf of a role.';

CREATE FUNCTION churnops.reject(caller name, model_ref text, reason text)
RETURNS churnops.version_state
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	target record := churnops.lock_version(caller, model_ref);
BEGIN
	PERFORM churnops.refuse_archived(target.model, target.version, 'reject');
	IF (churnops.status_event(target.model, target.version)).status = 'rejected' THEN
		RETURN churnops.version_state_of(target.model, target.version);
	END IF;
	PERFORM churnops.require_unused(target.model, target.version);
	RETURN churnops.set_status(caller, 'reject', target.model, target.version, 'rejected', reason);
END
$$;
COMMENT ON FUNCTION churnops.reject(name, text, text) IS
'churnops_reject on behalf of a role.';

CREATE FUNCTION churnops.archive(caller name, model_ref text, reason text)
RETURNS churnops.version_state
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	target record := churnops.lock_version(caller, model_ref);
BEGIN
	IF (churnops.status_event(target.model, target.version)).status = 'archived' THEN
		RETURN churnops.version_state_of(target.model, target.version);
	END IF;
	PERFORM churnops.require_unused(target.model, target.version);
	RETURN churnops.set_status(caller, 'archive', target.model, target.version, 'archived', reason);
END
$$;
COMMENT ON FUNCTION churnops.archive(name, text, text) IS
'churnops_archive on behalf of a role.';

CREATE FUNCTION churnops.unarchive(caller name, model_ref text, reason text)
RETURNS churnops.version_state
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	target record := churnops.lock_version(caller, model_ref);
	latest churnops.version_event := churnops.status_event(target.model, target.version);
	before churnops.version_event;
BEGIN
	IF latest.status <> 'archived' THEN
		RETURN churnops.version_state_of(target.model, target.version);
	END IF;
	before := churnops.status_event(target.model, target.version, latest.event);
	RETURN churnops.set_status(caller, 'unarchive', target.model, target.version, before.status, reason,
							   coalesce(before.restores, before.event));
END
$$;
COMMENT ON FUNCTION churnops.unarchive(name, text, text) IS
'churnops_unarchive on behalf of a role.';
