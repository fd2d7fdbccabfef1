-- Views: what users read
--
-- They belong to the extension's owner and check the reader: of a model on
-- which the current role has any right its name and what it predicts, with the
-- right to read the rest.  security_barrier keeps a function in the reader's
-- WHERE from seeing the others.

CREATE VIEW churnops.models WITH (security_barrier) AS
SELECT
	m.name,
	m.task,
	m.target,
	(SELECT v.classes FROM churnops.version AS v
	 WHERE v.model = m.name ORDER BY v.version DESC LIMIT 1) AS classes,
	m.owner,
	m.description,
	-- Versions are numbered without gaps, and are not counted anew.
	m.last_version::bigint AS n_versions,
	(SELECT max(v.version) FROM churnops.version AS v WHERE v.model = m.name) AS latest_version,
	(SELECT a.version FROM churnops.alias AS a
	 WHERE a.model = m.name AND a.alias = 'champion') AS champion_version,
	(SELECT coalesce(jsonb_object_agg(a.alias, a.version), '{}') FROM churnops.alias AS a
	 WHERE a.model = m.name) AS aliases,
	m.created_at,
	m.require_approval
FROM churnops.model AS m
WHERE @extschema@.churnops_has_right(m.name, 'any');
COMMENT ON VIEW churnops.models IS
'Models on which the current role has a right, one row each.';
COMMENT ON COLUMN churnops.models.name IS 'Name of the model.';
COMMENT ON COLUMN churnops.models.task IS 'classification or regression.';
COMMENT ON COLUMN churnops.models.target IS 'Column the model predicts.';
COMMENT ON COLUMN churnops.models.classes IS
'Class labels of the latest version in class order, a JSON array; NULL for a regression.';
COMMENT ON COLUMN churnops.models.owner IS
'Role whose members have every right on the model; at first the one that trained it.';
COMMENT ON COLUMN churnops.models.description IS
'As given to the first training, or to churnops_alter_model.';
COMMENT ON COLUMN churnops.models.n_versions IS 'Number of versions.';
COMMENT ON COLUMN churnops.models.latest_version IS 'Version trained last.';
COMMENT ON COLUMN churnops.models.champion_version IS
'Version the bare model name means; NULL if the alias champion was dropped.';
COMMENT ON COLUMN churnops.models.aliases IS 'Every alias with its version, a JSON object.';
COMMENT ON COLUMN churnops.models.created_at IS 'Time the first training was stored.';
COMMENT ON COLUMN churnops.models.require_approval IS
'Whether an alias points only to versions that another than their trainer has approved.';

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
JOIN churnops.model AS m ON m.name = v.model
JOIN churnops.dataset AS d ON d.dataset = v.dataset
WHERE @extschema@.churnops_has_right(m.name, 'read');
COMMENT ON VIEW churnops.versions IS
'Versions of the models the current role may read, one row each.';
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
	v.artifact_digest,
	d.named_dataset AS dataset_name,
	d.named_version AS dataset_version,
	d.named_dataset IS NOT NULL AND (d.n_rows = 0 OR EXISTS (
		SELECT FROM churnops.dataset_rows AS k
		WHERE k.dataset = d.named_dataset AND k.version = d.named_version)) AS dataset_kept,
	r.pipeline_run,
	r.kind AS run_kind,
	r.study
FROM churnops.version AS v
JOIN churnops.run AS r ON r.run = v.run
JOIN churnops.dataset AS d ON d.dataset = v.dataset
JOIN churnops.model AS m ON m.name = v.model
WHERE @extschema@.churnops_has_right(m.name, 'read');
COMMENT ON VIEW churnops.lineage IS
'Everything that went into a version, one row for each version the current role may read.';
COMMENT ON COLUMN churnops.lineage.model IS 'Name of the model.';
COMMENT ON COLUMN churnops.lineage.version IS 'Number of the version, from 1.';
COMMENT ON COLUMN churnops.lineage.query IS 'Query as the caller gave it.';
COMMENT ON COLUMN churnops.lineage.fingerprint IS
'SHA-256 of the query''s tokens, independent of layout, comments and letter case of keywords, lower-case hex.';
COMMENT ON COLUMN churnops.lineage.relations IS
'Relations the query read, views walked through: [{schema, name, kind, definition_digest, n_rows, '
'n_rows_exact}].';
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
COMMENT ON COLUMN churnops.lineage.dataset_name IS
'Registered dataset with the same rows; NULL if there was none.';
COMMENT ON COLUMN churnops.lineage.dataset_version IS 'Its version.';
COMMENT ON COLUMN churnops.lineage.dataset_kept IS
'Whether its rows are kept: the version can be reproduced whatever becomes of the tables.';
COMMENT ON COLUMN churnops.lineage.pipeline_run IS
'Run of the pipeline that trained it; NULL if trained by hand.';
COMMENT ON COLUMN churnops.lineage.run_kind IS
'train, or tune where the parameters were searched for.';
COMMENT ON COLUMN churnops.lineage.study IS
'Search that found the parameters; NULL if they were given.';

