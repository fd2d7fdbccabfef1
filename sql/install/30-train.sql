-- Training: the functions users call, and the registration behind them

-- Since: 0.1.0
CREATE FUNCTION @extschema@.churnops_train(
	model text,
	query text,
	target text,
	params jsonb DEFAULT '{}',
	key text[] DEFAULT NULL,
	exclude text[] DEFAULT NULL,
	weight text DEFAULT NULL,
	task text DEFAULT NULL,
	positive_class text DEFAULT NULL,
	test_size double precision DEFAULT 0.2,
	split_seed integer DEFAULT 0,
	time_column text DEFAULT NULL,
	description text DEFAULT NULL,
	OUT ref text,
	OUT version integer,
	OUT status text,
	OUT n_rows bigint,
	OUT n_train bigint,
	OUT n_test bigint,
	OUT n_features integer,
	OUT metrics jsonb,
	OUT seconds double precision)
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_train';
COMMENT ON FUNCTION @extschema@.churnops_train(text, text, text, jsonb, text[], text[], text, text, text, double precision, integer, text, text) IS
'Trains a random forest on the rows of a query and stores it as the next version of a model. '
'The query, or the name of a table or view, is read as the caller; datasets:/customers/3 is a version of '
'a dataset, datasets:/customers its latest. params takes scikit-learn''s names. '
'key names the columns of the entity (never features, and kept on one side of the split), exclude '
'the columns to ignore, weight a column of sample weights. '
'task is classification or regression, else taken from the target''s type; positive_class defaults '
'to the last of two classes. '
'test_size (default 0.2, from 0 to below 1) is the share of rows held out, drawn by split_seed '
'(default 0) or, with time_column, the latest ones. '
'The first version of a model becomes its champion, unless the model demands an approval. Returns the reference, the counts of rows with '
'a known target, the metrics and the duration in seconds.';

-- Since: 0.1.0
CREATE FUNCTION @extschema@.churnops_reproduce(
	model_ref text,
	OUT ref text,
	OUT reproduced boolean,
	OUT dataset_digest text,
	OUT dataset_digest_now text,
	OUT artifact_digest text,
	OUT artifact_digest_now text,
	OUT message text,
	OUT source text,
	OUT changes jsonb,
	OUT difference jsonb)
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_reproduce';
COMMENT ON FUNCTION @extschema@.churnops_reproduce(text) IS
'Retrains a version from the kept copy of its dataset or, without one, from its stored query, and '
'compares the result byte for byte, storing nothing. '
'While the dataset digest is the same, so is the artifact digest; message says what differs otherwise, '
'changes lists every ingredient that is not as it was, and difference compares the rows of then and now '
'where the dataset is a registered one.';

-- Since: 0.1.0
CREATE FUNCTION @extschema@.churnops_parameters()
RETURNS TABLE (name text, default_value text, allowed text, description text)
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_parameters';
COMMENT ON FUNCTION @extschema@.churnops_parameters() IS
'Lists the hyper-parameters that churnops_train takes in params: name, default as JSON, what is '
'allowed, and what it does.';

CREATE FUNCTION churnops.claim_model(registration jsonb, at timestamp with time zone)
RETURNS boolean
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	wanted record;
	existing record;
	created boolean;
BEGIN
	SELECT * INTO STRICT wanted FROM jsonb_to_record(registration)
		AS r(model text, task text, target text, caller text, description text);
	LOOP
		-- Waits for a concurrent first training of the same name.
		INSERT INTO churnops.model AS m (name, task, target, owner, description, created_at,
			require_approval)
		VALUES (wanted.model, wanted.task, wanted.target, wanted.caller, wanted.description, at,
			coalesce(current_setting('churnops.require_approval', true)::boolean, false))
		ON CONFLICT (name) DO NOTHING;
		created := FOUND;

		SELECT m.owner, m.task, m.target INTO existing
		FROM churnops.model AS m WHERE m.name = wanted.model;
		-- Dropped meanwhile: try again.
		CONTINUE WHEN NOT FOUND;

		-- One name space serves all roles, so a taken name has to be refused; the
		-- texts are those of the check before training, and tell strangers no more.
		IF churnops.has_right(wanted.caller::name, wanted.model, 'any') THEN
			PERFORM churnops.require_right(wanted.caller::name, wanted.model, 'train');
		ELSE
			RAISE EXCEPTION USING
				ERRCODE = 'insufficient_privilege',
				MESSAGE = format('cannot train model "%s"', wanted.model),
				HINT = 'Choose another name for the model.';
		END IF;
		IF (wanted.task, wanted.target) IS DISTINCT FROM (existing.task, existing.target) THEN
			RAISE EXCEPTION USING
				ERRCODE = 'invalid_parameter_value',
				MESSAGE = format('model "%s" is a %s of "%s", not a %s of "%s"', wanted.model,
								 existing.task, existing.target, wanted.task, wanted.target),
				HINT = 'Versions of a model share task and target: train under another name, '
					'or drop the model first with churnops_drop_model.';
		END IF;

		-- Waits for other changes of the model, as churnops.lock_model does.
		PERFORM FROM churnops.model AS m WHERE m.name = wanted.model FOR NO KEY UPDATE;
		EXIT WHEN FOUND;
	END LOOP;
	RETURN created;
