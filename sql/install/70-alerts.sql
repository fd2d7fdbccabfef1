-- Alerts: what was seen to be wrong, told once, and kept
--
-- A check tells what it saw at each look (churnops.observe).  One row of
-- churnops.alert is one trouble from its first look to its end: the looks in a
-- row are counted, and it is raised at the second one, or at the first where
-- the check says so.  The next look that sees nothing ends it.  Sessions that
-- LISTEN to churnops_alert hear of it when it is raised, when it gets worse, and
-- again each hour (churnops.alert_cooldown) while it lasts.

CREATE TABLE churnops.alert (
	alert bigint GENERATED ALWAYS AS IDENTITY,
	model text COLLATE "C" NOT NULL,
	version integer,
	kind text COLLATE "C" NOT NULL,
	subject text COLLATE "C" NOT NULL DEFAULT '',
	severity text COLLATE "C" NOT NULL,
	value double precision,
	threshold double precision,
	message text NOT NULL,
	detail jsonb NOT NULL DEFAULT '{}',
	n_looks integer NOT NULL,
	first_seen_at timestamp with time zone NOT NULL,
	last_seen_at timestamp with time zone NOT NULL,
	last_look text COLLATE "C",
	raised_at timestamp with time zone,
	notified_at timestamp with time zone,
	acknowledged_at timestamp with time zone,
	acknowledged_by text,
	acknowledgement text,
	resolved_at timestamp with time zone,
	CONSTRAINT alert_pkey PRIMARY KEY (alert),
	CONSTRAINT alert_severity_check CHECK (severity IN ('warning', 'critical')),
	CONSTRAINT alert_n_looks_check CHECK (n_looks >= 0),
	CONSTRAINT alert_acknowledged_check CHECK ((acknowledged_at IS NULL) = (acknowledged_by IS NULL))
);
CREATE UNIQUE INDEX alert_live_idx ON churnops.alert (model, kind, subject, coalesce(version, 0))
	WHERE resolved_at IS NULL;
CREATE INDEX alert_model_idx ON churnops.alert (model, alert);
COMMENT ON TABLE churnops.alert IS
'Troubles of models, from the first look that saw one to its end. Written by churnops.observe.';
COMMENT ON COLUMN churnops.alert.version IS 'Version that is in trouble; NULL: the model as a whole.';
COMMENT ON COLUMN churnops.alert.kind IS
'What was looked at: drift, prediction_drift, data_health, performance, serving, retraining, ….';
COMMENT ON COLUMN churnops.alert.subject IS
'Feature, metric or part that is in trouble; empty: all of it.';
COMMENT ON COLUMN churnops.alert.value IS 'Number of the latest look that saw it.';
COMMENT ON COLUMN churnops.alert.threshold IS 'Number it is held against.';
COMMENT ON COLUMN churnops.alert.detail IS 'All numbers of the latest look that saw it.';
COMMENT ON COLUMN churnops.alert.n_looks IS 'Looks in a row that saw it.';
COMMENT ON COLUMN churnops.alert.last_look IS
'Name of the latest look, such as the end of its window: the same look counts once.';
COMMENT ON COLUMN churnops.alert.raised_at IS
'When it was seen often enough; NULL before.';
COMMENT ON COLUMN churnops.alert.notified_at IS 'Latest notification; NULL: none.';
COMMENT ON COLUMN churnops.alert.acknowledgement IS 'What was said with the acknowledgement.';
COMMENT ON COLUMN churnops.alert.resolved_at IS
'When a look saw it no longer; NULL while it lasts.';

CREATE TABLE churnops.alert_mute (
	mute bigint GENERATED ALWAYS AS IDENTITY,
	model text COLLATE "C" NOT NULL,
	kind text COLLATE "C" NOT NULL DEFAULT '',
	subject text COLLATE "C" NOT NULL DEFAULT '',
	muted_until timestamp with time zone NOT NULL,
	reason text,
	muted_by text NOT NULL,
	muted_at timestamp with time zone NOT NULL,
	CONSTRAINT alert_mute_pkey PRIMARY KEY (mute),
	CONSTRAINT alert_mute_key UNIQUE (model, kind, subject)
);
COMMENT ON TABLE churnops.alert_mute IS
'Alerts that are kept, but of which nobody is notified, until a time.';
COMMENT ON COLUMN churnops.alert_mute.kind IS 'Kind of alert; empty: all.';
COMMENT ON COLUMN churnops.alert_mute.subject IS 'Subject; empty: all of the kind.';
COMMENT ON COLUMN churnops.alert_mute.muted_until IS 'End of the silence; infinity: until it is taken back.';

