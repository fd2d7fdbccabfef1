# The checker of pipelines, its documentation and its JSON Schema say the same.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../perl";
use ChurnOps::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $root = "$FindBin::Bin/../..";
my $cases = "$root/test/pipelines/cases.txt";
my @examples = glob "$root/examples/pipeline-*.yaml";
my $node = ChurnOps::Cluster->start_new('pipeline');

# ok, or SQLSTATE and message
$node->safe_psql('postgres', q{
	CREATE FUNCTION answer(yaml text) RETURNS text LANGUAGE plpgsql AS $$
	BEGIN
		PERFORM churnops_check_pipeline(yaml);
		RETURN 'ok';
	EXCEPTION WHEN OTHERS THEN
		RETURN sqlstate || ' ' || sqlerrm;
	END $$});

sub answers
{
	my @texts = @_;
	my $query = join '', map { "SELECT answer(\$case\$$_\$case\$);\n" } @texts;

	return split /\n/, $node->safe_psql('postgres', $query);
}

# Every case

my (undef, @parts) = split /^### /m, slurp_file($cases);
my @expected = map { /^~?(.*)\n/ ? $1 : die "no answer in $_" } @parts;
my @got = answers(map { s/^.*\n//r } @parts);

cmp_ok(scalar @parts, '>', 100, 'cases');
is($got[$_], $expected[$_], "case " . ($_ + 1)) foreach 0 .. $#expected;

# Examples

cmp_ok(scalar @examples, '>=', 2, 'examples');
is((answers(slurp_file($_)))[0], 'ok', $_ =~ s{.*/}{}r) foreach @examples;

# What is made of the table

is(slurp_file("$root/docs/pipeline.schema.json"),
	$node->safe_psql('postgres', 'SELECT jsonb_pretty(churnops_pipeline_schema())') . "\n",
	'docs/pipeline.schema.json is up to date: else run make docs');
my ($keys) = slurp_file("$root/docs/pipeline.md") =~ /<!-- keys -->\n(.*)<!-- end of keys -->/s;
is($keys, $node->run_script('scripts/pipeline-keys.sql') . "\n",
	'docs/pipeline.md is up to date: else run make docs');

# The schema and the checker

my ($out, $err) = ('', '');
my $ran = IPC::Run::run [ 'python3', "$root/test/pipelines/validate.py",
	"$root/docs/pipeline.schema.json", $cases, @examples ], '>', \$out, '2>', \$err;
SKIP:
{
	skip 'python3 has no yaml or jsonschema', 1 if $? >> 8 == 2;
	ok($ran, 'a valid schema') or diag($err);
	my @lines = map { [ split /\t/ ] } split /\n/, $out;
	is(scalar @lines, @parts + @examples, 'each case');
	my @differ = map { 'case ' . ($_ + 1) . ": $lines[$_][3] (schema: $lines[$_][1])" }
		grep { $lines[$_][2] eq 'agree' && $lines[$_][0] ne $lines[$_][1] } 0 .. $#lines;
	is(join("\n", @differ), '', 'the schema allows and refuses what the checker does');
}

done_testing();
