#!/usr/bin/env bash
# dlt makes one column of two, and keeps the last one's values.
#
# Names go through a naming convention before they are loaded, snake_case unless one says otherwise: "userId" and
# "user_id" are both user_id, "ID" and "id" are both id, and of a name in other letters nothing is left but an x: 部署
# (department) and 役職 (title) are both x. Two columns of one row that meet so are loaded as one, with the value of
# the later. No error, no warning, no failed job, every row is there; the department is the title.
#
# Seen with dlt 1.31.0 and duckdb 2.0.1 as the destination:
#     {"userId": 1, "user_id": 2}     user_id = 2
#     {"ID": "a", "id": "b"}          id = b
#     {"部署": "営業", "役職": "部長"}  x = 部長
#
# Needs python3 with venv; nothing is installed on the system.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check 'dlt[duckdb]==1.31.0' duckdb==2.0.1

cd "$work"
export DLT_DATA_DIR="$work/dlt" RUNTIME__DLTHUB_TELEMETRY=false PYTHONUTF8=1
"$work/venv/bin/python" -W error - 2>"$work/said" <<'END' || { cat "$work/said" >&2; exit 1; }
import dlt
import duckdb

pipeline = dlt.pipeline("people", destination=dlt.destinations.duckdb("people.duckdb"), dataset_name="loaded")


def loaded(table, row):
    pipeline.run([row], table_name=table).raise_on_failed_jobs()
    with duckdb.connect("people.duckdb") as database:
        [columns] = database.execute(f"SELECT * EXCLUDE (_dlt_id, _dlt_load_id) FROM loaded.{table}").fetchall()
        names = [column[0] for column in database.description][: len(columns)]
    print(row, "->", dict(zip(names, columns, strict=True)))
    return dict(zip(names, columns, strict=True))


assert loaded("a", {"userId": 1, "user_id": 2}) == {"user_id": 2}
assert loaded("b", {"ID": "a", "id": "b"}) == {"id": "b"}
assert loaded("c", {"部署": "営業", "役職": "部長"}) == {"x": "部長"}
END
[ ! -s "$work/said" ] # nothing was said, and no warning
echo "as described"