SELECT pg_catalog.pg_extension_config_dump('churnops.alert', '');
SELECT pg_catalog.pg_extension_config_dump('churnops.alert_alert_seq', '');
SELECT pg_catalog.pg_extension_config_dump('churnops.alert_mute', '');
SELECT pg_catalog.pg_extension_config_dump('churnops.alert_mute_mute_seq', '');

-- ------------------------------------------------------------ observing --

CREATE FUNCTION churnops.is_muted(model_name text, alert_kind text, alert_subject text, at timestamp with time zone)
RETURNS boolean
LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT EXISTS (
		SELECT FROM churnops.alert_mute AS m
		WHERE m.model = model_name AND m.muted_until > at
			AND m.kind IN ('', alert_kind) AND m.subject IN ('', alert_subject))
$$;
COMMENT ON FUNCTION churnops.is_muted(text, text, text, timestamp with time zone) IS
'Whether alerts of this kind and subject of a model are muted at a time.';

CREATE FUNCTION churnops.notify_alert(a churnops.alert) RETURNS void
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
-- Times in the payload do not depend on the session.
SET TimeZone = 'UTC'
AS $$
BEGIN
	-- A payload is less than 8000 bytes; names and the numbers are, messages may be long.
	PERFORM pg_notify('churnops_alert', jsonb_build_object(
		'alert', a.alert,
		'model', a.model,
		'version', a.version,
		'kind', a.kind,
		'subject', left(a.subject, 200),
		'severity', a.severity,
		'value', a.value,
		'threshold', a.threshold,
		'message', left(a.message, 500),
		'n_looks', a.n_looks,
		'first_seen_at', a.first_seen_at,
		'raised_at', a.raised_at)::text);
END
$$;
COMMENT ON FUNCTION churnops.notify_alert(churnops.alert) IS
'Sends an alert as JSON to the sessions that LISTEN to churnops_alert, once the transaction commits.';

CREATE FUNCTION churnops.observe(
	model_name text,
	model_version integer,
	alert_kind text,
	alert_subject text,
	seen_severity text,
	seen_value double precision,
	seen_threshold double precision,
	seen_message text,
	seen_detail jsonb,
	look text,
	at timestamp with time zone,
	looks_needed integer DEFAULT 2)
RETURNS bigint
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	live churnops.alert;
	got_worse boolean;
	n integer;
	cooldown interval := coalesce(current_setting('churnops.alert_cooldown', true), '1h')::interval;
BEGIN
	LOOP
		SELECT * INTO live FROM churnops.alert AS a
		WHERE a.model = model_name AND a.kind = alert_kind AND a.subject = coalesce(alert_subject, '')
			AND coalesce(a.version, 0) = coalesce(model_version, 0) AND a.resolved_at IS NULL
		FOR UPDATE;

		-- A look that sees nothing.
		IF seen_severity IS NULL THEN
			UPDATE churnops.alert AS a SET resolved_at = at, last_look = look
			WHERE a.alert = live.alert AND a.last_look IS DISTINCT FROM look;
			RETURN NULL;
		END IF;
		EXIT WHEN live.alert IS NOT NULL;

		INSERT INTO churnops.alert AS a (model, version, kind, subject, severity, message, n_looks,
			first_seen_at, last_seen_at)
		VALUES (model_name, model_version, alert_kind, coalesce(alert_subject, ''), seen_severity,
			seen_message, 0, at, at)
		ON CONFLICT DO NOTHING
		RETURNING * INTO live;
		EXIT WHEN FOUND;
		-- Another look has opened it meanwhile.
	END LOOP;

	-- The same look again changes nothing but the numbers.
	got_worse := seen_severity = 'critical' AND live.severity = 'warning';
	n := live.n_looks + (live.last_look IS DISTINCT FROM look)::integer;
	UPDATE churnops.alert AS a SET
		severity = seen_severity,
		value = seen_value,
		threshold = seen_threshold,
		message = seen_message,
		detail = coalesce(seen_detail, '{}'),
		n_looks = n,
		last_seen_at = at,
		last_look = look,
		raised_at = coalesce(a.raised_at, CASE WHEN n >= looks_needed THEN at END)
	WHERE a.alert = live.alert
	RETURNING * INTO live;

	-- Told once, again when it is worse, and again after the cooldown unless somebody looks after it;
	-- a trouble that comes and goes is not told more often either.
	IF live.raised_at IS NOT NULL
			AND NOT churnops.is_muted(model_name, live.kind, live.subject, at)
			AND (got_worse OR live.acknowledged_at IS NULL AND NOT EXISTS (
				SELECT FROM churnops.alert AS a
				WHERE a.model = live.model AND a.kind = live.kind AND a.subject = live.subject
					AND coalesce(a.version, 0) = coalesce(live.version, 0)
					AND a.notified_at > at - cooldown)) THEN
		PERFORM churnops.notify_alert(live);
		UPDATE churnops.alert AS a SET notified_at = at WHERE a.alert = live.alert;
	END IF;
	RETURN live.alert;
