\echo Use "ALTER EXTENSION churnops UPDATE TO '0.2.0'" to load this file. \quit

-- Names are resolved in pg_catalog alone, as in the script that installs.
SET LOCAL search_path TO pg_catalog, pg_temp;

-- Functions with other arguments than before, and policies that are made anew.
DROP FUNCTION churnops.resolve(name, text);
DROP FUNCTION churnops.lock_model(name, text);
DROP FUNCTION churnops.require_model(name, text);
DROP POLICY read_usable ON churnops.model;
DROP POLICY read_usable ON churnops.dataset;
DROP POLICY read_usable ON churnops.run;
DROP POLICY read_usable ON churnops.version;
DROP POLICY read_usable ON churnops.version_event;
DROP POLICY read_usable ON churnops.alias;
DROP POLICY read_usable ON churnops.alias_event;
DROP POLICY read_usable ON churnops.audit;

COMMENT ON COLUMN churnops.score_row.arm IS
'champion or candidate while a version is rolled out; else the alias by which the version was found, '
'NULL when the reference names a version.';
