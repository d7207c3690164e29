#!/usr/bin/env bash
# Runs a command in a copy of this checkout on a bare Debian 12, which has Python, make and nothing else; as root.
#
#   tests/bare_machine.sh make demo
#
# The system is made by debootstrap from this machine's own package mirror, and kept for a week in
# ${XDG_CACHE_HOME:-~/.cache}/lumos-ingest. What this machine says to apt, pip, npm and TLS is said there too: it is looked up
# here at each run. Mounts are made in a namespace of their own, which ends with the command.
set -euo pipefail

SUITE=bookworm
PACKAGES=python3,python3-venv,make
KEPT_DAYS=7
checkout=$(cd "$(dirname "$0")/.." && pwd)

in_the_namespace() {
	local root=$1 folder
	shift
	mount -t proc proc "$root/proc"
	mount --rbind /dev "$root/dev"
	mount --rbind /sys "$root/sys"
	mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
	while read -r folder; do
		mkdir -p "$root$folder"
		mount --bind -o ro "$folder" "$root$folder"
	done < <(folders_of_pip)
	readarray -t settings < <(env | grep -E '^(PIP_|NPM_CONFIG_|NODE_EXTRA_CA_CERTS=|SSL_CERT_|REQUESTS_CA_BUNDLE=|CI=|(http|https|no|all)_proxy=)' -i)
	# What runs in the background of a script is not interrupted from the keyboard, and hands that on.
	exec chroot "$root" /usr/bin/env --default-signal=INT,QUIT -i HOME=/root TERM="${TERM:-dumb}" "${settings[@]}" \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		sh -c 'cd /src && exec "$@"' sh "$@"
}

# What pip is told here, as text: its files, where they are, and its environment.
pip_settings() {
	local file
	for file in /etc/pip.conf /etc/xdg/pip/pip.conf "${XDG_CONFIG_HOME:-$HOME/.config}/pip/pip.conf" "$HOME/.pip/pip.conf" \
		"${PIP_CONFIG_FILE:-}"; do
		if [ -f "$file" ]; then cat "$file"; fi
	done
	env | grep -E '^(PIP_|SSL_CERT_FILE=|REQUESTS_CA_BUNDLE=)' || true
}

# The paths on this machine's disk that pip is told of.
paths_of_pip() {
	pip_settings | grep -oE '(^|[=[:space:]]|file://)/[^[:space:]]+' | sed -E 's|^[^/]*(file://)?/|/|' | sort -u
}

# The folders among them. The pages of an index lie in its folder `simple`, what they lead to lies beside that.
folders_of_pip() {
	local path
	for path in $(paths_of_pip); do
		if [ -d "$path" ]; then echo "${path%/simple}"; fi
	done
}

# The mirror that apt takes the suite from.
mirror() {
	apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Identifier: Packages' |
		awk -v suite=$SUITE '$2 == suite {print $1; exit}'
}

