#!/usr/bin/env bash
# MariaDB's ODBC driver and arrow-odbc turn 1, 2, 3, 4 into 1, 0, 2, 0, and every bit into null.
#
# polars reads a database through ODBC where it is given a connection string, with arrow-odbc, which asks the driver
# for many rows at once, a column at a time. Of a FLOAT column the n-th value then stands in row 2n - 1, with zeros
# between, and the second half is lost. A BIT(1) is null in every row. No error, no warning, the number of rows is
# right, and so are DOUBLE and TINYINT(1). pyodbc, which takes a value at a time from the same driver, reads all of
# it right. So a flag "is active" that is a BIT(1) is unknown for everybody, and a first try with one row shows the
# FLOAT as it is.
#
# Seen with MariaDB 10.11.19, odbc-mariadb 3.1.15-3, unixODBC 2.3.11 (all Debian 12), arrow-odbc 10.6.2, polars
# 2.1.0, pyodbc 5.5.0:
#     in the table  FLOAT 1 2 3 4 5 6   BIT(1) 1 0 1 0 1 0
#     polars        FLOAT 1 0 2 0 3 0   BIT(1) null, six times
#
# Needs python3 with venv and Debian 12's package lists; nothing is installed on the system.
set -euo pipefail
work=$(mktemp -d)
trap '[ -z "${server:-}" ] || { kill "$server" && wait "$server" || true; }; rm -rf "$work"' EXIT

debian() { # unpacks packages below $work/root, with what they need that this machine lacks
	local all
	all=("$@" $(apt-get -s install --no-install-recommends "$@" | awk '/^Inst/ {print $2}'))
	(cd "$work" && apt-get -qq -o APT::Sandbox::User=root download "${all[@]}")
	for deb in "$work"/*.deb; do dpkg-deb -x "$deb" "$work/root"; done
}
debian 'odbc-mariadb=3.1.15*' 'libodbc2=2.3.11*' 'libmariadb3=1:10.11.*' \
	'mariadb-server=1:10.11.*' 'mariadb-server-core=1:10.11.*' 'mariadb-client-core=1:10.11.*'
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check polars==2.1.0 arrow-odbc==10.6.2 \
	pyodbc==5.5.0 PyMySQL==1.2.4

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
export LD_LIBRARY_PATH="$work/root/usr/lib/$(uname -m)-linux-gnu"
export ODBCSYSINI="$work" # no driver settings of the machine
touch "$work/odbcinst.ini"
mkdir "$work/mariadb"
options=(--no-defaults --datadir="$work/mariadb/data" --basedir="$work/root/usr" --user="$(id -un)")
"$work/root/usr/bin/mariadb-install-db" "${options[@]}" --skip-test-db \
	--auth-root-authentication-method=normal >"$work/mariadb.log" 2>&1
"$work/root/usr/sbin/mariadbd" "${options[@]}" --port="$port" --bind-address=127.0.0.1 \
	--socket="$work/mariadb/socket" --pid-file="$work/mariadb/pid" >>"$work/mariadb.log" 2>&1 &
server=$!
for _ in $(seq 100); do (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break; sleep 0.2; done

"$work/venv/bin/python" - "$port" "$LD_LIBRARY_PATH/odbc/libmaodbc.so" <<'END'
import sys

import polars as pl
import pymysql
import pyodbc

port, driver = sys.argv[1:]
writer = pymysql.connect(host="127.0.0.1", port=int(port), user="root", autocommit=True)
with writer, writer.cursor() as cursor:
    cursor.execute("CREATE DATABASE work")
    cursor.execute("CREATE TABLE work.seats (id int, share float, worth double, active bit(1), flag tinyint(1))")
    for row in range(1, 7):
        cursor.execute("INSERT INTO work.seats VALUES (%s, %s, %s, %s, %s)", [row, row, row, row % 2, row % 2])

source = f"Driver={{{driver}}};SERVER=127.0.0.1;PORT={port};UID=root;DATABASE=work;"
query = "SELECT share, worth, active, flag FROM seats ORDER BY id"
single = pyodbc.connect(source).execute(query).fetchall()
frame = pl.read_database(query, source)
print(frame)
numbers, bits = [1, 2, 3, 4, 5, 6], [1, 0, 1, 0, 1, 0]
assert [list(column) for column in zip(*single, strict=True)] == [numbers, numbers, bits, bits]
assert frame["worth"].to_list() == numbers and frame["flag"].to_list() == bits
assert frame["share"].to_list() == [1, 0, 2, 0, 3, 0]
assert frame["active"].to_list() == [None] * 6
one = pl.read_database(query + " LIMIT 1", source)
assert one["share"].to_list() == [1] and one["active"].to_list() == [None]
END
echo "as described"
