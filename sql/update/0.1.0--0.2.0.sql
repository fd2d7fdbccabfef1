\echo Use "ALTER EXTENSION churnops UPDATE TO '0.2.0'" to load this file. \quit

-- Names are resolved in pg_catalog alone, as in the script that installs.
SET LOCAL search_path TO pg_catalog, pg_temp;

-- Functions with other arguments than before, and policies that are made anew.
DROP FUNCTION churnops.resolve(name, text);
DROP FUNCTION churnops.lock_model(name, text);
DROP FUNCTION churnops.require_model(name, text);
DROP FUNCTION churnops.set_alias(text, text, integer, name, text);
DROP FUNCTION @extschema@.churnops_evaluate(text, text);
DROP POLICY read_usable ON churnops.model;
DROP POLICY read_usable ON churnops.dataset;
DROP POLICY read_usable ON churnops.run;
DROP POLICY read_usable ON churnops.version;
DROP POLICY read_usable ON churnops.version_event;
DROP POLICY read_usable ON churnops.alias;
DROP POLICY read_usable ON churnops.alias_event;
DROP POLICY read_usable ON churnops.audit;

-- What other versions of the tables have since.
ALTER TABLE churnops.model ADD COLUMN require_approval boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN churnops.model.require_approval IS
'Versions are born pending, and an alias points only to those that another than their trainer has '
'approved.';
ALTER TABLE churnops.version_event ADD COLUMN "session_user" text, ADD COLUMN restores bigint;
COMMENT ON COLUMN churnops.version_event.restores IS
'Of the end of an archiving: the event whose status it brought back, with who had approved.';
COMMENT ON COLUMN churnops.version_event."session_user" IS
'Role that logged in; NULL in events of 0.1.0. Quote the name: unquoted, session_user is the function.';
ALTER TABLE churnops.alias_event ADD COLUMN restores bigint;
COMMENT ON COLUMN churnops.alias_event.restores IS
'Of a rollback: the event whose state it brought back. What served before it, served before that.';
CREATE INDEX alias_event_time_idx ON churnops.alias_event (model, alias, changed_at);
CREATE INDEX alias_event_version_idx ON churnops.alias_event (model, to_version, event);
ALTER TABLE churnops.audit ADD COLUMN link bigint, ADD COLUMN covered jsonb, ADD COLUMN hash text;
CREATE UNIQUE INDEX audit_link_idx ON churnops.audit (model, link);
COMMENT ON TABLE churnops.audit IS
'Everything that was done to models. Append-only, kept when the model is dropped, and a chain of '
'hashes for each name of a model.';
COMMENT ON COLUMN churnops.audit.link IS
'Place in the chain of the model''s name, from 1; NULL in entries of 0.1.0, which the first link covers.';
COMMENT ON COLUMN churnops.audit.covered IS
'Rows of other tables that the entry speaks of, with their digests: [{table, key, digest}], or '
'[{table, last, count, digest}] for all rows of the model up to a key.';
COMMENT ON COLUMN churnops.audit.hash IS
'SHA-256 of the hash of the link before and of this entry, lower-case hex.';
COMMENT ON COLUMN churnops.score_row.arm IS
'champion or candidate while a version is rolled out; else the alias by which the version was found, '
'NULL when the reference names a version.';

-- Trainings on registered datasets.
ALTER TABLE churnops.dataset ADD COLUMN named_dataset text COLLATE "C";
ALTER TABLE churnops.dataset ADD COLUMN named_version integer;
CREATE INDEX dataset_named_idx ON churnops.dataset (named_dataset, named_version)
	WHERE named_dataset IS NOT NULL;
COMMENT ON COLUMN churnops.dataset.relations IS
'Relations the query read, views walked through: [{schema, name, kind, definition_digest, n_rows, '
'n_rows_exact}].';
COMMENT ON COLUMN churnops.dataset.named_dataset IS
'Registered dataset whose version named_version has the same rows; NULL if none had.';

-- Searches for parameters.
ALTER TABLE churnops.run ADD COLUMN study bigint;
ALTER TABLE churnops.run DROP CONSTRAINT run_kind_check;
ALTER TABLE churnops.run ADD CONSTRAINT run_kind_check CHECK (kind IN ('train', 'tune'));
COMMENT ON COLUMN churnops.run.kind IS
'train, or tune where the parameters were searched for.';
COMMENT ON COLUMN churnops.run.study IS
'Search that found the parameters; NULL if they were given.';
-- Trainings of pipelines.
ALTER TABLE churnops.run ADD COLUMN pipeline_run bigint;
COMMENT ON COLUMN churnops.run.pipeline_run IS
'Run of the pipeline that the training was a part of; NULL if it was none''s.';

-- Reproducing says more than before.
DROP FUNCTION @extschema@.churnops_reproduce(text);

-- What ANALYZE has found out about values, which nobody shall see in estimates
-- (90-privileges.sql): columns without a statistics target keep it otherwise.
DELETE FROM pg_catalog.pg_statistic AS s USING pg_catalog.pg_class AS c
WHERE s.starelid = c.oid AND c.relnamespace = 'churnops'::regnamespace;
