-- Deployments: how a version comes to serve
--
-- A deployment that runs is one row that predictions read under their own
-- snapshot (src/pg/reference.c); to end it or to change its weight is an update
-- of that row, part of the caller's transaction.  As all changes of a model,
-- decisions take turns on the model's row.

-- Since: 0.2.0
CREATE FUNCTION @extschema@.churnops_deploy(
	model text,
	version integer,
	strategy text,
	config jsonb DEFAULT '{}',
	reason text DEFAULT NULL)
RETURNS bigint
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_as_owner';
COMMENT ON FUNCTION @extschema@.churnops_deploy(text, integer, text, jsonb, text) IS
'Brings a version of a model into service: all_at_once, canary, linear or shadow, with settings '
'(config) and why (reason, default NULL). churnops_tick moves it on and judges it. Returns the '
'number of the deployment.';

-- Since: 0.2.0
CREATE FUNCTION @extschema@.churnops_cancel_deployment(
	deployment bigint,
	reason text DEFAULT NULL)
RETURNS text
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_as_owner';
COMMENT ON FUNCTION @extschema@.churnops_cancel_deployment(bigint, text) IS
'Ends a running deployment: every row is the champion''s again. Returns its status, cancelled.';

-- Since: 0.2.0
CREATE FUNCTION @extschema@.churnops_route(salt text, key jsonb) RETURNS double precision
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'churnops_route';
COMMENT ON FUNCTION @extschema@.churnops_route(text, jsonb) IS
'Where a key, a JSON object of key columns, falls between 0 and 1 under the salt of a deployment: '
'below its weight the candidate answers. NULL for a key with a NULL.';

-- Tests of the deploy library, for the decisions of churnops_tick.

CREATE FUNCTION churnops.nearest_name(name text, known text[]) RETURNS text
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'churnops_nearest_name';
COMMENT ON FUNCTION churnops.nearest_name(text, text[]) IS
'The known name with the fewest edits; NULL if none is near.';

CREATE FUNCTION churnops.shift_of_counts(
	reference bigint[],
	current bigint[],
	OUT psi double precision,
	OUT p double precision)
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'churnops_shift_of_counts';
COMMENT ON FUNCTION churnops.shift_of_counts(bigint[], bigint[]) IS
'Population stability index of two counts over the same bins, and how likely it is without a change.';

CREATE FUNCTION churnops.fisher(
	hits_a double precision,
	n_a double precision,
	hits_b double precision,
	n_b double precision,
	OUT greater double precision,
	OUT two_sided double precision)
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'churnops_fisher';
COMMENT ON FUNCTION churnops.fisher(double precision, double precision, double precision, double precision) IS
'Fisher''s exact test: p of the share of b being greater, and of the two being different.';

CREATE FUNCTION churnops.wilson(
	hits double precision,
	n double precision,
	OUT low double precision,
	OUT high double precision)
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'churnops_wilson';
COMMENT ON FUNCTION churnops.wilson(double precision, double precision) IS
'Wilson''s 95 % interval of a share.';

CREATE FUNCTION churnops.sample_ratio(
	n_champion double precision,
	n_candidate double precision,
	weight double precision)
RETURNS double precision
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'churnops_sample_ratio';
COMMENT ON FUNCTION churnops.sample_ratio(double precision, double precision, double precision) IS
'How likely a split of keys is that is at least so far from the weight.';

CREATE FUNCTION churnops.sequential(
	n_a double precision,
	mean_a double precision,
	variance_a double precision,
	n_b double precision,
	mean_b double precision,
	variance_b double precision,
	tau_squared double precision,
	alpha double precision,
	OUT difference double precision,
	OUT p double precision,
	OUT margin double precision)
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'churnops_sequential';
COMMENT ON FUNCTION churnops.sequential(double precision, double precision, double precision,
	double precision, double precision, double precision, double precision, double precision) IS
'Mixture sequential probability ratio test of two means, valid at every look.';