END
$$;
COMMENT ON FUNCTION churnops.observe(text, integer, text, text, text, double precision, double precision, text, jsonb, text, timestamp with time zone, integer) IS
'What a look saw: a severity, or NULL where nothing is wrong. look names the look, and the same one '
'counts once. Opens, goes on with or ends the alert, and notifies. The number of the alert, NULL if there is none.';

-- -------------------------------------------------- what people do with them --

-- Since: 0.2.0
CREATE FUNCTION @extschema@.churnops_acknowledge(
	alert bigint,
	comment text DEFAULT NULL)
RETURNS void
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_as_owner';
COMMENT ON FUNCTION @extschema@.churnops_acknowledge(bigint, text) IS
'Says that somebody looks after an alert, with a comment (default NULL): nobody is notified of it '
'again unless it becomes critical. Needs the right to deploy the model. Once more replaces the comment.';

CREATE FUNCTION churnops.acknowledge(caller name, alert_number bigint, comment text)
RETURNS void
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	known churnops.alert;
BEGIN
	IF alert_number IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'null_value_not_allowed',
			MESSAGE = 'argument "alert" must not be null';
	END IF;
	SELECT * INTO known FROM churnops.alert AS a WHERE a.alert = alert_number FOR UPDATE;
	-- An alert that is not the caller's to see reads like one that is not there.
	IF NOT FOUND OR NOT churnops.has_right(caller, known.model, 'read') THEN
		RAISE EXCEPTION USING
			ERRCODE = 'undefined_object',
			MESSAGE = format('alert %s does not exist', alert_number),
			HINT = 'The view churnops.alerts lists them.';
	END IF;
	PERFORM churnops.require_right(caller, known.model, 'deploy');
	IF known.resolved_at IS NOT NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'object_not_in_prerequisite_state',
			MESSAGE = format('alert %s was resolved at %s', alert_number, known.resolved_at),
			HINT = 'Only what lasts is acknowledged; see churnops.alerts WHERE resolved_at IS NULL.';
	END IF;
	UPDATE churnops.alert AS a
	SET acknowledged_at = clock_timestamp(), acknowledged_by = caller, acknowledgement = comment
	WHERE a.alert = alert_number;
END
$$;
COMMENT ON FUNCTION churnops.acknowledge(name, bigint, text) IS
'churnops_acknowledge on behalf of a role.';

-- Since: 0.2.0
CREATE FUNCTION @extschema@.churnops_mute(
	model text,
	kind text DEFAULT NULL,
	subject text DEFAULT NULL,
	muted_for interval DEFAULT '1 day',
	reason text DEFAULT NULL)
RETURNS timestamp with time zone
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_as_owner';
COMMENT ON FUNCTION @extschema@.churnops_mute(text, text, text, interval, text) IS
'Keeps alerts of a model, of a kind and a subject (default NULL: all), but notifies nobody of them, '
'for a time (default a day; NULL: until churnops_unmute). Needs the right to deploy the model. '
'Replaces an earlier mute of the same. Returns when it ends.';

CREATE FUNCTION churnops.mute(
	caller name,
	model_name text,
	alert_kind text,
	alert_subject text,
	muted_for interval,
	reason text)
RETURNS timestamp with time zone
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	ends timestamp with time zone := coalesce(clock_timestamp() + muted_for, 'infinity');
BEGIN
	IF model_name IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'null_value_not_allowed',
			MESSAGE = 'argument "model" must not be null';
	END IF;
	PERFORM churnops.require_right(caller, model_name, 'deploy');
	IF muted_for <= interval '0' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('alerts cannot be muted for %s', muted_for),
			HINT = 'Give a time above zero, or NULL for ever; churnops_unmute takes a mute back.';
	END IF;
	IF alert_kind IS NULL AND alert_subject IS NOT NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('subject "%s" is given without a kind', alert_subject),
			HINT = format('Name the kind of alert as well, as in churnops_mute(%L, ''drift'', %L).',
				model_name, alert_subject);
	END IF;
	INSERT INTO churnops.alert_mute AS m (model, kind, subject, muted_until, reason, muted_by, muted_at)
	VALUES (model_name, coalesce(alert_kind, ''), coalesce(alert_subject, ''), ends, mute.reason, caller,
		clock_timestamp())
	ON CONFLICT ON CONSTRAINT alert_mute_key DO UPDATE
	SET muted_until = excluded.muted_until, reason = excluded.reason, muted_by = excluded.muted_by,
		muted_at = excluded.muted_at;
	RETURN ends;
