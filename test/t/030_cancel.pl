# A training can be cancelled in each of its phases, soon, and leaves nothing
# behind: no rows, no workers, no shared memory.
use strict;
use warnings;

use ChurnOps::Cluster;
use Test::More;
use Time::HiRes qw(sleep time);

# Shared memory as files in the server's own folder, where they can be counted.
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
	hashint4(i)::bigint + hashint4(i * 31) > 0 AS churned
FROM generate_series(1, 50000) AS i;
CREATE FUNCTION slow(i integer) RETURNS integer LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_sleep(0.001); RETURN i; END $$;
SQL

sub segments
{
	return scalar(() = glob $node->data_dir . '/pg_dynshmem/mmap.*');
}

my $segments = segments();

# A training in a session of its own, until its log shows the pattern; returns
# the session, its process and the place in the log.
sub train_until
{
	my ($pattern, $workers, $query, $params) = @_;
	my $session = $node->background_psql('postgres', on_error_stop => 0);
	my $pid = $session->query("SET max_parallel_maintenance_workers = $workers; SELECT pg_backend_pid()");
	my $offset = -s $node->logfile;

	$session->query_until(qr/sent/, "\\echo sent\n"
		  . "SELECT churnops_train('cancelled', \$\$$query\$\$, 'churned', '$params', exclude => '{id}');\n");
	$node->wait_for_log($pattern, $offset);
	return ($session, $pid, $offset);
}

sub nothing_is_left
{
	my ($name) = @_;

	is( $node->safe_psql('postgres', "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'parallel worker'"),
		0, "$name: no worker is left");
	is(segments(), $segments, "$name: no shared memory is left");
	is( $node->safe_psql('postgres', <<'SQL'), 0, "$name: nothing is in the catalogue");
SELECT (SELECT count(*) FROM churnops.model) + (SELECT count(*) FROM churnops.dataset) + (SELECT count(*) FROM churnops.run)
	+ (SELECT count(*) FROM churnops.version) + (SELECT count(*) FROM churnops.audit)
SQL
	return;
}

# Small trees, so that nobody can see at once that they will not fit.
my $long = '{"n_estimators": 20000, "max_depth": 5}';
my @phases = (
	[ 'reading', qr/statement: SELECT churnops_train/, 'SELECT *, slow(id) AS s FROM events', $long ],
	[ 'preparing', qr/churnops: rows read after/, 'events', $long ],
	[ 'growing', qr/churnops: growing 20000 trees/, 'events', $long ],
	[ 'measuring', qr/churnops: trees grown after/, 'events', '{"n_estimators": 1200, "max_depth": 9}' ]);
for my $phase (@phases)
{
	my ($name, $pattern, $query, $params) = @$phase;

	for my $workers (0, 2)
	{
		my ($session, $pid, $offset) = train_until($pattern, $workers, $query, $params);
		my $start = time;

		sleep 0.1 if $name eq 'reading' || $name eq 'growing';
		$node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)");
		$node->wait_for_log(qr/canceling statement due to user request/, $offset);
		cmp_ok(time - $start, '<', 3, "$name with $workers workers: ends soon");
		$session->quit;
		nothing_is_left("$name with $workers workers");
	}
}

# Waiting for another training of the same name to commit
{
	my $other = $node->background_psql('postgres');

	$other->query_safe("BEGIN; SET LOCAL client_min_messages = warning;"
		  . "SELECT churnops_train('cancelled', 'SELECT a, churned FROM events WHERE id < 1000', 'churned', '{\"n_estimators\": 1}')");
	my ($session, $pid, $offset) =
	  train_until(qr/churnops: model measured after/, 0, 'SELECT a, id, churned FROM events WHERE id < 1000', '{"n_estimators": 1}');
	$node->poll_query_until('postgres', "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $pid");
	$node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)");
	$node->wait_for_log(qr/canceling statement due to user request/, $offset);
	$session->quit;
	$other->query_safe('ROLLBACK');
	$other->quit;
	nothing_is_left('registering');
}

# The session, or a worker, is ended
for my $whom ('leader', 'worker')
{
	my ($session, $pid, $offset) = train_until(qr/growing 20000 trees with 2 parallel workers/, 2, 'events', $long);
	my $where = $whom eq 'leader' ? "pid = $pid" : "leader_pid = $pid AND pid <> $pid";

	$node->poll_query_until('postgres', "SELECT count(*) > 0 FROM pg_stat_activity WHERE $where");
	$node->safe_psql('postgres', "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE $where LIMIT 1");
	$node->wait_for_log(qr/(FATAL|ERROR):  terminating .* due to administrator command/, $offset);
	if ($whom eq 'worker')
	{
		is($session->query('SELECT 1'), "1", 'the session of a lost worker goes on');
		like($session->{stderr}, qr/administrator command|lost connection to parallel worker/, 'and is told');
		$session->quit;
	}
	else
	{
		$node->poll_query_until('postgres', "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $pid");
		$session->{run}->finish;
	}
	nothing_is_left("$whom ended");
}

# At many moments of a short training, by timeout
my $late = 0;
for my $ms (map { 15 * $_ } 1 .. 20)
{
	my $start = time;
	my (undef, undef, $err) = $node->psql('postgres', <<"SQL");
SET client_min_messages = warning;
SET statement_timeout = $ms;
BEGIN;
SELECT churnops_train('cancelled', 'events', 'churned', '{"n_estimators": 100}', exclude => '{id}');
ROLLBACK;
SQL
	$late++ if $err =~ /canceling statement due to statement timeout/ && time - $start > $ms / 1000 + 2;
	$late++ if $err =~ /WARNING|PANIC|FATAL/;
}
is($late, 0, 'timeouts come in time, and without warnings');
nothing_is_left('timeouts');

is($node->safe_psql('postgres', "SELECT ref FROM churnops_train('cancelled', 'events', 'churned', '{\"n_estimators\": 10}', exclude => '{id}')"),
	'cancelled/1', 'and then it can be trained');

$node->stop;
done_testing();
