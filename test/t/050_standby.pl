# A physical standby scores what has been replayed, says clearly what it cannot
# do, and goes on as primary where the old one stopped.
use strict;
use warnings;

use ChurnOps::Cluster;
use Test::More;

my $primary = ChurnOps::Cluster->start_new('primary', allows_streaming => 1);
$primary->fill_registry;
$primary->backup('base');
my $standby = ChurnOps::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;

sub replayed
{
	$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));
	return;
}

replayed();
is(ChurnOps::Cluster::difference($standby->registry_state, $primary->registry_state), '', 'the registry is the same');
is($standby->registry_predictions, $primary->registry_predictions, 'predictions are the same to the last bit');

# Sessions that are open meanwhile: one between statements, one in a transaction.
my $open = $standby->background_psql('postgres');
my $older = $standby->background_psql('postgres');
my $served = q{SELECT DISTINCT version FROM churnops_score('churn', 'SELECT * FROM customers LIMIT 3')};
is($open->query($served), 2, 'the champion serves');
is($older->query("BEGIN ISOLATION LEVEL REPEATABLE READ; $served"), 2, 'in a transaction too');
$primary->safe_psql('postgres', q{SET ROLE churnops_alice; SELECT churnops_promote('churn/1', reason => 'for the standby')});
replayed();
is($open->query($served), 1, 'the next statement after the replay sees the promotion');
is($older->query($served), 2, 'a REPEATABLE READ transaction keeps its version');
is($older->query("COMMIT; $served"), 1, 'to its end');
is($open->query(q{SELECT reason FROM churnops.alias_event ORDER BY event DESC LIMIT 1}), 'for the standby', 'the history is there');
$_->quit foreach ($open, $older);

my %refused = (
	churnops_train => q{churnops_train('churn', 'SELECT * FROM customers', 'churn')},
	churnops_promote => q{churnops_promote('churn/2')},
	churnops_rollback => q{churnops_rollback('churn', 'no reason')},
	churnops_approve => q{churnops_approve('churn/1')},
	churnops_grant => q{churnops_grant('churn', 'public', 'predict')},
	churnops_drop_alias => q{churnops_drop_alias('churn@challenger')},
	churnops_drop_model => q{churnops_drop_model('churn')},
	churnops_import => q{churnops_import(churnops_export('churn/2'), 'new')});
foreach my $function (sort keys %refused)
{
	my ($status, $output, $error) = $standby->psql('postgres', "\\set VERBOSITY verbose\nSELECT $refused{$function}");

	is( ($error =~ s/^.*?ERROR:/ERROR:/sr) =~ s/\nLOCATION.*//sr, <<"END" =~ s/\n$//r, "$function is refused");
ERROR:  25006: $function() cannot run on a standby
DETAIL:  This server replays the changes of its primary: it scores, and sees promotions once they are replayed, but changes nothing itself.
HINT:  Connect to the primary.
END
}
is( $standby->safe_psql('postgres', q{SELECT churnops_export('churn/2')::json #>> '{content,version,artifact_digest}'}),
	$primary->safe_psql('postgres', q{SELECT artifact_digest FROM churnops.versions WHERE model = 'churn' AND version = 2}),
	'a standby exports');
is( $standby->safe_psql('postgres', q{SET ROLE churnops_alice; SELECT reproduced FROM churnops_reproduce('churn/2')}),
	't', 'and reproduces, since that stores nothing');

# What was committed before the end of the primary is all there.
$primary->safe_psql('postgres', q{SET ROLE churnops_alice; SELECT churnops_promote('churn/2', 'challenger', 'the last act')});
my ($state, $predictions) = ($primary->registry_state, $primary->registry_predictions);
replayed();
$primary->stop('immediate');
$standby->promote;
is($standby->registry_predictions, $predictions, 'promoted: predictions are the same to the last bit');
is(ChurnOps::Cluster::difference(map { ChurnOps::Cluster::without_sequences($_) } $standby->registry_state, $state), '', 'promoted: the registry is the same');
is( $standby->safe_psql(
		'postgres', q{
	SET ROLE churnops_alice;
	SELECT ref FROM churnops_train('churn', 'SELECT * FROM customers', 'churn', '{"n_estimators": 5}', key => '{customer_id}');
	SELECT version, previous_version FROM churnops_promote('churn/3');
	RESET ROLE;
	SELECT count(*) - count(DISTINCT event) FROM churnops.alias_event;
	SELECT artifact_digest = lag(artifact_digest, 2) OVER (ORDER BY version) FROM churnops.versions WHERE model = 'churn'
	ORDER BY version DESC LIMIT 1;
}),
	"churn/3\n3|1\n0\nt",
	'promoted: training and promotion go on, and the same rows still give the same model');

done_testing();
