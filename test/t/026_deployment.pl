# What deployments and the prediction log go through: dump and restore with
# partitions made at run time, a standby, and the end of the extension.
use strict;
use warnings;

use ChurnOps::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# Everything of deployments and the log, a line a table.
my $facts = join ";\n", map { "SELECT '$_', count(*), md5(string_agg(t::text, ' ' ORDER BY t::text)) FROM churnops.$_ AS t" }
	qw(deployment deployment_event prediction_log outcome deployments deployment_events predictions);
my $partitions = q{
	SELECT inhrelid::regclass, pg_get_expr(c.relpartbound, c.oid), c.relrowsecurity, coalesce(c.relacl, acldefault('r', c.relowner))
	FROM pg_inherits JOIN pg_class AS c ON c.oid = inhrelid
	WHERE inhparent = 'churnops.prediction_log'::regclass ORDER BY 1::text};
my $predictions = q{
	SELECT md5(string_agg(float8send(churnops_predict('churn', c))::text, ' ' ORDER BY customer_id)) FROM customers AS c};
my $score = q{SELECT arm, version, count(*) FROM churnops_score('churn', 'customers', '{customer_id}', log => true)
	GROUP BY 1, 2 ORDER BY 1};

my $node = ChurnOps::Cluster->start_new('primary', allows_streaming => 1);
$node->load_customers;
$node->safe_psql(
	'postgres', q{
	SELECT churnops_train('churn', 'customers', 'churn', '{"n_estimators": 5}', key => '{customer_id}');
	SELECT churnops_train('churn', 'customers', 'churn', '{"n_estimators": 9}', key => '{customer_id}');
	SELECT churnops_tick('churn');
	SELECT churnops_deploy('churn', 2, 'canary', '{"weight": 0.3}', 'to be dumped');
	SELECT churnops_outcome('churn', jsonb_build_object('customer_id', customer_id), churn::text) FROM customers LIMIT 10;
});
like($node->safe_psql('postgres', $partitions), qr/^churnops\.prediction_log_default\|DEFAULT\|t\|.*\n(churnops\.prediction_log_\d{6}\|FOR VALUES .*\|t\|.*\n?){2}$/,
	'the tick has made two months, and there is the default partition');
my $arms = $node->safe_psql('postgres', $score);
like($arms, qr/^candidate\|2\|\d+\nchampion\|1\|\d+$/, 'both arms score');
$node->safe_psql('postgres', q{INSERT INTO churnops.prediction_log (logged_at, batch, place, model, version, scored_by)
	VALUES (now() - interval '60 days', 0, 1, 'churn', 1, 'postgres')});

# Dump and restore

my $state = $node->safe_psql('postgres', "$facts;\n$partitions");
my $expected = $node->safe_psql('postgres', $predictions);
my $folder = $node->basedir;
my %restores = (
	plain => [ [ 'pg_dump', '-f', "$folder/plain.sql" ], [ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', "$folder/plain.sql" ] ],
	parallel => [
		[ 'pg_dump', '-Fd', '-j', '2', '-f', "$folder/directory" ],
		[ 'pg_restore', '-e', '-j', '4', "$folder/directory" ]
	]);
foreach my $format (sort keys %restores)
{
	my ($dump, $restore) = @{ $restores{$format} };

	$node->safe_psql('postgres', "CREATE DATABASE $format");
	$node->command_ok([ @$dump, 'postgres' ], "$format: dump");
	$node->command_ok([ @$restore, '-d', $format ], "$format: restore");
	is($node->safe_psql($format, "$facts;\n$partitions"), $state, "$format: all is there");
	is($node->safe_psql($format, $predictions), $expected, "$format: rows are routed as before");
	is($node->safe_psql($format, $score), $arms, "$format: and logged");
	is($node->safe_psql($format, q{SELECT decision FROM churnops_tick()}), 'waiting', "$format: the tick goes on");
}

# Data alone, into a fresh database that has no month yet

$node->safe_psql('postgres', 'CREATE DATABASE fresh');
$node->safe_psql('fresh', 'CREATE EXTENSION churnops');
$node->load_customers('fresh');
$node->command_ok(
	[ 'pg_dump', '--data-only', '--load-via-partition-root', '-T', 'customers', '-f', "$folder/data.sql", 'postgres' ],
	'data alone: dump');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', 'fresh', '-f', "$folder/data.sql" ],
	'data alone: rows without a partition go into the default one');
is($node->safe_psql('fresh', $facts), $node->safe_psql('postgres', $facts), 'data alone: all is there');
is($node->safe_psql('fresh', $predictions), $expected, 'data alone: rows are routed as before');

# A standby

$node->backup('copy');
my $standby = ChurnOps::Cluster->new('standby');
$standby->init_from_backup($node, 'copy', has_streaming => 1);
$standby->start;
is($standby->safe_psql('postgres', $predictions), $expected, 'a standby routes rows');
my ($status, $output, $error) = $standby->psql('postgres', $score);
like($error, qr/ERROR:  predictions cannot be logged during recovery\nHINT:  Call churnops_score\(\) without log here, or with it on the primary\./,
	'but logs nothing');
($status, $output, $error) = $standby->psql('postgres', 'SELECT * FROM churnops_tick()');
like($error, qr/ERROR:  churnops_tick\(\) cannot run on a standby\n/, 'and decides nothing');
$node->safe_psql('postgres', q{SELECT churnops_cancel_deployment(deployment) FROM churnops.deployments WHERE status = 'running'});
$node->wait_for_catchup($standby);
is($standby->safe_psql('postgres', $predictions), $node->safe_psql('postgres', $predictions =~ s/'churn'/'churn\/1'/r),
	'the end of a deployment is replayed');

# The end

$node->safe_psql('plain', 'DROP EXTENSION churnops');
is($node->safe_psql('plain', q{SELECT count(*) FROM pg_class WHERE relname LIKE 'prediction_log%'}), '0',
	'the extension takes partitions along');
$node->safe_psql('plain', 'CREATE EXTENSION churnops');
is($node->safe_psql('plain', 'SELECT count(*) FROM churnops.predictions'), '0', 'and can be created anew');

done_testing();
