-- Stages of a run: each takes the state and returns an outcome
--
-- What reads the user's rows or files is a public function, called as the user
-- (churnops.call_user).  What changes the registry is the function behind the
-- public one, which checks the caller's right.

CREATE FUNCTION churnops.run_reason(state jsonb, why text) RETURNS text
LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format('pipeline run %s: %s', state->>'pipeline_run', why)
$$;
COMMENT ON FUNCTION churnops.run_reason(jsonb, text) IS
'A reason for what a run does to a version.';

CREATE FUNCTION churnops.refuse_taken_alias(model_name text, alias_name text) RETURNS void
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	taken_by integer;
BEGIN
	SELECT a.version INTO taken_by FROM churnops.alias AS a
	WHERE a.model = model_name AND a.alias = alias_name;
	IF FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'duplicate_object',
			MESSAGE = format('alias "%s" of model "%s" is taken by version %s', alias_name, model_name, taken_by),
			HINT = format('Give the pipeline another alias, or drop this one: SELECT churnops_drop_alias(''%s@%s'');',
						  model_name, alias_name);
	END IF;
END
$$;
COMMENT ON FUNCTION churnops.refuse_taken_alias(text, text) IS
'Refuses an alias that a version has already.';

CREATE FUNCTION churnops.output_folder(document jsonb, version_number integer) RETURNS text
LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT rtrim(document #>> '{output,path}', '/') || '/'
		|| coalesce(document #>> '{output,alias}', 'v' || version_number)
$$;
COMMENT ON FUNCTION churnops.output_folder(jsonb, integer) IS
'The folder that a version is saved to, named as its alias or else by its number.';

CREATE FUNCTION churnops.stage_check(state jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	document constant jsonb := state->'document';
	caller constant name := state->>'caller';
	model_name constant text := state->>'model';
	alias_name constant text := document #>> '{output,alias}';
	serves constant text := CASE WHEN coalesce(document #>> '{deployment,strategy}', 'none') <> 'none'
		THEN coalesce(document #>> '{deployment,alias}', 'champion') END;
	existing churnops.model;
BEGIN
	SELECT * INTO existing FROM churnops.model AS m WHERE m.name = model_name;
	IF FOUND AND existing.target <> state->>'target' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('model "%s" predicts "%s", not "%s"', model_name, existing.target, state->>'target'),
			HINT = 'Versions of a model share task and target: train under another name.';
	END IF;
	IF alias_name IS NOT NULL THEN
		PERFORM churnops.check_name(alias_name, 'alias');
		PERFORM churnops.refuse_taken_alias(model_name, alias_name);
	END IF;
	-- A new model will be the caller's, with every right.
	IF existing.name IS NOT NULL THEN
		PERFORM churnops.require_right(caller, model_name, 'predict');
		PERFORM churnops.require_right(caller, model_name, 'deploy', a.alias)
		FROM (VALUES (alias_name), (serves)) AS a(alias) WHERE a.alias IS NOT NULL;
	END IF;
	IF document #> '{output,path}' IS NOT NULL THEN
		PERFORM churnops.check_folder_as(caller, document #>> '{output,path}', alias_name);
	END IF;
	RETURN churnops.outcome(format('model "%s" %s', model_name, CASE
		WHEN existing.name IS NULL THEN 'is new'
		ELSE format('has %s versions', existing.last_version) END));
END
$$;
COMMENT ON FUNCTION churnops.stage_check(jsonb) IS
'Refuses before any work what the release would be refused for: names that are taken, rights that are missing.';

CREATE FUNCTION churnops.stage_load(state jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	data constant jsonb := state #> '{document,data}';
	loaded jsonb;
BEGIN
	loaded := churnops.call_user(state, 'churnops_load_csv', jsonb_build_object(
		'path', data->'file',
		'table', coalesce(data->>'table', left('churnops_' || translate(state->>'model', '.-', '__'), 63)),
		'options', churnops.object_or_empty(data->'csv') || CASE WHEN data ? 'table' THEN '{}'
			ELSE '{"temporary": true, "if_exists": "replace"}' END::jsonb))->0;
	RETURN churnops.outcome(format('%s rows of %s columns from %s', loaded->>'n_rows',
			jsonb_array_length(loaded->'columns'), data->>'file'),
		jsonb_build_object('query', loaded->'table_name'),
		loaded);
END
$$;
COMMENT ON FUNCTION churnops.stage_load(jsonb) IS
'Loads the CSV file of a pipeline into its table, a temporary one unless it is named.';

CREATE FUNCTION churnops.stage_data(state jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	document constant jsonb := state->'document';
	survey jsonb;
	missing record;
BEGIN
	survey := churnops.survey_as((state->>'caller')::name, state->>'search_path',
		coalesce(state->>'query', document #>> '{data,query}', 'datasets:/' || (document #>> '{data,dataset}')));
	-- Sooner than the stages that would say so.
	SELECT w.name, w.role INTO missing
	FROM (
		SELECT state->>'target' AS name, 'target' AS role
		UNION ALL SELECT s, 'slice' FROM jsonb_array_elements_text(document #> '{evaluation,slices}') AS s) AS w
	WHERE NOT survey->'columns' ? w.name LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'undefined_column',
			MESSAGE = format('the data has no column "%s", which is a %s of the pipeline', missing.name, missing.role),
			DETAIL = format('It has %s.', (SELECT string_agg(c, ', ') FROM jsonb_array_elements_text(survey->'columns') AS c));
	END IF;
	RETURN churnops.outcome(
		format('%s rows of %s columns, digest %s', survey->>'n_rows', jsonb_array_length(survey->'columns'),
			left(survey->>'digest', 12)),
		jsonb_build_object('query', survey->'query', 'dataset_digest', survey->'digest', 'n_rows', survey->'n_rows'),
		survey);
END
$$;
COMMENT ON FUNCTION churnops.stage_data(jsonb) IS
'Finds out which rows a pipeline is about: their number and digest.';

CREATE FUNCTION churnops.run_expectations(data jsonb) RETURNS jsonb
LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce((
			SELECT jsonb_agg(x.kwargs || jsonb_build_object('expectation', x.expectation, 'severity', x.severity)
				ORDER BY x.id)
			FROM churnops.expectation AS x
			WHERE x.dataset = split_part(data->>'dataset', '/', 1)), '[]')
		|| coalesce(data->'expectations', '[]')
$$;
COMMENT ON FUNCTION churnops.run_expectations(jsonb) IS
'The expectations of a pipeline: those stored with its dataset, which the caller has been found to use, and '
'its own.';

CREATE FUNCTION churnops.stage_validate(state jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	level constant text := coalesce(state #>> '{document,evaluation,gates,data_quality}', 'critical');
	expectations jsonb;
	results jsonb;
	gate jsonb;
BEGIN
	expectations := churnops.run_expectations(state #> '{document,data}');
	IF expectations = '[]' THEN
		RETURN churnops.outcome('the dataset has no expectations', status => 'skipped');
	END IF;
	results := churnops.call_user(state, 'churnops_validate',
		jsonb_build_object('query', state->'query', 'expectations', expectations));
	gate := churnops.data_quality_gate(level, results);
	IF (gate->>'passed')::boolean THEN
		RETURN churnops.outcome(gate->>'message', jsonb_build_object('data_quality', gate), results);
	END IF;
	RETURN churnops.outcome(gate->>'message', jsonb_build_object('verdict', jsonb_build_object('passed', false,
			'champion_version', NULL, 'gates', jsonb_build_array(gate))), results, 'rejected');
END
$$;
COMMENT ON FUNCTION churnops.stage_validate(jsonb) IS
'Holds the rows against their expectations: what the gate of data quality refuses is not trained on.';

CREATE FUNCTION churnops.training_arguments(state jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT jsonb_build_object(
		'model', state->'model',
		'query', state->'query',
		'target', state->'target',
		'params', d->'hyperparameters',
		'key', d #> '{data,key}',
		'exclude', d #> '{data,exclude}',
		'weight', d #> '{data,weight}',
		'time_column', d #> '{data,time_column}',
		'task', d->'task',
		'positive_class', d->'positive_class',
		'test_size', d #> '{split,test_size}',
		'split_seed', d #> '{split,split_seed}',
		'description', d->'description')
	FROM (SELECT state->'document' AS d) AS x
$$;
COMMENT ON FUNCTION churnops.training_arguments(jsonb) IS
'The arguments of churnops_train and its like that a pipeline has.';

CREATE FUNCTION churnops.trained(state jsonb, training jsonb, message text) RETURNS jsonb
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	read_digest text;
BEGIN
	SELECT d.digest INTO STRICT read_digest
	FROM churnops.version AS v JOIN churnops.dataset AS d ON d.dataset = v.dataset
	WHERE v.model = state->>'model' AND v.version = (training->>'version')::integer;
	IF read_digest <> state->>'dataset_digest' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'serialization_failure',
			MESSAGE = 'the rows of the query changed while the pipeline ran',
			DETAIL = format('Their digest was %s and is %s.', left(state->>'dataset_digest', 12), left(read_digest, 12)),
			HINT = 'Run it again, in a transaction of isolation level REPEATABLE READ or on a registered dataset.';
	END IF;
	RETURN churnops.outcome(message,
		jsonb_build_object('version', training->'version', 'ref', training->'ref', 'metrics', training->'metrics',
			'n_test', training->'n_test'),
		training - 'metrics');
END
$$;
COMMENT ON FUNCTION churnops.trained(jsonb, jsonb, text) IS
'The outcome of a training, refused if it read other rows than were validated.';

CREATE FUNCTION churnops.stage_train(state jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	training jsonb := churnops.call_user(state, 'churnops_train', churnops.training_arguments(state))->0;
BEGIN
	RETURN churnops.trained(state, training, format('%s, on %s rows, %s held out', training->>'ref',
		training->>'n_train', training->>'n_test'));
END
$$;
COMMENT ON FUNCTION churnops.stage_train(jsonb) IS
'Trains the version, which is pending until the gates have decided.';

CREATE FUNCTION churnops.search_space(space jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	-- A range of a pipeline spells out what churnops_tune abbreviates, and has nulls.
	SELECT jsonb_object_agg(p.key, CASE jsonb_typeof(p.value)
		WHEN 'object' THEN jsonb_strip_nulls((p.value - 'integer') || jsonb_build_object('int', p.value->'integer'))
		ELSE p.value END)
	FROM jsonb_each(space) AS p
$$;
COMMENT ON FUNCTION churnops.search_space(jsonb) IS
'The space of a search as churnops_tune takes it.';

CREATE FUNCTION churnops.stage_tune(state jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	search constant jsonb := state #> '{document,search}';
	training jsonb;
	found record;
BEGIN
	training := churnops.call_user(state, 'churnops_tune', churnops.training_arguments(state) || jsonb_build_object(
		'space', churnops.search_space(search->'space'),
		'method', search->'method',
		'n_iter', search->'n_iter',
		'cv', search->'cv',
		'objective', search->'objective',
		'seed', search->'seed',
		'early_stop', search->'early_stop',
		'options', CASE search->>'method' WHEN 'halving' THEN jsonb_build_object('factor', search->'factor') ELSE '{}' END))->0;
	SELECT s.objective, count(t.*) AS n_trials, v.params INTO STRICT found
	FROM churnops.version AS v
	JOIN churnops.run AS r ON r.run = v.run
	JOIN churnops.study AS s ON s.study = r.study
	LEFT JOIN churnops.trial AS t ON t.study = s.study
	WHERE v.model = state->>'model' AND v.version = (training->>'version')::integer
	GROUP BY s.study, v.model, v.version;
	RETURN churnops.trained(state, training, format('%s, the best of %s trials by %s: %s', training->>'ref', found.n_trials,
		found.objective, (
			SELECT string_agg(format('%s %s', k, found.params->>k), ', ' ORDER BY k COLLATE "C")
			FROM jsonb_object_keys(search->'space') AS k)));
END
$$;
COMMENT ON FUNCTION churnops.stage_tune(jsonb) IS
'Searches for hyper-parameters, and trains the version with the best.';

CREATE FUNCTION churnops.searched_params(state jsonb) RETURNS jsonb
LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce(state #> '{document,hyperparameters}', '{}') || coalesce((
		SELECT jsonb_object_agg(k, v.params->k)
		FROM churnops.version AS v, jsonb_object_keys(state #> '{document,search,space}') AS k
		WHERE v.model = state->>'model' AND v.version = (state->>'version')::integer), '{}')
$$;
COMMENT ON FUNCTION churnops.searched_params(jsonb) IS
'The hyper-parameters of a pipeline, with those that its search has found.';

CREATE FUNCTION churnops.stage_cross_validate(state jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	cv constant jsonb := state #> '{document,cv}';
	search constant jsonb := state #> '{document,search}';
	nested constant boolean := coalesce((cv->>'nested')::boolean, false);
	folds jsonb;
BEGIN
	folds := churnops.call_user(state, 'churnops_cross_validate', (churnops.training_arguments(state) - 'model')
		|| jsonb_build_object(
			'params', CASE WHEN nested THEN state #> '{document,hyperparameters}' ELSE churnops.searched_params(state) END,
			'cv', (cv - 'nested') || CASE WHEN nested THEN jsonb_build_object('nested',
				(search - '{space,factor}'::text[]) || jsonb_build_object('space', churnops.search_space(search->'space')))
				ELSE '{}' END));
	RETURN churnops.outcome((
		SELECT string_agg(format('%s %s ± %s', m.metric, churnops.number_text(m.mean), churnops.number_text(m.sd)), ', '
			ORDER BY m.metric COLLATE "C")
		FROM (
			SELECT f.value->>'metric' AS metric, avg((f.value->>'value')::double precision) AS mean,
				stddev_samp((f.value->>'value')::double precision) AS sd
			FROM jsonb_array_elements(folds) AS f
			WHERE f.value->>'class' IS NULL AND churnops.is_reported(state, f.value->>'metric')
			GROUP BY f.value->>'metric') AS m), detail => folds);
END
$$;
COMMENT ON FUNCTION churnops.stage_cross_validate(jsonb) IS
'Estimates by cross-validation how good such versions are, whatever the holdout will say.';

CREATE FUNCTION churnops.is_reported(state jsonb, metric text) RETURNS boolean
LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE WHEN state #> '{document,evaluation,metrics}' IS NOT NULL
		THEN state #> '{document,evaluation,metrics}' ? metric
		ELSE metric IN ('accuracy', 'roc_auc', 'log_loss', 'rmse', 'r2') END
$$;
COMMENT ON FUNCTION churnops.is_reported(jsonb, text) IS
'Whether a metric belongs into a message: those of the pipeline, or the usual ones.';

CREATE FUNCTION churnops.decided_measures(state jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	-- Without a holdout there are out-of-bag metrics, in the same form.
	SELECT coalesce(jsonb_agg(jsonb_build_object('metric', m.key, 'class', NULL, 'value', m.value, 'n', NULL,
			'slice', NULL, 'slice_value', NULL, 'ci_low', NULL, 'ci_high', NULL)), '[]')
	FROM jsonb_each(churnops.object_or_empty(state #> '{metrics,oob}')) AS m
$$;
COMMENT ON FUNCTION churnops.decided_measures(jsonb) IS
'Out-of-bag metrics of a version as rows like those of churnops_evaluate.';

CREATE FUNCTION churnops.measured_latency(state jsonb) RETURNS jsonb
LANGUAGE sql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE WHEN state #> '{document,evaluation,gates,latency}' IS NOT NULL
		THEN churnops.latency_as((state->>'caller')::name, state->>'search_path', state->>'ref', state->>'query') END
$$;
COMMENT ON FUNCTION churnops.measured_latency(jsonb) IS
'How long a row takes to be scored, if there is a gate that asks; else NULL.';

CREATE FUNCTION churnops.holdout_measures(state jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	evaluation constant jsonb := state #> '{document,evaluation}';
	threshold constant double precision := CASE evaluation #>> '{threshold,rule}'
		WHEN 'value' THEN (evaluation #>> '{threshold,value}')::double precision
		ELSE (state #>> '{metrics,threshold,threshold}')::double precision END;
	found record;
BEGIN
	IF evaluation #> '{gates,calibration}' IS NULL AND evaluation->'threshold' IS NULL THEN
		RETURN '[]';
	END IF;
	SELECT count(*) AS n, @extschema@.churnops_ece(h.label, h.score, 15, 'quantile', h.weight) AS ece,
		sum(h.weight) FILTER (WHERE h.score >= threshold AND h.label) AS tp,
		sum(h.weight) FILTER (WHERE h.score >= threshold) AS predicted,
		sum(h.weight) FILTER (WHERE h.label) AS positive,
		sum(h.weight) FILTER (WHERE (h.score >= threshold) = h.label) AS hits,
		sum(h.weight) AS total
	INTO STRICT found
	FROM churnops.holdout_as((state->>'caller')::name, state->>'search_path', state->>'ref') AS h;
	IF found.n = 0 THEN
		RETURN '[]';
	END IF;
	RETURN (
		SELECT jsonb_agg(jsonb_build_object('metric', m.metric, 'class', NULL, 'value', m.value, 'n', found.n,
			'slice', NULL, 'slice_value', NULL, 'ci_low', NULL, 'ci_high', NULL) ORDER BY m.place)
		FROM (VALUES
			(1, 'ece', found.ece),
			(2, 'threshold', threshold),
			(3, 'precision_at_threshold', coalesce(found.tp, 0) / found.predicted),
			(4, 'recall_at_threshold', coalesce(found.tp, 0) / found.positive),
			(5, 'accuracy_at_threshold', coalesce(found.hits, 0) / found.total),
			(6, 'share_at_threshold', coalesce(found.predicted, 0) / found.total)) AS m(place, metric, value)
		WHERE m.place = 1 OR threshold IS NOT NULL);
END
$$;
COMMENT ON FUNCTION churnops.holdout_measures(jsonb) IS
'What a pipeline asks of a version of two classes beyond its metrics, as rows like those of churnops_evaluate: '
'the expected calibration error over 15 bins of equal size, and what the threshold leads to that was chosen on '
'out-of-bag rows.';

CREATE FUNCTION churnops.stage_evaluate(state jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	evaluation constant jsonb := churnops.object_or_empty(state #> '{document,evaluation}');
	measures jsonb;
	others jsonb;
	wanted jsonb;
BEGIN
	IF (state->>'n_test')::bigint = 0 THEN
		measures := churnops.decided_measures(state);
		RETURN churnops.outcome('no rows are held out: the metrics are those of out-of-bag rows',
			jsonb_build_object('measures', measures, 'latency', churnops.measured_latency(state)), measures);
	END IF;
	measures := churnops.call_user(state, 'churnops_evaluate', jsonb_build_object(
		'model_ref', state->'ref', 'slices', evaluation->'slices', 'confidence', evaluation->'confidence'));
	others := churnops.holdout_measures(state);
	SELECT coalesce(jsonb_agg(m.value ORDER BY m.place), '[]') INTO wanted
	FROM jsonb_array_elements(measures) WITH ORDINALITY AS m(value, place)
	WHERE NOT evaluation ? 'metrics' OR evaluation->'metrics' ? (m.value->>'metric');
	RETURN churnops.outcome(format('%s rows: %s', state->>'n_test', (
			SELECT string_agg(format('%s %s', m.value->>'metric',
				churnops.number_text((m.value->>'value')::double precision)), ', ' ORDER BY m.place)
			FROM jsonb_array_elements(wanted || others) WITH ORDINALITY AS m(value, place)
			WHERE m.value->>'class' IS NULL AND m.value->>'slice' IS NULL
				AND (churnops.is_reported(state, m.value->>'metric') OR m.place > jsonb_array_length(wanted)))),
		jsonb_build_object('measures', measures || others, 'latency', churnops.measured_latency(state)),
		wanted || others);
END
$$;
COMMENT ON FUNCTION churnops.stage_evaluate(jsonb) IS
'Measures the version on its holdout.';

CREATE FUNCTION churnops.champion_of(model_name text) RETURNS integer
LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT a.version FROM churnops.alias AS a WHERE a.model = model_name AND a.alias = 'champion'
$$;
COMMENT ON FUNCTION churnops.champion_of(text) IS
'The version that serves as champion; NULL if none does.';

CREATE FUNCTION churnops.default_metric(model_name text, version_number integer) RETURNS text
LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE WHEN v.classes IS NULL THEN 'rmse'
		WHEN v.positive_class IS NULL THEN 'roc_auc_macro' ELSE 'roc_auc' END
	FROM churnops.version AS v WHERE v.model = model_name AND v.version = version_number
$$;
COMMENT ON FUNCTION churnops.default_metric(text, integer) IS
'The metric that versions are compared by where the pipeline names none.';

CREATE FUNCTION churnops.stage_compare(state jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	rule constant jsonb := state #> '{document,evaluation,gates,champion}';
	metric constant text := coalesce(rule->>'metric',
		churnops.default_metric(state->>'model', (state->>'version')::integer));
	champion constant integer := churnops.champion_of(state->>'model');
	compared jsonb;
BEGIN
	IF champion IS NULL THEN
		RETURN churnops.outcome('there is no champion to compare with', status => 'skipped');
	END IF;
	IF (state->>'n_test')::bigint = 0 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = 'no rows are held out to compare with the champion on',
			HINT = 'Give split.test_size a share of the rows, or leave the gate "champion" out.';
	END IF;
	compared := churnops.call_user(state, 'churnops_compare', jsonb_build_object(
		'ref_a', state->'ref', 'ref_b', format('%s/%s', state->>'model', champion), 'metric', metric,
		'margin', rule->'margin', 'confidence', rule->'confidence'));
	RETURN churnops.outcome(format('%s is %s against %s of version %s', metric,
			churnops.number_text((churnops.measured(compared, metric)->>'value_a')::double precision),
			churnops.number_text((churnops.measured(compared, metric)->>'value_b')::double precision), champion),
		jsonb_build_object('champion_version', champion,
			'compared', churnops.measured(compared, metric)), compared);
END
$$;
COMMENT ON FUNCTION churnops.stage_compare(jsonb) IS
'Compares the version with the champion on the same holdout.';

CREATE FUNCTION churnops.stage_gates(state jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	model_name constant text := state->>'model';
	version_number constant integer := (state->>'version')::integer;
	caller constant name := state->>'caller';
	gates jsonb;
	refusals text;
	verdict_id bigint;
	n_gates integer;
BEGIN
	PERFORM churnops.lock_model(caller, model_name, 'train');
	gates := churnops.all_gates(churnops.object_or_empty(state #> '{document,evaluation,gates}'),
		jsonb_build_object(
			'metric', churnops.default_metric(model_name, version_number),
			'measures', state->'measures',
			'checks', state #> '{metrics,checks}',
			'champion_version', state->'champion_version',
			'compared', state->'compared',
			'latency', state->'latency',
			'artifact', (
				SELECT jsonb_build_object('value', octet_length(v.artifact)) FROM churnops.version AS v
				WHERE v.model = model_name AND v.version = version_number))
		|| CASE WHEN state ? 'data_quality' THEN jsonb_build_object('data_quality', state->'data_quality') ELSE '{}' END);
	refusals := churnops.refusals(gates);
	n_gates := jsonb_array_length(gates);

	INSERT INTO churnops.verdict (model, version, pipeline_run, passed, champion_version, gates, decided_by,
		"session_user", decided_at)
	VALUES (model_name, version_number, (state->>'pipeline_run')::bigint, refusals IS NULL,
		(state->>'champion_version')::integer, gates, caller, session_user, clock_timestamp())
	RETURNING verdict INTO STRICT verdict_id;
	PERFORM churnops.write_audit(caller, 'verdict', model_name, version_number,
		jsonb_build_object('pipeline_run', state->'pipeline_run', 'passed', refusals IS NULL),
		jsonb_build_object('verdict', verdict_id));
	IF refusals IS NOT NULL THEN
		PERFORM churnops.set_status(caller, 'reject', model_name, version_number, 'rejected',
			churnops.run_reason(state, refusals));
	END IF;
	RETURN churnops.outcome(CASE WHEN refusals IS NULL THEN format('passed %s gates', n_gates)
			ELSE refusals END,
		jsonb_build_object('verdict', jsonb_build_object('passed', refusals IS NULL,
			'champion_version', state->'champion_version', 'gates', gates)), gates,
		CASE WHEN refusals IS NULL THEN 'succeeded' ELSE 'rejected' END);
END
$$;
COMMENT ON FUNCTION churnops.stage_gates(jsonb) IS
'Asks the gates, keeps their verdict with the version, and rejects it if one of them refuses.';

CREATE FUNCTION churnops.stage_approve(state jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	model_name constant text := state->>'model';
	version_number constant integer := (state->>'version')::integer;
	caller constant name := state->>'caller';
	rule boolean;
BEGIN
	PERFORM churnops.lock_model(caller, model_name, 'train');
	SELECT m.require_approval INTO STRICT rule FROM churnops.model AS m WHERE m.name = model_name;
	IF rule OR coalesce((state #>> '{document,approval,required}')::boolean, false) THEN
		RETURN churnops.outcome(format('it waits for SELECT churnops_approve(''%s'')', state->>'ref'),
			'{"waits": true}');
	END IF;
	PERFORM churnops.set_status(caller, 'approve', model_name, version_number, 'approved',
		churnops.run_reason(state, 'passed its gates'));
	PERFORM FROM churnops.alias_event AS e WHERE e.model = model_name AND e.alias = 'champion' LIMIT 1;
	-- Of another's model the caller may do no more than train; the stage of the alias gives it that.
	IF FOUND OR NOT churnops.has_right(caller, model_name, 'deploy', 'champion')
		OR state #>> '{document,output,alias}' = 'champion' THEN
		RETURN churnops.outcome('approved');
	END IF;
	PERFORM churnops.set_alias(model_name, 'champion', version_number, caller,
		churnops.run_reason(state, 'first version of the model that passed'));
	RETURN churnops.outcome('approved, and champion as the first version');
END
$$;
COMMENT ON FUNCTION churnops.stage_approve(jsonb) IS
'Approves the version, unless the pipeline or the model wants that of a person. The first one that is approved '
'becomes champion of a model that never had one, as by churnops_approve, if the caller may deploy.';

CREATE FUNCTION churnops.waiting(state jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT churnops.outcome('the version is not approved yet', status => 'skipped')
	WHERE (state->>'waits')::boolean
$$;
COMMENT ON FUNCTION churnops.waiting(jsonb) IS
'The outcome of a stage that needs an approved version, while it waits for the approval; else NULL.';

CREATE FUNCTION churnops.stage_alias(state jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	alias_name constant text := state #>> '{document,output,alias}';
BEGIN
	IF churnops.waiting(state) IS NOT NULL THEN
		RETURN churnops.waiting(state);
	END IF;
	PERFORM churnops.lock_model((state->>'caller')::name, state->>'model', 'deploy', alias_name);
	PERFORM churnops.refuse_taken_alias(state->>'model', alias_name);
	PERFORM churnops.promote((state->>'caller')::name, state->>'ref', alias_name,
		churnops.run_reason(state, 'released'));
	RETURN churnops.outcome(format('has the alias %s', alias_name));
END
$$;
COMMENT ON FUNCTION churnops.stage_alias(jsonb) IS
'Gives the version its alias.';

CREATE FUNCTION churnops.stage_save(state jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	folder text := churnops.output_folder(state->'document', (state->>'version')::integer);
BEGIN
	IF churnops.waiting(state) IS NOT NULL THEN
		RETURN churnops.waiting(state);
	END IF;
	folder := churnops.call_user(state, 'churnops_save',
		jsonb_build_object('model_ref', state->'ref', 'path', folder))->>0;
	RETURN churnops.outcome(format('saved to %s', folder), detail => jsonb_build_object('folder', folder));
END
$$;
COMMENT ON FUNCTION churnops.stage_save(jsonb) IS
'Writes the version to its folder.';

CREATE FUNCTION churnops.stage_deploy(state jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	deployment constant jsonb := state #> '{document,deployment}';
	strategy constant text := deployment->>'strategy';
	alias_name constant text := coalesce(deployment->>'alias', 'champion');
	caller constant name := state->>'caller';
	reason constant text := churnops.run_reason(state, 'passed its gates');
	id bigint;
BEGIN
	IF churnops.waiting(state) IS NOT NULL THEN
		RETURN churnops.waiting(state);
	END IF;
	IF alias_name <> 'champion' THEN
		PERFORM churnops.promote(caller, state->>'ref', alias_name, reason);
		RETURN churnops.outcome(format('serves as %s', alias_name));
	END IF;
	IF churnops.champion_of(state->>'model') = (state->>'version')::integer THEN
		RETURN churnops.outcome('serves as champion already', status => 'skipped');
	END IF;
	id := churnops.deploy(caller, state->>'model', (state->>'version')::integer, strategy,
		churnops.object_or_empty(deployment->'config'), reason);
	RETURN churnops.outcome(CASE strategy WHEN 'all_at_once' THEN 'serves as champion'
			ELSE format('%s started', strategy) END,
		detail => jsonb_build_object('deployment', id));
END
$$;
COMMENT ON FUNCTION churnops.stage_deploy(jsonb) IS
'Brings the version into service by the strategy of the pipeline.';
