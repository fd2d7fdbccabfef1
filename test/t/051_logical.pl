# The registry by logical replication into another database, by the steps of
# docs/operations.md: the subscriber scores what the publisher promotes, and can
# take over.
use strict;
use warnings;

use ChurnOps::Cluster;
use Test::More;

my $publisher = ChurnOps::Cluster->start_new('publisher', allows_streaming => 'logical');
$publisher->fill_registry;
my $subscriber = ChurnOps::Cluster->start_new('subscriber', allows_streaming => 'logical');
$subscriber->safe_psql('postgres', 'CREATE ROLE churnops_alice; CREATE ROLE churnops_bob; CREATE ROLE churnops_reader');
$subscriber->load_customers;

# Positions of sequences are no facts that are replicated, and rights on tables neither.
sub rows_of
{
	my ($node) = @_;

	return join "\n", grep { !/^(view|predictions|prediction_log\w*|function|relation|column|constraint|index|trigger|policy|dumped|member|schema|extension|aggregate)\|/ && !/_seq\|/ }
	  split /\n/, $node->registry_state;
}

sub arrived
{
	$publisher->wait_for_catchup('registry');
	return;
}

$publisher->run_script('examples/operations/publish_registry.sql');
$subscriber->safe_psql('postgres', sprintf q{CREATE SUBSCRIPTION registry CONNECTION '%s' PUBLICATION registry},
	$publisher->connstr . ' dbname=postgres');
$subscriber->wait_for_subscription_sync($publisher, 'registry');
is(ChurnOps::Cluster::difference(rows_of($subscriber), rows_of($publisher)), '', 'the registry arrives with its history');
is($subscriber->registry_predictions, $publisher->registry_predictions, 'predictions are the same to the last bit');

my $open = $subscriber->background_psql('postgres');
my $served = q{SELECT DISTINCT version FROM churnops_score('churn', 'SELECT * FROM customers LIMIT 3')};
is($open->query($served), 2, 'the champion serves');
$publisher->safe_psql('postgres', q{SET ROLE churnops_alice; SELECT churnops_promote('churn/1', reason => 'replicated')});
arrived();
is($open->query($served), 1, 'a promotion is seen by the next statement once it has arrived');
$publisher->safe_psql(
	'postgres', q{
	SET ROLE churnops_alice;
	SELECT churnops_train('churn', 'SELECT * FROM customers', 'churn', '{"n_estimators": 7}', key => '{customer_id}');
	SELECT churnops_promote('churn/3');
	SELECT churnops_drop_model('contract');
});
arrived();
is($open->query($served), 3, 'so is a new version');
is($open->query(q{SELECT count(*) FROM churnops.model WHERE name = 'contract'}), 0, 'the drop of a model is applied');
is(ChurnOps::Cluster::difference(rows_of($subscriber), rows_of($publisher)), '', 'the rows are the same');
is($subscriber->registry_predictions, $publisher->registry_predictions, 'and the predictions');
is($subscriber->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_subscription_stats WHERE apply_error_count + sync_error_count > 0}),
	0, 'nothing was refused on the way');
my ($status, $output, $error) = $subscriber->psql('postgres', 'DELETE FROM churnops.version');
like($error, qr/rows of churnops\.version are frozen/, 'rows are frozen there too');
$open->quit;

# Taking over: no more changes come, and the sequences stand behind what has come.
$publisher->stop('fast');
$subscriber->safe_psql('postgres', q{
	ALTER SUBSCRIPTION registry DISABLE;
	ALTER SUBSCRIPTION registry SET (slot_name = NONE);
	DROP SUBSCRIPTION registry;
});
$subscriber->run_script('examples/operations/advance_sequences.sql');
is( $subscriber->safe_psql(
		'postgres', q{
	GRANT SELECT ON customers TO churnops_alice;
	SET ROLE churnops_alice;
	SELECT ref FROM churnops_train('churn', 'SELECT * FROM customers', 'churn', '{"n_estimators": 5}', key => '{customer_id}');
	SELECT version, previous_version FROM churnops_promote('churn/4');
}),
	"churn/4\n4|3",
	'training and promotion go on');

done_testing();
