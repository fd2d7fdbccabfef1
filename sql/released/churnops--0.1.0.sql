\echo Use "CREATE EXTENSION churnops" to load this file. \quit

-- Names are resolved in pg_catalog alone, whatever the installing session's
-- search_path holds: every object of ours is created and called qualified.
SET LOCAL search_path TO pg_catalog, pg_temp;

-- Schema churnops is made by this script and belongs to the extension; were it
-- the schema of the functions too, a dump would have to create it before the
-- extension, and the extension could not.
DO $guard$
BEGIN
	IF '@extschema@' = 'churnops' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'feature_not_supported',
			MESSAGE = 'extension "churnops" cannot be installed in schema "churnops"',
			DETAIL = 'The extension creates schema churnops itself, for its tables and views.',
			HINT = 'Drop schema churnops if it is empty, then name the schema of the functions: CREATE EXTENSION churnops SCHEMA public;';
	END IF;
END
$guard$;

CREATE SCHEMA churnops;
COMMENT ON SCHEMA churnops IS
'Models, their versions and their history. Read the views churnops.models, churnops.versions and '
'churnops.lineage; change anything by the functions churnops_*.';
-- Composite types: what the functions return when a row has more to say than a value

CREATE TYPE churnops.score_row AS (
	key jsonb,
	prediction double precision,
	class text,
	version integer,
	arm text
);
COMMENT ON TYPE churnops.score_row IS
'One scored row, as churnops_score returns it.';
COMMENT ON COLUMN churnops.score_row.key IS
'The key columns of the row as a JSON object; NULL when no key was named.';
COMMENT ON COLUMN churnops.score_row.prediction IS
'Probability of the positive class, or the predicted value of a regression; NULL for more than two '
'classes without a positive class.';
COMMENT ON COLUMN churnops.score_row.class IS
'Predicted class label; NULL for a regression.';
COMMENT ON COLUMN churnops.score_row.version IS
'Version of the model that scored the row.';
COMMENT ON COLUMN churnops.score_row.arm IS
'Alias by which the version was found; NULL when the reference names a version.';

CREATE TYPE churnops.alias_state AS (
	model text,
	alias text,
	version integer,
	previous_version integer,
	changed_by text,
	changed_at timestamp with time zone,
	reason text
);
COMMENT ON TYPE churnops.alias_state IS
'What an alias means now and how it came to: the state after its latest change.';
COMMENT ON COLUMN churnops.alias_state.version IS
'Version the alias points to; NULL once the alias is dropped.';
COMMENT ON COLUMN churnops.alias_state.previous_version IS
'Version the alias pointed to before its latest change; NULL if it was new.';
COMMENT ON COLUMN churnops.alias_state.changed_by IS
'Role that made the latest change.';
COMMENT ON COLUMN churnops.alias_state.changed_at IS
'Time of the latest change by the wall clock, not the start of its transaction.';
-- Registry: what was trained, on what, by whom, and what serves
--
-- Keys are natural where users name things and numbers where they do not.
-- Roles and relations are kept as text: a dump restores where they are gone.
-- Names sort by bytes, so no index depends on the version of a collation.
-- Rows of frozen tables only ever appear, and go with their whole model.
-- There are no foreign keys: a parallel restore loads the tables of an extension
-- in any order.  Only the functions of the extension write, they lock the
-- model's row first, and triggers keep rows from being lost.

CREATE TABLE churnops.model (
	name text COLLATE "C" NOT NULL,
	task text NOT NULL,
	target text NOT NULL,
	owner text COLLATE "C" NOT NULL,
	description text,
	last_version integer NOT NULL DEFAULT 0,
	created_at timestamp with time zone NOT NULL,
	CONSTRAINT model_pkey PRIMARY KEY (name),
	CONSTRAINT model_name_check CHECK (name ~ '^[a-z][a-z0-9_.-]{0,62}$'),
	CONSTRAINT model_task_check CHECK (task IN ('classification', 'regression')),
	CONSTRAINT model_last_version_check CHECK (last_version >= 0)
);
COMMENT ON TABLE churnops.model IS
'Models: a name for a task and a target, owned by a role.';
COMMENT ON COLUMN churnops.model.owner IS
'Role that first trained the model; its members may use, promote and drop it. A name, so it does '
'not follow ALTER ROLE ... RENAME.';
COMMENT ON COLUMN churnops.model.last_version IS
'Latest version number ever given out; the next training gets the next one.';

CREATE TABLE churnops.dataset (
	dataset bigint GENERATED ALWAYS AS IDENTITY,
	model text COLLATE "C" NOT NULL,
	query text NOT NULL,
	fingerprint text NOT NULL,
	relations jsonb NOT NULL,
	columns jsonb NOT NULL,
	n_rows bigint NOT NULL,
	digest text NOT NULL,
	search_path text NOT NULL,
	snapshot text NOT NULL,
	lsn text,
	created_by text NOT NULL,
	created_at timestamp with time zone NOT NULL,
	CONSTRAINT dataset_pkey PRIMARY KEY (dataset),
	CONSTRAINT dataset_n_rows_check CHECK (n_rows >= 0),
	CONSTRAINT dataset_digest_check CHECK (digest ~ '^[0-9a-f]{64}$')
);
CREATE INDEX dataset_model_idx ON churnops.dataset (model);
COMMENT ON TABLE churnops.dataset IS
'The rows a training read: query, relations, columns, count and digest. Frozen.';
COMMENT ON COLUMN churnops.dataset.fingerprint IS
'SHA-256 of the query''s tokens, independent of layout, comments and letter case of keywords, lower-case hex.';
COMMENT ON COLUMN churnops.dataset.relations IS
'Relations the query read, views walked through: [{schema, name, kind, definition_digest}].';
COMMENT ON COLUMN churnops.dataset.columns IS
'Columns of the query in its order: [{name, type, role, kind}]; role is feature, dropped_constant, '
'dropped_missing, target, key, weight, time or excluded.';
COMMENT ON COLUMN churnops.dataset.n_rows IS
'All rows of the query, those with an unknown target included.';
COMMENT ON COLUMN churnops.dataset.digest IS
'SHA-256 over the schema and all rows in any order, lower-case hex.';
COMMENT ON COLUMN churnops.dataset.search_path IS
'search_path under which the query was read.';
COMMENT ON COLUMN churnops.dataset.snapshot IS
'Snapshot of the query as pg_current_snapshot() writes it.';
COMMENT ON COLUMN churnops.dataset.lsn IS
'Position in the write-ahead log when the query was read; NULL where unknown.';

