# A search comes out the same for any number of workers, and can be cancelled at
# any moment: what it had not recorded is gone, what an earlier call committed
# stays, and the next call goes on there.
use strict;
use warnings;

use ChurnOps::Cluster;
use Test::More;
use Time::HiRes qw(sleep time);

my $node = ChurnOps::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
dynamic_shared_memory_type = mmap
log_min_messages = debug1
log_statement = all
CONF
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION churnops;
CREATE TABLE events AS
SELECT i AS id, hashint4(i) AS a, hashint4(i + 1) % 1000 / 7.0 AS b, abs(hashint4(i + 2)) % 9 AS c,
	chr(97 + abs(hashint4(i + 3)) % 20) AS d, hashint4(i + 4) AS e, hashint4(i + 5) AS f,
	hashint4(i)::bigint + hashint4(i * 31) > 0 AS churned, hashint4(i)::float8 + hashint4(i * 31) AS amount
FROM generate_series(1, 60000) AS i;
SQL

sub segments
{
	return scalar(() = glob $node->data_dir . '/pg_dynshmem/mmap.*');
}

my $segments = segments();

# A search; the statement, without the SELECT.
sub tune
{
	my ($model, $target, $more) = @_;
	my $other = $target eq 'churned' ? 'amount' : 'churned';

	return "churnops_tune('$model', 'events', '$target', '{\"max_depth\": {\"low\": 2, \"high\": 8}, "
	  . "\"max_features\": [0.3, 0.6, 1.0]}', n_iter => 4, params => '{\"n_estimators\": 60}', exclude => '{id,$other}'$more)";
}

# The same trials and the same version, whoever grows the trees: out of bag (the
# matrix is shared), by folds, with early stop, of a regression.
for my $case (
	[ 'oob', 'churned', '' ],
	[ 'folds', 'churned', q(, method => 'halving', cv => '{"folds": 2}') ],
	[ 'stop', 'churned', q(, early_stop => true) ],
	[ 'number', 'amount', '' ])
{
	my ($name, $target, $more) = @$case;

	for my $workers (0, 2)
	{
		my (undef, undef, $err) = $node->psql('postgres', "SET client_min_messages = debug1;"
			  . "SET max_parallel_maintenance_workers = $workers; SELECT ref FROM " . tune("${name}_$workers", $target, $more));
		like($err, $workers ? qr/with [12] parallel workers/ : qr/with 0 parallel workers/, "$name: $workers workers");
		unlike($err, qr/ERROR/, "$name: no error");
	}
	is($node->safe_psql('postgres', "SELECT count(DISTINCT artifact_digest) FROM churnops.versions WHERE model IN ('${name}_0', '${name}_2')"),
		1, "$name: any number of workers gives the same version");
	is( $node->safe_psql('postgres', <<"SQL"), 0, "$name: and the same trials");
SELECT count(*) FROM (
	SELECT number, rung, params, fold_scores, n_trees FROM churnops.trial WHERE model = '${name}_0'
	EXCEPT SELECT number, rung, params, fold_scores, n_trees FROM churnops.trial WHERE model = '${name}_2') AS x
SQL
}

is( $node->safe_psql('postgres', <<'SQL'), '0|78', 'a cross-validation with workers is the one without');
CREATE TABLE alone AS SELECT * FROM churnops_cross_validate('events', 'churned', '{"n_estimators": 60, "max_depth": 6}', '{"folds": 3}', exclude => '{id,amount}');
SET max_parallel_maintenance_workers = 0;
SELECT count(*), (SELECT count(*) FROM alone) FROM (
	SELECT * FROM churnops_cross_validate('events', 'churned', '{"n_estimators": 60, "max_depth": 6}', '{"folds": 3}', exclude => '{id,amount}')
	EXCEPT SELECT * FROM alone) AS x
SQL

# Cancelled within a trial, and between them
$node->safe_psql('postgres', 'SELECT status FROM ' . tune('long', 'churned', q(, cv => '{"folds": 5}', study => 's', max_trials => 2)));
for my $workers (0, 2)
{
	for my $wait (0.05, 0.4, 0.9)
	{
		my $session = $node->background_psql('postgres', on_error_stop => 0);
		my $pid = $session->query("SET max_parallel_maintenance_workers = $workers; SELECT pg_backend_pid()");
		my $offset = -s $node->logfile;

		$session->query_until(qr/sent/, "\\echo sent\nSELECT status FROM "
			  . tune('long', 'churned', q(, cv => '{"folds": 5}', study => 's')) . ";\n");
		$node->wait_for_log(qr/churnops: rows prepared after/, $offset);
		sleep $wait;
		my $start = time;
		$node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)");
		$node->wait_for_log(qr/canceling statement due to user request/, $offset);
		cmp_ok(time - $start, '<', 3, "$workers workers, after $wait s: ends soon");
		$session->quit;
		is($node->safe_psql('postgres', "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'parallel worker'"),
			0, 'no worker is left');
		is(segments(), $segments, 'no shared memory is left');
		is($node->safe_psql('postgres', "SELECT count(*) FROM churnops.trial WHERE model = 'long'"), 2, 'trials that were committed stay');
	}
}
is($node->safe_psql('postgres', 'SELECT ref FROM ' . tune('long', 'churned', q(, cv => '{"folds": 5}', study => 's'))),
	'long/1', 'and the next call goes on');
is( $node->safe_psql('postgres', <<'SQL'), '4|2', 'with those that were left');
SELECT count(*), count(DISTINCT created_at) FROM churnops.trial WHERE model = 'long'
SQL

# A trial whose trees do not fit fails, and the search goes on
is( $node->safe_psql('postgres', <<'SQL'), "1\n1|1", 'trees that do not fit are a failed trial');
SET churnops.training_memory = '40MB';
SET max_parallel_maintenance_workers = 0;
SELECT count(*) FROM churnops_tune('fits', 'SELECT a, b, c, churned FROM events WHERE id <= 20000', 'churned',
	'{"n_estimators": [5, 4000]}', 'grid');
SELECT count(*) FILTER (WHERE status = 'succeeded'), count(*) FILTER (WHERE status = 'failed' AND message LIKE 'training needs at least %')
FROM churnops.trial WHERE model = 'fits'
SQL
is(segments(), $segments, 'no shared memory is left');

# Two sessions on one study: the later one to end is refused
{
	my $other = $node->background_psql('postgres');

	$other->query_safe('SET client_min_messages = warning; BEGIN; SELECT status FROM ' . tune('both', 'churned', q(, study => 's', max_trials => 1)));
	my $session = $node->background_psql('postgres', on_error_stop => 0);
	my $pid = $session->query('SELECT pg_backend_pid()');
	$session->query_until(qr/sent/, "\\echo sent\nSELECT status FROM " . tune('both', 'churned', q(, study => 's', max_trials => 1)) . ";\n");
	$node->poll_query_until('postgres', "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $pid");
	$other->query_safe('COMMIT');
	$other->quit;
	$session->query('SELECT 1');
	like($session->{stderr}, qr/study "s" of model "both" went on in another session/, 'a study goes on in one session at a time');
	$session->quit;
	is($node->safe_psql('postgres', "SELECT count(*) FROM churnops.trial WHERE model = 'both'"), 1, 'and has its trials once');
}
is($node->safe_psql('postgres', 'SELECT count(*) FROM churnops_verify()'), 0, 'all is as the functions left it');

$node->stop;
done_testing();
