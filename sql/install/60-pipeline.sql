-- Pipelines: definitions, and runs of them from the text to the release
--
-- A run goes through its stages in order (62-pipeline-stages.sql), each in a
-- subtransaction of its own: an error ends the run, not the transaction, and is
-- kept with it.  The stages of the release are undone together.  What stages
-- know is one JSON document, the state, that each of them adds to.

CREATE TYPE churnops.run_result AS (
	pipeline_run bigint,
	status text,
	model text,
	version integer,
	ref text,
	stage text,
	message text,
	verdict jsonb,
	stages jsonb,
	seconds double precision
);
COMMENT ON TYPE churnops.run_result IS
'What came of a run of a pipeline.';
COMMENT ON COLUMN churnops.run_result.pipeline_run IS
'Number of the run.';
COMMENT ON COLUMN churnops.run_result.status IS
'succeeded; rejected by a gate; failed, which is an error.';
COMMENT ON COLUMN churnops.run_result.version IS
'Version that was trained; NULL if it did not come to that.';
COMMENT ON COLUMN churnops.run_result.ref IS
'Reference of that version, as in churn/3.';
COMMENT ON COLUMN churnops.run_result.stage IS
'Stage in which it was rejected or failed; NULL if it succeeded.';
COMMENT ON COLUMN churnops.run_result.verdict IS
'What the gates said: {passed, champion_version, gates}; NULL if they were not asked.';
COMMENT ON COLUMN churnops.run_result.stages IS
'A JSON array, an object for each stage: {stage, status, message, detail, seconds}.';

CREATE TYPE churnops.pipeline_definition AS (
	name text,
	version integer,
	digest text,
	is_new boolean,
	document jsonb
);
COMMENT ON TYPE churnops.pipeline_definition IS
'A definition of a pipeline as it is stored.';
COMMENT ON COLUMN churnops.pipeline_definition.digest IS
'SHA-256 of the text in UTF-8, lower-case hex.';
COMMENT ON COLUMN churnops.pipeline_definition.is_new IS
'Whether it is a new version: the same text as the latest makes none.';

-- Since: 0.2.0
CREATE FUNCTION @extschema@.churnops_pipeline(name text, yaml text)
RETURNS churnops.pipeline_definition
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_as_owner';
COMMENT ON FUNCTION @extschema@.churnops_pipeline(text, text) IS
'Stores the definition of a pipeline, checked, as its next version; the same text as the latest one makes '
'none. The pipeline belongs to the role that defined it first.';

-- Since: 0.2.0
CREATE FUNCTION @extschema@.churnops_drop_pipeline(name text) RETURNS text
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_as_owner';
COMMENT ON FUNCTION @extschema@.churnops_drop_pipeline(text) IS
'Drops a pipeline with all its definitions. Its runs stay, each with the text that it ran. Returns the name.';

-- Since: 0.2.0
CREATE FUNCTION @extschema@.churnops_run(
	yaml text DEFAULT NULL,
	model text DEFAULT NULL,
	target text DEFAULT NULL,
	name text DEFAULT NULL,
	on_reject text DEFAULT 'return')
RETURNS churnops.run_result
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_as_owner_on_path';
COMMENT ON FUNCTION @extschema@.churnops_run(text, text, text, text, text) IS
'Runs a pipeline, given as text (yaml) or by the name of a stored one, churn or churn/3: loads and checks '
'the data, trains, evaluates, compares, asks the gates, and releases the version or rejects it. model and '
'target (default NULL) are those of a definition that has none. Data is read as the caller. A stage that '
'fails ends the run, which is kept; on_reject => ''error'' (default return) makes it an error, which undoes '
'all there is of it: CALL churnops_run_pipeline raises it after the commit.';

-- Since: 0.2.0
CREATE FUNCTION @extschema@.churnops_require_success(pipeline_run bigint) RETURNS text
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_as_owner';
COMMENT ON FUNCTION @extschema@.churnops_require_success(bigint) IS
'Raises an error unless a run of a pipeline succeeded: the error it failed with, or the gates that rejected '
'the version. Returns its status.';

