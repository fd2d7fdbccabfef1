# 64 sessions score while a model is promoted 1,000 times: no error, no deadlock,
# and every score is of the version that the alias means in its own snapshot.
use strict;
use warnings;

use ChurnOps::Cluster;
use IPC::Run qw(start);
use PostgreSQL::Test::Utils;
use Test::More;

my $sessions = 64;
my $promotions = 1000;

my $node = ChurnOps::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "max_connections = 100\ndeadlock_timeout = 100ms\nmax_parallel_workers = 4");
$node->start;
$node->safe_psql('postgres', q{
	SET client_min_messages = warning;
	CREATE EXTENSION churnops;
	-- Version k predicts about 10 k.
	SELECT ref FROM generate_series(1, 5) AS k, churnops_train('steps',
		format('SELECT x, %s.0 + x %% 2 AS y FROM generate_series(1, 100) AS x', 10 * k), 'y', '{"n_estimators": 2}');
	SELECT churnops_promote('steps/1', 'challenger');
	CREATE SEQUENCE champion;
	CREATE SEQUENCE challenger;
	CREATE TABLE rows AS SELECT x FROM generate_series(1, 40) AS x;
	CREATE TABLE seen (version int);
	-- What the alias means by the tables, and by their history, in the statement's snapshot.
	CREATE FUNCTION meant(name text) RETURNS int LANGUAGE plpgsql STABLE AS $$
	DECLARE
		now int := (SELECT version FROM churnops.alias WHERE model = 'steps' AND alias = name);
		last int := (SELECT to_version FROM churnops.alias_event WHERE model = 'steps' AND alias = name ORDER BY event DESC LIMIT 1);
	BEGIN
		IF now <> last THEN
			RAISE EXCEPTION 'alias % means version %, its history says %', name, now, last;
		END IF;
		RETURN now;
	END $$;
	CREATE FUNCTION check_version(served float8, meant int) RETURNS int LANGUAGE plpgsql AS $$
	BEGIN
		IF round(served / 10) IS DISTINCT FROM meant THEN
			RAISE EXCEPTION 'version % served, version % is meant', round(served / 10), meant;
		END IF;
		RETURN meant;
	END $$;
	-- Each statement of a volatile function has a snapshot of its own.
	CREATE FUNCTION check_loop() RETURNS void LANGUAGE plpgsql VOLATILE AS $$
	BEGIN
		FOR i IN 1..5 LOOP
			PERFORM check_version(churnops_predict('steps', '{"x": 7}'), meant('champion'));
		END LOOP;
	END $$;
});

my %scripts = (
	# one row, and a mark of what was seen
	one => q{INSERT INTO seen SELECT check_version(churnops_predict('steps', ROW(7)), meant('champion'));},
	alias => q{SELECT check_version(churnops_predict('steps@challenger', ROW(7)), meant('challenger'));},
	# all rows of a table by one version
	table => q{SELECT check_version(avg(churnops_predict('steps', r)), meant('champion')), 1 / (count(DISTINCT round(churnops_predict('steps', r) / 10)) = 1)::int FROM rows AS r;},
	score => q{SELECT check_version(max(prediction), meant('champion')), check_version(10 * max(version), meant('champion')), 1 / (count(DISTINCT version) = 1)::int FROM churnops_score('steps', 'SELECT x FROM rows');},
	loop => q{SELECT check_loop();},
	# one snapshot for the whole transaction
	repeatable => q{BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT check_version(churnops_predict('steps', ROW(7)), meant('champion')) AS first \gset
SELECT check_version(churnops_predict('steps', ROW(7)), meant('champion')), 1 / (:first = meant('champion'))::int;
COMMIT;});
my $folder = $node->basedir;
append_to_file("$folder/$_.sql", "$scripts{$_}\n") foreach keys %scripts;
append_to_file("$folder/champion.sql", "SELECT churnops_promote('steps/' || 1 + nextval('champion') % 5, reason => 'again');\n");
append_to_file("$folder/challenger.sql", "SELECT churnops_promote('steps/' || 1 + nextval('challenger') % 4, 'challenger');\n");

$ENV{PGHOST} = $node->host;
$ENV{PGPORT} = $node->port;
my @promoters = map {
	my ($name, $times) = @$_;
	my ($output, $error) = ('', '');

	{
		output => \$output,
		error => \$error,
		run => start([ 'pgbench', '-n', '-c', 1, '-t', $times, '-f', "$folder/$name.sql", 'postgres' ], '>', \$output, '2>', \$error)
	}
} ([ champion => $promotions ], [ challenger => 200 ]);

# Rounds of sessions that come and go, by turns with plans of their own and kept ones.
my ($scored, $rounds) = (0, 0);
while ($rounds == 0 || grep { $_->{run}->pumpable } @promoters)
{
	my ($output, $error) = ('', '');
	my $run = start(
		[
			'pgbench', '-n', '-c', $sessions, '-j', 2, '-T', 4, '-R', 1200, '-M', $rounds++ % 2 ? 'prepared' : 'simple',
			(map { ('-f', "$folder/$_.sql") } sort keys %scripts), 'postgres'
		],
		'>', \$output, '2>', \$error);

	$_->{run}->pump_nb foreach grep { $_->{run}->pumpable } @promoters;
	ok($run->finish && $error !~ /ERROR|aborted/, "round $rounds: every score is of the version that is meant")
	  or diag($error);
	$scored += $1 if $output =~ /number of transactions actually processed: (\d+)/;
	$_->{run}->pump_nb foreach grep { $_->{run}->pumpable } @promoters;
	last if $rounds >= 30;
}
foreach my $promoter (@promoters)
{
	ok($promoter->{run}->finish && ${ $promoter->{error} } !~ /ERROR|aborted/, 'all promotions are done') or diag(${ $promoter->{error} });
}
note("$scored transactions of $sessions sessions in $rounds rounds");
cmp_ok($scored, '>', 1000, 'there were scores');
is($node->safe_psql('postgres', q{SELECT count(*) FROM churnops.alias_event WHERE alias = 'champion' AND reason = 'again'}),
	$promotions, 'every promotion is in the history');
is( $node->safe_psql('postgres', q{SELECT count(*) FROM (
		SELECT from_version, lag(to_version) OVER (PARTITION BY alias ORDER BY event) AS before FROM churnops.alias_event) AS e
		WHERE from_version <> before}),
	0, 'which is linear');
cmp_ok($node->safe_psql('postgres', 'SELECT count(DISTINCT version) FROM seen'), '>', 1, 'several versions have served');
is($node->safe_psql('postgres', q{SELECT deadlocks FROM pg_stat_database WHERE datname = 'postgres'}), 0, 'no deadlock');

done_testing();
