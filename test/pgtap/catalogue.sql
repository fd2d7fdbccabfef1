-- Every object of the extension: commented, labelled, closed to PUBLIC, dumped
BEGIN;
\ir include/setup.sql
SELECT no_plan();

-- From PostgreSQL 17 on, the row types of tables and the types of arrays are members too.
CREATE TEMPORARY VIEW member AS
SELECT d.classid, d.objid, pg_describe_object(d.classid, d.objid, 0) AS description
FROM pg_depend AS d
JOIN pg_extension AS e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
WHERE d.deptype = 'e' AND e.extname = 'churnops' AND NOT (d.classid = 'pg_type'::regclass AND d.objid IN (
	SELECT t.oid FROM pg_type AS t LEFT JOIN pg_class AS c ON c.oid = t.typrelid
	WHERE t.typcategory = 'A' OR c.relkind <> 'c'));

CREATE TEMPORARY VIEW member_function AS
SELECT p.*, p.oid::regprocedure::text AS signature,
	p.pronamespace = 'churnops'::regnamespace AS internal
FROM member AS m JOIN pg_proc AS p ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid;

CREATE TEMPORARY VIEW member_relation AS
SELECT c.*
FROM member AS m JOIN pg_class AS c ON m.classid = 'pg_class'::regclass AND m.objid = c.oid;

-- Comments

SELECT is_empty(
	$$SELECT m.description FROM member AS m
	LEFT JOIN pg_class AS c ON m.classid = 'pg_class'::regclass AND m.objid = c.oid
	WHERE obj_description(m.objid, m.classid::regclass::name) IS NULL
		AND c.relkind IS DISTINCT FROM 'S'$$,
	'every object has a comment; sequences belong to a column');
SELECT is_empty(
	$$SELECT m.description, obj_description(m.objid, m.classid::regclass::name) FROM member AS m
	WHERE obj_description(m.objid, m.classid::regclass::name) !~ '^[[:alpha:]].*\.$'$$,
	'comments end with a full stop');
SELECT is_empty(
	$$SELECT c.relname, a.attname FROM member_relation AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
	WHERE c.relkind = 'v' AND col_description(c.oid, a.attnum) IS NULL$$,
	'every column of a view has a comment');

-- Functions

SELECT set_eq(
	$$SELECT DISTINCT proname::text, provolatile::text, proparallel::text FROM member_function WHERE NOT internal AND prokind IN ('f', 'p')$$,
	$$VALUES ('churnops_load_csv', 'v', 'u'), ('churnops_save', 'v', 'u'), ('churnops_load', 'v', 'u'),
		('churnops_acknowledge', 'v', 'u'), ('churnops_mute', 'v', 'u'), ('churnops_unmute', 'v', 'u'),
		('churnops_export', 's', 'u'), ('churnops_import', 'v', 'u'),
		('churnops_train', 'v', 'u'), ('churnops_reproduce', 'v', 'u'), ('churnops_parameters', 'i', 's'),
		('churnops_predict', 's', 's'), ('churnops_predict_class', 's', 's'),
		('churnops_predict_proba', 's', 's'), ('churnops_predict_columns', 's', 's'),
		('churnops_predict_class_columns', 's', 's'), ('churnops_predict_proba_columns', 's', 's'),
		('churnops_predict_support', 'i', 's'), ('churnops_score', 'v', 'u'),
		('churnops_evaluate', 'v', 'u'), ('churnops_compare', 'v', 'u'), ('churnops_importance', 's', 'u'),
		('churnops_promote', 'v', 'u'), ('churnops_drop_alias', 'v', 'u'),
		('churnops_drop_model', 'v', 'u'), ('churnops_has_right', 's', 's'),
		('churnops_grant', 'v', 'u'), ('churnops_revoke', 'v', 'u'), ('churnops_alter_model', 'v', 'u'),
		('churnops_approve', 'v', 'u'), ('churnops_reject', 'v', 'u'), ('churnops_archive', 'v', 'u'),
		('churnops_unarchive', 'v', 'u'), ('churnops_rollback', 'v', 'u'), ('churnops_alias_at', 's', 'u'),
		('churnops_model_card', 's', 'u'), ('churnops_verify', 's', 'u'),
		('churnops_dataset', 'v', 'u'), ('churnops_dataset_diff', 'v', 'u'), ('churnops_forget', 'v', 'u'),
		('churnops_drop_dataset', 'v', 'u'), ('churnops_membership', 's', 'u'),
		('churnops_profile', 'v', 'u'), ('churnops_expectations', 's', 'u'), ('churnops_expect', 'v', 'u'),
		('churnops_drop_expectation', 'v', 'u'), ('churnops_suggest_expectations', 'v', 'u'), ('churnops_validate', 'v', 'u'),
		('churnops_deploy', 'v', 'u'), ('churnops_cancel_deployment', 'v', 'u'), ('churnops_route', 'i', 's'),
		('churnops_check_pipeline', 's', 'u'), ('churnops_pipeline_keys', 'i', 's'), ('churnops_pipeline_schema', 's', 'u'),
		('churnops_run', 'v', 'u'), ('churnops_run_pipeline', 'v', 'u'), ('churnops_require_success', 's', 'u'),
		('churnops_pipeline', 'v', 'u'), ('churnops_drop_pipeline', 'v', 'u'),
		('churnops_target_profit', 'i', 's'), ('churnops_tick', 'v', 'u'), ('churnops_tune', 'v', 'u'), ('churnops_cross_validate', 'v', 'u'),
		('churnops_outcome', 'v', 'u'), ('churnops_replay', 'v', 'u')$$,
	'public functions, their volatility and parallel labels');