-- Since: 0.2.0
CREATE PROCEDURE @extschema@.churnops_run_pipeline(
	yaml text DEFAULT NULL,
	model text DEFAULT NULL,
	target text DEFAULT NULL,
	name text DEFAULT NULL,
	INOUT pipeline_run bigint DEFAULT NULL,
	INOUT status text DEFAULT NULL,
	INOUT ref text DEFAULT NULL,
	INOUT message text DEFAULT NULL)
LANGUAGE C
AS 'MODULE_PATHNAME', 'churnops_run_pipeline';
COMMENT ON PROCEDURE @extschema@.churnops_run_pipeline(text, text, text, text, bigint, text, text, text) IS
'Runs a pipeline as churnops_run does, commits, and then raises an error unless it succeeded: the run is kept, '
'and psql has its exit code. Not inside a transaction block. The other arguments are results: number and status '
'of the run, reference of the version, message.';

-- Definitions

CREATE FUNCTION churnops.check_pipeline_name(name text) RETURNS void
LANGUAGE plpgsql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF name IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'null_value_not_allowed',
			MESSAGE = 'argument "name" must not be null';
	END IF;
	PERFORM churnops.check_name(name, 'pipeline');
END
$$;
COMMENT ON FUNCTION churnops.check_pipeline_name(text) IS
'Refuses what cannot be the name of a pipeline.';

CREATE FUNCTION churnops.require_pipeline(caller name, pipeline_name text) RETURNS text
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found_owner text;
BEGIN
	SELECT p.owner INTO found_owner FROM churnops.pipeline AS p
	WHERE p.name = pipeline_name AND churnops.may_use(caller, p.owner);
	-- One statement for unknown and forbidden, so that even the context is the same.
	IF NOT FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'undefined_object',
			MESSAGE = format('pipeline "%s" does not exist', pipeline_name),
			HINT = 'Pipelines you may use are listed in the view churnops.pipelines.';
	END IF;
	RETURN found_owner;
END
$$;
COMMENT ON FUNCTION churnops.require_pipeline(name, text) IS
'The owner of a pipeline that a role may use; the error tells unknown from forbidden to nobody.';

CREATE FUNCTION churnops.lock_pipeline(caller name, pipeline_name text) RETURNS text
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	-- As churnops.lock_model: rights first, and again once we have waited.
	PERFORM churnops.require_pipeline(caller, pipeline_name);
	UPDATE churnops.pipeline AS p SET last_version = p.last_version WHERE p.name = pipeline_name;
	RETURN churnops.require_pipeline(caller, pipeline_name);
END
$$;
COMMENT ON FUNCTION churnops.lock_pipeline(name, text) IS
'Makes changes of a pipeline take turns until the end of the transaction; returns its owner.';

CREATE FUNCTION churnops.code_version() RETURNS text
LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT nullif(current_setting('churnops.code_version', true), '')
$$;
COMMENT ON FUNCTION churnops.code_version() IS
'The setting churnops.code_version; NULL if empty.';

CREATE FUNCTION churnops.pipeline(caller name, pipeline_name text, yaml text)
RETURNS churnops.pipeline_definition
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	latest record;
	document jsonb;
	owner_name text;
	defined_at timestamp with time zone := clock_timestamp();
	next_version integer;
