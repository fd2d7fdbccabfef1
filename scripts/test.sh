#!/usr/bin/env bash
# Runs the tests on a private throw-away server and adds them up.
#
#	scripts/test.sh						all suites
#	scripts/test.sh regress pgtap		these
#	scripts/test.sh test/sql/train.sql	one test of any suite
#	scripts/test.sh --accept FILE...	take what regress and isolation tests print as expected
#
# Suites, by folder of test/: unit (unit), regress (sql), isolation (specs),
# pgtap (pgtap), tap (t).  The counts of the last run are left, a line a suite,
# in build/test-results.tsv: suite, passed, failed.
set -euo pipefail
# shellcheck source=scripts/server.sh
. "$(dirname "${BASH_SOURCE[0]}")/server.sh"

suites=(unit regress isolation pgtap tap)
declare -A folder=([unit]=unit [regress]=sql [isolation]=specs [pgtap]=pgtap [tap]=t)
declare -A pattern=([unit]='test_*.c' [regress]='*.sql' [isolation]='*.spec' [pgtap]='*.sql' [tap]='*.pl')
declare -A chosen=()
accept=
total_passed=0
total_failed=0
server_started=

# What the arguments ask for: chosen[suite] is a list of test names.
choose() {
	local word suite path
	for word in "$@"; do
		if [ "$word" = --accept ]; then
			accept=1
		elif [ -n "${folder[$word]-}" ]; then
			[ -d "$root/test/${folder[$word]}" ] || die "there is no test/${folder[$word]}"
			chosen[$word]=$(tests_of "$word")
		elif [ -f "$word" ]; then
			path=$(cd "$(dirname "$word")" && pwd)
			suite=
			for suite in "${suites[@]}" ''; do
				[ "$path" != "$root/test/${folder[${suite:-unit}]}" ] || break
			done
			[ -n "$suite" ] || die "$word is in no folder of tests"
			chosen[$suite]="${chosen[$suite]-} $(basename "${word%.*}")"
		else
			die "$word is neither a suite (${suites[*]}) nor a test"
		fi
	done
	[ "${#chosen[@]}" -eq 0 ] || return 0
	for suite in "${suites[@]}"; do
		[ ! -d "$root/test/${folder[$suite]}" ] || chosen[$suite]=$(tests_of "$suite")
	done
}

# Of unit none: its Makefile knows.
tests_of() {
	[ "$1" != unit ] || return 0
	find "$root/test/${folder[$1]}" -maxdepth 1 -name "${pattern[$1]}" -printf '%f\n' |
		sed 's/\.[a-z]*$//' | LC_ALL=C sort | tr '\n' ' '
}

# record SUITE PASSED FAILED
record() {
	local passed=$2 failed=$3
	if [ $((passed + failed)) -eq 0 ]; then
		say "suite $1 ran no test"
		failed=1
	fi
	printf '%s\t%d\t%d\n' "$1" "$passed" "$failed" >>"$results"
	total_passed=$((total_passed + passed))
	total_failed=$((total_failed + failed))
}

