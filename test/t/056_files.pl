# Files of the server: CSV read as Python reads it, in bounded memory, stopped in
# between; folders that are gone when the transaction is.
use strict;
use warnings;

use ChurnOps::Cluster;
use FindBin;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $node = ChurnOps::Cluster->new('main');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', "shared_buffers = 16MB\nmax_prepared_transactions = 2\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION churnops');
my $dir = PostgreSQL::Test::Utils::tempdir_short();
chmod 0755, $dir;

# Python's reading of made-up files, and its own ideas of types
SKIP:
{
	skip 'no python3', 2 if system('python3 -c "" 2>/dev/null') != 0;
	local $ENV{PGHOST} = $node->host;
	local $ENV{PGPORT} = $node->port;
	local $ENV{PGDATABASE} = 'postgres';
	my $oracle = "$FindBin::Bin/../csv/oracle.py";
	my $out = `python3 $oracle 40 1 2>&1`;
	like($out, qr/^files 40, values [0-9]{4,}, differences 0$/m, 'made-up files are read as by Python') or diag($out);
	$out = `python3 $oracle --file $FindBin::Bin/../../examples/data/*.csv 2>&1`;
	like($out, qr/^files [1-9][0-9]*, values [0-9]{5,}, differences 0$/m, 'the example data too') or diag($out);
}

# A file of about so many megabytes
sub make_csv
{
	my ($name, $megabytes) = @_;
	my $line = 0;

	open my $out, '>', "$dir/$name" or die "$dir/$name: $!";
	print $out "id,name,\"the amount\",at,note\n";
	while ($megabytes * 1e6 > tell $out)
	{
		print $out map { $line++; qq{$line,name $line,@{[ $line / 8 ]},2024-01-02 03:04:05,"one ""quoted""\ntext, of $line"\n} } 1 .. 1000;
	}
	close $out;
	return $line;
}

# What a backend had at most, in kB
sub peak
{
	my ($pid) = @_;
	my ($peak) = slurp_file("/proc/$pid/status") =~ /^VmHWM:\s+(\d+) kB/m;

	return $peak;
}

my $n_small = make_csv('small.csv', 8);
my $n_large = make_csv('large.csv', 80);
SKIP:
{
	skip 'no /proc', 3 unless -r "/proc/$$/status";
	my $session = $node->background_psql('postgres');
	my $pid = $session->query_safe('SELECT pg_backend_pid()');
	my $load = "SELECT n_rows FROM churnops_load_csv('$dir/%s', 'loaded', '{\"if_exists\": \"replace\", \"unlogged\": true}')";

	is($session->query_safe(sprintf $load, 'small.csv'), $n_small, 'a small file is loaded');
	my $before = peak($pid);
	is($session->query_safe(sprintf $load, 'large.csv'), $n_large, 'a large one too');
	cmp_ok(peak($pid) - $before, '<', 4096, 'in no more memory');
	$session->quit;
}
is($node->safe_psql('postgres', q{SELECT sum(id) = count(*) * (count(*) + 1) / 2, sum("the amount") = sum(id) / 8.0,
	bool_and(note = E'one "quoted"\ntext, of ' || id) FROM loaded}), 't|t|t', 'all of its values are there');

# Stopped while it looks at the values, and while COPY runs
for my $name ('looking', 'copying')
{
	my $offset = -s $node->logfile;
	my $session = $node->background_psql('postgres', on_error_stop => 0);
	my $pid = $session->query_safe('SELECT pg_backend_pid()');

	$session->query_until(qr/sent/, "\\echo sent\nSELECT churnops_load_csv('$dir/large.csv', 'stopped');\n");
	if ($name eq 'copying')
	{
		$node->poll_query_until('postgres', "SELECT count(*) = 1 FROM pg_stat_progress_copy WHERE pid = $pid AND tuples_processed > 0");
	}
	else
	{
		$node->poll_query_until('postgres', "SELECT state = 'active' FROM pg_stat_activity WHERE pid = $pid");
		usleep(50000);
	}
	$node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)");
	$node->wait_for_log(qr/canceling statement due to user request/, $offset);
	$session->quit;
	is($node->safe_psql('postgres', "SELECT to_regclass('stopped') IS NULL"), 't', "$name: nothing is left of a load that is stopped");
}

# What is no file to read
{
	my ($code, $out, $err) = $node->psql('postgres', "SELECT churnops_load_csv('$dir/none.csv', 'x')");
	like($err, qr/could not open file ".*none.csv" for reading: No such file or directory/, 'a file that is not there');
	system("mkfifo $dir/pipe") == 0 or die;
	($code, $out, $err) = $node->psql('postgres', "SELECT churnops_load_csv('$dir/pipe', 'x')");
	like($err, qr/"[^"]*pipe" is not an ordinary file/, 'a pipe does not hang');
}

# Folders and transactions
$node->safe_psql('postgres', q{
	CREATE TABLE customers AS SELECT i AS id, i % 7 AS calls, i % 7 > 3 AS churned FROM generate_series(1, 100) AS i;
	SELECT churnops_train('churn', 'customers', 'churned', '{"n_estimators": 2}', key => '{id}')});
my $models = $node->basedir . '/models';
mkdir $models;
sub saved { return join ' ', sort map { s{.*/}{}r } glob "$models/*" }

$node->safe_psql('postgres', "BEGIN; SELECT churnops_save('churn', '$models/a/b/gone'); ROLLBACK");
is(saved(), '', 'a transaction that is rolled back leaves nothing');
my ($code, $out, $err) = $node->psql('postgres', "BEGIN; SELECT churnops_save('churn', '$models/prepared'); PREPARE TRANSACTION 'p'", on_error_stop => 0);
like($err, qr/ERROR:  cannot PREPARE a transaction that has saved a model/, 'a transaction that has saved cannot be prepared');
is(saved(), '', 'and leaves nothing');
$node->psql('postgres', "DO \$\$ BEGIN PERFORM churnops_save('churn', '$models/caught'); RAISE 'no'; EXCEPTION WHEN raise_exception THEN NULL; END \$\$");
is(saved(), '', 'nor does an exception that is caught');
$node->safe_psql('postgres', "SELECT churnops_save('churn', '$models/kept')");
is(saved(), 'kept', 'what is committed stays');
{
	my $session = $node->background_psql('postgres', on_error_stop => 0);
	my $pid = $session->query_safe('SELECT pg_backend_pid()');

	$session->query_safe("BEGIN; SELECT churnops_save('churn', '$models/ended')");
	is(saved(), 'ended kept', 'a folder is there before the commit');
	$node->safe_psql('postgres', "SELECT pg_terminate_backend($pid, 60000)");
	is(saved(), 'kept', 'and gone when the session is ended');
	eval { $session->quit };
}
is((stat "$models/kept")[2] & 0777, (stat $node->data_dir)[2] & 0777, 'the mode of a folder is that of the data directory');
is((stat "$models/kept/model.json")[2] & 0777, (stat $node->data_dir . '/global/pg_control')[2] & 0777, 'and that of a file as a file there');

# A standby
$node->backup('base');
my $standby = ChurnOps::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
is($standby->safe_psql('postgres', "SELECT churnops_save('churn', '$models/standby')"), "$models/standby", 'a standby saves');
for my $call ("churnops_load_csv('$dir/small.csv', 'x')", "churnops_load('$models/kept', 'x')")
{
	my ($function) = $call =~ /^(\w+)/;
	(undef, undef, $err) = $standby->psql('postgres', "SELECT $call");
	like($err, qr/ERROR:  \Q$function\E\(\) cannot run on a standby/, "a standby does not load: $function");
}

done_testing();