END
$$;
COMMENT ON FUNCTION churnops.claim_model(jsonb, timestamp with time zone) IS
'Makes the model of a registration, or checks that it fits an existing one, and locks it until the end '
'of the transaction. Whether it was made.';

CREATE FUNCTION churnops.claim_version(registration jsonb, at timestamp with time zone)
RETURNS integer
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	claimed integer;
BEGIN
	PERFORM churnops.claim_model(registration, at);
	UPDATE churnops.model AS m SET last_version = m.last_version + 1
	WHERE m.name = registration->>'model'
	RETURNING m.last_version INTO STRICT claimed;
	RETURN claimed;
END
$$;
COMMENT ON FUNCTION churnops.claim_version(jsonb, timestamp with time zone) IS
'Makes the model of a registration, or checks that it fits an existing one, and takes the next '
'version number under a lock that lasts to the end of the transaction.';

CREATE FUNCTION churnops.check_artifact(artifact bytea, digest text) RETURNS void
LANGUAGE plpgsql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	max_mb constant integer := 500;
BEGIN
	-- A version must fit into one line of a dump: less than 1 GB, two digits a byte.
	IF octet_length(artifact) > max_mb * 1048576 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'program_limit_exceeded',
			MESSAGE = format('trained model takes %s MB, at most %s MB can be stored',
							 ceil(octet_length(artifact) / 1048576.0), max_mb),
			HINT = 'Train fewer trees (n_estimators) or smaller ones (max_depth, min_samples_leaf).';
	END IF;
	IF encode(sha256(artifact), 'hex') IS DISTINCT FROM digest THEN
		RAISE EXCEPTION USING
			ERRCODE = 'data_corrupted',
			MESSAGE = format('artifact does not have the digest %s', digest);
	END IF;
END
$$;
COMMENT ON FUNCTION churnops.check_artifact(bytea, text) IS
'Refuses an artifact that is larger than 500 MB or does not have its SHA-256 digest.';

CREATE FUNCTION churnops.link_dataset(
	caller name,
	fingerprint text,
	digest text,
	named_dataset text,
	named_version integer,
	OUT dataset text,
	OUT version integer)
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	SELECT v.dataset, v.version INTO dataset, version
	FROM churnops.dataset_version AS v JOIN churnops.named_dataset AS n ON n.name = v.dataset
	WHERE v.digest = link_dataset.digest
		AND CASE WHEN named_dataset IS NULL THEN v.fingerprint = link_dataset.fingerprint
			ELSE (v.dataset, v.version) = (named_dataset, named_version) END
		AND churnops.may_use(caller, n.owner)
	ORDER BY v.created_at DESC LIMIT 1;
	-- Whoever drops the dataset waits, and then finds the link; or it is gone.
	PERFORM FROM churnops.named_dataset AS n WHERE n.name = link_dataset.dataset FOR SHARE;
	IF NOT FOUND THEN
		dataset := NULL;
		version := NULL;
	END IF;
END
$$;
COMMENT ON FUNCTION churnops.link_dataset(name, text, text, text, integer) IS
'The version of a dataset that a training read, or that has the same rows of the same query and that '
'the role may use; it cannot be dropped until the end of the transaction.';

CREATE FUNCTION churnops.register(
	registration jsonb,
	artifact bytea,
	OUT version integer,
	OUT status text)
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	v record;		-- what goes into the version
	t record;		-- what goes into the run
	d record;		-- what goes into the dataset
	registered_at timestamp with time zone := clock_timestamp();
	linked record;	-- the registered version with the same rows
	dataset_id bigint;
	run_id bigint;
	event_id bigint;
	rule boolean;
