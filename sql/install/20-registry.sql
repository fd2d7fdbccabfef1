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
	require_approval boolean NOT NULL DEFAULT false,
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
COMMENT ON COLUMN churnops.model.require_approval IS
'Versions are born pending, and an alias points only to those that another than their trainer has '
'approved.';

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
	named_dataset text COLLATE "C",
	named_version integer,
	CONSTRAINT dataset_pkey PRIMARY KEY (dataset),
	CONSTRAINT dataset_n_rows_check CHECK (n_rows >= 0),
	CONSTRAINT dataset_digest_check CHECK (digest ~ '^[0-9a-f]{64}$')
);
CREATE INDEX dataset_model_idx ON churnops.dataset (model);
CREATE INDEX dataset_named_idx ON churnops.dataset (named_dataset, named_version)
	WHERE named_dataset IS NOT NULL;
COMMENT ON TABLE churnops.dataset IS
'The rows a training read: query, relations, columns, count and digest. Frozen.';
COMMENT ON COLUMN churnops.dataset.fingerprint IS
'SHA-256 of the query''s tokens, independent of layout, comments and letter case of keywords, lower-case hex.';
COMMENT ON COLUMN churnops.dataset.relations IS
'Relations the query read, views walked through: [{schema, name, kind, definition_digest, n_rows, '
'n_rows_exact}].';
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
COMMENT ON COLUMN churnops.dataset.named_dataset IS
'Registered dataset whose version named_version has the same rows; NULL if none had.';

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
	study bigint,
	pipeline_run bigint,
	CONSTRAINT run_pkey PRIMARY KEY (run),
	CONSTRAINT run_kind_check CHECK (kind IN ('train', 'tune')),
	CONSTRAINT run_status_check CHECK (status IN ('succeeded'))
);
CREATE INDEX run_model_idx ON churnops.run (model);
CREATE INDEX run_dataset_idx ON churnops.run (dataset);
COMMENT ON TABLE churnops.run IS
'Trainings: parameters, seed, environment and metrics. Frozen.';
COMMENT ON COLUMN churnops.run.kind IS
'train, or tune where the parameters were searched for.';
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
COMMENT ON COLUMN churnops.run.study IS
'Search that found the parameters; NULL if they were given.';
COMMENT ON COLUMN churnops.run.seconds IS
'Duration from the call to the registration, in seconds.';
COMMENT ON COLUMN churnops.run.pipeline_run IS
'Run of the pipeline that the training was a part of; NULL if it was none''s.';
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
	"session_user" text,
	restores bigint,
	CONSTRAINT version_event_pkey PRIMARY KEY (event),
	CONSTRAINT version_event_status_check
		CHECK (status IN ('pending', 'approved', 'rejected', 'archived'))
);
CREATE INDEX version_event_version_idx ON churnops.version_event (model, version, event);
COMMENT ON TABLE churnops.version_event IS
'Statuses a version has had; the latest event counts. Append-only.';
COMMENT ON COLUMN churnops.version_event.restores IS
'Of the end of an archiving: the event whose status it brought back, with who had approved.';
COMMENT ON COLUMN churnops.version_event."session_user" IS
'Role that logged in; NULL in events of 0.1.0. Quote the name: unquoted, session_user is the function.';

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
	restores bigint,
	CONSTRAINT alias_event_pkey PRIMARY KEY (event)
);
CREATE INDEX alias_event_alias_idx ON churnops.alias_event (model, alias, event);
CREATE INDEX alias_event_time_idx ON churnops.alias_event (model, alias, changed_at);
CREATE INDEX alias_event_version_idx ON churnops.alias_event (model, to_version, event);
COMMENT ON TABLE churnops.alias_event IS
'Every change of an alias: who, when, why, from and to. Append-only.';
COMMENT ON COLUMN churnops.alias_event.from_version IS
'Version before the change; NULL if the alias was new.';
COMMENT ON COLUMN churnops.alias_event.to_version IS
'Version after the change; NULL if the alias was dropped.';
COMMENT ON COLUMN churnops.alias_event.restores IS
'Of a rollback: the event whose state it brought back. What served before it, served before that.';
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
	link bigint,
	covered jsonb,
	hash text,
	CONSTRAINT audit_pkey PRIMARY KEY (entry)
);
CREATE INDEX audit_model_idx ON churnops.audit (model, entry);
CREATE UNIQUE INDEX audit_link_idx ON churnops.audit (model, link);
COMMENT ON TABLE churnops.audit IS
'Everything that was done to models. Append-only, kept when the model is dropped, and a chain of '
'hashes for each name of a model.';
COMMENT ON COLUMN churnops.audit.link IS
'Place in the chain of the model''s name, from 1; NULL in entries of 0.1.0, which the first link covers.';
COMMENT ON COLUMN churnops.audit.covered IS
'Rows of other tables that the entry speaks of, with their digests: [{table, key, digest}], or '
'[{table, last, count, digest}] for all rows of the model up to a key.';
COMMENT ON COLUMN churnops.audit.hash IS
'SHA-256 of the hash of the link before and of this entry, lower-case hex.';
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
