-- A version as a folder of the server: what is in it, who may, what a rollback leaves, and back
BEGIN;
\getenv dir TMPDIR
\ir include/setup.sql
SELECT no_plan();

\o /dev/null
SELECT set_config('test.dir', :'dir' || '/save', true);
\o
CREATE FUNCTION pg_temp.folder(name text) RETURNS text
LANGUAGE sql
AS $$ SELECT current_setting('test.dir') || '/' || name $$;
CREATE FUNCTION pg_temp.files(name text) RETURNS text
LANGUAGE sql
AS $$ SELECT string_agg(f, ' ' ORDER BY f COLLATE "C") FROM pg_ls_dir(pg_temp.folder(name), true, false) AS f $$;
CREATE FUNCTION pg_temp.content(name text) RETURNS text
LANGUAGE sql
AS $$ SELECT convert_from(pg_read_binary_file(pg_temp.folder(name)), 'UTF8') $$;

CREATE ROLE churnops_ann IN ROLE pg_write_server_files, pg_read_server_files;
CREATE ROLE churnops_ben IN ROLE pg_write_server_files;
CREATE ROLE churnops_cat;
CREATE TABLE public.customers AS
SELECT i AS id, i % 7 AS calls, 'Zürich ' || i % 3 AS plan, CASE WHEN i % 7 + i % 3 > 4 THEN 'yes' ELSE 'no' END AS churned
FROM generate_series(1, 200) AS i;
GRANT SELECT ON public.customers TO churnops_ann, churnops_cat;
SET ROLE churnops_ann;
SELECT ref FROM churnops_train('churn', 'SELECT * FROM public.customers', 'churned', '{"n_estimators": 3, "max_depth": 3}', key => '{id}');
RESET ROLE;

CREATE FUNCTION pg_temp.save(role text, name text, ref text DEFAULT 'churn') RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
	path text := CASE WHEN name ~ '[:/]' THEN name ELSE pg_temp.folder(name) END;
BEGIN
	RETURN pg_temp.value_as(role, format('SELECT churnops_save(%L, %L)', ref, path));
END
$$;
CREATE FUNCTION pg_temp.refusal(role text, name text, ref text DEFAULT 'churn') RETURNS text
LANGUAGE sql
AS $$ SELECT replace(pg_temp.error_as(role, format('SELECT churnops_save(%L, %L)', ref,
	CASE WHEN name ~ '[:/]' THEN name ELSE pg_temp.folder(name) END)), current_setting('test.dir') || '/', '') $$;

-- What is written

