-- Pipelines: definitions, runs with their stages, and the verdicts of gates
--
-- A definition is the text that somebody checked into git, and does not change;
-- its name and owner are churnops.pipeline.  A run is written when it has ended,
-- whole, in the transaction that did its work.

CREATE TABLE churnops.pipeline (
	name text COLLATE "C" NOT NULL,
	owner text COLLATE "C" NOT NULL,
	last_version integer NOT NULL DEFAULT 0,
	created_at timestamp with time zone NOT NULL,
	CONSTRAINT pipeline_pkey PRIMARY KEY (name),
	CONSTRAINT pipeline_name_check CHECK (name ~ '^[a-z][a-z0-9_.-]{0,62}$'),
	CONSTRAINT pipeline_last_version_check CHECK (last_version >= 0)
);
COMMENT ON TABLE churnops.pipeline IS
'Pipelines: a name for the changing text of a definition, owned by a role.';
COMMENT ON COLUMN churnops.pipeline.owner IS
'Role that first defined the pipeline; its members may change, read and drop it. A name, so it does '
'not follow ALTER ROLE ... RENAME.';
COMMENT ON COLUMN churnops.pipeline.last_version IS
'Latest version number ever given out.';

CREATE TABLE churnops.pipeline_version (
	pipeline text COLLATE "C" NOT NULL,
	version integer NOT NULL,
	yaml text NOT NULL,
	document jsonb NOT NULL,
	digest text NOT NULL,
	code_version text,
	created_by text NOT NULL,
	"session_user" text NOT NULL,
	created_at timestamp with time zone NOT NULL,
	CONSTRAINT pipeline_version_pkey PRIMARY KEY (pipeline, version),
	CONSTRAINT pipeline_version_version_check CHECK (version >= 1),
	CONSTRAINT pipeline_version_digest_check CHECK (digest ~ '^[0-9a-f]{64}$')
);
COMMENT ON TABLE churnops.pipeline_version IS
'Definitions of pipelines. Frozen.';
COMMENT ON COLUMN churnops.pipeline_version.document IS
'The definition as churnops_check_pipeline gives it, with every default filled in.';
COMMENT ON COLUMN churnops.pipeline_version.digest IS
'SHA-256 of the text in UTF-8, lower-case hex.';
COMMENT ON COLUMN churnops.pipeline_version.code_version IS
'The setting churnops.code_version at the definition, usually a git commit; NULL if empty.';
COMMENT ON COLUMN churnops.pipeline_version."session_user" IS
'Role that logged in. Quote the name: unquoted, session_user is the function.';

CREATE TABLE churnops.pipeline_run (
	pipeline_run bigint GENERATED ALWAYS AS IDENTITY,
	pipeline text COLLATE "C",
	pipeline_version integer,
	model text COLLATE "C" NOT NULL,
	version integer,
	status text COLLATE "C" NOT NULL,
	stage text COLLATE "C",
	message text NOT NULL,
	error jsonb,
	verdict jsonb,
	yaml text NOT NULL,
	document jsonb NOT NULL,
	digest text NOT NULL,
	dataset_digest text,
	code_version text,
	created_by text COLLATE "C" NOT NULL,
	"session_user" text NOT NULL,
	started_at timestamp with time zone NOT NULL,
	finished_at timestamp with time zone NOT NULL,
	CONSTRAINT pipeline_run_pkey PRIMARY KEY (pipeline_run),
	CONSTRAINT pipeline_run_status_check CHECK (status IN ('succeeded', 'rejected', 'failed')),
	CONSTRAINT pipeline_run_stage_check CHECK ((status = 'succeeded') = (stage IS NULL)),
	CONSTRAINT pipeline_run_error_check CHECK ((status = 'failed') = (error IS NOT NULL)),
	CONSTRAINT pipeline_run_digest_check CHECK (digest ~ '^[0-9a-f]{64}$')
);
CREATE INDEX pipeline_run_model_idx ON churnops.pipeline_run (model, pipeline_run);
CREATE INDEX pipeline_run_pipeline_idx ON churnops.pipeline_run (pipeline, pipeline_run)
	WHERE pipeline IS NOT NULL;
COMMENT ON TABLE churnops.pipeline_run IS
'Runs of pipelines that have ended, whatever came of them. Frozen.';
COMMENT ON COLUMN churnops.pipeline_run.pipeline IS
'Pipeline that was run by its name; NULL if the definition was given with the call.';
COMMENT ON COLUMN churnops.pipeline_run.version IS
'Version of the model that was trained; NULL if none was.';
COMMENT ON COLUMN churnops.pipeline_run.status IS
'succeeded; rejected by a gate; failed, which is an error.';
COMMENT ON COLUMN churnops.pipeline_run.stage IS
'Stage in which it was rejected or failed.';
COMMENT ON COLUMN churnops.pipeline_run.error IS
'Of a failed run: {sqlstate, message, detail, hint, context}.';
COMMENT ON COLUMN churnops.pipeline_run.verdict IS
'What the gates said: {passed, champion_version, gates}; NULL if it was not asked.';
COMMENT ON COLUMN churnops.pipeline_run.digest IS
'SHA-256 of the definition''s text in UTF-8, lower-case hex.';
COMMENT ON COLUMN churnops.pipeline_run.dataset_digest IS
'SHA-256 over all rows and columns of the query, lower-case hex; NULL if it did not come to that.';
COMMENT ON COLUMN churnops.pipeline_run.code_version IS
'The setting churnops.code_version, usually a git commit; NULL if empty.';
COMMENT ON COLUMN churnops.pipeline_run."session_user" IS
'Role that logged in. Quote the name: unquoted, session_user is the function.';

