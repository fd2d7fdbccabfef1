-- Views of deployments and of the prediction log

CREATE VIEW churnops.deployments WITH (security_barrier) AS
SELECT
	d.deployment,
	d.model,
	d.version,
	d.strategy,
	d.status,
	d.champion_version,
	d.weight,
	d.key,
	d.salt,
	d.config,
	d.reason,
	d.created_by,
	d.started_at,
	d.step_at,
	d.ended_at,
	e.decision AS last_decision,
	e.reason AS last_reason,
	e.numbers AS last_numbers
FROM churnops.deployment AS d
LEFT JOIN LATERAL (
	SELECT l.decision, l.reason, l.numbers FROM churnops.deployment_event AS l
	WHERE l.deployment = d.deployment ORDER BY l.event DESC LIMIT 1) AS e ON true
WHERE @extschema@.churnops_has_right(d.model, 'read');
COMMENT ON VIEW churnops.deployments IS
'Deployments of the models the current role may read, one row each.';
COMMENT ON COLUMN churnops.deployments.deployment IS 'Number of the deployment.';
COMMENT ON COLUMN churnops.deployments.model IS 'Name of the model.';
COMMENT ON COLUMN churnops.deployments.version IS 'Version that is deployed, the candidate.';
COMMENT ON COLUMN churnops.deployments.strategy IS 'all_at_once, canary, linear or shadow.';
COMMENT ON COLUMN churnops.deployments.status IS
'running, promoted, rolled_back, cancelled or superseded.';
COMMENT ON COLUMN churnops.deployments.champion_version IS
'Version that the bare model name meant at the start; NULL if it meant none.';
COMMENT ON COLUMN churnops.deployments.weight IS
'Share of the keys that the candidate answers; 0 for a shadow, and when the deployment ended without it.';
COMMENT ON COLUMN churnops.deployments.key IS
'Columns by which a row finds its arm; empty: the encoded row itself.';
COMMENT ON COLUMN churnops.deployments.salt IS 'What keys are hashed with; see churnops_route.';
COMMENT ON COLUMN churnops.deployments.config IS 'Settings, defaults filled in.';
COMMENT ON COLUMN churnops.deployments.reason IS 'As given to churnops_deploy.';
COMMENT ON COLUMN churnops.deployments.created_by IS 'Role that deployed.';
COMMENT ON COLUMN churnops.deployments.started_at IS 'Time of the deployment.';
COMMENT ON COLUMN churnops.deployments.step_at IS 'When the weight in force was set.';
COMMENT ON COLUMN churnops.deployments.ended_at IS 'Time it ended; NULL while it runs.';
COMMENT ON COLUMN churnops.deployments.last_decision IS
'Latest decision: started, advanced, blocked, unblocked, promoted, rolled_back, cancelled or superseded.';
COMMENT ON COLUMN churnops.deployments.last_reason IS 'Why.';
COMMENT ON COLUMN churnops.deployments.last_numbers IS 'The numbers it was taken by.';

CREATE VIEW churnops.deployment_events WITH (security_barrier) AS
SELECT
	e.event,
	e.deployment,
	e.model,
	e.decision,
	e.weight,
	e.reason,
	e.numbers,
	e.decided_by,
	e."session_user",
	e.decided_at
FROM churnops.deployment_event AS e
WHERE @extschema@.churnops_has_right(e.model, 'read');
COMMENT ON VIEW churnops.deployment_events IS
'Decisions about the deployments of the models the current role may read, one row each.';
COMMENT ON COLUMN churnops.deployment_events.event IS 'Number of the event; later ones are larger.';
COMMENT ON COLUMN churnops.deployment_events.deployment IS 'Number of the deployment.';
COMMENT ON COLUMN churnops.deployment_events.model IS 'Name of the model.';
COMMENT ON COLUMN churnops.deployment_events.decision IS
'started, advanced, blocked, unblocked, promoted, rolled_back, cancelled or superseded.';
COMMENT ON COLUMN churnops.deployment_events.weight IS 'Share of the candidate from then on.';
COMMENT ON COLUMN churnops.deployment_events.reason IS 'Why.';
COMMENT ON COLUMN churnops.deployment_events.numbers IS 'The numbers the decision was taken by.';
COMMENT ON COLUMN churnops.deployment_events.decided_by IS 'Role that acted, or whose churnops_tick did.';
COMMENT ON COLUMN churnops.deployment_events."session_user" IS
'Role that logged in. Quote the name: unquoted, session_user is the function.';
COMMENT ON COLUMN churnops.deployment_events.decided_at IS 'Time of the decision.';

-- The rows hold what people asked about: the right to predict is not enough.
CREATE VIEW churnops.predictions WITH (security_barrier) AS
SELECT
	l.logged_at,
	l.batch,
	l.place,
	l.model,
	l.version,
	l.arm,
	l.deployment,
	l.weight,
	l.salt,
	l.share,
	l.key,
	l.prediction,
	l.class,
	l.latency,
	l.error,
	l.features,
	l.scored_by
FROM churnops.prediction_log AS l
WHERE l.model IN (
	SELECT m.name FROM churnops.model AS m WHERE @extschema@.churnops_has_right(m.name, 'read'));
COMMENT ON VIEW churnops.predictions IS
'Logged predictions of the models the current role may read, a row for each row and arm that scored it.';
COMMENT ON COLUMN churnops.predictions.logged_at IS 'Time of the call of churnops_score.';
COMMENT ON COLUMN churnops.predictions.batch IS 'Number of the call.';
COMMENT ON COLUMN churnops.predictions.place IS 'Place of the row in its call, from 1.';
COMMENT ON COLUMN churnops.predictions.model IS 'Name of the model.';
COMMENT ON COLUMN churnops.predictions.version IS
'Version that scored the row: of a candidate that could not, the champion''s.';
COMMENT ON COLUMN churnops.predictions.arm IS
'champion, candidate or shadow; without a deployment the alias, NULL for a version by number.';
COMMENT ON COLUMN churnops.predictions.deployment IS 'Number of the deployment; NULL without one.';
COMMENT ON COLUMN churnops.predictions.weight IS 'Share of the candidate at that time.';
COMMENT ON COLUMN churnops.predictions.salt IS 'Salt of the deployment; see churnops_route.';
COMMENT ON COLUMN churnops.predictions.share IS
'Where the key falls between 0 and 1: below weight it is the candidate''s. NULL without a key.';
COMMENT ON COLUMN churnops.predictions.key IS 'Key columns of the row, a JSON object; NULL without a key.';
COMMENT ON COLUMN churnops.predictions.prediction IS
'Probability of the positive class, or the predicted value of a regression.';
COMMENT ON COLUMN churnops.predictions.class IS 'Predicted class label; NULL for a regression.';
COMMENT ON COLUMN churnops.predictions.latency IS
'Microseconds that scoring took, the mean of the row''s block.';
COMMENT ON COLUMN churnops.predictions.error IS
'Why the version of this arm could not score the row; NULL if it could.';
COMMENT ON COLUMN churnops.predictions.features IS
'The row as it was scored, a JSON object; kept with the row''s first arm.';
COMMENT ON COLUMN churnops.predictions.scored_by IS 'Role that called churnops_score.';
