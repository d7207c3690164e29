"""A snapshot as the CSV that Lumos's own import dialogue takes: one row an account.

Source: help centre 2804019087 and 7793495392, read 2024-10-08: columns are matched by hand; a
    delimiter inside a column,
named in the dialogue, parts the values of one permission.
"""

from dataclasses import dataclass

import polars as pl

from schemas.snapshot import Snapshot
from transforms.upload.permissions import to_permissions

DELIMITERS = (";", "|", "~", "^")
_ROW = "\0row"
_FORMULA = r"(?s)^[=+\-@\t\r]."
"""What spreadsheet programs take for a formula, or for blanks before one."""


@dataclass(frozen=True, slots=True)
class ImportTable:
    """The rows of the import file, and what to name in the dialogue as the delimiter used.

    Attributes:
        rows: text; one row an account, by id: identity, status, attributes by label, one column an
            entitlement type.
        delimiter: in no permission's name; None where every candidate is, and cells cannot be
            parted.
        formula_count: cells and titles that a spreadsheet program would take for a formula. They
            stay as they are: with a mark before it, an id or a permission would be another one in
            Lumos, and the next upload would take the one away and give the other.
    """

    rows: pl.DataFrame
    delimiter: str | None
    formula_count: int = 0


def to_import_table(snapshot: Snapshot) -> ImportTable:
    """The snapshot for Lumos's import dialogue."""
    permissions = to_permissions(snapshot.entitlements, snapshot.resources)
    names = permissions["name"]
    free = [one for one in DELIMITERS if not names.str.contains(one, literal=True).any()]
    delimiter = free[0] if free else None
    time = "%Y-%m-%dT%H:%M:%S%.fZ"
    identity = (
        pl.col("integration_specific_id").alias("Unique ID"),
        pl.col("given_name").alias("First Name"),
        pl.col("family_name").alias("Last Name"),
        pl.col("email").alias("Email"),
        pl.col("user_status").alias("Status"),
        pl.col("last_login").dt.to_string(time).alias("Last Login"),
        pl.col("last_activity").dt.to_string(time).alias("Last Activity"),
    )
    taken = [one.meta.output_name() for one in identity]
    attributes = [
        pl.col(label).alias(_free_title(label, "attribute", taken))
        for label in snapshot.attribute_labels
    ]
    rows = snapshot.accounts.select(*identity, *attributes)
    grants = snapshot.grants.select(
        "account",
        permissions["type"].gather(snapshot.grants["entitlement"]).alias("type"),
        permissions["name"].gather(snapshot.grants["entitlement"]).alias("name"),
    )
    taken = rows.columns
    rows = rows.with_row_index(_ROW)
    for kind in sorted(permissions["type"].unique().to_list()):
        cells = (
            grants.filter(pl.col("type") == kind)
            .group_by("account", maintain_order=True)
            .agg(pl.col("name").str.join(delimiter or ";"))
        )
        cells = cells.select(
            cells["account"].alias(_ROW),
            cells["name"].alias(_free_title(kind, "permission", taken)),
        )
        rows = rows.join(cells, on=_ROW, how="left", maintain_order="left")
    rows = rows.drop(_ROW)
    return ImportTable(rows, delimiter, _formulas_in(rows))


def _formulas_in(rows: pl.DataFrame) -> int:
    cells = rows.select(pl.col(pl.String).str.contains(_FORMULA).sum()).row(0)
    titles = pl.Series(rows.columns).str.contains(_FORMULA)
    return int(sum(cells) + titles.sum())


def _free_title(title: str, what: str, taken: list[str]) -> str:
    """`title`, told apart from those `taken`, which it joins: columns are matched by it alone."""
    while title in taken:
        title = f"{title} ({what})"
    taken.append(title)
    return title
