"""Rows that break a contract: found by pandera's masks, named by line and reason, counted.

Read = dropped + accepted + merged + rejected, table by table.
"""

from dataclasses import dataclass
from itertools import chain

import pandera.polars as pa
import polars as pl
from pandera.errors import SchemaErrors

from schemas.contracts import MISSING
from schemas.tables import REJECTS, Reason
from transforms.parallel import two_at_once

SLICE = 500_000
"""Rows a contract is checked on at a time: pandera's memory grows with them, its time with slices.
"""

FAILURES = {
    "index": pl.UInt32(),
    "column": pl.String(),
    "code": pl.String(),
    "reason": pl.String(),
}


@dataclass(frozen=True, slots=True)
class TableCount:
    """How many rows of one table were read, and what became of each."""

    read: int = 0
    accepted: int = 0
    merged: int = 0
    rejected: int = 0
    kept: int = 0
    """Last accepted records carried forward for rejected rows; not part of what was read."""
    dropped: int = 0
    """Rows that say of no account what it is or holds: left out by `leave_out` or by a transform of
    a person's own, of an account that was left out or rejected, or without an entitlement."""
    cells: int = 0
    """Rejected cells whose rows stand; not part of what was read."""

    @property
    def judged(self) -> int:
        """The rows that were read and not dropped."""
        return self.read - self.dropped

    def check(self, table: str) -> "TableCount":
        """This count, if every row is accounted for; an AssertionError, a bug of ours, if not."""
        if self.read != self.dropped + self.accepted + self.merged + self.rejected:
            raise AssertionError(f"{table}: rows unaccounted for: {self}")
        return self


def failures(candidates: pl.DataFrame, contract: pa.DataFrameSchema) -> pl.DataFrame:
    """Where `candidates` break `contract`: `FAILURES`, one row a cell and reason, by row.

    `index` counts the rows of `candidates` from 0; `column` is null where the row as a whole is at
    fault.
    """

    # Safe two at once: pandera keeps its settings by context, and each thread has its own.
    def failures_of_slice(start: int) -> list[pl.DataFrame]:
        return _failures_of_slice(candidates.slice(start, SLICE), contract, start)

    each = two_at_once(failures_of_slice, range(0, candidates.height, SLICE))
    by_slice = pl.concat([pl.DataFrame(schema=FAILURES), *chain.from_iterable(each)])
    return by_slice.sort("index", maintain_order=True)


def _failures_of_slice(
    candidates: pl.DataFrame, contract: pa.DataFrameSchema, start: int
) -> list[pl.DataFrame]:
    errors: list[tuple[Reason, str | None, pl.Series]] = []
    broken = None
    try:
        contract.validate(candidates, lazy=True)
    except SchemaErrors as raised:
        for error in raised.schema_errors:
            mask = error.check_output
            if mask is None:
                broken = f"{error.reason_code} on {error.schema.name}"
                continue
            reason = getattr(error.check, "error", None) or MISSING
            name = error.schema.name
            column = name if name in candidates.columns else None
            errors.append((reason, column, mask.to_series()))
    if broken:
        raise AssertionError(f"a canonical table of ours does not have its form: {broken}")
    return [
        failures_of(~mask.fill_null(value=False), column, reason, start)
        for reason, column, mask in errors
    ]


def failures_of(
    failed: pl.Series, column: str | None, reason: Reason, start: int = 0
) -> pl.DataFrame:
    """`FAILURES` for the rows where the mask `failed` is true, counted from `start`."""
    index = failed.arg_true().cast(pl.UInt32) + start
    return (
        pl.DataFrame({"index": index})
        .with_columns(
            pl.lit(column, dtype=pl.String).alias("column"),
            pl.lit(reason.code).alias("code"),
            pl.lit(str(reason)).alias("reason"),
        )
        .cast(pl.Schema(FAILURES))
    )


def with_untold(broken: pl.DataFrame, untold: pl.DataFrame) -> pl.DataFrame:
    """Both (`FAILURES`): of a cell that cannot be told, that alone, not what it then lacks."""
    if not untold.height:
        return broken
    rest = broken.join(untold, on=["index", "column"], how="anti", nulls_equal=True)
    return pl.concat([rest, untold]).sort("index", maintain_order=True)


def rejected_row_count(rejects: pl.DataFrame, table: str) -> int:
    """How many rows of `table` are rejects; one with two reasons is one, one with a cell none."""
    of_rows = rejects.filter((pl.col("table") == table) & ~pl.col("is_cell"))
    return of_rows.select("file", "row").n_unique()


def no_rejects() -> pl.DataFrame:
    """No rejects, in their form."""
    return pl.DataFrame(schema=REJECTS)
