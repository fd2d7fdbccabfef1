#!/usr/bin/env bash
# The house rules that a machine can check.  A rule is a function named
# rule_...; what it prints are the places that break it.
#
#	scripts/lint.sh				all rules
#	scripts/lint.sh sql_order	one
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
shopt -s nullglob

mapfile -t pure < <(find src -mindepth 1 -maxdepth 1 -type d ! -name pg -printf '%f\n' | LC_ALL=C sort)
pure_files=("${pure[@]/#/src/}")
mapfile -t pure_files < <(find "${pure_files[@]}" -name '*.[ch]' | LC_ALL=C sort)
pg_files=(src/pg/*.[ch])
c_files=("${pure_files[@]}" "${pg_files[@]}")
mapfile -t all_files < <(git ls-files -co --exclude-standard | while IFS= read -r f; do [ ! -f "$f" ] || echo "$f"; done)

# search PATTERN FILE...: matches of a Perl pattern in C code, without comments and texts.
search() {
	perl -e '
		my $pattern = shift;
		for my $file (@ARGV) {
			open my $in, "<", $file or die "$file: $!";
			local $/;
			my $text = <$in>;
			my $blank = sub { my $s = shift; $s =~ s/[^\n]//g; $s };
			$text =~ s{(/\*.*?\*/)|(//[^\n]*)|"((?:\\.|[^"\\\n])*)"}
				{defined $1 ? $blank->($1) : defined $2 ? "" : "\"\""}gse;
			my $n = 0;
			for my $line (split /\n/, $text) {
				$n++;
				print "$file:$n: $line\n" if $line =~ /$pattern/;
			}
		}' "$@"
}

# includes FILE...: "file header" for each #include "header".
includes() {
	[ $# -eq 0 ] || awk '/^#[ \t]*include[ \t]*"/ { split($0, part, "\""); print FILENAME, part[2] }' "$@"
}

rule_pure_code_has_no_server() {
	search '\b(palloc\w*|repalloc\w*|pfree|ereport|elog|MemoryContext\w*|Datum|CHECK_FOR_INTERRUPTS)\b' "${pure_files[@]}"
	grep -nE '^#[ \t]*include.*(postgres|fmgr|utils/|access/|executor/|c\.h>)' "${pure_files[@]}" || true
}

rule_pure_code_leaves_the_process_alone() {
	search '(?<![\w.>])(m|c|re)?alloc\s*\(|(?<![\w.>])(free|printf|fprintf|puts|putchar|exit|abort|rand|random|srand|time|clock|qsort|getenv|setlocale|setjmp|longjmp|fopen|assert)\s*\(' \
		"${pure_files[@]}"
}

rule_pure_code_has_no_state() {
	search '^static\s+(?!const\b|inline\b)[^()]*[=;]\s*\{?$' "${pure_files[@]}"
}

rule_libraries_include_downwards() {
	local dir
	for dir in "${pure[@]}"; do
		includes "src/$dir"/*.[ch] | grep -vE " (core|$dir)/[a-z_]+\.h$" || true
	done
	includes "${pg_files[@]}" | grep -E " ($(IFS='|' && echo "${pure[*]}"))/" |
		grep -vE ' (([a-z]+)/\2|core/(status|host|hash|memory|rng|cpu))\.h$' || true
}

rule_libyaml_is_for_src_spec_only() {
	grep -nE '^#[ \t]*include.*yaml\.h' "${c_files[@]}" | grep -vE '^src/spec/yaml\.c:' || true
}

rule_postgres_h_comes_first_in_c_files_only() {
	local file
	for file in src/pg/*.c; do
		[ "$(grep -m 1 '^#include' "$file")" = '#include "postgres.h"' ] || echo "$file: does not include postgres.h first"
	done
	grep -n '^#include "postgres.h"' src/*/*.h || true
}

rule_headers_compile_alone() {
	local file flags server
	server=$("${PG_CONFIG:-pg_config}" --includedir-server)
	for file in src/*/*.h; do
		flags=(-std=gnu11 -Wall -Wextra -Werror -Isrc)
		[[ $file != src/pg/* ]] || flags=(-std=gnu11 -Wall -Werror -Isrc -D_GNU_SOURCE -I"$server" -include postgres.h)
		echo "#include \"${file#src/}\"" | cc "${flags[@]}" -fsyntax-only -xc - 2>&1 || echo "$file: does not compile alone"
	done
}

rule_server_versions_are_told_apart_in_compat_h_only() {
	search '\bPG_VERSION_NUM\b' "${c_files[@]}" | grep -v '^src/pg/compat\.h:' || true
}

rule_binding_uses_memory_contexts() {
	search '(?<![\w.>])(malloc|calloc|realloc|free|strdup)\s*\(' "${pg_files[@]}"
}

rule_objects_are_listed_in_the_makefile() {
	diff <(grep -oE 'src/[a-z]+/[a-z0-9_]+\.o' Makefile | LC_ALL=C sort) \
		<(printf '%s\n' src/*/*.c | sed 's/\.c$/.o/' | LC_ALL=C sort) || true
}

