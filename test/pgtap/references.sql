-- Model references: what is one, what it means, and the texts of refusals
BEGIN;
\ir include/setup.sql
SELECT no_plan();

-- Well-formed

PREPARE parsed(text) AS SELECT r.model, r.version, r.alias FROM churnops.parse_reference($1) AS r;
SELECT row_eq($$EXECUTE parsed('churn')$$, ROW('churn'::text, NULL::integer, NULL::text), 'a model');
SELECT row_eq($$EXECUTE parsed('churn/3')$$, ROW('churn'::text, 3, NULL::text), 'a version');
SELECT row_eq($$EXECUTE parsed('churn@challenger')$$, ROW('churn'::text, NULL::integer, 'challenger'::text),
	'an alias');
SELECT row_eq($$EXECUTE parsed('models:/churn')$$, ROW('churn'::text, NULL::integer, NULL::text),
	'a model with the prefix');
SELECT row_eq($$EXECUTE parsed('models:/churn/3')$$, ROW('churn'::text, 3, NULL::text), 'a version with the prefix');
SELECT row_eq($$EXECUTE parsed('models:/churn@a.b-c_9')$$, ROW('churn'::text, NULL::integer, 'a.b-c_9'::text),
	'an alias with the prefix');
SELECT row_eq($$EXECUTE parsed('a/2147483647')$$, ROW('a'::text, 2147483647, NULL::text), 'the largest version');
SELECT row_eq(format('EXECUTE parsed(%L)', 'm' || repeat('0', 62)),
	ROW('m' || repeat('0', 62), NULL::integer, NULL::text), 'a name of 63 characters');
SELECT row_eq($$EXECUTE parsed('models')$$, ROW('models'::text, NULL::integer, NULL::text),
	'a model called like the prefix');

-- Malformed

SELECT throws_ok(format('EXECUTE parsed(%L)', bad), '42602', format('invalid model reference "%s"', bad),
	format('refused: %L', bad))
FROM unnest(ARRAY['', ' ', 'Churn', 'churn!', ' churn', 'churn ', E'churn\n', '1churn', '_churn', 'chürn', 'churn/', 'churn@',
	'churn/0', 'churn/03', 'churn/-1', 'churn/+1', 'churn/1.0', 'churn/x', 'churn/3/4', 'churn/3@a', 'churn@a/3',
	'churn@A', 'churn@1', 'churn@a@b', 'churn/2147483648', 'churn/99999999999', '/3', '@a', 'models:', 'models:/',
	'models:churn', 'models://churn', 'models:/models:/churn', 'MODELS:/churn', 'churn;', 'churn''', 'churn"',
	'm' || repeat('0', 63), 'churn@a' || repeat('0', 63)]) AS bad;
SELECT is(pg_temp.error_as(current_user, $$SELECT churnops.parse_reference('Churn!')$$),
	'42602
invalid model reference "Churn!"
A reference is churn, churn/3 or churn@alias, with or without the prefix models:/; names match [a-z][a-z0-9_.-]{0,62}.
Models you may use are listed in the view churnops.models.',
	'the refusal says what a reference is');
SELECT throws_ok('EXECUTE parsed(NULL)', '22004', 'argument "model_ref" must not be null');

-- Meaning

SELECT is(pg_temp.register('churn', current_user), 'churn/1 approved', 'first version');
SELECT is(pg_temp.register('churn', current_user), 'churn/2 approved', 'second version');
SELECT lives_ok($$SELECT churnops_promote('churn/2', 'challenger')$$);

PREPARE resolved(text) AS SELECT r.model, r.version FROM churnops.resolve(current_user, $1, 'predict') AS r;
SELECT row_eq(format('EXECUTE resolved(%L)', reference), ROW('churn'::text, version),
	format('%s is version %s', reference, version))
FROM (VALUES ('churn', 1), ('churn/1', 1), ('churn/2', 2), ('churn@champion', 1), ('churn@challenger', 2),
	('models:/churn', 1), ('models:/churn/2', 2), ('models:/churn@challenger', 2)) AS r(reference, version);
SELECT throws_ok($$EXECUTE resolved('churn/7')$$, '42704', 'version 7 of model "churn" does not exist');
SELECT throws_ok($$EXECUTE resolved('churn@shadow')$$, '42704', 'model "churn" has no alias "shadow"');
SELECT is(pg_temp.error_as(current_user, $$SELECT churnops.resolve(current_user, 'fraud/1', 'predict')$$),
	'42704
model "fraud" does not exist
Models you may use are listed in the view churnops.models.',
	'an unknown model, with a hint');
SELECT is(pg_temp.error_as(current_user, $$SELECT churnops.resolve(current_user, 'churn/7', 'predict')$$),
	'42704
version 7 of model "churn" does not exist
List its versions with SELECT version, status FROM churnops.versions WHERE model = ''churn'';',
	'an unknown version, with a hint');
SELECT is(pg_temp.error_as(current_user, $$SELECT churnops.resolve(current_user, 'churn@shadow', 'predict')$$),
	'42704
model "churn" has no alias "shadow"
Name a version, or give the alias to one with SELECT churnops_promote(''churn/1'', ''shadow'');',
	'an unknown alias, with a hint');

-- Scoring resolves in C: a reference gets the same answer there.  The made-up
-- artifact is none, so a reference that C understands ends in XX001.
CREATE FUNCTION pg_temp.same_in_c(reference text, here text) RETURNS text
LANGUAGE sql
AS $$
	SELECT is(CASE WHEN c LIKE 'XX001%' THEN 'no error' ELSE c END, here, format('scoring agrees: %L', reference))
	FROM pg_temp.error_as(current_user, format($q$SELECT churnops_predict(%L::text, '{}'::jsonb)$q$, reference)) AS c
$$;
SELECT pg_temp.same_in_c(reference,
	pg_temp.error_as(current_user, format('SELECT churnops.resolve(current_user, %L, ''predict'')', reference)))
FROM unnest(ARRAY['churn', 'churn/1', 'churn/2', 'churn@challenger', 'models:/churn/2', 'churn/7', 'churn@shadow', 'fraud',
	'fraud/1', 'fraud@champion', 'churn/0', 'churn/03', 'churn/2147483647', 'churn/2147483648', 'churn/99999999999',
	'churn@', 'churn@A', 'Churn', '', 'models:', 'models:/models:/churn', 'churn/3/4', 'churn ',
	'm' || repeat('0', 62), 'm' || repeat('0', 63)]) AS reference;

SELECT lives_ok($$SELECT churnops_drop_alias('churn@champion')$$);
SELECT throws_ok($$EXECUTE resolved('churn')$$, '42704', 'model "churn" has no alias "champion"',
	'a bare name needs the champion');

SELECT * FROM finish();
ROLLBACK;