CREATE TABLE churnops.run (
	run bigint GENERATED ALWAYS AS IDENTITY,
	model text COLLATE "C" NOT NULL,
	kind text NOT NULL,
	status text NOT NULL,
	dataset bigint NOT NULL,
	params_given jsonb NOT NULL,
	params jsonb NOT NULL,
	options jsonb NOT NULL,
	seed bigint NOT NULL,
	n_unknown_target bigint NOT NULL,
	metrics jsonb NOT NULL,
	environment jsonb NOT NULL,
	code_version text,
	started_at timestamp with time zone NOT NULL,
	seconds double precision NOT NULL,
	created_by text NOT NULL,
	"session_user" text NOT NULL,
	created_at timestamp with time zone NOT NULL,
	CONSTRAINT run_pkey PRIMARY KEY (run),
	CONSTRAINT run_kind_check CHECK (kind IN ('train')),
	CONSTRAINT run_status_check CHECK (status IN ('succeeded'))
);
CREATE INDEX run_model_idx ON churnops.run (model);
CREATE INDEX run_dataset_idx ON churnops.run (dataset);
COMMENT ON TABLE churnops.run IS
'Trainings: parameters, seed, environment and metrics. Frozen.';
COMMENT ON COLUMN churnops.run.params_given IS
'Hyper-parameters as the caller gave them.';
COMMENT ON COLUMN churnops.run.params IS
'Hyper-parameters with every default filled in.';
COMMENT ON COLUMN churnops.run.options IS
'The other arguments of the training: key, exclude, weight, task, positive_class, test_size, '
'split_seed, time_column.';
COMMENT ON COLUMN churnops.run.n_unknown_target IS
'Rows left out because their target is NULL.';
COMMENT ON COLUMN churnops.run.environment IS
'Versions and machine: churnops, postgresql, compiler, architecture, byte_order, server_encoding.';
COMMENT ON COLUMN churnops.run.code_version IS
'The setting churnops.code_version at the training, usually a git commit; NULL if empty.';
COMMENT ON COLUMN churnops.run.seconds IS
'Duration from the call to the registration, in seconds.';
COMMENT ON COLUMN churnops.run."session_user" IS
'Role that logged in. Quote the name: unquoted, session_user is the function.';

CREATE TABLE churnops.version (
	model text COLLATE "C" NOT NULL,
	version integer NOT NULL,
	run bigint NOT NULL,
	dataset bigint NOT NULL,
	algorithm text NOT NULL,
	algorithm_version integer NOT NULL,
	format_version integer NOT NULL,
	classes jsonb,
	positive_class text,
	positive_class_index integer,
	n_rows bigint NOT NULL,
	n_train bigint NOT NULL,
	n_test bigint NOT NULL,
	n_features integer NOT NULL,
	features jsonb NOT NULL,
	params jsonb NOT NULL,
	metrics jsonb NOT NULL,
	artifact_digest text NOT NULL,
	artifact bytea NOT NULL,
	description text,
	parent_version integer,
	created_by text NOT NULL,
	created_at timestamp with time zone NOT NULL,
	CONSTRAINT version_pkey PRIMARY KEY (model, version),
	CONSTRAINT version_run_key UNIQUE (run),
	CONSTRAINT version_version_check CHECK (version >= 1),
	CONSTRAINT version_artifact_digest_check CHECK (artifact_digest ~ '^[0-9a-f]{64}$')
);
CREATE INDEX version_dataset_idx ON churnops.version (dataset);
-- Trees hardly compress, and reading a compressed artifact costs more than it saves.
ALTER TABLE churnops.version ALTER COLUMN artifact SET STORAGE EXTERNAL;
COMMENT ON TABLE churnops.version IS
'Versions of models with their artifacts. Frozen: the status is the latest row of churnops.version_event.';
COMMENT ON COLUMN churnops.version.classes IS
'Class labels in class order as a JSON array; NULL for a regression.';
COMMENT ON COLUMN churnops.version.positive_class_index IS
'Place of the positive class in classes, from 0; NULL without a positive class.';
COMMENT ON COLUMN churnops.version.n_rows IS
'Rows with a known target: n_train + n_test.';
COMMENT ON COLUMN churnops.version.features IS
'Features in artifact order: [{name, kind, mdi, permutation, permutation_sd}].';
COMMENT ON COLUMN churnops.version.metrics IS
'Metrics of the holdout and out of bag, and warnings: {holdout, oob, warnings}.';
COMMENT ON COLUMN churnops.version.artifact IS
'The encoded forest. It holds no name, number or time: equal trainings have equal artifacts.';
COMMENT ON COLUMN churnops.version.artifact_digest IS
'SHA-256 of the artifact, lower-case hex.';
COMMENT ON COLUMN churnops.version.parent_version IS
'Version this one was derived from; NULL if trained from data alone.';

CREATE TABLE churnops.version_event (
	event bigint GENERATED ALWAYS AS IDENTITY,
	model text COLLATE "C" NOT NULL,
	version integer NOT NULL,
	status text NOT NULL,
	changed_by text NOT NULL,
	reason text,
	changed_at timestamp with time zone NOT NULL,
	CONSTRAINT version_event_pkey PRIMARY KEY (event),
	CONSTRAINT version_event_status_check
		CHECK (status IN ('pending', 'approved', 'rejected', 'archived'))
);
CREATE INDEX version_event_version_idx ON churnops.version_event (model, version, event);
COMMENT ON TABLE churnops.version_event IS
'Statuses a version has had; the latest event counts. Append-only.';

CREATE TABLE churnops.alias (
	model text COLLATE "C" NOT NULL,
	alias text COLLATE "C" NOT NULL,
	version integer NOT NULL,
	changed_by text NOT NULL,
	changed_at timestamp with time zone NOT NULL,
	CONSTRAINT alias_pkey PRIMARY KEY (model, alias),
	CONSTRAINT alias_alias_check CHECK (alias ~ '^[a-z][a-z0-9_.-]{0,62}$')
);
COMMENT ON TABLE churnops.alias IS
'What each alias of a model points to now; champion is what the bare model name means.';

CREATE TABLE churnops.alias_event (
	event bigint GENERATED ALWAYS AS IDENTITY,
	model text COLLATE "C" NOT NULL,
	alias text COLLATE "C" NOT NULL,
	from_version integer,
	to_version integer,
	changed_by text NOT NULL,
	"session_user" text NOT NULL,
	reason text,
	changed_at timestamp with time zone NOT NULL,
	CONSTRAINT alias_event_pkey PRIMARY KEY (event)
);
CREATE INDEX alias_event_alias_idx ON churnops.alias_event (model, alias, event);
COMMENT ON TABLE churnops.alias_event IS
'Every change of an alias: who, when, why, from and to. Append-only.';
COMMENT ON COLUMN churnops.alias_event.from_version IS
'Version before the change; NULL if the alias was new.';
COMMENT ON COLUMN churnops.alias_event.to_version IS
'Version after the change; NULL if the alias was dropped.';
COMMENT ON COLUMN churnops.alias_event."session_user" IS
'Role that logged in. Quote the name: unquoted, session_user is the function.';

CREATE TABLE churnops.audit (
	entry bigint GENERATED ALWAYS AS IDENTITY,
	at timestamp with time zone NOT NULL,
	actor text NOT NULL,
	"session_user" text NOT NULL,
	action text NOT NULL,
	model text COLLATE "C" NOT NULL,
	owner text COLLATE "C" NOT NULL,
	version integer,
	detail jsonb NOT NULL,
	CONSTRAINT audit_pkey PRIMARY KEY (entry)
);
CREATE INDEX audit_model_idx ON churnops.audit (model, entry);
COMMENT ON TABLE churnops.audit IS
'Everything that was done to models: train, promote, drop_alias, drop_model. Append-only, and kept '
'when the model is dropped.';
COMMENT ON COLUMN churnops.audit.actor IS
'Role that acted.';
COMMENT ON COLUMN churnops.audit."session_user" IS
'Role that logged in. Quote the name: unquoted, session_user is the function.';
COMMENT ON COLUMN churnops.audit.owner IS
'Owner of the model at that time: a later model of the same name may be another role''s.';

-- Frozen tables, and what gives a model its meaning: ordinary triggers, since
-- ALWAYS ones would stop a subscriber from applying the drop of a model.

CREATE FUNCTION churnops.refuse_change() RETURNS trigger
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'churnops_refuse_change';
COMMENT ON FUNCTION churnops.refuse_change() IS
'Refuses UPDATE, DELETE and TRUNCATE of frozen rows, except while churnops_drop_model removes a model.';