SELECT is_empty(
	$$SELECT f.signature FROM member_function AS f LEFT JOIN pg_aggregate AS a ON a.aggfnoid = f.oid
	WHERE f.prokind = 'a' AND NOT f.internal AND (f.provolatile <> 'i' OR f.proparallel <> 's' OR f.proname !~ '^churnops_'
		OR a.aggtranstype <> 'internal'::regtype OR a.aggcombinefn = 0 OR a.aggserialfn = 0 OR a.aggdeserialfn = 0)$$,
	'public aggregates are immutable and parallel safe, and can be merged');
SELECT is_empty(
	'SELECT signature FROM member_function WHERE NOT internal AND proisstrict AND pronargs > 0',
	'no public function is strict');
SELECT set_eq(
	$$SELECT proname::text, proargtypes[1]::regtype::text FROM member_function
	WHERE proname ~ '^churnops_predict' AND proargnames[1:2] = '{model_ref,row}'$$,
	$$SELECT f, t FROM unnest('{churnops_predict,churnops_predict_class,churnops_predict_proba}'::text[]) AS f,
		unnest('{record,jsonb,json,text,double precision[]}'::text[]) AS t$$,
	'scoring takes records, jsonb, json, text and float8[]');
SELECT is_empty(
	'SELECT signature FROM member_function WHERE prosecdef',
	'no function is SECURITY DEFINER');
SELECT is_empty(
	$$SELECT signature FROM member_function
	WHERE internal AND proconfig[1] IS DISTINCT FROM 'search_path=pg_catalog, pg_temp' AND prokind <> 'a'
		AND NOT 'internal'::regtype = ANY (proargtypes)
		-- called for every row, and C that looks nothing up
		AND proname NOT IN ('first_values_add', 'first_values_finish', 'matches_strftime', 'is_json')$$,
	'every internal function pins its search_path, but those that only an aggregate can call');
SELECT is_empty(
	'SELECT signature FROM member_function WHERE NOT internal AND proconfig IS NOT NULL',
	'no public function changes a setting');
SELECT is_empty(
	$$SELECT signature FROM member_function, aclexplode(coalesce(proacl, acldefault('f', proowner)))
	WHERE internal AND grantee = 0$$,
	'PUBLIC executes no internal function');
