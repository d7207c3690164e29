"""Rows that are rejects: named by line and reason, counted.

Read = dropped + accepted + merged + rejected, table by table.
"""

from dataclasses import dataclass

import polars as pl

from schemas.tables import REJECTS, Reason

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
