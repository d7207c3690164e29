#!/usr/bin/env bash
# In OpenLDAP, a search that ends on a full page makes the next one on that connection begin in the wrong database.
#
# One tree in two databases: ou=west lies in one of its own, which says `subordinate`. A paged search over all of it
# that finds an exact multiple of the page size gives everything, and then an empty cookie. The next paged search on
# the same connection, whatever it looks for, gives with "success" only what the subordinate database holds; the one
# after that is whole again, unless that one ended on a full page, too. So who reads all people and then all groups
# over one connection loses the groups of the main database on those nights on which the number of people is a
# multiple of the page size. At once, or after a search that ended otherwise, nothing is missing.
#
# Seen with slapd 2.5.13+dfsg-5 (Debian 12, back-mdb) and ldap3 2.9.1; ten people, eight groups (three in the west):
#     pages of 2    people 10   groups 3   groups 8
#     pages of 5    people 10   groups 3   groups 8
#     pages of 3    people 10   groups 8   groups 8
#     no pages      people 10   groups 8   groups 8
#
# Needs python3 with venv and Debian 12's package lists; nothing is installed on the system.
set -euo pipefail
work=$(mktemp -d)
trap '[ -z "${slapd:-}" ] || { kill "$slapd" && wait "$slapd" || true; }; rm -rf "$work"' EXIT

debian() { # unpacks packages below $work/root, with what they need that this machine lacks
	local all
	all=("$@" $(apt-get -s install --no-install-recommends "$@" | awk '/^Inst/ {print $2}'))
	(cd "$work" && apt-get -qq -o APT::Sandbox::User=root download "${all[@]}")
	for deb in "$work"/*.deb; do dpkg-deb -x "$deb" "$work/root"; done
}
debian 'slapd=2.5.*'
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check ldap3==2.9.1

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
export LD_LIBRARY_PATH="$work/root/usr/lib/$(uname -m)-linux-gnu"
mkdir "$work/west" "$work/main"
{
	for schema in core cosine inetorgperson; do echo "include $work/root/etc/ldap/schema/$schema.schema"; done
	cat <<-END
	modulepath $work/root/usr/lib/ldap
	moduleload back_mdb
	database mdb
	suffix "ou=west,dc=example,dc=org"
	subordinate
	directory $work/west
	database mdb
	suffix "dc=example,dc=org"
	directory $work/main
	END
} >"$work/slapd.conf"

python3 - "$work" <<'END'
import pathlib
import sys

work, base = pathlib.Path(sys.argv[1]), "dc=example,dc=org"


def entries(below, people, groups):
    for name in people:
        yield f"dn: uid={name},{below}\nobjectClass: inetOrgPerson\nuid: {name}\ncn: {name}\nsn: {name}\n"
    for number, name in enumerate(groups):
        yield f"dn: cn={name},{below}\nobjectClass: groupOfNames\ncn: {name}\nmember: uid={people[number]},{below}\n"


west, east = f"ou=west,{base}", [f"dn: {base}\nobjectClass: domain\ndc: example\n"]
east += entries(base, [f"e{n}" for n in range(6)], [f"east{n}" for n in range(5)])
(work / "main.ldif").write_text("\n".join(east))
there = [f"dn: {west}\nobjectClass: organizationalUnit\nou: west\n"]
there += entries(west, [f"w{n}" for n in range(4)], [f"west{n}" for n in range(3)])
(work / "west.ldif").write_text("\n".join(there))
END
"$work/root/usr/sbin/slapadd" -q -f "$work/slapd.conf" -b dc=example,dc=org -l "$work/main.ldif"
"$work/root/usr/sbin/slapadd" -q -f "$work/slapd.conf" -b ou=west,dc=example,dc=org -l "$work/west.ldif"
"$work/root/usr/sbin/slapd" -f "$work/slapd.conf" -h "ldap://127.0.0.1:$port" -d 0 2>"$work/slapd.log" &
slapd=$!
for _ in $(seq 50); do (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break; sleep 0.2; done

"$work/venv/bin/python" - "$port" <<'END'
import sys

import ldap3

PAGED = "1.2.840.113556.1.4.319"
server = ldap3.Server("127.0.0.1", port=int(sys.argv[1]), get_info=ldap3.NONE)


def count(connection, filter, size):
    found, cookie = 0, None
    while True:
        connection.search("dc=example,dc=org", filter, attributes=["1.1"], paged_size=size, paged_cookie=cookie)
        assert connection.result["description"] == "success", connection.result
        found += len(connection.response)
        cookie = connection.result["controls"][PAGED]["value"]["cookie"] if size else None
        if not cookie:
            return found


def counts(size):
    with ldap3.Connection(server) as connection:
        people = count(connection, "(objectClass=inetOrgPerson)", size)
        groups = [count(connection, "(objectClass=groupOfNames)", size) for _ in range(2)]
    print(f"{f'pages of {size}' if size else 'no pages':13} people {people}   groups {groups[0]}   groups {groups[1]}")
    return people, *groups


assert counts(2) == (10, 3, 8)
assert counts(5) == (10, 3, 8)
assert counts(3) == (10, 8, 8)
assert counts(None) == (10, 8, 8)
END
echo "as described"
