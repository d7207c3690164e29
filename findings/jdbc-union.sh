#!/usr/bin/env bash
# One query, three Java databases: three different labels and words.
#
# A status by UNION ALL, 'ACTIVE' AS user_status in one half and 'SUSPENDED' in the other, is plain SQL. A literal
# is CHAR of its own length, so the column is CHAR(9) in HSQLDB and Derby, and the shorter word comes padded with
# blanks: 'ACTIVE   ' is no key of a mapping that has ACTIVE. Where the other half repeats no alias, Derby forgets
# the first one's: the column is called "1". By CASE it is different again: HSQLDB pads, Derby says CHAR(9) and does
# not. H2 makes a VARCHAR of both and pads nothing.
#
# Seen with H2 2.1.214, HSQLDB 2.7.1, Derby 10.14.2.0 (jars of Debian 12), JPype1 1.7.1, Java 17:
#                                    H2                    HSQLDB                   Derby
#     UNION ALL, alias in one half   USER_STATUS 'ACTIVE'  USER_STATUS 'ACTIVE   '  1 'ACTIVE   '
#     UNION ALL, alias in both       USER_STATUS 'ACTIVE'  USER_STATUS 'ACTIVE   '  USER_STATUS 'ACTIVE   '
#     CASE                           USER_STATUS 'ACTIVE'  USER_STATUS 'ACTIVE   '  USER_STATUS 'ACTIVE'
#
# Needs python3 with venv, Java 11 or newer, and Debian 12's package lists; nothing is installed on the
# system.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$work" && apt-get -qq -o APT::Sandbox::User=root download \
	'libh2-java=2.1.214*' 'libhsqldb-java=2.7.1*' 'libderby-java=10.14.2.0*')
for deb in "$work"/*.deb; do dpkg-deb -x "$deb" "$work/root"; done
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check JPype1==1.7.1

cd "$work" # Derby writes its log into the current folder
"$work/venv/bin/python" - "$work/root/usr/share/java" <<'END'
import sys

import jpype

jars = [f"{sys.argv[1]}/{name}.jar" for name in ("h2", "hsqldb", "derby")]
jpype.startJVM(classpath=jars, convertStrings=True)
URLS = {"H2": "jdbc:h2:mem:x", "HSQLDB": "jdbc:hsqldb:mem:x", "Derby": "jdbc:derby:memory:x;create=true"}
HALF = """SELECT 'ACTIVE' AS user_status FROM people WHERE gone = 0
    UNION ALL SELECT 'SUSPENDED'{} FROM people WHERE gone = 1"""
QUERIES = {
    "one alias": HALF.format(""),
    "two aliases": HALF.format(" AS user_status"),
    "case": "SELECT CASE WHEN gone = 1 THEN 'SUSPENDED' ELSE 'ACTIVE' END AS user_status FROM people",
}


def read(url):
    connection = jpype.java.sql.DriverManager.getConnection(url, "sa", "")
    statement = connection.createStatement()
    statement.execute("CREATE TABLE people (gone INT)")
    statement.execute("INSERT INTO people VALUES (0), (1)")
    seen = {}
    for name, query in QUERIES.items():
        rows = statement.executeQuery(query)
        label, words = rows.getMetaData().getColumnLabel(1), []
        while rows.next():
            words.append(rows.getString(1))
        seen[name] = (label, sorted(words)[0])
    connection.close()
    return seen


seen = {name: read(url) for name, url in URLS.items()}
for name, found in seen.items():
    print(name, found)
short, padded = ("USER_STATUS", "ACTIVE"), ("USER_STATUS", "ACTIVE   ")
assert seen["H2"] == dict.fromkeys(QUERIES, short)
assert seen["HSQLDB"] == dict.fromkeys(QUERIES, padded)
assert seen["Derby"] == {"one alias": ("1", "ACTIVE   "), "two aliases": padded, "case": short}
END
echo "as described"
