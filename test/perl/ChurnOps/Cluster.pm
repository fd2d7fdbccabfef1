# A PostgreSQL::Test::Cluster with ChurnOps in it.
#
# Where the extension is loaded from comes by TEMP_CONFIG, which the base class
# reads (see scripts/test.sh); without it, from the server's own folders.
#
#	use ChurnOps::Cluster;
#	my $node = ChurnOps::Cluster->start_new('primary', allows_streaming => 1);
#	$node->load_customers;
#	is($node->safe_psql('postgres', 'SELECT ...'), ...);
package ChurnOps::Cluster;

use strict;
use warnings;

use parent 'PostgreSQL::Test::Cluster';

use Cwd qw(abs_path);
use File::Basename qw(dirname);

my $root = abs_path(dirname(__FILE__) . '/../../..');

# A running server whose database postgres has the extension; what follows the
# name goes to init().
sub start_new
{
	my ($class, $name, %params) = @_;
	my $node = $class->new($name);

	$node->init(%params);
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION churnops');
	return $node;
}

# The example data as table customers: the file's columns after customer_id.
sub load_customers
{
	my ($node, $database) = @_;

	$node->safe_psql($database // 'postgres',
		"\\cd $root\n\\i examples/customers.sql");
	return;
}

1;
