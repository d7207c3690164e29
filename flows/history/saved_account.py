"""One account as a run's saved snapshot has it: its fields, what it holds, where its row stood."""

from dataclasses import dataclass
from typing import Any

import polars as pl

from loaders.archive.archive import Archive
from schemas.errors import StateError
from schemas.run import Run

_ID = "integration_specific_id"
_ROW = "row in the snapshot"


@dataclass(frozen=True, slots=True)
class SavedAccount:
    """An account of one saved snapshot.

    Attributes:
        fields: its cells by column, custom attributes included; null is absence.
        permissions: the labels of what it holds, by entitlement and resource id; a label that has a
            resource names it in brackets.
        file: what its row was read from; None where the run read none of its own.
        line: the line there, or the entry's number; None as `file`.
    """

    fields: dict[str, Any]
    permissions: dict[tuple[str, str], str]
    file: str | None = None
    line: int | None = None

    @property
    def account_id(self) -> str:
        """Its id."""
        return str(self.fields[_ID])


def find_accounts(archive: Archive, run: Run, text: str) -> list[str]:
    """The ids of the accounts in the run's snapshot that have that id or, where none, address.

    Raises:
        StateError: the snapshot is not there, or is damaged.
    """
    is_id = pl.col(_ID) == text
    is_address = pl.col("email").str.to_lowercase() == text.lower()
    found = archive.saved_frame(
        run.source,
        run.run_id,
        "accounts",
        lambda accounts: accounts.filter(is_id | is_address).select(_ID),
    )
    ids = found[_ID].to_list()
    return [text] if text in ids else ids


def saved_account(archive: Archive, run: Run, account_id: str) -> SavedAccount | None:
    """The account as the run's snapshot has it; None where it does not.

    Raises:
        StateError: the snapshot is not there, or is damaged.
    """

    def picked(name: str, where: pl.Expr) -> pl.DataFrame:
        return archive.saved_frame(
            run.source,
            run.run_id,
            name,
            lambda frame: frame.with_row_index(_ROW).filter(where),
        )

    rows = picked("accounts", pl.col(_ID) == account_id)
    if rows.is_empty():
        return None
    row = rows[_ROW].item()
    held = picked("held", pl.col("account") == row)["entitlement"].to_list()
    entitlements = picked("entitlements", pl.col(_ROW).is_in(held))
    resources = picked("resources", pl.lit(value=True))
    try:
        place = picked("lines", pl.col(_ROW) == row).drop_nulls("line")
    except StateError:  # of a version that kept none, or a run that read no source
        place = pl.DataFrame()
    return SavedAccount(
        rows.drop(_ROW).row(0, named=True),
        _labels(entitlements, dict(resources.select(_ID, "label").iter_rows())),
        str(place["file"].item()) if place.height else None,
        place["line"].item() if place.height else None,
    )


def _labels(
    entitlements: pl.DataFrame, resources: dict[str, str | None]
) -> dict[tuple[str, str], str]:
    labels = {}
    columns = (_ID, "integration_specific_resource_id", "label")
    for entitlement, resource, label in entitlements.select(columns).iter_rows():
        within = f" [{resources.get(resource) or resource}]" if resource else ""
        labels[entitlement, resource] = f"{label or entitlement}{within}"
    return labels
