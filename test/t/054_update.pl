# ALTER EXTENSION UPDATE from each release: what that release stored serves on to
# the last bit, and the updated extension is the installed one in every object.
use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(basename dirname);

use ChurnOps::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $golden = abs_path(dirname(__FILE__) . '/../golden');
my $node = ChurnOps::Cluster->start_new('main');
my $fresh = $node->run_script('test/registry/guards.sql');
my $version = $node->safe_psql('postgres', q{SELECT extversion FROM pg_extension WHERE extname = 'churnops'});

my @releases = map { basename($_) } grep { -d $_ } glob "$golden/*";
cmp_ok(scalar @releases, '>', 0, 'there are releases');
foreach my $release (@releases)
{
	my $database = "golden_$release";
	my $expected = slurp_file("$golden/$release/scores.txt");
	my $facts = q{
		SELECT 'alias', e.event, e.model, e.alias, e.from_version, e.to_version, e.changed_by, e.reason, e.changed_at FROM churnops.alias_event AS e;
		SELECT 'status', e.event, e.model, e.version, e.status, e.changed_by, e.reason, e.changed_at FROM churnops.version_event AS e;
		SELECT 'audit', a.entry, a.at, a.actor, a.action, a.model, a.version, a.detail FROM churnops.audit AS a;
	};

	$node->safe_psql('postgres', qq{CREATE DATABASE "$database"});
	$node->safe_psql($database, "CREATE EXTENSION churnops VERSION '$release'");
	$node->safe_psql($database, slurp_file("$golden/$release/$_.sql")) foreach qw(registry rows);
	$node->safe_psql('postgres', 'CREATE ROLE churnops_golden');
	chomp $expected;
	is($node->run_script('test/golden/scores.sql', $database), $expected, "$release: scores by its own script, to the last bit");
	my $before = $node->safe_psql($database, $facts);

	$node->safe_psql($database, 'ALTER EXTENSION churnops UPDATE');
	is($node->safe_psql($database, q{SELECT extversion FROM pg_extension WHERE extname = 'churnops'}), $version, "$release: updated");
	is($node->run_script('test/golden/scores.sql', $database), $expected, "$release: updated, it scores the same");
	is(join("\n", grep { /^-/ } split /\n/, ChurnOps::Cluster::difference($node->safe_psql($database, $facts), $before)),
		'', "$release: history is complete");
	is($node->safe_psql($database, 'SELECT count(*) FROM churnops_verify()'), 0, "$release: and verified");
	is(ChurnOps::Cluster::difference($node->run_script('test/registry/guards.sql', $database), $fresh),
		'', "$release: updated is the same as installed, object by object");
	is( $node->safe_psql(
			$database, q{
		GRANT SELECT ON golden TO churnops_golden;
		SET ROLE churnops_golden;
		SET client_min_messages = warning;
		SELECT reproduced, dataset_digest = dataset_digest_now, message FROM churnops_reproduce('churn/1');
		SELECT ref FROM churnops_train('churn', 'SELECT id, months, bill, plan, churned FROM golden', 'churned', '{"n_estimators": 2}', key => '{id}');
		SELECT version, previous_version FROM churnops_promote('churn/3');
		SELECT ref FROM churnops_import(churnops_export('value/1'), 'moved');
	}),
		"f|t|The rows are the same; the model was grown by version 2 of the algorithm, this library has version 3.\n"
			. "churn/3\n3|2\nmoved/1",
		"$release: reproduction, training, promotion and exchange go on");

	# A dump of the old release restores into the new one.
	$node->safe_psql('postgres', qq{CREATE DATABASE "restored_$release"});
	$node->safe_psql("restored_$release", 'CREATE EXTENSION churnops');
	$node->safe_psql("restored_$release", slurp_file("$golden/$release/$_.sql")) foreach qw(registry rows);
	is($node->run_script('test/golden/scores.sql', "restored_$release"), $expected, "$release: its data in a new extension scores the same");
	$node->safe_psql('postgres', qq{DROP DATABASE "$database"; DROP DATABASE "restored_$release"; DROP ROLE churnops_golden});
}

# DROP EXTENSION takes everything along, and leaves room for a new beginning.
$node->fill_registry;
my ($state, $predictions) = ($node->registry_state, $node->registry_predictions);
my $file = $node->basedir . '/registry.sql';
$node->command_ok([ 'pg_dump', '--data-only', '-t', 'churnops.*', '-T', 'churnops.prediction_log*', '-f', $file, 'postgres' ],
	'the registry alone is dumped');
my $open = $node->background_psql('postgres', on_error_stop => 0);
is($open->query(q{SELECT count(churnops_predict('churn', c)) FROM customers AS c}), 7043, 'a session has scored');
$node->safe_psql('postgres', 'DROP EXTENSION churnops');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_namespace WHERE nspname = 'churnops'}), 0, 'nothing is left of it');
$node->safe_psql('postgres', 'CREATE EXTENSION churnops');
is($node->safe_psql('postgres', 'SELECT count(*) FROM churnops.models'), 0, 'a new one is empty');
is(ChurnOps::Cluster::difference($node->run_script('test/registry/guards.sql'), $fresh), '', 'and the same, object by object');
$open->query(q{SELECT count(churnops_predict('churn', c)) FROM customers AS c});
like($open->{stderr}, qr/model "churn" does not exist/, 'an open session knows that the model has gone');
$open->quit;
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', 'postgres', '-f', $file ], 'the dump goes into it');
$node->safe_psql('postgres', 'GRANT SELECT ON churnops.audit TO churnops_alice');
my $log = qr{^(?:prediction(?:s|_log\w*|_batch_seq)|\w+\|churnops\.prediction_log_\d+\S*)\b.*\n?}m;
is(ChurnOps::Cluster::difference(map { s/$log//gr } $node->registry_state, $state), '', 'the registry is the same again');
is($node->registry_predictions, $predictions, 'predictions are the same to the last bit');

done_testing();
