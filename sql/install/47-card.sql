-- Model cards: what is known of a version, as one Markdown text
--
-- Everything comes from the registry, in a fixed order and with times in UTC, so
-- the card of a version changes only when something happens to it.  What users
-- have written is escaped: no text can make a heading, a cell or a list.

-- Since: 0.2.0
CREATE FUNCTION @extschema@.churnops_model_card(model_ref text) RETURNS text
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_as_owner';
COMMENT ON FUNCTION @extschema@.churnops_model_card(text) IS
'The model card of a version as Markdown: purpose, data, features, parameters, metrics, lineage, '
'approvals and aliases, limits.';

CREATE FUNCTION churnops.markdown(value text) RETURNS text
LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	-- What means something anywhere, and what does at the beginning of a list's item.
	SELECT regexp_replace(regexp_replace(regexp_replace(trim(value), '\s+', ' ', 'g'),
		'([\\`*_\[\]<>#|~&$])', '\\\1', 'g'), '^(\d*)([-+.)])(\s|$)', '\1\\\2\3')
$$;
COMMENT ON FUNCTION churnops.markdown(text) IS
'A text on one line, for Markdown''s paragraphs and tables, without a meaning of its own.';

CREATE FUNCTION churnops.markdown_block(value text) RETURNS text
LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	-- The fence is longer than any run of its character inside.
	SELECT format(E'%ssql\n%s\n%1$s', repeat('`', greatest(3, 1 + coalesce((
		SELECT max(length(r.run[1])) FROM regexp_matches(value, '`+', 'g') AS r(run)), 0))),
		replace(rtrim(value, E' \t\r\n'), E'\r', ''))
$$;
COMMENT ON FUNCTION churnops.markdown_block(text) IS
'A query as a block of code in Markdown.';

