# docs/data-quality.md against churnops_expectations(): each row of its tables as the table in SQL has it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../perl";
use ChurnOps::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = ChurnOps::Cluster->start_new('data_quality');
my $docs = slurp_file("$FindBin::Bin/../../docs/data-quality.md");

# The row that documents an expectation: its arguments, those in bold that must be given.
my @rows = split /\n/, $node->safe_psql('postgres', q{
	SELECT format('| `%s` | %s | %s |', expectation, (
		SELECT string_agg(format(CASE WHEN (k.value->>'required')::boolean THEN '**`%s`**' ELSE '`%s`' END, k.key),
			', ' ORDER BY NOT (k.value->>'required')::boolean, k.key)
		FROM jsonb_each(kwargs) AS k WHERE k.key NOT IN ('severity', 'meta', 'mostly')), help)
	FROM churnops_expectations()});

cmp_ok(scalar @rows, '>=', 50, 'there are expectations');
is(join("\n", grep { index($docs, "\n$_\n") < 0 } @rows), '', 'all documented as they are');
my @documented = $docs =~ /^\| `(expect_\w+)`/mg;
is(scalar @documented, scalar @rows, 'and no others');

done_testing();
