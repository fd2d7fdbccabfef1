-- Verification: whether the registry is as the functions left it
--
-- Triggers and privileges keep everybody but superusers from changing what is
-- recorded.  What a superuser does, or a session in the role of a replica, shows
-- here: the chain of the audit, the rows it covers, and the current state that
-- follows from it.  A superuser who writes the whole rest of a chain anew can
-- only be found out by a hash that is kept elsewhere.

-- Since: 0.2.0
CREATE FUNCTION @extschema@.churnops_verify(model text DEFAULT NULL)
RETURNS TABLE (name text, entry bigint, "table" text, key text, problem text)
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_as_owner';
COMMENT ON FUNCTION @extschema@.churnops_verify(text) IS
'What in the registry is not as the functions left it, a row each; no rows if all is well. Checks the '
'digests of the artifacts, the chain of the audit, every row that it covers, rows that it does not '
'know, the current state of aliases, deployments, privileges and models, and the versions and chunks of datasets, '
'which are named datasets:/customers, and definitions of pipelines (pipelines:/churn). For one model, by who may read it or '
'owned it when it was dropped, or by default for all of these.';

CREATE FUNCTION churnops.verify_chain(model_name text)
RETURNS TABLE (entry bigint, relation text, key text, problem text)
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_custom_plan'
AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY
	WITH chain AS (
		SELECT a.entry, a.link - coalesce(lag(a.link) OVER w, 0) - 1 AS n_missing,
			lag(a.hash) OVER w AS previous
		FROM churnops.audit AS a
		WHERE a.model = model_name AND a.link IS NOT NULL
		WINDOW w AS (ORDER BY a.link)
	)
	SELECT a.entry, 'audit', a.entry::text,
		CASE WHEN c.n_missing > 0
			THEN format('%s entries before it are missing', c.n_missing)
			ELSE 'the entry, or the one before, was altered' END
	FROM chain AS c JOIN churnops.audit AS a USING (entry)
	WHERE c.n_missing > 0 OR a.hash IS DISTINCT FROM churnops.entry_hash(c.previous, a)
	UNION ALL
	SELECT a.entry, 'audit', a.entry::text, 'the entry is in no chain'
	FROM churnops.audit AS a
	WHERE a.model = model_name AND a.link IS NULL
		AND a.entry > coalesce((
			SELECT s.last
			FROM churnops.audit AS f, jsonb_to_recordset(f.covered) AS s("table" text, last bigint)
			WHERE f.model = model_name AND f.link = 1 AND s."table" = 'audit'), 0);
END
$$;
COMMENT ON FUNCTION churnops.verify_chain(text) IS
'Entries of the audit that are not those of their chain.';

CREATE FUNCTION churnops.verify_rows(model_name text)
RETURNS TABLE (entry bigint, relation text, key text, problem text)
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_custom_plan'
AS $$
#variable_conflict use_column
BEGIN
	-- What was of an earlier model of the name went with it.
	RETURN QUERY
	WITH covered AS MATERIALIZED (
		SELECT a.entry, c."table" AS relation, c.key, c.last, c.count, c.digest
		FROM churnops.audit AS a,
			jsonb_to_recordset(a.covered) AS c("table" text, key bigint, last bigint, count bigint, digest text)
		WHERE a.model = model_name
			AND (c."table" = 'audit' OR a.link > coalesce((
				SELECT max(d.link) FROM churnops.audit AS d
				WHERE d.model = model_name AND d.action = 'drop_model' AND d.link IS NOT NULL), 0))
	), present AS MATERIALIZED (
		SELECT t.relation, d.key, d.digest
		FROM (SELECT unnest(churnops.audited_tables()) AS relation UNION SELECT c.relation FROM covered AS c) AS t,
			churnops.row_digests(t.relation, model_name) AS d
		WHERE t.relation <> 'audit'
	)
	SELECT c.entry, c.relation, c.key::text,
		CASE WHEN p.digest IS NULL THEN 'the row is missing' ELSE 'the row was altered' END
	FROM covered AS c LEFT JOIN present AS p USING (relation, key)
	WHERE c.key IS NOT NULL AND p.digest IS DISTINCT FROM c.digest
	UNION ALL
	SELECT c.entry, c.relation, format('1 to %s', c.last),
		format('rows were altered, or are missing: there were %s, there are %s', c.count, s.count)
	FROM covered AS c CROSS JOIN LATERAL churnops.set_digest(c.relation, model_name, c.last) AS s
	WHERE c.last IS NOT NULL AND (s.count, s.digest) IS DISTINCT FROM (c.count, c.digest)
	UNION ALL
	SELECT NULL, p.relation, p.key::text, 'the row is not in the audit'
	FROM present AS p
	LEFT JOIN covered AS c USING (relation, key)
	LEFT JOIN (
		SELECT c.relation, max(c.last) AS last FROM covered AS c GROUP BY c.relation) AS s USING (relation)
	WHERE p.relation = ANY (churnops.audited_tables()) AND c.entry IS NULL AND p.key > coalesce(s.last, 0);
