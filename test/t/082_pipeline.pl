# Pipelines as CI runs them: the short file with CSV and folder, the shell script's
# exit codes, what is kept after an error, privileges on files, and a cancel.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../perl";
use ChurnOps::Cluster;
use Cwd qw(abs_path);
use File::Path qw(make_path);
use PostgreSQL::Test::Utils;
use Test::More;

my $root = abs_path("$FindBin::Bin/../..");
my $node = ChurnOps::Cluster->start_new('pipeline');
my $folder = PostgreSQL::Test::Utils::tempdir();

$node->load_customers;
$node->safe_psql('postgres', "CREATE ROLE churnops_plain LOGIN; GRANT SELECT ON customers TO churnops_plain;
	COPY (SELECT churn, tenure, contract, monthly_charges, tech_support FROM customers ORDER BY customer_id) TO '$folder/customers.csv' (FORMAT csv, HEADER)");

# The file of the issue, with the two paths put in.
my $short = <<"YAML";
data_path: "$folder/customers.csv"
model_output_path: "file://$folder/models/churn_model"
model_version: "v2"
hyperparameters:
  n_estimators: 20
  max_depth: 12
evaluation_metrics:
  accuracy_threshold: 0.75
YAML

sub literal { my ($text) = @_; return "\$yaml\$$text\$yaml\$"; }

# One statement by psql: exit code, standard output and standard error.
sub call
{
	my ($yaml, $arguments, @options) = @_;
	my ($out, $err);
	my $code = $node->psql('postgres', 'CALL churnops_run_pipeline(' . literal($yaml) . "$arguments)",
		stdout => \$out, stderr => \$err, on_error_stop => 1, @options);

	return ($code, $out, $err);
}

my ($code, $out, $err) = call($short, ", model => 'churn', target => 'churn'");
is($code, 0, 'the short file runs');
like($out, qr{^1\|succeeded\|churn/1\|version 1 of model "churn": passed 2 gates; approved, and champion as the first version; has the alias v2; saved to $folder/models/churn_model/v2; serves as champion already$},
	'and says what became of it');
is( $node->safe_psql('postgres', "SELECT string_agg(stage || ' ' || status, ', ' ORDER BY place) FROM churnops.pipeline_stages"),
	'check succeeded, load succeeded, data succeeded, train succeeded, evaluate succeeded, gates succeeded, approve succeeded, alias succeeded, save succeeded, deploy skipped',
	'stages');
ok(-f "$folder/models/churn_model/v2/$_", "$_ is written") foreach qw(model.json MODEL_CARD.md metadata.json);
is( $node->safe_psql('postgres', "SELECT version, aliases, status FROM churnops.versions WHERE model = 'churn'"),
	'1|{champion,v2}|approved', 'version, aliases, status');
is( $node->safe_psql('postgres', "SELECT pipeline_run FROM churnops.lineage WHERE model = 'churn'"), '1', 'the lineage names the run');

($code, $out, $err) = call($short, ", model => 'churn', target => 'churn'");
is($code, 3, 'an alias that is taken is an error');
like($err, qr/ERROR:  pipeline run 2 failed in stage "check": alias "v2" of model "churn" is taken by version 1/, 'that says so');
is( $node->safe_psql('postgres', "SELECT status, stage, error->>'sqlstate' FROM churnops.pipeline_runs WHERE pipeline_run = 2"),
	'failed|check|42710', 'and is kept');
is($node->safe_psql('postgres', "SELECT count(*) FROM churnops.versions"), '1', 'nothing was trained');

($code, $out, $err) = call($short =~ s/"v2"/"v3"/r =~ s/0\.75/0.99/r, ", model => 'churn', target => 'churn'");
is($code, 3, 'a threshold that is not passed is an error');
like($err, qr/ERROR:  pipeline run 3 rejected in stage "gates": accuracy is 0\.\d+, not above 0\.99\nDETAIL:  leakage: .*\nabsolute: accuracy is 0\.\d+, not above 0\.99 \(refused\)/, 'with the numbers');
is( $node->safe_psql('postgres', "SELECT status, version FROM churnops.pipeline_runs WHERE pipeline_run = 3"), 'rejected|2', 'the run is kept');
is( $node->safe_psql('postgres', "SELECT version, status, aliases FROM churnops.versions WHERE version = 2"), '2|rejected|{}', 'and the version rejected');
ok(!-e "$folder/models/churn_model/v3", 'no folder is written');

($code, $out, $err) = call($short =~ s/"v2"/"v3"/r =~ s{"$folder}{"s3://bucket}r, ", model => 'churn', target => 'churn'");
like($err, qr/ERROR:  pipeline run 4 failed in stage "load": locations of scheme "s3" are not supported\nDETAIL:  The location is "s3:\/\/bucket\/customers.csv"/, 's3 is refused by its name');

# What the folder's parent refuses undoes the release, and leaves the version pending.
make_path("$folder/models/closed");
append_to_file("$folder/models/closed/v4", 'a file');
($code, $out, $err) = call($short =~ s/"v2"/"v4"/r =~ s/churn_model/closed/r, ", model => 'churn', target => 'churn'");
like($err, qr/failed in stage "check"/, 'a folder that is there is refused before the training');
append_to_file("$folder/models/blocked", 'a file');
($code, $out, $err) = call($short =~ s/"v2"/"v5"/r =~ s/churn_model/blocked/r, ", model => 'churn', target => 'churn'");
like($err, qr/failed in stage "save"/, 'what cannot be written fails');
is( $node->safe_psql('postgres', "SELECT string_agg(stage || ' ' || status, ', ' ORDER BY place) FROM churnops.pipeline_stages
	WHERE pipeline_run = (SELECT max(pipeline_run) FROM churnops.pipeline_runs) AND place > 5"),
	'gates succeeded, approve undone, alias undone, save failed, deploy skipped', 'the release is undone as one');
is( $node->safe_psql('postgres', "SELECT status, aliases FROM churnops.versions ORDER BY version DESC LIMIT 1"), 'pending|{}', 'the version is pending');
is( $node->safe_psql('postgres', "SELECT passed FROM churnops.verdict ORDER BY verdict DESC LIMIT 1"), 't', 'its verdict is kept');

# Files are for members of the server's own roles.
($code, $out, $err) = call($short =~ s/"v2"/"v6"/r, ", model => 'plain', target => 'churn'", extra_params => [ '-U', 'churnops_plain' ]);
like($err, qr/ERROR:  pipeline run \d+ failed in stage "check": permission denied to write files of the server/, 'a plain role writes no files');
($code, $out, $err) = call($short =~ s/model_output_path.*\n//r =~ s/model_version.*\n//r, ", model => 'plain', target => 'churn'",
	extra_params => [ '-U', 'churnops_plain' ]);
like($err, qr/ERROR:  pipeline run \d+ failed in stage "load": permission denied to read files of the server/, 'nor reads them');
($code, $out, $err) = call("model: plain\ntarget: churn\ndata: {query: SELECT * FROM customers, key: [customer_id]}\nhyperparameters: {n_estimators: 10}\n", '',
	extra_params => [ '-U', 'churnops_plain' ]);
is($code, 0, 'a query is for everybody who may read the table');
is( $node->safe_psql('postgres', "SELECT owner FROM churnops.models WHERE name = 'plain'"), 'churnops_plain', 'and the model is of the role');

# The script of examples/ci.
sub release
{
	my ($yaml) = @_;
	my $file = "$folder/pipeline.yaml";
	my ($stdout, $stderr);

	unlink $file;
	append_to_file($file, $yaml);
	local $ENV{PGHOST} = $node->host;
	local $ENV{PGPORT} = $node->port;
	local $ENV{PGDATABASE} = 'postgres';
	local $ENV{GIT_COMMIT} = '4f5e6d7';
	IPC::Run::run([ 'bash', "$root/examples/ci/release.sh", $file ], '>', \$stdout, '2>', \$stderr);
	return ($? >> 8, $stdout, $stderr);
}
my $ci = slurp_file("$root/examples/ci/churn.yaml") =~ s/n_estimators: 100/n_estimators: 30/r =~ s/model: churn/model: ci/r;

($code, $out, $err) = release($ci);
is($code, 0, 'released');
like($out, qr/pipeline run \d+ succeeded: version 1 of model "ci": passed \d+ gates; approved, and champion as the first version/, 'as the script says');
is( $node->safe_psql('postgres', "SELECT code_version FROM churnops.pipeline_runs ORDER BY pipeline_run DESC LIMIT 1"), '4f5e6d7', 'with the commit');
($code, $out, $err) = release($ci);
is($code, 0, 'released again: as good as the champion, which it is equal to');
($code, $out, $err) = release($ci =~ s/min: 0\.8\}/min: 0.95}/r);
is($code, 1, 'rejected');
like($out, qr/rejected in stage "gates": roc_auc is 0\.\d+, less than 0\.95/, 'with the reason');
($code, $out, $err) = release($ci =~ s/max_value: 100, mostly: 0.99/max_value: 10, severity: critical/r);
is($code, 1, 'rejected by the data');
like($out, qr/rejected in stage "validate"/, 'before training');
($code, $out, $err) = release($ci =~ s/FROM customers/FROM clients/r);
is($code, 2, 'failed');
like($out, qr/failed in stage "data": relation "clients" does not exist/, 'with the error');
($code, $out, $err) = release($ci =~ s/strategy:/stratgy:/r);
is($code, 3, 'no run');
like($err, qr/line \d+, column \d+: unknown key "stratgy"/, 'since the file has an error');

# Cancelled: no run is left, and nothing else.
my $before = $node->safe_psql('postgres', 'SELECT count(*) FROM churnops.pipeline_runs');
($code, $out, $err) = $node->psql('postgres', "SET statement_timeout = '300ms'; SELECT status FROM churnops_run(" . literal(
	"model: slow\ntarget: churn\ndata: {query: 'SELECT c.*, pg_sleep(0.001) IS NULL AS s FROM customers AS c'}\n") . ')');
like($err, qr/canceling statement due to statement timeout/, 'a cancel is not swallowed');
is($node->safe_psql('postgres', 'SELECT count(*) FROM churnops.pipeline_runs'), $before, 'and leaves no run');

# The other example can be read as it stands.
is( $node->safe_psql('postgres', "SELECT churnops_check_pipeline(" . literal(slurp_file("$root/examples/ci/short.yaml")) . ") #>> '{output,alias}'"),
	'v1', 'examples/ci/short.yaml');

is($node->safe_psql('postgres', 'SELECT * FROM churnops_verify()'), '', 'the registry is sound');

done_testing();
