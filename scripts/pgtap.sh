#!/usr/bin/env bash
# prove's interpreter for test/pgtap: runs one file in a database of its own,
# which has pgTAP and ChurnOps.
set -euo pipefail
database=pgtap_$(basename "$1" .sql)
createdb "$database"
psql -X -q -d "$database" -v ON_ERROR_STOP=1 -c 'CREATE EXTENSION pgtap' -c 'CREATE EXTENSION churnops'
exec psql -X -q -A -t -P pager=off -v ON_ERROR_STOP=1 -d "$database" -f "$1"
