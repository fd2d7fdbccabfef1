#!/usr/bin/env bash
# pg_upgrade from PostgreSQL 15 to 17 with a full registry, and the tests of the
# server on 17.  Needs root and a Debian, takes some 10 minutes and 2 GB.
#
#	scripts/test-upgrade.sh					pg_upgrade, then regress, isolation, pgtap on 17
#	scripts/test-upgrade.sh upgrade			pg_upgrade alone
#	scripts/test-upgrade.sh SUITE|FILE...	these tests on 17, see scripts/test.sh
#
# Debian's next release is put into a folder by debootstrap, from the mirror that
# apt is set up with here; PostgreSQL 17 is that release's, 15 the one before's.
# Both are installed there only, and the folder is removed at the end.
# UPGRADE_ROOT names a folder that is kept, and used again if it is there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

next=trixie
previous=bookworm
old=/usr/lib/postgresql/15/bin
new=/usr/lib/postgresql/17/bin
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

say() { printf '== %s\n' "$*"; }
die() { printf 'test-upgrade: %s\n' "$*" >&2; exit 1; }

[ "$(id -u)" -eq 0 ] || die 'only root can put a Debian into a folder'
command -v apt-get >/dev/null || die 'needs apt, to know the mirror of this machine'
scripts/deps.sh upgrade
[ -f "$keyring" ] || die 'the package debian-archive-keyring is missing'
# shellcheck disable=SC2016
mirror=$(apt-get indextargets --format '$(SITE) $(ORIGIN)' 'Created-By: Packages' |
	awk '$2 == "Debian" { print $1; exit }')
[ -n "$mirror" ] || die 'apt knows no mirror of Debian; run "apt-get update"'

folder=${UPGRADE_ROOT:-}
kept=$folder
[ -n "$folder" ] || folder=$(mktemp -d "${TMPDIR:-/tmp}/churnops-upgrade.XXXXXX")
inside=$folder/root

# Run a command in the folder, as its root or as the server's user.
as_root() { chroot "$inside" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C DEBIAN_FRONTEND=noninteractive "${proxy[@]}" "$@"; }
as_server() { as_root setpriv --reuid=postgres --regid=postgres --init-groups env HOME=/var/lib/postgresql "$@"; }

mapfile -t proxy < <(apt-config shell http_proxy Acquire::http::Proxy https_proxy Acquire::https::Proxy | tr -d "'")

# Whatever runs in the folder ends with it; nothing outside is asked.
stop_all() {
	local link
	for link in /proc/[0-9]*/root; do
		[ "$(readlink "$link" 2>/dev/null)" != "$(readlink -f "$inside")" ] || kill -9 "$(basename "$(dirname "$link")")" 2>/dev/null || true
	done
}
clean() {
	local status=$?
	trap - EXIT
	trap '' HUP INT TERM
	stop_all
	sleep 0.2
	umount "$inside/dev/shm" 2>/dev/null || true
	umount "$inside/proc" 2>/dev/null || true
	if mountpoint -q "$inside/proc" || mountpoint -q "$inside/dev/shm"; then
		printf 'test-upgrade: %s is still in use and was left\n' "$inside" >&2
	elif [ -z "$kept" ]; then
		rm -rf --one-file-system "$folder"
	fi
	exit "$status"
}
trap clean EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# The development files are unpacked, not installed: their package would bring a compiler of its own.
make_root() {
	say "Debian $next into $inside"
	mkdir -p "$folder"
	rm -rf --one-file-system "$inside"
	env "${proxy[@]}" debootstrap --variant=minbase --keyring="$keyring" "$next" "$inside" "$mirror"
	cp /etc/resolv.conf "$inside/etc/resolv.conf"
	echo "deb $mirror $previous main" >>"$inside/etc/apt/sources.list"
	mkdir -p "$inside/etc/postgresql-common/createcluster.d"
	echo 'create_main_cluster = false' >"$inside/etc/postgresql-common/createcluster.d/churnops.conf"
	printf '#!/bin/sh\nexit 101\n' >"$inside/usr/sbin/policy-rc.d"
	chmod 755 "$inside/usr/sbin/policy-rc.d"
}
install_packages() {
	say 'PostgreSQL 15 and 17 into it'
	as_root apt-get update -q
	as_root apt-get install -y -q --no-install-recommends gcc libc6-dev make libxxhash-dev libyaml-dev \
		libipc-run-perl postgresql-15 postgresql-17 postgresql-17-pgtap
	# shellcheck disable=SC2016
	as_root sh -euc 'cd /tmp && for major in 15 17; do
		apt-get download postgresql-server-dev-$major
		dpkg -x postgresql-server-dev-${major}_*.deb /
		rm postgresql-server-dev-${major}_*.deb
	done'
	touch "$folder/complete"
}