CREATE FUNCTION churnops.delete_model_rows(model text) RETURNS void
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'churnops_delete_model_rows';
COMMENT ON FUNCTION churnops.delete_model_rows(text) IS
'Deletes every row of a model but the audit, past the triggers of the frozen tables.';

CREATE TRIGGER refuse_change BEFORE UPDATE OF name, task, target OR DELETE ON churnops.model
	FOR EACH ROW EXECUTE FUNCTION churnops.refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON churnops.model
	FOR EACH STATEMENT EXECUTE FUNCTION churnops.refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON churnops.dataset
	FOR EACH ROW EXECUTE FUNCTION churnops.refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON churnops.dataset
	FOR EACH STATEMENT EXECUTE FUNCTION churnops.refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON churnops.run
	FOR EACH ROW EXECUTE FUNCTION churnops.refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON churnops.run
	FOR EACH STATEMENT EXECUTE FUNCTION churnops.refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON churnops.version
	FOR EACH ROW EXECUTE FUNCTION churnops.refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON churnops.version
	FOR EACH STATEMENT EXECUTE FUNCTION churnops.refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON churnops.version_event
	FOR EACH ROW EXECUTE FUNCTION churnops.refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON churnops.version_event
	FOR EACH STATEMENT EXECUTE FUNCTION churnops.refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON churnops.alias_event
	FOR EACH ROW EXECUTE FUNCTION churnops.refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON churnops.alias_event
	FOR EACH STATEMENT EXECUTE FUNCTION churnops.refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON churnops.audit
	FOR EACH ROW EXECUTE FUNCTION churnops.refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON churnops.audit
	FOR EACH STATEMENT EXECUTE FUNCTION churnops.refuse_change();

-- Dumps carry the rows, and where the identity sequences stand.
SELECT pg_catalog.pg_extension_config_dump('churnops.model', '');
SELECT pg_catalog.pg_extension_config_dump('churnops.dataset', '');
SELECT pg_catalog.pg_extension_config_dump('churnops.dataset_dataset_seq', '');
SELECT pg_catalog.pg_extension_config_dump('churnops.run', '');
SELECT pg_catalog.pg_extension_config_dump('churnops.run_run_seq', '');
SELECT pg_catalog.pg_extension_config_dump('churnops.version', '');
SELECT pg_catalog.pg_extension_config_dump('churnops.version_event', '');
SELECT pg_catalog.pg_extension_config_dump('churnops.version_event_event_seq', '');
SELECT pg_catalog.pg_extension_config_dump('churnops.alias', '');
SELECT pg_catalog.pg_extension_config_dump('churnops.alias_event', '');
SELECT pg_catalog.pg_extension_config_dump('churnops.alias_event_event_seq', '');
SELECT pg_catalog.pg_extension_config_dump('churnops.audit', '');
SELECT pg_catalog.pg_extension_config_dump('churnops.audit_entry_seq', '');
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
'The query, or the name of a table or view, is read as the caller. params takes scikit-learn''s names. '
'key names the columns of the entity (never features, and kept on one side of the split), exclude '
'the columns to ignore, weight a column of sample weights. '
'task is classification or regression, else taken from the target''s type; positive_class defaults '
'to the last of two classes. '
'test_size (default 0.2, from 0 to below 1) is the share of rows held out, drawn by split_seed '
'(default 0) or, with time_column, the latest ones. '
'The first version of a model becomes its champion. Returns the reference, the counts of rows with '
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
	OUT message text)
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_reproduce';
COMMENT ON FUNCTION @extschema@.churnops_reproduce(text) IS
'Retrains a version from its stored query and compares the result byte for byte, storing nothing. '
'While the dataset digest is the same, so is the artifact digest; message says what differs otherwise.';

-- Since: 0.1.0
CREATE FUNCTION @extschema@.churnops_parameters()
RETURNS TABLE (name text, default_value text, allowed text, description text)
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_parameters';
COMMENT ON FUNCTION @extschema@.churnops_parameters() IS
'Lists the hyper-parameters that churnops_train takes in params: name, default as JSON, what is '
'allowed, and what it does.';

CREATE FUNCTION churnops.claim_version(registration jsonb, at timestamp with time zone)
RETURNS integer
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	wanted record;
	existing record;
	claimed integer;
BEGIN
	SELECT * INTO STRICT wanted FROM jsonb_to_record(registration)
		AS r(model text, task text, target text, caller text, description text);
	LOOP
		-- Waits for a concurrent first training of the same name.
		INSERT INTO churnops.model AS m (name, task, target, owner, description, created_at)
		VALUES (wanted.model, wanted.task, wanted.target, wanted.caller, wanted.description, at)
		ON CONFLICT (name) DO NOTHING;

		SELECT m.owner, m.task, m.target INTO existing
		FROM churnops.model AS m WHERE m.name = wanted.model;
		-- Dropped meanwhile: try again.
		CONTINUE WHEN NOT FOUND;

		-- One name space serves all roles, so a taken name has to be refused; the
		-- text says no more than that, and is the one of the check before training.
		IF NOT churnops.may_use(wanted.caller::name, existing.owner) THEN
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
		UPDATE churnops.model AS m SET last_version = m.last_version + 1
		WHERE m.name = wanted.model
		RETURNING m.last_version INTO claimed;
		EXIT WHEN FOUND;
	END LOOP;
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
	dataset_id bigint;
	run_id bigint;
BEGIN
	PERFORM churnops.check_artifact(artifact, registration->>'artifact_digest');
	version := churnops.claim_version(registration, registered_at);
	status := 'approved';

	SELECT * INTO STRICT v FROM jsonb_to_record(registration) AS r(
		model text, caller text, description text, classes jsonb, positive_class text,
		positive_class_index integer, n_rows bigint, n_train bigint, n_test bigint,
		n_features integer, algorithm text, algorithm_version integer, format_version integer,
		features jsonb, params jsonb, metrics jsonb, artifact_digest text, parent_version integer);
	SELECT * INTO STRICT t FROM jsonb_to_record(registration) AS r(
		params_given jsonb, options jsonb, seed bigint, n_unknown_target bigint,
		environment jsonb, code_version text, started_at timestamp with time zone,
		seconds double precision, "session_user" text);
	SELECT * INTO STRICT d FROM jsonb_to_record(registration->'dataset') AS r(
		query text, fingerprint text, relations jsonb, columns jsonb, n_rows bigint,
		digest text, search_path text, snapshot text, lsn text);

	INSERT INTO churnops.dataset (model, query, fingerprint, relations, columns, n_rows, digest,
		search_path, snapshot, lsn, created_by, created_at)
	VALUES (v.model, d.query, d.fingerprint, d.relations, d.columns, d.n_rows, d.digest,
		d.search_path, d.snapshot, d.lsn, v.caller, registered_at)
	RETURNING dataset INTO STRICT dataset_id;

	INSERT INTO churnops.run (model, kind, status, dataset, params_given, params, options, seed,
		n_unknown_target, metrics, environment, code_version, started_at, seconds, created_by,
		"session_user", created_at)
	VALUES (v.model, 'train', 'succeeded', dataset_id, t.params_given, v.params, t.options, t.seed,
		t.n_unknown_target, v.metrics, t.environment, t.code_version, t.started_at, t.seconds,
		v.caller, t."session_user", registered_at)
	RETURNING run INTO STRICT run_id;

	INSERT INTO churnops.version (model, version, run, dataset, algorithm, algorithm_version,
		format_version, classes, positive_class, positive_class_index, n_rows, n_train, n_test,
		n_features, features, params, metrics, artifact_digest, artifact, description,
		parent_version, created_by, created_at)
	VALUES (v.model, register.version, run_id, dataset_id, v.algorithm, v.algorithm_version,
		v.format_version, v.classes, v.positive_class, v.positive_class_index, v.n_rows,
		v.n_train, v.n_test, v.n_features, v.features, v.params, v.metrics, v.artifact_digest,
		register.artifact, v.description, v.parent_version, v.caller, registered_at);

	INSERT INTO churnops.version_event (model, version, status, changed_by, reason, changed_at)
	VALUES (v.model, register.version, register.status, v.caller, 'trained', registered_at);

	INSERT INTO churnops.audit (at, actor, "session_user", action, model, owner, version, detail)
	SELECT registered_at, v.caller, t."session_user", 'train', m.name, m.owner, register.version,
		jsonb_build_object('run', run_id, 'dataset', dataset_id, 'dataset_digest', d.digest,
						   'artifact_digest', v.artifact_digest)
	FROM churnops.model AS m WHERE m.name = v.model;

	IF register.version = 1 THEN
		PERFORM churnops.set_alias(v.model, 'champion', 1, v.caller::name, 'first version of the model');
	END IF;
