#!/usr/bin/env bash
# Installs what is missing of the Debian packages that a job needs.
#
#	scripts/deps.sh build|test|ci|counts|bench|peers|upgrade...
#
# build: compiler, PostgreSQL with its development files, xxHash, libyaml.  test: what
# `make test` needs besides.  ci: linters, clang, valgrind, scikit-learn.  counts: valgrind.
# bench: Python with scikit-learn.  peers: R with ranger.  upgrade: debootstrap.
#
# A PostgreSQL that is already there is taken as it is.  One that is installed
# here gets no cluster, and nothing is started, neither of the new packages nor
# of what was there before.  Where nothing is missing, apt is not called.
set -euo pipefail

pg_config=${PG_CONFIG:-pg_config}
conf=/etc/postgresql-common
policy=/usr/sbin/policy-rc.d
no_cluster=$conf/createcluster.d/churnops-$$.conf
made_directory=
made_policy=

die() { printf 'deps: %s\n' "$*" >&2; exit 1; }

is_installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# The major version of a PostgreSQL that can be run and built for, if any.
usable_postgresql() {
	command -v "$pg_config" >/dev/null || return 0
	# Debian's client package brings PGXS, without the headers that it compiles against.
	[ -x "$("$pg_config" --bindir)/initdb" ] && [ -f "$("$pg_config" --pgxs)" ] &&
		[ -f "$("$pg_config" --includedir-server)/postgres.h" ] || return 0
	"$pg_config" --version | sed -E 's/^PostgreSQL ([0-9]+).*/\1/'
}

# Else the one to install: a server that lacks its development files only, or
# the lowest supported version that this release of Debian or Ubuntu has.
packaged_postgresql() {
	local major
	for major in 15 16 17 18; do
		! is_installed "postgresql-$major" || { echo "$major"; return; }
	done
	for major in 15 16 17 18; do
		[ -z "$(apt-cache show "postgresql-server-dev-$major" 2>/dev/null)" ] || { echo "$major"; return; }
	done
	echo 15
}

# Packages of the jobs that are not installed.
missing_packages() {
	local job package packages=() major=$usable
	[ -n "$major" ] || major=$(packaged_postgresql)
	for job in "$@"; do
		case $job in
			build)
				packages+=(gcc libc6-dev make libxxhash-dev libyaml-dev)
				[ -n "$usable" ] || packages+=("postgresql-$major" "postgresql-server-dev-$major")
				;;
			test)
				packages+=(perl libipc-run-perl python3 python3-yaml python3-jsonschema)
				# A server that is not Debian's has no use for Debian's pgTAP.
				[ -n "$usable" ] && [ "$("$pg_config" --bindir)" != "/usr/lib/postgresql/$major/bin" ] ||
					packages+=("postgresql-$major-pgtap")
				;;
			ci) packages+=(git clang-14 libclang-rt-14-dev clang-format-14 valgrind shellcheck python3-sklearn) ;;
			counts) packages+=(valgrind) ;;
			bench) packages+=(python3 python3-venv python3-sklearn python3-pandas python3-psycopg2) ;;
			peers) packages+=(r-base-core r-cran-ranger) ;;
			upgrade) packages+=(debootstrap debian-archive-keyring) ;;
		esac
	done
	for package in "${packages[@]}"; do
		is_installed "$package" || echo "$package"
	done
}