CREATE VIEW churnops.alias_history WITH (security_barrier) AS
SELECT
	e.model,
	e.alias,
	e.to_version AS version,
	e.from_version AS previous_version,
	e.changed_at AS valid_from,
	(SELECT n.changed_at FROM churnops.alias_event AS n
	 WHERE n.model = e.model AND n.alias = e.alias AND n.event > e.event
	 ORDER BY n.event LIMIT 1) AS valid_to,
	e.changed_by,
	e."session_user",
	e.reason,
	e.restores IS NOT NULL AS is_rollback,
	e.event
FROM churnops.alias_event AS e
JOIN churnops.model AS m ON m.name = e.model
WHERE @extschema@.churnops_has_right(m.name, 'read');
COMMENT ON VIEW churnops.alias_history IS
'What every alias has meant, one row for each change, of the models the current role may read.';
COMMENT ON COLUMN churnops.alias_history.model IS 'Name of the model.';
COMMENT ON COLUMN churnops.alias_history.alias IS 'Alias that was changed.';
COMMENT ON COLUMN churnops.alias_history.version IS
'Version it pointed to from then on; NULL if it was dropped.';
COMMENT ON COLUMN churnops.alias_history.previous_version IS
'Version it pointed to before; NULL if it was new.';
COMMENT ON COLUMN churnops.alias_history.valid_from IS 'Time of the change.';
COMMENT ON COLUMN churnops.alias_history.valid_to IS 'Time of the next change; NULL if it is so now.';
COMMENT ON COLUMN churnops.alias_history.changed_by IS 'Role that made the change.';
COMMENT ON COLUMN churnops.alias_history."session_user" IS
'Role that logged in. Quote the name: unquoted, session_user is the function.';
COMMENT ON COLUMN churnops.alias_history.reason IS 'As given with the change.';
COMMENT ON COLUMN churnops.alias_history.is_rollback IS 'Whether the change was a rollback.';
COMMENT ON COLUMN churnops.alias_history.event IS 'Number of the change; it orders them.';

CREATE VIEW churnops.version_history WITH (security_barrier) AS
SELECT
	e.model,
	e.version,
	e.status,
	e.changed_at AS valid_from,
	(SELECT n.changed_at FROM churnops.version_event AS n
	 WHERE n.model = e.model AND n.version = e.version AND n.event > e.event
	 ORDER BY n.event LIMIT 1) AS valid_to,
	e.changed_by,
	e."session_user",
	e.reason,
	e.event
FROM churnops.version_event AS e
JOIN churnops.model AS m ON m.name = e.model
WHERE @extschema@.churnops_has_right(m.name, 'read');
COMMENT ON VIEW churnops.version_history IS
'Statuses that versions have had, one row for each change, of the models the current role may read.';
COMMENT ON COLUMN churnops.version_history.model IS 'Name of the model.';
COMMENT ON COLUMN churnops.version_history.version IS 'Number of the version.';
COMMENT ON COLUMN churnops.version_history.status IS 'pending, approved, rejected or archived.';
COMMENT ON COLUMN churnops.version_history.valid_from IS 'Time of the change.';
COMMENT ON COLUMN churnops.version_history.valid_to IS 'Time of the next change; NULL if it is so now.';
COMMENT ON COLUMN churnops.version_history.changed_by IS 'Role that made the change.';
COMMENT ON COLUMN churnops.version_history."session_user" IS
'Role that logged in; NULL in events of 0.1.0. Quote the name: unquoted, session_user is the function.';
COMMENT ON COLUMN churnops.version_history.reason IS 'As given with the change.';
COMMENT ON COLUMN churnops.version_history.event IS 'Number of the change; it orders them.';

CREATE VIEW churnops.privileges WITH (security_barrier) AS
SELECT
	p.model,
	p.grantee AS role,
	p."right",
	nullif(p.alias, '') AS alias,
	p.granted_by,
	p.granted_at
FROM churnops.privilege AS p
WHERE p.grantee = 'public'
	OR EXISTS (
		SELECT FROM pg_catalog.pg_roles AS r
		WHERE r.rolname = p.grantee AND pg_catalog.pg_has_role(r.oid, 'USAGE'))
	OR @extschema@.churnops_has_right(p.model, 'owner');