END
$$;
COMMENT ON FUNCTION churnops.register(jsonb, bytea) IS
'Stores a trained model: dataset, run, version, status and audit in one go, and the alias champion '
'with the first version. Called by the training, which has checked the caller.';
-- Scoring: what a model says about a row
--
-- Overloads on text and json keep untyped literals and parameters unambiguous.
-- The model is read through the caller's statement, so nothing here may be
-- folded into a plan: STABLE. NULL rows give NULL, but the reference is checked.
--
-- A row of a table becomes its columns when a query is planned: building the row
-- costs more than scoring it. The support function makes a call of
-- churnops_predict(ref, row) one of churnops_predict_columns(…).

-- Since: 0.1.0
CREATE FUNCTION @extschema@.churnops_predict_support(internal) RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_predict_support';
COMMENT ON FUNCTION @extschema@.churnops_predict_support(internal) IS
'Planner support of churnops_predict and its like: gives them the columns of a table instead of '
'its rows.';

-- Since: 0.1.0
CREATE FUNCTION @extschema@.churnops_predict(model_ref text, "row" record) RETURNS double precision
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100
SUPPORT @extschema@.churnops_predict_support
AS 'MODULE_PATHNAME', 'churnops_predict_record';
COMMENT ON FUNCTION @extschema@.churnops_predict(text, record) IS
'Probability of the positive class, or the predicted value of a regression, for one row. The row '
'is given as a record or whole-row reference, its columns matched by name.';

-- Since: 0.1.0
CREATE FUNCTION @extschema@.churnops_predict(model_ref text, "row" jsonb) RETURNS double precision
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100
AS 'MODULE_PATHNAME', 'churnops_predict_jsonb';
COMMENT ON FUNCTION @extschema@.churnops_predict(text, jsonb) IS
'Probability of the positive class, or the predicted value of a regression, for one row. The row '
'is given as a JSON object, its keys matched by name; JSON null is a missing value.';

-- Since: 0.1.0
CREATE FUNCTION @extschema@.churnops_predict(model_ref text, "row" json) RETURNS double precision
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100
AS 'MODULE_PATHNAME', 'churnops_predict_json';
COMMENT ON FUNCTION @extschema@.churnops_predict(text, json) IS
'Probability of the positive class, or the predicted value of a regression, for one row. The row '
'is given as a JSON object, its keys matched by name; JSON null is a missing value.';

-- Since: 0.1.0
CREATE FUNCTION @extschema@.churnops_predict(model_ref text, "row" text) RETURNS double precision
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100
AS 'MODULE_PATHNAME', 'churnops_predict_text';
COMMENT ON FUNCTION @extschema@.churnops_predict(text, text) IS
'Probability of the positive class, or the predicted value of a regression, for one row. The row '
'is given as the text of a JSON object, its keys matched by name; JSON null is a missing value.';

-- Since: 0.1.0
CREATE FUNCTION @extschema@.churnops_predict(model_ref text, "row" double precision[]) RETURNS double precision
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100
AS 'MODULE_PATHNAME', 'churnops_predict_array';
COMMENT ON FUNCTION @extschema@.churnops_predict(text, double precision[]) IS
'Probability of the positive class, or the predicted value of a regression, for one row. The row '
'is given as an array of numbers in the order of the features, for models whose features are all '
'numeric; NULL is a missing value.';

-- Since: 0.1.0
CREATE FUNCTION @extschema@.churnops_predict_class(model_ref text, "row" record) RETURNS text
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100
SUPPORT @extschema@.churnops_predict_support
AS 'MODULE_PATHNAME', 'churnops_predict_class_record';
COMMENT ON FUNCTION @extschema@.churnops_predict_class(text, record) IS
'Predicted class label for one row: with two classes the positive one from a probability of 0.5 '
'on, else the likeliest. The row is given as a record or whole-row reference, its columns matched '
'by name.';

-- Since: 0.1.0
CREATE FUNCTION @extschema@.churnops_predict_class(model_ref text, "row" jsonb) RETURNS text
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100
AS 'MODULE_PATHNAME', 'churnops_predict_class_jsonb';
COMMENT ON FUNCTION @extschema@.churnops_predict_class(text, jsonb) IS
'Predicted class label for one row: with two classes the positive one from a probability of 0.5 '
'on, else the likeliest. The row is given as a JSON object, its keys matched by name; JSON null is '
'a missing value.';

-- Since: 0.1.0
CREATE FUNCTION @extschema@.churnops_predict_class(model_ref text, "row" json) RETURNS text
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100
AS 'MODULE_PATHNAME', 'churnops_predict_class_json';
COMMENT ON FUNCTION @extschema@.churnops_predict_class(text, json) IS
'Predicted class label for one row: with two classes the positive one from a probability of 0.5 '
'on, else the likeliest. The row is given as a JSON object, its keys matched by name; JSON null is '
'a missing value.';

-- Since: 0.1.0
CREATE FUNCTION @extschema@.churnops_predict_class(model_ref text, "row" text) RETURNS text
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100
AS 'MODULE_PATHNAME', 'churnops_predict_class_text';
COMMENT ON FUNCTION @extschema@.churnops_predict_class(text, text) IS
'Predicted class label for one row: with two classes the positive one from a probability of 0.5 '
'on, else the likeliest. The row is given as the text of a JSON object, its keys matched by name; '
'JSON null is a missing value.';

-- Since: 0.1.0
CREATE FUNCTION @extschema@.churnops_predict_class(model_ref text, "row" double precision[]) RETURNS text
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100
AS 'MODULE_PATHNAME', 'churnops_predict_class_array';
COMMENT ON FUNCTION @extschema@.churnops_predict_class(text, double precision[]) IS
'Predicted class label for one row: with two classes the positive one from a probability of 0.5 '
'on, else the likeliest. The row is given as an array of numbers in the order of the features, for '
'models whose features are all numeric; NULL is a missing value.';

