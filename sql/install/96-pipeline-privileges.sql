-- Privileges of pipelines, as in 90-privileges.sql

GRANT SELECT ON churnops.pipelines, churnops.pipeline_runs, churnops.pipeline_stages, churnops.gates TO PUBLIC;

ALTER TABLE churnops.pipeline ENABLE ROW LEVEL SECURITY;
CREATE POLICY read_usable ON churnops.pipeline FOR SELECT
	USING (name IN (SELECT p.name FROM churnops.pipelines AS p));

ALTER TABLE churnops.pipeline_version ENABLE ROW LEVEL SECURITY;
CREATE POLICY read_usable ON churnops.pipeline_version FOR SELECT
	USING (pipeline IN (SELECT p.name FROM churnops.pipelines AS p));

ALTER TABLE churnops.pipeline_run ENABLE ROW LEVEL SECURITY;
CREATE POLICY read_usable ON churnops.pipeline_run FOR SELECT
	USING (pipeline_run IN (SELECT r.pipeline_run FROM churnops.pipeline_runs AS r));

ALTER TABLE churnops.pipeline_stage ENABLE ROW LEVEL SECURITY;
CREATE POLICY read_usable ON churnops.pipeline_stage FOR SELECT
	USING (pipeline_run IN (SELECT r.pipeline_run FROM churnops.pipeline_runs AS r));

ALTER TABLE churnops.verdict ENABLE ROW LEVEL SECURITY;
CREATE POLICY read_usable ON churnops.verdict FOR SELECT
	USING (@extschema@.churnops_has_right(model, 'read'));
