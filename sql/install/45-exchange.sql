-- Exchange: one version of a model as a document that another database can take in
--
-- The document is JSON text of five members: format, format_version, content (the
-- lineage), integrity (SHA-256 of the content in canonical form) and artifact
-- (base64).  The content holds the digest of the artifact, so the one digest
-- speaks for all.  It is text and not jsonb, whose strings end at 256 MB.
-- Whoever writes documents can write what they like into them: a document is
-- read as foreign data, and what it claims of the artifact is held against it.

CREATE TABLE churnops.import (
	model text COLLATE "C" NOT NULL,
	version integer NOT NULL,
	source_database text COLLATE "C" NOT NULL,
	source_model text COLLATE "C" NOT NULL,
	source_version integer NOT NULL,
	exported_by text NOT NULL,
	exported_at timestamp with time zone NOT NULL,
	imported_by text NOT NULL,
	imported_at timestamp with time zone NOT NULL,
	artifact_digest text COLLATE "C" NOT NULL,
	integrity text NOT NULL,
	content jsonb NOT NULL,
	CONSTRAINT import_pkey PRIMARY KEY (model, version),
	CONSTRAINT import_source_key
		UNIQUE (model, source_database, source_model, source_version, artifact_digest)
);
COMMENT ON TABLE churnops.import IS
'Where imported versions came from, and all that their documents said of them. Frozen.';
COMMENT ON COLUMN churnops.import.source_database IS
'Database that exported the version, by its name there.';
COMMENT ON COLUMN churnops.import.integrity IS
'SHA-256 of the content, which the document had and the import has checked, lower-case hex.';
COMMENT ON COLUMN churnops.import.content IS
'The document without its artifact: {exported, model, version, run, dataset, events}.';

CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON churnops.import
	FOR EACH ROW EXECUTE FUNCTION churnops.refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON churnops.import
	FOR EACH STATEMENT EXECUTE FUNCTION churnops.refuse_change();

SELECT pg_catalog.pg_extension_config_dump('churnops.import', '');

-- Since: 0.2.0
CREATE FUNCTION @extschema@.churnops_export(model_ref text) RETURNS text
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_as_owner';
COMMENT ON FUNCTION @extschema@.churnops_export(text) IS
'One version of a model as a JSON document for churnops_import in another database: artifact, '
'lineage, metrics and history, sealed by a SHA-256. Needs the right to read the model.';

-- Since: 0.2.0
CREATE FUNCTION @extschema@.churnops_import(
	document text,
	model text DEFAULT NULL,
	description text DEFAULT NULL,
	OUT ref text,
	OUT version integer,
	OUT status text,
	OUT source_database text,
	OUT source_ref text,
	OUT artifact_digest text)
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_as_owner';
COMMENT ON FUNCTION @extschema@.churnops_import(text, text, text) IS
'Registers the version in a document of churnops_export as the next version of a model, by default '
'(model NULL) the one of the same name, with the description given or (NULL) its own. Digests are '
'checked, the artifact is decoded and compared with what the document says. A new model belongs to '
'the caller; an existing one needs the right to train and must have the same task and target. The '
'same version is taken in once only.';

CREATE FUNCTION churnops.describe_artifact(artifact bytea) RETURNS jsonb
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'churnops_describe_artifact';
COMMENT ON FUNCTION churnops.describe_artifact(bytea) IS
'Task, classes and features as the bytes of an artifact have them: {task, classes, features}. An '
'error unless the bytes are a sound artifact.';