BEGIN
	PERFORM churnops.check_pipeline_name(pipeline_name);
	document := churnops.checked_document(yaml);

	-- Waits for a concurrent first definition of the same name.
	INSERT INTO churnops.pipeline AS p (name, owner, created_at)
	VALUES (pipeline_name, caller, defined_at)
	ON CONFLICT (name) DO NOTHING;
	-- As of models: one name space serves all roles.
	PERFORM FROM churnops.pipeline AS p
	WHERE p.name = pipeline_name AND churnops.may_use(caller, p.owner);
	IF NOT FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'insufficient_privilege',
			MESSAGE = format('cannot define pipeline "%s"', pipeline_name),
			HINT = 'Choose another name for the pipeline.';
	END IF;
	owner_name := churnops.lock_pipeline(caller, pipeline_name);

	SELECT v.version, v.digest, v.document INTO latest FROM churnops.pipeline_version AS v
	WHERE v.pipeline = pipeline_name ORDER BY v.version DESC LIMIT 1;
	IF latest.digest = churnops.text_digest(yaml) THEN
		RETURN (pipeline_name, latest.version, latest.digest, false, latest.document);
	END IF;
	UPDATE churnops.pipeline AS p SET last_version = p.last_version + 1 WHERE p.name = pipeline_name
	RETURNING p.last_version INTO STRICT next_version;
	INSERT INTO churnops.pipeline_version (pipeline, version, yaml, document, digest, code_version,
		created_by, "session_user", created_at)
	VALUES (pipeline_name, next_version, yaml, document, churnops.text_digest(yaml), churnops.code_version(),
		caller, session_user, defined_at);
	-- No model can have such a name.
	PERFORM churnops.write_audit(caller, 'define_pipeline', 'pipelines:/' || pipeline_name, next_version,
		jsonb_build_object('digest', churnops.text_digest(yaml),
			'record', churnops.pipeline_record(pipeline_name, next_version)),
		owner_name => owner_name);
	RETURN (pipeline_name, next_version, churnops.text_digest(yaml), true, document);
END
$$;
COMMENT ON FUNCTION churnops.pipeline(name, text, text) IS
'churnops_pipeline on behalf of a role.';

CREATE FUNCTION churnops.drop_pipeline(caller name, pipeline_name text) RETURNS text
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	owner_name text;
	kept jsonb;
BEGIN
	PERFORM churnops.check_pipeline_name(pipeline_name);
	owner_name := churnops.lock_pipeline(caller, pipeline_name);
	SELECT jsonb_agg(jsonb_build_object('version', v.version, 'digest', v.digest) ORDER BY v.version) INTO kept
	FROM churnops.pipeline_version AS v WHERE v.pipeline = pipeline_name;
	PERFORM churnops.delete_pipeline_rows(pipeline_name);
	PERFORM churnops.write_audit(caller, 'drop_pipeline', 'pipelines:/' || pipeline_name, NULL,
		jsonb_build_object('owner', owner_name, 'versions', kept), owner_name => owner_name);
	RETURN pipeline_name;
END
$$;
COMMENT ON FUNCTION churnops.drop_pipeline(name, text) IS
'churnops_drop_pipeline on behalf of a role.';

CREATE FUNCTION churnops.checked_document(yaml text) RETURNS jsonb
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF yaml IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'null_value_not_allowed',
			MESSAGE = 'argument "yaml" must not be null';
	END IF;
	RETURN @extschema@.churnops_check_pipeline(yaml);
END
$$;
COMMENT ON FUNCTION churnops.checked_document(text) IS
'The definition of a pipeline, checked, with every default filled in.';

-- What a run begins with

CREATE FUNCTION churnops.find_definition(
	caller name,
	pipeline_ref text,
	OUT pipeline text,
	OUT version integer,
	OUT yaml text)
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	parts text[] := regexp_match(pipeline_ref, '^([a-z][a-z0-9_.-]{0,62})(?:/([1-9][0-9]{0,8}))?$');
	author text;
BEGIN
	IF parts IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_name',
			MESSAGE = format('invalid pipeline reference "%s"', pipeline_ref),
			DETAIL = 'A reference is churn/3 or, for the latest definition, churn.',
			HINT = 'Pipelines you may use are listed in the view churnops.pipelines.';
	END IF;
	PERFORM churnops.require_pipeline(caller, parts[1]);
	SELECT v.pipeline, v.version, v.yaml, v.created_by INTO pipeline, version, yaml, author
	FROM churnops.pipeline_version AS v
	WHERE v.pipeline = parts[1] AND (parts[2] IS NULL OR v.version = parts[2]::integer)
	ORDER BY v.version DESC LIMIT 1;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'undefined_object',
			MESSAGE = format('version %s of pipeline "%s" does not exist', parts[2], parts[1]),
			HINT = format('List its versions with SELECT version, created_at FROM churnops.pipelines '
				'WHERE name = ''%s'';', parts[1]);
	END IF;
	-- A stored query is run for the role that wrote it, and for nobody else.
	IF author <> caller THEN
		RAISE EXCEPTION USING
			ERRCODE = 'insufficient_privilege',
			MESSAGE = format('pipeline "%s" can only be run by role "%s"', parts[1], author),
			DETAIL = format('Its queries would run with the privileges of role "%s", and role "%s" wrote them.',
							caller, author),
			HINT = format('SET ROLE %I, or give its text to churnops_run.', author);
	END IF;