BEGIN
	PERFORM churnops.check_artifact(artifact, registration->>'artifact_digest');
	version := churnops.claim_version(registration, registered_at);
	SELECT m.require_approval INTO STRICT rule FROM churnops.model AS m
	WHERE m.name = registration->>'model';
	-- What a pipeline trains waits for its gates.
	status := CASE WHEN rule OR registration ? 'pipeline_run' THEN 'pending' ELSE 'approved' END;

	SELECT * INTO STRICT v FROM jsonb_to_record(registration) AS r(
		model text, caller text, description text, classes jsonb, positive_class text,
		positive_class_index integer, n_rows bigint, n_train bigint, n_test bigint,
		n_features integer, algorithm text, algorithm_version integer, format_version integer,
		features jsonb, params jsonb, metrics jsonb, artifact_digest text, parent_version integer);
	SELECT * INTO STRICT t FROM jsonb_to_record(registration) AS r(
		params_given jsonb, options jsonb, seed bigint, n_unknown_target bigint,
		environment jsonb, code_version text, started_at timestamp with time zone,
		seconds double precision, "session_user" text, kind text, study bigint, pipeline_run bigint);
	SELECT * INTO STRICT d FROM jsonb_to_record(registration->'dataset') AS r(
		query text, fingerprint text, relations jsonb, columns jsonb, n_rows bigint,
		digest text, search_path text, snapshot text, lsn text, named_dataset text,
		named_version integer);
	SELECT * INTO linked FROM churnops.link_dataset(v.caller::name, d.fingerprint, d.digest,
		d.named_dataset, d.named_version);

	INSERT INTO churnops.dataset (model, query, fingerprint, relations, columns, n_rows, digest,
		search_path, snapshot, lsn, created_by, created_at, named_dataset, named_version)
	VALUES (v.model, d.query, d.fingerprint, d.relations, d.columns, d.n_rows, d.digest,
		d.search_path, d.snapshot, d.lsn, v.caller, registered_at, linked.dataset, linked.version)
	RETURNING dataset INTO STRICT dataset_id;

	INSERT INTO churnops.run (model, kind, status, dataset, params_given, params, options, seed,
		n_unknown_target, metrics, environment, code_version, started_at, seconds, created_by,
		"session_user", created_at, study, pipeline_run)
	VALUES (v.model, coalesce(t.kind, 'train'), 'succeeded', dataset_id, t.params_given, v.params, t.options, t.seed,
		t.n_unknown_target, v.metrics, t.environment, t.code_version, t.started_at, t.seconds,
		v.caller, t."session_user", registered_at, t.study, t.pipeline_run)
	RETURNING run INTO STRICT run_id;

	INSERT INTO churnops.version (model, version, run, dataset, algorithm, algorithm_version,
		format_version, classes, positive_class, positive_class_index, n_rows, n_train, n_test,
		n_features, features, params, metrics, artifact_digest, artifact, description,
		parent_version, created_by, created_at)
	VALUES (v.model, register.version, run_id, dataset_id, v.algorithm, v.algorithm_version,
		v.format_version, v.classes, v.positive_class, v.positive_class_index, v.n_rows,
		v.n_train, v.n_test, v.n_features, v.features, v.params, v.metrics, v.artifact_digest,
		register.artifact, v.description, v.parent_version, v.caller, registered_at);

	INSERT INTO churnops.version_event (model, version, status, changed_by, reason, changed_at,
		"session_user")
	VALUES (v.model, register.version, register.status, v.caller,
		CASE WHEN registration ? 'import' THEN 'imported' ELSE 'trained' END, registered_at,
		t."session_user")
	RETURNING event INTO STRICT event_id;

	IF registration ? 'import' THEN
		PERFORM churnops.record_import(v.model, register.version, registration);
	END IF;

	PERFORM churnops.write_audit(v.caller::name,
		CASE WHEN registration ? 'import' THEN 'import' ELSE 'train' END, v.model, register.version,
		jsonb_build_object('run', run_id, 'dataset', dataset_id, 'dataset_digest', d.digest,
						   'artifact_digest', v.artifact_digest)
			|| coalesce((registration->'import') - 'content', '{}')
			|| CASE WHEN register.version = 1 AND rule
				THEN '{"set": {"require_approval": true}}' ELSE '{}' END::jsonb,
		jsonb_build_object('dataset', dataset_id, 'run', run_id, 'version', register.version,
						   'version_event', event_id)
			|| CASE WHEN registration ? 'import'
				THEN jsonb_build_object('import', register.version) ELSE '{}' END);

	IF register.version = 1 AND register.status = 'approved' THEN
		PERFORM churnops.set_alias(v.model, 'champion', 1, v.caller::name, 'first version of the model');
	END IF;
END
$$;
COMMENT ON FUNCTION churnops.register(jsonb, bytea) IS
'Stores a trained model: dataset, run, version, status and audit in one go, and the alias champion '
'with the first version unless that is pending. Called by the training and the import, which '
'have checked the caller.';
