"""The data: accounts in a CSV, 10 columns and 5 entitlements each in a delimited one, 1 % bad rows.

The same count gives the same file. Rows are shuffled, as exports are; a later `night` differs in
about 1 % of the accounts.
"""

from pathlib import Path

import polars as pl

ROLES = 500
BATCH = 250_000

SOURCE_FILE = """
app: {name: Benchmark}
source: {kind: csv, accounts: accounts.csv, encoding: utf-8, separator: ",", max_age: null}
columns:
  integration_specific_id: user_id
  email: mail
  given_name: first
  family_name: last
  user_status: {column: state, values: {enabled: ACTIVE, disabled: SUSPENDED, gone: DEPROVISIONED}}
  last_login: {column: seen, format: "%Y-%m-%dT%H:%M:%SZ", timezone: UTC}
attributes: {Department: department, Title: title, Site: site}
entitlements: [{type: Role, column: roles, separator: ";"}]
guards: {max_rejected_rows: 5%}
"""


def write_accounts(path: Path, count: int, night: int) -> None:
    """Writes `count` rows to `path`; every hundredth breaks a rule (e-mail, status, or line)."""
    with path.open("wb") as file:
        file.write(b"user_id,mail,first,last,state,seen,department,title,site,roles\n")
        for start in range(0, count, BATCH):
            rows = _rows(start, min(BATCH, count - start), count, night)
            file.write("\n".join(rows.to_list()).encode() + b"\n")


def _rows(start: int, size: int, count: int, night: int) -> pl.Series:
    # A step that shares no factor with the count visits every account once, in a shuffled order.
    number = (pl.int_range(start, start + size, dtype=pl.Int64) * 7_919_193 + 17) % count
    bad = number % 100
    moved = (number % 97 == 0) & (night > 0)
    roles = pl.concat_str(
        [pl.format("role-{}", (number * step + step * step) % ROLES) for step in (1, 3, 7, 11, 13)],
        separator=";",
    )
    state = pl.when(number % 11 == 0).then(pl.lit("disabled")).otherwise(pl.lit("enabled"))
    mail = pl.format("user{}@example.com", number)
    cells = [
        pl.format("u{}", number + 10_000_000),
        pl.when(bad == 50).then(pl.lit("no address")).otherwise(mail),
        pl.format("Given{}", number % 5_000),
        pl.format("Family{}", number % 20_000),
        pl.when(bad.eq(51) & (number % 200 < 100)).then(pl.lit("unheard of")).otherwise(state),
        pl.format(
            "2026-{}-{}T{}:{}:00Z",
            (number % 9 + 1).cast(pl.String).str.zfill(2),
            (number % 28 + 1).cast(pl.String).str.zfill(2),
            (number % 24).cast(pl.String).str.zfill(2),
            (number % 60).cast(pl.String).str.zfill(2),
        ),
        pl.when(moved).then(pl.lit("Moved")).otherwise(pl.format("Department {}", number % 300)),
        pl.format("Title {}", number % 900),
        pl.format("Site {}", number % 40),
        roles,
    ]
    whole = pl.concat_str(cells, separator=",")
    short = pl.concat_str(cells[:4], separator=",")
    is_cut = bad.eq(52) & (number % 1000 < 500)
    return pl.select(pl.when(is_cut).then(short).otherwise(whole)).to_series()
