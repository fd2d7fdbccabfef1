# The memory of a training: what was estimated is what is used, columns that do
# not fit go to a temporary file, and the model is the same.
use strict;
use warnings;

use ChurnOps::Cluster;
use Test::More;

my $node = ChurnOps::Cluster->start_new('main');
$node->safe_psql('postgres', <<'SQL');
CREATE UNLOGGED TABLE events AS
SELECT i AS id, x.*, x.a - x.b + x.c > 5 AS churned, x.a + x.c AS amount, 'k' || abs(x.a + x.c)::int % 7 AS plan
FROM generate_series(1, 300000) AS i,
	LATERAL (SELECT hashint8extended(i, 1) / 1e18::float8 AS a, hashint8extended(i, 2) / 1e18::float8 AS b,
		hashint8extended(i, 3) / 1e18::float8 AS c, abs(hashint8extended(i, 4) % 30)::int AS d,
		'c' || abs(hashint8extended(i, 5) % 12) AS e, hashint8extended(i, 6) / 1e18::float8 AS f) AS x;
ANALYZE events;
CREATE FUNCTION slow(i integer) RETURNS integer LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_sleep(0.01); RETURN i; END $$;
SQL

my $features = 'a, b, c, d, e, f';
my $wide = join ', ', map { "a * $_ AS a$_, b + $_ AS b$_, c - $_ AS c$_" } (2 .. 25);

# Train; returns the digest of the artifact and what the session was told.
sub train
{
	my ($columns, $target, $params, %more) = @_;
	my $rows = $more{rows} // 300000;
	my $settings = $more{settings} // '';
	my $arguments = $more{arguments} // '';
	my ($code, $out, $err) = $node->psql('postgres', <<"SQL");
SET client_min_messages = debug1;
SET log_temp_files = 0;
$settings;
SELECT ref FROM churnops_train('model',
	'SELECT $columns, $target FROM events WHERE id <= $rows', '$target', '$params'$arguments);
SELECT 'digest ' || artifact_digest FROM churnops.versions WHERE model = 'model' ORDER BY version DESC LIMIT 1;
SELECT churnops_drop_model('model');
SQL
	my ($digest) = $out =~ /^digest (\w+)$/m;

	return ($digest // '', $err);
}

# Estimate and use of some shapes: the model, and what is for it alone, is no part of the estimate
my @shapes = (
	[ 'two classes', $features, 'churned', '{"n_estimators": 10, "max_depth": 10}' ],
	[ 'without workers', $features, 'churned', '{"n_estimators": 10, "max_depth": 10}',
		settings => 'SET max_parallel_maintenance_workers = 0' ],
	[ 'few rows', $features, 'churned', '{"n_estimators": 10, "max_depth": 8}', rows => 40000 ],
	[ 'one column', 'a', 'churned', '{"n_estimators": 10, "max_depth": 10}' ],
	[ 'many columns', $wide, 'churned', '{"n_estimators": 4, "max_depth": 8}', rows => 60000 ],
	[ 'classes', $features, 'plan', '{"n_estimators": 10, "max_depth": 8}' ],
	[ 'regression', $features, 'amount', '{"n_estimators": 10, "max_depth": 8}' ],
	[ 'every row', $features, 'churned', '{"n_estimators": 10, "max_depth": 10, "bootstrap": false}',
		arguments => ', test_size => 0' ],
	[ 'weights, keys and time', "$features, id", 'churned', '{"n_estimators": 10, "max_depth": 8}',
		arguments => q{, weight => 'd', key => '{id}', time_column => 'f'} ],
	[ 'random splits', $features, 'churned', '{"n_estimators": 10, "max_depth": 8, "splitter": "random"}' ],
	[ 'in a file', $features, 'churned', '{"n_estimators": 10, "max_depth": 10}',
		settings => "SET churnops.training_memory = '28MB'" ]);
for my $shape (@shapes)
{
	my ($name, @arguments) = @$shape;
	my (undef, $err) = train(@arguments);
	my ($used, $estimated) = $err =~ /churnops: (\d+) kB of memory used, (\d+) kB estimated/;

	ok($used && $used <= 1.2 * $estimated && $used >= 0.8 * $estimated,
		sprintf('%s: %s kB of memory, %s kB estimated', $name, $used // '?', $estimated // '?'));
}

# Grown to the end, nobody knows how large trees become: the estimate is not less than what is used
{
	my (undef, $err) = train($features, 'churned', '{"n_estimators": 10}');
	my ($used, $estimated) = $err =~ /churnops: (\d+) kB of memory used, (\d+) kB estimated/;

	cmp_ok($used, '<=', 1.2 * $estimated, 'deep trees: no more than estimated');
}

# The same model from a file
sub files
{
	return $node->safe_psql('postgres', 'SELECT count(*) FROM pg_ls_tmpdir()');
}

my $small = "SET churnops.training_memory = '28MB'";
for my $params ('{"n_estimators": 5, "max_depth": 8}', '{"n_estimators": 5, "max_depth": 8, "splitter": "random"}')
{
	my ($digest, $err) = train($features, 'churned', $params);
	my ($from_file, $told) = train($features, 'churned', $params, settings => $small);

	unlike($err, qr/temporary file/, 'rows that fit stay in memory');
	like($told, qr/LOG:  temporary file: path .*pgsql_tmp/, 'others go to a temporary file');
	isnt($digest, '', 'there is a model');
	is($from_file, $digest, 'and it is the same');
}
is(files(), 0, 'no temporary file is left');

# Errors of the file are the server's own
{
	my (undef, $err) = train($features, 'churned', '{}', settings => "\\set VERBOSITY verbose\n$small; SET temp_file_limit = '1MB'");

	like($err, qr/ERROR:  53400: temporary file size exceeds temp_file_limit/, 'temp_file_limit holds');
	is(files(), 0, 'and no temporary file is left');
}

# Cancelled while there is a file
{
	my $session = $node->background_psql('postgres', on_error_stop => 0);
	my $pid = $session->query("$small; SELECT pg_backend_pid()");
	my $offset = -s $node->logfile;

	$session->query_until(qr/sent/, "\\echo sent\n"
		  . "SELECT churnops_train('cancelled', 'SELECT $features, churned, CASE WHEN id > 290000 THEN slow(id) END AS s FROM events', 'churned');\n");
	ok($node->poll_query_until('postgres', 'SELECT count(*) > 0 FROM pg_ls_tmpdir()'), 'a file is written');
	$node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)");
	$node->wait_for_log(qr/canceling statement due to user request/, $offset);
	$session->quit;
	is(files(), 0, 'a cancelled training leaves no temporary file');
}

# What cannot fit is refused: before it is read, by what the planner expects, and at the latest when it has been
{
	my (undef, $err) = train($features, 'churned', '{}', settings => "SET churnops.training_memory = '16MB'");

	like($err, qr/ERROR:  training needs at least \d+ MB of memory, churnops.training_memory is 16 MB\n.*with their columns in a temporary file/s,
		'even a file does not help');
	my (undef, undef, $told) = $node->psql('postgres', <<'SQL');
SET churnops.training_memory = '16MB';
SELECT churnops_train('model', 'SELECT slow(i) AS x, i % 2 = 0 AS y FROM generate_series(1, 100000000) AS i', 'y');
SQL
	like($told, qr/ERROR:  training needs at least \d+ MB of memory.*The planner expects 100000000 rows/s,
		'what is hopeless is not even read');
}

$node->stop;
done_testing();
