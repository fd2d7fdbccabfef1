#!/usr/bin/env bash
# Benchmarks, in a private server unless said otherwise.
#
#	scripts/bench.sh				the short run: training, scoring, points; 10 minutes
#	scripts/bench.sh full			everything that docs/performance.md shows; 75 minutes.
#									One that was broken off goes on where it was, if the
#									sources are the same; ANEW=1 measures all again.  Ctrl-C,
#									or SIGTERM to its process group, ends it
#	scripts/bench.sh accept			what full wrote becomes docs/performance/*.jsonl, and the
#									tables and plots of docs/performance.md are made anew
#	scripts/bench.sh report			only the latter
#
#	scripts/bench.sh training|scoring|points|scaling|memory [OPTION...]	one part of full; its
#									rows take the place of those that are there
#	scripts/bench.sh accuracy [SET...]	quality on identical rows, over seeds
#	scripts/bench.sh cancel			how soon a training stops
#	scripts/bench.sh load_csv [--megabytes 1000]	a large CSV file, beside COPY
#	scripts/bench.sh routing			what deployments cost a prediction
#	scripts/bench.sh metrics			what metric aggregates cost beside corr()
#	scripts/bench.sh tuning [OPTION...]	a random search beside RandomizedSearchCV; with all trials
#									an hour and more
#	scripts/bench.sh registry [OPTION...]	100,000 versions, 1,000,000 alias events: first calls, dump
#
#	scripts/bench.sh phases [ROWS TREES DEPTH]	the phases of a training, without a server
#	scripts/bench.sh walks [NAME=VALUE...]	scoring per instruction set, without a server
#	scripts/bench.sh micro [ROWS TREES]	the inner loops, on every instruction set
#	scripts/bench.sh counts [--accept]	their instructions, see scripts/counts.sh
#
# What follows a name goes to bench/NAME.py; --help lists it.  Progress goes to
# stderr, results to build/bench, those of the short run to build/bench/short.
# What fails is told at the end and does not keep the rest from running.
# CHURNOPS_DATA names a folder with more data sets.
# Current scikit-learn, LightGBM and XGBoost are installed into a folder that is
# removed at the end, where Python's package registry is reachable;
# PEERS_PYTHON names an interpreter that has them, PEERS_PYTHON=none leaves
# them out.  PEERS_RANGER=1 adds R's ranger, as full does.
set -euo pipefail
# shellcheck source=scripts/server.sh
. "$(dirname "${BASH_SOURCE[0]}")/server.sh"

