-- Views of pipelines, their runs and their gates

CREATE VIEW churnops.pipelines WITH (security_barrier) AS
SELECT
	p.name,
	v.version,
	v.version = p.last_version AS is_latest,
	p.owner,
	v.document->>'model' AS model,
	v.document->>'target' AS target,
	v.document->>'description' AS description,
	v.yaml,
	v.document,
	v.digest,
	(SELECT count(*) FROM churnops.pipeline_run AS r
	 WHERE r.pipeline = v.pipeline AND r.pipeline_version = v.version) AS n_runs,
	(SELECT r.status FROM churnops.pipeline_run AS r
	 WHERE r.pipeline = v.pipeline AND r.pipeline_version = v.version
	 ORDER BY r.pipeline_run DESC LIMIT 1) AS last_status,
	v.code_version,
	v.created_by,
	v."session_user",
	v.created_at
FROM churnops.pipeline AS p
JOIN churnops.pipeline_version AS v ON v.pipeline = p.name
WHERE EXISTS (
	SELECT FROM pg_catalog.pg_roles AS r
	WHERE r.rolname = p.owner AND pg_catalog.pg_has_role(r.oid, 'USAGE'));
COMMENT ON VIEW churnops.pipelines IS
'Definitions of the pipelines that the current role may use, one row for each version.';
COMMENT ON COLUMN churnops.pipelines.name IS 'Name of the pipeline.';
COMMENT ON COLUMN churnops.pipelines.version IS 'Number of the definition, from 1.';
COMMENT ON COLUMN churnops.pipelines.is_latest IS 'Whether it is what the name alone means.';
COMMENT ON COLUMN churnops.pipelines.owner IS
'Role that first defined the pipeline; its members may change and drop it.';
COMMENT ON COLUMN churnops.pipelines.model IS 'Model that it trains; NULL if it names none.';
COMMENT ON COLUMN churnops.pipelines.target IS 'Column to predict; NULL if it names none.';
COMMENT ON COLUMN churnops.pipelines.description IS 'As the definition has it.';
COMMENT ON COLUMN churnops.pipelines.yaml IS 'The definition as it was given.';
COMMENT ON COLUMN churnops.pipelines.document IS 'The definition with every default filled in.';
COMMENT ON COLUMN churnops.pipelines.digest IS 'SHA-256 of the text in UTF-8, lower-case hex.';
COMMENT ON COLUMN churnops.pipelines.n_runs IS 'Number of its runs.';
COMMENT ON COLUMN churnops.pipelines.last_status IS 'What came of the last of them; NULL if there was none.';
COMMENT ON COLUMN churnops.pipelines.code_version IS
'The setting churnops.code_version at the definition; NULL if empty.';
COMMENT ON COLUMN churnops.pipelines.created_by IS
'Role that gave this definition: the only one that can run it by its name.';
COMMENT ON COLUMN churnops.pipelines."session_user" IS
'Role that logged in. Quote the name: unquoted, session_user is the function.';
COMMENT ON COLUMN churnops.pipelines.created_at IS 'Time the definition was stored.';

CREATE VIEW churnops.pipeline_runs WITH (security_barrier) AS
SELECT
	r.pipeline_run,
	r.pipeline,
	r.pipeline_version,
	r.model,
	r.version,
	r.status,
	r.stage,
	r.message,
	r.error,
	r.verdict,
	(SELECT jsonb_agg(jsonb_build_object('stage', s.stage, 'status', s.status, 'message', s.message,
			'seconds', s.seconds) ORDER BY s.place)
	 FROM churnops.pipeline_stage AS s WHERE s.pipeline_run = r.pipeline_run) AS stages,
	r.yaml,
	r.document,
	r.digest,
	r.dataset_digest,
	r.code_version,
	r.created_by,
	r."session_user",
	r.started_at,
	r.finished_at
FROM churnops.pipeline_run AS r
WHERE EXISTS (
		SELECT FROM pg_catalog.pg_roles AS o
		WHERE o.rolname = r.created_by AND pg_catalog.pg_has_role(o.oid, 'USAGE'))
	OR @extschema@.churnops_has_right(r.model, 'read')
		-- Not what others did under the name before there was this model.
		AND r.finished_at >= (SELECT m.created_at FROM churnops.model AS m WHERE m.name = r.model);
