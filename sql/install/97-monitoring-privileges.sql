-- Privileges of alerts, as in 90-privileges.sql

GRANT SELECT ON churnops.alerts TO PUBLIC;

ALTER TABLE churnops.alert ENABLE ROW LEVEL SECURITY;
CREATE POLICY read_usable ON churnops.alert FOR SELECT
	USING (@extschema@.churnops_has_right(model, 'read'));

ALTER TABLE churnops.alert_mute ENABLE ROW LEVEL SECURITY;
CREATE POLICY read_usable ON churnops.alert_mute FOR SELECT
	USING (@extschema@.churnops_has_right(model, 'read'));