SELECT is_empty(
	$$SELECT signature FROM member_function WHERE NOT internal AND NOT EXISTS (
		SELECT FROM aclexplode(coalesce(proacl, acldefault('f', proowner)))
		WHERE grantee = 0 AND privilege_type = 'EXECUTE')$$,
	'PUBLIC executes every public function');
SELECT is_empty(
	$$SELECT signature FROM member_function AS f JOIN pg_language AS l ON f.prolang = l.oid
	WHERE l.lanname = 'c' AND (f.prosrc !~ '^churnops_' OR f.probin <> '$libdir/churnops')$$,
	'C functions are in the library, under names that begin with churnops_');
SELECT is_empty(
	$$SELECT p.signature FROM member_function AS p
	WHERE p.prosrc = 'churnops_as_owner' AND NOT EXISTS (
		SELECT FROM member_function AS i
		WHERE i.internal AND 'churnops_' || i.proname = p.proname
			AND i.proargtypes::text = trim(format('%s %s', 'name'::regtype::oid, p.proargtypes))
			AND i.provolatile = p.provolatile AND i.proretset = p.proretset
			AND i.prorettype = p.prorettype)$$,
	'what runs as the owner has its internal partner with the caller in front');

-- Relations

SELECT set_eq(
	$$SELECT relname::text, relkind::text FROM member_relation WHERE relkind <> 'S'$$,
	$$VALUES ('study', 'r'), ('trial', 'r'), ('leaderboard', 'v'), ('alert', 'r'), ('alert_mute', 'r'), ('alerts', 'v'), ('import', 'r'), ('imports', 'v'), ('model', 'r'), ('dataset', 'r'), ('run', 'r'), ('version', 'r'), ('version_event', 'r'),
		('alias', 'r'), ('alias_event', 'r'), ('audit', 'r'), ('privilege', 'r'),
		('models', 'v'), ('versions', 'v'), ('lineage', 'v'),
		('alias_history', 'v'), ('version_history', 'v'), ('privileges', 'v'), ('audit_log', 'v'),
		('named_dataset', 'r'), ('dataset_version', 'r'), ('dataset_rows', 'r'), ('dataset_keys', 'r'), ('datasets', 'v'),
		('deployment', 'r'), ('deployment_event', 'r'), ('outcome', 'r'),
		('prediction_log', 'p'), ('prediction_log_default', 'r'),
		('expectation', 'r'), ('validation', 'r'), ('expectations', 'v'), ('validations', 'v'),
		('pipeline', 'r'), ('pipeline_version', 'r'), ('pipeline_run', 'r'), ('pipeline_stage', 'r'), ('verdict', 'r'),
		('pipelines', 'v'), ('pipeline_runs', 'v'), ('pipeline_stages', 'v'), ('gates', 'v'),
		('deployments', 'v'), ('deployment_events', 'v'), ('predictions', 'v')$$,
	'tables and views');
SELECT is_empty(
	$$SELECT relname FROM member_relation WHERE relnamespace <> 'churnops'::regnamespace$$,
	'all of them in schema churnops');
SELECT is_empty(
	$$SELECT relname, privilege_type FROM member_relation,
		aclexplode(coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner)))
	WHERE relkind IN ('r', 'S') AND grantee = 0$$,
	'PUBLIC has no privilege on tables and sequences');
SELECT set_eq(
	$$SELECT relname::text, privilege_type FROM member_relation, aclexplode(relacl)
	WHERE relkind = 'v' AND grantee = 0$$,
	$$VALUES ('leaderboard', 'SELECT'), ('alerts', 'SELECT'), ('imports', 'SELECT'), ('models', 'SELECT'), ('versions', 'SELECT'), ('lineage', 'SELECT'), ('alias_history', 'SELECT'),
		('version_history', 'SELECT'), ('privileges', 'SELECT'), ('audit_log', 'SELECT'), ('datasets', 'SELECT'),
		('expectations', 'SELECT'), ('validations', 'SELECT'),
		('pipelines', 'SELECT'), ('pipeline_runs', 'SELECT'), ('pipeline_stages', 'SELECT'), ('gates', 'SELECT'),
		('deployments', 'SELECT'), ('deployment_events', 'SELECT'), ('predictions', 'SELECT')$$,
	'PUBLIC reads the views');
