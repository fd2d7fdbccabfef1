# One model alone from database to database, by the commands of docs/operations.md.
use strict;
use warnings;

use ChurnOps::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = ChurnOps::Cluster->start_new('main');
$node->fill_registry;
my $bits = q{SELECT md5(string_agg(float8send(churnops_predict('churn', c))::text, ' ' ORDER BY customer_id)) FROM customers AS c};
my $expected = $node->safe_psql('postgres', $bits);
my $digest = $node->safe_psql('postgres', q{SELECT artifact_digest FROM churnops.versions WHERE model = 'churn' AND version = 2});

sub new_database
{
	my ($name, $options) = @_;

	$node->safe_psql('postgres', "CREATE DATABASE $name " . ($options // ''));
	$node->safe_psql($name, 'CREATE EXTENSION churnops');
	$node->load_customers($name);
	return;
}

new_database($_) foreach qw(piped variable copied);
$ENV{$_->[0]} = $_->[1] foreach ([ PGHOST => $node->host ], [ PGPORT => $node->port ], [ PGCLIENTENCODING => 'UTF8' ]);

my $pipe = q{psql -Xqc "COPY (SELECT churnops_export('churn')) TO STDOUT" postgres |
	psql -Xq -v ON_ERROR_STOP=1 -c 'CREATE TEMP TABLE moved (document text)' -c '\copy moved FROM pstdin' \
		-c 'SELECT i.* FROM moved, churnops_import(document) AS i' piped >/dev/null};
is(system('bash', '-c', $pipe), 0, 'by one pipe');

my $one = q{
	SELECT churnops_export('churn') AS document \gset
	\c variable
	SELECT ref FROM churnops_import(:'document');
};
like($node->safe_psql('postgres', $one), qr/^churn\/1$/m, 'by one psql and a variable');

my $file = $node->basedir . '/churn.json';
$node->safe_psql('postgres', "\\copy (SELECT churnops_export('churn')) TO '$file'");
$node->safe_psql('copied', "CREATE TABLE inbox (document text);\n\\copy inbox FROM '$file'\nSELECT ref FROM inbox, churnops_import(document)");

foreach my $database (qw(piped variable copied))
{
	is($node->safe_psql($database, $bits), $expected, "$database: predictions are the same to the last bit");
	is( $node->safe_psql(
			$database, q{SELECT v.artifact_digest, i.source_database, i.source_model, i.source_version
			FROM churnops.versions AS v JOIN churnops.imports AS i USING (model, version)}),
		"$digest|postgres|churn|2",
		"$database: and so is the artifact");
	is( $node->safe_psql($database, q{SELECT query, dataset_digest, params FROM churnops.lineage}),
		$node->safe_psql('postgres', q{SELECT query, dataset_digest, params FROM churnops.lineage WHERE model = 'churn' AND version = 2}),
		"$database: with its lineage");
}

# Texts that are written in another encoding there, or cannot be.
my $umlauts = q{
	SET client_min_messages = warning;
	SELECT ref FROM churnops_train('kunden', $$SELECT i AS "größe", (ARRAY['Köln', 'Münster', 'Orléans'])[1 + i % 3] AS stadt,
		CASE WHEN i % 3 = 1 OR i % 40 < 9 THEN 'überzeugt' ELSE 'zögernd' END AS kunde FROM generate_series(1, 300) AS i$$, 'kunde',
		'{"n_estimators": 5, "class_weight": {"überzeugt": 2, "zögernd": 1}}');
};
my $kunden = q{SELECT string_agg(float8send(churnops_predict('kunden', r))::text, ' ' ORDER BY r.x), string_agg(churnops_predict_class('kunden', r), ' ' ORDER BY r.x)
	FROM (SELECT i AS x, i AS "größe", (ARRAY['Köln', 'Münster', 'Orléans'])[1 + i % 3] AS stadt FROM generate_series(1, 50) AS i) AS r};
new_database('latin', q{ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0});
$node->safe_psql('postgres', $umlauts);
is(system('bash', '-c', $pipe =~ s/'churn'/'kunden'/r =~ s/piped/latin/r), 0, 'into a database of another encoding');
is($node->safe_psql('latin', $kunden), $node->safe_psql('postgres', $kunden), 'latin: predictions and labels are the same');

done_testing();
