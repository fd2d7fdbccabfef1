-- Deployments: how a version comes to serve, what it was judged by, and the log
-- of predictions and outcomes that it is judged on

CREATE TABLE churnops.deployment (
	deployment bigint GENERATED ALWAYS AS IDENTITY,
	model text COLLATE "C" NOT NULL,
	version integer NOT NULL,
	strategy text COLLATE "C" NOT NULL,
	status text COLLATE "C" NOT NULL,
	champion_version integer,
	weight double precision NOT NULL,
	salt text COLLATE "C" NOT NULL,
	key text[] NOT NULL,
	config_given jsonb NOT NULL,
	config jsonb NOT NULL,
	evidence jsonb NOT NULL DEFAULT '{}',
	reason text,
	created_by text NOT NULL,
	started_at timestamp with time zone NOT NULL,
	step_at timestamp with time zone NOT NULL,
	ended_at timestamp with time zone,
	CONSTRAINT deployment_pkey PRIMARY KEY (deployment),
	CONSTRAINT deployment_strategy_check
		CHECK (strategy IN ('all_at_once', 'canary', 'linear', 'shadow')),
	CONSTRAINT deployment_status_check
		CHECK (status IN ('running', 'promoted', 'rolled_back', 'cancelled', 'superseded')),
	CONSTRAINT deployment_weight_check CHECK (weight >= 0 AND weight <= 1),
	CONSTRAINT deployment_ended_at_check CHECK ((status = 'running') = (ended_at IS NULL))
);
CREATE INDEX deployment_model_idx ON churnops.deployment (model, deployment);
-- What predictions look into: at most one row a model, and usually none at all.
CREATE UNIQUE INDEX deployment_routing_idx ON churnops.deployment (model)
	WHERE status = 'running' AND strategy IN ('canary', 'linear');
CREATE UNIQUE INDEX deployment_running_idx ON churnops.deployment (model, version)
	WHERE status = 'running';
COMMENT ON TABLE churnops.deployment IS
'Deployments of versions. What was asked for is frozen; status, weight and evidence follow the decisions.';
COMMENT ON COLUMN churnops.deployment.version IS
'Version that is deployed, the candidate.';
COMMENT ON COLUMN churnops.deployment.champion_version IS
'Version that the bare model name meant at the start; NULL if it meant none.';
COMMENT ON COLUMN churnops.deployment.weight IS
'Share of the keys that the candidate answers while the deployment runs; 0 for a shadow.';
COMMENT ON COLUMN churnops.deployment.salt IS
'What keys are hashed with; another one for each deployment, so that arms are independent.';
COMMENT ON COLUMN churnops.deployment.key IS
'Columns by which a row finds its arm, in the order in which they are hashed; empty: the encoded row itself.';
COMMENT ON COLUMN churnops.deployment.config_given IS
'Settings as the caller gave them.';
COMMENT ON COLUMN churnops.deployment.config IS
'Settings with every default filled in.';
COMMENT ON COLUMN churnops.deployment.evidence IS
'What the sequential test carries from look to look: tau_squared, and the least p so far.';
COMMENT ON COLUMN churnops.deployment.step_at IS
'When the weight in force was set.';

CREATE TABLE churnops.deployment_event (
	event bigint GENERATED ALWAYS AS IDENTITY,
	deployment bigint NOT NULL,
	model text COLLATE "C" NOT NULL,
	decision text COLLATE "C" NOT NULL,
	weight double precision NOT NULL,
	reason text,
	numbers jsonb NOT NULL,
	decided_by text NOT NULL,
	"session_user" text NOT NULL,
	decided_at timestamp with time zone NOT NULL,
	CONSTRAINT deployment_event_pkey PRIMARY KEY (event),
	CONSTRAINT deployment_event_decision_check
		CHECK (decision IN ('started', 'advanced', 'blocked', 'unblocked', 'promoted', 'rolled_back',
							'cancelled', 'superseded'))
);
CREATE INDEX deployment_event_deployment_idx ON churnops.deployment_event (deployment, event);
CREATE INDEX deployment_event_model_idx ON churnops.deployment_event (model);
COMMENT ON TABLE churnops.deployment_event IS
'Decisions about deployments, each with the numbers it was taken by. Append-only.';
COMMENT ON COLUMN churnops.deployment_event.weight IS
'Share of the candidate from this decision on.';
COMMENT ON COLUMN churnops.deployment_event.decided_by IS
'Role that acted, or on whose behalf churnops_tick did.';
COMMENT ON COLUMN churnops.deployment_event."session_user" IS
'Role that logged in. Quote the name: unquoted, session_user is the function.';