SELECT set_eq(
	$$SELECT privilege_type FROM pg_namespace, aclexplode(nspacl) WHERE nspname = 'churnops' AND grantee = 0$$,
	$$VALUES ('USAGE')$$,
	'PUBLIC may use the schema, not create in it');
SELECT is_empty(
	$$SELECT relname FROM member_relation WHERE relkind = 'r' AND (NOT relrowsecurity OR relforcerowsecurity)$$,
	'row-level security is enabled on every table and forced on none');
SELECT set_eq(
	$$SELECT c.relname::text, p.polcmd::text FROM member_relation AS c LEFT JOIN pg_policy AS p ON p.polrelid = c.oid
	WHERE c.relkind = 'r'$$,
	$$SELECT relname::text, 'r' FROM member_relation WHERE relkind = 'r'$$,
	'every table has one policy, for SELECT');
SELECT is_empty(
	$$SELECT relname FROM member_relation WHERE relkind = 'v'
		AND NOT coalesce('security_barrier=true' = ANY (reloptions), false)$$,
	'every view is a security barrier');
SELECT set_eq(
	$$SELECT unnest(extconfig)::regclass::text FROM pg_extension WHERE extname = 'churnops'$$,
	$$SELECT oid::regclass::text FROM member_relation WHERE relkind IN ('r', 'S')$$,
	'the rows of every table, and every sequence, are dumped');
SELECT is(
	(SELECT array_agg(DISTINCT condition)::text FROM pg_extension, unnest(extcondition) AS condition
	 WHERE extname = 'churnops'),
	'{""}', 'without a condition');
SELECT is_empty(
	$$SELECT c.relname, a.attname FROM member_relation AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
	WHERE c.relkind = 'r' AND a.attnum > 0 AND a.atttypid::regtype::text ~ '^reg'$$,
	'no column refers to an object by its OID');
SELECT is_empty(
	$$SELECT c.conname FROM pg_constraint AS c JOIN member_relation AS r ON c.conrelid = r.oid
	WHERE c.contype = 'f'$$,
	'no foreign key stands in the way of a parallel restore');
SELECT is(
	(SELECT attstorage::text FROM pg_attribute WHERE attrelid = 'churnops.version'::regclass AND attname = 'artifact'),
	'e', 'artifacts are stored out of line and uncompressed');
SELECT set_eq(
	$$SELECT c.relname::text, t.tgname::text, t.tgenabled::text, p.proname::text, t.tgtype
	FROM pg_trigger AS t JOIN member_relation AS c ON t.tgrelid = c.oid JOIN pg_proc AS p ON t.tgfoid = p.oid
	WHERE NOT t.tgisinternal$$,
	-- 27: before update or delete, row; 34: before truncate, statement
	$$SELECT t, n, 'O' AS enabled, 'refuse_change' AS function, f::smallint
	FROM unnest('{import,model,version,version_event,dataset,run,alias_event,audit,named_dataset,dataset_version,
		dataset_rows,dataset_keys,pipeline,pipeline_version,pipeline_run,pipeline_stage,verdict,deployment,deployment_event,validation,study,trial}'::text[]) AS t,
		(VALUES ('refuse_change', 27), ('refuse_truncate', 34)) AS k(n, f)$$,
	'tables that keep history have their two triggers, for the origin');
SELECT is_empty(
	$$SELECT c.relname, a.attname FROM member_relation AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
	WHERE c.relkind = 'r' AND a.attname IN ('model', 'name', 'alias') AND a.attcollation <> (
		SELECT oid FROM pg_collation WHERE collname = 'C' AND collnamespace = 'pg_catalog'::regnamespace)$$,
	'names sort by bytes');

-- Columns that are promised

