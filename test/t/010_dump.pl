# What a dump carries, in every format: models with their history, numbering,
# rights and guards; and what a restored registry says and does next.
use strict;
use warnings;

use ChurnOps::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = ChurnOps::Cluster->start_new('primary');
$node->fill_registry;
my $state = $node->registry_state;
my $predictions = $node->registry_predictions;
my $folder = $node->basedir;
like($predictions, qr/^taken\@champion\|\w/m, 'there are predictions');
unlike($predictions, qr/\|$/m, 'there are predictions to compare');

my %restores = (
	plain => [ [ 'pg_dump', '-f', "$folder/plain.sql" ], [ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', "$folder/plain.sql" ] ],
	inserts => [
		[ 'pg_dump', '--inserts', '-f', "$folder/inserts.sql" ],
		[ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', "$folder/inserts.sql" ]
	],
	custom => [ [ 'pg_dump', '-Fc', '-f', "$folder/custom" ], [ 'pg_restore', '-e', "$folder/custom" ] ],
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
	is(ChurnOps::Cluster::difference($node->registry_state($format), $state), '', "$format: the registry is the same");
	is($node->registry_predictions($format), $predictions, "$format: predictions are the same to the last bit");
}

# Schema and data apart.
$node->safe_psql('postgres', 'CREATE DATABASE apart');
$node->command_ok([ 'pg_dump', '--schema-only', '-f', "$folder/schema.sql", 'postgres' ], 'apart: dump of the schema');
$node->command_ok([ 'pg_dump', '--data-only', '-f', "$folder/data.sql", 'postgres' ], 'apart: dump of the data');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', 'apart', '-f', "$folder/schema.sql" ],
	'apart: restore of the schema');
is($node->safe_psql('apart', 'SELECT count(*) FROM churnops.model'), '0', 'apart: the schema holds no model');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', 'apart', '-f', "$folder/data.sql" ],
	'apart: restore of the data');
is(ChurnOps::Cluster::difference($node->registry_state('apart'), $state), '', 'apart: the registry is the same');

# A restored registry goes on where the dumped one stood.
is( $node->safe_psql(
		'plain', q{
	SET ROLE churnops_alice;
	SELECT ref, status FROM churnops_train('churn', 'SELECT * FROM customers', 'churn', '{"n_estimators": 5}',
		key => '{customer_id}');
	SELECT version, previous_version FROM churnops_promote('churn/3');
	SELECT reproduced FROM churnops_reproduce('churn/2');
}),
	"churn/3|approved\n3|2\nt",
	'training, promotion and reproduction go on after a restore');
foreach my $table (qw(version_event alias_event audit))
{
	my $key = $table eq 'audit' ? 'entry' : 'event';
	my $last = $node->safe_psql('postgres', "SELECT max($key) FROM churnops.$table");

	cmp_ok($node->safe_psql('plain', "SELECT min($key) FROM churnops.$table WHERE $key > $last"),
		'>', $last, "numbers of churnops.$table go on");
}
my ($status, $output, $error) = $node->psql('plain', 'DELETE FROM churnops.version');
like($error, qr/rows of churnops\.version are frozen: DELETE is refused/, 'versions are frozen after a restore');

# A server that does not know the owner: nothing is lost, and nobody's until it does.
my $other = ChurnOps::Cluster->new('other');
$other->init;
$other->start;
$other->safe_psql('postgres', 'CREATE DATABASE elsewhere');
$node->command_ok([ 'pg_dump', '--no-privileges', '-f', "$folder/elsewhere.sql", 'postgres' ], 'elsewhere: dump');
$other->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', 'elsewhere', '-f', "$folder/elsewhere.sql" ],
	'elsewhere: restore');
is($other->safe_psql('elsewhere', 'SELECT count(*) FROM churnops.models'), '0', 'elsewhere: models without an owner');
$other->safe_psql('elsewhere', 'CREATE ROLE churnops_alice');
is( $other->safe_psql('elsewhere', "SELECT string_agg(name, ' ' ORDER BY name) FROM churnops.models"),
	'charges churn contract nightly taken', 'elsewhere: they are there once the owner is');
is($other->registry_predictions('elsewhere'), $predictions, 'elsewhere: predictions are the same to the last bit');

done_testing();
