#!/usr/bin/env bash
# One text in the column, and ADBC's SQLite driver tells every float of it with seven digits.
#
# A SQLite column without a strict type may hold floats and a text. ADBC's driver looks at the first rows; where it
# finds a text, the whole column is text, and a float is printed with six decimals and an exponent: a login at
# 1767322800.5 seconds becomes '1.767323e+09', three minutes later, and so does one of a hundred seconds after.
# Without the text the same rows come as exact doubles; whole numbers beside the text keep every digit. polars'
# read_database_uri(engine="adbc") gives the same; by Python's sqlite3 nothing is lost.
#
# Seen with adbc-driver-sqlite 1.13.0, polars 2.1.0:
#     1767322800.5, 1767322900.5, 'never'   '1.767323e+09', '1.767323e+09', 'never'
#     1767322800.5, 1767322900.5            1767322800.5, 1767322900.5
#     1767322800, 'never'                   '1767322800', 'never'
#
# Needs python3 with venv; nothing is installed on the system.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check \
	adbc-driver-sqlite==1.13.0 adbc-driver-manager==1.13.0 pyarrow==26.0.1 polars==2.1.0

"$work/venv/bin/python" - "$work/logins.db" <<'END'
import sqlite3
import sys

import polars as pl
from adbc_driver_sqlite import dbapi

path = sys.argv[1]


def read(*values):
    """A column of these values as ADBC reads it, the same by polars, and by sqlite3."""
    database = sqlite3.connect(path)
    database.execute("DROP TABLE IF EXISTS logins")
    database.execute("CREATE TABLE logins (last)")
    database.executemany("INSERT INTO logins VALUES (?)", [(value,) for value in values])
    database.commit()
    plain = [row[0] for row in database.execute("SELECT last FROM logins")]
    database.close()
    with dbapi.connect(path) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT last FROM logins")
        arrow = cursor.fetch_arrow_table().column(0).to_pylist()
    frame = pl.read_database_uri("SELECT last FROM logins", f"sqlite:///{path}", engine="adbc")
    print(plain, "->", arrow)
    assert frame["last"].to_list() == arrow and plain == list(values)
    return arrow


times = [1767322800.5, 1767322900.5]
assert read(*times) == times
assert read(*times, "never") == ["1.767323e+09", "1.767323e+09", "never"]
assert read(1767322800, "never") == ["1767322800", "never"]
END
echo "as described"