COMMENT ON VIEW churnops.pipeline_runs IS
'Runs of pipelines that have ended, one row each: those of the current role, and of models it may read.';
COMMENT ON COLUMN churnops.pipeline_runs.pipeline_run IS 'Number of the run.';
COMMENT ON COLUMN churnops.pipeline_runs.pipeline IS
'Pipeline that was run by its name; NULL if the text was given.';
COMMENT ON COLUMN churnops.pipeline_runs.pipeline_version IS 'Version of its definition.';
COMMENT ON COLUMN churnops.pipeline_runs.model IS 'Model that was to be trained.';
COMMENT ON COLUMN churnops.pipeline_runs.version IS 'Version that was trained; NULL if none was.';
COMMENT ON COLUMN churnops.pipeline_runs.status IS
'succeeded; rejected by a gate; failed, which is an error.';
COMMENT ON COLUMN churnops.pipeline_runs.stage IS
'Stage in which it was rejected or failed; NULL if it succeeded.';
COMMENT ON COLUMN churnops.pipeline_runs.message IS 'What came of it, in a sentence.';
COMMENT ON COLUMN churnops.pipeline_runs.error IS
'Of a failed run: {sqlstate, message, detail, hint, context}.';
COMMENT ON COLUMN churnops.pipeline_runs.verdict IS
'What the gates said: {passed, champion_version, gates}; NULL if they were not asked.';
COMMENT ON COLUMN churnops.pipeline_runs.stages IS
'A JSON array, an object for each stage: {stage, status, message, seconds}.';
COMMENT ON COLUMN churnops.pipeline_runs.yaml IS 'The definition that was run.';
COMMENT ON COLUMN churnops.pipeline_runs.document IS 'The definition with every default filled in.';
COMMENT ON COLUMN churnops.pipeline_runs.digest IS
'SHA-256 of the definition''s text in UTF-8, lower-case hex.';
COMMENT ON COLUMN churnops.pipeline_runs.dataset_digest IS
'SHA-256 over all rows and columns of the query; NULL if it did not come to that.';
COMMENT ON COLUMN churnops.pipeline_runs.code_version IS
'The setting churnops.code_version, usually a git commit; NULL if empty.';
COMMENT ON COLUMN churnops.pipeline_runs.created_by IS 'Role that ran it.';
COMMENT ON COLUMN churnops.pipeline_runs."session_user" IS
'Role that logged in. Quote the name: unquoted, session_user is the function.';
COMMENT ON COLUMN churnops.pipeline_runs.started_at IS 'Time it began.';
COMMENT ON COLUMN churnops.pipeline_runs.finished_at IS 'Time it ended.';

CREATE VIEW churnops.pipeline_stages WITH (security_barrier) AS
SELECT
	s.pipeline_run,
	s.place,
	s.stage,
	s.status,
	s.message,
	s.detail,
	s.started_at,
	s.seconds
FROM churnops.pipeline_stage AS s
WHERE s.pipeline_run IN (SELECT r.pipeline_run FROM churnops.pipeline_runs AS r);
COMMENT ON VIEW churnops.pipeline_stages IS
'Stages of the runs that the current role may see, one row each.';
COMMENT ON COLUMN churnops.pipeline_stages.pipeline_run IS 'Number of the run.';
COMMENT ON COLUMN churnops.pipeline_stages.place IS 'Place of the stage in the run, from 1.';
COMMENT ON COLUMN churnops.pipeline_stages.stage IS
'check, load, data, validate, train or tune, cross_validate, evaluate, compare, gates, approve, alias, '
'save or deploy.';
COMMENT ON COLUMN churnops.pipeline_stages.status IS
'succeeded, rejected, failed; undone, since a later stage of the release failed; or skipped.';
COMMENT ON COLUMN churnops.pipeline_stages.message IS 'What the stage found or did.';
COMMENT ON COLUMN churnops.pipeline_stages.detail IS 'The particulars, as JSON.';
COMMENT ON COLUMN churnops.pipeline_stages.started_at IS 'Time it began; NULL if it did not.';
COMMENT ON COLUMN churnops.pipeline_stages.seconds IS 'How long it took; NULL if it did not begin.';

CREATE VIEW churnops.gates WITH (security_barrier) AS
SELECT
	r.pipeline_run,
	r.model,
	r.version,
	g.place::integer AS place,
	g.gate->>'gate' AS gate,
	g.gate->>'metric' AS metric,
	g.gate->>'slice' AS slice,
	g.gate->>'slice_value' AS slice_value,
	(g.gate->>'value')::double precision AS value,
	(g.gate->>'ci_low')::double precision AS ci_low,
	(g.gate->>'ci_high')::double precision AS ci_high,
	(g.gate->>'threshold')::double precision AS threshold,
	(g.gate->>'n')::bigint AS n,
	(g.gate->>'passed')::boolean AS passed,
	g.gate->>'message' AS message,
	r.finished_at AS decided_at
FROM churnops.pipeline_runs AS r
CROSS JOIN LATERAL jsonb_array_elements(r.verdict->'gates') WITH ORDINALITY AS g(gate, place);
COMMENT ON VIEW churnops.gates IS
'What each gate said in the runs that the current role may see, one row each.';
COMMENT ON COLUMN churnops.gates.pipeline_run IS 'Number of the run.';
COMMENT ON COLUMN churnops.gates.model IS 'Name of the model.';
COMMENT ON COLUMN churnops.gates.version IS
'Version that was judged; NULL if the data was refused before training.';
COMMENT ON COLUMN churnops.gates.place IS 'Place of the gate in the verdict, from 1.';
COMMENT ON COLUMN churnops.gates.gate IS
'data_quality, leakage, absolute, calibration, slices, champion, latency or artifact.';
COMMENT ON COLUMN churnops.gates.metric IS 'What was measured.';
COMMENT ON COLUMN churnops.gates.slice IS 'Column of the slice; NULL for all rows.';
COMMENT ON COLUMN churnops.gates.slice_value IS 'Its value.';
COMMENT ON COLUMN churnops.gates.value IS
'The measured value; for champion by how much it is better. NULL where undefined.';
COMMENT ON COLUMN churnops.gates.ci_low IS
'Lower end of its interval; for champion that of the difference. NULL if there is none.';
COMMENT ON COLUMN churnops.gates.ci_high IS 'Upper end.';
COMMENT ON COLUMN churnops.gates.threshold IS 'What it was compared with.';
COMMENT ON COLUMN churnops.gates.n IS 'Rows, or expectations, that it was taken over.';
COMMENT ON COLUMN churnops.gates.passed IS 'Whether the version passed.';
COMMENT ON COLUMN churnops.gates.message IS 'The same in words.';
COMMENT ON COLUMN churnops.gates.decided_at IS 'Time the run ended.';
