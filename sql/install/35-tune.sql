-- Tuning: cross-validation, searches for parameters and their trials
--
-- A call records what it tried at its end, so that a search which is cancelled
-- leaves nothing, and one that is done in several calls goes on where the last
-- committed one ended.

CREATE TABLE churnops.study (
	study bigint GENERATED ALWAYS AS IDENTITY,
	model text COLLATE "C" NOT NULL,
	name text COLLATE "C",
	method text NOT NULL,
	objective text NOT NULL,
	higher_is_better boolean NOT NULL,
	settings jsonb NOT NULL,
	created_by text NOT NULL,
	"session_user" text NOT NULL,
	created_at timestamp with time zone NOT NULL,
	CONSTRAINT study_pkey PRIMARY KEY (study),
	CONSTRAINT study_name_key UNIQUE (model, name),
	CONSTRAINT study_method_check CHECK (method IN ('random', 'grid', 'halving', 'tpe'))
);
COMMENT ON TABLE churnops.study IS
'Searches for parameters: what was searched for, on which rows and how. Frozen.';
COMMENT ON COLUMN churnops.study.name IS
'Name under which later calls go on with the search; NULL if it was done in one call.';
COMMENT ON COLUMN churnops.study.settings IS
'All that the trials follow from: fingerprint of the query, digest of the rows, space, method, folds, '
'fixed parameters, seed. Another call goes on only if they are the same.';
COMMENT ON COLUMN churnops.study."session_user" IS
'Role that logged in. Quote the name: unquoted, session_user is the function.';

CREATE TABLE churnops.trial (
	trial bigint GENERATED ALWAYS AS IDENTITY,
	model text COLLATE "C" NOT NULL,
	study bigint NOT NULL,
	number integer NOT NULL,
	candidate integer NOT NULL,
	rung integer NOT NULL,
	params jsonb NOT NULL,
	seed bigint NOT NULL,
	status text NOT NULL,
	fold_scores double precision[] NOT NULL,
	objective double precision,
	n_trees integer NOT NULL,
	resources bigint,
	seconds double precision NOT NULL,
	message text,
	created_by text NOT NULL,
	"session_user" text NOT NULL,
	created_at timestamp with time zone NOT NULL,
	CONSTRAINT trial_pkey PRIMARY KEY (trial),
	CONSTRAINT trial_number_key UNIQUE (study, number),
	CONSTRAINT trial_status_check CHECK (status IN ('succeeded', 'pruned', 'failed'))
);
CREATE INDEX trial_model_idx ON churnops.trial (model);
COMMENT ON TABLE churnops.trial IS
'Trials of searches: parameters, scores and time. Frozen.';
COMMENT ON COLUMN churnops.trial.number IS
'Number of the trial in its study, from 0.';
COMMENT ON COLUMN churnops.trial.candidate IS
'Number of its point, from 0: in successive halving the same point is tried in several rungs.';
COMMENT ON COLUMN churnops.trial.rung IS
'Rung of successive halving, from 0.';
COMMENT ON COLUMN churnops.trial.params IS
'The parameters searched for; fixed ones are in the settings of the study.';
COMMENT ON COLUMN churnops.trial.seed IS
'random_state of its forests.';
COMMENT ON COLUMN churnops.trial.status IS
'succeeded, pruned (given up after some folds) or failed, with a message.';
COMMENT ON COLUMN churnops.trial.fold_scores IS
'Objective of each fold, NULL where it is undefined; one score, out of bag, without folds.';
COMMENT ON COLUMN churnops.trial.objective IS
'Mean of the scores; NULL if the trial failed.';
COMMENT ON COLUMN churnops.trial.n_trees IS
'Trees grown: the most that a fold needed.';
COMMENT ON COLUMN churnops.trial.resources IS
'Training rows or trees of its rung in successive halving; NULL if all.';
COMMENT ON COLUMN churnops.trial."session_user" IS
'Role that logged in. Quote the name: unquoted, session_user is the function.';

CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON churnops.study
	FOR EACH ROW EXECUTE FUNCTION churnops.refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON churnops.study
	FOR EACH STATEMENT EXECUTE FUNCTION churnops.refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON churnops.trial
	FOR EACH ROW EXECUTE FUNCTION churnops.refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON churnops.trial
	FOR EACH STATEMENT EXECUTE FUNCTION churnops.refuse_change();