CREATE FUNCTION churnops.canonical_json(value jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF jsonb_typeof(value) = 'object' THEN
		RETURN (
			SELECT concat('{', string_agg(concat(to_json(m.key), ':', churnops.canonical_json(m.value)),
				',' ORDER BY convert_to(m.key, 'UTF8')), '}')
			FROM jsonb_each(value) AS m);
	ELSIF jsonb_typeof(value) = 'array' THEN
		RETURN (
			SELECT concat('[', string_agg(churnops.canonical_json(e.value), ',' ORDER BY e.place), ']')
			FROM jsonb_array_elements(value) WITH ORDINALITY AS e(value, place));
	END IF;
	RETURN value::text;
END
$$;
COMMENT ON FUNCTION churnops.canonical_json(jsonb) IS
'A value as JSON without spaces, the keys of objects in the order of their bytes in UTF-8: the same '
'in databases of every encoding, which jsonb''s own order of keys is not.';

CREATE FUNCTION churnops.content_digest(content jsonb) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT encode(sha256(convert_to(churnops.canonical_json(content), 'UTF8')), 'hex')
$$;
COMMENT ON FUNCTION churnops.content_digest(jsonb) IS
'SHA-256 of a document''s content in its canonical form, in UTF-8, lower-case hex.';

CREATE FUNCTION churnops.export(caller name, model_ref text) RETURNS text
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
SET extra_float_digits = 1
AS $$
DECLARE
	target record;
	bytes bytea;
	content jsonb;
BEGIN
	SELECT r.model, r.version INTO STRICT target
	FROM churnops.resolve(caller, model_ref, 'read') AS r;

	SELECT v.artifact, jsonb_build_object(
		'exported', jsonb_build_object('database', current_database(), 'by', caller,
			'at', clock_timestamp(),
			'churnops', (SELECT e.extversion FROM pg_extension AS e WHERE e.extname = 'churnops')),
		'model', jsonb_build_object('name', m.name, 'task', m.task, 'target', m.target,
			'owner', m.owner, 'description', m.description),
		'version', jsonb_build_object('version', v.version, 'algorithm', v.algorithm,
			'algorithm_version', v.algorithm_version, 'format_version', v.format_version,
			'classes', v.classes, 'positive_class', v.positive_class,
			'positive_class_index', v.positive_class_index, 'n_rows', v.n_rows,
			'n_train', v.n_train, 'n_test', v.n_test, 'n_features', v.n_features,
			'features', v.features, 'metrics', v.metrics, 'artifact_digest', v.artifact_digest,
			'description', v.description, 'parent_version', v.parent_version,
			'created_by', v.created_by, 'created_at', v.created_at),
		'run', jsonb_build_object('params_given', r.params_given, 'params', r.params,
			'options', r.options, 'seed', r.seed, 'n_unknown_target', r.n_unknown_target,
			'environment', r.environment, 'code_version', r.code_version,
			'started_at', r.started_at, 'seconds', r.seconds, 'session_user', r."session_user"),
		'dataset', jsonb_build_object('query', d.query, 'fingerprint', d.fingerprint,
			'relations', d.relations, 'columns', d.columns, 'n_rows', d.n_rows,
			'digest', d.digest, 'search_path', d.search_path, 'snapshot', d.snapshot,
			'lsn', d.lsn),
		'imported', (SELECT i.content FROM churnops.import AS i
			WHERE i.model = v.model AND i.version = v.version),
		'events', jsonb_build_object(
			'status', (SELECT coalesce(jsonb_agg(jsonb_build_object('status', e.status,
					'changed_by', e.changed_by, 'reason', e.reason, 'changed_at', e.changed_at)
					ORDER BY e.event), '[]')
				FROM churnops.version_event AS e
				WHERE e.model = v.model AND e.version = v.version),
			'alias', (SELECT coalesce(jsonb_agg(jsonb_build_object('alias', e.alias,
					'from_version', e.from_version, 'to_version', e.to_version,
					'changed_by', e.changed_by, 'reason', e.reason, 'changed_at', e.changed_at)
					ORDER BY e.event), '[]')
				FROM churnops.alias_event AS e
				WHERE e.model = v.model AND v.version IN (e.from_version, e.to_version))))
	INTO STRICT bytes, content
	FROM churnops.version AS v
	JOIN churnops.model AS m ON m.name = v.model
	JOIN churnops.run AS r ON r.run = v.run
	JOIN churnops.dataset AS d ON d.dataset = v.dataset
	WHERE v.model = target.model AND v.version = target.version;

	RETURN concat('{"format": "churnops-model", "format_version": 1, "integrity": "',
		churnops.content_digest(content), '", "content": ', content::text,
		', "artifact": "', translate(encode(bytes, 'base64'), E'\n', ''), '"}');
END
$$;
COMMENT ON FUNCTION churnops.export(name, text) IS
'churnops_export on behalf of a role.';

CREATE FUNCTION churnops.refuse_document(detail text, code text DEFAULT 'invalid_parameter_value')
RETURNS void
LANGUAGE plpgsql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RAISE EXCEPTION USING
		ERRCODE = code,
		MESSAGE = 'cannot import the document',
		DETAIL = detail,
		HINT = 'Export it again with SELECT churnops_export(''churn/3''); and hand it over unchanged.';
END
$$;
COMMENT ON FUNCTION churnops.refuse_document(text, text) IS
'The error for what is not a document of churnops_export; says why.';

CREATE FUNCTION churnops.open_document(
	document text,
	OUT content jsonb,
	OUT artifact bytea,
	OUT integrity text)
LANGUAGE plpgsql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	opened json;
	members text[];
	format_version text;
BEGIN
	IF document IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'null_value_not_allowed',
			MESSAGE = 'argument "document" must not be null';
	END IF;
	BEGIN
		opened := document::json;
		IF json_typeof(opened) = 'object' THEN
			SELECT array_agg(k.key COLLATE "C" ORDER BY k.key COLLATE "C") INTO members
			FROM json_object_keys(opened) AS k(key);
			format_version := opened->>'format_version';
			integrity := opened->>'integrity';
			content := (opened->'content')::jsonb;
		END IF;
	EXCEPTION WHEN data_exception THEN
		PERFORM churnops.refuse_document(format('It is not valid JSON: %s.', SQLERRM));
	END;
	IF members IS NULL OR opened->>'format' IS DISTINCT FROM 'churnops-model' THEN
		PERFORM churnops.refuse_document('It is not a document of churnops_export.');
	END IF;
	IF format_version IS DISTINCT FROM '1' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'feature_not_supported',
			MESSAGE = format('the document has the format version %s, this extension reads 1',
							 coalesce(left(format_version, 20), 'null')),
			HINT = 'Import it where the extension is as new as the one that exported it.';
	END IF;
	IF members <> '{artifact,content,format,format_version,integrity}'
		OR jsonb_typeof(content) <> 'object' THEN
		PERFORM churnops.refuse_document('Its members are not artifact, content, format, '
			'format_version and integrity.');
	END IF;
	IF integrity IS DISTINCT FROM churnops.content_digest(content) THEN
		PERFORM churnops.refuse_document('Its content does not have the digest on the document.',
			'data_corrupted');
	END IF;
	BEGIN
		artifact := decode(opened->>'artifact', 'base64');
	EXCEPTION WHEN data_exception THEN
		PERFORM churnops.refuse_document('Its artifact is not base64.');
	END;
	IF artifact IS NULL THEN
		PERFORM churnops.refuse_document('It has no artifact.');
	END IF;
END
$$;
COMMENT ON FUNCTION churnops.open_document(text) IS
'Takes a document apart: its content, whose digest is checked, its artifact, still unchecked, and '
'the digest.';

CREATE FUNCTION churnops.check_content(content jsonb) RETURNS void
LANGUAGE plpgsql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	wrong text;
BEGIN
	SELECT w.member INTO wrong
	FROM (VALUES
		('{exported}', 'object'), ('{exported,database}', 'string'), ('{exported,by}', 'string'),
		('{exported,at}', 'string'),
		('{model}', 'object'), ('{model,name}', 'string'), ('{model,task}', 'string'),
		('{model,target}', 'string'),
		('{version}', 'object'), ('{version,version}', 'number'), ('{version,algorithm}', 'string'),
		('{version,algorithm_version}', 'number'), ('{version,format_version}', 'number'),
		('{version,classes}', 'array null'), ('{version,positive_class}', 'string null'),
		('{version,positive_class_index}', 'number null'), ('{version,n_rows}', 'number'),
		('{version,n_train}', 'number'), ('{version,n_test}', 'number'),
		('{version,n_features}', 'number'), ('{version,features}', 'array'),
		('{version,metrics}', 'object'), ('{version,artifact_digest}', 'string'),
		('{version,description}', 'string null'),
		('{run}', 'object'), ('{run,params_given}', 'object'), ('{run,params}', 'object'),
		('{run,options}', 'object'), ('{run,seed}', 'number'), ('{run,n_unknown_target}', 'number'),
		('{run,environment}', 'object'), ('{run,code_version}', 'string null'),
		('{run,started_at}', 'string'), ('{run,seconds}', 'number'),
		('{run,session_user}', 'string'),
		('{dataset}', 'object'), ('{dataset,query}', 'string'), ('{dataset,fingerprint}', 'string'),
		('{dataset,relations}', 'array'), ('{dataset,columns}', 'array'),
		('{dataset,n_rows}', 'number'), ('{dataset,digest}', 'string'),
		('{dataset,search_path}', 'string'), ('{dataset,snapshot}', 'string'),
		('{dataset,lsn}', 'string null'),
		('{events}', 'object')
	) AS w(member, kinds)
	WHERE coalesce(jsonb_typeof(content #> w.member::text[]), 'missing')
		<> ALL (string_to_array(w.kinds, ' '))
	LIMIT 1;
	IF wrong IS NOT NULL THEN
		PERFORM churnops.refuse_document(format('Its member %s is missing or of another type.',
			array_to_string(wrong::text[], '.')));
	END IF;

	SELECT f.feature->>'name' INTO wrong
	FROM jsonb_array_elements(content #> '{version,features}') AS f(feature),
		unnest('{mdi,permutation,permutation_sd}'::text[]) AS n(name)
	WHERE jsonb_typeof(f.feature) = 'object'
		AND coalesce(jsonb_typeof(f.feature->n.name), 'null') NOT IN ('number', 'null')
	LIMIT 1;
	IF wrong IS NOT NULL THEN
		PERFORM churnops.refuse_document(format('An importance of feature "%s" is no number.',
			wrong));
	END IF;
END
$$;
COMMENT ON FUNCTION churnops.check_content(jsonb) IS
'Refuses the content of a document in which something is missing or of another type.';

CREATE FUNCTION churnops.check_claims(content jsonb, artifact bytea) RETURNS void
LANGUAGE plpgsql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	version jsonb := content->'version';
	found jsonb;
	features jsonb;
BEGIN
	PERFORM churnops.check_artifact(artifact, version->>'artifact_digest');
	found := churnops.describe_artifact(artifact);
	SELECT jsonb_agg(jsonb_build_object('name', f.feature->'name', 'kind', f.feature->'kind')
					 ORDER BY f.place)
	INTO features
	FROM jsonb_array_elements(version->'features') WITH ORDINALITY AS f(feature, place);

	IF found->'task' <> content #> '{model,task}' THEN
		PERFORM churnops.refuse_document(format('Its model is a %s, its artifact a %s.',
			content #>> '{model,task}', found->>'task'));
	END IF;
	IF found->'classes' <> version->'classes' THEN
		PERFORM churnops.refuse_document('Its classes are not those of its artifact.');
	END IF;
	IF found->'features' IS DISTINCT FROM features
		OR jsonb_array_length(features) <> (version->>'n_features')::numeric THEN
		PERFORM churnops.refuse_document('Its features are not those of its artifact.');
	END IF;
	IF features @> jsonb_build_array(jsonb_build_object('name', content #> '{model,target}')) THEN
		PERFORM churnops.refuse_document(format('Its target "%s" is one of its features.',
			content #>> '{model,target}'));
	END IF;
	IF version->>'positive_class' IS DISTINCT FROM
		version->'classes'->>(version->>'positive_class_index')::integer THEN
		PERFORM churnops.refuse_document('Its positive class is not the one of its index.');
	END IF;
	IF (version->>'n_train')::numeric < 0 OR (version->>'n_test')::numeric < 0
		OR (version->>'n_train')::numeric + (version->>'n_test')::numeric
			<> (version->>'n_rows')::numeric THEN
		PERFORM churnops.refuse_document('Its rows to train and to test do not add up.');
	END IF;
END
$$;
COMMENT ON FUNCTION churnops.check_claims(jsonb, bytea) IS
'Decodes the artifact of a document, and refuses a content that says something else of it.';

CREATE FUNCTION churnops.registration_of(
	content jsonb,
	integrity text,
	caller name,
	model text,
	description text)
RETURNS jsonb
LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT jsonb_build_object(
		'model', model, 'caller', caller, 'session_user', session_user,
		'description', coalesce(to_jsonb(description), v->'description'),
		'task', content #> '{model,task}', 'target', content #> '{model,target}',
		'classes', v->'classes', 'positive_class', v->'positive_class',
		'positive_class_index', v->'positive_class_index', 'n_rows', v->'n_rows',
		'n_train', v->'n_train', 'n_test', v->'n_test', 'n_features', v->'n_features',
		'algorithm', v->'algorithm', 'algorithm_version', v->'algorithm_version',
		'format_version', v->'format_version', 'features', v->'features',
		'metrics', v->'metrics', 'artifact_digest', v->'artifact_digest',
		'params_given', r->'params_given', 'params', r->'params', 'options', r->'options',
		'seed', r->'seed', 'n_unknown_target', r->'n_unknown_target',
		'environment', r->'environment', 'code_version', r->'code_version',
		'started_at', r->'started_at', 'seconds', r->'seconds',
		'dataset', content->'dataset',
		'import', jsonb_build_object('source_database', content #> '{exported,database}',
			'source_model', content #> '{model,name}', 'source_version', v->'version',
			'exported_by', content #> '{exported,by}', 'exported_at', content #> '{exported,at}',
			'integrity', integrity, 'content', content))
	FROM (SELECT content->'version', content->'run') AS c(v, r)
$$;
COMMENT ON FUNCTION churnops.registration_of(jsonb, text, name, text, text) IS
'What churnops.register() needs to know of an imported version.';

CREATE FUNCTION churnops.record_import(model_name text, new_version integer, registration jsonb)
RETURNS void
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	o record;
	digest text := registration->>'artifact_digest';
	existing integer;
BEGIN
	SELECT * INTO STRICT o FROM jsonb_to_record(registration->'import') AS r(
		source_database text, source_model text, source_version integer, exported_by text,
		exported_at timestamp with time zone, integrity text, content jsonb);
	-- The model is locked by now: nobody takes in the same at the same time.
	SELECT i.version INTO existing FROM churnops.import AS i
	WHERE i.model = model_name AND i.source_database = o.source_database
		AND i.source_model = o.source_model AND i.source_version = o.source_version
		AND i.artifact_digest = digest;
	IF FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'duplicate_object',
			MESSAGE = format('%s/%s of database "%s" is here already, as version %s of model "%s"',
				o.source_model, o.source_version, o.source_database, existing, model_name),
			HINT = 'Use that version, or import the document under another name.';
	END IF;
	INSERT INTO churnops.import (model, version, source_database, source_model, source_version,
		exported_by, exported_at, imported_by, imported_at, artifact_digest, integrity, content)
	VALUES (model_name, new_version, o.source_database, o.source_model, o.source_version,
		o.exported_by, o.exported_at, registration->>'caller', clock_timestamp(), digest,
		o.integrity, o.content);
END
$$;
COMMENT ON FUNCTION churnops.record_import(text, integer, jsonb) IS
'Records where a version that is being registered came from; the same is not taken in again.';

CREATE FUNCTION churnops.import(
	caller name,
	document text,
	model_name text,
	description text,
	OUT ref text,
	OUT version integer,
	OUT status text,
	OUT source_database text,
	OUT source_ref text,
	OUT artifact_digest text)
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
#variable_conflict use_column
DECLARE
	d record;
BEGIN
	SELECT * INTO STRICT d FROM churnops.open_document(document);
	PERFORM churnops.check_content(d.content);
	PERFORM churnops.check_name(d.content #>> '{model,name}', 'model');
	model_name := coalesce(model_name, d.content #>> '{model,name}');
	PERFORM churnops.check_name(model_name, 'model');
	PERFORM churnops.check_claims(d.content, d.artifact);
	source_database := d.content #>> '{exported,database}';
	artifact_digest := d.content #>> '{version,artifact_digest}';
	source_ref := format('%s/%s', d.content #>> '{model,name}', d.content #>> '{version,version}');

	SELECT r.version, r.status INTO STRICT import.version, import.status
	FROM churnops.register(churnops.registration_of(d.content, d.integrity, caller,
		model_name, description), d.artifact) AS r;
	ref := format('%s/%s', model_name, version);
END
$$;
COMMENT ON FUNCTION churnops.import(name, text, text, text) IS
'churnops_import on behalf of a role.';
