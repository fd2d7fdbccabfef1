-- One version as a document: what it carries, who may take it out and in, and what is refused
BEGIN;
\ir include/setup.sql
SELECT no_plan();

CREATE ROLE churnops_alice;
CREATE ROLE churnops_bob;
CREATE ROLE churnops_reader;
CREATE TABLE public.customers AS
SELECT i AS id, i % 7 AS calls, (ARRAY['basic', 'plus', NULL])[1 + i % 3] AS plan, (i * 37) % 100 / 10.0 AS bill,
	CASE WHEN i % 7 + i % 3 > 4 THEN 'yes' ELSE 'no' END AS churned
FROM generate_series(1, 200) AS i;
GRANT SELECT ON public.customers TO churnops_alice;

SET ROLE churnops_alice;
SELECT set_config('churnops.code_version', 'abc123', true);
SELECT ref FROM churnops_train('churn', 'SELECT * FROM public.customers', 'churned', '{"n_estimators": 3, "max_depth": 3}',
	key => '{id}', description => 'the first');
SELECT ref FROM churnops_train('bill', 'SELECT calls, plan, bill FROM public.customers', 'bill', '{"n_estimators": 2, "max_depth": 3}');
SELECT churnops_promote('churn/1', 'trusted', 'it is good');
RESET ROLE;

CREATE TEMP TABLE sent AS SELECT churnops_export('churn') AS document, churnops_export('bill/1') AS bill;
GRANT SELECT ON sent TO PUBLIC;

-- What it carries

SELECT is((SELECT array_agg(k ORDER BY k) FROM sent, json_object_keys(document::json) AS k),
	'{artifact,content,format,format_version,integrity}', 'members of a document');
SELECT is(sent.document, translate(sent.document, E'\n', ''), 'it is one line') FROM sent;
SELECT is(sha256(decode(document::json->>'artifact', 'base64')), sha256(v.artifact), 'the artifact is in it')
FROM sent, churnops.version AS v WHERE v.model = 'churn';
SELECT is(churnops.canonical_json('{"bb": [1, 2.50, true, null], "a": {"é": "x\"y", "z": {}}, "c": []}'),
	'{"a":{"z":{},"é":"x\"y"},"bb":[1,2.50,true,null],"c":[]}', 'the canonical form');
SELECT is(encode(sha256(convert_to(churnops.canonical_json(document::jsonb->'content'), 'UTF8')), 'hex'),
	document::jsonb->>'integrity', 'the digest is that of the canonical content')
