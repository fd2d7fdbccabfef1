-- Privileges: PUBLIC calls the functions churnops_* and reads the views, no more
--
-- Said in full, since default privileges of the installing role may differ.

REVOKE ALL ON ALL TABLES IN SCHEMA churnops FROM PUBLIC;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA churnops FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA churnops FROM PUBLIC;
REVOKE ALL ON SCHEMA churnops FROM PUBLIC;

GRANT USAGE ON SCHEMA churnops TO PUBLIC;
GRANT SELECT ON churnops.models, churnops.versions, churnops.lineage TO PUBLIC;
GRANT SELECT ON churnops.datasets TO PUBLIC;

-- A role that is granted SELECT on a table sees the rows of models it may use,
-- and writes none whatever it is granted.  The views' own right check serves
-- the policies too: their tables are read with the owner's rights.

ALTER TABLE churnops.model ENABLE ROW LEVEL SECURITY;
CREATE POLICY read_usable ON churnops.model FOR SELECT
	USING (name IN (SELECT m.name FROM churnops.models AS m));

ALTER TABLE churnops.dataset ENABLE ROW LEVEL SECURITY;
CREATE POLICY read_usable ON churnops.dataset FOR SELECT
	USING (model IN (SELECT m.name FROM churnops.models AS m));

ALTER TABLE churnops.run ENABLE ROW LEVEL SECURITY;
CREATE POLICY read_usable ON churnops.run FOR SELECT
	USING (model IN (SELECT m.name FROM churnops.models AS m));

ALTER TABLE churnops.version ENABLE ROW LEVEL SECURITY;
CREATE POLICY read_usable ON churnops.version FOR SELECT
	USING (model IN (SELECT m.name FROM churnops.models AS m));

ALTER TABLE churnops.version_event ENABLE ROW LEVEL SECURITY;
CREATE POLICY read_usable ON churnops.version_event FOR SELECT
	USING (model IN (SELECT m.name FROM churnops.models AS m));

ALTER TABLE churnops.alias ENABLE ROW LEVEL SECURITY;
CREATE POLICY read_usable ON churnops.alias FOR SELECT
	USING (model IN (SELECT m.name FROM churnops.models AS m));

ALTER TABLE churnops.alias_event ENABLE ROW LEVEL SECURITY;
CREATE POLICY read_usable ON churnops.alias_event FOR SELECT
	USING (model IN (SELECT m.name FROM churnops.models AS m));

-- By the owner at that time: the model may be gone, or another's of that name.
ALTER TABLE churnops.audit ENABLE ROW LEVEL SECURITY;
CREATE POLICY read_usable ON churnops.audit FOR SELECT
	USING (EXISTS (
		SELECT FROM pg_catalog.pg_roles AS r
		WHERE r.rolname = owner AND pg_catalog.pg_has_role(r.oid, 'USAGE')));

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