CREATE TABLE churnops.pipeline_stage (
	pipeline_run bigint NOT NULL,
	place integer NOT NULL,
	model text COLLATE "C" NOT NULL,
	stage text COLLATE "C" NOT NULL,
	status text COLLATE "C" NOT NULL,
	message text NOT NULL,
	detail jsonb,
	started_at timestamp with time zone,
	seconds double precision,
	CONSTRAINT pipeline_stage_pkey PRIMARY KEY (pipeline_run, place),
	CONSTRAINT pipeline_stage_status_check
		CHECK (status IN ('succeeded', 'rejected', 'failed', 'undone', 'skipped')),
	CONSTRAINT pipeline_stage_started_at_check CHECK ((started_at IS NULL) = (seconds IS NULL))
);
CREATE INDEX pipeline_stage_model_idx ON churnops.pipeline_stage (model);
COMMENT ON TABLE churnops.pipeline_stage IS
'Stages of the runs of pipelines, in their order. Frozen.';
COMMENT ON COLUMN churnops.pipeline_stage.status IS
'succeeded, rejected, failed; undone, since a later stage of the release failed; skipped, since there was '
'nothing to do or an earlier stage had ended the run.';
COMMENT ON COLUMN churnops.pipeline_stage.detail IS
'What the stage found, by its own keys.';

CREATE TABLE churnops.verdict (
	verdict bigint GENERATED ALWAYS AS IDENTITY,
	model text COLLATE "C" NOT NULL,
	version integer NOT NULL,
	pipeline_run bigint NOT NULL,
	passed boolean NOT NULL,
	champion_version integer,
	gates jsonb NOT NULL,
	decided_by text NOT NULL,
	"session_user" text NOT NULL,
	decided_at timestamp with time zone NOT NULL,
	CONSTRAINT verdict_pkey PRIMARY KEY (verdict),
	CONSTRAINT verdict_version_key UNIQUE (model, version)
);
COMMENT ON TABLE churnops.verdict IS
'What the gates of its pipeline said of a version, with all numbers. Frozen, and in the audit.';
COMMENT ON COLUMN churnops.verdict.champion_version IS
'Version that it was compared with; NULL if there was none, or no gate that compares.';
COMMENT ON COLUMN churnops.verdict.gates IS
'A JSON array, an object for each gate: {gate, metric, slice, slice_value, value, ci_low, ci_high, '
'threshold, n, passed, message}.';
COMMENT ON COLUMN churnops.verdict."session_user" IS
'Role that logged in. Quote the name: unquoted, session_user is the function.';

CREATE FUNCTION churnops.delete_pipeline_rows(pipeline text) RETURNS void
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'churnops_delete_pipeline_rows';
COMMENT ON FUNCTION churnops.delete_pipeline_rows(text) IS
'Deletes a pipeline with its definitions, past the triggers of the frozen tables; its runs stay.';

CREATE TRIGGER refuse_change BEFORE UPDATE OF name OR DELETE ON churnops.pipeline
	FOR EACH ROW EXECUTE FUNCTION churnops.refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON churnops.pipeline
	FOR EACH STATEMENT EXECUTE FUNCTION churnops.refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON churnops.pipeline_version
	FOR EACH ROW EXECUTE FUNCTION churnops.refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON churnops.pipeline_version
	FOR EACH STATEMENT EXECUTE FUNCTION churnops.refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON churnops.pipeline_run
	FOR EACH ROW EXECUTE FUNCTION churnops.refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON churnops.pipeline_run
	FOR EACH STATEMENT EXECUTE FUNCTION churnops.refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON churnops.pipeline_stage
	FOR EACH ROW EXECUTE FUNCTION churnops.refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON churnops.pipeline_stage
	FOR EACH STATEMENT EXECUTE FUNCTION churnops.refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON churnops.verdict
	FOR EACH ROW EXECUTE FUNCTION churnops.refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON churnops.verdict
	FOR EACH STATEMENT EXECUTE FUNCTION churnops.refuse_change();

CREATE FUNCTION churnops.text_digest(value text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT encode(sha256(convert_to(value, 'UTF8')), 'hex')
$$;
COMMENT ON FUNCTION churnops.text_digest(text) IS
'SHA-256 of a text in UTF-8, lower-case hex.';

CREATE FUNCTION churnops.pipeline_record(pipeline_name text, version_number integer) RETURNS text
LANGUAGE sql STABLE STRICT PARALLEL SAFE
-- Nothing in a digest may depend on the session's settings.
SET search_path = pg_catalog, pg_temp
SET TimeZone = 'UTC'
SET extra_float_digits = 1
AS $$
	-- A column that is NULL counts as if it were not there: later versions may add some.
	SELECT churnops.text_digest((
		SELECT jsonb_object_agg(f.key, f.value) FROM jsonb_each(to_jsonb(v)) AS f
		WHERE f.value <> 'null')::text)
	FROM churnops.pipeline_version AS v
	WHERE v.pipeline = pipeline_name AND v.version = version_number
$$;
COMMENT ON FUNCTION churnops.pipeline_record(text, integer) IS
'SHA-256 of the row of a definition of a pipeline, which the audit keeps.';

SELECT pg_catalog.pg_extension_config_dump('churnops.pipeline', '');
SELECT pg_catalog.pg_extension_config_dump('churnops.pipeline_version', '');
SELECT pg_catalog.pg_extension_config_dump('churnops.pipeline_run', '');
SELECT pg_catalog.pg_extension_config_dump('churnops.pipeline_run_pipeline_run_seq', '');
SELECT pg_catalog.pg_extension_config_dump('churnops.pipeline_stage', '');
SELECT pg_catalog.pg_extension_config_dump('churnops.verdict', '');
SELECT pg_catalog.pg_extension_config_dump('churnops.verdict_verdict_seq', '');
