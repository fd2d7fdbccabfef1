-- Alerts: looks in a row, the end, who is told, acknowledging and muting
BEGIN;
\ir include/setup.sql
SELECT no_plan();

CREATE ROLE churnops_team;
CREATE ROLE churnops_reader;
CREATE ROLE churnops_stranger;
SELECT is(pg_temp.register('churn', 'churnops_team'), 'churn/1 approved', 'a model');
SELECT is(pg_temp.value_as('churnops_team', $$SELECT churnops_grant('churn', 'churnops_reader', 'read')$$), 'true');

-- A look at hour h; the severity NULL sees nothing.
CREATE FUNCTION pg_temp.look(h integer, severity text, kind text DEFAULT 'drift', subject text DEFAULT 'tenure',
	needed integer DEFAULT 2, name text DEFAULT NULL)
RETURNS text
LANGUAGE sql
AS $$
	SELECT churnops.observe('churn', 1, kind, subject, severity, 0.3, 0.25, 'tenure has moved', '{"psi": 0.3}',
		coalesce(name, h::text), '2026-01-01 00:00+00'::timestamptz + h * interval '1 hour', needed)::text
$$;
CREATE FUNCTION pg_temp.alert(number text) RETURNS text
LANGUAGE sql
AS $$
	SELECT concat_ws(' ', state, severity, n_looks,
		extract(epoch FROM notified_at - '2026-01-01 00:00+00'::timestamptz)::integer / 3600)
	FROM churnops.alerts WHERE alert = number::bigint
$$;
CREATE TEMP TABLE seen (name text, alert text);

-- Two looks in a row raise it

INSERT INTO seen VALUES ('first', pg_temp.look(0, 'warning'));
SELECT is(pg_temp.alert(alert), 'pending warning 1', 'seen once') FROM seen;
SELECT is(pg_temp.look(0, 'warning'), alert, 'the same look') || E'\n'
	|| is(pg_temp.alert(alert), 'pending warning 1', 'counts once') FROM seen;
SELECT is(pg_temp.look(1, 'warning'), alert, 'the next look') || E'\n'
	|| is(pg_temp.alert(alert), 'raised warning 2 1', 'raises it, and it is told') FROM seen;
SELECT is(pg_temp.look(1, NULL, name => '1'), NULL, 'the same look cannot end it')
	|| E'\n' || is(pg_temp.alert(alert), 'raised warning 2 1') FROM seen;
SELECT is((SELECT format('%s/%s %s %s %s %s "%s" %s', model, version, kind, subject, value, threshold, message, detail)
	FROM churnops.alerts AS a WHERE a.alert = seen.alert::bigint),
	'churn/1 drift tenure 0.3 0.25 "tenure has moved" {"psi": 0.3}', 'all that is known of it') FROM seen;
SELECT is((SELECT ARRAY[first_seen_at, last_seen_at, raised_at] FROM churnops.alerts AS a WHERE a.alert = seen.alert::bigint),
	'{2026-01-01 00:00+00, 2026-01-01 01:00+00, 2026-01-01 01:00+00}'::timestamptz[], 'and when it was seen') FROM seen;

-- Not told again within the cooldown, unless it is worse

SET LOCAL churnops.alert_cooldown = '3h';
SELECT ok(pg_temp.look(2, 'warning') IS NOT NULL) || E'\n'
	|| is(pg_temp.alert(alert), 'raised warning 3 1', 'not told again') FROM seen;
SELECT ok(pg_temp.look(3, 'critical') IS NOT NULL) || E'\n'
	|| is(pg_temp.alert(alert), 'raised critical 4 3', 'told that it is critical') FROM seen;
SELECT ok(pg_temp.look(4, 'critical') IS NOT NULL) || E'\n'
	|| is(pg_temp.alert(alert), 'raised critical 5 3', 'once') FROM seen;
SELECT ok(pg_temp.look(6, 'critical') IS NOT NULL) || E'\n'
	|| is(pg_temp.alert(alert), 'raised critical 6 6', 'and again after the cooldown') FROM seen;

-- It ends, and what comes back is another one, which is not told sooner

SELECT is(pg_temp.look(7, NULL), NULL, 'nothing is seen') || E'\n'
	|| is(pg_temp.alert(alert), 'resolved critical 6 6', 'it ends') FROM seen;
SELECT is(pg_temp.look(8, NULL), NULL, 'nothing to end');
INSERT INTO seen VALUES ('second', pg_temp.look(8, 'warning', needed => 1));
SELECT isnt(b.alert, a.alert, 'another one') || E'\n'
	|| is(pg_temp.alert(b.alert), 'raised warning 1', 'raised at the first look, but in the cooldown')
FROM seen AS a, seen AS b WHERE a.name = 'first' AND b.name = 'second';
SELECT ok(pg_temp.look(9, 'warning') IS NOT NULL) || E'\n'
	|| is(pg_temp.alert(alert), 'raised warning 2 9', 'told after it') FROM seen WHERE name = 'second';
-- One look alone is forgotten.
INSERT INTO seen VALUES ('third', pg_temp.look(9, 'warning', subject => 'age'));
SELECT is(pg_temp.look(10, NULL, subject => 'age'), NULL) || E'\n'
	|| is(pg_temp.alert(alert), 'resolved warning 1', 'a look that sees nothing begins the count anew') FROM seen WHERE name = 'third';

