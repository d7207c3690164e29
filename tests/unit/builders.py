"""The smallest valid inputs: a source file's text, raw tables, a read, a snapshot."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import polars as pl

from schemas.raw import Raw, RawTable
from schemas.snapshot import Snapshot, empty_snapshot
from schemas.source_file.file import SourceFile, to_source
from schemas.tables import REJECTS, ROW, UNREADABLE_LINE
from transforms.snapshot.snapshot import Normalized, to_snapshot

NOW = datetime(2026, 8, 1, 12, tzinfo=UTC)
PATH = "sources/x.yaml"
SMALLEST = "app: {name: X}\nsource: {kind: csv, accounts: a.csv}\n"

Rows = Sequence[Mapping[str, str]]


def source_file(more: str = "") -> SourceFile:
    """The smallest source file, and `more` lines of it."""
    return to_source(SMALLEST + more, "x", PATH).file


def account(account_id: str, **cells: str) -> dict[str, str]:
    """A raw account under Lumos's own column names; `cells` replace or add to its columns."""
    usual = {
        "integration_specific_id": account_id,
        "email": "a@example.com",
        "user_status": "ACTIVE",
    }
    return usual | cells


def entitlement(entitlement_id: str, resource_id: str = "", **cells: str) -> dict[str, str]:
    """A raw entitlement of type Role."""
    usual = {
        "entitlement_type": "Role",
        "integration_specific_id": entitlement_id,
        "integration_specific_resource_id": resource_id,
        "label": entitlement_id.upper(),
    }
    return usual | cells


def association(account_id: str, entitlement_id: str, resource_id: str = "") -> dict[str, str]:
    """A raw association."""
    return {
        "account_id": account_id,
        "integration_specific_entitlement_id": entitlement_id,
        "integration_specific_resource_id": resource_id,
    }


def raw_table(
    name: str, rows: Rows, unsplit: Sequence[str | None] = (), columns: Sequence[str] = ()
) -> RawTable:
    """A raw table; a cell that a row lacks is empty.

    `unsplit` are the guessed keys of rows that could not be split; these stand below the others.
    """
    names = columns or list(dict.fromkeys(column for row in rows for column in row))
    first_unsplit = len(rows) + 2
    frame = pl.DataFrame(
        {column: [row.get(column, "") for row in rows] for column in names},
        schema=dict.fromkeys(names, pl.String()),
    ).with_columns(pl.int_range(2, pl.len() + 2, dtype=pl.UInt32).alias(ROW))
    rejects = [
        (
            name,
            f"{name}.csv",
            first_unsplit + n,
            key,
            None,
            UNREADABLE_LINE,
            "too few fields",
            None,
            False,
            None,
        )
        for n, key in enumerate(unsplit)
    ]
    return RawTable(
        name,
        frame,
        pl.DataFrame(rejects, schema=REJECTS, orient="row"),
        len(rows) + len(unsplit),
        f"{name}.csv",
    )


def raw(accounts: Rows | RawTable, **tables: Rows | RawTable) -> Raw:
    """A whole read of `accounts` and, by name, of the other tables."""
    made = {
        name: rows if isinstance(rows, RawTable) else raw_table(name, rows)
        for name, rows in {"accounts": accounts, **tables}.items()
    }
    return Raw(
        made["accounts"],
        made.get("entitlements"),
        made.get("resources"),
        made.get("associations"),
        NOW,
        (),
    )


def normalized(
    accounts: Rows | RawTable,
    file: SourceFile | None = None,
    last: Snapshot | None = None,
    **tables: Rows | RawTable,
) -> Normalized:
    """What becomes of a read under `file` (the smallest one), after `last` (nothing)."""
    read = raw(accounts, **tables)
    return to_snapshot(read, file or source_file(), last or empty_snapshot(), NOW)


def snapshot(accounts: Rows, file: SourceFile | None = None, **tables: Rows | RawTable) -> Snapshot:
    """The snapshot of rows of which none is a reject."""
    made = normalized(accounts, file, **tables)
    assert made.rejects.is_empty(), made.rejects
    return made.snapshot


def ids(of: Snapshot) -> list[str]:
    """The accounts' ids, in the snapshot's order."""
    return of.accounts["integration_specific_id"].to_list()


def reasons(made: Normalized) -> list[tuple[str | None, str]]:
    """(column, reason) of each reject, in order."""
    return made.rejects.select("column", "reason").rows()
