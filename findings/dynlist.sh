#!/usr/bin/env bash
# OpenLDAP finds a dynamic group by who is in it, but not in a search that is paged.
#
# The overlay dynlist gives the group that a memberURL describes its `member` values, and a filter on `member` finds
# it, as (memberOf=GROUP) finds the people. Ask the same with the paged results control, and the group is not there:
# no error, no referral, "success". A group that lists its members is found either way, so an export of "all groups
# that have members", which any client makes page by page, loses just the dynamic ones. And while (memberOf=GROUP)
# finds who is in it, (memberOf=*) finds nobody, though the attribute is there when it is asked for, on the same
# entries.
#
# Seen with slapd 2.5.13+dfsg-5 (Debian 12, back-mdb) and ldap3 2.9.1; "staff" is dynamic, "board" lists its member:
#     (member=*)            at once: board, staff   in pages: board
#     (member=uid=ada,...)  at once: staff          in pages: nothing
#     (memberOf=cn=staff,...)  ada, ben             (memberOf=*)  nobody; memberOf is read from ada all the same
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
mkdir "$work/data"
{
	for schema in core cosine inetorgperson dyngroup; do echo "include $work/root/etc/ldap/schema/$schema.schema"; done
	cat <<-END
	modulepath $work/root/usr/lib/ldap
	moduleload back_mdb
	moduleload dynlist
	database mdb
	suffix "dc=example,dc=org"
	directory $work/data
	overlay dynlist
	dynlist-attrset groupOfURLs memberURL member+memberOf@groupOfNames
	END
} >"$work/slapd.conf"
cat >"$work/entries.ldif" <<'END'
dn: dc=example,dc=org
objectClass: domain
dc: example

dn: uid=ada,dc=example,dc=org
objectClass: inetOrgPerson
uid: ada
cn: Ada
sn: Adler
employeeType: staff

dn: uid=ben,dc=example,dc=org
objectClass: inetOrgPerson
uid: ben
cn: Ben
sn: Huber
employeeType: staff

dn: uid=cleo,dc=example,dc=org
objectClass: inetOrgPerson
uid: cleo
cn: Cleo
sn: Zahn

dn: cn=staff,dc=example,dc=org
objectClass: groupOfURLs
cn: staff
memberURL: ldap:///dc=example,dc=org??sub?(employeeType=staff)

dn: cn=board,dc=example,dc=org
objectClass: groupOfNames
cn: board
member: uid=cleo,dc=example,dc=org
END
"$work/root/usr/sbin/slapadd" -q -f "$work/slapd.conf" -l "$work/entries.ldif"
"$work/root/usr/sbin/slapd" -f "$work/slapd.conf" -h "ldap://127.0.0.1:$port" -d 0 2>"$work/slapd.log" &
slapd=$!
for _ in $(seq 50); do (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break; sleep 0.2; done

"$work/venv/bin/python" - "$port" <<'END'
import sys

import ldap3

server = ldap3.Server("127.0.0.1", port=int(sys.argv[1]), get_info=ldap3.NONE)
connection = ldap3.Connection(server, auto_bind=True, return_empty_attributes=False)


def found(filter, attribute="cn", **pages):
    connection.search("dc=example,dc=org", filter, attributes=[attribute, "memberOf"], **pages)
    assert connection.result["description"] == "success", connection.result
    return sorted(entry["attributes"][attribute][0] for entry in connection.response)


def both(filter):
    once, paged = found(filter), found(filter, paged_size=100)
    print(f"{filter:35} at once: {once}  in pages: {paged}")
    return once, paged


assert both("(member=*)") == (["board", "staff"], ["board"])
assert both("(member=uid=ada,dc=example,dc=org)") == (["staff"], [])
assert both("(member=uid=cleo,dc=example,dc=org)") == (["board"], ["board"])

staff = found("(memberOf=cn=staff,dc=example,dc=org)", "uid")
assert "memberOf" in connection.response[0]["attributes"]
anyone = found("(memberOf=*)", "uid")
print(f"(memberOf=cn=staff,...) {staff}  (memberOf=*) {anyone}")
assert (staff, anyone) == (["ada", "ben"], [])
END
echo "as described"