END
$$;
COMMENT ON FUNCTION churnops.verify_rows(text) IS
'Rows of a model that are not as the audit has them.';

CREATE FUNCTION churnops.verify_state(model_name text)
RETURNS TABLE (entry bigint, relation text, key text, problem text)
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_custom_plan'
AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY
	WITH latest AS (
		SELECT a.entry, a.action, a.owner FROM churnops.audit AS a
		WHERE a.model = model_name AND a.action <> 'chain'
		ORDER BY a.link DESC NULLS LAST, a.entry DESC LIMIT 1
	), since AS (
		SELECT a.entry, a.action, a.detail FROM churnops.audit AS a
		WHERE a.model = model_name AND a.link > coalesce((
			SELECT max(d.link) FROM churnops.audit AS d
			WHERE d.model = model_name AND d.action = 'drop_model' AND d.link IS NOT NULL), 0)
	), given AS (
		SELECT DISTINCT ON (s.detail->>'role', s.detail->>'right', s.detail->>'alias')
			s.entry, s.action, s.detail->>'role' AS grantee, s.detail->>'right' AS "right",
			coalesce(s.detail->>'alias', '') AS alias
		FROM since AS s
		WHERE s.action IN ('grant', 'revoke')
		ORDER BY s.detail->>'role', s.detail->>'right', s.detail->>'alias', s.entry DESC
	), pointed AS (
		SELECT DISTINCT ON (e.alias) e.event, e.alias, e.to_version
		FROM churnops.alias_event AS e WHERE e.model = model_name ORDER BY e.alias, e.event DESC
	)
	SELECT NULL::bigint, 'version', v.version::text, 'the artifact does not have its digest'
	FROM churnops.version AS v
	WHERE v.model = model_name AND encode(sha256(v.artifact), 'hex') <> v.artifact_digest
	UNION ALL
	SELECT NULL, 'alias', coalesce(a.alias, p.alias),
		format('it points to %s, by its history to %s', coalesce('version ' || a.version, 'nothing'),
			   coalesce('version ' || p.to_version, 'nothing'))
	FROM (SELECT c.alias, c.version FROM churnops.alias AS c WHERE c.model = model_name) AS a
	FULL JOIN pointed AS p USING (alias)
	WHERE a.version IS DISTINCT FROM p.to_version
	UNION ALL
	SELECT NULL, 'deployment', d.deployment::text,
		CASE WHEN f.event IS NULL THEN 'the deployment has no history'
			ELSE 'it is not as its history has it' END
	FROM churnops.deployment AS d
	LEFT JOIN LATERAL (
		SELECT * FROM churnops.deployment_event AS e
		WHERE e.deployment = d.deployment ORDER BY e.event LIMIT 1) AS f ON true
	LEFT JOIN LATERAL (
		SELECT * FROM churnops.deployment_event AS e
		WHERE e.deployment = d.deployment ORDER BY e.event DESC LIMIT 1) AS l ON true
	WHERE d.model = model_name
		AND (f.model, f.decision, f.decided_by, f.reason, f.numbers->'deployment', l.weight, l.decision)
			IS DISTINCT FROM (d.model, 'started', d.created_by, d.reason, churnops.deployment_terms(d), d.weight,
				CASE WHEN d.status <> 'running' THEN d.status
					WHEN l.decision IN ('started', 'advanced', 'blocked', 'unblocked') THEN l.decision END)
	UNION ALL
	SELECT NULL, 'deployment', e.deployment::text, 'the deployment is missing'
	FROM churnops.deployment_event AS e
	WHERE e.model = model_name AND e.decision = 'started'
		AND NOT EXISTS (SELECT FROM churnops.deployment AS d WHERE d.deployment = e.deployment)
	UNION ALL
	SELECT g.entry, 'privilege', concat_ws(' ', coalesce(p.grantee, g.grantee),
			coalesce(p."right", g."right"), nullif(coalesce(p.alias, g.alias), '')),
		CASE WHEN p.grantee IS NULL THEN 'the privilege is missing'
			ELSE 'the privilege is not in the audit' END
	FROM (SELECT * FROM churnops.privilege AS q WHERE q.model = model_name) AS p
	FULL JOIN given AS g USING (grantee, "right", alias)
	WHERE (p.model IS NOT NULL) <> coalesce(g.action = 'grant', false)
	UNION ALL
	SELECT l.entry, 'model', model_name, 'the model is missing'
	FROM latest AS l
	-- Names that no model can have are those of other things.
	WHERE l.action <> 'drop_model' AND model_name ~ '^[a-z][a-z0-9_.-]*$'
		AND NOT EXISTS (SELECT FROM churnops.model AS m WHERE m.name = model_name)
	UNION ALL
	SELECT l.entry, 'model', model_name,
		CASE WHEN l.entry IS NULL OR l.action = 'drop_model' THEN 'the model is not in the audit'
			WHEN l.owner <> m.owner THEN format('its owner is "%s", by the audit "%s"', m.owner, l.owner)
			ELSE 'whether it demands approvals is not as in the audit' END
	FROM churnops.model AS m LEFT JOIN latest AS l ON true
	WHERE m.name = model_name
		AND (l.entry IS NULL OR l.action = 'drop_model' OR l.owner <> m.owner
			OR m.require_approval <> coalesce((
				SELECT (s.detail->'set'->>'require_approval')::boolean FROM since AS s
				WHERE s.detail->'set' ? 'require_approval' ORDER BY s.entry DESC LIMIT 1), false))
	UNION ALL
	SELECT NULL, 'model', model_name, format('its last version was %s, there is version %s', m.last_version, n.last)
	FROM churnops.model AS m,
		(SELECT max(v.version) AS last FROM churnops.version AS v WHERE v.model = model_name) AS n
	WHERE m.name = model_name AND n.last > m.last_version;
