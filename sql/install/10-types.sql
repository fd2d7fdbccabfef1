-- Composite types: what the functions return when a row has more to say than a value

CREATE TYPE churnops.score_row AS (
	key jsonb,
	prediction double precision,
	class text,
	version integer,
	arm text
);
COMMENT ON TYPE churnops.score_row IS
'One scored row, as churnops_score returns it.';
COMMENT ON COLUMN churnops.score_row.key IS
'The key columns of the row as a JSON object; NULL when no key was named.';
COMMENT ON COLUMN churnops.score_row.prediction IS
'Probability of the positive class, or the predicted value of a regression; NULL for more than two '
'classes without a positive class.';
COMMENT ON COLUMN churnops.score_row.class IS
'Predicted class label; NULL for a regression.';
COMMENT ON COLUMN churnops.score_row.version IS
'Version of the model that scored the row.';
COMMENT ON COLUMN churnops.score_row.arm IS
'champion or candidate while a version is rolled out; else the alias by which the version was found, '
'NULL when the reference names a version.';

CREATE TYPE churnops.alias_state AS (
	model text,
	alias text,
	version integer,
	previous_version integer,
	changed_by text,
	changed_at timestamp with time zone,
	reason text
);
COMMENT ON TYPE churnops.alias_state IS
'What an alias means now and how it came to: the state after its latest change.';
COMMENT ON COLUMN churnops.alias_state.version IS
'Version the alias points to; NULL once the alias is dropped.';
COMMENT ON COLUMN churnops.alias_state.previous_version IS
'Version the alias pointed to before its latest change; NULL if it was new.';
COMMENT ON COLUMN churnops.alias_state.changed_by IS
'Role that made the latest change.';
COMMENT ON COLUMN churnops.alias_state.changed_at IS
'Time of the latest change by the wall clock, not the start of its transaction.';
