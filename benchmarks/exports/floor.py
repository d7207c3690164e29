"""The floor: read, normalize and encode with bare polars, as fast as is known, unchecked.

No row is judged, nothing is rejected or merged, no plan is made, ids may repeat, a cut line becomes
an account with empty fields.
"""

import io
import sys
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl

SLICE = 20_000
STATES = {"enabled": "ACTIVE", "disabled": "SUSPENDED", "gone": "DEPROVISIONED"}


def main() -> None:
    """`python -m benchmarks.exports.floor accounts.csv bodies.json`."""
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    raw = pl.scan_csv(
        source, infer_schema=False, truncate_ragged_lines=True, missing_columns="insert"
    )
    accounts = raw.select(
        pl.col("user_id").alias("unique_identifier"),
        pl.col("mail").str.strip_chars().alias("email"),
        pl.col("first").str.strip_chars().alias("first_name"),
        pl.col("last").str.strip_chars().alias("last_name"),
        pl.col("state").str.strip_chars().replace(STATES).alias("status"),
        pl.col("seen")
        .str.to_datetime("%Y-%m-%dT%H:%M:%SZ", strict=False)
        .dt.to_string("%Y-%m-%dT%H:%M:%SZ")
        .alias("last_login"),
        "department",
        "title",
        "site",
        "roles",
    ).collect(engine="streaming")
    starts = range(0, accounts.height, SLICE)
    with target.open("wb") as file, ThreadPoolExecutor(2) as pool:
        file.write(b'{"app_id":"benchmark","accounts":[')
        waiting = deque()
        for start in starts:
            waiting.append(pool.submit(_encode, accounts.slice(start, SLICE)))
            if len(waiting) > 2:
                file.write(waiting.popleft().result() + b",")
        file.write(b",".join(one.result() for one in waiting) + b"]}")


def _encode(accounts: pl.DataFrame) -> bytes:
    held = accounts.select(
        pl.int_range(pl.len()).alias("row"), pl.col("roles").str.split(";").alias("id")
    ).explode("id")
    permissions = (
        held.select(
            "row",
            pl.struct(unique_identifier="id", type=pl.lit("Role"), name="id").alias("permissions"),
        )
        .group_by("row", maintain_order=True)
        .agg("permissions")["permissions"]
    )
    attributes = pl.concat_arr(
        pl.struct(type=pl.lit("Department"), name="department"),
        pl.struct(type=pl.lit("Title"), name="title"),
        pl.struct(type=pl.lit("Site"), name="site"),
    ).alias("attributes")
    buffer = io.BytesIO()
    accounts.select(
        pl.exclude("department", "title", "site", "roles"), permissions, attributes
    ).write_json(buffer)
    return buffer.getvalue()[1:-1]


if __name__ == "__main__":
    main()
