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

-- Reproducing says more than before.
DROP FUNCTION @extschema@.churnops_reproduce(text);