CREATE FUNCTION churnops.tau_squared(variance double precision, alpha double precision)
RETURNS double precision
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'churnops_tau_squared';
COMMENT ON FUNCTION churnops.tau_squared(double precision, double precision) IS
'Mixture variance that suits a difference of the given variance best.';

-- Settings of a deployment

CREATE FUNCTION churnops.deployment_settings(
	strategy text,
	OUT name text,
	OUT default_value jsonb,
	OUT kind text,
	OUT lowest double precision,
	OUT highest double precision,
	OUT nullable boolean)
RETURNS SETOF record
LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT s.name, s.default_value, s.kind, s.lowest, s.highest, s.nullable
	FROM (VALUES
		('{canary}'::text[], 'weight', '0.1'::jsonb, 'number', 0, 1, false),
		('{canary}', 'seconds', '600', 'number', 0, 1e9, false),
		('{linear}', 'step', '0.2', 'number', 0.001, 1, false),
		('{linear}', 'seconds', '300', 'number', 0, 1e9, false),
		('{canary,linear}', 'key', 'null', 'names', NULL, NULL, true),
		('{canary,linear}', 'min_rows', '0', 'number', 0, 1e12, false),
		('{all_at_once,canary,linear}', 'new_columns', 'false', 'boolean', NULL, NULL, false),
		('{all_at_once,canary,linear}', 'cool_down', '86400', 'number', 0, 1e9, false),
		('{canary,linear}', 'error_share', '0.01', 'number', 0, 1, true),
		('{canary,linear}', 'error_ratio', '3', 'number', 0, 1e6, false),
		('{canary,linear}', 'error_p', '0.01', 'number', 0, 1, false),
		('{canary,linear}', 'error_rows', '50', 'number', 1, 1e12, false),
		('{canary,linear}', 'null_share', '0.005', 'number', 0, 1, true),
		('{canary,linear}', 'latency_ratio', '2', 'number', 0, 1e6, true),
		('{canary,linear}', 'latency_ms', '20', 'number', 0, 1e6, false),
		('{canary,linear}', 'shift_psi', '0.25', 'number', 0, 1e6, true),
		('{canary,linear}', 'shift_p', '0.001', 'number', 0, 1, false),
		('{canary,linear}', 'harm_p', '0.01', 'number', 0, 1, true),
		('{canary,linear}', 'harm_tau', 'null', 'number', 1e-12, 1e12, true),
		('{canary,linear}', 'harm_planned_rows', '1000', 'number', 1, 1e12, false),
		('{canary,linear}', 'harm_rows', '100', 'number', 2, 1e12, false),
		('{canary,linear}', 'harm_events', '10', 'number', 0, 1e12, false),
		('{canary,linear}', 'srm_p', '0.001', 'number', 0, 1, true))
		AS s(strategies, name, default_value, kind, lowest, highest, nullable)
	WHERE deployment_settings.strategy = ANY (s.strategies)
$$;
COMMENT ON FUNCTION churnops.deployment_settings(text) IS
'What churnops_deploy takes in config for a strategy: name, default, kind, range, and whether null '
'turns it off.';

CREATE FUNCTION churnops.check_deployment_value(
	name text,
	value jsonb,
	kind text,
	lowest double precision,
	highest double precision,
	nullable boolean)
RETURNS void
LANGUAGE plpgsql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	type text := jsonb_typeof(value);
	right_type boolean;
BEGIN
	IF type = 'null' AND nullable THEN
		RETURN;
	END IF;
	IF kind = 'number' THEN
		right_type := type = 'number' AND value::double precision BETWEEN lowest AND highest;
	ELSIF kind = 'boolean' THEN
		right_type := type = 'boolean';
	ELSE
		right_type := type = 'array' AND jsonb_array_length(value) > 0
			AND NOT EXISTS (SELECT FROM jsonb_array_elements(value) AS e WHERE jsonb_typeof(e) <> 'string');
	END IF;
	IF right_type IS NOT TRUE THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('setting "%s" of a deployment cannot be %s', name, value),
			HINT = 'Give ' || CASE kind
				WHEN 'number' THEN format('a number from %s to %s', lowest, highest)
				WHEN 'boolean' THEN 'true or false'
				ELSE 'names of columns, as in ["customer_id"]' END
				|| CASE WHEN nullable AND kind = 'number' THEN ', or null to leave it out.' ELSE '.' END;
	END IF;