# No apt: only look whether the tools are there, and say what to install.
look_without_apt() {
	local job missing='' try='the packages of your system'
	for job in "$@"; do
		case $job in
			build)
				command -v cc >/dev/null || missing+=', a C compiler'
				[ -n "$usable" ] || missing+=', PostgreSQL 15 to 18 with its development files'
				echo '#include <xxhash.h>' | cc -E - >/dev/null 2>&1 || missing+=', the headers of xxHash'
				echo '#include <yaml.h>' | cc -E - >/dev/null 2>&1 || missing+=', libyaml with its headers'
				;;
			test)
				command -v prove >/dev/null || missing+=', perl with prove'
				perl -MIPC::Run -e1 2>/dev/null || missing+=', the perl module IPC::Run'
				;;
			ci) command -v shellcheck >/dev/null || missing+=', shellcheck, clang 14, valgrind' ;;
			counts) command -v valgrind >/dev/null || missing+=', valgrind' ;;
			peers) command -v Rscript >/dev/null || missing+=', R with ranger' ;;
			upgrade) missing+=', a Debian' ;;
			bench)
				python3 -c 'import sklearn, pandas, psycopg2' 2>/dev/null ||
					missing+=', python3 with scikit-learn, pandas and psycopg2'
				;;
		esac
	done
	[ -n "$missing" ] || return 0
	if command -v dnf >/dev/null; then
		try='dnf install gcc make postgresql-server postgresql-server-devel xxhash-devel libyaml-devel perl perl-IPC-Run pgtap'
	elif command -v apk >/dev/null; then
		try='apk add gcc make musl-dev postgresql15 postgresql15-dev xxhash-dev yaml-dev perl-utils perl-ipc-run'
	elif command -v pacman >/dev/null; then
		try='pacman -S --needed base-devel postgresql postgresql-libs xxhash libyaml perl-ipc-run'
	elif command -v zypper >/dev/null; then
		try='zypper install gcc make postgresql-server postgresql-server-devel xxhash-devel perl-IPC-Run'
	elif command -v brew >/dev/null; then
		try='brew install postgresql@15 xxhash libyaml'
	fi
	die "missing: ${missing#, }
Packages are installed by themselves on Debian and its relatives only.  Here, try:
    $try
or set PG_CONFIG to the pg_config of your PostgreSQL."
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
		sudo "$@"
	else
		die "missing packages: ${missing[*]}
You are neither root nor may use sudo.  As root:
    apt-get install --no-install-recommends ${missing[*]}"
	fi
}

restore() {
	rm -f "$no_cluster"
	[ -z "$made_directory" ] || rmdir "$conf/createcluster.d" 2>/dev/null || true
	[ -z "$made_policy" ] || rm -f "$policy"
}

# Debian's server packages create a cluster unless createcluster.d says no (see
# pg_createcluster(1)), and start services unless policy-rc.d says no (see
# invoke-rc.d(8)).
forbid_servers() {
	trap restore EXIT
	trap 'exit 130' HUP INT TERM
	[ -d "$conf/createcluster.d" ] || made_directory=1
	mkdir -p "$conf/createcluster.d"
	echo 'create_main_cluster = false' >"$no_cluster"
	if [ -f "$conf/createcluster.conf" ] && [ "$(pg_conftool "$conf/createcluster.conf" \
		show -bs create_main_cluster 2>/dev/null)" != off ]; then
		die "$conf/createcluster.conf does not read createcluster.d; set create_main_cluster = false in it"
	fi
	if [ ! -e "$policy" ]; then
		made_policy=1
		printf '#!/bin/sh\n# Of ChurnOps, while its packages are installed: start nothing.\nexit 101\n' >"$policy"
		chmod 755 "$policy"
	fi
}

# Runs as root.
install_packages() {
	if printf '%s\n' "$@" | grep -qE '^postgresql-[0-9]+(-pgtap)?$'; then
		forbid_servers
	fi
	DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
		-o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" </dev/null
}

if [ "${1-}" = --install ]; then
	shift
	umask 022
	install_packages "$@"
	exit
fi

for job in "$@"; do
	case $job in build | test | ci | counts | bench | peers | upgrade) ;; *) die "no such job: $job" ;; esac
done
usable=$(usable_postgresql)
if [ -n "$usable" ] && { [ "$usable" -lt 15 ] || [ "$usable" -gt 18 ]; }; then
	die "PostgreSQL $usable is not supported, 15 to 18 are: set PG_CONFIG to the pg_config of one of these"
fi
if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
	look_without_apt "$@"
	exit
fi

mapfile -t missing < <(missing_packages "$@")
[ "${#missing[@]}" -gt 0 ] || exit 0
printf 'missing packages: %s\n' "${missing[*]}"
as_root apt-get update -q -o DPkg::Lock::Timeout=300
mapfile -t missing < <(missing_packages "$@")
as_root bash "${BASH_SOURCE[0]}" --install "${missing[@]}"
