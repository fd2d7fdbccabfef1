# A PostgreSQL::Test::Cluster with ChurnOps in it.
#
# Where the extension is loaded from comes by TEMP_CONFIG, which the base class
# reads (see scripts/test.sh); without it, from the server's own folders.
#
#	use ChurnOps::Cluster;
#	my $node = ChurnOps::Cluster->start_new('primary', allows_streaming => 1);
#	$node->load_customers;
#	is($node->safe_psql('postgres', 'SELECT ...'), ...);
#
# What a registry has to survive is compared by the scripts in test/registry:
#	$node->fill_registry;
#	my ($state, $predictions) = ($node->registry_state, $node->registry_predictions);
#	is(ChurnOps::Cluster::difference($node->registry_state, $state), '', 'nothing has changed');
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

	$node->run_script('examples/customers.sql', $database);
	return;
}

# What a script of the project prints; its own paths are those of the project's root.
sub run_script
{
	my ($node, $script, $database) = @_;

	return $node->safe_psql($database // 'postgres', "\\cd $root\n\\i $script");
}

# Models with history, rights and an import, and the table they are trained on.
sub fill_registry
{
	my ($node, $database) = @_;

	$node->run_script('test/registry/fill.sql', $database);
	return;
}

# Every fact of the registry, a line each.
sub registry_state
{
	my ($node, $database) = @_;

	return $node->run_script('test/registry/state.sql', $database);
}

# The lines that two lists of facts do not share.
sub difference
{
	my ($got, $expected) = @_;
	my (%got, %expected);

	$got{$_}++ foreach split /\n/, $got;
	$expected{$_}++ foreach split /\n/, $expected;
	return join "\n", (map { "+$_" } grep { !$expected{$_} } sort keys %got),
	  (map { "-$_" } grep { !$got{$_} } sort keys %expected);
}

# Facts without the positions of sequences, which replay may leave further on:
# they are logged ahead.
sub without_sequences
{
	my ($facts) = @_;

	return $facts =~ s/^\w+_seq\|.*\n?//gmr;
}

# What every reference predicts for the customers, to the last bit.
sub registry_predictions
{
	my ($node, $database) = @_;

	return $node->run_script('test/registry/predictions.sql', $database);
}

1;
