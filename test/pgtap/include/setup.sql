-- Shared by the files of this folder: extensions, and temporary functions that
-- store made-up versions and act as a role.

SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS churnops;

-- The role that runs the test, with a text's own collation.
CREATE FUNCTION pg_temp.me() RETURNS text
LANGUAGE sql
AS 'SELECT current_user::text';

-- Register a version as the training does, with an artifact that is none.
CREATE FUNCTION pg_temp.register(
	model text,
	caller text,
	other jsonb DEFAULT '{}',
	artifact bytea DEFAULT 'forest')
RETURNS text
LANGUAGE sql
AS $$
	SELECT format('%s/%s %s', model, r.version, r.status)
	FROM churnops.register(jsonb_build_object(
		'model', model, 'caller', caller, 'session_user', session_user,
		'description', 'made up', 'task', 'classification', 'target', 'churned',
		'classes', '["no", "yes"]'::jsonb, 'positive_class', 'yes', 'positive_class_index', 1,
		'dataset', jsonb_build_object(
			'query', 'SELECT * FROM customers', 'fingerprint', repeat('f', 64),
			'relations', '[{"schema": "public", "name": "customers", "kind": "table", "definition_digest": "d"}]'::jsonb,
			'columns', '[{"name": "plan", "type": "text", "role": "feature", "kind": "category"}]'::jsonb,
			'n_rows', 101, 'digest', repeat('d', 64), 'search_path', 'public',
			'snapshot', '10:20:', 'lsn', '0/15D6F28'),
		'n_rows', 100, 'n_train', 80, 'n_test', 20, 'n_features', 3, 'n_unknown_target', 1,
		'params_given', '{"max_depth": 3}'::jsonb, 'params', '{"max_depth": 3, "n_estimators": 100}'::jsonb,
		'options', '{"test_size": 0.2, "split_seed": 0}'::jsonb, 'seed', 42,
		'algorithm', 'random_forest', 'algorithm_version', 1, 'format_version', 1,
		'features', '[{"name": "plan", "kind": "category", "mdi": 0.2, "permutation": 0.01, "permutation_sd": 0.001},
			{"name": "calls", "kind": "number", "mdi": 0.5, "permutation": null, "permutation_sd": null},
			{"name": "age", "kind": "number", "mdi": 0.3, "permutation": 0.1, "permutation_sd": 0.01}]'::jsonb,
		'metrics', '{"holdout": {"roc_auc": 0.8}, "oob": {"roc_auc": 0.79}, "warnings": []}'::jsonb,
		'environment', '{"churnops": "0.1.0", "postgresql": "15.0", "compiler": "gcc",
			"architecture": "x86_64", "byte_order": "little", "server_encoding": "UTF8"}'::jsonb,
		'code_version', NULL, 'artifact_digest', encode(sha256(artifact), 'hex'),
		'seconds', 0.5, 'started_at', '2024-05-06 07:08:09+00') || other, artifact) AS r
$$;

-- One value of a query, run as a role.
CREATE FUNCTION pg_temp.value_as(role text, query text) RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
	value text;
BEGIN
	PERFORM set_config('role', role, true);
	EXECUTE query INTO value;
	PERFORM set_config('role', 'none', true);
	RETURN value;
END
$$;

-- Everything that a role is told of an error, a line a field.
CREATE FUNCTION pg_temp.error_as(role text, query text) RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
	state text;
	message text;
	detail text;
	hint text;
BEGIN
	PERFORM pg_temp.value_as(role, query);
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
		detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(E'\n', state, message, nullif(detail, ''), nullif(hint, ''));
END
$$;