SELECT columns_are('churnops', 'models', ARRAY['name', 'task', 'target', 'classes', 'owner', 'description',
	'n_versions', 'latest_version', 'champion_version', 'aliases', 'created_at', 'require_approval']);
SELECT columns_are('churnops', 'versions', ARRAY['model', 'version', 'status', 'aliases', 'task', 'target',
	'algorithm', 'n_rows', 'n_train', 'n_test', 'n_features', 'params', 'metrics', 'dataset_digest',
	'artifact_digest', 'artifact_bytes', 'description', 'created_by', 'created_at']);
SELECT columns_are('churnops', 'lineage', ARRAY['model', 'version', 'query', 'fingerprint', 'relations',
	'dataset_digest', 'dataset_rows', 'columns', 'search_path', 'snapshot', 'lsn', 'params_given', 'params',
	'options', 'seed', 'algorithm', 'algorithm_version', 'format_version', 'extension_version',
	'postgresql_version', 'compiler', 'architecture', 'environment', 'code_version', 'session_user',
	'created_by', 'created_at', 'parent_version', 'run', 'artifact_digest', 'dataset_name', 'dataset_version',
	'dataset_kept', 'pipeline_run', 'run_kind', 'study']);
SELECT columns_are('churnops', 'datasets', ARRAY['name', 'version', 'owner', 'n_rows', 'key', 'digest', 'kept',
	'copy_bytes', 'n_models', 'query', 'fingerprint', 'relations', 'columns', 'profile', 'search_path', 'snapshot',
	'lsn', 'description', 'environment', 'code_version', 'session_user', 'created_by', 'created_at']);
SELECT columns_are('churnops', 'alias_history', ARRAY['model', 'alias', 'version', 'previous_version', 'valid_from', 'valid_to',
	'changed_by', 'session_user', 'reason', 'is_rollback', 'event']);
SELECT columns_are('churnops', 'version_history', ARRAY['model', 'version', 'status', 'valid_from', 'valid_to', 'changed_by',
	'session_user', 'reason', 'event']);
SELECT columns_are('churnops', 'privileges', ARRAY['model', 'role', 'right', 'alias', 'granted_by', 'granted_at']);
SELECT columns_are('churnops', 'audit_log', ARRAY['entry', 'at', 'actor', 'session_user', 'action', 'model', 'version', 'owner',
	'detail', 'link', 'hash']);

SELECT columns_are('churnops', 'imports', ARRAY['model', 'version', 'source_database', 'source_model', 'source_version',
	'exported_by', 'exported_at', 'imported_by', 'imported_at', 'artifact_digest', 'content']);
SELECT columns_are('churnops', 'leaderboard', ARRAY['model', 'kind', 'study', 'name', 'number', 'version', 'rank', 'metric', 'value',
	'params', 'status', 'rung', 'seconds', 'created_at']);
SELECT columns_are('churnops', 'alerts', ARRAY['alert', 'model', 'version', 'kind', 'subject', 'state', 'severity', 'value',
	'threshold', 'message', 'detail', 'n_looks', 'first_seen_at', 'last_seen_at', 'raised_at', 'notified_at', 'acknowledged_at',
	'acknowledged_by', 'acknowledgement', 'resolved_at']);
SELECT columns_are('churnops', 'deployments', ARRAY['deployment', 'model', 'version', 'strategy', 'status',
	'champion_version', 'weight', 'key', 'salt', 'config', 'reason', 'created_by', 'started_at', 'step_at', 'ended_at',
	'last_decision', 'last_reason', 'last_numbers']);
SELECT columns_are('churnops', 'deployment_events', ARRAY['event', 'deployment', 'model', 'decision', 'weight',
	'reason', 'numbers', 'decided_by', 'session_user', 'decided_at']);
SELECT columns_are('churnops', 'predictions', ARRAY['logged_at', 'batch', 'place', 'model', 'version', 'arm',
	'deployment', 'weight', 'salt', 'share', 'key', 'prediction', 'class', 'latency', 'error', 'features', 'scored_by']);

SELECT * FROM finish();
ROLLBACK;
