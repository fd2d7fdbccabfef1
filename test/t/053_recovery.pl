# Point-in-time recovery: the registry as it was at a moment, with the versions,
# aliases and history of that moment.
use strict;
use warnings;

use ChurnOps::Cluster;
use Test::More;

my $node = ChurnOps::Cluster->new('main');
$node->init(has_archiving => 1, allows_streaming => 1);
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION churnops');
$node->fill_registry;
$node->backup('base');

$node->safe_psql('postgres', q{
	SET ROLE churnops_alice;
	SELECT churnops_promote('churn/1', reason => 'after the backup');
	SELECT churnops_train('churn', 'SELECT * FROM customers', 'churn', '{"n_estimators": 3}', key => '{customer_id}');
});
my ($state, $predictions) = ($node->registry_state, $node->registry_predictions);
$node->safe_psql('postgres', q{SELECT pg_create_restore_point('before the mistake')});
$node->safe_psql('postgres', q{
	SET ROLE churnops_alice;
	SELECT churnops_promote('churn/3', reason => 'the mistake');
	SELECT churnops_drop_model('charges');
});
$node->safe_psql('postgres', q{SELECT pg_switch_wal()});
$node->stop;

my $restored = ChurnOps::Cluster->new('restored');
$restored->init_from_backup($node, 'base', has_restoring => 1, standby => 0);
$restored->append_conf('postgresql.conf', <<'CONF');
recovery_target_name = 'before the mistake'
recovery_target_action = 'promote'
CONF
$restored->start;
$restored->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()') or die 'recovery does not end';
is(ChurnOps::Cluster::difference(map { ChurnOps::Cluster::without_sequences($_) } $restored->registry_state, $state), '', 'the registry is that of the moment');
is($restored->registry_predictions, $predictions, 'predictions are the same to the last bit');
is( $restored->safe_psql(
		'postgres', q{
	SET ROLE churnops_alice;
	SELECT ref FROM churnops_train('churn', 'SELECT * FROM customers', 'churn', '{"n_estimators": 5}', key => '{customer_id}');
	SELECT version, previous_version FROM churnops_promote('churn/4');
	SELECT count(*) FROM churnops.models WHERE name = 'charges';
}),
	"churn/4\n4|1\n1",
	'training and promotion go on from there');

done_testing();