CREATE FUNCTION churnops.object_or_empty(value jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE WHEN jsonb_typeof(value) = 'object' THEN value ELSE '{}' END
$$;
COMMENT ON FUNCTION churnops.object_or_empty(jsonb) IS
'A JSON object, an empty one for anything else.';

CREATE FUNCTION churnops.markdown_table(heads text[], lines text[]) RETURNS text
LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE WHEN cardinality(lines) > 0 THEN
		format(E'| %s |\n|%s\n%s', array_to_string(heads, ' | '), repeat('---|', cardinality(heads)),
			   array_to_string(lines, E'\n'))
		ELSE 'None.' END
$$;
COMMENT ON FUNCTION churnops.markdown_table(text[], text[]) IS
'A table in Markdown, of heads and of lines that churnops.markdown_row made; a word if there are none.';

CREATE FUNCTION churnops.markdown_row(VARIADIC cells text[]) RETURNS text
LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format('| %s |', string_agg(coalesce(churnops.markdown(c.value), ''), ' | ' ORDER BY c.place))
	FROM unnest(cells) WITH ORDINALITY AS c(value, place)
$$;
COMMENT ON FUNCTION churnops.markdown_row(text[]) IS
'A line of a table in Markdown.';

CREATE FUNCTION churnops.utc(at timestamp with time zone) RETURNS text
LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"')
$$;
COMMENT ON FUNCTION churnops.utc(timestamp with time zone) IS
'A time to the second, the same text in every session.';

CREATE FUNCTION churnops.card_overview(model_name text, version_number integer) RETURNS text
LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format(E'**Purpose.** %s\n\n%s',
		coalesce(churnops.markdown(nullif(v.description, '')), churnops.markdown(nullif(m.description, '')),
				 'Not described.'),
		churnops.markdown_table('{Property,Value}', ARRAY[
			churnops.markdown_row('Status', (churnops.status_event(v.model, v.version)).status),
			churnops.markdown_row('Aliases', coalesce((
				SELECT string_agg(a.alias, ', ' ORDER BY a.alias) FROM churnops.alias AS a
				WHERE a.model = v.model AND a.version = v.version), 'none')),
			churnops.markdown_row('Task', m.task),
			churnops.markdown_row('Target', m.target),
			churnops.markdown_row('Classes', coalesce((
				SELECT string_agg(c.label, ', ' ORDER BY c.place)
				FROM jsonb_array_elements_text(v.classes) WITH ORDINALITY AS c(label, place)), 'none')),
			churnops.markdown_row('Positive class', coalesce(v.positive_class, 'none')),
			churnops.markdown_row('Algorithm', format('%s, version %s', v.algorithm, v.algorithm_version)),
			churnops.markdown_row('Owner', m.owner),
			churnops.markdown_row('Trained by', v.created_by),
			churnops.markdown_row('Trained at', churnops.utc(v.created_at)),
			churnops.markdown_row('Approval by another required',
								  CASE WHEN m.require_approval THEN 'yes' ELSE 'no' END),
			churnops.markdown_row('Artifact', format('%s bytes, SHA-256 %s', octet_length(v.artifact), v.artifact_digest))]))
	FROM churnops.version AS v JOIN churnops.model AS m ON m.name = v.model
	WHERE v.model = model_name AND v.version = version_number
$$;
COMMENT ON FUNCTION churnops.card_overview(text, integer) IS
'The part of a model card that says what the version is.';

CREATE FUNCTION churnops.card_data(model_name text, version_number integer) RETURNS text
LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT concat_ws(E'\n\n',
		churnops.markdown_table('{Property,Value}', ARRAY[
			churnops.markdown_row('Rows of the query', d.n_rows::text),
			churnops.markdown_row('Rows with an unknown target, left out', r.n_unknown_target::text),
			churnops.markdown_row('Rows trained on', v.n_train::text),
			churnops.markdown_row('Rows held out', v.n_test::text),
			churnops.markdown_row('Split', CASE
				WHEN v.n_test = 0 THEN 'none'
				WHEN r.options->>'time_column' IS NOT NULL
					THEN format('the latest %s of the rows by %s', r.options->>'test_size', r.options->>'time_column')
				ELSE format('a share of %s, drawn by the seed %s', r.options->>'test_size', r.options->>'split_seed') END),
			churnops.markdown_row('Digest', 'SHA-256 ' || d.digest),
			churnops.markdown_row('Columns that are no features', coalesce((
				SELECT string_agg(format('%s (%s)', c.field->>'name', c.field->>'role'), ', ' ORDER BY c.place)
				FROM jsonb_array_elements(d.columns) WITH ORDINALITY AS c(field, place)
				WHERE c.field->>'role' <> 'feature'), 'none')),
			churnops.markdown_row('Search path', d.search_path)]),
		churnops.markdown_block(d.query),
		'Relations read, views walked through:',
		churnops.markdown_table('{Relation,Kind,Definition}', ARRAY(
			SELECT churnops.markdown_row(format('%s.%s', e.relation->>'schema', e.relation->>'name'),
										 e.relation->>'kind', 'SHA-256 ' || (e.relation->>'definition_digest'))
			FROM jsonb_array_elements(d.relations) WITH ORDINALITY AS e(relation, place) ORDER BY e.place)))
	FROM churnops.version AS v
	JOIN churnops.run AS r ON r.run = v.run
	JOIN churnops.dataset AS d ON d.dataset = v.dataset
	WHERE v.model = model_name AND v.version = version_number
$$;
COMMENT ON FUNCTION churnops.card_data(text, integer) IS
'The part of a model card that says what the version was trained on.';

CREATE FUNCTION churnops.card_measures(model_name text, version_number integer) RETURNS text
LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT concat_ws(E'\n\n',
		'## Features',
		churnops.markdown_table('{Feature,Kind,Mean decrease of impurity,Permutation importance}', ARRAY(
			SELECT churnops.markdown_row(f.feature->>'name', f.feature->>'kind',
				round((f.feature->>'mdi')::numeric, 4)::text,
				coalesce(round((f.feature->>'permutation')::numeric, 4) || ' ± '
						 || round((f.feature->>'permutation_sd')::numeric, 4), 'not measured'))
			FROM jsonb_array_elements(v.features) WITH ORDINALITY AS f(feature, place)
			ORDER BY (f.feature->>'permutation')::double precision DESC NULLS LAST,
				(f.feature->>'mdi')::double precision DESC NULLS LAST, f.place)),
		'## Parameters',
		churnops.markdown_table('{Parameter,Value}', ARRAY(
			SELECT churnops.markdown_row(p.key, p.value::text) FROM jsonb_each(v.params) AS p
			ORDER BY p.key COLLATE "C")),
		'## Metrics',
		churnops.markdown_table('{Metric,Holdout,Out of bag}', ARRAY(
			SELECT churnops.markdown_row(k.name,
				coalesce(round((v.metrics->'holdout'->>k.name)::numeric, 4)::text, 'undefined'),
				coalesce(round((v.metrics->'oob'->>k.name)::numeric, 4)::text, 'undefined'))
			FROM (
				SELECT h.key AS name FROM jsonb_each(churnops.object_or_empty(v.metrics->'holdout')) AS h
				UNION SELECT o.key FROM jsonb_each(churnops.object_or_empty(v.metrics->'oob')) AS o) AS k
			ORDER BY k.name COLLATE "C")),
		'Warnings of the evaluation:',
		coalesce((
			SELECT string_agg('- ' || churnops.markdown(w.message), E'\n' ORDER BY w.place)
			FROM jsonb_array_elements_text(v.metrics->'warnings') WITH ORDINALITY AS w(message, place)), 'None.'))
	FROM churnops.version AS v
	WHERE v.model = model_name AND v.version = version_number
$$;
COMMENT ON FUNCTION churnops.card_measures(text, integer) IS
'The part of a model card that says what the version looks at and how good it is.';

CREATE FUNCTION churnops.card_gates(model_name text, version_number integer) RETURNS text
LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format(E'## Gates\n\nPipeline run %s, %s: %s.\n\n%s', v.pipeline_run, churnops.utc(v.decided_at),
		CASE WHEN v.passed THEN 'passed' ELSE 'refused' END,
		churnops.markdown_table('{Gate,Value,Threshold,Passed,Finding}', ARRAY(
			SELECT churnops.markdown_row(concat_ws(' ', g.gate->>'gate', g.gate->>'metric'),
				round((g.gate->>'value')::numeric, 4)::text, round((g.gate->>'threshold')::numeric, 4)::text,
				CASE WHEN (g.gate->>'passed')::boolean THEN 'yes' ELSE 'no' END, g.gate->>'message')
			FROM jsonb_array_elements(v.gates) WITH ORDINALITY AS g(gate, place) ORDER BY g.place)))
	FROM churnops.verdict AS v
	WHERE v.model = model_name AND v.version = version_number
$$;
COMMENT ON FUNCTION churnops.card_gates(text, integer) IS
'The part of a model card that says what the gates of its pipeline said; NULL if it came from none.';

CREATE FUNCTION churnops.card_history(model_name text, version_number integer) RETURNS text
LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT concat_ws(E'\n\n',
		'## Lineage',
		churnops.markdown_table('{Property,Value}', ARRAY[
			churnops.markdown_row('Code version', coalesce(r.code_version, 'not recorded')),
			churnops.markdown_row('Parent version', coalesce(v.parent_version::text, 'none')),
			churnops.markdown_row('Run', format('%s, of %s seconds', r.run, round(r.seconds::numeric, 1))),
			churnops.markdown_row('Seed', r.seed::text),
			churnops.markdown_row('Logged in as', r."session_user")]
			|| ARRAY(
				SELECT churnops.markdown_row('Environment: ' || e.key, e.value)
				FROM jsonb_each_text(r.environment) AS e ORDER BY e.key COLLATE "C")),
		'## Approvals',
		churnops.markdown_table('{Time,Status,By,Reason}', ARRAY(
			SELECT churnops.markdown_row(churnops.utc(e.changed_at), e.status, e.changed_by, e.reason)
			FROM churnops.version_event AS e
			WHERE e.model = v.model AND e.version = v.version ORDER BY e.event)),
		'## Aliases',
		churnops.markdown_table('{Alias,From,Until,By,Reason}', ARRAY(
			SELECT churnops.markdown_row(e.alias, churnops.utc(e.changed_at), coalesce((
					SELECT churnops.utc(n.changed_at) FROM churnops.alias_event AS n
					WHERE n.model = e.model AND n.alias = e.alias AND n.event > e.event
					ORDER BY n.event LIMIT 1), 'now'), e.changed_by, e.reason)
			FROM churnops.alias_event AS e
			WHERE e.model = v.model AND e.to_version = v.version ORDER BY e.event)))
	FROM churnops.version AS v JOIN churnops.run AS r ON r.run = v.run
	WHERE v.model = model_name AND v.version = version_number
$$;
COMMENT ON FUNCTION churnops.card_history(text, integer) IS
'The part of a model card that says where the version comes from and what became of it.';

CREATE FUNCTION churnops.card_limits(model_name text, version_number integer) RETURNS text
LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT concat_ws(E'\n',
		'- It says nothing of rows unlike those it was trained on; numbers beyond their range count as the nearest of them.',
		'- Its metrics are those of the time of the training; they change when the world does.',
		'- Fairness between groups of rows was not measured.',
		CASE WHEN v.n_test = 0 THEN '- No rows were held out: there are out-of-bag metrics only.' END,
		CASE WHEN r.options->>'time_column' IS NULL AND v.n_test > 0
			THEN '- The rows held out are of the same time as those trained on: the future may be harder.' END,
		CASE WHEN v.params->>'class_weight' IS NOT NULL
			THEN '- Classes were weighted: probabilities are those of the weighted population.' END,
		CASE WHEN r.n_unknown_target > 0
			THEN format('- Rows with an unknown target were left out: %s.', r.n_unknown_target) END,
		CASE WHEN jsonb_array_length(v.metrics->'warnings') > 0
			THEN '- The evaluation gave warnings, see above.' END)
	FROM churnops.version AS v JOIN churnops.run AS r ON r.run = v.run
	WHERE v.model = model_name AND v.version = version_number
$$;
COMMENT ON FUNCTION churnops.card_limits(text, integer) IS
'The part of a model card that says what the version should not be trusted with.';

CREATE FUNCTION churnops.model_card(caller name, model_ref text) RETURNS text
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	target record := churnops.resolve(caller, model_ref, 'read');
BEGIN
	RETURN concat_ws(E'\n\n',
		format('# %s/%s', churnops.markdown(target.model), target.version),
		churnops.card_overview(target.model, target.version),
		'## Data',
		churnops.card_data(target.model, target.version),
		churnops.card_measures(target.model, target.version),
		churnops.card_gates(target.model, target.version),
		churnops.card_history(target.model, target.version),
		'## Limits',
		churnops.card_limits(target.model, target.version)) || E'\n';
END
$$;
COMMENT ON FUNCTION churnops.model_card(name, text) IS
'churnops_model_card on behalf of a role.';
