#!/usr/bin/env bash
# Instructions of the inner loops on the portable path, counted by callgrind:
# the same on a busy machine as on a quiet one.
#
#	scripts/counts.sh			count, and compare with bench/counts.tsv
#	scripts/counts.sh --accept	count, and write bench/counts.tsv anew
#
# Fails when a count is more than 5 % above the stored one.  Counts of another
# compiler, C library, xxHash or valgrind are shown and not compared.
set -euo pipefail
# shellcheck source=scripts/server.sh
. "$(dirname "${BASH_SOURCE[0]}")/server.sh"

stored=$root/bench/counts.tsv
folder=$root/build
kernels=(append bin grow assemble decode encode walk walk-row)

"$root/scripts/deps.sh" build counts
mkdir -p "$folder"
"${CC:-cc}" -std=gnu11 -O3 -g -ffp-contract=off -I"$root/src" -o "$folder/micro" \
	"$root/bench/micro.c" "$root"/src/core/*.c "$root"/src/forest/*.c -lm
versions="$("$folder/micro" versions), $(valgrind --version), $(uname -m)"

# The C library's own choice of instruction set must not show either.
plain='glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX512BW,-AVX2,-AVX,-FMA,-FMA4,-BMI2,-ERMS,-FSRM,-MOVBE'
for kernel in "${kernels[@]}"; do
	GLIBC_TUNABLES=$plain valgrind --tool=callgrind --toggle-collect=bench_kernel \
		--callgrind-out-file="$folder/callgrind.$kernel" "$folder/micro" "$kernel" portable \
		>"$folder/counts.$kernel" 2>&1 &
done
wait
for kernel in "${kernels[@]}"; do
	printf '%s\t%s\n' "$kernel" \
		"$(sed -nE 's/^==[0-9]+== Collected : ([0-9]+).*/\1/p' "$folder/counts.$kernel")"
done >"$folder/counts.tsv"
awk -F '\t' '$2 + 0 == 0 { print $1 ": nothing was counted"; bad = 1 } END { exit bad }' "$folder/counts.tsv" >&2

if [ "${1-}" = --accept ]; then
	{
		printf '# instructions on the portable path, by scripts/counts.sh --accept\n'
		printf '# %s\n' "$versions"
		cat "$folder/counts.tsv"
	} >"$stored"
fi
stored_versions=$(sed -n 's/^# //;2p' "$stored")
awk -F '\t' -v same="$([ "$versions" = "$stored_versions" ] && echo 1 || echo 0)" '
	/^#/ { next }
	NR == FNR { before[$1] = $2; next }
	!($1 in before) { printf "%-10s %14d  not stored: scripts/counts.sh --accept\n", $1, $2; bad = 1; next }
	{
		change = 100 * ($2 / before[$1] - 1)
		worse = same && change > 5
		printf "%-10s %14d  %+.2f %%%s\n", $1, $2, change, worse ? "  more than 5 % above the stored count" : ""
		bad = bad || worse
	}
	END { exit bad }' "$stored" "$folder/counts.tsv" || status=$?
if [ "$versions" != "$stored_versions" ]; then
	printf 'not compared: counted with %s; stored with %s\n' "$versions" "$stored_versions"
fi
exit "${status:-0}"