END
$$;
COMMENT ON FUNCTION churnops.check_deployment_value(text, jsonb, text, double precision, double precision, boolean) IS
'Refuses a value that a setting of a deployment cannot have.';

CREATE FUNCTION churnops.deployment_config(strategy text, given jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	known text[];
	given_name text;
	nearest text;
	config jsonb;
	setting record;
BEGIN
	IF given IS NULL OR jsonb_typeof(given) <> 'object' THEN
		RAISE EXCEPTION USING
			ERRCODE = CASE WHEN given IS NULL THEN 'null_value_not_allowed' ELSE 'invalid_parameter_value' END,
			MESSAGE = CASE WHEN given IS NULL THEN 'argument "config" must not be null'
				ELSE 'argument "config" is not a JSON object' END,
			HINT = 'Give settings by name, as in ''{"weight": 0.1}'', or ''{}'' for the defaults.';
	END IF;
	SELECT array_agg(s.name ORDER BY s.name), jsonb_object_agg(s.name, s.default_value) || given
	INTO known, config FROM churnops.deployment_settings(strategy) AS s;
	known := coalesce(known, '{}');
	config := coalesce(config, given);

	FOR given_name IN SELECT k FROM jsonb_object_keys(given) AS k ORDER BY k COLLATE "C" LOOP
		CONTINUE WHEN given_name = ANY (known);
		nearest := churnops.nearest_name(given_name, known);
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('strategy "%s" has no setting "%s"', strategy, given_name),
			DETAIL = CASE WHEN known = '{}' THEN 'It has no settings.'
				ELSE format('It has %s.', array_to_string(known, ', ')) END,
			HINT = CASE WHEN nearest IS NOT NULL THEN format('Perhaps you meant "%s".', nearest)
				ELSE 'Leave it out.' END;
	END LOOP;
	FOR setting IN SELECT * FROM churnops.deployment_settings(strategy) AS s ORDER BY s.name LOOP
		PERFORM churnops.check_deployment_value(setting.name, config->setting.name, setting.kind,
			setting.lowest, setting.highest, setting.nullable);
	END LOOP;
	RETURN config;
END
$$;
COMMENT ON FUNCTION churnops.deployment_config(text, jsonb) IS
'The settings of a strategy, checked, with every default filled in.';

-- What a deployment needs to know of versions

CREATE FUNCTION churnops.training_key(model_name text, version_number integer) RETURNS text[]
LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT ARRAY(
		SELECT k FROM churnops.version AS v
		JOIN churnops.run AS r ON r.run = v.run
		CROSS JOIN jsonb_array_elements_text(CASE jsonb_typeof(r.options->'key')
			WHEN 'array' THEN r.options->'key' ELSE '[]' END) AS k
		WHERE v.model = model_name AND v.version = version_number
		ORDER BY k COLLATE "C")
$$;
COMMENT ON FUNCTION churnops.training_key(text, integer) IS
'The key columns that a version was trained with, in the order in which they are hashed.';

CREATE FUNCTION churnops.routing_key(
	model_name text,
	config jsonb,
	champion integer,
	candidate integer)
RETURNS text[]
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	key text[];
BEGIN
	IF jsonb_typeof(config->'key') = 'array' THEN
		RETURN ARRAY(SELECT DISTINCT k COLLATE "C" FROM jsonb_array_elements_text(config->'key') AS k ORDER BY 1);
	END IF;
	key := churnops.training_key(model_name, champion);
	IF key = '{}' THEN
		key := churnops.training_key(model_name, candidate);
	END IF;
	RETURN key;
END
$$;
COMMENT ON FUNCTION churnops.routing_key(text, jsonb, integer, integer) IS
'Columns by which rows find their arm: those of the setting, else the champion''s training key, '
'else the candidate''s; none: the encoded row.';

CREATE FUNCTION churnops.check_deployable(
	model_name text,
	version_number integer,
	cool_down double precision)
RETURNS void
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	rolled_back record;
BEGIN
	PERFORM FROM churnops.version AS v WHERE v.model = model_name AND v.version = version_number;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'undefined_object',
			MESSAGE = format('version %s of model "%s" does not exist', version_number, model_name),
			HINT = format('List its versions with SELECT version, status FROM churnops.versions '
				'WHERE model = ''%s'';', model_name);
	END IF;
	PERFORM churnops.require_approved(model_name, version_number);

	SELECT d.deployment, d.ended_at INTO rolled_back FROM churnops.deployment AS d
	WHERE d.model = model_name AND d.version = version_number AND d.status = 'rolled_back'
	ORDER BY d.ended_at DESC LIMIT 1;
	IF clock_timestamp() < rolled_back.ended_at + make_interval(secs => cool_down) THEN
		RAISE EXCEPTION USING
			ERRCODE = 'object_not_in_prerequisite_state',
			MESSAGE = format('version %s of model "%s" was rolled back by deployment %s',
							 version_number, model_name, rolled_back.deployment),
			DETAIL = format('The view churnops.deployments says why. It can be deployed again %s seconds later.',
							cool_down),
			HINT = 'To deploy it all the same, give the setting "cool_down": 0.';
	END IF;
END
$$;
COMMENT ON FUNCTION churnops.check_deployable(text, integer, double precision) IS
'Refuses a version that does not exist, is not approved, or was rolled back within the cool-down.';

CREATE FUNCTION churnops.check_contract(
	model_name text,
	champion integer,
	candidate integer,
	new_columns boolean)
RETURNS void
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	positive record;
	new_names text;
BEGIN
	SELECT old.positive_class AS was, new.positive_class AS is_now INTO positive
	FROM churnops.version AS old, churnops.version AS new
	WHERE old.model = model_name AND old.version = champion
		AND new.model = model_name AND new.version = candidate;
	IF positive.was IS DISTINCT FROM positive.is_now THEN
		RAISE EXCEPTION USING
			ERRCODE = 'object_not_in_prerequisite_state',
			MESSAGE = format('version %s of model "%s" predicts another class than the champion',
							 candidate, model_name),
			DETAIL = format('Its positive class is %s, that of version %s is %s.',
				coalesce(quote_ident(positive.is_now), 'none'), champion, coalesce(quote_ident(positive.was), 'none')),
			HINT = 'Train it with the same positive_class.';
	END IF;
	IF new_columns THEN
		RETURN;
	END IF;

	SELECT string_agg(n.feature->>'name', ', ' ORDER BY n.place) INTO new_names
	FROM churnops.version AS new, jsonb_array_elements(new.features) WITH ORDINALITY AS n(feature, place)
	WHERE new.model = model_name AND new.version = candidate AND NOT EXISTS (
		SELECT FROM churnops.version AS old, jsonb_array_elements(old.features) AS o
		WHERE old.model = model_name AND old.version = champion
			AND o->>'name' = n.feature->>'name'
			AND replace(o->>'kind', 'timestamptz', 'timestamp') = replace(n.feature->>'kind', 'timestamptz', 'timestamp'));
	IF new_names IS NOT NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'object_not_in_prerequisite_state',
			MESSAGE = format('version %s of model "%s" needs columns that the champion does not',
							 candidate, model_name),
			DETAIL = format('New, or of another type than version %s has them: %s.', champion, new_names),
			HINT = 'A missing column is an error for whoever asks for a prediction. If all callers give '
				'these already, deploy with the setting "new_columns": true.';
	END IF;
END
$$;
COMMENT ON FUNCTION churnops.check_contract(text, integer, integer, boolean) IS
'Refuses a candidate that would answer callers of the champion otherwise than they expect: with '
'another class''s probability, or with an error about a column.';

-- Decisions

CREATE FUNCTION churnops.deployment_terms(d churnops.deployment) RETURNS jsonb
LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT jsonb_build_object('version', d.version, 'strategy', d.strategy, 'champion_version', d.champion_version,
		'salt', d.salt, 'key', d.key, 'config_given', d.config_given, 'config', d.config)
$$;
COMMENT ON FUNCTION churnops.deployment_terms(churnops.deployment) IS
'What of a deployment stays as it was asked for. Its first event has it, and the audit covers that.';

CREATE FUNCTION churnops.decide_deployment(
	deployment_id bigint,
	decision text,
	new_status text,
	new_weight double precision,
	caller name,
	why text,
	numbers jsonb)
RETURNS void
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	d churnops.deployment;
	event_id bigint;
	decided_at timestamp with time zone := clock_timestamp();
BEGIN
	UPDATE churnops.deployment AS u
	SET status = new_status,
		weight = new_weight,
		step_at = CASE WHEN u.weight = new_weight THEN u.step_at ELSE decided_at END,
		ended_at = CASE WHEN new_status = 'running' THEN NULL ELSE coalesce(u.ended_at, decided_at) END
	WHERE u.deployment = deployment_id
	RETURNING u.* INTO STRICT d;

	INSERT INTO churnops.deployment_event (deployment, model, decision, weight, reason, numbers,
		decided_by, "session_user", decided_at)
	VALUES (deployment_id, d.model, decision, new_weight, why, numbers, caller, session_user, decided_at)
	RETURNING event INTO STRICT event_id;

	PERFORM churnops.write_audit(caller, 'deployment_' || decision, d.model, d.version,
		jsonb_build_object('deployment', deployment_id, 'strategy', d.strategy, 'weight', new_weight,
						   'reason', why),
		jsonb_build_object('deployment_event', event_id));
END
$$;
COMMENT ON FUNCTION churnops.decide_deployment(bigint, text, text, double precision, name, text, jsonb) IS
'Carries a decision out: status and weight, its event, and the audit. The caller holds the lock on the model.';

CREATE FUNCTION churnops.alias_changed(model_name text, alias_name text, caller name, why text)
RETURNS void
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	d churnops.deployment;
	champion integer;
BEGIN
	IF alias_name <> 'champion' THEN
		RETURN;
	END IF;
	SELECT a.version INTO champion FROM churnops.alias AS a
	WHERE a.model = model_name AND a.alias = 'champion';
	FOR d IN
		SELECT * FROM churnops.deployment AS r
		WHERE r.model = model_name AND r.status = 'running' ORDER BY r.deployment
	LOOP
		PERFORM churnops.decide_deployment(d.deployment, 'superseded', 'superseded', 0, caller, why,
			jsonb_build_object('weight', d.weight, 'champion_version', champion,
							   'previous_champion_version', d.champion_version));
	END LOOP;
END
$$;
COMMENT ON FUNCTION churnops.alias_changed(text, text, name, text) IS
'Ends the running deployments of a model whose champion has changed: what they were compared with '
'is gone. Called after every change of an alias, with the lock on the model.';

CREATE FUNCTION churnops.end_deployments(model_name text, caller name, why text) RETURNS bigint
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	d churnops.deployment;
	n_ended bigint := 0;
BEGIN
	FOR d IN
		SELECT * FROM churnops.deployment AS r
		WHERE r.model = model_name AND r.status = 'running' AND r.strategy IN ('canary', 'linear')
	LOOP
		PERFORM churnops.decide_deployment(d.deployment, 'rolled_back', 'rolled_back', 0, caller, why,
			jsonb_build_object('weight', d.weight));
		n_ended := n_ended + 1;
	END LOOP;
	RETURN n_ended;
END
$$;
COMMENT ON FUNCTION churnops.end_deployments(text, name, text) IS
'Rolls back what gives a part of a model''s rows to another version than the champion; returns how '
'many there were. Called by a rollback of the champion, with the lock on the model.';

CREATE FUNCTION churnops.refuse_running_deployment(
	model_name text,
	version_number integer,
	strategy text)
RETURNS void
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	running record;
BEGIN
	SELECT d.deployment, d.strategy, d.version, d.started_at INTO running
	FROM churnops.deployment AS d
	WHERE d.model = model_name AND d.status = 'running'
		AND (d.version = version_number
			 OR d.strategy IN ('canary', 'linear') AND refuse_running_deployment.strategy IN ('canary', 'linear'))
	ORDER BY d.deployment LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'object_not_in_prerequisite_state',
			MESSAGE = CASE WHEN running.version = version_number
				THEN format('version %s of model "%s" is being deployed already', version_number, model_name)
				ELSE format('another version of model "%s" is being deployed', model_name) END,
			DETAIL = format('Deployment %s, %s of version %s, is running.',
							running.deployment, running.strategy, running.version),
			HINT = format('Wait until it has ended, or end it with SELECT churnops_cancel_deployment(%s);',
						  running.deployment);
	END IF;
END
$$;
COMMENT ON FUNCTION churnops.refuse_running_deployment(text, integer, text) IS
'Refuses to deploy what runs already: a version twice, or a second canary or linear deployment.';

CREATE FUNCTION churnops.deploy(
	caller name,
	model_name text,
	version_number integer,
	strategy_name text,
	given jsonb,
	why text)
RETURNS bigint
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	strategies constant text[] := '{all_at_once,canary,linear,shadow}';
	settings jsonb;
	champion integer;
	id bigint;
	first_weight double precision;
	at timestamp with time zone;
BEGIN
	PERFORM churnops.check_name(model_name, 'model');
	IF version_number IS NULL OR strategy_name IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'null_value_not_allowed',
			MESSAGE = format('argument "%s" must not be null',
							 CASE WHEN version_number IS NULL THEN 'version' ELSE 'strategy' END);
	END IF;
	PERFORM churnops.lock_model(caller, model_name, 'deploy', 'champion');
	IF NOT strategy_name = ANY (strategies) THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('strategy "%s" does not exist', strategy_name),
			DETAIL = format('Strategies are %s.', array_to_string(strategies, ', ')),
			HINT = coalesce('Perhaps you meant "' || churnops.nearest_name(strategy_name, strategies) || '".',
				'Give one of them.');
	END IF;
	settings := churnops.deployment_config(strategy_name, given);
	PERFORM churnops.check_deployable(model_name, version_number,
		coalesce((settings->>'cool_down')::double precision, 0));

	SELECT a.version INTO champion FROM churnops.alias AS a
	WHERE a.model = model_name AND a.alias = 'champion';
	IF champion = version_number THEN
		RAISE EXCEPTION USING
			ERRCODE = 'object_not_in_prerequisite_state',
			MESSAGE = format('version %s is the champion of model "%s" already', version_number, model_name),
			HINT = 'Deploy another version; to go back to an earlier one, use churnops_rollback.';
	END IF;
	IF strategy_name <> 'all_at_once' THEN
		IF champion IS NULL THEN
			RAISE EXCEPTION USING
				ERRCODE = 'object_not_in_prerequisite_state',
				MESSAGE = format('model "%s" has no champion to compare version %s with', model_name, version_number),
				HINT = 'Deploy it with the strategy all_at_once.';
		END IF;
		PERFORM churnops.refuse_running_deployment(model_name, version_number, strategy_name);
	END IF;
	IF strategy_name <> 'shadow' AND champion IS NOT NULL THEN
		PERFORM churnops.check_contract(model_name, champion, version_number,
			(settings->>'new_columns')::boolean);
	END IF;

	first_weight := CASE strategy_name
		WHEN 'all_at_once' THEN 1
		WHEN 'shadow' THEN 0
		ELSE coalesce((settings->>'weight')::double precision, (settings->>'step')::double precision) END;
	id := nextval('churnops.deployment_deployment_seq');
	at := clock_timestamp();
	INSERT INTO churnops.deployment (deployment, model, version, strategy, status, champion_version,
		weight, salt, key, config_given, config, reason, created_by, started_at, step_at, ended_at)
	OVERRIDING SYSTEM VALUE
	VALUES (id, model_name, version_number, strategy_name,
		CASE strategy_name WHEN 'all_at_once' THEN 'promoted' ELSE 'running' END, champion,
		first_weight, id::text,
		churnops.routing_key(model_name, settings, champion, version_number), given, settings,
		why, caller, at, at, CASE strategy_name WHEN 'all_at_once' THEN at END);
	PERFORM churnops.decide_deployment(id, 'started', d.status, d.weight, caller, why,
			jsonb_build_object('champion_version', d.champion_version, 'version', d.version, 'key', d.key,
				'deployment', churnops.deployment_terms(d)))
	FROM churnops.deployment AS d WHERE d.deployment = id;
	IF strategy_name = 'all_at_once' THEN
		PERFORM churnops.make_champion(id, caller, why, '{}');
	END IF;
	RETURN id;
END
$$;
COMMENT ON FUNCTION churnops.deploy(name, text, integer, text, jsonb, text) IS
'churnops_deploy on behalf of a role.';

CREATE FUNCTION churnops.make_champion(deployment_id bigint, caller name, why text, numbers jsonb)
RETURNS void
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	d churnops.deployment;
BEGIN
	PERFORM churnops.decide_deployment(deployment_id, 'promoted', 'promoted', 1, caller, why, numbers);
	SELECT * INTO STRICT d FROM churnops.deployment AS r WHERE r.deployment = deployment_id;
	PERFORM churnops.set_alias(d.model, 'champion', d.version, caller,
		concat_ws(': ', format('deployment %s', deployment_id), why));
END
$$;
COMMENT ON FUNCTION churnops.make_champion(bigint, name, text, jsonb) IS
'Ends a deployment with its version as champion. Other deployments of the model end with that.';

CREATE FUNCTION churnops.cancel_deployment(caller name, deployment_id bigint, reason text)
RETURNS text
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	d churnops.deployment;
BEGIN
	IF deployment_id IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'null_value_not_allowed',
			MESSAGE = 'argument "deployment" must not be null';
	END IF;
	SELECT * INTO d FROM churnops.deployment AS r
	WHERE r.deployment = deployment_id AND churnops.has_right(caller, r.model, 'any');
	IF NOT FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'undefined_object',
			MESSAGE = format('deployment %s does not exist', deployment_id),
			HINT = 'Deployments of your models are listed in the view churnops.deployments.';
	END IF;
	PERFORM churnops.lock_model(caller, d.model, 'deploy', 'champion');
	SELECT * INTO STRICT d FROM churnops.deployment AS r WHERE r.deployment = deployment_id;
	IF d.status <> 'running' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'object_not_in_prerequisite_state',
			MESSAGE = format('deployment %s is not running', deployment_id),
			DETAIL = format('Its status is %s.', d.status),
			HINT = CASE d.status WHEN 'promoted'
				THEN format('To go back to what served before, use SELECT churnops_rollback(''%s'');', d.model)
				ELSE 'What runs is in the view churnops.deployments.' END;
	END IF;
	PERFORM churnops.decide_deployment(deployment_id, 'cancelled', 'cancelled', 0, caller, reason,
		jsonb_build_object('weight', d.weight));
	RETURN 'cancelled';
END
$$;
COMMENT ON FUNCTION churnops.cancel_deployment(name, bigint, text) IS
'churnops_cancel_deployment on behalf of a role.';
