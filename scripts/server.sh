#!/usr/bin/env bash
# A private PostgreSQL server that nobody else can reach and that does not
# outlive the script that started it.
#
#	scripts/server.sh			psql in a fresh server with ChurnOps installed
#	scripts/server.sh COMMAND...		COMMAND instead of psql, PGHOST and the like set
#
# Other scripts source this file and call, in this order, server_prepare,
# server_install, server_start, and then server_run COMMAND...
#
# Everything lives in one new folder under TMPDIR: data, socket, the staged
# extension and a copy of the tests and examples, since the clone may lie where
# the server's user cannot read.  PostgreSQL refuses to run as root; root hands
# the server and its clients to the user postgres, or nobody.  The machine's own
# PostgreSQL installation and clusters are only read.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s\n' "$*"; }
die() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }

# make in the clone, with the caller's variables but without the job server of
# the make that started us, which does not reach through a script.
run_make() {
	MAKEFLAGS=$(sed -E 's/ ?(-j[0-9]*|--jobserver-[a-z]+=[^ ]*)//g' <<<"${MAKEFLAGS-}") \
		make --no-print-directory -j"$(nproc 2>/dev/null || echo 2)" -C "$root" "$@"
}

# Run a quiet command; show what it printed only if it failed.
quietly() {
	local log=$server_dir/quiet.log
	"$@" >"$log" 2>&1 && return
	local status=$?
	cat "$log" >&2
	return "$status"
}

# Run a command as the server's user, in the copy of the tests and examples.
server_run() (
	cd "$server_dir/work" || exit 1
	[ -n "$server_user" ] || exec env TMPDIR="$server_dir/out" "$@"
	exec setpriv --reuid="$server_user" --regid="$(id -g "$server_user")" --init-groups \
		env TMPDIR="$server_dir/out" HOME="$server_dir/work" USER="$server_user" LOGNAME="$server_user" "$@"
)

# Stop every server under our folder, the ones of the TAP tests too; their data
# is of no use to anybody.
server_remove() {
	local pidfile data
	[ -d "$server_dir" ] || return 0
	while IFS= read -r pidfile; do
		data=$(dirname "$pidfile")
		server_run "$server_bin/pg_ctl" stop -D "$data" -m immediate -t 20 >/dev/null 2>&1 ||
			kill -9 "$(head -n 1 "$pidfile")" 2>/dev/null || true
	done < <(find "$server_dir" -name postmaster.pid 2>/dev/null)
	cd / && rm -rf "$server_dir"
}

server_exit() {
	local status=$?
	trap '' HUP INT TERM
	trap - EXIT
	server_remove
	exit "$status"
}

# What does the same when this script had no chance to: a process in a session
# of its own that waits for the script's end or the folder's.
server_watch() {
	command -v setsid >/dev/null || return 0
	export server_dir server_bin server_user
	export -f server_run server_remove
	# shellcheck disable=SC2016
	setsid bash -c '
		trap "" HUP INT TERM
		while [ -d "$server_dir" ] && kill -0 "$1"; do sleep 1; done
		server_remove' watch "$$" </dev/null >/dev/null 2>&1 &
	disown
}

# Find the server's programs, choose its user, make its folder.  server_pgxs is
# the src/ of PGXS, with the test drivers.
server_prepare() {
	local base config=${PG_CONFIG:-pg_config}
	server_user=
	if [ "$(id -u)" -eq 0 ]; then
		server_user=nobody
		! id postgres >/dev/null 2>&1 || server_user=postgres
	fi
	command -v "$config" >/dev/null || die "$config is not found; \"make deps\" installs PostgreSQL on Debian"
	server_bin=$("$config" --bindir)
	server_pgxs=$(dirname "$(dirname "$("$config" --pgxs)")")
	if [ ! -x "$server_bin/initdb" ] || [ ! -d "$server_pgxs/test" ]; then
		die "$config knows no PostgreSQL server with development files; \"make deps\" installs it on Debian"
	fi

	# A socket's path has room for 107 bytes; TMPDIR may be the caller's alone.
	umask 022
	for base in "${TMPDIR:-/tmp}" /tmp; do
		[ "${#base}" -le 40 ] || continue
		server_dir=$(mktemp -d "$base/churnops.XXXXXX" 2>/dev/null) || continue
		mkdir "$server_dir/work" "$server_dir/socket" "$server_dir/out"
		[ -z "$server_user" ] || chown -R "$server_user" "$server_dir"
		if server_run test -w "$server_dir/work" 2>/dev/null; then break; fi
		rm -rf "$server_dir"
	done
	[ -d "${server_dir:-}" ] || die "no temporary folder that ${server_user:-this user} may use"
	trap server_exit EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
	server_watch

	# Nothing of the caller's own servers may leak in.
	unset PSQLRC PSQL_HISTORY PSQL_PAGER
	local name
	for name in "${!PG@}"; do
		[ "$name" = PG_CONFIG ] || unset "$name"
	done
	export PGHOST=$server_dir/socket PGPORT=54321 PGUSER=postgres PGDATABASE=postgres
	export PGCLIENTENCODING=UTF8 LC_ALL=C PAGER=cat PATH="$server_bin:$PATH"
}

# Build, install into a stage that only our server looks at, copy what tests
# and examples read.
server_install() {
	local stage=$server_dir/stage config=${PG_CONFIG:-pg_config} settings
	quietly run_make -s all || die "the build failed"
	quietly run_make -s install DESTDIR="$stage" || die "staging the installation failed"
	server_settings=$server_dir/work/extension.conf
	settings=$("$server_bin/postgres" --describe-config)
	if grep -q '^extension_destdir' <<<"$settings"; then
		echo "extension_destdir = '$stage'"
	elif grep -q '^extension_control_path' <<<"$settings"; then
		echo "extension_control_path = '$stage$("$config" --sharedir):\$system'"
		echo "dynamic_library_path = '$stage$("$config" --pkglibdir):\$libdir'"
	else
		die "this PostgreSQL can load extensions from its own folders only:" \
			"use \"make install\" and \"make installcheck\""
	fi >"$server_settings"
	cp -R "$root/test" "$root/examples" "$root/scripts" "$root/docs" "$server_dir/work"
	[ -z "$server_user" ] || chown -R "$server_user" "$server_dir/work"
}

server_start() {
	local data=$server_dir/out/data log=$server_dir/out/server.log
	quietly server_run "$server_bin/initdb" -D "$data" -U postgres -A trust -E UTF8 --locale=C -N ||
		die "initdb failed"
	server_run tee -a "$data/postgresql.conf" >/dev/null <<-CONF
		listen_addresses = ''
		unix_socket_directories = '$PGHOST'
		port = $PGPORT
		fsync = off
		synchronous_commit = off
		full_page_writes = off
		max_connections = 40
		timezone = 'UTC'
		lc_messages = 'C'
		include '$server_settings'
	CONF
	if ! quietly server_run "$server_bin/pg_ctl" start -D "$data" -w -t 60 -l "$log"; then
		cat "$log" >&2
		die "the server did not start"
	fi
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
	set -euo pipefail
	server_prepare
	server_install
	server_start
	server_run psql -X -q -c 'CREATE EXTENSION churnops'
	if [ $# -eq 0 ]; then set -- psql -X; fi
	server_run "$@"
fi
