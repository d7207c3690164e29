"""What fed each field: kept with an accepted run, so that a column that goes is not overlooked."""

from collections.abc import Iterator

import polars as pl

from schemas.errors import SourceFormatError
from schemas.raw import Raw, RawTable
from schemas.snapshot import Snapshot
from schemas.source_file.columns import Strict, TextColumn, TimeColumn
from schemas.source_file.file import SourceFile
from schemas.tables import ACCOUNT_FIELDS, ACCOUNTS
from transforms.tables.columns import with_wanted_names
from transforms.tables.mapping import ColumnUse, accounts_use, use_of

FED = {
    "table": pl.String(),
    "field": pl.String(),
    "column": pl.String(),
    "is_named": pl.Boolean(),
}
"""A row a field or attribute that something feeds.

`column` is the source's, null where it is not one column. `is_named`: the source file says how the
field is filled; else it is a column of the field's own name.
"""

_RESOURCE = "integration_specific_resource_id"
_OPEN = "ACTIVE"
_OF_STATUS = "accounts: status"
"""In `FED`, in the place of a table: each column that tells the status and that some row fills."""


def fed_fields(raw: Raw, file: SourceFile) -> pl.DataFrame:
    """Returns what feeds each field of the read (`FED`); a constant feeds its field as well.

    Raises:
        SourceFormatError: a column that the file names is missing, or an unknown one is refused.
    """
    raw = with_wanted_names(raw, file)
    use = accounts_use(raw.accounts, file)
    named = {*_written(file.columns), *file.attributes}
    rows = [
        ("accounts", field, _column(origin), field in named) for field, origin in use.fields.items()
    ]
    for table, mapping in _others(raw, file):
        named = _written(mapping)
        rows += [
            (table.name, field, _column(origin), field in named)
            for field, origin in use_of(table, mapping, {}, frozenset()).fields.items()
        ]
    rows += [(_OF_STATUS, one, one, True) for one in _status_columns(use, raw, is_filled=True)]
    return pl.DataFrame(rows, schema=FED, orient="row")


def emptied_status_columns(raw: Raw, file: SourceFile, before: pl.DataFrame) -> tuple[str, ...]:
    """Returns the columns of the status that are blank in every row, and were not before.

    Args:
        raw: a whole read.
        file: how its columns are meant.
        before: `FED` of the last accepted read.
    """
    filled = set(before.filter(pl.col("table") == _OF_STATUS)["field"])
    if not filled:
        return ()
    raw = with_wanted_names(raw, file)
    blank = _status_columns(accounts_use(raw.accounts, file), raw, is_filled=False)
    return tuple(one for one in blank if one in filled)


def _status_columns(use: ColumnUse, raw: Raw, *, is_filled: bool) -> list[str]:
    """The columns of the accounts that tell the status and that some row fills, or that none do."""
    origin = use.fields.get("user_status")
    cells = raw.accounts.rows
    return [
        column
        for column in (origin.sources if origin else ())
        if (cells[column].str.strip_chars() != "").any() == is_filled
    ]


def fed_by(snapshot: Snapshot, *, fewest: int = 1) -> pl.DataFrame:
    """Returns what must have fed an accepted snapshot (`FED`), where no run kept it.

    Of a field that at least `fewest` accounts have.
    A status only where one is other than ACTIVE, a resource only where something has one: what is
    taken for granted where nothing feeds it shows nothing.
    """
    accounts = snapshot.accounts
    filled = [name for name in accounts.columns if accounts[name].count() >= fewest]
    taken_for_granted = {"user_status", "account_type"}
    fields = [name for name in filled if name not in taken_for_granted]
    if (accounts["user_status"] != _OPEN).any():
        fields.append("user_status")
    rows = [("accounts", field, None, False) for field in fields]
    if (snapshot.entitlements[_RESOURCE] != "").any():
        rows += [(table, _RESOURCE, None, False) for table in ("entitlements", "associations")]
    return pl.DataFrame(rows, schema=FED, orient="row")


def check_still_fed(now: pl.DataFrame, before: pl.DataFrame, raw: Raw, file: SourceFile) -> None:
    """Raises where a field that was fed before is fed by nothing now.

    A person's own edit of the source file is no column that went: an attribute that the file named
    and names no more is let go.

    Raises:
        SourceFormatError: one is, and the file does not let it go.
    """
    tables = {table.name: table for table in (raw.accounts, *(t for t, _ in _others(raw, file)))}
    fed = set(now.select("table", "field").rows())
    for table, field, column, is_named in before.rows():
        if (table, field) in fed or table not in tables:
            continue
        is_dropped_by_file = is_named and table == "accounts" and field not in ACCOUNT_FIELDS
        if not is_dropped_by_file and _key(table, field) not in file.let_go:
            raise _unfed(tables[table], field, column)


def unsaid_status_note(now: pl.DataFrame) -> str | None:
    """Returns what to say where no column and no constant feeds the status; None where one does."""
    if ("accounts", "user_status") in set(now.select("table", "field").rows()):
        return None
    return (
        "no column says an account's status: all are taken for ACTIVE; name its column under "
        "columns, or say user_status: {constant: ACTIVE}"
    )


def _others(raw: Raw, file: SourceFile) -> Iterator[tuple[RawTable, Strict]]:
    """Yields the read's other tables, each with its mapping."""
    for table, mapping in (
        (raw.entitlements, file.entitlement_columns),
        (raw.resources, file.resource_columns),
        (raw.associations, file.association_columns),
    ):
        if table is not None:
            yield table, mapping


def _written(mapping: Strict) -> set[str]:
    return {name for name in mapping.model_fields_set if getattr(mapping, name) is not None}


def _column(origin: TextColumn | TimeColumn) -> str | None:
    return origin.column if origin.is_plain else None


def _key(table: str, field: str) -> str:
    return field if table == "accounts" else f"{table}.{field}"


def _unfed(table: RawTable, field: str, column: str | None) -> SourceFormatError:
    key, by = _key(table.name, field), f"the column {column!r}" if column else "a column"
    where = "columns" if field in ACCOUNTS or table.name != "accounts" else "attributes"
    if key == "user_status":
        otherwise = "if the source has no status any more, say user_status: {constant: ACTIVE}"
    else:
        otherwise = f"let it go by let_go: [{key}]"
    return SourceFormatError(
        f"{table.origin}: nothing feeds {key} now, and {by} did in the last accepted run: rename "
        f"the column back, or name its new one under {where}; {otherwise}"
    )
