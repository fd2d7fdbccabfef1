#!/usr/bin/env bash
# Runs a pipeline and has the exit code that CI wants: 0 if the version was
# released, 1 if a gate rejected it, 2 if a stage failed, 3 if there was no run.
# Whatever came of it is kept in churnops.pipeline_runs.
#
#	examples/ci/release.sh churn.yaml [MODEL TARGET]
#
# The database is the one of PGHOST, PGDATABASE and so on, or PGSERVICE.
set -euo pipefail
file=${1:?usage: release.sh FILE [MODEL TARGET]}
commit=${GIT_COMMIT:-${GITHUB_SHA:-}}

report() {
	psql -X -q -v run="$1" <<-'SQL'
		SELECT stage, status, round(seconds::numeric, 1) AS seconds, message
		FROM churnops.pipeline_stages WHERE pipeline_run = :'run' ORDER BY place;
		SELECT gate, metric, slice_value AS slice, value, threshold, passed, message
		FROM churnops.gates WHERE pipeline_run = :'run' ORDER BY place;
	SQL
}

# One call, in one transaction that is committed whatever comes of it.
result=$(PGOPTIONS="${PGOPTIONS:-} -c churnops.code_version=$commit" \
	psql -X -q -A -t -v ON_ERROR_STOP=1 -v yaml="$(cat "$file")" -v model="${2:-}" -v target="${3:-}" <<-'SQL'
		SELECT pipeline_run, status, message
		FROM churnops_run(:'yaml', model => nullif(:'model', ''), target => nullif(:'target', ''));
	SQL
) || exit 3
IFS='|' read -r run status message <<<"$result"

report "$run"
echo "pipeline run $run $status: $message"
case $status in
	succeeded) exit 0 ;;
	rejected) exit 1 ;;
	*) exit 2 ;;
esac
