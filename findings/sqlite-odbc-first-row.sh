#!/usr/bin/env bash
# SQLite's ODBC driver types a column by its first row: an id becomes null, another one octal, and ORDER BY changes
# both.
#
# A column of a view, of an expression or without a declared type has no type in SQLite; each value has its own. The
# ODBC driver takes the type of the first row's value for all rows. Is that a whole number, then a text in a later
# row is read as C reads one: 'A17' is null, '0017' is octal, so 15, and '12 West' is 12. No error, no warning. In
# the other order the same query gives the texts as they are. What a driver gives a program depends on which row the
# database finds first. And of a column's label only what follows the last dot is told: "hr.id" and "crm.id" are two
# columns "id".
#
# Seen with libsqliteodbc 0.9998-3, unixODBC 2.3.11 (Debian 12), pyodbc 5.5.0, SQLite 3.40.1; badge in a table
# without types:
#     sqlite3           17, 'A17', '0017', '12 West'
#     ODBC, ascending   17, None, 15, 12
#     ODBC, descending  '12 West', '0017', 'A17', '17'
#
# Needs python3 with venv and Debian 12's package lists; nothing is installed on the system.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

debian() { # unpacks packages below $work/root, with what they need that this machine lacks
	local all
	all=("$@" $(apt-get -s install --no-install-recommends "$@" | awk '/^Inst/ {print $2}'))
	(cd "$work" && apt-get -qq -o APT::Sandbox::User=root download "${all[@]}")
	for deb in "$work"/*.deb; do dpkg-deb -x "$deb" "$work/root"; done
}
debian 'libsqliteodbc=0.9998-3*' 'libodbc2=2.3.11*' 'libsqlite3-0=3.40.*'
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check pyodbc==5.5.0

export LD_LIBRARY_PATH="$work/root/usr/lib/$(uname -m)-linux-gnu"
export ODBCSYSINI="$work" # no driver settings of the machine
touch "$work/odbcinst.ini"
"$work/venv/bin/python" - "$LD_LIBRARY_PATH/odbc/libsqlite3odbc.so" "$work/people.db" <<'END'
import sqlite3
import sys

import pyodbc

driver, path = sys.argv[1:]
database = sqlite3.connect(path)
database.execute("CREATE TABLE people (n INTEGER PRIMARY KEY, badge, name TEXT)")
badges = [17, "A17", "0017", "12 West"]
database.executemany("INSERT INTO people (badge, name) VALUES (?, 'x')", [(badge,) for badge in badges])
database.commit()
database.close()
odbc = pyodbc.connect(f"DRIVER={driver};Database={path}").cursor()


def read(query):
    return [row[0] for row in odbc.execute(query).fetchall()]


up, down = read("SELECT badge FROM people ORDER BY n"), read("SELECT badge FROM people ORDER BY n DESC")
worked_out = read("SELECT coalesce(badge, 'none') FROM people ORDER BY n")
odbc.execute('SELECT n AS "hr.id", name AS "crm.id" FROM people')
labels = [column[0] for column in odbc.description]
print("ascending:", up, " descending:", down, " coalesce:", worked_out, " labels:", labels)
assert up == worked_out == [17, None, 15, 12]
assert down == ["12 West", "0017", "A17", "17"]
assert labels == ["id", "id"]
END
echo "as described"