SELECT is(pg_temp.save('churnops_ann', 'one'), pg_temp.folder('one'), 'the folder''s path');
SELECT is(pg_temp.files('one'), 'MODEL_CARD.md metadata.json model.json', 'its files');
SELECT is(pg_temp.files(''), 'one', 'and nothing beside it');
SELECT is(pg_temp.content('one/MODEL_CARD.md'), churnops_model_card('churn/1'), 'the card');
SELECT is((pg_temp.content('one/model.json')::jsonb->'content') - 'exported', (churnops_export('churn/1')::jsonb->'content') - 'exported', 'the document');
SELECT is(x.got, x.expected, 'metadata: ' || x.what)
FROM churnops.versions AS v, CAST(pg_temp.content('one/metadata.json') AS jsonb) AS m, LATERAL (VALUES
	('ref', m->'ref', '"churn/1"'), ('metrics', m #> '{version,metrics}', v.metrics),
	('params', m #> '{run,params}', v.params), ('artifact', m #> '{version,artifact_digest}', to_jsonb(v.artifact_digest)),
	('data', m #> '{dataset,digest}', to_jsonb(v.dataset_digest)), ('lineage', m #> '{dataset,query}', '"SELECT * FROM public.customers"'),
	('environment', to_jsonb((m #>> '{run,environment,postgresql}') ~ '^1'), 'true')) AS x(what, got, expected)
WHERE v.model = 'churn';
SELECT is(encode(sha256(pg_read_binary_file(pg_temp.folder('one/' || f.key))), 'hex'), f.value, 'metadata: SHA-256 of ' || f.key)
FROM CAST(pg_temp.content('one/metadata.json') AS jsonb) AS m, jsonb_each_text(m->'files') AS f;
SELECT is(pg_temp.save('churnops_ann', 'file:' || pg_temp.folder('deep%20er/still/two/')), pg_temp.folder('deep er/still/two'), 'folders above are made');
SELECT is(pg_temp.files('deep er/still'), 'two', 'and are there');

-- And back

SELECT is((l.ref, l.version, l.status, l.source_ref)::text, '(back/1,1,approved,churn/1)', 'it is taken in')
FROM churnops_load(pg_temp.folder('one'), 'back') AS l;
SELECT is(count(*), 0::bigint, 'and predicts the same')
FROM public.customers AS c WHERE churnops_predict('back', c) IS DISTINCT FROM churnops_predict('churn', c);
SELECT is(pg_temp.error_as(current_user, format('SELECT churnops_load(%L, ''more'', ''again'')', pg_temp.folder('one'))), 'no error', 'under another name');
SELECT is(pg_temp.value_as('churnops_ann', format('SELECT (churnops_load(%L, ''hers'')).ref', pg_temp.folder('one'))), 'hers/1', 'by who may read');
SELECT is((SELECT owner FROM churnops.models WHERE name = 'hers'), 'churnops_ann', 'who owns it');
SELECT is(pg_temp.error_as('churnops_ben', format('SELECT churnops_load(%L)', pg_temp.folder('one'))),
	E'42501\npermission denied to read files of the server\nOnly members of role "pg_read_server_files" may read them.\n'
	'A superuser can GRANT pg_read_server_files TO churnops_ben;', 'by nobody else');
SELECT is(pg_temp.error_as('churnops_ann', format('SELECT churnops_load(%L)', pg_temp.folder('none'))),
	format(E'58P01\ncould not open file "%s/model.json" for reading: No such file or directory\nThe file is read by the server, on its own machine and as its own user.',
	pg_temp.folder('none')), 'a folder that is not there');
SELECT is(pg_temp.error_as('churnops_ann', $$SELECT churnops_load('s3://b/churn')$$), E'0A000\nlocations of scheme "s3" are not supported\n'
	'The location is "s3://b/churn".\nGive the path of a file on the server, as "/data/file.csv" or "file:///data/file.csv".', 'another scheme');
SELECT is(pg_temp.error_as('churnops_ann', 'SELECT churnops_load(NULL)'), E'22004\nargument "path" must not be null', 'no path to load');

-- What is refused

SELECT is(pg_temp.refusal('churnops_ann', 'one'), E'58P02\n"one" exists already\nWhat was saved is never overwritten.\nGive another path, or remove it first.', 'a folder that is there');
SELECT is(split_part(pg_temp.refusal('churnops_ann', pg_temp.folder('one/model.json/x')), E'\n', 1), '42809', 'below a file');
SELECT is(pg_temp.refusal('churnops_cat', 'cat'), E'42501\npermission denied to write files of the server\nOnly members of role "pg_write_server_files" may write them.\n'
	'A superuser can GRANT pg_write_server_files TO churnops_cat;', 'who may not write files of the server');
SELECT is(pg_temp.refusal('churnops_ben', 'ben'), E'42704\nmodel "churn" does not exist\nModels you may use are listed in the view churnops.models.', 'a model that may not be read');
SELECT is(split_part(pg_temp.refusal('churnops_ann', 'nine', 'churn/9'), E'\n', 1), '42704', 'a version that does not exist');
SELECT is(pg_temp.refusal('churnops_ann', 's3://bucket/models/churn'), E'0A000\nlocations of scheme "s3" are not supported\nThe location is "s3://bucket/models/churn".\n'
	'Give the path of a file on the server, as "/data/file.csv" or "file:///data/file.csv".', 's3');
SELECT is(pg_temp.refusal('churnops_ann', 'x/y'), E'42602\n"x/y" does not name a file of the server\nIt is not an absolute path.\n'
	'Give an absolute path, as "/data/file.csv" or "file:///data/file.csv".', 'a relative path');
SELECT is(pg_temp.error_as('churnops_ann', $$SELECT churnops_save(NULL, '/x')$$), E'22004\nargument "model_ref" must not be null', 'no model');
SELECT is(pg_temp.error_as('churnops_ann', $$SELECT churnops_save('churn', NULL)$$), E'22004\nargument "path" must not be null', 'no path');
SELECT is(pg_temp.files(''), 'deep er one', 'nothing is left of what was refused');

-- What is rolled back

SAVEPOINT before;
SELECT is(pg_temp.save('churnops_ann', pg_temp.folder('new/a')), pg_temp.folder('new/a'), 'a folder in a new one');
SELECT is(pg_temp.save('churnops_ann', pg_temp.folder('new/b')), pg_temp.folder('new/b'), 'another beside it');
SAVEPOINT inner_one;
SELECT is(pg_temp.save('churnops_ann', pg_temp.folder('new/c')), pg_temp.folder('new/c'), 'a third');
ROLLBACK TO inner_one;
SELECT is(pg_temp.files('new'), 'a b', 'is gone when its savepoint is');
SAVEPOINT inner_two;
SELECT is(pg_temp.save('churnops_ann', pg_temp.folder('new/c')), pg_temp.folder('new/c'), 'it can be saved again');
RELEASE inner_two;
SELECT is(pg_temp.files('new'), 'a b c', 'and stays when its savepoint is released');
ROLLBACK TO before;
SELECT is(pg_temp.files('new'), NULL, 'all are gone with the outer one, and the folder above');
SELECT is(pg_temp.files(''), 'deep er one', 'what was there before is not touched');
SELECT finish();
ROLLBACK;
