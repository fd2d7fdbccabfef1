-- Privileges: PUBLIC calls the functions churnops_* and reads the views, no more
--
-- Said in full, since default privileges of the installing role may differ.

REVOKE ALL ON ALL TABLES IN SCHEMA churnops FROM PUBLIC;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA churnops FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA churnops FROM PUBLIC;
REVOKE ALL ON SCHEMA churnops FROM PUBLIC;

GRANT USAGE ON SCHEMA churnops TO PUBLIC;
GRANT SELECT ON churnops.models, churnops.versions, churnops.lineage, churnops.alias_history,
	churnops.version_history, churnops.privileges, churnops.audit_log TO PUBLIC;
GRANT SELECT ON churnops.datasets TO PUBLIC;

-- A role that is granted SELECT on a table sees the rows of models it may read,
-- and writes none whatever it is granted.

ALTER TABLE churnops.model ENABLE ROW LEVEL SECURITY;
CREATE POLICY read_usable ON churnops.model FOR SELECT
	USING (@extschema@.churnops_has_right(name, 'any'));

ALTER TABLE churnops.privilege ENABLE ROW LEVEL SECURITY;
CREATE POLICY read_usable ON churnops.privilege FOR SELECT
	USING (@extschema@.churnops_has_right(model, 'owner') OR grantee = 'public' OR EXISTS (
		SELECT FROM pg_catalog.pg_roles AS r
		WHERE r.rolname = grantee AND pg_catalog.pg_has_role(r.oid, 'USAGE')));

ALTER TABLE churnops.dataset ENABLE ROW LEVEL SECURITY;
CREATE POLICY read_usable ON churnops.dataset FOR SELECT
	USING (@extschema@.churnops_has_right(model, 'read'));

ALTER TABLE churnops.run ENABLE ROW LEVEL SECURITY;
CREATE POLICY read_usable ON churnops.run FOR SELECT
	USING (@extschema@.churnops_has_right(model, 'read'));

ALTER TABLE churnops.version ENABLE ROW LEVEL SECURITY;
CREATE POLICY read_usable ON churnops.version FOR SELECT
	USING (@extschema@.churnops_has_right(model, 'read'));

ALTER TABLE churnops.version_event ENABLE ROW LEVEL SECURITY;
CREATE POLICY read_usable ON churnops.version_event FOR SELECT
	USING (@extschema@.churnops_has_right(model, 'read'));

ALTER TABLE churnops.alias ENABLE ROW LEVEL SECURITY;
CREATE POLICY read_usable ON churnops.alias FOR SELECT
	USING (@extschema@.churnops_has_right(model, 'read'));

ALTER TABLE churnops.alias_event ENABLE ROW LEVEL SECURITY;
CREATE POLICY read_usable ON churnops.alias_event FOR SELECT
	USING (@extschema@.churnops_has_right(model, 'read'));

-- By the owner at that time, since the model may be gone, or another's of that
-- name; others read of the model that there is now.
ALTER TABLE churnops.audit ENABLE ROW LEVEL SECURITY;
CREATE POLICY read_usable ON churnops.audit FOR SELECT
	USING (
		EXISTS (
			SELECT FROM pg_catalog.pg_roles AS r
			WHERE r.rolname = owner AND pg_catalog.pg_has_role(r.oid, 'USAGE'))
		OR @extschema@.churnops_has_right(model, 'read') AND at >= (
			SELECT m.created_at FROM churnops.models AS m WHERE m.name = model));

-- Those of datasets, by the same rule.
ALTER TABLE churnops.named_dataset ENABLE ROW LEVEL SECURITY;
CREATE POLICY read_usable ON churnops.named_dataset FOR SELECT
	USING (name IN (SELECT d.name FROM churnops.datasets AS d));

ALTER TABLE churnops.dataset_version ENABLE ROW LEVEL SECURITY;
CREATE POLICY read_usable ON churnops.dataset_version FOR SELECT
	USING (dataset IN (SELECT d.name FROM churnops.datasets AS d));

ALTER TABLE churnops.dataset_rows ENABLE ROW LEVEL SECURITY;
CREATE POLICY read_usable ON churnops.dataset_rows FOR SELECT
	USING (dataset IN (SELECT d.name FROM churnops.datasets AS d));

ALTER TABLE churnops.dataset_keys ENABLE ROW LEVEL SECURITY;
CREATE POLICY read_usable ON churnops.dataset_keys FOR SELECT
	USING (dataset IN (SELECT d.name FROM churnops.datasets AS d));

-- The planner's estimates are shown by EXPLAIN to everybody, also for names that
-- the reader may know nothing of.  So nothing is kept about values: rows are
-- found by keys, and need no better estimates than those that go without.
DO $$
DECLARE
	c record;
BEGIN
	FOR c IN
		SELECT r.oid::regclass AS relation, a.attname
		FROM pg_catalog.pg_class AS r JOIN pg_catalog.pg_attribute AS a ON a.attrelid = r.oid
		WHERE r.relnamespace = 'churnops'::regnamespace AND r.relkind IN ('r', 'p')
			AND a.attnum > 0 AND NOT a.attisdropped
	LOOP
		EXECUTE format('ALTER TABLE %s ALTER COLUMN %I SET STATISTICS 0', c.relation, c.attname);
	END LOOP;
END
$$;