END
$$;
COMMENT ON FUNCTION churnops.mute(name, text, text, text, interval, text) IS
'churnops_mute on behalf of a role.';

-- Since: 0.2.0
CREATE FUNCTION @extschema@.churnops_unmute(
	model text,
	kind text DEFAULT NULL,
	subject text DEFAULT NULL)
RETURNS boolean
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'churnops_as_owner';
COMMENT ON FUNCTION @extschema@.churnops_unmute(text, text, text) IS
'Takes the mute of just this model, kind and subject back. Needs the right to deploy the model. '
'Returns whether there was one.';

CREATE FUNCTION churnops.unmute(caller name, model_name text, alert_kind text, alert_subject text)
RETURNS boolean
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF model_name IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'null_value_not_allowed',
			MESSAGE = 'argument "model" must not be null';
	END IF;
	PERFORM churnops.require_right(caller, model_name, 'deploy');
	DELETE FROM churnops.alert_mute AS m
	WHERE m.model = model_name AND m.kind = coalesce(alert_kind, '') AND m.subject = coalesce(alert_subject, '');
	RETURN FOUND;
END
$$;
COMMENT ON FUNCTION churnops.unmute(name, text, text, text) IS
'churnops_unmute on behalf of a role.';

-- ----------------------------------------------------------------- view --

CREATE VIEW churnops.alerts WITH (security_barrier) AS
SELECT
	a.alert,
	a.model,
	a.version,
	a.kind,
	a.subject,
	CASE
		WHEN a.resolved_at IS NOT NULL THEN 'resolved'
		WHEN a.raised_at IS NULL THEN 'pending'
		WHEN a.acknowledged_at IS NOT NULL THEN 'acknowledged'
		WHEN EXISTS (
			SELECT FROM churnops.alert_mute AS m
			WHERE m.model = a.model AND m.muted_until > now() AND m.kind IN ('', a.kind)
				AND m.subject IN ('', a.subject)) THEN 'muted'
		ELSE 'raised'
	END AS state,
	a.severity,
	a.value,
	a.threshold,
	a.message,
	a.detail,
	a.n_looks,
	a.first_seen_at,
	a.last_seen_at,
	a.raised_at,
	a.notified_at,
	a.acknowledged_at,
	a.acknowledged_by,
	a.acknowledgement,
	a.resolved_at
FROM churnops.alert AS a
WHERE @extschema@.churnops_has_right(a.model, 'read');
COMMENT ON VIEW churnops.alerts IS
'Alerts of the models the current role may read, one row each, those that have ended included.';
COMMENT ON COLUMN churnops.alerts.alert IS 'Number of the alert.';
COMMENT ON COLUMN churnops.alerts.model IS 'Name of the model.';
COMMENT ON COLUMN churnops.alerts.version IS 'Version that is in trouble; NULL: the model as a whole.';
COMMENT ON COLUMN churnops.alerts.kind IS
'What was looked at: drift, prediction_drift, data_health, performance, serving, retraining, ….';
COMMENT ON COLUMN churnops.alerts.subject IS 'Feature, metric or part; empty: all of it.';
COMMENT ON COLUMN churnops.alerts.state IS
'pending (seen once, not raised yet), raised, muted, acknowledged or resolved.';
COMMENT ON COLUMN churnops.alerts.severity IS 'warning or critical.';
COMMENT ON COLUMN churnops.alerts.value IS 'Number of the latest look that saw it.';
COMMENT ON COLUMN churnops.alerts.threshold IS 'Number it is held against.';
COMMENT ON COLUMN churnops.alerts.message IS 'What is wrong, in words.';
COMMENT ON COLUMN churnops.alerts.detail IS 'All numbers of the latest look that saw it.';
COMMENT ON COLUMN churnops.alerts.n_looks IS 'Looks in a row that saw it.';
COMMENT ON COLUMN churnops.alerts.first_seen_at IS 'First look that saw it.';
COMMENT ON COLUMN churnops.alerts.last_seen_at IS 'Latest look that saw it.';
COMMENT ON COLUMN churnops.alerts.raised_at IS 'When it was seen often enough; NULL before.';
COMMENT ON COLUMN churnops.alerts.notified_at IS 'Latest notification; NULL: none.';
COMMENT ON COLUMN churnops.alerts.acknowledged_at IS 'When somebody took it; NULL: nobody has.';
COMMENT ON COLUMN churnops.alerts.acknowledged_by IS 'Who took it.';
COMMENT ON COLUMN churnops.alerts.acknowledgement IS 'What was said with it.';
COMMENT ON COLUMN churnops.alerts.resolved_at IS 'When it had ended; NULL while it lasts.';
