#!/usr/bin/env bash
# After a hundred whole numbers polars reads the id '0017' from a database as 17, '1e3' as 1000, and 2.75 as 2.
#
# Where a driver names no types, as sqlite3 does not, pl.read_database goes by the first 100 rows. A column that
# holds whole numbers there becomes Int64, and what comes after it is made to fit: a float loses its fraction, a
# text that reads as a number becomes one and loses its zeros. No error, no warning, and the last digits of the
# frame look like all the others. Only a text that is no number ('A17') is an error, so one would expect the others
# to be; pl.read_csv, which looks at the first rows too, refuses a float after whole numbers. pl.DataFrame(rows,
# orient="row") does the same; infer_schema_length=None keeps everything.
#
# Seen with polars 2.1.0 and Python's sqlite3; rows 1 to 100 are whole numbers, then '0017', '1e3', 2.75, -0.5:
#     read_database                            Int64   17, 1000, 2, 0
#     read_database, infer_schema_length=None  String  '0017', '1e3', '2.75', '-0.5'
#     read_csv with 2.75 in row 101            ComputeError
#
# Needs python3 with venv; nothing is installed on the system.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check polars==2.1.0

"$work/venv/bin/python" - <<'END'
import io
import sqlite3

import polars as pl

numbers, odd = list(range(1, 101)), ["0017", "1e3", 2.75, -0.5]
database = sqlite3.connect(":memory:")
database.execute("CREATE TABLE people (n INTEGER PRIMARY KEY, badge)")
database.executemany("INSERT INTO people (badge) VALUES (?)", [(badge,) for badge in numbers + odd])
query = "SELECT badge FROM people ORDER BY n"


def last(frame):
    return frame.schema["badge"], frame["badge"].to_list()[-4:]


read = last(pl.read_database(query, database))
rows = last(pl.DataFrame(database.execute(query).fetchall(), schema=["badge"], orient="row"))
whole = last(pl.read_database(query, database, infer_schema_length=None))
print("read_database", read, " DataFrame", rows, " all rows looked at", whole)
assert read == rows == (pl.Int64, [17, 1000, 2, 0])
assert whole == (pl.String, ["0017", "1e3", "2.75", "-0.5"])

refused = []
for way in (
    lambda: pl.read_csv(io.StringIO("badge\n" + "".join(f"{n}\n" for n in [*numbers, 2.75])), infer_schema_length=100),
    lambda: pl.DataFrame([(n,) for n in [*numbers, "A17"]], schema=["badge"], orient="row"),
):
    try:
        print(way())
    except pl.exceptions.ComputeError:
        refused.append(way)
assert len(refused) == 2
END
echo "as described"
