"""The data: a log of logins and activity in one file; the same counts give the same file."""

from pathlib import Path

import polars as pl

BATCH = 250_000

SOURCE_FILE = """
app: {{name: Benchmark, create: {{category: Internal, description: A benchmark}}}}
source: {{kind: csv, accounts: accounts.csv, max_age: null}}
activity:
  source: {source}
  columns:
    account_id: account_id
    event_type: {{column: event_type, values: {{in: LOGIN, did: ACTIVITY}}}}
    timestamp: {{column: timestamp, timezone: UTC}}
  unknown_accounts: send
  keep: {keep}
  since: 2024-01-01
"""


def write_log(path: Path, rows: int, accounts: int) -> None:
    """Writes `rows` events, a second apart, of `accounts` accounts in a shuffled order."""
    with path.open("wb") as file:
        file.write(b"timestamp,account_id,event_type,client\n")
        for start in range(0, rows, BATCH):
            made = _events(start, min(BATCH, rows - start), accounts)
            file.write("\n".join(made.to_list()).encode() + b"\n")


def write_json_lines(log: Path, path: Path) -> None:
    """Writes the events of a log that `write_log` wrote, an object of JSON a line."""
    pl.scan_csv(log, infer_schema=False).sink_ndjson(path)


def _events(start: int, size: int, accounts: int) -> pl.Series:
    number = pl.int_range(start, start + size, dtype=pl.Int64)
    at = pl.lit(1_704_067_200) + number
    line = pl.format(
        "{},u{},{},10.0.{}.{}",
        pl.from_epoch(at, time_unit="s").dt.to_string("%Y-%m-%dT%H:%M:%SZ"),
        (number * 7_919 + number // accounts) % accounts,
        pl.when(number % 4 == 0).then(pl.lit("did")).otherwise(pl.lit("in")),
        number % 251,
        number % 241,
    )
    return pl.select(line).to_series()
