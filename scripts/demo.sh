#!/usr/bin/env bash
# Trains, scores and explains on the example data, in a private server that is
# gone afterwards.  The statements are those of examples/demo.sql.
set -euo pipefail
# shellcheck source=scripts/server.sh
. "$(dirname "${BASH_SOURCE[0]}")/server.sh"

"$root/scripts/deps.sh" build
say 'Building, and starting a private PostgreSQL that is removed at the end ...'
server_prepare
server_install
server_start
server_run createdb demo
server_run psql -X -q -d demo -v ON_ERROR_STOP=1 -f examples/demo.sql