# A tar file with the system; it is made where there is none, or an old one.
system() {
	local kept made address proxy
	kept=${XDG_CACHE_HOME:-$HOME/.cache}/lumos-ingest/$SUITE-$(dpkg --print-architecture)-${PACKAGES//,/-}.tar
	if [ -z "$(find "$kept" -mtime -$KEPT_DAYS 2>/dev/null)" ]; then
		address=$(mirror)
		[ -n "$address" ] || fail "apt knows no mirror of Debian's $SUITE here: name one in its sources"
		proxy=$(apt-config dump --format '%v%n' Acquire::http::Proxy)
		made=$scratch/made
		mkdir -p "$(dirname "$kept")"
		http_proxy=${http_proxy:-$proxy} debootstrap --variant=minbase --include=$PACKAGES $SUITE "$made" "$address" >&2
		rm -rf "$made"/var/cache/apt/archives/*.deb "$made"/var/lib/apt/lists/*
		tar -C "$made" -cf "$kept.$$" .
		mv "$kept.$$" "$kept"
		rm -rf "$made"
	fi
	echo "$kept"
}

# What this machine says to apt, pip, npm and TLS; the rest of the system stays as it is.
settle() {
	local root=$1 path
	cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
	mkdir -p "$root/root/.config" "$root/usr/local/share/ca-certificates"
	rm -f "$root/etc/apt/sources.list"
	for path in sources.list sources.list.d auth.conf auth.conf.d preferences preferences.d keyrings trusted.gpg.d; do
		if [ -e "/etc/apt/$path" ]; then rm -rf "$root/etc/apt/$path" && cp -rL "/etc/apt/$path" "$root/etc/apt/"; fi
	done
	cp -rL /usr/share/keyrings/. "$root/usr/share/keyrings/"
	apt-config dump | grep -E '^Acquire::(http|https|Check-|Languages|Retries)' >"$root/etc/apt/apt.conf.d/00machine" || true
	if [ -f /etc/pip.conf ]; then cp -L /etc/pip.conf "$root/etc/"; fi
	if [ -d /etc/xdg/pip ]; then mkdir -p "$root/etc/xdg" && cp -rL /etc/xdg/pip "$root/etc/xdg/"; fi
	if [ -d "$HOME/.pip" ]; then cp -rL "$HOME/.pip" "$root/root/"; fi
	if [ -f "$HOME/.npmrc" ]; then cp -L "$HOME/.npmrc" "$root/root/"; fi
	path=${XDG_CONFIG_HOME:-$HOME/.config}/pip
	if [ -d "$path" ]; then cp -rL "$path" "$root/root/.config/"; fi
	cp -rL /usr/local/share/ca-certificates/. "$root/usr/local/share/ca-certificates/"
	chroot "$root" update-ca-certificates >/dev/null 2>&1
	for path in $(paths_of_pip); do
		if [ -f "$path" ] && [ ! -e "$root$path" ]; then install -D -m 644 "$path" "$root$path"; fi
	done
	# As in a container: what is installed does not start by itself, and need not survive a power cut.
	printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
	chmod 755 "$root/usr/sbin/policy-rc.d"
	echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/unsafe-io"
}

# The files of the checkout as they are now, without what git ignores.
copy_checkout() {
	mkdir -p "$1"
	(cd "$checkout" && git ls-files -z --cached --others --exclude-standard --deduplicate |
		while IFS= read -r -d '' path; do if [ -e "$path" ]; then printf '%s\0' "$path"; fi; done |
		tar --null -T - -cf -) | tar -C "$1" -xf - --no-same-owner
}

# Ends what runs in the namespace, which takes its mounts along, and then takes the system away.
clean_up() {
	if [ -n "$child" ]; then
		# shellcheck disable=SC2046
		kill -KILL $(cat "/proc/$child/task/$child/children" 2>/dev/null) 2>/dev/null || true
		wait "$child" || true
	fi
	rm -rf --one-file-system "$scratch"
}

fail() {
	echo "bare_machine.sh: $1" >&2
	exit 2
}

if [ "${1:-}" = --in-the-namespace ]; then
	shift
	in_the_namespace "$@"
fi
[ $# -gt 0 ] || fail "say what to run: tests/bare_machine.sh make demo"
[ "$(id -u)" = 0 ] || fail "a system of its own can only be made as root"
command -v debootstrap >/dev/null || {
	apt-get update -qq
	apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends debootstrap >/dev/null
}
scratch=$(mktemp -d "${TMPDIR:-/tmp}/bare-machine.XXXXXX")
child=
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
archive=$(system)
mkdir "$scratch/root"
tar -C "$scratch/root" -xf "$archive"
settle "$scratch/root"
copy_checkout "$scratch/root/src"
setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child "$0" --in-the-namespace "$scratch/root" "$@" </dev/null &
child=$!
wait "$child" && ended=0 || ended=$?
child=
exit "$ended"