COMMENT ON VIEW churnops.privileges IS
'Rights that owners of models gave to other roles: those of the current role, and all on its models.';
COMMENT ON COLUMN churnops.privileges.model IS 'Name of the model.';
COMMENT ON COLUMN churnops.privileges.role IS
'Role that has the right, with its members; public is every role.';
COMMENT ON COLUMN churnops.privileges."right" IS 'predict, train, deploy, approve or read.';
COMMENT ON COLUMN churnops.privileges.alias IS
'Alias that a right to deploy is limited to; NULL if it is not.';
COMMENT ON COLUMN churnops.privileges.granted_by IS 'Role that gave the right.';
COMMENT ON COLUMN churnops.privileges.granted_at IS 'Time the right was given.';

CREATE VIEW churnops.audit_log WITH (security_barrier) AS
SELECT
	a.entry,
	a.at,
	a.actor,
	a."session_user",
	a.action,
	a.model,
	a.version,
	a.owner,
	a.detail,
	a.link,
	a.hash
FROM churnops.audit AS a
-- By the owner at that time, since the model may be gone, or another's of that
-- name; others read of the model that there is now.
WHERE a.owner IN (
		SELECT r.rolname::text FROM pg_catalog.pg_roles AS r WHERE pg_catalog.pg_has_role(r.oid, 'USAGE'))
	OR a.model IN (
		SELECT m.name FROM churnops.model AS m WHERE @extschema@.churnops_has_right(m.name, 'read'))
	AND a.at >= (SELECT m.created_at FROM churnops.model AS m WHERE m.name = a.model);
COMMENT ON VIEW churnops.audit_log IS
'What was done to models, dropped ones too, one row for each entry that the current role may read.';
COMMENT ON COLUMN churnops.audit_log.entry IS 'Number of the entry; it orders them.';
COMMENT ON COLUMN churnops.audit_log.at IS 'Time of the action.';
COMMENT ON COLUMN churnops.audit_log.actor IS 'Role that acted.';
COMMENT ON COLUMN churnops.audit_log."session_user" IS
'Role that logged in. Quote the name: unquoted, session_user is the function.';
COMMENT ON COLUMN churnops.audit_log.action IS
'What was done: train, promote, rollback, drop_alias, approve, reject, archive, unarchive, grant, '
'revoke, alter_model, drop_model, and others of deployments and datasets.';
COMMENT ON COLUMN churnops.audit_log.model IS 'Name of the model.';
COMMENT ON COLUMN churnops.audit_log.version IS 'Version it was done to; NULL if to the model.';
COMMENT ON COLUMN churnops.audit_log.owner IS 'Owner of the model after the action.';
COMMENT ON COLUMN churnops.audit_log.detail IS 'The particulars, a JSON object.';
COMMENT ON COLUMN churnops.audit_log.link IS
'Place in the chain of the model''s name, from 1; NULL in entries of 0.1.0.';
COMMENT ON COLUMN churnops.audit_log.hash IS
'SHA-256 of the hash of the link before and of this entry, lower-case hex.';

CREATE VIEW churnops.imports WITH (security_barrier) AS
SELECT
	i.model,
	i.version,
	i.source_database,
	i.source_model,
	i.source_version,
	i.exported_by,
	i.exported_at,
	i.imported_by,
	i.imported_at,
	i.artifact_digest,
	i.content
FROM churnops.import AS i
WHERE @extschema@.churnops_has_right(i.model, 'read');
COMMENT ON VIEW churnops.imports IS
'Versions that came from another database by churnops_import, one row each.';
COMMENT ON COLUMN churnops.imports.model IS 'Name of the model here.';
COMMENT ON COLUMN churnops.imports.version IS 'Number of the version here.';
COMMENT ON COLUMN churnops.imports.source_database IS 'Database that exported it.';
COMMENT ON COLUMN churnops.imports.source_model IS 'Name of the model there.';
COMMENT ON COLUMN churnops.imports.source_version IS 'Number of the version there.';
COMMENT ON COLUMN churnops.imports.exported_by IS 'Role that exported it.';
COMMENT ON COLUMN churnops.imports.exported_at IS 'Time of the export, by the clock there.';
COMMENT ON COLUMN churnops.imports.imported_by IS 'Role that imported it.';
COMMENT ON COLUMN churnops.imports.imported_at IS 'Time of the import.';
COMMENT ON COLUMN churnops.imports.artifact_digest IS 'SHA-256 of the artifact, lower-case hex.';
COMMENT ON COLUMN churnops.imports.content IS
'What the document says of the version: who trained it there, when, on what, and its history there.';
