#!/usr/bin/env bash
# Benchmarks against scikit-learn, in a private server.
#
#	scripts/bench.sh					speed: training and scoring, interleaved runs
#	scripts/bench.sh accuracy [SET...]	quality on identical rows, over seeds
#	scripts/bench.sh cancel				how soon a training stops
#	scripts/bench.sh phases [ROWS TREES DEPTH]	the phases of a training, without a server
#	scripts/bench.sh scoring [NAME=VALUE...]	scoring per instruction set, without a server
#
# What follows the name goes to bench/NAME.py; --help lists it.  CHURNOPS_DATA
# names a folder with more data sets.
set -euo pipefail
# shellcheck source=scripts/server.sh
. "$(dirname "${BASH_SOURCE[0]}")/server.sh"

name=${1:-speed}
[ $# -eq 0 ] || shift

if [ "$name" = phases ]; then
	"$root/scripts/deps.sh" build
	mkdir -p "$root/build"
	"${CC:-cc}" -std=gnu11 -O3 -ffp-contract=off -I"$root/src" -o "$root/build/grow_bench" \
		"$root/bench/grow_bench.c" "$root"/src/core/*.c "$root"/src/forest/*.c -lm
	exec "$root/build/grow_bench" "$@"
fi

if [ "$name" = scoring ]; then
	"$root/scripts/deps.sh" build
	mkdir -p "$root/build"
	"${CC:-cc}" -std=gnu11 -O3 -ffp-contract=off -I"$root/src" -o "$root/build/score_bench" \
		"$root/bench/score_bench.c" "$root"/src/core/*.c "$root"/src/forest/*.c -lm
	exec "$root/build/score_bench" "$@"
fi

[ -f "$root/bench/$name.py" ] || die "there is no bench/$name.py"
"$root/scripts/deps.sh" build bench
server_prepare
server_install
server_start
cp -R "$root/bench" "$server_dir/work"
if [ -n "${CHURNOPS_DATA-}" ]; then
	cp -R "$CHURNOPS_DATA" "$server_dir/work/data"
	chmod -R a+rX "$server_dir/work/data"
	export CHURNOPS_DATA=$server_dir/work/data
fi
server_run createdb bench
export PGDATABASE=bench
server_run psql -X -q -v ON_ERROR_STOP=1 -c 'CREATE EXTENSION churnops' \
	-c "ALTER SYSTEM SET shared_buffers = '1GB'" -c "ALTER SYSTEM SET max_wal_size = '8GB'"
quietly server_run "$server_bin/pg_ctl" restart -D "$server_dir/out/data" -w -l "$server_dir/out/server.log"
server_run /usr/bin/python3 "bench/$name.py" "$@"
