-- Grants: what owners of models give to other roles, and take back

CREATE TYPE churnops.model_state AS (
	model text,
	owner text,
	description text,
	require_approval boolean
);
COMMENT ON TYPE churnops.model_state IS
'What of a model can be changed, as it is now.';
COMMENT ON COLUMN churnops.model_state.owner IS
'Role whose members have every right on the model.';
COMMENT ON COLUMN churnops.model_state.require_approval IS
'Whether versions need the approval of another than their trainer.';

-- Since: 0.2.0
CREATE FUNCTION @extschema@.churnops_grant(
	model text,
	role text,
	"right" text,
	alias text DEFAULT NULL)
RETURNS boolean
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_as_owner';
COMMENT ON FUNCTION @extschema@.churnops_grant(text, text, text, text) IS
'Gives a role and its members, or public, a right on a model: predict, train, deploy, approve, read, '
'or all of them. A right to deploy may be limited to an alias (default NULL, every one). For members '
'of the model''s owner. Returns whether anything was new.';

-- Since: 0.2.0
CREATE FUNCTION @extschema@.churnops_revoke(
	model text,
	role text,
	"right" text,
	alias text DEFAULT NULL)
RETURNS boolean
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_as_owner';
COMMENT ON FUNCTION @extschema@.churnops_revoke(text, text, text, text) IS
'Takes back a right on a model, or all of them, from a role or public; with an alias that for the '
'alias, else those for aliases too. What is not there is a notice. For members of the model''s owner. '
'Returns whether anything was taken.';

-- Since: 0.2.0
CREATE FUNCTION @extschema@.churnops_alter_model(
	model text,
	owner text DEFAULT NULL,
	description text DEFAULT NULL,
	require_approval boolean DEFAULT NULL)
RETURNS churnops.model_state
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_as_owner';
COMMENT ON FUNCTION @extschema@.churnops_alter_model(text, text, text, boolean) IS
'Changes the owner of a model (to a role of which the caller is a member), its description, or '
'whether its versions need the approval of another than their trainer; what is NULL, the default, '
'stays. For members of the model''s owner. Returns what it is now.';

