-- Tamper evidence: what a superuser does past the functions, and how it shows
BEGIN;
\ir include/setup.sql
SELECT no_plan();

CREATE ROLE churnops_alice;
CREATE ROLE churnops_bob;
CREATE ROLE churnops_carl;
SELECT is(pg_temp.register('churn', 'churnops_alice'), format('churn/%s approved', n)) FROM generate_series(1, 3) AS n;
SELECT is(pg_temp.register('other', 'churnops_bob'), 'other/1 approved');
SELECT lives_ok($$SELECT churnops_promote('churn/2', reason => 'better'), churnops_promote('churn/3'), churnops_rollback('churn', 'worse'),
	churnops_reject('churn/3', 'no'), churnops_grant('churn', 'churnops_bob', 'predict'), churnops_grant('churn', 'churnops_carl', 'read'),
	churnops_revoke('churn', 'churnops_carl', 'read'), churnops_alter_model('churn', require_approval => true)$$);
SELECT is_empty('SELECT * FROM churnops_verify()', 'what the functions do is consistent');

-- The chain

SELECT is((SELECT array_agg(link ORDER BY entry) FROM churnops.audit_log WHERE model = 'churn'),
	(SELECT array_agg(n::bigint) FROM generate_series(1, 12) AS n), 'links are counted for each name');
SELECT is_empty($$SELECT hash FROM churnops.audit_log WHERE hash !~ '^[0-9a-f]{64}$'$$, 'each with a SHA-256');
SELECT is((SELECT hash FROM churnops.audit WHERE model = 'other' AND link = 1), (
	SELECT encode(sha256(convert_to(jsonb_build_array(model, link, (extract(epoch FROM at) * 1000000)::bigint, actor, "session_user",
		action, owner, version, detail, covered)::text, 'UTF8')), 'hex') FROM churnops.audit WHERE model = 'other' AND link = 1),
	'as documented, of the first link');
SELECT is((SELECT hash FROM churnops.audit WHERE model = 'other' AND link = 2), (
	SELECT encode(sha256(decode((SELECT hash FROM churnops.audit WHERE model = 'other' AND link = 1), 'hex')
		|| convert_to(jsonb_build_array(model, link, (extract(epoch FROM at) * 1000000)::bigint, actor, "session_user",
		action, owner, version, detail, covered)::text, 'UTF8')), 'hex') FROM churnops.audit WHERE model = 'other' AND link = 2),
	'and of the next');

-- Nothing in it depends on the session's settings
CREATE FUNCTION pg_temp.set_all() RETURNS void LANGUAGE sql AS $$
	SELECT set_config(n, v, true) FROM (VALUES ('TimeZone', 'Asia/Kathmandu'), ('DateStyle', 'German'), ('extra_float_digits', '-3'),
		('bytea_output', 'escape'), ('IntervalStyle', 'iso_8601'), ('quote_all_identifiers', 'on')) AS s(n, v) $$;
SAVEPOINT settings;
SELECT pg_temp.set_all();
SELECT is_empty('SELECT * FROM churnops_verify()', 'whatever the settings of who verifies');
SELECT is(pg_temp.register('churn', 'churnops_alice'), 'churn/4 pending');
ROLLBACK TO settings;
SAVEPOINT settings;
SELECT pg_temp.set_all();
SELECT is(pg_temp.register('churn', 'churnops_alice'), 'churn/4 pending');
SELECT set_config('TimeZone', 'UTC', true), set_config('extra_float_digits', '3', true), set_config('DateStyle', 'ISO', true);
SELECT is_empty('SELECT * FROM churnops_verify()', 'or of who acted');
ROLLBACK TO settings;

-- Each kind of change, past the triggers

CREATE FUNCTION pg_temp.found(tampering text) RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
	result text := '';