# The clone as it is, built anew for the server whose programs are in a folder.
copy_clone() {
	rm -rf "${inside:?}/src/$1"
	mkdir -p "$inside/src/$1"
	git ls-files -z -co --exclude-standard | xargs -0 cp -P --parents -t "$inside/src/$1"
}
build() {
	as_root make -s -C "/src/$1" -j"$(nproc)" install PG_CONFIG="$2/pg_config"
}

# psql FOLDER-OF-PROGRAMS ARGUMENT...
psql_in() {
	local bin=$1
	shift
	as_server env PGHOST=/upgrade PGPORT=54321 PGUSER=postgres PGDATABASE=postgres sh -c 'cd /upgrade/work && exec "$@"' \
		sh "$bin/psql" -X -q -v ON_ERROR_STOP=1 "$@"
}
start() {
	as_server "$1/pg_ctl" start -s -w -D "$2" -l "$2/server.log" \
		-o "-c listen_addresses='' -c unix_socket_directories=/upgrade -c port=54321 -c fsync=off"
}

# What the registry is, to be compared before and after; each version has its own
# way to write the query of a view.
describe() {
	psql_in "$1" -f test/registry/state.sql | grep -v '^view|'
	psql_in "$1" -f test/registry/predictions.sql
}

test_upgrade() {
	say 'pg_upgrade'
	rm -rf "${inside:?}/upgrade"
	mkdir -p "$inside/upgrade/work"
	cp -R test examples "$inside/upgrade/work"
	as_root chown -R postgres: /upgrade
	as_server "$old/initdb" -D /upgrade/15 -U postgres -A trust -E UTF8 --locale=C -N >/dev/null
	as_server "$new/initdb" -D /upgrade/17 -U postgres -A trust -E UTF8 --locale=C -N >/dev/null
	start "$old" /upgrade/15
	psql_in "$old" -c 'CREATE EXTENSION churnops' -f test/registry/fill.sql
	describe "$old" >"$folder/before"
	as_server "$old/pg_ctl" stop -s -D /upgrade/15
	as_server sh -c "cd /upgrade && $new/pg_upgrade -b $old -B $new -d 15 -D 17 -U postgres -j 2 --no-sync"
	start "$new" /upgrade/17
	describe "$new" >"$folder/after"
	diff "$folder/before" "$folder/after" || die 'the registry is another one after pg_upgrade'
	say "$(wc -l <"$folder/after") facts and predictions are the same, to the last bit"
	psql_in "$new" -c 'SET ROLE churnops_alice' -A -t -c "SELECT version() LIKE 'PostgreSQL 17%'" \
		-c "SELECT ref, reproduced FROM churnops_reproduce('churn/2')" \
		-c "SELECT ref FROM churnops_train('churn', 'SELECT * FROM customers', 'churn', '{\"n_estimators\": 5}', key => '{customer_id}')" \
		-c "SELECT version, previous_version FROM churnops_promote('churn/3')" >"$folder/goes-on"
	diff "$folder/goes-on" <(printf '%s\n' t 'churn/2|t' churn/3 '3|2') ||
		die 'the registry does not go on after pg_upgrade'
	say 'version 2 is reproduced on 17 byte for byte; training and promotion go on'
	as_server "$new/pg_ctl" stop -s -D /upgrade/17
}

test_server() {
	say "tests on $(as_root "$new/postgres" --version)"
	as_root env PG_CONFIG="$new/pg_config" bash /src/17/scripts/test.sh "$@"
}

[ -f "$folder/complete" ] || make_root
mkdir -p "$inside/dev/shm"
mountpoint -q "$inside/proc" || mount -t proc proc "$inside/proc"
mountpoint -q "$inside/dev/shm" || mount -t tmpfs tmpfs "$inside/dev/shm"
[ -f "$folder/complete" ] || install_packages
say 'building for 15 and 17'
copy_clone 15
copy_clone 17
if [ $# -eq 0 ] || [ "$1" = upgrade ]; then
	build 15 "$old"
	build 17 "$new"
	test_upgrade
	[ $# -eq 0 ] || exit 0
	set -- regress isolation pgtap
fi
test_server "$@"