-- Since: 0.1.0
CREATE FUNCTION @extschema@.churnops_predict_proba(model_ref text, "row" record) RETURNS jsonb
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100
SUPPORT @extschema@.churnops_predict_support
AS 'MODULE_PATHNAME', 'churnops_predict_proba_record';
COMMENT ON FUNCTION @extschema@.churnops_predict_proba(text, record) IS
'Probability of every class for one row, as a JSON object of label and probability. The row is '
'given as a record or whole-row reference, its columns matched by name.';

-- Since: 0.1.0
CREATE FUNCTION @extschema@.churnops_predict_proba(model_ref text, "row" jsonb) RETURNS jsonb
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100
AS 'MODULE_PATHNAME', 'churnops_predict_proba_jsonb';
COMMENT ON FUNCTION @extschema@.churnops_predict_proba(text, jsonb) IS
'Probability of every class for one row, as a JSON object of label and probability. The row is '
'given as a JSON object, its keys matched by name; JSON null is a missing value.';

-- Since: 0.1.0
CREATE FUNCTION @extschema@.churnops_predict_proba(model_ref text, "row" json) RETURNS jsonb
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100
AS 'MODULE_PATHNAME', 'churnops_predict_proba_json';
COMMENT ON FUNCTION @extschema@.churnops_predict_proba(text, json) IS
'Probability of every class for one row, as a JSON object of label and probability. The row is '
'given as a JSON object, its keys matched by name; JSON null is a missing value.';

-- Since: 0.1.0
CREATE FUNCTION @extschema@.churnops_predict_proba(model_ref text, "row" text) RETURNS jsonb
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100
AS 'MODULE_PATHNAME', 'churnops_predict_proba_text';
COMMENT ON FUNCTION @extschema@.churnops_predict_proba(text, text) IS
'Probability of every class for one row, as a JSON object of label and probability. The row is '
'given as the text of a JSON object, its keys matched by name; JSON null is a missing value.';

-- Since: 0.1.0
CREATE FUNCTION @extschema@.churnops_predict_proba(model_ref text, "row" double precision[]) RETURNS jsonb
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100
AS 'MODULE_PATHNAME', 'churnops_predict_proba_array';
COMMENT ON FUNCTION @extschema@.churnops_predict_proba(text, double precision[]) IS
'Probability of every class for one row, as a JSON object of label and probability. The row is '
'given as an array of numbers in the order of the features, for models whose features are all '
'numeric; NULL is a missing value.';

-- Since: 0.1.0
CREATE FUNCTION @extschema@.churnops_predict_columns(
	function regprocedure,
	model_ref text,
	names text[],
	VARIADIC "values" "any")
RETURNS double precision
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100
AS 'MODULE_PATHNAME', 'churnops_predict_columns';
COMMENT ON FUNCTION @extschema@.churnops_predict_columns(regprocedure, text, text[], "any") IS
'What churnops_predict(model_ref, row) says about a row of these names and values. Plans have it in '
'place of a call with a row of a table; function is the one that the query called.';

-- Since: 0.1.0
CREATE FUNCTION @extschema@.churnops_predict_class_columns(
	function regprocedure,
	model_ref text,
	names text[],
	VARIADIC "values" "any")
RETURNS text
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100
AS 'MODULE_PATHNAME', 'churnops_predict_class_columns';
COMMENT ON FUNCTION @extschema@.churnops_predict_class_columns(regprocedure, text, text[], "any") IS
'What churnops_predict_class(model_ref, row) says about a row of these names and values. Plans have it in '
'place of a call with a row of a table; function is the one that the query called.';

-- Since: 0.1.0
CREATE FUNCTION @extschema@.churnops_predict_proba_columns(
	function regprocedure,
	model_ref text,
	names text[],
	VARIADIC "values" "any")
RETURNS jsonb
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100
AS 'MODULE_PATHNAME', 'churnops_predict_proba_columns';
COMMENT ON FUNCTION @extschema@.churnops_predict_proba_columns(regprocedure, text, text[], "any") IS
'What churnops_predict_proba(model_ref, row) says about a row of these names and values. Plans have it in '
'place of a call with a row of a table; function is the one that the query called.';

-- Since: 0.1.0
CREATE FUNCTION @extschema@.churnops_score(
	model_ref text,
	query text,
	key text[] DEFAULT NULL,
	log boolean DEFAULT false)
RETURNS SETOF churnops.score_row
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_score';
COMMENT ON FUNCTION @extschema@.churnops_score(text, text, text[], boolean) IS
'Scores every row of a query, or of a table or view by name, read as the caller. '
'key names columns to return with each row as a JSON object. Logging (log, default false) is not '
'available yet.';
-- Evaluation: how good a version is, and what it looks at

-- Since: 0.1.0
CREATE FUNCTION @extschema@.churnops_evaluate(model_ref text, query text)
RETURNS TABLE (metric text, class text, value double precision, n bigint)
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_evaluate';
COMMENT ON FUNCTION @extschema@.churnops_evaluate(text, text) IS
'Metrics of a version on the rows of a query, or of a table or view by name, that holds the '
'features and the target. '
'One row a metric: class is NULL for metrics of the whole, value is NULL where the metric is '
'undefined, n counts the rows it was taken over.';

-- Since: 0.1.0
CREATE FUNCTION @extschema@.churnops_importance(model_ref text)
RETURNS TABLE (
	feature text,
	mdi double precision,
	permutation double precision,
	permutation_sd double precision,
	rank integer)
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_as_owner';
COMMENT ON FUNCTION @extschema@.churnops_importance(text) IS
'Importances of a version''s features, best first. mdi is the mean decrease of impurity (the sum '
'over the features is 1); '
'permutation is the loss of score when the column is shuffled, with its standard deviation over '
'the repeats, NULL where it was not measured. '
'rank is by permutation, then by mdi.';

CREATE FUNCTION churnops.importance(caller name, model_ref text)
RETURNS TABLE (
	feature text,
	mdi double precision,
	permutation double precision,
	permutation_sd double precision,
	rank integer)
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	resolved record := churnops.resolve(caller, model_ref);
BEGIN
	RETURN QUERY
	SELECT f.name, f.mdi, f.permutation, f.permutation_sd, f.rank::integer
	FROM (
		SELECT (e.feature->>'name') AS name,
			(e.feature->>'mdi')::double precision AS mdi,
			(e.feature->>'permutation')::double precision AS permutation,
			(e.feature->>'permutation_sd')::double precision AS permutation_sd,
			row_number() OVER (
				ORDER BY (e.feature->>'permutation')::double precision DESC NULLS LAST,
					(e.feature->>'mdi')::double precision DESC NULLS LAST,
					e.place) AS rank
		FROM churnops.version AS v,
			jsonb_array_elements(v.features) WITH ORDINALITY AS e(feature, place)
		WHERE v.model = resolved.model AND v.version = resolved.version) AS f
	ORDER BY f.rank;
END
$$;
COMMENT ON FUNCTION churnops.importance(name, text) IS
'churnops_importance on behalf of a role.';
-- Lifecycle: references, aliases, and the end of a model
--
-- A function churnops_x(...) runs churnops.x(caller, ...) as the extension's owner:
-- the C function churnops_as_owner puts the calling role in front.  Nobody else
-- may execute churnops.x, so `caller` is true, and each x checks its rights.
-- Changes of a model take turns on its row: churnops.lock_model.

-- Since: 0.1.0
CREATE FUNCTION @extschema@.churnops_promote(
	model_ref text,
	alias text DEFAULT 'champion',
	reason text DEFAULT NULL)