BEGIN
	BEGIN
		SET LOCAL session_replication_role = replica;
		EXECUTE tampering;
		SET LOCAL session_replication_role = origin;
		SELECT string_agg(concat_ws(': ', v.name, v."table" || ' ' || v.key, v.problem), E'\n' ORDER BY v.entry, v."table", v.key)
		INTO result FROM churnops_verify() AS v;
		RAISE EXCEPTION USING ERRCODE = 'P9999', MESSAGE = coalesce(result, 'nothing');
	EXCEPTION WHEN SQLSTATE 'P9999' THEN
		result := SQLERRM;
	END;
	-- Numbers of a run differ from one to the next.
	RETURN regexp_replace(regexp_replace(result, '(audit|run|dataset|_event) \d+', '\1 N', 'g'), ' to \d+:', ' to N:', 'g');
END
$$;

SELECT is(pg_temp.found(tampering), problems, tampering)
FROM (VALUES
	($$UPDATE churnops.version SET artifact = 'wood' WHERE model = 'churn' AND version = 2$$,
		'churn: version 2: the artifact does not have its digest'),
	($$UPDATE churnops.version SET artifact = 'wood', artifact_digest = encode(sha256('wood'), 'hex') WHERE model = 'churn' AND version = 2$$,
		'churn: version 2: the row was altered'),
	($$UPDATE churnops.version SET metrics = '{}' WHERE model = 'churn' AND version = 1$$, 'churn: version 1: the row was altered'),
	($$UPDATE churnops.version SET created_by = 'churnops_bob' WHERE model = 'churn' AND version = 3$$, 'churn: version 3: the row was altered'),
	($$DELETE FROM churnops.version WHERE model = 'churn' AND version = 3$$, 'churn: version 3: the row is missing'),
	($$UPDATE churnops.run SET seconds = seconds + 1e-9 WHERE model = 'other'$$, 'other: run N: the row was altered'),
	($$UPDATE churnops.dataset SET query = 'SELECT 1' WHERE model = 'other'$$, 'other: dataset N: the row was altered'),
	($$UPDATE churnops.version_event SET status = 'approved' WHERE model = 'churn' AND status = 'rejected'$$, 'churn: version_event N: the row was altered'),
	($$DELETE FROM churnops.version_event WHERE model = 'churn' AND status = 'rejected'$$, 'churn: version_event N: the row is missing'),
	($$INSERT INTO churnops.version_event (model, version, status, changed_by, changed_at) VALUES ('churn', 3, 'approved', 'churnops_alice', now())$$,
		'churn: version_event N: the row is not in the audit'),
	($$UPDATE churnops.alias_event SET reason = 'ordered' WHERE reason = 'better'$$, 'churn: alias_event N: the row was altered'),
	($$UPDATE churnops.alias_event SET changed_at = changed_at + interval '1 microsecond' WHERE reason = 'better'$$, 'churn: alias_event N: the row was altered'),
	($$UPDATE churnops.alias SET version = 1 WHERE model = 'churn'$$, 'churn: alias champion: it points to version 1, by its history to version 2'),
	($$DELETE FROM churnops.alias WHERE model = 'churn'$$, 'churn: alias champion: it points to nothing, by its history to version 2'),
	($$INSERT INTO churnops.alias VALUES ('churn', 'mine', 3, 'x', now())$$, 'churn: alias mine: it points to version 3, by its history to nothing'),
	($$INSERT INTO churnops.privilege VALUES ('churn', 'churnops_carl', 'deploy', '', 'churnops_alice', now())$$,
		'churn: privilege churnops_carl deploy: the privilege is not in the audit'),
	($$INSERT INTO churnops.privilege VALUES ('churn', 'churnops_carl', 'read', '', 'churnops_alice', now())$$,
		'churn: privilege churnops_carl read: the privilege is not in the audit'),
	($$DELETE FROM churnops.privilege WHERE model = 'churn'$$, 'churn: privilege churnops_bob predict: the privilege is missing'),
	($$UPDATE churnops.model SET owner = 'churnops_bob' WHERE name = 'churn'$$, 'churn: model churn: its owner is "churnops_bob", by the audit "churnops_alice"'),
	($$UPDATE churnops.model SET require_approval = false WHERE name = 'churn'$$, 'churn: model churn: whether it demands approvals is not as in the audit'),
	($$UPDATE churnops.model SET last_version = 2 WHERE name = 'churn'$$, 'churn: model churn: its last version was 2, there is version 3'),
	($$DELETE FROM churnops.model WHERE name = 'churn'$$, 'churn: model churn: the model is missing'),
	($$UPDATE churnops.audit SET actor = 'churnops_bob' WHERE model = 'churn' AND link = 7$$, 'churn: audit N: the entry, or the one before, was altered'),
	($$UPDATE churnops.audit SET at = at + interval '1 microsecond' WHERE model = 'churn' AND link = 7$$, 'churn: audit N: the entry, or the one before, was altered'),
	($$UPDATE churnops.audit SET detail = '{}' WHERE model = 'churn' AND link = 7$$, 'churn: audit N: the entry, or the one before, was altered'),
	($$UPDATE churnops.audit SET hash = repeat('0', 64) WHERE model = 'churn' AND link = 3$$,
		E'churn: audit N: the entry, or the one before, was altered\nchurn: audit N: the entry, or the one before, was altered'),
	($$UPDATE churnops.audit SET hash = NULL WHERE model = 'churn' AND link = 12$$, 'churn: audit N: the entry, or the one before, was altered'),
	($$INSERT INTO churnops.audit (at, actor, "session_user", action, model, owner, detail) VALUES (now(), 'x', 'x', 'approve', 'churn', 'churnops_alice', '{}')$$,
		'churn: audit N: the entry is in no chain'),
	($$SELECT 1$$, 'nothing')) AS t(tampering, problems);
