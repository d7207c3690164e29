#!/usr/bin/env bash
# connectorx, asked to read in parts, leaves out the rows whose partition column is null.
#
# partition_on splits a query into ranges between the column's smallest and largest value, and each part asks for
# its range alone. A row with NULL there is in no range. No error, no warning; the frame is just shorter, and with
# other data it is not: whether a read is whole depends on a column that nobody looks at. polars' read_database_uri
# does the same, by connectorx. One part (partition_num=1) is no way out: it, too, has a range.
#
# Seen with connectorx 0.4.6, polars 2.1.0, SQLite; 100 people, of whom 10 have no department:
#     whole: 100 rows      partition_on="department", 1 or 4 parts: 90 rows, none without a department
#
# Needs python3 with venv; nothing is installed on the system.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check connectorx==0.4.6 polars==2.1.0 pyarrow==26.0.1

"$work/venv/bin/python" - "$work/people.db" <<'END'
import sqlite3
import sys

import connectorx
import polars as pl

path = sys.argv[1]
database = sqlite3.connect(path)
database.execute("CREATE TABLE people (id INTEGER, department INTEGER)")
database.executemany(
    "INSERT INTO people VALUES (?, ?)", [(n, None if n % 10 == 0 else n % 7) for n in range(1, 101)]
)
database.commit()
database.close()

uri, query = f"sqlite://{path}", "SELECT id, department FROM people"
frames = {"whole": pl.read_database_uri(query, uri)}
for parts in (1, 4):
    part = {"partition_on": "department", "partition_num": parts}
    frames[f"polars, {parts} parts"] = pl.read_database_uri(query, uri, **part)
    frames[f"connectorx, {parts} parts"] = connectorx.read_sql(uri, query, return_type="polars", **part)
seen = {name: (frame.height, frame["department"].null_count()) for name, frame in frames.items()}
print(seen)
assert seen.pop("whole") == (100, 10)
assert set(seen.values()) == {(90, 0)}
END
echo "as described"
