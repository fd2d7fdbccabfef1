-- Rights: what a model's owner lets other roles do
--
-- A right names a role by its name, as everything here does; members of that
-- role have it too.  The owner and its members have every right.

CREATE TABLE churnops.privilege (
	model text COLLATE "C" NOT NULL,
	grantee text COLLATE "C" NOT NULL,
	"right" text COLLATE "C" NOT NULL,
	alias text COLLATE "C" NOT NULL DEFAULT '',
	granted_by text NOT NULL,
	granted_at timestamp with time zone NOT NULL,
	CONSTRAINT privilege_pkey PRIMARY KEY (model, grantee, "right", alias),
	CONSTRAINT privilege_right_check
		CHECK ("right" IN ('predict', 'train', 'deploy', 'approve', 'read')),
	CONSTRAINT privilege_alias_check CHECK (alias = '' OR "right" = 'deploy')
);
COMMENT ON TABLE churnops.privilege IS
'Rights on models that their owners gave to other roles.';
COMMENT ON COLUMN churnops.privilege.grantee IS
'Role that has the right, with its members; public is every role.';
COMMENT ON COLUMN churnops.privilege.alias IS
'Alias that a right to deploy is limited to; empty if it is not.';

SELECT pg_catalog.pg_extension_config_dump('churnops.privilege', '');

CREATE FUNCTION churnops.may_use(caller name, owner text) RETURNS boolean
LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT EXISTS (
		SELECT FROM pg_catalog.pg_roles AS c, pg_catalog.pg_roles AS o
		WHERE c.rolname = caller AND o.rolname = owner
			AND pg_catalog.pg_has_role(c.oid, o.oid, 'USAGE'))
$$;
COMMENT ON FUNCTION churnops.may_use(name, text) IS
'Whether a role has the privileges of another one, such as the owner of a model; false if either '
'is gone.';

-- Since: 0.2.0
CREATE FUNCTION @extschema@.churnops_has_right(
	model text,
	"right" text,
	alias text DEFAULT NULL)
RETURNS boolean
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100
AS 'MODULE_PATHNAME', 'churnops_has_right';
COMMENT ON FUNCTION @extschema@.churnops_has_right(text, text, text) IS
'Whether the current role has a right on a model: predict, train, deploy (for an alias, or for all '
'if NULL), approve, read (which train, deploy and approve include), owner, or any of them. False '
'for a model that does not exist. What a role may see in the views is decided by it.';

CREATE FUNCTION churnops.has_right(
	caller name,
	model_name text,
	wanted text,
	alias_name text DEFAULT NULL)
RETURNS boolean
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'churnops_role_has_right';
COMMENT ON FUNCTION churnops.has_right(name, text, text, text) IS
'churnops_has_right for a role that need not be the current one.';

CREATE FUNCTION churnops.require_right(
	caller name,
	model_name text,
	wanted text,
	alias_name text DEFAULT NULL)
RETURNS text
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found_owner text;
BEGIN
	SELECT m.owner INTO found_owner FROM churnops.model AS m
	WHERE m.name = model_name AND churnops.has_right(caller, m.name, 'any');
	-- One statement for unknown and forbidden, so that even the context is the same.
	IF NOT FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'undefined_object',
			MESSAGE = format('model "%s" does not exist', model_name),
			HINT = 'Models you may use are listed in the view churnops.models.';
	END IF;
	IF NOT churnops.has_right(caller, model_name, wanted, alias_name) THEN
		RAISE EXCEPTION USING
			ERRCODE = 'insufficient_privilege',
			MESSAGE = CASE WHEN wanted = 'owner'
				THEN format('must be owner of model "%s"', model_name)
				ELSE format('permission denied for model "%s"', model_name) END,
			DETAIL = CASE WHEN wanted = 'owner'
				THEN format('Role "%s" is not a member of role "%s".', caller, found_owner)
				ELSE format('Role "%s" lacks the right to %s%s.', caller, wanted,
							' to alias "' || alias_name || '"') END,
			HINT = CASE WHEN wanted = 'owner'
				THEN format('Ask a member of role "%s".', found_owner)
				ELSE format('A member of role "%s" can give it: SELECT churnops_grant(''%s'', %L, ''%s''%s);',
							found_owner, model_name, caller, wanted,
							coalesce(', ' || quote_literal(alias_name), '')) END;
	END IF;
	RETURN found_owner;
END
$$;
COMMENT ON FUNCTION churnops.require_right(name, text, text, text) IS
'The owner of a model on which a role has a right. Without any right it is an error that tells '
'unknown from forbidden to nobody, with another right one that says which is missing.';
