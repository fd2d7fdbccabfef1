# The chain of hashes across dumps and updates: what is consistent stays so, and
# what was changed behind the functions' back is found afterwards too.
use strict;
use warnings;

use ChurnOps::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $problems = q{SELECT concat_ws(': ', name, "table" || ' ' || key, problem) FROM churnops_verify() ORDER BY 1};
my $chain = q{SELECT model, link, action, hash FROM churnops.audit ORDER BY model, link NULLS FIRST, entry};

my $node = ChurnOps::Cluster->start_new('primary');

# Trainings, promotions and a drop, which every version of the extension has.
sub fill
{
	my ($database) = @_;

	$node->safe_psql($database, q{
		CREATE TABLE customers AS SELECT i AS a, i * 7 % 13 AS b, i % 3 = 0 AS left_us FROM generate_series(1, 300) AS i;
		SELECT churnops_train('churn', 'customers', 'left_us', '{"n_estimators": 2}', key => '{a}');
		SELECT churnops_train('churn', 'customers', 'left_us', '{"n_estimators": 3}', key => '{a}');
		SELECT churnops_promote('churn/2', reason => 'better');
		SELECT churnops_train('gone', 'customers', 'left_us', '{"n_estimators": 1}', key => '{a}');
		SELECT churnops_drop_model('gone');
	});
	return;
}

# A dump of one database, restored into a new one.
sub restore
{
	my ($from, $to, @options) = @_;
	my $file = $node->basedir . "/$to.dump";

	$node->command_ok([ 'pg_dump', '-Fc', @options, '-f', $file, '-p', $node->port, '-h', $node->host, $from ], "dump of $from");
	$node->safe_psql('postgres', "CREATE DATABASE $to");
	$node->command_ok([ 'pg_restore', '-e', '-p', $node->port, '-h', $node->host, '-d', $to, $file ], "restored as $to");
	return;
}

# --- a dump carries chains as they are

fill('postgres');
$node->safe_psql('postgres', q{
	SELECT churnops_rollback('churn', 'worse');
	SELECT churnops_grant('churn', 'public', 'predict');
	SELECT churnops_reject('churn/2');
});
is($node->safe_psql('postgres', $problems), '', 'consistent');
restore('postgres', 'restored');
is($node->safe_psql('restored', $problems), '', 'consistent after a restore');
is($node->safe_psql('restored', $chain), $node->safe_psql('postgres', $chain), 'with the same hashes');
$node->safe_psql('restored', q{SELECT churnops_approve('churn/2'), churnops_promote('churn/2')});
is($node->safe_psql('restored', $problems), '', 'the chain goes on there');

# --- what was changed is found after a restore, too

$node->safe_psql('restored', q{SET session_replication_role = replica;
	UPDATE churnops.run SET code_version = 'another' WHERE model = 'churn' AND seconds = (SELECT min(seconds) FROM churnops.run)});
restore('restored', 'tampered');
like($node->safe_psql('tampered', $problems), qr/^churn: run \d+: the row was altered$/, 'a change shows after a restore');

# --- from 0.1.0, by an update

$node->safe_psql('postgres', 'CREATE DATABASE updated');
$node->safe_psql('updated', q{CREATE EXTENSION churnops VERSION '0.1.0'});
fill('updated');
$node->safe_psql('postgres', 'CREATE DATABASE dumped TEMPLATE updated');
$node->safe_psql('updated', 'ANALYZE; ALTER EXTENSION churnops UPDATE; ANALYZE');
is($node->safe_psql('updated', q{SELECT count(*) FROM pg_statistic WHERE starelid::regclass::text LIKE 'churnops.%'}), '0',
	'an update leaves no statistics that estimates would show');
is($node->safe_psql('updated', $problems), '', 'an update begins a chain for each name');
is($node->safe_psql('updated', q{SELECT model, action FROM churnops.audit WHERE link = 1 ORDER BY 1}),
	"churn|chain\ngone|chain", 'of dropped models, too');
$node->safe_psql('updated', q{SELECT churnops_rollback('churn')});
is($node->safe_psql('updated', q{SELECT champion_version FROM churnops.models}), '1', 'a rollback knows the past before it');
is($node->safe_psql('updated', $problems), '', 'and the chain goes on');
like($node->safe_psql('updated', q{BEGIN; SET LOCAL session_replication_role = replica;
	UPDATE churnops.alias_event SET reason = 'best' WHERE reason = 'better'; } . "$problems;"),
	qr/^churn: alias_event 1 to \d+: rows were altered, or are missing: there were (\d+), there are \1$/, 'its first link covers what there was');

# --- from 0.1.0, by a dump into a newer extension

restore('dumped', 'newer');
is($node->safe_psql('newer', q{SELECT extversion FROM pg_extension WHERE extname = 'churnops'}),
	$node->safe_psql('postgres', q{SELECT extversion FROM pg_extension WHERE extname = 'churnops'}), 'a dump restores into the newest version');
like($node->safe_psql('newer', $problems), qr/^churn: audit \d+: the entry is in no chain$/m, 'where nothing is chained yet');
$node->safe_psql('newer', q{SELECT churnops_promote('churn/1')});
unlike($node->safe_psql('newer', $problems), qr/^churn:/m, 'a model is with its next change');
$node->safe_psql('newer', q{SELECT churnops.start_chain(current_user, 'gone')});
is($node->safe_psql('newer', $problems), '', 'one that was dropped by hand');
is($node->safe_psql('newer', q{SELECT n_versions, champion_version, require_approval FROM churnops.models}), '2|1|f', 'and all of it is there');

done_testing();
