#!/usr/bin/env bash
# Through ODBC, polars reads PostgreSQL's double precision as 32-bit floats, and numeric NaN as 0.
#
# Given a connection string, polars reads by arrow-odbc, which goes by what the driver says of a column. psqlodbc
# describes float8 so that it becomes a Float32: 123456789 is read as 123456792, and numbers that differ in the
# table are equal in the frame. A numeric 'NaN' or 'Infinity' becomes the number 0, valid, and in a sum. No error,
# no warning. pyodbc gets every one of them right from the same driver.
#
# Seen with PostgreSQL 15.18, odbc-postgresql 13.02.0000-2, unixODBC 2.3.11 (all Debian 12), arrow-odbc 10.6.2,
# polars 2.1.0, pyodbc 5.5.0:
#     float8 123456789, 123456790     pyodbc 123456789.0, 123456790.0   polars Float32 123456792.0, 123456792.0
#     numeric 1.5, NaN, Infinity      pyodbc 1.5, NaN, Infinity         polars Decimal 1.5, 0, 0
#
# Needs python3 with venv and Debian 12's package lists; nothing is installed on the system.
set -euo pipefail
work=$(mktemp -d)
chmod 755 "$work"
trap '[ -z "${server:-}" ] || { kill -INT "$server" && wait "$server" || true; }; rm -rf "$work"' EXIT

debian() { # unpacks packages below $work/root, with what they need that this machine lacks
	local all
	all=("$@" $(apt-get -s install --no-install-recommends "$@" | awk '/^Inst/ {print $2}'))
	(cd "$work" && apt-get -qq -o APT::Sandbox::User=root download "${all[@]}")
	for deb in "$work"/*.deb; do dpkg-deb -x "$deb" "$work/root"; done
}
debian 'odbc-postgresql=1:13.02.*' 'libodbc2=2.3.11*' 'libodbcinst2=2.3.11*' 'postgresql-15=15.*'
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check polars==2.1.0 arrow-odbc==10.6.2 pyodbc==5.5.0

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
export LD_LIBRARY_PATH="$work/root/usr/lib/$(uname -m)-linux-gnu"
export ODBCSYSINI="$work" # no driver settings of the machine
touch "$work/odbcinst.ini"
user=()
[ "$(id -u)" != 0 ] || user=(setpriv --reuid=nobody --regid=nogroup --clear-groups) # PostgreSQL refuses to run as root
mkdir "$work/data"
[ "$(id -u)" != 0 ] || chown nobody "$work/data"
bin="$work/root/usr/lib/postgresql/15/bin"
"${user[@]}" "$bin/initdb" -D "$work/data" -U reader -A trust --no-sync >/dev/null
"${user[@]}" "$bin/postgres" -D "$work/data" -p "$port" \
	-c listen_addresses=127.0.0.1 -c unix_socket_directories= >"$work/server.log" 2>&1 &
server=$!
for _ in $(seq 100); do (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break; sleep 0.2; done
sleep 1

"$work/venv/bin/python" - "$port" "$LD_LIBRARY_PATH/odbc/psqlodbcw.so" <<'END'
import sys
from decimal import Decimal

import polars as pl
import pyodbc

port, driver = sys.argv[1:]
source = f"Driver={{{driver}}};SERVER=127.0.0.1;PORT={port};UID=reader;DATABASE=postgres;"
query = """SELECT badge, quota FROM (VALUES
    (1, 123456789::float8, '1.5'::numeric), (2, 123456790, 'NaN'), (3, 0.1, 'Infinity')
) seats (n, badge, quota) ORDER BY n"""
badges, quotas = zip(*pyodbc.connect(source).execute(query), strict=True)
frame = pl.read_database(query, source)
print("pyodbc", badges, quotas)
print("polars", frame.schema, frame.rows())
assert badges == (123456789.0, 123456790.0, 0.1)
assert str(quotas) == str((Decimal("1.5"), Decimal("NaN"), Decimal("Infinity")))
assert frame.schema["badge"] == pl.Float32
assert frame["badge"].to_list()[:2] == [123456792.0, 123456792.0]
assert frame["quota"].to_list() == [Decimal("1.5"), 0, 0] and frame["quota"].sum() == Decimal("1.5")
END
echo "as described"
