#!/usr/bin/env bash
# pandera's drop_invalid_rows, on a polars frame, also drops every complaint that is not about a row.
#
# The option promises to take the bad rows away and return the good ones. It also returns, without a word, what is
# wrong as a whole: a frame that lacks a required column, has one of another type, has one too many under
# strict=True, or repeats what unique=["id"] forbids. The same schema without the option refuses all of these. And
# where one value cannot be coerced, its row is dropped, but the column stays text under a schema that says Int64,
# and its checks are not made: "99" passes Check.le(9) because some other row had an "x". unique=True on the column,
# in contrast, drops both of two equal rows, the first one too.
#
# Seen with pandera 0.35.0 and polars 2.1.0, lazy=True:
#     id twice, unique=["id"]                      a b a: nothing dropped
#     id twice, Column(str, unique=True)           b
#     required column missing, strict, wrong type  returned as it came
#     Column(int, Check.le(9), coerce=True)        "1" "x" "99" -> "1" "99", String;   "1" "9" "99" -> 1 9, Int64
#
# Needs python3 with venv; nothing is installed on the system.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check 'pandera[polars]==0.35.0' polars==2.1.0

"$work/venv/bin/python" -W error - <<'END'
import pandera.polars as pa
import polars as pl
from pandera.errors import SchemaErrors

TEXT, NUMBER = pa.Column(str), pa.Column(int)
twice = pl.DataFrame({"id": ["a", "b", "a"]})
level = {"level": pa.Column(int, pa.Check.le(9), coerce=True)}


def validated(columns, frame, **options):
    """What is left of the frame, after the same schema without the option has refused it."""
    try:
        pa.DataFrameSchema(columns, **options).validate(frame, lazy=True)
    except SchemaErrors:
        left = pa.DataFrameSchema(columns, drop_invalid_rows=True, **options).validate(frame, lazy=True)
        print(left.schema, left.rows())
        return left
    raise AssertionError("not refused")


whole = {
    "repeated": validated({"id": TEXT}, twice, unique=["id"]),
    "a column missing": validated({"id": TEXT, "mail": TEXT}, twice),
    "another type": validated({"id": NUMBER}, twice),
}
assert all(left.equals(twice) for left in whole.values())
more = twice.with_columns(mail=pl.lit("x"))
assert validated({"id": TEXT}, more, strict=True).equals(more)
assert validated({"id": pa.Column(str, unique=True)}, twice)["id"].to_list() == ["b"]

coerced = validated(level, pl.DataFrame({"level": ["1", "9", "99"]}))["level"]
assert (coerced.dtype, coerced.to_list()) == (pl.Int64, [1, 9])
unlike = validated(level, pl.DataFrame({"level": ["1", "x", "99"]}))["level"]
assert (unlike.dtype, unlike.to_list()) == (pl.String, ["1", "99"])
END
echo "as described"