name=${1:-short}
[ $# -eq 0 ] || shift
folder=$root/build
results=$folder/bench

# A C benchmark that needs no server.
compile() {
	"$root/scripts/deps.sh" build
	mkdir -p "$folder"
	"${CC:-cc}" -std=gnu11 -O3 -fno-trapping-math -ffp-contract=off -I"$root/src" -o "$folder/$1" \
		"$root/bench/$1.c" "$root"/src/core/*.c "$root"/src/forest/*.c -lm
}

# The inner loops by level; a level that the processor lacks is named by the one used instead.
micro() {
	local kernel level
	for kernel in append bin grow assemble decode encode walk walk-row; do
		for level in portable avx2 avx512; do
			"$folder/micro" "$kernel" "$level" "${1:-100000}" "${2:-100}"
		done | LC_ALL=C sort -u -t "$(printf '\t')" -k 2,2
	done
}

# Current libraries, for the server's user.
install_peers() {
	local python=$server_dir/out/peers/bin/python
	[ "${PEERS_PYTHON-}" != none ] || { unset PEERS_PYTHON; return 0; }
	[ -z "${PEERS_PYTHON-}" ] || return 0
	say 'installing current scikit-learn, LightGBM and XGBoost'
	if server_run /usr/bin/python3 -m venv "$server_dir/out/peers" &&
		server_run "$python" -m pip install -q --disable-pip-version-check --no-cache-dir \
			scikit-learn lightgbm xgboost-cpu >"$server_dir/pip.log" 2>&1; then
		export PEERS_PYTHON=$python
	else
		say 'they cannot be installed here, and their rows are left out:'
		tail -n 1 "$server_dir/pip.log" 2>/dev/null || true
	fi
}

start_server() {
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
		-c "ALTER SYSTEM SET shared_buffers = '1GB'" -c "ALTER SYSTEM SET max_wal_size = '8GB'" \
		-c 'ALTER SYSTEM SET autovacuum = off' -c 'ALTER SYSTEM SET max_connections = 250'
	server_run mkdir "$server_dir/out/results"
	quietly server_run "$server_bin/pg_ctl" restart -D "$server_dir/out/data" -w \
		-l "$server_dir/out/server.log"
}

# What the programs of bench/ read of the environment.
describe() {
	local server_include
	server_include=$("${PG_CONFIG:-pg_config}" --includedir-server)
	server_run "${CC:-cc}" -O2 -shared -fPIC -I"$server_include" -o "$server_dir/out/trivial.so" \
		"$server_dir/work/bench/trivial.c"
	BENCH_COMPILER=$("${CC:-cc}" --version | head -n 1)
	BENCH_COMMIT=$(git -C "$root" -c safe.directory="$root" rev-parse HEAD 2>/dev/null || echo unknown)
	[ -z "$(git -C "$root" -c safe.directory="$root" status --porcelain -- src sql 2>/dev/null)" ] ||
		BENCH_COMMIT+=' with changes'
	BENCH_SOURCE=$(cd "$root" && find src sql/install Makefile -type f ! -name '*.o' ! -name '*.bc' \
		-print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c 1-16)
	export BENCH_COMPILER BENCH_COMMIT BENCH_SOURCE BENCH_TRIVIAL=$server_dir/out/trivial.so
	export RESULTS=$server_dir/out/results
}

# What there is of results, into the clone.
keep() {
	local file
	mkdir -p "$results"
	for file in "$RESULTS"/*.jsonl; do
		[ ! -f "$file" ] || cp "$file" "$results"
	done
}

# run NAME OPTION...: one program of bench/.  Results are kept while it runs.
run() {
	local status=0 keeper program=$1
	shift
	if [ -f "$results/$program.jsonl" ] && [ -z "${ANEW-}" ]; then
		server_run tee "$RESULTS/$program.jsonl" <"$results/$program.jsonl" >/dev/null
	fi
	while sleep 10 && [ -d "$RESULTS" ]; do keep; done &
	keeper=$!
	server_run /usr/bin/python3 -B "bench/$program.py" "$@" || status=$?
	{ kill "$keeper" && wait "$keeper"; } 2>/dev/null || true
	keep
	case $status in 129 | 130 | 143) exit "$status" ;; esac	# told to stop
	[ "$status" -eq 0 ] || failed+=("$program")
}

accept() {
	mkdir -p "$root/docs/performance"
	cp "$results"/*.jsonl "$root/docs/performance"
}

# A function is read whole: the file may change while a run takes its hour.
main() {
	case $name in
		phases)
			compile grow_bench
			exec "$folder/grow_bench" "$@"
			;;
		walks)
			compile score_bench
			exec "$folder/score_bench" "$@"
			;;
		micro)
			compile micro
			micro "$@"
			exit
			;;
		counts) exec "$root/scripts/counts.sh" "$@" ;;
		accept | report)
			[ "$name" = report ] || accept
			exec python3 -B "$root/bench/report.py" "$root/docs"
			;;
		short | full) export BENCH_RESUME=1 ;;
		*) [ -f "$root/bench/$name.py" ] || die "there is no bench/$name.py" ;;
	esac

	failed=()
	[ "$name" != short ] || results=$results/short
	"$root/scripts/deps.sh" build bench
	if [ "$name" = full ] || [ -n "${PEERS_RANGER-}" ]; then
		export PEERS_RANGER=1
		"$root/scripts/deps.sh" peers || say 'ranger cannot be installed here, and is left out'
	fi
	start_server
	describe
	case $name in
		accuracy | cancel | load_csv | memory | metrics | points | registry | routing | tuning) ;;
		*) install_peers ;;
	esac
	case $name in
		short)
			run training --rounds 2 --seconds 20
			run scoring --rounds 2 --seconds 15
			run points --rounds 3 --seconds 3
			;;
		full)
			run training --full --rounds 5 --seconds 45
			run scoring --full --rounds 4 --seconds 30
			run points
			run scaling
			run memory --rows 1000000 5000000 20000000
			;;
		*) run "$name" "$@" ;;
	esac
	if [ "${#failed[@]}" -gt 0 ]; then
		say "failed, in part: ${failed[*]}" >&2
		exit 1
	fi
}

main "$@"
exit