# run_tap SUITE COMMAND...: prove's own summary has the figures.
run_tap() {
	local suite=$1 log=$server_dir/$1.log status=0 figures
	shift
	"$@" 2>&1 | tee "$log" || status=$?
	figures=$(awk -v status="$status" '
		/^Files=[0-9]+, Tests=[0-9]+/ { split($2, part, /[=,]/); tests = part[2] }
		/\(Wstat: [0-9]+.* Tests: [0-9]+ Failed: [0-9]+\)$/ {
			failed_tests += $NF + 0
			broken = $NF + 0 ? 0 : ($0 !~ /Wstat: 0 /)
			broken_files += broken
		}
		/^  Parse errors:/ && !broken { broken_files++ }
		END {
			failed = failed_tests + broken_files
			if (status && !failed) failed = 1
			print tests - failed_tests, failed
		}' "$log")
	# shellcheck disable=SC2086
	record "$suite" $figures
}

# run_regress SUITE DRIVER: a line a test, "test x ... ok" up to PostgreSQL 15,
# "ok 1 - x" after.
run_regress() {
	local suite=$1 driver=$2 out=$server_dir/out/$1 log=$server_dir/$1.log
	local status=0 passed failed name names expected=test/expected
	read -ra names <<<"${chosen[$suite]}"
	server_run mkdir "$out"
	for name in ${accept:+"${names[@]}"}; do
		server_run touch "$expected/$name.out"
	done
	server_run "$driver" --inputdir=test --outputdir="$out" --bindir="$server_bin" --dbname="$suite" \
		--encoding=UTF8 --no-locale --load-extension=churnops "${names[@]}" >"$log" 2>&1 || status=$?
	passed=$(grep -cE '^(test|    ) .* \.\.\. ok |^ok [0-9]+ ' "$log" || true)
	failed=$((${#names[@]} - passed))
	if [ "$status" -eq 0 ]; then
		grep -E '^(test|    ) .* \.\.\. ok |^ok [0-9]+ ' "$log" || true
	else
		cat "$log"
		[ ! -s "$out/regression.diffs" ] || cat "$out/regression.diffs"
		[ "$failed" -gt 0 ] || failed=1
	fi
	record "$suite" "$passed" "$failed"
	for name in ${accept:+"${names[@]}"}; do
		[ ! -f "$out/results/$name.out" ] || cat "$out/results/$name.out" >"$root/$expected/$name.out"
	done
}

need_server() {
	[ -z "$server_started" ] || return 0
	server_start
	server_started=1
}

run_suite() {
	local suite=$1 files
	read -ra files <<<"${chosen[$suite]}"
	files=("${files[@]/#/test/${folder[$suite]}/}")
	files=("${files[@]/%/${pattern[$suite]#*\*}}")
	say "== $suite"
	case $suite in
		unit) run_tap unit run_make -s -C test/unit check ${chosen[unit]:+TESTS="${chosen[unit]}"} ;;
		regress)
			need_server
			run_regress regress "$server_pgxs/test/regress/pg_regress"
			;;
		isolation)
			need_server
			run_regress isolation "$server_pgxs/test/isolation/pg_isolation_regress"
			;;
		pgtap)
			need_server
			run_tap pgtap server_run prove -e 'bash scripts/pgtap.sh' "${files[@]}"
			;;
		tap)
			if [ ! -f "$server_pgxs/test/perl/PostgreSQL/Test/Cluster.pm" ]; then
				say "$server_pgxs has no PostgreSQL::Test::Cluster: it was built without --enable-tap-tests"
				record tap 0 1
				return
			fi
			# TEMP_CONFIG is what PostgreSQL::Test::Cluster adds to each cluster it makes.
			server_run mkdir "$server_dir/out/tap"
			run_tap tap server_run env TESTDIR="$server_dir/out/tap" \
				TESTDATADIR="$server_dir/out/tap/data" TESTLOGDIR="$server_dir/out/tap/log" \
				TEMP_CONFIG="$server_settings" PG_REGRESS="$server_pgxs/test/regress/pg_regress" \
				prove -I "$server_pgxs/test/perl" -I test/perl "${files[@]}"
			;;
	esac
}

choose "$@"
"$root/scripts/deps.sh" build test
server_prepare
results=$server_dir/results.tsv
touch "$results"
needs_extension=${chosen[regress]-}${chosen[isolation]-}${chosen[pgtap]-}${chosen[tap]-}
[ -z "$needs_extension" ] || server_install
for suite in "${suites[@]}"; do
	[ -z "${chosen[$suite]+set}" ] || run_suite "$suite"
done

say
while IFS=$'\t' read -r suite passed failed; do
	printf '%-10s %6d passed, %d failed\n' "$suite" "$passed" "$failed"
done <"$results"
mkdir -p "$root/build"
cp "$results" "$root/build/test-results.tsv"
say "$total_passed passed, $total_failed failed"
[ "$total_failed" -eq 0 ]