-- Acknowledging

SELECT is(pg_temp.error_as('churnops_stranger', format('SELECT churnops_acknowledge(%s)', alert)),
	format(E'42704\nalert %s does not exist\nThe view churnops.alerts lists them.', alert), 'a stranger learns nothing')
	|| E'\n' || is(split_part(pg_temp.error_as('churnops_reader', format('SELECT churnops_acknowledge(%s)', alert)), E'\n', 1), '42501',
		'reading is not enough')
FROM seen WHERE name = 'second';
SELECT is(pg_temp.error_as('churnops_team', 'SELECT churnops_acknowledge(0)'), E'42704\nalert 0 does not exist\nThe view churnops.alerts lists them.');
SELECT throws_ok('SELECT churnops_acknowledge(NULL)', '22004', 'argument "alert" must not be null');
SELECT throws_like(format('SELECT churnops_acknowledge(%s)', alert), 'alert % was resolved at %', 'what has ended needs nobody') FROM seen WHERE name = 'first';
SELECT is(pg_temp.value_as('churnops_team', format($$SELECT churnops_acknowledge(%s, 'new tariff')$$, alert)), '', 'taken') FROM seen WHERE name = 'second';
SELECT is((SELECT concat_ws(' ', state, acknowledged_by, acknowledgement) FROM churnops.alerts AS a WHERE a.alert = seen.alert::bigint),
		'acknowledged churnops_team new tariff', 'and by whom') FROM seen WHERE name = 'second';
SELECT ok(pg_temp.look(20, 'warning') IS NOT NULL) || E'\n'
	|| is(pg_temp.alert(alert), 'acknowledged warning 3 9', 'not told any more') FROM seen WHERE name = 'second';
SELECT ok(pg_temp.look(21, 'critical') IS NOT NULL) || E'\n'
	|| is(pg_temp.alert(alert), 'acknowledged critical 4 21', 'unless it becomes critical') FROM seen WHERE name = 'second';

-- Muting

SELECT is(split_part(pg_temp.error_as('churnops_reader', $$SELECT churnops_mute('churn')$$), E'\n', 1), '42501', 'reading is not enough to mute');
SELECT is(split_part(pg_temp.error_as('churnops_stranger', $$SELECT churnops_mute('churn')$$), E'\n', 1), '42704', 'nor is nothing');
SELECT throws_ok('SELECT churnops_mute(NULL)', '22004', 'argument "model" must not be null');
SELECT throws_ok('SELECT churnops_unmute(NULL)', '22004', 'argument "model" must not be null');
SELECT throws_ok($$SELECT churnops_mute('churn', muted_for => '-1 hour')$$, '22023', 'alerts cannot be muted for -01:00:00');
SELECT throws_ok($$SELECT churnops_mute('churn', subject => 'tenure')$$, '22023', 'subject "tenure" is given without a kind');
SELECT is(pg_temp.value_as('churnops_team', $$SELECT churnops_mute('churn', 'serving', muted_for => NULL, reason => 'move') = 'infinity'$$), 'true', 'for ever');
INSERT INTO seen VALUES ('muted', pg_temp.look(0, 'critical', 'serving', 'errors', 1));
SELECT is(pg_temp.alert(alert), 'muted critical 1', 'kept, not told') FROM seen WHERE name = 'muted';
SELECT ok(pg_temp.look(30, 'critical', 'drift', 'age', 1) IS NOT NULL);
SELECT is((SELECT count(*) FROM churnops.alerts WHERE state = 'raised' AND subject = 'age'), 1::bigint, 'other kinds are told');
SELECT ok(churnops_mute('churn', 'serving', muted_for => '1 hour') < clock_timestamp() + interval '1 hour 1 second', 'replaces the mute');
SELECT is((SELECT count(*) FROM churnops.alert_mute), 1::bigint, 'of the same');
SELECT ok(NOT churnops_unmute('churn'), 'no mute of all kinds') || E'\n' || ok(churnops_unmute('churn', 'serving'), 'one of this kind');
SELECT ok(pg_temp.look(1, 'critical', 'serving', 'errors', 1) IS NOT NULL) || E'\n'
	|| is(pg_temp.alert(alert), 'raised critical 2 1', 'told from now on') FROM seen WHERE name = 'muted';

-- What is seen, and what goes with the model

SELECT is(pg_temp.value_as('churnops_reader', 'SELECT count(*) FROM churnops.alerts'), (SELECT count(*)::text FROM churnops.alerts), 'readers see alerts');
SELECT is(pg_temp.value_as('churnops_stranger', 'SELECT count(*) FROM churnops.alerts'), '0', 'strangers do not');
SELECT lives_ok($$SELECT churnops_mute('churn')$$);
SELECT lives_ok($$SELECT churnops_drop_model('churn')$$);
SELECT is((SELECT count(*) FROM churnops.alert) + (SELECT count(*) FROM churnops.alert_mute), 0::bigint, 'alerts go with the model');

SELECT * FROM finish();
ROLLBACK;