SELECT pg_catalog.pg_extension_config_dump('churnops.study', '');
SELECT pg_catalog.pg_extension_config_dump('churnops.study_study_seq', '');
SELECT pg_catalog.pg_extension_config_dump('churnops.trial', '');
SELECT pg_catalog.pg_extension_config_dump('churnops.trial_trial_seq', '');

-- Since: 0.2.0
CREATE FUNCTION @extschema@.churnops_tune(
	model text,
	query text,
	target text,
	space jsonb,
	method text DEFAULT 'random',
	n_iter integer DEFAULT 10,
	cv jsonb DEFAULT NULL,
	objective text DEFAULT NULL,
	params jsonb DEFAULT '{}',
	seed integer DEFAULT 0,
	options jsonb DEFAULT '{}',
	study text DEFAULT NULL,
	max_trials integer DEFAULT NULL,
	early_stop boolean DEFAULT false,
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
AS 'MODULE_PATHNAME', 'churnops_tune';
COMMENT ON FUNCTION @extschema@.churnops_tune(text, text, text, jsonb, text, integer, jsonb, text, jsonb, integer, jsonb, text, integer, boolean, text[], text[], text, text, text, double precision, integer, text, text) IS
'Searches for parameters and stores a version trained with the best ones. The rows are read and '
'prepared once for all trials. space gives for each parameter a list of values or a range {"low", "high", '
'"log", "int", "step"}, params what is fixed; method is random, grid, halving or tpe, options are its own. '
'Trials are measured by the objective, out of bag or, with cv, by folds of the training part; the holdout '
'is seen by the version alone. early_stop ends a forest where more trees do not help. '
'With a study a later call goes on: n_iter is the number of trials in all, max_trials that of this call, '
'and as long as trials are left the status is incomplete and no version is stored. The other arguments are '
'those of churnops_train.';

-- Since: 0.2.0
CREATE FUNCTION @extschema@.churnops_cross_validate(
	query text,
	target text,
	params jsonb DEFAULT '{}',
	cv jsonb DEFAULT '{"folds": 5}',
	key text[] DEFAULT NULL,
	exclude text[] DEFAULT NULL,
	weight text DEFAULT NULL,
	task text DEFAULT NULL,
	positive_class text DEFAULT NULL,
	time_column text DEFAULT NULL)
RETURNS TABLE (
	repeat integer,
	fold integer,
	metric text,
	class text,
	value double precision,
	n_train bigint,
	n_test bigint,
	fold_params jsonb)
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_cross_validate';
COMMENT ON FUNCTION @extschema@.churnops_cross_validate(text, text, jsonb, jsonb, text[], text[], text, text, text, text) IS
'Metrics of forests on rows they were not grown from, a row for each repeat, fold and metric; class is NULL '
'but for the measures of single classes. cv is {"folds", "method", "repeats", "seed", "gap", "test_size", '
'"max_train_size", "nested"}; method is stratified, kfold, group, stratified_group or time, by default '
'what the task, key and time_column ask for. With nested each fold searches for its own parameters, which '
'are in fold_params. Nothing is stored.';

CREATE FUNCTION churnops.find_study(
	caller name,
	model_name text,
	study_name text,
	settings jsonb)
RETURNS TABLE (
	number integer,
	candidate integer,
	rung integer,
	params text,
	status text,
	fold_scores double precision[],
	objective double precision,
	n_trees integer,
	resources bigint,
	seconds double precision,
	message text)
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found_study record;
	others text;
BEGIN
	-- Whoever may train the model has been let in; a new model has no studies.
	SELECT s.study, s.settings INTO found_study FROM churnops.study AS s
	WHERE s.model = model_name AND s.name = study_name;
	IF NOT FOUND THEN
		RETURN;
	END IF;
	SELECT string_agg(format('"%s" was %s and is %s', coalesce(b.key, n.key),
			coalesce(left(b.value::text, 80), 'not given'), coalesce(left(n.value::text, 80), 'not given')),
		', ' ORDER BY coalesce(b.key, n.key))
	INTO others
	FROM jsonb_each(found_study.settings) AS b FULL JOIN jsonb_each(find_study.settings) AS n USING (key)
	WHERE b.value IS DISTINCT FROM n.value;
	IF others IS NOT NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('study "%s" of model "%s" was begun with other settings', study_name, model_name),
			DETAIL = format('Different: %s.', others),
			HINT = 'Go on with the same rows and arguments, or give the study another name.';
	END IF;
	RETURN QUERY
	SELECT t.number, t.candidate, t.rung, t.params::text, t.status, t.fold_scores, t.objective, t.n_trees,
		t.resources, t.seconds, t.message
	FROM churnops.trial AS t WHERE t.study = found_study.study ORDER BY t.number;
END
$$;
COMMENT ON FUNCTION churnops.find_study(name, text, text, jsonb) IS
'Trials that earlier calls left of a study, in order; an error if its settings were others. Called by '
'the search, which has checked the right to train.';

CREATE FUNCTION churnops.record_study(document jsonb) RETURNS bigint
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	d record;
	recorded_at timestamp with time zone := clock_timestamp();
	study_id bigint;
	is_new boolean := false;
	n_stored integer := 0;
	first_trial bigint;
	trials bigint[];
	created boolean;
BEGIN
	SELECT * INTO STRICT d FROM jsonb_to_record(document) AS r(
		model text, caller text, "session_user" text, name text, method text, objective text,
		higher_is_better boolean, settings jsonb, seed bigint, n_stored integer, trials jsonb);
	-- Holds the model's row to the end of the transaction.
	created := churnops.claim_model(document, recorded_at);

	SELECT s.study INTO study_id FROM churnops.study AS s WHERE s.model = d.model AND s.name = d.name;
	IF NOT FOUND THEN
		is_new := true;
		INSERT INTO churnops.study (model, name, method, objective, higher_is_better, settings, created_by,
			"session_user", created_at)
		VALUES (d.model, d.name, d.method, d.objective, d.higher_is_better, d.settings, d.caller,
			d."session_user", recorded_at)
		RETURNING study INTO STRICT study_id;
	ELSE
		SELECT count(*) INTO n_stored FROM churnops.trial AS t WHERE t.study = study_id;
	END IF;
	IF n_stored <> d.n_stored THEN
		RAISE EXCEPTION USING
			ERRCODE = 'object_in_use',
			MESSAGE = format('study "%s" of model "%s" went on in another session', d.name, d.model),
			DETAIL = format('It had %s trials when this call began, it has %s now.', d.n_stored, n_stored),
			HINT = 'Call it again: it goes on with the trials that are there.';
	END IF;

	WITH added AS (
		INSERT INTO churnops.trial (model, study, number, candidate, rung, params, seed, status, fold_scores,
			objective, n_trees, resources, seconds, message, created_by, "session_user", created_at)
		SELECT d.model, study_id, t.number, t.candidate, t.rung, t.params, d.seed, t.status,
			ARRAY(SELECT (e.score #>> '{}')::double precision
				FROM jsonb_array_elements(t.fold_scores) WITH ORDINALITY AS e(score, place) ORDER BY e.place),
			t.objective, t.n_trees, t.resources, t.seconds, t.message, d.caller, d."session_user", recorded_at
		FROM jsonb_to_recordset(d.trials) AS t(number integer, candidate integer, rung integer, params jsonb,
			status text, fold_scores jsonb, objective double precision, n_trees integer, resources bigint,
			seconds double precision, message text)
		ORDER BY t.number
		RETURNING trial)
	SELECT coalesce(array_agg(a.trial ORDER BY a.trial), '{}') INTO trials FROM added AS a;

	IF is_new OR trials <> '{}' THEN
		PERFORM churnops.write_audit(d.caller::name, 'tune', d.model, NULL,
			jsonb_build_object('study', study_id, 'name', d.name, 'n_trials', cardinality(trials))
				|| CASE WHEN created AND (SELECT m.require_approval FROM churnops.model AS m WHERE m.name = d.model)
					THEN '{"set": {"require_approval": true}}' ELSE '{}' END::jsonb,
			jsonb_build_object('trial', to_jsonb(trials))
				|| CASE WHEN is_new THEN jsonb_build_object('study', study_id) ELSE '{}' END);
	END IF;
	RETURN study_id;
END
$$;
COMMENT ON FUNCTION churnops.record_study(jsonb) IS
'Stores the trials of a call, and the study if it is new; makes the model if there is none yet. Called by '
'the search, which has checked the caller.';

CREATE VIEW churnops.leaderboard WITH (security_barrier) AS
SELECT
	b.model,
	b.kind,
	b.study,
	b.name,
	b.number,
	b.version,
	CASE WHEN b.ranked THEN rank() OVER (
		PARTITION BY b.model, b.kind, b.study, b.ranked, b.metric
		ORDER BY b.rung DESC, CASE WHEN b.higher_is_better THEN -b.value ELSE b.value END NULLS LAST)
	END AS rank,
	b.metric,
	b.value,
	b.params,
	b.status,
	b.rung,
	b.seconds,
	b.created_at
FROM (
	SELECT t.model, 'trial' AS kind, t.study, s.name, t.number,
		(SELECT v.version FROM churnops.run AS r JOIN churnops.version AS v ON v.run = r.run
		 WHERE r.study = t.study AND (v.metrics->'tuning'->>'trial')::integer = t.number
		 ORDER BY v.version DESC LIMIT 1) AS version,
		s.objective AS metric, t.objective AS value, s.higher_is_better, t.params, t.status, t.rung, t.seconds,
		t.created_at, t.status = 'succeeded' AS ranked
	FROM churnops.trial AS t JOIN churnops.study AS s ON s.study = t.study
	UNION ALL
	SELECT v.model, 'version', r.study, s.name, NULL, v.version, o.metric,
		(v.metrics->'holdout'->>o.metric)::double precision,
		o.metric NOT IN ('log_loss', 'brier', 'rmse', 'mae'), v.params,
		(SELECT e.status FROM churnops.version_event AS e
		 WHERE e.model = v.model AND e.version = v.version ORDER BY e.event DESC LIMIT 1),
		0, r.seconds, v.created_at, v.metrics->'holdout'->>o.metric IS NOT NULL
	FROM churnops.version AS v
	JOIN churnops.run AS r ON r.run = v.run
	LEFT JOIN churnops.study AS s ON s.study = r.study
	CROSS JOIN LATERAL (
		SELECT coalesce(
			(SELECT l.objective FROM churnops.study AS l WHERE l.model = v.model ORDER BY l.study DESC LIMIT 1),
			CASE WHEN v.classes IS NULL THEN 'rmse' WHEN jsonb_array_length(v.classes) = 2 THEN 'roc_auc'
				ELSE 'log_loss' END) AS metric) AS o
) AS b
WHERE @extschema@.churnops_has_right(b.model, 'read');
COMMENT ON VIEW churnops.leaderboard IS
'Trials of the searches, and versions, of the models the current role may read, ranked: trials within their '
'study by its objective, versions within their model by the holdout''s value of the latest study''s objective.';
COMMENT ON COLUMN churnops.leaderboard.model IS 'Name of the model.';
COMMENT ON COLUMN churnops.leaderboard.kind IS 'trial or version.';
COMMENT ON COLUMN churnops.leaderboard.study IS
'Number of the study; of a version that whose winner it is, NULL if its parameters were given.';
COMMENT ON COLUMN churnops.leaderboard.name IS 'Name of the study, if it has one.';
COMMENT ON COLUMN churnops.leaderboard.number IS 'Number of the trial in its study, from 0; NULL for a version.';
COMMENT ON COLUMN churnops.leaderboard.version IS
'Number of the version; of a trial the version that was trained with its parameters, if it won.';
COMMENT ON COLUMN churnops.leaderboard.rank IS
'Place among the trials of the study (of halving, the last rung first) or the versions of the model; NULL '
'where there is no value, or the trial did not succeed.';
COMMENT ON COLUMN churnops.leaderboard.metric IS 'What value is a value of.';
COMMENT ON COLUMN churnops.leaderboard.value IS
'Of a trial the mean over its folds, or out of bag; of a version that of the holdout.';
COMMENT ON COLUMN churnops.leaderboard.params IS
'Of a trial the parameters searched for, of a version all.';
COMMENT ON COLUMN churnops.leaderboard.status IS
'Of a trial succeeded, pruned or failed; of a version its status.';
COMMENT ON COLUMN churnops.leaderboard.rung IS 'Rung of successive halving, from 0.';
COMMENT ON COLUMN churnops.leaderboard.seconds IS 'Duration of the trial, or of the call that trained the version.';
COMMENT ON COLUMN churnops.leaderboard.created_at IS 'Time it was stored.';
