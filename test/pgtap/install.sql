-- CREATE EXTENSION in other schemas, under hostile settings, and DROP EXTENSION
BEGIN;
\ir include/setup.sql
SELECT no_plan();

DROP EXTENSION churnops;
SELECT hasnt_schema('churnops', 'DROP EXTENSION leaves nothing behind');

-- Schemas

SELECT throws_ok('CREATE EXTENSION churnops SCHEMA churnops', '3F000', NULL, 'schema churnops is not there to choose');
CREATE SCHEMA churnops;
SELECT is(pg_temp.error_as(current_user, 'CREATE EXTENSION churnops SCHEMA churnops'),
	'0A000
extension "churnops" cannot be installed in schema "churnops"
The extension creates schema churnops itself, for its tables and views.
Drop schema churnops if it is empty, then name the schema of the functions: CREATE EXTENSION churnops SCHEMA public;',
	'nor when it is');
SELECT throws_ok('CREATE EXTENSION churnops', '42P06', 'schema "churnops" already exists', 'nor is a foreign schema taken over');
DROP SCHEMA churnops;

CREATE SCHEMA "Model Zoo";
SELECT lives_ok('CREATE EXTENSION churnops SCHEMA "Model Zoo"', 'the functions may go into any schema');
SELECT set_eq(
	$$SELECT DISTINCT pronamespace::regnamespace::text FROM pg_proc WHERE proname ~ '^churnops_'$$,
	$$VALUES ('"Model Zoo"')$$, 'and are all there');
SELECT is(pg_temp.register('churn', current_user), 'churn/1 approved', 'a version is stored');
SELECT is((SELECT version FROM "Model Zoo".churnops_promote('churn/1', 'shadow')), 1, 'promoted');
SELECT is("Model Zoo".churnops_drop_model('churn'), 'churn', 'and dropped');
DROP EXTENSION churnops;

-- What others put in the way is neither adopted nor called

CREATE FUNCTION public.churnops_drop_model(model text) RETURNS text LANGUAGE sql AS $$SELECT 'mine'$$;
SELECT throws_ok('CREATE EXTENSION churnops', '42723', NULL, 'a function of the same name is not adopted');
DROP FUNCTION public.churnops_drop_model(text);

CREATE SCHEMA hostile;
CREATE FUNCTION hostile.no(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT false';
CREATE FUNCTION hostile.no(name, text) RETURNS boolean LANGUAGE sql AS 'SELECT false';
CREATE FUNCTION hostile.no(integer, integer) RETURNS boolean LANGUAGE sql AS 'SELECT false';
CREATE OPERATOR hostile.~ (LEFTARG = text, RIGHTARG = text, FUNCTION = hostile.no);
CREATE OPERATOR hostile.= (LEFTARG = text, RIGHTARG = text, FUNCTION = hostile.no);
CREATE OPERATOR hostile.= (LEFTARG = name, RIGHTARG = text, FUNCTION = hostile.no);
CREATE OPERATOR hostile.>= (LEFTARG = integer, RIGHTARG = integer, FUNCTION = hostile.no);
CREATE OPERATOR hostile.= (LEFTARG = integer, RIGHTARG = integer, FUNCTION = hostile.no);
CREATE FUNCTION hostile.octet_length(bytea) RETURNS integer LANGUAGE sql AS 'SELECT 666';
CREATE FUNCTION hostile.pg_has_role(oid, text) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE TYPE hostile.text AS ENUM ('no');
CREATE TYPE hostile.jsonb AS ENUM ('no');
SET LOCAL search_path = hostile, pg_catalog, public;
CREATE EXTENSION churnops SCHEMA public;
SET LOCAL search_path = public;
SELECT is_empty(
	$$SELECT pg_describe_object(d.classid, d.objid, d.objsubid), pg_describe_object(d.refclassid, d.refobjid, d.refobjsubid)
	FROM pg_depend AS d JOIN (
		SELECT 'pg_proc'::regclass AS classid, oid AS objid FROM pg_proc WHERE pronamespace = 'hostile'::regnamespace
		UNION ALL SELECT 'pg_operator'::regclass, oid FROM pg_operator WHERE oprnamespace = 'hostile'::regnamespace
		UNION ALL SELECT 'pg_type'::regclass, oid FROM pg_type WHERE typnamespace = 'hostile'::regnamespace) AS h
		ON d.refclassid = h.classid AND d.refobjid = h.objid
	LEFT JOIN pg_operator AS o ON d.classid = 'pg_operator'::regclass AND d.objid = o.oid
	LEFT JOIN pg_type AS t ON d.classid = 'pg_type'::regclass AND d.objid = t.oid
	WHERE o.oprnamespace IS DISTINCT FROM 'hostile'::regnamespace
		AND t.typnamespace IS DISTINCT FROM 'hostile'::regnamespace$$,
	'a hostile search_path at CREATE EXTENSION reaches no object');
SELECT is(pg_temp.register('churn', current_user), 'churn/1 approved', 'a version is stored');
SELECT is((SELECT artifact_bytes FROM churnops.versions), 6, 'and read');
DROP EXTENSION churnops;

ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC;
ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO PUBLIC;
ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO PUBLIC;
CREATE EXTENSION churnops;
SELECT set_eq(
	$$SELECT relname::text, privilege_type FROM pg_class, aclexplode(relacl)
	WHERE relnamespace = 'churnops'::regnamespace AND grantee = 0$$,
	$$VALUES ('models', 'SELECT'), ('versions', 'SELECT'), ('lineage', 'SELECT'), ('alias_history', 'SELECT'),
		('version_history', 'SELECT'), ('privileges', 'SELECT'), ('audit_log', 'SELECT')$$,
	'generous default privileges open no table');
SELECT is(has_schema_privilege('pg_monitor', 'churnops', 'CREATE'), false, 'nor the schema');

SELECT * FROM finish();
ROLLBACK;
