-- Privileges of deployments and of the prediction log, as in 90-privileges.sql

GRANT SELECT ON churnops.deployments, churnops.deployment_events, churnops.predictions TO PUBLIC;

ALTER TABLE churnops.deployment ENABLE ROW LEVEL SECURITY;
CREATE POLICY read_usable ON churnops.deployment FOR SELECT
	USING (@extschema@.churnops_has_right(model, 'read'));

ALTER TABLE churnops.deployment_event ENABLE ROW LEVEL SECURITY;
CREATE POLICY read_usable ON churnops.deployment_event FOR SELECT
	USING (@extschema@.churnops_has_right(model, 'read'));

ALTER TABLE churnops.prediction_log ENABLE ROW LEVEL SECURITY;
CREATE POLICY read_usable ON churnops.prediction_log FOR SELECT
	USING (@extschema@.churnops_has_right(model, 'read'));

ALTER TABLE churnops.prediction_log_default ENABLE ROW LEVEL SECURITY;
CREATE POLICY read_usable ON churnops.prediction_log_default FOR SELECT
	USING (@extschema@.churnops_has_right(model, 'read'));

ALTER TABLE churnops.outcome ENABLE ROW LEVEL SECURITY;
CREATE POLICY read_usable ON churnops.outcome FOR SELECT
	USING (@extschema@.churnops_has_right(model, 'read'));
