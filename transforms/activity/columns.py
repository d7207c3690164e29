"""From the columns of a log to candidate records: who, what, when."""

import polars as pl

from schemas.errors import SourceFormatError
from schemas.raw import RawTable
from schemas.source_file.activity import OTHER_NAMES, ActivityColumns, EventTypeColumn
from schemas.source_file.columns import TextColumn, TimeColumn
from schemas.tables import ACTIVITY
from transforms.tables.columns import to_candidates
from transforms.tables.expressions import NEVER_ASKED
from transforms.tables.mapping import ColumnUse, use_of

_FROM_FILE = {name: kind for name, kind in ACTIVITY.items() if name != "source_app_id"}


def activity_use(table: RawTable, columns: ActivityColumns) -> ColumnUse:
    """How the columns of `table` are used; a field by Lumos's own other names, where it has them.

    Raises:
        SourceFormatError: a named column is missing, or nothing tells when, what or who.
    """
    present = table.rows.columns
    mapped: dict[str, TextColumn | TimeColumn] = {
        name: TimeColumn(column=other) if name == "timestamp" else EventTypeColumn(column=other)
        for name, others in OTHER_NAMES.items()
        for other in others
        if getattr(columns, name) is None and name not in present and other in present
    }
    use = use_of(table, columns.model_copy(update=mapped), {}, frozenset())
    for name in ("timestamp", "event_type"):
        if name not in use.fields:
            raise _untold(table, name)
    if not {"account_id", "email"} & set(use.fields):
        raise _untold(table, "account_id")
    return use


def to_activity_times(rows: pl.DataFrame, use: ColumnUse) -> pl.Series:
    """The times of `rows` (`UTC_TIME`), row by row; null where there is none that can be read."""
    only = ColumnUse({"timestamp": use.fields["timestamp"]}, ())
    schema = {"timestamp": ACTIVITY["timestamp"]}
    return to_candidates(rows, only, schema, NEVER_ASKED)["timestamp"]


def _untold(table: RawTable, field: str) -> SourceFormatError:
    return SourceFormatError(
        f"{table.origin}: no column for {field}; name it under activity.columns"
    )


def to_activity_candidates(rows: pl.DataFrame, use: ColumnUse, app_id: str) -> pl.DataFrame:
    """`rows` as records (`ACTIVITY`) of the app, row by row, not yet judged."""
    candidates = to_candidates(rows, use, _FROM_FILE, NEVER_ASKED)
    blank_id = pl.when(pl.col("account_id") != "").then("account_id").alias("account_id")
    app = pl.lit(app_id, dtype=pl.String).alias("source_app_id")
    return candidates.with_columns(blank_id, app).select(list(ACTIVITY))