-- By month of logged_at, UTC; what has no partition goes into the default one.
CREATE TABLE churnops.prediction_log (
	logged_at timestamp with time zone NOT NULL,
	batch bigint NOT NULL,
	place integer NOT NULL,
	model text COLLATE "C" NOT NULL,
	version integer NOT NULL,
	arm text COLLATE "C",
	deployment bigint,
	weight double precision,
	salt text COLLATE "C",
	share double precision,
	key jsonb,
	prediction double precision,
	class text,
	latency real,
	error text,
	features jsonb,
	scored_by text COLLATE "C" NOT NULL
) PARTITION BY RANGE (logged_at);
CREATE TABLE churnops.prediction_log_default PARTITION OF churnops.prediction_log DEFAULT;
-- Not on the whole: a restore attaches partitions to the table that the extension
-- has made, and an index of it would make theirs, which the dump makes as well.
CREATE INDEX prediction_log_default_model_idx ON churnops.prediction_log_default (model, logged_at);
COMMENT ON TABLE churnops.prediction_log IS
'Logged predictions, a row for each row and arm that scored it, partitioned by month.';
COMMENT ON TABLE churnops.prediction_log_default IS
'Logged predictions of months that have no partition of their own.';
COMMENT ON COLUMN churnops.prediction_log.batch IS
'Number of the call of churnops_score; its rows share logged_at.';
COMMENT ON COLUMN churnops.prediction_log.place IS
'Place of the row in its call, from 1.';
COMMENT ON COLUMN churnops.prediction_log.version IS
'Version that scored the row: of a candidate that could not, the champion''s.';
COMMENT ON COLUMN churnops.prediction_log.arm IS
'champion, candidate or shadow; without a deployment the alias, NULL for a version by number.';
COMMENT ON COLUMN churnops.prediction_log.share IS
'Where the row''s key falls between 0 and 1: below weight it is the candidate''s. NULL without a key.';
COMMENT ON COLUMN churnops.prediction_log.latency IS
'Microseconds that scoring took, the mean of the row''s block.';
COMMENT ON COLUMN churnops.prediction_log.error IS
'Why the version of this arm could not score the row; NULL if it could.';
COMMENT ON COLUMN churnops.prediction_log.features IS
'The row as it was scored, a JSON object; NULL when the setting churnops.log_features is off.';

CREATE SEQUENCE churnops.prediction_batch_seq;

CREATE TABLE churnops.outcome (
	outcome bigint GENERATED ALWAYS AS IDENTITY,
	model text COLLATE "C" NOT NULL,
	key jsonb NOT NULL,
	actual text NOT NULL,
	at timestamp with time zone NOT NULL,
	recorded_by text NOT NULL,
	recorded_at timestamp with time zone NOT NULL,
	CONSTRAINT outcome_pkey PRIMARY KEY (outcome)
);
CREATE INDEX outcome_key_idx ON churnops.outcome (model, key, outcome);
COMMENT ON TABLE churnops.outcome IS
'What became of the entities that were scored; of several outcomes of a key the latest counts.';
COMMENT ON COLUMN churnops.outcome.key IS
'Key of the entity as churnops_score logs it, a JSON object.';
COMMENT ON COLUMN churnops.outcome.actual IS
'Class label, or number of a regression, as text.';
COMMENT ON COLUMN churnops.outcome.at IS
'When it became known.';

CREATE TRIGGER refuse_change BEFORE UPDATE OF deployment, model, version, strategy,
	champion_version, salt, key, config_given, config, reason, created_by, started_at OR DELETE
	ON churnops.deployment FOR EACH ROW EXECUTE FUNCTION churnops.refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON churnops.deployment
	FOR EACH STATEMENT EXECUTE FUNCTION churnops.refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON churnops.deployment_event
	FOR EACH ROW EXECUTE FUNCTION churnops.refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON churnops.deployment_event
	FOR EACH STATEMENT EXECUTE FUNCTION churnops.refuse_change();

SELECT pg_catalog.pg_extension_config_dump('churnops.deployment', '');
SELECT pg_catalog.pg_extension_config_dump('churnops.deployment_deployment_seq', '');
SELECT pg_catalog.pg_extension_config_dump('churnops.deployment_event', '');
SELECT pg_catalog.pg_extension_config_dump('churnops.deployment_event_event_seq', '');
SELECT pg_catalog.pg_extension_config_dump('churnops.prediction_log_default', '');
SELECT pg_catalog.pg_extension_config_dump('churnops.prediction_batch_seq', '');
SELECT pg_catalog.pg_extension_config_dump('churnops.outcome', '');
SELECT pg_catalog.pg_extension_config_dump('churnops.outcome_outcome_seq', '');

CREATE TYPE churnops.tick_row AS (
	model text,
	deployment bigint,
	decision text,
	reason text,
	numbers jsonb
);
COMMENT ON TYPE churnops.tick_row IS
'What churnops_tick decided about one deployment.';
COMMENT ON COLUMN churnops.tick_row.decision IS
'waiting, observed (a shadow), blocked, advanced, promoted, rolled_back, failed, or busy: somebody else is '
'changing the model.';
COMMENT ON COLUMN churnops.tick_row.reason IS
'Why.';
COMMENT ON COLUMN churnops.tick_row.numbers IS
'The numbers it was decided by.';
