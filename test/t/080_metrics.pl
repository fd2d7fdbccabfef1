# Metrics as aggregates: parallel plans give the bits of serial ones, and
# scikit-learn, where it is installed, gives the same numbers.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../perl";
use ChurnOps::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = ChurnOps::Cluster->start_new('metrics');

# Ties, weights that are no round numbers, NULLs, three classes.
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE scored AS
SELECT i AS id, i % 7 AS part, CASE WHEN i % 50 > 0 THEN abs(hashint4(i)) % 3 = 0 END AS y,
	CASE WHEN i % 49 > 0 THEN (abs(hashint4(i + 7)) % 1000) / 1000.0::float8 END AS p,
	(abs(hashint4(i + 9)) % 1000003) / 1000003.0::float8 AS fine,
	(1 + abs(hashint4(i + 11)) % 100) / 10.0::float8 AS w,
	chr(97 + abs(hashint4(i)) % 3) AS label, chr(97 + abs(hashint4(i + 13)) % 3) AS predicted,
	ln(1 + abs(hashint4(i + 15)) % 1000)::float8 AS target, exp(abs(hashint4(i + 17)) % 100 / 30.0)::float8 AS value,
	jsonb_build_object('a', 0.5, 'b', abs(hashint4(i + 19)) % 500 / 1000.0,
		'c', 0.5 - abs(hashint4(i + 19)) % 500 / 1000.0) AS proba
FROM generate_series(1, 40000) AS i;
ALTER TABLE scored SET (parallel_workers = 3);
ANALYZE scored;
SQL

# Every aggregate once without and once with weights.
my @of_score = map { ("churnops_$_(y, p)", "churnops_$_(y, fine, w)", "churnops_$_(label, fine, 'b'::text, w)") }
  qw(roc_auc average_precision gini ks ks_threshold log_loss brier brier_skill roc_curve precision_recall_curve lift_table);
my @of_bins = map {
	("churnops_$_(y, p)", "churnops_$_(y, fine, 20)", "churnops_$_(y, p, 9, 'quantile'::text)",
		"churnops_$_(y, fine, 7, 'uniform'::text, w)", "churnops_$_(y, fine, 7, 'quantile'::text, w)")
} qw(calibration_curve ece mce);
my @of_class = map { ("churnops_$_(label, predicted)", "churnops_$_(label, predicted, w)") }
  qw(accuracy balanced_accuracy mcc confusion cohen_kappa);
my @of_average = map {
	my $average = $_;
	("churnops_precision(label, predicted, '$average'::text)", "churnops_recall(label, predicted, '$average'::text, w)",
		"churnops_specificity(label, predicted, '$average'::text, w)", "churnops_f1(label, predicted, '$average'::text)",
		"churnops_fbeta(label, predicted, 2, '$average'::text, w)")
} qw(macro weighted micro);
my @of_number = map { ("churnops_$_(target, value)", "churnops_$_(target, value, w)") }
  qw(mse rmse mae r2 median_ae mape smape wape msle rmsle poisson_deviance);
my @of_rule = map { ("churnops_threshold(y, p, '$_'::jsonb)", "churnops_threshold(y, fine, '$_'::jsonb, w)") }
  ('"f1"', '"mcc"', '"youden"', '"profit"', '"emp"', '{"rule": "cost", "fp": 1, "fn": 4}',
	'{"rule": "capacity", "share": 0.2}', '{"rule": "recall", "at_least": 0.7}');
my @other = (
	"churnops_lift(y, p)", "churnops_lift(y, p, 0.2)", "churnops_lift(y, fine, 0.2, w)",
	"churnops_cohen_kappa(label, predicted, 'quadratic'::text, w)",
	"churnops_f1(label = 'a', predicted = 'a', 'binary'::text, 'true'::text)",
	"churnops_pinball(target, value, 0.3)", "churnops_pinball(target, value, 0.3, w)",
	map { ("churnops_$_(label, proba)", "churnops_$_(label, proba, w)") }
	  qw(log_loss brier roc_auc average_precision));
my @calls = (@of_score, @of_bins, @of_class, @of_average, @of_number, @of_rule, @other);

# All results of a query, a line each; text has every digit of a float8.
sub results
{
	my ($settings, $from) = @_;
	my $columns = join ', ', map { "($_)::text" } @calls;

	return [split /\|/, $node->safe_psql('postgres', "SET client_min_messages = warning; $settings SELECT $columns FROM $from")];
}

my $serial = results('SET max_parallel_workers_per_gather = 0;', 'scored');
my $parallel = "SET max_parallel_workers_per_gather = 3; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;";

my $plan = $node->safe_psql('postgres', "$parallel EXPLAIN SELECT churnops_roc_auc(y, p), churnops_log_loss(y, p), "
	  . "churnops_f1(label, predicted, 'macro'), churnops_roc_auc(label, proba) FROM scored");
like($plan, qr/Partial Aggregate.*Parallel Seq Scan/s, 'aggregates have parallel plans');

my $merged = results($parallel, 'scored');
my $shuffled = results('SET max_parallel_workers_per_gather = 0; SET work_mem = \'64MB\';', '(SELECT * FROM scored ORDER BY hashint4(id * 31)) AS s');
for my $i (0 .. $#calls)
{
	isnt($serial->[$i], '', "$calls[$i] is defined");
	is($merged->[$i], $serial->[$i], "$calls[$i]: workers give the same bits");
	is($shuffled->[$i], $serial->[$i], "$calls[$i]: another order gives the same bits");
}

# What a worker hands over is told from what others saw.
my ($status, $out, $err) = $node->psql('postgres', "$parallel SELECT churnops_lift(y, p, id / 50000.0 + 0.1) FROM scored");
like($err, qr/ERROR:  argument "share" must be the same in all rows of a group/, 'an option that varies is refused');
($status, $out, $err) = $node->psql('postgres', "SET churnops.training_memory = '16MB'; SELECT churnops_roc_auc(i % 3 = 0, i, 1.5) FROM generate_series(1, 2000000) AS i");
like($err, qr/ERROR:  rows to be ranked need more than \d+ MB of memory, churnops.training_memory is 16 MB/, 'memory is bounded');
is($node->safe_psql('postgres', "SET churnops.training_memory = '16MB'; SELECT churnops_roc_auc(i % 3 = 0, i % 1000) IS NOT NULL FROM generate_series(1, 2000000) AS i"),
	't', 'equal scores take room once');

SKIP:
{
	my $python = '/usr/bin/python3';

	skip 'python3 has no scikit-learn', 1 if system("$python -c 'import sklearn, scipy' 2>/dev/null") != 0;
	my $cases = $ENV{METRIC_CASES} // 500;
	my $script = "$FindBin::Bin/../oracle/metrics.py";
	my $folder = PostgreSQL::Test::Utils::tempdir();

	system_or_bail($python, '-B', $script, 'make', $folder, $cases);
	$node->safe_psql('postgres', "\\cd $folder\n\\i $folder/metrics.sql\n");
	my $report = `$python -B $script compare $folder 2>&1`;
	is($?, 0, "scikit-learn agrees on $cases random cases") or diag($report);
	note($report);
}

done_testing();