SELECT matches(pg_temp.found($$DELETE FROM churnops.audit WHERE model = 'churn' AND link IN (7, 8)$$),
	'^churn: audit N: 2 entries before it are missing', 'entries that are missing');
SELECT is(pg_temp.found($$DELETE FROM churnops.audit WHERE model = 'churn' AND link = 12$$),
	'churn: model churn: whether it demands approvals is not as in the audit', 'a last entry that is missing, by what it did');

-- Who changes an entry has to write anew all that follow: one that is known from elsewhere then differs

SAVEPOINT forged;
CREATE TABLE known AS SELECT link, hash FROM churnops.audit_log WHERE model = 'churn' ORDER BY link DESC LIMIT 1;
SET LOCAL session_replication_role = replica;
UPDATE churnops.audit SET actor = 'churnops_bob' WHERE model = 'churn' AND link = 7;
DO $$
DECLARE
	e churnops.audit;
	previous text := (SELECT hash FROM churnops.audit WHERE model = 'churn' AND link = 6);
BEGIN
	FOR e IN SELECT * FROM churnops.audit WHERE model = 'churn' AND link >= 7 ORDER BY link LOOP
		previous := churnops.entry_hash(previous, e);
		UPDATE churnops.audit SET hash = previous WHERE entry = e.entry;
	END LOOP;
END
$$;
SET LOCAL session_replication_role = origin;
SELECT is_empty('SELECT * FROM churnops_verify()', 'a chain that is written anew is consistent');
SELECT is_empty('SELECT k.link FROM known AS k JOIN churnops.audit_log AS a USING (link, hash)', 'but not the one that was');
ROLLBACK TO forged;

-- Dropped models stay verifiable, and a name goes on

SELECT lives_ok($$SELECT churnops_drop_model('churn')$$);
SELECT is_empty('SELECT * FROM churnops_verify()');
SELECT is_empty($$SELECT * FROM churnops_verify('churn')$$, 'a model that is gone can be asked for');
SELECT is(pg_temp.found($$UPDATE churnops.audit SET actor = 'churnops_bob' WHERE model = 'churn' AND link = 7$$),
	'churn: audit N: the entry, or the one before, was altered');
SELECT is(pg_temp.value_as('churnops_alice', $$SELECT count(*) FROM churnops_verify('churn')$$), '0', 'by its last owner');
SELECT is(pg_temp.error_as('churnops_bob', $$SELECT churnops_verify('churn')$$),
	E'42704\nmodel "churn" does not exist\nModels you may use are listed in the view churnops.models.', 'not by others');
