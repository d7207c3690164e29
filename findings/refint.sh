#!/usr/bin/env bash
# OpenLDAP takes a deleted person out of a group, and nothing that tells of changes tells of it.
#
# The overlay refint keeps references whole: where a person is deleted, it takes the name out of groups and
# `manager`. It writes modifiersName, but neither modifyTimestamp nor entryCSN. So whoever reads "what changed
# since" misses the group that lost a member and the person who lost a manager, whichever way is asked: a filter on
# modifyTimestamp, a syncrepl refresh by its cookie, or the access log of the overlay accesslog, which has the
# deletion alone. An ordinary modification is told by all three.
#
# Seen with slapd 2.5.13+dfsg-5 (Debian 12, back-mdb, refint, syncprov, accesslog) and ldap3 2.9.1, a second after
# uid=ada was deleted, who was in cn=board and Ben's manager, and Cleo was given a title:
#     cn=board   member gone, modifiersName "cn=Referential Integrity Overlay", modifyTimestamp and entryCSN as before
#     uid=ben    manager gone, the same
#     modifyTimestamp>=, the refresh: cleo     the access log: delete ada, modify cleo
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
mkdir "$work/data" "$work/log"
{
	for schema in core cosine inetorgperson; do echo "include $work/root/etc/ldap/schema/$schema.schema"; done
	cat <<-END
	modulepath $work/root/usr/lib/ldap
	moduleload back_mdb
	moduleload refint
	moduleload syncprov
	moduleload accesslog
	database mdb
	suffix cn=log
	rootdn cn=log
	directory $work/log
	database mdb
	suffix "dc=example,dc=org"
	rootdn "cn=admin,dc=example,dc=org"
	rootpw invented
	directory $work/data
	overlay refint
	refint_attributes member manager
	overlay syncprov
	overlay accesslog
	logdb cn=log
	logops writes
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

dn: uid=ben,dc=example,dc=org
objectClass: inetOrgPerson
uid: ben
cn: Ben
sn: Huber
manager: uid=ada,dc=example,dc=org

dn: uid=cleo,dc=example,dc=org
objectClass: inetOrgPerson
uid: cleo
cn: Cleo
sn: Zahn

dn: cn=board,dc=example,dc=org
objectClass: groupOfNames
cn: board
member: uid=ada,dc=example,dc=org
member: uid=ben,dc=example,dc=org
END
"$work/root/usr/sbin/slapadd" -q -w -f "$work/slapd.conf" -b dc=example,dc=org -l "$work/entries.ldif"
"$work/root/usr/sbin/slapd" -f "$work/slapd.conf" -h "ldap://127.0.0.1:$port" -d 0 2>"$work/slapd.log" &
slapd=$!
for _ in $(seq 50); do (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break; sleep 0.2; done

"$work/venv/bin/python" - "$port" <<'END'
import sys
import time
from datetime import datetime, timezone

import ldap3

base = "dc=example,dc=org"
server = ldap3.Server("127.0.0.1", port=int(sys.argv[1]), get_info=ldap3.NONE)
connection = ldap3.Connection(server, f"cn=admin,{base}", "invented", auto_bind=True, return_empty_attributes=False)
times = ["modifyTimestamp", "entryCSN", "modifiersName"]


def search(filter, attributes=("cn",), under=base, controls=None):
    connection.search(
        under, filter, attributes=list(attributes), controls=controls, dereference_aliases=ldap3.DEREF_NEVER
    )
    assert connection.result["description"] == "success", connection.result
    return [entry for entry in connection.response if entry["type"] == "searchResEntry"]


def entry(filter, *attributes):
    return search(filter, [*attributes, *times])[0]["attributes"]


def refreshed(cookie):
    value = b"\x0a\x01\x01\x04" + bytes([len(cookie)]) + cookie  # refreshOnly, from the cookie on
    control = ("1.3.6.1.4.1.4203.1.9.1.1", True, b"\x30" + bytes([len(value)]) + value)
    return sorted(found["attributes"]["cn"][0] for found in search("(objectClass=*)", controls=[control]))


before = {name: entry(f"(cn={name})", "member", "manager") for name in ("board", "Ben")}
cookie = b"rid=001,csn=" + search("(dc=example)", ["contextCSN"])[0]["attributes"]["contextCSN"][0].encode()
time.sleep(1.1)
since = datetime.now(timezone.utc).strftime("%Y%m%d%H%M%SZ")

assert connection.delete(f"uid=ada,{base}"), connection.result
assert connection.modify(f"uid=cleo,{base}", {"title": [(ldap3.MODIFY_REPLACE, ["Auditor"])]}), connection.result
time.sleep(1.1)  # the overlay may write after it has answered

for name, lost in (("board", "member"), ("Ben", "manager")):
    after = entry(f"(cn={name})", "member", "manager")
    print(name, before[name].get(lost), "->", after.get(lost), after["modifiersName"])
    assert before[name][lost] != after.get(lost)
    assert after["modifiersName"] == ["cn=Referential Integrity Overlay"]
    assert [after[key] for key in times[:2]] == [before[name][key] for key in times[:2]]

stamped = sorted(found["attributes"]["cn"][0] for found in search(f"(modifyTimestamp>={since})") if found["attributes"])
logged = [found["attributes"] for found in search("(reqType=*)", ["reqType", "reqDN"], "cn=log")]
logged = sorted(f"{found['reqType'][0]} {found['reqDN'][0].split(',')[0]}" for found in logged)
print("by modifyTimestamp:", stamped, " by refresh:", refreshed(cookie), " in the access log:", logged)
assert stamped == refreshed(cookie) == ["Cleo"]
assert logged == ["delete uid=ada", "modify uid=cleo"]
END
echo "as described"
