#!/usr/bin/env bash
# Behind an LDAP proxy, one client's pages end another client's, and ldap3 takes that for the end.
#
# OpenLDAP keeps one paged search a connection. Its proxy, back-ldap, sends anonymous clients through upstream
# connections that they share, so a paged search that somebody else begins in between puts an end to ours: the next
# page is refused. ldap3's paged_search, as it comes (raise_exceptions is False), stops there like at the last page:
# no exception, no warning, a list that is too short. Only connection.result says so, and only until the next
# operation. Asked directly, the same server serves both.
#
# Seen with slapd 2.5.13+dfsg-5 (Debian 12; back-ldap before back-mdb) and ldap3 2.9.1; 25 people, pages of 10, a
# second reader between the first one's page one and page two:
#     directly           25 and 25, success
#     through the proxy  10 and 25, protocolError (or unwillingToPerform)
# conn-pool-max 1 makes sure that the two share a connection; with the 16 of a default it was so for the first
# readers after each start of the proxy, later by chance.
#
# Needs python3 with venv and Debian 12's package lists; nothing is installed on the system.
set -euo pipefail
work=$(mktemp -d)
servers=()
trap 'for server in "${servers[@]}"; do kill "$server" && wait "$server" || true; done; rm -rf "$work"' EXIT

debian() { # unpacks packages below $work/root, with what they need that this machine lacks
	local all
	all=("$@" $(apt-get -s install --no-install-recommends "$@" | awk '/^Inst/ {print $2}'))
	(cd "$work" && apt-get -qq -o APT::Sandbox::User=root download "${all[@]}")
	for deb in "$work"/*.deb; do dpkg-deb -x "$deb" "$work/root"; done
}
debian 'slapd=2.5.*'
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check ldap3==2.9.1
export LD_LIBRARY_PATH="$work/root/usr/lib/$(uname -m)-linux-gnu"

serve() { # a configuration that ends with the lines given, on a free port, in the variable of its name
	local port
	port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	{
		for schema in core cosine inetorgperson; do echo "include $work/root/etc/ldap/schema/$schema.schema"; done
		printf '%s\n' "modulepath $work/root/usr/lib/ldap" "moduleload back_mdb" "moduleload back_ldap" "${@:2}"
	} >"$work/$1.conf"
	[ "$1" = proxy ] || "$work/root/usr/sbin/slapadd" -q -f "$work/$1.conf" -l "$work/entries.ldif"
	"$work/root/usr/sbin/slapd" -f "$work/$1.conf" -h "ldap://127.0.0.1:$port" -d 0 2>"$work/$1.log" &
	servers+=($!)
	for _ in $(seq 50); do (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break; sleep 0.2; done
	declare -g "$1=$port"
}
mkdir "$work/data"
{
	printf '%s\n' "dn: dc=example,dc=org" "objectClass: domain" "dc: example" ""
	for n in $(seq 101 125); do
		printf '%s\n' "dn: uid=p$n,dc=example,dc=org" "objectClass: inetOrgPerson" "uid: p$n" "cn: P $n" "sn: P" ""
	done
} >"$work/entries.ldif"
serve server "database mdb" "suffix dc=example,dc=org" "directory $work/data"
serve proxy "database ldap" "suffix dc=example,dc=org" "uri ldap://127.0.0.1:$server" "conn-pool-max 1"

"$work/venv/bin/python" - "$server" "$proxy" <<'END'
import sys

import ldap3


def read(port):
    """The people that come, one by one, and what the connection says last."""
    connection = ldap3.Connection(ldap3.Server("127.0.0.1", port=port, get_info=ldap3.NONE), auto_bind=True)
    people = connection.extend.standard.paged_search(
        "dc=example,dc=org", "(uid=*)", attributes=["uid"], paged_size=10, generator=True
    )
    return people, connection


def together(port):
    ours, connection = read(port)
    next(ours)
    theirs = len(list(read(port)[0]))
    return 1 + len(list(ours)), theirs, connection.result["description"]


direct, proxied = (together(int(port)) for port in sys.argv[1:])
alone = len(list(read(int(sys.argv[2]))[0]))
print("directly:", direct, " through the proxy:", proxied, " through the proxy, alone:", alone)
assert direct == (25, 25, "success") and alone == 25
assert proxied[:2] == (10, 25) and proxied[2] != "success"
END
echo "as described"