RETURNS churnops.alias_state
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_as_owner';
COMMENT ON FUNCTION @extschema@.churnops_promote(text, text, text) IS
'Points an alias (default champion, what the bare model name means) to an approved version, as in '
'churnops_promote(''churn/3''), and keeps who, when and why (reason, default NULL). '
'Takes effect with the transaction. Pointing it to where it points already changes nothing. '
'Returns the state of the alias.';

-- Since: 0.1.0
CREATE FUNCTION @extschema@.churnops_drop_alias(
	model_ref text,
	reason text DEFAULT NULL)
RETURNS churnops.alias_state
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_as_owner';
COMMENT ON FUNCTION @extschema@.churnops_drop_alias(text, text) IS
'Drops an alias, written as churn@challenger, and keeps who, when and why (reason, default NULL). '
'Without the alias champion the bare model name means nothing until the next promotion. Returns '
'the state of the alias, its version NULL.';

-- Since: 0.1.0
CREATE FUNCTION @extschema@.churnops_drop_model(model text) RETURNS text
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_as_owner';
COMMENT ON FUNCTION @extschema@.churnops_drop_model(text) IS
'Drops a model with all its versions, datasets, runs, aliases and their history; the audit keeps '
'their digests. Returns the name of the model.';

CREATE FUNCTION churnops.may_use(caller name, owner text) RETURNS boolean
LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT EXISTS (
		SELECT FROM pg_catalog.pg_roles AS c, pg_catalog.pg_roles AS o
		WHERE c.rolname = caller AND o.rolname = owner
			AND pg_catalog.pg_has_role(c.oid, o.oid, 'USAGE'))
$$;
COMMENT ON FUNCTION churnops.may_use(name, text) IS
'Whether a role has the privileges of the owner of a model; false if either is gone.';

CREATE FUNCTION churnops.check_name(name text, what text) RETURNS void
LANGUAGE plpgsql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF name IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'null_value_not_allowed',
			MESSAGE = format('argument "%s" must not be null', what);
	END IF;
	IF name !~ '^[a-z][a-z0-9_.-]{0,62}$' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_name',
			MESSAGE = format('invalid %s name "%s"', what, name),
			DETAIL = 'A name is a lower-case letter followed by up to 62 lower-case letters, '
				'digits, underscores, dots or hyphens.',
			HINT = 'Choose a name like churn_2026.';
	END IF;
END
$$;
COMMENT ON FUNCTION churnops.check_name(text, text) IS
'Refuses what cannot be the name of a model or an alias.';

CREATE FUNCTION churnops.parse_reference(
	model_ref text,
	OUT model text,
	OUT version integer,
	OUT alias text)
LANGUAGE plpgsql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	parts text[] := regexp_match(model_ref,
		'^(?:models:/)?([a-z][a-z0-9_.-]{0,62})(?:/([1-9][0-9]{0,9})|@([a-z][a-z0-9_.-]{0,62}))?$');
BEGIN
	IF model_ref IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'null_value_not_allowed',
			MESSAGE = 'argument "model_ref" must not be null';
	END IF;
	IF parts IS NULL OR parts[2]::bigint > 2147483647 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_name',
			MESSAGE = format('invalid model reference "%s"', model_ref),
			DETAIL = 'A reference is churn, churn/3 or churn@alias, with or without the prefix models:/; '
				'names match [a-z][a-z0-9_.-]{0,62}.',
			HINT = 'Models you may use are listed in the view churnops.models.';
	END IF;
	model := parts[1];
	version := parts[2]::integer;
	alias := parts[3];
END
$$;
COMMENT ON FUNCTION churnops.parse_reference(text) IS
'Takes a model reference apart: model, and version or alias, both NULL for a bare model name.';

CREATE FUNCTION churnops.require_model(caller name, model text) RETURNS text
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found_owner text;
BEGIN
	SELECT m.owner INTO found_owner FROM churnops.model AS m
	WHERE m.name = model AND churnops.may_use(caller, m.owner);
	-- One statement for unknown and forbidden, so that even the context is the same.
	IF NOT FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'undefined_object',
			MESSAGE = format('model "%s" does not exist', model),
			HINT = 'Models you may use are listed in the view churnops.models.';
	END IF;
	RETURN found_owner;
END
$$;
COMMENT ON FUNCTION churnops.require_model(name, text) IS
'The owner of a model that a role may use; an error that tells unknown from forbidden to nobody.';

CREATE FUNCTION churnops.resolve(
	caller name,
	model_ref text,
	OUT model text,
	OUT version integer)
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	ref record := churnops.parse_reference(model_ref);
BEGIN
	PERFORM churnops.require_model(caller, ref.model);
	model := ref.model;
	IF ref.version IS NOT NULL THEN
		SELECT v.version INTO resolve.version FROM churnops.version AS v
		WHERE v.model = ref.model AND v.version = ref.version;
		IF NOT FOUND THEN
			RAISE EXCEPTION USING
				ERRCODE = 'undefined_object',
				MESSAGE = format('version %s of model "%s" does not exist', ref.version, ref.model),
				HINT = format('List its versions with SELECT version, status FROM churnops.versions '
					'WHERE model = ''%s'';', ref.model);
		END IF;
	ELSE
		ref.alias := coalesce(ref.alias, 'champion');
		SELECT a.version INTO resolve.version FROM churnops.alias AS a
		WHERE a.model = ref.model AND a.alias = ref.alias;
		IF NOT FOUND THEN
			RAISE EXCEPTION USING
				ERRCODE = 'undefined_object',
				MESSAGE = format('model "%s" has no alias "%s"', ref.model, ref.alias),
				HINT = format('Name a version, or give the alias to one with '
					'SELECT churnops_promote(''%s/1'', ''%s'');', ref.model, ref.alias);
		END IF;
	END IF;
END
$$;
COMMENT ON FUNCTION churnops.resolve(name, text) IS
'The version a reference means, for a role that may use the model. Scoring has its own way in C '
'with the same texts.';

CREATE FUNCTION churnops.lock_model(caller name, model text) RETURNS text
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	-- Rights first: nobody waits for, or holds, a lock on another's model.
	PERFORM churnops.require_model(caller, model);
	-- An update that changes nothing rather than a row lock: a transaction with an
	-- older snapshot then gets 40001, instead of acting on rows it cannot see.
	UPDATE churnops.model AS m SET last_version = m.last_version WHERE m.name = model;
	-- It may have been dropped while we waited.
	RETURN churnops.require_model(caller, model);
END
$$;
COMMENT ON FUNCTION churnops.lock_model(name, text) IS
'Makes changes of a model take turns until the end of the transaction; returns its owner.';

CREATE FUNCTION churnops.set_alias(
	model_name text,
	alias_name text,
	new_version integer,
	caller name,
	why text)
RETURNS churnops.alias_state
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	old_version integer;
	set_at timestamp with time zone := clock_timestamp();
BEGIN
	SELECT a.version INTO old_version FROM churnops.alias AS a
	WHERE a.model = model_name AND a.alias = alias_name;

	IF new_version IS NULL THEN
		DELETE FROM churnops.alias AS a WHERE a.model = model_name AND a.alias = alias_name;
	ELSE
		INSERT INTO churnops.alias AS a (model, alias, version, changed_by, changed_at)
		VALUES (model_name, alias_name, new_version, caller, set_at)
		ON CONFLICT (model, alias) DO UPDATE
		SET version = excluded.version, changed_by = excluded.changed_by,
			changed_at = excluded.changed_at;
	END IF;

	INSERT INTO churnops.alias_event (model, alias, from_version, to_version, changed_by,
		"session_user", reason, changed_at)
	VALUES (model_name, alias_name, old_version, new_version, caller, session_user, why, set_at);

	INSERT INTO churnops.audit (at, actor, "session_user", action, model, owner, version, detail)
	SELECT set_at, caller, session_user,
		CASE WHEN new_version IS NULL THEN 'drop_alias' ELSE 'promote' END,
		m.name, m.owner, coalesce(new_version, old_version),
		jsonb_build_object('alias', alias_name, 'from_version', old_version,
						   'to_version', new_version, 'reason', why)
	FROM churnops.model AS m WHERE m.name = model_name;

	RETURN (model_name, alias_name, new_version, old_version, caller::text, set_at, why);
