#!/usr/bin/env bash
# Writes test/golden/VERSION anew from the extension of that version, which has
# to be what CREATE EXTENSION makes here: see README.md.
#
#	test/golden/make.sh 0.1.0
set -euo pipefail
version=${1:?the version, as in 0.1.0}
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
folder=$root/test/golden/$version
made=$(mktemp -d "${TMPDIR:-/tmp}/churnops-golden.XXXXXX")
trap 'rm -rf "$made"' EXIT
chmod 777 "$made"
# shellcheck disable=SC2016
"$root/scripts/server.sh" bash -euc '
	psql="psql -X -q -v ON_ERROR_STOP=1"
	$psql -c "DROP EXTENSION churnops" -c "CREATE EXTENSION churnops VERSION \"$2\"" -f test/golden/make.sql
	pg_dump --data-only --no-owner $(psql -XAtc "SELECT string_agg(format(\$\$-t %s\$\$, c), \$\$ \$\$) FROM (
		SELECT unnest(extconfig)::regclass FROM pg_extension WHERE extname = \$\$churnops\$\$) AS e(c)") |
		grep -vE "^(--|SET |SELECT pg_catalog.set_config|\\\\(un)?restrict|$)" >"$1/registry.sql"
	pg_dump --no-owner --no-privileges -t golden | grep -vE "^(--|SET |SELECT pg_catalog.set_config|\\\\(un)?restrict|$)" >"$1/rows.sql"
	$psql -f test/golden/scores.sql >"$1/scores.txt"
' bash "$made" "$version"
mkdir -p "$folder"
cat "$made/registry.sql" >"$folder/registry.sql"
cat "$made/rows.sql" >"$folder/rows.sql"
cat "$made/scores.txt" >"$folder/scores.txt"
