# Scoring beyond one backend: parallel workers, a standby, and databases of
# other encodings say the same to the last bit.
use strict;
use warnings;

use ChurnOps::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# Version 1 predicts about 10, version 2 about 20; a churn model beside them.
my $models = q{
	SET client_min_messages = warning;
	SELECT churnops_train('steps', 'SELECT x, 10.0 + x % 2 AS y FROM generate_series(1, 100) AS x', 'y', '{"n_estimators": 2}');
	SELECT churnops_train('steps', 'SELECT x, 20.0 + x % 2 AS y FROM generate_series(1, 100) AS x', 'y', '{"n_estimators": 2}');
	CREATE TABLE rows AS SELECT x, x % 7 AS z FROM generate_series(1, 20000) AS x;
	ANALYZE rows;
};
my $served = q{SELECT (churnops_predict('steps', '{"x": 7}') / 10)::int};
my $sum = q{SELECT sum(hashint8((churnops_predict('steps', rows) * 1000)::bigint)::numeric) FROM rows};

my $node = ChurnOps::Cluster->start_new('primary', allows_streaming => 1);
$node->safe_psql('postgres', $models);
my $serial = $node->safe_psql('postgres', "SET max_parallel_workers_per_gather = 0; $sum");

# Parallel workers: each resolves the reference under the leader's snapshot.

my $parallel = q{
	SET max_parallel_workers_per_gather = 2;
	SET parallel_setup_cost = 0;
	SET parallel_tuple_cost = 0;
	SET min_parallel_table_scan_size = 0;
};
like($node->safe_psql('postgres', "$parallel EXPLAIN $sum"), qr/Parallel Seq Scan/, 'the plan is parallel');
like(
	$node->safe_psql('postgres', "$parallel EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) $sum"),
	qr/Workers Launched: [12]/, 'workers are launched');
is($node->safe_psql('postgres', "$parallel $sum"), $serial, 'workers predict the same');
is( $node->safe_psql('postgres', "$parallel SET parallel_leader_participation = off; $sum"),
	$serial, 'and alone');
is( $node->safe_psql(
		'postgres', qq{
		$parallel
		SET parallel_leader_participation = off;
		\\o /dev/null
		BEGIN;
		SELECT churnops_promote('steps/2');
		\\o
		SELECT min(floor(churnops_predict('steps', rows) / 10)), max(floor(churnops_predict('steps', rows) / 10)) FROM rows;
		ROLLBACK;
		SELECT min(floor(churnops_predict('steps', rows) / 10)), max(floor(churnops_predict('steps', rows) / 10)) FROM rows;}),
	"2|2\n1|1", 'workers see an own promotion that is not committed, and not after its rollback');
$node->safe_psql('postgres', q{CREATE ROLE stranger; GRANT SELECT ON rows TO stranger});
my ($result, $out, $error) = $node->psql('postgres',
	"$parallel SET parallel_leader_participation = off; SET ROLE stranger; $sum");
like($error, qr/model "steps" does not exist/, 'workers ask for the rights of the current role');

# A standby: reads only, sees a promotion when it has been replayed.

$node->backup('base');
my $standby = ChurnOps::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
is($standby->safe_psql('postgres', $sum), $serial, 'a standby predicts the same');
is($standby->safe_psql('postgres', $served), 1, 'and serves the champion');
$node->safe_psql('postgres', q{SELECT churnops_promote('steps/2')});
$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
is($standby->safe_psql('postgres', $served), 2, 'a promotion is served after its replay');
is( $standby->safe_psql(
		'postgres', q{SELECT count(*), min(version), max(version), min(arm) FROM churnops_score('steps', 'rows', '{x}')}),
	'20000|2|2|champion', 'churnops_score on a standby');
is( $standby->safe_psql(
		'postgres',
		q{SELECT metric, n FROM churnops_evaluate('steps/1', 'SELECT x, 10 AS y FROM rows') WHERE metric = 'mae'}),
	'mae|20000',
	'churnops_evaluate on a standby');
