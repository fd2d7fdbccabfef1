# docs/reference.md against the catalogue: nothing that a user can reach is undocumented.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../perl";
use ChurnOps::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = ChurnOps::Cluster->start_new('reference');
my $docs = slurp_file("$FindBin::Bin/../../docs/reference.md");

sub documented
{
	my ($what, $query, $pattern) = @_;
	my @names = split /\n/, $node->safe_psql('postgres', $query);

	cmp_ok(scalar @names, '>', 0, "$what: there are some");
	my @missing = grep { my $name = $_; $docs !~ $pattern->($name) } @names;
	is("@missing", '', "$what: all documented");
}

documented('functions', q{
	SELECT DISTINCT p.proname FROM pg_proc p
	JOIN pg_depend d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
	JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'churnops'
	WHERE p.pronamespace = 'public'::regnamespace ORDER BY 1},
	sub { qr/^\Q$_[0]\E\(/m });

documented('arguments and results', q{
	SELECT DISTINCT p.proname || ' ' || a.name FROM pg_proc p
	JOIN pg_depend d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
	JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'churnops',
	unnest(p.proargnames) a(name)
	WHERE p.pronamespace = 'public'::regnamespace ORDER BY 1},
	sub {
		my ($function, $argument) = split / /, $_[0];
		# inside the signature, which ends with a blank line or the end of the block
		qr/^\Q$function\E\((?:(?!\n\n|```).)*\b\Q$argument\E\b/ms;
	});

documented('columns of views', q{
	SELECT c.relname || ' ' || a.attname FROM pg_class c
	JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
	WHERE c.relnamespace = 'churnops'::regnamespace AND c.relkind = 'v' ORDER BY 1},
	sub {
		my ($view, $column) = split / /, $_[0];
		qr/^\| `churnops\.\Q$view\E` \|.*`\Q$column\E`/m;
	});

documented('settings', q{
	LOAD '$libdir/churnops'; SELECT name FROM pg_settings WHERE name LIKE 'churnops.%' ORDER BY 1},
	sub { qr/^\| `\Q$_[0]\E` \|/m });

documented('parameters', q{
	SELECT name FROM churnops_parameters() ORDER BY 1},
	sub { qr/^\| `\Q$_[0]\E` \|/m });

done_testing();