CREATE FUNCTION churnops.check_rights(wanted text, alias_name text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	rights constant text[] := '{predict,train,deploy,approve,read}';
BEGIN
	IF wanted IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'null_value_not_allowed',
			MESSAGE = 'argument "right" must not be null';
	END IF;
	IF wanted <> 'all' AND wanted <> ALL (rights) THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('unknown right "%s"', wanted),
			HINT = 'Rights are predict, train, deploy, approve and read, or all of them; '
				'a model changes hands by churnops_alter_model.';
	END IF;
	IF alias_name IS NOT NULL THEN
		PERFORM churnops.check_name(alias_name, 'alias');
		IF wanted <> 'deploy' THEN
			RAISE EXCEPTION USING
				ERRCODE = 'invalid_parameter_value',
				MESSAGE = format('the right "%s" cannot be limited to an alias', wanted),
				HINT = 'Only the right to deploy can.';
		END IF;
	END IF;
	RETURN CASE WHEN wanted = 'all' THEN rights ELSE ARRAY[wanted] END;
END
$$;
COMMENT ON FUNCTION churnops.check_rights(text, text) IS
'The rights that a grant or a revocation names; refuses what is none.';

CREATE FUNCTION churnops.check_role(role_name text) RETURNS void
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF role_name IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'null_value_not_allowed',
			MESSAGE = 'argument "role" must not be null';
	END IF;
	PERFORM FROM pg_catalog.pg_roles AS r WHERE r.rolname = role_name;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'undefined_object',
			MESSAGE = format('role "%s" does not exist', role_name),
			HINT = 'Name a role as pg_roles has it, or public for all of them.';
	END IF;
END
$$;
COMMENT ON FUNCTION churnops.check_role(text) IS
'Refuses a role that does not exist.';

CREATE FUNCTION churnops.grant(
	caller name,
	model_name text,
	role_name text,
	wanted text,
	alias_name text)
RETURNS boolean
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	rights text[] := churnops.check_rights(wanted, alias_name);
	given text;
	changed boolean := false;
BEGIN
	PERFORM churnops.check_name(model_name, 'model');
	PERFORM churnops.lock_model(caller, model_name, 'owner');
	IF role_name IS DISTINCT FROM 'public' THEN
		PERFORM churnops.check_role(role_name);
	END IF;
	FOREACH given IN ARRAY rights LOOP
		INSERT INTO churnops.privilege (model, grantee, "right", alias, granted_by, granted_at)
		VALUES (model_name, role_name, given, coalesce(alias_name, ''), caller, clock_timestamp())
		ON CONFLICT DO NOTHING;
		CONTINUE WHEN NOT FOUND;
		changed := true;
		PERFORM churnops.write_audit(caller, 'grant', model_name, NULL,
			jsonb_build_object('role', role_name, 'right', given, 'alias', alias_name));
	END LOOP;
	RETURN changed;
END
$$;
COMMENT ON FUNCTION churnops.grant(name, text, text, text, text) IS
'churnops_grant on behalf of a role.';

CREATE FUNCTION churnops.revoke(
	caller name,
	model_name text,
	role_name text,
	wanted text,
	alias_name text)
RETURNS boolean
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	rights text[] := churnops.check_rights(wanted, alias_name);
	taken record;
	changed boolean := false;
BEGIN
	PERFORM churnops.check_name(model_name, 'model');
	PERFORM churnops.lock_model(caller, model_name, 'owner');
	FOR taken IN
		DELETE FROM churnops.privilege AS p
		WHERE p.model = model_name AND p.grantee = role_name AND p."right" = ANY (rights)
			AND (alias_name IS NULL OR p.alias = alias_name)
		RETURNING p."right" AS name, p.alias
	LOOP
		changed := true;
		PERFORM churnops.write_audit(caller, 'revoke', model_name, NULL,
			jsonb_build_object('role', role_name, 'right', taken.name, 'alias', nullif(taken.alias, '')));
	END LOOP;
	IF NOT changed THEN
		-- A role that is gone can still lose what it had.
		IF role_name IS DISTINCT FROM 'public' THEN
			PERFORM churnops.check_role(role_name);
		END IF;
		RAISE NOTICE '%', CASE
			WHEN wanted = 'all' THEN format('role "%s" has no right on model "%s"', role_name, model_name)
			ELSE format('role "%s" has no right to %s%s on model "%s"', role_name, wanted,
						' to alias "' || alias_name || '"', model_name) END;
	END IF;
	RETURN changed;
END
$$;
COMMENT ON FUNCTION churnops.revoke(name, text, text, text, text) IS
'churnops_revoke on behalf of a role.';

CREATE FUNCTION churnops.alter_model(
	caller name,
	model_name text,
	new_owner text,
	new_description text,
	new_rule boolean)
RETURNS churnops.model_state
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	old record;
	state record;
	changes jsonb;
BEGIN
	PERFORM churnops.check_name(model_name, 'model');
	PERFORM churnops.lock_model(caller, model_name, 'owner');
	IF new_owner IS NOT NULL THEN
		PERFORM churnops.check_role(new_owner);
		IF NOT (SELECT pg_catalog.pg_has_role(caller, r.oid, 'MEMBER')
				FROM pg_catalog.pg_roles AS r WHERE r.rolname = new_owner) THEN
			RAISE EXCEPTION USING
				ERRCODE = 'insufficient_privilege',
				MESSAGE = format('must be member of role "%s"', new_owner),
				HINT = 'A model can be given to a role of which one is a member, or by a superuser.';
		END IF;
	END IF;

	SELECT m.name AS model, m.owner, m.description, m.require_approval INTO STRICT old
	FROM churnops.model AS m WHERE m.name = model_name;
	UPDATE churnops.model AS m
	SET owner = coalesce(new_owner, m.owner),
		description = CASE WHEN new_description IS NULL THEN m.description ELSE nullif(new_description, '') END,
		require_approval = coalesce(new_rule, m.require_approval)
	WHERE m.name = model_name
	RETURNING m.name AS model, m.owner, m.description, m.require_approval INTO STRICT state;

	SELECT jsonb_build_object('set', jsonb_object_agg(n.key, n.value), 'was', jsonb_object_agg(n.key, o.value))
	INTO changes
	FROM jsonb_each(to_jsonb(state)) AS n JOIN jsonb_each(to_jsonb(old)) AS o USING (key)
	WHERE n.value <> o.value
	HAVING count(*) > 0;
	IF changes IS NOT NULL THEN
		PERFORM churnops.write_audit(caller, 'alter_model', model_name, NULL, changes);
	END IF;
	RETURN state;
END
$$;
COMMENT ON FUNCTION churnops.alter_model(name, text, text, text, boolean) IS
'churnops_alter_model on behalf of a role.';