rule_sql_parts_are_listed_in_the_makefile() {
	diff <(grep -oE 'sql/install/[0-9a-z_-]+\.sql' Makefile) <(printf '%s\n' sql/install/* | LC_ALL=C sort) || true
}

# What an earlier user made must not be taken for ours.
rule_sql_creates_anew() {
	grep -nHiE '^([^-]|-[^-])*(OR +REPLACE|IF +NOT +EXISTS)' sql/install/*.sql || true
}

rule_every_test_is_run() {
	local file stem
	for file in test/sql/*.sql test/specs/*.spec; do
		stem=$(basename "${file%.*}")
		[ -f "test/expected/$stem.out" ] || echo "$file: has no test/expected/$stem.out"
	done
	for file in test/expected/*; do
		stem=$(basename "$file" .out)
		[ -f "test/sql/$stem.sql" ] || [ -f "test/specs/$stem.spec" ] || echo "$file: belongs to no test"
	done
	# The folders hold nothing that scripts/test.sh does not run.
	find test/sql test/pgtap -type f ! -name '*.sql' 2>/dev/null || true
	find test/specs -type f ! -name 'iso_*.spec' 2>/dev/null || true
	find test/t -type f ! -name '[0-9][0-9][0-9]_*.pl' 2>/dev/null || true
}

rule_versions_agree() {
	local version
	version=$(sed -n "s/^default_version *= *'\(.*\)'/\1/p" churnops.control)
	[[ $(grep -m 1 '^## ' CHANGELOG.md) == "## $version "* ]] || echo "CHANGELOG.md: does not begin with $version"
	perl -MJSON::PP -0777 -ne '
		my ($m, $v) = (decode_json($_), $ARGV[0]);
		my $p = $m->{provides}{churnops};
		print "META.json: not version '"$version"'\n"
			unless $m->{version} eq "'"$version"'" && $p->{version} eq $m->{version}
				&& $p->{file} eq "sql/churnops--$m->{version}.sql"' META.json
}

rule_model_format_is_documented() {
	[ -s docs/model-format.md ] || echo 'docs/model-format.md: missing'
}

rule_no_blank_at_line_end() {
	printf '%s\n' "${all_files[@]}" | grep -vE '^test/(expected|fuzz/corpus|golden)/' | xargs -d '\n' grep -nIE '[[:blank:]]+$' || true
}

rule_nothing_is_left_to_do() {
	printf '%s\n' "${all_files[@]}" | grep -v '^scripts/lint\.sh$' | xargs -d '\n' grep -nIwE 'TODO|FIXME' || true
}

rule_shell_scripts_pass_shellcheck() {
	shellcheck -x -P SCRIPTDIR scripts/*.sh .ci/run || true
}

# No rules: a long function may have its reason, and clang-format does not know
# how pgindent lines up declarations.
advise() {
	local file n
	for file in "${c_files[@]}" sql/install/*.sql; do
		n=$(wc -l <"$file")
		[ "$n" -le 500 ] || echo "warning: $file has $n lines"
	done
	awk 'FNR == 1 { start = 0 } /^\{/ { start = FNR }
		/^\}/ { if (start && FNR - start > 80) printf "warning: %s:%d: a body of %d lines\n", FILENAME, start, FNR - start; start = 0 }' \
		"${c_files[@]}"
	command -v clang-format-14 >/dev/null || return 0
	n=$(for file in "${c_files[@]}"; do clang-format-14 --dry-run -Werror "$file" >/dev/null 2>&1 || echo "$file"; done | wc -l)
	[ "$n" -eq 0 ] || echo "warning: make format would change $n of ${#c_files[@]} C files"
}

passed=0
failed=0
rules=("${@/#/rule_}")
[ $# -gt 0 ] || mapfile -t rules < <(compgen -A function rule_)
for rule in "${rules[@]}"; do
	if places=$("$rule" 2>&1) && [ -z "$places" ]; then
		passed=$((passed + 1))
		printf 'ok      %s\n' "${rule#rule_}"
	else
		failed=$((failed + 1))
		printf 'BROKEN  %s\n' "${rule#rule_}"
		printf '        %s\n' "${places//$'\n'/$'\n'        }"
	fi
done
[ $# -gt 0 ] || advise
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