END
$$;
COMMENT ON FUNCTION churnops.verify_state(text) IS
'What of a model is now and does not follow from its past.';

CREATE FUNCTION churnops.verify_dataset(dataset_name text)
RETURNS TABLE (entry bigint, relation text, key text, problem text)
LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	WITH since AS (
		SELECT a.entry, a.action, a.owner, a.version, a.detail FROM churnops.audit AS a
		WHERE a.model = 'datasets:/' || dataset_name AND a.link > coalesce((
			SELECT max(d.link) FROM churnops.audit AS d
			WHERE d.model = 'datasets:/' || dataset_name AND d.action = 'drop_dataset'), 0)
	), registered AS (
		SELECT s.entry, s.version, s.detail->>'record' AS record FROM since AS s
		WHERE s.action = 'register_dataset'
	), present AS (
		SELECT v.version, churnops.dataset_record(v.dataset, v.version) AS record
		FROM churnops.dataset_version AS v WHERE v.dataset = dataset_name
	)
	SELECT r.entry, 'dataset_version', coalesce(r.version, p.version)::text,
		CASE WHEN p.version IS NULL THEN 'the row is missing'
			WHEN r.version IS NULL THEN 'the row is not in the audit' ELSE 'the row was altered' END
	FROM registered AS r FULL JOIN present AS p USING (version)
	WHERE r.record IS DISTINCT FROM p.record
	UNION ALL
	SELECT NULL, 'dataset_rows', format('%s, chunk %s', c.version, c.chunk), 'the chunk does not have its digest'
	FROM churnops.dataset_rows AS c
	WHERE c.dataset = dataset_name AND encode(sha256(c.bytes), 'hex') <> c.digest
	UNION ALL
	SELECT NULL, 'dataset_keys', format('%s, chunk %s', c.version, c.chunk), 'the chunk does not have its digest'
	FROM churnops.dataset_keys AS c
	WHERE c.dataset = dataset_name AND encode(sha256(c.bytes), 'hex') <> c.digest
