"""Rows of a raw table, for tests that compare whole tables."""

from schemas.raw import RawTable
from schemas.tables import ROW


def table(raw: RawTable | None, *columns: str) -> list[tuple[object, ...]]:
    """The rows, sorted; of all columns but the row's number where none is named."""
    assert raw is not None
    rows = raw.rows.select(columns) if columns else raw.rows.drop(ROW)
    return sorted(rows.rows(), key=str)
