-- Privileges of studies and trials, as in 90-privileges.sql

GRANT SELECT ON churnops.leaderboard TO PUBLIC;

ALTER TABLE churnops.study ENABLE ROW LEVEL SECURITY;
CREATE POLICY read_usable ON churnops.study FOR SELECT
	USING (@extschema@.churnops_has_right(model, 'read'));

ALTER TABLE churnops.trial ENABLE ROW LEVEL SECURITY;
CREATE POLICY read_usable ON churnops.trial FOR SELECT
	USING (@extschema@.churnops_has_right(model, 'read'));
