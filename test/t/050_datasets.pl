# What a dump carries of datasets: versions, fingerprints and kept copies, from which models can be
# reproduced where the tables are gone; and registrations that do not end.
use strict;
use warnings;

use ChurnOps::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# Everything that a restore must bring back, a line a fact.
sub state_of
{
	my ($node, $database) = @_;
	my @facts = (
		(map { "SELECT '$_', md5(t::text) FROM churnops.$_ AS t ORDER BY 2" }
			qw(named_dataset dataset_version dataset_rows dataset_keys)),
		# sizes depend on how the server compresses
		"SELECT name, version, n_rows, kept, n_models, digest FROM churnops.datasets ORDER BY 1, 2",
		"SELECT model, version, dataset_name, dataset_version, dataset_kept FROM churnops.lineage ORDER BY 1, 2",
		"SELECT * FROM churnops_dataset_diff('customers', 1, 2) WHERE aspect <> 'column'",
		"SELECT ref, held, models FROM churnops_membership('customers', '{\"customer_id\": \"C0016\"}')");

	return $node->safe_psql($database, join(";\n", @facts) . ';');
}

my $node = ChurnOps::Cluster->start_new('primary');
$node->load_customers;
$node->safe_psql(
	'postgres', q{
	SELECT churnops_dataset('customers', 'SELECT * FROM customers', '{customer_id}', keep => true);
	SELECT churnops_train('churn', 'datasets:/customers/1', 'churn', '{"n_estimators": 5}', '{customer_id}');
	SELECT churnops_train('unkept', 'SELECT tenure, contract, churn FROM customers', 'churn', '{"n_estimators": 2}');
	UPDATE customers SET tenure = tenure + 1 WHERE contract = 'Two year';
	DELETE FROM customers WHERE customer_id = 'C0016';
	SELECT churnops_dataset('customers', 'SELECT * FROM customers', '{customer_id}', keep => true);
	SELECT churnops_dataset('short', 'SELECT tenure, churn FROM customers');
});
my $state = state_of($node, 'postgres');
my $folder = $node->basedir;
like($state, qr/^datasets:\/customers\/1\|t\|\{churn\/1\}$/m, 'a customer was in the first version');
like($state, qr/^datasets:\/customers\/2\|f\|\{\}$/m, 'and is not in the second');

my %restores = (
	plain => [ [ 'pg_dump', '-f', "$folder/plain.sql" ], [ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', "$folder/plain.sql" ] ],
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
	is(state_of($node, $format), $state, "$format: datasets are the same");
	$node->safe_psql($format, 'DROP TABLE customers');
	is( $node->safe_psql($format, q{SELECT reproduced, source, changes FROM churnops_reproduce('churn/1')}),
		't|copy|[]', "$format: the model is reproduced without its table");
	is( $node->safe_psql($format, q{SELECT count(*) FROM churnops_score('churn', 'datasets:/customers/2')}),
		'7042', "$format: and scores what was kept");
}

# The next version where the restored dataset stands.
$node->safe_psql('plain', 'CREATE TABLE customers AS SELECT 1 AS customer_id');
is( $node->safe_psql('plain', q{SELECT version, is_new FROM churnops_dataset('customers', 'customers')}),
	'3|t', 'versions go on after a restore');

# Copies are compressed, by lz4 where the server has it.
my $method = $node->safe_psql('postgres', q{SELECT string_agg(DISTINCT pg_column_compression(bytes), ' ') FROM churnops.dataset_rows});
like($method, qr/^(lz4|pglz)$/, "copies are compressed: $method");
cmp_ok($node->safe_psql('postgres', 'SELECT max(length(bytes)) FROM churnops.dataset_rows'), '<', 4 * 1024 * 1024, 'chunks are small');

# A cancelled registration leaves nothing.
my ($status, $output, $error) = $node->psql('postgres',
	q{SET statement_timeout = '300ms'; SELECT churnops_dataset('slow', 'SELECT i, pg_sleep(0.01)::text AS s FROM generate_series(1, 1000) AS i', '{i}', true)});
like($error, qr/statement timeout/, 'a registration can be cancelled');
is( $node->safe_psql('postgres', q{SELECT count(*) FROM churnops.named_dataset WHERE name = 'slow'}), '0', 'and leaves nothing');
($status, $output, $error) = $node->psql('postgres',
	q{SET temp_file_limit = '1MB'; SELECT churnops_dataset('large', 'SELECT i, random() AS x FROM generate_series(1, 200000) AS i', '{i}', true)});
like($error, qr/temp_file_limit/, 'temporary files obey their limit');

done_testing();
