# The bytes of a model do not depend on who grows it or how its rows are read:
# workers, plan, order of the heap.
use strict;
use warnings;

use ChurnOps::Cluster;
use Test::More;

my $node = ChurnOps::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
max_worker_processes = 12
max_parallel_workers = 12
CONF
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION churnops');

# Large enough for workers: rows, features and trees multiply to 21 million.
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE events AS
SELECT i AS id, hashint4(i) AS a, hashint4(i + 1) % 1000 / 7.0 AS b, abs(hashint4(i + 2)) % 9 AS c,
	chr(97 + abs(hashint4(i + 3)) % 20) AS d, nullif(abs(hashint4(i + 4)) % 50, 0)::numeric / 3 AS e,
	date '2020-01-01' + abs(hashint4(i + 5)) % 700 AS f,
	hashint4(i)::bigint + hashint4(i * 31) > 0 AS churned
FROM generate_series(1, 120000) AS i;
CREATE TABLE shuffled AS SELECT * FROM events ORDER BY hashint4(id * 7);
ALTER TABLE shuffled SET (parallel_workers = 3);
ANALYZE;
SQL

# Train with some settings; returns (artifact digest, dataset digest, log).
sub train
{
	my ($query, @settings) = @_;
	my $set = join '', map { "SET $_;" } @settings;
	my ($out, $err);

	$node->psql('postgres', $set . <<"SQL", stdout => \$out, stderr => \$err, on_error_die => 1);
SET client_min_messages = debug1;
SET statement_timeout = '60s';
SELECT count(*) FROM churnops_train('model', \$\$$query\$\$, 'churned', '{"n_estimators": 30, "max_depth": 8}', exclude => '{id}');
RESET client_min_messages;
SELECT artifact_digest, dataset_digest FROM churnops.versions WHERE model = 'model' ORDER BY version DESC LIMIT 1;
SQL
	my ($artifact, $dataset) = $out =~ /^([0-9a-f]{64})\|([0-9a-f]{64})$/m;
	return ($artifact, $dataset, $err);
}

my ($artifact, $dataset, $log) = train('events', 'max_parallel_maintenance_workers = 0');
like($log, qr/growing 30 trees with 0 parallel workers \(planned 0\)/, 'no workers when there shall be none');

# Any number of workers
for my $n (1, 2, 4)
{
	my ($a, $d, $l) = train('events', "max_parallel_maintenance_workers = $n");

	like($l, qr/growing 30 trees with $n parallel workers \(planned $n\)/, "$n workers are launched");
	is($a, $artifact, "$n workers grow the same model");
	is($d, $dataset, "$n workers: the same dataset");
}

# No worker to be had, and fewer than planned
for my $n (0, 1)
{
	my ($a, undef, $l) = train('events', "max_parallel_workers = $n", 'max_parallel_maintenance_workers = 2');

	like($l, qr/growing 30 trees with $n parallel workers \(planned 2\)/, "$n of 2 planned workers");
	is($a, $artifact, "$n of 2 planned workers: the same model");
}

# Another order of the heap, with and without a parallel plan
my @parallel_plan = (
	'parallel_setup_cost = 0', 'parallel_tuple_cost = 0', 'min_parallel_table_scan_size = 0',
	'max_parallel_workers_per_gather = 4');
for my $case (
	[ 'shuffled heap', 'max_parallel_workers_per_gather = 0' ],
	[ 'parallel plan', @parallel_plan ],
	[ 'parallel plan without the leader', @parallel_plan, 'parallel_leader_participation = off' ])
{
	my ($name, @settings) = @$case;
	my ($a, $d) = train('SELECT * FROM shuffled WHERE id > 0', @settings);

	is($a, $artifact, "$name: the same model");
	is($d, $dataset, "$name: the same dataset");
}

# The workers of a parallel plan are really launched: a column tells who read
# the row, and without the leader there is one answer only.
$node->safe_psql('postgres', <<'SQL');
CREATE FUNCTION in_worker() RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE AS
$$ BEGIN RETURN (SELECT leader_pid IS NOT NULL FROM pg_stat_get_activity(pg_backend_pid())); END $$;
SQL
for my $case ([ 'false', 'max_parallel_workers_per_gather = 0' ],
	[ 'true', @parallel_plan, 'parallel_leader_participation = off' ])
{
	my ($worker, @settings) = @$case;
	my (undef, undef, $err) = $node->psql('postgres', join('', map { "SET $_;" } @settings) . <<'SQL');
SELECT churnops_train('who', 'SELECT a, in_worker() AS worker FROM shuffled WHERE id < 1000', 'worker');
SQL
	like($err, qr/the target has one class only, "$worker"/, "rows are read in a worker: $worker");
}

# Whatever mode the planner is in: the name of the setting changed with 16
my $setting = $node->safe_psql('postgres',
	"SELECT name FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query')");
for my $mode ('on', 'regress')
{
	my ($a) = train('events', "$setting = $mode");

	is($a, $artifact, "$setting = $mode: the same model");
}

# Inside transactions of every kind
for my $begin ('BEGIN ISOLATION LEVEL SERIALIZABLE', 'BEGIN; SAVEPOINT s')
{
	my ($out, $err) = ('', '');

	$node->psql('postgres', <<"SQL", stdout => \$out, stderr => \$err, on_error_die => 1);
$begin;
CREATE TEMP TABLE mine AS SELECT * FROM events;
SET LOCAL client_min_messages = debug1;
SELECT count(*) FROM churnops_train('model', 'TABLE events', 'churned', '{"n_estimators": 30, "max_depth": 8}', exclude => '{id}');
SELECT count(*) FROM churnops_train('model', 'TABLE mine', 'churned', '{"n_estimators": 30, "max_depth": 8}', exclude => '{id}');
SELECT count(DISTINCT artifact_digest) AS n, min(artifact_digest) AS digest FROM churnops.versions WHERE model = 'model';
COMMIT;
SQL
	like($err, qr/with 2 parallel workers/, "$begin: with workers");
	like($out, qr/^1\|$artifact$/m, "$begin: the same model");
}

is($node->safe_psql('postgres', "SELECT reproduced FROM churnops_reproduce('model/1')"), 't',
	'and it can be reproduced');

# Small work takes no workers
$log = (train('SELECT * FROM events WHERE id <= 1000'))[2];
like($log, qr/with 0 parallel workers \(planned 0\)/, 'a small training takes no workers');

# Where memory is short workers are given up first, one by one, then the training is refused
my $sequence = '';
for my $mb (16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)
{
	my (undef, undef, $err) = $node->psql('postgres', <<"SQL");
SET client_min_messages = debug1;
SET churnops.training_memory = '${mb}MB';
SELECT churnops_train('deep', 'events', 'churned', '{"n_estimators": 30, "bootstrap": false}', exclude => '{id}', test_size => 0);
SQL
	my $outcome = $err =~ /training needs at least \d+ MB of memory, churnops.training_memory is $mb MB/ ? 'r'
	  : $err =~ /with (\d) parallel workers \(planned \1\)/ ? $1 : 'x';

	$sequence .= $outcome;
	last if $outcome eq '2';
}
like($sequence, qr/^r+0*1+2$/, 'refused, then with more and more workers as the memory grows');
is($node->safe_psql('postgres', "SELECT count(DISTINCT artifact_digest) FROM churnops.versions WHERE model = 'deep'"),
	1, 'the same model for any memory');

$node->stop;
done_testing();