END
$$;
COMMENT ON FUNCTION churnops.set_alias(text, text, integer, name, text) IS
'Points an alias to a version, or drops it if the version is NULL, with history and audit. The '
'caller holds the lock on the model.';

CREATE FUNCTION churnops.promote(caller name, model_ref text, alias_name text, reason text)
RETURNS churnops.alias_state
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	target record;
	current_status text;
	state churnops.alias_state;
BEGIN
	PERFORM churnops.check_name(alias_name, 'alias');
	SELECT r.model INTO STRICT target FROM churnops.parse_reference(model_ref) AS r;
	PERFORM churnops.lock_model(caller, target.model);
	SELECT r.model, r.version INTO STRICT target FROM churnops.resolve(caller, model_ref) AS r;

	SELECT e.status INTO STRICT current_status FROM churnops.version_event AS e
	WHERE e.model = target.model AND e.version = target.version
	ORDER BY e.event DESC LIMIT 1;
	IF current_status <> 'approved' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'object_not_in_prerequisite_state',
			MESSAGE = format('version %s of model "%s" is %s, not approved',
							 target.version, target.model, current_status),
			HINT = 'Promote an approved version; the view churnops.versions lists them with their status.';
	END IF;

	-- Already so: the state is the one its latest change left.
	PERFORM FROM churnops.alias AS a
	WHERE a.model = target.model AND a.alias = alias_name AND a.version = target.version;
	IF FOUND THEN
		SELECT e.model, e.alias, e.to_version, e.from_version, e.changed_by, e.changed_at, e.reason
		INTO state
		FROM churnops.alias_event AS e
		WHERE e.model = target.model AND e.alias = alias_name
		ORDER BY e.event DESC LIMIT 1;
		RETURN state;
	END IF;

	RETURN churnops.set_alias(target.model, alias_name, target.version, caller, reason);
END
$$;
COMMENT ON FUNCTION churnops.promote(name, text, text, text) IS
'churnops_promote on behalf of a role.';

CREATE FUNCTION churnops.drop_alias(caller name, model_ref text, reason text)
RETURNS churnops.alias_state
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	ref record := churnops.parse_reference(model_ref);
BEGIN
	IF ref.alias IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('model reference "%s" names no alias', model_ref),
			HINT = format('Name the alias to drop, for example: SELECT churnops_drop_alias(''%s@challenger'');',
						  ref.model);
	END IF;
	PERFORM churnops.lock_model(caller, ref.model);
	-- An alias that is not there is refused here.
	PERFORM churnops.resolve(caller, model_ref);
	RETURN churnops.set_alias(ref.model, ref.alias, NULL, caller, reason);
END
$$;
COMMENT ON FUNCTION churnops.drop_alias(name, text, text) IS
'churnops_drop_alias on behalf of a role.';

CREATE FUNCTION churnops.drop_model(caller name, model_name text) RETURNS text
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	owner_name text;
	kept jsonb;
BEGIN
	PERFORM churnops.check_name(model_name, 'model');
	owner_name := churnops.lock_model(caller, model_name);

	SELECT coalesce(jsonb_agg(jsonb_build_object('version', v.version,
		'artifact_digest', v.artifact_digest, 'dataset_digest', d.digest) ORDER BY v.version), '[]')
	INTO kept
	FROM churnops.version AS v JOIN churnops.dataset AS d USING (dataset)
	WHERE v.model = model_name;

	PERFORM churnops.delete_model_rows(model_name);

	INSERT INTO churnops.audit (at, actor, "session_user", action, model, owner, detail)
	VALUES (clock_timestamp(), caller, session_user, 'drop_model', model_name, owner_name,
		jsonb_build_object('owner', owner_name, 'n_versions', jsonb_array_length(kept),
						   'versions', kept));
	RETURN model_name;
END
$$;
COMMENT ON FUNCTION churnops.drop_model(name, text) IS
'churnops_drop_model on behalf of a role.';
-- Views: what users read
--
-- They belong to the extension's owner and check the reader: rows of models
-- whose owner's privileges the current role has.  security_barrier keeps a
-- function in the reader's WHERE from seeing the others.

CREATE VIEW churnops.models WITH (security_barrier) AS
SELECT
	m.name,
	m.task,
	m.target,
	(SELECT v.classes FROM churnops.version AS v
	 WHERE v.model = m.name ORDER BY v.version DESC LIMIT 1) AS classes,
	m.owner,
	m.description,
	(SELECT count(*) FROM churnops.version AS v WHERE v.model = m.name) AS n_versions,
	(SELECT max(v.version) FROM churnops.version AS v WHERE v.model = m.name) AS latest_version,
	(SELECT a.version FROM churnops.alias AS a
	 WHERE a.model = m.name AND a.alias = 'champion') AS champion_version,
	(SELECT coalesce(jsonb_object_agg(a.alias, a.version), '{}') FROM churnops.alias AS a
	 WHERE a.model = m.name) AS aliases,
	m.created_at
FROM churnops.model AS m
WHERE EXISTS (
	SELECT FROM pg_catalog.pg_roles AS r
	WHERE r.rolname = m.owner AND pg_catalog.pg_has_role(r.oid, 'USAGE'));
COMMENT ON VIEW churnops.models IS
'Models the current role may use, one row each.';
COMMENT ON COLUMN churnops.models.name IS 'Name of the model.';
COMMENT ON COLUMN churnops.models.task IS 'classification or regression.';
COMMENT ON COLUMN churnops.models.target IS 'Column the model predicts.';
COMMENT ON COLUMN churnops.models.classes IS
'Class labels of the latest version in class order, a JSON array; NULL for a regression.';
COMMENT ON COLUMN churnops.models.owner IS
'Role that first trained the model; its members may use, promote and drop it.';
COMMENT ON COLUMN churnops.models.description IS 'As given to the first training.';
COMMENT ON COLUMN churnops.models.n_versions IS 'Number of versions.';
COMMENT ON COLUMN churnops.models.latest_version IS 'Version trained last.';
COMMENT ON COLUMN churnops.models.champion_version IS
'Version the bare model name means; NULL if the alias champion was dropped.';
COMMENT ON COLUMN churnops.models.aliases IS 'Every alias with its version, a JSON object.';
COMMENT ON COLUMN churnops.models.created_at IS 'Time the first training was stored.';

CREATE VIEW churnops.versions WITH (security_barrier) AS
SELECT
	v.model,
	v.version,
	(SELECT e.status FROM churnops.version_event AS e
	 WHERE e.model = v.model AND e.version = v.version ORDER BY e.event DESC LIMIT 1) AS status,
	ARRAY(SELECT a.alias FROM churnops.alias AS a
		  WHERE a.model = v.model AND a.version = v.version ORDER BY a.alias) AS aliases,
	m.task,
	m.target,
	v.algorithm,
	v.n_rows,
	v.n_train,
	v.n_test,
	v.n_features,
	v.params,
	v.metrics,
	d.digest AS dataset_digest,
	v.artifact_digest,
	octet_length(v.artifact) AS artifact_bytes,
	v.description,
	v.created_by,
	v.created_at
