# A crash in the middle of a training or of a promotion leaves nothing half
# written: kill -9 of the backend, and of the whole server.
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
restart_after_crash = on
log_min_messages = debug1
CONF
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION churnops');
$node->fill_registry;
$node->safe_psql('postgres', q{
	CREATE TABLE noise AS
	SELECT hashint4(i) AS a, hashint4(i + 1) % 1000 / 7.0 AS b, hashint4(i + 2) AS c, hashint4(i) > 0 AS churned
	FROM generate_series(1, 100000) AS i;
});
my ($state, $predictions) = ($node->registry_state, $node->registry_predictions);

sub left_behind
{
	my $folder = $node->data_dir;

	return scalar(() = glob "$folder/pg_dynshmem/mmap.* $folder/base/pgsql_tmp/*");
}
my $left = left_behind();

# Statements in a session of its own until the log shows a pattern; its process.
sub busy_session
{
	my ($statements, $pattern) = @_;
	my $session = $node->background_psql('postgres', on_error_stop => 0);
	my $pid = $session->query('SELECT pg_backend_pid()');
	my $offset = -s $node->logfile;

	$session->query_until(qr/sent/, "\\echo sent\n$statements\n");
	$node->wait_for_log($pattern, $offset) if defined $pattern;
	return ($session, $pid);
}

# Backends see that their postmaster has gone and end by themselves; only then
# can another one start.
sub kill_server
{
	my @processes = ($node->{_pid}, split /\n/, $node->safe_psql('postgres', 'SELECT pid FROM pg_stat_activity'));
	my $until = time + 60;

	$node->kill9;
	sleep 0.1 while (grep { kill 0, $_ } @processes) && time < $until;
	$node->start;
	return;
}

# The server is gone or about to restart, and then as if nothing had been asked for.
sub kill_and_compare
{
	my ($name, $target, $session, $pid) = @_;
	my $offset = -s $node->logfile;

	if ($target eq 'backend')
	{
		kill 'KILL', $pid;
		$node->wait_for_log(qr/all server processes terminated; reinitializing/, $offset);
		$node->poll_query_until('postgres', 'SELECT true') or die 'the server does not come back';
	}
	else
	{
		kill_server();
	}
	# psql has lost its server, which is its right to complain about.
	eval { $session->{run}->kill_kill; };
	is(ChurnOps::Cluster::difference(map { ChurnOps::Cluster::without_sequences($_) } $node->registry_state, $state), '', "$name: the registry is the same");
	is($node->registry_predictions, $predictions, "$name: predictions are the same to the last bit");
	is(left_behind(), $left, "$name: no shared memory and no temporary file is left");
	return;
}

my $train = q{SELECT churnops_train('noise', 'TABLE noise', 'churned', '{"n_estimators": 20000, "max_depth": 5}');};
my $unfinished = q{BEGIN; SET LOCAL ROLE churnops_alice; SELECT churnops_promote('churn/1', reason => 'lost');
	SELECT churnops_train('lost', 'SELECT * FROM customers', 'churn', '{"n_estimators": 1}'); RESET ROLE;
	DO $$ BEGIN RAISE LOG 'promoted, uncommitted'; END $$; SELECT pg_sleep(600);};
foreach my $target ('backend', 'server')
{
	kill_and_compare("training, $target killed", $target, busy_session($train, qr/churnops: growing 20000 trees/));
	kill_and_compare("promotion uncommitted, $target killed", $target, busy_session($unfinished, qr/promoted, uncommitted/));

	# In the middle of churnops_promote itself: it waits for another's lock.
	my ($holder, $holder_pid) = busy_session(q{BEGIN; LOCK TABLE churnops.alias_event IN EXCLUSIVE MODE; DO $$ BEGIN RAISE LOG 'locked'; END $$;},
		qr/locked/);
	my ($session, $pid) = busy_session(q{SET ROLE churnops_alice; SELECT churnops_promote('churn/1', reason => 'half done');});
	$node->poll_query_until('postgres', "SELECT count(*) = 1 FROM pg_locks WHERE pid = $pid AND NOT granted") or die 'nobody waits';
	kill_and_compare("in churnops_promote, $target killed", $target, $session, $pid);
	eval { $holder->{run}->kill_kill; };
}

# What was committed before a crash is there after it.
$node->safe_psql('postgres', q{SET ROLE churnops_alice; SELECT churnops_promote('churn/1', reason => 'kept')});
($state, $predictions) = ($node->registry_state, $node->registry_predictions);
kill_server();
is(ChurnOps::Cluster::difference(map { ChurnOps::Cluster::without_sequences($_) } $node->registry_state, $state), '', 'a committed promotion outlives a crash');
is($node->registry_predictions, $predictions, 'and serves');
is( $node->safe_psql('postgres', q{
	SET ROLE churnops_alice;
	SELECT ref FROM churnops_train('churn', 'SELECT * FROM customers', 'churn', '{"n_estimators": 5}', key => '{customer_id}')}),
	'churn/3', 'training goes on with the next number');

done_testing();
