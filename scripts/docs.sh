#!/usr/bin/env bash
# Writes the parts of docs/ that are made of the table of pipelines: the keys in
# docs/pipeline.md, between its marks, and docs/pipeline.schema.json.
set -euo pipefail
# shellcheck source=scripts/server.sh
. "$(dirname "${BASH_SOURCE[0]}")/server.sh"

ask() { server_run psql -X -A -t -q -v ON_ERROR_STOP=1 "$@"; }

"$root/scripts/deps.sh" build
server_prepare
server_install
server_start
ask -c 'CREATE EXTENSION churnops'
ask -c 'SELECT jsonb_pretty(churnops_pipeline_schema())' >"$server_dir/schema"
ask -f scripts/pipeline-keys.sql >"$server_dir/keys"
awk -v keys="$server_dir/keys" '
	/^<!-- keys -->$/ { print; while ((getline line <keys) > 0) print line; inside = 1 }
	/^<!-- end of keys -->$/ { inside = 0 }
	!inside' "$root/docs/pipeline.md" >"$server_dir/page"
cat "$server_dir/schema" >"$root/docs/pipeline.schema.json"
cat "$server_dir/page" >"$root/docs/pipeline.md"