FROM churnops.version AS v
JOIN churnops.models AS m ON m.name = v.model
JOIN churnops.dataset AS d ON d.dataset = v.dataset;
COMMENT ON VIEW churnops.versions IS
'Versions of the models the current role may use, one row each.';
COMMENT ON COLUMN churnops.versions.model IS 'Name of the model.';
COMMENT ON COLUMN churnops.versions.version IS 'Number of the version, from 1.';
COMMENT ON COLUMN churnops.versions.status IS 'pending, approved, rejected or archived.';
COMMENT ON COLUMN churnops.versions.aliases IS 'Aliases that point to the version; empty if none.';
COMMENT ON COLUMN churnops.versions.task IS 'classification or regression.';
COMMENT ON COLUMN churnops.versions.target IS 'Column the model predicts.';
COMMENT ON COLUMN churnops.versions.algorithm IS 'random_forest or extra_trees.';
COMMENT ON COLUMN churnops.versions.n_rows IS 'Rows with a known target: n_train + n_test.';
COMMENT ON COLUMN churnops.versions.n_train IS 'Rows trained on.';
COMMENT ON COLUMN churnops.versions.n_test IS 'Rows held out.';
COMMENT ON COLUMN churnops.versions.n_features IS 'Features the model reads.';
COMMENT ON COLUMN churnops.versions.params IS 'Hyper-parameters, defaults filled in.';
COMMENT ON COLUMN churnops.versions.metrics IS
'Metrics of the holdout and out of bag, and warnings: {holdout, oob, warnings}.';
COMMENT ON COLUMN churnops.versions.dataset_digest IS
'SHA-256 over all rows and columns of the query, lower-case hex.';
COMMENT ON COLUMN churnops.versions.artifact_digest IS
'SHA-256 of the artifact, lower-case hex; equal trainings have equal digests.';
COMMENT ON COLUMN churnops.versions.artifact_bytes IS 'Size of the artifact in bytes.';
COMMENT ON COLUMN churnops.versions.description IS 'As given to the training.';
COMMENT ON COLUMN churnops.versions.created_by IS 'Role that trained the version.';
COMMENT ON COLUMN churnops.versions.created_at IS 'Time the version was stored.';

CREATE VIEW churnops.lineage WITH (security_barrier) AS
SELECT
	v.model,
	v.version,
	d.query,
	d.fingerprint,
	d.relations,
	d.digest AS dataset_digest,
	d.n_rows AS dataset_rows,
	d.columns,
	d.search_path,
	d.snapshot,
	d.lsn,
	r.params_given,
	r.params,
	r.options,
	r.seed,
	v.algorithm,
	v.algorithm_version,
	v.format_version,
	r.environment->>'churnops' AS extension_version,
	r.environment->>'postgresql' AS postgresql_version,
	r.environment->>'compiler' AS compiler,
	r.environment->>'architecture' AS architecture,
	r.environment,
	r.code_version,
	r."session_user",
	v.created_by,
	v.created_at,
	v.parent_version,
	v.run,
	v.artifact_digest
FROM churnops.version AS v
JOIN churnops.models AS m ON m.name = v.model
JOIN churnops.run AS r ON r.run = v.run
JOIN churnops.dataset AS d ON d.dataset = v.dataset;
COMMENT ON VIEW churnops.lineage IS
'Everything that went into a version, one row for each version the current role may use.';
COMMENT ON COLUMN churnops.lineage.model IS 'Name of the model.';
COMMENT ON COLUMN churnops.lineage.version IS 'Number of the version, from 1.';
COMMENT ON COLUMN churnops.lineage.query IS 'Query as the caller gave it.';
COMMENT ON COLUMN churnops.lineage.fingerprint IS
'SHA-256 of the query''s tokens, independent of layout, comments and letter case of keywords, lower-case hex.';
COMMENT ON COLUMN churnops.lineage.relations IS
'Relations the query read, views walked through: [{schema, name, kind, definition_digest}].';
COMMENT ON COLUMN churnops.lineage.dataset_digest IS
'SHA-256 over all rows and columns of the query, lower-case hex.';
COMMENT ON COLUMN churnops.lineage.dataset_rows IS
'Rows of the query, those with an unknown target included.';
COMMENT ON COLUMN churnops.lineage.columns IS
'Columns of the query with type and role: [{name, type, role, kind}].';
COMMENT ON COLUMN churnops.lineage.search_path IS 'search_path under which the query was read.';
COMMENT ON COLUMN churnops.lineage.snapshot IS
'Snapshot of the query as pg_current_snapshot() writes it.';
COMMENT ON COLUMN churnops.lineage.lsn IS
'Position in the write-ahead log when the query was read; NULL where unknown.';
COMMENT ON COLUMN churnops.lineage.params_given IS 'Hyper-parameters as the caller gave them.';
COMMENT ON COLUMN churnops.lineage.params IS 'Hyper-parameters, defaults filled in.';
COMMENT ON COLUMN churnops.lineage.options IS
'The other arguments of the training: key, exclude, weight, task, positive_class, test_size, '
'split_seed, time_column.';
COMMENT ON COLUMN churnops.lineage.seed IS 'Seed of the forest, the parameter random_state.';
COMMENT ON COLUMN churnops.lineage.algorithm IS 'random_forest or extra_trees.';
COMMENT ON COLUMN churnops.lineage.algorithm_version IS
'Raised whenever the same training would give other bytes.';
COMMENT ON COLUMN churnops.lineage.format_version IS 'Format of the artifact.';
COMMENT ON COLUMN churnops.lineage.extension_version IS 'Version of churnops that trained it.';
COMMENT ON COLUMN churnops.lineage.postgresql_version IS 'Version of PostgreSQL it was trained on.';
COMMENT ON COLUMN churnops.lineage.compiler IS 'Compiler of the extension''s library.';
COMMENT ON COLUMN churnops.lineage.architecture IS 'Processor architecture.';
COMMENT ON COLUMN churnops.lineage.environment IS
'The environment whole, with byte_order and server_encoding.';
COMMENT ON COLUMN churnops.lineage.code_version IS
'The setting churnops.code_version at the training, usually a git commit; NULL if empty.';
COMMENT ON COLUMN churnops.lineage."session_user" IS
'Role that logged in. Quote the name: unquoted, session_user is the function.';
COMMENT ON COLUMN churnops.lineage.created_by IS 'Role that trained the version.';
COMMENT ON COLUMN churnops.lineage.created_at IS 'Time the version was stored.';
COMMENT ON COLUMN churnops.lineage.parent_version IS
'Version this one was derived from; NULL if trained from data alone.';
COMMENT ON COLUMN churnops.lineage.run IS 'Number of the training run.';
COMMENT ON COLUMN churnops.lineage.artifact_digest IS
'SHA-256 of the artifact, lower-case hex.';
-- Privileges: PUBLIC calls the functions churnops_* and reads the views, no more
--
-- Said in full, since default privileges of the installing role may differ.

REVOKE ALL ON ALL TABLES IN SCHEMA churnops FROM PUBLIC;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA churnops FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA churnops FROM PUBLIC;
REVOKE ALL ON SCHEMA churnops FROM PUBLIC;

GRANT USAGE ON SCHEMA churnops TO PUBLIC;
GRANT SELECT ON churnops.models, churnops.versions, churnops.lineage TO PUBLIC;

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