$$;
COMMENT ON FUNCTION churnops.verify_dataset(text) IS
'What of a dataset is not as the audit has it.';

CREATE FUNCTION churnops.verify_pipeline(pipeline_name text)
RETURNS TABLE (entry bigint, relation text, key text, problem text)
LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	WITH defined AS (
		SELECT a.entry, a.version, a.detail->>'record' AS record FROM churnops.audit AS a
		WHERE a.model = 'pipelines:/' || pipeline_name AND a.action = 'define_pipeline' AND a.link > coalesce((
			SELECT max(d.link) FROM churnops.audit AS d
			WHERE d.model = 'pipelines:/' || pipeline_name AND d.action = 'drop_pipeline'), 0)
	), present AS (
		SELECT v.version, churnops.pipeline_record(v.pipeline, v.version) AS record
		FROM churnops.pipeline_version AS v WHERE v.pipeline = pipeline_name
	)
	SELECT d.entry, 'pipeline_version', coalesce(d.version, p.version)::text,
		CASE WHEN p.version IS NULL THEN 'the row is missing'
			WHEN d.version IS NULL THEN 'the row is not in the audit' ELSE 'the row was altered' END
	FROM defined AS d FULL JOIN present AS p USING (version)
	WHERE d.record IS DISTINCT FROM p.record
$$;
COMMENT ON FUNCTION churnops.verify_pipeline(text) IS
'What of a pipeline''s definitions is not as the audit has it.';

CREATE FUNCTION churnops.verify(caller name, model_name text)
RETURNS TABLE (name text, entry bigint, "table" text, key text, problem text)
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	allowed text[];
	one text;
BEGIN
	-- Models that are there by the right to read; those that are not by their last owner.
	SELECT array_agg(n.name ORDER BY n.name) INTO allowed
	FROM (
		SELECT m.name FROM churnops.model AS m
		WHERE (model_name IS NULL OR m.name = model_name) AND churnops.has_right(caller, m.name, 'read')
		UNION ALL
		SELECT g.name
		FROM (
			SELECT a.model AS name FROM churnops.audit AS a WHERE model_name IS NULL OR a.model = model_name
			EXCEPT SELECT m.name FROM churnops.model AS m) AS g
		CROSS JOIN LATERAL (
			SELECT a.owner FROM churnops.audit AS a
			WHERE a.model = g.name ORDER BY a.entry DESC LIMIT 1) AS l
		WHERE churnops.may_use(caller, l.owner)) AS n;
	IF allowed IS NULL AND model_name IS NOT NULL THEN
		PERFORM churnops.check_name(model_name, 'model');
		PERFORM churnops.require_right(caller, model_name, 'read');
	END IF;
	FOREACH one IN ARRAY coalesce(allowed, '{}') LOOP
		RETURN QUERY
		SELECT one, p.entry, p.relation, p.key, p.problem
		FROM (
			SELECT * FROM churnops.verify_chain(one)
			UNION ALL SELECT * FROM churnops.verify_rows(one)
			UNION ALL SELECT * FROM churnops.verify_state(one) WHERE one NOT LIKE '%:/%'
			UNION ALL SELECT * FROM churnops.verify_dataset(substring(one FROM 11))
			WHERE one LIKE 'datasets:/%'
			UNION ALL SELECT * FROM churnops.verify_pipeline(substring(one FROM 12))
			WHERE one LIKE 'pipelines:/%') AS p
		ORDER BY p.entry NULLS LAST, p.relation, length(p.key), p.key;
	END LOOP;
END
$$;
COMMENT ON FUNCTION churnops.verify(name, text) IS
'churnops_verify on behalf of a role.';