FROM sent;
SELECT is((i.ref, i.status)::text, '(again/1,approved)', 'a document that was kept as jsonb is still one')
FROM sent, churnops_import((document::jsonb)::text, 'again') AS i;
SELECT is((document::jsonb #>> '{content,events,alias}')::jsonb->1->>'reason', 'it is good', 'the history of its aliases is in it')
FROM sent;

SELECT set_config('timezone', 'Asia/Tokyo', true), set_config('extra_float_digits', '-5', true), set_config('datestyle', 'German', true);
SELECT is((churnops_export('churn')::jsonb->'content') - 'exported', (document::jsonb->'content') - 'exported',
	'no setting of the session changes a document')
FROM sent;
SELECT set_config('timezone', 'UTC', true), set_config('extra_float_digits', '1', true), set_config('datestyle', 'ISO', true);

-- Taken in

CREATE FUNCTION pg_temp.take(document text, model text DEFAULT 'taken', description text DEFAULT NULL) RETURNS text
LANGUAGE sql
AS $$
	SELECT concat_ws(' ', i.ref, i.version, i.status, i.source_ref) FROM churnops_import(document, model, description) AS i
$$;
SELECT is(pg_temp.value_as('churnops_bob', 'SELECT pg_temp.take(document) FROM sent'), 'taken/1 1 approved churn/1',
	'anybody may make a model of a document');
SELECT is(owner || ' ' || champion_version, 'churnops_bob 1', 'who imports owns it, and the first version is champion')
FROM churnops.models WHERE name = 'taken';
SELECT is(count(*), 0::bigint, 'predictions are the same to the last bit')
FROM public.customers AS c
WHERE float8send(churnops_predict('churn/1', c)) <> float8send(churnops_predict('taken/1', c));
SELECT is(to_jsonb(t) - '{model,created_by,created_at,run,parent_version}'::text[],
	to_jsonb(o) - '{model,created_by,created_at,run,parent_version}'::text[], 'lineage is that of the original')
FROM churnops.lineage AS t, churnops.lineage AS o WHERE t.model = 'taken' AND o.model = 'churn';
SELECT is(to_jsonb(t) - '{model,aliases,created_by,created_at}'::text[],
	to_jsonb(o) - '{model,aliases,created_by,created_at}'::text[], 'and so is the version')
FROM churnops.versions AS t, churnops.versions AS o WHERE t.model = 'taken' AND o.model = 'churn';
SELECT is(concat_ws(' ', source_database, source_model, source_version, exported_by, imported_by, content #>> '{version,created_by}'),
	concat_ws(' ', current_database(), 'churn 1', current_user, 'churnops_bob churnops_alice'), 'its origin is on record')
FROM churnops.imports WHERE model = 'taken';
SELECT is(concat_ws(' ', action, actor, owner, version, detail->>'source_model'), 'import churnops_bob churnops_bob 1 churn',
	'the audit says import')
FROM churnops.audit WHERE model = 'taken' AND action <> 'promote';
SELECT is(e.reason, 'imported', 'so does the history of the status') FROM churnops.version_event AS e WHERE e.model = 'taken';

SELECT is(
	pg_temp.error_as('churnops_bob', 'SELECT pg_temp.take(document) FROM sent'),
	format(E'42710\nchurn/1 of database "%s" is here already, as version 1 of model "taken"\n'
		'Use that version, or import the document under another name.', current_database()),
	'the same version is taken in once only');
SELECT is(last_version, 1, 'and a refusal takes no number') FROM churnops.model WHERE name = 'taken';
SELECT is(pg_temp.error_as('churnops_bob', 'SELECT pg_temp.take(bill, NULL) FROM sent'),
	E'42501\ncannot train model "bill"\nChoose another name for the model.', 'not into another''s model');
SELECT is(pg_temp.error_as('churnops_bob', 'SELECT pg_temp.take(bill) FROM sent'),
	E'22023\nmodel "taken" is a classification of "churned", not a regression of "bill"\n'
	'Versions of a model share task and target: train under another name, or drop the model first with churnops_drop_model.',
	'not into a model of another task');
SELECT is(pg_temp.value_as('churnops_alice', 'SELECT pg_temp.take(bill, NULL, ''again'') FROM sent'), 'bill/2 2 approved bill/1',
	'home again it is the next version, and does not serve');
SELECT is(v.description || ' ' || v.aliases::text, 'again {}', 'with the description given')
FROM churnops.versions AS v WHERE v.model = 'bill' AND v.version = 2;
SELECT is(v.description, 'the first', 'else with its own') FROM churnops.versions AS v WHERE v.model = 'taken';
SELECT is((churnops_export('taken/1')::jsonb #>> '{content,imported,version,created_by}'), 'churnops_alice',
	'exported again it still says where it came from');

SELECT is(
	pg_temp.error_as('churnops_bob', 'SELECT churnops_reproduce(''taken/1'')'),
	E'55000\nversion 1 of model "taken" was imported, not trained here\n'
	'Its query came with the document, and would run with your rights.\n'
	'Reproduce it where it was trained, or read the query in churnops.lineage and train on it.',
	'the query of a document is never run');
SELECT throws_ok('DELETE FROM churnops.import', '55000', 'rows of churnops.import are frozen: DELETE is refused', 'imports are frozen');
SELECT is(pg_temp.value_as('churnops_bob', 'SELECT churnops_drop_model(''taken'')'), 'taken', 'an imported model can be dropped');
SELECT is_empty('SELECT FROM churnops.import WHERE model = ''taken''', 'and its origin goes with it');

-- Rights to export

SELECT is(pg_temp.error_as('churnops_bob', 'SELECT churnops_export(''churn'')'),
	pg_temp.error_as('churnops_bob', 'SELECT churnops_export(''churn'')'), 'forbidden reads as unknown');
SELECT matches(pg_temp.error_as('churnops_bob', 'SELECT churnops_export(''churn'')'), '^42704\nmodel "churn" does not exist', 'strangers see no model');
INSERT INTO churnops.privilege VALUES ('churn', 'churnops_reader', 'predict', '', 'churnops_alice', now());
SELECT matches(pg_temp.error_as('churnops_reader', 'SELECT churnops_export(''churn'')'),
	'^42501\npermission denied for model "churn"', 'the right to predict is not enough');
INSERT INTO churnops.privilege VALUES ('churn', 'churnops_reader', 'read', '', 'churnops_alice', now());
SELECT is(pg_temp.value_as('churnops_reader', 'SELECT churnops_export(''churn/1'')::json->>''format'''), 'churnops-model', 'the right to read is');
SELECT matches(pg_temp.error_as('churnops_reader', 'SELECT churnops_import(document) FROM sent'), '^42501\n', 'and not enough to import');
INSERT INTO churnops.privilege VALUES ('churn', 'churnops_reader', 'train', '', 'churnops_alice', now());
SELECT is(pg_temp.value_as('churnops_reader', 'SELECT pg_temp.take(document, NULL) FROM sent'), 'churn/2 2 approved churn/1', 'the right to train is');

-- Foreign documents: an error, and the right one

CREATE FUNCTION pg_temp.refusal(document text) RETURNS text
LANGUAGE sql
AS $$
	SELECT regexp_replace(pg_temp.error_as('churnops_bob', format('SELECT churnops_import(%L, ''foreign'')', document)),
		E'\n(cannot import the document|Export it again [^\n]*)', '', 'g')
$$;
-- A document whose content is changed, and sealed anew as its author could.
CREATE FUNCTION pg_temp.forged(path text[], value jsonb, artifact text DEFAULT NULL) RETURNS text
LANGUAGE sql
AS $$
	SELECT json_build_object('format', 'churnops-model', 'format_version', 1,
		'integrity', churnops.content_digest(c.content),
		'content', c.content, 'artifact', coalesce(artifact, s.document::json->>'artifact'))::text
	FROM sent AS s, LATERAL (SELECT CASE WHEN value IS NULL THEN (s.document::jsonb->'content') #- path
		ELSE jsonb_set(s.document::jsonb->'content', path, value) END) AS c(content)
$$;
CREATE FUNCTION pg_temp.forged_artifact(artifact bytea) RETURNS text
LANGUAGE sql
AS $$
	SELECT pg_temp.forged('{version,artifact_digest}', to_jsonb(encode(sha256(artifact), 'hex')), encode(artifact, 'base64'))
$$;

SELECT is(pg_temp.error_as('churnops_bob', 'SELECT churnops_import(NULL)'), E'22004\nargument "document" must not be null', 'NULL');
SELECT is(pg_temp.refusal(document), E'22023\n' || said, 'refused: ' || said)
FROM (VALUES
	('', 'It is not valid JSON: invalid input syntax for type json.'),
	('{"format": "churnops-model"', 'It is not valid JSON: invalid input syntax for type json.'),
	('{"format": "churnops-model", "integrity": "\u0000"}', 'It is not valid JSON: unsupported Unicode escape sequence.'),
	('7', 'It is not a document of churnops_export.'),
	('[]', 'It is not a document of churnops_export.'),
	('{"format": "onnx"}', 'It is not a document of churnops_export.'),
	('{"format": "churnops-model", "format_version": 1}', 'Its members are not artifact, content, format, format_version and integrity.'),
	('{"format": "churnops-model", "format_version": 1, "integrity": null, "artifact": null, "content": []}',
		'Its members are not artifact, content, format, format_version and integrity.'),
	(pg_temp.forged('{version,version}', '1', '!'), 'Its artifact is not base64.'),
	(pg_temp.forged('{run}', NULL), 'Its member run is missing or of another type.'),
	(pg_temp.forged('{model,target}', '7'), 'Its member model.target is missing or of another type.'),
	(pg_temp.forged('{dataset,relations}', '{}'), 'Its member dataset.relations is missing or of another type.'),
	(pg_temp.forged('{version,features,0,mdi}', '"much"'), 'An importance of feature "calls" is no number.'),
	(pg_temp.forged('{version,features,0}', '7'), 'Its features are not those of its artifact.'),
	(pg_temp.forged('{version,features,0,name}', '"other"'), 'Its features are not those of its artifact.'),
	(pg_temp.forged('{version,features,0,kind}', '"interval"'), 'Its features are not those of its artifact.'),
	(pg_temp.forged('{version,features}', '[]'), 'Its features are not those of its artifact.'),
	(pg_temp.forged('{version,n_features}', '4'), 'Its features are not those of its artifact.'),
	(pg_temp.forged('{version,classes}', '["yes", "no"]'), 'Its classes are not those of its artifact.'),
	(pg_temp.forged('{version,classes}', 'null'), 'Its classes are not those of its artifact.'),
	(pg_temp.forged('{version,positive_class}', '"no"'), 'Its positive class is not the one of its index.'),
	(pg_temp.forged('{version,positive_class_index}', '2'), 'Its positive class is not the one of its index.'),
	(pg_temp.forged('{version,n_test}', '-1'), 'Its rows to train and to test do not add up.'),
	(pg_temp.forged('{version,n_train}', '1'), 'Its rows to train and to test do not add up.'),
	(pg_temp.forged('{model,target}', '"plan"'), 'Its target "plan" is one of its features.'),
	(pg_temp.forged('{model,task}', '"regression"'), 'Its model is a regression, its artifact a classification.')
) AS cases(document, said);

SELECT is(pg_temp.refusal('{"format": "churnops-model", "format_version": 2}'),
	E'0A000\nthe document has the format version 2, this extension reads 1\n'
	'Import it where the extension is as new as the one that exported it.', 'a newer format');
SELECT is(pg_temp.refusal(replace(document, '"the first"', '"the best"')),
	E'XX001\nIts content does not have the digest on the document.', 'a changed content') FROM sent;
SELECT matches(pg_temp.refusal(pg_temp.forged('{model,name}', '"churn"', encode('forest', 'base64'))),
	'^XX001\nartifact does not have the digest ', 'another artifact');
SELECT is(left(pg_temp.refusal(pg_temp.forged_artifact(bytes)), 5), 'XX001', 'a damaged artifact, sealed: ' || said)
FROM churnops.version AS v, LATERAL (VALUES ('empty', ''::bytea), ('cut', substr(v.artifact, 1, 40)),
	('a byte more', v.artifact || '\x00'), ('a bit changed', set_bit(v.artifact, 500, 1 - get_bit(v.artifact, 500)))) AS a(said, bytes)
WHERE v.model = 'churn' AND v.version = 1;
SELECT is(left(pg_temp.refusal(pg_temp.forged(path, value)), 5), state, format('%s at %s', value, path))
FROM (VALUES
	('{run,started_at}'::text[], '"yesterday or so"'::jsonb, '22007'),
	('{exported,at}', '"never"', '22007'),
	('{version,version}', '1e30', '22003'),
	('{version,positive_class_index}', '1e30', '22003'),
	('{run,seed}', '0.5', '22P02'),
	('{dataset,digest}', '"none"', '23514'),
	('{model,name}', '"No Name"', '42602')
) AS cases(path, value, state);
SELECT is(left(pg_temp.refusal(repeat('[', 100000)), 5), '54001', 'deep nesting');
SELECT is(pg_temp.error_as('churnops_bob', 'SELECT churnops_import(document, ''No Name'') FROM sent'),
	E'42602\ninvalid model name "No Name"\nA name is a lower-case letter followed by up to 62 lower-case letters, '
	'digits, underscores, dots or hyphens.\nChoose a name like churn_2026.', 'a name that is none');
SELECT is_empty('SELECT FROM churnops.model WHERE name = ''foreign''', 'what is refused leaves nothing');
SELECT throws_ok('SELECT churnops_export(NULL)', '22004', NULL, 'no reference');

SELECT * FROM finish();
ROLLBACK;