SELECT is(pg_temp.register('churn', 'churnops_bob'), 'churn/1 approved', 'another takes the name');
SELECT is((SELECT array_agg(link ORDER BY entry) FROM churnops.audit WHERE model = 'churn' AND owner = 'churnops_bob'), '{14,15}', 'the chain goes on');
SELECT is_empty('SELECT * FROM churnops_verify()');
SELECT is(pg_temp.found($$INSERT INTO churnops.alias VALUES ('churn', 'mine', 1, 'x', now())$$), 'churn: alias mine: it points to version 1, by its history to nothing');

-- Who sees what

SELECT is(pg_temp.error_as('churnops_carl', $$SELECT churnops_verify('other')$$),
	E'42704\nmodel "other" does not exist\nModels you may use are listed in the view churnops.models.');
SELECT is(pg_temp.error_as('churnops_carl', $$SELECT churnops_verify('nosuch')$$),
	E'42704\nmodel "nosuch" does not exist\nModels you may use are listed in the view churnops.models.', 'unknown reads the same');
SELECT is(pg_temp.error_as('churnops_carl', $$SELECT churnops_verify('No such')$$), E'42602\ninvalid model name "No such"
A name is a lower-case letter followed by up to 62 lower-case letters, digits, underscores, dots or hyphens.\nChoose a name like churn_2026.');
SET LOCAL session_replication_role = replica;
UPDATE churnops.alias SET version = 9;
SET LOCAL session_replication_role = origin;
SELECT is(pg_temp.value_as('churnops_carl', 'SELECT count(*) FROM churnops_verify()'), '0', 'of another''s models nobody sees a thing');
SELECT is(pg_temp.value_as('churnops_bob', $$SELECT string_agg(name, ' ') FROM churnops_verify()$$), 'churn other', 'owners do');
UPDATE churnops.alias SET version = 1;
SELECT is_empty('SELECT * FROM churnops_verify()');

-- Chains of other things than models, under names that no model can have

SELECT lives_ok($$SELECT churnops.write_audit('churnops_alice', 'keep', 'things:/x', n, '{}', owner_name => 'churnops_alice') FROM generate_series(1, 3) AS n$$);
SELECT is_empty('SELECT * FROM churnops_verify()', 'they are consistent');
SELECT is(pg_temp.found($$UPDATE churnops.audit SET version = 7 WHERE model = 'things:/x' AND link = 2$$),
	'things:/x: audit N: the entry, or the one before, was altered', 'or not');

-- Deployments: what is given to whom follows from their history

SELECT pg_temp.register('routed', 'churnops_alice') FROM generate_series(1, 3);
SELECT churnops_deploy('routed', 2, 'canary', '{"weight": 0.1}', 'small'), churnops_deploy('routed', 3, 'shadow');
SELECT is_empty('SELECT * FROM churnops_verify()', 'deployments that run are consistent');
SELECT is(regexp_replace(pg_temp.found(tampering), 'deployment [0-9]+', 'deployment N', 'g'), 'routed: deployment N: ' || problem, tampering)
FROM (VALUES
	($$UPDATE churnops.deployment SET weight = 0.9 WHERE strategy = 'canary'$$, 'it is not as its history has it'),
	($$UPDATE churnops.deployment SET version = 1 WHERE strategy = 'canary'$$, 'it is not as its history has it'),
	($$UPDATE churnops.deployment SET salt = 'x' WHERE strategy = 'canary'$$, 'it is not as its history has it'),
	($$UPDATE churnops.deployment SET config = config || '{"seconds": 1}' WHERE strategy = 'canary'$$, 'it is not as its history has it'),
	($$UPDATE churnops.deployment SET created_by = 'churnops_bob' WHERE strategy = 'shadow'$$, 'it is not as its history has it'),
	($$UPDATE churnops.deployment SET reason = 'ordered' WHERE strategy = 'canary'$$, 'it is not as its history has it'),
	($$UPDATE churnops.deployment SET status = 'cancelled', ended_at = now() WHERE strategy = 'shadow'$$, 'it is not as its history has it'),
	($$DELETE FROM churnops.deployment WHERE strategy = 'shadow'$$, 'the deployment is missing'),
	($$INSERT INTO churnops.deployment OVERRIDING SYSTEM VALUE SELECT (json_populate_record(d, '{"deployment": 2000000000, "version": 1}')).*
		FROM churnops.deployment AS d WHERE strategy = 'shadow'$$, 'the deployment has no history')) AS t(tampering, problem);
SELECT churnops_cancel_deployment(deployment) FROM churnops.deployment WHERE strategy = 'shadow';
SELECT churnops_deploy('routed', 3, 'shadow'), churnops_rollback('routed'), churnops_deploy('routed', 2, 'canary', '{"weight": 0.5, "seconds": 0, "cool_down": 0}');
SELECT results_eq($$SELECT decision FROM churnops_tick('routed') ORDER BY deployment$$, $$VALUES ('observed'::text), ('promoted')$$);
SELECT lives_ok($$SELECT churnops_deploy('routed', 3, 'all_at_once')$$);
SELECT is_empty('SELECT * FROM churnops_verify()', 'and so are those that have ended, in whatever way');

-- What 0.1.0 left: entries without a chain, which the first link covers

INSERT INTO churnops.model (name, task, target, owner, created_at, last_version) VALUES ('old', 'regression', 'y', 'churnops_alice', now(), 0);
INSERT INTO churnops.alias_event (model, alias, to_version, changed_by, "session_user", changed_at) VALUES ('old', 'champion', 1, 'churnops_alice', 'x', now());
INSERT INTO churnops.alias VALUES ('old', 'champion', 1, 'churnops_alice', now());
INSERT INTO churnops.audit (at, actor, "session_user", action, model, owner, version, detail)
VALUES (now(), 'churnops_alice', 'x', 'train', 'old', 'churnops_alice', 1, '{}'), (now(), 'churnops_alice', 'x', 'promote', 'old', 'churnops_alice', 1, '{}');
SELECT isnt_empty($$SELECT * FROM churnops_verify('old')$$, 'entries in no chain show');
SAVEPOINT lazily;
SELECT lives_ok($$SELECT churnops_grant('old', 'churnops_bob', 'read')$$);
SELECT is_empty($$SELECT * FROM churnops_verify('old')$$, 'the next action chains them');
ROLLBACK TO lazily;
SELECT lives_ok($$SELECT churnops.start_chain(current_user, 'old'), churnops.start_chain(current_user, 'old')$$, 'or an update, once');
SELECT results_eq($$SELECT action, link, owner COLLATE "default" FROM churnops.audit WHERE model = 'old' AND link IS NOT NULL$$, $$VALUES ('chain', 1::bigint, 'churnops_alice')$$);
SELECT is_empty($$SELECT * FROM churnops_verify()$$);
SELECT is(pg_temp.found(tampering), problems, tampering)
FROM (VALUES
	($$UPDATE churnops.alias_event SET changed_by = 'x' WHERE model = 'old'$$, 'old: alias_event N to N: rows were altered, or are missing: there were 1, there are 1'),
	($$DELETE FROM churnops.alias_event WHERE model = 'old'$$, E'old: alias_event N to N: rows were altered, or are missing: there were 1, there are 0\nold: alias champion: it points to version 1, by its history to nothing'),
	($$UPDATE churnops.audit SET actor = 'x' WHERE model = 'old' AND action = 'train'$$, 'old: audit N to N: rows were altered, or are missing: there were 2, there are 2'),
	($$INSERT INTO churnops.version_event (model, version, status, changed_by, changed_at) VALUES ('old', 1, 'approved', 'x', now())$$, 'old: version_event N: the row is not in the audit'))
	AS t(tampering, problems);

SELECT * FROM finish();
ROLLBACK;