END
$$;
COMMENT ON FUNCTION churnops.find_definition(name, text) IS
'The definition that a reference means, for a role that may run it.';

CREATE FUNCTION churnops.settle(given text, argument text, what text) RETURNS text
LANGUAGE plpgsql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF given IS NULL AND argument IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('the pipeline names no %s', what),
			HINT = format('Add the key "%1$s" to it, or call churnops_run(yaml, %1$s => ''...'').', what);
	END IF;
	IF given <> argument THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('the pipeline has the %s "%s", argument "%1$s" is "%3$s"', what, given, argument),
			HINT = format('Leave argument "%s" out.', what);
	END IF;
	RETURN coalesce(given, argument);
END
$$;
COMMENT ON FUNCTION churnops.settle(text, text, text) IS
'A value that the definition or an argument has: one of them, or both the same.';

CREATE FUNCTION churnops.require_trainable(caller name, model_name text) RETURNS void
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM churnops.check_name(model_name, 'model');
	PERFORM FROM churnops.model AS m WHERE m.name = model_name;
	IF NOT FOUND THEN
		RETURN;
	END IF;
	-- The texts of a training.
	IF churnops.has_right(caller, model_name, 'any') THEN
		PERFORM churnops.require_right(caller, model_name, 'train');
	ELSE
		RAISE EXCEPTION USING
			ERRCODE = 'insufficient_privilege',
			MESSAGE = format('cannot train model "%s"', model_name),
			HINT = 'Choose another name for the model.';
	END IF;
END
$$;
COMMENT ON FUNCTION churnops.require_trainable(name, text) IS
'Refuses a model that a role may not train.';

CREATE FUNCTION churnops.check_run_arguments(yaml text, pipeline_ref text, on_reject text) RETURNS void
LANGUAGE plpgsql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF (yaml IS NULL) = (pipeline_ref IS NULL) THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = CASE WHEN yaml IS NULL THEN 'there is no pipeline to run'
				ELSE 'arguments "yaml" and "name" exclude each other' END,
			HINT = 'Give the text of a definition as yaml, or the name of a stored one as name.';
	END IF;
	IF on_reject IS NULL OR on_reject NOT IN ('return', 'error') THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('argument "on_reject" cannot be %s', coalesce('"' || on_reject || '"', 'null')),
			HINT = 'Give return or error.';
	END IF;
END
$$;
COMMENT ON FUNCTION churnops.check_run_arguments(text, text, text) IS
'Refuses arguments of churnops_run that do not go together.';

