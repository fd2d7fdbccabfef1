-- Rules of training that a session alone can show: whose query runs, and what is refused early.
BEGIN;
\ir include/setup.sql

SELECT plan(9);

CREATE ROLE churnops_trainer;
CREATE ROLE churnops_member;
CREATE ROLE churnops_team;
GRANT churnops_team TO churnops_trainer, churnops_member;
GRANT CREATE ON SCHEMA public TO churnops_trainer;

-- A function of the trainer's that does more when somebody stronger runs it.
SET ROLE churnops_trainer;
CREATE FUNCTION public.snoop(i integer) RETURNS integer LANGUAGE plpgsql AS $$
BEGIN
	IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
		RAISE EXCEPTION 'ran as superuser';
	END IF;
	RETURN i;
END
$$;
SELECT lives_ok(
	$$ SELECT churnops_train('snooper', 'SELECT public.snoop(i) AS x, i % 2 = 0 AS y FROM generate_series(1, 60) i', 'y',
		'{"n_estimators": 2}') $$, 'the trainer trains');
SELECT is((SELECT reproduced FROM churnops_reproduce('snooper/1')), true, 'and reproduces');
RESET ROLE;

SELECT throws_ok($$ SELECT churnops_reproduce('snooper/1') $$, '42501',
	'version 1 of model "snooper" was trained by role "churnops_trainer"',
	'a superuser does not run the query of another role');

SET ROLE churnops_team;
SELECT lives_ok(
	$$ SELECT churnops_train('shared', 'SELECT i AS x, i % 2 = 0 AS y FROM generate_series(1, 60) i', 'y',
		'{"n_estimators": 2}') $$, 'a team trains');
SET ROLE churnops_member;
SELECT throws_ok($$ SELECT churnops_reproduce('shared/1') $$, '42501', NULL,
	'nor does a member of the team as himself');
SET ROLE churnops_team;
SELECT is((SELECT reproduced FROM churnops_reproduce('shared/1')), true, 'but as the team');
RESET ROLE;

-- The size of the forest is judged by its first trees.
SET churnops.training_memory = '64MB';
SELECT throws_like(
	$$ SELECT churnops_train('huge', 'SELECT i AS x, hashint4(i) % 2 = 0 AS y FROM generate_series(1, 4000) i', 'y',
		'{"n_estimators": 20000}') $$,
	'training needs at least % of memory, churnops.training_memory is 64 MB',
	'more trees than fit are refused after the first');
RESET churnops.training_memory;

-- A class without any other has no average precision.
SELECT is(metrics -> 'holdout' -> 'average_precision_macro', 'null'::jsonb,
	'a holdout of one unseen class has no average precision')
FROM churnops_train('unseen',
	$$ SELECT i, i % 7 AS x, CASE WHEN i <= 80 THEN 'k' || i % 3 ELSE 'zz' END AS y FROM generate_series(1, 100) i $$,
	'y', '{"n_estimators": 5}', time_column => 'i');

-- Only the ratios of weights count, however large they are.
SELECT isnt(metrics -> 'holdout' -> 'roc_auc', 'null'::jsonb, 'weights of 1e160 have metrics')
FROM churnops_train('heavy',
	'SELECT i AS x, i % 3 = 0 AS y, 1e160::float8 AS w FROM generate_series(1, 200) i', 'y',
	'{"n_estimators": 5}', weight => 'w');

SELECT * FROM finish();
ROLLBACK;