is( $standby->safe_psql(
		'postgres', qq{BEGIN ISOLATION LEVEL REPEATABLE READ; $served; $served; COMMIT; $served}),
	"2\n2\n2",
	'in transactions too');
($result, $out, $error) = $standby->psql('postgres', q{SELECT churnops_promote('steps/1')});
like($error, qr/churnops_promote\(\) cannot run on a standby/, 'promotions are refused there');
($result, $out, $error) = $standby->psql('postgres',
	q{SELECT churnops_train('steps', 'SELECT x, 1.0 * x AS y FROM rows', 'y')});
like($error, qr/churnops_train\(\) cannot run on a standby/, 'trainings too');

# Other encodings: the same bytes of model and data, and texts as they were.

my $umlauts = q{
	SET client_min_messages = warning;
	CREATE TABLE kunden AS
	SELECT i AS nr, i * 7919 % 72 AS "größe", (ARRAY['Köln', 'Münster', 'Orléans'])[1 + i % 3] AS stadt,
		CASE WHEN i * 7919 % 72 < 30 THEN 'überzeugt' ELSE 'zögernd' END AS kündigt
	FROM generate_series(1, 300) AS i;
	SELECT ref FROM churnops_train('kunden', 'SELECT nr, "größe", stadt, "kündigt" FROM kunden', 'kündigt',
		'{"n_estimators": 5}', key => '{nr}');
};
my $facts = q{
	SELECT artifact_digest, dataset_digest FROM churnops.versions WHERE model = 'kunden';
	SELECT md5(string_agg(float8send(churnops_predict('kunden', k))::text, ' ' ORDER BY nr)) FROM kunden AS k;
	SELECT md5(string_agg(float8send(churnops_predict('kunden', to_jsonb(k)))::text, ' ' ORDER BY nr)) FROM kunden AS k;
	SELECT churnops_predict_class('kunden', k), jsonb_object_keys(churnops_predict_proba('kunden', k)) FROM kunden AS k
	WHERE nr IN (1, 2, 3);
	SELECT class, count(*), min(key->>'stadt') FROM churnops_score('kunden', 'kunden', '{stadt}') GROUP BY class ORDER BY class;
	SELECT metric, class, value FROM churnops_evaluate('kunden', 'kunden') WHERE metric IN ('accuracy', 'support');
};

# How the facts look in a database of an encoding.
sub facts_of
{
	my ($encoding) = @_;
	my $database = lc "in_$encoding";

	$node->safe_psql('postgres',
		"CREATE DATABASE $database ENCODING '$encoding' LOCALE 'C' TEMPLATE template0");
	$node->safe_psql($database, "SET client_encoding = 'UTF8'; CREATE EXTENSION churnops; $umlauts");
	return $node->safe_psql($database, "SET client_encoding = 'UTF8'; $facts");
}

my $utf8 = facts_of('UTF8');
like($utf8, qr/überzeugt/, 'labels are texts');
is(facts_of('LATIN1'), $utf8, 'LATIN1 says what UTF8 says');
is(facts_of('LATIN9'), $utf8, 'LATIN9 too');
is(facts_of('SQL_ASCII'), $utf8, 'SQL_ASCII with texts in UTF-8 too');
is( $node->safe_psql(
		'in_sql_ascii',
		q{SELECT churnops_predict('kunden', to_jsonb(k)) = churnops_predict('kunden', k)
		  FROM (SELECT 1 AS "größe", E'K\xf6ln' AS stadt) AS k}),
	't',
	'SQL_ASCII with other texts is answered');
is( $node->safe_psql(
		'in_sql_ascii',
		q{SELECT churnops_predict('kunden', k) = churnops_predict('kunden', j)
		  FROM (SELECT 1 AS "größe", E'K\xf6ln' AS stadt) AS k, (SELECT 1 AS "größe", 'Köln' AS stadt) AS j}),
	't',
	'as if they were LATIN1');

done_testing();