CREATE FUNCTION churnops.without_nulls(document jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	-- What is handed on as it was given may mean something by a null.
	SELECT said
		|| CASE WHEN said ? 'hyperparameters'
			THEN jsonb_build_object('hyperparameters', document->'hyperparameters') ELSE '{}' END
		|| CASE WHEN said ? 'deployment'
			THEN jsonb_build_object('deployment', said->'deployment'
				|| jsonb_build_object('config', coalesce(document #> '{deployment,config}', '{}'))) ELSE '{}' END
		|| CASE WHEN said ? 'search'
			THEN jsonb_build_object('search', said->'search'
				|| jsonb_build_object('space', document #> '{search,space}')) ELSE '{}' END
		|| CASE WHEN said ? 'data'
			THEN jsonb_build_object('data', ((said->'data') - '{csv,expectations}'::text[])
				|| CASE WHEN said->'data' ? 'csv'
					THEN jsonb_build_object('csv', document #> '{data,csv}') ELSE '{}' END
				|| CASE WHEN jsonb_array_length(document #> '{data,expectations}') > 0
					THEN jsonb_build_object('expectations', document #> '{data,expectations}') ELSE '{}' END)
			ELSE '{}' END
	FROM jsonb_strip_nulls(document) AS said
$$;
COMMENT ON FUNCTION churnops.without_nulls(jsonb) IS
'A checked definition with only what it says: no key for what is null, and none for no expectations.';

CREATE FUNCTION churnops.open_run(
	caller name,
	search_path text,
	yaml text,
	model text,
	target text,
	pipeline_ref text)
RETURNS jsonb
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	stored record;
	document jsonb;
	model_name text;
BEGIN
	IF pipeline_ref IS NOT NULL THEN
		stored := churnops.find_definition(caller, pipeline_ref);
		yaml := stored.yaml;
	ELSE
		SELECT NULL::text AS pipeline, NULL::integer AS version INTO stored;
	END IF;
	document := churnops.checked_document(yaml);
	model_name := churnops.settle(document->>'model', model, 'model');
	PERFORM churnops.require_trainable(caller, model_name);
	RETURN jsonb_build_object(
		'pipeline_run', nextval('churnops.pipeline_run_pipeline_run_seq'),
		'caller', caller,
		'search_path', search_path,
		'pipeline', stored.pipeline,
		'pipeline_version', stored.version,
		'yaml', yaml,
		'checked', document,
		'document', churnops.without_nulls(document),
		'model', model_name,
		'target', churnops.settle(document->>'target', target, 'target'),
		'started_at', clock_timestamp(),
		'status', 'running',
		'stages', '[]'::jsonb);
END
$$;
COMMENT ON FUNCTION churnops.open_run(name, text, text, text, text, text) IS
'The state that a run begins with. What is refused here is no run.';

-- The stages

CREATE FUNCTION churnops.planned_stages(document jsonb) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT array_agg(s.stage ORDER BY s.place)
	FROM (VALUES
		(1, 'check', true),
		(2, 'load', document #> '{data,file}' IS NOT NULL),
		(3, 'data', true),
		(4, 'validate', document #> '{data,expectations}' IS NOT NULL OR document #> '{data,dataset}' IS NOT NULL),
		(5, 'cross_validate', document->'cv' IS NOT NULL AND document->'search' IS NULL),
		(6, 'train', document->'search' IS NULL),
		(7, 'tune', document->'search' IS NOT NULL),
		(8, 'cross_validate', document->'cv' IS NOT NULL AND document->'search' IS NOT NULL),
		(9, 'evaluate', true),
		(10, 'compare', document #> '{evaluation,gates,champion}' IS NOT NULL),
		(11, 'gates', true),
		(12, 'approve', true),
		(13, 'alias', document #> '{output,alias}' IS NOT NULL),
		(14, 'save', document #> '{output,path}' IS NOT NULL),
		(15, 'deploy', coalesce(document #>> '{deployment,strategy}', 'none') <> 'none')) AS s(place, stage, planned)
	WHERE s.planned
$$;
COMMENT ON FUNCTION churnops.planned_stages(jsonb) IS
'The stages of a pipeline in their order.';

CREATE FUNCTION churnops.release_stages() RETURNS text[]
LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT ARRAY['approve', 'alias', 'save', 'deploy']
$$;
COMMENT ON FUNCTION churnops.release_stages() IS
'The stages that happen together or not at all.';

CREATE FUNCTION churnops.outcome(
	message text,
	known jsonb DEFAULT '{}',
	detail jsonb DEFAULT NULL,
	status text DEFAULT 'succeeded')
RETURNS jsonb
LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT jsonb_build_object('status', status, 'message', message, 'detail', detail, 'known', known)
$$;
COMMENT ON FUNCTION churnops.outcome(text, jsonb, jsonb, text) IS
'What a stage returns: its message, what it adds to the state, what is kept with it, and its status.';

CREATE FUNCTION churnops.run_stage(state jsonb, stage text) RETURNS jsonb
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	began timestamp with time zone := clock_timestamp();
	result jsonb;
	code text;
	message text;
	detail text;
	hint text;
	context text;
BEGIN
	BEGIN
		EXECUTE format('SELECT churnops.%I($1)', 'stage_' || stage) INTO STRICT result USING state;
	EXCEPTION WHEN OTHERS OR assert_failure THEN
		-- Cancelling is none of the others either, and ends the run without a trace.
		GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
			detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
		result := churnops.outcome(message, jsonb_build_object('error', jsonb_build_object('sqlstate', code,
			'message', message, 'detail', nullif(detail, ''), 'hint', nullif(hint, ''), 'context', context)),
			status => 'failed');
	END;
	IF result->>'status' IN ('failed', 'rejected') THEN
		state := state || jsonb_build_object('status', result->>'status', 'stage', stage);
	END IF;
	RETURN state || (result->'known') || jsonb_build_object('stages', state->'stages' || jsonb_build_object(
		'stage', stage, 'status', result->>'status', 'message', result->>'message',
		'detail', result->'detail', 'started_at', began,
		'seconds', extract(epoch FROM clock_timestamp() - began)));
END
$$;
COMMENT ON FUNCTION churnops.run_stage(jsonb, text) IS
'The state after a stage, which is undone if it fails.';

CREATE FUNCTION churnops.run_release(state jsonb, stages text[]) RETURNS jsonb
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	before jsonb := state->'stages';
	stage text;
BEGIN
	FOREACH stage IN ARRAY stages LOOP
		state := churnops.run_stage(state, stage);
		IF state->>'status' <> 'running' THEN
			RAISE EXCEPTION 'undo';
		END IF;
	END LOOP;
	RETURN state;
EXCEPTION WHEN raise_exception THEN
	RETURN state || jsonb_build_object('stages', before || coalesce((
		SELECT jsonb_agg(CASE s.value->>'status' WHEN 'succeeded'
				THEN s.value || '{"status": "undone"}' ELSE s.value END ORDER BY s.place)
		FROM jsonb_array_elements(state->'stages') WITH ORDINALITY AS s(value, place)
		WHERE s.place > jsonb_array_length(before)), '[]'));
END
$$;
COMMENT ON FUNCTION churnops.run_release(jsonb, text[]) IS
'The state after the stages of the release: if one fails, the others are undone with it.';

CREATE FUNCTION churnops.run_stages(state jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	planned text[] := churnops.planned_stages(state->'document');
	release text[];
	stage text;
BEGIN
	SELECT array_agg(p.stage ORDER BY p.place) INTO release
	FROM unnest(planned) WITH ORDINALITY AS p(stage, place) WHERE p.stage = ANY (churnops.release_stages());
	FOREACH stage IN ARRAY planned[:cardinality(planned) - cardinality(release)] LOOP
		EXIT WHEN state->>'status' <> 'running';
		state := churnops.run_stage(state, stage);
	END LOOP;
	IF state->>'status' = 'running' THEN
		state := churnops.run_release(state, release);
	END IF;
	FOREACH stage IN ARRAY planned[jsonb_array_length(state->'stages') + 1:] LOOP
		state := jsonb_set(state, '{stages}', state->'stages' || jsonb_build_object('stage', stage,
			'status', 'skipped', 'message', CASE state->>'status' WHEN 'failed' THEN 'the run had failed' ELSE 'the version was rejected' END));
	END LOOP;
	IF state->>'status' = 'running' THEN
		state := state || '{"status": "succeeded"}';
	END IF;
	RETURN state;
END
$$;
COMMENT ON FUNCTION churnops.run_stages(jsonb) IS
'The state after all stages.';

-- What a run ends with

CREATE FUNCTION churnops.run_message(state jsonb) RETURNS text
LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE state->>'status'
		WHEN 'succeeded' THEN format('version %s of model "%s": %s', state->>'version', state->>'model', (
			SELECT string_agg(s.value->>'message', '; ' ORDER BY s.place)
			FROM jsonb_array_elements(state->'stages') WITH ORDINALITY AS s(value, place)
			WHERE s.value->>'stage' = ANY ('gates'::text || churnops.release_stages())))
		ELSE format('%s in stage "%s": %s', state->>'status', state->>'stage', (
			SELECT s.value->>'message' FROM jsonb_array_elements(state->'stages') AS s(value)
			WHERE s.value->>'status' = state->>'status'))
	END
$$;
COMMENT ON FUNCTION churnops.run_message(jsonb) IS
'What came of a run, in a sentence.';

CREATE FUNCTION churnops.store_run(state jsonb) RETURNS churnops.run_result
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	r churnops.pipeline_run;
BEGIN
	INSERT INTO churnops.pipeline_run (pipeline_run, pipeline, pipeline_version, model, version, status, stage,
		message, error, verdict, yaml, document, digest, dataset_digest, code_version, created_by,
		"session_user", started_at, finished_at)
	OVERRIDING SYSTEM VALUE
	VALUES ((state->>'pipeline_run')::bigint, state->>'pipeline', (state->>'pipeline_version')::integer,
		state->>'model', (state->>'version')::integer, state->>'status', state->>'stage',
		churnops.run_message(state), nullif(state->'error', 'null'), nullif(state->'verdict', 'null'),
		state->>'yaml', state->'checked', churnops.text_digest(state->>'yaml'), state->>'dataset_digest',
		churnops.code_version(), state->>'caller', session_user, (state->>'started_at')::timestamp with time zone,
		clock_timestamp())
	RETURNING * INTO STRICT r;
	INSERT INTO churnops.pipeline_stage (pipeline_run, place, model, stage, status, message, detail, started_at,
		seconds)
	SELECT r.pipeline_run, s.place, r.model, s.value->>'stage', s.value->>'status', s.value->>'message',
		nullif(s.value->'detail', 'null'), (s.value->>'started_at')::timestamp with time zone,
		(s.value->>'seconds')::double precision
	FROM jsonb_array_elements(state->'stages') WITH ORDINALITY AS s(value, place);
	RETURN (r.pipeline_run, r.status, r.model, r.version, r.model || '/' || r.version, r.stage, r.message,
		r.verdict, (
			SELECT jsonb_agg(s.value - 'started_at' ORDER BY s.place)
			FROM jsonb_array_elements(state->'stages') WITH ORDINALITY AS s(value, place)),
		extract(epoch FROM r.finished_at - r.started_at)::double precision);
END
$$;
COMMENT ON FUNCTION churnops.store_run(jsonb) IS
'Writes a run that has ended, with its stages.';

CREATE FUNCTION churnops.raise_run(r churnops.pipeline_run, is_kept boolean) RETURNS void
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hint text := CASE WHEN is_kept
		THEN format('All of it: SELECT * FROM churnops.%s WHERE pipeline_run = %s;',
			CASE r.status WHEN 'rejected' THEN 'gates' ELSE 'pipeline_stages' END, r.pipeline_run)
		ELSE 'The run is undone with this transaction; CALL churnops_run_pipeline(...) keeps it.' END;
BEGIN
	IF r.status <> 'succeeded' THEN
		RAISE EXCEPTION USING
			ERRCODE = coalesce(r.error->>'sqlstate', 'check_violation'),
			MESSAGE = format('pipeline run %s %s', r.pipeline_run, r.message),
			DETAIL = coalesce(r.error->>'detail', churnops.gates_text(r.verdict->'gates'),
				CASE WHEN r.version IS NULL THEN 'The stages before it had succeeded.'
					ELSE format('Version %s of model "%s" was trained.', r.version, r.model) END),
			HINT = coalesce(r.error->>'hint', hint);
	END IF;
END
$$;
COMMENT ON FUNCTION churnops.raise_run(churnops.pipeline_run, boolean) IS
'Raises the error that a run failed with, or what the gates said that rejected its version.';

CREATE FUNCTION churnops.may_see_run(caller name, r churnops.pipeline_run) RETURNS boolean
LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	-- Also who ran it without a model coming of it; who reads the model that there is now
	-- does not see what others did under its name before.
	SELECT churnops.may_use(caller, r.created_by)
		OR churnops.has_right(caller, r.model, 'read')
			AND r.finished_at >= (SELECT m.created_at FROM churnops.model AS m WHERE m.name = r.model)
$$;
COMMENT ON FUNCTION churnops.may_see_run(name, churnops.pipeline_run) IS
'Whether a role may see a run: its own, or one of a model that it may read.';

CREATE FUNCTION churnops.require_success(caller name, run_number bigint) RETURNS text
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	r churnops.pipeline_run;
BEGIN
	IF run_number IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'null_value_not_allowed',
			MESSAGE = 'argument "pipeline_run" must not be null';
	END IF;
	SELECT * INTO r FROM churnops.pipeline_run AS p
	WHERE p.pipeline_run = run_number AND churnops.may_see_run(caller, p);
	IF NOT FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'undefined_object',
			MESSAGE = format('pipeline run %s does not exist', run_number),
			HINT = 'Runs you may see are listed in the view churnops.pipeline_runs.';
	END IF;
	PERFORM churnops.raise_run(r, true);
	RETURN r.status;
END
$$;
COMMENT ON FUNCTION churnops.require_success(name, bigint) IS
'churnops_require_success on behalf of a role.';

CREATE FUNCTION churnops.run(
	caller name,
	search_path text,
	yaml text,
	model text,
	target text,
	pipeline_ref text,
	on_reject text)
RETURNS churnops.run_result
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	state jsonb;
	result churnops.run_result;
BEGIN
	PERFORM churnops.check_run_arguments(yaml, pipeline_ref, on_reject);
	state := churnops.open_run(caller, search_path, yaml, model, target, pipeline_ref);
	state := churnops.run_stages(state);
	result := churnops.store_run(state);
	IF on_reject = 'error' THEN
		PERFORM churnops.raise_run(r, false) FROM churnops.pipeline_run AS r
		WHERE r.pipeline_run = result.pipeline_run;
	END IF;
	RETURN result;
END
$$;
COMMENT ON FUNCTION churnops.run(name, text, text, text, text, text, text) IS
'churnops_run on behalf of a role, with its search_path.';

-- Calls as the user

CREATE FUNCTION churnops.call_as(
	caller name,
	search_path text,
	pipeline_run bigint,
	threshold jsonb,
	function text,
	arguments jsonb)
RETURNS jsonb
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'churnops_call_as';
COMMENT ON FUNCTION churnops.call_as(name, text, bigint, jsonb, text, jsonb) IS
'Calls a public function as a role, under a search_path, on behalf of a run with its rule of the threshold: '
'arguments by name, null for their defaults. Returns its rows as a JSON array.';

CREATE FUNCTION churnops.survey_as(caller name, search_path text, query text) RETURNS jsonb
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'churnops_survey_as';
COMMENT ON FUNCTION churnops.survey_as(name, text, text) IS
'Rows, digest and columns of a query that is run as a role: {query, n_rows, digest, columns}.';

CREATE FUNCTION churnops.latency_as(caller name, search_path text, model_ref text, query text) RETURNS jsonb
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'churnops_latency_as';
COMMENT ON FUNCTION churnops.latency_as(name, text, text, text) IS
'How many microseconds a row of a query takes to be scored by a version, without reading it, and the number of '
'rows: {value, n}. The query is run as the role.';

CREATE FUNCTION churnops.check_folder_as(caller name, folder text, name text) RETURNS void
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'churnops_check_folder_as';
COMMENT ON FUNCTION churnops.check_folder_as(name, text, text) IS
'Refuses a folder that a role cannot have written to, and a name that is in there already.';

CREATE FUNCTION churnops.holdout_as(caller name, search_path text, model_ref text)
RETURNS TABLE (label boolean, score double precision, weight double precision)
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'churnops_holdout_as';
COMMENT ON FUNCTION churnops.holdout_as(name, text, text) IS
'The holdout of a version of two classes, read as a role: whether each row is positive, its score and its '
'weight. No rows for other versions.';

CREATE FUNCTION churnops.threshold_rule(rule jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE rule->>'rule' WHEN 'value' THEN NULL ELSE rule END
$$;
COMMENT ON FUNCTION churnops.threshold_rule(jsonb) IS
'The rule of a pipeline''s threshold as churnops_threshold takes it; NULL where the threshold is given.';

CREATE FUNCTION churnops.call_user(state jsonb, function text, arguments jsonb) RETURNS jsonb
LANGUAGE sql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT churnops.call_as((state->>'caller')::name, state->>'search_path', (state->>'pipeline_run')::bigint,
		churnops.threshold_rule(state #> '{document,evaluation,threshold}'), '@extschema@.' || function, arguments)
$$;
COMMENT ON FUNCTION churnops.call_user(jsonb, text, jsonb) IS
'Calls a public function as the user of a run.';
